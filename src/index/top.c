#include "top.h"

void mk_top_init(MkTop *top, bool ascending, uint64_t limit)
{
    *top = (MkTop){ ascending, limit, g_array_new(FALSE, FALSE, sizeof(MkRanked)) };
}

void mk_top_clear(MkTop *top)
{
    g_clear_pointer(&top->heap, g_array_unref);
}

int mk_ranked_compare(bool ascending, const MkRanked *a, const MkRanked *b)
{
    if (a->key != b->key)
        return (a->key < b->key) == ascending ? -1 : 1;
    if (a->date != b->date)
        return a->date > b->date ? -1 : 1;
    return (a->number < b->number) - (a->number > b->number);
}

static int compare(const MkTop *top, const MkRanked *a, const MkRanked *b)
{
    return mk_ranked_compare(top->ascending, a, b);
}

static inline MkRanked *at(const MkTop *top, guint place)
{
    return &g_array_index(top->heap, MkRanked, place);
}

static void swap(MkTop *top, guint a, guint b)
{
    MkRanked kept = *at(top, a);
    *at(top, a) = *at(top, b);
    *at(top, b) = kept;
}

static void sift_up(MkTop *top, guint place)
{
    while (place > 0 && compare(top, at(top, (place - 1) / 2), at(top, place)) < 0) {
        swap(top, place, (place - 1) / 2);
        place = (place - 1) / 2;
    }
}

static void sift_down(MkTop *top)
{
    guint place = 0;
    for (;;) {
        guint last = place, child = 2 * place + 1;
        if (child < top->heap->len && compare(top, at(top, last), at(top, child)) < 0)
            last = child;
        if (child + 1 < top->heap->len && compare(top, at(top, last), at(top, child + 1)) < 0)
            last = child + 1;
        if (last == place)
            return;
        swap(top, place, last);
        place = last;
    }
}

bool mk_top_wants(const MkTop *top, uint64_t key)
{
    if (top->heap->len < top->limit)
        return true;
    if (top->heap->len == 0)
        return false;
    return top->ascending ? key <= at(top, 0)->key : key >= at(top, 0)->key;
}

void mk_top_add(MkTop *top, const MkRanked *hit)
{
    if (top->heap->len < top->limit) {
        g_array_append_vals(top->heap, hit, 1);
        sift_up(top, top->heap->len - 1);
    } else if (top->heap->len > 0 && compare(top, hit, at(top, 0)) < 0) {
        *at(top, 0) = *hit;
        sift_down(top);
    }
}

static gint compare_for_sort(gconstpointer a, gconstpointer b, gpointer top)
{
    return compare(top, a, b);
}

void mk_top_sort(MkTop *top)
{
    g_array_sort_with_data(top->heap, compare_for_sort, top);
}
