/*
 * follower.c - the search index follows the store
 *
 *   IDLE --poke--> WAITING --GATHER_MS--> RUNNING --nothing more--> IDLE
 *                     ^                    |   ^ |
 *                     +-- poked meanwhile -+   +-+ more
 *                     +-- error, RETRY_MS -+
 *
 * One job at a time on the background lane; when nothing new is left, it goes on with an archive
 * that is being indexed again. What is to be done stands in the store's change queue, so
 * nothing is lost by a crash or an error. A batch begins when its oldest mail is GATHER_MS old and
 * takes what is there then, so that a mail waits for two batches at most; that they stay short is
 * what pace.c sees to.
 */
#include <time.h>

#include <mailkeep/log.h>

#include "internal.h"

enum {
    GATHER_MS = 150,           /* mails that come together make one segment */
    RETRY_MS = 10000,          /* after an error */
    TRAINING_EVERY_POKES = 32, /* is it time for a dictionary? */
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
} FollowJob;

/* Learning a dictionary does not wait for the index: until it is there, mail takes more disk. */
typedef struct {
    MkJob job;
    /* in */
    Follower *follower; /* loop only */
    MkArchive *archive;
    ArchiveStore *store;
    /* out */
    GError *error;
} TrainJob;

struct Follower {
    MkArchive *archive;
    ArchiveStore *store;
    MkTimer *timer;
    State state;
    int64_t poked_ms; /* the first poke that no batch has answered; 0: none */
    int64_t batch_ms; /* the same, of those that the running batch answers */
    bool keeping_up;  /* the last batch went well, and was no refill */
    bool stopped;
    bool training;
    bool looked; /* whether an earlier run has left attachments to be read */
    unsigned pokes;
    IndexCare *care;
    FollowJob *running; /* in RUNNING */
};

static void run_batch(void *cookie);
static void train_if_wanted(Follower *follower);

Follower *follower_new(MkArchive *archive, ArchiveStore *store)
{
    Follower *follower = g_new0(Follower, 1);

    follower->archive = archive;
    follower->store = store;
    follower->timer = mk_timer_new(archive->loop, run_batch, follower);
    follower->care = index_care_new(archive, store);
    return follower;
}

void follower_free(Follower *follower)
{
    if (follower == NULL)
        return;
    index_care_free(follower->care);
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
    if (follower->pokes++ % TRAINING_EVERY_POKES == 0)
        train_if_wanted(follower);
    if (follower->poked_ms == 0)
        follower->poked_ms = mk_clock_monotonic_ms();
    if (follower->state == IDLE)
        wait_for(follower, GATHER_MS);
}

int64_t follower_lag_ms(const Follower *follower)
{
    int64_t since_ms = follower->batch_ms != 0 ? follower->batch_ms : follower->poked_ms;

    return follower->keeping_up && follower->store->indexed > 0 && since_ms != 0
               ? mk_clock_monotonic_ms() - since_ms
               : 0;
}

void follower_stop(Follower *follower)
{
    follower->stopped = true;
    index_care_stop(follower->care);
    mk_timer_free(follower->timer);
    follower->timer = NULL;
    if (follower->running != NULL)
        mk_job_cancel(&follower->running->job); /* keeps what it has so far */
}

/* -- jobs ---------------------------------------------------------------------------------------- */
uint64_t thread_cpu_us(void)
{
    struct timespec used;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t) used.tv_sec * 1000000 + (uint64_t) used.tv_nsec / 1000;
}

static void batch_run(MkJob *job)
{
    FollowJob *follow = (FollowJob *) job;
    uint64_t started_us = thread_cpu_us();

    if (index_batch(follow->archive, follow->store, job, &follow->outcome, &follow->error) &&
        !follow->outcome.behind)
        rebuild_step(follow->archive, follow->store, job, &follow->outcome, &follow->error);
    follow->archive->index_cpu_us += thread_cpu_us() - started_us;
}

static void gather(Follower *follower)
{
    int64_t age_ms = mk_clock_monotonic_ms() - follower->poked_ms;

    wait_for(follower, (uint64_t) CLAMP(GATHER_MS - age_ms, 0, GATHER_MS));
}

/* Whose mails the batch has taken in; or it has not. */
static void answer_pokes(Follower *follower, const FollowJob *job)
{
    bool answered = job->error == NULL && !job->outcome.behind;

    if (!answered && follower->batch_ms != 0)
        follower->poked_ms = follower->batch_ms;
    follower->batch_ms = 0;
    follower->keeping_up = job->error == NULL && !job->outcome.refilling;
}

static void go_on(Follower *follower, const FollowJob *job)
{
    follower->state = IDLE;
    answer_pokes(follower, job);
    if (follower->stopped)
        return;
    if (job->error != NULL)
        wait_for(follower, RETRY_MS);
    else if (job->outcome.more && !job->outcome.hold_back)
        run_batch(follower);
    else if (job->outcome.more)
        wait_for(follower, GATHER_MS);
    else if (follower->poked_ms != 0)
        gather(follower);
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
    if (follow->error == NULL) {
        index_care_after_batch(follower->care, follow->outcome.text_pending || !follower->looked);
        follower->looked = true;
    }
    go_on(follower, follow);
    pace_look(archive);
    train_if_wanted(follower);
    g_clear_error(&follow->error);
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

    follower->running = job_submit(follower);
    if (follower->running == NULL) {
        wait_for(follower, RETRY_MS); /* the lane is full */
        return;
    }
    follower->state = RUNNING;
    follower->batch_ms = follower->poked_ms;
    follower->poked_ms = 0;
}

/* -- training ------------------------------------------------------------------------------------ */
static void train_run(MkJob *job)
{
    TrainJob *train = (TrainJob *) job;
    uint64_t started_us = thread_cpu_us();

    mk_store_train(train->store->store, &train->error);
    train->archive->training_cpu_us += thread_cpu_us() - started_us;
}

static void train_done(MkJob *job)
{
    TrainJob *train = (TrainJob *) job;
    MkArchive *archive = train->archive;

    train->follower->training = false;
    log_failure("archive.training-failed", train->store, train->error);
    g_clear_error(&train->error);
    g_free(train);
    archive_busy_end(archive);
}

static void train_if_wanted(Follower *follower)
{
    TrainJob *train;

    if (follower->stopped || follower->training || !mk_store_wants_training(follower->store->store))
        return;
    train = g_new0(TrainJob, 1);
    train->job.run = train_run;
    train->job.done = train_done;
    train->follower = follower;
    train->archive = follower->archive;
    train->store = follower->store;
    follower->training = mk_job_submit(follower->archive->loop, MK_LANE_BULK, &train->job, NULL);
    if (follower->training)
        archive_busy_begin(follower->archive);
    else
        g_free(train);
}
