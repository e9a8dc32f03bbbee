/*
 * table.c - the functions: one row each, in order of their names
 *
 * A function more is a row here and a handler. Names, arguments and types of the original's
 * functions are those of spec/admin-api.json; below the table stand those it knows and we lack.
 */
#include <string.h>

#include "internal.h"

#define NEEDED(name, type) \
    {                      \
        name, type, false  \
    }
#define OPTIONAL(name, type) \
    {                        \
        name, type, true     \
    }

static const Function functions[] = {
    { "ClearUserPrivilegesOnFolders",
      fn_clear_user_privileges_on_folders,
      FOR_ADMINS,
      false,
      { NEEDED("userName", ARG_STRING) } },
    { "CreateGatewayMailbox",
      fn_create_gateway_mailbox,
      FOR_ADMINS,
      false,
      { OPTIONAL("id", ARG_STRING), NEEDED("address", ARG_STRING), OPTIONAL("password", ARG_STRING),
        OPTIONAL("mode", ARG_STRING), OPTIONAL("name", ARG_STRING),
        OPTIONAL("description", ARG_STRING) } },
    { "CreateUser",
      fn_create_user,
      FOR_ADMINS,
      false,
      { NEEDED("userName", ARG_STRING), NEEDED("privileges", ARG_STRING),
        OPTIONAL("fullName", ARG_STRING), OPTIONAL("distinguishedName", ARG_STRING),
        OPTIONAL("authentication", ARG_STRING), OPTIONAL("password", ARG_STRING) } },
    { "DeleteGatewayMailbox",
      fn_delete_gateway_mailbox,
      FOR_ADMINS,
      false,
      { NEEDED("id", ARG_STRING) } },
    { "DeleteUser", fn_delete_user, FOR_ADMINS, false, { NEEDED("userName", ARG_STRING) } },
    { "GetActiveSessions", fn_get_active_sessions, FOR_ADMINS, false, { { 0 } } },
    { "GetChildFolders",
      fn_get_child_folders,
      FOR_ADMINS,
      false,
      { OPTIONAL("folder", ARG_STRING), OPTIONAL("maxLevels", ARG_NUMBER) } },
    { "GetFolderStatistics", fn_get_folder_statistics, FOR_ADMINS, false, { { 0 } } },
    { "GetGatewayMailboxes", fn_get_gateway_mailboxes, FOR_ADMINS, false, { { 0 } } },
    { "GetMessageArrivals",
      fn_get_message_arrivals,
      FOR_ADMINS,
      false,
      { NEEDED("id", ARG_STRING) } },
    { "GetMessageContent", fn_get_message_content, FOR_USERS, false, { NEEDED("id", ARG_STRING) } },
    { "GetMessageReport",
      fn_get_message_report,
      FOR_ADMINS,
      false,
      { NEEDED("id", ARG_STRING), OPTIONAL("arrival", ARG_NUMBER) } },
    { "GetMessages", fn_get_messages, FOR_ADMINS, false, { OPTIONAL("folder", ARG_STRING) } },
    { "GetServerInfo", fn_get_server_info, FOR_ADMINS, false, { { 0 } } },
    { "GetServiceConfiguration", fn_get_service_configuration, FOR_ADMINS, false, { { 0 } } },
    { "GetStoreIndexes", fn_get_store_indexes, FOR_ADMINS, false, { OPTIONAL("id", ARG_NUMBER) } },
    { "GetStores", fn_get_stores, FOR_ADMINS, false, { OPTIONAL("includeSize", ARG_BOOL) } },
    { "GetTimeZones", fn_get_time_zones, FOR_ADMINS, false, { { 0 } } },
    { "GetUserInfo", fn_get_user_info, FOR_ADMINS, false, { NEEDED("userName", ARG_STRING) } },
    { "GetUsers", fn_get_users, FOR_ADMINS, false, { { 0 } } },
    { "GetVersion", fn_get_version, FOR_USERS, false, { { 0 } } },
    { "RenameUser",
      fn_rename_user,
      FOR_ADMINS,
      false,
      { NEEDED("oldUserName", ARG_STRING), NEEDED("newUserName", ARG_STRING) } },
    { "SearchMessages",
      fn_search_messages,
      FOR_USERS,
      false,
      { NEEDED("query", ARG_STRING), OPTIONAL("folder", ARG_STRING), OPTIONAL("from", ARG_STRING),
        OPTIONAL("to", ARG_STRING), OPTIONAL("offset", ARG_NUMBER), OPTIONAL("limit", ARG_NUMBER),
        OPTIONAL("sort", ARG_STRING), OPTIONAL("order", ARG_STRING) } },
    { "SetGatewayMailboxStatus",
      fn_set_gateway_mailbox_status,
      FOR_ADMINS,
      false,
      { NEEDED("id", ARG_STRING), NEEDED("status", ARG_STRING) } },
    { "SetUserAuthentication",
      fn_set_user_authentication,
      FOR_ADMINS,
      false,
      { NEEDED("userName", ARG_STRING), NEEDED("authentication", ARG_STRING) } },
    { "SetUserDistinguishedName",
      fn_set_user_distinguished_name,
      FOR_ADMINS,
      false,
      { NEEDED("userName", ARG_STRING), OPTIONAL("distinguishedName", ARG_STRING) } },
    { "SetUserEmailAddresses",
      fn_set_user_email_addresses,
      FOR_ADMINS,
      false,
      { NEEDED("userName", ARG_STRING), OPTIONAL("emailAddresses", ARG_STRING) } },
    { "SetUserFullName",
      fn_set_user_full_name,
      FOR_ADMINS,
      false,
      { NEEDED("userName", ARG_STRING), OPTIONAL("fullName", ARG_STRING) } },
    { "SetUserPassword",
      fn_set_user_password,
      FOR_ADMINS,
      false,
      { NEEDED("userName", ARG_STRING), NEEDED("password", ARG_STRING) } },
    { "SetUserPop3UserNames",
      fn_set_user_pop3_user_names,
      FOR_ADMINS,
      false,
      { NEEDED("userName", ARG_STRING), OPTIONAL("pop3UserNames", ARG_STRING) } },
    { "SetUserPrivileges",
      fn_set_user_privileges,
      FOR_ADMINS,
      false,
      { NEEDED("userName", ARG_STRING), NEEDED("privileges", ARG_STRING) } },
    { "SetUserPrivilegesOnFolder",
      fn_set_user_privileges_on_folder,
      FOR_ADMINS,
      false,
      { NEEDED("userName", ARG_STRING), NEEDED("folder", ARG_STRING),
        NEEDED("privileges", ARG_STRING) } },
    { "VerifyStore",
      fn_verify_store,
      FOR_ADMINS,
      true,
      { NEEDED("id", ARG_NUMBER), OPTIONAL("includeIndexes", ARG_BOOL) } },
    { "VerifyStores",
      fn_verify_stores,
      FOR_ADMINS,
      true,
      { OPTIONAL("includeIndexes", ARG_BOOL) } },
};

static const char *const unavailable[] = {
    "AttachStore",
    "CancelJobAsync",
    "CompactMasterDatabase",
    "CompactStore",
    "CreateBackup",
    "CreateJob",
    "CreateProfile",
    "CreateStore",
    "DeleteEmptyFolders",
    "DeleteJob",
    "DeleteMessage",
    "DeleteProfile",
    "DetachStore",
    "GetComplianceConfiguration",
    "GetDirectoryServicesConfiguration",
    "GetJobResults",
    "GetJobs",
    "GetProfiles",
    "GetRetentionPolicies",
    "GetSmtpSettings",
    "GetWorkerResults",
    "MaintainFileSystemDatabases",
    "MergeStore",
    "MoveFolder",
    "ProcessRetentionPolicies",
    "RebuildSelectedStoreIndexes",
    "RebuildStoreIndex",
    "RecoverStore",
    "RecreateRecoveryRecords",
    "RefreshAllStoreStatistics",
    "RenameJob",
    "RenameStore",
    "RenewMasterKey",
    "RepairStoreDatabase",
    "RetryOpenStores",
    "RunJobAsync",
    "RunProfile",
    "RunTemporaryProfile",
    "SelectAllStoreIndexesForRebuild",
    "SendStatusReport",
    "SetComplianceConfiguration",
    "SetDirectoryServicesConfiguration",
    "SetJobEnabled",
    "SetJobSchedule",
    "SetRetentionPolicies",
    "SetSmtpSettings",
    "SetStoreProperties",
    "SetStoreRequestedState",
    "SyncUsersWithDirectoryServices",
    "TestSmtpSettings",
    "UnlockStore",
    "UpgradeStore",
    NULL,
};

const Function *admin_function_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(functions); i++)
        if (strcmp(functions[i].name, name) == 0)
            return &functions[i];
    return NULL;
}

const Function *admin_function_next(size_t *at)
{
    return *at < G_N_ELEMENTS(functions) ? &functions[(*at)++] : NULL;
}

bool admin_function_is_unavailable(const char *name)
{
    return g_strv_contains(unavailable, name);
}

const char *const *admin_functions_unavailable(void)
{
    return unavailable;
}
