/*
 * certs.h - the certificate that is kept beside the archive
 *
 * Purpose    <data_dir>/tls/ has certificate.pem (the chain) and key.pem, which the services show
 *            when the settings say `certificate: auto`. Replaces both as one.
 * Threads    Any; blocks (fsync): at start, or on a lane.
 * Errors     MK_ERROR_INVALID (a pair that does not fit), _IO, _NO_SPACE, _DENIED.
 * Crashes    Both are first written to pair.pem; mk_certs_settle() goes on from there, so that
 *            a certificate is never left with the key of another one.
 */
#ifndef MAILKEEP_CERTS_H
#define MAILKEEP_CERTS_H

#include <stdbool.h>

#include <glib.h>

#include <mailkeep/error.h>
#include <mailkeep/net.h>

/* New strings; the files may not exist. */
char *mk_certs_certificate_path(const char *data_dir);
char *mk_certs_key_path(const char *data_dir);
bool mk_certs_exist(const char *data_dir);
/* Once at the start: ends a replacement that a crash has cut off. */
bool mk_certs_settle(const char *data_dir, GError **error);
/*
 * mk_certs_keep() - replace certificate and key
 * Checks that they fit each other first; key.pem has mode 0600. True: both are fsynced.
 */
bool mk_certs_keep(const char *data_dir, const char *chain_pem, const char *key_pem,
                   GError **error);
/* The same with a new self-signed certificate for @hostname. */
bool mk_certs_make_self_signed(const char *data_dir, const char *hostname, GError **error);

/* -- what is worth a warning, though it works ------------------------------------------------ */
typedef enum {
    MK_CERTS_EXPIRED = 1 << 0,
    MK_CERTS_NOT_YET_VALID = 1 << 1,
    MK_CERTS_NAME_MISSING = 1 << 2, /* does not cover the host name */
    MK_CERTS_SELF_SIGNED = 1 << 3,
    MK_CERTS_ENDS_SOON = 1 << 4, /* within three weeks */
} MkCertsWarning;
unsigned mk_certs_warnings(const MkCertificate *certificate, const char *hostname,
                           int64_t now_unix_ms);
/* Of "expired", "ends-soon", "not-yet-valid", "name-missing", "self-signed": g_strfreev() */
char **mk_certs_warning_names(unsigned warnings);

#endif
