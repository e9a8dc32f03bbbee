/*
 * key.c - keys in locked memory, derivation, wrapping
 *
 * A purpose's key is BLAKE2b-256 keyed with the parent, personalised "mailkeep purpose", over
 * the purpose's octets; so a leaked purpose key tells nothing of its parent or its sisters.
 */
#include <mailkeep/crypto.h>

#include <string.h>

#include <sodium.h>

#include "internal.h"

#define WRAP_VERSION 1
#define WRAP_BYTES (1 + MK_KEY_BYTES + MK_SEAL_OVERHEAD)

G_STATIC_ASSERT(MK_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
G_STATIC_ASSERT(MK_KEY_BYTES == crypto_stream_xchacha20_KEYBYTES);

bool mk_crypto_init(GError **error)
{
    if (sodium_init() < 0)
        return mk_fail(error, MK_ERROR_INTERNAL,
                       "the cryptographic library cannot be started: "
                       "is the random source readable?");
    return true;
}

static void derive_octets(uint8_t out[MK_KEY_BYTES], const uint8_t key[MK_KEY_BYTES],
                          const char *purpose)
{
    static const uint8_t person[] = "mailkeep purpose";

    G_STATIC_ASSERT(sizeof person - 1 == crypto_generichash_blake2b_PERSONALBYTES);
    crypto_generichash_blake2b_salt_personal(out, MK_KEY_BYTES, (const uint8_t *) purpose,
                                             strlen(purpose), key, MK_KEY_BYTES, NULL, person);
}

static MkKey *key_alloc(void)
{
    MkKey *key = sodium_malloc(sizeof *key);

    if (key == NULL)
        g_error("no memory for a key");
    return key;
}

/* The last step of every constructor: the derived halves, then no more writing. */
static MkKey *key_seal_off(MkKey *key)
{
    derive_octets(key->siv_mac, key->bytes, "siv mac");
    derive_octets(key->siv_cipher, key->bytes, "siv cipher");
    sodium_mprotect_readonly(key);
    return key;
}

MkKey *mk_key_new_random(void)
{
    MkKey *key = key_alloc();

    randombytes_buf(key->bytes, sizeof key->bytes);
    return key_seal_off(key);
}

MkKey *mk_key_new_from(const uint8_t bytes[MK_KEY_BYTES])
{
    MkKey *key = key_alloc();

    memcpy(key->bytes, bytes, MK_KEY_BYTES);
    return key_seal_off(key);
}

void mk_key_free(MkKey *key)
{
    sodium_free(key); /* wipes; NULL-safe */
}

MkKey *mk_key_derive(const MkKey *key, const char *purpose)
{
    MkKey *derived = key_alloc();

    derive_octets(derived->bytes, key->bytes, purpose);
    return key_seal_off(derived);
}

/* Binds what is wrapped to its place: a store's key does not open as another store's. */
static GByteArray *wrap_aad(const char *label)
{
    static const char prefix[] = "mailkeep wrap 1";
    GByteArray *aad = g_byte_array_new();

    g_byte_array_append(aad, (const guint8 *) prefix, sizeof prefix); /* with its NUL */
    g_byte_array_append(aad, (const guint8 *) label, (guint) strlen(label));
    return aad;
}

GBytes *mk_key_wrap(const MkKey *wrapping, const MkKey *key, const char *label)
{
    g_autoptr(GByteArray) aad = wrap_aad(label);
    uint8_t *wrapped = g_malloc(WRAP_BYTES);

    wrapped[0] = WRAP_VERSION;
    mk_seal(wrapping, aad->data, aad->len, key->bytes, MK_KEY_BYTES, wrapped + 1);
    return g_bytes_new_take(wrapped, WRAP_BYTES);
}

MkKey *mk_key_unwrap(const MkKey *wrapping, GBytes *wrapped, const char *label, GError **error)
{
    g_autoptr(GByteArray) aad = wrap_aad(label);
    gsize length;
    const uint8_t *data = g_bytes_get_data(wrapped, &length);
    MkKey *key;

    if (length != WRAP_BYTES || data[0] != WRAP_VERSION) {
        mk_fail(error, MK_ERROR_CORRUPT, "a wrapped key is not of the form it must have");
        return NULL;
    }
    key = key_alloc();
    if (!mk_unseal(wrapping, aad->data, aad->len, data + 1, length - 1, key->bytes, NULL)) {
        mk_key_free(key);
        mk_fail(error, MK_ERROR_KEY,
                "a wrapped key does not open: the key given is not the one "
                "it was wrapped with, or the file is damaged");
        return NULL;
    }
    return key_seal_off(key);
}
