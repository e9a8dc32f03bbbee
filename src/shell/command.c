/*
 * command.c - what can be typed: commands of the shell and functions of the server
 *
 * A server function runs as `Function --name=value ...` (SH-17): names are case sensitive, a name
 * without value is true. Its result is printed as JSON; a long one shows its log while it runs.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define STATUS_WAIT "5000" /* milliseconds */

typedef int (*ClientCommand)(Connection *connection, char **words, FILE *out);

static int cmd_help(Connection *connection, char **words, FILE *out);
static int cmd_clear(Connection *connection, char **words, FILE *out);
static int cmd_user_list(Connection *connection, char **words, FILE *out);

static const struct {
    const char *name;
    const char *what;
    ClientCommand run;
    bool asks_server;
} client_commands[] = {
    { "clear", "clears the screen", cmd_clear, false },
    { "exit", "ends the shell", NULL, false }, /* interactive.c */
    { "help", "lists all commands and their parameters", cmd_help, true },
    { "user-list", "lists all users", cmd_user_list, true },
};

static int fail(const GError *error)
{
    fprintf(stderr, "mailkeep: %s\n", error->message);
    switch (mk_error_code(error)) {
    case MK_ERROR_AUTH:
    case MK_ERROR_NETWORK:
    case MK_ERROR_TLS:
    case MK_ERROR_TIMEOUT:
    case MK_ERROR_BUSY: /* too many failed logins */ return EXIT_LOGIN;
    case MK_ERROR_INVALID:
    case MK_ERROR_NOT_FOUND:
    case MK_ERROR_EXISTS:
    case MK_ERROR_DENIED:
    case MK_ERROR_LIMIT:
    case MK_ERROR_NO_SPACE:
    case MK_ERROR_IO:
    case MK_ERROR_CORRUPT:
    case MK_ERROR_KEY:
    case MK_ERROR_CANCELLED:
    case MK_ERROR_UNSUPPORTED:
    case MK_ERROR_INTERNAL: return EXIT_COMMAND;
    }
    return EXIT_COMMAND;
}

/* -- server functions ----------------------------------------------------------------------- */

static void form_add(GString *form, const char *name, const char *value)
{
    g_autofree char *n = g_uri_escape_string(name, NULL, FALSE);
    g_autofree char *v = g_uri_escape_string(value, NULL, FALSE);

    g_string_append_printf(form, "%s%s=%s", form->len > 0 ? "&" : "", n, v);
}

/* `--name=value` words to a form; NULL when one is of another shape. */
static GString *form_of(char **words)
{
    GString *form = g_string_new(NULL);

    for (; *words != NULL; words++) {
        g_autofree char *name = NULL;
        const char *equals = strchr(*words, '=');

        if (!g_str_has_prefix(*words, "--") || (*words)[2] == '\0' || equals == *words + 2) {
            fprintf(stderr, "mailkeep: parameters read --name=value, not %.40s\n", *words);
            g_string_free(form, TRUE);
            return NULL;
        }
        name = equals != NULL ? g_strndup(*words + 2, (gsize) (equals - *words - 2))
                              : g_strdup(*words + 2);
        form_add(form, name, equals != NULL ? equals + 1 : "true");
    }
    return form;
}

static const char *string_at(yyjson_val *object, const char *key)
{
    return yyjson_get_str(yyjson_obj_get(object, key));
}

static void print_log(yyjson_val *answer, FILE *out)
{
    const char *log = string_at(answer, "logOutput");

    for (; log != NULL && *log != '\0'; log++)
        if (*log != '\r')
            fputc(*log, out);
    fflush(out);
}

static void print_result(yyjson_val *result, FILE *out)
{
    size_t length;
    char *text;

    if (result == NULL || yyjson_is_null(result))
        return;
    text = yyjson_val_write(result, YYJSON_WRITE_PRETTY, &length);
    if (text != NULL)
        fprintf(out, "%s\n", text);
    free(text);
}

static yyjson_doc *next_status(Connection *connection, yyjson_val *answer, GError **error)
{
    g_autofree char *version = g_strdup_printf(
        "%" G_GUINT64_FORMAT, (guint64) yyjson_get_uint(yyjson_obj_get(answer, "statusVersion")));
    GString *form = g_string_new(NULL);
    yyjson_doc *doc;

    form_add(form, "token", string_at(answer, "token"));
    form_add(form, "lastKnownStatusVersion", version);
    form_add(form, "millisecondsTimeout", STATUS_WAIT);
    doc = connection_post(connection, "get-status", form->str, error);
    g_string_free(form, TRUE);
    return doc;
}

/* What scripts rely on: success is only what says so. */
static int conclude(yyjson_val *answer)
{
    const char *message = string_at(yyjson_obj_get(answer, "error"), "message");

    if (message == NULL && g_strcmp0(string_at(answer, "statusCode"), "succeeded") == 0)
        return EXIT_SUCCESS;
    fprintf(stderr, "mailkeep: %s\n", message != NULL ? message : "the command did not succeed");
    return EXIT_COMMAND;
}

/* Follows a call to its end. Takes @doc. */
static int follow(Connection *connection, yyjson_doc *doc, FILE *out)
{
    g_autoptr(GError) error = NULL;
    yyjson_val *root;
    int status;

    for (;;) {
        yyjson_doc *next;

        root = yyjson_doc_get_root(doc);
        print_log(root, out);
        if (g_strcmp0(string_at(root, "statusCode"), "running") != 0 ||
            string_at(root, "token") == NULL)
            break;
        next = next_status(connection, root, &error);
        yyjson_doc_free(doc);
        if (next == NULL)
            return fail(error);
        doc = next;
    }
    status = conclude(root);
    print_result(yyjson_obj_get(root, "result"), out);
    yyjson_doc_free(doc);
    return status;
}

static int call_function(Connection *connection, char **words, FILE *out)
{
    g_autofree char *escaped = g_uri_escape_string(words[0], NULL, FALSE);
    g_autofree char *action = g_strconcat("invoke/", escaped, NULL);
    g_autoptr(GError) error = NULL;
    GString *form = form_of(words + 1);
    yyjson_doc *doc;

    if (form == NULL)
        return EXIT_USAGE;
    doc = connection_post(connection, action, form->str, &error);
    g_string_free(form, TRUE);
    return doc != NULL ? follow(connection, doc, out) : fail(error);
}

/* -- the shell's own ------------------------------------------------------------------------ */

static int cmd_clear(Connection *connection, char **words, FILE *out)
{
    (void) connection;
    (void) words;
    fputs("\x1b[H\x1b[2J\x1b[3J", out);
    return EXIT_SUCCESS;
}

static void print_function(yyjson_val *function, FILE *out)
{
    yyjson_arr_iter iter;
    yyjson_val *argument;

    fprintf(out, "  %s", string_at(function, "name"));
    yyjson_arr_iter_init(yyjson_obj_get(function, "args"), &iter);
    while ((argument = yyjson_arr_iter_next(&iter)) != NULL) {
        bool optional = yyjson_get_bool(yyjson_obj_get(argument, "nullable"));

        fprintf(out, " %s--%s=%s%s", optional ? "[" : "", string_at(argument, "name"),
                string_at(argument, "type"), optional ? "]" : "");
    }
    fputc('\n', out);
}

static int cmd_help(Connection *connection, char **words, FILE *out)
{
    g_autoptr(GError) error = NULL;
    yyjson_doc *doc = connection_post(connection, "get-metadata", NULL, &error);
    yyjson_arr_iter iter;
    yyjson_val *function;

    (void) words;
    if (doc == NULL)
        return fail(error);
    fputs("Commands of the shell:\n", out);
    for (size_t i = 0; i < G_N_ELEMENTS(client_commands); i++)
        fprintf(out, "  %-12s %s\n", client_commands[i].name, client_commands[i].what);
    fputs("Functions of the server ([...] may be left out):\n", out);
    yyjson_arr_iter_init(yyjson_doc_get_root(doc), &iter);
    while ((function = yyjson_arr_iter_next(&iter)) != NULL)
        print_function(function, out);
    yyjson_doc_free(doc);
    return EXIT_SUCCESS;
}

static int cmd_user_list(Connection *connection, char **words, FILE *out)
{
    g_autoptr(GError) error = NULL;
    yyjson_doc *doc;
    yyjson_arr_iter iter;
    yyjson_val *user;
    int status;

    if (words[1] != NULL) {
        fputs("mailkeep: user-list takes no parameters\n", stderr);
        return EXIT_USAGE;
    }
    doc = connection_post(connection, "invoke/GetUsers", NULL, &error);
    if (doc == NULL)
        return fail(error);
    status = conclude(yyjson_doc_get_root(doc));
    yyjson_arr_iter_init(yyjson_obj_get(yyjson_doc_get_root(doc), "result"), &iter);
    while ((user = yyjson_arr_iter_next(&iter)) != NULL) {
        const char *full_name = string_at(user, "fullName");

        fprintf(out, "%s%s%s\n", string_at(user, "userName"),
                full_name != NULL && full_name[0] != '\0' ? "\t" : "",
                full_name != NULL ? full_name : "");
    }
    yyjson_doc_free(doc);
    return status;
}

bool command_asks_server(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(client_commands); i++)
        if (strcmp(client_commands[i].name, name) == 0)
            return client_commands[i].asks_server;
    return true;
}

int command_run(Connection *connection, char **words, FILE *out)
{
    for (size_t i = 0; i < G_N_ELEMENTS(client_commands); i++)
        if (strcmp(client_commands[i].name, words[0]) == 0)
            return client_commands[i].run != NULL ? client_commands[i].run(connection, words, out)
                                                  : EXIT_SUCCESS;
    return call_function(connection, words, out);
}
