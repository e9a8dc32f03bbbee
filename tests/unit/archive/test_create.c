/* test_create.c - a new archive is there wholly or not at all */
#include <mailkeep/archive.h>

#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include <mailkeep/crypto.h>

#define PASSWORD "Correct-Horse-7"
#define MAP_SIZE_BYTES (UINT64_C(64) << 20)

typedef struct {
    char *dir;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    (void) data;
    f->dir = g_dir_make_tmp("mailkeep-create.XXXXXX", NULL);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    g_autofree char *line = g_strdup_printf("rm -rf '%s'", f->dir);

    (void) data;
    g_assert_true(g_spawn_command_line_sync(line, NULL, NULL, NULL, NULL));
    g_free(f->dir);
}

static bool has(const Fixture *f, const char *name)
{
    g_autofree char *path = g_build_filename(f->dir, name, NULL);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void rename_in(const Fixture *f, const char *from, const char *to)
{
    g_autofree char *source = g_build_filename(f->dir, from, NULL);
    g_autofree char *target = g_build_filename(f->dir, to, NULL);

    g_assert_cmpint(g_rename(source, target), ==, 0);
}

static void prepare(const Fixture *f)
{
    g_autoptr(GError) error = NULL;
    char *recovery = NULL;

    mk_archive_prepare(f->dir, PASSWORD, MAP_SIZE_BYTES, &recovery, &error);
    g_assert_no_error(error);
    mk_free_secret(recovery);
}

static void test_prepared_counts_for_nothing(Fixture *f, gconstpointer data)
{
    (void) data;
    prepare(f);
    g_assert_true(mk_archive_is_absent(f->dir));
    g_assert_false(mk_archive_is_initialised(f->dir));
    g_assert_true(mk_archive_settle(f->dir, NULL));
    g_assert_false(has(f, "new"));
    g_assert_true(mk_archive_is_absent(f->dir));
}

static void test_establish(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    (void) data;
    prepare(f);
    prepare(f); /* anew: what was there is thrown away */
    mk_archive_establish(f->dir, &error);
    g_assert_no_error(error);
    g_assert_true(mk_archive_is_initialised(f->dir));
    g_assert_false(has(f, "new") || has(f, "made"));
    g_assert_true(mk_archive_settle(f->dir, NULL));
    g_assert_true(mk_archive_is_initialised(f->dir));
}

/* Stopped behind each rename. */
static void test_settle_goes_on(Fixture *f, gconstpointer data)
{
    static const char *const parts[] = { "stores", "master", "keys" };

    (void) data;
    for (size_t moved = 0; moved <= G_N_ELEMENTS(parts); moved++) {
        g_autofree char *sub = g_strdup_printf("%s/%zu", f->dir, moved);
        Fixture mine = { sub };
        g_autoptr(GError) error = NULL;

        g_assert_cmpint(g_mkdir(sub, 0700), ==, 0);
        prepare(&mine);
        rename_in(&mine, "new", "made");
        for (size_t i = 0; i < moved; i++) {
            g_autofree char *from = g_build_filename("made", parts[i], NULL);
            rename_in(&mine, from, parts[i]);
        }
        mk_archive_settle(sub, &error);
        g_assert_no_error(error);
        g_assert_true(mk_archive_is_initialised(sub));
        g_assert_true(has(&mine, "stores") && !has(&mine, "made"));
    }
}

/* Neither an archive nor a link's target is touched by what is thrown away. */
static void test_nothing_else_is_removed(Fixture *f, gconstpointer data)
{
    g_autofree char *outside = g_build_filename(f->dir, "outside", NULL);
    g_autofree char *kept = g_build_filename(outside, "kept", NULL);
    g_autofree char *link = g_build_filename(f->dir, "new", "keys", "link", NULL);

    (void) data;
    g_assert_cmpint(g_mkdir(outside, 0700), ==, 0);
    g_assert_true(g_file_set_contents(kept, "x", -1, NULL));
    prepare(f);
    g_assert_cmpint(symlink(outside, link), ==, 0);
    g_assert_true(mk_archive_settle(f->dir, NULL));
    g_assert_false(has(f, "new"));
    g_assert_true(has(f, "outside/kept"));
}

static void test_rest_of_another(Fixture *f, gconstpointer data)
{
    static const char *const parts[] = { "stores", "master", "keys" };

    (void) data;
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *path = g_build_filename(f->dir, parts[i], NULL);
        g_autoptr(GError) error = NULL;
        char *recovery = NULL;

        prepare(f);
        g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
        g_assert_false(mk_archive_is_absent(f->dir));
        g_assert_false(mk_archive_establish(f->dir, NULL));
        g_assert_false(mk_archive_prepare(f->dir, PASSWORD, MAP_SIZE_BYTES, &recovery, &error));
        g_assert_error(error, MK_ERROR, MK_ERROR_EXISTS);
        g_assert_cmpint(g_rmdir(path), ==, 0);
    }
}

static void test_lock(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    int lock = mk_archive_lock(f->dir, NULL);

    (void) data;
    g_assert_cmpint(lock, >=, 0);
    g_assert_cmpint(mk_archive_lock(f->dir, &error), ==, -1);
    g_assert_error(error, MK_ERROR, MK_ERROR_BUSY);
    close(lock);
    lock = mk_archive_lock(f->dir, NULL);
    g_assert_cmpint(lock, >=, 0);
    close(lock);
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(mk_crypto_init(NULL));
    ADD("/create/prepared", test_prepared_counts_for_nothing);
    ADD("/create/establish", test_establish);
    ADD("/create/settle", test_settle_goes_on);
    ADD("/create/nothing-else", test_nothing_else_is_removed);
    ADD("/create/rest", test_rest_of_another);
    ADD("/create/lock", test_lock);
    return g_test_run();
}
