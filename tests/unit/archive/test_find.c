/* test_find.c - who finds what, and that the index catches up */
#include <string.h>

#include "fixture.h"

static void ingest_text(Fixture *f, const char *text)
{
    fixture_ingest(f, text, strlen(text));
}

/* Anna has written to Bert and, unseen by him, to Clara. */
static void fill(Fixture *f)
{
    g_autofree char *mail = fixture_crlf(
        "From: Anna Meier <anna@example.com>\nTo: Bert <bert@example.com>\n"
        "Subject: Angebot 4711\nMessage-ID: <1@x>\nDate: Tue, 05 May 2026 10:00:00 +0200\n\n"
        "Das Angebot liegt bei.\n");
    g_autofree char *report = fixture_report(
        "anna@example.com", "To: bert@example.com\r\nBcc: clara@example.com\r\n", mail);

    fixture_init(f);
    fixture_add_user(f, "anna", "login", "anna@example.com");
    fixture_add_user(f, "bert", "login", "bert@example.com");
    fixture_add_user(f, "clara", "login", "clara@example.com");
    ingest_text(f, report);
    ingest_text(f, "From: x@example.org\r\nTo: bert@example.com\r\nSubject: Angebot fremd\r\n\r\n"
                   "fuer Bert\r\n");
    fixture_wait_indexed(f);
}

static MkPrincipal *login(Fixture *f, const char *name)
{
    fixture_set_password(f, name);
    return fixture_login(f, name);
}

static void test_rights(void)
{
    g_autoptr(MkPrincipal) anna = NULL, bert = NULL, admin = NULL;
    g_autoptr(GError) error = NULL;
    Fixture f;

    fill(&f);
    anna = login(&f, "anna");
    bert = login(&f, "bert");
    admin = fixture_login(&f, "admin");
    fixture_assert_count(&f, anna, "Angebot", NULL, 1);
    fixture_assert_count(&f, bert, "Angebot", NULL, 2);
    fixture_assert_count(&f, bert, "", NULL, 2);
    fixture_assert_count(&f, admin, "", NULL, 0); /* spec 2.6: only what is granted */
    fixture_assert_count(&f, f.system, "", NULL, 2);
    mk_archive_user_set_rights(f.archive, "admin", "anna", MK_RIGHT_READ, &error);
    g_assert_no_error(error);
    fixture_assert_count(&f, admin, "", NULL, 1);
    g_assert_true(mk_archive_user_clear_rights(f.archive, "anna", NULL));
    fixture_assert_count(&f, anna, "Angebot", NULL, 0);
    fixture_clear(&f);
}

/* Who got a blind copy is for administrators who may read the mail, and for nobody else. */
static void test_envelope(void)
{
    g_autoptr(MkPrincipal) anna = NULL, bert = NULL, clara = NULL, admin = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) arrivals = NULL;
    MkMailId id;
    Fixture f;

    fill(&f);
    anna = login(&f, "anna");
    bert = login(&f, "bert");
    clara = login(&f, "clara");
    admin = fixture_login(&f, "admin");
    fixture_assert_count(&f, bert, "clara", NULL, 0);
    fixture_assert_count(&f, clara, "Angebot", NULL, 1);
    fixture_assert_count(&f, anna, "bcc:clara@example.com", NULL, 0);
    fixture_assert_count(&f, f.system, "bcc:clara@example.com", NULL, 1);
    id = fixture_only_mail(&f, "clara/Journal Incoming");
    g_assert_null(mk_archive_arrivals(f.archive, clara, id, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_DENIED);
    g_clear_error(&error);
    g_assert_null(mk_archive_arrivals(f.archive, admin, id, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_NOT_FOUND);
    g_clear_error(&error);
    mk_archive_user_set_rights(f.archive, "admin", "bert", MK_RIGHT_READ, &error);
    fixture_assert_count(&f, admin, "bcc:clara@example.com", NULL, 1);
    arrivals = mk_archive_arrivals(f.archive, admin, id, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(arrivals->len, ==, 1);
    fixture_clear(&f);
}

static void test_read(void)
{
    g_autoptr(MkPrincipal) anna = NULL, bert = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) octets = NULL;
    MkFoundMail *row;
    MkMailId id, foreign;
    Fixture f;

    fill(&f);
    anna = login(&f, "anna");
    bert = login(&f, "bert");
    id = fixture_only_mail(&f, "anna/Journal Outgoing");
    row = mk_archive_mail_get(f.archive, bert, id, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(row->subject, ==, "Angebot 4711");
    g_assert_cmpstr(row->folder, ==, "bert/Journal Incoming");
    g_assert_nonnull(strstr(row->from, "Anna Meier"));
    g_assert_nonnull(strstr(row->to, "bert@example.com"));
    mk_found_mail_free(row);
    foreign = (MkMailId){ id.store_id, id.number + 1 };
    octets = mk_archive_mail_read(f.archive, bert, foreign, &error);
    g_assert_no_error(error);
    g_assert_null(mk_archive_mail_read(f.archive, anna, foreign, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_null(mk_archive_mail_get(f.archive, bert, (MkMailId){ 1, 99 }, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_null(mk_archive_mail_read(f.archive, bert, (MkMailId){ 2, 1 }, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_NOT_FOUND);
    fixture_clear(&f);
}

static void test_hits(void)
{
    g_autoptr(MkPrincipal) bert = NULL;
    g_autoptr(MkFound) found = NULL, by_id = NULL;
    g_autofree char *id_text = NULL;
    const MkFoundMail *hit;
    char id[24];
    Fixture f;

    fill(&f);
    bert = login(&f, "bert");
    found = fixture_find(&f, bert, "subject:4711", NULL);
    g_assert_cmpuint(found->total, ==, 1);
    hit = found->hits->pdata[0];
    g_assert_cmpstr(hit->subject, ==, "Angebot 4711");
    g_assert_cmpstr(hit->folder, ==, "bert/Journal Incoming");
    g_assert_cmpint(hit->date_unix_ms, ==, 1777968000000); /* date -ud '2026-05-05 08:00' +%s */
    g_assert_nonnull(strstr(hit->from, "Anna Meier"));
    mk_mail_id_format(hit->id, id);
    id_text = g_strdup_printf(" %s ", id);
    by_id = fixture_find(&f, bert, id_text, NULL);
    g_assert_cmpuint(by_id->total, ==, 1);
    g_assert_cmpuint(((MkFoundMail *) by_id->hits->pdata[0])->id.number, ==, hit->id.number);
    fixture_assert_count(&f, bert, "1:99", NULL, 0);
    fixture_clear(&f);
}

static void test_folder(void)
{
    MkFind find = { .query = "", .limit = 10 };
    g_autoptr(MkPrincipal) bert = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(MkFound) found = NULL;
    Fixture f;

    fill(&f);
    bert = login(&f, "bert");
    fixture_assert_count(&f, bert, "", "bert", 2);
    fixture_assert_count(&f, bert, "", "bert/Journal Incoming", 2);
    find.principal = bert;
    find.folder = "anna";
    g_assert_null(mk_archive_find(f.archive, &find, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_NOT_FOUND);
    g_clear_error(&error);
    find.folder = "bert";
    find.only_folder = true;
    found = mk_archive_find(f.archive, &find, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(found->total, ==, 0);
    find.limit = 0;
    g_assert_null(mk_archive_find(f.archive, &find, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_INVALID);
    fixture_clear(&f);
}

/* Stopped before the index had time: after a start it catches up by itself. */
static void test_restart(void)
{
    Fixture f;

    fill(&f);
    ingest_text(&f, "From: x@example.org\r\nTo: bert@example.com\r\nSubject: spaet\r\n\r\nx\r\n");
    fixture_reopen(&f);
    fixture_wait_indexed(&f);
    fixture_assert_count(&f, f.system, "spaet", NULL, 1);
    fixture_assert_count(&f, f.system, "", NULL, 3);
    fixture_clear(&f);
}

static void test_rebuild(void)
{
    g_autoptr(GError) error = NULL;
    Fixture f;

    fill(&f);
    mk_archive_rebuild_index(f.archive, 1, &error);
    g_assert_no_error(error);
    fixture_wait_indexed(&f);
    fixture_assert_count(&f, f.system, "Angebot", NULL, 2);
    fixture_assert_count(&f, f.system, "bcc:clara@example.com", NULL, 1);
    g_assert_false(mk_archive_rebuild_index(f.archive, 7, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_NOT_FOUND);
    fixture_clear(&f);
}

/* Further owners of a mail that is indexed already find it too. */
static void test_later_owner(void)
{
    g_autofree char *mail =
        fixture_crlf("From: x@example.org\nTo: all@example.org\nSubject: Verteiler\n\nText\n");
    g_autofree char *first = fixture_report("x@example.org", "Bcc: anna@example.com\r\n", mail);
    g_autofree char *second = fixture_report("x@example.org", "Bcc: clara@example.com\r\n", mail);
    g_autoptr(MkPrincipal) clara = NULL;
    Fixture f;

    fill(&f);
    clara = login(&f, "clara");
    ingest_text(&f, first);
    fixture_wait_indexed(&f);
    fixture_assert_count(&f, clara, "Verteiler", NULL, 0);
    ingest_text(&f, second);
    fixture_wait_indexed(&f);
    fixture_assert_count(&f, clara, "Verteiler", NULL, 1);
    fixture_assert_count(&f, f.system, "Verteiler", NULL, 1);
    fixture_clear(&f);
}

static bool on_progress(unsigned percent, const char *text, void *cookie)
{
    (void) text;
    (void) cookie;
    g_assert_cmpuint(percent, <=, 100);
    return true;
}

static void test_stores(void)
{
    MkVerifyReport report = { 0 };
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) stores = NULL;
    const MkStoreInfo *info;
    Fixture f;

    fill(&f);
    stores = mk_archive_stores(f.archive, true, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(stores->len, ==, 1);
    info = stores->pdata[0];
    g_assert_cmpuint(info->id, ==, 1);
    g_assert_cmpstr(info->name, ==, "default");
    g_assert_cmpstr(info->state, ==, "current");
    g_assert_null(info->error);
    g_assert_cmpuint(info->statistics.mail_count, ==, 2);
    g_assert_cmpuint(info->index.mail_count, ==, 2);
    mk_archive_verify_store(f.archive, 1, true, on_progress, NULL, &report, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(report.errors, ==, 0);
    g_assert_cmpuint(report.mails, ==, 2);
    mk_verify_report_clear(&report);
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_setup();
    g_test_add_func("/find/rights", test_rights);
    g_test_add_func("/find/envelope", test_envelope);
    g_test_add_func("/find/read", test_read);
    g_test_add_func("/find/hits", test_hits);
    g_test_add_func("/find/folder", test_folder);
    g_test_add_func("/find/restart", test_restart);
    g_test_add_func("/find/rebuild", test_rebuild);
    g_test_add_func("/find/later-owner", test_later_owner);
    g_test_add_func("/find/stores", test_stores);
    return g_test_run();
}
