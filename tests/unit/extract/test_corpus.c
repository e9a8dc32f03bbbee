/*
 * test_corpus.c - real documents, when $MAILKEEP_CORPUS names a corpus: what other programs found in
 * them comes out, and nothing crashes
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "samples.h"

static MkExtractor *extractor;

static bool corpus_there(void)
{
    g_autofree char *program = g_build_filename(g_getenv("BIN_DIR"), "mailkeep-extract", NULL);
    MkExtractorOptions options = MK_EXTRACTOR_OPTIONS_INIT;

    if (!g_getenv("MAILKEEP_CORPUS")) {
        g_test_skip("MAILKEEP_CORPUS is not set");
        return false;
    }
    options.program = program;
    if (!extractor)
        extractor = mk_extractor_new(&options);
    return true;
}

static char *corpus_path(const char *name)
{
    return g_build_filename(g_getenv("MAILKEEP_CORPUS"), name, NULL);
}

/* False when there is no such file (large ones are packed). */
static bool read_file(const char *path, MkExtracted *out)
{
    g_autofree char *data = NULL, *name = g_path_get_basename(path);
    gsize length;

    if (!g_file_get_contents(path, &data, &length, NULL))
        return false;
    mk_extractor_read(extractor, mk_document_kind(NULL, name, (const uint8_t *) data, length), name,
                      (const uint8_t *) data, length, out);
    g_assert_true(g_utf8_validate_len(out->text->str, out->text->len, NULL));
    return true;
}

static void each_line(const char *name, void (*on_line)(char **fields, void *user), void *user)
{
    g_autofree char *path = corpus_path(name), *text = NULL;
    g_auto(GStrv) lines = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines + 1; *line; line++)
        if (**line) {
            g_auto(GStrv) fields = g_strsplit(*line, "\t", -1);

            on_line(fields, user);
        }
}

/* -- words that must come out ------------------------------------------------------------------------- */

typedef struct {
    unsigned words, found, documents;
} Score;

/* unrtf gives metadata as text, so its words are a hint only. */
static void score_words(char **fields, void *user)
{
    g_autofree char *path = corpus_path(fields[0]), *lower = NULL;
    g_auto(MkExtracted) out = { .text = NULL };
    g_auto(GStrv) words = NULL;
    Score *score = user;

    if (g_strv_length(fields) < 4 || fields[3][0] == '\0' || strstr(fields[1], "unrtf") ||
        !read_file(path, &out))
        return;
    words = g_strsplit(fields[3], " ", -1);
    lower = g_utf8_strdown(out.text->str, (gssize) out.text->len);
    score->documents++;
    for (char **word = words; *word; word++) {
        g_autofree char *wanted = g_utf8_strdown(*word, -1);

        score->words++;
        score->found += strstr(lower, wanted) != NULL;
    }
}

static void test_words(void)
{
    Score score = { 0, 0, 0 };

    if (!corpus_there())
        return;
    each_line("attachments/EXPECT.tsv", score_words, &score);
    g_test_message("%u of %u words in %u documents", score.found, score.words, score.documents);
    g_assert_cmpuint(score.documents, >, 300);
    g_assert_cmpuint(score.found * 100, >=, score.words * 98);
}

/* -- mails of Outlook ------------------------------------------------------------------------------------ */

typedef struct {
    unsigned mails, failed, empty;
} Mails;

static void read_msg_line(char **fields, void *user)
{
    g_autofree char *path = corpus_path(fields[0]);
    g_auto(MkExtracted) out = { .text = NULL };
    Mails *mails = user;

    if (!read_file(path, &out))
        return;
    mails->mails++;
    mails->failed += out.result == MK_TEXT_FAILED;
    mails->empty += g_strv_length(fields) > 3 && fields[3][0] != '\0' &&
                    strcmp(fields[3], "-") != 0 && out.text->len == 0;
}

static void test_msg(void)
{
    Mails mails = { 0, 0, 0 };

    if (!corpus_there())
        return;
    each_line("msg/EXPECT.tsv", read_msg_line, &mails);
    g_test_message("%u mails, %u failed, %u empty", mails.mails, mails.failed, mails.empty);
    g_assert_cmpuint(mails.mails, >, 140);
    g_assert_cmpuint(mails.failed, <=, 2);
    g_assert_cmpuint(mails.empty, <=, 1); /* blank.msg is */
}

/* -- winmail.dat: the names in X.list are those in X.tnef -------------------------------------------------- */

/* Programs that unpack make up names for bodies and for what has none. */
static bool is_made_up(const char *name)
{
    return !strchr(name, '.') || strstr(name, "body.") || strstr(name, "message.") ||
           !g_str_is_ascii(name);
}

static void check_names(const char *list, unsigned *files, unsigned *missing)
{
    g_autofree char *base = g_strndup(list, strlen(list) - strlen(".list")), *text = NULL;
    g_autofree char *path = g_strconcat(base, ".tnef", NULL);
    g_auto(MkExtracted) out = { .text = NULL };
    g_auto(GStrv) names = NULL;

    if (!g_file_get_contents(list, &text, NULL, NULL) || !read_file(path, &out))
        return;
    (*files)++;
    names = g_strsplit(text, "\n", -1);
    for (char **name = names; *name; name++) {
        g_strstrip(*name);
        if (is_made_up(*name) || strstr(out.text->str, *name))
            continue;
        g_test_message("%s: no %s", list, *name);
        (*missing)++;
    }
}

static void test_tnef(void)
{
    g_autofree char *folder = NULL;
    g_autoptr(GDir) dirs = NULL;
    unsigned files = 0, missing = 0;
    const char *name;

    if (!corpus_there())
        return;
    folder = corpus_path("tnef");
    dirs = g_dir_open(folder, 0, NULL);
    while ((name = g_dir_read_name(dirs))) {
        g_autofree char *below = g_build_filename(folder, name, NULL);
        g_autoptr(GDir) dir = g_dir_open(below, 0, NULL);
        const char *file;

        while (dir && (file = g_dir_read_name(dir)))
            if (g_str_has_suffix(file, ".list")) {
                g_autofree char *list = g_build_filename(below, file, NULL);

                check_names(list, &files, &missing);
            }
    }
    g_assert_cmpuint(files, >=, 7);
    g_assert_cmpuint(missing, ==, 0);
}

/* -- hostile mails ----------------------------------------------------------------------------------------- */

static void read_below(const char *path, unsigned *count)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    g_auto(MkExtracted) out = { .text = NULL };
    g_autofree char *data = NULL;
    const char *name;
    gsize length;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *below = g_build_filename(path, name, NULL);

        read_below(below, count);
    }
    if (dir || !g_file_get_contents(path, &data, &length, NULL) || length == 0 ||
        g_str_has_suffix(path, ".zst"))
        return;
    mk_extractor_read(extractor, MK_DOCUMENT_EML, "a.eml", (const uint8_t *) data, length, &out);
    (*count)++;
    if (out.result == MK_TEXT_FAILED)
        g_test_message("%s: %s", path, out.why);
    g_assert_true(out.result != MK_TEXT_FAILED);
}

static void test_torture(void)
{
    g_autofree char *path = NULL;
    unsigned count = 0;

    if (!corpus_there())
        return;
    path = corpus_path("torture");
    read_below(path, &count);
    g_assert_cmpuint(count, >, 1000);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/extract/corpus/words", test_words);
    g_test_add_func("/extract/corpus/msg", test_msg);
    g_test_add_func("/extract/corpus/tnef", test_tnef);
    g_test_add_func("/extract/corpus/torture", test_torture);
    status = g_test_run();
    mk_extractor_free(extractor);
    return status;
}
