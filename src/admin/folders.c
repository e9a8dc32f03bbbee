/*
 * folders.c - folders, their mails and their sizes
 */
#include "internal.h"

#include <string.h>

/* While archive access is blocked, an administrator sees the names of all folders but only the
 * mails of those that were granted: GetChildFolders lists all, GetMessages checks. */
bool fn_get_child_folders(Call *call, GError **error)
{
    int64_t levels = admin_call_number(call, "maxLevels", 0);
    const char *below = admin_call_string(call, "folder");
    g_autoptr(GPtrArray) folders = NULL;

    if (levels < 0 || levels > 1000)
        return mk_fail(error, MK_ERROR_INVALID, "maxLevels must be between 0 and 1000.");
    if (below != NULL && below[0] == '\0')
        below = NULL;
    folders = mk_archive_all_folders(admin_call_archive(call), below, (unsigned) levels);
    call->result = yyjson_mut_arr(call->doc);
    for (guint i = 0; i < folders->len; i++) {
        const MkFolder *folder = folders->pdata[i];
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(call->doc, call->result);
        const char *name = strrchr(folder->path, '/');

        admin_json_add_string(call->doc, object, "name", name != NULL ? name + 1 : folder->path);
        admin_json_add_string(call->doc, object, "fullName", folder->path);
    }
    return true;
}

bool fn_get_messages(Call *call, GError **error)
{
    const char *folder = admin_call_string(call, "folder");
    g_autoptr(GArray) ids = NULL;

    if (folder == NULL || folder[0] == '\0')
        return mk_fail(error, MK_ERROR_INVALID, "Missing API argument folder.");
    ids = mk_archive_folder_mails(admin_call_archive(call), call->principal, folder, error);
    if (ids == NULL)
        return false;
    call->result = yyjson_mut_arr(call->doc);
    for (guint i = 0; i < ids->len; i++) {
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(call->doc, call->result);
        char text[24];

        mk_mail_id_format(g_array_index(ids, MkMailId, i), text);
        admin_json_add_string(call->doc, object, "id", text);
    }
    return true;
}

bool fn_get_folder_statistics(Call *call, GError **error)
{
    g_autoptr(GPtrArray) folders = mk_archive_all_folders(admin_call_archive(call), NULL, 0);

    (void) error;
    call->result = yyjson_mut_arr(call->doc);
    for (guint i = 0; i < folders->len; i++) {
        const MkFolder *folder = folders->pdata[i];
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(call->doc, call->result);

        admin_json_add_string(call->doc, object, "folder", folder->path);
        admin_json_add_number(call->doc, object, "count", (int64_t) folder->mail_count);
        admin_json_add_number(call->doc, object, "size", (int64_t) folder->size_bytes);
    }
    return true;
}
