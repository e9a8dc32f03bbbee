/*
 * request.c - what a handler may ask of a request
 */
#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>

#include "internal.h"

static void joined_free(void *joined)
{
    g_string_free(joined, TRUE);
}

MkHttpRequest *mk_http_request_new(void)
{
    MkHttpRequest *request = g_new0(MkHttpRequest, 1);

    request->method = "";
    request->target = g_string_new(NULL);
    request->query = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    request->fields = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, joined_free);
    request->body = g_byte_array_new();
    request->answer_fields = g_ptr_array_new_with_free_func(g_free);
    return request;
}

void mk_http_request_free(MkHttpRequest *request)
{
    if (request == NULL)
        return;
    g_string_free(request->target, TRUE);
    g_free(request->path);
    g_hash_table_unref(request->query);
    g_hash_table_unref(request->fields);
    g_byte_array_unref(request->body);
    g_clear_pointer(&request->body_bytes, g_bytes_unref);
    g_free(request->peer_address);
    g_ptr_array_unref(request->answer_fields);
    g_free(request);
}

void mk_http_request_add_field(MkHttpRequest *request, const char *name, const char *value)
{
    g_autofree char *key = g_ascii_strdown(name, -1);
    GString *joined = g_hash_table_lookup(request->fields, key);

    if (strcmp(key, "host") == 0)
        request->host_count++;
    if (joined == NULL) {
        g_hash_table_insert(request->fields, g_steal_pointer(&key), g_string_new(value));
        return;
    }
    /* RFC 9110 5.3; a cookie's pairs are parted by "; " (RFC 6265 4.2.1). */
    g_string_append(joined, strcmp(key, "cookie") == 0 ? "; " : ", ");
    g_string_append(joined, value);
}

static bool query_put(char *name, char *value, void *cookie)
{
    GHashTable *query = cookie;

    if (g_hash_table_contains(query, name)) { /* the first of several counts */
        g_free(name);
        g_free(value);
    } else {
        g_hash_table_insert(query, name, value);
    }
    return true;
}

/* Origin form, absolute form (RFC 9112 3.2.2: a server must take it too), or "*" for OPTIONS. */
static const char *target_path(const MkHttpRequest *request)
{
    const char *target = request->target->str;
    const char *rest = NULL;

    if (target[0] == '/')
        return target;
    if (strcmp(target, "*") == 0)
        return strcmp(request->method, "OPTIONS") == 0 ? target : NULL;
    if (g_ascii_strncasecmp(target, "http://", 7) == 0)
        rest = target + 7;
    else if (g_ascii_strncasecmp(target, "https://", 8) == 0)
        rest = target + 8;
    if (rest == NULL || *rest == '/' || *rest == '\0' || *rest == '?')
        return NULL;
    rest += strcspn(rest, "/?");
    return *rest == '/' ? rest : "/";
}

unsigned mk_http_request_read_target(MkHttpRequest *request)
{
    const char *path = target_path(request);

    if (path == NULL)
        return 400;
    size_t path_length = strcspn(path, "?#");
    const char *query = path + path_length;
    request->path = mk_http_percent_decode(path, path_length, false);
    if (request->path == NULL)
        return 400;
    if (*query == '?')
        query++;
    if (!mk_http_each_field(query, strcspn(query, "#"), query_put, request->query))
        return 400;
    return 0;
}

void mk_http_request_lose(MkHttpRequest *request)
{
    void (*on_gone)(void *cookie) = request->on_gone;

    request->connection = NULL;
    request->on_gone = NULL;
    if (on_gone != NULL)
        on_gone(request->on_gone_cookie);
}

const char *mk_http_method(const MkHttpRequest *request)
{
    return request->method;
}

const char *mk_http_path(const MkHttpRequest *request)
{
    return request->path;
}

const char *mk_http_header(const MkHttpRequest *request, const char *name)
{
    g_autofree char *key = g_ascii_strdown(name, -1);
    const GString *joined = g_hash_table_lookup(request->fields, key);

    return joined != NULL ? joined->str : NULL;
}

GBytes *mk_http_body(const MkHttpRequest *request)
{
    return request->body_bytes;
}

const char *mk_http_query(const MkHttpRequest *request, const char *name)
{
    return g_hash_table_lookup(request->query, name);
}

const char *mk_http_peer_address(const MkHttpRequest *request)
{
    return request->peer_address != NULL ? request->peer_address : "";
}

bool mk_http_is_secure(const MkHttpRequest *request)
{
    return request->is_secure;
}

bool mk_http_is_gone(const MkHttpRequest *request)
{
    return request->connection == NULL;
}

void mk_http_set_on_gone(MkHttpRequest *request, void (*on_gone)(void *cookie), void *cookie)
{
    request->on_gone = on_gone;
    request->on_gone_cookie = cookie;
}

void mk_http_add_header(MkHttpRequest *request, const char *name, const char *value)
{
    g_ptr_array_add(request->answer_fields, g_strdup(name));
    g_ptr_array_add(request->answer_fields, g_strdup(value));
}

char *mk_http_cookie(const MkHttpRequest *request, const char *name)
{
    const char *field = mk_http_header(request, "cookie");
    size_t name_length = strlen(name);

    while (field != NULL && *field != '\0') {
        field += strspn(field, "; \t");
        size_t length = strcspn(field, ";");
        if (length > name_length && field[name_length] == '=' &&
            strncmp(field, name, name_length) == 0) {
            g_autofree char *value = g_strndup(field + name_length + 1, length - name_length - 1);
            return g_strdup(g_strstrip(value));
        }
        field += length;
    }
    return NULL;
}
