/*
 * index_status.c - what is to be done with the indexes, kept over restarts (IX-07..IX-09)
 *
 * One row of the master database for each store: whether its index is damaged, from where a refill
 * goes on, and of each user archive whether it is marked, chosen, or being rebuilt, and how far.
 * Changes take master_lock and the status's own, change memory and write the row under both.
 */
#include <mailkeep/log.h>

#include "internal.h"

enum { RECORD_VERSION = 1 };
enum { NEEDS_REBUILD = 1 << 0, SELECTED = 1 << 1, REBUILDING = 1 << 2 };

void index_status_init(IndexStatus *status)
{
    pthread_mutex_init(&status->lock, NULL);
    status->archives = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

void index_status_clear(IndexStatus *status)
{
    g_hash_table_unref(status->archives);
    g_free(status->error);
    pthread_mutex_destroy(&status->lock);
}

/* -- octets (docs/formats/master.md) ----------------------------------------------------------- */
static unsigned flags_of(const ArchiveIndex *index)
{
    return (index->needs_rebuild ? NEEDS_REBUILD : 0u) | (index->selected ? SELECTED : 0u) |
           (index->rebuilding ? REBUILDING : 0u);
}

static void format_archives(const IndexStatus *status, GByteArray *out)
{
    GHashTableIter iter;
    void *folder, *value;

    mk_put_varint(out, g_hash_table_size(status->archives));
    g_hash_table_iter_init(&iter, status->archives);
    while (g_hash_table_iter_next(&iter, &folder, &value)) {
        mk_put_string(out, folder);
        mk_put_u8(out, (uint8_t) flags_of(value));
        mk_put_u32(out, ((ArchiveIndex *) value)->after);
    }
}

static void status_format(const IndexStatus *status, GByteArray *out)
{
    mk_put_u8(out, RECORD_VERSION);
    mk_put_u8(out, status->damaged);
    mk_put_string(out, status->error);
    mk_put_u64(out, status->sequence);
    format_archives(status, out);
}

static bool parse_archives(IndexStatus *status, MkReader *r)
{
    uint64_t count = mk_read_varint(r);

    for (uint64_t i = 0; i < count && !r->failed; i++) {
        char *folder = mk_read_string(r);
        unsigned flags = mk_read_u8(r);
        ArchiveIndex *index = g_new0(ArchiveIndex, 1);

        index->needs_rebuild = (flags & NEEDS_REBUILD) != 0;
        index->selected = (flags & SELECTED) != 0;
        index->rebuilding = (flags & REBUILDING) != 0;
        index->after = mk_read_u32(r);
        if (folder == NULL)
            g_free(index);
        else
            g_hash_table_replace(status->archives, folder, index);
    }
    return !r->failed && r->length == 0;
}

static bool load_row(uint32_t id, const GByteArray *value, void *cookie)
{
    ArchiveStore *store = store_find(cookie, id);
    MkReader r = mk_reader(value->data, value->len);
    IndexStatus *status;

    if (store == NULL) /* not here any more */
        return true;
    status = &store->index_status;
    if (mk_read_u8(&r) != RECORD_VERSION)
        return false;
    status->damaged = mk_read_u8(&r) != 0;
    status->error = mk_read_string(&r);
    status->sequence = mk_read_u64(&r);
    return parse_archives(status, &r);
}

bool index_status_load(MkArchive *archive, GError **error)
{
    return master_each(archive->master, MASTER_INDEXES, load_row, archive, error);
}

/* -- changes ----------------------------------------------------------------------------------- */
static gboolean says_nothing(void *folder, void *value, void *cookie)
{
    (void) folder;
    (void) cookie;
    return flags_of(value) == 0;
}

/* Both locks are held, and given back when it is durable: nobody sees what a crash would undo. */
static bool keep_and_unlock(MkArchive *archive, ArchiveStore *store, GError **error)
{
    IndexStatus *status = &store->index_status;
    g_autoptr(GByteArray) value = g_byte_array_new();
    bool ok;

    g_hash_table_foreach_remove(status->archives, says_nothing, NULL);
    status_format(status, value);
    ok = master_put(archive, MASTER_INDEXES, store->id, value, error);
    pthread_mutex_unlock(&status->lock);
    pthread_mutex_unlock(&archive->master_lock);
    return ok;
}

static void lock_both(MkArchive *archive, ArchiveStore *store)
{
    pthread_mutex_lock(&archive->master_lock);
    pthread_mutex_lock(&store->index_status.lock);
}

static ArchiveIndex *entry_of(IndexStatus *status, const char *folder)
{
    ArchiveIndex *index = g_hash_table_lookup(status->archives, folder);

    if (index == NULL) {
        index = g_new0(ArchiveIndex, 1);
        g_hash_table_insert(status->archives, g_strdup(folder), index);
    }
    return index;
}

bool index_status_change_all(MkArchive *archive, ArchiveStore *store, const GPtrArray *folders,
                             ArchiveIndexFunc change, void *cookie, GError **error)
{
    lock_both(archive, store);
    for (guint i = 0; i < folders->len; i++)
        change(entry_of(&store->index_status, folders->pdata[i]), cookie);
    return keep_and_unlock(archive, store, error);
}

bool index_status_change(MkArchive *archive, ArchiveStore *store, const char *folder,
                         ArchiveIndexFunc change, void *cookie, GError **error)
{
    lock_both(archive, store);
    change(entry_of(&store->index_status, folder), cookie);
    return keep_and_unlock(archive, store, error);
}

void index_status_damaged(MkArchive *archive, ArchiveStore *store, const char *why)
{
    IndexStatus *status = &store->index_status;
    g_autoptr(GError) error = NULL;

    lock_both(archive, store);
    if (status->damaged) {
        pthread_mutex_unlock(&status->lock);
        pthread_mutex_unlock(&archive->master_lock);
        return;
    }
    status->damaged = true;
    g_free(status->error);
    status->error = g_strdup(why);
    mk_log_error("archive.index-damaged", "store", MK_LOG_U64(store->id), "why", why);
    if (!keep_and_unlock(archive, store, &error))
        mk_log_error("archive.index-status-lost", "store", MK_LOG_U64(store->id), "why",
                     error->message);
}

bool index_status_refill(MkArchive *archive, ArchiveStore *store, uint64_t sequence, GError **error)
{
    lock_both(archive, store);
    store->index_status.sequence = sequence;
    return keep_and_unlock(archive, store, error);
}

/* What has been filled from nothing has no more need of anything. */
bool index_status_refilled(MkArchive *archive, ArchiveStore *store, GError **error)
{
    IndexStatus *status = &store->index_status;

    lock_both(archive, store);
    status->sequence = 0;
    status->damaged = false;
    g_clear_pointer(&status->error, g_free);
    g_hash_table_remove_all(status->archives);
    return keep_and_unlock(archive, store, error);
}

/* -- questions --------------------------------------------------------------------------------- */
uint64_t index_status_sequence(ArchiveStore *store)
{
    uint64_t sequence;

    pthread_mutex_lock(&store->index_status.lock);
    sequence = store->index_status.sequence;
    pthread_mutex_unlock(&store->index_status.lock);
    return sequence;
}

ArchiveIndex index_status_get(ArchiveStore *store, const char *folder)
{
    ArchiveIndex copy = { .after = 0 };
    const ArchiveIndex *index;

    pthread_mutex_lock(&store->index_status.lock);
    index = g_hash_table_lookup(store->index_status.archives, folder);
    if (index != NULL)
        copy = *index;
    pthread_mutex_unlock(&store->index_status.lock);
    return copy;
}

bool index_status_is_damaged(ArchiveStore *store, char **out_error)
{
    bool damaged;

    pthread_mutex_lock(&store->index_status.lock);
    damaged = store->index_status.damaged;
    *out_error = damaged ? g_strdup(store->index_status.error) : NULL;
    pthread_mutex_unlock(&store->index_status.lock);
    return damaged;
}

char *index_status_rebuilding(ArchiveStore *store)
{
    char *folder = NULL;
    GHashTableIter iter;
    void *key, *value;

    pthread_mutex_lock(&store->index_status.lock);
    g_hash_table_iter_init(&iter, store->index_status.archives);
    while (folder == NULL && g_hash_table_iter_next(&iter, &key, &value))
        if (((ArchiveIndex *) value)->rebuilding)
            folder = g_strdup(key);
    pthread_mutex_unlock(&store->index_status.lock);
    return folder;
}

void index_status_progress(ArchiveStore *store, const char *folder, uint64_t done, uint64_t total)
{
    ArchiveIndex *index;

    pthread_mutex_lock(&store->index_status.lock);
    index = g_hash_table_lookup(store->index_status.archives, folder);
    if (index != NULL) {
        index->done = done;
        index->total = total;
    }
    pthread_mutex_unlock(&store->index_status.lock);
}
