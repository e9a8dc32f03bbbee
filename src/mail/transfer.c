/*
 * transfer.c - bodies decoded: base64, quoted-printable, uuencode
 *
 * Lenient, as a reader must be (RFC 2045 6.7, 6.8): base64 in several padded blocks, without
 * padding or with a footer behind it gives all that was encoded.
 */
#include <string.h>

#include "internal.h"

static size_t line_length(const uint8_t *at, const uint8_t *end, const uint8_t **out_next)
{
    const uint8_t *lf = memchr(at, '\n', (size_t) (end - at));

    *out_next = lf ? lf + 1 : end;
    return (size_t) ((lf ? lf : end) - at);
}

/* -- base64 --------------------------------------------------------------------------------- */

typedef struct {
    GByteArray *out;
    unsigned pending;
    uint32_t bits;
    bool padded; /* a block has ended */
} Base64;

static void base64_flush(Base64 *b)
{
    uint8_t octets[2] = { (uint8_t) (b->bits >> 4), 0 };

    if (b->pending == 3) {
        octets[0] = (uint8_t) (b->bits >> 10);
        octets[1] = (uint8_t) (b->bits >> 2);
    }
    if (b->pending >= 2)
        g_byte_array_append(b->out, octets, b->pending - 1);
    b->pending = 0;
    b->bits = 0;
}

static void base64_letter(Base64 *b, int value)
{
    uint8_t octets[3];

    b->bits = b->bits << 6 | (uint32_t) value;
    if (++b->pending < 4)
        return;
    octets[0] = (uint8_t) (b->bits >> 16);
    octets[1] = (uint8_t) (b->bits >> 8);
    octets[2] = (uint8_t) b->bits;
    g_byte_array_append(b->out, octets, 3);
    b->pending = 0;
    b->bits = 0;
}

static bool is_base64_line(const uint8_t *at, size_t length)
{
    MkSpan line = mk_span_trim((MkSpan){ at, length });

    for (size_t i = 0; i < line.length; i++)
        if (mk_base64_value(line.data[i]) < 0 && line.data[i] != '=')
            return false;
    return true;
}

static void base64_line(Base64 *b, const uint8_t *at, size_t length)
{
    size_t i = 0;

    if (b->pending == 0 && length >= 4) {
        guint before = b->out->len;

        g_byte_array_set_size(b->out, before + (guint) (length / 4 * 3));
        i = mk_base64_decode_quanta(at, length, b->out->data + before);
        g_byte_array_set_size(b->out, before + (guint) (i / 4 * 3));
    }
    for (; i < length; i++) {
        int value = mk_base64_value(at[i]);

        if (value >= 0) {
            base64_letter(b, value);
        } else if (at[i] == '=') {
            base64_flush(b);
            b->padded = true;
        }
    }
}

static void decode_base64(const uint8_t *at, size_t length, GByteArray *out, size_t max_bytes)
{
    const uint8_t *end = at + length, *next;
    Base64 b = { .out = out };

    for (; at < end && out->len <= max_bytes; at = next) {
        size_t n = line_length(at, end, &next);

        if (b.padded && !is_base64_line(at, n))
            break; /* a footer */
        base64_line(&b, at, n);
    }
    base64_flush(&b);
}

/* -- quoted-printable --------------------------------------------------------------------------- */

static int hex_at(const uint8_t *at, const uint8_t *end)
{
    int high = end - at >= 2 ? g_ascii_xdigit_value((char) at[0]) : -1;
    int low = end - at >= 2 ? g_ascii_xdigit_value((char) at[1]) : -1;

    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* "=", blanks, line end: the line goes on (RFC 2045 6.7, rule 5). Where it does, or NULL. */
static const uint8_t *soft_break(const uint8_t *at, const uint8_t *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
        at++;
    return at == end ? end : *at == '\n' ? at + 1 : NULL;
}

static void decode_quoted(const uint8_t *at, size_t length, GByteArray *out, size_t max_bytes)
{
    const uint8_t *end = at + length;

    while (at < end && out->len <= max_bytes) {
        const uint8_t *sign = memchr(at, '=', (size_t) (end - at)), *next;
        uint8_t octet;
        int value;

        g_byte_array_append(out, at, (guint) ((sign ? sign : end) - at));
        if (!sign)
            break;
        at = sign + 1;
        if ((value = hex_at(at, end)) >= 0) {
            octet = (uint8_t) value;
            g_byte_array_append(out, &octet, 1);
            at += 2;
        } else if ((next = soft_break(at, end))) {
            at = next;
        } else {
            g_byte_array_append(out, sign, 1); /* a bare "=": it stays */
        }
    }
}

/* -- uuencode --------------------------------------------------------------------------------------- */

static void uu_line(const uint8_t *at, size_t length, GByteArray *out)
{
    size_t octets = (size_t) (at[0] - ' ') & 0x3f;

    for (size_t i = 1; octets > 0 && i + 3 < length + 3; i += 4) {
        uint32_t bits = 0;
        uint8_t three[3];

        for (size_t k = 0; k < 4; k++)
            bits = bits << 6 | (i + k < length ? (uint32_t) (at[i + k] - ' ') & 0x3f : 0);
        three[0] = (uint8_t) (bits >> 16);
        three[1] = (uint8_t) (bits >> 8);
        three[2] = (uint8_t) bits;
        g_byte_array_append(out, three, (guint) MIN(octets, 3));
        octets -= MIN(octets, 3);
    }
}

static void decode_uu(const uint8_t *at, size_t length, GByteArray *out, size_t max_bytes)
{
    const uint8_t *end = at + length, *next;
    bool begun = false;

    for (; at < end && out->len <= max_bytes; at = next) {
        size_t n = line_length(at, end, &next);

        while (n > 0 && at[n - 1] == '\r')
            n--;
        if (!begun)
            begun = n > 6 && memcmp(at, "begin ", 6) == 0;
        else if (n >= 3 && memcmp(at, "end", 3) == 0)
            break;
        else if (n > 0)
            uu_line(at, n, out);
    }
}

bool mk_transfer_decode(MkEncoding encoding, const uint8_t *data, size_t length, GByteArray *out,
                        size_t max_bytes)
{
    guint before = out->len;
    size_t limit = before + max_bytes;

    switch (encoding) {
    case MK_ENCODING_IDENTITY:
        g_byte_array_append(out, data, (guint) MIN(length, max_bytes + 1));
        break;
    case MK_ENCODING_BASE64: decode_base64(data, length, out, limit); break;
    case MK_ENCODING_QUOTED: decode_quoted(data, length, out, limit); break;
    case MK_ENCODING_UU: decode_uu(data, length, out, limit); break;
    }
    if (out->len <= limit)
        return true;
    g_byte_array_set_size(out, (guint) limit);
    return false;
}

size_t mk_transfer_size(MkEncoding encoding, const uint8_t *data, size_t length)
{
    const uint8_t *at, *next, *end = data + length;
    g_autoptr(GByteArray) decoded = NULL;
    size_t letters = 0, size = 0;
    bool padded = false;

    if (encoding == MK_ENCODING_IDENTITY)
        return length;
    if (encoding != MK_ENCODING_BASE64) {
        decoded = g_byte_array_new();
        mk_transfer_decode(encoding, data, length, decoded, length);
        return decoded->len;
    }
    for (at = data; at < end; at = next) { /* an attachment may be large: only counted */
        size_t n = line_length(at, end, &next);

        if (padded && !is_base64_line(at, n))
            break;
        for (size_t i = 0; i < n; i++)
            if (mk_base64_value(at[i]) >= 0) {
                letters++;
            } else if (at[i] == '=') {
                padded = true;
                size += letters * 6 / 8;
                letters = 0;
            }
    }
    return size + letters * 6 / 8;
}

/* <meta charset=x> or <meta ... content="text/html; charset=x">, near the top if at all. */
static char *html_charset(const uint8_t *html, size_t length)
{
    const char *head = (const char *) html, *end = head + MIN(length, 2048);
    const char *at = memmem(head, (size_t) (end - head), "charset=", 8), *start;

    if (!at)
        return NULL;
    for (at += 8; at < end && (*at == '"' || *at == '\'');)
        at++;
    for (start = at; at < end && (g_ascii_isalnum(*at) || strchr("-_.:", *at)) && *at;)
        at++;
    return g_strndup(start, (size_t) (at - start));
}

static bool to_text(const MkEntity *e, const uint8_t *octets, size_t length, GString *out,
                    size_t max_bytes)
{
    g_autofree char *charset = mk_param_find(e->content_type, "charset");

    if (!charset && length > 0 && g_str_equal(e->type, "text/html"))
        charset = html_charset(octets, length);
    return mk_charset_append(out, octets, length, charset, max_bytes);
}

bool mk_entity_text(const uint8_t *data, const MkEntity *e, GString *out, size_t max_bytes)
{
    const uint8_t *body = data + e->body;
    size_t length = e->end - e->body;
    bool whole = true;

    if (e->encoding != MK_ENCODING_IDENTITY) {
        g_autoptr(GByteArray) decoded = g_byte_array_new();

        whole = mk_transfer_decode(e->encoding, body, length, decoded, max_bytes * 4);
        return to_text(e, decoded->data, decoded->len, out, max_bytes) && whole;
    }
    return to_text(e, body, length, out, max_bytes);
}
