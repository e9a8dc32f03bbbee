/*
 * session.c - one connection of a sender: the machine, its octets, its life
 *
 *               +--------------------- 220 [on_secure] ---------------------+
 *               v                                                           |
 *  open --> GREETING --EHLO, HELO--> READY --STARTTLS [cmd_starttls]--> HANDSHAKE
 *                                    |   ^
 *             [cmd_mail] MAIL, 250 --+   +-- RSET, EHLO, HELO; refused DATA or BDAT
 *                                    v   |   [mk_smtp_transaction_clear]
 *                                   MAIL |
 *             [cmd_rcpt] RCPT, 250 --+   |
 *                                    v   |
 *            +----------------------RCPT-+-------------------+
 *            | DATA, 354 [mk_smtp_data_begin]                | BDAT [mk_smtp_chunk_begin]
 *            v                                               v
 *          DATA                                 CHUNKS --BDAT--> CHUNK
 *            | CRLF . CRLF                        ^                | chunk is whole
 *            |                                    +-- not LAST ----+
 *            +------------> COMMITTING <-------------- LAST -------+
 *                               |
 *                               +--> READY with 250, 4xx or 5xx [on_ingested]
 *
 *  any --QUIT, timeout, end, error--> CLOSED [mk_smtp_session_close]
 *
 *  GREETING    nobody has said EHLO yet, or TLS has just made us forget it.
 *  DATA, CHUNK octets of the mail go to the spool; after a refusal they are thrown away, so that
 *              they are never taken for commands. A BDAT that is refused reads its chunk as well,
 *              from whatever state it came.
 *  COMMITTING  the sink has the mail and its callback a reference; reading is paused, no timer
 *              runs. What was pipelined behind the mail (RFC 2920) waits in `pending`.
 *  HANDSHAKE   the stream has its own time limit.
 */
#include <string.h>

#include <mailkeep/limits.h>
#include <mailkeep/log.h>

#include "internal.h"

#define BEAT_MS (MK_LIMIT_SMTP_DATA_BLOCK_MS / 3)

static const char *const state_names[] = {
    [MK_SMTP_STATE_GREETING] = "greeting",   [MK_SMTP_STATE_READY] = "ready",
    [MK_SMTP_STATE_MAIL] = "mail",           [MK_SMTP_STATE_RCPT] = "rcpt",
    [MK_SMTP_STATE_DATA] = "data",           [MK_SMTP_STATE_CHUNK] = "chunk",
    [MK_SMTP_STATE_CHUNKS] = "chunks",       [MK_SMTP_STATE_COMMITTING] = "committing",
    [MK_SMTP_STATE_HANDSHAKE] = "handshake", [MK_SMTP_STATE_CLOSED] = "closed",
};

/* -- states and timers ---------------------------------------------------------------------- */
static bool session_is_in(const MkSmtpSession *s, unsigned states)
{
    return ((1u << s->state) & states) != 0;
}

static bool session_takes_octets(const MkSmtpSession *s)
{
    return !session_is_in(s, MK_SMTP_IN(COMMITTING) | MK_SMTP_IN(HANDSHAKE) | MK_SMTP_IN(CLOSED));
}

static bool session_receives(const MkSmtpSession *s)
{
    return session_is_in(s, MK_SMTP_IN(DATA) | MK_SMTP_IN(CHUNK));
}

/* A command has its time as a whole: octet by octet it may not be stretched (RFC 5321 §4.5.3.2). */
static void session_start_timer(MkSmtpSession *s)
{
    if (!session_takes_octets(s))
        mk_timer_stop(s->timer);
    else if (session_receives(s))
        mk_timer_start_repeat(s->timer, BEAT_MS);
    else
        mk_timer_start(s->timer, MK_LIMIT_SMTP_COMMAND_MS);
}

void mk_smtp_session_enter(MkSmtpSession *s, MkSmtpState next)
{
    if (s->state != next && mk_log_level() >= MK_LOG_DEBUG)
        mk_log_debug("smtp.state", "session", MK_LOG_U64(s->id), "from", state_names[s->state],
                     "to", state_names[next]);
    s->state = next;
    session_start_timer(s);
}

static void on_timer(void *cookie)
{
    MkSmtpSession *s = cookie;

    if (session_receives(s))
        mk_smtp_receive_beat(s);
    else
        mk_smtp_session_end(s, (MkSmtpReply){ 421, "4.4.2", "Waited too long for a command" });
}

/* -- replies -------------------------------------------------------------------------------- */
/* The stream brings the replies of a turn together in one packet (RFC 2920 §3.2). */
static void session_write_line(MkSmtpSession *s, unsigned code, char between, const char *status,
                               const char *text)
{
    g_autofree char *line =
        g_strdup_printf("%u%c%s%s%s\r\n", code, between, status != NULL ? status : "",
                        status != NULL ? " " : "", text);

    mk_stream_write(s->stream, line, strlen(line));
}

void mk_smtp_session_reply(MkSmtpSession *s, MkSmtpReply reply)
{
    if (s->state == MK_SMTP_STATE_CLOSED)
        return;
    if (reply.code >= 400)
        mk_log_info("smtp.refused", "session", MK_LOG_U64(s->id), "code", MK_LOG_U64(reply.code),
                    "status", reply.status);
    if (reply.code >= 500)
        s->errors++;
    session_write_line(s, reply.code, ' ', reply.status, reply.text);
}

void mk_smtp_session_reply_lines(MkSmtpSession *s, unsigned code, const char *const *lines)
{
    for (; *lines != NULL; lines++)
        session_write_line(s, code, lines[1] != NULL ? '-' : ' ', NULL, *lines);
}

void mk_smtp_session_end(MkSmtpSession *s, MkSmtpReply reply)
{
    mk_smtp_session_reply(s, reply);
    mk_smtp_session_close(s);
}

/* -- octets in ------------------------------------------------------------------------------ */
static void session_after_line(MkSmtpSession *s)
{
    s->commands++;
    if (s->state == MK_SMTP_STATE_CLOSED)
        return;
    if (s->errors > MK_LIMIT_SMTP_ERRORS)
        mk_smtp_session_end(s, (MkSmtpReply){ 421, "4.7.0", "Too many errors" });
    else if (s->commands > MK_LIMIT_SMTP_TRANSACTIONS)
        mk_smtp_session_end(s, (MkSmtpReply){ 421, "4.7.0", "Too many commands without a mail" });
    else if (!session_receives(s))
        session_start_timer(s);
}

static size_t session_feed_line(MkSmtpSession *s, const uint8_t *data, size_t length)
{
    size_t used;
    MkSmtpLineState state = mk_smtp_line_feed(&s->line, data, length, &used);

    s->behind = length - used;
    switch (state) {
    case MK_SMTP_LINE_MORE: return used;
    case MK_SMTP_LINE_READY: mk_smtp_command_run(s, s->line.text, s->line.length); break;
    case MK_SMTP_LINE_BARE:
        mk_smtp_session_reply(s, (MkSmtpReply){ 500, "5.5.2", "A line ends with CR and LF only" });
        break;
    case MK_SMTP_LINE_TOO_LONG:
        mk_smtp_session_reply(s, (MkSmtpReply){ 500, "5.5.2", "The line is too long" });
        break;
    case MK_SMTP_LINE_ENDLESS:
        mk_smtp_session_end(s, (MkSmtpReply){ 421, "4.5.2", "The line does not end" });
        break;
    }
    session_after_line(s);
    return used;
}

static size_t session_feed(MkSmtpSession *s, const uint8_t *data, size_t length)
{
    if (s->state == MK_SMTP_STATE_DATA)
        return mk_smtp_data_feed(s, data, length);
    if (s->state == MK_SMTP_STATE_CHUNK)
        return mk_smtp_chunk_feed(s, data, length);
    return session_feed_line(s, data, length);
}

/* Reading stops where the octets have nowhere to go: our replies unread, the spool's disk slow. */
static void session_set_reading(MkSmtpSession *s)
{
    bool spool_is_full = s->spool != NULL && s->server->sink->spool_is_full(s->spool);

    if (session_is_in(s, MK_SMTP_IN(HANDSHAKE) | MK_SMTP_IN(CLOSED)))
        return;
    if (spool_is_full)
        s->paused_for_spool = true;
    if (spool_is_full || !session_takes_octets(s) || mk_stream_is_full(s->stream))
        mk_stream_pause(s->stream);
    else
        mk_stream_resume(s->stream);
}

static bool session_may_stop(const MkSmtpSession *s)
{
    return session_is_in(s, MK_SMTP_IN(GREETING) | MK_SMTP_IN(READY) | MK_SMTP_IN(MAIL) |
                                MK_SMTP_IN(RCPT));
}

static void session_input(MkSmtpSession *s, const uint8_t *data, size_t length)
{
    mk_smtp_session_ref(s);
    s->processing = true;
    while (length > 0 && session_takes_octets(s)) {
        size_t used = session_feed(s, data, length);

        data += used;
        length -= used;
    }
    s->processing = false;
    if (length > 0 && s->state != MK_SMTP_STATE_CLOSED)
        g_byte_array_append(s->pending, data, (guint) length);
    if (s->server->stopping && session_may_stop(s))
        mk_smtp_session_stop(s);
    else if (s->peer_ended && s->state != MK_SMTP_STATE_COMMITTING)
        mk_smtp_session_close(s);
    else
        session_set_reading(s);
    mk_smtp_session_unref(s);
}

void mk_smtp_session_continue(MkSmtpSession *s)
{
    g_autoptr(GByteArray) waiting = NULL;

    if (s->processing || s->state == MK_SMTP_STATE_CLOSED)
        return; /* whoever is processing goes on by itself */
    waiting = g_steal_pointer(&s->pending);
    s->pending = g_byte_array_new();
    session_input(s, waiting->data, waiting->len);
}

/* -- what the stream tells ------------------------------------------------------------------ */
static void on_read(MkStream *stream, const uint8_t *data, size_t length, void *cookie)
{
    MkSmtpSession *s = cookie;

    (void) stream;
    if (s->pending->len > 0) /* we are paused; keep the order whatever came in between */
        g_byte_array_append(s->pending, data, (guint) length);
    else
        session_input(s, data, length);
}

static void on_end(MkStream *stream, const GError *error, void *cookie)
{
    MkSmtpSession *s = cookie;

    (void) stream;
    s->peer_ended = true;
    /* Who has only stopped sending may still be waiting for the reply to his mail. */
    if (error == NULL && s->state == MK_SMTP_STATE_COMMITTING)
        return;
    if (session_receives(s) || s->state == MK_SMTP_STATE_CHUNKS)
        mk_log_info("smtp.cut", "session", MK_LOG_U64(s->id));
    mk_smtp_session_close(s);
}

static void on_drain(MkStream *stream, void *cookie)
{
    (void) stream;
    mk_smtp_session_continue(cookie);
}

/* Behind the handshake nothing of before counts (RFC 3207 §4.2). With implicit TLS: the greeting's turn. */
static void on_secure(MkStream *stream, void *cookie)
{
    MkSmtpSession *s = cookie;

    (void) stream;
    if (s->state == MK_SMTP_STATE_HANDSHAKE)
        mk_smtp_session_enter(s, MK_SMTP_STATE_GREETING);
}

/* -- life ----------------------------------------------------------------------------------- */
static const MkStreamEvents session_events = {
    .on_read = on_read,
    .on_end = on_end,
    .on_drain = on_drain,
    .on_secure = on_secure,
};

static void session_greet(MkSmtpSession *s)
{
    g_autofree char *text = g_strdup_printf("%s ESMTP Mailkeep", s->server->hostname);

    mk_smtp_session_reply(s, (MkSmtpReply){ 220, NULL, text });
}

MkSmtpSession *mk_smtp_session_open(MkSmtpServer *server, MkStream *stream)
{
    MkSmtpSession *s = g_new0(MkSmtpSession, 1);

    s->server = server;
    server->refs++;
    s->stream = stream;
    s->id = mk_stream_id(stream);
    s->refs = 1;
    s->pending = g_byte_array_new();
    s->timer = mk_timer_new(server->loop, on_timer, s);
    mk_smtp_line_init(&s->line);
    s->link.data = s;
    g_queue_push_tail_link(&server->sessions, &s->link);
    server->gauges.sessions_open++;
    server->gauges.sessions_total++;
    mk_log_debug("smtp.open", "session", MK_LOG_U64(s->id));
    mk_smtp_session_enter(s, MK_SMTP_STATE_GREETING);
    mk_stream_set_events(stream, &session_events, s);
    session_greet(s);
    mk_stream_resume(stream);
    return s;
}

MkSmtpSession *mk_smtp_session_ref(MkSmtpSession *s)
{
    s->refs++;
    return s;
}

void mk_smtp_session_unref(MkSmtpSession *s)
{
    if (--s->refs > 0)
        return;
    mk_smtp_transaction_clear(s);
    mk_smtp_line_clear(&s->line);
    g_byte_array_unref(s->pending);
    g_free(s->helo);
    mk_smtp_server_unref(s->server);
    g_free(s);
}

void mk_smtp_session_close(MkSmtpSession *s)
{
    if (s->state == MK_SMTP_STATE_CLOSED)
        return;
    mk_smtp_session_enter(s, MK_SMTP_STATE_CLOSED);
    mk_timer_free(g_steal_pointer(&s->timer));
    mk_stream_close(s->stream);
    mk_stream_unref(g_steal_pointer(&s->stream));
    mk_smtp_transaction_clear(s);
    g_queue_unlink(&s->server->sessions, &s->link);
    s->server->gauges.sessions_open--;
    mk_log_debug("smtp.close", "session", MK_LOG_U64(s->id), "mails", MK_LOG_U64(s->mail_count));
    mk_smtp_session_unref(s);
}

void mk_smtp_session_stop(MkSmtpSession *s)
{
    /* In the middle of a line as well: no mail is under way. */
    if (session_may_stop(s) && !s->processing)
        mk_smtp_session_end(s, (MkSmtpReply){ 421, "4.3.2", "The server stops, try again later" });
}
