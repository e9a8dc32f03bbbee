/*
 * page.c - GET /: says where the API is, until the web application is here
 */
#include <string.h>

#include "internal.h"

static const char page[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Mailkeep</title></head>\n"
    "<body>\n<h1>Mailkeep</h1>\n<p>This version has no web application yet; "
    "its JSON API is at <code>/api/v1/</code>.</p>\n</body>\n</html>\n";

void web_page_finish(WebCall *call)
{
    MkHttpResponse *response = mk_http_response_new(200);
    g_autoptr(GBytes) body = g_bytes_new_static(page, sizeof page - 1);

    mk_http_response_body(response, "text/html; charset=utf-8", body);
    mk_http_respond(call->request, response);
}
