/*
 * client_steps.c - what each reply of the server leads to; the states are drawn in client.c
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "client_internal.h"

static void say_ehlo(MkSmtpSend *send)
{
    memset(&send->offers, 0, sizeof send->offers);
    mk_smtp_client_say(send, MK_SMTP_CLIENT_EHLO, "EHLO %s", send->relay->hostname);
}

/* -- EHLO ------------------------------------------------------------------------------------- */
static void note_size(MkSmtpSend *send, const char *value)
{
    guint64 size = 0;

    send->offers.size = true;
    if (value != NULL && g_ascii_string_to_unsigned(value, 10, 0, G_MAXUINT64, &size, NULL))
        send->offers.size_max = size;
}

static void note_mechanisms(MkSmtpSend *send, char *const *names)
{
    for (; *names != NULL; names++) {
        if (g_ascii_strcasecmp(*names, "PLAIN") == 0)
            send->offers.plain = true;
        else if (g_ascii_strcasecmp(*names, "LOGIN") == 0)
            send->offers.login = true;
    }
}

static void note_offer(MkSmtpSend *send, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);

    if (words[0] == NULL)
        return;
    if (g_ascii_strcasecmp(words[0], "STARTTLS") == 0)
        send->offers.starttls = true;
    else if (g_ascii_strcasecmp(words[0], "SIZE") == 0)
        note_size(send, words[1]);
    else if (g_ascii_strcasecmp(words[0], "8BITMIME") == 0)
        send->offers.eight_bit = true;
    else if (g_ascii_strcasecmp(words[0], "SMTPUTF8") == 0)
        send->offers.utf8 = true;
    else if (g_ascii_strcasecmp(words[0], "AUTH") == 0)
        note_mechanisms(send, words + 1);
}

static void on_ehlo(MkSmtpSend *send)
{
    const MkSmtpSettings *settings = &send->relay->settings;

    for (guint i = 1; i < send->reader.lines->len; i++) /* the first has the server's name */
        note_offer(send, send->reader.lines->pdata[i]);
    if (settings->security != MK_SMTP_IN_CLEAR && !mk_stream_is_secure(send->stream)) {
        if (send->offers.starttls)
            mk_smtp_client_say(send, MK_SMTP_CLIENT_STARTTLS, "STARTTLS");
        else
            mk_smtp_client_fail(send, MK_ERROR_UNSUPPORTED,
                                "The mail server offers no encryption at this port (STARTTLS); "
                                "perhaps SMTP-SSL or another port fits.");
    } else if (settings->log_in) {
        mk_smtp_client_log_in(send);
    } else {
        mk_smtp_client_begin_mail(send);
    }
}

static void on_starttls(MkSmtpSend *send)
{
    mk_stream_start_tls_client(send->stream, send->relay->tls, send->relay->settings.host);
    mk_smtp_client_enter(send, MK_SMTP_CLIENT_HANDSHAKE);
}

void mk_smtp_client_on_secure(MkSmtpSend *send)
{
    if (send->state == MK_SMTP_CLIENT_HANDSHAKE)
        say_ehlo(send);
}

/* -- the mail --------------------------------------------------------------------------------- */
static bool needs_utf8(const MkSmtpSend *send)
{
    bool needs = !g_str_is_ascii(send->relay->settings.from_address);

    for (char **path = send->forward_paths; *path != NULL; path++)
        needs = needs || !g_str_is_ascii(*path);
    return needs;
}

/* False: @send has failed. */
static bool fits_server(MkSmtpSend *send)
{
    gsize size = 0;
    const uint8_t *data = g_bytes_get_data(send->mail, &size);

    if (send->offers.size_max > 0 && size > send->offers.size_max)
        mk_smtp_client_fail(send, MK_ERROR_LIMIT,
                            "The mail has %" G_GSIZE_FORMAT
                            " octets; the mail server takes %" G_GUINT64_FORMAT " at most.",
                            size, (guint64) send->offers.size_max);
    else if (needs_utf8(send) && !send->offers.utf8)
        mk_smtp_client_fail(send, MK_ERROR_UNSUPPORTED,
                            "The mail server takes only addresses in ASCII (no SMTPUTF8).");
    else if (!send->offers.eight_bit && mk_smtp_has_8bit(data, size))
        mk_smtp_client_fail(send, MK_ERROR_UNSUPPORTED,
                            "The mail has 8-bit text, which the mail server does not take (no "
                            "8BITMIME).");
    else
        return true;
    return false;
}

void mk_smtp_client_begin_mail(MkSmtpSend *send)
{
    g_autofree char *size = NULL;

    if (!fits_server(send))
        return;
    if (send->offers.size)
        size = g_strdup_printf(" SIZE=%" G_GSIZE_FORMAT, g_bytes_get_size(send->mail));
    mk_smtp_client_say(send, MK_SMTP_CLIENT_MAIL, "MAIL FROM:<%s>%s%s%s",
                       send->relay->settings.from_address, size != NULL ? size : "",
                       send->offers.eight_bit ? " BODY=8BITMIME" : "",
                       needs_utf8(send) ? " SMTPUTF8" : "");
}

static void say_next_rcpt(MkSmtpSend *send)
{
    mk_smtp_client_say(send, MK_SMTP_CLIENT_RCPT, "RCPT TO:<%s>",
                       send->forward_paths[send->at_path++]);
}

static void on_rcpt(MkSmtpSend *send)
{
    if (send->forward_paths[send->at_path] != NULL)
        say_next_rcpt(send);
    else
        mk_smtp_client_say(send, MK_SMTP_CLIENT_DATA, "DATA");
}

static void on_data(MkSmtpSend *send)
{
    mk_smtp_client_enter(send, MK_SMTP_CLIENT_CONTENT);
    mk_smtp_client_pump(send);
}

/* -- replies ---------------------------------------------------------------------------------- */
static const struct {
    unsigned good; /* 200: any 2xx (RFC 5321 4.3.2: 251 is one for RCPT) */
    void (*next)(MkSmtpSend *send);
    const char *refused;
} replies[] = {
    [MK_SMTP_CLIENT_GREETING] = { 220, say_ehlo, "The mail server takes no mail now" },
    [MK_SMTP_CLIENT_EHLO] = { 250, on_ehlo, "The mail server refused the greeting" },
    [MK_SMTP_CLIENT_STARTTLS] = { 220, on_starttls, "The mail server refused encryption" },
    [MK_SMTP_CLIENT_MAIL] = { 200, say_next_rcpt, "The mail server refused the sender" },
    [MK_SMTP_CLIENT_RCPT] = { 200, on_rcpt, "The mail server refused the recipient" },
    [MK_SMTP_CLIENT_DATA] = { 354, on_data, "The mail server refused the mail" },
    [MK_SMTP_CLIENT_END] = { 200, mk_smtp_client_done, "The mail server refused the mail" },
};

static bool is_good(unsigned code, unsigned good)
{
    return good == 200 ? code / 100 == 2 : code == good;
}

void mk_smtp_client_on_reply(MkSmtpSend *send)
{
    switch (send->state) {
    case MK_SMTP_CLIENT_AUTH: mk_smtp_client_on_auth_reply(send); return;
    case MK_SMTP_CLIENT_GREETING:
    case MK_SMTP_CLIENT_EHLO:
    case MK_SMTP_CLIENT_STARTTLS:
    case MK_SMTP_CLIENT_MAIL:
    case MK_SMTP_CLIENT_RCPT:
    case MK_SMTP_CLIENT_DATA:
    case MK_SMTP_CLIENT_END:
        if (is_good(send->reader.code, replies[send->state].good))
            replies[send->state].next(send);
        else
            mk_smtp_client_refused(send, replies[send->state].refused);
        return;
    case MK_SMTP_CLIENT_CONTENT: /* before the end: it can only be a refusal */
        mk_smtp_client_refused(send, replies[MK_SMTP_CLIENT_END].refused);
        return;
    case MK_SMTP_CLIENT_CONNECTING:
    case MK_SMTP_CLIENT_HANDSHAKE:
    case MK_SMTP_CLIENT_CLOSED: break;
    }
    g_assert_not_reached(); /* nothing is read then */
}
