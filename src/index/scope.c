/*
 * scope.c - the folders that a search may look into
 */
#include "filter.h"

/* -- the folders ------------------------------------------------------------------------------ */
static bool ascend(const uint32_t *ids, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (ids[i] < ids[i - 1])
            return false;
    return true;
}

static GArray *sorted_ids(const MkSearch *search)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    guint kept = 0;
    if (search->folder_count > 0)
        g_array_append_vals(ids, search->folders, (guint) search->folder_count);
    if (!ascend(search->folders, search->folder_count))
        g_array_sort(ids, mk_compare_u32);
    for (guint i = 0; i < ids->len; i++) {
        uint32_t id = g_array_index(ids, uint32_t, i);
        if (kept == 0 || g_array_index(ids, uint32_t, kept - 1) != id)
            g_array_index(ids, uint32_t, kept++) = id;
    }
    g_array_set_size(ids, kept);
    return ids;
}

void mk_folder_scope_init(MkFolderScope *scope, const MkSearch *search)
{
    *scope = (MkFolderScope){ .all = search->folders == NULL };
    if (scope->all)
        return;
    g_autoptr(GArray) ids = sorted_ids(search);
    uint32_t last = ids->len > 0 ? g_array_index(ids, uint32_t, ids->len - 1) : 0;
    scope->has = mk_doc_set_new(last + 1, false);
    for (guint i = 0; i < ids->len; i++)
        mk_doc_set_add(scope->has, g_array_index(ids, uint32_t, i));
    scope->ids = g_bytes_new(ids->data, ids->len * sizeof(uint32_t));
    scope->hash = g_bytes_hash(scope->ids);
}

void mk_folder_scope_clear(MkFolderScope *scope)
{
    g_clear_pointer(&scope->ids, g_bytes_unref);
    g_clear_pointer(&scope->has, mk_doc_set_unref);
}

bool mk_folder_scope_find(const MkFolderScope *scope, const uint32_t *ids, size_t count,
                          uint32_t *out_folder)
{
    *out_folder = 0;
    if (scope->all) {
        *out_folder = count > 0 ? ids[0] : 0;
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        if (ids[i] < scope->has->size && mk_doc_set_has(scope->has, ids[i])) {
            *out_folder = ids[i];
            return true;
        }
    }
    return false;
}

/* -- documents -------------------------------------------------------------------------------- */
bool mk_scope_keep(const MkFolderScope *scope, MkWatch *watch, const MkSegment *segment,
                   MkDocSet *docs, GError **error)
{
    g_auto(MkFolderColumn) column = { .ids = NULL };
    if (scope->all)
        return true;
    mk_folder_column_init(&column, watch, segment);
    return mk_folder_column_keep(&column, scope->has, docs, error);
}

/* -- kept sets -------------------------------------------------------------------------------- */
typedef struct {
    uint32_t segment_id; /* ids are not used twice */
    guint hash;
    GBytes *ids;
    MkDocSet *docs;
} Kept;

struct MkScopeCache {
    pthread_mutex_t lock;
    GQueue kept; /* Kept, the one used last first */
    size_t bytes, max_bytes;
};

static size_t weight(const Kept *kept)
{
    return sizeof *kept + g_bytes_get_size(kept->ids) + kept->docs->size / 8;
}

static void kept_free(gpointer data)
{
    Kept *kept = data;
    g_bytes_unref(kept->ids);
    mk_doc_set_unref(kept->docs);
    g_free(kept);
}

MkScopeCache *mk_scope_cache_new(size_t max_bytes)
{
    MkScopeCache *cache = g_new0(MkScopeCache, 1);
    pthread_mutex_init(&cache->lock, NULL);
    g_queue_init(&cache->kept);
    cache->max_bytes = max_bytes;
    return cache;
}

void mk_scope_cache_empty(MkScopeCache *cache)
{
    pthread_mutex_lock(&cache->lock);
    g_queue_clear_full(&cache->kept, kept_free);
    cache->bytes = 0;
    pthread_mutex_unlock(&cache->lock);
}

size_t mk_scope_cache_bytes(MkScopeCache *cache)
{
    pthread_mutex_lock(&cache->lock);
    size_t bytes = cache->bytes;
    pthread_mutex_unlock(&cache->lock);
    return bytes;
}

void mk_scope_cache_free(MkScopeCache *cache)
{
    if (cache == NULL)
        return;
    mk_scope_cache_empty(cache);
    pthread_mutex_destroy(&cache->lock);
    g_free(cache);
}

static MkDocSet *cache_find(const MkFolderScope *scope, uint32_t segment_id)
{
    MkScopeCache *cache = scope->cache;
    MkDocSet *found = NULL;
    pthread_mutex_lock(&cache->lock);
    for (GList *link = cache->kept.head; link != NULL && found == NULL; link = link->next) {
        const Kept *kept = link->data;
        if (kept->segment_id != segment_id || kept->hash != scope->hash ||
            !g_bytes_equal(kept->ids, scope->ids))
            continue;
        g_queue_unlink(&cache->kept, link);
        g_queue_push_head_link(&cache->kept, link);
        found = mk_doc_set_ref(kept->docs);
        break;
    }
    pthread_mutex_unlock(&cache->lock);
    return found;
}

/* Sets of segments that were merged away are not asked for any more and fall out at the end. */
static void cache_add(const MkFolderScope *scope, uint32_t segment_id, MkDocSet *docs)
{
    MkScopeCache *cache = scope->cache;
    Kept *kept = g_new(Kept, 1);
    *kept = (Kept){ segment_id, scope->hash, g_bytes_ref(scope->ids), mk_doc_set_ref(docs) };
    pthread_mutex_lock(&cache->lock);
    g_queue_push_head(&cache->kept, kept);
    cache->bytes += weight(kept);
    while (cache->bytes > cache->max_bytes) {
        Kept *oldest = g_queue_pop_tail(&cache->kept);
        cache->bytes -= weight(oldest);
        kept_free(oldest);
    }
    pthread_mutex_unlock(&cache->lock);
}

MkDocSet *mk_scope_known(const MkFolderScope *scope, const MkSegment *segment)
{
    return scope->cache == NULL ? NULL : cache_find(scope, segment->info.id);
}

MkDocSet *mk_scope_docs(const MkFolderScope *scope, MkWatch *watch, const MkSegment *segment,
                        GError **error)
{
    MkDocSet *docs = mk_scope_known(scope, segment);
    if (docs != NULL)
        return docs;
    docs = mk_doc_set_new(segment->info.doc_count, true);
    mk_segment_read_ahead(segment, STREAM_FOLDERS);
    if (!mk_scope_keep(scope, watch, segment, docs, error)) {
        mk_doc_set_unref(docs);
        return NULL;
    }
    if (scope->cache != NULL)
        cache_add(scope, segment->info.id, docs);
    return docs;
}
