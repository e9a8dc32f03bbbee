/* test_dashboard.c - GetDashboard and GetUserOverview: their members, and that only administrators get them */
#include <string.h>

#include "fixture.h"

static Fixture fixture;
static MkPrincipal *lisa;

static void handle(MkHttpRequest *request, void *cookie)
{
    Fixture *f = cookie;
    const char *path = mk_http_path(request);

    if (g_str_has_prefix(path, "/web/"))
        mk_admin_invoke(f->admin, request, lisa, path + strlen("/web/"), false);
    else
        mk_admin_handle(request, f->admin);
}

static yyjson_val *result_of(const Reply *reply)
{
    yyjson_val *result = yyjson_obj_get(yyjson_doc_get_root(reply->json), "result");

    g_assert_true(yyjson_is_obj(result) || yyjson_is_arr(result));
    return result;
}

static yyjson_val *at(yyjson_val *value, const char *pointer)
{
    yyjson_val *found = yyjson_ptr_get(value, pointer);

    if (found == NULL)
        g_error("nothing at %s", pointer);
    return found;
}

static void test_empty_archive(void)
{
    g_auto(Reply) reply = { 0 };
    yyjson_val *result;

    reply_get(&reply, &fixture, "/api/invoke/GetDashboard", ADMIN_LOGIN, NULL);
    result = result_of(&reply);
    g_assert_cmpstr(yyjson_get_str(at(result, "/version")), ==, MK_VERSION);
    g_assert_cmpstr(yyjson_get_str(at(result, "/machineName")), ==, "archive.example");
    g_assert_cmpuint(yyjson_arr_size(at(result, "/arrivals/days")), ==, MK_ARRIVAL_DAYS);
    g_assert_cmpint(yyjson_get_sint(at(result, "/arrivals/last30Days")), ==, 0);
    g_assert_cmpuint(yyjson_arr_size(at(result, "/stores")), ==, 1);
    g_assert_true(yyjson_is_null(at(result, "/stores/0/verified")));
    g_assert_true(yyjson_is_null(at(result, "/ingest/lastFailure")));
    g_assert_true(yyjson_is_null(at(result, "/ingest/lastFailureCode")));
    g_assert_cmpint(yyjson_get_sint(at(result, "/disk/freeBytes")), >, 0);
    g_assert_cmpint(yyjson_get_sint(at(result, "/disk/totalBytes")), >=,
                    yyjson_get_sint(at(result, "/disk/freeBytes")));
}

static void test_journals(void)
{
    MkGatewayMailbox mailbox = { .address = "journal@archive.example" };
    g_auto(Reply) reply = { 0 };
    yyjson_val *result;

    g_assert_true(mk_archive_gateway_create(fixture.archive, &mailbox, NULL, NULL));
    reply_get(&reply, &fixture, "/api/invoke/GetDashboard", ADMIN_LOGIN, NULL);
    result = result_of(&reply);
    g_assert_cmpuint(yyjson_arr_size(at(result, "/journals")), ==, 1);
    g_assert_cmpstr(yyjson_get_str(at(result, "/journals/0/address")), ==, mailbox.address);
    g_assert_true(yyjson_is_null(at(result, "/journals/0/lastArrival")));
    g_assert_true(yyjson_is_false(at(result, "/journals/0/silent")));
}

static bool has_warning(const char *name)
{
    g_auto(Reply) reply = { 0 };
    yyjson_val *list;

    reply_get(&reply, &fixture, "/api/invoke/GetDashboard", ADMIN_LOGIN, NULL);
    list = at(result_of(&reply), "/warnings");
    for (size_t i = 0; i < yyjson_arr_size(list); i++)
        if (strcmp(yyjson_get_str(yyjson_arr_get(list, i)), name) == 0)
            return true;
    return false;
}

static void test_warnings(void)
{
    static const struct {
        const char *host;
        bool enabled;
        bool open;
    } cases[] = {
        { "127.0.0.1", true, false }, { "::1", true, false }, { "localhost", true, false },
        { "0.0.0.0", true, true },    { "::", true, true },   { "192.0.2.1", true, true },
        { "0.0.0.0", false, false },
    };
    MkServiceSettings *metrics = &fixture.settings->services[MK_SERVICE_METRICS];
    MkServiceSettings before = *metrics;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        metrics->host = (char *) cases[i].host;
        metrics->enabled = cases[i].enabled;
        g_assert_cmpint(has_warning("metrics-open"), ==, cases[i].open);
    }
    *metrics = before;
}

static void test_overview(void)
{
    g_auto(Reply) reply = { 0 };
    yyjson_val *result;

    g_assert_true(mk_archive_user_set_rights(fixture.archive, "lisa", "lisa", MK_RIGHT_READ, NULL));
    reply_get(&reply, &fixture, "/api/invoke/GetUserOverview", ADMIN_LOGIN, NULL);
    result = result_of(&reply);
    g_assert_cmpuint(yyjson_arr_size(result), ==, 2);
    g_assert_cmpstr(yyjson_get_str(at(result, "/0/userName")), ==, "admin");
    g_assert_cmpstr(yyjson_get_str(at(result, "/0/privileges/0")), ==, "admin");
    g_assert_cmpstr(yyjson_get_str(at(result, "/1/archive")), ==, "lisa");
    g_assert_cmpstr(yyjson_get_str(at(result, "/1/privilegesOnFolders/0/folder")), ==, "lisa");
    g_assert_cmpstr(yyjson_get_str(at(result, "/1/privilegesOnFolders/0/privileges/0")), ==,
                    "read");
    g_assert_true(yyjson_is_true(at(result, "/1/hasPassword")));
}

static void test_denied(void)
{
    static const char *const paths[] = { "/web/invoke/GetDashboard",
                                         "/web/invoke/GetUserOverview" };

    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_auto(Reply) reply = { 0 };

        reply_get(&reply, &fixture, paths[i], NULL, NULL);
        g_assert_cmpstr(reply_text(&reply, "statusCode"), ==, "failed");
        g_assert_cmpstr(reply_text(&reply, "result"), ==, "null");
    }
}

int main(int argc, char **argv)
{
    int status;

    fixture_setup();
    g_test_init(&argc, &argv, NULL);
    fixture_init(&fixture, handle);
    lisa = fixture_add_user(&fixture, "lisa");
    g_test_add_func("/admin/dashboard/empty-archive", test_empty_archive);
    g_test_add_func("/admin/dashboard/journals", test_journals);
    g_test_add_func("/admin/dashboard/warnings", test_warnings);
    g_test_add_func("/admin/dashboard/overview", test_overview);
    g_test_add_func("/admin/dashboard/denied", test_denied);
    status = g_test_run();
    mk_principal_unref(lisa);
    fixture_clear(&fixture);
    return status;
}
