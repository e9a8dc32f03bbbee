/* internal.h - what the files of crypto/ share */
#ifndef MAILKEEP_CRYPTO_INTERNAL_H
#define MAILKEEP_CRYPTO_INTERNAL_H

#include <mailkeep/crypto.h>

/* Lies in sodium_malloc() memory, read-only once filled. */
struct MkKey {
    uint8_t bytes[MK_KEY_BYTES];
    uint8_t siv_mac[MK_KEY_BYTES]; /* made from bytes; here so that a small value costs no KDF */
    uint8_t siv_cipher[MK_KEY_BYTES];
};

/*
 * The recovery key on paper: groups of four characters of Crockford's base 32 with '-' between:
 * identifier (8), secret (32 = 160 bits), checksum (4). Identifier and checksum are hashes.
 */
#define RECOVERY_ID_CHARS 8
#define RECOVERY_SECRET_BYTES 20

typedef struct {
    char id[RECOVERY_ID_CHARS + 1];
    MkKey *key; /* wraps the master key */
} RecoveryKey;

char *recovery_format(const uint8_t secret[RECOVERY_SECRET_BYTES]);
bool recovery_parse(const char *text, uint8_t out_secret[RECOVERY_SECRET_BYTES], GError **error);
void recovery_init(RecoveryKey *recovery, const uint8_t secret[RECOVERY_SECRET_BYTES]);
void recovery_clear(RecoveryKey *recovery);

#endif
