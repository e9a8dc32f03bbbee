/*
 * mail_base64.c - what is decoded exactly is encoded to the same octets; bad recipes are refused
 */
#include <mailkeep/mail.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round(const uint8_t *data, size_t size)
{
    g_autoptr(GByteArray) decoded = g_byte_array_new();
    g_autoptr(GByteArray) recipe = g_byte_array_new();
    g_autoptr(GByteArray) again = g_byte_array_new();

    if (!mk_base64_decode_exact(data, size, decoded, recipe)) {
        g_assert_cmpuint(decoded->len + recipe->len, ==, 0);
        return;
    }
    g_assert_true(
        mk_base64_encode_exact(decoded->data, decoded->len, recipe->data, recipe->len, again));
    g_assert_cmpmem(again->data, again->len, data, size);
}

/* The first octet says how much of the rest is a recipe. */
static void check_recipe(const uint8_t *data, size_t size)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    size_t recipe = size > 0 ? MIN(data[0], size - 1) : 0;

    if (size > 0)
        mk_base64_encode_exact(data + 1 + recipe, size - 1 - recipe, data + 1, recipe, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_round(data, size);
    check_recipe(data, size);
    return 0;
}
