/*
 * smtp_client.h - sending a mail by SMTP through the server of the SMTP settings
 *
 * Purpose    Hands one mail to one server for some recipients: all of them or none. Knows no queue
 *            and tries nothing twice; who asked is told at once, with the server's own words.
 * Ownership  A relay is counted. A MkSmtpSend is its own: valid until on_sent or the cancel.
 * Threads    mk_smtp_relay_new(), mk_smtp_compose(), mk_smtp_send_wait(): lanes. mk_smtp_send() and
 *            _cancel(): the loop.
 * Limits     Waiting times and lengths: MK_LIMIT_SMTP_... "of the client".
 * Errors     MK_ERROR_NETWORK, _TLS, _TIMEOUT; _DENIED: the server said 5xx, _BUSY: 4xx;
 *            _UNSUPPORTED: it lacks what this mail or these settings need; _LIMIT: the mail is too
 *            large for it. Messages hold the server's reply, which may name addresses: they are for
 *            who asked, never for the log.
 * Source     RFC 5321, 1870, 3207, 4616, 4954, 6152, 6531; spec SM-01..SM-04; docs/protocols/smtp.md
 */
#ifndef MAILKEEP_SMTP_CLIENT_H
#define MAILKEEP_SMTP_CLIENT_H

#include <stdbool.h>

#include <glib.h>

#include <mailkeep/archive.h>
#include <mailkeep/error.h>
#include <mailkeep/loop.h>

/* -- where mail goes: settings and TLS context, immutable ------------------------------------- */
typedef struct MkSmtpRelay MkSmtpRelay;
/*
 * mk_smtp_relay_new() - the settings as they are now
 * @hostname  our own name, for EHLO
 * MK_ERROR_UNSUPPORTED when there are none. Reads the database and the system's authorities.
 */
MkSmtpRelay *mk_smtp_relay_new(MkArchive *archive, const char *hostname, GError **error);
MkSmtpRelay *mk_smtp_relay_ref(MkSmtpRelay *relay);
void mk_smtp_relay_unref(MkSmtpRelay *relay);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkSmtpRelay, mk_smtp_relay_unref)
/* The recipients of notifications, or the sender when there are none; borrowed. */
const char *const *mk_smtp_relay_notified(const MkSmtpRelay *relay);

/* A mail of our own to @recipients, text/plain in UTF-8; @text has LF as line ends. */
GBytes *mk_smtp_compose(const MkSmtpRelay *relay, const char *const *recipients,
                        const char *subject, const char *text);

/* -- sending -------------------------------------------------------------------------------- */
typedef struct {
    const GError *error; /* NULL: the server has taken the mail for every recipient */
    const char *stage;   /* where it ended: "connect", "login", "recipient" ...; static, for logs */
    unsigned reply_code; /* the server's refusal; 0: it did not refuse */
} MkSmtpOutcome;
typedef void (*MkSmtpSentFunc)(const MkSmtpOutcome *outcome, void *cookie);

typedef struct MkSmtpSend MkSmtpSend;
/*
 * mk_smtp_send() - send a mail
 * @forward_paths  1.., each mk_smtp_address_is_good(); copied
 * @mail           referenced. Sent octet for octet, but for what SMTP cannot carry: CR and LF that
 *                 are not CRLF become one, and the last line gets its end (RFC 5321 2.3.8).
 * @on_sent        on the loop, once, never from inside this call
 *
 * The reverse-path is the settings' sender. A password goes only through TLS, and nothing of the
 * mail is sent in clear unless the settings say so.
 */
MkSmtpSend *mk_smtp_send(MkLoop *loop, MkSmtpRelay *relay, const char *const *forward_paths,
                         GBytes *mail, MkSmtpSentFunc on_sent, void *cookie);
/* Cuts it off; on_sent is not called. */
void mk_smtp_send_cancel(MkSmtpSend *send);
/*
 * mk_smtp_send_wait() - the same for who may block; not on the interactive lane, whose threads
 *                       the handshake needs
 * @is_cancelled  asked now and then, on this thread; then MK_ERROR_CANCELLED. May be NULL.
 * @out_code      (out) the outcome's reply_code; may be NULL
 */
bool mk_smtp_send_wait(MkLoop *loop, MkSmtpRelay *relay, const char *const *forward_paths,
                       GBytes *mail, bool (*is_cancelled)(void *cookie), void *cookie,
                       unsigned *out_code, GError **error);

#endif
