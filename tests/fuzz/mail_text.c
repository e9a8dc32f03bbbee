/*
 * mail_text.c - text for the index and parts for reading: valid UTF-8 without NUL, sizes as said
 */
#include <mailkeep/mail.h>

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_parts(const uint8_t *data, size_t size)
{
    g_autoptr(GPtrArray) parts = mk_mail_parts(data, size);

    for (guint i = 0; i < MIN(parts->len, 20); i++) {
        const MkPart *part = parts->pdata[i];
        g_autoptr(GBytes) content = mk_mail_part_content(data, size, part->number, NULL);
        g_autofree char *text = mk_mail_part_text(data, size, part->number, 1000, NULL);

        g_assert_cmpuint(g_bytes_get_size(content), ==, part->size_bytes);
        g_assert_true(g_utf8_validate(text, -1, NULL));
        g_assert_true(g_utf8_validate(part->file_name, -1, NULL));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mk_mail_init();
    g_autoptr(MkMailText) text = mk_mail_text(data, size);

    g_assert_true(g_utf8_validate(text->body->str, (gssize) text->body->len, NULL));
    g_assert_true(
        g_utf8_validate(text->attachment_text->str, (gssize) text->attachment_text->len, NULL));
    for (guint i = 0; i < text->attachment_names->len; i++)
        g_assert_true(g_utf8_validate(text->attachment_names->pdata[i], -1, NULL));
    check_parts(data, size);
    return 0;
}
