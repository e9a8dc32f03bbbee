/* net_certificate.c - any octets as an uploaded certificate and key: a pair, or one error */
#include <mailkeep/net.h>

#include <stddef.h>
#include <stdint.h>

#include <mailkeep/error.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *) data, size);
    g_autoptr(GError) parse_error = NULL;
    g_autoptr(GError) pair_error = NULL;
    g_autoptr(MkCertificate) certificate = mk_certificate_parse(text, &parse_error);
    bool fits = mk_tls_check_pair(text, text, &pair_error);

    g_assert((certificate == NULL) == (parse_error != NULL));
    g_assert(fits == (pair_error == NULL));
    if (parse_error != NULL)
        g_assert(mk_error_code(parse_error) == MK_ERROR_INVALID);
    if (certificate != NULL) {
        g_assert(g_utf8_validate(certificate->subject, -1, NULL));
        mk_certificate_covers(certificate, "archive.example.com");
    }
    return 0;
}
