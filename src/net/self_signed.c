/* self_signed.c - the certificate of the first start: P-256, ten years */
#include <arpa/inet.h>
#include <string.h>
#include <sys/stat.h>

#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/platform_util.h>

#include <mailkeep/base.h>

#include "internal.h"

enum {
    COMMON_NAME_BYTES = 64 /* RFC 5280 A.1, ub-common-name */,
    HOST_BYTES = 253,
    PEM_ROOM = 4096
};

static const int64_t DAY_MS = 86400000;

typedef struct {
    mbedtls_pk_context key;
    mbedtls_x509write_cert writer;
} Maker;

static void maker_init(Maker *maker)
{
    mbedtls_pk_init(&maker->key);
    mbedtls_x509write_crt_init(&maker->writer);
}

static void maker_clear(Maker *maker)
{
    mbedtls_x509write_crt_free(&maker->writer);
    mbedtls_pk_free(&maker->key);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Maker, maker_clear)

/* Commas and the like would change the meaning of "CN=..."; a host name has none. */
static bool is_host_name(const char *text)
{
    size_t length = strlen(text);

    return length > 0 && length <= HOST_BYTES &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:") ==
               length;
}

static int make_key(mbedtls_pk_context *key)
{
    int rc = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));

    if (rc == 0)
        rc = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key), tls_random, NULL);
    return rc;
}

static void format_asn1_time(int64_t unix_ms, char out[32])
{
    char text[32];

    mk_clock_format_utc(unix_ms, text); /* YYYY-MM-DDTHH:MM:SSZ to YYYYMMDDHHMMSS */
    g_snprintf(out, 32, "%.4s%.2s%.2s%.2s%.2s%.2s", text, text + 5, text + 8, text + 11, text + 14,
               text + 17);
}

static int set_validity(mbedtls_x509write_cert *writer)
{
    int64_t now = mk_clock_unix_ms();
    char from[32], to[32];

    format_asn1_time(now - DAY_MS, from); /* clocks of clients may go behind */
    format_asn1_time(now + 3652 * DAY_MS, to);
    return mbedtls_x509write_crt_set_validity(writer, from, to);
}

static int set_serial(mbedtls_x509write_cert *writer)
{
    unsigned char serial[16];
    int rc = tls_random(NULL, serial, sizeof serial);

    serial[0] = (unsigned char) ((serial[0] & 0x7f) | 0x01); /* positive, not zero */
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_serial_raw(writer, serial, sizeof serial);
    return rc;
}

static int set_names(mbedtls_x509write_cert *writer, const char *hostname)
{
    const char *common = strlen(hostname) <= COMMON_NAME_BYTES ? hostname : "mailkeep";
    g_autofree char *name = g_strdup_printf("CN=%s", common);
    int rc = mbedtls_x509write_crt_set_subject_name(writer, name);

    if (rc == 0)
        rc = mbedtls_x509write_crt_set_issuer_name(writer, name);
    return rc;
}

static mbedtls_x509_san_list san_item(int type, const void *data, size_t length)
{
    mbedtls_x509_san_list item = { 0 };

    item.node.type = type;
    item.node.san.unstructured_name.p = (unsigned char *) data;
    item.node.san.unstructured_name.len = length;
    return item;
}

static mbedtls_x509_san_list san_host(const char *hostname, unsigned char address[16])
{
    if (inet_pton(AF_INET, hostname, address) == 1)
        return san_item(MBEDTLS_X509_SAN_IP_ADDRESS, address, 4);
    if (inet_pton(AF_INET6, hostname, address) == 1)
        return san_item(MBEDTLS_X509_SAN_IP_ADDRESS, address, 16);
    return san_item(MBEDTLS_X509_SAN_DNS_NAME, hostname, strlen(hostname));
}

static int set_alternative_names(mbedtls_x509write_cert *writer, const char *hostname)
{
    static const unsigned char loopback4[4] = { 127, 0, 0, 1 };
    static const unsigned char loopback6[16] = { [15] = 1 };
    unsigned char address[16];
    mbedtls_x509_san_list items[] = {
        san_host(hostname, address),
        san_item(MBEDTLS_X509_SAN_DNS_NAME, "localhost", 9),
        san_item(MBEDTLS_X509_SAN_IP_ADDRESS, loopback4, sizeof loopback4),
        san_item(MBEDTLS_X509_SAN_IP_ADDRESS, loopback6, sizeof loopback6),
    };

    for (guint i = 0; i + 1 < G_N_ELEMENTS(items); i++)
        items[i].next = &items[i + 1];
    return mbedtls_x509write_crt_set_subject_alternative_name(writer, items);
}

static int set_usage(mbedtls_x509write_cert *writer)
{
    mbedtls_asn1_sequence server = { 0 };
    int rc = mbedtls_x509write_crt_set_basic_constraints(writer, 0, -1);

    server.buf.tag = MBEDTLS_ASN1_OID;
    server.buf.p = (unsigned char *) MBEDTLS_OID_SERVER_AUTH;
    server.buf.len = MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH);
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_key_usage(writer, MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
    if (rc == 0)
        rc = mbedtls_x509write_crt_set_ext_key_usage(writer, &server);
    return rc;
}

static int fill_certificate(Maker *maker, const char *hostname)
{
    mbedtls_x509write_cert *writer = &maker->writer;
    int rc = make_key(&maker->key);

    if (rc != 0)
        return rc;
    mbedtls_x509write_crt_set_version(writer, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(writer, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(writer, &maker->key);
    mbedtls_x509write_crt_set_issuer_key(writer, &maker->key);
    rc = set_serial(writer);
    if (rc == 0)
        rc = set_validity(writer);
    if (rc == 0)
        rc = set_names(writer, hostname);
    if (rc == 0)
        rc = set_usage(writer);
    if (rc == 0)
        rc = set_alternative_names(writer, hostname);
    return rc;
}

static bool write_file(const char *path, const char *pem, int mode, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (g_file_set_contents_full(path, pem, -1,
                                 G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, mode,
                                 &cause))
        return true;
    return mk_fail(error, MK_ERROR_IO, "write %s: %s", path, cause->message);
}

bool mk_tls_make_self_signed_pem(const char *hostname, char **out_certificate, char **out_key,
                                 GError **error)
{
    g_auto(Maker) maker;
    unsigned char certificate[PEM_ROOM];
    unsigned char key[PEM_ROOM];
    int rc;

    tls_global_init();
    maker_init(&maker);
    if (!is_host_name(hostname))
        return mk_fail(error, MK_ERROR_INVALID, "the host name for the certificate is not valid");
    rc = fill_certificate(&maker, hostname);
    if (rc == 0)
        rc = mbedtls_x509write_crt_pem(&maker.writer, certificate, sizeof certificate, tls_random,
                                       NULL);
    if (rc == 0)
        rc = mbedtls_pk_write_key_pem(&maker.key, key, sizeof key);
    if (rc != 0)
        return net_fail_tls(error, rc, "make a certificate");
    *out_certificate = g_strdup((const char *) certificate);
    *out_key = g_strdup((const char *) key);
    mbedtls_platform_zeroize(key, sizeof key);
    return true;
}

bool mk_tls_make_self_signed(const char *hostname, const char *certificate_pem_path,
                             const char *key_pem_path, GError **error)
{
    g_autofree char *certificate = NULL;
    char *key = NULL;
    bool ok;

    if (!mk_tls_make_self_signed_pem(hostname, &certificate, &key, error) || key == NULL)
        return false;
    /* The key first: a certificate without its key would look complete after a crash. */
    ok = write_file(key_pem_path, key, 0600, error) &&
         write_file(certificate_pem_path, certificate, 0644, error);
    mbedtls_platform_zeroize(key, strlen(key));
    g_free(key);
    return ok;
}
