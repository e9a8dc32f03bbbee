/* test_line.c - only CRLF ends a command line */
#include <string.h>

#include <mailkeep/limits.h>

#include "smtp/internal.h"

/* All lines of @data in reads of at most @step octets: "text|", "BARE|", "LONG|", "ENDLESS|". */
static char *lines_of(const char *data, size_t length, size_t step)
{
    GString *out = g_string_new(NULL);
    MkSmtpLine line;

    mk_smtp_line_init(&line);
    for (size_t at = 0; at < length;) {
        size_t used;

        switch (
            mk_smtp_line_feed(&line, (const uint8_t *) data + at, MIN(step, length - at), &used)) {
        case MK_SMTP_LINE_MORE: break;
        case MK_SMTP_LINE_READY:
            g_string_append_len(out, line.text, (gssize) line.length);
            g_string_append_c(out, '|');
            break;
        case MK_SMTP_LINE_BARE: g_string_append(out, "BARE|"); break;
        case MK_SMTP_LINE_TOO_LONG: g_string_append(out, "LONG|"); break;
        case MK_SMTP_LINE_ENDLESS:
            g_string_append(out, "ENDLESS|");
            used = length - at;
            break;
        }
        at += used;
    }
    mk_smtp_line_clear(&line);
    return g_string_free(out, FALSE);
}

static void assert_lines(const char *data, size_t length, const char *want)
{
    for (size_t step = 1; step <= length; step = step < 8 ? step + 1 : step * 2) {
        g_autofree char *got = lines_of(data, length, step);

        g_assert_cmpstr(got, ==, want);
    }
}

static void test_table(void)
{
    static const struct {
        const char *data, *want;
    } cases[] = {
        { "NOOP\r\n", "NOOP|" },
        { "NOOP\r\nQUIT\r\n", "NOOP|QUIT|" },
        { "\r\n\r\n", "||" },
        { "NOOP", "" },
        { "NOOP\r", "" },
        { "NOOP\nQUIT\r\nRSET\r\n", "BARE|RSET|" },
        { "NOOP\rQUIT\r\nRSET\r\n", "BARE|RSET|" },
        { "NOOP\n\r\nRSET\r\n", "BARE|RSET|" },
        { "NOOP\r\r\nRSET\r\n", "BARE|RSET|" },
        { "\nNOOP\r\nRSET\r\n", "BARE|RSET|" },
        { "NOOP\n\rQUIT\r\nRSET\r\n", "BARE|RSET|" },
        { "NOOP\n", "" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_lines(cases[i].data, strlen(cases[i].data), cases[i].want);
}

/* RFC 5321 §4.5.3.1.4 counts the CRLF. */
static void test_length(void)
{
    g_autofree char *fits = g_strnfill(MK_LIMIT_SMTP_COMMAND_BYTES - 2, 'x');
    g_autofree char *good = g_strconcat(fits, "\r\nNOOP\r\n", NULL);
    g_autofree char *good_want = g_strconcat(fits, "|NOOP|", NULL);
    g_autofree char *bad = g_strconcat("y", fits, "\r\nNOOP\r\n", NULL);
    g_autofree char *worse = g_strconcat(fits, fits, fits, "\nx\ry", "\r\nNOOP\r\n", NULL);

    assert_lines(good, strlen(good), good_want);
    assert_lines(bad, strlen(bad), "LONG|NOOP|");
    assert_lines(worse, strlen(worse), "LONG|NOOP|");
}

static void test_endless(void)
{
    size_t length = 40 * MK_LIMIT_SMTP_COMMAND_BYTES;
    static const char fill[] = { 'x', '\r', '\n' };

    for (size_t i = 0; i < sizeof fill; i++) {
        g_autofree char *data = g_strnfill(length, fill[i]);

        assert_lines(data, length, "ENDLESS|");
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/smtp/line/table", test_table);
    g_test_add_func("/smtp/line/length", test_length);
    g_test_add_func("/smtp/line/endless", test_endless);
    return g_test_run();
}
