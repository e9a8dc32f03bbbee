/*
 * value.c - reading and writing values, sealed with their place
 *
 * The associated data is the table's number (one octet) and the key, so that a value copied to
 * another key or table does not open there.
 */
#include <mailkeep/db.h>

#include <string.h>

#include "internal.h"

typedef struct {
    uint8_t octets[1 + DB_KEY_MAX_BYTES];
    size_t length;
} Place;

static Place place_of(unsigned table, const void *key, size_t key_length)
{
    Place place;

    g_assert(key_length > 0 && key_length <= DB_KEY_MAX_BYTES);
    place.octets[0] = (uint8_t) table;
    memcpy(place.octets + 1, key, key_length);
    place.length = 1 + key_length;
    return place;
}

static size_t overhead(MkTableKind kind)
{
    switch (kind) {
    case MK_TABLE_SEALED: return MK_SIV_OVERHEAD;
    case MK_TABLE_BLOCKS: return MK_SEAL_OVERHEAD;
    case MK_TABLE_SET: return 0;
    }
    g_assert_not_reached();
}

bool db_value_open(const MkDb *db, unsigned table, const MDB_val *key, const MDB_val *value,
                   GByteArray *out, GError **error)
{
    MkTableKind kind = db->kinds[table];
    size_t extra = overhead(kind);
    Place place = place_of(table, key->mv_data, key->mv_size);
    bool good;

    g_byte_array_set_size(out, 0);
    if (value->mv_size < extra || (kind == MK_TABLE_SET && value->mv_size != 0))
        return mk_fail(error, MK_ERROR_CORRUPT, "database: a value of table %u has a wrong length",
                       table);
    if (kind == MK_TABLE_SET)
        return true;
    g_byte_array_set_size(out, (guint) (value->mv_size - extra));
    good = kind == MK_TABLE_SEALED ? mk_siv_unseal(db->key, place.octets, place.length,
                                                   value->mv_data, value->mv_size, out->data, NULL)
                                   : mk_unseal(db->key, place.octets, place.length, value->mv_data,
                                               value->mv_size, out->data, NULL);
    if (!good) {
        g_byte_array_set_size(out, 0);
        return mk_fail(error, MK_ERROR_CORRUPT,
                       "database: a value of table %u fails its tag; rebuild the database", table);
    }
    return true;
}

bool mk_db_find(MkTxn *txn, unsigned table, const void *key, size_t key_length, GByteArray *out,
                bool *out_found, GError **error)
{
    MDB_val mdb_key = { key_length, (void *) key };
    MDB_val value;
    int rc = mdb_get(txn->txn, txn->db->handles[table], &mdb_key, &value);

    *out_found = false;
    if (rc == MDB_NOTFOUND)
        return true;
    if (rc != 0)
        return db_fail(error, rc, "look up a value");
    if (out != NULL && !db_value_open(txn->db, table, &mdb_key, &value, out, error))
        return false;
    *out_found = true;
    return true;
}

bool mk_db_put(MkWriteTxn *txn, unsigned table, const void *key, size_t key_length,
               const void *value, size_t value_length, GError **error)
{
    MkDb *db = txn->db;
    Place place = place_of(table, key, key_length);
    MDB_val mdb_key = { key_length, (void *) key };
    MDB_val room = { value_length + overhead(db->kinds[table]), NULL };
    int rc;

    g_assert(db->kinds[table] != MK_TABLE_SET || value_length == 0);
    rc = mdb_put(txn->txn, db->handles[table], &mdb_key, &room, MDB_RESERVE);
    if (rc != 0)
        return db_fail(error, rc, "write a value");
    if (db->kinds[table] == MK_TABLE_SEALED)
        mk_siv_seal(db->key, place.octets, place.length, value, value_length, room.mv_data);
    else if (db->kinds[table] == MK_TABLE_BLOCKS)
        mk_seal(db->key, place.octets, place.length, value, value_length, room.mv_data);
    return true;
}

bool mk_db_delete(MkWriteTxn *txn, unsigned table, const void *key, size_t key_length,
                  GError **error)
{
    MDB_val mdb_key = { key_length, (void *) key };
    int rc = mdb_del(txn->txn, txn->db->handles[table], &mdb_key, NULL);

    return rc == 0 || rc == MDB_NOTFOUND || db_fail(error, rc, "delete a value");
}

bool mk_db_count(MkTxn *txn, unsigned table, uint64_t *out_count, GError **error)
{
    MDB_stat stat;
    int rc = mdb_stat(txn->txn, txn->db->handles[table], &stat);

    if (rc != 0)
        return db_fail(error, rc, "count values");
    *out_count = stat.ms_entries;
    return true;
}
