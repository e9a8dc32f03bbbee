/* test_db.c - tables, transactions, cursors, and what a flipped bit does */
#include <mailkeep/db.h>

#include <string.h>

#include <glib/gstdio.h>

#include <mailkeep/base.h>

enum { ROWS, BLOCKS, MARKS, TABLES };

static const MkTableSpec tables[TABLES] = {
    [ROWS] = { "rows", MK_TABLE_SEALED },
    [BLOCKS] = { "blocks", MK_TABLE_BLOCKS },
    [MARKS] = { "marks", MK_TABLE_SET },
};

typedef struct {
    char *dir;
    MkKey *key;
    MkDb *db;
} Fixture;

static MkDb *open_db(Fixture *f, uint64_t map_size_bytes)
{
    MkDbOptions options = { map_size_bytes, tables, TABLES, false };
    g_autoptr(GError) error = NULL;
    MkDb *db = mk_db_open(f->dir, f->key, &options, &error);

    g_assert_no_error(error);
    return db;
}

static void set_up(Fixture *f, gconstpointer data)
{
    (void) data;
    f->dir = g_dir_make_tmp("db-XXXXXX", NULL);
    f->key = mk_key_new_random();
    f->db = open_db(f, 64 << 20);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    static const char *const names[] = { "data.mdb", "lock.mdb" };

    (void) data;
    mk_db_close(f->db);
    mk_key_free(f->key);
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(f->dir, names[i], NULL);

        g_unlink(path);
    }
    g_rmdir(f->dir);
    g_free(f->dir);
}

static void key_of(uint32_t number, uint8_t out[4])
{
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t) (number >> 8 * (3 - i));
}

static void fill(Fixture *f, unsigned table, uint32_t count)
{
    g_auto(MkWriteTxn) txn = MK_TXN_INIT;
    g_autoptr(GError) error = NULL;

    mk_write_txn_begin(&txn, f->db, &error);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t key[4];
        g_autofree char *value = g_strdup_printf("the secretvalue %u", i);

        key_of(i, key);
        mk_db_put(&txn, table, key, 4, value, table == MARKS ? 0 : strlen(value), &error);
        g_assert_no_error(error);
    }
    g_assert_true(mk_write_txn_commit(&txn, &error));
    g_assert_no_error(error);
}

static void check_value(Fixture *f, unsigned table, uint32_t number)
{
    g_auto(MkReadTxn) txn = MK_TXN_INIT;
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) value = g_byte_array_new();
    g_autofree char *expected = g_strdup_printf("the secretvalue %u", number);
    uint8_t key[4];
    bool found;

    key_of(number, key);
    mk_read_txn_begin(&txn, f->db, &error);
    g_assert_true(mk_db_find(&txn, table, key, 4, value, &found, &error));
    g_assert_no_error(error);
    g_assert_true(found);
    g_assert_cmpmem(value->data, value->len, expected, table == MARKS ? 0 : strlen(expected));
}

static void test_put_find_reopen(Fixture *f, gconstpointer data)
{
    uint64_t count = 0;
    g_auto(MkReadTxn) txn = MK_TXN_INIT;

    (void) data;
    for (unsigned table = 0; table < TABLES; table++)
        fill(f, table, 300);
    mk_db_close(f->db);
    f->db = open_db(f, 64 << 20);
    for (unsigned table = 0; table < TABLES; table++)
        for (uint32_t i = 0; i < 300; i += 37)
            check_value(f, table, i);
    g_assert_true(mk_read_txn_begin(&txn, f->db, NULL));
    g_assert_true(mk_db_count(&txn, ROWS, &count, NULL));
    g_assert_cmpuint(count, ==, 300);
    g_assert_cmpuint(mk_db_size_bytes(f->db), >, 300 * 40);
    g_assert_true(mk_db_sync(f->db, NULL));
}

/* Whether this process has pages of the database in its memory, as the kernel counts them. */
static bool is_resident(const Fixture *f)
{
    g_autofree char *smaps = NULL;
    const char *at;

    g_assert_true(g_file_get_contents("/proc/self/smaps", &smaps, NULL, NULL));
    at = strstr(smaps, f->dir);
    g_assert_nonnull(at);
    at = strstr(at, "\nRss:");
    g_assert_nonnull(at);
    return g_ascii_strtoull(at + 5, NULL, 10) > 0;
}

static void test_release_pages(Fixture *f, gconstpointer data)
{
    g_auto(MkReadTxn) txn = MK_TXN_INIT;
    g_auto(MkWriteTxn) writing = MK_TXN_INIT;
    g_autoptr(GByteArray) value = g_byte_array_new();
    uint8_t key[4];
    bool found;

    (void) data;
    fill(f, ROWS, 300);
    key_of(7, key);
    g_assert_true(mk_read_txn_begin(&txn, f->db, NULL));
    g_assert_true(mk_write_txn_begin(&writing, f->db, NULL));
    g_assert_true(mk_db_put(&writing, ROWS, key, 4, "new", 3, NULL));
    g_assert_true(is_resident(f));
    mk_db_release_pages();
    g_assert_false(is_resident(f));
    g_assert_true(mk_db_find(&txn, ROWS, key, 4, value, &found, NULL));
    g_assert_cmpmem(value->data, value->len, "the secretvalue 7", 17);
    g_assert_true(mk_write_txn_commit(&writing, NULL));
    mk_txn_end(&txn);
    g_assert_true(mk_read_txn_begin(&txn, f->db, NULL));
    g_assert_true(mk_db_find(&txn, ROWS, key, 4, value, &found, NULL));
    g_assert_cmpmem(value->data, value->len, "new", 3);
}

static void test_abort_and_delete(Fixture *f, gconstpointer data)
{
    uint8_t key[4];
    bool found = true;

    (void) data;
    fill(f, ROWS, 1);
    key_of(0, key);
    {
        g_auto(MkWriteTxn) txn = MK_TXN_INIT;

        mk_write_txn_begin(&txn, f->db, NULL);
        g_assert_true(mk_db_delete(&txn, ROWS, key, 4, NULL));
        g_assert_true(mk_db_delete(&txn, ROWS, key, 4, NULL)); /* absent is no error */
        g_assert_true(mk_db_find(&txn, ROWS, key, 4, NULL, &found, NULL));
        g_assert_false(found);
    } /* aborted by the scope */
    check_value(f, ROWS, 0);
}

static void test_cursor(Fixture *f, gconstpointer data)
{
    g_auto(MkReadTxn) txn = MK_TXN_INIT;
    g_auto(MkCursor) cursor = MK_CURSOR_INIT;
    g_autoptr(GByteArray) value = g_byte_array_new();
    uint8_t key[4];
    bool found;
    unsigned seen = 0;

    (void) data;
    fill(f, ROWS, 50);
    mk_read_txn_begin(&txn, f->db, NULL);
    g_assert_true(mk_cursor_open(&cursor, &txn, ROWS, NULL));
    g_assert_true(mk_cursor_seek(&cursor, NULL, 0, &found, NULL));
    while (found) {
        key_of(seen++, key);
        g_assert_cmpmem(cursor.key, cursor.key_length, key, 4);
        g_assert_true(mk_cursor_value(&cursor, value, NULL));
        g_assert_true(mk_cursor_next(&cursor, &found, NULL));
    }
    g_assert_cmpuint(seen, ==, 50);
    key_of(17, key);
    g_assert_true(mk_cursor_seek(&cursor, key, 4, &found, NULL) && found);
    g_assert_true(mk_cursor_prev(&cursor, &found, NULL) && found);
    g_assert_cmpuint(cursor.key[3], ==, 16);
    g_assert_true(mk_cursor_last(&cursor, &found, NULL) && found);
    g_assert_cmpuint(cursor.key[3], ==, 49);
    g_assert_true(mk_cursor_next(&cursor, &found, NULL));
    g_assert_false(found);
}

/* A value moved to another key, as an intruder with the file could do, does not open. */
static void test_values_are_bound_to_keys(Fixture *f, gconstpointer data)
{
    g_autofree char *path = g_build_filename(f->dir, "data.mdb", NULL);
    g_autofree char *file = NULL;
    gsize length;
    uint64_t values, bad = 0;
    unsigned swapped = 0;

    (void) data;
    fill(f, ROWS, 2);
    g_clear_pointer(&f->db, mk_db_close);
    g_assert_true(g_file_get_contents(path, &file, &length, NULL));
    /* keys 0 and 1 stand before their values; give every 00000001 the number 2 */
    for (gsize i = 2; i + 4 < length; i++)
        if (memcmp(file + i, "\0\0\0\1", 4) == 0 && file[i - 2] == 4 && file[i - 1] == 0) {
            file[i + 3] = 2;
            swapped++;
        }
    g_assert_cmpuint(swapped, >=, 1);
    g_assert_true(g_file_set_contents(path, file, (gssize) length, NULL));
    f->db = open_db(f, 64 << 20);
    g_assert_true(mk_db_verify(f->db, &values, &bad, NULL));
    g_assert_cmpuint(bad, ==, 1);
}

static void test_flipped_bit_and_no_clear_text(Fixture *f, gconstpointer data)
{
    g_autofree char *path = g_build_filename(f->dir, "data.mdb", NULL);
    g_autofree char *file = NULL;
    gsize length;
    uint64_t values = 0, bad = 0;
    uint8_t needle[4];
    char *at;

    (void) data;
    fill(f, ROWS, 1000);
    fill(f, BLOCKS, 1000);
    g_assert_true(mk_db_verify(f->db, &values, &bad, NULL));
    g_assert_cmpuint(values, ==, 2000);
    g_assert_cmpuint(bad, ==, 0);
    g_clear_pointer(&f->db, mk_db_close);
    g_assert_true(g_file_get_contents(path, &file, &length, NULL));
    g_assert_null(memmem(file, length, "secretvalue", 11));
    key_of(500, needle);
    at = memmem(file, length, needle, 4);
    g_assert_nonnull(at);
    at[10] ^= 4;
    g_assert_true(g_file_set_contents(path, file, (gssize) length, NULL));
    f->db = open_db(f, 64 << 20);
    g_assert_true(mk_db_verify(f->db, &values, &bad, NULL));
    g_assert_cmpuint(bad, ==, 1);
}

static void test_wrong_key(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_auto(MkReadTxn) txn = MK_TXN_INIT;
    g_autoptr(GByteArray) value = g_byte_array_new();
    uint8_t key[4] = { 0 };
    bool found;

    (void) data;
    fill(f, ROWS, 1);
    mk_db_close(f->db);
    mk_key_free(f->key);
    f->key = mk_key_new_random();
    f->db = open_db(f, 64 << 20);
    mk_read_txn_begin(&txn, f->db, NULL);
    g_assert_false(mk_db_find(&txn, ROWS, key, 4, value, &found, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_CORRUPT);
}

static void test_map_full(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *big = g_strnfill(64 << 10, 'x');
    g_auto(MkWriteTxn) txn = MK_TXN_INIT;

    (void) data;
    fill(f, ROWS, 3);
    mk_db_close(f->db);
    f->db = open_db(f, 256 << 10);
    g_assert_true(mk_write_txn_begin(&txn, f->db, &error));
    for (uint32_t i = 0; error == NULL && i < 100; i++) {
        uint8_t key[4];

        key_of(i, key);
        mk_db_put(&txn, BLOCKS, key, 4, big, 64 << 10, &error);
    }
    g_assert_error(error, MK_ERROR, MK_ERROR_NO_SPACE);
    mk_txn_end(&txn);
    check_value(f, ROWS, 2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(mk_crypto_init(NULL));
#define ADD(name, func) g_test_add(name, Fixture, NULL, set_up, func, tear_down)
    ADD("/db/put-find-reopen", test_put_find_reopen);
    ADD("/db/release-pages", test_release_pages);
    ADD("/db/abort-and-delete", test_abort_and_delete);
    ADD("/db/cursor", test_cursor);
    ADD("/db/values-are-bound-to-keys", test_values_are_bound_to_keys);
    ADD("/db/flipped-bit-and-no-clear-text", test_flipped_bit_and_no_clear_text);
    ADD("/db/wrong-key", test_wrong_key);
    ADD("/db/map-full", test_map_full);
    return g_test_run();
}
