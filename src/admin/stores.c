/*
 * stores.c - stores, their indexes, and verification
 */
#include "internal.h"

static void add_store(Call *call, yyjson_mut_val *object, const MkStoreInfo *info, bool with_sizes)
{
    yyjson_mut_doc *doc = call->doc;

    admin_json_add_number(doc, object, "id", info->id);
    admin_json_add_string(doc, object, "name", info->name);
    admin_json_add_string(doc, object, "type", "FileSystemInternal");
    admin_json_add_string(doc, object, "requestedState", info->state);
    admin_json_add_string(doc, object, "databasePath", info->database_path);
    admin_json_add_string(doc, object, "contentPath", info->content_path);
    admin_json_add_string(doc, object, "indexPath", info->index_path);
    admin_json_add_string(doc, object, "databaseName", NULL);
    admin_json_add_string(doc, object, "serverName", NULL);
    admin_json_add_string(doc, object, "userName", NULL);
    if (with_sizes) {
        admin_json_add_number(doc, object, "statisticsSize",
                              (int64_t) info->statistics.content_bytes);
        admin_json_add_number(doc, object, "statisticsCount",
                              (int64_t) info->statistics.mail_count);
    } else {
        admin_json_add_string(doc, object, "statisticsSize", NULL);
        admin_json_add_string(doc, object, "statisticsCount", NULL);
    }
    admin_json_add_string(doc, object, "error", info->error);
    admin_json_add_bool(doc, object, "needsUpgrade", false);
    admin_json_add_bool(doc, object, "searchIndexesNeedRebuild", info->index_needs_rebuild);
}

bool fn_get_stores(Call *call, GError **error)
{
    bool with_sizes = admin_call_bool(call, "includeSize", true);
    g_autoptr(GPtrArray) stores = mk_archive_stores(admin_call_archive(call), with_sizes, error);

    if (stores == NULL)
        return false;
    call->result = yyjson_mut_arr(call->doc);
    for (guint i = 0; i < stores->len; i++)
        add_store(call, yyjson_mut_arr_add_obj(call->doc, call->result), stores->pdata[i],
                  with_sizes);
    return true;
}

static void log_report(Operation *operation, const MkVerifyReport *report)
{
    for (guint i = 0; report->messages != NULL && i < report->messages->len; i++)
        admin_operation_log(operation, report->messages->pdata[i]);
}

/* One store; adds its counts to the result list. */
static bool verify_one(Call *call, uint32_t id, yyjson_mut_val *list, uint64_t *out_errors,
                       GError **error)
{
    MkVerifyReport report = { 0 };
    g_autofree char *line = g_strdup_printf("Verifying store %u.", id);
    yyjson_mut_val *object;
    bool ok;

    admin_operation_log(call->operation, line);
    ok = mk_archive_verify_store(admin_call_archive(call), id,
                                 admin_call_bool(call, "includeIndexes", false),
                                 admin_operation_on_progress, call->operation, &report, error);
    if (ok) {
        log_report(call->operation, &report);
        object = yyjson_mut_arr_add_obj(call->doc, list);
        admin_json_add_number(call->doc, object, "id", id);
        admin_json_add_number(call->doc, object, "records", (int64_t) report.records);
        admin_json_add_number(call->doc, object, "messages", (int64_t) report.mails);
        admin_json_add_number(call->doc, object, "blobs", (int64_t) report.blobs);
        admin_json_add_number(call->doc, object, "values", (int64_t) report.values);
        admin_json_add_number(call->doc, object, "errors", (int64_t) report.errors);
        *out_errors += report.errors;
    }
    mk_verify_report_clear(&report);
    return ok;
}

/* A store with errors is a failed verification: scripts look at statusCode. */
static bool conclude(const Call *call, uint64_t errors, GError **error)
{
    if (errors > 0)
        return mk_fail(error, MK_ERROR_CORRUPT,
                       "The verification found %" G_GUINT64_FORMAT " errors.", errors);
    admin_operation_log(call->operation, "No errors were found.");
    return true;
}

bool fn_verify_store(Call *call, GError **error)
{
    int64_t id = admin_call_number(call, "id", 0);
    uint64_t errors = 0;

    if (id <= 0 || id > UINT32_MAX)
        return mk_fail(error, MK_ERROR_NOT_FOUND, "There is no store with this id.");
    call->result = yyjson_mut_arr(call->doc);
    return verify_one(call, (uint32_t) id, call->result, &errors, error) &&
           conclude(call, errors, error);
}

bool fn_verify_stores(Call *call, GError **error)
{
    g_autoptr(GPtrArray) stores = mk_archive_stores(admin_call_archive(call), false, error);
    uint64_t errors = 0;

    if (stores == NULL)
        return false;
    call->result = yyjson_mut_arr(call->doc);
    for (guint i = 0; i < stores->len; i++)
        if (!verify_one(call, ((const MkStoreInfo *) stores->pdata[i])->id, call->result, &errors,
                        error))
            return false;
    return conclude(call, errors, error);
}
