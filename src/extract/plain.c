/*
 * plain.c - text files and web pages: which charset, then out
 */
#include <string.h>

#include <mailkeep/mail.h>

#include "internal.h"

#define LOOK_BYTES 4096 /* for NULs of UTF-16 without a mark */
#define META_BYTES 1024 /* for a charset in a page: HTML standard 13.2.3.2 */

typedef enum {
    TEXT_OCTETS, /* UTF-8 or windows-1252 */
    TEXT_UTF8,
    TEXT_UTF16_LITTLE,
    TEXT_UTF16_BIG,
} TextForm;

/* Latin text in UTF-16 has a NUL in nearly every character, always on the same side. */
static TextForm form_of_nuls(const uint8_t *data, size_t length)
{
    size_t look = MIN(length, LOOK_BYTES) & ~(size_t) 1, nuls[2] = { 0, 0 };

    for (size_t i = 0; i < look; i++)
        nuls[i % 2] += data[i] == 0;
    if (nuls[1] > look / 5 && nuls[0] * 20 <= nuls[1])
        return TEXT_UTF16_LITTLE;
    if (nuls[0] > look / 5 && nuls[1] * 20 <= nuls[0])
        return TEXT_UTF16_BIG;
    return TEXT_OCTETS;
}

static TextForm form_of(const uint8_t *data, size_t length, size_t *out_mark)
{
    *out_mark = 0;
    if (length >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
        *out_mark = 3;
        return TEXT_UTF8;
    }
    if (length >= 2 && memcmp(data, "\xff\xfe", 2) == 0) {
        *out_mark = 2;
        return TEXT_UTF16_LITTLE;
    }
    if (length >= 2 && memcmp(data, "\xfe\xff", 2) == 0) {
        *out_mark = 2;
        return TEXT_UTF16_BIG;
    }
    return form_of_nuls(data, length);
}

/* Valid but for a character cut off at the end, which a limit of size does. */
static bool is_utf8(const uint8_t *data, size_t length)
{
    const char *end;

    return g_utf8_validate_len((const char *) data, length, &end) ||
           ((const char *) data + length - end < 4 && end > (const char *) data &&
            g_utf8_get_char_validated(end, (const char *) data + length - end) == (gunichar) -2);
}

static bool out_text(Extraction *x, const uint8_t *data, size_t length)
{
    size_t mark;
    TextForm form = form_of(data, length, &mark);

    data += mark;
    length -= mark;
    if (form == TEXT_UTF16_LITTLE || form == TEXT_UTF16_BIG)
        return out_utf16(x, data, length, form == TEXT_UTF16_BIG);
    if (form == TEXT_UTF8 || is_utf8(data, length))
        return out_utf8(x, (const char *) data, length);
    return out_1252(x, data, length);
}

MkTextWhy read_plain(Extraction *x, const Document *document)
{
    return out_text(x, document->data, document->length) ? MK_WHY_NONE : MK_WHY_TEXT;
}

/* -- pages ----------------------------------------------------------------------------------------- */

/* The charset that a page's head names; "" if none. */
static void meta_charset(const uint8_t *data, size_t length, char *out, size_t size)
{
    const char *at, *end = (const char *) data + MIN(length, META_BYTES);
    size_t used = 0;

    out[0] = '\0';
    for (at = (const char *) data; end - at > 8; at++)
        if (g_ascii_strncasecmp(at, "charset=", 8) == 0)
            break;
    if (end - at <= 8)
        return;
    for (at += 8; at < end && (*at == '"' || *at == '\'' || *at == ' '); at++)
        continue;
    while (at < end && used + 1 < size && (g_ascii_isalnum(*at) || strchr("-_:.", *at)))
        out[used++] = *at++;
    out[used] = '\0';
}

/* Gathers what out_...() makes of the octets. */
static void gather(void *cookie, const char *text, size_t length)
{
    g_string_append_len(cookie, text, (gssize) length);
}

static void page_utf8(const uint8_t *data, size_t length, GString *out)
{
    Extraction inner = { .text_left = SIZE_MAX, .on_text = gather, .cookie = out };
    g_autofree char *text = NULL;
    size_t mark, converted = 0;
    char charset[64];

    if (form_of(data, length, &mark) == TEXT_OCTETS && !is_utf8(data, length)) {
        meta_charset(data, length, charset, sizeof charset);
        if (charset[0] != '\0')
            text = charset_convert(data, length, charset, &converted);
    }
    if (text)
        out_utf8(&inner, text, converted);
    else
        out_text(&inner, data, length);
}

MkTextWhy read_html(Extraction *x, const Document *document)
{
    GString *page = g_string_new(NULL), *text = g_string_new(NULL);
    bool whole;

    page_utf8(document->data, document->length, page);
    /* One more than fits, so that what is left out is noticed. */
    mk_html_to_text(page->str, page->len, text, x->text_left + 8);
    whole = out_utf8(x, text->str, text->len);
    g_string_free(page, TRUE);
    g_string_free(text, TRUE);
    return whole ? MK_WHY_NONE : MK_WHY_TEXT;
}
