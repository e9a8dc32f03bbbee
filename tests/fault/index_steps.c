/*
 * index_steps.c - writing and merging segments stopped at each step
 *
 * A child commits batches and merges, and ends at the n-th step without another word. The index
 * is opened again: every batch that was reported is there, the next one wholly or not at all, no
 * file is left over, verification finds nothing, and the work goes on.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "index/internal.h"

#define BATCHES 6
#define MAP_BYTES (UINT64_C(1) << 28)

typedef struct {
    unsigned count, at;
} Stop;

static int on_step(const char *step, void *cookie)
{
    Stop *stop = cookie;
    (void) step;
    if (++stop->count == stop->at)
        _exit(7);
    return 0;
}

static MkIndex *open_index(const char *dir)
{
    static const uint8_t bytes[MK_KEY_BYTES] = { 4 };
    g_autoptr(MkKey) key = mk_key_new_from(bytes);
    g_autoptr(GError) error = NULL;
    MkIndex *index = mk_index_open(dir, key, MAP_BYTES, &error);
    g_assert_no_error(error);
    return index;
}

/* Batch n adds the mails 2n and 2n + 1 and removes the mail 2n - 2 of the batch before. */
static bool write_batch(MkIndex *index, uint32_t n)
{
    const char *const bodies[] = { "wort", NULL };
    MkIndexWriter *writer = mk_index_writer_new(index);
    for (uint32_t number = 2 * n; number <= 2 * n + 1; number++) {
        MkIndexDoc doc = { .number = number };
        doc.values[MK_FIELD_BODY] = bodies;
        mk_index_writer_add(writer, &doc);
    }
    if (n > 1)
        mk_index_writer_remove(writer, 2 * n - 2);
    return mk_index_writer_commit(writer, n, NULL);
}

/* Writes one octet for every batch that was reported. */
static void child(const char *dir, unsigned at, int pipe_fd)
{
    Stop stop = { .at = at };
    MkIndex *index = open_index(dir);
    mk_index_set_fault(index, on_step, &stop);
    for (uint32_t n = 1; n <= BATCHES; n++) {
        bool merged;
        if (!write_batch(index, n) || write(pipe_fd, "+", 1) != 1 ||
            !mk_index_merge(index, NULL, &merged, NULL))
            _exit(1);
    }
    mk_index_close(index);
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

/* What a search finds when the batches 1..@n are in. */
static void check_batches(MkIndex *index, uint32_t n)
{
    g_autoptr(MkQuery) query = mk_query_parse("wort", NULL);
    MkSearch search = { .query = query, .limit = 4 * BATCHES };
    g_autoptr(GError) error = NULL;
    g_autoptr(MkSearchResult) result = mk_index_search(index, &search, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(result->total, ==, n == 0 ? 0 : n + 1);
    for (guint i = 0; i < result->hits->len; i++) {
        uint32_t number = ((const MkHit *) result->hits->pdata[i])->number;
        g_assert_true(number % 2 == 1 || number == 2 * n);
        g_assert_cmpuint(number, <=, 2 * n + 1);
    }
}

static void check_files(MkIndex *index)
{
    uint64_t blocks, errors = 1;
    guint files = 0;
    MkIndexStatistics statistics;
    g_autoptr(GDir) dir = g_dir_open(index->segments_dir, 0, NULL);
    while (g_dir_read_name(dir) != NULL)
        files++;
    g_assert_true(mk_index_statistics(index, &statistics, NULL));
    g_assert_cmpuint(files, ==, statistics.segment_count);
    g_assert_true(mk_index_verify(index, &blocks, &errors, NULL));
    g_assert_cmpuint(errors, ==, 0);
}

static void check_after(const char *dir, unsigned acks)
{
    MkIndex *index = open_index(dir);
    uint32_t done = (uint32_t) mk_index_watermark(index);
    g_assert_cmpuint(done, >=, acks);
    g_assert_cmpuint(done, <=, acks + 1);
    check_batches(index, done);
    check_files(index);
    for (uint32_t n = done + 1; n <= BATCHES; n++)
        g_assert_true(write_batch(index, n));
    for (bool merged = true; merged;)
        g_assert_true(mk_index_merge(index, NULL, &merged, NULL));
    check_batches(index, BATCHES);
    check_files(index);
    mk_index_close(index);
}

static void remove_files(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        if (g_file_test(inner, G_FILE_TEST_IS_DIR))
            remove_files(inner);
        else
            g_unlink(inner);
    }
    g_rmdir(path);
}

/* True when the child came to its end without meeting step @at. */
static bool die_at(unsigned at)
{
    g_autofree char *dir = g_dir_make_tmp("mailkeep-index-XXXXXX", NULL);
    int fds[2], status;
    g_assert_cmpint(pipe(fds), ==, 0);
    pid_t pid = fork();
    if (pid == 0)
        child(dir, at, fds[1]);
    close(fds[1]);
    unsigned acks = read_acks(fds[0]);
    close(fds[0]);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_true(WIFEXITED(status));
    g_assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 7);
    check_after(dir, acks);
    remove_files(dir);
    return WEXITSTATUS(status) == 0;
}

static void test_die(void)
{
    unsigned at = 1;
    while (!die_at(at))
        at++;
    g_test_message("%u steps", at - 1);
    g_assert_cmpuint(at, >, BATCHES * 5);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(mk_crypto_init(NULL));
    g_test_add_func("/fault/index/die-at-each-step", test_die);
    return g_test_run();
}
