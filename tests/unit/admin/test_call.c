/*
 * test_call.c - the arguments of a call: names, presence, types, and what handlers get of them
 */
#include <string.h>

#include "fixture.h"

static bool handle_nothing(Call *call, GError **error)
{
    (void) call;
    (void) error;
    return true;
}

static bool handle_failure(Call *call, GError **error)
{
    (void) call;
    return mk_fail(error, MK_ERROR_EXISTS, "It is there.");
}

static const Function sample = {
    "Sample",
    handle_nothing,
    FOR_ADMINS,
    false,
    { { "userName", ARG_STRING, false },
      { "id", ARG_NUMBER, true },
      { "raw", ARG_BOOL, true },
      { "config", ARG_JSON, true },
      { "list", ARG_STRING, true } },
};

static Fixture fixture;

/* NULL and *error, or the call. */
static Call *make_call(const Function *function, const char *form, GError **error)
{
    GHashTable *arguments = mk_http_parse_form(form, strlen(form), NULL);

    g_assert_nonnull(arguments);
    return admin_call_new(fixture.admin, function, fixture.system, arguments, error);
}

static void test_checks(void)
{
    static const struct {
        const char *form;
        const char *message; /* NULL = good */
    } cases[] = {
        { "userName=lisa", NULL },
        { "userName=", NULL }, /* the handler's own affair */
        { "", "Missing API argument userName." },
        { "id=1", "Missing API argument userName." },
        { "username=lisa", "Unknown API argument username for Sample." }, /* AD-04: case counts */
        { "userName=lisa&more=1", "Unknown API argument more for Sample." },
        { "userName=lisa&a%20b=1", "Unknown API argument (not a name) for Sample." },
        { "userName=lisa&%C3%A4=1", "Unknown API argument (not a name) for Sample." },
        { "userName=lisa&=1", "Unknown API argument (not a name) for Sample." },
        { "userName=lisa&id=0", NULL },
        { "userName=lisa&id=-12", NULL },
        { "userName=lisa&id=", NULL }, /* left out */
        { "userName=lisa&id=1x", "API argument id must be a number." },
        { "userName=lisa&id=%201", "API argument id must be a number." },
        { "userName=lisa&id=%2B1", "API argument id must be a number." },
        { "userName=lisa&id=-", "API argument id must be a number." },
        { "userName=lisa&id=1.5", "API argument id must be a number." },
        { "userName=lisa&id=0x10", "API argument id must be a number." },
        { "userName=lisa&id=99999999999999999999", "API argument id must be a number." },
        { "userName=lisa&id=-99999999999999999999", "API argument id must be a number." },
        { "userName=lisa&raw=true", NULL },
        { "userName=lisa&raw=False", NULL },
        { "userName=lisa&raw=TRUE", NULL },
        { "userName=lisa&raw=", NULL },
        { "userName=lisa&raw=1", "API argument raw must be true or false." },
        { "userName=lisa&raw=yes", "API argument raw must be true or false." },
        { "userName=lisa&config=%7B%22a%22%3A%5B1%5D%7D", NULL },
        { "userName=lisa&config=%7B%22a%22%3A", "API argument config must be JSON." },
        { "userName=lisa&config=%7B%7D%7B%7D", "API argument config must be JSON." },
        { "userName=lisa&config=", NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Call) call = make_call(&sample, cases[i].form, &error);

        g_test_message("%s", cases[i].form);
        if (cases[i].message == NULL) {
            g_assert_no_error(error);
            g_assert_nonnull(call);
        } else {
            g_assert_null(call);
            g_assert_error(error, MK_ERROR, MK_ERROR_INVALID);
            g_assert_cmpstr(error->message, ==, cases[i].message);
        }
    }
}

static void test_values(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Call) call = make_call(
        &sample, "userName=J%C3%B6rg+K&id=-9000000000&raw=True&list=a%2C+b%2C%2C+c+d%2C", &error);
    g_auto(GStrv) list = NULL;

    g_assert_no_error(error);
    g_assert_cmpstr(admin_call_string(call, "userName"), ==, "Jörg K");
    g_assert_cmpint(admin_call_number(call, "id", 7), ==, -9000000000);
    g_assert_true(admin_call_bool(call, "raw", false));
    g_assert_null(admin_call_string(call, "config"));
    list = admin_call_list(call, "list");
    g_assert_cmpuint(g_strv_length(list), ==, 3);
    g_assert_cmpstr(list[0], ==, "a");
    g_assert_cmpstr(list[1], ==, "b");
    g_assert_cmpstr(list[2], ==, "c d");
    g_assert_true(admin_call_archive(call) == fixture.archive);
}

static void test_left_out(void)
{
    const char *const forms[] = { "userName=lisa", "userName=lisa&id=&raw=&config=&list=" };

    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        g_autoptr(Call) call = make_call(&sample, forms[i], NULL);
        g_auto(GStrv) list = admin_call_list(call, "list");

        g_assert_cmpint(admin_call_number(call, "id", 7), ==, 7);
        g_assert_true(admin_call_bool(call, "raw", true));
        g_assert_false(admin_call_bool(call, "raw", false));
        g_assert_null(admin_call_text(call, "list"));
        g_assert_cmpuint(g_strv_length(list), ==, 0);
    }
}

static void test_run(void)
{
    Function failing = sample;
    g_autoptr(Call) good = make_call(&sample, "userName=lisa", NULL);
    g_autoptr(Call) bad = NULL;

    failing.handler = handle_failure;
    bad = make_call(&failing, "userName=lisa", NULL);
    admin_call_run(good);
    g_assert_no_error(good->error);
    admin_call_run(bad);
    g_assert_error(bad->error, MK_ERROR, MK_ERROR_EXISTS);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    fixture_setup();
    fixture_init(&fixture, NULL);
    g_test_add_func("/admin/call/checks", test_checks);
    g_test_add_func("/admin/call/values", test_values);
    g_test_add_func("/admin/call/left-out", test_left_out);
    g_test_add_func("/admin/call/run", test_run);
    status = g_test_run();
    fixture_clear(&fixture);
    return status;
}
