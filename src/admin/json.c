/*
 * json.c - the few shapes in which answers are built
 */
#include <string.h>

#include "internal.h"

/* An envelope's addresses are kept as they came, which need not be UTF-8; JSON must be. */
static yyjson_mut_val *text_value(yyjson_mut_doc *doc, const char *text)
{
    g_autofree char *valid = g_utf8_validate(text, -1, NULL) ? NULL : g_utf8_make_valid(text, -1);

    return yyjson_mut_strcpy(doc, valid != NULL ? valid : text);
}

void admin_json_add_string(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key,
                           const char *text)
{
    if (text == NULL)
        yyjson_mut_obj_add_null(doc, object, key);
    else
        yyjson_mut_obj_add_val(doc, object, key, text_value(doc, text));
}

void admin_json_add_number(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key,
                           int64_t number)
{
    yyjson_mut_obj_add_sint(doc, object, key, number);
}

void admin_json_add_bool(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, bool value)
{
    yyjson_mut_obj_add_bool(doc, object, key, value);
}

void admin_json_add_time(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key,
                         int64_t unix_ms)
{
    char text[32];

    mk_clock_format_utc(unix_ms, text);
    text[strlen("YYYY-MM-DDThh:mm:ss")] = '\0'; /* the original gives no zone */
    yyjson_mut_obj_add_strcpy(doc, object, key, text);
}

void admin_json_add_list(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key,
                         const char *const *texts)
{
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, object, key);

    for (; texts != NULL && *texts != NULL; texts++)
        yyjson_mut_arr_append(list, text_value(doc, *texts));
}

void admin_json_add_names(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key,
                          const char *joined)
{
    g_auto(GStrv) names = g_strsplit(joined, ",", -1);
    const char *const none[] = { NULL };

    admin_json_add_list(doc, object, key,
                        strcmp(joined, "none") == 0 ? none : (const char *const *) names);
}
