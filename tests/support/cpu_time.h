/* cpu_time.h - how long something took, whatever else the machine does meanwhile */
#ifndef CPU_TIME_H
#define CPU_TIME_H

#include <stdint.h>
#include <time.h>

/* The process's own time on the processor, in microseconds. */
static inline int64_t test_cpu_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

#endif
