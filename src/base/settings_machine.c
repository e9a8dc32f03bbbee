/*
 * settings_machine.c - machine.yaml, the settings that were chosen in the browser
 *
 * The configuration file is the administrator's own and is never written to. What is chosen
 * in the browser stands beside the archive and gives way to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

static char *path_of(const char *data_dir)
{
    return g_build_filename(data_dir, "machine.yaml", NULL);
}

char *mk_settings_machine_hostname(const char *data_dir, GError **error)
{
    g_autofree char *path = path_of(data_dir);
    g_autoptr(GError) cause = NULL;
    g_autofree char *text = NULL;
    g_autofree char *hostname = NULL;
    size_t length;

    text = settings_read_file(path, &length, &cause);
    if (text == NULL) {
        if (mk_error_code(cause) != MK_ERROR_NOT_FOUND)
            g_propagate_error(error, g_steal_pointer(&cause));
        return NULL;
    }
    return settings_parse_machine(text, length, path, &hostname, error) ? g_steal_pointer(&hostname)
                                                                        : NULL;
}

bool settings_apply_machine(MkSettings *settings, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *hostname = mk_settings_machine_hostname(settings->data_dir, &cause);

    if (cause != NULL) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return false;
    }
    if (hostname != NULL && !settings->hostname_given) {
        g_free(settings->hostname);
        settings->hostname = g_steal_pointer(&hostname);
    }
    return true;
}

static bool sync_dir(const char *dir, GError **error)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);
    int errnum = errno;

    if (fd >= 0)
        close(fd);
    return rc == 0 || mk_fail_errno(error, errnum, "write the directory %s", dir);
}

bool mk_settings_keep_hostname(const char *data_dir, const char *hostname, GError **error)
{
    g_autofree char *path = path_of(data_dir);
    g_autoptr(GError) cause = NULL;
    g_autofree char *text = NULL;

    if (!mk_settings_is_host_name(hostname))
        return mk_fail(error, MK_ERROR_INVALID,
                       "this is no host name, such as archive.example.com");
    text = g_strdup_printf("# Chosen in the browser. The configuration file's hostname counts "
                           "before this one.\nhostname: \"%s\"\n",
                           hostname);
    if (!g_file_set_contents_full(path, text, -1,
                                  G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                  0600, &cause))
        return mk_fail(error, MK_ERROR_IO, "write %s: %s", path, cause->message);
    return sync_dir(data_dir, error);
}
