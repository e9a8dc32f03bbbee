/*
 * msg.c - messages of Outlook (MS-OXMSG): a compound file with a stream for each property
 *
 *   __properties_version1.0            fixed properties, behind a header whose length the place gives
 *   __substg1.0_NNNNTTTT               property number NNNN of type TTTT
 *   __recip_version1.0_#XXXXXXXX/      a recipient, an attachment: the same within
 *   __attach_version1.0_#XXXXXXXX/
 *   .../__substg1.0_3701000D/          an attached message: the same as the whole
 */
#include <stdio.h>
#include <string.h>

#include <mailkeep/limits.h>

#include "internal.h"

#define STREAM_PREFIX "__substg1.0_"
#define HEADER_TOP 32
#define HEADER_EMBEDDED 24
#define HEADER_OTHER 8

static void read_message(Extraction *x, const Cfb *cfb, uint32_t storage, const MapiBag *outer);

/* Fixed properties of 16 octets: type, number, flags, value (MS-OXMSG 2.4.2.1). */
static void add_fixed(MapiBag *bag, const Cfb *cfb, uint32_t storage, size_t header)
{
    uint32_t entry = cfb_find(cfb, storage, "__properties_version1.0");

    if (entry == CFB_NONE)
        return;
    g_autoptr(GByteArray) raw = cfb_stream(cfb, entry, 1u << 20);
    for (size_t at = header; at + 16 <= raw->len; at += 16) {
        unsigned type = raw->data[at] | (unsigned) raw->data[at + 1] << 8;
        unsigned number = raw->data[at + 2] | (unsigned) raw->data[at + 3] << 8;

        if (type == MAPI_TYPE_LONG && mapi_is_wanted(number)) {
            g_autoptr(GBytes) value = g_bytes_new(raw->data + at + 8, 4);

            mapi_add(bag, number, type, value);
        }
    }
}

static bool parse_tag(const char *name, unsigned *number, unsigned *type)
{
    const char *digits = name + strlen(STREAM_PREFIX);

    if (g_ascii_strncasecmp(name, STREAM_PREFIX, strlen(STREAM_PREFIX)) != 0 ||
        strlen(digits) != 8 || strspn(digits, "0123456789abcdefABCDEF") != 8)
        return false;
    return sscanf(digits, "%4x%4x", number, type) == 2; // NOLINT(cert-err34-c): 4 hex digits
}

static bool is_value(unsigned type)
{
    return type == MAPI_TYPE_STRING || type == MAPI_TYPE_STRING8 || type == MAPI_TYPE_BINARY;
}

static void fill_bag(Extraction *x, MapiBag *bag, const Cfb *cfb, uint32_t storage, size_t header)
{
    unsigned number, type;

    add_fixed(bag, cfb, storage, header);
    for (uint32_t e = cfb_first(cfb, storage); e != CFB_NONE; e = cfb_next(cfb, e)) {
        if (cfb_is_storage(cfb, e) || !parse_tag(cfb_name(cfb, e), &number, &type) ||
            !is_value(type) || !mapi_is_wanted(number))
            continue;
        g_autoptr(GBytes) value =
            g_byte_array_free_to_bytes(cfb_stream(cfb, e, MK_LIMIT_EXTRACT_BYTES));
        /* Many entries may claim the same long chain. */
        if (!extract_unpacked(x, g_bytes_get_size(value)))
            return;
        mapi_add(bag, number, type, value);
    }
}

static void read_embedded(Extraction *x, const Cfb *cfb, uint32_t attachment, const MapiBag *outer)
{
    uint32_t storage = cfb_find(cfb, attachment, STREAM_PREFIX "3701000D");

    if (storage == CFB_NONE || !cfb_is_storage(cfb, storage) ||
        cfb_find(cfb, storage, "__properties_version1.0") == CFB_NONE)
        return;
    if (x->depth >= MK_LIMIT_EXTRACT_DEPTH) {
        extract_note(x, MK_WHY_NESTING);
        return;
    }
    x->depth++;
    read_message(x, cfb, storage, outer);
    x->depth--;
}

static void read_attachment(Extraction *x, const Cfb *cfb, uint32_t storage, const MapiBag *outer)
{
    g_auto(MapiBag) bag;

    mapi_init(&bag);
    bag.codepage = outer->codepage;
    fill_bag(x, &bag, cfb, storage, HEADER_OTHER);
    mapi_out_attachment(x, &bag);
    read_embedded(x, cfb, storage, outer);
}

static void read_recipient(Extraction *x, const Cfb *cfb, uint32_t storage, const MapiBag *outer)
{
    g_auto(MapiBag) bag;

    mapi_init(&bag);
    bag.codepage = outer->codepage;
    fill_bag(x, &bag, cfb, storage, HEADER_OTHER);
    mapi_out_recipient(x, &bag);
}

static bool begins(const char *name, const char *prefix)
{
    return g_ascii_strncasecmp(name, prefix, strlen(prefix)) == 0;
}

static void read_message(Extraction *x, const Cfb *cfb, uint32_t storage, const MapiBag *outer)
{
    g_auto(MapiBag) bag;

    mapi_init(&bag);
    bag.codepage = outer ? outer->codepage : 0;
    fill_bag(x, &bag, cfb, storage, storage == CFB_ROOT ? HEADER_TOP : HEADER_EMBEDDED);
    mapi_out_message(x, &bag);
    for (uint32_t e = cfb_first(cfb, storage); e != CFB_NONE; e = cfb_next(cfb, e)) {
        if (!cfb_is_storage(cfb, e))
            continue;
        if (begins(cfb_name(cfb, e), "__recip_version1.0") && extract_entry(x))
            read_recipient(x, cfb, e, &bag);
        else if (begins(cfb_name(cfb, e), "__attach_version1.0") && extract_entry(x))
            read_attachment(x, cfb, e, &bag);
    }
}

MkTextWhy read_msg(Extraction *x, const Document *document)
{
    g_autoptr(Cfb) cfb = cfb_open(document->data, document->length);

    if (!cfb || cfb_find(cfb, CFB_ROOT, "__properties_version1.0") == CFB_NONE)
        return MK_WHY_DAMAGED;
    read_message(x, cfb, CFB_ROOT, NULL);
    return MK_WHY_NONE;
}
