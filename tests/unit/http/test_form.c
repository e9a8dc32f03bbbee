/* test_form.c - percent-encoding and forms; values from the WHATWG URL standard, 5.1 */
#include <string.h>

#include <mailkeep/limits.h>

#include "http/internal.h"

static const struct {
    const char *text;
    const char *name; /* NULL: ill-formed */
    const char *value;
} forms[] = {
    { "a=b", "a", "b" },
    { "a=b&c=d", "c", "d" },
    { "a=1&a=2", "a", "2" }, /* the last of several */
    { "a", "a", "" },
    { "a=", "a", "" },
    { "=b", "", "b" },
    { "&&a=b&", "a", "b" },
    { "a=b=c", "a", "b=c" },
    { "a+b=c+d", "a b", "c d" },
    { "a=%2B%26%3d", "a", "+&=" },
    { "a=%C3%A4", "a", "\xc3\xa4" },
    { "a=\xc3\xa4", "a", "\xc3\xa4" },
    { "a=%0D%0A", "a", "\r\n" },
    { "a=%", NULL, NULL },
    { "a=%2", NULL, NULL },
    { "a=%zz", NULL, NULL },
    { "a=%00", NULL, NULL },
    { "a=%ff", NULL, NULL },
    { "a=%C3", NULL, NULL },
    { "a=%ED%A0%80", NULL, NULL }, /* a surrogate */
};

static void test_forms(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GHashTable) form =
            mk_http_parse_form(forms[i].text, strlen(forms[i].text), &error);
        g_test_message("%s", forms[i].text);
        if (forms[i].name == NULL) {
            g_assert_null(form);
            g_assert_error(error, MK_ERROR, MK_ERROR_INVALID);
            continue;
        }
        g_assert_no_error(error);
        g_assert_cmpstr(g_hash_table_lookup(form, forms[i].name), ==, forms[i].value);
    }
}

static void test_nul(void)
{
    g_assert_null(mk_http_parse_form("a=\0b", 4, NULL));
}

static void test_limit(void)
{
    for (unsigned extra = 0; extra < 2; extra++) {
        g_autoptr(GString) text = g_string_new(NULL);
        for (unsigned i = 0; i < MK_LIMIT_HTTP_FORM_FIELDS + extra; i++)
            g_string_append_printf(text, "a%u=b&", i);
        g_autoptr(GHashTable) form = mk_http_parse_form(text->str, text->len, NULL);
        g_assert_cmpint(form != NULL, ==, extra == 0);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http/form/table", test_forms);
    g_test_add_func("/http/form/nul", test_nul);
    g_test_add_func("/http/form/limit", test_limit);
    return g_test_run();
}
