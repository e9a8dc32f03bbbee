/*
 * follower.c - the search index follows the store
 *
 *   IDLE --poke--> WAITING --GATHER_MS--> RUNNING --nothing more--> IDLE
 *                     ^                    |   ^ |
 *                     +-- poked meanwhile -+   +-+ more
 *                     +-- error, RETRY_MS -+
 *
 * One job at a time on the background lane. What is to be done stands in the store's change queue, so
 * nothing is lost by a crash or an error, and nobody who brings mail ever waits for this.
 */
#include <time.h>

#include <mailkeep/log.h>

#include "internal.h"

enum {
    GATHER_MS = 150,  /* mails that come together make one segment */
    RETRY_MS = 10000, /* after an error */
};

typedef enum { IDLE, WAITING, RUNNING } State;

typedef struct {
    MkJob job;
    /* in */
    Follower *follower; /* loop only */
    MkArchive *archive;
    ArchiveStore *store;
    /* out */
    BatchOutcome outcome;
    GError *error;
    GError *training_error;
} FollowJob;

struct Follower {
    MkArchive *archive;
    ArchiveStore *store;
    MkTimer *timer;
    State state;
    bool poked; /* while RUNNING */
    bool stopped;
    FollowJob *running; /* in RUNNING */
};

static void run_batch(void *cookie);

Follower *follower_new(MkArchive *archive, ArchiveStore *store)
{
    Follower *follower = g_new0(Follower, 1);

    follower->archive = archive;
    follower->store = store;
    follower->timer = mk_timer_new(archive->loop, run_batch, follower);
    return follower;
}

void follower_free(Follower *follower)
{
    if (follower == NULL)
        return;
    mk_timer_free(follower->timer);
    g_free(follower);
}

static void wait_for(Follower *follower, uint64_t ms)
{
    follower->state = WAITING;
    mk_timer_start(follower->timer, ms);
}

void follower_poke(Follower *follower)
{
    if (follower->stopped)
        return;
    switch (follower->state) {
    case IDLE: wait_for(follower, GATHER_MS); break;
    case WAITING: break;
    case RUNNING: follower->poked = true; break;
    }
}

void follower_stop(Follower *follower)
{
    follower->stopped = true;
    mk_timer_free(follower->timer);
    follower->timer = NULL;
    if (follower->running != NULL)
        mk_job_cancel(&follower->running->job); /* keeps what it has so far */
}

/* -- jobs ---------------------------------------------------------------------------------------- */
static uint64_t thread_cpu_us(void)
{
    struct timespec used;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t) used.tv_sec * 1000000 + (uint64_t) used.tv_nsec / 1000;
}

static void batch_run(MkJob *job)
{
    FollowJob *follow = (FollowJob *) job;
    uint64_t started_us = thread_cpu_us(), indexed_us;

    index_batch(follow->archive, follow->store, job, &follow->outcome, &follow->error);
    indexed_us = thread_cpu_us();
    if (mk_store_wants_training(follow->store->store))
        mk_store_train(follow->store->store, &follow->training_error);
    follow->archive->index_cpu_us += indexed_us - started_us;
    follow->archive->training_cpu_us += thread_cpu_us() - indexed_us;
}

static void go_on(Follower *follower, const FollowJob *job)
{
    follower->state = IDLE;
    if (follower->stopped)
        return;
    if (job->error != NULL)
        wait_for(follower, RETRY_MS);
    else if (job->outcome.more && !job->outcome.hold_back)
        run_batch(follower);
    else if (job->outcome.more || follower->poked)
        wait_for(follower, GATHER_MS);
}

static void log_failure(const char *event, const ArchiveStore *store, const GError *error)
{
    if (error != NULL)
        mk_log_error(event, "store", MK_LOG_U64(store->id), "error",
                     mk_error_name(mk_error_code(error)), "why", error->message);
}

static void batch_done(MkJob *job)
{
    FollowJob *follow = (FollowJob *) job;
    Follower *follower = follow->follower;
    MkArchive *archive = follower->archive;

    follower->running = NULL;
    log_failure("archive.index-failed", follow->store, follow->error);
    log_failure("archive.training-failed", follow->store, follow->training_error);
    go_on(follower, follow);
    g_clear_error(&follow->error);
    g_clear_error(&follow->training_error);
    g_free(follow);
    archive_busy_end(archive);
}

static FollowJob *job_submit(Follower *follower)
{
    FollowJob *job = g_new0(FollowJob, 1);

    job->job.run = batch_run;
    job->job.done = batch_done;
    job->follower = follower;
    job->archive = follower->archive;
    job->store = follower->store;
    if (!mk_job_submit(follower->archive->loop, MK_LANE_BACKGROUND, &job->job, NULL)) {
        g_free(job);
        return NULL;
    }
    archive_busy_begin(follower->archive);
    return job;
}

static void run_batch(void *cookie)
{
    Follower *follower = cookie;

    follower->poked = false;
    follower->running = job_submit(follower);
    if (follower->running == NULL)
        wait_for(follower, RETRY_MS); /* the lane is full */
    else
        follower->state = RUNNING;
}
