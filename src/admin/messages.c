/*
 * messages.c - search and fetch
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "internal.h"

#define DAY_MS 86400000

/* Base64 of a mail in one JSON answer; larger ones come by the web port's raw route. */
#define CONTENT_MAX_BYTES (64u << 20)

static bool sort_parse(const char *text, MkSort *out, GError **error)
{
    static const struct {
        const char *name;
        MkSort sort;
    } sorts[] = {
        { "date", MK_SORT_DATE },         { "from", MK_SORT_FROM }, { "subject", MK_SORT_SUBJECT },
        { "archived", MK_SORT_ARCHIVED }, { "size", MK_SORT_SIZE },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(sorts); i++)
        if (strcmp(sorts[i].name, text) == 0) {
            *out = sorts[i].sort;
            return true;
        }
    return mk_fail(error, MK_ERROR_INVALID, "sort must be date, from, subject, archived or size.");
}

static bool order_parse(const char *text, bool *out_ascending, GError **error)
{
    *out_ascending = strcmp(text, "asc") == 0;
    return *out_ascending || strcmp(text, "desc") == 0 ||
           mk_fail(error, MK_ERROR_INVALID, "order must be asc or desc.");
}

/* YYYY-MM-DD or YYYY-MM-DDThh:mm:ss, UTC; *out_is_day tells the first. */
static bool date_parse(const char *name, const char *text, int64_t *out_ms, bool *out_is_day,
                       GError **error)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autofree char *full = NULL;
    g_autoptr(GDateTime) date = NULL;

    *out_is_day = strlen(text) == strlen("YYYY-MM-DD");
    full = g_strconcat(text, *out_is_day ? "T00:00:00" : "", NULL);
    date = g_date_time_new_from_iso8601(full, utc);
    if (date == NULL)
        return mk_fail(error, MK_ERROR_INVALID, "%s must be a date such as 2026-01-31.", name);
    *out_ms = g_date_time_to_unix(date) * 1000;
    return true;
}

static bool dates_parse(const Call *call, MkFind *find, GError **error)
{
    const char *from = admin_call_text(call, "from");
    const char *to = admin_call_text(call, "to");
    bool is_day;

    if (from == NULL && to == NULL)
        return true;
    find->date_from_unix_ms = INT64_MIN; /* an end that is left out is open */
    find->date_to_unix_ms = INT64_MAX;
    if (from != NULL && !date_parse("from", from, &find->date_from_unix_ms, &is_day, error))
        return false;
    if (to == NULL)
        return true;
    if (!date_parse("to", to, &find->date_to_unix_ms, &is_day, error))
        return false;
    /* both ends are inclusive (search-syntax.md 4): a day counts to its end */
    find->date_to_unix_ms += is_day ? DAY_MS - 1 : 999;
    return true;
}

static bool find_from_call(const Call *call, MkFind *find, GError **error)
{
    const char *sort = admin_call_text(call, "sort");
    const char *order = admin_call_text(call, "order");
    int64_t offset = admin_call_number(call, "offset", 0);
    int64_t limit = admin_call_number(call, "limit", 50);

    if (offset < 0)
        return mk_fail(error, MK_ERROR_INVALID, "offset must not be negative.");
    if (limit < 1 || limit > MK_LIMIT_SEARCH_PAGE)
        return mk_fail(error, MK_ERROR_LIMIT, "limit must be between 1 and %d.",
                       MK_LIMIT_SEARCH_PAGE);
    find->principal = call->principal;
    find->query = admin_call_string(call, "query");
    find->folder = admin_call_text(call, "folder");
    find->offset = (uint64_t) offset;
    find->limit = (unsigned) limit;
    return (sort == NULL || sort_parse(sort, &find->sort, error)) &&
           (order == NULL || order_parse(order, &find->ascending, error)) &&
           dates_parse(call, find, error);
}

static void add_mail(Call *call, yyjson_mut_val *object, const MkFoundMail *mail)
{
    char id[24];

    mk_mail_id_format(mail->id, id);
    admin_json_add_string(call->doc, object, "id", id);
    admin_json_add_string(call->doc, object, "subject", mail->subject);
    admin_json_add_string(call->doc, object, "from", mail->from);
    admin_json_add_string(call->doc, object, "to", mail->to);
    admin_json_add_time(call->doc, object, "date", mail->date_unix_ms);
    admin_json_add_time(call->doc, object, "archived", mail->archived_unix_ms);
    admin_json_add_number(call->doc, object, "size", (int64_t) mail->size_bytes);
    admin_json_add_string(call->doc, object, "folder", mail->folder);
    admin_json_add_bool(call->doc, object, "hasAttachments",
                        (mail->flags & MK_MAIL_HAS_ATTACHMENTS) != 0);
}

bool fn_search_messages(Call *call, GError **error)
{
    MkFind find = { 0 };
    g_autoptr(MkFound) found = NULL;
    yyjson_mut_val *items;

    if (!find_from_call(call, &find, error))
        return false;
    found = mk_archive_find(admin_call_archive(call), &find, error);
    if (found == NULL)
        return false;
    call->result = yyjson_mut_obj(call->doc);
    admin_json_add_number(call->doc, call->result, "total", (int64_t) found->total);
    items = yyjson_mut_obj_add_arr(call->doc, call->result, "items");
    for (guint i = 0; i < found->hits->len; i++)
        add_mail(call, yyjson_mut_arr_add_obj(call->doc, items), found->hits->pdata[i]);
    return true;
}

static bool id_from_call(const Call *call, MkMailId *out, GError **error)
{
    return mk_mail_id_parse(admin_call_string(call, "id"), out) ||
           mk_fail(error, MK_ERROR_INVALID, "id must read <store_id>:<message_num>.");
}

static bool add_content(Call *call, GBytes *content, GError **error)
{
    gsize length;
    const uint8_t *data = g_bytes_get_data(content, &length);
    g_autofree char *text = NULL;

    if (length > CONTENT_MAX_BYTES)
        return mk_fail(error, MK_ERROR_LIMIT,
                       "The message is too large for this function; fetch it by the web port.");
    text = g_base64_encode(data, length);
    admin_json_add_number(call->doc, call->result, "size", (int64_t) length);
    admin_json_add_string(call->doc, call->result, "encoding", "base64");
    admin_json_add_string(call->doc, call->result, "content", text);
    return true;
}

bool fn_get_message_content(Call *call, GError **error)
{
    MkMailId id;
    g_autoptr(GBytes) content = NULL;

    if (!id_from_call(call, &id, error))
        return false;
    content = mk_archive_mail_read(admin_call_archive(call), call->principal, id, error);
    if (content == NULL)
        return false;
    call->result = yyjson_mut_obj(call->doc);
    admin_json_add_string(call->doc, call->result, "id", admin_call_string(call, "id"));
    return add_content(call, content, error);
}

static void add_arrival(Call *call, yyjson_mut_val *object, const MkArrival *arrival)
{
    const MkEnvelope *envelope = arrival->envelope;
    g_autoptr(GPtrArray) paths = g_ptr_array_new();

    g_ptr_array_extend(paths, envelope->forward_paths, NULL, NULL);
    g_ptr_array_add(paths, NULL);
    admin_json_add_time(call->doc, object, "time", arrival->arrived_unix_ms);
    admin_json_add_string(call->doc, object, "reversePath", envelope->reverse_path);
    admin_json_add_list(call->doc, object, "forwardPaths", (const char *const *) paths->pdata);
    admin_json_add_string(call->doc, object, "clientAddress", envelope->client_address);
    admin_json_add_string(call->doc, object, "tls", envelope->tls);
    admin_json_add_bool(call->doc, object, "hasReport", arrival->has_report);
    admin_json_add_number(call->doc, object, "reportSize", (int64_t) arrival->report_size_bytes);
}

bool fn_get_message_arrivals(Call *call, GError **error)
{
    MkMailId id;
    g_autoptr(GPtrArray) arrivals = NULL;

    if (!id_from_call(call, &id, error))
        return false;
    arrivals = mk_archive_arrivals(admin_call_archive(call), call->principal, id, error);
    if (arrivals == NULL)
        return false;
    call->result = yyjson_mut_arr(call->doc);
    for (guint i = 0; i < arrivals->len; i++)
        add_arrival(call, yyjson_mut_arr_add_obj(call->doc, call->result), arrivals->pdata[i]);
    return true;
}

bool fn_get_message_report(Call *call, GError **error)
{
    int64_t arrival = admin_call_number(call, "arrival", 0);
    g_autoptr(GBytes) report = NULL;
    MkMailId id;

    if (!id_from_call(call, &id, error))
        return false;
    if (arrival < 0 || arrival > UINT32_MAX)
        return mk_fail(error, MK_ERROR_NOT_FOUND, "There is no such arrival.");
    report = mk_archive_report_read(admin_call_archive(call), call->principal, id,
                                    (unsigned) arrival, error);
    if (report == NULL)
        return false;
    call->result = yyjson_mut_obj(call->doc);
    admin_json_add_string(call->doc, call->result, "id", admin_call_string(call, "id"));
    return add_content(call, report, error);
}
