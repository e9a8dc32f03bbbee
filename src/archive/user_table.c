/*
 * user_table.c - all users in memory: by id, by name, by e-mail address
 *
 * A record is never changed while it is in the table, so copies and look-ups need the read lock
 * only, and writers hold the write lock just for exchanging pointers.
 */
#include "internal.h"

void user_table_init(UserTable *table)
{
    pthread_rwlock_init(&table->lock, NULL);
    table->by_id = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify) user_record_free);
    table->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    table->by_address =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
}

void user_table_clear(UserTable *table)
{
    g_hash_table_unref(table->by_name);
    g_hash_table_unref(table->by_address);
    g_hash_table_unref(table->by_id);
    pthread_rwlock_destroy(&table->lock);
}

static void addresses_add(UserTable *table, UserRecord *record)
{
    for (char **address = record->user.email_addresses; *address != NULL; address++) {
        char *folded = mk_address_fold(*address);
        GPtrArray *users = g_hash_table_lookup(table->by_address, folded);

        if (users == NULL) {
            users = g_ptr_array_new();
            g_hash_table_insert(table->by_address, g_strdup(folded), users);
        }
        if (!g_ptr_array_find(users, record, NULL))
            g_ptr_array_add(users, record);
        g_free(folded);
    }
}

static void addresses_remove(UserTable *table, UserRecord *record)
{
    for (char **address = record->user.email_addresses; *address != NULL; address++) {
        g_autofree char *folded = mk_address_fold(*address);
        GPtrArray *users = g_hash_table_lookup(table->by_address, folded);

        if (users != NULL && g_ptr_array_remove_fast(users, record) && users->len == 0)
            g_hash_table_remove(table->by_address, folded);
    }
}

static void remove_locked(UserTable *table, uint32_t id)
{
    UserRecord *record = g_hash_table_lookup(table->by_id, GUINT_TO_POINTER(id));

    if (record == NULL)
        return;
    addresses_remove(table, record);
    g_hash_table_remove(table->by_name, record->folded_name);
    g_hash_table_remove(table->by_id, GUINT_TO_POINTER(id));
}

void user_table_put(UserTable *table, UserRecord *record)
{
    pthread_rwlock_wrlock(&table->lock);
    remove_locked(table, record->user.id);
    g_hash_table_insert(table->by_id, GUINT_TO_POINTER(record->user.id), record);
    g_hash_table_insert(table->by_name, record->folded_name, record);
    addresses_add(table, record);
    pthread_rwlock_unlock(&table->lock);
}

void user_table_remove(UserTable *table, uint32_t id)
{
    pthread_rwlock_wrlock(&table->lock);
    remove_locked(table, id);
    pthread_rwlock_unlock(&table->lock);
}

static UserRecord *copy_or_null(const UserRecord *record)
{
    return record == NULL ? NULL : user_record_copy(record);
}

UserRecord *user_table_find(UserTable *table, const char *user_name)
{
    g_autofree char *folded = user_name_fold(user_name);
    UserRecord *copy;

    pthread_rwlock_rdlock(&table->lock);
    copy = copy_or_null(g_hash_table_lookup(table->by_name, folded));
    pthread_rwlock_unlock(&table->lock);
    return copy;
}

UserRecord *user_table_get(UserTable *table, uint32_t id)
{
    UserRecord *copy;

    pthread_rwlock_rdlock(&table->lock);
    copy = copy_or_null(g_hash_table_lookup(table->by_id, GUINT_TO_POINTER(id)));
    pthread_rwlock_unlock(&table->lock);
    return copy;
}

bool user_table_archive_is_taken(UserTable *table, const char *archive)
{
    g_autofree char *folded = user_name_fold(archive);
    GHashTableIter iter;
    void *value;
    bool taken = false;

    pthread_rwlock_rdlock(&table->lock);
    g_hash_table_iter_init(&iter, table->by_id);
    while (!taken && g_hash_table_iter_next(&iter, NULL, &value)) {
        g_autofree char *other = user_name_fold(((UserRecord *) value)->user.archive);

        taken = g_str_equal(other, folded);
    }
    pthread_rwlock_unlock(&table->lock);
    return taken;
}

bool user_table_admin_remains(UserTable *table, uint32_t without)
{
    GHashTableIter iter;
    void *value;
    bool remains = false;

    pthread_rwlock_rdlock(&table->lock);
    g_hash_table_iter_init(&iter, table->by_id);
    while (!remains && g_hash_table_iter_next(&iter, NULL, &value)) {
        const UserRecord *record = value;

        remains = record->user.id != without && user_record_is_admin(record) &&
                  record->password_hash != NULL &&
                  record->user.authentication == MK_AUTHENTICATION_INTEGRATED;
    }
    pthread_rwlock_unlock(&table->lock);
    return remains;
}

void user_table_add_owners(UserTable *table, const char *folded_address, const char *folder,
                           GHashTable *paths)
{
    const GPtrArray *users;

    pthread_rwlock_rdlock(&table->lock);
    users = g_hash_table_lookup(table->by_address, folded_address);
    for (guint i = 0; users != NULL && i < users->len; i++) {
        const UserRecord *record = users->pdata[i];

        g_hash_table_add(paths, g_strconcat(record->user.archive, "/", folder, NULL));
    }
    pthread_rwlock_unlock(&table->lock);
}

/* -- what the other rooms see --------------------------------------------------------------- */
static gint compare_by_name(const void *a, const void *b)
{
    const MkUser *const *left = a, *const *right = b;

    return g_utf8_collate((*left)->user_name, (*right)->user_name);
}

GPtrArray *mk_archive_users(MkArchive *archive)
{
    GPtrArray *users = g_ptr_array_new_with_free_func((GDestroyNotify) mk_user_free);
    UserTable *table = &archive->users;
    GHashTableIter iter;
    void *value;

    pthread_rwlock_rdlock(&table->lock);
    g_hash_table_iter_init(&iter, table->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        g_ptr_array_add(users, user_copy(&((UserRecord *) value)->user));
    pthread_rwlock_unlock(&table->lock);
    g_ptr_array_sort(users, compare_by_name);
    return users;
}

MkUser *mk_archive_user_get(MkArchive *archive, const char *user_name, GError **error)
{
    g_autoptr(UserRecord) record = user_table_find(&archive->users, user_name);

    if (record == NULL) {
        mk_fail(error, MK_ERROR_NOT_FOUND, "there is no such user");
        return NULL;
    }
    return user_copy(&record->user);
}
