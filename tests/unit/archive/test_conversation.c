/* test_conversation.c - which mails belong together, by their headers */
#include <string.h>

#include "archive/internal.h"
#include "fixture.h"

static const struct {
    const char *subject;
    const char *normal;
} subjects[] = {
    { "Angebot 4711", "angebot 4711" },
    { "Re: Angebot 4711", "angebot 4711" },
    { "RE: AW: WG: Antw: SV: Fwd: FW: Angebot 4711", "angebot 4711" },
    { "Re[2]: Re^3: Re(4): Angebot 4711", "angebot 4711" },
    { "[list] Re: [list] Angebot 4711", "angebot 4711" },
    { " \t re :  Angebot\t \n 4711  ", "angebot 4711" },
    { "回复: Angebot 4711", "angebot 4711" },
    { "Re： Angebot 4711", "angebot 4711" },
    { "STRASSE", "strasse" },
    { "Straße", "strasse" },
    { "Re:", "" },
    { "", "" },
    { "[ticket 17]", "[ticket 17]" },
    { "Reise: Hotel", "reise: hotel" },
    { "Re Angebot", "re angebot" },
    { "Re[x]: Angebot", "re[x]: angebot" },
    { "Re", "re" },
};

static void test_subjects(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(subjects); i++) {
        g_autofree char *normal = subject_normalise(subjects[i].subject);

        g_assert_cmpstr(normal, ==, subjects[i].normal);
    }
}

/* An answer to a mail that the batch does not know any more. */
static uint64_t lookup(const char *message_id, uint64_t own, char **out_subject, void *cookie)
{
    (void) own;
    if (strcmp(message_id, "known@x") != 0)
        return 0;
    *out_subject = g_strdup("word");
    return *(uint64_t *) cookie;
}

static uint64_t number(const MkKey *key, const char *header)
{
    g_autofree char *mail = fixture_crlf(header);
    g_autoptr(MkMailSummary) summary = mk_mail_summary((const uint8_t *) mail, strlen(mail));
    uint64_t known = 4711;

    return conversation_number(key, summary, lookup, &known);
}

static void test_numbers(void)
{
    uint8_t bytes[2][MK_KEY_BYTES] = { { 1 }, { 2 } };
    g_autoptr(MkKey) key = mk_key_new_from(bytes[0]), other = mk_key_new_from(bytes[1]);
    uint64_t root = number(key, "Message-ID: <1@x>\nSubject: Word\n\n");

    g_assert_cmpuint(root, !=, 0);
    g_assert_cmpuint(root >> 48, ==, 0);
    g_assert_cmpuint(number(key, "Message-ID: <2@x>\nSubject: AW: word\nReferences: <1@x>\n\n"), ==,
                     root);
    g_assert_cmpuint(number(key, "Message-ID: <3@x>\nSubject: Re: Word\n"
                                 "References: <1@x> <2@x>\nIn-Reply-To: <2@x>\n\n"),
                     ==, root);
    g_assert_cmpuint(number(key, "Message-ID: <4@x>\nSubject: Re: Word\nIn-Reply-To: <1@x>\n\n"),
                     ==, root);
    g_assert_cmpuint(number(key, "Message-ID: <5@x>\nSubject: Re: Other\nReferences: <1@x>\n\n"),
                     !=, root);
    g_assert_cmpuint(number(key, "Message-ID: <6@x>\nSubject: Word\n\n"), !=, root);
    g_assert_cmpuint(
        number(key, "Message-ID: <7@x>\nSubject: Re: Word\nIn-Reply-To: <known@x>\n\n"), ==, 4711);
    /* Who answers but writes of something else begins anew, as with References. */
    g_assert_cmpuint(
        number(key, "Message-ID: <8@x>\nSubject: Holidays\nIn-Reply-To: <known@x>\n\n"), ==,
        number(key, "Message-ID: <9@x>\nSubject: Re: Holidays\nReferences: <known@x>\n\n"));
    g_assert_cmpuint(number(key, "Subject: Word\n\n"), ==, 0);
    g_assert_cmpuint(number(other, "Message-ID: <1@x>\nSubject: Word\n\n"), !=, root);
}

/* -- in an archive ------------------------------------------------------------------------------- */
static void answer(Fixture *f, const char *id, const char *subject, const char *field)
{
    g_autofree char *mail = g_strdup_printf("From: x@example.org\r\nTo: y@example.org\r\n"
                                            "Subject: %s\r\nMessage-ID: <%s>\r\n%s\r\n\r\nText\r\n",
                                            subject, id, field);

    fixture_ingest(f, mail, strlen(mail));
}

static uint64_t conversation_in(Fixture *f, const char *id)
{
    MkIndex *index = ((ArchiveStore *) f->archive->stores->pdata[0])->index;
    g_autoptr(GArray) numbers = mk_index_lookup(index, id, 1, NULL);
    g_auto(MkIndexedMail) mail = { 0 };

    g_assert_cmpuint(numbers->len, ==, 1);
    g_assert_true(mk_index_mail(index, g_array_index(numbers, uint32_t, 0), &mail, NULL));
    return mail.conversation;
}

/* Answers to an answer that name only it: its subject is looked for in the store. */
static void test_answers(void)
{
    uint64_t root;
    Fixture f;

    fixture_init(&f);
    answer(&f, "1@x", "Word", "X-First: yes");
    answer(&f, "2@x", "Re: Word", "References: <1@x>");
    fixture_wait_indexed(&f);
    answer(&f, "3@x", "AW: Word", "In-Reply-To: <2@x>");
    answer(&f, "4@x", "Holidays", "In-Reply-To: <2@x>");
    fixture_wait_indexed(&f);
    root = conversation_in(&f, "1@x");
    g_assert_cmpuint(conversation_in(&f, "2@x"), ==, root);
    g_assert_cmpuint(conversation_in(&f, "3@x"), ==, root);
    g_assert_cmpuint(conversation_in(&f, "4@x"), !=, root);
    fixture_clear(&f);
}

static uint64_t copy_of(const MkKey *key, const char *header)
{
    g_autofree char *mail = fixture_crlf(header);
    g_autoptr(MkMailSummary) summary = mk_mail_summary((const uint8_t *) mail, strlen(mail));

    return copy_number(key, summary);
}

static void test_copies(void)
{
    uint8_t bytes[MK_KEY_BYTES] = { 1 };
    g_autoptr(MkKey) key = mk_key_new_from(bytes);
    uint64_t first = copy_of(key, "Received: from a\nMessage-ID: <1@x>\nFrom: a@x\nSubject: S\n"
                                  "Date: Tue, 05 May 2026 10:00:00 +0200\n\n");

    g_assert_cmpuint(first, ==,
                     copy_of(key, "Received: from b\nDate: Tue, 05 May 2026 08:00:00 +0000\n"
                                  "X-Way: other\nMessage-ID: <1@x>\nFrom: a@x\nSubject: S\n\n"));
    g_assert_cmpuint(first, !=,
                     copy_of(key, "Message-ID: <2@x>\nFrom: a@x\nSubject: S\n"
                                  "Date: Tue, 05 May 2026 10:00:00 +0200\n\n"));
    g_assert_cmpuint(first, !=,
                     copy_of(key, "Message-ID: <1@x>\nFrom: b@x\nSubject: S\n"
                                  "Date: Tue, 05 May 2026 10:00:00 +0200\n\n"));
    g_assert_cmpuint(copy_of(key, "From: a@x\nSubject: S\n\n"), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_setup();
    g_test_add_func("/conversation/subjects", test_subjects);
    g_test_add_func("/conversation/numbers", test_numbers);
    g_test_add_func("/conversation/answers", test_answers);
    g_test_add_func("/conversation/copies", test_copies);
    return g_test_run();
}
