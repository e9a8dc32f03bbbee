/*
 * login_cache.c - right answers of the last minutes
 *
 * The key is a hash, keyed with a secret of this process, over user, password version, client
 * address and password: it hits only for what has been right already, and a new password or
 * another client address never hits. The caller holds the gate's lock.
 */
#include <string.h>

#include "internal.h"

static guint hash_of(const void *data)
{
    guint value;

    memcpy(&value, ((const MkHash *) data)->bytes, sizeof value);
    return value;
}

static gboolean hash_equal(const void *a, const void *b)
{
    return mk_equal_secret(a, b, sizeof(MkHash));
}

void login_cache_init(LoginCache *cache)
{
    cache->key = mk_key_new_random();
    cache->entries = g_hash_table_new_full(hash_of, hash_equal, g_free, g_free);
}

void login_cache_clear(LoginCache *cache)
{
    g_hash_table_unref(cache->entries);
    mk_key_free(cache->key);
}

MkHash login_cache_key(const LoginCache *cache, const UserRecord *record, const char *peer,
                       const char *password)
{
    uint32_t numbers[2] = { record->user.id, record->password_version };
    MkHashState state;
    MkHash key;

    mk_hash_start(&state, cache->key);
    mk_hash_add(&state, numbers, sizeof numbers);
    mk_hash_add(&state, peer, strlen(peer) + 1); /* with NUL, so that the border is sure */
    mk_hash_add(&state, password, strlen(password));
    mk_hash_end(&state, &key);
    return key;
}

bool login_cache_has(LoginCache *cache, const MkHash *key, int64_t now_ms)
{
    const int64_t *until_ms = g_hash_table_lookup(cache->entries, key);

    return until_ms != NULL && now_ms < *until_ms;
}

static gboolean is_over(void *key, void *value, void *cookie)
{
    (void) key;
    return *(const int64_t *) value <= *(const int64_t *) cookie;
}

void login_cache_add(LoginCache *cache, const MkHash *key, int64_t now_ms)
{
    int64_t *until_ms;

    if (g_hash_table_size(cache->entries) >= MK_LIMIT_LOGIN_CACHE)
        g_hash_table_foreach_remove(cache->entries, is_over, &now_ms);
    if (g_hash_table_size(cache->entries) >= MK_LIMIT_LOGIN_CACHE)
        return; /* the others pay for their Argon2id */
    until_ms = g_new(int64_t, 1);
    *until_ms = now_ms + MK_LIMIT_LOGIN_CACHE_MS;
    g_hash_table_insert(cache->entries, g_memdup2(key, sizeof *key), until_ms);
}
