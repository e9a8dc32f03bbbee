/*
 * index_rebuild.c - the indexes as an administrator sees them, and one archive indexed again
 *
 * The follower's job does the work, a batch at a time and behind what has just come in; who has
 * asked for it only looks on. So a rebuild goes on after a restart as if nothing had been.
 *
 *   [marked, chosen] --mk_archive_rebuild_archive_index--> REBUILDING --all done--> [nothing]
 *          ^------------------------ cancelled -----------------|
 */
#include <string.h>

#include <mailkeep/log.h>

#include "internal.h"

enum {
    STEP_MAILS = 500, /* in one batch, so that new mail never waits long */
    LOOK_US = 50000,  /* how often the one who waits looks */
};

/* -- the archives of a store ------------------------------------------------------------------- */
/* "zoe/Journal Incoming" lies in "zoe". */
static char *archive_of(const char *path)
{
    return g_strndup(path, strcspn(path, "/"));
}

/* char * -> uint64_t *: mails, a mail in two folders twice */
static GHashTable *count_archives(ArchiveStore *store)
{
    GHashTable *counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GPtrArray) folders = mk_store_folders(store->store);

    for (guint i = 0; i < folders->len; i++) {
        const MkFolder *folder = folders->pdata[i];
        char *name = archive_of(folder->path);
        uint64_t *count = g_hash_table_lookup(counts, name);

        if (count == NULL) {
            count = g_new0(uint64_t, 1);
            g_hash_table_insert(counts, name, count);
        } else {
            g_free(name);
        }
        *count += folder->mail_count;
    }
    return counts;
}

static gint compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *store_archives(ArchiveStore *store)
{
    g_autoptr(GHashTable) counts = count_archives(store);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    void *name;

    g_hash_table_iter_init(&iter, counts);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_names);
    return names;
}

/* -- the list (IX-01) -------------------------------------------------------------------------- */
void mk_index_info_free(MkIndexInfo *info)
{
    if (info == NULL)
        return;
    g_free(info->store_name);
    g_free(info->folder);
    g_free(info->error);
    g_free(info);
}

/* An empty index under mails is being filled, or will be as soon as the follower comes to it. */
static bool is_refilling(ArchiveStore *store)
{
    return mk_index_watermark(store->index) == 0 && mk_store_last_change(store->store) > 0;
}

/* uint32_t ids of the folders of an archive, ascending. */
static GArray *folder_ids_of(ArchiveStore *store, const char *name)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autoptr(GPtrArray) folders = mk_store_folders(store->store);

    for (guint i = 0; i < folders->len; i++) {
        const MkFolder *folder = folders->pdata[i];
        g_autofree char *archive = archive_of(folder->path);

        if (g_str_equal(archive, name))
            g_array_append_val(ids, folder->id);
    }
    g_array_sort(ids, folder_id_compare);
    return ids;
}

/* 0 too when the index cannot be asked: the row says that already. */
static uint64_t count_waiting(MkArchive *archive, ArchiveStore *store, const char *name)
{
    g_autoptr(GArray) ids = store->texts_waiting == 0 ? NULL : folder_ids_of(store, name);
    MkSearch search = { .flags_set = INDEX_TEXT_PENDING, .limit = 1 };
    g_autoptr(MkSearchResult) result = NULL;

    if (ids == NULL || ids->len == 0)
        return 0;
    search.folders = (const uint32_t *) (void *) ids->data;
    search.folder_count = ids->len;
    result = store_search(archive, store, &search, NULL);
    return result == NULL ? 0 : result->mail_total;
}

static MkIndexInfo *info_new(ArchiveStore *store, const char *folder, uint64_t mail_count)
{
    MkIndexInfo *info = g_new0(MkIndexInfo, 1);
    ArchiveIndex index = index_status_get(store, folder);
    bool refilling = is_refilling(store), damaged = index_status_is_damaged(store, &info->error);

    info->store_id = store->id;
    info->store_name = g_strdup(store->name);
    info->folder = g_strdup(folder);
    info->mail_count = mail_count;
    info->needs_rebuild = index.needs_rebuild || damaged || refilling;
    info->selected = index.selected || info->needs_rebuild;
    info->rebuilding = index.rebuilding || refilling;
    return info;
}

static void add_infos(MkArchive *archive, GPtrArray *list, ArchiveStore *store)
{
    g_autoptr(GHashTable) counts = count_archives(store);
    g_autoptr(GPtrArray) names = store_archives(store);

    for (guint i = 0; i < names->len; i++) {
        const uint64_t *count = g_hash_table_lookup(counts, names->pdata[i]);
        MkIndexInfo *info = info_new(store, names->pdata[i], count == NULL ? 0 : *count);

        info->texts_waiting = count_waiting(archive, store, info->folder);
        g_ptr_array_add(list, info);
    }
}

GPtrArray *mk_archive_indexes(MkArchive *archive, uint32_t store_id, GError **error)
{
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify) mk_index_info_free);

    (void) error; /* kept for stores that are not open */
    for (guint i = 0; i < archive->stores->len; i++) {
        ArchiveStore *store = archive->stores->pdata[i];

        if (store_id == 0 || store_id == store->id)
            add_infos(archive, list, store);
    }
    return list;
}

static void select_one(ArchiveIndex *index, void *cookie)
{
    (void) cookie;
    index->selected = true;
}

bool mk_archive_select_indexes(MkArchive *archive, GError **error)
{
    for (guint i = 0; i < archive->stores->len; i++) {
        ArchiveStore *store = archive->stores->pdata[i];
        g_autoptr(GPtrArray) folders = store_archives(store);

        if (!index_status_change_all(archive, store, folders, select_one, NULL, error))
            return false;
    }
    return true;
}

/* -- the work, in the follower's job ----------------------------------------------------------- */
void rebuild_work_clear(RebuildWork *work)
{
    g_clear_pointer(&work->folder, g_free);
    g_clear_pointer(&work->numbers, g_array_unref);
    work->at = 0;
}

static bool add_folder_mails(ArchiveStore *store, uint32_t folder, uint32_t after, GArray *numbers,
                             GError **error)
{
    enum { STEP = 4096 };

    for (;;) {
        g_autoptr(GArray) some = mk_store_folder_mails(store->store, folder, after, STEP, error);

        if (some == NULL)
            return false;
        g_array_append_vals(numbers, some->data, some->len);
        if (some->len < STEP)
            return true;
        after = g_array_index(some, uint32_t, some->len - 1);
    }
}

static void sort_and_join(GArray *numbers)
{
    guint kept = 0;

    g_array_sort(numbers, folder_id_compare); /* the same type and order */
    for (guint i = 0; i < numbers->len; i++)
        if (i == 0 ||
            g_array_index(numbers, uint32_t, i) != g_array_index(numbers, uint32_t, i - 1))
            g_array_index(numbers, uint32_t, kept++) = g_array_index(numbers, uint32_t, i);
    g_array_set_size(numbers, kept);
}

/* The mails of the archive behind those that are done; the total counts all of them. */
static bool work_begin(ArchiveStore *store, char *folder, GError **error)
{
    RebuildWork *work = &store->rebuild;
    g_autoptr(GPtrArray) folders = mk_store_folders(store->store);
    uint32_t after = index_status_get(store, folder).after;
    guint first = 0;

    rebuild_work_clear(work);
    work->folder = folder;
    work->numbers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (guint i = 0; i < folders->len; i++) {
        const MkFolder *below = folders->pdata[i];

        if (folder_is_within(below->path, folder) &&
            !add_folder_mails(store, below->id, 0, work->numbers, error))
            return false;
    }
    sort_and_join(work->numbers);
    while (first < work->numbers->len && g_array_index(work->numbers, uint32_t, first) <= after)
        first++;
    work->at = first;
    return true;
}

static void keep_after(ArchiveIndex *index, void *cookie)
{
    index->after = *(uint32_t *) cookie;
}

static void end_rebuild(ArchiveIndex *index, void *cookie)
{
    (void) cookie;
    *index = (ArchiveIndex){ .after = 0 };
}

static bool work_step(MkArchive *archive, ArchiveStore *store, const MkJob *job, BatchOutcome *out,
                      GError **error)
{
    RebuildWork *work = &store->rebuild;
    const uint32_t *numbers = &g_array_index(work->numbers, uint32_t, work->at);
    guint done = 0, count = MIN(work->numbers->len - work->at, STEP_MAILS);
    uint32_t after;

    if (count > 0 && !index_again(archive, store, job, numbers, count, &done, out, error))
        return false;
    work->at += done;
    index_status_progress(store, work->folder, work->at, work->numbers->len);
    out->more = work->at < work->numbers->len;
    if (!out->more)
        return index_status_change(archive, store, work->folder, end_rebuild, NULL, error);
    if (done == 0)
        return true;
    after = g_array_index(work->numbers, uint32_t, work->at - 1);
    return index_status_change(archive, store, work->folder, keep_after, &after, error);
}

bool rebuild_step(MkArchive *archive, ArchiveStore *store, const MkJob *job, BatchOutcome *out,
                  GError **error)
{
    g_autofree char *folder = index_status_rebuilding(store);

    /* From nothing everything is read anyway, and then no rebuild is left. */
    if (folder == NULL || mk_index_watermark(store->index) == 0) {
        rebuild_work_clear(&store->rebuild);
        return true;
    }
    if (g_strcmp0(store->rebuild.folder, folder) != 0 &&
        !work_begin(store, g_steal_pointer(&folder), error)) {
        rebuild_work_clear(&store->rebuild);
        return false;
    }
    if (!work_step(archive, store, job, out, error)) {
        rebuild_work_clear(&store->rebuild); /* begins again where the row says */
        return false;
    }
    if (!out->more)
        rebuild_work_clear(&store->rebuild);
    return true;
}

/* -- looking on -------------------------------------------------------------------------------- */
static void begin_rebuild(ArchiveIndex *index, void *cookie)
{
    (void) cookie;
    if (index->rebuilding) /* it is under way, perhaps since before a restart */
        return;
    index->selected = true;
    index->rebuilding = true;
    index->after = 0;
    index->done = index->total = 0;
}

static void cancel_rebuild(ArchiveIndex *index, void *cookie)
{
    (void) cookie;
    index->rebuilding = false;
    index->after = 0;
}

static unsigned percent_of(uint64_t done, uint64_t total)
{
    return total == 0 ? 0 : (unsigned) MIN(done * 100 / total, 99);
}

/* Of the archive, or of the store when all of it is being filled again. */
static unsigned percent_done(ArchiveStore *store, const ArchiveIndex *index)
{
    return is_refilling(store) ? percent_of(store->refill_at, store->refill_last)
                               : percent_of(index->done, index->total);
}

static bool cancelled(MkArchive *archive, ArchiveStore *store, const char *folder, GError **error)
{
    if (!archive->closing &&
        !index_status_change(archive, store, folder, cancel_rebuild, NULL, error))
        return false;
    return mk_fail(error, MK_ERROR_CANCELLED, "the rebuild was cancelled");
}

static bool look_on(MkArchive *archive, ArchiveStore *store, const char *folder,
                    MkProgressFunc on_progress, void *cookie, GError **error)
{
    g_autofree char *why = NULL;

    for (;;) {
        ArchiveIndex index = index_status_get(store, folder);

        if (!index.rebuilding)
            return true;
        if (mk_index_watermark(store->index) > 0 && index_status_is_damaged(store, &why))
            return mk_fail(error, MK_ERROR_CORRUPT, "the search index is damaged: %s", why);
        if (on_progress != NULL && !on_progress(percent_done(store, &index), folder, cookie))
            return cancelled(archive, store, folder, error);
        g_usleep(LOOK_US);
    }
}

bool mk_archive_rebuild_archive_index(MkArchive *archive, uint32_t store_id, const char *folder,
                                      MkProgressFunc on_progress, void *cookie, GError **error)
{
    ArchiveStore *store = store_get(archive, store_id, error);
    g_autofree char *name = archive_of(folder), *why = NULL;
    uint32_t id = 0;

    if (store == NULL)
        return false;
    mk_store_folder_find(store->store, folder, &id);
    if (id == 0 || !g_str_equal(name, folder))
        return mk_fail(error, MK_ERROR_NOT_FOUND, "there is no archive of this name");
    if (!index_status_change(archive, store, folder, begin_rebuild, NULL, error))
        return false;
    /* Mails cannot be replaced in what cannot be read. */
    if (index_status_is_damaged(store, &why) && !mk_archive_rebuild_index(archive, store_id, error))
        return false;
    store_poke(archive, store);
    return look_on(archive, store, folder, on_progress, cookie, error);
}
