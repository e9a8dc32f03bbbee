/*
 * test_journal.c - every row of the corpus's TRUTH.tsv, the real reports, and odd forms by hand
 */
#include <mailkeep/mail.h>

#include <string.h>

#include <mailkeep/limits.h>

#include "corpus.h"

/* -- TRUTH.tsv -------------------------------------------------------------------------------- */

enum {
    COLUMN_FILE,
    COLUMN_FORM,
    COLUMN_SENDER,
    COLUMN_RECIPIENTS,
    COLUMN_INNER_MESSAGE_ID,
    COLUMN_SUBJECT,
    COLUMN_INNER_BYTES,
    COLUMN_INNER_SHA256,
    COLUMN_GROUP,
    COLUMN_NOTE,
    COLUMNS,
};

static const char *const type_names[] = { "Recipient", "To", "Cc", "Bcc" };
static const char *const kind_names[] = { "none", "exchange", "routed", "broken" };

static char *recipients_text(const MkJournal *j)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < j->recipients->len; i++) {
        const MkRecipient *r = j->recipients->pdata[i];

        g_string_append_printf(text, "%s%s=%s", i ? ";" : "", type_names[r->type], r->address);
        if (r->expanded)
            g_string_append_printf(text, ", Expanded: %s", r->expanded);
        if (r->forwarded)
            g_string_append_printf(text, ", Forwarded: %s", r->forwarded);
    }
    return g_string_free(text, FALSE);
}

static const char *kind_of_row(char **row)
{
    static const struct {
        const char *form;
        const char *kind;
    } kinds[] = {
        { "x-real", "routed" },
        { "x-envelope", "routed" },
        { "not-a-journal", "none" },
        { "always_bcc", "none" }, /* the envelope is not in such a copy */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (g_str_equal(row[COLUMN_FORM], kinds[i].form))
            return kinds[i].kind;
    if (g_str_has_prefix(row[COLUMN_FILE], "22-") || g_str_has_prefix(row[COLUMN_FILE], "23-") ||
        g_str_has_prefix(row[COLUMN_FILE], "24-"))
        return "broken";
    return "exchange";
}

static GBytes *inner_octets(const MkInnerMail *inner, const uint8_t *data)
{
    return inner->decoded ? g_bytes_ref(inner->decoded)
                          : g_bytes_new(data + inner->offset, inner->length);
}

static void check_inner(const MkInnerMail *inner, const uint8_t *data, const char *sha256,
                        const char *message_id)
{
    g_autoptr(GBytes) octets = inner_octets(inner, data);
    g_autofree char *sum = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, octets);
    const uint8_t *mail = g_bytes_get_data(octets, NULL);
    size_t length = g_bytes_get_size(octets);
    g_autoptr(MkJournal) again = mk_journal_parse(mail, length);
    g_autoptr(MkMailSummary) summary = NULL;

    g_assert_cmpstr(sum, ==, sha256);
    if (!message_id)
        return;
    if (again->kind == MK_JOURNAL_EXCHANGE) { /* a journal of a journal: the table means the last */
        mail += g_array_index(again->inner, MkInnerMail, 0).offset;
        length = g_array_index(again->inner, MkInnerMail, 0).length;
    }
    summary = mk_mail_summary(mail, length);
    g_autofree char *in_angles = g_strdup_printf("<%s>", summary->message_id);
    g_assert_cmpstr(in_angles, ==, message_id);
}

/* The original of a routed copy is what follows the fields that the milter put on top. */
static void check_routed(char **row, const uint8_t *data, size_t length)
{
    size_t bytes = g_ascii_strtoull(row[COLUMN_INNER_BYTES], NULL, 10);
    MkInnerMail rest = { .offset = length - bytes, .length = bytes };

    check_inner(&rest, data, row[COLUMN_INNER_SHA256], row[COLUMN_INNER_MESSAGE_ID]);
}

static void check_exchange(char **row, const MkJournal *j, const uint8_t *data)
{
    const char *also = strstr(row[COLUMN_NOTE], "(sha256 ");
    bool mid_differs = g_str_has_prefix(row[COLUMN_FILE], "26-");
    g_autofree char *in_angles = g_strdup_printf("<%s>", j->message_id);

    if (row[COLUMN_INNER_SHA256][0] != '\0')
        check_inner(&g_array_index(j->inner, MkInnerMail, 0), data, row[COLUMN_INNER_SHA256],
                    row[COLUMN_INNER_MESSAGE_ID]);
    g_assert_cmpuint(j->inner->len, ==, (row[COLUMN_INNER_SHA256][0] != '\0') + (also != NULL));
    if (also) {
        g_autofree char *sum = g_strndup(also + 8, 64);

        check_inner(&g_array_index(j->inner, MkInnerMail, 1), data, sum, NULL);
    }
    g_assert_cmpstr(j->subject ? j->subject : "", ==, row[COLUMN_SUBJECT]);
    g_assert_true(g_str_equal(in_angles, row[COLUMN_INNER_MESSAGE_ID]) != mid_differs);
    if (strstr(row[COLUMN_NOTE], "On-Behalf-Of: "))
        g_assert_cmpstr(j->on_behalf_of, ==, row[COLUMN_NOTE] + strlen("On-Behalf-Of: "));
}

static void check_row(char **row)
{
    g_autofree char *path = g_strdup_printf("journal/derived/%s", row[COLUMN_FILE]);
    size_t length;
    g_autofree uint8_t *data = corpus_file(path, &length);
    g_autoptr(MkJournal) j = mk_journal_parse(data, length);
    g_autofree char *recipients = recipients_text(j);

    g_test_message("%s: %s", row[COLUMN_FILE], kind_names[j->kind]);
    g_assert_cmpstr(kind_names[j->kind], ==, kind_of_row(row));
    g_assert_true((j->kind == MK_JOURNAL_BROKEN) == (j->problem != NULL));
    if (j->kind == MK_JOURNAL_NONE) {
        g_assert_cmpuint(j->recipients->len + j->inner->len, ==, 0);
        return;
    }
    g_assert_cmpstr(j->sender, ==, row[COLUMN_SENDER]);
    if (g_str_has_prefix(row[COLUMN_FILE], "13-")) { /* the table has the first three of 2500 */
        g_assert_cmpuint(j->recipients->len, ==, 2500);
        g_assert_true(g_str_has_prefix(recipients, row[COLUMN_RECIPIENTS]));
    } else {
        g_assert_cmpstr(recipients, ==, row[COLUMN_RECIPIENTS]);
    }
    if (j->kind == MK_JOURNAL_ROUTED)
        check_routed(row, data, length);
    else
        check_exchange(row, j, data);
}

static void test_truth(void)
{
    size_t length;
    unsigned count = 0;

    if (!corpus_there())
        return;
    g_autofree uint8_t *table = corpus_file("journal/derived/TRUTH.tsv", &length);
    g_auto(GStrv) lines = g_strsplit((char *) table, "\n", -1);
    for (guint i = 1; lines[i] && lines[i][0]; i++) {
        g_auto(GStrv) row = g_strsplit(lines[i], "\t", COLUMNS);

        g_assert_cmpuint(g_strv_length(row), ==, COLUMNS);
        check_row(row);
        count++;
    }
    g_assert_cmpuint(count, ==, 68);
}

/* -- the real ones ---------------------------------------------------------------------------- */

static const struct {
    const char *file;
    MkJournalKind kind;
    const char *sender;
    const char *recipients;
} real[] = {
    { "ace-ecosystem-ACE/extra_message_id.email.rfc822", MK_JOURNAL_EXCHANGE,
      "jrobinson@company.com", "Recipient=ashphish@integraldefense.com" },
    { "ace-ecosystem-ACE/o365_journaled.email.rfc822", MK_JOURNAL_EXCHANGE,
      "ap@someothercompany.com", "Recipient=lulu.zingzing@company.com" },
    { "ace-ecosystem-ACE/pdf_attachment.email.rfc822", MK_JOURNAL_EXCHANGE,
      "unixfreak0037@gmail.com", "Recipient=jwdavison@company.com" },
    { "ace-ecosystem-ACE/phish_me.email.rfc822", MK_JOURNAL_EXCHANGE, "CWare@company.com",
      "Recipient=valvphish@integraldefense.com" },
    { "ace-ecosystem-ACE/splunk_logging.email.rfc822", MK_JOURNAL_EXCHANGE,
      "unixfreak0037@gmail.com", "Recipient=jwdavison@company.com" },
    { "unixfreak0037-ace3/collectors__email__test_email__emails__o365_journaled.email.rfc822",
      MK_JOURNAL_EXCHANGE, "ap@someothercompany.com", "Recipient=lulu.zingzing@company.com" },
    { "unixfreak0037-ace3/collectors__email__test_email__emails__smtp.email.rfc822",
      MK_JOURNAL_NONE, NULL, "" },
    { "unixfreak0037-ace3/modules__test_email__emails__encrypted_msoffice.email.rfc822",
      MK_JOURNAL_NONE, NULL, "" },
};

static void test_real(void)
{
    if (!corpus_there())
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(real); i++) {
        g_autofree char *path = g_strdup_printf("journal/%s", real[i].file);
        size_t length;
        g_autofree uint8_t *data = corpus_file(path, &length);
        g_autoptr(MkJournal) j = mk_journal_parse(data, length);
        g_autofree char *recipients = recipients_text(j);

        g_test_message("%s", real[i].file);
        g_assert_cmpint(j->kind, ==, real[i].kind);
        g_assert_cmpstr(j->sender, ==, real[i].sender);
        g_assert_cmpstr(recipients, ==, real[i].recipients);
        g_assert_cmpuint(j->inner->len, ==, real[i].kind == MK_JOURNAL_EXCHANGE);
    }
}

/* Ordinary mail is never taken for a report. */
static void check_none(const char *name, const uint8_t *data, size_t length, void *user)
{
    g_autoptr(MkJournal) j = mk_journal_parse(data, length);
    unsigned *odd = user;

    if (j->kind == MK_JOURNAL_EXCHANGE || j->kind == MK_JOURNAL_BROKEN) {
        g_test_message("%s: %s", name, kind_names[j->kind]);
        (*odd)++;
    }
}

static void test_others(void)
{
    unsigned odd = 0;

    if (!corpus_there())
        return;
    corpus_each("real", check_none, &odd);
    corpus_each("torture", check_none, &odd);
    g_assert_cmpuint(odd, ==, 0);
}

/* -- by hand ------------------------------------------------------------------------------------ */

#define HEAD "X-MS-Journal-Report:\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
#define TEXT "--b\r\nContent-Type: text/plain\r\n\r\n"
#define ORIGINAL "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: a@x\r\n\r\nhi\r\n--b--\r\n"

static const struct {
    const char *name;
    const char *mail;
    const char *kind;
    const char *sender;
    const char *recipients;
} cases[] = {
    { "plain", HEAD TEXT "Sender: a@x\r\nTo: b@y" ORIGINAL, "exchange", "a@x", "To=b@y" },
    { "LF",
      "X-MS-Journal-Report:\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nSender: a@x\n"
      "Bcc: b@y\n--b\nContent-Type: message/rfc822\n\nFrom: a@x\n\nhi\n--b--\n",
      "exchange", "a@x", "Bcc=b@y" },
    { "the other field",
      "X-MS-Exchange-Organization-Journal-Report: x\r\n"
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n" TEXT "Sender: a@x\r\nCc: b@y" ORIGINAL,
      "exchange", "a@x", "Cc=b@y" },
    { "two on a line", HEAD TEXT "Sender: a@x\r\nTo: b@y, \"C, D\" <c@z>" ORIGINAL, "exchange",
      "a@x", "To=b@y;To=c@z" },
    { "expanded and forwarded",
      HEAD TEXT "Sender: a@x\r\nTo: b@y, Expanded: <l@y>, Forwarded: c@z" ORIGINAL, "exchange",
      "a@x", "To=b@y, Expanded: l@y, Forwarded: c@z" },
    { "no at sign", HEAD TEXT "Sender: a@x\r\nTo: /O=X/CN=Y" ORIGINAL, "exchange", "a@x",
      "To=/O=X/CN=Y" },
    { "blanks in lines", HEAD TEXT "Sender :  a@x  \r\n\r\nRECIPIENT:b@y \r\n" ORIGINAL, "exchange",
      "a@x", "Recipient=b@y" },
    { "a footer in the text", HEAD TEXT "Sender: a@x\r\nTo: b@y\r\n\r\nScanned: by us" ORIGINAL,
      "exchange", "a@x", "To=b@y" },
    { "folded subject", HEAD TEXT "Sender: a@x\r\nSubject: one\r\n To: c@z\r\nTo: b@y" ORIGINAL,
      "exchange", "a@x", "To=b@y" },
    { "byte order mark", HEAD TEXT "\xef\xbb\xbfSender: a@x\r\nTo: b@y" ORIGINAL, "exchange", "a@x",
      "To=b@y" },
    { "no sender", HEAD TEXT "To: b@y" ORIGINAL, "exchange", NULL, "To=b@y" },
    { "empty sender", HEAD TEXT "Sender: \r\nTo: b@y" ORIGINAL, "exchange", "", "To=b@y" },
    { "no text", HEAD "--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: a@x\r\n\r\nhi\r\n--b--\r\n",
      "broken", NULL, "" },
    { "field only", "X-MS-Journal-Report:\r\n\r\nhi\r\n", "broken", NULL, "" },
    { "nothing below", HEAD, "broken", NULL, "" },
    { "no field, exact structure",
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n" TEXT
      "Sender: a@x\r\nMessage-Id: <1@x>\r\nTo: b@y" ORIGINAL,
      "exchange", "a@x", "To=b@y" },
    { "no field, another line",
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n" TEXT
      "Sender: a@x\r\nMessage-Id: <1@x>\r\nTo: b@y\r\nhello" ORIGINAL,
      "none", NULL, "" },
    { "no field, quoted lines first",
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n" TEXT
      "To: b@y\r\nSender: a@x\r\nMessage-Id: <1@x>" ORIGINAL,
      "none", NULL, "" },
    { "google", "X-Gm-Original-To: b@y\r\nReturn-Path: <a@x>\r\nTo: l@z\r\n\r\nhi\r\n", "routed",
      "a@x", "Recipient=b@y" },
    { "null envelope", "X-Envelope-From: <>\r\nX-Envelope-To: b@y; c@y\r\n\r\nhi\r\n", "routed", "",
      "Recipient=b@y;Recipient=c@y" },
    { "delivered", "Delivered-To: b@y\r\nX-Original-To: b@y\r\n\r\nhi\r\n", "none", NULL, "" },
    { "empty", "", "none", NULL, "" },
};

static void test_cases(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(MkJournal) j =
            mk_journal_parse((const uint8_t *) cases[i].mail, strlen(cases[i].mail));
        g_autofree char *recipients = recipients_text(j);

        g_test_message("%s", cases[i].name);
        g_assert_cmpstr(kind_names[j->kind], ==, cases[i].kind);
        g_assert_cmpstr(j->sender, ==, cases[i].sender);
        g_assert_cmpstr(recipients, ==, cases[i].recipients);
        if (j->kind == MK_JOURNAL_EXCHANGE) {
            const MkInnerMail *inner = &g_array_index(j->inner, MkInnerMail, 0);

            g_assert_true(g_str_has_prefix(cases[i].mail + inner->offset, "From: a@x"));
            g_assert_true(g_str_has_suffix(cases[i].mail, "hi\r\n--b--\r\n")
                              ? g_str_has_prefix(cases[i].mail + inner->offset + inner->length - 2,
                                                 "hi\r\n--b--")
                              : inner->length == strlen("From: a@x\n\nhi"));
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    mk_mail_init();
    g_test_add_func("/mail/journal/cases", test_cases);
    g_test_add_func("/mail/journal/truth", test_truth);
    g_test_add_func("/mail/journal/real", test_real);
    g_test_add_func("/mail/journal/others", test_others);
    return g_test_run();
}
