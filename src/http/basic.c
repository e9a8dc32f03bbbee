/*
 * basic.c - Authorization: Basic
 *
 *   credentials = "Basic" 1*SP token68      ; RFC 7617 2, RFC 9110 11.4
 *   token68     = base64( user-id ":" password )
 *
 * Base64 is taken strictly; GLib's decoder would skip what does not belong there.
 */
#include <string.h>

#include <mailkeep/crypto.h>
#include <mailkeep/limits.h>

#include "internal.h"

#define BASIC_MAX_BYTES ((MK_LIMIT_USER_NAME_BYTES + 1 + MK_LIMIT_PASSWORD_BYTES + 2) / 3 * 4)

static const char *basic_token(const MkHttpRequest *request)
{
    const char *field = mk_http_header(request, "authorization");

    if (field == NULL || g_ascii_strncasecmp(field, "basic ", 6) != 0)
        return NULL;
    field += 6;
    return field + strspn(field, " ");
}

static bool is_base64(const char *text, size_t length)
{
    size_t data = 0;

    while (data < length && (g_ascii_isalnum(text[data]) || text[data] == '+' || text[data] == '/'))
        data++;
    if (length == 0 || length % 4 != 0 || length - data > 2)
        return false;
    for (size_t i = data; i < length; i++)
        if (text[i] != '=')
            return false;
    return true;
}

static bool is_text_without_controls(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char) text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return g_utf8_validate(text, (gssize) length, NULL);
}

bool mk_http_basic(const MkHttpRequest *request, char **out_user, char **out_password)
{
    const char *token = basic_token(request);
    size_t token_length = token != NULL ? strlen(token) : 0;
    bool good = false;

    if (token == NULL || token_length > BASIC_MAX_BYTES || !is_base64(token, token_length))
        return false;
    gsize length = 0;
    char *pair = (char *) g_base64_decode(token, &length);
    const char *colon = memchr(pair, ':', length);
    if (colon != NULL && is_text_without_controls(pair, length)) {
        size_t user_length = (size_t) (colon - pair);
        *out_user = g_strndup(pair, user_length);
        *out_password = g_strndup(colon + 1, length - user_length - 1);
        good = true;
    }
    mk_wipe(pair, length);
    g_free(pair);
    return good;
}
