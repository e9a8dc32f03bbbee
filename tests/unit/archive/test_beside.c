/* test_beside.c - what takes long, and mail that comes in and is found meanwhile */
#include <stdatomic.h>
#include <string.h>

#include "archive/internal.h"
#include "fixture.h"

/* A job that holds a lane until it is let go. */
typedef struct {
    MkJob job;
    Fixture *f;
    bool (*work)(MkArchive *archive, MkProgressFunc on_progress, void *cookie, GError **error);
    atomic_bool *go;
    atomic_bool began;
    bool done, ok;
} Long;

static bool hold(unsigned percent, const char *text, void *cookie)
{
    Long *self = cookie;

    (void) percent;
    (void) text;
    self->began = true;
    while (!*self->go)
        g_usleep(500);
    return true;
}

static void run_long(MkJob *job)
{
    Long *self = (Long *) job;

    if (self->work == NULL)
        self->ok = hold(0, NULL, self);
    else
        self->ok = self->work(self->f->archive, hold, self, NULL);
}

static void long_done(MkJob *job)
{
    ((Long *) job)->done = true;
}

static void start_long(Long *self, MkLane lane)
{
    self->job.run = run_long;
    self->job.done = long_done;
    g_assert_true(mk_job_submit(self->f->loop, lane, &self->job, NULL));
}

static bool has_begun(void *cookie)
{
    return ((Long *) cookie)->began;
}

static bool is_done(void *cookie)
{
    return ((Long *) cookie)->done;
}

static void ingest_word(Fixture *f, const char *word)
{
    g_autofree char *mail = g_strdup_printf("From: x@example.org\r\nTo: anna@example.com\r\n"
                                            "Subject: %s\r\nMessage-ID: <%s@x>\r\n\r\nText\r\n",
                                            word, word);

    fixture_ingest(f, mail, strlen(mail));
}

static void prepare(Fixture *f)
{
    fixture_init(f);
    fixture_add_user(f, "anna", "login", "anna@example.com");
    fixture_add_user(f, "bert", "login", "bert@example.com");
    ingest_word(f, "Before");
    fixture_wait_indexed(f);
}

/* -- operations ---------------------------------------------------------------------------------- */
static bool verify(MkArchive *archive, MkProgressFunc on_progress, void *cookie, GError **error)
{
    MkVerifyReport report = { 0 };
    bool ok = mk_archive_verify_store(archive, 1, true, on_progress, cookie, &report, error) &&
              report.errors == 0;

    mk_verify_report_clear(&report);
    return ok;
}

static bool rebuild(MkArchive *archive, MkProgressFunc on_progress, void *cookie, GError **error)
{
    return mk_archive_rebuild_archive_index(archive, 1, "anna", on_progress, cookie, error);
}

/* Both threads of the lane are in the middle of an operation. */
static void mail_beside(Long *first, Long *second)
{
    atomic_bool go = false;
    Fixture f;

    prepare(&f);
    first->f = second->f = &f;
    first->go = second->go = &go;
    start_long(first, MK_LANE_OPERATION);
    start_long(second, MK_LANE_OPERATION);
    fixture_turn_until(&f, has_begun, first);
    fixture_turn_until(&f, has_begun, second);
    ingest_word(&f, "Meanwhile");
    fixture_wait_indexed(&f);
    fixture_assert_count(&f, f.system, "Meanwhile", NULL, 1);
    go = true;
    fixture_turn_until(&f, is_done, first);
    fixture_turn_until(&f, is_done, second);
    g_assert_true(first->ok && second->ok);
    fixture_clear(&f);
}

static void test_verify(void)
{
    Long first = { .work = verify }, second = { .work = NULL };

    mail_beside(&first, &second);
}

static void test_rebuild(void)
{
    Long first = { .work = rebuild }, second = { .work = NULL };

    mail_beside(&first, &second);
}

/* -- attachments that are read later --------------------------------------------------------------- */
static void read_pictures(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    MkIndexSettings settings;

    g_assert_true(mk_archive_index_settings(f->archive, &settings, &error));
    settings.ocr = true;
    g_assert_true(mk_archive_set_index_settings(f->archive, &settings, false, &error));
    mk_index_settings_clear(&settings);
}

static uint64_t waiting_of(Fixture *f, const char *folder)
{
    g_autoptr(GPtrArray) rows = mk_archive_indexes(f->archive, 0, NULL);

    for (guint i = 0; i < rows->len; i++) {
        const MkIndexInfo *info = rows->pdata[i];

        if (g_str_equal(info->folder, folder))
            return info->texts_waiting;
    }
    g_assert_not_reached();
}

static uint64_t waiting(Fixture *f)
{
    MkArchiveGauges gauges;

    mk_archive_gauges(f->archive, &gauges);
    return gauges.texts_waiting;
}

static bool none_waiting(void *cookie)
{
    return waiting(cookie) == 0;
}

static const char picture[] =
    "From: x@example.org\r\nTo: anna@example.com\r\nSubject: Scan\r\nMessage-ID: <p@x>\r\n"
    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/plain\r\n\r\nBrief\r\n"
    "--b\r\nContent-Type: image/png; name=scan.png\r\nContent-Transfer-Encoding: base64\r\n"
    "Content-Disposition: attachment; filename=scan.png\r\n\r\n"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5E\r\n"
    "rkJggg==\r\n--b--\r\n";

/* A mail whose picture waits to be read, by a lane that these two hold. */
static void prepare_picture(Fixture *f, Long *first, Long *second, atomic_bool *go)
{
    prepare(f);
    read_pictures(f);
    ingest_word(f, "Settings"); /* the first look of the text pass is over when it is found */
    fixture_wait_indexed(f);
    first->f = second->f = f;
    first->go = second->go = go;
    start_long(first, MK_LANE_CARE); /* nothing of it is read */
    start_long(second, MK_LANE_CARE);
    fixture_turn_until(f, has_begun, first);
    fixture_turn_until(f, has_begun, second);
    fixture_ingest(f, picture, strlen(picture));
    fixture_wait_indexed(f);
}

static void test_texts(void)
{
    atomic_bool go = false;
    Long first = { .work = NULL }, second = { .work = NULL };
    Fixture f;

    prepare_picture(&f, &first, &second, &go);
    fixture_assert_count(&f, f.system, "Brief", NULL, 1);
    g_assert_cmpuint(waiting(&f), ==, 1);
    g_assert_cmpuint(waiting_of(&f, "anna"), ==, 1);
    g_assert_cmpuint(waiting_of(&f, "bert"), ==, 0);
    go = true;
    fixture_turn_until(&f, none_waiting, &f);
    fixture_turn_until(&f, is_done, &first);
    fixture_turn_until(&f, is_done, &second);
    g_assert_cmpuint(waiting_of(&f, "anna"), ==, 0);
    fixture_clear(&f);
}

static void *run_pass(void *archive)
{
    ArchiveStore *store = store_current(archive);
    AttachmentReader *reader = attachment_reader_new(archive, true);
    MkJob job = { 0 };
    unsigned skip = 0;
    bool more;

    g_assert_true(text_pass(archive, store, reader, &job, &skip, &more, NULL));
    g_assert_true(more);
    attachment_reader_free(reader);
    return NULL;
}

/* What was read is not written to an index that has been emptied meanwhile: its refill does it. */
static void test_texts_emptied(void)
{
    atomic_bool go = false;
    Long first = { .work = NULL }, second = { .work = NULL };
    MkIndexStatistics statistics;
    ArchiveStore *store;
    GThread *pass;
    Fixture f;

    prepare_picture(&f, &first, &second, &go);
    store = store_current(f.archive);
    pthread_mutex_lock(&store->index_writer_lock);
    store->texts_waiting = 77;
    pass = g_thread_new("pass", run_pass, f.archive);
    while (store->texts_waiting == 77) /* until it knows which mails to read */
        g_usleep(500);
    g_assert_true(mk_index_clear(store->index, NULL));
    pthread_mutex_unlock(&store->index_writer_lock);
    g_thread_join(pass);
    g_assert_true(mk_index_statistics(store->index, &statistics, NULL));
    g_assert_cmpuint(statistics.mail_count, ==, 0);
    go = true;
    g_assert_true(mk_archive_rebuild_index(f.archive, 1, NULL));
    fixture_wait_indexed(&f);
    fixture_assert_count(&f, f.system, "Before", NULL, 1);
    fixture_assert_count(&f, f.system, "Brief", NULL, 1);
    fixture_turn_until(&f, is_done, &first);
    fixture_turn_until(&f, is_done, &second);
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    fixture_setup();
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/beside/verify", test_verify);
    g_test_add_func("/beside/rebuild", test_rebuild);
    g_test_add_func("/beside/texts", test_texts);
    g_test_add_func("/beside/texts-emptied", test_texts_emptied);
    return g_test_run();
}
