/* totp.c - one-time passwords by the clock (RFC 6238 over RFC 4226), HMAC-SHA-1 */
#include "internal.h"

enum { STEP_MS = 30000, MAC_BYTES = 20, DIGITS_MAX = 8 };

uint64_t totp_step(int64_t unix_ms)
{
    return (uint64_t) unix_ms / STEP_MS;
}

void totp_format(const uint8_t *secret, size_t length, uint64_t step, unsigned digits, char *out)
{
    g_autoptr(GHmac) hmac = g_hmac_new(G_CHECKSUM_SHA1, secret, length);
    uint8_t counter[8], mac[MAC_BYTES];
    gsize mac_length = sizeof mac;
    uint32_t number;

    g_assert(digits <= DIGITS_MAX);
    for (unsigned i = 0; i < sizeof counter; i++)
        counter[i] = (uint8_t) (step >> (8 * (sizeof counter - 1 - i)));
    g_hmac_update(hmac, counter, sizeof counter);
    g_hmac_get_digest(hmac, mac, &mac_length);
    const uint8_t *at = mac + (mac[MAC_BYTES - 1] & 15); /* RFC 4226 5.3: dynamic truncation */
    number =
        (uint32_t) (at[0] & 127) << 24 | (uint32_t) at[1] << 16 | (uint32_t) at[2] << 8 | at[3];
    out[digits] = '\0';
    for (unsigned i = digits; i-- > 0; number /= 10)
        out[i] = (char) ('0' + number % 10);
    mk_wipe(mac, sizeof mac);
}

/* Looks at all steps of the window whatever it finds, so that the time tells nothing. */
bool totp_check(const uint8_t *secret, size_t length, const char code[TOTP_DIGITS + 1],
                uint64_t now_step, uint64_t last_step, uint64_t *out_step)
{
    uint64_t found = 0;

    for (uint64_t step = now_step - 1; step <= now_step + 1; step++) {
        char expected[TOTP_DIGITS + 1];
        bool same;

        totp_format(secret, length, step, TOTP_DIGITS, expected);
        same = mk_equal_secret(expected, code, TOTP_DIGITS);
        mk_wipe(expected, sizeof expected);
        if (same && step > last_step)
            found = step;
    }
    *out_step = found;
    return found > 0;
}
