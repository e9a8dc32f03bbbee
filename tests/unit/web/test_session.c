/* test_session.c - tokens, idle time, how many there may be */
#include <string.h>

#include <mailkeep/limits.h>

#include "fixture.h"
#include "web/internal.h"

typedef struct {
    Fixture archive;
    WebSessions *sessions;
    unsigned ended;
} Test;

static void on_end(const WebSession *session, void *cookie)
{
    g_assert_true(g_str_has_prefix(session->id, "web-"));
    ((Test *) cookie)->ended++;
}

static void set_up(Test *test, const void *max)
{
    fixture_init(&test->archive);
    test->sessions = web_sessions_new(GPOINTER_TO_SIZE(max), on_end, test);
}

static void tear_down(Test *test, const void *max)
{
    (void) max;
    web_sessions_free(test->sessions);
    fixture_clear(&test->archive);
}

static void test_tokens(Test *test, const void *max)
{
    char first[WEB_TOKEN_CHARS + 1];
    char second[WEB_TOKEN_CHARS + 1];
    g_autofree char *longer = NULL;

    (void) max;
    WebSession *a = web_sessions_add(test->sessions, test->archive.system, 0, first, NULL);
    WebSession *b = web_sessions_add(test->sessions, test->archive.system, 0, second, NULL);
    g_assert_cmpuint(strlen(first), ==, WEB_TOKEN_CHARS);
    g_assert_cmpstr(first, !=, second);
    g_assert_cmpstr(a->csrf, !=, b->csrf);
    g_assert_null(strstr(a->id, first));
    g_assert_true(web_sessions_find(test->sessions, first, 1) == a);
    g_assert_true(web_sessions_find(test->sessions, second, 1) == b);
    longer = g_strconcat(first, "0", NULL);
    g_assert_null(web_sessions_find(test->sessions, longer, 1));
    g_assert_null(web_sessions_find(test->sessions, "", 1));
    first[0] = first[0] == 'f' ? '0' : 'f';
    g_assert_null(web_sessions_find(test->sessions, first, 1));
    web_sessions_end(test->sessions, b);
    g_assert_null(web_sessions_find(test->sessions, second, 1));
    g_assert_cmpuint(test->ended, ==, 1);
}

static void test_idle(Test *test, const void *max)
{
    char token[WEB_TOKEN_CHARS + 1];
    char other[WEB_TOKEN_CHARS + 1];

    (void) max;
    web_sessions_add(test->sessions, test->archive.system, 0, token, NULL);
    web_sessions_add(test->sessions, test->archive.system, 0, other, NULL);
    g_assert_nonnull(web_sessions_find(test->sessions, token, MK_LIMIT_SESSION_IDLE_MS - 1));
    web_sessions_expire(test->sessions, MK_LIMIT_SESSION_IDLE_MS);
    g_assert_cmpuint(web_sessions_count(test->sessions), ==, 1);
    g_assert_nonnull(web_sessions_find(test->sessions, token, 2 * MK_LIMIT_SESSION_IDLE_MS - 2));
    g_assert_null(web_sessions_find(test->sessions, token, 3 * (int64_t) MK_LIMIT_SESSION_IDLE_MS));
    g_assert_cmpuint(web_sessions_count(test->sessions), ==, 0);
    g_assert_cmpuint(test->ended, ==, 2);
}

static void test_full(Test *test, const void *max)
{
    char token[WEB_TOKEN_CHARS + 1];
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < GPOINTER_TO_SIZE(max); i++)
        g_assert_nonnull(web_sessions_add(test->sessions, test->archive.system, 0, token, NULL));
    g_assert_null(web_sessions_add(test->sessions, test->archive.system, 1, token, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_BUSY);
    /* those that are over make room */
    g_assert_nonnull(web_sessions_add(test->sessions, test->archive.system,
                                      MK_LIMIT_SESSION_IDLE_MS, token, NULL));
}

static void test_many_of_one_user(Test *test, const void *max)
{
    char first[WEB_TOKEN_CHARS + 1];
    char token[WEB_TOKEN_CHARS + 1];

    (void) max;
    web_sessions_add(test->sessions, test->archive.system, 0, first, NULL);
    for (int i = 1; i < MK_LIMIT_SESSIONS_PER_USER; i++)
        web_sessions_add(test->sessions, test->archive.system, i, token, NULL);
    g_assert_cmpuint(test->ended, ==, 0);
    g_assert_nonnull(web_sessions_add(test->sessions, test->archive.system, 500, token, NULL));
    g_assert_cmpuint(test->ended, ==, 1);
    g_assert_null(web_sessions_find(test->sessions, first, 501)); /* the least used one */
    g_assert_nonnull(web_sessions_find(test->sessions, token, 501));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_setup();
    g_test_add("/web/session/tokens", Test, GSIZE_TO_POINTER(1000), set_up, test_tokens, tear_down);
    g_test_add("/web/session/idle", Test, GSIZE_TO_POINTER(1000), set_up, test_idle, tear_down);
    g_test_add("/web/session/full", Test, GSIZE_TO_POINTER(5), set_up, test_full, tear_down);
    g_test_add("/web/session/many-of-one-user", Test, GSIZE_TO_POINTER(1000), set_up,
               test_many_of_one_user, tear_down);
    return g_test_run();
}
