/*
 * setup.c - the first start's requests: session, CSRF, jobs
 *
 *   request --path, method, state, session, CSRF--> route --> [work() on the lane] --> answer
 */
#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/certs.h>
#include <mailkeep/limits.h>
#include <mailkeep/log.h>

#include "setup.h"

#define PREFIX "/api/v1/setup"
#define PAGE "/setup"
#define COOKIE "mk_setup"
#define IN(state) (1u << SETUP_##state)
#define ANY (~0u)

typedef struct {
    const char *method;
    const char *path; /* behind PREFIX */
    unsigned allowed; /* states; in any other the answer is 409 */
    bool needs_session;
    bool (*handle)(MkSetup *setup, MkHttpRequest *request, yyjson_val *body, GError **error);
} SetupRoute;

static const SetupRoute routes[] = {
    { "POST", "/claim", ANY, false, setup_claim },
    { "PUT", "/password", IN(CHOOSING), true, setup_put_password },
    { "PUT", "/hostname", IN(CHOOSING), true, setup_put_hostname },
    { "PUT", "/certificate", IN(CHOOSING), true, setup_put_certificate },
    { "POST", "/create", IN(CHOOSING), true, setup_create },
    { "POST", "/confirm", IN(RECOVERY), true, setup_confirm },
    { "POST", "/start", IN(ESTABLISHED), true, setup_start },
};

/* -- state ---------------------------------------------------------------------------------------- */
void setup_enter(MkSetup *setup, SetupState state)
{
    static const char *const names[] = {
        [SETUP_UNCLAIMED] = "unclaimed", [SETUP_CHOOSING] = "choosing",
        [SETUP_RECOVERY] = "recovery",   [SETUP_ESTABLISHED] = "established",
        [SETUP_DONE] = "done",
    };

    mk_log_info("setup.state", "from", names[setup->state], "to", names[state]);
    setup->state = state;
}

bool setup_certificate_is_fixed(const MkSetup *setup)
{
    return strcmp(setup->options.settings->tls_certificate, "auto") != 0;
}

bool setup_certificate_changes(const MkSetup *setup)
{
    return !setup_certificate_is_fixed(setup) &&
           (setup->chain_pem != NULL ||
            g_strcmp0(setup->hostname, setup->options.settings->hostname) != 0);
}

/* What the page asks for next. */
static const char *step_of(const MkSetup *setup)
{
    switch (setup->state) {
    case SETUP_UNCLAIMED: return "claim";
    case SETUP_RECOVERY: return "recovery";
    case SETUP_ESTABLISHED: return "start";
    case SETUP_DONE: return "done";
    case SETUP_CHOOSING: break;
    }
    if (setup->password == NULL)
        return "password";
    if (setup->hostname == NULL)
        return "hostname";
    return setup->has_certificate ? "create" : "certificate";
}

static void add_policy(yyjson_mut_doc *doc, yyjson_mut_val *root)
{
    const MkPasswordPolicy *policy = mk_password_policy();
    yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "passwordPolicy");
    yyjson_mut_val *forbidden = web_json_array(doc, object, "forbidden");

    yyjson_mut_obj_add_uint(doc, object, "minCharacters", policy->min_characters);
    yyjson_mut_obj_add_uint(doc, object, "maxInARow", policy->max_in_a_row);
    yyjson_mut_obj_add_uint(doc, object, "minClasses", policy->min_classes);
    for (const char *const *name = policy->forbidden; *name != NULL; name++)
        yyjson_mut_arr_add_str(doc, forbidden, *name);
}

static void add_texts(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, char **texts)
{
    yyjson_mut_val *array = web_json_array(doc, object, key);

    for (; *texts != NULL; texts++)
        yyjson_mut_arr_add_strcpy(doc, array, *texts);
}

static void add_certificate(yyjson_mut_doc *doc, yyjson_mut_val *root, const MkSetup *setup)
{
    const MkCertificate *certificate = setup->certificate;
    yyjson_mut_val *object;
    g_auto(GStrv) warnings = NULL;

    yyjson_mut_obj_add_bool(doc, root, "certificateFixed", setup_certificate_is_fixed(setup));
    yyjson_mut_obj_add_bool(doc, root, "certificateChanges", setup_certificate_changes(setup));
    if (certificate == NULL) {
        yyjson_mut_obj_add_null(doc, root, "certificate");
        return;
    }
    warnings =
        mk_certs_warning_names(mk_certs_warnings(certificate, setup->hostname, mk_clock_unix_ms()));
    object = yyjson_mut_obj_add_obj(doc, root, "certificate");
    web_json_string(doc, object, "subject", certificate->subject);
    web_json_string(doc, object, "issuer", certificate->issuer);
    add_texts(doc, object, "names", certificate->names);
    web_json_date(doc, object, "notBefore", certificate->not_before_unix_ms);
    web_json_date(doc, object, "notAfter", certificate->not_after_unix_ms);
    web_json_string(doc, object, "fingerprint", certificate->fingerprint);
    yyjson_mut_obj_add_bool(doc, object, "selfSigned", certificate->self_signed);
    add_texts(doc, object, "warnings", warnings);
}

static void add_recovery(yyjson_mut_doc *doc, yyjson_mut_val *root, const MkSetup *setup)
{
    yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "recovery");
    yyjson_mut_val *asked = web_json_array(doc, object, "asked");

    web_json_string(doc, object, "key", setup->recovery);
    for (unsigned i = 0; i < SETUP_ASKED; i++)
        yyjson_mut_arr_add_uint(doc, asked, setup->asked[i]);
}

void setup_respond_state(MkSetup *setup, MkHttpRequest *request)
{
    const MkSettings *settings = setup->options.settings;
    const char *hostname = setup->hostname != NULL ? setup->hostname : settings->hostname;
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = web_json_new(&root);

    web_json_string(doc, root, "step", step_of(setup));
    web_json_string(doc, root, "csrfToken", setup->csrf);
    web_json_string(doc, root, "hostname", hostname);
    yyjson_mut_obj_add_bool(doc, root, "hostnameFixed", settings->hostname_given);
    yyjson_mut_obj_add_uint(doc, root, "httpsPort", setup->options.https_port);
    add_policy(doc, root);
    add_certificate(doc, root, setup);
    if (setup->state == SETUP_RECOVERY)
        add_recovery(doc, root, setup);
    web_respond_json(request, doc, NULL);
}

/* -- jobs -------------------------------------------------------------------------------------------- */
static void setup_unref(MkSetup *setup)
{
    if (--setup->refs > 0)
        return;
    setup_wipe(setup);
    setup_throttle_clear(&setup->claims);
    mk_certificate_free(setup->certificate);
    g_free(setup->hostname);
    g_free(setup->chain_pem);
    g_free(setup);
}

SetupJob *setup_job_new(MkSetup *setup, MkHttpRequest *request,
                        bool (*work)(SetupJob *job, GError **error), void (*finish)(SetupJob *job))
{
    SetupJob *job = g_new0(SetupJob, 1);

    setup->refs++;
    setup->busy = true;
    job->setup = setup;
    job->request = request;
    job->work = work;
    job->finish = finish;
    return job;
}

static void job_run(MkJob *job)
{
    SetupJob *mine = (SetupJob *) job;

    if (!mine->work(mine, &mine->error))
        g_assert(mine->error != NULL);
}

static void job_free(SetupJob *job)
{
    setup_unref(job->setup);
    g_free(job->chain_pem);
    mk_free_secret(job->key_pem);
    mk_free_secret(job->recovery);
    mk_certificate_free(job->certificate);
    g_clear_error(&job->error);
    g_free(job);
}

static void job_done(MkJob *job)
{
    SetupJob *mine = (SetupJob *) job;

    mine->setup->busy = false;
    if (mine->error == NULL && !job->ran)
        mk_fail(&mine->error, MK_ERROR_CANCELLED, "The server is stopping.");
    if (mine->error != NULL)
        web_respond_error(mine->request, mine->error);
    else
        mine->finish(mine);
    job_free(mine);
}

void setup_job_submit(SetupJob *job)
{
    job->job.run = job_run;
    job->job.done = job_done;
    if (!mk_job_submit(job->setup->loop, MK_LANE_INTERACTIVE, &job->job, &job->error))
        job_done(&job->job);
}

/* -- requests ------------------------------------------------------------------------------------------- */
const char *setup_text(yyjson_val *body, const char *key, size_t max)
{
    yyjson_val *value = yyjson_obj_get(body, key);
    const char *text = yyjson_get_str(value);
    size_t length = yyjson_get_len(value);

    return text != NULL && length <= max && strlen(text) == length ? text : NULL;
}

static bool has_session(const MkSetup *setup, const MkHttpRequest *request)
{
    char *token = mk_http_cookie(request, COOKIE);
    MkHash hash;
    bool fits = false;

    if (token != NULL && setup->state != SETUP_UNCLAIMED) {
        mk_hash(NULL, token, strlen(token), &hash);
        fits = mk_equal_secret(&hash, &setup->session, sizeof hash);
    }
    mk_free_secret(token);
    return fits;
}

static bool has_csrf_token(const MkSetup *setup, const MkHttpRequest *request)
{
    const char *token = mk_http_header(request, "X-CSRF-Token");

    return token != NULL && strlen(token) == WEB_CSRF_CHARS &&
           mk_equal_secret(token, setup->csrf, WEB_CSRF_CHARS);
}

static bool may_go_on(const MkSetup *setup, const MkHttpRequest *request, const SetupRoute *route,
                      GError **error)
{
    if (route->needs_session && !has_session(setup, request))
        return mk_fail(error, MK_ERROR_AUTH, "No set-up session.");
    if (route->needs_session && !has_csrf_token(setup, request))
        return mk_fail(error, MK_ERROR_DENIED, "The header X-CSRF-Token is missing or wrong.");
    if (!web_is_json_request(request))
        return mk_fail(error, MK_ERROR_INVALID, "Send the Content-Type application/json.");
    if ((route->allowed & (1u << setup->state)) == 0)
        return mk_fail(error, MK_ERROR_EXISTS, "This step is over, or not due yet.");
    return !setup->busy || mk_fail(error, MK_ERROR_BUSY, "The step before still runs.");
}

static bool run_route(MkSetup *setup, MkHttpRequest *request, const SetupRoute *route,
                      GError **error)
{
    GBytes *body = mk_http_body(request);
    gsize length = 0;
    const char *text = body != NULL ? g_bytes_get_data(body, &length) : NULL;
    yyjson_doc *doc;
    bool ok;

    if (!may_go_on(setup, request, route, error))
        return false;
    doc = text != NULL ? yyjson_read(text, length, 0) : NULL;
    ok = route->handle(setup, request, yyjson_doc_get_root(doc), error);
    yyjson_doc_free(doc);
    return ok;
}

static void respond_outsider(const MkSetup *setup, MkHttpRequest *request)
{
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = web_json_new(&root);

    web_json_string(doc, root, "step", setup->state == SETUP_UNCLAIMED ? "claim" : "claimed");
    web_respond_json(request, doc, NULL);
}

static void respond_nothing(MkHttpRequest *request)
{
    web_respond_problem(request, 404, mk_error_name(MK_ERROR_NOT_FOUND),
                        "There is nothing at this path.", NULL, NULL);
}

static void answer_api(MkSetup *setup, MkHttpRequest *request, const char *path)
{
    const char *method = mk_http_method(request);
    g_autoptr(GError) error = NULL;

    if (path[0] == '\0' && strcmp(method, "GET") == 0) {
        if (has_session(setup, request))
            setup_respond_state(setup, request);
        else
            respond_outsider(setup, request);
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(routes); i++) {
        if (strcmp(routes[i].path, path) != 0 || strcmp(routes[i].method, method) != 0)
            continue;
        if (!run_route(setup, request, &routes[i], &error))
            web_respond_error(request, error);
        return;
    }
    respond_nothing(request);
}

/* The application's own paths all lead to the one page there is. */
static void answer_page(MkHttpRequest *request, const char *path)
{
    MkHttpResponse *response;

    if (strcmp(path, PAGE) == 0 || web_asset_find(path) != web_asset_find("/")) {
        if (!web_asset_answer(request))
            respond_nothing(request);
        return;
    }
    response = mk_http_response_new(307);
    mk_http_response_header(response, "Location", PAGE);
    mk_http_respond(request, response);
}

void mk_setup_handle(MkHttpRequest *request, void *cookie)
{
    const char *path = mk_http_path(request);

    web_add_security_headers(request);
    if (g_str_has_prefix(path, PREFIX))
        answer_api(cookie, request, path + strlen(PREFIX));
    else if (g_str_has_prefix(path, "/api/"))
        respond_nothing(request);
    else
        answer_page(request, path);
}

/* -- life --------------------------------------------------------------------------------------------------- */
MkSetup *mk_setup_new(MkLoop *loop, const MkSetupOptions *options)
{
    MkSetup *setup = g_new0(MkSetup, 1);

    setup->refs = 1;
    setup->loop = loop;
    setup->options = *options;
    mk_id_random_hex(setup->token, WEB_TOKEN_CHARS / 2);
    setup_throttle_init(&setup->claims);
    return setup;
}

const char *mk_setup_token(const MkSetup *setup)
{
    return setup->token;
}

bool mk_setup_is_idle(const MkSetup *setup)
{
    return !setup->busy;
}

void setup_wipe(MkSetup *setup)
{
    mk_wipe(setup->token, sizeof setup->token);
    mk_wipe(&setup->session, sizeof setup->session);
    mk_wipe(setup->csrf, sizeof setup->csrf);
    mk_free_secret(g_steal_pointer(&setup->password));
    mk_free_secret(g_steal_pointer(&setup->key_pem));
    mk_free_secret(g_steal_pointer(&setup->recovery));
}

void mk_setup_free(MkSetup *setup)
{
    if (setup != NULL)
        setup_unref(setup);
}
