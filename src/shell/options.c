/*
 * options.c - the command line (SH-02): --name=value, then -c and the command
 */
#include <stdlib.h>
#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/crypto.h>

#include "internal.h"

#define DEFAULT_PORT 8463

const char shell_usage[] =
    "Usage: mailkeep [options]                 interactive\n"
    "       mailkeep [options] -c COMMAND [--parameter=value ...]\n"
    "       mailkeep init [--config FILE] [--admin-password-file FILE]\n"
    "       mailkeep recover [--config FILE]\n"
    "       mailkeep reset-administrator [--config FILE] [--user NAME] [--admin-password-file FILE]\n"
    "       mailkeep credential-save USER@SERVER\n"
    "\n"
    "  --h=SERVER[:PORT]     Administration API; default localhost:8463\n"
    "  --u=USER --p=PASSWORD an administrator; without --p it is asked for\n"
    "  --cred=USER@SERVER    user, server and the password saved for them\n"
    "  --pkv3=FINGERPRINT    the server's public key (40 hex digits); another one: nothing is sent\n"
    "  --ca=FILE             certificate (PEM) to check the server's against\n"
    "  --o=FILE              output to a file, none on the screen\n"
    "  --nologo, --quiet     no greeting; no messages but the exit status and the output\n"
    "\n"
    "Exit status: 0 the command succeeded, 1 it failed, 2 wrong usage, 3 no connection or login.\n"
    "`help` lists all commands.\n";

/* "host", "host:port", "[v6]:port" */
static bool server_parse(const char *text, Options *out)
{
    const char *colon = strrchr(text, ':');
    guint64 port = DEFAULT_PORT;
    g_autofree char *host = NULL;

    if (text[0] == '[') {
        const char *end = strchr(text, ']');

        if (end == NULL || (end[1] != '\0' && end[1] != ':'))
            return false;
        host = g_strndup(text + 1, (gsize) (end - text - 1));
        colon = end[1] == ':' ? end + 1 : NULL;
    } else {
        if (colon != NULL && strchr(text, ':') != colon)
            colon = NULL; /* a bare IPv6 address */
        host = colon != NULL ? g_strndup(text, (gsize) (colon - text)) : g_strdup(text);
    }
    if (colon != NULL && !g_ascii_string_to_unsigned(colon + 1, 10, 1, 65535, &port, NULL))
        return false;
    g_free(out->host);
    out->host = g_steal_pointer(&host);
    out->port = (uint16_t) port;
    return out->host[0] != '\0';
}

static bool fingerprint_parse(const char *text, Options *out)
{
    if (strlen(text) != 40 || strspn(text, "0123456789abcdefABCDEF") != 40)
        return false;
    out->fingerprint = g_ascii_strdown(text, -1);
    return true;
}

static bool credential_take(const char *account, Options *out)
{
    const char *at = strrchr(account, '@');
    g_autoptr(GError) error = NULL;

    if (at == NULL || at == account || !server_parse(at + 1, out))
        return false;
    out->user = g_strndup(account, (gsize) (at - account));
    out->password = credentials_find(account, &error);
    if (out->password == NULL)
        fprintf(stderr, "mailkeep: %s\n", error->message);
    return out->password != NULL;
}

/* The value of `--name=...`, or NULL. */
static const char *value_of(const char *argument, const char *name)
{
    size_t length = strlen(name);

    return strncmp(argument, name, length) == 0 && argument[length] == '=' ? argument + length + 1
                                                                           : NULL;
}

static bool option_take(char *argument, Options *out)
{
    const char *value;

    if ((value = value_of(argument, "--h")) != NULL)
        return server_parse(value, out);
    if ((value = value_of(argument, "--u")) != NULL)
        return (out->user = g_strdup(value)) != NULL;
    if ((value = value_of(argument, "--p")) != NULL) {
        out->password = g_strdup(value);
        memset(argument + 4, 'x',
               strlen(argument + 4)); /* out of the process list, soon at least */
        return true;
    }
    if ((value = value_of(argument, "--cred")) != NULL)
        return credential_take(value, out);
    if ((value = value_of(argument, "--pkv3")) != NULL)
        return fingerprint_parse(value, out);
    if ((value = value_of(argument, "--ca")) != NULL)
        return (out->ca_file = g_strdup(value)) != NULL;
    if ((value = value_of(argument, "--o")) != NULL)
        return (out->output = g_strdup(value)) != NULL;
    if (strcmp(argument, "--nologo") == 0)
        return out->no_logo = true;
    if (strcmp(argument, "--quiet") == 0)
        return out->quiet = out->no_logo = true;
    return false;
}

bool options_parse(int argc, char **argv, Options *out, int *out_status)
{
    *out = (Options){ .host = g_strdup("localhost"), .port = DEFAULT_PORT };
    *out_status = EXIT_USAGE;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-c") == 0) {
            if (i + 1 == argc)
                break;
            out->command = g_strdupv(argv + i + 1);
            return true;
        }
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "--version") == 0) {
            fputs(strcmp(argv[i], "--help") == 0 ? shell_usage : "mailkeep " MK_VERSION "\n",
                  stdout);
            *out_status = EXIT_SUCCESS;
            return false;
        }
        if (!option_take(argv[i], out)) {
            fprintf(stderr, "mailkeep: bad option %.40s\n%s", argv[i], shell_usage);
            return false;
        }
        if (i + 1 == argc)
            return true;
    }
    if (argc == 1)
        return true;
    fputs(shell_usage, stderr); /* -c without a command */
    return false;
}

void options_clear(Options *options)
{
    g_free(options->host);
    g_free(options->user);
    mk_free_secret(options->password);
    g_free(options->fingerprint);
    g_free(options->ca_file);
    g_free(options->output);
    g_strfreev(options->command);
}
