/*
 * expand.c - the terms that a word or a pattern stands for
 *
 * A pattern that begins with letters is looked up in the dictionary, one that ends with letters
 * in the reversed one. With neither the reversed one is read from end to end for its longest stretch
 * of letters: there is nothing but strings in it, so that this takes the least time.
 */
#include "internal.h"

/* Terms that are kept before their fields are looked at. */
#define FOUND_MAX (8 * MK_LIMIT_WILDCARD_TERMS)

typedef struct {
    const MkEvaluation *evaluation;
    const MkQueryPiece *piece;
    unsigned fields;
    GArray *refs;
    uint32_t term_count;
} Expansion;

/* Takes the fields wanted of the term that @terms stands on. */
static bool take_refs(Expansion *expansion, const MkStrings *terms, GError **error)
{
    bool any = false;
    for (unsigned i = 0; i < terms->ref_count; i++) {
        if (!(expansion->fields >> terms->refs[i].field & 1))
            continue;
        g_array_append_val(expansion->refs, terms->refs[i]);
        any = true;
    }
    if (any && ++expansion->term_count > MK_LIMIT_WILDCARD_TERMS)
        return mk_fail_hint(error, MK_ERROR_LIMIT, "query-wildcard", MK_LIMIT_WILDCARD_TERMS,
                            "A word with * or ? in the search stands for more than %u words; "
                            "write more of it",
                            (unsigned) MK_LIMIT_WILDCARD_TERMS);
    return true;
}

static bool take_exact(Expansion *expansion, MkStrings *terms, const char *text, size_t length,
                       GError **error)
{
    bool found = false;
    if (!mk_strings_seek(terms, text, length, &found, error))
        return false;
    if (!found || mk_strings_compare(terms->text, terms->length, text, length) != 0)
        return true;
    return take_refs(expansion, terms, error);
}

static bool begins_with(const MkStrings *strings, const char *start, size_t length)
{
    return strings->length >= length && memcmp(strings->text, start, length) == 0;
}

/* All terms that begin with the pattern's letters before its first wildcard, which may be none. */
static bool scan_forward(Expansion *expansion, MkStrings *terms, size_t literal, GError **error)
{
    const MkQueryPiece *piece = expansion->piece;
    bool found = false;
    if (!mk_strings_seek(terms, piece->text, literal, &found, error))
        return false;
    while (found && begins_with(terms, piece->text, literal)) {
        if (terms->length > 0 && /* not the empty term, it is no word */
            mk_pattern_match(piece->text, piece->length, terms->text, terms->length) &&
            !take_refs(expansion, terms, error))
            return false;
        if (!mk_strings_next(terms, &found, error))
            return false;
    }
    return true;
}

static void reverse(const char *text, size_t length, char *out)
{
    for (size_t i = 0; i < length; i++)
        out[i] = text[length - 1 - i];
}

static int compare_terms(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Terms that match and end with the last @literal octets of the pattern, in order. */
static bool find_by_end(const Expansion *expansion, size_t literal, GPtrArray *out, GError **error)
{
    const MkEvaluation *evaluation = expansion->evaluation;
    const MkQueryPiece *piece = expansion->piece;
    g_auto(MkStrings) reversed = { 0 };
    char start[MK_LIMIT_TOKEN_BYTES], text[MK_INDEX_STRING_BYTES + 1];
    bool found = false;

    if (literal > sizeof start) /* no term is that long */
        return true;
    reverse(piece->text + piece->length - literal, literal, start);
    mk_strings_init(&reversed, evaluation->watch, evaluation->segment, STREAM_REVERSED);
    if (!mk_strings_seek(&reversed, start, literal, &found, error))
        return false;
    /* Not all need have a wanted field, so this bounds memory only; take_refs() has the limit. */
    while (found && begins_with(&reversed, start, literal) &&
           out->len < 50 * MK_LIMIT_WILDCARD_TERMS) {
        reverse(reversed.text, reversed.length, text);
        if (mk_pattern_match(piece->text, piece->length, text, reversed.length))
            g_ptr_array_add(out, g_strndup(text, reversed.length));
        if (!mk_strings_next(&reversed, &found, error))
            return false;
    }
    g_ptr_array_sort(out, compare_terms);
    return true;
}

/* The longest stretch of the pattern without a wildcard, backwards. */
static size_t longest_part(const MkQueryPiece *piece, char *out)
{
    size_t best = 0;
    for (size_t at = 0; at < piece->length;) {
        size_t length = strcspn(piece->text + at, "*?");
        if (length > best && length <= MK_LIMIT_TOKEN_BYTES) {
            best = length;
            reverse(piece->text + at, length, out);
        }
        at += length + 1;
    }
    return best;
}

/* Terms that match and have @part in them backwards, in order: no more than FOUND_MAX. */
static bool find_by_part(const Expansion *expansion, const char *part, size_t length,
                         GPtrArray *out, GError **error)
{
    const MkEvaluation *evaluation = expansion->evaluation;
    const MkQueryPiece *piece = expansion->piece;
    g_auto(MkStrings) reversed = { 0 };
    char text[MK_INDEX_STRING_BYTES + 1];
    bool found = false;

    mk_strings_init(&reversed, evaluation->watch, evaluation->segment, STREAM_REVERSED);
    if (!mk_strings_next_with(&reversed, part, length, &found, error))
        return false;
    while (found && out->len < FOUND_MAX) {
        reverse(reversed.text, reversed.length, text);
        if (mk_pattern_match(piece->text, piece->length, text, reversed.length))
            g_ptr_array_add(out, g_strndup(text, reversed.length));
        if (!mk_strings_next_with(&reversed, part, length, &found, error))
            return false;
    }
    g_ptr_array_sort(out, compare_terms);
    return true;
}

static bool take_all(Expansion *expansion, MkStrings *terms, const GPtrArray *found, GError **error)
{
    for (guint i = 0; i < found->len; i++)
        if (!take_exact(expansion, terms, found->pdata[i], strlen(found->pdata[i]), error))
            return false;
    return true;
}

static bool scan_by_end(Expansion *expansion, MkStrings *terms, size_t literal, GError **error)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
    return find_by_end(expansion, literal, found, error) &&
           take_all(expansion, terms, found, error);
}

/* Of very many, most may lack the fields wanted: then these are looked at one after the other. */
static bool scan_by_part(Expansion *expansion, MkStrings *terms, GError **error)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
    char part[MK_LIMIT_TOKEN_BYTES];
    size_t length = longest_part(expansion->piece, part);
    if (length == 0)
        return scan_forward(expansion, terms, 0, error);
    if (!find_by_part(expansion, part, length, found, error))
        return false;
    if (found->len == FOUND_MAX)
        return scan_forward(expansion, terms, 0, error);
    return take_all(expansion, terms, found, error);
}

static bool scan(Expansion *expansion, MkStrings *terms, GError **error)
{
    const MkQueryPiece *piece = expansion->piece;
    size_t start = strcspn(piece->text, "*?"), end = 0;
    while (end < piece->length && strchr("*?", piece->text[piece->length - 1 - end]) == NULL)
        end++;
    if (start == 0 && end > 0)
        return scan_by_end(expansion, terms, end, error);
    if (start == 0)
        return scan_by_part(expansion, terms, error);
    return scan_forward(expansion, terms, start, error);
}

bool mk_expand(const MkEvaluation *evaluation, const MkQueryPiece *piece, unsigned fields,
               GArray *out_refs, GError **error)
{
    Expansion expansion = {
        .evaluation = evaluation, .piece = piece, .fields = fields, .refs = out_refs
    };
    g_auto(MkStrings) terms = { 0 };
    mk_strings_init(&terms, evaluation->watch, evaluation->segment, STREAM_TERMS);
    switch (piece->kind) {
    case PIECE_WORD: return take_exact(&expansion, &terms, piece->text, piece->length, error);
    case PIECE_ANY: return take_exact(&expansion, &terms, "", 0, error);
    case PIECE_PATTERN: return scan(&expansion, &terms, error);
    }
    g_assert_not_reached();
}
