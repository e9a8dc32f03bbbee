/*
 * login.c - is this the user?
 *
 *   client address throttled? -> BUSY
 *   a right answer of the last minutes, from the same address? -> yes, whatever others try
 *   user name throttled? -> BUSY
 *   Argon2id, also for users who do not exist or may not log in -> yes, or AUTH
 *
 * Each try counts as a failure until it has succeeded, so that many at once are no way around
 * the limit.
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
    UserRecord *record; /* NULL = unknown */
    MkHash cache_key;   /* when there is a record */
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

static bool try_login(MkArchive *archive, const Try *try, GError **error)
{
    switch (gate_enter(&archive->gate, try)) {
    case GATE_CLOSED:
        return mk_fail(error, MK_ERROR_BUSY,
                       "too many failed logins of this name or client address: wait some minutes");
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

MkPrincipal *mk_archive_login(MkArchive *archive, const char *user_name, const char *password,
                              const char *peer_address, const char *protocol, GError **error)
{
    bool fits = strlen(user_name) <= MK_LIMIT_USER_NAME_BYTES &&
                strlen(password) <= MK_LIMIT_PASSWORD_BYTES && g_utf8_validate(user_name, -1, NULL);
    g_autofree char *name_key = user_name_fold(fits ? user_name : "");
    g_autoptr(UserRecord) record = fits ? user_table_find(&archive->users, user_name) : NULL;
    Try try = { .name_key = name_key, .password = fits ? password : "", .record = record };
    bool known;

    format_peer_key(peer_address == NULL ? "" : peer_address, try.peer_key);
    if (record != NULL)
        try.cache_key = login_cache_key(&archive->gate.cache, record, try.peer_key, try.password);
    known = try_login(archive, &try, error);
    mk_wipe(&try.cache_key, sizeof try.cache_key);
    if (!known) {
        mk_log_warn("login.refused", "protocol", protocol, "user",
                    MK_LOG_U64(record == NULL ? 0 : record->user.id));
        return NULL;
    }
    return principal_new(record->user.id, record->password_version);
}
