/*
 * strings.c - reading sorted lists of strings: terms, reversed terms, sort keys
 *
 * Block: varint number of the first string, varint offsets of its postings' documents and
 * positions (0 but in STREAM_TERMS), then strings: varint octets shared with the string before
 * (0 at the start of a block), varint length of the rest, the rest; in STREAM_TERMS a varint of
 * fields as bits and for each varints: documents, octets of documents, octets of positions.
 */
#include "internal.h"

int mk_strings_compare(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int order = memcmp(a, b, MIN(a_length, b_length));
    return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

static const MkStringDirectory *directory_of(const MkSegment *segment, MkStreamKind stream)
{
    if (stream == STREAM_TERMS)
        return &segment->terms;
    if (stream == STREAM_REVERSED)
        return &segment->reversed;
    for (unsigned i = 0; i < MK_SORT_TEXTS; i++)
        if (stream == mk_sort_texts[i].keys)
            return &segment->sort_keys[i];
    g_assert_not_reached();
}

void mk_strings_init(MkStrings *strings, MkWatch *watch, const MkSegment *segment,
                     MkStreamKind stream)
{
    memset(strings, 0, sizeof *strings);
    strings->watch = watch;
    strings->segment = segment;
    strings->stream = stream;
    strings->directory = directory_of(segment, stream);
    strings->block_number = UINT32_MAX;
}

void mk_strings_clear(MkStrings *strings)
{
    g_clear_pointer(&strings->block, mk_block_unref);
}

/* Leaves the reader before the block's first string. */
static bool load(MkStrings *strings, uint32_t number, GError **error)
{
    if (strings->block_number != number) {
        strings->block_number = UINT32_MAX;
        if (!mk_block_load(&strings->block, strings->segment, strings->watch, strings->stream,
                           number, error))
            return false;
    }
    strings->block_number = number;
    strings->reader = mk_reader(strings->block->data, strings->block->length);
    uint64_t ordinal = mk_read_varint(&strings->reader);
    strings->docs_end = mk_read_varint(&strings->reader);
    strings->positions_end = mk_read_varint(&strings->reader);
    strings->length = 0;
    strings->stands = false;
    if (strings->reader.failed || strings->reader.length == 0 ||
        ordinal != strings->directory->ordinals[number])
        return mk_index_corrupt(error);
    strings->ordinal = ordinal - 1; /* the first read_one() makes it right */
    return true;
}

static void read_ref(MkStrings *strings, uint8_t field)
{
    MkTermRef *ref = &strings->refs[strings->ref_count++];
    uint64_t doc_count = mk_read_varint(&strings->reader);
    ref->field = field;
    ref->doc_count = (uint32_t) doc_count;
    ref->docs_offset = strings->docs_end;
    ref->docs_length = mk_read_varint(&strings->reader);
    ref->positions_offset = strings->positions_end;
    ref->positions_length = mk_read_varint(&strings->reader);
    strings->docs_end += ref->docs_length;
    strings->positions_end += ref->positions_length;
    if (doc_count == 0 || doc_count > strings->segment->info.doc_count)
        strings->reader.failed = true;
}

static void read_refs(MkStrings *strings)
{
    uint64_t fields = mk_read_varint(&strings->reader);
    strings->ref_count = 0;
    if (fields == 0 || fields >> MK_FIELD_COUNT != 0)
        strings->reader.failed = true;
    for (uint8_t field = 0; field < MK_FIELD_COUNT && !strings->reader.failed; field++)
        if (fields >> field & 1)
            read_ref(strings, field);
}

/* The next string of the block; the caller knows that there is one. */
static bool read_one(MkStrings *strings, GError **error)
{
    MkReader *reader = &strings->reader;
    uint64_t shared = mk_read_varint(reader);
    uint64_t rest = mk_read_varint(reader);
    if (reader->failed || shared > strings->length || rest > sizeof strings->text - shared)
        return mk_index_corrupt(error);
    const uint8_t *text = mk_read_bytes(reader, (size_t) rest);
    if (text == NULL)
        return mk_index_corrupt(error);
    memcpy(strings->text + shared, text, (size_t) rest);
    strings->length = (size_t) (shared + rest);
    strings->shared = (size_t) shared;
    strings->ordinal++;
    if (strings->stream == STREAM_TERMS)
        read_refs(strings);
    strings->stands = !reader->failed;
    return strings->stands || mk_index_corrupt(error);
}

bool mk_strings_next(MkStrings *strings, bool *out_found, GError **error)
{
    *out_found = false;
    if (strings->reader.length == 0) {
        if (strings->block_number + 1 >= strings->directory->block_count)
            return true;
        if (!load(strings, strings->block_number + 1, error))
            return false;
    }
    *out_found = true;
    return read_one(strings, error);
}

/*
 * Strings in order share their beginnings, and of what is shared it is known from the string before
 * whether the part is in it: only what is new is looked through. It is a few octets, mostly.
 */
static bool has_part(MkStrings *strings, const char *part, size_t length)
{
    const char *text = strings->text;
    size_t shared = strings->shared;
    size_t at = shared >= length ? shared - (length - 1) : 0;

    if (strings->part_end > 0 && strings->part_end <= shared)
        return true;
    strings->part_end = 0;
    for (; at + length <= strings->length && strings->part_end == 0; at++)
        if (text[at] == *part && memcmp(text + at, part, length) == 0)
            strings->part_end = at + length;
    return strings->part_end > 0;
}

bool mk_strings_next_with(MkStrings *strings, const char *part, size_t length, bool *out_found,
                          GError **error)
{
    do {
        if (!mk_strings_next(strings, out_found, error))
            return false;
    } while (*out_found && !has_part(strings, part, length));
    return true;
}

static int compare_first(const MkStringDirectory *directory, uint32_t block, const char *text,
                         size_t length)
{
    const char *first = (const char *) directory->text->data + directory->offsets[block];
    size_t first_length = directory->offsets[block + 1] - directory->offsets[block];
    return mk_strings_compare(first, first_length, text, length);
}

/* The last block whose first string is not above @text; 0 when all are. */
static uint32_t find_block(const MkStringDirectory *directory, const char *text, size_t length)
{
    uint32_t low = 0, high = directory->block_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (compare_first(directory, middle, text, length) <= 0)
            low = middle;
        else
            high = middle;
    }
    return low;
}

bool mk_strings_seek(MkStrings *strings, const char *text, size_t length, bool *out_found,
                     GError **error)
{
    *out_found = false;
    if (strings->directory->block_count == 0)
        return true;
    uint32_t block = find_block(strings->directory, text, length);
    /* Going on from where we are is cheaper when many are sought in order. */
    *out_found = strings->stands && strings->block_number == block &&
                 mk_strings_compare(strings->text, strings->length, text, length) <= 0;
    if (!*out_found &&
        (!load(strings, block, error) || !mk_strings_next(strings, out_found, error)))
        return false;
    while (*out_found && mk_strings_compare(strings->text, strings->length, text, length) < 0)
        if (!mk_strings_next(strings, out_found, error))
            return false;
    return true;
}

bool mk_strings_at(MkStrings *strings, uint64_t ordinal, GError **error)
{
    const MkStringDirectory *directory = strings->directory;
    bool found = true;
    uint32_t low = 0, high = directory->block_count;
    if (high == 0)
        return mk_index_corrupt(error);
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (directory->ordinals[middle] <= ordinal)
            low = middle;
        else
            high = middle;
    }
    /* Going on from where we are is cheaper when it lies before the place looked for. */
    bool on_way = strings->stands && strings->block_number == low && strings->ordinal <= ordinal;
    if (!on_way && (!load(strings, low, error) || !mk_strings_next(strings, &found, error)))
        return false;
    while (found && strings->ordinal < ordinal)
        if (!mk_strings_next(strings, &found, error))
            return false;
    return (found && strings->ordinal == ordinal) || mk_index_corrupt(error);
}
