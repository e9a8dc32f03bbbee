/* dictionary.c - the built-in dictionary: what mails have in common, before any is known */
#include "internal.h"

/* zstd finds what stands nearest to the end cheapest: the most frequent comes last. */
const char *const builtin_dictionary[] = {
    "placeholder\r\n",
};
const unsigned builtin_dictionary_count = G_N_ELEMENTS(builtin_dictionary);
