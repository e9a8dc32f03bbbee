/* test_error.c - codes from errno, names, messages */
#include <errno.h>

#include <mailkeep/error.h>

static void test_errno_gives_code(void)
{
    static const struct {
        int errnum;
        MkErrorCode code;
    } cases[] = {
        { ENOSPC, MK_ERROR_NO_SPACE },
        { EDQUOT, MK_ERROR_NO_SPACE },
        { ENOENT, MK_ERROR_NOT_FOUND },
        { EEXIST, MK_ERROR_EXISTS },
        { EACCES, MK_ERROR_DENIED },
        { EPERM, MK_ERROR_DENIED },
        { ETIMEDOUT, MK_ERROR_TIMEOUT },
        { ECONNRESET, MK_ERROR_NETWORK },
        { EPIPE, MK_ERROR_NETWORK },
        { EADDRINUSE, MK_ERROR_NETWORK },
        { ECANCELED, MK_ERROR_CANCELLED },
        { EIO, MK_ERROR_IO },
        { EBADF, MK_ERROR_IO },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(mk_fail_errno(&error, cases[i].errnum, "open %s", "x"));
        g_assert_cmpint(mk_error_code(error), ==, cases[i].code);
        g_assert_true(g_str_has_prefix(error->message, "open x: "));
    }
}

static void test_fail_takes_null(void)
{
    g_assert_false(mk_fail(NULL, MK_ERROR_BUSY, "nobody hears"));
    g_assert_false(mk_fail_errno(NULL, EIO, "nobody hears"));
}

static void test_hint_is_carried(void)
{
    g_autoptr(GError) error = NULL;
    unsigned number = 99;

    g_assert_null(mk_error_hint(NULL, &number));
    g_assert_cmpuint(number, ==, 0);
    g_assert_false(mk_fail_hint(&error, MK_ERROR_INVALID, "query-mark", 3, "Word %d", 3));
    g_autoptr(GError) copy = g_error_copy(error);
    g_assert_cmpstr(mk_error_hint(copy, &number), ==, "query-mark");
    g_assert_cmpuint(number, ==, 3);
    g_assert_cmpstr(copy->message, ==, "Word 3");
    g_assert_false(mk_fail_hint(NULL, MK_ERROR_INVALID, "query-mark", 3, "nobody hears"));
}

static void test_other_errors_have_no_hint(void)
{
    g_autoptr(GError) plain = NULL;
    g_autoptr(GError) foreign = g_error_new_literal(G_FILE_ERROR, G_FILE_ERROR_IO, "foreign");
    unsigned number = 99;

    mk_fail(&plain, MK_ERROR_INVALID, "plain");
    g_assert_null(mk_error_hint(plain, &number));
    g_assert_null(mk_error_hint(foreign, &number));
    g_assert_cmpuint(number, ==, 0);
}

static void test_foreign_error_is_internal(void)
{
    g_autoptr(GError) error = g_error_new_literal(g_quark_from_static_string("foreign"), 1, "x");

    g_assert_cmpint(mk_error_code(error), ==, MK_ERROR_INTERNAL);
    g_assert_cmpint(mk_error_code(NULL), ==, MK_ERROR_INTERNAL);
}

static void test_names_differ(void)
{
    g_assert_cmpstr(mk_error_name(MK_ERROR_NO_SPACE), ==, "no-space");
    for (int a = 0; a < MK_ERROR_INTERNAL; a++)
        for (int b = a + 1; b <= MK_ERROR_INTERNAL; b++)
            g_assert_cmpstr(mk_error_name((MkErrorCode) a), !=, mk_error_name((MkErrorCode) b));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/error/errno_gives_code", test_errno_gives_code);
    g_test_add_func("/base/error/fail_takes_null", test_fail_takes_null);
    g_test_add_func("/base/error/hint_is_carried", test_hint_is_carried);
    g_test_add_func("/base/error/other_errors_have_no_hint", test_other_errors_have_no_hint);
    g_test_add_func("/base/error/foreign_error_is_internal", test_foreign_error_is_internal);
    g_test_add_func("/base/error/names_differ", test_names_differ);
    return g_test_run();
}
