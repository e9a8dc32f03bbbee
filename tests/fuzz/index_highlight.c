/*
 * index_highlight.c - highlights and snippets: the first line is the query, the rest the text
 */
#include <mailkeep/index.h>

#include <string.h>

#include <mailkeep/limits.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ranges(const GArray *ranges, const char *text, size_t length, bool valid)
{
    size_t at = 0;
    for (guint i = 0; i < ranges->len; i++) {
        const MkRange *range = &g_array_index(ranges, MkRange, i);
        size_t end = (size_t) range->offset + range->length;
        g_assert_cmpuint(range->length, >, 0);
        g_assert_cmpuint(range->offset, >=, at);
        g_assert_cmpuint(end, <=, length);
        if (valid) { /* else there are no borders to speak of */
            g_assert_cmpuint((uint8_t) text[range->offset] & 0xC0, !=, 0x80);
            g_assert_true(end == length || ((uint8_t) text[end] & 0xC0) != 0x80);
        }
        at = end;
    }
}

static void check_snippet(const MkQuery *query, const char *text, size_t length, size_t max_bytes)
{
    g_autoptr(MkSnippet) snippet =
        mk_query_snippet(query, 0, MK_FIELD_BODY, text, length, max_bytes);
    size_t shown = strlen(snippet->text);
    g_assert_cmpuint(shown, <=, max_bytes);
    g_assert_true(g_utf8_validate(snippet->text, -1, NULL));
    g_assert_null(strpbrk(snippet->text, "\r\n\t"));
    check_ranges(snippet->ranges, snippet->text, shown, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *newline = size > 0 ? memchr(data, '\n', size) : NULL;
    if (newline == NULL)
        return 0;
    g_autofree char *line = g_strndup((const char *) data, (size_t) (newline - data));
    g_autoptr(MkQuery) query = mk_query_parse(line, NULL);
    if (query == NULL)
        return 0;

    const char *text = (const char *) newline + 1;
    size_t length = size - (size_t) (newline - data) - 1;
    bool valid = g_utf8_validate(text, (gssize) length, NULL);
    g_autoptr(GArray) all = mk_query_highlight(query, 0, MK_FIELD_BODY, text, length, UINT_MAX);
    check_ranges(all, text, length, valid);
    g_autoptr(GArray) some = mk_query_highlight(query, 0, MK_FIELD_BODY, text, length, 3);
    g_assert_cmpuint(some->len, ==, MIN(all->len, 3));
    for (guint i = 0; i < some->len; i++)
        g_assert_cmpuint(g_array_index(some, MkRange, i).offset, ==,
                         g_array_index(all, MkRange, i).offset);
    check_snippet(query, text, length, MK_LIMIT_SNIPPET_BYTES);
    check_snippet(query, text, length, 10);
    return 0;
}
