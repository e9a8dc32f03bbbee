/*
 * smtp.h - the journal gateway's SMTP server
 *
 * Purpose    Takes mail for gateway mailboxes and hands envelope and octets to a sink; says 250
 *            to DATA and BDAT only when the sink says the mail is durable. No relay.
 * Threads    The loop only. Octets are spooled by archive.h's MkSpool, which does not block.
 * Source     RFC 5321, 1870, 2920, 3030, 3207, 3463, 6152, 6531; spec GW-01..GW-11
 *            docs/protocols/smtp.md
 */
#ifndef MAILKEEP_SMTP_H
#define MAILKEEP_SMTP_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include <mailkeep/archive.h>
#include <mailkeep/error.h>
#include <mailkeep/loop.h>
#include <mailkeep/net.h>

/* -- grammar (pure; shared with client and proxy) ------------------------------------------- */
typedef enum {
    MK_SMTP_HELO,
    MK_SMTP_EHLO,
    MK_SMTP_MAIL,
    MK_SMTP_RCPT,
    MK_SMTP_DATA,
    MK_SMTP_BDAT,
    MK_SMTP_RSET,
    MK_SMTP_NOOP,
    MK_SMTP_VRFY,
    MK_SMTP_EXPN,
    MK_SMTP_HELP,
    MK_SMTP_QUIT,
    MK_SMTP_STARTTLS,
    MK_SMTP_AUTH,
    MK_SMTP_UNKNOWN,
} MkSmtpVerb;

typedef struct {
    MkSmtpVerb verb;
    char *path;          /* MAIL, RCPT: the mailbox without <>, "" for <>; source routes dropped */
    char *argument;      /* EHLO domain; others: what stands behind the verb */
    uint64_t size_bytes; /* MAIL SIZE=, BDAT chunk size */
    bool has_size;
    bool last;      /* BDAT ... LAST */
    bool body_8bit; /* BODY=8BITMIME or BINARYMIME */
    bool smtputf8;
} MkSmtpCommand;
/*
 * mk_smtp_command_parse() - one command line without its CRLF
 * @out        an unknown verb is no failure; on false only its verb is set
 * @out_reply  on false: the reply, such as "501 5.5.4 ..." (static)
 */
bool mk_smtp_command_parse(const char *line, size_t length, MkSmtpCommand *out,
                           const char **out_reply);
void mk_smtp_command_clear(MkSmtpCommand *command);

/* -- server ----------------------------------------------------------------------------- */
typedef struct {
    const char *hostname;
    uint64_t message_size_bytes;
    MkTls *tls;         /* offered by STARTTLS; NULL = not offered */
    MkArchive *archive; /* recipients, spool, ingest: mk_archive_gateway_find(), mk_ingest_... */
} MkSmtpServerOptions;

typedef struct MkSmtpServer MkSmtpServer;
MkSmtpServer *mk_smtp_server_new(MkLoop *loop, const MkSmtpServerOptions *options);
/* A MkAcceptFunc with the server as cookie; both for 25 and for 465 (an implicit TLS listener). */
void mk_smtp_server_accept(MkStream *stream, void *server);
void mk_smtp_server_set_tls(MkSmtpServer *server, MkTls *tls);
/* No new sessions; those without a mail under way get 421, others end after their reply. */
void mk_smtp_server_stop(MkSmtpServer *server);
/* All sessions are gone. */
bool mk_smtp_server_is_idle(const MkSmtpServer *server);
void mk_smtp_server_free(MkSmtpServer *server);

typedef struct {
    uint64_t sessions_open, sessions_total;
    uint64_t mails_accepted, mails_deferred, mails_refused;
    uint64_t octets_accepted;
} MkSmtpGauges;
void mk_smtp_server_gauges(const MkSmtpServer *server, MkSmtpGauges *out);

#endif
