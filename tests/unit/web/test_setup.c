/* test_setup.c - the first start: how often may be guessed, and which groups fit */
#include <string.h>

#include <mailkeep/limits.h>

#include "web/setup.h"

static void test_throttle(void)
{
    SetupThrottle throttle;

    setup_throttle_init(&throttle);
    for (int i = 0; i < MK_LIMIT_SETUP_CLAIMS; i++)
        g_assert_true(setup_throttle_try(&throttle, "192.0.2.1", 1000000));
    g_assert_false(setup_throttle_try(&throttle, "192.0.2.1", 1000001));
    g_assert_true(setup_throttle_try(&throttle, "192.0.2.2", 1000001));
    g_assert_false(setup_throttle_try(&throttle, "192.0.2.1", 999999 + MK_LIMIT_SETUP_WINDOW_MS));
    g_assert_true(setup_throttle_try(&throttle, "192.0.2.1", 1000000 + MK_LIMIT_SETUP_WINDOW_MS));
    setup_throttle_clear(&throttle);
}

static void test_throttle_is_bounded(void)
{
    SetupThrottle throttle;

    setup_throttle_init(&throttle);
    for (int i = 0; i < MK_LIMIT_SETUP_TRACKED; i++) {
        g_autofree char *address = g_strdup_printf("2001:db8::%x", (unsigned) i);
        g_assert_true(setup_throttle_try(&throttle, address, 1000000));
    }
    g_assert_false(setup_throttle_try(&throttle, "2001:db8:1::", 1000000));
    g_assert_true(setup_throttle_try(&throttle, "2001:db8::0", 1000000)); /* known, and not often */
    setup_throttle_clear(&throttle);
}

static const char recovery[] = "AB01-0011-CDEF-GH22-7XYZ";

static void test_groups(void)
{
    static const struct {
        unsigned group;
        const char *answer;
        bool fits;
    } cases[] = {
        { 1, "AB01", true },
        { 1, "ab01", true },
        { 1, " a b 0 1 ", true },
        { 1, "ABO1", true },
        { 1, "ABOI", true },
        { 1, "abol", true },
        { 2, "OOIL", true },
        { 5, "7xyz", true },
        { 1, "AB0", false },
        { 1, "AB011", false },
        { 1, "", false },
        { 1, "0011", false },
        { 5, "7xy", false },
        { 6, "", false },
        { 0, "AB01", false },
        { 1, "AB01-", false },
        { 1, "AB01-0011", false },
        { 1,
          "\xc3\x84"
          "B01",
          false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%u %s", cases[i].group, cases[i].answer);
        g_assert_cmpint(setup_recovery_fits(recovery, cases[i].group, cases[i].answer), ==,
                        cases[i].fits);
    }
}

/* Each is asked for at some time, and never one twice. */
static void test_asked(void)
{
    bool seen[6] = { false };
    unsigned asked[SETUP_ASKED];

    for (int i = 0; i < 1000; i++) {
        setup_recovery_ask(recovery, asked);
        g_assert_cmpuint(asked[0], >=, 1);
        g_assert_cmpuint(asked[0], <, asked[1]);
        g_assert_cmpuint(asked[1], <=, 5);
        seen[asked[0]] = seen[asked[1]] = true;
    }
    for (int group = 1; group <= 5; group++)
        g_assert_true(seen[group]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(mk_crypto_init(NULL));
    g_test_add_func("/setup/throttle", test_throttle);
    g_test_add_func("/setup/throttle-bounded", test_throttle_is_bounded);
    g_test_add_func("/setup/groups", test_groups);
    g_test_add_func("/setup/asked", test_asked);
    return g_test_run();
}
