/*
 * memory.c - freed memory goes back to the system
 *
 * Threads that share few arenas fragment less, and a fixed threshold keeps large buffers out of
 * them. What remains free in between when the work is over is handed back, once, by a job,
 * because walking the arenas takes some milliseconds.
 */
#include "internal.h"

#include <malloc.h>

enum {
    ARENAS = 2,
    LARGE_BYTES = 256 << 10,
    TRIM_BYTES = 4 << 20,
    LOOK_EVERY_MS = 3000,
};

struct MemoryKeeper {
    MkJob job; /* when @trimming */
    MkLoop *loop;
    MkTimer *timer;
    uint64_t jobs_seen;
    uint64_t jobs_trimmed; /* all that these left behind is handed back */
    bool trimming;
    bool freed;
};

void memory_tune(void)
{
    mallopt(M_ARENA_MAX, ARENAS);
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
}

static void trim_run(MkJob *job)
{
    (void) job;
    malloc_trim(0);
}

static void trim_done(MkJob *job)
{
    MemoryKeeper *keeper = (MemoryKeeper *) job;

    keeper->trimming = false;
    keeper->jobs_seen++; /* ours */
    keeper->jobs_trimmed = keeper->jobs_seen;
    if (keeper->freed)
        g_free(keeper);
}

static uint64_t jobs_done(const MkLoop *loop)
{
    MkLoopGauges gauges;
    uint64_t sum = 0;

    mk_loop_gauges(loop, &gauges);
    for (int lane = 0; lane < MK_LANE_COUNT; lane++)
        sum += gauges.jobs_done[lane];
    return sum;
}

/* Idle since the last look, and not before the last trim. */
static void look(void *cookie)
{
    MemoryKeeper *keeper = cookie;
    uint64_t jobs = jobs_done(keeper->loop);
    bool idle = jobs == keeper->jobs_seen;

    keeper->jobs_seen = jobs;
    if (!idle || jobs == keeper->jobs_trimmed || keeper->trimming)
        return;
    keeper->job = (MkJob){ .run = trim_run, .done = trim_done };
    keeper->trimming = mk_job_submit(keeper->loop, MK_LANE_BULK, &keeper->job, NULL);
}

MemoryKeeper *memory_keeper_new(MkLoop *loop)
{
    MemoryKeeper *keeper = g_new0(MemoryKeeper, 1);

    keeper->loop = loop;
    keeper->timer = mk_timer_new(loop, look, keeper);
    mk_timer_start_repeat(keeper->timer, LOOK_EVERY_MS);
    return keeper;
}

void memory_keeper_free(MemoryKeeper *keeper)
{
    if (keeper == NULL)
        return;
    g_clear_pointer(&keeper->timer, mk_timer_free);
    keeper->freed = true;
    if (!keeper->trimming)
        g_free(keeper);
}
