/* statistics.c - the sums a store keeps */
#include <string.h>
#include <sys/stat.h>

#include <mailkeep/base.h>

#include "internal.h"

/* All packs but the newest, whose size the committer knows without the zeros written ahead. */
static uint64_t older_packs_bytes(const MkStore *store, uint32_t newest)
{
    uint64_t sum = 0;

    for (uint32_t number = 1; number < newest; number++) {
        g_autofree char *path = pack_path(store->content_dir, number);
        struct stat st;

        if (stat(path, &st) == 0)
            sum += (uint64_t) st.st_size;
    }
    return sum;
}

bool mk_store_statistics(MkStore *store, MkStoreStatistics *out, GError **error)
{
    Checkpoint tail;
    uint64_t end;
    uint32_t newest;

    if (!pack_find_last(store->content_dir, &newest, error))
        return false;
    memset(out, 0, sizeof *out);
    committer_statistics(store->committer, &tail, &out->batches, &out->batched_mails, &end);
    out->mail_count = tail.mail_count;
    out->size_bytes = tail.size_bytes;
    out->blob_count = tail.blob_count;
    out->content_bytes = older_packs_bytes(store, newest) + end;
    out->catalog_bytes = mk_db_size_bytes(store->catalog);
    return true;
}

/* -- by time ------------------------------------------------------------------------------------- */
static bool came_before(MkTxn *txn, uint32_t number, int64_t unix_ms, bool *out, GError **error)
{
    g_auto(MailRow) row = { 0 };
    bool found;

    if (!catalog_find_mail(txn, number, &row, &found, error))
        return false;
    *out = row.archived_unix_ms < unix_ms;
    return found || mk_fail(error, MK_ERROR_CORRUPT, "the catalog has no mail %u", number);
}

bool mk_store_count_since(MkStore *store, int64_t unix_ms, uint64_t *out, GError **error)
{
    g_auto(MkReadTxn) txn = MK_TXN_INIT;
    Checkpoint checkpoint = { 0 };
    uint64_t low = 1, high;
    bool found, before;

    committer_settle(store->committer);
    if (!mk_read_txn_begin(&txn, store->catalog, error) ||
        !catalog_load_checkpoint(&txn, &checkpoint, &found, error))
        return false;
    high = found ? (uint64_t) checkpoint.last_number + 1 : 1;
    *out = high;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (!came_before(&txn, (uint32_t) middle, unix_ms, &before, error))
            return false;
        if (before)
            low = middle + 1;
        else
            high = middle;
    }
    *out -= low;
    return true;
}
