/*
 * calendar.c - ICS and VCF: the values that are text (RFC 5545, 6350, vCard 2.1)
 *
 *   line  = [group "."] name *(";" parameter) ":" value
 *
 * Long lines go on behind a line end and a blank; those of a vCard 2.1 in quoted-printable behind
 * "=" and a line end.
 */
#include <string.h>

#include "internal.h"

typedef struct {
    const char *at;
    const char *end;
} Lines;

static const char *const text_names[] = {
    "SUMMARY",       "DESCRIPTION", "LOCATION",  "COMMENT", "CATEGORIES",   "ORGANIZER",
    "ATTENDEE",      "CONTACT",     "RESOURCES", "URL",     "FN",           "N",
    "NICKNAME",      "ORG",         "TITLE",     "ROLE",    "NOTE",         "ADR",
    "LABEL",         "EMAIL",       "TEL",       "IMPP",    "X-WR-CALNAME", "X-WR-CALDESC",
    "CALSCALE-NAME", "MEMBER",      "RELATED",
};

/* -- lines ------------------------------------------------------------------------------------------ */

static void add_line(Lines *l, GString *out)
{
    const char *lf = memchr(l->at, '\n', (size_t) (l->end - l->at));
    const char *stop = lf ? lf : l->end;

    if (stop > l->at && stop[-1] == '\r')
        g_string_append_len(out, l->at, stop - l->at - 1);
    else
        g_string_append_len(out, l->at, stop - l->at);
    l->at = lf ? lf + 1 : l->end;
}

static bool is_quoted_printable(const GString *line)
{
    const char *colon = strchr(line->str, ':');
    g_autofree char *head = g_ascii_strup(line->str, colon ? colon - line->str : 0);

    return strstr(head, "QUOTED-PRINTABLE") != NULL;
}

static bool goes_on(const Lines *l, GString *line, bool quoted)
{
    if (l->at >= l->end)
        return false;
    if (quoted)
        return line->len > 0 && line->str[line->len - 1] == '=';
    return *l->at == ' ' || *l->at == '\t';
}

/* The next line with those that continue it. */
static bool next_line(Lines *l, GString *line)
{
    bool quoted;

    if (l->at >= l->end)
        return false;
    g_string_truncate(line, 0);
    add_line(l, line);
    quoted = is_quoted_printable(line);
    while (goes_on(l, line, quoted)) {
        if (quoted)
            g_string_truncate(line, line->len - 1);
        else
            l->at++;
        add_line(l, line);
    }
    return true;
}

/* -- values ------------------------------------------------------------------------------------------ */

static int hex(char c)
{
    return g_ascii_xdigit_value(c);
}

static void decode_quoted(GString *value)
{
    size_t used = 0;

    for (size_t i = 0; i < value->len; i++) {
        char c = value->str[i];

        if (c == '=' && i + 1 == value->len) /* a line end that nothing follows */
            break;
        if (c == '=' && i + 2 < value->len && hex(value->str[i + 1]) >= 0 &&
            hex(value->str[i + 2]) >= 0) {
            c = (char) (hex(value->str[i + 1]) << 4 | hex(value->str[i + 2]));
            i += 2;
        }
        value->str[used++] = c;
    }
    g_string_truncate(value, used);
}

/* RFC 5545 3.3.11: backslashes before line ends, commas, semicolons; a bare semicolon parts. */
static void unescape(GString *value)
{
    size_t used = 0;

    for (size_t i = 0; i < value->len; i++) {
        char c = value->str[i];

        if (c == '\\' && i + 1 < value->len) {
            c = value->str[++i];
            if (c == 'n' || c == 'N')
                c = '\n';
        } else if (c == ';') {
            c = ' ';
        }
        value->str[used++] = c;
    }
    g_string_truncate(value, used);
}

/* A parameter's value in an upper case or mixed head ("N;CHARSET=x;..."); NULL if none. */
static char *parameter(const char *head, const char *name)
{
    g_auto(GStrv) pieces = g_strsplit(head, ";", 64);
    size_t length = strlen(name);

    for (char **p = pieces; *p; p++)
        if (g_ascii_strncasecmp(*p, name, length) == 0 && (*p)[length] == '=')
            return g_strdup(*p + length + 1);
    return NULL;
}

static bool out_value(Extraction *x, const char *head, const GString *value)
{
    g_autofree char *charset = parameter(head, "CHARSET");
    g_autofree char *text = NULL;
    size_t length = 0;

    if (charset)
        text = charset_convert((const uint8_t *) value->str, value->len, charset, &length);
    if (text)
        return out_utf8(x, text, length);
    return out_octets(x, (const uint8_t *) value->str, value->len);
}

static void decode(const char *head, GString *value)
{
    g_autofree char *upper = g_ascii_strup(head, -1);

    if (strstr(upper, "QUOTED-PRINTABLE")) {
        decode_quoted(value);
    } else if (strstr(upper, "ENCODING=BASE64") || strstr(upper, "ENCODING=B")) {
        gsize length = 0;

        if (value->len > 1) {
            g_base64_decode_inplace(value->str, &length);
            g_string_truncate(value, length);
        }
    }
}

/* -- properties --------------------------------------------------------------------------------------- */

/* Behind a group ("item1.EMAIL"), up to the first parameter. */
static bool is_text(const char *head)
{
    size_t length = strcspn(head, ";");
    const char *dot = memchr(head, '.', length);

    if (dot) {
        length -= (size_t) (dot + 1 - head);
        head = dot + 1;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(text_names); i++)
        if (strlen(text_names[i]) == length &&
            g_ascii_strncasecmp(head, text_names[i], length) == 0)
            return true;
    return false;
}

/* The colon that is not in a quoted parameter. */
static char *find_colon(char *line)
{
    bool quoted = false;

    for (; *line; line++) {
        if (*line == '"')
            quoted = !quoted;
        else if (*line == ':' && !quoted)
            return line;
    }
    return NULL;
}

static bool read_line(Extraction *x, GString *line)
{
    char *colon = find_colon(line->str);
    g_autofree char *name = NULL;
    GString *value;
    bool more;

    if (!colon)
        return true;
    *colon = '\0';
    if (!is_text(line->str))
        return true;
    value = g_string_new_len(colon + 1, (gssize) (line->str + line->len - colon - 1));
    decode(line->str, value);
    unescape(value);
    name = parameter(line->str, "CN");
    more = (!name || out_line(x, g_strdelimit(name, "\"", ' '))) &&
           out_value(x, line->str, value) && out_utf8(x, "\n", 1);
    g_string_free(value, TRUE);
    return more;
}

static void gather(void *cookie, const char *text, size_t length)
{
    g_string_append_len(cookie, text, (gssize) length);
}

MkTextWhy read_calendar(Extraction *x, const Document *document)
{
    const char *data = (const char *) document->data;
    GString *line = g_string_new(NULL), *utf8 = g_string_new(NULL);
    Lines lines = { data, data + document->length };
    bool more = true;

    /* In UTF-16 or with a mark: as a text file first. */
    if (document->length >= 3 && document->data[0] >= 0xef) {
        Extraction inner = { .text_left = SIZE_MAX, .on_text = gather, .cookie = utf8 };

        read_plain(&inner, document);
        lines = (Lines){ utf8->str, utf8->str + utf8->len };
    }
    while (more && next_line(&lines, line))
        more = read_line(x, line);
    g_string_free(line, TRUE);
    g_string_free(utf8, TRUE);
    return more ? MK_WHY_NONE : MK_WHY_TEXT;
}
