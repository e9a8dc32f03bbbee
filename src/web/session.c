/*
 * session.c - web sessions: tokens, their end
 *
 * A token is 256 random bits and new at each login, so that one planted before is worth nothing.
 * The table holds its hash only: whoever reads our memory or times the look-up learns no token.
 */
#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>

#include "internal.h"

struct WebSessions {
    GHashTable *by_key; /* MkHash * (in the session) -> WebSession * */
    size_t max;
    uint64_t last_number;
    WebSessionEnd on_end;
    void *cookie;
};

static guint key_hash(const void *key)
{
    guint hash;

    memcpy(&hash, ((const MkHash *) key)->bytes, sizeof hash);
    return hash;
}

static gboolean key_equal(const void *a, const void *b)
{
    return mk_equal_secret(a, b, sizeof(MkHash));
}

static void session_free(void *data)
{
    WebSession *session = data;

    mk_principal_unref(session->principal);
    mk_wipe(session, sizeof *session);
    g_free(session);
}

WebSessions *web_sessions_new(size_t max, WebSessionEnd on_end, void *cookie)
{
    WebSessions *sessions = g_new0(WebSessions, 1);

    sessions->by_key = g_hash_table_new_full(key_hash, key_equal, NULL, session_free);
    sessions->max = max;
    sessions->on_end = on_end;
    sessions->cookie = cookie;
    return sessions;
}

void web_sessions_free(WebSessions *sessions)
{
    if (sessions == NULL)
        return;
    g_hash_table_unref(sessions->by_key);
    g_free(sessions);
}

size_t web_sessions_count(const WebSessions *sessions)
{
    return g_hash_table_size(sessions->by_key);
}

void web_sessions_end(WebSessions *sessions, WebSession *session)
{
    sessions->on_end(session, sessions->cookie);
    g_hash_table_remove(sessions->by_key, &session->key);
}

void web_sessions_expire(WebSessions *sessions, int64_t now_ms)
{
    GHashTableIter iter;
    void *value;

    g_hash_table_iter_init(&iter, sessions->by_key);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        WebSession *session = value;
        if (now_ms - session->last_ms < MK_LIMIT_SESSION_IDLE_MS)
            continue;
        sessions->on_end(session, sessions->cookie);
        g_hash_table_iter_remove(&iter);
    }
}

static gint compare_by_age(const void *a, const void *b)
{
    const WebSession *const *left = a, *const *right = b;

    return ((*left)->since_unix_ms > (*right)->since_unix_ms) -
           ((*left)->since_unix_ms < (*right)->since_unix_ms);
}

GPtrArray *web_sessions_of(WebSessions *sessions, uint32_t user_id)
{
    GPtrArray *list = g_ptr_array_new();
    GHashTableIter iter;
    void *value;

    g_hash_table_iter_init(&iter, sessions->by_key);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (mk_principal_user_id(((WebSession *) value)->principal) == user_id)
            g_ptr_array_add(list, value);
    g_ptr_array_sort(list, compare_by_age);
    return list;
}

/* One user, or a script that never logs out, must not use up everybody's sessions. */
static void make_room_for_user(WebSessions *sessions, uint32_t user_id)
{
    WebSession *oldest = NULL;
    unsigned count = 0;
    GHashTableIter iter;
    void *value;

    g_hash_table_iter_init(&iter, sessions->by_key);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        WebSession *session = value;
        if (mk_principal_user_id(session->principal) != user_id)
            continue;
        count++;
        if (oldest == NULL || session->last_ms < oldest->last_ms)
            oldest = session;
    }
    if (count >= MK_LIMIT_SESSIONS_PER_USER)
        web_sessions_end(sessions, oldest);
}

static void token_key(const char *token, MkHash *out)
{
    mk_hash(NULL, token, strlen(token), out);
}

WebSession *web_sessions_add(WebSessions *sessions, MkPrincipal *principal, int64_t now_ms,
                             char out_token[WEB_TOKEN_CHARS + 1], GError **error)
{
    make_room_for_user(sessions, mk_principal_user_id(principal));
    if (web_sessions_count(sessions) >= sessions->max)
        web_sessions_expire(sessions, now_ms);
    if (web_sessions_count(sessions) >= sessions->max) {
        mk_fail(error, MK_ERROR_BUSY, "Too many sessions are open; try again later.");
        return NULL;
    }
    WebSession *session = g_new0(WebSession, 1);
    mk_id_random_hex(out_token, WEB_TOKEN_CHARS / 2);
    mk_id_random_hex(session->csrf, WEB_CSRF_CHARS / 2);
    token_key(out_token, &session->key);
    g_snprintf(session->id, sizeof session->id, "web-%" G_GUINT64_FORMAT, ++sessions->last_number);
    session->principal = mk_principal_ref(principal);
    session->last_ms = now_ms;
    g_hash_table_insert(sessions->by_key, &session->key, session);
    return session;
}

WebSession *web_sessions_find(WebSessions *sessions, const char *token, int64_t now_ms)
{
    MkHash key;

    if (strlen(token) != WEB_TOKEN_CHARS)
        return NULL;
    token_key(token, &key);
    WebSession *session = g_hash_table_lookup(sessions->by_key, &key);
    if (session == NULL)
        return NULL;
    if (now_ms - session->last_ms >= MK_LIMIT_SESSION_IDLE_MS) {
        web_sessions_end(sessions, session);
        return NULL;
    }
    session->last_ms = now_ms;
    return session;
}
