/*
 * master.c - the master database: users, gateway mailboxes, saved searches, the state of
 * indexes, settings, second factors, app passwords, and the numbers given so far
 *
 * Keys are table-wide running numbers of four octets (saved searches: behind those of their
 * user), so that nothing readable lies in them.
 */
#include <string.h>

#include "internal.h"

static const MkTableSpec tables[MASTER_TABLES] = {
    [MASTER_META] = { "meta", MK_TABLE_SEALED },
    [MASTER_USERS] = { "users", MK_TABLE_SEALED },
    [MASTER_GATEWAYS] = { "gateways", MK_TABLE_SEALED },
    [MASTER_SAVED_SEARCHES] = { "saved-searches", MK_TABLE_SEALED },
    [MASTER_INDEXES] = { "indexes", MK_TABLE_SEALED },
    [MASTER_SETTINGS] = { "settings", MK_TABLE_SEALED },
    [MASTER_TWO_FACTOR] = { "two-factor", MK_TABLE_SEALED },
    [MASTER_APP_PASSWORDS] = { "app-passwords", MK_TABLE_SEALED },
};

enum { ID_BYTES = 4 };

static void format_id(uint32_t id, uint8_t out[ID_BYTES])
{
    for (int i = 0; i < ID_BYTES; i++)
        out[i] = (uint8_t) (id >> (8 * (ID_BYTES - 1 - i)));
}

MkDb *master_open(const char *data_dir, const MkKeyring *keyring, uint64_t map_size_bytes,
                  GError **error)
{
    g_autofree char *dir = g_build_filename(data_dir, "master", NULL);
    g_autoptr(MkKey) key = mk_key_derive(mk_keyring_master(keyring), "master");
    MkDbOptions options = { .map_size_bytes = map_size_bytes,
                            .tables = tables,
                            .table_count = MASTER_TABLES };

    return mk_db_open(dir, key, &options, error);
}

bool master_put_key(MkArchive *archive, unsigned table, const void *key, size_t key_length,
                    const GByteArray *value, GError **error)
{
    g_auto(MkWriteTxn) txn = MK_TXN_INIT;

    if (!mk_write_txn_begin(&txn, archive->master, error))
        return false;
    if (value == NULL ? !mk_db_delete(&txn, table, key, key_length, error)
                      : !mk_db_put(&txn, table, key, key_length, value->data, value->len, error))
        return false;
    return mk_write_txn_commit(&txn, error);
}

bool master_put(MkArchive *archive, unsigned table, uint32_t id, const GByteArray *value,
                GError **error)
{
    uint8_t key[ID_BYTES];

    format_id(id, key);
    return master_put_key(archive, table, key, sizeof key, value, error);
}

bool master_find(MkArchive *archive, unsigned table, uint32_t id, GByteArray *out, bool *out_found,
                 GError **error)
{
    g_auto(MkReadTxn) txn = MK_TXN_INIT;
    uint8_t key[ID_BYTES];

    format_id(id, key);
    return mk_read_txn_begin(&txn, archive->master, error) &&
           mk_db_find(&txn, table, key, sizeof key, out, out_found, error);
}

/* The last number given of each table stands in MASTER_META under the table's number. */
bool master_next_id(MkArchive *archive, unsigned table, uint32_t *out_id, GError **error)
{
    g_auto(MkWriteTxn) txn = MK_TXN_INIT;
    g_autoptr(GByteArray) value = g_byte_array_new();
    uint8_t key[ID_BYTES];
    uint32_t last = 0;
    bool found;

    format_id(table, key);
    if (!mk_write_txn_begin(&txn, archive->master, error) ||
        !mk_db_find(&txn, MASTER_META, key, sizeof key, value, &found, error))
        return false;
    if (found) {
        MkReader r = mk_reader(value->data, value->len);

        last = mk_read_u32(&r);
        if (r.failed || last == UINT32_MAX)
            return mk_fail(error, MK_ERROR_CORRUPT,
                           "the master database has no good number for "
                           "table %u: restore it from a backup",
                           table);
    }
    g_byte_array_set_size(value, 0);
    mk_put_u32(value, last + 1);
    if (!mk_db_put(&txn, MASTER_META, key, sizeof key, value->data, value->len, error) ||
        !mk_write_txn_commit(&txn, error))
        return false;
    *out_id = last + 1;
    return true;
}

bool master_each(MkDb *master, unsigned table, MasterRowFunc on_row, void *cookie, GError **error)
{
    g_auto(MkReadTxn) txn = MK_TXN_INIT;
    g_auto(MkCursor) cursor = MK_CURSOR_INIT;
    g_autoptr(GByteArray) value = g_byte_array_new();
    bool found;

    if (!mk_read_txn_begin(&txn, master, error) || !mk_cursor_open(&cursor, &txn, table, error) ||
        !mk_cursor_seek(&cursor, NULL, 0, &found, error))
        return false;
    while (found) {
        MkReader key = mk_reader(cursor.key, cursor.key_length);
        uint32_t id = mk_read_u32(&key);

        if (!mk_cursor_value(&cursor, value, error))
            return false;
        if (key.failed || key.length != 0 || !on_row(id, value, cookie))
            return mk_fail(error, MK_ERROR_CORRUPT,
                           "row %u of table %u of the master database is damaged: restore it from "
                           "a backup",
                           id, table);
        if (!mk_cursor_next(&cursor, &found, error))
            return false;
    }
    return true;
}

static bool load_user(uint32_t id, const GByteArray *value, void *cookie)
{
    UserRecord *record = user_record_parse(id, value->data, value->len);

    if (record != NULL)
        user_table_put(cookie, record);
    return record != NULL;
}

bool master_load_users(MkDb *master, UserTable *users, GError **error)
{
    return master_each(master, MASTER_USERS, load_user, users, error);
}
