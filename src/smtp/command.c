/* command.c - what each command does, and in which states it may be given */
#include <mailkeep/limits.h>
#include <mailkeep/log.h>

#include "internal.h"

#define IN MK_SMTP_IN
#define IN_TRANSACTION (IN(MAIL) | IN(RCPT) | IN(CHUNKS))
#define IN_ANY (IN(GREETING) | IN(READY) | IN_TRANSACTION)

static void reply(MkSmtpSession *s, unsigned code, const char *status, const char *text)
{
    mk_smtp_session_reply(s, (MkSmtpReply){ code, status, text });
}

/* A temporary or lasting refusal before any octet of the mail was sent. */
static void refuse_mail(MkSmtpSession *s, MkSmtpReply why)
{
    if (why.code >= 500)
        s->server->gauges.mails_refused++;
    else
        s->server->gauges.mails_deferred++;
    if (why.code == 421)
        mk_smtp_session_end(s, why);
    else
        mk_smtp_session_reply(s, why);
}

/* Advice only: the commit may find out otherwise, and says so (archive.h). */
static bool sink_can_take(MkSmtpSession *s)
{
    g_autoptr(GError) error = NULL;

    if (s->server->sink->can_take(s->server->archive, s->declared_bytes, &error))
        return true;
    mk_log_warn("smtp.cannot_take", "session", MK_LOG_U64(s->id), "error",
                mk_error_name(mk_error_code(error)));
    refuse_mail(s, mk_smtp_reply_for(mk_error_code(error)));
    return false;
}

/* -- EHLO, HELO ----------------------------------------------------------------------------- */
static void greet_again(MkSmtpSession *s, const MkSmtpCommand *c)
{
    mk_smtp_transaction_clear(s);
    g_free(s->helo);
    s->helo = g_utf8_substring(c->argument, 0, MIN(g_utf8_strlen(c->argument, -1), 255));
    mk_smtp_session_enter(s, MK_SMTP_STATE_READY);
}

static void cmd_helo(MkSmtpSession *s, const MkSmtpCommand *c)
{
    greet_again(s, c);
    reply(s, 250, NULL, s->server->hostname);
}

/*
 * BINARYMIME is left out on purpose: a sender that sees it may rewrite base64 parts as binary
 * ones, and the archive would keep other octets than the recipients got.
 */
static void cmd_ehlo(MkSmtpSession *s, const MkSmtpCommand *c)
{
    g_autofree char *size =
        g_strdup_printf("SIZE %" G_GUINT64_FORMAT, s->server->message_size_bytes);
    bool offer_tls = s->server->tls != NULL && !mk_stream_is_secure(s->stream);
    const char *lines[] = {
        s->server->hostname,
        "PIPELINING",
        size,
        "8BITMIME",
        "SMTPUTF8",
        "CHUNKING",
        "ENHANCEDSTATUSCODES",
        offer_tls ? "STARTTLS" : NULL,
        NULL,
    };

    greet_again(s, c);
    mk_smtp_session_reply_lines(s, 250, lines);
}

/* -- MAIL, RCPT, DATA, BDAT ----------------------------------------------------------------- */
static MkEnvelope *make_envelope(MkSmtpSession *s, const char *reverse_path)
{
    MkEnvelope *envelope = s->server->sink->envelope_new();

    envelope->reverse_path = g_strdup(reverse_path);
    envelope->client_address = g_strdup(mk_stream_peer_address(s->stream));
    envelope->helo = g_strdup(s->helo);
    envelope->tls = g_strdup(mk_stream_tls_description(s->stream));
    return envelope;
}

static void cmd_mail(MkSmtpSession *s, const MkSmtpCommand *c)
{
    s->declared_bytes = c->size_bytes;
    if (s->server->stopping) {
        refuse_mail(s, mk_smtp_reply_for(MK_ERROR_CANCELLED));
        return;
    }
    if (c->size_bytes > s->server->message_size_bytes) {
        refuse_mail(s, mk_smtp_reply_for(MK_ERROR_LIMIT));
        return;
    }
    if (!sink_can_take(s))
        return;
    s->envelope = make_envelope(s, c->path);
    s->smtputf8 = c->smtputf8;
    mk_smtp_session_enter(s, MK_SMTP_STATE_MAIL);
    reply(s, 250, "2.1.0", "Sender noted");
}

/* No relay: an address is a gateway mailbox's or it is refused (GW-09). */
static void cmd_rcpt(MkSmtpSession *s, const MkSmtpCommand *c)
{
    GPtrArray *paths = s->envelope->forward_paths;

    if (!s->smtputf8 && !g_str_is_ascii(c->path)) {
        reply(s, 553, "5.6.7", "Addresses beyond ASCII need SMTPUTF8 in MAIL");
        return;
    }
    if (paths->len >= MK_LIMIT_SMTP_RECIPIENTS) {
        reply(s, 452, "4.5.3", "Too many recipients, send the rest in another transaction");
        return;
    }
    switch (s->server->sink->find(s->server->archive, c->path)) {
    case MK_GATEWAY_UNKNOWN: refuse_mail(s, mk_smtp_reply_for(MK_ERROR_NOT_FOUND)); return;
    case MK_GATEWAY_SUSPENDED:
        refuse_mail(s, (MkSmtpReply){ 450, "4.2.1", "The mailbox is suspended, try again later" });
        return;
    case MK_GATEWAY_ACTIVE: break;
    }
    g_ptr_array_add(paths, g_strdup(c->path));
    mk_smtp_session_enter(s, MK_SMTP_STATE_RCPT);
    reply(s, 250, "2.1.5", "Recipient noted");
}

static void cmd_data(MkSmtpSession *s, const MkSmtpCommand *c)
{
    (void) c;
    if (!sink_can_take(s)) {
        if (s->state != MK_SMTP_STATE_CLOSED)
            mk_smtp_transaction_clear(s);
        return;
    }
    mk_smtp_data_begin(s);
    reply(s, 354, NULL, "Send the mail, end with <CR><LF>.<CR><LF>");
}

/*
 * Allowed in every state, because the chunk comes whatever we answer (RFC 3030 §2): it is read,
 * and what is wrong is said at its end.
 */
static void cmd_bdat(MkSmtpSession *s, const MkSmtpCommand *c)
{
    if (s->state != MK_SMTP_STATE_RCPT && s->state != MK_SMTP_STATE_CHUNKS)
        s->refusal =
            (MkSmtpReply){ 503, "5.5.1", "BDAT needs MAIL and an accepted RCPT before it" };
    mk_smtp_chunk_begin(s, c->size_bytes, c->last);
}

/* -- the others ----------------------------------------------------------------------------- */
static void cmd_rset(MkSmtpSession *s, const MkSmtpCommand *c)
{
    (void) c;
    mk_smtp_transaction_clear(s);
    reply(s, 250, "2.0.0", "Forgotten");
}

static void cmd_noop(MkSmtpSession *s, const MkSmtpCommand *c)
{
    (void) c;
    reply(s, 250, "2.0.0", "Here I am");
}

static void cmd_vrfy(MkSmtpSession *s, const MkSmtpCommand *c)
{
    (void) c;
    reply(s, 252, "2.0.0", "Not checked here, try RCPT");
}

static void cmd_expn(MkSmtpSession *s, const MkSmtpCommand *c)
{
    (void) c;
    reply(s, 502, "5.5.1", "There are no lists here");
}

static void cmd_help(MkSmtpSession *s, const MkSmtpCommand *c)
{
    (void) c;
    reply(s, 214, "2.0.0", "This is a mail archive: it takes mail for its own mailboxes, RFC 5321");
}

static void cmd_quit(MkSmtpSession *s, const MkSmtpCommand *c)
{
    (void) c;
    mk_smtp_session_end(s, (MkSmtpReply){ 221, "2.0.0", "Goodbye" });
}

/* Neither offered nor taken, in clear least of all (GW-08): the mailboxes need none. */
static void cmd_auth(MkSmtpSession *s, const MkSmtpCommand *c)
{
    (void) c;
    reply(s, 502, "5.7.0", "No login is needed and none is taken here");
}

/*
 * Octets that came in clear behind the command may be anybody's, put there to be taken for
 * commands of the secured session: the session ends (RFC 3207 §6, CVE-2011-0411).
 */
static void cmd_starttls(MkSmtpSession *s, const MkSmtpCommand *c)
{
    (void) c;
    if (mk_stream_is_secure(s->stream)) {
        reply(s, 503, "5.5.1", "TLS is there already");
        return;
    }
    if (s->server->tls == NULL) {
        reply(s, 502, "5.5.1", "There is no TLS here");
        return;
    }
    if (s->behind > 0) {
        mk_smtp_session_end(s, (MkSmtpReply){ 501, "5.5.2", "Nothing may follow STARTTLS" });
        return;
    }
    reply(s, 220, "2.0.0", "Begin TLS");
    g_clear_pointer(&s->helo, g_free);
    mk_smtp_session_enter(s, MK_SMTP_STATE_HANDSHAKE);
    mk_stream_start_tls(s->stream, s->server->tls);
}

static void cmd_unknown(MkSmtpSession *s, const MkSmtpCommand *c)
{
    (void) c;
    reply(s, 500, "5.5.2", "Unknown command");
}

/* -- the table ------------------------------------------------------------------------------ */
static const struct {
    unsigned allowed; /* states; in any other the answer is 503 5.5.1 */
    void (*handle)(MkSmtpSession *s, const MkSmtpCommand *c);
} commands[] = {
    [MK_SMTP_HELO] = { IN_ANY, cmd_helo },
    [MK_SMTP_EHLO] = { IN_ANY, cmd_ehlo },
    [MK_SMTP_MAIL] = { IN(READY), cmd_mail },
    [MK_SMTP_RCPT] = { IN(MAIL) | IN(RCPT), cmd_rcpt },
    [MK_SMTP_DATA] = { IN(RCPT), cmd_data },
    [MK_SMTP_BDAT] = { IN_ANY, cmd_bdat },
    [MK_SMTP_RSET] = { IN_ANY, cmd_rset },
    [MK_SMTP_NOOP] = { IN_ANY, cmd_noop },
    [MK_SMTP_VRFY] = { IN_ANY, cmd_vrfy },
    [MK_SMTP_EXPN] = { IN_ANY, cmd_expn },
    [MK_SMTP_HELP] = { IN_ANY, cmd_help },
    [MK_SMTP_QUIT] = { IN_ANY, cmd_quit },
    [MK_SMTP_STARTTLS] = { IN(GREETING) | IN(READY), cmd_starttls },
    [MK_SMTP_UNKNOWN] = { IN_ANY, cmd_unknown },
    [MK_SMTP_AUTH] = { IN_ANY, cmd_auth },
};

static MkSmtpReply reply_from_text(const char *text) /* "501 5.5.4 ..." */
{
    static char status[8];

    g_strlcpy(status, text + 4, MIN(sizeof status, 1 + strcspn(text + 4, " ")));
    return (MkSmtpReply){ (unsigned) g_ascii_strtoull(text, NULL, 10), status,
                          text + 5 + strlen(status) };
}

void mk_smtp_command_run(MkSmtpSession *s, const char *line, size_t length)
{
    MkSmtpCommand command;
    const char *text;

    if (!mk_smtp_command_parse(line, length, &command, &text)) {
        MkSmtpReply wrong = reply_from_text(text);

        /* A chunk of unknown length follows: nothing behind it can be told from commands. */
        if (command.verb == MK_SMTP_BDAT)
            mk_smtp_session_end(s, wrong);
        else
            mk_smtp_session_reply(s, wrong);
        return;
    }
    if ((commands[command.verb].allowed & (1u << s->state)) == 0)
        reply(s, 503, "5.5.1", "Not now: the order is EHLO, MAIL, RCPT, DATA");
    else
        commands[command.verb].handle(s, &command);
    mk_smtp_command_clear(&command);
}
