/*
 * folders.c - folders, their mails and their sizes
 */
#include <string.h>

#include "internal.h"

/* While archive access is blocked, an administrator sees the names of all folders but only the
 * mails of those that were granted: GetChildFolders lists all, GetMessages checks. */
bool fn_get_child_folders(Call *call, GError **error)
{
    int64_t levels = admin_call_number(call, "maxLevels", 0);
    const char *below = admin_call_text(call, "folder");
    g_autoptr(GPtrArray) folders = NULL;

    if (levels < 0 || levels > 1000)
        return mk_fail(error, MK_ERROR_INVALID, "maxLevels must be between 0 and 1000.");
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

static gint mail_id_compare(gconstpointer left, gconstpointer right)
{
    const MkMailId *a = left;
    const MkMailId *b = right;

    if (a->store_id != b->store_id)
        return a->store_id < b->store_id ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

/* The mails of all folders that the caller may read; a mail in two of them comes twice. */
static GArray *readable_mails(const Call *call, GError **error)
{
    MkArchive *archive = admin_call_archive(call);
    g_autoptr(GPtrArray) folders = mk_archive_folders(archive, call->principal, NULL, 0);
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(MkMailId));

    for (guint i = 0; i < folders->len; i++) {
        const MkFolder *folder = folders->pdata[i];
        g_autoptr(GArray) mails =
            mk_archive_folder_mails(archive, call->principal, folder->path, error);

        if (mails == NULL)
            return NULL;
        g_array_append_vals(all, mails->data, mails->len);
    }
    g_array_sort(all, mail_id_compare);
    return g_steal_pointer(&all);
}

static void add_message(Call *call, MkMailId id)
{
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(call->doc, call->result);
    char text[24];

    mk_mail_id_format(id, text);
    admin_json_add_string(call->doc, object, "id", text);
}

/* Without a folder: everything readable, so that a script never takes an archive for empty. */
bool fn_get_messages(Call *call, GError **error)
{
    const char *folder = admin_call_text(call, "folder");
    g_autoptr(GArray) mails = NULL;

    if (folder == NULL)
        mails = readable_mails(call, error);
    else
        mails = mk_archive_folder_mails(admin_call_archive(call), call->principal, folder, error);
    if (mails == NULL)
        return false;
    call->result = yyjson_mut_arr(call->doc);
    for (guint i = 0; i < mails->len; i++) {
        const MkMailId *id = &g_array_index(mails, MkMailId, i);

        if (i == 0 || mail_id_compare(id - 1, id) != 0)
            add_message(call, *id);
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
