#include "filter.h"

static int compare_ids(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;
    return (x > y) - (x < y);
}

void mk_folder_scope_init(MkFolderScope *scope, const MkSearch *search)
{
    scope->all = search->folders == NULL;
    scope->ids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    if (!scope->all && search->folder_count > 0) {
        g_array_append_vals(scope->ids, search->folders, (guint) search->folder_count);
        g_array_sort(scope->ids, compare_ids);
    }
}

void mk_folder_scope_clear(MkFolderScope *scope)
{
    g_clear_pointer(&scope->ids, g_array_unref);
}

bool mk_folder_scope_find(const MkFolderScope *scope, const uint32_t *ids, size_t count,
                          uint32_t *out_folder)
{
    *out_folder = 0;
    if (scope->all) {
        *out_folder = count > 0 ? ids[0] : 0;
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        if (g_array_binary_search(scope->ids, &ids[i], compare_ids, NULL)) {
            *out_folder = ids[i];
            return true;
        }
    }
    return false;
}

typedef struct {
    MkWatch *watch;
    const MkSegment *segment;
    MkDocSet *docs;
} Filter;

/* Looks at the documents from @from up to @end, which are of one block. */
static bool keep_in_block(const Filter *filter, MkColumn *column, uint32_t from, uint32_t end,
                          uint64_t least, uint64_t most, GError **error)
{
    MkDocSet *docs = filter->docs;
    for (uint32_t doc = from; doc < end; doc = mk_doc_set_next(docs, doc + 1)) {
        uint64_t value;
        if (!mk_column_get(column, doc, &value, error))
            return false;
        if (value < least || value > most)
            mk_doc_set_remove(docs, doc);
    }
    return true;
}

/* Of blocks with a range it is mostly known that all of their values are within, or none. */
static bool keep_range(const Filter *filter, MkStreamKind stream, uint64_t least, uint64_t most,
                       GError **error)
{
    const MkColumnRange *ranges = filter->segment->blocks[stream].ranges;
    const MkColumnRange any = { 0, UINT64_MAX };
    g_auto(MkColumn) column = { 0 };
    MkDocSet *docs = filter->docs;
    mk_column_init(&column, filter->watch, filter->segment, stream);
    for (uint32_t doc = mk_doc_set_next(docs, 0), end; doc < docs->size;
         doc = mk_doc_set_next(docs, end)) {
        uint32_t block = doc / MK_INDEX_COLUMN_DOCS;
        const MkColumnRange *range = ranges != NULL ? &ranges[block] : &any;
        end = (uint32_t) MIN(docs->size, ((uint64_t) block + 1) * MK_INDEX_COLUMN_DOCS);
        if (range->least >= least && range->most <= most)
            continue;
        if (range->most < least || range->least > most)
            mk_doc_set_remove_range(docs, doc, end);
        else if (!keep_in_block(filter, &column, doc, end, least, most, error))
            return false;
    }
    return true;
}

static bool keep_times(const Filter *filter, MkStreamKind stream, int64_t from, int64_t to,
                       GError **error)
{
    return (from == 0 && to == 0) ||
           keep_range(filter, stream, mk_column_from_time(from), mk_column_from_time(to), error);
}

static bool keep_flags(const Filter *filter, uint32_t set, uint32_t clear, uint32_t any,
                       GError **error)
{
    g_auto(MkColumn) column = { 0 };
    MkDocSet *docs = filter->docs;
    if (set == 0 && clear == 0 && any == 0)
        return true;
    mk_column_init(&column, filter->watch, filter->segment, STREAM_FLAGS);
    for (uint32_t doc = mk_doc_set_next(docs, 0); doc < docs->size;
         doc = mk_doc_set_next(docs, doc + 1)) {
        uint64_t flags;
        if (!mk_column_get(&column, doc, &flags, error))
            return false;
        if ((flags & set) != set || (flags & clear) != 0 || (any != 0 && (flags & any) == 0))
            mk_doc_set_remove(docs, doc);
    }
    return true;
}

/* Which of the block's sets are in scope: asked once a block, not for each mail. */
static void judge_sets(const MkFolderColumn *column, const MkFolderScope *scope, GByteArray *out)
{
    g_byte_array_set_size(out, column->ends->len);
    for (uint32_t set = 0; set < column->ends->len; set++) {
        size_t count;
        uint32_t folder;
        const uint32_t *ids = mk_folder_column_ids(column, set, &count);
        out->data[set] = mk_folder_scope_find(scope, ids, count, &folder);
    }
}

static bool keep_folders(const Filter *filter, const MkFolderScope *scope, GError **error)
{
    g_auto(MkFolderColumn) column = { 0 };
    g_autoptr(GByteArray) allowed = g_byte_array_new();
    MkDocSet *docs = filter->docs;
    if (scope->all)
        return true;
    mk_folder_column_init(&column, filter->watch, filter->segment);
    for (uint32_t doc = mk_doc_set_next(docs, 0); doc < docs->size;
         doc = mk_doc_set_next(docs, doc + 1)) {
        uint32_t set;
        bool loaded;
        if (!mk_folder_column_get(&column, doc, &set, &loaded, error))
            return false;
        if (loaded)
            judge_sets(&column, scope, allowed);
        if (!allowed->data[set])
            mk_doc_set_remove(docs, doc);
    }
    return true;
}

bool mk_filter(MkWatch *watch, const MkSegment *segment, const MkSearch *search,
               const MkFolderScope *scope, MkDocSet *docs, GError **error)
{
    Filter filter = { watch, segment, docs };
    uint64_t most = search->size_max_bytes > 0 ? search->size_max_bytes : UINT64_MAX;
    bool sized = search->size_min_bytes > 0 || search->size_max_bytes > 0;
    return (search->conversation == 0 ||
            keep_range(&filter, STREAM_CONVERSATION, search->conversation, search->conversation,
                       error)) &&
           keep_folders(&filter, scope, error) &&
           keep_times(&filter, STREAM_DATE, search->date_from_unix_ms, search->date_to_unix_ms,
                      error) &&
           keep_times(&filter, STREAM_ARCHIVED, search->archived_from_unix_ms,
                      search->archived_to_unix_ms, error) &&
           (!sized || keep_range(&filter, STREAM_SIZE, search->size_min_bytes, most, error)) &&
           keep_flags(&filter, search->flags_set, search->flags_clear, search->flags_any, error);
}
