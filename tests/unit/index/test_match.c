/*
 * test_match.c - rows of words of every frequency, in so many mails that groups, widths of gaps and
 * positions of all sizes occur; what must be found is told by reading the mails word by word
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "samples.h"

enum { MAILS = 50000, WORDS_MAX = 90, VOCABULARY = 6 };

static const char *const vocabulary[VOCABULARY] = {
    "every", "most", "many", "some", "few", "rare"
};
static const unsigned below[VOCABULARY] = { 6000, 9000, 9700, 9950, 9996, 10000 };

static unsigned word_count(uint32_t number)
{
    return number % 16 == 0 ? WORDS_MAX : 1 + number % 5;
}

/* Which word stands there: any function will do that is the same each time. */
static unsigned word_at(uint32_t number, unsigned place)
{
    uint32_t hash = (number * 2654435761u) ^ (place * 2246822519u);
    unsigned share, word = 0;

    hash = (hash ^ hash >> 15) * 3266489917u;
    share = (hash ^ hash >> 13) % 10000; /* as below[] counts */
    while (share >= below[word])
        word++;
    return word;
}

static void fill(Sample *sample)
{
    MkIndexWriter *writer = mk_index_writer_new(sample->index);
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) body = g_string_new(NULL);

    for (uint32_t number = 1; number <= MAILS; number++) {
        MkIndexDoc doc = { .number = number, .date_unix_ms = number };

        g_string_truncate(body, 0);
        for (unsigned i = 0; i < word_count(number); i++)
            g_string_append_printf(body, "%s ", vocabulary[word_at(number, i)]);
        const char *const bodies[] = { body->str, NULL };
        doc.values[MK_FIELD_BODY] = bodies;
        mk_index_writer_add(writer, &doc);
    }
    mk_index_writer_commit(writer, MAILS, &error);
    g_assert_no_error(error);
}

/* @row: words by number, VOCABULARY for any. */
static bool has_row(uint32_t number, const unsigned *row, unsigned length)
{
    unsigned count = word_count(number);

    for (unsigned from = 0; from + length <= count; from++) {
        unsigned i = 0;

        while (i < length && (row[i] == VOCABULARY || row[i] == word_at(number, from + i)))
            i++;
        if (i == length)
            return true;
    }
    return false;
}

static void expect(Sample *sample, const unsigned *row, unsigned length)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(MkQuery) query = NULL;
    g_autoptr(MkSearchResult) result = NULL;
    uint64_t total = 0;

    for (unsigned i = 0; i < length; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? "." : "",
                               row[i] == VOCABULARY ? "*" : vocabulary[row[i]]);
    g_test_message("%s", text->str);
    query = mk_query_parse(text->str, &error);
    g_assert_no_error(error);
    MkSearch search = { .query = query, .ascending = true, .limit = MK_LIMIT_SEARCH_PAGE };
    result = mk_index_search(sample->index, &search, &error);
    g_assert_no_error(error);
    for (uint32_t number = 1; number <= MAILS; number++) {
        if (!has_row(number, row, length))
            continue;
        if (total < result->hits->len)
            g_assert_cmpuint(((MkHit *) result->hits->pdata[total])->number, ==, number);
        total++;
    }
    g_assert_cmpuint(result->total, ==, total);
}

static void test_rows(void)
{
    Sample sample;

    sample_init(&sample);
    fill(&sample);
    for (unsigned a = 0; a < VOCABULARY; a++) {
        expect(&sample, (const unsigned[]){ a }, 1);
        for (unsigned b = 0; b < VOCABULARY; b++) {
            expect(&sample, (const unsigned[]){ a, b }, 2);
            expect(&sample, (const unsigned[]){ a, VOCABULARY, b }, 3);
            expect(&sample, (const unsigned[]){ a, b, (a + b) % 3 }, 3);
        }
    }
    expect(&sample, (const unsigned[]){ 0, 5, 0, 1 }, 4);
    expect(&sample, (const unsigned[]){ 0, 1, VOCABULARY, VOCABULARY, 4 }, 5);
    sample_clear(&sample);
}

/* -- wildcards that very many words fit ------------------------------------------------------------ */
enum { LISTS = 170, LIST_WORDS = 1000, SUBJECTS = 4 };

/* As many different words with "part" inside, and at the end, as the index gathers by its reversed dictionary, and more. */
static void fill_lists(Sample *sample)
{
    static const char *const subjects[SUBJECTS] = { "aparta", "zzpartzz", "nothing", "zzpart" };
    MkIndexWriter *writer = mk_index_writer_new(sample->index);
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) body = g_string_new(NULL);

    for (uint32_t number = 1; number <= LISTS; number++) {
        MkIndexDoc doc = { .number = number, .date_unix_ms = number };

        g_string_truncate(body, 0);
        for (uint32_t i = 0; i < LIST_WORDS; i++)
            g_string_append_printf(body, "m%upart%upart ", (unsigned) number, (unsigned) i);
        const char *const bodies[] = { body->str, NULL };
        const char *const subject[] = { number <= SUBJECTS ? subjects[number - 1] : "", NULL };
        doc.values[MK_FIELD_BODY] = bodies;
        doc.values[MK_FIELD_SUBJECT] = subject;
        mk_index_writer_add(writer, &doc);
    }
    mk_index_writer_commit(writer, LISTS, &error);
    g_assert_no_error(error);
}

static void expect_mails(Sample *sample, const char *text, const uint32_t *numbers, unsigned count)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkQuery) query = mk_query_parse(text, &error);
    MkSearch search = { .query = query, .ascending = true, .limit = MK_LIMIT_SEARCH_PAGE };
    g_autoptr(MkSearchResult) result = mk_index_search(sample->index, &search, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(result->total, ==, count);
    for (unsigned i = 0; i < count; i++)
        g_assert_cmpuint(((MkHit *) result->hits->pdata[i])->number, ==, numbers[i]);
}

/* None of those of the subject is forgotten over the others, wherever they stand in the order. */
static void test_many_words(void)
{
    static const uint32_t inside[] = { 1, 2, 4 }, behind[] = { 4 };
    Sample sample;

    G_STATIC_ASSERT(LISTS * LIST_WORDS > 8 * MK_LIMIT_WILDCARD_TERMS);
    sample_init(&sample);
    fill_lists(&sample);
    expect_mails(&sample, "subject:*part*", inside, G_N_ELEMENTS(inside));
    expect_mails(&sample, "subject:*part", behind, G_N_ELEMENTS(behind));
    sample_clear(&sample);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/index/match/rows", test_rows);
    g_test_add_func("/index/match/many-words", test_many_words);
    return g_test_run();
}
