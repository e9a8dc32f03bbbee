/*
 * merge.c - which segments are joined, and how the new one takes their place
 *
 * The joining (join.h) holds no lock: it reads what cannot change. Only to put the new segment
 * in place of the old ones is the manifest held, and what was deleted meanwhile carried over.
 */
#include "join.h"

/* So many segments of one size make one of the next size. */
#define TIER_SEGMENTS 4
/* Larger segments are not joined any more: memory and time of a merge stay bounded. */
#define MAX_MERGED_DOCS (2u << 20)

/* -- what to merge ------------------------------------------------------------------------ */
static uint32_t live_docs(const MkSegmentState *state)
{
    return state->segment->info.doc_count - state->deleted_count;
}

static unsigned tier_of(const MkSegmentState *state)
{
    unsigned tier = 0;
    for (uint32_t docs = live_docs(state); docs >= TIER_SEGMENTS; docs /= TIER_SEGMENTS)
        tier++;
    return tier;
}

/* Segments of one tier, or up to it, as many as may be joined at once. */
static GPtrArray *up_to_tier(const MkView *view, unsigned lowest, unsigned highest)
{
    GPtrArray *chosen = g_ptr_array_new();
    uint64_t docs = 0;
    for (guint i = 0; i < view->manifest.segments->len && chosen->len < MK_JOIN_SOURCES; i++) {
        MkSegmentState *state = &view->segments[i];
        unsigned tier = tier_of(state);
        if (tier < lowest || tier > highest || docs + live_docs(state) > MAX_MERGED_DOCS)
            continue;
        docs += live_docs(state);
        g_ptr_array_add(chosen, state);
    }
    return chosen;
}

/* A full tier with all that is smaller, which costs little more; or one mostly deleted. */
static GPtrArray *choose(const MkView *view)
{
    for (unsigned tier = 0; tier < 32; tier++) {
        g_autoptr(GPtrArray) full = up_to_tier(view, tier, tier);
        if (full->len < TIER_SEGMENTS)
            continue;
        g_autoptr(GPtrArray) more = up_to_tier(view, 0, tier);
        /* With smaller ones in their place too few of the tier might have room. */
        if (more->len > MK_JOIN_SOURCES / 2)
            return g_steal_pointer(&full);
        return g_steal_pointer(&more);
    }
    GPtrArray *chosen = g_ptr_array_new();
    for (guint i = 0; i < view->manifest.segments->len && chosen->len == 0; i++) {
        MkSegmentState *state = &view->segments[i];
        if (state->deleted_count > state->segment->info.doc_count / 2)
            g_ptr_array_add(chosen, state);
    }
    return chosen;
}

bool mk_index_wants_merge(MkIndex *index)
{
    g_autoptr(MkView) view = mk_view_now(index);
    g_autoptr(GPtrArray) chosen = choose(view);
    return chosen->len > 0;
}

/* -- in their place --------------------------------------------------------------------------- */
typedef struct {
    MkIndex *index;
    MkJoin *join;
    MkSegmentInfo info; /* of the new segment */
    MkDocSet *deleted;  /* in the new segment; NULL = none */
} Merge;

static void merge_clear(Merge *merge)
{
    mk_doc_set_unref(merge->deleted);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Merge, merge_clear)

static guint find_segment(const MkManifest *manifest, uint32_t id)
{
    guint i = 0;
    while (i < manifest->segments->len &&
           g_array_index(manifest->segments, MkSegmentInfo, i).id != id)
        i++;
    return i;
}

static void delete_doc(Merge *merge, uint32_t doc)
{
    if (doc == UINT32_MAX)
        return;
    if (merge->deleted == NULL)
        merge->deleted = mk_doc_set_new(merge->info.doc_count, false);
    mk_doc_set_add(merge->deleted, doc);
}

/* @now: of the source, as it is; NULL when all its mails are gone and it with them. */
static void carry_deletions(Merge *merge, const MkJoinSource *source, const MkSegmentState *now)
{
    for (uint32_t doc = 0; doc < source->segment.info.doc_count; doc++)
        if (now == NULL || (now->deleted != NULL && mk_doc_set_has(now->deleted, doc)))
            delete_doc(merge, source->new_doc[doc]);
}

static bool remove_source(Merge *merge, const MkView *before, MkWriteTxn *txn, MkManifest *manifest,
                          const MkJoinSource *source, GError **error)
{
    uint32_t id = source->segment.info.id;
    guint place = find_segment(&before->manifest, id);
    bool there = place < before->manifest.segments->len;
    carry_deletions(merge, source, there ? &before->segments[place] : NULL);
    if (!there)
        return true;
    g_array_remove_index(manifest->segments, find_segment(manifest, id));
    return mk_deleted_erase(txn, id, error);
}

/* When all its mails were deleted meanwhile, the new segment is none. */
static bool add_merged(Merge *merge, MkWriteTxn *txn, MkManifest *manifest, bool *out_added,
                       GError **error)
{
    MkSegmentInfo *info = &merge->info;
    info->deleted_count = merge->deleted != NULL ? (uint32_t) mk_doc_set_count(merge->deleted) : 0;
    *out_added = info->deleted_count < info->doc_count;
    if (!*out_added)
        return true;
    g_array_append_vals(manifest->segments, info, 1);
    return merge->deleted == NULL || mk_deleted_store(txn, info->id, merge->deleted, error);
}

static bool replace(Merge *merge, bool *out_added, GError **error)
{
    MkIndex *index = merge->index;
    g_auto(MkWriteTxn) txn = MK_TXN_INIT;
    g_autoptr(MkView) before = mk_view_whole(index, error);
    g_autoptr(GHashTable) changed = g_hash_table_new(NULL, NULL);
    if (before == NULL || !mk_write_txn_begin(&txn, index->db, error))
        return false;
    g_auto(MkManifest) manifest = mk_manifest_copy(&before->manifest);
    for (unsigned i = 0; i < merge->join->count; i++)
        if (!remove_source(merge, before, &txn, &manifest, &merge->join->sources[i], error))
            return false;
    if (!add_merged(merge, &txn, &manifest, out_added, error))
        return false;
    if (merge->deleted != NULL)
        g_hash_table_insert(changed, GUINT_TO_POINTER(merge->info.id), merge->deleted);
    manifest.generation++;
    manifest.next_id = mk_index_take_id(index);
    g_autoptr(MkView) view = mk_view_next(index, before, &manifest, changed, error);
    return view != NULL && mk_manifest_store(&txn, &manifest, error) &&
           mk_view_commit(index, &txn, view, error);
}

static bool merge_states(MkIndex *index, GPtrArray *chosen, const int *cancelled, GError **error)
{
    g_auto(MkJoin) join = { 0 };
    g_auto(Merge) merge = { .index = index, .join = &join };
    bool added = false;
    g_autoptr(MkSegmentWriter) writer =
        mk_segment_writer_new(index, mk_index_take_id(index), error);
    if (writer == NULL)
        return false;
    mk_join_init(&join, (MkSegmentState *const *) chosen->pdata, chosen->len, cancelled);
    if (!mk_join_write(&join, writer, error) || !mk_segment_writer_end(writer, &merge.info, error))
        return false;
    pthread_mutex_lock(&index->manifest_lock);
    bool ok = replace(&merge, &added, error);
    pthread_mutex_unlock(&index->manifest_lock);
    if (ok && added)
        mk_segment_writer_keep(writer);
    return ok;
}

bool mk_index_merge(MkIndex *index, const int *cancelled, bool *out_merged, GError **error)
{
    g_autoptr(MkView) view = mk_view_whole(index, error);
    if (view == NULL)
        return false;
    g_autoptr(GPtrArray) chosen = choose(view);
    *out_merged = chosen->len > 0;
    return chosen->len == 0 || merge_states(index, chosen, cancelled, error);
}
