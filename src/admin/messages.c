/*
 * messages.c - search and fetch
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "internal.h"

/* Base64 of a mail in one JSON answer; larger ones come by the web port's raw route. */
#define CONTENT_MAX_BYTES (64u << 20)

/* Criteria as arguments of the call; what the web calls q is query here, and its order does not
 * depend on what is sorted by. */
static const char *criterion(const char *name, void *cookie)
{
    const Call *call = cookie;
    const char *text = admin_call_string(call, strcmp(name, "q") == 0 ? "query" : name);

    if (strcmp(name, "order") == 0 && (text == NULL || text[0] == '\0'))
        return "desc";
    if (strcmp(name, "subfolders") == 0)
        return admin_call_bool(call, name, true) ? "true" : "false";
    return text;
}

static bool page_from_call(const Call *call, MkFind *find, GError **error)
{
    int64_t offset = admin_call_number(call, "offset", 0);
    int64_t limit = admin_call_number(call, "limit", 50);

    if (offset < 0)
        return mk_fail(error, MK_ERROR_INVALID, "offset must not be negative.");
    if (limit < 1 || limit > MK_LIMIT_SEARCH_PAGE)
        return mk_fail(error, MK_ERROR_LIMIT, "limit must be between 1 and %d.",
                       MK_LIMIT_SEARCH_PAGE);
    find->principal = call->principal;
    find->offset = (uint64_t) offset;
    find->limit = (unsigned) limit;
    find->with_snippets = admin_call_bool(call, "snippets", false);
    return true;
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

static void add_group(Call *call, yyjson_mut_val *object, const MkFoundMail *mail)
{
    yyjson_mut_val *list;

    admin_json_add_number(call->doc, object, "groupCount", mail->group_count);
    list = yyjson_mut_obj_add_arr(call->doc, object, "group");
    for (guint i = 0; mail->group_ids != NULL && i < mail->group_ids->len; i++) {
        char id[24];

        mk_mail_id_format(g_array_index(mail->group_ids, MkMailId, i), id);
        yyjson_mut_arr_add_strcpy(call->doc, list, id);
    }
}

static void add_snippet(Call *call, yyjson_mut_val *object, const MkFoundMail *mail)
{
    yyjson_mut_val *list;

    admin_json_add_string(call->doc, object, "snippet",
                          mail->snippet == NULL ? NULL : mail->snippet->text);
    if (mail->in_attachments == NULL)
        return;
    list = yyjson_mut_obj_add_arr(call->doc, object, "inAttachments");
    for (guint i = 0; i < mail->in_attachments->len; i++)
        yyjson_mut_arr_add_strcpy(call->doc, list, mail->in_attachments->pdata[i]);
}

static void add_found(Call *call, const MkFind *find, const MkFound *found)
{
    yyjson_mut_val *items;

    call->result = yyjson_mut_obj(call->doc);
    admin_json_add_number(call->doc, call->result, "total", (int64_t) found->total);
    admin_json_add_number(call->doc, call->result, "mailTotal", (int64_t) found->mail_total);
    items = yyjson_mut_obj_add_arr(call->doc, call->result, "items");
    for (guint i = 0; i < found->hits->len; i++) {
        const MkFoundMail *mail = found->hits->pdata[i];
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(call->doc, items);

        add_mail(call, object, mail);
        if (find->with_snippets)
            add_snippet(call, object, mail);
        if (find->group != MK_GROUP_NONE)
            add_group(call, object, mail);
    }
}

bool fn_search_messages(Call *call, GError **error)
{
    g_autoptr(MkFound) found = NULL;
    MkCriteria criteria;

    if (!mk_criteria_read(&criteria, criterion, call, error))
        return false;
    if (page_from_call(call, &criteria.find, error))
        found = mk_archive_find(admin_call_archive(call), &criteria.find, error);
    if (found != NULL)
        add_found(call, &criteria.find, found);
    mk_criteria_clear(&criteria);
    return found != NULL;
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
