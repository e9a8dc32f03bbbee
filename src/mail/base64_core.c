/*
 * base64_core.c - the alphabet of RFC 4648 4, whole quanta only
 *
 * Everything about lines, padding and garbage is the caller's: base64.c (exact) and transfer.c
 * (lenient).
 */
#include "internal.h"

#define VALID 0x40 /* set in every entry of the alphabet, so that 0 means "not base64" */
#define V(n) (VALID | (n))

/* clang-format off */
static const uint8_t sextets[256] = {
    ['A'] = V(0),  ['B'] = V(1),  ['C'] = V(2),  ['D'] = V(3),  ['E'] = V(4),  ['F'] = V(5),
    ['G'] = V(6),  ['H'] = V(7),  ['I'] = V(8),  ['J'] = V(9),  ['K'] = V(10), ['L'] = V(11),
    ['M'] = V(12), ['N'] = V(13), ['O'] = V(14), ['P'] = V(15), ['Q'] = V(16), ['R'] = V(17),
    ['S'] = V(18), ['T'] = V(19), ['U'] = V(20), ['V'] = V(21), ['W'] = V(22), ['X'] = V(23),
    ['Y'] = V(24), ['Z'] = V(25), ['a'] = V(26), ['b'] = V(27), ['c'] = V(28), ['d'] = V(29),
    ['e'] = V(30), ['f'] = V(31), ['g'] = V(32), ['h'] = V(33), ['i'] = V(34), ['j'] = V(35),
    ['k'] = V(36), ['l'] = V(37), ['m'] = V(38), ['n'] = V(39), ['o'] = V(40), ['p'] = V(41),
    ['q'] = V(42), ['r'] = V(43), ['s'] = V(44), ['t'] = V(45), ['u'] = V(46), ['v'] = V(47),
    ['w'] = V(48), ['x'] = V(49), ['y'] = V(50), ['z'] = V(51), ['0'] = V(52), ['1'] = V(53),
    ['2'] = V(54), ['3'] = V(55), ['4'] = V(56), ['5'] = V(57), ['6'] = V(58), ['7'] = V(59),
    ['8'] = V(60), ['9'] = V(61), ['+'] = V(62), ['/'] = V(63),
};
/* clang-format on */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int mk_base64_value(uint8_t octet)
{
    return sextets[octet] ? sextets[octet] & 0x3f : -1;
}

uint8_t mk_base64_letter(unsigned value)
{
    return (uint8_t) alphabet[value & 0x3f];
}

size_t mk_base64_decode_quanta(const uint8_t *in, size_t length, uint8_t *out)
{
    size_t i = 0;

    for (; i + 4 <= length; i += 4, out += 3) {
        uint32_t a = sextets[in[i]], b = sextets[in[i + 1]];
        uint32_t c = sextets[in[i + 2]], d = sextets[in[i + 3]];

        if (!(a & b & c & d & VALID))
            break;
        out[0] = (uint8_t) (a << 2 | (b & 0x3f) >> 4);
        out[1] = (uint8_t) (b << 4 | (c & 0x3f) >> 2);
        out[2] = (uint8_t) (c << 6 | (d & 0x3f));
    }
    return i;
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
