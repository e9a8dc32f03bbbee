/*
 * error.h - one vocabulary of failure for the whole house
 *
 * Purpose    Every room reports failure as a GError of MK_ERROR with one of these codes.
 * Message    A sentence for an administrator: what failed, on what, what to do. Never mail
 *            text, an address, a subject, a folder name, a search term or a secret.
 * Threads    Any.
 */
#ifndef MAILKEEP_ERROR_H
#define MAILKEEP_ERROR_H

#include <stdbool.h>

#include <glib.h>

#define MK_ERROR (mk_error_quark())
GQuark mk_error_quark(void);

typedef enum {
    MK_ERROR_INVALID,   /* an argument or input is not of the form it must have */
    MK_ERROR_NOT_FOUND, /* what was asked for by name or id does not exist */
    MK_ERROR_EXISTS,    /* what should be made exists already */
    MK_ERROR_AUTH,      /* wrong user name or password, or not logged in */
    MK_ERROR_DENIED,    /* known, but not allowed to */
    MK_ERROR_LIMIT, /* a bound of limits.h or of the settings is exceeded; trying again is no help */
    MK_ERROR_BUSY,  /* a queue is full or a thing is in use: try again later */
    MK_ERROR_NO_SPACE,    /* the disk, or the map of a database, is full */
    MK_ERROR_IO,          /* reading or writing a file failed */
    MK_ERROR_CORRUPT,     /* stored data fails its checksum, its tag or its format */
    MK_ERROR_KEY,         /* a key is missing or is not the one that is needed */
    MK_ERROR_NETWORK,     /* connecting, listening, reading from or writing to a peer failed */
    MK_ERROR_TLS,         /* handshake, certificate or record layer */
    MK_ERROR_TIMEOUT,     /* a peer or a job took longer than its time */
    MK_ERROR_CANCELLED,   /* stopped on request or because the daemon ends */
    MK_ERROR_UNSUPPORTED, /* known to the field, not done by this build */
    MK_ERROR_INTERNAL,    /* a promise of our own is broken: a bug */
} MkErrorCode;

/*
 * mk_fail() - set an error and return false
 * @error  (out) may be NULL
 *
 * For `return mk_fail(error, MK_ERROR_INVALID, "...");`.
 */
bool mk_fail(GError **error, MkErrorCode code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/*
 * mk_fail_hint() - the same, with a name that programs know what happened by
 * @hint    static: "query-mark"; docs/protocols/web-api.md has all of them
 * @number  which word, or the bound that is exceeded; 0: none
 *
 * For what people do wrong themselves and must be told in their own language.
 */
bool mk_fail_hint(GError **error, MkErrorCode code, const char *hint, unsigned number,
                  const char *format, ...) G_GNUC_PRINTF(5, 6);
/* NULL when there is none; static. */
const char *mk_error_hint(const GError *error, unsigned *out_number);

/*
 * mk_fail_errno() - the same from an errno value (also -rc of a libuv call)
 *
 * The code follows from the number: ENOSPC, EDQUOT -> NO_SPACE; ENOENT -> NOT_FOUND;
 * EEXIST -> EXISTS; EACCES, EPERM -> DENIED; ETIMEDOUT -> TIMEOUT; socket errors -> NETWORK;
 * ECANCELED -> CANCELLED; all others IO. ": <strerror>" is appended to the message.
 */
bool mk_fail_errno(GError **error, int errnum, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* The code of an error of MK_ERROR; MK_ERROR_INTERNAL for a foreign domain or NULL. */
MkErrorCode mk_error_code(const GError *error);

/* "no-space", "corrupt" ...: for logs and API answers; static. */
const char *mk_error_name(MkErrorCode code);

#endif
