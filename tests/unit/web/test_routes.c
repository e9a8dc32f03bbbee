/* test_routes.c - which route a path means, and what is allowed where */
#include <string.h>

#include "web/internal.h"

static const struct {
    const char *method;
    const char *path;
    const char *pattern; /* NULL: none */
    const char *first;
    const char *second;
    const char *allow;
} cases[] = {
    { "GET", "/", "/", NULL, NULL, NULL },
    { "HEAD", "/", "/", NULL, NULL, NULL },
    { "GET", "/api/v1/session", "/api/v1/session", NULL, NULL, NULL },
    { "GET", "/api/v1/messages", "/api/v1/messages", NULL, NULL, NULL },
    { "GET", "/api/v1/messages/1:2", "/api/v1/messages/{}", "1:2", NULL, NULL },
    { "HEAD", "/api/v1/messages/1:2/raw", "/api/v1/messages/{}/raw", "1:2", NULL, NULL },
    { "GET", "/api/v1/messages/1:2/attachments/3", "/api/v1/messages/{}/attachments/{}", "1:2", "3",
      NULL },
    { "GET", "/api/v1/messages/1:2/attachments/3/pages/4",
      "/api/v1/messages/{}/attachments/{}/pages/{}", "1:2", "3", NULL },
    { "GET", "/api/v1/messages/1:2/attachments/3/pages/", NULL, NULL, NULL, NULL },
    { "GET", "/api/v1/messages/1:2/arrivals/0/report", "/api/v1/messages/{}/arrivals/{}/report",
      "1:2", "0", NULL },
    { "POST", "/api/v1/invoke/GetUsers", "/api/v1/invoke/{}", "GetUsers", NULL, NULL },
    { "POST", "/", NULL, NULL, NULL, "GET, HEAD" },
    { "PUT", "/api/v1/session", NULL, NULL, NULL, "POST, GET, HEAD, DELETE" },
    { "GET", "/api/v1/invoke/GetUsers", NULL, NULL, NULL, "POST" },
    { "GET", "", NULL, NULL, NULL, NULL },
    { "OPTIONS", "*", NULL, NULL, NULL, NULL },
    { "GET", "//", NULL, NULL, NULL, NULL },
    { "GET", "/api/v1/messages/", NULL, NULL, NULL, NULL },
    { "GET", "/api/v1/messages//raw", NULL, NULL, NULL, NULL },
    { "GET", "/api/v1/messages/1:2/", NULL, NULL, NULL, NULL },
    { "GET", "/api/v1/messages/1:2/raw/", NULL, NULL, NULL, NULL },
    { "GET", "/api/v1/messages/1/2/raw", NULL, NULL, NULL, NULL },
    { "GET", "/API/v1/messages", NULL, NULL, NULL, NULL },
    { "GET", "/api/v1/messages/../folders", NULL, NULL, NULL, NULL },
    { "POST", "/api/v1/invoke/a/b", NULL, NULL, NULL, NULL },
    { "get", "/", NULL, NULL, NULL, "GET, HEAD" },
};

static void test_paths(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *segments[WEB_SEGMENTS_MAX] = { NULL };
        g_autofree char *allow = NULL;
        const WebRoute *route = web_route_find(cases[i].method, cases[i].path, segments, &allow);
        g_test_message("%s %s", cases[i].method, cases[i].path);
        g_assert_cmpstr(route != NULL ? route->pattern : NULL, ==, cases[i].pattern);
        g_assert_cmpstr(segments[0], ==, cases[i].first);
        g_assert_cmpstr(segments[1], ==, cases[i].second);
        g_assert_cmpstr(allow, ==, cases[i].allow);
        g_free(segments[0]);
        g_free(segments[1]);
        g_free(segments[2]);
    }
}

/* Only the page and the login itself are open; what is not GET changes something. */
static void test_table_is_guarded(void)
{
    size_t count = 0;
    const WebRoute *routes = web_routes(&count);

    for (size_t i = 0; i < count; i++) {
        bool is_get = strcmp(routes[i].method, "GET") == 0;
        bool is_login = strcmp(routes[i].method, "POST") == 0 &&
                        strcmp(routes[i].pattern, "/api/v1/session") == 0;
        bool is_page = strcmp(routes[i].pattern, "/") == 0;
        g_test_message("%s %s", routes[i].method, routes[i].pattern);
        g_assert_cmpint(routes[i].needs_login, ==, !is_login && !is_page);
        g_assert_cmpint(routes[i].changes_state, ==, !is_get && !is_login);
        g_assert_true(routes[i].run != NULL || routes[i].finish != NULL);
    }
}

/* The page has each route, by method and path, where the segments have names: {id}, {n}. */
static void test_page_has_every_route(void)
{
    g_autofree char *page = NULL;
    size_t count = 0;
    const WebRoute *routes = web_routes(&count);

    if (!g_file_get_contents("docs/protocols/web-api.md", &page, NULL, NULL)) {
        g_test_skip("run from the top of the tree");
        return;
    }
    g_autoptr(GRegex) name = g_regex_new("\\{[A-Za-z]+\\}", 0, 0, NULL);
    g_autofree char *text = g_regex_replace_literal(name, page, -1, 0, "{}", 0, NULL);
    for (size_t i = 0; i < count; i++) {
        g_autofree char *route = g_strconcat(routes[i].method, " ", routes[i].pattern, NULL);
        g_autofree char *quoted = g_regex_escape_string(route, -1);
        g_autofree char *pattern = g_strconcat(quoted, "[`,\n]", NULL);
        g_test_message("%s", route);
        g_assert_true(g_regex_match_simple(pattern, text, 0, 0));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/web/routes/paths", test_paths);
    g_test_add_func("/web/routes/table-is-guarded", test_table_is_guarded);
    g_test_add_func("/web/routes/page-has-every-route", test_page_has_every_route);
    return g_test_run();
}
