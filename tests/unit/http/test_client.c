/*
 * test_client.c - mk_http_call() against servers that answer well, badly and not at all
 *
 * The server here is a listener and a text: whatever comes first from the client is answered
 * with that text, then the connection is closed, cut or left open.
 */
#include <mailkeep/http.h>

#include <string.h>

#include <glib/gstdio.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>

enum { PATIENCE_MS = 20000 };

typedef enum { THEN_CLOSE, THEN_ABORT, THEN_STAY } Then;

typedef struct {
    const char *name;
    const char *answer; /* "" = silence */
    Then then;
    int code; /* MkErrorCode, or -1 = an answer */
    unsigned status;
    const char *content_type;
    const char *body;
} Case;

typedef struct {
    MkLoop *loop;
    MkListener *listener;
    MkConnectionCounter counter;
    GBytes *answer;
    Then then;
    MkStream *served;
    GString *request; /* all that the server has seen */
    /* what the client was told */
    unsigned told;
    unsigned status;
    char *content_type;
    char *fingerprint;
    GBytes *body;
    GError *error;
} Fixture;

/* -- the server --------------------------------------------------------------------------- */
static void drop_served(Fixture *f, bool abort)
{
    MkStream *stream = g_steal_pointer(&f->served);

    if (stream == NULL)
        return;
    if (abort)
        mk_stream_abort(stream);
    else
        mk_stream_close(stream);
    mk_stream_unref(stream);
}

static void on_read(MkStream *stream, const uint8_t *data, size_t length, void *cookie)
{
    Fixture *f = cookie;
    bool is_first = f->request->len == 0;

    g_string_append_len(f->request, (const char *) data, (gssize) length);
    if (!is_first || g_bytes_get_size(f->answer) == 0)
        return;
    mk_stream_write_bytes(stream, f->answer);
    if (f->then == THEN_CLOSE)
        drop_served(f, false);
}

static void on_end(MkStream *stream, const GError *error, void *cookie)
{
    (void) stream;
    (void) error;
    drop_served(cookie, true);
}

static void on_accept(MkStream *stream, void *cookie)
{
    static const MkStreamEvents events = { .on_read = on_read, .on_end = on_end };
    Fixture *f = cookie;

    g_assert_null(f->served);
    f->served = stream;
    mk_stream_set_events(stream, &events, f);
    mk_stream_resume(stream);
}

static void set_up(Fixture *f, MkTls *tls, const char *answer, size_t length, Then then)
{
    g_autoptr(GError) error = NULL;

    *f = (Fixture){ .counter.max = 10, .then = then };
    f->answer = g_bytes_new(answer, length);
    f->request = g_string_new(NULL);
    f->loop = mk_loop_new(1, 1, &error);
    g_assert_no_error(error);
    f->listener = mk_listener_new(f->loop, "127.0.0.1", 0, tls, &f->counter, on_accept, f, &error);
    g_assert_no_error(error);
}

static void tear_down(Fixture *f)
{
    mk_listener_free(f->listener);
    drop_served(f, true);
    mk_loop_free(f->loop);
    g_bytes_unref(f->answer);
    g_string_free(f->request, TRUE);
    g_free(f->content_type);
    g_free(f->fingerprint);
    g_clear_pointer(&f->body, g_bytes_unref);
    g_clear_error(&f->error);
}

/* -- the client --------------------------------------------------------------------------- */
static void on_answer(const MkHttpAnswer *answer, const GError *error, void *cookie)
{
    Fixture *f = cookie;

    f->told++;
    f->status = answer->status;
    f->content_type = g_strdup(answer->content_type);
    f->fingerprint = g_strdup(answer->fingerprint);
    f->body = g_bytes_ref(answer->body);
    f->error = error != NULL ? g_error_copy(error) : NULL;
}

static MkHttpCall call_to(const Fixture *f)
{
    return (MkHttpCall){
        .host = "127.0.0.1",
        .port = mk_listener_port(f->listener),
        .method = "POST",
        .target = "/api/x?y=1",
        .timeout_ms = 10000,
        .answer_max_bytes = 1000,
    };
}

static void call_and_wait(Fixture *f, const MkHttpCall *call)
{
    int64_t end_ms = mk_clock_monotonic_ms() + PATIENCE_MS;

    mk_http_call(f->loop, call, on_answer, f);
    g_assert_cmpuint(f->told, ==, 0); /* never before the call returns */
    while (f->told == 0) {
        /* Cut only when the answer is on its way: an abort throws away what waits. */
        if (f->then == THEN_ABORT && f->served != NULL && f->request->len > 0 &&
            mk_stream_is_flushed(f->served))
            drop_served(f, true);
        mk_loop_turn(f->loop);
        g_usleep(200);
        g_assert_cmpint(mk_clock_monotonic_ms(), <, end_ms);
    }
    for (int i = 0; i < 20; i++)
        mk_loop_turn(f->loop);
    g_assert_cmpuint(f->told, ==, 1);
}

static void assert_body(const Fixture *f, const char *expected)
{
    gsize length;
    const char *data = g_bytes_get_data(f->body, &length);

    g_assert_cmpmem(data, length, expected, strlen(expected));
}

/* -- cases ---------------------------------------------------------------------------------- */
#define OK "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

static const Case cases[] = {
    { "content-length", OK "Content-Length: 5\r\n\r\nhello", THEN_STAY, -1, 200, "application/json",
      "hello" },
    { "nothing-behind-is-read", OK "Content-Length: 2\r\n\r\nokHTTP/1.1 500 No\r\n\r\n", THEN_STAY,
      -1, 200, "application/json", "ok" },
    { "empty-body", "HTTP/1.1 204 No Content\r\n\r\n", THEN_STAY, -1, 204, NULL, "" },
    { "chunked",
      OK "Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nX: y\r\n\r\n",
      THEN_STAY, -1, 200, "application/json", "hello" },
    { "close-delimited", OK "Connection: close\r\n\r\nuntil the end", THEN_CLOSE, -1, 200,
      "application/json", "until the end" },
    { "http-1.0", "HTTP/1.0 401 No\r\ncontent-type:  text/plain\r\n\r\n", THEN_CLOSE, -1, 401,
      "text/plain", "" },
    { "interim-first", "HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 2\r\n\r\nok", THEN_STAY,
      -1, 200, "application/json", "ok" },
    { "cut-in-length", OK "Content-Length: 50\r\n\r\nhello", THEN_CLOSE, MK_ERROR_NETWORK, 0, NULL,
      NULL },
    { "cut-in-chunk", OK "Transfer-Encoding: chunked\r\n\r\n30\r\nhel", THEN_CLOSE,
      MK_ERROR_NETWORK, 0, NULL, NULL },
    { "cut-before-last-chunk", OK "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n", THEN_CLOSE,
      MK_ERROR_NETWORK, 0, NULL, NULL },
    { "cut-in-header", "HTTP/1.1 200 OK\r\nContent-Ty", THEN_CLOSE, MK_ERROR_NETWORK, 0, NULL,
      NULL },
    { "garbage", "220 mail.example ESMTP\r\n", THEN_STAY, MK_ERROR_NETWORK, 0, NULL, NULL },
    { "two-lengths", OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", THEN_STAY,
      MK_ERROR_NETWORK, 0, NULL, NULL },
    { "length-and-chunked", OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      THEN_STAY, MK_ERROR_NETWORK, 0, NULL, NULL },
    { "overflowing-length", OK "Content-Length: 99999999999999999999999\r\n\r\n", THEN_STAY,
      MK_ERROR_NETWORK, 0, NULL, NULL },
};

static void test_case(gconstpointer data)
{
    const Case *c = data;
    Fixture f;
    MkHttpCall call;

    set_up(&f, NULL, c->answer, strlen(c->answer), c->then);
    call = call_to(&f);
    call_and_wait(&f, &call);
    g_assert_cmpuint(f.status, ==, c->status);
    if (c->code >= 0) {
        g_assert_error(f.error, MK_ERROR, c->code);
    } else {
        g_assert_no_error(f.error);
        g_assert_cmpstr(f.content_type, ==, c->content_type);
        assert_body(&f, c->body);
    }
    g_assert_null(f.fingerprint);
    tear_down(&f);
}

/* A head of @head, then @fill octets of 'x'. */
static void check_too_long(const char *head, size_t fill, int code)
{
    g_autoptr(GString) answer = g_string_new(head);
    MkHttpCall call;
    Fixture f;

    for (size_t i = 0; i < fill; i++)
        g_string_append_c(answer, 'x');
    set_up(&f, NULL, answer->str, answer->len, THEN_CLOSE);
    call = call_to(&f);
    call_and_wait(&f, &call);
    if (code < 0)
        g_assert_no_error(f.error);
    else
        g_assert_error(f.error, MK_ERROR, code);
    tear_down(&f);
}

static void test_too_long(void)
{
    g_autoptr(GString) many = g_string_new("HTTP/1.1 200 OK\r\n");

    check_too_long(OK "\r\n", 1000, -1);
    check_too_long(OK "\r\n", 1001, MK_ERROR_LIMIT);
    check_too_long(OK "Content-Length: 1001\r\n\r\n", 1001, MK_ERROR_LIMIT);
    check_too_long("HTTP/1.1 200 OK\r\nX-Long: ", MK_LIMIT_HTTP_HEADER_BYTES, MK_ERROR_LIMIT);
    for (unsigned i = 0; i < MK_LIMIT_HTTP_HEADER_BYTES / 2; i++)
        g_string_append(many, "X-N: 1\r\n");
    check_too_long(many->str, 0, MK_ERROR_LIMIT);
}

static void test_timeout(void)
{
    const char *const answers[] = { "", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel" };

    for (size_t i = 0; i < G_N_ELEMENTS(answers); i++) {
        MkHttpCall call;
        Fixture f;

        set_up(&f, NULL, answers[i], strlen(answers[i]), THEN_STAY);
        call = call_to(&f);
        call.timeout_ms = 150;
        call_and_wait(&f, &call);
        g_assert_error(f.error, MK_ERROR, MK_ERROR_TIMEOUT);
        tear_down(&f);
    }
}

static void test_nobody_listens(void)
{
    MkHttpCall call;
    Fixture f;

    set_up(&f, NULL, "", 0, THEN_STAY);
    call = call_to(&f);
    g_clear_pointer(&f.listener, mk_listener_free);
    f.told = 0;
    mk_http_call(f.loop, &call, on_answer, &f);
    for (int64_t end = mk_clock_monotonic_ms() + PATIENCE_MS;
         f.told == 0 && mk_clock_monotonic_ms() < end;)
        mk_loop_turn(f.loop);
    g_assert_error(f.error, MK_ERROR, MK_ERROR_NETWORK);
    mk_loop_free(f.loop);
    f.loop = mk_loop_new(1, 1, NULL);
    f.listener = mk_listener_new(f.loop, "127.0.0.1", 0, NULL, &f.counter, on_accept, &f, NULL);
    tear_down(&f);
}

static void test_request(void)
{
    const char *headers[] = { "Authorization", "Basic abc", "X-Two", "2", NULL };
    g_autofree char *expected = NULL;
    MkHttpCall call;
    Fixture f;

    set_up(&f, NULL, "HTTP/1.1 204 No\r\n\r\n", 19, THEN_STAY);
    call = call_to(&f);
    call.headers = headers;
    call.body = "a=1&b=2";
    call.body_length = 7;
    call_and_wait(&f, &call);
    expected = g_strdup_printf("POST /api/x?y=1 HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
                               "Connection: close\r\nAuthorization: Basic abc\r\nX-Two: 2\r\n"
                               "Content-Length: 7\r\n\r\na=1&b=2",
                               call.port);
    g_assert_cmpstr(f.request->str, ==, expected);
    tear_down(&f);
}

/* An empty POST has a length too (RFC 9110 8.6); a GET has none. HEAD has no body to wait for. */
static void test_methods(void)
{
    static const struct {
        const char *method;
        bool has_length;
    } methods[] = { { "POST", true }, { "GET", false }, { "HEAD", false } };

    for (size_t i = 0; i < G_N_ELEMENTS(methods); i++) {
        const char *answer =
            strcmp(methods[i].method, "HEAD") == 0 ? OK "Content-Length: 500\r\n\r\n" : OK "\r\n";
        MkHttpCall call;
        Fixture f;

        set_up(&f, NULL, answer, strlen(answer), THEN_CLOSE);
        call = call_to(&f);
        call.method = methods[i].method;
        call_and_wait(&f, &call);
        g_assert_no_error(f.error);
        g_assert_true(g_str_has_prefix(f.request->str, methods[i].method));
        g_assert_cmpint(strstr(f.request->str, "Content-Length: 0\r\n") != NULL, ==,
                        methods[i].has_length);
        assert_body(&f, "");
        tear_down(&f);
    }
}

/* -- TLS and pinning (SH-05) -------------------------------------------------------------------- */
typedef struct {
    char *dir, *certificate, *key;
    MkTls *server, *trusting, *blind;
} Certificates;

static void certificates_make(Certificates *c)
{
    g_autoptr(GError) error = NULL;

    c->dir = g_dir_make_tmp("mailkeep-test-XXXXXX", &error);
    g_assert_no_error(error);
    c->certificate = g_build_filename(c->dir, "certificate.pem", NULL);
    c->key = g_build_filename(c->dir, "key.pem", NULL);
    mk_tls_make_self_signed("archive.example", c->certificate, c->key, &error);
    g_assert_no_error(error);
    c->server = mk_tls_server_new(c->certificate, c->key, false, true, &error);
    g_assert_no_error(error);
    c->trusting = mk_tls_client_new(c->certificate, true, &error);
    g_assert_no_error(error);
    c->blind = mk_tls_client_new(NULL, false, &error);
    g_assert_no_error(error);
}

static void certificates_clear(Certificates *c)
{
    mk_tls_unref(c->server);
    mk_tls_unref(c->trusting);
    mk_tls_unref(c->blind);
    g_remove(c->certificate);
    g_remove(c->key);
    g_rmdir(c->dir);
    g_free(c->certificate);
    g_free(c->key);
    g_free(c->dir);
}

/* @code -1: the call succeeds. In any other case the server must not have seen an octet. */
static void check_tls(const Certificates *c, MkTls *tls, const char *fingerprint, int code)
{
    const char *answer = OK "Content-Length: 2\r\n\r\nok";
    MkHttpCall call;
    Fixture f;

    set_up(&f, c->server, answer, strlen(answer), THEN_STAY);
    call = call_to(&f);
    call.tls = tls;
    call.fingerprint = fingerprint;
    call_and_wait(&f, &call);
    if (code < 0) {
        g_assert_no_error(f.error);
        assert_body(&f, "ok");
        g_assert_cmpstr(f.fingerprint, ==, mk_tls_public_key_fingerprint(c->server));
    } else {
        g_assert_error(f.error, MK_ERROR, code);
        g_assert_cmpuint(f.request->len, ==, 0);
    }
    tear_down(&f);
}

static void test_pinning(void)
{
    g_autofree char *lower = NULL;
    g_autofree char *other = NULL;
    Certificates c;

    certificates_make(&c);
    lower = g_ascii_strdown(mk_tls_public_key_fingerprint(c.server), -1);
    other = g_strdup(lower);
    other[39] = other[39] == '0' ? '1' : '0';
    check_tls(&c, c.trusting, NULL, -1);
    check_tls(&c, c.blind, lower, -1); /* the pin counts instead of the authorities */
    check_tls(&c, c.trusting, lower, -1);
    check_tls(&c, c.blind, other, MK_ERROR_TLS);
    check_tls(&c, c.trusting, other, MK_ERROR_TLS);
    check_tls(&c, c.blind, "", MK_ERROR_TLS);
    certificates_clear(&c);
}

static void test_untrusted(void)
{
    Certificates ours;
    Certificates theirs;

    certificates_make(&ours);
    certificates_make(&theirs);
    check_tls(&ours, theirs.trusting, NULL, MK_ERROR_TLS);
    certificates_clear(&ours);
    certificates_clear(&theirs);
}

/* An answer that ends with the connection ends with close_notify, or it was cut off. */
static void test_end_in_tls(void)
{
    static const Then ends[] = { THEN_CLOSE, THEN_ABORT };
    const char *answer = OK "\r\nuntil the end";
    Certificates c;

    certificates_make(&c);
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        MkHttpCall call;
        Fixture f;

        set_up(&f, c.server, answer, strlen(answer), ends[i]);
        call = call_to(&f);
        call.tls = c.trusting;
        call_and_wait(&f, &call);
        if (ends[i] == THEN_CLOSE) {
            g_assert_no_error(f.error);
            assert_body(&f, "until the end");
        } else {
            g_assert_nonnull(f.error);
            g_assert_cmpuint(f.status, ==, 0);
        }
        tear_down(&f);
    }
    certificates_clear(&c);
}

/* A pin on a connection in clear fits nothing: the request stays unsent. */
static void test_pin_in_clear(void)
{
    MkHttpCall call;
    Fixture f;

    set_up(&f, NULL, OK "\r\n", strlen(OK "\r\n"), THEN_CLOSE);
    call = call_to(&f);
    call.fingerprint = "0123456789012345678901234567890123456789";
    call_and_wait(&f, &call);
    g_assert_error(f.error, MK_ERROR, MK_ERROR_TLS);
    g_assert_cmpuint(f.request->len, ==, 0);
    tear_down(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat("/http/client/", cases[i].name, NULL);

        g_test_add_data_func(path, &cases[i], test_case);
    }
    g_test_add_func("/http/client/too-long", test_too_long);
    g_test_add_func("/http/client/timeout", test_timeout);
    g_test_add_func("/http/client/nobody-listens", test_nobody_listens);
    g_test_add_func("/http/client/request", test_request);
    g_test_add_func("/http/client/methods", test_methods);
    g_test_add_func("/http/client/pinning", test_pinning);
    g_test_add_func("/http/client/untrusted", test_untrusted);
    g_test_add_func("/http/client/end-in-tls", test_end_in_tls);
    g_test_add_func("/http/client/pin-in-clear", test_pin_in_clear);
    return g_test_run();
}
