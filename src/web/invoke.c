/*
 * invoke.c - the Administration API's table under the privileges of a web user
 */
#include <string.h>

#include "internal.h"

/* "/api/v1/invoke/GetUsers" -> "invoke/GetUsers" */
void web_invoke_finish(WebCall *call)
{
    static const char prefix[] = "/api/v1/";
    g_autofree char *action = g_strdup(mk_http_path(call->request) + strlen(prefix));

    mk_admin_invoke(call->web->admin, call->request, call->principal, action, false);
}
