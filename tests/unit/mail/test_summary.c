/*
 * test_summary.c - header fields to values
 *
 * Expected values: RFC 5322 A, 2047 8, 3339 arithmetic by `date -u -d`, and for what is malformed
 * what tech notes and Python's email package agree on, or what loses no address.
 */
#include <mailkeep/mail.h>

#include <string.h>

#include <mailkeep/limits.h>

#include "cpu_time.h"

static MkMailSummary *summary_of(const char *mail)
{
    return mk_mail_summary((const uint8_t *) mail, strlen(mail));
}

/* -- subjects --------------------------------------------------------------------------------- */

static const struct {
    const char *value;
    const char *subject;
} subjects[] = {
    { "hello", "hello" },
    { "", "" },
    { "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBle"
      "GFtcGxlLg==?=",
      "If you can read this you understand the example." }, /* RFC 2047 8 */
    { "=?ISO-8859-1?Q?a_b?=", "a b" },
    { "=?ISO-8859-1?Q?a?= b", "a b" },
    { "=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab" },
    { "=?ISO-8859-1?Q?a_?= =?ISO-8859-2?Q?b?=", "a b" },
    { "folded\r\n here", "folded here" },
    { "folded\r\n\there", "folded here" },
    { "=?utf-8?B?w7w=?=", "ü" },
    { "=?utf-8?B?w?= =?utf-8?B?7w=?=", NULL }, /* split in a character: any, but valid */
    { "=?iso-8859-1?Q?=93x=94?=", "“x”" },     /* windows-1252 under another label */
    { "=?iso-8859-1?Q?\xfc?=", "ü" },          /* 8 bits in an encoded word */
    { "=?us-ascii'en?Q?hi?=", NULL },
    { "=?UTF-8*de?Q?gr=C3=BCn?=", "grün" }, /* RFC 2231 5 */
    { "raw \xc3\xbc utf-8", "raw ü utf-8" },
    { "raw \xfc latin", "raw ü latin" },
    { "raw \x93"
      "cp1252\x94",
      "raw “cp1252”" },
    { "\x1b$B$3$l\x1b(B", "これ" }, /* ISO-2022-JP without a label */
    { "=?no-such-charset?Q?abc?=", "abc" },
    { "tab\there", "tab here" },
};

static void test_subjects(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(subjects); i++) {
        g_autofree char *mail = g_strdup_printf("Subject: %s\r\n\r\n", subjects[i].value);
        g_autoptr(MkMailSummary) s = summary_of(mail);

        g_assert_true(g_utf8_validate(s->subject, -1, NULL));
        if (subjects[i].subject)
            g_assert_cmpstr(s->subject, ==, subjects[i].subject);
    }
}

/* -- addresses -------------------------------------------------------------------------------- */

static char *list_text(const GPtrArray *list)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < list->len; i++) {
        const MkAddress *a = list->pdata[i];

        g_string_append_printf(text, "%s%s<%s>", i ? " " : "", a->name, a->address);
    }
    return g_string_free(text, FALSE);
}

static const struct {
    const char *value;
    const char *list;
} lists[] = {
    /* RFC 5322 A.1 */
    { "John Doe <jdoe@machine.example>", "John Doe<jdoe@machine.example>" },
    { "\"Joe Q. Public\" <john.q.public@example.com>", "Joe Q. Public<john.q.public@example.com>" },
    { "Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
      "Mary Smith<mary@x.test> <jdoe@example.org> Who?<one@y.test>" },
    { "<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
      "<boss@nil.test> Giant; \"Big\" Box<sysservices@example.net>" },
    { "A Group:Ed Jones <joe@where.test>,joe@where.test,John <jdoe@one.test>;",
      "A Group<> Ed Jones<joe@where.test> <joe@where.test> John<jdoe@one.test>" },
    { "Undisclosed recipients:;", "Undisclosed recipients<>" },
    /* RFC 5322 A.5, A.6.1 */
    { "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", "Pete<pete@silly.test>" },
    { "Joe Q. Public <john.q.public@example.com>", "Joe Q. Public<john.q.public@example.com>" },
    { "Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
      "Mary Smith<mary@example.net> <jdoe@test.example>" },
    /* RFC 2047 8 */
    { "=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?= <keld@dkuug.dk>",
      "Keld Jørn Simonsen<keld@dkuug.dk>" },
    /* nothing lost */
    { "a@b; c@d", "<a@b> <c@d>" },
    { "a@b c@d", "<a@b> <c@d>" },
    { "a b c@d", "<c@d>" },
    { "<a@b>, <c@d", "<a@b> <c@d>" },
    { "'a@b.c'", "<a@b.c>" },
    { "x@y <a@b>", "x@y<a@b>" },
    { "\"x@y\" <a@b>", "x@y<a@b>" },
    { "\"quoted local\"@Example.COM", "<\"quoted local\"@example.com>" },
    { "jürgen@MÜLLER.example", "<jürgen@müller.example>" },
    { "a@xn--mller-kva.example", "<a@xn--mller-kva.example>" },
    { "a@b.xn--example", "<a@b.xn--example>" }, /* bad punycode: GMime frees what it has not */
    { "xn-- <a@XN--.example>", "xn--<a@xn--.example>" },
    { "root", "root<>" },
    { "", "" },
};

static void test_addresses(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autofree char *mail = g_strdup_printf("To: %s\r\n\r\n", lists[i].value);
        g_autoptr(MkMailSummary) s = summary_of(mail);
        g_autofree char *list = list_text(s->to);

        g_assert_cmpstr(list, ==, lists[i].list);
    }
}

static void test_every_field(void)
{
    static const char mail[] =
        "Return-Path: <bounce@l.example>\r\nDelivered-To: d1@x\r\nX-Original-To: d2@x\r\n"
        "Envelope-To: d3@x\r\nX-Envelope-To: d4@x\r\nResent-To: d5@x\r\nX-REAL-RCPTTO: <d6@x>\r\n"
        "X-Gm-Original-To: d7@x\r\nX-REAL-MAILFROM: <s@x>\r\n"
        "From: f@x\r\nSENDER: se@x\r\nTo: t1@x\r\nTo: t2@x\r\nCC: c@x\r\nbcc : b@x\r\n"
        "Message-Id: <1@x>\r\nIn-Reply-To: Your message of today <0@x>\r\n"
        "References: <a@x> <b@x>\r\n <c@x>\r\n\r\nTo: body@x\r\n";
    g_autoptr(MkMailSummary) s = summary_of(mail);
    g_autofree char *from = list_text(s->from), *sender = list_text(s->sender);
    g_autofree char *to = list_text(s->to), *cc = list_text(s->cc), *bcc = list_text(s->bcc);
    g_autofree char *delivered = list_text(s->delivered);
    g_autofree char *envelope_from = list_text(s->envelope_from);

    g_assert_cmpstr(from, ==, "<f@x>");
    g_assert_cmpstr(sender, ==, "<se@x>");
    g_assert_cmpstr(to, ==, "<t1@x> <t2@x>");
    g_assert_cmpstr(cc, ==, "<c@x>");
    g_assert_cmpstr(bcc, ==, "<b@x>");
    g_assert_cmpstr(delivered, ==, "<d1@x> <d2@x> <d3@x> <d4@x> <d5@x> <d6@x> <d7@x>");
    g_assert_cmpstr(envelope_from, ==, "<bounce@l.example> <s@x>");
    g_assert_cmpstr(s->message_id, ==, "1@x");
    g_assert_cmpstr(s->in_reply_to, ==, "0@x");
    g_assert_cmpuint(s->references->len, ==, 3);
    g_assert_cmpstr(s->references->pdata[2], ==, "c@x");
    g_assert_false(s->is_malformed);
}

static const struct {
    const char *address;
    const char *folded;
} folds[] = {
    { "A@B.Example", "a@b.example" },
    { " <A@B> ", "a@b" },
    { "JÜRGEN@MÜLLER.example", "jürgen@müller.example" },
    { "a@xn--mller-kva.example", "a@müller.example" },
    { "nobody", "" },
    { "", "" },
    { "straße@x", "straße@x" }, /* simple folding: ß stays */
};

static void test_fold(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(folds); i++) {
        g_autofree char *folded = mk_address_fold(folds[i].address);

        g_assert_cmpstr(folded, ==, folds[i].folded);
    }
}

static void test_format(void)
{
    g_autoptr(MkMailSummary) s =
        summary_of("To: \"Doe, J\" <j@x>, a@b, G: c@d;\r\nSubject: x\r\n\r\n");
    g_autofree char *line = mk_addresses_format(s->to);

    g_assert_cmpstr(line, ==, "Doe, J <j@x>, a@b, G, c@d");
}

/* -- dates --------------------------------------------------------------------------------------- */

static const struct {
    const char *header;
    int64_t unix_s;
} dates[] = {
    { "Date: Fri, 21 Nov 1997 09:55:06 -0600\r\n", 880127706 },
    { "Date: Tue, 1 Jul 2003 10:52:37 +0200\r\n", 1057049557 },
    { "Date: 21 Nov 97 09:55:06 GMT\r\n", 880106106 },
    { "Date: Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 (Newfoundland Time)\r\n",
      -27723480 },
    { "Date: Fri, 21 Nov 1997 09(comment):   55  :  06 -0600\r\n", 880127706 },
    { "Date: Tue, 28 May 1996 12:24:23 cst\r\n", 833307863 },
    { "Date: garbage\r\nReceived: from a by b; Tue, 1 Jul 2003 10:52:37 +0200\r\n"
      "Received: from c by a; Tue, 1 Jul 2003 09:00:00 +0200\r\n",
      1057049557 },
    { "Received: from a by b; Tue, 1 Jul 2003 10:52:37 +0200\r\n", 1057049557 },
    { "Subject: x\r\n", 0 },
    { "Date: \r\n", 0 },
};

static void test_dates(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(dates); i++) {
        g_autofree char *mail = g_strdup_printf("%s\r\n", dates[i].header);
        g_autoptr(MkMailSummary) s = summary_of(mail);

        if (s->date_unix_ms != dates[i].unix_s * 1000)
            g_test_message("%s", dates[i].header);
        g_assert_cmpint(s->date_unix_ms, ==, dates[i].unix_s * 1000);
    }
}

/* -- flags --------------------------------------------------------------------------------------- */

#define MULTI "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"

static const struct {
    const char *mail;
    const char *flags; /* a: attachment, e: encrypted, m: malformed, +/-: importance */
} flags[] = {
    { "Subject: x\r\n\r\nhi", "" },
    { "Subject: x\r\n\r\n", "" },
    { "", "m" },
    { "no header at all\r\n\r\nbody", "m" },
    { "Subject: x\r\njunk\r\nTo: a@b\r\n\r\n", "m" },
    { "From me Thu Jan 1 1970\r\nSubject: x\r\n\r\n", "" },
    { MULTI "\r\nhi\r\n--b--\r\n", "" },
    { MULTI "\r\nhi\r\n", "m" },
    { MULTI "Content-Type: image/png\r\n\r\nhi\r\n--b--\r\n", "a" },
    { MULTI "Content-Type: text/plain; name=x\r\n\r\nhi\r\n--b--\r\n", "a" },
    { MULTI "Content-Disposition: attachment\r\n\r\nhi\r\n--b--\r\n", "a" },
    { MULTI "Content-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\nhi\r\n--b--\r\n", "a" },
    { "Content-Type: multipart/mixed\r\n\r\nhi", "m" },
    { "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nx", "ae" },
    { "Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\nx", "a" },
    { "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\r\n\r\n"
      "--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--b--\r\n",
      "ae" },
    { "Subject: x\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n", "e" },
    { "Importance: High\r\n\r\n", "+" },
    { "X-Priority: 1 (Highest)\r\n\r\n", "+" },
    { "X-Priority: 5\r\nImportance: normal\r\n\r\n", "" },
    { "Priority: non-urgent\r\n\r\n", "-" },
    { "X-MSMail-Priority: Low\r\n\r\n", "-" },
};

static void test_flags(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
        g_autoptr(MkMailSummary) s = summary_of(flags[i].mail);
        g_autofree char *found =
            g_strdup_printf("%s%s%s%s", s->has_attachments ? "a" : "", s->is_encrypted ? "e" : "",
                            s->is_malformed ? "m" : "",
                            s->importance > 0   ? "+"
                            : s->importance < 0 ? "-"
                                                : "");

        if (!g_str_equal(found, flags[i].flags))
            g_test_message("%s", flags[i].mail);
        g_assert_cmpstr(found, ==, flags[i].flags);
    }
}

/* -- bombs --------------------------------------------------------------------------------------- */

static GString *repeated(const char *start, const char *what, size_t bytes)
{
    GString *mail = g_string_new(start);

    while (mail->len < bytes)
        g_string_append(mail, what);
    g_string_append(mail, "\r\n\r\nbody\r\n");
    return mail;
}

static const struct {
    const char *name;
    const char *start;
    const char *what;
    size_t bytes;
} bombs[] = {
    { "nested groups", "To: ", "g:", 100 << 10 },
    { "nested comments", "To: ", "(", 1 << 20 },
    { "open angles", "To: ", "<", 1 << 20 },
    { "open quotes", "To: ", "\"a\" ", 1 << 20 },
    { "addresses", "To: x@y", ", a@b", 1 << 20 },
    { "broken addresses", "To: x@y", " a@b", 1 << 20 },
    { "one long field", "Subject: ", "=?utf-8?Q?a?= ", 10 << 20 },
    { "continued field", "Subject: ", "x\r\n ", 10 << 20 },
    { "many fields", "", "X: y\r\n", 10 << 20 },
    { "many lists", "", "To: a@b\r\n", 10 << 20 },
    { "references", "References: ", "<a@b> ", 1 << 20 },
    { "punycode", "To: a@b", ",a@xn--x", 1 << 20 },
    { "parameters", "Content-Type: text/plain", "; a=\"b\"", 1 << 20 },
    { "file names", "Content-Disposition: attachment", "; filename*0=\"b\"", 1 << 20 },
};

/* Each within a second even under a sanitizer: far above what linear time needs. */
static void test_bombs(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bombs); i++) {
        GString *mail = repeated(bombs[i].start, bombs[i].what, bombs[i].bytes);
        int64_t start = test_cpu_us();
        g_autoptr(MkMailSummary) s = summary_of(mail->str);
        g_autoptr(MkMailText) text = mk_mail_text((uint8_t *) mail->str, mail->len);
        g_autoptr(MkJournal) j = mk_journal_parse((uint8_t *) mail->str, mail->len);
        g_autoptr(GPtrArray) parts = mk_mail_parts((uint8_t *) mail->str, mail->len);

        g_test_message("%s: %.0f ms", bombs[i].name, (double) (test_cpu_us() - start) / 1000);
        g_assert_cmpint(test_cpu_us() - start, <, 5 * G_USEC_PER_SEC);
        if (bombs[i].bytes >= 10 << 20)
            g_assert_true(s->is_malformed);
        g_assert_cmpuint(s->to->len, <=, MK_LIMIT_ADDRESSES);
        g_string_free(mail, TRUE);
    }
}

/* The last of many recipients owns the mail as much as the first. */
static void test_long_list(void)
{
    GString *mail = g_string_new("To: first@x");

    for (int i = 0; i < 10000; i++)
        g_string_append_printf(mail, ",\r\n \"Recipient %d\" <r%d@staff.example>", i, i);
    g_string_append(mail, "\r\nSubject: x\r\n\r\n");
    g_autoptr(MkMailSummary) s = mk_mail_summary((uint8_t *) mail->str, mail->len);
    g_assert_cmpuint(s->to->len, ==, 10001);
    g_assert_cmpstr(((MkAddress *) s->to->pdata[10000])->address, ==, "r9999@staff.example");
    g_assert_true(s->is_malformed);
    g_string_free(mail, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    mk_mail_init();
    g_test_add_func("/mail/summary/subjects", test_subjects);
    g_test_add_func("/mail/summary/addresses", test_addresses);
    g_test_add_func("/mail/summary/every-field", test_every_field);
    g_test_add_func("/mail/summary/fold", test_fold);
    g_test_add_func("/mail/summary/format", test_format);
    g_test_add_func("/mail/summary/dates", test_dates);
    g_test_add_func("/mail/summary/flags", test_flags);
    g_test_add_func("/mail/summary/bombs", test_bombs);
    g_test_add_func("/mail/summary/long-list", test_long_list);
    return g_test_run();
}
