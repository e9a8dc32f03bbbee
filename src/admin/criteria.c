/*
 * criteria.c - the criteria of a saved search: a JSON object with the names of a search's arguments
 */
#include <string.h>

#include "internal.h"

/* A text, a number, true, false or null as an argument would have it; NULL: none of these. */
static char *text_of(yyjson_val *value)
{
    if (yyjson_is_str(value))
        return strlen(yyjson_get_str(value)) == yyjson_get_len(value)
                   ? g_strdup(yyjson_get_str(value))
                   : NULL;
    if (yyjson_is_bool(value))
        return g_strdup(yyjson_get_bool(value) ? "true" : "false");
    if (yyjson_is_uint(value))
        return g_strdup_printf("%" G_GUINT64_FORMAT, yyjson_get_uint(value));
    return yyjson_is_null(value) ? g_strdup("") : NULL;
}

/* What is no criterion is left as it is: a form may keep something of its own. */
static bool put_all(yyjson_val *criteria, GHashTable *table, GError **error)
{
    for (const char *const *name = mk_criteria_names(); *name != NULL; name++) {
        yyjson_val *value = yyjson_obj_get(criteria, *name);
        char *text = value != NULL ? text_of(value) : NULL;

        if (value != NULL && text == NULL)
            return mk_fail(error, MK_ERROR_INVALID,
                           "criteria: %s must be a text, a number, true or false.", *name);
        if (text != NULL)
            g_hash_table_replace(table, g_strdup(*name), text);
    }
    return true;
}

static const char *get_text(const char *name, void *table)
{
    return g_hash_table_lookup(table, name);
}

/* A search that could not run is refused when it is saved. */
static bool can_run(GHashTable *table, GError **error)
{
    MkCriteria criteria;

    if (!mk_criteria_read(&criteria, get_text, table, error)) {
        g_prefix_error(error, "criteria: ");
        return false;
    }
    mk_criteria_clear(&criteria);
    return true;
}

GHashTable *mk_admin_criteria_parse(const char *json, GError **error)
{
    g_autoptr(GHashTable) table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    yyjson_doc *doc = yyjson_read(json, strlen(json), 0);
    yyjson_val *root = yyjson_doc_get_root(doc);
    bool good = yyjson_is_obj(root)
                    ? put_all(root, table, error) && can_run(table, error)
                    : mk_fail(error, MK_ERROR_INVALID, "criteria must be a JSON object.");

    yyjson_doc_free(doc);
    return good ? g_steal_pointer(&table) : NULL;
}
