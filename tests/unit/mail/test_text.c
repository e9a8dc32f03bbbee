/*
 * test_text.c - what the index gets of a mail
 */
#include <mailkeep/mail.h>

#include <string.h>

#include <mailkeep/limits.h>

#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
#define ALTERNATIVE "Content-Type: multipart/alternative; boundary=c\r\n\r\n"
#define PLAIN "Content-Type: text/plain\r\n\r\n"
#define HTML "Content-Type: text/html\r\n\r\n"

static const struct {
    const char *name;
    const char *mail;
    const char *body;
    const char *names; /* joined by "|" */
    const char *attached;
} cases[] = {
    { "no mail", "", "", "", "" },
    { "plain", "Subject: s\r\n\r\nhello\r\n", "hello\r\n", "", "" },
    { "html", HTML "<p>hello</p>", "hello", "", "" },
    { "quoted-printable",
      "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
      "gr=C3=BC=\r\nn = =3D =zz",
      "grün = = =zz", "", "" },
    { "base64, latin",
      "Content-Type: text/plain; charset=iso-8859-1\r\n"
      "Content-Transfer-Encoding: base64\r\n\r\nZ3L8bg==\r\n",
      "grün", "", "" },
    { "base64 without padding", "Content-Transfer-Encoding: base64\r\n\r\nZ3JlZW4x\r\nMg",
      "green12", "", "" },
    { "base64 in blocks", "Content-Transfer-Encoding: base64\r\n\r\nYQ==\r\nYg==\r\nYw==", "abc",
      "", "" },
    { "base64 and a footer",
      "Content-Transfer-Encoding: base64\r\n\r\nYWJj\r\nYQ==\r\n\r\nfooter here", "abca", "", "" },
    { "uuencode",
      "Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 x\r\n#0V%T\r\n`\r\nend\r\n", "Cat",
      "", "" },
    { "a label that lies", "Content-Type: text/plain; charset=us-ascii\r\n\r\ngr\xfcn \x93x\x94",
      "grün “x”", "", "" },
    { "utf-8 called latin", "Content-Type: text/plain; charset=iso-8859-1\r\n\r\ngr\xc3\xbcn",
      "grün", "", "" },
    { "unknown charset", "Content-Type: text/plain; charset=x-mine\r\n\r\ngr\xfcn", "grün", "",
      "" },
    { "iso-2022-jp", "Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B$3$l\x1b(B",
      "これ", "", "" },
    { "gb2312 means gb18030", "Content-Type: text/plain; charset=gb2312\r\n\r\n\x8c\xc2", "屄", "",
      "" },
    { "utf-16",
      "Content-Type: text/plain; charset=utf-16le\r\nContent-Transfer-Encoding: base64\r\n\r\n"
      "YQBiAA==",
      "ab", "", "" },
    { "charset in the html", HTML "<meta charset=\"iso-8859-2\"><p>\xe8", "č", "", "" },
    { "alternative",
      ALTERNATIVE "--c\r\n" PLAIN "same words\r\n--c\r\n" HTML "<b>same words</b>\r\n--c--\r\n",
      "same words", "", "" },
    { "alternative that says nothing",
      ALTERNATIVE "--c\r\n" PLAIN "needs HTML\r\n--c\r\n" HTML
                  "<p>the words that matter, many of them</p>\r\n--c--\r\n",
      "needs HTML\nthe words that matter, many of them", "", "" },
    { "alternative with an empty one",
      ALTERNATIVE "--c\r\n" PLAIN "\r\n \r\n--c\r\n" HTML "<p>words</p>\r\n--c--\r\n",
      "\r\n \nwords", "", "" },
    { "attachments",
      MIXED "--b\r\n" PLAIN "body\r\n--b\r\n"
            "Content-Type: application/pdf; name=\"a.pdf\"\r\n\r\n%PDF\r\n--b\r\n"
            "Content-Type: text/plain; name=\"b.txt\"\r\n\r\nattached\r\n--b\r\n"
            "Content-Type: text/html\r\nContent-Disposition: attachment;\r\n"
            " filename*0*=utf-8''%C3%BC; filename*1=\"x.html\"\r\n\r\n<p>web\r\n--b--",
      "body", "a.pdf|b.txt|üx.html", "attached\nweb" },
    { "encoded name",
      MIXED "--b\r\nContent-Type: image/png; name=\"=?utf-8?B?w7wucG5n?=\"\r\n\r\nx\r\n"
            "--b--",
      "", "ü.png", "" },
    { "attached message",
      MIXED "--b\r\n" PLAIN "outer\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
            "Subject: =?utf-8?Q?inner_s=C3=BCbject?=\r\n\r\ninner\r\n--b--",
      "outer\ninner sübject\ninner", "", "" },
    { "delivery status",
      "Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n" PLAIN "failed\r\n--b\r\n"
      "Content-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822;a@b\r\n--b--",
      "failed\nFinal-Recipient: rfc822;a@b", "", "" },
    { "NUL inside", NULL, "abc", "", "" },
};

static char *joined(const GPtrArray *names)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < names->len; i++)
        g_string_append_printf(text, "%s%s", i ? "|" : "", (char *) names->pdata[i]);
    return g_string_free(text, FALSE);
}

static void test_cases(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        static const char nul[] = "Subject: x\r\n\r\na\0b\0c";
        const char *mail = cases[i].mail ? cases[i].mail : nul;
        size_t length = cases[i].mail ? strlen(mail) : sizeof nul - 1;
        g_autoptr(MkMailText) text = mk_mail_text((const uint8_t *) mail, length);
        g_autofree char *names = joined(text->attachment_names);

        g_test_message("%s", cases[i].name);
        g_assert_cmpstr(text->body->str, ==, cases[i].body);
        g_assert_cmpstr(names, ==, cases[i].names);
        g_assert_cmpstr(text->attachment_text->str, ==, cases[i].attached);
        g_assert_false(text->truncated);
    }
}

static void test_long(void)
{
    GString *mail = g_string_new("Subject: x\r\n\r\n");

    while (mail->len < MK_LIMIT_TEXT_BYTES + 1000)
        g_string_append(mail, "grün ");
    g_autoptr(MkMailText) text = mk_mail_text((uint8_t *) mail->str, mail->len);
    g_assert_true(text->truncated);
    g_assert_cmpuint(text->body->len, <=, MK_LIMIT_TEXT_BYTES);
    g_assert_cmpuint(text->body->len, >, MK_LIMIT_TEXT_BYTES - 4);
    g_assert_true(g_utf8_validate(text->body->str, (gssize) text->body->len, NULL));
    g_string_free(mail, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    mk_mail_init();
    g_test_add_func("/mail/text/cases", test_cases);
    g_test_add_func("/mail/text/long", test_long);
    return g_test_run();
}
