/*
 * client_login.c - AUTH PLAIN and AUTH LOGIN, through TLS only (RFC 4954, 4616)
 */
#include <string.h>

#include <mailkeep/crypto.h>

#include "client_internal.h"

/* RFC 4954 4: a first answer that makes the line longer than this is given to a 334 instead. */
enum { COMMAND_BYTES = 510 };

static char *encode(const char *data, size_t length)
{
    return g_base64_encode((const guchar *) data, length);
}

/* NUL user NUL password (RFC 4616 2) */
static char *plain_answer(const MkSmtpSettings *settings)
{
    size_t user = strlen(settings->user_name), password = strlen(settings->password);
    char *text = g_malloc0(user + password + 2);
    char *answer;

    memcpy(text + 1, settings->user_name, user);
    memcpy(text + user + 2, settings->password, password);
    answer = encode(text, user + password + 2);
    mk_wipe(text, user + password + 2);
    g_free(text);
    return answer;
}

static void begin_plain(MkSmtpSend *send)
{
    char *answer = plain_answer(&send->relay->settings);

    if (strlen(answer) + strlen("AUTH PLAIN ") <= COMMAND_BYTES) {
        mk_smtp_client_say(send, MK_SMTP_CLIENT_AUTH, "AUTH PLAIN %s", answer);
        mk_free_secret(answer);
    } else {
        send->answers[0] = answer;
        mk_smtp_client_say(send, MK_SMTP_CLIENT_AUTH, "AUTH PLAIN");
    }
}

static void begin_login(MkSmtpSend *send)
{
    const MkSmtpSettings *settings = &send->relay->settings;

    send->answers[0] = encode(settings->user_name, strlen(settings->user_name));
    send->answers[1] = encode(settings->password, strlen(settings->password));
    mk_smtp_client_say(send, MK_SMTP_CLIENT_AUTH, "AUTH LOGIN");
}

void mk_smtp_client_log_in(MkSmtpSend *send)
{
    if (!mk_stream_is_secure(send->stream))
        mk_smtp_client_fail(send, MK_ERROR_UNSUPPORTED,
                            "A password is not sent in clear: choose SMTP-TLS or SMTP-SSL.");
    else if (send->offers.plain)
        begin_plain(send);
    else if (send->offers.login)
        begin_login(send);
    else
        mk_smtp_client_fail(send, MK_ERROR_UNSUPPORTED,
                            "The mail server offers no login with a password (AUTH PLAIN or "
                            "LOGIN).");
}

/* A server that asks for more than there is to say is answered by the cancel of RFC 4954 4. */
static void give_answer(MkSmtpSend *send)
{
    for (size_t i = 0; i < G_N_ELEMENTS(send->answers); i++) {
        char *answer = g_steal_pointer(&send->answers[i]);

        if (answer == NULL)
            continue;
        mk_smtp_client_say(send, MK_SMTP_CLIENT_AUTH, "%s", answer);
        mk_free_secret(answer);
        return;
    }
    mk_smtp_client_say(send, MK_SMTP_CLIENT_AUTH, "*");
}

void mk_smtp_client_on_auth_reply(MkSmtpSend *send)
{
    if (send->reader.code == 334)
        give_answer(send);
    else if (send->reader.code == 235)
        mk_smtp_client_begin_mail(send);
    else
        mk_smtp_client_refused(send, "The mail server refused the login");
}
