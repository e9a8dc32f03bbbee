/*
 * query.h - the parsed query as the search sees it
 *
 * A clause is a row of pieces that stand at consecutive positions of one field. Terms and phrases
 * differ in their spelling only: in a phrase no piece is a pattern. Of Chinese, Japanese and Korean
 * a piece is a pair of characters, as tokens are.
 */
#ifndef MK_INDEX_QUERY_H
#define MK_INDEX_QUERY_H

#include <mailkeep/index.h>

typedef enum {
    PIECE_WORD,    /* exactly this token */
    PIECE_PATTERN, /* with * and ? */
    PIECE_ANY,     /* nothing but *: any one token */
} MkPieceKind;

typedef struct {
    MkPieceKind kind;
    char *text; /* folded; "*" for PIECE_ANY */
    size_t length;
    char *spelling;  /* in a query; NULL: with the piece before */
    bool first_only; /* a character that may begin a pair: only it is meant */
} MkQueryPiece;

typedef enum {
    CLAUSE_ANY, /* no prefix */
    CLAUSE_SUBJECT,
    CLAUSE_FROM,
    CLAUSE_TO,
    CLAUSE_CC,
    CLAUSE_BCC,
    CLAUSE_BODY,
    CLAUSE_ATTACHMENT,
    CLAUSE_PREFIX_COUNT,
} MkPrefix;

typedef struct {
    bool exclude;
    MkPrefix prefix;
    GPtrArray *pieces; /* MkQueryPiece *, 1..MK_LIMIT_QUERY_TERM_TOKENS */
    guint span;        /* positions a match covers: one more than pieces if the last is a pair */
} MkClause;

struct MkQuery {
    GPtrArray *clauses; /* MkClause * */
};

MkClause *mk_clause_new(void);
void mk_clause_free(gpointer clause);
/*
 * mk_clause_fill() - from what is typed between separators to pieces
 * @parts  char *: folded, with wildcards
 * @word   for messages: the number of the word in the query
 */
bool mk_clause_fill(MkClause *clause, const GPtrArray *parts, unsigned word, GError **error);
/* Messages to the user; always false. */
bool mk_query_bad_mark(unsigned word, GError **error);
bool mk_query_too_long(unsigned word, GError **error);

/* "subject:" ... by MkPrefix; "" for CLAUSE_ANY */
extern const char *const mk_prefix_names[CLAUSE_PREFIX_COUNT];

/* Fields that clauses without prefix look at: 0 = all; Bcc means what an envelope says of it too. */
unsigned mk_fields_of(unsigned fields);
/* Fields a clause looks at, as bits; @unprefixed if it has no prefix. */
unsigned mk_clause_fields(const MkClause *clause, unsigned unprefixed);
/* Nothing but *: any token will do. */
bool mk_clause_is_star(const MkClause *clause);

/* Does @text, a folded token, match @pattern? * any characters, ? exactly one. */
bool mk_pattern_match(const char *pattern, size_t pattern_length, const char *text, size_t length);

#endif
