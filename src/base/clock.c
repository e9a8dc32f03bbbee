/* clock.c - wall clock and monotonic clock in milliseconds */
#include <mailkeep/base.h>

#include <time.h>

static int64_t read_clock_ms(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now); /* cannot fail for these two clocks */
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t mk_clock_unix_ms(void)
{
    return read_clock_ms(CLOCK_REALTIME);
}

int64_t mk_clock_monotonic_ms(void)
{
    return read_clock_ms(CLOCK_MONOTONIC);
}

void mk_clock_format_utc(int64_t unix_ms, char out[32])
{
    time_t seconds =
        (time_t) (unix_ms / 1000 - (unix_ms % 1000 < 0 ? 1 : 0)); /* towards the past */
    struct tm parts;

    /* All years of an int64_t of milliseconds fit an int; "%Y" takes 10 octets at most. */
    gmtime_r(&seconds, &parts);
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
}
