/* test_grammar.c - command lines, many of them word for word from RFC 5321, 1870, 3030, 6531 */
#include <mailkeep/smtp.h>

#include <string.h>

#include <mailkeep/limits.h>

typedef struct {
    const char *line;
    MkSmtpVerb verb;
    const char *path;     /* NULL = none */
    const char *argument; /* NULL = not looked at */
} Case;

static const Case good[] = {
    /* RFC 5321 appendix D */
    { "EHLO bar.com", MK_SMTP_EHLO, NULL, "bar.com" },
    { "MAIL FROM:<Smith@bar.com>", MK_SMTP_MAIL, "Smith@bar.com", NULL },
    { "RCPT TO:<Jones@foo.com>", MK_SMTP_RCPT, "Jones@foo.com", NULL },
    { "DATA", MK_SMTP_DATA, NULL, "" },
    { "QUIT", MK_SMTP_QUIT, NULL, "" },
    { "RSET", MK_SMTP_RSET, NULL, "" },
    { "VRFY Crispin", MK_SMTP_VRFY, NULL, "Crispin" },
    /* §4.1.1.2: the null reverse-path; §2.3.8, §4.1.1: any case, blanks at the end */
    { "MAIL FROM:<>", MK_SMTP_MAIL, "", NULL },
    { "mail from:<a@b>", MK_SMTP_MAIL, "a@b", NULL },
    { "eHlO x", MK_SMTP_EHLO, NULL, "x" },
    { "DATA  ", MK_SMTP_DATA, NULL, "" },
    { "MAIL FROM:<a@b>   ", MK_SMTP_MAIL, "a@b", NULL },
    /* what senders in the field write */
    { "MAIL FROM: <a@b>", MK_SMTP_MAIL, "a@b", NULL },
    { "RCPT TO:  <a@b>", MK_SMTP_RCPT, "a@b", NULL },
    { "RCPT  TO:<a@b>", MK_SMTP_RCPT, "a@b", NULL },
    { "MAIL FROM:<a..b.@docomo.ne.jp>", MK_SMTP_MAIL, "a..b.@docomo.ne.jp", NULL },
    { "MAIL FROM:<a@under_score.example>", MK_SMTP_MAIL, "a@under_score.example", NULL },
    /* §4.1.1.3, appendix C: source routes are dropped */
    { "RCPT TO:<@hosta.int,@jkl.org:userc@d.bar.org>", MK_SMTP_RCPT, "userc@d.bar.org", NULL },
    /* §4.1.1.3: reserved mailbox without domain */
    { "RCPT TO:<Postmaster>", MK_SMTP_RCPT, "Postmaster", NULL },
    /* §4.1.2: quoted local parts, §4.1.3: address literals */
    { "RCPT TO:<\"Joe Q. Public\"@x>", MK_SMTP_RCPT, "\"Joe Q. Public\"@x", NULL },
    { "RCPT TO:<\"a>b@c\"@x>", MK_SMTP_RCPT, "\"a>b@c\"@x", NULL },
    { "RCPT TO:<\"a\\\"b\"@x>", MK_SMTP_RCPT, "\"a\\\"b\"@x", NULL },
    { "RCPT TO:<a@[IPv6:2001:db8::1]>", MK_SMTP_RCPT, "a@[IPv6:2001:db8::1]", NULL },
    { "EHLO [192.0.2.1]", MK_SMTP_EHLO, NULL, "[192.0.2.1]" },
    { "HELO B\xdcRO-PC", MK_SMTP_HELO, NULL, "B\xef\xbf\xbdRO-PC" },
    { "RCPT TO:<j\xc3\xbcrgen@x>", MK_SMTP_RCPT, "j\xc3\xbcrgen@x", NULL },
    { "NOOP", MK_SMTP_NOOP, NULL, "" },
    { "NOOP any thing", MK_SMTP_NOOP, NULL, "any thing" },
    { "HELP", MK_SMTP_HELP, NULL, "" },
    { "EXPN list", MK_SMTP_EXPN, NULL, "list" },
    { "STARTTLS", MK_SMTP_STARTTLS, NULL, "" },
    { "AUTH PLAIN AGEAYg==", MK_SMTP_AUTH, NULL, NULL },
    { "GET / HTTP/1.1", MK_SMTP_UNKNOWN, NULL, NULL },
    { "", MK_SMTP_UNKNOWN, NULL, NULL },
    { " ", MK_SMTP_UNKNOWN, NULL, NULL },
    { " QUIT", MK_SMTP_UNKNOWN, NULL, NULL },
    { "QUITX", MK_SMTP_UNKNOWN, NULL, NULL },
};

static void test_good(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        MkSmtpCommand c;
        const char *reply = NULL;

        g_test_message("%s", good[i].line);
        g_assert_true(mk_smtp_command_parse(good[i].line, strlen(good[i].line), &c, &reply));
        g_assert_cmpint(c.verb, ==, good[i].verb);
        g_assert_cmpstr(c.path, ==, good[i].path);
        if (good[i].argument != NULL)
            g_assert_cmpstr(c.argument, ==, good[i].argument);
        mk_smtp_command_clear(&c);
    }
}

static const struct {
    const char *line, *reply; /* its first octets */
} bad[] = {
    { "EHLO", "501 5.5.4" },
    { "HELO  ", "501 5.5.4" },
    { "VRFY", "501 5.5.4" },
    { "DATA now", "501 5.5.4" },
    { "QUIT x", "501 5.5.4" },
    { "RSET x", "501 5.5.4" },
    { "STARTTLS x", "501 5.5.4" },
    { "MAIL", "501 5.1.7" },
    { "MAIL FROM:", "501 5.1.7" },
    { "MAIL FROM:a@b", "501 5.1.7" },
    { "MAIL TO:<a@b>", "501 5.1.7" },
    { "MAIL FROM <a@b>", "501 5.1.7" },
    { "MAIL FROM:<a@b", "501 5.1.7" },
    { "MAIL FROM:<a@>", "501 5.1.7" },
    { "MAIL FROM:<@b>", "501 5.1.7" },
    { "MAIL FROM:<@b:>", "501 5.1.7" },
    { "MAIL FROM:<a@b@c>", "501 5.1.7" },
    { "MAIL FROM:<a b@c>", "501 5.1.7" },
    { "MAIL FROM:<<a@b>>", "501 5.1.7" },
    { "MAIL FROM:<\"a@b>", "501 5.1.7" },
    { "MAIL FROM:<a@\"b\">", "501 5.1.7" },
    { "MAIL FROM:<a\\>", "501 5.1.7" },
    { "MAIL FROM:<a@b>SIZE=1", "501 5.1.7" },
    { "MAIL FROM:<a@b> SIZE=", "501 5.5.4" },
    { "MAIL FROM:<a@b> SIZE", "501 5.5.4" },
    { "MAIL FROM:<a@b> SIZE=-1", "501 5.5.4" },
    { "MAIL FROM:<a@b> SIZE=1 SIZE=2", "501 5.5.4" },
    { "MAIL FROM:<a@b> SIZE=100000000000000000000", "501 5.5.4" },
    { "MAIL FROM:<a@b> BODY=7", "501 5.5.4" },
    { "MAIL FROM:<a@b> BODY", "501 5.5.4" },
    { "MAIL FROM:<a@b> SMTPUTF8=1", "501 5.5.4" },
    { "MAIL FROM:<a@b> RET=HDRS", "555 5.5.4" },
    { "MAIL FROM:<a@b> =", "555 5.5.4" },
    { "MAIL FROM:<\xc3\xa4@b>", "553 5.6.7" },
    { "MAIL FROM:<\xe4@b> SMTPUTF8", "553 5.6.7" },
    { "RCPT TO:<\xe4@b>", "553 5.6.7" },
    { "RCPT TO:<>", "501 5.1.3" },
    { "RCPT FROM:<a@b>", "501 5.1.3" },
    { "RCPT TO:<a@b>x", "501 5.1.3" },
    { "RCPT TO:a@b", "501 5.1.3" },
    { "RCPT TO:<a@b> NOTIFY=NEVER", "555 5.5.4" },
    { "BDAT", "501 5.5.4" },
    { "BDAT LAST", "501 5.5.4" },
    { "BDAT 1 FIRST", "501 5.5.4" },
    { "BDAT 1 LAST x", "501 5.5.4" },
    { "BDAT 0x10", "501 5.5.4" },
    { "BDAT -1", "501 5.5.4" },
    { "NOOP\t", "500 5.5.2" },
    { "NOOP\rQUIT", "500 5.5.2" },
    { "NOOP\nQUIT", "500 5.5.2" },
    { "NOOP \x7f", "500 5.5.2" },
};

static void test_bad(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        MkSmtpCommand c;
        const char *reply = NULL;

        g_test_message("%s", bad[i].line);
        g_assert_false(mk_smtp_command_parse(bad[i].line, strlen(bad[i].line), &c, &reply));
        g_assert_true(g_str_has_prefix(reply, bad[i].reply));
        g_assert_null(c.path);
        g_assert_null(c.argument);
    }
}

static void test_nul(void)
{
    MkSmtpCommand c;
    const char *reply;

    g_assert_false(mk_smtp_command_parse("RCPT TO:<a@b\0.evil>", 19, &c, &reply));
    g_assert_true(g_str_has_prefix(reply, "500 5.5.2"));
}

static void test_mail_parameters(void)
{
    static const struct {
        const char *line;
        uint64_t size;
        bool has_size, body_8bit, smtputf8;
    } cases[] = {
        { "MAIL FROM:<a@b> SIZE=500000", 500000, true, false, false }, /* RFC 1870 §6.1 */
        { "MAIL FROM:<a@b> size=0", 0, true, false, false },
        { "MAIL FROM:<a@b> SIZE=18446744073709551615", UINT64_MAX, true, false, false },
        { "MAIL FROM:<a@b> SIZE=99999999999999999999", UINT64_MAX, true, false, false },
        { "MAIL FROM:<a@b> SIZE=18446744073709551616", UINT64_MAX, true, false, false },
        { "MAIL FROM:<a@b> BODY=8BITMIME", 0, false, true, false }, /* RFC 6152 §2 */
        { "MAIL FROM:<a@b> BODY=7bit", 0, false, false, false },
        { "MAIL FROM:<a@b> BODY=BINARYMIME SIZE=9", 9, true, true, false }, /* RFC 3030 §3 */
        { "MAIL FROM:<\xc3\xa4@b> SMTPUTF8", 0, false, false, true },       /* RFC 6531 §3.4 */
        { "MAIL FROM:<>  SIZE=7  SMTPUTF8 ", 7, true, false, true },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        MkSmtpCommand c;
        const char *reply;

        g_test_message("%s", cases[i].line);
        g_assert_true(mk_smtp_command_parse(cases[i].line, strlen(cases[i].line), &c, &reply));
        g_assert_cmpuint(c.size_bytes, ==, cases[i].size);
        g_assert_cmpint(c.has_size, ==, cases[i].has_size);
        g_assert_cmpint(c.body_8bit, ==, cases[i].body_8bit);
        g_assert_cmpint(c.smtputf8, ==, cases[i].smtputf8);
        mk_smtp_command_clear(&c);
    }
}

static void test_bdat(void)
{
    static const struct {
        const char *line;
        uint64_t size;
        bool last;
    } cases[] = {
        { "BDAT 86 LAST", 86, true }, /* RFC 3030 §4.2 */
        { "BDAT 100000", 100000, false }, { "bdat 0 last", 0, true },
        { "BDAT 5  LAST ", 5, true },     { "BDAT 99999999999999999999", UINT64_MAX, false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        MkSmtpCommand c;
        const char *reply;

        g_assert_true(mk_smtp_command_parse(cases[i].line, strlen(cases[i].line), &c, &reply));
        g_assert_cmpint(c.verb, ==, MK_SMTP_BDAT);
        g_assert_cmpuint(c.size_bytes, ==, cases[i].size);
        g_assert_cmpint(c.last, ==, cases[i].last);
        mk_smtp_command_clear(&c);
    }
}

/* RFC 5321 §4.5.3.1.3: a path of 256 octets with its brackets, and not one more */
static void test_path_length(void)
{
    for (int more = 0; more <= 1; more++) {
        g_autofree char *local = g_strnfill((gsize) (MK_LIMIT_SMTP_PATH_BYTES - 4 + more), 'a');
        g_autofree char *line = g_strdup_printf("RCPT TO:<%s@b>", local);
        MkSmtpCommand c;
        const char *reply;
        bool parsed = mk_smtp_command_parse(line, strlen(line), &c, &reply);

        g_assert_cmpint(parsed, ==, more == 0);
        mk_smtp_command_clear(&c);
    }
}

/* A server that cannot tell how long the chunk is must know that there is one. */
static void test_verb_of_bad(void)
{
    MkSmtpCommand c;
    const char *reply;

    g_assert_false(mk_smtp_command_parse("BDAT x", 6, &c, &reply));
    g_assert_cmpint(c.verb, ==, MK_SMTP_BDAT);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/smtp/grammar/good", test_good);
    g_test_add_func("/smtp/grammar/bad", test_bad);
    g_test_add_func("/smtp/grammar/nul", test_nul);
    g_test_add_func("/smtp/grammar/mail-parameters", test_mail_parameters);
    g_test_add_func("/smtp/grammar/bdat", test_bdat);
    g_test_add_func("/smtp/grammar/path-length", test_path_length);
    g_test_add_func("/smtp/grammar/verb-of-bad", test_verb_of_bad);
    return g_test_run();
}
