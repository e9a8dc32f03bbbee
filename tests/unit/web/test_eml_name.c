/* test_eml_name.c - file names that fit every system, and differ */
#include <string.h>

#include <mailkeep/limits.h>

#include "web/internal.h"

#define DAY_MS INT64_C(1767323045000) /* 2026-01-02T03:04:05Z */

static char *name_of(const char *subject, int64_t date_unix_ms, GHashTable *taken)
{
    MkFoundMail mail = { .subject = (char *) subject, .date_unix_ms = date_unix_ms };

    return web_eml_name(&mail, taken);
}

static void test_names(void)
{
    static const struct {
        const char *subject, *want;
        int64_t date_unix_ms;
    } cases[] = {
        { "Angebot 4711", "2026-01-02 Angebot 4711.eml", DAY_MS },
        { "", "2026-01-02.eml", DAY_MS },
        { "CON", "undated CON.eml", 0 },
        { "a/b\\c:d*e?f\"g<h>i|j", "2026-01-02 a_b_c_d_e_f_g_h_i_j.eml", DAY_MS },
        { "../..", "2026-01-02 .._.eml", DAY_MS },
        { "  two \t\n words . .", "2026-01-02 two words.eml", DAY_MS },
        { "invoice\xe2\x80\xaexcod.exe", "2026-01-02 invoice_xcod.exe.eml", DAY_MS },
        { "u\xcc\x88", "2026-01-02 \xc3\xbc.eml", DAY_MS },
        { "\xff", "2026-01-02 _.eml", DAY_MS },
        { "before 1970", "1969-12-31 before 1970.eml", -1000 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        g_autofree char *name = name_of(cases[i].subject, cases[i].date_unix_ms, taken);

        g_assert_cmpstr(name, ==, cases[i].want);
    }
}

static void test_length(void)
{
    g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GString) subject = g_string_new(NULL);

    for (int i = 0; i < 200; i++)
        g_string_append(subject, "\xf0\x9f\x98\x80");
    for (int i = 0; i < 3; i++) {
        g_autofree char *name = name_of(subject->str, DAY_MS, taken);

        g_assert_true(g_utf8_validate(name, -1, NULL));
        g_assert_cmpuint(strlen(name), <=, MK_LIMIT_ZIP_NAME_BYTES + strlen(" (2).eml"));
    }
}

/* Windows and macOS take names that differ in case for one. */
static void test_no_two_alike(void)
{
    g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    static const char *const cases[][2] = {
        { "x", "2026-01-02 x.eml" },
        { "X", "2026-01-02 X (2).eml" },
        { "x (2)", "2026-01-02 x (2) (2).eml" },
        { "x", "2026-01-02 x (3).eml" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = name_of(cases[i][0], DAY_MS, taken);

        g_assert_cmpstr(name, ==, cases[i][1]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/web/eml-name/names", test_names);
    g_test_add_func("/web/eml-name/length", test_length);
    g_test_add_func("/web/eml-name/no-two-alike", test_no_two_alike);
    return g_test_run();
}
