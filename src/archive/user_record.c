/* user_record.c - one user: made, copied, checked, and as octets (docs/formats/master.md) */
#include <string.h>

#include "internal.h"

enum { RECORD_VERSION = 1 };

static void folder_rights_free(void *data)
{
    MkFolderRights *rights = data;

    g_free(rights->folder);
    g_free(rights);
}

static GPtrArray *rights_new(void)
{
    return g_ptr_array_new_with_free_func(folder_rights_free);
}

void mk_user_free(MkUser *user)
{
    if (user == NULL)
        return;
    g_free(user->user_name);
    g_free(user->archive);
    g_free(user->full_name);
    g_free(user->distinguished_name);
    g_strfreev(user->email_addresses);
    g_strfreev(user->pop3_user_names);
    g_ptr_array_unref(user->folder_rights);
    g_free(user);
}

static GPtrArray *rights_copy(const GPtrArray *from)
{
    GPtrArray *to = rights_new();

    for (guint i = 0; i < from->len; i++) {
        const MkFolderRights *right = from->pdata[i];
        MkFolderRights *copy = g_new0(MkFolderRights, 1);

        copy->folder = g_strdup(right->folder);
        copy->rights = right->rights;
        g_ptr_array_add(to, copy);
    }
    return to;
}

/* Every pointer in @to is new. */
static void user_fill(MkUser *to, const MkUser *from)
{
    *to = *from;
    to->user_name = g_strdup(from->user_name);
    to->archive = g_strdup(from->archive);
    to->full_name = g_strdup(from->full_name);
    to->distinguished_name = g_strdup(from->distinguished_name);
    to->email_addresses = g_strdupv(from->email_addresses);
    to->pop3_user_names = g_strdupv(from->pop3_user_names);
    to->folder_rights = rights_copy(from->folder_rights);
}

MkUser *user_copy(const MkUser *user)
{
    MkUser *copy = g_new(MkUser, 1);

    user_fill(copy, user);
    return copy;
}

char *user_name_fold(const char *user_name)
{
    g_autofree char *composed = g_utf8_normalize(user_name, -1, G_NORMALIZE_DEFAULT_COMPOSE);

    return composed == NULL ? g_strdup("") : g_utf8_casefold(composed, -1);
}

UserRecord *user_record_new(uint32_t id, const char *user_name)
{
    UserRecord *record = g_new0(UserRecord, 1);

    record->user.id = id;
    record->user.user_name = g_strdup(user_name);
    record->user.archive = g_strdup(user_name);
    record->user.full_name = g_strdup("");
    record->user.distinguished_name = g_strdup("");
    record->user.email_addresses = g_new0(char *, 1);
    record->user.pop3_user_names = g_new0(char *, 1);
    record->user.folder_rights = rights_new();
    record->folded_name = user_name_fold(user_name);
    return record;
}

UserRecord *user_record_copy(const UserRecord *record)
{
    UserRecord *copy = g_new0(UserRecord, 1);

    user_fill(&copy->user, &record->user);
    copy->folded_name = g_strdup(record->folded_name);
    copy->password_hash = g_strdup(record->password_hash);
    copy->password_version = record->password_version;
    return copy;
}

void user_record_free(UserRecord *record)
{
    if (record == NULL)
        return;
    g_free(record->user.user_name);
    g_free(record->user.archive);
    g_free(record->user.full_name);
    g_free(record->user.distinguished_name);
    g_strfreev(record->user.email_addresses);
    g_strfreev(record->user.pop3_user_names);
    g_ptr_array_unref(record->user.folder_rights);
    g_free(record->folded_name);
    mk_free_secret(record->password_hash);
    g_free(record);
}

void user_record_set_name(UserRecord *record, const char *user_name)
{
    g_free(record->user.user_name);
    g_free(record->folded_name);
    record->user.user_name = g_strdup(user_name);
    record->folded_name = user_name_fold(user_name);
}

void user_record_set_hash(UserRecord *record, char *password_hash)
{
    mk_free_secret(record->password_hash);
    record->password_hash = password_hash;
    record->password_version++;
    record->user.has_password = password_hash != NULL;
}

bool user_record_is_admin(const UserRecord *record)
{
    return (record->user.privileges & MK_PRIVILEGE_ADMIN) != 0;
}

bool user_record_may_login(const UserRecord *record)
{
    return (record->user.privileges & (MK_PRIVILEGE_ADMIN | MK_PRIVILEGE_LOGIN)) != 0;
}

/* -- names ---------------------------------------------------------------------------------------- */
static bool has_forbidden_character(const char *name)
{
    for (const char *p = name; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        if (g_unichar_iscntrl(c) || (c < 0x80 && strchr("/\\\":<>|*?", (int) c) != NULL))
            return true;
    }
    return false;
}

bool user_name_check(const char *user_name, GError **error)
{
    size_t length = strlen(user_name);

    if (length == 0 || length > MK_LIMIT_USER_NAME_BYTES)
        return mk_fail(error, MK_ERROR_INVALID, "a user name has 1 to %d octets",
                       MK_LIMIT_USER_NAME_BYTES);
    if (!g_utf8_validate(user_name, (gssize) length, NULL))
        return mk_fail(error, MK_ERROR_INVALID, "the user name is not valid UTF-8");
    if (has_forbidden_character(user_name))
        return mk_fail(error, MK_ERROR_INVALID,
                       "a user name holds no control character and none of / \\ \" : < > | * ?");
    if (user_name[0] == '@')
        return mk_fail(error, MK_ERROR_INVALID, "a user name does not begin with @");
    if (g_unichar_isspace(g_utf8_get_char(user_name)) ||
        g_unichar_isspace(g_utf8_get_char(g_utf8_prev_char(user_name + length))))
        return mk_fail(error, MK_ERROR_INVALID, "a user name has no blank at either end");
    return true;
}

/* -- octets ------------------------------------------------------------------------------------ */
static void put_list(GByteArray *out, char *const *list)
{
    mk_put_varint(out, g_strv_length((char **) list));
    for (; *list != NULL; list++)
        mk_put_string(out, *list);
}

static char **read_list(MkReader *r)
{
    uint64_t count = mk_read_varint(r);
    GPtrArray *list = g_ptr_array_new();

    for (uint64_t i = 0; i < count && !r->failed; i++) {
        char *text = mk_read_string(r);

        if (text != NULL)
            g_ptr_array_add(list, text);
    }
    g_ptr_array_add(list, NULL);
    return (char **) g_ptr_array_free(list, FALSE);
}

void user_record_format(const UserRecord *record, GByteArray *out)
{
    const MkUser *user = &record->user;

    mk_put_u8(out, RECORD_VERSION);
    mk_put_string(out, user->user_name);
    mk_put_string(out, user->archive);
    mk_put_string(out, user->full_name);
    mk_put_string(out, user->distinguished_name);
    mk_put_u8(out, (uint8_t) user->authentication);
    put_list(out, user->email_addresses);
    put_list(out, user->pop3_user_names);
    mk_put_varint(out, user->privileges);
    mk_put_varint(out, user->folder_rights->len);
    for (guint i = 0; i < user->folder_rights->len; i++) {
        const MkFolderRights *rights = user->folder_rights->pdata[i];

        mk_put_string(out, rights->folder);
        mk_put_varint(out, rights->rights);
    }
    mk_put_string(out, record->password_hash); /* "" = none */
    mk_put_varint(out, record->password_version);
}

static void read_rights(MkReader *r, GPtrArray *out)
{
    uint64_t count = mk_read_varint(r);

    for (uint64_t i = 0; i < count && !r->failed; i++) {
        MkFolderRights *rights = g_new0(MkFolderRights, 1);

        rights->folder = mk_read_string(r);
        rights->rights = (uint32_t) mk_read_varint(r);
        g_ptr_array_add(out, rights);
    }
}

static void replace(char **text, char *by)
{
    g_free(*text);
    *text = by;
}

UserRecord *user_record_parse(uint32_t id, const uint8_t *data, size_t length)
{
    MkReader r = mk_reader(data, length);
    g_autoptr(UserRecord) record = user_record_new(id, "");
    MkUser *user = &record->user;
    char *hash;

    if (mk_read_u8(&r) != RECORD_VERSION)
        return NULL;
    replace(&user->user_name, mk_read_string(&r));
    replace(&user->archive, mk_read_string(&r));
    replace(&user->full_name, mk_read_string(&r));
    replace(&user->distinguished_name, mk_read_string(&r));
    user->authentication = (MkAuthentication) mk_read_u8(&r);
    g_strfreev(user->email_addresses);
    user->email_addresses = read_list(&r);
    g_strfreev(user->pop3_user_names);
    user->pop3_user_names = read_list(&r);
    user->privileges = (uint32_t) mk_read_varint(&r);
    read_rights(&r, user->folder_rights);
    hash = mk_read_string(&r);
    user->has_password = hash != NULL && hash[0] != '\0';
    if (user->has_password)
        record->password_hash = g_steal_pointer(&hash);
    g_free(hash);
    record->password_version = (uint32_t) mk_read_varint(&r);
    if (r.failed || r.length != 0)
        return NULL;
    replace(&record->folded_name, user_name_fold(user->user_name));
    return g_steal_pointer(&record);
}
