/* test_key.c - derivation, wrapping, hashes, passwords */
#include <mailkeep/crypto.h>

#include <string.h>

#include <mailkeep/limits.h>

static MkKey *counting_key(void)
{
    uint8_t octets[MK_KEY_BYTES];

    for (unsigned i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t) i;
    return mk_key_new_from(octets);
}

static char *hash_hex(const MkKey *key, const char *text)
{
    GString *hex = g_string_new(NULL);
    MkHash hash;

    mk_hash(key, text, strlen(text), &hash);
    for (unsigned i = 0; i < MK_HASH_BYTES; i++)
        g_string_append_printf(hex, "%02x", hash.bytes[i]);
    return g_string_free(hex, FALSE);
}

/* Expected by Python's hashlib.blake2b. */
static void test_hash_vectors(void)
{
    g_autoptr(MkKey) key = counting_key();
    g_autofree char *plain = hash_hex(NULL, "abc");
    g_autofree char *keyed = hash_hex(key, "abc");

    g_assert_cmpstr(plain, ==, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    g_assert_cmpstr(keyed, ==, "d63a32d3e44738d7907f964316c241adaba0abfeabc32349677578a15a203f7f");
}

static void test_hash_pieces(void)
{
    static const char text[] = "a hash in pieces is the hash at once";
    MkHash whole, pieces;
    MkHashState state;

    mk_hash(NULL, text, sizeof text, &whole);
    mk_hash_start(&state, NULL);
    for (unsigned i = 0; i < sizeof text; i++)
        mk_hash_add(&state, text + i, 1);
    mk_hash_end(&state, &pieces);
    g_assert_cmpmem(&whole, sizeof whole, &pieces, sizeof pieces);
}

/* BLAKE2b-256 keyed, personalised "mailkeep purpose", over "pack"; the derived key hashes "". */
static void test_derive(void)
{
    static const uint8_t expected[MK_KEY_BYTES] = {
        0x4f, 0xec, 0x81, 0xe4, 0x34, 0x68, 0x1c, 0xdf, 0x87, 0x7b, 0x94,
        0xa8, 0x30, 0x88, 0x66, 0xd7, 0x0f, 0x44, 0xd2, 0x0d, 0x85, 0x5f,
        0x8d, 0x36, 0x1b, 0xa0, 0x61, 0xbf, 0x25, 0xa5, 0x9c, 0xd8
    };
    g_autoptr(MkKey) key = counting_key();
    g_autoptr(MkKey) derived = mk_key_derive(key, "pack");
    g_autoptr(MkKey) same = mk_key_new_from(expected);
    g_autofree char *a = hash_hex(derived, "");
    g_autofree char *b = hash_hex(same, "");

    g_assert_cmpstr(a, ==, b);
}

static void test_wrap(void)
{
    g_autoptr(MkKey) outer = mk_key_new_random();
    g_autoptr(MkKey) inner = mk_key_new_random();
    g_autoptr(GBytes) wrapped = mk_key_wrap(outer, inner, "store 1");
    g_autoptr(MkKey) again = mk_key_unwrap(outer, wrapped, "store 1", NULL);
    g_autoptr(GBytes) cut = g_bytes_new_from_bytes(wrapped, 0, g_bytes_get_size(wrapped) - 1);
    g_autoptr(GError) error = NULL;
    g_autofree char *a = hash_hex(inner, "x");
    g_autofree char *b = NULL;

    g_assert_nonnull(again);
    b = hash_hex(again, "x");
    g_assert_cmpstr(a, ==, b);
    g_assert_null(mk_key_unwrap(outer, wrapped, "store 2", &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_KEY);
    g_clear_error(&error);
    g_assert_null(mk_key_unwrap(inner, wrapped, "store 1", &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_KEY);
    g_clear_error(&error);
    g_assert_null(mk_key_unwrap(outer, cut, "store 1", &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_CORRUPT);
}

static void test_password(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *hash = mk_password_hash("correct horse", &error);
    g_autofree char *other = mk_password_hash("correct horse", &error);
    g_autofree char *huge = g_strnfill(MK_LIMIT_PASSWORD_BYTES + 1, 'x');

    g_assert_no_error(error);
    g_assert_true(g_str_has_prefix(hash, "$argon2id$v=19$m=65536,"));
    g_assert_cmpstr(hash, !=, other); /* salted */
    g_assert_true(mk_password_verify(hash, "correct horse"));
    g_assert_false(mk_password_verify(hash, "correct horsf"));
    g_assert_false(mk_password_verify(hash, ""));
    g_assert_false(mk_password_verify(NULL, "correct horse"));
    g_assert_false(mk_password_verify("not a hash", "correct horse"));
    g_assert_false(mk_password_verify(hash, huge));
    g_assert_null(mk_password_hash(huge, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_LIMIT);
}

static void test_small_things(void)
{
    uint8_t a[16] = { 0 }, b[16] = { 0 };

    mk_random(a, sizeof a);
    g_assert_false(mk_equal_secret(a, b, sizeof a));
    memcpy(b, a, sizeof a);
    g_assert_true(mk_equal_secret(a, b, sizeof a));
    mk_wipe(a, sizeof a);
    memset(b, 0, sizeof b);
    g_assert_true(mk_equal_secret(a, b, sizeof a));
    mk_free_secret(NULL);
    mk_free_secret(g_strdup("secret"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(mk_crypto_init(NULL));
    g_test_add_func("/crypto/hash/vectors", test_hash_vectors);
    g_test_add_func("/crypto/hash/pieces", test_hash_pieces);
    g_test_add_func("/crypto/key/derive", test_derive);
    g_test_add_func("/crypto/key/wrap", test_wrap);
    g_test_add_func("/crypto/password", test_password);
    g_test_add_func("/crypto/small-things", test_small_things);
    return g_test_run();
}
