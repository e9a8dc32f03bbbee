/*
 * find.c - GET /api/v1/messages and /api/v1/search: a page of mails and how many there are
 */
#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>

#include "internal.h"

#define PAGE_DEFAULT 50
#define DAY_MS INT64_C(86400000)
/* Open ends of a range of days: the years 1 and 9999. */
#define DATE_MIN_MS INT64_C(-62135596800000)
#define DATE_MAX_MS INT64_C(253402300799999)

static const struct {
    const char *name;
    MkSort sort;
    bool ascending; /* when `order` is left out: newest and largest first, texts from A */
} sorts[] = {
    { "date", MK_SORT_DATE, false },      { "archived", MK_SORT_ARCHIVED, false },
    { "size", MK_SORT_SIZE, false },      { "from", MK_SORT_FROM, true },
    { "subject", MK_SORT_SUBJECT, true },
};

/* An argument; left empty counts as left out. */
static const char *argument(const WebCall *call, const char *name)
{
    const char *text = mk_http_query(call->request, name);

    return text != NULL && *text != '\0' ? text : NULL;
}

static bool read_number(const WebCall *call, const char *name, guint64 min, guint64 max,
                        guint64 *out, GError **error)
{
    const char *text = argument(call, name);

    if (text == NULL)
        return true;
    return g_ascii_string_to_unsigned(text, 10, min, max, out, NULL) ||
           mk_fail(error, MK_ERROR_INVALID,
                   "%s must be a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT ".", name,
                   min, max);
}

static bool read_page(WebCall *call, GError **error)
{
    guint64 offset = 0;
    guint64 limit = PAGE_DEFAULT;

    if (!read_number(call, "offset", 0, UINT32_MAX, &offset, error) ||
        !read_number(call, "limit", 1, MK_LIMIT_SEARCH_PAGE, &limit, error))
        return false;
    call->find.offset = offset;
    call->find.limit = (unsigned) limit;
    return true;
}

static bool read_sort(WebCall *call, GError **error)
{
    const char *sort = argument(call, "sort");
    const char *order = argument(call, "order");
    size_t at = 0;

    while (at < G_N_ELEMENTS(sorts) && sort != NULL && strcmp(sorts[at].name, sort) != 0)
        at++;
    if (at == G_N_ELEMENTS(sorts))
        return mk_fail(error, MK_ERROR_INVALID,
                       "sort must be date, archived, size, from or subject.");
    call->find.sort = sorts[at].sort;
    call->find.ascending = order != NULL ? strcmp(order, "asc") == 0 : sorts[at].ascending;
    if (order != NULL && !call->find.ascending && strcmp(order, "desc") != 0)
        return mk_fail(error, MK_ERROR_INVALID, "order must be asc or desc.");
    return true;
}

static bool read_text(const WebCall *call, const char *name, size_t max_bytes, char **out,
                      GError **error)
{
    const char *text = argument(call, name);

    if (text == NULL)
        return true;
    if (strlen(text) > max_bytes)
        return mk_fail(error, MK_ERROR_LIMIT, "%s is longer than %zu octets.", name, max_bytes);
    *out = g_strdup(text);
    return true;
}

static bool read_common(WebCall *call, GError **error)
{
    if (!read_page(call, error) || !read_sort(call, error) ||
        !read_text(call, "folder", MK_LIMIT_FOLDER_PATH_BYTES, &call->folder, error))
        return false;
    call->find.folder = call->folder;
    call->find.cancelled = &call->job.cancelled;
    return true;
}

static bool two_digits(const char *text, int *out)
{
    *out = (text[0] - '0') * 10 + (text[1] - '0');
    return g_ascii_isdigit(text[0]) && g_ascii_isdigit(text[1]);
}

bool web_date_parse(const char *text, int64_t *out_unix_ms)
{
    int century;
    int year;
    int month;
    int day;

    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-' || !two_digits(text, &century) ||
        !two_digits(text + 2, &year) || !two_digits(text + 5, &month) ||
        !two_digits(text + 8, &day))
        return false;
    g_autoptr(GDateTime) date = g_date_time_new_utc(century * 100 + year, month, day, 0, 0, 0);
    if (date == NULL) /* there is no such day */
        return false;
    *out_unix_ms = g_date_time_to_unix(date) * 1000;
    return true;
}

static bool read_date(const WebCall *call, const char *name, int64_t *out_unix_ms, GError **error)
{
    const char *text = argument(call, name);

    if (text == NULL || web_date_parse(text, out_unix_ms))
        return true;
    return mk_fail(error, MK_ERROR_INVALID, "%s must be a date of the form YYYY-MM-DD.", name);
}

static bool read_dates(WebCall *call, GError **error)
{
    int64_t from_ms = DATE_MIN_MS;
    int64_t to_ms = DATE_MAX_MS - DAY_MS + 1;

    if (!read_date(call, "from", &from_ms, error) || !read_date(call, "to", &to_ms, error))
        return false;
    if (from_ms > to_ms)
        return mk_fail(error, MK_ERROR_INVALID, "from must not be behind to.");
    if (from_ms != DATE_MIN_MS || to_ms != DATE_MAX_MS - DAY_MS + 1) {
        call->find.date_from_unix_ms = from_ms;
        call->find.date_to_unix_ms = to_ms + DAY_MS - 1; /* the whole of the last day */
    }
    return true;
}

bool web_messages_read(WebCall *call, GError **error)
{
    call->find.only_folder = true;
    return read_common(call, error);
}

bool web_search_read(WebCall *call, GError **error)
{
    if (!read_common(call, error) || !read_dates(call, error) ||
        !read_text(call, "q", MK_LIMIT_QUERY_BYTES, &call->query, error))
        return false;
    call->find.query = call->query;
    return true;
}

/* `user/Journal Incoming` and what is below it */
static bool is_below(const char *path, const char *name)
{
    const char *slash = strchr(path, '/');
    size_t length = strlen(name);

    return slash != NULL && strncmp(slash + 1, name, length) == 0 &&
           (slash[1 + length] == '\0' || slash[1 + length] == '/');
}

const char *web_folder_kind(const char *path)
{
    if (path != NULL && is_below(path, MK_FOLDER_INCOMING))
        return "in";
    return path != NULL && is_below(path, MK_FOLDER_OUTGOING) ? "out" : "other";
}

void web_json_found_mail(yyjson_mut_doc *doc, yyjson_mut_val *object, const MkFoundMail *mail)
{
    char id[24];

    mk_mail_id_format(mail->id, id);
    web_json_string(doc, object, "id", id);
    web_json_string(doc, object, "subject", mail->subject);
    web_json_string(doc, object, "from", mail->from);
    web_json_string(doc, object, "to", mail->to);
    web_json_date(doc, object, "date", mail->date_unix_ms);
    web_json_date(doc, object, "archived", mail->archived_unix_ms);
    yyjson_mut_obj_add_uint(doc, object, "size", mail->size_bytes);
    web_json_string(doc, object, "folder", mail->folder);
    yyjson_mut_obj_add_bool(doc, object, "hasAttachments",
                            (mail->flags & MK_MAIL_HAS_ATTACHMENTS) != 0);
    web_json_string(doc, object, "kind", web_folder_kind(mail->folder));
}

bool web_find_run(WebCall *call, GError **error)
{
    call->find.principal = call->principal; /* with Basic it is known only now */
    g_autoptr(MkFound) found = mk_archive_find(call->archive, &call->find, error);

    if (found == NULL)
        return false;
    yyjson_mut_val *root;
    call->json = web_json_new(&root);
    yyjson_mut_obj_add_uint(call->json, root, "total", found->total);
    yyjson_mut_val *items = web_json_array(call->json, root, "items");
    for (guint i = 0; i < found->hits->len; i++)
        web_json_found_mail(call->json, yyjson_mut_arr_add_obj(call->json, items),
                            found->hits->pdata[i]);
    return true;
}
