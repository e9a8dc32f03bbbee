/*
 * test_html.c - HTML to text
 *
 * Expected values follow the HTML standard: 13.2.5 tokenization, 13.5 named references.
 */
#include <mailkeep/mail.h>

#include <string.h>

#include "cpu_time.h"

static const struct {
    const char *html;
    const char *text;
} cases[] = {
    { "", "" },
    { "plain", "plain" },
    { "<p>one</p><p>two</p>", "one\ntwo" },
    { "a<br>b<br/>c", "a\nb\nc" },
    { "<b>bo</b>ld", "bold" },
    { "  many \r\n blanks\t", "many blanks" },
    { "<table><tr><td>a<td>b<tr><td>c</table>d", "a b\nc\nd" },
    { "<pre>a\n b</pre>", "a\nb" },
    { "x<script>if (a < b) '</p>'</script>y", "x y" },
    { "x<SCRIPT >...</ScRiPt >y", "x y" },
    { "x<style>p { }</style>y", "x y" },
    { "<head><title>T</title></head>y", "y" },
    { "x<!-- <b>no</b> -->y", "xy" },
    { "x<!-->y", "xy" },
    { "x<!--[if mso]>no<![endif]-->y", "xy" },
    { "x<![if !mso]>yes<![endif]>", "xyes" },
    { "x<!doctype html>y", "xy" },
    { "x<?xml ?>y", "xy" },
    { "x</>y", "xy" },
    { "a < b > c", "a < b > c" },
    { "<a title=\">\">x</a>", "x" },
    { "<a title='\">'>x</a>", "x" },
    { "<a title=it's>x</a> y's", "x y's" },
    { "<a b=c\">x", "x" },
    { "a<b", "a" },
    { "a<b c=\"", "a" },
    { "a<", "a<" },
    { "a<!-- never ends", "a" },
    { "a<script> never ends", "a" },
    { "<customtag>x</customtag>", "x" },
    { "<o:p>x</o:p>", "x" },
    { "&lt;&gt;&amp;&quot;&apos;", "<>&\"'" },
    { "&auml;&Auml;&szlig;&euro;", "äÄß€" },
    { "&#228;&#xE4;&#XE4;", "äää" },
    { "&#128;&#150;", "€–" }, /* windows-1252, as the standard says */
    { "&#0;&#xd800;&#x110000;&#99999999999;", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
    { "&copy 2026 &copy2", "© 2026 &copy2" },
    { "a&b=c&nosuch;&", "a&b=c&nosuch;&" },
    { "&hellip &hellip;", "&hellip …" }, /* no bare form */
    { "&#;&#x;&#", "&#;&#x;&#" },
    { "a&nbsp;b\xc2\xa0"
      "c",
      "a b c" },
    { "Donau&shy;dampf\xc2\xad"
      "schiff",
      "Donaudampfschiff" },
    { "zero\xe2\x80\x8bwidth", "zerowidth" },
    { "caf\xc3\xa9 \xe4\xb8\xad\xe6\x96\x87 \xf0\x9f\x98\x80 \xc2\xa9", "café 中文 😀 ©" },
};

static void test_cases(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        GString *out = g_string_new(NULL);

        mk_html_to_text(cases[i].html, strlen(cases[i].html), out, 1000);
        g_assert_cmpstr(out->str, ==, cases[i].text);
        g_string_free(out, TRUE);
    }
}

static void test_limit(void)
{
    GString *out = g_string_new("before ");

    mk_html_to_text("aaaaaaaaaaäää", strlen("aaaaaaaaaaäää"), out, 11);
    g_assert_cmpstr(out->str, ==, "before aaaaaaaaaa");
    g_string_truncate(out, 0);
    mk_html_to_text("&auml;&auml;&auml;", 18, out, 5);
    g_assert_cmpstr(out->str, ==, "ää");
    g_string_free(out, TRUE);
}

/* Inputs on which tokenizers are known to take quadratic time. */
static const struct {
    const char *start;
    const char *what;
} bombs[] = {
    { "<a", " b=\"c\"" },
    { "<a", " b" },
    { "", "<a b=\"" },
    { "", "<" },
    { "", "<!--" },
    { "", "<script>" },
    { "", "</" },
    { "", "&" },
    { "<script>", "</scrip" },
    { "", "<div>" },
    { "", "<!" },
    { "", "&#x" },
    { "", "&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
    { "", "=\"" },
};

static void test_bombs(void)
{
    int64_t start = test_cpu_us();

    for (size_t i = 0; i < G_N_ELEMENTS(bombs); i++) {
        GString *html = g_string_new(bombs[i].start), *out = g_string_new(NULL);

        while (html->len < 4u << 20)
            g_string_append(html, bombs[i].what);
        mk_html_to_text(html->str, html->len, out, 4u << 20);
        g_string_free(html, TRUE);
        g_string_free(out, TRUE);
    }
    g_test_message("%zu inputs of 4 MiB in %.0f ms", G_N_ELEMENTS(bombs),
                   (double) (test_cpu_us() - start) / 1000);
    g_assert_cmpint(test_cpu_us() - start, <, 20 * G_USEC_PER_SEC);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mail/html/cases", test_cases);
    g_test_add_func("/mail/html/limit", test_limit);
    g_test_add_func("/mail/html/bombs", test_bombs);
    return g_test_run();
}
