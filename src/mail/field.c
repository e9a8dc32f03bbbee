/*
 * field.c - header fields as they lie in the mail
 *
 *   field        = field-name *WSP ":" value line-end *(1*WSP value line-end)
 *   field-name   = 1*%d33-57 / %d59-126                     ; RFC 5322 2.2
 *
 * Blanks before the colon are obsolete but real (RFC 5322 4.5.8). Lines of a header that are
 * neither field nor folded are passed over.
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "internal.h"

bool mk_span_is(MkSpan span, const char *text)
{
    return span.data && span.length == strlen(text) &&
           g_ascii_strncasecmp((const char *) span.data, text, span.length) == 0;
}

bool mk_span_starts(MkSpan span, const char *prefix)
{
    size_t length = strlen(prefix);

    return span.data && span.length >= length &&
           g_ascii_strncasecmp((const char *) span.data, prefix, length) == 0;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

MkSpan mk_span_trim(MkSpan span)
{
    while (span.length > 0 && is_blank(span.data[0])) {
        span.data++;
        span.length--;
    }
    while (span.length > 0 && is_blank(span.data[span.length - 1]))
        span.length--;
    return span;
}

MkLineKind mk_line_kind(const uint8_t *line, size_t length)
{
    size_t i = 0;

    if (length == 0 || line[0] == '\n' || (line[0] == '\r' && (length == 1 || line[1] == '\n')))
        return MK_LINE_EMPTY;
    if (line[0] == ' ' || line[0] == '\t')
        return MK_LINE_FOLDED;
    while (i < length && line[i] > 32 && line[i] < 127 && line[i] != ':')
        i++;
    if (i == 0)
        return MK_LINE_OTHER;
    while (i < length && (line[i] == ' ' || line[i] == '\t'))
        i++;
    return i < length && line[i] == ':' ? MK_LINE_FIELD : MK_LINE_OTHER;
}

MkFieldReader mk_field_reader(const uint8_t *header, size_t length)
{
    return (MkFieldReader){ .at = header,
                            .end = header + length,
                            .octets_left = MK_LIMIT_HEADER_BYTES,
                            .fields_left = MK_LIMIT_HEADER_FIELDS };
}

static const uint8_t *next_line(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *lf = memchr(at, '\n', (size_t) (end - at));

    return lf ? lf + 1 : end;
}

static MkField split_field(const uint8_t *start, const uint8_t *end)
{
    const uint8_t *colon = memchr(start, ':', (size_t) (end - start));
    MkField field = { .name = { start, (size_t) (colon - start) },
                      .value = { colon + 1, (size_t) (end - colon - 1) } };

    field.name = mk_span_trim(field.name);
    field.value = mk_span_trim(field.value);
    return field;
}

bool mk_field_next(MkFieldReader *r, MkField *out_field)
{
    while (r->at < r->end) {
        const uint8_t *start = r->at;
        MkLineKind kind = mk_line_kind(start, (size_t) (r->end - start));
        size_t length;

        r->at = next_line(r->at, r->end);
        if (kind != MK_LINE_FIELD)
            continue;
        while (r->at < r->end && (*r->at == ' ' || *r->at == '\t'))
            r->at = next_line(r->at, r->end);
        length = (size_t) (r->at - start);
        if (r->fields_left == 0 || length > r->octets_left) {
            r->cut = true;
            r->at = r->end;
            return false;
        }
        r->fields_left--;
        r->octets_left -= length;
        *out_field = split_field(start, r->at);
        out_field->whole = out_field->value;
        if (out_field->value.length > MK_LIMIT_HEADER_FIELD_BYTES) {
            out_field->value.length = MK_LIMIT_HEADER_FIELD_BYTES;
            r->cut = true;
        }
        return true;
    }
    return false;
}

/* -- structured values ---------------------------------------------------------------------- */

/* Past blanks and comments; comments nest (RFC 5322 3.2.2). */
static size_t skip_cfws(MkSpan v, size_t i)
{
    unsigned depth = 0;

    for (; v.data && i < v.length; i++) {
        uint8_t c = v.data[i];

        if (c == '\\' && depth > 0)
            i++;
        else if (c == '(')
            depth++;
        else if (c == ')' && depth > 0)
            depth--;
        else if (depth == 0 && !is_blank(c))
            break;
    }
    return MIN(i, v.length);
}

void mk_token_first(MkSpan value, char *out, size_t out_bytes)
{
    size_t n = 0;

    for (size_t i = skip_cfws(value, 0); value.data && i < value.length && n + 1 < out_bytes; i++) {
        uint8_t c = value.data[i];

        if (c == '"' || is_blank(c))
            continue; /* `"base64"` and "text / plain" are both real */
        if (c < 33 || c > 126 || strchr(";,()", c))
            break;
        out[n++] = g_ascii_tolower((char) c);
    }
    out[n] = '\0';
}

/* The value at @i, quoted or not; *out_end is behind it. */
static char *param_value(MkSpan v, size_t i, size_t *out_end)
{
    GString *text = g_string_new(NULL);
    bool quoted = i < v.length && v.data[i] == '"';

    for (i += quoted ? 1 : 0; i < v.length; i++) {
        uint8_t c = v.data[i];

        if (quoted ? c == '"' : c == ';' || is_blank(c))
            break;
        if (quoted && c == '\\' && i + 1 < v.length)
            c = v.data[++i];
        if (c != '\r' && c != '\n' && c != '\0')
            g_string_append_c(text, (char) c);
    }
    *out_end = i;
    return g_string_free(text, FALSE);
}

/* To the next ";" that is not in a quoted string. */
static size_t skip_param(MkSpan v, size_t i)
{
    bool quoted = false;

    for (; v.data && i < v.length && (quoted || v.data[i] != ';'); i++) {
        if (v.data[i] == '"')
            quoted = !quoted;
        else if (quoted && v.data[i] == '\\')
            i++;
    }
    return MIN(i, v.length);
}

char *mk_param_find(MkSpan value, const char *name)
{
    size_t name_length = strlen(name), i = skip_param(value, 0);

    while (value.data && i < value.length) {
        i = skip_cfws(value, i + 1);
        if (value.length - i > name_length &&
            g_ascii_strncasecmp((const char *) value.data + i, name, name_length) == 0) {
            size_t at = skip_cfws(value, i + name_length), end;

            if (at < value.length && value.data[at] == '=')
                return param_value(value, skip_cfws(value, at + 1), &end);
        }
        i = skip_param(value, i);
    }
    return NULL;
}
