#include "filter.h"

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

/* Of few documents their own folders are looked at; of more the set made for the whole segment. */
#define FEW_DOCS 128

static bool keep_folders(const Filter *filter, const MkFolderScope *scope, GError **error)
{
    if (scope->all)
        return true;
    g_autoptr(MkDocSet) allowed = mk_scope_known(scope, filter->segment);
    if (allowed == NULL && mk_doc_set_count(filter->docs) <= FEW_DOCS)
        return mk_scope_keep(scope, filter->watch, filter->segment, filter->docs, error);
    if (allowed == NULL)
        allowed = mk_scope_docs(scope, filter->watch, filter->segment, error);
    if (allowed == NULL)
        return false;
    mk_doc_set_and(filter->docs, allowed);
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
