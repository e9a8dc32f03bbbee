/*
 * commit.c - from a writer's memory to a segment, in one step for readers
 */
#include "writer.h"

/* All a commit works with; cleared at its end. */
typedef struct {
    MkIndexWriter *writer;
    uint32_t *order;   /* places of the living mails, ascending in number */
    uint32_t *new_doc; /* place -> document of the segment, UINT32_MAX = dead */
    uint32_t doc_count;
    uint32_t *ranks[MK_SORT_TEXTS]; /* place -> rank */
    MkSegmentWriter *segment;       /* NULL: no mail to write */
    MkSegmentInfo info;
} Commit;

static void commit_clear(Commit *commit)
{
    g_free(commit->order);
    g_free(commit->new_doc);
    for (unsigned i = 0; i < MK_SORT_TEXTS; i++)
        g_free(commit->ranks[i]);
    mk_segment_writer_free(commit->segment);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Commit, commit_clear)

static inline const MkWriterDoc *doc_at(const MkIndexWriter *writer, uint32_t place)
{
    return &g_array_index(writer->docs, MkWriterDoc, place);
}

static int compare_places(const void *a, const void *b, void *cookie)
{
    uint32_t x = doc_at(cookie, *(const uint32_t *) a)->number;
    uint32_t y = doc_at(cookie, *(const uint32_t *) b)->number;
    return (x > y) - (x < y);
}

static void number_docs(Commit *commit)
{
    MkIndexWriter *writer = commit->writer;
    commit->order = g_new(uint32_t, writer->docs->len + 1);
    commit->new_doc = g_new(uint32_t, writer->docs->len + 1);
    for (uint32_t i = 0; i < writer->docs->len; i++) {
        commit->new_doc[i] = UINT32_MAX;
        if (!doc_at(writer, i)->dead)
            commit->order[commit->doc_count++] = i;
    }
    g_qsort_with_data(commit->order, (gint) commit->doc_count, sizeof *commit->order,
                      compare_places, writer);
    for (uint32_t i = 0; i < commit->doc_count; i++)
        commit->new_doc[commit->order[i]] = i;
}

/* -- older segments ---------------------------------------------------------------------- */
static bool delete_doc(MkSegmentState *state, MkDocSet **deleted, MkColumn *numbers,
                       uint32_t number, GError **error)
{
    uint32_t doc = UINT32_MAX;
    if (!mk_segment_find(numbers, number, &doc, error))
        return false;
    if (doc == UINT32_MAX || (state->deleted != NULL && mk_doc_set_has(state->deleted, doc)))
        return true;
    if (*deleted == NULL) {
        *deleted = mk_doc_set_new(state->segment->info.doc_count, false);
        if (state->deleted != NULL)
            mk_doc_set_or(*deleted, state->deleted);
    }
    mk_doc_set_add(*deleted, doc);
    return true;
}

/* Numbers that go from older segments, ascending: blocks are then read one after the other. */
static GArray *gone_numbers(const Commit *commit)
{
    GArray *numbers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    GHashTableIter iter;
    gpointer key;
    for (uint32_t i = 0; i < commit->doc_count; i++)
        g_array_append_val(numbers, doc_at(commit->writer, commit->order[i])->number);
    g_hash_table_iter_init(&iter, commit->writer->removed);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        uint32_t number = GPOINTER_TO_UINT(key);
        g_array_append_val(numbers, number);
    }
    g_array_sort(numbers, mk_compare_u32);
    return numbers;
}

static bool delete_from(MkSegmentState *state, const GArray *numbers, MkDocSet **deleted,
                        GError **error)
{
    g_auto(MkColumn) column = { 0 };
    mk_column_init(&column, NULL, state->segment, STREAM_NUMBER);
    for (guint i = 0; i < numbers->len; i++)
        if (!delete_doc(state, deleted, &column, g_array_index(numbers, uint32_t, i), error))
            return false;
    return true;
}

/* Changes the manifest, the database and, for the view to come, @changed. */
static bool delete_old(const Commit *commit, MkWriteTxn *txn, const MkView *view,
                       MkManifest *manifest, GHashTable *changed, GError **error)
{
    g_autoptr(GArray) numbers = gone_numbers(commit);
    for (guint i = manifest->segments->len; i-- > 0;) {
        MkSegmentInfo *info = &g_array_index(manifest->segments, MkSegmentInfo, i);
        g_autoptr(MkDocSet) deleted = NULL;
        if (!delete_from(&view->segments[i], numbers, &deleted, error))
            return false;
        if (deleted == NULL)
            continue;
        info->deleted_count = (uint32_t) mk_doc_set_count(deleted);
        /* A segment all of whose mails are gone is no more of use. */
        bool empty = info->deleted_count == info->doc_count;
        if (!(empty ? mk_deleted_erase(txn, info->id, error)
                    : mk_deleted_store(txn, info->id, deleted, error)))
            return false;
        if (empty)
            g_array_remove_index(manifest->segments, i);
        else
            g_hash_table_insert(changed, GUINT_TO_POINTER(info->id), g_steal_pointer(&deleted));
    }
    return true;
}

/* -- terms ------------------------------------------------------------------------------ */
static inline uint64_t take_varint(const uint8_t **at)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t octet = *(*at)++;
        value |= (uint64_t) (octet & 0x7F) << shift;
        if (octet < 0x80)
            return value;
    }
}

/* Our own octets (table.h), so they are trusted. */
static void collect_posting(const Commit *commit, const GByteArray *octets, MkPostings *out)
{
    const uint8_t *at = octets->data, *end = at + octets->len;
    uint32_t place = 0;
    mk_postings_reset(out);
    while (at < end) {
        place += (uint32_t) (take_varint(&at) >> 1);
        const uint8_t *start = at;
        take_varint(&at);
        for (const uint8_t *next = at; next < end && (*next & 1) == 0; next = at)
            take_varint(&at);
        if (commit->new_doc[place] != UINT32_MAX)
            mk_postings_add(out, commit->new_doc[place], start, (size_t) (at - start));
        place++;
    }
    mk_postings_sort(out);
}

static MkSortItem *sorted_terms(const MkTermTable *table)
{
    MkSortItem *items = g_new(MkSortItem, table->count + 1);
    for (uint32_t i = 0; i < table->count; i++) {
        const MkTerm *term = table->terms[i];
        items[i] = (MkSortItem){ mk_sort_head(term->text, term->length), term->text, term->length,
                                 i | (uint32_t) term->field << 28 };
    }
    mk_sort_items(items, table->count);
    return items;
}

/* Each term once, backwards, if it has a posting in the segment. A Message-ID is no word. */
static void note_reversed(MkArena *arena, GArray *reversed, const MkTerm *term)
{
    char *text = mk_arena_string(arena, term->text, term->length);
    for (unsigned i = 0; i < term->length; i++)
        text[i] = term->text[term->length - 1 - i];
    MkSortItem item = { mk_sort_head(text, term->length), text, term->length, 0 };
    g_array_append_val(reversed, item);
}

static bool write_terms(Commit *commit, MkSegmentWriter *segment, GArray *reversed, GError **error)
{
    MkTermTable *table = &commit->writer->table;
    g_autofree MkSortItem *items = sorted_terms(table);
    g_autoptr(GByteArray) octets = g_byte_array_new();
    g_auto(MkPostings) postings = { 0 };
    const MkTerm *last = NULL;

    mk_postings_init(&postings);
    for (uint32_t i = 0; i < table->count; i++) {
        const MkTerm *term = table->terms[items[i].index & 0x0FFFFFFF];
        mk_term_octets(term, octets);
        collect_posting(commit, octets, &postings);
        if (postings.docs->len == 0)
            continue;
        if (!mk_segment_writer_posting(segment, term->text, term->length, (MkField) term->field,
                                       &postings, error))
            return false;
        bool again = last != NULL && last->length == term->length &&
                     memcmp(last->text, term->text, term->length) == 0;
        if (!again && term->length > 0 && term->field != MK_FIELD_MESSAGE_ID)
            note_reversed(&table->arena, reversed, term);
        last = term;
    }
    return true;
}

static bool write_reversed(Commit *commit, MkSegmentWriter *segment, GError **error)
{
    g_autoptr(GArray) reversed = g_array_new(FALSE, FALSE, sizeof(MkSortItem));
    if (!write_terms(commit, segment, reversed, error))
        return false;
    mk_sort_items((MkSortItem *) (void *) reversed->data, reversed->len);
    for (guint i = 0; i < reversed->len; i++) {
        const MkSortItem *item = &g_array_index(reversed, MkSortItem, i);
        if (!mk_segment_writer_string(segment, STREAM_REVERSED, item->text, item->length, error))
            return false;
    }
    return true;
}

/* -- documents ---------------------------------------------------------------------------- */
/* Ranks by one of the texts: mails with the same key have the same rank. */
static bool write_keys(Commit *commit, MkSegmentWriter *segment, const MkSortText *by,
                       uint32_t **out_ranks, GError **error)
{
    g_autofree MkSortItem *items = g_new(MkSortItem, commit->doc_count + 1);
    uint32_t *ranks = *out_ranks = g_new0(uint32_t, commit->writer->docs->len + 1);
    uint32_t rank = 0;
    for (uint32_t i = 0; i < commit->doc_count; i++) {
        const MkWriterDoc *doc = doc_at(commit->writer, commit->order[i]);
        g_autofree char *key = mk_sort_key(doc->texts[by->text]);
        size_t length = strlen(key);
        char *kept = mk_arena_string(&commit->writer->table.arena, key, length);
        items[i] =
            (MkSortItem){ mk_sort_head(kept, length), kept, (uint32_t) length, commit->order[i] };
    }
    mk_sort_items(items, commit->doc_count);
    for (uint32_t i = 0; i < commit->doc_count; i++) {
        bool same = i > 0 && mk_strings_compare(items[i - 1].text, items[i - 1].length,
                                                items[i].text, items[i].length) == 0;
        if (i > 0 && !same)
            rank++;
        ranks[items[i].index] = rank;
        if (!same &&
            !mk_segment_writer_string(segment, by->keys, items[i].text, items[i].length, error))
            return false;
    }
    return true;
}

static bool write_docs(Commit *commit, MkSegmentWriter *segment, GError **error)
{
    for (unsigned i = 0; i < MK_SORT_TEXTS; i++)
        if (!write_keys(commit, segment, &mk_sort_texts[i], &commit->ranks[i], error))
            return false;
    for (uint32_t i = 0; i < commit->doc_count; i++) {
        const MkWriterDoc *doc = doc_at(commit->writer, commit->order[i]);
        MkSegmentDoc row = { .number = doc->number,
                             .date = mk_column_from_time(doc->date_unix_ms),
                             .archived = mk_column_from_time(doc->archived_unix_ms),
                             .size_bytes = doc->size_bytes,
                             .flags = doc->flags,
                             .folders = doc->folders,
                             .folder_count = doc->folder_count,
                             .conversation = doc->conversation,
                             .copy = doc->copy,
                             .attachments = doc->attachments,
                             .attachment_count = doc->attachment_count,
                             .texts = { doc->texts[0], doc->texts[1], doc->texts[2] } };
        for (unsigned rank = 0; rank < MK_SORT_TEXTS; rank++)
            row.ranks[rank] = commit->ranks[rank][commit->order[i]];
        if (!mk_segment_writer_doc(segment, &row, error))
            return false;
    }
    return true;
}

static bool write_segment(Commit *commit, GError **error)
{
    MkIndex *index = commit->writer->index;
    if (commit->doc_count == 0)
        return true;
    commit->segment = mk_segment_writer_new(index, mk_index_take_id(index), error);
    return commit->segment != NULL && write_docs(commit, commit->segment, error) &&
           write_reversed(commit, commit->segment, error) &&
           mk_segment_writer_end(commit->segment, &commit->info, error);
}

/* -- all together -------------------------------------------------------------------------- */
static void unref_set(gpointer set)
{
    mk_doc_set_unref(set);
}

/* What readers notice: deletions and manifest. */
static bool change_manifest(Commit *commit, uint64_t watermark, GError **error)
{
    MkIndex *index = commit->writer->index;
    g_auto(MkWriteTxn) txn = MK_TXN_INIT;
    g_autoptr(MkView) before = mk_view_whole(index, error);
    g_autoptr(GHashTable) changed = g_hash_table_new_full(NULL, NULL, NULL, unref_set);
    if (before == NULL || !mk_write_txn_begin(&txn, index->db, error))
        return false;

    g_auto(MkManifest) manifest = mk_manifest_copy(&before->manifest);
    if (!delete_old(commit, &txn, before, &manifest, changed, error))
        return false;
    if (commit->segment != NULL)
        g_array_append_val(manifest.segments, commit->info);
    manifest.generation++;
    manifest.watermark = watermark;
    manifest.next_id = mk_index_take_id(index);
    g_autoptr(MkView) view = mk_view_next(index, before, &manifest, changed, error);
    return view != NULL && mk_manifest_store(&txn, &manifest, error) &&
           mk_view_commit(index, &txn, view, error);
}

/* The segment's file first: it may take long, and a merge may change the manifest meanwhile. */
static bool run(Commit *commit, uint64_t watermark, GError **error)
{
    MkIndex *index = commit->writer->index;
    if (!write_segment(commit, error))
        return false;
    pthread_mutex_lock(&index->manifest_lock);
    bool ok = change_manifest(commit, watermark, error);
    pthread_mutex_unlock(&index->manifest_lock);
    if (ok && commit->segment != NULL)
        mk_segment_writer_keep(commit->segment);
    return ok;
}

bool mk_index_writer_commit(MkIndexWriter *writer, uint64_t watermark, GError **error)
{
    g_auto(Commit) commit = { .writer = writer };
    number_docs(&commit);
    bool ok = run(&commit, watermark, error);
    mk_index_writer_free(writer);
    return ok;
}
