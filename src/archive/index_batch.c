/*
 * index_batch.c - one batch of mails into the index (lane side of follower.c)
 *
 * Two ways: behind the index's watermark in the store's change queue, or, when the index is empty
 * (watermark 0), through all mails of the store. Such a refill sets the watermark with its last
 * batch only; when it is interrupted it goes on behind the last mail that is in the index.
 */
#include "internal.h"
#include "text_cache.h"

enum {
    STEP_MAILS = 256,            /* asked of the store at once */
    FOLLOW_MS = 1500,            /* a batch of what has just come in is made findable then */
    WRITER_BYTES = 32 * 1 << 20, /* in memory for one segment */
};

static void batch_mail_free(BatchMail *mail)
{
    g_free(mail->subject);
    g_free(mail);
}

void batch_init(Batch *batch, MkArchive *archive, ArchiveStore *store, const MkJob *job)
{
    *batch = (Batch){ .archive = archive,
                      .store = store,
                      .job = job,
                      .until_ms = INT64_MAX,
                      .last = mk_store_last_change(store->store),
                      .writer = mk_index_writer_new(store->index),
                      .conversations = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                                             (GDestroyNotify) batch_mail_free),
                      .gone = g_array_new(FALSE, FALSE, sizeof(uint32_t)) };
    attachment_reader_begin(store->attachments);
}

/* Now that no search finds them any more, none shows their text and keeps it once again. */
static void forget_texts(const Batch *batch)
{
    for (guint i = 0; i < batch->gone->len; i++)
        text_cache_forget(batch->store->shown_texts, g_array_index(batch->gone, uint32_t, i));
}

void batch_clear(Batch *batch)
{
    forget_texts(batch);
    g_array_unref(batch->gone);
    g_hash_table_unref(batch->conversations);
}

bool batch_is_full(const Batch *batch)
{
    return batch->hold_back || batch->mails >= MK_LIMIT_SEGMENT_MAILS ||
           (batch->mails > 0 && mk_clock_monotonic_ms() >= batch->until_ms) ||
           (batch->job != NULL && mk_job_is_cancelled(batch->job)) ||
           mk_index_writer_memory_bytes(batch->writer) >= WRITER_BYTES;
}

/* -- behind the watermark ------------------------------------------------------------------------ */
/*
 * @sequence moves on with what was added; *out_end: it has all that was there at the beginning.
 * It does not go on until nothing new is left: while mail comes in there is always more.
 */
static bool add_changes(Batch *batch, uint64_t *sequence, bool *out_end, GError **error)
{
    uint64_t seen;

    /* The lists must have what the batch is to take: they may be behind, or not to be written. */
    if (!mk_store_settle(batch->store->store, &seen, error))
        return false;
    *out_end = *sequence >= batch->last;
    while (!*out_end && !batch_is_full(batch)) {
        g_autoptr(GArray) changes =
            mk_store_changes(batch->store->store, *sequence, STEP_MAILS, error);

        if (changes == NULL)
            return false;
        *out_end = changes->len == 0;
        for (guint i = 0; i < changes->len && !*out_end && !batch_is_full(batch); i++) {
            const MkChange *change = &g_array_index(changes, MkChange, i);

            if (!batch_add_mail(batch, change->number, error))
                return false;
            if (!batch->hold_back)
                *sequence = change->sequence;
            *out_end = *sequence >= batch->last;
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
        attachment_reader_begin(store->attachments); /* nobody waits for these: time anew */
        *out_end = numbers->len == 0;
        if (*out_end)
            return true;
        for (guint i = 0; i < numbers->len && !batch_is_full(batch); i++) {
            uint32_t number = g_array_index(numbers, uint32_t, i);

            *out_end = number > store->rebuild_last; /* these are followed */
            if (*out_end)
                return true;
            if (!batch_add_mail(batch, number, error))
                return false;
            if (!batch->hold_back)
                store->refill_at = store->rebuild_after = number;
        }
    }
    return true;
}

/* The highest number that the store has, by halves. */
static bool last_in_store(ArchiveStore *store, uint32_t *out, GError **error)
{
    uint32_t below = 0; /* there is one at or above it */

    for (uint32_t step = 1u << 31; step > 0; step /= 2) {
        g_autoptr(GArray) above = mk_store_mails(store->store, below + step - 1, 1, error);

        if (above == NULL)
            return false;
        if (above->len > 0)
            below += step;
    }
    *out = below;
    return true;
}

/* The last mail that an earlier run has brought in: numbers go up, and later ones come later. */
static bool last_number(ArchiveStore *store, uint32_t *out, GError **error)
{
    enum { STEP = 1 << 16 };

    *out = 0;
    for (;;) {
        g_autoptr(GArray) numbers = mk_index_numbers(store->index, *out, STEP, error);

        if (numbers == NULL)
            return false;
        if (numbers->len == 0)
            return true;
        *out = g_array_index(numbers, uint32_t, numbers->len - 1);
    }
}

/*
 * Where to begin, or to go on after a restart. The sequence is taken before the first mail is
 * read, and kept: what changes meanwhile is followed afterwards.
 */
static bool refill_begin(Batch *batch, GError **error)
{
    ArchiveStore *store = batch->store;
    uint64_t kept = index_status_sequence(store);

    if (!last_number(store, &store->rebuild_after, error))
        return false;
    if (store->rebuild_after > 0 && kept > 0) {
        store->rebuild_sequence = kept;
        return last_in_store(store, &store->rebuild_last, error);
    }
    store->rebuild_after = 0;
    return mk_store_settle(store->store, &store->rebuild_sequence, error) &&
           last_in_store(store, &store->rebuild_last, error) &&
           (store->rebuild_sequence == 0 ||
            index_status_refill(batch->archive, store, store->rebuild_sequence, error));
}

/* -- a batch ------------------------------------------------------------------------------------- */
static bool fill(Batch *batch, uint64_t *watermark, bool *out_end, GError **error)
{
    ArchiveStore *store = batch->store;

    if (*watermark > 0)
        return add_changes(batch, watermark, out_end, error);
    if (store->rebuild_sequence == 0 && !refill_begin(batch, error))
        return false;
    store->refill_at = store->rebuild_after;
    store->refill_last = store->rebuild_last;
    if (!add_all_mails(batch, out_end, error))
        return false;
    if (*out_end)
        *watermark = store->rebuild_sequence;
    return true;
}

/* The watermark @before has become @watermark, durably. */
static bool follow_up(MkArchive *archive, ArchiveStore *store, uint64_t before, uint64_t watermark,
                      GError **error)
{
    if (watermark == 0)
        return true;
    store->rebuild_sequence = 0;
    store->indexed = watermark;
    mk_store_changes_done(store->store, watermark);
    return before > 0 || index_status_refilled(archive, store, error);
}

bool batch_take(Batch *batch, BatchOutcome *out, GError **error)
{
    ArchiveStore *store = batch->store;
    uint64_t watermark = mk_index_watermark(store->index), before = watermark;
    bool end;

    if (!fill(batch, &watermark, &end, error)) {
        mk_index_writer_free(batch->writer);
        store->rebuild_sequence = 0; /* what this batch had read so far is not in the index */
        return false;
    }
    /* Behind a refill comes what has changed since it began, whether or not anything more comes. */
    *out = (BatchOutcome){ .more = !end || (before == 0 && watermark > 0),
                           .behind = !end || (before == 0 && watermark > 0),
                           .refilling = watermark == 0 && !end,
                           .hold_back = batch->hold_back,
                           .text_pending = batch->text_pending > 0 };
    if (batch->mails == 0 && watermark == before) {
        mk_index_writer_free(batch->writer);
        return true;
    }
    if (!mk_index_writer_commit(batch->writer, watermark, error)) {
        store->rebuild_sequence = 0;
        return false;
    }
    store->texts_waiting += batch->text_pending;
    return follow_up(batch->archive, store, before, watermark, error);
}

bool index_batch(MkArchive *archive, ArchiveStore *store, const MkJob *job, BatchOutcome *out,
                 GError **error)
{
    Batch batch;
    bool ok;

    pthread_mutex_lock(&store->index_writer_lock);
    batch_init(&batch, archive, store, job);
    if (mk_index_watermark(store->index) > 0)
        batch.until_ms = mk_clock_monotonic_ms() + FOLLOW_MS;
    ok = batch_take(&batch, out, error);
    batch_clear(&batch);
    pthread_mutex_unlock(&store->index_writer_lock);
    return ok;
}

/* -- once more ----------------------------------------------------------------------------------- */
static bool index_again_locked(Batch *batch, const uint32_t *numbers, guint count, guint *out_done,
                               GError **error)
{
    guint at = 0;

    *out_done = 0;
    if (mk_index_watermark(batch->store->index) == 0) { /* it has just been emptied */
        mk_index_writer_free(batch->writer);
        return true;
    }
    while (at < count && !batch_is_full(batch)) {
        if (!batch_add_mail(batch, numbers[at], error)) {
            mk_index_writer_free(batch->writer);
            return false;
        }
        at += !batch->hold_back;
    }
    if (!mk_index_writer_commit(batch->writer, mk_index_watermark(batch->store->index), error))
        return false;
    *out_done = at;
    return true;
}

bool index_again(MkArchive *archive, ArchiveStore *store, const MkJob *job, const uint32_t *numbers,
                 guint count, guint *out_done, BatchOutcome *out, GError **error)
{
    Batch batch;
    bool ok;

    pthread_mutex_lock(&store->index_writer_lock);
    batch_init(&batch, archive, store, job);
    ok = index_again_locked(&batch, numbers, count, out_done, error);
    out->hold_back = batch.hold_back;
    out->text_pending |= batch.text_pending > 0;
    batch_clear(&batch);
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
