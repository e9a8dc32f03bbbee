/*
 * test_rank.c - first hits of many mails against sorting all of them; the cache of blocks
 */
#include <stdlib.h>
#include <string.h>

#include <mailkeep/limits.h>

#include "index/internal.h"
#include "samples.h"

#define MAILS 6000 /* several blocks of a column, and groups of postings */

typedef struct {
    uint32_t number;
    int64_t date, archived;
    uint64_t size;
    bool rare;
} Row;

static Row rows[MAILS];

/* Dates come in runs as imports do, with many that are equal. */
static void make_rows(void)
{
    for (uint32_t i = 0; i < MAILS; i++)
        rows[i] = (Row){ .number = i + 1,
                         .date = (i / 1500 % 2 == 0 ? i % 1500 : 3000 - i % 1500) / 3 * 1000 + 1000,
                         .archived = 5000 + g_test_rand_int_range(0, 1000000),
                         .size = (uint64_t) g_test_rand_int_range(1, 500),
                         .rare = i % 701 == 5 };
}

static void write_rows(MkIndex *index, uint32_t from, uint32_t end)
{
    const char *const rare[] = { "jeder selten", NULL }, *const common[] = { "jeder", NULL };
    g_autoptr(GError) error = NULL;
    MkIndexWriter *writer = mk_index_writer_new(index);
    for (uint32_t i = from; i < end; i++) {
        MkIndexDoc doc = { .number = rows[i].number,
                           .date_unix_ms = rows[i].date,
                           .archived_unix_ms = rows[i].archived,
                           .size_bytes = rows[i].size };
        doc.values[MK_FIELD_BODY] = rows[i].rare ? rare : common;
        mk_index_writer_add(writer, &doc);
    }
    mk_index_writer_commit(writer, end, &error);
    g_assert_no_error(error);
}

/* -- the slow way -------------------------------------------------------------------------- */
static const MkSearch *sorting; /* qsort() has no cookie */

static int64_t key_of(const Row *row)
{
    switch (sorting->sort) {
    case MK_SORT_DATE: return row->date;
    case MK_SORT_ARCHIVED: return row->archived;
    case MK_SORT_SIZE: return (int64_t) row->size;
    case MK_SORT_FROM:
    case MK_SORT_SUBJECT:
    case MK_SORT_TO: break;
    }
    g_assert_not_reached();
}

static int compare_rows(const void *a, const void *b)
{
    const Row *x = a, *y = b;
    if (key_of(x) != key_of(y))
        return (key_of(x) < key_of(y)) == sorting->ascending ? -1 : 1;
    if (x->date != y->date)
        return x->date > y->date ? -1 : 1;
    return (x->number < y->number) - (x->number > y->number);
}

static GArray *slow_search(const MkSearch *search, bool rare)
{
    GArray *found = g_array_new(FALSE, FALSE, sizeof(Row));
    for (uint32_t i = 0; i < MAILS; i++) {
        bool dated = search->date_from_unix_ms == 0 || (rows[i].date >= search->date_from_unix_ms &&
                                                        rows[i].date <= search->date_to_unix_ms);
        if (dated && (!rare || rows[i].rare))
            g_array_append_val(found, rows[i]);
    }
    sorting = search;
    if (found->len > 1)
        qsort(found->data, found->len, sizeof(Row), compare_rows);
    return found;
}

static void compare_search(MkIndex *index, MkSearch *search, bool rare)
{
    g_autoptr(MkQuery) query = mk_query_parse(rare ? "jeder selten" : "jeder", NULL);
    g_autoptr(GError) error = NULL;
    search->query = query;
    g_autoptr(MkSearchResult) result = mk_index_search(index, search, &error);
    g_autoptr(GArray) wanted = slow_search(search, rare);
    g_assert_no_error(error);
    g_assert_cmpuint(result->total, ==, wanted->len);
    guint start = (guint) MIN(search->offset, wanted->len);
    g_assert_cmpuint(result->hits->len, ==, MIN(search->limit, wanted->len - start));
    for (guint i = 0; i < result->hits->len; i++) {
        const MkHit *hit = result->hits->pdata[i];
        g_assert_cmpuint(hit->number, ==, g_array_index(wanted, Row, start + i).number);
    }
}

static void test_first_hits(void)
{
    static const MkSort sorts[] = { MK_SORT_DATE, MK_SORT_ARCHIVED, MK_SORT_SIZE };
    static const int64_t ranges[][2] = {
        { 0, 0 }, { 100000, 700000 }, { 401000, 401000 }, { 1, 2 }
    };
    Sample sample;
    sample_init(&sample);
    make_rows();
    write_rows(sample.index, 0, 4100);
    write_rows(sample.index, 4100, 5000);
    write_rows(sample.index, 5000, MAILS);
    for (unsigned i = 0; i < 2 * 2 * 2 * 3 * 4; i++) {
        const int64_t *range = ranges[i / 24];
        MkSearch search = { .sort = sorts[i / 8 % 3],
                            .ascending = i % 2 == 1,
                            .limit = 50,
                            .offset = i / 2 % 2 == 0 ? 0 : 1990,
                            .date_from_unix_ms = range[0],
                            .date_to_unix_ms = range[1] };
        compare_search(sample.index, &search, i / 4 % 2 == 1);
    }
    sample_clear(&sample);
}

/* -- the cache ------------------------------------------------------------------------------ */
static void add_block(MkBlockCache *cache, uint32_t number, uint32_t length)
{
    g_autoptr(MkBlock) block = mk_block_new(length);
    memset(block->data, (int) number, length);
    mk_block_cache_add(cache, 7, STREAM_DOCS, number, block);
}

static bool has_block(MkBlockCache *cache, uint32_t segment_id, uint32_t number)
{
    g_autoptr(MkBlock) block = mk_block_cache_find(cache, segment_id, STREAM_DOCS, number);
    g_assert_true(block == NULL || block->data[0] == (uint8_t) number);
    return block != NULL;
}

static void test_cache(void)
{
    enum { LIMIT = 10000 };
    MkBlockCache *cache = mk_block_cache_new(LIMIT);
    for (uint32_t i = 0; i < 100; i++) {
        add_block(cache, i, 1000);
        g_assert_cmpuint(mk_block_cache_bytes(cache), <=, LIMIT);
        g_assert_true(has_block(cache, 7, i));
        g_assert_true(has_block(cache, 7, 0)); /* what is used stays */
    }
    g_assert_false(has_block(cache, 7, 50));
    g_assert_false(has_block(cache, 8, 0));
    g_assert_cmpuint(mk_block_cache_bytes(cache), >, LIMIT / 2);

    /* one in use outlives its place in here */
    g_autoptr(MkBlock) held = mk_block_cache_find(cache, 7, STREAM_DOCS, 99);
    add_block(cache, 200, 2 * LIMIT);
    g_assert_cmpuint(mk_block_cache_bytes(cache), ==, 0);
    g_assert_cmpuint(held->data[999], ==, 99);
    add_block(cache, 1, 10);
    mk_block_cache_forget(cache, 8);
    g_assert_true(has_block(cache, 7, 1));
    mk_block_cache_forget(cache, 7);
    g_assert_false(has_block(cache, 7, 1));
    mk_block_cache_free(cache);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/index/rank/first-hits", test_first_hits);
    g_test_add_func("/index/rank/cache", test_cache);
    return g_test_run();
}
