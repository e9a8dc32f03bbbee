/*
 * test_picture.c - what passes as a page's picture: a whole PNG of a size that was to be expected
 */
#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>

#include "text/internal.h"

#define BEGIN "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
#define END "\0\0\0\0IEND\xae\x42\x60\x82" /* PNG 1.2, 4.1.4 */

static GByteArray *picture(uint32_t count, uint32_t width, uint32_t height)
{
    GByteArray *out = g_byte_array_new();

    mk_put_u32(out, count);
    g_byte_array_append(out, (const uint8_t *) BEGIN, sizeof BEGIN - 1);
    mk_put_u32(out, width);
    mk_put_u32(out, height);
    g_byte_array_append(out, (const uint8_t *) "\10\2\0\0\0....", 9);
    g_byte_array_append(out, (const uint8_t *) END, sizeof END - 1);
    return out;
}

static bool passes(const void *data, size_t length)
{
    /* Of its exact size, so that a sanitizer sees a read behind the end. */
    g_autofree uint8_t *copy = g_memdup2(data, length);
    g_auto(MkPagePicture) out = { .png = NULL };
    bool good = mk_page_picture_parse(copy, length, &out);

    g_assert_true(good || (out.png == NULL && out.page_count == 0));
    return good;
}

static void test_good(void)
{
    g_autoptr(GByteArray) whole = picture(7, MK_LIMIT_PAGE_WIDTH, MK_LIMIT_PAGE_HEIGHT);
    g_auto(MkPagePicture) out = { .png = NULL };
    gsize length = 0;

    g_assert_true(mk_page_picture_parse(whole->data, whole->len, &out));
    g_assert_cmpuint(out.page_count, ==, 7);
    const void *png = g_bytes_get_data(out.png, &length);
    g_assert_cmpmem(png, length, whole->data + 4, whole->len - 4);
    /* The number alone: there is no such page. */
    g_assert_true(passes(whole->data, 4));
}

static void test_sizes(void)
{
    static const struct {
        uint32_t count, width, height;
    } wrong[] = {
        { 0, 10, 10 },
        { MK_LIMIT_DOCUMENT_PAGES + 1, 10, 10 },
        { 1, 0, 10 },
        { 1, 10, 0 },
        { 1, MK_LIMIT_PAGE_WIDTH + 1, 10 },
        { 1, 10, MK_LIMIT_PAGE_HEIGHT + 1 },
        { 1, UINT32_MAX, UINT32_MAX },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GByteArray) whole = picture(wrong[i].count, wrong[i].width, wrong[i].height);
        g_assert_false(passes(whole->data, whole->len));
    }
}

/* Cut anywhere, or with one octet wrong in its head or end, it is none. */
static void test_damaged(void)
{
    static const char jpeg[] =
        "\0\0\0\1\xff\xd8\xff\xe0 JFIF and so on, as long as a small picture is";
    g_autoptr(GByteArray) whole = picture(1, 10, 10);

    for (guint length = 0; length < whole->len; length++)
        g_assert_true(passes(whole->data, length) == (length == 4));
    for (guint at = 4; at < 4 + sizeof BEGIN - 1; at++) {
        whole->data[at] ^= 1;
        g_assert_false(passes(whole->data, whole->len));
        whole->data[at] ^= 1;
    }
    for (guint at = whole->len - (sizeof END - 1); at < whole->len; at++) {
        whole->data[at] ^= 1;
        g_assert_false(passes(whole->data, whole->len));
        whole->data[at] ^= 1;
    }
    g_assert_true(passes(whole->data, whole->len));
    g_assert_false(passes(jpeg, sizeof jpeg));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/text/picture/good", test_good);
    g_test_add_func("/text/picture/sizes", test_sizes);
    g_test_add_func("/text/picture/damaged", test_damaged);
    return g_test_run();
}
