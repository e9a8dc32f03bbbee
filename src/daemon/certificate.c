/*
 * certificate.c - which certificate the services show
 */
#include <string.h>

#include <mailkeep/certs.h>

#include "internal.h"

/* data_dir/tls: apart from keys/, which holds only the archive's own keys. */
static bool find_or_make(const MkSettings *settings, char **out_certificate, char **out_key,
                         GError **error)
{
    const char *data_dir = settings->data_dir;

    if (!mk_certs_settle(data_dir, error))
        return false;
    if (!mk_certs_exist(data_dir)) {
        if (!mk_certs_make_self_signed(data_dir, settings->hostname, error))
            return false;
        mk_log_info("daemon.certificate_made");
    }
    *out_certificate = mk_certs_certificate_path(data_dir);
    *out_key = mk_certs_key_path(data_dir);
    return true;
}

bool certificate_load(const MkSettings *settings, MkTls **out_mail, MkTls **out_https,
                      GError **error)
{
    g_autofree char *certificate = NULL;
    g_autofree char *key = NULL;
    g_autoptr(MkTls) mail = NULL;
    g_autoptr(MkTls) https = NULL;

    if (strcmp(settings->tls_certificate, "auto") == 0) {
        if (!find_or_make(settings, &certificate, &key, error))
            return false;
    } else {
        certificate = g_strdup(settings->tls_certificate);
        key = g_strdup(settings->tls_key);
    }
    mail = mk_tls_server_new(certificate, key, settings->tls_min_13, false, error);
    if (mail == NULL)
        return false;
    https = mk_tls_server_new(certificate, key, settings->tls_min_13, true, error);
    if (https == NULL)
        return false;
    /* What administrators pin their shells to (SH-05). */
    mk_log_info("daemon.certificate", "pkv3", mk_tls_public_key_fingerprint(https));
    *out_mail = g_steal_pointer(&mail);
    *out_https = g_steal_pointer(&https);
    return true;
}
