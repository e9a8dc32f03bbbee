/*
 * download.c - GET .../raw and .../attachments/<n>: octets as they are, never shown by a browser
 */
#include <mailkeep/base.h>
#include <mailkeep/mail.h>

#include "internal.h"

bool web_give_download(WebCall *call, GBytes *octets, const char *type, char *file_name,
                       GError **error)
{
    uint64_t size = g_bytes_get_size(octets);

    if (!web_budget_take(call->budget, size, error)) {
        g_bytes_unref(octets);
        g_free(file_name);
        return false;
    }
    call->body = web_budget_wrap(call->budget, octets, size);
    call->body_type = type;
    call->file_name = file_name;
    return true;
}

bool web_raw_run(WebCall *call, GError **error)
{
    GBytes *mail = mk_archive_mail_read(call->archive, call->principal, call->id, error);

    return mail != NULL &&
           web_give_download(call, mail, "message/rfc822",
                             g_strdup_printf("mail-%u-%u.eml", call->id.store_id, call->id.number),
                             error);
}

bool web_attachment_read(WebCall *call, GError **error)
{
    guint64 number = 0;

    if (!web_mail_read(call, error))
        return false;
    if (!g_ascii_string_to_unsigned(call->segments[1], 10, 1, G_MAXUINT32, &number, NULL))
        return mk_fail(error, MK_ERROR_NOT_FOUND, "There is no such attachment.");
    call->number = (unsigned) number;
    return true;
}

static char *part_name(const uint8_t *data, size_t length, unsigned number)
{
    g_autoptr(GPtrArray) parts = mk_mail_parts(data, length);

    for (guint i = 0; i < parts->len; i++) {
        const MkPart *part = parts->pdata[i];
        if (part->number == number && part->file_name[0] != '\0')
            return g_strdup(part->file_name);
    }
    return g_strdup_printf("part-%u", number);
}

bool web_attachment_run(WebCall *call, GError **error)
{
    g_autoptr(GBytes) mail = mk_archive_mail_read(call->archive, call->principal, call->id, error);
    if (mail == NULL)
        return false;
    gsize length = 0;
    const uint8_t *data = g_bytes_get_data(mail, &length);
    GBytes *content = mk_mail_part_content(data, length, call->number, error);
    if (content == NULL)
        return false;
    return web_give_download(call, content, "application/octet-stream",
                             part_name(data, length, call->number), error);
}
