#include <pthread.h>
#include <string.h>

#include <mailkeep/crypto.h>

#include "text_cache.h"

/* What a text takes beside its octets: entry, row of the hash table, the allocator's own. */
#define ENTRY_BYTES 160
/* Texts longer than this part of all would drive out too many others. */
#define LONG_SHARE 64

/* -- a text -------------------------------------------------------------------------------------- */
static size_t text_bytes(const ShownText *text)
{
    return sizeof *text + text->body_length + text->attachment_length;
}

/* Neither is longer than MK_LIMIT_TEXT_BYTES and what a character cut through leaves. */
ShownText *shown_text_new(const GString *body, const GString *attachment_text)
{
    ShownText *text = g_malloc(sizeof *text + body->len + attachment_text->len);

    text->refs = 1;
    text->body_length = (uint32_t) body->len;
    text->attachment_length = (uint32_t) attachment_text->len;
    memcpy(text->octets, body->str, body->len);
    memcpy(text->octets + body->len, attachment_text->str, attachment_text->len);
    return text;
}

ShownText *shown_text_ref(ShownText *text)
{
    g_atomic_int_inc(&text->refs);
    return text;
}

void shown_text_unref(ShownText *text)
{
    if (text == NULL || !g_atomic_int_dec_and_test(&text->refs))
        return;
    mk_wipe(text, text_bytes(text));
    g_free(text);
}

/* -- the texts kept ------------------------------------------------------------------------------ */
typedef struct {
    uint32_t number;
    ShownText *text;
    GList link; /* in the order of use, the last used in front */
} Entry;

struct TextCache {
    pthread_mutex_t lock; /* guards all below */
    GHashTable *entries;  /* number -> Entry */
    GQueue order;
    size_t bytes, max_bytes;
};

static void entry_free(gpointer data)
{
    Entry *entry = data;

    shown_text_unref(entry->text);
    g_free(entry);
}

TextCache *text_cache_new(size_t max_bytes)
{
    TextCache *cache = g_new0(TextCache, 1);

    pthread_mutex_init(&cache->lock, NULL);
    cache->entries = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, entry_free);
    g_queue_init(&cache->order);
    cache->max_bytes = max_bytes;
    return cache;
}

void text_cache_free(TextCache *cache)
{
    if (cache == NULL)
        return;
    g_hash_table_unref(cache->entries);
    pthread_mutex_destroy(&cache->lock);
    g_free(cache);
}

ShownText *text_cache_find(TextCache *cache, uint32_t number)
{
    ShownText *text = NULL;
    Entry *entry;

    pthread_mutex_lock(&cache->lock);
    entry = g_hash_table_lookup(cache->entries, GUINT_TO_POINTER(number));
    if (entry != NULL) {
        g_queue_unlink(&cache->order, &entry->link);
        g_queue_push_head_link(&cache->order, &entry->link);
        text = shown_text_ref(entry->text);
    }
    pthread_mutex_unlock(&cache->lock);
    return text;
}

bool text_cache_has(TextCache *cache, uint32_t number)
{
    bool has;

    pthread_mutex_lock(&cache->lock);
    has = g_hash_table_contains(cache->entries, GUINT_TO_POINTER(number));
    pthread_mutex_unlock(&cache->lock);
    return has;
}

/* With the lock held. */
static void remove_entry(TextCache *cache, Entry *entry)
{
    cache->bytes -= text_bytes(entry->text) + ENTRY_BYTES;
    g_queue_unlink(&cache->order, &entry->link);
    g_hash_table_remove(cache->entries, GUINT_TO_POINTER(entry->number));
}

static void add_entry(TextCache *cache, uint32_t number, ShownText *text)
{
    Entry *entry = g_new0(Entry, 1);

    entry->number = number;
    entry->text = shown_text_ref(text);
    entry->link.data = entry;
    g_hash_table_insert(cache->entries, GUINT_TO_POINTER(number), entry);
    g_queue_push_head_link(&cache->order, &entry->link);
    cache->bytes += text_bytes(text) + ENTRY_BYTES;
}

void text_cache_add(TextCache *cache, uint32_t number, ShownText *text)
{
    if (text_bytes(text) + ENTRY_BYTES > cache->max_bytes / LONG_SHARE)
        return;
    pthread_mutex_lock(&cache->lock);
    /* Another one may have been faster. */
    if (!g_hash_table_contains(cache->entries, GUINT_TO_POINTER(number)))
        add_entry(cache, number, text);
    while (cache->bytes > cache->max_bytes)
        remove_entry(cache, cache->order.tail->data);
    pthread_mutex_unlock(&cache->lock);
}

void text_cache_forget(TextCache *cache, uint32_t number)
{
    Entry *entry;

    pthread_mutex_lock(&cache->lock);
    entry = g_hash_table_lookup(cache->entries, GUINT_TO_POINTER(number));
    if (entry != NULL)
        remove_entry(cache, entry);
    pthread_mutex_unlock(&cache->lock);
}

void text_cache_empty(TextCache *cache)
{
    pthread_mutex_lock(&cache->lock);
    while (cache->order.tail != NULL)
        remove_entry(cache, cache->order.tail->data);
    pthread_mutex_unlock(&cache->lock);
}

size_t text_cache_bytes(TextCache *cache)
{
    size_t bytes;

    pthread_mutex_lock(&cache->lock);
    bytes = cache->bytes;
    pthread_mutex_unlock(&cache->lock);
    return bytes;
}
