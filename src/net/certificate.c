/* certificate.c - what a certificate says, and whether a key fits it */
#include <arpa/inet.h>
#include <string.h>

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>
#include <mbedtls/sha256.h>

#include "internal.h"

enum { NAME_ROOM = 1024, SHA256_BYTES = 32 };

static bool parse_chain(mbedtls_x509_crt *chain, const char *pem, GError **error)
{
    /* The NUL is counted: by it mbedTLS tells PEM from DER. */
    int rc = mbedtls_x509_crt_parse(chain, (const unsigned char *) pem, strlen(pem) + 1);

    if (rc == 0)
        return true;
    if (rc > 0)
        return mk_fail(error, MK_ERROR_INVALID, "%d of the certificates cannot be read", rc);
    return mk_fail(error, MK_ERROR_INVALID,
                   "this is no certificate in PEM form: it must have lines that read "
                   "-----BEGIN CERTIFICATE----- and -----END CERTIFICATE-----");
}

/* -- what it says ----------------------------------------------------------------------------- */
static char *name_text(const mbedtls_x509_name *name)
{
    char text[NAME_ROOM];
    int length = mbedtls_x509_dn_gets(text, sizeof text, name);

    return length >= 0 ? g_utf8_make_valid(text, length) : g_strdup("");
}

static int64_t time_unix_ms(const mbedtls_x509_time *time)
{
    g_autoptr(GDateTime) date =
        g_date_time_new_utc(time->year, time->mon, time->day, time->hour, time->min, time->sec);

    return date != NULL ? g_date_time_to_unix(date) * 1000 : 0;
}

static bool is_plain(const unsigned char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isgraph(text[i]))
            return false;
    return length > 0;
}

/* RFC 5280 4.2.1.6; kinds of names that no client compares with a host are left out. */
static void add_alternative_name(GStrvBuilder *names, const mbedtls_x509_buf *name)
{
    unsigned kind = (unsigned) name->tag & MBEDTLS_ASN1_TAG_VALUE_MASK;
    char address[INET6_ADDRSTRLEN];

    if (kind == MBEDTLS_X509_SAN_DNS_NAME && is_plain(name->p, name->len)) {
        g_autofree char *text = g_strndup((const char *) name->p, name->len);
        g_strv_builder_add(names, text);
    } else if (kind == MBEDTLS_X509_SAN_IP_ADDRESS && (name->len == 4 || name->len == 16)) {
        inet_ntop(name->len == 4 ? AF_INET : AF_INET6, name->p, address, sizeof address);
        g_strv_builder_add(names, address);
    }
}

static void add_common_name(GStrvBuilder *names, const mbedtls_x509_name *subject)
{
    for (; subject != NULL; subject = subject->next) {
        if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &subject->oid) != 0 ||
            !is_plain(subject->val.p, subject->val.len))
            continue;
        g_autofree char *text = g_strndup((const char *) subject->val.p, subject->val.len);
        g_strv_builder_add(names, text);
    }
}

static char **names_of(const mbedtls_x509_crt *certificate)
{
    GStrvBuilder *names = g_strv_builder_new();
    const mbedtls_x509_sequence *name = &certificate->subject_alt_names;
    char **result;

    if (name->buf.p == NULL)
        add_common_name(names, &certificate->subject);
    for (; name != NULL && name->buf.p != NULL; name = name->next)
        add_alternative_name(names, &name->buf);
    result = g_strv_builder_end(names);
    g_strv_builder_unref(names);
    return result;
}

static char *fingerprint_of(const mbedtls_x509_crt *certificate)
{
    unsigned char hash[SHA256_BYTES];
    char *text = g_malloc(2 * SHA256_BYTES + 1);

    mbedtls_sha256(certificate->raw.p, certificate->raw.len, hash, 0);
    for (size_t i = 0; i < sizeof hash; i++)
        g_snprintf(text + 2 * i, 3, "%02X", hash[i]);
    return text;
}

static bool is_own_issuer(const mbedtls_x509_crt *certificate)
{
    const mbedtls_x509_buf *subject = &certificate->subject_raw;
    const mbedtls_x509_buf *issuer = &certificate->issuer_raw;

    return subject->len == issuer->len && memcmp(subject->p, issuer->p, subject->len) == 0;
}

static MkCertificate *describe(const mbedtls_x509_crt *chain)
{
    MkCertificate *certificate = g_new0(MkCertificate, 1);
    char public_key[FINGERPRINT_ROOM] = "";

    certificate->subject = name_text(&chain->subject);
    certificate->issuer = name_text(&chain->issuer);
    certificate->names = names_of(chain);
    certificate->not_before_unix_ms = time_unix_ms(&chain->valid_from);
    certificate->not_after_unix_ms = time_unix_ms(&chain->valid_to);
    certificate->fingerprint = fingerprint_of(chain);
    tls_fingerprint(&chain->pk, public_key);
    certificate->public_key = g_strdup(public_key);
    certificate->self_signed = is_own_issuer(chain);
    for (; chain != NULL; chain = chain->next)
        certificate->chain_count++;
    return certificate;
}

MkCertificate *mk_certificate_parse(const char *chain_pem, GError **error)
{
    MkCertificate *certificate = NULL;
    mbedtls_x509_crt chain;

    tls_global_init();
    mbedtls_x509_crt_init(&chain);
    if (parse_chain(&chain, chain_pem, error))
        certificate = describe(&chain);
    mbedtls_x509_crt_free(&chain);
    return certificate;
}

void mk_certificate_free(MkCertificate *certificate)
{
    if (certificate == NULL)
        return;
    g_free(certificate->subject);
    g_free(certificate->issuer);
    g_strfreev(certificate->names);
    g_free(certificate->fingerprint);
    g_free(certificate->public_key);
    g_free(certificate);
}

static bool name_covers(const char *name, const char *hostname)
{
    const char *rest;

    if (g_ascii_strcasecmp(name, hostname) == 0)
        return true;
    rest = strchr(hostname, '.');
    return g_str_has_prefix(name, "*.") && rest != NULL && rest > hostname &&
           g_ascii_strcasecmp(name + 1, rest) == 0;
}

bool mk_certificate_covers(const MkCertificate *certificate, const char *hostname)
{
    for (char **name = certificate->names; *name != NULL; name++)
        if (name_covers(*name, hostname))
            return true;
    return false;
}

/* -- does the key fit? ------------------------------------------------------------------------- */
static bool parse_key(mbedtls_pk_context *key, const char *pem, GError **error)
{
    int rc = mbedtls_pk_parse_key(key, (const unsigned char *) pem, strlen(pem) + 1, NULL, 0,
                                  tls_random, NULL);

    if (rc == 0)
        return true;
    if (rc == MBEDTLS_ERR_PK_PASSWORD_REQUIRED || strstr(pem, "ENCRYPTED") != NULL)
        return mk_fail(error, MK_ERROR_INVALID,
                       "the private key is protected by a password: remove it first, for example "
                       "with `openssl pkey -in key.pem -out plain.pem`");
    return mk_fail(
        error, MK_ERROR_INVALID,
        "this is no private key in PEM form that can be used (RSA or ECDSA): it must "
        "have lines that read -----BEGIN PRIVATE KEY----- and -----END PRIVATE KEY-----");
}

static bool key_fits(mbedtls_pk_context *key, const mbedtls_x509_crt *certificate)
{
    return mbedtls_pk_check_pair(&certificate->pk, key, tls_random, NULL) == 0;
}

static bool key_fits_first(mbedtls_pk_context *key, const mbedtls_x509_crt *chain, GError **error)
{
    if (key_fits(key, chain))
        return true;
    for (const mbedtls_x509_crt *other = chain->next; other != NULL; other = other->next)
        if (key_fits(key, other))
            return mk_fail(error, MK_ERROR_INVALID,
                           "the server's own certificate must stand first, before those that "
                           "vouch for it");
    return mk_fail(error, MK_ERROR_INVALID, "the private key does not belong to the certificate");
}

bool mk_tls_check_pair(const char *chain_pem, const char *key_pem, GError **error)
{
    mbedtls_x509_crt chain;
    mbedtls_pk_context key;
    bool ok;

    tls_global_init();
    mbedtls_x509_crt_init(&chain);
    mbedtls_pk_init(&key);
    ok = parse_chain(&chain, chain_pem, error) && parse_key(&key, key_pem, error) &&
         key_fits_first(&key, &chain, error);
    mbedtls_pk_free(&key);
    mbedtls_x509_crt_free(&chain);
    return ok;
}
