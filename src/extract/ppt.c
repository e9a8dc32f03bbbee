/*
 * ppt.c - PowerPoint 97-2003 (MS-PPT): the text atoms of its document stream
 *
 * A record is 8 octets of header and its content; a container's content is records. So one goes
 * into containers by just going on, and nothing needs a stack.
 */
#include <mailkeep/limits.h>

#include "internal.h"

enum {
    RECORD_TEXT_CHARS = 0x0fa0, /* UTF-16LE */
    RECORD_TEXT_BYTES = 0x0fa8, /* the low octets of UTF-16 */
    RECORD_STRING = 0x0fba,     /* UTF-16LE: names, headers, footers */
    RECORD_ENCRYPTION = 0x2f14,
};
#define CONTAINER 0xf
#define TOKEN_ENCRYPTED 0xf3d1c4dfu /* of the current user atom */

static uint32_t u32(const uint8_t *p)
{
    return p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24;
}

static bool is_encrypted(const Cfb *cfb)
{
    uint32_t entry = cfb_find(cfb, CFB_ROOT, "Current User");

    if (entry == CFB_NONE)
        return false;
    g_autoptr(GByteArray) user = cfb_stream(cfb, entry, 64);
    return user->len >= 16 && u32(user->data + 12) == TOKEN_ENCRYPTED;
}

/* Vertical tabs are line ends within a paragraph; '*' alone stands for a field. */
static bool put_atom(Extraction *x, unsigned type, const uint8_t *data, size_t length)
{
    if (type == RECORD_TEXT_BYTES)
        return out_1252(x, data, length) && out_utf8(x, "\n", 1);
    if (type == RECORD_TEXT_CHARS || type == RECORD_STRING)
        return out_utf16(x, data, length, false) && out_utf8(x, "\n", 1);
    return true;
}

/* Names that the program gives by itself are no text of the document. */
static bool is_noise(unsigned type, size_t length)
{
    return type == RECORD_STRING && length <= 2;
}

static MkTextWhy read_records(Extraction *x, const uint8_t *data, size_t length)
{
    size_t at = 0;

    while (at + 8 <= length) {
        unsigned version = data[at] & 0xf, type = data[at + 2] | (unsigned) data[at + 3] << 8;
        size_t size = MIN(u32(data + at + 4), length - at - 8);

        at += 8;
        if (type == RECORD_ENCRYPTION)
            return MK_WHY_PASSWORD;
        if (version == CONTAINER)
            continue;
        if (!is_noise(type, size) && !put_atom(x, type, data + at, size))
            return MK_WHY_TEXT;
        at += size;
    }
    return MK_WHY_NONE;
}

MkTextWhy read_ppt(Extraction *x, const Document *document)
{
    g_autoptr(Cfb) cfb = cfb_open(document->data, document->length);
    uint32_t entry;

    if (!cfb)
        return MK_WHY_DAMAGED;
    entry = cfb_find(cfb, CFB_ROOT, "PowerPoint Document");
    if (is_encrypted(cfb) || cfb_find(cfb, CFB_ROOT, "EncryptedPackage") != CFB_NONE)
        return MK_WHY_PASSWORD;
    if (entry == CFB_NONE)
        return MK_WHY_DAMAGED;
    g_autoptr(GByteArray) stream = cfb_stream(cfb, entry, MK_LIMIT_EXTRACT_BYTES);
    return stream->len == 0 ? MK_WHY_DAMAGED : read_records(x, stream->data, stream->len);
}
