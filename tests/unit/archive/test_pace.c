/* test_pace.c - mail that comes in waits for the index, but not for ever */
#include <string.h>

#include "archive/internal.h"
#include "fixture.h"

static ArchiveStore *the_store(Fixture *f)
{
    return f->archive->stores->pdata[0];
}

/* -- how many ------------------------------------------------------------------------------------ */
static void test_room(void)
{
    PaceLimits limits = { .slow_ms = 400, .halt_ms = 700, .lost_ms = 30000, .hold_ms = 1000 };

    g_assert_cmpuint(pace_room(&limits, 0), ==, UINT_MAX);
    g_assert_cmpuint(pace_room(&limits, 399), ==, UINT_MAX);
    g_assert_cmpuint(pace_room(&limits, 400), ==, 1);
    g_assert_cmpuint(pace_room(&limits, 699), ==, 1);
    g_assert_cmpuint(pace_room(&limits, 700), ==, 0);
    g_assert_cmpuint(pace_room(&limits, 29999), ==, 0);
    g_assert_cmpuint(pace_room(&limits, 30000), ==, 1);
}

/* -- an index that does not get on --------------------------------------------------------------- */
typedef struct {
    unsigned done, failed;
} Count;

static void on_done(const GError *error, void *cookie)
{
    Count *count = cookie;

    count->done++;
    count->failed += error != NULL;
}

static void send(Fixture *f, int id, Count *count)
{
    g_autofree char *mail =
        g_strdup_printf("From: x@example.org\r\nTo: y@example.org\r\n"
                        "Subject: Vorgang\r\nMessage-ID: <%d@x>\r\n\r\nText\r\n",
                        id);

    fixture_ingest_start(f, mail, strlen(mail), on_done, count);
}

static bool is_behind(void *cookie)
{
    return follower_lag_ms(cookie) > 0;
}

static bool is_idle(void *cookie)
{
    return ((MkArchive *) cookie)->busy_jobs == 0;
}

static bool is_waiting(void *cookie)
{
    return ((MkArchive *) cookie)->ingest_held > 0;
}

static bool has_one(void *cookie)
{
    return ((Count *) cookie)->done == 1;
}

static bool has_two(void *cookie)
{
    return ((Count *) cookie)->done == 2;
}

/* One mail is in the archive, and not in the index as long as its lock is held. */
static void fall_behind(Fixture *f, PaceLimits limits, Count *count)
{
    ArchiveStore *store;

    fixture_init(f);
    send(f, 0, count); /* until the first has been indexed, nothing is known of the index */
    fixture_turn_until(f, has_one, count);
    fixture_wait_indexed(f);
    store = the_store(f);
    fixture_turn_until(f, is_idle, f->archive);
    count->done = 0;
    pthread_mutex_lock(&store->index_writer_lock);
    f->archive->pace.limits = limits;
    send(f, 1, count);
    fixture_turn_until(f, has_one, count);
    fixture_turn_until(f, is_behind, store->follower);
}

static void test_waits(void)
{
    Count count = { 0 };
    Fixture f;

    fall_behind(
        &f, (PaceLimits){ .slow_ms = 1, .halt_ms = 1, .lost_ms = INT64_MAX, .hold_ms = INT64_MAX },
        &count);
    send(&f, 2, &count);
    fixture_turn_until(&f, is_waiting, f.archive);
    for (int turn = 0; turn < 100; turn++)
        mk_loop_turn(f.loop);
    g_assert_cmpuint(count.done, ==, 1);
    pthread_mutex_unlock(&the_store(&f)->index_writer_lock);
    fixture_turn_until(&f, has_two, &count);
    g_assert_cmpuint(f.archive->ingest_held, ==, 0);
    fixture_wait_indexed(&f);
    fixture_assert_count(&f, f.system, "Vorgang", NULL, 3);
    fixture_clear(&f);
    g_assert_cmpuint(count.failed, ==, 0);
}

/* The index does not get on at all: mail is taken none the less. */
static void takes_mail(PaceLimits limits)
{
    Count count = { 0 };
    Fixture f;

    fall_behind(&f, limits, &count);
    send(&f, 2, &count);
    fixture_turn_until(&f, has_two, &count);
    g_assert_cmpuint(f.archive->ingest_held, ==, 0);
    pthread_mutex_unlock(&the_store(&f)->index_writer_lock);
    fixture_clear(&f);
    g_assert_cmpuint(count.failed, ==, 0);
}

static void test_not_for_ever(void)
{
    takes_mail((PaceLimits){ .slow_ms = 1, .halt_ms = 1, .lost_ms = INT64_MAX, .hold_ms = 20 });
}

static void test_lost(void)
{
    takes_mail((PaceLimits){ .slow_ms = 1, .halt_ms = 1, .lost_ms = 1, .hold_ms = INT64_MAX });
}

/* The end comes while one waits: it is reported, once. */
static void test_stop(void)
{
    Count count = { 0 };
    Fixture f;

    fall_behind(
        &f, (PaceLimits){ .slow_ms = 1, .halt_ms = 1, .lost_ms = INT64_MAX, .hold_ms = INT64_MAX },
        &count);
    send(&f, 2, &count);
    fixture_turn_until(&f, is_waiting, f.archive);
    pthread_mutex_unlock(&the_store(&f)->index_writer_lock);
    fixture_reopen(&f);
    g_assert_cmpuint(count.done, ==, 2);
    fixture_wait_indexed(&f);
    fixture_assert_count(&f, f.system, "Vorgang", NULL, 3 - count.failed);
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    fixture_setup();
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pace/room", test_room);
    g_test_add_func("/pace/waits", test_waits);
    g_test_add_func("/pace/not-for-ever", test_not_for_ever);
    g_test_add_func("/pace/lost", test_lost);
    g_test_add_func("/pace/stop", test_stop);
    return g_test_run();
}
