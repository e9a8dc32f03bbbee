/*
 * test_base64.c - the layouts of base64 that occur come back octet for octet
 *
 * Expected values: RFC 4648 10 for the alphabet; GLib's g_base64_* is the second program.
 */
#include <mailkeep/mail.h>

#include <string.h>

static void check_exact(const char *name, const char *encoded, size_t length)
{
    g_autoptr(GByteArray) decoded = g_byte_array_new();
    g_autoptr(GByteArray) recipe = g_byte_array_new();
    g_autoptr(GByteArray) again = g_byte_array_new();

    if (!mk_base64_decode_exact((const uint8_t *) encoded, length, decoded, recipe) ||
        !mk_base64_encode_exact(decoded->data, decoded->len, recipe->data, recipe->len, again) ||
        again->len != length || memcmp(again->data, encoded, length) != 0) {
        g_test_message("layout: %s, %zu octets", name, length);
        g_test_fail();
    }
}

static GByteArray *some_octets(guint length)
{
    GByteArray *octets = g_byte_array_sized_new(length);
    g_autoptr(GRand) rand = g_rand_new_with_seed(length);

    for (guint i = 0; i < length; i++) {
        guint8 octet = (guint8) g_rand_int(rand);

        g_byte_array_append(octets, &octet, 1);
    }
    return octets;
}

/* @letters in lines of @width, each but the last followed by @eol. */
static GString *wrap(const char *letters, size_t width, const char *eol)
{
    GString *out = g_string_new(NULL);
    size_t length = strlen(letters);

    for (size_t i = 0; i < length; i += width) {
        g_string_append_len(out, letters + i, (gssize) MIN(width, length - i));
        if (i + width < length)
            g_string_append(out, eol);
    }
    return out;
}

static const struct {
    const char *name;
    const char *before;
    size_t width;
    const char *eol;
    const char *after;
} layouts[] = {
    { "76, CRLF", "", 76, "\r\n", "" },
    { "76, LF, line end", "", 76, "\n", "\n" },
    { "72", "", 72, "\r\n", "\r\n" },
    { "64", "", 64, "\n", "" },
    { "one line", "", 1u << 20, "", "" },
    { "not a multiple of four", "", 75, "\r\n", "\r\n" },
    { "shorter than a quantum", "", 3, "\n", "\n" },
    { "blank lines before and after", "\r\n\r\n", 76, "\r\n", "\r\n\r\n\r\n" },
    { "blanks before", " \t\r\n", 76, "\r\n", "\r\n" },
    { "a footer behind the padding", "", 76, "\r\n",
      "\r\n\r\n_______________\r\nlist mailing list\r\nhttp://list.example/\r\n" },
    { "a line end of another kind at the end", "", 76, "\r\n", "\n" },
    { "the boundary's blank lines", "", 76, "\n", "\n\n\n" },
    { "wide", "", 996, "\r\n", "\r\n" },
};

static void test_layouts(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(layouts); i++)
        for (guint length = 1000; length < 1006; length++) {
            g_autoptr(GByteArray) octets = some_octets(length);
            g_autofree char *letters = g_base64_encode(octets->data, octets->len);
            GString *body = wrap(letters, layouts[i].width, layouts[i].eol);

            g_string_prepend(body, layouts[i].before);
            g_string_append(body, layouts[i].after);
            check_exact(layouts[i].name, body->str, body->len);
            g_string_free(body, TRUE);
        }
}

/* The decoded octets are those that were encoded, whatever is around them. */
static void test_decoded(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(layouts); i++) {
        g_autoptr(GByteArray) octets = some_octets(3001);
        g_autofree char *letters = g_base64_encode(octets->data, octets->len);
        g_autoptr(GByteArray) decoded = g_byte_array_new();
        g_autoptr(GByteArray) recipe = g_byte_array_new();
        GString *body = wrap(letters, layouts[i].width, layouts[i].eol);

        g_string_prepend(body, layouts[i].before);
        g_string_append(body, layouts[i].after);
        g_assert_true(mk_base64_decode_exact((uint8_t *) body->str, body->len, decoded, recipe));
        g_assert_cmpmem(decoded->data, decoded->len, octets->data, octets->len);
        g_string_free(body, TRUE);
    }
}

static void test_irregular_lines(void)
{
    g_autoptr(GByteArray) octets = some_octets(6000);
    g_autofree char *letters = g_base64_encode(octets->data, octets->len);
    GString *body = wrap(letters, 76, "\r\n");

    g_string_insert(body, 78 * 10 + 33, "\r\n");
    check_exact("one line broken in two", body->str, body->len);
    g_string_insert(body, 78 * 30 + 2, "\n");
    check_exact("and one with another line end", body->str, body->len);
    g_string_insert(body, 78 * 20, "\r\n");
    check_exact("and a blank line within", body->str, body->len);
    g_string_free(body, TRUE);
}

static void test_blocks_and_tails(void)
{
    g_autoptr(GByteArray) octets = some_octets(9001);
    g_autofree char *letters = g_base64_encode(octets->data, octets->len);
    GString *body = wrap(letters, 76, "\n");
    GString *twice = g_string_new(body->str);

    g_string_append_printf(twice, "\n%s\n", body->str);
    check_exact("two padded blocks", twice->str, twice->len);
    while (body->str[body->len - 1] == '=')
        g_string_truncate(body, body->len - 1);
    check_exact("no padding", body->str, body->len);
    body->str[body->len - 1] = '/';
    check_exact("bits beyond the last octet", body->str, body->len);
    g_string_truncate(body, body->len - 1);
    check_exact("one letter over", body->str, body->len);
    g_string_free(body, TRUE);
    g_string_free(twice, TRUE);
}

static void test_refused(void)
{
    g_autoptr(GByteArray) decoded = g_byte_array_new();
    g_autoptr(GByteArray) recipe = g_byte_array_new();
    GString *text = g_string_new(NULL);

    for (int i = 0; i < 200; i++)
        g_string_append(text, "This is text, of the kind that people write.\r\n");
    g_byte_array_append(decoded, (const guint8 *) "x", 1);
    g_assert_false(mk_base64_decode_exact((uint8_t *) text->str, text->len, decoded, recipe));
    g_assert_false(mk_base64_decode_exact((uint8_t *) "", 0, decoded, recipe));
    g_assert_false(mk_base64_decode_exact((uint8_t *) "\r\n\r\n", 4, decoded, recipe));
    g_assert_cmpmem(decoded->data, decoded->len, "x", 1);
    g_assert_cmpuint(recipe->len, ==, 0);
    g_string_free(text, TRUE);
}

/* A recipe which does not fit the octets, or is damaged, gives false and nothing else. */
static void test_bad_recipes(void)
{
    g_autoptr(GByteArray) octets = some_octets(500);
    g_autofree char *letters = g_base64_encode(octets->data, octets->len);
    GString *body = wrap(letters, 76, "\r\n");
    g_autoptr(GByteArray) decoded = g_byte_array_new();
    g_autoptr(GByteArray) recipe = g_byte_array_new();
    g_autoptr(GByteArray) out = g_byte_array_new();

    g_assert_true(mk_base64_decode_exact((uint8_t *) body->str, body->len, decoded, recipe));
    g_assert_false(
        mk_base64_encode_exact(decoded->data, decoded->len - 1, recipe->data, recipe->len, out));
    g_assert_false(mk_base64_encode_exact(decoded->data, decoded->len, NULL, 0, out));
    for (guint cut = 0; cut < recipe->len; cut++)
        mk_base64_encode_exact(decoded->data, decoded->len, recipe->data, cut, out);
    for (guint i = 0; i < recipe->len; i++) {
        recipe->data[i] ^= 0x41;
        mk_base64_encode_exact(decoded->data, decoded->len, recipe->data, recipe->len, out);
        recipe->data[i] ^= 0x41;
    }
    g_string_free(body, TRUE);
}

static void test_vectors(void)
{
    /* RFC 4648 10, longer so that a recipe pays */
    static const char encoded[] = "Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYg==";
    g_autoptr(GByteArray) decoded = g_byte_array_new();
    g_autoptr(GByteArray) recipe = g_byte_array_new();

    g_assert_true(
        mk_base64_decode_exact((const uint8_t *) encoded, strlen(encoded), decoded, recipe));
    g_assert_cmpmem(decoded->data, decoded->len, "foobarfoobarfoobarfoob", 22);
}

static void test_speed(void)
{
    g_autoptr(GByteArray) octets = some_octets(8u << 20);
    g_autofree char *letters = g_base64_encode(octets->data, octets->len);
    GString *body = wrap(letters, 76, "\r\n");
    g_autoptr(GByteArray) decoded = g_byte_array_new();
    g_autoptr(GByteArray) recipe = g_byte_array_new();
    g_autoptr(GByteArray) again = g_byte_array_new();
    gint64 start = g_get_monotonic_time(), middle, end;

    g_assert_true(mk_base64_decode_exact((uint8_t *) body->str, body->len, decoded, recipe));
    middle = g_get_monotonic_time();
    g_assert_true(
        mk_base64_encode_exact(decoded->data, decoded->len, recipe->data, recipe->len, again));
    end = g_get_monotonic_time();
    g_test_message("decode %.0f MB/s, encode %.0f MB/s",
                   (double) body->len / (double) (middle - start),
                   (double) body->len / (double) (end - middle));
    g_string_free(body, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mail/base64/vectors", test_vectors);
    g_test_add_func("/mail/base64/layouts", test_layouts);
    g_test_add_func("/mail/base64/decoded", test_decoded);
    g_test_add_func("/mail/base64/irregular-lines", test_irregular_lines);
    g_test_add_func("/mail/base64/blocks-and-tails", test_blocks_and_tails);
    g_test_add_func("/mail/base64/refused", test_refused);
    g_test_add_func("/mail/base64/bad-recipes", test_bad_recipes);
    g_test_add_func("/mail/base64/speed", test_speed);
    return g_test_run();
}
