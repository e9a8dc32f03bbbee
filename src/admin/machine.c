/*
 * machine.c - the server about itself: version, sessions, services
 */
#include "internal.h"

static void add_server(Call *call)
{
    call->result = yyjson_mut_obj(call->doc);
    admin_json_add_string(call->doc, call->result, "version", MK_VERSION);
}

bool fn_get_server_info(Call *call, GError **error)
{
    (void) error;
    add_server(call);
    admin_json_add_string(call->doc, call->result, "machineName", call->admin->settings->hostname);
    return true;
}

bool fn_get_version(Call *call, GError **error)
{
    (void) error;
    add_server(call);
    admin_json_add_string(call->doc, call->result, "product", "Mailkeep");
    return true;
}

bool fn_get_active_sessions(Call *call, GError **error)
{
    g_autoptr(GPtrArray) sessions = mk_archive_sessions(admin_call_archive(call));

    (void) error;
    call->result = yyjson_mut_arr(call->doc);
    for (guint i = 0; i < sessions->len; i++) {
        const MkSessionInfo *session = sessions->pdata[i];
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(call->doc, call->result);

        admin_json_add_string(call->doc, object, "id", session->id);
        admin_json_add_string(call->doc, object, "userName", session->user_name);
        admin_json_add_string(call->doc, object, "protocol", session->protocol);
        admin_json_add_string(call->doc, object, "address", session->peer_address);
        admin_json_add_time(call->doc, object, "since", session->since_unix_ms);
        admin_json_add_time(call->doc, object, "lastActivity", session->last_unix_ms);
    }
    return true;
}

static void add_endpoint(Call *call, yyjson_mut_val *list, MkServiceKind kind)
{
    const MkServiceSettings *service = &call->admin->settings->services[kind];
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(call->doc, list);

    admin_json_add_string(call->doc, object, "name", mk_service_name(kind));
    admin_json_add_bool(call->doc, object, "enabled", service->enabled);
    admin_json_add_string(call->doc, object, "address", service->host);
    admin_json_add_number(call->doc, object, "port", service->port);
}

bool fn_get_service_configuration(Call *call, GError **error)
{
    const MkSettings *settings = call->admin->settings;
    g_autofree char *master = g_build_filename(settings->data_dir, "master", NULL);
    g_autofree char *audit = g_build_filename(settings->data_dir, "audit", NULL);
    yyjson_mut_val *endpoints;

    (void) error;
    call->result = yyjson_mut_obj(call->doc);
    admin_json_add_string(call->doc, call->result, "masterDatabasePath", master);
    admin_json_add_string(call->doc, call->result, "auditLogPath", audit);
    admin_json_add_bool(call->doc, call->result, "debugLogEnabled", mk_log_level() == MK_LOG_DEBUG);
    endpoints = yyjson_mut_obj_add_arr(call->doc, call->result, "endpoints");
    for (MkServiceKind kind = 0; kind < MK_SERVICE_COUNT; kind++)
        add_endpoint(call, endpoints, kind);
    return true;
}
