/*
 * restore.c - POST .../restore: a mail of the archive sent to one address (WA-08)
 *
 *   read(): the address --> run(), lane: may it be read; its octets; the settings
 *     --> finish(): is it not too much --> Sending --on_sent--> answer
 *
 * This is no relay: what is sent is a mail that is in the archive and that the user may read, to
 * one address, through the server of the SMTP settings, a bounded number of times. Each one is
 * logged with user and mail. The mail goes on when the browser has gone meanwhile.
 */
#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>
#include <mailkeep/log.h>

#include "internal.h"

#define BODY_MAX 4096

typedef struct {
    int64_t since_ms; /* monotonic */
    unsigned count;
} Window;

struct WebRestores {
    GHashTable *windows; /* user id -> Window * */
    GQueue sendings;     /* Sending *, by their link */
};

typedef struct {
    MkWeb *web; /* a reference, and counted as a call */
    MkHttpRequest *request;
    MkSmtpSend *send;
    MkMailId id;
    uint32_t user_id;
    int64_t began_ms;
    GList link;
} Sending;

WebRestores *web_restores_new(void)
{
    WebRestores *restores = g_new0(WebRestores, 1);

    restores->windows = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    return restores;
}

/* -- how often -------------------------------------------------------------------------------- */
static bool is_over(const Window *window, int64_t now_ms)
{
    return now_ms - window->since_ms >= MK_LIMIT_RESTORE_WINDOW_MS;
}

static gboolean expire_window(void *key, void *window, void *now_ms)
{
    (void) key;
    return is_over(window, *(int64_t *) now_ms);
}

void web_restores_expire(WebRestores *restores, int64_t now_ms)
{
    g_hash_table_foreach_remove(restores->windows, expire_window, &now_ms);
}

static bool take_turn(WebRestores *restores, uint32_t user_id, int64_t now_ms)
{
    Window *window = g_hash_table_lookup(restores->windows, GUINT_TO_POINTER(user_id));

    if (window == NULL || is_over(window, now_ms)) {
        window = g_new0(Window, 1);
        window->since_ms = now_ms;
        g_hash_table_insert(restores->windows, GUINT_TO_POINTER(user_id), window);
    }
    if (window->count >= MK_LIMIT_RESTORES)
        return false;
    window->count++;
    return true;
}

/* -- the request ------------------------------------------------------------------------------ */
static bool read_address(WebCall *call, yyjson_val *root, GError **error)
{
    yyjson_val *to = yyjson_obj_get(root, "to");
    const char *text = yyjson_get_str(to);

    if (text == NULL || strlen(text) != yyjson_get_len(to) || !mk_smtp_address_is_good(text))
        return mk_fail(error, MK_ERROR_INVALID, "to must be one address of the form name@domain.");
    call->name = g_strdup(text);
    return true;
}

bool web_restore_read(WebCall *call, GError **error)
{
    gsize length = 0;
    const char *body = g_bytes_get_data(mk_http_body(call->request), &length);

    if (!web_mail_read(call, error))
        return false;
    if (!web_is_json(call))
        return mk_fail(error, MK_ERROR_INVALID, "Send the Content-Type application/json.");
    if (length > BODY_MAX)
        return mk_fail(error, MK_ERROR_LIMIT, "The body is longer than %d octets.", BODY_MAX);
    yyjson_doc *doc = length > 0 ? yyjson_read(body, length, 0) : NULL;
    bool good = read_address(call, yyjson_doc_get_root(doc), error);
    yyjson_doc_free(doc);
    return good;
}

bool web_restore_run(WebCall *call, GError **error)
{
    GBytes *mail = mk_archive_mail_read(call->archive, call->principal, call->id, error);

    if (mail == NULL)
        return false;
    uint64_t size = g_bytes_get_size(mail);
    if (!web_budget_take(call->budget, size, error)) {
        g_bytes_unref(mail);
        return false;
    }
    call->body = web_budget_wrap(call->budget, mail, size);
    call->relay = mk_smtp_relay_new(call->archive, call->hostname, error);
    return call->relay != NULL;
}

/* -- the answer ------------------------------------------------------------------------------- */
/* What the other server says is no failure of this one, nor of the user's login here. */
static void respond_outcome(MkHttpRequest *request, const GError *error)
{
    MkErrorCode code = mk_error_code(error);
    bool refused = code == MK_ERROR_DENIED || code == MK_ERROR_BUSY || code == MK_ERROR_LIMIT ||
                   code == MK_ERROR_UNSUPPORTED;

    if (error == NULL)
        mk_http_respond(request, mk_http_response_new(204));
    else
        web_respond_problem(request, code == MK_ERROR_TIMEOUT ? 504 : 502,
                            refused ? "refused" : mk_error_name(code), error->message, NULL, NULL);
}

static void log_outcome(const Sending *sending, const MkSmtpOutcome *outcome)
{
    int64_t took_ms = mk_clock_monotonic_ms() - sending->began_ms;
    char id[24];

    mk_mail_id_format(sending->id, id);
    if (outcome->error == NULL)
        mk_log_info("restore.sent", "user", MK_LOG_U64(sending->user_id), "mail", id, "took_ms",
                    MK_LOG_U64(took_ms));
    else
        mk_log_warn("restore.failed", "user", MK_LOG_U64(sending->user_id), "mail", id, "stage",
                    outcome->stage, "code", mk_error_name(mk_error_code(outcome->error)), "reply",
                    MK_LOG_U64(outcome->reply_code));
}

static void sending_free(Sending *sending)
{
    MkWeb *web = sending->web;

    g_queue_unlink(&web->restores->sendings, &sending->link);
    g_free(sending);
    web_release(web);
}

static void on_sent(const MkSmtpOutcome *outcome, void *cookie)
{
    Sending *sending = cookie;

    log_outcome(sending, outcome);
    respond_outcome(sending->request, outcome->error);
    sending_free(sending);
}

void web_restore_finish(WebCall *call)
{
    WebRestores *restores = call->web->restores;
    const char *to[] = { call->name, NULL };
    int64_t now_ms = mk_clock_monotonic_ms();
    uint32_t user_id = mk_principal_user_id(call->principal);

    if (call->web->stopping) {
        web_respond_problem(call->request, 503, mk_error_name(MK_ERROR_CANCELLED),
                            "The server is stopping.", "Retry-After", "10");
    } else if (restores->sendings.length >= MK_LIMIT_SENDS) {
        web_respond_problem(call->request, 503, "busy", "Other mails are being sent; try again.",
                            "Retry-After", "10");
    } else if (!take_turn(restores, user_id, now_ms)) {
        mk_log_warn("restore.too_many", "user", MK_LOG_U64(user_id));
        web_respond_problem(call->request, 429, "busy", "Too many mails were sent; wait a while.",
                            "Retry-After", "600");
    } else {
        Sending *sending = g_new0(Sending, 1);

        sending->web = web_hold(call->web);
        sending->request = call->request;
        sending->id = call->id;
        sending->user_id = user_id;
        sending->began_ms = now_ms;
        sending->link.data = sending;
        g_queue_push_tail_link(&restores->sendings, &sending->link);
        sending->send =
            mk_smtp_send(call->web->loop, call->relay, to, call->body, on_sent, sending);
    }
}

/* -- the end ---------------------------------------------------------------------------------- */
void web_restores_cancel(WebRestores *restores)
{
    while (restores->sendings.head != NULL) {
        Sending *sending = restores->sendings.head->data;

        mk_smtp_send_cancel(sending->send);
        web_respond_problem(sending->request, 503, mk_error_name(MK_ERROR_CANCELLED),
                            "The server is stopping.", "Retry-After", "10");
        sending_free(sending);
    }
}

void web_restores_free(WebRestores *restores)
{
    g_hash_table_unref(restores->windows);
    g_free(restores);
}
