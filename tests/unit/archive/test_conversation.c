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

static uint64_t lookup(const char *message_id, void *cookie)
{
    return strcmp(message_id, "known@x") == 0 ? *(uint64_t *) cookie : 0;
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
    g_assert_cmpuint(number(key, "Subject: Word\n\n"), ==, 0);
    g_assert_cmpuint(number(other, "Message-ID: <1@x>\nSubject: Word\n\n"), !=, root);
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
    g_test_add_func("/conversation/copies", test_copies);
    return g_test_run();
}
