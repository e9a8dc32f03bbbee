/* test_spool.c - octets coming in: limits, back-pressure, and nothing readable in any file */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <mailkeep/limits.h>

#include "fixture.h"

/* A mail of @length octets or more whose body repeats @word. */
static GString *large_mail(size_t length, const char *word)
{
    GString *mail = g_string_new("From: a@example.org\r\nTo: b@example.org\r\n\r\n");

    for (unsigned i = 0; mail->len < length; i++)
        g_string_append_printf(mail, "%s line %u of a large mail\r\n", word, i);
    return mail;
}

static bool fd_holds(const char *path, const char *word)
{
    g_autofree char *octets = g_malloc(1 << 20);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool holds = false;
    ssize_t n;

    while (fd >= 0 && !holds && (n = read(fd, octets, 1 << 20)) > 0)
        holds = memmem(octets, (size_t) n, word, strlen(word)) != NULL;
    if (fd >= 0)
        close(fd);
    return holds;
}

/* Looks at every open file below @dir, those without a name too; returns how many there were. */
static unsigned search_open_files(const char *dir, const char *word)
{
    g_autoptr(GDir) fds = g_dir_open("/proc/self/fd", 0, NULL);
    unsigned count = 0;
    const char *name;

    while ((name = g_dir_read_name(fds)) != NULL) {
        g_autofree char *link = g_build_filename("/proc/self/fd", name, NULL);
        g_autofree char *target = g_file_read_link(link, NULL);

        if (target == NULL || !g_str_has_prefix(target, dir))
            continue;
        g_assert_false(fd_holds(link, word));
        count += strstr(target, "/spool/") != NULL;
    }
    return count;
}

static bool is_on_disk(void *cookie)
{
    MkArchiveGauges gauges;

    mk_archive_gauges(cookie, &gauges);
    return gauges.spool_bytes <= MK_LIMIT_SPOOL_MEMORY_BYTES;
}

static void test_nothing_readable(void)
{
    g_autoptr(GString) mail = large_mail(3 << 20, "Geheimwort");
    g_autoptr(GError) error = NULL;
    MkSpool *spool;
    Fixture f;

    fixture_init(&f);
    spool = mk_spool_new(f.archive);
    mk_spool_add(spool, mail->str, mail->len, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(mk_spool_size(spool), ==, mail->len);
    fixture_turn_until(&f, is_on_disk, f.archive);
    g_assert_cmpuint(search_open_files(f.dir, "Geheimwort"), ==, 1);
    mk_spool_free(spool);
    fixture_clear(&f);
}

static void test_sizes(void)
{
    static const size_t sizes[] = { 100, MK_LIMIT_SPOOL_MEMORY_BYTES - 100,
                                    MK_LIMIT_SPOOL_MEMORY_BYTES + 1, 1 << 20, 20 << 20 };
    Fixture f;

    fixture_init(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(GString) mail = large_mail(sizes[i], "Wort");
        g_autoptr(GArray) ids = NULL;
        g_autoptr(GBytes) back = NULL;
        g_autoptr(GError) error = NULL;

        fixture_ingest(&f, mail->str, mail->len);
        ids = mk_archive_folder_mails(f.archive, f.system, MK_FOLDER_CATCHALL, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(ids->len, ==, i + 1);
        back = mk_archive_mail_read(f.archive, f.system, g_array_index(ids, MkMailId, i), &error);
        g_assert_no_error(error);
        g_assert_cmpmem(g_bytes_get_data(back, NULL), g_bytes_get_size(back), mail->str, mail->len);
    }
    fixture_clear(&f);
}

static void on_drain(void *cookie)
{
    ++*(unsigned *) cookie;
}

static bool has_drained(void *cookie)
{
    return *(unsigned *) cookie > 0;
}

static void test_back_pressure(void)
{
    g_autofree char *octets = g_malloc0(MK_LIMIT_SPOOL_MEMORY_BYTES + 1);
    unsigned drained = 0;
    MkSpool *spool;
    Fixture f;

    fixture_init(&f);
    spool = mk_spool_new(f.archive);
    mk_spool_set_on_drain(spool, on_drain, &drained);
    g_assert_true(mk_spool_add(spool, octets, MK_LIMIT_SPOOL_MEMORY_BYTES, NULL));
    g_assert_false(mk_spool_is_full(spool));
    g_assert_true(
        mk_spool_add(spool, octets, MK_LIMIT_SPOOL_MEMORY_BYTES, NULL)); /* a job starts */
    g_assert_false(mk_spool_is_full(spool));
    g_assert_true(mk_spool_add(spool, octets, MK_LIMIT_SPOOL_MEMORY_BYTES + 1, NULL));
    g_assert_true(mk_spool_is_full(spool));
    fixture_turn_until(&f, has_drained, &drained);
    mk_spool_free(spool); /* while the next chunk may be on its way */
    fixture_clear(&f);
}

static void test_total(void)
{
    enum { STEP = 1 << 20 };
    g_autofree char *octets = g_malloc0(STEP);
    g_autoptr(GError) error = NULL;
    MkSpool *spool, *other;
    unsigned steps = 0;
    Fixture f;

    fixture_init(&f);
    spool = mk_spool_new(f.archive); /* the loop does not turn: nothing leaves memory */
    while (mk_spool_add(spool, octets, STEP, &error))
        g_assert_cmpuint(++steps, <=, MK_LIMIT_SPOOL_TOTAL_BYTES / STEP);
    g_assert_error(error, MK_ERROR, MK_ERROR_BUSY);
    g_clear_error(&error);
    g_assert_false(mk_archive_can_take(f.archive, 0, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_BUSY);
    g_clear_error(&error);
    mk_spool_free(spool);
    fixture_turn_until(&f, is_on_disk, f.archive);
    other = mk_spool_new(f.archive);
    g_assert_true(mk_spool_add(other, octets, 10, &error));
    g_assert_true(mk_archive_can_take(f.archive, 0, &error));
    g_assert_no_error(error);
    mk_spool_free(other);
    fixture_clear(&f);
}

static void test_can_take(void)
{
    g_autoptr(GError) error = NULL;
    Fixture f;

    fixture_init(&f);
    g_assert_true(mk_archive_can_take(f.archive, 1000, &error));
    g_assert_false(mk_archive_can_take(f.archive, UINT64_MAX / 4, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_NO_SPACE);
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_setup();
    g_test_add_func("/spool/nothing-readable", test_nothing_readable);
    g_test_add_func("/spool/sizes", test_sizes);
    g_test_add_func("/spool/back-pressure", test_back_pressure);
    g_test_add_func("/spool/total", test_total);
    g_test_add_func("/spool/can-take", test_can_take);
    return g_test_run();
}
