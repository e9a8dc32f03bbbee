/*
 * text.c - what the index reads of a mail
 *
 * Attachments that are no text are not even decoded: only their names count.
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "internal.h"

#define TELLING_BYTES 512 /* a shorter text/plain may just say "this mail is HTML" */

typedef struct {
    const uint8_t *data;
    MkStructure structure;
    bool *taken; /* by index: done, or passed over for a better alternative */
    MkMailText *out;
} Reader;

static const MkEntity *entity(const Reader *r, guint index)
{
    return &g_array_index(r->structure.entities, MkEntity, index);
}

/* -- one leaf --------------------------------------------------------------------------------------- */

static bool is_html(const MkEntity *e)
{
    return g_str_equal(e->type, "text/html") || g_str_equal(e->type, "text/enriched") ||
           g_str_equal(e->type, "application/xhtml+xml");
}

static bool is_readable(const MkEntity *e)
{
    return is_html(e) || (mk_entity_is_text(e) && !g_str_equal(e->type, "text/rtf")) ||
           g_str_equal(e->type, "message/delivery-status") ||
           g_str_equal(e->type, "message/disposition-notification");
}

static void append_leaf(Reader *r, const MkEntity *e, GString *out)
{
    size_t left = MK_LIMIT_TEXT_BYTES - MIN(out->len, MK_LIMIT_TEXT_BYTES);
    bool whole;

    if (out->len > 0 && left > 1) {
        g_string_append_c(out, '\n');
        left--;
    }
    if (is_html(e)) {
        GString *html = g_string_new(NULL);

        whole = mk_entity_text(r->data, e, html, MK_LIMIT_TEXT_BYTES * 2);
        mk_html_to_text(html->str, html->len, out, left);
        g_string_free(html, TRUE);
    } else {
        whole = mk_entity_text(r->data, e, out, left);
    }
    r->out->truncated = r->out->truncated || !whole || out->len >= MK_LIMIT_TEXT_BYTES;
}

static void add_name(Reader *r, const MkEntity *e)
{
    g_autofree char *name = mk_entity_file_name(e);

    if (name[0] != '\0')
        g_ptr_array_add(r->out->attachment_names, g_steal_pointer(&name));
}

/* -- alternatives -------------------------------------------------------------------------------------- */

static bool is_child(const Reader *r, guint index, guint parent)
{
    return entity(r, index)->parent == (int) parent;
}

static bool is_body(const MkEntity *e, bool html)
{
    return e->kind == MK_ENTITY_LEAF && is_html(e) == html && is_readable(e) &&
           !mk_entity_is_attachment(e);
}

/* Is all that @html says in a text/plain of @plain octets, roughly? */
static bool says_no_more(const Reader *r, const MkEntity *html, size_t plain)
{
    GString *source, *text;
    bool no_more;

    if (plain >= TELLING_BYTES)
        return true;
    source = g_string_new(NULL);
    text = g_string_new(NULL);
    mk_entity_text(r->data, html, source, MK_LIMIT_TEXT_BYTES);
    mk_html_to_text(source->str, source->len, text, 2 * TELLING_BYTES);
    no_more = text->len <= plain + plain / 2;
    g_string_free(source, TRUE);
    g_string_free(text, TRUE);
    return no_more;
}

/* HTML may lie one deeper than its text/plain, in a multipart/related with its pictures. */
static bool is_alternative(const Reader *r, guint index, guint alternative)
{
    int parent = entity(r, index)->parent;

    return is_child(r, index, alternative) ||
           (parent > 0 && is_child(r, (guint) parent, alternative) &&
            g_str_equal(entity(r, (guint) parent)->type, "multipart/related"));
}

/* HTML that says the same as a text/plain beside it is left out. */
static void choose(Reader *r, guint alternative)
{
    GString *plain = g_string_new(NULL);
    guint count = r->structure.entities->len;
    size_t length;

    for (guint i = alternative + 1; i < count; i++)
        if (is_child(r, i, alternative) && is_body(entity(r, i), false) &&
            g_str_equal(entity(r, i)->type, "text/plain"))
            mk_entity_text(r->data, entity(r, i), plain, TELLING_BYTES + 64);
    length = strlen(g_strstrip(plain->str));
    for (guint i = alternative + 1; length > 0 && i < count; i++)
        if (is_alternative(r, i, alternative) && is_body(entity(r, i), true))
            r->taken[i] = says_no_more(r, entity(r, i), length);
    g_string_free(plain, TRUE);
}

/* -- walk ------------------------------------------------------------------------------------------------ */

/* An attached message is known by its subject as much as by its words. */
static void add_subject(Reader *r, const MkEntity *message)
{
    MkFieldReader fields =
        mk_field_reader(r->data + message->header, message->body - message->header);
    MkField f;

    while (mk_field_next(&fields, &f))
        if (mk_span_is(f.name, "Subject")) {
            g_autofree char *subject = mk_value_text(f.value, MK_LIMIT_DISPLAY_BYTES);

            g_string_append_printf(r->out->body, "%s%s", r->out->body->len ? "\n" : "", subject);
            return;
        }
}

static void read_entity(Reader *r, guint index)
{
    const MkEntity *e = entity(r, index);
    bool named = mk_entity_is_attachment(e) && e->kind != MK_ENTITY_MULTIPART;

    if (e->parent >= 0 && entity(r, (guint) e->parent)->kind == MK_ENTITY_MESSAGE)
        add_subject(r, e);
    if (g_str_equal(e->type, "multipart/alternative") && e->kind == MK_ENTITY_MULTIPART)
        choose(r, index);
    if (named)
        add_name(r, e);
    if (e->kind != MK_ENTITY_LEAF || !is_readable(e) || r->taken[index])
        return;
    if (named && mk_entity_is_text(e))
        append_leaf(r, e, r->out->attachment_text);
    else
        append_leaf(r, e, r->out->body);
}

MkMailText *mk_mail_text(const uint8_t *data, size_t length)
{
    MkMailText *text = g_new0(MkMailText, 1);
    Reader r = { .data = mk_octets(data), .out = text };

    text->body = g_string_new(NULL);
    text->attachment_text = g_string_new(NULL);
    text->attachment_names = g_ptr_array_new_with_free_func(g_free);
    mk_structure_read(&r.structure, r.data, length);
    r.taken = g_new0(bool, r.structure.entities->len);
    for (guint i = 0; i < r.structure.entities->len; i++)
        read_entity(&r, i);
    text->truncated = text->truncated || r.structure.is_cut;
    mk_utf8_cut(text->body, MK_LIMIT_TEXT_BYTES);
    g_free(r.taken);
    mk_structure_clear(&r.structure);
    return text;
}

void mk_mail_text_free(MkMailText *text)
{
    if (!text)
        return;
    g_string_free(text->body, TRUE);
    g_ptr_array_unref(text->attachment_names);
    g_string_free(text->attachment_text, TRUE);
    g_free(text);
}
