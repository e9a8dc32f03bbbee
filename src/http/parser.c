/*
 * parser.c - octets in, a request or a status out
 *
 *   IDLE --octet--> HEAD --empty line--> BODY --its end--> DONE [mk_http_parser_take()] --> IDLE
 *   any --malformed, or over a limit--> FAILED
 *
 * llhttp knows the grammar and is never made lenient; what it leaves to the server is here
 * (tech-notes 1.2): the limits, one Host, no Transfer-Encoding on HTTP/1.0, no other coding than
 * chunked. The raw octets are counted too, because llhttp drops some unseen (blanks around a
 * value, empty lines before a request, chunk sizes).
 */
#include <string.h>

#include <llhttp.h>

#include <mailkeep/limits.h>

#include "internal.h"

/* Method, version, line ends: what is neither target nor header field. */
#define HEAD_RAW_MAX (MK_LIMIT_HTTP_URL_BYTES + MK_LIMIT_HTTP_HEADER_BYTES + 256u)
/* A sane client sends large chunks; one octet in each costs six. */
#define BODY_RAW_MAX (4u * MK_LIMIT_HTTP_BODY_BYTES)

struct MkHttpParser {
    llhttp_t llhttp;
    llhttp_settings_t settings;
    MkHttpRequest *request;
    MkHttpParse state;
    unsigned status;   /* 0, or why it failed */
    size_t head_bytes; /* of header fields, trailers and chunk extensions */
    size_t raw_bytes;  /* of the head, then of the body */
    unsigned field_count;
    GString *name;
    GString *value;
    bool wants_continue;
};

static MkHttpParser *parser_of(llhttp_t *llhttp)
{
    return llhttp->data;
}

/* For a callback: remember the status, make llhttp stop. */
static int refuse(MkHttpParser *parser, unsigned status)
{
    parser->status = status;
    return -1;
}

static int on_url(llhttp_t *llhttp, const char *at, size_t length)
{
    MkHttpParser *parser = parser_of(llhttp);

    if (parser->request->target->len + length > MK_LIMIT_HTTP_URL_BYTES)
        return refuse(parser, 414);
    g_string_append_len(parser->request->target, at, (gssize) length);
    return 0;
}

static int on_version_complete(llhttp_t *llhttp)
{
    MkHttpParser *parser = parser_of(llhttp);

    if (llhttp->http_major != 1 || llhttp->http_minor > 1)
        return refuse(parser, 505);
    parser->request->is_http_10 = llhttp->http_minor == 0;
    return 0;
}

static int head_count(MkHttpParser *parser, size_t length)
{
    parser->head_bytes += length;
    return parser->head_bytes > MK_LIMIT_HTTP_HEADER_BYTES ? refuse(parser, 431) : 0;
}

static int on_field(llhttp_t *llhttp, const char *at, size_t length)
{
    MkHttpParser *parser = parser_of(llhttp);

    g_string_append_len(parser->name, at, (gssize) length);
    return head_count(parser, length);
}

static int on_value(llhttp_t *llhttp, const char *at, size_t length)
{
    MkHttpParser *parser = parser_of(llhttp);

    g_string_append_len(parser->value, at, (gssize) length);
    return head_count(parser, length);
}

static int on_value_complete(llhttp_t *llhttp)
{
    MkHttpParser *parser = parser_of(llhttp);

    if (++parser->field_count > MK_LIMIT_HTTP_HEADERS)
        return refuse(parser, 431);
    /* A trailer is counted and forgotten: it must not pass for a header field (RFC 9110 6.5.1). */
    if (parser->state != MK_HTTP_PARSE_BODY)
        mk_http_request_add_field(parser->request, parser->name->str,
                                  g_strchomp(parser->value->str));
    g_string_truncate(parser->name, 0);
    g_string_truncate(parser->value, 0);
    return head_count(parser, strlen(": \r\n"));
}

static int on_extension(llhttp_t *llhttp, const char *at, size_t length)
{
    (void) at;
    return head_count(parser_of(llhttp), length);
}

/*
 * Host = uri-host [ ":" port ]      ; RFC 9110 7.2
 * Only octets that may stand there at all; which name it is matters to nobody here.
 */
static bool host_is_good(const MkHttpRequest *request)
{
    const char *host = mk_http_header(request, "host");

    if (request->host_count != 1 || *host == '\0')
        return false;
    for (; *host != '\0'; host++)
        if (!g_ascii_isalnum(*host) && strchr("-._~%!$&'()*+,;=:[]", *host) == NULL)
            return false;
    return true;
}

static unsigned check_framing(const MkHttpParser *parser)
{
    const MkHttpRequest *request = parser->request;
    const char *coding = mk_http_header(request, "transfer-encoding");

    if (coding != NULL) {
        if (request->is_http_10)
            return 400; /* RFC 9112 6.1: faulty framing; a proxy may have read it otherwise */
        if (g_ascii_strcasecmp(coding, "chunked") != 0)
            return 501;
    }
    if (parser->llhttp.content_length > MK_LIMIT_HTTP_BODY_BYTES)
        return 413;
    return 0;
}

static unsigned check_expect(MkHttpParser *parser)
{
    const char *expect = mk_http_header(parser->request, "expect");

    if (expect == NULL || parser->request->is_http_10)
        return 0;
    if (g_ascii_strcasecmp(expect, "100-continue") != 0)
        return 417;
    parser->wants_continue =
        (parser->llhttp.flags & F_CHUNKED) != 0 || parser->llhttp.content_length > 0;
    return 0;
}

static unsigned check_head(MkHttpParser *parser)
{
    MkHttpRequest *request = parser->request;

    request->method = llhttp_method_name((llhttp_method_t) parser->llhttp.method);
    if (parser->llhttp.method == HTTP_CONNECT)
        return 501;
    if (!host_is_good(request))
        return 400;
    unsigned status = mk_http_request_read_target(request);
    if (status == 0)
        status = check_framing(parser);
    return status != 0 ? status : check_expect(parser);
}

static int on_headers_complete(llhttp_t *llhttp)
{
    MkHttpParser *parser = parser_of(llhttp);
    unsigned status = check_head(parser);

    if (status != 0)
        return refuse(parser, status);
    llhttp->upgrade = 0; /* an Upgrade may be ignored (RFC 9110 7.8) and is */
    parser->state = MK_HTTP_PARSE_BODY;
    parser->raw_bytes = 0;
    return 0;
}

static int on_body(llhttp_t *llhttp, const char *at, size_t length)
{
    MkHttpParser *parser = parser_of(llhttp);
    GByteArray *body = parser->request->body;

    if (body->len + length > MK_LIMIT_HTTP_BODY_BYTES)
        return refuse(parser, 413);
    g_byte_array_append(body, (const guint8 *) at, (guint) length);
    parser->wants_continue = false; /* it does not wait after all */
    return 0;
}

static int on_message_complete(llhttp_t *llhttp)
{
    MkHttpParser *parser = parser_of(llhttp);

    parser->request->keep_alive = llhttp_should_keep_alive(llhttp) != 0;
    parser->state = MK_HTTP_PARSE_DONE;
    return HPE_PAUSED; /* one request at a time */
}

static void parser_reset(MkHttpParser *parser)
{
    llhttp_init(&parser->llhttp, HTTP_REQUEST, &parser->settings);
    parser->llhttp.data = parser;
    parser->request = mk_http_request_new();
    parser->state = MK_HTTP_PARSE_IDLE;
    parser->head_bytes = 0;
    parser->raw_bytes = 0;
    parser->field_count = 0;
    parser->wants_continue = false;
}

MkHttpParser *mk_http_parser_new(void)
{
    MkHttpParser *parser = g_new0(MkHttpParser, 1);
    llhttp_settings_t *settings = &parser->settings;

    llhttp_settings_init(settings);
    settings->on_url = on_url;
    settings->on_version_complete = on_version_complete;
    settings->on_header_field = on_field;
    settings->on_header_value = on_value;
    settings->on_header_value_complete = on_value_complete;
    settings->on_chunk_extension_name = on_extension;
    settings->on_chunk_extension_value = on_extension;
    settings->on_headers_complete = on_headers_complete;
    settings->on_body = on_body;
    settings->on_message_complete = on_message_complete;
    parser->name = g_string_new(NULL);
    parser->value = g_string_new(NULL);
    parser_reset(parser);
    return parser;
}

void mk_http_parser_free(MkHttpParser *parser)
{
    if (parser == NULL)
        return;
    mk_http_request_free(parser->request);
    g_string_free(parser->name, TRUE);
    g_string_free(parser->value, TRUE);
    g_free(parser);
}

static unsigned status_of(const MkHttpParser *parser, llhttp_errno_t problem)
{
    if (parser->status != 0)
        return parser->status;
    /* "PRI * HTTP/2.0": a client that takes us for an HTTP/2 server. */
    if (problem == HPE_PAUSED_H2_UPGRADE)
        return 505;
    /* llhttp calls a bare LF behind a good version an invalid version too. */
    return problem == HPE_INVALID_VERSION && parser->llhttp.http_major != 1 ? 505 : 400;
}

/* How much may be fed before the raw octets of this part are too many; then one octet more fails. */
static size_t raw_room(const MkHttpParser *parser)
{
    size_t max = parser->state == MK_HTTP_PARSE_BODY ? BODY_RAW_MAX : HEAD_RAW_MAX;

    return max - parser->raw_bytes + 1;
}

static size_t feed_some(MkHttpParser *parser, const uint8_t *data, size_t length)
{
    MkHttpParse before = parser->state;
    size_t room = raw_room(parser);
    size_t size = MIN(length, room);
    llhttp_errno_t result = llhttp_execute(&parser->llhttp, (const char *) data, size);

    if (parser->state == MK_HTTP_PARSE_DONE)
        return (size_t) (llhttp_get_error_pos(&parser->llhttp) - (const char *) data);
    if (parser->state == before) /* else the count began anew within these octets: close enough */
        parser->raw_bytes += size;
    if (result != HPE_OK) {
        parser->status = status_of(parser, result);
        parser->state = MK_HTTP_PARSE_FAILED;
    } else if (size == room && parser->state == before) {
        parser->status = before == MK_HTTP_PARSE_BODY ? 413 : 431;
        parser->state = MK_HTTP_PARSE_FAILED;
    }
    return size;
}

MkHttpParse mk_http_parser_feed(MkHttpParser *parser, const uint8_t *data, size_t length,
                                size_t *out_used)
{
    size_t used = 0;

    while (used < length && parser->state < MK_HTTP_PARSE_DONE) {
        if (parser->state == MK_HTTP_PARSE_IDLE)
            parser->state = MK_HTTP_PARSE_HEAD;
        used += feed_some(parser, data + used, length - used);
    }
    *out_used = used;
    return parser->state;
}

unsigned mk_http_parser_status(const MkHttpParser *parser)
{
    return parser->status;
}

bool mk_http_parser_wants_continue(MkHttpParser *parser)
{
    bool wants = parser->state == MK_HTTP_PARSE_BODY && parser->wants_continue;

    if (wants)
        parser->wants_continue = false;
    return wants;
}

MkHttpRequest *mk_http_parser_take(MkHttpParser *parser)
{
    g_assert(parser->state == MK_HTTP_PARSE_DONE);
    MkHttpRequest *request = parser->request;

    request->body_bytes = g_byte_array_free_to_bytes(request->body);
    request->body = g_byte_array_new();
    parser_reset(parser);
    return request;
}
