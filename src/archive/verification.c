/* verification.c - when each store was verified last, and what was found: kept over restarts */
#include <mailkeep/base.h>

#include "internal.h"

enum { RECORD_VERSION = 1 };

static bool load_row(uint32_t id, const GByteArray *value, void *cookie)
{
    MkReader r = mk_reader(value->data, value->len);
    uint64_t count;

    if (id != SETTING_VERIFICATIONS)
        return true;
    if (mk_read_u8(&r) != RECORD_VERSION)
        return false;
    count = mk_read_varint(&r);
    for (uint64_t i = 0; i < count && !r.failed; i++) {
        ArchiveStore *store = store_find(cookie, mk_read_u32(&r));
        int64_t unix_ms = (int64_t) mk_read_u64(&r);
        uint64_t errors = mk_read_u64(&r);

        if (store == NULL) /* one that is gone */
            continue;
        store->verified_unix_ms = unix_ms;
        store->verified_errors = errors;
    }
    return !r.failed && r.length == 0;
}

bool verifications_load(MkArchive *archive, GError **error)
{
    return master_each(archive->master, MASTER_SETTINGS, load_row, archive, error);
}

bool verification_keep(MkArchive *archive, ArchiveStore *store, uint64_t errors, GError **error)
{
    g_autoptr(GByteArray) value = g_byte_array_new();
    bool ok;

    pthread_mutex_lock(&archive->master_lock);
    store->verified_unix_ms = mk_clock_unix_ms();
    store->verified_errors = errors;
    mk_put_u8(value, RECORD_VERSION);
    mk_put_varint(value, archive->stores->len);
    for (guint i = 0; i < archive->stores->len; i++) {
        ArchiveStore *each = archive->stores->pdata[i];

        mk_put_u32(value, each->id);
        mk_put_u64(value, (uint64_t) each->verified_unix_ms);
        mk_put_u64(value, each->verified_errors);
    }
    ok = master_put(archive, MASTER_SETTINGS, SETTING_VERIFICATIONS, value, error);
    pthread_mutex_unlock(&archive->master_lock);
    return ok;
}
