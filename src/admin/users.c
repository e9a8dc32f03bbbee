/*
 * users.c - users, their properties and privileges
 */
#include <string.h>

#include "internal.h"

static bool authentication_parse(const char *text, MkAuthentication *out, GError **error)
{
    if (strcmp(text, "integrated") == 0)
        *out = MK_AUTHENTICATION_INTEGRATED;
    else if (strcmp(text, "directoryServices") == 0)
        *out = MK_AUTHENTICATION_DIRECTORY_SERVICES;
    else
        return mk_fail(error, MK_ERROR_INVALID,
                       "authentication must be integrated or directoryServices.");
    return true;
}

static const char *authentication_name(MkAuthentication authentication)
{
    switch (authentication) {
    case MK_AUTHENTICATION_INTEGRATED: return "integrated";
    case MK_AUTHENTICATION_DIRECTORY_SERVICES: return "directoryServices";
    }
    g_assert_not_reached();
}

static bool change(Call *call, const MkUserChange *change, GError **error)
{
    return mk_archive_user_change(admin_call_archive(call), admin_call_string(call, "userName"),
                                  change, error);
}

/* What CreateUser may set besides: checked before the user is made, so that it is all or nothing. */
static bool create_checks(const Call *call, uint32_t *out_privileges,
                          MkAuthentication *out_authentication, GError **error)
{
    const char *authentication = admin_call_text(call, "authentication");
    const char *password = admin_call_text(call, "password");

    *out_authentication = MK_AUTHENTICATION_INTEGRATED;
    return mk_privileges_parse(admin_call_string(call, "privileges"), out_privileges, error) &&
           (authentication == NULL ||
            authentication_parse(authentication, out_authentication, error)) &&
           (password == NULL ||
            mk_password_policy_check(admin_call_string(call, "userName"), password, error));
}

bool fn_create_user(Call *call, GError **error)
{
    MkArchive *archive = admin_call_archive(call);
    const char *user_name = admin_call_string(call, "userName");
    const char *password = admin_call_text(call, "password");
    MkAuthentication authentication;
    uint32_t privileges;
    MkUserChange properties = {
        .full_name = admin_call_string(call, "fullName"),
        .distinguished_name = admin_call_string(call, "distinguishedName"),
        .authentication = &authentication,
    };

    if (!create_checks(call, &privileges, &authentication, error) ||
        !mk_archive_user_create(archive, user_name, privileges, error))
        return false;
    if (mk_archive_user_change(archive, user_name, &properties, error) &&
        (password == NULL || mk_archive_user_set_password(archive, user_name, password, error)))
        return true;
    mk_archive_user_delete(archive, user_name, NULL); /* all of it or nothing */
    return false;
}

bool fn_delete_user(Call *call, GError **error)
{
    return mk_archive_user_delete(admin_call_archive(call), admin_call_string(call, "userName"),
                                  error);
}

bool fn_rename_user(Call *call, GError **error)
{
    return mk_archive_user_rename(admin_call_archive(call), admin_call_string(call, "oldUserName"),
                                  admin_call_string(call, "newUserName"), error);
}

static void add_names(Call *call, yyjson_mut_val *object, const MkUser *user)
{
    admin_json_add_string(call->doc, object, "userName", user->user_name);
    admin_json_add_string(call->doc, object, "fullName", user->full_name);
    admin_json_add_string(call->doc, object, "distinguishedName", user->distinguished_name);
}

bool fn_get_users(Call *call, GError **error)
{
    g_autoptr(GPtrArray) users = mk_archive_users(admin_call_archive(call));

    (void) error;
    call->result = yyjson_mut_arr(call->doc);
    for (guint i = 0; i < users->len; i++)
        add_names(call, yyjson_mut_arr_add_obj(call->doc, call->result), users->pdata[i]);
    return true;
}

static void add_folder_rights(Call *call, yyjson_mut_val *object, const MkUser *user)
{
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(call->doc, object, "privilegesOnFolders");

    for (guint i = 0; i < user->folder_rights->len; i++) {
        const MkFolderRights *rights = user->folder_rights->pdata[i];
        yyjson_mut_val *entry = yyjson_mut_arr_add_obj(call->doc, list);
        g_autofree char *names = mk_rights_format(rights->rights);

        admin_json_add_string(call->doc, entry, "folder", rights->folder);
        admin_json_add_names(call->doc, entry, "privileges", names);
    }
}

static void add_properties(Call *call, yyjson_mut_val *object, const MkUser *user)
{
    g_autofree char *privileges = mk_privileges_format(user->privileges);

    add_names(call, object, user);
    admin_json_add_string(call->doc, object, "authentication",
                          authentication_name(user->authentication));
    admin_json_add_list(call->doc, object, "emailAddresses",
                        (const char *const *) user->email_addresses);
    admin_json_add_list(call->doc, object, "pop3UserNames",
                        (const char *const *) user->pop3_user_names);
    admin_json_add_names(call->doc, object, "privileges", privileges);
    add_folder_rights(call, object, user);
    admin_json_add_bool(call->doc, object, "twoFactor", user->two_factor);
}

bool fn_get_user_info(Call *call, GError **error)
{
    g_autoptr(MkUser) user =
        mk_archive_user_get(admin_call_archive(call), admin_call_string(call, "userName"), error);

    if (user == NULL)
        return false;
    call->result = yyjson_mut_obj(call->doc);
    add_properties(call, call->result, user);
    return true;
}

/* All users with everything but their passwords: who may do what, in one answer (US-15). */
bool fn_get_user_overview(Call *call, GError **error)
{
    g_autoptr(GPtrArray) users = mk_archive_users(admin_call_archive(call));

    (void) error;
    call->result = yyjson_mut_arr(call->doc);
    for (guint i = 0; i < users->len; i++) {
        const MkUser *user = users->pdata[i];
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(call->doc, call->result);

        add_properties(call, object, user);
        admin_json_add_string(call->doc, object, "archive", user->archive);
        admin_json_add_bool(call->doc, object, "hasPassword", user->has_password);
    }
    return true;
}

bool fn_reset_user_two_factor(Call *call, GError **error)
{
    return mk_archive_two_factor_reset(admin_call_archive(call),
                                       admin_call_string(call, "userName"), error);
}

/* For the setters whose argument may be left out, which clears the property. */
static const char *string_or_empty(const Call *call, const char *name)
{
    const char *text = admin_call_string(call, name);

    return text != NULL ? text : "";
}

bool fn_set_user_full_name(Call *call, GError **error)
{
    return change(call, &(MkUserChange){ .full_name = string_or_empty(call, "fullName") }, error);
}

bool fn_set_user_distinguished_name(Call *call, GError **error)
{
    const char *name = string_or_empty(call, "distinguishedName");

    return change(call, &(MkUserChange){ .distinguished_name = name }, error);
}

bool fn_set_user_authentication(Call *call, GError **error)
{
    MkAuthentication authentication;

    return authentication_parse(admin_call_string(call, "authentication"), &authentication,
                                error) &&
           change(call, &(MkUserChange){ .authentication = &authentication }, error);
}

bool fn_set_user_email_addresses(Call *call, GError **error)
{
    g_auto(GStrv) addresses = admin_call_list(call, "emailAddresses");

    return change(call, &(MkUserChange){ .email_addresses = (const char *const *) addresses },
                  error);
}

bool fn_set_user_pop3_user_names(Call *call, GError **error)
{
    g_auto(GStrv) names = admin_call_list(call, "pop3UserNames");

    return change(call, &(MkUserChange){ .pop3_user_names = (const char *const *) names }, error);
}

bool fn_set_user_privileges(Call *call, GError **error)
{
    uint32_t privileges;

    return mk_privileges_parse(admin_call_string(call, "privileges"), &privileges, error) &&
           change(call, &(MkUserChange){ .privileges = &privileges }, error);
}

bool fn_set_user_password(Call *call, GError **error)
{
    return mk_archive_user_set_password(admin_call_archive(call),
                                        admin_call_string(call, "userName"),
                                        admin_call_string(call, "password"), error);
}

bool fn_set_user_privileges_on_folder(Call *call, GError **error)
{
    uint32_t rights;

    return mk_rights_parse(admin_call_string(call, "privileges"), &rights, error) &&
           mk_archive_user_set_rights(admin_call_archive(call), admin_call_string(call, "userName"),
                                      admin_call_string(call, "folder"), rights, error);
}

bool fn_clear_user_privileges_on_folders(Call *call, GError **error)
{
    return mk_archive_user_clear_rights(admin_call_archive(call),
                                        admin_call_string(call, "userName"), error);
}
