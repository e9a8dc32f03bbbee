/*
 * test_suggest.c - completing words: in order, and never from mails that may not be seen
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "samples.h"

static void add(MkIndexWriter *writer, uint32_t number, uint32_t folder, MkField field,
                const char *text)
{
    const char *const values[] = { text, NULL };
    MkIndexDoc doc = { .number = number, .folders = &folder, .folder_count = 1 };
    doc.values[field] = values;
    mk_index_writer_add(writer, &doc);
}

static void commit(Sample *sample, MkIndexWriter *writer, uint64_t watermark)
{
    g_assert_true(mk_index_writer_commit(writer, watermark, NULL));
    g_assert_nonnull(sample->index);
}

static void expect(Sample *sample, MkSuggest suggest, const char *prefix, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) got = g_string_new(NULL);
    suggest.prefix = prefix;
    suggest.limit = suggest.limit > 0 ? suggest.limit : 10;
    g_autoptr(GPtrArray) found = mk_index_suggest(sample->index, &suggest, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < found->len; i++) {
        const MkSuggestion *suggestion = found->pdata[i];
        g_string_append_printf(got, "%s%s %u", i > 0 ? ", " : "", suggestion->text,
                               (unsigned) suggestion->mails);
    }
    g_assert_cmpstr(got->str, ==, words);
}

static void fill(Sample *sample)
{
    MkIndexWriter *writer = mk_index_writer_new(sample->index);
    add(writer, 1, 1, MK_FIELD_SUBJECT, "Rechnung Rechnung Rechnungen Rechen");
    add(writer, 2, 1, MK_FIELD_BODY, "Rechnung, Recht; Müller");
    add(writer, 3, 2, MK_FIELD_BODY, "Rechnung rechtswidrig geheim");
    commit(sample, writer, 1);
    writer = mk_index_writer_new(sample->index);
    add(writer, 4, 2, MK_FIELD_FROM, "rechnung@example.com geheimnis");
    add(writer, 5, 3, MK_FIELD_BODY, "Recht geheim");
    add(writer, 6, 1, MK_FIELD_MESSAGE_ID, "rechner@host");
    add(writer, 7, 1, MK_FIELD_ENVELOPE, "rechnend@host");
    add(writer, 8, 1, MK_FIELD_ATTACHMENT_TEXT, "rechthaber");
    add(writer, 9, 1, MK_FIELD_BODY, "東京都 한국어");
    commit(sample, writer, 2);
}

static void test_words(void)
{
    Sample sample;
    MkSuggest all = { 0 };
    sample_init(&sample);
    expect(&sample, all, "rech", "");
    fill(&sample);
    expect(&sample, all, "rech", "rechnung 4, recht 2, rechen 1, rechnungen 1, rechtswidrig 1");
    expect(&sample, all, "RECHN", "rechnung 4, rechnungen 1");
    expect(&sample, all, "mül", "müller 1");
    expect(&sample, all, "mul", "muller 1");
    expect(&sample, all, "東", "東京 1");
    expect(&sample, all, "xyz", "");
    expect(&sample, all, "", "");
    expect(&sample, all, "rechnung.com", "");
    expect(&sample, all, "caf\xE9", "");
    expect(&sample, (MkSuggest){ .limit = 2 }, "rech", "rechnung 4, recht 2");
    expect(&sample, (MkSuggest){ .limit = 1000000 }, "rechnungen", "rechnungen 1");
    expect(&sample, (MkSuggest){ .fields = MK_FIELD_BIT(MK_FIELD_FROM) }, "rech", "rechnung 1");
    expect(&sample, (MkSuggest){ .fields = MK_FIELD_BIT(MK_FIELD_ATTACHMENT_TEXT) }, "rech",
           "rechthaber 1");
    /* neither is a word, whoever asks */
    expect(&sample,
           (MkSuggest){ .fields =
                            MK_FIELD_BIT(MK_FIELD_MESSAGE_ID) | MK_FIELD_BIT(MK_FIELD_ENVELOPE) },
           "rech", "");
    sample_clear(&sample);
}

/* The dictionary must not tell of mails in folders that were not given. */
static void test_folders(void)
{
    static const uint32_t one[] = { 1 }, three[] = { 3 }, one_three[] = { 3, 1 };
    Sample sample;
    sample_init(&sample);
    fill(&sample);
    MkSuggest suggest = { .folders = one, .folder_count = 1 };
    expect(&sample, suggest, "geh", "");
    expect(&sample, suggest, "rech", "rechnung 4, recht 2, rechen 1, rechnungen 1");
    suggest = (MkSuggest){ .folders = three, .folder_count = 1 };
    expect(&sample, suggest, "geh", "geheim 2");
    expect(&sample, suggest, "rech", "recht 2");
    suggest = (MkSuggest){ .folders = one_three, .folder_count = 2 };
    expect(&sample, suggest, "geh", "geheim 2");
    suggest = (MkSuggest){ .folders = one, .folder_count = 0 };
    expect(&sample, suggest, "rech", "");
    /* a field that is not asked for does not make a word visible */
    suggest =
        (MkSuggest){ .folders = one, .folder_count = 1, .fields = MK_FIELD_BIT(MK_FIELD_FROM) };
    expect(&sample, suggest, "rech", "");
    sample_clear(&sample);
}

static void test_deleted(void)
{
    Sample sample;
    sample_init(&sample);
    fill(&sample);
    MkIndexWriter *writer = mk_index_writer_new(sample.index);
    mk_index_writer_remove(writer, 3);
    mk_index_writer_remove(writer, 4);
    commit(&sample, writer, 3);
    expect(&sample, (MkSuggest){ 0 }, "geh", "geheim 2"); /* mail 5 has it still */
    expect(&sample, (MkSuggest){ 0 }, "rechts", "");
    writer = mk_index_writer_new(sample.index);
    mk_index_writer_remove(writer, 5);
    commit(&sample, writer, 4);
    expect(&sample, (MkSuggest){ 0 }, "geh", "");
    sample_clear(&sample);
}

static void test_cancelled(void)
{
    static const int cancelled = 1;
    Sample sample;
    g_autoptr(GError) error = NULL;
    sample_init(&sample);
    fill(&sample);
    MkSuggest suggest = { .prefix = "re", .limit = 5, .cancelled = &cancelled };
    g_assert_null(mk_index_suggest(sample.index, &suggest, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_CANCELLED);
    sample_clear(&sample);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/index/suggest/words", test_words);
    g_test_add_func("/index/suggest/folders", test_folders);
    g_test_add_func("/index/suggest/deleted", test_deleted);
    g_test_add_func("/index/suggest/cancelled", test_cancelled);
    return g_test_run();
}
