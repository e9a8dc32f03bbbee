/*
 * rescue.c - the way back in for an administrator, on the machine itself
 *
 * Only the master database is opened: no store, no index, no lane. Who may run programs on the
 * machine is not for that an administrator of the archive: the recovery key is asked for (SC-09).
 */
#include "internal.h"

static bool open_accounts(MkArchive *archive, const char *recovery, uint64_t map_size_bytes,
                          GError **error)
{
    g_autofree char *keys_dir = g_build_filename(archive->data_dir, "keys", NULL);

    archive->keyring = mk_keyring_open_by_recovery(keys_dir, recovery, error);
    if (archive->keyring == NULL)
        return false;
    archive->master = master_open(archive->data_dir, archive->keyring, map_size_bytes, error);
    return archive->master != NULL && master_load_users(archive->master, &archive->users, error) &&
           app_table_load(archive, error);
}

static bool must_be_admin(MkArchive *archive, const char *user_name, GError **error)
{
    g_autoptr(UserRecord) record = user_table_find(&archive->users, user_name);

    if (record == NULL)
        return mk_fail(error, MK_ERROR_NOT_FOUND, "there is no user %s", user_name);
    return (record->user.privileges & MK_PRIVILEGE_ADMIN) != 0 ||
           mk_fail(error, MK_ERROR_DENIED,
                   "%s is no administrator: an administrator can set the password in the console",
                   user_name);
}

bool mk_archive_reset_administrator(const char *data_dir, const char *recovery,
                                    const char *user_name, const char *password,
                                    uint64_t map_size_bytes, GError **error)
{
    g_autoptr(MkArchive) archive = archive_new(NULL, data_dir);

    /* The password first: it may be refused, and then nothing has changed. */
    return open_accounts(archive, recovery, map_size_bytes, error) &&
           must_be_admin(archive, user_name, error) &&
           mk_archive_user_set_password(archive, user_name, password, error) &&
           mk_archive_two_factor_reset(archive, user_name, error);
}
