/*
 * find.c - GET /api/v1/messages, /api/v1/search and .../conversation: a page of mails
 *
 * Arguments are copied on the loop and understood on the lane, since those of a saved search come
 * from the disk.
 */
#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>

#include "internal.h"

#define PAGE_DEFAULT 50

/* -- arguments --------------------------------------------------------------------------------- */
static void copy_argument(WebCall *call, const char *name)
{
    const char *text = mk_http_query(call->request, name);

    if (text != NULL && *text != '\0') /* left empty counts as left out */
        g_hash_table_replace(call->arguments, g_strdup(name), g_strdup(text));
}

static void copy_arguments(WebCall *call, const char *const *names)
{
    if (call->arguments == NULL)
        call->arguments = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (; *names != NULL; names++)
        copy_argument(call, *names);
}

static const char *argument(const char *name, void *cookie)
{
    return g_hash_table_lookup(((const WebCall *) cookie)->arguments, name);
}

bool web_read_number(const WebCall *call, const char *name, guint64 min, guint64 max, guint64 *out,
                     GError **error)
{
    const char *text = g_hash_table_lookup(call->arguments, name);

    if (text == NULL)
        return true;
    return g_ascii_string_to_unsigned(text, 10, min, max, out, NULL) ||
           mk_fail(error, MK_ERROR_INVALID,
                   "%s must be a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT ".", name,
                   min, max);
}

static bool read_page(WebCall *call, MkFind *find, GError **error)
{
    const char *snippets = g_hash_table_lookup(call->arguments, "snippets");
    guint64 offset = 0;
    guint64 limit = PAGE_DEFAULT;

    if (!web_read_number(call, "offset", 0, UINT32_MAX, &offset, error) ||
        !web_read_number(call, "limit", 1, MK_LIMIT_SEARCH_PAGE, &limit, error))
        return false;
    find->offset = offset;
    find->limit = (unsigned) limit;
    find->with_snippets =
        snippets != NULL && (strcmp(snippets, "1") == 0 || strcmp(snippets, "true") == 0);
    find->principal = call->principal;
    find->cancelled = &call->job.cancelled;
    return true;
}

static const char *const page_names[] = { "offset", "limit", "snippets", NULL };

bool web_messages_read(WebCall *call, GError **error)
{
    static const char *const names[] = { "folder", "sort", "order", NULL };

    (void) error;
    copy_arguments(call, names);
    copy_arguments(call, page_names);
    /* its own mails, not those of folders below it */
    g_hash_table_replace(call->arguments, g_strdup("subfolders"), g_strdup("false"));
    return true;
}

bool web_search_read(WebCall *call, GError **error)
{
    static const char *const names[] = { "saved", NULL };

    (void) error;
    copy_arguments(call, mk_criteria_names());
    copy_arguments(call, page_names);
    copy_arguments(call, names);
    return true;
}

bool web_conversation_read(WebCall *call, GError **error)
{
    static const char *const names[] = { "order", NULL };

    copy_arguments(call, names);
    copy_arguments(call, page_names);
    return web_mail_read(call, error);
}

bool web_suggest_read(WebCall *call, GError **error)
{
    static const char *const names[] = { "q", "limit", NULL };

    (void) error;
    copy_arguments(call, names);
    return true;
}

/* -- running it -------------------------------------------------------------------------------- */
static bool answer_found(WebCall *call, const MkFind *find, GError **error)
{
    g_autoptr(MkFound) found = mk_archive_find(call->archive, find, error);

    if (found == NULL)
        return false;
    yyjson_mut_val *root;
    call->json = web_json_new(&root);
    yyjson_mut_obj_add_uint(call->json, root, "total", found->total);
    yyjson_mut_obj_add_uint(call->json, root, "mailTotal", found->mail_total);
    yyjson_mut_val *items = web_json_array(call->json, root, "items");
    for (guint i = 0; i < found->hits->len; i++)
        web_json_hit(call->json, yyjson_mut_arr_add_obj(call->json, items), found->hits->pdata[i],
                     find->group != MK_GROUP_NONE);
    return true;
}

bool web_find_run(WebCall *call, GError **error)
{
    MkCriteria criteria;

    if (!web_saved_search_apply(call, error) || !mk_criteria_read(&criteria, argument, call, error))
        return false;
    bool good = read_page(call, &criteria.find, error) && answer_found(call, &criteria.find, error);
    mk_criteria_clear(&criteria);
    return good;
}

/* Oldest first, as a conversation is read. */
bool web_conversation_run(WebCall *call, GError **error)
{
    MkCriteria criteria;

    if (!mk_criteria_read(&criteria, argument, call, error))
        return false;
    criteria.find.ascending = g_strcmp0(argument("order", call), "desc") != 0;
    criteria.find.conversation_of = &call->id;
    bool good = read_page(call, &criteria.find, error) && answer_found(call, &criteria.find, error);
    mk_criteria_clear(&criteria);
    return good;
}

/* -- suggestions ------------------------------------------------------------------------------- */
static const char *kind_name(MkSuggestKind kind)
{
    switch (kind) {
    case MK_SUGGEST_WORD: return "word";
    case MK_SUGGEST_ADDRESS: return "address";
    case MK_SUGGEST_FOLDER: return "folder";
    }
    g_assert_not_reached();
}

bool web_suggest_run(WebCall *call, GError **error)
{
    const char *typed = argument("q", call);
    guint64 limit = 10;

    if (!web_read_number(call, "limit", 1, MK_LIMIT_SUGGESTIONS, &limit, error))
        return false;
    g_autoptr(GPtrArray) found =
        mk_archive_suggest(call->archive, call->principal, typed != NULL ? typed : "",
                           (unsigned) limit, &call->job.cancelled, error);
    if (found == NULL)
        return false;
    yyjson_mut_val *root;
    call->json = web_json_new(&root);
    yyjson_mut_val *list = web_json_array(call->json, root, "suggestions");
    for (guint i = 0; i < found->len; i++) {
        const MkFoundSuggestion *one = found->pdata[i];
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(call->json, list);
        web_json_string(call->json, object, "kind", kind_name(one->kind));
        web_json_string(call->json, object, "text", one->text);
        web_json_string(call->json, object, "detail", one->detail);
    }
    return true;
}
