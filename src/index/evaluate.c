/*
 * evaluate.c - a whole query on one segment
 */
#include "match.h"

#define BIT(field) (1u << (field))
#define ALL_FIELDS                                                                      \
    (BIT(MK_FIELD_SUBJECT) | BIT(MK_FIELD_FROM) | BIT(MK_FIELD_TO) | BIT(MK_FIELD_CC) | \
     BIT(MK_FIELD_BCC) | BIT(MK_FIELD_BODY) | BIT(MK_FIELD_ATTACHMENT_NAME) |           \
     BIT(MK_FIELD_ATTACHMENT_TEXT))

unsigned mk_clause_fields(const MkClause *clause, bool with_envelope)
{
    unsigned envelope = with_envelope ? BIT(MK_FIELD_ENVELOPE) : 0;
    switch (clause->prefix) {
    case CLAUSE_ANY: return ALL_FIELDS | envelope;
    case CLAUSE_SUBJECT: return BIT(MK_FIELD_SUBJECT);
    case CLAUSE_FROM: return BIT(MK_FIELD_FROM);
    case CLAUSE_TO: return BIT(MK_FIELD_TO);
    case CLAUSE_CC: return BIT(MK_FIELD_CC);
    case CLAUSE_BCC: return BIT(MK_FIELD_BCC) | envelope;
    case CLAUSE_BODY: return BIT(MK_FIELD_BODY);
    case CLAUSE_ATTACHMENT: return BIT(MK_FIELD_ATTACHMENT_TEXT);
    case CLAUSE_PREFIX_COUNT: break;
    }
    g_assert_not_reached();
}

/* Documents of @within that match in any of @fields, added to @out. */
static bool add_matches(const MkMatch *match, unsigned fields, const MkDocSet *within,
                        MkDocSet *out, GError **error)
{
    for (unsigned field = 0; field < MK_FIELD_COUNT; field++)
        if ((fields & BIT(field)) && !mk_match_docs(match, field, within, out, error))
            return false;
    return true;
}

static bool demand(const MkEvaluation *evaluation, const MkClause *clause, MkDocSet *docs,
                   GError **error)
{
    g_auto(MkMatch) match = MK_MATCH_INIT;
    g_autoptr(MkDocSet) found = mk_doc_set_new(docs->size, false);
    unsigned fields = mk_clause_fields(clause, evaluation->with_envelope);
    if (!mk_match_init(&match, evaluation, clause, fields, error) ||
        !add_matches(&match, fields, docs, found, error))
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

/* Does it say which address is wanted? from:* does not. */
static bool demands_address(const MkClause *clause)
{
    return !clause->exclude && mk_clause_is_address(clause) && !mk_clause_is_star(clause);
}

/* As drop_covered(), for every address clause of the query that looks at @field. */
static bool drop_demanded(const MkEvaluation *evaluation, const MkQuery *query, unsigned field,
                          guint length, const MkDocSet *docs, uint32_t from, GArray *starts,
                          GError **error)
{
    g_autoptr(GArray) covers = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    for (guint i = 0; i < query->clauses->len && starts->len > 0; i++) {
        const MkClause *clause = query->clauses->pdata[i];
        g_auto(MkMatch) match = MK_MATCH_INIT;
        if (!demands_address(clause) ||
            !(mk_clause_fields(clause, evaluation->with_envelope) & BIT(field)))
            continue;
        if (!mk_match_init(&match, evaluation, clause, BIT(field), error) ||
            !mk_match_starts(&match, field, docs, from, covers, error))
            return false;
        drop_covered(starts, length, covers, match.piece_count);
    }
    return true;
}

/* Fields in which an unprefixed exclusion must not look at addresses that were demanded. */
static unsigned demanded_fields(const MkEvaluation *evaluation, const MkQuery *query)
{
    unsigned fields = 0;
    for (guint i = 0; i < query->clauses->len; i++) {
        const MkClause *clause = query->clauses->pdata[i];
        if (demands_address(clause))
            fields |= mk_clause_fields(clause, evaluation->with_envelope);
    }
    return fields;
}

/* Documents that match in @field somewhere outside the addresses demanded. */
static bool add_undemanded(const MkMatch *match, const MkQuery *query, unsigned field,
                           const MkDocSet *docs, MkDocSet *out, GError **error)
{
    g_autoptr(MkDocSet) found = mk_doc_set_new(docs->size, false);
    g_autoptr(GArray) starts = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    if (!mk_match_docs(match, field, docs, found, error))
        return false;
    for (uint32_t from = mk_doc_set_next(found, 0); from < found->size;
         from = mk_doc_set_next(found, from + MIN(MK_MATCH_WINDOW, found->size - from))) {
        if (!mk_match_starts(match, field, found, from, starts, error) ||
            !drop_demanded(match->evaluation, query, field, match->piece_count, found, from, starts,
                           error))
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
static bool exclude(const MkEvaluation *evaluation, const MkQuery *query, const MkClause *clause,
                    MkDocSet *docs, GError **error)
{
    g_auto(MkMatch) match = MK_MATCH_INIT;
    g_autoptr(MkDocSet) found = mk_doc_set_new(docs->size, false);
    unsigned fields = mk_clause_fields(clause, evaluation->with_envelope);
    unsigned demanded = 0;

    if (clause->prefix == CLAUSE_ANY && !mk_clause_is_star(clause))
        demanded = demanded_fields(evaluation, query) & fields;
    if (!mk_match_init(&match, evaluation, clause, fields, error) ||
        !add_matches(&match, fields & ~demanded, docs, found, error))
        return false;
    for (unsigned field = 0; field < MK_FIELD_COUNT; field++)
        if ((demanded & BIT(field)) && !add_undemanded(&match, query, field, docs, found, error))
            return false;
    mk_doc_set_and_not(docs, found);
    return true;
}

bool mk_evaluate(const MkEvaluation *evaluation, const MkQuery *query, MkDocSet *docs,
                 GError **error)
{
    for (unsigned excluding = 0; excluding <= 1; excluding++) {
        for (guint i = 0; i < query->clauses->len; i++) {
            const MkClause *clause = query->clauses->pdata[i];
            if (clause->exclude != (excluding == 1))
                continue;
            if (mk_doc_set_next(docs, 0) == docs->size)
                return true;
            if (!(excluding ? exclude(evaluation, query, clause, docs, error)
                            : demand(evaluation, clause, docs, error)))
                return false;
        }
    }
    return true;
}
