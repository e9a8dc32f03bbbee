/*
 * dashboard.c - what an administrator wants to know first, in one answer
 *
 * All of it is at hand or counted from a few rows: the page may ask every minute, however many mails
 * there are.
 */
#include <string.h>

#include "internal.h"

static void add_arrivals(Call *call, const MkArrivalDay *days)
{
    yyjson_mut_val *object = yyjson_mut_obj_add_obj(call->doc, call->result, "arrivals");
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(call->doc, object, "days");
    uint64_t week = 0, month = 0;

    for (int i = 0; i < MK_ARRIVAL_DAYS; i++) {
        yyjson_mut_val *day = yyjson_mut_arr_add_obj(call->doc, list);

        admin_json_add_time(call->doc, day, "begins", days[i].begins_unix_ms);
        admin_json_add_number(call->doc, day, "count", (int64_t) days[i].mail_count);
        month += days[i].mail_count;
        if (i >= MK_ARRIVAL_DAYS - 7)
            week += days[i].mail_count;
    }
    admin_json_add_number(call->doc, object, "today",
                          (int64_t) days[MK_ARRIVAL_DAYS - 1].mail_count);
    admin_json_add_number(call->doc, object, "last7Days", (int64_t) week);
    admin_json_add_number(call->doc, object, "last30Days", (int64_t) month);
}

/* 0 = it never was */
static void add_time_or_null(Call *call, yyjson_mut_val *object, const char *key, int64_t unix_ms)
{
    if (unix_ms == 0)
        yyjson_mut_obj_add_null(call->doc, object, key);
    else
        admin_json_add_time(call->doc, object, key, unix_ms);
}

static void add_ingest(Call *call)
{
    yyjson_mut_val *object = yyjson_mut_obj_add_obj(call->doc, call->result, "ingest");
    MkArchiveGauges g;

    mk_archive_gauges(admin_call_archive(call), &g);
    admin_json_add_number(call->doc, object, "kept", (int64_t) g.mails_new);
    admin_json_add_number(call->doc, object, "again", (int64_t) g.mails_again);
    admin_json_add_number(call->doc, object, "reportsBroken", (int64_t) g.reports_broken);
    admin_json_add_number(call->doc, object, "unowned", (int64_t) g.unowned);
    admin_json_add_number(call->doc, object, "failed", (int64_t) g.ingest_failed);
    add_time_or_null(call, object, "lastFailure", g.ingest_failed_unix_ms);
    admin_json_add_string(call->doc, object, "lastFailureCode",
                          g.ingest_failed > 0 ? mk_error_name(g.ingest_failed_code) : NULL);
    admin_json_add_number(call->doc, object, "indexBehind", (int64_t) g.index_behind);
}

static void add_stores(Call *call, const GPtrArray *stores)
{
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(call->doc, call->result, "stores");

    for (guint i = 0; i < stores->len; i++) {
        const MkStoreInfo *info = stores->pdata[i];
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(call->doc, list);

        admin_json_add_number(call->doc, object, "id", info->id);
        admin_json_add_string(call->doc, object, "name", info->name);
        admin_json_add_number(call->doc, object, "mails", (int64_t) info->statistics.mail_count);
        admin_json_add_number(call->doc, object, "mailBytes",
                              (int64_t) info->statistics.size_bytes);
        admin_json_add_number(call->doc, object, "contentBytes",
                              (int64_t) info->statistics.content_bytes);
        admin_json_add_number(call->doc, object, "databaseBytes",
                              (int64_t) info->statistics.catalog_bytes);
        admin_json_add_number(call->doc, object, "indexBytes", (int64_t) info->index.size_bytes);
        admin_json_add_bool(call->doc, object, "indexNeedsRebuild", info->index_needs_rebuild);
        add_time_or_null(call, object, "verified", info->verified_unix_ms);
        admin_json_add_number(call->doc, object, "verifiedErrors", (int64_t) info->verified_errors);
        admin_json_add_string(call->doc, object, "error", info->error);
    }
}

static void add_journals(Call *call, int64_t now_unix_ms)
{
    MkArchive *archive = admin_call_archive(call);
    g_autoptr(GPtrArray) mailboxes = mk_archive_gateway_mailboxes(archive);
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(call->doc, call->result, "journals");

    for (guint i = 0; i < mailboxes->len; i++) {
        const MkGatewayMailbox *mailbox = mailboxes->pdata[i];
        MkGatewayActivity activity = mk_archive_gateway_activity(archive, mailbox->id, now_unix_ms);
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(call->doc, list);

        admin_json_add_string(call->doc, object, "id", mailbox->id);
        admin_json_add_string(call->doc, object, "address", mailbox->address);
        admin_json_add_bool(call->doc, object, "suspended", mailbox->suspended);
        add_time_or_null(call, object, "lastArrival", activity.last_unix_ms);
        admin_json_add_bool(call->doc, object, "silent", activity.silent && !mailbox->suspended);
    }
}

static bool add_disk(Call *call, GError **error)
{
    yyjson_mut_val *object;
    uint64_t free_bytes, total_bytes;

    if (!mk_archive_disk(admin_call_archive(call), &free_bytes, &total_bytes, error))
        return false;
    object = yyjson_mut_obj_add_obj(call->doc, call->result, "disk");
    admin_json_add_number(call->doc, object, "freeBytes", (int64_t) free_bytes);
    admin_json_add_number(call->doc, object, "totalBytes", (int64_t) total_bytes);
    return true;
}

/* -- what should not stay so ------------------------------------------------------------------- */
static void warn(Call *call, yyjson_mut_val *list, const char *code)
{
    yyjson_mut_arr_add_strcpy(call->doc, list, code);
}

static bool is_for_all(const MkSettings *settings, MkServiceKind kind)
{
    const MkServiceSettings *service = &settings->services[kind];

    return service->enabled && !g_str_has_prefix(service->host, "127.") &&
           strcmp(service->host, "::1") != 0 && strcmp(service->host, "localhost") != 0;
}

static void add_warnings(Call *call)
{
    const MkSettings *settings = call->admin->settings;
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(call->doc, call->result, "warnings");

    if (is_for_all(settings, MK_SERVICE_METRICS))
        warn(call, list, "metrics-open"); /* in clear, without a password */
    if (is_for_all(settings, MK_SERVICE_API))
        warn(call, list, "api-open");
    if (strcmp(settings->tls_certificate, "auto") == 0)
        warn(call, list, "certificate-self-signed");
    if (mk_log_level() == MK_LOG_DEBUG)
        warn(call, list, "debug-log");
}

bool fn_get_dashboard(Call *call, GError **error)
{
    int64_t now = mk_clock_unix_ms();
    MkArrivalDay days[MK_ARRIVAL_DAYS];
    g_autoptr(GPtrArray) stores = mk_archive_stores(admin_call_archive(call), true, error);

    if (stores == NULL || !mk_archive_arrival_days(admin_call_archive(call), now, days, error))
        return false;
    call->result = yyjson_mut_obj(call->doc);
    admin_json_add_string(call->doc, call->result, "version", MK_VERSION);
    admin_json_add_string(call->doc, call->result, "machineName", call->admin->settings->hostname);
    admin_json_add_time(call->doc, call->result, "started", call->admin->started_unix_ms);
    admin_json_add_time(call->doc, call->result, "now", now);
    add_arrivals(call, days);
    add_ingest(call);
    add_stores(call, stores);
    add_journals(call, now);
    add_warnings(call);
    return add_disk(call, error);
}
