/* cursor.c - walking a table in key order; verification walks all of them */
#include <mailkeep/db.h>

#include <string.h>

#include "internal.h"

/* A verification gives its reader's snapshot back after so many values (a long one stops reuse). */
#define VERIFY_STRETCH 10000

bool mk_cursor_open(MkCursor *cursor, MkTxn *txn, unsigned table, GError **error)
{
    MDB_cursor *inner;
    int rc = mdb_cursor_open(txn->txn, txn->db->handles[table], &inner);

    g_assert(cursor->cursor == NULL);
    if (rc != 0)
        return db_fail(error, rc, "open a cursor");
    *cursor = (MkCursor){ txn, table, inner, NULL, 0 };
    return true;
}

static bool cursor_move(MkCursor *cursor, MDB_val *key, MDB_cursor_op op, bool *out_found,
                        GError **error)
{
    int rc = mdb_cursor_get(cursor->cursor, key, NULL, op);

    *out_found = false;
    cursor->key = NULL;
    cursor->key_length = 0;
    if (rc == MDB_NOTFOUND)
        return true;
    if (rc != 0)
        return db_fail(error, rc, "walk a table");
    cursor->key = key->mv_data;
    cursor->key_length = key->mv_size;
    *out_found = true;
    return true;
}

bool mk_cursor_seek(MkCursor *cursor, const void *key, size_t key_length, bool *out_found,
                    GError **error)
{
    MDB_val mdb_key = { key_length, (void *) key };

    return cursor_move(cursor, &mdb_key, key != NULL ? MDB_SET_RANGE : MDB_FIRST, out_found, error);
}

bool mk_cursor_next(MkCursor *cursor, bool *out_found, GError **error)
{
    return cursor_move(cursor, &(MDB_val){ 0 }, MDB_NEXT, out_found, error);
}

bool mk_cursor_last(MkCursor *cursor, bool *out_found, GError **error)
{
    return cursor_move(cursor, &(MDB_val){ 0 }, MDB_LAST, out_found, error);
}

bool mk_cursor_prev(MkCursor *cursor, bool *out_found, GError **error)
{
    return cursor_move(cursor, &(MDB_val){ 0 }, MDB_PREV, out_found, error);
}

bool mk_cursor_value(MkCursor *cursor, GByteArray *out, GError **error)
{
    MDB_val key, value;
    int rc = mdb_cursor_get(cursor->cursor, &key, &value, MDB_GET_CURRENT);

    if (rc != 0)
        return db_fail(error, rc, "read a value");
    return db_value_open(cursor->txn->db, cursor->table, &key, &value, out, error);
}

void mk_cursor_close(MkCursor *cursor)
{
    if (cursor->cursor != NULL)
        mdb_cursor_close(cursor->cursor);
    *cursor = (MkCursor) MK_CURSOR_INIT;
}

typedef struct {
    MkDb *db;
    unsigned table;
    GByteArray *resume; /* the key to go on with; empty: from the start */
    uint64_t values;
    uint64_t bad;
} TableCheck;

/* Up to VERIFY_STRETCH values; *out_more when the table goes on at check->resume. */
static bool verify_stretch(TableCheck *check, bool *out_more, GError **error)
{
    g_auto(MkReadTxn) txn = MK_TXN_INIT;
    g_auto(MkCursor) cursor = MK_CURSOR_INIT;
    g_autoptr(GByteArray) value = g_byte_array_new();
    const uint8_t *from = check->resume->len > 0 ? check->resume->data : NULL;

    if (!mk_read_txn_begin(&txn, check->db, error) ||
        !mk_cursor_open(&cursor, &txn, check->table, error) ||
        !mk_cursor_seek(&cursor, from, check->resume->len, out_more, error))
        return false;
    for (unsigned i = 0; *out_more && i < VERIFY_STRETCH; i++) {
        check->values++;
        if (!mk_cursor_value(&cursor, value, NULL))
            check->bad++;
        if (!mk_cursor_next(&cursor, out_more, error))
            return false;
    }
    if (*out_more) {
        g_byte_array_set_size(check->resume, 0);
        g_byte_array_append(check->resume, cursor.key, (guint) cursor.key_length);
    }
    return true;
}

bool mk_db_verify(MkDb *db, uint64_t *out_values, uint64_t *out_bad, GError **error)
{
    g_autoptr(GByteArray) resume = g_byte_array_new();
    TableCheck check = { .db = db, .resume = resume };

    for (check.table = 0; check.table < db->table_count; check.table++) {
        bool more = true;

        g_byte_array_set_size(resume, 0);
        while (more)
            if (!verify_stretch(&check, &more, error))
                return false;
    }
    *out_values = check.values;
    *out_bad = check.bad;
    return true;
}
