#include <string.h>

#include "scan.h"

#define WORDS 7
#define FOLDERS 5
#define BIT(field) MK_FIELD_BIT(field)

typedef struct {
    unsigned count;
    ScanUnit units[5];
} Word;

/* clang-format off: a row a word */
#define WORD(text, plain)                \
    {                                    \
        1,                               \
        {                                \
            {                            \
                text, plain, false, true \
            }                            \
        }                                \
    }
#define RUN1(a)                  \
    {                            \
        1,                       \
        {                        \
            {                    \
                a, a, true, true \
            }                    \
        }                        \
    }
#define RUN2(a, b)                 \
    {                              \
        2,                         \
        {                          \
            { a, a, true, false }, \
            {                      \
                b, b, true, true   \
            }                      \
        }                          \
    }
#define RUN3(a, b, c)                                     \
    {                                                     \
        3,                                                \
        {                                                 \
            { a, a, true, false }, { b, b, true, false }, \
            {                                             \
                c, c, true, true                          \
            }                                             \
        }                                                 \
    }

static const Word vocabulary[] = {
    WORD("auto", "auto"),
    WORD("automat", "automat"),
    WORD("laufauto", "laufauto"),
    WORD("müller", "muller"),
    WORD("muller", "muller"),
    WORD("mühle", "muhle"),
    WORD("a", "a"),
    WORD("ab", "ab"),
    WORD("abc", "abc"),
    WORD("example", "example"),
    WORD("com", "com"),
    WORD("org", "org"),
    WORD("straße", "strasse"),
    WORD("x1", "x1"),
    WORD("éa", "ea"),
    RUN3("東", "京", "都"),
    RUN2("京", "都"),
    RUN2("東", "京"),
    RUN1("都"),
    RUN3("東", "東", "京"),
    { 5,
      { { "東", "東", true, false },
        { "京", "京", true, false },
        { "タ", "タ", true, false },
        { "ワ", "ワ", true, false },
        { "ー", "ー", true, true } } },
    { 2, { { "が", "か", true, false }, { "か", "か", true, true } } },
    { 2, { { "か", "か", true, false }, { "が", "か", true, true } } },
    RUN2("か", "か"),
    RUN3("한", "국", "어"),
    RUN2("국", "어"),
};
/* clang-format on */

static const char *const words[] = { "auto",  "automat", "laufauto", "müller", "muller",
                                     "mühle", "a",       "ab",       "abc",    "example",
                                     "com",   "org",     "straße",   "x1",     "éa" };
static const char *const runs[] = { "東京都", "東京", "京都", "京", "都", "東",     "東東",
                                    "タワー", "がか", "かか", "か", "が", "한국어", "국" };
static const char *const patterns[] = { "auto*", "*auto", "*auto*", "m?ller", "mü*",  "mu*",
                                        "a*",    "*",     "e*e",    "*a",     "*c*",  "a??*",
                                        "x?1",   "*h*e",  "東?都",  "*京*",   "국어*" };

#define ADDRESSES                                                                   \
    (BIT(MK_FIELD_FROM) | BIT(MK_FIELD_TO) | BIT(MK_FIELD_CC) | BIT(MK_FIELD_BCC) | \
     BIT(MK_FIELD_ENVELOPE))
#define ALL                                                                                   \
    (ADDRESSES | BIT(MK_FIELD_SUBJECT) | BIT(MK_FIELD_BODY) | BIT(MK_FIELD_ATTACHMENT_NAME) | \
     BIT(MK_FIELD_ATTACHMENT_TEXT))

static const struct {
    const char *text;
    unsigned fields; /* 0: by the box it is typed in */
} prefixes[] = {
    { "", 0 },
    { "subject:", BIT(MK_FIELD_SUBJECT) },
    { "from:", BIT(MK_FIELD_FROM) },
    { "to:", BIT(MK_FIELD_TO) },
    { "cc:", BIT(MK_FIELD_CC) },
    { "bcc:", BIT(MK_FIELD_BCC) | BIT(MK_FIELD_ENVELOPE) },
    { "bcontent:", BIT(MK_FIELD_BODY) },
    { "acontent:", BIT(MK_FIELD_ATTACHMENT_TEXT) },
};

uint32_t scan_seed;

unsigned scan_pick(unsigned below)
{
    scan_seed = scan_seed * 1664525 + 1013904223;
    return (unsigned) ((uint64_t) (scan_seed >> 8) * below >> 24);
}
#define pick scan_pick

/* -- mails ------------------------------------------------------------------------------- */
static const char *random_separator(const Word *before, const Word *after)
{
    static const char *const between[] = { " ", ".", "@", " - ", "\r\n", "、" };
    /* words and runs need nothing between them */
    if (before->units[0].run != after->units[0].run && pick(3) == 0)
        return "";
    return between[pick(G_N_ELEMENTS(between))];
}

static void random_value(ScanValue *value)
{
    g_autoptr(GPtrArray) units = g_ptr_array_new();
    GString *text = g_string_new(NULL);
    const Word *before = NULL;
    for (unsigned w = pick(WORDS); w > 0; w--) {
        const Word *word = &vocabulary[pick(G_N_ELEMENTS(vocabulary))];
        if (before != NULL)
            g_string_append(text, random_separator(before, word));
        for (unsigned i = 0; i < word->count; i++) {
            g_autofree char *upper = g_utf8_strup(word->units[i].text, -1);
            bool plain = pick(2) == 0 || strstr(word->units[i].text, "ß") != NULL;
            g_string_append(text, plain ? word->units[i].text : upper);
            g_ptr_array_add(units, (gpointer) &word->units[i]);
        }
        before = word;
    }
    if (pick(4) == 0) { /* letters and marks apart, as some systems send them */
        g_autofree char *composed = g_string_free(text, FALSE);
        g_autofree char *apart = g_utf8_normalize(composed, -1, G_NORMALIZE_NFD);
        text = g_string_new(apart);
    }
    value->count = units->len;
    value->text = g_string_free(text, FALSE);
    value->units = (const ScanUnit **) g_ptr_array_free(g_steal_pointer(&units), FALSE);
}

void scan_mail_random(ScanMail *mail, unsigned group_count)
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
    mail->conversation = pick(4) == 0 ? 0 : 1 + pick(group_count);
    mail->copy = pick(4) == 0 ? 0 : (UINT64_C(1) << 47) + pick(2 * group_count);
    mail->subject = g_strdup(texts[pick(G_N_ELEMENTS(texts))]);
    mail->from = g_strdup(texts[pick(G_N_ELEMENTS(texts))]);
    mail->to = g_strdup(texts[pick(G_N_ELEMENTS(texts))]);
    mail->subject_key = g_utf8_casefold(mail->subject, -1);
    mail->from_key = g_utf8_casefold(mail->from, -1);
    mail->to_key = g_utf8_casefold(mail->to, -1);
    for (unsigned field = 0; field < MK_FIELD_COUNT; field++) {
        mail->value_count[field] = pick(SCAN_VALUES + 1);
        for (unsigned v = 0; v < mail->value_count[field]; v++)
            random_value(&mail->values[field][v]);
    }
}

void scan_mail_clear(ScanMail *mail)
{
    g_free(mail->subject);
    g_free(mail->from);
    g_free(mail->to);
    g_free(mail->subject_key);
    g_free(mail->from_key);
    g_free(mail->to_key);
    for (unsigned field = 0; field < MK_FIELD_COUNT; field++)
        for (unsigned v = 0; v < mail->value_count[field]; v++) {
            g_free(mail->values[field][v].text);
            g_free(mail->values[field][v].units);
        }
    memset(mail, 0, sizeof *mail);
}

/* -- pieces -------------------------------------------------------------------------------- */
static const char *folded(const char *text)
{
    return strcmp(text, "straße") == 0 ? "strasse" : text;
}

static bool is_run(const char *piece)
{
    return strchr("*?", piece[0]) == NULL ? (uint8_t) piece[0] >= 0xE0 : strcmp(piece, "*京*") == 0;
}

static bool word_matches(const char *piece, const ScanUnit *unit)
{
    const char *text = folded(unit->text);
    piece = folded(piece);
    if (unit->run)
        return false;
    if (strpbrk(piece, "*?") == NULL)
        return strcmp(piece, text) == 0 || strcmp(piece, unit->plain) == 0;
    return g_pattern_match_simple(piece, text) || g_pattern_match_simple(piece, unit->plain);
}

static bool is_character(const char *piece, size_t length, const char *text)
{
    return piece[0] == '?' || (strlen(text) == length && memcmp(piece, text, length) == 0);
}

/*
 * Units that the characters of @piece match from @at on; 0 = none. Two neighbours must both be
 * met as they are, or both without marks. Before another piece the run must end.
 */
static unsigned run_matches(const char *piece, const ScanValue *value, unsigned at, bool last)
{
    bool text_before = true, plain_before = true;
    unsigned count = 0;
    for (const char *p = piece; *p != '\0'; p = g_utf8_next_char(p)) {
        if (*p == '*')
            continue;
        if (at + count >= value->count || !value->units[at + count]->run ||
            (count > 0 && value->units[at + count - 1]->ends))
            return 0;
        const ScanUnit *unit = value->units[at + count++];
        size_t length = (size_t) (g_utf8_next_char(p) - p);
        bool text = is_character(p, length, unit->text);
        bool plain = is_character(p, length, unit->plain);
        if (!(text && text_before) && !(plain && plain_before))
            return 0;
        text_before = text;
        plain_before = plain;
    }
    return last || value->units[at + count - 1]->ends ? count : 0;
}

bool scan_is_star(const ScanClause *clause)
{
    return clause->piece_count == 1 && strcmp(clause->pieces[0], "*") == 0;
}

/* Units that the clause matches from @at on; 0 = none. */
static unsigned matches_at(const ScanValue *value, const ScanClause *clause, unsigned at)
{
    unsigned span = 0;
    for (unsigned i = 0; i < clause->piece_count; i++) {
        const char *piece = clause->pieces[i];
        unsigned used = 0;
        if (at + span >= value->count)
            return 0;
        if (strcmp(piece, "*") == 0)
            used = 1;
        else if (is_run(piece))
            used = run_matches(piece, value, at + span, i + 1 == clause->piece_count);
        else
            used = word_matches(piece, value->units[at + span]);
        if (used == 0)
            return 0;
        span += used;
    }
    return span;
}

bool scan_value_matches(const ScanValue *value, const ScanClause *clause)
{
    for (unsigned at = 0; at < value->count; at++)
        if (matches_at(value, clause, at) > 0)
            return true;
    return false;
}

/* -- clauses ------------------------------------------------------------------------------- */
unsigned scan_clause_fields(const ScanSearch *search, const ScanClause *clause)
{
    unsigned allowed = search->search.with_envelope ? ~0u : ~BIT(MK_FIELD_ENVELOPE);
    unsigned fields = prefixes[clause->prefix].fields;
    if (fields != 0)
        return fields & allowed;
    if (clause->box == SCAN_FROM)
        return BIT(MK_FIELD_FROM);
    if (clause->box == SCAN_RECIPIENTS)
        return ADDRESSES & ~BIT(MK_FIELD_FROM) & allowed;
    fields = search->search.fields;
    if (fields & BIT(MK_FIELD_BCC))
        fields |= BIT(MK_FIELD_ENVELOPE);
    return (fields == 0 ? ALL : fields) & ALL & allowed;
}

/* Is an address wanted by it? */
static bool demands(const ScanSearch *search, const ScanClause *clause)
{
    bool words_only = clause->box == SCAN_WORDS && clause->prefix == 0;
    return !clause->exclude && !scan_is_star(clause) && !words_only &&
           (scan_clause_fields(search, clause) & ~ADDRESSES) == 0;
}

/* Are the @span units at @start inside what an address clause matches? */
static bool demanded(const ScanValue *value, const ScanSearch *search, unsigned field,
                     unsigned start, unsigned span)
{
    for (unsigned c = 0; c < search->clause_count; c++) {
        const ScanClause *clause = &search->clauses[c];
        if (!demands(search, clause) || !(scan_clause_fields(search, clause) & BIT(field)))
            continue;
        for (unsigned at = 0; at <= start; at++) {
            unsigned covered = matches_at(value, clause, at);
            if (covered > 0 && at + covered >= start + span)
                return true;
        }
    }
    return false;
}

static bool clause_matches(const ScanMail *mail, const ScanSearch *search, const ScanClause *clause)
{
    bool lenient = clause->exclude && clause->prefix == 0 && clause->box == SCAN_WORDS &&
                   !scan_is_star(clause);
    unsigned fields = scan_clause_fields(search, clause);
    for (unsigned field = 0; field < MK_FIELD_COUNT; field++) {
        if (!(fields & BIT(field)))
            continue;
        for (unsigned v = 0; v < mail->value_count[field]; v++) {
            const ScanValue *value = &mail->values[field][v];
            for (unsigned at = 0; at < value->count; at++) {
                unsigned span = matches_at(value, clause, at);
                if (span > 0 && !(lenient && demanded(value, search, field, at, span)))
                    return true;
            }
        }
    }
    return false;
}

/* -- mails and searches ----------------------------------------------------------------------- */
bool scan_mail_folder(const ScanMail *mail, const MkSearch *search, uint32_t *out_folder)
{
    *out_folder = 0;
    if (search->folders == NULL) {
        *out_folder = mail->folder_count > 0 ? mail->folders[0] : 0;
        return true;
    }
    for (size_t i = 0; i < mail->folder_count; i++)
        for (size_t k = 0; k < search->folder_count; k++)
            if (search->folders[k] == mail->folders[i]) {
                *out_folder = mail->folders[i];
                return true;
            }
    return false;
}

static bool in_range(int64_t value, int64_t from, int64_t to)
{
    return (from == 0 && to == 0) || (value >= from && value <= to);
}

static bool passes(const ScanMail *mail, const MkSearch *search)
{
    uint32_t folder;
    return mail->alive && scan_mail_folder(mail, search, &folder) &&
           in_range(mail->date, search->date_from_unix_ms, search->date_to_unix_ms) &&
           in_range(mail->archived, search->archived_from_unix_ms, search->archived_to_unix_ms) &&
           mail->size >= search->size_min_bytes &&
           (search->size_max_bytes == 0 || mail->size <= search->size_max_bytes) &&
           (mail->flags & search->flags_set) == search->flags_set &&
           (mail->flags & search->flags_clear) == 0 &&
           (search->flags_any == 0 || (mail->flags & search->flags_any) != 0) &&
           (search->conversation == 0 || mail->conversation == search->conversation);
}

bool scan_mail_matches(const ScanMail *mail, const ScanSearch *search)
{
    if (!passes(mail, &search->search))
        return false;
    for (unsigned c = 0; c < search->clause_count; c++)
        if (clause_matches(mail, search, &search->clauses[c]) == search->clauses[c].exclude)
            return false;
    return true;
}

static int compare_keys(const MkSearch *search, const ScanMail *a, const ScanMail *b)
{
    switch (search->sort) {
    case MK_SORT_DATE: return (a->date > b->date) - (a->date < b->date);
    case MK_SORT_FROM: return strcmp(a->from_key, b->from_key);
    case MK_SORT_SUBJECT: return strcmp(a->subject_key, b->subject_key);
    case MK_SORT_TO: return strcmp(a->to_key, b->to_key);
    case MK_SORT_SIZE: return (a->size > b->size) - (a->size < b->size);
    case MK_SORT_ARCHIVED: return (a->archived > b->archived) - (a->archived < b->archived);
    }
    g_assert_not_reached();
}

int scan_compare(const MkSearch *search, const ScanMail *a, uint32_t a_number, const ScanMail *b,
                 uint32_t b_number)
{
    int order = compare_keys(search, a, b);
    if (order != 0)
        return search->ascending ? order : -order;
    if (a->date != b->date)
        return a->date > b->date ? -1 : 1;
    return (a_number < b_number) - (a_number > b_number);
}

/* -- random searches ------------------------------------------------------------------------- */
static const char *random_piece(bool border, bool alone)
{
    const char *pattern = patterns[pick(G_N_ELEMENTS(patterns))];
    bool allowed = strcmp(pattern, "*") != 0 || !border || alone;
    if (pick(3) == 0 && allowed)
        return pattern;
    return pick(3) == 0 ? runs[pick(G_N_ELEMENTS(runs))] : words[pick(G_N_ELEMENTS(words))];
}

static void random_clause(ScanClause *clause)
{
    clause->box = pick(4) > 0 ? SCAN_WORDS : (ScanBox) (1 + pick(SCAN_BOX_COUNT - 1));
    clause->exclude = pick(4) == 0;
    clause->prefix = pick(2) == 0 ? 0 : pick(G_N_ELEMENTS(prefixes));
    clause->piece_count = pick(3) > 0 ? 1 : 1 + pick(SCAN_PIECES);
    for (unsigned i = 0; i < clause->piece_count; i++)
        clause->pieces[i] =
            random_piece(i == 0 || i + 1 == clause->piece_count, clause->piece_count == 1);
}

/* A word or a run of the mail as it is. */
static const char *piece_from(const ScanValue *value, unsigned *at)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const ScanUnit *unit;
    do {
        unit = value->units[(*at)++];
        g_string_append(text, unit->text);
    } while (!unit->ends);
    return g_intern_string(text->str);
}

/* Words of the mail that stand beside each other, asked for where they are. */
static void clause_from_mail(ScanClause *clause, const ScanMail *mail)
{
    unsigned field = pick(MK_FIELD_COUNT), at = 0;
    if (mail->value_count[field] == 0 || mail->values[field][0].count == 0)
        return;
    const ScanValue *value = &mail->values[field][0];
    at = pick(value->count);
    clause->piece_count = 0;
    for (unsigned i = 1 + pick(SCAN_PIECES); i > 0 && at < value->count; i--)
        clause->pieces[clause->piece_count++] = piece_from(value, &at);
    clause->prefix = 0;
    for (unsigned i = 1; i < G_N_ELEMENTS(prefixes); i++)
        if (prefixes[i].fields & BIT(field))
            clause->prefix = i;
    clause->exclude = false;
}

/* The run without some of its first characters. */
static const char *end_of_run(const char *run)
{
    for (long skip = (long) pick((unsigned) g_utf8_strlen(run, -1)); skip > 0; skip--)
        run = g_utf8_next_char(run);
    return run;
}

/* Excludes something that another clause demands. */
static void exclude_from(ScanClause *clause, const ScanClause *other)
{
    unsigned first = pick(other->piece_count);
    *clause = (ScanClause){ .exclude = true };
    clause->piece_count = 1 + pick(other->piece_count - first);
    for (unsigned i = 0; i < clause->piece_count; i++)
        clause->pieces[i] = other->pieces[first + i];
    if (is_run(clause->pieces[0]) && strpbrk(clause->pieces[0], "*?") == NULL)
        clause->pieces[0] = end_of_run(clause->pieces[0]);
    if (strcmp(clause->pieces[0], "*") == 0 ||
        strcmp(clause->pieces[clause->piece_count - 1], "*") == 0)
        exclude_from(clause, &(ScanClause){ .piece_count = 1, .pieces = { "auto" } });
}

char *scan_clause_text(const ScanClause *clause)
{
    GString *out = g_string_new(clause->exclude ? "-" : "");
    bool plain = true; /* no wildcards: may be a phrase */
    for (unsigned i = 0; i < clause->piece_count; i++)
        plain &= strpbrk(clause->pieces[i], "*?") == NULL;
    bool phrase = plain && pick(2) == 0;
    g_string_append_printf(out, "%s%s", prefixes[clause->prefix].text, phrase ? "\"" : "");
    for (unsigned i = 0; i < clause->piece_count; i++) {
        bool close = plain && i > 0 && is_run(clause->pieces[i]) != is_run(clause->pieces[i - 1]);
        if (i > 0 && !(close && pick(2) == 0))
            g_string_append(out, phrase ? " " : ".");
        g_string_append(out, clause->pieces[i]);
    }
    g_string_append(out, phrase ? "\"" : "");
    return g_string_free(out, FALSE);
}

static void random_filters(ScanSearch *scan, unsigned group_count)
{
    MkSearch *search = &scan->search;
    if (pick(2) == 0) {
        search->folders = scan->folders;
        search->folder_count = pick(4);
        for (size_t i = 0; i < search->folder_count; i++)
            scan->folders[i] = 1 + pick(FOLDERS);
    }
    if (pick(4) == 0) {
        search->date_from_unix_ms = (int64_t) pick(20) * 1000 - 5000;
        search->date_to_unix_ms = search->date_from_unix_ms + 4000;
    }
    search->archived_to_unix_ms = pick(8) == 0 ? 500000 : 0;
    search->size_min_bytes = pick(8) == 0 ? pick(5000) : 0;
    search->size_max_bytes = pick(8) == 0 ? 1 + pick(5000) : 0;
    search->flags_set = pick(8) == 0 ? 1 : 0;
    search->flags_clear = pick(8) == 0 ? 2 : 0;
    search->flags_any = pick(8) == 0 ? 5 : 0;
    search->conversation = pick(10) == 0 ? 1 + pick(group_count) : 0;
}

void scan_search_random(ScanSearch *scan, const ScanMail *mail, unsigned group_count)
{
    static const MkSort sorts[] = { MK_SORT_DATE, MK_SORT_FROM,     MK_SORT_SUBJECT,
                                    MK_SORT_SIZE, MK_SORT_ARCHIVED, MK_SORT_TO };
    MkSearch *search = &scan->search;
    memset(scan, 0, sizeof *scan);
    scan->clause_count = pick(SCAN_CLAUSES + 1);
    for (unsigned i = 0; i < scan->clause_count; i++) {
        ScanClause *clause = &scan->clauses[i];
        random_clause(clause);
        if (pick(2) == 0)
            clause_from_mail(clause, mail);
        if (i > 0 && pick(4) == 0)
            exclude_from(clause, &scan->clauses[pick(i)]);
        g_autofree char *text = scan_clause_text(clause);
        char *before = scan->texts[clause->box];
        scan->texts[clause->box] =
            g_strjoin(" ", before != NULL ? before : text, before != NULL ? text : NULL, NULL);
        g_free(before);
    }
    random_filters(scan, group_count);
    search->fields = pick(3) == 0 ? 1 + pick((1u << MK_FIELD_COUNT) - 1) : 0;
    search->with_envelope = pick(2) == 0;
    search->group = pick(2) == 0 ? MK_GROUP_NONE : (MkGroup) (1 + pick(2));
    search->sort = sorts[pick(G_N_ELEMENTS(sorts))];
    search->ascending = pick(2) == 0;
    search->offset = pick(3) == 0 ? pick(30) : 0;
    search->limit = pick(10) == 0 ? 0 : 1 + pick(40);
}

void scan_search_clear(ScanSearch *search)
{
    for (unsigned box = 0; box < SCAN_BOX_COUNT; box++)
        g_clear_pointer(&search->texts[box], g_free);
}
