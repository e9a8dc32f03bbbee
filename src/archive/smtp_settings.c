/*
 * smtp_settings.c - how mail of ours leaves (SM-01, SM-04)
 *
 * A row of the master database, read when it is needed: the password lies sealed on the disk and
 * in memory only while a mail is being sent. Whether there is a row is known without reading.
 */
#include <string.h>

#include "internal.h"

enum { RECORD_VERSION = 1, DEFAULT_PORT = 587 };

void mk_smtp_settings_clear(MkSmtpSettings *settings)
{
    g_clear_pointer(&settings->host, g_free);
    g_clear_pointer(&settings->user_name, g_free);
    g_clear_pointer(&settings->password, mk_free_secret);
    g_clear_pointer(&settings->from_name, g_free);
    g_clear_pointer(&settings->from_address, g_free);
    g_clear_pointer(&settings->recipients, g_strfreev);
}

static void set_defaults(MkSmtpSettings *out)
{
    *out = (MkSmtpSettings){
        .host = g_strdup(""),
        .port = DEFAULT_PORT,
        .security = MK_SMTP_STARTTLS_NEEDED,
        .user_name = g_strdup(""),
        .password = g_strdup(""),
        .from_name = g_strdup(""),
        .from_address = g_strdup(""),
        .recipients = g_new0(char *, 1),
    };
}

/* -- octets (docs/formats/master.md) ----------------------------------------------------------- */
static void settings_format(const MkSmtpSettings *settings, GByteArray *out)
{
    mk_put_u8(out, RECORD_VERSION);
    mk_put_string(out, settings->host);
    mk_put_u32(out, settings->port);
    mk_put_u8(out, (uint8_t) settings->security);
    mk_put_u8(out, settings->ignore_certificate);
    mk_put_u8(out, settings->log_in);
    mk_put_string(out, settings->user_name);
    mk_put_string(out, settings->password);
    mk_put_string(out, settings->from_name);
    mk_put_string(out, settings->from_address);
    mk_put_varint(out, g_strv_length(settings->recipients));
    for (char **recipient = settings->recipients; *recipient != NULL; recipient++)
        mk_put_string(out, *recipient);
}

static char **parse_list(MkReader *r)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new();
    uint64_t count = mk_read_varint(r);

    for (uint64_t i = 0; i < count && !r->failed; i++) {
        char *text = mk_read_string(r);

        if (text != NULL)
            g_ptr_array_add(list, text);
    }
    g_ptr_array_add(list, NULL);
    return (char **) g_ptr_array_steal(list, NULL);
}

static bool settings_parse(const GByteArray *value, MkSmtpSettings *out)
{
    MkReader r = mk_reader(value->data, value->len);
    bool known = mk_read_u8(&r) == RECORD_VERSION;

    out->host = mk_read_string(&r);
    out->port = (uint16_t) mk_read_u32(&r);
    out->security = (MkSmtpSecurity) mk_read_u8(&r);
    out->ignore_certificate = mk_read_u8(&r) != 0;
    out->log_in = mk_read_u8(&r) != 0;
    out->user_name = mk_read_string(&r);
    out->password = mk_read_string(&r);
    out->from_name = mk_read_string(&r);
    out->from_address = mk_read_string(&r);
    out->recipients = parse_list(&r);
    return known && !r.failed && r.length == 0 && out->security <= MK_SMTP_IMPLICIT_TLS;
}

/* -- the row ----------------------------------------------------------------------------------- */
typedef struct {
    MkSmtpSettings settings;
    bool found;
} Row;

static bool read_row(uint32_t id, const GByteArray *value, void *cookie)
{
    Row *row = cookie;

    if (id != SETTING_SMTP)
        return true;
    row->found = true;
    return settings_parse(value, &row->settings);
}

bool mk_archive_smtp_settings(MkArchive *archive, MkSmtpSettings *out, GError **error)
{
    Row row = { .found = false };

    if (!master_each(archive->master, MASTER_SETTINGS, read_row, &row, error)) {
        mk_smtp_settings_clear(&row.settings);
        return false;
    }
    if (row.found)
        *out = row.settings;
    else
        set_defaults(out);
    return true;
}

bool smtp_settings_load(MkArchive *archive, GError **error)
{
    g_auto(MkSmtpSettings) settings = { 0 };

    if (!mk_archive_smtp_settings(archive, &settings, error))
        return false;
    archive->can_send = settings.host[0] != '\0';
    return true;
}

bool mk_archive_can_send(MkArchive *archive)
{
    return archive->can_send;
}

static bool settings_keep(MkArchive *archive, const MkSmtpSettings *settings, GError **error)
{
    g_autoptr(GByteArray) value = g_byte_array_new();
    bool ok;

    settings_format(settings, value);
    ok = master_put(archive, MASTER_SETTINGS, SETTING_SMTP, value, error);
    if (ok)
        archive->can_send = settings->host[0] != '\0';
    mk_wipe(value->data, value->len);
    return ok;
}

/* -- checks ------------------------------------------------------------------------------------ */
static bool text_is_good(const char *text, size_t max)
{
    if (strlen(text) > max || !g_utf8_validate(text, -1, NULL))
        return false;
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p))
        if (g_unichar_iscntrl(g_utf8_get_char(p)))
            return false;
    return true;
}

bool mk_smtp_address_is_good(const char *address)
{
    const char *at = strchr(address, '@');

    return at != NULL && at != address && at[1] != '\0' && strchr(at + 1, '@') == NULL &&
           strpbrk(address, " ,;:<>()[]\\\"") == NULL &&
           text_is_good(address, MK_LIMIT_SMTP_PATH_BYTES - 2);
}

static bool host_is_good(const char *host)
{
    return text_is_good(host, MK_LIMIT_SMTP_HOST_BYTES) && strpbrk(host, " \t/@,;") == NULL;
}

static bool recipients_are_good(char **recipients, GError **error)
{
    if (g_strv_length(recipients) > MK_LIMIT_SMTP_NOTIFIED)
        return mk_fail(error, MK_ERROR_LIMIT, "more than %d recipients of notifications",
                       MK_LIMIT_SMTP_NOTIFIED);
    for (; *recipients != NULL; recipients++)
        if (!mk_smtp_address_is_good(*recipients))
            return mk_fail(error, MK_ERROR_INVALID,
                           "a recipient of notifications is not of the form name@domain");
    return true;
}

static bool login_is_good(const MkSmtpSettings *settings, GError **error)
{
    if (!text_is_good(settings->user_name, MK_LIMIT_USER_NAME_BYTES) ||
        (settings->password != NULL && !text_is_good(settings->password, MK_LIMIT_PASSWORD_BYTES)))
        return mk_fail(error, MK_ERROR_INVALID,
                       "user name and password have at most %d and %d octets and no control "
                       "characters",
                       MK_LIMIT_USER_NAME_BYTES, MK_LIMIT_PASSWORD_BYTES);
    if (!settings->log_in)
        return true;
    if (settings->security == MK_SMTP_IN_CLEAR)
        return mk_fail(error, MK_ERROR_INVALID,
                       "a password is never sent in clear: choose SMTP-TLS or SMTP-SSL, or no "
                       "login");
    return settings->user_name[0] != '\0' ||
           mk_fail(error, MK_ERROR_INVALID, "a login needs a user name");
}

static bool settings_check(const MkSmtpSettings *settings, GError **error)
{
    if (!host_is_good(settings->host))
        return mk_fail(error, MK_ERROR_INVALID, "the server is a host name or an address");
    if (settings->port == 0)
        return mk_fail(error, MK_ERROR_INVALID, "the port is a number from 1 to 65535");
    if (!mk_smtp_address_is_good(settings->from_address))
        return mk_fail(error, MK_ERROR_INVALID,
                       "the sender's address is not of the form name@domain");
    if (!text_is_good(settings->from_name, MK_LIMIT_PROPERTY_BYTES))
        return mk_fail(error, MK_ERROR_INVALID,
                       "the sender's name has at most %d octets and no control characters",
                       MK_LIMIT_PROPERTY_BYTES);
    return login_is_good(settings, error) && recipients_are_good(settings->recipients, error);
}

/* -- outside ----------------------------------------------------------------------------------- */
/* Whoever names another server must know the password: it is not to be sent there unseen. */
static bool keep_password(MkArchive *archive, MkSmtpSettings *settings, GError **error)
{
    g_auto(MkSmtpSettings) old = { 0 };

    if (!mk_archive_smtp_settings(archive, &old, error))
        return false;
    if (g_ascii_strcasecmp(old.host, settings->host) == 0) {
        settings->password = g_steal_pointer(&old.password);
        return true;
    }
    if (settings->log_in && old.password[0] != '\0')
        return mk_fail(error, MK_ERROR_INVALID, "another server needs the password once more");
    settings->password = g_strdup("");
    return true;
}

static bool set_locked(MkArchive *archive, const MkSmtpSettings *settings, GError **error)
{
    MkSmtpSettings kept = *settings;
    bool ok;

    if (settings->password != NULL)
        return settings_keep(archive, settings, error);
    ok = keep_password(archive, &kept, error) && settings_keep(archive, &kept, error);
    mk_free_secret(kept.password);
    return ok;
}

bool mk_archive_set_smtp_settings(MkArchive *archive, const MkSmtpSettings *settings,
                                  GError **error)
{
    g_auto(MkSmtpSettings) none = { 0 };
    bool ok;

    set_defaults(&none);
    if (settings->host[0] == '\0')
        settings = &none;
    else if (!settings_check(settings, error))
        return false;
    pthread_mutex_lock(&archive->master_lock);
    ok = set_locked(archive, settings, error);
    pthread_mutex_unlock(&archive->master_lock);
    return ok;
}
