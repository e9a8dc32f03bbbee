/*
 * split.c - where the large parts lie
 */
#include <mailkeep/mail.h>

#include <string.h>

#include <mailkeep/limits.h>

#include "internal.h"

/* -- what a piece is ------------------------------------------------------------------------ */

/* The start of the line before the one that begins at @at. */
static size_t line_before(const uint8_t *data, size_t at)
{
    const uint8_t *lf = at > 1 ? memrchr(data, '\n', at - 1) : NULL;

    return lf != NULL ? (size_t) (lf - data) + 1 : 0;
}

/* From the empty line at the end of @before back to the boundary, or an empty line, or the start. */
static size_t header_start(const uint8_t *before, size_t length)
{
    size_t end = line_before(before, length), start = end;

    while (start > 0 && end - start < MK_LIMIT_HEADER_FIELD_BYTES) {
        size_t line = line_before(before, start);

        if (mk_line_kind(before + line, start - line) == MK_LINE_EMPTY ||
            (start - line > 2 && before[line] == '-' && before[line + 1] == '-'))
            break;
        start = line;
    }
    return start;
}

/* The type in lower case; "" when the header names none. */
static void declared_type(const uint8_t *before, size_t length, char *out, size_t size)
{
    size_t start = header_start(before, length);
    MkFieldReader fields = mk_field_reader(before + start, length - start);
    MkField f;

    out[0] = '\0';
    while (mk_field_next(&fields, &f))
        if (mk_span_is(f.name, "Content-Type")) {
            mk_token_first(f.value, out, size);
            return;
        }
}

bool mk_mail_piece_has_type(const uint8_t *before, size_t length, const char *prefix)
{
    char type[80];

    declared_type(before, length, type, sizeof type);
    return g_str_has_prefix(type, prefix);
}

bool mk_mail_piece_has_text(const uint8_t *before, size_t length)
{
    static const char *const without[] = { "image/", "audio/", "video/", "font/", "application/" };
    char type[80];

    declared_type(before, length, type, sizeof type);
    if (g_str_equal(type, "application/xhtml+xml"))
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(without); i++)
        if (g_str_has_prefix(type, without[i]))
            return false;
    return true;
}

/* -- where they lie ---------------------------------------------------------------------------- */

static bool is_piece(const MkEntity *e)
{
    return e->kind == MK_ENTITY_LEAF && e->end - e->body >= MK_LIMIT_BLOB_MIN_BYTES &&
           (e->encoding == MK_ENCODING_BASE64 || mk_entity_is_attachment(e));
}

GArray *mk_mail_split(const uint8_t *data, size_t length)
{
    GArray *pieces = g_array_new(FALSE, FALSE, sizeof(MkPiece));
    g_auto(MkStructure) structure = { .entities = NULL };

    mk_structure_read(&structure, mk_octets(data), length);
    for (guint i = 0; i < structure.entities->len; i++) {
        const MkEntity *e = &g_array_index(structure.entities, MkEntity, i);
        MkPiece piece = { .offset = e->body, .length = e->end - e->body };

        if (!is_piece(e))
            continue;
        piece.kind = e->encoding == MK_ENCODING_BASE64 ? MK_PIECE_BASE64 : MK_PIECE_BODY;
        g_array_append_val(pieces, piece);
    }
    return pieces;
}
