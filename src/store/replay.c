/*
 * replay.c - packs into the catalog: after a crash, for a rebuild, for verification
 *
 * A batch whose COMMIT is authentic is applied, damaged records left out and reported. A mail's
 * number is its place among the MAIL records: where records are lost, those before the gap are
 * counted on from the batch before, and those behind it back from the next COMMIT.
 */
#include <string.h>
#include <unistd.h>

#include <mailkeep/base.h>

#include "internal.h"

#define TRANSACTION_RECORDS 4000

typedef struct {
    Replay *replay;
    Apply apply;
    MkWriteTxn txn;
    const Scanner *scanner;
    uint64_t uncommitted;
    GByteArray *sealed;  /* a payload, unsealed */
    GByteArray *payload; /* and unpacked */
} Run;

static void report(const Run *run, const Position *position, const char *what)
{
    if (run->replay->on_damage != NULL)
        run->replay->on_damage(position, what, run->replay->cookie);
}

/* -- one record ------------------------------------------------------------------------------ */

static bool replay_blob(Run *run, const Position *position, GError **error)
{
    if (run->sealed->len < MK_HASH_BYTES) {
        report(run, position, "a blob is too short");
        return true;
    }
    return apply_blob(&run->apply, run->sealed->data, position, error);
}

static MailFacts facts_of(const MailView *view)
{
    return (MailFacts){
        .hash = view->hash,
        .size_bytes = view->size_bytes,
        .date_unix_ms = view->date_unix_ms,
        .arrived_unix_ms = view->receipt.arrived_unix_ms,
        .flags = view->flags,
        .folders = view->folders,
    };
}

static bool replay_mail(Run *run, const Position *position, uint32_t number, GError **error)
{
    g_auto(MailView) view = { 0 };
    MailFacts facts;

    if (!mail_view_parse(run->payload, &view, NULL)) {
        report(run, position, "a mail's record cannot be read");
        return true;
    }
    facts = facts_of(&view);
    return apply_mail(&run->apply, &facts, position, number, error);
}

static bool replay_receipt(Run *run, const Position *position, GError **error)
{
    g_auto(MailView) view = { 0 };
    MailFacts facts;
    uint32_t number;

    if (!receipt_payload_parse(run->payload, &view, NULL)) {
        report(run, position, "a receipt cannot be read");
        return true;
    }
    if (!catalog_find_hash(run->apply.txn, view.hash, &number, error))
        return false;
    if (number == 0) {
        report(run, position, "a receipt's mail is missing");
        return true;
    }
    facts = facts_of(&view);
    return apply_receipt(&run->apply, &facts, position, number, error);
}

static bool replay_event(Run *run, const Position *position, GError **error)
{
    MkReader r = mk_reader(run->payload->data, run->payload->len);
    uint64_t kind = mk_read_varint(&r);
    uint32_t id = (uint32_t) mk_read_varint(&r);
    g_autofree char *path = mk_read_string(&r);

    if (r.failed || kind != EVENT_FOLDER_MADE) {
        report(run, position, "an event cannot be read");
        return true;
    }
    return apply_folder(&run->apply, id, path, error);
}

static bool replay_dictionary(Run *run, const Position *position, GError **error)
{
    MkReader r = mk_reader(run->payload->data, run->payload->len);
    uint32_t number = (uint32_t) mk_read_varint(&r);
    size_t length;
    const uint8_t *data = mk_read_block(&r, &length);

    if (r.failed) {
        report(run, position, "a dictionary cannot be read");
        return true;
    }
    return apply_dictionary(&run->apply, number, data, length, position, error);
}

/* Unseals, and unpacks what needs it; false when the record is damaged, which is reported. */
static bool open_record(Run *run, const uint8_t *frame, const RecordHead *head,
                        const Position *position)
{
    Replay *replay = run->replay;

    if (!record_unseal(replay->keys->record, frame, head, run->sealed, NULL)) {
        report(run, position, "a record fails its tag");
        return false;
    }
    if (head->type == RECORD_BLOB) /* its hash stands in front; no need to unpack the rest */
        return true;
    g_byte_array_set_size(run->payload, 0);
    if (!codec_unpack(replay->codec, head->flags, run->sealed->data, run->sealed->len,
                      MK_LIMIT_RECORD_BYTES, run->payload, NULL)) {
        report(run, position, "a record cannot be decompressed");
        return false;
    }
    return true;
}

static bool replay_record(Run *run, const ScanFrame *frame, uint32_t number, GError **error)
{
    const Scanner *scanner = run->scanner;
    Position position = { scanner->pack, scanner->offset + frame->start,
                          (uint32_t) record_frame_length(&frame->head) };

    run->replay->records++;
    run->uncommitted++;
    if (frame->damaged) {
        report(run, &position, "a record fails its checksum");
        return true;
    }
    if (!open_record(run, scanner->buffer->data + frame->start, &frame->head, &position))
        return true;
    switch (frame->head.type) {
    case RECORD_BLOB: return replay_blob(run, &position, error);
    case RECORD_MAIL: return replay_mail(run, &position, number, error);
    case RECORD_RECEIPT: return replay_receipt(run, &position, error);
    case RECORD_EVENT: return replay_event(run, &position, error);
    case RECORD_DICTIONARY: return replay_dictionary(run, &position, error);
    case RECORD_COMMIT: /* the scanner keeps those */ break;
    }
    g_assert_not_reached();
}

/* -- one batch --------------------------------------------------------------------------------- */

/* The number of the first mail at or behind frame @from, counted from the batch's end. */
static uint32_t number_from_the_end(const Scanner *scanner, guint from)
{
    uint32_t mails = 0;

    for (guint i = from; i < scanner->frames->len; i++)
        mails += g_array_index(scanner->frames, ScanFrame, i).head.type == RECORD_MAIL;
    /* More mails than the COMMIT says are those of batches whose own COMMIT is lost. */
    return scanner->commit.first_number + scanner->commit.mail_count - mails;
}

static bool replay_frames(Run *run, GError **error)
{
    const Scanner *scanner = run->scanner;
    uint32_t number = run->replay->checkpoint.last_number + 1;

    for (guint i = 0; i < scanner->frames->len; i++) {
        const ScanFrame *frame = &g_array_index(scanner->frames, ScanFrame, i);

        if (scanner->frames_lost && i == scanner->lost_before)
            number = number_from_the_end(scanner, i);
        if (!replay_record(run, frame, number, error))
            return false;
        if (frame->head.type == RECORD_MAIL)
            number++;
    }
    return true;
}

static bool replay_batch(Run *run, GError **error)
{
    const Scanner *scanner = run->scanner;
    Checkpoint *checkpoint = &run->replay->checkpoint;
    Position position = { scanner->pack, scanner->offset, 0 };

    if (scanner->frames_lost)
        report(run, &position, "records are missing in a batch");
    else if (scanner->damaged)
        report(run, &position, "a batch does not fit the chain");
    if (scanner->commit.batch != checkpoint->batch + 1)
        report(run, &position, "batches are missing");
    if (!replay_frames(run, error))
        return false;
    run->replay->records++; /* the COMMIT */
    run->uncommitted++;
    checkpoint->pack = scanner->pack;
    checkpoint->offset = scanner->next;
    checkpoint->chain = scanner->chain;
    checkpoint->batch = scanner->commit.batch;
    checkpoint->last_change = scanner->commit.last_change;
    if (scanner->commit.mail_count > 0)
        checkpoint->last_number = scanner->commit.first_number + scanner->commit.mail_count - 1;
    return true;
}

/* -- transactions ---------------------------------------------------------------------------------- */

static bool run_commit(Run *run, GError **error)
{
    run->uncommitted = 0;
    return folders_save_dirty(run->replay->folders, &run->txn, error) &&
           catalog_save_checkpoint(&run->txn, &run->replay->checkpoint, error) &&
           mk_write_txn_commit(&run->txn, error);
}

static bool run_begin(Run *run, GError **error)
{
    return run->txn.txn != NULL || mk_write_txn_begin(&run->txn, run->replay->catalog, error);
}

/* -- one pack -------------------------------------------------------------------------------------- */

static bool at_stop(const Replay *replay)
{
    return replay->stop.pack != 0 && replay->checkpoint.pack == replay->stop.pack &&
           replay->checkpoint.offset >= replay->stop.offset;
}

/* The pack behind may say where this one ends: what follows was given up after a failed flush. */
static bool next_pack_chain(const Replay *replay, uint32_t number, MkHash *out)
{
    g_auto(Scanner) next = { 0 };

    if (!scanner_open(&next, replay->keys, replay->content_dir, number + 1, 0, NULL, NULL) ||
        next.header_damaged)
        return false;
    *out = next.chain;
    return true;
}

static bool replay_batches(Run *run, Scanner *scanner, const MkHash *until, bool is_last,
                           GError **error)
{
    Replay *replay = run->replay;
    ScanStep step = SCAN_BATCH;

    while (step == SCAN_BATCH && !at_stop(replay)) {
        if (until != NULL && memcmp(&scanner->chain, until, sizeof *until) == 0)
            return true;
        if (!scanner_next(scanner, &step, error))
            return false;
        if (step == SCAN_BROKEN && !is_last) {
            Position position = { scanner->pack, scanner->offset, 0 };

            report(run, &position, "a pack cannot be read any further");
        }
        if (step != SCAN_BATCH)
            break;
        if (!run_begin(run, error) || !replay_batch(run, error) ||
            (replay->on_batch != NULL && !replay->on_batch(scanner, replay->cookie, error)) ||
            (run->uncommitted >= TRANSACTION_RECORDS && !run_commit(run, error)))
            return false;
    }
    return true;
}

static bool replay_pack(Run *run, uint32_t number, bool is_last, GError **error)
{
    Replay *replay = run->replay;
    Checkpoint *checkpoint = &replay->checkpoint;
    g_auto(Scanner) scanner = { 0 };
    Position start = { number, 0, 0 };
    uint64_t offset = checkpoint->pack == number ? checkpoint->offset : 0;
    MkHash until;
    bool has_until = !is_last && next_pack_chain(replay, number, &until);
    bool ok;

    if (!scanner_open(&scanner, replay->keys, replay->content_dir, number, offset,
                      &checkpoint->chain, error))
        return false;
    if (scanner.size < scanner.offset)
        return mk_fail(error, MK_ERROR_CORRUPT,
                       "pack %u is shorter than the catalog says: restore it from a backup",
                       number);
    if (scanner.header_damaged)
        report(run, &start, "a pack's header is damaged or does not fit the pack before");
    run->scanner = &scanner;
    ok = replay_batches(run, &scanner, has_until ? &until : NULL, is_last, error);
    run->scanner = NULL;
    return ok;
}

static bool pack_exists(const Replay *replay, uint32_t number)
{
    g_autofree char *path = pack_path(replay->content_dir, number);

    return access(path, F_OK) == 0;
}

static bool replay_packs(Run *run, GError **error)
{
    Replay *replay = run->replay;
    uint32_t number = MAX(replay->checkpoint.pack, 1);
    uint32_t last;

    if (!pack_find_last(replay->content_dir, &last, error))
        return false;
    if (replay->checkpoint.pack == 0)
        pack_first_chain(replay->keys, &replay->checkpoint.chain);
    for (; number <= last && !at_stop(replay); number++) {
        Position start = { number, 0, 0 };

        if (!pack_exists(replay, number)) {
            report(run, &start, "a pack is missing");
            continue;
        }
        if (!replay_pack(run, number, number == last, error))
            return false;
    }
    return run->txn.txn == NULL || run_commit(run, error);
}

bool replay_run(Replay *replay, GError **error)
{
    Run run = { .replay = replay };
    bool good;

    run.apply = (Apply){ &run.txn, replay->folders, replay->codec, &replay->checkpoint,
                         replay->keep_changes };
    run.sealed = g_byte_array_new();
    run.payload = g_byte_array_new();
    replay->txn = &run.txn;
    good = replay_packs(&run, error);
    replay->txn = NULL;
    mk_txn_end(&run.txn);
    g_byte_array_unref(run.sealed);
    g_byte_array_unref(run.payload);
    return good;
}
