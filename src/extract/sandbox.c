/*
 * sandbox.c - what the helper gives up before it reads anything
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <mailkeep/limits.h>

#include "internal.h"

#define DESCRIPTORS 64

/* A sanitizer's shadow takes terabytes of address space. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SHADOW 1
#else
#define HAS_SHADOW 0
#endif

static bool limit(__rlimit_resource_t resource, rlim_t soft, rlim_t hard)
{
    const struct rlimit values = { soft, hard };

    return setrlimit(resource, &values) == 0;
}

/* FSIZE holds for the memory files that programs read, so it is not 0. The number of processes is
 * no limit to set here: the kernel counts all of the user, the daemon's threads among them. */
static bool set_limits(unsigned memory_mib)
{
    rlim_t memory = (rlim_t) memory_mib << 20;

    return limit(RLIMIT_CORE, 0, 0) &&
           limit(RLIMIT_FSIZE, MK_LIMIT_EXTRACT_BYTES, MK_LIMIT_EXTRACT_BYTES) &&
           limit(RLIMIT_NOFILE, DESCRIPTORS, DESCRIPTORS) &&
           (HAS_SHADOW || limit(RLIMIT_AS, memory, memory));
}

bool sandbox_enter(unsigned memory_mib)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
           prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 &&
           /* What a worker leaves behind becomes the helper's child, and shows. */
           prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 && filter_prepare() &&
           set_limits(memory_mib) && landlock_enter() && filter_enter(FILTER_HELPER);
}

bool sandbox_enter_worker(unsigned seconds)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && limit(RLIMIT_CPU, seconds, seconds + 1) &&
           filter_enter(FILTER_WORKER);
}
