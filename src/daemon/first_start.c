/*
 * first_start.c - no archive yet: the web port alone, the one-time link, and the way from there
 *
 * The link is a secret until it is used. It goes to the terminal and to a file that only the
 * daemon's user can read, never to the log: where standard output is the journal, it is named only.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

static char *link_path(const Daemon *daemon)
{
    return g_build_filename(daemon->settings->data_dir, "first-start-link", NULL);
}

void first_start_forget_link(const Daemon *daemon)
{
    g_autofree char *path = link_path(daemon);

    unlink(path);
}

/* What the web listens on: its name, unless it is bound to one address, which a name may miss. */
static char *link_host(const MkSettings *settings)
{
    const char *host = settings->services[MK_SERVICE_HTTPS].host;

    if (strcmp(host, "::") == 0 || strcmp(host, "0.0.0.0") == 0)
        return g_strdup(settings->hostname);
    return g_strdup_printf(strchr(host, ':') != NULL ? "[%s]" : "%s", host);
}

static char *link_text(const Daemon *daemon)
{
    g_autofree char *host = link_host(daemon->settings);

    return g_strdup_printf("https://%s:%u/setup#%s", host,
                           mk_listener_port(daemon->listeners[MK_SERVICE_HTTPS]),
                           mk_setup_token(daemon->setup));
}

/* systemd says by JOURNAL_STREAM=<device>:<inode> which stream is its journal's. */
static bool output_is_journal(void)
{
    const char *stream = g_getenv("JOURNAL_STREAM");
    g_autofree char *mine = NULL;
    struct stat info;

    if (stream == NULL || fstat(STDOUT_FILENO, &info) != 0)
        return false;
    mine = g_strdup_printf("%ju:%ju", (uintmax_t) info.st_dev, (uintmax_t) info.st_ino);
    return strcmp(stream, mine) == 0;
}

static bool show_link(const Daemon *daemon, GError **error)
{
    g_autofree char *path = link_path(daemon);
    g_autoptr(GError) cause = NULL;
    char *link = link_text(daemon);
    char *line = g_strconcat(link, "\n", NULL);
    bool ok =
        g_file_set_contents_full(path, line, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &cause);

    if (!ok)
        mk_fail(error, MK_ERROR_IO, "write %s: %s", path, cause->message);
    else if (output_is_journal())
        mk_log_info("setup.waiting", "link_is_in", path);
    else
        printf("\nThis archive has not been set up yet. Open this link once, in any browser:\n\n"
               "    %s\n\n"
               "The browser will warn that it does not know the certificate, which was just made.\n"
               "The link is also in %s; a restart makes a new one.\n\n",
               link, path);
    fflush(stdout);
    mk_free_secret(link);
    mk_free_secret(line);
    return ok;
}

static void on_claimed(void *cookie)
{
    first_start_forget_link(cookie);
}

/* Host name and certificate have been chosen: the settings are other ones now. */
static bool renew_settings(Daemon *daemon, GError **error)
{
    MkSettings *fresh = mk_settings_load(daemon->config_path, geteuid() == 0, error);

    if (fresh == NULL)
        return false;
    if (daemon->first_settings == NULL)
        daemon->first_settings = daemon->settings;
    else
        mk_settings_free(daemon->settings); /* of a start that has failed: nobody has it */
    daemon->settings = fresh;
    return true;
}

static MkWeb *on_set_up(void *cookie, GError **error)
{
    Daemon *daemon = cookie;

    if (daemon->stop_began_ms != 0) {
        mk_fail(error, MK_ERROR_CANCELLED, "the server is stopping");
        return NULL;
    }
    if (!renew_settings(daemon, error) || !services_start_rest(daemon, error))
        return NULL;
    daemon->memory = memory_keeper_new(daemon->loop, daemon->archive, MEMORY_LOOK_EVERY_MS);
    mk_log_info("daemon.set_up");
    return daemon->web;
}

bool first_start_begin(Daemon *daemon, GError **error)
{
    MkSetupOptions options = {
        .settings = daemon->settings, .on_claimed = on_claimed, .start = on_set_up, .cookie = daemon
    };

    if (!services_start_web(daemon, error))
        return false;
    options.https_port = mk_listener_port(daemon->listeners[MK_SERVICE_HTTPS]);
    daemon->setup = mk_setup_new(daemon->loop, &options);
    return show_link(daemon, error);
}
