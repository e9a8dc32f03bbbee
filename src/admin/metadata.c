/*
 * metadata.c - what there is to call: exactly the table (wire notes: a bare list)
 */
#include "internal.h"

static const char *type_name(ArgumentType type)
{
    switch (type) {
    case ARG_STRING: return "string";
    case ARG_NUMBER: return "number";
    case ARG_BOOL: return "bool";
    case ARG_JSON: return "json";
    }
    g_assert_not_reached();
}

static void add_function(yyjson_mut_doc *doc, yyjson_mut_val *list, const Function *function)
{
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, list);
    yyjson_mut_val *arguments;

    admin_json_add_string(doc, object, "name", function->name);
    arguments = yyjson_mut_obj_add_arr(doc, object, "args");
    for (const Argument *a = function->arguments; a->name != NULL; a++) {
        yyjson_mut_val *argument = yyjson_mut_arr_add_obj(doc, arguments);

        admin_json_add_string(doc, argument, "name", a->name);
        admin_json_add_string(doc, argument, "type", type_name(a->type));
        admin_json_add_bool(doc, argument, "nullable", a->nullable);
    }
}

char *admin_metadata_json(void)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    size_t at = 0;
    char *text;
    char *copy;

    yyjson_mut_doc_set_root(doc, list);
    for (const Function *f = admin_function_next(&at); f != NULL; f = admin_function_next(&at))
        add_function(doc, list, f);
    text = yyjson_mut_write(doc, 0, NULL);
    copy = g_strdup(text);
    free(text);
    yyjson_mut_doc_free(doc);
    return copy;
}
