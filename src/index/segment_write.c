/*
 * segment_write.c - the streams of a new segment, block by block
 */
#include "internal.h"

typedef struct {
    GByteArray *pending; /* less than a block between calls */
    uint64_t length;
} OctetStream;

typedef struct {
    GByteArray *block;
    char last[MK_INDEX_STRING_BYTES];
    size_t last_length;
    uint64_t count;         /* strings so far */
    uint64_t block_ordinal; /* of the first string of the block before */
    uint32_t blocks;
} StringStream;

/* The term whose fields are being written. */
typedef struct {
    char text[MK_LIMIT_TOKEN_BYTES];
    size_t length;
    unsigned fields;
    GByteArray *refs;
    uint64_t docs_start, positions_start;
    uint64_t field_docs_start, field_positions_start; /* of the field being written */
} OpenTerm;

struct MkSegmentWriter {
    MkSegmentOut *file;
    MkSegmentInfo info;
    OctetStream octets[STREAM_COUNT];
    StringStream strings[STREAM_COUNT];
    uint64_t (*columns)[MK_INDEX_COLUMN_DOCS]; /* STREAM_COUNT of them; few are used */
    GPtrArray *folders;                        /* GArray * of the column block */
    GByteArray *attachments;                   /* octets of the column block */
    uint32_t next_attachment;                  /* the smallest place that may follow in them */
    GPtrArray *texts;                          /* char *, of the display block */
    OpenTerm term;
    MkPostingOut posting;
    GByteArray *scratch;
};

static const MkStreamKind string_streams[] = { STREAM_TERMS, STREAM_REVERSED, STREAM_FROM_KEYS,
                                               STREAM_SUBJECT_KEYS, STREAM_TO_KEYS };

static void free_array(gpointer array)
{
    g_array_unref(array);
}

MkSegmentWriter *mk_segment_writer_new(const MkIndex *index, uint32_t id, GError **error)
{
    MkSegmentOut *file = mk_segment_out_new(index, id, error);
    if (file == NULL)
        return NULL;
    MkSegmentWriter *writer = g_new0(MkSegmentWriter, 1);
    writer->file = file;
    writer->info.id = id;
    for (unsigned i = 0; i < STREAM_COUNT; i++)
        if (mk_stream_is_octets((MkStreamKind) i))
            writer->octets[i].pending = g_byte_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(string_streams); i++)
        writer->strings[string_streams[i]].block = g_byte_array_new();
    writer->columns = g_malloc0(STREAM_COUNT * sizeof *writer->columns);
    writer->folders = g_ptr_array_new_with_free_func(free_array);
    writer->attachments = g_byte_array_new();
    writer->texts = g_ptr_array_new_with_free_func(g_free);
    writer->term.refs = g_byte_array_new();
    mk_posting_out_init(&writer->posting);
    writer->scratch = g_byte_array_new();
    return writer;
}

void mk_segment_writer_free(MkSegmentWriter *writer)
{
    if (writer == NULL)
        return;
    for (unsigned i = 0; i < STREAM_COUNT; i++) {
        g_clear_pointer(&writer->octets[i].pending, g_byte_array_unref);
        g_clear_pointer(&writer->strings[i].block, g_byte_array_unref);
    }
    mk_segment_out_free(writer->file);
    g_free(writer->columns);
    g_ptr_array_unref(writer->folders);
    g_byte_array_unref(writer->attachments);
    g_ptr_array_unref(writer->texts);
    g_byte_array_unref(writer->term.refs);
    mk_posting_out_clear(&writer->posting);
    g_byte_array_unref(writer->scratch);
    g_free(writer);
}

static bool put_block(MkSegmentWriter *writer, MkStreamKind stream, const GByteArray *value,
                      GError **error)
{
    return mk_segment_out_block(writer->file, stream, value->data, value->len, error);
}

/* -- octet streams ------------------------------------------------------------------------ */
static bool flush_octets(MkSegmentWriter *writer, MkStreamKind stream, bool all, GError **error)
{
    OctetStream *octets = &writer->octets[stream];
    guint done = 0;
    while (octets->pending->len - done >= MK_INDEX_BLOCK_BYTES ||
           (all && octets->pending->len > done)) {
        guint take = MIN(octets->pending->len - done, (guint) MK_INDEX_BLOCK_BYTES);
        GByteArray block = { octets->pending->data + done, take };
        if (!put_block(writer, stream, &block, error))
            return false;
        done += take;
    }
    if (done > 0)
        g_byte_array_remove_range(octets->pending, 0, done);
    return true;
}

static bool add_octets(MkSegmentWriter *writer, MkStreamKind stream, const uint8_t *data,
                       size_t length, GError **error)
{
    OctetStream *octets = &writer->octets[stream];
    g_byte_array_append(octets->pending, data, (guint) length);
    octets->length += length;
    return octets->pending->len < MK_INDEX_BLOCK_BYTES ||
           flush_octets(writer, stream, false, error);
}

/* -- lists of strings ---------------------------------------------------------------------- */
static bool flush_strings(MkSegmentWriter *writer, MkStreamKind stream, GError **error)
{
    StringStream *strings = &writer->strings[stream];
    if (strings->block->len == 0)
        return true;
    strings->blocks++;
    bool ok = put_block(writer, stream, strings->block, error);
    g_byte_array_set_size(strings->block, 0);
    return ok;
}

static bool begin_strings(MkSegmentWriter *writer, MkStreamKind stream, const char *text,
                          size_t length, GError **error)
{
    StringStream *strings = &writer->strings[stream];
    bool terms = stream == STREAM_TERMS;
    mk_put_varint(strings->block, strings->count);
    mk_put_varint(strings->block, terms ? writer->term.docs_start : 0);
    mk_put_varint(strings->block, terms ? writer->term.positions_start : 0);
    strings->last_length = 0;

    g_byte_array_set_size(writer->scratch, 0);
    mk_put_varint(writer->scratch, strings->count - strings->block_ordinal);
    mk_put_block(writer->scratch, text, length);
    strings->block_ordinal = strings->count;
    return add_octets(writer, (MkStreamKind) (stream + 1), writer->scratch->data,
                      writer->scratch->len, error);
}

static bool add_string(MkSegmentWriter *writer, MkStreamKind stream, const char *text,
                       size_t length, const GByteArray *refs, GError **error)
{
    StringStream *strings = &writer->strings[stream];
    size_t worst = length + 8 + (refs != NULL ? refs->len : 0), shared = 0;
    g_assert(length <= sizeof strings->last);
    if (strings->block->len + worst > MK_INDEX_STRINGS_BYTES &&
        !flush_strings(writer, stream, error))
        return false;
    if (strings->block->len == 0 && !begin_strings(writer, stream, text, length, error))
        return false;

    while (shared < length && shared < strings->last_length &&
           text[shared] == strings->last[shared])
        shared++;
    mk_put_varint(strings->block, shared);
    mk_put_block(strings->block, text + shared, length - shared);
    if (refs != NULL)
        g_byte_array_append(strings->block, refs->data, refs->len);
    memcpy(strings->last, text, length);
    strings->last_length = length;
    strings->count++;
    return true;
}

bool mk_segment_writer_string(MkSegmentWriter *writer, MkStreamKind stream, const char *text,
                              size_t length, GError **error)
{
    return add_string(writer, stream, text, length, NULL, error);
}

/* -- terms ------------------------------------------------------------------------------ */
static bool end_term(MkSegmentWriter *writer, GError **error)
{
    OpenTerm *term = &writer->term;
    if (term->fields == 0)
        return true;
    g_autoptr(GByteArray) refs = g_byte_array_new();
    mk_put_varint(refs, term->fields);
    g_byte_array_append(refs, term->refs->data, term->refs->len);
    term->fields = 0;
    return add_string(writer, STREAM_TERMS, term->text, term->length, refs, error);
}

static void begin_term(MkSegmentWriter *writer, const char *text, size_t length)
{
    OpenTerm *term = &writer->term;
    g_assert(length <= sizeof term->text);
    memcpy(term->text, text, length);
    term->length = length;
    g_byte_array_set_size(term->refs, 0);
    term->docs_start = writer->octets[STREAM_DOCS].length;
    term->positions_start = writer->octets[STREAM_POSITIONS].length;
}

bool mk_segment_writer_begin(MkSegmentWriter *writer, const char *text, size_t length,
                             MkField field, GError **error)
{
    OpenTerm *term = &writer->term;
    if (term->fields != 0 && mk_strings_compare(term->text, term->length, text, length) != 0 &&
        !end_term(writer, error))
        return false;
    if (term->fields == 0)
        begin_term(writer, text, length);
    g_assert(term->fields >> field == 0); /* fields ascend */
    term->fields |= 1u << field;
    term->field_docs_start = writer->octets[STREAM_DOCS].length;
    term->field_positions_start = writer->octets[STREAM_POSITIONS].length;
    mk_posting_out_begin(&writer->posting);
    return true;
}

/* What is encoded goes to the streams. */
static bool flush_posting(MkSegmentWriter *writer, GError **error)
{
    MkPostingOut *posting = &writer->posting;
    bool ok = add_octets(writer, STREAM_DOCS, posting->octets->data, posting->octets->len, error) &&
              add_octets(writer, STREAM_POSITIONS, posting->positions->data,
                         posting->positions->len, error);
    g_byte_array_set_size(posting->octets, 0);
    g_byte_array_set_size(posting->positions, 0);
    return ok;
}

bool mk_segment_writer_add(MkSegmentWriter *writer, uint32_t doc, const uint8_t *positions,
                           size_t positions_length, GError **error)
{
    MkPostingOut *posting = &writer->posting;
    mk_posting_out_add(posting, doc, positions, positions_length);
    return posting->positions->len + posting->octets->len < MK_INDEX_BLOCK_BYTES ||
           flush_posting(writer, error);
}

bool mk_segment_writer_finish(MkSegmentWriter *writer, GError **error)
{
    OpenTerm *term = &writer->term;
    mk_posting_out_end(&writer->posting);
    if (!flush_posting(writer, error))
        return false;
    mk_put_varint(term->refs, writer->posting.doc_count);
    mk_put_varint(term->refs, writer->octets[STREAM_DOCS].length - term->field_docs_start);
    mk_put_varint(term->refs,
                  writer->octets[STREAM_POSITIONS].length - term->field_positions_start);
    return true;
}

bool mk_segment_writer_posting(MkSegmentWriter *writer, const char *text, size_t length,
                               MkField field, const MkPostings *postings, GError **error)
{
    uint64_t start = 0;
    if (!mk_segment_writer_begin(writer, text, length, field, error))
        return false;
    for (guint i = 0; i < postings->docs->len; i++) {
        uint64_t end = g_array_index(postings->positions_end, uint64_t, i);
        if (!mk_segment_writer_add(writer, g_array_index(postings->docs, uint32_t, i),
                                   postings->positions->data + start, end - start, error))
            return false;
        start = end;
    }
    return mk_segment_writer_finish(writer, error);
}

/* -- documents ---------------------------------------------------------------------------- */
static bool put_column(MkSegmentWriter *writer, MkStreamKind stream, size_t count, GError **error)
{
    const uint64_t *values = writer->columns[stream];
    uint64_t least = UINT64_MAX, most = 0;
    for (size_t i = 0; i < count; i++) {
        least = MIN(least, values[i]);
        most = MAX(most, values[i]);
    }
    g_byte_array_set_size(writer->scratch, 0);
    mk_column_encode(writer->scratch, values, count);
    if (mk_stream_has_ranges(stream))
        mk_segment_out_range(writer->file, stream, least, most);
    return put_block(writer, stream, writer->scratch, error);
}

static bool flush_columns(MkSegmentWriter *writer, size_t count, GError **error)
{
    uint8_t first[4];
    for (unsigned i = 0; i < 4; i++)
        first[i] = (uint8_t) (writer->columns[STREAM_NUMBER][0] >> (24 - 8 * i));
    if (!add_octets(writer, STREAM_NUMBER_DIRECTORY, first, sizeof first, error))
        return false;
    for (unsigned i = 0; i < MK_NUMBER_STREAMS; i++) {
        if (!put_column(writer, mk_number_streams[i], count, error))
            return false;
    }
    g_byte_array_set_size(writer->scratch, 0);
    mk_folder_column_encode(writer->scratch, (GArray *const *) writer->folders->pdata, count);
    g_ptr_array_set_size(writer->folders, 0);
    if (!put_block(writer, STREAM_FOLDERS, writer->scratch, error) ||
        !put_block(writer, STREAM_ATTACHMENTS, writer->attachments, error))
        return false;
    g_byte_array_set_size(writer->attachments, 0);
    writer->next_attachment = 0;
    return true;
}

static bool flush_display(MkSegmentWriter *writer, GError **error)
{
    g_byte_array_set_size(writer->scratch, 0);
    mk_display_encode(writer->scratch, (const char *const *) writer->texts->pdata,
                      writer->texts->len / 3);
    g_ptr_array_set_size(writer->texts, 0);
    return put_block(writer, STREAM_DISPLAY, writer->scratch, error);
}

bool mk_segment_writer_doc(MkSegmentWriter *writer, const MkSegmentDoc *doc, GError **error)
{
    MkSegmentInfo *info = &writer->info;
    size_t place = info->doc_count % MK_INDEX_COLUMN_DOCS;
    GArray *folders = g_array_new(FALSE, FALSE, sizeof(uint32_t));

    g_assert(info->doc_count == 0 || doc->number > info->last_number);
    if (info->doc_count == 0)
        info->first_number = doc->number;
    info->last_number = doc->number;
    writer->columns[STREAM_NUMBER][place] = doc->number;
    writer->columns[STREAM_DATE][place] = doc->date;
    writer->columns[STREAM_ARCHIVED][place] = doc->archived;
    writer->columns[STREAM_SIZE][place] = doc->size_bytes;
    writer->columns[STREAM_FLAGS][place] = doc->flags;
    for (unsigned i = 0; i < MK_SORT_TEXTS; i++)
        writer->columns[mk_sort_texts[i].ranks][place] = doc->ranks[i];
    writer->columns[STREAM_CONVERSATION][place] = doc->conversation;
    writer->columns[STREAM_COPY][place] = doc->copy;
    mk_attachment_column_put(writer->attachments, &writer->next_attachment, (uint32_t) place,
                             doc->attachments, doc->attachment_count);
    if (doc->folder_count > 0)
        g_array_append_vals(folders, doc->folders, (guint) doc->folder_count);
    g_ptr_array_add(writer->folders, folders);
    for (unsigned i = 0; i < 3; i++)
        g_ptr_array_add(writer->texts, g_strdup(doc->texts[i]));

    info->doc_count++;
    return (place + 1 < MK_INDEX_COLUMN_DOCS || flush_columns(writer, place + 1, error)) &&
           (writer->texts->len < 3 * MK_INDEX_DISPLAY_DOCS || flush_display(writer, error));
}

bool mk_segment_writer_end(MkSegmentWriter *writer, MkSegmentInfo *out_info, GError **error)
{
    MkSegmentInfo *info = &writer->info;
    if (!end_term(writer, error) ||
        (writer->folders->len > 0 && !flush_columns(writer, writer->folders->len, error)) ||
        (writer->texts->len > 0 && !flush_display(writer, error)))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(string_streams); i++)
        if (!flush_strings(writer, string_streams[i], error))
            return false;
    for (unsigned i = 0; i < STREAM_COUNT; i++) {
        if (!mk_stream_is_octets((MkStreamKind) i))
            continue;
        if (!flush_octets(writer, (MkStreamKind) i, true, error))
            return false;
        info->lengths[i] = writer->octets[i].length;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(string_streams); i++)
        info->lengths[string_streams[i]] = writer->strings[string_streams[i]].blocks;
    uint64_t column_blocks =
        ((uint64_t) info->doc_count + MK_INDEX_COLUMN_DOCS - 1) / MK_INDEX_COLUMN_DOCS;
    for (unsigned i = 0; i < MK_NUMBER_STREAMS; i++)
        info->lengths[mk_number_streams[i]] = column_blocks;
    info->lengths[STREAM_FOLDERS] = column_blocks;
    info->lengths[STREAM_ATTACHMENTS] = column_blocks;
    info->lengths[STREAM_DISPLAY] =
        ((uint64_t) info->doc_count + MK_INDEX_DISPLAY_DOCS - 1) / MK_INDEX_DISPLAY_DOCS;
    if (!mk_segment_out_end(writer->file, info, error))
        return false;
    *out_info = *info;
    return true;
}

void mk_segment_writer_keep(MkSegmentWriter *writer)
{
    mk_segment_out_keep(writer->file);
}
