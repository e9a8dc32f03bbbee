/*
 * keep.c - certificate and key on disk, replaced as one
 *
 *   pair.pem (both, fsynced) --> key.pem --> certificate.pem --> pair.pem is removed
 *
 * A crash before the first arrow changes nothing; after it, mk_certs_settle() goes the rest of
 * the way at the next start.
 */
#include <mailkeep/certs.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailkeep/crypto.h>
#include <mailkeep/limits.h>

static pthread_mutex_t replacing = PTHREAD_MUTEX_INITIALIZER;

static const char certificate_begin[] = "-----BEGIN CERTIFICATE";

static char *path_of(const char *data_dir, const char *name)
{
    return g_build_filename(data_dir, "tls", name, NULL);
}

char *mk_certs_certificate_path(const char *data_dir)
{
    return path_of(data_dir, "certificate.pem");
}

char *mk_certs_key_path(const char *data_dir)
{
    return path_of(data_dir, "key.pem");
}

bool mk_certs_exist(const char *data_dir)
{
    g_autofree char *certificate = mk_certs_certificate_path(data_dir);
    g_autofree char *key = mk_certs_key_path(data_dir);

    return g_file_test(certificate, G_FILE_TEST_EXISTS) && g_file_test(key, G_FILE_TEST_EXISTS);
}

static bool sync_dir(const char *data_dir, GError **error)
{
    g_autofree char *dir = path_of(data_dir, NULL);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);
    int errnum = errno;

    if (fd >= 0)
        close(fd);
    return rc == 0 || mk_fail_errno(error, errnum, "write the directory %s", dir);
}

static bool write_file(const char *data_dir, const char *name, const char *text, int mode,
                       GError **error)
{
    g_autofree char *path = path_of(data_dir, name);
    g_autoptr(GError) cause = NULL;

    if (!g_file_set_contents_full(path, text, -1,
                                  G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                  mode, &cause))
        return mk_fail(error, MK_ERROR_IO, "write %s: %s", path, cause->message);
    /* One that was there keeps its mode. */
    if (chmod(path, (mode_t) mode) != 0)
        return mk_fail_errno(error, errno, "set the mode of %s", path);
    return sync_dir(data_dir, error);
}

/* @pair is the key, then the chain. */
static bool spread_pair(const char *data_dir, const char *pair, GError **error)
{
    const char *chain = strstr(pair, certificate_begin);
    g_autofree char *path = path_of(data_dir, "pair.pem");
    char *key;
    bool ok;

    if (chain == NULL || chain == pair)
        return mk_fail(error, MK_ERROR_CORRUPT, "%s is damaged: remove it", path);
    key = g_strndup(pair, (gsize) (chain - pair));
    ok = write_file(data_dir, "key.pem", key, 0600, error) &&
         write_file(data_dir, "certificate.pem", chain, 0644, error);
    mk_free_secret(key);
    if (!ok)
        return false;
    if (unlink(path) != 0)
        return mk_fail_errno(error, errno, "remove %s", path);
    return sync_dir(data_dir, error);
}

bool mk_certs_settle(const char *data_dir, GError **error)
{
    g_autofree char *path = path_of(data_dir, "pair.pem");
    g_autoptr(GError) cause = NULL;
    char *pair = NULL;
    bool ok;

    if (!g_file_get_contents(path, &pair, NULL, &cause)) {
        if (g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOENT))
            return true;
        return mk_fail(error, MK_ERROR_IO, "read %s: %s", path, cause->message);
    }
    ok = spread_pair(data_dir, pair, error);
    mk_free_secret(pair);
    return ok;
}

static bool make_dir(const char *data_dir, GError **error)
{
    g_autofree char *dir = path_of(data_dir, NULL);

    return g_mkdir_with_parents(dir, 0700) == 0 ||
           mk_fail_errno(error, errno, "make the directory %s", dir);
}

bool mk_certs_keep(const char *data_dir, const char *chain_pem, const char *key_pem, GError **error)
{
    const char *chain = strstr(chain_pem, certificate_begin); /* without what stands before it */
    char *pair;
    bool ok;

    if (strlen(chain_pem) > MK_LIMIT_CERTIFICATE_BYTES || strlen(key_pem) > MK_LIMIT_TLS_KEY_BYTES)
        return mk_fail(error, MK_ERROR_LIMIT, "the certificate or its key is too long");
    if (!mk_tls_check_pair(chain_pem, key_pem, error) || !make_dir(data_dir, error))
        return false;
    g_assert(chain != NULL); /* else it had not been read */
    if (strstr(key_pem, certificate_begin) != NULL)
        return mk_fail(error, MK_ERROR_INVALID,
                       "the file of the private key has a certificate in it: give the key alone");
    pair = g_strconcat(key_pem, "\n", chain, NULL);
    pthread_mutex_lock(&replacing);
    ok = write_file(data_dir, "pair.pem", pair, 0600, error) && spread_pair(data_dir, pair, error);
    pthread_mutex_unlock(&replacing);
    mk_free_secret(pair);
    return ok;
}

bool mk_certs_make_self_signed(const char *data_dir, const char *hostname, GError **error)
{
    g_autofree char *chain = NULL;
    char *key = NULL;
    bool ok;

    if (!mk_tls_make_self_signed_pem(hostname, &chain, &key, error))
        return false;
    ok = mk_certs_keep(data_dir, chain, key, error);
    mk_free_secret(key);
    return ok;
}
