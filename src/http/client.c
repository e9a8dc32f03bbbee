/*
 * client.c - one request on a connection of its own
 *
 *  CONNECTING --on_connected--> ANSWER --message complete, or end for one without length--> told
 *  CONNECTING --failed, time is up (both by mk_connect())--> told
 *  ANSWER --error, time is up, too long--> told
 *
 * tell() calls the owner once and frees everything; the stream is closed without a further word.
 */
#include <mailkeep/http.h>

#include <string.h>

#include <llhttp.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>

typedef struct {
    MkLoop *loop;
    MkStream *stream; /* a reference, once connected */
    MkTimer *timer;
    int64_t end_ms;   /* monotonic */
    GString *request; /* wiped: it may hold credentials */
    char *fingerprint;
    size_t answer_max_bytes;
    bool is_head;
    MkHttpAnswerFunc on_answer;
    void *cookie;
    /* the answer as it is read */
    llhttp_t parser;
    GString *field;
    GString *value;
    bool in_value;
    size_t header_bytes;
    char *content_type;
    GByteArray *body;
    bool complete;
    bool too_long;
} Client;

static int on_header_field(llhttp_t *parser, const char *at, size_t length);
static int on_header_value(llhttp_t *parser, const char *at, size_t length);
static int on_headers_complete(llhttp_t *parser);
static int on_body(llhttp_t *parser, const char *at, size_t length);
static int on_message_complete(llhttp_t *parser);

static const llhttp_settings_t parser_settings = {
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

static void client_free(Client *client)
{
    memset(client->request->str, 0, client->request->allocated_len);
    g_string_free(client->request, TRUE);
    g_string_free(client->field, TRUE);
    g_string_free(client->value, TRUE);
    g_byte_array_unref(client->body);
    g_free(client->content_type);
    g_free(client->fingerprint);
    g_free(client);
}

static void drop_connection(Client *client)
{
    g_clear_pointer(&client->timer, mk_timer_free);
    if (client->stream == NULL)
        return;
    mk_stream_close(client->stream);
    g_clear_pointer(&client->stream, mk_stream_unref);
}

static void tell(Client *client, const GError *error)
{
    g_autoptr(GBytes) body = g_bytes_new(client->body->data, client->body->len);
    g_autofree char *fingerprint =
        client->stream != NULL ? g_strdup(mk_stream_peer_fingerprint(client->stream)) : NULL;
    MkHttpAnswer answer = {
        .status = error == NULL ? client->parser.status_code : 0,
        .content_type = client->content_type,
        .body = body,
        .fingerprint = fingerprint,
    };

    drop_connection(client);
    client->on_answer(&answer, error, client->cookie);
    client_free(client);
}

static void tell_failure(Client *client, MkErrorCode code, const char *message)
{
    g_autoptr(GError) error = g_error_new_literal(MK_ERROR, code, message);

    tell(client, error);
}

/* -- the parser --------------------------------------------------------------------------- */

static bool append_limited(Client *client, GString *to, const char *at, size_t length)
{
    client->header_bytes += length;
    if (client->header_bytes > MK_LIMIT_HTTP_HEADER_BYTES) {
        client->too_long = true;
        return false;
    }
    g_string_append_len(to, at, (gssize) length);
    return true;
}

static void field_end(Client *client)
{
    if (client->in_value && g_ascii_strcasecmp(client->field->str, "content-type") == 0) {
        g_free(client->content_type);
        client->content_type = g_strdup(client->value->str);
    }
    if (client->in_value) {
        g_string_truncate(client->field, 0);
        g_string_truncate(client->value, 0);
    }
    client->in_value = false;
}

static int on_header_field(llhttp_t *parser, const char *at, size_t length)
{
    Client *client = parser->data;

    field_end(client);
    return append_limited(client, client->field, at, length) ? 0 : -1;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t length)
{
    Client *client = parser->data;

    client->in_value = true;
    return append_limited(client, client->value, at, length) ? 0 : -1;
}

static int on_headers_complete(llhttp_t *parser)
{
    Client *client = parser->data;

    field_end(client);
    return client->is_head ? 1 : 0; /* 1: no body follows */
}

static int on_body(llhttp_t *parser, const char *at, size_t length)
{
    Client *client = parser->data;

    if (client->body->len + length > client->answer_max_bytes) {
        client->too_long = true;
        return -1;
    }
    g_byte_array_append(client->body, (const uint8_t *) at, (guint) length);
    return 0;
}

/* An interim answer (1xx, RFC 9110 15.2) is not the one we wait for. */
static int on_message_complete(llhttp_t *parser)
{
    if (parser->status_code < 200)
        return 0;
    ((Client *) parser->data)->complete = true;
    return HPE_PAUSED;
}

/* -- the stream --------------------------------------------------------------------------- */

static void on_read(MkStream *stream, const uint8_t *data, size_t length, void *cookie)
{
    Client *client = cookie;
    llhttp_errno_t result = llhttp_execute(&client->parser, (const char *) data, length);

    (void) stream;
    if (client->complete)
        tell(client, NULL);
    else if (client->too_long)
        tell_failure(client, MK_ERROR_LIMIT, "the server's answer is too long");
    else if (result != HPE_OK)
        tell_failure(client, MK_ERROR_NETWORK, "the server's answer is not HTTP");
}

static void on_end(MkStream *stream, const GError *error, void *cookie)
{
    Client *client = cookie;

    (void) stream;
    /* An answer without length ends with the connection, but only with an orderly end. What
     * llhttp_finish() returns says nothing: on_message_complete() stops the parser. */
    if (error == NULL)
        llhttp_finish(&client->parser);
    if (client->complete)
        tell(client, NULL);
    else if (error != NULL)
        tell(client, error);
    else
        tell_failure(client, MK_ERROR_NETWORK, "the server closed the connection in its answer");
}

static void on_time_up(void *cookie)
{
    tell_failure(cookie, MK_ERROR_TIMEOUT, "the server did not answer in time");
}

static bool fingerprint_fits(const Client *client)
{
    const char *shown = mk_stream_peer_fingerprint(client->stream);

    return client->fingerprint == NULL ||
           (shown != NULL && g_ascii_strcasecmp(shown, client->fingerprint) == 0);
}

static void on_connected(MkStream *stream, const GError *error, void *cookie)
{
    static const MkStreamEvents events = { .on_read = on_read, .on_end = on_end };
    Client *client = cookie;

    client->stream = stream;
    if (stream == NULL) {
        tell(client, error);
    } else if (!fingerprint_fits(client)) {
        tell_failure(client, MK_ERROR_TLS,
                     "the server's public key is not the one that was expected");
    } else {
        client->timer = mk_timer_new(client->loop, on_time_up, client);
        mk_timer_start(client->timer, (uint64_t) MAX(client->end_ms - mk_clock_monotonic_ms(), 0));
        mk_stream_set_events(stream, &events, client);
        mk_stream_write(stream, client->request->str, client->request->len);
        mk_stream_resume(stream);
    }
}

static GString *request_text(const MkHttpCall *call)
{
    bool is_ipv6 = strchr(call->host, ':') != NULL;
    GString *text = g_string_sized_new(1024 + call->body_length);

    g_string_append_printf(text, "%s %s HTTP/1.1\r\nHost: %s%s%s:%u\r\nConnection: close\r\n",
                           call->method, call->target, is_ipv6 ? "[" : "", call->host,
                           is_ipv6 ? "]" : "", call->port);
    for (const char *const *h = call->headers; h != NULL && h[0] != NULL; h += 2)
        g_string_append_printf(text, "%s: %s\r\n", h[0], h[1]);
    if (call->body != NULL || strcmp(call->method, "POST") == 0)
        g_string_append_printf(text, "Content-Length: %zu\r\n", call->body_length);
    g_string_append(text, "\r\n");
    if (call->body != NULL)
        g_string_append_len(text, call->body, (gssize) call->body_length);
    return text;
}

void mk_http_call(MkLoop *loop, const MkHttpCall *call, MkHttpAnswerFunc on_answer, void *cookie)
{
    Client *client = g_new0(Client, 1);

    client->loop = loop;
    client->end_ms = mk_clock_monotonic_ms() + (int64_t) call->timeout_ms;
    client->request = request_text(call);
    client->fingerprint = g_strdup(call->fingerprint);
    client->answer_max_bytes = call->answer_max_bytes;
    client->is_head = strcmp(call->method, "HEAD") == 0;
    client->on_answer = on_answer;
    client->cookie = cookie;
    client->field = g_string_new(NULL);
    client->value = g_string_new(NULL);
    client->body = g_byte_array_new();
    llhttp_init(&client->parser, HTTP_RESPONSE, &parser_settings);
    client->parser.data = client;
    mk_connect(loop, call->host, call->port, call->tls, call->timeout_ms, on_connected, client);
}
