/*
 * stream_tls.c - TLS over memory: `in` from the socket, `out` to it
 *
 * Steps of the handshake (key operations, milliseconds each) run on the interactive lane, one
 * at a time for a stream; while one runs the stream is `busy` and the loop keeps its hands off
 * ssl, in and out. Records are opened and sealed on the loop, a bounded share a turn.
 */
#include <string.h>

#include <mbedtls/error.h>

#include "internal.h"

enum {
    SEAL_BYTES_A_TURN = 256 << 10, /* about 0.8 ms */
    RECORD_BYTES = 16384,          /* RFC 8446 5.1 */
};

/* -- transport ------------------------------------------------------------------------------ */

static int bio_send(void *cookie, const unsigned char *data, size_t length)
{
    MkStream *stream = cookie;

    buffer_put(&stream->out, data, length);
    return (int) length;
}

static int bio_receive(void *cookie, unsigned char *out, size_t room)
{
    MkStream *stream = cookie;
    size_t length = buffer_take(&stream->in, out, room);

    if (length == 0 && !stream->peer_eof)
        return MBEDTLS_ERR_SSL_WANT_READ;
    return (int) length;
}

/* -- set-up --------------------------------------------------------------------------------- */

static bool is_address(const char *host)
{
    struct sockaddr_in6 v6;
    struct sockaddr_in v4;

    return uv_ip4_addr(host, 1, &v4) == 0 || uv_ip6_addr(host, 1, &v6) == 0;
}

static int set_hostname(MkStream *stream, const char *hostname)
{
    if (stream->tls->is_server)
        return 0;
    /* Without verification an address is of no use, and RFC 6066 3 forbids it as a server name. */
    if (!stream->tls->verify && is_address(hostname))
        hostname = NULL;
    return mbedtls_ssl_set_hostname(stream->ssl, hostname);
}

bool stream_begin_tls(MkStream *stream, MkTls *tls, const char *hostname, GError **error)
{
    int rc;

    stream->tls = mk_tls_ref(tls);
    stream->ssl = g_new0(mbedtls_ssl_context, 1);
    mbedtls_ssl_init(stream->ssl);
    rc = mbedtls_ssl_setup(stream->ssl, &tls->config);
    if (rc == 0)
        rc = set_hostname(stream, hostname);
    if (rc != 0) {
        stream->broken = true;
        return net_fail_tls(error, rc, "begin TLS");
    }
    mbedtls_ssl_set_bio(stream->ssl, stream, bio_send, bio_receive, NULL);
    return true;
}

void stream_tls_free(MkStream *stream)
{
    if (stream->ssl != NULL) {
        mbedtls_ssl_free(stream->ssl);
        g_clear_pointer(&stream->ssl, g_free);
    }
    g_clear_pointer(&stream->tls, mk_tls_unref);
    g_clear_pointer(&stream->description, g_free);
    buffer_clear(&stream->in);
    buffer_clear(&stream->out);
}

/* -- handshake ------------------------------------------------------------------------------ */

typedef struct {
    MkJob job;        /* first member */
    MkStream *stream; /* referenced; the lane uses its ssl, in, out and peer_eof, see internal.h */
    int rc;           /* out */
} HandshakeJob;

static void handshake_run(MkJob *job)
{
    HandshakeJob *self = (HandshakeJob *) job;

    self->rc = mbedtls_ssl_handshake(self->stream->ssl);
}

static void fail_tls(MkStream *stream, int rc, const char *what)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *reason = NULL;
    uint32_t flags;
    char text[512] = "";

    if (rc == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) {
        flags = mbedtls_ssl_get_verify_result(stream->ssl);
        mbedtls_x509_crt_verify_info(text, sizeof text, "", flags);
        reason = g_strdelimit(g_strstrip(g_strdup(text)), "\n", ' ');
        mk_fail(&error, MK_ERROR_TLS, "the server's certificate is not trusted: %s", reason);
    } else if (rc == 0 || rc == MBEDTLS_ERR_SSL_CONN_EOF) {
        mk_fail(&error, MK_ERROR_TLS, "%s: the connection was cut off", what);
    } else {
        net_fail_tls(&error, rc, "%s", what);
    }
    stream_end(stream, error);
}

static void fail_cancelled(MkStream *stream)
{
    g_autoptr(GError) error = NULL;

    mk_fail(&error, MK_ERROR_CANCELLED, "TLS handshake: the daemon is stopping");
    stream_end(stream, error);
}

static void note_peer(MkStream *stream)
{
    const mbedtls_x509_crt *certificate = mbedtls_ssl_get_peer_cert(stream->ssl);

    stream->description = g_strdup_printf("%s %s", mbedtls_ssl_get_version(stream->ssl),
                                          mbedtls_ssl_get_ciphersuite(stream->ssl));
    if (certificate != NULL)
        tls_fingerprint(&certificate->pk, stream->peer_fingerprint);
}

static void finish_handshake(MkStream *stream)
{
    stream->secured = true;
    note_peer(stream);
    stream_enter(stream, STREAM_SECURE);
    if (stream->events.on_secure != NULL)
        stream->events.on_secure(stream, stream->cookie);
    stream_want_turn(stream); /* octets may have come behind the handshake */
}

static void handshake_done(MkJob *job)
{
    g_autofree HandshakeJob *self = (HandshakeJob *) job;
    MkStream *stream = g_steal_pointer(&self->stream);

    stream->busy = false;
    if (stream->state == STREAM_HANDSHAKE) {
        if (!job->ran)
            fail_cancelled(stream);
        else if (self->rc == 0)
            finish_handshake(stream);
        else if (self->rc != MBEDTLS_ERR_SSL_WANT_READ && self->rc != MBEDTLS_ERR_SSL_WANT_WRITE)
            fail_tls(stream, self->rc, "TLS handshake");
    }
    if (stream->state != STREAM_CLOSED) {
        stream_flush(stream);
        stream_want_turn(stream);
        stream_update_reading(stream);
    }
    mk_stream_unref(stream);
}

static void submit_handshake(MkStream *stream)
{
    HandshakeJob *self = g_new0(HandshakeJob, 1);
    g_autoptr(GError) error = NULL;

    self->job.run = handshake_run;
    self->job.done = handshake_done;
    self->stream = stream;
    if (!mk_job_submit(stream->loop, MK_LANE_INTERACTIVE, &self->job, &error)) {
        g_free(self);
        stream_end(stream, error);
        return;
    }
    mk_stream_ref(stream);
    stream->busy = true;
    stream_update_reading(stream);
}

void stream_start_handshake(MkStream *stream)
{
    stream_enter(stream, STREAM_HANDSHAKE);
    if (stream->tls->is_server)
        stream_update_reading(stream);
    else
        submit_handshake(stream);
}

/* -- records -------------------------------------------------------------------------------- */

static bool is_pending(int rc)
{
    return rc == MBEDTLS_ERR_SSL_WANT_READ || rc == MBEDTLS_ERR_SSL_WANT_WRITE;
}

/* Opens one record and gives it to the owner; false when there is nothing more to do. */
static bool read_record(MkStream *stream)
{
    static __thread uint8_t plain[RECORD_BYTES]; /* used up in the callback */
    int rc = mbedtls_ssl_read(stream->ssl, plain, sizeof plain);

    if (rc > 0) {
        if (stream->events.on_read != NULL)
            stream->events.on_read(stream, plain, (size_t) rc, stream->cookie);
        return true;
    }
    if (rc == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
        return true;
    /* mbedTLS also says WANT_READ after a message of its own, with more records already here. */
    if (is_pending(rc) && buffer_length(&stream->in) > 0)
        return true;
    if (rc == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
        stream_end(stream, NULL);
    else if (!is_pending(rc))
        fail_tls(stream, rc, "read from the peer");
    return false;
}

void stream_tls_input(MkStream *stream)
{
    if (stream->state == STREAM_HANDSHAKE && !stream->busy) {
        submit_handshake(stream);
        return;
    }
    while (stream->state == STREAM_SECURE && !stream->paused)
        if (!read_record(stream))
            break;
    if (buffer_length(&stream->out) > 0) /* an alert, or the answer to a request of the layer */
        stream_want_turn(stream);
}

/* Drops @length octets of the first chunk. */
static void consume(MkStream *stream, size_t length)
{
    GBytes *head = stream->chunks.head->data;

    stream->queued_bytes -= length;
    stream->head_used += length;
    if (stream->head_used == g_bytes_get_size(head)) {
        g_bytes_unref(g_queue_pop_head(&stream->chunks));
        stream->head_used = 0;
    }
}

static bool next_chunk(MkStream *stream)
{
    if (stream->chunks.length == 0 && stream->tail != NULL)
        g_queue_push_tail(&stream->chunks,
                          g_byte_array_free_to_bytes(g_steal_pointer(&stream->tail)));
    return stream->chunks.length > 0;
}

void stream_tls_seal(MkStream *stream)
{
    size_t sealed = 0;

    while (stream->secured && !stream->broken && sealed < SEAL_BYTES_A_TURN && next_chunk(stream)) {
        gsize length;
        const uint8_t *data = g_bytes_get_data(stream->chunks.head->data, &length);
        int rc =
            mbedtls_ssl_write(stream->ssl, data + stream->head_used, length - stream->head_used);

        if (rc <= 0) { /* the transport takes everything, so no WANT_WRITE: this is for good */
            stream->broken = true;
            stream_drop_queue(stream);
            fail_tls(stream, rc, "write to the peer");
            return;
        }
        sealed += (size_t) rc;
        consume(stream, (size_t) rc);
    }
}

void stream_tls_notify(MkStream *stream)
{
    stream->notify_sent = true;
    mbedtls_ssl_close_notify(stream->ssl); /* if it fails, the FIN alone must do */
}
