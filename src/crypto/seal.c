/* seal.c - XChaCha20-Poly1305 with a random nonce, and the deterministic form for small values */
#include <mailkeep/crypto.h>

#include <string.h>

#include <sodium.h>

#include "internal.h"

#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES crypto_aead_xchacha20poly1305_ietf_ABYTES

G_STATIC_ASSERT(MK_SEAL_OVERHEAD == NONCE_BYTES + TAG_BYTES);

void mk_seal(const MkKey *key, const void *aad, size_t aad_length, const void *plain, size_t length,
             uint8_t *out)
{
    randombytes_buf(out, NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_BYTES, NULL, plain, length, aad,
                                               aad_length, NULL, out, key->bytes);
}

bool mk_unseal(const MkKey *key, const void *aad, size_t aad_length, const uint8_t *sealed,
               size_t length, uint8_t *out, GError **error)
{
    if (length < MK_SEAL_OVERHEAD ||
        crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed + NONCE_BYTES,
                                                   length - NONCE_BYTES, aad, aad_length, sealed,
                                                   key->bytes) != 0)
        return mk_fail(error, MK_ERROR_CORRUPT, "sealed octets fail their tag");
    return true;
}

/* The aad's length goes first, so that no octet can move between aad and plain. */
static void siv_tag(const MkKey *key, const void *aad, size_t aad_length, const void *plain,
                    size_t length, uint8_t out[MK_SIV_OVERHEAD])
{
    crypto_generichash_blake2b_state state;
    uint8_t count[8];

    for (unsigned i = 0; i < sizeof count; i++)
        count[i] = (uint8_t) ((uint64_t) aad_length >> 8 * i);
    crypto_generichash_blake2b_init(&state, key->siv_mac, MK_KEY_BYTES, MK_SIV_OVERHEAD);
    crypto_generichash_blake2b_update(&state, count, sizeof count);
    if (aad_length > 0) /* a NULL with length 0 is fine for us, not for the sanitizer */
        crypto_generichash_blake2b_update(&state, aad, aad_length);
    if (length > 0)
        crypto_generichash_blake2b_update(&state, plain, length);
    crypto_generichash_blake2b_final(&state, out, MK_SIV_OVERHEAD);
}

static void siv_cipher(const MkKey *key, const uint8_t tag[MK_SIV_OVERHEAD], const uint8_t *in,
                       size_t length, uint8_t *out)
{
    uint8_t nonce[crypto_stream_xchacha20_NONCEBYTES] = { 0 };

    memcpy(nonce, tag, MK_SIV_OVERHEAD);
    if (length > 0)
        crypto_stream_xchacha20_xor(out, in, length, nonce, key->siv_cipher);
}

void mk_siv_seal(const MkKey *key, const void *aad, size_t aad_length, const void *plain,
                 size_t length, uint8_t *out)
{
    siv_tag(key, aad, aad_length, plain, length, out);
    siv_cipher(key, out, plain, length, out + MK_SIV_OVERHEAD);
}

bool mk_siv_unseal(const MkKey *key, const void *aad, size_t aad_length, const uint8_t *sealed,
                   size_t length, uint8_t *out, GError **error)
{
    uint8_t tag[MK_SIV_OVERHEAD];

    if (length < MK_SIV_OVERHEAD)
        return mk_fail(error, MK_ERROR_CORRUPT, "a sealed value is too short");
    length -= MK_SIV_OVERHEAD;
    siv_cipher(key, sealed, sealed + MK_SIV_OVERHEAD, length, out);
    siv_tag(key, aad, aad_length, out, length, tag);
    if (sodium_memcmp(tag, sealed, sizeof tag) != 0) {
        sodium_memzero(out, length); /* nothing unauthenticated leaves this room */
        return mk_fail(error, MK_ERROR_CORRUPT, "a sealed value fails its tag");
    }
    return true;
}
