/*
 * tls.c - TLS contexts: immutable and counted, so that a reload never touches a live connection
 *
 * One random source, one PSA state and one ticket key serve all contexts and outlive them:
 * a client's ticket stays good over a reload of the certificate.
 */
#include <pthread.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/sha1.h>
#include <mbedtls/ssl_ticket.h>
#include <psa/crypto.h>

#include "internal.h"

enum { TICKET_LIFETIME_S = 86400, TICKETS_A_HANDSHAKE = 2 };

static const char system_authorities[] = "/etc/ssl/certs/ca-certificates.crt";

static struct {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context drbg;
    mbedtls_ssl_ticket_context tickets;
} global; /* lives as long as the process */

int tls_random(void *unused, unsigned char *out, size_t length)
{
    (void) unused;
    return mbedtls_ctr_drbg_random(&global.drbg, out, length);
}

/* Fails only where the machine has no random numbers: then nothing may go on. */
static void init_once(void)
{
    int rc;

    mbedtls_entropy_init(&global.entropy);
    mbedtls_ctr_drbg_init(&global.drbg);
    mbedtls_ssl_ticket_init(&global.tickets);
    if (psa_crypto_init() != PSA_SUCCESS) /* TLS 1.3 works on PSA */
        g_error("the cryptographic library cannot be started");
    rc = mbedtls_ctr_drbg_seed(&global.drbg, mbedtls_entropy_func, &global.entropy,
                               (const unsigned char *) "mailkeep", 8);
    if (rc == 0)
        rc = mbedtls_ssl_ticket_setup(&global.tickets, tls_random, NULL, MBEDTLS_CIPHER_AES_256_GCM,
                                      TICKET_LIFETIME_S);
    if (rc != 0)
        g_error("the cryptographic library cannot be started: -0x%04x", (unsigned) -rc);
}

void tls_global_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, init_once);
}

bool tls_fingerprint(const mbedtls_pk_context *key, char out[FINGERPRINT_ROOM])
{
    unsigned char der[4096]; /* mbedTLS writes to the end of it */
    unsigned char hash[20];
    /* const-correct in all but its signature */
    int length = mbedtls_pk_write_pubkey_der((mbedtls_pk_context *) key, der, sizeof der);

    if (length <= 0 || mbedtls_sha1(der + sizeof der - length, (size_t) length, hash) != 0)
        return false;
    for (size_t i = 0; i < sizeof hash; i++)
        g_snprintf(out + 2 * i, 3, "%02X", hash[i]);
    return true;
}

static MkTls *tls_new(bool is_server)
{
    MkTls *tls = g_new0(MkTls, 1);

    tls_global_init();
    tls->refs = 1;
    tls->is_server = is_server;
    mbedtls_ssl_config_init(&tls->config);
    mbedtls_x509_crt_init(&tls->certificates);
    mbedtls_pk_init(&tls->key);
    return tls;
}

MkTls *mk_tls_ref(MkTls *tls)
{
    g_atomic_int_inc(&tls->refs);
    return tls;
}

void mk_tls_unref(MkTls *tls)
{
    if (tls == NULL || !g_atomic_int_dec_and_test(&tls->refs))
        return;
    mbedtls_ssl_config_free(&tls->config);
    mbedtls_x509_crt_free(&tls->certificates);
    mbedtls_pk_free(&tls->key);
    g_free(tls);
}

static bool set_defaults(MkTls *tls, GError **error)
{
    int endpoint = tls->is_server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT;
    int rc = mbedtls_ssl_config_defaults(&tls->config, endpoint, MBEDTLS_SSL_TRANSPORT_STREAM,
                                         MBEDTLS_SSL_PRESET_DEFAULT);

    if (rc != 0)
        return net_fail_tls(error, rc, "set up TLS");
    mbedtls_ssl_conf_rng(&tls->config, tls_random, NULL);
    mbedtls_ssl_conf_min_tls_version(&tls->config, MBEDTLS_SSL_VERSION_TLS1_2);
#ifdef MBEDTLS_SSL_RENEGOTIATION
    mbedtls_ssl_conf_renegotiation(&tls->config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
    return true;
}

/* -- server --------------------------------------------------------------------------------- */

static bool load_pair(MkTls *tls, const char *certificate_path, const char *key_path,
                      GError **error)
{
    int rc = mbedtls_x509_crt_parse_file(&tls->certificates, certificate_path);

    if (rc > 0) /* so many of the chain could not be read */
        return mk_fail(error, MK_ERROR_TLS, "%s: %d of its certificates cannot be read",
                       certificate_path, rc);
    if (rc != 0)
        return net_fail_tls(error, rc, "read the certificate %s", certificate_path);
    rc = mbedtls_pk_parse_keyfile(&tls->key, key_path, NULL, tls_random, NULL);
    if (rc != 0)
        return net_fail_tls(error, rc, "read the private key %s", key_path);
    rc = mbedtls_pk_check_pair(&tls->certificates.pk, &tls->key, tls_random, NULL);
    if (rc != 0)
        return net_fail_tls(error, rc, "the private key %s does not belong to the certificate %s",
                            key_path, certificate_path);
    if (!tls_fingerprint(&tls->certificates.pk, tls->fingerprint))
        return mk_fail(error, MK_ERROR_TLS, "%s: its public key is of no known kind",
                       certificate_path);
    return true;
}

/* TLS 1.2 knows suites whose secret the certificate's key alone reveals later: not with us. */
static bool has_forward_secrecy(int suite)
{
    const char *name = mbedtls_ssl_get_ciphersuite_name(suite);

    return g_str_has_prefix(name, "TLS1-3-") || g_str_has_prefix(name, "TLS-ECDHE-") ||
           g_str_has_prefix(name, "TLS-DHE-");
}

static gpointer list_suites(gpointer unused)
{
    GArray *suites = g_array_new(TRUE, FALSE, sizeof(int)); /* ends with 0 */

    (void) unused;
    for (const int *suite = mbedtls_ssl_list_ciphersuites(); *suite != 0; suite++)
        if (has_forward_secrecy(*suite))
            g_array_append_val(suites, *suite);
    return g_array_free(suites, FALSE);
}

static const int *forward_secret_suites(void)
{
    static GOnce once = G_ONCE_INIT;

    return g_once(&once, list_suites, NULL);
}

static bool configure_server(MkTls *tls, bool min_13, bool alpn_http, GError **error)
{
    static const char *protocols[] = { "http/1.1", NULL };
    int rc;

    if (!set_defaults(tls, error))
        return false;
    mbedtls_ssl_conf_ciphersuites(&tls->config, forward_secret_suites());
    if (min_13)
        mbedtls_ssl_conf_min_tls_version(&tls->config, MBEDTLS_SSL_VERSION_TLS1_3);
    mbedtls_ssl_conf_session_tickets_cb(&tls->config, mbedtls_ssl_ticket_write,
                                        mbedtls_ssl_ticket_parse, &global.tickets);
    mbedtls_ssl_conf_new_session_tickets(&tls->config, TICKETS_A_HANDSHAKE);
    rc = mbedtls_ssl_conf_own_cert(&tls->config, &tls->certificates, &tls->key);
    /* Mail clients offer no protocol or a wrong one, which would be fatal: for HTTPS only. */
    if (rc == 0 && alpn_http)
        rc = mbedtls_ssl_conf_alpn_protocols(&tls->config, protocols);
    return rc == 0 || net_fail_tls(error, rc, "set up TLS");
}

MkTls *mk_tls_server_new(const char *certificate_pem_path, const char *key_pem_path, bool min_13,
                         bool alpn_http, GError **error)
{
    g_autoptr(MkTls) tls = tls_new(true);

    if (!load_pair(tls, certificate_pem_path, key_pem_path, error) ||
        !configure_server(tls, min_13, alpn_http, error))
        return NULL;
    return g_steal_pointer(&tls);
}

const char *mk_tls_public_key_fingerprint(const MkTls *tls)
{
    return tls->fingerprint;
}

/* -- client --------------------------------------------------------------------------------- */

static bool load_authorities(MkTls *tls, const char *path, GError **error)
{
    int rc = mbedtls_x509_crt_parse_file(&tls->certificates, path);

    /* A bundle may hold a certificate of a kind not known here; the others serve. */
    if (rc < 0)
        return net_fail_tls(error, rc, "read the trusted authorities %s", path);
    mbedtls_ssl_conf_ca_chain(&tls->config, &tls->certificates, NULL);
    return true;
}

MkTls *mk_tls_client_new(const char *ca_pem_path, bool verify, GError **error)
{
    g_autoptr(MkTls) tls = tls_new(false);
    const char *path = ca_pem_path != NULL ? ca_pem_path : system_authorities;

    tls->verify = verify;
    if (!set_defaults(tls, error) || (verify && !load_authorities(tls, path, error)))
        return NULL;
    mbedtls_ssl_conf_authmode(&tls->config,
                              verify ? MBEDTLS_SSL_VERIFY_REQUIRED : MBEDTLS_SSL_VERIFY_NONE);
    return g_steal_pointer(&tls);
}
