/* crc32c.c - CRC-32C (Castagnoli), eight octets at a time, by the processor where it can */
#include <string.h>

#include "internal.h"

#define POLYNOMIAL 0x82f63b78u /* reflected; RFC 3720 appendix B.4 */

static uint32_t tables[8][256];

static void make_tables(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;

        for (unsigned bit = 0; bit < 8; bit++)
            value = value >> 1 ^ (value & 1 ? POLYNOMIAL : 0);
        tables[0][i] = value;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (unsigned k = 1; k < 8; k++)
            tables[k][i] = tables[k - 1][i] >> 8 ^ tables[0][tables[k - 1][i] & 0xff];
}

static uint32_t crc_by_tables(uint32_t crc, const uint8_t *data, size_t length)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_tables);
    for (; length >= 8; data += 8, length -= 8) {
        uint32_t low = crc ^ ((uint32_t) data[0] | (uint32_t) data[1] << 8 |
                              (uint32_t) data[2] << 16 | (uint32_t) data[3] << 24);

        crc = tables[7][low & 0xff] ^ tables[6][low >> 8 & 0xff] ^ tables[5][low >> 16 & 0xff] ^
              tables[4][low >> 24] ^ tables[3][data[4]] ^ tables[2][data[5]] ^ tables[1][data[6]] ^
              tables[0][data[7]];
    }
    for (; length > 0; data++, length--)
        crc = crc >> 8 ^ tables[0][(crc ^ *data) & 0xff];
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_by_processor(uint32_t crc,
                                                                   const uint8_t *data,
                                                                   size_t length)
{
    uint64_t wide = crc;

    for (; length >= 8; data += 8, length -= 8) {
        uint64_t word;

        memcpy(&word, data, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t) wide;
    for (; length > 0; data++, length--)
        crc = __builtin_ia32_crc32qi(crc, *data);
    return crc;
}
#endif

uint32_t crc32c(const void *data, size_t length)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2"))
        return ~crc_by_processor(~0u, data, length);
#endif
    return ~crc_by_tables(~0u, data, length);
}

/* For the test that compares both ways. */
uint32_t crc32c_by_tables(const void *data, size_t length)
{
    return ~crc_by_tables(~0u, data, length);
}
