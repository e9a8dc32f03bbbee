/*
 * services.c - from settings to open ports, and back
 *
 * Built from the ground up: certificate, archive, protocol servers, listeners; taken down in the
 * other order. Nothing listens before everything behind it is ready.
 */
#include <stdlib.h>
#include <unistd.h>

#include <mailkeep/limits.h>

#include "internal.h"

#define STOP_POLL_MS 50
#define STOP_GRACE_MS 20000 /* for what was under way */
#define STOP_END_MS 30000   /* for what hangs */

static void smtp_accept(MkStream *stream, void *daemon)
{
    mk_smtp_server_accept(stream, ((Daemon *) daemon)->smtp);
}

static void redirect_accept(MkStream *stream, void *daemon)
{
    mk_http_server_accept(stream, ((Daemon *) daemon)->http[HTTP_REDIRECT]);
}

static void web_accept(MkStream *stream, void *daemon)
{
    mk_http_server_accept(stream, ((Daemon *) daemon)->http[HTTP_WEB]);
}

static void api_accept(MkStream *stream, void *daemon)
{
    mk_http_server_accept(stream, ((Daemon *) daemon)->http[HTTP_API]);
}

static void metrics_accept(MkStream *stream, void *daemon)
{
    mk_http_server_accept(stream, ((Daemon *) daemon)->http[HTTP_METRICS]);
}

typedef enum { TLS_NONE, TLS_MAIL, TLS_HTTPS } TlsUse;

/* NULL: this version has no such server; the service is named in the log and left out. */
static const struct {
    MkAcceptFunc accept;
    TlsUse tls;
    const char *busy_text;
} services[MK_SERVICE_COUNT] = {
    [MK_SERVICE_SMTP] = { smtp_accept, TLS_NONE, "421 4.3.2 Too many connections\r\n" },
    [MK_SERVICE_SMTPS] = { smtp_accept, TLS_MAIL, NULL },
    [MK_SERVICE_HTTP] = { redirect_accept, TLS_NONE, NULL },
    [MK_SERVICE_HTTPS] = { web_accept, TLS_HTTPS, NULL },
    [MK_SERVICE_API] = { api_accept, TLS_HTTPS, NULL },
    [MK_SERVICE_METRICS] = { metrics_accept, TLS_NONE, NULL },
};

static MkTls *tls_for(const Daemon *daemon, MkServiceKind kind)
{
    switch (services[kind].tls) {
    case TLS_NONE: return NULL;
    case TLS_MAIL: return daemon->tls_mail;
    case TLS_HTTPS: return daemon->tls_https;
    }
    g_assert_not_reached();
}

static bool listen_on(Daemon *daemon, MkServiceKind kind, GError **error)
{
    const MkServiceSettings *s = &daemon->settings->services[kind];
    bool is_mail = kind == MK_SERVICE_SMTP || kind == MK_SERVICE_SMTPS;

    if (!s->enabled)
        return true;
    if (services[kind].accept == NULL) {
        mk_log_debug("daemon.service_not_in_this_version", "service", mk_service_name(kind));
        return true;
    }
    daemon->listeners[kind] =
        mk_listener_new(daemon->loop, s->host, s->port, tls_for(daemon, kind),
                        is_mail ? &daemon->mail_connections : &daemon->http_connections,
                        services[kind].accept, daemon, error);
    if (daemon->listeners[kind] == NULL) {
        g_prefix_error(error, "service %s: ", mk_service_name(kind));
        return false;
    }
    if (services[kind].busy_text != NULL)
        mk_listener_set_busy_text(daemon->listeners[kind], services[kind].busy_text);
    mk_log_info("daemon.listening", "service", mk_service_name(kind), "host", s->host, "port",
                MK_LOG_U64(mk_listener_port(daemon->listeners[kind])));
    return true;
}

static bool on_certificate(void *cookie, GError **error);

/* Connections of the first start live on when the services have started. */
static void web_handle(MkHttpRequest *request, void *cookie)
{
    const Daemon *daemon = cookie;

    if (daemon->web != NULL)
        mk_web_handle(request, daemon->web);
    else
        mk_setup_handle(request, daemon->setup);
}

static void make_web_servers(Daemon *daemon)
{
    daemon->http_connections.max = daemon->settings->connections;
    daemon->http[HTTP_WEB] = mk_http_server_new(daemon->loop, web_handle, daemon);
    daemon->http[HTTP_REDIRECT] =
        mk_http_server_new(daemon->loop, mk_web_redirect, &daemon->redirect);
}

static void make_servers(Daemon *daemon)
{
    const MkSettings *settings = daemon->settings;
    MkSmtpServerOptions smtp = {
        .hostname = settings->hostname,
        .message_size_bytes = settings->message_size_bytes,
        .tls = daemon->tls_mail,
        .archive = daemon->archive,
    };

    daemon->mail_connections.max = settings->connections;
    daemon->smtp = mk_smtp_server_new(daemon->loop, &smtp);
    daemon->admin = mk_admin_new(daemon->loop, daemon->archive, settings);
    mk_admin_on_certificate(daemon->admin, on_certificate, daemon);
    daemon->web = mk_web_new(daemon->loop, daemon->archive, daemon->admin);
    daemon->http[HTTP_API] = mk_http_server_new(daemon->loop, mk_admin_handle, daemon->admin);
    daemon->http[HTTP_METRICS] = mk_http_server_new(daemon->loop, metrics_handle, daemon);
}

static void set_redirect(Daemon *daemon)
{
    daemon->redirect.hostname = daemon->settings->hostname;
    if (daemon->listeners[MK_SERVICE_HTTPS] != NULL)
        daemon->redirect.https_port = mk_listener_port(daemon->listeners[MK_SERVICE_HTTPS]);
}

static bool is_web(MkServiceKind kind)
{
    return kind == MK_SERVICE_HTTP || kind == MK_SERVICE_HTTPS;
}

static bool listen_on_web(Daemon *daemon, GError **error)
{
    if (!listen_on(daemon, MK_SERVICE_HTTP, error) || !listen_on(daemon, MK_SERVICE_HTTPS, error))
        return false;
    set_redirect(daemon);
    return true;
}

static bool listen_on_rest(Daemon *daemon, GError **error)
{
    for (MkServiceKind kind = 0; kind < MK_SERVICE_COUNT; kind++)
        if (!is_web(kind) && !listen_on(daemon, kind, error))
            return false;
    return true;
}

static void free_listeners(Daemon *daemon, bool web_too)
{
    for (MkServiceKind kind = 0; kind < MK_SERVICE_COUNT; kind++)
        if (web_too || !is_web(kind))
            g_clear_pointer(&daemon->listeners[kind], mk_listener_free);
}

static void on_start_undone(void *loop)
{
    mk_loop_stop(loop);
}

/* The archive has begun to catch up with its index and must be stopped like one that ran. */
static void undo_start(Daemon *daemon)
{
    free_listeners(daemon, true);
    mk_archive_stop(daemon->archive, on_start_undone, daemon->loop);
    mk_loop_run(daemon->loop);
}

bool services_start(Daemon *daemon, GError **error)
{
    const MkSettings *settings = daemon->settings;

    if (!certificate_load(settings, &daemon->tls_mail, &daemon->tls_https, error))
        return false;
    daemon->archive =
        mk_archive_open(daemon->loop, settings->data_dir, settings->map_size_bytes, error);
    if (daemon->archive == NULL)
        return false;
    make_web_servers(daemon);
    make_servers(daemon);
    if (listen_on_web(daemon, error) && listen_on_rest(daemon, error))
        return true;
    undo_start(daemon);
    return false;
}

bool services_start_web(Daemon *daemon, GError **error)
{
    if (!certificate_load(daemon->settings, &daemon->tls_mail, &daemon->tls_https, error))
        return false;
    make_web_servers(daemon);
    return listen_on_web(daemon, error);
}

/*
 * Listening comes first here: it may fail, and an archive that has been opened cannot be closed
 * from within the loop. Who connects meanwhile waits for the loop's next turn.
 */
bool services_start_rest(Daemon *daemon, GError **error)
{
    const MkSettings *settings = daemon->settings;

    set_redirect(daemon);
    if (!on_certificate(daemon, error))
        return false;
    if (listen_on_rest(daemon, error))
        daemon->archive =
            mk_archive_open(daemon->loop, settings->data_dir, settings->map_size_bytes, error);
    if (daemon->archive == NULL) {
        free_listeners(daemon, false);
        return false;
    }
    make_servers(daemon);
    return true;
}

static void use_certificates(Daemon *daemon, MkTls *mail, MkTls *https)
{
    mk_tls_unref(daemon->tls_mail);
    mk_tls_unref(daemon->tls_https);
    daemon->tls_mail = mail;
    daemon->tls_https = https;
    if (daemon->smtp != NULL) /* not at the end of a stop */
        mk_smtp_server_set_tls(daemon->smtp, mail);
    for (MkServiceKind kind = 0; kind < MK_SERVICE_COUNT; kind++)
        if (daemon->listeners[kind] != NULL && tls_for(daemon, kind) != NULL)
            mk_listener_set_tls(daemon->listeners[kind], tls_for(daemon, kind));
}

/* The files have changed, not the settings. */
static bool on_certificate(void *cookie, GError **error)
{
    Daemon *daemon = cookie;
    MkTls *mail = NULL;
    MkTls *https = NULL;

    if (!certificate_load(daemon->settings, &mail, &https, error))
        return false;
    use_certificates(daemon, mail, https);
    return true;
}

void services_reload(Daemon *daemon)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkSettings) fresh = mk_settings_load(daemon->config_path, geteuid() == 0, &error);
    MkTls *mail = NULL;
    MkTls *https = NULL;

    if (fresh == NULL || !certificate_load(fresh, &mail, &https, &error)) {
        mk_log_error("daemon.reload_failed", "error", error->message);
        return;
    }
    mk_log_set_level(fresh->log_level);
    use_certificates(daemon, mail, https);
    mk_log_info("daemon.reloaded");
}

/* -- the end ------------------------------------------------------------------------------ */

static void on_archive_stopped(void *cookie)
{
    ((Daemon *) cookie)->archive_stopped = true;
}

/* Last answers are on their way while a connection is open: they must not be cut off. */
static bool has_connections(const Daemon *daemon)
{
    return daemon->mail_connections.open > 0 || daemon->http_connections.open > 0;
}

static bool has_calls(const Daemon *daemon)
{
    return (daemon->smtp != NULL && !mk_smtp_server_is_idle(daemon->smtp)) ||
           (daemon->setup != NULL && !mk_setup_is_idle(daemon->setup)) ||
           (daemon->web != NULL && !mk_web_is_idle(daemon->web)) ||
           (daemon->admin != NULL && !mk_admin_is_idle(daemon->admin));
}

/* Senders who are still not done have heard no 250 and will come again. */
static void cut_off_senders(Daemon *daemon)
{
    if (daemon->smtp == NULL)
        return;
    mk_log_warn("daemon.stop_cuts_off", "connections", MK_LOG_U64(daemon->mail_connections.open));
    g_clear_pointer(&daemon->smtp, mk_smtp_server_free);
}

/*
 * What hangs (a disk that does not answer, a peer that takes nothing) cannot be taken down in
 * order, as lanes and the loop still use it: the process just ends, which loses nothing that was
 * acknowledged. A peer is no failure.
 */
static void end_at_once(Daemon *daemon)
{
    mk_log_warn("daemon.stop_overdue");
    if (!daemon->archive_stopped)
        _exit(EXIT_FAILURE);
    g_clear_pointer(&daemon->archive, mk_archive_close);
    _exit(EXIT_SUCCESS);
}

static void stop_archive(Daemon *daemon)
{
    daemon->archive_stopping = true;
    if (daemon->archive != NULL)
        mk_archive_stop(daemon->archive, on_archive_stopped, daemon);
    else
        daemon->archive_stopped = true; /* there was none yet */
}

/* First the protocols, then the archive under them, then the loop. */
static void on_stop_poll(void *cookie)
{
    Daemon *daemon = cookie;
    int64_t took_ms = mk_clock_monotonic_ms() - daemon->stop_began_ms;
    bool overdue = took_ms > STOP_GRACE_MS;

    if (overdue)
        cut_off_senders(daemon);
    if (daemon->archive_stopped && !has_connections(daemon)) {
        mk_loop_stop(daemon->loop);
    } else if (took_ms > STOP_END_MS) {
        end_at_once(daemon);
    } else if (!daemon->archive_stopping && !has_calls(daemon) &&
               (overdue || !has_connections(daemon))) {
        stop_archive(daemon);
    }
}

void services_stop(Daemon *daemon)
{
    if (daemon->stop_began_ms != 0)
        return;
    daemon->stop_began_ms = mk_clock_monotonic_ms();
    free_listeners(daemon, true);
    if (daemon->setup != NULL)
        first_start_forget_link(daemon);
    if (daemon->archive != NULL) {
        mk_smtp_server_stop(daemon->smtp);
        mk_archive_begin_stop(daemon->archive);
        mk_admin_stop(daemon->admin);
        mk_web_stop(daemon->web);
    }
    for (HttpRole role = 0; role < HTTP_COUNT; role++)
        if (daemon->http[role] != NULL)
            mk_http_server_stop(daemon->http[role], STOP_GRACE_MS / 2);
    daemon->stop_poll = mk_timer_new(daemon->loop, on_stop_poll, daemon);
    mk_timer_start_repeat(daemon->stop_poll, STOP_POLL_MS);
}

void services_free(Daemon *daemon)
{
    free_listeners(daemon, true);
    g_clear_pointer(&daemon->stop_poll, mk_timer_free);
    g_clear_pointer(&daemon->memory, memory_keeper_free);
    g_clear_pointer(&daemon->smtp, mk_smtp_server_free);
    for (HttpRole role = 0; role < HTTP_COUNT; role++)
        g_clear_pointer(&daemon->http[role], mk_http_server_free);
    g_clear_pointer(&daemon->web, mk_web_free);
    g_clear_pointer(&daemon->setup, mk_setup_free);
    g_clear_pointer(&daemon->admin, mk_admin_free);
    g_clear_pointer(&daemon->archive, mk_archive_close);
    g_clear_pointer(&daemon->tls_mail, mk_tls_unref);
    g_clear_pointer(&daemon->tls_https, mk_tls_unref);
}
