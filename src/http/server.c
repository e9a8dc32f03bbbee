/*
 * server.c - the connections of a server and their common end
 */
#include <mailkeep/limits.h>

#include "internal.h"

static void on_grace(void *cookie);

MkHttpServer *mk_http_server_new(MkLoop *loop, MkHttpHandler handler, void *cookie)
{
    MkHttpServer *server = g_new0(MkHttpServer, 1);

    server->loop = loop;
    server->handler = handler;
    server->cookie = cookie;
    server->times = (MkHttpTimes){ .header_ms = MK_LIMIT_HTTP_HEADER_MS,
                                   .body_ms = MK_LIMIT_HTTP_BODY_MS,
                                   .idle_ms = MK_LIMIT_HTTP_IDLE_MS,
                                   .write_ms = MK_LIMIT_HTTP_WRITE_MS };
    server->connections = g_hash_table_new(NULL, NULL);
    server->grace = mk_timer_new(loop, on_grace, server);
    return server;
}

void mk_http_server_accept(MkStream *stream, void *cookie)
{
    MkHttpServer *server = cookie;

    if (server->stopping) {
        mk_stream_abort(stream);
        mk_stream_unref(stream);
        return;
    }
    mk_http_connection_new(server, stream);
}

/* Of a copy: a connection that closes leaves the set. One that is gone is not called again. */
static void each_connection(MkHttpServer *server, void (*visit)(MkHttpConnection *connection))
{
    g_autoptr(GList) all = g_hash_table_get_keys(server->connections);

    for (GList *link = all; link != NULL; link = link->next)
        if (g_hash_table_contains(server->connections, link->data))
            visit(link->data);
}

static void on_grace(void *cookie)
{
    each_connection(cookie, mk_http_connection_abort);
}

void mk_http_server_stop(MkHttpServer *server, uint64_t grace_ms)
{
    server->stopping = true;
    mk_timer_start(server->grace, grace_ms);
    each_connection(server, mk_http_connection_stop);
}

void mk_http_server_free(MkHttpServer *server)
{
    if (server == NULL)
        return;
    server->stopping = true;
    each_connection(server, mk_http_connection_abort);
    mk_timer_free(server->grace);
    g_hash_table_unref(server->connections);
    g_free(server);
}
