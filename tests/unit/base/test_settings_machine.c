/* test_settings_machine.c - what was chosen in the browser, and what counts before it */
#include <string.h>
#include <sys/stat.h>

#include <glib/gstdio.h>

#include <mailkeep/error.h>
#include <mailkeep/settings.h>

typedef struct {
    char *dir, *config, *machine;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    (void) data;
    f->dir = g_dir_make_tmp("mailkeep-settings.XXXXXX", NULL);
    f->config = g_build_filename(f->dir, "mailkeep.yaml", NULL);
    f->machine = g_build_filename(f->dir, "machine.yaml", NULL);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void) data;
    g_unlink(f->config);
    g_unlink(f->machine);
    g_rmdir(f->dir);
    g_free(f->dir);
    g_free(f->config);
    g_free(f->machine);
}

static MkSettings *load(const Fixture *f, const char *hostname_line, GError **error)
{
    g_autofree char *text = g_strdup_printf("%sdata_dir: \"%s\"\n", hostname_line, f->dir);

    g_assert_true(g_file_set_contents(f->config, text, -1, NULL));
    return mk_settings_load(f->config, true, error);
}

static void test_applies_where_nothing_is_said(Fixture *f, gconstpointer data)
{
    g_autoptr(MkSettings) before = load(f, "", NULL);
    g_autoptr(MkSettings) silent = NULL;
    g_autoptr(MkSettings) given = NULL;
    g_autoptr(GError) error = NULL;
    struct stat info;

    (void) data;
    g_assert_false(before->hostname_given);
    g_assert_true(mk_settings_keep_hostname(f->dir, "chosen.example", &error));
    g_assert_no_error(error);
    silent = load(f, "", NULL);
    given = load(f, "hostname: given.example\n", NULL);
    g_assert_cmpstr(silent->hostname, ==, "chosen.example");
    g_assert_false(silent->hostname_given);
    g_assert_cmpstr(given->hostname, ==, "given.example");
    g_assert_true(given->hostname_given);
    g_assert_cmpint(stat(f->machine, &info), ==, 0);
    g_assert_cmpuint(info.st_mode & 0777, ==, 0600);
}

/* "no" and digits would be other things than texts without quotes. */
static void test_every_name_comes_back(Fixture *f, gconstpointer data)
{
    static const char *const names[] = { "no", "1.2", "0x10", "null", "a-b.example", "localhost" };

    (void) data;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *kept = NULL;

        g_assert_true(mk_settings_keep_hostname(f->dir, names[i], NULL));
        kept = mk_settings_machine_hostname(f->dir, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(kept, ==, names[i]);
    }
}

static void test_refused_names(Fixture *f, gconstpointer data)
{
    static const char *const names[] = {
        "", "a b", "-a.example", "a..b", "a\nb", "\"", "ä.example"
    };

    (void) data;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(mk_settings_keep_hostname(f->dir, names[i], &error));
        g_assert_error(error, MK_ERROR, MK_ERROR_INVALID);
    }
    g_assert_false(g_file_test(f->machine, G_FILE_TEST_EXISTS));
}

static void test_absent(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    (void) data;
    g_assert_null(mk_settings_machine_hostname(f->dir, &error));
    g_assert_no_error(error);
}

static void test_wrong_file_is_named(Fixture *f, gconstpointer data)
{
    static const char *const texts[] = { "data_dir: /elsewhere\n", "hostname: \"a b\"\n",
                                         "hostname: {a: b}\n", "- list\n" };

    (void) data;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_true(g_file_set_contents(f->machine, texts[i], -1, NULL));
        g_assert_null(load(f, "", &error));
        g_assert_error(error, MK_ERROR, MK_ERROR_INVALID);
        g_assert_true(g_str_has_prefix(error->message, f->machine));
    }
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/settings-machine/applies", test_applies_where_nothing_is_said);
    ADD("/settings-machine/names", test_every_name_comes_back);
    ADD("/settings-machine/refused", test_refused_names);
    ADD("/settings-machine/absent", test_absent);
    ADD("/settings-machine/wrong", test_wrong_file_is_named);
    return g_test_run();
}
