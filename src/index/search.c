/*
 * search.c - a search over all segments: who matches, how many, the page asked for
 */
#include "filter.h"
#include "group.h"
#include "rank.h"
#include "table.h"
#include "top.h"

typedef struct {
    const MkSearch *search;
    MkView *view;
    MkWatch watch;
    GArray *demands; /* MkDemand */
    GPtrArray *docs; /* MkDocSet of each segment: who matches, where all are ranked at once */
    MkFolderScope scope;
    MkTop top;
    MkGrouping grouping; /* with its top: of a grouped search only */
    MkGroupTop group_top;
    uint64_t total;
} Run;

/* -- matching ---------------------------------------------------------------------------- */
static MkDocSet *matching_docs(Run *run, const MkSegmentState *state, GError **error)
{
    MkEvaluation evaluation = { &run->watch, state->segment };
    g_autoptr(MkDocSet) docs = mk_doc_set_new(state->segment->info.doc_count, true);
    if (state->deleted != NULL)
        mk_doc_set_and_not(docs, state->deleted);
    if (!mk_evaluate(&evaluation, run->demands, docs, error) ||
        !mk_filter(&run->watch, state->segment, run->search, &run->scope, docs, error))
        return NULL;
    return g_steal_pointer(&docs);
}

static MkStreamKind sort_stream(MkSort sort)
{
    switch (sort) {
    case MK_SORT_DATE: return STREAM_DATE;
    case MK_SORT_SIZE: return STREAM_SIZE;
    case MK_SORT_ARCHIVED: return STREAM_ARCHIVED;
    case MK_SORT_FROM:
    case MK_SORT_SUBJECT:
    case MK_SORT_TO: return mk_sort_texts[mk_sort_text_find(sort)].ranks;
    }
    g_assert_not_reached();
}

/* -- ranks of several segments ---------------------------------------------------------------- */
static int by_segment_and_rank(const void *a, const void *b)
{
    const MkRanked *x = a, *y = b;
    if (x->segment != y->segment)
        return x->segment > y->segment ? 1 : -1;
    return (x->key > y->key) - (x->key < y->key);
}

/* Reads the strings behind the ranks of the hits, which are in order of segment and rank. */
static bool load_keys(Run *run, GArray *hits, MkArena *arena, MkSortItem *items, GError **error)
{
    MkStreamKind stream = mk_sort_texts[mk_sort_text_find(run->search->sort)].keys;
    g_auto(MkStrings) strings = { 0 };
    uint32_t segment = UINT32_MAX;
    for (guint i = 0; i < hits->len; i++) {
        const MkRanked *hit = &g_array_index(hits, MkRanked, i);
        if (hit->segment != segment) {
            mk_strings_clear(&strings);
            mk_strings_init(&strings, &run->watch, run->view->segments[hit->segment].segment,
                            stream);
            segment = hit->segment;
        }
        if (!mk_strings_at(&strings, hit->key, error))
            return false;
        const char *text = mk_arena_string(arena, strings.text, strings.length);
        items[i] =
            (MkSortItem){ mk_sort_head(text, strings.length), text, (uint32_t) strings.length, i };
    }
    return true;
}

/* Ranks count within their segment; this makes them comparable. */
static bool unify_ranks(Run *run, GArray *hits, GError **error)
{
    g_auto(MkArena) arena = { 0 };
    g_autofree MkSortItem *items = g_new(MkSortItem, hits->len + 1);
    uint64_t rank = 0;
    mk_arena_init(&arena);
    g_array_sort(hits, by_segment_and_rank);
    if (!load_keys(run, hits, &arena, items, error))
        return false;
    mk_sort_items(items, hits->len);
    for (guint i = 0; i < hits->len; i++) {
        if (i > 0 && mk_strings_compare(items[i - 1].text, items[i - 1].length, items[i].text,
                                        items[i].length) != 0)
            rank++;
        g_array_index(hits, MkRanked, items[i].index).key = rank;
    }
    return true;
}

static bool by_rank(const Run *run)
{
    return mk_sort_text_find(run->search->sort) < MK_SORT_TEXTS;
}

/* As take_segment() for rows of groups. */
static bool take_groups(Run *run, MkDocSet *docs, GArray *ranked, GError **error)
{
    if (run->top.limit == 0 || !by_rank(run))
        return mk_grouping_add(&run->grouping, docs, run->top.limit > 0 ? &run->group_top : NULL,
                               error);
    g_auto(MkGroupTop) own = { 0 };
    mk_group_top_init(&own, run->search->ascending, run->top.limit);
    if (!mk_grouping_add(&run->grouping, docs, &own, error))
        return false;
    mk_group_top_sort(&own);
    g_array_append_vals(ranked, own.rows->data, own.rows->len);
    return true;
}

static MkRank rank_of(Run *run)
{
    return (MkRank){ run->view, &run->watch, sort_stream(run->search->sort) };
}

/*
 * Ranks of different segments must not meet in one heap, so each has one of its own. By another
 * column all segments are looked at together, once it is known who matches.
 */
static bool take_segment(Run *run, uint32_t place, GArray *ranked, GError **error)
{
    g_autoptr(MkDocSet) docs = matching_docs(run, &run->view->segments[place], error);
    if (docs == NULL)
        return false;
    run->total += mk_doc_set_count(docs);
    if (run->search->group != MK_GROUP_NONE)
        return take_groups(run, g_steal_pointer(&docs), ranked, error);
    if (run->top.limit == 0)
        return true;
    if (!by_rank(run)) {
        g_ptr_array_add(run->docs, g_steal_pointer(&docs));
        return true;
    }
    MkRank rank = rank_of(run);
    g_auto(MkTop) own = { 0 };
    mk_top_init(&own, run->search->ascending, run->top.limit);
    if (!mk_rank_segment(&rank, place, docs, &own, error))
        return false;
    g_array_append_vals(ranked, own.heap->data, own.heap->len);
    return true;
}

/* The rows become the hits of the page. */
static void take_rows(Run *run, const GArray *ranked)
{
    for (guint i = 0; i < ranked->len; i++)
        mk_group_top_add(&run->group_top, &g_array_index(ranked, MkRanked, i));
    mk_group_top_sort(&run->group_top);
    g_array_append_vals(run->top.heap, run->group_top.rows->data, run->group_top.rows->len);
}

static bool find(Run *run, GError **error)
{
    g_autoptr(GArray) ranked = g_array_new(FALSE, FALSE, sizeof(MkRanked));
    for (uint32_t i = 0; i < run->view->manifest.segments->len; i++)
        if (!take_segment(run, i, ranked, error))
            return false;
    if (by_rank(run) && !unify_ranks(run, ranked, error))
        return false;
    if (run->search->group != MK_GROUP_NONE) {
        take_rows(run, ranked);
        return true;
    }
    MkRank rank = rank_of(run);
    for (guint i = 0; i < ranked->len; i++)
        mk_top_add(&run->top, &g_array_index(ranked, MkRanked, i));
    if (run->docs->len > 0 && !mk_rank_all(&rank, run->docs, &run->top, error))
        return false;
    mk_top_sort(&run->top);
    return true;
}

/* -- the page ------------------------------------------------------------------------------ */
/* Columns a hit is made of, kept from one hit of a segment to the next. */
typedef struct {
    MkColumn archived, size, flags, conversation;
    MkFolderColumn folders;
    MkDisplay display;
} PageReader;

static PageReader *page_reader_new(Run *run, uint32_t place)
{
    const MkSegment *segment = run->view->segments[place].segment;
    PageReader *reader = g_new0(PageReader, 1);
    mk_column_init(&reader->archived, &run->watch, segment, STREAM_ARCHIVED);
    mk_column_init(&reader->size, &run->watch, segment, STREAM_SIZE);
    mk_column_init(&reader->flags, &run->watch, segment, STREAM_FLAGS);
    mk_column_init(&reader->conversation, &run->watch, segment, STREAM_CONVERSATION);
    mk_folder_column_init(&reader->folders, &run->watch, segment);
    mk_display_init(&reader->display, &run->watch, segment);
    return reader;
}

static void page_reader_free(gpointer data)
{
    PageReader *reader = data;
    mk_column_clear(&reader->archived);
    mk_column_clear(&reader->size);
    mk_column_clear(&reader->flags);
    mk_column_clear(&reader->conversation);
    mk_folder_column_clear(&reader->folders);
    mk_display_clear(&reader->display);
    g_free(reader);
}

static void hit_free(gpointer data)
{
    MkHit *hit = data;
    g_free(hit->subject);
    g_free(hit->from);
    g_free(hit->to);
    g_clear_pointer(&hit->group_numbers, g_array_unref);
    g_free(hit);
}

static bool find_folder(Run *run, PageReader *reader, uint32_t doc, uint32_t *out_folder,
                        GError **error)
{
    uint32_t set;
    const uint32_t *ids;
    size_t count;
    if (!mk_folder_column_get(&reader->folders, doc, &set, error) ||
        !mk_folder_column_ids(&reader->folders, set, &ids, &count, error))
        return false;
    mk_folder_scope_find(&run->scope, ids, count, out_folder);
    return true;
}

static bool make_hit(Run *run, PageReader *reader, const MkRanked *ranked, MkHit *out,
                     GError **error)
{
    uint64_t archived, size, flags, conversation;
    const char *texts[3];
    if (!mk_column_get(&reader->archived, ranked->doc, &archived, error) ||
        !mk_column_get(&reader->size, ranked->doc, &size, error) ||
        !mk_column_get(&reader->flags, ranked->doc, &flags, error) ||
        !mk_column_get(&reader->conversation, ranked->doc, &conversation, error) ||
        !mk_display_get(&reader->display, ranked->doc, texts, error) ||
        !find_folder(run, reader, ranked->doc, &out->folder, error))
        return false;
    out->number = ranked->number;
    out->date_unix_ms = mk_column_to_time(ranked->date);
    out->archived_unix_ms = mk_column_to_time(archived);
    out->size_bytes = size;
    out->flags = (uint32_t) flags;
    out->conversation = conversation;
    out->group_count = 1;
    out->subject = g_strdup(texts[0]);
    out->from = g_strdup(texts[1]);
    out->to = g_strdup(texts[2]);
    return true;
}

static bool make_page(Run *run, GPtrArray *out, GError **error)
{
    g_autoptr(GHashTable) readers = g_hash_table_new_full(NULL, NULL, NULL, page_reader_free);
    for (guint64 i = run->search->offset; i < run->top.heap->len; i++) {
        const MkRanked *ranked = &g_array_index(run->top.heap, MkRanked, (guint) i);
        gpointer place = GUINT_TO_POINTER(ranked->segment);
        PageReader *reader = g_hash_table_lookup(readers, place);
        if (reader == NULL) {
            reader = page_reader_new(run, ranked->segment);
            g_hash_table_insert(readers, place, reader);
        }
        MkHit *hit = g_new0(MkHit, 1);
        g_ptr_array_add(out, hit);
        if (!make_hit(run, reader, ranked, hit, error))
            return false;
    }
    return true;
}

/* The other mails of the page's groups. */
static gint compare_members(gconstpointer a, gconstpointer b, gpointer search)
{
    return mk_ranked_compare(((const MkSearch *) search)->ascending, a, b);
}

static bool fill_groups(Run *run, GPtrArray *hits, GError **error)
{
    g_autoptr(GArray) members = g_array_new(FALSE, FALSE, sizeof(MkRanked));
    g_autoptr(GArray) counts = g_array_new(FALSE, TRUE, sizeof(uint32_t));
    if (run->search->group == MK_GROUP_NONE || hits->len == 0)
        return true;
    const MkRanked *rows = &g_array_index(run->top.heap, MkRanked, (guint) run->search->offset);
    if (!mk_grouping_members(&run->grouping, rows, hits->len, members, counts, error) ||
        (by_rank(run) && !unify_ranks(run, members, error)))
        return false;
    g_array_sort_with_data(members, compare_members, (gpointer) run->search);
    mk_grouping_assign(rows, members, counts, hits);
    return true;
}

/* -- all together -------------------------------------------------------------------------- */
static void run_clear(Run *run)
{
    mk_folder_scope_clear(&run->scope);
    mk_top_clear(&run->top);
    mk_group_top_clear(&run->group_top);
    mk_grouping_clear(&run->grouping);
    g_clear_pointer(&run->demands, g_array_unref);
    g_clear_pointer(&run->docs, g_ptr_array_unref);
    mk_view_unref(run->view);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

void mk_search_result_free(MkSearchResult *result)
{
    if (result == NULL)
        return;
    g_ptr_array_unref(result->hits);
    g_free(result);
}

static void unref_set(gpointer set)
{
    mk_doc_set_unref(set);
}

static void run_init(Run *run, const MkSearch *search)
{
    uint64_t limit = MIN(search->limit, MK_LIMIT_SEARCH_PAGE);
    run->watch.deadline_ms = mk_clock_monotonic_ms() + MK_LIMIT_SEARCH_MS;
    run->watch.cancelled = search->cancelled;
    mk_folder_scope_init(&run->scope, search);
    /* Without a page nothing is ranked: the total alone is cheap. */
    mk_top_init(&run->top, search->ascending,
                limit == 0 ? 0 : MIN(search->offset, UINT32_MAX) + limit);
    run->demands = mk_demands_of(search);
    run->docs = g_ptr_array_new_with_free_func(unref_set);
    if (search->group == MK_GROUP_NONE)
        return;
    mk_group_top_init(&run->group_top, search->ascending, run->top.limit);
    mk_grouping_init(&run->grouping, search, &run->watch, sort_stream(search->sort));
}

MkSearchResult *mk_index_search(MkIndex *index, const MkSearch *search, GError **error)
{
    g_auto(Run) run = { .search = search };
    g_autoptr(MkSearchResult) result = g_new0(MkSearchResult, 1);
    result->hits = g_ptr_array_new_with_free_func(hit_free);

    run_init(&run, search);
    run.scope.cache = index->scopes;
    run.view = mk_view_whole(index, error);
    run.grouping.view = run.view;
    if (run.view == NULL || !find(&run, error) || !make_page(&run, result->hits, error) ||
        !fill_groups(&run, result->hits, error))
        return NULL;
    result->mail_total = run.total;
    result->total = search->group == MK_GROUP_NONE ? run.total : run.grouping.row_count;
    return g_steal_pointer(&result);
}
