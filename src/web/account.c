/*
 * account.c - /api/v1/account: the own password, two-factor sign-in, app passwords, sessions
 *
 * For sessions only: a program with HTTP Basic has no business here. What the archive refuses
 * since the present password or a code is wrong is 403 with a code of its own: 401 would say that
 * the session is over.
 */
#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>

#include "internal.h"

/* -- reading ----------------------------------------------------------------------------------- */
bool web_account_read(WebCall *call, GError **error)
{
    return !call->is_basic ||
           mk_fail(error, MK_ERROR_DENIED, "The account is changed in a session, not with Basic.");
}

static bool read_members(WebCall *call, const WebMember *members, size_t count, GError **error)
{
    if (!web_account_read(call, error))
        return false;
    if (!web_is_json(call))
        return mk_fail(error, MK_ERROR_INVALID, "Send the Content-Type application/json.");
    return web_json_read_strings(mk_http_body(call->request), members, count, error);
}

bool web_account_password_read(WebCall *call, GError **error)
{
    const WebMember password = { "password", MK_LIMIT_PASSWORD_BYTES, true, &call->password };

    return read_members(call, &password, 1, error);
}

bool web_new_password_read(WebCall *call, GError **error)
{
    const WebMember members[] = {
        { "password", MK_LIMIT_PASSWORD_BYTES, true, &call->password },
        { "newPassword", MK_LIMIT_PASSWORD_BYTES, true, &call->new_password },
    };

    return read_members(call, members, G_N_ELEMENTS(members), error);
}

bool web_two_factor_confirm_read(WebCall *call, GError **error)
{
    const WebMember code = { "code", MK_LIMIT_LOGIN_CODE_BYTES, true, &call->code };

    return read_members(call, &code, 1, error);
}

bool web_app_password_create_read(WebCall *call, GError **error)
{
    const WebMember members[] = {
        { "password", MK_LIMIT_PASSWORD_BYTES, true, &call->password },
        { "name", MK_LIMIT_APP_PASSWORD_NAME_BYTES, true, &call->name },
    };

    return read_members(call, members, G_N_ELEMENTS(members), error);
}

bool web_app_password_revoke_read(WebCall *call, GError **error)
{
    guint64 id = 0;

    if (!web_account_read(call, error))
        return false;
    if (!g_ascii_string_to_unsigned(call->segments[0], 10, 1, UINT32_MAX, &id, NULL))
        return mk_fail(error, MK_ERROR_NOT_FOUND, "There is no such app password.");
    call->number = (unsigned) id;
    return true;
}

/* -- refusals ---------------------------------------------------------------------------------- */
/* Always false. */
static bool refuse(WebCall *call, const GError *error, const char *code)
{
    if (mk_error_code(error) == MK_ERROR_AUTH) {
        call->refusal_status = 403;
        call->refusal_code = code;
    } else if (mk_error_code(error) == MK_ERROR_BUSY) {
        call->refusal_status = 429;
    }
    return false;
}

static bool refuse_password(WebCall *call, GError **error)
{
    return refuse(call, *error, "wrong-password");
}

/* -- the whole ----------------------------------------------------------------------------------- */
static void put_app_passwords(WebCall *call, yyjson_mut_val *root)
{
    g_autoptr(GPtrArray) list = mk_archive_app_passwords(call->archive, call->principal);
    yyjson_mut_val *array = web_json_array(call->json, root, "appPasswords");

    for (guint i = 0; i < list->len; i++) {
        const MkAppPassword *app = list->pdata[i];
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(call->json, array);

        yyjson_mut_obj_add_uint(call->json, object, "id", app->id);
        web_json_string(call->json, object, "name", app->name);
        web_json_date(call->json, object, "created", app->created_unix_ms);
        web_json_date(call->json, object, "used", app->used_unix_ms);
    }
}

bool web_account_run(WebCall *call, GError **error)
{
    MkAccount account;
    yyjson_mut_val *root;

    if (!mk_archive_account(call->archive, call->principal, &account, error))
        return false;
    call->json = web_json_new(&root);
    yyjson_mut_obj_add_bool(call->json, root, "mayChangePassword", account.may_change_password);
    yyjson_mut_obj_add_bool(call->json, root, "twoFactor", account.two_factor);
    yyjson_mut_obj_add_uint(call->json, root, "recoveryCodes", account.recovery_codes);
    put_app_passwords(call, root);
    return true;
}

static WebSession *session_of(WebCall *call)
{
    g_autofree char *token = mk_http_cookie(call->request, WEB_COOKIE);

    return token == NULL ? NULL
                         : web_sessions_find(call->web->sessions, token, mk_clock_monotonic_ms());
}

/* On the loop, where the sessions are. */
static void put_sessions(WebCall *call, yyjson_mut_val *root)
{
    const WebSession *own = session_of(call);
    g_autoptr(GPtrArray) list =
        web_sessions_of(call->web->sessions, mk_principal_user_id(call->principal));
    yyjson_mut_val *array = web_json_array(call->json, root, "sessions");
    int64_t now_ms = mk_clock_monotonic_ms(), now_unix_ms = mk_clock_unix_ms();

    for (guint i = 0; i < list->len; i++) {
        const WebSession *session = list->pdata[i];
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(call->json, array);

        web_json_string(call->json, object, "id", session->id);
        web_json_string(call->json, object, "address", session->peer_address);
        web_json_date(call->json, object, "since", session->since_unix_ms);
        web_json_date(call->json, object, "last", now_unix_ms - (now_ms - session->last_ms));
        yyjson_mut_obj_add_bool(call->json, object, "isThis", session == own);
    }
}

void web_account_finish(WebCall *call)
{
    put_sessions(call, yyjson_mut_doc_get_root(call->json));
    web_respond_out(call);
}

/* -- the password -------------------------------------------------------------------------------- */
/* From here on the call is that of the one login that goes on. */
static void take_principal(WebCall *call, MkPrincipal *principal)
{
    mk_principal_unref(call->principal);
    call->principal = principal;
}

bool web_new_password_run(WebCall *call, GError **error)
{
    MkPrincipal *principal = NULL;
    yyjson_mut_val *root;

    if (!mk_archive_change_own_password(call->archive, call->principal, call->password,
                                        call->new_password, call->peer_address, &principal, error))
        return refuse_password(call, error);
    take_principal(call, principal);
    call->json = web_json_new(&root);
    return true;
}

/* -- two-factor sign-in -------------------------------------------------------------------------- */
static void put_codes(WebCall *call, char **codes)
{
    yyjson_mut_val *root;
    yyjson_mut_val *array;

    call->json = web_json_new(&root);
    array = web_json_array(call->json, root, "recoveryCodes");
    for (char **code = codes; *code != NULL; code++) {
        yyjson_mut_arr_add_strcpy(call->json, array, *code);
        mk_wipe(*code, strlen(*code));
    }
}

bool web_two_factor_begin_run(WebCall *call, GError **error)
{
    char *secret = NULL;
    yyjson_mut_val *root;

    if (!mk_archive_two_factor_begin(call->archive, call->principal, call->password,
                                     call->peer_address, &secret, error))
        return refuse_password(call, error);
    call->json = web_json_new(&root);
    web_json_string(call->json, root, "secret", secret);
    mk_free_secret(secret);
    return true;
}

bool web_two_factor_confirm_run(WebCall *call, GError **error)
{
    MkPrincipal *principal = NULL;
    g_auto(GStrv) codes = NULL;

    if (!mk_archive_two_factor_confirm(call->archive, call->principal, call->code,
                                       call->peer_address, &principal, &codes, error))
        return refuse(call, *error, "wrong-code");
    take_principal(call, principal);
    put_codes(call, codes);
    return true;
}

bool web_two_factor_off_run(WebCall *call, GError **error)
{
    return mk_archive_two_factor_off(call->archive, call->principal, call->password,
                                     call->peer_address, error) ||
           refuse_password(call, error);
}

bool web_recovery_codes_run(WebCall *call, GError **error)
{
    g_auto(GStrv) codes = NULL;

    if (!mk_archive_recovery_codes_renew(call->archive, call->principal, call->password,
                                         call->peer_address, &codes, error))
        return refuse_password(call, error);
    put_codes(call, codes);
    return true;
}

/* -- app passwords ------------------------------------------------------------------------------- */
bool web_app_password_create_run(WebCall *call, GError **error)
{
    char *secret = NULL;
    yyjson_mut_val *root;

    if (!mk_archive_app_password_create(call->archive, call->principal, call->password,
                                        call->peer_address, call->name, &secret, error))
        return refuse_password(call, error);
    call->json = web_json_new(&root);
    web_json_string(call->json, root, "appPassword", secret);
    mk_free_secret(secret);
    return true;
}

bool web_app_password_revoke_run(WebCall *call, GError **error)
{
    return mk_archive_app_password_revoke(call->archive, call->principal, call->number, error);
}

/* -- sessions ------------------------------------------------------------------------------------ */
static bool is_meant(const WebCall *call, const WebSession *session)
{
    const char *id = call->segments[0];

    return id == NULL ? session != call->session : g_str_equal(session->id, id);
}

void web_sessions_end_finish(WebCall *call)
{
    WebSessions *sessions = call->web->sessions;
    g_autoptr(GPtrArray) list = web_sessions_of(sessions, mk_principal_user_id(call->principal));
    bool found = call->segments[0] == NULL;

    for (guint i = 0; i < list->len; i++) {
        if (!is_meant(call, list->pdata[i]))
            continue;
        found = true;
        web_sessions_end(sessions, list->pdata[i]);
    }
    call->session = NULL;
    if (found)
        web_no_content_finish(call);
    else
        web_respond_problem(call->request, 404, mk_error_name(MK_ERROR_NOT_FOUND),
                            "There is no such session.", NULL, NULL);
}
