/*
 * block_cache.c - opened blocks of all segments, those used last
 *
 * A block in here is plain text in memory only; whoever holds a reference keeps it alive, so
 * that a reader is never in the way of one that makes room.
 */
#include "internal.h"

/* What a block takes beside its octets: entry, row of the hash table, the allocator's own. */
#define ENTRY_BYTES 128

typedef struct {
    uint32_t segment_id;
    uint32_t number;
    MkStreamKind stream;
    MkBlock *block;
    GList link; /* in the order of use, the last used in front */
} Entry;

struct MkBlockCache {
    pthread_mutex_t lock; /* guards all below */
    GHashTable *entries;  /* Entry: its own key */
    GQueue order;
    size_t bytes, limit;
};

MkBlock *mk_block_new(uint32_t length)
{
    MkBlock *block = g_malloc(sizeof *block + length);
    block->refs = 1;
    block->length = length;
    return block;
}

MkBlock *mk_block_ref(MkBlock *block)
{
    g_atomic_int_inc(&block->refs);
    return block;
}

void mk_block_unref(MkBlock *block)
{
    if (block != NULL && g_atomic_int_dec_and_test(&block->refs))
        g_free(block);
}

static guint hash_entry(gconstpointer key)
{
    const Entry *entry = key;
    uint64_t hash = (uint64_t) entry->segment_id << 32 | entry->number;
    hash = (hash ^ (uint64_t) entry->stream << 56) * UINT64_C(0x9E3779B97F4A7C15);
    return (guint) (hash >> 32);
}

static gboolean equal_entries(gconstpointer a, gconstpointer b)
{
    const Entry *x = a, *y = b;
    return x->segment_id == y->segment_id && x->stream == y->stream && x->number == y->number;
}

static void entry_free(gpointer data)
{
    Entry *entry = data;
    mk_block_unref(entry->block);
    g_free(entry);
}

MkBlockCache *mk_block_cache_new(size_t limit)
{
    MkBlockCache *cache = g_new0(MkBlockCache, 1);
    pthread_mutex_init(&cache->lock, NULL);
    cache->entries = g_hash_table_new_full(hash_entry, equal_entries, entry_free, NULL);
    g_queue_init(&cache->order);
    cache->limit = limit;
    return cache;
}

void mk_block_cache_free(MkBlockCache *cache)
{
    if (cache == NULL)
        return;
    g_hash_table_unref(cache->entries);
    pthread_mutex_destroy(&cache->lock);
    g_free(cache);
}

MkBlock *mk_block_cache_find(MkBlockCache *cache, uint32_t segment_id, MkStreamKind stream,
                             uint32_t number)
{
    const Entry wanted = { .segment_id = segment_id, .number = number, .stream = stream };
    MkBlock *block = NULL;
    pthread_mutex_lock(&cache->lock);
    Entry *entry = g_hash_table_lookup(cache->entries, &wanted);
    if (entry != NULL) {
        g_queue_unlink(&cache->order, &entry->link);
        g_queue_push_head_link(&cache->order, &entry->link);
        block = mk_block_ref(entry->block);
    }
    pthread_mutex_unlock(&cache->lock);
    return block;
}

/* With the lock held. */
static void remove_entry(MkBlockCache *cache, Entry *entry)
{
    cache->bytes -= entry->block->length + ENTRY_BYTES;
    g_queue_unlink(&cache->order, &entry->link);
    g_hash_table_remove(cache->entries, entry);
}

void mk_block_cache_add(MkBlockCache *cache, uint32_t segment_id, MkStreamKind stream,
                        uint32_t number, MkBlock *block)
{
    Entry *entry = g_new0(Entry, 1);
    *entry = (Entry){
        .segment_id = segment_id, .number = number, .stream = stream, .block = mk_block_ref(block)
    };
    entry->link.data = entry;
    pthread_mutex_lock(&cache->lock);
    bool known = g_hash_table_contains(cache->entries, entry); /* another one was faster */
    if (!known) {
        g_hash_table_add(cache->entries, entry);
        g_queue_push_head_link(&cache->order, &entry->link);
        cache->bytes += block->length + ENTRY_BYTES;
        while (cache->bytes > cache->limit)
            remove_entry(cache, cache->order.tail->data);
    }
    pthread_mutex_unlock(&cache->lock);
    if (known)
        entry_free(entry);
}

void mk_block_cache_forget(MkBlockCache *cache, uint32_t segment_id)
{
    pthread_mutex_lock(&cache->lock);
    for (GList *at = cache->order.head; at != NULL;) {
        Entry *entry = at->data;
        at = at->next;
        if (entry->segment_id == segment_id)
            remove_entry(cache, entry);
    }
    pthread_mutex_unlock(&cache->lock);
}

void mk_block_cache_empty(MkBlockCache *cache)
{
    pthread_mutex_lock(&cache->lock);
    while (cache->order.tail != NULL)
        remove_entry(cache, cache->order.tail->data);
    pthread_mutex_unlock(&cache->lock);
}

size_t mk_block_cache_bytes(MkBlockCache *cache)
{
    pthread_mutex_lock(&cache->lock);
    size_t bytes = cache->bytes;
    pthread_mutex_unlock(&cache->lock);
    return bytes;
}
