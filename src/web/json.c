/*
 * json.c - values in and out, always valid UTF-8
 */
#include <stdlib.h>
#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>

#include "internal.h"

yyjson_mut_doc *web_json_new(yyjson_mut_val **out_root)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);

    *out_root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, *out_root);
    return doc;
}

void web_json_octets(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const void *data,
                     size_t length)
{
    if (g_utf8_validate(data, (gssize) length, NULL)) {
        yyjson_mut_obj_add_strncpy(doc, object, key, data, length);
    } else {
        g_autofree char *text = g_utf8_make_valid(data, (gssize) length);
        yyjson_mut_obj_add_strcpy(doc, object, key, text);
    }
}

void web_json_string(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const char *text)
{
    if (text == NULL)
        yyjson_mut_obj_add_null(doc, object, key);
    else
        web_json_octets(doc, object, key, text, strlen(text));
}

void web_json_date(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, int64_t unix_ms)
{
    char text[32];

    mk_clock_format_utc(unix_ms, text);
    web_json_string(doc, object, key, unix_ms != 0 ? text : NULL);
}

yyjson_mut_val *web_json_array(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key)
{
    yyjson_mut_val *array = yyjson_mut_arr(doc);

    yyjson_mut_obj_add_val(doc, object, key, array);
    return array;
}

GBytes *web_json_format(yyjson_mut_doc *doc)
{
    size_t length = 0;
    char *text = yyjson_mut_write(doc, 0, &length);

    g_assert(text != NULL); /* every string went through web_json_octets() */
    return g_bytes_new_with_free_func(text, length, free, text);
}

/* A string of at most @max octets without NUL. */
static char *read_string(yyjson_val *value, size_t max)
{
    const char *text = yyjson_get_str(value);
    size_t length = yyjson_get_len(value);

    if (text == NULL || length > max || strlen(text) != length)
        return NULL;
    return g_strndup(text, length);
}

static bool read_member(yyjson_val *root, const WebMember *member, GError **error)
{
    yyjson_val *value = yyjson_obj_get(root, member->name);

    if (!member->needed && (value == NULL || yyjson_is_null(value)))
        return true;
    *member->out = read_string(value, member->max_bytes);
    return *member->out != NULL ||
           mk_fail(error, MK_ERROR_INVALID,
                   "The body must be a JSON object with the string %s, of at most %zu octets.",
                   member->name, member->max_bytes);
}

static void free_members(const WebMember *members, size_t count)
{
    for (size_t i = 0; i < count; i++)
        g_clear_pointer(members[i].out, mk_free_secret);
}

bool web_json_read_strings(GBytes *body, const WebMember *members, size_t count, GError **error)
{
    gsize length = 0;
    const char *text = g_bytes_get_data(body, &length);
    bool good = true;

    if (length == 0 || length > MK_LIMIT_WEB_LOGIN_BYTES)
        return mk_fail(error, MK_ERROR_INVALID, "The body must be a small JSON object.");
    yyjson_doc *doc = yyjson_read(text, length, 0); /* refuses what is not UTF-8 */
    yyjson_val *root = yyjson_doc_get_root(doc);
    for (size_t i = 0; good && i < count; i++)
        good = read_member(root, &members[i], error);
    yyjson_doc_free(doc);
    if (!good)
        free_members(members, count);
    return good;
}
