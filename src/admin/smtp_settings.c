/*
 * smtp_settings.c - how mail leaves: shown without its password, set, tried (SM-01, SM-03, SM-04)
 */
#include <string.h>

#include <mailkeep/log.h>
#include <mailkeep/smtp_client.h>

#include "internal.h"

static const char *const protocols[] = {
    [MK_SMTP_IN_CLEAR] = "SMTP",
    [MK_SMTP_STARTTLS_NEEDED] = "SMTP-TLS",
    [MK_SMTP_IMPLICIT_TLS] = "SMTP-SSL",
};

static void add_settings(Call *call, const MkSmtpSettings *settings)
{
    yyjson_mut_doc *doc = call->doc;
    yyjson_mut_val *object = call->result = yyjson_mut_obj(doc);
    g_autofree char *recipients = g_strjoinv(", ", settings->recipients);

    admin_json_add_string(doc, object, "hostname", settings->host);
    admin_json_add_number(doc, object, "port", settings->port);
    admin_json_add_string(doc, object, "protocol", protocols[settings->security]);
    admin_json_add_bool(doc, object, "ignoreSslPolicyErrors", settings->ignore_certificate);
    admin_json_add_bool(doc, object, "authenticationRequired", settings->log_in);
    admin_json_add_string(doc, object, "username", settings->user_name);
    admin_json_add_string(doc, object, "fromDisplayName", settings->from_name);
    admin_json_add_string(doc, object, "fromEmailAddress", settings->from_address);
    admin_json_add_string(doc, object, "recipientEmailAddress", recipients);
}

bool fn_get_smtp_settings(Call *call, GError **error)
{
    g_auto(MkSmtpSettings) settings = { 0 };

    if (!mk_archive_smtp_settings(admin_call_archive(call), &settings, error))
        return false;
    add_settings(call, &settings);
    return true;
}

/* -- a JSON object read: numbers and booleans may come as strings (wire notes) ------------------ */
static bool read_text(yyjson_val *object, const char *name, char **out, GError **error)
{
    yyjson_val *value = yyjson_obj_get(object, name);

    if (value == NULL || yyjson_is_null(value))
        *out = g_strdup("");
    else if (yyjson_is_str(value) && strlen(yyjson_get_str(value)) == yyjson_get_len(value))
        *out = g_strdup(yyjson_get_str(value));
    else
        return mk_fail(error, MK_ERROR_INVALID, "%s must be a text.", name);
    return true;
}

static bool read_flag(yyjson_val *object, const char *name, bool *out, GError **error)
{
    yyjson_val *value = yyjson_obj_get(object, name);
    const char *text = yyjson_get_str(value);

    if (yyjson_is_bool(value))
        *out = yyjson_get_bool(value);
    else if (text != NULL && g_ascii_strcasecmp(text, "true") == 0)
        *out = true;
    else if (value == NULL || yyjson_is_null(value) ||
             (text != NULL && g_ascii_strcasecmp(text, "false") == 0))
        *out = false;
    else
        return mk_fail(error, MK_ERROR_INVALID, "%s must be true or false.", name);
    return true;
}

static bool read_port(yyjson_val *object, uint16_t *out, GError **error)
{
    yyjson_val *value = yyjson_obj_get(object, "port");
    guint64 port = 0;

    if (value == NULL || yyjson_is_null(value))
        return true;
    if (yyjson_is_uint(value))
        port = yyjson_get_uint(value);
    else if (yyjson_is_str(value))
        g_ascii_string_to_unsigned(yyjson_get_str(value), 10, 1, UINT16_MAX, &port, NULL);
    if (port < 1 || port > UINT16_MAX)
        return mk_fail(error, MK_ERROR_INVALID, "port must be a number from 1 to 65535.");
    *out = (uint16_t) port;
    return true;
}

static bool read_protocol(yyjson_val *object, MkSmtpSecurity *out, GError **error)
{
    yyjson_val *value = yyjson_obj_get(object, "protocol");
    const char *text = yyjson_get_str(value);

    if (value == NULL || yyjson_is_null(value))
        return true;
    for (size_t i = 0; text != NULL && i < G_N_ELEMENTS(protocols); i++)
        if (g_ascii_strcasecmp(text, protocols[i]) == 0) {
            *out = (MkSmtpSecurity) i;
            return true;
        }
    return mk_fail(error, MK_ERROR_INVALID, "protocol must be SMTP, SMTP-TLS or SMTP-SSL.");
}

/* "a@x.example, b@x.example" */
static bool read_recipients(yyjson_val *object, char ***out, GError **error)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) parts = NULL;
    GStrvBuilder *list;

    if (!read_text(object, "recipientEmailAddress", &text, error))
        return false;
    parts = g_strsplit(text, ",", -1);
    list = g_strv_builder_new();
    for (char **part = parts; *part != NULL; part++)
        if (g_strstrip(*part)[0] != '\0')
            g_strv_builder_add(list, *part);
    *out = g_strv_builder_end(list);
    g_strv_builder_unref(list);
    return true;
}

/* Left out or null: the one there is stays. */
static bool read_password(yyjson_val *object, char **out, GError **error)
{
    yyjson_val *value = yyjson_obj_get(object, "password");

    return value == NULL || yyjson_is_null(value) || read_text(object, "password", out, error);
}

static bool read_settings(yyjson_val *object, MkSmtpSettings *out, GError **error)
{
    if (!yyjson_is_obj(object))
        return mk_fail(error, MK_ERROR_INVALID, "settings must be a JSON object.");
    return read_text(object, "hostname", &out->host, error) &&
           read_port(object, &out->port, error) && read_protocol(object, &out->security, error) &&
           read_flag(object, "ignoreSslPolicyErrors", &out->ignore_certificate, error) &&
           read_flag(object, "authenticationRequired", &out->log_in, error) &&
           read_text(object, "username", &out->user_name, error) &&
           read_password(object, &out->password, error) &&
           read_text(object, "fromDisplayName", &out->from_name, error) &&
           read_text(object, "fromEmailAddress", &out->from_address, error) &&
           read_recipients(object, &out->recipients, error);
}

bool fn_set_smtp_settings(Call *call, GError **error)
{
    const char *text = admin_call_string(call, "settings");
    g_auto(MkSmtpSettings) settings = { .port = 587, .security = MK_SMTP_STARTTLS_NEEDED };
    yyjson_doc *doc = yyjson_read(text, strlen(text), 0);
    bool good = read_settings(yyjson_doc_get_root(doc), &settings, error);

    yyjson_doc_free(doc);
    if (!good || !mk_archive_set_smtp_settings(admin_call_archive(call), &settings, error))
        return false;
    mk_log_info("smtp_settings.set", "user", MK_LOG_U64(mk_principal_user_id(call->principal)));
    return true;
}

/* -- trying them ------------------------------------------------------------------------------- */
static bool is_cancelled(void *operation)
{
    return admin_operation_is_cancelled(operation);
}

static GBytes *test_mail(const MkAdmin *admin, const MkSmtpRelay *relay)
{
    g_autofree char *text = g_strdup_printf(
        "This is a test mail of the e-mail archive Mailkeep on %s.\n"
        "It was sent since an administrator tries the SMTP settings.\n\n"
        "Dies ist eine Test-E-Mail des E-Mail-Archivs Mailkeep auf %s.\n"
        "Sie wurde versandt, weil ein Administrator die SMTP-Einstellungen prüft.\n",
        admin->settings->hostname, admin->settings->hostname);

    return mk_smtp_compose(relay, mk_smtp_relay_notified(relay), "Mailkeep: test mail", text);
}

bool fn_test_smtp_settings(Call *call, GError **error)
{
    MkAdmin *admin = call->admin;
    g_autoptr(MkSmtpRelay) relay =
        mk_smtp_relay_new(admin->archive, admin->settings->hostname, error);
    g_autoptr(GBytes) mail = NULL;
    unsigned code = 0;
    bool sent;

    if (relay == NULL)
        return false;
    mail = test_mail(admin, relay);
    sent = mk_smtp_send_wait(admin->loop, relay, mk_smtp_relay_notified(relay), mail, is_cancelled,
                             call->operation, &code, error);
    mk_log_info("smtp_settings.tested", "user", MK_LOG_U64(mk_principal_user_id(call->principal)),
                "result", sent ? "sent" : "failed", "reply", MK_LOG_U64(code));
    if (sent)
        admin_operation_log(call->operation, "The mail server has taken the test mail.");
    return sent;
}
