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

bool mk_clause_is_address(const MkClause *clause)
{
    switch (clause->prefix) {
    case CLAUSE_FROM:
    case CLAUSE_TO:
    case CLAUSE_CC:
    case CLAUSE_BCC: return true;
    case CLAUSE_ANY:
    case CLAUSE_SUBJECT:
    case CLAUSE_BODY:
    case CLAUSE_ATTACHMENT:
    case CLAUSE_PREFIX_COUNT: return false;
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
            if (k > 0)
                g_string_append_c(out, '.');
            g_string_append_len(out, piece->text, (gssize) piece->length);
        }
    }
    return g_string_free(out, FALSE);
}
