/*
 * mapi.c - properties of messages, recipients and attachments, as MSG and TNEF have them
 */
#include <string.h>

#include <mailkeep/limits.h>
#include <mailkeep/mail.h>

#include "internal.h"

typedef struct {
    GBytes *octets;
    unsigned type;
} MapiValue;

static void value_free(void *data)
{
    MapiValue *value = data;

    g_bytes_unref(value->octets);
    g_free(value);
}

void mapi_init(MapiBag *bag)
{
    memset(bag, 0, sizeof *bag);
    bag->values = g_hash_table_new_full(NULL, NULL, NULL, value_free);
}

void mapi_clear(MapiBag *bag)
{
    g_clear_pointer(&bag->values, g_hash_table_unref);
}

bool mapi_is_wanted(unsigned number)
{
    static const unsigned wanted[] = {
        MAPI_SUBJECT,
        MAPI_SENDER_NAME,
        MAPI_SENDER_ADDRESS,
        MAPI_BCC,
        MAPI_CC,
        MAPI_TO,
        MAPI_BODY,
        MAPI_RTF,
        MAPI_HTML,
        MAPI_DISPLAY_NAME,
        MAPI_ADDRESS,
        MAPI_ATTACH_DATA,
        MAPI_ATTACH_NAME,
        MAPI_ATTACH_LONG_NAME,
        MAPI_ATTACH_MIME,
        MAPI_SMTP,
        MAPI_CODEPAGE,
        MAPI_HTML_CODEPAGE,
        MAPI_SENDER_SMTP,
    };

    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
        if (wanted[i] == number)
            return true;
    /* Of a contact: names, company, telephone numbers ... (MS-OXPROPS) */
    return number >= 0x3a00 && number <= 0x3aff;
}

static unsigned long_of(GBytes *value)
{
    size_t length;
    const uint8_t *p = g_bytes_get_data(value, &length);

    return length < 4 ? 0
                      : p[0] | (unsigned) p[1] << 8 | (unsigned) p[2] << 16 | (unsigned) p[3] << 24;
}

void mapi_add(MapiBag *bag, unsigned number, unsigned type, GBytes *octets)
{
    const MapiValue *old = g_hash_table_lookup(bag->values, GUINT_TO_POINTER(number));
    MapiValue *value;

    if (number == MAPI_CODEPAGE && type == MAPI_TYPE_LONG)
        bag->codepage = long_of(octets);
    if (number == MAPI_HTML_CODEPAGE && type == MAPI_TYPE_LONG)
        bag->html_codepage = long_of(octets);
    if (old && old->type == MAPI_TYPE_STRING)
        return;
    value = g_new(MapiValue, 1);
    value->octets = g_bytes_ref(octets);
    value->type = type;
    g_hash_table_insert(bag->values, GUINT_TO_POINTER(number), value);
}

GBytes *mapi_find(const MapiBag *bag, unsigned number, unsigned *out_type)
{
    const MapiValue *value = g_hash_table_lookup(bag->values, GUINT_TO_POINTER(number));

    if (value && out_type)
        *out_type = value->type;
    return value ? value->octets : NULL;
}

/* -- strings ---------------------------------------------------------------------------------------- */

static unsigned string_codepage(const MapiBag *bag)
{
    return bag->codepage ? bag->codepage : bag->html_codepage;
}

static size_t without_nul(const uint8_t *data, size_t length, size_t unit)
{
    while (length >= unit && data[length - 1] == 0 && data[length - unit] == 0)
        length -= unit;
    return length;
}

/* False when there is no such string, or it is empty. */
static bool out_string(Extraction *x, const MapiBag *bag, unsigned number)
{
    unsigned type = 0;
    GBytes *octets = mapi_find(bag, number, &type);
    size_t length = 0;
    const uint8_t *data = octets ? g_bytes_get_data(octets, &length) : NULL;

    if (type != MAPI_TYPE_STRING && type != MAPI_TYPE_STRING8)
        return false;
    length = without_nul(data, length, type == MAPI_TYPE_STRING ? 2 : 1);
    if (length == 0)
        return false;
    if (type == MAPI_TYPE_STRING)
        out_utf16(x, data, length, false);
    else
        out_codepage(x, data, length, string_codepage(bag));
    out_utf8(x, "\n", 1);
    return true;
}

static void gather(void *cookie, const char *text, size_t length)
{
    g_string_append_len(cookie, text, (gssize) length);
}

/* A short string, for a name; NULL if none. */
static char *string_new(const MapiBag *bag, unsigned number)
{
    GString *text = g_string_new(NULL);
    Extraction inner = { .text_left = MK_LIMIT_DISPLAY_BYTES, .on_text = gather, .cookie = text };

    if (!out_string(&inner, bag, number)) {
        g_string_free(text, TRUE);
        return NULL;
    }
    return g_strchomp(g_string_free(text, FALSE));
}

/* -- bodies ------------------------------------------------------------------------------------------ */

static bool out_html(Extraction *x, const MapiBag *bag)
{
    GBytes *octets = mapi_find(bag, MAPI_HTML, NULL);
    size_t length = 0;
    const uint8_t *data = octets ? g_bytes_get_data(octets, &length) : NULL;
    Document page = { MK_DOCUMENT_HTML, "", data, length };

    if (length == 0)
        return false;
    read_html(x, &page);
    return out_utf8(x, "\n", 1);
}

static void out_rtf(Extraction *x, const MapiBag *bag)
{
    GBytes *octets = mapi_find(bag, MAPI_RTF, NULL);
    size_t length = 0;
    const uint8_t *data = octets ? g_bytes_get_data(octets, &length) : NULL;
    g_autoptr(GByteArray) rtf = data ? rtf_unpack(data, length, MK_LIMIT_EXTRACT_BYTES) : NULL;
    Document document = { MK_DOCUMENT_RTF, "", NULL, 0 };

    if (!rtf || rtf->len == 0 || !extract_unpacked(x, rtf->len))
        return;
    document.data = rtf->data;
    document.length = rtf->len;
    /* A part of the mail itself, so it is read even when RTF attachments are not wanted. */
    if (read_rtf(x, &document) == MK_WHY_DAMAGED)
        extract_note(x, MK_WHY_PART);
    out_utf8(x, "\n", 1);
}

void mapi_out_message(Extraction *x, const MapiBag *bag)
{
    static const unsigned strings[] = { MAPI_SUBJECT,     MAPI_SENDER_NAME,
                                        MAPI_SENDER_SMTP, MAPI_SENDER_ADDRESS,
                                        MAPI_TO,          MAPI_CC,
                                        MAPI_BCC };

    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        out_string(x, bag, strings[i]);
    for (unsigned number = 0x3a00; number <= 0x3aff; number++)
        out_string(x, bag, number);
    if (!out_string(x, bag, MAPI_BODY) && !out_html(x, bag))
        out_rtf(x, bag);
}

void mapi_out_recipient(Extraction *x, const MapiBag *bag)
{
    out_string(x, bag, MAPI_DISPLAY_NAME);
    if (!out_string(x, bag, MAPI_SMTP))
        out_string(x, bag, MAPI_ADDRESS);
}

void mapi_out_attachment(Extraction *x, const MapiBag *bag)
{
    g_autofree char *name = string_new(bag, MAPI_ATTACH_LONG_NAME);
    g_autofree char *mime = string_new(bag, MAPI_ATTACH_MIME);
    unsigned type = 0;
    GBytes *octets = mapi_find(bag, MAPI_ATTACH_DATA, &type);
    size_t length = 0;
    const uint8_t *data = octets ? g_bytes_get_data(octets, &length) : NULL;

    if (!name)
        name = string_new(bag, MAPI_ATTACH_NAME);
    if (!name)
        name = string_new(bag, MAPI_DISPLAY_NAME);
    if (name)
        out_line(x, name);
    if (length > 0 && type == MAPI_TYPE_BINARY)
        extract_nested(x, mime, name, data, length);
}
