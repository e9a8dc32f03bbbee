/*
 * crypto.h - keys, sealing, hashes, passwords
 *
 * Purpose    The key hierarchy (machine key and recovery key wrap the master key, the master key
 *            wraps store keys, purposes are derived) and the few operations done with them.
 * Ownership  MkKey lives in locked, guarded memory (sodium_malloc) and is wiped when freed.
 * Threads    Any; keys are immutable. Password functions block (70 ms, 64 MiB): lanes only.
 * Errors     MK_ERROR_KEY (wrong or missing key), _CORRUPT (a tag does not fit), _IO.
 * Format     docs/formats/keys.md
 */
#ifndef MAILKEEP_CRYPTO_H
#define MAILKEEP_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include <mailkeep/error.h>

/* Once, before any thread is started; false when the library or the random source fails. */
bool mk_crypto_init(GError **error);

/* -- keys ------------------------------------------------------------------------------- */
#define MK_KEY_BYTES 32
typedef struct MkKey MkKey;
MkKey *mk_key_new_random(void);
MkKey *mk_key_new_from(const uint8_t bytes[MK_KEY_BYTES]); /* tests */
void mk_key_free(MkKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkKey, mk_key_free)
/* A key of its own for one purpose ("pack", "catalog", "index", "mailhash" ...); KDF: keyed BLAKE2b. */
MkKey *mk_key_derive(const MkKey *key, const char *purpose);
/* @label is bound to the wrapped form (for example the store's id). */
GBytes *mk_key_wrap(const MkKey *wrapping, const MkKey *key, const char *label);
MkKey *mk_key_unwrap(const MkKey *wrapping, GBytes *wrapped, const char *label, GError **error);

/*
 * The keyring: <data_dir>/keys/machine.key (32 random octets as hex, 0600) and
 * <data_dir>/keys/master.key (the master key wrapped twice).
 */
typedef struct MkKeyring MkKeyring;
/*
 * mk_keyring_create() - make all keys of a new installation
 * @out_recovery  (out) the recovery key as groups of letters and digits with a checksum, at
 *                least 160 bits, begun by an identifier: shown once, never stored; wiped by caller
 */
MkKeyring *mk_keyring_create(const char *keys_dir, char **out_recovery, GError **error);
MkKeyring *mk_keyring_open(const char *keys_dir, GError **error);
/* By the recovery key, which proves who asks; nothing is written. Case and blanks are ignored. */
MkKeyring *mk_keyring_open_by_recovery(const char *keys_dir, const char *recovery, GError **error);
/* With the recovery key on a new machine: writes a new machine.key. Case and blanks are ignored. */
MkKeyring *mk_keyring_recover(const char *keys_dir, const char *recovery, GError **error);
const MkKey *mk_keyring_master(const MkKeyring *keyring);
/* First eight characters of the recovery key's identifier, to tell sheets apart; not secret. */
const char *mk_keyring_recovery_id(const MkKeyring *keyring);
void mk_keyring_free(MkKeyring *keyring);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkKeyring, mk_keyring_free)

/* -- sealing: XChaCha20-Poly1305, random nonce: packs, spool, index blocks ----------------- */
#define MK_SEAL_OVERHEAD 40 /* nonce 24, tag 16 */
/* @out has room for length + MK_SEAL_OVERHEAD; written as nonce, ciphertext, tag */
void mk_seal(const MkKey *key, const void *aad, size_t aad_length, const void *plain, size_t length,
             uint8_t *out);
/* @out has room for length - MK_SEAL_OVERHEAD. False: MK_ERROR_CORRUPT. */
bool mk_unseal(const MkKey *key, const void *aad, size_t aad_length, const uint8_t *sealed,
               size_t length, uint8_t *out, GError **error);

/*
 * -- small values: deterministic (SIV): 16 octets of overhead, for database values ----------
 * Tag = BLAKE2b-128 keyed over aad and plain; it is also the nonce of XChaCha20. The same plain
 * under the same aad gives the same octets: that is all an onlooker learns.
 * Source: Rogaway and Shrimpton 2006, RFC 5297's construction with these primitives.
 */
#define MK_SIV_OVERHEAD 16
void mk_siv_seal(const MkKey *key, const void *aad, size_t aad_length, const void *plain,
                 size_t length, uint8_t *out);
bool mk_siv_unseal(const MkKey *key, const void *aad, size_t aad_length, const uint8_t *sealed,
                   size_t length, uint8_t *out, GError **error);

/* -- hashes ----------------------------------------------------------------------------- */
#define MK_HASH_BYTES 32
typedef struct {
    uint8_t bytes[MK_HASH_BYTES];
} MkHash;
/* BLAKE2b-256; @key NULL = unkeyed (chains that an outsider checks) */
void mk_hash(const MkKey *key, const void *data, size_t length, MkHash *out);
/* In pieces. The state is an embedded value; no clear needed; not to be copied while in use. */
typedef struct {
    uint8_t opaque[384 + 64]; /* libsodium's state, at the first place in here aligned to 64 */
} MkHashState;
void mk_hash_start(MkHashState *state, const MkKey *key);
void mk_hash_add(MkHashState *state, const void *data, size_t length);
void mk_hash_end(MkHashState *state, MkHash *out);

/* -- passwords: Argon2id, 64 MiB (US-19) ------------------------------------------------- */
/* A self-describing string with salt and costs; NULL when memory is short (MK_ERROR_BUSY). */
char *mk_password_hash(const char *password, GError **error);
/* @hash NULL spends the same time and says no: an unknown user is not faster than a wrong password. */
bool mk_password_verify(const char *hash, const char *password);

/* -- small things ----------------------------------------------------------------------- */
void mk_random(void *out, size_t length);
void mk_wipe(void *data, size_t length);
bool mk_equal_secret(const void *a, const void *b, size_t length); /* constant time */
/* g_free() for a secret string: wiped first; NULL-safe */
void mk_free_secret(char *secret);

#endif
