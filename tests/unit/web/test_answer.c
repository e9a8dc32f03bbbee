/* test_answer.c - statuses, names of downloads, JSON that is always UTF-8, dates, budget */
#include <string.h>

#include "web/internal.h"

static void test_statuses(void)
{
    static const unsigned known[] = { 400, 401, 403, 404, 409, 422, 500, 501, 502, 503, 504, 507 };

    for (MkErrorCode code = MK_ERROR_INVALID; code <= MK_ERROR_INTERNAL; code++) {
        bool found = false;
        for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
            found = found || web_status_of(code) == known[i];
        g_assert_true(found);
    }
    g_assert_cmpuint(web_status_of(MK_ERROR_AUTH), ==, 401);
    g_assert_cmpuint(web_status_of(MK_ERROR_DENIED), ==, 403);
    g_assert_cmpuint(web_status_of(MK_ERROR_NOT_FOUND), ==, 404);
}

/* RFC 6266 5, RFC 8187 3.2.3 */
static const struct {
    const char *name;
    const char *field;
} dispositions[] = {
    { "a b.pdf", "attachment; filename=\"a b.pdf\"; filename*=UTF-8''a%20b.pdf" },
    { "\xe2\x82\xac.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%E2%82%AC.txt" },
    { "a\"b\\c.txt", "attachment; filename=\"a_b_c.txt\"; filename*=UTF-8''a%22b_c.txt" },
    { "a\r\nb", "attachment; filename=\"a__b\"; filename*=UTF-8''a__b" },
    { "../../etc/passwd",
      "attachment; filename=\".._.._etc_passwd\"; filename*=UTF-8''.._.._etc_passwd" },
    { "a\xe2\x80\xae"
      "fdp.exe",
      "attachment; filename=\"a_fdp.exe\"; filename*=UTF-8''a_fdp.exe" },
    { "100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt" },
    { "\xff", "attachment; filename=\"_\"; filename*=UTF-8''%EF%BF%BD" },
};

static void test_dispositions(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(dispositions); i++) {
        g_autofree char *field = web_disposition(dispositions[i].name);
        g_assert_cmpstr(field, ==, dispositions[i].field);
    }
}

static void test_json_is_utf_8(void)
{
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = web_json_new(&root);

    web_json_string(doc, root, "bad",
                    "a\xff"
                    "b");
    web_json_octets(doc, root, "nul", "a\0b", 3);
    web_json_string(doc, root, "controls", "\x01\"\\\n");
    web_json_string(doc, root, "none", NULL);
    web_json_date(doc, root, "date", INT64_C(784111777000));
    web_json_date(doc, root, "no_date", 0);
    g_autoptr(GBytes) bytes = web_json_format(doc);
    yyjson_mut_doc_free(doc);
    gsize length = 0;
    const char *data = g_bytes_get_data(bytes, &length);
    g_autofree char *text = g_strndup(data, length);
    g_assert_cmpstr(text, ==,
                    "{\"bad\":\"a\xef\xbf\xbd"
                    "b\",\"nul\":\"a\xef\xbf\xbd"
                    "b\","
                    "\"controls\":\"\\u0001\\\"\\\\\\n\",\"none\":null,"
                    "\"date\":\"1994-11-06T08:49:37Z\",\"no_date\":null}");
}

static const struct {
    const char *json;
    const char *user_name; /* NULL: refused */
    const char *password;
} logins[] = {
    { "{\"userName\":\"a\",\"password\":\"b\"}", "a", "b" },
    { " { \"x\" : [ 1 ] , \"password\" : \"\\u00e4\\\"\" , \"userName\" : \"\" } ", "",
      "\xc3\xa4\"" },
    { "", NULL, NULL },
    { "{", NULL, NULL },
    { "null", NULL, NULL },
    { "[\"a\",\"b\"]", NULL, NULL },
    { "{\"userName\":\"a\"}", NULL, NULL },
    { "{\"userName\":\"a\",\"password\":1}", NULL, NULL },
    { "{\"userName\":\"a\",\"password\":null}", NULL, NULL },
    { "{\"userName\":\"a\\u0000\",\"password\":\"b\"}", NULL, NULL },
    { "{\"userName\":\"\xff\",\"password\":\"b\"}", NULL, NULL },
    { "{\"userName\":\"a\",\"password\":\"b\"} x", NULL, NULL },
    { "{'userName':'a','password':'b'}", NULL, NULL },
    { "userName=a&password=b", NULL, NULL },
};

static void check_login(const char *json, size_t length, const char *user_name,
                        const char *password)
{
    g_autoptr(GBytes) body = g_bytes_new(json, length);
    g_autoptr(GError) error = NULL;
    g_autofree char *got_user = NULL;
    g_autofree char *got_password = NULL;
    const WebMember members[] = { { "userName", 256, true, &got_user },
                                  { "password", 1024, true, &got_password } };
    bool good = web_json_read_strings(body, members, 2, &error);

    g_test_message("%.80s", json);
    g_assert_cmpint(good, ==, user_name != NULL);
    if (user_name == NULL)
        g_assert_error(error, MK_ERROR, MK_ERROR_INVALID);
    g_assert_cmpstr(got_user, ==, user_name);
    g_assert_cmpstr(got_password, ==, password);
}

static void test_logins(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(logins); i++)
        check_login(logins[i].json, strlen(logins[i].json), logins[i].user_name,
                    logins[i].password);
    g_autofree char *deep = g_strnfill(16000, '[');
    check_login(deep, 16000, NULL, NULL);
    g_autofree char *name = g_strnfill(257, 'a');
    g_autofree char *long_name = g_strdup_printf("{\"userName\":\"%s\",\"password\":\"b\"}", name);
    check_login(long_name, strlen(long_name), NULL, NULL);
    g_autofree char *blank = g_strnfill(20000, ' ');
    g_autofree char *long_body = g_strconcat(logins[0].json, blank, NULL);
    check_login(long_body, strlen(long_body), NULL, NULL);
}

/* Octets in, UTF-16 code units out; what lies outside or in wrong order is left out. */
static const struct {
    const char *text;
    MkRange ranges[3]; /* up to one of length 0 */
    const char *json;
} marks[] = {
    { "one two", { { 0, 3 }, { 4, 3 } }, "[[0,3],[4,3]]" },
    { "\xc3\xa4 x", { { 0, 2 }, { 3, 1 } }, "[[0,1],[2,1]]" },
    { "\xf0\x9f\x98\x80 x", { { 0, 4 }, { 5, 1 } }, "[[0,2],[3,1]]" },
    { "abc", { { 2, 2 } }, "[]" },
    { "abc", { { 1, 1 }, { 0, 1 } }, "[[1,1]]" },
    { "a\xff", { { 0, 1 } }, "[]" },
    { "", { { 0, 0 } }, "[]" },
};

static void test_marks(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(marks); i++) {
        g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(MkRange));
        yyjson_mut_val *root;
        yyjson_mut_doc *doc = web_json_new(&root);

        for (size_t j = 0; j < G_N_ELEMENTS(marks[i].ranges) && marks[i].ranges[j].length > 0; j++)
            g_array_append_val(ranges, marks[i].ranges[j]);
        yyjson_mut_doc_set_root(doc, web_json_ranges(doc, marks[i].text, ranges));
        g_autoptr(GBytes) json = web_json_format(doc);
        g_autofree char *text = g_strndup(g_bytes_get_data(json, NULL), g_bytes_get_size(json));
        g_assert_cmpstr(text, ==, marks[i].json);
        yyjson_mut_doc_free(doc);
    }
}

static void test_kinds(void)
{
    static const char *const kinds[][2] = {
        { "zoe/Journal Incoming", "in" },
        { "zoe/Journal Outgoing", "out" },
        { "zoe/Journal Incoming/Sub", "in" },
        { "zoe/Journal Incoming2", "other" },
        { "zoe/x/Journal Incoming", "other" },
        { "zoe", "other" },
        { "@catchall/Unknown E-mail Addresses", "other" },
        { "", "other" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        g_assert_cmpstr(web_folder_kind(kinds[i][0]), ==, kinds[i][1]);
    g_assert_cmpstr(web_folder_kind(NULL), ==, "other");
}

static void test_budget(void)
{
    WebBudget *budget = web_budget_new(100);
    g_autoptr(GError) error = NULL;

    g_assert_true(web_budget_take(budget, 500, NULL)); /* alone, so it goes */
    g_assert_false(web_budget_take(budget, 1, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_BUSY);
    web_budget_give(budget, 500);
    g_assert_true(web_budget_take(budget, 60, NULL));
    GBytes *wrapped = web_budget_wrap(budget, g_bytes_new("abc", 3), 60);
    g_assert_true(web_budget_take(budget, 40, NULL));
    g_assert_false(web_budget_take(budget, 1, NULL));
    g_assert_cmpmem(g_bytes_get_data(wrapped, NULL), g_bytes_get_size(wrapped), "abc", 3);
    g_bytes_unref(wrapped);
    g_assert_true(web_budget_take(budget, 60, NULL));
    web_budget_unref(budget);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/web/answer/statuses", test_statuses);
    g_test_add_func("/web/answer/dispositions", test_dispositions);
    g_test_add_func("/web/json/is-utf-8", test_json_is_utf_8);
    g_test_add_func("/web/json/logins", test_logins);
    g_test_add_func("/web/find/kinds", test_kinds);
    g_test_add_func("/web/budget", test_budget);
    g_test_add_func("/web/answer/marks", test_marks);
    return g_test_run();
}
