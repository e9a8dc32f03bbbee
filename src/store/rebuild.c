/*
 * rebuild.c - a catalog made anew from the packs alone
 *
 * Made beside the old one and put in its place when it is whole, so that a rebuild which is cut
 * off changes nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailkeep/base.h>

#include "internal.h"

void catalog_remove(const char *dir)
{
    static const char *const names[] = { "data.mdb", "lock.mdb" };

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(dir, names[i], NULL);

        unlink(path);
    }
    rmdir(dir);
}

bool aside_open(Aside *aside, const char *dir, const StoreKeys *keys, const char *content_dir,
                uint64_t map_size_bytes, GError **error)
{
    memset(aside, 0, sizeof *aside);
    catalog_remove(dir); /* of an earlier try */
    aside->dir = g_strdup(dir);
    folders_init(&aside->folders);
    aside->codec = codec_new();
    aside->catalog = catalog_open(dir, keys->catalog, map_size_bytes, error);
    aside->replay = (Replay){
        .keys = keys,
        .content_dir = content_dir,
        .catalog = aside->catalog,
        .folders = &aside->folders,
        .codec = aside->codec,
        .keep_changes = true,
    };
    return aside->catalog != NULL;
}

void aside_clear(Aside *aside)
{
    if (aside->dir == NULL)
        return;
    mk_db_close(aside->catalog);
    folders_clear(&aside->folders);
    codec_free(aside->codec);
    g_free(aside->dir);
    memset(aside, 0, sizeof *aside);
}

/* The new one in the old one's place. Until the second rename the packs alone are the store. */
static bool swap_catalogs(const char *dir, const char *fresh, GError **error)
{
    g_autofree char *catalog = store_catalog_dir(dir);
    g_autofree char *old = g_strconcat(catalog, ".old", NULL);

    catalog_remove(old);
    if ((rename(catalog, old) != 0 && errno != ENOENT) || rename(fresh, catalog) != 0)
        return mk_fail_errno(error, errno, "put the new catalog in its place in %s", dir);
    if (!sync_dir(dir, error))
        return false;
    catalog_remove(old);
    return true;
}

static bool rebuild(const MkStoreOptions *options, const StoreKeys *keys, uint64_t *out_mails,
                    GError **error)
{
    g_autofree char *content = store_content_dir(options->dir);
    g_autofree char *fresh = g_build_filename(options->dir, "catalog.new", NULL);
    g_auto(Aside) aside = { 0 };

    if (!aside_open(&aside, fresh, keys, content, options->map_size_bytes, error) ||
        !replay_run(&aside.replay, error) || !mk_db_sync(aside.catalog, error))
        return false;
    *out_mails = aside.replay.checkpoint.mail_count;
    aside_clear(&aside);
    return swap_catalogs(options->dir, fresh, error);
}

bool mk_store_rebuild(const MkStoreOptions *options, uint64_t *out_mails, GError **error)
{
    g_autoptr(MkKey) key = NULL;
    StoreKeys keys = { 0 };
    int lock_fd;
    bool good;

    if (!store_keys_load(options, &key, &keys, &lock_fd, error))
        return false;
    good = rebuild(options, &keys, out_mails, error);
    store_keys_clear(&keys);
    close(lock_fd);
    return good;
}
