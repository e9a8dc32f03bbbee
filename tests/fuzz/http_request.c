/*
 * http_request.c - any octets, cut anywhere, through the request parser and its accessors
 *
 * Property: the first octet gives the size of the pieces; a request must come out the same as in
 * one piece.
 */
#include <stdlib.h>
#include <string.h>

#include "http/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static MkHttpRequest *parse(const uint8_t *data, size_t size, size_t step, unsigned *out_status)
{
    g_autoptr(MkHttpParser) parser = mk_http_parser_new();
    MkHttpParse state = MK_HTTP_PARSE_IDLE;

    *out_status = 0;
    for (size_t at = 0; at < size && state < MK_HTTP_PARSE_DONE;) {
        size_t used = 0;
        state = mk_http_parser_feed(parser, data + at, MIN(step, size - at), &used);
        at += used;
    }
    if (state == MK_HTTP_PARSE_DONE)
        return mk_http_parser_take(parser);
    *out_status = state == MK_HTTP_PARSE_FAILED ? mk_http_parser_status(parser) : 0;
    return NULL;
}

static void ask(const MkHttpRequest *request)
{
    char *user = NULL;
    char *password = NULL;

    if (!g_utf8_validate(mk_http_path(request), -1, NULL))
        abort();
    if (mk_http_basic(request, &user, &password) && strchr(user, ':') != NULL)
        abort();
    g_free(user);
    g_free(password);
    g_free(mk_http_cookie(request, "mk_session"));
    gsize length = 0;
    const char *body = g_bytes_get_data(mk_http_body(request), &length);
    GHashTable *form = mk_http_parse_form(body, length, NULL);
    if (form != NULL)
        g_hash_table_unref(form);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    unsigned whole_status = 0;
    unsigned cut_status = 0;
    g_autoptr(MkHttpRequest) whole = parse(data + 1, size - 1, size, &whole_status);
    g_autoptr(MkHttpRequest) cut = parse(data + 1, size - 1, data[0] + 1u, &cut_status);

    if ((whole == NULL) != (cut == NULL))
        abort();
    if (whole != NULL) {
        ask(whole);
        if (strcmp(mk_http_path(whole), mk_http_path(cut)) != 0 ||
            !g_bytes_equal(mk_http_body(whole), mk_http_body(cut)))
            abort();
    }
    return 0;
}
