/*
 * match.h - where the pieces of a clause stand
 *
 * Purpose    From the postings of a clause's pieces to documents and to the places of a match.
 */
#ifndef MK_INDEX_MATCH_H
#define MK_INDEX_MATCH_H

#include "internal.h"

/* A clause whose pieces are looked up in one segment. */
typedef struct {
    const MkEvaluation *evaluation;
    guint piece_count;
    GPtrArray *refs; /* GArray * of MkTermRef a piece; empty for a PIECE_ANY between others */
    const MkClause *clause;
} MkMatch;
#define MK_MATCH_INIT       \
    {                       \
        NULL, 0, NULL, NULL \
    }
bool mk_match_init(MkMatch *match, const MkEvaluation *evaluation, const MkClause *clause,
                   unsigned fields, GError **error);
void mk_match_clear(MkMatch *match);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkMatch, mk_match_clear)

/* Adds to @out the documents in which it matches in @field: all of @within, maybe others. */
bool mk_match_docs(const MkMatch *match, unsigned field, const MkDocSet *within, MkDocSet *out,
                   GError **error);

/* Documents looked at in one go when places are wanted: bounds the memory. */
#define MK_MATCH_WINDOW (1u << 18)
/*
 * mk_match_starts() - places where it matches in @field
 * @within   only in these documents, and only in @from .. @from + MK_MATCH_WINDOW - 1
 * @out      uint64_t document << 32 | position of the first piece, ascending; cleared first
 */
bool mk_match_starts(const MkMatch *match, unsigned field, const MkDocSet *within, uint32_t from,
                     GArray *out, GError **error);

#endif
