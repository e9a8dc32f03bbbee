/*
 * parts.c - the leaves of a mail, for reading
 */
#include <string.h>

#include <gmime/gmime.h>

#include <mailkeep/limits.h>

#include "internal.h"

#define FILE_NAME_BYTES 255 /* what file systems take */

/* -- file names ------------------------------------------------------------------------------------- */

static bool mentions_name(MkSpan value)
{
    for (size_t i = 0; i + 4 < value.length; i++)
        if (g_ascii_strncasecmp((const char *) value.data + i, "name", 4) == 0)
            return true;
    return false;
}

/* One line without NUL for GMime: an octet of 8 bits is decoded by it. */
static char *raw_line(MkSpan value)
{
    char *line = g_strndup((const char *) value.data, value.length);

    return g_strdelimit(line, "\r\n", ' ');
}

static char *disposition_name(MkSpan value)
{
    g_autofree char *line = raw_line(value);
    GMimeContentDisposition *d = g_mime_content_disposition_parse(mk_mail_options(), line);
    const char *name = d ? g_mime_content_disposition_get_parameter(d, "filename") : NULL;
    char *clean = name ? mk_text_clean(name, MK_LIMIT_DISPLAY_BYTES) : NULL;

    g_clear_object(&d);
    return clean;
}

static char *type_name(MkSpan value)
{
    g_autofree char *line = raw_line(value);
    GMimeContentType *t = g_mime_content_type_parse(mk_mail_options(), line);
    const char *name = t ? g_mime_content_type_get_parameter(t, "name") : NULL;
    char *clean = name ? mk_text_clean(name, MK_LIMIT_DISPLAY_BYTES) : NULL;

    g_clear_object(&t);
    return clean;
}

/* "C:\\x\\a.doc" and "../a.doc" are "a.doc"; "." and ".." are no names. */
static char *without_path(char *name)
{
    char *base = name;
    GString *cut;

    for (char *p = name; *p; p++)
        if (*p == '/' || *p == '\\')
            base = p + 1;
    if (g_str_equal(base, ".") || g_str_equal(base, ".."))
        base = "";
    cut = g_string_new(base);
    mk_utf8_cut(cut, FILE_NAME_BYTES);
    g_free(name);
    return g_strstrip(g_string_free(cut, FALSE));
}

char *mk_entity_file_name(const MkEntity *e)
{
    char *name = mentions_name(e->disposition) ? disposition_name(e->disposition) : NULL;

    if ((!name || name[0] == '\0') && mentions_name(e->content_type)) {
        g_free(name);
        name = type_name(e->content_type);
    }
    return without_path(name ? name : g_strdup(""));
}

/* -- parts ------------------------------------------------------------------------------------------- */

static void part_free(MkPart *part)
{
    g_free(part->type);
    g_free(part->charset);
    g_free(part->file_name);
    g_free(part->content_id);
    g_free(part);
}

static bool is_related(const MkStructure *s, const MkEntity *e)
{
    return e->parent >= 0 &&
           g_str_equal(g_array_index(s->entities, MkEntity, e->parent).type, "multipart/related");
}

/* A picture that the text shows by its Content-ID is no attachment to a reader. */
static bool is_listed(const MkStructure *s, const MkEntity *e, const MkPart *part)
{
    if (mk_span_starts(e->disposition, "attachment"))
        return true;
    if (part->content_id[0] != '\0' && is_related(s, e))
        return false;
    return part->file_name[0] != '\0' || !mk_entity_is_text(e);
}

static char *lower_charset(MkSpan content_type)
{
    g_autofree char *charset = mk_param_find(content_type, "charset");
    g_autofree char *clean = mk_text_clean(charset ? charset : "", 64);

    return g_ascii_strdown(clean, -1);
}

static MkPart *part_new(const MkStructure *s, const uint8_t *data, const MkEntity *e,
                        unsigned number)
{
    MkPart *part = g_new0(MkPart, 1);

    part->number = number;
    part->depth = e->depth;
    part->type = g_strdup(e->type);
    part->charset = lower_charset(e->content_type);
    part->file_name = mk_entity_file_name(e);
    part->content_id = mk_value_msg_id(e->content_id);
    part->size_bytes = mk_transfer_size(e->encoding, data + e->body, e->end - e->body);
    part->is_attachment = is_listed(s, e, part);
    return part;
}

/* Is it a leaf for a reader? What is in a message is read when the message is opened. */
static bool is_leaf(const MkStructure *s, const MkEntity *e)
{
    if (e->kind == MK_ENTITY_MULTIPART)
        return false;
    for (int i = e->parent; i >= 0; i = g_array_index(s->entities, MkEntity, i).parent)
        if (g_array_index(s->entities, MkEntity, i).kind == MK_ENTITY_MESSAGE)
            return false;
    return true;
}

GPtrArray *mk_mail_parts(const uint8_t *data, size_t length)
{
    GPtrArray *parts = g_ptr_array_new_with_free_func((GDestroyNotify) part_free);
    g_auto(MkStructure) s = { .entities = NULL };

    data = mk_octets(data);
    mk_structure_read(&s, data, length);
    for (guint i = 0; i < s.entities->len; i++) {
        const MkEntity *e = &g_array_index(s.entities, MkEntity, i);

        if (is_leaf(&s, e))
            g_ptr_array_add(parts, part_new(&s, data, e, parts->len + 1));
    }
    return parts;
}

static bool find_part(const uint8_t *data, size_t length, unsigned number, MkEntity *out,
                      GError **error)
{
    g_auto(MkStructure) s = { .entities = NULL };
    unsigned count = 0;

    mk_structure_read(&s, data, length);
    for (guint i = 0; i < s.entities->len; i++) {
        const MkEntity *e = &g_array_index(s.entities, MkEntity, i);

        if (is_leaf(&s, e) && ++count == number) {
            *out = *e;
            return true;
        }
    }
    return mk_fail(error, MK_ERROR_NOT_FOUND, "The mail has %u parts, not a part %u", count,
                   number);
}

GBytes *mk_mail_part_content(const uint8_t *data, size_t length, unsigned number, GError **error)
{
    GByteArray *content;
    MkEntity e;

    data = mk_octets(data);
    if (!find_part(data, length, number, &e, error))
        return NULL;
    content = g_byte_array_new();
    mk_transfer_decode(e.encoding, data + e.body, e.end - e.body, content, length);
    return g_byte_array_free_to_bytes(content);
}

char *mk_mail_part_text(const uint8_t *data, size_t length, unsigned number, size_t max_bytes,
                        GError **error)
{
    GString *text;
    MkEntity e;

    data = mk_octets(data);
    if (!find_part(data, length, number, &e, error))
        return NULL;
    text = g_string_new(NULL);
    mk_entity_text(data, &e, text, max_bytes);
    return g_string_free(text, FALSE);
}
