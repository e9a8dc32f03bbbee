/*
 * payload.c - what stands in MAIL and RECEIPT records
 *
 *   MAIL     version | hash 32 | size | date | flags | folders | receipt | meta | recipe | skeleton
 *   RECEIPT  version | hash 32 | folders | receipt
 *   receipt  arrived | envelope | report before | after | whole        (four octet runs)
 *   octets   0 = absent | 1 length data | 2 length, a 32-octet hash per MiB
 *   recipe   count, then pieces: gap | stretches | plain hashes; see recipe_next()
 *
 * Numbers are varints. The parsers read what has passed its tag, and trust it no further.
 */
#include <string.h>

#include <mailkeep/base.h>

#include "internal.h"

#define PAYLOAD_VERSION 1
#define OCTETS_ABSENT 0
#define OCTETS_INLINE 1
#define OCTETS_BLOBS 2

uint64_t zigzag(int64_t value)
{
    return (uint64_t) value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

int64_t unzigzag(uint64_t value)
{
    return (int64_t) (value >> 1 ^ (~(value & 1) + 1));
}

size_t blob_count_for(uint64_t length)
{
    return (size_t) ((length + MK_LIMIT_BLOB_BYTES - 1) / MK_LIMIT_BLOB_BYTES);
}

static const uint8_t *read_hashes(MkReader *r, uint64_t plain_length)
{
    if (plain_length > (uint64_t) 1 << 40) { /* the product below must not run over */
        r->failed = true;
        return NULL;
    }
    return mk_read_bytes(r, blob_count_for(plain_length) * MK_HASH_BYTES);
}

void octets_read(MkReader *r, Octets *out)
{
    size_t length = 0;

    memset(out, 0, sizeof *out);
    switch (mk_read_u8(r)) {
    case OCTETS_ABSENT: return;
    case OCTETS_INLINE:
        out->data = mk_read_block(r, &length);
        out->length = length;
        break;
    case OCTETS_BLOBS:
        out->in_blobs = true;
        out->length = mk_read_varint(r);
        out->hashes = read_hashes(r, out->length);
        break;
    default: r->failed = true;
    }
    out->present = !r->failed;
}

void put_folders(GByteArray *out, const GArray *folders)
{
    uint32_t last = 0;

    mk_put_varint(out, folders->len);
    for (guint i = 0; i < folders->len; i++) {
        uint32_t id = g_array_index(folders, uint32_t, i);

        mk_put_varint(out, id - last); /* ascending: small steps */
        last = id;
    }
}

GArray *read_folders(MkReader *r)
{
    GArray *folders = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    uint64_t count = mk_read_varint(r);
    uint32_t id = 0;

    for (uint64_t i = 0; i < count && !r->failed; i++) {
        id += (uint32_t) mk_read_varint(r);
        if (!r->failed)
            g_array_append_val(folders, id);
    }
    return folders;
}

static void read_receipt(MkReader *r, ReceiptView *out)
{
    out->arrived_unix_ms = unzigzag(mk_read_varint(r));
    octets_read(r, &out->envelope);
    octets_read(r, &out->before);
    octets_read(r, &out->after);
    octets_read(r, &out->whole);
}

void mail_view_clear(MailView *view)
{
    g_clear_pointer(&view->folders, g_array_unref);
}

/* Walks the pieces once, so that later walks need no checks; leaves @r behind them. */
static void skip_recipe(MkReader *r, MailView *out)
{
    RecipePiece piece;

    out->piece_count = mk_read_varint(r);
    out->recipe = *r;
    for (uint64_t i = 0; i < out->piece_count && recipe_next(r, &piece); i++)
        ;
    out->recipe.length -= r->length;
}

bool mail_view_parse(const GByteArray *payload, MailView *out, GError **error)
{
    MkReader r = mk_reader(payload->data, payload->len);

    memset(out, 0, sizeof *out);
    if (mk_read_u8(&r) != PAYLOAD_VERSION)
        return mk_fail(error, MK_ERROR_CORRUPT, "a mail's record has an unknown version");
    out->hash = mk_read_bytes(&r, MK_HASH_BYTES);
    out->size_bytes = mk_read_varint(&r);
    out->date_unix_ms = unzigzag(mk_read_varint(&r));
    out->flags = (uint32_t) mk_read_varint(&r);
    out->folders = read_folders(&r);
    read_receipt(&r, &out->receipt);
    octets_read(&r, &out->meta);
    skip_recipe(&r, out);
    octets_read(&r, &out->skeleton);
    if (r.failed || r.length > 0) {
        mail_view_clear(out);
        return mk_fail(error, MK_ERROR_CORRUPT, "a mail's record cannot be read");
    }
    return true;
}

bool receipt_payload_parse(const GByteArray *payload, MailView *out, GError **error)
{
    MkReader r = mk_reader(payload->data, payload->len);

    memset(out, 0, sizeof *out);
    if (mk_read_u8(&r) != PAYLOAD_VERSION)
        return mk_fail(error, MK_ERROR_CORRUPT, "a receipt has an unknown version");
    out->hash = mk_read_bytes(&r, MK_HASH_BYTES);
    out->folders = read_folders(&r);
    read_receipt(&r, &out->receipt);
    if (r.failed || r.length > 0) {
        mail_view_clear(out);
        return mk_fail(error, MK_ERROR_CORRUPT, "a receipt cannot be read");
    }
    return true;
}

/* -- the recipe ------------------------------------------------------------------------------- */

/* A stretch: plain length * 2 + 1 for base64, whose layout recipe follows. */
void stretch_next(MkReader *r, RecipeStretch *out)
{
    uint64_t word = mk_read_varint(r);

    memset(out, 0, sizeof *out);
    out->is_base64 = word & 1;
    out->plain_length = word >> 1;
    if (out->is_base64)
        out->recipe = mk_read_block(r, &out->recipe_length);
}

bool recipe_next(MkReader *r, RecipePiece *out)
{
    memset(out, 0, sizeof *out);
    out->gap = mk_read_varint(r);
    out->stretch_count = mk_read_varint(r);
    out->stretches = *r;
    for (uint64_t i = 0; i < out->stretch_count && !r->failed; i++) {
        RecipeStretch stretch;

        stretch_next(r, &stretch);
        if (stretch.plain_length > (uint64_t) 1 << 40)
            r->failed = true;
        out->plain_length += stretch.plain_length;
    }
    out->hashes = r->failed ? NULL : read_hashes(r, out->plain_length);
    return !r->failed;
}

/* -- references ------------------------------------------------------------------------------- */

static bool each_hash(const uint8_t *hashes, uint64_t length, BlobHashFunc func, void *cookie)
{
    for (size_t i = 0; i < blob_count_for(length); i++)
        if (!func(hashes + i * MK_HASH_BYTES, cookie))
            return false;
    return true;
}

static bool octets_each_blob(const Octets *octets, BlobHashFunc func, void *cookie)
{
    return !octets->in_blobs || each_hash(octets->hashes, octets->length, func, cookie);
}

bool mail_view_each_blob(const MailView *view, BlobHashFunc func, void *cookie)
{
    MkReader r = view->recipe;
    RecipePiece piece;

    for (uint64_t i = 0; i < view->piece_count && recipe_next(&r, &piece); i++)
        if (!each_hash(piece.hashes, piece.plain_length, func, cookie))
            return false;
    return octets_each_blob(&view->receipt.envelope, func, cookie) &&
           octets_each_blob(&view->receipt.before, func, cookie) &&
           octets_each_blob(&view->receipt.after, func, cookie) &&
           octets_each_blob(&view->receipt.whole, func, cookie) &&
           octets_each_blob(&view->meta, func, cookie) &&
           octets_each_blob(&view->skeleton, func, cookie);
}
