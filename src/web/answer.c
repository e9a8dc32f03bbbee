/*
 * answer.c - JSON, downloads and errors as answers; the fields of every answer
 */
#include <string.h>

#include <mailkeep/log.h>

#include "internal.h"

/* web.h, "Security". Mail must stay in no cache and run nowhere. */
void web_add_security_headers(MkHttpRequest *request)
{
    static const char *const fields[][2] = {
        { "Cache-Control", "no-store" },
        { "X-Content-Type-Options", "nosniff" },
        { "Content-Security-Policy",
          "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" },
        { "Referrer-Policy", "no-referrer" },
        { "X-Frame-Options", "DENY" },
        { "Cross-Origin-Resource-Policy", "same-origin" },
        { "Cross-Origin-Opener-Policy", "same-origin" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        mk_http_add_header(request, fields[i][0], fields[i][1]);
    if (mk_http_is_secure(request)) /* never in clear: RFC 6797 7.2 */
        mk_http_add_header(request, "Strict-Transport-Security", "max-age=31536000");
}

unsigned web_status_of(MkErrorCode code)
{
    switch (code) { /* no default, so that a forgotten code is a warning */
    case MK_ERROR_INVALID: return 400;
    case MK_ERROR_NOT_FOUND: return 404;
    case MK_ERROR_EXISTS: return 409;
    case MK_ERROR_AUTH: return 401;
    case MK_ERROR_DENIED: return 403;
    case MK_ERROR_LIMIT: return 422;
    case MK_ERROR_BUSY: return 503;
    case MK_ERROR_NO_SPACE: return 507;
    case MK_ERROR_IO: return 500;
    case MK_ERROR_CORRUPT: return 500;
    case MK_ERROR_KEY: return 500;
    case MK_ERROR_NETWORK: return 502;
    case MK_ERROR_TLS: return 502;
    case MK_ERROR_TIMEOUT: return 504;
    case MK_ERROR_CANCELLED: return 503;
    case MK_ERROR_UNSUPPORTED: return 501;
    case MK_ERROR_INTERNAL: return 500;
    }
    g_assert_not_reached();
}

/* @cause has a hint or is NULL. */
static GBytes *problem_json(const char *code, const char *message, const GError *cause)
{
    unsigned number = 0;
    const char *hint = mk_error_hint(cause, &number);

    yyjson_mut_val *root;
    yyjson_mut_doc *doc = web_json_new(&root);
    yyjson_mut_val *error = yyjson_mut_obj(doc);

    yyjson_mut_obj_add_val(doc, root, "error", error);
    web_json_string(doc, error, "code", code);
    web_json_string(doc, error, "message", message);
    if (hint != NULL)
        web_json_string(doc, error, "hint", hint);
    if (number != 0)
        yyjson_mut_obj_add_uint(doc, error, "number", number);
    GBytes *body = web_json_format(doc);
    yyjson_mut_doc_free(doc);
    return body;
}

static void respond_problem(MkHttpRequest *request, unsigned status, const char *name,
                            const char *value, GBytes *body)
{
    MkHttpResponse *response = mk_http_response_new(status);

    if (name != NULL)
        mk_http_response_header(response, name, value);
    mk_http_response_body(response, "application/json", body);
    mk_http_respond(request, response);
}

void web_respond_problem(MkHttpRequest *request, unsigned status, const char *code,
                         const char *message, const char *name, const char *value)
{
    g_autoptr(GBytes) body = problem_json(code, message, NULL);

    respond_problem(request, status, name, value, body);
}

/* A browser must not be asked for Basic: what it then sends unasked would pass by the CSRF token. */
static const char *challenge(const MkHttpRequest *request)
{
    return mk_http_header(request, "Authorization") != NULL
               ? "Basic realm=\"Mailkeep\", charset=\"UTF-8\""
               : "Session realm=\"Mailkeep\"";
}

/* Paths and causes inside the machine are for the log, not for whoever asks. */
static const char *outside_message(unsigned status, const GError *error)
{
    if (status == 401)
        return "Log in with a valid user name and password.";
    if (status == 500)
        return "Something failed on the server; its log says more.";
    return error->message;
}

void web_respond_error(MkHttpRequest *request, const GError *error)
{
    MkErrorCode code = mk_error_code(error);
    unsigned status = web_status_of(code);
    const char *message = outside_message(status, error);
    const char *name = mk_error_name(code);
    g_autoptr(GBytes) body = problem_json(name, message, error);

    if (status == 500)
        mk_log_error("web.failed", "code", name, "error", error->message);
    if (status == 401)
        respond_problem(request, status, "WWW-Authenticate", challenge(request), body);
    else if (status == 503)
        respond_problem(request, status, "Retry-After", "2", body);
    else
        respond_problem(request, status, NULL, NULL, body);
}

void web_respond_json(MkHttpRequest *request, yyjson_mut_doc *doc, const char *cookie)
{
    MkHttpResponse *response = mk_http_response_new(200);
    g_autoptr(GBytes) body = web_json_format(doc);

    yyjson_mut_doc_free(doc);
    if (cookie != NULL)
        mk_http_response_header(response, "Set-Cookie", cookie);
    mk_http_response_body(response, "application/json", body);
    mk_http_respond(request, response);
}

/* For old clients: ASCII without what would end or change the quoted string. */
static char *ascii_name(const char *file_name)
{
    GString *ascii = g_string_new(NULL);

    for (const char *at = file_name; *at != '\0'; at = g_utf8_next_char(at)) {
        bool plain = g_ascii_isprint(*at) && strchr("\"\\/%", *at) == NULL;
        g_string_append_c(ascii, plain ? *at : '_');
    }
    return g_string_free(ascii, FALSE);
}

/* No path, nothing that ends a line, and nothing that turns the text round and so hides its end. */
static bool hides(gunichar c)
{
    return c == '/' || c == '\\' || g_unichar_iscntrl(c) || c == 0x061c ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x2069) || c == 0xfeff;
}

static char *plain_name(const char *file_name)
{
    g_autofree char *valid = g_utf8_make_valid(file_name, -1);
    GString *plain = g_string_new(NULL);

    for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        g_string_append_unichar(plain, hides(c) ? '_' : c);
    }
    return g_string_free(plain, FALSE);
}

char *web_disposition(const char *file_name)
{
    g_autofree char *valid = plain_name(file_name);
    g_autofree char *ascii = ascii_name(valid);
    g_autofree char *encoded = g_uri_escape_string(valid, NULL, FALSE);

    return g_strdup_printf("attachment; filename=\"%s\"; filename*=UTF-8''%s", ascii, encoded);
}

static void respond_download(WebCall *call)
{
    MkHttpResponse *response = mk_http_response_new(200);
    g_autofree char *disposition = web_disposition(call->file_name);

    mk_http_response_header(response, "Content-Disposition", disposition);
    mk_http_response_body(response, call->body_type, call->body);
    mk_http_respond(call->request, response);
}

void web_respond_out(WebCall *call)
{
    if (call->body != NULL)
        respond_download(call);
    else
        web_respond_json(call->request, g_steal_pointer(&call->json), NULL);
}
