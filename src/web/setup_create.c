/*
 * setup_create.c - the archive, its recovery key, and the start
 *
 * The recovery key is shown until it is confirmed, lest a page that is loaded again lose it. Then
 * everything is put in place: the archive last, since with it a restart starts the services.
 */
#include <string.h>

#include <mailkeep/certs.h>
#include <mailkeep/limits.h>
#include <mailkeep/log.h>

#include "setup.h"

/* -- the archive ---------------------------------------------------------------------------------- */
static bool create_work(SetupJob *job, GError **error)
{
    const MkSetup *setup = job->setup;
    const MkSettings *settings = setup->options.settings;

    return mk_archive_prepare(settings->data_dir, setup->password, settings->map_size_bytes,
                              &job->recovery, error);
}

static void create_finish(SetupJob *job)
{
    MkSetup *setup = job->setup;

    setup->recovery = g_steal_pointer(&job->recovery);
    setup_recovery_ask(setup->recovery, setup->asked);
    setup_enter(setup, SETUP_RECOVERY);
    setup_respond_state(setup, job->request);
}

bool setup_create(MkSetup *setup, MkHttpRequest *request, yyjson_val *body, GError **error)
{
    (void) body;
    if (setup->password == NULL || setup->hostname == NULL || !setup->has_certificate)
        return mk_fail(error, MK_ERROR_EXISTS,
                       "Password, host name and certificate must be chosen first.");
    setup_job_submit(setup_job_new(setup, request, create_work, create_finish));
    return true;
}

/* -- the start -------------------------------------------------------------------------------------- */
/* The message is for whoever sits before the browser: most often a port that is taken. */
static void respond_not_started(MkHttpRequest *request, const GError *error)
{
    mk_log_error("setup.start_failed", "error", error->message);
    web_respond_problem(request, 502, "start", error->message, NULL, NULL);
}

static void start(MkSetup *setup, MkHttpRequest *request)
{
    g_autoptr(GError) error = NULL;
    MkWeb *web = setup->options.start(setup->options.cookie, &error);

    if (web == NULL) {
        respond_not_started(request, error);
        return;
    }
    setup_enter(setup, SETUP_DONE);
    web_log_in(web, request, MK_USER_ADMIN, setup->password);
    setup_wipe(setup);
}

bool setup_start(MkSetup *setup, MkHttpRequest *request, yyjson_val *body, GError **error)
{
    (void) body;
    (void) error;
    start(setup, request);
    return true;
}

/* -- everything in place -------------------------------------------------------------------------------- */
static bool keep_certificate(const MkSetup *setup, GError **error)
{
    const char *data_dir = setup->options.settings->data_dir;

    if (setup->chain_pem != NULL)
        return mk_certs_keep(data_dir, setup->chain_pem, setup->key_pem, error);
    return !setup_certificate_changes(setup) ||
           mk_certs_make_self_signed(data_dir, setup->hostname, error);
}

static bool keep_hostname(const MkSetup *setup, GError **error)
{
    const MkSettings *settings = setup->options.settings;

    return settings->hostname_given ||
           mk_settings_keep_hostname(settings->data_dir, setup->hostname, error);
}

static bool establish_work(SetupJob *job, GError **error)
{
    const MkSetup *setup = job->setup;

    return keep_certificate(setup, error) && keep_hostname(setup, error) &&
           mk_archive_establish(setup->options.settings->data_dir, error);
}

static void establish_finish(SetupJob *job)
{
    mk_free_secret(g_steal_pointer(&job->setup->recovery));
    setup_enter(job->setup, SETUP_ESTABLISHED);
    start(job->setup, job->request);
}

static bool answers_fit(const MkSetup *setup, yyjson_val *answers)
{
    for (unsigned i = 0; i < SETUP_ASKED; i++) {
        const char *answer = yyjson_get_str(yyjson_arr_get(answers, i));
        if (answer == NULL || !setup_recovery_fits(setup->recovery, setup->asked[i], answer))
            return false;
    }
    return true;
}

bool setup_confirm(MkSetup *setup, MkHttpRequest *request, yyjson_val *body, GError **error)
{
    if (!answers_fit(setup, yyjson_obj_get(body, "groups")))
        return mk_fail(error, MK_ERROR_INVALID, "These are not the groups that were asked for.");
    setup_job_submit(setup_job_new(setup, request, establish_work, establish_finish));
    return true;
}
