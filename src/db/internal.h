/* internal.h - what the files of db/ share */
#ifndef MAILKEEP_DB_INTERNAL_H
#define MAILKEEP_DB_INTERNAL_H

#include <mailkeep/db.h>

#include <lmdb.h>

#define DB_KEY_MAX_BYTES 511 /* LMDB's own bound */

struct MkDb {
    GList link; /* in the list of all that are open */
    void *map;  /* where the file is mapped; NULL = not known */
    MDB_env *env;
    MkKey *key;
    unsigned table_count;
    MkTableKind kinds[32];
    MDB_dbi handles[32];
};

/* What LMDB (or the system below it) said, as an error of ours; "database: <what>: ...". */
bool db_fail(GError **error, int rc, const char *what);

/* Opens a stored value of @table under @key into @out (cleared first). */
bool db_value_open(const MkDb *db, unsigned table, const MDB_val *key, const MDB_val *value,
                   GByteArray *out, GError **error);

#endif
