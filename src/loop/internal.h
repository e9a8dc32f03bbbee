/*
 * internal.h - what the files of loop/ share
 *
 * Threads    Inbox and Lane are locked; everything else belongs to the loop thread. Locks are
 *            never held while a callback runs. They are libuv's (pthread's), because GLib's are
 *            futexes of its own that the thread sanitizer does not see.
 */
#ifndef MAILKEEP_LOOP_INTERNAL_H
#define MAILKEEP_LOOP_INTERNAL_H

#include <mailkeep/loop.h>

#include <uv.h>

#include <mailkeep/limits.h>

/* -- delay.c: how late turns are ------------------------------------------------------------ */
enum {
    DELAY_SAMPLE_MS = 50, /* a sample every 50 ms: 1200 in a minute */
    DELAY_SLICES = 7,     /* six full ones and the one being filled */
    DELAY_SLICE_MS = 10000,
    DELAY_BUCKETS = 256, /* eight a power of two: at most 12.5 % too high */
};

typedef struct {
    uint32_t counts[DELAY_BUCKETS];
    uint64_t max_us;
} DelaySlice;

typedef struct {
    uv_timer_t timer;      /* first member; unreferenced, so that it keeps no loop alive */
    uint64_t due_ns;       /* when the sample under way should come */
    uint64_t slice_number; /* of the slice being filled: hrtime in slices */
    DelaySlice slices[DELAY_SLICES];
} Delay;

void delay_init(Delay *delay, uv_loop_t *uv);
void delay_record(Delay *delay, uint64_t now_ns, uint64_t late_us);
void delay_gauges(const Delay *delay, MkLoopGauges *out);

/* -- lane.c: worker threads ----------------------------------------------------------------- */
typedef struct {
    MkLoop *loop;
    uv_mutex_t mutex;
    uv_cond_t wake;
    GQueue waiting; /* MkJob through its link; link.data is NULL outside */
    uint64_t done_count;
    bool stopping;
    int nice; /* of its threads */
    unsigned thread_count;
    uv_thread_t *threads;
} Lane;

bool lane_start(Lane *lane, MkLane kind, MkLoop *loop, unsigned threads, GError **error);
/* Hands waiting jobs back as cancelled and waits for running ones. */
void lane_stop(Lane *lane);

/* -- loop.c --------------------------------------------------------------------------------- */
typedef struct Post {
    GList link;
    MkPostFunc func;
    void *cookie;
} Post;

typedef struct SignalWatch {
    uv_signal_t handle; /* first member */
    MkSignalFunc func;
    void *cookie;
} SignalWatch;

struct MkLoop {
    uv_loop_t uv;
    uv_thread_t thread;
    uv_async_t wake; /* referenced only while jobs are out */
    Delay delay;
    Lane lanes[MK_LANE_COUNT];
    GPtrArray *signals; /* SignalWatch, freed when their handles are closed */
    unsigned jobs_out;  /* submitted, done() not yet called */
    bool stopping;      /* mk_loop_free() began */
    bool stop_asked;

    /* Inbox: filled by any thread */
    uv_mutex_t inbox_mutex;
    GQueue inbox_jobs;
    GQueue inbox_posts;
    bool wake_open; /* wake may be sent to */

    /* taken out of the inbox, not yet called; what a turn's time did not suffice for */
    GQueue ready_jobs;
    GQueue ready_posts;
};

/* Any thread: the job has ended, call its done() on the loop. */
void loop_deliver_job(MkLoop *loop, MkJob *job);

#endif
