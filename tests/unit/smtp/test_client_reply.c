/* test_client_reply.c - replies in reads of any length, and what is shown of them */
#include <string.h>

#include <mailkeep/limits.h>

#include "smtp/client_internal.h"

static void test_replies(void)
{
    static const struct {
        const char *octets;
        MkSmtpReplyState state;
        unsigned code;
        const char *shown;
    } cases[] = {
        { "250 ok\r\n", MK_SMTP_REPLY_READY, 250, "250 ok" },
        { "250\r\n", MK_SMTP_REPLY_READY, 250, "250 " },
        { "250 \r\n", MK_SMTP_REPLY_READY, 250, "250 " },
        { "250-a\r\n250-b\r\n250 c\r\n", MK_SMTP_REPLY_READY, 250, "250 a b c" },
        { "250-a\r\n250\r\n", MK_SMTP_REPLY_READY, 250, "250 a " },
        { "550 \xff\xc3\xbc\a\x1b[31m\xe2\x80\xae"
          "x\r\n",
          MK_SMTP_REPLY_READY, 550, "550 \xef\xbf\xbd\xc3\xbc  [31m x" },
        { "250-a\r\n", MK_SMTP_REPLY_MORE, 250, NULL },
        { "250", MK_SMTP_REPLY_MORE, 0, NULL },
        { "250-a\r\n251 b\r\n", MK_SMTP_REPLY_BAD, 0, NULL },
        { "150 a\r\n", MK_SMTP_REPLY_BAD, 0, NULL },
        { "650 a\r\n", MK_SMTP_REPLY_BAD, 0, NULL },
        { "25 a\r\n", MK_SMTP_REPLY_BAD, 0, NULL },
        { "25x a\r\n", MK_SMTP_REPLY_BAD, 0, NULL },
        { "2500 a\r\n", MK_SMTP_REPLY_BAD, 0, NULL },
        { "\r\n", MK_SMTP_REPLY_BAD, 0, NULL },
        { "250 a\n250 b\r\n", MK_SMTP_REPLY_BAD, 0, NULL },
        { "250 a\rb\r\n", MK_SMTP_REPLY_BAD, 0, NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        size_t length = strlen(cases[i].octets);

        for (size_t step = 1; step <= length; step += length - 1) { /* by octets, and at once */
            MkSmtpReplyState state = MK_SMTP_REPLY_MORE;
            MkSmtpReplyReader reader;
            size_t used;

            g_test_message("%s", cases[i].octets);
            mk_smtp_reply_init(&reader);
            for (size_t at = 0; at < length && state == MK_SMTP_REPLY_MORE; at += step) {
                state = mk_smtp_reply_feed(&reader, (const uint8_t *) cases[i].octets + at,
                                           MIN(step, length - at), &used);
                g_assert_cmpuint(used, ==, MIN(step, length - at));
            }
            g_assert_cmpint(state, ==, cases[i].state);
            if (state == MK_SMTP_REPLY_READY) {
                g_autofree char *shown = mk_smtp_reply_shown(&reader);

                g_assert_cmpuint(reader.code, ==, cases[i].code);
                g_assert_cmpstr(shown, ==, cases[i].shown);
            }
            mk_smtp_reply_clear(&reader);
        }
    }
}

static void test_one_after_the_other(void)
{
    static const char octets[] = "220-a\r\n220 b\r\n250 c\r\n";
    MkSmtpReplyReader reader;
    size_t used, more;

    mk_smtp_reply_init(&reader);
    g_assert_cmpint(mk_smtp_reply_feed(&reader, (const uint8_t *) octets, strlen(octets), &used),
                    ==, MK_SMTP_REPLY_READY);
    g_assert_cmpuint(used, ==, strlen("220-a\r\n220 b\r\n"));
    g_assert_cmpuint(reader.lines->len, ==, 2);
    g_assert_cmpint(
        mk_smtp_reply_feed(&reader, (const uint8_t *) octets + used, strlen(octets) - used, &more),
        ==, MK_SMTP_REPLY_READY);
    g_assert_cmpuint(reader.code, ==, 250);
    g_assert_cmpuint(reader.lines->len, ==, 1);
    mk_smtp_reply_clear(&reader);
}

static MkSmtpReplyState feed_lines(unsigned count, size_t length, char **out_shown)
{
    g_autofree char *text = g_strnfill(length, 'x');
    g_autofree char *line = g_strconcat("250-", text, "\r\n", NULL);
    MkSmtpReplyState state = MK_SMTP_REPLY_MORE;
    MkSmtpReplyReader reader;
    size_t used;

    mk_smtp_reply_init(&reader);
    for (unsigned i = 0; i < count && state == MK_SMTP_REPLY_MORE; i++) {
        if (i + 1 == count)
            line[3] = ' ';
        state = mk_smtp_reply_feed(&reader, (const uint8_t *) line, strlen(line), &used);
    }
    *out_shown = state == MK_SMTP_REPLY_READY ? mk_smtp_reply_shown(&reader) : NULL;
    mk_smtp_reply_clear(&reader);
    return state;
}

static void test_limits(void)
{
    static const struct {
        unsigned lines;
        size_t length;
        MkSmtpReplyState state;
    } cases[] = {
        { MK_LIMIT_SMTP_REPLY_LINES, 10, MK_SMTP_REPLY_READY },
        { MK_LIMIT_SMTP_REPLY_LINES + 1, 10, MK_SMTP_REPLY_BAD },
        { 1, MK_LIMIT_SMTP_COMMAND_BYTES - 6, MK_SMTP_REPLY_READY },
        { 1, MK_LIMIT_SMTP_COMMAND_BYTES - 5, MK_SMTP_REPLY_BAD },
        { 8, MK_LIMIT_SMTP_REPLY_BYTES / 8 - 4, MK_SMTP_REPLY_READY },
        { 8, MK_LIMIT_SMTP_REPLY_BYTES / 8 - 3, MK_SMTP_REPLY_BAD },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *shown = NULL;

        g_assert_cmpint(feed_lines(cases[i].lines, cases[i].length, &shown), ==, cases[i].state);
        g_assert_true(shown == NULL || strlen(shown) <= MK_LIMIT_SMTP_REPLY_SHOWN_BYTES);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/smtp/client-reply/replies", test_replies);
    g_test_add_func("/smtp/client-reply/one-after-the-other", test_one_after_the_other);
    g_test_add_func("/smtp/client-reply/limits", test_limits);
    return g_test_run();
}
