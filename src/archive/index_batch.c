/*
 * index_batch.c - one batch of mails into the index (lane side of follower.c)
 *
 * Two ways: behind the index's watermark in the store's change queue, or, when the index is new
 * (watermark 0), through all mails of the store. A rebuild sets the watermark with its last
 * batch only: when it is interrupted it begins anew, and mails indexed twice are replaced.
 */
#include <mailkeep/log.h>

#include "internal.h"

enum {
    STEP_MAILS = 256,            /* asked of the store at once */
    WRITER_BYTES = 32 * 1 << 20, /* in memory for one segment */
};

typedef struct {
    MkArchive *archive;
    ArchiveStore *store;
    const MkJob *job; /* a cancel ends the batch early */
    MkIndexWriter *writer;
    unsigned mails;
    bool hold_back; /* the next mail is large, and another one is in memory */
} Batch;

static bool batch_is_full(const Batch *batch)
{
    return batch->hold_back || batch->mails >= MK_LIMIT_SEGMENT_MAILS ||
           mk_job_is_cancelled(batch->job) ||
           mk_index_writer_memory_bytes(batch->writer) >= WRITER_BYTES;
}

/* -- one mail ------------------------------------------------------------------------------------ */
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

/* Recipients of all arrivals that no header field names. */
static bool read_envelope_only(MkStore *store, uint32_t number, GPtrArray *out, GError **error)
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

static void add_doc(Batch *batch, uint32_t number, const MkMailInfo *info, GBytes *octets,
                    const GPtrArray *envelope_only)
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
        [MK_FIELD_ATTACHMENT_TEXT] = list_of_text(text->attachment_text->str),
        [MK_FIELD_ENVELOPE] = list_of_strings(envelope_only),
        [MK_FIELD_MESSAGE_ID] = list_of_text(summary->message_id),
    };
    MkIndexDoc doc = { .number = number,
                       .date_unix_ms = info->date_unix_ms,
                       .archived_unix_ms = info->archived_unix_ms,
                       .size_bytes = info->size_bytes,
                       .flags = info->flags,
                       .folders = (const uint32_t *) (void *) info->folders->data,
                       .folder_count = info->folders->len,
                       .subject = summary->subject,
                       .from = from,
                       .to = to };

    for (int field = 0; field < MK_FIELD_COUNT; field++)
        doc.values[field] = (const char *const *) lists[field]->pdata;
    mk_index_writer_add(batch->writer, &doc);
    for (int field = 0; field < MK_FIELD_COUNT; field++)
        g_ptr_array_unref(lists[field]);
}

/* Pictures and documents, which nobody reads here, are left on the disk. */
static bool want_piece(const uint8_t *before, size_t length, void *cookie)
{
    (void) cookie;
    return mk_mail_piece_has_text(before, length);
}

static bool add_octets(Batch *batch, uint32_t number, GError **error)
{
    MkStore *store = batch->store->store;
    g_auto(MkMailInfo) info = MK_MAIL_INFO_INIT;
    g_autoptr(GPtrArray) envelope_only = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GBytes) octets = NULL;

    if (!mk_store_read_some(store, number, want_piece, NULL, &info, &octets, error))
        return false;
    if ((info.receipt_count > 1 || (meta_parse(info.meta) & META_HAS_ENVELOPE_ONLY) != 0) &&
        !read_envelope_only(store, number, envelope_only, error))
        return false;
    add_doc(batch, number, &info, octets, envelope_only);
    return true;
}

/* One large mail in memory at a time; this one can wait, one that comes in cannot. */
static bool add_large(Batch *batch, uint32_t number, GError **error)
{
    bool ok;

    if (pthread_mutex_trylock(&batch->archive->large_lock) != 0) {
        batch->hold_back = true;
        return true;
    }
    ok = add_octets(batch, number, error);
    pthread_mutex_unlock(&batch->archive->large_lock);
    return ok;
}

static bool read_mail(Batch *batch, uint32_t number, GError **error)
{
    g_auto(MkMailInfo) info = MK_MAIL_INFO_INIT;

    if (!mk_store_info(batch->store->store, number, false, &info, error))
        return false;
    if (info.folders->len == 0) {
        mk_index_writer_remove(batch->writer, number);
        return true;
    }
    return info.size_bytes <= MK_LIMIT_LARGE_MAIL_BYTES ? add_octets(batch, number, error)
                                                        : add_large(batch, number, error);
}

/* A mail that is gone or damaged must not stop those behind it. */
static bool add_mail(Batch *batch, uint32_t number, GError **error)
{
    g_autoptr(GError) failed = NULL;

    if (read_mail(batch, number, &failed)) {
        batch->mails += !batch->hold_back;
        return true;
    }
    batch->mails++;
    if (g_error_matches(failed, MK_ERROR, MK_ERROR_NOT_FOUND)) {
        mk_index_writer_remove(batch->writer, number);
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

/* -- behind the watermark ------------------------------------------------------------------------ */
/* @sequence moves on with what was added; *out_end: nothing is behind it. */
static bool add_changes(Batch *batch, uint64_t *sequence, bool *out_end, GError **error)
{
    *out_end = false;
    while (!batch_is_full(batch)) {
        g_autoptr(GArray) changes =
            mk_store_changes(batch->store->store, *sequence, STEP_MAILS, error);

        if (changes == NULL)
            return false;
        *out_end = changes->len == 0;
        if (*out_end)
            return true;
        for (guint i = 0; i < changes->len && !batch_is_full(batch); i++) {
            const MkChange *change = &g_array_index(changes, MkChange, i);

            if (!add_mail(batch, change->number, error))
                return false;
            if (!batch->hold_back)
                *sequence = change->sequence;
        }
    }
    return true;
}

/* -- all of the store ---------------------------------------------------------------------------- */
static bool add_all_mails(Batch *batch, bool *out_end, GError **error)
{
    ArchiveStore *store = batch->store;

    *out_end = false;
    while (!batch_is_full(batch)) {
        g_autoptr(GArray) numbers =
            mk_store_mails(store->store, store->rebuild_after, STEP_MAILS, error);

        if (numbers == NULL)
            return false;
        *out_end = numbers->len == 0;
        if (*out_end)
            return true;
        for (guint i = 0; i < numbers->len && !batch_is_full(batch); i++) {
            if (!add_mail(batch, g_array_index(numbers, uint32_t, i), error))
                return false;
            if (!batch->hold_back)
                store->rebuild_after = g_array_index(numbers, uint32_t, i);
        }
    }
    return true;
}

static void rebuild_begin(ArchiveStore *store)
{
    /* Taken before the first mail is read: what changes meanwhile is followed afterwards. */
    store->rebuild_sequence = mk_store_last_change(store->store);
    store->rebuild_after = 0;
}

/* -- a batch ------------------------------------------------------------------------------------- */
static bool fill(Batch *batch, uint64_t *watermark, bool *out_end, GError **error)
{
    ArchiveStore *store = batch->store;

    if (*watermark > 0)
        return add_changes(batch, watermark, out_end, error);
    if (store->rebuild_sequence == 0)
        rebuild_begin(store);
    if (!add_all_mails(batch, out_end, error))
        return false;
    if (*out_end)
        *watermark = store->rebuild_sequence;
    return true;
}

static bool index_batch_locked(MkArchive *archive, ArchiveStore *store, const MkJob *job,
                               BatchOutcome *out, GError **error)
{
    uint64_t watermark = mk_index_watermark(store->index), before = watermark;
    Batch batch = { archive, store, job, mk_index_writer_new(store->index), 0, false };
    bool end, merged;

    if (!fill(&batch, &watermark, &end, error)) {
        mk_index_writer_free(batch.writer);
        store->rebuild_sequence = 0; /* what this batch had read so far is not in the index */
        return false;
    }
    *out = (BatchOutcome){ .more = !end, .hold_back = batch.hold_back };
    if (batch.mails == 0 && watermark == before) {
        mk_index_writer_free(batch.writer);
        return true;
    }
    if (!mk_index_writer_commit(batch.writer, watermark, error)) {
        store->rebuild_sequence = 0;
        return false;
    }
    if (watermark > 0) {
        store->rebuild_sequence = 0;
        store->indexed = watermark;
        mk_store_changes_done(store->store, watermark);
    }
    return mk_index_merge(store->index, NULL, &merged, error);
}

bool index_batch(MkArchive *archive, ArchiveStore *store, const MkJob *job, BatchOutcome *out,
                 GError **error)
{
    bool ok;

    pthread_mutex_lock(&store->index_writer_lock);
    ok = index_batch_locked(archive, store, job, out, error);
    pthread_mutex_unlock(&store->index_writer_lock);
    return ok;
}

/* -- waiting for it ------------------------------------------------------------------------------ */
static bool wait_for_store(ArchiveStore *store, int64_t until_ms, GError **error)
{
    uint64_t wanted = mk_store_last_change(store->store);

    while (mk_index_watermark(store->index) < wanted) {
        if (mk_clock_monotonic_ms() >= until_ms)
            return mk_fail(error, MK_ERROR_TIMEOUT, "the search index is still behind");
        g_usleep(5000);
    }
    return true;
}

bool mk_archive_wait_indexed(MkArchive *archive, uint64_t timeout_ms, GError **error)
{
    int64_t until_ms = mk_clock_monotonic_ms() + (int64_t) timeout_ms;

    for (guint i = 0; i < archive->stores->len; i++)
        if (!wait_for_store(archive->stores->pdata[i], until_ms, error))
            return false;
    return true;
}
