/*
 * indexes.c - full-text indexes: listed, chosen, rebuilt, and what they read (IX-01..IX-10)
 */
#include <string.h>

#include "internal.h"

/* -- the list ---------------------------------------------------------------------------------- */
static void add_index(Call *call, yyjson_mut_val *object, const MkIndexInfo *info)
{
    yyjson_mut_doc *doc = call->doc;

    admin_json_add_number(doc, object, "storeId", info->store_id);
    admin_json_add_string(doc, object, "storeName", info->store_name);
    admin_json_add_string(doc, object, "folder", info->folder);
    admin_json_add_number(doc, object, "count", (int64_t) info->mail_count);
    admin_json_add_number(doc, object, "attachmentsWaiting", (int64_t) info->texts_waiting);
    admin_json_add_bool(doc, object, "needsRebuild", info->needs_rebuild);
    admin_json_add_bool(doc, object, "selectedForRebuild", info->selected);
    admin_json_add_bool(doc, object, "rebuilding", info->rebuilding);
    admin_json_add_string(doc, object, "error", info->error);
}

/* A store's id, 0 when it is left out. */
static bool store_from_call(const Call *call, uint32_t *out, GError **error)
{
    int64_t id = admin_call_number(call, "id", 0);

    *out = (uint32_t) id;
    return (id >= 0 && id <= UINT32_MAX) ||
           mk_fail(error, MK_ERROR_NOT_FOUND, "There is no store with this id.");
}

bool fn_get_store_indexes(Call *call, GError **error)
{
    g_autoptr(GPtrArray) infos = NULL;
    uint32_t store_id;

    if (!store_from_call(call, &store_id, error))
        return false;
    infos = mk_archive_indexes(admin_call_archive(call), store_id, error);
    if (infos == NULL)
        return false;
    call->result = yyjson_mut_arr(call->doc);
    for (guint i = 0; i < infos->len; i++)
        add_index(call, yyjson_mut_arr_add_obj(call->doc, call->result), infos->pdata[i]);
    return true;
}

bool fn_select_all_store_indexes_for_rebuild(Call *call, GError **error)
{
    return mk_archive_select_indexes(admin_call_archive(call), error);
}

/* -- rebuilds ---------------------------------------------------------------------------------- */
/* One of several: its per cent are a share of the whole. */
typedef struct {
    Operation *operation;
    unsigned done;
    unsigned total;
} Share;

static bool on_share(unsigned percent, const char *text, void *cookie)
{
    const Share *share = cookie;

    return admin_operation_on_progress((share->done * 100 + percent) / share->total, text,
                                       share->operation);
}

static bool rebuild_one(Call *call, uint32_t store_id, const char *folder, Share *share,
                        GError **error)
{
    g_autofree char *line =
        g_strdup_printf("Rebuilding the index of %s in store %u.", folder, store_id);

    admin_operation_log(call->operation, line);
    return mk_archive_rebuild_archive_index(admin_call_archive(call), store_id, folder, on_share,
                                            share, error);
}

bool fn_rebuild_store_index(Call *call, GError **error)
{
    Share share = { call->operation, 0, 1 };
    uint32_t store_id;

    if (!store_from_call(call, &store_id, error) ||
        !rebuild_one(call, store_id, admin_call_string(call, "folder"), &share, error))
        return false;
    admin_operation_log(call->operation, "The index has been rebuilt.");
    return true;
}

static bool is_selected(MkArchive *archive, const MkIndexInfo *info)
{
    g_autoptr(GPtrArray) now = mk_archive_indexes(archive, info->store_id, NULL);

    for (guint i = 0; now != NULL && i < now->len; i++) {
        const MkIndexInfo *other = now->pdata[i];

        if (strcmp(other->folder, info->folder) == 0)
            return other->selected;
    }
    return false;
}

/* One that was damaged takes all others of its store along: they are looked at anew each time. */
bool fn_rebuild_selected_store_indexes(Call *call, GError **error)
{
    MkArchive *archive = admin_call_archive(call);
    g_autoptr(GPtrArray) infos = mk_archive_indexes(archive, 0, error);
    Share share = { call->operation, 0, 1 };
    unsigned rebuilt = 0;

    if (infos == NULL)
        return false;
    share.total = MAX(infos->len, 1);
    for (guint i = 0; i < infos->len; i++, share.done++) {
        const MkIndexInfo *info = infos->pdata[i];

        if (!is_selected(archive, info))
            continue;
        if (!rebuild_one(call, info->store_id, info->folder, &share, error))
            return false;
        rebuilt++;
    }
    admin_operation_log(call->operation,
                        rebuilt > 0 ? "The indexes have been rebuilt." : "No index was selected.");
    return true;
}

/* -- settings ---------------------------------------------------------------------------------- */
static void add_kind(Call *call, yyjson_mut_val *list, MkDocumentKind kind, uint64_t chosen,
                     uint64_t available)
{
    const MkDocumentType *type = mk_document_type(kind);
    yyjson_mut_val *object;

    if (type == NULL)
        return;
    object = yyjson_mut_arr_add_obj(call->doc, list);
    admin_json_add_string(call->doc, object, "name", type->name);
    admin_json_add_string(call->doc, object, "group", type->group);
    admin_json_add_bool(call->doc, object, "indexed", (chosen >> kind & 1) != 0);
    admin_json_add_bool(call->doc, object, "available", (available >> kind & 1) != 0);
    admin_json_add_list(call->doc, object, "extensions", type->extensions);
}

static void add_settings(Call *call, const MkIndexSettings *settings)
{
    uint64_t available = mk_archive_text_available(admin_call_archive(call));
    yyjson_mut_val *kinds;

    call->result = yyjson_mut_obj(call->doc);
    kinds = yyjson_mut_obj_add_arr(call->doc, call->result, "kinds");
    for (int kind = MK_DOCUMENT_PLAIN; kind < MK_DOCUMENT_COUNT; kind++)
        add_kind(call, kinds, (MkDocumentKind) kind, settings->kinds, available);
    admin_json_add_list(call->doc, call->result, "extensions",
                        (const char *const *) settings->extensions);
    admin_json_add_bool(call->doc, call->result, "ocr", settings->ocr);
}

bool fn_get_index_settings(Call *call, GError **error)
{
    MkIndexSettings settings;

    if (!mk_archive_index_settings(admin_call_archive(call), &settings, error))
        return false;
    add_settings(call, &settings);
    mk_index_settings_clear(&settings);
    return true;
}

/* Kinds of this name, or of the group of this name. */
static uint64_t kinds_named(const char *name)
{
    uint64_t kinds = 0;

    if (strcmp(name, "all") == 0)
        return UINT64_MAX;
    for (int kind = MK_DOCUMENT_PLAIN; kind < MK_DOCUMENT_COUNT; kind++) {
        const MkDocumentType *type = mk_document_type((MkDocumentKind) kind);

        if (type != NULL && (strcmp(type->name, name) == 0 || strcmp(type->group, name) == 0))
            kinds |= UINT64_C(1) << kind;
    }
    return kinds;
}

static bool kinds_parse(const Call *call, uint64_t *out, GError **error)
{
    g_auto(GStrv) names = NULL;

    if (admin_call_text(call, "kinds") == NULL)
        return true;
    names = admin_call_list(call, "kinds");
    *out = 0;
    for (char **name = names; *name != NULL; name++) {
        uint64_t kinds = kinds_named(*name);

        if (kinds == 0 && strcmp(*name, "none") != 0)
            return mk_fail(error, MK_ERROR_INVALID, "Unknown kind of document %s.",
                           admin_name_shown(*name));
        *out |= kinds;
    }
    return true;
}

/* "log cfg" or "log,cfg" or ".log .cfg" (IX-03); left out they stay, empty there are none. */
static void extensions_parse(const Call *call, MkIndexSettings *settings)
{
    const char *text = admin_call_string(call, "extensions");
    g_auto(GStrv) parts = NULL;
    GStrvBuilder *list;

    if (text == NULL)
        return;
    parts = g_strsplit_set(text, " ,;", -1);
    list = g_strv_builder_new();
    for (char **part = parts; *part != NULL; part++) {
        g_autofree char *lower = g_utf8_strdown(*part + (**part == '.'), -1);

        if (lower[0] != '\0')
            g_strv_builder_add(list, lower);
    }
    g_strfreev(settings->extensions);
    settings->extensions = g_strv_builder_end(list);
    g_strv_builder_unref(list);
}

static bool set_from_call(const Call *call, MkIndexSettings *settings, GError **error)
{
    if (!kinds_parse(call, &settings->kinds, error))
        return false;
    extensions_parse(call, settings);
    settings->ocr = admin_call_bool(call, "ocr", settings->ocr);
    return mk_archive_set_index_settings(admin_call_archive(call), settings,
                                         admin_call_bool(call, "needsRebuild", false), error);
}

bool fn_set_index_settings(Call *call, GError **error)
{
    MkIndexSettings settings;
    bool good;

    if (!mk_archive_index_settings(admin_call_archive(call), &settings, error))
        return false;
    good = set_from_call(call, &settings, error);
    if (good)
        add_settings(call, &settings);
    mk_index_settings_clear(&settings);
    return good;
}
