/*
 * lane.c - worker lanes: a queue, its threads, and the way of a job
 *
 *  caller --mk_job_submit--> WAITING --lane_thread--> RUNNING --loop_deliver_job--> done() on the loop
 *                               |                                      ^
 *                               +-----mk_job_cancel, lane_stop---------+   (ran stays false)
 */
#include <sys/resource.h>
#include <unistd.h>

#include "internal.h"

/* Recursive parsers (MIME in MIME) need deep stacks; only touched pages cost memory. */
enum { STACK_BYTES = 64 << 20 };

/*
 * On few cores busy lanes would keep the loop from running when an octet comes. Less nice than
 * this, the loop delay doubles; much nicer, mail waits behind everything else on the machine.
 * The background, one thread that makes mail findable, gets about what a bulk lane of two gets: one
 * mail costs both the same.
 */
static const int lane_nice[MK_LANE_COUNT] = {
    [MK_LANE_INTERACTIVE] = 4, [MK_LANE_BULK] = 8,       [MK_LANE_BACKGROUND] = 5,
    [MK_LANE_CARE] = 15,       [MK_LANE_OPERATION] = 12,
};

static void unlink_waiting(Lane *lane, MkJob *job)
{
    g_queue_unlink(&lane->waiting, &job->link);
    job->link.data = NULL;
}

/* The next job, removed from the queue; NULL when the lane ends. */
static MkJob *take_job(Lane *lane)
{
    MkJob *job = NULL;

    uv_mutex_lock(&lane->mutex);
    while (lane->waiting.head == NULL && !lane->stopping)
        uv_cond_wait(&lane->wake, &lane->mutex);
    if (lane->waiting.head != NULL) {
        job = lane->waiting.head->data;
        unlink_waiting(lane, job);
    }
    uv_mutex_unlock(&lane->mutex);
    return job;
}

static void lane_thread(void *arg)
{
    Lane *lane = arg;
    MkJob *job;

    setpriority(PRIO_PROCESS, (id_t) gettid(), lane->nice); /* in Linux that is one thread's */
    while ((job = take_job(lane)) != NULL) {
        job->ran = true;
        job->run(job);
        uv_mutex_lock(&lane->mutex);
        lane->done_count++;
        uv_mutex_unlock(&lane->mutex);
        loop_deliver_job(lane->loop, job);
    }
}

bool lane_start(Lane *lane, MkLane kind, MkLoop *loop, unsigned threads, GError **error)
{
    uv_thread_options_t options = { .flags = UV_THREAD_HAS_STACK_SIZE, .stack_size = STACK_BYTES };

    lane->loop = loop;
    lane->nice = getpriority(PRIO_PROCESS, 0) + lane_nice[kind];
    lane->threads = g_new0(uv_thread_t, threads);
    for (; lane->thread_count < threads; lane->thread_count++) {
        uv_thread_t *thread = &lane->threads[lane->thread_count];
        int rc = uv_thread_create_ex(thread, &options, lane_thread, lane);

        if (rc != 0)
            return mk_fail_errno(error, -rc, "start a worker thread");
    }
    return true;
}

static void hand_back_waiting(Lane *lane)
{
    for (;;) {
        MkJob *job = NULL;

        uv_mutex_lock(&lane->mutex);
        if (lane->waiting.head != NULL) {
            job = lane->waiting.head->data;
            unlink_waiting(lane, job);
        }
        uv_mutex_unlock(&lane->mutex);
        if (job == NULL)
            return;
        g_atomic_int_set(&job->cancelled, 1);
        loop_deliver_job(lane->loop, job);
    }
}

void lane_stop(Lane *lane)
{
    hand_back_waiting(lane);
    uv_mutex_lock(&lane->mutex);
    lane->stopping = true;
    uv_cond_broadcast(&lane->wake);
    uv_mutex_unlock(&lane->mutex);
    for (unsigned i = 0; i < lane->thread_count; i++)
        uv_thread_join(&lane->threads[i]);
    g_clear_pointer(&lane->threads, g_free);
}

bool mk_job_submit(MkLoop *loop, MkLane lane_kind, MkJob *job, GError **error)
{
    Lane *lane = &loop->lanes[lane_kind];
    bool is_full;

    g_assert(mk_loop_is_loop_thread(loop) && job->run != NULL && job->done != NULL);
    if (loop->stopping)
        return mk_fail(error, MK_ERROR_CANCELLED, "the daemon is stopping");
    job->loop = loop;
    job->lane = lane_kind;
    job->link = (GList){ .data = job };
    uv_mutex_lock(&lane->mutex);
    is_full = lane->waiting.length >= MK_LIMIT_LANE_QUEUE_JOBS;
    if (!is_full) {
        g_queue_push_tail_link(&lane->waiting, &job->link);
        uv_cond_signal(&lane->wake);
    }
    uv_mutex_unlock(&lane->mutex);
    if (is_full)
        return mk_fail(error, MK_ERROR_BUSY, "%d jobs wait already: try again later",
                       MK_LIMIT_LANE_QUEUE_JOBS);
    if (loop->jobs_out++ == 0)
        uv_ref((uv_handle_t *) &loop->wake);
    return true;
}

void mk_job_cancel(MkJob *job)
{
    Lane *lane = &job->loop->lanes[job->lane];
    bool was_waiting;

    g_atomic_int_set(&job->cancelled, 1);
    uv_mutex_lock(&lane->mutex);
    /* Once delivered, the link serves the inbox: only take_job()'s NULL tells them apart. */
    was_waiting = job->link.data != NULL;
    if (was_waiting)
        unlink_waiting(lane, job);
    uv_mutex_unlock(&lane->mutex);
    if (was_waiting)
        loop_deliver_job(job->loop, job);
}

bool mk_job_is_cancelled(const MkJob *job)
{
    return g_atomic_int_get(&job->cancelled) != 0;
}
