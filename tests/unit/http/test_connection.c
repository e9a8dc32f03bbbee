/* test_connection.c - requests over real sockets on loopback: one at a time, limits, ends */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>

#include "peer.h"

#define HOST "Host: a\r\n"

static void test_keep_alive(Fixture *fixture, const void *unused)
{
    int fd = client_connect(fixture);
    g_autoptr(GString) buffer = g_string_new(NULL);

    (void) unused;
    for (int i = 0; i < 3; i++) {
        client_send_text(fixture, fd, "POST /x HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab");
        g_auto(Answer) answer = client_read(fixture, fd, buffer, false);
        g_assert_cmpuint(answer.status, ==, 200);
        g_assert_cmpstr(answer.body->str, ==, "POST /x ab");
        g_assert_nonnull(strstr(answer.head, "\r\nX-Test: yes\r\n"));
        g_assert_nonnull(strstr(answer.head, "\r\nDate: "));
        g_assert_null(strstr(answer.head, "\r\nConnection:"));
    }
    client_send_text(fixture, fd, "GET /end HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    g_auto(Answer) last = client_read(fixture, fd, buffer, false);
    g_assert_nonnull(strstr(last.head, "\r\nConnection: close\r\n"));
    g_assert_true(client_sees_end(fixture, fd, buffer));
    g_assert_cmpuint(buffer->len, ==, 0);
    close(fd);
}

static void test_each_split(Fixture *fixture, const void *unused)
{
    static const char request[] = "POST /s HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nxyz";
    int fd = client_connect(fixture);
    g_autoptr(GString) buffer = g_string_new(NULL);

    (void) unused;
    for (size_t split = 1; split < sizeof request - 1; split++) {
        client_send(fixture, fd, request, split);
        turn_for_ms(fixture, 2);
        client_send(fixture, fd, request + split, sizeof request - 1 - split);
        g_auto(Answer) answer = client_read(fixture, fd, buffer, false);
        g_assert_cmpstr(answer.body->str, ==, "POST /s xyz");
    }
    close(fd);
}

static void test_pipelined(Fixture *fixture, const void *unused)
{
    int fd = client_connect(fixture);
    g_autoptr(GString) buffer = g_string_new(NULL);
    g_autoptr(GString) requests = g_string_new(NULL);

    (void) unused;
    for (int i = 0; i < 3000; i++) /* more than one chunk: the stream is paused in between */
        g_string_append_printf(requests, "GET /%d HTTP/1.1\r\n" HOST "X-Filler: %050d\r\n\r\n", i,
                               i);
    g_string_append(requests, "GET /none HTTP/1.0\r\n" HOST "\r\n");
    client_send(fixture, fd, requests->str, requests->len);
    for (int i = 0; i < 3000; i++) {
        g_auto(Answer) answer = client_read(fixture, fd, buffer, false);
        g_autofree char *body = g_strdup_printf("GET /%d ", i);
        g_assert_cmpstr(answer.body->str, ==, body);
    }
    g_auto(Answer) last = client_read(fixture, fd, buffer, false);
    g_assert_cmpuint(last.status, ==, 204);
    g_assert_true(client_sees_end(fixture, fd, buffer));
    close(fd);
}

/* The second waits until the first is answered, however long that takes. */
static void test_one_at_a_time(Fixture *fixture, const void *unused)
{
    int fd = client_connect(fixture);
    g_autoptr(GString) buffer = g_string_new(NULL);

    (void) unused;
    client_send_text(fixture, fd,
                     "GET /later HTTP/1.1\r\n" HOST "\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n");
    turn_for_ms(fixture, 50);
    g_assert_cmpint(fixture->handled, ==, 1);
    mk_http_respond(g_steal_pointer(&fixture->kept), mk_http_response_new(404));
    g_auto(Answer) first = client_read(fixture, fd, buffer, false);
    g_auto(Answer) second = client_read(fixture, fd, buffer, false);
    g_assert_cmpuint(first.status, ==, 404);
    g_assert_cmpstr(second.body->str, ==, "GET /2 ");
    close(fd);
}

/* What is sent behind a request that is being worked on must not fill our memory. */
static void test_flood_behind_a_request(Fixture *fixture, const void *unused)
{
    int fd = client_connect(fixture);
    g_autoptr(GString) buffer = g_string_new(NULL);
    g_autofree char *octets = g_strnfill(1 << 16, 'x');
    size_t total = 0;

    (void) unused;
    client_send_text(fixture, fd, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    turn_for_ms(fixture, 20);
    for (int quiet = 0; quiet < 200; quiet++) {
        ssize_t sent = send(fd, octets, 1 << 16, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            total += (size_t) sent;
            quiet = 0;
        }
        g_assert_cmpuint(total, <, 64u << 20);
        turn_for_ms(fixture, 1);
    }
    mk_http_respond(g_steal_pointer(&fixture->kept), mk_http_response_new(204));
    g_auto(Answer) first = client_read(fixture, fd, buffer, false);
    g_auto(Answer) second = client_read(fixture, fd, buffer, false);
    g_assert_cmpuint(first.status, ==, 204);
    g_assert_cmpuint(second.status, ==, 400);
    close(fd);
}

static void test_head(Fixture *fixture, const void *unused)
{
    int fd = client_connect(fixture);
    g_autoptr(GString) buffer = g_string_new(NULL);

    (void) unused;
    client_send_text(fixture, fd,
                     "HEAD /big?n=100000 HTTP/1.1\r\n" HOST "\r\n"
                     "HEAD /stream?n=5000000 HTTP/1.1\r\n" HOST "\r\n"
                     "HEAD /x HTTP/1.1\r\n" HOST "\r\n");
    g_auto(Answer) big = client_read(fixture, fd, buffer, true);
    g_auto(Answer) streamed = client_read(fixture, fd, buffer, true);
    g_auto(Answer) small = client_read(fixture, fd, buffer, true);
    g_assert_nonnull(strstr(big.head, "\r\nContent-Length: 100000\r\n"));
    g_assert_nonnull(strstr(streamed.head, "\r\nContent-Length: 5000000\r\n"));
    g_assert_nonnull(strstr(small.head, "\r\nContent-Length: 8\r\n"));
    turn_for_ms(fixture, 20);
    g_assert_cmpuint(buffer->len, ==, 0);
    g_assert_cmpint(fixture->bodies_open, ==, 0);
    close(fd);
}

static void test_continue(Fixture *fixture, const void *unused)
{
    int fd = client_connect(fixture);
    g_autoptr(GString) buffer = g_string_new(NULL);

    (void) unused;
    client_send_text(fixture, fd,
                     "POST /c HTTP/1.1\r\n" HOST
                     "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n");
    g_auto(Answer) go_on = client_read(fixture, fd, buffer, false);
    g_assert_cmpstr(go_on.head, ==, "HTTP/1.1 100 Continue\r\n\r\n");
    client_send_text(fixture, fd, "z");
    g_auto(Answer) answer = client_read(fixture, fd, buffer, false);
    g_assert_cmpstr(answer.body->str, ==, "POST /c z");
    client_send_text(fixture, fd,
                     "POST /c HTTP/1.1\r\n" HOST
                     "Expect: 100-continue\r\nContent-Length: 9999999\r\n\r\n");
    g_auto(Answer) refused = client_read(fixture, fd, buffer, false);
    g_assert_cmpuint(refused.status, ==, 413);
    close(fd);
}

/* The client still sends when we refuse: our answer must reach it all the same. */
static void test_refusal_reaches_a_talker(Fixture *fixture, const void *unused)
{
    int fd = client_connect(fixture);
    g_autoptr(GString) buffer = g_string_new(NULL);
    g_autofree char *octets = g_strnfill(3 << 20, 'x');

    (void) unused;
    client_send_text(fixture, fd, "POST /x HTTP/1.1\r\n" HOST "Content-Length: 3145728\r\n\r\n");
    client_send(fixture, fd, octets, 3 << 20);
    g_auto(Answer) answer = client_read(fixture, fd, buffer, false);
    g_assert_cmpuint(answer.status, ==, 413);
    g_assert_nonnull(strstr(answer.head, "\r\nConnection: close\r\n"));
    close(fd);
}

static void test_refusals_close(Fixture *fixture, const void *unused)
{
    static const struct {
        const char *request;
        unsigned status;
    } cases[] = {
        { "GET / HTTP/1.1\r\n\r\n", 400 },
        { "GET / HTTP/3.0\r\n" HOST "\r\n", 505 },
        { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505 },
        { "\x16\x03\x01\x02\x00\x01\xff\xff\xff", 400 },
        { "POST / HTTP/1.1\r\n" HOST
          "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
          400 },
    };

    (void) unused;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        int fd = client_connect(fixture);
        g_autoptr(GString) buffer = g_string_new(NULL);
        client_send_text(fixture, fd, cases[i].request);
        g_auto(Answer) answer = client_read(fixture, fd, buffer, false);
        g_assert_cmpuint(answer.status, ==, cases[i].status);
        g_assert_nonnull(strstr(answer.head, "\r\nConnection: close\r\n"));
        g_assert_true(client_sees_end(fixture, fd, buffer));
        g_assert_cmpuint(buffer->len, ==, 0);
        close(fd);
    }
    g_assert_cmpint(fixture->handled, ==, 0);
}

/* -- bodies ----------------------------------------------------------------------------------- */
static void check_body(Fixture *fixture, const char *target, gsize length, char octet)
{
    int fd = client_connect(fixture);
    g_autoptr(GString) buffer = g_string_new(NULL);
    g_autofree char *request = g_strdup_printf("GET %s HTTP/1.1\r\n" HOST "\r\n", target);
    g_autofree char *expected = g_strnfill(length, octet);

    for (int i = 0; i < 2; i++) { /* the connection is as good as new afterwards */
        client_send_text(fixture, fd, request);
        g_auto(Answer) answer = client_read(fixture, fd, buffer, false);
        g_assert_cmpuint(answer.status, ==, 200);
        g_assert_true(answer.body->len == length &&
                      memcmp(answer.body->str, expected, length) == 0);
    }
    close(fd);
}

static void test_bodies(Fixture *fixture, const void *unused)
{
    (void) unused;
    check_body(fixture, "/big?n=0", 0, 'b');
    check_body(fixture, "/big?n=16000", 16000, 'b');
    check_body(fixture, "/big?n=16001", 16001, 'b');
    check_body(fixture, "/big?n=20000000", 20000000, 'b');
    check_body(fixture, "/stream?n=0", 0, 's');
    check_body(fixture, "/stream?n=1", 1, 's');
    check_body(fixture, "/stream?n=1000&piece=1", 1000, 's');
    check_body(fixture, "/stream?n=20000000&piece=262144", 20000000, 's');
}

/* Fewer octets than promised, more, or an error: the client must see a cut, not a whole. */
static void test_stream_cut(Fixture *fixture, const void *unused)
{
    static const char *const targets[] = {
        "/stream?n=500000&fail_at=200000",
        "/stream?n=500000&gives=400000",
        "/stream?n=500000&gives=600000&piece=99999",
    };

    (void) unused;
    for (size_t i = 0; i < G_N_ELEMENTS(targets); i++) {
        int fd = client_connect(fixture);
        g_autoptr(GString) buffer = g_string_new(NULL);
        g_autofree char *request = g_strdup_printf("GET %s HTTP/1.1\r\n" HOST "\r\n", targets[i]);
        client_send_text(fixture, fd, request);
        g_auto(Answer) answer = client_read(fixture, fd, buffer, false);
        g_assert_cmpuint(answer.body->len, <, 500000);
        g_assert_true(client_sees_end(fixture, fd, buffer));
        close(fd);
    }
}

static void test_slow_reader_holds_back(Fixture *fixture, const void *unused)
{
    int fd = client_connect(fixture);
    g_autoptr(GString) buffer = g_string_new(NULL);
    MkLoopGauges before;
    MkLoopGauges after;

    (void) unused;
    client_send_text(fixture, fd, "GET /stream?n=50000000 HTTP/1.1\r\n" HOST "\r\n");
    turn_for_ms(fixture, 300);
    mk_loop_gauges(fixture->loop, &before);
    turn_for_ms(fixture, 200);
    mk_loop_gauges(fixture->loop, &after);
    g_assert_cmpuint(before.jobs_done[MK_LANE_INTERACTIVE], ==,
                     after.jobs_done[MK_LANE_INTERACTIVE]);
    g_auto(Answer) answer = client_read(fixture, fd, buffer, false);
    g_assert_cmpuint(answer.body->len, ==, 50000000);
    close(fd);
}

static void test_reader_that_stops_is_cut(Fixture *fixture, const void *unused)
{
    int fd = client_connect(fixture);

    (void) unused;
    fixture->server->times.write_ms = 200;
    client_send_text(fixture, fd, "GET /stream?n=50000000 HTTP/1.1\r\n" HOST "\r\n");
    for (int i = 0; i < 100 && fixture->counter.open == 0; i++)
        turn_for_ms(fixture, 10);
    for (int i = 0; i < 500 && fixture->counter.open > 0; i++)
        turn_for_ms(fixture, 10);
    g_assert_cmpuint(fixture->counter.open, ==, 0);
    g_assert_cmpint(fixture->bodies_open, ==, 0);
    close(fd);
}

/* The last answer of a connection waits for a slow reader too, as long as that one reads. */
static void test_slow_reader_of_the_last_answer(Fixture *fixture, const void *unused)
{
    int fd = client_connect(fixture);
    char octets[20000];
    size_t got = 0;

    (void) unused;
    client_send_text(fixture, fd,
                     "GET /big?n=6000000 HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    turn_for_ms(fixture, 100);
    for (int64_t end = mk_clock_monotonic_ms() + 60000;;) {
        ssize_t size = recv(fd, octets, sizeof octets, MSG_DONTWAIT);
        if (size == 0)
            break;
        if (size > 0)
            got += (size_t) size;
        g_assert_cmpint(mk_clock_monotonic_ms(), <, end);
        turn_for_ms(fixture, 1);
    }
    g_assert_cmpuint(got, >, 6000000);
    close(fd);
}

/* -- ends ------------------------------------------------------------------------------------- */
static void test_gone_while_handled(Fixture *fixture, const void *unused)
{
    int fd = client_connect(fixture);

    (void) unused;
    client_send_text(fixture, fd, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    turn_for_ms(fixture, 20);
    g_assert_false(mk_http_is_gone(fixture->kept));
    close(fd);
    turn_for_ms(fixture, 50);
    g_assert_true(mk_http_is_gone(fixture->kept));
    g_assert_cmpint(fixture->gone, ==, 1);
    g_assert_cmpstr(mk_http_path(fixture->kept), ==, "/later");
    mk_http_respond(g_steal_pointer(&fixture->kept), mk_http_response_new(204));
}

static void test_gone_while_streaming(Fixture *fixture, const void *unused)
{
    int fd = client_connect(fixture);

    (void) unused;
    client_send_text(fixture, fd, "GET /stream?n=50000000 HTTP/1.1\r\n" HOST "\r\n");
    turn_for_ms(fixture, 50);
    close(fd);
    turn_for_ms(fixture, 100);
    g_assert_cmpint(fixture->bodies_open, ==, 0);
    g_assert_cmpuint(fixture->counter.open, ==, 0);
}

static void test_times(Fixture *fixture, const void *unused)
{
    static const struct {
        const char *octets;
        unsigned status; /* 0: closed without a word */
    } cases[] = {
        { "", 0 },
        { "GET / HT", 408 },
        { "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nab", 408 },
    };

    (void) unused;
    fixture->server->times.idle_ms = 150;
    fixture->server->times.header_ms = 150;
    fixture->server->times.body_ms = 150;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        int fd = client_connect(fixture);
        g_autoptr(GString) buffer = g_string_new(NULL);
        client_send_text(fixture, fd, cases[i].octets);
        if (cases[i].status != 0) {
            g_auto(Answer) answer = client_read(fixture, fd, buffer, false);
            g_assert_cmpuint(answer.status, ==, cases[i].status);
        }
        g_assert_true(client_sees_end(fixture, fd, buffer));
        g_assert_cmpuint(buffer->len, ==, 0);
        close(fd);
    }
}

/* An octet now and then does not keep a half request alive. */
static void test_slow_loris(Fixture *fixture, const void *unused)
{
    int fd = client_connect(fixture);
    g_autoptr(GString) buffer = g_string_new(NULL);

    (void) unused;
    fixture->server->times.header_ms = 200;
    client_send_text(fixture, fd, "GET / HTTP/1.1\r\n");
    for (int i = 0; i < 20; i++) {
        client_send_text(fixture, fd, "X: y\r\n");
        turn_for_ms(fixture, 20);
    }
    g_auto(Answer) answer = client_read(fixture, fd, buffer, false);
    g_assert_cmpuint(answer.status, ==, 408);
    close(fd);
}

static void test_stop(Fixture *fixture, const void *unused)
{
    int idle = client_connect(fixture);
    int busy = client_connect(fixture);
    int stuck = client_connect(fixture);
    g_autoptr(GString) buffer = g_string_new(NULL);

    (void) unused;
    client_send_text(fixture, busy, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    client_send_text(fixture, stuck, "GET /half HTTP/1.1\r\n");
    turn_for_ms(fixture, 50);
    mk_http_server_stop(fixture->server, 500);
    g_assert_true(client_sees_end(fixture, idle, buffer));
    g_assert_cmpuint(buffer->len, ==, 0);
    mk_http_respond(g_steal_pointer(&fixture->kept), mk_http_response_new(404));
    g_auto(Answer) answer = client_read(fixture, busy, buffer, false);
    g_assert_cmpuint(answer.status, ==, 404);
    g_assert_nonnull(strstr(answer.head, "\r\nConnection: close\r\n"));
    g_assert_true(client_sees_end(fixture, busy, buffer));
    g_assert_true(client_sees_end(fixture, stuck, buffer));
    close(idle);
    close(busy);
    close(stuck);
    turn_for_ms(fixture, 50);
    g_assert_cmpuint(fixture->counter.open, ==, 0);
}

static void test_free_with_work_under_way(Fixture *fixture, const void *unused)
{
    int later = client_connect(fixture);
    int streaming = client_connect(fixture);

    (void) unused;
    client_send_text(fixture, later, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    client_send_text(fixture, streaming, "GET /stream?n=50000000 HTTP/1.1\r\n" HOST "\r\n");
    turn_for_ms(fixture, 20);
    close(later);
    close(streaming);
    /* fixture_tear_down() does the rest */
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(Fixture *fixture, const void *unused);
    } tests[] = {
        { "keep-alive", test_keep_alive },
        { "each-split", test_each_split },
        { "pipelined", test_pipelined },
        { "one-at-a-time", test_one_at_a_time },
        { "flood-behind-a-request", test_flood_behind_a_request },
        { "head", test_head },
        { "continue", test_continue },
        { "refusal-reaches-a-talker", test_refusal_reaches_a_talker },
        { "refusals-close", test_refusals_close },
        { "bodies", test_bodies },
        { "stream-cut", test_stream_cut },
        { "slow-reader-holds-back", test_slow_reader_holds_back },
        { "reader-that-stops-is-cut", test_reader_that_stops_is_cut },
        { "slow-reader-of-the-last-answer", test_slow_reader_of_the_last_answer },
        { "gone-while-handled", test_gone_while_handled },
        { "gone-while-streaming", test_gone_while_streaming },
        { "times", test_times },
        { "slow-loris", test_slow_loris },
        { "stop", test_stop },
        { "free-with-work-under-way", test_free_with_work_under_way },
    };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strdup_printf("/http/connection/%s", tests[i].name);
        g_test_add(path, Fixture, NULL, fixture_set_up, tests[i].test, fixture_tear_down);
    }
    return g_test_run();
}
