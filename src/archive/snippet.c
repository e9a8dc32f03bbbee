/*
 * snippet.c - a few words around a hit, read from the mail itself
 *
 * The index keeps no text, so each snippet costs a look into the store: only for a page's first
 * hits, without pictures and large pieces, and never for a mail that would take much memory. Texts
 * of mails that were shown before are mostly still in memory.
 */
#include <mailkeep/mail.h>

#include "internal.h"
#include "text_cache.h"

enum {
    PIECE_END_BYTES = 4 << 20, /* pieces that begin behind this are left on the disk */
    PAGE_MS = 1500,            /* a page waits no longer for its snippets */
};

static bool want_text(const uint8_t *before, size_t length, void *cookie)
{
    (void) cookie;
    return length < PIECE_END_BYTES && mk_mail_piece_has_text(before, length);
}

static bool has_hit(const MkSnippet *snippet)
{
    return snippet != NULL && snippet->ranges != NULL && snippet->ranges->len > 0;
}

/* Body first; text of attachments when only that has the words; else how the body begins. */
static MkSnippet *snippet_of_text(const FindQueries *queries, const ShownText *text)
{
    MkFinder *in_attachments = queries->finders[MK_FIELD_ATTACHMENT_TEXT];
    g_autoptr(MkSnippet) body = mk_finder_snippet(queries->finders[MK_FIELD_BODY], text->octets,
                                                  text->body_length, MK_LIMIT_SNIPPET_BYTES);
    g_autoptr(MkSnippet) attachment = NULL;

    if (!has_hit(body) && in_attachments != NULL)
        attachment = mk_finder_snippet(in_attachments, text->octets + text->body_length,
                                       text->attachment_length, MK_LIMIT_SNIPPET_BYTES);
    return has_hit(attachment) ? g_steal_pointer(&attachment) : g_steal_pointer(&body);
}

static ShownText *text_read(ArchiveStore *store, uint32_t number)
{
    g_auto(MkMailInfo) info = MK_MAIL_INFO_INIT;
    g_autoptr(GBytes) octets = NULL;
    g_autoptr(MkMailText) text = NULL;

    if (!mk_store_read_some(store->store, number, want_text, NULL, &info, &octets, NULL))
        return NULL;
    text = mk_mail_text(g_bytes_get_data(octets, NULL), g_bytes_get_size(octets));
    return shown_text_new(text->body, text->attachment_text);
}

/* A mail's text never changes; its number is never another mail's. */
static ShownText *text_get(ArchiveStore *store, uint32_t number)
{
    ShownText *text = text_cache_find(store->shown_texts, number);

    if (text != NULL)
        return text;
    text = text_read(store, number);
    if (text != NULL)
        text_cache_add(store->shown_texts, number, text);
    return text;
}

/* Nothing when the mail cannot be read: a list without this snippet is better than none. */
static void snippet_add(ArchiveStore *store, const FindQueries *queries, MkFoundMail *mail)
{
    g_autoptr(ShownText) text = NULL;

    if (mail->size_bytes <= MK_LIMIT_LARGE_MAIL_BYTES)
        text = text_get(store, mail->id.number);
    if (text == NULL)
        return;
    mail->snippet = snippet_of_text(queries, text);
    if (!has_hit(mail->snippet) && (mail->flags & MK_MAIL_HAS_ATTACHMENTS) != 0)
        mail->in_attachments = in_attachments(store, queries, mail);
    if (mail->in_attachments != NULL) /* how the body begins is not where the hit is */
        g_clear_pointer(&mail->snippet, mk_snippet_free);
}

/* From a disk that has forgotten them fifty mails take no longer than the slowest of them. */
static void read_ahead(ArchiveStore *store, const MkFound *found)
{
    uint32_t numbers[MK_LIMIT_SNIPPET_PAGE];
    size_t count = 0;

    for (guint i = 0; i < found->hits->len && i < MK_LIMIT_SNIPPET_PAGE; i++) {
        uint32_t number = ((const MkFoundMail *) found->hits->pdata[i])->id.number;

        if (!text_cache_has(store->shown_texts, number))
            numbers[count++] = number;
    }
    if (count > 0)
        mk_store_read_ahead(store->store, numbers, count);
}

void snippets_add(ArchiveStore *store, const FindQueries *queries, MkFound *found,
                  const int *cancelled)
{
    int64_t until_ms = mk_clock_monotonic_ms() + PAGE_MS;

    read_ahead(store, found);
    for (guint i = 0; i < found->hits->len && i < MK_LIMIT_SNIPPET_PAGE; i++) {
        MkFoundMail *mail = found->hits->pdata[i];

        if ((cancelled != NULL && g_atomic_int_get(cancelled) != 0) ||
            mk_clock_monotonic_ms() > until_ms)
            return;
        snippet_add(store, queries, mail);
    }
}
