/*
 * store_steps.c - the write path stopped at each of its steps
 *
 * Dying: a child adds mails and ends at the n-th step without another word; the store is opened
 * again and must hold every mail that was reported, whole, and verify clean. Failing: the n-th
 * step reports a full disk or a broken one; the submitter must hear of it, and afterwards all
 * goes on.
 */
#include "../support/store_help.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAILS 6

static GBytes *sample(unsigned i)
{
    g_autofree uint8_t *noise = test_noise(i / 2, 3000);

    return i % 2 ? test_mail_text(i) : test_mail_with_attachment(i, noise, 3000);
}

typedef struct {
    unsigned count; /* steps seen */
    unsigned at;    /* the one to stop at */
    int errnum;     /* 0: die */
    bool hit;
} Stop;

static int on_step(const char *step, void *cookie)
{
    Stop *stop = cookie;

    (void) step;
    if (++stop->count != stop->at)
        return 0;
    stop->hit = true;
    if (stop->errnum == 0)
        _exit(7);
    return stop->errnum;
}

/* Writes one octet for every mail that was reported as kept. */
static void child(TestStore *t, unsigned at, int pipe_fd)
{
    Stop stop = { .at = at };

    test_store_open(t);
    mk_store_set_fault(t->store, on_step, &stop);
    for (unsigned i = 0; i < MAILS; i++) {
        g_autoptr(GBytes) mail = sample(i);

        test_add(t, mail, t->folder);
        if (write(pipe_fd, "+", 1) != 1)
            _exit(1);
        if (i == 3)
            mk_store_folder_mails(t->store, t->folder, 0, 1, NULL); /* commits the catalog */
    }
    test_store_close(t);
    _exit(0);
}

static unsigned read_acks(int fd)
{
    unsigned acks = 0;
    char c;

    while (read(fd, &c, 1) == 1)
        acks++;
    return acks;
}

static void check_after(TestStore *t, unsigned acks)
{
    test_store_open(t);
    for (unsigned i = 0; i < acks; i++) {
        g_autoptr(GBytes) mail = sample(i);

        test_check_mail(t, i + 1, mail);
    }
    test_verify_clean(t);
    for (unsigned i = 0; i < MAILS; i++) { /* and goes on: each exactly once */
        g_autoptr(GBytes) mail = sample(i);

        g_assert_cmpuint(test_add(t, mail, t->folder).number, ==, i + 1);
    }
    test_verify_clean(t);
}

/* True when the child came to its end without meeting step @at. */
static bool die_at(unsigned at)
{
    TestStore t = { 0 };
    int fds[2], status;
    pid_t pid;

    test_store_set_up(&t);
    test_store_close(&t);
    g_assert_cmpint(pipe(fds), ==, 0);
    pid = fork();
    if (pid == 0)
        child(&t, at, fds[1]);
    close(fds[1]);
    check_after(&t, read_acks(fds[0]));
    close(fds[0]);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_true(WIFEXITED(status));
    g_assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 7);
    test_store_tear_down(&t);
    return WEXITSTATUS(status) == 0;
}

static void test_die(void)
{
    unsigned at = 1;

    while (!die_at(at))
        at++;
    g_test_message("%u steps", at - 1);
    g_assert_cmpuint(at, >, MAILS * 4);
}

static bool fail_at(unsigned at, int errnum)
{
    TestStore t = { 0 };
    Stop stop = { .at = at, .errnum = errnum };
    MkErrorCode expected = errnum == ENOSPC ? MK_ERROR_NO_SPACE : MK_ERROR_IO;
    unsigned failures = 0;

    test_store_set_up(&t);
    mk_store_set_fault(t.store, on_step, &stop);
    for (unsigned i = 0; i < MAILS; i++) {
        g_autoptr(GBytes) mail = sample(i);
        g_autoptr(GError) error = NULL;
        MkCommitted committed;

        if (!test_try_add(&t, mail, t.folder, &committed, &error)) {
            g_assert_error(error, MK_ERROR, (int) expected);
            failures++;
            g_assert_true(test_try_add(&t, mail, t.folder, &committed, NULL)); /* tried again */
        }
        g_assert_cmpuint(committed.number, ==, i + 1);
        test_check_mail(&t, i + 1, mail);
        test_verify_clean(&t);
    }
    g_assert_cmpuint(failures, <=, 1);
    test_store_reopen(&t);
    for (unsigned i = 0; i < MAILS; i++) {
        g_autoptr(GBytes) mail = sample(i);

        test_check_mail(&t, i + 1, mail);
    }
    test_verify_clean(&t);
    test_store_tear_down(&t);
    return !stop.hit;
}

static void test_disk_full(void)
{
    for (unsigned at = 1; !fail_at(at, ENOSPC); at++)
        ;
}

static void test_disk_broken(void)
{
    for (unsigned at = 1; !fail_at(at, EIO); at++)
        ;
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(mk_crypto_init(NULL));
    mk_mail_init();
    g_test_add_func("/fault/store/die-at-each-step", test_die);
    g_test_add_func("/fault/store/disk-full-at-each-step", test_disk_full);
    g_test_add_func("/fault/store/disk-broken-at-each-step", test_disk_broken);
    return g_test_run();
}
