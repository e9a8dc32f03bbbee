/* test_connect.c - a client's way in: names, refusals, silence */
#include "fixture.h"

static void expect_failure(Fixture *f, MkErrorCode code)
{
    WAIT(f->connects == 1);
    g_assert_null(f->client.stream);
    g_assert_cmpint(mk_error_code(f->connect_error), ==, code);
}

static void test_refused(Fixture *f, gconstpointer data)
{
    uint16_t port;

    (void) data;
    listen_on(f, "127.0.0.1", NULL);
    port = mk_listener_port(f->listener);
    mk_listener_free(g_steal_pointer(&f->listener));
    turn_for(f, 5);
    mk_connect(f->loop, "127.0.0.1", port, NULL, 10000, on_connect, f);
    g_assert_cmpuint(f->connects, ==, 0); /* never from inside the call */
    expect_failure(f, MK_ERROR_NETWORK);
    g_assert_nonnull(strstr(f->connect_error->message, "127.0.0.1"));
}

static void test_name(Fixture *f, gconstpointer data)
{
    (void) data;
    listen_on(f, "127.0.0.1", f->server_tls);
    mk_connect(f->loop, "localhost", mk_listener_port(f->listener), f->client_tls, 10000,
               on_connect, f);
    WAIT(f->connects == 1); /* ::1 may come first and be refused: the next address is tried */
    g_assert_no_error(f->connect_error);
    g_assert_true(mk_stream_is_secure(f->client.stream));
}

static void test_bad_names(Fixture *f, gconstpointer data)
{
    static const char *const bad[] = { "", "no.such.name.invalid", "-", "a b" };
    g_autofree char *long_name = g_strnfill(300, 'a');

    (void) data;
    for (guint i = 0; i < G_N_ELEMENTS(bad) + 1; i++) {
        f->connects = 0;
        g_clear_error(&f->connect_error);
        mk_connect(f->loop, i < G_N_ELEMENTS(bad) ? bad[i] : long_name, 25, NULL, 10000, on_connect,
                   f);
        WAIT(f->connects == 1);
        g_assert_null(f->client.stream);
        g_assert_nonnull(f->connect_error);
    }
}

/* Takes the connection and says nothing: TLS never comes. */
static void test_silent_server(Fixture *f, gconstpointer data)
{
    (void) data;
    listen_on(f, "127.0.0.1", NULL);
    mk_connect(f->loop, "127.0.0.1", mk_listener_port(f->listener), f->client_tls, 200, on_connect,
               f);
    expect_failure(f, MK_ERROR_TIMEOUT);
}

static void test_server_closes_at_once(Fixture *f, gconstpointer data)
{
    (void) data;
    f->counter.max = 0;
    listen_on(f, "127.0.0.1", NULL);
    mk_connect(f->loop, "127.0.0.1", mk_listener_port(f->listener), f->client_tls, 10000,
               on_connect, f);
    WAIT(f->connects == 1);
    g_assert_null(f->client.stream);
    g_assert_nonnull(f->connect_error);
}

/* At once, while the name is looked up, during the handshake: nothing more is heard of it. */
static void test_cancel(Fixture *f, gconstpointer data)
{
    static const char *const hosts[] = { "127.0.0.1", "localhost" };

    (void) data;
    listen_on(f, "127.0.0.1", NULL);
    for (guint turns = 0; turns < 8; turns++) {
        MkConnect *connect = mk_connect(f->loop, hosts[turns % 2], mk_listener_port(f->listener),
                                        f->client_tls, 60000, on_connect, f);

        turn_for(f, turns / 2 * 3);
        g_assert_no_error(f->connect_error);
        g_assert_cmpuint(f->connects, ==, 0);
        mk_connect_cancel(connect);
        turn_for(f, 20);
        if (f->server.stream != NULL)
            peer_abort(&f->server); /* the fixture has room for one, and cuts off the next */
    }
    g_assert_cmpuint(f->connects, ==, 0);
} /* and the loop ends without waiting for any of them */

static void test_loop_ends_meanwhile(Fixture *f, gconstpointer data)
{
    (void) data;
    listen_on(f, "127.0.0.1", NULL);
    mk_connect(f->loop, "127.0.0.1", mk_listener_port(f->listener), f->client_tls, 300, on_connect,
               f);
    /* tear_down() frees the loop: the call still comes, and nothing leaks */
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("connect", refused);
    ADD("connect", name);
    ADD("connect", bad_names);
    ADD("connect", silent_server);
    ADD("connect", server_closes_at_once);
    ADD("connect", cancel);
    ADD("connect", loop_ends_meanwhile);
    return g_test_run();
}
