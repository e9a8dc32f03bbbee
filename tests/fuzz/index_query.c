/*
 * index_query.c - the query parser and the tokens: format and parse again must give the same
 */
#include <mailkeep/index.h>

#include <string.h>

#include <mailkeep/limits.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_token(const char *token, size_t length, const char *plain, size_t plain_length,
                     uint32_t position, void *cookie)
{
    uint32_t *next = cookie;
    g_assert_cmpuint(position, ==, (*next)++);
    g_assert_cmpuint(length, >, 0);
    g_assert_cmpuint(length, <=, MK_LIMIT_TOKEN_BYTES);
    g_assert_true(g_utf8_validate(token, (gssize) length, NULL));
    if (plain != NULL)
        g_assert_true(g_utf8_validate(plain, (gssize) plain_length, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *) data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(MkQuery) query = mk_query_parse(text, &error);
    g_assert_true((query == NULL) == (error != NULL));
    if (query != NULL) {
        g_autofree char *once = mk_query_format(query);
        if (strlen(once) <= MK_LIMIT_QUERY_BYTES) {
            g_autoptr(MkQuery) again = mk_query_parse(once, NULL);
            g_assert_nonnull(again);
            g_autofree char *twice = mk_query_format(again);
            g_assert_cmpstr(once, ==, twice);
        }
    }
    mk_query_free(mk_query_parse_policy(text, NULL));

    uint32_t next = 0;
    mk_tokens_each((const char *) data, size, on_token, &next);
    return 0;
}
