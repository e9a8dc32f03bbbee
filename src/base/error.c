/* error.c - making and naming the errors of MK_ERROR */
#include <mailkeep/error.h>

#include <errno.h>
#include <string.h>

typedef struct {
    const char *hint;
    unsigned number;
} MkErrorPrivate;

static void mk_error_private_init(MkErrorPrivate *priv)
{
    *priv = (MkErrorPrivate){ NULL, 0 };
}

static void mk_error_private_copy(const MkErrorPrivate *from, MkErrorPrivate *to)
{
    *to = *from;
}

static void mk_error_private_clear(MkErrorPrivate *priv)
{
    (void) priv; /* its name is static */
}

G_DEFINE_EXTENDED_ERROR(MkError, mk_error)

static void set_error(GError **error, MkErrorCode code, const char *format, va_list args)
{
    if (error != NULL)
        *error = g_error_new_valist(MK_ERROR, (gint) code, format, args);
}

bool mk_fail(GError **error, MkErrorCode code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set_error(error, code, format, args);
    va_end(args);
    return false;
}

bool mk_fail_hint(GError **error, MkErrorCode code, const char *hint, unsigned number,
                  const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set_error(error, code, format, args);
    va_end(args);
    if (error != NULL)
        *mk_error_get_private(*error) = (MkErrorPrivate){ hint, number };
    return false;
}

const char *mk_error_hint(const GError *error, unsigned *out_number)
{
    const MkErrorPrivate *priv =
        error != NULL && error->domain == MK_ERROR ? mk_error_get_private(error) : NULL;

    *out_number = priv != NULL ? priv->number : 0;
    return priv != NULL ? priv->hint : NULL;
}

static MkErrorCode code_from_errno(int errnum)
{
    switch (errnum) {
    case ENOSPC:
    case EDQUOT: return MK_ERROR_NO_SPACE;
    case ENOENT: return MK_ERROR_NOT_FOUND;
    case EEXIST: return MK_ERROR_EXISTS;
    case EACCES:
    case EPERM: return MK_ERROR_DENIED;
    case ETIMEDOUT: return MK_ERROR_TIMEOUT;
    case ECANCELED: return MK_ERROR_CANCELLED;
    case EADDRINUSE:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case ECONNABORTED:
    case ECONNREFUSED:
    case ECONNRESET:
    case EDESTADDRREQ:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case EISCONN:
    case ENETDOWN:
    case ENETRESET:
    case ENETUNREACH:
    case ENOTCONN:
    case ENOTSOCK:
    case EPIPE:
    case EPROTO:
    case EPROTONOSUPPORT:
    case ESHUTDOWN: return MK_ERROR_NETWORK;
    default: return MK_ERROR_IO;
    }
}

bool mk_fail_errno(GError **error, int errnum, const char *format, ...)
{
    va_list args;
    g_autofree char *what = NULL;

    va_start(args, format);
    what = g_strdup_vprintf(format, args);
    va_end(args);
    return mk_fail(error, code_from_errno(errnum), "%s: %s", what, g_strerror(errnum));
}

MkErrorCode mk_error_code(const GError *error)
{
    if (error == NULL || error->domain != MK_ERROR)
        return MK_ERROR_INTERNAL;
    return (MkErrorCode) error->code;
}

const char *mk_error_name(MkErrorCode code)
{
    switch (code) { /* no default, so that a forgotten code is a warning */
    case MK_ERROR_INVALID: return "invalid";
    case MK_ERROR_NOT_FOUND: return "not-found";
    case MK_ERROR_EXISTS: return "exists";
    case MK_ERROR_AUTH: return "auth";
    case MK_ERROR_DENIED: return "denied";
    case MK_ERROR_LIMIT: return "limit";
    case MK_ERROR_BUSY: return "busy";
    case MK_ERROR_NO_SPACE: return "no-space";
    case MK_ERROR_IO: return "io";
    case MK_ERROR_CORRUPT: return "corrupt";
    case MK_ERROR_KEY: return "key";
    case MK_ERROR_NETWORK: return "network";
    case MK_ERROR_TLS: return "tls";
    case MK_ERROR_TIMEOUT: return "timeout";
    case MK_ERROR_CANCELLED: return "cancelled";
    case MK_ERROR_UNSUPPORTED: return "unsupported";
    case MK_ERROR_INTERNAL: return "internal";
    }
    return "internal"; /* a number no code has */
}
