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

/* Letters of a pattern, backwards: what leads to its terms in the reversed dictionary. */
typedef struct {
    char text[MK_LIMIT_TOKEN_BYTES];
    size_t length;
    bool first; /* the terms end with it; else it is anywhere in them */
} Part;

/* The longest stretch of the pattern without a wildcard; none: its length is 0. */
static Part longest_part(const MkQueryPiece *piece)
{
    Part part = { .length = 0 };
    for (size_t at = 0; at < piece->length;) {
        size_t length = strcspn(piece->text + at, "*?");
        if (length > part.length && length <= sizeof part.text) {
            part.length = length;
            reverse(piece->text + at, length, part.text);
        }
        at += length + 1;
    }
    return part;
}

/* The last @length octets of the pattern, of which there are as many. */
static Part last_part(const MkQueryPiece *piece, size_t length)
{
    Part part = { .length = length, .first = true };
    reverse(piece->text + piece->length - length, length, part.text);
    return part;
}

/* To the first reversed term that has the part; *out_found false when there is none. */
static bool first_with(MkStrings *reversed, const Part *part, bool *out_found, GError **error)
{
    if (!part->first)
        return mk_strings_next_with(reversed, part->text, part->length, out_found, error);
    if (!mk_strings_seek(reversed, part->text, part->length, out_found, error))
        return false;
    *out_found = *out_found && begins_with(reversed, part->text, part->length);
    return true;
}

static bool next_with(MkStrings *reversed, const Part *part, bool *out_found, GError **error)
{
    if (!part->first)
        return mk_strings_next_with(reversed, part->text, part->length, out_found, error);
    if (!mk_strings_next(reversed, out_found, error))
        return false;
    *out_found = *out_found && begins_with(reversed, part->text, part->length);
    return true;
}

/* Terms that match and have @part, in order: no more than FOUND_MAX. */
static bool find_by_part(const Expansion *expansion, const Part *part, GPtrArray *out,
                         GError **error)
{
    const MkEvaluation *evaluation = expansion->evaluation;
    const MkQueryPiece *piece = expansion->piece;
    g_auto(MkStrings) reversed = { 0 };
    char text[MK_INDEX_STRING_BYTES + 1];
    bool found = false;

    mk_strings_init(&reversed, evaluation->watch, evaluation->segment, STREAM_REVERSED);
    if (!first_with(&reversed, part, &found, error))
        return false;
    while (found && out->len < FOUND_MAX) {
        reverse(reversed.text, reversed.length, text);
        if (mk_pattern_match(piece->text, piece->length, text, reversed.length))
            g_ptr_array_add(out, g_strndup(text, reversed.length));
        if (!next_with(&reversed, part, &found, error))
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

/* Of very many, most may lack the fields wanted: then these are looked at one after the other. */
static bool scan_by_part(Expansion *expansion, MkStrings *terms, const Part *part, GError **error)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
    if (!find_by_part(expansion, part, found, error))
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
    if (start > 0)
        return scan_forward(expansion, terms, start, error);
    if (end > MK_LIMIT_TOKEN_BYTES) /* no term is that long */
        return true;
    Part part = end > 0 ? last_part(piece, end) : longest_part(piece);
    return part.length > 0 ? scan_by_part(expansion, terms, &part, error)
                           : scan_forward(expansion, terms, 0, error);
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
