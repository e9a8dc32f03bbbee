/*
 * gateway_mailboxes.c - the addresses to which journals are sent (GW-02, GW-03)
 */
#include <string.h>

#include "internal.h"

static const char *mode_name(MkGatewayMode mode)
{
    switch (mode) {
    case MK_GATEWAY_ARCHIVE: return "archive";
    case MK_GATEWAY_SPOOL: return "spool";
    }
    g_assert_not_reached();
}

bool fn_get_gateway_mailboxes(Call *call, GError **error)
{
    g_autoptr(GPtrArray) mailboxes = mk_archive_gateway_mailboxes(admin_call_archive(call));

    (void) error;
    call->result = yyjson_mut_arr(call->doc);
    for (guint i = 0; i < mailboxes->len; i++) {
        const MkGatewayMailbox *mailbox = mailboxes->pdata[i];
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(call->doc, call->result);

        admin_json_add_string(call->doc, object, "id", mailbox->id);
        admin_json_add_string(call->doc, object, "address", mailbox->address);
        admin_json_add_string(call->doc, object, "name", mailbox->name);
        admin_json_add_string(call->doc, object, "description", mailbox->description);
        admin_json_add_string(call->doc, object, "mode", mode_name(mailbox->mode));
        admin_json_add_string(call->doc, object, "status",
                              mailbox->suspended ? "suspended" : "active");
    }
    return true;
}

static bool mode_parse(const char *text, MkGatewayMode *out, GError **error)
{
    *out = MK_GATEWAY_ARCHIVE;
    if (text == NULL || strcmp(text, "archive") == 0)
        return true;
    *out = MK_GATEWAY_SPOOL;
    return strcmp(text, "spool") == 0 ||
           mk_fail(error, MK_ERROR_INVALID, "mode must be archive or spool.");
}

bool fn_create_gateway_mailbox(Call *call, GError **error)
{
    MkGatewayMailbox mailbox = {
        .id = (char *) admin_call_text(call, "id"),
        .address = (char *) admin_call_string(call, "address"),
        .name = (char *) admin_call_string(call, "name"),
        .description = (char *) admin_call_string(call, "description"),
    };
    g_autofree char *id = NULL;

    if (!mode_parse(admin_call_text(call, "mode"), &mailbox.mode, error))
        return false;
    if (mailbox.mode == MK_GATEWAY_ARCHIVE && admin_call_text(call, "password") != NULL)
        return mk_fail(error, MK_ERROR_INVALID,
                       "A gateway mailbox of mode archive has no password.");
    if (!mk_archive_gateway_create(admin_call_archive(call), &mailbox, &id, error))
        return false;
    call->result = yyjson_mut_obj(call->doc);
    admin_json_add_string(call->doc, call->result, "id", id);
    admin_json_add_string(call->doc, call->result, "address", mailbox.address);
    return true;
}

bool fn_set_gateway_mailbox_status(Call *call, GError **error)
{
    const char *status = admin_call_string(call, "status");
    bool suspended = strcmp(status, "suspended") == 0;

    if (!suspended && strcmp(status, "active") != 0)
        return mk_fail(error, MK_ERROR_INVALID, "status must be active or suspended.");
    return mk_archive_gateway_set_suspended(admin_call_archive(call), admin_call_string(call, "id"),
                                            suspended, error);
}

bool fn_delete_gateway_mailbox(Call *call, GError **error)
{
    return mk_archive_gateway_delete(admin_call_archive(call), admin_call_string(call, "id"),
                                     error);
}
