/*
 * init.c - `mailkeep init`, `recover` and `reset-administrator`: the data directory, on the
 * machine itself
 *
 * init prints the recovery key once: it is kept nowhere. recover takes it where machine.key is lost
 * or of another machine, and writes a new one. reset-administrator lets in again who has lost the
 * administrator's password, or phone and recovery codes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailkeep/archive.h>
#include <mailkeep/crypto.h>
#include <mailkeep/limits.h>
#include <mailkeep/settings.h>

#include "internal.h"

typedef struct {
    const char *config;
    const char *password_file;
    const char *user; /* NULL: `admin` */
} InitOptions;

static bool init_options(int argc, char **argv, InitOptions *out)
{
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            out->config = argv[++i];
        else if (strcmp(argv[i], "--admin-password-file") == 0 && i + 1 < argc)
            out->password_file = argv[++i];
        else if (strcmp(argv[i], "--user") == 0 && i + 1 < argc)
            out->user = argv[++i];
        else
            return false;
    }
    return true;
}

static char *password_from_file(const char *path, GError **error)
{
    char *text = NULL;
    gsize length;

    if (!g_file_get_contents(path, &text, &length, error))
        return NULL;
    text[strcspn(text, "\r\n")] = '\0';
    if (length <= MK_LIMIT_PASSWORD_BYTES + 2)
        return text;
    mk_free_secret(text);
    mk_fail(error, MK_ERROR_LIMIT, "the password in %s is too long", path);
    return NULL;
}

static char *password_get(const InitOptions *options, GError **error)
{
    g_autofree char *question = NULL;
    char *first;
    char *second;

    if (options->password_file != NULL)
        return password_from_file(options->password_file, error);
    question = g_strdup_printf("Password of the administrator `%s`: ",
                               options->user == NULL ? MK_USER_ADMIN : options->user);
    first = password_ask(question);
    second = isatty(STDIN_FILENO) ? password_ask("Once more: ") : g_strdup(first);
    if (first == NULL || g_strcmp0(first, second) != 0) {
        mk_fail(error, MK_ERROR_INVALID, "no password, or not the same one twice");
        mk_free_secret(g_steal_pointer(&first));
    }
    mk_free_secret(second);
    return first;
}

/* A daemon that waits for its first start may be at work on it. */
static int data_dir_take(const char *data_dir, GError **error)
{
    int lock;

    if (g_mkdir_with_parents(data_dir, 0700) != 0) {
        mk_fail_errno(error, errno, "make the directory %s", data_dir);
        return -1;
    }
    lock = mk_archive_lock(data_dir, error);
    if (lock >= 0 && !mk_archive_settle(data_dir, error)) {
        close(lock);
        return -1;
    }
    return lock;
}

static bool init(const InitOptions *options, GError **error)
{
    g_autoptr(MkSettings) settings = mk_settings_load(options->config, geteuid() == 0, error);
    char *password;
    char *recovery = NULL;
    int lock;
    bool ok;

    if (settings == NULL || !mk_crypto_init(error))
        return false;
    password = password_get(options, error);
    if (password == NULL)
        return false;
    lock = data_dir_take(settings->data_dir, error);
    ok = lock >= 0 &&
         mk_archive_init(settings->data_dir, password, settings->map_size_bytes, &recovery, error);
    mk_free_secret(password);
    if (lock >= 0)
        close(lock);
    if (!ok)
        return false;
    printf("A new archive is in %s.\n\n"
           "Recovery key (shown this once; it opens the archive when keys/machine.key is lost):\n\n"
           "    %s\n\n"
           "Print it or write it down, and keep it apart from the machine.\n",
           settings->data_dir, recovery);
    mk_free_secret(recovery);
    return true;
}

int init_run(int argc, char **argv)
{
    InitOptions options = { 0 };
    g_autoptr(GError) error = NULL;

    if (!init_options(argc, argv, &options) || options.user != NULL) {
        fputs(shell_usage, stderr);
        return EXIT_USAGE;
    }
    umask(0077);
    if (init(&options, &error))
        return EXIT_SUCCESS;
    fprintf(stderr, "mailkeep: %s\n", error->message);
    return EXIT_COMMAND;
}

/* -- recovering ------------------------------------------------------------------------------ */
static bool recover(const char *config, GError **error)
{
    g_autoptr(MkSettings) settings = mk_settings_load(config, geteuid() == 0, error);
    g_autofree char *keys_dir = NULL;
    MkKeyring *keyring;
    char *recovery;

    if (settings == NULL || !mk_crypto_init(error))
        return false;
    if (!mk_archive_is_initialised(settings->data_dir))
        return mk_fail(error, MK_ERROR_NOT_FOUND, "%s holds no archive", settings->data_dir);
    recovery = password_ask("Recovery key: ");
    if (recovery == NULL)
        return mk_fail(error, MK_ERROR_INVALID, "no recovery key");
    keys_dir = g_build_filename(settings->data_dir, "keys", NULL);
    keyring = mk_keyring_recover(keys_dir, recovery, error);
    mk_free_secret(recovery);
    if (keyring == NULL)
        return false;
    mk_keyring_free(keyring);
    printf("A new machine.key is in %s.\n", keys_dir);
    return true;
}

int recover_run(int argc, char **argv)
{
    InitOptions options = { 0 };
    g_autoptr(GError) error = NULL;

    if (!init_options(argc, argv, &options) || options.password_file != NULL ||
        options.user != NULL) {
        fputs(shell_usage, stderr);
        return EXIT_USAGE;
    }
    umask(0077);
    if (recover(options.config, &error))
        return EXIT_SUCCESS;
    fprintf(stderr, "mailkeep: %s\n", error->message);
    return EXIT_COMMAND;
}

/* -- an administrator who cannot sign in -------------------------------------------------------- */
static bool reset_with(const MkSettings *settings, const InitOptions *options, GError **error)
{
    char *recovery = password_ask("Recovery key: ");
    char *password = recovery == NULL ? NULL : password_get(options, error);
    bool ok = recovery != NULL || mk_fail(error, MK_ERROR_INVALID, "no recovery key");

    ok = ok && password != NULL &&
         mk_archive_reset_administrator(settings->data_dir, recovery,
                                        options->user == NULL ? MK_USER_ADMIN : options->user,
                                        password, settings->map_size_bytes, error);
    mk_free_secret(password);
    mk_free_secret(recovery);
    return ok;
}

static bool reset_administrator(const InitOptions *options, GError **error)
{
    g_autoptr(MkSettings) settings = mk_settings_load(options->config, geteuid() == 0, error);
    int lock;
    bool ok;

    if (settings == NULL || !mk_crypto_init(error))
        return false;
    if (!mk_archive_is_initialised(settings->data_dir))
        return mk_fail(error, MK_ERROR_NOT_FOUND, "%s holds no archive", settings->data_dir);
    /* Before anything is asked for: the daemon may be running. */
    lock = mk_archive_lock(settings->data_dir, error);
    ok = lock >= 0 && reset_with(settings, options, error);
    if (lock >= 0)
        close(lock);
    return ok;
}

int reset_administrator_run(int argc, char **argv)
{
    InitOptions options = { 0 };
    g_autoptr(GError) error = NULL;

    if (!init_options(argc, argv, &options)) {
        fputs(shell_usage, stderr);
        return EXIT_USAGE;
    }
    umask(0077);
    if (reset_administrator(&options, &error)) {
        puts("The password is set. Two-factor sign-in is off and app passwords have ended: start\n"
             "the daemon, sign in and switch it on again.");
        return EXIT_SUCCESS;
    }
    fprintf(stderr, "mailkeep: %s\n", error->message);
    return EXIT_COMMAND;
}
