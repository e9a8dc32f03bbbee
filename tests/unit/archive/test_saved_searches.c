/* test_saved_searches.c - criteria under names, each user's own */
#include <string.h>

#include <mailkeep/limits.h>

#include "fixture.h"

static uint32_t put(Fixture *f, const MkPrincipal *who, uint32_t id, const char *name,
                    const char *criteria, GError **error)
{
    uint32_t out = 0;

    mk_archive_saved_search_put(f->archive, who, id, name, criteria, &out, error);
    return out;
}

/* "name=criteria,..." in the order of the list */
static char *listed(Fixture *f, const MkPrincipal *who)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) list = mk_archive_saved_searches(f->archive, who, &error);
    GString *text = g_string_new(NULL);

    g_assert_no_error(error);
    for (guint i = 0; i < list->len; i++) {
        const MkSavedSearch *search = list->pdata[i];

        g_assert_cmpint(search->changed_unix_ms, >, 0);
        g_string_append_printf(text, "%s%s=%s", i > 0 ? "," : "", search->name, search->criteria);
    }
    return g_string_free(text, FALSE);
}

static void assert_listed(Fixture *f, const MkPrincipal *who, const char *wanted)
{
    g_autofree char *text = listed(f, who);

    g_assert_cmpstr(text, ==, wanted);
}

static void test_own(void)
{
    g_autoptr(MkPrincipal) anna = NULL, bert = NULL;
    g_autoptr(GError) error = NULL;
    uint32_t first, second;
    Fixture f;

    fixture_init(&f);
    fixture_add_user(&f, "anna", "login", "");
    fixture_add_user(&f, "bert", "login", "");
    fixture_set_password(&f, "anna");
    fixture_set_password(&f, "bert");
    anna = fixture_login(&f, "anna");
    bert = fixture_login(&f, "bert");
    first = put(&f, anna, 0, "Zwei", "{}", &error);
    second = put(&f, anna, 0, "Eins", "{\"q\":\"x\"}", &error);
    g_assert_no_error(error);
    g_assert_cmpuint(put(&f, bert, 0, "Zwei", "{}", &error), !=, 0); /* another user's */
    assert_listed(&f, anna, "Eins={\"q\":\"x\"},Zwei={}");
    put(&f, anna, first, "ZWEI", "{\"a\":1}", &error); /* its own name in another case */
    g_assert_no_error(error);
    put(&f, anna, first, "eins", "{}", &error);
    g_assert_error(error, MK_ERROR, MK_ERROR_EXISTS);
    g_clear_error(&error);
    put(&f, bert, first, "Drei", "{}", &error);
    g_assert_error(error, MK_ERROR, MK_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_false(mk_archive_saved_search_delete(f.archive, bert, second, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_NOT_FOUND);
    g_clear_error(&error);
    fixture_reopen(&f);
    assert_listed(&f, anna, "Eins={\"q\":\"x\"},ZWEI={\"a\":1}");
    g_assert_true(mk_archive_saved_search_delete(f.archive, anna, second, NULL));
    g_assert_cmpuint(put(&f, anna, 0, "Neu", "{}", NULL), >, second); /* numbers never come again */
    g_assert_true(mk_archive_user_delete(f.archive, "anna", NULL));
    g_assert_null(mk_archive_saved_searches(f.archive, anna, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_AUTH);
    assert_listed(&f, bert, "Zwei={}");
    fixture_clear(&f);
}

static void test_limits(void)
{
    g_autofree char *long_name = g_strnfill(MK_LIMIT_SAVED_SEARCH_NAME_BYTES + 1, 'n');
    g_autofree char *long_text = g_strnfill(MK_LIMIT_SAVED_SEARCH_BYTES + 1, ' ');
    const struct {
        const char *name;
        const char *criteria;
        MkErrorCode code;
    } cases[] = {
        { "", "{}", MK_ERROR_INVALID },      { long_name, "{}", MK_ERROR_INVALID },
        { "a\nb", "{}", MK_ERROR_INVALID },  { " a", "{}", MK_ERROR_INVALID },
        { "a\xff", "{}", MK_ERROR_INVALID }, { "a", long_text, MK_ERROR_LIMIT },
        { "a", "{\xff}", MK_ERROR_INVALID },
    };
    Fixture f;

    fixture_init(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_cmpuint(put(&f, f.system, 0, cases[i].name, cases[i].criteria, &error), ==, 0);
        g_assert_error(error, MK_ERROR, (int) cases[i].code);
    }
    for (int i = 0; i < MK_LIMIT_SAVED_SEARCHES; i++) {
        g_autofree char *name = g_strdup_printf("%d", i);

        g_assert_cmpuint(put(&f, f.system, 0, name, "{}", NULL), !=, 0);
    }
    g_assert_cmpuint(put(&f, f.system, 0, "one more", "{}", NULL), ==, 0);
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_setup();
    g_test_add_func("/saved-searches/own", test_own);
    g_test_add_func("/saved-searches/limits", test_limits);
    return g_test_run();
}
