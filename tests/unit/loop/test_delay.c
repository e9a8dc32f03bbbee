/* test_delay.c - the histogram behind the loop delay gauge */
#include "loop/internal.h"

static const uint64_t SECOND_NS = 1000000000;

static void test_percentiles(void)
{
    g_autofree Delay *delay = g_new0(Delay, 1);
    MkLoopGauges gauges;

    for (uint64_t us = 1; us <= 1000; us++)
        delay_record(delay, 1, us);
    delay_gauges(delay, &gauges);
    g_assert_cmpuint(gauges.delay_max_us, ==, 1000);
    g_assert_cmpuint(gauges.delay_p50_us, >=, 500); /* never too low, at most an eighth too high */
    g_assert_cmpuint(gauges.delay_p50_us, <=, 563);
    g_assert_cmpuint(gauges.delay_p99_us, >=, 990);
    g_assert_cmpuint(gauges.delay_p99_us, <=, 1000);
}

static void test_empty_and_huge(void)
{
    g_autofree Delay *delay = g_new0(Delay, 1);
    MkLoopGauges gauges;

    delay_gauges(delay, &gauges);
    g_assert_cmpuint(gauges.delay_p99_us, ==, 0);
    delay_record(delay, 1, 0);
    delay_record(delay, 1, UINT64_MAX);
    delay_gauges(delay, &gauges);
    g_assert_cmpuint(gauges.delay_p50_us, ==, 0);
    g_assert_true(gauges.delay_max_us == UINT64_MAX);
}

static void test_a_minute_passes(void)
{
    g_autofree Delay *delay = g_new0(Delay, 1);
    MkLoopGauges gauges;

    delay_record(delay, 100 * SECOND_NS, 900000);
    delay_record(delay, 140 * SECOND_NS, 10);
    delay_gauges(delay, &gauges);
    g_assert_cmpuint(gauges.delay_max_us, ==, 900000);
    delay_record(delay, 175 * SECOND_NS, 20);
    delay_gauges(delay, &gauges);
    g_assert_cmpuint(gauges.delay_max_us, ==, 20);
    g_assert_cmpuint(gauges.delay_p50_us, ==, 10);
    delay_record(delay, 10000 * SECOND_NS, 3);
    delay_gauges(delay, &gauges);
    g_assert_cmpuint(gauges.delay_p99_us, ==, 3);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/loop/delay/percentiles", test_percentiles);
    g_test_add_func("/loop/delay/empty_and_huge", test_empty_and_huge);
    g_test_add_func("/loop/delay/a_minute_passes", test_a_minute_passes);
    return g_test_run();
}
