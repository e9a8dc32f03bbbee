/* listener.c - accepting, counting, and turning away when full */
#include <string.h>

#include "internal.h"

enum { BACKLOG = 1024 }; /* the kernel cuts it to net.core.somaxconn */

struct MkListener {
    uv_tcp_t tcp; /* first member */
    MkLoop *loop;
    MkTls *tls; /* NULL = in clear */
    MkConnectionCounter *counter;
    MkAcceptFunc on_accept;
    void *cookie;
    const char *busy_text;
};

static void turn_away(MkListener *listener, MkStream *stream)
{
    uv_buf_t buf;

    if (listener->busy_text != NULL && listener->tls == NULL) {
        buf = uv_buf_init((char *) listener->busy_text, (unsigned) strlen(listener->busy_text));
        uv_try_write((uv_stream_t *) &stream->tcp, &buf, 1); /* a courtesy: no queue for it */
    }
    mk_stream_abort(stream);
    mk_stream_unref(stream);
}

static void take_in(MkListener *listener, MkStream *stream)
{
    g_autoptr(GError) error = NULL;

    listener->counter->open++;
    stream->counter = listener->counter;
    stream_set_peer(stream);
    if (listener->tls != NULL) {
        if (!stream_begin_tls(stream, listener->tls, NULL, &error)) {
            mk_stream_abort(stream);
            mk_stream_unref(stream);
            return;
        }
        stream_start_handshake(stream);
    }
    listener->on_accept(stream, listener->cookie);
}

static void on_connection(uv_stream_t *handle, int status)
{
    MkListener *listener = (MkListener *) handle;
    MkStream *stream;

    if (status < 0)
        return; /* the connection was gone before it could be taken */
    stream = stream_new(listener->loop);
    if (uv_accept(handle, (uv_stream_t *) &stream->tcp) != 0) {
        mk_stream_abort(stream);
        mk_stream_unref(stream);
    } else if (listener->counter->open >= listener->counter->max) {
        turn_away(listener, stream);
    } else {
        take_in(listener, stream);
    }
}

static bool parse_address(const char *host, uint16_t port, struct sockaddr_storage *out)
{
    return uv_ip4_addr(host, port, (struct sockaddr_in *) out) == 0 ||
           uv_ip6_addr(host, port, (struct sockaddr_in6 *) out) == 0;
}

static int bind_and_listen(MkListener *listener, const struct sockaddr_storage *address)
{
    int rc = uv_tcp_bind(&listener->tcp, (const struct sockaddr *) address, 0);

    return rc != 0 ? rc : uv_listen((uv_stream_t *) &listener->tcp, BACKLOG, on_connection);
}

static bool open_listener(MkListener *listener, const char *host, uint16_t port, GError **error)
{
    struct sockaddr_storage address = { 0 };
    int rc;

    if (!parse_address(host, port, &address))
        return mk_fail(error, MK_ERROR_NETWORK, "listen on %s port %u: not a numeric address", host,
                       (unsigned) port);
    rc = bind_and_listen(listener, &address);
    /* A machine without IPv6: "::" still means everybody. */
    if (rc == UV_EAFNOSUPPORT && strcmp(host, "::") == 0 &&
        parse_address("0.0.0.0", port, &address))
        rc = bind_and_listen(listener, &address);
    return rc == 0 || net_fail_uv(error, rc, "listen on %s port %u", host, (unsigned) port);
}

MkListener *mk_listener_new(MkLoop *loop, const char *host, uint16_t port, MkTls *tls,
                            MkConnectionCounter *counter, MkAcceptFunc on_accept, void *cookie,
                            GError **error)
{
    MkListener *listener = g_new0(MkListener, 1);

    g_assert(counter != NULL && (tls == NULL || tls->is_server));
    uv_tcp_init(mk_loop_uv(loop), &listener->tcp);
    listener->loop = loop;
    listener->tls = tls != NULL ? mk_tls_ref(tls) : NULL;
    listener->counter = counter;
    listener->on_accept = on_accept;
    listener->cookie = cookie;
    if (!open_listener(listener, host, port, error)) {
        mk_listener_free(listener);
        return NULL;
    }
    return listener;
}

void mk_listener_set_busy_text(MkListener *listener, const char *text)
{
    listener->busy_text = text;
}

void mk_listener_set_tls(MkListener *listener, MkTls *tls)
{
    MkTls *old = listener->tls;

    g_assert((old != NULL) == (tls != NULL)); /* clear stays clear */
    listener->tls = tls != NULL ? mk_tls_ref(tls) : NULL;
    mk_tls_unref(old);
}

uint16_t mk_listener_port(const MkListener *listener)
{
    struct sockaddr_storage address = { 0 };
    int length = sizeof address;

    if (uv_tcp_getsockname(&listener->tcp, (struct sockaddr *) &address, &length) != 0)
        return 0;
    return ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *) &address)->sin_port
                                              : ((struct sockaddr_in6 *) &address)->sin6_port);
}

static void on_listener_closed(uv_handle_t *handle)
{
    g_free(handle);
}

void mk_listener_free(MkListener *listener)
{
    if (listener == NULL)
        return;
    g_clear_pointer(&listener->tls, mk_tls_unref);
    uv_close((uv_handle_t *) &listener->tcp, on_listener_closed);
}
