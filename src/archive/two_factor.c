/*
 * two_factor.c - the second factor of a user: begun, on, its codes spent
 *
 *   (no row) --begin--> BEGUN --a right code in time--> ON --off, reset, user deleted--> (no row)
 *                        begin again: a new secret
 *
 * One row of the master database a user, read when it is needed, so that secrets do not stay in
 * memory; that it is on stands in the user's record too (MkUser.two_factor), for whoever may not
 * block. A code that signs in is written down as used before anybody is let in by it. Callers
 * hold master_lock.
 */
#include <string.h>

#include "internal.h"

enum { RECORD_VERSION = 1, STATE_BEGUN = 0, STATE_ON = 1 };

void two_factor_clear(TwoFactor *factor)
{
    mk_wipe(factor->secret, sizeof factor->secret);
    g_clear_pointer(&factor->recovery, g_array_unref);
}

/* -- octets (docs/formats/master.md) ----------------------------------------------------------- */
static void factor_format(const TwoFactor *factor, GByteArray *out)
{
    mk_put_u8(out, RECORD_VERSION);
    mk_put_u8(out, factor->is_on ? STATE_ON : STATE_BEGUN);
    mk_put_u64(out, (uint64_t) factor->since_unix_ms);
    mk_put_block(out, factor->secret, sizeof factor->secret);
    mk_put_u64(out, factor->last_step);
    mk_put_varint(out, factor->recovery->len);
    for (guint i = 0; i < factor->recovery->len; i++)
        mk_put_block(out, &g_array_index(factor->recovery, MkHash, i), sizeof(MkHash));
}

static void read_block(MkReader *r, void *out, size_t length)
{
    size_t got = 0;
    const uint8_t *data = mk_read_block(r, &got);

    if (data != NULL && got == length)
        memcpy(out, data, length);
    else
        r->failed = true;
}

static bool factor_parse(const GByteArray *row, TwoFactor *out)
{
    MkReader r = mk_reader(row->data, row->len);
    bool known = mk_read_u8(&r) == RECORD_VERSION;
    uint64_t count;

    out->is_on = mk_read_u8(&r) == STATE_ON;
    out->since_unix_ms = (int64_t) mk_read_u64(&r);
    read_block(&r, out->secret, sizeof out->secret);
    out->last_step = mk_read_u64(&r);
    count = mk_read_varint(&r);
    out->recovery = g_array_new(FALSE, TRUE, sizeof(MkHash));
    for (uint64_t i = 0; i < count && !r.failed; i++) {
        MkHash hash;

        read_block(&r, &hash, sizeof hash);
        g_array_append_val(out->recovery, hash);
    }
    return known && !r.failed && r.length == 0;
}

/* -- the row ----------------------------------------------------------------------------------- */
bool two_factor_find(MkArchive *archive, uint32_t user_id, TwoFactor *out, bool *out_found,
                     GError **error)
{
    g_autoptr(GByteArray) row = g_byte_array_new();
    bool good;

    *out = (TwoFactor){ .is_on = false };
    if (!master_find(archive, MASTER_TWO_FACTOR, user_id, row, out_found, error))
        return false;
    if (!*out_found)
        return true;
    good = factor_parse(row, out);
    mk_wipe(row->data, row->len);
    return good || mk_fail(error, MK_ERROR_CORRUPT,
                           "the two-factor secret of user %u is damaged: switch it off for that "
                           "user, or restore the master database from a backup",
                           user_id);
}

bool two_factor_put(MkArchive *archive, uint32_t user_id, const TwoFactor *factor, GError **error)
{
    g_autoptr(GByteArray) row = g_byte_array_new();
    bool ok;

    factor_format(factor, row);
    ok = master_put(archive, MASTER_TWO_FACTOR, user_id, row, error);
    mk_wipe(row->data, row->len);
    return ok;
}

bool two_factor_delete(MkArchive *archive, uint32_t user_id, GError **error)
{
    return master_put(archive, MASTER_TWO_FACTOR, user_id, NULL, error);
}

static bool load_row(uint32_t user_id, const GByteArray *row, void *cookie)
{
    MkArchive *archive = cookie;
    g_auto(TwoFactor) factor = { .is_on = false };
    UserRecord *record;

    if (!factor_parse(row, &factor))
        return false;
    record = factor.is_on ? user_table_get(&archive->users, user_id) : NULL;
    if (record != NULL) {
        record->user.two_factor = true;
        user_table_put(&archive->users, record);
    }
    return true;
}

bool two_factor_load(MkArchive *archive, GError **error)
{
    return master_each(archive->master, MASTER_TWO_FACTOR, load_row, archive, error);
}

/* -- recovery codes ------------------------------------------------------------------------------ */
/* Keyed and bound to the user, so that the row alone tells nothing to try codes against. */
static void recovery_hash(const MkArchive *archive, uint32_t user_id, const char *code, MkHash *out)
{
    g_autoptr(MkKey) key = mk_key_derive(mk_keyring_master(archive->keyring), "recovery-code");
    uint32_t bound_id = GUINT32_TO_LE(user_id);
    MkHashState state;

    mk_hash_start(&state, key);
    mk_hash_add(&state, &bound_id, sizeof bound_id);
    mk_hash_add(&state, code, strlen(code));
    mk_hash_end(&state, out);
}

char **two_factor_renew_recovery(const MkArchive *archive, uint32_t user_id, TwoFactor *factor)
{
    char **codes = g_new0(char *, MK_RECOVERY_CODES + 1);

    g_clear_pointer(&factor->recovery, g_array_unref);
    factor->recovery = g_array_new(FALSE, TRUE, sizeof(MkHash));
    for (int i = 0; i < MK_RECOVERY_CODES; i++) {
        char *code = base32_random(RECOVERY_CHARACTERS);
        MkHash hash;

        recovery_hash(archive, user_id, code, &hash);
        g_array_append_val(factor->recovery, hash);
        codes[i] = base32_group(code, 4);
        mk_free_secret(code);
    }
    return codes;
}

static bool spend_recovery(const MkArchive *archive, uint32_t user_id, TwoFactor *factor,
                           const char *typed)
{
    char *code = base32_read(typed, RECOVERY_CHARACTERS);
    guint found = factor->recovery->len;
    MkHash hash;

    if (code == NULL)
        return false;
    recovery_hash(archive, user_id, code, &hash);
    mk_free_secret(code);
    for (guint i = 0; i < factor->recovery->len; i++)
        if (mk_equal_secret(&g_array_index(factor->recovery, MkHash, i), &hash, sizeof hash))
            found = i;
    if (found == factor->recovery->len)
        return false;
    g_array_remove_index(factor->recovery, found);
    return true;
}

/* -- codes --------------------------------------------------------------------------------------- */
/* "123 456" as authenticators show it. */
static bool read_digits(const char *typed, char out[TOTP_DIGITS + 1])
{
    size_t at = 0;

    for (; *typed != '\0'; typed++) {
        if (*typed == ' ')
            continue;
        if (at == TOTP_DIGITS || !g_ascii_isdigit(*typed))
            return false;
        out[at++] = *typed;
    }
    out[at] = '\0';
    return at == TOTP_DIGITS;
}

bool two_factor_spend_totp(TwoFactor *factor, const char *typed, int64_t now_unix_ms)
{
    char code[TOTP_DIGITS + 1];
    uint64_t step;

    if (!read_digits(typed, code) || !totp_check(factor->secret, sizeof factor->secret, code,
                                                 totp_step(now_unix_ms), factor->last_step, &step))
        return false;
    factor->last_step = step;
    return true;
}

bool two_factor_spend(MkArchive *archive, uint32_t user_id, const char *typed, int64_t now_unix_ms,
                      bool *out_right, GError **error)
{
    g_auto(TwoFactor) factor = { .is_on = false };
    bool found;

    *out_right = false;
    if (!two_factor_find(archive, user_id, &factor, &found, error))
        return false;
    if (!found || !factor.is_on || strlen(typed) > MK_LIMIT_LOGIN_CODE_BYTES)
        return true;
    if (!two_factor_spend_totp(&factor, typed, now_unix_ms) &&
        !spend_recovery(archive, user_id, &factor, typed))
        return true;
    *out_right = two_factor_put(archive, user_id, &factor, error);
    return *out_right;
}
