/*
 * prepare.c - a mail made ready for the committer, on a lane
 *
 * Hash the mail; when the store has it, only a receipt is made. Else: its pieces become runs of
 * blobs (base64 decoded when that can be undone exactly), what is left is the skeleton, and all
 * that belongs to this mail alone goes, compressed together, into one MAIL record.
 */
#include <string.h>

#include <mailkeep/base.h>

#include "internal.h"

#define INLINE_BYTES (64u << 10)         /* envelope, report, meta: larger ones become blobs */
#define SKELETON_INLINE_BYTES (1u << 20) /* the skeleton likewise */
#define STRETCH_BYTES (1u << 20)         /* encoded octets of a large piece done at a time */
#define AHEAD_BYTES (4u << 20)           /* sealed octets that wait before they are handed over */
#define SMALL_BLOB_BYTES (32u << 10)     /* compressed with the dictionary */
#define PAYLOAD_VERSION 1

typedef struct {
    MkStore *store;
    MkPreparedMail *prepared;
    GHashTable *seen; /* hashes (in prepared->needs' order, by value) of this mail */
    MkReadTxn txn;    /* for the look-ups */
    size_t ahead_bytes;
} Work;

static void free_blob(gpointer data)
{
    PreparedBlob *blob = data;

    g_clear_pointer(&blob->frame, g_byte_array_unref);
    g_free(blob);
}

static MkPreparedMail *prepared_new(void)
{
    MkPreparedMail *prepared = g_new0(MkPreparedMail, 1);

    prepared->blobs = g_ptr_array_new_with_free_func(free_blob);
    prepared->needs = g_array_new(FALSE, FALSE, sizeof(MkHash));
    return prepared;
}

void mk_prepared_mail_free(MkPreparedMail *prepared)
{
    if (prepared == NULL)
        return;
    g_ptr_array_unref(prepared->blobs);
    g_array_unref(prepared->needs);
    g_clear_pointer(&prepared->folders, g_array_unref);
    g_clear_pointer(&prepared->frame, g_byte_array_unref);
    g_clear_pointer(&prepared->receipt, g_byte_array_unref);
    g_free(prepared);
}

/* -- blobs ------------------------------------------------------------------------------------ */

/* What is sealed so far goes ahead of its mail, so that a large one does not fill the memory. */
static void hand_over_blobs(Work *work)
{
    Item *item = g_new0(Item, 1);

    item->kind = ITEM_BLOBS;
    item->prepared = prepared_new();
    g_ptr_array_unref(item->prepared->blobs);
    item->prepared->blobs = work->prepared->blobs;
    item->prepared->weight = work->ahead_bytes;
    work->prepared->blobs = g_ptr_array_new_with_free_func(free_blob);
    work->ahead_bytes = 0;
    committer_put(work->store->committer, item);
}

static void seal_blob(Work *work, const MkHash *hash, const uint8_t *data, size_t length)
{
    const MkStore *store = work->store;
    g_autoptr(GByteArray) payload = g_byte_array_sized_new((guint) length + 64);
    PreparedBlob *blob = g_new(PreparedBlob, 1);
    uint16_t flags;

    g_byte_array_append(payload, hash->bytes, MK_HASH_BYTES);
    flags = codec_pack(store->codec, data, length, length <= SMALL_BLOB_BYTES, payload);
    blob->hash = *hash;
    blob->frame = record_seal(store->keys.record, RECORD_BLOB, flags, payload->data, payload->len);
    g_ptr_array_add(work->prepared->blobs, blob);
    work->ahead_bytes += blob->frame->len;
}

/* One blob of at most MK_LIMIT_BLOB_BYTES; its hash is appended to @out. */
static bool put_blob(Work *work, const uint8_t *data, size_t length, GByteArray *out,
                     GError **error)
{
    MkHash hash;
    bool found;

    mk_hash(work->store->keys.blob, data, length, &hash);
    g_byte_array_append(out, hash.bytes, MK_HASH_BYTES);
    g_array_append_val(work->prepared->needs, hash);
    if (work->seen == NULL)
        work->seen = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
                                           (GDestroyNotify) g_bytes_unref, NULL);
    if (!g_hash_table_add(work->seen, g_bytes_new(hash.bytes, MK_HASH_BYTES)))
        return true;
    if (!catalog_find_blob(&work->txn, hash.bytes, NULL, &found, error))
        return false;
    if (!found)
        seal_blob(work, &hash, data, length);
    return true;
}

/* The look-ups' snapshot must not live long, and a full queue may take its time. */
static bool breathe(Work *work, GError **error)
{
    if (work->ahead_bytes < AHEAD_BYTES)
        return true;
    mk_txn_end(&work->txn);
    hand_over_blobs(work);
    return mk_read_txn_begin(&work->txn, work->store->catalog, error);
}

static bool put_blobs(Work *work, const uint8_t *data, size_t length, GByteArray *out,
                      GError **error)
{
    for (size_t at = 0; at < length; at += MK_LIMIT_BLOB_BYTES)
        if (!put_blob(work, data + at, MIN(length - at, MK_LIMIT_BLOB_BYTES), out, error) ||
            !breathe(work, error))
            return false;
    return true;
}

static bool put_octets(Work *work, const uint8_t *data, size_t length, size_t inline_max,
                       GByteArray *out, GError **error)
{
    if (length <= inline_max) {
        mk_put_u8(out, 1);
        mk_put_block(out, data, length);
        return true;
    }
    mk_put_u8(out, 2);
    mk_put_varint(out, length);
    return put_blobs(work, data, length, out, error);
}

static bool put_bytes(Work *work, GBytes *bytes, GByteArray *out, GError **error)
{
    gsize length;
    const uint8_t *data;

    if (bytes == NULL) {
        mk_put_u8(out, 0);
        return true;
    }
    data = g_bytes_get_data(bytes, &length);
    return put_octets(work, data, length, INLINE_BYTES, out, error);
}

/* -- pieces ----------------------------------------------------------------------------------- */

/* Where a stretch of a large base64 piece may end: behind a line end, a whole number of lines. */
static size_t stretch_length(const uint8_t *data, size_t length)
{
    const uint8_t *end;

    if (length <= 2 * STRETCH_BYTES)
        return length;
    end = memchr(data + STRETCH_BYTES, '\n', STRETCH_BYTES);
    return end != NULL ? (size_t) (end - data) + 1 : STRETCH_BYTES;
}

typedef struct {
    GByteArray *plain;     /* not yet cut into blobs */
    GByteArray *stretches; /* encoded list */
    GByteArray *hashes;
    uint64_t stretch_count;
} PieceWork;

static void decode_stretch(PieceWork *piece, const uint8_t *data, size_t length)
{
    g_autoptr(GByteArray) recipe = g_byte_array_new();
    guint before = piece->plain->len;

    if (mk_base64_decode_exact(data, length, piece->plain, recipe)) {
        mk_put_varint(piece->stretches, (uint64_t) (piece->plain->len - before) << 1 | 1);
        mk_put_block(piece->stretches, recipe->data, recipe->len);
    } else {
        g_byte_array_append(piece->plain, data, (guint) length);
        mk_put_varint(piece->stretches, (uint64_t) length << 1);
    }
    piece->stretch_count++;
}

/* Whole blobs off the front of piece->plain; at the @end all of it. */
static bool flush_plain(Work *work, PieceWork *piece, bool end, GError **error)
{
    size_t length = piece->plain->len;

    if (!end)
        length -= length % MK_LIMIT_BLOB_BYTES;
    if (length == 0)
        return true;
    if (!put_blobs(work, piece->plain->data, length, piece->hashes, error))
        return false;
    g_byte_array_remove_range(piece->plain, 0, (guint) length);
    return true;
}

static bool put_base64(Work *work, PieceWork *piece, const uint8_t *data, size_t length,
                       GError **error)
{
    while (length > 0) {
        size_t n = stretch_length(data, length);

        decode_stretch(piece, data, n);
        if (!flush_plain(work, piece, n == length, error))
            return false;
        data += n;
        length -= n;
    }
    return true;
}

static bool put_raw(Work *work, PieceWork *piece, const uint8_t *data, size_t length,
                    GError **error)
{
    mk_put_varint(piece->stretches, (uint64_t) length << 1);
    piece->stretch_count++;
    return put_blobs(work, data, length, piece->hashes, error);
}

static bool put_piece(Work *work, const uint8_t *data, const MkPiece *piece, GByteArray *out,
                      GError **error)
{
    g_autoptr(GByteArray) plain = g_byte_array_new();
    g_autoptr(GByteArray) stretches = g_byte_array_new();
    g_autoptr(GByteArray) hashes = g_byte_array_new();
    PieceWork w = { plain, stretches, hashes, 0 };

    if (!(piece->kind == MK_PIECE_BASE64
              ? put_base64(work, &w, data + piece->offset, piece->length, error)
              : put_raw(work, &w, data + piece->offset, piece->length, error)))
        return false;
    mk_put_varint(out, w.stretch_count);
    g_byte_array_append(out, stretches->data, stretches->len);
    g_byte_array_append(out, hashes->data, hashes->len);
    return true;
}

/* The recipe to @out, the mail without its pieces to @skeleton. */
static bool put_recipe(Work *work, const MkNewMail *mail, GByteArray *out, GByteArray *skeleton,
                       GError **error)
{
    guint count = mail->pieces != NULL ? mail->pieces->len : 0;
    size_t at = 0;

    mk_put_varint(out, count);
    for (guint i = 0; i < count; i++) {
        const MkPiece *piece = &g_array_index(mail->pieces, MkPiece, i);

        if (piece->offset < at || piece->length == 0 || piece->offset > mail->length ||
            piece->length > mail->length - piece->offset)
            return mk_fail(error, MK_ERROR_INVALID, "the pieces of a mail overlap or leave it");
        mk_put_varint(out, piece->offset - at);
        g_byte_array_append(skeleton, mail->data + at, (guint) (piece->offset - at));
        if (!put_piece(work, mail->data, piece, out, error))
            return false;
        at = piece->offset + piece->length;
    }
    if (mail->length > at)
        g_byte_array_append(skeleton, mail->data + at, (guint) (mail->length - at));
    return true;
}

/* -- records ----------------------------------------------------------------------------------- */

static bool put_receipt(Work *work, const MkReceipt *receipt, GByteArray *out, GError **error)
{
    mk_put_varint(out, zigzag(receipt->arrived_unix_ms));
    return put_bytes(work, receipt->envelope, out, error) &&
           put_bytes(work, receipt->report_before, out, error) &&
           put_bytes(work, receipt->report_after, out, error) &&
           put_bytes(work, receipt->report_whole, out, error);
}

/* The payload of a RECEIPT; also needed when the mail turns out to be known at the commit. */
static void make_receipt(MkPreparedMail *prepared, const GByteArray *receipt)
{
    prepared->receipt = g_byte_array_new();
    mk_put_u8(prepared->receipt, PAYLOAD_VERSION);
    g_byte_array_append(prepared->receipt, prepared->hash.bytes, MK_HASH_BYTES);
    put_folders(prepared->receipt, prepared->folders);
    g_byte_array_append(prepared->receipt, receipt->data, receipt->len);
}

static bool make_mail(Work *work, const MkNewMail *mail, const GByteArray *receipt, GError **error)
{
    MkPreparedMail *prepared = work->prepared;
    const MkStore *store = work->store;
    g_autoptr(GByteArray) payload = g_byte_array_new();
    g_autoptr(GByteArray) skeleton = g_byte_array_new();
    g_autoptr(GByteArray) packed = g_byte_array_new();
    uint16_t flags;

    mk_put_u8(payload, PAYLOAD_VERSION);
    g_byte_array_append(payload, prepared->hash.bytes, MK_HASH_BYTES);
    mk_put_varint(payload, prepared->size_bytes);
    mk_put_varint(payload, zigzag(prepared->date_unix_ms));
    mk_put_varint(payload, prepared->flags);
    put_folders(payload, prepared->folders);
    g_byte_array_append(payload, receipt->data, receipt->len);
    if (!put_bytes(work, mail->meta, payload, error) ||
        !put_recipe(work, mail, payload, skeleton, error) ||
        !put_octets(work, skeleton->data, skeleton->len, SKELETON_INLINE_BYTES, payload, error))
        return false;
    if (payload->len > MK_LIMIT_RECORD_BYTES / 2)
        return mk_fail(error, MK_ERROR_LIMIT, "a mail has too many parts to be kept in one record");
    flags = codec_pack(store->codec, payload->data, payload->len, true, packed);
    prepared->frame =
        record_seal(store->keys.record, RECORD_MAIL, flags, packed->data, packed->len);
    return true;
}

static gint by_number(gconstpointer a, gconstpointer b)
{
    uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

    return (x > y) - (x < y);
}

/* Ascending, without doubles. */
static GArray *folder_set(const MkNewMail *mail)
{
    g_autoptr(GArray) sorted = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    GArray *set = g_array_new(FALSE, FALSE, sizeof(uint32_t));

    g_array_append_vals(sorted, mail->folders, (guint) mail->folder_count);
    g_array_sort(sorted, by_number);
    for (guint i = 0; i < sorted->len; i++) {
        uint32_t id = g_array_index(sorted, uint32_t, i);

        if (i == 0 || id != g_array_index(sorted, uint32_t, i - 1))
            g_array_append_val(set, id);
    }
    return set;
}

static void weigh(Work *work)
{
    MkPreparedMail *prepared = work->prepared;

    prepared->weight = work->ahead_bytes + prepared->receipt->len +
                       (prepared->frame != NULL ? prepared->frame->len : 0) +
                       prepared->needs->len * sizeof(MkHash);
}

static bool prepare(Work *work, const MkNewMail *mail, GError **error)
{
    g_autoptr(GByteArray) receipt = g_byte_array_new();
    uint32_t known;

    mk_hash(work->store->keys.mail, mail->data, mail->length, &work->prepared->hash);
    if (!mk_read_txn_begin(&work->txn, work->store->catalog, error) ||
        !catalog_find_hash(&work->txn, work->prepared->hash.bytes, &known, error) ||
        !put_receipt(work, mail->receipt, receipt, error) ||
        (known == 0 && !make_mail(work, mail, receipt, error)))
        return false;
    make_receipt(work->prepared, receipt);
    weigh(work);
    return true;
}

MkPreparedMail *mk_store_prepare(MkStore *store, const MkNewMail *mail, GError **error)
{
    g_autoptr(MkPreparedMail) prepared = prepared_new();
    Work work = { store, prepared, NULL, MK_TXN_INIT, 0 };
    bool good;

    g_assert(mail->receipt != NULL && mail->folder_count > 0);
    if (mail->length > G_MAXUINT / 4) {
        mk_fail(error, MK_ERROR_LIMIT, "a mail is too large for the store");
        return NULL;
    }
    prepared->size_bytes = mail->length;
    prepared->date_unix_ms = mail->date_unix_ms;
    prepared->arrived_unix_ms = mail->receipt->arrived_unix_ms;
    prepared->flags = mail->flags;
    prepared->folders = folder_set(mail);
    good = prepare(&work, mail, error);
    mk_txn_end(&work.txn);
    g_clear_pointer(&work.seen, g_hash_table_unref);
    return good ? g_steal_pointer(&prepared) : NULL;
}
