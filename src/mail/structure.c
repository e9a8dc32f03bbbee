/*
 * structure.c - parts in parts, by offsets, in one pass and linear time
 *
 *   entity --header--> leaf       body up to a boundary of any open multipart
 *                  --> message    its message starts where its body does
 *                  --> multipart  preamble, then a child for each "--boundary" line,
 *                                 then epilogue after "--boundary--"
 *
 * Open entities lie on a stack of at most MK_LIMIT_NESTING + 1. A boundary of an outer multipart
 * also ends all inner ones, so a missing "--boundary--" costs nothing but a flag. Line ends are
 * CRLF or LF. No GMime here: exact octet ranges, the limits and the speed of ingest rest on it.
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "internal.h"

#define BOUNDARY_BYTES 1000 /* RFC 2046 5.1.1 allows 70; longer ones are real */

typedef struct {
    guint index;
    char *boundary; /* NULL = no multipart, or in its epilogue */
    size_t boundary_length;
} Open;

typedef struct {
    const uint8_t *data;
    size_t length;
    MkStructure *out;
    Open open[MK_LIMIT_NESTING + 2];
    unsigned depth; /* open ones */
} Walk;

static MkEntity *entity(const Walk *w, guint index)
{
    return &g_array_index(w->out->entities, MkEntity, index);
}

static size_t next_line(const Walk *w, size_t at)
{
    const uint8_t *lf = memchr(w->data + at, '\n', w->length - at);

    return lf ? (size_t) (lf - w->data) + 1 : w->length;
}

/* -- boundaries ------------------------------------------------------------------------------ */

typedef struct {
    size_t line;
    size_t next;
    unsigned level; /* of the stack */
    bool is_last;   /* "--boundary--" */
} Delimiter;

/* Is the line at @at "--boundary" or "--boundary--" with nothing but blanks behind it? */
static bool is_delimiter(const Walk *w, size_t at, const Open *open, Delimiter *out)
{
    const uint8_t *p = w->data + at + 2, *end = w->data + w->length;

    if ((size_t) (end - p) < open->boundary_length ||
        memcmp(p, open->boundary, open->boundary_length) != 0)
        return false;
    p += open->boundary_length;
    out->is_last = end - p >= 2 && p[0] == '-' && p[1] == '-';
    if (out->is_last)
        p += 2;
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
        p++;
    if (p < end && *p != '\n')
        return false;
    out->line = at;
    out->next = (size_t) (p - w->data) + (p < end ? 1 : 0);
    return true;
}

/* Innermost first: two multiparts may, wrongly, share a boundary. */
static bool delimiter_at(const Walk *w, size_t at, Delimiter *out)
{
    if (w->length - at < 3 || w->data[at] != '-' || w->data[at + 1] != '-')
        return false;
    for (unsigned i = w->depth; i-- > 0;)
        if (w->open[i].boundary && is_delimiter(w, at, &w->open[i], out)) {
            out->level = i;
            return true;
        }
    return false;
}

static bool find_delimiter(const Walk *w, size_t at, Delimiter *out)
{
    bool any = false;

    for (unsigned i = 0; i < w->depth; i++)
        any = any || w->open[i].boundary;
    for (; any && at < w->length; at = next_line(w, at))
        if (delimiter_at(w, at, out))
            return true;
    return false;
}

/* -- header ---------------------------------------------------------------------------------- */

/* A line of a header that is none: the envelope line of an mbox, or junk between two fields. */
static bool is_passed_over(const Walk *w, size_t start, size_t at)
{
    MkSpan line = { w->data + at, w->length - at };
    size_t next = next_line(w, at);

    if (at == start && (mk_span_starts(line, "From ") || mk_span_starts(line, ">From ")))
        return true;
    w->out->is_broken = true;
    return next < w->length && mk_line_kind(w->data + next, w->length - next) == MK_LINE_FIELD;
}

/* Where the header ends; *out_body is behind the empty line if there is one. */
static size_t header_end(const Walk *w, size_t start, size_t *out_body)
{
    Delimiter delimiter;
    size_t at = start;

    for (; at < w->length; at = next_line(w, at)) {
        MkLineKind kind = mk_line_kind(w->data + at, w->length - at);

        if (kind == MK_LINE_EMPTY) {
            *out_body = next_line(w, at);
            return at;
        }
        if (delimiter_at(w, at, &delimiter)) /* no empty line before it; ":" may be in a boundary */
            break;
        if (kind == MK_LINE_FIELD || (kind == MK_LINE_FOLDED && at > start))
            continue;
        if (!is_passed_over(w, start, at))
            break;
    }
    *out_body = at;
    return at;
}

static MkEncoding encoding_of(MkSpan value)
{
    char token[32];

    mk_token_first(value, token, sizeof token);
    if (g_str_equal(token, "base64"))
        return MK_ENCODING_BASE64;
    if (g_str_equal(token, "quoted-printable"))
        return MK_ENCODING_QUOTED;
    if (g_str_equal(token, "x-uuencode") || g_str_equal(token, "x-uue") ||
        g_str_equal(token, "uuencode"))
        return MK_ENCODING_UU;
    return MK_ENCODING_IDENTITY;
}

static void read_fields(const Walk *w, MkEntity *e, size_t header_octets)
{
    MkFieldReader r = mk_field_reader(w->data + e->header, header_octets);
    bool has_encoding = false;
    MkField f;

    while (mk_field_next(&r, &f)) {
        if (!mk_span_starts(f.name, "Content-"))
            continue;
        if (mk_span_is(f.name, "Content-Type") && !e->content_type.data) {
            e->content_type = f.value;
        } else if (mk_span_is(f.name, "Content-Transfer-Encoding") && !has_encoding) {
            has_encoding = true;
            e->encoding = encoding_of(f.value);
        } else if (mk_span_is(f.name, "Content-Disposition") && !e->disposition.data) {
            e->disposition = f.value;
        } else if (mk_span_is(f.name, "Content-ID") && !e->content_id.data) {
            e->content_id = f.value;
        } else if (mk_span_is(f.name, "Content-Location") && !e->location.data) {
            e->location = f.value;
        }
    }
    w->out->is_cut = w->out->is_cut || r.cut;
}

/* RFC 2045 5.2: no type, or one that cannot be read, is text/plain. */
static void read_type(MkEntity *e, const char *default_type)
{
    mk_token_first(e->content_type, e->type, sizeof e->type);
    if (g_str_equal(e->type, "text") || e->type[0] == '\0')
        g_strlcpy(e->type, default_type, sizeof e->type);
    else if (!strchr(e->type, '/'))
        g_strlcpy(e->type, "application/octet-stream", sizeof e->type);
}

/* -- entities ---------------------------------------------------------------------------------- */

static char *boundary_of(const MkEntity *e)
{
    char *boundary = mk_param_find(e->content_type, "boundary");

    if (!boundary)
        return NULL;
    g_strchomp(boundary);
    if (boundary[0] == '\0' || strlen(boundary) > BOUNDARY_BYTES)
        g_clear_pointer(&boundary, g_free);
    return boundary;
}

static bool is_message(const MkEntity *e)
{
    return e->encoding != MK_ENCODING_BASE64 && e->encoding != MK_ENCODING_QUOTED &&
           (g_str_equal(e->type, "message/rfc822") || g_str_equal(e->type, "message/global") ||
            g_str_equal(e->type, "message/news"));
}

/* A multipart without boundary or without parts: there may be text, the boundary spelled wrong. */
static void read_as_text(Walk *w, MkEntity *e)
{
    e->kind = MK_ENTITY_LEAF;
    g_strlcpy(e->type, "text/plain", sizeof e->type);
    w->out->is_broken = true;
}

static void choose_kind(Walk *w, MkEntity *e, Open *open)
{
    if (g_str_has_prefix(e->type, "multipart/")) {
        open->boundary = boundary_of(e);
        if (open->boundary) {
            open->boundary_length = strlen(open->boundary);
            e->kind = MK_ENTITY_MULTIPART;
        } else {
            read_as_text(w, e);
        }
    } else if (is_message(e)) {
        e->kind = MK_ENTITY_MESSAGE;
    }
    if (e->kind != MK_ENTITY_LEAF && e->depth >= MK_LIMIT_NESTING) {
        g_clear_pointer(&open->boundary, g_free);
        e->kind = MK_ENTITY_LEAF;
        w->out->is_cut = true;
    }
}

/* Reads the header at @at and puts the entity on the stack; where its body starts. */
static size_t open_entity(Walk *w, size_t at, int parent, const char *default_type)
{
    MkEntity e = { .parent = parent, .depth = w->depth, .header = at, .end = w->length };
    Open *open = &w->open[w->depth];
    size_t end = header_end(w, at, &e.body);

    read_fields(w, &e, end - at);
    read_type(&e, default_type);
    *open = (Open){ .index = w->out->entities->len };
    choose_kind(w, &e, open);
    w->depth++;
    g_array_append_val(w->out->entities, e);
    return e.body;
}

/* Ends all entities above @level; @line is where the delimiter that ends them begins. */
static void close_to(Walk *w, unsigned level, size_t line)
{
    if (line > 0 && w->data[line - 1] == '\n')
        line -= line > 1 && w->data[line - 2] == '\r' ? 2 : 1;
    while (w->depth > level) {
        Open *open = &w->open[--w->depth];
        MkEntity *e = entity(w, open->index);

        e->end = MAX(e->body, line);
        w->out->is_broken = w->out->is_broken || open->boundary;
        g_clear_pointer(&open->boundary, g_free);
    }
}

/* A message opens its own child at once; so does a digest's part, whose default it is. */
static size_t open_with_messages(Walk *w, size_t at, int parent, const char *default_type)
{
    at = open_entity(w, at, parent, default_type);
    while (w->out->entities->len < MK_LIMIT_PARTS &&
           entity(w, w->out->entities->len - 1)->kind == MK_ENTITY_MESSAGE)
        at = open_entity(w, at, (int) w->out->entities->len - 1, "text/plain");
    return at;
}

static size_t open_part(Walk *w, size_t at)
{
    guint parent = w->open[w->depth - 1].index;
    bool digest = g_str_equal(entity(w, parent)->type, "multipart/digest");

    return open_with_messages(w, at, (int) parent, digest ? "message/rfc822" : "text/plain");
}

static void walk(Walk *w)
{
    Delimiter delimiter;
    size_t at = open_with_messages(w, 0, -1, "text/plain");

    while (find_delimiter(w, at, &delimiter)) {
        close_to(w, delimiter.level + 1, delimiter.line);
        at = delimiter.next;
        if (delimiter.is_last) {
            g_clear_pointer(&w->open[delimiter.level].boundary, g_free);
        } else if (w->out->entities->len >= MK_LIMIT_PARTS) {
            w->out->is_cut = true; /* read on: the ends of the open ones still count */
        } else {
            at = open_part(w, at);
        }
    }
    while (w->depth > 0) { /* what is still open goes to the end, a line end there included */
        Open *open = &w->open[--w->depth];

        w->out->is_broken = w->out->is_broken || (open->boundary && !w->out->is_cut);
        g_clear_pointer(&open->boundary, g_free);
    }
}

static void read_childless(Walk *w)
{
    guint count = w->out->entities->len;

    for (guint i = 0; i < count; i++) {
        MkEntity *e = entity(w, i);

        if (e->kind != MK_ENTITY_MULTIPART || (i + 1 < count && e[1].parent == (int) i))
            continue;
        read_as_text(w, e);
    }
}

void mk_structure_read(MkStructure *s, const uint8_t *data, size_t length)
{
    Walk w = { .data = data, .length = length, .out = s };

    *s = (MkStructure){ .entities = g_array_new(FALSE, FALSE, sizeof(MkEntity)) };
    walk(&w);
    read_childless(&w);
    s->is_broken = s->is_broken || entity(&w, 0)->body == 0;
}

void mk_structure_clear(MkStructure *s)
{
    if (s->entities)
        g_array_unref(s->entities);
    s->entities = NULL;
}

bool mk_entity_is_text(const MkEntity *e)
{
    return g_str_has_prefix(e->type, "text/");
}

static bool has_param(MkSpan value, const char *name)
{
    /* filename, filename*, filename*0* (RFC 2231): the start of the name is enough. */
    for (size_t i = 0; value.data && i + strlen(name) < value.length; i++)
        if (g_ascii_strncasecmp((const char *) value.data + i, name, strlen(name)) == 0)
            return true;
    return false;
}

bool mk_entity_is_attachment(const MkEntity *e)
{
    return !mk_entity_is_text(e) || mk_span_starts(e->disposition, "attachment") ||
           has_param(e->disposition, "filename") || has_param(e->content_type, "name");
}
