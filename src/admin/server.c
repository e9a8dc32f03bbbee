/*
 * server.c - the HTTP face: paths, Basic, and the way of a call to its lane and back
 *
 *   request --Basic?--> LoginJob --administrator--> mk_admin_invoke --short--> CallJob --> answer
 *                                                                 \--long--> operation.c
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "internal.h"

#define API_PREFIX "/api/"
#define PROTOCOL "api"

/* -- short calls -------------------------------------------------------------------------- */

typedef struct {
    MkJob job;
    Call *call;             /* in, and out: result and error */
    MkHttpRequest *request; /* loop only */
    bool with_bom;
} CallJob;

static void call_job_run(MkJob *job)
{
    admin_call_run(((CallJob *) job)->call);
}

static void call_job_done(MkJob *job)
{
    CallJob *mine = (CallJob *) job;

    if (!job->ran && mine->call->error == NULL)
        mk_fail(&mine->call->error, MK_ERROR_CANCELLED, "The server is stopping.");
    if (mine->call->error == NULL && mine->call->then != NULL)
        mine->call->then(mine->call, &mine->call->error);
    mine->call->admin->running--;
    admin_envelope_respond_call(mine->request, mine->call, mine->with_bom);
    admin_call_free(mine->call);
    g_free(mine);
}

static void start_short(MkAdmin *admin, Call *call, MkHttpRequest *request, bool with_bom)
{
    CallJob *job = g_new0(CallJob, 1);

    job->job.run = call_job_run;
    job->job.done = call_job_done;
    job->call = call;
    job->request = request;
    job->with_bom = with_bom;
    admin->running++;
    if (!mk_job_submit(admin->loop, MK_LANE_INTERACTIVE, &job->job, &call->error))
        call_job_done(&job->job);
}

/* -- actions ------------------------------------------------------------------------------ */

static bool may_call(const MkAdmin *admin, const Function *function, const MkPrincipal *principal,
                     GError **error)
{
    if (function->audience == FOR_USERS || mk_principal_is_admin(admin->archive, principal))
        return true;
    return mk_fail(error, MK_ERROR_DENIED, "%s is for administrators.", function->name);
}

static const Function *function_get(const char *name, GError **error)
{
    const Function *function = admin_function_find(name);

    if (function == NULL && admin_function_is_unavailable(name))
        mk_fail(error, MK_ERROR_UNSUPPORTED,
                "The API function %s is not available in this version of Mailkeep.", name);
    else if (function == NULL)
        mk_fail(error, MK_ERROR_NOT_FOUND, "Unknown API function %s.", admin_name_shown(name));
    return function;
}

/* Takes @arguments. */
static void invoke(MkAdmin *admin, MkHttpRequest *request, MkPrincipal *principal, const char *name,
                   GHashTable *arguments, bool with_bom)
{
    g_autoptr(GError) error = NULL;
    const Function *function = function_get(name, &error);
    Call *call;

    if (function == NULL || !may_call(admin, function, principal, &error)) {
        admin_envelope_respond_error(request, error, with_bom);
        g_hash_table_unref(arguments);
        return;
    }
    call = admin_call_new(admin, function, principal, arguments, &error);
    if (call == NULL)
        admin_envelope_respond_error(request, error, with_bom);
    else if (function->is_long)
        admin_operations_start(admin->operations, call, request, with_bom);
    else
        start_short(admin, call, request, with_bom);
}

static void respond_status_only(MkHttpRequest *request, unsigned status, const char *name,
                                const char *value)
{
    MkHttpResponse *response = mk_http_response_new(status);

    if (name != NULL)
        mk_http_response_header(response, name, value);
    mk_http_response_header(response, "Cache-Control", "no-store");
    mk_http_respond(request, response);
}

static void respond_metadata(MkHttpRequest *request, bool with_bom)
{
    g_autofree char *json = admin_metadata_json();
    g_autofree char *text = g_strconcat(with_bom ? "\xef\xbb\xbf" : "", json, NULL);
    g_autoptr(GBytes) body = g_bytes_new(text, strlen(text));

    mk_http_respond(request, admin_envelope_response(200, body));
}

/* get-metadata is asked by GET as well (wire notes); all else changes or waits: POST. */
static bool method_fits(MkHttpRequest *request, bool is_metadata)
{
    const char *method = mk_http_method(request);

    if (strcmp(method, "POST") == 0 || (is_metadata && strcmp(method, "GET") == 0))
        return true;
    respond_status_only(request, 405, "Allow", is_metadata ? "GET, POST" : "POST");
    return false;
}

void mk_admin_invoke(MkAdmin *admin, MkHttpRequest *request, MkPrincipal *principal,
                     const char *action, bool with_bom)
{
    g_autoptr(GError) error = NULL;
    GBytes *body = mk_http_body(request);
    GHashTable *arguments;
    gsize length = 0;
    const char *text;

    if (!method_fits(request, strcmp(action, "get-metadata") == 0))
        return;
    if (strcmp(action, "get-metadata") == 0) {
        respond_metadata(request, with_bom);
        return;
    }
    text = body != NULL ? g_bytes_get_data(body, &length) : NULL;
    arguments = mk_http_parse_form(text != NULL ? text : "", length, &error);
    if (arguments == NULL) {
        admin_envelope_respond_error(request, error, with_bom);
    } else if (g_str_has_prefix(action, "invoke/")) {
        invoke(admin, request, principal, action + strlen("invoke/"), arguments, with_bom);
    } else {
        if (strcmp(action, "get-status") == 0)
            admin_operations_status(admin->operations, request, principal, arguments, with_bom);
        else if (strcmp(action, "cancel-async") == 0)
            admin_operations_cancel(admin->operations, request, principal, arguments, with_bom);
        else
            respond_status_only(request, 404, NULL, NULL);
        g_hash_table_unref(arguments);
    }
}

/* -- Basic on every request ----------------------------------------------------------------- */

typedef struct {
    MkJob job;
    MkAdmin *admin;
    char *user_name;
    char *password;
    char *peer_address;
    MkPrincipal *principal; /* out */
    GError *error;          /* out */
    MkHttpRequest *request; /* loop only */
    char *action;
} LoginJob;

static void login_run(MkJob *job)
{
    LoginJob *mine = (LoginJob *) job;

    mine->principal = mk_archive_login(mine->admin->archive, mine->user_name, mine->password,
                                       mine->peer_address, PROTOCOL, &mine->error);
}

static void respond_login_error(MkHttpRequest *request, const GError *error)
{
    MkErrorCode code = mk_error_code(error);

    if (code == MK_ERROR_BUSY)
        respond_status_only(request, 429, "Retry-After", "60");
    else if (code == MK_ERROR_DENIED) /* asking again for a password would be no help */
        respond_status_only(request, 403, NULL, NULL);
    else if (code == MK_ERROR_CANCELLED)
        respond_status_only(request, 503, "Retry-After", "10");
    else
        respond_status_only(request, 401, "WWW-Authenticate", "Basic realm=\"Mailkeep\"");
}

static void touch_session(MkAdmin *admin, const LoginJob *login)
{
    g_autofree char *id = g_strdup_printf(PROTOCOL "/%u/%s", mk_principal_user_id(login->principal),
                                          login->peer_address);

    mk_archive_session_touch(admin->archive, id, login->principal, PROTOCOL, login->peer_address);
}

static void login_job_free(LoginJob *mine)
{
    mk_principal_unref(mine->principal);
    g_clear_error(&mine->error);
    mk_free_secret(mine->password);
    g_free(mine->user_name);
    g_free(mine->peer_address);
    g_free(mine->action);
    g_free(mine);
}

static void login_done(MkJob *job)
{
    LoginJob *mine = (LoginJob *) job;
    MkAdmin *admin = mine->admin;

    admin->running--;
    if (!job->ran && mine->error == NULL)
        mk_fail(&mine->error, MK_ERROR_CANCELLED, "The server is stopping.");
    if (mine->principal == NULL) {
        respond_login_error(mine->request, mine->error);
    } else if (!mk_principal_is_admin(admin->archive, mine->principal)) {
        respond_status_only(mine->request, 401, "WWW-Authenticate", "Basic realm=\"Mailkeep\"");
    } else {
        touch_session(admin, mine);
        mk_admin_invoke(admin, mine->request, mine->principal, mine->action, true);
    }
    login_job_free(mine);
}

/* "/api//get-status/" -> "get-status"; NULL when it is not below /api/. New string. */
static char *action_of(const char *path)
{
    GString *clean = g_string_new(NULL);

    for (const char *p = path; *p != '\0'; p++)
        if (*p != '/' || clean->len == 0 || clean->str[clean->len - 1] != '/')
            g_string_append_c(clean, *p);
    if (clean->len > 0 && clean->str[clean->len - 1] == '/')
        g_string_truncate(clean, clean->len - 1);
    if (!g_str_has_prefix(clean->str, API_PREFIX)) {
        g_string_free(clean, TRUE);
        return NULL;
    }
    g_string_erase(clean, 0, (gssize) strlen(API_PREFIX));
    return g_string_free(clean, FALSE);
}

void mk_admin_handle(MkHttpRequest *request, void *cookie)
{
    MkAdmin *admin = cookie;
    g_autofree char *action = action_of(mk_http_path(request));
    char *user_name;
    char *password;
    LoginJob *job;

    if (action == NULL) {
        respond_status_only(request, 404, NULL, NULL);
        return;
    }
    if (!mk_http_basic(request, &user_name, &password)) {
        respond_status_only(request, 401, "WWW-Authenticate", "Basic realm=\"Mailkeep\"");
        return;
    }
    job = g_new0(LoginJob, 1);
    job->job.run = login_run;
    job->job.done = login_done;
    job->admin = admin;
    job->user_name = user_name;
    job->password = password;
    job->peer_address = g_strdup(mk_http_peer_address(request));
    job->request = request;
    job->action = g_steal_pointer(&action);
    admin->running++;
    if (!mk_job_submit(admin->loop, MK_LANE_INTERACTIVE, &job->job, &job->error))
        login_done(&job->job);
}

/* -- life --------------------------------------------------------------------------------- */

MkAdmin *mk_admin_new(MkLoop *loop, MkArchive *archive, const MkSettings *settings)
{
    MkAdmin *admin = g_new0(MkAdmin, 1);

    admin->loop = loop;
    admin->archive = archive;
    admin->settings = settings;
    admin->started_unix_ms = mk_clock_unix_ms();
    admin->operations = admin_operations_new(loop);
    return admin;
}

void mk_admin_on_certificate(MkAdmin *admin, MkAdminCertificateFunc func, void *cookie)
{
    admin->on_certificate = func;
    admin->machine_cookie = cookie;
}

const char *mk_admin_hostname(const MkAdmin *admin)
{
    return admin->settings->hostname;
}

void mk_admin_stop(MkAdmin *admin)
{
    admin->stopping = true;
    admin_operations_stop(admin->operations);
}

bool mk_admin_is_idle(const MkAdmin *admin)
{
    return admin->running == 0 && admin_operations_is_idle(admin->operations);
}

void mk_admin_free(MkAdmin *admin)
{
    if (admin == NULL)
        return;
    admin_operations_free(admin->operations);
    g_free(admin);
}

char *mk_admin_metadata_json(const MkAdmin *admin)
{
    (void) admin; /* the table is the same for all */
    return admin_metadata_json();
}
