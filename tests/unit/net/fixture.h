/*
 * fixture.h - both ends of a connection on one loop, for the tests of net/
 *
 * Every wait is bounded: WAIT() turns the loop until its condition holds and fails after 10 s.
 */
#ifndef MAILKEEP_TEST_NET_FIXTURE_H
#define MAILKEEP_TEST_NET_FIXTURE_H

#include <mailkeep/net.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>

typedef struct {
    MkStream *stream;
    GByteArray *got;
    unsigned reads, secured, drained, idle, ended;
    bool secured_before_read;
    GError *error; /* of on_end */
} Peer;

typedef struct {
    MkLoop *loop;
    char *dir, *certificate, *key;
    MkTls *server_tls, *client_tls;
    MkConnectionCounter counter;
    MkListener *listener;
    Peer server, client;
    unsigned accepted;
    MkStreamEvents server_events; /* what an accepted stream gets */
    GError *connect_error;
    unsigned connects;
} Fixture;

#define WAIT(condition)                                                           \
    do {                                                                          \
        int64_t wait_end_ms = mk_clock_monotonic_ms() + 10000;                    \
        while (!(condition)) {                                                    \
            mk_loop_turn(f->loop);                                                \
            g_usleep(200);                                                        \
            if (mk_clock_monotonic_ms() > wait_end_ms)                            \
                g_error("%s:%d: never came: %s", __FILE__, __LINE__, #condition); \
        }                                                                         \
    } while (0)

static inline void turn_for(Fixture *f, int64_t ms)
{
    int64_t end_ms = mk_clock_monotonic_ms() + ms;

    while (mk_clock_monotonic_ms() < end_ms) {
        mk_loop_turn(f->loop);
        g_usleep(200);
    }
}

static inline void peer_on_read(MkStream *stream, const uint8_t *data, size_t length, void *cookie)
{
    Peer *peer = cookie;

    (void) stream;
    if (peer->reads++ == 0)
        peer->secured_before_read = peer->secured > 0;
    g_byte_array_append(peer->got, data, (guint) length);
}

static inline void peer_on_end(MkStream *stream, const GError *error, void *cookie)
{
    Peer *peer = cookie;

    (void) stream;
    peer->ended++;
    if (error != NULL)
        peer->error = g_error_copy(error);
}

static inline void peer_on_drain(MkStream *stream, void *cookie)
{
    (void) stream;
    ((Peer *) cookie)->drained++;
}

static inline void peer_on_secure(MkStream *stream, void *cookie)
{
    (void) stream;
    ((Peer *) cookie)->secured++;
}

static inline void peer_on_idle(MkStream *stream, void *cookie)
{
    (void) stream;
    ((Peer *) cookie)->idle++;
}

static const MkStreamEvents peer_events = { peer_on_read, peer_on_end, peer_on_drain,
                                            peer_on_secure, peer_on_idle };

static inline void peer_take(Peer *peer, MkStream *stream, const MkStreamEvents *events)
{
    peer->stream = stream;
    mk_stream_set_events(stream, events, peer);
    mk_stream_resume(stream);
}

static inline void peer_close(Peer *peer)
{
    MkStream *stream = g_steal_pointer(&peer->stream);

    if (stream == NULL)
        return;
    mk_stream_close(stream);
    mk_stream_unref(stream);
}

static inline void peer_abort(Peer *peer)
{
    MkStream *stream = g_steal_pointer(&peer->stream);

    mk_stream_abort(stream);
    mk_stream_unref(stream);
}

static inline void on_accept(MkStream *stream, void *cookie)
{
    Fixture *f = cookie;

    f->accepted++;
    if (f->server.stream != NULL) { /* tests of many connections look only at the counter */
        mk_stream_abort(stream);
        mk_stream_unref(stream);
        return;
    }
    peer_take(&f->server, stream, &f->server_events);
}

static inline void on_connect(MkStream *stream, const GError *error, void *cookie)
{
    Fixture *f = cookie;

    f->connects++;
    if (stream == NULL)
        f->connect_error = g_error_copy(error);
    else
        peer_take(&f->client, stream, &peer_events);
}

static inline void make_certificate(Fixture *f, const char *hostname)
{
    g_autoptr(GError) error = NULL;

    mk_tls_make_self_signed(hostname, f->certificate, f->key, &error);
    g_assert_no_error(error);
    f->server_tls = mk_tls_server_new(f->certificate, f->key, false, false, &error);
    g_assert_no_error(error);
    f->client_tls = mk_tls_client_new(f->certificate, true, &error);
    g_assert_no_error(error);
}

static inline void set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    (void) data;
    f->loop = mk_loop_new(2, 1, &error);
    g_assert_no_error(error);
    f->dir = g_dir_make_tmp("mailkeep-test-XXXXXX", &error);
    g_assert_no_error(error);
    f->certificate = g_build_filename(f->dir, "cert.pem", NULL);
    f->key = g_build_filename(f->dir, "key.pem", NULL);
    f->counter.max = 100;
    f->server.got = g_byte_array_new();
    f->client.got = g_byte_array_new();
    f->server_events = peer_events;
    make_certificate(f, "mail.example");
}

static inline void listen_on(Fixture *f, const char *host, MkTls *tls)
{
    g_autoptr(GError) error = NULL;

    f->listener = mk_listener_new(f->loop, host, 0, tls, &f->counter, on_accept, f, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(mk_listener_port(f->listener), !=, 0);
}

/* Both ends up, in clear or in TLS. */
static inline void connect_both(Fixture *f, bool in_tls)
{
    listen_on(f, "127.0.0.1", in_tls ? f->server_tls : NULL);
    mk_connect(f->loop, "127.0.0.1", mk_listener_port(f->listener), in_tls ? f->client_tls : NULL,
               10000, on_connect, f);
    WAIT(f->server.stream != NULL && f->connects > 0);
    g_assert_no_error(f->connect_error);
    if (in_tls)
        WAIT(f->server.secured > 0);
}

/* A socket of the test's own, for peers that behave badly. */
static inline int raw_connect(Fixture *f)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(mk_listener_port(f->listener)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(connect(fd, (struct sockaddr *) &address, sizeof address), ==, 0);
    return fd;
}

static inline void peer_clear(Peer *peer)
{
    peer_close(peer);
    g_byte_array_unref(peer->got);
    g_clear_error(&peer->error);
}

static inline void tear_down(Fixture *f, gconstpointer data)
{
    (void) data;
    mk_listener_free(f->listener);
    peer_clear(&f->client);
    peer_clear(&f->server);
    mk_loop_free(f->loop);
    g_assert_cmpuint(f->counter.open, ==, 0);
    mk_tls_unref(f->server_tls);
    mk_tls_unref(f->client_tls);
    g_clear_error(&f->connect_error);
    g_unlink(f->certificate);
    g_unlink(f->key);
    g_rmdir(f->dir);
    g_free(f->certificate);
    g_free(f->key);
    g_free(f->dir);
}

static inline void fill_pattern(uint8_t *data, size_t length)
{
    uint32_t x = 1;

    for (size_t i = 0; i < length; i++) {
        x = x * 1664525 + 1013904223;
        data[i] = (uint8_t) (x >> 24);
    }
}

#define ADD(room, name) \
    g_test_add("/net/" room "/" #name, Fixture, NULL, set_up, test_##name, tear_down)

#endif
