/*
 * batch.c - one group commit
 *
 *   look up, number, apply to the open catalog transaction   [batch_add]
 *   -> append all frames and a COMMIT to the pack, fdatasync  [batch_write]
 *   -> everyone is told                                       [batch_finish]
 *   ... within 200 ms: commit the catalog's transaction        [batch_commit_catalog]
 *
 * The packs are the log, so a mail is safe with the pack's flush alone. When anything fails, the
 * pack is cut back, the transaction is thrown away, and the catalog is read anew from its last
 * commit and the packs behind it; after a failed flush the pack is given up for a new one.
 */
#include <string.h>
#include <sys/statvfs.h>

#include <mailkeep/base.h>

#include "internal.h"

#define FORGET_AT_ONCE 5000

typedef struct {
    BatchState *state;
    Apply apply;
    Checkpoint checkpoint; /* the tail as it will be */
    GPtrArray *frames;
    uint64_t total;
    CommitFields fields;
    MkHashState chain;
} Batch;

void item_free(Item *item)
{
    mk_prepared_mail_free(item->prepared);
    g_free(item->path);
    g_clear_pointer(&item->dictionary, g_bytes_unref);
    g_clear_error(&item->error);
    g_free(item);
}

static bool step(const BatchState *state, const char *name, GError **error)
{
    int errnum = store_fault(state->store, name);

    return errnum == 0 || mk_fail_errno(error, errnum, "commit to the archive");
}

/* -- adding to a batch ------------------------------------------------------------------------ */

static Position add_frame(Batch *batch, GByteArray *frame)
{
    Position position = { batch->state->writer.number, batch->state->writer.end + batch->total,
                          frame->len };

    g_ptr_array_add(batch->frames, g_byte_array_ref(frame));
    mk_hash_add(&batch->chain, frame->data, frame->len);
    batch->total += frame->len;
    batch->fields.record_count++;
    return position;
}

static bool add_blobs(Batch *batch, const MkPreparedMail *prepared, GError **error)
{
    for (guint i = 0; i < prepared->blobs->len; i++) {
        const PreparedBlob *blob = prepared->blobs->pdata[i];
        Position position;
        bool found;

        if (!catalog_find_blob(batch->apply.txn, blob->hash.bytes, NULL, &found, error))
            return false;
        if (found) /* another mail brought it in the meantime */
            continue;
        position = add_frame(batch, blob->frame);
        if (!apply_blob(&batch->apply, blob->hash.bytes, &position, error))
            return false;
    }
    return true;
}

/* An item of its own fault: the others of the batch go on. */
static bool refuse(Item *item, MkErrorCode code, const char *why)
{
    mk_fail(&item->error, code, "%s", why);
    return true;
}

static bool needs_are_there(Batch *batch, const MkPreparedMail *prepared, bool *out, GError **error)
{
    *out = true;
    for (guint i = 0; *out && i < prepared->needs->len; i++)
        if (!catalog_find_blob(batch->apply.txn, g_array_index(prepared->needs, MkHash, i).bytes,
                               NULL, out, error))
            return false;
    return true;
}

static bool folders_are_there(const Batch *batch, const GArray *folders)
{
    for (guint i = 0; i < folders->len; i++)
        if (!folders_has(batch->apply.folders, g_array_index(folders, uint32_t, i)))
            return false;
    return folders->len > 0;
}

static GByteArray *receipt_frame(const Batch *batch, const MkPreparedMail *prepared)
{
    const MkStore *store = batch->state->store;
    g_autoptr(GByteArray) packed = g_byte_array_new();
    uint16_t flags =
        codec_pack(store->codec, prepared->receipt->data, prepared->receipt->len, true, packed);

    return record_seal(store->keys.record, RECORD_RECEIPT, flags, packed->data, packed->len);
}

static bool add_receipt(Batch *batch, Item *item, const MailFacts *facts, uint32_t number,
                        GError **error)
{
    g_autoptr(GByteArray) frame = receipt_frame(batch, item->prepared);
    Position position = add_frame(batch, frame);

    pthread_mutex_lock(&batch->state->touched_lock);
    g_hash_table_add(batch->state->touched, GUINT_TO_POINTER(number));
    pthread_mutex_unlock(&batch->state->touched_lock);
    item->committed = (MkCommitted){ number, false };
    return apply_receipt(&batch->apply, facts, &position, number, error);
}

static bool add_new_mail(Batch *batch, Item *item, const MailFacts *facts, GError **error)
{
    uint32_t number = batch->checkpoint.last_number + 1;
    Position position;

    if (item->prepared->frame == NULL)
        return refuse(item, MK_ERROR_INTERNAL,
                      "a mail known when it was prepared is known no more");
    if (number == 0)
        return refuse(item, MK_ERROR_LIMIT,
                      "the store is full: it has four thousand million mails");
    position = add_frame(batch, item->prepared->frame);
    batch->fields.mail_count++;
    item->committed = (MkCommitted){ number, true };
    return apply_mail(&batch->apply, facts, &position, number, error);
}

static bool add_mail(Batch *batch, Item *item, GError **error)
{
    const MkPreparedMail *prepared = item->prepared;
    MailFacts facts = {
        .hash = prepared->hash.bytes,
        .size_bytes = prepared->size_bytes,
        .date_unix_ms = prepared->date_unix_ms,
        .arrived_unix_ms = prepared->arrived_unix_ms,
        .flags = prepared->flags,
        .folders = prepared->folders,
    };
    uint32_t number;
    bool complete;

    if (!folders_are_there(batch, prepared->folders))
        return refuse(item, MK_ERROR_NOT_FOUND, "a folder that a mail should go to does not exist");
    if (!add_blobs(batch, prepared, error) || !needs_are_there(batch, prepared, &complete, error) ||
        !catalog_find_hash(batch->apply.txn, facts.hash, &number, error))
        return false;
    if (!complete)
        return refuse(item, MK_ERROR_IO, "a part of a large mail could not be written before");
    return number != 0 ? add_receipt(batch, item, &facts, number, error)
                       : add_new_mail(batch, item, &facts, error);
}

static bool add_folder(Batch *batch, Item *item, GError **error)
{
    MkStore *store = batch->state->store;
    g_autoptr(GByteArray) payload = g_byte_array_new();
    g_autoptr(GByteArray) frame = NULL;
    uint32_t id;

    mk_store_folder_find(store, item->path, &id);
    if (id == 0) {
        id = batch->checkpoint.last_folder + 1;
        mk_put_varint(payload, EVENT_FOLDER_MADE);
        mk_put_varint(payload, id);
        mk_put_string(payload, item->path);
        frame = record_seal(store->keys.record, RECORD_EVENT, 0, payload->data, payload->len);
        add_frame(batch, frame);
        if (!apply_folder(&batch->apply, id, item->path, error))
            return false;
        item->committed.is_new = true;
    }
    item->committed.number = id;
    return true;
}

static bool add_dictionary(Batch *batch, Item *item, GError **error)
{
    MkStore *store = batch->state->store;
    g_autoptr(GByteArray) payload = g_byte_array_new();
    g_autoptr(GByteArray) packed = g_byte_array_new();
    g_autoptr(GByteArray) frame = NULL;
    uint32_t number = codec_newest(store->codec) + 1;
    gsize length;
    const void *data = g_bytes_get_data(item->dictionary, &length);
    Position position;
    uint16_t flags;

    if (number > DICTIONARY_MAX)
        return refuse(item, MK_ERROR_LIMIT, "the store has all the dictionaries it can have");
    mk_put_varint(payload, number);
    mk_put_block(payload, data, length);
    flags = codec_pack(store->codec, payload->data, payload->len, false, packed);
    frame = record_seal(store->keys.record, RECORD_DICTIONARY, flags, packed->data, packed->len);
    position = add_frame(batch, frame);
    item->committed = (MkCommitted){ number, true };
    /* In use only when it is durable: batch_run() gives it to the codec. */
    return catalog_put_dictionary(batch->apply.txn, number, &position, error);
}

static bool add_item(Batch *batch, Item *item, GError **error)
{
    switch (item->kind) {
    case ITEM_MAIL: return add_mail(batch, item, error);
    case ITEM_BLOBS: return add_blobs(batch, item->prepared, error);
    case ITEM_FOLDER: return add_folder(batch, item, error);
    case ITEM_DICTIONARY: return add_dictionary(batch, item, error);
    }
    g_assert_not_reached();
}

/* -- writing it -------------------------------------------------------------------------------- */

static bool has_space(const BatchState *state, const GPtrArray *items, GError **error)
{
    struct statvfs fs;
    uint64_t needed = MK_LIMIT_FREE_DISK_BYTES;

    if (!step(state, "space", error))
        return false;
    for (guint i = 0; i < items->len; i++) {
        const Item *item = items->pdata[i];

        needed += item->prepared != NULL ? item->prepared->weight : 0;
    }
    if (statvfs(state->store->content_dir, &fs) == 0 &&
        (uint64_t) fs.f_bavail * fs.f_frsize < needed)
        return mk_fail(error, MK_ERROR_NO_SPACE,
                       "the archive's disk is full: %u MiB must stay free",
                       MK_LIMIT_FREE_DISK_BYTES >> 20);
    return true;
}

static bool begin_pack(BatchState *state, GError **error)
{
    const Checkpoint *tail = &state->tail;
    PackHeader header = { state->writer.number + 1, tail->chain, tail->batch, tail->last_number,
                          tail->last_change };

    if (!state->abandon && state->writer.end < MK_LIMIT_PACK_BYTES)
        return true;
    if (!pack_writer_create(&state->writer, state->store, &header, error))
        return false;
    state->abandon = false;
    return true;
}

/* Everything that must be before a batch can begin. */
static bool make_ready(BatchState *state, const GPtrArray *items, GError **error)
{
    if (!has_space(state, items, error) || (state->behind && !batch_reload(state, error)) ||
        !begin_pack(state, error))
        return false;
    return state->txn.txn != NULL || mk_write_txn_begin(&state->txn, state->store->catalog, error);
}

static void batch_init(Batch *batch, BatchState *state)
{
    memset(batch, 0, sizeof *batch);
    batch->state = state;
    batch->checkpoint = state->tail;
    batch->frames = g_ptr_array_new_with_free_func((GDestroyNotify) g_byte_array_unref);
    batch->apply = (Apply){ &state->txn, &state->store->folders, state->store->codec,
                            &batch->checkpoint, true };
    batch->fields.batch = state->tail.batch + 1;
    batch->fields.first_number = state->tail.last_number + 1;
    mk_hash_start(&batch->chain, NULL);
    mk_hash_add(&batch->chain, &state->tail.chain, sizeof state->tail.chain);
}

static bool batch_write(Batch *batch, GError **error)
{
    BatchState *state = batch->state;
    GByteArray *commit;

    if (batch->frames->len == 0)
        return true;
    batch->fields.last_change = batch->checkpoint.last_change;
    commit = commit_record_make(state->store->keys.commit, &batch->chain, &batch->fields);
    g_ptr_array_add(batch->frames, commit);
    batch->total += commit->len;
    if (!pack_writer_append(&state->writer, batch->frames, batch->total, &state->abandon, error))
        return false;
    pack_writer_keep(&state->writer, batch->total);
    batch->checkpoint.pack = state->writer.number;
    batch->checkpoint.offset = state->writer.end;
    batch->checkpoint.chain = batch->fields.chain;
    batch->checkpoint.batch = batch->fields.batch;
    state->tail = batch->checkpoint;
    state->uncommitted_mails += batch->fields.record_count;
    return true;
}

static bool run_items(Batch *batch, const GPtrArray *items, GError **error)
{
    for (guint i = 0; i < items->len; i++)
        if (!add_item(batch, items->pdata[i], error))
            return false;
    return step(batch->state, "catalog.apply", error) && batch_write(batch, error);
}

static void use_dictionaries(const BatchState *state, const GPtrArray *items)
{
    for (guint i = 0; i < items->len; i++) {
        Item *item = items->pdata[i];
        gsize length;
        const void *data;

        if (item->kind != ITEM_DICTIONARY || item->error != NULL)
            continue;
        data = g_bytes_get_data(item->dictionary, &length);
        codec_add_dictionary(state->store->codec, item->committed.number, data, length,
                             &item->error);
    }
}

void batch_finish(const GPtrArray *items, const GError *failure)
{
    for (guint i = 0; i < items->len; i++) {
        Item *item = items->pdata[i];

        if (failure != NULL && item->error == NULL)
            item->error = g_error_copy(failure);
        if (item->func != NULL)
            item->func(&item->committed, item->error, item->cookie);
    }
}

bool batch_run(BatchState *state, GPtrArray *items, GError **error)
{
    Batch batch;
    bool good;

    if (!make_ready(state, items, error))
        return false;
    batch_init(&batch, state);
    good = run_items(&batch, items, error);
    if (good)
        use_dictionaries(state, items);
    else
        batch_reload(state, NULL);
    g_ptr_array_unref(batch.frames);
    g_atomic_int_set(&state->dirty, state->txn.txn != NULL || state->behind);
    return good;
}

/* -- the catalog --------------------------------------------------------------------------------- */

static bool forget_changes(BatchState *state, uint64_t sequence, GError **error)
{
    g_auto(MkCursor) cursor = MK_CURSOR_INIT;
    g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, 12);
    bool found;

    if (!mk_cursor_open(&cursor, &state->txn, TABLE_CHANGES, error) ||
        !mk_cursor_seek(&cursor, NULL, 0, &found, error))
        return false;
    while (found && cursor.key_length == 12 && get_u64(cursor.key) <= sequence &&
           keys->len < FORGET_AT_ONCE) {
        g_array_append_vals(keys, cursor.key, 1);
        if (!mk_cursor_next(&cursor, &found, error))
            return false;
    }
    mk_cursor_close(&cursor);
    for (guint i = 0; i < keys->len; i++)
        if (!mk_db_delete(&state->txn, TABLE_CHANGES, keys->data + i * 12, 12, error))
            return false;
    return true;
}

static void catalog_committed(BatchState *state)
{
    pthread_mutex_lock(&state->touched_lock);
    g_hash_table_remove_all(state->touched);
    pthread_mutex_unlock(&state->touched_lock);
    g_atomic_int_set(&state->committed_number, (gint) state->tail.last_number);
    g_atomic_int_set(&state->dirty, 0);
    state->uncommitted_mails = 0;
}

bool batch_commit_catalog(BatchState *state, uint64_t forget, GError **error)
{
    if (state->txn.txn == NULL)
        return !state->behind || batch_reload(state, error);
    if (step(state, "catalog.save", error) && forget_changes(state, forget, error) &&
        folders_save_dirty(&state->store->folders, &state->txn, error) &&
        catalog_save_checkpoint(&state->txn, &state->tail, error) &&
        step(state, "catalog.commit", error) && mk_write_txn_commit(&state->txn, error)) {
        catalog_committed(state);
        return true;
    }
    batch_reload(state, NULL);
    return false;
}

static bool load_catalog(MkStore *store, Checkpoint *out, GError **error)
{
    g_auto(MkReadTxn) txn = MK_TXN_INIT;
    bool found;

    return mk_read_txn_begin(&txn, store->catalog, error) &&
           catalog_load_checkpoint(&txn, out, &found, error) &&
           folders_load(&store->folders, &txn, error);
}

bool batch_reload(BatchState *state, GError **error)
{
    MkStore *store = state->store;
    Replay replay = {
        .keys = &store->keys,
        .content_dir = store->content_dir,
        .catalog = store->catalog,
        .folders = &store->folders,
        .codec = store->codec,
        .keep_changes = true,
        .stop = { state->tail.pack, state->tail.offset, 0 },
    };

    mk_txn_end(&state->txn);
    state->behind = true;
    if (!step(state, "catalog.reload", error) || !load_catalog(store, &replay.checkpoint, error))
        return false;
    /* Nothing written yet: nothing to read either. */
    if (state->tail.pack != 0 && !replay_run(&replay, error))
        return false;
    state->tail = replay.checkpoint;
    state->behind = false;
    catalog_committed(state);
    return true;
}
