/* log.c - one line an event, written with one write(2) so that threads do not mix lines */
#include <mailkeep/log.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <mailkeep/base.h>

/* A pipe takes up to PIPE_BUF (4096) octets as a whole; lines stay below it. */
enum { LINE_BYTES = 4000, VALUE_BYTES = 1000 };

static const char *const level_names[] = {
    [MK_LOG_ERROR] = "error",
    [MK_LOG_WARN] = "warn",
    [MK_LOG_INFO] = "info",
    [MK_LOG_DEBUG] = "debug",
};

static gint current_level = MK_LOG_INFO; /* atomic: HUP changes it while lanes log */

void mk_log_set_level(MkLogLevel level)
{
    g_atomic_int_set(&current_level, (gint) level);
}

MkLogLevel mk_log_level(void)
{
    return (MkLogLevel) g_atomic_int_get(&current_level);
}

bool mk_log_level_parse(const char *text, MkLogLevel *out_level)
{
    for (guint i = 0; i < G_N_ELEMENTS(level_names); i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *out_level = (MkLogLevel) i;
            return true;
        }
    }
    return false;
}

const char *mk_log_u64(char buffer[24], uint64_t number)
{
    snprintf(buffer, 24, "%" G_GUINT64_FORMAT, (guint64) number);
    return buffer;
}

static void append_time(GString *line)
{
    int64_t now = mk_clock_unix_ms();
    char text[32];

    mk_clock_format_utc(now, text);
    text[strlen(text) - 1] = '\0'; /* the Z follows behind the milliseconds */
    g_string_append_printf(line, "%s.%03dZ", text, (int) (now % 1000));
}

static bool needs_quotes(const char *value)
{
    if (*value == '\0')
        return true;
    for (const char *p = value; *p != '\0'; p++)
        if ((unsigned char) *p <= ' ' || (unsigned char) *p >= 0x7f || strchr("\"=\\", *p) != NULL)
            return true;
    return false;
}

/* One character, escaped when a terminal or a log reader could take it for more; its octets. */
static size_t append_escaped(GString *line, const char *at, size_t left)
{
    unsigned char octet = (unsigned char) *at;
    gunichar c = octet < 0x80 ? octet : g_utf8_get_char_validated(at, (gssize) left);
    bool is_text = c < 0x110000 && !g_unichar_iscntrl(c);

    if (octet == '"' || octet == '\\') {
        g_string_append_c(line, '\\');
        g_string_append_c(line, *at);
    } else if (is_text && octet >= 0x80) {
        g_string_append_unichar(line, c);
        return (size_t) g_unichar_to_utf8(c, NULL);
    } else if (is_text) {
        g_string_append_c(line, *at);
    } else {
        g_string_append_printf(line, "\\x%02x", octet);
    }
    return 1;
}

static void append_value(GString *line, const char *value)
{
    size_t length = MIN(strlen(value), (size_t) VALUE_BYTES);

    if (!needs_quotes(value)) {
        g_string_append_len(line, value, (gssize) length);
        return;
    }
    g_string_append_c(line, '"');
    for (size_t i = 0; i < length;)
        i += append_escaped(line, value + i, length - i);
    g_string_append_c(line, '"');
}

static void write_line(const char *text, size_t length)
{
    /* A log that cannot be written must not stop the archive: short writes are lost. */
    while (write(STDERR_FILENO, text, length) < 0 && errno == EINTR)
        ;
}

void mk_log(MkLogLevel level, const char *event, ...)
{
    g_autoptr(GString) line = NULL;
    va_list args;

    if (level > mk_log_level())
        return;
    line = g_string_sized_new(256);
    append_time(line);
    g_string_append_printf(line, " %s %s", level_names[level], event);
    va_start(args, event);
    for (const char *key; (key = va_arg(args, const char *)) != NULL;) {
        const char *value = va_arg(args, const char *);

        g_string_append_printf(line, " %s=", key);
        append_value(line, value != NULL ? value : "-");
    }
    va_end(args);
    if (line->len > LINE_BYTES)
        g_string_truncate(line, LINE_BYTES);
    g_string_append_c(line, '\n');
    write_line(line->str, line->len);
}
