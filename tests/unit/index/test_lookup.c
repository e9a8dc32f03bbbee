/*
 * test_lookup.c - single mails: their columns, Message-IDs, the numbers of all
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "samples.h"

/* Numbers, joined by blanks. */
static char *join(GArray *numbers)
{
    GString *out = g_string_new(NULL);
    g_assert_nonnull(numbers);
    for (guint i = 0; i < numbers->len; i++)
        g_string_append_printf(out, "%s%u", i > 0 ? " " : "", g_array_index(numbers, uint32_t, i));
    g_array_unref(numbers);
    return g_string_free(out, FALSE);
}

static void expect_ids(Sample *sample, const char *message_id, unsigned max, const char *numbers)
{
    g_autofree char *got = join(mk_index_lookup(sample->index, message_id, max, NULL));
    g_assert_cmpstr(got, ==, numbers);
}

static void expect_numbers(Sample *sample, uint32_t after, unsigned max, const char *numbers)
{
    g_autofree char *got = join(mk_index_numbers(sample->index, after, max, NULL));
    g_assert_cmpstr(got, ==, numbers);
}

static void add(MkIndexWriter *writer, uint32_t number, const char *message_id,
                const MkAttachmentText *attachments, size_t count)
{
    const char *const ids[] = { message_id, NULL };
    const char *const subjects[] = { "some words", NULL };
    MkIndexDoc doc = { .number = number,
                       .conversation = UINT64_C(0xFFFF00000000ABCD) + number,
                       .copy = number % 3,
                       .flags = 5,
                       .attachments = attachments,
                       .attachment_count = count };
    doc.values[MK_FIELD_MESSAGE_ID] = ids;
    doc.values[MK_FIELD_SUBJECT] = subjects;
    mk_index_writer_add(writer, &doc);
}

static void commit(MkIndexWriter *writer, uint64_t watermark)
{
    g_autoptr(GError) error = NULL;
    mk_index_writer_commit(writer, watermark, &error);
    g_assert_no_error(error);
}

static void test_message_ids(void)
{
    Sample sample;
    bool merged = false;
    g_autofree char *odd = g_strnfill(200, 'x'), *other = g_strnfill(200, 'x');
    other[199] = 'y'; /* differs only where a term has no room for it */
    sample_init(&sample);
    for (uint32_t i = 1; i <= 8; i++) {
        MkIndexWriter *writer = mk_index_writer_new(sample.index);
        add(writer, i, "Some.Words@example.com", NULL, 0);
        add(writer, 10 + i, i % 2 ? odd : other, NULL, 0);
        add(writer, 20 + i, "\xFF\xFE*", NULL, 0);
        commit(writer, i);
    }
    for (unsigned round = 0; round < 2; round++) {
        expect_ids(&sample, "Some.Words@example.com", 100, "8 7 6 5 4 3 2 1");
        expect_ids(&sample, "Some.Words@example.com", 3, "8 7 6");
        expect_ids(&sample, "some.words@example.com", 3, "");
        expect_ids(&sample, "Some", 3, "");
        expect_ids(&sample, "some", 3, ""); /* a word of the subject */
        expect_ids(&sample, "", 3, "");
        expect_ids(&sample, odd, 100, "17 15 13 11");
        expect_ids(&sample, other, 100, "18 16 14 12");
        expect_ids(&sample, "\xFF\xFE*", 1, "28");
        /* no clause looks at them */
        g_autofree char *word = sample_find(&sample, "example", true);
        g_assert_cmpstr(word, ==, "");
        g_autofree char *ends = sample_find(&sample, "*com", true);
        g_assert_cmpstr(ends, ==, "");
        g_autofree char *begins = sample_find(&sample, "xxx*", true);
        g_assert_cmpstr(begins, ==, "");
        if (round == 0)
            g_assert_true(mk_index_merge(sample.index, NULL, &merged, NULL));
    }
    g_assert_true(merged);

    MkIndexWriter *writer = mk_index_writer_new(sample.index);
    mk_index_writer_remove(writer, 8);
    add(writer, 7, "new@example.com", NULL, 0);
    commit(writer, 9);
    expect_ids(&sample, "Some.Words@example.com", 2, "6 5");
    expect_ids(&sample, "new@example.com", 2, "7");
    sample_clear(&sample);
}

static void expect_mail(Sample *sample, uint32_t number, size_t attachments)
{
    g_auto(MkIndexedMail) mail = { 0 };
    g_autoptr(GError) error = NULL;
    g_assert_true(mk_index_mail(sample->index, number, &mail, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(mail.conversation, ==, 0xABCD + number); /* 48 bits of it */
    g_assert_cmpuint(mail.copy, ==, number % 3);
    g_assert_cmpuint(mail.attachments->len, ==, attachments);
    uint32_t flags = 5;
    for (guint i = 0; i < attachments; i++) {
        const MkAttachmentText *item = &g_array_index(mail.attachments, MkAttachmentText, i);
        g_assert_cmpuint(item->part, ==, 9 - i);
        g_assert_cmpuint(item->result, ==, 1 + i);
        g_assert_cmpuint(item->text_bytes, ==, number * 100 + i);
        flags |= i >= 1 && i <= 4 ? MK_INDEX_TEXT_TRUNCATED << (i - 1) : 0;
    }
    g_assert_cmpuint(mail.flags, ==, flags);
}

static void test_mails(void)
{
    enum { MAILS = 2500 }; /* more than two blocks of a column */
    Sample sample;
    uint64_t blocks, errors;
    bool merged = false;
    sample_init(&sample);
    for (uint32_t part = 0; part < 8; part++) {
        MkIndexWriter *writer = mk_index_writer_new(sample.index);
        for (uint32_t number = 1 + part; number <= MAILS; number += 8) {
            MkAttachmentText items[6];
            for (uint32_t i = 0; i < 6; i++)
                items[i] = (MkAttachmentText){ 9 - i, (MkTextResult) (1 + i), number * 100 + i };
            add(writer, number, "a@b", items, number % 50 < 7 ? number % 50 : 0);
        }
        commit(writer, part + 1);
    }
    for (unsigned round = 0; round < 2; round++) {
        for (uint32_t number = 1; number <= MAILS; number += 1 + number % 3)
            expect_mail(&sample, number, number % 50 < 7 ? number % 50 : 0);
        g_assert_true(mk_index_verify(sample.index, &blocks, &errors, NULL));
        g_assert_cmpuint(errors, ==, 0);
        if (round == 0)
            g_assert_true(mk_index_merge(sample.index, NULL, &merged, NULL));
    }
    g_assert_true(merged);

    g_auto(MkIndexedMail) none = { 0 };
    g_autoptr(GError) error = NULL;
    g_assert_false(mk_index_mail(sample.index, MAILS + 1, &none, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_NOT_FOUND);
    sample_clear(&sample);
}

static void test_numbers(void)
{
    Sample sample;
    sample_init(&sample);
    expect_numbers(&sample, 0, 100, "");
    MkIndexWriter *writer = mk_index_writer_new(sample.index);
    for (uint32_t number = 10; number <= 30000; number += 10)
        add(writer, number, "a@b", NULL, 0);
    commit(writer, 1);
    writer = mk_index_writer_new(sample.index);
    add(writer, 15, "a@b", NULL, 0);
    add(writer, 20, "a@b", NULL, 0);
    mk_index_writer_remove(writer, 30);
    add(writer, UINT32_MAX, "a@b", NULL, 0);
    commit(writer, 2);

    expect_numbers(&sample, 0, 5, "10 15 20 40 50");
    expect_numbers(&sample, 15, 2, "20 40");
    expect_numbers(&sample, 10244, 3, "10250 10260 10270");
    expect_numbers(&sample, 29990, 5, "30000 4294967295");
    expect_numbers(&sample, UINT32_MAX, 5, "");
    expect_numbers(&sample, 0, 0, "");

    uint32_t after = 0, count = 0;
    for (;;) { /* all of them, page by page */
        g_autoptr(GArray) page = mk_index_numbers(sample.index, after, 700, NULL);
        for (guint i = 0; i < page->len; i++) {
            g_assert_cmpuint(g_array_index(page, uint32_t, i), >, after);
            after = g_array_index(page, uint32_t, i);
        }
        count += page->len;
        if (page->len < 700)
            break;
    }
    g_assert_cmpuint(count, ==, 3000 - 1 + 2);
    sample_clear(&sample);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/index/lookup/message-ids", test_message_ids);
    g_test_add_func("/index/lookup/mails", test_mails);
    g_test_add_func("/index/lookup/numbers", test_numbers);
    return g_test_run();
}
