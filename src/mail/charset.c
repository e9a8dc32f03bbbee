/*
 * charset.c - octets to valid UTF-8
 *
 * Labels lie. What is called us-ascii or iso-8859-1 is read as UTF-8 if it is valid UTF-8 and else
 * as windows-1252; the Asian labels stand for their supersets, which is what mailers mean by
 * them (as in the WHATWG Encoding standard). Octets that fit no encoding are windows-1252 too:
 * something readable that search can find, instead of nothing.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

#define NAME_BYTES 40 /* longer charset names do not exist */

/* windows-1252, 0x80 to 0x9f; U+FFFD where it has nothing */
static const gunichar c1[32] = {
    0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd, 0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178,
};

static void append_octet(GString *out, uint8_t octet)
{
    if (octet < 0x80 && octet != 0)
        g_string_append_c(out, (char) octet);
    else if (octet != 0 && octet < 0xa0)
        g_string_append_unichar(out, c1[octet - 0x80]);
    else if (octet != 0)
        g_string_append_unichar(out, octet);
}

/* Appends valid UTF-8 in which C1 controls stand for what windows-1252 has there. */
static void append_valid(GString *out, const char *text, size_t length)
{
    const char *end = text + length, *at;

    while ((at = memchr(text, 0xC2, (size_t) (end - text)))) {
        uint8_t second = (uint8_t) at[1];

        g_string_append_len(out, text, at - text);
        if (second < 0xa0)
            g_string_append_unichar(out, c1[second - 0x80]);
        else
            g_string_append_len(out, at, 2);
        text = at + 2;
    }
    g_string_append_len(out, text, end - text);
}

static void append_1252(GString *out, const uint8_t *octets, size_t length)
{
    for (size_t i = 0; i < length; i++)
        append_octet(out, octets[i]);
}

/* Broken UTF-8 (cut within a character) or another charset in which some octets look like it? */
static bool is_mostly_utf8(const char *at, const char *end)
{
    size_t characters = 0, bad_octets = 0;
    const char *bad;

    while (at < end) {
        gboolean valid = g_utf8_validate(at, end - at, &bad);

        for (; at < bad; at = g_utf8_next_char(at))
            characters += (uint8_t) *at >= 0x80;
        bad_octets += !valid && *bad != '\0';
        at = bad + 1;
    }
    return characters >= 2 * bad_octets;
}

void mk_utf8_append(GString *out, const void *octets, size_t length)
{
    const char *at = octets, *end = at + length, *bad;

    if (g_utf8_validate(octets, (gssize) length, NULL)) {
        append_valid(out, at, length);
        return;
    }
    if (!is_mostly_utf8(at, end)) {
        append_1252(out, octets, length);
        return;
    }
    while (at < end) {
        gboolean valid = g_utf8_validate(at, end - at, &bad);

        append_valid(out, at, (size_t) (bad - at));
        if (valid)
            return;
        append_octet(out, (uint8_t) *bad);
        at = bad + 1;
    }
}

void mk_utf8_cut(GString *text, size_t max_bytes)
{
    size_t length = max_bytes;

    if (text->len <= max_bytes)
        return;
    while (length > 0 && ((uint8_t) text->str[length] & 0xc0) == 0x80)
        length--;
    g_string_truncate(text, length);
}

/* -- labels ---------------------------------------------------------------------------------- */

typedef enum {
    READ_UTF8, /* UTF-8 where it is valid, windows-1252 where not */
    READ_1252, /* UTF-8 if all of it is, else windows-1252 */
    READ_ICONV,
} Reading;

static const struct {
    const char *label;
    const char *meant; /* NULL: no iconv */
    Reading reading;
} labels[] = {
    { "", NULL, READ_UTF8 },
    { "us-ascii", NULL, READ_UTF8 },
    { "ascii", NULL, READ_UTF8 },
    { "ansi_x3.4-1968", NULL, READ_UTF8 },
    { "utf-8", NULL, READ_UTF8 },
    { "utf8", NULL, READ_UTF8 },
    { "unknown-8bit", NULL, READ_UTF8 },
    { "x-unknown", NULL, READ_UTF8 },
    { "8bit", NULL, READ_UTF8 },
    { "default", NULL, READ_UTF8 },
    { "iso-8859-1", NULL, READ_1252 },
    { "iso8859-1", NULL, READ_1252 },
    { "iso_8859-1", NULL, READ_1252 },
    { "latin1", NULL, READ_1252 },
    { "windows-1252", NULL, READ_1252 },
    { "cp1252", NULL, READ_1252 },
    { "x-ansi", NULL, READ_1252 },
    { "iso-8859-9", "WINDOWS-1254", READ_ICONV },
    { "iso-8859-11", "CP874", READ_ICONV },
    { "windows-874", "CP874", READ_ICONV },
    { "tis-620", "CP874", READ_ICONV },
    { "iso-8859-8-i", "ISO-8859-8", READ_ICONV },
    { "iso-8859-8-e", "ISO-8859-8", READ_ICONV },
    { "iso-8859-6-i", "ISO-8859-6", READ_ICONV },
    { "gb2312", "GB18030", READ_ICONV },
    { "gbk", "GB18030", READ_ICONV },
    { "x-gbk", "GB18030", READ_ICONV },
    { "hz-gb-2312", "HZ-GB-2312", READ_ICONV },
    { "ks_c_5601-1987", "CP949", READ_ICONV },
    { "ks_c_5601", "CP949", READ_ICONV },
    { "euc-kr", "CP949", READ_ICONV },
    { "shift_jis", "CP932", READ_ICONV },
    { "shift-jis", "CP932", READ_ICONV },
    { "sjis", "CP932", READ_ICONV },
    { "x-sjis", "CP932", READ_ICONV },
    { "big5", "BIG5-HKSCS", READ_ICONV },
    { "x-mac-roman", "MACINTOSH", READ_ICONV },
    { "unicode-1-1-utf-7", "UTF-7", READ_ICONV },
    { "unicode", "UTF-16", READ_ICONV },
};

static const char *label_meaning(const char *label, Reading *out_reading)
{
    for (size_t i = 0; i < G_N_ELEMENTS(labels); i++)
        if (g_str_equal(label, labels[i].label)) {
            *out_reading = labels[i].reading;
            return labels[i].meant;
        }
    *out_reading = READ_ICONV;
    return label;
}

/* Lower case, without what no charset name has: iconv() would read "//" as a request. */
static void label_clean(const char *label, char out[NAME_BYTES])
{
    size_t n = 0;

    for (; label && *label && n + 1 < NAME_BYTES; label++)
        if (g_ascii_isalnum(*label) || strchr("-_.:+", *label))
            out[n++] = g_ascii_tolower(*label);
    out[n] = '\0';
}

/* -- iconv --------------------------------------------------------------------------------------- */

/* As far as @max_bytes; octets which do not fit the charset are windows-1252. */
static void append_iconv(GString *out, GIConv iconv, const char *in, size_t length,
                         size_t max_bytes)
{
    size_t start = out->len;
    char chunk[4096];

    while (length > 0 && out->len - start <= max_bytes) {
        char *from = (char *) in, *to = chunk;
        size_t room = sizeof chunk, left = length;
        gsize rc = g_iconv(iconv, &from, &left, &to, &room);
        int why = errno;

        mk_utf8_append(out, chunk, sizeof chunk - room);
        in = from;
        length = left;
        if (rc == (gsize) -1 && why != E2BIG && length > 0) {
            append_octet(out, (uint8_t) *in++);
            length--;
        }
    }
}

/* Seven-bit Japanese without a label: its escape sequences are nothing else. */
static bool is_iso_2022_jp(const char *text, size_t length)
{
    return memchr(text, 0x1b, length) != NULL &&
           (memmem(text, length, "\x1b$B", 3) || memmem(text, length, "\x1b$@", 3));
}

bool mk_charset_append(GString *out, const void *octets, size_t length, const char *charset,
                       size_t max_bytes)
{
    size_t start = out->len;
    char label[NAME_BYTES];
    Reading reading;
    const char *meant;
    GIConv iconv = (GIConv) -1;

    if (length == 0)
        return true;
    label_clean(charset, label);
    meant = label_meaning(label, &reading);
    if (reading == READ_UTF8 && is_iso_2022_jp(octets, length))
        meant = "ISO-2022-JP";
    if (meant)
        iconv = g_iconv_open("UTF-8", meant);
    if (iconv != (GIConv) -1) {
        append_iconv(out, iconv, octets, length, max_bytes);
        g_iconv_close(iconv);
    } else {
        length = MIN(length, max_bytes + 4); /* no octet gives less than one octet of UTF-8 */
        if (reading == READ_1252 && !g_utf8_validate(octets, (gssize) length, NULL))
            append_1252(out, octets, length);
        else
            mk_utf8_append(out, octets, length);
    }
    if (out->len - start <= max_bytes)
        return true;
    mk_utf8_cut(out, start + max_bytes);
    return false;
}
