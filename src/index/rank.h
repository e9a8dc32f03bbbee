/*
 * rank.h - from the mails that match to the first of them
 */
#ifndef MK_INDEX_RANK_H
#define MK_INDEX_RANK_H

#include "top.h"

typedef struct {
    const MkView *view;
    MkWatch *watch;
    MkStreamKind keys; /* column that is sorted by */
} MkRank;
/* Offers the documents of one segment, whatever the column. */
bool mk_rank_segment(const MkRank *rank, uint32_t place, const MkDocSet *docs, MkTop *top,
                     GError **error);
/*
 * Offers those of all segments; @sets: MkDocSet, one each. Only for columns with ranges
 * (mk_stream_has_ranges()): blocks that have none of the first documents are not read.
 */
bool mk_rank_all(const MkRank *rank, const GPtrArray *sets, MkTop *top, GError **error);

#endif
