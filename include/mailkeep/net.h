/*
 * net.h - listeners and streams: TCP and TLS behind one face; knows no protocol
 *
 * Purpose    A MkStream carries octets both ways, in clear or in TLS 1.2/1.3, and can change
 *            from clear to TLS once (STARTTLS). Handshakes run on the interactive lane.
 * Ownership  A stream is reference counted. Whoever holds a pointer over a callback holds a
 *            reference. mk_stream_close() is idempotent; after it the owner hears nothing more.
 * Threads    The loop thread only.
 * Errors     MK_ERROR_NETWORK, _TLS, _TIMEOUT.
 * Source     RFC 8446, RFC 5246, RFC 3207 (STARTTLS), tech-notes 2 and 3.
 */
#ifndef MAILKEEP_NET_H
#define MAILKEEP_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include <mailkeep/loop.h>

/* -- TLS contexts: immutable, counted; a reload makes a new one ------------------------------ */
typedef struct MkTls MkTls;

/*
 * mk_tls_server_new() - certificate chain and key from PEM files
 * @alpn_http   offer ALPN "http/1.1" (HTTPS only)
 */
MkTls *mk_tls_server_new(const char *certificate_pem_path, const char *key_pem_path, bool min_13,
                         bool alpn_http, GError **error);
/* A client's context. @ca_pem_path NULL = the system's bundle; @verify false accepts anything. */
MkTls *mk_tls_client_new(const char *ca_pem_path, bool verify, GError **error);
MkTls *mk_tls_ref(MkTls *tls);
void mk_tls_unref(MkTls *tls);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkTls, mk_tls_unref)
/*
 * SHA-1 of the DER of the certificate's public key as 40 hex digits in upper case (SH-05 `pkv3`);
 * belongs to @tls; "" for a client's context.
 */
const char *mk_tls_public_key_fingerprint(const MkTls *tls);
/*
 * mk_tls_make_self_signed() - write a P-256 key (0600) and a certificate for ten years
 * @hostname   subject CN and SAN; localhost, 127.0.0.1 and ::1 are added
 * Blocks (a few milliseconds): at start, or on a lane.
 */
bool mk_tls_make_self_signed(const char *hostname, const char *certificate_pem_path,
                             const char *key_pem_path, GError **error);
/* The same as PEM texts; @out_key is wiped by the caller. */
bool mk_tls_make_self_signed_pem(const char *hostname, char **out_certificate, char **out_key,
                                 GError **error);
/*
 * mk_tls_check_pair() - could a server use these?
 * @chain_pem  the server's certificate, then those that vouch for it
 * MK_ERROR_INVALID: not PEM, a key with a password, a key of another certificate; the message says
 * which and never shows the key. Says nothing of dates and names: see MkCertificate.
 */
bool mk_tls_check_pair(const char *chain_pem, const char *key_pem, GError **error);

/* -- certificates, to look at: any thread --------------------------------------------------- */
typedef struct {
    char *subject; /* "C=DE, O=Example, CN=archive.example.com" */
    char *issuer;
    char **names; /* host names and addresses of the SAN; without one the common name */
    int64_t not_before_unix_ms;
    int64_t not_after_unix_ms;
    char *fingerprint;    /* SHA-256 of the DER, 64 hex digits in upper case */
    char *public_key;     /* as mk_tls_public_key_fingerprint() */
    bool self_signed;     /* subject and issuer are one */
    unsigned chain_count; /* certificates in the text, this one included */
} MkCertificate;
/* The first certificate of @chain_pem. MK_ERROR_INVALID when there is none or one is not read. */
MkCertificate *mk_certificate_parse(const char *chain_pem, GError **error);
/* A name stands for itself, `*.example.com` for one label more (RFC 9525 6.3); without case. */
bool mk_certificate_covers(const MkCertificate *certificate, const char *hostname);
void mk_certificate_free(MkCertificate *certificate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkCertificate, mk_certificate_free)

/* -- streams ---------------------------------------------------------------------------- */
typedef struct MkStream MkStream;

typedef struct {
    /* Octets came; use up all of them before returning. Not called while paused. */
    void (*on_read)(MkStream *stream, const uint8_t *data, size_t length, void *cookie);
    /*
     * The stream ended: @error NULL = the peer closed in order (TCP FIN in clear, close_notify
     * in TLS); otherwise cut off, TLS failure or timeout. Called once, then never anything again.
     * The owner still calls mk_stream_close() and mk_stream_unref().
     */
    void (*on_end)(MkStream *stream, const GError *error, void *cookie);
    /* The write queue has fallen below half its limit after mk_stream_is_full(). May be NULL. */
    void (*on_drain)(MkStream *stream, void *cookie);
    /* A handshake (implicit TLS or STARTTLS) has finished well. May be NULL. */
    void (*on_secure)(MkStream *stream, void *cookie);
    /* The idle timer ran out; the stream stays open until the owner closes it. NULL = on_end. */
    void (*on_idle)(MkStream *stream, void *cookie);
} MkStreamEvents;

/* Who hears of the stream; may be changed at any time (protocol layers stack that way). */
void mk_stream_set_events(MkStream *stream, const MkStreamEvents *events, void *cookie);
MkStream *mk_stream_ref(MkStream *stream);
void mk_stream_unref(MkStream *stream);
/*
 * Sends what is queued, close_notify, FIN, then closes; silent to the owner. A peer that takes
 * nothing for 5 s, or not all within a minute, is cut off.
 */
void mk_stream_close(MkStream *stream);
/* The same, but does not wait for the peer to close as well: for one that has sent nothing which is
 * not answered, so that no reset can destroy an answer on its way. */
void mk_stream_close_idle(MkStream *stream);
/* Closes at once, throwing away what is queued. */
void mk_stream_abort(MkStream *stream);

/* Copies the octets. Errors come by on_end. */
void mk_stream_write(MkStream *stream, const void *data, size_t length);
/* Takes a reference instead of a copy where it can. */
void mk_stream_write_bytes(MkStream *stream, GBytes *bytes);
/* More than MK_LIMIT_WRITE_QUEUE_BYTES wait: stop producing until on_drain. */
bool mk_stream_is_full(const MkStream *stream);
/* Nothing waits, nothing is on its way to the socket. */
bool mk_stream_is_flushed(const MkStream *stream);
/* Octets the socket has taken so far: does a slow peer still read? */
uint64_t mk_stream_sent_bytes(const MkStream *stream);
/*
 * Stops and resumes on_read. While paused no data is read from the socket beyond one buffer;
 * octets already here are kept and delivered (from the loop, not inside resume) on resume.
 * The end of the peer is reported only after all its octets were delivered.
 */
void mk_stream_pause(MkStream *stream);
void mk_stream_resume(MkStream *stream);
/* Milliseconds without octets from the peer until on_idle; 0 = off. Starts anew with each call. */
void mk_stream_set_idle_ms(MkStream *stream, uint64_t idle_ms);
/*
 * mk_stream_start_tls() - server side: from here on TLS
 *
 * What was written before is flushed in clear first. Any clear octets that came behind the
 * command are thrown away: the caller refuses them beforehand (it sees them in on_read).
 * Reading goes on by itself when the handshake is done (on_secure).
 */
void mk_stream_start_tls(MkStream *stream, MkTls *tls);
/* The same for a client (SMTP, IMAP, POP3 with STARTTLS); @hostname is checked and sent as SNI. */
void mk_stream_start_tls_client(MkStream *stream, MkTls *tls, const char *hostname);
bool mk_stream_is_secure(const MkStream *stream);
/* "TLSv1.3 TLS1-3-AES-128-GCM-SHA256" or NULL in clear; owned by the stream */
const char *mk_stream_tls_description(const MkStream *stream);
/* The peer's public key as mk_tls_public_key_fingerprint(), for pinning; NULL without one */
const char *mk_stream_peer_fingerprint(const MkStream *stream);
/* "192.0.2.1" or "2001:db8::1"; IPv4-mapped addresses as IPv4; owned by the stream */
const char *mk_stream_peer_address(const MkStream *stream);
uint64_t mk_stream_id(const MkStream *stream); /* 1.., unique in the process, for logs */

/* -- listeners -------------------------------------------------------------------------- */
typedef struct MkListener MkListener;
/* The new stream belongs to the callee (one reference); it is paused: set events, resume. */
typedef void (*MkAcceptFunc)(MkStream *stream, void *cookie);

/* Connections of all listeners that share a counter are counted together. */
typedef struct {
    unsigned open;
    unsigned max;
} MkConnectionCounter;

/*
 * mk_listener_new() - listen
 * @host, @port  numeric address; "::" takes IPv4 too; port 0 = any free one
 * @tls          implicit TLS when not NULL (then on_secure comes before the first on_read)
 * @counter      borrowed; when full, @too_many is called (may be NULL) and the stream dropped
 */
MkListener *mk_listener_new(MkLoop *loop, const char *host, uint16_t port, MkTls *tls,
                            MkConnectionCounter *counter, MkAcceptFunc on_accept, void *cookie,
                            GError **error);
/* Sent in clear to those who come when the counter is full (SMTP: "421 ..."); static text. */
void mk_listener_set_busy_text(MkListener *listener, const char *text);
/* Changes the context for connections accepted from now on (HUP). */
void mk_listener_set_tls(MkListener *listener, MkTls *tls);
uint16_t mk_listener_port(const MkListener *listener);
void mk_listener_free(MkListener *listener); /* open streams stay open */

/* -- a client's side ---------------------------------------------------------------------- */
/* @stream NULL: failed, @error says why. Otherwise as for MkAcceptFunc; with @tls secured. */
typedef void (*MkConnectFunc)(MkStream *stream, const GError *error, void *cookie);
/* What is returned is valid until @on_connect or the cancel; who never cancels ignores it. */
typedef struct MkConnect MkConnect;
MkConnect *mk_connect(MkLoop *loop, const char *host, uint16_t port, MkTls *tls,
                      uint64_t timeout_ms, MkConnectFunc on_connect, void *cookie);
/* Gives it up; @on_connect is not called. */
void mk_connect_cancel(MkConnect *connect);

#endif
