/*
 * throttle.c - how often a name or an address has failed lately
 *
 * A window begins with the first failure and lasts MK_LIMIT_LOGIN_WINDOW_MS. The oldest windows
 * are forgotten when MK_LIMIT_LOGIN_TRACKED of them are open: a flood of invented names must not
 * eat memory. The caller holds the gate's lock.
 */
#include "internal.h"

typedef struct {
    char *key;
    unsigned failures;
    int64_t since_ms;
    GList link; /* in Throttle.order */
} ThrottleEntry;

static void entry_free(void *data)
{
    ThrottleEntry *entry = data;

    g_free(entry->key);
    g_free(entry);
}

void throttle_init(Throttle *throttle)
{
    throttle->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
    g_queue_init(&throttle->order);
}

void throttle_clear(Throttle *throttle)
{
    g_hash_table_unref(throttle->entries);
}

static void entry_drop(Throttle *throttle, ThrottleEntry *entry)
{
    g_queue_unlink(&throttle->order, &entry->link);
    g_hash_table_remove(throttle->entries, entry->key);
}

static void drop_old(Throttle *throttle, int64_t now_ms)
{
    while (throttle->order.head != NULL) {
        ThrottleEntry *oldest = throttle->order.head->data;

        if (now_ms - oldest->since_ms < MK_LIMIT_LOGIN_WINDOW_MS &&
            throttle->order.length < MK_LIMIT_LOGIN_TRACKED)
            return;
        entry_drop(throttle, oldest);
    }
}

static ThrottleEntry *entry_add(Throttle *throttle, const char *key, int64_t now_ms)
{
    ThrottleEntry *entry = g_new0(ThrottleEntry, 1);

    entry->key = g_strdup(key);
    entry->since_ms = now_ms;
    entry->link.data = entry;
    g_hash_table_insert(throttle->entries, entry->key, entry);
    g_queue_push_tail_link(&throttle->order, &entry->link);
    return entry;
}

bool throttle_try(Throttle *throttle, const char *key, int64_t now_ms)
{
    ThrottleEntry *entry;

    drop_old(throttle, now_ms);
    entry = g_hash_table_lookup(throttle->entries, key);
    if (entry == NULL)
        entry = entry_add(throttle, key, now_ms);
    if (entry->failures >= MK_LIMIT_LOGIN_FAILURES)
        return false;
    entry->failures++;
    return true;
}

void throttle_take_back(Throttle *throttle, const char *key)
{
    ThrottleEntry *entry = g_hash_table_lookup(throttle->entries, key);

    if (entry != NULL && --entry->failures == 0)
        entry_drop(throttle, entry);
}
