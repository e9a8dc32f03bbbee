/* hash.c - BLAKE2b-256, keyed or not, at once or in pieces */
#include <mailkeep/crypto.h>

#include <sodium.h>

#include "internal.h"

#define ALIGNMENT _Alignof(crypto_generichash_blake2b_state)

G_STATIC_ASSERT(sizeof(MkHashState) >= sizeof(crypto_generichash_blake2b_state) + ALIGNMENT);

static const uint8_t *key_octets(const MkKey *key)
{
    return key != NULL ? key->bytes : NULL;
}

static size_t key_length(const MkKey *key)
{
    return key != NULL ? MK_KEY_BYTES : 0;
}

void mk_hash(const MkKey *key, const void *data, size_t length, MkHash *out)
{
    crypto_generichash_blake2b(out->bytes, MK_HASH_BYTES, data, length, key_octets(key),
                               key_length(key));
}

/* Not left to the compiler: gcc 12 places an over-aligned local wrongly under the sanitizer. */
static crypto_generichash_blake2b_state *inner(MkHashState *state)
{
    uintptr_t at = ((uintptr_t) state->opaque + ALIGNMENT - 1) & ~(uintptr_t) (ALIGNMENT - 1);

    return (crypto_generichash_blake2b_state *) at;
}

void mk_hash_start(MkHashState *state, const MkKey *key)
{
    crypto_generichash_blake2b_init(inner(state), key_octets(key), key_length(key), MK_HASH_BYTES);
}

void mk_hash_add(MkHashState *state, const void *data, size_t length)
{
    if (length > 0) /* data may be NULL then */
        crypto_generichash_blake2b_update(inner(state), data, length);
}

void mk_hash_end(MkHashState *state, MkHash *out)
{
    crypto_generichash_blake2b_final(inner(state), out->bytes, MK_HASH_BYTES);
}
