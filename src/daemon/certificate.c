/*
 * certificate.c - which certificate the services show
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "internal.h"

/* data_dir/tls: apart from keys/, which holds only the archive's own keys. */
static bool make_self_signed(const MkSettings *settings, char **out_certificate, char **out_key,
                             GError **error)
{
    g_autofree char *dir = g_build_filename(settings->data_dir, "tls", NULL);
    g_autofree char *certificate = g_build_filename(dir, "certificate.pem", NULL);
    g_autofree char *key = g_build_filename(dir, "key.pem", NULL);

    if (g_mkdir_with_parents(dir, 0700) != 0)
        return mk_fail_errno(error, errno, "make the directory %s", dir);
    if (!g_file_test(certificate, G_FILE_TEST_EXISTS) || !g_file_test(key, G_FILE_TEST_EXISTS)) {
        if (!mk_tls_make_self_signed(settings->hostname, certificate, key, error))
            return false;
        mk_log_info("daemon.certificate_made", "file", certificate);
    }
    *out_certificate = g_steal_pointer(&certificate);
    *out_key = g_steal_pointer(&key);
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
        if (!make_self_signed(settings, &certificate, &key, error))
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
