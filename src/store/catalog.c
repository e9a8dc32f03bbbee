/* catalog.c - the catalog's tables and rows; docs/formats/store.md has every octet */
#include <string.h>

#include <mailkeep/base.h>

#include "internal.h"

#define CHECKPOINT_KEY "checkpoint"
#define CHECKPOINT_KEY_BYTES (sizeof CHECKPOINT_KEY - 1)
#define CHECKPOINT_VERSION 1

static const MkTableSpec tables[TABLE_COUNT] = {
    [TABLE_META] = { "meta", MK_TABLE_SEALED },
    [TABLE_MAILS] = { "mails", MK_TABLE_SEALED },
    [TABLE_HASHES] = { "hashes", MK_TABLE_SET },
    [TABLE_BLOBS] = { "blobs", MK_TABLE_SEALED },
    [TABLE_FOLDERS] = { "folders", MK_TABLE_SEALED },
    [TABLE_MEMBERS] = { "members", MK_TABLE_SET },
    [TABLE_CHANGES] = { "changes", MK_TABLE_SET },
    [TABLE_RECEIPTS] = { "receipts", MK_TABLE_SET },
    [TABLE_DICTIONARIES] = { "dictionaries", MK_TABLE_SEALED },
};

MkDb *catalog_open(const char *dir, const MkKey *key, uint64_t map_size_bytes, GError **error)
{
    /* The packs are the log: what a power cut takes from the catalog is read from them again. */
    MkDbOptions options = { map_size_bytes, tables, TABLE_COUNT, .lose_newest = true };

    return mk_db_open(dir, key, &options, error);
}

static bool damaged(GError **error, const char *what)
{
    return mk_fail(error, MK_ERROR_CORRUPT, "the catalog's %s cannot be read: rebuild the catalog",
                   what);
}

/* -- checkpoint ---------------------------------------------------------------------------- */

bool catalog_load_checkpoint(MkTxn *txn, Checkpoint *out, bool *out_found, GError **error)
{
    g_autoptr(GByteArray) value = g_byte_array_new();
    const uint8_t *chain;
    MkReader r;

    memset(out, 0, sizeof *out);
    if (!mk_db_find(txn, TABLE_META, CHECKPOINT_KEY, CHECKPOINT_KEY_BYTES, value, out_found, error))
        return false;
    if (!*out_found)
        return true;
    r = mk_reader(value->data, value->len);
    if (mk_read_u8(&r) != CHECKPOINT_VERSION)
        return damaged(error, "checkpoint");
    out->pack = (uint32_t) mk_read_varint(&r);
    out->offset = mk_read_varint(&r);
    chain = mk_read_bytes(&r, MK_HASH_BYTES);
    out->batch = mk_read_varint(&r);
    out->last_number = (uint32_t) mk_read_varint(&r);
    out->last_change = mk_read_varint(&r);
    out->mail_count = mk_read_varint(&r);
    out->size_bytes = mk_read_varint(&r);
    out->blob_count = mk_read_varint(&r);
    out->last_folder = (uint32_t) mk_read_varint(&r);
    if (r.failed || r.length > 0)
        return damaged(error, "checkpoint");
    memcpy(out->chain.bytes, chain, MK_HASH_BYTES);
    return true;
}

bool catalog_save_checkpoint(MkWriteTxn *txn, const Checkpoint *checkpoint, GError **error)
{
    g_autoptr(GByteArray) value = g_byte_array_new();

    mk_put_u8(value, CHECKPOINT_VERSION);
    mk_put_varint(value, checkpoint->pack);
    mk_put_varint(value, checkpoint->offset);
    g_byte_array_append(value, checkpoint->chain.bytes, MK_HASH_BYTES);
    mk_put_varint(value, checkpoint->batch);
    mk_put_varint(value, checkpoint->last_number);
    mk_put_varint(value, checkpoint->last_change);
    mk_put_varint(value, checkpoint->mail_count);
    mk_put_varint(value, checkpoint->size_bytes);
    mk_put_varint(value, checkpoint->blob_count);
    mk_put_varint(value, checkpoint->last_folder);
    return mk_db_put(txn, TABLE_META, CHECKPOINT_KEY, CHECKPOINT_KEY_BYTES, value->data, value->len,
                     error);
}

/* -- positions ------------------------------------------------------------------------------ */

static void put_position(GByteArray *out, const Position *position)
{
    mk_put_varint(out, position->pack);
    mk_put_varint(out, position->offset);
    mk_put_varint(out, position->length);
}

static void read_position(MkReader *r, Position *out)
{
    out->pack = (uint32_t) mk_read_varint(r);
    out->offset = mk_read_varint(r);
    out->length = (uint32_t) mk_read_varint(r);
}

/* -- mails ---------------------------------------------------------------------------------- */

void mail_row_clear(MailRow *row)
{
    g_clear_pointer(&row->folders, g_array_unref);
}

bool catalog_find_mail(MkTxn *txn, uint32_t number, MailRow *out, bool *out_found, GError **error)
{
    g_autoptr(GByteArray) value = g_byte_array_new();
    uint8_t key[4];
    MkReader r;

    set_u32(key, number);
    if (!mk_db_find(txn, TABLE_MAILS, key, sizeof key, value, out_found, error))
        return false;
    if (!*out_found)
        return true;
    r = mk_reader(value->data, value->len);
    read_position(&r, &out->position);
    out->size_bytes = mk_read_varint(&r);
    out->archived_unix_ms = unzigzag(mk_read_varint(&r));
    out->date_unix_ms = out->archived_unix_ms - unzigzag(mk_read_varint(&r));
    out->flags = (uint32_t) mk_read_varint(&r);
    out->extra_receipts = (uint32_t) mk_read_varint(&r);
    out->folders = read_folders(&r);
    if (r.failed || r.length > 0) {
        mail_row_clear(out);
        return damaged(error, "row of a mail");
    }
    return true;
}

bool catalog_put_mail(MkWriteTxn *txn, uint32_t number, const MailRow *row, GError **error)
{
    g_autoptr(GByteArray) value = g_byte_array_new();
    uint8_t key[4];

    set_u32(key, number);
    put_position(value, &row->position);
    mk_put_varint(value, row->size_bytes);
    mk_put_varint(value, zigzag(row->archived_unix_ms));
    mk_put_varint(value, zigzag(row->archived_unix_ms - row->date_unix_ms));
    mk_put_varint(value, row->flags);
    mk_put_varint(value, row->extra_receipts);
    put_folders(value, row->folders);
    return mk_db_put(txn, TABLE_MAILS, key, sizeof key, value->data, value->len, error);
}

/* -- hashes ----------------------------------------------------------------------------------- */

bool catalog_find_hash(MkTxn *txn, const uint8_t *hash, uint32_t *out_number, GError **error)
{
    g_auto(MkCursor) cursor = MK_CURSOR_INIT;
    bool found;

    *out_number = 0;
    if (!mk_cursor_open(&cursor, txn, TABLE_HASHES, error) ||
        !mk_cursor_seek(&cursor, hash, SHORT_HASH_BYTES, &found, error))
        return false;
    if (found && cursor.key_length == SHORT_HASH_BYTES + 4 &&
        memcmp(cursor.key, hash, SHORT_HASH_BYTES) == 0)
        *out_number = get_u32(cursor.key + SHORT_HASH_BYTES);
    return true;
}

bool catalog_put_hash(MkWriteTxn *txn, const uint8_t *hash, uint32_t number, GError **error)
{
    uint8_t key[SHORT_HASH_BYTES + 4];

    memcpy(key, hash, SHORT_HASH_BYTES);
    set_u32(key + SHORT_HASH_BYTES, number);
    return mk_db_put(txn, TABLE_HASHES, key, sizeof key, NULL, 0, error);
}

bool catalog_find_blob(MkTxn *txn, const uint8_t *hash, Position *out, bool *out_found,
                       GError **error)
{
    g_autoptr(GByteArray) value = out != NULL ? g_byte_array_new() : NULL;
    MkReader r;

    if (!mk_db_find(txn, TABLE_BLOBS, hash, SHORT_HASH_BYTES, value, out_found, error))
        return false;
    if (!*out_found || out == NULL)
        return true;
    r = mk_reader(value->data, value->len);
    read_position(&r, out);
    return (!r.failed && r.length == 0) || damaged(error, "row of a blob");
}

bool catalog_put_blob(MkWriteTxn *txn, const uint8_t *hash, const Position *position,
                      GError **error)
{
    g_autoptr(GByteArray) value = g_byte_array_new();

    put_position(value, position);
    return mk_db_put(txn, TABLE_BLOBS, hash, SHORT_HASH_BYTES, value->data, value->len, error);
}

/* -- the rest --------------------------------------------------------------------------------- */

bool catalog_put_member(MkWriteTxn *txn, uint32_t folder, uint32_t number, GError **error)
{
    uint8_t key[8];

    set_u32(key, folder);
    set_u32(key + 4, number);
    return mk_db_put(txn, TABLE_MEMBERS, key, sizeof key, NULL, 0, error);
}

bool catalog_put_change(MkWriteTxn *txn, uint64_t sequence, uint32_t number, GError **error)
{
    uint8_t key[12];

    set_u64(key, sequence);
    set_u32(key + 8, number);
    return mk_db_put(txn, TABLE_CHANGES, key, sizeof key, NULL, 0, error);
}

bool catalog_put_receipt(MkWriteTxn *txn, uint32_t number, const Position *position, GError **error)
{
    uint8_t key[16];

    set_u32(key, number);
    set_u32(key + 4, position->pack);
    set_u64(key + 8, position->offset);
    return mk_db_put(txn, TABLE_RECEIPTS, key, sizeof key, NULL, 0, error);
}

bool catalog_put_folder(MkWriteTxn *txn, const MkFolder *folder, GError **error)
{
    g_autoptr(GByteArray) value = g_byte_array_new();
    uint8_t key[4];

    set_u32(key, folder->id);
    mk_put_string(value, folder->path);
    mk_put_varint(value, folder->mail_count);
    mk_put_varint(value, folder->size_bytes);
    return mk_db_put(txn, TABLE_FOLDERS, key, sizeof key, value->data, value->len, error);
}

bool catalog_put_dictionary(MkWriteTxn *txn, uint32_t number, const Position *position,
                            GError **error)
{
    g_autoptr(GByteArray) value = g_byte_array_new();
    uint8_t key[4];

    set_u32(key, number);
    put_position(value, position);
    return mk_db_put(txn, TABLE_DICTIONARIES, key, sizeof key, value->data, value->len, error);
}
