/* test_response.c - the head of an answer; the date is the example of RFC 9110 5.6.7 */
#include <string.h>

#include "http/internal.h"

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
enum { DATE_S = 784111777 };

static void test_date(void)
{
    char date[32];

    mk_http_format_date(INT64_C(1000) * DATE_S + 999, date);
    g_assert_cmpstr(date, ==, "Sun, 06 Nov 1994 08:49:37 GMT");
    mk_http_format_date(0, date);
    g_assert_cmpstr(date, ==, "Thu, 01 Jan 1970 00:00:00 GMT");
}

static const struct {
    unsigned status;
    const char *body; /* NULL: none */
    bool keep_alive;
    bool to_http_10;
    const char *head;
} heads[] = {
    { 200, "abc", true, false,
      "HTTP/1.1 200 OK\r\n" DATE "Content-Type: text/plain\r\nContent-Length: 3\r\n\r\n" },
    { 200, "", false, false,
      "HTTP/1.1 200 OK\r\n" DATE "Content-Type: text/plain\r\nContent-Length: 0\r\n"
      "Connection: close\r\n\r\n" },
    { 404, NULL, true, true,
      "HTTP/1.1 404 Not Found\r\n" DATE "Content-Length: 0\r\nConnection: keep-alive\r\n\r\n" },
    { 204, NULL, true, false, "HTTP/1.1 204 No Content\r\n" DATE "\r\n" },
    { 304, NULL, true, false, "HTTP/1.1 304 Not Modified\r\n" DATE "\r\n" },
};

static void test_heads(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(heads); i++) {
        g_autoptr(MkHttpResponse) response = mk_http_response_new(heads[i].status);
        if (heads[i].body != NULL) {
            g_autoptr(GBytes) body = g_bytes_new(heads[i].body, strlen(heads[i].body));
            mk_http_response_body(response, "text/plain", body);
        }
        g_autoptr(GString) head = mk_http_response_head(
            response, NULL, heads[i].keep_alive, heads[i].to_http_10, INT64_C(1000) * DATE_S);
        g_assert_cmpstr(head->str, ==, heads[i].head);
    }
}

static void test_own_field_wins(void)
{
    g_autoptr(MkHttpResponse) response = mk_http_response_new(204);
    g_autoptr(GPtrArray) extra = g_ptr_array_new();

    mk_http_response_header(response, "X-A", "own");
    g_ptr_array_add(extra, (char *) "x-a");
    g_ptr_array_add(extra, (char *) "other");
    g_ptr_array_add(extra, (char *) "X-B");
    g_ptr_array_add(extra, (char *) "b");
    g_autoptr(GString) head =
        mk_http_response_head(response, extra, true, false, INT64_C(1000) * DATE_S);
    g_assert_cmpstr(head->str, ==, "HTTP/1.1 204 No Content\r\n" DATE "X-A: own\r\nX-B: b\r\n\r\n");
}

static void test_no_control_characters(void)
{
    if (g_test_subprocess()) {
        g_autoptr(MkHttpResponse) response = mk_http_response_new(200);
        mk_http_response_header(response, "X-A", "a\r\nSet-Cookie: b");
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
}

static void test_plain_trusts_nothing(void)
{
    g_autoptr(MkHttpResponse) response = mk_http_response_plain(400, true);
    g_autoptr(GString) head = mk_http_response_head(response, NULL, false, false, 0);

    g_assert_nonnull(strstr(head->str, "\r\nX-Content-Type-Options: nosniff\r\n"));
    g_assert_nonnull(strstr(head->str, "\r\nCache-Control: no-store\r\n"));
    g_assert_nonnull(strstr(head->str, "\r\nStrict-Transport-Security: "));
    g_assert_nonnull(strstr(head->str, "\r\nContent-Security-Policy: "));
    g_assert_nonnull(strstr(head->str, "\r\nConnection: close\r\n"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http/response/date", test_date);
    g_test_add_func("/http/response/heads", test_heads);
    g_test_add_func("/http/response/own-field-wins", test_own_field_wins);
    g_test_add_func("/http/response/no-control-characters", test_no_control_characters);
    g_test_add_func("/http/response/plain-trusts-nothing", test_plain_trusts_nothing);
    return g_test_run();
}
