/*
 * test_sandbox.c - what the helper, a worker and a program that it starts cannot do
 *
 * Each check runs in a process of its own, which ends with 0 or with the line that went wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "samples.h"

static char *secret; /* a file as the data directory has them */

/* In 8 bits, so near the truth: the function tells which. */
#define MUST(condition)                \
    do {                               \
        if (!(condition))              \
            _exit(1 + __LINE__ % 250); \
    } while (0)

static bool has_landlock; /* looked up before the filter refuses to say */

static void run_inside(void (*check)(void))
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        MUST(sandbox_enter(4096));
        check();
        _exit(0);
    }
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 0);
}

/* -- the helper ------------------------------------------------------------------------------------- */

static void check_network(void)
{
    int pair[2];

    MUST(socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM);
    MUST(socket(AF_INET6, SOCK_DGRAM, 0) < 0);
    MUST(socket(AF_UNIX, SOCK_STREAM, 0) < 0);
    MUST(socket(AF_NETLINK, SOCK_RAW, 0) < 0);
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0);
    MUST(connect(0, NULL, 0) < 0 && errno == EPERM);
    MUST(bind(0, NULL, 0) < 0 && errno == EPERM);
}

static void check_reading(void)
{
    MUST(open("/usr/bin/env", O_RDONLY | O_CLOEXEC) >= 0);
    if (!has_landlock)
        return;
    MUST(open("/etc/passwd", O_RDONLY) < 0);
    MUST(open(secret, O_RDONLY) < 0);
    MUST(open("/proc/self/environ", O_RDONLY) < 0);
    MUST(open("/", O_RDONLY | O_DIRECTORY) < 0);
    MUST(open("/tmp", O_RDONLY | O_DIRECTORY) < 0);
}

static void check_writing(void)
{
    MUST(open(secret, O_WRONLY) < 0);
    MUST(open(secret, O_RDWR) < 0);
    MUST(open(secret, O_RDONLY | O_TRUNC) < 0);
    MUST(open("/tmp/mailkeep-test-new", O_RDONLY | O_CREAT, 0600) < 0);
    MUST(open("/tmp", O_TMPFILE | O_RDWR, 0600) < 0);
    MUST(creat("/tmp/mailkeep-test-new", 0600) < 0);
    MUST(mkdir("/tmp/mailkeep-test-new", 0700) < 0);
    MUST(unlink(secret) < 0);
    MUST(rename(secret, "/tmp/mailkeep-test-new") < 0);
    MUST(link(secret, "/tmp/mailkeep-test-new") < 0);
    MUST(symlink(secret, "/tmp/mailkeep-test-new") < 0);
    MUST(truncate(secret, 0) < 0);
    MUST(chmod(secret, 0666) < 0);
    MUST(mkfifo("/tmp/mailkeep-test-new", 0600) < 0);
    MUST(syscall(SYS_openat2, AT_FDCWD, secret, NULL, 0) < 0 && errno == EPERM);
}

static void check_system(void)
{
    struct rlimit limit;

    MUST(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) < 0 && errno == EPERM);
    MUST(process_vm_readv(getppid(), NULL, 0, NULL, 0, 0) < 0 && errno == EPERM);
    MUST(mount("none", "/tmp", "tmpfs", 0, NULL) < 0 && errno == EPERM);
    MUST(syscall(SYS_unshare, 0x10000000) < 0 && errno == EPERM);
    MUST(syscall(SYS_clone, 0x10000000 | SIGCHLD, 0, 0, 0, 0) < 0 && errno == EPERM);
    MUST(syscall(SYS_bpf, 0, NULL, 0) < 0 && errno == EPERM);
    MUST(syscall(SYS_keyctl, 0, 0, 0, 0, 0) < 0 && errno == EPERM);
    MUST(syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0) < 0 && errno == EPERM);
    MUST(syscall(425 /* io_uring_setup */, 1, NULL) < 0 && errno == EPERM);
    MUST(syscall(SYS_pidfd_open, getppid(), 0) < 0 && errno == EPERM);
    MUST(setpgid(0, 0) < 0 && setsid() < 0);
    MUST(setuid(0) < 0 && errno == EPERM);
    MUST(prctl(PR_SET_DUMPABLE, 1) < 0);
    MUST(fcntl(0, F_SETOWN, getppid()) < 0);
    MUST(syscall(SYS_prlimit64, getppid(), RLIMIT_NOFILE, NULL, &limit) < 0 && errno == EPERM);
    MUST(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0);
    MUST(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max <= 64);
}

static void test_network(void)
{
    run_inside(check_network);
}

static void test_reading(void)
{
    run_inside(check_reading);
}

static void test_writing(void)
{
    run_inside(check_writing);
    g_assert_true(g_file_test(secret, G_FILE_TEST_EXISTS));
}

static void test_system(void)
{
    run_inside(check_system);
}

/* -- a worker ------------------------------------------------------------------------------------------ */

static void check_worker(void)
{
    struct msghdr nothing = { .msg_iov = NULL };

    MUST(sandbox_enter_worker(30));
    MUST(kill(getppid(), 0) < 0 && errno == EPERM);
    MUST(kill(-1, 0) < 0 && errno == EPERM);
    MUST(syscall(SYS_tgkill, getppid(), getppid(), 0) < 0);
    MUST(sendmsg(0, &nothing, 0) < 0 && errno == EPERM);
    MUST(recvmsg(0, &nothing, 0) < 0 && errno == EPERM);
    check_network();
    check_writing();
    check_reading();
}

static void test_worker(void)
{
    run_inside(check_worker);
}

/* -- a program that a worker starts ------------------------------------------------------------------ */

static GString *output;

static bool on_output(void *cookie, const uint8_t *data, size_t length)
{
    (void) cookie;
    g_string_append_len(output, (const char *) data, (gssize) length);
    return true;
}

/* Says what it can do. */
static const char probe[] =
    "use Socket;"
    "print 'socket ' if socket(S, AF_INET, SOCK_STREAM, 0);"
    "print 'unix ' if socket(S, AF_UNIX, SOCK_STREAM, 0);"
    "print 'passwd ' if open(F, '<', '/etc/passwd');"
    "print 'secret ' if open(F, '<', $ARGV[0]);"
    "print 'write ' if open(F, '>', '/tmp/mailkeep-test-new');"
    "print 'append ' if open(F, '>>', $ARGV[0]);"
    "print 'unlink ' if unlink($ARGV[0]);"
    "print 'kill ' if kill(0, getppid());"
    "my $p = fork(); exit 0 if defined $p && $p == 0; print 'fork ' if defined $p;"
    "print 'descriptors ' if -e '/proc/self/fd/4' && open(F, '<&=', 4);"
    "print join(',', sort keys %ENV), ' ';"
    "local $/; print scalar <STDIN>;";

static void check_program(void)
{
    const char *arguments[] = { "/usr/bin/perl", "-e", probe, secret, NULL };

    output = g_string_new(NULL);
    MUST(sandbox_enter_worker(30));
    MUST(program_run(arguments, OCTETS("the document"), on_output, NULL) == MK_WHY_NONE);
    if (!has_landlock) {
        MUST(g_str_has_suffix(output->str, "the document"));
        return;
    }
    MUST(strcmp(output->str, "LC_ALL,OMP_THREAD_LIMIT,PATH the document") == 0);
}

static void test_program(void)
{
    if (!program_is_there("/usr/bin/perl")) {
        g_test_skip("no perl");
        return;
    }
    run_inside(check_program);
    g_assert_true(g_file_test(secret, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test("/tmp/mailkeep-test-new", G_FILE_TEST_EXISTS));
}

/* How programs end: with an error, by a signal, with processor time used up, not at all there. */
static void check_ends(void)
{
    static const struct {
        const char *script;
        MkTextWhy why;
    } ends[] = {
        { "exit 3", MK_WHY_DAMAGED },
        { "$SIG{SEGV} = 'DEFAULT'; syscall(62, $$, 11); exit 0", MK_WHY_NONE }, /* kill: refused */
        { "1 while 1", MK_WHY_TIME },
    };

    MUST(sandbox_enter_worker(1));
    output = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        const char *arguments[] = { "/usr/bin/perl", "-e", ends[i].script, NULL };

        MUST(program_run(arguments, OCTETS("x"), on_output, NULL) == ends[i].why);
    }
    MUST(program_run((const char *const[]){ "/usr/bin/no-such", NULL }, OCTETS("x"), on_output,
                     NULL) == MK_WHY_DAMAGED);
}

static void test_ends(void)
{
    if (!program_is_there("/usr/bin/perl")) {
        g_test_skip("no perl");
        return;
    }
    run_inside(check_ends);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    has_landlock = syscall(444, NULL, 0, 1) >= 1;
    if (!has_landlock)
        g_test_message("this kernel has no Landlock: what files can be read is not tested");
    close(g_file_open_tmp("mailkeep-test-XXXXXX", &secret, NULL));
    g_test_add_func("/extract/sandbox/network", test_network);
    g_test_add_func("/extract/sandbox/reading", test_reading);
    g_test_add_func("/extract/sandbox/writing", test_writing);
    g_test_add_func("/extract/sandbox/system", test_system);
    g_test_add_func("/extract/sandbox/worker", test_worker);
    g_test_add_func("/extract/sandbox/program", test_program);
    g_test_add_func("/extract/sandbox/ends", test_ends);
    status = g_test_run();
    g_remove(secret);
    g_free(secret);
    return status;
}
