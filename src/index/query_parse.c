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

static bool add_piece(Parser *parser, GPtrArray *pieces, const char *text, size_t length,
                      GError **error)
{
    if (text[0] == '?' || text[length - 1] == '?')
        return mk_query_bad_mark(parser->word, error);
    if (pieces->len >= MK_LIMIT_QUERY_TERM_PIECES)
        return mk_query_too_long(parser->word, error);
    g_ptr_array_add(pieces, g_strndup(text, length));
    return true;
}

/*
 * Reads the pieces of a term or, with @quoted, of a phrase, and leaves the parser behind them.
 * In a phrase wildcards are separators like any other; a mark without its letter is one too.
 */
static bool read_pieces(Parser *parser, GPtrArray *pieces, bool quoted, GError **error)
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
            if (!add_piece(parser, pieces, start, (size_t) (parser->at - start), error))
                return false;
            start = NULL;
        }
        parser->at = g_utf8_next_char(parser->at);
    }
    return start == NULL || add_piece(parser, pieces, start, (size_t) (parser->at - start), error);
}

static bool is_stars(const char *piece)
{
    return piece[strspn(piece, "*")] == '\0';
}

/*
 * A * for itself at the border of a term asks for nothing ("foo-*" is foo and maybe more), so it
 * is left out, unless there is nothing else.
 */
static void trim_any(GPtrArray *pieces)
{
    while (pieces->len > 1 && is_stars(pieces->pdata[pieces->len - 1]))
        g_ptr_array_remove_index(pieces, pieces->len - 1);
    while (pieces->len > 1 && is_stars(pieces->pdata[0]))
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

/* Takes the clause; one of separators only is dropped. */
static bool keep_clause(Parser *parser, MkClause *clause, GPtrArray *pieces, GError **error)
{
    g_ptr_array_add(parser->clauses, clause);
    if (pieces->len == 0) {
        g_ptr_array_remove_index(parser->clauses, parser->clauses->len - 1);
        return true;
    }
    trim_any(pieces);
    if (!check_policy(parser, clause, error) ||
        !mk_clause_fill(clause, pieces, parser->word, error))
        return false;
    if (parser->clauses->len > MK_LIMIT_QUERY_CLAUSES)
        return mk_fail_hint(error, MK_ERROR_LIMIT, "query-words", MK_LIMIT_QUERY_CLAUSES,
                            "The search has more than %u words; leave some out",
                            (unsigned) MK_LIMIT_QUERY_CLAUSES);
    return true;
}

static bool read_clause(Parser *parser, bool after_space, GError **error)
{
    g_autoptr(GPtrArray) pieces = g_ptr_array_new_with_free_func(g_free);
    bool exclude = after_space && *parser->at == '-';
    parser->word++;
    if (exclude)
        parser->at++;
    MkPrefix prefix = read_prefix(parser);
    bool quoted = parser->at < parser->end && *parser->at == '"';
    if (quoted)
        parser->at++;
    if (!read_pieces(parser, pieces, quoted, error))
        return false;
    if (quoted && parser->at < parser->end)
        parser->at++; /* the closing mark */
    MkClause *clause = mk_clause_new();
    clause->exclude = exclude;
    clause->prefix = prefix;
    return keep_clause(parser, clause, pieces, error);
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
        mk_fail_hint(error, MK_ERROR_LIMIT, "query-length", MK_LIMIT_QUERY_BYTES,
                     "The search is longer than %u octets; leave words out",
                     (unsigned) MK_LIMIT_QUERY_BYTES);
        return NULL;
    }
    if (!mk_fold_text(text, length, folded)) {
        mk_fail(error, MK_ERROR_INVALID, "The search is not valid UTF-8");
        return NULL;
    }
    g_autoptr(MkQuery) query = g_new0(MkQuery, 1);
    query->clauses = g_ptr_array_new_with_free_func(mk_clause_free);
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
