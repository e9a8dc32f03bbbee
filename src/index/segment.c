/*
 * segment.c - what is kept in memory of a segment: directories, a few octets for each block
 */
#include "internal.h"

static void directory_clear(MkStringDirectory *directory)
{
    g_free(directory->ordinals);
    g_free(directory->offsets);
    g_clear_pointer(&directory->text, g_byte_array_unref);
}

void mk_segment_unref(MkSegment *segment)
{
    if (segment == NULL || !g_atomic_int_dec_and_test(&segment->refs))
        return;
    directory_clear(&segment->terms);
    directory_clear(&segment->reversed);
    for (unsigned i = 0; i < MK_SORT_TEXTS; i++)
        directory_clear(&segment->sort_keys[i]);
    g_free(segment->first_numbers);
    mk_segment_file_close(segment);
    g_free(segment);
}

MkSegment *mk_segment_ref(MkSegment *segment)
{
    g_atomic_int_inc(&segment->refs);
    return segment;
}

static bool read_directory(MkReader *reader, MkStringDirectory *directory)
{
    uint64_t ordinal = 0;
    for (uint32_t i = 0; i < directory->block_count; i++) {
        size_t length = 0;
        ordinal += mk_read_varint(reader);
        const uint8_t *text = mk_read_block(reader, &length);
        if (text == NULL)
            return false;
        directory->ordinals[i] = ordinal;
        directory->offsets[i] = directory->text->len;
        g_byte_array_append(directory->text, text, (guint) length);
    }
    directory->offsets[directory->block_count] = directory->text->len;
    return !reader->failed && reader->length == 0;
}

static bool load_directory(const MkSegment *segment, MkStreamKind stream,
                           MkStreamKind directory_stream, MkStringDirectory *out, GError **error)
{
    g_auto(MkOctets) octets = { 0 };
    g_autoptr(GByteArray) value = g_byte_array_new();
    uint64_t blocks = segment->info.lengths[stream];
    uint64_t length = segment->info.lengths[directory_stream];

    mk_octets_init(&octets, NULL, segment, directory_stream);
    if (blocks > length) /* each takes two octets at least: keeps the allocation in bounds */
        return mk_index_corrupt(error);
    if (!mk_octets_read(&octets, 0, length, value, error))
        return false;
    out->block_count = (uint32_t) blocks;
    out->ordinals = g_new0(uint64_t, blocks);
    out->offsets = g_new0(uint32_t, blocks + 1);
    out->text = g_byte_array_new();
    MkReader reader = mk_reader(value->data, value->len);
    return read_directory(&reader, out) || mk_index_corrupt(error);
}

static bool load_first_numbers(MkSegment *segment, GError **error)
{
    g_auto(MkOctets) octets = { 0 };
    g_autoptr(GByteArray) value = g_byte_array_new();
    uint64_t blocks = segment->info.lengths[STREAM_NUMBER];
    uint64_t needed =
        ((uint64_t) segment->info.doc_count + MK_INDEX_COLUMN_DOCS - 1) / MK_INDEX_COLUMN_DOCS;

    mk_octets_init(&octets, NULL, segment, STREAM_NUMBER_DIRECTORY);
    if (blocks != needed || segment->info.lengths[STREAM_NUMBER_DIRECTORY] != 4 * needed)
        return mk_index_corrupt(error);
    if (!mk_octets_read(&octets, 0, 4 * needed, value, error))
        return false;
    segment->first_numbers = g_new(uint32_t, needed);
    MkReader reader = mk_reader(value->data, value->len);
    for (uint64_t i = 0; i < needed; i++)
        segment->first_numbers[i] = mk_read_u32(&reader);
    return true;
}

bool mk_segment_load(MkSegment *segment, GError **error)
{
    for (unsigned i = 0; i < MK_SORT_TEXTS; i++)
        if (!load_directory(segment, mk_sort_texts[i].keys, mk_sort_texts[i].directory,
                            &segment->sort_keys[i], error))
            return false;
    return load_directory(segment, STREAM_TERMS, STREAM_TERMS_DIRECTORY, &segment->terms, error) &&
           load_directory(segment, STREAM_REVERSED, STREAM_REVERSED_DIRECTORY, &segment->reversed,
                          error) &&
           load_first_numbers(segment, error);
}

MkSegment *mk_segment_open(const MkIndex *index, const MkSegmentInfo *info, GError **error)
{
    g_autoptr(MkSegment) segment = g_new0(MkSegment, 1);
    g_autoptr(GError) problem = NULL;
    segment->refs = 1;
    segment->info = *info;
    segment->fd = -1;
    segment->damaged =
        !mk_segment_file_open(segment, index, &problem) || !mk_segment_load(segment, &problem);
    if (segment->damaged && mk_error_code(problem) != MK_ERROR_CORRUPT) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return NULL;
    }
    segment->cache = index->cache; /* directories are kept in memory here, not there */
    return g_steal_pointer(&segment);
}

MkSegment mk_segment_uncached(const MkSegment *segment)
{
    MkSegment copy = { .refs = 1,
                       .info = segment->info,
                       .fd = segment->fd,
                       .key = segment->key,
                       .terms = segment->terms,
                       .reversed = segment->reversed,
                       .first_numbers = segment->first_numbers };
    memcpy(copy.sort_keys, segment->sort_keys, sizeof copy.sort_keys);
    memcpy(copy.blocks, segment->blocks, sizeof copy.blocks);
    return copy;
}

uint32_t mk_segment_number_block(const MkSegment *segment, uint32_t number)
{
    uint32_t low = 0, high = (uint32_t) segment->info.lengths[STREAM_NUMBER];
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (segment->first_numbers[middle] <= number)
            low = middle;
        else
            high = middle;
    }
    return low;
}

bool mk_segment_find(MkColumn *numbers, uint32_t number, uint32_t *out_doc, GError **error)
{
    const MkSegment *segment = numbers->segment;
    *out_doc = UINT32_MAX;
    if (number < segment->info.first_number || number > segment->info.last_number)
        return true;
    uint32_t low = mk_segment_number_block(segment, number) * MK_INDEX_COLUMN_DOCS;
    uint32_t high = MIN(low + MK_INDEX_COLUMN_DOCS, segment->info.doc_count);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        uint64_t value;
        if (!mk_column_get(numbers, middle, &value, error))
            return false;
        if (value == number) {
            *out_doc = middle;
            return true;
        }
        if (value < number)
            low = middle + 1;
        else
            high = middle;
    }
    return true;
}
