/* octets.c - reader that cannot run over, writer; numbers big endian or LEB128 */
#include <mailkeep/base.h>

#include <string.h>

MkReader mk_reader(const void *data, size_t length)
{
    return (MkReader){ .data = data, .length = length };
}

const uint8_t *mk_read_bytes(MkReader *r, size_t length)
{
    static const uint8_t nothing[1]; /* so that NULL always means failure */
    const uint8_t *data = r->data != NULL ? r->data : nothing;

    if (r->failed || length > r->length) {
        r->failed = true;
        return NULL;
    }
    if (length > 0) {
        r->data += length;
        r->length -= length;
    }
    return data;
}

static uint64_t read_big_endian(MkReader *r, size_t length)
{
    const uint8_t *data = mk_read_bytes(r, length);
    uint64_t value = 0;

    for (size_t i = 0; data != NULL && i < length; i++)
        value = value << 8 | data[i];
    return value;
}

uint8_t mk_read_u8(MkReader *r)
{
    return (uint8_t) read_big_endian(r, 1);
}

uint32_t mk_read_u32(MkReader *r)
{
    return (uint32_t) read_big_endian(r, 4);
}

uint64_t mk_read_u64(MkReader *r)
{
    return read_big_endian(r, 8);
}

uint64_t mk_read_long_varint(MkReader *r)
{
    uint64_t value = 0;

    for (size_t i = 0; !r->failed && i < r->length && i < 10; i++) {
        uint8_t octet = r->data[i];

        if (i == 9 && octet > 1) /* the tenth octet has one bit left of 64 */
            break;
        value |= (uint64_t) (octet & 0x7f) << (7 * i);
        if (octet & 0x80)
            continue;
        if (octet == 0 && i > 0) /* not the shortest form: two spellings of one number */
            break;
        mk_read_bytes(r, i + 1);
        return value;
    }
    r->failed = true;
    return 0;
}

const uint8_t *mk_read_block(MkReader *r, size_t *out_length)
{
    uint64_t length = mk_read_varint(r);
    const uint8_t *data = NULL;

    *out_length = 0;
    if (!r->failed && length <= r->length)
        data = mk_read_bytes(r, (size_t) length);
    if (data == NULL)
        r->failed = true;
    else
        *out_length = (size_t) length;
    return data;
}

char *mk_read_string(MkReader *r)
{
    size_t length;
    const uint8_t *data = mk_read_block(r, &length);

    if (data == NULL)
        return NULL;
    if (memchr(data, '\0', length) != NULL) {
        r->failed = true;
        return NULL;
    }
    return g_strndup((const char *) data, length);
}

static void put_big_endian(GByteArray *out, uint64_t value, size_t length)
{
    uint8_t octets[8];

    for (size_t i = 0; i < length; i++)
        octets[i] = (uint8_t) (value >> 8 * (length - 1 - i));
    g_byte_array_append(out, octets, (guint) length);
}

void mk_put_u8(GByteArray *out, uint8_t value)
{
    put_big_endian(out, value, 1);
}

void mk_put_u32(GByteArray *out, uint32_t value)
{
    put_big_endian(out, value, 4);
}

void mk_put_u64(GByteArray *out, uint64_t value)
{
    put_big_endian(out, value, 8);
}

void mk_put_varint(GByteArray *out, uint64_t value)
{
    uint8_t octets[10];
    guint length = 0;

    for (; value >= 0x80; value >>= 7)
        octets[length++] = (uint8_t) (value | 0x80);
    octets[length++] = (uint8_t) value;
    g_byte_array_append(out, octets, length);
}

void mk_put_block(GByteArray *out, const void *data, size_t length)
{
    g_assert(length <= G_MAXUINT - 16 - out->len); /* a GByteArray counts with guint */
    mk_put_varint(out, length);
    if (length > 0)
        g_byte_array_append(out, data, (guint) length);
}

void mk_put_string(GByteArray *out, const char *text)
{
    mk_put_block(out, text, text != NULL ? strlen(text) : 0);
}
