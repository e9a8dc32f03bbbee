#include <mailkeep/index.h>

#include <string.h>

#include <mailkeep/limits.h>

/* Tokens joined by blanks; a plain form follows its token behind a bar. */
static void on_token(const char *token, size_t length, const char *plain, size_t plain_length,
                     uint32_t position, void *cookie)
{
    GString *out = cookie;
    if (position > 0)
        g_string_append_c(out, ' ');
    g_string_append_len(out, token, (gssize) length);
    if (plain == NULL)
        return;
    g_string_append_c(out, '|');
    g_string_append_len(out, plain, (gssize) plain_length);
}

static char *tokens_of(const char *text, size_t length)
{
    GString *out = g_string_new(NULL);
    mk_tokens_each(text, length, on_token, out);
    return g_string_free(out, FALSE);
}

static const struct {
    const char *text;
    const char *tokens;
} cases[] = {
    { "", "" },
    { "  ... -- ", "" },
    { "Hello, World", "hello world" },
    { "vorname.nachname@example.com", "vorname nachname example com" },
    { "a.b,c;d-e_f@g/h\\i", "a b c d e f g h i" },
    { "R4711.txt 3.141 2026-11-21", "r4711 txt 3 141 2026 11 21" },
    { "line\r\nbreak\ttab\fpage", "line break tab page" },
    /* diacritics and case folding */
    { "Müller MÜLLER", "müller|muller müller|muller" },
    { "Straße STRASSE", "strasse strasse" },
    { "Łódź Ørsted Đorđe", "łódź|lodz ørsted|orsted đorđe|dorde" },
    { "ÀÉÎÕÜ ñ ç ÿ", "àéîõü|aeiou ñ|n ç|c ÿ|y" },
    { "ΑΘΉΝΑ αθήνας", "αθήνα|αθηνα αθήνασ|αθηνασ" },
    { "ЁЛКА йод", "ёлка|елка йод|иод" },
    /* decomposed, as some systems send it: u, combining diaeresis */
    { "Mu\xCC\x88ller", "müller|muller" },
    { "Vie\xCC\xA3\xCC\x82t", "việt|viet" },
    /* compatibility forms */
    { "ﬁnanz Ｒechnung ① m² Ⅷ", "finanz rechnung 1 m2 viii" },
    { "½", "1 2" },
    { "\xC2\xA0nbsp\xC2\xA0", "nbsp" },
    { "Rech\xC2\xADnung", "rechnung" },        /* soft hyphen */
    { "zero\xE2\x80\x8Bwidth", "zero width" }, /* zero width space */
    { "a\xE2\x80\x8D"
      "b",
      "ab" }, /* zero width joiner */
    { "\xEF\xBB\xBF"
      "bom",
      "bom" },
    { "gibt´s", "gibt s" }, /* a mark without its letter separates */
    { "„Angebot“ – 100 € … ‚neu‘ «x»", "angebot 100 neu x" },
    { "don’t", "don t" },
    /* other scripts */
    /* pairs and the last character where words are not kept apart by blanks */
    { "東京タワー 漢字。次", "東京 京タ タワ ワー ー 漢字 字 次" },
    { "한국어 메일", "한국 국어 어 메일 일" },
    { "abc東京2026年ｶﾞｽ", "abc 東京 京 2026 年ガ|年カ ガス|カス ス" },
    { "か\xE3\x82\x99き", "がき|かき き" },                  /* the voiced mark apart */
    { "\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB국", "한국 국" }, /* letters of Hangul apart */
    { "㍿・〇々", "株式 式会 会社 社 〇々 々" },
    { "Ünï東\xCC\x88x", "ünï|uni 東\xCC\x88|東 x" },
    { "שלום עולם", "שלום עולם" },
    { "हिन्दी", "हिन्दी|हनद" },
    { "٣٤ ๑๒", "٣٤ ๑๒" },
    /* emoji are no letters */
    { "ok👍🏽done ❤️ 👨‍👩‍👧", "ok done" },
    { "𝐁𝐨𝐥𝐝", "bold" },
    /* ill-formed UTF-8 separates */
    { "caf\xE9 bar", "caf bar" },
    { "a\xC0\xAF"
      "b\xED\xA0\x80"
      "c\xF4\x90\x80\x80"
      "d",
      "a b c d" },
    { "M\xC3\xBC\xFFller", "mü|mu ller" },
    { "end\xC3", "end" },
    { "\x80\x80\x80", "" },
};

static void test_table(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = tokens_of(cases[i].text, strlen(cases[i].text));
        if (strcmp(got, cases[i].tokens) != 0)
            g_test_message("case %zu", i);
        g_assert_cmpstr(got, ==, cases[i].tokens);
    }
}

static void test_nul_separates(void)
{
    static const char text[] = "one\0two\0\0M\xC3\xBC\0ller";
    g_autofree char *got = tokens_of(text, sizeof text - 1);
    g_assert_cmpstr(got, ==, "one two mü|mu ller");
}

/* A token is cut at MK_LIMIT_TOKEN_BYTES, never within a character; what is behind is left out. */
static void test_long_tokens(void)
{
    g_autofree char *ascii = g_strnfill(10000, 'A');
    g_autofree char *cut = g_strnfill(MK_LIMIT_TOKEN_BYTES, 'a');
    g_autofree char *got = tokens_of(ascii, 10000);
    g_assert_cmpstr(got, ==, cut);

    g_autofree char *odd = g_strconcat("x", cut, NULL);
    memcpy(odd + MK_LIMIT_TOKEN_BYTES - 1, "\xC3\xBC", 2); /* ü across the border */
    g_autofree char *odd_got = tokens_of(odd, strlen(odd));
    g_assert_cmpuint(strlen(odd_got), ==, MK_LIMIT_TOKEN_BYTES - 1);

    GString *letters = g_string_new(NULL);
    for (unsigned i = 0; i < 40; i++)
        g_string_append(letters, "अ");
    g_autofree char *letters_got = tokens_of(letters->str, letters->len);
    g_assert_cmpuint(strlen(letters_got), ==, 63);
    g_string_free(letters, TRUE);
}

typedef struct {
    gunichar last; /* second character of the pair before */
    unsigned count;
} Chain;

static void on_link(const char *token, size_t length, const char *plain, size_t plain_length,
                    uint32_t position, void *cookie)
{
    Chain *chain = cookie;
    (void) plain, (void) plain_length;
    g_assert_cmpuint(position, ==, chain->count++);
    g_assert_cmpuint(length, ==, position + 1 < 20000 ? 6 : 3);
    if (position > 0)
        g_assert_cmpuint(g_utf8_get_char(token), ==, chain->last);
    chain->last = g_utf8_get_char(token + 3);
}

/* A run is one however long: no pair is lost where text is folded in pieces. */
static void test_long_runs(void)
{
    GString *text = g_string_new(NULL);
    Chain chain = { 0, 0 };
    for (unsigned i = 0; i < 20000; i++)
        g_string_append_unichar(text, 0x4E00 + i * 7 % 20000);
    g_string_append(text, " ");
    mk_tokens_each(text->str, text->len, on_link, &chain);
    g_assert_cmpuint(chain.count, ==, 20000);
    g_string_free(text, TRUE);
}

/* Both ways of the tokenizer must cut alike: the same text with a far away hard character. */
static void test_both_ways_agree(void)
{
    static const char *const texts[] = { "Grüße aus Köln-Ehrenfeld, 50823!", "a_b ÄÖÜß ŁŒ ªº µ",
                                         "x\xC2\xAD"
                                         "y" };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *fast = tokens_of(texts[i], strlen(texts[i]));
        g_autofree char *wide = g_utf8_normalize(texts[i], -1, G_NORMALIZE_NFD);
        g_autofree char *slow = tokens_of(wide, strlen(wide));
        g_assert_cmpstr(fast, ==, slow);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/index/tokens/table", test_table);
    g_test_add_func("/index/tokens/nul", test_nul_separates);
    g_test_add_func("/index/tokens/long-runs", test_long_runs);
    g_test_add_func("/index/tokens/long", test_long_tokens);
    g_test_add_func("/index/tokens/both-ways", test_both_ways_agree);
    return g_test_run();
}
