/*
 * store_kill.c - kill -9 at random instants
 *
 *   MAILKEEP_KILL_ROUNDS=n store_kill
 *
 * A child adds mails from three threads and reports the index and number of each that was kept
 * through a pipe; it is killed; the store is opened again: every reported mail is there under its
 * number, octet for octet, and now and then a verification is clean.
 */
#include "../support/store_help.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 3

typedef struct {
    uint32_t index;
    uint32_t number;
} Ack;

static unsigned rounds = 8;

static GBytes *sample(unsigned i)
{
    g_autofree uint8_t *noise = test_noise(i % 50, 4000 + i % 7 * 3000);

    return i % 3 ? test_mail_text(i) : test_mail_with_attachment(i, noise, 4000 + i % 7 * 3000);
}

typedef struct {
    TestStore *t;
    int fd;
    gint *next;
} Adder;

static void *add_on(void *data)
{
    Adder *adder = data;

    for (;;) {
        unsigned i = (unsigned) g_atomic_int_add(adder->next, 1);
        g_autoptr(GBytes) mail = sample(i);
        Ack ack = { i, test_add(adder->t, mail, adder->t->folder).number };

        if (write(adder->fd, &ack, sizeof ack) != sizeof ack)
            _exit(1);
    }
}

static void child(TestStore *t, int fd, gint first)
{
    Adder adder = { t, fd, &first };
    pthread_t threads[THREADS];

    test_store_open(t);
    for (unsigned i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, add_on, &adder) != 0)
            _exit(1);
    pause();
    _exit(1);
}

static void kill_round(TestStore *t, GArray *acks, gint first, GRand *random)
{
    int fds[2];
    pid_t pid;
    Ack ack;

    g_assert_cmpint(pipe(fds), ==, 0);
    pid = fork();
    if (pid == 0)
        child(t, fds[1], first);
    close(fds[1]);
    g_usleep((gulong) g_rand_int_range(random, 5000, 300000));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    while (read(fds[0], &ack, sizeof ack) == sizeof ack)
        g_array_append_val(acks, ack);
    close(fds[0]);
}

static void check_acks(TestStore *t, const GArray *acks, guint from)
{
    for (guint i = from; i < acks->len; i++) {
        const Ack *ack = &g_array_index(acks, Ack, i);
        g_autoptr(GBytes) mail = sample(ack->index);

        test_check_mail(t, ack->number, mail);
    }
}

static void test_kill(void)
{
    TestStore t = { 0 };
    g_autoptr(GArray) acks = g_array_new(FALSE, FALSE, sizeof(Ack));
    GRand *random = g_rand_new_with_seed((guint32) g_test_rand_int());
    guint checked = 0;

    test_store_set_up(&t);
    test_store_close(&t);
    for (unsigned round = 0; round < rounds; round++) {
        kill_round(&t, acks, (gint) round * 100000, random);
        test_store_open(&t);
        check_acks(&t, acks, checked);
        checked = acks->len;
        if (round % 4 == 3 || round + 1 == rounds)
            test_verify_clean(&t);
        test_store_close(&t);
    }
    test_store_open(&t);
    check_acks(&t, acks, 0);
    g_test_message("%u rounds, %u mails acknowledged", rounds, acks->len);
    g_assert_cmpuint(acks->len, >, 0);
    test_store_tear_down(&t);
    g_rand_free(random);
}

int main(int argc, char **argv)
{
    const char *wanted = g_getenv("MAILKEEP_KILL_ROUNDS");

    g_test_init(&argc, &argv, NULL);
    if (wanted != NULL)
        rounds = (unsigned) strtoul(wanted, NULL, 10);
    g_assert_true(mk_crypto_init(NULL));
    mk_mail_init();
    g_test_add_func("/fault/store/kill", test_kill);
    return g_test_run();
}
