/*
 * scan.c - a pack from front to back, batch by batch
 *
 * A batch is the frames up to and with an authentic COMMIT. Damage inside is stepped over: a
 * frame that fails its checksum but is followed by a good one is only marked; where even its
 * length cannot be believed, the next octet that begins a frame with a right checksum is sought.
 * Without any COMMIT behind, the octets are a torn write that nobody was told about.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

#define CHUNK_BYTES (256u << 10)
#define MAX_AHEAD_BYTES (4u << 20) /* well above what the writer writes ahead */

/* Longest batch: the queue's worth, and one item more, with room to spare. */
#define MAX_BATCH_BYTES (8 * (uint64_t) MK_LIMIT_BATCH_BYTES)

static bool header_check(Scanner *scanner, const MkHash *chain)
{
    PackHeader header;

    if (pack_header_read(scanner->fd, scanner->keys, &header, NULL) &&
        header.pack == scanner->pack) {
        scanner->chain = header.chain;
        return chain == NULL || memcmp(chain, &header.chain, sizeof *chain) == 0;
    }
    if (chain != NULL)
        scanner->chain = *chain;
    return false;
}

bool scanner_open(Scanner *scanner, const StoreKeys *keys, const char *content_dir, uint32_t pack,
                  uint64_t offset, const MkHash *chain, GError **error)
{
    g_autofree char *path = pack_path(content_dir, pack);
    struct stat st;

    memset(scanner, 0, sizeof *scanner);
    scanner->keys = keys;
    scanner->pack = pack;
    scanner->fd = open(path, O_RDONLY | O_CLOEXEC);
    scanner->buffer = g_byte_array_new();
    scanner->frames = g_array_new(FALSE, FALSE, sizeof(ScanFrame));
    if (scanner->fd < 0 || fstat(scanner->fd, &st) != 0)
        return mk_fail_errno(error, errno, "open the pack %s", path);
    scanner->size = (uint64_t) st.st_size;
    scanner->next = offset;
    if (offset == 0) {
        scanner->next = PACK_HEADER_BYTES;
        scanner->header_damaged = !header_check(scanner, chain);
    } else {
        scanner->chain = *chain;
    }
    scanner->offset = scanner->next;
    return true;
}

void scanner_clear(Scanner *scanner)
{
    if (scanner->buffer == NULL)
        return;
    if (scanner->fd >= 0)
        close(scanner->fd);
    g_byte_array_unref(scanner->buffer);
    g_array_unref(scanner->frames);
    memset(scanner, 0, sizeof *scanner);
}

/* Makes the buffer hold @length octets from the batch's start on; false at the file's end. */
static bool ensure(Scanner *scanner, size_t length, GError **error)
{
    uint64_t left = scanner->size - scanner->offset;
    size_t have = scanner->buffer->len, want;

    if (length <= have)
        return true;
    if (*error != NULL) /* one failed read is enough to know */
        return false;
    if (length > left || length > MAX_BATCH_BYTES)
        return false;
    want = (size_t) MIN(left, length + CHUNK_BYTES);
    g_byte_array_set_size(scanner->buffer, (guint) want);
    if (!pread_all(scanner->fd, scanner->buffer->data + have, want - have, scanner->offset + have,
                   error)) {
        g_byte_array_set_size(scanner->buffer, (guint) have);
        return false;
    }
    return true;
}

typedef enum { FRAME_GOOD, FRAME_WRONG, FRAME_NONE } FrameState;

/* What stands at @at: a good frame, one with a believable head and a wrong checksum, or none. */
static FrameState frame_at(Scanner *scanner, size_t at, RecordHead *head, GError **error)
{
    size_t length;

    if (!ensure(scanner, at + RECORD_HEAD_BYTES, error) ||
        !record_head_parse(scanner->buffer->data + at, head))
        return FRAME_NONE;
    length = record_frame_length(head);
    if (!ensure(scanner, at + length, error))
        return FRAME_NONE;
    return record_check(scanner->buffer->data + at, length, head, NULL) ? FRAME_GOOD : FRAME_WRONG;
}

/* Zeros to the end of the file: written ahead, nothing else can be there. */
static bool all_zero(Scanner *scanner, size_t at, GError **error)
{
    uint64_t left = scanner->size - scanner->offset - at;

    if (left > MAX_AHEAD_BYTES || !ensure(scanner, at + (size_t) left, error))
        return false;
    for (size_t i = at; i < scanner->buffer->len; i++)
        if (scanner->buffer->data[i] != 0)
            return false;
    return true;
}

/* From @at on: the next place with a good frame; false when there is none. */
static bool resync(Scanner *scanner, size_t *at, GError **error)
{
    RecordHead head;

    for ((*at)++; ensure(scanner, *at + RECORD_FRAME_BYTES, error); (*at)++)
        if (record_head_parse(scanner->buffer->data + *at, &head) &&
            frame_at(scanner, *at, &head, error) == FRAME_GOOD)
            return true;
    return false;
}

static void chain_add_frames(Scanner *scanner, size_t commit_at, const RecordHead *commit_head)
{
    MkHashState state;
    MkHash chain;

    mk_hash_start(&state, NULL);
    mk_hash_add(&state, &scanner->chain, sizeof scanner->chain);
    mk_hash_add(&state, scanner->buffer->data, commit_at);
    mk_hash_add(&state, scanner->buffer->data + commit_at,
                commit_record_chained_length(commit_head));
    mk_hash_end(&state, &chain);
    if (memcmp(&chain, &scanner->commit.chain, sizeof chain) != 0)
        scanner->damaged = true;
    scanner->chain = scanner->commit.chain; /* authentic: go on from there */
}

/* Frames from @at on until the COMMIT; true when one was found. */
static bool collect(Scanner *scanner, GError **error)
{
    size_t at = 0;

    for (;;) {
        ScanFrame frame = { .start = at };
        FrameState state = frame_at(scanner, at, &frame.head, error);
        size_t next = at + record_frame_length(&frame.head);
        RecordHead following;

        if (state == FRAME_WRONG && frame_at(scanner, next, &following, error) != FRAME_GOOD)
            state = FRAME_NONE;
        if (state == FRAME_NONE) {
            scanner->damaged = true;
            if (all_zero(scanner, at, error) || !resync(scanner, &at, error))
                return false;
            scanner->frames_lost = true;
            scanner->lost_before = scanner->frames->len;
            continue;
        }
        if (state == FRAME_GOOD && frame.head.type == RECORD_COMMIT &&
            commit_record_parse(scanner->keys->commit, scanner->buffer->data + at, &frame.head,
                                &scanner->commit)) {
            chain_add_frames(scanner, at, &frame.head);
            scanner->next = scanner->offset + next;
            return true;
        }
        frame.damaged = state == FRAME_WRONG || frame.head.type == RECORD_COMMIT;
        scanner->damaged = scanner->damaged || frame.damaged;
        g_array_append_val(scanner->frames, frame);
        at = next;
    }
}

bool scanner_next(Scanner *scanner, ScanStep *out_step, GError **error)
{
    GError *reason = NULL;

    g_byte_array_remove_range(scanner->buffer, 0,
                              (guint) MIN(scanner->next - scanner->offset, scanner->buffer->len));
    g_array_set_size(scanner->frames, 0);
    scanner->offset = scanner->next;
    scanner->damaged = scanner->frames_lost = false;
    scanner->lost_before = 0;
    if (scanner->offset >= scanner->size || all_zero(scanner, 0, &reason)) {
        *out_step = SCAN_END;
    } else if (reason == NULL && collect(scanner, &reason)) {
        *out_step = SCAN_BATCH;
        if (scanner->frames->len != scanner->commit.record_count)
            scanner->damaged = scanner->frames_lost = true;
    } else {
        *out_step = SCAN_BROKEN;
    }
    if (reason != NULL) {
        g_propagate_error(error, reason);
        return false;
    }
    return true;
}
