/* stream.c - life, reading, pausing and timers of a stream; the states are drawn in internal.h */
#include <string.h>

#include <mailkeep/base.h>

#include "internal.h"

enum { CLOSE_CHECK_MS = 2500, CLOSE_CHECKS = 24, LINGER_MS = 2000, KEEPALIVE_S = 120 };

static void on_turn(uv_idle_t *handle);

/* -- life ----------------------------------------------------------------------------------- */

MkStream *stream_new(MkLoop *loop)
{
    static uint64_t last_id;
    MkStream *stream = g_new0(MkStream, 1);
    uv_loop_t *uv = mk_loop_uv(loop);

    stream->refs = 1 + 3; /* the caller's and the handles' */
    stream->loop = loop;
    stream->id = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
    stream->paused = true;
    g_queue_init(&stream->chunks);
    uv_tcp_init(uv, &stream->tcp);
    uv_timer_init(uv, &stream->timer);
    uv_idle_init(uv, &stream->turn);
    stream->tcp.data = stream->timer.data = stream->turn.data = stream;
    return stream;
}

MkStream *mk_stream_ref(MkStream *stream)
{
    stream->refs++;
    return stream;
}

void mk_stream_unref(MkStream *stream)
{
    if (stream == NULL || --stream->refs > 0)
        return;
    g_assert(stream->state == STREAM_CLOSED);
    stream_drop_queue(stream);
    stream_tls_free(stream);
    g_clear_error(&stream->late_error);
    g_free(stream);
}

static void on_handle_closed(uv_handle_t *handle)
{
    MkStream *stream = handle->data;

    if (handle == (uv_handle_t *) &stream->tcp && stream->counter != NULL)
        stream->counter->open--;
    mk_stream_unref(stream);
}

bool stream_is_open(const MkStream *stream)
{
    return stream->state <= STREAM_SECURE;
}

void stream_close_now(MkStream *stream)
{
    if (stream->state == STREAM_CLOSED)
        return;
    stream_enter(stream, STREAM_CLOSED);
    uv_close((uv_handle_t *) &stream->tcp, on_handle_closed);
    uv_close((uv_handle_t *) &stream->timer, on_handle_closed);
    uv_close((uv_handle_t *) &stream->turn, on_handle_closed);
}

void stream_want_turn(MkStream *stream)
{
    if (stream->state != STREAM_CLOSED)
        uv_idle_start(&stream->turn, on_turn);
}

/* -- timers --------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *handle);

static void start_timer(MkStream *stream, uint64_t after_ms)
{
    uv_timer_start(&stream->timer, on_timer, after_ms, 0);
}

static void start_idle_timer(MkStream *stream)
{
    if (stream->idle_ms > 0)
        start_timer(stream, stream->idle_ms);
    else
        uv_timer_stop(&stream->timer);
}

/* The only writer of state; each state has one use for the timer. */
void stream_enter(MkStream *stream, StreamState state)
{
    stream->state = state;
    uv_update_time(stream->tcp.loop);
    switch (state) {
    case STREAM_UPGRADING:
    case STREAM_HANDSHAKE: start_timer(stream, MK_LIMIT_TLS_HANDSHAKE_MS); break;
    case STREAM_CLEAR:
    case STREAM_SECURE:
        stream->heard_ms = uv_now(stream->tcp.loop);
        start_idle_timer(stream);
        break;
    case STREAM_CLOSING: start_timer(stream, CLOSE_CHECK_MS); break;
    case STREAM_LINGERING: start_timer(stream, LINGER_MS); break;
    case STREAM_ENDED:
    case STREAM_CLOSED: uv_timer_stop(&stream->timer); break;
    }
}

static void end_with_timeout(MkStream *stream, const char *what)
{
    g_autoptr(GError) error = NULL;

    mk_fail(&error, MK_ERROR_TIMEOUT, "%s", what);
    stream_end(stream, error);
}

/* The timer is not moved with every octet heard; it looks here how long it really was. */
static void on_idle_due(MkStream *stream)
{
    uint64_t quiet_ms = uv_now(stream->tcp.loop) - stream->heard_ms;

    if (quiet_ms < stream->idle_ms) {
        start_timer(stream, stream->idle_ms - quiet_ms);
        return;
    }
    if (stream->events.on_idle == NULL) {
        end_with_timeout(stream, "the peer was silent for too long");
        return;
    }
    mk_stream_ref(stream);
    stream->events.on_idle(stream, stream->cookie);
    mk_stream_unref(stream);
}

/* A slow peer gets its last octets as long as some of them leave, but not forever. */
static void on_close_due(MkStream *stream)
{
    size_t left =
        stream->queued_bytes + uv_stream_get_write_queue_size((uv_stream_t *) &stream->tcp);

    if (++stream->close_checks >= CLOSE_CHECKS || left >= stream->close_left) {
        stream_close_now(stream);
        return;
    }
    stream->close_left = left;
    start_timer(stream, CLOSE_CHECK_MS);
}

static void on_timer(uv_timer_t *handle)
{
    MkStream *stream = handle->data;

    switch (stream->state) {
    case STREAM_CLEAR:
    case STREAM_SECURE: on_idle_due(stream); break;
    case STREAM_UPGRADING:
    case STREAM_HANDSHAKE: end_with_timeout(stream, "the TLS handshake took too long"); break;
    case STREAM_CLOSING: on_close_due(stream); break;
    case STREAM_LINGERING: stream_close_now(stream); break;
    case STREAM_ENDED:
    case STREAM_CLOSED: break;
    }
}

void mk_stream_set_idle_ms(MkStream *stream, uint64_t idle_ms)
{
    stream->idle_ms = idle_ms;
    if (stream->state != STREAM_CLEAR && stream->state != STREAM_SECURE)
        return; /* the handshake has its own limit; SECURE starts the timer */
    uv_update_time(stream->tcp.loop);
    stream->heard_ms = uv_now(stream->tcp.loop);
    start_idle_timer(stream);
}

/* -- the end -------------------------------------------------------------------------------- */

void stream_end(MkStream *stream, const GError *error)
{
    if (!stream_is_open(stream))
        return;
    stream_enter(stream, STREAM_ENDED);
    stream->broken = stream->broken || error != NULL;
    if (stream->broken)
        stream_drop_queue(stream);
    stream_update_reading(stream);
    stream_want_turn(stream); /* an alert may have to leave */
    mk_stream_ref(stream);
    if (stream->events.on_end != NULL)
        stream->events.on_end(stream, error, stream->cookie);
    mk_stream_unref(stream);
}

void stream_end_later(MkStream *stream, GError *error)
{
    stream->broken = true;
    stream_drop_queue(stream);
    if (stream->late_error == NULL)
        stream->late_error = error;
    else
        g_error_free(error);
    stream_want_turn(stream);
}

void stream_fail_uv(MkStream *stream, int rc, const char *what)
{
    g_autoptr(GError) error = NULL;

    stream->broken = true;
    if (!stream_is_open(stream)) {
        stream_drop_queue(stream);
        if (stream->state != STREAM_ENDED) /* else the owner closes */
            stream_close_now(stream);
        return;
    }
    net_fail_uv(&error, rc, "%s", what);
    stream_end(stream, error);
}

void mk_stream_abort(MkStream *stream)
{
    stream_close_now(stream);
}

void mk_stream_close(MkStream *stream)
{
    if (stream->state >= STREAM_CLOSING)
        return;
    stream_enter(stream, STREAM_CLOSING);
    stream->close_left = stream->queued_bytes + stream->sending_bytes;
    if (stream->broken || (stream->ssl != NULL && !stream->secured))
        stream_drop_queue(stream); /* what was meant for TLS never leaves in clear */
    stream_update_reading(stream);
    stream_want_turn(stream);
}

void mk_stream_close_idle(MkStream *stream)
{
    stream->no_linger = true;
    mk_stream_close(stream);
}

static void on_shut_down(uv_shutdown_t *request, int status)
{
    MkStream *stream = request->data;

    g_free(request);
    if (stream->state == STREAM_LINGERING && (status < 0 || stream->peer_eof || stream->no_linger))
        stream_close_now(stream);
    mk_stream_unref(stream);
}

/* All is on its way: FIN, then wait for the peer's, so that no reset destroys our last words. */
static void begin_linger(MkStream *stream)
{
    uv_shutdown_t *request = g_new0(uv_shutdown_t, 1);

    stream_enter(stream, STREAM_LINGERING);
    request->data = mk_stream_ref(stream);
    if (uv_shutdown(request, (uv_stream_t *) &stream->tcp, on_shut_down) != 0) {
        g_free(request);
        stream_close_now(stream);
        mk_stream_unref(stream);
        return;
    }
    stream_update_reading(stream);
}

static void go_on_closing(MkStream *stream)
{
    if (!mk_stream_is_flushed(stream) || stream->busy)
        return;
    if (stream->secured && !stream->notify_sent && !stream->broken) {
        stream_tls_notify(stream);
        stream_flush(stream);
        if (!mk_stream_is_flushed(stream))
            return;
    }
    if (stream->state == STREAM_CLOSING)
        begin_linger(stream);
}

/* -- reading -------------------------------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    /* One for all streams of a loop: octets are used up or copied before the next read. */
    static __thread char chunk[MK_LIMIT_READ_CHUNK_BYTES];

    (void) handle;
    (void) suggested;
    *out = uv_buf_init(chunk, sizeof chunk);
}

static void on_eof(MkStream *stream)
{
    stream->peer_eof = true;
    stream_update_reading(stream);
    if (stream->state == STREAM_LINGERING)
        stream_close_now(stream);
    else if (stream->state == STREAM_CLEAR)
        stream_end(stream, NULL);
    else
        stream_tls_input(stream);
}

static void on_octets(MkStream *stream, const uint8_t *data, size_t length)
{
    stream->heard_ms = uv_now(stream->tcp.loop);
    if (length == MK_LIMIT_READ_CHUNK_BYTES) { /* more is there: let the others come first */
        stream->rest = true;
        stream_update_reading(stream);
        stream_want_turn(stream);
    }
    if (stream->state == STREAM_CLEAR) {
        if (stream->events.on_read != NULL)
            stream->events.on_read(stream, data, length, stream->cookie);
    } else if (stream_is_open(stream)) {
        buffer_put(&stream->in, data, length);
        stream_tls_input(stream);
    }
}

static void on_uv_read(uv_stream_t *handle, ssize_t length, const uv_buf_t *buf)
{
    MkStream *stream = handle->data;

    mk_stream_ref(stream);
    if (length > 0)
        on_octets(stream, (const uint8_t *) buf->base, (size_t) length);
    else if (length == UV_EOF)
        on_eof(stream);
    else if (length < 0)
        stream_fail_uv(stream, (int) length, "read from the peer");
    mk_stream_unref(stream);
}

static bool may_read(const MkStream *stream)
{
    if (stream->peer_eof || stream->rest || stream->busy)
        return false;
    switch (stream->state) {
    case STREAM_CLEAR:
    case STREAM_SECURE: return !stream->paused && buffer_length(&stream->in) == 0;
    case STREAM_HANDSHAKE: /* the owner's pause holds back octets, not the handshake */
    case STREAM_CLOSING:
    case STREAM_LINGERING: return !stream->broken;
    case STREAM_UPGRADING:
    case STREAM_ENDED:
    case STREAM_CLOSED: return false;
    }
    return false;
}

void stream_update_reading(MkStream *stream)
{
    bool wanted = may_read(stream) && stream->late_error == NULL;

    if (wanted == stream->reading)
        return;
    stream->reading = wanted;
    if (!wanted) {
        uv_read_stop((uv_stream_t *) &stream->tcp);
        return;
    }
    if (uv_read_start((uv_stream_t *) &stream->tcp, on_alloc, on_uv_read) != 0) {
        GError *error = NULL;

        stream->reading = false; /* the connection is gone already */
        net_fail_uv(&error, UV_ENOTCONN, "read from the peer");
        stream_end_later(stream, error);
    }
}

void mk_stream_pause(MkStream *stream)
{
    stream->paused = true;
    stream_update_reading(stream);
}

void mk_stream_resume(MkStream *stream)
{
    if (!stream->paused)
        return;
    stream->paused = false;
    stream_want_turn(stream); /* never on_read from inside the owner's call */
}

/* What is due once a turn: octets kept, sealing, sending, the next step of closing. */
static void on_turn(uv_idle_t *handle)
{
    MkStream *stream = handle->data;

    uv_idle_stop(handle);
    mk_stream_ref(stream);
    stream->rest = false;
    if (stream->late_error != NULL)
        stream_end(stream, stream->late_error);
    if (stream->state == STREAM_SECURE && !stream->paused)
        stream_tls_input(stream);
    stream_flush(stream);
    if (stream->state == STREAM_UPGRADING && stream->requests == 0)
        stream_start_handshake(stream);
    if (stream->state == STREAM_CLOSING)
        go_on_closing(stream);
    stream_tell_drain(stream);
    stream_update_reading(stream);
    mk_stream_unref(stream);
}

/* -- small things --------------------------------------------------------------------------- */

void mk_stream_set_events(MkStream *stream, const MkStreamEvents *events, void *cookie)
{
    stream->events = *events;
    stream->cookie = cookie;
}

static void start_tls(MkStream *stream, MkTls *tls, const char *hostname)
{
    GError *error = NULL;

    if (!stream_is_open(stream))
        return;
    g_assert(stream->state == STREAM_CLEAR && stream->ssl == NULL);
    stream_flush_clear(stream);
    stream_enter(stream, STREAM_UPGRADING);
    stream_update_reading(stream);
    if (stream_begin_tls(stream, tls, hostname, &error))
        stream_want_turn(stream);
    else
        stream_end_later(stream, error);
}

void mk_stream_start_tls(MkStream *stream, MkTls *tls)
{
    g_assert(tls->is_server);
    start_tls(stream, tls, NULL);
}

void mk_stream_start_tls_client(MkStream *stream, MkTls *tls, const char *hostname)
{
    g_assert(!tls->is_server && hostname != NULL);
    start_tls(stream, tls, hostname);
}

bool mk_stream_is_secure(const MkStream *stream)
{
    return stream->secured;
}

const char *mk_stream_tls_description(const MkStream *stream)
{
    return stream->description;
}

const char *mk_stream_peer_fingerprint(const MkStream *stream)
{
    return stream->peer_fingerprint[0] != '\0' ? stream->peer_fingerprint : NULL;
}

const char *mk_stream_peer_address(const MkStream *stream)
{
    return stream->peer;
}

uint64_t mk_stream_id(const MkStream *stream)
{
    return stream->id;
}

static void format_address(const struct sockaddr_storage *address, char out[INET6_ADDRSTRLEN])
{
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *) address;

    if (address->ss_family == AF_INET)
        uv_ip4_name((const struct sockaddr_in *) address, out, INET6_ADDRSTRLEN);
    else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        uv_inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, out, INET6_ADDRSTRLEN);
    else
        uv_ip6_name(v6, out, INET6_ADDRSTRLEN);
}

void stream_set_peer(MkStream *stream)
{
    struct sockaddr_storage address = { 0 };
    int length = sizeof address;

    if (uv_tcp_getpeername(&stream->tcp, (struct sockaddr *) &address, &length) == 0)
        format_address(&address, stream->peer);
    uv_tcp_nodelay(&stream->tcp, 1); /* replies leave in one piece already */
    uv_tcp_keepalive(&stream->tcp, 1, KEEPALIVE_S);
}
