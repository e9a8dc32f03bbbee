/*
 * query_pieces.c - from what is typed between separators to pieces, as tokens.c cuts mails
 *
 * A part is cut where Chinese, Japanese or Korean meets other letters. A run of n such characters
 * is a row of n - 1 pairs; the last one alone too if another piece must follow it. A single one is
 * any pair that begins with it. Such a run is found inside longer ones, so a * at its end asks for
 * nothing; ? is one character. A * between two of them would be a row of any length: refused.
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "fold.h"
#include "query.h"

bool mk_query_bad_mark(unsigned word, GError **error)
{
    return mk_fail_hint(
        error, MK_ERROR_INVALID, "query-mark", word,
        "Word %u of the search: ? may not stand at the start or end of a word; use * "
        "instead",
        word);
}

bool mk_query_too_long(unsigned word, GError **error)
{
    return mk_fail_hint(error, MK_ERROR_LIMIT, "query-word-length", word,
                        "Word %u of the search is too long; leave parts out", word);
}

static bool bad_star(unsigned word, GError **error)
{
    return mk_fail_hint(
        error, MK_ERROR_INVALID, "query-star", word,
        "Word %u of the search: * may not stand between Chinese, Japanese or Korean "
        "characters; search for the parts as words of their own",
        word);
}

static void piece_free(gpointer data)
{
    MkQueryPiece *piece = data;
    g_free(piece->text);
    g_free(piece->spelling);
    g_free(piece);
}

MkClause *mk_clause_new(void)
{
    MkClause *clause = g_new0(MkClause, 1);
    clause->pieces = g_ptr_array_new_with_free_func(piece_free);
    return clause;
}

void mk_clause_free(gpointer data)
{
    MkClause *clause = data;
    g_ptr_array_unref(clause->pieces);
    g_free(clause);
}

/* -- pieces --------------------------------------------------------------------------------- */
/* Several * in a row say no more than one. */
static char *squeeze_stars(const char *text, size_t length)
{
    GString *out = g_string_sized_new(length);
    for (size_t i = 0; i < length; i++)
        if (text[i] != '*' || i == 0 || text[i - 1] != '*')
            g_string_append_c(out, text[i]);
    return g_string_free(out, FALSE);
}

/* Tokens are cut in mails; a pattern whose literal start is that long can only mean the cut one. */
static MkQueryPiece *piece_new(const char *text, size_t length)
{
    g_autofree char *squeezed = squeeze_stars(text, length);
    size_t literal = strcspn(squeezed, "*?");
    MkQueryPiece *piece = g_new0(MkQueryPiece, 1);

    piece->length = strlen(squeezed);
    if (literal >= MK_LIMIT_TOKEN_BYTES)
        piece->length = literal = mk_fold_cut(squeezed, literal, MK_LIMIT_TOKEN_BYTES);
    piece->text = g_strndup(squeezed, piece->length);
    if (literal == piece->length)
        piece->kind = PIECE_WORD;
    else
        piece->kind = strcmp(piece->text, "*") == 0 ? PIECE_ANY : PIECE_PATTERN;
    return piece;
}

static void add_word(MkClause *clause, const char *text, size_t length)
{
    MkQueryPiece *piece = piece_new(text, length);
    piece->spelling = g_strdup(piece->text);
    g_ptr_array_add(clause->pieces, piece);
    clause->span = clause->pieces->len;
}

/* -- runs of characters without blanks ---------------------------------------------------------- */
/* Octets of the character at @text with its marks. */
static size_t character_length(const char *text, const char *end)
{
    const char *p = g_utf8_next_char(text);
    while (p < end && mk_fold_is_mark((int32_t) g_utf8_get_char(p)))
        p = g_utf8_next_char(p);
    return (size_t) (p - text);
}

/* One or two characters; ? alone, or twice, is any. */
static void add_characters(MkClause *clause, const char *text, size_t length)
{
    bool any = strspn(text, "?") >= length;
    g_ptr_array_add(clause->pieces, any ? piece_new("*", 1) : piece_new(text, length));
}

/* A run that begins or ends with ? is spelled with the * it must have had. */
static char *run_spelling(const char *run)
{
    return g_strconcat(run[0] == '?' ? "*" : "", run, g_str_has_suffix(run, "?") ? "*" : "", NULL);
}

/* Those that are left stand at an end of the run, where they ask for nothing. */
static char *without_stars(char *run)
{
    char *to = run;
    for (const char *from = run; *from != '\0'; from++)
        if (*from != '*')
            *to++ = *from;
    *to = '\0';
    return run;
}

static void add_run(MkClause *clause, const char *run, bool followed)
{
    const char *end = run + strlen(run), *p = run;
    guint first = clause->pieces->len;
    size_t step = character_length(p, end);

    for (const char *next = p + step; next < end; next = p + step) {
        size_t next_step = character_length(next, end);
        add_characters(clause, p, step + next_step);
        p = next;
        step = next_step;
    }
    clause->span = clause->pieces->len + 1;
    if (followed) {
        add_characters(clause, p, step);
    } else if (p == run) {
        g_autofree char *begin = g_strdup_printf("%.*s*", (int) step, p);
        MkQueryPiece *piece = piece_new(begin, step + 1);
        piece->first_only = true;
        g_ptr_array_add(clause->pieces, piece);
    }
    ((MkQueryPiece *) clause->pieces->pdata[first])->spelling = run_spelling(run);
}

/* -- parts ------------------------------------------------------------------------------- */
typedef enum { SIDE_NONE, SIDE_WORD, SIDE_RUN } Side;

static Side side_of(const char *at, const char *end)
{
    if (at >= end)
        return SIDE_NONE;
    return mk_fold_is_cjk((int32_t) g_utf8_get_char(at)) ? SIDE_RUN : SIDE_WORD;
}

static bool is_wildcard(char c)
{
    return c == '*' || c == '?';
}

/*
 * Where what begins at @text ends: letters of one kind with the wildcards that belong to them.
 */
static bool next_stretch(const char *text, const char *end, unsigned word, Side *out_side,
                         const char **out_next, GError **error)
{
    const char *p = text;
    while (p < end && is_wildcard(*p))
        p++;
    Side side = *out_side = side_of(p, end);
    for (;;) {
        while (p < end && !is_wildcard(*p) &&
               (side_of(p, end) == side || mk_fold_is_mark((int32_t) g_utf8_get_char(p))))
            p = g_utf8_next_char(p);
        const char *marks = p;
        while (p < end && is_wildcard(*p))
            p++;
        Side next = side_of(p, end);
        bool star = memchr(marks, '*', (size_t) (p - marks)) != NULL;
        bool one = memchr(marks, '?', (size_t) (p - marks)) != NULL;
        if (next == side && side == SIDE_RUN && star)
            return bad_star(word, error);
        if (next == side && next != SIDE_NONE)
            continue;
        if (next != SIDE_NONE && one) /* between two kinds of letters a word ends */
            return mk_query_bad_mark(word, error);
        /* a * between a word and a run is the word's */
        *out_next = side == SIDE_RUN && next == SIDE_WORD ? marks : p;
        return true;
    }
}

static bool fill_part(MkClause *clause, const char *part, bool last, unsigned word, GError **error)
{
    const char *end = part + strlen(part);
    for (const char *p = part, *next = end; p < end; p = next) {
        Side side;
        if (!next_stretch(p, end, word, &side, &next, error))
            return false;
        g_autofree char *stretch = g_strndup(p, (gsize) (next - p));
        if (side == SIDE_RUN)
            add_run(clause, without_stars(stretch), !last || next < end);
        else
            add_word(clause, stretch, strlen(stretch));
        if (clause->pieces->len > MK_LIMIT_QUERY_TERM_TOKENS)
            return mk_query_too_long(word, error);
    }
    return true;
}

/* At the border of a row any must be a token, else a row could begin or end outside its value. */
static void bind_border(MkClause *clause, guint place)
{
    MkQueryPiece *piece = clause->pieces->pdata[place];
    if (piece->kind != PIECE_ANY || clause->pieces->len == 1)
        return;
    piece->kind = PIECE_PATTERN;
    g_free(piece->text);
    piece->text = g_strdup("??");
    piece->length = 2;
}

bool mk_clause_fill(MkClause *clause, const GPtrArray *parts, unsigned word, GError **error)
{
    guint any = 0, spelled = 0;
    for (guint i = 0; i < parts->len; i++)
        if (!fill_part(clause, parts->pdata[i], i + 1 == parts->len, word, error))
            return false;
    bind_border(clause, 0);
    bind_border(clause, clause->pieces->len - 1);
    for (guint i = 0; i < clause->pieces->len; i++) {
        const MkQueryPiece *piece = clause->pieces->pdata[i];
        any += piece->kind == PIECE_ANY;
        spelled += piece->spelling != NULL;
    }
    /* more of any could reach from one value of a field into the next */
    return MAX(any, spelled) <= MK_LIMIT_QUERY_TERM_PIECES || mk_query_too_long(word, error);
}
