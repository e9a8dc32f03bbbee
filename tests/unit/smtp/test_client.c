/* test_client.c - the client's conversations, octet for octet, over a stream without a socket */
#include <string.h>

#include <mailkeep/limits.h>

#include "smtp/client_internal.h"
#include "smtp_fake_stream.h"

#define MAIL "Subject: x\r\n\r\n.y\r\n"
#define STUFFED "Subject: x\r\n\r\n..y\r\n.\r\n"
#define FULL \
    "250-target\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n"

/* relay.c would bring the real TLS along. */
MkSmtpRelay *mk_smtp_relay_ref(MkSmtpRelay *relay)
{
    relay->refs++;
    return relay;
}

void mk_smtp_relay_unref(MkSmtpRelay *relay)
{
    if (relay != NULL)
        relay->refs--;
}

typedef struct {
    MkSmtpRelay relay;
    MkSmtpSend *send;
    MkStream *stream; /* the test's reference */
    unsigned told;
    int code; /* -1: sent */
    unsigned reply_code;
    char *message;
    char *stage;
} Fixture;

static void on_sent(const MkSmtpOutcome *outcome, void *cookie)
{
    Fixture *f = cookie;

    f->told++;
    f->code = outcome->error != NULL ? outcome->error->code : -1;
    f->reply_code = outcome->reply_code;
    f->message = g_strdup(outcome->error != NULL ? outcome->error->message : "");
    f->stage = g_strdup(outcome->stage);
}

static void begin(Fixture *f, MkSmtpSecurity security, bool log_in, const char *mail,
                  const char *const *to)
{
    g_autoptr(GBytes) bytes = g_bytes_new(mail, strlen(mail));

    *f = (Fixture){ .relay = { .refs = 1,
                               .hostname = (char *) "me.example",
                               .tls = security != MK_SMTP_IN_CLEAR ? (MkTls *) f : NULL } };
    f->relay.settings = (MkSmtpSettings){ .host = (char *) "target.example",
                                          .port = 25,
                                          .security = security,
                                          .log_in = log_in,
                                          .user_name = (char *) "u",
                                          .password = (char *) "p",
                                          .from_address = (char *) "from@x.example" };
    f->send = mk_smtp_send(NULL, &f->relay, to, bytes, on_sent, f);
    g_assert_true(fake_connect_is_waiting());
    g_assert_cmpint(fake_connect_has_tls(), ==, security == MK_SMTP_IMPLICIT_TLS);
}

static const char *const one[] = { "to@x.example", NULL };

static void connect_now(Fixture *f)
{
    f->stream = fake_connect_succeed();
}

/* Says @text as the server; the client's answer must be @want. */
static void expect(Fixture *f, const char *text, const char *want)
{
    g_autofree char *got = NULL;

    fake_stream_feed(f->stream, text, strlen(text));
    got = fake_stream_take(f->stream);
    g_assert_cmpstr(got, ==, want);
}

static void end(Fixture *f)
{
    g_assert_cmpuint(f->told, ==, 1);
    g_assert_false(fake_timer_is_running());
    if (f->stream != NULL) {
        g_assert_true(fake_stream_is_closed(f->stream));
        mk_stream_unref(f->stream);
    }
    g_assert_cmpint(f->relay.refs, ==, 1); /* @send is gone */
    g_free(f->message);
    g_free(f->stage);
}

/* -- whole conversations ---------------------------------------------------------------------- */
static void test_clear(void)
{
    static const char *const two[] = { "a@x.example", "b@x.example", NULL };
    Fixture f;

    begin(&f, MK_SMTP_IN_CLEAR, false, MAIL, two);
    connect_now(&f);
    expect(&f, "220-target\r\n220 ESMTP\r\n", "EHLO me.example\r\n");
    expect(&f, "250 target\r\n", "MAIL FROM:<from@x.example>\r\n");
    expect(&f, "250 ok\r\n", "RCPT TO:<a@x.example>\r\n");
    expect(&f, "251 ok\r\n", "RCPT TO:<b@x.example>\r\n");
    expect(&f, "250 ok\r\n", "DATA\r\n");
    expect(&f, "354 go on\r\n", STUFFED);
    g_assert_cmpuint(f.told, ==, 0);
    expect(&f, "250 taken\r\n", "QUIT\r\n");
    g_assert_cmpint(f.code, ==, -1);
    g_assert_false(fake_stream_is_aborted(f.stream));
    end(&f);
}

/* What was said in clear does not count behind STARTTLS. */
static void test_starttls(void)
{
    Fixture f;

    begin(&f, MK_SMTP_STARTTLS_NEEDED, true, MAIL, one);
    connect_now(&f);
    expect(&f, "220 target\r\n", "EHLO me.example\r\n");
    expect(&f, FULL, "STARTTLS\r\n");
    expect(&f, "220 go ahead\r\n", "");
    g_assert_true(fake_stream_has_started_tls(f.stream));
    fake_stream_secure(f.stream);
    expect(&f, "", "EHLO me.example\r\n");
    expect(&f, "250-target\r\n250-SIZE 17\r\n250 AUTH=OLD\r\n", "QUIT\r\n"); /* no AUTH any more */
    g_assert_cmpint(f.code, ==, MK_ERROR_UNSUPPORTED);
    end(&f);
}

static void test_login_and_parameters(void)
{
    static const char *const to[] = { "b\xc3\xbc@x.example", NULL };
    Fixture f;

    begin(&f, MK_SMTP_IMPLICIT_TLS, true, MAIL, to);
    connect_now(&f);
    expect(&f, "220 target\r\n", "EHLO me.example\r\n");
    expect(&f, "250-target\r\n250-size 1000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 auth plain\r\n",
           "AUTH PLAIN AHUAcA==\r\n");
    expect(&f, "235 2.7.0 welcome\r\n",
           "MAIL FROM:<from@x.example> SIZE=18 BODY=8BITMIME SMTPUTF8\r\n");
    expect(&f, "550 5.7.1 Not from here\r\n", "QUIT\r\n");
    g_assert_cmpint(f.code, ==, MK_ERROR_DENIED);
    g_assert_cmpuint(f.reply_code, ==, 550);
    g_assert_cmpstr(f.stage, ==, "sender");
    g_assert_nonnull(strstr(f.message, "550 5.7.1 Not from here"));
    end(&f);
}

static void test_auth_login(void)
{
    Fixture f;

    begin(&f, MK_SMTP_IMPLICIT_TLS, true, MAIL, one);
    connect_now(&f);
    expect(&f, "220 target\r\n", "EHLO me.example\r\n");
    expect(&f, "250-target\r\n250 AUTH CRAM-MD5 LOGIN\r\n", "AUTH LOGIN\r\n");
    expect(&f, "334 VXNlcm5hbWU6\r\n", "dQ==\r\n");
    expect(&f, "334 UGFzc3dvcmQ6\r\n", "cA==\r\n");
    expect(&f, "334 more?\r\n", "*\r\n");
    expect(&f, "501 5.7.0 cancelled\r\n", "QUIT\r\n");
    g_assert_cmpstr(f.stage, ==, "login");
    end(&f);
}

/* -- what must not be sent -------------------------------------------------------------------- */
static void test_no_password_in_clear(void)
{
    Fixture f;

    begin(&f, MK_SMTP_IN_CLEAR, true, MAIL, one);
    connect_now(&f);
    expect(&f, "220 target\r\n", "EHLO me.example\r\n");
    expect(&f, FULL, "QUIT\r\n");
    g_assert_cmpint(f.code, ==, MK_ERROR_UNSUPPORTED);
    end(&f);
}

static void test_no_mail_in_clear(void)
{
    Fixture f;

    begin(&f, MK_SMTP_STARTTLS_NEEDED, false, MAIL, one);
    connect_now(&f);
    expect(&f, "220 target\r\n", "EHLO me.example\r\n");
    expect(&f, "250-target\r\n250 SIZE\r\n", "QUIT\r\n");
    g_assert_cmpint(f.code, ==, MK_ERROR_UNSUPPORTED);
    end(&f);
}

static void test_octets_behind_starttls(void)
{
    Fixture f;

    begin(&f, MK_SMTP_STARTTLS_NEEDED, false, MAIL, one);
    connect_now(&f);
    expect(&f, "220 target\r\n", "EHLO me.example\r\n");
    expect(&f, FULL, "STARTTLS\r\n");
    expect(&f, "220 go\r\n250 injected\r\n", "QUIT\r\n");
    g_assert_cmpint(f.code, ==, MK_ERROR_NETWORK);
    g_assert_false(fake_stream_has_started_tls(f.stream));
    end(&f);
}

static void test_needs(void)
{
    static const struct {
        const char *offers, *mail, *to;
        int code;
    } cases[] = {
        { "250-x\r\n250 SIZE 17\r\n", MAIL, "a@x.example", MK_ERROR_LIMIT },
        { "250-x\r\n250 SIZE 18\r\n", "\xc3\xbc\r\n", "a@x.example", MK_ERROR_UNSUPPORTED },
        { "250-x\r\n250 8BITMIME\r\n", MAIL, "\xc3\xbc@x.example", MK_ERROR_UNSUPPORTED },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *to[] = { cases[i].to, NULL };
        Fixture f;

        begin(&f, MK_SMTP_IN_CLEAR, false, cases[i].mail, to);
        connect_now(&f);
        expect(&f, "220 target\r\n", "EHLO me.example\r\n");
        expect(&f, cases[i].offers, "QUIT\r\n");
        g_assert_cmpint(f.code, ==, cases[i].code);
        end(&f);
    }
}

/* -- ends ------------------------------------------------------------------------------------- */
static void to_data(Fixture *f, const char *mail)
{
    begin(f, MK_SMTP_IN_CLEAR, false, mail, one);
    connect_now(f);
    expect(f, "220 target\r\n", "EHLO me.example\r\n");
    expect(f, "250 8BITMIME\r\n", "MAIL FROM:<from@x.example>\r\n");
    expect(f, "250 ok\r\n", "RCPT TO:<to@x.example>\r\n");
    expect(f, "250 ok\r\n", "DATA\r\n");
}

static void test_recipient_refused(void)
{
    Fixture f;

    begin(&f, MK_SMTP_IN_CLEAR, false, MAIL, one);
    connect_now(&f);
    expect(&f, "220 target\r\n", "EHLO me.example\r\n");
    expect(&f, "250 target\r\n", "MAIL FROM:<from@x.example>\r\n");
    expect(&f, "250 ok\r\n", "RCPT TO:<to@x.example>\r\n");
    expect(&f, "450 4.2.1 later\r\n", "QUIT\r\n");
    g_assert_cmpint(f.code, ==, MK_ERROR_BUSY);
    g_assert_cmpstr(f.stage, ==, "recipient");
    end(&f);
}

/* The server must not see a quiet end of half a mail; behind the dot nobody knows. */
static void test_breaks(void)
{
    g_autofree char *large = g_strnfill(300000, 'x');
    Fixture f;

    to_data(&f, large);
    fake_stream_feed(f.stream, "", 0);
    fake_stream_set_full(f.stream, true);
    fake_stream_feed(f.stream, "354 go on\r\n", 11);
    fake_timer_ring(MK_LIMIT_SMTP_DATA_BLOCK_MS);
    g_assert_cmpint(f.code, ==, MK_ERROR_TIMEOUT);
    g_assert_true(fake_stream_is_aborted(f.stream));
    end(&f);

    to_data(&f, MAIL);
    expect(&f, "354 go on\r\n", STUFFED);
    fake_timer_ring(MK_LIMIT_SMTP_DATA_END_MS);
    g_assert_cmpint(f.code, ==, MK_ERROR_TIMEOUT);
    g_assert_nonnull(strstr(f.message, "may arrive"));
    end(&f);

    to_data(&f, MAIL);
    expect(&f, "354 go on\r\n", STUFFED);
    fake_stream_finish(f.stream, -1);
    g_assert_cmpint(f.code, ==, MK_ERROR_NETWORK);
    g_assert_nonnull(strstr(f.message, "may arrive"));
    end(&f);
}

static void test_pieces(void)
{
    g_autofree char *large = g_strnfill(300000, 'x'), *got = NULL;
    Fixture f;

    to_data(&f, large);
    fake_stream_set_full(f.stream, true);
    expect(&f, "354 go on\r\n", "");
    fake_stream_set_full(f.stream, false);
    got = fake_stream_take(f.stream);
    g_assert_cmpuint(strlen(got), ==, 300000 + strlen("\r\n.\r\n"));
    expect(&f, "250 taken\r\n", "QUIT\r\n");
    g_assert_cmpint(f.code, ==, -1);
    end(&f);
}

static void test_not_smtp(void)
{
    static const char *const greetings[] = { "SSH-2.0-OpenSSH\r\n", "+OK\r\n",   "220\t\r\n",
                                             "220-a\r\n250 b\r\n",  "999 x\r\n", "220 a\nb\r\n" };

    for (size_t i = 0; i < G_N_ELEMENTS(greetings); i++) {
        Fixture f;

        begin(&f, MK_SMTP_IN_CLEAR, false, MAIL, one);
        connect_now(&f);
        expect(&f, greetings[i], "QUIT\r\n");
        g_assert_cmpint(f.code, ==, MK_ERROR_NETWORK);
        end(&f);
    }
}

static void test_cannot_connect(void)
{
    Fixture f;

    begin(&f, MK_SMTP_IMPLICIT_TLS, false, MAIL, one);
    fake_connect_fail(MK_ERROR_TLS);
    g_assert_cmpint(f.code, ==, MK_ERROR_TLS);
    g_assert_cmpstr(f.stage, ==, "connect");
    end(&f);
}

/* Silent from there on, in any state. */
static void test_cancel(void)
{
    Fixture f;

    begin(&f, MK_SMTP_IN_CLEAR, false, MAIL, one);
    mk_smtp_send_cancel(f.send);
    g_assert_false(fake_connect_is_waiting());
    f.told++; /* for end() */
    end(&f);

    to_data(&f, MAIL);
    mk_smtp_send_cancel(f.send);
    g_assert_true(fake_stream_is_aborted(f.stream));
    f.told++;
    end(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/smtp/client/clear", test_clear);
    g_test_add_func("/smtp/client/starttls", test_starttls);
    g_test_add_func("/smtp/client/login-and-parameters", test_login_and_parameters);
    g_test_add_func("/smtp/client/auth-login", test_auth_login);
    g_test_add_func("/smtp/client/no-password-in-clear", test_no_password_in_clear);
    g_test_add_func("/smtp/client/no-mail-in-clear", test_no_mail_in_clear);
    g_test_add_func("/smtp/client/octets-behind-starttls", test_octets_behind_starttls);
    g_test_add_func("/smtp/client/needs", test_needs);
    g_test_add_func("/smtp/client/recipient-refused", test_recipient_refused);
    g_test_add_func("/smtp/client/breaks", test_breaks);
    g_test_add_func("/smtp/client/pieces", test_pieces);
    g_test_add_func("/smtp/client/not-smtp", test_not_smtp);
    g_test_add_func("/smtp/client/cannot-connect", test_cannot_connect);
    g_test_add_func("/smtp/client/cancel", test_cancel);
    return g_test_run();
}
