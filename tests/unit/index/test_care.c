/*
 * test_care.c - reopening, replacing, sorting over segments, damage, and what lies in the file
 */
#include <stdio.h>
#include <string.h>

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
static GBytes *read_file(const Sample *sample)
{
    g_autofree char *path = sample_file(sample);
    char *data;
    gsize length;
    g_assert_true(g_file_get_contents(path, &data, &length, NULL));
    return g_bytes_new_take(data, length);
}

static void test_nothing_readable(void)
{
    static const char *const secrets[] = { "xylofonkonzert", "Xylofonkonzert", "quittungsnummer",
                                           "treznoknofolyx", "hinterhofadresse" };
    SampleMail mail = { .number = 1,
                        .subject = "Xylofonkonzert",
                        .body = "Quittungsnummer",
                        .from = "hinterhofadresse@example.com" };
    Sample sample;
    sample_init(&sample);
    add_one(&sample, &mail, 1);
    expect(&sample, "xylofonkonzert", "1");
    g_clear_pointer(&sample.index, mk_index_close);
    g_autoptr(GBytes) file = read_file(&sample);
    gsize length;
    const char *data = g_bytes_get_data(file, &length);
    for (size_t i = 0; i < G_N_ELEMENTS(secrets); i++)
        g_assert_null(memmem(data, length, secrets[i], strlen(secrets[i])));
    sample_clear(&sample);
}

/* Finds the bits to flip by their surroundings: blocks are random octets, pages mostly are not. */
static void flip(const Sample *sample, gsize offset)
{
    g_autofree char *path = sample_file(sample);
    FILE *file = fopen(path, "r+b");
    g_assert_nonnull(file);
    g_assert_cmpint(fseek(file, (long) offset, SEEK_SET), ==, 0);
    int octet = fgetc(file);
    g_assert_cmpint(fseek(file, (long) offset, SEEK_SET), ==, 0);
    fputc(octet ^ 0x10, file);
    fclose(file);
}

static char *open_and_find(Sample *sample, const char *query)
{
    g_autoptr(GError) error = NULL;
    sample->index = mk_index_open(sample->dir, sample->key, UINT64_C(1) << 30, &error);
    if (sample->index == NULL)
        return g_ascii_strup(mk_error_name(mk_error_code(error)), -1);
    return sample_find(sample, query, true);
}

/*
 * A flipped bit in a value is an error or hits what the search did not read; a wrong answer it
 * never is. (Bits of LMDB's own pages are another matter; offsets in values only are taken: the
 * large pages behind the tree, in which a block lies behind sixteen octets.)
 */
static void test_flipped_bits(void)
{
    Sample sample;
    GString *body = g_string_new("nadel ");
    unsigned corrupt = 0, flips = 0;
    for (unsigned i = 0; i < 20000; i++)
        g_string_append_printf(body, "wort%u ", i);
    SampleMail mail = { .number = 1, .subject = "heu", .body = body->str };
    sample_init(&sample);
    add_one(&sample, &mail, 1);
    g_clear_pointer(&sample.index, mk_index_close);
    g_autoptr(GBytes) file = read_file(&sample);
    gsize length;
    const uint8_t *data = g_bytes_get_data(file, &length);

    for (gsize page = 2 * 4096; page + 4096 <= length; page += 4096) {
        uint16_t flags;
        memcpy(&flags, data + page + 10, sizeof flags);
        if (flags != 0x04) /* P_OVERFLOW: a block begins here */
            continue;
        flip(&sample, page + 16 + 1000);
        g_autofree char *word = open_and_find(&sample, "nadel wort4711");
        bool damaged = strcmp(word, "CORRUPT") == 0;
        g_assert_true(damaged || strcmp(word, "1") == 0);
        if (sample.index != NULL) {
            uint64_t blocks = 0, errors = 0;
            g_assert_true(mk_index_verify(sample.index, &blocks, &errors, NULL));
            g_assert_cmpuint(errors, ==, 1);
        }
        g_clear_pointer(&sample.index, mk_index_close);
        flip(&sample, page + 16 + 1000);
        corrupt += damaged;
        flips++;
    }
    g_assert_cmpuint(flips, >, 10);
    g_assert_cmpuint(corrupt, >, 0);
    g_autofree char *whole = open_and_find(&sample, "nadel wort4711");
    g_assert_cmpstr(whole, ==, "1");
    g_string_free(body, TRUE);
    sample_clear(&sample);
}

/* -- what a write that did not come to its end leaves behind ------------------------------------ */
static uint64_t block_rows(Sample *sample)
{
    g_auto(MkReadTxn) txn = MK_TXN_INIT;
    uint64_t count = 0;
    g_assert_true(mk_read_txn_begin(&txn, sample->index->db, NULL));
    g_assert_true(mk_db_count(&txn, TABLE_BLOCKS, &count, NULL));
    return count;
}

static void leave_half_a_segment(Sample *sample)
{
    g_auto(MkWriteTxn) txn = MK_TXN_INIT;
    MkSegmentInfo info;
    const MkSegmentDoc doc = { .number = 50, .texts = { "a", "b", "c" } };
    g_assert_true(mk_write_txn_begin(&txn, sample->index->db, NULL));
    g_autoptr(MkSegmentWriter) writer = mk_segment_writer_new(sample->index->db, &txn, 1000);
    g_assert_true(mk_segment_writer_doc(writer, &doc, NULL));
    g_assert_true(mk_segment_writer_end(writer, &info, NULL));
    g_assert_true(mk_write_txn_commit(&txn, NULL));
}

static void test_sweeps_leftovers(void)
{
    Sample sample;
    sample_init(&sample);
    sample_fill(&sample, false);
    uint64_t rows = block_rows(&sample);
    leave_half_a_segment(&sample);
    g_assert_cmpuint(block_rows(&sample), >, rows);
    expect(&sample, "", "1 2 3 4 5 6 7 8 9");
    sample_reopen(&sample);
    g_assert_cmpuint(block_rows(&sample), ==, rows);
    expect(&sample, "", "1 2 3 4 5 6 7 8 9");
    sample_clear(&sample);
}

/* A segment larger than one transaction is whole. */
static void test_large_segment(void)
{
    Sample sample;
    uint64_t blocks = 0, errors = 0;
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
    g_assert_cmpuint(statistics.size_bytes, >, MK_INDEX_TXN_BYTES);
    g_assert_true(mk_index_verify(sample.index, &blocks, &errors, NULL));
    g_assert_cmpuint(errors, ==, 0);
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
    g_test_add_func("/index/care/sweeps-leftovers", test_sweeps_leftovers);
    g_test_add_func("/index/care/large-segment", test_large_segment);
    g_test_add_func("/index/care/wrong-key", test_wrong_key);
    return g_test_run();
}
