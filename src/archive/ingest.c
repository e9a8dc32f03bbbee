/*
 * ingest.c - from the last octet received to "it is ours" (loop side)
 *
 *   mk_archive_ingest() --spool ready--> pace.c --> bulk lane [ingest_run] --each original--> committer
 *        lane done [ingest_done] and all originals durable [on_committed] --> ingest_finish, loop
 *
 * @pending counts the lane's part and each original that the committer has; who takes it to zero
 * finishes. The lane does not wait for the disk, so that one flush serves many mails.
 */
#include <mailkeep/log.h>

#include "internal.h"

struct Ingest {
    MkJob job;
    Paced paced;
    /* in: set before submit, constant from then on */
    MkArchive *archive;
    ArchiveStore *store;
    MkEnvelope *envelope;
    MkSpool *spool; /* the lane's while it runs */
    bool large;
    /* lane, committer and loop */
    _Atomic unsigned pending;
    _Atomic(GError *) error; /* the first; owned */
    /* loop only */
    MkIngestDone on_done;
    void *cookie;
};

static void ingest_fail(Ingest *ingest, GError *error) /* takes it */
{
    GError *none = NULL;

    if (!atomic_compare_exchange_strong(&ingest->error, &none, error))
        g_error_free(error);
}

/* -- the end ------------------------------------------------------------------------------------- */
static void note_failure(MkArchive *archive, const GError *error)
{
    archive->ingest_failed++;
    archive->ingest_failed_unix_ms = mk_clock_unix_ms();
    archive->ingest_failed_code = mk_error_code(error);
    mk_log_warn("archive.ingest-failed", "error", mk_error_name(mk_error_code(error)), "why",
                error->message);
}

static void note_success(const Ingest *ingest)
{
    arrival_table_note(ingest->archive, ingest->envelope->gateway_id,
                       ingest->envelope->arrived_unix_ms);
    follower_poke(ingest->store->follower);
}

static void ingest_finish(void *cookie)
{
    Ingest *ingest = cookie;
    MkArchive *archive = ingest->archive;
    GError *error = ingest->error;

    archive->ingest_open--;
    if (error != NULL)
        note_failure(archive, error);
    else
        note_success(ingest);
    ingest->on_done(error, ingest->cookie);
    mk_envelope_free(ingest->envelope);
    mk_spool_free(ingest->spool);
    g_clear_error(&error);
    g_free(ingest);
    archive_busy_end(archive);
}

/* Never from within the caller's mk_archive_ingest(). */
static void ingest_drop(Ingest *ingest)
{
    if (--ingest->pending == 0)
        mk_loop_post(ingest->archive->loop, ingest_finish, ingest);
}

/* -- committer ----------------------------------------------------------------------------------- */
static void on_committed(const MkCommitted *committed, const GError *error, void *cookie)
{
    Ingest *ingest = cookie;

    if (error != NULL)
        ingest_fail(ingest, g_error_copy(error));
    else if (committed->is_new)
        ingest->archive->mails_new++;
    else
        ingest->archive->mails_again++;
    ingest_drop(ingest);
}

/* -- lane ---------------------------------------------------------------------------------------- */
static void submit_original(void *cookie, MkPreparedMail *prepared)
{
    Ingest *ingest = cookie;

    ingest->pending++;
    mk_store_submit(ingest->store->store, prepared, on_committed, ingest);
}

static void ingest_mail(Ingest *ingest)
{
    Delivery delivery = { ingest->archive, ingest->store, ingest->envelope, submit_original,
                          ingest };
    g_autoptr(GBytes) octets = NULL;
    GError *error = NULL;

    octets = spool_read(ingest->spool, &error);
    if (octets == NULL || !deliver(&delivery, octets, &error))
        ingest_fail(ingest, error);
}

static void ingest_run(MkJob *job)
{
    Ingest *ingest = (Ingest *) job;
    MkArchive *archive = ingest->archive;

    archive->ingest_waiting--;
    archive->ingest_running++;
    if (ingest->large) /* only the index may have it, for one mail */
        pthread_mutex_lock(&archive->large_lock);
    ingest_mail(ingest);
    if (ingest->large)
        pthread_mutex_unlock(&archive->large_lock);
    archive->ingest_running--;
}

/* -- loop ---------------------------------------------------------------------------------------- */
static void next_large(MkArchive *archive)
{
    Ingest *next = g_queue_pop_head(&archive->large);

    archive->large_running = next != NULL;
    if (next != NULL)
        pace_enter(archive, &next->paced);
}

static void ingest_done(MkJob *job)
{
    Ingest *ingest = (Ingest *) job;
    MkArchive *archive = ingest->archive;
    bool large = ingest->large;

    if (!job->ran) {
        archive->ingest_waiting--;
        ingest_fail(ingest, g_error_new_literal(MK_ERROR, MK_ERROR_CANCELLED,
                                                "the archive is being stopped"));
    }
    mk_spool_free(g_steal_pointer(&ingest->spool)); /* its memory may go to the next mail */
    ingest_drop(ingest);
    pace_leave(archive);
    if (large)
        next_large(archive);
}

static bool ingest_submit(Paced *paced)
{
    Ingest *ingest = (Ingest *) (void *) ((char *) paced - G_STRUCT_OFFSET(Ingest, paced));
    GError *error = NULL;

    ingest->archive->ingest_waiting++; /* before the lane can take it off again */
    if (mk_job_submit(ingest->archive->loop, MK_LANE_BULK, &ingest->job, &error))
        return true;
    ingest->archive->ingest_waiting--;
    ingest_fail(ingest, error);
    if (ingest->large) {
        /* Through the loop: a row of failures must not grow the stack. */
        ingest->archive->large_running = false;
        if (!g_queue_is_empty(&ingest->archive->large))
            mk_loop_post(ingest->archive->loop, (MkPostFunc) next_large, ingest->archive);
    }
    ingest_drop(ingest);
    return false;
}

static void ingest_start(void *cookie)
{
    Ingest *ingest = cookie;
    MkArchive *archive = ingest->archive;
    const GError *spool_failed = spool_error(ingest->spool);

    if (spool_failed != NULL) {
        ingest_fail(ingest, g_error_copy(spool_failed));
        ingest_drop(ingest);
        return;
    }
    if (ingest->large && archive->large_running) {
        g_queue_push_tail(&archive->large, ingest);
        return;
    }
    archive->large_running |= ingest->large;
    pace_enter(archive, &ingest->paced);
}

static bool may_start(MkArchive *archive, GError **error)
{
    if (archive->stopping)
        return mk_fail(error, MK_ERROR_CANCELLED, "the archive is being stopped");
    if (archive->ingest_open > MK_LIMIT_INGEST_QUEUE_MAILS)
        return mk_fail(error, MK_ERROR_BUSY, "%d mails wait to be archived",
                       MK_LIMIT_INGEST_QUEUE_MAILS);
    return true;
}

static void complete_envelope(MkArchive *archive, MkEnvelope *envelope)
{
    if (envelope->gateway_id == NULL && envelope->forward_paths->len > 0)
        envelope->gateway_id =
            gateway_table_id_of(&archive->gateways, envelope->forward_paths->pdata[0]);
    if (envelope->arrived_unix_ms == 0)
        envelope->arrived_unix_ms = mk_clock_unix_ms();
}

void mk_archive_ingest(MkArchive *archive, MkEnvelope *envelope, MkSpool *spool,
                       MkIngestDone on_done, void *cookie)
{
    Ingest *ingest = g_new0(Ingest, 1);
    GError *error = NULL;

    complete_envelope(archive, envelope);
    ingest->job.run = ingest_run;
    ingest->job.done = ingest_done;
    ingest->paced.start = ingest_submit;
    ingest->archive = archive;
    ingest->store = store_current(archive);
    ingest->envelope = envelope;
    ingest->spool = spool;
    ingest->large = mk_spool_size(spool) > MK_LIMIT_LARGE_MAIL_BYTES;
    ingest->pending = 1;
    ingest->on_done = on_done;
    ingest->cookie = cookie;
    archive->ingest_open++;
    archive_busy_begin(archive);
    if (may_start(archive, &error)) {
        spool_when_ready(spool, ingest_start, ingest);
        return;
    }
    ingest_fail(ingest, error);
    ingest_drop(ingest);
}
