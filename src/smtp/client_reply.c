/*
 * client_reply.c - a server's reply, one line or several (RFC 5321 4.2)
 *
 *   Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
 *   Reply-code = %x32-35 %x30-39 %x30-39      ; here any second digit, as RFC 4954 has 334, 235
 *
 * All lines of a reply have one code. Whatever is not of this form is no SMTP: then nothing that
 * the peer says can be believed, and the connection ends.
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "client_internal.h"

void mk_smtp_reply_init(MkSmtpReplyReader *reader)
{
    *reader = (MkSmtpReplyReader){ .lines = g_ptr_array_new_with_free_func(g_free) };
    mk_smtp_line_init(&reader->line);
}

void mk_smtp_reply_clear(MkSmtpReplyReader *reader)
{
    mk_smtp_line_clear(&reader->line);
    g_clear_pointer(&reader->lines, g_ptr_array_unref);
}

static void begin_anew(MkSmtpReplyReader *reader)
{
    reader->ready = false;
    reader->code = 0;
    reader->bytes = 0;
    g_ptr_array_set_size(reader->lines, 0);
}

static bool parse_code(const char *text, size_t length, unsigned *out)
{
    if (length < 3 || text[0] < '2' || text[0] > '5' || !g_ascii_isdigit(text[1]) ||
        !g_ascii_isdigit(text[2]))
        return false;
    *out = (unsigned) (text[0] - '0') * 100 + (unsigned) (text[1] - '0') * 10 +
           (unsigned) (text[2] - '0');
    return length == 3 || text[3] == ' ' || text[3] == '-';
}

static MkSmtpReplyState take_line(MkSmtpReplyReader *reader)
{
    const char *text = reader->line.text;
    size_t length = reader->line.length, from = MIN(length, 4);
    unsigned code;

    if (!parse_code(text, length, &code) || (reader->code != 0 && code != reader->code))
        return MK_SMTP_REPLY_BAD;
    reader->code = code;
    reader->bytes += length;
    if (reader->lines->len == MK_LIMIT_SMTP_REPLY_LINES ||
        reader->bytes > MK_LIMIT_SMTP_REPLY_BYTES)
        return MK_SMTP_REPLY_BAD;
    g_ptr_array_add(reader->lines, g_utf8_make_valid(text + from, (gssize) (length - from)));
    if (length > 3 && text[3] == '-')
        return MK_SMTP_REPLY_MORE;
    reader->ready = true;
    return MK_SMTP_REPLY_READY;
}

MkSmtpReplyState mk_smtp_reply_feed(MkSmtpReplyReader *reader, const uint8_t *data, size_t length,
                                    size_t *out_used)
{
    MkSmtpReplyState state = MK_SMTP_REPLY_MORE;

    *out_used = 0;
    if (reader->ready)
        begin_anew(reader);
    while (*out_used < length && state == MK_SMTP_REPLY_MORE) {
        size_t used;

        switch (mk_smtp_line_feed(&reader->line, data + *out_used, length - *out_used, &used)) {
        case MK_SMTP_LINE_MORE: break;
        case MK_SMTP_LINE_READY: state = take_line(reader); break;
        case MK_SMTP_LINE_BARE:
        case MK_SMTP_LINE_TOO_LONG:
        case MK_SMTP_LINE_ENDLESS: state = MK_SMTP_REPLY_BAD; break;
        }
        *out_used += used;
    }
    return state;
}

/* -- for people ------------------------------------------------------------------------------ */
/* Control characters, and those that turn text round, must not reach a terminal or a page. */
static bool is_plain(gunichar c)
{
    GUnicodeType type = g_unichar_type(c);

    return type != G_UNICODE_CONTROL && type != G_UNICODE_FORMAT &&
           type != G_UNICODE_LINE_SEPARATOR && type != G_UNICODE_PARAGRAPH_SEPARATOR;
}

char *mk_smtp_reply_shown(const MkSmtpReplyReader *reader)
{
    GString *shown = g_string_new(NULL);

    g_string_append_printf(shown, "%u", reader->code);
    for (guint i = 0; i < reader->lines->len; i++) {
        const char *text = reader->lines->pdata[i];

        g_string_append_c(shown, ' ');
        for (; *text != '\0' && shown->len < MK_LIMIT_SMTP_REPLY_SHOWN_BYTES - 8;
             text = g_utf8_next_char(text)) {
            gunichar c = g_utf8_get_char(text);

            g_string_append_unichar(shown, is_plain(c) ? c : ' ');
        }
        if (*text != '\0') {
            g_string_append(shown, " ...");
            break;
        }
    }
    return g_string_free(shown, FALSE);
}
