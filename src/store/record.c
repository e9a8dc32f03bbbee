/*
 * record.c - one frame of a pack
 *
 *   u32 payload length | u8 type | u8 key id | u16 flags | payload | u32 CRC-32C of all before
 *
 * The payload is sealed with the head's eight octets as associated data; a COMMIT's payload is
 * in clear, so that the chain can be checked by one who has no key, and ends with a keyed tag.
 */
#include <string.h>

#include <mailkeep/base.h>

#include "internal.h"

#define COMMIT_TAG_BYTES 16

uint32_t get_u32(const uint8_t *octets)
{
    return (uint32_t) octets[0] << 24 | (uint32_t) octets[1] << 16 | (uint32_t) octets[2] << 8 |
           octets[3];
}

uint64_t get_u64(const uint8_t *octets)
{
    return (uint64_t) get_u32(octets) << 32 | get_u32(octets + 4);
}

void set_u32(uint8_t *octets, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        octets[i] = (uint8_t) (value >> 8 * (3 - i));
}

void set_u64(uint8_t *octets, uint64_t value)
{
    set_u32(octets, (uint32_t) (value >> 32));
    set_u32(octets + 4, (uint32_t) value);
}

/* -- frames ------------------------------------------------------------------------------- */

bool record_head_parse(const uint8_t *octets, RecordHead *out)
{
    out->payload_length = get_u32(octets);
    out->type = (RecordType) octets[4];
    out->key_id = octets[5];
    out->flags = (uint16_t) (octets[6] << 8 | octets[7]);
    return octets[4] >= RECORD_BLOB && octets[4] <= RECORD_COMMIT && out->key_id == RECORD_KEY_ID &&
           out->payload_length <= MK_LIMIT_RECORD_BYTES && out->payload_length >= COMMIT_TAG_BYTES;
}

size_t record_frame_length(const RecordHead *head)
{
    return RECORD_FRAME_BYTES + (size_t) head->payload_length;
}

static GByteArray *frame_new(RecordType type, uint16_t flags, size_t payload_length)
{
    size_t length = RECORD_FRAME_BYTES + payload_length;
    GByteArray *frame = g_byte_array_sized_new((guint) length);

    g_assert(payload_length <= MK_LIMIT_RECORD_BYTES);
    g_byte_array_set_size(frame, (guint) length);
    set_u32(frame->data, (uint32_t) payload_length);
    frame->data[4] = (uint8_t) type;
    frame->data[5] = RECORD_KEY_ID;
    frame->data[6] = (uint8_t) (flags >> 8);
    frame->data[7] = (uint8_t) flags;
    return frame;
}

static void frame_finish(GByteArray *frame)
{
    size_t covered = frame->len - RECORD_CRC_BYTES;

    set_u32(frame->data + covered, crc32c(frame->data, covered));
}

GByteArray *record_seal(const MkKey *key, RecordType type, uint16_t flags, const void *plain,
                        size_t length)
{
    GByteArray *frame = frame_new(type, flags, length + MK_SEAL_OVERHEAD);

    mk_seal(key, frame->data, RECORD_HEAD_BYTES, plain, length, frame->data + RECORD_HEAD_BYTES);
    frame_finish(frame);
    return frame;
}

GByteArray *record_clear(RecordType type, const void *payload, size_t length)
{
    GByteArray *frame = frame_new(type, 0, length);

    memcpy(frame->data + RECORD_HEAD_BYTES, payload, length);
    frame_finish(frame);
    return frame;
}

bool record_check(const uint8_t *frame, size_t length, RecordHead *out, GError **error)
{
    if (length < RECORD_FRAME_BYTES || !record_head_parse(frame, out) ||
        record_frame_length(out) != length ||
        crc32c(frame, length - RECORD_CRC_BYTES) != get_u32(frame + length - RECORD_CRC_BYTES))
        return mk_fail(error, MK_ERROR_CORRUPT, "a record fails its checksum");
    return true;
}

bool record_unseal(const MkKey *key, const uint8_t *frame, const RecordHead *head, GByteArray *out,
                   GError **error)
{
    g_byte_array_set_size(out, 0);
    if (head->payload_length < MK_SEAL_OVERHEAD)
        return mk_fail(error, MK_ERROR_CORRUPT, "a record is too short to be sealed");
    g_byte_array_set_size(out, head->payload_length - MK_SEAL_OVERHEAD);
    if (!mk_unseal(key, frame, RECORD_HEAD_BYTES, frame + RECORD_HEAD_BYTES, head->payload_length,
                   out->data, NULL)) {
        g_byte_array_set_size(out, 0);
        return mk_fail(error, MK_ERROR_CORRUPT, "a record fails its tag");
    }
    return true;
}

/* -- COMMIT ------------------------------------------------------------------------------- */

static void commit_tag(const MkKey *key, const uint8_t *octets, size_t length,
                       uint8_t out[COMMIT_TAG_BYTES])
{
    MkHash hash;

    mk_hash(key, octets, length, &hash);
    memcpy(out, hash.bytes, COMMIT_TAG_BYTES);
}

GByteArray *commit_record_make(const MkKey *key, MkHashState *state, CommitFields *fields)
{
    g_autoptr(GByteArray) payload = g_byte_array_new();
    GByteArray *frame;
    size_t chained;

    mk_put_varint(payload, fields->batch);
    mk_put_varint(payload, fields->record_count);
    mk_put_varint(payload, fields->first_number);
    mk_put_varint(payload, fields->mail_count);
    mk_put_varint(payload, fields->last_change);
    chained = RECORD_HEAD_BYTES + payload->len;
    g_byte_array_set_size(payload, payload->len + MK_HASH_BYTES + COMMIT_TAG_BYTES);
    frame = record_clear(RECORD_COMMIT, payload->data, payload->len);
    mk_hash_add(state, frame->data, chained);
    mk_hash_end(state, &fields->chain);
    memcpy(frame->data + chained, fields->chain.bytes, MK_HASH_BYTES);
    commit_tag(key, frame->data, chained + MK_HASH_BYTES, frame->data + chained + MK_HASH_BYTES);
    frame_finish(frame);
    return frame;
}

size_t commit_record_chained_length(const RecordHead *head)
{
    return RECORD_HEAD_BYTES + head->payload_length - MK_HASH_BYTES - COMMIT_TAG_BYTES;
}

bool commit_record_parse(const MkKey *key, const uint8_t *frame, const RecordHead *head,
                         CommitFields *out)
{
    uint8_t tag[COMMIT_TAG_BYTES];
    size_t tagged = RECORD_HEAD_BYTES + head->payload_length - COMMIT_TAG_BYTES;
    MkReader r;

    if (head->payload_length < MK_HASH_BYTES + COMMIT_TAG_BYTES)
        return false;
    commit_tag(key, frame, tagged, tag);
    if (!mk_equal_secret(tag, frame + tagged, sizeof tag))
        return false;
    r = mk_reader(frame + RECORD_HEAD_BYTES,
                  commit_record_chained_length(head) - RECORD_HEAD_BYTES);
    out->batch = mk_read_varint(&r);
    out->record_count = (uint32_t) mk_read_varint(&r);
    out->first_number = (uint32_t) mk_read_varint(&r);
    out->mail_count = (uint32_t) mk_read_varint(&r);
    out->last_change = mk_read_varint(&r);
    memcpy(out->chain.bytes, frame + tagged - MK_HASH_BYTES, MK_HASH_BYTES);
    return !r.failed && r.length == 0;
}
