/*
 * join.h - several segments written as one
 *
 * All is read in order and written in order: sort keys, documents by number, terms, reversed
 * terms. In memory are three numbers a document, a group of each posting and the blocks in work.
 */
#ifndef MK_INDEX_JOIN_H
#define MK_INDEX_JOIN_H

#include "internal.h"

/* More are not joined at once: each has blocks of all streams in memory. */
#define MK_JOIN_SOURCES 32

/* Walks the living documents of one posting under their new numbers. */
typedef struct {
    const MkTermRef *ref;
    MkDocGroups groups;
    GByteArray *docs, *positions; /* all of the documents; the positions of a group */
    MkReader reader;              /* behind the positions of doc */
    unsigned next;                /* place in the group */
    uint32_t doc;                 /* UINT32_MAX at the end */
    const uint8_t *octets;        /* the positions of doc */
    size_t length;
} MkJoinPosting;

typedef struct {
    MkSegment segment;       /* a copy without a cache: what is read here is read once */
    const MkDocSet *deleted; /* may be NULL */
    uint32_t *new_doc;       /* UINT32_MAX = deleted */
    uint32_t *new_rank[MK_SORT_TEXTS];
    uint64_t rank_count[MK_SORT_TEXTS];
    MkColumn columns[STREAM_COUNT];
    MkFolderColumn folders;
    MkAttachmentColumn attachments;
    MkDisplay display;
    MkStrings strings; /* the list being joined */
    bool more;         /* strings stands on one */
    MkOctets docs, positions;
    MkJoinPosting posting;
    uint32_t next;        /* document not yet written */
    uint64_t next_number; /* its mail number; 0 = not looked up, UINT64_MAX = none is left */
} MkJoinSource;

typedef struct {
    MkWatch watch;
    MkJoinSource *sources;
    unsigned count;
    MkSegmentWriter *writer;
    GHashTable *dropped; /* terms that only deleted mails had */
    size_t dropped_bytes;
    /* those that stand on the smallest string */
    MkJoinSource *equal[MK_JOIN_SOURCES];
    unsigned equal_count;
} MkJoin;

/* @states are borrowed until the clear, and are not damaged. */
void mk_join_init(MkJoin *join, MkSegmentState *const *states, unsigned count,
                  const int *cancelled);
void mk_join_clear(MkJoin *join);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkJoin, mk_join_clear)
/* Writes all but the end of the segment. */
bool mk_join_write(MkJoin *join, MkSegmentWriter *writer, GError **error);

/* Inside: */
/* Every source to the first string of @stream. */
bool mk_join_lists(MkJoin *join, MkStreamKind stream, GError **error);
/* Fills join->equal; false at the end of all lists. */
bool mk_join_smallest(MkJoin *join);
/* Those of join->equal to their next string. */
bool mk_join_step(MkJoin *join, GError **error);
bool mk_join_terms(MkJoin *join, GError **error);

#endif
