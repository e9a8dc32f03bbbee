/*
 * client_data.c - the mail as the octets of DATA (RFC 5321 4.5.2)
 *
 * A mail is kept with whatever line ends it came with; SMTP has CRLF alone. A CR or LF by itself
 * would be sent as some servers' end of a line and other servers' text, and what stands behind
 * "\n.\r\n" in a crafted mail would then be commands, given under our login ("SMTP smuggling"). So
 * every LF, every CR and every CRLF is one line end; CRs right before a LF belong to it, since
 * "\r\r\n" is what careless converters make of one.
 */
#include <string.h>

#include "client_internal.h"

static void put(GByteArray *out, const char *text)
{
    g_byte_array_append(out, (const uint8_t *) text, (guint) strlen(text));
}

static void end_line(MkSmtpStuff *stuff, GByteArray *out)
{
    put(out, "\r\n");
    stuff->in_line = false;
}

/* CRs that turned out to be line ends by themselves. */
static void release_crs(MkSmtpStuff *stuff, GByteArray *out)
{
    for (; stuff->held_crs > 0; stuff->held_crs--)
        end_line(stuff, out);
}

static size_t text_length(const uint8_t *data, size_t length)
{
    const uint8_t *lf = memchr(data, '\n', length);
    const uint8_t *cr = memchr(data, '\r', lf != NULL ? (size_t) (lf - data) : length);

    return cr != NULL ? (size_t) (cr - data) : lf != NULL ? (size_t) (lf - data) : length;
}

static void put_text(MkSmtpStuff *stuff, const uint8_t *data, size_t length, GByteArray *out)
{
    release_crs(stuff, out);
    if (!stuff->in_line && data[0] == '.')
        put(out, ".");
    g_byte_array_append(out, data, (guint) length);
    stuff->in_line = true;
}

void mk_smtp_stuff(MkSmtpStuff *stuff, const uint8_t *data, size_t length, GByteArray *out)
{
    for (size_t at = 0; at < length;) {
        size_t text = text_length(data + at, length - at);

        if (text > 0) {
            put_text(stuff, data + at, text, out);
            at += text;
        } else if (data[at++] == '\r') {
            stuff->held_crs++;
        } else {
            stuff->held_crs = 0;
            end_line(stuff, out);
        }
    }
}

void mk_smtp_stuff_end(MkSmtpStuff *stuff, GByteArray *out)
{
    release_crs(stuff, out);
    if (stuff->in_line)
        end_line(stuff, out);
    put(out, ".\r\n");
}

bool mk_smtp_has_8bit(const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (data[i] >= 0x80)
            return true;
    return false;
}
