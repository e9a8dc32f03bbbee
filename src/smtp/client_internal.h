/*
 * client_internal.h - the inside of the client
 *
 *   client.c        lifetime, stream, timers, the end      client_steps.c  what each reply leads to
 *   client_login.c  AUTH                                   client_reply.c  octets into replies
 *   client_data.c   the mail as the octets of DATA         client_wait.c   for lanes
 *   relay.c         settings and TLS context               compose.c       mails of our own
 */
#ifndef MAILKEEP_SMTP_CLIENT_INTERNAL_H
#define MAILKEEP_SMTP_CLIENT_INTERNAL_H

#include <mailkeep/smtp_client.h>

#include <mailkeep/net.h>

#include "internal.h"

/* -- client_reply.c ------------------------------------------------------------------------- */
typedef enum { MK_SMTP_REPLY_MORE, MK_SMTP_REPLY_READY, MK_SMTP_REPLY_BAD } MkSmtpReplyState;

typedef struct {
    MkSmtpLine line;
    unsigned code;    /* 200..599 once a line is here */
    GPtrArray *lines; /* char *: what stands behind the code of each line; valid UTF-8 */
    size_t bytes;
    bool ready; /* the next octets begin another reply */
} MkSmtpReplyReader;

void mk_smtp_reply_init(MkSmtpReplyReader *reader);
void mk_smtp_reply_clear(MkSmtpReplyReader *reader);
/* Uses up octets to the end of a reply, or all. BAD: not SMTP, or too long; nothing more is read. */
MkSmtpReplyState mk_smtp_reply_feed(MkSmtpReplyReader *reader, const uint8_t *data, size_t length,
                                    size_t *out_used);
/* "550 5.1.1 No such user": one line without control characters, at most
 * MK_LIMIT_SMTP_REPLY_SHOWN_BYTES; new string. */
char *mk_smtp_reply_shown(const MkSmtpReplyReader *reader);

/* -- client_data.c -------------------------------------------------------------------------- */
typedef struct {
    bool in_line;      /* something of this line has been written */
    unsigned held_crs; /* CRs of which is not yet known whether a LF follows */
} MkSmtpStuff;
/* Appends octets of the mail as DATA has them: lines end with CRLF, leading dots are doubled. */
void mk_smtp_stuff(MkSmtpStuff *stuff, const uint8_t *data, size_t length, GByteArray *out);
/* Ends the last line and the mail. */
void mk_smtp_stuff_end(MkSmtpStuff *stuff, GByteArray *out);
bool mk_smtp_has_8bit(const uint8_t *data, size_t length);

/* -- relay.c -------------------------------------------------------------------------------- */
struct MkSmtpRelay {
    gint refs; /* atomic */
    MkSmtpSettings settings;
    char *hostname;
    MkTls *tls; /* NULL with MK_SMTP_IN_CLEAR */
};

/* -- client.c ------------------------------------------------------------------------------- */
typedef enum {
    MK_SMTP_CLIENT_CONNECTING,
    MK_SMTP_CLIENT_GREETING,
    MK_SMTP_CLIENT_EHLO,
    MK_SMTP_CLIENT_STARTTLS,
    MK_SMTP_CLIENT_HANDSHAKE,
    MK_SMTP_CLIENT_AUTH,
    MK_SMTP_CLIENT_MAIL,
    MK_SMTP_CLIENT_RCPT,
    MK_SMTP_CLIENT_DATA,
    MK_SMTP_CLIENT_CONTENT,
    MK_SMTP_CLIENT_END,
    MK_SMTP_CLIENT_CLOSED,
} MkSmtpClientState;

struct MkSmtpSend {
    unsigned refs; /* until the end; while a callback works */
    MkLoop *loop;
    MkSmtpRelay *relay;
    MkConnect *connect; /* while it is being connected; then NULL */
    MkStream *stream;   /* NULL before it is connected and at the end */
    MkTimer *timer;
    int64_t end_ms; /* monotonic: then it has taken too long in all */
    MkSmtpClientState state;
    MkSmtpReplyReader reader;
    MkSmtpSentFunc on_sent;
    void *cookie;

    /* what the last EHLO said; what was said in clear is forgotten behind STARTTLS */
    struct {
        bool starttls, size, eight_bit, utf8, plain, login;
        uint64_t size_max; /* 0 = none */
    } offers;
    char *answers[2]; /* to 334, base64; NULL once given */

    char **forward_paths;
    unsigned at_path;
    GBytes *mail;
    size_t at;
    MkSmtpStuff stuff;
};

/* The only writer of send->state; sets the timer. */
void mk_smtp_client_enter(MkSmtpSend *send, MkSmtpClientState next);
/* A command (CRLF is added), and the state that waits for its reply. */
void mk_smtp_client_say(MkSmtpSend *send, MkSmtpClientState next, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/* The end: the owner hears of it, @send may be gone. */
void mk_smtp_client_fail(MkSmtpSend *send, MkErrorCode code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/* The reply just read is a refusal; @what "the mail server refused the recipient". */
void mk_smtp_client_refused(MkSmtpSend *send, const char *what);
void mk_smtp_client_done(MkSmtpSend *send);
/* As much of the mail as the stream takes. */
void mk_smtp_client_pump(MkSmtpSend *send);

/* -- client_steps.c ------------------------------------------------------------------------- */
void mk_smtp_client_on_reply(MkSmtpSend *send);
void mk_smtp_client_on_secure(MkSmtpSend *send);

/* -- client_login.c ------------------------------------------------------------------------- */
void mk_smtp_client_log_in(MkSmtpSend *send);
/* 334, 235 or a refusal. */
void mk_smtp_client_on_auth_reply(MkSmtpSend *send);
/* What follows a login, or stands in its place. */
void mk_smtp_client_begin_mail(MkSmtpSend *send);

#endif
