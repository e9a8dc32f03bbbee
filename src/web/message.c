/*
 * message.c - GET /api/v1/messages/<id> and .../headers: a mail to be read by a person
 *
 * HTML is given as text; whoever shows it does so in a sandboxed frame. Text is cut at
 * MK_LIMIT_WEB_TEXT_BYTES in all; what is not shown can be had as an attachment.
 */
#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>
#include <mailkeep/mail.h>

#include "internal.h"

bool web_mail_read(WebCall *call, GError **error)
{
    return mk_mail_id_parse(call->segments[0], &call->id) ||
           mk_fail(error, MK_ERROR_NOT_FOUND, "There is no such message.");
}

/* -- the message ----------------------------------------------------------------------------- */
static void put_addresses(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key,
                          const GPtrArray *addresses)
{
    yyjson_mut_val *list = web_json_array(doc, object, key);

    for (guint i = 0; i < addresses->len && i < MK_LIMIT_WEB_ADDRESSES; i++) {
        const MkAddress *address = addresses->pdata[i];
        yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, list);
        web_json_string(doc, item, "name", address->name);
        web_json_string(doc, item, "address", address->address);
    }
}

/* Of the mail or of the journal report it came in: something of it could not be read. */
static bool is_malformed(const MkFoundMail *found, const MkMailSummary *summary)
{
    return summary->is_malformed ||
           (found->flags & (MK_MAIL_MALFORMED | MK_MAIL_JOURNAL_BROKEN)) != 0;
}

static void put_summary(yyjson_mut_doc *doc, yyjson_mut_val *root, const MkFoundMail *found,
                        const uint8_t *data, size_t length)
{
    g_autoptr(MkMailSummary) summary = mk_mail_summary(data, length);
    yyjson_mut_val *object = yyjson_mut_obj(doc);

    yyjson_mut_obj_add_val(doc, root, "summary", object);
    web_json_string(doc, object, "subject", summary->subject);
    put_addresses(doc, object, "from", summary->from);
    put_addresses(doc, object, "to", summary->to);
    put_addresses(doc, object, "cc", summary->cc);
    put_addresses(doc, object, "bcc", summary->bcc);
    web_json_date(doc, object, "date", summary->date_unix_ms);
    web_json_string(doc, object, "messageId", summary->message_id);
    yyjson_mut_obj_add_int(doc, object, "importance", summary->importance);
    yyjson_mut_obj_add_bool(doc, object, "isEncrypted", summary->is_encrypted);
    yyjson_mut_obj_add_bool(doc, object, "isMalformed", is_malformed(found, summary));
}

static bool is_readable(const MkPart *part)
{
    return !part->is_attachment &&
           (strcmp(part->type, "text/plain") == 0 || strcmp(part->type, "text/html") == 0);
}

/* The text's length, 0 when there is none to show. */
static size_t put_text(yyjson_mut_doc *doc, yyjson_mut_val *list, const MkPart *part, GBytes *mail,
                       size_t room)
{
    gsize length = 0;
    const uint8_t *data = g_bytes_get_data(mail, &length);
    g_autofree char *text = mk_mail_part_text(data, length, part->number, room, NULL);
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, list);

    yyjson_mut_obj_add_uint(doc, object, "n", part->number);
    web_json_string(doc, object, "type", part->type);
    web_json_string(doc, object, "text", text != NULL ? text : "");
    /* Conversion cuts between characters, so the last few octets of the room may stay unused. */
    size_t text_length = text != NULL ? strlen(text) : 0;
    yyjson_mut_obj_add_bool(doc, object, "truncated", text == NULL || text_length + 6 > room);
    return text_length;
}

/* What became of the part's text in the index; nulls: not known (yet). */
static void put_text_result(yyjson_mut_doc *doc, yyjson_mut_val *object, const GArray *texts,
                            unsigned part)
{
    for (guint i = 0; i < texts->len; i++) {
        const MkAttachmentText *text = &g_array_index(texts, MkAttachmentText, i);

        if (text->part != part)
            continue;
        web_json_string(doc, object, "textResult", mk_text_result_name(text->result));
        yyjson_mut_obj_add_uint(doc, object, "textSize", text->text_bytes);
        return;
    }
    web_json_string(doc, object, "textResult", NULL);
    yyjson_mut_obj_add_null(doc, object, "textSize");
}

static void put_attachment(yyjson_mut_doc *doc, yyjson_mut_val *list, const MkPart *part,
                           const GArray *texts)
{
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, list);

    yyjson_mut_obj_add_uint(doc, object, "n", part->number);
    web_json_string(doc, object, "name", part->file_name);
    web_json_string(doc, object, "type", part->type);
    yyjson_mut_obj_add_uint(doc, object, "size", part->size_bytes);
    web_json_string(doc, object, "contentId", part->content_id);
    yyjson_mut_obj_add_bool(doc, object, "isInline", !part->is_attachment);
    put_text_result(doc, object, texts, part->number);
}

static void put_parts(yyjson_mut_doc *doc, yyjson_mut_val *root, GBytes *mail,
                      const GArray *indexed)
{
    gsize length = 0;
    const uint8_t *data = g_bytes_get_data(mail, &length);
    g_autoptr(GPtrArray) parts = mk_mail_parts(data, length);
    yyjson_mut_val *texts = web_json_array(doc, root, "parts");
    yyjson_mut_val *attachments = web_json_array(doc, root, "attachments");
    size_t room = MK_LIMIT_WEB_TEXT_BYTES;
    unsigned shown = 0; /* each text is found by a parse of the whole mail */

    for (guint i = 0; i < parts->len; i++) {
        const MkPart *part = parts->pdata[i];
        if (!is_readable(part) || room == 0 || shown++ >= MK_LIMIT_WEB_TEXT_PARTS) {
            put_attachment(doc, attachments, part, indexed);
            continue;
        }
        size_t used = put_text(doc, texts, part, mail, room);
        room -= MIN(room, used);
    }
}

bool web_message_run(WebCall *call, GError **error)
{
    g_autoptr(MkFoundMail) found =
        mk_archive_mail_get(call->archive, call->principal, call->id, error);
    if (found == NULL)
        return false;
    g_autoptr(GBytes) mail = mk_archive_mail_read(call->archive, call->principal, call->id, error);
    if (mail == NULL)
        return false;
    g_autoptr(GArray) texts =
        mk_archive_attachment_texts(call->archive, call->principal, call->id, error);
    if (texts == NULL)
        return false;
    gsize length = 0;
    const uint8_t *data = g_bytes_get_data(mail, &length);
    yyjson_mut_val *root;
    call->json = web_json_new(&root);
    web_json_found_mail(call->json, root, found);
    put_summary(call->json, root, found, data, length);
    put_parts(call->json, root, mail, texts);
    return true;
}

/* -- the header ------------------------------------------------------------------------------- */
static size_t line_length(const char *data, size_t length)
{
    const char *end = memchr(data, '\n', length);

    return end != NULL ? (size_t) (end - data) + 1 : length;
}

static bool is_empty_line(const char *line, size_t length)
{
    return length == 0 || line[0] == '\n' || (length >= 2 && line[0] == '\r' && line[1] == '\n');
}

/* Up to the empty line, which is not counted; bounded. */
static size_t header_length(const char *data, size_t length, bool *out_truncated)
{
    size_t at = 0;

    while (at < length && !is_empty_line(data + at, length - at)) {
        size_t line = line_length(data + at, length - at);
        if (at + line > MK_LIMIT_HEADER_BYTES) {
            *out_truncated = true;
            return at;
        }
        at += line;
    }
    return at;
}

/* A line and those that continue it. */
static size_t field_length(const char *data, size_t length)
{
    size_t at = line_length(data, length);

    while (at < length && (data[at] == ' ' || data[at] == '\t'))
        at += line_length(data + at, length - at);
    return at;
}

static void put_field(yyjson_mut_doc *doc, yyjson_mut_val *list, const char *field, size_t length)
{
    const char *colon = memchr(field, ':', length);
    size_t name_length = colon != NULL ? (size_t) (colon - field) : 0;
    size_t value_at = colon != NULL ? name_length + 1 : 0;
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, list);

    while (length > value_at && (field[length - 1] == '\n' || field[length - 1] == '\r'))
        length--;
    while (value_at < length && (field[value_at] == ' ' || field[value_at] == '\t'))
        value_at++;
    web_json_octets(doc, object, "name", field, name_length);
    web_json_octets(doc, object, "value", field + value_at, length - value_at);
}

bool web_headers_run(WebCall *call, GError **error)
{
    g_autoptr(GBytes) mail = mk_archive_mail_read(call->archive, call->principal, call->id, error);
    if (mail == NULL)
        return false;
    gsize mail_length = 0;
    const char *data = g_bytes_get_data(mail, &mail_length);
    bool truncated = false;
    size_t length = header_length(data, mail_length, &truncated);
    yyjson_mut_val *root;
    call->json = web_json_new(&root);
    yyjson_mut_val *list = web_json_array(call->json, root, "headers");
    unsigned count = 0;
    for (size_t at = 0; at < length && count < MK_LIMIT_HEADER_FIELDS; count++) {
        size_t field = field_length(data + at, length - at);
        put_field(call->json, list, data + at, field);
        at += field;
    }
    web_json_octets(call->json, root, "raw", data, length);
    yyjson_mut_obj_add_bool(call->json, root, "truncated",
                            truncated || count == MK_LIMIT_HEADER_FIELDS);
    return true;
}
