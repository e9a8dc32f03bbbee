/*
 * bits.c - numbers of a fixed width behind each other, lowest bit first; order, time and form checks
 */
#include <string.h>

#include "internal.h"

/* The clock is read once in so many calls. */
#define WATCH_CALLS 64

unsigned mk_bits_width(uint64_t value)
{
    return value == 0 ? 0 : 64 - (unsigned) __builtin_clzll(value);
}

void mk_bits_pack(GByteArray *out, const uint64_t *values, size_t count, unsigned width)
{
    guint start = out->len;
    size_t length = (count * width + 7) / 8;
    g_byte_array_set_size(out, start + (guint) length);
    uint8_t *at = out->data + start;
    unsigned __int128 bits = 0;
    unsigned filled = 0;

    for (size_t i = 0; i < count; i++) {
        bits |= (unsigned __int128) values[i] << filled;
        for (filled += width; filled >= 8; filled -= 8) {
            *at++ = (uint8_t) bits;
            bits >>= 8;
        }
    }
    if (filled > 0)
        *at = (uint8_t) bits;
}

/* Up to 64 bits from any place; @length octets are there, what is missing counts as zero. */
static inline uint64_t bits_at(const uint8_t *data, size_t length, size_t bit, unsigned width)
{
    size_t octet = bit / 8;
    unsigned shift = bit % 8;
    unsigned __int128 window = 0;
    size_t take = MIN(length - octet, (size_t) 9);

    if (take >= 8) {
        uint64_t low;
        memcpy(&low, data + octet, sizeof low);
        window = GUINT64_FROM_LE(low);
        if (take == 9)
            window |= (unsigned __int128) data[octet + 8] << 64;
    } else {
        for (size_t i = 0; i < take; i++)
            window |= (unsigned __int128) data[octet + i] << (8 * i);
    }
    uint64_t mask = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
    return (uint64_t) (window >> shift) & mask;
}

/* A value of so many bits lies within eight octets wherever it begins. */
#define MAX_NARROW 57

uint64_t mk_bits_get(const uint8_t *data, size_t length, size_t place, unsigned width)
{
    size_t bit = place * width;
    uint64_t octets;
    if (width > MAX_NARROW || bit / 8 + sizeof octets > length)
        return width == 0 || bit / 8 >= length ? 0 : bits_at(data, length, bit, width);
    memcpy(&octets, data + bit / 8, sizeof octets);
    return GUINT64_FROM_LE(octets) >> (bit % 8) & ((UINT64_C(1) << width) - 1);
}

/* As many as can be read eight octets at a time; how many that is. */
static size_t unpack_narrow(const uint8_t *data, size_t length, uint64_t *values, size_t count,
                            unsigned width)
{
    const uint64_t mask = (UINT64_C(1) << width) - 1;
    size_t i = 0;
    for (size_t bit = 0; i < count && bit / 8 + 8 <= length; i++, bit += width) {
        uint64_t octets;
        memcpy(&octets, data + bit / 8, sizeof octets);
        values[i] = GUINT64_FROM_LE(octets) >> (bit % 8) & mask;
    }
    return i;
}

bool mk_bits_unpack(MkReader *reader, uint64_t *values, size_t count, unsigned width)
{
    if (width > 64) {
        reader->failed = true;
        return false;
    }
    size_t length = (count * width + 7) / 8;
    const uint8_t *data = mk_read_bytes(reader, length);
    if (data == NULL)
        return false;
    if (width == 0) {
        memset(values, 0, count * sizeof *values);
        return true;
    }
    size_t i = width <= MAX_NARROW ? unpack_narrow(data, length, values, count, width) : 0;
    for (; i < count; i++)
        values[i] = bits_at(data, length, i * width, width);
    return true;
}

int mk_compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;
    return (x > y) - (x < y);
}

bool mk_watch_check(MkWatch *watch, GError **error)
{
    if (watch == NULL || watch->calls++ % WATCH_CALLS != 0)
        return true;
    if (watch->cancelled != NULL && g_atomic_int_get(watch->cancelled) != 0)
        return mk_fail(error, MK_ERROR_CANCELLED, "The search was cancelled");
    if (watch->deadline_ms != 0 && mk_clock_monotonic_ms() > watch->deadline_ms)
        return mk_fail(error, MK_ERROR_TIMEOUT,
                       "The search took longer than %u seconds; make it more exact",
                       (unsigned) MK_LIMIT_SEARCH_MS / 1000);
    return true;
}

bool mk_index_corrupt(GError **error)
{
    return mk_fail(error, MK_ERROR_CORRUPT,
                   "The search index is damaged; delete it, and it is built again");
}
