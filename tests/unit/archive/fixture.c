/* fixture.c - a small installation in a directory of its own, with its loop, for one test */
#include <stdio.h>
#include <string.h>

#include <mailkeep/crypto.h>
#include <mailkeep/log.h>
#include <mailkeep/mail.h>

#include "fixture.h"

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

/* -- mails --------------------------------------------------------------------------------- */
typedef struct {
    bool done;
    GError *error;
} Outcome;

static void on_ingested(const GError *error, void *cookie)
{
    Outcome *outcome = cookie;

    outcome->done = true;
    outcome->error = error == NULL ? NULL : g_error_copy(error);
}

static MkEnvelope *new_envelope(void)
{
    MkEnvelope *envelope = mk_envelope_new();

    envelope->reverse_path = g_strdup("reports@example.com");
    g_ptr_array_add(envelope->forward_paths, g_strdup("journal@archive.example"));
    envelope->client_address = g_strdup("192.0.2.25");
    envelope->helo = g_strdup("mail.example.com");
    envelope->tls = g_strdup("TLSv1.3");
    envelope->arrived_unix_ms = mk_clock_unix_ms();
    return envelope;
}

/* In pieces of a read, waiting where the spool says so. */
static MkSpool *fill_spool(Fixture *fixture, const uint8_t *data, size_t length)
{
    MkSpool *spool = mk_spool_new(fixture->archive);
    g_autoptr(GError) error = NULL;

    for (size_t at = 0; at < length;) {
        size_t step = MIN(length - at, 65536);

        mk_spool_add(spool, data + at, step, &error);
        g_assert_no_error(error);
        at += step;
        while (mk_spool_is_full(spool))
            mk_loop_turn(fixture->loop);
    }
    return spool;
}

void fixture_ingest_start(Fixture *fixture, const void *mail, size_t length, MkIngestDone on_done,
                          void *cookie)
{
    mk_archive_ingest(fixture->archive, new_envelope(), fill_spool(fixture, mail, length), on_done,
                      cookie);
}

void fixture_ingest(Fixture *fixture, const void *mail, size_t length)
{
    Outcome outcome = { false, NULL };

    fixture_ingest_start(fixture, mail, length, on_ingested, &outcome);
    g_assert_false(outcome.done); /* never before the call returns */
    fixture_turn_until(fixture, is_set, &outcome.done);
    g_assert_no_error(outcome.error);
}

char *fixture_crlf(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    return g_strjoinv("\r\n", lines);
}

char *fixture_report(const char *sender, const char *recipients, const char *mail)
{
    return g_strdup_printf("From: <reports@example.com>\r\n"
                           "To: <journal@archive.example>\r\n"
                           "Subject: a report\r\n"
                           "Message-ID: <report@example.com>\r\n"
                           "MIME-Version: 1.0\r\n"
                           "X-MS-Journal-Report:\r\n"
                           "Content-Type: multipart/mixed; boundary=\"b1_42\"\r\n"
                           "\r\n"
                           "--b1_42\r\n"
                           "Content-Type: text/plain; charset=\"us-ascii\"\r\n"
                           "Content-Transfer-Encoding: 7bit\r\n"
                           "\r\n"
                           "Sender: %s\r\n"
                           "Subject: a mail\r\n"
                           "Message-Id: <mail@example.com>\r\n"
                           "%s"
                           "\r\n"
                           "--b1_42\r\n"
                           "Content-Type: message/rfc822\r\n"
                           "\r\n"
                           "%s\r\n"
                           "--b1_42--\r\n",
                           sender, recipients, mail);
}

MkFound *fixture_find(Fixture *fixture, const MkPrincipal *principal, const char *query,
                      const char *folder)
{
    MkFind find = { .principal = principal, .query = query, .folder = folder, .limit = 100 };
    g_autoptr(GError) error = NULL;
    MkFound *found = mk_archive_find(fixture->archive, &find, &error);

    g_assert_no_error(error);
    return found;
}

void fixture_assert_count(Fixture *fixture, const MkPrincipal *principal, const char *query,
                          const char *folder, unsigned count)
{
    g_autoptr(MkFound) found = fixture_find(fixture, principal, query, folder);

    g_test_message("query %s", query);
    g_assert_cmpuint(found->total, ==, count);
    g_assert_cmpuint(found->hits->len, ==, MIN(count, 100u));
}

unsigned fixture_count_in(Fixture *fixture, const char *folder)
{
    g_autoptr(GArray) mails =
        mk_archive_folder_mails(fixture->archive, fixture->system, folder, NULL);

    return mails == NULL ? 0 : mails->len;
}

MkMailId fixture_only_mail(Fixture *fixture, const char *folder)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) mails =
        mk_archive_folder_mails(fixture->archive, fixture->system, folder, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(mails->len, ==, 1);
    return g_array_index(mails, MkMailId, 0);
}
