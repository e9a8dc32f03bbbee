/* stores.c - the archive stores of the installation: opened, listed, verified */
#include <errno.h>
#include <unistd.h>

#include <mailkeep/log.h>

#include "internal.h"

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
    mk_index_close(store->index);
    mk_store_close(store->store);
    pthread_mutex_destroy(&store->index_writer_lock);
    g_free(store->name);
    g_free(store->dir);
    g_free(store);
}

static ArchiveStore *store_open(MkArchive *archive, uint32_t id, const char *name,
                                uint64_t map_size_bytes, GError **error)
{
    ArchiveStore *store = g_new0(ArchiveStore, 1);
    g_autofree char *index_dir = NULL;
    g_autoptr(MkKey) index_key = NULL;
    MkStoreOptions options = { .master_key = mk_keyring_master(archive->keyring),
                               .store_id = id,
                               .map_size_bytes = map_size_bytes };

    pthread_mutex_init(&store->index_writer_lock, NULL);
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
    index_dir = g_build_filename(store->dir, "index", NULL);
    index_key = mk_store_derive_key(store->store, "index");
    store->index = mk_index_open(index_dir, index_key, map_size_bytes, error);
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
    static const char *const names[] = { "data.mdb", "lock.mdb" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(store_dir, "index", names[i], NULL);

        if (unlink(path) != 0 && errno != ENOENT)
            return mk_fail_errno(error, errno, "remove %s", path);
    }
    return true;
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
    return info;
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
        g_ptr_array_add(infos, info);
    }
    return infos;
}

/* -- care ---------------------------------------------------------------------------------------- */
static ArchiveStore *store_get(MkArchive *archive, uint32_t store_id, GError **error)
{
    ArchiveStore *store = store_find(archive, store_id);

    if (store == NULL)
        mk_fail(error, MK_ERROR_NOT_FOUND, "there is no archive store %u", store_id);
    return store;
}

static bool verify_index(ArchiveStore *store, MkVerifyReport *report, GError **error)
{
    uint64_t blocks, errors;

    if (!mk_index_verify(store->index, &blocks, &errors, error))
        return false;
    report->values += blocks;
    report->errors += errors;
    if (errors > 0)
        g_ptr_array_add(report->messages,
                        g_strdup_printf("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                                        " blocks of the search index are damaged: rebuild it",
                                        errors, blocks));
    return true;
}

bool mk_archive_verify_store(MkArchive *archive, uint32_t store_id, bool include_indexes,
                             MkProgressFunc on_progress, void *cookie, MkVerifyReport *out,
                             GError **error)
{
    ArchiveStore *store = store_get(archive, store_id, error);

    if (store == NULL || !mk_store_verify(store->store, on_progress, cookie, out, error))
        return false;
    if (!include_indexes || verify_index(store, out, error))
        return true;
    mk_verify_report_clear(out);
    return false;
}

static void poke_on_loop(void *cookie)
{
    follower_poke(cookie);
}

bool mk_archive_rebuild_index(MkArchive *archive, uint32_t store_id, GError **error)
{
    ArchiveStore *store = store_get(archive, store_id, error);
    bool ok;

    if (store == NULL)
        return false;
    pthread_mutex_lock(&store->index_writer_lock); /* waits for the batch that is being written */
    ok = mk_index_clear(store->index, error);
    store->indexed = 0;
    store->rebuild_sequence = 0; /* a rebuild under way begins anew */
    pthread_mutex_unlock(&store->index_writer_lock);
    if (ok)
        mk_loop_post(archive->loop, poke_on_loop, store->follower);
    return ok;
}
