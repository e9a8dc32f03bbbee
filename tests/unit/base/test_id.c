/* test_id.c - random ids, mail ids, and the clock */
#include <string.h>

#include <mailkeep/base.h>

static void test_random_hex(void)
{
    char a[129], b[129];

    for (size_t bytes = 0; bytes <= 64; bytes++) {
        memset(a, 'z', sizeof a);
        mk_id_random_hex(a, bytes);
        g_assert_cmpuint(strlen(a), ==, 2 * bytes);
        g_assert_cmpuint(strspn(a, "0123456789abcdef"), ==, 2 * bytes);
    }
    mk_id_random_hex(b, 64);
    g_assert_cmpstr(a, !=, b);
}

static void test_mail_id_round_trip(void)
{
    static const char *const good[] = { "1:1", "0:7", "4294967295:4294967295", "12:3456" };

    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        MkMailId id;
        char text[24];

        g_assert_true(mk_mail_id_parse(good[i], &id));
        mk_mail_id_format(id, text);
        g_assert_cmpstr(text, ==, good[i]);
    }
}

static void test_mail_id_refuses(void)
{
    static const char *const bad[] = { "",
                                       ":",
                                       "1",
                                       "1:",
                                       ":1",
                                       "1:0",
                                       "01:1",
                                       "1:01",
                                       "1:1 ",
                                       " 1:1",
                                       "+1:1",
                                       "1:-1",
                                       "1:1:1",
                                       "a:1",
                                       "1:a",
                                       "1::1",
                                       "4294967296:1",
                                       "1:4294967296",
                                       "99999999999999999999:1" };

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        MkMailId id = { 7, 7 };

        g_assert_false(mk_mail_id_parse(bad[i], &id));
        g_assert_cmpuint(id.number, ==, 7); /* results only on success */
    }
}

static void test_format_utc(void)
{
    static const struct {
        int64_t unix_ms;
        const char *text;
    } cases[] = {
        /* from `date -u -d @N` */
        { 0, "1970-01-01T00:00:00Z" },
        { 1767323045678, "2026-01-02T03:04:05Z" },
        { 951782400000, "2000-02-29T00:00:00Z" },
        { -1, "1969-12-31T23:59:59Z" },
        { -1000, "1969-12-31T23:59:59Z" },
    };
    char text[32];

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        mk_clock_format_utc(cases[i].unix_ms, text);
        g_assert_cmpstr(text, ==, cases[i].text);
    }
    mk_clock_format_utc(INT64_MAX, text);
    mk_clock_format_utc(INT64_MIN, text);
}

static void test_clocks_run(void)
{
    int64_t before = mk_clock_monotonic_ms();

    g_usleep(20000);
    g_assert_cmpint(mk_clock_monotonic_ms() - before, >=, 19);
    g_assert_cmpint(ABS(mk_clock_unix_ms() - g_get_real_time() / 1000), <, 1000);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/id/random_hex", test_random_hex);
    g_test_add_func("/base/id/mail_id_round_trip", test_mail_id_round_trip);
    g_test_add_func("/base/id/mail_id_refuses", test_mail_id_refuses);
    g_test_add_func("/base/clock/format_utc", test_format_utc);
    g_test_add_func("/base/clock/clocks_run", test_clocks_run);
    return g_test_run();
}
