/* principal.c - who asks: a user at one password or app password, or the machine itself */
#include "internal.h"

struct MkPrincipal {
    _Atomic unsigned refs;
    uint32_t user_id; /* 0 = the machine itself */
    uint32_t password_version;
    uint32_t app_password; /* the one that was shown; 0 = the user's own password */
};

MkPrincipal *principal_new(uint32_t user_id, uint32_t password_version)
{
    MkPrincipal *principal = g_new0(MkPrincipal, 1);

    principal->refs = 1;
    principal->user_id = user_id;
    principal->password_version = password_version;
    return principal;
}

MkPrincipal *principal_new_app(uint32_t user_id, uint32_t password_version, uint32_t app_password)
{
    MkPrincipal *principal = principal_new(user_id, password_version);

    principal->app_password = app_password;
    return principal;
}

bool principal_is_person(const MkPrincipal *principal)
{
    return principal->app_password == 0;
}

MkPrincipal *mk_principal_ref(MkPrincipal *principal)
{
    principal->refs++;
    return principal;
}

void mk_principal_unref(MkPrincipal *principal)
{
    if (principal != NULL && --principal->refs == 0)
        g_free(principal);
}

bool principal_is_system(const MkPrincipal *principal)
{
    return principal->user_id == 0;
}

uint32_t mk_principal_user_id(const MkPrincipal *principal)
{
    return principal->user_id;
}

MkPrincipal *mk_principal_system(MkArchive *archive)
{
    return mk_principal_ref(archive->system);
}

UserRecord *principal_record(MkArchive *archive, const MkPrincipal *principal)
{
    g_autoptr(UserRecord) record = user_table_get(&archive->users, principal->user_id);

    if (record == NULL || record->password_version != principal->password_version ||
        !user_record_may_login(record))
        return NULL;
    if (principal->app_password != 0 &&
        !app_table_has(&archive->app_passwords, principal->user_id, principal->app_password))
        return NULL;
    return g_steal_pointer(&record);
}

bool mk_principal_is_valid(MkArchive *archive, const MkPrincipal *principal)
{
    g_autoptr(UserRecord) record = principal_record(archive, principal);

    return record != NULL || principal_is_system(principal);
}

bool mk_principal_is_admin(MkArchive *archive, const MkPrincipal *principal)
{
    g_autoptr(UserRecord) record = principal_record(archive, principal);

    return principal_is_system(principal) || (record != NULL && user_record_is_admin(record));
}

char *mk_principal_user_name(MkArchive *archive, const MkPrincipal *principal)
{
    g_autoptr(UserRecord) record = user_table_get(&archive->users, principal->user_id);

    return g_strdup(record == NULL ? "" : record->user.user_name);
}
