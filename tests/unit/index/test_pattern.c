#include <string.h>

#include "index/query.h"

static const struct {
    const char *pattern;
    const char *text;
    bool matches;
} cases[] = {
    { "auto*", "auto", true },
    { "auto*", "automatisch", true },
    { "auto*", "aut", false },
    { "*auto", "auto", true },
    { "*auto", "laufauto", true },
    { "*auto", "autos", false },
    { "me?er", "meier", true },
    { "me?er", "meyer", true },
    { "me?er", "meer", false },
    { "me?er", "meiier", false },
    { "m?ller", "müller", true }, /* one character, two octets */
    { "m??ller", "müller", false },
    { "?*", "", false },
    { "a*b*c", "axxbxxbxxc", true },
    { "a*b*c", "axxbxxbxx", false },
    { "*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
    { "*", "x", true },
    { "a*?c", "ac", false },
    { "a*?c", "abc", true },
    { "漢*字", "漢x字", true },
};

static void test_table(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_true(mk_pattern_match(cases[i].pattern, strlen(cases[i].pattern), cases[i].text,
                                       strlen(cases[i].text)) == cases[i].matches);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/index/pattern/table", test_table);
    return g_test_run();
}
