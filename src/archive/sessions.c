/* sessions.c - who is logged in right now: a list for administrators, nothing rests on it */
#include "internal.h"

typedef struct {
    uint64_t number; /* shown instead of the id, which may be a secret */
    uint32_t user_id;
    char *protocol;
    char *peer_address;
    int64_t since_unix_ms;
    int64_t last_unix_ms;
} Session;

static void session_free(void *data)
{
    Session *session = data;

    g_free(session->protocol);
    g_free(session->peer_address);
    g_free(session);
}

void session_table_init(SessionTable *table)
{
    pthread_mutex_init(&table->lock, NULL);
    table->by_id = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, session_free);
    table->last_number = 0;
}

void session_table_clear(SessionTable *table)
{
    g_hash_table_unref(table->by_id);
    pthread_mutex_destroy(&table->lock);
}

static gboolean is_over(void *key, void *value, void *cookie)
{
    (void) key;
    return *(const int64_t *) cookie - ((Session *) value)->last_unix_ms > MK_LIMIT_SESSION_SEEN_MS;
}

static Session *session_add(SessionTable *table, const char *id, const MkPrincipal *principal,
                            const char *protocol, const char *peer_address, int64_t now_ms)
{
    Session *session;

    if (g_hash_table_size(table->by_id) >= MK_LIMIT_SESSIONS)
        g_hash_table_foreach_remove(table->by_id, is_over, &now_ms);
    if (g_hash_table_size(table->by_id) >= MK_LIMIT_SESSIONS)
        return NULL; /* it is only not listed */
    session = g_new0(Session, 1);
    session->number = ++table->last_number;
    session->user_id = mk_principal_user_id(principal);
    session->protocol = g_strdup(protocol);
    session->peer_address = g_strdup(peer_address);
    session->since_unix_ms = now_ms;
    g_hash_table_insert(table->by_id, g_strdup(id), session);
    return session;
}

void mk_archive_session_touch(MkArchive *archive, const char *id, const MkPrincipal *principal,
                              const char *protocol, const char *peer_address)
{
    SessionTable *table = &archive->sessions;
    int64_t now_ms = mk_clock_unix_ms();
    Session *session;

    pthread_mutex_lock(&table->lock);
    session = g_hash_table_lookup(table->by_id, id);
    if (session == NULL)
        session = session_add(table, id, principal, protocol, peer_address, now_ms);
    if (session != NULL)
        session->last_unix_ms = now_ms;
    pthread_mutex_unlock(&table->lock);
}

void mk_archive_session_end(MkArchive *archive, const char *id)
{
    SessionTable *table = &archive->sessions;

    pthread_mutex_lock(&table->lock);
    g_hash_table_remove(table->by_id, id);
    pthread_mutex_unlock(&table->lock);
}

/* The user's name is filled in later: two locks are never held at once. */
static MkSessionInfo *info_new(const Session *session)
{
    MkSessionInfo *info = g_new0(MkSessionInfo, 1);

    info->id = g_strdup_printf("%" G_GUINT64_FORMAT, session->number);
    info->protocol = g_strdup(session->protocol);
    info->peer_address = g_strdup(session->peer_address);
    info->since_unix_ms = session->since_unix_ms;
    info->last_unix_ms = session->last_unix_ms;
    return info;
}

void mk_session_info_free(MkSessionInfo *info)
{
    if (info == NULL)
        return;
    g_free(info->id);
    g_free(info->user_name);
    g_free(info->protocol);
    g_free(info->peer_address);
    g_free(info);
}

static gint compare_by_since(const void *a, const void *b)
{
    const MkSessionInfo *const *left = a, *const *right = b;

    return ((*left)->since_unix_ms > (*right)->since_unix_ms) -
           ((*left)->since_unix_ms < (*right)->since_unix_ms);
}

GPtrArray *mk_archive_sessions(MkArchive *archive)
{
    SessionTable *table = &archive->sessions;
    GPtrArray *infos = g_ptr_array_new_with_free_func((GDestroyNotify) mk_session_info_free);
    g_autoptr(GArray) users = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    int64_t now_ms = mk_clock_unix_ms();
    GHashTableIter iter;
    void *value;

    pthread_mutex_lock(&table->lock);
    g_hash_table_iter_init(&iter, table->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        if (is_over(NULL, value, &now_ms))
            continue;
        g_ptr_array_add(infos, info_new(value));
        g_array_append_val(users, ((Session *) value)->user_id);
    }
    pthread_mutex_unlock(&table->lock);
    for (guint i = 0; i < infos->len; i++) {
        uint32_t id = g_array_index(users, uint32_t, i);
        g_autoptr(UserRecord) record = user_table_get(&archive->users, id);

        ((MkSessionInfo *) infos->pdata[i])->user_name =
            g_strdup(record == NULL ? "" : record->user.user_name);
    }
    g_ptr_array_sort(infos, compare_by_since);
    return infos;
}
