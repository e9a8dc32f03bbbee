#include "match.h"

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

/* Documents that have all the pieces, wherever. */
static MkDocSet *candidates(const MkMatch *match, unsigned field, const MkDocSet *within,
                            GError **error)
{
    g_autoptr(MkDocSet) all = mk_doc_set_new(within->size, false);
    guint order[MK_LIMIT_QUERY_TERM_TOKENS];
    mk_doc_set_or(all, within);
    order_pieces(match, field, order);
    for (guint i = 0; i < match->piece_count; i++) {
        g_autoptr(MkDocSet) docs = mk_doc_set_new(within->size, false);
        if (is_gap(match, order[i]))
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

/* Reads the positions of a group's documents and keeps those of documents wanted. */
static bool add_group(const MkDocGroups *groups, const GByteArray *positions,
                      const MkDocSet *within, uint32_t from, GArray *out)
{
    MkReader reader = mk_reader(positions->data, positions->len);
    unsigned begun = 0;
    uint64_t position = 0, doc = 0, value;
    bool wanted = false;
    guint count = out->len;
    g_array_set_size(out, count + positions->len); /* no more of them than octets */
    uint64_t *places = (uint64_t *) (void *) out->data;
    while (reader.length > 0) {
        if (!take_varint(&reader, &value))
            return false;
        if (value & 1) {
            if (begun == groups->count)
                return false;
            position = 0;
            wanted = in_window(within, from, groups->docs[begun]);
            doc = (uint64_t) groups->docs[begun++] << 32;
        }
        position += value >> 1;
        if (begun == 0 || position > UINT32_MAX)
            return false;
        places[count] = doc | position;
        count += wanted;
    }
    g_array_set_size(out, count);
    return begun == groups->count;
}

static bool group_wanted(const MkDocGroups *groups, const MkDocSet *within, uint32_t from)
{
    for (unsigned i = 0; i < groups->count; i++)
        if (in_window(within, from, groups->docs[i]))
            return true;
    return false;
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
        uint64_t offset, length;
        if (groups.docs[0] >= from && groups.docs[0] - from >= MK_MATCH_WINDOW)
            return true;
        if (!group_wanted(&groups, within, from))
            continue;
        if (!mk_doc_groups_positions(&groups, ref, &offset, &length))
            return mk_index_corrupt(error);
        if (!mk_octets_read(&readers->positions, offset, length, readers->position_octets, error))
            return false;
        if (!add_group(&groups, readers->position_octets, within, from, out))
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

bool mk_match_starts(const MkMatch *match, unsigned field, const MkDocSet *within, uint32_t from,
                     GArray *out, GError **error)
{
    g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    if (!piece_places(match, 0, field, within, from, out, error))
        return false;
    for (guint i = 1; i < match->piece_count && out->len > 0; i++) {
        if (is_gap(match, i))
            continue;
        if (!piece_places(match, i, field, within, from, places, error))
            return false;
        keep_followed(out, places, i);
    }
    return true;
}
