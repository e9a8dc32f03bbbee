/*
 * test_cjk.c - Chinese, Japanese and Korean: every stretch of a text is found, and nothing else
 *
 * Compared with a plain search for the octets in the text, sentence by sentence.
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "samples.h"

static const char *const texts[] = {
    "東京都渋谷区の会議室で打ち合わせを行います。",
    "京都への出張について、来週の月曜日までに連絡してください。",
    "メールアーカイブの検索が速くなりました。データベースを使いません。",
    "请在下周一之前把合同发给我，谢谢。",
    "合同编号为二〇二六年第三十七号，请查收附件。",
    "電子郵件歸檔系統能夠搜尋所有附件的內容。",
    "다음 주 월요일까지 계약서를 보내 주시기 바랍니다.",
    "계약서는 첨부 파일에 있습니다. 확인해 주세요.",
    "회의는 서울에서 열립니다",
    "서울시청 앞에서 만나요",
};

static void fill(Sample *sample)
{
    MkIndexWriter *writer = mk_index_writer_new(sample->index);
    for (uint32_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        SampleMail mail = { .number = i + 1, .body = texts[i] };
        sample_add(writer, &mail);
    }
    g_assert_true(mk_index_writer_commit(writer, 1, NULL));
}

/* Without voiced marks, which are diacritics (search-syntax.md 2.2). */
static char *without_marks(const char *text)
{
    g_autofree char *apart = g_utf8_normalize(text, -1, G_NORMALIZE_NFD);
    g_autoptr(GString) bare = g_string_new(apart);
    g_string_replace(bare, "\xE3\x82\x99", "", 0);
    g_string_replace(bare, "\xE3\x82\x9A", "", 0);
    return g_utf8_normalize(bare->str, -1, G_NORMALIZE_NFC);
}

/* Numbers of the texts that have @stretch in them. */
static char *scan(const char *stretch)
{
    GString *out = g_string_new(NULL);
    for (uint32_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *bare = without_marks(texts[i]);
        if (strstr(texts[i], stretch) != NULL || strstr(bare, stretch) != NULL)
            g_string_append_printf(out, "%s%u", out->len > 0 ? " " : "", i + 1);
    }
    return g_string_free(out, FALSE);
}

static bool is_letters(const char *stretch)
{
    for (; *stretch != '\0'; stretch = g_utf8_next_char(stretch))
        if (!g_unichar_isalnum(g_utf8_get_char(stretch)))
            return false;
    return true;
}

static void check_stretch(Sample *sample, const char *stretch)
{
    g_autofree char *starred = g_strdup_printf("*%s*", stretch);
    g_autofree char *expected = scan(stretch);
    g_autofree char *word = sample_find(sample, stretch, false);
    g_autofree char *star = sample_find(sample, starred, false);
    g_autofree char *quoted = g_strdup_printf("\"%s\"", stretch);
    g_autofree char *phrase = sample_find(sample, quoted, false);
    g_assert_cmpstr(word, ==, expected);
    g_assert_cmpstr(star, ==, expected);
    g_assert_cmpstr(phrase, ==, expected);
}

/* Every stretch of up to 6 characters, and stretches put together of two texts. */
static void test_stretches(void)
{
    Sample sample;
    sample_init(&sample);
    fill(&sample);
    for (uint32_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        long characters = g_utf8_strlen(texts[i], -1);
        for (long from = 0; from < characters; from++)
            for (long count = 1; count <= 6 && from + count <= characters; count++) {
                g_autofree char *stretch = g_utf8_substring(texts[i], from, from + count);
                if (is_letters(stretch))
                    check_stretch(&sample, stretch);
            }
        g_autofree char *own = g_utf8_substring(texts[i], 0, 2);
        g_autofree char *other = g_utf8_substring(texts[(i + 1) % G_N_ELEMENTS(texts)], 0, 2);
        g_autofree char *mixed = g_strconcat(own, other, NULL);
        check_stretch(&sample, mixed);
    }
    sample_clear(&sample);
}

static const struct {
    const char *query, *found;
} cases[] = {
    { "合同 附件", "5" },
    { "合同 -附件", "4" },
    { "서울", "9 10" },
    { "시청", "10" },             /* a part of a word */
    { "\"계약서를 보내\"", "7" }, /* words, the last one begun */
    { "\"서를 보내\"", "7" },     /* and the first one not begun */
    { "\"계약 보내\"", "" },
    { "계약서를-보내", "7" },
    { "東?都", "1" },
    { "東*都", "INVALID" }, /* a row of any length */
    { "東京*の", "INVALID" },
    { "月曜日?", "INVALID" },
    { "?京都", "INVALID" },
    { "*?京都", "1" }, /* at least one before it */
    { "京?*", "1 2" },
    { "会議*", "1" },
    { "*議室", "1" },
    { "二〇二六年", "5" },
    { "データベース", "3" },
    { "ﾃﾞｰﾀﾍﾞｰｽ", "3" },     /* half width */
    { "テータヘース", "3" }, /* without its marks, as diacritics elsewhere */
    { "検索か", "3" },
    { "bcontent:서울", "9 10" },
    { "subject:서울", "" },
};

static void test_cases(void)
{
    Sample sample;
    sample_init(&sample);
    fill(&sample);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = sample_find(&sample, cases[i].query, false);
        if (strcmp(found, cases[i].found) != 0)
            g_test_message("%s", cases[i].query);
        g_assert_cmpstr(found, ==, cases[i].found);
    }
    sample_clear(&sample);
}

static const struct {
    const char *text, *normal;
} forms[] = {
    { "東京タワー", "東京タワー" },
    { "\"東京 タワー\"", "東京.タワー" },
    { "東京abc*", "東京.abc*" },
    { "*abc東京*", "*abc.東京" },
    { "abc*東京", "abc*.東京" },
    { "東京*abc", "東京.*abc" },
    { "**東京**", "東京" },
    { "*?京", "*?京" },
    { "京?*", "京?*" },
    { "京*?*", "京?*" },
    { "東", "東" },
    { "東*", "東" },
    { "東.京", "東.京" },
    { "年2026年", "年.2026.年" },
};

static void test_forms(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(MkQuery) query = mk_query_parse(forms[i].text, &error);
        g_assert_no_error(error);
        g_autofree char *normal = mk_query_format(query);
        g_assert_cmpstr(normal, ==, forms[i].normal);
        g_autoptr(MkQuery) again = mk_query_parse(normal, NULL);
        g_autofree char *twice = mk_query_format(again);
        g_assert_cmpstr(twice, ==, normal);
    }
}

/* A whole sentence may be asked for; a page is too long. */
static void test_limits(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    for (unsigned i = 0; i < MK_LIMIT_QUERY_TERM_TOKENS + 1; i++)
        g_string_append(text, "字");
    g_autoptr(MkQuery) fits = mk_query_parse(text->str, &error);
    g_assert_no_error(error);
    g_assert_nonnull(fits);
    g_string_append(text, "字");
    g_assert_null(mk_query_parse(text->str, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_LIMIT);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/index/cjk/stretches", test_stretches);
    g_test_add_func("/index/cjk/cases", test_cases);
    g_test_add_func("/index/cjk/forms", test_forms);
    g_test_add_func("/index/cjk/limits", test_limits);
    return g_test_run();
}
