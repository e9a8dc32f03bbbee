/*
 * test_server.c - the HTTP face: paths, Basic, audiences, errors in their envelope
 */
#include <string.h>

#include "fixture.h"

static MkPrincipal *lisa;

/* /web/<action>: as web/ calls it for a user who is no administrator; the rest is the API port. */
static void handle(MkHttpRequest *request, void *cookie)
{
    Fixture *f = cookie;
    const char *path = mk_http_path(request);

    if (g_str_has_prefix(path, "/web/"))
        mk_admin_invoke(f->admin, request, lisa, path + strlen("/web/"), false);
    else
        mk_admin_handle(request, f->admin);
}

static Fixture fixture;

static void test_paths(void)
{
    static const struct {
        const char *path;
        unsigned status;
    } cases[] = {
        { "/api/invoke/GetVersion", 200 },
        { "/api/invoke/GetVersion/", 200 },
        { "//api///invoke//GetVersion/", 200 },
        { "/api//get-metadata", 200 },
        { "/api/get-metadata/", 200 },
        { "/api/nothing", 404 },
        { "/api/", 404 },
        { "/api", 404 },
        { "/", 404 },
        { "/API/invoke/GetVersion", 404 },
        { "/apis/invoke/GetVersion", 404 },
        { "/api/get-status", 404 },
        { "/api/cancel-async", 404 },
        { "/api/invoke", 404 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Reply) reply = { 0 };

        g_test_message("%s", cases[i].path);
        reply_get(&reply, &fixture, cases[i].path, ADMIN_LOGIN, NULL);
        g_assert_cmpuint(reply.status, ==, cases[i].status);
    }
}

static void test_methods(void)
{
    static const struct {
        const char *method;
        const char *path;
        unsigned status;
    } cases[] = {
        { "GET", "/api/get-metadata", 200 },       { "POST", "/api/get-metadata", 200 },
        { "PUT", "/api/get-metadata", 405 },       { "GET", "/api/invoke/GetVersion", 405 },
        { "DELETE", "/api/invoke/GetUsers", 405 }, { "GET", "/api/get-status", 405 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Reply) reply = { 0 };

        reply_begin(&reply, &fixture, cases[i].method, cases[i].path, ADMIN_LOGIN, NULL);
        reply_wait(&reply);
        g_assert_cmpuint(reply.status, ==, cases[i].status);
    }
}

static void test_login(void)
{
    static const struct {
        const char *login;
        unsigned status;
    } cases[] = {
        { NULL, 401 },
        { "admin:", 401 },
        { "admin:Correct-horse-18", 401 },
        { "nobody:" ADMIN_PASSWORD, 401 },
        { "lisa:" ADMIN_PASSWORD, 401 },  /* right, but no administrator (AD-02) */
        { "ADMIN:" ADMIN_PASSWORD, 200 }, /* user names compare without case */
        { ADMIN_LOGIN, 200 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Reply) reply = { 0 };

        reply_get(&reply, &fixture, "/api/invoke/GetVersion", cases[i].login, NULL);
        g_assert_cmpuint(reply.status, ==, cases[i].status);
    }
}

static void test_short_call(void)
{
    g_auto(Reply) reply = { 0 };

    reply_get(&reply, &fixture, "/api/invoke/GetServerInfo", ADMIN_LOGIN, NULL);
    g_assert_true(reply.has_bom);
    g_assert_cmpstr(reply.content_type, ==, "application/json");
    g_assert_cmpstr(reply.text, ==,
                    "{\"error\":null,\"token\":null,\"statusVersion\":2,"
                    "\"statusCode\":\"succeeded\",\"percentProgress\":null,\"statusText\":null,"
                    "\"result\":{\"version\":\"" MK_VERSION
                    "\",\"machineName\":\"archive.example\"},\"logOutput\":null}");
}

static void assert_failure(const char *path, const char *form, const char *message)
{
    g_auto(Reply) reply = { 0 };

    reply_get(&reply, &fixture, path, ADMIN_LOGIN, form);
    g_assert_cmpuint(reply.status, ==, 200); /* a failed call is an answer all the same */
    g_assert_cmpstr(reply_text(&reply, "statusCode"), ==, "failed");
    g_assert_cmpstr(reply_error(&reply), ==, message);
    g_assert_cmpstr(reply_text(&reply, "result"), ==, "null");
    g_assert_cmpstr(reply_text(&reply, "token"), ==, "null");
}

static void test_failures(void)
{
    assert_failure("/api/invoke/NoSuchThing", NULL, "Unknown API function NoSuchThing.");
    assert_failure("/api/invoke/getusers", NULL, "Unknown API function getusers.");
    assert_failure("/api/invoke/a%20b", NULL, "Unknown API function (not a name).");
    assert_failure("/api/invoke/Get/Users", NULL, "Unknown API function (not a name).");
    assert_failure("/api/invoke/GetUserInfo", NULL, "Missing API argument userName.");
    assert_failure("/api/invoke/GetUserInfo", "username=x",
                   "Unknown API argument username for GetUserInfo.");
    assert_failure("/api/invoke/VerifyStore", "id=x", "API argument id must be a number.");
    assert_failure("/api/invoke/GetChildFolders", "maxLevels=-1",
                   "maxLevels must be between 0 and 1000.");
}

static void test_ill_formed_form(void)
{
    g_auto(Reply) reply = { 0 };

    reply_get(&reply, &fixture, "/api/invoke/GetVersion", ADMIN_LOGIN, "a=%ff");
    g_assert_cmpuint(reply.status, ==, 200);
    g_assert_cmpstr(reply_text(&reply, "statusCode"), ==, "failed");
}

/* All of the original's functions that this version lacks say so, and by their names. */
static void test_unavailable(void)
{
    const char *const *names = admin_functions_unavailable();

    for (size_t i = 0; names[i] != NULL; i++) {
        g_autofree char *path = g_strconcat("/api/invoke/", names[i], NULL);
        g_autofree char *message = g_strconcat(
            "The API function ", names[i], " is not available in this version of Mailkeep.", NULL);

        assert_failure(path, "id=1&raw=true", message);
    }
}

/* Under a user's session: no byte order mark, and only what is for users. */
static void test_audience(void)
{
    size_t at = 0;

    for (const Function *f = admin_function_next(&at); f != NULL; f = admin_function_next(&at)) {
        g_autofree char *path = g_strconcat("/web/invoke/", f->name, NULL);
        g_autofree char *denied = g_strconcat(f->name, " is for administrators.", NULL);
        g_auto(Reply) reply = { 0 };

        reply_get(&reply, &fixture, path, NULL, NULL);
        g_assert_cmpuint(reply.status, ==, 200);
        g_assert_false(reply.has_bom);
        if (f->audience == FOR_ADMINS)
            g_assert_cmpstr(reply_error(&reply), ==, denied);
        else if (f->arguments[0].name == NULL)
            g_assert_cmpstr(reply_text(&reply, "statusCode"), ==, "succeeded");
        else
            g_assert_true(g_str_has_prefix(reply_error(&reply), "Missing API argument "));
    }
}

static void test_time_zones(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_auto(Reply) reply = { 0 };
    yyjson_arr_iter iter;
    yyjson_val *zone;

    reply_get(&reply, &fixture, "/api/invoke/GetTimeZones", ADMIN_LOGIN, NULL);
    yyjson_arr_iter_init(yyjson_obj_get(yyjson_doc_get_root(reply.json), "result"), &iter);
    while ((zone = yyjson_arr_iter_next(&iter)) != NULL) {
        const char *id = yyjson_get_str(yyjson_obj_get(zone, "id"));

        g_test_message("%s", id);
        g_assert_true(g_hash_table_add(seen, g_strdup(id))); /* each but once */
        g_assert_true(
            g_str_has_prefix(yyjson_get_str(yyjson_obj_get(zone, "displayName")), "(UTC"));
    }
    g_assert_true(g_hash_table_contains(seen, "$Local"));
    g_assert_true(g_hash_table_contains(seen, "W. Europe Standard Time"));
    g_assert_true(g_hash_table_contains(seen, "Europe/Berlin"));
    g_assert_true(g_hash_table_contains(seen, "UTC"));
    g_assert_cmpuint(g_hash_table_size(seen), >, 250);
}

/* VerifyStore over HTTP: the manual's example of a long-running process sends only the id (C5). */
static void test_verify(void)
{
    g_autofree char *form = NULL;
    g_auto(Reply) reply = { 0 };

    reply_get(&reply, &fixture, "/api/invoke/VerifyStore", ADMIN_LOGIN, "id=1");
    g_assert_cmpstr(reply_text(&reply, "statusCode"), ==, "running");
    for (int i = 0; i < 50 && strcmp(reply_text(&reply, "statusCode"), "running") == 0; i++) {
        g_autofree char *step = g_strdup_printf(
            "token=%s&lastKnownStatusVersion=%" G_GINT64_FORMAT "&millisecondsTimeout=20000",
            reply_text(&reply, "token"), reply_number(&reply, "statusVersion"));

        reply_get(&reply, &fixture, "/api//get-status", ADMIN_LOGIN, step);
    }
    g_assert_cmpstr(reply_text(&reply, "statusCode"), ==, "succeeded");
    reply_get(&reply, &fixture, "/api/invoke/VerifyStore", ADMIN_LOGIN, "id=0");
    form = g_strdup_printf("token=%s", reply_text(&reply, "token"));
    WAIT(&fixture, admin_operations_is_idle(fixture.admin->operations));
    reply_get(&reply, &fixture, "/api/get-status", ADMIN_LOGIN, form);
    g_assert_cmpstr(reply_error(&reply), ==, "There is no store with this id.");
}

/* AD-01: without a setting the service is off. */
static void test_off_by_default(void)
{
    const MkServiceSettings *api = &fixture.settings->services[MK_SERVICE_API];

    g_assert_false(api->enabled);
    g_assert_cmpuint(api->port, ==, 8463);
}

/* The last test: from here on nobody may log in from this address. */
static void test_throttle(void)
{
    g_auto(Reply) reply = { 0 };

    for (int i = 0; i < 10; i++)
        reply_get(&reply, &fixture, "/api/invoke/GetVersion", "admin:wrong", NULL);
    reply_get(&reply, &fixture, "/api/invoke/GetVersion", "admin:wrong", NULL);
    g_assert_cmpuint(reply.status, ==, 429);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    fixture_setup();
    fixture_init(&fixture, handle);
    lisa = fixture_add_user(&fixture, "lisa");
    g_test_add_func("/admin/server/paths", test_paths);
    g_test_add_func("/admin/server/methods", test_methods);
    g_test_add_func("/admin/server/login", test_login);
    g_test_add_func("/admin/server/short-call", test_short_call);
    g_test_add_func("/admin/server/failures", test_failures);
    g_test_add_func("/admin/server/ill-formed-form", test_ill_formed_form);
    g_test_add_func("/admin/server/unavailable", test_unavailable);
    g_test_add_func("/admin/server/audience", test_audience);
    g_test_add_func("/admin/server/time-zones", test_time_zones);
    g_test_add_func("/admin/server/verify", test_verify);
    g_test_add_func("/admin/server/off-by-default", test_off_by_default);
    g_test_add_func("/admin/server/throttle", test_throttle);
    status = g_test_run();
    mk_principal_unref(lisa);
    fixture_clear(&fixture);
    return status;
}
