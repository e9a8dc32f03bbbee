/*
 * store.c - opening and closing a store
 *
 * On opening: keys, catalog, dictionaries; the packs behind the catalog's checkpoint are
 * replayed; what follows the last whole batch is cut off; then the committer starts.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailkeep/base.h>

#include "internal.h"

char *store_content_dir(const char *dir)
{
    return g_build_filename(dir, "content", NULL);
}

char *store_catalog_dir(const char *dir)
{
    return g_build_filename(dir, "catalog", NULL);
}

int store_fault(const MkStore *store, const char *step)
{
    return store->fault != NULL ? store->fault(step, store->fault_cookie) : 0;
}

void mk_store_set_fault(MkStore *store, MkStoreFaultFunc fault, void *cookie)
{
    store->fault_cookie = cookie;
    store->fault = fault;
}

uint32_t mk_store_id(const MkStore *store)
{
    return store->id;
}

MkKey *mk_store_derive_key(const MkStore *store, const char *purpose)
{
    g_autofree char *full = g_strconcat("room ", purpose, NULL); /* never one of our own */

    return mk_key_derive(store->key, full);
}

/* -- dictionaries ------------------------------------------------------------------------------ */

static bool load_dictionary(MkStore *store, const MkCursor *cursor, const GByteArray *row,
                            GError **error)
{
    MkReader r = mk_reader(row->data, row->len);
    Position position;
    g_autoptr(GByteArray) payload = NULL;
    const uint8_t *data;
    size_t length;
    uint32_t number;

    position.pack = (uint32_t) mk_read_varint(&r);
    position.offset = mk_read_varint(&r);
    position.length = (uint32_t) mk_read_varint(&r);
    if (r.failed || cursor->key_length != 4)
        return mk_fail(error, MK_ERROR_CORRUPT, "the catalog's row of a dictionary is damaged");
    payload = reader_payload(&store->keys, &store->files, store->codec, &position,
                             RECORD_DICTIONARY, error);
    if (payload == NULL)
        return false;
    r = mk_reader(payload->data, payload->len);
    number = (uint32_t) mk_read_varint(&r);
    data = mk_read_block(&r, &length);
    if (r.failed || number != get_u32(cursor->key))
        return mk_fail(error, MK_ERROR_CORRUPT, "a dictionary cannot be read");
    return codec_add_dictionary(store->codec, number, data, length, error);
}

static bool load_dictionaries(MkStore *store, GError **error)
{
    g_auto(MkReadTxn) txn = MK_TXN_INIT;
    g_auto(MkCursor) cursor = MK_CURSOR_INIT;
    g_autoptr(GByteArray) row = g_byte_array_new();
    bool found;

    if (!mk_read_txn_begin(&txn, store->catalog, error) ||
        !mk_cursor_open(&cursor, &txn, TABLE_DICTIONARIES, error) ||
        !mk_cursor_seek(&cursor, NULL, 0, &found, error))
        return false;
    while (found)
        if (!mk_cursor_value(&cursor, row, error) || !load_dictionary(store, &cursor, row, error) ||
            !mk_cursor_next(&cursor, &found, error))
            return false;
    return true;
}

/* -- opening -------------------------------------------------------------------------------------- */

static bool make_dirs(const MkStore *store, GError **error)
{
    g_autofree char *catalog = store_catalog_dir(store->dir);
    g_autofree char *parent = g_path_get_dirname(store->dir);

    if (g_mkdir_with_parents(store->content_dir, 0700) != 0 ||
        g_mkdir_with_parents(catalog, 0700) != 0)
        return mk_fail_errno(error, errno, "make the store's directories in %s", store->dir);
    return sync_dir(store->dir, error) && sync_dir(parent, error);
}

static bool open_catalog(MkStore *store, uint64_t map_size_bytes, Checkpoint *out, GError **error)
{
    g_autofree char *dir = store_catalog_dir(store->dir);
    g_auto(MkReadTxn) txn = MK_TXN_INIT;
    bool found;

    store->catalog = catalog_open(dir, store->keys.catalog, map_size_bytes, error);
    return store->catalog != NULL && mk_read_txn_begin(&txn, store->catalog, error) &&
           catalog_load_checkpoint(&txn, out, &found, error) &&
           folders_load(&store->folders, &txn, error);
}

static bool catch_up(MkStore *store, Checkpoint *checkpoint, GError **error)
{
    Replay replay = {
        .keys = &store->keys,
        .content_dir = store->content_dir,
        .catalog = store->catalog,
        .folders = &store->folders,
        .codec = store->codec,
        .checkpoint = *checkpoint,
        .keep_changes = true,
    };

    if (!replay_run(&replay, error))
        return false;
    *checkpoint = replay.checkpoint;
    return true;
}

/* A new pack whose header was not yet whole when the power went: begun again. */
static bool open_new_pack(MkStore *store, const Checkpoint *checkpoint, uint32_t number,
                          PackWriter *writer, GError **error)
{
    PackHeader header = { number, checkpoint->chain, checkpoint->batch, checkpoint->last_number,
                          checkpoint->last_change };

    return pack_writer_create(writer, store, &header, error);
}

static bool open_writer(MkStore *store, const Checkpoint *checkpoint, PackWriter *writer,
                        GError **error)
{
    g_auto(Scanner) scanner = { 0 };
    uint32_t last;

    if (!pack_find_last(store->content_dir, &last, error))
        return false;
    if (last < checkpoint->pack)
        return mk_fail(error, MK_ERROR_CORRUPT,
                       "pack %u is missing in %s: restore it from a backup", checkpoint->pack,
                       store->content_dir);
    if (last == 0)
        return open_new_pack(store, checkpoint, 1, writer, error);
    if (last == checkpoint->pack)
        return pack_writer_open(writer, store, last, checkpoint->offset, error);
    if (!scanner_open(&scanner, &store->keys, store->content_dir, last, 0, &checkpoint->chain,
                      error))
        return false;
    if (scanner.header_damaged)
        return open_new_pack(store, checkpoint, last, writer, error);
    return pack_writer_open(writer, store, last, PACK_HEADER_BYTES, error);
}

static bool open_parts(MkStore *store, const MkStoreOptions *options, GError **error)
{
    Checkpoint checkpoint;
    PackWriter writer = { store, -1, 0, 0, 0 };

    if (!make_dirs(store, error) ||
        !store_keys_load(options, &store->key, &store->keys, &store->lock_fd, error) ||
        !open_catalog(store, options->map_size_bytes, &checkpoint, error) ||
        !load_dictionaries(store, error) || !catch_up(store, &checkpoint, error) ||
        !open_writer(store, &checkpoint, &writer, error))
        return false;
    if (checkpoint.pack == 0)
        pack_first_chain(&store->keys, &checkpoint.chain);
    store->committer = committer_start(store, &checkpoint, &writer);
    return true;
}

MkStore *mk_store_open(const MkStoreOptions *options, GError **error)
{
    g_autoptr(MkStore) store = g_new0(MkStore, 1);

    store->id = options->store_id;
    store->dir = g_strdup(options->dir);
    store->content_dir = store_content_dir(options->dir);
    store->lock_fd = -1;
    store->map_size_bytes = options->map_size_bytes;
    store->codec = codec_new();
    folders_init(&store->folders);
    pack_files_init(&store->files, store->content_dir);
    return open_parts(store, options, error) ? g_steal_pointer(&store) : NULL;
}

void mk_store_close(MkStore *store)
{
    if (store == NULL)
        return;
    committer_stop(store->committer);
    if (store->catalog != NULL)
        mk_db_sync(store->catalog, NULL); /* best effort: the packs have it all */
    mk_db_close(store->catalog);
    pack_files_clear(&store->files);
    folders_clear(&store->folders);
    codec_free(store->codec);
    store_keys_clear(&store->keys);
    mk_key_free(store->key);
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    g_free(store->content_dir);
    g_free(store->dir);
    g_free(store);
}
