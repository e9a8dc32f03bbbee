/* test_login.c - who gets in, who waits, what ends a login */
#include <mailkeep/limits.h>

#include "cpu_time.h"
#include "fixture.h"

#define WRONG "Wrong-horse-18"

static void expect(Fixture *f, const char *name, const char *password, const char *peer, int code)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkPrincipal) principal =
        mk_archive_login(f->archive, name, password, peer, "test", &error);

    if (code < 0) {
        g_assert_no_error(error);
        g_assert_nonnull(principal);
        return;
    }
    g_assert_null(principal);
    g_assert_error(error, MK_ERROR, code);
}

enum { GOOD = -1 };

static void test_login(void)
{
    g_autoptr(MkPrincipal) principal = NULL;
    g_autofree char *name = NULL;
    Fixture f;

    fixture_init(&f);
    fixture_add_user(&f, "anna", "login", "");
    fixture_add_user(&f, "bert", "export", ""); /* may not log in (US-08) */
    fixture_set_password(&f, "bert");
    expect(&f, "admin", FIXTURE_PASSWORD, "192.0.2.1", GOOD);
    expect(&f, "ADMIN", FIXTURE_PASSWORD, "192.0.2.1", GOOD);
    expect(&f, "admin", WRONG, "192.0.2.1", MK_ERROR_AUTH);
    expect(&f, "nobody", FIXTURE_PASSWORD, "192.0.2.1", MK_ERROR_AUTH);
    expect(&f, "anna", FIXTURE_PASSWORD, "192.0.2.1", MK_ERROR_AUTH); /* no password yet */
    expect(&f, "bert", FIXTURE_PASSWORD, "192.0.2.1", MK_ERROR_AUTH);
    fixture_set_password(&f, "anna");
    principal = fixture_login(&f, "anna");
    g_assert_false(mk_principal_is_admin(f.archive, principal));
    name = mk_principal_user_name(f.archive, principal);
    g_assert_cmpstr(name, ==, "anna");
    fixture_clear(&f);
}

/* All refusals cost an Argon2id; only a right answer seen before is quick. */
static void test_time(void)
{
    static const struct {
        const char *name, *password;
    } refused[] = { { "admin", WRONG }, { "nobody", WRONG }, { "anna", WRONG } };
    int64_t began_us, slow_us[3], quick_us;
    Fixture f;

    fixture_init(&f);
    fixture_add_user(&f, "anna", "login", "");
    for (int i = 0; i < 3; i++) {
        began_us = test_cpu_us();
        expect(&f, refused[i].name, refused[i].password, "192.0.2.9", MK_ERROR_AUTH);
        slow_us[i] = test_cpu_us() - began_us;
    }
    expect(&f, "admin", FIXTURE_PASSWORD, "192.0.2.9", GOOD);
    began_us = test_cpu_us();
    for (int i = 0; i < 10; i++)
        expect(&f, "admin", FIXTURE_PASSWORD, "192.0.2.9", GOOD);
    quick_us = (test_cpu_us() - began_us) / 10;
    for (int i = 0; i < 3; i++)
        g_assert_cmpint(quick_us * 5, <, slow_us[i]);
    fixture_clear(&f);
}

static void test_throttle_by_name(void)
{
    char peer[32];
    Fixture f;

    fixture_init(&f);
    expect(&f, "admin", FIXTURE_PASSWORD, "192.0.2.1", GOOD); /* remembered for this address */
    for (int i = 0; i < MK_LIMIT_LOGIN_FAILURES; i++) {
        g_snprintf(peer, sizeof peer, "198.51.100.%d", i);
        expect(&f, i % 2 != 0 ? "admin" : "Admin", WRONG, peer, MK_ERROR_AUTH);
    }
    expect(&f, "admin", WRONG, "203.0.113.1", MK_ERROR_BUSY);
    expect(&f, "admin", FIXTURE_PASSWORD, "203.0.113.1", MK_ERROR_BUSY);
    expect(&f, "admin", FIXTURE_PASSWORD, "192.0.2.1", GOOD); /* others cannot lock him out there */
    expect(&f, "admin", WRONG, "192.0.2.1", MK_ERROR_BUSY);
    fixture_clear(&f);
}

static void test_throttle_by_address(void)
{
    char name[32], peer[64];
    Fixture f;

    fixture_init(&f);
    for (int i = 0; i < MK_LIMIT_LOGIN_FAILURES; i++) {
        g_snprintf(name, sizeof name, "user%d", i);
        g_snprintf(peer, sizeof peer, "2001:db8::%d", i + 1); /* one network, one client */
        expect(&f, name, WRONG, peer, MK_ERROR_AUTH);
    }
    expect(&f, "admin", FIXTURE_PASSWORD, "2001:db8::ffff", MK_ERROR_BUSY);
    expect(&f, "admin", FIXTURE_PASSWORD, "2001:db8:1::1", GOOD);
    fixture_clear(&f);
}

/* Good logins do not use the allowance up. */
static void test_success_is_free(void)
{
    Fixture f;

    fixture_init(&f);
    for (int i = 0; i < MK_LIMIT_LOGIN_FAILURES - 1; i++)
        expect(&f, "admin", WRONG, "192.0.2.1", MK_ERROR_AUTH);
    for (int i = 0; i < 20; i++)
        expect(&f, "admin", FIXTURE_PASSWORD, "192.0.2.1", GOOD);
    expect(&f, "admin", WRONG, "192.0.2.1", MK_ERROR_AUTH);
    expect(&f, "admin", FIXTURE_PASSWORD, "192.0.2.1", MK_ERROR_BUSY);
    fixture_clear(&f);
}

static void test_what_ends_a_login(void)
{
    const uint32_t none = 0, login = MK_PRIVILEGE_LOGIN;
    MkUserChange take = { .privileges = &none }, give = { .privileges = &login };
    g_autoptr(MkPrincipal) old = NULL;
    Fixture f;

    fixture_init(&f);
    fixture_add_user(&f, "anna", "login", "");
    fixture_set_password(&f, "anna");
    old = fixture_login(&f, "anna");
    g_assert_true(mk_principal_is_valid(f.archive, old));
    g_assert_true(mk_archive_user_change(f.archive, "anna", &take, NULL));
    g_assert_false(mk_principal_is_valid(f.archive, old));
    expect(&f, "anna", FIXTURE_PASSWORD, "192.0.2.1", MK_ERROR_AUTH); /* though remembered */
    g_assert_true(mk_archive_user_change(f.archive, "anna", &give, NULL));
    g_assert_true(mk_principal_is_valid(f.archive, old));
    g_assert_true(mk_archive_user_set_password(f.archive, "anna", "Another-horse-19", NULL));
    g_assert_false(mk_principal_is_valid(f.archive, old));
    expect(&f, "anna", FIXTURE_PASSWORD, "192.0.2.1", MK_ERROR_AUTH);
    expect(&f, "anna", "Another-horse-19", "192.0.2.1", GOOD);
    g_assert_true(mk_archive_user_delete(f.archive, "anna", NULL));
    expect(&f, "anna", "Another-horse-19", "192.0.2.1", MK_ERROR_AUTH);
    g_assert_true(mk_principal_is_valid(f.archive, f.system));
    fixture_clear(&f);
}

static void test_set_password_policy(void)
{
    g_autoptr(GError) error = NULL;
    Fixture f;

    fixture_init(&f);
    g_assert_false(mk_archive_user_set_password(f.archive, "admin", "Xadmin-12345", &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_INVALID);
    expect(&f, "admin", FIXTURE_PASSWORD, "192.0.2.1", GOOD);
    fixture_clear(&f);
}

static void test_sessions(void)
{
    g_autoptr(MkPrincipal) admin = NULL;
    g_autoptr(GPtrArray) sessions = NULL;
    MkSessionInfo *info;
    Fixture f;

    fixture_init(&f);
    admin = fixture_login(&f, "admin");
    mk_archive_session_touch(f.archive, "secret-1", admin, "web", "192.0.2.1");
    mk_archive_session_touch(f.archive, "secret-1", admin, "web", "192.0.2.1");
    mk_archive_session_touch(f.archive, "secret-2", admin, "api", "192.0.2.2");
    mk_archive_session_end(f.archive, "secret-2");
    sessions = mk_archive_sessions(f.archive);
    g_assert_cmpuint(sessions->len, ==, 1);
    info = sessions->pdata[0];
    g_assert_cmpstr(info->user_name, ==, "admin");
    g_assert_cmpstr(info->protocol, ==, "web");
    g_assert_cmpstr(info->peer_address, ==, "192.0.2.1");
    g_assert_cmpstr(info->id, !=, "secret-1");
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_setup();
    g_test_add_func("/login/who", test_login);
    g_test_add_func("/login/time", test_time);
    g_test_add_func("/login/throttle-by-name", test_throttle_by_name);
    g_test_add_func("/login/throttle-by-address", test_throttle_by_address);
    g_test_add_func("/login/success-is-free", test_success_is_free);
    g_test_add_func("/login/what-ends-it", test_what_ends_a_login);
    g_test_add_func("/login/set-password-policy", test_set_password_policy);
    g_test_add_func("/login/sessions", test_sessions);
    return g_test_run();
}
