/*
 * test_merge.c - merging beside writing, broken off, and when writing fails
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <mailkeep/limits.h>

#include "index/internal.h"
#include "samples.h"

static void expect(Sample *sample, const char *query, const char *found)
{
    g_autofree char *got = sample_find(sample, query, true);
    g_assert_cmpstr(got, ==, found);
}

static void expect_whole(Sample *sample, guint64 segments)
{
    uint64_t blocks = 0, errors = 0;
    MkIndexStatistics statistics;
    g_autoptr(GError) error = NULL;
    g_assert_true(mk_index_verify(sample->index, &blocks, &errors, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(errors, ==, 0);
    g_assert_true(mk_index_statistics(sample->index, &statistics, NULL));
    g_assert_cmpuint(statistics.segment_count, ==, segments);
    g_autoptr(GPtrArray) files = sample_segments(sample);
    g_assert_cmpuint(files->len, ==, segments);
}

static void write_mail(MkIndex *index, uint32_t number, const char *body)
{
    g_autoptr(GError) error = NULL;
    SampleMail mail = { .number = number, .subject = "neu", .body = body };
    MkIndexWriter *writer = mk_index_writer_new(index);
    sample_add(writer, &mail);
    mk_index_writer_commit(writer, number, &error);
    g_assert_no_error(error);
}

static void remove_mails(MkIndex *index, uint32_t first, uint32_t last)
{
    g_autoptr(GError) error = NULL;
    MkIndexWriter *writer = mk_index_writer_new(index);
    for (uint32_t number = first; number <= last; number++)
        mk_index_writer_remove(writer, number);
    mk_index_writer_commit(writer, 99, &error);
    g_assert_no_error(error);
}

/* -- what happens while a merge writes ----------------------------------------------------------- */
typedef struct {
    MkIndex *index;
    void (*act)(MkIndex *index);
    bool done;
} Meanwhile;

/* Called when the merged segment is about to be synced: its documents are chosen by then. */
static int on_step(const char *step, void *cookie)
{
    Meanwhile *meanwhile = cookie;
    if (strcmp(step, "sync") != 0 || meanwhile->done)
        return 0;
    meanwhile->done = true;
    meanwhile->act(meanwhile->index);
    return 0;
}

static void merge_while(Sample *sample, void (*act)(MkIndex *index))
{
    Meanwhile meanwhile = { sample->index, act, false };
    g_autoptr(GError) error = NULL;
    bool merged = false;
    g_assert_true(mk_index_wants_merge(sample->index));
    mk_index_set_fault(sample->index, on_step, &meanwhile);
    mk_index_merge(sample->index, NULL, &merged, &error);
    g_assert_no_error(error);
    g_assert_true(merged);
    g_assert_true(meanwhile.done);
    mk_index_set_fault(sample->index, NULL, NULL);
}

static void change_some(MkIndex *index)
{
    remove_mails(index, 4, 4);
    write_mail(index, 5, "frisch");
    write_mail(index, 20, "frisch");
}

static void test_changes_meanwhile(void)
{
    Sample sample;
    sample_init(&sample);
    sample_fill(&sample, true);
    merge_while(&sample, change_some);
    for (unsigned round = 0; round < 2; round++) { /* as it is, and from the disk */
        expect(&sample, "", "1 2 3 5 6 7 8 9 20");
        expect(&sample, "Rechnung", "9");
        expect(&sample, "frisch", "5 20");
        expect_whole(&sample, 3);
        sample_reopen(&sample);
    }
    g_assert_cmpuint(mk_index_watermark(sample.index), ==, 20);
    sample_clear(&sample);
}

static void remove_all(MkIndex *index)
{
    remove_mails(index, 1, 9);
}

static void test_all_removed_meanwhile(void)
{
    Sample sample;
    sample_init(&sample);
    sample_fill(&sample, true);
    merge_while(&sample, remove_all);
    expect(&sample, "", "");
    expect_whole(&sample, 0);
    write_mail(sample.index, 7, "wieder");
    sample_reopen(&sample);
    expect(&sample, "wieder", "7");
    sample_clear(&sample);
}

static void clear_all(MkIndex *index)
{
    g_assert_true(mk_index_clear(index, NULL));
    write_mail(index, 3, "danach");
}

static void test_cleared_meanwhile(void)
{
    Sample sample;
    sample_init(&sample);
    sample_fill(&sample, true);
    merge_while(&sample, clear_all);
    expect(&sample, "", "3");
    expect(&sample, "danach", "3");
    expect_whole(&sample, 1);
    sample_clear(&sample);
}

/* -- broken off ------------------------------------------------------------------------------- */
static void test_cancelled(void)
{
    Sample sample;
    g_autoptr(GError) error = NULL;
    const int cancelled = 1;
    bool merged = false;
    sample_init(&sample);
    sample_fill(&sample, true);
    g_assert_false(mk_index_merge(sample.index, &cancelled, &merged, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_CANCELLED);
    expect(&sample, "Rechnung", "4 5 9");
    expect_whole(&sample, 9);
    g_assert_true(mk_index_merge(sample.index, NULL, &merged, NULL));
    expect_whole(&sample, 1);
    g_assert_false(mk_index_wants_merge(sample.index));
    sample_clear(&sample);
}

typedef struct {
    unsigned count, at;
    bool hit;
} FailAt;

static int fail_at(const char *step, void *cookie)
{
    FailAt *fail = cookie;
    if (strcmp(step, "unlink") == 0 || ++fail->count != fail->at)
        return 0;
    fail->hit = true;
    return ENOSPC;
}

/* A disk that fills up at any step of writing leaves the index as it was, and of use. */
static void test_disk_full(void)
{
    Sample sample;
    bool more = true;
    sample_init(&sample);
    sample_fill(&sample, true);
    for (unsigned at = 1; more; at++) {
        g_autoptr(GError) error = NULL;
        FailAt fail = { .at = at };
        SampleMail mail = { .number = 30, .body = "voll" };
        MkIndexWriter *writer = mk_index_writer_new(sample.index);
        sample_add(writer, &mail);
        mk_index_set_fault(sample.index, fail_at, &fail);
        bool ok = mk_index_writer_commit(writer, 30, &error);
        mk_index_set_fault(sample.index, NULL, NULL);
        more = fail.hit;
        g_assert_true(ok == !more);
        expect(&sample, "voll", more ? "" : "30");
        if (!more)
            break;
        g_assert_error(error, MK_ERROR, MK_ERROR_NO_SPACE);
        g_assert_cmpuint(mk_index_watermark(sample.index), ==, 9);
        expect_whole(&sample, 9);
        g_assert_cmpuint(at, <, 100);
    }
    more = true;
    for (unsigned at = 1; more; at++) {
        g_autoptr(GError) error = NULL;
        FailAt fail = { .at = at };
        bool merged = false;
        mk_index_set_fault(sample.index, fail_at, &fail);
        bool ok = mk_index_merge(sample.index, NULL, &merged, &error);
        mk_index_set_fault(sample.index, NULL, NULL);
        more = fail.hit;
        g_assert_true(ok == !more);
        expect(&sample, "Rechnung", "4 5 9");
        expect_whole(&sample, more ? 10 : 1);
        g_assert_cmpuint(at, <, 100);
    }
    sample_reopen(&sample);
    expect(&sample, "", "1 2 3 4 5 6 7 8 9 30");
    sample_clear(&sample);
}

/* -- a disk that does not keep what it is given ---------------------------------------------------- */
static guint64 number_of(const char *path)
{
    return g_ascii_strtoull(strrchr(path, '/') + 1, NULL, 10);
}

/* The newest file loses its end between being written and being read. */
static int lose_end(const char *step, void *cookie)
{
    if (strcmp(step, "sync-directory") != 0)
        return 0;
    g_autoptr(GPtrArray) files = sample_segments(cookie);
    const char *newest = files->pdata[0];
    for (guint i = 1; i < files->len; i++)
        if (number_of(files->pdata[i]) > number_of(newest))
            newest = files->pdata[i];
    g_assert_cmpint(truncate(newest, 100), ==, 0);
    return 0;
}

/* It never takes the place of whole segments, and no watermark moves past its mails. */
static void test_lost_end(void)
{
    g_autoptr(GError) error = NULL, merge_error = NULL;
    SampleMail mail = { .number = 30, .body = "neu" };
    bool merged;
    Sample sample;
    sample_init(&sample);
    sample_fill(&sample, true);
    MkIndexWriter *writer = mk_index_writer_new(sample.index);
    sample_add(writer, &mail);
    mk_index_set_fault(sample.index, lose_end, &sample);
    g_assert_false(mk_index_writer_commit(writer, 30, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_IO);
    g_assert_false(mk_index_merge(sample.index, NULL, &merged, &merge_error));
    g_assert_error(merge_error, MK_ERROR, MK_ERROR_IO);
    mk_index_set_fault(sample.index, NULL, NULL);
    for (unsigned round = 0; round < 2; round++) {
        expect(&sample, "", "1 2 3 4 5 6 7 8 9");
        expect_whole(&sample, 9);
        g_assert_cmpuint(mk_index_watermark(sample.index), ==, 9);
        sample_reopen(&sample);
    }
    sample_clear(&sample);
}

/* -- tiers -------------------------------------------------------------------------------- */
/* Small commits end in few segments, and no mail is written often. */
static void test_few_segments(void)
{
    Sample sample;
    uint64_t written = 0;
    sample_init(&sample);
    for (uint32_t number = 1; number <= 300; number++) {
        bool merged = true;
        write_mail(sample.index, number, "klein");
        while (mk_index_wants_merge(sample.index)) {
            g_autoptr(MkView) before = mk_view_now(sample.index);
            g_assert_true(mk_index_merge(sample.index, NULL, &merged, NULL));
            g_assert_true(merged);
            g_autoptr(MkView) after = mk_view_now(sample.index);
            guint count = after->manifest.segments->len;
            written += after->segments[count - 1].segment->info.doc_count;
            g_assert_cmpuint(count, <, before->manifest.segments->len);
        }
        g_assert_true(mk_index_merge(sample.index, NULL, &merged, NULL));
        g_assert_false(merged);
    }
    MkIndexStatistics statistics;
    g_assert_true(mk_index_statistics(sample.index, &statistics, NULL));
    g_assert_cmpuint(statistics.mail_count, ==, 300);
    g_assert_cmpuint(statistics.segment_count, <=, 3 * 5); /* 4^5 > 300: five tiers */
    g_assert_cmpuint(written, <, 300 * 2 * 5);
    sample_clear(&sample);
}

/* -- threads ------------------------------------------------------------------------------- */
typedef struct {
    MkIndex *index;
    int stop; /* atomic */
} Merging;

static gpointer merge_on(gpointer data)
{
    Merging *merging = data;
    while (g_atomic_int_get(&merging->stop) == 0) {
        g_autoptr(GError) error = NULL;
        bool merged = false;
        mk_index_merge(merging->index, NULL, &merged, &error);
        g_assert_no_error(error);
        if (!merged)
            g_usleep(100);
    }
    return NULL;
}

/* Even numbers are alive at the end, each once. */
static gpointer search_on(gpointer data)
{
    Merging *merging = data;
    g_autoptr(MkQuery) query = mk_query_parse("gerade", NULL);
    uint64_t last = 0;
    while (g_atomic_int_get(&merging->stop) == 0) {
        MkSearch search = { .query = query, .limit = 10 };
        g_autoptr(GError) error = NULL;
        g_autoptr(MkSearchResult) result = mk_index_search(merging->index, &search, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(result->total, >=, last);
        last = result->total;
        mk_index_release_memory(merging->index);
    }
    return NULL;
}

static void test_threads(void)
{
    enum { MAILS = 120 };
    Sample sample;
    sample_init(&sample);
    Merging merging = { sample.index, 0 };
    GThread *merger = g_thread_new("merge", merge_on, &merging);
    GThread *searcher = g_thread_new("search", search_on, &merging);
    for (uint32_t number = 1; number <= MAILS; number++) {
        write_mail(sample.index, number, number % 2 == 0 ? "gerade" : "ungerade");
        if (number % 2 == 1)
            remove_mails(sample.index, number, number);
    }
    g_atomic_int_set(&merging.stop, 1);
    g_thread_join(merger);
    g_thread_join(searcher);
    for (unsigned round = 0; round < 2; round++) {
        MkSearch search = { .limit = MAILS };
        g_autoptr(MkSearchResult) result = mk_index_search(sample.index, &search, NULL);
        g_assert_cmpuint(result->total, ==, MAILS / 2);
        expect(&sample, "ungerade", "");
        sample_reopen(&sample);
    }
    sample_clear(&sample);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/index/merge/changes-meanwhile", test_changes_meanwhile);
    g_test_add_func("/index/merge/all-removed-meanwhile", test_all_removed_meanwhile);
    g_test_add_func("/index/merge/cleared-meanwhile", test_cleared_meanwhile);
    g_test_add_func("/index/merge/cancelled", test_cancelled);
    g_test_add_func("/index/merge/disk-full", test_disk_full);
    g_test_add_func("/index/merge/lost-end", test_lost_end);
    g_test_add_func("/index/merge/few-segments", test_few_segments);
    g_test_add_func("/index/merge/threads", test_threads);
    return g_test_run();
}
