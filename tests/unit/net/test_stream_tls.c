/* test_stream_tls.c - STARTTLS, trust, cut-off connections, hostile handshakes, tickets */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>
#include <uv.h>

#include "fixture.h"

static void starttls_on_read(MkStream *stream, const uint8_t *data, size_t length, void *cookie)
{
    Peer *peer = cookie;
    Fixture *f = (Fixture *) ((char *) peer - offsetof(Fixture, server));

    peer_on_read(stream, data, length, cookie);
    if (mk_stream_is_secure(stream))
        return;
    mk_stream_write(stream, "220 go\r\n", 8);
    mk_stream_start_tls(stream, f->server_tls);
}

static void test_starttls(Fixture *f, gconstpointer data)
{
    (void) data;
    f->server_events.on_read = starttls_on_read;
    connect_both(f, false);
    mk_stream_write(f->client.stream, "STARTTLS\r\n", 10);
    WAIT(f->client.got->len == 8); /* in clear */
    mk_stream_start_tls_client(f->client.stream, f->client_tls, "mail.example");
    WAIT(f->client.secured == 1 && f->server.secured == 1);
    mk_stream_write(f->client.stream, "EHLO x\r\n", 8);
    WAIT(f->server.got->len == 18);
    g_assert_true(mk_stream_is_secure(f->server.stream));
    g_assert_cmpstr(mk_stream_peer_fingerprint(f->client.stream), ==,
                    mk_tls_public_key_fingerprint(f->server_tls));
    g_assert_null(mk_stream_peer_fingerprint(f->server.stream));
    peer_close(&f->client);
    WAIT(f->server.ended > 0);
    g_assert_no_error(f->server.error);
}

static void greet_on_secure(MkStream *stream, void *cookie)
{
    peer_on_secure(stream, cookie);
    mk_stream_write(stream, "220 ready\r\n", 11);
}

/* Session tickets and the greeting come in one piece: the greeting must not wait behind them. */
static void test_greeting_behind_tickets(Fixture *f, gconstpointer data)
{
    (void) data;
    f->server_events.on_secure = greet_on_secure;
    connect_both(f, true);
    WAIT(f->client.got->len == 11);
}

static void test_wrong_name_is_refused(Fixture *f, gconstpointer data)
{
    (void) data;
    f->server_events.on_read = starttls_on_read;
    connect_both(f, false);
    mk_stream_write(f->client.stream, "STARTTLS\r\n", 10);
    WAIT(f->client.got->len == 8);
    mk_stream_start_tls_client(f->client.stream, f->client_tls, "other.example");
    WAIT(f->client.ended > 0 && f->server.ended > 0);
    g_assert_cmpint(mk_error_code(f->client.error), ==, MK_ERROR_TLS);
    g_assert_nonnull(strstr(f->client.error->message, "not trusted"));
    g_assert_cmpint(mk_error_code(f->server.error), ==, MK_ERROR_TLS); /* the alert got through */
    g_assert_cmpuint(f->client.secured + f->server.secured, ==, 0);
}

static void connect_untrusted(Fixture *f, bool verify)
{
    g_autoptr(MkTls) client = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *other_cert = g_build_filename(f->dir, "other.pem", NULL);
    g_autofree char *other_key = g_build_filename(f->dir, "other.key", NULL);

    g_assert_true(mk_tls_make_self_signed("mail.example", other_cert, other_key, &error));
    client = mk_tls_client_new(other_cert, verify, &error);
    g_assert_no_error(error);
    listen_on(f, "127.0.0.1", f->server_tls);
    mk_connect(f->loop, "127.0.0.1", mk_listener_port(f->listener), client, 10000, on_connect, f);
    WAIT(f->connects > 0);
    g_unlink(other_cert);
    g_unlink(other_key);
}

static void test_untrusted_is_refused(Fixture *f, gconstpointer data)
{
    (void) data;
    connect_untrusted(f, true);
    g_assert_cmpint(mk_error_code(f->connect_error), ==, MK_ERROR_TLS);
    WAIT(f->server.ended > 0);
}

static void test_untrusted_without_verification(Fixture *f, gconstpointer data)
{
    (void) data;
    connect_untrusted(f, false);
    g_assert_no_error(f->connect_error);
    g_assert_true(mk_stream_is_secure(f->client.stream));
}

/* No close_notify: half a message must never count as whole. */
static void test_truncation_is_an_error(Fixture *f, gconstpointer data)
{
    (void) data;
    connect_both(f, true);
    mk_stream_write(f->client.stream, "half a mess", 11);
    WAIT(f->server.got->len == 11);
    peer_abort(&f->client);
    WAIT(f->server.ended > 0);
    g_assert_cmpint(mk_error_code(f->server.error), ==, MK_ERROR_TLS);
}

static void test_garbage_instead_of_hello(Fixture *f, gconstpointer data)
{
    static const char *const garbage[] = { "GET / HTTP/1.1\r\n\r\n", "EHLO there\r\n",
                                           "\x16\x03\x01\xff\xff\x01\x02\x03\x04",
                                           "\x16\x03\x01\x00\x05\x01\xff\xff\xff\xff" };

    (void) data;
    listen_on(f, "127.0.0.1", f->server_tls);
    for (guint i = 0; i < G_N_ELEMENTS(garbage); i++) {
        unsigned before = f->server.ended;
        int fd = raw_connect(f);
        size_t length = i < 2 ? strlen(garbage[i]) : i == 2 ? 9 : 10;

        send(fd, garbage[i], length, MSG_NOSIGNAL);
        WAIT(f->accepted == i + 1);
        turn_for(f, 10);
        shutdown(fd, SHUT_WR); /* the third one waits for more */
        WAIT(f->server.ended == before + 1);
        g_assert_cmpint(mk_error_code(f->server.error), ==, MK_ERROR_TLS);
        g_assert_cmpuint(f->server.reads, ==, 0);
        g_clear_error(&f->server.error);
        peer_close(&f->server);
        close(fd);
    }
}

static int listen_socket(uint16_t *out_port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t room = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(bind(fd, (struct sockaddr *) &address, sizeof address), ==, 0);
    g_assert_cmpint(listen(fd, 1), ==, 0);
    getsockname(fd, (struct sockaddr *) &address, &room);
    *out_port = ntohs(address.sin_port);
    return fd;
}

/* What has come, at most @room octets of it, from one socket to the other. */
static void relay(int from, int to, size_t room)
{
    char octets[4096];
    ssize_t length = recv(from, octets, MIN(room, sizeof octets), MSG_DONTWAIT);

    if (length > 0)
        send(to, octets, (size_t) length, MSG_NOSIGNAL);
}

/* Octet for octet, as the slowest peer would: the state machine sees every split. */
static void test_dribbled_handshake(Fixture *f, gconstpointer data)
{
    uint16_t port;
    int listening = listen_socket(&port);
    int to_client, to_server;

    (void) data;
    listen_on(f, "127.0.0.1", f->server_tls);
    to_server = raw_connect(f);
    mk_connect(f->loop, "127.0.0.1", port, f->client_tls, 60000, on_connect, f);
    turn_for(f, 5);
    to_client = accept(listening, NULL, NULL);
    for (unsigned i = 0; i < 200000 && f->server.secured == 0; i++) {
        relay(to_client, to_server, 1);
        relay(to_server, to_client, SIZE_MAX);
        mk_loop_turn(f->loop);
    }
    g_assert_cmpuint(f->server.secured, ==, 1);
    g_assert_cmpuint(f->connects, ==, 1);
    close(to_client);
    close(to_server);
    close(listening);
}

static void test_close_during_handshake(Fixture *f, gconstpointer data)
{
    (void) data;
    listen_on(f, "127.0.0.1", f->server_tls);
    for (unsigned turns = 0; turns < 30; turns++) {
        MkStream *stream;

        f->connects = 0;
        f->accepted = 0;
        mk_connect(f->loop, "127.0.0.1", mk_listener_port(f->listener), f->client_tls, 10000,
                   on_connect, f);
        WAIT(f->accepted == 1);
        for (unsigned i = 0; i < turns; i++) {
            mk_loop_turn(f->loop);
            g_usleep(100);
        }
        stream = g_steal_pointer(&f->server.stream);
        if (turns % 2)
            mk_stream_abort(stream); /* also while a step runs on the lane */
        else
            mk_stream_close(stream);
        mk_stream_unref(stream);
        WAIT(f->connects == 1);
        if (f->client.stream != NULL)
            peer_abort(&f->client);
        g_clear_error(&f->connect_error);
    }
    WAIT(f->counter.open == 0);
}

/* -- a client of another kind: mbedTLS, blocking, on its own thread --------------------------- */

typedef struct {
    uint16_t port;
    mbedtls_ssl_protocol_version max_version;
    unsigned certificates; /* seen in both handshakes; a resumed one sends none */
    int rc;
} Client;

static int sock_send(void *cookie, const unsigned char *data, size_t length)
{
    ssize_t rc = send(*(int *) cookie, data, length, MSG_NOSIGNAL);

    return rc < 0 ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : (int) rc;
}

static int sock_recv(void *cookie, unsigned char *data, size_t length)
{
    ssize_t rc = recv(*(int *) cookie, data, length, 0);

    return rc < 0 ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : (int) rc;
}

static int sock_open(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval patience = { .tv_sec = 10 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    g_assert_cmpint(connect(fd, (struct sockaddr *) &address, sizeof address), ==, 0);
    return fd;
}

static int on_certificate(void *cookie, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
    (void) certificate;
    (void) flags;
    ((Client *) cookie)->certificates += depth == 0 ? 1 : 0;
    return 0;
}

/* Handshake, one line there and back; @offer: with the session kept the first time. */
static int talk(Client *client, const mbedtls_ssl_config *config, mbedtls_ssl_session *session,
                bool offer)
{
    mbedtls_ssl_context ssl;
    unsigned char octets[64];
    int fd = sock_open(client->port);
    int rc;

    mbedtls_ssl_init(&ssl);
    rc = mbedtls_ssl_setup(&ssl, config);
    if (rc == 0)
        rc = mbedtls_ssl_set_hostname(&ssl, "mail.example");
    if (rc == 0 && offer)
        rc = mbedtls_ssl_set_session(&ssl, session);
    mbedtls_ssl_set_bio(&ssl, &fd, sock_send, sock_recv, NULL);
    if (rc == 0)
        rc = mbedtls_ssl_handshake(&ssl);
    if (rc == 0)
        rc = mbedtls_ssl_write(&ssl, (const unsigned char *) "ping\n", 5) == 5 ? 0 : -1;
    while (rc == 0) {
        rc = mbedtls_ssl_read(&ssl, octets, sizeof octets);
        if (rc == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
            rc = offer ? 0 : mbedtls_ssl_get_session(&ssl, session);
        else if (rc == MBEDTLS_ERR_SSL_WANT_READ) /* a ticket was all that had come */
            rc = 0;
    }
    if (rc > 0)
        rc = 0;
    if (rc == 0 && !offer && client->max_version == MBEDTLS_SSL_VERSION_TLS1_2)
        rc = mbedtls_ssl_get_session(&ssl, session);
    mbedtls_ssl_close_notify(&ssl);
    mbedtls_ssl_free(&ssl);
    close(fd);
    return rc;
}

static void client_thread(void *arg)
{
    Client *client = arg;
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context drbg;
    mbedtls_ssl_config config;
    mbedtls_ssl_session session;

    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&drbg);
    mbedtls_ssl_config_init(&config);
    mbedtls_ssl_session_init(&session);
    mbedtls_ctr_drbg_seed(&drbg, mbedtls_entropy_func, &entropy, NULL, 0);
    mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                MBEDTLS_SSL_PRESET_DEFAULT);
    mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &drbg);
    mbedtls_ssl_conf_authmode(&config, MBEDTLS_SSL_VERIFY_OPTIONAL);
    mbedtls_ssl_conf_verify(&config, on_certificate, client);
    mbedtls_ssl_conf_max_tls_version(&config, client->max_version);
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
        &config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
    client->rc = talk(client, &config, &session, false);
    if (client->rc == 0)
        client->rc = talk(client, &config, &session, true);
    mbedtls_ssl_session_free(&session);
    mbedtls_ssl_config_free(&config);
    mbedtls_ctr_drbg_free(&drbg);
    mbedtls_entropy_free(&entropy);
}

static unsigned echo_closed;

static void echo_on_read(MkStream *stream, const uint8_t *data, size_t length, void *cookie)
{
    (void) cookie;
    mk_stream_write(stream, data, length);
}

static void echo_on_end(MkStream *stream, const GError *error, void *cookie)
{
    (void) cookie;
    g_assert_no_error(error);
    echo_closed++;
    mk_stream_close(stream);
    mk_stream_unref(stream);
}

static void echo_on_accept(MkStream *stream, void *cookie)
{
    static const MkStreamEvents events = { .on_read = echo_on_read, .on_end = echo_on_end };

    (void) cookie;
    mk_stream_set_events(stream, &events, NULL);
    mk_stream_resume(stream);
}

static void run_clients(Fixture *f, Client *clients, unsigned count,
                        mbedtls_ssl_protocol_version version)
{
    g_autoptr(GError) error = NULL;
    uv_thread_t threads[32];

    echo_closed = 0;
    f->listener = mk_listener_new(f->loop, "127.0.0.1", 0, f->server_tls, &f->counter,
                                  echo_on_accept, f, &error);
    g_assert_no_error(error);
    for (unsigned i = 0; i < count; i++) {
        clients[i].port = mk_listener_port(f->listener);
        clients[i].max_version = version;
        uv_thread_create(&threads[i], client_thread, &clients[i]);
    }
    WAIT(echo_closed == 2 * count);
    for (unsigned i = 0; i < count; i++) {
        uv_thread_join(&threads[i]);
        g_assert_cmpint(clients[i].rc, ==, 0);
    }
    WAIT(f->counter.open == 0);
}

static void test_tickets_tls13(Fixture *f, gconstpointer data)
{
    Client client = { 0 };

    (void) data;
    run_clients(f, &client, 1, MBEDTLS_SSL_VERSION_TLS1_3);
    g_assert_cmpuint(client.certificates, ==, 1);
}

static void test_tickets_tls12(Fixture *f, gconstpointer data)
{
    Client client = { 0 };

    (void) data;
    run_clients(f, &client, 1, MBEDTLS_SSL_VERSION_TLS1_2);
    g_assert_cmpuint(client.certificates, ==, 1);
}

/* Key operations of many at once stay off the loop: it goes on turning. */
static void test_many_handshakes(Fixture *f, gconstpointer data)
{
    Client clients[24] = { { 0 } };

    (void) data;
    run_clients(f, clients, 12, MBEDTLS_SSL_VERSION_TLS1_3);
    mk_listener_free(f->listener);
    run_clients(f, clients, 12, MBEDTLS_SSL_VERSION_TLS1_2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("stream_tls", starttls);
    ADD("stream_tls", greeting_behind_tickets);
    ADD("stream_tls", wrong_name_is_refused);
    ADD("stream_tls", untrusted_is_refused);
    ADD("stream_tls", untrusted_without_verification);
    ADD("stream_tls", truncation_is_an_error);
    ADD("stream_tls", garbage_instead_of_hello);
    ADD("stream_tls", dribbled_handshake);
    ADD("stream_tls", close_during_handshake);
    ADD("stream_tls", tickets_tls13);
    ADD("stream_tls", tickets_tls12);
    ADD("stream_tls", many_handshakes);
    return g_test_run();
}
