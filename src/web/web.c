/*
 * web.c - from request to call: route, login, CSRF; jobs; the end
 *
 *   request --route, cookie or Basic, CSRF, read()--> [run() on the lane] --> finish() --> answer
 *
 * A cookie counts when it is that of a session; only else Basic is looked at. Basic costs a job
 * even for routes without run(), since passwords are checked off the loop.
 */
#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>

#include "internal.h"

#define EXPIRY_EVERY_MS 60000

static void web_unref(MkWeb *web)
{
    if (--web->refs > 0)
        return;
    web_sessions_free(web->sessions);
    web_restores_free(web->restores);
    web_budget_unref(web->budget);
    g_free(web);
}

MkWeb *web_hold(MkWeb *web)
{
    web->refs++;
    web->call_count++;
    return web;
}

void web_release(MkWeb *web)
{
    web->call_count--;
    web_unref(web);
}

/* -- the call's life -------------------------------------------------------------------------- */
static WebCall *call_new(MkWeb *web, MkHttpRequest *request)
{
    WebCall *call = g_new0(WebCall, 1);

    call->web = web_hold(web);
    call->request = request;
    call->archive = web->archive;
    call->budget = web->budget;
    call->hostname = mk_admin_hostname(web->admin);
    call->peer_address = g_strdup(mk_http_peer_address(request));
    return call;
}

static void call_free(WebCall *call)
{
    MkWeb *web = call->web;

    for (size_t i = 0; i < WEB_SEGMENTS_MAX; i++)
        g_free(call->segments[i]);
    g_free(call->peer_address);
    g_free(call->user_name);
    mk_free_secret(call->password);
    mk_free_secret(call->new_password);
    mk_free_secret(call->code);
    g_clear_pointer(&call->arguments, g_hash_table_unref);
    g_free(call->name);
    g_free(call->criteria);
    g_clear_pointer(&call->principal, mk_principal_unref);
    g_clear_error(&call->read_error);
    g_clear_error(&call->error);
    g_clear_pointer(&call->json, yyjson_mut_doc_free);
    g_clear_pointer(&call->body, g_bytes_unref);
    g_free(call->file_name);
    g_clear_pointer(&call->ids, g_array_unref);
    g_clear_pointer(&call->relay, mk_smtp_relay_unref);
    if (call->pieces != NULL)
        call->pieces->free(call->pieces);
    g_free(call);
    web_release(web);
}

/* -- who asks ---------------------------------------------------------------------------------- */
static WebSession *find_session(WebCall *call)
{
    MkWeb *web = call->web;
    g_autofree char *token = mk_http_cookie(call->request, WEB_COOKIE);
    WebSession *session = NULL;

    if (token != NULL)
        session = web_sessions_find(web->sessions, token, mk_clock_monotonic_ms());
    if (session == NULL)
        return NULL;
    if (!mk_principal_is_valid(web->archive, session->principal)) {
        web_sessions_end(web->sessions, session);
        return NULL;
    }
    mk_archive_session_touch(web->archive, session->id, session->principal, "web",
                             call->peer_address);
    return session;
}

static bool identify(WebCall *call, GError **error)
{
    call->session = find_session(call);
    if (call->session != NULL) {
        call->principal = mk_principal_ref(call->session->principal);
        return true;
    }
    call->is_basic = mk_http_basic(call->request, &call->user_name, &call->password);
    return call->is_basic || mk_fail(error, MK_ERROR_AUTH, "No session and no HTTP Basic.");
}

static bool token_fits(const WebCall *call)
{
    const char *token = mk_http_header(call->request, "X-CSRF-Token");

    return token != NULL && strlen(token) == WEB_CSRF_CHARS &&
           mk_equal_secret(token, call->session->csrf, WEB_CSRF_CHARS);
}

/* Basic is for scripts; a browser that has it stored says from where a request came. */
static bool is_from_elsewhere(const WebCall *call)
{
    const char *site = mk_http_header(call->request, "Sec-Fetch-Site");

    return site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
}

static bool check_forgery(const WebCall *call, GError **error)
{
    if (!call->route->changes_state)
        return true;
    if (call->session != NULL && !token_fits(call))
        return mk_fail(error, MK_ERROR_DENIED, "The header X-CSRF-Token is missing or wrong.");
    if (call->is_basic && is_from_elsewhere(call))
        return mk_fail(error, MK_ERROR_DENIED, "Other sites may not use HTTP Basic here.");
    return true;
}

/* -- the job ------------------------------------------------------------------------------------ */
static bool log_in(WebCall *call)
{
    g_autofree char *id = NULL;

    call->principal = mk_archive_login(call->archive, call->user_name, call->password,
                                       call->peer_address, "web", &call->error);
    if (call->principal == NULL)
        return false;
    id = g_strdup_printf("web/%u/%s", mk_principal_user_id(call->principal), call->peer_address);
    mk_archive_session_touch(call->archive, id, call->principal, "web", call->peer_address);
    return true;
}

static void call_run(MkJob *job)
{
    WebCall *call = (WebCall *) job;

    if (call->is_basic && !log_in(call))
        return;
    if (call->read_error != NULL)
        call->error = g_error_copy(call->read_error);
    else if (call->route->run != NULL && !call->route->run(call, &call->error) &&
             call->error == NULL)
        mk_fail(&call->error, MK_ERROR_INTERNAL, "A route failed without saying why.");
}

/* Too many wrong passwords lately, rather than too much work. */
static bool is_throttled(const WebCall *call)
{
    return mk_error_code(call->error) == MK_ERROR_BUSY &&
           (call->refusal_status == 429 || (call->user_name != NULL && call->principal == NULL));
}

static void call_answer(WebCall *call)
{
    if (call->web->expiry == NULL ||
        (call->error == NULL && call->job.run != NULL && !call->job.ran))
        g_set_error_literal(&call->error, MK_ERROR, MK_ERROR_CANCELLED,
                            "The request was given up.");
    if (call->error == NULL && call->route->finish != NULL)
        call->route->finish(call);
    else if (call->error == NULL)
        web_respond_out(call);
    else if (is_throttled(call))
        web_respond_problem(call->request, 429, mk_error_name(MK_ERROR_BUSY), call->error->message,
                            "Retry-After", "60");
    else if (call->refusal_status != 0)
        web_respond_problem(call->request, call->refusal_status, call->refusal_code,
                            call->error->message, NULL, NULL);
    else
        web_respond_error(call->request, call->error);
    call_free(call);
}

static void call_done(MkJob *job)
{
    WebCall *call = (WebCall *) job;

    mk_http_set_on_gone(call->request, NULL, NULL);
    call_answer(call);
}

static void on_gone(void *cookie)
{
    mk_job_cancel(&((WebCall *) cookie)->job);
}

static bool call_submit(WebCall *call, GError **error)
{
    call->job.run = call_run;
    call->job.done = call_done;
    call->session = NULL;
    if (!mk_job_submit(call->web->loop, MK_LANE_INTERACTIVE, &call->job, error))
        return false;
    mk_http_set_on_gone(call->request, on_gone, call);
    return true;
}

/* -- the request --------------------------------------------------------------------------------- */
static bool find_route(WebCall *call)
{
    g_autofree char *allow = NULL;

    call->route = web_route_find(mk_http_method(call->request), mk_http_path(call->request),
                                 call->segments, &allow);
    if (call->route != NULL)
        return true;
    if (allow == NULL && web_asset_answer(call->request))
        return false;
    if (allow != NULL)
        web_respond_problem(call->request, 405, "invalid", "This path does not know this method.",
                            "Allow", allow);
    else
        web_respond_problem(call->request, 404, mk_error_name(MK_ERROR_NOT_FOUND),
                            "There is nothing at this path.", NULL, NULL);
    return false;
}

static bool call_start(WebCall *call, GError **error)
{
    const WebRoute *route = call->route;

    if (route->needs_login && !identify(call, error))
        return false;
    if (!check_forgery(call, error))
        return false;
    if (route->read != NULL && !route->read(call, &call->read_error) && !call->is_basic) {
        g_propagate_error(error, g_steal_pointer(&call->read_error));
        return false;
    }
    if (call->is_basic || route->run != NULL)
        return call_submit(call, error);
    call_answer(call);
    return true;
}

void mk_web_handle(MkHttpRequest *request, void *cookie)
{
    WebCall *call = call_new(cookie, request);
    g_autoptr(GError) error = NULL;

    web_add_security_headers(request);
    if (!find_route(call)) {
        call_free(call);
    } else if (!call_start(call, &error)) {
        web_respond_error(request, error);
        call_free(call);
    }
}

void web_log_in(MkWeb *web, MkHttpRequest *request, const char *user_name, const char *password)
{
    static const WebRoute route = {
        "POST", "", false, false, NULL, web_login_run, web_login_finish
    };
    WebCall *call = call_new(web, request);
    g_autoptr(GError) error = NULL;

    call->route = &route;
    call->user_name = g_strdup(user_name);
    call->password = g_strdup(password);
    if (!call_submit(call, &error)) {
        web_respond_error(request, error);
        call_free(call);
    }
}

/* -- the whole ------------------------------------------------------------------------------------ */
static void on_session_end(const WebSession *session, void *cookie)
{
    mk_archive_session_end(((MkWeb *) cookie)->archive, session->id);
}

static void on_expiry(void *cookie)
{
    MkWeb *web = cookie;

    web_sessions_expire(web->sessions, mk_clock_monotonic_ms());
    web_restores_expire(web->restores, mk_clock_monotonic_ms());
}

MkWeb *mk_web_new(MkLoop *loop, MkArchive *archive, MkAdmin *admin)
{
    MkWeb *web = g_new0(MkWeb, 1);

    web->refs = 1;
    web->loop = loop;
    web->archive = archive;
    web->admin = admin;
    web->sessions = web_sessions_new(MK_LIMIT_SESSIONS, on_session_end, web);
    web->budget = web_budget_new(MK_LIMIT_WEB_DOWNLOAD_BYTES);
    web->restores = web_restores_new();
    web->expiry = mk_timer_new(loop, on_expiry, web);
    mk_timer_start_repeat(web->expiry, EXPIRY_EVERY_MS);
    return web;
}

void mk_web_stop(MkWeb *web)
{
    web->stopping = true;
    web_restores_cancel(web->restores);
}

bool mk_web_is_idle(const MkWeb *web)
{
    return web->call_count == 0;
}

/* Calls whose job still runs get an answer of their own later: see call_answer(). */
void mk_web_free(MkWeb *web)
{
    if (web == NULL)
        return;
    g_clear_pointer(&web->expiry, mk_timer_free);
    web_restores_cancel(web->restores);
    web_unref(web);
}
