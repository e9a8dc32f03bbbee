/*
 * hit.c - one mail in a list: what is shown of it, where words were found, who belongs to it
 */
#include <string.h>

#include "internal.h"

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

/* -- where words were found --------------------------------------------------------------------- */
/* As a browser counts: characters beyond the first plane are two. */
static unsigned utf16_units(const char *text, size_t length)
{
    unsigned units = 0;

    for (const char *p = text; p < text + length; p = g_utf8_next_char(p))
        units += g_utf8_get_char(p) > 0xffff ? 2 : 1;
    return units;
}

static void add_range(yyjson_mut_doc *doc, yyjson_mut_val *list, unsigned offset, unsigned length)
{
    yyjson_mut_val *pair = yyjson_mut_arr(doc);

    yyjson_mut_arr_add_uint(doc, pair, offset);
    yyjson_mut_arr_add_uint(doc, pair, length);
    yyjson_mut_arr_append(list, pair);
}

yyjson_mut_val *web_json_ranges(yyjson_mut_doc *doc, const char *text, const GArray *ranges)
{
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    size_t at = 0, end = strlen(text);
    unsigned units = 0;

    if (!g_utf8_validate(text, -1, NULL)) /* it is shown otherwise than it is */
        return list;
    for (guint i = 0; ranges != NULL && i < ranges->len; i++) {
        const MkRange *range = &g_array_index(ranges, MkRange, i);

        if (range->offset < at || range->offset > end || range->length > end - range->offset)
            continue;
        units += utf16_units(text + at, range->offset - at);
        unsigned length = utf16_units(text + range->offset, range->length);
        add_range(doc, list, units, length);
        units += length;
        at = (size_t) range->offset + range->length;
    }
    return list;
}

static void put_ranges(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key,
                       const char *text, const GArray *ranges)
{
    if (text != NULL && ranges != NULL && ranges->len > 0)
        yyjson_mut_obj_add_val(doc, object, key, web_json_ranges(doc, text, ranges));
}

static void put_highlights(yyjson_mut_doc *doc, yyjson_mut_val *object, const MkFoundMail *mail)
{
    yyjson_mut_val *highlights = yyjson_mut_obj(doc);

    yyjson_mut_obj_add_val(doc, object, "highlights", highlights);
    put_ranges(doc, highlights, "subject", mail->subject, mail->subject_ranges);
    put_ranges(doc, highlights, "from", mail->from, mail->from_ranges);
    put_ranges(doc, highlights, "to", mail->to, mail->to_ranges);
}

static void put_snippet(yyjson_mut_doc *doc, yyjson_mut_val *object, const MkSnippet *snippet)
{
    yyjson_mut_val *value = yyjson_mut_obj(doc);

    yyjson_mut_obj_add_val(doc, object, "snippet", value);
    web_json_string(doc, value, "text", snippet->text);
    yyjson_mut_obj_add_val(doc, value, "highlights",
                           web_json_ranges(doc, snippet->text, snippet->ranges));
    yyjson_mut_obj_add_bool(doc, value, "cutBefore", snippet->cut_before);
    yyjson_mut_obj_add_bool(doc, value, "cutAfter", snippet->cut_after);
}

/* There is no text to show, but it is known where it is. */
static void put_in_attachments(yyjson_mut_doc *doc, yyjson_mut_val *object, const GPtrArray *names)
{
    yyjson_mut_val *list;

    yyjson_mut_obj_add_null(doc, object, "snippet");
    list = web_json_array(doc, object, "inAttachments");
    for (guint i = 0; i < names->len; i++)
        yyjson_mut_arr_add_strcpy(doc, list, names->pdata[i]);
}

static void put_group(yyjson_mut_doc *doc, yyjson_mut_val *object, const MkFoundMail *mail)
{
    yyjson_mut_obj_add_uint(doc, object, "groupCount", mail->group_count);
    yyjson_mut_val *list = web_json_array(doc, object, "group");
    for (guint i = 0; mail->group_ids != NULL && i < mail->group_ids->len; i++) {
        char id[24];

        mk_mail_id_format(g_array_index(mail->group_ids, MkMailId, i), id);
        yyjson_mut_arr_add_strcpy(doc, list, id);
    }
}

void web_json_hit(yyjson_mut_doc *doc, yyjson_mut_val *object, const MkFoundMail *mail,
                  bool is_grouped)
{
    web_json_found_mail(doc, object, mail);
    put_highlights(doc, object, mail);
    if (mail->snippet != NULL)
        put_snippet(doc, object, mail->snippet);
    if (mail->in_attachments != NULL)
        put_in_attachments(doc, object, mail->in_attachments);
    if (is_grouped)
        put_group(doc, object, mail);
}
