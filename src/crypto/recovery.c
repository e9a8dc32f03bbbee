/*
 * recovery.c - the recovery key as it stands on paper
 *
 * IIII-IIII-SSSS-SSSS-SSSS-SSSS-SSSS-SSSS-SSSS-SSSS-CCCC: identifier, secret, checksum, in
 * Crockford's base 32 (no I, L, O, U; those are read as 1, 1, 0). The identifier tells sheets
 * apart, the checksum tells a slip of the pen from the wrong sheet.
 */
#include <mailkeep/crypto.h>

#include <string.h>

#include <sodium.h>

#include "internal.h"

#define SECRET_CHARS 32
#define CHECK_CHARS 4
#define ALL_CHARS (RECOVERY_ID_CHARS + SECRET_CHARS + CHECK_CHARS)
#define GROUP_CHARS 4

G_STATIC_ASSERT(SECRET_CHARS * 5 == RECOVERY_SECRET_BYTES * 8);

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* @chars characters from the front of @octets, five bits each, the highest first */
static void base32_put(const uint8_t *octets, unsigned chars, char *out)
{
    for (unsigned i = 0; i < chars; i++) {
        unsigned value = 0;

        for (unsigned bit = i * 5; bit < i * 5 + 5; bit++)
            value = value << 1 | (octets[bit / 8] >> (7 - bit % 8) & 1);
        out[i] = alphabet[value];
    }
}

static void base32_get(const char *text, unsigned chars, uint8_t *out)
{
    memset(out, 0, chars * 5 / 8);
    for (unsigned i = 0; i < chars; i++) {
        unsigned value = (unsigned) (strchr(alphabet, text[i]) - alphabet);

        for (unsigned k = 0; k < 5; k++)
            if (value >> (4 - k) & 1)
                out[(i * 5 + k) / 8] |= (uint8_t) (0x80 >> (i * 5 + k) % 8);
    }
}

static void put_id(const uint8_t secret[RECOVERY_SECRET_BYTES], char *out)
{
    MkHash hash;
    MkHashState state;

    mk_hash_start(&state, NULL);
    mk_hash_add(&state, "mailkeep recovery id", 20);
    mk_hash_add(&state, secret, RECOVERY_SECRET_BYTES);
    mk_hash_end(&state, &hash);
    base32_put(hash.bytes, RECOVERY_ID_CHARS, out);
}

static void put_check(const char *id_and_secret, char *out)
{
    MkHash hash;

    mk_hash(NULL, id_and_secret, RECOVERY_ID_CHARS + SECRET_CHARS, &hash);
    base32_put(hash.bytes, CHECK_CHARS, out);
}

char *recovery_format(const uint8_t secret[RECOVERY_SECRET_BYTES])
{
    char plain[ALL_CHARS];
    char *text = g_malloc(ALL_CHARS + ALL_CHARS / GROUP_CHARS);
    char *at = text;

    put_id(secret, plain);
    base32_put(secret, SECRET_CHARS, plain + RECOVERY_ID_CHARS);
    put_check(plain, plain + RECOVERY_ID_CHARS + SECRET_CHARS);
    for (unsigned i = 0; i < ALL_CHARS; i++) {
        if (i > 0 && i % GROUP_CHARS == 0)
            *at++ = '-';
        *at++ = plain[i];
    }
    *at = '\0';
    sodium_memzero(plain, sizeof plain);
    return text;
}

/* One character as people write it, in the alphabet; 0 when it is none. */
static char normalise(char c)
{
    c = g_ascii_toupper(c);
    if (c == 'O')
        c = '0';
    if (c == 'I' || c == 'L')
        c = '1';
    return c != '\0' && strchr(alphabet, c) != NULL ? c : '\0';
}

static bool read_chars(const char *text, char out[ALL_CHARS])
{
    unsigned count = 0;

    for (; *text != '\0'; text++) {
        char c = normalise(*text);

        if (*text == '-' || g_ascii_isspace(*text))
            continue;
        if (c == '\0' || count == ALL_CHARS)
            return false;
        out[count++] = c;
    }
    return count == ALL_CHARS;
}

bool recovery_parse(const char *text, uint8_t out_secret[RECOVERY_SECRET_BYTES], GError **error)
{
    char plain[ALL_CHARS];
    char check[CHECK_CHARS];
    bool good = read_chars(text, plain);

    if (good) {
        put_check(plain, check);
        good = memcmp(check, plain + RECOVERY_ID_CHARS + SECRET_CHARS, sizeof check) == 0;
    }
    if (good)
        base32_get(plain + RECOVERY_ID_CHARS, SECRET_CHARS, out_secret);
    sodium_memzero(plain, sizeof plain);
    if (!good)
        return mk_fail(error, MK_ERROR_INVALID,
                       "the recovery key is mistyped: it has %d groups "
                       "of four letters and digits, the last is a checksum",
                       ALL_CHARS / GROUP_CHARS);
    return true;
}

void recovery_init(RecoveryKey *recovery, const uint8_t secret[RECOVERY_SECRET_BYTES])
{
    MkHash hash;

    put_id(secret, recovery->id);
    recovery->id[RECOVERY_ID_CHARS] = '\0';
    mk_hash(NULL, secret, RECOVERY_SECRET_BYTES, &hash);
    recovery->key = mk_key_new_from(hash.bytes);
    sodium_memzero(&hash, sizeof hash);
}

void recovery_clear(RecoveryKey *recovery)
{
    g_clear_pointer(&recovery->key, mk_key_free);
}
