/* test_totp.c - vectors of RFC 6238 and RFC 4648, the window, and each step once */
#include <string.h>

#include "archive/internal.h"

/* RFC 6238 appendix B: the secret is "12345678901234567890". */
static const uint8_t rfc_secret[20] = "12345678901234567890";

static void test_rfc6238(void)
{
    static const struct {
        int64_t unix_s;
        const char *code;
    } vectors[] = {
        { 59, "94287082" },         { 1111111109, "07081804" }, { 1111111111, "14050471" },
        { 1234567890, "89005924" }, { 2000000000, "69279037" }, { 20000000000, "65353130" },
    };
    char code[9];

    for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
        uint64_t step = totp_step(vectors[i].unix_s * 1000);

        totp_format(rfc_secret, sizeof rfc_secret, step, 8, code);
        g_assert_cmpstr(code, ==, vectors[i].code);
        totp_format(rfc_secret, sizeof rfc_secret, step, 6, code);
        g_assert_cmpstr(code, ==, vectors[i].code + 2);
    }
}

/* RFC 4226 appendix D: by counter. */
static void test_rfc4226(void)
{
    static const char *const codes[] = { "755224", "287082", "359152", "969429", "338314",
                                         "254676", "287922", "162583", "399871", "520489" };
    char code[7];

    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
        totp_format(rfc_secret, sizeof rfc_secret, i, 6, code);
        g_assert_cmpstr(code, ==, codes[i]);
    }
}

/* RFC 4226 appendix D again: 0 to 9 are the counters' codes. */
static void test_window(void)
{
    static const struct {
        const char *code;
        uint64_t now_step, last_step, found; /* 0 = not taken */
    } cases[] = {
        { "254676", 5, 0, 5 }, { "254676", 4, 0, 5 }, { "254676", 6, 0, 5 },
        { "254676", 3, 0, 0 }, { "254676", 7, 0, 0 }, /* two steps off */
        { "254676", 5, 5, 0 },                        /* once */
        { "338314", 5, 5, 0 },                        /* and never an earlier one */
        { "287922", 5, 5, 6 }, { "254677", 5, 0, 0 }, { "000000", 5, 0, 0 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint64_t step = 0;
        bool good = totp_check(rfc_secret, sizeof rfc_secret, cases[i].code, cases[i].now_step,
                               cases[i].last_step, &step);

        g_test_message("case %zu", i);
        g_assert_cmpint(good, ==, cases[i].found != 0);
        g_assert_cmpuint(step, ==, cases[i].found);
    }
}

/* RFC 4648 10, without padding. */
static void test_base32(void)
{
    static const char *const vectors[][2] = {
        { "", "" },
        { "f", "MY" },
        { "fo", "MZXQ" },
        { "foo", "MZXW6" },
        { "foob", "MZXW6YQ" },
        { "fooba", "MZXW6YTB" },
        { "foobar", "MZXW6YTBOI" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autofree char *text =
            base32_format((const uint8_t *) vectors[i][0], strlen(vectors[i][0]));

        g_assert_cmpstr(text, ==, vectors[i][1]);
    }
}

static void test_typed(void)
{
    static const char *const cases[][2] = {
        { "MZXW6YTBOI23", "MZXW6YTBOI23" },
        { "mzxw-6ytb-oi23", "MZXW6YTBOI23" },
        { " mzxw 6ytb oi23 ", "MZXW6YTBOI23" },
        { "mzxw6ytb0123", "MZXW6YTBOL23" }, /* 0 for O, 1 for L */
        { "mzxw6yt80i23", "MZXW6YTBOI23" }, /* 8 for B */
        { "mzxw-6ytb-oi2", NULL },
        { "mzxw-6ytb-oi234", NULL },
        { "mzxw-6ytb-oi2!", NULL },
        { "mzxw-6ytb-oi2\xc3\xa4", NULL },
        { "", NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *read = base32_read(cases[i][0], 12);

        g_assert_cmpstr(read, ==, cases[i][1]);
    }
}

static void test_random(void)
{
    g_autofree char *one = base32_random(12);
    g_autofree char *other = base32_random(12);
    g_autofree char *grouped = base32_group(one, 4);
    g_autofree char *read = base32_read(grouped, 12);

    g_assert_cmpuint(strlen(one), ==, 12);
    g_assert_cmpstr(one, !=, other);
    g_assert_cmpuint(strlen(grouped), ==, 14);
    g_assert_cmpstr(read, ==, one);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(mk_crypto_init(NULL));
    g_test_add_func("/archive/totp/rfc6238", test_rfc6238);
    g_test_add_func("/archive/totp/rfc4226", test_rfc4226);
    g_test_add_func("/archive/totp/window", test_window);
    g_test_add_func("/archive/base32/rfc4648", test_base32);
    g_test_add_func("/archive/base32/typed", test_typed);
    g_test_add_func("/archive/base32/random", test_random);
    return g_test_run();
}
