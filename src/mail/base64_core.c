/*
 * base64_core.c - the alphabet of RFC 4648 4, whole quanta only
 *
 * Everything about lines, padding and garbage is the caller's: base64.c (exact) and transfer.c
 * (lenient).
 */
#include <string.h>

#include "internal.h"

/* clang-format off */
#define ALPHABET(X) \
    ['A'] = X(0), ['B'] = X(1), ['C'] = X(2), ['D'] = X(3), ['E'] = X(4), \
    ['F'] = X(5), ['G'] = X(6), ['H'] = X(7), ['I'] = X(8), ['J'] = X(9), \
    ['K'] = X(10), ['L'] = X(11), ['M'] = X(12), ['N'] = X(13), ['O'] = X(14), \
    ['P'] = X(15), ['Q'] = X(16), ['R'] = X(17), ['S'] = X(18), ['T'] = X(19), \
    ['U'] = X(20), ['V'] = X(21), ['W'] = X(22), ['X'] = X(23), ['Y'] = X(24), \
    ['Z'] = X(25), ['a'] = X(26), ['b'] = X(27), ['c'] = X(28), ['d'] = X(29), \
    ['e'] = X(30), ['f'] = X(31), ['g'] = X(32), ['h'] = X(33), ['i'] = X(34), \
    ['j'] = X(35), ['k'] = X(36), ['l'] = X(37), ['m'] = X(38), ['n'] = X(39), \
    ['o'] = X(40), ['p'] = X(41), ['q'] = X(42), ['r'] = X(43), ['s'] = X(44), \
    ['t'] = X(45), ['u'] = X(46), ['v'] = X(47), ['w'] = X(48), ['x'] = X(49), \
    ['y'] = X(50), ['z'] = X(51), ['0'] = X(52), ['1'] = X(53), ['2'] = X(54), \
    ['3'] = X(55), ['4'] = X(56), ['5'] = X(57), ['6'] = X(58), ['7'] = X(59), \
    ['8'] = X(60), ['9'] = X(61), ['+'] = X(62), ['/'] = X(63)
/* clang-format on */

/*
 * What a letter at each of the four places of a quantum adds to its three octets, the first octet
 * lowest; the highest bit tells it from what is not base64.
 */
#define VALID (UINT32_C(1) << 31)
#define PLACE_0(v) (VALID | (v) << 2)
#define PLACE_1(v) (VALID | (v) >> 4 | ((v) &15) << 12)
#define PLACE_2(v) (VALID | (v) >> 2 << 8 | ((v) &3) << 22)
#define PLACE_3(v) (VALID | (v) << 16)
static const uint32_t place_0[256] = { ALPHABET(PLACE_0) };
static const uint32_t place_1[256] = { ALPHABET(PLACE_1) };
static const uint32_t place_2[256] = { ALPHABET(PLACE_2) };
static const uint32_t place_3[256] = { ALPHABET(PLACE_3) };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int mk_base64_value(uint8_t octet)
{
    return (place_3[octet] & VALID) != 0 ? (int) (place_3[octet] >> 16 & 0x3f) : -1;
}

uint8_t mk_base64_letter(unsigned value)
{
    return (uint8_t) alphabet[value & 0x3f];
}

static inline uint32_t decode_quantum(const uint8_t *in)
{
    uint32_t a = place_0[in[0]], b = place_1[in[1]], c = place_2[in[2]], d = place_3[in[3]];

    return (a & b & c & d & VALID) != 0 ? (a | b | c | d) & ~VALID : VALID;
}

/* Four octets are written at a time where another quantum follows, which overwrites the last. */
size_t mk_base64_decode_quanta(const uint8_t *in, size_t length, uint8_t *out)
{
    size_t i = 0;
    uint32_t octets;

    for (; i + 8 <= length; i += 4, out += 3) {
        octets = decode_quantum(in + i);
        if (octets == VALID)
            return i;
        octets = GUINT32_TO_LE(octets);
        memcpy(out, &octets, sizeof octets);
    }
    if (i + 4 > length || (octets = decode_quantum(in + i)) == VALID)
        return i;
    for (int octet = 0; octet < 3; octet++)
        out[octet] = (uint8_t) (octets >> 8 * octet);
    return i + 4;
}

void mk_base64_encode_quanta(const uint8_t *in, size_t length, uint8_t *out)
{
    for (size_t i = 0; i + 3 <= length; i += 3, out += 4) {
        uint32_t v = (uint32_t) in[i] << 16 | (uint32_t) in[i + 1] << 8 | in[i + 2];

        out[0] = (uint8_t) alphabet[v >> 18];
        out[1] = (uint8_t) alphabet[v >> 12 & 0x3f];
        out[2] = (uint8_t) alphabet[v >> 6 & 0x3f];
        out[3] = (uint8_t) alphabet[v & 0x3f];
    }
}
