/*
 * column.c - one number of each mail: smallest value, width, the distances packed
 */
#include "internal.h"

void mk_column_init(MkColumn *column, MkWatch *watch, const MkSegment *segment, MkStreamKind stream)
{
    column->watch = watch;
    column->segment = segment;
    column->stream = stream;
    column->loaded = UINT32_MAX;
}

void mk_column_clear(MkColumn *column)
{
    g_clear_pointer(&column->block, mk_block_unref);
}

void mk_column_encode(GByteArray *out, const uint64_t *values, size_t count)
{
    g_autofree uint64_t *distances = g_new(uint64_t, count);
    uint64_t least = UINT64_MAX, all = 0;
    for (size_t i = 0; i < count; i++)
        least = MIN(least, values[i]);
    for (size_t i = 0; i < count; i++)
        all |= distances[i] = values[i] - least;
    unsigned width = mk_bits_width(all);
    mk_put_varint(out, least);
    mk_put_u8(out, (uint8_t) width);
    mk_bits_pack(out, distances, count, width);
}

static size_t docs_in_block(const MkSegment *segment, uint32_t block, uint32_t docs_a_block)
{
    uint64_t first = (uint64_t) block * docs_a_block;
    return (size_t) MIN(docs_a_block, segment->info.doc_count - first);
}

/* Notes where the packed distances are: mostly one document of a block is asked for. */
static bool take_packed(MkColumn *column, MkReader *reader, size_t count)
{
    column->least = mk_read_varint(reader);
    column->width = mk_read_u8(reader);
    if (reader->failed || column->width > 64 || reader->length != (count * column->width + 7) / 8)
        return false;
    column->packed = reader->data;
    column->packed_length = reader->length;
    return true;
}

static bool load_block(MkColumn *column, uint32_t block, GError **error)
{
    column->loaded = UINT32_MAX;
    return mk_block_load(&column->block, column->segment, column->watch, column->stream, block,
                         error);
}

static inline uint64_t value_at(const MkColumn *column, uint32_t doc)
{
    return column->least + mk_bits_get(column->packed, column->packed_length,
                                       doc % MK_INDEX_COLUMN_DOCS, column->width);
}

bool mk_column_get(MkColumn *column, uint32_t doc, uint64_t *out, GError **error)
{
    uint32_t block = doc / MK_INDEX_COLUMN_DOCS;
    if (column->loaded != block) {
        if (!load_block(column, block, error))
            return false;
        MkReader reader = mk_reader(column->block->data, column->block->length);
        if (!take_packed(column, &reader,
                         docs_in_block(column->segment, block, MK_INDEX_COLUMN_DOCS)))
            return mk_index_corrupt(error);
        column->loaded = block;
    }
    *out = value_at(column, doc);
    return true;
}

/* -- folders: varint sets; each: varint count, varint gaps; then a column of set numbers ------ */
void mk_folder_column_init(MkFolderColumn *column, MkWatch *watch, const MkSegment *segment)
{
    mk_column_init(&column->column, watch, segment, STREAM_FOLDERS);
    column->ids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    column->set_count = 0;
}

void mk_folder_column_clear(MkFolderColumn *column)
{
    mk_column_clear(&column->column);
    g_clear_pointer(&column->ids, g_array_unref);
}

static void put_set(GByteArray *out, const GArray *set)
{
    uint32_t before = 0;
    mk_put_varint(out, set->len);
    for (guint i = 0; i < set->len; i++) {
        uint32_t id = g_array_index(set, uint32_t, i);
        mk_put_varint(out, id - before);
        before = id;
    }
}

/* Sets as keys of a hash table: the same ids are the same set. */
static guint set_hash(gconstpointer key)
{
    const GArray *set = key;
    guint hash = 2166136261u;
    for (guint i = 0; i < set->len; i++)
        hash = (hash ^ g_array_index(set, uint32_t, i)) * 16777619u;
    return hash;
}

static gboolean set_equal(gconstpointer a, gconstpointer b)
{
    const GArray *x = a, *y = b;
    return x->len == y->len &&
           (x->len == 0 || memcmp(x->data, y->data, x->len * sizeof(uint32_t)) == 0);
}

void mk_folder_column_encode(GByteArray *out, GArray *const *sets, size_t count)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(set_hash, set_equal);
    g_autoptr(GByteArray) encoded = g_byte_array_new();
    g_autofree uint64_t *numbers = g_new(uint64_t, count);

    for (size_t i = 0; i < count; i++) {
        gpointer number;
        if (!g_hash_table_lookup_extended(seen, sets[i], NULL, &number)) {
            number = GUINT_TO_POINTER(g_hash_table_size(seen));
            g_hash_table_insert(seen, sets[i], number);
            put_set(encoded, sets[i]);
        }
        numbers[i] = GPOINTER_TO_UINT(number);
    }
    mk_put_varint(out, g_hash_table_size(seen));
    g_byte_array_append(out, encoded->data, encoded->len);
    mk_column_encode(out, numbers, count);
}

/* Behind so many varints: each ends with its first octet below 0x80. */
static bool skip_varints(MkReader *reader, uint64_t count)
{
    size_t at = 0;
    for (; count > 0 && at < reader->length; at++)
        count -= reader->data[at] < 0x80;
    mk_read_bytes(reader, at);
    return count == 0;
}

/* Notes where each set begins: their ids are read of those only that are asked for. */
static bool find_sets(MkReader *reader, MkFolderColumn *column)
{
    uint64_t sets = mk_read_varint(reader);
    if (reader->failed || sets > MK_INDEX_COLUMN_DOCS)
        return false;
    column->sets = reader->data;
    for (uint64_t i = 0; i < sets; i++) {
        column->offsets[i] = (uint32_t) (reader->data - column->sets);
        uint64_t count = mk_read_varint(reader);
        if (reader->failed || !skip_varints(reader, count))
            return false;
    }
    column->set_count = (uint32_t) sets;
    column->sets_length = (size_t) (reader->data - column->sets);
    return true;
}

static bool load_folders(MkFolderColumn *column, uint32_t block, GError **error)
{
    MkColumn *numbers = &column->column;
    if (!load_block(numbers, block, error))
        return false;
    MkReader reader = mk_reader(numbers->block->data, numbers->block->length);
    if (!find_sets(&reader, column) ||
        !take_packed(numbers, &reader,
                     docs_in_block(numbers->segment, block, MK_INDEX_COLUMN_DOCS)))
        return mk_index_corrupt(error);
    numbers->loaded = block;
    return true;
}

bool mk_folder_column_get(MkFolderColumn *column, uint32_t doc, uint32_t *out_set, GError **error)
{
    uint32_t block = doc / MK_INDEX_COLUMN_DOCS;
    if (column->column.loaded != block && !load_folders(column, block, error))
        return false;
    uint64_t set = value_at(&column->column, doc);
    *out_set = (uint32_t) set;
    return set < column->set_count || mk_index_corrupt(error);
}

bool mk_folder_column_ids(MkFolderColumn *column, uint32_t set, const uint32_t **out_ids,
                          size_t *out_count, GError **error)
{
    size_t start = column->offsets[set];
    MkReader reader = mk_reader(column->sets + start, column->sets_length - start);
    uint64_t count = mk_read_varint(&reader), id = 0;
    g_array_set_size(column->ids, 0);
    for (uint64_t i = 0; i < count && !reader.failed; i++) {
        id += mk_read_varint(&reader);
        uint32_t folder = (uint32_t) id;
        g_array_append_val(column->ids, folder);
    }
    *out_ids = (const uint32_t *) (void *) column->ids->data;
    *out_count = column->ids->len;
    return !reader.failed || mk_index_corrupt(error);
}

/* -- documents in some folders ---------------------------------------------------------------- */
/* Has the set one of @folders? Mostly its first tells. */
static bool judge_set(const MkFolderColumn *column, uint32_t set, const MkDocSet *folders,
                      bool *out_in)
{
    size_t start = column->offsets[set];
    MkReader reader = mk_reader(column->sets + start, column->sets_length - start);
    uint64_t id = 0;
    *out_in = false;
    for (uint64_t left = mk_read_varint(&reader); left > 0 && !reader.failed && !*out_in; left--) {
        id += mk_read_varint(&reader);
        *out_in = !reader.failed && id < folders->size && mk_doc_set_has(folders, (uint32_t) id);
    }
    return !reader.failed;
}

/* Mails of one block share their sets: each set that occurs is judged once. */
static bool keep_in_block(const MkFolderColumn *column, const MkDocSet *folders, MkDocSet *docs,
                          uint32_t first, uint32_t end)
{
    enum { UNKNOWN, IN, OUT };
    uint8_t known[MK_INDEX_COLUMN_DOCS] = { UNKNOWN };
    for (uint32_t doc = first; doc < end; doc = mk_doc_set_next(docs, doc + 1)) {
        uint64_t set = value_at(&column->column, doc);
        bool in;
        if (set >= column->set_count)
            return false;
        if (known[set] == UNKNOWN) {
            if (!judge_set(column, (uint32_t) set, folders, &in))
                return false;
            known[set] = in ? IN : OUT;
        }
        if (known[set] == OUT)
            mk_doc_set_remove(docs, doc);
    }
    return true;
}

bool mk_folder_column_keep(MkFolderColumn *column, const MkDocSet *folders, MkDocSet *docs,
                           GError **error)
{
    uint32_t doc = mk_doc_set_next(docs, 0);
    while (doc < docs->size) {
        uint32_t block = doc / MK_INDEX_COLUMN_DOCS;
        uint32_t end = (uint32_t) MIN(((uint64_t) block + 1) * MK_INDEX_COLUMN_DOCS, docs->size);
        if (!load_folders(column, block, error))
            return false;
        if (!keep_in_block(column, folders, docs, doc, end))
            return mk_index_corrupt(error);
        doc = mk_doc_set_next(docs, end);
    }
    return true;
}
