/* test_seal.c - sealing against published vectors and a second program's */
#include <mailkeep/crypto.h>

#include <string.h>

static GBytes *from_hex(const char *hex)
{
    size_t length = strlen(hex) / 2;
    uint8_t *out = g_malloc(length + 1);

    for (size_t i = 0; i < length; i++)
        out[i] = (uint8_t) (g_ascii_xdigit_value(hex[2 * i]) << 4 |
                            g_ascii_xdigit_value(hex[2 * i + 1]));
    return g_bytes_new_take(out, length);
}

static MkKey *counting_key(uint8_t first)
{
    uint8_t octets[MK_KEY_BYTES];

    for (unsigned i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t) (first + i);
    return mk_key_new_from(octets);
}

/* draft-irtf-cfrg-xchacha-03, appendix A.3.1: nonce, ciphertext, tag */
static void test_published_vector(void)
{
    static const char sunscreen[] =
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
        "future, sunscreen would be it.";
    g_autoptr(GBytes) sealed =
        from_hex("404142434445464748494a4b4c4d4e4f5051525354555657"
                 "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
                 "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
                 "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
                 "21f9664c97637da9768812f615c68b13b52e"
                 "c0875924c1c7987947deafd8780acf49");
    g_autoptr(GBytes) aad = from_hex("50515253c0c1c2c3c4c5c6c7");
    g_autoptr(MkKey) key = counting_key(0x80);
    g_autoptr(GError) error = NULL;
    uint8_t plain[sizeof sunscreen - 1];

    g_assert_cmpuint(g_bytes_get_size(sealed), ==, sizeof plain + MK_SEAL_OVERHEAD);
    g_assert_true(mk_unseal(key, g_bytes_get_data(aad, NULL), g_bytes_get_size(aad),
                            g_bytes_get_data(sealed, NULL), g_bytes_get_size(sealed), plain,
                            &error));
    g_assert_no_error(error);
    g_assert_cmpmem(plain, sizeof plain, sunscreen, sizeof plain);
}

static void test_every_bit_counts(void)
{
    g_autoptr(MkKey) key = mk_key_new_random();
    uint8_t plain[20] = "nineteen characters";
    uint8_t sealed[sizeof plain + MK_SEAL_OVERHEAD];
    uint8_t opened[sizeof plain];

    mk_seal(key, "aad", 3, plain, sizeof plain, sealed);
    g_assert_true(mk_unseal(key, "aad", 3, sealed, sizeof sealed, opened, NULL));
    g_assert_cmpmem(opened, sizeof opened, plain, sizeof plain);
    for (unsigned bit = 0; bit < 8 * sizeof sealed; bit++) {
        g_autoptr(GError) error = NULL;

        sealed[bit / 8] ^= (uint8_t) (1 << bit % 8);
        g_assert_false(mk_unseal(key, "aad", 3, sealed, sizeof sealed, opened, &error));
        g_assert_error(error, MK_ERROR, MK_ERROR_CORRUPT);
        sealed[bit / 8] ^= (uint8_t) (1 << bit % 8);
    }
    g_assert_false(mk_unseal(key, "aaf", 3, sealed, sizeof sealed, opened, NULL));
    g_assert_false(mk_unseal(key, "aad", 3, sealed, MK_SEAL_OVERHEAD - 1, opened, NULL));
}

/* Computed with Python's hashlib and an own XChaCha20 after RFC 8439 and the draft. */
static void test_siv_vector(void)
{
    static const char plain[] = "The quick brown fox jumps over the lazy dog. "
                                "The quick brown fox jumps over the lazy dog. ";
    g_autoptr(GBytes) expected =
        from_hex("acdcaedf175ddccd216004da8aa2a91f"
                 "b6ffd5ef58d5c190e56c7aba29c1241ea9ad066527e3b8eae5bcd30917c0e641"
                 "c50133a87d769d94d13dceefbdcac97d9e69749337543a7aa46589e587785c17"
                 "0a1601ec3f3b18d49e8160a66d0ebbb94fcaaef103ac08035549");
    g_autoptr(MkKey) key = counting_key(0);
    uint8_t sealed[sizeof plain - 1 + MK_SIV_OVERHEAD];
    uint8_t opened[sizeof plain - 1];

    mk_siv_seal(key, "table row", 9, plain, sizeof plain - 1, sealed);
    g_assert_cmpmem(sealed, sizeof sealed, g_bytes_get_data(expected, NULL),
                    g_bytes_get_size(expected));
    g_assert_true(mk_siv_unseal(key, "table row", 9, sealed, sizeof sealed, opened, NULL));
    g_assert_cmpmem(opened, sizeof opened, plain, sizeof plain - 1);
}

static void test_siv_every_bit_counts(void)
{
    g_autoptr(MkKey) key = mk_key_new_random();
    uint8_t sealed[5 + MK_SIV_OVERHEAD];
    uint8_t opened[5];

    mk_siv_seal(key, "k", 1, "value", 5, sealed);
    for (unsigned bit = 0; bit < 8 * sizeof sealed; bit++) {
        sealed[bit / 8] ^= (uint8_t) (1 << bit % 8);
        g_assert_false(mk_siv_unseal(key, "k", 1, sealed, sizeof sealed, opened, NULL));
        sealed[bit / 8] ^= (uint8_t) (1 << bit % 8);
    }
    g_assert_false(mk_siv_unseal(key, "l", 1, sealed, sizeof sealed, opened, NULL));
    g_assert_false(mk_siv_unseal(key, "k", 1, sealed, MK_SIV_OVERHEAD - 1, opened, NULL));
    g_assert_true(mk_siv_unseal(key, "k", 1, sealed, sizeof sealed, opened, NULL));
}

static void test_empty(void)
{
    g_autoptr(MkKey) key = mk_key_new_random();
    uint8_t sealed[MK_SEAL_OVERHEAD];

    mk_seal(key, NULL, 0, NULL, 0, sealed);
    g_assert_true(mk_unseal(key, NULL, 0, sealed, sizeof sealed, NULL, NULL));
    mk_siv_seal(key, NULL, 0, NULL, 0, sealed);
    g_assert_true(mk_siv_unseal(key, NULL, 0, sealed, MK_SIV_OVERHEAD, NULL, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(mk_crypto_init(NULL));
    g_test_add_func("/crypto/seal/published-vector", test_published_vector);
    g_test_add_func("/crypto/seal/every-bit-counts", test_every_bit_counts);
    g_test_add_func("/crypto/siv/vector", test_siv_vector);
    g_test_add_func("/crypto/siv/every-bit-counts", test_siv_every_bit_counts);
    g_test_add_func("/crypto/seal/empty", test_empty);
    return g_test_run();
}
