/*
 * test_table.c - the table against the original's functions (AD-14), and what it says of itself
 */
#include <string.h>

#include "fixture.h"
#include "original.h"

static const OriginalFunction *original_find(const char *name)
{
    for (size_t i = 0; i < ORIGINAL_COUNT; i++)
        if (strcmp(original_functions[i].name, name) == 0)
            return &original_functions[i];
    return NULL;
}

static const char *type_name(ArgumentType type)
{
    static const char *const names[] = {
        [ARG_STRING] = "string", [ARG_NUMBER] = "number", [ARG_BOOL] = "bool", [ARG_JSON] = "json"
    };

    return names[type];
}

/* In the form of original.h. */
static char *arguments_text(const Function *function)
{
    GString *text = g_string_new(NULL);

    for (const Argument *a = function->arguments; a->name != NULL; a++)
        g_string_append_printf(text, "%s%s%s:%s", text->len > 0 ? " " : "", a->name,
                               a->nullable ? "?" : "", type_name(a->type));
    return g_string_free(text, FALSE);
}

/* Arguments that we take as left out though the manual calls them required (C5). */
static const char *relaxed(const OriginalFunction *original)
{
    if (strcmp(original->name, "VerifyStore") == 0)
        return "id:number includeIndexes?:bool";
    if (strcmp(original->name, "VerifyStores") == 0)
        return "includeIndexes?:bool";
    return original->arguments;
}

/* Each of the 77 is either a row with its exact arguments, or answers that it is not there. */
static void test_original(void)
{
    for (size_t i = 0; i < ORIGINAL_COUNT; i++) {
        const OriginalFunction *original = &original_functions[i];
        const Function *function = admin_function_find(original->name);

        g_test_message("%s", original->name);
        g_assert_cmpint(function == NULL, ==, admin_function_is_unavailable(original->name));
        if (function != NULL) {
            g_autofree char *arguments = arguments_text(function);

            g_assert_cmpstr(arguments, ==, relaxed(original));
        }
    }
}

static void test_unavailable_are_originals(void)
{
    const char *const *names = admin_functions_unavailable();

    for (size_t i = 0; names[i] != NULL; i++) {
        g_assert_nonnull(original_find(names[i]));
        g_assert_true(i == 0 || strcmp(names[i - 1], names[i]) < 0);
    }
}

static void test_order(void)
{
    const Function *last = NULL;
    size_t at = 0;

    for (const Function *f = admin_function_next(&at); f != NULL; f = admin_function_next(&at)) {
        g_assert_true(last == NULL || strcmp(last->name, f->name) < 0);
        g_assert_true(admin_function_find(f->name) == f);
        g_assert_nonnull(f->handler);
        last = f;
    }
    g_assert_null(admin_function_find("getusers")); /* names are case sensitive */
    g_assert_null(admin_function_find(""));
}

/* Only what verifies, rebuilds or asks another server runs for long; only what looks at one's own mail is for everybody. */
static void test_kinds(void)
{
    static const char *const longs[] = { "RebuildSelectedStoreIndexes",
                                         "RebuildStoreIndex",
                                         "TestSmtpSettings",
                                         "VerifyStore",
                                         "VerifyStores",
                                         NULL };
    static const char *const users[] = { "DeleteSavedSearch",
                                         "GetMessageContent",
                                         "GetSavedSearches",
                                         "GetVersion",
                                         "SearchMessages",
                                         "SetSavedSearch",
                                         NULL };
    size_t at = 0;

    for (const Function *f = admin_function_next(&at); f != NULL; f = admin_function_next(&at)) {
        g_assert_cmpint(f->is_long, ==, g_strv_contains(longs, f->name));
        g_assert_cmpint(f->audience == FOR_USERS, ==, g_strv_contains(users, f->name));
    }
}

/* The frozen list against the specification it was taken from. */
static char *specified_arguments(yyjson_val *function)
{
    GString *text = g_string_new(NULL);
    yyjson_arr_iter iter;
    yyjson_val *argument;

    yyjson_arr_iter_init(yyjson_obj_get(function, "args"), &iter);
    while ((argument = yyjson_arr_iter_next(&iter)) != NULL)
        g_string_append_printf(text, "%s%s%s:%s", text->len > 0 ? " " : "",
                               yyjson_get_str(yyjson_obj_get(argument, "name")),
                               yyjson_get_bool(yyjson_obj_get(argument, "required")) ? "" : "?",
                               yyjson_get_str(yyjson_obj_get(argument, "type")));
    return g_string_free(text, FALSE);
}

static void test_frozen(void)
{
    const char *dir = g_getenv("MAILKEEP_SPEC");
    g_autofree char *path = dir != NULL ? g_build_filename(dir, "admin-api.json", NULL) : NULL;
    yyjson_arr_iter iter;
    yyjson_val *function;
    yyjson_doc *doc;

    if (path == NULL) {
        g_test_skip("MAILKEEP_SPEC is not set");
        return;
    }
    doc = yyjson_read_file(path, 0, NULL, NULL);
    g_assert_nonnull(doc);
    g_assert_cmpuint(yyjson_arr_size(yyjson_doc_get_root(doc)), ==, ORIGINAL_COUNT);
    yyjson_arr_iter_init(yyjson_doc_get_root(doc), &iter);
    while ((function = yyjson_arr_iter_next(&iter)) != NULL) {
        const char *name = yyjson_get_str(yyjson_obj_get(function, "name"));
        g_autofree char *arguments = specified_arguments(function);

        g_assert_nonnull(original_find(name));
        g_assert_cmpstr(original_find(name)->arguments, ==, arguments);
    }
    yyjson_doc_free(doc);
}

/* -- metadata (wire notes) ------------------------------------------------------------------------ */
static void check_argument(yyjson_val *value, const Argument *argument)
{
    g_assert_cmpuint(yyjson_obj_size(value), ==, 3);
    g_assert_cmpstr(yyjson_get_str(yyjson_obj_get(value, "name")), ==, argument->name);
    g_assert_cmpstr(yyjson_get_str(yyjson_obj_get(value, "type")), ==, type_name(argument->type));
    g_assert_true(yyjson_is_bool(yyjson_obj_get(value, "nullable")));
    g_assert_cmpint(yyjson_get_bool(yyjson_obj_get(value, "nullable")), ==, argument->nullable);
}

static void check_function(yyjson_val *value, const Function *function)
{
    yyjson_val *arguments = yyjson_obj_get(value, "args");
    size_t count = 0;

    g_assert_cmpuint(yyjson_obj_size(value), ==, 2);
    g_assert_cmpstr(yyjson_get_str(yyjson_obj_get(value, "name")), ==, function->name);
    g_assert_true(yyjson_is_arr(arguments));
    for (const Argument *a = function->arguments; a->name != NULL; a++)
        check_argument(yyjson_arr_get(arguments, count++), a);
    g_assert_cmpuint(yyjson_arr_size(arguments), ==, count);
}

static void test_metadata(void)
{
    g_autofree char *text = mk_admin_metadata_json(NULL);
    yyjson_doc *doc = yyjson_read(text, strlen(text), 0);
    yyjson_arr_iter iter;
    size_t at = 0;

    g_assert_true(yyjson_is_arr(yyjson_doc_get_root(doc)));
    g_assert_true(g_str_has_prefix(text, "[{\"name\":\"ClearUserPrivilegesOnFolders\",\"args\":"
                                         "[{\"name\":\"userName\",\"type\":\"string\","
                                         "\"nullable\":false}]}"));
    yyjson_arr_iter_init(yyjson_doc_get_root(doc), &iter);
    for (const Function *f = admin_function_next(&at); f != NULL; f = admin_function_next(&at))
        check_function(yyjson_arr_iter_next(&iter), f);
    g_assert_null(yyjson_arr_iter_next(&iter));
    yyjson_doc_free(doc);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/admin/table/original", test_original);
    g_test_add_func("/admin/table/unavailable-are-originals", test_unavailable_are_originals);
    g_test_add_func("/admin/table/order", test_order);
    g_test_add_func("/admin/table/kinds", test_kinds);
    g_test_add_func("/admin/table/frozen", test_frozen);
    g_test_add_func("/admin/table/metadata", test_metadata);
    return g_test_run();
}
