/*
 * finder.c - walking through a text with a query
 *
 * Each clause is a row of pieces. A bit for each piece says that the row stands up to it at the
 * token before; a token moves on the bits whose next piece it is. So the text is read once,
 * whatever the rows are. Words that begin with none of the pieces' letters are not even folded.
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "fold.h"
#include "highlight.h"
#include "tokens.h"

#define ROW_TOKENS MK_LIMIT_QUERY_TERM_TOKENS
typedef unsigned __int128 RowBits; /* a bit for each piece */
G_STATIC_ASSERT(ROW_TOKENS <= 8 * sizeof(RowBits));

typedef struct {
    const MkQueryPiece *piece;
    guint clause;
    guint place; /* in its row */
} Want;

typedef struct {
    guint length;
    RowBits any;     /* pieces that any token is */
    RowBits matched; /* by the token at hand */
    RowBits stands;
    bool first_only; /* of its last token only the first character */
} Row;

typedef struct {
    uint32_t start, middle, end;
} TokenPlace;

struct MkFinder {
    GArray *rows;        /* Row */
    GArray *wants;       /* Want, by first octet; those of any first octet behind all */
    guint from[256 + 2]; /* where those of each first octet begin in wants */
    MkTokenFilter filter;
    bool skips;                    /* tokens that no want begins like are not needed */
    TokenPlace places[ROW_TOKENS]; /* of the last tokens, by position */
    uint32_t known;                /* so many of them follow each other */
    uint32_t position;             /* of the last one */
    bool standing;                 /* any row has begun */
    MkFoundFunc on_found;
    void *cookie;
};

/* -- making ready ----------------------------------------------------------------------------- */
static guint first_of(const MkQueryPiece *piece)
{
    bool open = piece->kind == PIECE_PATTERN && strchr("*?", piece->text[0]) != NULL;
    return open ? 256 : (uint8_t) piece->text[0];
}

static int compare_wants(const void *a, const void *b)
{
    guint x = first_of(((const Want *) a)->piece), y = first_of(((const Want *) b)->piece);
    return (x > y) - (x < y);
}

/* Notes how tokens go on that it may be. */
static void add_second(MkTokenFilter *filter, const MkQueryPiece *piece)
{
    bool open = piece->kind == PIECE_PATTERN && (piece->length < 2 || strchr("*?", piece->text[1]));
    filter->single |= open || piece->length < 2;
    if (open)
        memset(filter->second, true, sizeof filter->second);
    else if (piece->length >= 2)
        filter->second[(uint8_t) piece->text[1]] = true;
}

static void add_row(MkFinder *finder, const MkClause *clause)
{
    Row row = { .length = clause->pieces->len };
    for (guint i = 0; i < row.length; i++) {
        const MkQueryPiece *piece = clause->pieces->pdata[i];
        Want want = { piece, finder->rows->len, i };
        row.first_only = piece->first_only;
        if (piece->kind == PIECE_ANY)
            row.any |= (RowBits) 1 << i;
        else
            g_array_append_val(finder->wants, want);
        add_second(&finder->filter, piece);
    }
    finder->skips &= row.any == 0;
    g_array_append_val(finder->rows, row);
}

static void sort_wants(MkFinder *finder)
{
    guint at = 0;
    g_array_sort(finder->wants, compare_wants);
    for (guint first = 0; first <= 256; first++) {
        finder->from[first] = at;
        while (at < finder->wants->len &&
               first_of(g_array_index(finder->wants, Want, at).piece) == first)
            at++;
        if (first < 256)
            finder->filter.first[first] = at > finder->from[first];
        else
            finder->skips &= at == finder->from[first];
    }
    finder->from[257] = at;
}

static bool may_match(const MkClause *clause, unsigned fields, MkField field)
{
    return !clause->exclude && !mk_clause_is_star(clause) &&
           (mk_clause_fields(clause, mk_fields_of(fields)) & MK_FIELD_BIT(field)) != 0;
}

bool mk_query_looks_at(const MkQuery *query, unsigned fields, MkField field)
{
    for (guint i = 0; i < query->clauses->len; i++)
        if (may_match(query->clauses->pdata[i], fields, field))
            return true;
    return false;
}

MkFinder *mk_finder_new(const MkQuery *query, unsigned fields, MkField field)
{
    if (!mk_query_looks_at(query, fields, field))
        return NULL;
    MkFinder *finder = g_new0(MkFinder, 1);
    finder->rows = g_array_new(FALSE, FALSE, sizeof(Row));
    finder->wants = g_array_new(FALSE, FALSE, sizeof(Want));
    finder->skips = true;
    for (guint i = 0; i < query->clauses->len; i++)
        if (may_match(query->clauses->pdata[i], fields, field))
            add_row(finder, query->clauses->pdata[i]);
    sort_wants(finder);
    return finder;
}

void mk_finder_free(MkFinder *finder)
{
    if (finder == NULL)
        return;
    g_array_unref(finder->rows);
    g_array_unref(finder->wants);
    g_free(finder);
}

guint mk_finder_clause_count(const MkFinder *finder)
{
    return finder->rows->len;
}

/* -- tokens ------------------------------------------------------------------------------- */
static inline Row *row_at(const MkFinder *finder, guint i)
{
    return &g_array_index(finder->rows, Row, i);
}

static bool is_piece(const MkQueryPiece *piece, const char *text, size_t length)
{
    if (piece->kind == PIECE_WORD)
        return piece->length == length && memcmp(piece->text, text, length) == 0;
    return mk_pattern_match(piece->text, piece->length, text, length);
}

/* Notes the pieces that @text, the token or its plain form, is. */
static bool note_matches(MkFinder *finder, guint first, const char *text, size_t length)
{
    bool any = false;
    for (guint i = finder->from[first]; i < finder->from[first + 1]; i++) {
        const Want *want = &g_array_index(finder->wants, Want, i);
        if (!is_piece(want->piece, text, length))
            continue;
        row_at(finder, want->clause)->matched |= (RowBits) 1 << want->place;
        any = true;
    }
    return any;
}

static bool note_token(MkFinder *finder, const MkToken *token)
{
    bool any = note_matches(finder, (uint8_t) token->text[0], token->text, token->length);
    any |= note_matches(finder, 256, token->text, token->length);
    if (token->plain == NULL)
        return any;
    any |= note_matches(finder, (uint8_t) token->plain[0], token->plain, token->plain_length);
    any |= note_matches(finder, 256, token->plain, token->plain_length);
    return any;
}

static const TokenPlace *place_before(const MkFinder *finder, guint distance)
{
    return &finder->places[(finder->position - distance) % ROW_TOKENS];
}

static bool tell(MkFinder *finder, guint clause)
{
    const Row *row = row_at(finder, clause);
    MkRange tokens[ROW_TOKENS];
    for (guint i = 0; i < row->length; i++) {
        const TokenPlace *place = place_before(finder, row->length - 1 - i);
        uint32_t end = row->first_only ? place->middle : place->end;
        tokens[i] = (MkRange){ place->start, end - place->start };
    }
    MkFound found = { .clause = clause,
                      .start = place_before(finder, row->length - 1)->start,
                      .end = row->first_only ? place_before(finder, 0)->middle
                                             : place_before(finder, 0)->end,
                      .tokens = tokens,
                      .token_count = row->length,
                      .oldest = place_before(finder, MIN(finder->known, ROW_TOKENS) - 1)->start };
    return finder->on_found(&found, finder->cookie);
}

/* Moves all rows on by the token at hand; false: no more are wanted. */
static bool move_rows(MkFinder *finder)
{
    finder->standing = false;
    for (guint i = 0; i < finder->rows->len; i++) {
        Row *row = row_at(finder, i);
        row->stands = (row->stands << 1 | 1) & (row->matched | row->any);
        row->matched = 0;
        finder->standing |= row->stands != 0;
        if ((row->stands >> (row->length - 1) & 1) && !tell(finder, i))
            return false;
    }
    return true;
}

static bool on_token(const MkToken *token, void *cookie)
{
    MkFinder *finder = cookie;
    bool follows = finder->known > 0 && token->position == finder->position + 1;
    if (!follows) { /* those between were of no interest */
        finder->known = 0;
        for (guint i = 0; finder->standing && i < finder->rows->len; i++)
            row_at(finder, i)->stands = 0;
        finder->standing = false;
    }
    finder->position = token->position;
    finder->known++;
    finder->places[token->position % ROW_TOKENS] =
        (TokenPlace){ token->start, token->middle, token->end };
    bool any = note_token(finder, token);
    return (!any && !finder->standing) || move_rows(finder);
}

void mk_finder_run(MkFinder *finder, const char *text, size_t length, MkFoundFunc on_found,
                   void *cookie)
{
    finder->on_found = on_found;
    finder->cookie = cookie;
    finder->known = 0;
    finder->standing = false;
    for (guint i = 0; i < finder->rows->len; i++)
        row_at(finder, i)->stands = row_at(finder, i)->matched = 0;
    mk_tokens_place(text, length, finder->skips ? &finder->filter : NULL, on_token, finder);
}
