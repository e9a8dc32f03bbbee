/*
 * credentials.c - passwords for scripts, out of the process list (SH-04)
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <mailkeep/crypto.h>
#include <mailkeep/limits.h>

#include "internal.h"

#define FILE_MAX_BYTES (1u << 20)

static char *file_path(void)
{
    return g_build_filename(g_get_user_config_dir(), "mailkeep", "credentials", NULL);
}

/* The whole file; "" when there is none; NULL when others could read it. */
static char *file_read(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    struct stat info;

    if (lstat(path, &info) != 0)
        return errno == ENOENT ? g_strdup("")
                               : (mk_fail_errno(error, errno, "read %s", path), NULL);
    if (!S_ISREG(info.st_mode) || info.st_uid != geteuid() || (info.st_mode & 077) != 0) {
        mk_fail(error, MK_ERROR_DENIED, "%s must be a file of its owner alone (chmod 600)", path);
        return NULL;
    }
    if (info.st_size > FILE_MAX_BYTES || !g_file_get_contents(path, &text, NULL, NULL)) {
        mk_fail(error, MK_ERROR_IO, "%s cannot be read", path);
        return NULL;
    }
    return g_steal_pointer(&text);
}

static bool is_account(const char *line, const char *account)
{
    size_t length = strlen(account);

    return strncmp(line, account, length) == 0 && line[length] == '\t';
}

char *credentials_find(const char *account, GError **error)
{
    g_autofree char *path = file_path();
    char *text = file_read(path, error);
    g_auto(GStrv) lines = text != NULL ? g_strsplit(text, "\n", -1) : NULL;
    char *password = NULL;

    mk_free_secret(text);
    for (char **l = lines; l != NULL && *l != NULL; l++) {
        if (password == NULL && is_account(*l, account))
            password = g_strdup(*l + strlen(account) + 1);
        mk_wipe(*l, strlen(*l));
    }
    if (lines != NULL && password == NULL)
        mk_fail(error, MK_ERROR_NOT_FOUND,
                "no password is saved for this account; see `mailkeep credential-save`");
    return password;
}

static bool file_write(const char *path, const char *text, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(path);

    if (g_mkdir_with_parents(dir, 0700) != 0)
        return mk_fail_errno(error, errno, "make the directory %s", dir);
    return g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

bool credentials_save(const char *account, const char *password, GError **error)
{
    g_autofree char *path = file_path();
    char *old = file_read(path, error);
    g_auto(GStrv) lines = NULL;
    GString *text;
    bool ok;

    if (old == NULL)
        return false;
    if (strpbrk(account, "\t\r\n") != NULL || strpbrk(password, "\r\n") != NULL) {
        mk_free_secret(old);
        return mk_fail(error, MK_ERROR_INVALID, "account and password must be one line each");
    }
    text = g_string_new(NULL);
    lines = g_strsplit(old, "\n", -1);
    for (char **l = lines; *l != NULL; l++)
        if ((*l)[0] != '\0' && !is_account(*l, account))
            g_string_append_printf(text, "%s\n", *l);
    g_string_append_printf(text, "%s\t%s\n", account, password);
    ok = file_write(path, text->str, error);
    mk_wipe(text->str, text->len);
    g_string_free(text, TRUE);
    mk_free_secret(old);
    return ok;
}

/* Octet by octet: commands that stand behind the password in a pipe are left for the shell. */
static char *line_read(void)
{
    char line[MK_LIMIT_PASSWORD_BYTES + 2];
    char *result = NULL;
    size_t length = 0;
    ssize_t got;

    while (length < sizeof line - 1 && (got = read(STDIN_FILENO, line + length, 1)) == 1 &&
           line[length] != '\n')
        length++;
    line[length] = '\0';
    if (length > 0 || got == 1)
        result = g_strndup(line, strcspn(line, "\r\n"));
    mk_wipe(line, sizeof line);
    return result;
}

char *password_ask(const char *prompt)
{
    struct termios with_echo;
    struct termios without;
    bool is_terminal = tcgetattr(STDIN_FILENO, &with_echo) == 0;
    char *result;

    if (is_terminal) {
        fputs(prompt, stderr);
        without = with_echo;
        without.c_lflag &= ~(tcflag_t) ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &without);
    }
    result = line_read();
    if (is_terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &with_echo);
        fputc('\n', stderr);
    }
    return result;
}
