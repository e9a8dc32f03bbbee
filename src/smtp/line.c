/*
 * line.c - command lines end with CRLF and with nothing else (RFC 5321 §2.3.8)
 *
 * A server that takes a bare LF for an end, behind one that does not, can be made to see commands
 * where the first saw text ("SMTP smuggling"). So a bare LF or CR neither ends a line nor is it
 * taken as part of one: the whole line is refused, up to its CRLF.
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "internal.h"

/* Beyond this a line without an end is no mistake any more. */
#define ENDLESS_BYTES (32 * MK_LIMIT_SMTP_COMMAND_BYTES)

void mk_smtp_line_init(MkSmtpLine *line)
{
    *line = (MkSmtpLine){ .partial = g_string_new(NULL) };
}

void mk_smtp_line_clear(MkSmtpLine *line)
{
    g_string_free(line->partial, TRUE);
    *line = (MkSmtpLine){ 0 };
}

static void line_keep(MkSmtpLine *line, const uint8_t *data, size_t length)
{
    if (line->dropped == 0 && line->partial->len + length <= MK_LIMIT_SMTP_COMMAND_BYTES - 2) {
        g_string_append_len(line->partial, (const char *) data, (gssize) length);
        return;
    }
    line->dropped += line->partial->len + length;
    g_string_truncate(line->partial, 0);
}

/* The octets before the next CR or LF; a CR that ends the read is remembered. */
static size_t line_feed_text(MkSmtpLine *line, const uint8_t *data, size_t length, bool *out_ended)
{
    size_t at = 0;

    *out_ended = false;
    if (line->saw_cr) {
        line->saw_cr = false;
        if (data[0] == '\n') {
            *out_ended = true;
            return 1;
        }
        line->bare = true;
        line_keep(line, (const uint8_t *) "\r", 1); /* counted, or CRs alone would be endless */
    }
    while (at < length && data[at] != '\r' && data[at] != '\n')
        at++;
    if (at < length && data[at] == '\n') {
        line->bare = true;
        at++;
    }
    line_keep(line, data, at);
    if (at < length && data[at] == '\r') {
        line->saw_cr = true;
        at++;
    }
    return at;
}

static MkSmtpLineState line_finish(MkSmtpLine *line)
{
    MkSmtpLineState state = line->dropped > 0 ? MK_SMTP_LINE_TOO_LONG
                            : line->bare      ? MK_SMTP_LINE_BARE
                                              : MK_SMTP_LINE_READY;

    line->text = line->partial->str;
    line->length = line->partial->len;
    line->dropped = 0;
    line->bare = false;
    return state;
}

MkSmtpLineState mk_smtp_line_feed(MkSmtpLine *line, const uint8_t *data, size_t length,
                                  size_t *out_used)
{
    bool ended = false;
    size_t at = 0;

    if (line->text != NULL) { /* the line before this one has been looked at */
        line->text = NULL;
        g_string_truncate(line->partial, 0);
    }
    while (at < length && !ended && line->dropped <= ENDLESS_BYTES)
        at += line_feed_text(line, data + at, length - at, &ended);
    *out_used = at;
    if (ended)
        return line_finish(line);
    return line->dropped > ENDLESS_BYTES ? MK_SMTP_LINE_ENDLESS : MK_SMTP_LINE_MORE;
}
