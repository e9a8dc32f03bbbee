/*
 * top.h - the first so many hits in the order asked for
 */
#ifndef MK_INDEX_TOP_H
#define MK_INDEX_TOP_H

#include "internal.h"

typedef struct {
    uint64_t key;  /* what is sorted by; rising */
    uint64_t date; /* mk_column_from_time() */
    uint32_t number;
    uint32_t segment; /* place in the view */
    uint32_t doc;
    uint64_t group; /* of a grouped search; 0 = alone */
} MkRanked;
/* Below zero: @a comes before @b. Ties: by date, then number, both newest first. */
int mk_ranked_compare(bool ascending, const MkRanked *a, const MkRanked *b);

typedef struct {
    bool ascending;
    uint64_t limit; /* so many are kept */
    GArray *heap;   /* MkRanked; the last of them in front, as long as it is no list */
} MkTop;
void mk_top_init(MkTop *top, bool ascending, uint64_t limit);
void mk_top_clear(MkTop *top);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkTop, mk_top_clear)
/* Could a hit with this key be one of them? */
bool mk_top_wants(const MkTop *top, uint64_t key);
void mk_top_add(MkTop *top, const MkRanked *hit);
/* Puts what is kept in order, first hit first. */
void mk_top_sort(MkTop *top);

#endif
