/*
 * routes.c - the table of all routes, and which one a path means
 */
#include <string.h>

#include "internal.h"

#define API "/api/v1/"

/* Stands in docs/protocols/web-api.md in the same order. */
static const WebRoute routes[] = {
    { "GET", "/", false, false, NULL, NULL, web_page_finish },
    { "POST", API "session", false, false, web_login_read, web_login_run, web_login_finish },
    { "GET", API "session", true, false, NULL, NULL, web_session_finish },
    { "DELETE", API "session", true, true, NULL, NULL, web_logout_finish },
    { "GET", API "account", true, false, web_account_read, web_account_run, web_account_finish },
    { "POST", API "account/password", true, true, web_new_password_read, web_new_password_run,
      web_renew_finish },
    { "POST", API "account/two-factor", true, true, web_account_password_read,
      web_two_factor_begin_run, NULL },
    { "POST", API "account/two-factor/confirm", true, true, web_two_factor_confirm_read,
      web_two_factor_confirm_run, web_renew_finish },
    { "POST", API "account/two-factor/off", true, true, web_account_password_read,
      web_two_factor_off_run, web_no_content_finish },
    { "POST", API "account/recovery-codes", true, true, web_account_password_read,
      web_recovery_codes_run, NULL },
    { "POST", API "account/app-passwords", true, true, web_app_password_create_read,
      web_app_password_create_run, NULL },
    { "DELETE", API "account/app-passwords/{}", true, true, web_app_password_revoke_read,
      web_app_password_revoke_run, web_no_content_finish },
    { "DELETE", API "account/sessions", true, true, web_account_read, NULL,
      web_sessions_end_finish },
    { "DELETE", API "account/sessions/{}", true, true, web_account_read, NULL,
      web_sessions_end_finish },
    { "GET", API "folders", true, false, NULL, web_folders_run, NULL },
    { "GET", API "messages", true, false, web_messages_read, web_find_run, NULL },
    { "GET", API "search", true, false, web_search_read, web_find_run, NULL },
    { "GET", API "suggest", true, false, web_suggest_read, web_suggest_run, NULL },
    { "GET", API "saved-searches", true, false, NULL, web_saved_list_run, NULL },
    { "POST", API "saved-searches", true, true, web_saved_put_read, web_saved_put_run, NULL },
    { "PUT", API "saved-searches/{}", true, true, web_saved_put_read, web_saved_put_run, NULL },
    { "DELETE", API "saved-searches/{}", true, true, web_saved_delete_read, web_saved_delete_run,
      web_no_content_finish },
    { "GET", API "messages/zip", true, false, web_zip_read, web_zip_run, web_zip_finish },
    { "GET", API "messages/{}", true, false, web_mail_read, web_message_run, NULL },
    { "GET", API "messages/{}/raw", true, false, web_mail_read, web_raw_run, NULL },
    { "POST", API "messages/{}/restore", true, true, web_restore_read, web_restore_run,
      web_restore_finish },
    { "GET", API "messages/{}/conversation", true, false, web_conversation_read,
      web_conversation_run, NULL },
    { "GET", API "messages/{}/headers", true, false, web_mail_read, web_headers_run, NULL },
    { "GET", API "messages/{}/attachments/{}", true, false, web_attachment_read, web_attachment_run,
      NULL },
    { "GET", API "messages/{}/attachments/{}/text", true, false, web_attachment_read,
      web_preview_run, NULL },
    { "GET", API "messages/{}/attachments/{}/pages/{}", true, false, web_page_picture_read,
      web_page_picture_run, web_page_picture_finish },
    { "GET", API "messages/{}/arrivals", true, false, web_mail_read, web_arrivals_run, NULL },
    { "GET", API "messages/{}/arrivals/{}/report", true, false, web_report_read, web_report_run,
      NULL },
    { "POST", API "invoke/{}", true, true, NULL, NULL, web_invoke_finish },
    { "GET", API "get-metadata", true, false, NULL, NULL, web_invoke_finish },
    { "POST", API "get-metadata", true, true, NULL, NULL, web_invoke_finish },
    { "POST", API "get-status", true, true, NULL, NULL, web_invoke_finish },
    { "POST", API "cancel-async", true, true, NULL, NULL, web_invoke_finish },
};

const WebRoute *web_routes(size_t *out_count)
{
    *out_count = G_N_ELEMENTS(routes);
    return routes;
}

static void clear_segments(char *segments[WEB_SEGMENTS_MAX])
{
    for (size_t i = 0; i < WEB_SEGMENTS_MAX; i++)
        g_clear_pointer(&segments[i], g_free);
}

/* "{}" stands for one segment that is not empty. */
static bool matches(const char *pattern, const char *path, char *segments[WEB_SEGMENTS_MAX])
{
    size_t count = 0;

    while (*pattern != '\0') {
        if (strncmp(pattern, "{}", 2) != 0) {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        size_t length = strcspn(path, "/");
        if (length == 0)
            return false;
        segments[count++] = g_strndup(path, length);
        path += length;
        pattern += 2;
    }
    return *path == '\0';
}

static void allow_add(GString *allow, const char *method)
{
    g_string_append_printf(allow, "%s%s", allow->len > 0 ? ", " : "", method);
    if (strcmp(method, "GET") == 0)
        g_string_append(allow, ", HEAD");
}

const WebRoute *web_route_find(const char *method, const char *path,
                               char *out_segments[WEB_SEGMENTS_MAX], char **out_allow)
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    g_autoptr(GString) allow = g_string_new(NULL);

    *out_allow = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(routes); i++) {
        bool fits = matches(routes[i].pattern, path, out_segments);
        if (fits && strcmp(routes[i].method, wanted) == 0)
            return &routes[i];
        clear_segments(out_segments);
        if (fits)
            allow_add(allow, routes[i].method);
    }
    if (allow->len > 0)
        *out_allow = g_string_free(g_steal_pointer(&allow), FALSE);
    return NULL;
}
