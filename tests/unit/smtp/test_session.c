/* test_session.c - conversations with the server, octet for octet, over a stream without a socket */
#include <string.h>

#include <mailkeep/limits.h>
#include <mailkeep/log.h>

#include "smtp_fake_sink.h"
#include "smtp_fake_stream.h"

#define GREETING "220 mx.example ESMTP Mailkeep\r\n"
#define TO_RCPT "EHLO c.example\r\nMAIL FROM:<s@b.example>\r\nRCPT TO:<box@a.example>\r\n"
#define SIZE_LIMIT 10000

typedef struct {
    MkSmtpServer *server;
    MkStream *stream;
} Fixture;

static MkTls *const some_tls = (MkTls *) &fake_sink; /* only its not being NULL is looked at */

static void set_up_with(Fixture *f, bool with_tls)
{
    MkSmtpServerOptions options = { .hostname = "mx.example",
                                    .message_size_bytes = SIZE_LIMIT,
                                    .tls = with_tls ? some_tls : NULL };

    fake_sink_reset();
    fake_sink.ingest_at_once = true;
    f->server = mk_smtp_server_new_with_sink(NULL, &options, &fake_sink_table);
    f->stream = fake_stream_new();
    mk_smtp_server_accept(f->stream, f->server);
}

static void set_up(Fixture *f, gconstpointer unused)
{
    (void) unused;
    set_up_with(f, true);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    (void) unused;
    fake_stream_finish(f->stream, -1);
    while (fake_sink.waiting > 0)
        fake_sink_finish_one();
    g_assert_true(fake_stream_is_closed(f->stream));
    g_assert_true(mk_smtp_server_is_idle(f->server));
    g_assert_false(fake_timer_is_running());
    mk_smtp_server_free(f->server);
    mk_stream_unref(f->stream);
    fake_sink_clear();
}

static void say(Fixture *f, const char *text)
{
    fake_stream_feed(f->stream, text, strlen(text));
}

/* The first words of each line: "250-", "250 2.1.0" or "354", one blank between. */
static char *codes(Fixture *f)
{
    g_autofree char *text = fake_stream_take(f->stream);
    g_auto(GStrv) lines = g_strsplit(text, "\r\n", -1);
    GString *out = g_string_new(NULL);

    for (char **line = lines; *line != NULL && **line != '\0'; line++) {
        bool has_status = strlen(*line) > 6 && g_ascii_isdigit((*line)[4]) && (*line)[5] == '.';

        g_string_append_printf(out, "%s%.*s", out->len > 0 ? " " : "", has_status ? 9 : 3, *line);
        if (!has_status && (*line)[3] == '-')
            g_string_append_c(out, '-');
    }
    return g_string_free(out, FALSE);
}

static void expect(Fixture *f, const char *want)
{
    g_autofree char *got = codes(f);

    g_assert_cmpstr(got, ==, want);
}

static void assert_mail(unsigned number, const char *want)
{
    const FakeMail *mail = fake_sink_mail(number);

    g_assert_cmpmem(mail->mail->data, mail->mail->len, want, strlen(want));
}

static void to_rcpt(Fixture *f)
{
    g_autofree char *greeting = NULL;

    say(f, TO_RCPT);
    greeting = fake_stream_take(f->stream);
}

/* -- plain conversations ---------------------------------------------------------------------- */
static void test_whole(Fixture *f, gconstpointer unused)
{
    g_autofree char *greeting = fake_stream_take(f->stream), *ehlo = NULL;
    const FakeMail *mail;

    (void) unused;
    g_assert_cmpstr(greeting, ==, GREETING);
    say(f, "EHLO c.example\r\n");
    ehlo = fake_stream_take(f->stream);
    g_assert_cmpstr(ehlo, ==,
                    "250-mx.example\r\n250-PIPELINING\r\n250-SIZE 10000\r\n250-8BITMIME\r\n"
                    "250-SMTPUTF8\r\n250-CHUNKING\r\n250-ENHANCEDSTATUSCODES\r\n250 STARTTLS\r\n");
    say(f, "MAIL FROM:<s@b.example> SIZE=5\r\n");
    expect(f, "250 2.1.0");
    g_assert_cmpuint(fake_sink.asked_bytes, ==, 5);
    say(f, "RCPT TO:<box@a.example>\r\n");
    expect(f, "250 2.1.5");
    say(f, "RCPT TO:<box2@a.example>\r\n");
    expect(f, "250 2.1.5");
    say(f, "DATA\r\n");
    expect(f, "354");
    say(f, "Subject: x\r\n\r\n..y\r\n.\r\n");
    expect(f, "250 2.0.0");
    say(f, "QUIT\r\n");
    expect(f, "221 2.0.0");
    g_assert_true(fake_stream_is_closed(f->stream));
    assert_mail(0, "Subject: x\r\n\r\n.y\r\n");
    mail = fake_sink_mail(0);
    g_assert_cmpstr(mail->envelope->reverse_path, ==, "s@b.example");
    g_assert_cmpuint(mail->envelope->forward_paths->len, ==, 2);
    g_assert_cmpstr(mail->envelope->forward_paths->pdata[1], ==, "box2@a.example");
    g_assert_cmpstr(mail->envelope->client_address, ==, "192.0.2.1");
    g_assert_cmpstr(mail->envelope->helo, ==, "c.example");
    g_assert_null(mail->envelope->tls);
    g_assert_cmpint(mail->envelope->arrived_unix_ms, >, 0);
}

typedef struct {
    const char *name, *say, *want;
    unsigned mails;
    bool closed;
} Talk;

#define EHLO_OK "250- 250- 250- 250- 250- 250- 250- 250"
#define RCPT_OK EHLO_OK " 250 2.1.0 250 2.1.5"

static const Talk talks[] = {
    { "helo", "HELO c\r\n", "250", 0, false },
    { "mail-before-ehlo", "MAIL FROM:<a@b>\r\n", "503 5.5.1", 0, false },
    { "rcpt-before-mail", "HELO c\r\nRCPT TO:<box@a.example>\r\n", "250 503 5.5.1", 0, false },
    { "data-before-rcpt", "HELO c\r\nMAIL FROM:<>\r\nDATA\r\n", "250 250 2.1.0 503 5.5.1", 0,
      false },
    { "two-mails", "HELO c\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\n", "250 250 2.1.0 503 5.5.1", 0,
      false },
    { "unknown-recipient", "HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<x@a.example>\r\n",
      "250 250 2.1.0 550 5.1.1", 0, false },
    { "no-relay", "HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<@a.example:x@other.example>\r\n",
      "250 250 2.1.0 550 5.1.1", 0, false },
    { "suspended", "HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<asleep@a.example>\r\n",
      "250 250 2.1.0 450 4.2.1", 0, false },
    { "utf8-without", "HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<j\xc3\xbcrgen@a.example>\r\n",
      "250 250 2.1.0 553 5.6.7", 0, false },
    { "utf8-with", "HELO c\r\nMAIL FROM:<> SMTPUTF8\r\nRCPT TO:<j\xc3\xbcrgen@a.example>\r\n",
      "250 250 2.1.0 250 2.1.5", 0, false },
    { "size-too-large", "HELO c\r\nMAIL FROM:<> SIZE=10001\r\n", "250 552 5.3.4", 0, false },
    { "size-fits", "HELO c\r\nMAIL FROM:<> SIZE=10000\r\n", "250 250 2.1.0", 0, false },
    { "rset", TO_RCPT "RSET\r\nDATA\r\n", RCPT_OK " 250 2.0.0 503 5.5.1", 0, false },
    { "ehlo-resets", TO_RCPT "EHLO c\r\nDATA\r\n", RCPT_OK " " EHLO_OK " 503 5.5.1", 0, false },
    { "small-ones", "NOOP\r\nVRFY x\r\nEXPN x\r\nHELP\r\nAUTH PLAIN AAAA\r\nFOO\r\nRSET\r\n",
      "250 2.0.0 252 2.0.0 502 5.5.1 214 2.0.0 502 5.7.0 500 5.5.2 250 2.0.0", 0, false },
    { "auth-login", "EHLO c\r\nAUTH LOGIN\r\n", EHLO_OK " 502 5.7.0", 0, false },
    { "bare-lf", "NOOP\nQUIT\r\nNOOP\r\n", "500 5.5.2 250 2.0.0", 0, false },
    { "bare-cr", "NOOP\rQUIT\r\nNOOP\r\n", "500 5.5.2 250 2.0.0", 0, false },
    { "pipelined", TO_RCPT "DATA\r\nx\r\n.\r\nMAIL FROM:<>\r\nQUIT\r\n",
      RCPT_OK " 354 250 2.0.0 250 2.1.0 221 2.0.0", 1, true },
    { "empty-mail", TO_RCPT "DATA\r\n.\r\nNOOP\r\n", RCPT_OK " 354 250 2.0.0 250 2.0.0", 1, false },
    /* smuggling: what follows is text, until the one true end */
    { "lf-dot-lf", TO_RCPT "DATA\r\nx\n.\nMAIL FROM:<>\r\n.\r\nQUIT\r\n",
      RCPT_OK " 354 250 2.0.0 221 2.0.0", 1, true },
    { "lf-dot-crlf", TO_RCPT "DATA\r\nx\n.\r\nMAIL FROM:<>\r\n.\r\nQUIT\r\n",
      RCPT_OK " 354 250 2.0.0 221 2.0.0", 1, true },
    { "crlf-dot-lf", TO_RCPT "DATA\r\nx\r\n.\nMAIL FROM:<>\r\n.\r\nQUIT\r\n",
      RCPT_OK " 354 250 2.0.0 221 2.0.0", 1, true },
    { "cr-dot-cr", TO_RCPT "DATA\r\nx\r.\rMAIL FROM:<>\r\n.\r\nQUIT\r\n",
      RCPT_OK " 354 250 2.0.0 221 2.0.0", 1, true },
    { "crlf-dot-cr", TO_RCPT "DATA\r\nx\r\n.\rMAIL FROM:<>\r\n.\r\nQUIT\r\n",
      RCPT_OK " 354 250 2.0.0 221 2.0.0", 1, true },
    /* BDAT */
    { "bdat", TO_RCPT "BDAT 5\r\nab\r\n.BDAT 4 LAST\r\n\r\ncdNOOP\r\n",
      RCPT_OK " 250 2.0.0 250 2.0.0 250 2.0.0", 1, false },
    { "bdat-empty-last", TO_RCPT "BDAT 2\r\nabBDAT 0 LAST\r\n", RCPT_OK " 250 2.0.0 250 2.0.0", 1,
      false },
    { "bdat-none", TO_RCPT "BDAT 0 LAST\r\n", RCPT_OK " 250 2.0.0", 1, false },
    { "bdat-without-rcpt", "EHLO c\r\nMAIL FROM:<>\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n",
      EHLO_OK " 250 2.1.0 503 5.5.1 250 2.0.0", 0, false },
    { "bdat-without-ehlo", "BDAT 6\r\nQUIT\r\nMAIL FROM:<>\r\n", "503 5.5.1 503 5.5.1", 0, false },
    { "bdat-too-large", TO_RCPT "BDAT 10001 LAST\r\n", RCPT_OK, 0, false },
    { "bdat-then-data", TO_RCPT "BDAT 1\r\nxDATA\r\nMAIL FROM:<>\r\nRSET\r\n",
      RCPT_OK " 250 2.0.0 503 5.5.1 503 5.5.1 250 2.0.0", 0, false },
    { "bdat-unclear", TO_RCPT "BDAT x\r\nQUIT\r\n", RCPT_OK " 501 5.5.4", 0, true },
    { "bdat-endless", TO_RCPT "BDAT 99999999999999999999\r\n", RCPT_OK, 0, false },
    /* STARTTLS */
    { "starttls-injected", "EHLO c\r\nSTARTTLS\r\nMAIL FROM:<>\r\n", EHLO_OK " 501 5.5.2", 0,
      true },
    { "starttls-injected-half", "EHLO c\r\nSTARTTLS\r\nM", EHLO_OK " 501 5.5.2", 0, true },
    { "starttls-behind-mail", TO_RCPT "DATA\r\n.\r\nSTARTTLS\r\n",
      RCPT_OK " 354 250 2.0.0 220 2.0.0", 1, false },
    { "starttls-in-mail", TO_RCPT "STARTTLS\r\n", RCPT_OK " 503 5.5.1", 0, false },
};

static void test_talk(Fixture *f, gconstpointer data)
{
    const Talk *talk = data;
    g_autofree char *want = g_strconcat("220 ", talk->want, NULL);

    say(f, talk->say);
    expect(f, want);
    g_assert_cmpuint(fake_sink.mails->len, ==, talk->mails);
    g_assert_cmpint(fake_stream_is_closed(f->stream), ==, talk->closed);
}

/* The same, one octet at a time, ingest late: only STARTTLS can tell the difference. */
static void test_talk_slowly(Fixture *f, gconstpointer data)
{
    const Talk *talk = data;
    g_autofree char *want = g_strconcat("220 ", talk->want, NULL);

    if (g_str_has_prefix(talk->name, "starttls-injected")) {
        g_test_skip("nothing is behind STARTTLS then");
        return;
    }
    fake_sink.ingest_at_once = false;
    for (const char *p = talk->say; *p != '\0'; p++) {
        fake_stream_feed(f->stream, p, 1);
        while (fake_sink.waiting > 0)
            fake_sink_finish_one();
        fake_stream_pump(f->stream);
    }
    expect(f, want);
    g_assert_cmpuint(fake_sink.mails->len, ==, talk->mails);
    g_assert_cmpint(fake_stream_is_closed(f->stream), ==, talk->closed);
}

/* The peer is gone after each octet in turn: no leak, no mail but one that was whole. */
static void test_talk_cut(Fixture *f, gconstpointer data)
{
    const Talk *talk = data;
    size_t length = strlen(talk->say);

    for (size_t cut = 0; cut <= length; cut++) {
        for (int code = -1; code <= MK_ERROR_NETWORK; code += MK_ERROR_NETWORK + 1) {
            tear_down(f, NULL);
            set_up_with(f, true);
            fake_sink.ingest_at_once = cut % 2 == 0;
            fake_stream_feed(f->stream, talk->say, cut);
            fake_stream_finish(f->stream, code);
            while (fake_sink.waiting > 0)
                fake_sink_finish_one();
            g_assert_cmpuint(fake_sink.mails->len, <=, talk->mails);
            g_assert_true(fake_stream_is_closed(f->stream));
        }
    }
}

/* -- the mail's octets ------------------------------------------------------------------------ */
static void test_bare_ends_are_kept(Fixture *f, gconstpointer unused)
{
    (void) unused;
    to_rcpt(f);
    say(f, "DATA\r\na\nb\rc\n.\nd\r\n..e\r\n.\nf\r.\r\n.\r\n");
    assert_mail(0, "a\nb\rc\n.\nd\r\n.e\r\n\nf\r.\r\n");
}

static void test_bdat_is_verbatim(Fixture *f, gconstpointer unused)
{
    (void) unused;
    to_rcpt(f);
    say(f, "BDAT 9\r\n\r\n.\r\n..\r\nBDAT 3 LAST\r\n.\r\n");
    assert_mail(0, "\r\n.\r\n..\r\n.\r\n");
    expect(f, "250 2.0.0 250 2.0.0");
}

/* -- limits ----------------------------------------------------------------------------------- */
static void test_too_large(Fixture *f, gconstpointer unused)
{
    g_autofree char *fill = g_strnfill(SIZE_LIMIT, 'x');

    (void) unused;
    to_rcpt(f);
    say(f, "DATA\r\n");
    say(f, fill);
    say(f, "\r\n.\r\nMAIL FROM:<>\r\n");
    expect(f, "354 552 5.3.4 250 2.1.0");
    g_assert_cmpuint(fake_sink.mails->len, ==, 0);
}

static void test_much_too_large(Fixture *f, gconstpointer unused)
{
    g_autofree char *fill = g_strnfill(SIZE_LIMIT, 'x');

    (void) unused;
    to_rcpt(f);
    say(f, "DATA\r\n");
    for (int i = 0; i < 3; i++)
        say(f, fill);
    expect(f, "354 552 5.3.4");
    g_assert_true(fake_stream_is_closed(f->stream));
}

static void test_exactly_the_limit(Fixture *f, gconstpointer unused)
{
    g_autofree char *fill = g_strnfill(SIZE_LIMIT - 2, 'x');

    (void) unused;
    to_rcpt(f);
    say(f, "DATA\r\n");
    say(f, fill);
    say(f, "\r\n.\r\n");
    expect(f, "354 250 2.0.0");
}

static void test_bdat_too_large(Fixture *f, gconstpointer unused)
{
    g_autofree char *fill = g_strnfill(SIZE_LIMIT, 'x');

    (void) unused;
    to_rcpt(f);
    say(f, "BDAT 10000\r\n");
    say(f, fill);
    say(f, "BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n");
    expect(f, "250 2.0.0 552 5.3.4 250 2.0.0");
    g_assert_cmpuint(fake_sink.mails->len, ==, 0);
}

static void test_bdat_much_too_large(Fixture *f, gconstpointer unused)
{
    g_autofree char *fill = g_strnfill(SIZE_LIMIT, 'x');

    (void) unused;
    to_rcpt(f);
    say(f, "BDAT 99999999999\r\n");
    say(f, fill);
    say(f, fill);
    expect(f, "");
    say(f, "xx");
    expect(f, "552 5.3.4");
    g_assert_true(fake_stream_is_closed(f->stream));
}

static void test_recipients(Fixture *f, gconstpointer unused)
{
    (void) unused;
    to_rcpt(f);
    for (int i = 1; i < MK_LIMIT_SMTP_RECIPIENTS; i++) {
        say(f, "RCPT TO:<box@a.example>\r\n");
        expect(f, "250 2.1.5");
    }
    say(f, "RCPT TO:<box@a.example>\r\nDATA\r\nx\r\n.\r\n");
    expect(f, "452 4.5.3 354 250 2.0.0");
    g_assert_cmpuint(fake_sink_mail(0)->envelope->forward_paths->len, ==, MK_LIMIT_SMTP_RECIPIENTS);
}

static void test_errors(Fixture *f, gconstpointer unused)
{
    (void) unused;
    expect(f, "220");
    for (int i = 0; i < MK_LIMIT_SMTP_ERRORS; i++) {
        say(f, "FOO\r\n");
        expect(f, "500 5.5.2");
    }
    say(f, "FOO\r\nNOOP\r\n");
    expect(f, "500 5.5.2 421 4.7.0");
    g_assert_true(fake_stream_is_closed(f->stream));
}

/* A long session with a wrong recipient now and then goes on. */
static void test_errors_are_forgiven(Fixture *f, gconstpointer unused)
{
    (void) unused;
    to_rcpt(f);
    for (int i = 0; i < 3 * MK_LIMIT_SMTP_ERRORS; i++) {
        say(f, "FOO\r\nDATA\r\nx\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<box@a.example>\r\n");
        expect(f, "500 5.5.2 354 250 2.0.0 250 2.1.0 250 2.1.5");
    }
}

static void test_lines(Fixture *f, gconstpointer unused)
{
    g_autofree char *fill = g_strnfill(MK_LIMIT_SMTP_COMMAND_BYTES, 'x');

    (void) unused;
    expect(f, "220");
    say(f, "NOOP ");
    say(f, fill);
    say(f, "\r\nNOOP\r\n");
    expect(f, "500 5.5.2 250 2.0.0");
    for (int i = 0; i < 40 && !fake_stream_is_closed(f->stream); i++)
        say(f, fill);
    expect(f, "421 4.5.2");
    g_assert_true(fake_stream_is_closed(f->stream));
}

/* -- the sink cannot ---------------------------------------------------------------------------- */
static const struct {
    MkErrorCode code;
    const char *reply;
} failures[] = {
    { MK_ERROR_INVALID, "554 5.6.0" },   { MK_ERROR_NOT_FOUND, "550 5.1.1" },
    { MK_ERROR_EXISTS, "451 4.3.0" },    { MK_ERROR_AUTH, "451 4.3.0" },
    { MK_ERROR_DENIED, "451 4.3.0" },    { MK_ERROR_LIMIT, "552 5.3.4" },
    { MK_ERROR_BUSY, "451 4.3.2" },      { MK_ERROR_NO_SPACE, "452 4.3.1" },
    { MK_ERROR_IO, "451 4.3.0" },        { MK_ERROR_CORRUPT, "451 4.3.0" },
    { MK_ERROR_KEY, "451 4.3.0" },       { MK_ERROR_NETWORK, "451 4.3.0" },
    { MK_ERROR_TLS, "451 4.3.0" },       { MK_ERROR_TIMEOUT, "451 4.3.0" },
    { MK_ERROR_CANCELLED, "421 4.3.2" }, { MK_ERROR_UNSUPPORTED, "451 4.3.0" },
    { MK_ERROR_INTERNAL, "451 4.3.0" },
};

static void for_each_failure(Fixture *f, int *fails, const char *before, const char *octets)
{
    for (size_t i = 0; i < G_N_ELEMENTS(failures); i++) {
        g_autofree char *want =
            g_strdup_printf("%s%s%s", before, *before != '\0' ? " " : "", failures[i].reply);
        bool closes = failures[i].code == MK_ERROR_CANCELLED;

        tear_down(f, NULL);
        set_up_with(f, true);
        fake_sink.ingest_at_once = i % 2 == 0;
        to_rcpt(f);
        *fails = (int) failures[i].code;
        say(f, octets);
        if (fake_sink.waiting > 0)
            fake_sink_finish_one();
        expect(f, want);
        g_assert_cmpuint(fake_sink.mails->len, ==, 0);
        g_assert_cmpint(fake_stream_is_closed(f->stream), ==, closes);
        fake_stream_pump(f->stream);
        if (!closes)
            say(f, "MAIL FROM:<>\r\n");
        *fails = FAKE_OK;
    }
}

static void test_ingest_fails(Fixture *f, gconstpointer unused)
{
    (void) unused;
    for_each_failure(f, &fake_sink.ingest_fails, "354", "DATA\r\nx\r\n.\r\n");
    for_each_failure(f, &fake_sink.ingest_fails, "", "BDAT 1 LAST\r\nx");
}

static void test_spool_fails(Fixture *f, gconstpointer unused)
{
    (void) unused;
    for_each_failure(f, &fake_sink.add_fails, "354", "DATA\r\nx\r\n.\r\n");
    for_each_failure(f, &fake_sink.add_fails, "", "BDAT 1 LAST\r\nx");
}

static void test_cannot_take(Fixture *f, gconstpointer unused)
{
    (void) unused;
    for_each_failure(f, &fake_sink.cannot_take, "", "DATA\r\n");
    for_each_failure(f, &fake_sink.cannot_take, "", "BDAT 1\r\nx");
    for_each_failure(f, &fake_sink.cannot_take, "250 2.0.0", "RSET\r\nMAIL FROM:<>\r\n");
}

static void test_spool_fails_late(Fixture *f, gconstpointer unused)
{
    (void) unused;
    to_rcpt(f);
    fake_sink.add_fails = MK_ERROR_NO_SPACE;
    fake_sink.add_room = 10;
    say(f, "DATA\r\n0123456789");
    say(f, "x\r\nQUIT\r\n");
    expect(f, "354");
    say(f, ".\r\nNOOP\r\n");
    expect(f, "452 4.3.1 250 2.0.0");
}

/* -- waiting ---------------------------------------------------------------------------------- */
static void test_nothing_before_durable(Fixture *f, gconstpointer unused)
{
    (void) unused;
    fake_sink.ingest_at_once = false;
    to_rcpt(f);
    say(f, "DATA\r\nx\r\n.\r\nMAIL FROM:<>\r\n");
    expect(f, "354");
    g_assert_true(fake_stream_is_paused(f->stream));
    g_assert_false(fake_timer_is_running());
    say(f, "NOOP\r\n");
    expect(f, "");
    fake_sink_finish_one();
    expect(f, "250 2.0.0 250 2.1.0");
    g_assert_false(fake_stream_is_paused(f->stream));
    fake_stream_pump(f->stream);
    expect(f, "250 2.0.0");
}

static void test_vanished_client(Fixture *f, gconstpointer unused)
{
    MkSmtpGauges gauges;

    (void) unused;
    fake_sink.ingest_at_once = false;
    to_rcpt(f);
    say(f, "DATA\r\nx\r\n.\r\n");
    fake_stream_finish(f->stream, MK_ERROR_NETWORK);
    g_assert_true(fake_stream_is_closed(f->stream));
    g_assert_false(mk_smtp_server_is_idle(f->server));
    fake_sink_finish_one();
    g_assert_true(mk_smtp_server_is_idle(f->server));
    assert_mail(0, "x\r\n");
    mk_smtp_server_gauges(f->server, &gauges);
    g_assert_cmpuint(gauges.mails_accepted, ==, 1);
    g_assert_cmpuint(gauges.octets_accepted, ==, 3);
    g_assert_cmpuint(gauges.sessions_open, ==, 0);
}

/* Who has closed only his side still hears what became of his mail. */
static void test_half_closed(Fixture *f, gconstpointer unused)
{
    (void) unused;
    fake_sink.ingest_at_once = false;
    to_rcpt(f);
    say(f, "DATA\r\nx\r\n.\r\nNOOP\r\n");
    fake_stream_finish(f->stream, -1);
    g_assert_false(fake_stream_is_closed(f->stream));
    fake_sink_finish_one();
    expect(f, "354 250 2.0.0 250 2.0.0");
    g_assert_true(fake_stream_is_closed(f->stream));
}

static void test_server_goes_first(Fixture *f, gconstpointer unused)
{
    MkSmtpServerOptions options = { .hostname = "x", .message_size_bytes = 1 };

    (void) unused;
    fake_sink.ingest_at_once = false;
    to_rcpt(f);
    say(f, "DATA\r\nx\r\n.\r\n");
    mk_smtp_server_free(f->server);
    g_assert_true(fake_stream_is_closed(f->stream));
    fake_sink_finish_one();
    assert_mail(0, "x\r\n");
    f->server = mk_smtp_server_new_with_sink(NULL, &options, &fake_sink_table);
}

static void test_full_spool_pauses(Fixture *f, gconstpointer unused)
{
    (void) unused;
    to_rcpt(f);
    say(f, "DATA\r\n");
    fake_sink.spool_full = true;
    say(f, "x\r\n");
    g_assert_true(fake_stream_is_paused(f->stream));
    for (int i = 0; i < 10; i++) /* that it does not go on is not the sender's fault */
        fake_timer_ring(MK_LIMIT_SMTP_DATA_BLOCK_MS / 3);
    fake_sink_drain();
    g_assert_false(fake_stream_is_paused(f->stream));
    say(f, ".\r\n");
    expect(f, "354 250 2.0.0");
}

static void test_unread_replies_pause(Fixture *f, gconstpointer unused)
{
    (void) unused;
    fake_stream_set_full(f->stream, true);
    say(f, "NOOP\r\n");
    g_assert_true(fake_stream_is_paused(f->stream));
    fake_stream_set_full(f->stream, false);
    g_assert_false(fake_stream_is_paused(f->stream));
}

/* -- time --------------------------------------------------------------------------------------- */
static void test_command_time(Fixture *f, gconstpointer unused)
{
    (void) unused;
    expect(f, "220");
    say(f, "NOO"); /* half a line does not buy time */
    fake_timer_ring(MK_LIMIT_SMTP_COMMAND_MS);
    expect(f, "421 4.4.2");
    g_assert_true(fake_stream_is_closed(f->stream));
}

static void test_silent_in_data(Fixture *f, gconstpointer unused)
{
    (void) unused;
    to_rcpt(f);
    say(f, "DATA\r\nx");
    for (int i = 0; i < 2; i++) {
        fake_timer_ring(MK_LIMIT_SMTP_DATA_BLOCK_MS / 3);
        g_assert_false(fake_stream_is_closed(f->stream));
    }
    fake_timer_ring(MK_LIMIT_SMTP_DATA_BLOCK_MS / 3);
    expect(f, "354 421 4.4.2");
    g_assert_true(fake_stream_is_closed(f->stream));
}

static void test_slow_in_data(Fixture *f, gconstpointer unused)
{
    g_autofree char *enough = g_strnfill(MK_LIMIT_SMTP_MIN_RATE_BYTES * 60, 'x');

    (void) unused;
    to_rcpt(f);
    say(f, "BDAT 9999\r\n");
    for (int i = 0; i < 5; i++) {
        say(f, i == 1 ? enough : "x");
        fake_timer_ring(MK_LIMIT_SMTP_DATA_BLOCK_MS / 3);
        g_assert_cmpint(fake_stream_is_closed(f->stream), ==, i == 4);
    }
    expect(f, "421 4.4.2");
}

/* -- STARTTLS ------------------------------------------------------------------------------------ */
static void test_starttls(Fixture *f, gconstpointer unused)
{
    g_autofree char *ehlo = NULL;

    (void) unused;
    say(f, "EHLO c\r\n");
    expect(f, "220 " EHLO_OK);
    say(f, "STARTTLS\r\n");
    expect(f, "220 2.0.0");
    g_assert_true(fake_stream_has_started_tls(f->stream));
    g_assert_false(fake_timer_is_running());
    fake_stream_secure(f->stream);
    say(f, "MAIL FROM:<>\r\n"); /* the EHLO of before is forgotten */
    expect(f, "503 5.5.1");
    say(f, "EHLO d\r\n");
    ehlo = fake_stream_take(f->stream);
    g_assert_null(strstr(ehlo, "STARTTLS"));
    say(f, "STARTTLS\r\nMAIL FROM:<>\r\nRCPT TO:<box@a.example>\r\nDATA\r\n.\r\n");
    expect(f, "503 5.5.1 250 2.1.0 250 2.1.5 354 250 2.0.0");
    g_assert_cmpstr(fake_sink_mail(0)->envelope->tls, ==, "TLSv1.3 TEST");
    g_assert_cmpstr(fake_sink_mail(0)->envelope->helo, ==, "d");
}

static void test_no_tls(Fixture *f, gconstpointer unused)
{
    (void) unused;
    mk_smtp_server_set_tls(f->server, NULL);
    say(f, "EHLO c\r\nSTARTTLS\r\n");
    expect(f, "220 250- 250- 250- 250- 250- 250- 250 502 5.5.1");
}

/* -- the stop ------------------------------------------------------------------------------------ */
static void test_stop_idle(Fixture *f, gconstpointer unused)
{
    (void) unused;
    to_rcpt(f);
    mk_smtp_server_stop(f->server);
    expect(f, "421 4.3.2");
    g_assert_true(fake_stream_is_closed(f->stream));
    g_assert_true(mk_smtp_server_is_idle(f->server));
}

static void test_stop_in_mail(Fixture *f, gconstpointer unused)
{
    MkStream *late = fake_stream_new();
    g_autofree char *turned_away = NULL;

    (void) unused;
    fake_sink.ingest_at_once = false;
    to_rcpt(f);
    say(f, "DATA\r\nx");
    mk_smtp_server_stop(f->server);
    mk_smtp_server_accept(late, f->server);
    turned_away = fake_stream_take(late);
    g_assert_true(g_str_has_prefix(turned_away, GREETING "421 4.3.2"));
    g_assert_true(fake_stream_is_closed(late));
    mk_stream_unref(late);
    say(f, "\r\n.\r\n");
    expect(f, "354");
    fake_sink_finish_one();
    expect(f, "250 2.0.0 421 4.3.2");
    g_assert_true(fake_stream_is_closed(f->stream));
    g_assert_true(mk_smtp_server_is_idle(f->server));
}

static void add(const char *name, void (*func)(Fixture *, gconstpointer))
{
    g_autofree char *path = g_strconcat("/smtp/session/", name, NULL);

    g_test_add(path, Fixture, NULL, set_up, func, tear_down);
}

static void add_talks(void)
{
    static const struct {
        const char *how;
        void (*func)(Fixture *, gconstpointer);
    } ways[] = {
        { "at-once", test_talk },
        { "octet-by-octet", test_talk_slowly },
        { "cut-off", test_talk_cut },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(talks); i++)
        for (size_t w = 0; w < G_N_ELEMENTS(ways); w++) {
            g_autofree char *path = g_strdup_printf("/smtp/talk/%s/%s", talks[i].name, ways[w].how);

            g_test_add(path, Fixture, &talks[i], set_up, ways[w].func, tear_down);
        }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    mk_log_set_level(MK_LOG_ERROR);
    add("whole", test_whole);
    add_talks();
    add("bare-ends-are-kept", test_bare_ends_are_kept);
    add("bdat-is-verbatim", test_bdat_is_verbatim);
    add("too-large", test_too_large);
    add("much-too-large", test_much_too_large);
    add("exactly-the-limit", test_exactly_the_limit);
    add("bdat-too-large", test_bdat_too_large);
    add("bdat-much-too-large", test_bdat_much_too_large);
    add("recipients", test_recipients);
    add("errors", test_errors);
    add("errors-are-forgiven", test_errors_are_forgiven);
    add("lines", test_lines);
    add("ingest-fails", test_ingest_fails);
    add("spool-fails", test_spool_fails);
    add("spool-fails-late", test_spool_fails_late);
    add("cannot-take", test_cannot_take);
    add("nothing-before-durable", test_nothing_before_durable);
    add("vanished-client", test_vanished_client);
    add("half-closed", test_half_closed);
    add("server-goes-first", test_server_goes_first);
    add("full-spool-pauses", test_full_spool_pauses);
    add("unread-replies-pause", test_unread_replies_pause);
    add("command-time", test_command_time);
    add("silent-in-data", test_silent_in_data);
    add("slow-in-data", test_slow_in_data);
    add("starttls", test_starttls);
    add("no-tls", test_no_tls);
    add("stop-idle", test_stop_idle);
    add("stop-in-mail", test_stop_in_mail);
    return g_test_run();
}
