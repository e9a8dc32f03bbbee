/*
 * mail_html.c - HTML to text: valid UTF-8 stays valid, the bound holds
 */
#include <mailkeep/mail.h>

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *html = g_utf8_make_valid((const char *) data, (gssize) size);
    GString *out = g_string_new(NULL);

    mk_html_to_text(html, strlen(html), out, 500);
    g_assert_cmpuint(out->len, <=, 500);
    g_assert_true(g_utf8_validate(out->str, (gssize) out->len, NULL));
    g_string_free(out, TRUE);
    return 0;
}
