/*
 * test_parts.c - the leaves of a mail, for reading
 */
#include <mailkeep/mail.h>

#include <string.h>

static const char sample[] =
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: multipart/related; boundary=r\r\n\r\n"
    "--r\r\nContent-Type: text/html; charset=\"ISO-8859-1\"\r\n\r\n<img src=cid:p@x> gr\xfcn\r\n"
    "--r\r\nContent-Type: image/png; name=p.png\r\nContent-ID: <p@x>\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nAAECAw\r\n--r--\r\n"
    "--b\r\nContent-Type: application/pdf\r\n"
    "Content-Disposition: attachment; filename=\"C:\\\\tmp\\\\../a b.pdf\"\r\n\r\n%PDF\r\n"
    "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\nContent-Type: multipart/mixed;"
    " boundary=i\r\n\r\n--i\r\n\r\ninner\r\n--i--\r\n"
    "--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nx=3Dy\r\n"
    "--b--\r\n";

static const struct {
    unsigned depth;
    const char *type;
    const char *charset;
    const char *file_name;
    const char *content_id;
    bool is_attachment;
    size_t size;
    const char *text;
} expected[] = {
    { 2, "text/html", "iso-8859-1", "", "", false, 22, "<img src=cid:p@x> grün" },
    { 2, "image/png", "", "p.png", "p@x", false, 4, NULL },
    { 1, "application/pdf", "", "a b.pdf", "", true, 4, "%PDF" },
    { 1, "message/rfc822", "", "", "", true, 76, NULL },
    { 1, "text/plain", "", "", "", false, 3, "x=y" },
};

static void test_sample(void)
{
    const uint8_t *mail = (const uint8_t *) sample;
    size_t length = strlen(sample);
    g_autoptr(GPtrArray) parts = mk_mail_parts(mail, length);

    g_assert_cmpuint(parts->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < parts->len; i++) {
        const MkPart *part = parts->pdata[i];
        g_autoptr(GBytes) content = mk_mail_part_content(mail, length, part->number, NULL);
        g_autofree char *text = mk_mail_part_text(mail, length, part->number, 1000, NULL);

        g_assert_cmpuint(part->number, ==, i + 1);
        g_assert_cmpuint(part->depth, ==, expected[i].depth);
        g_assert_cmpstr(part->type, ==, expected[i].type);
        g_assert_cmpstr(part->charset, ==, expected[i].charset);
        g_assert_cmpstr(part->file_name, ==, expected[i].file_name);
        g_assert_cmpstr(part->content_id, ==, expected[i].content_id);
        g_assert_true(part->is_attachment == expected[i].is_attachment);
        g_assert_cmpuint(part->size_bytes, ==, expected[i].size);
        g_assert_cmpuint(g_bytes_get_size(content), ==, expected[i].size);
        if (expected[i].text)
            g_assert_cmpstr(text, ==, expected[i].text);
    }
}

static void test_content(void)
{
    const uint8_t *mail = (const uint8_t *) sample;
    g_autoptr(GBytes) png = mk_mail_part_content(mail, strlen(sample), 2, NULL);
    g_autoptr(GBytes) message = mk_mail_part_content(mail, strlen(sample), 4, NULL);

    g_assert_cmpmem(g_bytes_get_data(png, NULL), g_bytes_get_size(png), "\0\1\2\3", 4);
    g_assert_cmpuint(g_bytes_get_size(message), >, 12); /* octets, without a NUL behind them */
    g_assert_cmpmem(g_bytes_get_data(message, NULL), 12, "Subject: y\r\n", 12);
}

static void test_absent(void)
{
    const uint8_t *mail = (const uint8_t *) sample;
    g_autoptr(GError) error = NULL;

    g_assert_null(mk_mail_part_content(mail, strlen(sample), 6, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_null(mk_mail_part_text(mail, strlen(sample), 0, 10, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_NOT_FOUND);
}

static const struct {
    const char *fields;
    const char *name;
} names[] = {
    { "Content-Disposition: attachment; filename=a.txt", "a.txt" },
    { "Content-Disposition: attachment; FileName=\"a b.txt\"", "a b.txt" },
    { "Content-Disposition: attachment; filename=a b.txt", NULL }, /* not quoted: any */
    { "Content-Disposition: attachment; filename*=utf-8'en'%e2%82%ac%20rates", "€ rates" },
    { "Content-Disposition: attachment; filename*=iso-8859-1''%a3.txt", "£.txt" },
    { "Content-Disposition: attachment; filename=\"=?utf-8?Q?=C3=BC.txt?=\"", "ü.txt" },
    { "Content-Disposition: attachment; filename=\"\xc3\xbc.txt\"", "ü.txt" },
    { "Content-Disposition: attachment; filename=\"\xfc.txt\"", "ü.txt" },
    { "Content-Disposition: attachment; filename=\"../../etc/passwd\"", "passwd" },
    { "Content-Disposition: attachment; filename=\"..\"", "" },
    { "Content-Disposition: attachment; filename=\"a\tb\x01.txt\"", "a b .txt" },
    { "Content-Type: application/x; name=b.bin", "b.bin" },
    { "Content-Type: application/x; name=b.bin\r\nContent-Disposition: attachment; filename=c.bin",
      "c.bin" },
    { "Content-Type: message/external-body; access-type=URL;\r\n URL*0=\"ftp://\";\r\n"
      " URL*1=\"cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar\"", /* RFC 2231 3 */
      "" },
};

static void test_names(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *mail = g_strdup_printf("%s\r\n\r\nx", names[i].fields);
        g_autoptr(GPtrArray) parts = mk_mail_parts((uint8_t *) mail, strlen(mail));
        const MkPart *part = parts->pdata[0];

        g_assert_true(g_utf8_validate(part->file_name, -1, NULL));
        if (names[i].name)
            g_assert_cmpstr(part->file_name, ==, names[i].name);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    mk_mail_init();
    g_test_add_func("/mail/parts/sample", test_sample);
    g_test_add_func("/mail/parts/content", test_content);
    g_test_add_func("/mail/parts/absent", test_absent);
    g_test_add_func("/mail/parts/names", test_names);
    return g_test_run();
}
