/*
 * pace.c - mail comes in no faster than it becomes findable
 *
 * The index has one thread, mail that comes in has all of a lane, and on few processors that lane
 * takes what the index needs. So what comes in waits here, before its lane, while the index is
 * behind:
 *
 *   behind by     on the lane at once
 *   < slow_ms     any number
 *   < halt_ms     one: to take a mail in costs about what indexing it costs, and each has a thread
 *   < lost_ms     none more; but no mail waits longer than hold_ms
 *   more          one: this will take minutes (an index that could not be written for a while), and
 *                 taking mail must not suffer that long
 *
 * A batch takes what came in during the one before. When the index needs r times as long for a mail
 * as it takes to come in, batches settle at halt_ms * r / (1 + r): mail comes in until the oldest is
 * halt_ms old, waits for the rest of the batch, and is findable after about halt_ms at the worst.
 */
#include "internal.h"

enum { LOOK_MS = 50 }; /* how often those that wait are looked at */

void pace_init(Pace *pace)
{
    g_queue_init(&pace->waiting);
    pace->limits =
        (PaceLimits){ .slow_ms = 3000, .halt_ms = 6000, .lost_ms = 30000, .hold_ms = 1000 };
}

unsigned pace_room(const PaceLimits *limits, int64_t lag_ms)
{
    if (lag_ms < limits->slow_ms)
        return UINT_MAX;
    return lag_ms >= limits->halt_ms && lag_ms < limits->lost_ms ? 0 : 1;
}

static int64_t lag_of(MkArchive *archive)
{
    return archive->stopping ? 0 : follower_lag_ms(store_current(archive)->follower);
}

static bool may_start(const Pace *pace, const Paced *paced, unsigned room, int64_t now_ms)
{
    return pace->running < room || now_ms - paced->since_ms >= pace->limits.hold_ms;
}

static void start(Pace *pace, Paced *paced)
{
    pace->running++; /* it may leave before start() returns */
    if (!paced->start(paced))
        pace->running--;
}

void pace_look(MkArchive *archive)
{
    Pace *pace = &archive->pace;
    unsigned room = pace_room(&pace->limits, lag_of(archive));
    int64_t now_ms = mk_clock_monotonic_ms();

    while (pace->waiting.head != NULL && may_start(pace, pace->waiting.head->data, room, now_ms))
        start(pace, g_queue_pop_head_link(&pace->waiting)->data);
    archive->ingest_held = pace->waiting.length;
    if (pace->waiting.head == NULL && pace->timer != NULL)
        mk_timer_stop(pace->timer);
}

static void on_timer(void *cookie)
{
    pace_look(cookie);
}

void pace_enter(MkArchive *archive, Paced *paced)
{
    Pace *pace = &archive->pace;

    paced->since_ms = mk_clock_monotonic_ms();
    paced->link = (GList){ .data = paced };
    if (pace->waiting.head == NULL &&
        may_start(pace, paced, pace_room(&pace->limits, lag_of(archive)), paced->since_ms)) {
        start(pace, paced);
        return;
    }
    if (pace->timer == NULL)
        pace->timer = mk_timer_new(archive->loop, on_timer, archive);
    if (pace->waiting.head == NULL)
        mk_timer_start_repeat(pace->timer, LOOK_MS);
    g_queue_push_tail_link(&pace->waiting, &paced->link);
    archive->ingest_held = pace->waiting.length;
}

void pace_leave(MkArchive *archive)
{
    g_assert(archive->pace.running > 0);
    archive->pace.running--;
    pace_look(archive);
}

void pace_stop(MkArchive *archive)
{
    pace_look(archive);
    mk_timer_free(archive->pace.timer);
    archive->pace.timer = NULL;
}
