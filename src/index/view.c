/*
 * view.c - what one transaction sees: its segments with their directories and deletions
 *
 * Segments are immutable, so a new view takes over from the one before what both have.
 */
#include "internal.h"

static void key_of(uint8_t key[4], uint32_t id)
{
    for (unsigned i = 0; i < 4; i++)
        key[i] = (uint8_t) (id >> (24 - 8 * i));
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

MkView *mk_view_ref(MkView *view)
{
    g_atomic_int_inc(&view->refs);
    return view;
}

static void state_clear(MkSegmentState *state)
{
    mk_segment_unref(state->segment);
    if (state->deleted != NULL && g_atomic_int_dec_and_test(&state->deleted->refs))
        mk_doc_set_free(state->deleted);
}

void mk_view_unref(MkView *view)
{
    if (view == NULL || !g_atomic_int_dec_and_test(&view->refs))
        return;
    for (guint i = 0; i < view->manifest.segments->len; i++)
        state_clear(&view->segments[i]);
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

static bool fill_state(MkSegmentState *state, const MkSegmentState *known, MkTxn *txn,
                       const MkSegmentInfo *info, GError **error)
{
    if (known != NULL) {
        state->segment = known->segment;
        g_atomic_int_inc(&state->segment->refs);
    } else {
        state->segment = mk_segment_open(txn, info, error);
        if (state->segment == NULL)
            return false;
    }
    if (info->deleted_count == 0)
        return true;
    /* Deletions are only ever added, so the same number is the same set. */
    if (known != NULL && known->deleted_count == info->deleted_count) {
        state->deleted = known->deleted;
        g_atomic_int_inc(&state->deleted->refs);
    } else {
        state->deleted = mk_deleted_load(txn, info, error);
    }
    state->deleted_count = info->deleted_count;
    return state->deleted != NULL;
}

/* Takes over @manifest. */
static MkView *view_new(MkManifest *manifest, const MkView *known, MkTxn *txn, GError **error)
{
    g_autoptr(MkView) view = g_new0(MkView, 1);
    view->refs = 1;
    view->manifest = *manifest;
    manifest->segments = NULL;
    guint count = view->manifest.segments->len;
    view->segments = g_new0(MkSegmentState, MAX(count, 1));
    for (guint i = 0; i < count; i++) {
        const MkSegmentInfo *info = &g_array_index(view->manifest.segments, MkSegmentInfo, i);
        if (!fill_state(&view->segments[i], find_state(known, info->id), txn, info, error))
            return NULL;
    }
    return g_steal_pointer(&view);
}

static MkView *newest(MkIndex *index)
{
    pthread_mutex_lock(&index->lock);
    MkView *view = index->view != NULL ? mk_view_ref(index->view) : NULL;
    pthread_mutex_unlock(&index->lock);
    return view;
}

/* A search that began earlier does not put its old view in place of a newer one. */
static void remember(MkIndex *index, MkView *view)
{
    MkView *old = NULL;
    pthread_mutex_lock(&index->lock);
    if (index->view == NULL || index->view->manifest.generation < view->manifest.generation) {
        old = index->view;
        index->view = mk_view_ref(view);
    }
    pthread_mutex_unlock(&index->lock);
    mk_view_unref(old);
}

MkView *mk_view_for(MkIndex *index, MkTxn *txn, GError **error)
{
    g_auto(MkManifest) manifest = MK_MANIFEST_INIT;
    if (!mk_manifest_load(txn, &manifest, error))
        return NULL;
    g_autoptr(MkView) known = newest(index);
    if (known != NULL && known->manifest.generation == manifest.generation)
        return g_steal_pointer(&known);
    MkView *view = view_new(&manifest, known, txn, error);
    if (view != NULL)
        remember(index, view);
    return view;
}

MkManifest mk_manifest_copy(const MkManifest *manifest)
{
    MkManifest copy = *manifest;
    copy.segments = g_array_copy(manifest->segments);
    return copy;
}

uint32_t mk_index_take_id(MkIndex *index, const MkManifest *manifest)
{
    index->next_id = MAX(index->next_id, manifest->next_id);
    return index->next_id++;
}
