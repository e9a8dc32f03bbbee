/*
 * query.h - the parsed query as the search sees it
 *
 * A clause is a row of pieces that stand at consecutive positions of one field. Terms and phrases
 * differ in their spelling only: in a phrase no piece is a pattern.
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
    GPtrArray *pieces; /* MkQueryPiece *, 1..MK_LIMIT_QUERY_TERM_PIECES */
} MkClause;

struct MkQuery {
    GPtrArray *clauses; /* MkClause * */
};

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
