/*
 * test_oracle.c - random mails and random searches, compared with a plain scan over all mails
 *
 * The scan knows nothing of tokens, postings or columns: mails are rows of words, and it walks
 * over all of them for every search.
 */
#include <string.h>

#include "samples.h"

#define NUMBERS 120
#define VALUES 2
#define WORDS 7
#define MAX_PIECES 3
#define MAX_CLAUSES 4
#define FOLDERS 5

typedef struct {
    const char *text;  /* folded */
    const char *plain; /* without diacritics */
} Word;

static const Word vocabulary[] = {
    { "auto", "auto" },
    { "automat", "automat" },
    { "laufauto", "laufauto" },
    { "müller", "muller" },
    { "muller", "muller" },
    { "mühle", "muhle" },
    { "a", "a" },
    { "ab", "ab" },
    { "abc", "abc" },
    { "example", "example" },
    { "com", "com" },
    { "org", "org" },
    { "straße", "strasse" },
    { "x1", "x1" },
    { "éa", "ea" },
};

static const char *const patterns[] = { "auto*", "*auto", "*auto*", "m?ller", "mü*",
                                        "mu*",   "a*",    "*",      "e*e",    "*a",
                                        "*c*",   "a??*",  "x?1",    "*h*e",   "?" };

typedef struct {
    bool alive;
    int64_t date, archived;
    uint64_t size;
    uint32_t flags;
    uint32_t folders[2];
    size_t folder_count;
    unsigned value_count[MK_FIELD_COUNT];
    unsigned word_count[MK_FIELD_COUNT][VALUES];
    const Word *words[MK_FIELD_COUNT][VALUES][WORDS];
    char *subject, *from;
} Mail;

typedef struct {
    bool exclude;
    unsigned prefix; /* place in prefixes */
    unsigned piece_count;
    const char *pieces[MAX_PIECES];
} Clause;

#define BIT(field) (1u << (field))
static const struct {
    const char *text;
    unsigned fields;
    bool address;
} prefixes[] = {
    { "",
      BIT(MK_FIELD_SUBJECT) | BIT(MK_FIELD_FROM) | BIT(MK_FIELD_TO) | BIT(MK_FIELD_CC) |
          BIT(MK_FIELD_BCC) | BIT(MK_FIELD_BODY) | BIT(MK_FIELD_ATTACHMENT_NAME) |
          BIT(MK_FIELD_ATTACHMENT_TEXT) | BIT(MK_FIELD_ENVELOPE),
      false },
    { "subject:", BIT(MK_FIELD_SUBJECT), false },
    { "from:", BIT(MK_FIELD_FROM), true },
    { "to:", BIT(MK_FIELD_TO), true },
    { "cc:", BIT(MK_FIELD_CC), true },
    { "bcc:", BIT(MK_FIELD_BCC) | BIT(MK_FIELD_ENVELOPE), true },
    { "bcontent:", BIT(MK_FIELD_BODY), false },
    { "acontent:", BIT(MK_FIELD_ATTACHMENT_TEXT), false },
};

static Mail mails[NUMBERS + 1]; /* by number */
static uint32_t seed;

static unsigned pick(unsigned below)
{
    seed = seed * 1664525 + 1013904223;
    return (unsigned) ((uint64_t) (seed >> 8) * below >> 24);
}

/* -- mails ------------------------------------------------------------------------------- */
static void random_mail(Mail *mail)
{
    static const char *const texts[] = { "",      "Angebot", "angebot", "Ärger", "Re: Angebot",
                                         "Zebra", "ÄRGER",   "b",       "Bb",    "ab" };
    mail->alive = true;
    mail->date = (int64_t) pick(20) * 1000 - 5000;
    mail->archived = (int64_t) pick(1000) * 1000;
    mail->size = pick(50) == 0 ? UINT64_C(1) << 40 : pick(5000);
    mail->flags = pick(8);
    mail->folder_count = pick(3);
    mail->folders[0] = 1 + pick(FOLDERS - 1);
    mail->folders[1] = mail->folders[0] + 1;
    mail->subject = g_strdup(texts[pick(G_N_ELEMENTS(texts))]);
    mail->from = g_strdup(texts[pick(G_N_ELEMENTS(texts))]);
    for (unsigned field = 0; field < MK_FIELD_COUNT; field++) {
        mail->value_count[field] = pick(VALUES + 1);
        for (unsigned v = 0; v < mail->value_count[field]; v++) {
            mail->word_count[field][v] = pick(WORDS);
            for (unsigned w = 0; w < mail->word_count[field][v]; w++)
                mail->words[field][v][w] = &vocabulary[pick(G_N_ELEMENTS(vocabulary))];
        }
    }
}

static void forget(Mail *mail)
{
    g_free(mail->subject);
    g_free(mail->from);
    memset(mail, 0, sizeof *mail);
}

static char *value_text(const Mail *mail, unsigned field, unsigned v)
{
    static const char *const between[] = { " ", ".", "@", " - ", "\r\n" };
    GString *out = g_string_new(NULL);
    for (unsigned w = 0; w < mail->word_count[field][v]; w++) {
        const char *text = mail->words[field][v][w]->text;
        g_autofree char *upper = g_utf8_strup(text, -1);
        g_string_append(out, pick(2) == 0 || strstr(text, "ß") != NULL ? text : upper);
        g_string_append(out, between[pick(G_N_ELEMENTS(between))]);
    }
    return g_string_free(out, FALSE);
}

static void index_mail(MkIndexWriter *writer, uint32_t number)
{
    const Mail *mail = &mails[number];
    char *values[MK_FIELD_COUNT][VALUES + 1] = { 0 };
    MkIndexDoc doc = { .number = number,
                       .date_unix_ms = mail->date,
                       .archived_unix_ms = mail->archived,
                       .size_bytes = mail->size,
                       .flags = mail->flags,
                       .folders = mail->folders,
                       .folder_count = mail->folder_count,
                       .subject = mail->subject,
                       .from = mail->from };
    for (unsigned field = 0; field < MK_FIELD_COUNT; field++) {
        for (unsigned v = 0; v < mail->value_count[field]; v++)
            values[field][v] = value_text(mail, field, v);
        doc.values[field] = (const char *const *) values[field];
    }
    mk_index_writer_add(writer, &doc);
    for (unsigned field = 0; field < MK_FIELD_COUNT; field++)
        for (unsigned v = 0; v < VALUES; v++)
            g_free(values[field][v]);
}

/* -- the scan ------------------------------------------------------------------------------ */
static bool piece_matches(const char *piece, const Word *word)
{
    if (strcmp(piece, "straße") == 0) /* folds to strasse, as the mail's word does */
        piece = "strasse";
    const char *text = strcmp(word->text, "straße") == 0 ? "strasse" : word->text;
    if (strpbrk(piece, "*?") == NULL)
        return strcmp(piece, text) == 0 || strcmp(piece, word->plain) == 0;
    return g_pattern_match_simple(piece, text) || g_pattern_match_simple(piece, word->plain);
}

/* Does @clause match with its first piece on word @w of the value? */
static bool matches_at(const Mail *mail, const Clause *clause, unsigned field, unsigned v,
                       unsigned w)
{
    if (w + clause->piece_count > mail->word_count[field][v])
        return false;
    for (unsigned i = 0; i < clause->piece_count; i++)
        if (!piece_matches(clause->pieces[i], mail->words[field][v][w + i]))
            return false;
    return true;
}

static bool is_star(const Clause *clause)
{
    return clause->piece_count == 1 && strcmp(clause->pieces[0], "*") == 0;
}

/* Is the match of @length words at @w inside what a positive address clause matched? */
static bool demanded(const Mail *mail, const Clause *clauses, unsigned count, unsigned field,
                     unsigned v, unsigned w, unsigned length)
{
    for (unsigned c = 0; c < count; c++) {
        const Clause *clause = &clauses[c];
        if (clause->exclude || is_star(clause) || !prefixes[clause->prefix].address ||
            !(prefixes[clause->prefix].fields & BIT(field)))
            continue;
        for (unsigned at = 0; at <= w; at++)
            if (matches_at(mail, clause, field, v, at) && at + clause->piece_count >= w + length)
                return true;
    }
    return false;
}

static bool clause_matches(const Mail *mail, const Clause *clauses, unsigned count,
                           const Clause *clause, bool with_envelope)
{
    bool lenient = clause->exclude && clause->prefix == 0 && !is_star(clause);
    for (unsigned field = 0; field < MK_FIELD_COUNT; field++) {
        if (!(prefixes[clause->prefix].fields & BIT(field)) ||
            (field == MK_FIELD_ENVELOPE && !with_envelope))
            continue;
        for (unsigned v = 0; v < mail->value_count[field]; v++)
            for (unsigned w = 0; w < mail->word_count[field][v]; w++)
                if (matches_at(mail, clause, field, v, w) &&
                    !(lenient && demanded(mail, clauses, count, field, v, w, clause->piece_count)))
                    return true;
    }
    return false;
}

static uint32_t lowest_folder(const Mail *mail, const MkSearch *search, bool *out_seen)
{
    *out_seen = search->folders == NULL;
    for (size_t i = 0; i < mail->folder_count; i++) {
        for (size_t k = 0; k < search->folder_count; k++)
            *out_seen |= search->folders[k] == mail->folders[i];
        if (*out_seen)
            return mail->folders[i];
    }
    return 0;
}

static bool in_range(int64_t value, int64_t from, int64_t to)
{
    return (from == 0 && to == 0) || (value >= from && value <= to);
}

static bool mail_matches(const Mail *mail, const Clause *clauses, unsigned count,
                         const MkSearch *search)
{
    bool seen;
    lowest_folder(mail, search, &seen);
    for (unsigned c = 0; c < count; c++)
        if (clause_matches(mail, clauses, count, &clauses[c], search->with_envelope) ==
            clauses[c].exclude)
            return false;
    return mail->alive && seen &&
           in_range(mail->date, search->date_from_unix_ms, search->date_to_unix_ms) &&
           in_range(mail->archived, search->archived_from_unix_ms, search->archived_to_unix_ms) &&
           mail->size >= search->size_min_bytes &&
           (search->size_max_bytes == 0 || mail->size <= search->size_max_bytes) &&
           (mail->flags & search->flags_set) == search->flags_set &&
           (mail->flags & search->flags_clear) == 0;
}

static const MkSearch *sorting; /* for the comparison below */

static int compare_texts(const char *a, const char *b)
{
    g_autofree char *x = g_utf8_casefold(a, -1), *y = g_utf8_casefold(b, -1);
    return strcmp(x, y);
}

static int compare_keys(const Mail *a, const Mail *b)
{
    switch (sorting->sort) {
    case MK_SORT_DATE: return (a->date > b->date) - (a->date < b->date);
    case MK_SORT_FROM: return compare_texts(a->from, b->from);
    case MK_SORT_SUBJECT: return compare_texts(a->subject, b->subject);
    case MK_SORT_SIZE: return (a->size > b->size) - (a->size < b->size);
    case MK_SORT_ARCHIVED: return (a->archived > b->archived) - (a->archived < b->archived);
    }
    g_assert_not_reached();
}

static int compare_mails(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *) x, b = *(const uint32_t *) y;
    int order = compare_keys(&mails[a], &mails[b]);
    if (order != 0)
        return sorting->ascending ? order : -order;
    if (mails[a].date != mails[b].date)
        return mails[a].date > mails[b].date ? -1 : 1;
    return a > b ? -1 : 1;
}

/* -- searches ------------------------------------------------------------------------------ */
static void random_clauses(Clause *clauses, unsigned count)
{
    for (unsigned c = 0; c < count; c++) {
        Clause *clause = &clauses[c];
        clause->exclude = pick(4) == 0;
        clause->prefix = pick(2) == 0 ? 0 : pick(G_N_ELEMENTS(prefixes));
        clause->piece_count = pick(3) > 0 ? 1 : 1 + pick(MAX_PIECES);
        for (unsigned i = 0; i < clause->piece_count; i++) {
            /* the last pattern is no pattern: ? alone is not allowed */
            const char *pattern = patterns[pick(G_N_ELEMENTS(patterns) - 1)];
            bool border = i == 0 || i + 1 == clause->piece_count;
            bool allowed = strcmp(pattern, "*") != 0 || !border || clause->piece_count == 1;
            clause->pieces[i] =
                pick(3) == 0 && allowed ? pattern : vocabulary[pick(G_N_ELEMENTS(vocabulary))].text;
        }
    }
}

static char *query_text(const Clause *clauses, unsigned count)
{
    GString *out = g_string_new(NULL);
    for (unsigned c = 0; c < count; c++) {
        g_string_append_printf(out, "%s%s%s", c > 0 ? " " : "", clauses[c].exclude ? "-" : "",
                               prefixes[clauses[c].prefix].text);
        for (unsigned i = 0; i < clauses[c].piece_count; i++)
            g_string_append_printf(out, "%s%s", i > 0 ? "." : "", clauses[c].pieces[i]);
    }
    return g_string_free(out, FALSE);
}

static void random_search(MkSearch *search, uint32_t *folders)
{
    static const MkSort sorts[] = { MK_SORT_DATE, MK_SORT_FROM, MK_SORT_SUBJECT, MK_SORT_SIZE,
                                    MK_SORT_ARCHIVED };
    if (pick(2) == 0) {
        search->folders = folders;
        search->folder_count = pick(4);
        for (size_t i = 0; i < search->folder_count; i++)
            folders[i] = 1 + pick(FOLDERS);
    }
    search->with_envelope = pick(2) == 0;
    if (pick(4) == 0) {
        search->date_from_unix_ms = (int64_t) pick(20) * 1000 - 5000;
        search->date_to_unix_ms = search->date_from_unix_ms + 4000;
    }
    if (pick(8) == 0)
        search->archived_to_unix_ms = 500000;
    if (pick(8) == 0)
        search->size_min_bytes = pick(5000);
    if (pick(8) == 0)
        search->size_max_bytes = 1 + pick(5000);
    if (pick(8) == 0)
        search->flags_set = 1;
    if (pick(8) == 0)
        search->flags_clear = 2;
    search->sort = sorts[pick(G_N_ELEMENTS(sorts))];
    search->ascending = pick(2) == 0;
    search->offset = pick(3) == 0 ? pick(30) : 0;
    search->limit = 1 + pick(40);
}

static void compare_result(const MkSearch *search, const MkSearchResult *result,
                           const GArray *expected)
{
    guint want = expected->len > search->offset ? expected->len - (guint) search->offset : 0;
    g_assert_cmpuint(result->total, ==, expected->len);
    g_assert_cmpuint(result->hits->len, ==, MIN(want, search->limit));
    for (guint i = 0; i < result->hits->len; i++) {
        const MkHit *hit = result->hits->pdata[i];
        uint32_t number = g_array_index(expected, uint32_t, i + search->offset);
        const Mail *mail = &mails[number];
        bool seen;
        g_assert_cmpuint(hit->number, ==, number);
        g_assert_cmpint(hit->date_unix_ms, ==, mail->date);
        g_assert_cmpint(hit->archived_unix_ms, ==, mail->archived);
        g_assert_cmpuint(hit->size_bytes, ==, mail->size);
        g_assert_cmpuint(hit->flags, ==, mail->flags);
        g_assert_cmpuint(hit->folder, ==, lowest_folder(mail, search, &seen));
        g_assert_cmpstr(hit->subject, ==, mail->subject);
        g_assert_cmpstr(hit->from, ==, mail->from);
        g_assert_cmpstr(hit->to, ==, "");
    }
}

static void one_search(Sample *sample)
{
    Clause clauses[MAX_CLAUSES] = { 0 };
    unsigned count = pick(MAX_CLAUSES + 1);
    uint32_t folders[4];
    MkSearch search = { 0 };
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) expected = g_array_new(FALSE, FALSE, sizeof(uint32_t));

    random_clauses(clauses, count);
    random_search(&search, folders);
    g_autofree char *text = query_text(clauses, count);
    g_autoptr(MkQuery) query = mk_query_parse(text, &error);
    g_assert_no_error(error);
    search.query = query;
    for (uint32_t number = 1; number <= NUMBERS; number++)
        if (mail_matches(&mails[number], clauses, count, &search))
            g_array_append_val(expected, number);
    sorting = &search;
    g_array_sort(expected, compare_mails);

    g_autoptr(MkSearchResult) result = mk_index_search(sample->index, &search, &error);
    g_assert_no_error(error);
    if (result->total != expected->len)
        g_test_message("query %s", text);
    compare_result(&search, result, expected);
}

static void one_commit(Sample *sample, uint64_t watermark)
{
    g_autoptr(GError) error = NULL;
    MkIndexWriter *writer = mk_index_writer_new(sample->index);
    for (unsigned i = pick(30); i > 0; i--) {
        uint32_t number = 1 + pick(NUMBERS);
        forget(&mails[number]);
        if (pick(5) == 0) {
            mk_index_writer_remove(writer, number);
            continue;
        }
        random_mail(&mails[number]);
        index_mail(writer, number);
    }
    g_assert_true(mk_index_writer_commit(writer, watermark, &error));
    g_assert_cmpuint(mk_index_watermark(sample->index), ==, watermark);
}

static void check_statistics(Sample *sample)
{
    MkIndexStatistics statistics;
    uint64_t alive = 0, blocks, errors;
    for (uint32_t number = 1; number <= NUMBERS; number++)
        alive += mails[number].alive;
    g_assert_true(mk_index_statistics(sample->index, &statistics, NULL));
    g_assert_cmpuint(statistics.mail_count, ==, alive);
    g_assert_true(mk_index_verify(sample->index, &blocks, &errors, NULL));
    g_assert_cmpuint(errors, ==, 0);
}

static void test_oracle(void)
{
    Sample sample;
    unsigned merges = 0;
    seed = g_test_rand_int() != 0 ? (uint32_t) g_test_rand_int() : 1;
    g_test_message("seed %u", seed);
    sample_init(&sample);
    for (unsigned round = 0; round < 80; round++) {
        bool merged = false;
        one_commit(&sample, round + 1);
        if (pick(3) == 0)
            g_assert_true(mk_index_merge(sample.index, NULL, &merged, NULL));
        merges += merged;
        if (pick(6) == 0)
            sample_reopen(&sample);
        for (unsigned i = 0; i < 60; i++)
            one_search(&sample);
        check_statistics(&sample);
    }
    g_assert_cmpuint(merges, >, 0);
    sample_clear(&sample);
    for (uint32_t number = 1; number <= NUMBERS; number++)
        forget(&mails[number]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/index/oracle", test_oracle);
    return g_test_run();
}
