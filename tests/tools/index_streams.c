/*
 * index_streams.c - how many octets each stream of an index takes, without opening any of them
 *
 *   index_streams DIR        DIR is <store>/index
 *
 * The keys of the blocks tell segment and stream (docs/formats/index.md); values stay sealed.
 * Prints NAME=OCTETS: stream.N for the values, and what the whole file and its free pages take.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>
#include <lmdb.h>

enum { STREAMS = 256, STREAM_AT = 4, KEY_BYTES = 9, TABLES = 32 };

static uint64_t stream_bytes[STREAMS], stream_blocks[STREAMS];

static int fail_on(int rc, const char *what)
{
    if (rc != 0)
        fprintf(stderr, "index_streams: %s: %s\n", what, mdb_strerror(rc));
    return rc;
}

static uint64_t pages_of(const MDB_stat *stat)
{
    return stat->ms_branch_pages + stat->ms_leaf_pages + stat->ms_overflow_pages;
}

static void read_blocks(MDB_txn *txn, MDB_dbi table)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    g_autoptr(GHashTable) segments = g_hash_table_new(NULL, NULL);

    if (fail_on(mdb_cursor_open(txn, table, &cursor), "cursor") != 0)
        return;
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        const uint8_t *octets = key.mv_data;

        if (key.mv_size != KEY_BYTES)
            continue;
        stream_bytes[octets[STREAM_AT]] += value.mv_size;
        stream_blocks[octets[STREAM_AT]]++;
        g_hash_table_add(segments, GUINT_TO_POINTER((unsigned) octets[2] << 8 | octets[3]));
    }
    mdb_cursor_close(cursor);
    printf("segments=%u\n", g_hash_table_size(segments));
    for (int i = 0; i < STREAMS; i++)
        if (stream_blocks[i] > 0)
            printf("stream.%d=%" G_GUINT64_FORMAT "\n", i, stream_bytes[i]);
}

static void read_tables(MDB_env *env, MDB_txn *txn)
{
    MDB_dbi main_table, table;
    MDB_cursor *cursor;
    MDB_val key, value;
    MDB_envinfo info;
    MDB_stat stat;

    mdb_env_info(env, &info);
    mdb_env_stat(env, &stat);
    printf("file=%" G_GUINT64_FORMAT "\n", (uint64_t) (info.me_last_pgno + 1) * stat.ms_psize);
    if (fail_on(mdb_dbi_open(txn, NULL, 0, &main_table), "tables") != 0 ||
        fail_on(mdb_cursor_open(txn, main_table, &cursor), "cursor") != 0)
        return;
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        g_autofree char *name = g_strndup(key.mv_data, key.mv_size);

        if (mdb_dbi_open(txn, name, 0, &table) != 0)
            continue;
        mdb_stat(txn, table, &stat);
        printf("table.%s=%" G_GUINT64_FORMAT "\n", name, pages_of(&stat) * stat.ms_psize);
        if (strcmp(name, "blocks") == 0)
            read_blocks(txn, table);
    }
    mdb_cursor_close(cursor);
}

int main(int argc, char **argv)
{
    MDB_env *env;
    MDB_txn *txn;

    if (argc != 2) {
        fprintf(stderr, "usage: index_streams DIR\n");
        return 2;
    }
    if (fail_on(mdb_env_create(&env), "environment") != 0)
        return 1;
    mdb_env_set_maxdbs(env, TABLES);
    if (fail_on(mdb_env_open(env, argv[1], MDB_RDONLY, 0600), argv[1]) != 0 ||
        fail_on(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), "transaction") != 0)
        return 1;
    read_tables(env, txn);
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return 0;
}
