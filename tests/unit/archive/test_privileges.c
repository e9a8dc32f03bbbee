/* test_privileges.c - names of privileges and rights as the API spells them (US-16) */
#include <mailkeep/archive.h>

typedef struct {
    const char *text;
    bool good;
    uint32_t bits;
    const char *formatted; /* NULL = as @text */
} Case;

static const Case privileges[] = {
    { "none", true, 0, NULL },
    { "admin", true, MK_PRIVILEGE_ADMIN, NULL },
    { "login", true, MK_PRIVILEGE_LOGIN, NULL },
    { "login,changePassword,archive,modifyArchiveProfiles,export,modifyExportProfiles,delete", true,
      0xfe, NULL },
    { "delete , LOGIN", true, MK_PRIVILEGE_LOGIN | MK_PRIVILEGE_DELETE, "login,delete" },
    { "login,login", true, MK_PRIVILEGE_LOGIN, "login" },
    { "admin,login", false, 0, NULL },
    { "login,none", false, 0, NULL },
    { "read", false, 0, NULL },
    { "", false, 0, NULL },
    { "login,", false, 0, NULL },
};

static const Case rights[] = {
    { "none", true, 0, NULL },
    { "read", true, MK_RIGHT_READ, NULL },
    { "read,write,delete", true, 7, NULL },
    { "write,read", true, MK_RIGHT_READ | MK_RIGHT_WRITE, "read,write" },
    { "none,read", false, 0, NULL },
    { "login", false, 0, NULL },
};

static void check(const Case *cases, size_t count,
                  bool (*parse)(const char *text, uint32_t *out, GError **error),
                  char *(*format)(uint32_t bits))
{
    for (size_t i = 0; i < count; i++) {
        const Case *c = &cases[i];
        g_autoptr(GError) error = NULL;
        g_autofree char *text = NULL;
        uint32_t bits = 0;

        g_test_message("%s", c->text);
        g_assert_true(parse(c->text, &bits, &error) == c->good);
        if (!c->good) {
            g_assert_error(error, MK_ERROR, MK_ERROR_INVALID);
            continue;
        }
        g_assert_cmpuint(bits, ==, c->bits);
        text = format(bits);
        g_assert_cmpstr(text, ==, c->formatted != NULL ? c->formatted : c->text);
    }
}

static void test_privileges(void)
{
    check(privileges, G_N_ELEMENTS(privileges), mk_privileges_parse, mk_privileges_format);
}

static void test_rights(void)
{
    check(rights, G_N_ELEMENTS(rights), mk_rights_parse, mk_rights_format);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/privileges/global", test_privileges);
    g_test_add_func("/privileges/folder", test_rights);
    return g_test_run();
}
