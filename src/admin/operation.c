/*
 * operation.c - long-running calls: token, progress, waiting for news, cancelling
 *
 *  RUNNING --handler returns [operation_done]--> SUCCEEDED | FAILED | CANCELLED --1 h--> gone
 *
 * The lane writes progress and log under the operation's lock; the loop reads them there, and is
 * woken by one post at a time. statusVersion rises with every change (AD-11). Each log line
 * remembers the version that brought it, so that every client gets just what is new to it.
 * References: one of the table, one of the running call, one of a post under way.
 */
#include <pthread.h>
#include <string.h>

#include <mailkeep/limits.h>

#include "internal.h"

#define TOKEN_BYTES 16      /* 32 hex digits (AD-09) */
#define LOG_LINES_MAX 10000 /* the oldest go first */
#define DEFAULT_WAIT_MS 0

typedef struct {
    uint64_t version;
    char *text; /* with CRLF */
} LogLine;

typedef struct {
    Operation *operation; /* a reference */
    MkHttpRequest *request;
    uint64_t known_version;
    bool with_bom;
    MkTimer *timer;
} Waiter;

struct Operation {
    int refs; /* atomic */
    Operations *all;
    char token[2 * TOKEN_BYTES + 1];
    uint32_t user_id;
    Call *call;         /* until it ends */
    MkJob *job;         /* until it ends */
    GPtrArray *waiters; /* loop only */
    int cancelled;      /* atomic */
    int posted;         /* atomic: a wake-up is under way */

    pthread_mutex_t lock; /* guards what follows */
    uint64_t version;
    bool ended;
    const char *code;
    int percent;
    char *status_text;
    GPtrArray *log;
    char *result_json;
    GError *error;
    int64_t ended_ms;
};

struct Operations {
    MkLoop *loop;
    GHashTable *by_token; /* char * (in the operation) -> Operation * */
    unsigned running;
    unsigned posts; /* wake-ups under way: counted on the loop and the lanes, atomic */
    bool stopping;
};

typedef struct {
    MkJob job;
    Operation *operation;
} OperationJob;

static void log_line_free(gpointer data)
{
    LogLine *line = data;

    g_free(line->text);
    g_free(line);
}

static Operation *operation_ref(Operation *operation)
{
    g_atomic_int_inc(&operation->refs);
    return operation;
}

static void operation_unref(gpointer data)
{
    Operation *operation = data;

    if (!g_atomic_int_dec_and_test(&operation->refs))
        return;
    g_assert(operation->call == NULL && operation->waiters->len == 0);
    g_ptr_array_unref(operation->waiters);
    g_ptr_array_unref(operation->log);
    pthread_mutex_destroy(&operation->lock);
    g_free(operation->status_text);
    g_free(operation->result_json);
    g_clear_error(&operation->error);
    g_free(operation);
}

/* -- status ------------------------------------------------------------------------------- */

static char *log_since(const Operation *operation, uint64_t known_version)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < operation->log->len; i++) {
        const LogLine *line = operation->log->pdata[i];

        if (line->version > known_version)
            g_string_append(text, line->text);
    }
    return g_string_free(text, text->len == 0);
}

static void respond_status(Operation *operation, MkHttpRequest *request, uint64_t known_version,
                           bool with_bom)
{
    g_autofree char *log = NULL;
    g_autoptr(GBytes) body = NULL;
    Envelope e;

    pthread_mutex_lock(&operation->lock);
    log = log_since(operation, known_version);
    e = (Envelope){
        .error = operation->error,
        .token = operation->ended ? NULL : operation->token,
        .version = operation->version,
        .code = operation->code,
        .percent = operation->ended ? -1 : operation->percent,
        .status_text = operation->ended ? NULL : operation->status_text,
        .result_json = operation->result_json,
        .log = log,
    };
    body = admin_envelope_format(&e, with_bom);
    pthread_mutex_unlock(&operation->lock);
    mk_http_respond(request, admin_envelope_response(200, body));
}

/* Takes the waiter out of its list and answers. */
static void waiter_answer(Waiter *waiter)
{
    Operation *operation = waiter->operation;

    mk_http_set_on_gone(waiter->request, NULL, NULL);
    g_ptr_array_remove_fast(operation->waiters, waiter);
    respond_status(operation, waiter->request, waiter->known_version, waiter->with_bom);
    mk_timer_free(waiter->timer);
    g_free(waiter);
    operation_unref(operation);
}

static void on_wait_over(void *cookie)
{
    waiter_answer(cookie);
}

static uint64_t current_version(Operation *operation)
{
    uint64_t version;

    pthread_mutex_lock(&operation->lock);
    version = operation->version;
    pthread_mutex_unlock(&operation->lock);
    return version;
}

static void answer_waiters(Operation *operation)
{
    uint64_t version = current_version(operation);

    for (guint i = operation->waiters->len; i-- > 0;) {
        Waiter *waiter = operation->waiters->pdata[i];

        if (waiter->known_version < version)
            waiter_answer(waiter);
    }
}

static void on_news(void *cookie)
{
    Operation *operation = cookie;

    g_atomic_int_set(&operation->posted, 0);
    answer_waiters(operation);
    g_atomic_int_add((int *) &operation->all->posts, -1);
    operation_unref(operation);
}

static void wake_loop(Operation *operation)
{
    if (!g_atomic_int_compare_and_exchange(&operation->posted, 0, 1))
        return;
    g_atomic_int_inc((int *) &operation->all->posts);
    mk_loop_post(operation->all->loop, on_news, operation_ref(operation));
}

/* -- the lane's side ------------------------------------------------------------------------ */

void admin_operation_log(Operation *operation, const char *line)
{
    LogLine *entry = g_new0(LogLine, 1);

    entry->text = g_strconcat(line, "\r\n", NULL);
    pthread_mutex_lock(&operation->lock);
    entry->version = ++operation->version;
    if (operation->log->len >= LOG_LINES_MAX)
        g_ptr_array_remove_index(operation->log, 0);
    g_ptr_array_add(operation->log, entry);
    pthread_mutex_unlock(&operation->lock);
    wake_loop(operation);
}

void admin_operation_progress(Operation *operation, unsigned percent, const char *text)
{
    bool changed;

    percent = MIN(percent, 100);
    pthread_mutex_lock(&operation->lock);
    changed = (int) percent != operation->percent || g_strcmp0(text, operation->status_text) != 0;
    if (changed) {
        operation->version++;
        operation->percent = (int) percent;
        g_free(operation->status_text);
        operation->status_text = g_strdup(text);
    }
    pthread_mutex_unlock(&operation->lock);
    if (changed)
        wake_loop(operation);
}

bool admin_operation_is_cancelled(const Operation *operation)
{
    return g_atomic_int_get(&operation->cancelled) != 0;
}

bool admin_operation_on_progress(unsigned percent, const char *text, void *cookie)
{
    admin_operation_progress(cookie, percent, text);
    return !admin_operation_is_cancelled(cookie);
}

static void operation_run(MkJob *job)
{
    admin_call_run(((OperationJob *) job)->operation->call);
}

static void operation_done(MkJob *job)
{
    OperationJob *mine = (OperationJob *) job;
    Operation *operation = mine->operation;
    Call *call = g_steal_pointer(&operation->call);

    if (!job->ran && call->error == NULL)
        mk_fail(&call->error, MK_ERROR_CANCELLED, "The operation was cancelled.");
    pthread_mutex_lock(&operation->lock);
    operation->ended = true;
    operation->ended_ms = mk_clock_monotonic_ms();
    operation->version++;
    operation->error = g_steal_pointer(&call->error);
    if (operation->error == NULL)
        operation->result_json = admin_result_to_json(call);
    operation->code = operation->error == NULL                                ? "succeeded"
                      : mk_error_code(operation->error) == MK_ERROR_CANCELLED ? "cancelled"
                                                                              : "failed";
    operation->job = NULL;
    pthread_mutex_unlock(&operation->lock);
    operation->all->running--;
    admin_call_free(call);
    answer_waiters(operation);
    operation_unref(operation);
    g_free(mine);
}

/* -- the loop's side ---------------------------------------------------------------------- */

Operations *admin_operations_new(MkLoop *loop)
{
    Operations *operations = g_new0(Operations, 1);

    operations->loop = loop;
    operations->by_token = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, operation_unref);
    return operations;
}

static gboolean is_outdated(gpointer key, gpointer value, gpointer now)
{
    const Operation *operation = value;

    (void) key;
    return operation->ended &&
           *(const int64_t *) now - operation->ended_ms > MK_LIMIT_OPERATION_KEEP_MS;
}

/* Scripts may run more in an hour than are kept: the one that ended first makes room. */
static void drop_oldest_ended(Operations *operations)
{
    Operation *oldest = NULL;
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, operations->by_token);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Operation *operation = value;

        if (operation->ended && (oldest == NULL || operation->ended_ms < oldest->ended_ms))
            oldest = operation;
    }
    if (oldest != NULL)
        g_hash_table_remove(operations->by_token, oldest->token);
}

static bool has_room(Operations *operations, GError **error)
{
    int64_t now = mk_clock_monotonic_ms();

    if (operations->stopping)
        return mk_fail(error, MK_ERROR_CANCELLED, "The server is stopping.");
    g_hash_table_foreach_remove(operations->by_token, is_outdated, &now);
    if (g_hash_table_size(operations->by_token) >= MK_LIMIT_OPERATIONS)
        drop_oldest_ended(operations);
    if (g_hash_table_size(operations->by_token) >= MK_LIMIT_OPERATIONS)
        return mk_fail(error, MK_ERROR_BUSY, "Too many operations; try again later.");
    return true;
}

static Operation *operation_new(Operations *operations, Call *call)
{
    Operation *operation = g_new0(Operation, 1);

    operation->refs = 1;
    operation->all = operations;
    mk_id_random_hex(operation->token, TOKEN_BYTES);
    operation->user_id = mk_principal_user_id(call->principal);
    operation->waiters = g_ptr_array_new();
    operation->log = g_ptr_array_new_with_free_func(log_line_free);
    pthread_mutex_init(&operation->lock, NULL);
    operation->version = 1;
    operation->code = "running";
    operation->call = call;
    call->operation = operation;
    return operation;
}

void admin_operations_start(Operations *operations, Call *call, MkHttpRequest *request,
                            bool with_bom)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *line = NULL;
    OperationJob *job;
    Operation *operation;

    if (!has_room(operations, &error)) {
        admin_envelope_respond_error(request, error, with_bom);
        admin_call_free(call);
        return;
    }
    operation = operation_new(operations, call);
    g_hash_table_insert(operations->by_token, operation->token, operation);
    line = g_strdup_printf("%s has started.", call->function->name);
    admin_operation_log(operation, line);
    /* Answered before the job is queued: the first status is always "running" (AD-09). */
    respond_status(operation, request, 0, with_bom);
    job = g_new0(OperationJob, 1);
    job->job.run = operation_run;
    job->job.done = operation_done;
    job->operation = operation_ref(operation);
    operation->job = &job->job;
    operations->running++;
    if (!mk_job_submit(operations->loop, MK_LANE_OPERATION, &job->job, &call->error))
        operation_done(&job->job);
}

static Operation *operation_of(Operations *operations, const MkPrincipal *principal,
                               GHashTable *arguments)
{
    const char *token = g_hash_table_lookup(arguments, "token");
    Operation *operation = token != NULL ? g_hash_table_lookup(operations->by_token, token) : NULL;

    if (operation == NULL || operation->user_id != mk_principal_user_id(principal))
        return NULL;
    return operation;
}

static void respond_unknown_token(MkHttpRequest *request, bool with_bom)
{
    g_autoptr(GError) error = g_error_new_literal(MK_ERROR, MK_ERROR_NOT_FOUND, "Unknown token.");
    Envelope e = { .error = error, .version = 2, .code = "failed", .percent = -1 };
    g_autoptr(GBytes) body = admin_envelope_format(&e, with_bom);

    mk_http_respond(request, admin_envelope_response(404, body));
}

static uint64_t unsigned_argument(GHashTable *arguments, const char *name, uint64_t otherwise)
{
    const char *text = g_hash_table_lookup(arguments, name);
    uint64_t number;

    if (text == NULL || !g_ascii_string_to_unsigned(text, 10, 0, INT64_MAX, &number, NULL))
        return otherwise;
    return number;
}

static void wait_for_news(Operation *operation, MkHttpRequest *request, uint64_t known_version,
                          uint64_t wait_ms, bool with_bom)
{
    Waiter *waiter = g_new0(Waiter, 1);

    waiter->operation = operation_ref(operation);
    waiter->request = request;
    waiter->known_version = known_version;
    waiter->with_bom = with_bom;
    waiter->timer = mk_timer_new(operation->all->loop, on_wait_over, waiter);
    mk_timer_start(waiter->timer, MIN(wait_ms, MK_LIMIT_STATUS_WAIT_MS));
    mk_http_set_on_gone(request, on_wait_over, waiter); /* nobody waits any more */
    g_ptr_array_add(operation->waiters, waiter);
}

void admin_operations_status(Operations *operations, MkHttpRequest *request,
                             const MkPrincipal *principal, GHashTable *arguments, bool with_bom)
{
    Operation *operation = operation_of(operations, principal, arguments);
    uint64_t known_version = unsigned_argument(arguments, "lastKnownStatusVersion", 0);
    uint64_t wait_ms = unsigned_argument(arguments, "millisecondsTimeout", DEFAULT_WAIT_MS);

    if (operation == NULL) {
        respond_unknown_token(request, with_bom);
        return;
    }
    if (wait_ms == 0 || operation->ended || operations->stopping ||
        current_version(operation) > known_version)
        respond_status(operation, request, known_version, with_bom);
    else
        wait_for_news(operation, request, known_version, wait_ms, with_bom);
}

static void operation_cancel(Operation *operation)
{
    g_atomic_int_set(&operation->cancelled, 1);
    if (operation->job != NULL)
        mk_job_cancel(operation->job);
}

void admin_operations_cancel(Operations *operations, MkHttpRequest *request,
                             const MkPrincipal *principal, GHashTable *arguments, bool with_bom)
{
    Operation *operation = operation_of(operations, principal, arguments);

    if (operation == NULL) {
        respond_unknown_token(request, with_bom);
        return;
    }
    operation_cancel(operation);
    respond_status(operation, request, current_version(operation), with_bom);
}

void admin_operations_stop(Operations *operations)
{
    GHashTableIter iter;
    gpointer value;

    operations->stopping = true;
    g_hash_table_iter_init(&iter, operations->by_token);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Operation *operation = value;

        operation_cancel(operation);
        while (operation->waiters->len > 0)
            waiter_answer(operation->waiters->pdata[0]);
    }
}

bool admin_operations_is_idle(const Operations *operations)
{
    return operations->running == 0 && g_atomic_int_get((const int *) &operations->posts) == 0;
}

void admin_operations_free(Operations *operations)
{
    if (operations == NULL)
        return;
    g_hash_table_unref(operations->by_token);
    g_free(operations);
}
