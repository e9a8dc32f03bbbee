/*
 * charset.c - octets in some charset out as UTF-8
 */
#include <stdio.h>
#include <string.h>

#include "internal.h"

#define BLOCK 4096 /* characters converted at a time */

/* 0x80..0x9f of windows-1252; the unassigned five are as in the WHATWG's encoding standard. */
static const gunichar high[32] = {
    0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,  0x2030, 0x160,
    0x2039, 0x152,  0x8d,   0x17d,  0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178,
};

bool out_1252(Extraction *x, const uint8_t *data, size_t length)
{
    char block[BLOCK * 3];
    size_t used = 0;

    for (size_t i = 0; i < length; i++) {
        gunichar c = data[i] >= 0x80 && data[i] < 0xa0 ? high[data[i] - 0x80] : data[i];

        used += (size_t) g_unichar_to_utf8(c, block + used);
        if (used + 3 > sizeof block) {
            if (!out_utf8(x, block, used))
                return false;
            used = 0;
        }
    }
    return out_utf8(x, block, used);
}

static gunichar unit_at(const uint8_t *data, bool big_endian)
{
    return big_endian ? (gunichar) data[0] << 8 | data[1] : (gunichar) data[1] << 8 | data[0];
}

/* One character; a surrogate without its other half is U+FFFD. */
static gunichar utf16_next(const uint8_t *data, size_t length, bool big_endian, size_t *at)
{
    gunichar c = unit_at(data + *at, big_endian), low;

    *at += 2;
    if (c < 0xd800 || c > 0xdfff)
        return c;
    if (c >= 0xdc00 || *at + 2 > length)
        return 0xfffd;
    low = unit_at(data + *at, big_endian);
    if (low < 0xdc00 || low > 0xdfff)
        return 0xfffd;
    *at += 2;
    return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

bool out_utf16(Extraction *x, const uint8_t *data, size_t length, bool big_endian)
{
    char block[BLOCK * 3];
    size_t used = 0, at = 0;

    while (at + 2 <= length) {
        gunichar c = utf16_next(data, length, big_endian, &at);

        used += (size_t) g_unichar_to_utf8(c == 0 ? ' ' : c, block + used);
        if (used + 6 > sizeof block) {
            if (!out_utf8(x, block, used))
                return false;
            used = 0;
        }
    }
    return out_utf8(x, block, used);
}

bool out_octets(Extraction *x, const uint8_t *data, size_t length)
{
    if (length == 0)
        return !extract_is_over(x);
    if (g_utf8_validate_len((const char *) data, length, NULL))
        return out_utf8(x, (const char *) data, length);
    return out_1252(x, data, length);
}

/* -- by name ------------------------------------------------------------------------------------- */

char *charset_convert(const uint8_t *data, size_t length, const char *charset, size_t *out_length)
{
    gsize written;
    char *text = g_convert_with_fallback((const char *) data, (gssize) length, "UTF-8", charset,
                                         "?", NULL, &written, NULL);

    if (text)
        *out_length = written;
    return text;
}

/* Numbers whose names are not "CP" and the number. */
static const struct {
    unsigned codepage;
    const char *name;
} codepages[] = {
    { 20127, "ASCII" },       { 20866, "KOI8-R" },      { 20932, "EUC-JP" },
    { 21866, "KOI8-U" },      { 28591, "ISO-8859-1" },  { 28592, "ISO-8859-2" },
    { 28593, "ISO-8859-3" },  { 28594, "ISO-8859-4" },  { 28595, "ISO-8859-5" },
    { 28596, "ISO-8859-6" },  { 28597, "ISO-8859-7" },  { 28598, "ISO-8859-8" },
    { 28599, "ISO-8859-9" },  { 28603, "ISO-8859-13" }, { 28605, "ISO-8859-15" },
    { 50220, "ISO-2022-JP" }, { 50221, "ISO-2022-JP" }, { 50222, "ISO-2022-JP" },
    { 50225, "ISO-2022-KR" }, { 51932, "EUC-JP" },      { 51949, "EUC-KR" },
    { 54936, "GB18030" },     { 65000, "UTF-7" },
};

static void codepage_name(unsigned codepage, char *out, size_t size)
{
    for (size_t i = 0; i < G_N_ELEMENTS(codepages); i++)
        if (codepages[i].codepage == codepage) {
            g_strlcpy(out, codepages[i].name, size);
            return;
        }
    snprintf(out, size, "CP%u", codepage);
}

bool out_codepage(Extraction *x, const uint8_t *data, size_t length, unsigned codepage)
{
    g_autofree char *text = NULL;
    size_t text_length = 0;
    char name[32];

    if (codepage == 1200 || codepage == 1201)
        return out_utf16(x, data, length, codepage == 1201);
    if (codepage == 0 || codepage == 1252 || codepage == 65001 || length == 0)
        return out_octets(x, data, length);
    codepage_name(codepage, name, sizeof name);
    text = charset_convert(data, length, name, &text_length);
    return text ? out_utf8(x, text, text_length) : out_octets(x, data, length);
}
