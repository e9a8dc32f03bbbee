/*
 * pdf.c - PDF by poppler's pdftotext, pictures of pages by tesseract
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <mailkeep/limits.h>

#include "internal.h"

#define PAGE_BYTES (32u << 20) /* one page as a grey picture: A4 at 150 dpi has 2.2 MB, A0 35 */
#define LANGUAGES_BYTES 64
#define TESSDATA "/usr/share/tesseract-ocr/%s/tessdata/%s.traineddata"

/* -- OCR ------------------------------------------------------------------------------------------ */

static bool has_language(const char *name)
{
    static const char *const versions[] = { "5", "4.00" };
    char path[128];

    for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
        snprintf(path, sizeof path, TESSDATA, versions[i], name);
        if (access(path, R_OK) == 0)
            return true;
    }
    return false;
}

/* More languages cost time; these are the ones that the rest of the product knows best. */
static void languages(char *out, size_t size)
{
    static const char *const wanted[] = { "deu", "eng", "fra", "ita", "spa" };

    out[0] = '\0';
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
        if (has_language(wanted[i])) {
            if (out[0] != '\0')
                g_strlcat(out, "+", size);
            g_strlcat(out, wanted[i], size);
        }
    if (out[0] == '\0')
        g_strlcpy(out, "eng", size);
}

static MkTextWhy read_picture(Extraction *x, const uint8_t *data, size_t length)
{
    char language[LANGUAGES_BYTES];
    const char *arguments[] = { PROGRAM_OCR, "stdin", "stdout", "-l", language, NULL };

    languages(language, sizeof language);
    return program_text(x, arguments, data, length);
}

MkTextWhy read_image(Extraction *x, const Document *document)
{
    return read_picture(x, document->data, document->length);
}

static bool on_page(void *cookie, const uint8_t *data, size_t length)
{
    GByteArray *page = cookie;

    if (page->len + length > PAGE_BYTES)
        return false;
    g_byte_array_append(page, data, (guint) length);
    return true;
}

/* False when there is no such page. */
static bool read_page(Extraction *x, const Document *document, unsigned number)
{
    g_autoptr(GByteArray) page = g_byte_array_new();
    char text[16];
    const char *arguments[] = {
        PROGRAM_PDF_PAGES, "-q", "-gray", "-r", "150", "-f", text, "-l", text, "-", NULL
    };

    snprintf(text, sizeof text, "%u", number);
    if (program_run(arguments, document->data, document->length, on_page, page) != MK_WHY_NONE ||
        page->len == 0)
        return false;
    if (read_picture(x, page->data, page->len) != MK_WHY_NONE)
        extract_note(x, MK_WHY_PART);
    return !extract_is_over(x);
}

static void read_pages(Extraction *x, const Document *document)
{
    if (!x->programs || !program_is_there(PROGRAM_PDF_PAGES) || !program_is_there(PROGRAM_OCR))
        return;
    for (unsigned number = 1; number <= MK_LIMIT_EXTRACT_OCR_PAGES; number++)
        if (!read_page(x, document, number))
            return;
}

/* -- text ------------------------------------------------------------------------------------------ */

MkTextWhy read_pdf(Extraction *x, const Document *document)
{
    static const char *const arguments[] = { PROGRAM_PDF, "-q", "-enc", "UTF-8", "-", "-", NULL };
    bool had_text = x->has_text;
    MkTextWhy why;

    x->has_text = false;
    why = program_text(x, arguments, document->data, document->length);
    /* pdftotext opens what has an empty password; what it then cannot open needs another. */
    if (why == MK_WHY_DAMAGED && !x->has_text &&
        memmem(document->data, document->length, "/Encrypt", 8))
        why = MK_WHY_PASSWORD;
    if (why == MK_WHY_NONE && !x->has_text && x->ocr)
        read_pages(x, document);
    x->has_text = x->has_text || had_text;
    return why;
}
