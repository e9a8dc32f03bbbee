#include <string.h>

#include "internal.h"

static inline size_t word_count(uint32_t size)
{
    return ((size_t) size + 63) / 64;
}

MkDocSet *mk_doc_set_new(uint32_t size, bool full)
{
    MkDocSet *set = g_new0(MkDocSet, 1);
    set->refs = 1;
    set->size = size;
    set->words = g_new0(uint64_t, word_count(size) + 1);
    if (full) {
        memset(set->words, 0xFF, word_count(size) * sizeof *set->words);
        if (size % 64 != 0)
            set->words[size / 64] = (UINT64_C(1) << (size % 64)) - 1;
    }
    return set;
}

MkDocSet *mk_doc_set_ref(MkDocSet *set)
{
    g_atomic_int_inc(&set->refs);
    return set;
}

void mk_doc_set_unref(MkDocSet *set)
{
    if (set == NULL || !g_atomic_int_dec_and_test(&set->refs))
        return;
    g_free(set->words);
    g_free(set);
}

void mk_doc_set_and(MkDocSet *set, const MkDocSet *other)
{
    for (size_t i = 0; i < word_count(set->size); i++)
        set->words[i] &= other->words[i];
}

void mk_doc_set_and_not(MkDocSet *set, const MkDocSet *other)
{
    for (size_t i = 0; i < word_count(set->size); i++)
        set->words[i] &= ~other->words[i];
}

void mk_doc_set_or(MkDocSet *set, const MkDocSet *other)
{
    for (size_t i = 0; i < word_count(set->size); i++)
        set->words[i] |= other->words[i];
}

void mk_doc_set_remove_range(MkDocSet *set, uint32_t from, uint32_t end)
{
    while (from < end) {
        uint32_t stop = (uint32_t) MIN(end, ((uint64_t) from / 64 + 1) * 64);
        uint64_t bits = UINT64_MAX << (from % 64);
        if (stop % 64 != 0)
            bits &= (UINT64_C(1) << (stop % 64)) - 1;
        set->words[from / 64] &= ~bits;
        from = stop;
    }
}

uint64_t mk_doc_set_count(const MkDocSet *set)
{
    uint64_t count = 0;
    for (size_t i = 0; i < word_count(set->size); i++)
        if (set->words[i] != 0) /* of a rare word nearly all are */
            count += (uint64_t) __builtin_popcountll(set->words[i]);
    return count;
}

bool mk_doc_set_any(const MkDocSet *set, uint64_t from, uint64_t end)
{
    end = MIN(end, set->size);
    if (from >= end)
        return false;
    size_t word = (size_t) from / 64, last = (size_t) (end - 1) / 64;
    uint64_t bits = set->words[word] & UINT64_MAX << (from % 64);
    while (bits == 0 && word < last)
        bits = set->words[++word];
    return bits != 0 && word * 64 + (unsigned) __builtin_ctzll(bits) < end;
}

uint32_t mk_doc_set_next(const MkDocSet *set, uint32_t from)
{
    if (from >= set->size)
        return set->size;
    size_t word = from / 64;
    uint64_t bits = set->words[word] & UINT64_MAX << (from % 64);
    while (bits == 0) {
        if (++word >= word_count(set->size))
            return set->size;
        bits = set->words[word];
    }
    return (uint32_t) (word * 64 + (unsigned) __builtin_ctzll(bits));
}
