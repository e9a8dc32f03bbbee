/*
 * reader.c - records read back and mails put together again
 *
 * Every record is checked on its way: checksum, tag, and that it is the one asked for. A mail is
 * given out only when its octets hash to what its record says.
 */
#include <string.h>

#include <mailkeep/base.h>

#include "internal.h"

GByteArray *reader_payload(const StoreKeys *keys, PackFiles *files, Codec *codec,
                           const Position *position, RecordType type, GError **error)
{
    g_autoptr(GByteArray) payload = g_byte_array_new();
    g_autoptr(GByteArray) sealed = g_byte_array_new();
    g_autoptr(GByteArray) frame = NULL;
    RecordHead head;

    frame = pack_read_frame(files, position, type, &head, error);
    if (frame == NULL || !record_unseal(keys->record, frame->data, &head, sealed, error) ||
        !codec_unpack(codec, head.flags, sealed->data, sealed->len, MK_LIMIT_RECORD_BYTES, payload,
                      error))
        return NULL;
    return g_steal_pointer(&payload);
}

/* -- blobs ------------------------------------------------------------------------------------ */

static bool blob_position(const Reader *reader, const uint8_t *hash, Position *out, GError **error)
{
    g_auto(MkReadTxn) own = MK_TXN_INIT;
    MkTxn *txn = reader->txn;
    bool found;

    if (txn == NULL) {
        if (!mk_read_txn_begin(&own, reader->catalog, error))
            return false;
        txn = &own;
    }
    if (!catalog_find_blob(txn, hash, out, &found, error))
        return false;
    return found ||
           mk_fail(error, MK_ERROR_CORRUPT, "a part of a mail is missing from the catalog");
}

/* Appends one blob, which must be @length octets long. */
static bool read_blob(const Reader *reader, const uint8_t *hash, size_t length, GByteArray *out,
                      GError **error)
{
    g_autoptr(GByteArray) sealed = g_byte_array_new();
    g_autoptr(GByteArray) frame = NULL;
    Position position;
    RecordHead head;
    guint before = out->len;

    if (!blob_position(reader, hash, &position, error))
        return false;
    frame = pack_read_frame(reader->files, &position, RECORD_BLOB, &head, error);
    if (frame == NULL || !record_unseal(reader->keys->record, frame->data, &head, sealed, error))
        return false;
    if (sealed->len < MK_HASH_BYTES || memcmp(sealed->data, hash, MK_HASH_BYTES) != 0)
        return mk_fail(error, MK_ERROR_CORRUPT, "a part of a mail is not where it must be");
    if (!codec_unpack(reader->codec, head.flags, sealed->data + MK_HASH_BYTES,
                      sealed->len - MK_HASH_BYTES, length, out, error))
        return false;
    return out->len - before == length ||
           mk_fail(error, MK_ERROR_CORRUPT, "a part of a mail has the wrong length");
}

static bool read_run(const Reader *reader, const uint8_t *hashes, uint64_t length, GByteArray *out,
                     GError **error)
{
    for (; length > 0; hashes += MK_HASH_BYTES) {
        size_t n = (size_t) MIN(length, MK_LIMIT_BLOB_BYTES);

        if (!read_blob(reader, hashes, n, out, error))
            return false;
        length -= n;
    }
    return true;
}

static bool octets_append(const Reader *reader, const Octets *octets, GByteArray *out,
                          GError **error)
{
    if (octets->length > G_MAXUINT / 2)
        return mk_fail(error, MK_ERROR_CORRUPT, "a record's length is wrong");
    if (octets->in_blobs)
        return read_run(reader, octets->hashes, octets->length, out, error);
    if (octets->length > 0)
        g_byte_array_append(out, octets->data, (guint) octets->length);
    return true;
}

GBytes *reader_octets(const Reader *reader, const Octets *octets, GError **error)
{
    g_autoptr(GByteArray) out = g_byte_array_new();

    if (!octets_append(reader, octets, out, error))
        return NULL;
    return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}

/* -- mails -------------------------------------------------------------------------------------- */

typedef struct {
    const Reader *reader;
    GByteArray *skeleton;
    size_t skeleton_at;
    GByteArray *window; /* a piece's plain octets, read a blob at a time */
    GByteArray *mail;
    uint64_t size_bytes;
    MkWantPieceFunc want; /* NULL: all of it */
    void *cookie;
    bool left_out; /* some piece was not wanted */
} Assembly;

static bool wrong(GError **error)
{
    return mk_fail(error, MK_ERROR_CORRUPT, "a mail's recipe does not fit its parts");
}

static bool take_skeleton(Assembly *a, uint64_t length, GError **error)
{
    if (length > a->skeleton->len - a->skeleton_at)
        return wrong(error);
    if (length > 0)
        g_byte_array_append(a->mail, a->skeleton->data + a->skeleton_at, (guint) length);
    a->skeleton_at += (size_t) length;
    return true;
}

/* Reads blobs until the window holds @length octets. */
static bool fill_window(Assembly *a, RecipePiece *piece, uint64_t length, GError **error)
{
    while (a->window->len < length) {
        size_t n = (size_t) MIN(piece->plain_length, MK_LIMIT_BLOB_BYTES);

        if (n == 0)
            return wrong(error);
        if (!read_blob(a->reader, piece->hashes, n, a->window, error))
            return false;
        piece->hashes += MK_HASH_BYTES;
        piece->plain_length -= n;
    }
    return true;
}

static bool add_raw(Assembly *a, RecipePiece *piece, uint64_t length, GError **error)
{
    while (length > 0) {
        guint n;

        if (!fill_window(a, piece, 1, error))
            return false;
        n = (guint) MIN(length, a->window->len);
        g_byte_array_append(a->mail, a->window->data, n);
        g_byte_array_remove_range(a->window, 0, n);
        length -= n;
    }
    return true;
}

static bool add_base64(Assembly *a, RecipePiece *piece, const RecipeStretch *stretch,
                       GError **error)
{
    guint n = (guint) stretch->plain_length;

    if (stretch->plain_length > a->size_bytes ||
        !fill_window(a, piece, stretch->plain_length, error))
        return stretch->plain_length > a->size_bytes ? wrong(error) : false;
    if (!mk_base64_encode_exact(a->window->data, n, stretch->recipe, stretch->recipe_length,
                                a->mail))
        return wrong(error);
    if (n > 0)
        g_byte_array_remove_range(a->window, 0, n);
    return true;
}

static bool add_piece(Assembly *a, RecipePiece *piece, GError **error)
{
    MkReader stretches = piece->stretches;

    if (!take_skeleton(a, piece->gap, error))
        return false;
    if (a->want != NULL && !a->want(a->mail->data, a->mail->len, a->cookie)) {
        a->left_out = true;
        return true;
    }
    g_byte_array_set_size(a->window, 0);
    for (uint64_t i = 0; i < piece->stretch_count; i++) {
        RecipeStretch stretch;

        stretch_next(&stretches, &stretch);
        if (!(stretch.is_base64 ? add_base64(a, piece, &stretch, error)
                                : add_raw(a, piece, stretch.plain_length, error)))
            return false;
        if (a->mail->len > a->size_bytes)
            return wrong(error);
    }
    return true;
}

static bool assemble(Assembly *a, const MailView *view, GError **error)
{
    MkReader recipe = view->recipe;
    RecipePiece piece;

    if (!octets_append(a->reader, &view->skeleton, a->skeleton, error))
        return false;
    for (uint64_t i = 0; i < view->piece_count; i++)
        if (!recipe_next(&recipe, &piece) || !add_piece(a, &piece, error))
            return error != NULL && *error != NULL ? false : wrong(error);
    return take_skeleton(a, a->skeleton->len - a->skeleton_at, error);
}

static bool is_as_received(const Reader *reader, const GByteArray *mail, const MailView *view)
{
    MkHash hash;

    if (mail->len != view->size_bytes)
        return false;
    mk_hash(reader->keys->mail, mail->data, mail->len, &hash);
    return memcmp(hash.bytes, view->hash, MK_HASH_BYTES) == 0;
}

GBytes *reader_assemble_some(const Reader *reader, const MailView *view, MkWantPieceFunc want,
                             void *cookie, GError **error)
{
    g_autoptr(GByteArray) skeleton = g_byte_array_new();
    g_autoptr(GByteArray) window = g_byte_array_new();
    g_autoptr(GByteArray) mail = NULL;
    Assembly a = { reader, skeleton, 0, window, NULL, view->size_bytes, want, cookie, false };

    if (view->size_bytes > G_MAXUINT / 4) {
        wrong(error);
        return NULL;
    }
    /* With pieces left out it may be far smaller. */
    a.mail = mail = g_byte_array_sized_new(
        (guint) (want != NULL ? MIN(view->size_bytes, 64u << 10) : view->size_bytes));
    if (!assemble(&a, view, error))
        return NULL;
    if (!a.left_out && !is_as_received(reader, mail, view)) {
        mk_fail(error, MK_ERROR_CORRUPT, "a mail does not come back as it was received");
        return NULL;
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&mail));
}

GBytes *reader_assemble(const Reader *reader, const MailView *view, GError **error)
{
    return reader_assemble_some(reader, view, NULL, NULL, error);
}
