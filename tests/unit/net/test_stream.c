/* test_stream.c - streams in clear and in TLS behave alike: each case runs as both */
#include "fixture.h"

static void say(Peer *peer, const char *text)
{
    mk_stream_write(peer->stream, text, strlen(text));
}

static void check_round_trip(Fixture *f, bool in_tls)
{
    connect_both(f, in_tls);
    say(&f->server, "220 ");
    say(&f->server, "ready\r\n");
    WAIT(f->client.got->len >= 11);
    g_assert_cmpmem(f->client.got->data, f->client.got->len, "220 ready\r\n", 11);
    g_assert_cmpuint(f->client.reads, ==, 1); /* writes of one turn leave in one piece */
    say(&f->client, "QUIT\r\n");
    WAIT(f->server.got->len >= 6);
    g_assert_cmpint(mk_stream_is_secure(f->server.stream), ==, in_tls);
    g_assert_cmpstr(mk_stream_peer_address(f->server.stream), ==, "127.0.0.1");
    g_assert_cmpuint(mk_stream_id(f->server.stream), !=, mk_stream_id(f->client.stream));
    peer_close(&f->client);
    WAIT(f->server.ended > 0);
    g_assert_no_error(f->server.error); /* in order: FIN, or close_notify */
}

static void test_round_trip_clear(Fixture *f, gconstpointer data)
{
    (void) data;
    check_round_trip(f, false);
    g_assert_null(mk_stream_tls_description(f->server.stream));
}

static void test_round_trip_tls(Fixture *f, gconstpointer data)
{
    (void) data;
    check_round_trip(f, true);
    g_assert_true(f->server.secured_before_read);
    g_assert_true(g_str_has_prefix(mk_stream_tls_description(f->server.stream), "TLSv1.3 TLS1-3-"));
}

static void check_close_flushes(Fixture *f, bool in_tls)
{
    enum { LENGTH = 3000000 };
    g_autofree uint8_t *octets = g_malloc(LENGTH);

    connect_both(f, in_tls);
    fill_pattern(octets, LENGTH);
    mk_stream_write(f->server.stream, octets, LENGTH);
    say(&f->server, "the end");
    peer_close(&f->server);
    WAIT(f->client.ended > 0);
    g_assert_no_error(f->client.error);
    g_assert_cmpuint(f->client.got->len, ==, LENGTH + 7);
    g_assert_cmpint(memcmp(f->client.got->data, octets, LENGTH), ==, 0);
    peer_close(&f->client);
    WAIT(f->counter.open == 0);
}

static void test_close_flushes_clear(Fixture *f, gconstpointer data)
{
    (void) data;
    check_close_flushes(f, false);
}

static void test_close_flushes_tls(Fixture *f, gconstpointer data)
{
    (void) data;
    check_close_flushes(f, true);
}

/* A sender that heeds is_full and on_drain moves much data in little memory. */
static void check_back_pressure(Fixture *f, bool in_tls)
{
    enum { BLOCK = 100000, TOTAL = 12000000 };
    g_autofree uint8_t *octets = g_malloc(BLOCK);
    g_autoptr(GBytes) bytes = NULL;
    size_t sent = 0;

    fill_pattern(octets, BLOCK);
    bytes = g_bytes_new(octets, BLOCK);
    connect_both(f, in_tls);
    mk_stream_pause(f->client.stream);
    while (!mk_stream_is_full(f->server.stream)) { /* nothing leaves before the next turn */
        mk_stream_write_bytes(f->server.stream, bytes);
        sent += BLOCK;
    }
    g_assert_cmpuint(sent, <=, MK_LIMIT_WRITE_QUEUE_BYTES + BLOCK);
    for (unsigned seen = 0; sent < TOTAL; seen = f->server.drained) {
        if (seen == 0)
            mk_stream_resume(f->client.stream);
        WAIT(f->server.drained > seen);
        g_assert_false(mk_stream_is_full(f->server.stream));
        while (!mk_stream_is_full(f->server.stream)) {
            mk_stream_write_bytes(f->server.stream, bytes);
            sent += BLOCK;
        }
    }
    WAIT(f->client.got->len == sent);
    for (size_t at = 0; at < sent; at += BLOCK)
        g_assert_cmpint(memcmp(f->client.got->data + at, octets, BLOCK), ==, 0);
}

static void test_back_pressure_clear(Fixture *f, gconstpointer data)
{
    (void) data;
    check_back_pressure(f, false);
}

static void test_back_pressure_tls(Fixture *f, gconstpointer data)
{
    (void) data;
    check_back_pressure(f, true);
}

/* A reader that pauses holds the sender back, hears nothing meanwhile, and loses nothing. */
static void check_pause(Fixture *f, bool in_tls)
{
    enum { LENGTH = 8000000 };
    g_autofree uint8_t *octets = g_malloc(LENGTH);
    unsigned before;

    fill_pattern(octets, LENGTH);
    connect_both(f, in_tls);
    mk_stream_pause(f->server.stream);
    mk_stream_write(f->client.stream, octets, LENGTH);
    peer_close(&f->client);
    turn_for(f, 300);
    g_assert_cmpuint(f->server.got->len, ==, 0);
    g_assert_cmpuint(f->server.ended, ==, 0);
    mk_stream_resume(f->server.stream);
    g_assert_cmpuint(f->server.reads, ==, 0); /* not from inside resume */
    WAIT(f->server.reads > 0);
    mk_stream_pause(f->server.stream);
    before = f->server.got->len;
    turn_for(f, 20);
    g_assert_cmpuint(f->server.got->len, ==, before);
    mk_stream_resume(f->server.stream);
    WAIT(f->server.ended > 0);
    g_assert_no_error(f->server.error);
    g_assert_cmpuint(f->server.got->len, ==, LENGTH);
    g_assert_cmpint(memcmp(f->server.got->data, octets, LENGTH), ==, 0);
}

static void test_pause_clear(Fixture *f, gconstpointer data)
{
    (void) data;
    check_pause(f, false);
}

static void test_pause_tls(Fixture *f, gconstpointer data)
{
    (void) data;
    check_pause(f, true);
}

static void read_and_pause(MkStream *stream, const uint8_t *data, size_t length, void *cookie)
{
    peer_on_read(stream, data, length, cookie);
    mk_stream_pause(stream);
}

/* The end comes only after all octets were delivered, also when each read pauses. */
static void test_end_comes_last(Fixture *f, gconstpointer data)
{
    uint8_t octets[50000];

    (void) data;
    f->server_events.on_read = read_and_pause;
    connect_both(f, true);
    fill_pattern(octets, sizeof octets);
    mk_stream_write(f->client.stream, octets, sizeof octets);
    peer_close(&f->client);
    for (unsigned reads = 0; f->server.got->len < sizeof octets; reads++) {
        WAIT(f->server.reads > reads);
        g_assert_cmpuint(f->server.ended, ==, 0);
        mk_stream_resume(f->server.stream);
    }
    WAIT(f->server.ended > 0);
    g_assert_cmpmem(f->server.got->data, f->server.got->len, octets, sizeof octets);
}

static void test_reset_is_an_error(Fixture *f, gconstpointer data)
{
    struct linger hard = { .l_onoff = 1, .l_linger = 0 };
    int fd;

    (void) data;
    listen_on(f, "127.0.0.1", NULL);
    fd = raw_connect(f);
    WAIT(f->accepted == 1);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
    WAIT(f->server.ended > 0);
    g_assert_cmpint(mk_error_code(f->server.error), ==, MK_ERROR_NETWORK);
    say(&f->server, "into the void");
    turn_for(f, 20);
    g_assert_cmpuint(f->server.ended, ==, 1); /* once */
}

static void test_idle(Fixture *f, gconstpointer data)
{
    int64_t start;

    (void) data;
    connect_both(f, false);
    start = mk_clock_monotonic_ms();
    mk_stream_set_idle_ms(f->server.stream, 150);
    turn_for(f, 100);
    say(&f->client, "x"); /* heard: the time starts anew */
    WAIT(f->server.idle > 0);
    g_assert_cmpint(mk_clock_monotonic_ms() - start, >=, 245);
    g_assert_cmpuint(f->server.ended, ==, 0);
    mk_stream_set_idle_ms(f->server.stream, 50);
    WAIT(f->server.idle > 1);
    mk_stream_set_idle_ms(f->server.stream, 0);
    turn_for(f, 100);
    g_assert_cmpuint(f->server.idle, ==, 2);
}

static void test_idle_without_handler_ends(Fixture *f, gconstpointer data)
{
    (void) data;
    f->server_events.on_idle = NULL;
    connect_both(f, false);
    mk_stream_set_idle_ms(f->server.stream, 30);
    WAIT(f->server.ended > 0);
    g_assert_cmpint(mk_error_code(f->server.error), ==, MK_ERROR_TIMEOUT);
}

static void close_in_read(MkStream *stream, const uint8_t *data, size_t length, void *cookie)
{
    peer_on_read(stream, data, length, cookie);
    mk_stream_write(stream, "221 bye\r\n", 9);
    peer_close(cookie); /* the owner's last reference goes inside the callback */
}

static void check_close_in_callback(Fixture *f, bool in_tls)
{
    f->server_events.on_read = close_in_read;
    connect_both(f, in_tls);
    say(&f->client, "QUIT\r\n");
    WAIT(f->client.ended > 0);
    g_assert_no_error(f->client.error);
    g_assert_cmpmem(f->client.got->data, f->client.got->len, "221 bye\r\n", 9);
    g_assert_cmpuint(f->server.ended, ==, 0); /* silent after close */
}

static void test_close_in_callback_clear(Fixture *f, gconstpointer data)
{
    (void) data;
    check_close_in_callback(f, false);
}

static void test_close_in_callback_tls(Fixture *f, gconstpointer data)
{
    (void) data;
    check_close_in_callback(f, true);
}

static void abort_in_read(MkStream *stream, const uint8_t *data, size_t length, void *cookie)
{
    peer_on_read(stream, data, length, cookie);
    peer_abort(cookie);
}

static void test_abort_in_callback(Fixture *f, gconstpointer data)
{
    uint8_t octets[100000];

    (void) data;
    f->server_events.on_read = abort_in_read;
    connect_both(f, true);
    fill_pattern(octets, sizeof octets);
    mk_stream_write(f->client.stream, octets, sizeof octets);
    WAIT(f->client.ended > 0);
    g_assert_nonnull(f->client.error); /* no close_notify: cut off */
    g_assert_cmpuint(f->server.reads, ==, 1);
}

/* A peer that neither reads nor closes does not hold a closed stream for longer than 5 s. */
static void test_close_is_bounded(Fixture *f, gconstpointer data)
{
    g_autofree uint8_t *octets = g_malloc0(20000000);
    int64_t start;
    int fd;

    (void) data;
    listen_on(f, "127.0.0.1", NULL);
    fd = raw_connect(f);
    WAIT(f->accepted == 1);
    mk_stream_write(f->server.stream, octets, 20000000);
    start = mk_clock_monotonic_ms();
    peer_close(&f->server);
    WAIT(f->counter.open == 0);
    g_assert_cmpint(mk_clock_monotonic_ms() - start, <, 6500);
    close(fd);
}

/* Nothing is owed to it: its FIN is not waited for. Turns are counted, not time. */
static void test_close_idle(Fixture *f, gconstpointer data)
{
    MkStream *stream;
    char got[8];
    int fd;

    (void) data;
    listen_on(f, "127.0.0.1", NULL);
    fd = raw_connect(f);
    WAIT(f->accepted == 1);
    say(&f->server, "bye\r\n");
    stream = g_steal_pointer(&f->server.stream);
    mk_stream_close_idle(stream);
    mk_stream_unref(stream);
    for (int turn = 0; turn < 1000 && f->counter.open > 0; turn++) {
        mk_loop_turn(f->loop);
        g_usleep(200);
    }
    g_assert_cmpuint(f->counter.open, ==, 0);
    g_assert_cmpint(recv(fd, got, sizeof got, 0), ==, 5);
    g_assert_cmpint(recv(fd, got, sizeof got, 0), ==, 0); /* in order, no reset */
    close(fd);
}

/* A peer still talking when we close gets our last words, not a reset. */
static void test_last_words_arrive(Fixture *f, gconstpointer data)
{
    char got[64];
    ssize_t length;
    int fd;

    (void) data;
    listen_on(f, "127.0.0.1", NULL);
    fd = raw_connect(f);
    WAIT(f->accepted == 1);
    say(&f->server, "421 too many errors\r\n");
    peer_close(&f->server);
    for (int i = 0; i < 50; i++) {
        g_assert_cmpint(send(fd, "NOOP\r\n", 6, MSG_NOSIGNAL), ==, 6);
        turn_for(f, 2);
    }
    length = recv(fd, got, sizeof got, MSG_DONTWAIT);
    g_assert_cmpmem(got, length, "421 too many errors\r\n", 21);
    close(fd);
    WAIT(f->counter.open == 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("stream", round_trip_clear);
    ADD("stream", round_trip_tls);
    ADD("stream", close_flushes_clear);
    ADD("stream", close_flushes_tls);
    ADD("stream", back_pressure_clear);
    ADD("stream", back_pressure_tls);
    ADD("stream", pause_clear);
    ADD("stream", pause_tls);
    ADD("stream", end_comes_last);
    ADD("stream", reset_is_an_error);
    ADD("stream", idle);
    ADD("stream", idle_without_handler_ends);
    ADD("stream", close_in_callback_clear);
    ADD("stream", close_in_callback_tls);
    ADD("stream", abort_in_callback);
    ADD("stream", close_is_bounded);
    ADD("stream", close_idle);
    ADD("stream", last_words_arrive);
    return g_test_run();
}
