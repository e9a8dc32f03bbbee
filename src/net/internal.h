/*
 * internal.h - what the files of net/ share
 *
 * Threads    The loop thread, but for the TLS session of a stream that is `busy`: then the lane
 *            alone touches ssl, in, out and peer_eof, and the loop does not read from the socket.
 */
#ifndef MAILKEEP_NET_INTERNAL_H
#define MAILKEEP_NET_INTERNAL_H

#include <mailkeep/net.h>

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <uv.h>

#include <mailkeep/limits.h>

/* -- buffer.c: octets that come in behind and go out in front ------------------------------- */
typedef struct {
    uint8_t *data;
    size_t start, end, capacity;
} Buffer;

void buffer_put(Buffer *buffer, const void *data, size_t length);
size_t buffer_take(Buffer *buffer, void *out, size_t room);
size_t buffer_length(const Buffer *buffer);
/* All of it, without a copy; the buffer is empty then. */
GBytes *buffer_steal(Buffer *buffer);
void buffer_clear(Buffer *buffer);

/* -- errors --------------------------------------------------------------------------------- */
/* A libuv result as MK_ERROR_TIMEOUT or _NETWORK; false. */
bool net_fail_uv(GError **error, int rc, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* An mbedTLS result as MK_ERROR_TLS; false. */
bool net_fail_tls(GError **error, int rc, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* -- tls.c ---------------------------------------------------------------------------------- */
enum { FINGERPRINT_ROOM = 41 };

struct MkTls {
    gint refs; /* atomic: a handshake on a lane may outlast the listener */
    bool is_server;
    bool verify;
    mbedtls_ssl_config config;
    mbedtls_x509_crt certificates; /* a server's chain, a client's authorities */
    mbedtls_pk_context key;
    char fingerprint[FINGERPRINT_ROOM];
};

/* The random source of all TLS; locked inside. Made with psa_crypto_init() at first use. */
int tls_random(void *unused, unsigned char *out, size_t length);
void tls_global_init(void);
/* SHA-1 of the SubjectPublicKeyInfo in upper case hex, as the original prints it. */
bool tls_fingerprint(const mbedtls_pk_context *key, char out[FINGERPRINT_ROOM]);

/* -- stream.c ------------------------------------------------------------------------------- */
/*
 *  CLEAR --mk_stream_start_tls--> UPGRADING --all clear octets sent--> HANDSHAKE --> SECURE
 *    accepted or connected with TLS: CLEAR --stream_begin_tls------------^
 *
 *  CLEAR, UPGRADING, HANDSHAKE, SECURE --end of the peer, error [stream_end]--> ENDED
 *  all of these --mk_stream_close--> CLOSING --all sent, FIN--> LINGERING --EOF, time--> CLOSED
 *  any --mk_stream_abort, socket error while closing--> CLOSED
 *
 *  ENDED      the owner has heard on_end; what is queued still goes out.
 *  CLOSING    the owner hears nothing any more; octets from the peer are thrown away, so that
 *             a peer that is still talking gets our last words instead of a reset.
 *  CLOSED     the handles are being closed; memory lives until the last reference goes.
 */
typedef enum {
    STREAM_CLEAR,
    STREAM_UPGRADING,
    STREAM_HANDSHAKE,
    STREAM_SECURE,
    STREAM_ENDED,
    STREAM_CLOSING,
    STREAM_LINGERING,
    STREAM_CLOSED,
} StreamState;

struct MkStream {
    unsigned refs; /* one per open handle, request and job; one per holder */
    MkLoop *loop;
    uint64_t id;
    StreamState state;
    uv_tcp_t tcp;
    uv_timer_t timer; /* handshake deadline, idle, or close deadline: see stream_enter() */
    uv_idle_t
        turn; /* started = on_turn() is due; as an idle handle it also keeps poll from waiting */
    MkStreamEvents events;
    void *cookie;
    MkConnectionCounter *counter; /* borrowed; NULL for a client's stream */
    char peer[INET6_ADDRSTRLEN];

    /* reading */
    bool paused;
    bool reading;  /* uv_read_start() holds */
    bool peer_eof; /* FIN came */
    bool rest;     /* a full chunk was read: go on next turn, others come first */
    uint64_t idle_ms;
    uint64_t heard_ms; /* loop time of the last octets, or of mk_stream_set_idle_ms() */

    /* writing: tail and chunks wait; requests are on their way */
    GByteArray *tail; /* small writes come together here; NULL = none */
    GQueue chunks;    /* GBytes, before tail */
    size_t head_used; /* octets of the first chunk already handed over */
    size_t queued_bytes;
    size_t sending_bytes;  /* in uv_write() requests */
    uint64_t handed_bytes; /* given to the socket's queue, ever */
    unsigned requests;
    size_t close_left; /* octets that had not left when the close timer last looked */
    unsigned close_checks;
    bool was_full;
    GError *late_error; /* found inside an owner's call; told from the loop */
    bool no_linger;     /* closing does not wait for the peer's FIN */
    bool broken;        /* socket or TLS session failed: nothing of the owner's goes out any more */

    /* TLS */
    MkTls *tls;
    mbedtls_ssl_context *ssl;
    Buffer in, out; /* ciphertext */
    bool busy;      /* a handshake step runs on the lane */
    bool secured;   /* the handshake has been finished */
    bool notify_sent;
    char *description;
    char peer_fingerprint[FINGERPRINT_ROOM];
};

MkStream *stream_new(MkLoop *loop);
void stream_enter(MkStream *stream, StreamState state);
void stream_set_peer(MkStream *stream);
/* The one way to on_end; @error NULL = in order. */
void stream_end(MkStream *stream, const GError *error);
/* The same, but from the next turn: for failures inside a call of the owner. Takes @error. */
void stream_end_later(MkStream *stream, GError *error);
void stream_fail_uv(MkStream *stream, int rc, const char *what);
void stream_close_now(MkStream *stream);
/* Have on_turn() run soon. */
void stream_want_turn(MkStream *stream);
/* Starts or stops reading, as state, pause and lane demand. */
void stream_update_reading(MkStream *stream);
bool stream_is_open(const MkStream *stream); /* CLEAR .. SECURE: the owner is to hear of things */

/* -- stream_write.c ------------------------------------------------------------------------- */
void stream_flush(MkStream *stream);
/* Everything waiting goes to the socket's queue in clear, before TLS begins. */
void stream_flush_clear(MkStream *stream);
void stream_drop_queue(MkStream *stream);
void stream_tell_drain(MkStream *stream);

/* -- stream_tls.c --------------------------------------------------------------------------- */
/* @hostname  of the server, for a client; NULL for a server */
bool stream_begin_tls(MkStream *stream, MkTls *tls, const char *hostname, GError **error);
/* After stream_begin_tls(); a client speaks first. */
void stream_start_handshake(MkStream *stream);
/* New ciphertext, EOF or a resume: goes on with handshake or reading. */
void stream_tls_input(MkStream *stream);
/* Seals what waits, some of it at a time. */
void stream_tls_seal(MkStream *stream);
void stream_tls_notify(MkStream *stream);
void stream_tls_free(MkStream *stream);

#endif
