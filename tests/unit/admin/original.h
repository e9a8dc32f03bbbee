/*
 * original.h - the functions of the original's Administration API, frozen
 *
 * From its manual, chapter 7.2: names, arguments in their order, types; `?` = may be left out.
 * The table of admin/ is compared with this list, and this list with the specification's own
 * file when MAILKEEP_SPEC names the directory it is in.
 */
#ifndef MAILKEEP_TEST_ADMIN_ORIGINAL_H
#define MAILKEEP_TEST_ADMIN_ORIGINAL_H

#define ORIGINAL_COUNT 77

typedef struct {
    const char *name;
    const char *arguments; /* "name:type other?:type" */
} OriginalFunction;

/* clang-format off */
static const OriginalFunction original_functions[ORIGINAL_COUNT] = {
    { "AttachStore",
      "name:string type:string databaseName?:string databasePath?:string "
      "contentPath?:string indexPath?:string serverName?:string userName?:string "
      "password?:string requestedState?:string" },
    { "CancelJobAsync", "id:number" },
    { "ClearUserPrivilegesOnFolders", "userName:string" },
    { "CompactMasterDatabase", "" },
    { "CompactStore", "id:number" },
    { "CreateBackup", "path:string excludeSearchIndexes?:bool" },
    { "CreateJob",
      "name?:string action?:string owner?:string timeZoneId?:string date?:string "
      "interval?:number time?:string dayOfWeek?:string dayOfMonth?:string" },
    { "CreateProfile", "properties:json raw:bool" },
    { "CreateStore",
      "name:string type?:string databaseName?:string databasePath?:string "
      "contentPath?:string indexPath?:string serverName?:string userName?:string "
      "password?:string requestedState?:string" },
    { "CreateUser",
      "userName:string privileges:string fullName?:string distinguishedName?:string "
      "authentication?:string password?:string" },
    { "DeleteEmptyFolders", "folder?:string" },
    { "DeleteJob", "id:string" },
    { "DeleteMessage", "id:string reason:string" },
    { "DeleteProfile", "id:number" },
    { "DeleteUser", "userName:string" },
    { "DetachStore", "id:number" },
    { "GetActiveSessions", "" },
    { "GetChildFolders", "folder?:string maxLevels?:number" },
    { "GetComplianceConfiguration", "" },
    { "GetDirectoryServicesConfiguration", "" },
    { "GetFolderStatistics", "" },
    { "GetJobResults",
      "fromIncluding:string toExcluding:string timeZoneId:string jobId?:number" },
    { "GetJobs", "" },
    { "GetMessages", "folder?:string" },
    { "GetProfiles", "raw:bool" },
    { "GetRetentionPolicies", "" },
    { "GetServerInfo", "" },
    { "GetServiceConfiguration", "" },
    { "GetSmtpSettings", "" },
    { "GetStoreIndexes", "id?:number" },
    { "GetStores", "includeSize?:bool" },
    { "GetTimeZones", "" },
    { "GetUserInfo", "userName:string" },
    { "GetUsers", "" },
    { "GetWorkerResults",
      "fromIncluding:string toExcluding:string timeZoneID:string profileID?:number "
      "userName?:string" },
    { "MaintainFileSystemDatabases", "" },
    { "MergeStore", "id:number sourceId:number" },
    { "MoveFolder", "fromFolder:string toFolder:string" },
    { "ProcessRetentionPolicies", "" },
    { "RebuildSelectedStoreIndexes", "" },
    { "RebuildStoreIndex", "id:number folder:string" },
    { "RecoverStore", "id:number recoverDeletedMessages?:bool" },
    { "RecreateRecoveryRecords", "id:number" },
    { "RefreshAllStoreStatistics", "" },
    { "RenameJob", "id?:number name?:string" },
    { "RenameStore", "id:number name:string" },
    { "RenameUser", "oldUserName:string newUserName:string" },
    { "RenewMasterKey", "" },
    { "RepairStoreDatabase", "id:number" },
    { "RetryOpenStores", "" },
    { "RunJobAsync", "id:number" },
    { "RunProfile", "id:number" },
    { "RunTemporaryProfile", "properties:json raw:bool" },
    { "SelectAllStoreIndexesForRebuild", "" },
    { "SendStatusReport", "timespan:string timeZoneId:string recipients:string" },
    { "SetComplianceConfiguration", "config:json" },
    { "SetDirectoryServicesConfiguration", "config:json" },
    { "SetJobEnabled", "id?:number enabled?:bool" },
    { "SetJobSchedule",
      "id:number timeZoneId:string date?:string interval?:number time?:string "
      "dayOfWeek?:string dayOfMonth?:string" },
    { "SetRetentionPolicies", "config:json" },
    { "SetSmtpSettings", "settings:json" },
    { "SetStoreProperties",
      "id:number type?:string databaseName?:string databasePath?:string "
      "contentPath?:string indexPath?:string serverName?:string userName?:string "
      "password?:string" },
    { "SetStoreRequestedState", "id:number requestedState?:string" },
    { "SetUserAuthentication", "userName:string authentication:string" },
    { "SetUserDistinguishedName", "userName:string distinguishedName?:string" },
    { "SetUserEmailAddresses", "userName:string emailAddresses?:string" },
    { "SetUserFullName", "userName:string fullName?:string" },
    { "SetUserPassword", "userName:string password:string" },
    { "SetUserPop3UserNames", "userName:string pop3UserNames?:string" },
    { "SetUserPrivileges", "userName:string privileges:string" },
    { "SetUserPrivilegesOnFolder", "userName:string folder:string privileges:string" },
    { "SyncUsersWithDirectoryServices", "dryRun?:bool" },
    { "TestSmtpSettings", "" },
    { "UnlockStore", "id:number passphrase:string" },
    { "UpgradeStore", "id:number" },
    { "VerifyStore", "id:number includeIndexes:bool" },
    { "VerifyStores", "includeIndexes:bool" },
};
/* clang-format on */

#endif
