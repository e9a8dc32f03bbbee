#include <mailkeep/limits.h>

#include "group.h"

/* Free room for rows beside those kept: the fewer clearings the larger. */
#define SPARE_ROWS 256
#define FIRST_SLOTS 1024

/* -- first rows ----------------------------------------------------------------------------- */
void mk_group_top_init(MkGroupTop *top, bool ascending, uint64_t limit)
{
    *top = (MkGroupTop){ .ascending = ascending,
                         .limit = limit,
                         .rows = g_array_new(FALSE, FALSE, sizeof(MkRanked)) };
}

void mk_group_top_clear(MkGroupTop *top)
{
    g_clear_pointer(&top->rows, g_array_unref);
}

static gint compare_rows(gconstpointer a, gconstpointer b, gpointer top)
{
    return mk_ranked_compare(((const MkGroupTop *) top)->ascending, a, b);
}

/* A group's later mails go: once its first one is behind the last row kept, it is out for good. */
void mk_group_top_sort(MkGroupTop *top)
{
    g_autoptr(GHashTable) groups = g_hash_table_new(NULL, NULL);
    guint kept = 0;
    g_array_sort_with_data(top->rows, compare_rows, top);
    for (guint i = 0; i < top->rows->len && kept < top->limit; i++) {
        const MkRanked *row = &g_array_index(top->rows, MkRanked, i);
        if (row->group == 0 || g_hash_table_add(groups, GSIZE_TO_POINTER(row->group)))
            g_array_index(top->rows, MkRanked, kept++) = *row;
    }
    g_array_set_size(top->rows, kept);
    top->full = kept > 0 && kept == top->limit;
    if (top->full)
        top->last = g_array_index(top->rows, MkRanked, kept - 1);
}

void mk_group_top_add(MkGroupTop *top, const MkRanked *hit)
{
    if (top->full && mk_ranked_compare(top->ascending, &top->last, hit) <= 0)
        return;
    g_array_append_vals(top->rows, hit, 1);
    if (top->rows->len >= 2 * top->limit + SPARE_ROWS)
        mk_group_top_sort(top);
}

/* -- which groups there are ------------------------------------------------------------------- */
static inline size_t slot_of(const MkNumberSet *set, uint64_t number)
{
    return (size_t) (number * UINT64_C(0x9E3779B97F4A7C15) >> 20) & set->mask;
}

/* True when it is new. */
static bool insert(MkNumberSet *set, uint64_t number)
{
    size_t slot = slot_of(set, number);
    for (; set->slots[slot] != 0; slot = (slot + 1) & set->mask)
        if (set->slots[slot] == number)
            return false;
    set->slots[slot] = number;
    set->count++;
    return true;
}

/* Room for @count more: what is not used of it costs no memory. */
static void reserve(MkNumberSet *set, uint64_t count)
{
    MkNumberSet larger = { .mask = set->mask };
    while ((larger.mask + 1) / 4 * 3 < set->count + count)
        larger.mask = 2 * larger.mask + 1;
    if (larger.mask == set->mask)
        return;
    larger.slots = g_new0(uint64_t, larger.mask + 1);
    for (size_t i = 0; i <= set->mask; i++)
        if (set->slots[i] != 0)
            insert(&larger, set->slots[i]);
    g_free(set->slots);
    *set = larger;
}

void mk_grouping_init(MkGrouping *grouping, const MkSearch *search, MkWatch *watch,
                      MkStreamKind keys)
{
    grouping->search = search;
    grouping->watch = watch;
    grouping->keys = keys;
    grouping->docs = g_ptr_array_new_with_free_func((GDestroyNotify) mk_doc_set_unref);
    grouping->seen = (MkNumberSet){ g_new0(uint64_t, FIRST_SLOTS), FIRST_SLOTS - 1, 0 };
}

void mk_grouping_clear(MkGrouping *grouping)
{
    g_clear_pointer(&grouping->docs, g_ptr_array_unref);
    g_free(grouping->seen.slots);
}

/* -- mails ------------------------------------------------------------------------------ */
/* The columns of one segment. */
typedef struct {
    uint32_t place;
    MkColumn groups, keys, dates, numbers;
} Reader;

static void reader_init(Reader *reader, const MkGrouping *grouping, uint32_t place)
{
    const MkSegment *segment = grouping->view->segments[place].segment;
    bool copies = grouping->search->group == MK_GROUP_COPIES;
    reader->place = place;
    mk_column_init(&reader->groups, grouping->watch, segment,
                   copies ? STREAM_COPY : STREAM_CONVERSATION);
    mk_column_init(&reader->keys, grouping->watch, segment, grouping->keys);
    mk_column_init(&reader->dates, grouping->watch, segment, STREAM_DATE);
    mk_column_init(&reader->numbers, grouping->watch, segment, STREAM_NUMBER);
}

static void reader_clear(Reader *reader)
{
    mk_column_clear(&reader->groups);
    mk_column_clear(&reader->keys);
    mk_column_clear(&reader->dates);
    mk_column_clear(&reader->numbers);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reader, reader_clear)

/* What is left to know of a mail whose key is known. */
static bool read_rest(Reader *reader, uint32_t doc, MkRanked *hit, GError **error)
{
    uint64_t number;
    if (!mk_column_get(&reader->dates, doc, &hit->date, error) ||
        !mk_column_get(&reader->numbers, doc, &number, error))
        return false;
    hit->number = (uint32_t) number;
    hit->segment = reader->place;
    hit->doc = doc;
    return true;
}

static bool is_behind(const MkGroupTop *top, uint64_t key)
{
    return top->full && (top->ascending ? key > top->last.key : key < top->last.key);
}

/* The last document before @below; the size when there is none. */
static uint32_t doc_before(const MkDocSet *docs, uint32_t below)
{
    uint32_t word = below / 64;
    uint64_t bits = below % 64 == 0 ? 0 : docs->words[word] << (64 - below % 64);
    if (bits != 0)
        return below - 1 - (uint32_t) __builtin_clzll(bits);
    while (word-- > 0)
        if (docs->words[word] != 0)
            return word * 64 + 63 - (uint32_t) __builtin_clzll(docs->words[word]);
    return docs->size;
}

/* Later mails have higher numbers, so the newest first are best sought from the end. */
static uint32_t first_of(const MkDocSet *docs, bool ascending)
{
    return ascending ? mk_doc_set_next(docs, 0) : doc_before(docs, docs->size);
}

static uint32_t next_of(const MkDocSet *docs, uint32_t doc, bool ascending)
{
    return ascending ? mk_doc_set_next(docs, doc + 1) : doc_before(docs, doc);
}

bool mk_grouping_add(MkGrouping *grouping, MkDocSet *docs, MkGroupTop *top, GError **error)
{
    bool ascending = grouping->search->ascending;
    g_auto(Reader) reader = { 0 };
    reader_init(&reader, grouping, grouping->docs->len);
    g_ptr_array_add(grouping->docs, docs);
    reserve(&grouping->seen, mk_doc_set_count(docs));
    for (uint32_t doc = first_of(docs, ascending); doc < docs->size;
         doc = next_of(docs, doc, ascending)) {
        MkRanked hit = { 0 };
        if (!mk_column_get(&reader.groups, doc, &hit.group, error))
            return false;
        if (hit.group == 0 || insert(&grouping->seen, hit.group))
            grouping->row_count++;
        if (top == NULL)
            continue;
        if (!mk_column_get(&reader.keys, doc, &hit.key, error))
            return false;
        if (is_behind(top, hit.key))
            continue;
        if (!read_rest(&reader, doc, &hit, error))
            return false;
        mk_group_top_add(top, &hit);
    }
    return true;
}

/* -- mails of the rows of a page --------------------------------------------------------------- */
/* Bits for the groups wanted, so that most mails need no look into the table. */
#define SIEVE_BITS (1u << 16)

typedef struct {
    GHashTable *rows; /* group -> place + 1 */
    uint8_t *sieve;
    MkTop *tops; /* the first mails of each row's group */
    guint row_count;
    GArray *counts;
} Wanted;

static void wanted_init(Wanted *wanted, const MkRanked *rows, guint row_count, bool ascending,
                        GArray *counts)
{
    *wanted = (Wanted){ .rows = g_hash_table_new(NULL, NULL),
                        .sieve = g_malloc0(SIEVE_BITS / 8),
                        .tops = g_new0(MkTop, row_count + 1),
                        .row_count = row_count,
                        .counts = counts };
    g_array_set_size(counts, row_count);
    for (guint i = 0; i < row_count; i++) {
        uint64_t group = rows[i].group;
        g_array_index(counts, uint32_t, i) = group == 0 ? 1 : 0;
        mk_top_init(&wanted->tops[i], ascending, MK_LIMIT_GROUP_NUMBERS + 1);
        if (group == 0)
            continue;
        g_hash_table_insert(wanted->rows, GSIZE_TO_POINTER(group), GUINT_TO_POINTER(i + 1));
        wanted->sieve[group % SIEVE_BITS / 8] |= (uint8_t) (1u << (group % 8));
    }
}

static void wanted_clear(Wanted *wanted)
{
    g_hash_table_unref(wanted->rows);
    g_free(wanted->sieve);
    for (guint i = 0; i < wanted->row_count; i++)
        mk_top_clear(&wanted->tops[i]);
    g_free(wanted->tops);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Wanted, wanted_clear)

/* The row's place + 1; 0 when none is of this group. */
static inline guint wanted_row(const Wanted *wanted, uint64_t group)
{
    if (!(wanted->sieve[group % SIEVE_BITS / 8] >> (group % 8) & 1))
        return 0;
    return GPOINTER_TO_UINT(g_hash_table_lookup(wanted->rows, GSIZE_TO_POINTER(group)));
}

static bool collect(MkGrouping *grouping, uint32_t place, Wanted *wanted, GError **error)
{
    const MkDocSet *docs = grouping->docs->pdata[place];
    g_auto(Reader) reader = { 0 };
    reader_init(&reader, grouping, place);
    for (uint32_t doc = mk_doc_set_next(docs, 0); doc < docs->size;
         doc = mk_doc_set_next(docs, doc + 1)) {
        MkRanked hit = { 0 };
        if (!mk_column_get(&reader.groups, doc, &hit.group, error))
            return false;
        guint row = wanted_row(wanted, hit.group);
        if (row == 0)
            continue;
        g_array_index(wanted->counts, uint32_t, row - 1)++;
        if (!mk_column_get(&reader.keys, doc, &hit.key, error) ||
            !read_rest(&reader, doc, &hit, error))
            return false;
        mk_top_add(&wanted->tops[row - 1], &hit);
    }
    return true;
}

static void hand_over(Wanted *wanted, GArray *out)
{
    for (guint i = 0; i < wanted->row_count; i++) {
        GArray *heap = wanted->tops[i].heap;
        g_array_append_vals(out, heap->data, heap->len);
        g_array_set_size(heap, 0);
    }
}

bool mk_grouping_members(MkGrouping *grouping, const MkRanked *rows, guint row_count,
                         GArray *out_members, GArray *out_counts, GError **error)
{
    /* Ranks of different segments must not meet in one heap (search.c). */
    bool ranks = mk_sort_text_find(grouping->search->sort) < MK_SORT_TEXTS;
    g_auto(Wanted) wanted = { 0 };
    wanted_init(&wanted, rows, row_count, grouping->search->ascending, out_counts);
    for (guint place = 0; place < grouping->docs->len; place++) {
        if (g_hash_table_size(wanted.rows) > 0 && !collect(grouping, place, &wanted, error))
            return false;
        if (ranks)
            hand_over(&wanted, out_members);
    }
    hand_over(&wanted, out_members);
    return true;
}

void mk_grouping_assign(const MkRanked *rows, const GArray *members, const GArray *counts,
                        GPtrArray *hits)
{
    g_autoptr(GHashTable) places = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < hits->len; i++) {
        MkHit *hit = hits->pdata[i];
        hit->group_count = g_array_index(counts, uint32_t, i);
        if (rows[i].group != 0)
            g_hash_table_insert(places, GSIZE_TO_POINTER(rows[i].group), hit);
    }
    for (guint i = 0; i < members->len; i++) {
        const MkRanked *member = &g_array_index(members, MkRanked, i);
        MkHit *hit = g_hash_table_lookup(places, GSIZE_TO_POINTER(member->group));
        if (member->number == hit->number)
            continue;
        if (hit->group_numbers == NULL)
            hit->group_numbers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        if (hit->group_numbers->len < MK_LIMIT_GROUP_NUMBERS)
            g_array_append_val(hit->group_numbers, member->number);
    }
}
