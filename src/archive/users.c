/*
 * users.c - users made, changed and deleted
 *
 * Each change: take master_lock, copy the record, change and check the copy, write its row
 * durably, then put it in the place of the old one in memory.
 */
#include <string.h>

#include "internal.h"

bool user_store_record(MkArchive *archive, UserRecord *record, GError **error)
{
    g_autoptr(GByteArray) row = g_byte_array_new();
    bool ok;

    user_record_format(record, row);
    ok = master_put(archive, MASTER_USERS, record->user.id, row, error);
    mk_wipe(row->data, row->len);
    if (!ok) {
        user_record_free(record);
        return false;
    }
    user_table_put(&archive->users, record);
    return true;
}

static UserRecord *record_get(MkArchive *archive, const char *user_name, GError **error)
{
    UserRecord *record = user_table_find(&archive->users, user_name);

    if (record == NULL)
        mk_fail(error, MK_ERROR_NOT_FOUND, "there is no such user");
    return record;
}

/* -- create, delete, rename ---------------------------------------------------------------------- */
static bool name_is_free(MkArchive *archive, const char *user_name, GError **error)
{
    g_autoptr(UserRecord) other = user_table_find(&archive->users, user_name);

    if (other != NULL)
        return mk_fail(error, MK_ERROR_EXISTS, "there is a user of this name already");
    return true;
}

static bool create_locked(MkArchive *archive, const char *user_name, uint32_t privileges,
                          GError **error)
{
    UserRecord *record;
    uint32_t id, folder_id;

    if (!name_is_free(archive, user_name, error))
        return false;
    /* A renamed user keeps the archive: a new user of the old name must not come to see it. */
    if (user_table_archive_is_taken(&archive->users, user_name))
        return mk_fail(error, MK_ERROR_EXISTS,
                       "the archive of this name belongs to a user who has been renamed");
    /* The archive first: one without its user is harmless, a user without archive is not. */
    if (!mk_store_folder_make(store_current(archive)->store, user_name, &folder_id, error) ||
        !master_next_id(archive, MASTER_USERS, &id, error))
        return false;
    record = user_record_new(id, user_name);
    record->user.privileges = privileges;
    return user_store_record(archive, record, error);
}

bool mk_archive_user_create(MkArchive *archive, const char *user_name, uint32_t privileges,
                            GError **error)
{
    bool ok;

    if (!user_name_check(user_name, error))
        return false;
    pthread_mutex_lock(&archive->master_lock);
    ok = create_locked(archive, user_name, privileges, error);
    pthread_mutex_unlock(&archive->master_lock);
    return ok;
}

static bool delete_locked(MkArchive *archive, const char *user_name, GError **error)
{
    g_autoptr(UserRecord) record = record_get(archive, user_name, error);

    if (record == NULL)
        return false;
    if (user_record_is_admin(record) && !user_table_admin_remains(&archive->users, record->user.id))
        return mk_fail(error, MK_ERROR_DENIED,
                       "the last administrator who can log in cannot be deleted");
    if (!saved_searches_delete_all(archive, record->user.id, error) ||
        !app_passwords_delete_all(archive, record->user.id, error) ||
        !two_factor_delete(archive, record->user.id, error) ||
        !master_put(archive, MASTER_USERS, record->user.id, NULL, error))
        return false;
    user_table_remove(&archive->users, record->user.id);
    return true;
}

bool mk_archive_user_delete(MkArchive *archive, const char *user_name, GError **error)
{
    bool ok;

    pthread_mutex_lock(&archive->master_lock);
    ok = delete_locked(archive, user_name, error);
    pthread_mutex_unlock(&archive->master_lock);
    return ok;
}

static bool rename_locked(MkArchive *archive, const char *user_name, const char *new_name,
                          GError **error)
{
    g_autoptr(UserRecord) record = record_get(archive, user_name, error);
    g_autoptr(UserRecord) other = user_table_find(&archive->users, new_name);

    if (record == NULL)
        return false;
    if (other != NULL && other->user.id != record->user.id) /* only the case may change */
        return mk_fail(error, MK_ERROR_EXISTS, "there is a user of the new name already");
    user_record_set_name(record, new_name);
    return user_store_record(archive, g_steal_pointer(&record), error);
}

bool mk_archive_user_rename(MkArchive *archive, const char *user_name, const char *new_name,
                            GError **error)
{
    bool ok;

    if (!user_name_check(new_name, error))
        return false;
    pthread_mutex_lock(&archive->master_lock);
    ok = rename_locked(archive, user_name, new_name, error);
    pthread_mutex_unlock(&archive->master_lock);
    return ok;
}

/* -- properties ---------------------------------------------------------------------------------- */
bool property_check(const char *text, const char *what, GError **error)
{
    if (strlen(text) > MK_LIMIT_PROPERTY_BYTES)
        return mk_fail(error, MK_ERROR_LIMIT, "%s is longer than %d octets", what,
                       MK_LIMIT_PROPERTY_BYTES);
    if (!g_utf8_validate(text, -1, NULL))
        return mk_fail(error, MK_ERROR_INVALID, "%s is not valid UTF-8", what);
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p))
        if (g_unichar_iscntrl(g_utf8_get_char(p)))
            return mk_fail(error, MK_ERROR_INVALID, "%s holds a control character", what);
    return true;
}

static bool address_is_one(const char *address)
{
    const char *at = strchr(address, '@');
    g_autofree char *folded = mk_address_fold(address);

    return at != NULL && at != address && at[1] != '\0' && strrchr(address, '@') == at &&
           folded[0] != '\0' && strpbrk(address, " \t,;<>") == NULL;
}

static bool list_check(const char *const *list, const char *what, bool addresses, GError **error)
{
    unsigned count = 0;

    for (; *list != NULL; list++, count++) {
        if (count == MK_LIMIT_USER_ADDRESSES)
            return mk_fail(error, MK_ERROR_LIMIT, "a user has at most %d of %s",
                           MK_LIMIT_USER_ADDRESSES, what);
        if (!property_check(*list, what, error))
            return false;
        if (addresses && !address_is_one(*list))
            return mk_fail(error, MK_ERROR_INVALID,
                           "e-mail address number %u is not of the form name@domain", count + 1);
    }
    return true;
}

static bool change_check(const MkUserChange *change, GError **error)
{
    return (change->full_name == NULL ||
            property_check(change->full_name, "the full name", error)) &&
           (change->distinguished_name == NULL ||
            property_check(change->distinguished_name, "the distinguished name", error)) &&
           (change->email_addresses == NULL ||
            list_check(change->email_addresses, "the e-mail addresses", true, error)) &&
           (change->pop3_user_names == NULL ||
            list_check(change->pop3_user_names, "the POP3 user names", false, error));
}

/* What is listed twice is kept once, in the order given. */
static char **list_copy(const char *const *list)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    GPtrArray *copy = g_ptr_array_new();

    for (; *list != NULL; list++)
        if (g_hash_table_add(seen, (void *) *list))
            g_ptr_array_add(copy, g_strdup(*list));
    g_ptr_array_add(copy, NULL);
    return (char **) g_ptr_array_free(copy, FALSE);
}

static void change_text(char **text, const char *by)
{
    if (by == NULL)
        return;
    g_free(*text);
    *text = g_strdup(by);
}

static void change_list(char ***list, const char *const *by)
{
    if (by == NULL)
        return;
    g_strfreev(*list);
    *list = list_copy(by);
}

static bool change_locked(MkArchive *archive, const char *user_name, const MkUserChange *change,
                          GError **error)
{
    g_autoptr(UserRecord) record = record_get(archive, user_name, error);
    bool was_admin;

    if (record == NULL)
        return false;
    was_admin = user_record_is_admin(record);
    change_text(&record->user.full_name, change->full_name);
    change_text(&record->user.distinguished_name, change->distinguished_name);
    change_list(&record->user.email_addresses, change->email_addresses);
    change_list(&record->user.pop3_user_names, change->pop3_user_names);
    if (change->authentication != NULL)
        record->user.authentication = *change->authentication;
    if (change->privileges != NULL)
        record->user.privileges = *change->privileges;
    if (was_admin && !user_table_admin_remains(&archive->users, record->user.id) &&
        (!user_record_is_admin(record) ||
         record->user.authentication != MK_AUTHENTICATION_INTEGRATED))
        return mk_fail(error, MK_ERROR_DENIED,
                       "the last administrator who can log in must stay one");
    return user_store_record(archive, g_steal_pointer(&record), error);
}

bool mk_archive_user_change(MkArchive *archive, const char *user_name, const MkUserChange *change,
                            GError **error)
{
    bool ok;

    if (!change_check(change, error))
        return false;
    pthread_mutex_lock(&archive->master_lock);
    ok = change_locked(archive, user_name, change, error);
    pthread_mutex_unlock(&archive->master_lock);
    return ok;
}

/* -- password ------------------------------------------------------------------------------------ */
static bool set_hash_locked(MkArchive *archive, uint32_t id, char *hash, bool end_apps,
                            GError **error)
{
    g_autoptr(UserRecord) record = user_table_get(&archive->users, id);

    if (record == NULL) {
        mk_free_secret(hash);
        return mk_fail(error, MK_ERROR_NOT_FOUND, "there is no such user");
    }
    user_record_set_hash(record, hash);
    return (!end_apps || app_passwords_delete_all(archive, id, error)) &&
           user_store_record(archive, g_steal_pointer(&record), error);
}

bool user_set_password(MkArchive *archive, const UserRecord *record, const char *password,
                       bool end_apps, GError **error)
{
    char *hash;
    bool ok;

    if (!mk_password_policy_check(record->user.user_name, password, error))
        return false;
    hash = login_gate_hash(&archive->gate, password, error); /* slow: not under master_lock */
    if (hash == NULL)
        return false;
    pthread_mutex_lock(&archive->master_lock);
    ok = set_hash_locked(archive, record->user.id, hash, end_apps, error);
    pthread_mutex_unlock(&archive->master_lock);
    return ok;
}

/* Whoever sets it takes the account in hand: what the user's programs know ends too. */
bool mk_archive_user_set_password(MkArchive *archive, const char *user_name, const char *password,
                                  GError **error)
{
    g_autoptr(UserRecord) record = record_get(archive, user_name, error);

    return record != NULL && user_set_password(archive, record, password, true, error);
}

/* -- folder rights ------------------------------------------------------------------------------- */
static bool rights_put(GPtrArray *list, const char *folder, uint32_t rights, GError **error)
{
    MkFolderRights *entry;

    for (guint i = 0; i < list->len; i++) {
        entry = list->pdata[i];
        if (!g_str_equal(entry->folder, folder))
            continue;
        entry->rights = rights;
        if (rights == 0)
            g_ptr_array_remove_index(list, i);
        return true;
    }
    if (rights == 0)
        return true;
    if (list->len == MK_LIMIT_USER_RIGHTS)
        return mk_fail(error, MK_ERROR_LIMIT, "a user has rights on at most %d folders",
                       MK_LIMIT_USER_RIGHTS);
    entry = g_new0(MkFolderRights, 1);
    entry->folder = g_strdup(folder);
    entry->rights = rights;
    g_ptr_array_add(list, entry);
    return true;
}

/* The archive for what nobody owns is there for the administrator before its first mail. */
static bool may_be_granted(MkArchive *archive, const char *folder)
{
    return folder_exists(archive, folder) || g_str_equal(folder, MK_ARCHIVE_CATCHALL) ||
           g_str_equal(folder, MK_FOLDER_CATCHALL);
}

static bool set_rights_locked(MkArchive *archive, const char *user_name, const char *folder,
                              uint32_t rights, GError **error)
{
    g_autoptr(UserRecord) record = record_get(archive, user_name, error);

    if (record == NULL)
        return false;
    if (!may_be_granted(archive, folder)) /* also with rights 0, so that a typing error is seen */
        return mk_fail(error, MK_ERROR_NOT_FOUND, "there is no such archive or folder");
    if (!rights_put(record->user.folder_rights, folder, rights, error))
        return false;
    return user_store_record(archive, g_steal_pointer(&record), error);
}

bool mk_archive_user_set_rights(MkArchive *archive, const char *user_name, const char *folder,
                                uint32_t rights, GError **error)
{
    bool ok;

    pthread_mutex_lock(&archive->master_lock);
    ok = set_rights_locked(archive, user_name, folder, rights, error);
    pthread_mutex_unlock(&archive->master_lock);
    return ok;
}

static bool clear_rights_locked(MkArchive *archive, const char *user_name, GError **error)
{
    g_autoptr(UserRecord) record = record_get(archive, user_name, error);

    if (record == NULL)
        return false;
    g_ptr_array_set_size(record->user.folder_rights, 0);
    return user_store_record(archive, g_steal_pointer(&record), error);
}

bool mk_archive_user_clear_rights(MkArchive *archive, const char *user_name, GError **error)
{
    bool ok;

    pthread_mutex_lock(&archive->master_lock);
    ok = clear_rights_locked(archive, user_name, error);
    pthread_mutex_unlock(&archive->master_lock);
    return ok;
}
