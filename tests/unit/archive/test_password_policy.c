/* test_password_policy.c - US-04 and US-05, word for word */
#include <mailkeep/archive.h>

#include <string.h>

typedef struct {
    const char *user;
    const char *password;
    bool good;
    const char *why;
} Case;

static const Case cases[] = {
    { "anna", "Abcdefgh12", true, "ten characters of three kinds" },
    { "anna", "Abcdefgh1", false, "nine characters" },
    { "anna", "abcdefgh12", false, "two kinds" },
    { "anna", "ABCDEFGH12", false, "two kinds" },
    { "anna", "abcdefgh1!", true, "lower, digit, special" },
    { "anna", "ABCDEF GHIJ1", true, "the blank is a special" },
    { "anna", "Abcdef ghijk", true, "upper, lower, blank" },
    { "anna", "Xanna-12345", false, "holds the user name" },
    { "anna", "XANNA-12345z", false, "holds the user name in capitals" },
    { "anna", "Zz9-Mailkeep-1", false, "holds the product's name" },
    { "anna", "Zz9-mAiLsToRe-1", false, "holds the original's name" },
    { "anna", "Aabbccddee11", true, "each character twice in a row" },
    { "anna", "Aaabbb-12345", false, "b three times in a row" },
    { "anna", "111Abcdefgh", false, "1 three times in a row" },
    { "anna", "A1a1a1a1a1a1", true, "three times, not in a row" },
    /* letters such as Ä count for no class */
    { "anna", "ÄÖÜäöüßÄÖÜ1a", false, "umlauts are no class: lower and digit" },
    { "anna", "Äbcdefgh12", false, "the only capital is an umlaut" },
    { "anna", "ÄBcdefgh12", true, "an umlaut beside three kinds" },
    /* letters without upper and lower case are the fifth */
    { "anna", "パスワードabc12", true, "Japanese, lower, digit" },
    { "anna", "中文密码一二三四五六", false, "one kind" },
    { "anna", "中文密码一二三四aB", true, "uncased, lower, upper" },
    { "anna", "ЖЖщщЖЖщщЖЖ1a", false, "Cyrillic has case and counts for no class" },
    { "anna", "Abcdefg\t12x", false, "control character" },
};

static void test_cases(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        g_test_message("%s: %s", cases[i].password, cases[i].why);
        g_assert_true(mk_password_policy_check(cases[i].user, cases[i].password, &error) ==
                      cases[i].good);
        if (!cases[i].good)
            g_assert_error(error, MK_ERROR, MK_ERROR_INVALID);
    }
}

/* The list of US-05, and the blank: each makes the third kind. */
static void test_specials(void)
{
    static const char specials[] = "!\"#$%&'()*+,-./:;<=>?\\[]@^_`{|}~ ";

    g_assert_cmpuint(strlen(specials), ==, 33);
    for (const char *p = specials; *p != '\0'; p++) {
        g_autofree char *password = g_strdup_printf("abcde%cfgh12", *p);

        g_assert_true(mk_password_policy_check("anna", password, NULL));
    }
}

static void test_long(void)
{
    g_autoptr(GString) password = g_string_new("A-");

    while (password->len < 1023)
        g_string_append(password, "x1");
    g_assert_true(mk_password_policy_check("anna", password->str, NULL));
    g_string_append(password, "y");
    g_assert_false(mk_password_policy_check("anna", password->str, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/password-policy/cases", test_cases);
    g_test_add_func("/password-policy/specials", test_specials);
    g_test_add_func("/password-policy/long", test_long);
    return g_test_run();
}
