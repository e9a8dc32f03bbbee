/* loop.c - the loop, what comes to it from other threads, signals, and the end */
#include <signal.h>

#include "internal.h"

/* Callbacks from other threads take at most this much of a turn; the rest comes in the next. */
enum { INBOX_BUDGET_NS = 5000000 };
/* Streams close within a minute, a look-up as well; after that a handle has been leaked. */
enum { CLOSE_WAIT_MS = 75000 };

static void on_wake(uv_async_t *handle);

static bool init_locks(MkLoop *loop)
{
    bool ok = uv_mutex_init(&loop->inbox_mutex) == 0;

    for (int i = 0; i < MK_LANE_COUNT; i++) {
        g_queue_init(&loop->lanes[i].waiting);
        ok = ok && uv_mutex_init(&loop->lanes[i].mutex) == 0;
        ok = ok && uv_cond_init(&loop->lanes[i].wake) == 0;
    }
    return ok;
}

static bool start_lanes(MkLoop *loop, unsigned interactive, unsigned bulk, GError **error)
{
    const unsigned threads[MK_LANE_COUNT] = {
        [MK_LANE_INTERACTIVE] = interactive,
        [MK_LANE_BULK] = bulk,
        [MK_LANE_BACKGROUND] = 1,
        [MK_LANE_CARE] = 2,
        [MK_LANE_OPERATION] = 2,
    };

    for (int i = 0; i < MK_LANE_COUNT; i++)
        if (!lane_start(&loop->lanes[i], (MkLane) i, loop, threads[i], error))
            return false;
    return true;
}

MkLoop *mk_loop_new(unsigned interactive_threads, unsigned bulk_threads, GError **error)
{
    MkLoop *loop = g_new0(MkLoop, 1);
    int rc = uv_loop_init(&loop->uv);

    if (rc != 0) {
        g_free(loop);
        mk_fail_errno(error, -rc, "make the event loop");
        return NULL;
    }
    signal(SIGPIPE, SIG_IGN);   /* a peer that has gone is an error of its stream, not our end */
    g_assert(init_locks(loop)); /* fails only for want of memory, as GLib's allocations */
    loop->thread = uv_thread_self();
    loop->signals = g_ptr_array_new();
    rc = uv_async_init(&loop->uv, &loop->wake, on_wake);
    g_assert(rc == 0);
    uv_unref((uv_handle_t *) &loop->wake);
    loop->wake.data = loop;
    loop->wake_open = true;
    delay_init(&loop->delay, &loop->uv);
    if (!start_lanes(loop, interactive_threads, bulk_threads, error)) {
        mk_loop_free(loop);
        return NULL;
    }
    return loop;
}

struct uv_loop_s *mk_loop_uv(MkLoop *loop)
{
    return &loop->uv;
}

bool mk_loop_is_loop_thread(const MkLoop *loop)
{
    uv_thread_t self = uv_thread_self();

    return uv_thread_equal(&self, &loop->thread) != 0;
}

/* -- from other threads --------------------------------------------------------------------- */

/* Sent under the lock, so that it never meets a handle that is being closed. */
static void inbox_push(MkLoop *loop, GQueue *queue, GList *link)
{
    uv_mutex_lock(&loop->inbox_mutex);
    g_queue_push_tail_link(queue, link);
    if (loop->wake_open)
        uv_async_send(&loop->wake);
    uv_mutex_unlock(&loop->inbox_mutex);
}

void loop_deliver_job(MkLoop *loop, MkJob *job)
{
    inbox_push(loop, &loop->inbox_jobs, &job->link);
}

void mk_loop_post(MkLoop *loop, MkPostFunc func, void *cookie)
{
    Post *post = g_new0(Post, 1);

    post->func = func;
    post->cookie = cookie;
    inbox_push(loop, &loop->inbox_posts, &post->link);
}

static void append_queue(GQueue *to, GQueue *from)
{
    GList *link;

    while ((link = g_queue_pop_head_link(from)) != NULL)
        g_queue_push_tail_link(to, link);
}

static void inbox_take(MkLoop *loop)
{
    uv_mutex_lock(&loop->inbox_mutex);
    append_queue(&loop->ready_jobs, &loop->inbox_jobs);
    append_queue(&loop->ready_posts, &loop->inbox_posts);
    uv_mutex_unlock(&loop->inbox_mutex);
}

static bool call_next_post(MkLoop *loop)
{
    GList *link = g_queue_pop_head_link(&loop->ready_posts);
    g_autofree Post *post = NULL;

    if (link == NULL)
        return false;
    post = (Post *) ((char *) link - offsetof(Post, link));
    post->func(post->cookie);
    return true;
}

static bool call_next_done(MkLoop *loop)
{
    GList *link = g_queue_pop_head_link(&loop->ready_jobs);
    MkJob *job;

    if (link == NULL)
        return false;
    job = (MkJob *) ((char *) link - offsetof(MkJob, link));
    if (--loop->jobs_out == 0)
        uv_unref((uv_handle_t *) &loop->wake);
    job->done(job);
    return true;
}

/* True when anything was called. Jobs and posts take turns, so that neither starves. */
static bool inbox_drain(MkLoop *loop)
{
    uint64_t end_ns = uv_hrtime() + INBOX_BUDGET_NS;
    bool any = false;
    bool more;

    inbox_take(loop);
    do {
        bool post = call_next_post(loop);
        bool done = call_next_done(loop);

        more = post || done;
        any = any || more;
    } while (more && uv_hrtime() < end_ns);
    return any;
}

static void on_wake(uv_async_t *handle)
{
    MkLoop *loop = handle->data;

    inbox_drain(loop);
    if (loop->ready_jobs.length + loop->ready_posts.length > 0)
        uv_async_send(&loop->wake);
}

/* -- running -------------------------------------------------------------------------------- */

void mk_loop_run(MkLoop *loop)
{
    g_assert(mk_loop_is_loop_thread(loop));
    /* Posts do not keep the loop alive, but one that is here already must not be left behind. */
    do
        uv_run(&loop->uv, UV_RUN_DEFAULT);
    while (!loop->stop_asked && inbox_drain(loop));
    loop->stop_asked = false;
}

void mk_loop_turn(MkLoop *loop)
{
    g_assert(mk_loop_is_loop_thread(loop));
    uv_run(&loop->uv, UV_RUN_NOWAIT);
}

void mk_loop_stop(MkLoop *loop)
{
    loop->stop_asked = true;
    uv_stop(&loop->uv);
}

void mk_loop_gauges(const MkLoop *loop, MkLoopGauges *out)
{
    delay_gauges(&loop->delay, out);
    for (int i = 0; i < MK_LANE_COUNT; i++) {
        Lane *lane = (Lane *) &loop->lanes[i]; /* const for the caller; a lock changes */

        uv_mutex_lock(&lane->mutex);
        out->jobs_waiting[i] = lane->waiting.length;
        out->jobs_done[i] = lane->done_count;
        uv_mutex_unlock(&lane->mutex);
    }
}

/* -- signals -------------------------------------------------------------------------------- */

static void on_signal(uv_signal_t *handle, int signum)
{
    SignalWatch *watch = (SignalWatch *) handle;

    watch->func(signum, watch->cookie);
}

static SignalWatch *find_signal(MkLoop *loop, int signum)
{
    for (guint i = 0; i < loop->signals->len; i++) {
        SignalWatch *watch = loop->signals->pdata[i];

        if (watch->handle.signum == signum)
            return watch;
    }
    return NULL;
}

bool mk_loop_on_signal(MkLoop *loop, int signum, MkSignalFunc func, void *cookie, GError **error)
{
    SignalWatch *watch = find_signal(loop, signum);
    int rc;

    if (watch == NULL) {
        watch = g_new0(SignalWatch, 1);
        uv_signal_init(&loop->uv, &watch->handle);
        uv_unref((uv_handle_t *) &watch->handle);
        g_ptr_array_add(loop->signals, watch);
    }
    watch->func = func;
    watch->cookie = cookie;
    rc = uv_signal_start(&watch->handle, on_signal, signum);
    if (rc != 0)
        return mk_fail_errno(error, -rc, "watch signal %d", signum);
    return true;
}

/* -- the end -------------------------------------------------------------------------------- */

static void on_signal_closed(uv_handle_t *handle)
{
    g_free(handle);
}

static void close_own_handles(MkLoop *loop)
{
    uv_mutex_lock(&loop->inbox_mutex);
    loop->wake_open = false;
    uv_mutex_unlock(&loop->inbox_mutex);
    uv_close((uv_handle_t *) &loop->wake, NULL);
    for (guint i = 0; i < loop->signals->len; i++)
        uv_close(loop->signals->pdata[i], on_signal_closed);
    g_ptr_array_set_size(loop->signals, 0);
}

static void count_handle(uv_handle_t *handle, void *count)
{
    (void) handle;
    ++*(unsigned *) count;
}

static void on_tick(uv_timer_t *handle)
{
    (void) handle; /* only ends the poll, so that the deadline below is looked at */
}

/* Turns until only the delay timer is left, which serves as the clock for that, then ends it. */
static void wait_for_handles(MkLoop *loop)
{
    uint64_t end_ns = uv_hrtime() + (uint64_t) CLOSE_WAIT_MS * 1000000;
    uv_timer_t *timer = &loop->delay.timer;
    unsigned open;

    uv_ref((uv_handle_t *) timer);
    uv_timer_start(timer, on_tick, 20, 20);
    for (;;) {
        inbox_drain(loop);
        open = 0;
        uv_walk(&loop->uv, count_handle, &open);
        if (open <= 1 || uv_hrtime() >= end_ns)
            break;
        uv_run(&loop->uv, UV_RUN_ONCE);
    }
    g_assert(open <= 1); /* a handle was not closed by its owner */
    uv_close((uv_handle_t *) timer, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

static void clear_locks(MkLoop *loop)
{
    for (int i = 0; i < MK_LANE_COUNT; i++) {
        uv_cond_destroy(&loop->lanes[i].wake);
        uv_mutex_destroy(&loop->lanes[i].mutex);
    }
    uv_mutex_destroy(&loop->inbox_mutex);
}

void mk_loop_free(MkLoop *loop)
{
    int rc;

    if (loop == NULL)
        return;
    g_assert(mk_loop_is_loop_thread(loop));
    loop->stopping = true;
    for (int i = 0; i < MK_LANE_COUNT; i++)
        lane_stop(&loop->lanes[i]);
    while (inbox_drain(loop))
        ;
    close_own_handles(loop);
    wait_for_handles(loop);
    rc = uv_loop_close(&loop->uv);
    g_assert(rc == 0);
    while (inbox_drain(loop)) /* posts of threads that end only now */
        ;
    clear_locks(loop);
    g_ptr_array_free(loop->signals, TRUE);
    g_free(loop);
}
