/*
 * index_build.c - how fast mails get into the index and searches come back
 *
 *   index_build [MAILS [BATCH]]      default 20000 mails, 1000 a commit
 *
 * Words are drawn by Zipf's law from made-up German-looking ones; a mail has about 4 kB of text.
 * CPU time, so other work on the machine hardly shows.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <glib/gstdio.h>

#include <mailkeep/index.h>

#define VOCABULARY 200000
#define WORDS_A_MAIL 600
#define MAP_BYTES (UINT64_C(16) << 30)

static char *vocabulary[VOCABULARY];
static uint64_t seed = 42;

static uint32_t random_below(uint32_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t) ((seed >> 33) * below >> 31);
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static void make_vocabulary(void)
{
    static const char *const parts[] = { "an",  "be", "ch",   "der", "ein", "fahr", "ge",  "haus",
                                         "in",  "ka", "lich", "mä",  "ne",  "ö",    "pf",  "rech",
                                         "sch", "te", "un",   "ver", "wer", "zü",   "ung", "en" };
    for (unsigned i = 0; i < VOCABULARY; i++) {
        GString *word = g_string_new(NULL);
        for (unsigned k = 1 + random_below(4); k > 0; k--)
            g_string_append(word, parts[random_below(G_N_ELEMENTS(parts))]);
        if (i > 2000)
            g_string_append_printf(word, "%s%u", parts[i % G_N_ELEMENTS(parts)], i % 977);
        vocabulary[i] = g_string_free(word, FALSE);
    }
}

/* Rank by Zipf's law, roughly: the logarithm of the rank is even. */
static const char *zipf_word(void)
{
    double u = (double) random_below(1u << 30) / (1u << 30);
    unsigned rank = (unsigned) pow(VOCABULARY, u);
    return vocabulary[MIN(rank, VOCABULARY - 1)];
}

static char *make_text(unsigned words)
{
    GString *text = g_string_sized_new(words * 8);
    for (unsigned i = 0; i < words; i++) {
        g_string_append(text, zipf_word());
        g_string_append(text, i % 12 == 11 ? ".\r\n" : " ");
    }
    return g_string_free(text, FALSE);
}

static void add_mail(MkIndexWriter *writer, uint32_t number, const char *body)
{
    g_autofree char *subject = make_text(6);
    g_autofree char *from =
        g_strdup_printf("Person %u <p%u@firma%u.example>", number % 50, number % 50, number % 7);
    g_autofree char *to = g_strdup_printf("p%u@firma.example", number % 83);
    const char *const bodies[] = { body, NULL }, *const froms[] = { from, NULL };
    const char *const tos[] = { to, NULL }, *const subjects[] = { subject, NULL };
    uint32_t folders[2] = { 1 + number % 40, 60 + number % 10 };
    MkIndexDoc doc = { .number = number,
                       .date_unix_ms = INT64_C(1700000000000) + number * INT64_C(61000),
                       .archived_unix_ms = INT64_C(1700000000000) + number * INT64_C(61500),
                       .size_bytes = 5000 + number % 3000,
                       .folders = folders,
                       .folder_count = 2,
                       .subject = subject,
                       .from = from,
                       .to = to };
    doc.values[MK_FIELD_BODY] = bodies;
    doc.values[MK_FIELD_FROM] = froms;
    doc.values[MK_FIELD_TO] = tos;
    doc.values[MK_FIELD_SUBJECT] = subjects;
    mk_index_writer_add(writer, &doc);
}

static void fail_on(GError *error)
{
    if (error == NULL)
        return;
    fprintf(stderr, "index_build: %s\n", error->message);
    exit(1);
}

static void build(MkIndex *index, uint32_t mails, uint32_t batch)
{
    double adding = 0, committing = 0, merging = 0;
    uint64_t text_bytes = 0;
    size_t most_memory = 0;
    for (uint32_t number = 1; number <= mails;) {
        GError *error = NULL;
        bool merged = true;
        MkIndexWriter *writer = mk_index_writer_new(index);
        for (uint32_t i = 0; i < batch && number <= mails; i++, number++) {
            g_autofree char *body = make_text(WORDS_A_MAIL);
            text_bytes += strlen(body);
            double start = cpu_seconds();
            add_mail(writer, number, body);
            adding += cpu_seconds() - start;
        }
        most_memory = MAX(most_memory, mk_index_writer_memory_bytes(writer));
        double start = cpu_seconds();
        mk_index_writer_commit(writer, number, &error);
        fail_on(error);
        committing += cpu_seconds() - start;
        start = cpu_seconds();
        while (merged && error == NULL)
            mk_index_merge(index, NULL, &merged, &error);
        fail_on(error);
        merging += cpu_seconds() - start;
    }
    printf("%u mails, %.1f kB of text each\n", mails, (double) text_bytes / mails / 1000);
    printf("add    %7.1f us a mail\ncommit %7.1f us a mail\nmerge  %7.1f us a mail\n",
           adding / mails * 1e6, committing / mails * 1e6, merging / mails * 1e6);
    printf("%.0f mails a second of CPU without merging\n", mails / (adding + committing));
    printf("writer's memory at most %.1f MB\n", (double) most_memory / 1e6);
    MkIndexStatistics statistics;
    if (mk_index_statistics(index, &statistics, NULL))
        printf("%.1f MB on disk, %.2f of the text, %u segments\n",
               (double) statistics.size_bytes / 1e6,
               (double) statistics.size_bytes / (double) text_bytes,
               (unsigned) statistics.segment_count);
}

static void search(MkIndex *index, const char *label, const char *text, MkSort sort)
{
    enum { ROUNDS = 20 };
    g_autoptr(MkQuery) query = mk_query_parse(text, NULL);
    MkSearch what = { .query = query, .limit = 50, .sort = sort };
    uint64_t total = 0;
    double start = cpu_seconds();
    for (unsigned i = 0; i < ROUNDS; i++) {
        GError *error = NULL;
        g_autoptr(MkSearchResult) result = mk_index_search(index, &what, &error);
        fail_on(error);
        total = result->total;
    }
    printf("%-28s %8.2f ms  %7u hits\n", label, (cpu_seconds() - start) / ROUNDS * 1000,
           (unsigned) total);
}

int main(int argc, char **argv)
{
    static const uint8_t bytes[MK_KEY_BYTES] = { 1 };
    uint32_t mails = argc > 1 ? (uint32_t) atoi(argv[1]) : 20000;
    uint32_t batch = argc > 2 ? (uint32_t) atoi(argv[2]) : 1000;
    GError *error = NULL;
    mk_crypto_init(&error);
    fail_on(error);
    g_autofree char *dir = g_dir_make_tmp("mailkeep-bench-XXXXXX", NULL);
    g_autoptr(MkKey) key = mk_key_new_from(bytes);
    MkIndex *index = mk_index_open(dir, key, MAP_BYTES, &error);
    fail_on(error);

    make_vocabulary();
    build(index, mails, batch);
    g_autofree char *phrase = g_strdup_printf("\"%s %s\"", vocabulary[1], vocabulary[2]);
    g_autofree char *rare = g_strdup(vocabulary[VOCABULARY - 5]);
    search(index, "rare word", rare, MK_SORT_DATE);
    search(index, "frequent word", vocabulary[1], MK_SORT_DATE);
    search(index, "two frequent words", "p7 firma3", MK_SORT_DATE);
    search(index, "phrase of frequent words", phrase, MK_SORT_DATE);
    search(index, "prefix rech*", "rechung1*", MK_SORT_DATE);
    search(index, "ending *ung17", "*ung17", MK_SORT_DATE);
    search(index, "inside *fahrung17*", "*fahrung17*", MK_SORT_DATE);
    search(index, "all, by date", "", MK_SORT_DATE);
    search(index, "all, by subject", "", MK_SORT_SUBJECT);

    mk_index_close(index);
    g_autofree char *data = g_build_filename(dir, "data.mdb", NULL);
    g_autofree char *lock = g_build_filename(dir, "lock.mdb", NULL);
    g_unlink(data);
    g_unlink(lock);
    g_rmdir(dir);
    for (unsigned i = 0; i < VOCABULARY; i++)
        g_free(vocabulary[i]);
    return 0;
}
