/*
 * base64.c - base64 bodies decoded so that encoding gives the same octets again
 *
 * Plain re-encoding reproduces little more than half of the base64 in real mail. What differs is
 * layout: blank lines around it, one irregular line, footers behind the padding, a missing line
 * end. A recipe keeps that layout:
 *
 *   recipe  = %x01 *block
 *   block   = literal runs
 *   literal = varint length, octets      ; blank lines, padding, footers: given out as they are
 *   runs    = varint count, *run [tail]  ; base64 lines; count 0 only in the last block
 *   run     = varint (letters << 2 | line end), varint lines
 *   tail    = octet                      ; only if the letters of the block are no multiple of 4:
 *                                          the value of the last letter's bits beyond whole octets
 *
 * The alphabet is one to one and every other octet is in the recipe, so decoding is exact by
 * construction: no second encoding is needed to verify it.
 */
#include <mailkeep/mail.h>

#include <string.h>

#include <mailkeep/base.h>

#include "internal.h"

#define RECIPE_VERSION 1
#define RECIPE_BYTES 4096 /* a body which needs more is not worth decoding */
#define SUFFIX_BYTES 4096 /* a rest up to this is taken literally: no base64 is looked for in it */
#define BODY_BYTES (1u << 30)
#define BLANK_BYTES \
    (1u << 20) /* beside 4 octets encoded for each decoded one: else mere blank lines */

typedef enum {
    EOL_NONE, /* the block ends in the line */
    EOL_LF,
    EOL_CRLF,
} Eol;

static const size_t eol_bytes[] = { 0, 1, 2 };

/* -- decoding ----------------------------------------------------------------------------- */

typedef struct {
    uint8_t *at;      /* where the next octet goes */
    unsigned pending; /* letters that do not make a quantum yet, 0..3 */
    uint32_t bits;    /* their values */
} Sink;

static void sink_letter(Sink *s, int value)
{
    s->bits = s->bits << 6 | (uint32_t) value;
    if (++s->pending < 4)
        return;
    *s->at++ = (uint8_t) (s->bits >> 16);
    *s->at++ = (uint8_t) (s->bits >> 8);
    *s->at++ = (uint8_t) s->bits;
    s->pending = 0;
    s->bits = 0;
}

/* Takes letters up to the first octet that is none; how many. */
static size_t sink_letters(Sink *s, const uint8_t *p, size_t length)
{
    size_t i = 0;
    int value;

    while (s->pending > 0 && i < length && (value = mk_base64_value(p[i])) >= 0) {
        sink_letter(s, value);
        i++;
    }
    if (s->pending == 0) {
        size_t whole = mk_base64_decode_quanta(p + i, length - i, s->at);

        s->at += whole / 4 * 3;
        i += whole;
    }
    for (; i < length && (value = mk_base64_value(p[i])) >= 0; i++)
        sink_letter(s, value);
    return i;
}

/* Writes the octets of an unfinished quantum; the bits beyond them are the tail. */
static uint8_t sink_finish(Sink *s)
{
    uint32_t bits = s->bits;
    unsigned spare = s->pending * 6 % 8;

    if (s->pending == 3) {
        *s->at++ = (uint8_t) (bits >> 10);
        *s->at++ = (uint8_t) (bits >> 2);
    } else if (s->pending == 2) {
        *s->at++ = (uint8_t) (bits >> 4);
    }
    s->pending = 0;
    s->bits = 0;
    return (uint8_t) (bits & ((1u << spare) - 1));
}

typedef struct {
    const uint8_t *data;
    size_t length;
    size_t at;
    Sink sink;
    GByteArray *recipe; /* whole blocks */
    GByteArray *runs;   /* of the block being read */
    uint64_t run_count;
    size_t letters; /* of a line, in the run not yet written */
    Eol eol;
    uint64_t lines;   /* 0 = there is no such run */
    bool has_letters; /* in this block */
} Decoder;

static void run_flush(Decoder *d)
{
    if (d->lines == 0)
        return;
    mk_put_varint(d->runs, (uint64_t) d->letters << 2 | d->eol);
    mk_put_varint(d->runs, d->lines);
    d->run_count++;
    d->lines = 0;
}

static void run_add(Decoder *d, size_t letters, Eol eol)
{
    if (d->lines > 0 && (d->letters != letters || d->eol != eol))
        run_flush(d);
    d->letters = letters;
    d->eol = eol;
    d->lines++;
    d->has_letters = d->has_letters || letters > 0;
}

static void block_end(Decoder *d)
{
    bool has_tail = d->sink.pending > 0;
    uint8_t tail = sink_finish(&d->sink);

    run_flush(d);
    mk_put_varint(d->recipe, d->run_count);
    g_byte_array_append(d->recipe, d->runs->data, d->runs->len);
    if (has_tail)
        mk_put_u8(d->recipe, tail);
    g_byte_array_set_size(d->runs, 0);
    d->run_count = 0;
    d->has_letters = false;
}

static size_t line_end(const Decoder *d, Eol *out_eol, size_t *out_next)
{
    const uint8_t *line = d->data + d->at;
    const uint8_t *lf = memchr(line, '\n', d->length - d->at);
    size_t length = lf ? (size_t) (lf - line) : d->length - d->at;

    *out_eol = lf ? EOL_LF : EOL_NONE;
    *out_next = d->at + length + (lf ? 1 : 0);
    if (lf && length > 0 && line[length - 1] == '\r') {
        *out_eol = EOL_CRLF;
        length--;
    }
    return length;
}

/*
 * Reads one line into the block; false when the block ends before or within it. A line with
 * anything but letters belongs to the block only up to its padding: text that follows the
 * base64 would else be read as letters up to its first blank.
 */
static bool block_line(Decoder *d)
{
    Sink before = d->sink;
    Eol eol;
    size_t next, used, length = line_end(d, &eol, &next);

    if (length == 0 && d->has_letters && d->length - d->at <= SUFFIX_BYTES)
        return false;
    used = sink_letters(&d->sink, d->data + d->at, length);
    if (used == length) {
        if (length > 0 || eol != EOL_NONE)
            run_add(d, length, eol);
        d->at = next;
        return d->at < d->length;
    }
    if (d->data[d->at + used] != '=') {
        d->sink = before;
        return false;
    }
    if (used > 0)
        run_add(d, used, EOL_NONE);
    d->at += used;
    return false;
}

/* Blank lines before the base64 of the first block, else what ended the block before. */
static void block_literal(Decoder *d, bool first)
{
    size_t start = d->at, next;
    Eol eol;

    if (first)
        while (d->at < d->length && strchr(" \t\r\n", d->data[d->at]) && d->data[d->at])
            d->at++;
    else if (d->length - d->at <= SUFFIX_BYTES)
        d->at = d->length;
    else if (line_end(d, &eol, &next) > 0)
        d->at = next;
    mk_put_block(d->recipe, d->data + start, d->at - start);
}

/* A few octets of recipe must not make a gigabyte of line ends. */
static bool is_dense(size_t encoded, size_t decoded)
{
    return encoded <= 4 * decoded + BLANK_BYTES;
}

static bool decode_all(Decoder *d, size_t max_recipe)
{
    for (bool first = true; d->at < d->length; first = false) {
        block_literal(d, first);
        while (d->at < d->length && d->runs->len <= max_recipe && block_line(d))
            ;
        block_end(d);
        if (d->recipe->len > max_recipe)
            return false;
    }
    return true;
}

bool mk_base64_decode_exact(const uint8_t *encoded, size_t length, GByteArray *out_decoded,
                            GByteArray *out_recipe)
{
    g_autoptr(GByteArray) recipe = g_byte_array_new();
    g_autoptr(GByteArray) runs = g_byte_array_new();
    guint before = out_decoded->len;
    Decoder d = { .data = encoded, .length = length, .recipe = recipe, .runs = runs };

    if (length == 0 || length > BODY_BYTES)
        return false;
    g_byte_array_set_size(out_decoded, before + (guint) (length / 4 * 3 + 3));
    d.sink.at = out_decoded->data + before;
    mk_put_u8(recipe, RECIPE_VERSION);
    if (!decode_all(&d, MIN(RECIPE_BYTES, length / 2)) ||
        !is_dense(length, (size_t) (d.sink.at - out_decoded->data) - before)) {
        g_byte_array_set_size(out_decoded, before);
        return false;
    }
    g_byte_array_set_size(out_decoded, (guint) (d.sink.at - out_decoded->data));
    g_byte_array_append(out_recipe, recipe->data, recipe->len);
    return true;
}

/* -- encoding ----------------------------------------------------------------------------- */

typedef struct {
    const uint8_t *at;  /* decoded octets not yet used */
    size_t left;        /* of this block */
    uint8_t quantum[4]; /* letters made but not yet given out */
    unsigned pending;
    uint8_t tail;
} Source;

/* The last quantum of a block: 0, 1 or 2 octets and the tail's bits. */
static void source_last_quantum(Source *s)
{
    uint32_t bits = s->tail;

    if (s->left == 2)
        bits |= (uint32_t) s->at[0] << 10 | (uint32_t) s->at[1] << 2;
    else if (s->left == 1)
        bits |= (uint32_t) s->at[0] << 4;
    s->pending = (unsigned) s->left + 1;
    for (unsigned i = 0; i < s->pending; i++)
        s->quantum[i] = mk_base64_letter(bits >> 6 * (s->pending - 1 - i));
    s->at += s->left;
    s->left = 0;
}

static void source_quantum(Source *s)
{
    if (s->left < 3) {
        source_last_quantum(s);
        return;
    }
    mk_base64_encode_quanta(s->at, 3, s->quantum);
    s->at += 3;
    s->left -= 3;
    s->pending = 4;
}

static uint8_t *source_letters(Source *s, uint8_t *out, size_t letters)
{
    while (letters > 0) {
        unsigned n;

        if (s->pending == 0) {
            size_t octets = MIN(letters / 4, s->left / 3) * 3;

            mk_base64_encode_quanta(s->at, octets, out);
            s->at += octets;
            s->left -= octets;
            out += octets / 3 * 4;
            letters -= octets / 3 * 4;
            if (letters == 0)
                break;
            source_quantum(s);
        }
        n = (unsigned) MIN(letters, s->pending);
        memcpy(out, s->quantum, n);
        memmove(s->quantum, s->quantum + n, s->pending - n);
        s->pending -= n;
        out += n;
        letters -= n;
    }
    return out;
}

typedef struct {
    const uint8_t *literal;
    size_t literal_length;
    uint64_t run_count;
    MkReader runs;
    uint64_t letters;
    uint64_t octets;  /* decoded */
    uint64_t encoded; /* with literal and line ends */
    uint8_t tail;
} Block;

static bool run_read(MkReader *r, uint64_t *letters, Eol *eol, uint64_t *lines)
{
    uint64_t head = mk_read_varint(r);

    *lines = mk_read_varint(r);
    *letters = head >> 2;
    *eol = head & 3;
    if (*eol == EOL_NONE && (*lines != 1 || *letters == 0))
        return false; /* it is one line, and not an empty one: any number would cost only time */
    return !r->failed && (head & 3) <= EOL_CRLF && *letters <= BODY_BYTES && *lines > 0 &&
           *lines <= BODY_BYTES;
}

static bool block_read(MkReader *r, Block *b)
{
    uint64_t letters, lines;
    Eol eol;

    memset(b, 0, sizeof *b);
    b->literal = mk_read_block(r, &b->literal_length);
    b->run_count = mk_read_varint(r);
    b->runs = *r;
    b->encoded = b->literal_length;
    for (uint64_t i = 0; i < b->run_count; i++) {
        if (!run_read(r, &letters, &eol, &lines))
            return false;
        b->letters += letters * lines;
        b->encoded += (letters + eol_bytes[eol]) * lines;
        if (b->encoded > BODY_BYTES)
            return false;
    }
    if (b->letters % 4 != 0)
        b->tail = mk_read_u8(r);
    b->octets = b->letters * 6 / 8;
    return !r->failed;
}

static uint8_t *block_write(const Block *b, const uint8_t *decoded, uint8_t *out)
{
    MkReader runs = b->runs;
    Source source = { .at = decoded, .left = b->octets, .tail = b->tail };
    uint64_t letters = 0, lines = 0;
    Eol eol = EOL_NONE;

    if (b->literal_length > 0)
        memcpy(out, b->literal, b->literal_length);
    out += b->literal_length;
    for (uint64_t i = 0; i < b->run_count && run_read(&runs, &letters, &eol, &lines); i++)
        for (; lines > 0; lines--) {
            out = source_letters(&source, out, letters);
            if (eol == EOL_CRLF)
                *out++ = '\r';
            if (eol != EOL_NONE)
                *out++ = '\n';
        }
    return out;
}

/* The octets that the recipe makes out of @length decoded ones; 0 when it does not fit them. */
static size_t recipe_measure(MkReader r, size_t length)
{
    uint64_t octets = 0, encoded = 0;
    Block block;

    if (mk_read_u8(&r) != RECIPE_VERSION)
        return 0;
    while (!r.failed && r.length > 0) {
        if (!block_read(&r, &block))
            return 0;
        octets += block.octets;
        encoded += block.encoded;
        if (encoded > BODY_BYTES)
            return 0;
    }
    return octets == length && is_dense(encoded, octets) ? encoded : 0;
}

bool mk_base64_encode_exact(const uint8_t *decoded, size_t length, const uint8_t *recipe,
                            size_t recipe_length, GByteArray *out_encoded)
{
    MkReader r = mk_reader(recipe, recipe_length);
    size_t encoded = recipe_measure(r, length);
    guint before = out_encoded->len;
    uint8_t *out;
    Block block;

    if (encoded == 0)
        return false;
    g_byte_array_set_size(out_encoded, before + (guint) encoded);
    out = out_encoded->data + before;
    mk_read_u8(&r);
    while (r.length > 0 && block_read(&r, &block)) {
        out = block_write(&block, decoded, out);
        decoded += block.octets;
    }
    g_assert(out == out_encoded->data + before + encoded);
    return true;
}
