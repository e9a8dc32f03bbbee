/* net_error.c - what libuv and mbedTLS report, as errors of the house */
#include <mbedtls/error.h>

#include "internal.h"

bool net_fail_uv(GError **error, int rc, const char *format, ...)
{
    MkErrorCode code = rc == UV_ETIMEDOUT ? MK_ERROR_TIMEOUT : MK_ERROR_NETWORK;
    g_autofree char *what = NULL;
    va_list args;

    va_start(args, format);
    what = g_strdup_vprintf(format, args);
    va_end(args);
    return mk_fail(error, code, "%s: %s", what, uv_strerror(rc));
}

bool net_fail_tls(GError **error, int rc, const char *format, ...)
{
    g_autofree char *what = NULL;
    char text[160];
    va_list args;

    va_start(args, format);
    what = g_strdup_vprintf(format, args);
    va_end(args);
    mbedtls_strerror(rc, text, sizeof text);
    return mk_fail(error, MK_ERROR_TLS, "%s: %s (-0x%04x)", what, text, (unsigned) -rc);
}
