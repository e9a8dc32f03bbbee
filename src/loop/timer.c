/* timer.c - timers whose memory ends with their handle */
#include "internal.h"

struct MkTimer {
    uv_timer_t handle; /* first member */
    MkTimerFunc on_timer;
    void *cookie;
};

MkTimer *mk_timer_new(MkLoop *loop, MkTimerFunc on_timer, void *cookie)
{
    MkTimer *timer = g_new0(MkTimer, 1);

    timer->on_timer = on_timer;
    timer->cookie = cookie;
    uv_timer_init(&loop->uv, &timer->handle);
    return timer;
}

static void on_fired(uv_timer_t *handle)
{
    MkTimer *timer = (MkTimer *) handle;

    timer->on_timer(timer->cookie); /* may free the timer: nothing after this */
}

static void start(MkTimer *timer, uint64_t after_ms, uint64_t repeat_ms)
{
    /* libuv counts from the start of the turn; after a long one a timer would fire at once. */
    uv_update_time(timer->handle.loop);
    uv_timer_start(&timer->handle, on_fired, after_ms, repeat_ms);
}

void mk_timer_start(MkTimer *timer, uint64_t after_ms)
{
    start(timer, after_ms, 0);
}

void mk_timer_start_repeat(MkTimer *timer, uint64_t every_ms)
{
    start(timer, every_ms, every_ms);
}

void mk_timer_stop(MkTimer *timer)
{
    uv_timer_stop(&timer->handle);
}

static void on_closed(uv_handle_t *handle)
{
    g_free(handle);
}

void mk_timer_free(MkTimer *timer)
{
    if (timer != NULL)
        uv_close((uv_handle_t *) &timer->handle, on_closed);
}
