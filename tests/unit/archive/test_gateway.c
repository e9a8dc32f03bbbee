/* test_gateway.c - addresses the gateway takes mail for (GW-02, GW-03) */
#include "fixture.h"

static void assert_fails(bool ok, GError **error, MkErrorCode code)
{
    g_assert_false(ok);
    g_assert_error(*error, MK_ERROR, (gint) code);
    g_clear_error(error);
}

static void test_life(void)
{
    MkGatewayMailbox mailbox = { .address = "Journal@Archive.example", .name = "Exchange" };
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) list = NULL;
    g_autofree char *id = NULL;
    Fixture f;

    fixture_init(&f);
    g_assert_cmpint(mk_archive_gateway_find(f.archive, "journal@archive.example"), ==,
                    MK_GATEWAY_UNKNOWN);
    mk_archive_gateway_create(f.archive, &mailbox, &id, &error);
    g_assert_no_error(error);
    g_assert_true(g_regex_match_simple("^mbx-[0-9a-f]{32}$", id, 0, 0));
    g_assert_cmpint(mk_archive_gateway_find(f.archive, "journal@ARCHIVE.example"), ==,
                    MK_GATEWAY_ACTIVE);
    g_assert_cmpint(mk_archive_gateway_find(f.archive, ""), ==, MK_GATEWAY_UNKNOWN);
    assert_fails(mk_archive_gateway_delete(f.archive, id, &error), &error, MK_ERROR_DENIED);
    mk_archive_gateway_set_suspended(f.archive, id, true, &error);
    g_assert_no_error(error);
    fixture_reopen(&f);
    g_assert_cmpint(mk_archive_gateway_find(f.archive, "journal@archive.example"), ==,
                    MK_GATEWAY_SUSPENDED);
    list = mk_archive_gateway_mailboxes(f.archive);
    g_assert_cmpuint(list->len, ==, 1);
    g_assert_cmpstr(((MkGatewayMailbox *) list->pdata[0])->address, ==, "Journal@Archive.example");
    g_assert_cmpstr(((MkGatewayMailbox *) list->pdata[0])->name, ==, "Exchange");
    mk_archive_gateway_delete(f.archive, id, &error);
    g_assert_no_error(error);
    assert_fails(mk_archive_gateway_delete(f.archive, id, &error), &error, MK_ERROR_NOT_FOUND);
    fixture_reopen(&f);
    g_assert_cmpint(mk_archive_gateway_find(f.archive, "journal@archive.example"), ==,
                    MK_GATEWAY_UNKNOWN);
    fixture_clear(&f);
}

static void test_refused(void)
{
    static const struct {
        MkGatewayMailbox mailbox;
        MkErrorCode code;
    } cases[] = {
        { { .address = "no-at" }, MK_ERROR_INVALID },
        { { .address = "a@b c" }, MK_ERROR_INVALID },
        { { .address = "" }, MK_ERROR_INVALID },
        { { .address = "x@example.com", .id = "a/b" }, MK_ERROR_INVALID },
        { { .address = "x@example.com", .mode = MK_GATEWAY_SPOOL }, MK_ERROR_UNSUPPORTED },
        { { .address = "TAKEN@example.com" }, MK_ERROR_EXISTS },
        { { .address = "other@example.com", .id = "mbx-one" }, MK_ERROR_EXISTS },
    };
    MkGatewayMailbox taken = { .address = "taken@example.com", .id = "mbx-one" };
    g_autoptr(GError) error = NULL;
    Fixture f;

    fixture_init(&f);
    mk_archive_gateway_create(f.archive, &taken, NULL, &error);
    g_assert_no_error(error);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_fails(mk_archive_gateway_create(f.archive, &cases[i].mailbox, NULL, &error), &error,
                     cases[i].code);
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_setup();
    g_test_add_func("/gateway/life", test_life);
    g_test_add_func("/gateway/refused", test_refused);
    return g_test_run();
}
