/*
 * login.c - is this the user?
 *
 *   client address throttled? -> BUSY
 *   a program, and an app password of the user? -> yes
 *   a right answer of the last minutes, from the same address? -> yes, whatever others try
 *   user name throttled? -> BUSY
 *   Argon2id, also for users who do not exist or may not log in -> yes, or AUTH
 *
 * Then, where two-factor sign-in is on: a program -> DENIED; a person -> a code, see below.
 *
 * Each try counts as a failure until it has succeeded, so that many at once are no way around
 * the limit. Codes are counted by user, beside the names: who knows the password does not come
 * further by it.
 */
#include <arpa/inet.h>
#include <string.h>

#include <mailkeep/log.h>

#include "internal.h"

/* -- the gate ------------------------------------------------------------------------------------ */
void login_gate_init(LoginGate *gate)
{
    pthread_mutex_init(&gate->lock, NULL);
    pthread_mutex_init(&gate->slots_lock, NULL);
    pthread_cond_init(&gate->slots_free, NULL);
    gate->slots_used = 0;
    throttle_init(&gate->names);
    throttle_init(&gate->peers);
    login_cache_init(&gate->cache);
}

void login_gate_clear(LoginGate *gate)
{
    throttle_clear(&gate->names);
    throttle_clear(&gate->peers);
    login_cache_clear(&gate->cache);
    pthread_cond_destroy(&gate->slots_free);
    pthread_mutex_destroy(&gate->slots_lock);
    pthread_mutex_destroy(&gate->lock);
}

static void slot_take(LoginGate *gate)
{
    pthread_mutex_lock(&gate->slots_lock);
    while (gate->slots_used == MK_LIMIT_PASSWORD_JOBS)
        pthread_cond_wait(&gate->slots_free, &gate->slots_lock);
    gate->slots_used++;
    pthread_mutex_unlock(&gate->slots_lock);
}

static void slot_give(LoginGate *gate)
{
    pthread_mutex_lock(&gate->slots_lock);
    gate->slots_used--;
    pthread_cond_signal(&gate->slots_free);
    pthread_mutex_unlock(&gate->slots_lock);
}

bool login_gate_verify(LoginGate *gate, const char *hash, const char *password)
{
    bool right;

    slot_take(gate);
    right = mk_password_verify(hash, password);
    slot_give(gate);
    return right;
}

char *login_gate_hash(LoginGate *gate, const char *password, GError **error)
{
    char *hash;

    slot_take(gate);
    hash = mk_password_hash(password, error);
    slot_give(gate);
    return hash;
}

/* -- one try ------------------------------------------------------------------------------------- */
typedef struct {
    const char *name_key; /* folded user name */
    char peer_key[64];    /* the client address; of IPv6 the network, which one client has whole */
    const char *password;
    const UserRecord *record; /* NULL = unknown */
    MkHash cache_key;         /* when there is a record */
} Try;

static void format_peer_key(const char *address, char out[64])
{
    struct in6_addr ip;

    if (inet_pton(AF_INET6, address, &ip) == 1 && !IN6_IS_ADDR_V4MAPPED(&ip)) {
        memset(&ip.s6_addr[8], 0, 8);
        inet_ntop(AF_INET6, &ip, out, 64);
    } else {
        g_strlcpy(out, address, 64);
    }
}

static void try_init(Try *try, MkArchive *archive, const UserRecord *record, const char *name_key,
                     const char *password, const char *peer_address)
{
    *try = (Try){ .name_key = name_key, .password = password, .record = record };
    format_peer_key(peer_address == NULL ? "" : peer_address, try->peer_key);
    if (record != NULL)
        try->cache_key = login_cache_key(&archive->gate.cache, record, try->peer_key, password);
}

static void try_clear(Try *try)
{
    mk_wipe(&try->cache_key, sizeof try->cache_key);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Try, try_clear)

static bool fail_throttled(GError **error)
{
    return mk_fail(error, MK_ERROR_BUSY,
                   "too many failed logins of this name or client address: wait some minutes");
}

typedef enum { GATE_OPEN, GATE_KNOWN, GATE_CLOSED } GateState;

static GateState gate_enter(LoginGate *gate, const Try *try)
{
    int64_t now_ms = mk_clock_monotonic_ms();
    GateState state = GATE_OPEN;

    pthread_mutex_lock(&gate->lock);
    if (!throttle_try(&gate->peers, try->peer_key, now_ms)) {
        state = GATE_CLOSED;
    } else if (try->record != NULL && login_cache_has(&gate->cache, &try->cache_key, now_ms)) {
        state = GATE_KNOWN;
        throttle_take_back(&gate->peers, try->peer_key);
    } else if (!throttle_try(&gate->names, try->name_key, now_ms)) {
        state = GATE_CLOSED;
        throttle_take_back(&gate->peers, try->peer_key);
    }
    pthread_mutex_unlock(&gate->lock);
    return state;
}

static void gate_passed(LoginGate *gate, const Try *try)
{
    pthread_mutex_lock(&gate->lock);
    throttle_take_back(&gate->peers, try->peer_key);
    throttle_take_back(&gate->names, try->name_key);
    login_cache_add(&gate->cache, &try->cache_key, mk_clock_monotonic_ms());
    pthread_mutex_unlock(&gate->lock);
}

/* Spends the same time whatever the reason of a no. */
static bool password_is_right(LoginGate *gate, const Try *try)
{
    const UserRecord *record = try->record;
    bool can = record != NULL && record->password_hash != NULL &&
               record->user.authentication == MK_AUTHENTICATION_INTEGRATED;
    bool right = login_gate_verify(gate, can ? record->password_hash : NULL, try->password);

    return can && right && user_record_may_login(record);
}

static bool try_password(MkArchive *archive, const Try *try, GError **error)
{
    switch (gate_enter(&archive->gate, try)) {
    case GATE_CLOSED: return fail_throttled(error);
    case GATE_KNOWN:
        if (user_record_may_login(try->record))
            return true;
        break;
    case GATE_OPEN:
        if (password_is_right(&archive->gate, try)) {
            gate_passed(&archive->gate, try);
            return true;
        }
        break;
    }
    return mk_fail(error, MK_ERROR_AUTH, "wrong user name or password");
}

bool login_confirm(MkArchive *archive, const UserRecord *record, const char *password,
                   const char *peer_address, GError **error)
{
    bool fits = strlen(password) <= MK_LIMIT_PASSWORD_BYTES;
    g_auto(Try) try = { .record = NULL };

    try_init(&try, archive, record, record->folded_name, fits ? password : "", peer_address);
    return try_password(archive, &try, error);
}

/* -- codes --------------------------------------------------------------------------------------- */
/* No user name has a slash in it. */
static void format_code_key(uint32_t user_id, char out[32])
{
    g_snprintf(out, 32, "code/%u", user_id);
}

bool login_code_enter(MkArchive *archive, uint32_t user_id, const char *peer_address,
                      GError **error)
{
    LoginGate *gate = &archive->gate;
    int64_t now_ms = mk_clock_monotonic_ms();
    char peer_key[64], code_key[32];
    bool open = false;

    format_peer_key(peer_address == NULL ? "" : peer_address, peer_key);
    format_code_key(user_id, code_key);
    pthread_mutex_lock(&gate->lock);
    if (throttle_try(&gate->peers, peer_key, now_ms)) {
        open = throttle_try(&gate->names, code_key, now_ms);
        if (!open)
            throttle_take_back(&gate->peers, peer_key);
    }
    pthread_mutex_unlock(&gate->lock);
    return open || fail_throttled(error);
}

void login_code_passed(MkArchive *archive, uint32_t user_id, const char *peer_address)
{
    LoginGate *gate = &archive->gate;
    char peer_key[64], code_key[32];

    format_peer_key(peer_address == NULL ? "" : peer_address, peer_key);
    format_code_key(user_id, code_key);
    pthread_mutex_lock(&gate->lock);
    throttle_take_back(&gate->peers, peer_key);
    throttle_take_back(&gate->names, code_key);
    pthread_mutex_unlock(&gate->lock);
}

static bool try_code(MkArchive *archive, uint32_t user_id, const char *code,
                     const char *peer_address, GError **error)
{
    bool ok, right;

    if (!login_code_enter(archive, user_id, peer_address, error))
        return false;
    pthread_mutex_lock(&archive->master_lock);
    ok = two_factor_spend(archive, user_id, code, mk_clock_unix_ms(), &right, error);
    pthread_mutex_unlock(&archive->master_lock);
    if (right)
        login_code_passed(archive, user_id, peer_address);
    return ok && (right || mk_fail(error, MK_ERROR_AUTH, "the code is wrong or has been used"));
}

/* -- logins -------------------------------------------------------------------------------------- */
/* What came from outside, measured; of an unknown or oversized name the record is NULL. */
typedef struct {
    char *name_key;
    const char *password;
    UserRecord *record;
} Credentials;

static void credentials_clear(Credentials *credentials)
{
    g_free(credentials->name_key);
    user_record_free(credentials->record);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Credentials, credentials_clear)

static void credentials_init(Credentials *out, MkArchive *archive, const char *user_name,
                             const char *password)
{
    bool fits = strlen(user_name) <= MK_LIMIT_USER_NAME_BYTES &&
                strlen(password) <= MK_LIMIT_PASSWORD_BYTES && g_utf8_validate(user_name, -1, NULL);

    out->name_key = user_name_fold(fits ? user_name : "");
    out->password = fits ? password : "";
    out->record = fits ? user_table_find(&archive->users, user_name) : NULL;
}

static void log_refused(const char *protocol, const UserRecord *record)
{
    mk_log_warn("login.refused", "protocol", protocol, "user",
                MK_LOG_U64(record == NULL ? 0 : record->user.id));
}

/* By the hash of something random: neither slow nor worth guessing, so only the address counts. */
static MkPrincipal *app_login(MkArchive *archive, const Try *try)
{
    const UserRecord *record = try->record;
    LoginGate *gate = &archive->gate;
    uint32_t app_password;
    bool open;

    if (record == NULL || !user_record_may_login(record))
        return NULL;
    app_password = app_password_find(archive, record->user.id, try->password);
    if (app_password == 0)
        return NULL;
    pthread_mutex_lock(&gate->lock);
    open = throttle_try(&gate->peers, try->peer_key, mk_clock_monotonic_ms());
    if (open)
        throttle_take_back(&gate->peers, try->peer_key);
    pthread_mutex_unlock(&gate->lock);
    if (!open)
        return NULL; /* and the next step says that it is throttled */
    app_password_used(archive, app_password);
    return principal_new_app(record->user.id, record->password_version, app_password);
}

static MkPrincipal *program_login(MkArchive *archive, const Try *try, GError **error)
{
    MkPrincipal *principal = app_login(archive, try);

    if (principal != NULL || !try_password(archive, try, error))
        return principal;
    if (!try->record->user.two_factor)
        return principal_new(try->record->user.id, try->record->password_version);
    mk_fail(error, MK_ERROR_DENIED,
            "this user has two-factor sign-in: programs need an app password");
    return NULL;
}

MkPrincipal *mk_archive_login(MkArchive *archive, const char *user_name, const char *password,
                              const char *peer_address, const char *protocol, GError **error)
{
    g_auto(Credentials) who = { .record = NULL };
    g_auto(Try) try = { .record = NULL };
    MkPrincipal *principal;

    credentials_init(&who, archive, user_name, password);
    try_init(&try, archive, who.record, who.name_key, who.password, peer_address);
    principal = program_login(archive, &try, error);
    if (principal == NULL)
        log_refused(protocol, who.record);
    return principal;
}

MkPrincipal *mk_archive_login_person(MkArchive *archive, const char *user_name,
                                     const char *password, const char *code,
                                     const char *peer_address, const char *protocol,
                                     bool *out_wants_code, GError **error)
{
    g_auto(Credentials) who = { .record = NULL };
    g_auto(Try) try = { .record = NULL };

    *out_wants_code = false;
    credentials_init(&who, archive, user_name, password);
    try_init(&try, archive, who.record, who.name_key, who.password, peer_address);
    if (!try_password(archive, &try, error)) {
        log_refused(protocol, who.record);
        return NULL;
    }
    if (!who.record->user.two_factor)
        return principal_new(who.record->user.id, who.record->password_version);
    *out_wants_code = true;
    if (code == NULL || code[0] == '\0') {
        mk_fail(error, MK_ERROR_AUTH, "a code of two-factor sign-in is needed");
        return NULL;
    }
    if (!try_code(archive, who.record->user.id, code, peer_address, error)) {
        log_refused(protocol, who.record);
        return NULL;
    }
    *out_wants_code = false;
    return principal_new(who.record->user.id, who.record->password_version);
}
