/* test_whole.c - all octets arrive through short and interrupted calls; what fails says why */
#include <mailkeep/base.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LENGTH = 1 << 20 }; /* much more than a pipe takes at once */

static uint8_t *make_octets(void)
{
    uint8_t *octets = g_malloc(LENGTH);

    for (size_t i = 0; i < LENGTH; i++)
        octets[i] = (uint8_t) (i * 7 + i / 251);
    return octets;
}

static int make_file(void)
{
    char name[] = "/tmp/mailkeep-whole.XXXXXX";
    int fd = mkostemp(name, O_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    unlink(name);
    return fd;
}

/* -- a pipe: short writes, and a signal in the middle ------------------------------------------- */
typedef struct {
    int fd;
    pthread_t writer;
    uint8_t *got;
    size_t length;
} Drain;

static void on_signal(int number)
{
    (void) number;
}

static void *drain(void *cookie)
{
    Drain *d = cookie;
    ssize_t n;

    while ((n = read(d->fd, d->got + d->length, MIN(LENGTH - d->length, (size_t) 5000))) > 0) {
        d->length += (size_t) n;
        pthread_kill(d->writer, SIGUSR1);
    }
    return NULL;
}

static void test_pipe(void)
{
    struct sigaction action = { .sa_handler = on_signal }; /* without SA_RESTART */
    g_autofree uint8_t *octets = make_octets();
    Drain d = { .writer = pthread_self(), .got = g_malloc(LENGTH) };
    pthread_t reader;
    int fds[2];

    sigaction(SIGUSR1, &action, NULL);
    g_assert_cmpint(pipe(fds), ==, 0);
    d.fd = fds[0];
    g_assert_cmpint(pthread_create(&reader, NULL, drain, &d), ==, 0);
    g_assert_true(mk_write_all(fds[1], octets, LENGTH));
    close(fds[1]);
    pthread_join(reader, NULL);
    close(fds[0]);
    g_assert_cmpmem(d.got, d.length, octets, LENGTH);
    g_free(d.got);
}

/* -- a file ------------------------------------------------------------------------------------- */
static void test_places(void)
{
    g_autofree uint8_t *octets = make_octets();
    g_autofree uint8_t *back = g_malloc(LENGTH);
    int fd = make_file();

    g_assert_true(mk_pwrite_all(fd, octets, LENGTH, 1000));
    g_assert_true(mk_pread_all(fd, back, LENGTH, 1000));
    g_assert_cmpmem(back, LENGTH, octets, LENGTH);
    g_assert_true(mk_pread_all(fd, back, 10, 1000 + LENGTH - 10));
    g_assert_cmpmem(back, 10, octets + LENGTH - 10, 10);
    g_assert_true(mk_pread_all(fd, back, 0, 10 * LENGTH)); /* nothing is there everywhere */
    close(fd);
}

static void test_end_of_file(void)
{
    uint8_t back[8];
    int fd = make_file();

    g_assert_true(mk_write_all(fd, "12345", 5));
    errno = EBUSY;
    g_assert_false(mk_pread_all(fd, back, 6, 0));
    g_assert_cmpint(errno, ==, 0);
    close(fd);
}

static void test_errors(void)
{
    uint8_t back[8];
    int full = open("/dev/full", O_RDWR | O_CLOEXEC);

    g_assert_false(mk_write_all(full, "1", 1));
    g_assert_cmpint(errno, ==, ENOSPC);
    g_assert_false(mk_pwrite_all(full, "1", 1, 0));
    g_assert_cmpint(errno, ==, ENOSPC);
    close(full);
    g_assert_false(mk_pread_all(full, back, 1, 0));
    g_assert_cmpint(errno, ==, EBADF);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/whole/pipe", test_pipe);
    g_test_add_func("/whole/places", test_places);
    g_test_add_func("/whole/end-of-file", test_end_of_file);
    g_test_add_func("/whole/errors", test_errors);
    return g_test_run();
}
