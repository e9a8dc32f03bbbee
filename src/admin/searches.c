/*
 * searches.c - the caller's own saved searches (SR-10)
 */
#include <string.h>

#include "internal.h"

static void add_criteria(Call *call, yyjson_mut_val *object, const char *json)
{
    yyjson_doc *doc = yyjson_read(json, strlen(json), 0);

    if (doc != NULL)
        yyjson_mut_obj_add_val(call->doc, object, "criteria",
                               yyjson_val_mut_copy(call->doc, yyjson_doc_get_root(doc)));
    yyjson_doc_free(doc);
}

bool fn_get_saved_searches(Call *call, GError **error)
{
    g_autoptr(GPtrArray) list =
        mk_archive_saved_searches(admin_call_archive(call), call->principal, error);

    if (list == NULL)
        return false;
    call->result = yyjson_mut_arr(call->doc);
    for (guint i = 0; i < list->len; i++) {
        const MkSavedSearch *search = list->pdata[i];
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(call->doc, call->result);

        admin_json_add_number(call->doc, object, "id", search->id);
        admin_json_add_string(call->doc, object, "name", search->name);
        add_criteria(call, object, search->criteria);
        admin_json_add_time(call->doc, object, "changed", search->changed_unix_ms);
    }
    return true;
}

/* 0 when it is left out. */
static bool id_from_call(const Call *call, uint32_t *out, GError **error)
{
    int64_t id = admin_call_number(call, "id", 0);

    *out = (uint32_t) id;
    return (id >= 0 && id <= UINT32_MAX) ||
           mk_fail(error, MK_ERROR_NOT_FOUND, "There is no such saved search.");
}

bool fn_set_saved_search(Call *call, GError **error)
{
    const char *criteria = admin_call_string(call, "criteria");
    g_autoptr(GHashTable) read = mk_admin_criteria_parse(criteria, error);
    uint32_t id;

    if (read == NULL || !id_from_call(call, &id, error) ||
        !mk_archive_saved_search_put(admin_call_archive(call), call->principal, id,
                                     admin_call_string(call, "name"), criteria, &id, error))
        return false;
    call->result = yyjson_mut_obj(call->doc);
    admin_json_add_number(call->doc, call->result, "id", id);
    return true;
}

bool fn_delete_saved_search(Call *call, GError **error)
{
    uint32_t id;

    return id_from_call(call, &id, error) &&
           mk_archive_saved_search_delete(admin_call_archive(call), call->principal, id, error);
}
