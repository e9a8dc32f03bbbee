/*
 * tokens.h - tokens with the places they have in a text
 *
 * Threads    Any; pure.
 */
#ifndef MK_INDEX_TOKENS_H
#define MK_INDEX_TOKENS_H

#include <mailkeep/index.h>

typedef struct {
    const char *text; /* folded */
    size_t length;
    const char *plain; /* NULL = the same */
    size_t plain_length;
    uint32_t position;
    uint32_t start, end; /* octets of the text before folding */
    uint32_t middle;     /* where the first character of a pair ends; elsewhere the end */
} MkToken;
/*
 * Which first octets of tokens, and which second ones, are of interest. A token that differs in
 * either is counted only; one that cannot be told so quickly is given all the same.
 */
typedef struct {
    bool first[256];
    bool second[256];
    bool single; /* tokens of one octet are of interest, too */
} MkTokenFilter;
/* False: no more are wanted. */
typedef bool (*MkPlacedFunc)(const MkToken *token, void *cookie);
/*
 * mk_tokens_place() - the tokens of mk_tokens_each() with their places
 * @filter  which tokens are of interest; NULL = all
 *
 * Of characters that compose or become several by folding, places are those of the whole.
 */
void mk_tokens_place(const char *text, size_t length, const MkTokenFilter *filter,
                     MkPlacedFunc on_token, void *cookie);

#endif
