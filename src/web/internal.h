/*
 * internal.h - a call of the web API: its route, who makes it, what it asks and gets
 *
 *   web.c       from request to call: route, login, CSRF; jobs; the end
 *   routes.c    the table of all routes, and which one a path means
 *   session.c   web sessions: tokens, their end
 *   answer.c    JSON, downloads and errors as answers; the fields of every answer
 *   json.c      values in and out, always valid UTF-8
 *   budget.c    how many octets of mails may wait for slow readers
 *   hit.c       a mail in a list
 *   eml_name.c  a file name for a mail
 *   login.c, account.c, folders.c, find.c, saved.c, message.c, download.c, preview.c, arrivals.c,
 *   invoke.c, restore.c, zip.c: the routes
 *   assets.c    the web application's files, from memory
 *   redirect.c  the plain port
 *   setup.h     the first start, which has calls of its own
 */
#ifndef MK_WEB_INTERNAL_H
#define MK_WEB_INTERNAL_H

#include <mailkeep/web.h>

#include <yyjson.h>

#include <mailkeep/crypto.h>
#include <mailkeep/smtp_client.h>

#define WEB_COOKIE "mk_session"

/* -- session.c ------------------------------------------------------------------------------- */
#define WEB_TOKEN_CHARS 64 /* 256 bits in hex */
#define WEB_CSRF_CHARS 64

typedef struct {
    MkHash key;  /* of the token; the token itself is known to the client alone */
    char id[24]; /* for the list of sessions; no secret */
    char csrf[WEB_CSRF_CHARS + 1];
    MkPrincipal *principal;
    int64_t since_unix_ms;
    char peer_address[64]; /* at the login; for the user's own list */
    int64_t last_ms;       /* monotonic */
} WebSession;

typedef struct WebSessions WebSessions;
typedef void (*WebSessionEnd)(const WebSession *session, void *cookie);
/* @on_end hears of each session that ends in any way. */
WebSessions *web_sessions_new(size_t max, WebSessionEnd on_end, void *cookie);
void web_sessions_free(WebSessions *sessions);
/*
 * A new session of @principal (a reference is taken). NULL with MK_ERROR_BUSY when there are too
 * many; the least used of a user's own gives way beyond MK_LIMIT_SESSIONS_PER_USER.
 */
WebSession *web_sessions_add(WebSessions *sessions, MkPrincipal *principal, int64_t now_ms,
                             char out_token[WEB_TOKEN_CHARS + 1], GError **error);
/* NULL: unknown or over. Borrowed until the next call. Counts as use. */
WebSession *web_sessions_find(WebSessions *sessions, const char *token, int64_t now_ms);
void web_sessions_end(WebSessions *sessions, WebSession *session);
/* All sessions of a user, borrowed, the oldest first. */
GPtrArray *web_sessions_of(WebSessions *sessions, uint32_t user_id);
void web_sessions_expire(WebSessions *sessions, int64_t now_ms);
size_t web_sessions_count(const WebSessions *sessions);

/* -- budget.c -------------------------------------------------------------------------------- */
typedef struct WebBudget WebBudget;
WebBudget *web_budget_new(uint64_t max_bytes);
void web_budget_unref(WebBudget *budget);
/* MK_ERROR_BUSY when @size does not fit; one that is alone always does. Any thread. */
bool web_budget_take(WebBudget *budget, uint64_t size, GError **error);
void web_budget_give(WebBudget *budget, uint64_t size);
/* The same octets; when the last reference goes, @size is given back. Takes @bytes. */
GBytes *web_budget_wrap(WebBudget *budget, GBytes *bytes, uint64_t size);

/* -- restore.c: mails being sent, and how many a user has sent [loop] --------------------------- */
typedef struct WebRestores WebRestores;
WebRestores *web_restores_new(void);
void web_restores_expire(WebRestores *restores, int64_t now_ms);
/* Cuts off what is being sent and answers those who wait. */
void web_restores_cancel(WebRestores *restores);
void web_restores_free(WebRestores *restores);

/* -- a call ---------------------------------------------------------------------------------- */
struct MkWeb {
    unsigned refs; /* the owner, and each call */
    MkLoop *loop;
    MkArchive *archive;
    MkAdmin *admin;
    WebSessions *sessions;
    WebBudget *budget;
    WebRestores *restores;
    MkTimer *expiry;
    unsigned call_count;
    bool stopping;
};

/* For what goes on behind a call's answer: a reference, and counted as a call until the release. */
MkWeb *web_hold(MkWeb *web);
void web_release(MkWeb *web);

typedef struct WebCall WebCall;

typedef struct {
    const char *method;
    const char *pattern; /* "{}" is any one segment: call->segments */
    bool needs_login;
    bool changes_state; /* with a cookie the CSRF token must come along */
    /* On the loop: from the request to call's own fields. May be NULL. */
    bool (*read)(WebCall *call, GError **error);
    /* On the interactive lane. May be NULL. */
    bool (*run)(WebCall *call, GError **error);
    /* On the loop, after both: answers the request. NULL: what run() left in `out`. */
    void (*finish)(WebCall *call);
} WebRoute;

#define WEB_SEGMENTS_MAX 3

struct WebCall {
    MkJob job; /* first member */
    /* loop only */
    MkWeb *web;
    MkHttpRequest *request;
    WebSession *session; /* borrowed, and only until the job is submitted */
    GError *read_error;  /* told only to those who may log in */
    /* in: set before the job, constant from then on */
    const WebRoute *route;
    MkArchive *archive;
    WebBudget *budget;
    char *segments[WEB_SEGMENTS_MAX];
    char *peer_address;
    char *user_name; /* to log in with: HTTP Basic, or POST session */
    char *password;  /* the same, or the present one asked for again */
    char *code;      /* of two-factor sign-in */
    char *new_password;
    bool is_basic;
    MkMailId id;
    unsigned number;
    unsigned page;         /* of an attachment */
    GHashTable *arguments; /* char * -> char *, for searches; the job adds what has been saved */
    char *name;            /* of a saved search or an app password; whom a mail is restored to */
    char *criteria;        /* of a saved search, as JSON */
    GArray *ids;           /* MkMailId, of a ZIP */
    const char *hostname;  /* our own, in SMTP */
    /* in and out: set before the job for a session, by the job for a login */
    MkPrincipal *principal;
    /* out: written on the lane, read on the loop */
    GError *error;
    unsigned refusal_status; /* how `error` is answered when it is not by its code; 0 = by that */
    const char *refusal_code;
    yyjson_mut_doc *json;
    GBytes *body; /* instead of json: a download */
    const char *body_type;
    char *file_name;
    unsigned page_count; /* of the document of which @body is a page */
    MkSmtpRelay *relay;  /* restore: where @body goes */
    MkHttpBody *pieces;  /* of a ZIP */
    uint64_t pieces_length;
};

/* -- web.c -- */
/* Answers @request as POST session does when these are right. */
void web_log_in(MkWeb *web, MkHttpRequest *request, const char *user_name, const char *password);

/* -- routes.c -------------------------------------------------------------------------------- */
/*
 * The route for @method and @path, its segments in @out_segments (new strings). NULL: *out_allow
 * is NULL when there is no such path, else the methods it knows ("GET, POST"; new string).
 */
const WebRoute *web_route_find(const char *method, const char *path,
                               char *out_segments[WEB_SEGMENTS_MAX], char **out_allow);
const WebRoute *web_routes(size_t *out_count);

/* login.c */
/* Whether the body says that it is JSON: a form on another site cannot. */
bool web_is_json(const WebCall *call);
bool web_is_json_request(const MkHttpRequest *request);
bool web_login_read(WebCall *call, GError **error);
bool web_login_run(WebCall *call, GError **error);
void web_login_finish(WebCall *call);
void web_session_finish(WebCall *call);
void web_logout_finish(WebCall *call);
/*
 * Ends all sessions of the user, and opens one for call->principal. In call->json goes the new
 * CSRF token; answers with both.
 */
void web_renew_finish(WebCall *call);
/* account.c */
bool web_account_read(WebCall *call, GError **error); /* a session, no Basic; no body */
bool web_account_run(WebCall *call, GError **error);
void web_account_finish(WebCall *call);
bool web_account_password_read(WebCall *call, GError **error); /* {"password"} */
bool web_new_password_read(WebCall *call, GError **error);
bool web_new_password_run(WebCall *call, GError **error);
bool web_two_factor_begin_run(WebCall *call, GError **error);
bool web_two_factor_confirm_read(WebCall *call, GError **error);
bool web_two_factor_confirm_run(WebCall *call, GError **error);
bool web_two_factor_off_run(WebCall *call, GError **error);
bool web_recovery_codes_run(WebCall *call, GError **error);
bool web_app_password_create_read(WebCall *call, GError **error);
bool web_app_password_create_run(WebCall *call, GError **error);
bool web_app_password_revoke_read(WebCall *call, GError **error);
bool web_app_password_revoke_run(WebCall *call, GError **error);
void web_sessions_end_finish(WebCall *call); /* all others of the user, or the one in the path */
/* folders.c */
bool web_folders_run(WebCall *call, GError **error);
/* find.c */
bool web_messages_read(WebCall *call, GError **error);
bool web_search_read(WebCall *call, GError **error);
bool web_find_run(WebCall *call, GError **error);
bool web_conversation_read(WebCall *call, GError **error);
bool web_conversation_run(WebCall *call, GError **error);
bool web_suggest_read(WebCall *call, GError **error);
bool web_suggest_run(WebCall *call, GError **error);
/* Of call->arguments; *out stays as it is when the argument is left out. */
bool web_read_number(const WebCall *call, const char *name, guint64 min, guint64 max, guint64 *out,
                     GError **error);
/* hit.c */
/* "in", "out" or "other" by the folder's name */
const char *web_folder_kind(const char *path);
void web_json_found_mail(yyjson_mut_doc *doc, yyjson_mut_val *object, const MkFoundMail *mail);
/* The same with what a search knows beyond. */
void web_json_hit(yyjson_mut_doc *doc, yyjson_mut_val *object, const MkFoundMail *mail,
                  bool is_grouped);
/* [[offset, length], ...] in UTF-16 code units of @ranges, which are MkRange in octets. */
yyjson_mut_val *web_json_ranges(yyjson_mut_doc *doc, const char *text, const GArray *ranges);
/* saved.c */
bool web_saved_list_run(WebCall *call, GError **error);
bool web_saved_put_read(WebCall *call, GError **error);
bool web_saved_put_run(WebCall *call, GError **error);
bool web_saved_delete_read(WebCall *call, GError **error);
bool web_saved_delete_run(WebCall *call, GError **error);
void web_no_content_finish(WebCall *call);
/* Adds the criteria of `saved=<id>` to call->arguments, if that is there. */
bool web_saved_search_apply(WebCall *call, GError **error);
/* message.c */
bool web_mail_read(WebCall *call, GError **error); /* the id; for all routes of one mail */
bool web_message_run(WebCall *call, GError **error);
bool web_headers_run(WebCall *call, GError **error);
/* download.c */
/* For run(): @octets as the answer, within the budget. Takes @octets and @file_name. */
bool web_give_download(WebCall *call, GBytes *octets, const char *type, char *file_name,
                       GError **error);
bool web_raw_run(WebCall *call, GError **error);
bool web_attachment_read(WebCall *call, GError **error);
bool web_attachment_run(WebCall *call, GError **error);
/* preview.c */
bool web_preview_run(WebCall *call, GError **error);
bool web_page_picture_read(WebCall *call, GError **error);
bool web_page_picture_run(WebCall *call, GError **error);
void web_page_picture_finish(WebCall *call);
/* arrivals.c */
bool web_arrivals_run(WebCall *call, GError **error);
bool web_report_read(WebCall *call, GError **error);
bool web_report_run(WebCall *call, GError **error);
/* restore.c */
bool web_restore_read(WebCall *call, GError **error);
bool web_restore_run(WebCall *call, GError **error);
void web_restore_finish(WebCall *call);
/* zip.c */
bool web_zip_read(WebCall *call, GError **error);
bool web_zip_run(WebCall *call, GError **error);
void web_zip_finish(WebCall *call);
/* eml_name.c */
/* A name that is not in @taken (case-folded names), which it is added to. New string. */
char *web_eml_name(const MkFoundMail *mail, GHashTable *taken);
/* invoke.c */
void web_invoke_finish(WebCall *call);
/* assets.c */
void web_page_finish(WebCall *call);
/* Answers when the path is a file or a view of the web application; else false. */
bool web_asset_answer(MkHttpRequest *request);
/* NULL: no such file. Views are the page. */
const struct WebAsset *web_asset_find(const char *path);
bool web_accepts_gzip(const char *accept_encoding);

/* -- answer.c -------------------------------------------------------------------------------- */
/* Added to every answer, whoever makes it. */
void web_add_security_headers(MkHttpRequest *request);
unsigned web_status_of(MkErrorCode code);
void web_respond_error(MkHttpRequest *request, const GError *error);
/* The same for what is not an error of ours. @name, @value: one more field, or NULL. */
void web_respond_problem(MkHttpRequest *request, unsigned status, const char *code,
                         const char *message, const char *name, const char *value);
/* Takes @doc. @cookie: a Set-Cookie field, or NULL. */
void web_respond_json(MkHttpRequest *request, yyjson_mut_doc *doc, const char *cookie);
void web_respond_out(WebCall *call);
/* attachment; filename="..."; filename*=UTF-8''... (RFC 6266, 8187) */
char *web_disposition(const char *file_name);

/* -- json.c ---------------------------------------------------------------------------------- */
/* A document with an object as its root. */
yyjson_mut_doc *web_json_new(yyjson_mut_val **out_root);
/* Copied; what is not UTF-8 becomes U+FFFD. NULL = null. Keys are static. */
void web_json_string(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key,
                     const char *text);
void web_json_octets(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const void *data,
                     size_t length);
/* As ISO 8601 in UTC; 0 = null */
void web_json_date(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, int64_t unix_ms);
yyjson_mut_val *web_json_array(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key);
GBytes *web_json_format(yyjson_mut_doc *doc);
/* Strings of a small JSON object, which *out (new strings) gets. Every other member is ignored. */
typedef struct {
    const char *name;
    size_t max_bytes;
    bool needed; /* else *out stays NULL when it is left out */
    char **out;
} WebMember;
bool web_json_read_strings(GBytes *body, const WebMember *members, size_t count, GError **error);

#endif
