/* transaction.c - beginning and ending transactions; the scope ends what was forgotten */
#include <mailkeep/db.h>

#include "internal.h"

static bool txn_begin(MkTxn *txn, MkDb *db, bool write, GError **error)
{
    MDB_txn *inner;
    int rc = mdb_txn_begin(db->env, NULL, write ? 0 : MDB_RDONLY, &inner);

    g_assert(txn->txn == NULL);
    if (rc != 0)
        return db_fail(error, rc, "begin a transaction");
    *txn = (MkTxn){ db, inner, write };
    return true;
}

bool mk_read_txn_begin(MkReadTxn *txn, MkDb *db, GError **error)
{
    return txn_begin(txn, db, false, error);
}

bool mk_write_txn_begin(MkWriteTxn *txn, MkDb *db, GError **error)
{
    return txn_begin(txn, db, true, error);
}

bool mk_write_txn_commit(MkWriteTxn *txn, GError **error)
{
    int rc;

    g_assert(txn->write && txn->txn != NULL);
    rc = mdb_txn_commit(txn->txn);
    txn->txn = NULL;
    return rc == 0 || db_fail(error, rc, "commit");
}

void mk_txn_end(MkTxn *txn)
{
    if (txn->txn != NULL)
        mdb_txn_abort(txn->txn);
    txn->txn = NULL;
}
