/*
 * loop.h - the loop, its timers, and the worker lanes beside it
 *
 * Purpose    One libuv loop owns all connections, timers and sessions. What waits for a disk or
 *            a processor runs as a job on a lane: *interactive* for people who wait (searches,
 *            reads, password checks), *bulk* for the rest (parse, compress, index, verify).
 * Threads    All functions on the loop thread, except mk_loop_post() and mk_job_is_cancelled().
 * Jobs       run() on a lane thread sees only what lies in the job; done() follows on the loop,
 *            always and exactly once, also after a cancel and during the stop.
 */
#ifndef MAILKEEP_LOOP_H
#define MAILKEEP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include <mailkeep/error.h>

typedef struct MkLoop MkLoop;

MkLoop *mk_loop_new(unsigned interactive_threads, unsigned bulk_threads, GError **error);
/* Runs until mk_loop_stop(), or until nothing is left to wait for. */
void mk_loop_run(MkLoop *loop);
/* One turn without waiting (tests). */
void mk_loop_turn(MkLoop *loop);
void mk_loop_stop(MkLoop *loop);
/*
 * mk_loop_free() - end the lanes and close the loop
 *
 * Jobs that wait are cancelled (done() is called), running ones are waited for. Every handle
 * must have been closed by its owner: a leaked one is a bug and is asserted.
 */
void mk_loop_free(MkLoop *loop);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkLoop, mk_loop_free)
/* For net/ only: the uv_loop_t inside. */
struct uv_loop_s *mk_loop_uv(MkLoop *loop);
bool mk_loop_is_loop_thread(const MkLoop *loop);

/* -- signals: one callback a signal number, for the daemon --------------------------------- */
typedef void (*MkSignalFunc)(int signum, void *cookie);
bool mk_loop_on_signal(MkLoop *loop, int signum, MkSignalFunc func, void *cookie, GError **error);

/* -- timers ----------------------------------------------------------------------------- */
typedef struct MkTimer MkTimer;
typedef void (*MkTimerFunc)(void *cookie);
MkTimer *mk_timer_new(MkLoop *loop, MkTimerFunc on_timer, void *cookie);
void mk_timer_start(MkTimer *timer, uint64_t after_ms); /* once; again = from now on anew */
void mk_timer_start_repeat(MkTimer *timer, uint64_t every_ms);
void mk_timer_stop(MkTimer *timer);
void mk_timer_free(MkTimer *timer); /* NULL-safe; no callback any more from here on */

/* -- jobs ------------------------------------------------------------------------------- */
/*
 * BULK is for what a peer waits for, mail above all. BACKGROUND has one thread, which makes mail
 * findable and gets about what BULK gets. CARE has two: what may take minutes and must not hold back
 * the background. OPERATION has two: what an administrator has started and may take hours (verify,
 * rebuild).
 */
typedef enum {
    MK_LANE_INTERACTIVE,
    MK_LANE_BULK,
    MK_LANE_BACKGROUND,
    MK_LANE_CARE,
    MK_LANE_OPERATION,
    MK_LANE_COUNT
} MkLane;

typedef struct MkJob MkJob;
struct MkJob {
    void (*run)(MkJob *job);  /* lane thread */
    void (*done)(MkJob *job); /* loop thread; frees the job */
    /* the room's own, do not touch */
    GList link;
    MkLoop *loop;
    MkLane lane;
    int cancelled; /* atomic */
    bool ran;      /* false in done(): the job was cancelled before it ran */
};

/*
 * mk_job_submit() - queue a job
 * @job   embedded as first member of the caller's struct, run and done set, the rest zero
 *
 * False with MK_ERROR_BUSY when MK_LIMIT_LANE_QUEUE_JOBS wait, or _CANCELLED during the stop:
 * then done() is not called and the job is the caller's still.
 */
bool mk_job_submit(MkLoop *loop, MkLane lane, MkJob *job, GError **error);
/* Asks it to end; one that waits is not run. done() comes in any case. */
void mk_job_cancel(MkJob *job);
bool mk_job_is_cancelled(const MkJob *job);

/*
 * mk_loop_post() - have a function called on the loop, from any thread
 *
 * Never fails, never blocks for long; calls keep their order. After mk_loop_free() began it is
 * still delivered before the loop ends. Used by the committer to report durable mails.
 */
typedef void (*MkPostFunc)(void *cookie);
void mk_loop_post(MkLoop *loop, MkPostFunc func, void *cookie);

/* -- gauges ----------------------------------------------------------------------------- */
typedef struct {
    uint64_t delay_p50_us; /* how late a turn of the loop was, over the last minute or so */
    uint64_t delay_p99_us;
    uint64_t delay_max_us;
    uint64_t jobs_waiting[MK_LANE_COUNT];
    uint64_t jobs_done[MK_LANE_COUNT];
} MkLoopGauges;
void mk_loop_gauges(const MkLoop *loop, MkLoopGauges *out);

#endif
