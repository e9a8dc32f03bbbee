/*
 * index.c - opening, emptying, counting
 */
#include "internal.h"

#define VERSION_KEY "v"
/* Rows deleted in one transaction while sweeping: bounds the pages LMDB keeps in memory. */
#define SWEEP_ROWS 20000

static const MkTableSpec tables[] = {
    [TABLE_META] = { "meta", MK_TABLE_SEALED },
    [TABLE_BLOCKS] = { "blocks", MK_TABLE_BLOCKS },
    [TABLE_DELETED] = { "deleted", MK_TABLE_BLOCKS },
};

typedef enum { STATE_NEW, STATE_OTHER_FORMAT, STATE_READY } OpenState;

static bool look(MkIndex *index, OpenState *out_state, GError **error)
{
    g_auto(MkReadTxn) txn = MK_TXN_INIT;
    g_autoptr(GByteArray) value = g_byte_array_new();
    bool found = false;
    if (!mk_read_txn_begin(&txn, index->db, error) ||
        !mk_db_find(&txn, TABLE_META, VERSION_KEY, 1, value, &found, error))
        return false;
    MkReader reader = mk_reader(value->data, value->len);
    if (!found)
        *out_state = STATE_NEW;
    else
        *out_state = mk_read_varint(&reader) == MK_INDEX_FORMAT ? STATE_READY : STATE_OTHER_FORMAT;
    return true;
}

/* An empty manifest that goes on counting: neither generations nor ids come twice. */
static bool store_empty(MkIndex *index, uint64_t generation, GError **error)
{
    g_auto(MkWriteTxn) txn = MK_TXN_INIT;
    g_autoptr(GByteArray) version = g_byte_array_new();
    g_auto(MkManifest) manifest = { generation, 0, index->next_id, NULL };

    manifest.segments = g_array_new(FALSE, FALSE, sizeof(MkSegmentInfo));
    mk_put_varint(version, MK_INDEX_FORMAT);
    return mk_write_txn_begin(&txn, index->db, error) &&
           mk_db_put(&txn, TABLE_META, VERSION_KEY, 1, version->data, version->len, error) &&
           mk_manifest_store(&txn, &manifest, error) && mk_write_txn_commit(&txn, error);
}

/* Deletes all blocks of the segments @first_id..@last_id, in several transactions. */
static bool sweep_range(MkIndex *index, uint32_t first_id, uint32_t last_id, GError **error)
{
    uint32_t erased = SWEEP_ROWS;
    while (erased == SWEEP_ROWS) {
        g_auto(MkWriteTxn) txn = MK_TXN_INIT;
        if (!mk_write_txn_begin(&txn, index->db, error) ||
            !mk_blocks_erase(&txn, first_id, last_id, SWEEP_ROWS, &erased, error))
            return false;
        if (erased > 0 && !mk_write_txn_commit(&txn, error))
            return false;
    }
    return true;
}

static int compare_ids(const void *a, const void *b)
{
    uint32_t x = ((const MkSegmentInfo *) a)->id, y = ((const MkSegmentInfo *) b)->id;
    return (x > y) - (x < y);
}

/* What no segment of @manifest has: the rest of a write that did not come to its end. */
static bool sweep(MkIndex *index, const MkManifest *manifest, GError **error)
{
    g_autoptr(GArray) segments = g_array_copy(manifest->segments);
    uint64_t from = 0;
    g_array_sort(segments, compare_ids);
    for (guint i = 0; i < segments->len; i++) {
        uint32_t id = g_array_index(segments, MkSegmentInfo, i).id;
        if (id > from && !sweep_range(index, (uint32_t) from, id - 1, error))
            return false;
        from = (uint64_t) id + 1;
    }
    return from > UINT32_MAX || sweep_range(index, (uint32_t) from, UINT32_MAX, error);
}

static bool load_view(MkIndex *index, MkView **out_view, GError **error)
{
    g_auto(MkReadTxn) txn = MK_TXN_INIT;
    if (!mk_read_txn_begin(&txn, index->db, error))
        return false;
    *out_view = mk_view_for(index, &txn, error);
    return *out_view != NULL;
}

static bool prepare(MkIndex *index, GError **error)
{
    OpenState state = STATE_NEW;
    g_autoptr(MkView) view = NULL;
    if (!look(index, &state, error))
        return false;
    if (state != STATE_READY &&
        (!sweep_range(index, 0, UINT32_MAX, error) || !store_empty(index, 1, error)))
        return false;
    if (!load_view(index, &view, error))
        return false;
    index->next_id = view->manifest.next_id;
    return sweep(index, &view->manifest, error);
}

MkIndex *mk_index_open(const char *dir, const MkKey *key, uint64_t map_size_bytes, GError **error)
{
    g_autoptr(MkIndex) index = g_new0(MkIndex, 1);
    MkDbOptions options = { .map_size_bytes = map_size_bytes,
                            .tables = tables,
                            .table_count = G_N_ELEMENTS(tables) };
    pthread_mutex_init(&index->lock, NULL);
    index->db = mk_db_open(dir, key, &options, error);
    if (index->db == NULL || !prepare(index, error))
        return NULL;
    return g_steal_pointer(&index);
}

void mk_index_close(MkIndex *index)
{
    if (index == NULL)
        return;
    mk_view_unref(index->view);
    mk_db_close(index->db);
    pthread_mutex_destroy(&index->lock);
    g_free(index);
}

bool mk_index_clear(MkIndex *index, GError **error)
{
    g_autoptr(MkView) view = NULL;
    if (!load_view(index, &view, error))
        return false;
    mk_index_take_id(index, &view->manifest);
    if (!store_empty(index, view->manifest.generation + 1, error))
        return false;
    for (guint i = 0; i < view->manifest.segments->len; i++) {
        g_auto(MkWriteTxn) txn = MK_TXN_INIT;
        uint32_t id = view->segments[i].segment->info.id;
        if (!sweep_range(index, id, id, error) || !mk_write_txn_begin(&txn, index->db, error) ||
            !mk_segment_erase(&txn, id, error) || !mk_write_txn_commit(&txn, error))
            return false;
    }
    return true;
}

uint64_t mk_index_watermark(MkIndex *index)
{
    g_autoptr(MkView) view = NULL;
    return load_view(index, &view, NULL) ? view->manifest.watermark : 0;
}

bool mk_index_statistics(MkIndex *index, MkIndexStatistics *out, GError **error)
{
    g_autoptr(MkView) view = NULL;
    if (!load_view(index, &view, error))
        return false;
    *out = (MkIndexStatistics){ .segment_count = view->manifest.segments->len,
                                .size_bytes = mk_db_size_bytes(index->db) };
    for (guint i = 0; i < view->manifest.segments->len; i++)
        out->mail_count +=
            view->segments[i].segment->info.doc_count - view->segments[i].deleted_count;
    return true;
}
