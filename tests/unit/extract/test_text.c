/*
 * test_text.c - text files, pages, calendars, cards and mails: which words come out, and how
 */
#include <string.h>

#include <mailkeep/mail.h>

#include "samples.h"

static const struct {
    const char *what;
    MkDocumentKind kind;
    const char *data;
    size_t length;
    const char *text;
    MkTextResult result;
} cases[] = {
    { "ascii", MK_DOCUMENT_PLAIN, "a b\n", 4, "a b\n", MK_TEXT_COMPLETE },
    { "utf-8", MK_DOCUMENT_PLAIN, "gr\xc3\xbcn", 5, "grün", MK_TEXT_COMPLETE },
    { "utf-8 with a mark", MK_DOCUMENT_PLAIN, "\xef\xbb\xbfgr\xc3\xbcn", 8, "grün",
      MK_TEXT_COMPLETE },
    { "windows-1252", MK_DOCUMENT_PLAIN, "gr\xfcn \x80\x93", 7, "grün €“", MK_TEXT_COMPLETE },
    { "utf-16 little", MK_DOCUMENT_PLAIN, "\xff\xfeg\0r\0\xfc\0n\0", 10, "grün", MK_TEXT_COMPLETE },
    { "utf-16 big", MK_DOCUMENT_PLAIN, "\xfe\xff\0g\0r\0\xfc\0n", 10, "grün", MK_TEXT_COMPLETE },
    { "utf-16 without a mark", MK_DOCUMENT_PLAIN, "w\0o\0r\0d\0s\0 \0m\0o\0r\0e\0", 20,
      "words more", MK_TEXT_COMPLETE },
    { "half a surrogate", MK_DOCUMENT_PLAIN, "\xff\xfe\x3d\xd8x\0", 6, "\xef\xbf\xbdx",
      MK_TEXT_COMPLETE },
    { "a surrogate pair", MK_DOCUMENT_PLAIN, "\xff\xfe\x3d\xd8\x00\xde", 6, "\xf0\x9f\x98\x80",
      MK_TEXT_COMPLETE },
    { "controls and NUL", MK_DOCUMENT_PLAIN, "a\0b\1c\fd", 7, "a b c\nd", MK_TEXT_COMPLETE },
    { "blanks only", MK_DOCUMENT_PLAIN, " \n\t ", 4, " \n\t ", MK_TEXT_EMPTY },
    { "cut within a character", MK_DOCUMENT_PLAIN, "gr\xc3\xbcn \xe2\x82", 8, "grün \xef\xbf\xbd",
      MK_TEXT_COMPLETE },
    { "page", MK_DOCUMENT_HTML, "<p>a &amp; b<script>no</script>", 30, "a & b", MK_TEXT_COMPLETE },
    { "page with a charset", MK_DOCUMENT_HTML, "<meta charset=iso-8859-2><p>\xe8", 30, "č",
      MK_TEXT_COMPLETE },
    { "page with a charset that is none", MK_DOCUMENT_HTML, "<meta charset='x-y'><p>\xfc", 25, "ü",
      MK_TEXT_COMPLETE },
};

static void test_plain(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Verdict verdict;
        GString *text = sample_read(cases[i].kind, "x", (const uint8_t *) cases[i].data,
                                    cases[i].length, 10000, &verdict);

        g_test_message("%s", cases[i].what);
        g_assert_cmpstr(text->str, ==, cases[i].text);
        g_assert_cmpint(verdict.result, ==, cases[i].result);
        g_string_free(text, TRUE);
    }
}

/* Cut at every length: valid, and not one octet more (sample_read() looks). */
static void test_limit(void)
{
    const char data[] = "a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80z";

    for (size_t limit = 1; limit < sizeof data - 1; limit++) {
        Verdict verdict;
        GString *text = sample_read(MK_DOCUMENT_PLAIN, "x", OCTETS(data), limit, &verdict);

        g_assert_cmpint(verdict.result, ==, MK_TEXT_TRUNCATED);
        g_assert_cmpint(verdict.why, ==, MK_WHY_TEXT);
        g_assert_true(strncmp(data, text->str, text->len) == 0);
        g_assert_cmpuint(text->len + 4, >, limit);
        g_string_free(text, TRUE);
    }
}

/* -- calendars and cards --------------------------------------------------------------------------- */

static const struct {
    const char *data;
    const char *text;
} cards[] = {
    { "BEGIN:VCALENDAR\r\nSUMMARY:one two\r\n three\r\nDTSTART:20260101T000000Z\r\n",
      "one twothree\n" },
    { "SUMMARY;LANGUAGE=de:a\\, b\\; c\\n\\\\d\n", "a, b; c\n\\d\n" },
    { "ATTENDEE;CN=\"Doe: Jane\";ROLE=CHAIR:mailto:jane@example.com\n",
      " Doe: Jane \nmailto:jane@example.com\n" },
    { "N:Public;John;Quinlan;;Esq.\nTEL;TYPE=work:+49 1\n", "Public John Quinlan  Esq.\n+49 1\n" },
    { "item1.EMAIL;type=INTERNET:a@example.com\n", "a@example.com\n" },
    { "NOTE;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:gr=FCn =\r\nund blau\r\n",
      "grün und blau\n" },
    { "NOTE;ENCODING=BASE64:Z3LDvG4=\n", "grün\n" },
    { "PHOTO;ENCODING=BASE64:Z3LDvG4=\nUID:1234\n no text\nX-SOMETHING:x\n", "" },
    { "no colon\n:\nSUMMARY:\nSUMMARY", "\n" },
    { "NOTE;ENCODING=QUOTED-PRINTABLE:x=", "x\n" },
};

static void test_cards(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cards); i++) {
        Verdict verdict;
        GString *text = sample_read(MK_DOCUMENT_CALENDAR, "x", (const uint8_t *) cards[i].data,
                                    strlen(cards[i].data), 10000, &verdict);

        g_assert_cmpstr(text->str, ==, cards[i].text);
        g_string_free(text, TRUE);
        sample_torture(MK_DOCUMENT_CALENDAR, (const uint8_t *) cards[i].data,
                       strlen(cards[i].data));
    }
}

/* -- mails ------------------------------------------------------------------------------------------ */

#define INNER                                                                     \
    "Subject: inner subject\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n" \
    "--i\r\nContent-Type: text/plain\r\n\r\ninner body\r\n"                       \
    "--i\r\nContent-Type: text/calendar; name=x.ics\r\n\r\nSUMMARY:meeting\r\n"   \
    "--i\r\nContent-Type: application/octet-stream; name=words.txt\r\n"           \
    "Content-Transfer-Encoding: base64\r\n\r\nZGVlcCB3b3Jkcw==\r\n--i--\r\n"
#define OUTER                                                                                  \
    "From: Ann <ann@example.com>\r\nTo: bob@example.com\r\nSubject: =?utf-8?Q?gr=C3=BCn?=\r\n" \
    "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n\r\nouter body\r\n"               \
    "--o\r\nContent-Type: message/rfc822\r\n\r\n" INNER "\r\n--o--\r\n"

static unsigned count_of(const char *text, const char *word)
{
    unsigned count = 0;

    for (; (text = strstr(text, word)); text++)
        count++;
    return count;
}

static void test_mail(void)
{
    static const char *const expected[] = { "Ann",        "bob@example.com", "grün",
                                            "outer body", "inner subject",   "inner body",
                                            "meeting",    "words.txt",       "deep words" };
    Verdict verdict;
    GString *text = sample_read(MK_DOCUMENT_EML, "a.eml", OCTETS(OUTER), 10000, &verdict);

    g_assert_cmpint(verdict.result, ==, MK_TEXT_COMPLETE);
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_test_message("%s", expected[i]);
        g_assert_cmpuint(count_of(text->str, expected[i]), ==, 1);
    }
    g_string_free(text, TRUE);
    sample_torture(MK_DOCUMENT_EML, OCTETS(OUTER));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    mk_mail_init();
    g_test_add_func("/extract/text/plain", test_plain);
    g_test_add_func("/extract/text/limit", test_limit);
    g_test_add_func("/extract/text/cards", test_cards);
    g_test_add_func("/extract/text/mail", test_mail);
    return g_test_run();
}
