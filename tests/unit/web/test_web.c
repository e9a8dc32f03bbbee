/* test_web.c - every route as every kind of user, over loopback and a real archive */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>

#include "fixture.h"
#include "web/internal.h"

#define JOURNAL "journal@archive.example"
/* With an octet that is not UTF-8, a NUL, and a last line without end: all of it must come back. */
static const char mail[] =
    "From: Out Sider <out@else.example>\r\nTo: zoe@x.example\r\n"
    "Subject: quarterly\r\n\tplan\r\nX-Odd: \xff\r\nX-Note: Bcc\r\n"
    "Date: Tue, 02 Jan 2024 03:04:05 +0000\r\nMessage-ID: <1@else.example>\r\n"
    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nword\xc3\xa4\r\n"
    "--b\r\nContent-Type: text/html\r\n\r\n<p>rich</p>\r\n"
    "--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment;"
    " filename=\"a b.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n"
    "--b--\r\n\0end";

typedef struct {
    Fixture archive;
    MkSettings *settings;
    MkAdmin *admin;
    MkWeb *web;
    MkHttpServer *server;
    MkListener *listener;
    MkConnectionCounter counter;
} Test;

/* -- set up ---------------------------------------------------------------------------------- */
static void on_ingested(const GError *error, void *cookie)
{
    g_assert_no_error(error);
    *(bool *) cookie = true;
}

static bool is_set(void *cookie)
{
    return *(bool *) cookie;
}

static void ingest(Test *test)
{
    MkEnvelope *envelope = mk_envelope_new();
    MkSpool *spool = mk_spool_new(test->archive.archive);
    bool done = false;

    g_free(envelope->reverse_path);
    envelope->reverse_path = g_strdup("out@else.example");
    g_ptr_array_add(envelope->forward_paths, g_strdup(JOURNAL));
    envelope->arrived_unix_ms = mk_clock_unix_ms();
    g_assert_true(mk_spool_add(spool, mail, sizeof mail - 1, NULL));
    mk_archive_ingest(test->archive.archive, envelope, spool, on_ingested, &done);
    fixture_turn_until(&test->archive, is_set, &done);
}

static void set_up(Test *test, const void *unused)
{
    g_autoptr(GError) error = NULL;
    MkGatewayMailbox mailbox = { .address = (char *) JOURNAL };

    (void) unused;
    fixture_init(&test->archive);
    fixture_add_user(&test->archive, "zoe", "login", "zoe@x.example");
    fixture_add_user(&test->archive, "lisa", "login", "lisa@x.example");
    fixture_set_password(&test->archive, "zoe");
    fixture_set_password(&test->archive, "lisa");
    mk_archive_gateway_create(test->archive.archive, &mailbox, NULL, &error);
    g_assert_no_error(error);
    ingest(test);
    fixture_wait_indexed(&test->archive);
    test->settings = mk_settings_parse("", 0, "test", false, &error);
    g_assert_no_error(error);
    test->admin = mk_admin_new(test->archive.loop, test->archive.archive, test->settings);
    test->web = mk_web_new(test->archive.loop, test->archive.archive, test->admin);
    test->server = mk_http_server_new(test->archive.loop, mk_web_handle, test->web);
    test->counter.max = 100;
    test->listener = mk_listener_new(test->archive.loop, "127.0.0.1", 0, NULL, &test->counter,
                                     mk_http_server_accept, test->server, &error);
    g_assert_no_error(error);
}

static void tear_down(Test *test, const void *unused)
{
    (void) unused;
    mk_listener_free(test->listener);
    mk_admin_stop(test->admin);
    mk_http_server_free(test->server);
    g_assert_true(mk_web_is_idle(test->web));
    mk_web_free(test->web);
    mk_admin_free(test->admin);
    mk_settings_free(test->settings);
    fixture_clear(&test->archive);
}

/* -- a client -------------------------------------------------------------------------------- */
typedef struct {
    unsigned status;
    GString *text; /* all of it */
    const char *body;
    size_t body_length;
} Answer;

static void answer_clear(Answer *answer)
{
    g_string_free(answer->text, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answer, answer_clear)

static int connect_to(Test *test)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(mk_listener_port(test->listener)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(connect(fd, (struct sockaddr *) &address, sizeof address), ==, 0);
    return fd;
}

/* @fields: more header lines, each with its end. */
static Answer ask(Test *test, const char *method, const char *target, const char *fields,
                  const char *body)
{
    g_autofree char *request = g_strdup_printf(
        "%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%sContent-Length: %zu\r\n\r\n%s", method,
        target, fields, strlen(body), body);
    int64_t end_ms = mk_clock_monotonic_ms() + 60000;
    Answer answer = { .text = g_string_new(NULL) };
    int fd = connect_to(test);
    char data[65536];

    g_assert_cmpint(send(fd, request, strlen(request), MSG_NOSIGNAL), ==,
                    (ssize_t) strlen(request));
    for (ssize_t got; (got = recv(fd, data, sizeof data, MSG_DONTWAIT)) != 0;) {
        if (got > 0)
            g_string_append_len(answer.text, data, got);
        mk_loop_turn(test->archive.loop);
        g_assert_cmpint(mk_clock_monotonic_ms(), <, end_ms);
    }
    close(fd);
    answer.status = (unsigned) strtoul(answer.text->str + strlen("HTTP/1.1 "), NULL, 10);
    answer.body = strstr(answer.text->str, "\r\n\r\n") + 4;
    answer.body_length = answer.text->len - (size_t) (answer.body - answer.text->str);
    return answer;
}

static char *basic(const char *name, const char *password)
{
    g_autofree char *pair = g_strconcat(name, ":", password, NULL);
    g_autofree char *token = g_base64_encode((const guchar *) pair, strlen(pair));

    return g_strconcat("Authorization: Basic ", token, "\r\n", NULL);
}

static char *between(const char *text, const char *before, const char *behind)
{
    const char *start = strstr(text, before);

    g_assert_nonnull(start);
    start += strlen(before);
    const char *end = strstr(start, behind);
    g_assert_nonnull(end);
    return g_strndup(start, (gsize) (end - start));
}

/* Cookie line and X-CSRF-Token line of a new session. */
static void log_in(Test *test, const char *name, char **out_cookie, char **out_csrf)
{
    g_autofree char *body =
        g_strdup_printf("{\"userName\":\"%s\",\"password\":\"%s\"}", name, FIXTURE_PASSWORD);
    g_auto(Answer) answer =
        ask(test, "POST", "/api/v1/session", "Content-Type: application/json\r\n", body);
    g_assert_cmpuint(answer.status, ==, 200);
    g_autofree char *token = between(answer.text->str, "Set-Cookie: mk_session=", ";");
    g_autofree char *csrf = between(answer.body, "\"csrfToken\":\"", "\"");
    *out_cookie = g_strconcat("Cookie: mk_session=", token, "\r\n", NULL);
    *out_csrf = g_strconcat("X-CSRF-Token: ", csrf, "\r\n", NULL);
}

static void check_security(const Answer *answer)
{
    static const char *const fields[] = {
        "\r\nX-Content-Type-Options: nosniff\r\n",
        "\r\nX-Frame-Options: DENY\r\n",
        "\r\nReferrer-Policy: no-referrer\r\n",
        "\r\nContent-Security-Policy: default-src 'none'",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        g_assert_nonnull(strstr(answer->text->str, fields[i]));
    g_autofree char *cache = between(answer->text->str, "\r\nCache-Control: ", "\r\n");
    g_assert_nonnull(strstr(cache, "no-store"));
}

/* -- who may what ---------------------------------------------------------------------------- */
#define JSON "Content-Type: application/json\r\n"

static const struct {
    const char *method;
    const char *target;
    unsigned nobody;
    unsigned zoe;   /* her mail */
    unsigned lisa;  /* not hers */
    unsigned admin; /* an administrator without a right on zoe's archive */
} access_table[] = {
    { "GET", "/", 200, 200, 200, 200 },
    { "GET", "/favicon.ico", 404, 404, 404, 404 },
    { "GET", "/api/v1/session", 401, 200, 200, 200 },
    { "PUT", "/api/v1/session", 405, 405, 405, 405 },
    { "GET", "/api/v1/folders", 401, 200, 200, 200 },
    { "GET", "/api/v1/messages", 401, 200, 200, 200 },
    { "GET", "/api/v1/messages?folder=zoe/Journal%20Incoming", 401, 200, 404, 404 },
    { "GET", "/api/v1/messages?folder=none", 401, 404, 404, 404 },
    { "GET", "/api/v1/search?q=quarterly", 401, 200, 200, 200 },
    { "GET", "/api/v1/search?folder=zoe", 401, 200, 404, 404 },
    { "GET", "/api/v1/messages/1:1", 401, 200, 404, 404 },
    { "HEAD", "/api/v1/messages/1:1/raw", 401, 200, 404, 404 },
    { "GET", "/api/v1/messages/1:1/raw", 401, 200, 404, 404 },
    { "GET", "/api/v1/messages/1:1/headers", 401, 200, 404, 404 },
    { "GET", "/api/v1/messages/1:1/attachments/3", 401, 200, 404, 404 },
    { "GET", "/api/v1/messages/1:1/attachments/4", 401, 404, 404, 404 },
    { "GET", "/api/v1/messages/1:1/attachments/x", 401, 404, 404, 404 },
    { "GET", "/api/v1/messages/1:1/arrivals", 401, 403, 404, 404 },
    { "GET", "/api/v1/messages/1:1/arrivals/0/report", 401, 403, 404, 404 },
    { "GET", "/api/v1/messages/1:2/raw", 401, 404, 404, 404 },
    { "GET", "/api/v1/messages/2:1/raw", 401, 404, 404, 404 },
    { "GET", "/api/v1/messages/x/raw", 401, 404, 404, 404 },
    { "GET", "/api/v1/messages/1:1%2f/raw", 404, 404, 404, 404 },
    { "GET", "/api/v1/get-metadata", 401, 200, 200, 200 },
    { "POST", "/api/v1/get-metadata", 401, 200, 200, 200 },
    { "POST", "/api/v1/invoke/GetServerInfo", 401, 200, 200, 200 },
    { "GET", "/api/v1/invoke/GetServerInfo", 405, 405, 405, 405 },
};

static void check_access(Test *test, const char *fields, size_t user)
{
    for (size_t i = 0; i < G_N_ELEMENTS(access_table); i++) {
        const unsigned statuses[] = { access_table[i].nobody, access_table[i].zoe,
                                      access_table[i].lisa, access_table[i].admin };
        unsigned expected = statuses[user];
        g_auto(Answer) answer =
            ask(test, access_table[i].method, access_table[i].target, fields, "");
        g_test_message("%zu: %s %s", user, access_table[i].method, access_table[i].target);
        g_assert_cmpuint(answer.status, ==, expected);
        check_security(&answer);
        if (user > 1) /* nothing of the mail, in no answer to those who must not see it */
            g_assert_null(strstr(answer.text->str, "plan"));
    }
}

static void test_access_nobody(Test *test, const void *unused)
{
    g_autofree char *wrong = basic("zoe", "Wrong-horse-1");

    (void) unused;
    check_access(test, "", 0);
    check_access(test, "Cookie: mk_session=0123\r\n", 0);
    check_access(test, "Authorization: Basic !!!\r\n", 0);
    g_auto(Answer) answer = ask(test, "GET", "/api/v1/folders", wrong, "");
    g_assert_cmpuint(answer.status, ==, 401);
}

static void test_access_users(Test *test, const void *unused)
{
    static const char *const names[] = { "zoe", "lisa", "admin" };

    (void) unused;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *by_basic = basic(names[i], FIXTURE_PASSWORD);
        g_autofree char *cookie = NULL;
        g_autofree char *csrf = NULL;
        log_in(test, names[i], &cookie, &csrf);
        g_autofree char *by_cookie = g_strconcat(cookie, csrf, NULL);
        check_access(test, by_basic, i + 1);
        check_access(test, by_cookie, i + 1);
    }
}

/* -- sessions -------------------------------------------------------------------------------- */
static void test_login_forms(Test *test, const void *unused)
{
    static const struct {
        const char *fields;
        const char *body;
        unsigned status;
    } cases[] = {
        { JSON, "{\"userName\":\"zoe\",\"password\":\"" FIXTURE_PASSWORD "\"}", 200 },
        { "Content-Type: Application/JSON; charset=utf-8\r\n",
          "{\"userName\":\"ZOE\",\"password\":\"" FIXTURE_PASSWORD "\"}", 200 },
        { "Content-Type: text/plain\r\n",
          "{\"userName\":\"zoe\",\"password\":\"" FIXTURE_PASSWORD "\"}", 400 },
        { "Content-Type: application/jsonp\r\n",
          "{\"userName\":\"zoe\",\"password\":\"" FIXTURE_PASSWORD "\"}", 400 },
        { "", "{\"userName\":\"zoe\",\"password\":\"" FIXTURE_PASSWORD "\"}", 400 },
        { JSON, "{\"userName\":\"zoe\",\"password\":\"x\"}", 401 },
        { JSON, "{\"userName\":\"none\",\"password\":\"x\"}", 401 },
        { JSON, "{\"userName\":\"\",\"password\":\"\"}", 401 },
        { JSON, "{\"userName\":\"zoe\"}", 400 },
        { JSON, "{\"userName\":\"zoe\\u0000\",\"password\":\"x\"}", 400 },
        { JSON, "{\"userName\":\"\xff\",\"password\":\"x\"}", 400 },
        { JSON, "[", 400 },
        { JSON, "", 400 },
    };

    (void) unused;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Answer) answer =
            ask(test, "POST", "/api/v1/session", cases[i].fields, cases[i].body);
        g_test_message("%s", cases[i].body);
        g_assert_cmpuint(answer.status, ==, cases[i].status);
        g_assert_cmpint(strstr(answer.text->str, "Set-Cookie") != NULL, ==, cases[i].status == 200);
        check_security(&answer);
    }
}

static void test_unknown_and_wrong_are_alike(Test *test, const void *unused)
{
    g_auto(Answer) wrong =
        ask(test, "POST", "/api/v1/session", JSON, "{\"userName\":\"zoe\",\"password\":\"x\"}");
    g_auto(Answer) unknown =
        ask(test, "POST", "/api/v1/session", JSON, "{\"userName\":\"none\",\"password\":\"x\"}");

    (void) unused;
    g_assert_cmpstr(wrong.body, ==, unknown.body);
}

static void test_cookie(Test *test, const void *unused)
{
    g_auto(Answer) answer = ask(test, "POST", "/api/v1/session", JSON,
                                "{\"userName\":\"zoe\",\"password\":\"" FIXTURE_PASSWORD "\"}");
    g_autofree char *cookie = between(answer.text->str, "Set-Cookie: ", "\r\n");

    (void) unused;
    g_assert_true(g_regex_match_simple("^mk_session=[0-9a-f]{64}; Path=/; HttpOnly; Secure; "
                                       "SameSite=Strict$",
                                       cookie, 0, 0));
    g_assert_nonnull(strstr(answer.body, "\"userName\":\"zoe\",\"isAdmin\":false"));
}

static void test_csrf(Test *test, const void *unused)
{
    g_autofree char *cookie = NULL;
    g_autofree char *csrf = NULL;
    g_autofree char *other_cookie = NULL;
    g_autofree char *other_csrf = NULL;

    (void) unused;
    log_in(test, "zoe", &cookie, &csrf);
    log_in(test, "zoe", &other_cookie, &other_csrf);
    g_autofree char *with_basic = basic("zoe", FIXTURE_PASSWORD);
    g_autofree char *both = g_strconcat(cookie, csrf, NULL);
    g_autofree char *crossed = g_strconcat(cookie, other_csrf, NULL);
    g_autofree char *cookie_and_basic = g_strconcat(cookie, with_basic, NULL);
    g_autofree char *elsewhere = g_strconcat(with_basic, "Sec-Fetch-Site: cross-site\r\n", NULL);
    g_autofree char *stale_and_basic = g_strconcat("Cookie: mk_session=0\r\n", with_basic, NULL);
    g_autofree char *short_token = g_strconcat(cookie, "X-CSRF-Token: 0\r\n", NULL);
    const struct {
        const char *fields;
        unsigned status;
    } cases[] = {
        { both, 200 },        { cookie, 403 },          { crossed, 403 },
        { short_token, 403 }, { with_basic, 200 },      { cookie_and_basic, 403 },
        { elsewhere, 403 },   { stale_and_basic, 200 }, { csrf, 401 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Answer) answer =
            ask(test, "POST", "/api/v1/invoke/GetServerInfo", cases[i].fields, "");
        g_test_message("%s", cases[i].fields);
        g_assert_cmpuint(answer.status, ==, cases[i].status);
    }
    g_auto(Answer) logout = ask(test, "DELETE", "/api/v1/session", cookie, "");
    g_assert_cmpuint(logout.status, ==, 403);
}

static void test_session_life(Test *test, const void *unused)
{
    g_autofree char *cookie = NULL;
    g_autofree char *csrf = NULL;

    (void) unused;
    log_in(test, "zoe", &cookie, &csrf);
    g_autofree char *both = g_strconcat(cookie, csrf, NULL);
    g_auto(Answer) who = ask(test, "GET", "/api/v1/session", cookie, "");
    g_autofree char *token = between(csrf, ": ", "\r\n");
    g_assert_nonnull(strstr(who.body, token));
    g_auto(Answer) out = ask(test, "DELETE", "/api/v1/session", both, "");
    g_assert_cmpuint(out.status, ==, 204);
    g_assert_nonnull(strstr(out.text->str, "Set-Cookie: mk_session=; Max-Age=0;"));
    check_security(&out);
    g_auto(Answer) after = ask(test, "GET", "/api/v1/session", cookie, "");
    g_assert_cmpuint(after.status, ==, 401);
}

/* A login ends the session that was there: a token planted before is worth nothing after. */
static void test_no_fixation(Test *test, const void *unused)
{
    g_autofree char *cookie = NULL;
    g_autofree char *csrf = NULL;

    (void) unused;
    log_in(test, "lisa", &cookie, &csrf);
    g_autofree char *fields = g_strconcat(JSON, cookie, NULL);
    g_auto(Answer) again = ask(test, "POST", "/api/v1/session", fields,
                               "{\"userName\":\"zoe\",\"password\":\"" FIXTURE_PASSWORD "\"}");
    g_assert_cmpuint(again.status, ==, 200);
    g_auto(Answer) old = ask(test, "GET", "/api/v1/session", cookie, "");
    g_assert_cmpuint(old.status, ==, 401);
}

static void test_new_password_ends_sessions(Test *test, const void *unused)
{
    g_autofree char *cookie = NULL;
    g_autofree char *csrf = NULL;
    g_autoptr(GError) error = NULL;

    (void) unused;
    log_in(test, "zoe", &cookie, &csrf);
    mk_archive_user_set_password(test->archive.archive, "zoe", "Another-horse-9", &error);
    g_assert_no_error(error);
    g_auto(Answer) answer = ask(test, "GET", "/api/v1/folders", cookie, "");
    g_assert_cmpuint(answer.status, ==, 401);
}

static void test_throttle(Test *test, const void *unused)
{
    unsigned status = 0;

    (void) unused;
    for (int i = 0; i <= MK_LIMIT_LOGIN_FAILURES && status != 429; i++) {
        g_auto(Answer) answer = ask(test, "POST", "/api/v1/session", JSON,
                                    "{\"userName\":\"lisa\",\"password\":\"x\"}");
        status = answer.status;
        if (status == 429)
            g_assert_nonnull(strstr(answer.text->str, "\r\nRetry-After: "));
    }
    g_assert_cmpuint(status, ==, 429);
}

/* -- what is answered ------------------------------------------------------------------------ */
static void test_raw(Test *test, const void *unused)
{
    g_autofree char *zoe = basic("zoe", FIXTURE_PASSWORD);
    g_auto(Answer) answer = ask(test, "GET", "/api/v1/messages/1:1/raw", zoe, "");

    (void) unused;
    g_assert_cmpmem(answer.body, answer.body_length, mail, sizeof mail - 1);
    g_assert_nonnull(strstr(answer.text->str, "\r\nContent-Type: message/rfc822\r\n"));
    g_assert_nonnull(strstr(answer.text->str,
                            "\r\nContent-Disposition: attachment; filename=\"mail-1-1.eml\"; "));
}

static void test_attachment(Test *test, const void *unused)
{
    g_autofree char *zoe = basic("zoe", FIXTURE_PASSWORD);
    g_auto(Answer) answer = ask(test, "GET", "/api/v1/messages/1:1/attachments/3", zoe, "");

    (void) unused;
    g_assert_cmpmem(answer.body, answer.body_length, "\0\1\2", 3);
    g_assert_nonnull(strstr(answer.text->str, "\r\nContent-Type: application/octet-stream\r\n"));
    g_assert_nonnull(strstr(answer.text->str, "attachment; filename=\"a b.pdf\"; "));
}

static yyjson_doc *ask_json(Test *test, const char *target, const char *name)
{
    g_autofree char *fields = basic(name, FIXTURE_PASSWORD);
    g_auto(Answer) answer = ask(test, "GET", target, fields, "");

    g_assert_cmpuint(answer.status, ==, 200);
    yyjson_doc *doc = yyjson_read(answer.body, answer.body_length, 0);
    g_assert_nonnull(doc);
    return doc;
}

static const char *text_at(yyjson_doc *doc, const char *pointer)
{
    return yyjson_get_str(yyjson_doc_ptr_get(doc, pointer));
}

static void test_headers(Test *test, const void *unused)
{
    yyjson_doc *doc = ask_json(test, "/api/v1/messages/1:1/headers", "zoe");

    (void) unused;
    g_assert_cmpstr(text_at(doc, "/headers/0/name"), ==, "From");
    g_assert_cmpstr(text_at(doc, "/headers/2/value"), ==, "quarterly\r\n\tplan");
    g_assert_cmpstr(text_at(doc, "/headers/3/value"), ==, "\xef\xbf\xbd");
    g_assert_cmpuint(yyjson_arr_size(yyjson_doc_ptr_get(doc, "/headers")), ==, 9);
    g_assert_true(g_str_has_suffix(text_at(doc, "/raw"), "boundary=b\r\n"));
    yyjson_doc_free(doc);
}

static void test_message(Test *test, const void *unused)
{
    yyjson_doc *doc = ask_json(test, "/api/v1/messages/1:1", "zoe");

    (void) unused;
    g_assert_cmpstr(text_at(doc, "/id"), ==, "1:1");
    g_assert_cmpstr(text_at(doc, "/folder"), ==, "zoe/Journal Incoming");
    g_assert_cmpstr(text_at(doc, "/kind"), ==, "in");
    g_assert_cmpstr(text_at(doc, "/date"), ==, "2024-01-02T03:04:05Z");
    g_assert_cmpstr(text_at(doc, "/summary/from/0/address"), ==, "out@else.example");
    g_assert_cmpuint(yyjson_arr_size(yyjson_doc_ptr_get(doc, "/parts")), ==, 2);
    g_assert_cmpstr(text_at(doc, "/parts/0/type"), ==, "text/plain");
    g_assert_nonnull(strstr(text_at(doc, "/parts/0/text"), "word\xc3\xa4"));
    g_assert_nonnull(strstr(text_at(doc, "/parts/1/text"), "<p>rich</p>"));
    g_assert_false(yyjson_get_bool(yyjson_doc_ptr_get(doc, "/parts/0/truncated")));
    g_assert_cmpstr(text_at(doc, "/attachments/0/name"), ==, "a b.pdf");
    g_assert_cmpuint(yyjson_get_uint(yyjson_doc_ptr_get(doc, "/attachments/0/n")), ==, 3);
    g_assert_cmpuint(yyjson_get_uint(yyjson_doc_ptr_get(doc, "/attachments/0/size")), ==, 3);
    yyjson_doc_free(doc);
}

static void test_arrivals(Test *test, const void *unused)
{
    g_autoptr(GError) error = NULL;

    (void) unused;
    mk_archive_user_set_rights(test->archive.archive, "admin", "zoe", MK_RIGHT_READ, &error);
    g_assert_no_error(error);
    yyjson_doc *doc = ask_json(test, "/api/v1/messages/1:1/arrivals", "admin");
    g_assert_cmpuint(yyjson_arr_size(yyjson_doc_ptr_get(doc, "/arrivals")), ==, 1);
    g_assert_cmpstr(text_at(doc, "/arrivals/0/reversePath"), ==, "out@else.example");
    g_assert_cmpstr(text_at(doc, "/arrivals/0/forwardPaths/0"), ==, JOURNAL);
    g_assert_false(yyjson_get_bool(yyjson_doc_ptr_get(doc, "/arrivals/0/hasReport")));
    yyjson_doc_free(doc);
}

/* total: how many zoe finds; UINT64_MAX: refused with 400 */
static const struct {
    const char *query;
    uint64_t total;
} searches[] = {
    { "", 1 },
    { "q=quarterly", 1 },
    { "q=nothing", 0 },
    { "q=subject:plan&folder=zoe", 1 },
    { "from=2024-01-02&to=2024-01-02", 1 },
    { "from=2024-01-03", 0 },
    { "to=2024-01-01", 0 },
    { "to=2024-01-02", 1 },
    { "q=&folder=&from=&to=&offset=&limit=&sort=&order=", 1 },
    { "sort=subject&order=desc&offset=0&limit=1000", 1 },
    { "sort=archived&order=asc", 1 },
    { "sort=size", 1 },
    { "sort=from", 1 },
    { "offset=1", 1 },
    { "from=2024-01-03&to=2024-01-02", UINT64_MAX },
    { "from=2024-02-30", UINT64_MAX },
    { "to=yesterday", UINT64_MAX },
    { "sort=colour", UINT64_MAX },
    { "order=up", UINT64_MAX },
    { "limit=0", UINT64_MAX },
    { "limit=1001", UINT64_MAX },
    { "limit=-1", UINT64_MAX },
    { "limit=1e3", UINT64_MAX },
    { "offset=99999999999", UINT64_MAX },
    { "q=%3Fx", UINT64_MAX }, /* search-syntax.md: ? may not begin a word */
};

static void test_searches(Test *test, const void *unused)
{
    g_autofree char *zoe = basic("zoe", FIXTURE_PASSWORD);

    (void) unused;
    for (size_t i = 0; i < G_N_ELEMENTS(searches); i++) {
        g_autofree char *target = g_strconcat("/api/v1/search?", searches[i].query, NULL);
        g_auto(Answer) answer = ask(test, "GET", target, zoe, "");
        g_test_message("%s: %s", searches[i].query, answer.body);
        if (searches[i].total == UINT64_MAX) {
            g_assert_cmpuint(answer.status, ==, 400);
            continue;
        }
        g_autofree char *total = between(answer.body, "{\"total\":", ",");
        g_assert_cmpuint(answer.status, ==, 200);
        g_assert_cmpuint(strtoull(total, NULL, 10), ==, searches[i].total);
    }
    yyjson_doc *doc = ask_json(test, "/api/v1/search?q=quarterly", "lisa");
    g_assert_cmpuint(yyjson_get_uint(yyjson_doc_ptr_get(doc, "/total")), ==, 0);
    yyjson_doc_free(doc);
}

/* The client goes; the job's answer comes to nothing and all is put away (see tear_down()). */
static void test_gone(Test *test, const void *unused)
{
    g_autofree char *zoe = basic("zoe", FIXTURE_PASSWORD);
    g_autofree char *request =
        g_strdup_printf("GET /api/v1/search?q=quarterly HTTP/1.1\r\nHost: a\r\n%s\r\n", zoe);
    int fd = connect_to(test);

    (void) unused;
    g_assert_cmpint(send(fd, request, strlen(request), MSG_NOSIGNAL), ==,
                    (ssize_t) strlen(request));
    for (int i = 0; i < 1000 && mk_web_is_idle(test->web); i++)
        mk_loop_turn(test->archive.loop);
    close(fd);
    for (int i = 0; i < 100000 && !mk_web_is_idle(test->web); i++) {
        mk_loop_turn(test->archive.loop);
        g_usleep(100);
    }
    g_assert_true(mk_web_is_idle(test->web));
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(Test *test, const void *unused);
    } tests[] = {
        { "access/nobody", test_access_nobody },
        { "access/users", test_access_users },
        { "login/forms", test_login_forms },
        { "login/unknown-and-wrong-are-alike", test_unknown_and_wrong_are_alike },
        { "login/cookie", test_cookie },
        { "login/throttle", test_throttle },
        { "session/csrf", test_csrf },
        { "session/life", test_session_life },
        { "session/no-fixation", test_no_fixation },
        { "session/new-password-ends-sessions", test_new_password_ends_sessions },
        { "message/raw", test_raw },
        { "message/attachment", test_attachment },
        { "message/headers", test_headers },
        { "message/parts", test_message },
        { "message/arrivals", test_arrivals },
        { "search", test_searches },
        { "gone", test_gone },
    };

    g_test_init(&argc, &argv, NULL);
    fixture_setup();
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strdup_printf("/web/%s", tests[i].name);
        g_test_add(path, Test, NULL, set_up, tests[i].test, tear_down);
    }
    return g_test_run();
}
