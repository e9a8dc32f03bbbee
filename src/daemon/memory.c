/*
 * memory.c - memory that is not needed goes back to the system
 *
 * Threads that share few arenas fragment less, and a fixed threshold keeps large buffers out of
 * them. What remains free in between is handed back when the work is over, once, by a job,
 * because walking the arenas takes some milliseconds. The databases' mapped pages are let go
 * now and then during the work as well, lest they grow to the size of the databases.
 */
#include <malloc.h>

#include <mailkeep/db.h>

#include "internal.h"

enum {
    ARENAS = 3,
    LARGE_BYTES = 1 << 20,
    TRIM_BYTES = 4 << 20,
};

struct MemoryKeeper {
    MkJob job; /* when @trimming */
    MkLoop *loop;
    MkArchive *archive;
    MkTimer *timer;
    uint64_t jobs_seen;
    uint64_t jobs_trimmed; /* all that these left behind is handed back */
    unsigned quiet_looks;  /* in a row, since then */
    bool idle;             /* at the last look */
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
    const MemoryKeeper *keeper = (MemoryKeeper *) job;

    mk_db_release_pages();
    if (keeper->idle)
        malloc_trim(0);
}

static void trim_done(MkJob *job)
{
    MemoryKeeper *keeper = (MemoryKeeper *) job;

    keeper->trimming = false;
    keeper->jobs_seen++; /* ours */
    if (keeper->idle)
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

void memory_keeper_look(MemoryKeeper *keeper)
{
    uint64_t jobs = jobs_done(keeper->loop);

    if (keeper->trimming)
        return;
    if (jobs == keeper->jobs_trimmed) {
        if (++keeper->quiet_looks != MEMORY_QUIET_LOOKS)
            return;
        mk_archive_release_memory(keeper->archive);
    } else {
        keeper->quiet_looks = 0;
    }
    keeper->idle = jobs == keeper->jobs_seen;
    keeper->jobs_seen = jobs;
    keeper->job = (MkJob){ .run = trim_run, .done = trim_done };
    keeper->trimming = mk_job_submit(keeper->loop, MK_LANE_BACKGROUND, &keeper->job, NULL);
}

bool memory_keeper_is_trimming(const MemoryKeeper *keeper)
{
    return keeper->trimming;
}

static void look(void *cookie)
{
    memory_keeper_look(cookie);
}

MemoryKeeper *memory_keeper_new(MkLoop *loop, MkArchive *archive, uint64_t every_ms)
{
    MemoryKeeper *keeper = g_new0(MemoryKeeper, 1);

    keeper->loop = loop;
    keeper->archive = archive;
    keeper->timer = mk_timer_new(loop, look, keeper);
    mk_timer_start_repeat(keeper->timer, every_ms);
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
