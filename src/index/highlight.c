#include "highlight.h"

/* What stands between the words of a row is marked with them, if it is no longer. */
#define JOIN_BYTES 4
/* Ranges kept beyond those wanted before they are put in order. */
#define SPARE_RANGES 1024

typedef struct {
    GArray *ranges; /* MkRange */
    guint max;
    guint sorted; /* so many are in order and apart from each other */
} Highlight;

static int compare_ranges(const void *a, const void *b)
{
    const MkRange *x = a, *y = b;
    if (x->offset != y->offset)
        return x->offset > y->offset ? 1 : -1;
    return (x->length > y->length) - (x->length < y->length);
}

static void add_range(GArray *ranges, uint32_t start, uint32_t end)
{
    MkRange range = { start, end - start };
    if (end > start)
        g_array_append_val(ranges, range);
}

static void settle(Highlight *highlight)
{
    GArray *ranges = highlight->ranges;
    guint kept = 0;
    g_array_sort(ranges, compare_ranges);
    for (guint i = 0; i < ranges->len; i++) {
        MkRange range = g_array_index(ranges, MkRange, i);
        MkRange *last = kept > 0 ? &g_array_index(ranges, MkRange, kept - 1) : NULL;
        if (last != NULL && range.offset <= last->offset + last->length)
            last->length =
                MAX(last->offset + last->length, range.offset + range.length) - last->offset;
        else
            g_array_index(ranges, MkRange, kept++) = range;
    }
    g_array_set_size(ranges, kept);
    highlight->sorted = kept;
}

/* Nothing that is yet to come can change the first @max ranges. */
static bool is_complete(const Highlight *highlight, uint32_t oldest)
{
    if (highlight->ranges->len <= highlight->max)
        return false;
    const MkRange *next = &g_array_index(highlight->ranges, MkRange, highlight->max);
    return next->offset + next->length < oldest;
}

static bool on_found(const MkFound *found, void *cookie)
{
    Highlight *highlight = cookie;
    uint32_t start = found->start, end = start;
    for (guint i = 0; i < found->token_count; i++) {
        const MkRange *token = &found->tokens[i];
        if (i > 0 && token->offset > end + JOIN_BYTES) {
            add_range(highlight->ranges, start, end);
            start = token->offset;
        }
        end = MAX(end, token->offset + token->length);
    }
    add_range(highlight->ranges, start, end);
    if (highlight->ranges->len < highlight->sorted + SPARE_RANGES)
        return true;
    settle(highlight);
    return !is_complete(highlight, found->oldest);
}

GArray *mk_finder_highlight(MkFinder *finder, const char *text, size_t length, unsigned max)
{
    Highlight highlight = { g_array_new(FALSE, FALSE, sizeof(MkRange)), max, 0 };
    if (finder == NULL || max == 0)
        return highlight.ranges;
    mk_finder_run(finder, text, length, on_found, &highlight);
    settle(&highlight);
    g_array_set_size(highlight.ranges, MIN(highlight.ranges->len, max));
    return highlight.ranges;
}

GArray *mk_query_highlight(const MkQuery *query, unsigned fields, MkField field, const char *text,
                           size_t length, unsigned max)
{
    g_autoptr(MkFinder) finder = mk_finder_new(query, fields, field);
    return mk_finder_highlight(finder, text, length, max);
}
