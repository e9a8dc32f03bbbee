#include "query.h"

const char *const mk_prefix_names[CLAUSE_PREFIX_COUNT] = {
    [CLAUSE_ANY] = "",           [CLAUSE_SUBJECT] = "subject:",
    [CLAUSE_FROM] = "from:",     [CLAUSE_TO] = "to:",
    [CLAUSE_CC] = "cc:",         [CLAUSE_BCC] = "bcc:",
    [CLAUSE_BODY] = "bcontent:", [CLAUSE_ATTACHMENT] = "acontent:",
};

bool mk_clause_is_star(const MkClause *clause)
{
    return clause->pieces->len == 1 &&
           ((const MkQueryPiece *) clause->pieces->pdata[0])->kind == PIECE_ANY;
}

#define BIT(field) MK_FIELD_BIT(field)
#define ALL_FIELDS                                                                      \
    (BIT(MK_FIELD_SUBJECT) | BIT(MK_FIELD_FROM) | BIT(MK_FIELD_TO) | BIT(MK_FIELD_CC) | \
     BIT(MK_FIELD_BCC) | BIT(MK_FIELD_BODY) | BIT(MK_FIELD_ATTACHMENT_NAME) |           \
     BIT(MK_FIELD_ATTACHMENT_TEXT) | BIT(MK_FIELD_ENVELOPE))

unsigned mk_fields_of(unsigned fields)
{
    if (fields == 0)
        return ALL_FIELDS;
    if (fields & BIT(MK_FIELD_BCC))
        fields |= BIT(MK_FIELD_ENVELOPE);
    return fields & ALL_FIELDS;
}

unsigned mk_clause_fields(const MkClause *clause, unsigned unprefixed)
{
    switch (clause->prefix) {
    case CLAUSE_ANY: return unprefixed;
    case CLAUSE_SUBJECT: return BIT(MK_FIELD_SUBJECT);
    case CLAUSE_FROM: return BIT(MK_FIELD_FROM);
    case CLAUSE_TO: return BIT(MK_FIELD_TO);
    case CLAUSE_CC: return BIT(MK_FIELD_CC);
    case CLAUSE_BCC: return BIT(MK_FIELD_BCC) | BIT(MK_FIELD_ENVELOPE);
    case CLAUSE_BODY: return BIT(MK_FIELD_BODY);
    case CLAUSE_ATTACHMENT: return BIT(MK_FIELD_ATTACHMENT_TEXT);
    case CLAUSE_PREFIX_COUNT: break;
    }
    g_assert_not_reached();
}

void mk_query_free(MkQuery *query)
{
    if (query == NULL)
        return;
    g_ptr_array_unref(query->clauses);
    g_free(query);
}

char *mk_query_format(const MkQuery *query)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < query->clauses->len; i++) {
        const MkClause *clause = query->clauses->pdata[i];
        if (i > 0)
            g_string_append_c(out, ' ');
        if (clause->exclude)
            g_string_append_c(out, '-');
        g_string_append(out, mk_prefix_names[clause->prefix]);
        for (guint k = 0; k < clause->pieces->len; k++) {
            const MkQueryPiece *piece = clause->pieces->pdata[k];
            if (piece->spelling == NULL)
                continue;
            if (k > 0)
                g_string_append_c(out, '.');
            g_string_append(out, piece->spelling);
        }
    }
    return g_string_free(out, FALSE);
}
