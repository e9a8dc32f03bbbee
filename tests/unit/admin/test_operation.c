/*
 * test_operation.c - long-running calls from start to end (AD-09..AD-12, AD-16)
 *
 * A handler of the test's own runs on the bulk lane and does what the test tells it, step by
 * step; the test asks for its status by HTTP, as two different users.
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "fixture.h"

/* What the handler shall do next; the test sets, the lane takes. */
typedef enum { DO_NOTHING, DO_LOG, DO_PROGRESS, DO_TWO_LINES, DO_END, DO_FAIL } Step;

static struct {
    int step;    /* atomic */
    int running; /* atomic: handlers under way */
} script;

static MkPrincipal *lisa;
static MkPrincipal *zoe;

static Step take_step(Call *call)
{
    while (!admin_operation_is_cancelled(call->operation)) {
        int step = g_atomic_int_get(&script.step);

        if (step != DO_NOTHING && g_atomic_int_compare_and_exchange(&script.step, step, DO_NOTHING))
            return (Step) step;
        g_usleep(500);
    }
    return DO_NOTHING;
}

static bool play(Call *call, GError **error)
{
    Operation *operation = call->operation;

    for (;;) {
        switch (take_step(call)) {
        case DO_LOG: admin_operation_log(operation, "One line."); break;
        case DO_TWO_LINES:
            admin_operation_log(operation, "Second.");
            admin_operation_log(operation, "Third.");
            break;
        case DO_PROGRESS: g_assert_true(admin_operation_on_progress(40, "Half", operation)); break;
        case DO_END: call->result = yyjson_mut_str(call->doc, "all well"); return true;
        case DO_FAIL: return mk_fail(error, MK_ERROR_CORRUPT, "It is broken.");
        case DO_NOTHING:
            g_assert_false(admin_operation_on_progress(50, "Half", operation));
            return mk_fail(error, MK_ERROR_CANCELLED, "It was cancelled.");
        }
    }
}

static bool handle_play(Call *call, GError **error)
{
    bool ok;

    g_atomic_int_inc(&script.running);
    ok = play(call, error);
    g_atomic_int_add(&script.running, -1);
    return ok;
}

static const Function play_function = { "Play", handle_play, FOR_ADMINS, true, { { 0 } } };

/* /<user>/start, /<user>/status, /<user>/cancel */
static void handle(MkHttpRequest *request, void *cookie)
{
    Fixture *f = cookie;
    const char *path = mk_http_path(request);
    MkPrincipal *principal = g_str_has_prefix(path, "/lisa/") ? lisa : zoe;
    const char *verb = strrchr(path, '/') + 1;
    gsize length;
    const char *form = g_bytes_get_data(mk_http_body(request), &length);
    GHashTable *arguments = mk_http_parse_form(form, length, NULL);

    if (strcmp(verb, "start") == 0) {
        Call *call = admin_call_new(f->admin, &play_function, principal, arguments, NULL);

        admin_operations_start(f->admin->operations, call, request, false);
        return;
    }
    if (strcmp(verb, "status") == 0)
        admin_operations_status(f->admin->operations, request, principal, arguments, false);
    else
        admin_operations_cancel(f->admin->operations, request, principal, arguments, false);
    g_hash_table_unref(arguments);
}

static void set_up(Fixture *f)
{
    script.step = DO_NOTHING;
    fixture_init(f, handle);
    lisa = fixture_add_user(f, "lisa");
    zoe = fixture_add_user(f, "zoe");
}

static void tear_down(Fixture *f)
{
    fixture_clear(f);
    mk_principal_unref(lisa);
    mk_principal_unref(zoe);
}

static void tell(Step step)
{
    g_atomic_int_set(&script.step, step);
}

/* Starts one; its token as a new string. */
static char *start(Fixture *f)
{
    g_auto(Reply) reply = { 0 };

    reply_get(&reply, f, "/lisa/start", NULL, NULL);
    g_assert_cmpuint(reply.status, ==, 200);
    g_assert_cmpstr(reply_text(&reply, "statusCode"), ==, "running");
    g_assert_cmpint(reply_number(&reply, "percentProgress"), ==, 0);
    g_assert_cmpstr(reply_text(&reply, "logOutput"), ==, "Play has started.\r\n");
    g_assert_cmpstr(reply_text(&reply, "result"), ==, "null");
    g_assert_cmpstr(reply_text(&reply, "error"), ==, "null");
    g_assert_cmpint(reply_number(&reply, "statusVersion"), >=, 1);
    return g_strdup(reply_text(&reply, "token"));
}

static char *status_form(const char *token, int64_t version, unsigned wait_ms)
{
    return g_strdup_printf("token=%s&lastKnownStatusVersion=%" G_GINT64_FORMAT
                           "&millisecondsTimeout=%u",
                           token, version, wait_ms);
}

static void get_status(Reply *reply, Fixture *f, const char *token, int64_t version,
                       unsigned wait_ms)
{
    g_autofree char *form = status_form(token, version, wait_ms);

    reply_get(reply, f, "/lisa/status", NULL, form);
    g_assert_cmpuint(reply->status, ==, 200);
}

/* -- tests --------------------------------------------------------------------------------- */
static void test_to_its_end(void)
{
    g_auto(Reply) reply = { 0 };
    g_autofree char *token = NULL;
    int64_t version;
    Fixture f;

    set_up(&f);
    token = start(&f);
    g_assert_cmpuint(strlen(token), ==, 32);
    g_assert_cmpuint(strspn(token, "0123456789abcdef"), ==, 32);
    get_status(&reply, &f, token, 0, 0); /* all lines, to who knows nothing */
    g_assert_cmpstr(reply_text(&reply, "logOutput"), ==, "Play has started.\r\n");
    version = reply_number(&reply, "statusVersion");

    tell(DO_LOG);
    get_status(&reply, &f, token, version, 10000);
    g_assert_cmpstr(reply_text(&reply, "logOutput"), ==, "One line.\r\n");
    g_assert_cmpint(reply_number(&reply, "statusVersion"), >, version);
    version = reply_number(&reply, "statusVersion");

    tell(DO_PROGRESS);
    get_status(&reply, &f, token, version, 10000);
    g_assert_cmpstr(reply_text(&reply, "logOutput"), ==, "null");
    g_assert_cmpint(reply_number(&reply, "percentProgress"), ==, 40);
    g_assert_cmpstr(reply_text(&reply, "statusText"), ==, "Half");
    g_assert_cmpstr(reply_text(&reply, "token"), ==, token);
    g_assert_cmpint(reply_number(&reply, "statusVersion"), >, version);
    version = reply_number(&reply, "statusVersion");

    tell(DO_END);
    get_status(&reply, &f, token, version, 10000);
    g_assert_cmpstr(reply_text(&reply, "statusCode"), ==, "succeeded");
    g_assert_cmpstr(reply_text(&reply, "token"), ==, "null");
    g_assert_cmpstr(reply_text(&reply, "percentProgress"), ==, "null");
    g_assert_cmpstr(reply_text(&reply, "result"), ==, "all well");
    g_assert_cmpint(reply_number(&reply, "statusVersion"), >, version);
    version = reply_number(&reply, "statusVersion");

    get_status(&reply, &f, token, version, 10000); /* over: no news will come, no waiting */
    g_assert_cmpstr(reply_text(&reply, "statusCode"), ==, "succeeded");
    g_assert_cmpint(reply_number(&reply, "statusVersion"), ==, version);
    tear_down(&f);
}

static void test_lines_since(void)
{
    g_auto(Reply) reply = { 0 };
    g_autofree char *token = NULL;
    int64_t version;
    Fixture f;

    set_up(&f);
    token = start(&f);
    tell(DO_LOG);
    get_status(&reply, &f, token, 2, 10000);
    version = reply_number(&reply, "statusVersion");
    tell(DO_TWO_LINES);
    get_status(&reply, &f, token, version + 1, 10000); /* both are there by then */
    get_status(&reply, &f, token, version, 0);
    g_assert_cmpstr(reply_text(&reply, "logOutput"), ==, "Second.\r\nThird.\r\n");
    get_status(&reply, &f, token, version + 1, 0); /* another client, another view */
    g_assert_cmpstr(reply_text(&reply, "logOutput"), ==, "Third.\r\n");
    get_status(&reply, &f, token, version + 2, 0);
    g_assert_cmpstr(reply_text(&reply, "logOutput"), ==, "null");
    tear_down(&f);
}

static void test_waits(void)
{
    g_autofree char *token = NULL;
    g_autofree char *form = NULL;
    g_auto(Reply) first = { 0 };
    g_auto(Reply) second = { 0 };
    int64_t began_ms;
    Fixture f;

    set_up(&f);
    token = start(&f);
    began_ms = mk_clock_monotonic_ms();
    get_status(&first, &f, token, 2, 300); /* no news: the last status again, not earlier */
    g_assert_cmpint(mk_clock_monotonic_ms() - began_ms, >=, 295);
    g_assert_cmpint(reply_number(&first, "statusVersion"), ==, 2);
    g_assert_cmpstr(reply_text(&first, "logOutput"), ==, "null");
    reply_clear(&first);

    form = status_form(token, 2, 60000);
    reply_begin(&first, &f, "POST", "/lisa/status", NULL, form);
    reply_begin(&second, &f, "POST", "/lisa/status", NULL, form);
    g_assert_true(reply_still_waits(&first, 100));
    g_assert_false(second.done);
    tell(DO_LOG);
    reply_wait(&first);
    reply_wait(&second);
    g_assert_cmpstr(reply_text(&first, "logOutput"), ==, "One line.\r\n");
    g_assert_cmpstr(reply_text(&second, "logOutput"), ==, "One line.\r\n");
    tear_down(&f);
}

static void test_failure(void)
{
    g_auto(Reply) reply = { 0 };
    g_autofree char *token = NULL;
    Fixture f;

    set_up(&f);
    token = start(&f);
    tell(DO_FAIL);
    get_status(&reply, &f, token, 2, 10000);
    g_assert_cmpstr(reply_text(&reply, "statusCode"), ==, "failed");
    g_assert_cmpstr(reply_error(&reply), ==, "It is broken.");
    g_assert_cmpstr(reply_text(&reply, "result"), ==, "null");
    g_assert_cmpstr(reply_text(&reply, "token"), ==, "null");
    tear_down(&f);
}

static void test_cancel(void)
{
    g_auto(Reply) reply = { 0 };
    g_autofree char *token = NULL;
    g_autofree char *form = NULL;
    Fixture f;

    set_up(&f);
    token = start(&f);
    WAIT(&f, g_atomic_int_get(&script.running) == 1);
    form = g_strconcat("token=", token, NULL);
    reply_get(&reply, &f, "/lisa/cancel", NULL, form);
    g_assert_cmpuint(reply.status, ==, 200);
    WAIT(&f, g_atomic_int_get(&script.running) == 0);
    WAIT(&f, admin_operations_is_idle(f.admin->operations));
    get_status(&reply, &f, token, 0, 0);
    g_assert_cmpstr(reply_text(&reply, "statusCode"), ==, "cancelled");
    g_assert_cmpstr(reply_error(&reply), ==, "It was cancelled.");
    g_assert_cmpstr(reply_text(&reply, "token"), ==, "null");
    reply_get(&reply, &f, "/lisa/cancel", NULL, form); /* twice is no harm */
    g_assert_cmpuint(reply.status, ==, 200);
    tear_down(&f);
}

/* More than the lane has threads: the last ones wait, and are cancelled before they begin. */
static void test_cancel_queued(void)
{
    char *tokens[3];
    g_auto(Reply) reply = { 0 };
    g_autofree char *form = NULL;
    Fixture f;

    set_up(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(tokens); i++)
        tokens[i] = start(&f);
    WAIT(&f, g_atomic_int_get(&script.running) == 2);
    form = g_strconcat("token=", tokens[2], NULL);
    reply_get(&reply, &f, "/lisa/cancel", NULL, form);
    get_status(&reply, &f, tokens[2], 2, 10000);
    g_assert_cmpstr(reply_text(&reply, "statusCode"), ==, "cancelled");
    g_assert_cmpstr(reply_error(&reply), ==, "The operation was cancelled.");
    g_assert_cmpint(g_atomic_int_get(&script.running), ==, 2);
    for (size_t i = 0; i < G_N_ELEMENTS(tokens); i++)
        g_free(tokens[i]);
    tear_down(&f);
}

static void test_tokens(void)
{
    const char *const paths[] = { "/lisa/status", "/lisa/cancel" };
    g_autofree char *token = NULL;
    g_autofree char *form = NULL;
    g_auto(Reply) reply = { 0 };
    Fixture f;

    set_up(&f);
    token = start(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        const char *const forms[] = { "token=0123456789abcdef0123456789abcdef", "token=", "" };

        for (size_t k = 0; k < G_N_ELEMENTS(forms); k++) {
            reply_get(&reply, &f, paths[i], NULL, forms[k]);
            g_assert_cmpuint(reply.status, ==, 404);
            g_assert_cmpstr(reply_error(&reply), ==, "Unknown token.");
        }
    }
    form = g_strconcat("token=", token, NULL); /* right, but another user's (AD-16) */
    reply_get(&reply, &f, "/zoe/status", NULL, form);
    g_assert_cmpuint(reply.status, ==, 404);
    reply_get(&reply, &f, "/zoe/cancel", NULL, form);
    g_assert_cmpuint(reply.status, ==, 404);
    get_status(&reply, &f, token, 0, 0);
    g_assert_cmpstr(reply_text(&reply, "statusCode"), ==, "running");
    tear_down(&f);
}

/* A stop answers who waits at once, and starts nothing more. */
static void test_stop(void)
{
    g_autofree char *token = NULL;
    g_autofree char *form = NULL;
    g_auto(Reply) waiting = { 0 };
    g_auto(Reply) late = { 0 };
    Fixture f;

    set_up(&f);
    token = start(&f);
    WAIT(&f, g_atomic_int_get(&script.running) == 1);
    form = status_form(token, 2, 60000);
    reply_begin(&waiting, &f, "POST", "/lisa/status", NULL, form);
    g_assert_true(reply_still_waits(&waiting, 100));
    admin_operations_stop(f.admin->operations);
    reply_wait(&waiting);
    g_assert_cmpuint(waiting.status, ==, 200);
    reply_get(&late, &f, "/lisa/start", NULL, NULL);
    g_assert_cmpstr(reply_error(&late), ==, "The server is stopping.");
    WAIT(&f, admin_operations_is_idle(f.admin->operations));
    tear_down(&f);
}

/* Ended ones make room; only as many as may run at once are refused. */
static void test_many(void)
{
    g_auto(Reply) reply = { 0 };
    g_autofree char *first = NULL;
    g_autofree char *form = NULL;
    Fixture f;

    set_up(&f);
    for (unsigned i = 0; i < MK_LIMIT_OPERATIONS + 10; i++) {
        g_autofree char *token = start(&f);

        tell(DO_END);
        WAIT(&f, admin_operations_is_idle(f.admin->operations));
        if (first == NULL)
            first = g_steal_pointer(&token);
    }
    form = g_strconcat("token=", first, NULL);
    reply_get(&reply, &f, "/lisa/status", NULL, form);
    g_assert_cmpuint(reply.status, ==, 404);
    for (unsigned i = 0; i < MK_LIMIT_OPERATIONS; i++)
        g_free(start(&f));
    reply_get(&reply, &f, "/lisa/start", NULL, NULL);
    g_assert_cmpstr(reply_error(&reply), ==, "Too many operations; try again later.");
    tear_down(&f);
}

/* A client that goes away while it waits leaves nothing behind. */
static void test_client_gone(void)
{
    g_autofree char *token = NULL;
    g_autofree char *form = NULL;
    g_auto(Reply) reply = { 0 };
    Fixture f;

    set_up(&f);
    token = start(&f);
    form = status_form(token, 2, 60000);
    reply_begin(&reply, &f, "POST", "/lisa/status", NULL, form);
    g_assert_true(reply_still_waits(&reply, 100));
    mk_http_server_stop(f.server, 50); /* its connection is cut after 50 ms */
    g_clear_pointer(&f.listener, mk_listener_free);
    tell(DO_END);
    WAIT(&f, admin_operations_is_idle(f.admin->operations));
    WAIT(&f, reply.done);
    tear_down(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_setup();
    g_test_add_func("/admin/operation/to-its-end", test_to_its_end);
    g_test_add_func("/admin/operation/lines-since", test_lines_since);
    g_test_add_func("/admin/operation/waits", test_waits);
    g_test_add_func("/admin/operation/failure", test_failure);
    g_test_add_func("/admin/operation/cancel", test_cancel);
    g_test_add_func("/admin/operation/cancel-queued", test_cancel_queued);
    g_test_add_func("/admin/operation/tokens", test_tokens);
    g_test_add_func("/admin/operation/stop", test_stop);
    g_test_add_func("/admin/operation/many", test_many);
    g_test_add_func("/admin/operation/client-gone", test_client_gone);
    return g_test_run();
}
