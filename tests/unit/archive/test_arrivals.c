/* test_arrivals.c - mails by day against a count one by one; mailboxes that have fallen silent */
#include <string.h>
#include <time.h>

#include "archive/internal.h"
#include "fixture.h"

#define DAY_MS INT64_C(86400000)
#define HOUR_MS INT64_C(3600000)
#define BEGIN_MS (20000 * DAY_MS)

/* -- silence (pure) ------------------------------------------------------------------------------ */
static void test_silence(void)
{
    /* Days with mail, counted from some day, and on which day it is silent or not. */
    static const struct {
        const char *days;
        int now;
        bool silent;
    } cases[] = {
        { "", 9, false },
        { "0", 90, false },             /* it never was in use */
        { "0 1", 30, false },           /* hardly */
        { "0 1 2", 2, false },          /* today */
        { "0 1 2", 5, false },          /* a long weekend */
        { "0 1 2", 6, true },           /* four days */
        { "0 1 4 5", 11, false },       /* pauses of three days: twice that is usual */
        { "0 1 4 5", 12, true },        /* and this is longer */
        { "0 7 14 21", 35, false },     /* once a week */
        { "0 7 14 21", 36, true },      /* two weeks without */
        { "0 1 2 60", 70, false },      /* a pause of 58 days was no matter */
        { "0 1 2 70 71 72", 76, true }, /* one that is longer ago than 64 days is forgotten */
        { "5 4 3", 6, false },          /* the clock was put back */
        { "5 4 3", 9, true },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) days = g_strsplit(cases[i].days, " ", -1);
        Arrival arrival = { 0 };

        g_test_message("%s, %d", cases[i].days, cases[i].now);
        for (char **day = days; *day != NULL; day++)
            arrival_note(&arrival, BEGIN_MS + atoi(*day) * DAY_MS + HOUR_MS);
        g_assert_cmpint(arrival_is_silent(&arrival, BEGIN_MS + cases[i].now * DAY_MS), ==,
                        cases[i].silent);
    }
}

static void test_first_of_a_day(void)
{
    Arrival arrival = { 0 };

    g_assert_true(arrival_note(&arrival, BEGIN_MS));
    g_assert_false(arrival_note(&arrival, BEGIN_MS + HOUR_MS));
    g_assert_cmpint(arrival.last_unix_ms, ==, BEGIN_MS + HOUR_MS);
    g_assert_false(arrival_note(&arrival, BEGIN_MS)); /* one that took longer */
    g_assert_cmpint(arrival.last_unix_ms, ==, BEGIN_MS + HOUR_MS);
    g_assert_true(arrival_note(&arrival, BEGIN_MS + DAY_MS));
    g_assert_cmphex(arrival.days, ==, 3);
}

/* -- with mails ---------------------------------------------------------------------------------- */
static void on_ingested(const GError *error, void *cookie)
{
    g_assert_no_error(error);
    *(bool *) cookie = true;
}

static bool is_set(void *cookie)
{
    return *(bool *) cookie;
}

static void ingest_at(Fixture *f, unsigned number, int64_t unix_ms)
{
    g_autofree char *mail =
        g_strdup_printf("From: a@b.example\r\nMessage-ID: <%u@b>\r\n\r\nx\r\n", number);
    MkEnvelope *envelope = mk_envelope_new();
    MkSpool *spool = mk_spool_new(f->archive);
    bool done = false;

    envelope->reverse_path = g_strdup("a@b.example");
    g_ptr_array_add(envelope->forward_paths, g_strdup("journal@archive.example"));
    envelope->client_address = g_strdup("192.0.2.1");
    envelope->helo = g_strdup("b.example");
    envelope->arrived_unix_ms = unix_ms;
    g_assert_true(mk_spool_add(spool, mail, strlen(mail), NULL));
    mk_archive_ingest(f->archive, envelope, spool, on_ingested, &done);
    fixture_turn_until(f, is_set, &done);
}

/* How many midnights of the time zone lie between, by the C library. */
static int days_before(int64_t unix_ms, int64_t now_unix_ms)
{
    time_t then = unix_ms / 1000, now = now_unix_ms / 1000;
    struct tm day, today;

    localtime_r(&then, &day);
    localtime_r(&now, &today);
    today.tm_hour = day.tm_hour = 12; /* noon to noon, whatever the clock does at night */
    today.tm_min = day.tm_min = today.tm_sec = day.tm_sec = 0;
    today.tm_isdst = day.tm_isdst = -1;
    return (int) ((difftime(mktime(&today), mktime(&day)) + 43200) / 86400);
}

static void assert_days(Fixture *f, const int64_t *times, size_t count, int64_t now)
{
    MkArrivalDay days[MK_ARRIVAL_DAYS];
    uint64_t expected[MK_ARRIVAL_DAYS] = { 0 };
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < count; i++) {
        int before = days_before(times[i], now);

        if (before < MK_ARRIVAL_DAYS)
            expected[MK_ARRIVAL_DAYS - 1 - before]++;
    }
    mk_archive_arrival_days(f->archive, now, days, &error);
    g_assert_no_error(error);
    for (int i = 0; i < MK_ARRIVAL_DAYS; i++) {
        g_assert_cmpuint(days[i].mail_count, ==, expected[i]);
        g_assert_cmpint(days_before(days[i].begins_unix_ms, now), ==, MK_ARRIVAL_DAYS - 1 - i);
        g_assert_cmpint(days_before(days[i].begins_unix_ms - 1000, now), ==, MK_ARRIVAL_DAYS - i);
    }
}

/* 2026-03-29 03:00 in Berlin: that day has 23 hours. */
#define NOW_MS INT64_C(1775044800000) /* 2026-04-01 12:00 UTC */

static void test_days(void)
{
    int64_t times[120] = { 0 };
    g_autoptr(GRand) random = g_rand_new_with_seed(42);
    int64_t at = NOW_MS - 45 * DAY_MS;
    Fixture f;

    fixture_init(&f);
    assert_days(&f, times, 0, NOW_MS);
    for (unsigned i = 0; i < G_N_ELEMENTS(times); i++) {
        at += g_rand_int_range(random, 0, 18 * 3600) * INT64_C(1000);
        times[i] = MIN(at, NOW_MS);
        ingest_at(&f, i, times[i]);
    }
    assert_days(&f, times, G_N_ELEMENTS(times), NOW_MS);
    fixture_reopen(&f);
    assert_days(&f, times, G_N_ELEMENTS(times), NOW_MS);
    fixture_clear(&f);
}

static void test_activity(void)
{
    MkGatewayMailbox mailbox = { .address = "journal@archive.example" };
    g_autofree char *id = NULL;
    MkGatewayActivity activity;
    Fixture f;

    fixture_init(&f);
    g_assert_true(mk_archive_gateway_create(f.archive, &mailbox, &id, NULL));
    activity = mk_archive_gateway_activity(f.archive, id, NOW_MS);
    g_assert_cmpint(activity.last_unix_ms, ==, 0);
    g_assert_false(activity.silent);
    for (unsigned i = 0; i < 3; i++)
        ingest_at(&f, i, NOW_MS + i * DAY_MS);
    fixture_reopen(&f); /* what the first mail of each day has left behind */
    activity = mk_archive_gateway_activity(f.archive, id, NOW_MS + 3 * DAY_MS);
    g_assert_cmpint(activity.last_unix_ms, ==, NOW_MS + 2 * DAY_MS);
    g_assert_false(activity.silent);
    g_assert_true(mk_archive_gateway_activity(f.archive, id, NOW_MS + 9 * DAY_MS).silent);
    g_assert_true(mk_archive_gateway_set_suspended(f.archive, id, true, NULL));
    g_assert_true(mk_archive_gateway_delete(f.archive, id, NULL));
    g_assert_cmpint(mk_archive_gateway_activity(f.archive, id, NOW_MS).last_unix_ms, ==, 0);
    fixture_clear(&f);
}

static void test_verification(void)
{
    MkVerifyReport report = { 0 };
    g_autoptr(GError) error = NULL;
    int64_t before = mk_clock_unix_ms();
    Fixture f;

    fixture_init(&f);
    for (int round = 0; round < 2; round++) {
        g_autoptr(GPtrArray) stores = mk_archive_stores(f.archive, true, &error);
        const MkStoreInfo *store = stores->pdata[0];

        g_assert_cmpint(store->verified_unix_ms >= before, ==, round == 1);
        g_assert_cmpuint(store->verified_errors, ==, 0);
        mk_archive_verify_store(f.archive, 1, false, NULL, NULL, &report, &error);
        g_assert_no_error(error);
        mk_verify_report_clear(&report);
        fixture_reopen(&f);
    }
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    g_setenv("TZ", "Europe/Berlin", TRUE);
    tzset();
    fixture_setup();
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/archive/arrivals/silence", test_silence);
    g_test_add_func("/archive/arrivals/first-of-a-day", test_first_of_a_day);
    g_test_add_func("/archive/arrivals/days", test_days);
    g_test_add_func("/archive/arrivals/activity", test_activity);
    g_test_add_func("/archive/arrivals/verification", test_verification);
    return g_test_run();
}
