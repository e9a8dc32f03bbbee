/*
 * call.c - one call of a function: its arguments checked, its handler run
 */
#include <string.h>

#include "internal.h"

#define NAME_SHOWN_MAX 64

static const Argument *argument_find(const Function *function, const char *name)
{
    for (const Argument *a = function->arguments; a->name != NULL; a++)
        if (strcmp(a->name, name) == 0)
            return a;
    return NULL;
}

static bool number_parse(const char *text, int64_t *out)
{
    char *end;

    if (!g_ascii_isdigit(text[0]) && text[0] != '-')
        return false;
    *out = g_ascii_strtoll(text, &end, 10);
    return *end == '\0' && *out != INT64_MAX && *out != INT64_MIN;
}

/* Existing scripts send True and False as well as true and false (wire notes). */
static bool bool_parse(const char *text, bool *out)
{
    *out = g_ascii_strcasecmp(text, "true") == 0;
    return *out || g_ascii_strcasecmp(text, "false") == 0;
}

static bool json_is_valid(const char *text)
{
    yyjson_doc *doc = yyjson_read(text, strlen(text), 0);
    bool valid = doc != NULL;

    yyjson_doc_free(doc);
    return valid;
}

static bool argument_fits(const Argument *argument, const char *text, GError **error)
{
    int64_t number;
    bool value;

    switch (argument->type) {
    case ARG_STRING: return true;
    case ARG_NUMBER:
        return number_parse(text, &number) ||
               mk_fail(error, MK_ERROR_INVALID, "API argument %s must be a number.",
                       argument->name);
    case ARG_BOOL:
        return bool_parse(text, &value) ||
               mk_fail(error, MK_ERROR_INVALID, "API argument %s must be true or false.",
                       argument->name);
    case ARG_JSON:
        return json_is_valid(text) ||
               mk_fail(error, MK_ERROR_INVALID, "API argument %s must be JSON.", argument->name);
    }
    g_assert_not_reached();
}

const char *admin_name_shown(const char *name)
{
    bool is_plain = name[0] != '\0' && strlen(name) <= NAME_SHOWN_MAX;

    for (const char *p = name; is_plain && *p != '\0'; p++)
        is_plain = g_ascii_isalnum(*p);
    return is_plain ? name : "(not a name)";
}

/* An empty value of another type than string counts as left out: clients send all their fields. */
static bool is_given(const Argument *argument, const char *text)
{
    return text != NULL && (argument->type == ARG_STRING || text[0] != '\0');
}

static bool arguments_check(const Function *function, GHashTable *arguments, GError **error)
{
    GHashTableIter iter;
    gpointer name;

    g_hash_table_iter_init(&iter, arguments);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        if (argument_find(function, name) == NULL)
            return mk_fail(error, MK_ERROR_INVALID, "Unknown API argument %s for %s.",
                           admin_name_shown(name), function->name);
    for (const Argument *a = function->arguments; a->name != NULL; a++) {
        const char *text = g_hash_table_lookup(arguments, a->name);

        if (is_given(a, text)) {
            if (!argument_fits(a, text, error))
                return false;
        } else if (!a->nullable) {
            return mk_fail(error, MK_ERROR_INVALID, "Missing API argument %s.", a->name);
        }
    }
    return true;
}

Call *admin_call_new(MkAdmin *admin, const Function *function, MkPrincipal *principal,
                     GHashTable *arguments, GError **error)
{
    Call *call;

    if (!arguments_check(function, arguments, error)) {
        g_hash_table_unref(arguments);
        return NULL;
    }
    call = g_new0(Call, 1);
    call->admin = admin;
    call->function = function;
    call->principal = mk_principal_ref(principal);
    call->arguments = arguments;
    call->doc = yyjson_mut_doc_new(NULL);
    return call;
}

void admin_call_free(Call *call)
{
    if (call == NULL)
        return;
    mk_principal_unref(call->principal);
    g_hash_table_unref(call->arguments);
    yyjson_mut_doc_free(call->doc);
    g_clear_error(&call->error);
    g_free(call);
}

void admin_call_run(Call *call)
{
    if (!call->function->handler(call, &call->error))
        g_assert(call->error != NULL);
}

const char *admin_call_string(const Call *call, const char *name)
{
    g_assert(argument_find(call->function, name) != NULL);
    return g_hash_table_lookup(call->arguments, name);
}

const char *admin_call_text(const Call *call, const char *name)
{
    const char *text = admin_call_string(call, name);

    return text != NULL && text[0] != '\0' ? text : NULL;
}

int64_t admin_call_number(const Call *call, const char *name, int64_t otherwise)
{
    const char *text = admin_call_string(call, name);
    int64_t number;

    return text != NULL && number_parse(text, &number) ? number : otherwise;
}

bool admin_call_bool(const Call *call, const char *name, bool otherwise)
{
    const char *text = admin_call_string(call, name);
    bool value;

    return text != NULL && bool_parse(text, &value) ? value : otherwise;
}

char **admin_call_list(const Call *call, const char *name)
{
    const char *text = admin_call_string(call, name);
    g_auto(GStrv) parts = g_strsplit(text != NULL ? text : "", ",", -1);
    GStrvBuilder *list = g_strv_builder_new();
    char **result;

    for (char **p = parts; *p != NULL; p++)
        if (g_strstrip(*p)[0] != '\0')
            g_strv_builder_add(list, *p);
    result = g_strv_builder_end(list);
    g_strv_builder_unref(list);
    return result;
}

MkArchive *admin_call_archive(const Call *call)
{
    return call->admin->archive;
}
