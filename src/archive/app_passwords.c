/*
 * app_passwords.c - passwords for programs, which cannot ask for a code
 *
 * They are random (160 bits), so that a fast keyed hash is enough and nothing is to be slowed
 * down. All of them are in memory, found by their hash; rows of the master database lie under a
 * number that is never given again, so that a principal of a revoked one never comes back.
 */
#include <string.h>

#include <mailkeep/log.h>

#include "internal.h"

enum { RECORD_VERSION = 1, SECRET_CHARACTERS = 32 };

/* Changed under the lock only, and only `used`. */
typedef struct {
    uint32_t id;
    uint32_t user_id;
    char *name;
    MkHash hash;
    int64_t created_unix_ms;
    int64_t used_unix_ms;
    int64_t written_unix_ms; /* used_unix_ms as the row has it */
} AppPassword;

static void app_password_free(void *data)
{
    AppPassword *app = data;

    if (app != NULL)
        g_free(app->name);
    g_free(app);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppPassword, app_password_free)

void mk_app_password_free(MkAppPassword *app_password)
{
    if (app_password != NULL)
        g_free(app_password->name);
    g_free(app_password);
}

static guint hash_of(const void *key)
{
    guint value;

    memcpy(&value, ((const MkHash *) key)->bytes, sizeof value);
    return value;
}

static gboolean hash_equal(const void *a, const void *b)
{
    return mk_equal_secret(a, b, sizeof(MkHash));
}

void app_table_init(AppTable *table)
{
    pthread_mutex_init(&table->lock, NULL);
    table->by_id = g_hash_table_new_full(NULL, NULL, NULL, app_password_free);
    table->by_hash = g_hash_table_new(hash_of, hash_equal);
}

void app_table_clear(AppTable *table)
{
    g_hash_table_unref(table->by_hash);
    g_hash_table_unref(table->by_id);
    pthread_mutex_destroy(&table->lock);
}

/* -- octets (docs/formats/master.md) ----------------------------------------------------------- */
static void app_format(const AppPassword *app, GByteArray *out)
{
    mk_put_u8(out, RECORD_VERSION);
    mk_put_u32(out, app->user_id);
    mk_put_string(out, app->name);
    mk_put_block(out, &app->hash, sizeof app->hash);
    mk_put_u64(out, (uint64_t) app->created_unix_ms);
    mk_put_u64(out, (uint64_t) app->used_unix_ms);
}

static AppPassword *app_parse(uint32_t id, const GByteArray *row)
{
    g_autoptr(AppPassword) app = g_new0(AppPassword, 1);
    MkReader r = mk_reader(row->data, row->len);
    bool known = mk_read_u8(&r) == RECORD_VERSION;
    const uint8_t *hash;
    size_t length = 0;

    app->id = id;
    app->user_id = mk_read_u32(&r);
    app->name = mk_read_string(&r);
    hash = mk_read_block(&r, &length);
    app->created_unix_ms = (int64_t) mk_read_u64(&r);
    app->used_unix_ms = app->written_unix_ms = (int64_t) mk_read_u64(&r);
    if (!known || r.failed || r.length != 0 || length != sizeof app->hash)
        return NULL;
    memcpy(&app->hash, hash, sizeof app->hash);
    return g_steal_pointer(&app);
}

/* -- the table ----------------------------------------------------------------------------------- */
static void table_put(AppTable *table, AppPassword *app)
{
    pthread_mutex_lock(&table->lock);
    g_hash_table_insert(table->by_id, GUINT_TO_POINTER(app->id), app);
    g_hash_table_insert(table->by_hash, &app->hash, app);
    pthread_mutex_unlock(&table->lock);
}

static void table_remove(AppTable *table, uint32_t id)
{
    AppPassword *app;

    pthread_mutex_lock(&table->lock);
    app = g_hash_table_lookup(table->by_id, GUINT_TO_POINTER(id));
    if (app != NULL) {
        g_hash_table_remove(table->by_hash, &app->hash);
        g_hash_table_remove(table->by_id, GUINT_TO_POINTER(id));
    }
    pthread_mutex_unlock(&table->lock);
}

static bool load_row(uint32_t id, const GByteArray *row, void *cookie)
{
    AppPassword *app = app_parse(id, row);

    if (app != NULL)
        table_put(cookie, app);
    return app != NULL;
}

bool app_table_load(MkArchive *archive, GError **error)
{
    return master_each(archive->master, MASTER_APP_PASSWORDS, load_row, &archive->app_passwords,
                       error);
}

bool app_table_has(AppTable *table, uint32_t user_id, uint32_t id)
{
    const AppPassword *app;
    bool has;

    pthread_mutex_lock(&table->lock);
    app = g_hash_table_lookup(table->by_id, GUINT_TO_POINTER(id));
    has = app != NULL && app->user_id == user_id;
    pthread_mutex_unlock(&table->lock);
    return has;
}

/* -- signing in ---------------------------------------------------------------------------------- */
/* Bound to the user, so that nobody's app password is good under another name. */
static void secret_hash(const MkArchive *archive, uint32_t user_id, const char *secret, MkHash *out)
{
    g_autoptr(MkKey) key = mk_key_derive(mk_keyring_master(archive->keyring), "app-password");
    uint32_t bound_id = GUINT32_TO_LE(user_id);
    MkHashState state;

    mk_hash_start(&state, key);
    mk_hash_add(&state, &bound_id, sizeof bound_id);
    mk_hash_add(&state, secret, strlen(secret));
    mk_hash_end(&state, out);
}

uint32_t app_password_find(MkArchive *archive, uint32_t user_id, const char *password)
{
    AppTable *table = &archive->app_passwords;
    char *secret = base32_read(password, SECRET_CHARACTERS);
    const AppPassword *app;
    uint32_t id;
    MkHash hash;

    if (secret == NULL)
        return 0;
    secret_hash(archive, user_id, secret, &hash);
    mk_free_secret(secret);
    pthread_mutex_lock(&table->lock);
    app = g_hash_table_lookup(table->by_hash, &hash);
    id = app == NULL ? 0 : app->id;
    pthread_mutex_unlock(&table->lock);
    return id;
}

/* True when the row tells of a use that is long ago. */
static bool note_use(AppTable *table, uint32_t id, int64_t now_ms)
{
    AppPassword *app;
    bool is_old = false;

    pthread_mutex_lock(&table->lock);
    app = g_hash_table_lookup(table->by_id, GUINT_TO_POINTER(id));
    if (app != NULL) {
        app->used_unix_ms = now_ms;
        is_old = now_ms - app->written_unix_ms >= MK_LIMIT_APP_PASSWORD_USE_MS;
    }
    pthread_mutex_unlock(&table->lock);
    return is_old;
}

static bool row_of_use(AppTable *table, uint32_t id, GByteArray *out)
{
    AppPassword *app;

    pthread_mutex_lock(&table->lock);
    app = g_hash_table_lookup(table->by_id, GUINT_TO_POINTER(id));
    if (app != NULL) {
        app->written_unix_ms = app->used_unix_ms;
        app_format(app, out);
    }
    pthread_mutex_unlock(&table->lock);
    return app != NULL;
}

void app_password_used(MkArchive *archive, uint32_t id)
{
    g_autoptr(GByteArray) row = g_byte_array_new();
    g_autoptr(GError) error = NULL;

    if (!note_use(&archive->app_passwords, id, mk_clock_unix_ms()))
        return;
    /* Looked up again under the lock of whoever revokes, so that none comes back. */
    pthread_mutex_lock(&archive->master_lock);
    if (row_of_use(&archive->app_passwords, id, row) &&
        !master_put(archive, MASTER_APP_PASSWORDS, id, row, &error))
        mk_log_warn("app-password.use-not-kept", "code", mk_error_name(mk_error_code(error)));
    pthread_mutex_unlock(&archive->master_lock);
}

/* -- lists --------------------------------------------------------------------------------------- */
static MkAppPassword *info_new(const AppPassword *app)
{
    MkAppPassword *info = g_new0(MkAppPassword, 1);

    info->id = app->id;
    info->name = g_strdup(app->name);
    info->created_unix_ms = app->created_unix_ms;
    info->used_unix_ms = app->used_unix_ms;
    return info;
}

static gint compare_by_id(const void *a, const void *b)
{
    const MkAppPassword *const *left = a, *const *right = b;

    return ((*left)->id > (*right)->id) - ((*left)->id < (*right)->id);
}

static GPtrArray *list_of(AppTable *table, uint32_t user_id)
{
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify) mk_app_password_free);
    GHashTableIter iter;
    void *value;

    pthread_mutex_lock(&table->lock);
    g_hash_table_iter_init(&iter, table->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (((AppPassword *) value)->user_id == user_id)
            g_ptr_array_add(list, info_new(value));
    pthread_mutex_unlock(&table->lock);
    g_ptr_array_sort(list, compare_by_id);
    return list;
}

GPtrArray *mk_archive_app_passwords(MkArchive *archive, const MkPrincipal *principal)
{
    return list_of(&archive->app_passwords, mk_principal_user_id(principal));
}

/* -- changes ------------------------------------------------------------------------------------- */
static bool delete_row(MkArchive *archive, uint32_t id, GError **error)
{
    if (!master_put(archive, MASTER_APP_PASSWORDS, id, NULL, error))
        return false;
    table_remove(&archive->app_passwords, id);
    return true;
}

bool app_passwords_delete_all(MkArchive *archive, uint32_t user_id, GError **error)
{
    g_autoptr(GPtrArray) list = list_of(&archive->app_passwords, user_id);

    for (guint i = 0; i < list->len; i++)
        if (!delete_row(archive, ((MkAppPassword *) list->pdata[i])->id, error))
            return false;
    return true;
}

static bool name_check(const char *name, GError **error)
{
    if (name[0] == '\0' || strlen(name) > MK_LIMIT_APP_PASSWORD_NAME_BYTES)
        return mk_fail(error, MK_ERROR_INVALID, "a name has 1 to %d octets",
                       MK_LIMIT_APP_PASSWORD_NAME_BYTES);
    return property_check(name, "the name", error);
}

static bool create_locked(MkArchive *archive, uint32_t user_id, const char *name,
                          const char *secret, GError **error)
{
    g_autoptr(GPtrArray) list = list_of(&archive->app_passwords, user_id);
    g_autoptr(AppPassword) app = g_new0(AppPassword, 1);
    g_autoptr(GByteArray) row = g_byte_array_new();

    if (list->len >= MK_LIMIT_APP_PASSWORDS)
        return mk_fail(error, MK_ERROR_LIMIT, "a user has at most %d app passwords",
                       MK_LIMIT_APP_PASSWORDS);
    if (!master_next_id(archive, MASTER_APP_PASSWORDS, &app->id, error))
        return false;
    app->user_id = user_id;
    app->name = g_strdup(name);
    app->created_unix_ms = mk_clock_unix_ms();
    secret_hash(archive, user_id, secret, &app->hash);
    app_format(app, row);
    if (!master_put(archive, MASTER_APP_PASSWORDS, app->id, row, error))
        return false;
    mk_log_info("app-password.created", "user", MK_LOG_U64(user_id), "id", MK_LOG_U64(app->id));
    table_put(&archive->app_passwords, g_steal_pointer(&app));
    return true;
}

bool mk_archive_app_password_create(MkArchive *archive, const MkPrincipal *principal,
                                    const char *password, const char *peer_address,
                                    const char *name, char **out_secret, GError **error)
{
    g_autoptr(UserRecord) record = account_record(archive, principal, error);
    char *secret;
    bool ok;

    if (record == NULL || !name_check(name, error) ||
        !login_confirm(archive, record, password, peer_address, error))
        return false;
    secret = base32_random(SECRET_CHARACTERS);
    pthread_mutex_lock(&archive->master_lock);
    ok = create_locked(archive, record->user.id, name, secret, error);
    pthread_mutex_unlock(&archive->master_lock);
    if (ok)
        *out_secret = base32_group(secret, 4);
    mk_free_secret(secret);
    return ok;
}

static bool revoke_locked(MkArchive *archive, uint32_t user_id, uint32_t id, GError **error)
{
    if (!app_table_has(&archive->app_passwords, user_id, id))
        return mk_fail(error, MK_ERROR_NOT_FOUND, "there is no such app password");
    return delete_row(archive, id, error);
}

bool mk_archive_app_password_revoke(MkArchive *archive, const MkPrincipal *principal, uint32_t id,
                                    GError **error)
{
    g_autoptr(UserRecord) record = account_record(archive, principal, error);
    bool ok;

    if (record == NULL)
        return false;
    pthread_mutex_lock(&archive->master_lock);
    ok = revoke_locked(archive, record->user.id, id, error);
    pthread_mutex_unlock(&archive->master_lock);
    if (ok)
        mk_log_info("app-password.revoked", "user", MK_LOG_U64(record->user.id), "id",
                    MK_LOG_U64(id));
    return ok;
}
