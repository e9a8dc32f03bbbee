/* test_log.c - the line on standard error: form, quoting, level, length */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <mailkeep/log.h>

static int pipe_ends[2];
static int saved_stderr;

static void capture_begin(void)
{
    g_assert_cmpint(pipe(pipe_ends), ==, 0);
    saved_stderr = dup(STDERR_FILENO);
    dup2(pipe_ends[1], STDERR_FILENO);
    close(pipe_ends[1]);
}

static char *capture_end(void)
{
    char buffer[65536];
    ssize_t length;

    fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK);
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    length = read(pipe_ends[0], buffer, sizeof buffer);
    close(pipe_ends[0]);
    return g_strndup(buffer, length > 0 ? (gsize) length : 0);
}

/* What follows the time stamp of the one line logged with this value. */
static char *logged_value(const char *value)
{
    g_autofree char *line = NULL;

    capture_begin();
    mk_log_info("test.event", "key", value);
    line = capture_end();
    g_assert_true(g_regex_match_simple("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z "
                                       "info test\\.event key=.*\\n$",
                                       line, 0, 0));
    return g_strndup(strstr(line, "key=") + 4, strlen(strstr(line, "key=") + 4) - 1);
}

static void test_values_are_quoted(void)
{
    static const struct {
        const char *value, *logged;
    } cases[] = {
        { "plain-1.2/x:[::1]", "plain-1.2/x:[::1]" },
        { "", "\"\"" },
        { "two words", "\"two words\"" },
        { "a=b", "\"a=b\"" },
        { "say \"x\"", "\"say \\\"x\\\"\"" },
        { "back\\slash", "\"back\\\\slash\"" },
        { "line\r\nbreak", "\"line\\x0d\\x0abreak\"" },
        { "\x1b[31m", "\"\\x1b[31m\"" },
        { "Gr\xc3\xbc\xc3\x9f", "\"Gr\xc3\xbc\xc3\x9f\"" },
        { "bad\xff", "\"bad\\xff\"" },
        { "c1\xc2\x9b", "\"c1\\xc2\\x9b\"" },
        { NULL, "-" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *logged = logged_value(cases[i].value);

        g_assert_cmpstr(logged, ==, cases[i].logged);
    }
}

static void test_long_values_are_cut(void)
{
    g_autofree char *value = g_strnfill(100000, 'x');
    g_autofree char *logged = logged_value(value);

    g_assert_cmpuint(strlen(logged), ==, 1000);
}

static void test_numbers_and_pairs(void)
{
    g_autofree char *line = NULL;

    capture_begin();
    mk_log_warn("a.b", "n", MK_LOG_U64(UINT64_MAX), "m", MK_LOG_U64(0));
    line = capture_end();
    g_assert_true(g_str_has_suffix(line, " warn a.b n=18446744073709551615 m=0\n"));
}

static void test_level_hides(void)
{
    g_autofree char *line = NULL;
    MkLogLevel level;

    g_assert_true(mk_log_level_parse("error", &level));
    mk_log_set_level(level);
    capture_begin();
    mk_log_warn("a.b");
    line = capture_end();
    mk_log_set_level(MK_LOG_INFO);
    g_assert_cmpstr(line, ==, "");
    g_assert_false(mk_log_level_parse("loud", &level));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/log/values_are_quoted", test_values_are_quoted);
    g_test_add_func("/base/log/long_values_are_cut", test_long_values_are_cut);
    g_test_add_func("/base/log/numbers_and_pairs", test_numbers_and_pairs);
    g_test_add_func("/base/log/level_hides", test_level_hides);
    return g_test_run();
}
