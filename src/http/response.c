/*
 * response.c - status, fields and body of an answer
 */
#include <string.h>
#include <time.h>

#include <mailkeep/base.h>

#include "internal.h"

/* RFC 9110 15; what is not here is not sent. */
static const struct {
    unsigned status;
    const char *text;
} statuses[] = {
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 204, "No Content" },
    { 301, "Moved Permanently" },
    { 302, "Found" },
    { 303, "See Other" },
    { 304, "Not Modified" },
    { 307, "Temporary Redirect" },
    { 308, "Permanent Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 411, "Length Required" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 417, "Expectation Failed" },
    { 421, "Misdirected Request" },
    { 422, "Unprocessable Content" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 502, "Bad Gateway" },
    { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" },
    { 505, "HTTP Version Not Supported" },
    { 507, "Insufficient Storage" },
};

const char *mk_http_status_text(unsigned status)
{
    for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++)
        if (statuses[i].status == status)
            return statuses[i].text;
    return "";
}

bool mk_http_status_has_body(unsigned status)
{
    return status >= 200 && status != 204 && status != 304;
}

/* Names are written out: strftime() would follow the locale. */
void mk_http_format_date(int64_t unix_ms, char out[32])
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t seconds = (time_t) (unix_ms / 1000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    g_snprintf(out, 32, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * tm.tm_wday,
               tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
               tm.tm_sec);
}

MkHttpResponse *mk_http_response_new(unsigned status)
{
    MkHttpResponse *response = g_new0(MkHttpResponse, 1);

    response->status = status;
    response->fields = g_ptr_array_new_with_free_func(g_free);
    return response;
}

void mk_http_response_free(MkHttpResponse *response)
{
    if (response == NULL)
        return;
    g_ptr_array_unref(response->fields);
    g_clear_pointer(&response->body, g_bytes_unref);
    if (response->pieces != NULL)
        response->pieces->free(response->pieces);
    g_free(response);
}

/* A line end in a value would let a mail's words become fields: checked in every build. */
static bool is_field_text(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char) *text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

void mk_http_response_header(MkHttpResponse *response, const char *name, const char *value)
{
    if (!is_field_text(name) || !is_field_text(value))
        g_error("http: a header field has a control character");
    g_ptr_array_add(response->fields, g_strdup(name));
    g_ptr_array_add(response->fields, g_strdup(value));
}

void mk_http_response_body(MkHttpResponse *response, const char *content_type, GBytes *body)
{
    g_assert(response->body == NULL && response->pieces == NULL);
    mk_http_response_header(response, "Content-Type", content_type);
    response->body = g_bytes_ref(body);
    response->length = g_bytes_get_size(body);
}

void mk_http_response_stream(MkHttpResponse *response, const char *content_type, uint64_t length,
                             MkHttpBody *body)
{
    g_assert(response->body == NULL && response->pieces == NULL);
    mk_http_response_header(response, "Content-Type", content_type);
    response->pieces = body;
    response->length = length;
}

static bool fields_have(const GPtrArray *fields, const char *name)
{
    for (guint i = 0; i + 1 < fields->len; i += 2)
        if (g_ascii_strcasecmp(fields->pdata[i], name) == 0)
            return true;
    return false;
}

static void put_fields(GString *head, const GPtrArray *fields, const GPtrArray *but)
{
    for (guint i = 0; i + 1 < fields->len; i += 2)
        if (but == NULL || !fields_have(but, fields->pdata[i]))
            g_string_append_printf(head, "%s: %s\r\n", (char *) fields->pdata[i],
                                   (char *) fields->pdata[i + 1]);
}

GString *mk_http_response_head(const MkHttpResponse *response, const GPtrArray *extra,
                               bool keep_alive, bool to_http_10, int64_t now_unix_ms)
{
    GString *head = g_string_sized_new(512);
    char date[32];

    mk_http_format_date(now_unix_ms, date);
    g_string_append_printf(head, "HTTP/1.1 %u %s\r\nDate: %s\r\n", response->status,
                           mk_http_status_text(response->status), date);
    put_fields(head, response->fields, NULL);
    if (extra != NULL)
        put_fields(head, extra, response->fields);
    if (mk_http_status_has_body(response->status))
        g_string_append_printf(head, "Content-Length: %" G_GUINT64_FORMAT "\r\n", response->length);
    if (!keep_alive)
        g_string_append(head, "Connection: close\r\n");
    else if (to_http_10)
        g_string_append(head, "Connection: keep-alive\r\n");
    g_string_append(head, "\r\n");
    return head;
}

MkHttpResponse *mk_http_response_plain(unsigned status, bool is_secure)
{
    MkHttpResponse *response = mk_http_response_new(status);
    g_autofree char *text = g_strdup_printf("%u %s\n", status, mk_http_status_text(status));
    g_autoptr(GBytes) body = g_bytes_new(text, strlen(text));

    mk_http_response_header(response, "Cache-Control", "no-store");
    mk_http_response_header(response, "X-Content-Type-Options", "nosniff");
    mk_http_response_header(response, "X-Frame-Options", "DENY");
    mk_http_response_header(response, "Referrer-Policy", "no-referrer");
    mk_http_response_header(response, "Content-Security-Policy",
                            "default-src 'none'; frame-ancestors 'none'");
    if (is_secure)
        mk_http_response_header(response, "Strict-Transport-Security", "max-age=31536000");
    mk_http_response_body(response, "text/plain; charset=utf-8", body);
    return response;
}

void mk_http_respond(MkHttpRequest *request, MkHttpResponse *response)
{
    if (request->connection != NULL)
        mk_http_connection_respond(request->connection, request, response);
    mk_http_request_free(request);
    mk_http_response_free(response);
}
