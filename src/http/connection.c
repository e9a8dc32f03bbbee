/*
 * connection.c - one client: requests in, one at a time, and their answers out
 *
 *   IDLE --octet--> HEAD --empty line--> BODY --its end--> HANDLING [handler]
 *    ^                |                    |                   | mk_http_respond()
 *    |                +-- refuse(), 408 ---+-----------------> SENDING
 *    +------------------ keep-alive [answer_sent] --------------+ |
 *                                                                 +--close--> FLUSHING --> CLOSED
 *   any --end of the peer, no progress, stop--> CLOSED [connection_close]
 *
 *   IDLE      pending is empty, or connection_work() is at it.
 *   HANDLING  the request is with the handler; the peer is still listened to, so that its going
 *             is noticed, but what it sends waits in pending, and at a chunk of that it is paused.
 *   SENDING   a sender, or the stream itself, has octets that the peer has yet to take.
 *   FLUSHING  the last answer is on its way; mk_stream_close() alone would cut a slow peer off.
 */
#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>
#include <mailkeep/log.h>

#include "internal.h"

/* A body up to this leaves with the head, in one TLS record. */
#define JOIN_BYTES 16000
#define FLUSH_TICK_MS 50

typedef enum { IDLE, HEAD, BODY, HANDLING, SENDING, FLUSHING, CLOSED } State;

struct MkHttpConnection {
    unsigned refs;
    MkHttpServer *server;
    MkStream *stream;
    MkHttpParser *parser;
    MkTimer *timer;
    State state;
    GByteArray *pending; /* octets behind the request that is handled */
    bool paused;
    bool working;           /* connection_work() is on the stack */
    bool stopping;          /* no request after this one */
    bool keep_alive;        /* after the answer that is being sent */
    MkHttpRequest *request; /* with the handler */
    MkHttpSender *sender;
    uint64_t sent_seen; /* mk_stream_sent_bytes() when last looked at */
    uint64_t stalled_ms;
};

static void connection_work(MkHttpConnection *connection);
static void answer_sent(MkHttpConnection *connection);

static void connection_unref(MkHttpConnection *connection)
{
    if (--connection->refs > 0)
        return;
    mk_http_parser_free(connection->parser);
    g_byte_array_unref(connection->pending);
    mk_stream_unref(connection->stream);
    g_free(connection);
}

static uint64_t state_time_ms(const MkHttpConnection *connection, State state)
{
    const MkHttpTimes *times = &connection->server->times;

    switch (state) {
    case IDLE: return times->idle_ms;
    case HEAD: return times->header_ms;
    case BODY: return times->body_ms;
    case HANDLING: return 0; /* the handler's own business */
    case SENDING: return times->write_ms;
    case FLUSHING: return FLUSH_TICK_MS;
    case CLOSED: return 0;
    }
    g_assert_not_reached();
}

static void connection_enter(MkHttpConnection *connection, State next)
{
    uint64_t time_ms = state_time_ms(connection, next);

    connection->state = next;
    connection->sent_seen = mk_stream_sent_bytes(connection->stream);
    connection->stalled_ms = 0;
    if (time_ms > 0)
        mk_timer_start(connection->timer, time_ms);
    else
        mk_timer_stop(connection->timer);
}

/* In order, or at once; what the handler still does with the request comes to nothing. */
static void connection_close(MkHttpConnection *connection, bool abort)
{
    bool idle = connection->state == IDLE;

    if (connection->state == CLOSED)
        return;
    connection_enter(connection, CLOSED);
    g_clear_pointer(&connection->timer, mk_timer_free);
    g_hash_table_remove(connection->server->connections, connection);
    g_clear_pointer(&connection->sender, mk_http_sender_close);
    if (abort)
        mk_stream_abort(connection->stream);
    else if (idle)
        mk_stream_close_idle(connection->stream);
    else
        mk_stream_close(connection->stream);
    if (connection->request != NULL)
        mk_http_request_lose(g_steal_pointer(&connection->request));
    connection_unref(connection);
}

/* -- the answer ----------------------------------------------------------------------------- */
static void on_body_end(bool whole, void *cookie)
{
    MkHttpConnection *connection = cookie;

    if (!whole) { /* the length is promised already: only a cut tells the client */
        mk_log_warn("http.answer_cut", "connection", MK_LOG_U64(mk_stream_id(connection->stream)));
        connection_close(connection, true);
        return;
    }
    g_clear_pointer(&connection->sender, mk_http_sender_close);
    answer_sent(connection);
}

static void answer_sent(MkHttpConnection *connection)
{
    if (!connection->keep_alive) {
        connection_enter(connection, FLUSHING);
        if (mk_stream_is_flushed(connection->stream))
            connection_close(connection, false);
    } else if (!mk_stream_is_full(connection->stream)) {
        connection_enter(connection, IDLE);
        connection_work(connection);
    } /* else on_drain() */
}

static void send_body(MkHttpConnection *connection, MkHttpResponse *response, bool with_body)
{
    if (!with_body || response->length == 0) {
        answer_sent(connection);
        return;
    }
    connection->sender = mk_http_sender_new(connection->server->loop, connection->stream, response,
                                            on_body_end, connection);
    mk_http_sender_go(connection->sender);
}

static void join_small_body(GString *head, MkHttpResponse *response)
{
    gsize length = 0;
    const char *body = g_bytes_get_data(response->body, &length);

    g_string_append_len(head, body, (gssize) length);
    g_clear_pointer(&response->body, g_bytes_unref);
    response->length = 0;
}

static void answer(MkHttpConnection *connection, const MkHttpRequest *request,
                   MkHttpResponse *response)
{
    bool with_body = mk_http_status_has_body(response->status) &&
                     (request == NULL || strcmp(request->method, "HEAD") != 0);

    connection->keep_alive = request != NULL && request->keep_alive && !connection->stopping;
    g_autoptr(GString) head = mk_http_response_head(
        response, request != NULL ? request->answer_fields : NULL, connection->keep_alive,
        request != NULL && request->is_http_10, mk_clock_unix_ms());
    if (with_body && response->body != NULL && response->length <= JOIN_BYTES)
        join_small_body(head, response);
    connection_enter(connection, SENDING);
    mk_stream_write(connection->stream, head->str, head->len);
    send_body(connection, response, with_body);
}

void mk_http_connection_respond(MkHttpConnection *connection, MkHttpRequest *request,
                                MkHttpResponse *response)
{
    g_assert(connection->request == request);
    mk_log_debug("http.answer", "connection", MK_LOG_U64(mk_stream_id(connection->stream)),
                 "status", MK_LOG_U64(response->status));
    connection->request = NULL;
    connection->refs++;
    answer(connection, request, response);
    connection_unref(connection);
}

/* The protocol's own no: what follows cannot be told from the request, so it ends here. */
static void refuse(MkHttpConnection *connection, unsigned status)
{
    g_autoptr(MkHttpResponse) response =
        mk_http_response_plain(status, mk_stream_is_secure(connection->stream));

    mk_log_debug("http.refused", "connection", MK_LOG_U64(mk_stream_id(connection->stream)),
                 "status", MK_LOG_U64(status));
    g_byte_array_set_size(connection->pending, 0);
    answer(connection, NULL, response);
}

/* -- the request ---------------------------------------------------------------------------- */
static void handle(MkHttpConnection *connection)
{
    MkHttpRequest *request = mk_http_parser_take(connection->parser);

    request->connection = connection;
    request->peer_address = g_strdup(mk_stream_peer_address(connection->stream));
    request->is_secure = mk_stream_is_secure(connection->stream);
    connection->request = request;
    connection_enter(connection, HANDLING);
    connection->server->handler(request, connection->server->cookie);
}

static void react(MkHttpConnection *connection, MkHttpParse parse)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

    switch (parse) {
    case MK_HTTP_PARSE_IDLE: break;
    case MK_HTTP_PARSE_HEAD:
        if (connection->state != HEAD) /* one time for all of the head, from its first octet */
            connection_enter(connection, HEAD);
        break;
    case MK_HTTP_PARSE_BODY:
        if (connection->state != BODY)
            connection_enter(connection, BODY);
        if (mk_http_parser_wants_continue(connection->parser))
            mk_stream_write(connection->stream, go_on, sizeof go_on - 1);
        break;
    case MK_HTTP_PARSE_DONE: handle(connection); break;
    case MK_HTTP_PARSE_FAILED: refuse(connection, mk_http_parser_status(connection->parser)); break;
    }
}

static bool is_reading(const MkHttpConnection *connection)
{
    return connection->state <= BODY;
}

static void pause_or_resume(MkHttpConnection *connection)
{
    bool want = connection->state != CLOSED && !is_reading(connection) &&
                connection->pending->len >= MK_LIMIT_READ_CHUNK_BYTES;

    if (connection->state == CLOSED || want == connection->paused)
        return;
    connection->paused = want;
    if (want)
        mk_stream_pause(connection->stream);
    else
        mk_stream_resume(connection->stream);
}

/* A loop, not a recursion, however many small requests lie in pending. */
static void connection_work(MkHttpConnection *connection)
{
    if (connection->working)
        return;
    connection->working = true;
    connection->refs++;
    guint at = 0;
    while (is_reading(connection) && at < connection->pending->len) {
        size_t used = 0;
        MkHttpParse parse = mk_http_parser_feed(connection->parser, connection->pending->data + at,
                                                connection->pending->len - at, &used);
        at += (guint) used;
        react(connection, parse);
    }
    if (at > 0 && connection->pending->len > 0) /* a refusal has thrown the rest away */
        g_byte_array_remove_range(connection->pending, 0, at);
    pause_or_resume(connection);
    connection->working = false;
    connection_unref(connection);
}

/* -- what the stream and the clock say ------------------------------------------------------- */
static void on_read(MkStream *stream, const uint8_t *data, size_t length, void *cookie)
{
    MkHttpConnection *connection = cookie;

    (void) stream;
    if (connection->state == FLUSHING) /* nobody will read it */
        return;
    g_byte_array_append(connection->pending, data, (guint) length);
    connection_work(connection);
}

static void on_end(MkStream *stream, const GError *error, void *cookie)
{
    (void) stream;
    connection_close(cookie, error != NULL);
}

static void on_drain(MkStream *stream, void *cookie)
{
    MkHttpConnection *connection = cookie;

    (void) stream;
    if (connection->state != SENDING)
        return;
    connection->refs++;
    if (connection->sender != NULL)
        mk_http_sender_go(connection->sender);
    else
        answer_sent(connection);
    connection_unref(connection);
}

/* The peer has taken something since the last look, or it is not the peer we wait for. */
static bool has_progress(MkHttpConnection *connection)
{
    uint64_t sent = mk_stream_sent_bytes(connection->stream);
    bool moved = sent != connection->sent_seen || mk_stream_is_flushed(connection->stream);

    connection->sent_seen = sent;
    return moved;
}

static void flush_tick(MkHttpConnection *connection)
{
    connection->stalled_ms = has_progress(connection) ? 0 : connection->stalled_ms + FLUSH_TICK_MS;
    if (mk_stream_is_flushed(connection->stream))
        connection_close(connection, false);
    else if (connection->stalled_ms >= connection->server->times.write_ms)
        connection_close(connection, true);
    else
        mk_timer_start(connection->timer, FLUSH_TICK_MS);
}

static void on_time(void *cookie)
{
    MkHttpConnection *connection = cookie;

    connection->refs++;
    switch (connection->state) {
    case IDLE:
        /* The end of the last answer may still be on its way to a slow peer. */
        if (!mk_stream_is_flushed(connection->stream) && has_progress(connection))
            mk_timer_start(connection->timer, connection->server->times.idle_ms);
        else
            connection_close(connection, false);
        break;
    case HEAD:
    case BODY: refuse(connection, 408); break;
    case SENDING:
        if (has_progress(connection))
            mk_timer_start(connection->timer, connection->server->times.write_ms);
        else
            connection_close(connection, true);
        break;
    case FLUSHING: flush_tick(connection); break;
    case HANDLING:
    case CLOSED: break;
    }
    connection_unref(connection);
}

void mk_http_connection_new(MkHttpServer *server, MkStream *stream)
{
    static const MkStreamEvents events = { .on_read = on_read,
                                           .on_end = on_end,
                                           .on_drain = on_drain };
    MkHttpConnection *connection = g_new0(MkHttpConnection, 1);

    connection->refs = 1;
    connection->server = server;
    connection->stream = stream;
    connection->parser = mk_http_parser_new();
    connection->pending = g_byte_array_new();
    connection->timer = mk_timer_new(server->loop, on_time, connection);
    g_hash_table_add(server->connections, connection);
    connection_enter(connection, IDLE);
    mk_stream_set_events(stream, &events, connection);
    mk_stream_resume(stream);
}

void mk_http_connection_stop(MkHttpConnection *connection)
{
    connection->stopping = true;
    if (connection->state == IDLE)
        connection_close(connection, false);
    else if (connection->state == SENDING)
        connection->keep_alive = false;
}

void mk_http_connection_abort(MkHttpConnection *connection)
{
    connection_close(connection, true);
}
