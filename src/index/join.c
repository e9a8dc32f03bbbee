/*
 * join.c - sources side by side: lists of strings, sort keys, documents
 */
#include "join.h"

/* -- sources ------------------------------------------------------------------------------ */
static void source_init(MkJoinSource *source, MkWatch *watch, const MkSegmentState *state)
{
    const MkSegment *segment = &source->segment;
    source->segment = mk_segment_uncached(state->segment);
    source->deleted = state->deleted;
    source->new_doc = g_new(uint32_t, segment->info.doc_count);
    for (unsigned i = 0; i < MK_NUMBER_STREAMS; i++)
        mk_column_init(&source->columns[mk_number_streams[i]], watch, segment,
                       mk_number_streams[i]);
    mk_folder_column_init(&source->folders, watch, segment);
    mk_attachment_column_init(&source->attachments, watch, segment);
    mk_display_init(&source->display, watch, segment);
    mk_octets_init(&source->docs, watch, segment, STREAM_DOCS);
    mk_octets_init(&source->positions, watch, segment, STREAM_POSITIONS);
    source->posting.docs = g_byte_array_new();
    source->posting.positions = g_byte_array_new();
}

static void source_clear(MkJoinSource *source)
{
    g_free(source->new_doc);
    for (unsigned i = 0; i < MK_SORT_TEXTS; i++)
        g_free(source->new_rank[i]);
    for (unsigned i = 0; i < MK_NUMBER_STREAMS; i++)
        mk_column_clear(&source->columns[mk_number_streams[i]]);
    mk_folder_column_clear(&source->folders);
    mk_attachment_column_clear(&source->attachments);
    mk_display_clear(&source->display);
    mk_strings_clear(&source->strings);
    mk_octets_clear(&source->docs);
    mk_octets_clear(&source->positions);
    g_byte_array_unref(source->posting.docs);
    g_byte_array_unref(source->posting.positions);
}

void mk_join_init(MkJoin *join, MkSegmentState *const *states, unsigned count, const int *cancelled)
{
    g_assert(count <= MK_JOIN_SOURCES);
    *join = (MkJoin){ .watch = { .cancelled = cancelled }, .count = count };
    join->sources = g_new0(MkJoinSource, count);
    join->dropped = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (unsigned i = 0; i < count; i++)
        source_init(&join->sources[i], &join->watch, states[i]);
}

void mk_join_clear(MkJoin *join)
{
    for (unsigned i = 0; i < join->count; i++)
        source_clear(&join->sources[i]);
    g_clear_pointer(&join->sources, g_free);
    g_clear_pointer(&join->dropped, g_hash_table_unref);
    join->count = 0;
}

static bool is_live(const MkJoinSource *source, uint32_t doc)
{
    return source->deleted == NULL || !mk_doc_set_has(source->deleted, doc);
}

/* -- lists of strings, side by side ----------------------------------------------------------- */
bool mk_join_lists(MkJoin *join, MkStreamKind stream, GError **error)
{
    for (unsigned i = 0; i < join->count; i++) {
        MkJoinSource *source = &join->sources[i];
        mk_strings_clear(&source->strings);
        mk_strings_init(&source->strings, &join->watch, &source->segment, stream);
        if (!mk_strings_seek(&source->strings, "", 0, &source->more, error))
            return false;
    }
    return true;
}

bool mk_join_smallest(MkJoin *join)
{
    join->equal_count = 0;
    for (unsigned i = 0; i < join->count; i++) {
        MkJoinSource *source = &join->sources[i];
        int order = -1;
        if (!source->more)
            continue;
        if (join->equal_count > 0)
            order =
                mk_strings_compare(source->strings.text, source->strings.length,
                                   join->equal[0]->strings.text, join->equal[0]->strings.length);
        if (order < 0)
            join->equal_count = 0;
        if (order <= 0)
            join->equal[join->equal_count++] = source;
    }
    return join->equal_count > 0;
}

bool mk_join_step(MkJoin *join, GError **error)
{
    char text[MK_INDEX_STRING_BYTES];
    size_t length = join->equal[0]->strings.length;
    memcpy(text, join->equal[0]->strings.text, length);
    for (unsigned i = 0; i < join->equal_count; i++) {
        MkJoinSource *source = join->equal[i];
        if (!mk_strings_next(&source->strings, &source->more, error))
            return false;
        if (source->more &&
            mk_strings_compare(source->strings.text, source->strings.length, text, length) <= 0)
            return mk_index_corrupt(error);
    }
    return true;
}

/* -- sort keys ------------------------------------------------------------------------------ */
#define RANK_UNUSED UINT32_MAX

/* How many strings the list has: the directory knows it up to the last block. */
static bool count_strings(MkJoinSource *source, MkWatch *watch, MkStreamKind keys,
                          uint64_t *out_count, GError **error)
{
    g_auto(MkStrings) strings = { 0 };
    mk_strings_init(&strings, watch, &source->segment, keys);
    const MkStringDirectory *directory = strings.directory;
    bool found = directory->block_count > 0;
    *out_count = 0;
    if (found && !mk_strings_at(&strings, directory->ordinals[directory->block_count - 1], error))
        return false;
    while (found) {
        *out_count = strings.ordinal + 1;
        if (!mk_strings_next(&strings, &found, error))
            return false;
    }
    return true;
}

/* Notes with 0 the ranks that a mail still has; all others are RANK_UNUSED. */
static bool note_used(MkJoinSource *source, MkWatch *watch, unsigned which, GError **error)
{
    uint64_t count = 0;
    if (!count_strings(source, watch, mk_sort_texts[which].keys, &count, error))
        return false;
    if (count > source->segment.info.doc_count)
        return mk_index_corrupt(error);
    source->rank_count[which] = count;
    source->new_rank[which] = g_new(uint32_t, count + 1);
    memset(source->new_rank[which], 0xFF, (count + 1) * sizeof(uint32_t));
    for (uint32_t doc = 0; doc < source->segment.info.doc_count; doc++) {
        uint64_t rank;
        if (!is_live(source, doc))
            continue;
        if (!mk_column_get(&source->columns[mk_sort_texts[which].ranks], doc, &rank, error))
            return false;
        if (rank >= count)
            return mk_index_corrupt(error);
        source->new_rank[which][rank] = 0;
    }
    return true;
}

/* Gives all that stand on the string its new rank; *out_used: it is a living mail's. */
static bool set_rank(MkJoin *join, unsigned which, uint32_t rank, bool *out_used, GError **error)
{
    *out_used = false;
    for (unsigned i = 0; i < join->equal_count; i++) {
        MkJoinSource *source = join->equal[i];
        if (source->strings.ordinal >= source->rank_count[which])
            return mk_index_corrupt(error);
        uint32_t *slot = &source->new_rank[which][source->strings.ordinal];
        *out_used |= *slot != RANK_UNUSED;
        *slot = rank;
    }
    return true;
}

static bool join_keys(MkJoin *join, unsigned which, GError **error)
{
    MkStreamKind keys = mk_sort_texts[which].keys;
    uint32_t rank = 0;
    for (unsigned i = 0; i < join->count; i++)
        if (!note_used(&join->sources[i], &join->watch, which, error))
            return false;
    if (!mk_join_lists(join, keys, error))
        return false;
    while (mk_join_smallest(join)) {
        const MkStrings *strings = &join->equal[0]->strings;
        bool used;
        if (!set_rank(join, which, rank, &used, error))
            return false;
        if (used &&
            !mk_segment_writer_string(join->writer, keys, strings->text, strings->length, error))
            return false;
        rank += used;
        if (!mk_join_step(join, error))
            return false;
    }
    return true;
}

/* -- documents ------------------------------------------------------------------------------ */
static bool write_doc(MkJoin *join, MkJoinSource *source, uint32_t doc, GError **error)
{
    uint64_t values[STREAM_COUNT] = { 0 };
    MkSegmentDoc row = { 0 };
    const char *texts[3];
    uint32_t set;
    for (unsigned i = 0; i < MK_NUMBER_STREAMS; i++) {
        MkStreamKind stream = mk_number_streams[i];
        if (!mk_column_get(&source->columns[stream], doc, &values[stream], error))
            return false;
    }
    if (!mk_folder_column_get(&source->folders, doc, &set, error) ||
        !mk_folder_column_ids(&source->folders, set, &row.folders, &row.folder_count, error) ||
        !mk_attachment_column_get(&source->attachments, doc, &row.attachments,
                                  &row.attachment_count, error) ||
        !mk_display_get(&source->display, doc, texts, error))
        return false;
    row.number = (uint32_t) values[STREAM_NUMBER];
    row.date = values[STREAM_DATE];
    row.archived = values[STREAM_ARCHIVED];
    row.size_bytes = values[STREAM_SIZE];
    row.flags = (uint32_t) values[STREAM_FLAGS];
    for (unsigned i = 0; i < MK_SORT_TEXTS; i++)
        row.ranks[i] = source->new_rank[i][values[mk_sort_texts[i].ranks]];
    row.conversation = values[STREAM_CONVERSATION];
    row.copy = values[STREAM_COPY];
    memcpy(row.texts, texts, sizeof texts);
    return mk_segment_writer_doc(join->writer, &row, error);
}

/* To the next living document. */
static bool find_next(MkJoinSource *source, GError **error)
{
    while (source->next < source->segment.info.doc_count && !is_live(source, source->next))
        source->new_doc[source->next++] = UINT32_MAX;
    if (source->next == source->segment.info.doc_count) {
        source->next_number = UINT64_MAX;
        return true;
    }
    if (!mk_column_get(&source->columns[STREAM_NUMBER], source->next, &source->next_number, error))
        return false;
    return source->next_number <= UINT32_MAX || mk_index_corrupt(error);
}

static bool join_docs(MkJoin *join, GError **error)
{
    for (unsigned i = 0; i < join->count; i++)
        if (!find_next(&join->sources[i], error))
            return false;
    uint64_t next_number = 0;
    for (uint32_t new_doc = 0;; new_doc++) {
        MkJoinSource *least = &join->sources[0];
        for (unsigned i = 1; i < join->count; i++)
            if (join->sources[i].next_number < least->next_number)
                least = &join->sources[i];
        if (least->next_number == UINT64_MAX)
            return true;
        if (least->next_number < next_number) /* numbers ascend, and no mail is in two segments */
            return mk_index_corrupt(error);
        next_number = least->next_number + 1;
        if (!write_doc(join, least, least->next, error))
            return false;
        least->new_doc[least->next++] = new_doc;
        if (!find_next(least, error))
            return false;
    }
}

bool mk_join_write(MkJoin *join, MkSegmentWriter *writer, GError **error)
{
    join->writer = writer;
    for (unsigned i = 0; i < MK_SORT_TEXTS; i++)
        if (!join_keys(join, i, error))
            return false;
    return join_docs(join, error) && mk_join_terms(join, error);
}
