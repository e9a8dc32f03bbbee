/*
 * index.c - opening, emptying, counting
 */
#include <errno.h>
#include <unistd.h>

#include "filter.h"

#define VERSION_KEY "v"

static const MkTableSpec tables[] = {
    [TABLE_META] = { "meta", MK_TABLE_SEALED },
    [TABLE_DELETED] = { "deleted", MK_TABLE_BLOCKS },
};

/* -- the database ------------------------------------------------------------------------- */
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

static bool store_first(MkIndex *index, GError **error)
{
    g_auto(MkWriteTxn) txn = MK_TXN_INIT;
    g_autoptr(GByteArray) version = g_byte_array_new();
    g_auto(MkManifest) manifest = MK_MANIFEST_INIT;
    manifest.generation = 1;
    manifest.segments = g_array_new(FALSE, FALSE, sizeof(MkSegmentInfo));
    mk_put_varint(version, MK_INDEX_FORMAT);
    return mk_write_txn_begin(&txn, index->db, error) &&
           mk_db_put(&txn, TABLE_META, VERSION_KEY, 1, version->data, version->len, error) &&
           mk_manifest_store(&txn, &manifest, error) && mk_write_txn_commit(&txn, error);
}

static bool open_db(MkIndex *index, const char *dir, const MkKey *key, uint64_t map_size_bytes,
                    GError **error)
{
    MkDbOptions options = { .map_size_bytes = map_size_bytes,
                            .tables = tables,
                            .table_count = G_N_ELEMENTS(tables) };
    index->db = mk_db_open(dir, key, &options, error);
    return index->db != NULL;
}

static bool remove_file(const char *dir, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    return unlink(path) == 0 || errno == ENOENT || mk_fail_errno(error, errno, "remove %s", path);
}

/* What another version has left could only be rebuilt; without its file the room comes back. */
static bool prepare_db(MkIndex *index, const char *dir, const MkKey *key, uint64_t map_size_bytes,
                       GError **error)
{
    OpenState state = STATE_NEW;
    if (!open_db(index, dir, key, map_size_bytes, error) || !look(index, &state, error))
        return false;
    if (state == STATE_OTHER_FORMAT) {
        g_clear_pointer(&index->db, mk_db_close);
        if (!remove_file(dir, "data.mdb", error) || !remove_file(dir, "lock.mdb", error) ||
            !open_db(index, dir, key, map_size_bytes, error))
            return false;
    }
    return state == STATE_READY || store_first(index, error);
}

/* -- files of segments ------------------------------------------------------------------------ */
static bool is_named(const MkView *view, const char *name)
{
    for (guint i = 0; i < view->manifest.segments->len; i++) {
        g_autofree char *known = g_strdup_printf("%u", view->segments[i].segment->info.id);
        if (strcmp(known, name) == 0)
            return true;
    }
    return false;
}

/* What no manifest names: the rest of a write that did not come to its end. */
static bool sweep(MkIndex *index, const MkView *view, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(index->segments_dir, 0, NULL);
    if (dir == NULL)
        return mk_fail(error, MK_ERROR_IO, "The directory %s cannot be read", index->segments_dir);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;)
        if (!is_named(view, name) && !remove_file(index->segments_dir, name, error))
            return false;
    return true;
}

static bool prepare(MkIndex *index, const char *dir, const MkKey *key, uint64_t map_size_bytes,
                    GError **error)
{
    if (!prepare_db(index, dir, key, map_size_bytes, error))
        return false;
    if (g_mkdir_with_parents(index->segments_dir, 0700) != 0)
        return mk_fail_errno(error, errno, "make the directory %s", index->segments_dir);
    index->view = mk_view_load(index, error);
    if (index->view == NULL)
        return false;
    index->next_id = index->view->manifest.next_id;
    return sweep(index, index->view, error);
}

/* -- open and close --------------------------------------------------------------------------- */
MkIndex *mk_index_open(const char *dir, const MkKey *key, uint64_t map_size_bytes, GError **error)
{
    MkIndex *index = g_new0(MkIndex, 1);
    pthread_mutex_init(&index->lock, NULL);
    pthread_mutex_init(&index->manifest_lock, NULL);
    index->key = mk_key_derive(key, "segments");
    index->segments_dir = g_build_filename(dir, "segments", NULL);
    index->cache = mk_block_cache_new(MK_LIMIT_INDEX_CACHE_BYTES);
    index->scopes = mk_scope_cache_new(MK_LIMIT_SCOPE_CACHE_BYTES);
    if (prepare(index, dir, key, map_size_bytes, error))
        return index;
    mk_index_close(index);
    return NULL;
}

void mk_index_close(MkIndex *index)
{
    if (index == NULL)
        return;
    mk_view_unref(index->view);
    mk_block_cache_free(index->cache);
    mk_scope_cache_free(index->scopes);
    mk_db_close(index->db);
    mk_key_free(index->key);
    g_free(index->segments_dir);
    pthread_mutex_destroy(&index->manifest_lock);
    pthread_mutex_destroy(&index->lock);
    g_free(index);
}

void mk_index_release_memory(MkIndex *index)
{
    mk_block_cache_empty(index->cache);
    mk_scope_cache_empty(index->scopes);
}

void mk_index_set_fault(MkIndex *index, MkIndexFaultFunc fault, void *cookie)
{
    index->fault_cookie = cookie;
    index->fault = fault;
}

int mk_index_fault(const MkIndex *index, const char *step)
{
    return index->fault != NULL ? index->fault(step, index->fault_cookie) : 0;
}

/* -- emptying --------------------------------------------------------------------------------- */
static bool clear_locked(MkIndex *index, GError **error)
{
    g_auto(MkWriteTxn) txn = MK_TXN_INIT;
    g_autoptr(MkView) before = mk_view_now(index);
    g_auto(MkManifest) manifest = { before->manifest.generation + 1, 0, mk_index_take_id(index),
                                    g_array_new(FALSE, FALSE, sizeof(MkSegmentInfo)) };
    g_autoptr(MkView) view = mk_view_next(index, before, &manifest, NULL, error);
    if (view == NULL || !mk_write_txn_begin(&txn, index->db, error))
        return false;
    for (guint i = 0; i < before->manifest.segments->len; i++)
        if (!mk_deleted_erase(&txn, before->segments[i].segment->info.id, error))
            return false;
    return mk_manifest_store(&txn, &manifest, error) && mk_view_commit(index, &txn, view, error);
}

bool mk_index_clear(MkIndex *index, GError **error)
{
    pthread_mutex_lock(&index->manifest_lock);
    bool ok = clear_locked(index, error);
    pthread_mutex_unlock(&index->manifest_lock);
    return ok;
}

/* -- counting --------------------------------------------------------------------------------- */
uint64_t mk_index_watermark(MkIndex *index)
{
    g_autoptr(MkView) view = mk_view_now(index);
    return view->manifest.watermark;
}

/* What a file takes on the disk. */
static uint64_t whole_pages(uint64_t bytes)
{
    return (bytes + 4095) / 4096 * 4096;
}

bool mk_index_statistics(MkIndex *index, MkIndexStatistics *out, GError **error)
{
    g_autoptr(MkView) view = mk_view_now(index);
    (void) error;
    *out = (MkIndexStatistics){ .segment_count = view->manifest.segments->len,
                                .size_bytes = mk_db_size_bytes(index->db),
                                .memory_bytes = mk_block_cache_bytes(index->cache) +
                                                mk_scope_cache_bytes(index->scopes) };
    for (guint i = 0; i < view->manifest.segments->len; i++) {
        const MkSegmentInfo *info = &view->segments[i].segment->info;
        out->mail_count += info->doc_count - view->segments[i].deleted_count;
        out->size_bytes += whole_pages(info->file_bytes);
    }
    return true;
}
