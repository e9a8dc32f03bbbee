/*
 * words.c - header values to text: unfolding, RFC 2047, msg-ids
 *
 * GMime decodes the encoded words. It gets one line of at most MK_LIMIT_HEADER_FIELD_BYTES and its
 * answer is made valid UTF-8: unknown charsets come back as they were.
 */
#include <string.h>

#include <gmime/gmime.h>

#include <mailkeep/limits.h>

#include "internal.h"

/* Line ends off (RFC 5322 2.2.3); other control characters would only disturb a list. */
GString *mk_value_unfold(MkSpan value)
{
    GString *line = g_string_sized_new(value.length + 1);
    bool japanese = value.data && memmem(value.data, value.length, "\x1b$", 2);

    if (japanese)
        mk_charset_append(line, value.data, value.length, "iso-2022-jp", value.length * 3);
    else if (value.data)
        mk_utf8_append(line, value.data, value.length);
    size_t n = 0;
    for (size_t i = 0; i < line->len; i++) {
        char c = line->str[i];

        if (c == '\n' || (c == '\r' && line->str[i + 1] == '\n'))
            continue;
        line->str[n++] = (uint8_t) c < 32 || c == 127 ? ' ' : c;
    }
    g_string_truncate(line, n);
    return line;
}

char *mk_text_clean(const char *text, size_t max_bytes)
{
    MkSpan span = { (const uint8_t *) text, text ? strlen(text) : 0 };
    GString *line = mk_value_unfold(span);

    mk_utf8_cut(line, max_bytes);
    return g_strstrip(g_string_free(line, FALSE));
}

/* Raw octets on one line for GMime: an octet of 8 bits within an encoded word is of its charset. */
static char *decode_words(MkSpan value)
{
    g_autofree char *raw = g_strndup((const char *) value.data, value.length); /* up to a NUL */

    for (char *p = raw, *to = raw;; p++) {
        if (*p != '\r' && *p != '\n')
            *to++ = *p;
        if (*p == '\0')
            break;
    }
    return g_mime_utils_header_decode_text(mk_mail_options(), raw);
}

char *mk_value_text(MkSpan value, size_t max_bytes)
{
    g_autofree char *decoded = NULL;
    GString *line;

    if (value.length > max_bytes * 4 + 1024) /* an encoded word is at most so much longer */
        value.length = max_bytes * 4 + 1024;
    if (value.length > 0 && memmem(value.data, value.length, "=?", 2)) {
        decoded = decode_words(value);
        return mk_text_clean(decoded, max_bytes);
    }
    line = mk_value_unfold(value);
    mk_utf8_cut(line, max_bytes);
    return g_strstrip(g_string_free(line, FALSE));
}

/* -- msg-ids ---------------------------------------------------------------------------------- */

static char *msg_id_at(const char *start, const char *end)
{
    GString *id = g_string_new(NULL);

    for (; start < end && id->len < MK_LIMIT_DISPLAY_BYTES; start++)
        if (*start != ' ')
            g_string_append_c(id, *start);
    mk_utf8_cut(id, MK_LIMIT_DISPLAY_BYTES);
    return g_string_free(id, FALSE);
}

void mk_value_msg_ids(MkSpan value, GPtrArray *out, guint max)
{
    GString *line = mk_value_unfold(value);
    const char *open = line->str, *close;

    while (out->len < max && (open = strchr(open, '<')) && (close = strchr(open, '>'))) {
        const char *again = open;

        /* "<a@b <c@d>": the last "<" before ">" begins the msg-id */
        while ((again = strchr(again + 1, '<')) && again < close)
            open = again;
        if (close > open + 1)
            g_ptr_array_add(out, msg_id_at(open + 1, close));
        open = close;
    }
    g_string_free(line, TRUE);
}

char *mk_value_msg_id(MkSpan value)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    GString *line;
    char *id;

    mk_value_msg_ids(value, ids, 1);
    if (ids->len > 0)
        return ids->pdata[0];
    line = mk_value_unfold(value); /* without <>, as some programs write it */
    g_strstrip(line->str);
    id = strchr(line->str, '@') && !strpbrk(line->str, " \"")
             ? msg_id_at(line->str, line->str + strlen(line->str))
             : g_strdup("");
    g_string_free(line, TRUE);
    return id;
}
