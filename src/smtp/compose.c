/*
 * compose.c - mails of our own: a text for people, in UTF-8 (RFC 5322, 2045, 2047, 3834)
 */
#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/http.h>

#include "client_internal.h"

/* "=?UTF-8?B?" and "?=" around it: 75 characters at most (RFC 2047 2), so 45 octets. */
enum { WORD_BYTES = 45, LINE_BYTES = 57 };

static void put_encoded_word(GString *out, const char *text, size_t length)
{
    g_autofree char *encoded = g_base64_encode((const guchar *) text, length);

    g_string_append_printf(out, "=?UTF-8?B?%s?=", encoded);
}

/* Cut between characters; the blanks between encoded words are not shown. */
static void put_words(GString *out, const char *text)
{
    const char *start = text;

    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at)) {
        if (g_utf8_next_char(at) - start <= WORD_BYTES)
            continue;
        put_encoded_word(out, start, (size_t) (at - start));
        g_string_append(out, "\r\n ");
        start = at;
    }
    put_encoded_word(out, start, strlen(start));
}

static bool is_plain(const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        if (!g_ascii_isalnum(*p) && strchr(" -'!/", *p) == NULL)
            return false;
    return strlen(text) <= WORD_BYTES;
}

static void put_text(GString *out, const char *text)
{
    if (is_plain(text))
        g_string_append(out, text);
    else
        put_words(out, text);
}

static void put_from(GString *out, const MkSmtpSettings *settings)
{
    g_string_append(out, "From: ");
    if (settings->from_name[0] != '\0') {
        put_text(out, settings->from_name);
        g_string_append(out, "\r\n ");
    }
    g_string_append_printf(out, "<%s>\r\n", settings->from_address);
}

/* "Sun, 06 Nov 1994 08:49:37 +0000" */
static void put_date(GString *out)
{
    char date[32];

    mk_http_format_date(mk_clock_unix_ms(), date);
    *strrchr(date, ' ') = '\0'; /* GMT: of old mails only (RFC 5322 4.3) */
    g_string_append_printf(out, "Date: %s +0000\r\n", date);
}

static void put_message_id(GString *out, const char *from_address)
{
    char random[33];

    mk_id_random_hex(random, 16);
    g_string_append_printf(out, "Message-ID: <%s%s>\r\n", random, strchr(from_address, '@'));
}

static void put_recipients(GString *out, const char *const *recipients)
{
    g_string_append(out, "To: ");
    for (; *recipients != NULL; recipients++)
        g_string_append_printf(out, "<%s>%s", *recipients, recipients[1] != NULL ? ",\r\n " : "");
    g_string_append(out, "\r\n");
}

static void put_body(GString *out, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *crlf = g_strjoinv("\r\n", lines);
    size_t length = strlen(crlf);

    for (size_t at = 0; at < length; at += LINE_BYTES) {
        g_autofree char *line =
            g_base64_encode((const guchar *) crlf + at, MIN(length - at, LINE_BYTES));

        g_string_append_printf(out, "%s\r\n", line);
    }
}

GBytes *mk_smtp_compose(const MkSmtpRelay *relay, const char *const *recipients,
                        const char *subject, const char *text)
{
    GString *out = g_string_new(NULL);

    put_date(out);
    put_from(out, &relay->settings);
    put_recipients(out, recipients);
    g_string_append(out, "Subject: ");
    put_text(out, subject);
    g_string_append(out, "\r\n");
    put_message_id(out, relay->settings.from_address);
    g_string_append(out, "Auto-Submitted: auto-generated\r\n"
                         "MIME-Version: 1.0\r\n"
                         "Content-Type: text/plain; charset=utf-8\r\n"
                         "Content-Transfer-Encoding: base64\r\n\r\n");
    put_body(out, text);
    return g_string_free_to_bytes(out);
}
