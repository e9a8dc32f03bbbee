/*
 * attachment_column.c - what became of the text of attachments, of the mails that have any
 *
 * Block: for each such mail varint gap of its place, varint count, and for each attachment
 * varint part, u8 result, varint octets of text.
 */
#include "internal.h"

void mk_attachment_column_init(MkAttachmentColumn *column, MkWatch *watch, const MkSegment *segment)
{
    column->watch = watch;
    column->segment = segment;
    column->items = g_array_new(FALSE, FALSE, sizeof(MkAttachmentText));
    column->loaded = UINT32_MAX;
}

void mk_attachment_column_clear(MkAttachmentColumn *column)
{
    g_clear_pointer(&column->block, mk_block_unref);
    g_clear_pointer(&column->items, g_array_unref);
}

void mk_attachment_column_put(GByteArray *out, uint32_t *next_place, uint32_t place,
                              const MkAttachmentText *items, size_t count)
{
    if (count == 0)
        return;
    mk_put_varint(out, place - *next_place);
    *next_place = place + 1;
    mk_put_varint(out, count);
    for (size_t i = 0; i < count; i++) {
        mk_put_varint(out, items[i].part);
        mk_put_u8(out, (uint8_t) items[i].result);
        mk_put_varint(out, items[i].text_bytes);
    }
}

static void read_item(MkReader *reader, GArray *out)
{
    uint64_t part = mk_read_varint(reader);
    unsigned result = mk_read_u8(reader);
    uint64_t text_bytes = mk_read_varint(reader);
    if (part > UINT32_MAX || text_bytes > UINT32_MAX || result < MK_TEXT_COMPLETE ||
        result > MK_TEXT_EMPTY)
        reader->failed = true;
    MkAttachmentText item = { (uint32_t) part, (MkTextResult) result, (uint32_t) text_bytes };
    g_array_append_val(out, item);
}

/* All mails of the block, with none for those that are not in it. */
static bool decode(MkAttachmentColumn *column, uint32_t doc_count)
{
    MkReader reader = mk_reader(column->block->data, column->block->length);
    uint32_t place = 0;
    g_array_set_size(column->items, 0);
    while (reader.length > 0 && !reader.failed) {
        uint64_t gap = mk_read_varint(&reader);
        uint64_t count = mk_read_varint(&reader);
        if (reader.failed || gap >= doc_count - place)
            return false;
        for (; gap > 0; gap--)
            column->ends[place++] = column->items->len;
        for (uint64_t i = 0; i < count && !reader.failed; i++)
            read_item(&reader, column->items);
        column->ends[place++] = column->items->len;
    }
    while (place < doc_count)
        column->ends[place++] = column->items->len;
    return !reader.failed;
}

bool mk_attachment_column_get(MkAttachmentColumn *column, uint32_t doc,
                              const MkAttachmentText **out_items, size_t *out_count, GError **error)
{
    uint32_t block = doc / MK_INDEX_COLUMN_DOCS, place = doc % MK_INDEX_COLUMN_DOCS;
    if (column->loaded != block) {
        column->loaded = UINT32_MAX;
        if (!mk_block_load(&column->block, column->segment, column->watch, STREAM_ATTACHMENTS,
                           block, error))
            return false;
        uint32_t left = column->segment->info.doc_count - block * MK_INDEX_COLUMN_DOCS;
        if (!decode(column, MIN(left, MK_INDEX_COLUMN_DOCS)))
            return mk_index_corrupt(error);
        column->loaded = block;
    }
    uint32_t start = place > 0 ? column->ends[place - 1] : 0;
    *out_count = column->ends[place] - start;
    *out_items = *out_count > 0 ? &g_array_index(column->items, MkAttachmentText, start) : NULL;
    return true;
}
