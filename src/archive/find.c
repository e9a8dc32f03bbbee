/*
 * find.c - a question, answered with what the one who asks may see
 *
 * The index is told the folders to look into, so that a hit, a total, a group and a page never
 * tell of a mail that must not be seen.
 */
#include <string.h>

#include "internal.h"

void find_queries_ready(FindQueries *queries)
{
    for (MkField field = 0; field < MK_FIELD_COUNT; field++)
        queries->finders[field] = mk_finder_new(queries->query, queries->fields, field);
    if (queries->from != NULL)
        queries->from_finder =
            mk_finder_new(queries->from, MK_FIELD_BIT(MK_FIELD_FROM), MK_FIELD_FROM);
    if (queries->recipients != NULL)
        queries->recipients_finder =
            mk_finder_new(queries->recipients, MK_FIELD_BIT(MK_FIELD_TO), MK_FIELD_TO);
}

void find_queries_clear(FindQueries *queries)
{
    for (size_t i = 0; i < G_N_ELEMENTS(queries->finders); i++)
        g_clear_pointer(&queries->finders[i], mk_finder_free);
    g_clear_pointer(&queries->from_finder, mk_finder_free);
    g_clear_pointer(&queries->recipients_finder, mk_finder_free);
    g_clear_pointer(&queries->query, mk_query_free);
    g_clear_pointer(&queries->from, mk_query_free);
    g_clear_pointer(&queries->recipients, mk_query_free);
}

/* -- words ----------------------------------------------------------------------------------- */
static bool is_empty(const char *text)
{
    return text == NULL || text[strspn(text, " \t\r\n")] == '\0';
}

/* A box that is left empty asks for nothing. */
static bool parse_box(const char *text, const char *box, MkQuery **out, GError **error)
{
    if (is_empty(text))
        return true;
    *out = mk_query_parse(text, error);
    if (*out == NULL && box != NULL)
        g_prefix_error(error, "%s: ", box);
    return *out != NULL;
}

static bool parse_words(const MkFind *find, FindQueries *out, GError **error)
{
    out->fields = find->fields;
    out->query = mk_query_parse(find->query == NULL ? "" : find->query, error);
    return out->query != NULL && parse_box(find->from, "Sender", &out->from, error) &&
           parse_box(find->recipients, "Recipients", &out->recipients, error);
}

/* -- folders --------------------------------------------------------------------------------- */
static bool is_searched(const MkFind *find, const Sight *sight, const char *path)
{
    if (!sight_may_read(sight, path))
        return false;
    if (is_empty(find->folder))
        return true;
    return find->only_folder ? g_str_equal(path, find->folder)
                             : folder_is_within(path, find->folder);
}

typedef struct {
    const MkFind *find;
    const Sight *sight;
    GArray *ids;
} FolderChoice;

static void choose_folder(const MkFolder *folder, void *cookie)
{
    FolderChoice *choice = cookie;

    if (is_searched(choice->find, choice->sight, folder->path))
        g_array_append_val(choice->ids, folder->id);
}

/* The ids, ascending; NULL when the folder asked for is not there or must not be seen. */
static GArray *searched_folders(ArchiveStore *store, const MkFind *find, const Sight *sight,
                                GError **error)
{
    FolderChoice choice = { find, sight, g_array_new(FALSE, FALSE, sizeof(uint32_t)) };

    mk_store_folders_each(store->store, choose_folder, &choice);
    if (choice.ids->len == 0 && !is_empty(find->folder)) {
        g_array_unref(choice.ids);
        mk_fail(error, MK_ERROR_NOT_FOUND, "there is no such folder");
        return NULL;
    }
    return choice.ids;
}

GArray *folders_in_sight(MkArchive *archive, ArchiveStore *store, const MkPrincipal *principal)
{
    MkFind everything = { .principal = principal };
    g_auto(Sight) sight = { 0 };

    sight_init(&sight, archive, principal);
    return searched_folders(store, &everything, &sight, NULL);
}

/* -- flags ----------------------------------------------------------------------------------- */
/* Boxes of importance as flags: which must be there, and which must not. */
static void put_importance(const MkFind *find, MkSearch *search)
{
    bool low = find->importance_low, normal = find->importance_normal, high = find->importance_high;

    if (low == normal && normal == high) /* all or none */
        return;
    if (!normal)
        search->flags_set |= INDEX_NOT_NORMAL;
    if (!low)
        search->flags_clear |= MK_MAIL_IMPORTANCE_LOW;
    if (!high)
        search->flags_clear |= MK_MAIL_IMPORTANCE_HIGH;
}

static void put_attachments(const MkFind *find, MkSearch *search)
{
    switch (find->attachments) {
    case MK_ATTACHMENTS_ANY:
    case MK_ATTACHMENTS_NEITHER: break;
    case MK_ATTACHMENTS_WITH: search->flags_set |= MK_MAIL_HAS_ATTACHMENTS; break;
    case MK_ATTACHMENTS_WITHOUT: search->flags_clear |= MK_MAIL_HAS_ATTACHMENTS; break;
    }
}

/* -- a number alone -------------------------------------------------------------------------- */
static bool is_mail_id(const char *query, MkMailId *out_id)
{
    g_autofree char *text = g_strstrip(g_strdup(query == NULL ? "" : query));

    return mk_mail_id_parse(text, out_id);
}

/* One mail, when it may be seen; what is not there is no hit (search-syntax.md 2.6). */
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
        found->total = found->mail_total = 1;
        if (find->offset == 0)
            g_ptr_array_add(found->hits, mail);
        else
            mk_found_mail_free(mail);
    }
    return g_steal_pointer(&found);
}

/* -- the index ------------------------------------------------------------------------------- */
static MkFound *found_of_result(ArchiveStore *store, const FindQueries *queries,
                                const MkSearchResult *result)
{
    MkFound *found = found_new();

    found->total = result->total;
    found->mail_total = result->mail_total;
    for (guint i = 0; i < result->hits->len; i++) {
        MkFoundMail *mail = found_mail_of_hit(store, result->hits->pdata[i]);

        found_mail_highlight(mail, queries);
        g_ptr_array_add(found->hits, mail);
    }
    return found;
}

static MkFound *search(MkArchive *archive, ArchiveStore *store, const MkFind *find,
                       FindQueries *queries, const GArray *folders, uint64_t conversation,
                       GError **error)
{
    MkSearch search = { .query = queries->query,
                        .fields = queries->fields,
                        .from = queries->from,
                        .recipients = queries->recipients,
                        .folders = (const uint32_t *) (void *) folders->data,
                        .folder_count = folders->len,
                        .with_envelope = mk_principal_is_admin(archive, find->principal),
                        .date_from_unix_ms = find->date_from_unix_ms,
                        .date_to_unix_ms = find->date_to_unix_ms,
                        .archived_from_unix_ms = find->archived_from_unix_ms,
                        .archived_to_unix_ms = find->archived_to_unix_ms,
                        .size_min_bytes = find->size_min_bytes,
                        .size_max_bytes = find->size_max_bytes,
                        .flags_any = find->text_flags,
                        .conversation = conversation,
                        .group = find->group,
                        .sort = find->sort,
                        .ascending = find->ascending,
                        .offset = find->offset,
                        .limit = find->limit,
                        .cancelled = find->cancelled };
    g_autoptr(MkSearchResult) result = NULL;
    MkFound *found;

    put_importance(find, &search);
    put_attachments(find, &search);
    result = store_search(archive, store, &search, error);
    if (result == NULL)
        return NULL;
    find_queries_ready(queries);
    queries->with_envelope = search.with_envelope;
    found = found_of_result(store, queries, result);
    if (find->with_snippets)
        snippets_add(store, queries, found, find->cancelled);
    return found;
}

MkSearchResult *store_search(MkArchive *archive, ArchiveStore *store, const MkSearch *search,
                             GError **error)
{
    GError *failed = NULL;
    MkSearchResult *result = mk_index_search(store->index, search, &failed);

    if (result != NULL)
        return result;
    if (g_error_matches(failed, MK_ERROR, MK_ERROR_CORRUPT))
        index_status_damaged(archive, store, failed->message);
    g_propagate_error(error, failed);
    return NULL;
}

/* -- the question ---------------------------------------------------------------------------- */
static bool check(MkArchive *archive, const MkFind *find, GError **error)
{
    if (find->limit == 0 || find->limit > MK_LIMIT_SEARCH_PAGE)
        return mk_fail(error, MK_ERROR_INVALID, "a page has 1 to %d mails", MK_LIMIT_SEARCH_PAGE);
    if (find->store_id == 0)
        return true;
    if (!mk_principal_is_admin(archive, find->principal))
        return mk_fail(error, MK_ERROR_DENIED, "only administrators may choose a store");
    return store_find(archive, find->store_id) != NULL ||
           mk_fail(error, MK_ERROR_NOT_FOUND, "there is no archive store %u", find->store_id);
}

/*
 * The number of the conversation; 0 in it when the mail stands alone: it has no Message-ID, or is
 * not indexed yet. False: there is no such mail for this principal.
 */
static bool conversation_get(MkArchive *archive, const MkFind *find, uint64_t *out, GError **error)
{
    ArchiveStore *store =
        mail_store(archive, find->principal, *find->conversation_of, NULL, NULL, error);
    g_auto(MkIndexedMail) indexed = { 0 };
    g_autoptr(GError) failed = NULL;

    *out = 0;
    if (store == NULL)
        return false;
    if (mk_index_mail(store->index, find->conversation_of->number, &indexed, &failed)) {
        *out = indexed.conversation;
        return true;
    }
    if (g_error_matches(failed, MK_ERROR, MK_ERROR_NOT_FOUND))
        return true;
    g_propagate_error(error, g_steal_pointer(&failed));
    return false;
}

static MkFound *find_in_store(MkArchive *archive, ArchiveStore *store, const MkFind *find,
                              uint64_t conversation, GError **error)
{
    g_auto(FindQueries) queries = { 0 };
    g_auto(Sight) sight = { 0 };
    g_autoptr(GArray) folders = NULL;

    if (!parse_words(find, &queries, error))
        return NULL;
    sight_init(&sight, archive, find->principal);
    folders = searched_folders(store, find, &sight, error);
    if (folders == NULL)
        return NULL;
    /* To the index an empty list could mean all. */
    if (folders->len == 0 || find->attachments == MK_ATTACHMENTS_NEITHER)
        return found_new();
    return search(archive, store, find, &queries, folders, conversation, error);
}

MkFound *mk_archive_find(MkArchive *archive, const MkFind *find, GError **error)
{
    /* With more stores than one their pages are joined here. */
    ArchiveStore *store =
        find->store_id != 0 ? store_find(archive, find->store_id) : store_current(archive);
    uint64_t conversation = 0;
    MkMailId id;

    if (!check(archive, find, error) ||
        (find->conversation_of != NULL && !conversation_get(archive, find, &conversation, error)))
        return NULL;
    if (find->conversation_of != NULL && conversation == 0)
        return find_by_id(archive, find, *find->conversation_of, error);
    if (is_mail_id(find->query, &id))
        return find_by_id(archive, find, id, error);
    return find_in_store(archive, store, find, conversation, error);
}
