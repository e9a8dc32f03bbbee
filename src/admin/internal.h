/*
 * internal.h - a function of the Administration API: its row, its call, its operation
 */
#ifndef MK_ADMIN_INTERNAL_H
#define MK_ADMIN_INTERNAL_H

#include <mailkeep/admin.h>

#include <stdbool.h>
#include <stdint.h>

#include <yyjson.h>

#define ARGUMENTS_MAX 32

typedef enum { ARG_STRING, ARG_NUMBER, ARG_BOOL, ARG_JSON } ArgumentType;

typedef struct {
    const char *name; /* NULL ends the list */
    ArgumentType type;
    bool nullable; /* may be left out */
} Argument;

typedef struct Call Call;
typedef struct Operation Operation;

/* Runs on a lane. False with @error: the call fails. The answer goes into call->result. */
typedef bool (*Handler)(Call *call, GError **error);

typedef enum { FOR_ADMINS, FOR_USERS } Audience;

typedef struct {
    const char *name;
    Handler handler;
    Audience audience;
    bool is_long; /* bulk lane, token, progress */
    Argument arguments[ARGUMENTS_MAX];
} Function;

/* -- table.c ------------------------------------------------------------------------------ */
const Function *admin_function_find(const char *name);
/* The next row, NULL at the end; *@at starts at 0. Ordered by name. */
const Function *admin_function_next(size_t *at);
/* One of the original's functions that this version does not have. */
bool admin_function_is_unavailable(const char *name);
/* The unavailable ones, NULL-terminated. */
const char *const *admin_functions_unavailable(void);

/* -- call.c ------------------------------------------------------------------------------ */
struct Call {
    MkAdmin *admin;
    const Function *function;
    MkPrincipal *principal; /* a reference */
    GHashTable *arguments;  /* char * -> char *, checked against the row */
    Operation *operation;   /* a reference; NULL for short functions */
    yyjson_mut_doc *doc;    /* the result's memory */
    yyjson_mut_val *result; /* NULL = null */
    GError *error;
    Handler then; /* on the loop, after a handler that set it has succeeded; short functions only */
};
/* Checks names, presence and types: "Missing API argument userName." Takes @arguments. */
Call *admin_call_new(MkAdmin *admin, const Function *function, MkPrincipal *principal,
                     GHashTable *arguments, GError **error);
void admin_call_free(Call *call);
/* A function's or argument's name as it came, for an error; another text when it cannot be one. */
const char *admin_name_shown(const char *name);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Call, admin_call_free)
/* Runs the handler; keeps its error in the call. */
void admin_call_run(Call *call);

const char *admin_call_string(const Call *call, const char *name); /* NULL when left out */
const char *admin_call_text(const Call *call, const char *name);   /* NULL also when empty */
int64_t admin_call_number(const Call *call, const char *name, int64_t otherwise);
bool admin_call_bool(const Call *call, const char *name, bool otherwise);
/* "a, b" -> { "a", "b", NULL }; left out or "" -> { NULL } */
char **admin_call_list(const Call *call, const char *name);
MkArchive *admin_call_archive(const Call *call);

/* -- json.c: small helpers over yyjson's mutable documents ------------------------------------ */
/* The strings are copied; NULL becomes null. */
void admin_json_add_string(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key,
                           const char *text);
void admin_json_add_number(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key,
                           int64_t number);
void admin_json_add_bool(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, bool value);
/* YYYY-MM-DDThh:mm:ss in UTC */
void admin_json_add_time(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key,
                         int64_t unix_ms);
void admin_json_add_list(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key,
                         const char *const *texts);
/* "a,b" as a list; "none" as an empty one */
void admin_json_add_names(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key,
                          const char *joined);

/* -- envelope.c --------------------------------------------------------------------------- */
typedef struct {
    const GError *error;
    const char *token;
    uint64_t version;
    const char *code;        /* "succeeded", "failed", "running", "cancelled" */
    int percent;             /* below 0 = null */
    const char *status_text; /* or NULL */
    const char *result_json; /* or NULL */
    const char *log;         /* or NULL */
} Envelope;
GBytes *admin_envelope_format(const Envelope *envelope, bool with_bom);
/* The headers of AD-07 and the body. */
MkHttpResponse *admin_envelope_response(unsigned status, GBytes *body);
void admin_envelope_respond(MkHttpRequest *request, const Envelope *envelope, bool with_bom);
/* A short call that ended. */
void admin_envelope_respond_call(MkHttpRequest *request, const Call *call, bool with_bom);
void admin_envelope_respond_error(MkHttpRequest *request, const GError *error, bool with_bom);
char *admin_result_to_json(const Call *call); /* NULL for null */

/* -- metadata.c --------------------------------------------------------------------------- */
char *admin_metadata_json(void);

/* -- operation.c: long-running calls -------------------------------------------------------- */
typedef struct Operations Operations;
Operations *admin_operations_new(MkLoop *loop);
/* Starts @call (taken) on the bulk lane and answers with its first status. [loop] */
void admin_operations_start(Operations *operations, Call *call, MkHttpRequest *request,
                            bool with_bom);
/* get-status and cancel-async. An unknown token, or another user's: 404. [loop] */
void admin_operations_status(Operations *operations, MkHttpRequest *request,
                             const MkPrincipal *principal, GHashTable *arguments, bool with_bom);
void admin_operations_cancel(Operations *operations, MkHttpRequest *request,
                             const MkPrincipal *principal, GHashTable *arguments, bool with_bom);
/* Cancels all, answers all that wait. */
void admin_operations_stop(Operations *operations);
bool admin_operations_is_idle(const Operations *operations);
void admin_operations_free(Operations *operations);
/* From the handler's lane: @text may be NULL; a log line gets its CRLF here. */
void admin_operation_progress(Operation *operation, unsigned percent, const char *text);
void admin_operation_log(Operation *operation, const char *line);
bool admin_operation_is_cancelled(const Operation *operation);
/* A MkProgressFunc whose cookie is the operation. */
bool admin_operation_on_progress(unsigned percent, const char *text, void *operation);

/* -- server.c ----------------------------------------------------------------------------- */
struct MkAdmin {
    MkLoop *loop;
    MkArchive *archive;
    const MkSettings *settings;
    Operations *operations;
    MkAdminCertificateFunc on_certificate; /* NULL: nobody waits for it */
    void *machine_cookie;
    int64_t started_unix_ms;
    unsigned running; /* jobs and requests under way */
    bool stopping;
};

/* -- the handlers, a file a subject ---------------------------------------------------------- */
bool fn_create_user(Call *call, GError **error);
bool fn_delete_user(Call *call, GError **error);
bool fn_rename_user(Call *call, GError **error);
bool fn_get_users(Call *call, GError **error);
bool fn_get_user_info(Call *call, GError **error);
bool fn_reset_user_two_factor(Call *call, GError **error);
bool fn_get_user_overview(Call *call, GError **error);
bool fn_set_user_full_name(Call *call, GError **error);
bool fn_set_user_distinguished_name(Call *call, GError **error);
bool fn_set_user_authentication(Call *call, GError **error);
bool fn_set_user_email_addresses(Call *call, GError **error);
bool fn_set_user_pop3_user_names(Call *call, GError **error);
bool fn_set_user_privileges(Call *call, GError **error);
bool fn_set_user_password(Call *call, GError **error);
bool fn_set_user_privileges_on_folder(Call *call, GError **error);
bool fn_clear_user_privileges_on_folders(Call *call, GError **error);

bool fn_get_child_folders(Call *call, GError **error);
bool fn_get_messages(Call *call, GError **error);
bool fn_get_folder_statistics(Call *call, GError **error);

bool fn_get_stores(Call *call, GError **error);
bool fn_verify_store(Call *call, GError **error);
bool fn_verify_stores(Call *call, GError **error);

bool fn_get_store_indexes(Call *call, GError **error);
bool fn_select_all_store_indexes_for_rebuild(Call *call, GError **error);
bool fn_rebuild_selected_store_indexes(Call *call, GError **error);
bool fn_rebuild_store_index(Call *call, GError **error);
bool fn_get_index_settings(Call *call, GError **error);
bool fn_set_index_settings(Call *call, GError **error);

bool fn_get_saved_searches(Call *call, GError **error);
bool fn_set_saved_search(Call *call, GError **error);
bool fn_delete_saved_search(Call *call, GError **error);

bool fn_get_dashboard(Call *call, GError **error);

bool fn_get_server_info(Call *call, GError **error);
bool fn_get_version(Call *call, GError **error);
bool fn_get_active_sessions(Call *call, GError **error);
bool fn_get_time_zones(Call *call, GError **error);
bool fn_get_service_configuration(Call *call, GError **error);

bool fn_get_certificate(Call *call, GError **error);
bool fn_set_certificate(Call *call, GError **error);
bool fn_create_self_signed_certificate(Call *call, GError **error);
bool fn_get_machine_settings(Call *call, GError **error);
bool fn_set_machine_settings(Call *call, GError **error);

bool fn_search_messages(Call *call, GError **error);
bool fn_get_message_content(Call *call, GError **error);
bool fn_get_message_arrivals(Call *call, GError **error);
bool fn_get_message_report(Call *call, GError **error);

bool fn_get_smtp_settings(Call *call, GError **error);
bool fn_set_smtp_settings(Call *call, GError **error);
bool fn_test_smtp_settings(Call *call, GError **error);

bool fn_get_gateway_mailboxes(Call *call, GError **error);
bool fn_create_gateway_mailbox(Call *call, GError **error);
bool fn_set_gateway_mailbox_status(Call *call, GError **error);
bool fn_delete_gateway_mailbox(Call *call, GError **error);

#endif
