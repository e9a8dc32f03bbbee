/* test_listener.c - listening, counting, turning away, reload of the certificate */
#include "fixture.h"

static void test_ipv6_takes_ipv4_too(Fixture *f, gconstpointer data)
{
    int fd;

    (void) data;
    listen_on(f, "::", NULL);
    fd = raw_connect(f);
    WAIT(f->accepted == 1);
    g_assert_cmpstr(mk_stream_peer_address(f->server.stream), ==, "127.0.0.1"); /* not ::ffff: */
    close(fd);
}

static void test_bad_addresses(Fixture *f, gconstpointer data)
{
    static const char *const bad[] = {
        "", "localhost", "1.2.3", "300.1.1.1", "[::1]", "192.0.2.1"
    };

    (void) data;
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(mk_listener_new(f->loop, bad[i], 0, NULL, &f->counter, on_accept, f, &error));
        g_assert_cmpint(mk_error_code(error), ==, MK_ERROR_NETWORK);
    }
}

static void test_port_in_use(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    uint16_t port;

    (void) data;
    listen_on(f, "127.0.0.1", NULL);
    port = mk_listener_port(f->listener);
    g_assert_null(
        mk_listener_new(f->loop, "127.0.0.1", port, NULL, &f->counter, on_accept, f, &error));
    g_assert_cmpint(mk_error_code(error), ==, MK_ERROR_NETWORK);
    g_assert_nonnull(strstr(error->message, "address already in use"));
}

static void test_full_is_told(Fixture *f, gconstpointer data)
{
    static const char busy[] = "421 4.3.2 too many connections\r\n";
    char got[100];
    int first, second, third;

    (void) data;
    f->counter.max = 1;
    listen_on(f, "127.0.0.1", NULL);
    mk_listener_set_busy_text(f->listener, busy);
    first = raw_connect(f);
    WAIT(f->accepted == 1);
    second = raw_connect(f);
    turn_for(f, 50);
    g_assert_cmpint(recv(second, got, sizeof got, MSG_DONTWAIT), ==, (ssize_t) strlen(busy));
    g_assert_cmpint(recv(second, got, sizeof got, MSG_DONTWAIT), ==, 0);
    g_assert_cmpuint(f->accepted, ==, 1);
    g_assert_cmpuint(f->counter.open, ==, 1);
    peer_abort(&f->server);
    WAIT(f->counter.open == 0);
    third = raw_connect(f); /* there is room again */
    WAIT(f->accepted == 2);
    close(first);
    close(second);
    close(third);
}

static void test_many_come_and_go(Fixture *f, gconstpointer data)
{
    int fds[200];

    (void) data;
    f->counter.max = 1000;
    listen_on(f, "127.0.0.1", NULL);
    for (guint i = 0; i < G_N_ELEMENTS(fds); i++)
        fds[i] = raw_connect(f); /* the backlog holds them */
    WAIT(f->accepted == G_N_ELEMENTS(fds));
    WAIT(f->counter.open == 1); /* the fixture keeps the first, aborts the others */
    for (guint i = 0; i < G_N_ELEMENTS(fds); i++)
        close(fds[i]);
}

static void test_reload(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkTls) renewed = NULL;
    g_autoptr(MkTls) anyone = mk_tls_client_new(NULL, false, &error);
    g_autofree char *old_print = g_strdup(mk_tls_public_key_fingerprint(f->server_tls));
    MkStream *old_client;

    (void) data;
    connect_both(f, true);
    g_assert_true(mk_tls_make_self_signed("mail.example", f->certificate, f->key, &error));
    renewed = mk_tls_server_new(f->certificate, f->key, false, false, &error);
    g_assert_no_error(error);
    mk_listener_set_tls(f->listener, renewed);
    g_clear_pointer(&f->server_tls, mk_tls_unref); /* the old connection holds its own reference */
    mk_stream_write(f->server.stream, "still here", 10);
    WAIT(f->client.got->len == 10);
    g_assert_cmpstr(mk_stream_peer_fingerprint(f->client.stream), ==, old_print);
    old_client = g_steal_pointer(&f->client.stream);
    peer_close(&f->server);
    f->connects = 0;
    mk_connect(f->loop, "127.0.0.1", mk_listener_port(f->listener), anyone, 10000, on_connect, f);
    WAIT(f->connects == 1);
    g_assert_no_error(f->connect_error);
    g_assert_cmpstr(mk_stream_peer_fingerprint(f->client.stream), ==,
                    mk_tls_public_key_fingerprint(renewed));
    g_assert_cmpstr(mk_tls_public_key_fingerprint(renewed), !=, old_print);
    mk_stream_close(old_client);
    mk_stream_unref(old_client);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("listener", ipv6_takes_ipv4_too);
    ADD("listener", bad_addresses);
    ADD("listener", port_in_use);
    ADD("listener", full_is_told);
    ADD("listener", many_come_and_go);
    ADD("listener", reload);
    return g_test_run();
}
