/*
 * query_parse.c - the search language (search-syntax.md 1)
 *
 *   query   = [ ws ], [ clause, { ws, clause } ], [ ws ] ;
 *   clause  = [ "-" ], [ prefix ], operand ;
 *   prefix  = field, ":" ;
 *   field   = "subject" | "from" | "to" | "cc" | "bcc" | "bcontent" | "acontent" ;
 *   operand = phrase | term ;
 *   phrase  = '"', { phrase_char }, ( '"' | end_of_input ) ;
 *   term    = piece, { separator, [ piece ] } | separator, { separator }, piece, ... ;
 *   piece   = { alnum | "*" | "?" } ;    "?" neither first nor last
 *
 * The whole text is folded first, so that the parser sees what the index has. A quotation mark
 * inside a word begins a new clause, as if a blank stood before it.
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "fold.h"
#include "query.h"

typedef struct {
    const char *at;
    const char *end;
    bool policy;   /* the reduced language */
    unsigned word; /* number of the word being read, for messages: its text is not repeated */
    GPtrArray *clauses;
} Parser;

typedef enum {
    CHAR_SPACE,
    CHAR_QUOTE,
    CHAR_WILDCARD,
    CHAR_MARK,
    CHAR_WORD,
    CHAR_SEPARATOR
} CharKind;

static CharKind char_kind(const char *at)
{
    gunichar code_point = g_utf8_get_char(at);
    if (code_point == '"')
        return CHAR_QUOTE;
    if (code_point == '*' || code_point == '?')
        return CHAR_WILDCARD;
    if (g_unichar_isspace(code_point) || code_point == '\v' || code_point == 0x85)
        return CHAR_SPACE;
    if (mk_fold_is_mark((int32_t) code_point))
        return CHAR_MARK;
    return mk_fold_is_word((int32_t) code_point) ? CHAR_WORD : CHAR_SEPARATOR;
}

static void piece_free(gpointer data)
{
    MkQueryPiece *piece = data;
    g_free(piece->text);
    g_free(piece);
}

static void clause_free(gpointer data)
{
    MkClause *clause = data;
    g_ptr_array_unref(clause->pieces);
    g_free(clause);
}

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

static bool add_piece(Parser *parser, MkClause *clause, const char *text, size_t length,
                      GError **error)
{
    if (text[0] == '?' || text[length - 1] == '?')
        return mk_fail(error, MK_ERROR_INVALID,
                       "Word %u of the search: ? may not stand at the start or end of a word; "
                       "use * instead",
                       parser->word);
    if (clause->pieces->len >= MK_LIMIT_QUERY_TERM_PIECES)
        return mk_fail(error, MK_ERROR_LIMIT,
                       "Word %u of the search has more than %u parts; leave some out", parser->word,
                       (unsigned) MK_LIMIT_QUERY_TERM_PIECES);
    g_ptr_array_add(clause->pieces, piece_new(text, length));
    return true;
}

/*
 * Reads the pieces of a term or, with @quoted, of a phrase, and leaves the parser behind them.
 * In a phrase wildcards are separators like any other; a mark without its letter is one too.
 */
static bool read_pieces(Parser *parser, MkClause *clause, bool quoted, GError **error)
{
    const char *start = NULL;
    while (parser->at < parser->end) {
        CharKind kind = char_kind(parser->at);
        if (kind == CHAR_QUOTE || (kind == CHAR_SPACE && !quoted))
            break;
        bool inside = kind == CHAR_WORD || (kind == CHAR_MARK && start != NULL) ||
                      (kind == CHAR_WILDCARD && !quoted);
        if (inside && start == NULL)
            start = parser->at;
        if (!inside && start != NULL) {
            if (!add_piece(parser, clause, start, (size_t) (parser->at - start), error))
                return false;
            start = NULL;
        }
        parser->at = g_utf8_next_char(parser->at);
    }
    return start == NULL || add_piece(parser, clause, start, (size_t) (parser->at - start), error);
}

/*
 * A * for itself at the border of a term asks for nothing ("foo-*" is foo and maybe more), so it
 * is left out, unless there is nothing else.
 */
static void trim_any(GPtrArray *pieces)
{
    while (pieces->len > 1 && ((MkQueryPiece *) pieces->pdata[pieces->len - 1])->kind == PIECE_ANY)
        g_ptr_array_remove_index(pieces, pieces->len - 1);
    while (pieces->len > 1 && ((MkQueryPiece *) pieces->pdata[0])->kind == PIECE_ANY)
        g_ptr_array_remove_index(pieces, 0);
}

/* Is there an operand at @at: a phrase, or a term that has a piece? */
static bool operand_follows(const Parser *parser, const char *at)
{
    for (; at < parser->end; at = g_utf8_next_char(at)) {
        switch (char_kind(at)) {
        case CHAR_QUOTE:
        case CHAR_WILDCARD:
        case CHAR_WORD: return true;
        case CHAR_SPACE: return false;
        case CHAR_MARK:
        case CHAR_SEPARATOR: break;
        }
    }
    return false;
}

/* Moves behind "field:" when one stands here and an operand follows. */
static MkPrefix read_prefix(Parser *parser)
{
    for (unsigned i = CLAUSE_ANY + 1; i < CLAUSE_PREFIX_COUNT; i++) {
        size_t length = strlen(mk_prefix_names[i]);
        if ((size_t) (parser->end - parser->at) > length &&
            memcmp(parser->at, mk_prefix_names[i], length) == 0 &&
            operand_follows(parser, parser->at + length)) {
            parser->at += length;
            return (MkPrefix) i;
        }
    }
    return CLAUSE_ANY;
}

static bool check_policy(const Parser *parser, const MkClause *clause, GError **error)
{
    if (!parser->policy)
        return true;
    if (clause->exclude)
        return mk_fail(error, MK_ERROR_INVALID,
                       "Word %u of the policy's search begins with -; exclusions are not allowed "
                       "there",
                       parser->word);
    if (clause->prefix != CLAUSE_ANY)
        return mk_fail(error, MK_ERROR_INVALID,
                       "Word %u of the policy's search begins with %s; field names are not "
                       "allowed there",
                       parser->word, mk_prefix_names[clause->prefix]);
    return true;
}

/* Takes @clause. */
static bool keep_clause(Parser *parser, MkClause *clause, GError **error)
{
    g_ptr_array_add(parser->clauses, clause);
    if (clause->pieces->len == 0) { /* only separators */
        g_ptr_array_remove_index(parser->clauses, parser->clauses->len - 1);
        return true;
    }
    trim_any(clause->pieces);
    if (!check_policy(parser, clause, error))
        return false;
    if (parser->clauses->len > MK_LIMIT_QUERY_CLAUSES)
        return mk_fail(error, MK_ERROR_LIMIT, "The search has more than %u words; leave some out",
                       (unsigned) MK_LIMIT_QUERY_CLAUSES);
    return true;
}

static bool read_clause(Parser *parser, bool after_space, GError **error)
{
    MkClause *clause = g_new0(MkClause, 1);
    clause->pieces = g_ptr_array_new_with_free_func(piece_free);
    parser->word++;

    if (after_space && *parser->at == '-') {
        clause->exclude = true;
        parser->at++;
    }
    clause->prefix = read_prefix(parser);
    bool quoted = parser->at < parser->end && *parser->at == '"';
    if (quoted)
        parser->at++;
    bool ok = read_pieces(parser, clause, quoted, error);
    if (quoted && parser->at < parser->end)
        parser->at++; /* the closing mark */
    if (ok)
        return keep_clause(parser, clause, error);
    clause_free(clause);
    return false;
}

static bool read_query(Parser *parser, GError **error)
{
    bool after_space = true;
    while (parser->at < parser->end) {
        if (char_kind(parser->at) == CHAR_SPACE) {
            parser->at = g_utf8_next_char(parser->at);
            after_space = true;
            continue;
        }
        if (!read_clause(parser, after_space, error))
            return false;
        after_space = false;
    }
    return true;
}

static MkQuery *parse(const char *text, bool policy, GError **error)
{
    size_t length = strlen(text);
    g_autoptr(GString) folded = g_string_new(NULL);

    if (length > MK_LIMIT_QUERY_BYTES) {
        mk_fail(error, MK_ERROR_LIMIT, "The search is longer than %u octets; leave words out",
                (unsigned) MK_LIMIT_QUERY_BYTES);
        return NULL;
    }
    if (!mk_fold_text(text, length, folded)) {
        mk_fail(error, MK_ERROR_INVALID, "The search is not valid UTF-8");
        return NULL;
    }
    g_autoptr(MkQuery) query = g_new0(MkQuery, 1);
    query->clauses = g_ptr_array_new_with_free_func(clause_free);
    Parser parser = { .at = folded->str,
                      .end = folded->str + folded->len,
                      .policy = policy,
                      .clauses = query->clauses };
    return read_query(&parser, error) ? g_steal_pointer(&query) : NULL;
}

MkQuery *mk_query_parse(const char *text, GError **error)
{
    return parse(text, false, error);
}

MkQuery *mk_query_parse_policy(const char *text, GError **error)
{
    return parse(text, true, error);
}
