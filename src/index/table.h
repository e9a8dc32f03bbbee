/*
 * table.h - the terms of the mails being indexed, in memory
 *
 * Purpose    From (field, term) to the octets of its posting, growing token by token.
 * Threads    One.
 */
#ifndef MK_INDEX_TABLE_H
#define MK_INDEX_TABLE_H

#include "internal.h"

/* Memory given back all at once. */
typedef struct {
    GPtrArray *slabs;
    uint8_t *at, *end;
    size_t bytes;
} MkArena;
void mk_arena_init(MkArena *arena);
void mk_arena_clear(MkArena *arena);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkArena, mk_arena_clear)
void *mk_arena_take(MkArena *arena, size_t length);                     /* aligned to 8 */
char *mk_arena_string(MkArena *arena, const char *text, size_t length); /* with NUL */

/*
 * A posting as it grows: for each document varint gap << 1 | 1, then its positions exactly as
 * they are stored (internal.h). A position that is not a document's first is even, so the next
 * document's gap is told from it.
 */
#define MK_TERM_INLINE_BYTES 14
typedef struct MkTerm {
    uint64_t hash;
    struct MkChunk *last; /* of the chain behind the octets in here; NULL = none yet */
    uint8_t *at, *end;    /* free part of the last chunk, or of these octets */
    uint32_t next_doc;    /* the smallest that may come; 0: none came yet */
    uint32_t last_position;
    uint8_t length;
    uint8_t field;
    uint8_t octets[MK_TERM_INLINE_BYTES]; /* most terms are rare: no memory but this is touched */
    char text[];
} MkTerm;

typedef struct {
    MkArena arena;
    MkTerm **terms; /* in the order they came */
    uint32_t count, capacity;
    struct MkTermSlot *slots; /* a power of two of them */
    uint32_t slot_mask;
    uint64_t secret[2]; /* hashes cannot be foreseen, so nobody makes them collide by mail */
} MkTermTable;
void mk_term_table_init(MkTermTable *table);
void mk_term_table_clear(MkTermTable *table);
/* Documents ascend; positions of a term in a document ascend. */
void mk_term_table_add(MkTermTable *table, uint8_t field, const char *text, size_t length,
                       uint32_t doc, uint32_t position);
size_t mk_term_table_bytes(const MkTermTable *table);
/* The whole posting in @out, cleared first. */
void mk_term_octets(const MkTerm *term, GByteArray *out);
/* Strings with their first eight octets as a number, so that most comparisons need no memory. */
typedef struct {
    uint64_t head;
    const char *text;
    uint32_t length;
    uint32_t index; /* the caller's; breaks ties */
} MkSortItem;
uint64_t mk_sort_head(const char *text, size_t length);
/* By text, then index. */
void mk_sort_items(MkSortItem *items, size_t count);

#endif
