/* stores.c - the archive stores of the installation: opened, listed, verified */
#include <errno.h>
#include <unistd.h>

#include <mailkeep/log.h>

#include "internal.h"
#include "text_cache.h"

/* One for now; ids are part of every mail's id and are never given again. */
static const struct {
    uint32_t id;
    const char *name;
} store_names[] = { { 1, "default" } };

void archive_store_free(ArchiveStore *store)
{
    if (store == NULL)
        return;
    follower_free(store->follower);
    attachment_reader_free(store->attachments);
    text_cache_free(store->shown_texts);
    rebuild_work_clear(&store->rebuild);
    mk_index_close(store->index);
    mk_store_close(store->store);
    mk_key_free(store->conversation_key);
    index_status_clear(&store->index_status);
    pthread_mutex_destroy(&store->index_writer_lock);
    pthread_mutex_destroy(&store->merge_lock);
    g_free(store->name);
    g_free(store->dir);
    g_free(store);
}

/* -- the index ----------------------------------------------------------------------------------- */
/* All files of it: it can always be made again. */
static bool empty_index_dir(const char *dir, GError **error)
{
    g_autoptr(GDir) handle = g_dir_open(dir, 0, NULL);
    const char *name;

    while (handle != NULL && (name = g_dir_read_name(handle)) != NULL) {
        g_autofree char *path = g_build_filename(dir, name, NULL);

        if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
            if (!empty_index_dir(path, error))
                return false;
        } else if (unlink(path) != 0 && errno != ENOENT) {
            return mk_fail_errno(error, errno, "remove %s", path);
        }
    }
    return true;
}

/* An index that cannot be opened is no reason to take no mail: it is filled anew. */
static MkIndex *index_open(ArchiveStore *store, uint64_t map_size_bytes, GError **error)
{
    g_autofree char *dir = g_build_filename(store->dir, "index", NULL);
    g_autoptr(MkKey) key = mk_store_derive_key(store->store, "index");
    g_autoptr(GError) failed = NULL;
    MkIndex *index = mk_index_open(dir, key, map_size_bytes, &failed);

    if (index != NULL)
        return index;
    if (!g_error_matches(failed, MK_ERROR, MK_ERROR_CORRUPT)) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return NULL;
    }
    mk_log_error("archive.index-emptied", "store", MK_LOG_U64(store->id), "why", failed->message);
    return empty_index_dir(dir, error) ? mk_index_open(dir, key, map_size_bytes, error) : NULL;
}

/* -- a store ------------------------------------------------------------------------------------- */
static ArchiveStore *store_open(MkArchive *archive, uint32_t id, const char *name,
                                uint64_t map_size_bytes, GError **error)
{
    ArchiveStore *store = g_new0(ArchiveStore, 1);
    MkStoreOptions options = { .master_key = mk_keyring_master(archive->keyring),
                               .store_id = id,
                               .map_size_bytes = map_size_bytes };

    pthread_mutex_init(&store->merge_lock, NULL);
    pthread_mutex_init(&store->index_writer_lock, NULL);
    index_status_init(&store->index_status);
    store->shown_texts = text_cache_new(MK_LIMIT_TEXT_CACHE_BYTES);
    store->id = id;
    store->name = g_strdup(name);
    store->dir = g_build_filename(archive->data_dir, "stores", name, NULL);
    options.dir = store->dir;
    if (g_mkdir_with_parents(store->dir, 0700) != 0) {
        mk_fail_errno(error, errno, "make the directory %s", store->dir);
        archive_store_free(store);
        return NULL;
    }
    store->store = mk_store_open(&options, error);
    if (store->store == NULL) {
        if (error != NULL && mk_error_code(*error) == MK_ERROR_CORRUPT)
            g_prefix_error(error,
                           "store %s cannot be opened; if its packs are whole, start once "
                           "with --rebuild-catalog: ",
                           name);
        archive_store_free(store);
        return NULL;
    }
    store->conversation_key = mk_store_derive_key(store->store, "conversation");
    store->attachments = attachment_reader_new(archive, false);
    store->index = index_open(store, map_size_bytes, error);
    if (store->index == NULL) {
        archive_store_free(store);
        return NULL;
    }
    store->indexed = mk_index_watermark(store->index);
    return store;
}

bool stores_open(MkArchive *archive, uint64_t map_size_bytes, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(store_names); i++) {
        ArchiveStore *store =
            store_open(archive, store_names[i].id, store_names[i].name, map_size_bytes, error);

        if (store == NULL)
            return false;
        g_ptr_array_add(archive->stores, store);
    }
    return true;
}

/* -- the catalog anew ---------------------------------------------------------------------------- */
static bool remove_index(const char *store_dir, GError **error)
{
    g_autofree char *dir = g_build_filename(store_dir, "index", NULL);

    return empty_index_dir(dir, error);
}

bool mk_archive_rebuild_catalogs(const char *data_dir, uint64_t map_size_bytes, uint64_t *out_mails,
                                 GError **error)
{
    g_autofree char *keys_dir = g_build_filename(data_dir, "keys", NULL);
    g_autoptr(MkKeyring) keyring = mk_keyring_open(keys_dir, error);
    uint64_t total = 0;

    if (keyring == NULL)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(store_names); i++) {
        g_autofree char *dir = g_build_filename(data_dir, "stores", store_names[i].name, NULL);
        MkStoreOptions options = { .dir = dir,
                                   .master_key = mk_keyring_master(keyring),
                                   .store_id = store_names[i].id,
                                   .map_size_bytes = map_size_bytes };
        uint64_t mails;

        if (!mk_store_rebuild(&options, &mails, error) || !remove_index(dir, error))
            return false;
        total += mails;
    }
    *out_mails = total;
    return true;
}

ArchiveStore *store_current(MkArchive *archive)
{
    return archive->stores->pdata[0];
}

ArchiveStore *store_find(MkArchive *archive, uint32_t store_id)
{
    for (guint i = 0; i < archive->stores->len; i++) {
        ArchiveStore *store = archive->stores->pdata[i];

        if (store->id == store_id)
            return store;
    }
    return NULL;
}

/* -- lists --------------------------------------------------------------------------------------- */
void mk_store_info_free(MkStoreInfo *info)
{
    if (info == NULL)
        return;
    g_free(info->name);
    g_free(info->state);
    g_free(info->database_path);
    g_free(info->content_path);
    g_free(info->index_path);
    g_free(info->error);
    g_free(info);
}

static MkStoreInfo *info_new(ArchiveStore *store)
{
    MkStoreInfo *info = g_new0(MkStoreInfo, 1);

    info->id = store->id;
    info->name = g_strdup(store->name);
    info->state = g_strdup("current");
    info->database_path = g_build_filename(store->dir, "catalog", NULL);
    info->content_path = g_build_filename(store->dir, "content", NULL);
    info->index_path = g_build_filename(store->dir, "index", NULL);
    info->verified_unix_ms = store->verified_unix_ms;
    info->verified_errors = store->verified_errors;
    return info;
}

/* Of the store's indexes: one that needs a rebuild is enough. */
static void info_status(MkStoreInfo *info, MkArchive *archive)
{
    g_autoptr(GPtrArray) indexes = mk_archive_indexes(archive, info->id, NULL);

    for (guint i = 0; indexes != NULL && i < indexes->len; i++) {
        const MkIndexInfo *index = indexes->pdata[i];

        info->index_needs_rebuild = info->index_needs_rebuild || index->needs_rebuild;
        if (info->error == NULL)
            info->error = g_strdup(index->error);
    }
}

/* A store or index that cannot be counted is listed with its error. */
static void info_count(MkStoreInfo *info, ArchiveStore *store)
{
    g_autoptr(GError) error = NULL;

    if (!mk_store_statistics(store->store, &info->statistics, &error) ||
        !mk_index_statistics(store->index, &info->index, &error)) {
        info->error = g_strdup(error->message);
        info->index_needs_rebuild = true;
    }
}

GPtrArray *mk_archive_stores(MkArchive *archive, bool with_sizes, GError **error)
{
    GPtrArray *infos = g_ptr_array_new_with_free_func((GDestroyNotify) mk_store_info_free);

    (void) error; /* kept for stores that are not open */
    for (guint i = 0; i < archive->stores->len; i++) {
        MkStoreInfo *info = info_new(archive->stores->pdata[i]);

        if (with_sizes)
            info_count(info, archive->stores->pdata[i]);
        info_status(info, archive);
        g_ptr_array_add(infos, info);
    }
    return infos;
}

/* -- care ---------------------------------------------------------------------------------------- */
ArchiveStore *store_get(MkArchive *archive, uint32_t store_id, GError **error)
{
    ArchiveStore *store = store_find(archive, store_id);

    if (store == NULL)
        mk_fail(error, MK_ERROR_NOT_FOUND, "there is no archive store %u", store_id);
    return store;
}

bool mk_archive_verify_store(MkArchive *archive, uint32_t store_id, bool include_indexes,
                             MkProgressFunc on_progress, void *cookie, MkVerifyReport *out,
                             GError **error)
{
    ArchiveStore *store = store_get(archive, store_id, error);

    if (store == NULL || !mk_store_verify(store->store, on_progress, cookie, out, error))
        return false;
    if ((!include_indexes || index_verify(archive, store, out, error)) &&
        verification_keep(archive, store, out->errors, error))
        return true;
    mk_verify_report_clear(out);
    return false;
}

static void poke_on_loop(void *cookie)
{
    follower_poke(cookie);
}

void store_poke(MkArchive *archive, ArchiveStore *store)
{
    mk_loop_post(archive->loop, poke_on_loop, store->follower);
}

static bool clear_index(ArchiveStore *store, GError **error)
{
    bool ok;

    store->merge_unwanted = 1;
    pthread_mutex_lock(&store->merge_lock);
    pthread_mutex_lock(&store->index_writer_lock); /* waits for the batch that is being written */
    ok = mk_index_clear(store->index, error);
    store->index_emptied++;
    store->indexed = 0;
    store->texts_waiting = 0;
    store->refill_at = store->refill_last = 0;
    store->rebuild_sequence = 0; /* a refill under way begins anew */
    pthread_mutex_unlock(&store->index_writer_lock);
    store->merge_unwanted = 0;
    pthread_mutex_unlock(&store->merge_lock);
    return ok;
}

bool mk_archive_rebuild_index(MkArchive *archive, uint32_t store_id, GError **error)
{
    ArchiveStore *store = store_get(archive, store_id, error);

    if (store == NULL || !clear_index(store, error))
        return false;
    store_poke(archive, store);
    return true;
}

void mk_archive_release_memory(MkArchive *archive)
{
    for (guint i = 0; i < archive->stores->len; i++) {
        const ArchiveStore *store = archive->stores->pdata[i];

        text_cache_empty(store->shown_texts);
        if (store->index != NULL)
            mk_index_release_memory(store->index);
    }
}
