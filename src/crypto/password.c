/*
 * password.c - Argon2id for passwords, and the small things done with secrets
 *
 * 64 MiB and two passes (libsodium's "interactive"): about 70 ms. The caller bounds how many run
 * at once (MK_LIMIT_PASSWORD_JOBS), for the memory's sake.
 */
#include <mailkeep/crypto.h>

#include <string.h>

#include <sodium.h>

#include <mailkeep/limits.h>

#define OPS crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE
#define MEMORY crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE

char *mk_password_hash(const char *password, GError **error)
{
    char text[crypto_pwhash_STRBYTES];
    size_t length = strlen(password);

    if (length > MK_LIMIT_PASSWORD_BYTES) {
        mk_fail(error, MK_ERROR_LIMIT, "a password may have at most %d octets",
                MK_LIMIT_PASSWORD_BYTES);
        return NULL;
    }
    if (crypto_pwhash_str_alg(text, password, length, OPS, MEMORY, crypto_pwhash_ALG_ARGON2ID13) !=
        0) {
        mk_fail(error, MK_ERROR_BUSY, "not enough memory to hash a password; try again later");
        return NULL;
    }
    return g_strdup(text);
}

/* Spends what a real comparison spends, and says no. */
static bool refuse_slowly(const char *password, size_t length)
{
    uint8_t out[MK_KEY_BYTES];
    uint8_t salt[crypto_pwhash_SALTBYTES] = { 0 };

    if (crypto_pwhash(out, sizeof out, password, length, salt, OPS, MEMORY,
                      crypto_pwhash_ALG_ARGON2ID13) == 0)
        sodium_memzero(out, sizeof out);
    return false;
}

bool mk_password_verify(const char *hash, const char *password)
{
    size_t length = strlen(password);

    if (length > MK_LIMIT_PASSWORD_BYTES)
        return refuse_slowly(password, MK_LIMIT_PASSWORD_BYTES);
    if (hash == NULL)
        return refuse_slowly(password, length);
    return crypto_pwhash_str_verify(hash, password, length) == 0;
}

void mk_random(void *out, size_t length)
{
    randombytes_buf(out, length);
}

void mk_wipe(void *data, size_t length)
{
    sodium_memzero(data, length);
}

bool mk_equal_secret(const void *a, const void *b, size_t length)
{
    return sodium_memcmp(a, b, length) == 0;
}

void mk_free_secret(char *secret)
{
    if (secret != NULL)
        sodium_memzero(secret, strlen(secret));
    g_free(secret);
}
