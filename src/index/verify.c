/*
 * verify.c - every block of every segment, its tag and its form
 */
#include "internal.h"

/* -- form --------------------------------------------------------------------------------- */
static bool check_posting(const MkSegment *segment, const MkTermRef *ref, MkOctets *docs,
                          MkOctets *positions, GByteArray *docs_octets, GByteArray *position_octets,
                          GError **error)
{
    MkDocGroups groups;
    uint64_t firsts = 0;
    if (!mk_octets_read(docs, ref->docs_offset, ref->docs_length, docs_octets, error) ||
        !mk_octets_read(positions, ref->positions_offset, ref->positions_length, position_octets,
                        error))
        return false;
    mk_doc_groups_init(&groups, docs_octets, ref->doc_count, segment->info.doc_count);
    while (mk_doc_groups_next(&groups, NULL))
        continue;
    MkReader reader = mk_reader(position_octets->data, position_octets->len);
    while (reader.length > 0 && !reader.failed)
        firsts += mk_read_varint(&reader) & 1;
    if (groups.reader.failed || reader.failed || firsts != ref->doc_count)
        return mk_index_corrupt(error);
    return true;
}

/* Strings ascend; terms have postings that fill their streams without a gap. */
static bool check_strings(const MkSegment *segment, MkStreamKind stream, GError **error)
{
    g_auto(MkStrings) strings = { 0 };
    g_auto(MkOctets) docs = { 0 };
    g_auto(MkOctets) positions = { 0 };
    g_autoptr(GByteArray) docs_octets = g_byte_array_new();
    g_autoptr(GByteArray) position_octets = g_byte_array_new();
    char last[MK_INDEX_STRING_BYTES];
    size_t last_length = 0;
    uint64_t count = 0;
    bool found = false;

    mk_strings_init(&strings, NULL, segment, stream);
    mk_octets_init(&docs, NULL, segment, STREAM_DOCS);
    mk_octets_init(&positions, NULL, segment, STREAM_POSITIONS);
    if (!mk_strings_seek(&strings, "", 0, &found, error))
        return false;
    for (; found; count++) {
        if (strings.ordinal != count ||
            (count > 0 && mk_strings_compare(last, last_length, strings.text, strings.length) >= 0))
            return mk_index_corrupt(error);
        memcpy(last, strings.text, strings.length);
        last_length = strings.length;
        for (unsigned i = 0; i < strings.ref_count; i++)
            if (!check_posting(segment, &strings.refs[i], &docs, &positions, docs_octets,
                               position_octets, error))
                return false;
        if (!mk_strings_next(&strings, &found, error))
            return false;
    }
    if (stream == STREAM_TERMS && count > 0 &&
        (strings.docs_end != segment->info.lengths[STREAM_DOCS] ||
         strings.positions_end != segment->info.lengths[STREAM_POSITIONS]))
        return mk_index_corrupt(error);
    return true;
}

static bool check_column(const MkSegment *segment, MkStreamKind stream, GError **error)
{
    g_auto(MkColumn) column = { 0 };
    uint64_t last = 0;
    mk_column_init(&column, NULL, segment, stream);
    for (uint32_t doc = 0; doc < segment->info.doc_count; doc++) {
        uint64_t value;
        if (!mk_column_get(&column, doc, &value, error))
            return false;
        if (stream == STREAM_NUMBER && doc > 0 && value <= last)
            return mk_index_corrupt(error);
        last = value;
    }
    return true;
}

static bool check_folders(const MkSegment *segment, GError **error)
{
    g_auto(MkFolderColumn) folders = { 0 };
    mk_folder_column_init(&folders, NULL, segment);
    for (uint32_t doc = 0; doc < segment->info.doc_count; doc++) {
        const uint32_t *ids;
        size_t count;
        uint32_t set;
        if (!mk_folder_column_get(&folders, doc, &set, error) ||
            !mk_folder_column_ids(&folders, set, &ids, &count, error))
            return false;
    }
    return true;
}

static bool check_attachments(const MkSegment *segment, GError **error)
{
    g_auto(MkAttachmentColumn) column = { 0 };
    mk_attachment_column_init(&column, NULL, segment);
    for (uint32_t doc = 0; doc < segment->info.doc_count; doc += MK_INDEX_COLUMN_DOCS) {
        const MkAttachmentText *items;
        size_t count;
        if (!mk_attachment_column_get(&column, doc, &items, &count, error))
            return false;
    }
    return true;
}

static bool check_display(const MkSegment *segment, GError **error)
{
    g_auto(MkDisplay) display = { 0 };
    mk_display_init(&display, NULL, segment);
    for (uint32_t doc = 0; doc < segment->info.doc_count; doc += MK_INDEX_DISPLAY_DOCS) {
        const char *texts[3];
        if (!mk_display_get(&display, doc, texts, error))
            return false;
    }
    return true;
}

bool mk_segment_check(const MkSegment *segment, GError **error)
{
    if (!check_strings(segment, STREAM_TERMS, error) ||
        !check_strings(segment, STREAM_REVERSED, error))
        return false;
    for (unsigned i = 0; i < MK_SORT_TEXTS; i++)
        if (!check_strings(segment, mk_sort_texts[i].keys, error))
            return false;
    for (unsigned i = 0; i < MK_NUMBER_STREAMS; i++)
        if (!check_column(segment, mk_number_streams[i], error))
            return false;
    return check_folders(segment, error) && check_attachments(segment, error) &&
           check_display(segment, error);
}

/* -- counting --------------------------------------------------------------------------- */
typedef struct {
    const MkSegmentInfo *info;
    MkSegment *segment; /* opened anew: what is in memory says nothing about the disk */
    uint64_t *blocks, *errors;
} Check;

/* An error that ends the verification: not what is being counted. */
static bool is_fatal(const GError *error)
{
    return mk_error_code(error) != MK_ERROR_CORRUPT;
}

/* Counts @problem when it says that something is damaged; false when it says something else. */
static bool count_problem(Check *check, GError *problem, GError **error)
{
    if (is_fatal(problem)) {
        g_propagate_error(error, problem);
        return false;
    }
    g_error_free(problem);
    (*check->errors)++;
    return true;
}

static bool open_blocks(Check *check, GError **error)
{
    for (unsigned stream = 0; stream < STREAM_COUNT; stream++) {
        for (uint32_t i = 0; i < check->segment->blocks[stream].count; i++) {
            GError *problem = NULL;
            g_autoptr(MkBlock) block =
                mk_segment_block(check->segment, (MkStreamKind) stream, i, &problem);
            (*check->blocks)++;
            if (block == NULL && !count_problem(check, problem, error))
                return false;
        }
    }
    return true;
}

static bool check_deleted(Check *check, MkTxn *txn, GError **error)
{
    if (check->info->deleted_count == 0)
        return true;
    (*check->blocks)++;
    g_autoptr(MkDocSet) deleted = mk_deleted_load(txn, check->info, error);
    return deleted != NULL;
}

/* A segment with blocks that cannot be opened is not looked at any further. */
static bool check_segment(Check *check, MkTxn *txn, GError **error)
{
    GError *problem = NULL;
    (*check->blocks)++; /* its directory */
    if (check->segment->damaged) {
        (*check->errors)++;
    } else {
        uint64_t before = *check->errors;
        if (!open_blocks(check, error))
            return false;
        if (*check->errors == before && !mk_segment_check(check->segment, &problem) &&
            !count_problem(check, problem, error))
            return false;
    }
    problem = NULL;
    return check_deleted(check, txn, &problem) || count_problem(check, problem, error);
}

/* A merge may take a segment away before it is opened: then there is nothing to verify. */
static bool is_gone(MkIndex *index, uint32_t id)
{
    g_autoptr(MkView) view = mk_view_now(index);
    for (guint i = 0; i < view->manifest.segments->len; i++)
        if (view->segments[i].segment->info.id == id)
            return false;
    return true;
}

static bool check_all(MkIndex *index, const MkManifest *manifest, MkTxn *txn, Check *check,
                      GError **error)
{
    for (guint i = 0; i < manifest->segments->len; i++) {
        check->info = &g_array_index(manifest->segments, MkSegmentInfo, i);
        g_autoptr(MkSegment) segment = mk_segment_open(index, check->info, error);
        if (segment == NULL)
            return false;
        if (segment->damaged && is_gone(index, check->info->id))
            continue;
        segment->cache = NULL;
        check->segment = segment;
        if (!check_segment(check, txn, error))
            return false;
    }
    return true;
}

bool mk_index_verify(MkIndex *index, uint64_t *out_blocks, uint64_t *out_errors, GError **error)
{
    g_auto(MkReadTxn) txn = MK_TXN_INIT;
    g_auto(MkManifest) manifest = MK_MANIFEST_INIT;
    uint64_t blocks = 1, errors = 0; /* the manifest is the first block */
    GError *problem = NULL;

    if (!mk_read_txn_begin(&txn, index->db, error))
        return false;
    Check check = { .blocks = &blocks, .errors = &errors };
    if (!mk_manifest_load(&txn, &manifest, &problem) && !count_problem(&check, problem, error))
        return false;
    if (manifest.segments != NULL && !check_all(index, &manifest, &txn, &check, error))
        return false;
    *out_blocks = blocks;
    *out_errors = errors;
    return true;
}
