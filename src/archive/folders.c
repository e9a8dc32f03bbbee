/* folders.c - which folders there are, and who may see them (US-13) */
#include <string.h>

#include "internal.h"

bool folder_is_within(const char *path, const char *below)
{
    size_t length = strlen(below);

    return strncmp(path, below, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

/* -- what a principal may see ------------------------------------------------------------------ */
void sight_init(Sight *sight, MkArchive *archive, const MkPrincipal *principal)
{
    g_autoptr(UserRecord) record = principal_record(archive, principal);

    sight->all = principal_is_system(principal);
    sight->readable = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; record != NULL && i < record->user.folder_rights->len; i++) {
        const MkFolderRights *rights = record->user.folder_rights->pdata[i];

        if ((rights->rights & MK_RIGHT_READ) != 0)
            g_hash_table_add(sight->readable, g_strdup(rights->folder));
    }
}

void sight_clear(Sight *sight)
{
    if (sight->readable != NULL)
        g_hash_table_unref(sight->readable);
    sight->readable = NULL;
}

/* The path itself, or one above it: cut part by part. */
bool sight_may_read(const Sight *sight, const char *path)
{
    g_autofree char *part = NULL;
    char *slash;

    if (sight->all)
        return true;
    part = g_strdup(path);
    for (;;) {
        if (g_hash_table_contains(sight->readable, part))
            return true;
        slash = strrchr(part, '/');
        if (slash == NULL)
            return false;
        *slash = '\0';
    }
}

/* -- lists --------------------------------------------------------------------------------------- */
static unsigned levels_in(const char *path)
{
    unsigned levels = 1;

    for (; *path != '\0'; path++)
        levels += *path == '/';
    return levels;
}

/* A folder lies below @below when it is not @below itself. */
static bool is_listed(const char *path, const char *below, unsigned max_levels)
{
    unsigned depth = levels_in(path);

    if (below != NULL && below[0] != '\0') {
        if (!folder_is_within(path, below) || strlen(path) == strlen(below))
            return false;
        depth -= levels_in(below);
    }
    return max_levels == 0 || depth <= max_levels;
}

static GPtrArray *list_folders(MkArchive *archive, const Sight *sight, const char *below,
                               unsigned max_levels)
{
    g_autoptr(GPtrArray) all = mk_store_folders(store_current(archive)->store);
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify) mk_folder_free);

    g_ptr_array_set_free_func(all, NULL); /* each is moved to the list or freed here */
    for (guint i = 0; i < all->len; i++) {
        MkFolder *folder = all->pdata[i];

        if (is_listed(folder->path, below, max_levels) &&
            (sight == NULL || sight_may_read(sight, folder->path)))
            g_ptr_array_add(list, folder);
        else
            mk_folder_free(folder);
    }
    return list;
}

GPtrArray *mk_archive_folders(MkArchive *archive, const MkPrincipal *principal, const char *below,
                              unsigned max_levels)
{
    g_auto(Sight) sight = { 0 };

    sight_init(&sight, archive, principal);
    return list_folders(archive, &sight, below, max_levels);
}

GPtrArray *mk_archive_all_folders(MkArchive *archive, const char *below, unsigned max_levels)
{
    return list_folders(archive, NULL, below, max_levels);
}

gint folder_id_compare(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *) a, right = *(const uint32_t *) b;

    return (left > right) - (left < right);
}

bool folder_exists(MkArchive *archive, const char *path)
{
    uint32_t id;

    mk_store_folder_find(store_current(archive)->store, path, &id);
    return id != 0;
}

GArray *mk_archive_folder_mails(MkArchive *archive, const MkPrincipal *principal,
                                const char *folder, GError **error)
{
    ArchiveStore *store = store_current(archive);
    g_auto(Sight) sight = { 0 };
    GArray *ids = NULL;
    uint32_t id, after = 0;

    sight_init(&sight, archive, principal);
    mk_store_folder_find(store->store, folder, &id);
    if (id == 0 || !sight_may_read(&sight, folder)) {
        mk_fail(error, MK_ERROR_NOT_FOUND, "there is no such folder");
        return NULL;
    }
    ids = g_array_new(FALSE, FALSE, sizeof(MkMailId));
    for (;;) {
        enum { STEP = 4096 };
        g_autoptr(GArray) numbers = mk_store_folder_mails(store->store, id, after, STEP, error);

        if (numbers == NULL) {
            g_array_unref(ids);
            return NULL;
        }
        for (guint i = 0; i < numbers->len; i++) {
            MkMailId mail = { store->id, g_array_index(numbers, uint32_t, i) };

            g_array_append_val(ids, mail);
            after = mail.number;
        }
        if (numbers->len < STEP)
            return ids;
    }
}
