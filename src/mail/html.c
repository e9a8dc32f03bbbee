/*
 * html.c - HTML to text in one pass
 *
 *   text --"<!--"--> comment --"-->"--> text          --"<!", "<?", "</" other--> bogus --">"--> text
 *        --"<" letter, "</" letter--> tag --">" outside a quoted value--> text
 *        --tag script, style ...--> raw text --"</" the same name--> tag
 *        --"&"--> character reference
 *
 * As the tokenizer of the HTML standard (13.2.5), but nothing is kept of a tag except whether it
 * breaks the line. Whatever has no end goes to the end of the text: no state looks ahead twice,
 * so time is linear for any input.
 */
#include <string.h>

#include "internal.h"

typedef enum {
    GAP_NONE,
    GAP_BLANK,
    GAP_LINE,
} Gap;

typedef struct {
    const char *at;
    const char *end;
    GString *out;
    size_t start; /* out->len before */
    size_t limit; /* and at most */
    Gap gap;      /* before the next character */
    unsigned pre; /* open <pre>: blanks and line ends stay */
} Html;

typedef enum {
    TAG_INLINE,
    TAG_CELL,  /* a blank */
    TAG_BLOCK, /* a line end before and after */
    TAG_PRE,
    TAG_RAW, /* its text is no text */
} TagKind;

static const struct {
    const char *name;
    TagKind kind;
} tags[] = {
    { "address", TAG_BLOCK },    { "article", TAG_BLOCK },  { "aside", TAG_BLOCK },
    { "blockquote", TAG_BLOCK }, { "body", TAG_BLOCK },     { "br", TAG_BLOCK },
    { "caption", TAG_BLOCK },    { "center", TAG_BLOCK },   { "dd", TAG_BLOCK },
    { "dir", TAG_BLOCK },        { "div", TAG_BLOCK },      { "dl", TAG_BLOCK },
    { "dt", TAG_BLOCK },         { "fieldset", TAG_BLOCK }, { "figcaption", TAG_BLOCK },
    { "figure", TAG_BLOCK },     { "footer", TAG_BLOCK },   { "form", TAG_BLOCK },
    { "h1", TAG_BLOCK },         { "h2", TAG_BLOCK },       { "h3", TAG_BLOCK },
    { "h4", TAG_BLOCK },         { "h5", TAG_BLOCK },       { "h6", TAG_BLOCK },
    { "header", TAG_BLOCK },     { "hr", TAG_BLOCK },       { "iframe", TAG_RAW },
    { "img", TAG_CELL },         { "input", TAG_CELL },     { "li", TAG_BLOCK },
    { "main", TAG_BLOCK },       { "nav", TAG_BLOCK },      { "noembed", TAG_RAW },
    { "noframes", TAG_RAW },     { "ol", TAG_BLOCK },       { "option", TAG_BLOCK },
    { "p", TAG_BLOCK },          { "pre", TAG_PRE },        { "script", TAG_RAW },
    { "section", TAG_BLOCK },    { "style", TAG_RAW },      { "table", TAG_BLOCK },
    { "tbody", TAG_BLOCK },      { "td", TAG_CELL },        { "textarea", TAG_BLOCK },
    { "tfoot", TAG_BLOCK },      { "th", TAG_CELL },        { "thead", TAG_BLOCK },
    { "title", TAG_RAW },        { "tr", TAG_BLOCK },       { "ul", TAG_BLOCK },
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* -- output ------------------------------------------------------------------------------------- */

static void want_gap(Html *h, Gap gap)
{
    h->gap = MAX(h->gap, gap);
}

static void write_text(Html *h, const char *text, size_t length)
{
    if (h->gap != GAP_NONE && h->out->len > h->start)
        g_string_append_c(h->out, h->gap == GAP_LINE ? '\n' : ' ');
    h->gap = GAP_NONE;
    g_string_append_len(h->out, text, (gssize) length);
}

static void write_character(Html *h, gunichar c)
{
    char utf8[6];

    if (c == 0xad || c == 0x200b || c == 0xfeff)
        return; /* a soft hyphen must not cut a word in two */
    if (c == 0xa0 || (c < 128 && is_blank((char) c)))
        want_gap(h, GAP_BLANK);
    else
        write_text(h, utf8, (size_t) g_unichar_to_utf8(c, utf8));
}

/* -- tags --------------------------------------------------------------------------------------- */

static size_t name_length(const char *at, const char *end)
{
    const char *p = at;

    while (p < end && (g_ascii_isalnum(*p) || *p == '-' || *p == ':'))
        p++;
    return (size_t) (p - at);
}

static TagKind tag_kind(const char *name, size_t length)
{
    for (size_t i = 0; i < G_N_ELEMENTS(tags); i++) {
        char first = g_ascii_tolower(name[0]);

        if (tags[i].name[0] == first && strlen(tags[i].name) == length &&
            g_ascii_strncasecmp(tags[i].name, name, length) == 0)
            return tags[i].kind;
    }
    return TAG_INLINE;
}

/* Behind ">". A quote means something only right after "=": a stray one hides no text. */
static const char *skip_attributes(const char *p, const char *end)
{
    while (p < end && *p != '>') {
        if (*p++ != '=')
            continue;
        while (p < end && is_blank(*p))
            p++;
        if (p < end && (*p == '"' || *p == '\'')) {
            const char *close = memchr(p + 1, *p, (size_t) (end - p - 1));

            p = close ? close + 1 : end;
        }
    }
    return p < end ? p + 1 : end;
}

/* At "</name" of the raw element that just began, or at the end. */
static const char *skip_raw(const char *p, const char *end, const char *name, size_t length)
{
    while ((p = memchr(p, '<', (size_t) (end - p)))) {
        if ((size_t) (end - p) >= length + 2 && p[1] == '/' &&
            g_ascii_strncasecmp(p + 2, name, length) == 0)
            return p;
        p++;
    }
    return end;
}

static void read_tag(Html *h, const char *name, bool is_end)
{
    size_t length = name_length(name, h->end);
    TagKind kind = tag_kind(name, length);

    h->at = skip_attributes(name + length, h->end);
    switch (kind) {
    case TAG_INLINE: break;
    case TAG_CELL: want_gap(h, GAP_BLANK); break;
    case TAG_BLOCK: want_gap(h, GAP_LINE); break;
    case TAG_PRE:
        want_gap(h, GAP_LINE);
        h->pre = is_end ? 0 : 1;
        break;
    case TAG_RAW:
        want_gap(h, GAP_BLANK);
        if (!is_end)
            h->at = skip_raw(h->at, h->end, name, length);
        break;
    }
}

static const char *skip_to(const char *p, const char *end, const char *what)
{
    const char *found = memmem(p, (size_t) (end - p), what, strlen(what));

    return found ? found + strlen(what) : end;
}

static bool starts_with(const Html *h, const char *what)
{
    size_t length = strlen(what);

    return (size_t) (h->end - h->at) >= length && memcmp(h->at, what, length) == 0;
}

static void read_markup(Html *h)
{
    char next = h->at + 1 < h->end ? h->at[1] : '\0';

    if (starts_with(h, "<!-->") || starts_with(h, "<!--->")) {
        h->at = skip_to(h->at, h->end, ">");
    } else if (starts_with(h, "<!--")) {
        h->at = skip_to(h->at + 4, h->end, "-->");
    } else if (g_ascii_isalpha(next)) {
        read_tag(h, h->at + 1, false);
    } else if (next == '/' && h->at + 2 < h->end && g_ascii_isalpha(h->at[2])) {
        read_tag(h, h->at + 2, true);
    } else if (next == '!' || next == '?' || next == '/') {
        h->at = skip_to(h->at, h->end, ">");
    } else {
        write_text(h, h->at++, 1); /* "a < b" */
    }
}

/* -- character references ------------------------------------------------------------------------- */

static gunichar number_of(const char *at, const char *end, const char **out_end)
{
    bool hex = at < end && (*at == 'x' || *at == 'X');
    gunichar value = 0;
    int digit;

    for (at += hex ? 1 : 0; at < end; at++) {
        digit = hex ? g_ascii_xdigit_value(*at) : g_ascii_digit_value(*at);
        if (digit < 0)
            break;
        value = MIN(value * (hex ? 16 : 10) + (gunichar) digit, 0x110000);
    }
    *out_end = at;
    return value;
}

static void write_number(Html *h, gunichar c)
{
    uint8_t octet = (uint8_t) c;

    if (c >= 0x80 && c < 0xa0) { /* windows-1252 is meant, as everywhere */
        GString *one = g_string_new(NULL);

        mk_utf8_append(one, &octet, 1);
        write_text(h, one->str, one->len);
        g_string_free(one, TRUE);
    } else {
        write_character(h, c != 0 && g_unichar_validate(c) ? c : 0xfffd);
    }
}

static void read_reference(Html *h)
{
    const char *name = h->at + 1, *end = name;
    gunichar c;

    if (name + 1 < h->end && *name == '#') {
        c = number_of(name + 1, h->end, &end);
        if (end > name + 1 && g_ascii_isxdigit(end[-1])) {
            h->at = end + (end < h->end && *end == ';');
            write_number(h, c);
            return;
        }
    }
    for (end = name; end < h->end && end - name < 24 && g_ascii_isalnum(*end);)
        end++;
    bool bare = end == h->end || *end != ';';
    c = mk_html_entity(name, (size_t) (end - name), bare);
    if (c == 0) {
        write_text(h, h->at++, 1);
        return;
    }
    h->at = end + (bare ? 0 : 1);
    write_character(h, c);
}

/* -- text ------------------------------------------------------------------------------------------ */

static bool is_plain(char c)
{
    return c != '<' && c != '&' && c != '\xc2' && c != '\xe2' && c != '\xef' && c != '\0' &&
           !is_blank(c);
}

static void read_blanks(Html *h)
{
    for (; h->at < h->end && is_blank(*h->at); h->at++)
        want_gap(h, h->pre && *h->at == '\n' ? GAP_LINE : GAP_BLANK);
}

/* U+00A0, U+00AD, U+200B and U+FEFF begin with these octets; all others are as they are. */
static void read_special(Html *h)
{
    gunichar c = g_utf8_get_char_validated(h->at, h->end - h->at);

    if (c >= (gunichar) -2) {
        h->at++;
        return;
    }
    write_character(h, c);
    h->at = g_utf8_next_char(h->at);
}

void mk_html_to_text(const char *html, size_t length, GString *out, size_t max_bytes)
{
    Html h = { .at = html,
               .end = html + length,
               .out = out,
               .start = out->len,
               .limit = out->len + max_bytes };

    while (h.at < h.end && out->len <= h.limit) {
        const char *start = h.at;

        while (h.at < h.end && is_plain(*h.at))
            h.at++;
        if (h.at > start)
            write_text(&h, start, (size_t) (h.at - start));
        else if (*h.at == '<')
            read_markup(&h);
        else if (*h.at == '&')
            read_reference(&h);
        else if (*h.at == '\0')
            h.at++;
        else if (is_blank(*h.at))
            read_blanks(&h);
        else
            read_special(&h);
    }
    mk_utf8_cut(out, h.limit);
}
