/*
 * main.c - mailkeepd: read the settings, build the rooms, run the loop
 *
 * Runs in the foreground and logs to standard error. TERM and INT stop it gracefully, HUP
 * reads certificates and log level again.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

static const char usage[] =
    "Usage: mailkeepd [--config FILE] [--check | --rebuild-catalog]\n"
    "\n"
    "  --config FILE      settings (YAML); without it the defaults with ./data\n"
    "  --check            read the settings and end\n"
    "  --rebuild-catalog  make a damaged catalog anew from the packs, and end\n"
    "  --version          print the version and end\n"
    "  --help             print this and end\n"
    "\n"
    "With an empty data directory it shows a link: the archive is set up in the browser.\n";

typedef struct {
    const char *config_path;
    bool check;
    bool rebuild_catalog;
} Arguments;

/* True: go on. False: end with *out_status. */
static bool parse_arguments(int argc, char **argv, Arguments *out, int *out_status)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "check", no_argument, NULL, 'k' },
        { "rebuild-catalog", no_argument, NULL, 'r' },
        { "version", no_argument, NULL, 'V' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int option;

    *out_status = EXIT_SUCCESS;
    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (option) {
        case 'c': out->config_path = optarg; break;
        case 'k': out->check = true; break;
        case 'r': out->rebuild_catalog = true; break;
        case 'V': puts("mailkeepd " MK_VERSION); return false;
        case 'h': fputs(usage, stdout); return false;
        default:
            fputs(usage, stderr);
            *out_status = 2;
            return false;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "mailkeepd: unexpected argument: %s\n%s", argv[optind], usage);
        *out_status = 2;
        return false;
    }
    return true;
}

/* Keys and mails are in memory: no core dumps, no files that others can read, no SIGPIPE. */
static void harden_process(void)
{
    struct rlimit core = { 0, 0 };
    struct rlimit files;

    umask(0077);
    signal(SIGPIPE, SIG_IGN);
    setrlimit(RLIMIT_CORE, &core);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    prctl(PR_SET_DUMPABLE, 0); /* the leak checker must be able to attach */
#endif
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static void on_stop_signal(int signum, void *cookie)
{
    (void) signum;
    mk_log_info("daemon.stopping");
    services_stop(cookie);
}

static void on_hup(int signum, void *cookie)
{
    (void) signum;
    services_reload(cookie);
}

/* What both running and rebuilding begin with. */
static bool take_data_dir(Daemon *daemon, GError **error)
{
    const char *data_dir = daemon->settings->data_dir;

    if (g_mkdir_with_parents(data_dir, 0700) != 0)
        return mk_fail_errno(error, errno, "make the directory %s", data_dir);
    daemon->lock_fd = mk_archive_lock(data_dir, error);
    return daemon->lock_fd >= 0 && mk_crypto_init(error) && mk_archive_settle(data_dir, error);
}

/* A disk that is not mounted, a copy that was cut off: nothing to make a new archive over. */
static bool fail_incomplete(const Daemon *daemon, GError **error)
{
    return mk_fail(error, MK_ERROR_CORRUPT,
                   "%s holds a part of an archive only: of keys/, master/ and stores/ bring back "
                   "what is missing, or empty it for a new one",
                   daemon->settings->data_dir);
}

/* No archive, and no browser that could make one. */
static bool fail_uninitialised(const Daemon *daemon, GError **error)
{
    return mk_fail(error, MK_ERROR_NOT_FOUND,
                   "%s holds no archive yet; make one with `mailkeep init%s%s`",
                   daemon->settings->data_dir, daemon->config_path != NULL ? " --config " : "",
                   daemon->config_path != NULL ? daemon->config_path : "");
}

static bool rebuild_catalog(Daemon *daemon, GError **error)
{
    const MkSettings *settings = daemon->settings;
    uint64_t mails;

    if (!take_data_dir(daemon, error))
        return false;
    if (!mk_archive_is_initialised(settings->data_dir))
        return fail_uninitialised(daemon, error);
    if (!mk_archive_rebuild_catalogs(settings->data_dir, settings->map_size_bytes, &mails, error))
        return false;
    printf("The catalog was made anew; it holds %" PRIu64 " mails.\n", mails);
    return true;
}

static bool prepare(Daemon *daemon, GError **error)
{
    const MkSettings *settings = daemon->settings;

    mk_mail_init();
    daemon->loop = mk_loop_new(settings->workers_interactive, settings->workers_bulk, error);
    return daemon->loop != NULL &&
           mk_loop_on_signal(daemon->loop, SIGTERM, on_stop_signal, daemon, error) &&
           mk_loop_on_signal(daemon->loop, SIGINT, on_stop_signal, daemon, error) &&
           mk_loop_on_signal(daemon->loop, SIGHUP, on_hup, daemon, error);
}

static bool start(Daemon *daemon, GError **error)
{
    first_start_forget_link(daemon); /* of a first start that was killed */
    if (!services_start(daemon, error))
        return false;
    daemon->memory = memory_keeper_new(daemon->loop, daemon->archive, MEMORY_LOOK_EVERY_MS);
    return true;
}

static bool run(Daemon *daemon, GError **error)
{
    const MkSettings *settings = daemon->settings;
    bool is_first;

    if (!take_data_dir(daemon, error))
        return false;
    is_first = mk_archive_is_absent(settings->data_dir);
    if (!is_first && !mk_archive_is_initialised(settings->data_dir))
        return fail_incomplete(daemon, error);
    if (is_first && !settings->services[MK_SERVICE_HTTPS].enabled)
        return fail_uninitialised(daemon, error);
    if (!prepare(daemon, error) ||
        !(is_first ? first_start_begin(daemon, error) : start(daemon, error)))
        return false;
    mk_log_info("daemon.started", "version", MK_VERSION, "pid", MK_LOG_U64(getpid()));
    mk_loop_run(daemon->loop);
    return true;
}

int main(int argc, char **argv)
{
    Arguments arguments = { 0 };
    Daemon daemon = { .lock_fd = -1 };
    g_autoptr(MkSettings) settings = NULL;
    g_autoptr(GError) error = NULL;
    bool ok;
    int status;

    if (!parse_arguments(argc, argv, &arguments, &status))
        return status;
    settings = mk_settings_load(arguments.config_path, geteuid() == 0, &error);
    if (settings == NULL) {
        fprintf(stderr, "mailkeepd: %s\n", error->message);
        return EXIT_FAILURE;
    }
    if (arguments.check) {
        puts("The settings are good.");
        return EXIT_SUCCESS;
    }
    harden_process();
    memory_tune();
    mk_log_set_level(settings->log_level);
    daemon.settings = g_steal_pointer(&settings);
    daemon.config_path = arguments.config_path;
    ok = arguments.rebuild_catalog ? rebuild_catalog(&daemon, &error) : run(&daemon, &error);
    if (!ok)
        mk_log_error("daemon.failed", "error", error->message);
    services_free(&daemon);
    g_clear_pointer(&daemon.loop, mk_loop_free);
    mk_settings_free(daemon.first_settings);
    mk_settings_free(daemon.settings);
    if (ok && !arguments.rebuild_catalog)
        mk_log_info("daemon.stopped");
    if (daemon.lock_fd >= 0)
        close(daemon.lock_fd);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
