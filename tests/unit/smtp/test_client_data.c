/* test_client_data.c - a mail as the octets of DATA, and back through the server's reader */
#include <string.h>

#include "smtp/client_internal.h"

/* In reads of @step octets. */
static GByteArray *stuff(const char *mail, size_t length, size_t step)
{
    GByteArray *out = g_byte_array_new();
    MkSmtpStuff state = { 0 };

    for (size_t at = 0; at < length; at += step)
        mk_smtp_stuff(&state, (const uint8_t *) mail + at, MIN(step, length - at), out);
    mk_smtp_stuff_end(&state, out);
    return out;
}

static void test_forms(void)
{
    static const struct {
        const char *mail, *want;
    } cases[] = {
        { "", ".\r\n" },
        { "a\r\n", "a\r\n.\r\n" },
        { "a", "a\r\n.\r\n" },
        { ".", "..\r\n.\r\n" },
        { ".\r\n", "..\r\n.\r\n" },
        { "..a\r\n.b\r\nc.\r\n", "...a\r\n..b\r\nc.\r\n.\r\n" },
        { "\r\n\r\n", "\r\n\r\n.\r\n" },
        /* no end of line but CRLF leaves us, whatever is in the mail */
        { "a\n.\nMAIL FROM:<x>\n", "a\r\n..\r\nMAIL FROM:<x>\r\n.\r\n" },
        { "a\n.\r\nb", "a\r\n..\r\nb\r\n.\r\n" },
        { "a\r\n.\nb", "a\r\n..\r\nb\r\n.\r\n" },
        { "a\r.\rb", "a\r\n..\r\nb\r\n.\r\n" },
        { "a\r.\r\nb", "a\r\n..\r\nb\r\n.\r\n" },
        { "a\r\n.\rb", "a\r\n..\r\nb\r\n.\r\n" },
        { "a\r\r\nb\r\r\r\n", "a\r\nb\r\n.\r\n" },
        { "a\r", "a\r\n.\r\n" },
        { "a\r\r", "a\r\n\r\n.\r\n" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        for (size_t step = 1; step <= 3; step++) {
            size_t length = strlen(cases[i].mail);
            g_autoptr(GByteArray) got = stuff(cases[i].mail, length, step);

            g_assert_cmpmem(got->data, got->len, cases[i].want, strlen(cases[i].want));
        }
}

static GByteArray *unstuff(const GByteArray *data)
{
    GByteArray *out = g_byte_array_new();
    MkSmtpDot dot = MK_SMTP_DOT_LINE_START;

    for (size_t at = 0; at < data->len;) {
        const uint8_t *slice;
        size_t length;

        g_assert_true(dot != MK_SMTP_DOT_END);
        at += mk_smtp_dot_scan(&dot, data->data + at, data->len - at, &slice, &length);
        g_byte_array_append(out, slice, (guint) length);
    }
    g_assert_cmpint(dot, ==, MK_SMTP_DOT_END);
    return out;
}

/* Of a few octets that matter: what a server reads is the mail, and nothing comes behind it. */
static void test_round_trip(void)
{
    static const char octets[] = "\r\n.a\0\xff";

    for (int round = 0; round < 2000; round++) {
        g_autoptr(GByteArray) mail = g_byte_array_new(), data = NULL, back = NULL;

        for (int i = g_test_rand_int_range(0, 40); i > 0; i--) {
            int which = g_test_rand_int_range(0, sizeof octets);

            if (which < 2) /* line ends as they should be, so that all must come back */
                g_byte_array_append(mail, (const uint8_t *) "\r\n", 2);
            else
                g_byte_array_append(mail, (const uint8_t *) octets + which, 1);
        }
        g_byte_array_append(mail, (const uint8_t *) "\r\n", 2);
        data = stuff((const char *) mail->data, mail->len, (size_t) g_test_rand_int_range(1, 10));
        back = unstuff(data);
        g_assert_cmpmem(back->data, back->len, mail->data, mail->len);
    }
}

static void test_8bit(void)
{
    g_assert_false(mk_smtp_has_8bit((const uint8_t *) "a\x7f\r\n", 4));
    g_assert_true(mk_smtp_has_8bit((const uint8_t *) "a\x80\r\n", 4));
    g_assert_false(mk_smtp_has_8bit(NULL, 0));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/smtp/client-data/forms", test_forms);
    g_test_add_func("/smtp/client-data/round-trip", test_round_trip);
    g_test_add_func("/smtp/client-data/8bit", test_8bit);
    return g_test_run();
}
