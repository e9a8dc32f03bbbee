/* test_ingest.c - mail comes in: who gets it, in which folder, and that nothing is changed */
#include <string.h>

#include "fixture.h"

static void add_users(Fixture *f)
{
    fixture_init(f);
    fixture_add_user(f, "anna", "login", "anna@example.com,Sales@Example.com");
    fixture_add_user(f, "bert", "login", "bert@example.com,sales@example.com");
    fixture_add_user(f, "clara", "login", "clara@example.com");
}

static char *mail_between(const char *from, const char *to, const char *id, const char *word)
{
    return g_strdup_printf("From: <%s>\r\nTo: <%s>\r\nSubject: %s\r\nMessage-ID: <%s>\r\n"
                           "Date: Tue, 05 May 2026 10:00:00 +0200\r\n\r\n%s\r\n",
                           from, to, word, id, word);
}

static void ingest_text(Fixture *f, const char *text)
{
    fixture_ingest(f, text, strlen(text));
}

static void assert_octets(GBytes *octets, const char *text)
{
    g_assert_cmpmem(g_bytes_get_data(octets, NULL), g_bytes_get_size(octets), text, strlen(text));
}

static void assert_mail_is(Fixture *f, MkMailId id, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) octets = mk_archive_mail_read(f->archive, f->system, id, &error);

    g_assert_no_error(error);
    assert_octets(octets, text);
}

static void assert_report_is(Fixture *f, MkMailId id, unsigned n, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) octets = mk_archive_report_read(f->archive, f->system, id, n, &error);

    g_assert_no_error(error);
    assert_octets(octets, text);
}

static GPtrArray *arrivals_of(Fixture *f, MkMailId id)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *arrivals = mk_archive_arrivals(f->archive, f->system, id, &error);

    g_assert_no_error(error);
    return arrivals;
}

/* Each line: who has how many in "<user>/<folder>". */
typedef struct {
    const char *folder;
    unsigned count;
} Place;

static void assert_places(Fixture *f, const Place *places)
{
    for (; places->folder != NULL; places++) {
        g_test_message("%s", places->folder);
        g_assert_cmpuint(fixture_count_in(f, places->folder), ==, places->count);
    }
}

/* -- plain mail ---------------------------------------------------------------------------------- */
static void test_plain(void)
{
    g_autofree char *mail = mail_between("ANNA@example.com", "bert@EXAMPLE.com", "1@x", "Eins");
    g_autoptr(GPtrArray) arrivals = NULL;
    const MkArrival *arrival;
    MkMailId id;
    Fixture f;

    add_users(&f);
    ingest_text(&f, mail);
    assert_places(&f, (Place[]){ { "anna/Journal Outgoing", 1 },
                                 { "bert/Journal Incoming", 1 },
                                 { "anna/Journal Incoming", 0 },
                                 { MK_FOLDER_CATCHALL, 0 },
                                 { NULL, 0 } });
    id = fixture_only_mail(&f, "bert/Journal Incoming");
    assert_mail_is(&f, id, mail);
    arrivals = arrivals_of(&f, id);
    g_assert_cmpuint(arrivals->len, ==, 1);
    arrival = arrivals->pdata[0];
    g_assert_false(arrival->has_report);
    g_assert_cmpstr(arrival->envelope->reverse_path, ==, "reports@example.com");
    g_assert_cmpstr(arrival->envelope->forward_paths->pdata[0], ==, "journal@archive.example");
    g_assert_cmpstr(arrival->envelope->client_address, ==, "192.0.2.25");
    g_assert_cmpstr(arrival->envelope->helo, ==, "mail.example.com");
    g_assert_cmpstr(arrival->envelope->tls, ==, "TLSv1.3");
    g_assert_null(mk_archive_report_read(f.archive, f.system, id, 0, NULL));
    fixture_clear(&f);
}

/* IF-13, US-18: an address of several users; a user on both sides. */
static void test_shared_and_both(void)
{
    g_autofree char *mail = mail_between("anna@example.com", "sales@example.com", "1@x", "Eins");
    Fixture f;

    add_users(&f);
    ingest_text(&f, mail);
    assert_places(&f, (Place[]){ { "anna/Journal Outgoing", 1 },
                                 { "anna/Journal Incoming", 1 },
                                 { "bert/Journal Incoming", 1 },
                                 { "clara/Journal Incoming", 0 },
                                 { NULL, 0 } });
    fixture_clear(&f);
}

static void test_header_fields(void)
{
    g_autofree char *mail = fixture_crlf("From: x@example.org\nSender: clara@example.com\n"
                                         "To: y@example.org\nCc: anna@example.com\n"
                                         "Delivered-To: bert@example.com\nSubject: Zwei\n\nText\n");
    Fixture f;

    add_users(&f);
    ingest_text(&f, mail);
    assert_places(&f, (Place[]){ { "clara/Journal Outgoing", 1 },
                                 { "anna/Journal Incoming", 1 },
                                 { "bert/Journal Incoming", 1 },
                                 { NULL, 0 } });
    fixture_clear(&f);
}

static void test_nobody(void)
{
    static const char garbage[] = "\0\377 no header at all";
    g_autofree char *mail = mail_between("x@example.org", "y@example.org", "1@x", "Eins");
    MkArchiveGauges gauges;
    Fixture f;

    add_users(&f);
    ingest_text(&f, mail);
    fixture_ingest(&f, garbage, sizeof garbage);
    fixture_ingest(&f, "", 0);
    g_assert_cmpuint(fixture_count_in(&f, MK_FOLDER_CATCHALL), ==, 3);
    mk_archive_gauges(f.archive, &gauges);
    g_assert_cmpuint(gauges.unowned, ==, 3);
    g_assert_cmpuint(gauges.mails_new, ==, 3);
    g_assert_cmpuint(gauges.spool_bytes, ==, 0);
    g_assert_cmpuint(gauges.spools_open, ==, 0);
    fixture_clear(&f);
}

/* -- reports ------------------------------------------------------------------------------------- */
static void test_report(void)
{
    g_autofree char *mail = mail_between("anna@example.com", "x@example.org", "1@x", "Eins");
    g_autofree char *report =
        fixture_report("anna@example.com", "To: x@example.org\r\nBcc: bert@example.com\r\n", mail);
    g_autoptr(GPtrArray) arrivals = NULL;
    MkMailId id;
    Fixture f;

    add_users(&f);
    ingest_text(&f, report);
    assert_places(&f, (Place[]){ { "anna/Journal Outgoing", 1 },
                                 { "bert/Journal Incoming", 1 },
                                 { MK_FOLDER_CATCHALL, 0 },
                                 { NULL, 0 } });
    id = fixture_only_mail(&f, "bert/Journal Incoming");
    assert_mail_is(&f, id, mail);
    assert_report_is(&f, id, 0, report);
    arrivals = arrivals_of(&f, id);
    g_assert_true(((MkArrival *) arrivals->pdata[0])->has_report);
    g_assert_cmpuint(((MkArrival *) arrivals->pdata[0])->report_size_bytes, ==, strlen(report));
    fixture_clear(&f);
}

/* The envelope decides; the header counts only for the side that it leaves open. */
static void test_report_decides(void)
{
    g_autofree char *mail = mail_between("anna@example.com", "bert@example.com", "1@x", "Eins");
    g_autofree char *to_clara =
        fixture_report("someone@example.org", "To: clara@example.com\r\n", mail);
    Fixture f;

    add_users(&f);
    ingest_text(&f, to_clara);
    assert_places(&f, (Place[]){ { "clara/Journal Incoming", 1 },
                                 { "anna/Journal Outgoing", 0 },
                                 { "bert/Journal Incoming", 0 },
                                 { NULL, 0 } });
    fixture_clear(&f);
}

static void test_report_forms(void)
{
    g_autofree char *mail = mail_between("x@example.org", "y@example.org", "1@x", "Eins");
    g_autofree char *report = fixture_report("x@example.org",
                                             "On-Behalf-Of: anna@example.com\r\n"
                                             "To: y@example.org, Expanded: bert@example.com\r\n"
                                             "To: z@example.org, Forwarded: clara@example.com\r\n",
                                             mail);
    Fixture f;

    add_users(&f);
    ingest_text(&f, report);
    assert_places(&f, (Place[]){ { "anna/Journal Outgoing", 1 },
                                 { "bert/Journal Incoming", 1 }, /* the list is his address */
                                 { "clara/Journal Incoming", 0 },
                                 { NULL, 0 } });
    fixture_clear(&f);
}

/* Reports of one mail with other recipients each: one mail, all its owners, each report kept. */
static void test_bifurcated(void)
{
    g_autofree char *mail = mail_between("x@example.org", "all@example.com", "1@x", "Eins");
    g_autofree char *first = fixture_report("x@example.org", "Bcc: anna@example.com\r\n", mail);
    g_autofree char *second = fixture_report("x@example.org", "Bcc: bert@example.com\r\n", mail);
    g_autoptr(GPtrArray) arrivals = NULL;
    MkMailId id;
    Fixture f;

    add_users(&f);
    ingest_text(&f, first);
    ingest_text(&f, second);
    id = fixture_only_mail(&f, "anna/Journal Incoming");
    g_assert_cmpuint(fixture_only_mail(&f, "bert/Journal Incoming").number, ==, id.number);
    arrivals = arrivals_of(&f, id);
    g_assert_cmpuint(arrivals->len, ==, 2);
    assert_report_is(&f, id, 0, first);
    assert_report_is(&f, id, 1, second);
    fixture_wait_indexed(&f);
    /* both Bcc recipients, each of another arrival, are found by who may see envelopes */
    fixture_assert_count(&f, f.system, "bcc:anna@example.com", NULL, 1);
    fixture_assert_count(&f, f.system, "bcc:bert@example.com", NULL, 1);
    fixture_clear(&f);
}

static void test_report_in_base64(void)
{
    g_autofree char *mail = mail_between("anna@example.com", "x@example.org", "1@x", "Eins");
    g_autofree char *encoded = g_base64_encode((const guchar *) mail, strlen(mail));
    g_autofree char *plain = fixture_report("anna@example.com", "To: x@example.org\r\n", encoded);
    g_auto(GStrv) parts = g_strsplit(plain, "message/rfc822\r\n", 2);
    g_autofree char *report = g_strconcat(
        parts[0], "message/rfc822\r\nContent-Transfer-Encoding: base64\r\n", parts[1], NULL);
    MkMailId id;
    Fixture f;

    add_users(&f);
    ingest_text(&f, report);
    id = fixture_only_mail(&f, "anna/Journal Outgoing");
    assert_mail_is(&f, id, mail);
    assert_report_is(&f, id, 0, report);
    fixture_clear(&f);
}

static char *replace_all(const char *text, const char *from, const char *to)
{
    g_auto(GStrv) parts = g_strsplit(text, from, -1);

    return g_strjoinv(to, parts);
}

/* Each level with a boundary of its own. */
static char *wrap_times(const char *mail, unsigned times)
{
    char *report = g_strdup(mail);

    for (unsigned i = 0; i < times; i++) {
        g_autofree char *own = g_strdup_printf("b%u_42", i + 2);
        g_autofree char *inner = replace_all(report, "b1_42", own);

        g_free(report);
        report = fixture_report("journal@example.org", "To: j@archive.example\r\n", inner);
    }
    return report;
}

static void test_report_of_reports(void)
{
    g_autofree char *mail = mail_between("x@example.org", "y@example.org", "1@x", "Eins");
    g_autofree char *inner = fixture_report("anna@example.com", "To: bert@example.com\r\n", mail);
    g_autofree char *report = wrap_times(inner, 3);
    g_autofree char *too_deep = wrap_times(inner, 4);
    MkMailId id;
    Fixture f;

    add_users(&f);
    ingest_text(&f, report);
    id = fixture_only_mail(&f, "bert/Journal Incoming");
    assert_mail_is(&f, id, mail);
    assert_report_is(&f, id, 0, report);
    ingest_text(&f, too_deep); /* the innermost report is kept as it is, with its owners */
    g_assert_cmpuint(fixture_count_in(&f, "bert/Journal Incoming"), ==, 2);
    fixture_clear(&f);
}

static void test_broken_report(void)
{
    g_autofree char *report = fixture_crlf("From: <reports@example.com>\n"
                                           "To: <journal@archive.example>\n"
                                           "X-MS-Journal-Report:\n"
                                           "Content-Type: multipart/mixed; boundary=b\n"
                                           "\n"
                                           "--b\nContent-Type: text/plain\n\n"
                                           "Sender: anna@example.com\n"
                                           "To: bert@example.com\n"
                                           "--b--\n");
    g_autoptr(GError) error = NULL;
    MkFoundMail *row;
    MkMailId id;
    MkArchiveGauges gauges;
    Fixture f;

    add_users(&f);
    ingest_text(&f, report);
    id = fixture_only_mail(&f, "bert/Journal Incoming");
    g_assert_cmpuint(fixture_only_mail(&f, "anna/Journal Outgoing").number, ==, id.number);
    assert_mail_is(&f, id, report);
    row = mk_archive_mail_get(f.archive, f.system, id, &error);
    g_assert_no_error(error);
    g_assert_true((row->flags & MK_MAIL_JOURNAL_BROKEN) != 0);
    mk_found_mail_free(row);
    mk_archive_gauges(f.archive, &gauges);
    g_assert_cmpuint(gauges.reports_broken, ==, 1);
    fixture_clear(&f);
}

/* -- identity ------------------------------------------------------------------------------------ */
static void test_same_mail_thrice(void)
{
    g_autofree char *mail = mail_between("anna@example.com", "bert@example.com", "1@x", "Eins");
    g_autoptr(GPtrArray) arrivals = NULL;
    MkArchiveGauges gauges;
    Fixture f;

    add_users(&f);
    for (int i = 0; i < 3; i++)
        ingest_text(&f, mail);
    arrivals = arrivals_of(&f, fixture_only_mail(&f, "bert/Journal Incoming"));
    g_assert_cmpuint(arrivals->len, ==, 3);
    mk_archive_gauges(f.archive, &gauges);
    g_assert_cmpuint(gauges.mails_new, ==, 1);
    g_assert_cmpuint(gauges.mails_again, ==, 2);
    fixture_wait_indexed(&f);
    fixture_assert_count(&f, f.system, "Eins", NULL, 1);
    fixture_clear(&f);
}

static void test_one_message_id(void)
{
    static const char *const words[] = { "Apfel", "Birne", "Kirsche", "Pflaume" };
    static const char *const ids[] = { "same@x", "same@x", "same@x", "same@x" };
    Fixture f;

    add_users(&f);
    for (int i = 0; i < 4; i++) {
        g_autofree char *mail =
            mail_between("anna@example.com", "bert@example.com", ids[i], words[i]);
        g_autofree char *without = g_strdup_printf(
            "From: anna@example.com\r\nTo: clara@example.com\r\n\r\n%s\r\n", words[i]);

        ingest_text(&f, mail);
        ingest_text(&f, without);
    }
    g_assert_cmpuint(fixture_count_in(&f, "bert/Journal Incoming"), ==, 4);
    g_assert_cmpuint(fixture_count_in(&f, "clara/Journal Incoming"), ==, 4);
    fixture_wait_indexed(&f);
    fixture_assert_count(&f, f.system, "Kirsche", NULL, 2);
    fixture_clear(&f);
}

/* -- many at once -------------------------------------------------------------------------- */
typedef struct {
    unsigned kept, refused, wanted;
} Tally;

static void on_done(const GError *error, void *cookie)
{
    Tally *tally = cookie;

    if (error == NULL)
        tally->kept++;
    else
        tally->refused++;
}

static bool all_reported(void *cookie)
{
    const Tally *tally = cookie;

    return tally->kept + tally->refused == tally->wanted;
}

static void start_many(Fixture *f, Tally *tally, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        g_autofree char *word = g_strdup_printf("Nummer%u", i);
        g_autofree char *mail = mail_between("anna@example.com", "bert@example.com", "1@x", word);

        fixture_ingest_start(f, mail, strlen(mail), on_done, tally);
    }
    tally->wanted += count;
}

static void test_many_at_once(void)
{
    Tally tally = { 0 };
    MkArchiveGauges gauges;
    Fixture f;

    add_users(&f);
    start_many(&f, &tally, 500);
    fixture_turn_until(&f, all_reported, &tally);
    g_assert_cmpuint(tally.kept, ==, 500);
    g_assert_cmpuint(fixture_count_in(&f, "bert/Journal Incoming"), ==, 500);
    fixture_wait_indexed(&f);
    fixture_assert_count(&f, f.system, "Nummer*", NULL, 500);
    fixture_assert_count(&f, f.system, "Nummer77", NULL, 1);
    mk_archive_gauges(f.archive, &gauges);
    g_assert_cmpuint(gauges.ingest_waiting, ==, 0);
    g_assert_cmpuint(gauges.ingest_running, ==, 0);
    fixture_clear(&f);
}

/* Above the limit it says no, to each once, and what it said yes to is there. */
static void test_too_many(void)
{
    Tally tally = { 0 };
    Fixture f;

    add_users(&f);
    start_many(&f, &tally, 1200);
    g_assert_false(mk_archive_can_take(f.archive, 100, NULL));
    fixture_turn_until(&f, all_reported, &tally);
    g_assert_cmpuint(tally.kept, ==, 1000);
    g_assert_cmpuint(fixture_count_in(&f, "bert/Journal Incoming"), ==, 1000);
    g_assert_true(mk_archive_can_take(f.archive, 100, NULL));
    fixture_clear(&f);
}

static void test_stop_under_load(void)
{
    Tally tally = { 0 };
    Fixture f;

    add_users(&f);
    start_many(&f, &tally, 300);
    fixture_reopen(&f);
    g_assert_true(all_reported(&tally)); /* before the stop was over */
    g_assert_cmpuint(fixture_count_in(&f, "bert/Journal Incoming"), ==, tally.kept);
    fixture_wait_indexed(&f);
    fixture_assert_count(&f, f.system, "Nummer*", NULL, tally.kept);
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_setup();
    g_test_add_func("/ingest/plain", test_plain);
    g_test_add_func("/ingest/shared-and-both", test_shared_and_both);
    g_test_add_func("/ingest/header-fields", test_header_fields);
    g_test_add_func("/ingest/nobody", test_nobody);
    g_test_add_func("/ingest/report", test_report);
    g_test_add_func("/ingest/report-decides", test_report_decides);
    g_test_add_func("/ingest/report-forms", test_report_forms);
    g_test_add_func("/ingest/bifurcated", test_bifurcated);
    g_test_add_func("/ingest/report-in-base64", test_report_in_base64);
    g_test_add_func("/ingest/report-of-reports", test_report_of_reports);
    g_test_add_func("/ingest/broken-report", test_broken_report);
    g_test_add_func("/ingest/same-mail-thrice", test_same_mail_thrice);
    g_test_add_func("/ingest/one-message-id", test_one_message_id);
    g_test_add_func("/ingest/many-at-once", test_many_at_once);
    g_test_add_func("/ingest/too-many", test_too_many);
    g_test_add_func("/ingest/stop-under-load", test_stop_under_load);
    return g_test_run();
}
