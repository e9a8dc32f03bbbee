/*
 * folders.c - the tree of folders, in memory whole
 *
 * Offices have thousands of folders, not millions; the loop asks for them, so no disk is in the
 * way. The committer alone changes the table; it marks counters that the catalog still lacks.
 */
#include <string.h>

#include <mailkeep/base.h>

#include "internal.h"

void mk_folder_free(MkFolder *folder)
{
    if (folder == NULL)
        return;
    g_free(folder->path);
    g_free(folder);
}

static void free_folder(gpointer folder)
{
    mk_folder_free(folder);
}

void folders_init(Folders *folders)
{
    pthread_mutex_init(&folders->lock, NULL);
    folders->by_path = g_hash_table_new(g_str_hash, g_str_equal);
    folders->by_id = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, free_folder);
    folders->in_order = g_ptr_array_new();
    folders->dirty = g_hash_table_new(g_direct_hash, g_direct_equal);
}

void folders_clear(Folders *folders)
{
    if (folders->by_path == NULL)
        return;
    g_hash_table_unref(folders->by_path);
    g_hash_table_unref(folders->by_id);
    g_ptr_array_unref(folders->in_order);
    g_hash_table_unref(folders->dirty);
    pthread_mutex_destroy(&folders->lock);
    memset(folders, 0, sizeof *folders);
}

/* They mostly come in the order of their ids. */
static void put_in_order(GPtrArray *in_order, MkFolder *folder)
{
    guint place = in_order->len;

    while (place > 0 && ((const MkFolder *) in_order->pdata[place - 1])->id > folder->id)
        place--;
    if (place > 0 && ((const MkFolder *) in_order->pdata[place - 1])->id == folder->id)
        in_order->pdata[place - 1] = folder;
    else
        g_ptr_array_insert(in_order, (gint) place, folder);
}

static void insert_locked(Folders *folders, MkFolder *folder)
{
    put_in_order(folders->in_order, folder);
    g_hash_table_insert(folders->by_id, GUINT_TO_POINTER(folder->id), folder);
    g_hash_table_insert(folders->by_path, folder->path, folder);
}

static MkFolder *read_row(const MkCursor *cursor, const GByteArray *value)
{
    MkReader r = mk_reader(value->data, value->len);
    MkFolder *folder = g_new0(MkFolder, 1);

    folder->path = mk_read_string(&r);
    folder->mail_count = mk_read_varint(&r);
    folder->size_bytes = mk_read_varint(&r);
    if (r.failed || r.length > 0 || cursor->key_length != 4) {
        mk_folder_free(folder);
        return NULL;
    }
    folder->id = get_u32(cursor->key);
    return folder;
}

bool folders_load(Folders *folders, MkTxn *txn, GError **error)
{
    G_GNUC_UNUSED g_auto(Locked) locked = lock_scope(&folders->lock);
    g_auto(MkCursor) cursor = MK_CURSOR_INIT;
    g_autoptr(GByteArray) value = g_byte_array_new();
    bool found;

    g_ptr_array_set_size(folders->in_order, 0);
    g_hash_table_remove_all(folders->by_path);
    g_hash_table_remove_all(folders->by_id);
    g_hash_table_remove_all(folders->dirty);
    if (!mk_cursor_open(&cursor, txn, TABLE_FOLDERS, error) ||
        !mk_cursor_seek(&cursor, NULL, 0, &found, error))
        return false;
    while (found) {
        MkFolder *folder;

        if (!mk_cursor_value(&cursor, value, error))
            return false;
        folder = read_row(&cursor, value);
        if (folder == NULL)
            return mk_fail(error, MK_ERROR_CORRUPT, "the catalog's row of a folder cannot be read");
        insert_locked(folders, folder);
        if (!mk_cursor_next(&cursor, &found, error))
            return false;
    }
    return true;
}

bool folders_has(Folders *folders, uint32_t id)
{
    G_GNUC_UNUSED g_auto(Locked) locked = lock_scope(&folders->lock);

    return g_hash_table_contains(folders->by_id, GUINT_TO_POINTER(id));
}

void folders_add(Folders *folders, uint32_t id, const char *path)
{
    G_GNUC_UNUSED g_auto(Locked) locked = lock_scope(&folders->lock);
    MkFolder *folder = g_new0(MkFolder, 1);

    folder->id = id;
    folder->path = g_strdup(path);
    insert_locked(folders, folder);
    g_hash_table_add(folders->dirty, GUINT_TO_POINTER(id));
}

void folders_count_mail(Folders *folders, uint32_t id, uint64_t size_bytes)
{
    G_GNUC_UNUSED g_auto(Locked) locked = lock_scope(&folders->lock);
    MkFolder *folder = g_hash_table_lookup(folders->by_id, GUINT_TO_POINTER(id));

    if (folder == NULL)
        return;
    folder->mail_count++;
    folder->size_bytes += size_bytes;
    g_hash_table_add(folders->dirty, GUINT_TO_POINTER(id));
}

bool folders_save_dirty(Folders *folders, MkWriteTxn *txn, GError **error)
{
    G_GNUC_UNUSED g_auto(Locked) locked = lock_scope(&folders->lock);
    GHashTableIter iter;
    gpointer id;

    g_hash_table_iter_init(&iter, folders->dirty);
    while (g_hash_table_iter_next(&iter, &id, NULL)) {
        const MkFolder *folder = g_hash_table_lookup(folders->by_id, id);

        if (!catalog_put_folder(txn, folder, error))
            return false;
    }
    g_hash_table_remove_all(folders->dirty);
    return true;
}

/* -- for the outside ------------------------------------------------------------------------ */

void mk_store_folder_find(MkStore *store, const char *path, uint32_t *out_id)
{
    G_GNUC_UNUSED g_auto(Locked) locked = lock_scope(&store->folders.lock);
    const MkFolder *folder = g_hash_table_lookup(store->folders.by_path, path);

    *out_id = folder != NULL ? folder->id : 0;
}

static void free_entry(gpointer folder)
{
    mk_folder_free(folder);
}

static gint by_path(gconstpointer a, gconstpointer b)
{
    const MkFolder *const *x = a;
    const MkFolder *const *y = b;

    return strcmp((*x)->path, (*y)->path);
}

GPtrArray *mk_store_folders(MkStore *store)
{
    G_GNUC_UNUSED g_auto(Locked) locked = lock_scope(&store->folders.lock);
    GPtrArray *all = g_ptr_array_new_with_free_func(free_entry);
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, store->folders.by_id);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        MkFolder *copy = g_memdup2(value, sizeof *copy);

        copy->path = g_strdup(copy->path);
        g_ptr_array_add(all, copy);
    }
    g_ptr_array_sort(all, by_path);
    return all;
}

void mk_store_folders_each(MkStore *store, void (*func)(const MkFolder *folder, void *cookie),
                           void *cookie)
{
    G_GNUC_UNUSED g_auto(Locked) locked = lock_scope(&store->folders.lock);

    for (guint i = 0; i < store->folders.in_order->len; i++)
        func(store->folders.in_order->pdata[i], cookie);
}

char *mk_store_folder_path(MkStore *store, uint32_t id)
{
    G_GNUC_UNUSED g_auto(Locked) locked = lock_scope(&store->folders.lock);
    const MkFolder *folder = g_hash_table_lookup(store->folders.by_id, GUINT_TO_POINTER(id));

    return folder != NULL ? g_strdup(folder->path) : NULL;
}

/* "a/b" without empty parts, control characters or too much length */
static bool path_is_good(const char *path, GError **error)
{
    size_t length = strlen(path);

    if (length == 0 || length > MK_LIMIT_FOLDER_PATH_BYTES || path[0] == '/' ||
        path[length - 1] == '/' || strstr(path, "//") != NULL || !g_utf8_validate(path, -1, NULL))
        return mk_fail(
            error, MK_ERROR_INVALID,
            "a folder's path has an empty part, is not UTF-8 or is longer than %d octets",
            MK_LIMIT_FOLDER_PATH_BYTES);
    return true;
}

static bool folder_make_one(MkStore *store, const char *path, uint32_t *out_id, GError **error)
{
    Item *item;
    MkCommitted made;

    mk_store_folder_find(store, path, out_id);
    if (*out_id != 0)
        return true;
    item = g_new0(Item, 1);
    item->kind = ITEM_FOLDER;
    item->path = g_strdup(path);
    if (!committer_put_and_wait(store->committer, item, &made, error))
        return false;
    *out_id = made.number;
    return true;
}

bool mk_store_folder_make(MkStore *store, const char *path, uint32_t *out_id, GError **error)
{
    uint32_t id = 0;

    if (!path_is_good(path, error))
        return false;
    for (const char *end = path; end != NULL;) {
        g_autofree char *part = NULL;

        end = strchr(end, '/');
        part = end != NULL ? g_strndup(path, (gsize) (end - path)) : g_strdup(path);
        if (!folder_make_one(store, part, &id, error))
            return false;
        if (end != NULL)
            end++;
    }
    *out_id = id;
    return true;
}
