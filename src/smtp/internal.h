/*
 * internal.h - what the files of smtp/ share
 *
 *   grammar.c   a command line taken apart           line.c, dot.c   octets into lines and mail
 *   session.c   the state machine and its lifetime   command.c       what each command does
 *   receive.c   DATA, BDAT, the commit               server.c        all sessions
 *   reply.c     replies, errors mapped to them       sink.c          the archive as the sink
 */
#ifndef MAILKEEP_SMTP_INTERNAL_H
#define MAILKEEP_SMTP_INTERNAL_H

#include <mailkeep/smtp.h>

#include <mailkeep/archive.h>
#include <mailkeep/loop.h>
#include <mailkeep/net.h>

/* -- line.c: command lines ------------------------------------------------------------------ */
typedef enum {
    MK_SMTP_LINE_MORE,     /* no CRLF yet */
    MK_SMTP_LINE_READY,    /* text and length are set, until the next call */
    MK_SMTP_LINE_BARE,     /* it had a CR or LF that was not part of its CRLF */
    MK_SMTP_LINE_TOO_LONG, /* read to its end and thrown away */
    MK_SMTP_LINE_ENDLESS,  /* far too long and still no end */
} MkSmtpLineState;

typedef struct {
    GString *partial; /* what came before this read, without the CRLF */
    const char *text;
    size_t length;
    size_t dropped; /* octets of a too long line that were thrown away */
    bool saw_cr;    /* the last octet was a CR; it is not in @partial yet */
    bool bare;
} MkSmtpLine;

void mk_smtp_line_init(MkSmtpLine *line);
void mk_smtp_line_clear(MkSmtpLine *line);
/* Uses up octets to the end of the line, or all; says how many in *out_used. */
MkSmtpLineState mk_smtp_line_feed(MkSmtpLine *line, const uint8_t *data, size_t length,
                                  size_t *out_used);

/* -- dot.c: the octets of DATA ---------------------------------------------------------------- */
typedef enum {
    MK_SMTP_DOT_LINE_START, /* behind a CRLF, or nothing has come yet */
    MK_SMTP_DOT_IN_LINE,
    MK_SMTP_DOT_CR,
    MK_SMTP_DOT_DOT,    /* a dot at the start of a line; it is not part of the mail */
    MK_SMTP_DOT_DOT_CR, /* the same and a CR: now a LF ends the mail */
    MK_SMTP_DOT_END,
} MkSmtpDot;

/*
 * mk_smtp_dot_scan() - the next slice of the mail
 * @out_slice, @out_length  octets of the mail: in @data or static; may be none
 *
 * Returns how many octets of @data are used up (0 only when a slice came without). Call again
 * until all are, or *dot is MK_SMTP_DOT_END: what is behind it are commands.
 */
size_t mk_smtp_dot_scan(MkSmtpDot *dot, const uint8_t *data, size_t length,
                        const uint8_t **out_slice, size_t *out_length);

/* -- reply.c -------------------------------------------------------------------------------- */
typedef struct {
    unsigned code;
    const char *status; /* RFC 3463, or NULL where none belongs */
    const char *text;
} MkSmtpReply;

/* What a failure of the sink means for the sender of the mail. */
MkSmtpReply mk_smtp_reply_for(MkErrorCode code);

/* -- sink.c: the archive as the server sees it; tests put another in its place ------------------ */
typedef struct {
    MkGatewayState (*find)(MkArchive *archive, const char *address);
    bool (*can_take)(MkArchive *archive, uint64_t size_bytes, GError **error);
    MkEnvelope *(*envelope_new)(void);
    void (*envelope_free)(MkEnvelope *envelope);
    MkSpool *(*spool_new)(MkArchive *archive);
    bool (*spool_add)(MkSpool *spool, const void *data, size_t length, GError **error);
    uint64_t (*spool_size)(const MkSpool *spool);
    bool (*spool_is_full)(const MkSpool *spool);
    void (*spool_set_on_drain)(MkSpool *spool, void (*on_drain)(void *cookie), void *cookie);
    void (*spool_free)(MkSpool *spool);
    void (*ingest)(MkArchive *archive, MkEnvelope *envelope, MkSpool *spool, MkIngestDone on_done,
                   void *cookie);
} MkSmtpSink;

/* -- server.c ------------------------------------------------------------------------------- */
typedef struct MkSmtpSession MkSmtpSession;

struct MkSmtpServer {
    MkLoop *loop;
    const MkSmtpSink *sink;
    MkArchive *archive;
    char *hostname;
    uint64_t message_size_bytes;
    MkTls *tls;
    bool stopping;
    GQueue sessions; /* MkSmtpSession * with a connection; not owned */
    MkSmtpGauges gauges;
    unsigned
        refs; /* its maker's and one per session: a mail may be under way after the last close */
};

MkSmtpServer *mk_smtp_server_new_with_sink(MkLoop *loop, const MkSmtpServerOptions *options,
                                           const MkSmtpSink *sink);
void mk_smtp_server_unref(MkSmtpServer *server);

/* -- session.c ------------------------------------------------------------------------------ */
typedef enum {
    MK_SMTP_STATE_GREETING,
    MK_SMTP_STATE_READY,
    MK_SMTP_STATE_MAIL,
    MK_SMTP_STATE_RCPT,
    MK_SMTP_STATE_DATA,
    MK_SMTP_STATE_CHUNK,
    MK_SMTP_STATE_CHUNKS,
    MK_SMTP_STATE_COMMITTING,
    MK_SMTP_STATE_HANDSHAKE,
    MK_SMTP_STATE_CLOSED,
} MkSmtpState;
#define MK_SMTP_IN(state) (1u << MK_SMTP_STATE_##state)

struct MkSmtpSession {
    MkSmtpServer *server; /* a reference */
    MkStream *stream;     /* NULL when closed */
    MkTimer *timer;       /* the time for a command, or the beat of the rate of DATA */
    GList link;           /* in server->sessions */
    uint64_t id;
    unsigned refs; /* one while there is a connection, one for a mail under way */
    MkSmtpState state;

    /* octets */
    MkSmtpLine line;
    GByteArray *pending; /* came while we could not go on: behind the dot, or replies unread */
    size_t behind;       /* octets that came behind the command being done */
    bool processing;     /* mk_smtp_session_input() is at work further up */
    bool peer_ended;     /* no more octets will come */

    /* the session */
    char *helo;
    unsigned errors;     /* since the last mail kept */
    unsigned commands;   /* the same */
    uint64_t mail_count; /* kept */

    /* the transaction: MAIL .. COMMITTING */
    MkEnvelope *envelope;
    MkSpool *spool;
    bool smtputf8;
    uint64_t declared_bytes;
    int64_t started_ms;
    MkSmtpReply refusal; /* code not 0: the mail cannot be kept: its octets are thrown away */
    uint64_t thrown_bytes;
    MkSmtpDot dot;
    uint64_t chunk_left;
    bool chunk_last;
    uint64_t beat_bytes;   /* octets of mail since the last beat */
    unsigned slow_beats;   /* in a row */
    bool paused_for_spool; /* some of this beat: then it is not the peer who is slow */
};

MkSmtpSession *mk_smtp_session_open(MkSmtpServer *server, MkStream *stream);
MkSmtpSession *mk_smtp_session_ref(MkSmtpSession *session);
void mk_smtp_session_unref(MkSmtpSession *session);
/* The only writer of session->state. */
void mk_smtp_session_enter(MkSmtpSession *session, MkSmtpState next);
void mk_smtp_session_reply(MkSmtpSession *session, MkSmtpReply reply);
/* As many lines as given, NULL-terminated, without status codes (EHLO). */
void mk_smtp_session_reply_lines(MkSmtpSession *session, unsigned code, const char *const *lines);
/* Answers and closes. */
void mk_smtp_session_end(MkSmtpSession *session, MkSmtpReply reply);
void mk_smtp_session_close(MkSmtpSession *session);
/* The daemon stops: 421 to those who have no mail under way. */
void mk_smtp_session_stop(MkSmtpSession *session);
/* What came meanwhile is processed, then reading goes on. */
void mk_smtp_session_continue(MkSmtpSession *session);

/* -- command.c ------------------------------------------------------------------------------ */
void mk_smtp_command_run(MkSmtpSession *session, const char *line, size_t length);

/* -- receive.c: a transaction's octets and end ------------------------------------------------ */
void mk_smtp_transaction_clear(MkSmtpSession *session);
void mk_smtp_data_begin(MkSmtpSession *session);
void mk_smtp_chunk_begin(MkSmtpSession *session, uint64_t size_bytes, bool last);
/* Both return how many octets they have used. */
size_t mk_smtp_data_feed(MkSmtpSession *session, const uint8_t *data, size_t length);
size_t mk_smtp_chunk_feed(MkSmtpSession *session, const uint8_t *data, size_t length);
/* A minute of DATA or a chunk is over. */
void mk_smtp_receive_beat(MkSmtpSession *session);

#endif
