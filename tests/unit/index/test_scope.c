/*
 * test_scope.c - folders of a search: in segments of more mails than are looked at one by one,
 * asked for in turn by those who may read different ones
 */
#include <mailkeep/limits.h>

#include "index/filter.h"
#include "samples.h"

#define MAILS 3000
#define FOLDERS 7

/* In which folders mail @number lies: one, or two, by a rule of its own. */
static size_t folders_of(uint32_t number, uint32_t out[2])
{
    out[0] = 10 + number % FOLDERS;
    out[1] = 100 + number % 5;
    return number % 3 == 0 ? 2 : 1;
}

static bool is_in(uint32_t number, const uint32_t *folders, size_t count)
{
    uint32_t own[2];
    size_t own_count = folders_of(number, own);
    for (size_t i = 0; i < own_count; i++)
        for (size_t k = 0; k < count; k++)
            if (own[i] == folders[k])
                return true;
    return false;
}

static void fill(Sample *sample, uint32_t first, uint32_t last, uint32_t seconds)
{
    MkIndexWriter *writer = mk_index_writer_new(sample->index);
    g_autoptr(GError) error = NULL;
    for (uint32_t number = first; number <= last; number++) {
        const char *const bodies[] = { number % 2 ? "odd common" : "even common", NULL };
        uint32_t folders[2];
        MkIndexDoc doc = { .number = number,
                           .date_unix_ms = (int64_t) number * seconds * 1000,
                           .folders = folders,
                           .folder_count = folders_of(number, folders) };
        doc.values[MK_FIELD_BODY] = bodies;
        mk_index_writer_add(writer, &doc);
    }
    mk_index_writer_commit(writer, last, &error);
    g_assert_no_error(error);
}

static void expect(Sample *sample, const char *query, const uint32_t *folders, size_t count)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkQuery) parsed = mk_query_parse(query, &error);
    MkSearch search = { .query = parsed,
                        .folders = folders,
                        .folder_count = count,
                        .sort = MK_SORT_DATE,
                        .ascending = true,
                        .limit = MK_LIMIT_SEARCH_PAGE };
    g_autoptr(MkSearchResult) result = mk_index_search(sample->index, &search, &error);
    uint64_t total = 0;

    g_assert_no_error(error);
    for (uint32_t number = 1; number <= MAILS; number++) {
        if (!is_in(number, folders, count) || (g_str_equal(query, "odd") && number % 2 == 0))
            continue;
        if (total < result->hits->len)
            g_assert_cmpuint(((MkHit *) result->hits->pdata[total])->number, ==, number);
        total++;
    }
    g_assert_cmpuint(result->total, ==, total);
    g_assert_cmpuint(result->hits->len, ==, MIN(total, MK_LIMIT_SEARCH_PAGE));
}

static void test_in_turn(void)
{
    static const uint32_t one[] = { 12 }, two[] = { 16, 101 }, none[] = { 99 };
    static const uint32_t unsorted[] = { 101, 16, 101, 12 };
    Sample sample;

    sample_init(&sample);
    fill(&sample, 1, MAILS / 2, 60);
    fill(&sample, MAILS / 2 + 1, MAILS, 60);
    for (unsigned round = 0; round < 3; round++) {
        expect(&sample, "common", one, 1);
        expect(&sample, "odd", two, 2);
        expect(&sample, "common", none, 1);
        expect(&sample, "common", unsorted, 4);
        if (round == 1)
            mk_index_release_memory(sample.index);
    }
    sample_clear(&sample);
}

/* A mail that comes to another folder is indexed again: nothing kept may know it better. */
static void test_moved(void)
{
    static const uint32_t folder = 55;
    const char *const bodies[] = { "odd common", NULL };
    MkIndexDoc doc = { .number = 7, .folders = &folder, .folder_count = 1 };
    Sample sample;
    MkIndexWriter *writer;
    g_autoptr(GError) error = NULL;
    g_autoptr(MkQuery) query = mk_query_parse("common", NULL);
    const uint32_t old = 10 + 7 % FOLDERS;
    MkSearch search = { .query = query, .folders = &old, .folder_count = 1, .limit = 1 };
    MkSearchResult *result;
    uint64_t before;

    sample_init(&sample);
    fill(&sample, 1, MAILS, 60);
    result = mk_index_search(sample.index, &search, &error);
    g_assert_no_error(error);
    before = result->total;
    mk_search_result_free(result);
    writer = mk_index_writer_new(sample.index);
    doc.values[MK_FIELD_BODY] = bodies;
    mk_index_writer_add(writer, &doc);
    mk_index_writer_commit(writer, MAILS + 1, &error);
    g_assert_no_error(error);

    result = mk_index_search(sample.index, &search, &error);
    g_assert_cmpuint(result->total, ==, before - 1);
    mk_search_result_free(result);
    search.folders = &folder;
    result = mk_index_search(sample.index, &search, &error);
    g_assert_cmpuint(result->total, ==, 1);
    mk_search_result_free(result);
    sample_clear(&sample);
}

/* What is kept for the next question is let go, and read again when that comes. */
static void test_released(void)
{
    static const uint32_t one[] = { 12 };
    Sample sample;

    sample_init(&sample);
    fill(&sample, 1, MAILS, 60);
    for (unsigned round = 0; round < 2; round++) {
        expect(&sample, "common", one, 1);
        g_assert_cmpuint(mk_block_cache_bytes(sample.index->cache), >, 0);
        g_assert_cmpuint(mk_scope_cache_bytes(sample.index->scopes), >, 0);
        mk_index_release_memory(sample.index);
        g_assert_cmpuint(mk_block_cache_bytes(sample.index->cache), ==, 0);
        g_assert_cmpuint(mk_scope_cache_bytes(sample.index->scopes), ==, 0);
    }
    sample_clear(&sample);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/index/scope/in-turn", test_in_turn);
    g_test_add_func("/index/scope/moved", test_moved);
    g_test_add_func("/index/scope/released", test_released);
    return g_test_run();
}
