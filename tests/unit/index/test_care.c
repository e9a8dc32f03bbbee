/*
 * test_care.c - reopening, replacing, sorting over segments, damage, and what lies in the file
 */
#include <stdio.h>
#include <string.h>

#include <glib/gstdio.h>

#include <mailkeep/limits.h>

#include "index/internal.h"
#include "samples.h"

static void add_one(Sample *sample, const SampleMail *mail, uint64_t watermark)
{
    g_autoptr(GError) error = NULL;
    MkIndexWriter *writer = mk_index_writer_new(sample->index);
    sample_add(writer, mail);
    g_assert_true(mk_index_writer_commit(writer, watermark, &error));
    g_assert_no_error(error);
}

static void expect(Sample *sample, const char *query, const char *found)
{
    g_autofree char *got = sample_find(sample, query, true);
    g_assert_cmpstr(got, ==, found);
}

static void test_reopen(void)
{
    Sample sample;
    sample_init(&sample);
    g_assert_cmpuint(mk_index_watermark(sample.index), ==, 0);
    expect(&sample, "Rechnung", "");
    sample_fill(&sample, true);
    sample_reopen(&sample);
    g_assert_cmpuint(mk_index_watermark(sample.index), ==, 9);
    expect(&sample, "Rechnung", "4 5 9");

    /* a commit without mails moves the watermark only */
    g_assert_true(mk_index_writer_commit(mk_index_writer_new(sample.index), 77, NULL));
    sample_reopen(&sample);
    g_assert_cmpuint(mk_index_watermark(sample.index), ==, 77);
    expect(&sample, "", "1 2 3 4 5 6 7 8 9");

    g_assert_true(mk_index_clear(sample.index, NULL));
    g_assert_cmpuint(mk_index_watermark(sample.index), ==, 0);
    expect(&sample, "", "");
    sample_reopen(&sample);
    expect(&sample, "", "");
    sample_fill(&sample, false);
    expect(&sample, "Rechnung", "4 5 9");
    sample_clear(&sample);
}

static void test_replace_and_remove(void)
{
    Sample sample;
    MkIndexStatistics statistics;
    SampleMail mail = { .number = 4, .body = "ganz neu" };
    sample_init(&sample);
    sample_fill(&sample, false);
    add_one(&sample, &mail, 10);
    expect(&sample, "Rechnung", "5 9");
    expect(&sample, "neu", "4");
    mail.body = "noch neuer";
    add_one(&sample, &mail, 11);
    expect(&sample, "neu", "");
    expect(&sample, "neuer", "4");

    MkIndexWriter *writer = mk_index_writer_new(sample.index);
    mk_index_writer_remove(writer, 4);
    mk_index_writer_remove(writer, 9);
    mk_index_writer_remove(writer, 1000);
    g_assert_true(mk_index_writer_commit(writer, 12, NULL));
    expect(&sample, "", "1 2 3 5 6 7 8");
    g_assert_true(mk_index_statistics(sample.index, &statistics, NULL));
    g_assert_cmpuint(statistics.mail_count, ==, 7);
    g_assert_cmpuint(statistics.segment_count, ==, 1); /* those that ran empty are gone */

    /* within one writer the last word counts */
    writer = mk_index_writer_new(sample.index);
    mail.number = 20;
    sample_add(writer, &mail);
    mk_index_writer_remove(writer, 20);
    mail.number = 21;
    mk_index_writer_remove(writer, 21);
    sample_add(writer, &mail);
    mail.body = "zuletzt";
    sample_add(writer, &mail);
    g_assert_true(mk_index_writer_commit(writer, 13, NULL));
    expect(&sample, "noch", "");
    expect(&sample, "zuletzt", "21");
    sample_reopen(&sample);
    expect(&sample, "", "1 2 3 5 6 7 8 21");
    sample_clear(&sample);
}

/* Searches go on while a merge takes their segments away: the old view stays whole. */
static void test_merge_equals(void)
{
    static const char *const queries[] = {
        "Auto*",  "*example.com", "Rechnung -subject:Rechnung", "\"Microsoft Windows\"",
        "-ZDNet", "bcc:*"
    };
    Sample sample;
    char *before[G_N_ELEMENTS(queries)];
    bool merged = false;
    sample_init(&sample);
    sample_fill(&sample, true);
    for (size_t i = 0; i < G_N_ELEMENTS(queries); i++)
        before[i] = sample_find(&sample, queries[i], true);
    g_assert_true(mk_index_merge(sample.index, NULL, &merged, NULL));
    g_assert_true(merged);
    MkIndexStatistics statistics;
    g_assert_true(mk_index_statistics(sample.index, &statistics, NULL));
    g_assert_cmpuint(statistics.segment_count, ==, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(queries); i++) {
        expect(&sample, queries[i], before[i]);
        g_free(before[i]);
    }
    g_assert_true(mk_index_merge(sample.index, NULL, &merged, NULL));
    g_assert_false(merged);
    sample_clear(&sample);
}

/* -- threads ------------------------------------------------------------------------------ */
typedef struct {
    MkIndex *index;
    int stop;
    gint searches; /* atomic */
} Searching;

static gpointer search_on(gpointer data)
{
    Searching *searching = data;
    g_autoptr(MkQuery) query = mk_query_parse("m* -zzz", NULL);
    uint64_t last = 0;
    while (g_atomic_int_get(&searching->stop) == 0) {
        MkSearch search = { .query = query, .limit = 20, .sort = MK_SORT_SUBJECT };
        g_autoptr(GError) error = NULL;
        g_autoptr(MkSearchResult) result = mk_index_search(searching->index, &search, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(result->total, >=, last); /* mails only come */
        last = result->total;
        g_atomic_int_inc(&searching->searches);
    }
    return NULL;
}

static void test_searches_beside_writing(void)
{
    Sample sample;
    sample_init(&sample);
    Searching searching[2] = { { .index = sample.index }, { .index = sample.index } };
    GThread *threads[2];
    for (unsigned i = 0; i < 2; i++)
        threads[i] = g_thread_new("search", search_on, &searching[i]);
    for (uint32_t i = 1; i <= 60; i++) {
        bool merged;
        SampleMail mail = { .number = i, .subject = "mail", .body = "mail m" };
        add_one(&sample, &mail, i);
        g_assert_true(mk_index_merge(sample.index, NULL, &merged, NULL));
    }
    for (unsigned i = 0; i < 2; i++) {
        /* On a busy machine a thread may not have had its turn yet. */
        for (unsigned ms = 0; g_atomic_int_get(&searching[i].searches) == 0 && ms < 60000; ms++)
            g_usleep(1000);
        g_atomic_int_set(&searching[i].stop, 1);
        g_thread_join(threads[i]);
        g_assert_cmpuint(searching[i].searches, >, 0);
    }
    expect(&sample, "mail -m", "");
    sample_clear(&sample);
}

/* -- on disk ------------------------------------------------------------------------------ */
static void expect_nothing_readable(const char *path)
{
    static const char *const secrets[] = { "xylofonkonzert", "Xylofonkonzert", "quittungsnummer",
                                           "treznoknofolyx", "hinterhofadresse" };
    g_autofree char *data = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(path, &data, &length, NULL));
    g_assert_cmpuint(length, >, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(secrets); i++)
        g_assert_null(memmem(data, length, secrets[i], strlen(secrets[i])));
}

static void test_nothing_readable(void)
{
    SampleMail mail = { .number = 1,
                        .subject = "Xylofonkonzert",
                        .body = "Quittungsnummer",
                        .from = "hinterhofadresse@example.com" };
    Sample sample;
    sample_init(&sample);
    add_one(&sample, &mail, 1);
    expect(&sample, "xylofonkonzert", "1");
    g_clear_pointer(&sample.index, mk_index_close);
    g_autoptr(GPtrArray) segments = sample_segments(&sample);
    g_autofree char *database = g_build_filename(sample.dir, "data.mdb", NULL);
    g_assert_cmpuint(segments->len, ==, 1);
    expect_nothing_readable(segments->pdata[0]);
    expect_nothing_readable(database);
    sample_clear(&sample);
}

static void flip(const char *path, gsize offset)
{
    FILE *file = fopen(path, "r+b");
    g_assert_nonnull(file);
    g_assert_cmpint(fseek(file, (long) offset, SEEK_SET), ==, 0);
    int octet = fgetc(file);
    g_assert_cmpint(fseek(file, (long) offset, SEEK_SET), ==, 0);
    fputc(octet ^ 0x10, file);
    fclose(file);
}

static gsize file_length(const char *path)
{
    g_autofree char *data = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(path, &data, &length, NULL));
    return length;
}

static void expect_errors(Sample *sample, uint64_t wanted)
{
    uint64_t blocks = 0, errors = 0;
    g_assert_true(mk_index_verify(sample->index, &blocks, &errors, NULL));
    g_assert_cmpuint(blocks, >, 0);
    g_assert_cmpuint(errors, ==, wanted);
}

static void fill_with_words(Sample *sample)
{
    g_autoptr(GString) body = g_string_new("nadel ");
    for (unsigned i = 0; i < 5000; i++)
        g_string_append_printf(body, "wort%u ", i);
    SampleMail mail = { .number = 1, .subject = "heu", .body = body->str };
    add_one(sample, &mail, 1);
}

/*
 * A flipped bit anywhere in a segment's file is found by verification, whether the index is open
 * or opened anew; a search that comes upon it says so, and a wrong answer there never is.
 */
static void test_flipped_bits(void)
{
    Sample sample;
    unsigned corrupt = 0, right = 0;
    sample_init(&sample);
    fill_with_words(&sample);
    g_autoptr(GPtrArray) segments = sample_segments(&sample);
    const char *path = segments->pdata[0];
    gsize length = file_length(path), stride = length / 60;

    for (gsize offset = 0; offset < length; offset += offset + stride < length ? stride : 1) {
        flip(path, offset);
        expect_errors(&sample, 1);
        sample_reopen(&sample);
        expect_errors(&sample, 1);
        g_autofree char *word = sample_find(&sample, "nadel wort4711", true);
        bool damaged = strcmp(word, "CORRUPT") == 0;
        g_assert_true(damaged || strcmp(word, "1") == 0);
        flip(path, offset);
        corrupt += damaged;
        right += !damaged;
        if (length - offset < 8)
            break;
    }
    g_assert_cmpuint(corrupt, >, 0);
    g_assert_cmpuint(right, >, 0);
    sample_reopen(&sample);
    expect_errors(&sample, 0);
    expect(&sample, "nadel wort4711", "1");
    sample_clear(&sample);
}

/* Each of them: the file too short, too long, or not there. */
static void test_wrong_length(void)
{
    Sample sample;
    sample_init(&sample);
    fill_with_words(&sample);
    g_autoptr(GPtrArray) segments = sample_segments(&sample);
    const char *path = segments->pdata[0];
    g_autofree char *data = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(path, &data, &length, NULL));
    const gsize lengths[] = { 0, 1, length / 2, length - 1, length + 1 };
    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autofree char *longer = g_malloc0(length + 1);
        memcpy(longer, data, length);
        g_assert_true(g_file_set_contents(path, longer, (gssize) lengths[i], NULL));
        sample_reopen(&sample);
        expect(&sample, "nadel", "CORRUPT");
        expect(&sample, "", "CORRUPT");
        expect_errors(&sample, 1);
    }
    g_unlink(path);
    sample_reopen(&sample);
    expect(&sample, "nadel", "CORRUPT");
    expect_errors(&sample, 1);
    /* emptied, it is of use again */
    g_assert_true(mk_index_clear(sample.index, NULL));
    expect(&sample, "nadel", "");
    fill_with_words(&sample);
    expect(&sample, "nadel", "1");
    sample_clear(&sample);
}

/* -- what a write that did not come to its end leaves behind ------------------------------------ */
static void test_sweeps_leftovers(void)
{
    static const char *const names[] = { "1000", "7.tmp" };
    Sample sample;
    sample_init(&sample);
    sample_fill(&sample, false);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(sample.dir, "segments", names[i], NULL);
        g_assert_true(g_file_set_contents(path, "half", -1, NULL));
    }
    sample_reopen(&sample);
    g_autoptr(GPtrArray) after = sample_segments(&sample);
    g_assert_cmpuint(after->len, ==, 1);
    expect(&sample, "", "1 2 3 4 5 6 7 8 9");
    sample_clear(&sample);
}

/* The database of another format goes, with all that it has. */
static void test_other_format(void)
{
    Sample sample;
    sample_init(&sample);
    sample_fill(&sample, false);
    {
        g_auto(MkWriteTxn) txn = MK_TXN_INIT;
        const uint8_t version[1] = { MK_INDEX_FORMAT + 1 };
        g_assert_true(mk_write_txn_begin(&txn, sample.index->db, NULL));
        g_assert_true(mk_db_put(&txn, TABLE_META, "v", 1, version, sizeof version, NULL));
        g_assert_true(mk_write_txn_commit(&txn, NULL));
    }
    sample_reopen(&sample);
    g_assert_cmpuint(mk_index_watermark(sample.index), ==, 0);
    expect(&sample, "", "");
    g_autoptr(GPtrArray) segments = sample_segments(&sample);
    g_assert_cmpuint(segments->len, ==, 0);
    sample_fill(&sample, false);
    expect(&sample, "Rechnung", "4 5 9");
    sample_clear(&sample);
}

/* A segment of many blocks is whole. */
static void test_large_segment(void)
{
    Sample sample;
    sample_init(&sample);
    MkIndexWriter *writer = mk_index_writer_new(sample.index);
    for (uint32_t number = 1; number <= 60; number++) {
        GString *body = g_string_new(NULL);
        for (uint32_t i = 0; i < 12000; i++)
            g_string_append_printf(body, "w%xq%x ", number, i * 2654435761u);
        SampleMail mail = { .number = number, .body = body->str };
        sample_add(writer, &mail);
        g_string_free(body, TRUE);
    }
    g_assert_true(mk_index_writer_commit(writer, 1, NULL));
    MkIndexStatistics statistics;
    g_assert_true(mk_index_statistics(sample.index, &statistics, NULL));
    g_assert_cmpuint(statistics.size_bytes, >, 8u << 20);
    expect_errors(&sample, 0);
    expect(&sample, "w3cq0", "60");
    sample_clear(&sample);
}

static void test_wrong_key(void)
{
    static const uint8_t bytes[MK_KEY_BYTES] = { 9 };
    Sample sample;
    g_autoptr(GError) error = NULL;
    sample_init(&sample);
    sample_fill(&sample, false);
    g_clear_pointer(&sample.index, mk_index_close);
    g_autoptr(MkKey) other = mk_key_new_from(bytes);
    g_assert_null(mk_index_open(sample.dir, other, UINT64_C(1) << 30, &error));
    g_assert_true(mk_error_code(error) == MK_ERROR_CORRUPT || mk_error_code(error) == MK_ERROR_KEY);
    sample_clear(&sample);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/index/care/reopen", test_reopen);
    g_test_add_func("/index/care/replace-and-remove", test_replace_and_remove);
    g_test_add_func("/index/care/merge-equals", test_merge_equals);
    g_test_add_func("/index/care/searches-beside-writing", test_searches_beside_writing);
    g_test_add_func("/index/care/nothing-readable", test_nothing_readable);
    g_test_add_func("/index/care/flipped-bits", test_flipped_bits);
    g_test_add_func("/index/care/wrong-length", test_wrong_length);
    g_test_add_func("/index/care/sweeps-leftovers", test_sweeps_leftovers);
    g_test_add_func("/index/care/other-format", test_other_format);
    g_test_add_func("/index/care/large-segment", test_large_segment);
    g_test_add_func("/index/care/wrong-key", test_wrong_key);
    return g_test_run();
}
