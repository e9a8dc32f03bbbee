/*
 * envelope.c - the answer's outside: eight keys in the order of AD-05
 */
#include <string.h>

#include "internal.h"

static const char byte_order_mark[] = "\xef\xbb\xbf";

static void add_error(yyjson_mut_doc *doc, yyjson_mut_val *root, const GError *error)
{
    yyjson_mut_val *object;

    if (error == NULL) {
        yyjson_mut_obj_add_null(doc, root, "error");
        return;
    }
    object = yyjson_mut_obj_add_obj(doc, root, "error");
    admin_json_add_string(doc, object, "message", error->message);
    admin_json_add_string(doc, object, "details", mk_error_name(mk_error_code(error)));
}

static void add_result(yyjson_mut_doc *doc, yyjson_mut_val *root, const char *json)
{
    if (json == NULL)
        yyjson_mut_obj_add_null(doc, root, "result");
    else
        yyjson_mut_obj_add_val(doc, root, "result", yyjson_mut_raw(doc, json));
}

GBytes *admin_envelope_format(const Envelope *e, bool with_bom)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    GByteArray *out = g_byte_array_new();
    size_t length = 0;
    char *text;

    yyjson_mut_doc_set_root(doc, root);
    add_error(doc, root, e->error);
    admin_json_add_string(doc, root, "token", e->token);
    admin_json_add_number(doc, root, "statusVersion", (int64_t) e->version);
    admin_json_add_string(doc, root, "statusCode", e->code);
    if (e->percent < 0)
        yyjson_mut_obj_add_null(doc, root, "percentProgress");
    else
        admin_json_add_number(doc, root, "percentProgress", e->percent);
    admin_json_add_string(doc, root, "statusText", e->status_text);
    add_result(doc, root, e->result_json);
    admin_json_add_string(doc, root, "logOutput", e->log);
    text = yyjson_mut_write(doc, 0, &length);
    g_assert(text != NULL);
    if (with_bom)
        g_byte_array_append(out, (const uint8_t *) byte_order_mark, strlen(byte_order_mark));
    g_byte_array_append(out, (const uint8_t *) text, (guint) length);
    free(text);
    yyjson_mut_doc_free(doc);
    return g_byte_array_free_to_bytes(out);
}

MkHttpResponse *admin_envelope_response(unsigned status, GBytes *body)
{
    MkHttpResponse *response = mk_http_response_new(status);
    char expires[32];

    mk_http_format_date(mk_clock_unix_ms() - 86400000, expires);
    mk_http_response_header(response, "Pragma", "no-cache");
    mk_http_response_header(response, "Cache-Control",
                            "no-cache,private,no-store,must-revalidate,max-stale=0,post-check=0,"
                            "pre-check=0");
    mk_http_response_header(response, "Expires", expires);
    mk_http_response_header(response, "X-Content-Type-Options", "nosniff");
    mk_http_response_body(response, "application/json", body);
    return response;
}

void admin_envelope_respond(MkHttpRequest *request, const Envelope *envelope, bool with_bom)
{
    g_autoptr(GBytes) body = admin_envelope_format(envelope, with_bom);

    mk_http_respond(request, admin_envelope_response(200, body));
}

char *admin_result_to_json(const Call *call)
{
    char *text;
    char *copy;

    if (call->result == NULL)
        return NULL;
    yyjson_mut_doc_set_root(call->doc, call->result);
    text = yyjson_mut_write(call->doc, 0, NULL);
    g_assert(text != NULL); /* json.c lets only UTF-8 in */
    copy = g_strdup(text);
    free(text);
    return copy;
}

void admin_envelope_respond_call(MkHttpRequest *request, const Call *call, bool with_bom)
{
    g_autofree char *json = call->error == NULL ? admin_result_to_json(call) : NULL;
    Envelope envelope = {
        .error = call->error,
        .version = 2,
        .code = call->error == NULL ? "succeeded" : "failed",
        .percent = -1,
        .result_json = json,
    };

    admin_envelope_respond(request, &envelope, with_bom);
}

void admin_envelope_respond_error(MkHttpRequest *request, const GError *error, bool with_bom)
{
    Envelope envelope = { .error = error, .version = 2, .code = "failed", .percent = -1 };

    admin_envelope_respond(request, &envelope, with_bom);
}
