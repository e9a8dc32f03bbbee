/*
 * tnef.c - winmail.dat (MS-OXTNEF): attributes in a row; some of them hold MAPI properties
 *
 *   signature, key; then: level (1), id (4), length (4), data, checksum (2)
 *   properties: count; then: type (2), number (2), [name], [count of values], values padded to 4
 *
 * An attRendData begins an attachment; what follows belongs to it.
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "internal.h"

enum {
    ATT_SUBJECT = 0x00018004,
    ATT_BODY = 0x0002800c,
    ATT_ATTACH_TITLE = 0x00018010,
    ATT_ATTACH_DATA = 0x0006800f,
    ATT_REND_DATA = 0x00069002,
    ATT_PROPERTIES = 0x00069003,
    ATT_RECIPIENTS = 0x00069004,
    ATT_ATTACHMENT = 0x00069005,
    ATT_CODEPAGE = 0x00069007,
};
#define MAPI_MANY 0x1000     /* several values */
#define OBJECT_GUID_BYTES 16 /* before what an object holds: which interface it has */

/* Little endian; nothing behind the end. */
typedef struct {
    const uint8_t *at;
    size_t left;
    bool failed;
} Cursor;

static const uint8_t *take(Cursor *c, size_t length)
{
    const uint8_t *at = c->at;

    if (c->failed || length > c->left) {
        c->failed = true;
        return NULL;
    }
    c->at += length;
    c->left -= length;
    return at;
}

static uint32_t take_u16(Cursor *c)
{
    const uint8_t *p = take(c, 2);

    return p ? p[0] | (uint32_t) p[1] << 8 : 0;
}

static uint32_t take_u32(Cursor *c)
{
    uint32_t low = take_u16(c);

    return low | take_u16(c) << 16;
}

/* -- properties ------------------------------------------------------------------------------------- */

static size_t padded(size_t length)
{
    return (length + 3) & ~(size_t) 3;
}

/* A value's length when its type alone says it; 0 when it stands before the value. */
static size_t fixed_length(unsigned type)
{
    switch (type) {
    case 0x0002: /* short */
    case 0x000b: /* boolean */
    case 0x0003: /* long */
    case 0x0004: /* float */
    case 0x000a: /* error */ return 4;
    case 0x0005: /* double */
    case 0x0006: /* currency */
    case 0x0007: /* application time */
    case 0x0014: /* 64 bits */
    case 0x0040: /* time */ return 8;
    case 0x0048: /* class id */ return 16;
    default: return 0;
    }
}

static bool is_known(unsigned type)
{
    return fixed_length(type) > 0 || type == MAPI_TYPE_STRING || type == MAPI_TYPE_STRING8 ||
           type == MAPI_TYPE_BINARY || type == MAPI_TYPE_OBJECT || type == 0x0001;
}

/* Numbers from 0x8000 have a name: a set, and a number or a string. */
static void skip_name(Cursor *c)
{
    take(c, 16);
    if (take_u32(c) == 0)
        take_u32(c);
    else
        take(c, padded(take_u32(c)));
}

static void read_value(Cursor *c, MapiBag *bag, unsigned number, unsigned type)
{
    size_t length = fixed_length(type);
    const uint8_t *octets;

    if (length == 0)
        length = take_u32(c);
    octets = take(c, length);
    if (!octets)
        return;
    /* The last padding is missing in some files. */
    take(c, MIN(padded(length) - length, c->left));
    if (mapi_is_wanted(number)) {
        g_autoptr(GBytes) value = g_bytes_new(octets, length);

        mapi_add(bag, number, type, value);
    }
}

static void read_property(Cursor *c, MapiBag *bag)
{
    unsigned type = take_u16(c), number = take_u16(c), plain = type & ~(unsigned) MAPI_MANY;
    uint32_t count = 1;

    if (number >= 0x8000)
        skip_name(c);
    if (!is_known(plain)) {
        c->failed = true;
        return;
    }
    if (plain == 0x0001)
        return;
    if (type & MAPI_MANY || fixed_length(plain) == 0)
        count = take_u32(c);
    for (uint32_t i = 0; i < count && !c->failed; i++)
        read_value(c, bag, number, plain);
}

static void read_properties(Cursor *c, MapiBag *bag)
{
    uint32_t count = take_u32(c);

    for (uint32_t i = 0; i < count && !c->failed; i++)
        read_property(c, bag);
}

/* -- attributes -------------------------------------------------------------------------------------- */

typedef struct {
    Extraction *x;
    MapiBag message;
    MapiBag attachment;
    bool in_attachment;
    bool out_of_message; /* its text is out */
} Tnef;

static void add_octets(MapiBag *bag, unsigned number, unsigned type, const Cursor *data)
{
    g_autoptr(GBytes) value = g_bytes_new(data->at, data->left);

    mapi_add(bag, number, type, value);
}

static void read_recipients(Tnef *t, Cursor *c)
{
    uint32_t rows = take_u32(c);

    for (uint32_t i = 0; i < rows && !c->failed && extract_entry(t->x); i++) {
        g_auto(MapiBag) bag;

        mapi_init(&bag);
        bag.codepage = t->message.codepage;
        read_properties(c, &bag);
        mapi_out_recipient(t->x, &bag);
    }
}

/* An attached message is TNEF again, behind the number of its interface. */
static void out_object(Tnef *t)
{
    unsigned type = 0;
    GBytes *octets = mapi_find(&t->attachment, MAPI_ATTACH_DATA, &type);
    size_t length = 0;
    const uint8_t *data = octets ? g_bytes_get_data(octets, &length) : NULL;

    if (type == MAPI_TYPE_OBJECT && length > OBJECT_GUID_BYTES)
        extract_nested(t->x, NULL, "", data + OBJECT_GUID_BYTES, length - OBJECT_GUID_BYTES);
}

static void finish_message(Tnef *t)
{
    if (!t->out_of_message)
        mapi_out_message(t->x, &t->message);
    t->out_of_message = true;
}

static void finish_attachment(Tnef *t)
{
    if (!t->in_attachment)
        return;
    t->in_attachment = false;
    if (!extract_entry(t->x))
        return;
    t->attachment.codepage = t->message.codepage;
    mapi_out_attachment(t->x, &t->attachment);
    out_object(t);
}

static void begin_attachment(Tnef *t)
{
    finish_message(t);
    finish_attachment(t);
    mapi_clear(&t->attachment);
    mapi_init(&t->attachment);
    t->in_attachment = true;
}

static void read_attribute(Tnef *t, uint32_t id, Cursor data)
{
    switch (id) {
    case ATT_CODEPAGE: t->message.codepage = take_u32(&data); return;
    case ATT_SUBJECT: add_octets(&t->message, MAPI_SUBJECT, MAPI_TYPE_STRING8, &data); return;
    case ATT_BODY: add_octets(&t->message, MAPI_BODY, MAPI_TYPE_STRING8, &data); return;
    case ATT_PROPERTIES: read_properties(&data, &t->message); return;
    case ATT_RECIPIENTS: read_recipients(t, &data); return;
    case ATT_REND_DATA: begin_attachment(t); return;
    case ATT_ATTACH_TITLE:
        add_octets(&t->attachment, MAPI_ATTACH_NAME, MAPI_TYPE_STRING8, &data);
        return;
    case ATT_ATTACH_DATA:
        add_octets(&t->attachment, MAPI_ATTACH_DATA, MAPI_TYPE_BINARY, &data);
        return;
    case ATT_ATTACHMENT: read_properties(&data, &t->attachment); return;
    default: return; /* attributes that hold no text */
    }
}

/* False when the last one is cut off. */
static bool read_attributes(Tnef *t, Cursor *c)
{
    while (c->left > 0 && !extract_is_over(t->x)) {
        uint32_t id, length;

        take(c, 1);
        id = take_u32(c);
        length = take_u32(c);
        if (c->failed || length > c->left)
            return false;
        read_attribute(t, id, (Cursor){ c->at, length, false });
        take(c, length);
        take(c, MIN(2, c->left));
    }
    return true;
}

MkTextWhy read_tnef(Extraction *x, const Document *document)
{
    Cursor c = { document->data, document->length, false };
    Tnef t = { .x = x };
    bool whole;

    if (take_u32(&c) != 0x223e9f78)
        return MK_WHY_DAMAGED;
    take_u16(&c);
    mapi_init(&t.message);
    mapi_init(&t.attachment);
    whole = read_attributes(&t, &c);
    finish_message(&t);
    finish_attachment(&t);
    mapi_clear(&t.message);
    mapi_clear(&t.attachment);
    return whole ? MK_WHY_NONE : MK_WHY_DAMAGED;
}
