/* test_parser.c - requests in octets: what is read, what is refused and with which status */
#include <string.h>

#include <mailkeep/limits.h>

#include "http/internal.h"

/* Feeds @data in pieces of @step; stops at DONE or FAILED. */
static MkHttpParse feed(MkHttpParser *parser, const char *data, size_t length, size_t step,
                        size_t *out_used)
{
    MkHttpParse state = MK_HTTP_PARSE_IDLE;
    size_t at = 0;

    while (at < length && state != MK_HTTP_PARSE_DONE && state != MK_HTTP_PARSE_FAILED) {
        size_t used = 0;
        state =
            mk_http_parser_feed(parser, (const uint8_t *) data + at, MIN(step, length - at), &used);
        at += used;
    }
    *out_used = at;
    return state;
}

#define HOST "Host: a\r\n"
#define GET "GET / HTTP/1.1\r\n"
#define POST "POST / HTTP/1.1\r\n" HOST

/* RFC 9112 and tech-notes 1.2; status 200: read whole. */
static const struct {
    const char *name;
    const char *request;
    unsigned status;
} requests[] = {
    { "get", GET HOST "\r\n", 200 },
    { "http-1.0", "GET / HTTP/1.0\r\n" HOST "\r\n", 200 },
    { "empty-line-before", "\r\n" GET HOST "\r\n", 200 },
    { "length", POST "Content-Length: 3\r\n\r\nabc", 200 },
    { "chunked", POST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 200 },
    { "chunked-any-case", POST "transfer-encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 200 },
    { "trailer", POST "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nHost: b\r\n\r\n",
      200 },
    { "absolute-form", "GET http://b/ HTTP/1.1\r\n" HOST "\r\n", 200 },
    { "options-star", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 200 },
    { "port-in-host", GET "Host: [::1]:8462\r\n\r\n", 200 },
    { "upgrade-ignored", GET HOST "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n", 200 },
    { "no-host", GET "\r\n", 400 },
    { "two-hosts", GET HOST HOST "\r\n", 400 },
    { "empty-host", GET "Host:\r\n\r\n", 400 },
    { "bad-host", GET "Host: a/b\r\n\r\n", 400 },
    { "two-names-in-host", GET "Host: a b\r\n\r\n", 400 },
    { "length-and-chunked", POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
      400 },
    { "chunked-and-length", POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
      400 },
    { "two-lengths", POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400 },
    { "length-plus", POST "Content-Length: +3\r\n\r\nabc", 400 },
    { "length-negative", POST "Content-Length: -3\r\n\r\nabc", 400 },
    { "length-list", POST "Content-Length: 3, 3\r\n\r\nabc", 400 },
    { "length-overflow", POST "Content-Length: 18446744073709551617\r\n\r\n", 400 },
    { "bare-lf", "GET / HTTP/1.1\nHost: a\n\n", 400 },
    { "bare-lf-in-field", GET "Host: a\nX: y\r\n\r\n", 400 },
    { "bare-cr", GET "Host: a\rX: y\r\n\r\n", 400 },
    { "space-before-colon", GET HOST "X : y\r\n\r\n", 400 },
    { "obs-fold", GET HOST "X: y\r\n z\r\n\r\n", 400 },
    { "space-before-name", GET " Host: a\r\n\r\n", 400 },
    { "other-coding", POST "Transfer-Encoding: gzip\r\n\r\n", 501 },
    { "two-codings", POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501 },
    { "chunked-twice", POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400 },
    { "chunked-on-1.0", "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400 },
    { "bad-chunk-size", POST "Transfer-Encoding: chunked\r\n\r\ng\r\n", 400 },
    { "bad-chunk-end", POST "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", 400 },
    { "raw-8-bit-target", "GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", 400 },
    { "bad-escape", "GET /%4 HTTP/1.1\r\n" HOST "\r\n", 400 },
    { "nul-in-path", "GET /%00 HTTP/1.1\r\n" HOST "\r\n", 400 },
    { "path-not-utf-8", "GET /%ff HTTP/1.1\r\n" HOST "\r\n", 400 },
    { "query-not-utf-8", "GET /?a=%ff HTTP/1.1\r\n" HOST "\r\n", 400 },
    { "no-slash", "GET a HTTP/1.1\r\n" HOST "\r\n", 400 },
    { "get-star", "GET * HTTP/1.1\r\n" HOST "\r\n", 400 },
    { "connect", "CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n", 501 },
    { "unknown-method", "FETCH / HTTP/1.1\r\n" HOST "\r\n", 400 },
    { "http-2.0", "GET / HTTP/2.0\r\n" HOST "\r\n", 505 },
    { "http-0.9", "GET / HTTP/0.9\r\n" HOST "\r\n", 505 },
    { "http-9.9", "GET / HTTP/9.9\r\n" HOST "\r\n", 505 },
    { "http-2-preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505 },
    { "expects-other", POST "Content-Length: 3\r\nExpect: x\r\n\r\n", 417 },
    { "tls-hello", "\x16\x03\x01\x02\x00\x01", 400 },
};

static void check(const char *request, size_t length, size_t step, unsigned status)
{
    g_autoptr(MkHttpParser) parser = mk_http_parser_new();
    size_t used = 0;
    MkHttpParse state = feed(parser, request, length, step, &used);

    if (status == 200) {
        g_assert_cmpint(state, ==, MK_HTTP_PARSE_DONE);
        g_assert_cmpuint(used, ==, length);
    } else {
        g_assert_cmpint(state, ==, MK_HTTP_PARSE_FAILED);
        g_assert_cmpuint(mk_http_parser_status(parser), ==, status);
    }
}

static void test_request(const void *data)
{
    size_t index = GPOINTER_TO_SIZE(data);
    size_t length = strlen(requests[index].request);

    for (size_t step = 1; step <= length; step++)
        check(requests[index].request, length, step, requests[index].status);
}

static void test_nul(void)
{
    static const char in_value[] = GET "Host: a\0b\r\n\r\n";
    static const char in_target[] = "GET /\0 HTTP/1.1\r\n" HOST "\r\n";

    check(in_value, sizeof in_value - 1, 7, 400);
    check(in_target, sizeof in_target - 1, 7, 400);
}

/* Cut in two at each octet, the values are the same. */
static void test_values_at_each_split(void)
{
    static const char text[] =
        "POST /a%20b//c?x=1+2&x=3&y=%C3%A4&z HTTP/1.1\r\nHost: a\r\n"
        "X-One:  two words \t\r\nx-one: three\r\nCookie: a=1\r\n"
        "Cookie: mk_session=v; b=2\r\nX-Empty:\r\nContent-Length: 5\r\n\r\n12345"
        "GET /rest";

    for (size_t split = 1; split < sizeof text - 1; split++) {
        g_autoptr(MkHttpParser) parser = mk_http_parser_new();
        size_t used = 0;
        size_t more = 0;
        MkHttpParse state = mk_http_parser_feed(parser, (const uint8_t *) text, split, &used);
        if (state != MK_HTTP_PARSE_DONE) {
            g_assert_cmpuint(used, ==, split);
            state = mk_http_parser_feed(parser, (const uint8_t *) text + split,
                                        sizeof text - 1 - split, &more);
        }
        g_assert_cmpint(state, ==, MK_HTTP_PARSE_DONE);
        g_assert_cmpuint(used + more, ==, sizeof text - 1 - strlen("GET /rest"));
        g_autoptr(MkHttpRequest) request = mk_http_parser_take(parser);
        g_autofree char *cookie = mk_http_cookie(request, "mk_session");
        g_assert_cmpstr(mk_http_method(request), ==, "POST");
        g_assert_cmpstr(mk_http_path(request), ==, "/a b//c");
        g_assert_cmpstr(mk_http_query(request, "x"), ==, "1 2");
        g_assert_cmpstr(mk_http_query(request, "y"), ==, "\xc3\xa4");
        g_assert_cmpstr(mk_http_query(request, "z"), ==, "");
        g_assert_null(mk_http_query(request, "none"));
        g_assert_cmpstr(mk_http_header(request, "X-ONE"), ==, "two words, three");
        g_assert_cmpstr(mk_http_header(request, "X-Empty"), ==, "");
        g_assert_cmpstr(cookie, ==, "v");
        g_assert_cmpmem(g_bytes_get_data(mk_http_body(request), NULL),
                        g_bytes_get_size(mk_http_body(request)), "12345", 5);
        g_assert_true(request->keep_alive);
    }
}

static void test_pipelined(void)
{
    static const char text[] = "GET /1 HTTP/1.1\r\n" HOST "\r\n"
                               "POST /2 HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx"
                               "GET /3 HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n";
    static const char *const paths[] = { "/1", "/2", "/3" };

    for (size_t step = 1; step < sizeof text; step++) {
        g_autoptr(MkHttpParser) parser = mk_http_parser_new();
        size_t at = 0;
        for (size_t i = 0; i < 3; i++) {
            size_t used = 0;
            g_assert_cmpint(feed(parser, text + at, sizeof text - 1 - at, step, &used), ==,
                            MK_HTTP_PARSE_DONE);
            g_autoptr(MkHttpRequest) request = mk_http_parser_take(parser);
            g_assert_cmpstr(mk_http_path(request), ==, paths[i]);
            g_assert_cmpint(request->keep_alive, ==, i < 2);
            at += used;
        }
        g_assert_cmpuint(at, ==, sizeof text - 1);
    }
}

static void test_trailer_is_no_field(void)
{
    static const char text[] = POST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
                                    "X-CSRF-Token: t\r\nHost: b\r\n\r\n";
    g_autoptr(MkHttpParser) parser = mk_http_parser_new();
    size_t used = 0;

    g_assert_cmpint(feed(parser, text, sizeof text - 1, sizeof text, &used), ==,
                    MK_HTTP_PARSE_DONE);
    g_autoptr(MkHttpRequest) request = mk_http_parser_take(parser);
    g_assert_null(mk_http_header(request, "X-CSRF-Token"));
    g_assert_cmpstr(mk_http_header(request, "Host"), ==, "a");
}

static void test_continue(void)
{
    static const struct {
        const char *head;
        bool wants;
    } cases[] = {
        { POST "Expect: 100-Continue\r\nContent-Length: 3\r\n\r\n", true },
        { POST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\na", false },
        { "POST / HTTP/1.0\r\n" HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n", false },
        { POST "Content-Length: 3\r\n\r\n", false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(MkHttpParser) parser = mk_http_parser_new();
        size_t used = 0;
        g_assert_cmpint(feed(parser, cases[i].head, strlen(cases[i].head), 4096, &used), ==,
                        MK_HTTP_PARSE_BODY);
        g_assert_cmpint(mk_http_parser_wants_continue(parser), ==, cases[i].wants);
        g_assert_false(mk_http_parser_wants_continue(parser));
    }
}

/* -- limits: the last that is let in, and the first that is not ------------------------------- */
static GString *repeat(const char *before, char octet, size_t count, const char *behind)
{
    GString *text = g_string_new(before);

    for (size_t i = 0; i < count; i++)
        g_string_append_c(text, octet);
    return g_string_append(text, behind);
}

static void check_text(GString *text, unsigned status)
{
    check(text->str, text->len, 1000, status);
    check(text->str, text->len, text->len, status);
    g_string_free(text, TRUE);
}

static void test_limit_target(void)
{
    const char *end = " HTTP/1.1\r\n" HOST "\r\n";

    check_text(repeat("GET /", 'a', MK_LIMIT_HTTP_URL_BYTES - 1, end), 200);
    check_text(repeat("GET /", 'a', MK_LIMIT_HTTP_URL_BYTES, end), 414);
}

static void test_limit_header_bytes(void)
{
    /* counted: "Host" + "a" + ": CRLF", "X" + value + ": CRLF" */
    size_t room = MK_LIMIT_HTTP_HEADER_BYTES - (4 + 1 + 4) - (1 + 4);

    check_text(repeat(GET HOST "X: ", 'a', room, "\r\n\r\n"), 200);
    check_text(repeat(GET HOST "X: ", 'a', room + 1, "\r\n\r\n"), 431);
    check_text(repeat(GET HOST, 'a', MK_LIMIT_HTTP_HEADER_BYTES, ":\r\n\r\n"), 431);
    /* llhttp drops these unseen */
    check_text(repeat(GET HOST "X: ", ' ',
                      MK_LIMIT_HTTP_HEADER_BYTES + MK_LIMIT_HTTP_URL_BYTES + 256, "\r\n\r\n"),
               431);
    GString *lines = g_string_new(NULL);
    while (lines->len < MK_LIMIT_HTTP_HEADER_BYTES + MK_LIMIT_HTTP_URL_BYTES + 256)
        g_string_append(lines, "\r\n");
    check_text(g_string_append(lines, GET HOST "\r\n"), 431);
}

static void test_limit_header_count(void)
{
    for (size_t extra = 0; extra < 2; extra++) {
        GString *text = g_string_new(GET HOST);
        for (size_t i = 0; i < MK_LIMIT_HTTP_HEADERS - 1 + extra; i++)
            g_string_append_printf(text, "X-%zu: y\r\n", i);
        check_text(g_string_append(text, "\r\n"), extra == 0 ? 200 : 431);
    }
}

static void test_limit_body(void)
{
    for (unsigned extra = 0; extra < 2; extra++) {
        unsigned size = MK_LIMIT_HTTP_BODY_BYTES + extra;
        unsigned status = extra == 0 ? 200 : 413;
        g_autofree char *length = g_strdup_printf(POST "Content-Length: %u\r\n\r\n", size);
        g_autofree char *chunk =
            g_strdup_printf(POST "Transfer-Encoding: chunked\r\n\r\n%x\r\n", size);

        check_text(repeat(length, 'b', size, ""), status);
        check_text(repeat(chunk, 'b', size, "\r\n0\r\n\r\n"), status);
    }
    /* refused at once, before any of it has come */
    check(POST "Content-Length: 99999999\r\n\r\n", strlen(POST "Content-Length: 99999999\r\n\r\n"),
          4096, 413);
}

static void test_limit_chunk_extension(void)
{
    check_text(repeat(POST "Transfer-Encoding: chunked\r\n\r\n1;", 'x', MK_LIMIT_HTTP_HEADER_BYTES,
                      "\r\na\r\n0\r\n\r\n"),
               431);
    GString *tiny = g_string_new(POST "Transfer-Encoding: chunked\r\n\r\n");
    for (unsigned i = 0; i < MK_LIMIT_HTTP_BODY_BYTES - 10; i++)
        g_string_append(tiny, "1\r\na\r\n");
    check_text(g_string_append(tiny, "0\r\n\r\n"), 413);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(requests); i++) {
        g_autofree char *path = g_strdup_printf("/http/parser/%s", requests[i].name);
        g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_request);
    }
    g_test_add_func("/http/parser/nul", test_nul);
    g_test_add_func("/http/parser/values-at-each-split", test_values_at_each_split);
    g_test_add_func("/http/parser/pipelined", test_pipelined);
    g_test_add_func("/http/parser/trailer-is-no-field", test_trailer_is_no_field);
    g_test_add_func("/http/parser/continue", test_continue);
    g_test_add_func("/http/parser/limit/target", test_limit_target);
    g_test_add_func("/http/parser/limit/header-bytes", test_limit_header_bytes);
    g_test_add_func("/http/parser/limit/header-count", test_limit_header_count);
    g_test_add_func("/http/parser/limit/body", test_limit_body);
    g_test_add_func("/http/parser/limit/chunk-extension", test_limit_chunk_extension);
    return g_test_run();
}
