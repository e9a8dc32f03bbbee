/*
 * rank.c - from the mails that match to the first of them
 *
 * The blocks of the column are visited in the order of the best value they have. Once the heap
 * is full and the best of a block is behind the last that is kept, all others are too: of a
 * million mails sorted by date the newest fifty lie in one block or two.
 */
#include "rank.h"

typedef struct {
    MkColumn keys, dates, numbers;
    bool by_date; /* keys are dates */
    uint32_t place;
} Reader;

static void reader_init(Reader *reader, const MkRank *rank, uint32_t place)
{
    const MkSegment *segment = rank->view->segments[place].segment;
    reader->by_date = rank->keys == STREAM_DATE;
    reader->place = place;
    mk_column_init(&reader->keys, rank->watch, segment, rank->keys);
    mk_column_init(&reader->dates, rank->watch, segment, STREAM_DATE);
    mk_column_init(&reader->numbers, rank->watch, segment, STREAM_NUMBER);
}

static void reader_clear(Reader *reader)
{
    mk_column_clear(&reader->keys);
    mk_column_clear(&reader->dates);
    mk_column_clear(&reader->numbers);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reader, reader_clear)

/* Date and number break ties; they are read only for what has a chance. */
static bool offer(Reader *reader, uint32_t doc, MkTop *top, GError **error)
{
    MkRanked hit = { .segment = reader->place, .doc = doc };
    uint64_t number;
    if (!mk_column_get(&reader->keys, doc, &hit.key, error))
        return false;
    if (!mk_top_wants(top, hit.key))
        return true;
    hit.date = hit.key;
    if (!reader->by_date && !mk_column_get(&reader->dates, doc, &hit.date, error))
        return false;
    if (!mk_column_get(&reader->numbers, doc, &number, error))
        return false;
    hit.number = (uint32_t) number;
    mk_top_add(top, &hit);
    return true;
}

static bool offer_range(Reader *reader, const MkDocSet *docs, uint32_t from, uint32_t end,
                        MkTop *top, GError **error)
{
    for (uint32_t doc = mk_doc_set_next(docs, from); doc < end;
         doc = mk_doc_set_next(docs, doc + 1))
        if (!offer(reader, doc, top, error))
            return false;
    return true;
}

bool mk_rank_segment(const MkRank *rank, uint32_t place, const MkDocSet *docs, MkTop *top,
                     GError **error)
{
    g_auto(Reader) reader = { 0 };
    reader_init(&reader, rank, place);
    return offer_range(&reader, docs, 0, docs->size, top, error);
}

/* -- block by block -------------------------------------------------------------------------- */
typedef struct {
    uint64_t best;
    uint32_t place, block;
} Candidate;

static int compare_candidates(const void *a, const void *b)
{
    const Candidate *x = a, *y = b;
    if (x->best != y->best)
        return x->best > y->best ? 1 : -1;
    if (x->place != y->place)
        return x->place > y->place ? 1 : -1;
    return (x->block > y->block) - (x->block < y->block);
}

static uint32_t block_end(const MkDocSet *docs, uint32_t block)
{
    return (uint32_t) MIN(docs->size, ((uint64_t) block + 1) * MK_INDEX_COLUMN_DOCS);
}

/* Blocks with a document that matches; the best are the last. */
static void add_candidates(const MkRank *rank, uint32_t place, const MkDocSet *docs, bool ascending,
                           GArray *out)
{
    const MkBlockPlaces *blocks = &rank->view->segments[place].segment->blocks[rank->keys];
    for (uint32_t doc = mk_doc_set_next(docs, 0); doc < docs->size;) {
        uint32_t block = doc / MK_INDEX_COLUMN_DOCS;
        const MkColumnRange *range = &blocks->ranges[block];
        Candidate candidate = { ascending ? UINT64_MAX - range->least : range->most, place, block };
        g_array_append_val(out, candidate);
        doc = mk_doc_set_next(docs, block_end(docs, block));
    }
}

bool mk_rank_all(const MkRank *rank, const GPtrArray *sets, MkTop *top, GError **error)
{
    g_autoptr(GArray) candidates = g_array_new(FALSE, FALSE, sizeof(Candidate));
    g_auto(Reader) reader = { .place = UINT32_MAX };
    for (guint i = 0; i < sets->len; i++)
        add_candidates(rank, i, sets->pdata[i], top->ascending, candidates);
    g_array_sort(candidates, compare_candidates);
    for (guint i = candidates->len; i-- > 0;) {
        const Candidate *candidate = &g_array_index(candidates, Candidate, i);
        const MkDocSet *docs = sets->pdata[candidate->place];
        uint64_t best = top->ascending ? UINT64_MAX - candidate->best : candidate->best;
        if (!mk_top_wants(top, best))
            return true;
        if (reader.place != candidate->place) {
            reader_clear(&reader);
            reader_init(&reader, rank, candidate->place);
        }
        if (!offer_range(&reader, docs, candidate->block * MK_INDEX_COLUMN_DOCS,
                         block_end(docs, candidate->block), top, error))
            return false;
    }
    return true;
}
