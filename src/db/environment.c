/*
 * environment.c - opening and closing an LMDB environment
 *
 * MDB_NOTLS: readers belong to their transaction, not to a thread. No MDB_WRITEMAP (a full disk
 * would raise SIGBUS), no MDB_NOSYNC (a power cut could spoil the file).
 */
#include <mailkeep/db.h>

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <mailkeep/base.h>

#include "internal.h"

#define MAX_READERS 512

G_STATIC_ASSERT(G_N_ELEMENTS(((MkDb *) 0)->kinds) == G_N_ELEMENTS(((MkDb *) 0)->handles));

bool db_fail(GError **error, int rc, const char *what)
{
    if (rc == MDB_MAP_FULL)
        return mk_fail(error, MK_ERROR_NO_SPACE,
                       "database: %s: its map is full; it needs a larger map size", what);
    if (rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND || rc == MDB_INVALID ||
        rc == MDB_VERSION_MISMATCH || rc == MDB_INCOMPATIBLE)
        return mk_fail(error, MK_ERROR_CORRUPT, "database: %s: %s", what, mdb_strerror(rc));
    if (rc == MDB_READERS_FULL)
        return mk_fail(error, MK_ERROR_BUSY, "database: %s: too many readers", what);
    if (rc > 0)
        return mk_fail_errno(error, rc, "database: %s", what);
    return mk_fail(error, MK_ERROR_IO, "database: %s: %s", what, mdb_strerror(rc));
}

static bool open_tables(MkDb *db, const MkDbOptions *options, GError **error)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(db->env, NULL, 0, &txn);

    if (rc != 0)
        return db_fail(error, rc, "begin the first transaction");
    for (unsigned i = 0; rc == 0 && i < options->table_count; i++) {
        db->kinds[i] = options->tables[i].kind;
        rc = mdb_dbi_open(txn, options->tables[i].name, MDB_CREATE, &db->handles[i]);
    }
    if (rc != 0) {
        mdb_txn_abort(txn);
        return db_fail(error, rc, "open its tables");
    }
    rc = mdb_txn_commit(txn);
    return rc == 0 || db_fail(error, rc, "make its tables");
}

static bool open_environment(MkDb *db, const char *dir, const MkDbOptions *options, GError **error)
{
    unsigned flags = MDB_NOTLS | MDB_NORDAHEAD | (options->lose_newest ? MDB_NOMETASYNC : 0);
    int dead = 0;
    int rc = mdb_env_create(&db->env);

    if (rc == 0)
        rc = mdb_env_set_maxdbs(db->env, options->table_count);
    if (rc == 0)
        rc = mdb_env_set_maxreaders(db->env, MAX_READERS);
    if (rc == 0)
        rc = mdb_env_set_mapsize(db->env, options->map_size_bytes);
    if (rc == 0)
        rc = mdb_env_open(db->env, dir, flags, 0600);
    if (rc != 0) {
        g_autofree char *what = g_strdup_printf("open %s", dir);

        return db_fail(error, rc, what);
    }
    mdb_reader_check(db->env, &dead); /* slots of processes that were killed */
    return true;
}

/* -- all that are open --------------------------------------------------------------------- */
static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;
static GQueue open_list = G_QUEUE_INIT;

/* "start-end rights offset device inode path": the address, when the inode is the one; else NULL */
static void *map_of_line(const char *line, ino_t inode)
{
    const char *at = line;

    for (int blanks = 0; blanks < 4; blanks++) {
        at = strchr(at, ' ');
        if (at == NULL)
            return NULL;
        at++;
    }
    return strtoull(at, NULL, 10) == inode ? (void *) strtoul(line, NULL, 16) : NULL;
}

/* LMDB tells the address only of a fixed map, so it is looked up by the file's inode. */
static void *find_map(MDB_env *env)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[PATH_MAX + 256];
    struct stat st;
    mdb_filehandle_t fd;
    void *found = NULL;

    if (maps == NULL)
        return NULL;
    if (mdb_env_get_fd(env, &fd) == 0 && fstat(fd, &st) == 0)
        while (found == NULL && fgets(line, sizeof line, maps) != NULL)
            found = map_of_line(line, st.st_ino);
    fclose(maps);
    return found;
}

static void list_add(MkDb *db)
{
    pthread_mutex_lock(&open_lock);
    db->link.data = db;
    db->map = find_map(db->env);
    g_queue_push_tail_link(&open_list, &db->link);
    pthread_mutex_unlock(&open_lock);
}

static void list_remove(MkDb *db)
{
    if (db->link.data == NULL)
        return;
    pthread_mutex_lock(&open_lock);
    g_queue_unlink(&open_list, &db->link);
    pthread_mutex_unlock(&open_lock);
}

void mk_db_release_pages(void)
{
    pthread_mutex_lock(&open_lock);
    for (GList *l = open_list.head; l != NULL; l = l->next) {
        MkDb *db = l->data;
        /* The map is shared and only read: what is dropped is read again from the cache. */
        if (db->map != NULL)
            madvise(db->map, mk_db_size_bytes(db), MADV_DONTNEED);
    }
    pthread_mutex_unlock(&open_lock);
}

/* -- open and close ------------------------------------------------------------------------ */
MkDb *mk_db_open(const char *dir, const MkKey *key, const MkDbOptions *options, GError **error)
{
    g_autoptr(MkDb) db = g_new0(MkDb, 1);

    g_assert(options->table_count <= G_N_ELEMENTS(db->kinds));
    if (g_mkdir_with_parents(dir, 0700) != 0) {
        mk_fail_errno(error, errno, "make the directory %s", dir);
        return NULL;
    }
    db->key = mk_key_derive(key, "database");
    db->table_count = options->table_count;
    if (!open_environment(db, dir, options, error) || !open_tables(db, options, error))
        return NULL;
    list_add(db);
    return g_steal_pointer(&db);
}

void mk_db_close(MkDb *db)
{
    if (db == NULL)
        return;
    list_remove(db);
    if (db->env != NULL)
        mdb_env_close(db->env);
    mk_key_free(db->key);
    g_free(db);
}

bool mk_db_sync(MkDb *db, GError **error)
{
    int rc = mdb_env_sync(db->env, 1);

    return rc == 0 || db_fail(error, rc, "flush to disk");
}

uint64_t mk_db_size_bytes(MkDb *db)
{
    MDB_envinfo info;
    MDB_stat stat;

    if (mdb_env_info(db->env, &info) != 0 || mdb_env_stat(db->env, &stat) != 0)
        return 0;
    return ((uint64_t) info.me_last_pgno + 1) * stat.ms_psize;
}
