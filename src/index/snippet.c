/*
 * snippet.c - the stretch of a text that shows best why it was found
 *
 * Two ends move over the places found; the first stretch with most different words wins. The text
 * is read no further than to a stretch that has them all.
 */
#include <string.h>

#include <utf8proc.h>

#include <mailkeep/limits.h>

#include "fold.h"
#include "highlight.h"

/* So much of what is shown stands before the first word found: a third. */
#define BEFORE_SHARE 3
/* Places looked at; behind so many a better stretch is not worth the time. */
#define MAX_PLACES 4096

typedef struct {
    guint clause;
    uint32_t start, end;
} Place;

typedef struct {
    size_t max_bytes;
    GArray *places; /* Place */
    guint first;    /* of the stretch at hand */
    guint *counts;  /* of each clause in it */
    guint clause_count, different;
    guint best_different;
    uint32_t best_start, best_end;
} Search;

void mk_snippet_free(MkSnippet *snippet)
{
    if (snippet == NULL)
        return;
    g_free(snippet->text);
    g_array_unref(snippet->ranges);
    g_free(snippet);
}

/* -- which stretch -------------------------------------------------------------------------- */
static void drop_first(Search *search)
{
    const Place *place = &g_array_index(search->places, Place, search->first++);
    if (--search->counts[place->clause] == 0)
        search->different--;
}

static bool on_found(const MkFound *found, void *cookie)
{
    Search *search = cookie;
    Place place = { found->clause, found->start, found->end };
    g_array_append_val(search->places, place);
    if (search->counts[place.clause]++ == 0)
        search->different++;
    while (search->first + 1 < search->places->len) {
        const Place *first = &g_array_index(search->places, Place, search->first);
        if (place.end - MIN(first->start, place.start) <= search->max_bytes &&
            search->counts[first->clause] == 1)
            break;
        drop_first(search);
    }
    if (search->different > search->best_different) {
        const Place *first = &g_array_index(search->places, Place, search->first);
        search->best_different = search->different;
        search->best_start = MIN(first->start, place.start);
        search->best_end = place.end;
    }
    return search->best_different < search->clause_count && search->places->len < MAX_PLACES;
}

/* -- borders ------------------------------------------------------------------------------- */
/* The character at @at; an ill-formed octet, a control and white space count as a blank. */
static size_t read_character(const char *text, size_t length, size_t at, int32_t *out_code_point)
{
    utf8proc_int32_t code_point;
    uint8_t octet = (uint8_t) text[at];
    if (octet < 0x80) {
        *out_code_point = octet < 0x20 || octet == 0x7F ? ' ' : octet;
        return 1;
    }
    utf8proc_ssize_t step = utf8proc_iterate((const utf8proc_uint8_t *) text + at,
                                             (utf8proc_ssize_t) (length - at), &code_point);
    bool blank = step <= 0 || code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0) ||
                 g_unichar_isspace((gunichar) code_point);
    *out_code_point = blank ? ' ' : code_point;
    return (size_t) MAX(step, 1);
}

static bool is_word(int32_t code_point)
{
    return code_point < 0x80 ? g_ascii_isalnum((char) code_point) : mk_fold_is_word(code_point);
}

/* May text be cut between these? Marks stay with their letter, letters with their word. */
static bool is_border(int32_t before, int32_t after)
{
    if (after >= 0x80 && mk_fold_joins(after))
        return false;
    return !is_word(before) || !is_word(after) || mk_fold_is_cjk(before) || mk_fold_is_cjk(after);
}

/* The first border at @from or behind it, or @to, which is one. */
static size_t begin_at(const char *text, size_t length, size_t from, size_t to)
{
    int32_t before, after;
    while (from < to && ((uint8_t) text[from] & 0xC0) == 0x80)
        from++;
    if (from == 0 || from >= to)
        return MIN(from, to);
    size_t last = from - 1; /* the character before */
    while (last > 0 && from - last < 4 && ((uint8_t) text[last] & 0xC0) == 0x80)
        last--;
    read_character(text, length, last, &before);
    for (size_t at = from; at < to;) {
        size_t step = read_character(text, length, at, &after);
        if (is_border(before, after))
            return at;
        before = after;
        at += step;
    }
    return to;
}

static size_t start_of(const Search *search, const char *text, size_t length)
{
    size_t span = search->best_end - search->best_start;
    size_t before = search->max_bytes > span ? (search->max_bytes - span) / BEFORE_SHARE : 0;
    size_t rest = length - search->best_start; /* what a short end leaves free goes before it */
    if (rest + before < search->max_bytes)
        before = search->max_bytes - rest;
    if (search->best_different == 0 || search->best_start <= before)
        return 0;
    return begin_at(text, length, search->best_start - before, search->best_start);
}

/* -- its text -------------------------------------------------------------------------------- */
static bool has_text(const char *text, size_t from, size_t to)
{
    for (size_t at = from; at < to;) {
        int32_t code_point;
        at += read_character(text, to, at, &code_point);
        if (code_point != ' ')
            return true;
    }
    return false;
}

/* Copies up to @max_bytes with single blanks; returns where it stopped. */
static size_t copy_text(const char *text, size_t length, size_t at, size_t max_bytes, GString *out)
{
    size_t border = 0, border_at = at; /* the last place to cut at, in @out and in @text */
    int32_t before = ' ';
    while (at < length) {
        int32_t code_point;
        size_t step = read_character(text, length, at, &code_point);
        bool skipped = code_point == ' ' && before == ' ';
        if (!skipped && is_border(before, code_point)) {
            border = out->len;
            border_at = at;
        }
        if (!skipped && out->len + (code_point == ' ' ? 1 : step) > max_bytes) {
            if (border == 0) /* one word longer than all */
                return at;
            g_string_truncate(out, border);
            return border_at;
        }
        if (code_point < 0x80 && !skipped)
            g_string_append_c(out, (char) code_point);
        else if (!skipped)
            g_string_append_len(out, text + at, (gssize) step);
        before = code_point;
        at += step;
    }
    return at;
}

static void find_best(Search *search, MkFinder *finder, const char *text, size_t length)
{
    if (finder == NULL)
        return;
    search->clause_count = mk_finder_clause_count(finder);
    search->counts = g_new0(guint, search->clause_count);
    search->places = g_array_new(FALSE, FALSE, sizeof(Place));
    mk_finder_run(finder, text, length, on_found, search);
    g_array_unref(search->places);
    g_free(search->counts);
}

MkSnippet *mk_finder_snippet(MkFinder *finder, const char *text, size_t length, size_t max_bytes)
{
    Search search = { .max_bytes = max_bytes };
    GString *out = g_string_sized_new(max_bytes + 1);
    size_t whole = length;

    if (length > MK_LIMIT_TEXT_BYTES)
        length = mk_fold_cut(text, length, MK_LIMIT_TEXT_BYTES);
    find_best(&search, finder, text, length);
    size_t start = start_of(&search, text, length);
    size_t end = copy_text(text, length, start, max_bytes, out);
    while (out->len > 0 && out->str[out->len - 1] == ' ')
        g_string_truncate(out, out->len - 1);

    MkSnippet *snippet = g_new0(MkSnippet, 1);
    snippet->cut_before = has_text(text, 0, start);
    snippet->cut_after = length < whole || has_text(text, end, length);
    snippet->ranges = mk_finder_highlight(finder, out->str, out->len, UINT_MAX);
    snippet->text = g_string_free(out, FALSE);
    return snippet;
}

MkSnippet *mk_query_snippet(const MkQuery *query, unsigned fields, MkField field, const char *text,
                            size_t length, size_t max_bytes)
{
    g_autoptr(MkFinder) finder = mk_finder_new(query, fields, field);
    return mk_finder_snippet(finder, text, length, max_bytes);
}
