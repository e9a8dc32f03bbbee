/*
 * test_highlight.c - places of hits in a text, and snippets
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "samples.h"

/* The text with brackets around what is marked. */
static char *bracket(const char *text, size_t length, const GArray *ranges)
{
    GString *out = g_string_new(NULL);
    size_t at = 0;
    for (guint i = 0; i < ranges->len; i++) {
        const MkRange *range = &g_array_index(ranges, MkRange, i);
        g_assert_cmpuint(range->offset, >=, at);
        g_assert_cmpuint(range->length, >, 0);
        g_string_append_len(out, text + at, (gssize) (range->offset - at));
        g_string_append_c(out, '[');
        g_string_append_len(out, text + range->offset, (gssize) range->length);
        g_string_append_c(out, ']');
        at = range->offset + range->length;
    }
    g_assert_cmpuint(at, <=, length);
    g_string_append_len(out, text + at, (gssize) (length - at));
    return g_string_free(out, FALSE);
}

static const struct {
    const char *query, *text, *marked;
} cases[] = {
    { "auto", "Das Auto, AUTO: autos.", "Das [Auto], [AUTO]: autos." },
    { "auto*", "Das Auto, AUTO: autos.", "Das [Auto], [AUTO]: [autos]." },
    { "*mobil", "Automobil mobil mobile", "[Automobil] [mobil] mobile" },
    { "m?ier", "Meier Maier Mayer", "[Meier] [Maier] Mayer" },
    { "auto -haus", "auto haus", "[auto] haus" },
    { "*", "auto haus", "auto haus" },
    { "haus auto", "auto haus", "[auto] [haus]" },
    { "", "auto", "auto" },
    /* only whole rows */
    { "\"daily update\"", "Daily news: daily\nUPDATE, update daily",
      "Daily news: [daily\nUPDATE], update daily" },
    { "anna@example.com", "Anna <anna@example.com> example.com",
      "Anna <[anna@example.com]> example.com" },
    { "\"a b\"", "a ---------- b", "[a] ---------- [b]" }, /* far apart */
    { "\"a a\"", "a a a b a", "[a a a] b a" },
    { "a.*.c", "a b c a c", "[a b c] a c" },
    { "\"a b\" b.c", "a b c", "[a b c]" },
    /* diacritics: search-syntax.md 2.2 */
    { "muller", "Müller Muller MÜLLER Mu\xCC\x88ller",
      "[Müller] [Muller] [MÜLLER] [Mu\xCC\x88ller]" },
    { "müller", "Müller Muller MÜLLER Mu\xCC\x88ller",
      "[Müller] Muller [MÜLLER] [Mu\xCC\x88ller]" },
    { "strasse", "Straße STRASSE Strase", "[Straße] [STRASSE] Strase" },
    { "lodz", "Łódź, lodz", "[Łódź], [lodz]" },
    /* folding changes lengths */
    { "finanz", "die ﬁnanz ist", "die [ﬁnanz] ist" },
    { "rechnung", "Ｒechnung Rech\xC2\xADnung x", "[Ｒechnung] [Rech\xC2\xADnung] x" },
    { "1", "½ ① 1", "[½] [①] [1]" },
    { "εύα", "ΕΎΑ εύα", "[ΕΎΑ] [εύα]" },
    { "ёлка", "ЁЛКА елка", "[ЁЛКА] елка" },
    { "viii", "Ⅷ. VIII", "[Ⅷ]. [VIII]" },
    { "viet", "x Vie\xCC\xA3\xCC\x82t y", "x [Vie\xCC\xA3\xCC\x82t] y" },
    /* Chinese, Japanese, Korean */
    { "東京", "大東京都、東京。東 京", "大[東京]都、[東京]。東 京" },
    { "京", "大東京都 京", "大東[京]都 [京]" },
    { "東京都", "東京都庁 東京 都", "[東京都]庁 東京 都" },
    { "국어", "한국어 국어는", "한[국어] [국어]는" },
    { "東?都", "東京都 東西都 東都", "[東京都] [東西都] 東都" },
    { "abc東京", "xabc東京 abc東京", "xabc東京 [abc東京]" },
    { "株式会社", "㍿田中", "[㍿]田中" },
    { "式", "㍿田中", "[㍿]田中" },
    { "カス", "ｶﾞｽ ガス", "[ｶﾞｽ] [ガス]" },
    { "가", "ㄱㅏ가", "[ㄱㅏ가]" },
    /* ill-formed */
    { "caf", "caf\xE9 caf", "[caf]\xE9 [caf]" },
};

static void test_cases(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(MkQuery) query = mk_query_parse(cases[i].query, NULL);
        size_t length = strlen(cases[i].text);
        g_assert_nonnull(query);
        g_autoptr(GArray) ranges =
            mk_query_highlight(query, 0, MK_FIELD_BODY, cases[i].text, length, 100);
        g_autofree char *got = bracket(cases[i].text, length, ranges);
        if (strcmp(got, cases[i].marked) != 0)
            g_test_message("case %zu: %s", i, cases[i].query);
        g_assert_cmpstr(got, ==, cases[i].marked);
    }
}

static const struct {
    const char *query;
    unsigned fields;
    MkField field;
    bool looks;
} fields[] = {
    { "auto", 0, MK_FIELD_BODY, true },
    { "auto", 0, MK_FIELD_MESSAGE_ID, false },
    { "auto", MK_FIELD_BIT(MK_FIELD_SUBJECT), MK_FIELD_BODY, false },
    { "auto", MK_FIELD_BIT(MK_FIELD_SUBJECT), MK_FIELD_SUBJECT, true },
    { "bcontent:auto", MK_FIELD_BIT(MK_FIELD_SUBJECT), MK_FIELD_BODY, true },
    { "subject:auto", 0, MK_FIELD_BODY, false },
    { "bcc:auto", 0, MK_FIELD_ENVELOPE, true },
    { "auto", MK_FIELD_BIT(MK_FIELD_BCC), MK_FIELD_ENVELOPE, true },
    { "-auto", 0, MK_FIELD_BODY, false },
    { "* from:x", 0, MK_FIELD_BODY, false },
    { "", 0, MK_FIELD_BODY, false },
};

static void test_fields(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        g_autoptr(MkQuery) query = mk_query_parse(fields[i].query, NULL);
        g_autoptr(GArray) ranges =
            mk_query_highlight(query, fields[i].fields, fields[i].field, "x auto", 6, 5);
        g_assert_true(mk_query_looks_at(query, fields[i].fields, fields[i].field) ==
                      fields[i].looks);
        g_assert_true((ranges->len > 0) == fields[i].looks);
    }
}

/* The first ones, whatever the order in which rows are completed. */
static void test_max(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(MkQuery) query = mk_query_parse("b.c.d.e.f b z", NULL);
    for (unsigned i = 0; i < 20000; i++)
        g_string_append(text, "b c d e f ..... z ");
    g_autoptr(GArray) ranges = mk_query_highlight(query, 0, MK_FIELD_BODY, text->str, text->len, 5);
    g_assert_cmpuint(ranges->len, ==, 5);
    for (guint i = 0; i < 5; i++) {
        const MkRange *range = &g_array_index(ranges, MkRange, i);
        g_assert_cmpuint(range->offset, ==, i / 2 * 18 + (i % 2) * 16);
        g_assert_cmpuint(range->length, ==, i % 2 ? 1 : 9);
    }
    g_autoptr(GArray) all =
        mk_query_highlight(query, 0, MK_FIELD_BODY, text->str, text->len, UINT_MAX);
    g_assert_cmpuint(all->len, ==, 40000);
    g_autoptr(GArray) none = mk_query_highlight(query, 0, MK_FIELD_BODY, text->str, text->len, 0);
    g_assert_cmpuint(none->len, ==, 0);
}

/* -- snippets ------------------------------------------------------------------------------- */
static const struct {
    const char *query, *text;
    size_t max_bytes;
    const char *snippet; /* with brackets; "... " where it is cut */
} snippets[] = {
    { "auto", "Das Auto ist da.", 100, "Das [Auto] ist da." },
    { "nichts", "Das Auto ist da.", 100, "Das Auto ist da." },
    { "nichts", "Das Auto ist da.", 12, "Das Auto ist ..." },
    { "nichts", "Das Auto ist da.", 11, "Das Auto ..." },
    { "auto", "  \r\n Das\r\n\r\n\tAuto\xC2\xA0 ist  ", 100, "Das [Auto] ist" },
    { "ende", "eins zwei drei vier Ende", 14, "... drei vier [Ende]" },
    { "drei", "eins zwei drei vier fuenf sechs", 22, "... zwei [drei] vier fuenf ..." },
    /* most different words, not most hits */
    { "auto haus", "auto auto auto ....................... auto haus", 20,
      "... .......... [auto] [haus]" },
    { "auto haus", "auto .................. nix ................. haus", 20,
      "[auto] ............... ..." },
    /* one word longer than all */
    { "", "aaaaaaaaaaaaaaaaaaaa", 5, "aaaaa ..." },
    { "", "üüüüü", 5, "üü ..." },
    { "", "", 5, "" },
    { "x", " \n ", 5, "" },
    /* between characters where there are no blanks */
    { "京都", "これは長い文章です京都に行きましょう", 24, "... です[京都]に行きま ..." },
    { "",
      "a\x01"
      "b\xFF"
      "c",
      10, "a b c" },
};

static void test_snippets(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(snippets); i++) {
        const char *text = snippets[i].text;
        g_autoptr(MkQuery) query = mk_query_parse(snippets[i].query, NULL);
        g_autoptr(MkSnippet) snippet =
            mk_query_snippet(query, 0, MK_FIELD_BODY, text, strlen(text), snippets[i].max_bytes);
        g_assert_cmpuint(strlen(snippet->text), <=, snippets[i].max_bytes);
        g_autofree char *marked = bracket(snippet->text, strlen(snippet->text), snippet->ranges);
        g_autofree char *got = g_strconcat(snippet->cut_before ? "... " : "", marked,
                                           snippet->cut_after ? " ..." : "", NULL);
        if (strcmp(got, snippets[i].snippet) != 0)
            g_test_message("case %zu", i);
        g_assert_cmpstr(got, ==, snippets[i].snippet);
    }
}

/* Text behind what is looked at shows as cut, and is not read. */
static void test_long_text(void)
{
    g_autofree char *text = g_malloc(MK_LIMIT_TEXT_BYTES + 100);
    memset(text, '.', MK_LIMIT_TEXT_BYTES + 100);
    memcpy(text + MK_LIMIT_TEXT_BYTES + 10, " auto ", 6);
    memcpy(text + MK_LIMIT_TEXT_BYTES - 20, " haus ", 6);
    g_autoptr(MkQuery) query = mk_query_parse("auto haus", NULL);
    g_autoptr(MkSnippet) snippet =
        mk_query_snippet(query, 0, MK_FIELD_BODY, text, MK_LIMIT_TEXT_BYTES + 100, 60);
    g_assert_cmpuint(snippet->ranges->len, ==, 1);
    g_assert_true(snippet->cut_before && snippet->cut_after);
}

/* Rows of pieces that nearly match everywhere are still walked through once. */
static void test_hostile(void)
{
    g_autoptr(GString) text = g_string_new(NULL), row = g_string_new("a");
    for (unsigned i = 0; i < 200000; i++)
        g_string_append(text, "a ");
    for (unsigned i = 1; i < MK_LIMIT_QUERY_TERM_PIECES; i++)
        g_string_append(row, i % 2 ? ".a*" : ".*a");
    g_string_append(row, " *a*a*a*b *?a?*");
    g_autoptr(MkQuery) query = mk_query_parse(row->str, NULL);
    g_autoptr(GArray) ranges =
        mk_query_highlight(query, 0, MK_FIELD_BODY, text->str, text->len, 10);
    g_assert_cmpuint(ranges->len, ==, 1); /* one row reaches into the next */
    g_assert_cmpuint(g_array_index(ranges, MkRange, 0).length, ==, text->len - 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/index/highlight/cases", test_cases);
    g_test_add_func("/index/highlight/fields", test_fields);
    g_test_add_func("/index/highlight/max", test_max);
    g_test_add_func("/index/highlight/hostile", test_hostile);
    g_test_add_func("/index/snippet/cases", test_snippets);
    g_test_add_func("/index/snippet/long", test_long_text);
    return g_test_run();
}
