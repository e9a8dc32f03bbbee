/* setup_choose.c - password, host name, certificate: kept in memory, changed as often as wished */
#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>

#include "setup.h"

bool setup_put_password(MkSetup *setup, MkHttpRequest *request, yyjson_val *body, GError **error)
{
    const char *password = setup_text(body, "password", MK_LIMIT_PASSWORD_BYTES);

    if (password == NULL)
        return mk_fail(error, MK_ERROR_INVALID, "password must be a string.");
    if (!mk_password_policy_check(MK_USER_ADMIN, password, error))
        return false;
    mk_free_secret(setup->password);
    setup->password = g_strdup(password);
    setup_respond_state(setup, request);
    return true;
}

/* A certificate is chosen for a name: with another name it is looked at again. */
static void forget_certificate(MkSetup *setup)
{
    setup->has_certificate = false;
    g_clear_pointer(&setup->certificate, mk_certificate_free);
    g_clear_pointer(&setup->chain_pem, g_free);
    mk_free_secret(g_steal_pointer(&setup->key_pem));
}

bool setup_put_hostname(MkSetup *setup, MkHttpRequest *request, yyjson_val *body, GError **error)
{
    const char *hostname = setup_text(body, "hostname", MK_LIMIT_PROPERTY_BYTES);
    const MkSettings *settings = setup->options.settings;

    if (hostname == NULL || !mk_settings_is_host_name(hostname))
        return mk_fail(error, MK_ERROR_INVALID,
                       "hostname must be a host name, such as archive.example.com.");
    if (settings->hostname_given && strcmp(hostname, settings->hostname) != 0)
        return mk_fail(error, MK_ERROR_DENIED, "The configuration file names the host.");
    if (g_strcmp0(setup->hostname, hostname) != 0)
        forget_certificate(setup);
    g_free(setup->hostname);
    setup->hostname = g_ascii_strdown(hostname, -1);
    setup_respond_state(setup, request);
    return true;
}

/* -- an own certificate: RSA keys take a moment to be checked ----------------------------------- */
static bool check_work(SetupJob *job, GError **error)
{
    job->certificate = mk_certificate_parse(job->chain_pem, error);
    if (job->certificate == NULL)
        return false;
    if (job->certificate->not_after_unix_ms < mk_clock_unix_ms())
        return mk_fail(error, MK_ERROR_INVALID, "the certificate has expired");
    return mk_tls_check_pair(job->chain_pem, job->key_pem, error);
}

static void check_finish(SetupJob *job)
{
    MkSetup *setup = job->setup;

    forget_certificate(setup);
    setup->has_certificate = true;
    setup->certificate = g_steal_pointer(&job->certificate);
    setup->chain_pem = g_steal_pointer(&job->chain_pem);
    setup->key_pem = g_steal_pointer(&job->key_pem);
    setup_respond_state(setup, job->request);
}

static bool take_own(MkSetup *setup, MkHttpRequest *request, yyjson_val *body, GError **error)
{
    const char *chain_pem = setup_text(body, "certificate", MK_LIMIT_CERTIFICATE_BYTES);
    const char *key_pem = setup_text(body, "key", MK_LIMIT_TLS_KEY_BYTES);
    SetupJob *job;

    if (chain_pem == NULL || key_pem == NULL)
        return mk_fail(error, MK_ERROR_INVALID,
                       "certificate and key must be strings of at most 64 and 16 KiB");
    job = setup_job_new(setup, request, check_work, check_finish);
    job->chain_pem = g_strdup(chain_pem);
    job->key_pem = g_strdup(key_pem);
    setup_job_submit(job);
    return true;
}

bool setup_put_certificate(MkSetup *setup, MkHttpRequest *request, yyjson_val *body, GError **error)
{
    bool self_signed = yyjson_get_bool(yyjson_obj_get(body, "selfSigned"));

    if (setup->hostname == NULL)
        return mk_fail(error, MK_ERROR_EXISTS, "The host name comes first.");
    if (self_signed || setup_certificate_is_fixed(setup)) {
        forget_certificate(setup);
        setup->has_certificate = true;
        setup_respond_state(setup, request);
        return true;
    }
    return take_own(setup, request, body, error);
}
