/*
 * test_password.c - what is kept of a password (US-19)
 */
#include <mailkeep/crypto.h>

#include <string.h>

#define PASSWORD "Kirschbaum-77 äö"

static char *hash_of(const char *password)
{
    g_autoptr(GError) error = NULL;
    char *hash = mk_password_hash(password, &error);

    g_assert_no_error(error);
    return hash;
}

/* The costs stand in the string: Argon2id, version 1.3, 64 MiB, in the encoding of its authors. */
static void test_form(void)
{
    g_autofree char *hash = hash_of(PASSWORD);

    g_assert_true(g_str_has_prefix(hash, "$argon2id$v=19$m=65536,"));
    g_assert_null(strstr(hash, "Kirsch"));
}

static void test_salt(void)
{
    g_autofree char *one = hash_of(PASSWORD);
    g_autofree char *two = hash_of(PASSWORD);

    g_assert_cmpstr(one, !=, two);
    g_assert_true(mk_password_verify(one, PASSWORD));
    g_assert_true(mk_password_verify(two, PASSWORD));
}

static void test_wrong(void)
{
    g_autofree char *hash = hash_of(PASSWORD);

    g_assert_false(mk_password_verify(hash, PASSWORD "x"));
    g_assert_false(mk_password_verify(hash, ""));
    g_assert_false(mk_password_verify("", PASSWORD));
    g_assert_false(mk_password_verify("$argon2id$v=19$m=65536", PASSWORD));
    g_assert_false(mk_password_verify(NULL, PASSWORD));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(mk_crypto_init(NULL));
    g_test_add_func("/crypto/password/form", test_form);
    g_test_add_func("/crypto/password/salt", test_salt);
    g_test_add_func("/crypto/password/wrong", test_wrong);
    return g_test_run();
}
