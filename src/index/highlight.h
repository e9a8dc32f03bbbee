/*
 * highlight.h - where a query's clauses match in one text
 *
 * Threads    Any; pure.
 */
#ifndef MK_INDEX_HIGHLIGHT_H
#define MK_INDEX_HIGHLIGHT_H

#include "query.h"

/* Clauses of a finder: without exclusions and pure *. */
guint mk_finder_clause_count(const MkFinder *finder);

/* A place where a clause matches. */
typedef struct {
    guint clause; /* below mk_finder_clause_count() */
    uint32_t start, end;
    /* its tokens' own places, ascending */
    const MkRange *tokens;
    guint token_count;
    uint32_t oldest; /* no match that is yet to come begins before it */
} MkFound;
/* In ascending order of their ends. False: no more are wanted. */
typedef bool (*MkFoundFunc)(const MkFound *found, void *cookie);
void mk_finder_run(MkFinder *finder, const char *text, size_t length, MkFoundFunc on_found,
                   void *cookie);

#endif
