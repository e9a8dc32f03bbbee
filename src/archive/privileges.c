/* privileges.c - the names of privileges and folder rights, and their bits (US-16) */
#include <mailkeep/archive.h>

#include <string.h>

typedef struct {
    const char *name;
    uint32_t bit; /* 0 = none */
    bool alone;   /* no other name may stand beside it */
} Name;

static const Name privilege_names[] = {
    { "none", 0, true },
    { "admin", MK_PRIVILEGE_ADMIN, true },
    { "login", MK_PRIVILEGE_LOGIN, false },
    { "changePassword", MK_PRIVILEGE_CHANGE_PASSWORD, false },
    { "archive", MK_PRIVILEGE_ARCHIVE, false },
    { "modifyArchiveProfiles", MK_PRIVILEGE_MODIFY_ARCHIVE_PROFILES, false },
    { "export", MK_PRIVILEGE_EXPORT, false },
    { "modifyExportProfiles", MK_PRIVILEGE_MODIFY_EXPORT_PROFILES, false },
    { "delete", MK_PRIVILEGE_DELETE, false },
};

static const Name right_names[] = {
    { "none", 0, true },
    { "read", MK_RIGHT_READ, false },
    { "write", MK_RIGHT_WRITE, false },
    { "delete", MK_RIGHT_DELETE, false },
};

static const Name *name_find(const Name *names, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (g_ascii_strcasecmp(names[i].name, text) == 0)
            return &names[i];
    return NULL;
}

static bool parse_list(const Name *names, size_t count, const char *text, uint32_t *out,
                       GError **error)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    bool alone = false;
    uint32_t bits = 0;
    unsigned given = 0;

    for (; words[given] != NULL; given++) {
        const Name *name = name_find(names, count, g_strstrip(words[given]));

        if (name == NULL)
            return mk_fail(error, MK_ERROR_INVALID, "privilege number %u is not known", given + 1);
        bits |= name->bit;
        alone |= name->alone;
    }
    if (given == 0)
        return mk_fail(error, MK_ERROR_INVALID,
                       "no privilege is given: use none for no privileges");
    if (alone && given > 1)
        return mk_fail(error, MK_ERROR_INVALID, "the privileges none and admin must stand alone");
    *out = bits;
    return true;
}

static char *format_list(const Name *names, size_t count, uint32_t bits)
{
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < count; i++) {
        if ((bits & names[i].bit) == 0)
            continue;
        if (text->len > 0)
            g_string_append_c(text, ',');
        g_string_append(text, names[i].name);
    }
    if (text->len == 0)
        g_string_append(text, "none");
    return g_string_free(text, FALSE);
}

bool mk_privileges_parse(const char *text, uint32_t *out, GError **error)
{
    return parse_list(privilege_names, G_N_ELEMENTS(privilege_names), text, out, error);
}

char *mk_privileges_format(uint32_t privileges)
{
    if ((privileges & MK_PRIVILEGE_ADMIN) != 0)
        return g_strdup("admin"); /* it includes the others and stands alone */
    return format_list(privilege_names, G_N_ELEMENTS(privilege_names), privileges);
}

bool mk_rights_parse(const char *text, uint32_t *out, GError **error)
{
    return parse_list(right_names, G_N_ELEMENTS(right_names), text, out, error);
}

char *mk_rights_format(uint32_t rights)
{
    return format_list(right_names, G_N_ELEMENTS(right_names), rights);
}
