/*
 * manifest.c - the one value that says which segments there are
 */
#include "internal.h"

#define MANIFEST_KEY "m"
/* An index of any age has some tens; far more means that the value is not one of ours. */
#define MAX_SEGMENTS 100000

const MkStreamKind mk_number_streams[MK_NUMBER_STREAMS] = {
    STREAM_NUMBER,    STREAM_DATE,         STREAM_ARCHIVED,     STREAM_SIZE, STREAM_FLAGS,
    STREAM_FROM_RANK, STREAM_SUBJECT_RANK, STREAM_CONVERSATION, STREAM_COPY, STREAM_TO_RANK
};

const MkSortText mk_sort_texts[MK_SORT_TEXTS] = {
    { MK_SORT_FROM, 1, STREAM_FROM_RANK, STREAM_FROM_KEYS, STREAM_FROM_KEYS_DIRECTORY },
    { MK_SORT_SUBJECT, 0, STREAM_SUBJECT_RANK, STREAM_SUBJECT_KEYS, STREAM_SUBJECT_KEYS_DIRECTORY },
    { MK_SORT_TO, 2, STREAM_TO_RANK, STREAM_TO_KEYS, STREAM_TO_KEYS_DIRECTORY },
};

unsigned mk_sort_text_find(MkSort sort)
{
    unsigned place = 0;
    while (place < MK_SORT_TEXTS && mk_sort_texts[place].sort != sort)
        place++;
    return place;
}

bool mk_stream_is_octets(MkStreamKind stream)
{
    switch (stream) {
    case STREAM_TERMS_DIRECTORY:
    case STREAM_REVERSED_DIRECTORY:
    case STREAM_DOCS:
    case STREAM_POSITIONS:
    case STREAM_NUMBER_DIRECTORY:
    case STREAM_FROM_KEYS_DIRECTORY:
    case STREAM_SUBJECT_KEYS_DIRECTORY:
    case STREAM_TO_KEYS_DIRECTORY: return true;
    case STREAM_TERMS:
    case STREAM_REVERSED:
    case STREAM_NUMBER:
    case STREAM_DATE:
    case STREAM_ARCHIVED:
    case STREAM_SIZE:
    case STREAM_FLAGS:
    case STREAM_FROM_RANK:
    case STREAM_SUBJECT_RANK:
    case STREAM_FOLDERS:
    case STREAM_DISPLAY:
    case STREAM_FROM_KEYS:
    case STREAM_SUBJECT_KEYS:
    case STREAM_CONVERSATION:
    case STREAM_COPY:
    case STREAM_ATTACHMENTS:
    case STREAM_TO_RANK:
    case STREAM_TO_KEYS:
    case STREAM_COUNT: return false;
    }
    g_assert_not_reached();
}

bool mk_stream_has_ranges(MkStreamKind stream)
{
    return stream == STREAM_DATE || stream == STREAM_ARCHIVED || stream == STREAM_SIZE;
}

void mk_manifest_clear(MkManifest *manifest)
{
    g_clear_pointer(&manifest->segments, g_array_unref);
}

static void read_segment(MkReader *reader, MkSegmentInfo *info)
{
    info->id = mk_read_u32(reader);
    info->doc_count = mk_read_u32(reader);
    info->deleted_count = mk_read_u32(reader);
    info->first_number = mk_read_u32(reader);
    info->last_number = mk_read_u32(reader);
    info->file_bytes = mk_read_varint(reader);
    info->directory_bytes = mk_read_varint(reader);
    for (unsigned i = 0; i < STREAM_COUNT; i++)
        info->lengths[i] = mk_read_varint(reader);
    if (info->doc_count == 0 || info->deleted_count > info->doc_count)
        reader->failed = true;
}

static bool read_manifest(MkReader *reader, MkManifest *out)
{
    out->generation = mk_read_u64(reader);
    out->watermark = mk_read_u64(reader);
    out->next_id = mk_read_u32(reader);
    uint64_t count = mk_read_varint(reader);
    if (count > MAX_SEGMENTS)
        return false;
    for (uint64_t i = 0; i < count && !reader->failed; i++) {
        MkSegmentInfo info;
        read_segment(reader, &info);
        g_array_append_val(out->segments, info);
    }
    return !reader->failed && reader->length == 0;
}

bool mk_manifest_load(MkTxn *txn, MkManifest *out, GError **error)
{
    g_autoptr(GByteArray) value = g_byte_array_new();
    bool found = false;
    if (!mk_db_find(txn, TABLE_META, MANIFEST_KEY, 1, value, &found, error))
        return false;
    if (!found)
        return mk_index_corrupt(error);

    g_auto(MkManifest) manifest = MK_MANIFEST_INIT;
    manifest.segments = g_array_new(FALSE, FALSE, sizeof(MkSegmentInfo));
    MkReader reader = mk_reader(value->data, value->len);
    if (!read_manifest(&reader, &manifest))
        return mk_index_corrupt(error);
    *out = manifest;
    manifest.segments = NULL;
    return true;
}

static void put_segment(GByteArray *out, const MkSegmentInfo *info)
{
    mk_put_u32(out, info->id);
    mk_put_u32(out, info->doc_count);
    mk_put_u32(out, info->deleted_count);
    mk_put_u32(out, info->first_number);
    mk_put_u32(out, info->last_number);
    mk_put_varint(out, info->file_bytes);
    mk_put_varint(out, info->directory_bytes);
    for (unsigned i = 0; i < STREAM_COUNT; i++)
        mk_put_varint(out, info->lengths[i]);
}

bool mk_manifest_store(MkWriteTxn *txn, const MkManifest *manifest, GError **error)
{
    g_autoptr(GByteArray) value = g_byte_array_new();
    mk_put_u64(value, manifest->generation);
    mk_put_u64(value, manifest->watermark);
    mk_put_u32(value, manifest->next_id);
    mk_put_varint(value, manifest->segments->len);
    for (guint i = 0; i < manifest->segments->len; i++)
        put_segment(value, &g_array_index(manifest->segments, MkSegmentInfo, i));
    return mk_db_put(txn, TABLE_META, MANIFEST_KEY, 1, value->data, value->len, error);
}
