/*
 * create.c - a new installation, there wholly or not at all
 *
 *   mk_archive_prepare():   <data_dir>/new/{keys,master,stores}
 *   mk_archive_establish(): new --rename, fsync--> made --each of its directories--> <data_dir>
 *
 * The one rename decides. Before it, mk_archive_settle() throws `new` away; after it, it moves
 * what is still in `made`. Only what lies in `new` is ever removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "internal.h"

static const char new_dir[] = "new";
static const char made_dir[] = "made";

/* keys last: with them the archive counts as initialised. */
static const char *const parts[] = { "stores", "master", "keys" };

static char *below(const char *data_dir, const char *name)
{
    return g_build_filename(data_dir, name, NULL);
}

static bool exists_below(const char *data_dir, const char *name)
{
    g_autofree char *path = below(data_dir, name);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

bool mk_archive_is_initialised(const char *data_dir)
{
    return exists_below(data_dir, "keys/master.key") && exists_below(data_dir, "master");
}

bool mk_archive_is_absent(const char *data_dir)
{
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        if (exists_below(data_dir, parts[i]))
            return false;
    return true;
}

static bool must_be_absent(const char *data_dir, GError **error)
{
    return mk_archive_is_absent(data_dir) ||
           mk_fail(error, MK_ERROR_EXISTS,
                   "%s holds an installation, or the rest of an unfinished one: take another "
                   "directory or empty this one",
                   data_dir);
}

int mk_archive_lock(const char *data_dir, GError **error)
{
    g_autofree char *path = below(data_dir, "lock");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0) {
        mk_fail_errno(error, errno, "open %s", path);
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        mk_fail(error, MK_ERROR_BUSY, "another mailkeepd works on %s", data_dir);
        return -1;
    }
    return fd;
}

/* -- directories ----------------------------------------------------------------------------- */
static bool make_dir(const char *path, GError **error)
{
    return g_mkdir_with_parents(path, 0700) == 0 ||
           mk_fail_errno(error, errno, "make the directory %s", path);
}

/* All that was written below it, names included. */
static bool sync_below(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : syncfs(fd);
    int errnum = errno;

    if (fd >= 0)
        close(fd);
    return rc == 0 || mk_fail_errno(error, errnum, "write the directory %s", path);
}

static bool move(const char *from, const char *to, GError **error)
{
    return rename(from, to) == 0 || mk_fail_errno(error, errno, "move %s to %s", from, to);
}

static bool remove_one(const char *path, GError **error)
{
    return g_remove(path) == 0 || errno == ENOENT || mk_fail_errno(error, errno, "remove %s", path);
}

/* Links are removed, never followed. */
static bool remove_tree(const char *path, GError **error)
{
    g_autoptr(GDir) dir = NULL;
    const char *name;

    if (!g_file_test(path, G_FILE_TEST_IS_SYMLINK) && g_file_test(path, G_FILE_TEST_IS_DIR))
        dir = g_dir_open(path, 0, NULL);
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *inner = below(path, name);

        if (!remove_tree(inner, error))
            return false;
    }
    return remove_one(path, error);
}

static bool discard_new(const char *data_dir, GError **error)
{
    g_autofree char *path = below(data_dir, new_dir);

    return remove_tree(path, error);
}

/* -- in place ----------------------------------------------------------------------------------- */
static bool move_made(const char *data_dir, GError **error)
{
    g_autofree char *made = below(data_dir, made_dir);

    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *from = below(made, parts[i]);
        g_autofree char *to = below(data_dir, parts[i]);

        if (g_file_test(from, G_FILE_TEST_EXISTS) && !move(from, to, error))
            return false;
    }
    if (rmdir(made) != 0)
        return mk_fail_errno(error, errno, "remove %s", made);
    return sync_below(data_dir, error);
}

bool mk_archive_settle(const char *data_dir, GError **error)
{
    return discard_new(data_dir, error) &&
           (!exists_below(data_dir, made_dir) || move_made(data_dir, error));
}

bool mk_archive_establish(const char *data_dir, GError **error)
{
    g_autofree char *from = below(data_dir, new_dir);
    g_autofree char *to = below(data_dir, made_dir);

    return must_be_absent(data_dir, error) && sync_below(from, error) && move(from, to, error) &&
           sync_below(data_dir, error) && move_made(data_dir, error);
}

/* -- what is in it --------------------------------------------------------------------------------- */
/* The built-in administrator sees its own archive, as every user made in the console does. */
static bool make_admin(MkArchive *archive, const char *password, GError **error)
{
    return mk_archive_user_create(archive, MK_USER_ADMIN, MK_PRIVILEGE_ADMIN, error) &&
           mk_archive_user_set_rights(archive, MK_USER_ADMIN, MK_USER_ADMIN,
                                      MK_RIGHT_READ | MK_RIGHT_WRITE, error) &&
           mk_archive_user_set_password(archive, MK_USER_ADMIN, password, error);
}

static bool fill(const char *dir, const char *admin_password, uint64_t map_size_bytes,
                 char **out_recovery, GError **error)
{
    g_autofree char *keys_dir = below(dir, "keys");
    g_autoptr(MkArchive) archive = NULL;

    if (!make_dir(keys_dir, error))
        return false;
    archive = archive_new(NULL, dir);
    archive->keyring = mk_keyring_create(keys_dir, out_recovery, error);
    return archive->keyring != NULL && archive_open_parts(archive, map_size_bytes, error) &&
           make_admin(archive, admin_password, error);
}

bool mk_archive_prepare(const char *data_dir, const char *admin_password, uint64_t map_size_bytes,
                        char **out_recovery, GError **error)
{
    g_autofree char *dir = below(data_dir, new_dir);
    char *recovery = NULL;

    if (!mk_password_policy_check(MK_USER_ADMIN, admin_password, error) ||
        !must_be_absent(data_dir, error) || !make_dir(data_dir, error) ||
        !discard_new(data_dir, error))
        return false;
    if (!fill(dir, admin_password, map_size_bytes, &recovery, error)) {
        mk_free_secret(recovery);
        return false;
    }
    *out_recovery = recovery;
    return true;
}

bool mk_archive_init(const char *data_dir, const char *admin_password, uint64_t map_size_bytes,
                     char **out_recovery, GError **error)
{
    char *recovery = NULL;

    if (!mk_archive_prepare(data_dir, admin_password, map_size_bytes, &recovery, error))
        return false;
    if (!mk_archive_establish(data_dir, error)) {
        mk_free_secret(recovery);
        return false;
    }
    *out_recovery = recovery;
    return true;
}
