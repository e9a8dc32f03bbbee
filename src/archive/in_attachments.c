/*
 * in_attachments.c - a hit that only the text of attachments explains
 *
 * What was read from documents is in the index alone, so there are no words to show; but it can be
 * told where they are. Said only when nothing else of the mail has any word looked for.
 */
#include <string.h>

#include <mailkeep/mail.h>

#include "internal.h"

enum { NAMES_MAX = 16 };

/* -- has it any of the words? ------------------------------------------------------------------ */
static bool has(const FindQueries *queries, MkField field, const char *text)
{
    MkFinder *finder = queries->finders[field];
    g_autoptr(GArray) ranges = NULL;

    if (finder == NULL || text == NULL)
        return false;
    ranges = mk_finder_highlight(finder, text, strlen(text), 1);
    return ranges->len > 0;
}

static bool any_has(const FindQueries *queries, MkField field, const GPtrArray *texts)
{
    for (guint i = 0; i < texts->len; i++)
        if (has(queries, field, texts->pdata[i]))
            return true;
    return false;
}

static bool address_has(const FindQueries *queries, MkField field, const GPtrArray *addresses)
{
    for (guint i = 0; i < addresses->len; i++) {
        const MkAddress *address = addresses->pdata[i];

        if (has(queries, field, address->name) || has(queries, field, address->address))
            return true;
    }
    return false;
}

/* What the list shows of a mail: cheap, and mostly enough to know. */
static bool row_has(const FindQueries *queries, const MkFoundMail *mail)
{
    return has(queries, MK_FIELD_SUBJECT, mail->subject) ||
           has(queries, MK_FIELD_FROM, mail->from) || has(queries, MK_FIELD_TO, mail->to);
}

static bool header_has(const FindQueries *queries, const MkMailSummary *summary)
{
    return has(queries, MK_FIELD_SUBJECT, summary->subject) ||
           address_has(queries, MK_FIELD_FROM, summary->from) ||
           address_has(queries, MK_FIELD_FROM, summary->sender) ||
           address_has(queries, MK_FIELD_TO, summary->to) ||
           address_has(queries, MK_FIELD_CC, summary->cc) ||
           address_has(queries, MK_FIELD_BCC, summary->bcc) ||
           has(queries, MK_FIELD_MESSAGE_ID, summary->message_id);
}

static bool text_has(const FindQueries *queries, const MkMailText *text)
{
    return text->truncated || /* who knows */
           has(queries, MK_FIELD_BODY, text->body->str) ||
           has(queries, MK_FIELD_ATTACHMENT_TEXT, text->attachment_text->str) ||
           any_has(queries, MK_FIELD_ATTACHMENT_NAME, text->attachment_names);
}

/* For the others it is no reason of a hit, and must not be seen to be there. */
static bool envelope_has(const FindQueries *queries, ArchiveStore *store, uint32_t number)
{
    g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(g_free);

    if (!queries->with_envelope || queries->finders[MK_FIELD_ENVELOPE] == NULL)
        return false;
    return !envelope_only_read(store->store, number, addresses, NULL) ||
           any_has(queries, MK_FIELD_ENVELOPE, addresses);
}

/* -- which attachments ------------------------------------------------------------------------- */
static const char *name_of(const GPtrArray *parts, uint32_t number)
{
    for (guint i = 0; i < parts->len; i++) {
        const MkPart *part = parts->pdata[i];

        if (part->number == number)
            return part->file_name;
    }
    return NULL;
}

/* Of those whose text is in the index; NULL when none is. */
static GPtrArray *indexed_names(ArchiveStore *store, uint32_t number, const uint8_t *data,
                                size_t length)
{
    g_auto(MkIndexedMail) indexed = { 0 };
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) parts = NULL;

    if (!mk_index_mail(store->index, number, &indexed, NULL) || indexed.attachments == NULL)
        return NULL;
    parts = mk_mail_parts(data, length);
    for (guint i = 0; i < indexed.attachments->len && names->len < NAMES_MAX; i++) {
        const MkAttachmentText *text = &g_array_index(indexed.attachments, MkAttachmentText, i);
        const char *name = name_of(parts, text->part);

        if (text->text_bytes > 0)
            g_ptr_array_add(names, g_strdup(name == NULL ? "" : name));
    }
    return names->len > 0 ? g_steal_pointer(&names) : NULL;
}

static bool want_text(const uint8_t *before, size_t length, void *cookie)
{
    (void) cookie;
    return mk_mail_piece_has_text(before, length);
}

GPtrArray *in_attachments(ArchiveStore *store, const FindQueries *queries, const MkFoundMail *mail)
{
    g_auto(MkMailInfo) info = MK_MAIL_INFO_INIT;
    g_autoptr(GBytes) octets = NULL;
    g_autoptr(MkMailSummary) summary = NULL;
    g_autoptr(MkMailText) text = NULL;
    const uint8_t *data;
    gsize length;

    if (queries->finders[MK_FIELD_ATTACHMENT_TEXT] == NULL || row_has(queries, mail) ||
        !mk_store_read_some(store->store, mail->id.number, want_text, NULL, &info, &octets, NULL))
        return NULL;
    data = g_bytes_get_data(octets, &length);
    summary = mk_mail_summary(data, length);
    if (header_has(queries, summary))
        return NULL;
    text = mk_mail_text(data, length);
    if (text_has(queries, text) || envelope_has(queries, store, mail->id.number))
        return NULL;
    return indexed_names(store, mail->id.number, data, length);
}
