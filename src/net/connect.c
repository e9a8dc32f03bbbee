/*
 * connect.c - a client's way to a stream
 *
 *  START --name--> LOOKING UP --> CONNECTING <--next address--+
 *    +--numeric address-------------^  |  +------failed-------+
 *                                      +--tls--> HANDSHAKE --> finished
 *  any --time is up, nothing left to try, cancelled--> finished
 *
 * finish() calls the owner once. The object lives on while a look-up or a connection attempt of
 * libuv still points to it: `pending` counts those.
 */
#include <string.h>

#include "internal.h"

enum { ADDRESSES = 16, HOST_BYTES = 255 };

struct MkConnect {
    MkLoop *loop;
    char *host;
    uint16_t port;
    MkTls *tls;
    MkConnectFunc on_connect;
    void *cookie;
    MkTimer *timer;
    uv_getaddrinfo_t look_up;
    struct sockaddr_storage addresses[ADDRESSES];
    unsigned address_count, next_address;
    MkStream *stream; /* the attempt under way */
    GError *last_error;
    bool finished;
    unsigned pending;
};
typedef MkConnect Connect;

typedef struct {
    uv_connect_t request; /* first member */
    Connect *connect;
    MkStream *stream; /* referenced */
} Attempt;

static void try_next(Connect *c);

static void free_when_unused(Connect *c)
{
    if (!c->finished || c->pending > 0)
        return;
    g_clear_error(&c->last_error);
    mk_tls_unref(c->tls);
    g_free(c->host);
    g_free(c);
}

static void drop_stream(Connect *c)
{
    MkStream *stream = g_steal_pointer(&c->stream);

    if (stream == NULL)
        return;
    mk_stream_set_events(stream, &(MkStreamEvents){ 0 }, NULL);
    mk_stream_abort(stream);
    mk_stream_unref(stream);
}

/* With a stream: handed over. Without: the last error says why. */
static void finish(Connect *c, MkStream *stream)
{
    if (c->finished)
        return;
    c->finished = true;
    g_clear_pointer(&c->timer, mk_timer_free);
    if (stream == NULL)
        drop_stream(c);
    else
        mk_stream_set_events(stream, &(MkStreamEvents){ 0 }, NULL);
    c->stream = NULL;
    if (c->on_connect != NULL)
        c->on_connect(stream, stream == NULL ? c->last_error : NULL, c->cookie);
    free_when_unused(c);
}

static void give_up(Connect *c)
{
    if (c->stream == NULL)
        uv_cancel((uv_req_t *) &c->look_up); /* works only while it waits; harmless otherwise */
    finish(c, NULL);
}

static void on_time_up(void *cookie)
{
    Connect *c = cookie;

    g_clear_error(&c->last_error);
    mk_fail(&c->last_error, MK_ERROR_TIMEOUT, "connect to %s port %u: no answer in time", c->host,
            (unsigned) c->port);
    give_up(c);
}

void mk_connect_cancel(MkConnect *connect)
{
    connect->on_connect = NULL;
    give_up(connect);
}

/* -- TLS ------------------------------------------------------------------------------------ */

static void on_secure(MkStream *stream, void *cookie)
{
    finish(cookie, stream);
}

static void on_end(MkStream *stream, const GError *error, void *cookie)
{
    Connect *c = cookie;

    (void) stream;
    g_clear_error(&c->last_error);
    if (error != NULL)
        c->last_error = g_error_copy(error);
    else
        mk_fail(&c->last_error, MK_ERROR_TLS, "TLS handshake: the connection was cut off");
    finish(c, NULL); /* another address is the same server: it would fail alike */
}

static void begin_tls(Connect *c)
{
    static const MkStreamEvents events = { .on_secure = on_secure, .on_end = on_end };

    mk_stream_set_events(c->stream, &events, c);
    if (!stream_begin_tls(c->stream, c->tls, c->host, &c->last_error)) {
        finish(c, NULL);
        return;
    }
    stream_start_handshake(c->stream);
}

/* -- TCP ------------------------------------------------------------------------------------ */

static void note_failure(Connect *c, int rc)
{
    g_clear_error(&c->last_error);
    net_fail_uv(&c->last_error, rc, "connect to %s port %u", c->host, (unsigned) c->port);
}

static void on_tcp_connected(uv_connect_t *request, int status)
{
    g_autofree Attempt *attempt = (Attempt *) request;
    Connect *c = attempt->connect;

    c->pending--;
    mk_stream_unref(attempt->stream);
    if (c->finished) {
        free_when_unused(c);
    } else if (status < 0) {
        note_failure(c, status);
        drop_stream(c);
        try_next(c);
    } else {
        stream_set_peer(c->stream);
        if (c->tls != NULL)
            begin_tls(c);
        else
            finish(c, c->stream);
    }
}

static bool start_attempt(Connect *c, const struct sockaddr *address)
{
    Attempt *attempt = g_new0(Attempt, 1);
    int rc;

    c->stream = stream_new(c->loop);
    rc = uv_tcp_connect(&attempt->request, &c->stream->tcp, address, on_tcp_connected);
    if (rc != 0) {
        g_free(attempt);
        note_failure(c, rc);
        drop_stream(c);
        return false;
    }
    attempt->connect = c;
    attempt->stream = mk_stream_ref(c->stream);
    c->pending++;
    return true;
}

static void try_next(Connect *c)
{
    while (c->next_address < c->address_count)
        if (start_attempt(c, (const struct sockaddr *) &c->addresses[c->next_address++]))
            return;
    finish(c, NULL);
}

/* -- names ---------------------------------------------------------------------------------- */

static void add_address(Connect *c, const struct addrinfo *info)
{
    struct sockaddr_storage *to = &c->addresses[c->address_count];

    if (c->address_count == ADDRESSES || info->ai_addrlen > sizeof *to)
        return;
    memcpy(to, info->ai_addr, info->ai_addrlen);
    if (info->ai_family == AF_INET)
        ((struct sockaddr_in *) to)->sin_port = htons(c->port);
    else if (info->ai_family == AF_INET6)
        ((struct sockaddr_in6 *) to)->sin6_port = htons(c->port);
    else
        return;
    c->address_count++;
}

static void on_looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    Connect *c = request->data;

    c->pending--;
    if (!c->finished) {
        if (status < 0)
            note_failure(c, status);
        for (const struct addrinfo *info = list; info != NULL; info = info->ai_next)
            add_address(c, info);
        if (status == 0 && c->address_count == 0)
            note_failure(c, UV_EAI_NONAME);
    }
    uv_freeaddrinfo(list);
    if (c->finished)
        free_when_unused(c);
    else
        try_next(c);
}

static bool is_numeric(Connect *c)
{
    struct sockaddr_storage *to = &c->addresses[0];

    if (uv_ip4_addr(c->host, c->port, (struct sockaddr_in *) to) != 0 &&
        uv_ip6_addr(c->host, c->port, (struct sockaddr_in6 *) to) != 0)
        return false;
    c->address_count = 1;
    return true;
}

static void start_look_up(Connect *c)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    int rc;

    c->look_up.data = c;
    rc = uv_getaddrinfo(mk_loop_uv(c->loop), &c->look_up, on_looked_up, c->host, NULL, &hints);
    if (rc != 0) {
        note_failure(c, rc);
        finish(c, NULL);
        return;
    }
    c->pending++;
}

/* From the loop, not from inside mk_connect(): the owner is never called before it returns. */
static void on_start(void *cookie)
{
    Connect *c = cookie;

    c->pending--;
    if (c->finished) {
        free_when_unused(c);
    } else if (strlen(c->host) > HOST_BYTES) {
        note_failure(c, UV_ENAMETOOLONG);
        finish(c, NULL);
    } else if (is_numeric(c)) {
        try_next(c);
    } else {
        start_look_up(c);
    }
}

MkConnect *mk_connect(MkLoop *loop, const char *host, uint16_t port, MkTls *tls,
                      uint64_t timeout_ms, MkConnectFunc on_connect, void *cookie)
{
    Connect *c = g_new0(Connect, 1);

    g_assert(tls == NULL || !tls->is_server);
    c->loop = loop;
    c->host = g_strdup(host);
    c->port = port;
    c->tls = tls != NULL ? mk_tls_ref(tls) : NULL;
    c->on_connect = on_connect;
    c->cookie = cookie;
    c->timer = mk_timer_new(loop, on_time_up, c);
    mk_timer_start(c->timer, timeout_ms);
    c->pending++;
    mk_loop_post(loop, on_start, c);
    return c;
}
