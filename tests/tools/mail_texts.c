/*
 * mail_texts.c - what the index is given of each mail of a batch SMTP file, for other programs
 *
 *   mail_texts FILE.bsmtp
 *
 * Writes for each mail a line of numbers, DATE_MS and the octets of its sender, recipients, subject,
 * body and attachments (names and text), and then these five texts one behind the other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mailkeep/mail.h>

#define DATA "\r\nDATA\r\n"
#define DOT "\r\n.\r\n"

enum { TEXTS = 5 };

static void write_mail(const char *data, size_t length)
{
    g_autoptr(MkMailSummary) summary = mk_mail_summary((const uint8_t *) data, length);
    g_autoptr(MkMailText) text = mk_mail_text((const uint8_t *) data, length);
    g_autofree char *from = mk_addresses_format(summary->from);
    g_autofree char *to = mk_addresses_format(summary->to);
    g_autofree char *cc = mk_addresses_format(summary->cc);
    g_autofree char *recipients = g_strconcat(to, cc[0] != '\0' ? ", " : "", cc, NULL);
    g_autoptr(GString) attachments = g_string_new(NULL);

    for (guint i = 0; i < text->attachment_names->len; i++)
        g_string_append_printf(attachments, "%s\n", (char *) text->attachment_names->pdata[i]);
    g_string_append_len(attachments, text->attachment_text->str,
                        (gssize) text->attachment_text->len);

    const char *texts[TEXTS] = { from, recipients, summary->subject, text->body->str,
                                 attachments->str };
    printf("%" G_GINT64_FORMAT, summary->date_unix_ms);
    for (int i = 0; i < TEXTS; i++)
        printf(" %zu", strlen(texts[i]));
    putchar('\n');
    for (int i = 0; i < TEXTS; i++)
        fputs(texts[i], stdout);
}

/* The second dot of a line that begins with two is not the mail's. */
static GString *unstuffed(const char *data, size_t length)
{
    GString *mail = g_string_new_len(data, (gssize) length);

    g_string_replace(mail, "\r\n..", "\r\n.", 0);
    if (mail->str[0] == '.')
        g_string_erase(mail, 0, 1);
    return mail;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GMappedFile) file = argc == 2 ? g_mapped_file_new(argv[1], FALSE, &error) : NULL;

    if (file == NULL) {
        fprintf(stderr, "mail_texts: %s\n", error != NULL ? error->message : "FILE is missing");
        return 2;
    }
    mk_mail_init();
    const char *at = g_mapped_file_get_contents(file);
    const char *end = at + g_mapped_file_get_length(file);
    while ((at = memmem(at, (size_t) (end - at), DATA, strlen(DATA))) != NULL) {
        const char *begin = at + strlen(DATA);
        const char *dot = memmem(begin - 2, (size_t) (end - begin) + 2, DOT, strlen(DOT));

        if (dot == NULL)
            break;
        g_autoptr(GString) mail = unstuffed(begin, (size_t) (dot + 2 - begin));
        write_mail(mail->str, mail->len);
        at = dot + 2;
    }
    return 0;
}
