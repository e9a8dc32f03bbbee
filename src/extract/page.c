/*
 * page.c - a page of a PDF as a picture, by poppler's pdfinfo and pdftoppm
 *
 * pdfinfo says how many pages there are and how large this one is; from that follows how finely it
 * is drawn, so that a page of any size becomes a picture of bounded size.
 */
#include <stdio.h>
#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>

#include "internal.h"

#define TAIL_BYTES \
    4096 /* of pdfinfo's words; title and author, which are the sender's, come first */
#define NUMBER_BYTES 16

typedef struct {
    const Document *document;
    unsigned number;
    unsigned count;       /* of all pages; 0 = the document cannot be opened */
    double width, height; /* as shown, in points; 0 = there is no such page */
} Page;

/* -- how many, how large --------------------------------------------------------------------------- */

static bool keep_tail(void *cookie, const uint8_t *data, size_t length)
{
    GString *tail = cookie;

    g_string_append_len(tail, (const char *) data, (gssize) length);
    if (tail->len > TAIL_BYTES)
        g_string_erase(tail, 0, (gssize) (tail->len - TAIL_BYTES));
    return true;
}

/* What stands behind the last line's beginning; NULL when none begins so. */
static const char *behind(const GString *lines, const char *beginning)
{
    const char *at = g_strrstr_len(lines->str, (gssize) lines->len, beginning);

    return at ? at + strlen(beginning) : NULL;
}

static void take_count(Page *page, const GString *lines)
{
    const char *count = behind(lines, "\nPages:");

    if (count)
        page->count = (unsigned) MIN(g_ascii_strtoull(count, NULL, 10), MK_LIMIT_DOCUMENT_PAGES);
}

static bool is_side(double points)
{
    return points >= 1 && points <= MK_LIMIT_PAGE_SIDE_POINTS;
}

/* "  612 x 792 pts (letter)", and by how many degrees it is turned to be shown. */
static void take_size(Page *page, const GString *lines)
{
    char beginning[32], *end;
    const char *size, *turned;
    double width, height = 0;
    bool is_turned;

    snprintf(beginning, sizeof beginning, "\nPage %4u size:", page->number);
    size = behind(lines, beginning);
    snprintf(beginning, sizeof beginning, "\nPage %4u rot:", page->number);
    turned = behind(lines, beginning);
    if (!size || !turned)
        return;
    width = g_ascii_strtod(size, &end);
    if (g_str_has_prefix(end, " x "))
        height = g_ascii_strtod(end + 3, NULL);
    if (!is_side(width) || !is_side(height))
        return;
    is_turned = g_ascii_strtoll(turned, NULL, 10) % 180 != 0;
    page->width = is_turned ? height : width;
    page->height = is_turned ? width : height;
}

static MkTextWhy ask(Page *page, const char *const *arguments)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    const Document *document = page->document;
    MkTextWhy why = program_run(arguments, document->data, document->length, keep_tail, lines);

    if (why != MK_WHY_NONE)
        return why;
    take_count(page, lines);
    take_size(page, lines);
    return page->count == 0 ? MK_WHY_DAMAGED : MK_WHY_NONE;
}

/* Asked for a page behind the last, pdfinfo says nothing at all but that. */
static MkTextWhy look_up(Page *page)
{
    char number[NUMBER_BYTES];
    const char *one[] = { PROGRAM_PDF_INFO, "-f", number, "-l", number, "-", NULL };
    static const char *const all[] = { PROGRAM_PDF_INFO, "-", NULL };
    MkTextWhy why;

    snprintf(number, sizeof number, "%u", page->number);
    why = ask(page, one);
    return why == MK_WHY_DAMAGED ? ask(page, all) : why;
}

/* -- drawing ------------------------------------------------------------------------------------------ */

typedef struct {
    TextSink sink;
    void *cookie;
    bool has_octets;
} Picture;

static bool on_octets(void *cookie, const uint8_t *data, size_t length)
{
    Picture *picture = cookie;

    picture->has_octets = true;
    picture->sink(picture->cookie, (const char *) data, length);
    return true;
}

/* The program rounds pixels up: half a one less, lest there be one too many. */
static double resolution(const Page *page)
{
    double by_width = (MK_LIMIT_PAGE_WIDTH - 0.5) / page->width;
    double by_height = (MK_LIMIT_PAGE_HEIGHT - 0.5) / page->height;

    return 72 * MIN(by_width, by_height);
}

static MkTextWhy draw(const Page *page, Picture *picture)
{
    char number[NUMBER_BYTES], dpi[G_ASCII_DTOSTR_BUF_SIZE];
    const char *arguments[] = { PROGRAM_PDF_PAGES,
                                "-q",
                                "-png",
                                "-cropbox",
                                "-r",
                                dpi,
                                "-f",
                                number,
                                "-l",
                                number,
                                "-",
                                NULL };

    snprintf(number, sizeof number, "%u", page->number);
    g_ascii_dtostr(dpi, sizeof dpi, resolution(page));
    return program_run(arguments, page->document->data, page->document->length, on_octets, picture);
}

/* -- the whole ----------------------------------------------------------------------------------------- */

static void put_count(const Page *page, TextSink sink, void *cookie)
{
    g_autoptr(GByteArray) octets = g_byte_array_new();

    mk_put_u32(octets, page->count);
    sink(cookie, (const char *) octets->data, octets->len);
}

/* As pdf.c: what does not open with an empty password needs another. */
static Verdict failed(const Document *document, MkTextWhy why)
{
    if (why == MK_WHY_DAMAGED && memmem(document->data, document->length, "/Encrypt", 8))
        return (Verdict){ MK_TEXT_ENCRYPTED, MK_WHY_PASSWORD };
    return (Verdict){ MK_TEXT_FAILED, why };
}

Verdict draw_page(const Document *document, unsigned number, TextSink sink, void *cookie)
{
    Page page = { .document = document, .number = number };
    Picture picture = { sink, cookie, false };
    MkTextWhy why;

    if (!program_is_there(PROGRAM_PDF_INFO) || !program_is_there(PROGRAM_PDF_PAGES))
        return (Verdict){ MK_TEXT_NOT_INDEXED, MK_WHY_PROGRAM };
    why = look_up(&page);
    if (why != MK_WHY_NONE)
        return failed(document, why);
    put_count(&page, sink, cookie);
    if (number > page.count)
        return (Verdict){ MK_TEXT_EMPTY, MK_WHY_NONE };
    if (page.width == 0)
        return (Verdict){ MK_TEXT_FAILED, MK_WHY_SIZE };
    why = draw(&page, &picture);
    if (why == MK_WHY_NONE && !picture.has_octets)
        why = MK_WHY_DAMAGED;
    return (Verdict){ why == MK_WHY_NONE ? MK_TEXT_COMPLETE : MK_TEXT_FAILED, why };
}
