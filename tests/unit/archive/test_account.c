/* test_account.c - the own password, two-factor sign-in, recovery codes, app passwords */
#include <string.h>

#include <mailkeep/limits.h>

#include "archive/internal.h"
#include "fixture.h"

#define PEER "192.0.2.1"
#define WRONG "Wrong-horse-18"
#define OTHER "Better-horse-19"

enum { GOOD = -1 };

static void assert_fails(bool ok, GError **error, int code)
{
    g_assert_false(ok);
    g_assert_error(*error, MK_ERROR, code);
    g_clear_error(error);
}

static void expect_program(Fixture *f, const char *name, const char *password, int code)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkPrincipal) principal =
        mk_archive_login(f->archive, name, password, PEER, "test", &error);

    if (code == GOOD)
        g_assert_no_error(error);
    else
        assert_fails(principal != NULL, &error, code);
}

static void expect_person(Fixture *f, const char *password, const char *code, int error_code,
                          bool wants_code)
{
    g_autoptr(GError) error = NULL;
    bool wants = false;
    g_autoptr(MkPrincipal) principal =
        mk_archive_login_person(f->archive, "anna", password, code, PEER, "test", &wants, &error);

    g_assert_cmpint(wants, ==, wants_code);
    if (error_code == GOOD)
        g_assert_no_error(error);
    else
        assert_fails(principal != NULL, &error, error_code);
}

/* The code of the step @later from now, of the secret that the user has been given. */
static void code_of(const char *secret, int later, char out[TOTP_DIGITS + 1])
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint8_t octets[TOTP_SECRET_BYTES] = { 0 };

    g_assert_cmpuint(strlen(secret), ==, 32);
    for (int bit = 0; bit < 160; bit++) {
        long value = strchr(alphabet, secret[bit / 5]) - alphabet;

        octets[bit / 8] |= (uint8_t) ((value >> (4 - bit % 5) & 1) << (7 - bit % 8));
    }
    totp_format(octets, sizeof octets, totp_step(mk_clock_unix_ms()) + (uint64_t) later,
                TOTP_DIGITS, out);
}

static void anna_init(Fixture *f)
{
    fixture_init(f);
    fixture_add_user(f, "anna", "login,changePassword", "");
    fixture_set_password(f, "anna");
}

/* Switches it on with the code of now; the next step's code is still good afterwards. */
static char *switch_on(Fixture *f, char ***out_codes)
{
    g_autoptr(MkPrincipal) before = fixture_login(f, "anna");
    g_autoptr(MkPrincipal) after = NULL;
    g_autoptr(GError) error = NULL;
    char *secret = NULL;
    char code[TOTP_DIGITS + 1];

    mk_archive_two_factor_begin(f->archive, before, FIXTURE_PASSWORD, PEER, &secret, &error);
    g_assert_no_error(error);
    code_of(secret, 0, code);
    mk_archive_two_factor_confirm(f->archive, before, code, PEER, &after, out_codes, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(g_strv_length(*out_codes), ==, MK_RECOVERY_CODES);
    g_assert_false(mk_principal_is_valid(f->archive, before));
    g_assert_true(mk_principal_is_valid(f->archive, after));
    return secret;
}

static void test_setup(void)
{
    g_autofree char *secret = NULL, *again = NULL;
    g_auto(GStrv) codes = NULL;
    g_autoptr(MkPrincipal) principal = NULL, after = NULL;
    g_autoptr(GError) error = NULL;
    char code[TOTP_DIGITS + 1];
    MkAccount account;
    Fixture f;

    anna_init(&f);
    principal = fixture_login(&f, "anna");
    assert_fails(
        mk_archive_two_factor_confirm(f.archive, principal, "123456", PEER, &after, &codes, &error),
        &error, MK_ERROR_NOT_FOUND);
    assert_fails(mk_archive_two_factor_begin(f.archive, principal, WRONG, PEER, &secret, &error),
                 &error, MK_ERROR_AUTH);
    mk_archive_two_factor_begin(f.archive, principal, FIXTURE_PASSWORD, PEER, &secret, &error);
    g_assert_no_error(error);
    mk_archive_two_factor_begin(f.archive, principal, FIXTURE_PASSWORD, PEER, &again, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(secret, !=, again);
    expect_person(&f, FIXTURE_PASSWORD, NULL, GOOD, false); /* begun is not on */
    expect_program(&f, "anna", FIXTURE_PASSWORD, GOOD);
    code_of(secret, 0, code);
    assert_fails(
        mk_archive_two_factor_confirm(f.archive, principal, code, PEER, &after, &codes, &error),
        &error, MK_ERROR_AUTH); /* only the last secret counts */
    g_assert_true(mk_archive_account(f.archive, principal, &account, NULL));
    g_assert_false(account.two_factor);
    g_free(g_steal_pointer(&secret));
    secret = switch_on(&f, &codes);
    expect_person(&f, FIXTURE_PASSWORD, NULL, MK_ERROR_AUTH, true);
    expect_person(&f, FIXTURE_PASSWORD, "", MK_ERROR_AUTH, true);
    expect_person(&f, WRONG, NULL, MK_ERROR_AUTH, false);
    code_of(secret, 0, code);
    expect_person(&f, WRONG, code, MK_ERROR_AUTH, false);
    expect_program(&f, "anna", FIXTURE_PASSWORD, MK_ERROR_DENIED);
    expect_program(&f, "anna", WRONG, MK_ERROR_AUTH);
    fixture_clear(&f);
}

/* A step is used once, before and after a restart; the one that switched it on is used, too. */
static void test_replay(void)
{
    g_autofree char *secret = NULL;
    g_auto(GStrv) codes = NULL;
    char now[TOTP_DIGITS + 1], next[TOTP_DIGITS + 1], spaced[TOTP_DIGITS + 2];
    Fixture f;

    anna_init(&f);
    secret = switch_on(&f, &codes);
    code_of(secret, 0, now);
    code_of(secret, 1, next);
    g_snprintf(spaced, sizeof spaced, "%.3s %s", next, next + 3);
    expect_person(&f, FIXTURE_PASSWORD, spaced, GOOD, false);
    expect_person(&f, FIXTURE_PASSWORD, next, MK_ERROR_AUTH, true);
    expect_person(&f, FIXTURE_PASSWORD, now, MK_ERROR_AUTH, true);
    fixture_reopen(&f);
    expect_person(&f, FIXTURE_PASSWORD, next, MK_ERROR_AUTH, true);
    expect_person(&f, FIXTURE_PASSWORD, NULL, MK_ERROR_AUTH, true);
    fixture_clear(&f);
}

static void test_recovery(void)
{
    g_autofree char *secret = NULL, *capitals = NULL;
    g_auto(GStrv) codes = NULL, fresh = NULL;
    g_autoptr(MkPrincipal) principal = NULL;
    g_autoptr(GError) error = NULL;
    bool wants;
    MkAccount account;
    Fixture f;

    anna_init(&f);
    secret = switch_on(&f, &codes);
    capitals = g_ascii_strup(codes[3], -1);
    expect_person(&f, FIXTURE_PASSWORD, capitals, GOOD, false);
    expect_person(&f, FIXTURE_PASSWORD, codes[3], MK_ERROR_AUTH, true);
    fixture_reopen(&f);
    expect_person(&f, FIXTURE_PASSWORD, codes[3], MK_ERROR_AUTH, true);
    principal = mk_archive_login_person(f.archive, "anna", FIXTURE_PASSWORD, codes[9], PEER, "test",
                                        &wants, &error);
    g_assert_no_error(error);
    g_assert_true(mk_archive_account(f.archive, principal, &account, NULL));
    g_assert_true(account.two_factor);
    g_assert_cmpuint(account.recovery_codes, ==, MK_RECOVERY_CODES - 2);
    mk_archive_recovery_codes_renew(f.archive, principal, FIXTURE_PASSWORD, PEER, &fresh, &error);
    g_assert_no_error(error);
    expect_person(&f, FIXTURE_PASSWORD, codes[0], MK_ERROR_AUTH, true);
    expect_person(&f, FIXTURE_PASSWORD, fresh[0], GOOD, false);
    fixture_clear(&f);
}

/* Ten wrong codes, from any address; then no code at all, the right one neither. */
static void test_throttle(void)
{
    g_autofree char *secret = NULL;
    g_auto(GStrv) codes = NULL;
    g_autoptr(GError) error = NULL;
    char peer[32];
    bool wants;
    Fixture f;

    anna_init(&f);
    secret = switch_on(&f, &codes);
    for (int i = 0; i < MK_LIMIT_LOGIN_FAILURES; i++) {
        g_snprintf(peer, sizeof peer, "198.51.100.%d", i);
        g_assert_null(mk_archive_login_person(f.archive, "anna", FIXTURE_PASSWORD, "aaaa-bbbb-cccc",
                                              peer, "test", &wants, &error));
        g_assert_error(error, MK_ERROR, MK_ERROR_AUTH);
        g_clear_error(&error);
    }
    expect_person(&f, FIXTURE_PASSWORD, codes[0], MK_ERROR_BUSY, true);
    expect_person(&f, FIXTURE_PASSWORD, NULL, MK_ERROR_AUTH, true);
    fixture_clear(&f);
}

static void test_off(void)
{
    g_autofree char *secret = NULL;
    g_auto(GStrv) codes = NULL, more = NULL;
    g_autoptr(MkPrincipal) principal = NULL;
    g_autoptr(GError) error = NULL;
    MkUser *user;
    bool wants;
    Fixture f;

    anna_init(&f);
    secret = switch_on(&f, &codes);
    user = mk_archive_user_get(f.archive, "anna", NULL);
    g_assert_true(user->two_factor);
    mk_user_free(user);
    principal = mk_archive_login_person(f.archive, "anna", FIXTURE_PASSWORD, codes[0], PEER, "test",
                                        &wants, &error);
    g_assert_no_error(error);
    assert_fails(mk_archive_two_factor_off(f.archive, principal, WRONG, PEER, &error), &error,
                 MK_ERROR_AUTH);
    mk_archive_two_factor_off(f.archive, principal, FIXTURE_PASSWORD, PEER, &error);
    g_assert_no_error(error);
    expect_person(&f, FIXTURE_PASSWORD, NULL, GOOD, false);
    expect_program(&f, "anna", FIXTURE_PASSWORD, GOOD);
    g_free(g_steal_pointer(&secret));
    secret = switch_on(&f, &more);
    mk_archive_two_factor_reset(f.archive, "ANNA", &error);
    g_assert_no_error(error);
    fixture_reopen(&f);
    expect_person(&f, FIXTURE_PASSWORD, NULL, GOOD, false);
    assert_fails(mk_archive_two_factor_reset(f.archive, "nobody", &error), &error,
                 MK_ERROR_NOT_FOUND);
    fixture_clear(&f);
}

/* -- the own password ------------------------------------------------------------------------------ */
static void test_password(void)
{
    g_autoptr(MkPrincipal) mine = NULL, other = NULL, after = NULL, bert = NULL;
    g_autoptr(GError) error = NULL;
    Fixture f;

    anna_init(&f);
    fixture_add_user(&f, "bert", "login", "");
    fixture_set_password(&f, "bert");
    mine = fixture_login(&f, "anna");
    other = fixture_login(&f, "anna");
    bert = fixture_login(&f, "bert");
    assert_fails(mk_archive_change_own_password(f.archive, bert, FIXTURE_PASSWORD, OTHER, PEER,
                                                &after, &error),
                 &error, MK_ERROR_DENIED);
    assert_fails(
        mk_archive_change_own_password(f.archive, mine, WRONG, OTHER, PEER, &after, &error), &error,
        MK_ERROR_AUTH);
    assert_fails(mk_archive_change_own_password(f.archive, mine, FIXTURE_PASSWORD, "short", PEER,
                                                &after, &error),
                 &error, MK_ERROR_INVALID);
    assert_fails(mk_archive_change_own_password(f.archive, mine, FIXTURE_PASSWORD, FIXTURE_PASSWORD,
                                                PEER, &after, &error),
                 &error, MK_ERROR_INVALID);
    g_assert_true(mk_principal_is_valid(f.archive, mine));
    mk_archive_change_own_password(f.archive, mine, FIXTURE_PASSWORD, OTHER, PEER, &after, &error);
    g_assert_no_error(error);
    g_assert_false(mk_principal_is_valid(f.archive, mine));
    g_assert_false(mk_principal_is_valid(f.archive, other));
    g_assert_true(mk_principal_is_valid(f.archive, after));
    expect_person(&f, FIXTURE_PASSWORD, NULL, MK_ERROR_AUTH, false);
    expect_person(&f, OTHER, NULL, GOOD, false);
    fixture_clear(&f);
}

/* The present password that is asked for again is no way to guess it. */
static void test_confirm_throttle(void)
{
    g_autoptr(MkPrincipal) mine = NULL, after = NULL;
    g_autoptr(GError) error = NULL;
    Fixture f;

    anna_init(&f);
    mine = fixture_login(&f, "anna");
    for (int i = 0; i < MK_LIMIT_LOGIN_FAILURES; i++)
        assert_fails(mk_archive_change_own_password(f.archive, mine, WRONG, OTHER, "203.0.113.7",
                                                    &after, &error),
                     &error, MK_ERROR_AUTH);
    assert_fails(mk_archive_change_own_password(f.archive, mine, FIXTURE_PASSWORD, OTHER,
                                                "203.0.113.7", &after, &error),
                 &error, MK_ERROR_BUSY);
    fixture_clear(&f);
}

/* -- app passwords --------------------------------------------------------------------------------- */
static char *make_app(Fixture *f, const char *name)
{
    g_autoptr(MkPrincipal) principal = NULL;
    g_autoptr(GError) error = NULL;
    char *secret = NULL;

    principal = fixture_login(f, "anna");
    mk_archive_app_password_create(f->archive, principal, FIXTURE_PASSWORD, PEER, name, &secret,
                                   &error);
    g_assert_no_error(error);
    g_assert_cmpuint(strlen(secret), ==, 39);
    return secret;
}

static char *without_dashes(const char *text)
{
    g_auto(GStrv) pieces = g_strsplit(text, "-", -1);

    return g_strjoinv("", pieces);
}

static void test_app(void)
{
    g_autofree char *app = NULL, *plain = NULL, *secret = NULL;
    g_autoptr(GPtrArray) list = NULL;
    g_autoptr(MkPrincipal) principal = NULL;
    g_auto(GStrv) codes = NULL;
    g_autoptr(GError) error = NULL;
    MkAppPassword *first;
    Fixture f;

    anna_init(&f);
    app = make_app(&f, "Backup");
    secret = switch_on(&f, &codes);
    expect_program(&f, "anna", app, GOOD);
    plain = without_dashes(app);
    expect_program(&f, "Anna", plain, GOOD);
    expect_program(&f, "admin", app, MK_ERROR_AUTH);    /* hers alone */
    expect_person(&f, app, NULL, MK_ERROR_AUTH, false); /* not for people */
    expect_program(&f, "anna", FIXTURE_PASSWORD, MK_ERROR_DENIED);
    fixture_reopen(&f);
    principal = mk_archive_login(f.archive, "anna", app, PEER, "test", &error);
    g_assert_no_error(error);
    list = mk_archive_app_passwords(f.archive, principal);
    g_assert_cmpuint(list->len, ==, 1);
    first = list->pdata[0];
    g_assert_cmpstr(first->name, ==, "Backup");
    g_assert_cmpint(first->used_unix_ms, >=, first->created_unix_ms);
    fixture_clear(&f);
}

/* It reads mail; it changes nothing of the account. */
static void test_app_scope(void)
{
    g_autofree char *app = NULL, *secret = NULL;
    g_autoptr(MkPrincipal) principal = NULL, after = NULL;
    g_auto(GStrv) codes = NULL;
    g_autoptr(GError) error = NULL;
    MkAccount account;
    Fixture f;

    anna_init(&f);
    app = make_app(&f, "Backup");
    principal = mk_archive_login(f.archive, "anna", app, PEER, "test", &error);
    g_assert_no_error(error);
    g_assert_true(mk_principal_is_valid(f.archive, principal));
    assert_fails(mk_archive_account(f.archive, principal, &account, &error), &error,
                 MK_ERROR_DENIED);
    assert_fails(mk_archive_change_own_password(f.archive, principal, FIXTURE_PASSWORD, OTHER, PEER,
                                                &after, &error),
                 &error, MK_ERROR_DENIED);
    assert_fails(
        mk_archive_two_factor_begin(f.archive, principal, FIXTURE_PASSWORD, PEER, &secret, &error),
        &error, MK_ERROR_DENIED);
    assert_fails(mk_archive_two_factor_off(f.archive, principal, FIXTURE_PASSWORD, PEER, &error),
                 &error, MK_ERROR_DENIED);
    assert_fails(mk_archive_recovery_codes_renew(f.archive, principal, FIXTURE_PASSWORD, PEER,
                                                 &codes, &error),
                 &error, MK_ERROR_DENIED);
    assert_fails(mk_archive_app_password_create(f.archive, principal, FIXTURE_PASSWORD, PEER, "x",
                                                &secret, &error),
                 &error, MK_ERROR_DENIED);
    assert_fails(mk_archive_app_password_revoke(f.archive, principal, 1, &error), &error,
                 MK_ERROR_DENIED);
    fixture_clear(&f);
}

static void test_app_revoke(void)
{
    g_autofree char *one = NULL, *other = NULL;
    g_autoptr(MkPrincipal) person = NULL, program = NULL, bert = NULL;
    g_autoptr(GPtrArray) list = NULL;
    g_autoptr(GError) error = NULL;
    uint32_t id;
    Fixture f;

    anna_init(&f);
    fixture_add_user(&f, "bert", "login", "");
    fixture_set_password(&f, "bert");
    one = make_app(&f, "one");
    other = make_app(&f, "other");
    person = fixture_login(&f, "anna");
    bert = fixture_login(&f, "bert");
    program = mk_archive_login(f.archive, "anna", one, PEER, "test", &error);
    g_assert_no_error(error);
    list = mk_archive_app_passwords(f.archive, person);
    id = ((MkAppPassword *) list->pdata[0])->id;
    assert_fails(mk_archive_app_password_revoke(f.archive, bert, id, &error), &error,
                 MK_ERROR_NOT_FOUND);
    mk_archive_app_password_revoke(f.archive, person, id, &error);
    g_assert_no_error(error);
    g_assert_false(mk_principal_is_valid(f.archive, program)); /* at once */
    expect_program(&f, "anna", one, MK_ERROR_AUTH);
    expect_program(&f, "anna", other, GOOD);
    fixture_reopen(&f);
    expect_program(&f, "anna", one, MK_ERROR_AUTH);
    expect_program(&f, "anna", other, GOOD);
    fixture_set_password(&f, "anna"); /* by an administrator */
    expect_program(&f, "anna", other, MK_ERROR_AUTH);
    fixture_clear(&f);
}

static void test_app_names(void)
{
    static const char *const bad[] = { "", "a\nb", "\xff" };
    g_autoptr(MkPrincipal) principal = NULL;
    g_autoptr(GError) error = NULL;
    char *secret = NULL;
    Fixture f;

    anna_init(&f);
    principal = fixture_login(&f, "anna");
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_fails(mk_archive_app_password_create(f.archive, principal, FIXTURE_PASSWORD, PEER,
                                                    bad[i], &secret, &error),
                     &error, MK_ERROR_INVALID);
    for (int i = 0; i < MK_LIMIT_APP_PASSWORDS; i++)
        g_free(make_app(&f, "one"));
    assert_fails(mk_archive_app_password_create(f.archive, principal, FIXTURE_PASSWORD, PEER, "x",
                                                &secret, &error),
                 &error, MK_ERROR_LIMIT);
    fixture_clear(&f);
}

/* Nothing is left for a new user of the name, nor under the old number. */
static void test_user_deleted(void)
{
    g_autofree char *app = NULL, *secret = NULL;
    g_auto(GStrv) codes = NULL;
    g_autoptr(GError) error = NULL;
    Fixture f;

    anna_init(&f);
    app = make_app(&f, "one");
    secret = switch_on(&f, &codes);
    mk_archive_user_delete(f.archive, "anna", &error);
    g_assert_no_error(error);
    fixture_add_user(&f, "anna", "login", "");
    fixture_set_password(&f, "anna");
    expect_person(&f, FIXTURE_PASSWORD, NULL, GOOD, false);
    expect_program(&f, "anna", app, MK_ERROR_AUTH);
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_setup();
    g_test_add_func("/archive/account/setup", test_setup);
    g_test_add_func("/archive/account/replay", test_replay);
    g_test_add_func("/archive/account/recovery", test_recovery);
    g_test_add_func("/archive/account/throttle", test_throttle);
    g_test_add_func("/archive/account/off", test_off);
    g_test_add_func("/archive/account/password", test_password);
    g_test_add_func("/archive/account/confirm-throttle", test_confirm_throttle);
    g_test_add_func("/archive/account/app", test_app);
    g_test_add_func("/archive/account/app-scope", test_app_scope);
    g_test_add_func("/archive/account/app-revoke", test_app_revoke);
    g_test_add_func("/archive/account/app-names", test_app_names);
    g_test_add_func("/archive/account/user-deleted", test_user_deleted);
    return g_test_run();
}
