/*
 * split.c - where the large parts lie
 */
#include <mailkeep/limits.h>
#include <mailkeep/mail.h>

#include "internal.h"

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
