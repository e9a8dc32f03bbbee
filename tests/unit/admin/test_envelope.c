/*
 * test_envelope.c - the answer's eight keys, octet for octet (AD-05, AD-06, AD-09, AD-13)
 */
#include <string.h>

#include "fixture.h"

static void check(const Envelope *envelope, bool with_bom, const char *expected)
{
    g_autoptr(GBytes) body = admin_envelope_format(envelope, with_bom);
    gsize length;
    const char *text = g_bytes_get_data(body, &length);

    g_assert_cmpmem(text, length, expected, strlen(expected));
}

static void test_short(void)
{
    Envelope e = { .version = 2, .code = "succeeded", .percent = -1, .result_json = "{\"a\":[1]}" };

    check(&e, false,
          "{\"error\":null,\"token\":null,\"statusVersion\":2,\"statusCode\":\"succeeded\","
          "\"percentProgress\":null,\"statusText\":null,\"result\":{\"a\":[1]},"
          "\"logOutput\":null}");
    e.result_json = NULL;
    check(&e, true,
          "\xef\xbb\xbf{\"error\":null,\"token\":null,\"statusVersion\":2,"
          "\"statusCode\":\"succeeded\",\"percentProgress\":null,\"statusText\":null,"
          "\"result\":null,\"logOutput\":null}");
}

static void test_running(void)
{
    Envelope e = { .token = "00ff",
                   .version = 1234567890123,
                   .code = "running",
                   .percent = 0,
                   .status_text = "Reading \"packs\"",
                   .log = "one\r\ntwo\r\n" };

    check(&e, false,
          "{\"error\":null,\"token\":\"00ff\",\"statusVersion\":1234567890123,"
          "\"statusCode\":\"running\",\"percentProgress\":0,"
          "\"statusText\":\"Reading \\\"packs\\\"\",\"result\":null,"
          "\"logOutput\":\"one\\r\\ntwo\\r\\n\"}");
}

static void test_error(void)
{
    g_autoptr(GError) error = NULL;
    Envelope e = { .version = 2, .code = "failed", .percent = -1 };

    mk_fail(&error, MK_ERROR_NOT_FOUND, "There is no \"x\".");
    e.error = error;
    check(&e, false,
          "{\"error\":{\"message\":\"There is no \\\"x\\\".\",\"details\":\"not-found\"},"
          "\"token\":null,\"statusVersion\":2,\"statusCode\":\"failed\","
          "\"percentProgress\":null,\"statusText\":null,\"result\":null,\"logOutput\":null}");
}

/* Envelope addresses may hold any octet: the answer is JSON in UTF-8 all the same. */
static void test_not_utf8(void)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    const char *const list[] = { "a\xff", "J\xc3\xb6rg", NULL };
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    char *text;

    yyjson_mut_doc_set_root(doc, object);
    admin_json_add_string(doc, object, "s", "\xc3(");
    admin_json_add_list(doc, object, "l", list);
    text = yyjson_mut_write(doc, 0, NULL);
    g_assert_cmpstr(text, ==, "{\"s\":\"\xef\xbf\xbd(\",\"l\":[\"a\xef\xbf\xbd\",\"Jörg\"]}");
    free(text);
    yyjson_mut_doc_free(doc);
}

static void test_shapes(void)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    char *text;

    yyjson_mut_doc_set_root(doc, object);
    admin_json_add_time(doc, object, "t", 1767323045678); /* date -u -d @1767323045 */
    admin_json_add_names(doc, object, "n", "none");
    admin_json_add_names(doc, object, "p", "login,delete");
    admin_json_add_list(doc, object, "l", NULL);
    text = yyjson_mut_write(doc, 0, NULL);
    g_assert_cmpstr(text, ==,
                    "{\"t\":\"2026-01-02T03:04:05\",\"n\":[],\"p\":[\"login\",\"delete\"],"
                    "\"l\":[]}");
    free(text);
    yyjson_mut_doc_free(doc);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/admin/envelope/short", test_short);
    g_test_add_func("/admin/envelope/running", test_running);
    g_test_add_func("/admin/envelope/error", test_error);
    g_test_add_func("/admin/envelope/not-utf8", test_not_utf8);
    g_test_add_func("/admin/envelope/shapes", test_shapes);
    return g_test_run();
}
