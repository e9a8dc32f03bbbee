/*
 * db.h - LMDB environments, transactions with scope cleanup, sealed values
 *
 * Purpose    Tables of octet keys and sealed values. Values are authenticated with the table's
 *            number and their key, so a value moved to another key is found out.
 * Keys       Numbers (big endian, so that they sort) or keyed hashes only: they lie in clear.
 * Threads    Any but the loop. Read transactions: any number, short-lived (milliseconds), begun
 *            and ended on one thread. Write transactions: one thread at a time by the room's
 *            own order; LMDB's lock would block.
 * Errors     MK_ERROR_NO_SPACE (disk or map full), _IO, _CORRUPT (a tag does not fit).
 * Format     docs/formats/database.md; tech-notes 4
 */
#ifndef MAILKEEP_DB_H
#define MAILKEEP_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include <mailkeep/crypto.h>
#include <mailkeep/error.h>

typedef struct MkDb MkDb;

typedef enum {
    MK_TABLE_SEALED, /* mk_siv_seal(): small values */
    MK_TABLE_BLOCKS, /* mk_seal(): values of some kilobytes, written once, read often */
    MK_TABLE_SET,    /* keys only: the value is empty and not sealed */
} MkTableKind;

typedef struct {
    const char *name;
    MkTableKind kind;
} MkTableSpec;

typedef struct {
    uint64_t map_size_bytes;   /* address space; the file stays as small as its data */
    const MkTableSpec *tables; /* the table's number is its place here; static */
    unsigned table_count;
    /* A power cut may lose the newest commits, but never the file: for what can be made again. */
    bool lose_newest;
} MkDbOptions;

/* Makes the directory and file (0700, 0600) when absent. One MkDb a directory and process. */
MkDb *mk_db_open(const char *dir, const MkKey *key, const MkDbOptions *options, GError **error);
/* No transaction may be alive. */
void mk_db_close(MkDb *db);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkDb, mk_db_close)
/* Flushes to disk (of use with lose_newest: after it nothing committed so far can be lost). */
bool mk_db_sync(MkDb *db, GError **error);
uint64_t mk_db_size_bytes(MkDb *db); /* pages in use, in octets */
/*
 * mk_db_release_pages() - take the pages of all open environments out of this process's memory
 *
 * They stay in the system's cache and come back when they are read; without this a process that
 * has gone through a large index seems to hold all of it. [any] Cheap; harms no transaction.
 */
void mk_db_release_pages(void);

/* -- transactions: values on the stack, `g_auto(MkReadTxn) txn = MK_TXN_INIT;` ------------- */
typedef struct {
    MkDb *db;
    void *txn; /* MDB_txn */
    bool write;
} MkTxn;
typedef MkTxn MkReadTxn;
typedef MkTxn MkWriteTxn;
#define MK_TXN_INIT ((MkTxn){ NULL, NULL, false })

bool mk_read_txn_begin(MkReadTxn *txn, MkDb *db, GError **error);
bool mk_write_txn_begin(MkWriteTxn *txn, MkDb *db, GError **error);
bool mk_write_txn_commit(MkWriteTxn *txn, GError **error); /* the transaction is over either way */
void mk_txn_end(MkTxn *txn);                               /* aborts a write; idempotent */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkReadTxn, mk_txn_end)
/* glib's macro wants one definition a type name; MkWriteTxn is the same type */
#define glib_auto_cleanup_MkWriteTxn glib_auto_cleanup_MkReadTxn

/* -- values ----------------------------------------------------------------------------- */
/*
 * mk_db_find() - look a value up
 * @out  cleared, then filled with the opened value; may be NULL (presence only)
 * True with *out_found false when the key is absent: that is no error.
 */
bool mk_db_find(MkTxn *txn, unsigned table, const void *key, size_t key_length, GByteArray *out,
                bool *out_found, GError **error);
bool mk_db_put(MkWriteTxn *txn, unsigned table, const void *key, size_t key_length,
               const void *value, size_t value_length, GError **error);
/* Absent is no error. */
bool mk_db_delete(MkWriteTxn *txn, unsigned table, const void *key, size_t key_length,
                  GError **error);
bool mk_db_count(MkTxn *txn, unsigned table, uint64_t *out_count, GError **error);

/* -- walking in key order ------------------------------------------------------------------ */
typedef struct {
    MkTxn *txn;
    unsigned table;
    void *cursor;       /* MDB_cursor */
    const uint8_t *key; /* of the current row; valid until the next step or write */
    size_t key_length;
} MkCursor;
#define MK_CURSOR_INIT ((MkCursor){ NULL, 0, NULL, NULL, 0 })
bool mk_cursor_open(MkCursor *cursor, MkTxn *txn, unsigned table, GError **error);
/* To the first row whose key is >= @key (NULL: the first of all). *out_found false at the end. */
bool mk_cursor_seek(MkCursor *cursor, const void *key, size_t key_length, bool *out_found,
                    GError **error);
bool mk_cursor_next(MkCursor *cursor, bool *out_found, GError **error);
bool mk_cursor_last(MkCursor *cursor, bool *out_found, GError **error);
bool mk_cursor_prev(MkCursor *cursor, bool *out_found, GError **error);
/* Opens the current row's value into @out (cleared first). */
bool mk_cursor_value(MkCursor *cursor, GByteArray *out, GError **error);
void mk_cursor_close(MkCursor *cursor);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkCursor, mk_cursor_close)

/*
 * mk_db_verify() - open every value of every table
 * @out_bad  number of values that fail; the call itself is true unless reading stopped
 */
bool mk_db_verify(MkDb *db, uint64_t *out_values, uint64_t *out_bad, GError **error);

#endif
