/*
 * merge.c - many small segments into one
 *
 * All is read in order and written in order: documents by number, sort keys, terms, reversed
 * terms. In memory are one number a document and the posting of one term.
 */
#include "internal.h"

/* So many segments of one size make one of the next size. */
#define TIER_SEGMENTS 8
/* Larger segments are not joined any more: one posting must fit into memory. */
#define MAX_MERGED_DOCS (2u << 20)

typedef struct {
    const MkSegment *segment;
    const MkDocSet *deleted; /* may be NULL */
    uint32_t *new_doc;       /* UINT32_MAX = deleted */
    uint32_t *new_rank[2];   /* by sender, by subject */
    MkColumn columns[STREAM_COUNT];
    MkFolderColumn folders;
    MkAttachmentColumn attachments;
    MkDisplay display;
    MkStrings strings; /* the list being merged */
    bool more;         /* strings stands on one */
    MkOctets docs, positions;
    uint32_t next; /* document not yet written */
} Source;

typedef struct {
    MkIndex *index;
    MkReadTxn txn; /* the old segments */
    MkView *view;
    GArray *sources; /* Source */
    MkSegmentWriter *writer;
    GHashTable *dropped; /* terms that only deleted mails had */
} Merge;

static const MkStreamKind used_columns[] = {
    STREAM_NUMBER,    STREAM_DATE,         STREAM_ARCHIVED,     STREAM_SIZE, STREAM_FLAGS,
    STREAM_FROM_RANK, STREAM_SUBJECT_RANK, STREAM_CONVERSATION, STREAM_COPY
};

static inline Source *source_at(const Merge *merge, guint i)
{
    return &g_array_index(merge->sources, Source, i);
}

/* -- what to merge ------------------------------------------------------------------------ */
static uint32_t live_docs(const MkSegmentInfo *info)
{
    return info->doc_count - info->deleted_count;
}

static unsigned tier_of(const MkSegmentInfo *info)
{
    unsigned tier = 0;
    for (uint32_t docs = live_docs(info); docs >= TIER_SEGMENTS; docs /= TIER_SEGMENTS)
        tier++;
    return tier;
}

/* Places of segments to merge: a full tier, the smallest first, or one mostly deleted. */
static GArray *choose(const MkManifest *manifest)
{
    g_autoptr(GArray) chosen = g_array_new(FALSE, FALSE, sizeof(guint));
    for (unsigned tier = 0; tier < 32; tier++) {
        uint64_t docs = 0;
        g_array_set_size(chosen, 0);
        for (guint i = 0; i < manifest->segments->len; i++) {
            const MkSegmentInfo *info = &g_array_index(manifest->segments, MkSegmentInfo, i);
            if (tier_of(info) != tier || docs + live_docs(info) > MAX_MERGED_DOCS)
                continue;
            docs += live_docs(info);
            g_array_append_val(chosen, i);
        }
        if (chosen->len >= TIER_SEGMENTS)
            return g_steal_pointer(&chosen);
    }
    g_array_set_size(chosen, 0);
    for (guint i = 0; i < manifest->segments->len && chosen->len == 0; i++) {
        const MkSegmentInfo *info = &g_array_index(manifest->segments, MkSegmentInfo, i);
        if (info->deleted_count > info->doc_count / 2)
            g_array_append_val(chosen, i);
    }
    return g_steal_pointer(&chosen);
}

/* -- sources ------------------------------------------------------------------------------ */
static void source_init(Source *source, MkTxn *txn, const MkSegmentState *state)
{
    const MkSegment *segment = state->segment;
    source->segment = segment;
    source->deleted = state->deleted;
    source->new_doc = g_new(uint32_t, segment->info.doc_count);
    for (size_t i = 0; i < G_N_ELEMENTS(used_columns); i++)
        mk_column_init(&source->columns[used_columns[i]], txn, NULL, segment, used_columns[i]);
    mk_folder_column_init(&source->folders, txn, NULL, segment);
    mk_attachment_column_init(&source->attachments, txn, NULL, segment);
    mk_display_init(&source->display, txn, NULL, segment);
    mk_octets_init(&source->docs, txn, NULL, segment, STREAM_DOCS);
    mk_octets_init(&source->positions, txn, NULL, segment, STREAM_POSITIONS);
}

static void source_clear(gpointer data)
{
    Source *source = data;
    g_free(source->new_doc);
    g_free(source->new_rank[0]);
    g_free(source->new_rank[1]);
    for (size_t i = 0; i < G_N_ELEMENTS(used_columns); i++)
        mk_column_clear(&source->columns[used_columns[i]]);
    mk_folder_column_clear(&source->folders);
    mk_attachment_column_clear(&source->attachments);
    mk_display_clear(&source->display);
    mk_strings_clear(&source->strings);
    mk_octets_clear(&source->docs);
    mk_octets_clear(&source->positions);
}

static void merge_clear(Merge *merge)
{
    g_clear_pointer(&merge->writer, mk_segment_writer_free);
    g_clear_pointer(&merge->sources, g_array_unref);
    g_clear_pointer(&merge->dropped, g_hash_table_unref);
    g_clear_pointer(&merge->view, mk_view_unref);
    mk_txn_end(&merge->txn);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Merge, merge_clear)

static bool is_live(const Source *source, uint32_t doc)
{
    return source->deleted == NULL || !mk_doc_set_has(source->deleted, doc);
}

/* -- lists of strings, side by side ----------------------------------------------------------- */
static bool begin_lists(Merge *merge, MkStreamKind stream, GError **error)
{
    for (guint i = 0; i < merge->sources->len; i++) {
        Source *source = source_at(merge, i);
        mk_strings_clear(&source->strings);
        mk_strings_init(&source->strings, &merge->txn, NULL, source->segment, stream);
        if (!mk_strings_seek(&source->strings, "", 0, &source->more, error))
            return false;
    }
    return true;
}

/* The source whose string is the smallest; NULL at the end of all. */
static const Source *smallest(const Merge *merge)
{
    const Source *least = NULL;
    for (guint i = 0; i < merge->sources->len; i++) {
        const Source *source = source_at(merge, i);
        if (source->more &&
            (least == NULL || mk_strings_compare(source->strings.text, source->strings.length,
                                                 least->strings.text, least->strings.length) < 0))
            least = source;
    }
    return least;
}

static bool stands_on(const Source *source, const char *text, size_t length)
{
    return source->more &&
           mk_strings_compare(source->strings.text, source->strings.length, text, length) == 0;
}

static bool step(Merge *merge, const char *text, size_t length, GError **error)
{
    for (guint i = 0; i < merge->sources->len; i++) {
        Source *source = source_at(merge, i);
        if (stands_on(source, text, length) &&
            !mk_strings_next(&source->strings, &source->more, error))
            return false;
    }
    return true;
}

/* -- sort keys ------------------------------------------------------------------------------ */
#define RANK_UNUSED UINT32_MAX

/* Notes with 0 the ranks that a mail still has; all others are RANK_UNUSED. */
static bool note_used(Source *source, unsigned which, MkStreamKind keys, MkStreamKind ranks,
                      GError **error)
{
    MkStrings strings;
    uint64_t count = 0;
    mk_strings_init(&strings, source->folders.column.txn, NULL, source->segment, keys);
    const MkStringDirectory *directory = strings.directory;
    /* the last block's strings are not counted in the directory: walk them */
    bool found = directory->block_count > 0, ok = true;
    if (found)
        ok = mk_strings_at(&strings, directory->ordinals[directory->block_count - 1], error);
    while (ok && found) {
        count = strings.ordinal + 1;
        ok = mk_strings_next(&strings, &found, error);
    }
    mk_strings_clear(&strings);
    if (!ok)
        return false;
    source->new_rank[which] = g_new(uint32_t, count + 1);
    memset(source->new_rank[which], 0xFF, (count + 1) * sizeof(uint32_t));
    for (uint32_t doc = 0; doc < source->segment->info.doc_count; doc++) {
        uint64_t rank;
        if (!is_live(source, doc))
            continue;
        if (!mk_column_get(&source->columns[ranks], doc, &rank, error))
            return false;
        if (rank >= count)
            return mk_index_corrupt(error);
        source->new_rank[which][rank] = 0;
    }
    return true;
}

static bool merge_keys(Merge *merge, unsigned which, MkStreamKind keys, MkStreamKind ranks,
                       GError **error)
{
    uint32_t rank = 0;
    for (guint i = 0; i < merge->sources->len; i++)
        if (!note_used(source_at(merge, i), which, keys, ranks, error))
            return false;
    if (!begin_lists(merge, keys, error))
        return false;
    for (const Source *least; (least = smallest(merge)) != NULL;) {
        char text[MK_INDEX_STRING_BYTES];
        size_t length = least->strings.length;
        bool used = false;
        memcpy(text, least->strings.text, length);
        for (guint i = 0; i < merge->sources->len; i++) {
            Source *source = source_at(merge, i);
            if (!stands_on(source, text, length))
                continue;
            uint32_t *slot = &source->new_rank[which][source->strings.ordinal];
            used |= *slot != RANK_UNUSED;
            *slot = rank;
        }
        if (used && !mk_segment_writer_string(merge->writer, keys, text, length, error))
            return false;
        rank += used;
        if (!step(merge, text, length, error))
            return false;
    }
    return true;
}

/* -- documents ------------------------------------------------------------------------------ */
static bool write_doc(Merge *merge, Source *source, uint32_t doc, GError **error)
{
    uint64_t values[STREAM_COUNT] = { 0 };
    MkSegmentDoc row = { 0 };
    const char *texts[3];
    uint32_t set;
    bool loaded;
    for (size_t i = 0; i < G_N_ELEMENTS(used_columns); i++)
        if (!mk_column_get(&source->columns[used_columns[i]], doc, &values[used_columns[i]], error))
            return false;
    if (!mk_folder_column_get(&source->folders, doc, &set, &loaded, error) ||
        !mk_attachment_column_get(&source->attachments, doc, &row.attachments,
                                  &row.attachment_count, error) ||
        !mk_display_get(&source->display, doc, texts, error))
        return false;
    row.number = (uint32_t) values[STREAM_NUMBER];
    row.date = values[STREAM_DATE];
    row.archived = values[STREAM_ARCHIVED];
    row.size_bytes = values[STREAM_SIZE];
    row.flags = (uint32_t) values[STREAM_FLAGS];
    row.from_rank = source->new_rank[0][values[STREAM_FROM_RANK]];
    row.subject_rank = source->new_rank[1][values[STREAM_SUBJECT_RANK]];
    row.conversation = values[STREAM_CONVERSATION];
    row.copy = values[STREAM_COPY];
    row.folders = mk_folder_column_ids(&source->folders, set, &row.folder_count);
    memcpy(row.texts, texts, sizeof texts);
    return mk_segment_writer_doc(merge->writer, &row, error);
}

/* Moves to the next living document; *out_number is UINT64_MAX at the end. */
static bool peek(Source *source, uint64_t *out_number, GError **error)
{
    *out_number = UINT64_MAX;
    while (source->next < source->segment->info.doc_count && !is_live(source, source->next))
        source->new_doc[source->next++] = UINT32_MAX;
    return source->next >= source->segment->info.doc_count ||
           mk_column_get(&source->columns[STREAM_NUMBER], source->next, out_number, error);
}

static bool merge_docs(Merge *merge, GError **error)
{
    for (uint32_t new_doc = 0;; new_doc++) {
        Source *least = NULL;
        uint64_t least_number = UINT64_MAX;
        for (guint i = 0; i < merge->sources->len; i++) {
            uint64_t number;
            if (!peek(source_at(merge, i), &number, error))
                return false;
            if (number < least_number) {
                least_number = number;
                least = source_at(merge, i);
            }
        }
        if (least == NULL)
            return true;
        if (!write_doc(merge, least, least->next, error))
            return false;
        least->new_doc[least->next++] = new_doc;
    }
}

/* -- terms ------------------------------------------------------------------------------- */
typedef struct {
    GByteArray *docs, *positions;
    MkPostings postings;
} Scratch;

static void scratch_clear(Scratch *scratch)
{
    g_byte_array_unref(scratch->docs);
    g_byte_array_unref(scratch->positions);
    mk_postings_clear(&scratch->postings);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scratch, scratch_clear)

/* One document's positions: up to the next odd varint. */
static bool take_positions(MkReader *reader, const uint8_t **out_start, size_t *out_length)
{
    *out_start = reader->data;
    size_t before = reader->length;
    if (!(mk_read_varint(reader) & 1))
        return false;
    while (reader->length > 0 && !(*reader->data & 1))
        mk_read_varint(reader);
    *out_length = before - reader->length;
    return !reader->failed;
}

/* Adds the living documents of one source's posting under their new numbers. */
static bool add_posting(Source *source, const MkTermRef *ref, Scratch *scratch, GError **error)
{
    MkDocGroups groups;
    if (!mk_octets_read(&source->docs, ref->docs_offset, ref->docs_length, scratch->docs, error) ||
        !mk_octets_read(&source->positions, ref->positions_offset, ref->positions_length,
                        scratch->positions, error))
        return false;
    MkReader reader = mk_reader(scratch->positions->data, scratch->positions->len);
    mk_doc_groups_init(&groups, scratch->docs, ref->doc_count, source->segment->info.doc_count);
    while (mk_doc_groups_next(&groups)) {
        for (unsigned i = 0; i < groups.count; i++) {
            const uint8_t *start;
            size_t length;
            if (!take_positions(&reader, &start, &length))
                return mk_index_corrupt(error);
            uint32_t doc = source->new_doc[groups.docs[i]];
            if (doc != UINT32_MAX)
                mk_postings_add(&scratch->postings, doc, start, length);
        }
    }
    return (!groups.reader.failed && reader.length == 0) || mk_index_corrupt(error);
}

static const MkTermRef *find_ref(const Source *source, unsigned field)
{
    for (unsigned i = 0; i < source->strings.ref_count; i++)
        if (source->strings.refs[i].field == field)
            return &source->strings.refs[i];
    return NULL;
}

/* One field of one term; *out_any when a living mail has it. */
static bool merge_posting(Merge *merge, const char *text, size_t length, unsigned field,
                          Scratch *scratch, bool *out_any, GError **error)
{
    mk_postings_reset(&scratch->postings);
    for (guint i = 0; i < merge->sources->len; i++) {
        Source *source = source_at(merge, i);
        const MkTermRef *ref = stands_on(source, text, length) ? find_ref(source, field) : NULL;
        if (ref != NULL && !add_posting(source, ref, scratch, error))
            return false;
    }
    if (scratch->postings.docs->len == 0)
        return true;
    *out_any = true;
    mk_postings_sort(&scratch->postings);
    return mk_segment_writer_posting(merge->writer, text, length, (MkField) field,
                                     &scratch->postings, error);
}

static bool merge_terms(Merge *merge, GError **error)
{
    g_auto(Scratch) scratch = { g_byte_array_new(), g_byte_array_new(), { 0 } };
    mk_postings_init(&scratch.postings);
    if (!begin_lists(merge, STREAM_TERMS, error))
        return false;
    for (const Source *least; (least = smallest(merge)) != NULL;) {
        char text[MK_INDEX_STRING_BYTES];
        size_t length = least->strings.length;
        bool any = false;
        memcpy(text, least->strings.text, length);
        for (unsigned field = 0; field < MK_FIELD_COUNT; field++)
            if (!merge_posting(merge, text, length, field, &scratch, &any, error))
                return false;
        if (!any)
            g_hash_table_add(merge->dropped, g_strndup(text, length));
        if (!step(merge, text, length, error))
            return false;
    }
    return true;
}

static bool was_dropped(const Merge *merge, const char *reversed, size_t length)
{
    char text[MK_INDEX_STRING_BYTES + 1];
    if (g_hash_table_size(merge->dropped) == 0)
        return false;
    for (size_t i = 0; i < length; i++)
        text[i] = reversed[length - 1 - i];
    text[length] = '\0';
    return g_hash_table_contains(merge->dropped, text);
}

static bool merge_reversed(Merge *merge, GError **error)
{
    if (!begin_lists(merge, STREAM_REVERSED, error))
        return false;
    for (const Source *least; (least = smallest(merge)) != NULL;) {
        char text[MK_INDEX_STRING_BYTES];
        size_t length = least->strings.length;
        memcpy(text, least->strings.text, length);
        if (!was_dropped(merge, text, length) &&
            !mk_segment_writer_string(merge->writer, STREAM_REVERSED, text, length, error))
            return false;
        if (!step(merge, text, length, error))
            return false;
    }
    return true;
}

/* -- all together -------------------------------------------------------------------------- */
static bool write_merged(Merge *merge, MkWriteTxn *txn, MkSegmentInfo *out_info, GError **error)
{
    uint32_t id = mk_index_take_id(merge->index, &merge->view->manifest);
    merge->writer = mk_segment_writer_new(merge->index->db, txn, id);
    return merge_keys(merge, 0, STREAM_FROM_KEYS, STREAM_FROM_RANK, error) &&
           merge_keys(merge, 1, STREAM_SUBJECT_KEYS, STREAM_SUBJECT_RANK, error) &&
           merge_docs(merge, error) && merge_terms(merge, error) && merge_reversed(merge, error) &&
           mk_segment_writer_end(merge->writer, out_info, error);
}

static bool replace(Merge *merge, MkWriteTxn *txn, const GArray *chosen,
                    const MkSegmentInfo *merged, GError **error)
{
    g_auto(MkManifest) manifest = mk_manifest_copy(&merge->view->manifest);
    for (guint i = chosen->len; i-- > 0;) { /* places ascend, so removing from behind is safe */
        guint place = g_array_index(chosen, guint, i);
        uint32_t id = g_array_index(manifest.segments, MkSegmentInfo, place).id;
        if (!mk_segment_erase(txn, id, error))
            return false;
        g_array_remove_index(manifest.segments, place);
    }
    g_array_append_vals(manifest.segments, merged, 1);
    manifest.generation++;
    manifest.next_id = MAX(manifest.next_id, merge->index->next_id);
    return mk_manifest_store(txn, &manifest, error) && mk_write_txn_commit(txn, error);
}

bool mk_index_merge(MkIndex *index, const int *cancelled, bool *out_merged, GError **error)
{
    g_auto(Merge) merge = { .index = index, .txn = MK_TXN_INIT };
    g_auto(MkWriteTxn) txn = MK_TXN_INIT;
    MkSegmentInfo merged;
    (void) cancelled;

    if (!mk_read_txn_begin(&merge.txn, index->db, error))
        return false;
    merge.view = mk_view_for(index, &merge.txn, error);
    if (merge.view == NULL)
        return false;
    g_autoptr(GArray) chosen = choose(&merge.view->manifest);
    *out_merged = chosen->len > 0;
    if (chosen->len == 0)
        return true;

    merge.dropped = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    merge.sources = g_array_new(FALSE, TRUE, sizeof(Source));
    g_array_set_clear_func(merge.sources, source_clear);
    g_array_set_size(merge.sources, chosen->len);
    for (guint i = 0; i < chosen->len; i++)
        source_init(source_at(&merge, i), &merge.txn,
                    &merge.view->segments[g_array_index(chosen, guint, i)]);
    return mk_write_txn_begin(&txn, index->db, error) &&
           write_merged(&merge, &txn, &merged, error) &&
           replace(&merge, &txn, chosen, &merged, error);
}
