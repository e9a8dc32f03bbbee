/*
 * redirect.c - the plain port: to HTTPS, nothing else
 *
 * The host is the configured one and never what the client says. A changing request is refused
 * rather than redirected: what was in it has gone over the wire in clear already (spec C1).
 */
#include <string.h>

#include "internal.h"

static char *location(const MkHttpRequest *request, const MkWebRedirect *redirect)
{
    g_autofree char *path = g_uri_escape_string(mk_http_path(request), "/:@!$&'()*+,;=", FALSE);
    g_autofree char *port =
        redirect->https_port == 443 ? g_strdup("") : g_strdup_printf(":%u", redirect->https_port);

    return g_strconcat("https://", redirect->hostname, port, path, NULL);
}

static bool may_redirect(const MkHttpRequest *request, const MkWebRedirect *redirect)
{
    const char *method = mk_http_method(request);

    return redirect->https_port != 0 && mk_http_path(request)[0] == '/' &&
           (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0);
}

void mk_web_redirect(MkHttpRequest *request, void *cookie)
{
    const MkWebRedirect *redirect = cookie;

    web_add_security_headers(request);
    if (!may_redirect(request, redirect)) {
        web_respond_problem(request, 403, mk_error_name(MK_ERROR_DENIED),
                            "This port only redirects; use HTTPS.", NULL, NULL);
        return;
    }
    MkHttpResponse *response = mk_http_response_new(308);
    g_autofree char *target = location(request, redirect);
    mk_http_response_header(response, "Location", target);
    mk_http_respond(request, response);
}
