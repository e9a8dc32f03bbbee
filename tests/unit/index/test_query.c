#include <mailkeep/index.h>

#include <string.h>

#include <mailkeep/limits.h>

/* Query and its normal form. */
static const struct {
    const char *text;
    const char *normal;
} good[] = {
    { "", "" },
    { " \t\r\n ", "" },
    { "-", "" },
    { "... - \"\" -\"\" -...", "" },
    { "Auto*", "auto*" },
    { "*example.com", "*example.com" },
    { "vorname.nachname*", "vorname.nachname*" },
    { "Me?er Me??er M*?r", "me?er me??er m*?r" },
    { "\"Microsoft Windows\"", "microsoft.windows" },
    { "\"Daily-Update", "daily.update" },
    { "\"a*b ?\"", "a.b" },
    { "Microsoft Windows", "microsoft windows" },
    { "subject:Nachrichten", "subject:nachrichten" },
    { "SubJect:X FROM:y", "subject:x from:y" },
    { "from:john@mailkeep.example", "from:john.mailkeep.example" },
    { "ZDNet -Download-Tipp", "zdnet -download.tipp" },
    { "--x -a- -.b", "-x -a -b" },
    { "-subject:\"Daily Update\" -to:x", "-subject:daily.update -to:x" },
    { "re:Termin", "re.termin" },
    { "subject: x", "subject x" },
    { "subject:... x", "subject x" },
    { "subject:from:x", "subject:from.x" },
    { "-acontent:a bcontent:b cc:c bcc:d", "-acontent:a bcontent:b cc:c bcc:d" },
    { "foo\"bar baz\"-qux", "foo bar.baz qux" },
    { "Straße MÜLLER", "strasse müller" },
    { "Ｒｅ＊ ＂Ａ Ｂ＂", "re* a.b" },
    { "*", "*" },
    { "** a** *.b c.* d.*.e *.*", "* a* b c d.*.e *" },
    { "gibt´s", "gibt s" }, /* the accent alone is a blank and a mark without its letter */
};

static void test_good(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(MkQuery) query = mk_query_parse(good[i].text, &error);
        g_assert_no_error(error);
        g_autofree char *normal = mk_query_format(query);
        g_assert_cmpstr(normal, ==, good[i].normal);
        g_autoptr(MkQuery) again = mk_query_parse(normal, &error);
        g_assert_no_error(error);
        g_autofree char *twice = mk_query_format(again);
        g_assert_cmpstr(twice, ==, normal);
    }
}

static const struct {
    const char *text;
    MkErrorCode code;
    const char *hint; /* must be in the message */
} bad[] = {
    { "?eier", MK_ERROR_INVALID, "Word 1 " },
    { "Meie?", MK_ERROR_INVALID, "use * instead" },
    { "a b-?c d", MK_ERROR_INVALID, "Word 2 " },
    { "?", MK_ERROR_INVALID, "use * instead" },
    { "x \"y z\" -subject:a.b? ", MK_ERROR_INVALID, "Word 3 " },
    { "caf\xE9", MK_ERROR_INVALID, "UTF-8" },
};

static void test_bad(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(mk_query_parse(bad[i].text, &error));
        g_assert_error(error, MK_ERROR, (int) bad[i].code);
        g_assert_nonnull(strstr(error->message, bad[i].hint));
        g_assert_null(strstr(error->message, "eie")); /* the user's words are not repeated */
    }
}

static char *repeat(const char *text, size_t count)
{
    GString *out = g_string_new(NULL);
    while (count-- > 0)
        g_string_append(out, text);
    return g_string_free(out, FALSE);
}

static void check_limit(const char *text, size_t count, bool fits)
{
    g_autofree char *all = repeat(text, count);
    g_autoptr(GError) error = NULL;
    g_autoptr(MkQuery) query = mk_query_parse(all, &error);
    if (fits)
        g_assert_no_error(error);
    else
        g_assert_error(error, MK_ERROR, MK_ERROR_LIMIT);
}

static void test_limits(void)
{
    check_limit("a ", MK_LIMIT_QUERY_CLAUSES, true);
    check_limit("a ", MK_LIMIT_QUERY_CLAUSES + 1, false);
    check_limit("a.", MK_LIMIT_QUERY_TERM_PIECES, true);
    check_limit("a.", MK_LIMIT_QUERY_TERM_PIECES + 1, false);
    check_limit("-", MK_LIMIT_QUERY_BYTES, true);
    check_limit("-", MK_LIMIT_QUERY_BYTES + 1, false);
}

/* A word longer than a token means the token it was cut to, pattern or not. */
static void test_long_word(void)
{
    g_autofree char *word = g_strnfill(MK_LIMIT_TOKEN_BYTES, 'a');
    static const char *const tails[] = { "", "aaa", "*", "b*c" };
    for (size_t i = 0; i < G_N_ELEMENTS(tails); i++) {
        g_autofree char *text = g_strconcat(word, tails[i], NULL);
        g_autoptr(MkQuery) query = mk_query_parse(text, NULL);
        g_autofree char *normal = mk_query_format(query);
        g_assert_cmpstr(normal, ==, word);
    }
}

static const struct {
    const char *text;
    const char *normal; /* NULL: refused */
} policies[] = {
    { "Rechnung*", "rechnung*" },
    { "\"Daily Update\"", "daily.update" },
    { "Me?er", "me?er" },
    { "Rechnung - Mahnung", "rechnung mahnung" },
    { "re:foo subject: x", "re.foo subject x" },
    { "", "" },
    { "subject:Rechnung", NULL },
    { "-Spam", NULL },
    { "Rechnung?", NULL },
    { "gut Rechnung -Spam", NULL },
};

static void test_policies(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(policies); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(MkQuery) query = mk_query_parse_policy(policies[i].text, &error);
        if (policies[i].normal == NULL) {
            g_assert_error(error, MK_ERROR, MK_ERROR_INVALID);
            continue;
        }
        g_assert_no_error(error);
        g_autofree char *normal = mk_query_format(query);
        g_assert_cmpstr(normal, ==, policies[i].normal);
    }
    g_autoptr(GError) error = NULL;
    g_assert_null(mk_query_parse_policy("gut Rechnung -Spam", &error));
    g_assert_nonnull(strstr(error->message, "Word 3 "));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/index/query/good", test_good);
    g_test_add_func("/index/query/bad", test_bad);
    g_test_add_func("/index/query/limits", test_limits);
    g_test_add_func("/index/query/long-word", test_long_word);
    g_test_add_func("/index/query/policies", test_policies);
    return g_test_run();
}
