#include "match.h"

/* A piece that more than a third of all documents have. */
#define EVERYWHERE_SHARE 3

static void free_refs(gpointer refs)
{
    g_array_unref(refs);
}

bool mk_match_init(MkMatch *match, const MkEvaluation *evaluation, const MkClause *clause,
                   unsigned fields, GError **error)
{
    match->evaluation = evaluation;
    match->clause = clause;
    match->piece_count = clause->pieces->len;
    match->refs = g_ptr_array_new_with_free_func(free_refs);
    for (guint i = 0; i < match->piece_count; i++) {
        const MkQueryPiece *piece = clause->pieces->pdata[i];
        GArray *refs = g_array_new(FALSE, FALSE, sizeof(MkTermRef));
        g_ptr_array_add(match->refs, refs);
        if ((piece->kind != PIECE_ANY || match->piece_count == 1) &&
            !mk_expand(evaluation, piece, fields, refs, error))
            return false;
    }
    return true;
}

void mk_match_clear(MkMatch *match)
{
    g_clear_pointer(&match->refs, g_ptr_array_unref);
}

static bool is_gap(const MkMatch *match, guint piece)
{
    const MkQueryPiece *what = match->clause->pieces->pdata[piece];
    return what->kind == PIECE_ANY && match->piece_count > 1;
}

/* The documents of all postings of one piece in @field. */
static bool add_piece_docs(const MkMatch *match, guint piece, unsigned field,
                           const MkDocSet *within, MkDocSet *out, GError **error)
{
    const MkEvaluation *evaluation = match->evaluation;
    const GArray *refs = match->refs->pdata[piece];
    g_auto(MkOctets) octets = { 0 };
    g_autoptr(GByteArray) docs = g_byte_array_new();

    mk_octets_init(&octets, evaluation->watch, evaluation->segment, STREAM_DOCS);
    for (guint i = 0; i < refs->len; i++) {
        const MkTermRef *ref = &g_array_index(refs, MkTermRef, i);
        MkDocGroups groups;
        if (ref->field != field)
            continue;
        if (!mk_octets_read(&octets, ref->docs_offset, ref->docs_length, docs, error))
            return false;
        mk_doc_groups_init(&groups, docs, ref->doc_count, out->size);
        while (mk_doc_groups_next(&groups, within))
            for (unsigned k = 0; k < groups.count; k++)
                mk_doc_set_add(out, groups.docs[k]);
        if (groups.reader.failed)
            return mk_index_corrupt(error);
    }
    return true;
}

static uint64_t piece_weight(const MkMatch *match, guint piece, unsigned field)
{
    const GArray *refs = match->refs->pdata[piece];
    uint64_t docs = 0;
    for (guint i = 0; i < refs->len; i++)
        if (g_array_index(refs, MkTermRef, i).field == field)
            docs += g_array_index(refs, MkTermRef, i).doc_count;
    return docs;
}

/* The pieces by how many documents they stand in: what the rare ones leave of a frequent one is
 * soon found, a domain's name behind a user's most of all. */
static void order_pieces(const MkMatch *match, unsigned field, guint *order)
{
    uint64_t weights[MK_LIMIT_QUERY_TERM_TOKENS];
    for (guint i = 0; i < match->piece_count; i++) {
        guint place = i;
        weights[i] = piece_weight(match, i, field);
        for (; place > 0 && weights[order[place - 1]] > weights[i]; place--)
            order[place] = order[place - 1];
        order[place] = i;
    }
}

/* Looking who has such a piece would leave nearly all: its places tell as well. */
static bool is_everywhere(const MkMatch *match, guint piece, unsigned field, const MkDocSet *within)
{
    return piece_weight(match, piece, field) > within->size / EVERYWHERE_SHARE;
}

/* Documents that have all the pieces but those that nearly every one has, wherever. */
static MkDocSet *candidates(const MkMatch *match, unsigned field, const MkDocSet *within,
                            GError **error)
{
    g_autoptr(MkDocSet) all = mk_doc_set_new(within->size, false);
    guint order[MK_LIMIT_QUERY_TERM_TOKENS];
    mk_doc_set_or(all, within);
    order_pieces(match, field, order);
    for (guint i = 0; i < match->piece_count; i++) {
        g_autoptr(MkDocSet) docs = mk_doc_set_new(within->size, false);
        if (is_gap(match, order[i]) || (i > 0 && is_everywhere(match, order[i], field, within)))
            continue;
        if (!add_piece_docs(match, order[i], field, all, docs, error))
            return NULL;
        mk_doc_set_and(all, docs);
    }
    return g_steal_pointer(&all);
}

/* Has every piece a document in @field at all? Rare words have none in most of the fields. */
static bool is_possible(const MkMatch *match, unsigned field)
{
    for (guint i = 0; i < match->piece_count; i++)
        if (!is_gap(match, i) && piece_weight(match, i, field) == 0)
            return false;
    return true;
}

bool mk_match_docs(const MkMatch *match, unsigned field, const MkDocSet *within, MkDocSet *out,
                   GError **error)
{
    if (!is_possible(match, field))
        return true;
    if (match->piece_count == 1) /* what is outside of @within matches too and does no harm */
        return add_piece_docs(match, 0, field, within, out, error);
    g_autoptr(MkDocSet) all = candidates(match, field, within, error);
    g_autoptr(GArray) starts = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    if (all == NULL)
        return false;
    for (uint32_t from = mk_doc_set_next(all, 0); from < all->size;
         from = mk_doc_set_next(all, from + MIN(MK_MATCH_WINDOW, all->size - from))) {
        if (!mk_match_starts(match, field, all, from, starts, error))
            return false;
        for (guint i = 0; i < starts->len; i++)
            mk_doc_set_add(out, (uint32_t) (g_array_index(starts, uint64_t, i) >> 32));
    }
    return true;
}

/* -- positions ---------------------------------------------------------------------------- */
static bool in_window(const MkDocSet *within, uint32_t from, uint32_t doc)
{
    return doc >= from && doc - from < MK_MATCH_WINDOW && mk_doc_set_has(within, doc);
}

/* Most positions take one octet or two: this is where phrases spend their time. */
static inline bool take_varint(MkReader *reader, uint64_t *out)
{
    const uint8_t *at = reader->data;
    if (reader->length >= 2 && (at[0] < 0x80 || (at[1] < 0x80 && at[1] > 0))) {
        bool one = at[0] < 0x80;
        *out = one ? at[0] : (at[0] & 0x7Fu) | (uint64_t) at[1] << 7;
        reader->data += one ? 1 : 2;
        reader->length -= one ? 1 : 2;
        return true;
    }
    *out = mk_read_varint(reader);
    return !reader->failed;
}

/* Behind the positions of one document, which begin at @at; NULL when the form is wrong. */
static const uint8_t *skip_places(const uint8_t *at, const uint8_t *end)
{
    do {
        while (at < end && *at >= 0x80)
            at++;
        if (at == end)
            return NULL;
        at++;
    } while (at < end && (*at & 1) == 0);
    return at;
}

/* The same, and keeps them. */
static const uint8_t *take_places(const uint8_t *at, const uint8_t *end, uint32_t doc, GArray *out)
{
    MkReader reader = mk_reader(at, (size_t) (end - at));
    uint64_t position = 0, value;
    do {
        if (!take_varint(&reader, &value))
            return NULL;
        position += value >> 1;
        if (position > UINT32_MAX)
            return NULL;
        uint64_t place = (uint64_t) doc << 32 | position;
        g_array_append_val(out, place);
    } while (reader.length > 0 && (*reader.data & 1) == 0);
    return reader.data;
}

/* Keeps the positions of the documents wanted, which are below @end_wanted in the group. */
static bool add_group(const MkDocGroups *groups, unsigned end_wanted, const GByteArray *positions,
                      const MkDocSet *within, uint32_t from, GArray *out)
{
    if (positions->len == 0)
        return end_wanted == 0;
    const uint8_t *at = positions->data, *end = at + positions->len;
    for (unsigned i = 0; i < end_wanted; i++) {
        uint32_t doc = groups->docs[i];
        if (at == end || (*at & 1) == 0)
            return false;
        at = in_window(within, from, doc) ? take_places(at, end, doc, out) : skip_places(at, end);
        if (at == NULL)
            return false;
    }
    return true;
}

/* Behind the last document of the group that is wanted; 0 when none is. */
static unsigned wanted_end(const MkDocGroups *groups, const MkDocSet *within, uint32_t from)
{
    unsigned end = groups->count;
    while (end > 0 && !in_window(within, from, groups->docs[end - 1]))
        end--;
    return end;
}

typedef struct {
    MkOctets docs, positions;
    GByteArray *docs_octets, *position_octets;
} Readers;

static void readers_clear(Readers *readers)
{
    mk_octets_clear(&readers->docs);
    mk_octets_clear(&readers->positions);
    g_byte_array_unref(readers->docs_octets);
    g_byte_array_unref(readers->position_octets);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Readers, readers_clear)

static void readers_init(Readers *readers, const MkEvaluation *evaluation)
{
    mk_octets_init(&readers->docs, evaluation->watch, evaluation->segment, STREAM_DOCS);
    mk_octets_init(&readers->positions, evaluation->watch, evaluation->segment, STREAM_POSITIONS);
    readers->docs_octets = g_byte_array_new();
    readers->position_octets = g_byte_array_new();
}

static bool add_positions(Readers *readers, const MkTermRef *ref, const MkDocSet *within,
                          uint32_t from, GArray *out, GError **error)
{
    MkDocGroups groups;
    if (!mk_octets_read(&readers->docs, ref->docs_offset, ref->docs_length, readers->docs_octets,
                        error))
        return false;
    mk_doc_groups_init(&groups, readers->docs_octets, ref->doc_count, within->size);
    while (mk_doc_groups_next(&groups, within)) {
        unsigned end = wanted_end(&groups, within, from);
        uint64_t offset, length;
        if (groups.docs[0] >= from && groups.docs[0] - from >= MK_MATCH_WINDOW)
            return true;
        if (end == 0)
            continue;
        if (!mk_doc_groups_positions(&groups, ref, &offset, &length))
            return mk_index_corrupt(error);
        if (!mk_octets_read(&readers->positions, offset, length, readers->position_octets, error))
            return false;
        if (!add_group(&groups, end, readers->position_octets, within, from, out))
            return mk_index_corrupt(error);
    }
    return !groups.reader.failed || mk_index_corrupt(error);
}

static int compare_places(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;
    return (x > y) - (x < y);
}

static bool piece_places(const MkMatch *match, guint piece, unsigned field, const MkDocSet *within,
                         uint32_t from, GArray *out, GError **error)
{
    const GArray *refs = match->refs->pdata[piece];
    g_auto(Readers) readers = { 0 };
    unsigned used = 0;
    readers_init(&readers, match->evaluation);
    g_array_set_size(out, 0);
    for (guint i = 0; i < refs->len; i++) {
        const MkTermRef *ref = &g_array_index(refs, MkTermRef, i);
        if (ref->field != field)
            continue;
        used++;
        if (!add_positions(&readers, ref, within, from, out, error))
            return false;
    }
    if (used > 1 && out->len > 1)
        qsort(out->data, out->len, sizeof(uint64_t), compare_places);
    return true;
}

/* Where a match would begin that has its piece number @piece at these places. */
static void to_starts(GArray *places, guint piece)
{
    guint kept = 0;
    for (guint i = 0; i < places->len; i++) {
        uint64_t place = g_array_index(places, uint64_t, i);
        if ((uint32_t) place >= piece)
            g_array_index(places, uint64_t, kept++) = place - piece;
    }
    g_array_set_size(places, kept);
}

/* Keeps the starts that have a place @distance behind them. Both ascend. */
static void keep_followed(GArray *starts, const GArray *places, guint distance)
{
    guint kept = 0, at = 0;
    for (guint i = 0; i < starts->len; i++) {
        uint64_t start = g_array_index(starts, uint64_t, i);
        while (at < places->len && g_array_index(places, uint64_t, at) < start + distance)
            at++;
        if (at < places->len && g_array_index(places, uint64_t, at) == start + distance)
            g_array_index(starts, uint64_t, kept++) = start;
    }
    g_array_set_size(starts, kept);
}

static void mark_docs(const GArray *starts, MkDocSet *docs, bool marked)
{
    for (guint i = 0; i < starts->len; i++) {
        uint32_t doc = (uint32_t) (g_array_index(starts, uint64_t, i) >> 32);
        if (marked)
            mk_doc_set_add(docs, doc);
        else
            mk_doc_set_remove(docs, doc);
    }
}

/* Of the starts so far those that have this piece too: only their documents are looked at. */
static bool keep_with_piece(const MkMatch *match, guint piece, unsigned field, MkDocSet *docs,
                            uint32_t from, GArray *starts, GArray *places, GError **error)
{
    mark_docs(starts, docs, true);
    bool ok = piece_places(match, piece, field, docs, from, places, error);
    mark_docs(starts, docs, false);
    if (ok)
        keep_followed(starts, places, piece);
    return ok;
}

bool mk_match_starts(const MkMatch *match, unsigned field, const MkDocSet *within, uint32_t from,
                     GArray *out, GError **error)
{
    g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_autoptr(MkDocSet) docs = NULL;
    guint order[MK_LIMIT_QUERY_TERM_TOKENS] = { 0 }, at = 0;

    order_pieces(match, field, order);
    while (is_gap(match, order[at])) /* the first and the last are none */
        at++;
    if (!piece_places(match, order[at], field, within, from, out, error))
        return false;
    to_starts(out, order[at]);
    while (++at < match->piece_count && out->len > 0) {
        if (is_gap(match, order[at]))
            continue;
        if (docs == NULL)
            docs = mk_doc_set_new(within->size, false);
        if (!keep_with_piece(match, order[at], field, docs, from, out, places, error))
            return false;
    }
    return true;
}
