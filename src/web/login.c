/*
 * login.c - POST, GET and DELETE /api/v1/session
 */
#include <mailkeep/base.h>
#include <mailkeep/limits.h>
#include <mailkeep/log.h>

#include "internal.h"

#define COOKIE_END "; Path=/; HttpOnly; Secure; SameSite=Strict"

/*
 * Only JSON, announced as such: a form on another site cannot send that, so nobody is logged in
 * as somebody else without noticing.
 */
static bool is_json(const char *content_type)
{
    static const char json[] = "application/json";

    if (content_type == NULL || g_ascii_strncasecmp(content_type, json, sizeof json - 1) != 0)
        return false;
    char next = content_type[sizeof json - 1];
    return next == '\0' || next == ';' || next == ' ' || next == '\t';
}

bool web_is_json_request(const MkHttpRequest *request)
{
    return is_json(mk_http_header(request, "Content-Type"));
}

bool web_is_json(const WebCall *call)
{
    return web_is_json_request(call->request);
}

bool web_login_read(WebCall *call, GError **error)
{
    const WebMember members[] = {
        { "userName", MK_LIMIT_USER_NAME_BYTES, true, &call->user_name },
        { "password", MK_LIMIT_PASSWORD_BYTES, true, &call->password },
        { "code", MK_LIMIT_LOGIN_CODE_BYTES, false, &call->code },
    };

    if (!web_is_json(call))
        return mk_fail(error, MK_ERROR_INVALID, "Send the Content-Type application/json.");
    return web_json_read_strings(mk_http_body(call->request), members, G_N_ELEMENTS(members),
                                 error);
}

/* That a code is wanted says that the password is right: tries of either kind are throttled. */
bool web_login_run(WebCall *call, GError **error)
{
    bool wants_code = false;

    call->principal =
        mk_archive_login_person(call->archive, call->user_name, call->password, call->code,
                                call->peer_address, "web", &wants_code, error);
    if (call->principal == NULL && wants_code && mk_error_code(*error) == MK_ERROR_AUTH) {
        call->refusal_status = 401;
        call->refusal_code = call->code != NULL ? "wrong-code" : "second-factor";
    }
    return call->principal != NULL;
}

/* To be offered where a user's own address is wanted. */
static void put_address(const WebCall *call, const char *user_name, yyjson_mut_doc *doc,
                        yyjson_mut_val *root)
{
    g_autoptr(MkUser) user =
        user_name != NULL ? mk_archive_user_get(call->archive, user_name, NULL) : NULL;

    web_json_string(doc, root, "emailAddress", user != NULL ? user->email_addresses[0] : NULL);
}

static yyjson_mut_doc *session_json(const WebCall *call, const char *csrf)
{
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = web_json_new(&root);
    g_autofree char *user_name = mk_principal_user_name(call->archive, call->principal);

    web_json_string(doc, root, "userName", user_name);
    yyjson_mut_obj_add_bool(doc, root, "isAdmin",
                            mk_principal_is_admin(call->archive, call->principal));
    put_address(call, user_name, doc, root);
    yyjson_mut_obj_add_bool(doc, root, "canRestore", mk_archive_can_send(call->archive));
    web_json_string(doc, root, "csrfToken", csrf);
    return doc;
}

/* The session that the browser had before ends: a token lives through no login. */
static void end_former(WebCall *call)
{
    WebSessions *sessions = call->web->sessions;
    g_autofree char *token = mk_http_cookie(call->request, WEB_COOKIE);
    WebSession *former = NULL;

    if (token != NULL)
        former = web_sessions_find(sessions, token, mk_clock_monotonic_ms());
    if (former != NULL)
        web_sessions_end(sessions, former);
}

/* NULL after an answer: too many sessions. *out_cookie is a Set-Cookie field. */
static WebSession *open_session(WebCall *call, char **out_cookie)
{
    g_autoptr(GError) error = NULL;
    char token[WEB_TOKEN_CHARS + 1];
    WebSession *session = web_sessions_add(call->web->sessions, call->principal,
                                           mk_clock_monotonic_ms(), token, &error);

    if (session == NULL) {
        web_respond_error(call->request, error);
        return NULL;
    }
    session->since_unix_ms = mk_clock_unix_ms();
    g_strlcpy(session->peer_address, call->peer_address, sizeof session->peer_address);
    mk_archive_session_touch(call->archive, session->id, call->principal, "web",
                             call->peer_address);
    mk_log_info("web.login", "session", session->id, "user",
                MK_LOG_U64(mk_principal_user_id(call->principal)));
    *out_cookie = g_strconcat(WEB_COOKIE "=", token, COOKIE_END, NULL);
    mk_wipe(token, sizeof token);
    return session;
}

void web_login_finish(WebCall *call)
{
    g_autofree char *cookie = NULL;

    end_former(call);
    WebSession *session = open_session(call, &cookie);
    if (session != NULL)
        web_respond_json(call->request, session_json(call, session->csrf), cookie);
}

void web_renew_finish(WebCall *call)
{
    g_autoptr(GPtrArray) former =
        web_sessions_of(call->web->sessions, mk_principal_user_id(call->principal));
    g_autofree char *cookie = NULL;

    for (guint i = 0; i < former->len; i++)
        web_sessions_end(call->web->sessions, former->pdata[i]);
    WebSession *session = open_session(call, &cookie);
    if (session == NULL)
        return;
    web_json_string(call->json, yyjson_mut_doc_get_root(call->json), "csrfToken", session->csrf);
    web_respond_json(call->request, g_steal_pointer(&call->json), cookie);
}

void web_session_finish(WebCall *call)
{
    const char *csrf = call->session != NULL ? call->session->csrf : NULL;

    web_respond_json(call->request, session_json(call, csrf), NULL);
}

void web_logout_finish(WebCall *call)
{
    MkHttpResponse *response = mk_http_response_new(204);

    if (call->session != NULL) {
        web_sessions_end(call->web->sessions, call->session);
        call->session = NULL;
    }
    mk_http_response_header(response, "Set-Cookie", WEB_COOKIE "=; Max-Age=0" COOKIE_END);
    mk_http_respond(call->request, response);
}
