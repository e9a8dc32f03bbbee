/*
 * saved_searches.c - criteria kept under a name, each user's own (SR-10)
 *
 * Rows of the master database under user id and number, so that those of one user lie together;
 * read when they are asked for. The criteria are a text to this room: who runs a search reads them.
 */
#include <string.h>

#include "internal.h"

enum { RECORD_VERSION = 1, KEY_BYTES = 8 };

void mk_saved_search_free(MkSavedSearch *search)
{
    if (search == NULL)
        return;
    g_free(search->name);
    g_free(search->criteria);
    g_free(search);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkSavedSearch, mk_saved_search_free)

/* -- octets (docs/formats/master.md) ----------------------------------------------------------- */
static void format_key(uint32_t user_id, uint32_t id, uint8_t out[KEY_BYTES])
{
    g_autoptr(GByteArray) key = g_byte_array_sized_new(KEY_BYTES);

    mk_put_u32(key, user_id);
    mk_put_u32(key, id);
    memcpy(out, key->data, KEY_BYTES);
}

static void search_format(const MkSavedSearch *search, GByteArray *out)
{
    mk_put_u8(out, RECORD_VERSION);
    mk_put_u64(out, (uint64_t) search->changed_unix_ms);
    mk_put_string(out, search->name);
    mk_put_string(out, search->criteria);
}

static MkSavedSearch *search_parse(uint32_t id, const GByteArray *value)
{
    MkReader r = mk_reader(value->data, value->len);
    g_autoptr(MkSavedSearch) search = g_new0(MkSavedSearch, 1);
    bool known = mk_read_u8(&r) == RECORD_VERSION;

    search->id = id;
    search->changed_unix_ms = (int64_t) mk_read_u64(&r);
    search->name = mk_read_string(&r);
    search->criteria = mk_read_string(&r);
    return known && !r.failed && r.length == 0 ? g_steal_pointer(&search) : NULL;
}

/* -- rows -------------------------------------------------------------------------------------- */
static gint compare_by_name(const void *a, const void *b)
{
    const MkSavedSearch *const *left = a, *const *right = b;
    g_autofree char *left_key = g_utf8_collate_key((*left)->name, -1);
    g_autofree char *right_key = g_utf8_collate_key((*right)->name, -1);

    return strcmp(left_key, right_key);
}

/* Of the row the cursor is at; *out_end when it is another user's. */
static bool read_row(MkCursor *cursor, uint32_t user_id, GPtrArray *list, bool *out_end,
                     GError **error)
{
    MkReader key = mk_reader(cursor->key, cursor->key_length);
    uint32_t owner = mk_read_u32(&key), id = mk_read_u32(&key);
    g_autoptr(GByteArray) value = g_byte_array_new();
    MkSavedSearch *search;

    *out_end = owner != user_id;
    if (*out_end)
        return true;
    if (!mk_cursor_value(cursor, value, error))
        return false;
    search = search_parse(id, value);
    if (search == NULL)
        return mk_fail(
            error, MK_ERROR_CORRUPT,
            "a saved search in the master database is damaged: restore it from a backup");
    g_ptr_array_add(list, search);
    return true;
}

static GPtrArray *searches_of(MkArchive *archive, uint32_t user_id, GError **error)
{
    g_autoptr(GPtrArray) list =
        g_ptr_array_new_with_free_func((GDestroyNotify) mk_saved_search_free);
    g_auto(MkReadTxn) txn = MK_TXN_INIT;
    g_auto(MkCursor) cursor = MK_CURSOR_INIT;
    uint8_t key[KEY_BYTES];
    bool found, end = false;

    format_key(user_id, 0, key);
    if (!mk_read_txn_begin(&txn, archive->master, error) ||
        !mk_cursor_open(&cursor, &txn, MASTER_SAVED_SEARCHES, error) ||
        !mk_cursor_seek(&cursor, key, sizeof key, &found, error))
        return NULL;
    while (found && !end)
        if (!read_row(&cursor, user_id, list, &end, error) ||
            !mk_cursor_next(&cursor, &found, error))
            return NULL;
    g_ptr_array_sort(list, compare_by_name);
    return g_steal_pointer(&list);
}

/* @value NULL deletes. */
static bool put_row(MkArchive *archive, uint32_t user_id, uint32_t id, const GByteArray *value,
                    GError **error)
{
    uint8_t key[KEY_BYTES];

    format_key(user_id, id, key);
    return master_put_key(archive, MASTER_SAVED_SEARCHES, key, sizeof key, value, error);
}

bool saved_searches_delete_all(MkArchive *archive, uint32_t user_id, GError **error)
{
    g_autoptr(GPtrArray) list = searches_of(archive, user_id, error);

    for (guint i = 0; list != NULL && i < list->len; i++)
        if (!put_row(archive, user_id, ((MkSavedSearch *) list->pdata[i])->id, NULL, error))
            return false;
    return list != NULL;
}

/* -- checks ------------------------------------------------------------------------------------ */
static bool may_keep(MkArchive *archive, const MkPrincipal *principal, GError **error)
{
    return mk_principal_is_valid(archive, principal) ||
           mk_fail(error, MK_ERROR_AUTH, "the login is no longer valid");
}

static bool name_check(const char *name, GError **error)
{
    size_t length = strlen(name);

    if (length == 0 || length > MK_LIMIT_SAVED_SEARCH_NAME_BYTES ||
        !g_utf8_validate(name, -1, NULL))
        return mk_fail(error, MK_ERROR_INVALID, "a name has 1 to %d octets of UTF-8",
                       MK_LIMIT_SAVED_SEARCH_NAME_BYTES);
    for (const char *p = name; *p != '\0'; p = g_utf8_next_char(p))
        if (g_unichar_iscntrl(g_utf8_get_char(p)))
            return mk_fail(error, MK_ERROR_INVALID, "a name has no control characters");
    return g_unichar_isspace(g_utf8_get_char(name)) == FALSE ||
           mk_fail(error, MK_ERROR_INVALID, "a name does not begin with a blank");
}

static bool criteria_check(const char *criteria, GError **error)
{
    if (strlen(criteria) > MK_LIMIT_SAVED_SEARCH_BYTES)
        return mk_fail(error, MK_ERROR_LIMIT, "the criteria are longer than %d octets",
                       MK_LIMIT_SAVED_SEARCH_BYTES);
    return g_utf8_validate(criteria, -1, NULL) ||
           mk_fail(error, MK_ERROR_INVALID, "the criteria are not valid UTF-8");
}

static bool is_there(const GPtrArray *list, uint32_t id)
{
    for (guint i = 0; i < list->len; i++)
        if (((MkSavedSearch *) list->pdata[i])->id == id)
            return true;
    return false;
}

static bool name_is_free(const GPtrArray *list, uint32_t id, const char *name)
{
    g_autofree char *folded = user_name_fold(name);

    for (guint i = 0; i < list->len; i++) {
        const MkSavedSearch *other = list->pdata[i];
        g_autofree char *other_folded = user_name_fold(other->name);

        if (other->id != id && g_str_equal(folded, other_folded))
            return false;
    }
    return true;
}

/* Whether @id is there (0: one more fits), and its name nobody else's. */
static bool place_check(const GPtrArray *list, uint32_t id, const char *name, GError **error)
{
    if (id != 0 && !is_there(list, id))
        return mk_fail(error, MK_ERROR_NOT_FOUND, "there is no such saved search");
    if (id == 0 && list->len >= MK_LIMIT_SAVED_SEARCHES)
        return mk_fail(error, MK_ERROR_LIMIT, "there are %d saved searches already",
                       MK_LIMIT_SAVED_SEARCHES);
    return name_is_free(list, id, name) ||
           mk_fail(error, MK_ERROR_EXISTS, "there is a saved search of this name already");
}

/* -- outside ----------------------------------------------------------------------------------- */
GPtrArray *mk_archive_saved_searches(MkArchive *archive, const MkPrincipal *principal,
                                     GError **error)
{
    return may_keep(archive, principal, error)
               ? searches_of(archive, mk_principal_user_id(principal), error)
               : NULL;
}

static bool put_locked(MkArchive *archive, uint32_t user_id, MkSavedSearch *search, GError **error)
{
    g_autoptr(GPtrArray) list = searches_of(archive, user_id, error);
    g_autoptr(GByteArray) value = g_byte_array_new();

    if (list == NULL || !place_check(list, search->id, search->name, error) ||
        (search->id == 0 && !master_next_id(archive, MASTER_SAVED_SEARCHES, &search->id, error)))
        return false;
    search_format(search, value);
    return put_row(archive, user_id, search->id, value, error);
}

bool mk_archive_saved_search_put(MkArchive *archive, const MkPrincipal *principal, uint32_t id,
                                 const char *name, const char *criteria, uint32_t *out_id,
                                 GError **error)
{
    MkSavedSearch search = { id, (char *) name, (char *) criteria, mk_clock_unix_ms() };
    bool ok;

    if (!may_keep(archive, principal, error) || !name_check(name, error) ||
        !criteria_check(criteria, error))
        return false;
    pthread_mutex_lock(&archive->master_lock);
    ok = put_locked(archive, mk_principal_user_id(principal), &search, error);
    pthread_mutex_unlock(&archive->master_lock);
    if (ok && out_id != NULL)
        *out_id = search.id;
    return ok;
}

static bool delete_locked(MkArchive *archive, uint32_t user_id, uint32_t id, GError **error)
{
    g_autoptr(GPtrArray) list = searches_of(archive, user_id, error);

    if (list == NULL)
        return false;
    if (!is_there(list, id))
        return mk_fail(error, MK_ERROR_NOT_FOUND, "there is no such saved search");
    return put_row(archive, user_id, id, NULL, error);
}

bool mk_archive_saved_search_delete(MkArchive *archive, const MkPrincipal *principal, uint32_t id,
                                    GError **error)
{
    bool ok;

    if (!may_keep(archive, principal, error))
        return false;
    pthread_mutex_lock(&archive->master_lock);
    ok = delete_locked(archive, mk_principal_user_id(principal), id, error);
    pthread_mutex_unlock(&archive->master_lock);
    return ok;
}
