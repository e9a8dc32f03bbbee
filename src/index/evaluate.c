/*
 * evaluate.c - a whole query on one segment
 */
#include "match.h"

#define BIT(field) MK_FIELD_BIT(field)
#define ADDRESS_FIELDS                                                              \
    (BIT(MK_FIELD_FROM) | BIT(MK_FIELD_TO) | BIT(MK_FIELD_CC) | BIT(MK_FIELD_BCC) | \
     BIT(MK_FIELD_ENVELOPE))
#define RECIPIENT_FIELDS (ADDRESS_FIELDS & ~BIT(MK_FIELD_FROM))

/* -- what is asked ------------------------------------------------------------------------ */
/* Clauses of the words typed for an address count as if they had its prefix. */
static void add_demands(const MkQuery *query, unsigned unprefixed, bool words, unsigned allowed,
                        GArray *out)
{
    for (guint i = 0; query != NULL && i < query->clauses->len; i++) {
        const MkClause *clause = query->clauses->pdata[i];
        unsigned fields = mk_clause_fields(clause, unprefixed);
        bool open = words && clause->prefix == CLAUSE_ANY, star = mk_clause_is_star(clause);
        /* from:* does not say which address is wanted */
        MkDemand demand = { .clause = clause,
                            .fields = fields & allowed,
                            .address = !open && !star && !clause->exclude &&
                                       (fields & ~ADDRESS_FIELDS) == 0,
                            .open = open && !star && clause->exclude };
        g_array_append_val(out, demand);
    }
}

/* Single words first: rows and patterns cost more, and less when few mails are left. */
static int cost_of(const MkDemand *demand)
{
    bool row = demand->clause->pieces->len > 1, pattern = false;
    for (guint i = 0; i < demand->clause->pieces->len; i++)
        pattern |= ((const MkQueryPiece *) demand->clause->pieces->pdata[i])->kind != PIECE_WORD;
    return (demand->clause->exclude ? 4 : 0) + (pattern ? 2 : 0) + (row ? 1 : 0);
}

static int compare_demands(const void *a, const void *b)
{
    return cost_of(a) - cost_of(b);
}

GArray *mk_demands_of(const MkSearch *search)
{
    GArray *demands = g_array_new(FALSE, FALSE, sizeof(MkDemand));
    unsigned allowed = search->with_envelope ? ~0u : ~BIT(MK_FIELD_ENVELOPE);
    add_demands(search->query, mk_fields_of(search->fields), true, allowed, demands);
    add_demands(search->from, BIT(MK_FIELD_FROM), false, allowed, demands);
    add_demands(search->recipients, RECIPIENT_FIELDS, false, allowed, demands);
    g_array_sort(demands, compare_demands);
    return demands;
}

/* -- demands ------------------------------------------------------------------------------ */
/* As mk_match_docs(), in any of @fields. */
static bool add_matches(const MkMatch *match, unsigned fields, const MkDocSet *within,
                        MkDocSet *out, GError **error)
{
    for (unsigned field = 0; field < MK_FIELD_COUNT; field++)
        if ((fields & BIT(field)) && !mk_match_docs(match, field, within, out, error))
            return false;
    return true;
}

static bool require(const MkEvaluation *evaluation, const MkDemand *demand, MkDocSet *docs,
                    GError **error)
{
    g_auto(MkMatch) match = MK_MATCH_INIT;
    g_autoptr(MkDocSet) found = mk_doc_set_new(docs->size, false);
    if (!mk_match_init(&match, evaluation, demand->clause, demand->fields, error) ||
        !add_matches(&match, demand->fields, docs, found, error))
        return false;
    mk_doc_set_and(docs, found);
    return true;
}

/* -- exclusions --------------------------------------------------------------------------- */
/* Takes away the starts of a match of @length that lie in a match of @cover_length. */
static void drop_covered(GArray *starts, guint length, const GArray *covers, guint cover_length)
{
    guint kept = 0, at = 0;
    if (length > cover_length)
        return;
    for (guint i = 0; i < starts->len; i++) {
        uint64_t start = g_array_index(starts, uint64_t, i);
        /* the first cover that reaches to the end of this match */
        while (at < covers->len &&
               g_array_index(covers, uint64_t, at) + cover_length < start + length)
            at++;
        if (at >= covers->len || g_array_index(covers, uint64_t, at) > start)
            g_array_index(starts, uint64_t, kept++) = start;
    }
    g_array_set_size(starts, kept);
}

/* As drop_covered(), for every demand of an address in @field. */
static bool drop_demanded(const MkEvaluation *evaluation, const GArray *demands, unsigned field,
                          guint length, const MkDocSet *docs, uint32_t from, GArray *starts,
                          GError **error)
{
    g_autoptr(GArray) covers = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    for (guint i = 0; i < demands->len && starts->len > 0; i++) {
        const MkDemand *demand = &g_array_index(demands, MkDemand, i);
        g_auto(MkMatch) match = MK_MATCH_INIT;
        if (!demand->address || !(demand->fields & BIT(field)))
            continue;
        if (!mk_match_init(&match, evaluation, demand->clause, BIT(field), error) ||
            !mk_match_starts(&match, field, docs, from, covers, error))
            return false;
        drop_covered(starts, length, covers, demand->clause->span);
    }
    return true;
}

/* Fields in which an open exclusion must not look at addresses that were demanded. */
static unsigned demanded_fields(const GArray *demands)
{
    unsigned fields = 0;
    for (guint i = 0; i < demands->len; i++) {
        const MkDemand *demand = &g_array_index(demands, MkDemand, i);
        if (demand->address)
            fields |= demand->fields;
    }
    return fields;
}

/* Documents that match in @field somewhere outside the addresses demanded. */
static bool add_undemanded(const MkMatch *match, const GArray *demands, unsigned field,
                           const MkDocSet *docs, MkDocSet *out, GError **error)
{
    g_autoptr(MkDocSet) found = mk_doc_set_new(docs->size, false);
    g_autoptr(GArray) starts = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    if (!mk_match_docs(match, field, docs, found, error))
        return false;
    mk_doc_set_and(found, docs);
    for (uint32_t from = mk_doc_set_next(found, 0); from < found->size;
         from = mk_doc_set_next(found, from + MIN(MK_MATCH_WINDOW, found->size - from))) {
        if (!mk_match_starts(match, field, found, from, starts, error) ||
            !drop_demanded(match->evaluation, demands, field, match->clause->span, found, from,
                           starts, error))
            return false;
        for (guint i = 0; i < starts->len; i++)
            mk_doc_set_add(out, (uint32_t) (g_array_index(starts, uint64_t, i) >> 32));
    }
    return true;
}

/*
 * search-syntax.md, note on Q21: `to:bewerbung@example.com -Bewerbung` asks for mail to this
 * address that has the word nowhere else, so what the address clause matched does not count.
 */
static bool exclude(const MkEvaluation *evaluation, const GArray *demands, const MkDemand *demand,
                    MkDocSet *docs, GError **error)
{
    g_auto(MkMatch) match = MK_MATCH_INIT;
    g_autoptr(MkDocSet) found = mk_doc_set_new(docs->size, false);
    unsigned demanded = demand->open ? demanded_fields(demands) & demand->fields : 0;

    if (!mk_match_init(&match, evaluation, demand->clause, demand->fields, error) ||
        !add_matches(&match, demand->fields & ~demanded, docs, found, error))
        return false;
    for (unsigned field = 0; field < MK_FIELD_COUNT; field++)
        if ((demanded & BIT(field)) && !add_undemanded(&match, demands, field, docs, found, error))
            return false;
    mk_doc_set_and_not(docs, found);
    return true;
}

bool mk_evaluate(const MkEvaluation *evaluation, const GArray *demands, MkDocSet *docs,
                 GError **error)
{
    for (guint i = 0; i < demands->len; i++) {
        const MkDemand *demand = &g_array_index(demands, MkDemand, i);
        if (mk_doc_set_next(docs, 0) == docs->size)
            return true;
        if (!(demand->clause->exclude ? exclude(evaluation, demands, demand, docs, error)
                                      : require(evaluation, demand, docs, error)))
            return false;
    }
    return true;
}
