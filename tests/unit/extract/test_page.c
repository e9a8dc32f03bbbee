/*
 * test_page.c - pages of PDFs as pictures, by the helper as the daemon runs it; what is not drawn
 *
 * Pictures are read by PNG's own rules (PNG 1.2, 3 and 9) with zlib, and compared with what the
 * document says is on the page.
 */
#include <string.h>

#include <zlib.h>

#include <mailkeep/limits.h>

#include "samples.h"

#define WORDS "BT /F1 40 Tf 50 700 Td (Hello portable world) Tj ET"
#define LETTERS "%PDF-1.4 and then nothing"

static bool can_draw(void)
{
    if (program_is_there(PROGRAM_PDF_PAGES) && program_is_there(PROGRAM_PDF_INFO))
        return true;
    g_test_skip("a program is not installed");
    return false;
}

static void draw(unsigned page, uint32_t seconds, const void *data, size_t length,
                 MkPagePicture *out)
{
    g_autofree char *program = g_build_filename(g_getenv("BIN_DIR"), "mailkeep-extract", NULL);
    MkExtractorOptions options = MK_EXTRACTOR_OPTIONS_INIT;
    g_autoptr(MkExtractor) extractor = NULL;

    options.program = program;
    options.seconds = seconds;
    extractor = mk_extractor_new(&options);
    mk_extractor_draw(extractor, page, data, length, out);
}

/* -- a PNG of 8 bit RGB ------------------------------------------------------------------------- */

typedef struct {
    unsigned width, height;
    GByteArray *rows; /* without the filters' octets */
} Png;

static void png_clear(Png *png)
{
    g_byte_array_unref(png->rows);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Png, png_clear)

static unsigned number_at(const uint8_t *octets)
{
    return (unsigned) octets[0] << 24 | (unsigned) octets[1] << 16 | (unsigned) octets[2] << 8 |
           octets[3];
}

/* The octets of all IDAT chunks; each chunk's checksum is right. */
static GByteArray *packed_pixels(const uint8_t *data, size_t length)
{
    GByteArray *packed = g_byte_array_new();
    unsigned size;

    for (size_t at = 8; at < length; at += 12 + size) {
        size = number_at(data + at);
        g_assert_cmpuint(size, <=, length - at - 12);
        g_assert_cmpuint(crc32(0, data + at + 4, size + 4), ==, number_at(data + at + 8 + size));
        if (memcmp(data + at + 4, "IDAT", 4) == 0)
            g_byte_array_append(packed, data + at + 8, size);
    }
    return packed;
}

static int predict(unsigned filter, int left, int up, int corner)
{
    int to_left = ABS(up - corner), to_up = ABS(left - corner);
    int to_corner = ABS(left + up - 2 * corner);

    switch (filter) {
    case 1: return left;
    case 2: return up;
    case 3: return (left + up) / 2;
    case 4:
        return to_left <= to_up && to_left <= to_corner ? left : to_up <= to_corner ? up : corner;
    default: return 0;
    }
}

static void unfilter(Png *png, const uint8_t *raw)
{
    size_t stride = 3 * (size_t) png->width;

    g_byte_array_set_size(png->rows, (guint) (stride * png->height));
    for (size_t y = 0; y < png->height; y++)
        for (size_t x = 0; x < stride; x++) {
            uint8_t *here = png->rows->data + y * stride + x;
            int left = x >= 3 ? here[-3] : 0, up = y > 0 ? here[-(ssize_t) stride] : 0;
            int corner = x >= 3 && y > 0 ? here[-(ssize_t) stride - 3] : 0;

            *here = (uint8_t) (raw[y * (stride + 1) + 1 + x] +
                               predict(raw[y * (stride + 1)], left, up, corner));
        }
}

static void png_read(GBytes *octets, Png *out)
{
    static const uint8_t form[] = { 8, 2, 0, 0, 0 }; /* RGB, not interlaced */
    gsize length;
    const uint8_t *data = g_bytes_get_data(octets, &length);
    g_autoptr(GByteArray) packed = packed_pixels(data, length);
    g_autofree uint8_t *raw = NULL;
    uLongf size;

    out->width = number_at(data + 16);
    out->height = number_at(data + 20);
    g_assert_cmpmem(data + 24, 5, form, 5);
    out->rows = g_byte_array_new();
    size = (1 + 3 * (uLongf) out->width) * out->height;
    raw = g_malloc(size);
    g_assert_cmpint(uncompress(raw, &size, packed->data, packed->len), ==, Z_OK);
    g_assert_cmpuint(size, ==, (1 + 3 * (uLongf) out->width) * out->height);
    unfilter(out, raw);
}

static unsigned pixel(const Png *png, unsigned x, unsigned y)
{
    const uint8_t *at = png->rows->data + 3 * ((size_t) y * png->width + x);

    return (unsigned) at[0] << 16 | (unsigned) at[1] << 8 | at[2];
}

/* -- what is drawn --------------------------------------------------------------------------------- */

/* A blue square at the lower left of 600 by 800 points is at the lower left of 1,200 by 1,600 pixels. */
static void test_drawn(void)
{
    g_autoptr(GByteArray) pdf = sample_pdf("0 0 1 rg 0 0 100 100 re f", "", "");
    g_auto(MkPagePicture) out = { .png = NULL };
    g_auto(Png) png = { .rows = NULL };

    if (!can_draw())
        return;
    draw(1, 30, pdf->data, pdf->len, &out);
    g_assert_cmpint(out.result, ==, MK_TEXT_COMPLETE);
    g_assert_null(out.why);
    g_assert_cmpuint(out.page_count, ==, 1);
    png_read(out.png, &png);
    g_assert_cmpuint(png.width, ==, MK_LIMIT_PAGE_WIDTH);
    g_assert_cmpuint(png.height, ==, 1600);
    g_assert_cmphex(pixel(&png, 5, 1595), ==, 0x0000ff);
    g_assert_cmphex(pixel(&png, 190, 1410), ==, 0x0000ff);
    g_assert_cmphex(pixel(&png, 210, 1595), ==, 0xffffff);
    g_assert_cmphex(pixel(&png, 5, 1390), ==, 0xffffff);
    g_assert_cmphex(pixel(&png, 1195, 5), ==, 0xffffff);
}

/* Letters come from the system's fonts, which the sandbox must let through: their ink is where the
 * line is, and nowhere else. */
static void test_letters(void)
{
    g_autoptr(GByteArray) pdf = sample_pdf(WORDS, "", "");
    g_auto(MkPagePicture) out = { .png = NULL };
    g_auto(Png) png = { .rows = NULL };
    unsigned inside = 0, outside = 0;

    if (!can_draw())
        return;
    draw(1, 30, pdf->data, pdf->len, &out);
    g_assert_cmpint(out.result, ==, MK_TEXT_COMPLETE);
    png_read(out.png, &png);
    /* The base line is 100 points below the upper edge, at pixel 200; 40 points are 80 pixels. */
    for (unsigned y = 0; y < png.height; y++)
        for (unsigned x = 0; x < png.width; x++)
            if (pixel(&png, x, y) != 0xffffff)
                *(x >= 90 && y >= 130 && y <= 230 ? &inside : &outside) += 1;
    g_assert_cmpuint(inside, >, 1000);
    g_assert_cmpuint(outside, ==, 0);
}

/* -- what is not -------------------------------------------------------------------------------------- */

static void check_refused(unsigned page, const void *data, size_t length, MkTextResult result,
                          const char *why)
{
    g_auto(MkPagePicture) out = { .png = NULL };

    draw(page, 30, data, length, &out);
    g_assert_cmpint(out.result, ==, result);
    g_assert_cmpstr(out.why, ==, why);
    g_assert_null(out.png);
}

static void test_no_such_page(void)
{
    g_autoptr(GByteArray) pdf = sample_pdf(WORDS, "", "");
    g_auto(MkPagePicture) out = { .png = NULL };

    if (!can_draw())
        return;
    draw(2, 30, pdf->data, pdf->len, &out);
    g_assert_cmpint(out.result, ==, MK_TEXT_EMPTY);
    g_assert_cmpuint(out.page_count, ==, 1);
    g_assert_null(out.png);
    check_refused(0, pdf->data, pdf->len, MK_TEXT_EMPTY, NULL);
    check_refused(MK_LIMIT_DOCUMENT_PAGES, pdf->data, pdf->len, MK_TEXT_EMPTY, NULL);
    check_refused(MK_LIMIT_DOCUMENT_PAGES + 1, pdf->data, pdf->len, MK_TEXT_EMPTY, NULL);
}

/* The same document with other octets in one place. */
static char *changed(const GByteArray *pdf, const char *was, const char *is)
{
    g_autofree char *text = g_strndup((const char *) pdf->data, pdf->len);
    g_auto(GStrv) halves = g_strsplit(text, was, 2);

    g_assert_nonnull(halves[1]);
    return g_strconcat(halves[0], is, halves[1], NULL);
}

static void test_damaged(void)
{
    g_autoptr(GByteArray) pdf = sample_pdf(WORDS, "", "");
    g_autofree char *key = g_strnfill(64, '5');
    g_autofree char *entry =
        g_strdup_printf("/Root 1 0 R /Encrypt <</Filter /Standard /V 1 /R 2 /P "
                        "-4 /O <%s> /U <%s>>> /ID [<31> <31>]",
                        key, key);
    g_autofree char *locked = changed(pdf, "/Root 1 0 R", entry);

    if (!can_draw())
        return;
    check_refused(1, LETTERS, strlen(LETTERS), MK_TEXT_FAILED, "damaged");
    check_refused(1, "", 0, MK_TEXT_FAILED, "damaged");
    check_refused(1, locked, strlen(locked), MK_TEXT_ENCRYPTED, "password");
}

/* Pages of any size become pictures of bounded size, or none. */
static void test_sizes(void)
{
    static const struct {
        const char *box;
        unsigned width, height; /* 0 = refused */
    } sizes[] = {
        { "[0 0 800 600]", 1200, 900 },          { "[0 0 14400 14400]", 1200, 1200 },
        { "[0 0 999999 999999]", 1200, 1200 },   { "[0 0 10 10000]", 3, 3000 },
        { "[0 0 10000 10]", 1200, 2 },           { "[0 0 2000000 100]", 0, 0 },
        { "[0 0 9999999999 9999999999]", 0, 0 }, { "[0 0 0.01 800]", 0, 0 },
    };
    g_autoptr(GByteArray) pdf = sample_pdf("0 0 1 rg 0 0 9 9 re f", "", "");

    if (!can_draw())
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *text = changed(pdf, "[0 0 600 800]", sizes[i].box);
        g_auto(MkPagePicture) out = { .png = NULL };

        g_test_message("%s", sizes[i].box);
        draw(1, 30, text, strlen(text), &out);
        g_assert_cmpint(out.result, ==, sizes[i].width ? MK_TEXT_COMPLETE : MK_TEXT_FAILED);
        if (out.png) {
            const uint8_t *data = g_bytes_get_data(out.png, NULL);

            g_assert_cmpuint(number_at(data + 16), ==, sizes[i].width);
            g_assert_cmpuint(number_at(data + 20), ==, sizes[i].height);
        }
    }
}

static void test_time(void)
{
    GString *content = g_string_new(NULL);
    g_autoptr(GByteArray) pdf = NULL;
    g_auto(MkPagePicture) out = { .png = NULL };

    /* Pages of lines over all of it, each through a dash pattern. */
    g_string_append(content, "[1 1] 0 d 600 w ");
    for (int i = 0; i < 200000; i++)
        g_string_append(content, "0 0 m 600 800 l S ");
    pdf = sample_pdf(content->str, "", "");
    g_string_free(content, TRUE);
    if (!can_draw())
        return;
    draw(1, 1, pdf->data, pdf->len, &out);
    g_assert_cmpint(out.result, ==, MK_TEXT_FAILED);
    g_assert_cmpstr(out.why, ==, "time");
    g_assert_null(out.png);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/extract/page/drawn", test_drawn);
    g_test_add_func("/extract/page/letters", test_letters);
    g_test_add_func("/extract/page/no-such-page", test_no_such_page);
    g_test_add_func("/extract/page/damaged", test_damaged);
    g_test_add_func("/extract/page/sizes", test_sizes);
    g_test_add_func("/extract/page/time", test_time);
    return g_test_run();
}
