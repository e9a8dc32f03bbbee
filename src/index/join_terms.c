/*
 * join_terms.c - the terms of several segments, their postings streamed
 */
#include "join.h"

/*
 * Terms without a living mail are left out of the reversed list too, as long as so much memory
 * holds them. One that stays there leads nowhere and does no harm.
 */
#define DROPPED_BYTES (8u << 20)

/* -- one posting -------------------------------------------------------------------------- */
/* One document's positions: up to the next odd varint. */
static bool take_positions(MkJoinPosting *posting)
{
    MkReader *reader = &posting->reader;
    size_t before = reader->length;
    posting->octets = reader->data;
    if (!(mk_read_varint(reader) & 1))
        return false;
    while (reader->length > 0 && !reader->failed && !(*reader->data & 1))
        mk_read_varint(reader);
    posting->length = before - reader->length;
    return !reader->failed;
}

/* The next group with its positions; *out_any false behind the last one. */
static bool next_group(MkJoinSource *source, bool *out_any, GError **error)
{
    MkJoinPosting *posting = &source->posting;
    const MkTermRef *ref = posting->ref;
    uint64_t offset, length;
    if (posting->reader.length > 0) /* positions that no document has */
        return mk_index_corrupt(error);
    *out_any = mk_doc_groups_next(&posting->groups, NULL);
    if (!*out_any)
        return !posting->groups.reader.failed || mk_index_corrupt(error);
    if (!mk_doc_groups_positions(&posting->groups, ref, &offset, &length))
        return mk_index_corrupt(error);
    if (!mk_octets_read(&source->positions, offset, length, posting->positions, error))
        return false;
    posting->reader = mk_reader(posting->positions->data, posting->positions->len);
    posting->next = 0;
    return true;
}

/* To the next living document. */
static bool posting_next(MkJoinSource *source, GError **error)
{
    MkJoinPosting *posting = &source->posting;
    for (;;) {
        bool any = true;
        if (posting->next == posting->groups.count && !next_group(source, &any, error))
            return false;
        if (!any) {
            posting->doc = UINT32_MAX;
            return true;
        }
        if (!take_positions(posting))
            return mk_index_corrupt(error);
        posting->doc = source->new_doc[posting->groups.docs[posting->next++]];
        if (posting->doc != UINT32_MAX)
            return true;
    }
}

static bool posting_begin(MkJoinSource *source, const MkTermRef *ref, GError **error)
{
    MkJoinPosting *posting = &source->posting;
    posting->ref = ref;
    if (!mk_octets_read(&source->docs, ref->docs_offset, ref->docs_length, posting->docs, error))
        return false;
    mk_doc_groups_init(&posting->groups, posting->docs, ref->doc_count,
                       source->segment.info.doc_count);
    posting->reader = mk_reader(NULL, 0);
    posting->next = 0;
    return posting_next(source, error);
}

/* -- terms ------------------------------------------------------------------------------- */
static const MkTermRef *find_ref(const MkJoinSource *source, unsigned field)
{
    for (unsigned i = 0; i < source->strings.ref_count; i++)
        if (source->strings.refs[i].field == field)
            return &source->strings.refs[i];
    return NULL;
}

/* The postings of one field, in order of the new documents. */
static bool join_postings(MkJoin *join, MkJoinSource **active, unsigned count, unsigned field,
                          bool *out_any, GError **error)
{
    const MkStrings *strings = &join->equal[0]->strings;
    bool any = false;
    while (count > 0) {
        unsigned least = 0;
        for (unsigned i = 1; i < count; i++)
            if (active[i]->posting.doc < active[least]->posting.doc)
                least = i;
        MkJoinPosting *posting = &active[least]->posting;
        if (posting->doc == UINT32_MAX)
            break;
        if (!any && !mk_segment_writer_begin(join->writer, strings->text, strings->length,
                                             (MkField) field, error))
            return false;
        any = true;
        if (!mk_segment_writer_add(join->writer, posting->doc, posting->octets, posting->length,
                                   error) ||
            !posting_next(active[least], error))
            return false;
    }
    *out_any |= any;
    return !any || mk_segment_writer_finish(join->writer, error);
}

static bool join_field(MkJoin *join, unsigned field, bool *out_any, GError **error)
{
    MkJoinSource *active[MK_JOIN_SOURCES];
    unsigned count = 0;
    for (unsigned i = 0; i < join->equal_count; i++) {
        const MkTermRef *ref = find_ref(join->equal[i], field);
        if (ref == NULL)
            continue;
        if (!posting_begin(join->equal[i], ref, error))
            return false;
        active[count++] = join->equal[i];
    }
    return count == 0 || join_postings(join, active, count, field, out_any, error);
}

static void note_dropped(MkJoin *join, const MkStrings *strings)
{
    size_t bytes = strings->length + 64; /* with what the hash table takes */
    if (join->dropped_bytes + bytes > DROPPED_BYTES)
        return;
    join->dropped_bytes += bytes;
    g_hash_table_add(join->dropped, g_strndup(strings->text, strings->length));
}

static bool was_dropped(const MkJoin *join, const MkStrings *reversed)
{
    char text[MK_INDEX_STRING_BYTES + 1];
    if (join->dropped_bytes == 0)
        return false;
    for (size_t i = 0; i < reversed->length; i++)
        text[i] = reversed->text[reversed->length - 1 - i];
    text[reversed->length] = '\0';
    return g_hash_table_contains(join->dropped, text);
}

static bool join_reversed(MkJoin *join, GError **error)
{
    if (!mk_join_lists(join, STREAM_REVERSED, error))
        return false;
    while (mk_join_smallest(join)) {
        const MkStrings *strings = &join->equal[0]->strings;
        if (!was_dropped(join, strings) &&
            !mk_segment_writer_string(join->writer, STREAM_REVERSED, strings->text, strings->length,
                                      error))
            return false;
        if (!mk_join_step(join, error))
            return false;
    }
    return true;
}

bool mk_join_terms(MkJoin *join, GError **error)
{
    if (!mk_join_lists(join, STREAM_TERMS, error))
        return false;
    while (mk_join_smallest(join)) {
        bool any = false;
        if (join->equal[0]->strings.length > MK_LIMIT_TOKEN_BYTES)
            return mk_index_corrupt(error);
        for (unsigned field = 0; field < MK_FIELD_COUNT; field++)
            if (!join_field(join, field, &any, error))
                return false;
        if (!any)
            note_dropped(join, &join->equal[0]->strings);
        if (!mk_join_step(join, error))
            return false;
    }
    return join_reversed(join, error);
}
