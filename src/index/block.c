/*
 * block.c - blocks by their key, octet streams across them, erasing
 */
#include "internal.h"

#define KEY_BYTES 9

static void make_key(uint8_t key[KEY_BYTES], uint32_t segment_id, unsigned stream, uint32_t block)
{
    for (unsigned i = 0; i < 4; i++) {
        key[i] = (uint8_t) (segment_id >> (24 - 8 * i));
        key[5 + i] = (uint8_t) (block >> (24 - 8 * i));
    }
    key[4] = (uint8_t) stream;
}

bool mk_segment_block(MkTxn *txn, uint32_t segment_id, MkStreamKind stream, uint32_t block,
                      GByteArray *out, GError **error)
{
    uint8_t key[KEY_BYTES];
    bool found = false;
    make_key(key, segment_id, stream, block);
    if (!mk_db_find(txn, TABLE_BLOCKS, key, sizeof key, out, &found, error))
        return false;
    return found || mk_index_corrupt(error);
}

bool mk_segment_block_put(MkWriteTxn *txn, uint32_t segment_id, MkStreamKind stream, uint32_t block,
                          const GByteArray *value, GError **error)
{
    uint8_t key[KEY_BYTES];
    make_key(key, segment_id, stream, block);
    return mk_db_put(txn, TABLE_BLOCKS, key, sizeof key, value->data, value->len, error);
}

bool mk_blocks_erase(MkWriteTxn *txn, uint32_t first_id, uint32_t last_id, uint32_t max,
                     uint32_t *out_erased, GError **error)
{
    uint8_t from[KEY_BYTES], key[KEY_BYTES];
    make_key(from, first_id, 0, 0);
    for (*out_erased = 0; *out_erased < max; (*out_erased)++) {
        g_auto(MkCursor) cursor = MK_CURSOR_INIT;
        bool found = false;
        if (!mk_cursor_open(&cursor, txn, TABLE_BLOCKS, error) ||
            !mk_cursor_seek(&cursor, from, sizeof from, &found, error))
            return false;
        if (!found)
            return true;
        if (cursor.key_length != KEY_BYTES)
            return mk_index_corrupt(error);
        memcpy(key, cursor.key, sizeof key);
        MkReader reader = mk_reader(key, sizeof key);
        if (mk_read_u32(&reader) > last_id)
            return true;
        mk_cursor_close(&cursor);
        if (!mk_db_delete(txn, TABLE_BLOCKS, key, sizeof key, error))
            return false;
    }
    return true;
}

bool mk_segment_erase(MkWriteTxn *txn, uint32_t id, GError **error)
{
    uint8_t key[4];
    uint32_t erased = 0;
    for (unsigned i = 0; i < 4; i++)
        key[i] = (uint8_t) (id >> (24 - 8 * i));
    return mk_blocks_erase(txn, id, id, UINT32_MAX, &erased, error) &&
           mk_db_delete(txn, TABLE_DELETED, key, sizeof key, error);
}

/* -- octet streams ---------------------------------------------------------------------- */
void mk_octets_init(MkOctets *octets, MkTxn *txn, MkWatch *watch, const MkSegment *segment,
                    MkStreamKind stream)
{
    *octets = (MkOctets){ .txn = txn,
                          .watch = watch,
                          .segment = segment,
                          .stream = stream,
                          .block = g_byte_array_new(),
                          .loaded = UINT32_MAX };
}

void mk_octets_clear(MkOctets *octets)
{
    g_clear_pointer(&octets->block, g_byte_array_unref);
}

static bool load(MkOctets *octets, uint32_t number, GError **error)
{
    if (octets->loaded == number)
        return true;
    octets->loaded = UINT32_MAX;
    if (!mk_watch_check(octets->watch, error) ||
        !mk_segment_block(octets->txn, octets->segment->info.id, octets->stream, number,
                          octets->block, error))
        return false;
    octets->loaded = number;
    return true;
}

bool mk_octets_read(MkOctets *octets, uint64_t offset, uint64_t length, GByteArray *out,
                    GError **error)
{
    uint64_t end = octets->segment->info.lengths[octets->stream];
    g_byte_array_set_size(out, 0);
    if (offset > end || length > end - offset || length > G_MAXUINT / 2)
        return mk_index_corrupt(error);
    while (length > 0) {
        uint64_t in_block = offset % MK_INDEX_BLOCK_BYTES;
        uint64_t take = MIN(length, MK_INDEX_BLOCK_BYTES - in_block);
        if (!load(octets, (uint32_t) (offset / MK_INDEX_BLOCK_BYTES), error))
            return false;
        if (in_block + take > octets->block->len)
            return mk_index_corrupt(error);
        g_byte_array_append(out, octets->block->data + in_block, (guint) take);
        offset += take;
        length -= take;
    }
    return true;
}
