/*
 * account.c - what users do to their own account: password, two-factor sign-in
 *
 * Each change asks for the present password again, so that a screen left open is not enough. A
 * new password and a new second factor end all other logins: the password's version rises.
 */
#include <string.h>

#include <mailkeep/log.h>

#include "internal.h"

UserRecord *account_record(MkArchive *archive, const MkPrincipal *principal, GError **error)
{
    UserRecord *record = principal_record(archive, principal);

    if (record != NULL && !principal_is_person(principal)) {
        user_record_free(record);
        mk_fail(error, MK_ERROR_DENIED, "an app password is not for changes of the account");
        return NULL;
    }
    if (record == NULL)
        mk_fail(error, MK_ERROR_DENIED, "the login is no longer valid");
    return record;
}

static bool may_change_password(const UserRecord *record)
{
    uint32_t enough = MK_PRIVILEGE_ADMIN | MK_PRIVILEGE_CHANGE_PASSWORD;

    return (record->user.privileges & enough) != 0 &&
           record->user.authentication == MK_AUTHENTICATION_INTEGRATED;
}

bool mk_archive_account(MkArchive *archive, const MkPrincipal *principal, MkAccount *out,
                        GError **error)
{
    g_autoptr(UserRecord) record = account_record(archive, principal, error);
    g_auto(TwoFactor) factor = { .is_on = false };
    bool found;

    if (record == NULL || !two_factor_find(archive, record->user.id, &factor, &found, error))
        return false;
    *out = (MkAccount){
        .may_change_password = may_change_password(record),
        .two_factor = record->user.two_factor,
        .recovery_codes = factor.recovery == NULL ? 0 : factor.recovery->len,
    };
    return true;
}

/* -- the password -------------------------------------------------------------------------------- */
bool mk_archive_change_own_password(MkArchive *archive, const MkPrincipal *principal,
                                    const char *password, const char *new_password,
                                    const char *peer_address, MkPrincipal **out_principal,
                                    GError **error)
{
    g_autoptr(UserRecord) record = account_record(archive, principal, error);
    g_autoptr(UserRecord) changed = NULL;

    if (record == NULL)
        return false;
    if (!may_change_password(record))
        return mk_fail(error, MK_ERROR_DENIED, "this user may not change the password");
    if (!login_confirm(archive, record, password, peer_address, error))
        return false;
    if (strcmp(password, new_password) == 0)
        return mk_fail(error, MK_ERROR_INVALID, "the new password is the present one");
    if (!user_set_password(archive, record, new_password, false, error))
        return false;
    changed = user_table_get(&archive->users, record->user.id);
    if (changed == NULL)
        return mk_fail(error, MK_ERROR_NOT_FOUND, "the user has just been deleted");
    mk_log_info("account.password-changed", "user", MK_LOG_U64(record->user.id));
    *out_principal = principal_new(changed->user.id, changed->password_version);
    return true;
}

/* -- two-factor sign-in: begin ------------------------------------------------------------------- */
static bool begin_locked(MkArchive *archive, uint32_t user_id, TwoFactor *fresh, GError **error)
{
    g_auto(TwoFactor) present = { .is_on = false };
    bool found;

    if (!two_factor_find(archive, user_id, &present, &found, error))
        return false;
    if (present.is_on)
        return mk_fail(error, MK_ERROR_EXISTS, "two-factor sign-in is on already");
    return two_factor_put(archive, user_id, fresh, error);
}

bool mk_archive_two_factor_begin(MkArchive *archive, const MkPrincipal *principal,
                                 const char *password, const char *peer_address, char **out_secret,
                                 GError **error)
{
    g_autoptr(UserRecord) record = account_record(archive, principal, error);
    g_auto(TwoFactor) fresh = { .since_unix_ms = mk_clock_unix_ms() };
    bool ok;

    if (record == NULL || !login_confirm(archive, record, password, peer_address, error))
        return false;
    fresh.recovery = g_array_new(FALSE, TRUE, sizeof(MkHash));
    mk_random(fresh.secret, sizeof fresh.secret);
    pthread_mutex_lock(&archive->master_lock);
    ok = begin_locked(archive, record->user.id, &fresh, error);
    pthread_mutex_unlock(&archive->master_lock);
    if (ok)
        *out_secret = base32_format(fresh.secret, sizeof fresh.secret);
    return ok;
}

/* -- two-factor sign-in: on ---------------------------------------------------------------------- */
/* In memory only, as principals are: after a restart the two-factor row says it. */
static void flag_locked(MkArchive *archive, uint32_t user_id, bool on)
{
    UserRecord *record = user_table_get(&archive->users, user_id);

    if (record == NULL)
        return;
    record->user.two_factor = on;
    if (on)
        record->password_version++; /* logins without a code are over */
    user_table_put(&archive->users, record);
}

static bool confirm_locked(MkArchive *archive, uint32_t user_id, const char *code,
                           char ***out_codes, GError **error)
{
    g_auto(TwoFactor) factor = { .is_on = false };
    int64_t now_ms = mk_clock_unix_ms();
    g_auto(GStrv) codes = NULL;
    bool found;

    if (!two_factor_find(archive, user_id, &factor, &found, error))
        return false;
    if (!found || factor.is_on || now_ms - factor.since_unix_ms > MK_LIMIT_TWO_FACTOR_SETUP_MS)
        return mk_fail(error, MK_ERROR_NOT_FOUND,
                       "no two-factor sign-in has been begun lately: begin again");
    if (!two_factor_spend_totp(&factor, code, now_ms))
        return mk_fail(error, MK_ERROR_AUTH, "the code is wrong");
    factor.is_on = true;
    factor.since_unix_ms = now_ms;
    codes = two_factor_renew_recovery(archive, user_id, &factor);
    if (!two_factor_put(archive, user_id, &factor, error))
        return false;
    flag_locked(archive, user_id, true);
    *out_codes = g_steal_pointer(&codes);
    return true;
}

bool mk_archive_two_factor_confirm(MkArchive *archive, const MkPrincipal *principal,
                                   const char *code, const char *peer_address,
                                   MkPrincipal **out_principal, char ***out_recovery_codes,
                                   GError **error)
{
    g_autoptr(UserRecord) record = account_record(archive, principal, error);
    g_autoptr(UserRecord) changed = NULL;
    bool ok;

    if (record == NULL || !login_code_enter(archive, record->user.id, peer_address, error))
        return false;
    pthread_mutex_lock(&archive->master_lock);
    ok = confirm_locked(archive, record->user.id, code, out_recovery_codes, error);
    pthread_mutex_unlock(&archive->master_lock);
    if (!ok)
        return false;
    login_code_passed(archive, record->user.id, peer_address);
    mk_log_info("account.two-factor-on", "user", MK_LOG_U64(record->user.id));
    changed = user_table_get(&archive->users, record->user.id);
    *out_principal =
        principal_new(record->user.id, changed == NULL ? 0 : changed->password_version);
    return true;
}

/* -- two-factor sign-in: off --------------------------------------------------------------------- */
static bool switch_off(MkArchive *archive, uint32_t user_id, GError **error)
{
    bool ok;

    pthread_mutex_lock(&archive->master_lock);
    ok = two_factor_delete(archive, user_id, error);
    if (ok)
        flag_locked(archive, user_id, false);
    pthread_mutex_unlock(&archive->master_lock);
    if (ok)
        mk_log_info("account.two-factor-off", "user", MK_LOG_U64(user_id));
    return ok;
}

bool mk_archive_two_factor_off(MkArchive *archive, const MkPrincipal *principal,
                               const char *password, const char *peer_address, GError **error)
{
    g_autoptr(UserRecord) record = account_record(archive, principal, error);

    return record != NULL && login_confirm(archive, record, password, peer_address, error) &&
           switch_off(archive, record->user.id, error);
}

bool mk_archive_two_factor_reset(MkArchive *archive, const char *user_name, GError **error)
{
    g_autoptr(UserRecord) record = user_table_find(&archive->users, user_name);

    if (record == NULL)
        return mk_fail(error, MK_ERROR_NOT_FOUND, "there is no such user");
    return switch_off(archive, record->user.id, error);
}

/* -- recovery codes ------------------------------------------------------------------------------ */
static bool renew_locked(MkArchive *archive, uint32_t user_id, char ***out_codes, GError **error)
{
    g_auto(TwoFactor) factor = { .is_on = false };
    g_auto(GStrv) codes = NULL;
    bool found;

    if (!two_factor_find(archive, user_id, &factor, &found, error))
        return false;
    if (!factor.is_on)
        return mk_fail(error, MK_ERROR_NOT_FOUND, "two-factor sign-in is off");
    codes = two_factor_renew_recovery(archive, user_id, &factor);
    if (!two_factor_put(archive, user_id, &factor, error))
        return false;
    *out_codes = g_steal_pointer(&codes);
    return true;
}

bool mk_archive_recovery_codes_renew(MkArchive *archive, const MkPrincipal *principal,
                                     const char *password, const char *peer_address,
                                     char ***out_recovery_codes, GError **error)
{
    g_autoptr(UserRecord) record = account_record(archive, principal, error);
    bool ok;

    if (record == NULL || !login_confirm(archive, record, password, peer_address, error))
        return false;
    pthread_mutex_lock(&archive->master_lock);
    ok = renew_locked(archive, record->user.id, out_recovery_codes, error);
    pthread_mutex_unlock(&archive->master_lock);
    if (ok)
        mk_log_info("account.recovery-codes", "user", MK_LOG_U64(record->user.id));
    return ok;
}
