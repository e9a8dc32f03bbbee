/*
 * view.c - what searches see: the segments with their directories and deletions
 *
 * Segments are immutable, so a new view takes over from the one before what both have. A view is
 * made before its manifest is committed and shown after that; searches never ask the database.
 */
#include "internal.h"

static void key_of(uint8_t key[4], uint32_t id)
{
    for (unsigned i = 0; i < 4; i++)
        key[i] = (uint8_t) (id >> (24 - 8 * i));
}

/* -- deletions in the database ------------------------------------------------------------ */
bool mk_deleted_erase(MkWriteTxn *txn, uint32_t id, GError **error)
{
    uint8_t key[4];
    key_of(key, id);
    return mk_db_delete(txn, TABLE_DELETED, key, sizeof key, error);
}

bool mk_deleted_store(MkWriteTxn *txn, uint32_t id, const MkDocSet *deleted, GError **error)
{
    g_autoptr(GByteArray) value = g_byte_array_new();
    uint8_t key[4];
    uint32_t next = 0;
    key_of(key, id);
    for (uint32_t doc = mk_doc_set_next(deleted, 0); doc < deleted->size;
         doc = mk_doc_set_next(deleted, doc + 1)) {
        mk_put_varint(value, doc - next);
        next = doc + 1;
    }
    return mk_db_put(txn, TABLE_DELETED, key, sizeof key, value->data, value->len, error);
}

MkDocSet *mk_deleted_load(MkTxn *txn, const MkSegmentInfo *info, GError **error)
{
    g_autoptr(GByteArray) value = g_byte_array_new();
    g_autoptr(MkDocSet) set = mk_doc_set_new(info->doc_count, false);
    uint8_t key[4];
    bool found = false;
    uint64_t next = 0;

    key_of(key, info->id);
    if (!mk_db_find(txn, TABLE_DELETED, key, sizeof key, value, &found, error))
        return NULL;
    MkReader reader = mk_reader(value->data, value->len);
    for (uint32_t i = 0; found && i < info->deleted_count; i++) {
        uint64_t gap = mk_read_varint(&reader);
        if (reader.failed || gap >= info->doc_count - next)
            break;
        mk_doc_set_add(set, (uint32_t) (next + gap));
        next += gap + 1;
    }
    if (!found || reader.failed || reader.length != 0 ||
        mk_doc_set_count(set) != info->deleted_count) {
        mk_index_corrupt(error);
        return NULL;
    }
    return g_steal_pointer(&set);
}

/* -- a view --------------------------------------------------------------------------------- */
MkView *mk_view_ref(MkView *view)
{
    g_atomic_int_inc(&view->refs);
    return view;
}

void mk_view_unref(MkView *view)
{
    if (view == NULL || !g_atomic_int_dec_and_test(&view->refs))
        return;
    for (guint i = 0; i < view->manifest.segments->len; i++) {
        mk_segment_unref(view->segments[i].segment);
        mk_doc_set_unref(view->segments[i].deleted);
    }
    g_free(view->segments);
    mk_manifest_clear(&view->manifest);
    g_free(view);
}

static const MkSegmentState *find_state(const MkView *view, uint32_t id)
{
    for (guint i = 0; view != NULL && i < view->manifest.segments->len; i++)
        if (view->segments[i].segment->info.id == id)
            return &view->segments[i];
    return NULL;
}

/* With no deletions yet. */
static MkView *view_new(const MkIndex *index, const MkView *before, const MkManifest *manifest,
                        GError **error)
{
    g_autoptr(MkView) view = g_new0(MkView, 1);
    guint count = manifest->segments->len;
    view->refs = 1;
    view->manifest = mk_manifest_copy(manifest);
    view->segments = g_new0(MkSegmentState, MAX(count, 1));
    for (guint i = 0; i < count; i++) {
        const MkSegmentInfo *info = &g_array_index(manifest->segments, MkSegmentInfo, i);
        const MkSegmentState *known = find_state(before, info->id);
        view->segments[i].segment =
            known != NULL ? mk_segment_ref(known->segment) : mk_segment_open(index, info, error);
        if (view->segments[i].segment == NULL)
            return NULL;
    }
    return g_steal_pointer(&view);
}

MkView *mk_view_load(MkIndex *index, GError **error)
{
    g_auto(MkManifest) manifest = MK_MANIFEST_INIT;
    g_auto(MkReadTxn) txn = MK_TXN_INIT;
    if (!mk_read_txn_begin(&txn, index->db, error) || !mk_manifest_load(&txn, &manifest, error))
        return NULL;
    g_autoptr(MkView) view = view_new(index, NULL, &manifest, error);
    for (guint i = 0; view != NULL && i < manifest.segments->len; i++) {
        const MkSegmentInfo *info = &g_array_index(manifest.segments, MkSegmentInfo, i);
        MkSegmentState *state = &view->segments[i];
        g_autoptr(GError) problem = NULL;
        state->deleted_count = info->deleted_count;
        if (info->deleted_count == 0)
            continue;
        state->deleted = mk_deleted_load(&txn, info, &problem);
        if (state->deleted == NULL && mk_error_code(problem) == MK_ERROR_CORRUPT) {
            state->segment->damaged = true;
        } else if (state->deleted == NULL) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return NULL;
        }
    }
    return g_steal_pointer(&view);
}

/* What has just been written, and cannot be read again, is not taken in. */
static bool new_ones_whole(const MkView *view, const MkView *before, GError **error)
{
    for (guint i = 0; i < view->manifest.segments->len; i++) {
        const MkSegment *segment = view->segments[i].segment;
        if (segment->damaged && find_state(before, segment->info.id) == NULL)
            return mk_fail(error, MK_ERROR_IO,
                           "The search index's new file %u cannot be read; look at the disk",
                           segment->info.id);
    }
    return true;
}

MkView *mk_view_next(const MkIndex *index, const MkView *before, const MkManifest *manifest,
                     GHashTable *changed, GError **error)
{
    MkView *view = view_new(index, before, manifest, error);
    if (view != NULL && !new_ones_whole(view, before, error))
        g_clear_pointer(&view, mk_view_unref);
    for (guint i = 0; view != NULL && i < manifest->segments->len; i++) {
        const MkSegmentInfo *info = &g_array_index(manifest->segments, MkSegmentInfo, i);
        const MkSegmentState *known = find_state(before, info->id);
        MkSegmentState *state = &view->segments[i];
        MkDocSet *deleted =
            changed == NULL ? NULL : g_hash_table_lookup(changed, GUINT_TO_POINTER(info->id));
        if (deleted == NULL && known != NULL)
            deleted = known->deleted;
        state->deleted = deleted != NULL ? mk_doc_set_ref(deleted) : NULL;
        state->deleted_count = info->deleted_count;
    }
    return view;
}

/* -- the view of an index --------------------------------------------------------------------- */
MkView *mk_view_now(MkIndex *index)
{
    pthread_mutex_lock(&index->lock);
    MkView *view = mk_view_ref(index->view);
    pthread_mutex_unlock(&index->lock);
    return view;
}

MkView *mk_view_whole(MkIndex *index, GError **error)
{
    g_autoptr(MkView) view = mk_view_now(index);
    for (guint i = 0; i < view->manifest.segments->len; i++) {
        if (view->segments[i].segment->damaged) {
            mk_index_corrupt(error);
            return NULL;
        }
    }
    return g_steal_pointer(&view);
}

static MkView *show(MkIndex *index, MkView *view)
{
    pthread_mutex_lock(&index->lock);
    MkView *old = index->view;
    index->view = mk_view_ref(view);
    pthread_mutex_unlock(&index->lock);
    return old;
}

bool mk_view_commit(MkIndex *index, MkWriteTxn *txn, MkView *view, GError **error)
{
    int errnum = mk_index_fault(index, "commit");
    if (errnum != 0)
        return mk_fail_errno(error, errnum, "commit the search index's manifest");
    if (!mk_write_txn_commit(txn, error))
        return false;
    g_autoptr(MkView) old = show(index, view);
    (void) mk_index_fault(index, "unlink");
    for (guint i = 0; i < old->manifest.segments->len; i++) {
        uint32_t id = old->segments[i].segment->info.id;
        if (find_state(view, id) != NULL)
            continue;
        /* Searches that began before go on with the open file. */
        mk_segment_unlink(index, id);
        mk_block_cache_forget(index->cache, id);
    }
    return true;
}

MkManifest mk_manifest_copy(const MkManifest *manifest)
{
    MkManifest copy = *manifest;
    copy.segments = g_array_copy(manifest->segments);
    return copy;
}

uint32_t mk_index_take_id(MkIndex *index)
{
    pthread_mutex_lock(&index->lock);
    uint32_t id = index->next_id++;
    pthread_mutex_unlock(&index->lock);
    return id;
}
