/*
 * test_torture.c - everything of the room over every mail of the corpus
 *
 * No crash, no endless time, all text valid UTF-8 without NUL, all ranges within the mail.
 */
#include <mailkeep/mail.h>

#include <string.h>

#include <mailkeep/limits.h>

#include "corpus.h"

static const char *current;

static void check_text(const char *text)
{
    if (!g_utf8_validate(text, -1, NULL))
        g_test_message("%s", current);
    g_assert_true(g_utf8_validate(text, -1, NULL));
}

static void check_string(const GString *text, size_t limit)
{
    g_assert_cmpuint(text->len, ==, strlen(text->str)); /* no NUL */
    g_assert_cmpuint(text->len, <=, limit);
    check_text(text->str);
}

static void check_addresses(const GPtrArray *addresses)
{
    g_autofree char *line = mk_addresses_format(addresses);

    check_text(line);
    g_assert_cmpuint(strlen(line), <=, MK_LIMIT_DISPLAY_BYTES);
    for (guint i = 0; i < addresses->len; i++) {
        const MkAddress *a = addresses->pdata[i];
        g_autofree char *folded = mk_address_fold(a->address);

        check_text(a->name);
        check_text(a->address);
        check_text(folded);
        g_assert_true((a->address[0] != '\0') == (strchr(a->address, '@') != NULL));
        g_assert_null(strpbrk(a->name, "\r\n"));
    }
}

static void check_summary(const uint8_t *data, size_t length)
{
    g_autoptr(MkMailSummary) s = mk_mail_summary(data, length);

    check_text(s->subject);
    check_text(s->message_id);
    check_text(s->in_reply_to);
    g_assert_cmpuint(strlen(s->subject), <=, MK_LIMIT_DISPLAY_BYTES);
    for (guint i = 0; i < s->references->len; i++)
        check_text(s->references->pdata[i]);
    check_addresses(s->from);
    check_addresses(s->sender);
    check_addresses(s->to);
    check_addresses(s->cc);
    check_addresses(s->bcc);
    check_addresses(s->delivered);
    check_addresses(s->envelope_from);
}

static void check_journal(const uint8_t *data, size_t length)
{
    g_autoptr(MkJournal) j = mk_journal_parse(data, length);

    for (guint i = 0; i < j->recipients->len; i++)
        check_text(((MkRecipient *) j->recipients->pdata[i])->address);
    for (guint i = 0; i < j->inner->len; i++) {
        const MkInnerMail *inner = &g_array_index(j->inner, MkInnerMail, i);

        g_assert_cmpuint(inner->offset + inner->length, <=, length);
    }
}

static void check_parts(const uint8_t *data, size_t length)
{
    g_autoptr(GPtrArray) parts = mk_mail_parts(data, length);

    g_assert_cmpuint(parts->len, >=, 1);
    for (guint i = 0; i < parts->len && i < 50; i++) {
        const MkPart *part = parts->pdata[i];
        g_autoptr(GBytes) content = mk_mail_part_content(data, length, part->number, NULL);
        g_autofree char *text = mk_mail_part_text(data, length, part->number, 5000, NULL);

        check_text(part->type);
        check_text(part->charset);
        check_text(part->file_name);
        check_text(part->content_id);
        check_text(text);
        g_assert_cmpuint(strlen(text), <=, 5000);
        g_assert_null(strpbrk(part->file_name, "/\\\r\n"));
        if (g_bytes_get_size(content) != part->size_bytes)
            g_test_message("%s part %u: %zu octets, not %zu", current, part->number,
                           g_bytes_get_size(content), part->size_bytes);
    }
}

static void check_mail(const char *name, const uint8_t *data, size_t length, void *user)
{
    /* A copy of exactly its size, so that a sanitizer sees an octet read behind it. */
    g_autofree uint8_t *copy = g_memdup2(data, length);
    g_autoptr(MkMailText) text = NULL;

    (void) user;
    current = name;
    check_summary(copy, length);
    check_journal(copy, length);
    text = mk_mail_text(copy, length);
    check_string(text->body, MK_LIMIT_TEXT_BYTES);
    check_string(text->attachment_text, MK_LIMIT_TEXT_BYTES);
    for (guint i = 0; i < text->attachment_names->len; i++)
        check_text(text->attachment_names->pdata[i]);
    check_parts(copy, length);
}

static void test_corpus(gconstpointer folder)
{
    if (corpus_there())
        g_test_message("%u mails", corpus_each(folder, check_mail, NULL));
}

/* Every prefix of a mail is a mail that was cut off. */
static void check_prefixes(const char *name, const uint8_t *data, size_t length, void *user)
{
    size_t step = MAX(1, MIN(length, 4000) / 40);

    for (size_t cut = 0; cut < MIN(length, 4000); cut += step)
        check_mail(name, data, cut, user);
}

static void test_prefixes(void)
{
    if (corpus_there())
        corpus_each("torture/jstedfast-MimeKit", check_prefixes, NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    mk_mail_init();
    g_test_add_data_func("/mail/torture/torture", "torture", test_corpus);
    g_test_add_data_func("/mail/torture/journal", "journal", test_corpus);
    g_test_add_data_func("/mail/torture/crypto", "crypto", test_corpus);
    g_test_add_data_func("/mail/torture/maildir", "maildir", test_corpus);
    g_test_add_data_func("/mail/torture/real", "real", test_corpus);
    g_test_add_data_func("/mail/torture/attachments", "attachments", test_corpus); /* no mails */
    g_test_add_func("/mail/torture/prefixes", test_prefixes);
    return g_test_run();
}
