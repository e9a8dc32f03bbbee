/*
 * group.h - rows that stand for several mails: conversations, copies of one mail
 *
 * Purpose    Counts the groups among the mails found, keeps the first rows, and lists the mails
 *            of those rows.
 */
#ifndef MK_INDEX_GROUP_H
#define MK_INDEX_GROUP_H

#include "top.h"

/* The first rows: of every group the mail that comes first. */
typedef struct {
    bool ascending;
    uint64_t limit; /* so many are kept */
    GArray *rows;   /* MkRanked; some more than that between two clearings */
    bool full;      /* what comes behind last is of no use */
    MkRanked last;
} MkGroupTop;
void mk_group_top_init(MkGroupTop *top, bool ascending, uint64_t limit);
void mk_group_top_clear(MkGroupTop *top);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkGroupTop, mk_group_top_clear)
void mk_group_top_add(MkGroupTop *top, const MkRanked *hit);
/* Puts what is kept in order, each group once. */
void mk_group_top_sort(MkGroupTop *top);

/* Numbers other than 0, each once. */
typedef struct {
    uint64_t *slots; /* a power of two of them; 0 = free */
    size_t mask, count;
} MkNumberSet;

typedef struct {
    const MkSearch *search;
    MkWatch *watch;
    const MkView *view;
    MkStreamKind keys; /* what is sorted by */
    GPtrArray *docs;   /* MkDocSet *: the mails found in each segment */
    MkNumberSet seen;
    uint64_t row_count;
} MkGrouping;
void mk_grouping_init(MkGrouping *grouping, const MkSearch *search, MkWatch *watch,
                      MkStreamKind keys);
void mk_grouping_clear(MkGrouping *grouping);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkGrouping, mk_grouping_clear)
/*
 * mk_grouping_add() - the mails found in the next segment
 * @docs  taken
 * @top   NULL: only counted
 */
bool mk_grouping_add(MkGrouping *grouping, MkDocSet *docs, MkGroupTop *top, GError **error);
/*
 * mk_grouping_members() - the first mails of the groups of some rows, themselves among them
 * @out_members  MkRanked, in no order
 * @out_counts   uint32_t for each row: all mails of its group
 */
bool mk_grouping_members(MkGrouping *grouping, const MkRanked *rows, guint row_count,
                         GArray *out_members, GArray *out_counts, GError **error);
/* Gives the rows' hits their other mails; @members in the order asked for. */
void mk_grouping_assign(const MkRanked *rows, const GArray *members, const GArray *counts,
                        GPtrArray *hits);

#endif
