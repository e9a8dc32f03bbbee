/*
 * test_oracle.c - random mails and random searches, compared with the plain scan of scan.h
 *
 * With MAILKEEP_LONG set also 10,000 searches over 20,000 mails.
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "samples.h"
#include "scan.h"

static ScanMail *mails; /* by number */
static uint32_t mail_count;
static const MkSearch *sorting; /* for the comparison below */

/* -- mails ------------------------------------------------------------------------------- */
static void index_mail(MkIndexWriter *writer, uint32_t number)
{
    const ScanMail *mail = &mails[number];
    const char *values[MK_FIELD_COUNT][SCAN_VALUES + 1] = { 0 };
    MkIndexDoc doc = { .number = number,
                       .date_unix_ms = mail->date,
                       .archived_unix_ms = mail->archived,
                       .size_bytes = mail->size,
                       .flags = mail->flags,
                       .folders = mail->folders,
                       .folder_count = mail->folder_count,
                       .conversation = mail->conversation,
                       .copy = mail->copy,
                       .subject = mail->subject,
                       .from = mail->from,
                       .to = mail->to };
    for (unsigned field = 0; field < MK_FIELD_COUNT; field++) {
        for (unsigned v = 0; v < mail->value_count[field]; v++)
            values[field][v] = mail->values[field][v].text;
        doc.values[field] = values[field];
    }
    mk_index_writer_add(writer, &doc);
}

static void change_mail(MkIndexWriter *writer, uint32_t number, bool remove)
{
    scan_mail_clear(&mails[number]);
    if (remove) {
        mk_index_writer_remove(writer, number);
        return;
    }
    scan_mail_random(&mails[number], mail_count / 4);
    index_mail(writer, number);
}

static void commit(Sample *sample, MkIndexWriter *writer, uint64_t watermark)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(mk_index_writer_commit(writer, watermark, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(mk_index_watermark(sample->index), ==, watermark);
}

static void random_commit(Sample *sample, uint64_t watermark)
{
    MkIndexWriter *writer = mk_index_writer_new(sample->index);
    for (unsigned i = scan_pick(30); i > 0; i--)
        change_mail(writer, 1 + scan_pick(mail_count), scan_pick(5) == 0);
    commit(sample, writer, watermark);
}

static void check_statistics(Sample *sample)
{
    MkIndexStatistics statistics;
    uint64_t alive = 0, blocks, errors;
    for (uint32_t number = 1; number <= mail_count; number++)
        alive += mails[number].alive;
    g_assert_true(mk_index_statistics(sample->index, &statistics, NULL));
    g_assert_cmpuint(statistics.mail_count, ==, alive);
    g_assert_true(mk_index_verify(sample->index, &blocks, &errors, NULL));
    g_assert_cmpuint(errors, ==, 0);
}

/* -- what the scan expects ------------------------------------------------------------------- */
static int compare_mails(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *) x, b = *(const uint32_t *) y;
    return scan_compare(sorting, &mails[a], a, &mails[b], b);
}

static GArray *expected_mails(const ScanSearch *scan)
{
    GArray *expected = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (uint32_t number = 1; number <= mail_count; number++)
        if (scan_mail_matches(&mails[number], scan))
            g_array_append_val(expected, number);
    sorting = &scan->search;
    g_array_sort(expected, compare_mails);
    return expected;
}

static uint64_t group_of(const MkSearch *search, uint32_t number)
{
    switch (search->group) {
    case MK_GROUP_NONE: return 0;
    case MK_GROUP_COPIES: return mails[number].copy;
    case MK_GROUP_CONVERSATION: return mails[number].conversation;
    }
    g_assert_not_reached();
}

/* Rows of mails, GArray of uint32_t each, in order. */
static GPtrArray *expected_rows(const MkSearch *search, const GArray *expected)
{
    GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify) g_array_unref);
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < expected->len; i++) {
        uint32_t number = g_array_index(expected, uint32_t, i);
        gpointer group = GSIZE_TO_POINTER(group_of(search, number));
        GArray *row = group != NULL ? g_hash_table_lookup(seen, group) : NULL;
        if (row == NULL) {
            row = g_array_new(FALSE, FALSE, sizeof(uint32_t));
            g_ptr_array_add(rows, row);
            g_hash_table_insert(seen, group, row);
        }
        g_array_append_val(row, number);
    }
    return rows;
}

/* -- comparing ------------------------------------------------------------------------------ */
static void compare_hit(const MkSearch *search, const MkHit *hit, const GArray *row)
{
    uint32_t number = g_array_index(row, uint32_t, 0), folder;
    const ScanMail *mail = &mails[number];
    scan_mail_folder(mail, search, &folder);
    g_assert_cmpuint(hit->number, ==, number);
    g_assert_cmpint(hit->date_unix_ms, ==, mail->date);
    g_assert_cmpint(hit->archived_unix_ms, ==, mail->archived);
    g_assert_cmpuint(hit->size_bytes, ==, mail->size);
    g_assert_cmpuint(hit->flags, ==, mail->flags);
    g_assert_cmpuint(hit->folder, ==, folder);
    g_assert_cmpuint(hit->conversation, ==, mail->conversation);
    g_assert_cmpstr(hit->subject, ==, mail->subject);
    g_assert_cmpstr(hit->from, ==, mail->from);
    g_assert_cmpstr(hit->to, ==, mail->to);
    g_assert_cmpuint(hit->group_count, ==, row->len);
    guint others = hit->group_numbers != NULL ? hit->group_numbers->len : 0;
    g_assert_cmpuint(others, ==, MIN(row->len - 1, MK_LIMIT_GROUP_NUMBERS));
    for (guint i = 0; i < others; i++)
        g_assert_cmpuint(g_array_index(hit->group_numbers, uint32_t, i), ==,
                         g_array_index(row, uint32_t, i + 1));
}

static void compare_result(const ScanSearch *scan, const MkSearchResult *result)
{
    const MkSearch *search = &scan->search;
    g_autoptr(GArray) expected = expected_mails(scan);
    g_autoptr(GPtrArray) rows = expected_rows(search, expected);
    guint want = rows->len > search->offset ? rows->len - (guint) search->offset : 0;
    if (result->total != rows->len || result->mail_total != expected->len)
        g_test_message("words %s from %s recipients %s", scan->texts[0], scan->texts[1],
                       scan->texts[2]);
    g_assert_cmpuint(result->mail_total, ==, expected->len);
    g_assert_cmpuint(result->total, ==, rows->len);
    g_assert_cmpuint(result->hits->len, ==, MIN(want, search->limit));
    for (guint i = 0; i < result->hits->len; i++)
        compare_hit(search, result->hits->pdata[i], rows->pdata[i + search->offset]);
}

/* -- highlights ------------------------------------------------------------------------------ */
/* What is marked is, taken alone, marked as a whole. */
static void check_range(const MkQuery *query, unsigned fields, MkField field, const char *text,
                        const MkRange *range)
{
    g_assert_true(g_utf8_validate(text + range->offset, range->length, NULL));
    g_autoptr(GArray) again =
        mk_query_highlight(query, fields, field, text + range->offset, range->length, 10);
    g_assert_cmpuint(again->len, ==, 1);
    g_assert_cmpuint(g_array_index(again, MkRange, 0).offset, ==, 0);
    g_assert_cmpuint(g_array_index(again, MkRange, 0).length, ==, range->length);
}

static void check_snippet(const MkQuery *query, unsigned fields, MkField field, const char *text,
                          bool matches)
{
    g_autoptr(MkSnippet) snippet =
        mk_query_snippet(query, fields, field, text, strlen(text), MK_LIMIT_SNIPPET_BYTES / 2);
    g_assert_true(g_utf8_validate(snippet->text, -1, NULL));
    g_assert_cmpuint(strlen(snippet->text), <=, MK_LIMIT_SNIPPET_BYTES / 2);
    g_assert_true((snippet->ranges->len > 0) == matches);
}

static void check_value(const ScanClause *clause, const MkQuery *query, unsigned fields,
                        MkField field, const ScanValue *value)
{
    g_autoptr(GArray) ranges =
        mk_query_highlight(query, fields, field, value->text, strlen(value->text), 100);
    bool looks = mk_query_looks_at(query, fields, field);
    bool matches = looks && scan_value_matches(value, clause);
    if ((ranges->len > 0) != matches)
        g_test_message("text %s", value->text);
    g_assert_true((ranges->len > 0) == matches);
    for (guint i = 0; i < ranges->len; i++)
        check_range(query, fields, field, value->text, &g_array_index(ranges, MkRange, i));
    check_snippet(query, fields, field, value->text, matches);
}

/* Each clause marks something in just the values that it matches. */
static void check_highlight(const ScanSearch *scan, const ScanClause *clause, const ScanMail *mail)
{
    static const unsigned boxes[] = { 0, MK_FIELD_BIT(MK_FIELD_FROM),
                                      MK_FIELD_BIT(MK_FIELD_TO) | MK_FIELD_BIT(MK_FIELD_CC) |
                                          MK_FIELD_BIT(MK_FIELD_BCC) };
    g_autofree char *text = scan_clause_text(clause);
    g_autoptr(MkQuery) query = mk_query_parse(text, NULL);
    unsigned fields = clause->box == SCAN_WORDS ? scan->search.fields : boxes[clause->box];
    g_assert_nonnull(query);
    for (unsigned field = 0; field < MK_FIELD_COUNT; field++) {
        bool looks = mk_query_looks_at(query, fields, (MkField) field);
        if (field != MK_FIELD_ENVELOPE || scan->search.with_envelope)
            g_assert_true(looks == ((scan_clause_fields(scan, clause) >> field & 1) &&
                                    !clause->exclude && !scan_is_star(clause)));
        for (unsigned v = 0; v < mail->value_count[field]; v++)
            check_value(clause, query, fields, (MkField) field, &mail->values[field][v]);
    }
}

static void check_highlights(const ScanSearch *scan)
{
    for (unsigned i = 0; i < 3; i++) {
        const ScanMail *mail = &mails[1 + scan_pick(mail_count)];
        for (unsigned c = 0; mail->alive && c < scan->clause_count; c++)
            check_highlight(scan, &scan->clauses[c], mail);
    }
}

/* -- searches ------------------------------------------------------------------------------ */
static MkQuery *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    MkQuery *query = text != NULL ? mk_query_parse(text, &error) : NULL;
    g_assert_no_error(error);
    return query;
}

static void one_search(Sample *sample)
{
    ScanSearch scan;
    g_autoptr(GError) error = NULL;
    scan_search_random(&scan, &mails[1 + scan_pick(mail_count)], mail_count / 4);
    g_autoptr(MkQuery) query = parse(scan.texts[SCAN_WORDS]);
    g_autoptr(MkQuery) from = parse(scan.texts[SCAN_FROM]);
    g_autoptr(MkQuery) recipients = parse(scan.texts[SCAN_RECIPIENTS]);
    MkSearch search = scan.search;
    search.query = query;
    search.from = from;
    search.recipients = recipients;
    g_autoptr(MkSearchResult) result = mk_index_search(sample->index, &search, &error);
    g_assert_no_error(error);
    compare_result(&scan, result);
    check_highlights(&scan);
    scan_search_clear(&scan);
}

/* -- all together -------------------------------------------------------------------------- */
static void begin(Sample *sample, uint32_t count)
{
    scan_seed = (uint32_t) g_test_rand_int() | 1;
    g_test_message("seed %u", scan_seed);
    mail_count = count;
    mails = g_new0(ScanMail, count + 1);
    sample_init(sample);
}

static void end(Sample *sample)
{
    sample_clear(sample);
    for (uint32_t number = 1; number <= mail_count; number++)
        scan_mail_clear(&mails[number]);
    g_free(mails);
}

static void test_oracle(void)
{
    Sample sample;
    unsigned merges = 0;
    begin(&sample, 120);
    for (unsigned round = 0; round < 80; round++) {
        bool merged = false;
        random_commit(&sample, round + 1);
        if (scan_pick(3) == 0)
            g_assert_true(mk_index_merge(sample.index, NULL, &merged, NULL));
        merges += merged;
        if (scan_pick(6) == 0)
            sample_reopen(&sample);
        for (unsigned i = 0; i < 50; i++)
            one_search(&sample);
        check_statistics(&sample);
    }
    g_assert_cmpuint(merges, >, 0);
    end(&sample);
}

static void test_oracle_long(void)
{
    enum { MAILS = 20000, BATCH = 250, ROUNDS = 100, SEARCHES = 100 };
    Sample sample;
    uint64_t watermark = 0;
    bool merged = true;
    if (g_getenv("MAILKEEP_LONG") == NULL) {
        g_test_skip("only with MAILKEEP_LONG");
        return;
    }
    begin(&sample, MAILS);
    for (uint32_t number = 1; number <= MAILS;) {
        MkIndexWriter *writer = mk_index_writer_new(sample.index);
        for (uint32_t i = 0; i < BATCH; i++)
            change_mail(writer, number++, false);
        commit(&sample, writer, ++watermark);
        g_assert_true(mk_index_merge(sample.index, NULL, &merged, NULL));
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        random_commit(&sample, ++watermark);
        g_assert_true(mk_index_merge(sample.index, NULL, &merged, NULL));
        for (unsigned i = 0; i < SEARCHES; i++)
            one_search(&sample);
    }
    check_statistics(&sample);
    end(&sample);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/index/oracle", test_oracle);
    g_test_add_func("/index/oracle/long", test_oracle_long);
    return g_test_run();
}
