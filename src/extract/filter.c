/*
 * filter.c - which system calls are left (seccomp), in three steps that only ever take away
 *
 *   helper   a list of what is allowed: no sockets, no tracing, nothing opened for writing
 *   worker   one that read hostile octets: no signals to others, no messages
 *   program  pdftotext and its like: no new processes
 *
 * A call that is not allowed fails with EPERM instead of ending the process: libraries try things
 * that they can do without. The programs for the kernel are made once, before any document.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <seccomp.h>

#include "internal.h"

#define MAX_STEPS 4096 /* of a filter: the kernel's own limit */

static struct sock_filter *steps[FILTER_COUNT];
static unsigned short counts[FILTER_COUNT];

/* By name: an architecture that lacks one leaves it out. */
static const char *const allowed[] = {
    /* descriptors that are there */
    "read readv pread64 preadv write writev pwrite64 lseek close close_range dup dup2 dup3 pipe "
    "pipe2 poll ppoll select pselect6 fstat fadvise64 ftruncate recvmsg sendmsg memfd_create",
    /* looking at files; which ones is landlock.c's */
    "stat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat getdents64 "
    "getcwd statfs fstatfs",
    /* memory */
    "brk mmap munmap mremap mprotect madvise membarrier",
    /* itself */
    "getpid getppid gettid getuid geteuid getgid getegid getresuid getresgid getpgrp getrusage "
    "getrlimit times uname sysinfo umask arch_prctl set_tid_address set_robust_list rseq "
    "sched_yield sched_getaffinity futex restart_syscall exit exit_group getrandom getcpu",
    /* time */
    "clock_gettime clock_getres gettimeofday time nanosleep clock_nanosleep",
    /* signals */
    "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigtimedwait sigaltstack kill",
    /* children */
    "fork vfork execve wait4 waitid",
};

/* -- rules with arguments ------------------------------------------------------------------------ */

static bool allow_masked(scmp_filter_ctx ctx, int call, unsigned argument, uint64_t mask,
                         uint64_t value)
{
    const struct scmp_arg_cmp compare =
        SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, (scmp_datum_t) mask, (scmp_datum_t) value);

    return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1, compare) == 0;
}

static bool allow_values(scmp_filter_ctx ctx, int call, unsigned argument, const uint64_t *values,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct scmp_arg_cmp compare =
            SCMP_CMP(argument, SCMP_CMP_EQ, (scmp_datum_t) values[i]);

        if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1, compare) != 0)
            return false;
    }
    return true;
}

/* Only for reading, and nothing made or cut. openat2 hides its flags, so it is not there. */
static bool allow_open(scmp_filter_ctx ctx)
{
    const uint64_t writing = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);

    return allow_masked(ctx, SCMP_SYS(open), 1, writing, O_RDONLY) &&
           allow_masked(ctx, SCMP_SYS(openat), 2, writing, O_RDONLY);
}

/* F_SETOWN would send signals to any process of the same user. */
static bool allow_control(scmp_filter_ctx ctx)
{
    static const uint64_t fcntls[] = { F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD,     F_SETFD,
                                       F_GETFL, F_SETFL,         F_GET_SEALS, F_ADD_SEALS };
    static const uint64_t ioctls[] = { TCGETS, FIONREAD };
    static const uint64_t prctls[] = { PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NAME, PR_GET_NAME,
                                       PR_GET_DUMPABLE,  0x53564d41 /* PR_SET_VMA */ };

    return allow_values(ctx, SCMP_SYS(fcntl), 1, fcntls, G_N_ELEMENTS(fcntls)) &&
           allow_values(ctx, SCMP_SYS(ioctl), 1, ioctls, G_N_ELEMENTS(ioctls)) &&
           allow_values(ctx, SCMP_SYS(prctl), 0, prctls, G_N_ELEMENTS(prctls));
}

/* Limits of its own only; processes and threads, but no name spaces. */
static bool allow_own(scmp_filter_ctx ctx)
{
    static const uint64_t self[] = { 0 };
    const uint64_t spaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                            CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_PTRACE;

    return allow_values(ctx, SCMP_SYS(prlimit64), 0, self, 1) &&
           allow_masked(ctx, SCMP_SYS(clone), 0, spaces, 0) &&
           /* Its flags are in memory; the C library then takes clone. */
           seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
}

/* -- the three ------------------------------------------------------------------------------------- */

static bool allow_words(scmp_filter_ctx ctx, const char *words)
{
    g_auto(GStrv) names = g_strsplit(words, " ", -1);

    for (char **name = names; *name; name++) {
        int call = seccomp_syscall_resolve_name(*name);

        if (call != __NR_SCMP_ERROR && seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 0) != 0)
            return false;
    }
    return true;
}

static bool fill_helper(scmp_filter_ctx ctx)
{
    for (size_t i = 0; i < G_N_ELEMENTS(allowed); i++)
        if (!allow_words(ctx, allowed[i]))
            return false;
    return allow_open(ctx) && allow_control(ctx) && allow_own(ctx);
}

static bool deny(scmp_filter_ctx ctx, int call)
{
    return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), call, 0) == 0;
}

static bool fill_worker(scmp_filter_ctx ctx)
{
    return deny(ctx, SCMP_SYS(kill)) && deny(ctx, SCMP_SYS(recvmsg)) &&
           deny(ctx, SCMP_SYS(sendmsg));
}

static bool fill_program(scmp_filter_ctx ctx)
{
    const struct scmp_arg_cmp process = SCMP_CMP(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0);

    return deny(ctx, SCMP_SYS(fork)) && deny(ctx, SCMP_SYS(vfork)) &&
           seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, process) == 0;
}

/* The library writes its result to a descriptor. */
static bool keep_steps(scmp_filter_ctx ctx, FilterLevel level)
{
    int fd = memfd_create("filter", MFD_CLOEXEC);
    off_t size = 0;
    bool kept = false;

    if (fd < 0)
        return false;
    if (seccomp_export_bpf(ctx, fd) == 0 && (size = lseek(fd, 0, SEEK_END)) > 0 &&
        size <= (off_t) (MAX_STEPS * sizeof(struct sock_filter))) {
        steps[level] = g_malloc((size_t) size);
        counts[level] = (unsigned short) ((size_t) size / sizeof(struct sock_filter));
        kept = pread(fd, steps[level], (size_t) size, 0) == size;
    }
    close(fd);
    return kept;
}

static bool prepare(FilterLevel level, uint32_t otherwise, bool (*fill)(scmp_filter_ctx ctx))
{
    scmp_filter_ctx ctx = seccomp_init(otherwise);
    bool prepared = ctx && fill(ctx) && keep_steps(ctx, level);

    if (ctx)
        seccomp_release(ctx);
    return prepared;
}

bool filter_prepare(void)
{
    return prepare(FILTER_HELPER, SCMP_ACT_ERRNO(EPERM), fill_helper) &&
           prepare(FILTER_WORKER, SCMP_ACT_ALLOW, fill_worker) &&
           prepare(FILTER_PROGRAM, SCMP_ACT_ALLOW, fill_program);
}

bool filter_enter(FilterLevel level)
{
    struct sock_fprog program = { counts[level], steps[level] };

    return counts[level] > 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}
