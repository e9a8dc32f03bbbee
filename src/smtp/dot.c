/*
 * dot.c - where the mail ends in DATA, and which dots are not its own (RFC 5321 §4.5.2)
 *
 *  LINE_START --"."--> DOT --CR--> DOT_CR --LF--> END
 *      ^  \             | other: the dot     | other: the dot was stuffed,
 *      |   \other       | was stuffed        | the CR belongs to the mail
 *      |    v           v                    v
 *      |  IN_LINE <-----+                   CR
 *      |    | CR
 *      |    v
 *      +-LF-CR --CR--> CR, --other--> IN_LINE
 *
 * Only CRLF is the end of a line here. A bare CR or LF is an octet of the mail like any other: it
 * is kept, and neither "\n.\n" nor "\r.\r", "\n.\r\n" or "\r\n.\n" ends the mail. So what another
 * server passed on as one mail stays one mail, whatever stands in it.
 *
 * Nothing is done octet by octet: memchr() finds the LFs, and a slice runs from one stuffed dot
 * to the next.
 */
#include <string.h>

#include "internal.h"

static size_t slice(const uint8_t *data, size_t length, size_t used, const uint8_t **out_slice,
                    size_t *out_length)
{
    *out_slice = data;
    *out_length = length;
    return used;
}

/* From an octet within a line to the next dot at a line's start, or to the end of the read. */
static size_t scan_lines(MkSmtpDot *dot, const uint8_t *data, size_t length, size_t from,
                         const uint8_t **out_slice, size_t *out_length)
{
    const uint8_t *end = data + length, *at = data + from;

    while (at < end && (at = memchr(at, '\n', (size_t) (end - at))) != NULL) {
        at++;
        if (at - data < 2 || at[-2] != '\r')
            continue;
        if (at == end) {
            *dot = MK_SMTP_DOT_LINE_START;
            return slice(data, length, length, out_slice, out_length);
        }
        if (*at == '.') {
            *dot = MK_SMTP_DOT_DOT;
            length = (size_t) (at - data);
            return slice(data, length, length + 1, out_slice, out_length);
        }
    }
    *dot = end[-1] == '\r' ? MK_SMTP_DOT_CR : MK_SMTP_DOT_IN_LINE;
    return slice(data, length, length, out_slice, out_length);
}

/* The read begins right behind a CR. */
static size_t scan_after_cr(MkSmtpDot *dot, const uint8_t *data, size_t length,
                            const uint8_t **out_slice, size_t *out_length)
{
    if (data[0] != '\n')
        return scan_lines(dot, data, length, 0, out_slice, out_length);
    if (length > 1 && data[1] != '.')
        return scan_lines(dot, data, length, 1, out_slice, out_length);
    *dot = length > 1 ? MK_SMTP_DOT_DOT : MK_SMTP_DOT_LINE_START;
    return slice(data, 1, length > 1 ? 2 : 1, out_slice, out_length);
}

size_t mk_smtp_dot_scan(MkSmtpDot *dot, const uint8_t *data, size_t length,
                        const uint8_t **out_slice, size_t *out_length)
{
    static const uint8_t cr[] = { '\r' };

    switch (*dot) {
    case MK_SMTP_DOT_LINE_START:
        if (data[0] != '.')
            return scan_lines(dot, data, length, 0, out_slice, out_length);
        *dot = MK_SMTP_DOT_DOT;
        return slice(data, 0, 1, out_slice, out_length);
    case MK_SMTP_DOT_IN_LINE: return scan_lines(dot, data, length, 0, out_slice, out_length);
    case MK_SMTP_DOT_CR: return scan_after_cr(dot, data, length, out_slice, out_length);
    case MK_SMTP_DOT_DOT:
        if (data[0] != '\r')
            return scan_lines(dot, data, length, 0, out_slice, out_length);
        *dot = MK_SMTP_DOT_DOT_CR;
        return slice(data, 0, 1, out_slice, out_length);
    case MK_SMTP_DOT_DOT_CR:
        if (data[0] == '\n') {
            *dot = MK_SMTP_DOT_END;
            return slice(data, 0, 1, out_slice, out_length);
        }
        *dot = MK_SMTP_DOT_CR;
        return slice(cr, 1, 0, out_slice, out_length);
    case MK_SMTP_DOT_END: break;
    }
    g_assert_not_reached();
}
