/*
 * saved.c - GET, POST, PUT and DELETE of /api/v1/saved-searches, and running one
 *
 * Criteria are a JSON object with the names of the search's arguments. They are checked when they
 * are kept, and understood anew each time they run, so that "last-month" is always the last.
 */
#include <stdlib.h>
#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>

#include "internal.h"

#define BODY_MAX (MK_LIMIT_SAVED_SEARCH_BYTES + 4096)

/* -- running one ------------------------------------------------------------------------------- */
static MkSavedSearch *find_saved(GPtrArray *list, uint32_t id)
{
    for (guint i = 0; i < list->len; i++)
        if (((MkSavedSearch *) list->pdata[i])->id == id)
            return list->pdata[i];
    return NULL;
}

/* What the request says counts more than what has been saved. */
static void put_below(GHashTable *arguments, GHashTable *saved)
{
    GHashTableIter iter;
    gpointer name, text;

    g_hash_table_iter_init(&iter, saved);
    while (g_hash_table_iter_next(&iter, &name, &text))
        if (!g_hash_table_contains(arguments, name))
            g_hash_table_replace(arguments, g_strdup(name), g_strdup(text));
}

bool web_saved_search_apply(WebCall *call, GError **error)
{
    guint64 id = 0;

    if (!g_hash_table_contains(call->arguments, "saved"))
        return true;
    if (!web_read_number(call, "saved", 1, UINT32_MAX, &id, error))
        return false;
    g_autoptr(GPtrArray) list = mk_archive_saved_searches(call->archive, call->principal, error);
    if (list == NULL)
        return false;
    const MkSavedSearch *search = find_saved(list, (uint32_t) id);
    if (search == NULL)
        return mk_fail(error, MK_ERROR_NOT_FOUND, "There is no such saved search.");
    g_autoptr(GHashTable) saved = mk_admin_criteria_parse(search->criteria, error);
    if (saved == NULL)
        return false;
    put_below(call->arguments, saved);
    return true;
}

/* -- the list ------------------------------------------------------------------------------------ */
static void put_saved(yyjson_mut_doc *doc, yyjson_mut_val *list, const MkSavedSearch *search)
{
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, list);
    yyjson_doc *criteria = yyjson_read(search->criteria, strlen(search->criteria), 0);

    yyjson_mut_obj_add_uint(doc, object, "id", search->id);
    web_json_string(doc, object, "name", search->name);
    if (criteria != NULL)
        yyjson_mut_obj_add_val(doc, object, "criteria",
                               yyjson_val_mut_copy(doc, yyjson_doc_get_root(criteria)));
    web_json_date(doc, object, "changed", search->changed_unix_ms);
    yyjson_doc_free(criteria);
}

bool web_saved_list_run(WebCall *call, GError **error)
{
    g_autoptr(GPtrArray) list = mk_archive_saved_searches(call->archive, call->principal, error);

    if (list == NULL)
        return false;
    yyjson_mut_val *root;
    call->json = web_json_new(&root);
    yyjson_mut_val *searches = web_json_array(call->json, root, "savedSearches");
    for (guint i = 0; i < list->len; i++)
        put_saved(call->json, searches, list->pdata[i]);
    return true;
}

/* -- changes ------------------------------------------------------------------------------------- */
/* {"name": "...", "criteria": {...}} */
static bool read_body(WebCall *call, yyjson_val *root, GError **error)
{
    yyjson_val *name = yyjson_obj_get(root, "name");
    yyjson_val *criteria = yyjson_obj_get(root, "criteria");

    if (!yyjson_is_str(name) || strlen(yyjson_get_str(name)) != yyjson_get_len(name))
        return mk_fail(error, MK_ERROR_INVALID, "name must be a text.");
    char *text = criteria != NULL ? yyjson_val_write(criteria, 0, NULL) : NULL;
    g_autoptr(GHashTable) read = mk_admin_criteria_parse(text != NULL ? text : "", error);
    call->name = g_strdup(yyjson_get_str(name));
    call->criteria = g_strdup(text);
    free(text);
    return read != NULL;
}

bool web_saved_put_read(WebCall *call, GError **error)
{
    gsize length = 0;
    const char *body = g_bytes_get_data(mk_http_body(call->request), &length);
    guint64 id = 0;

    if (!web_is_json(call))
        return mk_fail(error, MK_ERROR_INVALID, "Send the Content-Type application/json.");
    if (call->segments[0] != NULL &&
        !g_ascii_string_to_unsigned(call->segments[0], 10, 1, UINT32_MAX, &id, NULL))
        return mk_fail(error, MK_ERROR_NOT_FOUND, "There is no such saved search.");
    if (length > BODY_MAX)
        return mk_fail(error, MK_ERROR_LIMIT, "The body is longer than %d octets.", BODY_MAX);
    call->number = (unsigned) id;
    yyjson_doc *doc = length > 0 ? yyjson_read(body, length, 0) : NULL;
    bool good = doc != NULL ? read_body(call, yyjson_doc_get_root(doc), error)
                            : mk_fail(error, MK_ERROR_INVALID, "The body must be a JSON object.");
    yyjson_doc_free(doc);
    return good;
}

bool web_saved_put_run(WebCall *call, GError **error)
{
    uint32_t id = 0;

    if (!mk_archive_saved_search_put(call->archive, call->principal, call->number, call->name,
                                     call->criteria, &id, error))
        return false;
    yyjson_mut_val *root;
    call->json = web_json_new(&root);
    yyjson_mut_obj_add_uint(call->json, root, "id", id);
    return true;
}

bool web_saved_delete_read(WebCall *call, GError **error)
{
    guint64 id = 0;

    if (!g_ascii_string_to_unsigned(call->segments[0], 10, 1, UINT32_MAX, &id, NULL))
        return mk_fail(error, MK_ERROR_NOT_FOUND, "There is no such saved search.");
    call->number = (unsigned) id;
    return true;
}

bool web_saved_delete_run(WebCall *call, GError **error)
{
    return mk_archive_saved_search_delete(call->archive, call->principal, call->number, error);
}

void web_no_content_finish(WebCall *call)
{
    mk_http_respond(call->request, mk_http_response_new(204));
}
