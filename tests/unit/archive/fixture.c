/* fixture.c - a small installation in a directory of its own, with its loop, for one test */
#include "fixture.h"

#include <stdio.h>

#include <mailkeep/crypto.h>
#include <mailkeep/log.h>
#include <mailkeep/mail.h>

enum { TURN_LIMIT_MS = 60000 };

#define MAP_SIZE_BYTES (1ull << 30)

void fixture_setup(void)
{
    mk_log_set_level(MK_LOG_ERROR);
    mk_mail_init();
    g_assert_true(mk_crypto_init(NULL));
}

static void open_archive(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;

    fixture->loop = mk_loop_new(2, 2, &error);
    g_assert_no_error(error);
    fixture->archive = mk_archive_open(fixture->loop, fixture->dir, MAP_SIZE_BYTES, &error);
    g_assert_no_error(error);
    fixture->system = mk_principal_system(fixture->archive);
}

void fixture_init(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    char *recovery = NULL;

    fixture->dir = g_dir_make_tmp("mailkeep-archive-XXXXXX", &error);
    g_assert_no_error(error);
    mk_archive_init(fixture->dir, FIXTURE_PASSWORD, MAP_SIZE_BYTES, &recovery, &error);
    g_assert_no_error(error);
    mk_free_secret(recovery);
    open_archive(fixture);
}

void fixture_turn_until(Fixture *fixture, bool (*is_done)(void *cookie), void *cookie)
{
    int64_t until_ms = mk_clock_monotonic_ms() + TURN_LIMIT_MS;

    while (!is_done(cookie)) {
        g_assert_cmpint(mk_clock_monotonic_ms(), <, until_ms);
        mk_loop_turn(fixture->loop);
        g_usleep(500);
    }
}

static void on_stopped(void *cookie)
{
    *(bool *) cookie = true;
}

static bool is_set(void *cookie)
{
    return *(bool *) cookie;
}

static void close_archive(Fixture *fixture)
{
    bool stopped = false;

    mk_archive_stop(fixture->archive, on_stopped, &stopped);
    fixture_turn_until(fixture, is_set, &stopped);
    mk_principal_unref(fixture->system);
    mk_archive_close(fixture->archive);
    mk_loop_free(fixture->loop);
}

void fixture_reopen(Fixture *fixture)
{
    close_archive(fixture);
    open_archive(fixture);
}

static void remove_tree(const char *dir)
{
    g_autoptr(GDir) handle = g_dir_open(dir, 0, NULL);
    const char *name;

    while (handle != NULL && (name = g_dir_read_name(handle)) != NULL) {
        g_autofree char *path = g_build_filename(dir, name, NULL);

        if (g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK))
            remove_tree(path);
        else
            remove(path);
    }
    remove(dir);
}

void fixture_clear(Fixture *fixture)
{
    close_archive(fixture);
    remove_tree(fixture->dir);
    g_free(fixture->dir);
}

static bool is_indexed(void *cookie)
{
    MkArchiveGauges gauges;

    mk_archive_gauges(cookie, &gauges);
    return gauges.index_behind == 0;
}

void fixture_wait_indexed(Fixture *fixture)
{
    fixture_turn_until(fixture, is_indexed, fixture->archive);
}

void fixture_add_user(Fixture *fixture, const char *name, const char *privileges,
                      const char *addresses)
{
    g_auto(GStrv) list = g_strsplit(addresses, ",", -1);
    MkUserChange change = { .email_addresses = (const char *const *) list };
    g_autoptr(GError) error = NULL;
    uint32_t bits;

    mk_privileges_parse(privileges, &bits, &error);
    g_assert_no_error(error);
    mk_archive_user_create(fixture->archive, name, bits, &error);
    g_assert_no_error(error);
    if (addresses[0] != '\0')
        mk_archive_user_change(fixture->archive, name, &change, &error);
    g_assert_no_error(error);
    mk_archive_user_set_rights(fixture->archive, name, name, MK_RIGHT_READ, &error);
    g_assert_no_error(error);
}

void fixture_set_password(Fixture *fixture, const char *name)
{
    g_autoptr(GError) error = NULL;

    mk_archive_user_set_password(fixture->archive, name, FIXTURE_PASSWORD, &error);
    g_assert_no_error(error);
}

MkPrincipal *fixture_login(Fixture *fixture, const char *name)
{
    g_autoptr(GError) error = NULL;
    MkPrincipal *principal =
        mk_archive_login(fixture->archive, name, FIXTURE_PASSWORD, "192.0.2.1", "test", &error);

    g_assert_no_error(error);
    return principal;
}
