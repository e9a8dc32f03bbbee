/*
 * find.c - a question, answered with what the one who asks may see
 *
 * The index is told the folders to look into, so that a hit, a total and a page never tell of a
 * mail that must not be seen.
 */
#include "internal.h"

void mk_found_mail_free(MkFoundMail *mail)
{
    if (mail == NULL)
        return;
    g_free(mail->subject);
    g_free(mail->from);
    g_free(mail->to);
    g_free(mail->folder);
    g_free(mail);
}

static MkFound *found_new(void)
{
    MkFound *found = g_new0(MkFound, 1);

    found->hits = g_ptr_array_new_with_free_func((GDestroyNotify) mk_found_mail_free);
    return found;
}

void mk_found_free(MkFound *found)
{
    if (found == NULL)
        return;
    g_ptr_array_unref(found->hits);
    g_free(found);
}

/* -- folders ------------------------------------------------------------------------------------- */
static bool is_searched(const MkFind *find, const Sight *sight, const char *path)
{
    if (!sight_may_read(sight, path))
        return false;
    if (find->folder == NULL || find->folder[0] == '\0')
        return true;
    return find->only_folder ? g_str_equal(path, find->folder)
                             : folder_is_within(path, find->folder);
}

/* The ids, ascending; NULL when the folder asked for is not there or must not be seen. */
static GArray *searched_folders(ArchiveStore *store, const MkFind *find, const Sight *sight,
                                GError **error)
{
    g_autoptr(GPtrArray) folders = mk_store_folders(store->store);
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(uint32_t));

    for (guint i = 0; i < folders->len; i++) {
        const MkFolder *folder = folders->pdata[i];

        if (is_searched(find, sight, folder->path))
            g_array_append_val(ids, folder->id);
    }
    if (ids->len == 0 && find->folder != NULL && find->folder[0] != '\0') {
        g_array_unref(ids);
        mk_fail(error, MK_ERROR_NOT_FOUND, "there is no such folder");
        return NULL;
    }
    g_array_sort(ids, folder_id_compare);
    return ids;
}

/* -- a number alone ------------------------------------------------------------------------------ */
static bool is_mail_id(const char *query, MkMailId *out_id)
{
    g_autofree char *text = g_strstrip(g_strdup(query == NULL ? "" : query));

    return mk_mail_id_parse(text, out_id);
}

/* `<store_id>:<number>` opens that mail (search-syntax.md 2.6); what is not there is no hit. */
static MkFound *find_by_id(MkArchive *archive, const MkFind *find, MkMailId id, GError **error)
{
    g_autoptr(MkFound) found = found_new();
    g_autoptr(GError) failed = NULL;
    MkFoundMail *mail = mk_archive_mail_get(archive, find->principal, id, &failed);

    if (mail == NULL && !g_error_matches(failed, MK_ERROR, MK_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return NULL;
    }
    if (mail != NULL) {
        found->total = 1;
        if (find->offset == 0)
            g_ptr_array_add(found->hits, mail);
        else
            mk_found_mail_free(mail);
    }
    return g_steal_pointer(&found);
}

/* -- the index ----------------------------------------------------------------------------------- */
static MkFoundMail *mail_of_hit(ArchiveStore *store, MkHit *hit)
{
    MkFoundMail *mail = g_new0(MkFoundMail, 1);

    mail->id = (MkMailId){ store->id, hit->number };
    mail->subject = g_steal_pointer(&hit->subject);
    mail->from = g_steal_pointer(&hit->from);
    mail->to = g_steal_pointer(&hit->to);
    mail->date_unix_ms = hit->date_unix_ms;
    mail->archived_unix_ms = hit->archived_unix_ms;
    mail->size_bytes = hit->size_bytes;
    mail->flags = hit->flags;
    mail->folder = mk_store_folder_path(store->store, hit->folder);
    if (mail->folder == NULL)
        mail->folder = g_strdup("");
    return mail;
}

static MkFound *search(MkArchive *archive, ArchiveStore *store, const MkFind *find,
                       const MkQuery *query, const GArray *folders, GError **error)
{
    MkSearch search = { .query = query,
                        .folders = (const uint32_t *) (void *) folders->data,
                        .folder_count = folders->len,
                        .with_envelope = mk_principal_is_admin(archive, find->principal),
                        .date_from_unix_ms = find->date_from_unix_ms,
                        .date_to_unix_ms = find->date_to_unix_ms,
                        .sort = find->sort,
                        .ascending = find->ascending,
                        .offset = find->offset,
                        .limit = find->limit,
                        .cancelled = find->cancelled };
    g_autoptr(MkSearchResult) result = mk_index_search(store->index, &search, error);
    MkFound *found;

    if (result == NULL)
        return NULL;
    found = found_new();
    found->total = result->total;
    for (guint i = 0; i < result->hits->len; i++)
        g_ptr_array_add(found->hits, mail_of_hit(store, result->hits->pdata[i]));
    return found;
}

MkFound *mk_archive_find(MkArchive *archive, const MkFind *find, GError **error)
{
    ArchiveStore *store =
        store_current(archive); /* with more of them, their pages are joined here */
    g_auto(Sight) sight = { 0 };
    g_autoptr(MkQuery) query = NULL;
    g_autoptr(GArray) folders = NULL;
    MkMailId id;

    if (find->limit == 0 || find->limit > MK_LIMIT_SEARCH_PAGE) {
        mk_fail(error, MK_ERROR_INVALID, "a page has 1 to %d mails", MK_LIMIT_SEARCH_PAGE);
        return NULL;
    }
    if (is_mail_id(find->query, &id))
        return find_by_id(archive, find, id, error);
    query = mk_query_parse(find->query == NULL ? "" : find->query, error);
    if (query == NULL)
        return NULL;
    sight_init(&sight, archive, find->principal);
    folders = searched_folders(store, find, &sight, error);
    if (folders == NULL)
        return NULL;
    if (folders->len == 0) /* to the index an empty list could mean all */
        return found_new();
    return search(archive, store, find, query, folders, error);
}
