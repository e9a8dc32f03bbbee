/*
 * form.c - percent-encoding and application/x-www-form-urlencoded
 *
 * Source: RFC 3986 2.1; WHATWG URL "application/x-www-form-urlencoded". Stricter than browsers:
 * a broken escape, a NUL or octets that are not UTF-8 refuse the whole.
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "internal.h"

char *mk_http_percent_decode(const char *text, size_t length, bool plus)
{
    g_autoptr(GString) out = g_string_sized_new(length);

    for (size_t i = 0; i < length; i++) {
        if (text[i] != '%') {
            g_string_append_c(out, plus && text[i] == '+' ? ' ' : text[i]);
            continue;
        }
        if (length - i < 3)
            return NULL;
        int high = g_ascii_xdigit_value(text[i + 1]);
        int low = g_ascii_xdigit_value(text[i + 2]);
        if (high < 0 || low < 0)
            return NULL;
        g_string_append_c(out, (char) (high << 4 | low));
        i += 2;
    }
    /* With a length, g_utf8_validate() refuses a NUL as well. */
    if (!g_utf8_validate(out->str, (gssize) out->len, NULL))
        return NULL;
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static bool field_read(const char *data, size_t length, MkHttpFieldFunc on_field, void *cookie)
{
    const char *equals = memchr(data, '=', length);
    size_t name_length = equals != NULL ? (size_t) (equals - data) : length;
    size_t value_at = equals != NULL ? name_length + 1 : length;
    g_autofree char *name = mk_http_percent_decode(data, name_length, true);
    g_autofree char *value = mk_http_percent_decode(data + value_at, length - value_at, true);

    if (name == NULL || value == NULL)
        return false;
    return on_field(g_steal_pointer(&name), g_steal_pointer(&value), cookie);
}

bool mk_http_each_field(const char *data, size_t length, MkHttpFieldFunc on_field, void *cookie)
{
    unsigned count = 0;

    while (length > 0) {
        const char *end = memchr(data, '&', length);
        size_t field_length = end != NULL ? (size_t) (end - data) : length;
        size_t used = end != NULL ? field_length + 1 : length;

        if (field_length > 0 && (++count > MK_LIMIT_HTTP_FORM_FIELDS ||
                                 !field_read(data, field_length, on_field, cookie)))
            return false;
        data += used;
        length -= used;
    }
    return true;
}

static bool form_put(char *name, char *value, void *cookie)
{
    g_hash_table_replace(cookie, name, value);
    return true;
}

GHashTable *mk_http_parse_form(const char *data, size_t length, GError **error)
{
    g_autoptr(GHashTable) form = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    if (!mk_http_each_field(data, length, form_put, form)) {
        mk_fail(error, MK_ERROR_INVALID,
                "The form is not of the kind application/x-www-form-urlencoded in UTF-8 "
                "with at most %d fields.",
                MK_LIMIT_HTTP_FORM_FIELDS);
        return NULL;
    }
    return g_steal_pointer(&form);
}
