/* open.c - an installation opened, stopped and closed; create.c makes one */
#include <sys/stat.h>

#include <mailkeep/log.h>

#include "internal.h"

enum { STOP_TURN_MS = 1000 };

static bool make_dir(const char *path, GError **error)
{
    if (g_mkdir_with_parents(path, 0700) != 0)
        return mk_fail_errno(error, errno, "make the directory %s", path);
    return true;
}

MkArchive *archive_new(MkLoop *loop, const char *data_dir)
{
    MkArchive *archive = g_new0(MkArchive, 1);

    archive->loop = loop;
    archive->data_dir = g_strdup(data_dir);
    pthread_mutex_init(&archive->master_lock, NULL);
    pthread_mutex_init(&archive->large_lock, NULL);
    user_table_init(&archive->users);
    gateway_table_init(&archive->gateways);
    arrival_table_init(&archive->arrivals);
    login_gate_init(&archive->gate);
    session_table_init(&archive->sessions);
    app_table_init(&archive->app_passwords);
    index_settings_init(&archive->index_settings);
    archive->extract_program = extract_program_find();
    archive->stores = g_ptr_array_new_with_free_func((GDestroyNotify) archive_store_free);
    archive->system = principal_new(0, 0);
    archive->spools.key = mk_key_new_random();
    g_queue_init(&archive->large);
    pace_init(&archive->pace);
    return archive;
}

void mk_archive_close(MkArchive *archive)
{
    if (archive == NULL)
        return;
    g_assert(archive->busy_jobs == 0);
    space_watch_free(archive->space);
    g_ptr_array_unref(archive->stores);
    if (archive->master != NULL)
        mk_db_close(archive->master);
    mk_keyring_free(archive->keyring);
    mk_principal_unref(archive->system);
    mk_key_free(archive->spools.key);
    index_settings_clear(&archive->index_settings);
    app_table_clear(&archive->app_passwords);
    session_table_clear(&archive->sessions);
    login_gate_clear(&archive->gate);
    arrival_table_clear(&archive->arrivals);
    gateway_table_clear(&archive->gateways);
    user_table_clear(&archive->users);
    pthread_mutex_destroy(&archive->large_lock);
    pthread_mutex_destroy(&archive->master_lock);
    g_free(archive->extract_program);
    g_free(archive->data_dir);
    g_free(archive);
}

/* The keyring is there; databases and stores are opened, or made. */
bool archive_open_parts(MkArchive *archive, uint64_t map_size_bytes, GError **error)
{
    archive->master = master_open(archive->data_dir, archive->keyring, map_size_bytes, error);
    return archive->master != NULL && stores_open(archive, map_size_bytes, error) &&
           master_load_users(archive->master, &archive->users, error) &&
           two_factor_load(archive, error) && app_table_load(archive, error) &&
           gateway_table_load(archive, error) && index_settings_load(archive, error) &&
           smtp_settings_load(archive, error) && index_status_load(archive, error) &&
           arrival_table_load(archive, error) && verifications_load(archive, error);
}

/* -- opening ------------------------------------------------------------------------------------- */
static void start_followers(MkArchive *archive)
{
    for (guint i = 0; i < archive->stores->len; i++) {
        ArchiveStore *store = archive->stores->pdata[i];

        store->follower = follower_new(archive, store);
        follower_poke(store->follower);
    }
}

MkArchive *mk_archive_open(MkLoop *loop, const char *data_dir, uint64_t map_size_bytes,
                           GError **error)
{
    g_autofree char *keys_dir = g_build_filename(data_dir, "keys", NULL);
    g_autofree char *spool_dir = g_build_filename(data_dir, "spool", NULL);
    g_autoptr(MkArchive) archive = NULL;

    if (!mk_archive_is_initialised(data_dir)) {
        mk_fail(error, MK_ERROR_NOT_FOUND, "%s holds no installation: make one with mailkeep init",
                data_dir);
        return NULL;
    }
    archive = archive_new(loop, data_dir);
    archive->keyring = mk_keyring_open(keys_dir, error);
    if (archive->keyring == NULL || !make_dir(spool_dir, error) ||
        !archive_open_parts(archive, map_size_bytes, error))
        return NULL;
    if (archive->extract_program == NULL)
        mk_log_warn("archive.no-extractor", "why",
                    "mailkeep-extract is not beside this program: text of attachments is not read");
    archive->space = space_watch_new(archive);
    start_followers(archive);
    return g_steal_pointer(&archive);
}

/* -- the end ------------------------------------------------------------------------------------- */
void archive_busy_begin(MkArchive *archive)
{
    archive->busy_jobs++;
}

void archive_busy_end(MkArchive *archive)
{
    void (*on_stopped)(void *cookie) = archive->on_stopped;

    g_assert(archive->busy_jobs > 0);
    if (--archive->busy_jobs > 0 || on_stopped == NULL)
        return;
    archive->on_stopped = NULL;
    mk_timer_free(archive->stop_timer);
    archive->stop_timer = NULL;
    on_stopped(archive->stopped_cookie);
}

static void on_stop_timer(void *cookie)
{
    (void) cookie;
}

void mk_archive_begin_stop(MkArchive *archive)
{
    archive->closing = true;
}

void mk_archive_stop(MkArchive *archive, void (*on_stopped)(void *cookie), void *cookie)
{
    g_assert(!archive->stopping);
    archive->stopping = true;
    archive->closing = true;
    g_atomic_int_set(&archive->extract_cancelled, 1);
    archive->on_stopped = on_stopped;
    archive->stopped_cookie = cookie;
    archive_busy_begin(archive); /* so that the report comes from here at the earliest */
    /* What the committer posts does not keep a loop running that has nothing else to wait for. */
    archive->stop_timer = mk_timer_new(archive->loop, on_stop_timer, NULL);
    mk_timer_start_repeat(archive->stop_timer, STOP_TURN_MS);
    space_watch_stop(archive->space);
    for (guint i = 0; i < archive->stores->len; i++)
        follower_stop(((ArchiveStore *) archive->stores->pdata[i])->follower);
    pace_stop(archive);
    mk_loop_post(archive->loop, (MkPostFunc) archive_busy_end, archive);
}

/* -- gauges -------------------------------------------------------------------------------------- */
void mk_archive_gauges(MkArchive *archive, MkArchiveGauges *out)
{
    *out = (MkArchiveGauges){
        .spool_bytes = archive->spool_bytes,
        .spools_open = archive->spools_open,
        .ingest_held = archive->ingest_held,
        .ingest_waiting = archive->ingest_waiting,
        .ingest_running = archive->ingest_running,
        .mails_new = archive->mails_new,
        .mails_again = archive->mails_again,
        .reports = archive->reports,
        .reports_broken = archive->reports_broken,
        .unowned = archive->unowned,
        .ingest_failed = archive->ingest_failed,
        .ingest_failed_unix_ms = archive->ingest_failed_unix_ms,
        .ingest_failed_code = archive->ingest_failed_code,
        .index_cpu_us = archive->index_cpu_us,
        .training_cpu_us = archive->training_cpu_us,
    };
    for (guint i = 0; i < archive->stores->len; i++) {
        ArchiveStore *store = archive->stores->pdata[i];
        uint64_t wanted = mk_store_last_change(store->store);
        uint64_t indexed = store->indexed;

        out->texts_waiting += store->texts_waiting;
        out->index_behind += wanted > indexed ? wanted - indexed : 0;
    }
}
