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
