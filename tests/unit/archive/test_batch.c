/* test_batch.c - a batch of the index ends with what was there when it began */
#include <string.h>

#include "archive/internal.h"
#include "fixture.h"

/* More than are asked of the store at once. */
enum { FIRST = 3, WAITING = 300, MEANWHILE = 5 };

static void send(Fixture *f, int count)
{
    static int id;

    for (int i = 0; i < count; i++) {
        g_autofree char *mail =
            g_strdup_printf("From: x@example.org\r\nTo: y@example.org\r\nSubject: Vorgang\r\n"
                            "Message-ID: <%d@x>\r\n\r\nText\r\n",
                            id++);

        fixture_ingest(f, mail, strlen(mail));
    }
}

static bool is_idle(void *cookie)
{
    return ((MkArchive *) cookie)->busy_jobs == 0;
}

/* An archive with a few mails in its index. The follower stays out from here on. */
static ArchiveStore *begin(Fixture *f)
{
    ArchiveStore *store;

    fixture_init(f);
    send(f, FIRST);
    fixture_wait_indexed(f);
    fixture_turn_until(f, is_idle, f->archive);
    store = f->archive->stores->pdata[0];
    pthread_mutex_lock(&store->index_writer_lock);
    f->archive->pace.limits.slow_ms = f->archive->pace.limits.halt_ms = INT64_MAX;
    return store;
}

static void end(Fixture *f, ArchiveStore *store, unsigned count)
{
    pthread_mutex_unlock(&store->index_writer_lock);
    fixture_wait_indexed(f);
    fixture_assert_count(f, f->system, "Vorgang", NULL, count);
    fixture_clear(f);
}

static uint64_t indexed(ArchiveStore *store)
{
    MkIndexStatistics statistics;

    g_assert_true(mk_index_statistics(store->index, &statistics, NULL));
    return statistics.mail_count;
}

static void take(Batch *batch, BatchOutcome *out)
{
    g_autoptr(GError) error = NULL;

    batch_take(batch, out, &error);
    g_assert_no_error(error);
    batch_clear(batch);
}

static void test_mail_meanwhile(void)
{
    BatchOutcome outcome;
    uint64_t there;
    ArchiveStore *store;
    Batch batch;
    Fixture f;

    store = begin(&f);
    send(&f, WAITING);
    there = mk_store_last_change(store->store);
    batch_init(&batch, f.archive, store, NULL);
    send(&f, MEANWHILE);
    g_assert_cmpuint(mk_store_last_change(store->store), >, there);
    take(&batch, &outcome);
    g_assert_cmpuint(indexed(store), ==, FIRST + WAITING);
    g_assert_cmpuint(mk_index_watermark(store->index), ==, there);
    g_assert_false(outcome.behind); /* those that waited have been answered */

    batch_init(&batch, f.archive, store, NULL); /* the next one */
    take(&batch, &outcome);
    g_assert_cmpuint(indexed(store), ==, FIRST + WAITING + MEANWHILE);
    g_assert_false(outcome.more);
    end(&f, store, FIRST + WAITING + MEANWHILE);
}

/* Its time is over: the rest is for the next batch, which begins at once. */
static void test_cut_off(void)
{
    BatchOutcome outcome;
    ArchiveStore *store;
    Batch batch;
    Fixture f;

    store = begin(&f);
    send(&f, MEANWHILE);
    batch_init(&batch, f.archive, store, NULL);
    batch.until_ms = 0;
    take(&batch, &outcome);
    g_assert_cmpuint(indexed(store), ==, FIRST + 1);
    g_assert_true(outcome.behind);
    g_assert_true(outcome.more);
    end(&f, store, FIRST + MEANWHILE);
}

int main(int argc, char **argv)
{
    fixture_setup();
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/batch/mail-meanwhile", test_mail_meanwhile);
    g_test_add_func("/batch/cut-off", test_cut_off);
    return g_test_run();
}
