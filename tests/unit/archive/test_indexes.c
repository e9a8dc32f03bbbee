/* test_indexes.c - the state of indexes, verification against the store, refills that go on */
#include <errno.h>
#include <string.h>

#include "archive/internal.h"
#include "fixture.h"

enum { MAILS = 12 };

static ArchiveStore *the_store(Fixture *f)
{
    return f->archive->stores->pdata[0];
}

static void fill(Fixture *f)
{
    fixture_init(f);
    fixture_add_user(f, "anna", "login", "anna@example.com");
    fixture_add_user(f, "bert", "login", "bert@example.com");
    for (int i = 0; i < MAILS; i++) {
        g_autofree char *mail =
            g_strdup_printf("From: x@example.org\r\nTo: %s@example.com\r\nSubject: Vorgang w%d\r\n"
                            "Message-ID: <%d@x>\r\n\r\nText\r\n",
                            i % 2 == 0 ? "anna" : "bert", i, i);

        fixture_ingest(f, mail, strlen(mail));
    }
    fixture_wait_indexed(f);
}

static MkIndexInfo *row_of(const GPtrArray *rows, const char *folder)
{
    for (guint i = 0; i < rows->len; i++)
        if (strcmp(((MkIndexInfo *) rows->pdata[i])->folder, folder) == 0)
            return rows->pdata[i];
    g_assert_not_reached();
}

static bool needs_rebuild(Fixture *f, const char *folder)
{
    g_autoptr(GPtrArray) rows = mk_archive_indexes(f->archive, 0, NULL);

    return row_of(rows, folder)->needs_rebuild;
}

static uint64_t verify(Fixture *f)
{
    MkVerifyReport report = { 0 };
    g_autoptr(GError) error = NULL;
    uint64_t errors;

    mk_archive_verify_store(f->archive, 1, true, NULL, NULL, &report, &error);
    g_assert_no_error(error);
    errors = report.errors;
    mk_verify_report_clear(&report);
    return errors;
}

static void test_list(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) rows = NULL;
    Fixture f;

    fill(&f);
    rows = mk_archive_indexes(f.archive, 1, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(row_of(rows, "anna")->mail_count, ==, MAILS / 2);
    g_assert_false(row_of(rows, "anna")->selected);
    g_assert_cmpuint(rows->len, ==, 3); /* admin's is empty */
    g_assert_true(mk_archive_select_indexes(f.archive, NULL));
    fixture_reopen(&f);
    g_ptr_array_unref(rows);
    rows = mk_archive_indexes(f.archive, 0, NULL);
    g_assert_true(row_of(rows, "bert")->selected);
    g_assert_false(row_of(rows, "bert")->needs_rebuild);
    fixture_clear(&f);
}

/* What the index lacks, and what it has too much, is found; the mark outlives a restart. */
static void test_verify(void)
{
    static const char *const none[] = { NULL };
    MkIndexDoc doc = { .number = 4711, .subject = "", .from = "", .to = "" };
    g_autoptr(GError) error = NULL;
    MkIndexWriter *writer;
    ArchiveStore *store;
    Fixture f;

    fill(&f);
    store = the_store(&f);
    g_assert_cmpuint(verify(&f), ==, 0);
    g_assert_false(needs_rebuild(&f, "anna"));
    doc.folders = (const uint32_t[]){ 1 };
    doc.folder_count = 1;
    for (int field = 0; field < MK_FIELD_COUNT; field++)
        doc.values[field] = none;
    writer = mk_index_writer_new(store->index);
    mk_index_writer_remove(writer, 3);
    mk_index_writer_remove(writer, 4);
    mk_index_writer_add(writer, &doc);
    mk_index_writer_commit(writer, mk_index_watermark(store->index), &error);
    g_assert_no_error(error);
    g_assert_cmpuint(verify(&f), ==, 3); /* two missing, one too many */
    g_assert_true(needs_rebuild(&f, "anna"));
    fixture_reopen(&f);
    g_assert_true(needs_rebuild(&f, "anna"));
    g_assert_true(mk_archive_rebuild_index(f.archive, 1, NULL));
    fixture_wait_indexed(&f);
    g_assert_cmpuint(verify(&f), ==, 0);
    g_assert_false(needs_rebuild(&f, "anna"));
    fixture_assert_count(&f, f.system, "Vorgang", NULL, MAILS);
    fixture_clear(&f);
}

static uint64_t compare(ArchiveStore *store, MkArchive *archive, unsigned emptied)
{
    MkVerifyReport report = { .messages = g_ptr_array_new_with_free_func(g_free) };
    g_autoptr(GError) error = NULL;
    uint64_t errors;

    index_compare(archive, store, emptied, &report, &error);
    g_assert_no_error(error);
    errors = report.errors;
    mk_verify_report_clear(&report);
    return errors;
}

/* What an index lacks that has been emptied since the comparison began is not missing. */
static void test_verify_emptied(void)
{
    g_autoptr(GError) error = NULL;
    MkIndexWriter *writer;
    ArchiveStore *store;
    unsigned before;
    Fixture f;

    fill(&f);
    store = the_store(&f);
    before = store->index_emptied;
    g_assert_true(mk_archive_rebuild_index(f.archive, 1, NULL));
    fixture_wait_indexed(&f);
    writer = mk_index_writer_new(store->index);
    mk_index_writer_remove(writer, 3);
    mk_index_writer_commit(writer, mk_index_watermark(store->index), &error);
    g_assert_no_error(error);
    g_assert_cmpuint(compare(store, f.archive, before), ==, 0);
    g_assert_false(needs_rebuild(&f, "anna"));
    g_assert_cmpuint(compare(store, f.archive, store->index_emptied), ==, 1);
    g_assert_true(needs_rebuild(&f, "anna"));
    fixture_clear(&f);
}

/* A refill that was cut off goes on behind what it had; a change in the meantime is not lost. */
static void test_refill_goes_on(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) numbers = NULL;
    MkIndexWriter *writer;
    ArchiveStore *store;
    Batch batch;
    Fixture f;

    fill(&f);
    store = the_store(&f);
    pthread_mutex_lock(&store->index_writer_lock); /* the follower stays out */
    g_assert_true(mk_index_clear(store->index, NULL));
    g_assert_true(index_status_refill(f.archive, store, mk_store_last_change(store->store), NULL));
    batch_init(&batch, f.archive, store, NULL);
    numbers = mk_store_mails(store->store, 0, 5, &error);
    for (guint i = 0; i < numbers->len; i++)
        g_assert_true(batch_add_mail(&batch, g_array_index(numbers, uint32_t, i), &error));
    writer = batch.writer;
    g_assert_true(mk_index_writer_commit(writer, 0, &error));
    batch_clear(&batch);
    store->rebuild_sequence = 0;
    pthread_mutex_unlock(&store->index_writer_lock);
    fixture_reopen(&f);
    fixture_wait_indexed(&f);
    g_assert_cmpuint(verify(&f), ==, 0);
    fixture_assert_count(&f, f.system, "Vorgang", NULL, MAILS);
    fixture_clear(&f);
}

/* Mails that came after it began are left to the change queue, at which it looks at once. */
static void test_refill_ends(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) numbers = NULL, indexed = NULL;
    BatchOutcome outcome;
    ArchiveStore *store;
    Fixture f;

    fill(&f);
    store = the_store(&f);
    numbers = mk_store_mails(store->store, 0, MAILS, &error);
    g_assert_cmpuint(numbers->len, ==, MAILS);
    g_assert_true(mk_index_clear(store->index, NULL));
    store->rebuild_sequence = mk_store_last_change(store->store);
    store->rebuild_after = 0;
    store->rebuild_last = g_array_index(numbers, uint32_t, MAILS - 3);
    g_assert_true(index_batch(f.archive, store, NULL, &outcome, &error));
    indexed = mk_index_numbers(store->index, 0, MAILS, &error);
    g_assert_cmpuint(indexed->len, ==, MAILS - 2);
    g_assert_true(outcome.more);
    g_assert_true(index_batch(f.archive, store, NULL, &outcome, &error));
    g_assert_false(outcome.more);
    fixture_clear(&f);
}

/* An index emptied meanwhile: a mail with a high number would hide from the refill what lies below. */
static void test_again_emptied(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) indexed = NULL;
    const uint32_t numbers[] = { MAILS };
    BatchOutcome outcome = { .more = false };
    guint done = 77;
    ArchiveStore *store;
    Fixture f;

    fill(&f);
    store = the_store(&f);
    g_assert_true(index_again(f.archive, store, NULL, numbers, 1, &done, &outcome, &error));
    g_assert_cmpuint(done, ==, 1);
    g_assert_true(mk_index_clear(store->index, NULL));
    g_assert_true(index_again(f.archive, store, NULL, numbers, 1, &done, &outcome, &error));
    g_assert_cmpuint(done, ==, 0);
    indexed = mk_index_numbers(store->index, 0, MAILS, &error);
    g_assert_cmpuint(indexed->len, ==, 0);
    fixture_clear(&f);
}

static int no_catalog(const char *step, void *cookie)
{
    (void) cookie;
    return g_str_equal(step, "catalog.commit") || g_str_equal(step, "catalog.reload") ? EIO : 0;
}

/* An index that begins while the catalog cannot be written waits for the mails it does not see. */
static void test_refill_waits(void)
{
    static const char mail[] = "From: x@example.org\r\nSubject: Vorgang\r\n\r\nText\r\n";
    g_autoptr(GError) error = NULL;
    BatchOutcome outcome;
    ArchiveStore *store;
    Fixture f;

    fixture_init(&f);
    store = the_store(&f);
    mk_store_set_fault(store->store, no_catalog, NULL);
    fixture_ingest(&f, mail, strlen(mail)); /* durable: it lies in the pack */
    g_assert_cmpuint(mk_store_last_change(store->store), ==, 1);
    g_assert_false(index_batch(f.archive, store, NULL, &outcome, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_IO);
    g_clear_error(&error);
    mk_store_set_fault(store->store, NULL, NULL);
    g_assert_true(index_batch(f.archive, store, NULL, &outcome, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(verify(&f), ==, 0);
    fixture_assert_count(&f, f.system, "Vorgang", NULL, 1);
    fixture_clear(&f);
}

typedef struct {
    MkArchive *archive;
    MkProgressFunc on_progress;
    GError *error;
    bool ok;
    _Atomic bool done;
} Rebuild;

static void *run_rebuild(void *data)
{
    Rebuild *rebuild = data;

    rebuild->ok = mk_archive_rebuild_archive_index(rebuild->archive, 1, "anna",
                                                   rebuild->on_progress, NULL, &rebuild->error);
    rebuild->done = true;
    return NULL;
}

static bool is_done(void *cookie)
{
    return ((Rebuild *) cookie)->done;
}

static bool stop_at_once(unsigned percent, const char *text, void *cookie)
{
    (void) percent;
    (void) text;
    (void) cookie;
    return false;
}

/* The loop turns while a lane (here a thread) waits, as it does in the daemon. */
static void rebuild_anna(Fixture *f, Rebuild *rebuild)
{
    GThread *thread;

    rebuild->archive = f->archive;
    thread = g_thread_new("rebuild", run_rebuild, rebuild);
    fixture_turn_until(f, is_done, rebuild);
    g_thread_join(thread);
}

static void test_rebuild(void)
{
    Rebuild whole = { .ok = false }, cut = { .on_progress = stop_at_once };
    g_autoptr(GError) error = NULL;
    MkIndexSettings settings;
    Fixture f;

    fill(&f);
    mk_archive_index_settings(f.archive, &settings, &error);
    g_assert_true(mk_archive_set_index_settings(f.archive, &settings, true, &error));
    mk_index_settings_clear(&settings);
    g_assert_true(needs_rebuild(&f, "anna") && needs_rebuild(&f, "bert"));
    rebuild_anna(&f, &cut);
    g_assert_true(cut.ok || g_error_matches(cut.error, MK_ERROR, MK_ERROR_CANCELLED));
    g_clear_error(&cut.error);
    rebuild_anna(&f, &whole);
    g_assert_no_error(whole.error);
    g_assert_false(needs_rebuild(&f, "anna"));
    g_assert_true(needs_rebuild(&f, "bert"));
    fixture_assert_count(&f, f.system, "Vorgang", NULL, MAILS);
    fixture_assert_count(&f, f.system, "w3", NULL, 1);
    g_assert_false(mk_archive_rebuild_archive_index(f.archive, 1, "anna/Journal Incoming", NULL,
                                                    NULL, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_NOT_FOUND);
    fixture_clear(&f);
}

/* The index of an archive cannot be read: all of the store is filled again, and it says how far. */
static bool note_percent(unsigned percent, const char *text, void *cookie)
{
    (void) text;
    *(unsigned *) cookie = percent;
    return false;
}

static void test_progress(void)
{
    g_autoptr(GError) error = NULL;
    unsigned percent = 0;
    ArchiveStore *store;
    Fixture f;

    fill(&f);
    store = the_store(&f);
    pthread_mutex_lock(&store->index_writer_lock); /* in the middle of it */
    g_assert_true(mk_index_clear(store->index, NULL));
    store->refill_at = MAILS / 2;
    store->refill_last = MAILS;
    g_assert_false(
        mk_archive_rebuild_archive_index(f.archive, 1, "anna", note_percent, &percent, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_CANCELLED);
    g_assert_cmpuint(percent, ==, 50);
    pthread_mutex_unlock(&store->index_writer_lock);
    g_assert_true(mk_archive_rebuild_index(f.archive, 1, NULL));
    g_assert_cmpuint(store->refill_last, ==, 0);
    fixture_wait_indexed(&f);
    g_assert_cmpuint(store->refill_last, ==, MAILS);
    g_assert_cmpuint(store->refill_at, ==, MAILS);
    fixture_clear(&f);
}

static void test_settings(void)
{
    static char *extensions[] = { (char *) "cfg", (char *) "xyz", NULL };
    static char *bad[] = { (char *) "a/b", NULL };
    MkIndexSettings settings = { UINT64_C(1) << MK_DOCUMENT_PDF, extensions, true };
    MkIndexSettings got, wrong = { 0, bad, false };
    g_autoptr(GError) error = NULL;
    Fixture f;

    fixture_init(&f);
    g_assert_true(mk_archive_index_settings(f.archive, &got, NULL));
    g_assert_cmpuint(got.kinds, ==, UINT64_MAX);
    g_assert_false(got.ocr);
    mk_index_settings_clear(&got);
    g_assert_true(mk_archive_set_index_settings(f.archive, &settings, false, &error));
    g_assert_false(mk_archive_set_index_settings(f.archive, &wrong, false, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_INVALID);
    fixture_reopen(&f);
    g_assert_true(mk_archive_index_settings(f.archive, &got, NULL));
    g_assert_cmpuint(got.kinds, ==, UINT64_C(1) << MK_DOCUMENT_PDF);
    g_assert_cmpstr(got.extensions[1], ==, "xyz");
    g_assert_true(got.ocr);
    mk_index_settings_clear(&got);
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_setup();
    g_test_add_func("/indexes/list", test_list);
    g_test_add_func("/indexes/verify", test_verify);
    g_test_add_func("/indexes/verify-emptied", test_verify_emptied);
    g_test_add_func("/indexes/refill-goes-on", test_refill_goes_on);
    g_test_add_func("/indexes/refill-ends", test_refill_ends);
    g_test_add_func("/indexes/again-emptied", test_again_emptied);
    g_test_add_func("/indexes/refill-waits", test_refill_waits);
    g_test_add_func("/indexes/rebuild", test_rebuild);
    g_test_add_func("/indexes/progress", test_progress);
    g_test_add_func("/indexes/settings", test_settings);
    return g_test_run();
}
