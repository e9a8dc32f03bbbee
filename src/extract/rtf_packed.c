/*
 * rtf_packed.c - compressed RTF (MS-OXRTFCP): LZ over a dictionary of 4096 octets
 */
#include <string.h>

#include "internal.h"

#define HEADER_BYTES 16
#define DICTIONARY 4096u
#define PACKED 0x75465a4cu /* "LZFu" */
#define STORED 0x414c454du /* "MELA" */

/* What the dictionary holds at first (MS-OXRTFCP 2.1.2.1). */
static const char preset[] =
    "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern "
    "\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0"
    "\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

typedef struct {
    uint8_t dictionary[DICTIONARY];
    unsigned write;
    GByteArray *out;
    size_t max_bytes;
} Unpacker;

static uint32_t u32(const uint8_t *p)
{
    return p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24;
}

static bool put(Unpacker *u, uint8_t octet)
{
    u->dictionary[u->write] = octet;
    u->write = (u->write + 1) % DICTIONARY;
    g_byte_array_append(u->out, &octet, 1);
    return u->out->len < u->max_bytes;
}

/* A reference to where one writes next is the end. */
static bool put_reference(Unpacker *u, const uint8_t *reference)
{
    unsigned offset = (unsigned) reference[0] << 4 | reference[1] >> 4;
    unsigned count = (reference[1] & 0xfu) + 2;

    if (offset == u->write)
        return false;
    for (unsigned i = 0; i < count; i++)
        if (!put(u, u->dictionary[(offset + i) % DICTIONARY]))
            return false;
    return true;
}

static void unpack(Unpacker *u, const uint8_t *data, size_t length)
{
    size_t at = 0;

    while (at < length) {
        unsigned flags = data[at++];

        for (unsigned bit = 0; bit < 8; bit++, flags >>= 1) {
            size_t size = (flags & 1) ? 2 : 1;

            if (at + size > length)
                return;
            if (!(size == 2 ? put_reference(u, data + at) : put(u, data[at])))
                return;
            at += size;
        }
    }
}

GByteArray *rtf_unpack(const uint8_t *data, size_t length, size_t max_bytes)
{
    g_autofree Unpacker *u = NULL;

    if (length < HEADER_BYTES || (u32(data + 8) != PACKED && u32(data + 8) != STORED))
        return NULL;
    u = g_new0(Unpacker, 1);
    u->out = g_byte_array_new();
    u->max_bytes = MIN(max_bytes, u32(data + 4));
    if (u32(data + 8) == STORED) {
        g_byte_array_append(u->out, data + HEADER_BYTES,
                            (guint) MIN(length - HEADER_BYTES, u->max_bytes));
        return u->out;
    }
    memcpy(u->dictionary, preset, sizeof preset - 1);
    u->write = sizeof preset - 1;
    if (u->max_bytes > 0)
        unpack(u, data + HEADER_BYTES, length - HEADER_BYTES);
    return u->out;
}
