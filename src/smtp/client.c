/*
 * client.c - a mail on its way: lifetime, stream, timers, the end
 *
 *  CONNECTING --> GREETING --> EHLO --> [STARTTLS --> HANDSHAKE --> EHLO] --> [AUTH] --> MAIL
 *    --> RCPT (once for each) --> DATA [354] --> CONTENT --all written--> END [250] --> CLOSED
 *  any --refusal, what is no SMTP, time, cut off--> CLOSED [mk_smtp_client_fail]
 *
 * client_steps.c has what each reply leads to. Each state but CONNECTING (mk_connect() has its
 * own time) has the timer on. Until END is answered the server must not take what it has for a
 * whole mail: in CONTENT the connection is broken off, not closed in order.
 */
#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/crypto.h>
#include <mailkeep/limits.h>

#include "client_internal.h"

enum { CHUNK_BYTES = 64 << 10 };

/* -- states ---------------------------------------------------------------------------------- */
static const struct {
    const char *stage;
    uint64_t wait_ms;
} states[] = {
    [MK_SMTP_CLIENT_CONNECTING] = { "connect", 0 },
    [MK_SMTP_CLIENT_GREETING] = { "greeting", MK_LIMIT_SMTP_REPLY_MS },
    [MK_SMTP_CLIENT_EHLO] = { "greeting", MK_LIMIT_SMTP_REPLY_MS },
    [MK_SMTP_CLIENT_STARTTLS] = { "tls", MK_LIMIT_SMTP_REPLY_MS },
    [MK_SMTP_CLIENT_HANDSHAKE] = { "tls", MK_LIMIT_TLS_HANDSHAKE_MS },
    [MK_SMTP_CLIENT_AUTH] = { "login", MK_LIMIT_SMTP_REPLY_MS },
    [MK_SMTP_CLIENT_MAIL] = { "sender", MK_LIMIT_SMTP_REPLY_MS },
    [MK_SMTP_CLIENT_RCPT] = { "recipient", MK_LIMIT_SMTP_REPLY_MS },
    [MK_SMTP_CLIENT_DATA] = { "data", MK_LIMIT_SMTP_DATA_START_MS },
    [MK_SMTP_CLIENT_CONTENT] = { "content", MK_LIMIT_SMTP_DATA_BLOCK_MS },
    [MK_SMTP_CLIENT_END] = { "content", MK_LIMIT_SMTP_DATA_END_MS },
    [MK_SMTP_CLIENT_CLOSED] = { "closed", 0 },
};

static void start_timer(MkSmtpSend *send)
{
    int64_t left_ms = MAX(send->end_ms - mk_clock_monotonic_ms(), 1);

    mk_timer_start(send->timer, MIN(states[send->state].wait_ms, (uint64_t) left_ms));
}

void mk_smtp_client_enter(MkSmtpSend *send, MkSmtpClientState next)
{
    send->state = next;
    if (states[next].wait_ms > 0)
        start_timer(send);
}

static void send_unref(MkSmtpSend *send)
{
    if (--send->refs > 0)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(send->answers); i++)
        mk_free_secret(send->answers[i]);
    mk_smtp_reply_clear(&send->reader);
    mk_smtp_relay_unref(send->relay);
    g_strfreev(send->forward_paths);
    g_bytes_unref(send->mail);
    g_free(send);
}

/* -- the end --------------------------------------------------------------------------------- */
static void drop_stream(MkSmtpSend *send, MkSmtpClientState was)
{
    MkStream *stream = g_steal_pointer(&send->stream);

    if (stream == NULL)
        return;
    if (was == MK_SMTP_CLIENT_CONTENT || was == MK_SMTP_CLIENT_END ||
        was == MK_SMTP_CLIENT_HANDSHAKE) {
        mk_stream_abort(stream);
    } else {
        mk_stream_write(stream, "QUIT\r\n", strlen("QUIT\r\n"));
        mk_stream_close(stream);
    }
    mk_stream_unref(stream);
}

/* Nothing is heard of the stream or the timer from here on. */
static void shut(MkSmtpSend *send, MkSmtpClientState was)
{
    g_clear_pointer(&send->connect, mk_connect_cancel);
    g_clear_pointer(&send->timer, mk_timer_free);
    drop_stream(send, was);
    send->state = MK_SMTP_CLIENT_CLOSED;
}

/* Both ends: the owner is told once, and its reference goes. */
static void finish(MkSmtpSend *send, const GError *error, unsigned reply_code)
{
    MkSmtpOutcome outcome = { error, states[send->state].stage, reply_code };

    if (send->state == MK_SMTP_CLIENT_CLOSED)
        return;
    /* A mail that has been taken is over: then the connection ends in order. */
    shut(send, error == NULL ? MK_SMTP_CLIENT_GREETING : send->state);
    send->on_sent(&outcome, send->cookie);
    send_unref(send);
}

void mk_smtp_client_fail(MkSmtpSend *send, MkErrorCode code, const char *format, ...)
{
    g_autoptr(GError) error = NULL;
    va_list arguments;

    va_start(arguments, format);
    error = g_error_new_valist(MK_ERROR, (gint) code, format, arguments);
    va_end(arguments);
    finish(send, error, 0);
}

void mk_smtp_client_refused(MkSmtpSend *send, const char *what)
{
    g_autofree char *reply = mk_smtp_reply_shown(&send->reader);
    g_autoptr(GError) error = NULL;
    unsigned code = send->reader.code;

    if (code < 400)
        mk_fail(&error, MK_ERROR_NETWORK, "%s: unexpected answer %s", what, reply);
    else
        mk_fail(&error, code < 500 ? MK_ERROR_BUSY : MK_ERROR_DENIED, "%s: %s", what, reply);
    finish(send, error, code);
}

void mk_smtp_client_done(MkSmtpSend *send)
{
    finish(send, NULL, 0);
}

void mk_smtp_send_cancel(MkSmtpSend *send)
{
    shut(send, MK_SMTP_CLIENT_CONTENT);
    send_unref(send);
}

static void on_time_up(void *cookie)
{
    MkSmtpSend *send = cookie;

    if (send->state == MK_SMTP_CLIENT_END)
        mk_smtp_client_fail(send, MK_ERROR_TIMEOUT,
                            "The mail server did not say in time whether it has taken the mail; it "
                            "may arrive nevertheless.");
    else
        mk_smtp_client_fail(send, MK_ERROR_TIMEOUT, "The mail server did not answer in time.");
}

/* -- the stream ------------------------------------------------------------------------------ */
static void take_reply(MkSmtpSend *send, MkSmtpReplyState state, bool is_all)
{
    if (state == MK_SMTP_REPLY_BAD)
        mk_smtp_client_fail(send, MK_ERROR_NETWORK,
                            "What the server answers is not SMTP: check host, port and protocol.");
    else if (state == MK_SMTP_REPLY_READY && !is_all)
        /* We ask one thing at a time. Behind the answer to STARTTLS it would be somebody between
         * us and the server who wants to be believed later (RFC 3207 5). */
        mk_smtp_client_fail(send, MK_ERROR_NETWORK,
                            "The mail server answers more than it was asked.");
    else if (state == MK_SMTP_REPLY_READY)
        mk_smtp_client_on_reply(send);
}

static void on_read(MkStream *stream, const uint8_t *data, size_t length, void *cookie)
{
    MkSmtpSend *send = cookie;
    size_t used;

    (void) stream;
    send->refs++;
    MkSmtpReplyState state = mk_smtp_reply_feed(&send->reader, data, length, &used);
    take_reply(send, state, used == length);
    send_unref(send);
}

static void on_end(MkStream *stream, const GError *error, void *cookie)
{
    MkSmtpSend *send = cookie;

    if (send->state == MK_SMTP_CLIENT_END)
        mk_smtp_client_fail(send, MK_ERROR_NETWORK,
                            "The connection broke before the mail server said whether it has taken "
                            "the mail; it may arrive nevertheless.");
    else if (error != NULL && !mk_stream_is_secure(stream)) /* the handshake, or TCP */
        finish(send, error, 0);
    else
        mk_smtp_client_fail(send, MK_ERROR_NETWORK, "The mail server closed the connection.");
}

static void on_drain(MkStream *stream, void *cookie)
{
    MkSmtpSend *send = cookie;

    (void) stream;
    if (send->state != MK_SMTP_CLIENT_CONTENT)
        return;
    start_timer(send); /* the server has taken something */
    mk_smtp_client_pump(send);
}

static void on_secure(MkStream *stream, void *cookie)
{
    (void) stream;
    mk_smtp_client_on_secure(cookie);
}

void mk_smtp_client_say(MkSmtpSend *send, MkSmtpClientState next, const char *format, ...)
{
    g_autofree char *command = NULL;
    va_list arguments;
    char *line;

    va_start(arguments, format);
    command = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_assert(strpbrk(command, "\r\n") == NULL); /* a line more would be a command more */
    line = g_strconcat(command, "\r\n", NULL);
    mk_stream_write(send->stream, line, strlen(line));
    mk_wipe(command, strlen(command)); /* it may be a login */
    mk_free_secret(line);
    mk_smtp_client_enter(send, next);
}

void mk_smtp_client_pump(MkSmtpSend *send)
{
    g_autoptr(GByteArray) out = g_byte_array_sized_new(CHUNK_BYTES + 256);
    gsize size = 0;
    const uint8_t *data = g_bytes_get_data(send->mail, &size);

    while (send->state == MK_SMTP_CLIENT_CONTENT && !mk_stream_is_full(send->stream)) {
        size_t length = MIN(size - send->at, CHUNK_BYTES);

        mk_smtp_stuff(&send->stuff, data + send->at, length, out);
        send->at += length;
        if (send->at == size) {
            mk_smtp_stuff_end(&send->stuff, out);
            mk_smtp_client_enter(send, MK_SMTP_CLIENT_END);
        }
        mk_stream_write(send->stream, out->data, out->len);
        g_byte_array_set_size(out, 0);
    }
}

/* -- the beginning --------------------------------------------------------------------------- */
static void on_connected(MkStream *stream, const GError *error, void *cookie)
{
    static const MkStreamEvents events = {
        .on_read = on_read, .on_end = on_end, .on_drain = on_drain, .on_secure = on_secure
    };
    MkSmtpSend *send = cookie;

    send->connect = NULL;
    if (stream == NULL) {
        finish(send, error, 0);
    } else {
        send->stream = stream;
        mk_stream_set_events(stream, &events, send);
        mk_smtp_client_enter(send, MK_SMTP_CLIENT_GREETING);
        mk_stream_resume(stream);
    }
}

MkSmtpSend *mk_smtp_send(MkLoop *loop, MkSmtpRelay *relay, const char *const *forward_paths,
                         GBytes *mail, MkSmtpSentFunc on_sent, void *cookie)
{
    const MkSmtpSettings *settings = &relay->settings;
    MkSmtpSend *send = g_new0(MkSmtpSend, 1);

    send->refs = 1;
    send->loop = loop;
    send->relay = mk_smtp_relay_ref(relay);
    send->timer = mk_timer_new(loop, on_time_up, send);
    send->end_ms = mk_clock_monotonic_ms() + MK_LIMIT_SMTP_SEND_MS;
    send->forward_paths = g_strdupv((char **) forward_paths);
    send->mail = g_bytes_ref(mail);
    send->on_sent = on_sent;
    send->cookie = cookie;
    mk_smtp_reply_init(&send->reader);
    send->connect = mk_connect(loop, settings->host, settings->port,
                               settings->security == MK_SMTP_IMPLICIT_TLS ? relay->tls : NULL,
                               MK_LIMIT_SMTP_CONNECT_MS, on_connected, send);
    return send;
}
