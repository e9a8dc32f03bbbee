/*
 * certificate.c - the certificate of the services, and the machine's name
 *
 * What the configuration file says counts before what is chosen here, so that it cannot be
 * changed here either. A new certificate is on disk before the services take it.
 */
#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/certs.h>
#include <mailkeep/limits.h>

#include "internal.h"

static bool is_ours(const MkSettings *settings)
{
    return strcmp(settings->tls_certificate, "auto") == 0;
}

static bool must_be_ours(const MkSettings *settings, GError **error)
{
    return is_ours(settings) ||
           mk_fail(error, MK_ERROR_DENIED,
                   "The configuration file names the certificate: replace the files it names and "
                   "reload, or set `certificate: auto` there.");
}

/* The name that clients use: what was chosen last, though the services still go by another. */
static char *chosen_hostname(const MkSettings *settings, GError **error)
{
    g_autoptr(GError) cause = NULL;
    char *kept = NULL;

    if (!settings->hostname_given)
        kept = mk_settings_machine_hostname(settings->data_dir, &cause);
    if (cause != NULL) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return NULL;
    }
    return kept != NULL ? kept : g_strdup(settings->hostname);
}

static MkCertificate *read_certificate(const MkSettings *settings, GError **error)
{
    g_autofree char *path = is_ours(settings) ? mk_certs_certificate_path(settings->data_dir)
                                              : g_strdup(settings->tls_certificate);
    g_autoptr(GError) cause = NULL;
    g_autofree char *pem = NULL;

    if (g_file_get_contents(path, &pem, NULL, &cause))
        return mk_certificate_parse(pem, error);
    mk_fail(error, MK_ERROR_IO, "read %s: %s", path, cause->message);
    return NULL;
}

static void add_warnings(Call *call, const MkCertificate *certificate, const char *hostname)
{
    g_auto(GStrv) names =
        mk_certs_warning_names(mk_certs_warnings(certificate, hostname, mk_clock_unix_ms()));

    admin_json_add_list(call->doc, call->result, "warnings", (const char *const *) names);
}

static bool describe(Call *call, GError **error)
{
    const MkSettings *settings = call->admin->settings;
    g_autoptr(MkCertificate) certificate = read_certificate(settings, error);
    g_autofree char *hostname = NULL;

    if (certificate == NULL || (hostname = chosen_hostname(settings, error)) == NULL)
        return false;
    call->result = yyjson_mut_obj(call->doc);
    admin_json_add_string(call->doc, call->result, "subject", certificate->subject);
    admin_json_add_string(call->doc, call->result, "issuer", certificate->issuer);
    admin_json_add_list(call->doc, call->result, "names", (const char *const *) certificate->names);
    admin_json_add_time(call->doc, call->result, "notBefore", certificate->not_before_unix_ms);
    admin_json_add_time(call->doc, call->result, "notAfter", certificate->not_after_unix_ms);
    admin_json_add_string(call->doc, call->result, "fingerprint", certificate->fingerprint);
    admin_json_add_string(call->doc, call->result, "publicKey", certificate->public_key);
    admin_json_add_bool(call->doc, call->result, "selfSigned", certificate->self_signed);
    admin_json_add_number(call->doc, call->result, "chainLength", certificate->chain_count);
    admin_json_add_bool(call->doc, call->result, "fixed", !is_ours(settings));
    add_warnings(call, certificate, hostname);
    return true;
}

bool fn_get_certificate(Call *call, GError **error)
{
    return describe(call, error);
}

/* On the loop, before the answer: who has heard of success gets the new one. */
static bool take_certificate(Call *call, GError **error)
{
    const MkAdmin *admin = call->admin;

    return admin->on_certificate == NULL || admin->on_certificate(admin->machine_cookie, error);
}

static bool refuse_expired(const char *chain_pem, GError **error)
{
    g_autoptr(MkCertificate) certificate = mk_certificate_parse(chain_pem, error);

    if (certificate == NULL)
        return false;
    return certificate->not_after_unix_ms >= mk_clock_unix_ms() ||
           mk_fail(error, MK_ERROR_INVALID, "The certificate has expired.");
}

bool fn_set_certificate(Call *call, GError **error)
{
    const char *data_dir = call->admin->settings->data_dir;
    const char *chain_pem = admin_call_string(call, "certificate");

    if (!must_be_ours(call->admin->settings, error))
        return false;
    if (strlen(chain_pem) > MK_LIMIT_CERTIFICATE_BYTES)
        return mk_fail(error, MK_ERROR_LIMIT, "The certificate is too long.");
    if (!refuse_expired(chain_pem, error) ||
        !mk_certs_keep(data_dir, chain_pem, admin_call_string(call, "key"), error))
        return false;
    call->then = take_certificate;
    return describe(call, error);
}

bool fn_create_self_signed_certificate(Call *call, GError **error)
{
    const MkSettings *settings = call->admin->settings;
    const char *wanted = admin_call_text(call, "hostname");
    g_autofree char *hostname = NULL;

    if (!must_be_ours(settings, error))
        return false;
    hostname = wanted != NULL ? g_strdup(wanted) : chosen_hostname(settings, error);
    if (hostname == NULL)
        return false;
    if (!mk_settings_is_host_name(hostname))
        return mk_fail(error, MK_ERROR_INVALID,
                       "hostname must be a host name, such as "
                       "archive.example.com.");
    if (!mk_certs_make_self_signed(settings->data_dir, hostname, error))
        return false;
    call->then = take_certificate;
    return describe(call, error);
}

bool fn_get_machine_settings(Call *call, GError **error)
{
    const MkSettings *settings = call->admin->settings;
    g_autofree char *hostname = chosen_hostname(settings, error);

    if (hostname == NULL)
        return false;
    call->result = yyjson_mut_obj(call->doc);
    admin_json_add_string(call->doc, call->result, "hostname", hostname);
    admin_json_add_bool(call->doc, call->result, "hostnameFixed", settings->hostname_given);
    admin_json_add_bool(call->doc, call->result, "certificateFixed", !is_ours(settings));
    admin_json_add_bool(call->doc, call->result, "restartNeeded",
                        strcmp(hostname, settings->hostname) != 0);
    return true;
}

bool fn_set_machine_settings(Call *call, GError **error)
{
    const MkSettings *settings = call->admin->settings;

    if (settings->hostname_given)
        return mk_fail(error, MK_ERROR_DENIED,
                       "The configuration file names the host: change it there and restart.");
    return mk_settings_keep_hostname(settings->data_dir, admin_call_string(call, "hostname"),
                                     error) &&
           fn_get_machine_settings(call, error);
}
