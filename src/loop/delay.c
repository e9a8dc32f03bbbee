/*
 * delay.c - the loop delay gauge
 *
 * A timer asks to be called every 50 ms and notes by how much it was too late; that is how long
 * any event had to wait. A turn that lasted several samples counts for each of them, as the
 * events that should have been served meanwhile would have (no "coordinated omission").
 */
#include <string.h>

#include "internal.h"

static unsigned bucket_of(uint64_t us)
{
    unsigned exponent;

    if (us < 8)
        return (unsigned) us;
    exponent = 63 - (unsigned) __builtin_clzll(us);
    return MIN((exponent - 2) * 8 + (unsigned) ((us >> (exponent - 3)) & 7), DELAY_BUCKETS - 1);
}

static uint64_t bucket_top_us(unsigned bucket)
{
    unsigned shift;

    if (bucket < 8)
        return bucket;
    shift = bucket / 8 - 1;
    return ((uint64_t) (8 + bucket % 8 + 1) << shift) - 1;
}

/* Empties the slices whose time has passed. */
static void advance(Delay *delay, uint64_t now_ns)
{
    uint64_t number = now_ns / ((uint64_t) DELAY_SLICE_MS * 1000000);

    if (number - delay->slice_number >= DELAY_SLICES)
        memset(delay->slices, 0, sizeof delay->slices);
    else
        for (uint64_t n = delay->slice_number + 1; n <= number; n++)
            memset(&delay->slices[n % DELAY_SLICES], 0, sizeof(DelaySlice));
    delay->slice_number = number;
}

void delay_record(Delay *delay, uint64_t now_ns, uint64_t late_us)
{
    DelaySlice *slice;

    advance(delay, now_ns);
    slice = &delay->slices[delay->slice_number % DELAY_SLICES];
    slice->counts[bucket_of(late_us)]++;
    slice->max_us = MAX(slice->max_us, late_us);
}

static void on_sample(uv_timer_t *timer);

static void plan_sample(Delay *delay)
{
    uv_update_time(delay->timer.loop); /* else a long turn would let it fire too early */
    delay->due_ns = uv_hrtime() + (uint64_t) DELAY_SAMPLE_MS * 1000000;
    uv_timer_start(&delay->timer, on_sample, DELAY_SAMPLE_MS, 0);
}

static void on_sample(uv_timer_t *timer)
{
    Delay *delay = (Delay *) timer;
    uint64_t now_ns = uv_hrtime();
    uint64_t late_us = now_ns > delay->due_ns ? (now_ns - delay->due_ns) / 1000 : 0;

    delay_record(delay, now_ns, late_us);
    for (unsigned i = 0; i < 1000 && late_us > DELAY_SAMPLE_MS * 1000; i++) {
        late_us -= DELAY_SAMPLE_MS * 1000;
        delay_record(delay, now_ns, late_us);
    }
    plan_sample(delay);
}

void delay_init(Delay *delay, uv_loop_t *uv)
{
    uv_timer_init(uv, &delay->timer);
    plan_sample(delay);
    uv_unref((uv_handle_t *) &delay->timer);
}

static uint64_t percentile_us(const uint64_t counts[DELAY_BUCKETS], uint64_t total,
                              unsigned percent)
{
    uint64_t rank = (total * percent + 99) / 100;
    uint64_t seen = 0;

    for (unsigned i = 0; i < DELAY_BUCKETS; i++) {
        seen += counts[i];
        if (seen >= rank && seen > 0)
            return bucket_top_us(i);
    }
    return 0;
}

void delay_gauges(const Delay *delay, MkLoopGauges *out)
{
    uint64_t counts[DELAY_BUCKETS] = { 0 };
    uint64_t total = 0;

    out->delay_max_us = 0;
    for (unsigned s = 0; s < DELAY_SLICES; s++) {
        for (unsigned i = 0; i < DELAY_BUCKETS; i++) {
            counts[i] += delay->slices[s].counts[i];
            total += delay->slices[s].counts[i];
        }
        out->delay_max_us = MAX(out->delay_max_us, delay->slices[s].max_us);
    }
    /* A bucket's upper bound may lie above all that was in it. */
    out->delay_p50_us = MIN(percentile_us(counts, total, 50), out->delay_max_us);
    out->delay_p99_us = MIN(percentile_us(counts, total, 99), out->delay_max_us);
}
