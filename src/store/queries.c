/* queries.c - what the outside reads: rows, mails, receipts, lists, changes */
#include <string.h>

#include <mailkeep/base.h>

#include "internal.h"

void mk_receipt_free(MkReceipt *receipt)
{
    if (receipt == NULL)
        return;
    g_clear_pointer(&receipt->envelope, g_bytes_unref);
    g_clear_pointer(&receipt->report_before, g_bytes_unref);
    g_clear_pointer(&receipt->report_after, g_bytes_unref);
    g_clear_pointer(&receipt->report_whole, g_bytes_unref);
    g_free(receipt);
}

void mk_mail_info_clear(MkMailInfo *info)
{
    g_clear_pointer(&info->folders, g_array_unref);
    g_clear_pointer(&info->meta, g_bytes_unref);
}

static Reader reader_of(MkStore *store)
{
    return (Reader){ &store->keys, &store->files, store->codec, store->catalog, NULL };
}

static bool find_row(MkStore *store, uint32_t number, MailRow *out, GError **error)
{
    g_auto(MkReadTxn) txn = MK_TXN_INIT;
    bool found;

    committer_settle_mail(store->committer, number);
    if (!mk_read_txn_begin(&txn, store->catalog, error) ||
        !catalog_find_mail(&txn, number, out, &found, error))
        return false;
    return found || mk_fail(error, MK_ERROR_NOT_FOUND, "the store has no mail %u", number);
}

/* The payload of a mail's own record. */
static GByteArray *mail_payload(MkStore *store, const MailRow *row, GError **error)
{
    return reader_payload(&store->keys, &store->files, store->codec, &row->position, RECORD_MAIL,
                          error);
}

static bool meta_from_view(MkStore *store, const MailView *view, MkMailInfo *out, GError **error)
{
    Reader reader = reader_of(store);

    memcpy(out->hash.bytes, view->hash, MK_HASH_BYTES);
    if (!view->meta.present)
        return true;
    out->meta = reader_octets(&reader, &view->meta, error);
    return out->meta != NULL;
}

static bool read_meta(MkStore *store, const MailRow *row, MkMailInfo *out, GError **error)
{
    g_autoptr(GByteArray) payload = mail_payload(store, row, error);
    g_auto(MailView) view = { 0 };

    return payload != NULL && mail_view_parse(payload, &view, error) &&
           meta_from_view(store, &view, out, error);
}

static void info_from_row(uint32_t number, MailRow *row, MkMailInfo *out)
{
    out->number = number;
    out->size_bytes = row->size_bytes;
    out->date_unix_ms = row->date_unix_ms;
    out->archived_unix_ms = row->archived_unix_ms;
    out->flags = row->flags;
    out->receipt_count = 1 + row->extra_receipts;
    out->folders = g_steal_pointer(&row->folders);
}

bool mk_store_info(MkStore *store, uint32_t number, bool with_meta, MkMailInfo *out, GError **error)
{
    g_auto(MailRow) row = { 0 };
    g_auto(MkMailInfo) info = MK_MAIL_INFO_INIT;

    if (!find_row(store, number, &row, error))
        return false;
    if (with_meta && !read_meta(store, &row, &info, error))
        return false;
    info_from_row(number, &row, &info);
    *out = info;
    info = (MkMailInfo) MK_MAIL_INFO_INIT;
    return true;
}

bool mk_store_read_some(MkStore *store, uint32_t number, MkWantPieceFunc want, void *cookie,
                        MkMailInfo *out_info, GBytes **out_octets, GError **error)
{
    g_auto(MailRow) row = { 0 };
    g_auto(MailView) view = { 0 };
    g_auto(MkMailInfo) info = MK_MAIL_INFO_INIT;
    g_autoptr(GByteArray) payload = NULL;
    Reader reader = reader_of(store);

    if (!find_row(store, number, &row, error))
        return false;
    payload = mail_payload(store, &row, error);
    if (payload == NULL || !mail_view_parse(payload, &view, error))
        return false;
    if (view.size_bytes != row.size_bytes)
        return mk_fail(error, MK_ERROR_CORRUPT, "mail %u is not where the catalog says", number);
    if (!meta_from_view(store, &view, &info, error))
        return false;
    *out_octets = reader_assemble_some(&reader, &view, want, cookie, error);
    if (*out_octets == NULL)
        return false;
    info_from_row(number, &row, &info);
    *out_info = info;
    info = (MkMailInfo) MK_MAIL_INFO_INIT;
    return true;
}

GBytes *mk_store_read(MkStore *store, uint32_t number, GError **error)
{
    g_auto(MkMailInfo) info = MK_MAIL_INFO_INIT;
    GBytes *octets = NULL;

    return mk_store_read_some(store, number, NULL, NULL, &info, &octets, error) ? octets : NULL;
}

void mk_store_read_ahead(MkStore *store, const uint32_t *numbers, size_t count)
{
    g_auto(MkReadTxn) txn = MK_TXN_INIT;

    if (!mk_read_txn_begin(&txn, store->catalog, NULL))
        return;
    for (size_t i = 0; i < count; i++) {
        g_auto(MailRow) row = { 0 };
        bool found;

        if (catalog_find_mail(&txn, numbers[i], &row, &found, NULL) && found)
            pack_read_ahead(&store->files, &row.position);
    }
}

/* -- receipts ---------------------------------------------------------------------------------- */

static bool read_octets(const Reader *reader, const Octets *octets, GBytes **out, GError **error)
{
    if (!octets->present)
        return true;
    *out = reader_octets(reader, octets, error);
    return *out != NULL;
}

static MkReceipt *receipt_from_view(MkStore *store, const ReceiptView *view, GError **error)
{
    MkReceipt *receipt = g_new0(MkReceipt, 1);
    Reader reader = reader_of(store);

    receipt->arrived_unix_ms = view->arrived_unix_ms;
    if (read_octets(&reader, &view->envelope, &receipt->envelope, error) &&
        read_octets(&reader, &view->before, &receipt->report_before, error) &&
        read_octets(&reader, &view->after, &receipt->report_after, error) &&
        read_octets(&reader, &view->whole, &receipt->report_whole, error))
        return receipt;
    mk_receipt_free(receipt);
    return NULL;
}

/* Positions of all receipts but the first, in the order they came. */
static GArray *extra_receipts(MkStore *store, uint32_t number, GError **error)
{
    g_auto(MkReadTxn) txn = MK_TXN_INIT;
    g_auto(MkCursor) cursor = MK_CURSOR_INIT;
    g_autoptr(GArray) positions = g_array_new(FALSE, FALSE, sizeof(Position));
    uint8_t key[4];
    bool found;

    set_u32(key, number);
    if (!mk_read_txn_begin(&txn, store->catalog, error) ||
        !mk_cursor_open(&cursor, &txn, TABLE_RECEIPTS, error) ||
        !mk_cursor_seek(&cursor, key, sizeof key, &found, error))
        return NULL;
    while (found && cursor.key_length == 16 && memcmp(cursor.key, key, sizeof key) == 0) {
        Position position = { get_u32(cursor.key + 4), get_u64(cursor.key + 8), 0 };

        g_array_append_val(positions, position);
        if (!mk_cursor_next(&cursor, &found, error))
            return NULL;
    }
    return g_steal_pointer(&positions);
}

static MkReceipt *read_extra(MkStore *store, const Position *position, const uint8_t *hash,
                             GError **error)
{
    g_autoptr(GByteArray) payload =
        reader_payload(&store->keys, &store->files, store->codec, position, RECORD_RECEIPT, error);
    g_auto(MailView) view = { 0 };

    if (payload == NULL || !receipt_payload_parse(payload, &view, error))
        return NULL;
    if (memcmp(view.hash, hash, MK_HASH_BYTES) != 0) {
        mk_fail(error, MK_ERROR_CORRUPT, "a receipt belongs to another mail");
        return NULL;
    }
    return receipt_from_view(store, &view.receipt, error);
}

GPtrArray *mk_store_receipts(MkStore *store, uint32_t number, GError **error)
{
    g_autoptr(GPtrArray) receipts =
        g_ptr_array_new_with_free_func((GDestroyNotify) mk_receipt_free);
    g_autoptr(GByteArray) payload = NULL;
    g_autoptr(GArray) extra = NULL;
    g_auto(MailRow) row = { 0 };
    g_auto(MailView) view = { 0 };
    MkReceipt *receipt;

    if (!find_row(store, number, &row, error))
        return NULL;
    payload = mail_payload(store, &row, error);
    extra = payload != NULL ? extra_receipts(store, number, error) : NULL;
    if (extra == NULL || !mail_view_parse(payload, &view, error))
        return NULL;
    receipt = receipt_from_view(store, &view.receipt, error);
    for (guint i = 0; receipt != NULL && i < extra->len; i++) {
        g_ptr_array_add(receipts, receipt);
        receipt = read_extra(store, &g_array_index(extra, Position, i), view.hash, error);
    }
    if (receipt == NULL)
        return NULL;
    g_ptr_array_add(receipts, receipt);
    return g_steal_pointer(&receipts);
}

/* -- lists --------------------------------------------------------------------------------------- */

/* Keys of @table that begin with @prefix, behind prefix | after; the octets behind the prefix. */
static GArray *list_keys(MkStore *store, unsigned table, const uint8_t *from, size_t from_length,
                         size_t prefix_length, size_t key_length, size_t max, GError **error)
{
    g_auto(MkReadTxn) txn = MK_TXN_INIT;
    g_auto(MkCursor) cursor = MK_CURSOR_INIT;
    g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, (guint) (key_length - prefix_length));
    bool found;

    committer_settle(store->committer);
    if (!mk_read_txn_begin(&txn, store->catalog, error) ||
        !mk_cursor_open(&cursor, &txn, table, error) ||
        !mk_cursor_seek(&cursor, from, from_length, &found, error))
        return NULL;
    while (found && keys->len < max && cursor.key_length == key_length &&
           memcmp(cursor.key, from, prefix_length) == 0) {
        g_array_append_vals(keys, cursor.key + prefix_length, 1);
        if (!mk_cursor_next(&cursor, &found, error))
            return NULL;
    }
    return g_steal_pointer(&keys);
}

static GArray *numbers_from_keys(GArray *keys)
{
    GArray *numbers;

    if (keys == NULL)
        return NULL;
    numbers = g_array_sized_new(FALSE, FALSE, sizeof(uint32_t), keys->len);
    for (guint i = 0; i < keys->len; i++) {
        uint32_t number = get_u32((const uint8_t *) keys->data + (gsize) i * 4);

        g_array_append_val(numbers, number);
    }
    g_array_unref(keys);
    return numbers;
}

GArray *mk_store_folder_mails(MkStore *store, uint32_t folder, uint32_t after, size_t max,
                              GError **error)
{
    uint8_t from[8];

    if (after == G_MAXUINT32)
        return g_array_new(FALSE, FALSE, sizeof(uint32_t));
    set_u32(from, folder);
    set_u32(from + 4, after + 1);
    return numbers_from_keys(list_keys(store, TABLE_MEMBERS, from, 8, 4, 8, max, error));
}

GArray *mk_store_mails(MkStore *store, uint32_t after, size_t max, GError **error)
{
    uint8_t from[4];

    if (after == G_MAXUINT32)
        return g_array_new(FALSE, FALSE, sizeof(uint32_t));
    set_u32(from, after + 1);
    return numbers_from_keys(list_keys(store, TABLE_MAILS, from, 4, 0, 4, max, error));
}

GArray *mk_store_changes(MkStore *store, uint64_t after, size_t max, GError **error)
{
    GArray *changes;
    g_autoptr(GArray) keys = NULL;
    uint8_t from[8];

    set_u64(from, after + 1);
    keys = list_keys(store, TABLE_CHANGES, from, 8, 0, 12, max, error);
    if (keys == NULL)
        return NULL;
    changes = g_array_sized_new(FALSE, FALSE, sizeof(MkChange), keys->len);
    for (guint i = 0; i < keys->len; i++) {
        const uint8_t *key = (const uint8_t *) keys->data + (gsize) i * 12;
        MkChange change = { get_u64(key), get_u32(key + 8) };

        g_array_append_val(changes, change);
    }
    return changes;
}

uint64_t mk_store_last_change(MkStore *store)
{
    Checkpoint tail;
    uint64_t unused;

    committer_statistics(store->committer, &tail, &unused, &unused, &unused);
    return tail.last_change;
}

bool mk_store_settle(MkStore *store, uint64_t *out_last_change, GError **error)
{
    g_auto(MkReadTxn) txn = MK_TXN_INIT;
    uint64_t wanted = mk_store_last_change(store);
    Checkpoint checkpoint = { 0 };
    bool found;

    committer_settle(store->committer);
    if (!mk_read_txn_begin(&txn, store->catalog, error) ||
        !catalog_load_checkpoint(&txn, &checkpoint, &found, error))
        return false;
    *out_last_change = checkpoint.last_change;
    return checkpoint.last_change >= wanted ||
           mk_fail(error, MK_ERROR_IO, "the catalog cannot be written: it is behind the mails");
}

void mk_store_changes_done(MkStore *store, uint64_t sequence)
{
    committer_forget_changes(store->committer, sequence);
}
