/* server.c - what all sessions share, and all sessions together */
#include "internal.h"

MkSmtpServer *mk_smtp_server_new_with_sink(MkLoop *loop, const MkSmtpServerOptions *options,
                                           const MkSmtpSink *sink)
{
    MkSmtpServer *server = g_new0(MkSmtpServer, 1);

    server->loop = loop;
    server->sink = sink;
    server->archive = options->archive;
    server->hostname = g_strdup(options->hostname);
    server->message_size_bytes = options->message_size_bytes;
    server->refs = 1;
    g_queue_init(&server->sessions);
    mk_smtp_server_set_tls(server, options->tls);
    return server;
}

void mk_smtp_server_accept(MkStream *stream, void *cookie)
{
    MkSmtpServer *server = cookie;
    MkSmtpSession *session = mk_smtp_session_open(server, stream);

    if (server->stopping)
        mk_smtp_session_stop(session);
}

void mk_smtp_server_set_tls(MkSmtpServer *server, MkTls *tls)
{
    MkTls *old = server->tls;

    server->tls = tls != NULL ? mk_tls_ref(tls) : NULL;
    if (old != NULL)
        mk_tls_unref(old);
}

/* Sessions leave the queue while it is gone through. */
static void each_session(MkSmtpServer *server, void (*func)(MkSmtpSession *session))
{
    g_autoptr(GList) sessions = g_list_copy(server->sessions.head);

    for (GList *l = sessions; l != NULL; l = l->next)
        mk_smtp_session_ref(l->data);
    for (GList *l = sessions; l != NULL; l = l->next) {
        func(l->data);
        mk_smtp_session_unref(l->data);
    }
}

void mk_smtp_server_stop(MkSmtpServer *server)
{
    server->stopping = true;
    each_session(server, mk_smtp_session_stop);
}

bool mk_smtp_server_is_idle(const MkSmtpServer *server)
{
    return server->refs == 1;
}

void mk_smtp_server_free(MkSmtpServer *server)
{
    if (server == NULL)
        return;
    each_session(server, mk_smtp_session_close);
    mk_smtp_server_unref(server);
}

void mk_smtp_server_unref(MkSmtpServer *server)
{
    if (--server->refs > 0)
        return;
    if (server->tls != NULL)
        mk_tls_unref(server->tls);
    g_free(server->hostname);
    g_free(server);
}

void mk_smtp_server_gauges(const MkSmtpServer *server, MkSmtpGauges *out)
{
    *out = server->gauges;
}
