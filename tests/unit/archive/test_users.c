/* test_users.c - users made, changed, renamed, deleted; rights; what a restart keeps */
#include "fixture.h"

static void assert_fails(bool ok, GError **error, MkErrorCode code)
{
    g_assert_false(ok);
    g_assert_error(*error, MK_ERROR, (gint) code);
    g_clear_error(error);
}

static void test_names(void)
{
    static const char *const bad[] = { "",    "a/b",  "a\\b", "a\"b", "a:b",      "a<b",
                                       "a>b", "a|b",  "a*b",  "a?b",  "@a",       " a",
                                       "a ",  "a\tb", "a\nb", "\xff", "\xc2\xa0z" };
    static const char *const good[] = {
        "anna", "Jürgen Müller", "a@b", "日本", "x.y-z_1", "o'brien"
    };
    g_autoptr(GError) error = NULL;
    g_autofree char *too_long = g_strnfill(257, 'x');
    Fixture f;

    fixture_init(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_fails(mk_archive_user_create(f.archive, bad[i], 0, &error), &error,
                     MK_ERROR_INVALID);
    assert_fails(mk_archive_user_create(f.archive, too_long, 0, &error), &error, MK_ERROR_INVALID);
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        mk_archive_user_create(f.archive, good[i], 0, &error);
        g_assert_no_error(error);
    }
    assert_fails(mk_archive_user_create(f.archive, "ANNA", 0, &error), &error, MK_ERROR_EXISTS);
    assert_fails(mk_archive_user_create(f.archive, "JÜRGEN müller", 0, &error), &error,
                 MK_ERROR_EXISTS);
    fixture_clear(&f);
}

static void test_admin(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *rights = NULL;
    MkUser *admin;
    MkFolderRights *own;
    Fixture f;

    fixture_init(&f);
    admin = mk_archive_user_get(f.archive, "Admin", &error);
    g_assert_no_error(error);
    g_assert_cmpstr(admin->user_name, ==, "admin");
    g_assert_cmpuint(admin->privileges, ==, MK_PRIVILEGE_ADMIN);
    g_assert_true(admin->has_password);
    g_assert_cmpuint(admin->folder_rights->len, ==, 1);
    own = admin->folder_rights->pdata[0];
    rights = mk_rights_format(own->rights);
    g_assert_cmpstr(own->folder, ==, "admin");
    g_assert_cmpstr(rights, ==, "read,write");
    mk_user_free(admin);
    fixture_clear(&f);
}

static void test_change_and_restart(void)
{
    const char *const addresses[] = { "anna@example.com", "A.Meier@Example.com", "anna@example.com",
                                      NULL };
    const char *const pop3[] = { "meier", NULL };
    const MkAuthentication directory = MK_AUTHENTICATION_DIRECTORY_SERVICES;
    MkUserChange change = { .full_name = "Anna Meier",
                            .distinguished_name = "cn=anna,dc=example",
                            .authentication = &directory,
                            .email_addresses = addresses,
                            .pop3_user_names = pop3 };
    g_autoptr(GError) error = NULL;
    MkUser *user;
    Fixture f;

    fixture_init(&f);
    mk_archive_user_create(f.archive, "anna", MK_PRIVILEGE_LOGIN, &error);
    g_assert_no_error(error);
    mk_archive_user_change(f.archive, "anna", &change, &error);
    g_assert_no_error(error);
    mk_archive_user_set_rights(f.archive, "anna", "admin", MK_RIGHT_READ, &error);
    g_assert_no_error(error);
    fixture_reopen(&f);
    user = mk_archive_user_get(f.archive, "ANNA", &error);
    g_assert_no_error(error);
    g_assert_cmpstr(user->user_name, ==, "anna");
    g_assert_cmpstr(user->full_name, ==, "Anna Meier");
    g_assert_cmpstr(user->distinguished_name, ==, "cn=anna,dc=example");
    g_assert_cmpint(user->authentication, ==, MK_AUTHENTICATION_DIRECTORY_SERVICES);
    g_assert_cmpuint(g_strv_length(user->email_addresses), ==, 2); /* once each */
    g_assert_cmpstr(user->email_addresses[1], ==, "A.Meier@Example.com");
    g_assert_cmpstr(user->pop3_user_names[0], ==, "meier");
    g_assert_cmpuint(user->privileges, ==, MK_PRIVILEGE_LOGIN);
    g_assert_cmpuint(user->folder_rights->len, ==, 1);
    g_assert_false(user->has_password);
    mk_user_free(user);
    fixture_clear(&f);
}

static void test_bad_addresses(void)
{
    static const char *const bad[] = { "anna",  "@example.com", "anna@", "a@b@c",
                                       "a b@c", "a@b,c@d",      "<a@b>", "" };
    g_autoptr(GError) error = NULL;
    Fixture f;

    fixture_init(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        const char *const list[] = { "good@example.com", bad[i], NULL };
        MkUserChange change = { .email_addresses = list };

        g_test_message("%s", bad[i]);
        assert_fails(mk_archive_user_change(f.archive, "admin", &change, &error), &error,
                     MK_ERROR_INVALID);
    }
    fixture_clear(&f);
}

/* US-06: the archive keeps its name; nobody else comes to it by taking the old name. */
static void test_rename(void)
{
    g_autoptr(GError) error = NULL;
    MkUser *user;
    uint32_t id;
    Fixture f;

    fixture_init(&f);
    fixture_add_user(&f, "anna", "login", "");
    fixture_add_user(&f, "bert", "login", "");
    user = mk_archive_user_get(f.archive, "anna", NULL);
    id = user->id;
    mk_user_free(user);
    assert_fails(mk_archive_user_rename(f.archive, "anna", "BERT", &error), &error,
                 MK_ERROR_EXISTS);
    assert_fails(mk_archive_user_rename(f.archive, "nobody", "x", &error), &error,
                 MK_ERROR_NOT_FOUND);
    mk_archive_user_rename(f.archive, "anna", "Anna", &error); /* only the case */
    g_assert_no_error(error);
    mk_archive_user_rename(f.archive, "anna", "clara", &error);
    g_assert_no_error(error);
    user = mk_archive_user_get(f.archive, "clara", &error);
    g_assert_no_error(error);
    g_assert_cmpuint(user->id, ==, id);
    g_assert_cmpstr(user->archive, ==, "anna");
    mk_user_free(user);
    g_assert_null(mk_archive_user_get(f.archive, "anna", NULL));
    assert_fails(mk_archive_user_create(f.archive, "Anna", 0, &error), &error, MK_ERROR_EXISTS);
    fixture_clear(&f);
}

/* US-07: the archive stays; ids are never used again. */
static void test_delete(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) folders = NULL;
    MkUser *user;
    uint32_t id;
    Fixture f;

    fixture_init(&f);
    fixture_add_user(&f, "anna", "login", "anna@example.com");
    user = mk_archive_user_get(f.archive, "anna", NULL);
    id = user->id;
    mk_user_free(user);
    mk_archive_user_delete(f.archive, "anna", &error);
    g_assert_no_error(error);
    assert_fails(mk_archive_user_delete(f.archive, "anna", &error), &error, MK_ERROR_NOT_FOUND);
    folders = mk_archive_all_folders(f.archive, NULL, 1);
    g_assert_cmpuint(folders->len, ==, 2);
    fixture_reopen(&f);
    fixture_add_user(&f, "anna", "login", "");
    user = mk_archive_user_get(f.archive, "anna", NULL);
    g_assert_cmpuint(user->id, >, id);
    mk_user_free(user);
    fixture_clear(&f);
}

static void test_last_admin(void)
{
    const uint32_t none = 0;
    MkUserChange change = { .privileges = &none };
    g_autoptr(GError) error = NULL;
    Fixture f;

    fixture_init(&f);
    assert_fails(mk_archive_user_delete(f.archive, "admin", &error), &error, MK_ERROR_DENIED);
    fixture_add_user(&f, "boss", "admin", "");
    assert_fails(mk_archive_user_delete(f.archive, "admin", &error), &error,
                 MK_ERROR_DENIED); /* boss has no password and cannot log in */
    assert_fails(mk_archive_user_change(f.archive, "admin", &change, &error), &error,
                 MK_ERROR_DENIED);
    fixture_set_password(&f, "boss");
    mk_archive_user_delete(f.archive, "admin", &error);
    g_assert_no_error(error);
    fixture_clear(&f);
}

static void test_rights(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkPrincipal) anna = NULL;
    GPtrArray *folders;
    Fixture f;

    fixture_init(&f);
    fixture_add_user(&f, "anna", "login", "");
    fixture_add_user(&f, "annabell", "login", "");
    fixture_set_password(&f, "anna");
    assert_fails(mk_archive_user_set_rights(f.archive, "anna", "nothing", MK_RIGHT_READ, &error),
                 &error, MK_ERROR_NOT_FOUND);
    assert_fails(mk_archive_user_set_rights(f.archive, "nobody", "anna", MK_RIGHT_READ, &error),
                 &error, MK_ERROR_NOT_FOUND);
    anna = fixture_login(&f, "anna");
    folders = mk_archive_folders(f.archive, anna, NULL, 0);
    g_assert_cmpuint(folders->len, ==, 1); /* not annabell, whose name begins alike */
    g_assert_cmpstr(((MkFolder *) folders->pdata[0])->path, ==, "anna");
    g_ptr_array_unref(folders);

    /* before the first mail that nobody owns */
    mk_archive_user_set_rights(f.archive, "anna", MK_ARCHIVE_CATCHALL, MK_RIGHT_READ, &error);
    g_assert_no_error(error);
    mk_archive_user_set_rights(f.archive, "anna", MK_ARCHIVE_CATCHALL, 0, &error);
    g_assert_no_error(error);
    mk_archive_user_set_rights(f.archive, "anna", "admin", MK_RIGHT_READ, &error);
    mk_archive_user_set_rights(f.archive, "anna", "annabell", MK_RIGHT_WRITE, &error);
    g_assert_no_error(error);
    folders = mk_archive_folders(f.archive, anna, NULL, 0);
    g_assert_cmpuint(folders->len, ==, 2); /* writing is not reading */
    g_ptr_array_unref(folders);

    mk_archive_user_set_rights(f.archive, "anna", "admin", 0, &error);
    g_assert_no_error(error);
    folders = mk_archive_folders(f.archive, anna, NULL, 0);
    g_assert_cmpuint(folders->len, ==, 1);
    g_ptr_array_unref(folders);

    mk_archive_user_clear_rights(f.archive, "anna", &error);
    g_assert_no_error(error);
    folders = mk_archive_folders(f.archive, anna, NULL, 0);
    g_assert_cmpuint(folders->len, ==, 0);
    g_ptr_array_unref(folders);
    fixture_clear(&f);
}

static void test_init_again(void)
{
    g_autoptr(GError) error = NULL;
    char *recovery = NULL;
    Fixture f;

    fixture_init(&f);
    g_assert_true(mk_archive_is_initialised(f.dir));
    assert_fails(mk_archive_init(f.dir, FIXTURE_PASSWORD, 1 << 30, &recovery, &error), &error,
                 MK_ERROR_EXISTS);
    g_assert_null(recovery);
    assert_fails(mk_archive_init("/nonexistent/x", "short", 1 << 30, &recovery, &error), &error,
                 MK_ERROR_INVALID);
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_setup();
    g_test_add_func("/users/names", test_names);
    g_test_add_func("/users/admin", test_admin);
    g_test_add_func("/users/change-and-restart", test_change_and_restart);
    g_test_add_func("/users/bad-addresses", test_bad_addresses);
    g_test_add_func("/users/rename", test_rename);
    g_test_add_func("/users/delete", test_delete);
    g_test_add_func("/users/last-admin", test_last_admin);
    g_test_add_func("/users/rights", test_rights);
    g_test_add_func("/users/init-again", test_init_again);
    return g_test_run();
}
