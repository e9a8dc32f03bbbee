/*
 * index_doc.c - one mail as the index wants it
 */
#include <mailkeep/log.h>

#include "internal.h"

/* -- values of fields -------------------------------------------------------------------------- */
/* A NULL-terminated list of borrowed strings. */
static GPtrArray *list_of_addresses(const GPtrArray *first, const GPtrArray *second)
{
    GPtrArray *list = g_ptr_array_new();
    const GPtrArray *both[2] = { first, second };

    for (int side = 0; side < 2; side++)
        for (guint i = 0; both[side] != NULL && i < both[side]->len; i++) {
            const MkAddress *address = both[side]->pdata[i];

            if (address->name[0] != '\0')
                g_ptr_array_add(list, address->name);
            if (address->address[0] != '\0')
                g_ptr_array_add(list, address->address);
        }
    g_ptr_array_add(list, NULL);
    return list;
}

static GPtrArray *list_of_strings(const GPtrArray *strings)
{
    GPtrArray *list = g_ptr_array_new();

    for (guint i = 0; i < strings->len; i++)
        g_ptr_array_add(list, strings->pdata[i]);
    g_ptr_array_add(list, NULL);
    return list;
}

static GPtrArray *list_of_text(const char *text)
{
    GPtrArray *list = g_ptr_array_new();

    if (text[0] != '\0')
        g_ptr_array_add(list, (void *) text);
    g_ptr_array_add(list, NULL);
    return list;
}

bool envelope_only_read(MkStore *store, uint32_t number, GPtrArray *out, GError **error)
{
    g_autoptr(GPtrArray) receipts = mk_store_receipts(store, number, error);

    if (receipts == NULL)
        return false;
    for (guint i = 0; i < receipts->len; i++) {
        const MkReceipt *receipt = receipts->pdata[i];
        g_autoptr(GPtrArray) addresses = NULL;
        MkEnvelope *envelope = envelope_parse(receipt->envelope, &addresses, error);

        if (envelope == NULL)
            return false;
        mk_envelope_free(envelope);
        g_ptr_array_extend_and_steal(out, g_steal_pointer(&addresses));
    }
    return true;
}

/* -- conversations ----------------------------------------------------------------------------- */
static bool wants_no_piece(const uint8_t *before, size_t length, void *cookie)
{
    (void) before;
    (void) length;
    (void) cookie;
    return false;
}

/* NULL: it cannot be read. */
static char *subject_in_store(MkStore *store, uint32_t number)
{
    g_auto(MkMailInfo) info = MK_MAIL_INFO_INIT;
    g_autoptr(MkMailSummary) summary = NULL;
    g_autoptr(GBytes) octets = NULL;

    if (!mk_store_read_some(store, number, wants_no_piece, NULL, &info, &octets, NULL))
        return NULL;
    summary = mk_mail_summary(g_bytes_get_data(octets, NULL), g_bytes_get_size(octets));
    return subject_normalise(summary->subject);
}

/* What came in together is not in the index yet, but in the batch. */
static uint64_t conversation_lookup(const char *message_id, uint64_t own, char **out_subject,
                                    void *cookie)
{
    Batch *batch = cookie;
    const BatchMail *in_batch = g_hash_table_lookup(batch->conversations, message_id);
    g_autoptr(GArray) mails = NULL;
    g_auto(MkIndexedMail) mail = { 0 };
    uint32_t number;

    if (in_batch != NULL) {
        *out_subject = subject_normalise(in_batch->subject);
        return in_batch->conversation;
    }
    mails = mk_index_lookup(batch->store->index, message_id, 1, NULL);
    if (mails == NULL || mails->len == 0)
        return 0;
    number = g_array_index(mails, uint32_t, 0);
    if (!mk_index_mail(batch->store->index, number, &mail, NULL))
        return 0;
    if (mail.conversation != own)
        *out_subject = subject_in_store(batch->store->store, number);
    return mail.conversation;
}

static void note_in_batch(Batch *batch, const MkMailSummary *summary, uint64_t conversation)
{
    BatchMail *mail;

    if (summary->message_id[0] == '\0')
        return;
    mail = g_new0(BatchMail, 1);
    mail->conversation = conversation;
    mail->subject = g_strdup(summary->subject);
    g_hash_table_replace(batch->conversations, g_strdup(summary->message_id), mail);
}

static void put_conversation(Batch *batch, const MkMailSummary *summary, MkIndexDoc *doc)
{
    const MkKey *key = batch->store->conversation_key;

    doc->conversation = conversation_number(key, summary, conversation_lookup, batch);
    doc->copy = copy_number(key, summary);
    note_in_batch(batch, summary, doc->conversation);
}

/* -- the document ------------------------------------------------------------------------------ */
static uint32_t flags_of(const MkMailInfo *info, const AttachmentTexts *texts)
{
    uint32_t flags = info->flags | texts->flags;

    return (flags & (MK_MAIL_IMPORTANCE_LOW | MK_MAIL_IMPORTANCE_HIGH)) != 0
               ? flags | INDEX_NOT_NORMAL
               : flags;
}

static void add_doc(Batch *batch, uint32_t number, const MkMailInfo *info, GBytes *octets,
                    const GPtrArray *envelope_only, const AttachmentTexts *texts)
{
    gsize length;
    const uint8_t *data = g_bytes_get_data(octets, &length);
    g_autoptr(MkMailSummary) summary = mk_mail_summary(data, length);
    g_autoptr(MkMailText) text = mk_mail_text(data, length);
    g_autofree char *from =
        mk_addresses_format(summary->from->len > 0 ? summary->from : summary->sender);
    g_autofree char *to = mk_addresses_format(summary->to);
    GPtrArray *lists[MK_FIELD_COUNT] = {
        [MK_FIELD_SUBJECT] = list_of_text(summary->subject),
        [MK_FIELD_FROM] = list_of_addresses(summary->from, summary->sender),
        [MK_FIELD_TO] = list_of_addresses(summary->to, NULL),
        [MK_FIELD_CC] = list_of_addresses(summary->cc, NULL),
        [MK_FIELD_BCC] = list_of_addresses(summary->bcc, NULL),
        [MK_FIELD_BODY] = list_of_text(text->body->str),
        [MK_FIELD_ATTACHMENT_NAME] = list_of_strings(text->attachment_names),
        [MK_FIELD_ATTACHMENT_TEXT] = list_of_strings(texts->texts),
        [MK_FIELD_ENVELOPE] = list_of_strings(envelope_only),
        [MK_FIELD_MESSAGE_ID] = list_of_text(summary->message_id),
    };
    MkIndexDoc doc = { .number = number,
                       .date_unix_ms = info->date_unix_ms,
                       .archived_unix_ms = info->archived_unix_ms,
                       .size_bytes = info->size_bytes,
                       .flags = flags_of(info, texts),
                       .folders = (const uint32_t *) (void *) info->folders->data,
                       .folder_count = info->folders->len,
                       .attachments = (const MkAttachmentText *) (void *) texts->results->data,
                       .attachment_count = texts->results->len,
                       .subject = summary->subject,
                       .from = from,
                       .to = to };

    for (int field = 0; field < MK_FIELD_COUNT; field++)
        doc.values[field] = (const char *const *) lists[field]->pdata;
    put_conversation(batch, summary, &doc);
    mk_index_writer_add(batch->writer, &doc);
    for (int field = 0; field < MK_FIELD_COUNT; field++)
        g_ptr_array_unref(lists[field]);
}

static bool add_with_info(Batch *batch, uint32_t number, const MkMailInfo *info, GBytes *octets,
                          const AttachmentTexts *texts, GError **error)
{
    g_autoptr(GPtrArray) envelope_only = g_ptr_array_new_with_free_func(g_free);

    if ((info->receipt_count > 1 || (meta_parse(info->meta) & META_HAS_ENVELOPE_ONLY) != 0) &&
        !envelope_only_read(batch->store->store, number, envelope_only, error))
        return false;
    add_doc(batch, number, info, octets, envelope_only, texts);
    batch->text_pending += (texts->flags & INDEX_TEXT_PENDING) != 0;
    return true;
}

static void mail_gone(Batch *batch, uint32_t number)
{
    mk_index_writer_remove(batch->writer, number);
    g_array_append_val(batch->gone, number);
}

bool batch_add_octets(Batch *batch, uint32_t number, GBytes *octets, const AttachmentTexts *texts,
                      GError **error)
{
    g_auto(MkMailInfo) info = MK_MAIL_INFO_INIT;

    if (!mk_store_info(batch->store->store, number, true, &info, error))
        return false;
    batch->mails++;
    if (info.folders->len > 0)
        return add_with_info(batch, number, &info, octets, texts, error);
    mail_gone(batch, number);
    return true;
}

/* -- from the store ---------------------------------------------------------------------------- */
/* Without pictures and such, which nobody reads here. */
static bool add_from_store(Batch *batch, uint32_t number, GError **error)
{
    AttachmentReader *reader = batch->store->attachments;
    g_auto(MkMailInfo) info = MK_MAIL_INFO_INIT;
    g_auto(AttachmentTexts) texts = { 0 };
    g_autoptr(GBytes) octets = NULL;

    if (!mk_store_read_some(batch->store->store, number, attachment_reader_wants, reader, &info,
                            &octets, error))
        return false;
    attachment_reader_read(reader, info.flags, g_bytes_get_data(octets, NULL),
                           g_bytes_get_size(octets), &texts);
    return add_with_info(batch, number, &info, octets, &texts, error);
}

/* One large mail in memory at a time; this one can wait, one that comes in cannot. */
static bool add_large(Batch *batch, uint32_t number, GError **error)
{
    bool ok;

    if (pthread_mutex_trylock(&batch->archive->large_lock) != 0) {
        batch->hold_back = true;
        return true;
    }
    ok = add_from_store(batch, number, error);
    pthread_mutex_unlock(&batch->archive->large_lock);
    return ok;
}

static bool read_mail(Batch *batch, uint32_t number, GError **error)
{
    g_auto(MkMailInfo) info = MK_MAIL_INFO_INIT;

    if (!mk_store_info(batch->store->store, number, false, &info, error))
        return false;
    if (info.folders->len == 0) {
        mail_gone(batch, number);
        return true;
    }
    return info.size_bytes <= MK_LIMIT_LARGE_MAIL_BYTES ? add_from_store(batch, number, error)
                                                        : add_large(batch, number, error);
}

bool batch_add_mail(Batch *batch, uint32_t number, GError **error)
{
    g_autoptr(GError) failed = NULL;

    if (read_mail(batch, number, &failed)) {
        batch->mails += !batch->hold_back;
        return true;
    }
    batch->mails++;
    if (g_error_matches(failed, MK_ERROR, MK_ERROR_NOT_FOUND)) {
        mail_gone(batch, number);
        return true;
    }
    if (g_error_matches(failed, MK_ERROR, MK_ERROR_CORRUPT)) {
        mk_log_error("archive.mail-damaged", "store", MK_LOG_U64(batch->store->id), "mail",
                     MK_LOG_U64(number), "why", failed->message);
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&failed));
    return false;
}
