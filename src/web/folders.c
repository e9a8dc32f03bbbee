/*
 * folders.c - GET /api/v1/folders: all that the user may read
 */
#include <string.h>

#include "internal.h"

bool web_folders_run(WebCall *call, GError **error)
{
    g_autoptr(GPtrArray) folders = mk_archive_folders(call->archive, call->principal, NULL, 0);
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = call->json = web_json_new(&root);
    yyjson_mut_val *list = web_json_array(doc, root, "folders");

    (void) error;
    for (guint i = 0; i < folders->len; i++) {
        const MkFolder *folder = folders->pdata[i];
        const char *slash = strrchr(folder->path, '/');
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, list);
        web_json_string(doc, object, "path", folder->path);
        web_json_string(doc, object, "name", slash != NULL ? slash + 1 : folder->path);
        yyjson_mut_obj_add_uint(doc, object, "messages", folder->mail_count);
        yyjson_mut_obj_add_uint(doc, object, "size", folder->size_bytes);
    }
    return true;
}
