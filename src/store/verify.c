/*
 * verify.c - everything read once and compared
 *
 * A second catalog is made from the packs (every record's checksum, tag, place in the chain), and
 * every mail is put together on the way. Then it must equal the store's own catalog, row by row:
 * that proves every reference both ways. Mails may come in meanwhile.
 */
#include <string.h>

#include <mailkeep/base.h>

#include "internal.h"

#define MAX_MESSAGES 100

typedef struct {
    MkStore *store;
    Aside *aside;
    MkVerifyReport *report;
    MkProgressFunc on_progress;
    void *cookie;
    uint64_t total_bytes;
    uint64_t done_bytes;
    GByteArray *sealed;
    GByteArray *payload;
} Verify;

void mk_verify_report_clear(MkVerifyReport *report)
{
    g_clear_pointer(&report->messages, g_ptr_array_unref);
    memset(report, 0, sizeof *report);
}

static void found(Verify *verify, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void found(Verify *verify, const char *format, ...)
{
    va_list args;

    verify->report->errors++;
    if (verify->report->messages->len >= MAX_MESSAGES)
        return;
    va_start(args, format);
    g_ptr_array_add(verify->report->messages, g_strdup_vprintf(format, args));
    va_end(args);
}

static void on_damage(const Position *position, const char *what, void *cookie)
{
    found(cookie, "pack %u at %" G_GUINT64_FORMAT ": %s", position->pack, position->offset, what);
}

static bool progress(Verify *verify, const char *text, GError **error)
{
    unsigned percent = verify->total_bytes > 0
                           ? (unsigned) MIN(verify->done_bytes * 95 / verify->total_bytes, 95)
                           : 0;

    if (verify->on_progress == NULL || verify->on_progress(percent, text, verify->cookie))
        return true;
    return mk_fail(error, MK_ERROR_CANCELLED, "the verification was cancelled");
}

/* -- the packs --------------------------------------------------------------------------------- */

/* Damage was reported when the record was replayed; here only whole mails matter. */
static void check_mail(Verify *verify, const Scanner *scanner, const ScanFrame *frame)
{
    g_auto(MailView) view = { 0 };
    g_autoptr(GBytes) mail = NULL;
    g_autoptr(GError) error = NULL;
    Reader reader = { &verify->store->keys, &verify->store->files, verify->aside->codec, NULL,
                      verify->aside->replay.txn };

    if (!record_unseal(verify->store->keys.record, scanner->buffer->data + frame->start,
                       &frame->head, verify->sealed, NULL))
        return;
    g_byte_array_set_size(verify->payload, 0);
    if (!codec_unpack(verify->aside->codec, frame->head.flags, verify->sealed->data,
                      verify->sealed->len, MK_LIMIT_RECORD_BYTES, verify->payload, NULL) ||
        !mail_view_parse(verify->payload, &view, NULL))
        return;
    mail = reader_assemble(&reader, &view, &error);
    if (mail == NULL)
        found(verify, "mail in pack %u at %" G_GUINT64_FORMAT ": %s", scanner->pack,
              scanner->offset + frame->start, error->message);
    else
        verify->report->mails++;
}

static bool on_batch(const Scanner *scanner, void *cookie, GError **error)
{
    Verify *verify = cookie;

    for (guint i = 0; i < scanner->frames->len; i++) {
        const ScanFrame *frame = &g_array_index(scanner->frames, ScanFrame, i);

        if (frame->head.type == RECORD_MAIL && !frame->damaged)
            check_mail(verify, scanner, frame);
        else if (frame->head.type == RECORD_BLOB && !frame->damaged)
            verify->report->blobs++;
    }
    verify->done_bytes += scanner->next - scanner->offset;
    return progress(verify, "reading the packs", error);
}

/* -- the catalog -------------------------------------------------------------------------------- */

static const char *const table_names[TABLE_COUNT] = {
    [TABLE_META] = "checkpoint",
    [TABLE_MAILS] = "row of a mail",
    [TABLE_HASHES] = "hash of a mail",
    [TABLE_BLOBS] = "row of a blob",
    [TABLE_FOLDERS] = "row of a folder",
    [TABLE_MEMBERS] = "mail in a folder",
    [TABLE_CHANGES] = "change",
    [TABLE_RECEIPTS] = "receipt",
    [TABLE_DICTIONARIES] = "row of a dictionary",
};

typedef struct {
    MkCursor cursor;
    GByteArray *value;
    bool found;
} Side;

static bool side_open(Side *side, MkTxn *txn, unsigned table, GError **error)
{
    return mk_cursor_open(&side->cursor, txn, table, error) &&
           mk_cursor_seek(&side->cursor, NULL, 0, &side->found, error);
}

/* <0: only @ours has its row; >0: only @theirs; 0: both are at the same key */
static int compare_keys(const Side *ours, const Side *theirs)
{
    size_t a = ours->cursor.key_length, b = theirs->cursor.key_length;
    int order;

    if (!ours->found || !theirs->found)
        return theirs->found - ours->found;
    order = memcmp(ours->cursor.key, theirs->cursor.key, MIN(a, b));
    return order != 0 ? order : (a > b) - (a < b);
}

static void compare_values(Verify *verify, unsigned table, Side *ours, Side *theirs)
{
    if (!mk_cursor_value(&ours->cursor, ours->value, NULL))
        found(verify, "catalog: a %s fails its tag", table_names[table]);
    else if (!mk_cursor_value(&theirs->cursor, theirs->value, NULL) ||
             ours->value->len != theirs->value->len ||
             (ours->value->len > 0 &&
              memcmp(ours->value->data, theirs->value->data, ours->value->len) != 0))
        found(verify, "catalog: a %s differs from the packs", table_names[table]);
}

static bool compare_step(Verify *verify, unsigned table, Side *ours, Side *theirs, GError **error)
{
    int order = compare_keys(ours, theirs);

    if (order == 0)
        compare_values(verify, table, ours, theirs);
    else if (order < 0)
        found(verify, "catalog: a %s is not in the packs", table_names[table]);
    else if (table != TABLE_CHANGES) /* the index may have done with them */
        found(verify, "catalog: a %s is missing", table_names[table]);
    verify->report->values += order <= 0;
    return (order > 0 || mk_cursor_next(&ours->cursor, &ours->found, error)) &&
           (order < 0 || mk_cursor_next(&theirs->cursor, &theirs->found, error));
}

static bool compare_table(Verify *verify, unsigned table, MkTxn *ours_txn, MkTxn *theirs_txn,
                          GError **error)
{
    Side ours = { MK_CURSOR_INIT, g_byte_array_new(), false };
    Side theirs = { MK_CURSOR_INIT, g_byte_array_new(), false };
    bool good =
        side_open(&ours, ours_txn, table, error) && side_open(&theirs, theirs_txn, table, error);

    while (good && (ours.found || theirs.found))
        good = compare_step(verify, table, &ours, &theirs, error);
    mk_cursor_close(&ours.cursor);
    mk_cursor_close(&theirs.cursor);
    g_byte_array_unref(ours.value);
    g_byte_array_unref(theirs.value);
    return good;
}

/* The second catalog is brought to where the first one's snapshot stands, then compared. */
static bool compare_catalogs(Verify *verify, GError **error)
{
    g_auto(MkReadTxn) snapshot = MK_TXN_INIT;
    g_auto(MkReadTxn) remade = MK_TXN_INIT;
    Replay *replay = &verify->aside->replay;
    Checkpoint checkpoint;
    bool exists;

    if (!mk_read_txn_begin(&snapshot, verify->store->catalog, error))
        return false;
    if (!catalog_load_checkpoint(&snapshot, &checkpoint, &exists, NULL)) {
        found(verify, "catalog: the checkpoint cannot be read");
        return true;
    }
    replay->stop = (Position){ checkpoint.pack, checkpoint.offset, 0 };
    if (exists && !replay_run(replay, error))
        return false;
    if (!mk_read_txn_begin(&remade, verify->aside->catalog, error))
        return false;
    for (unsigned table = 0; table < TABLE_COUNT; table++)
        if (!compare_table(verify, table, &snapshot, &remade, error))
            return false;
    return true;
}

/* -- the whole ------------------------------------------------------------------------------------ */

static bool verify_run(Verify *verify, GError **error)
{
    Replay *replay = &verify->aside->replay;
    Checkpoint tail;
    MkStoreStatistics statistics;
    uint64_t unused;
    bool good;

    committer_settle(verify->store->committer);
    if (!mk_store_statistics(verify->store, &statistics, error))
        return false;
    committer_statistics(verify->store->committer, &tail, &unused, &unused, &unused);
    verify->total_bytes = statistics.content_bytes;
    replay->stop = (Position){ tail.pack, tail.offset, 0 };
    replay->on_damage = on_damage;
    replay->on_batch = on_batch;
    replay->cookie = verify;
    good = tail.pack == 0 || replay_run(replay, error);
    if (good && (replay->checkpoint.pack != tail.pack || replay->checkpoint.offset != tail.offset))
        found(verify, "the packs end before the last mail that was taken");
    good = good && compare_catalogs(verify, error);
    verify->report->records = replay->records;
    return good;
}

static bool verify_aside(MkStore *store, const char *dir, MkProgressFunc on_progress, void *cookie,
                         MkVerifyReport *out_report, GError **error)
{
    g_autoptr(GByteArray) sealed = g_byte_array_new();
    g_autoptr(GByteArray) payload = g_byte_array_new();
    g_auto(Aside) aside = { 0 };
    MkVerifyReport report = { .messages = g_ptr_array_new_with_free_func(g_free) };
    Verify verify = { store, &aside, &report, on_progress, cookie, 0, 0, sealed, payload };

    if (!aside_open(&aside, dir, &store->keys, store->content_dir, store->map_size_bytes, error) ||
        !verify_run(&verify, error)) {
        mk_verify_report_clear(&report);
        return false;
    }
    *out_report = report;
    return true;
}

bool mk_store_verify(MkStore *store, MkProgressFunc on_progress, void *cookie,
                     MkVerifyReport *out_report, GError **error)
{
    g_autofree char *dir = g_build_filename(store->dir, "catalog.verify", NULL);
    bool good = g_atomic_int_compare_and_exchange(&store->verifying, 0, 1);

    if (!good)
        return mk_fail(error, MK_ERROR_BUSY, "the store is being verified already");
    good = verify_aside(store, dir, on_progress, cookie, out_report, error);
    catalog_remove(dir);
    g_atomic_int_set(&store->verifying, 0);
    return good;
}
