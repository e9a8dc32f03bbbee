/*
 * block.c - one block in a reader's hands, octet streams across blocks
 */
#include "internal.h"

bool mk_block_load(MkBlock **block, const MkSegment *segment, MkWatch *watch, MkStreamKind stream,
                   uint32_t number, GError **error)
{
    g_clear_pointer(block, mk_block_unref);
    if (!mk_watch_check(watch, error))
        return false;
    *block = mk_segment_block(segment, stream, number, error);
    return *block != NULL;
}

/* -- octet streams ---------------------------------------------------------------------- */
void mk_octets_init(MkOctets *octets, MkWatch *watch, const MkSegment *segment, MkStreamKind stream)
{
    *octets =
        (MkOctets){ .watch = watch, .segment = segment, .stream = stream, .loaded = UINT32_MAX };
}

void mk_octets_clear(MkOctets *octets)
{
    g_clear_pointer(&octets->block, mk_block_unref);
}

static bool load(MkOctets *octets, uint32_t number, GError **error)
{
    if (octets->loaded == number)
        return true;
    octets->loaded = UINT32_MAX;
    if (!mk_block_load(&octets->block, octets->segment, octets->watch, octets->stream, number,
                       error))
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
        if (in_block + take > octets->block->length)
            return mk_index_corrupt(error);
        g_byte_array_append(out, octets->block->data + in_block, (guint) take);
        offset += take;
        length -= take;
    }
    return true;
}
