/*
 * test_extractor.c - the client with a helper that lies, dies and hangs, and with the real one
 */
#include <mailkeep/text.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>

static char *program(const char *name)
{
    return g_build_filename(g_getenv("BIN_DIR"), name, NULL);
}

static MkExtractor *extractor_new(const char *name, uint32_t text_bytes, uint32_t seconds)
{
    g_autofree char *path = program(name);
    MkExtractorOptions options = MK_EXTRACTOR_OPTIONS_INIT;

    options.program = path;
    options.text_bytes = text_bytes;
    options.seconds = seconds;
    return mk_extractor_new(&options);
}

static void read_text(MkExtractor *extractor, const char *text, MkExtracted *out)
{
    mk_extractor_read(extractor, MK_DOCUMENT_PLAIN, "a.txt", (const uint8_t *) text, strlen(text),
                      out);
    g_assert_true(g_utf8_validate_len(out->text->str, out->text->len, NULL));
    g_assert_null(memchr(out->text->str, '\0', out->text->len));
}

#define FAKE "tests/tools/extract_fake"

/* -- a fake helper -------------------------------------------------------------------------------- */

static const struct {
    const char *word;
    MkTextResult result;
    const char *why;
    const char *text;
} lies[] = {
    { "ok", MK_TEXT_COMPLETE, NULL, "some " },
    { "crash", MK_TEXT_FAILED, "crash", "" },
    { "cut", MK_TEXT_FAILED, "crash", "some " },
    { "garbage", MK_TEXT_FAILED, "protocol", "some " },
    { "long", MK_TEXT_FAILED, "protocol", "some " },
    { "empty", MK_TEXT_FAILED, "protocol", "some " },
    { "result", MK_TEXT_FAILED, "protocol", "some " },
    { "hang", MK_TEXT_FAILED, "time", "some " },
    { "letters", MK_TEXT_COMPLETE, NULL, "some a b" },
    { "leave", MK_TEXT_COMPLETE, NULL, "some " },
    { "descriptor", MK_TEXT_COMPLETE, NULL, "some " },
};

static void test_lies(void)
{
    g_autoptr(MkExtractor) extractor = extractor_new(FAKE, 1000, 0);

    for (size_t i = 0; i < G_N_ELEMENTS(lies); i++) {
        g_auto(MkExtracted) out = { .text = NULL }, after = { .text = NULL };

        g_test_message("%s", lies[i].word);
        read_text(extractor, lies[i].word, &out);
        g_assert_cmpint(out.result, ==, lies[i].result);
        g_assert_cmpstr(out.why, ==, lies[i].why);
        g_assert_true(g_str_has_prefix(out.text->str, lies[i].text));
        /* Whatever happened, the next document is read. */
        read_text(extractor, "ok", &after);
        g_assert_cmpint(after.result, ==, MK_TEXT_COMPLETE);
        g_assert_cmpstr(after.text->str, ==, "some ");
    }
}

/* None of what a helper says instead of a picture goes on. */
static void test_lies_of_pages(void)
{
    g_autoptr(MkExtractor) extractor = extractor_new(FAKE, 1000, 0);
    static const struct {
        const char *word;
        const char *why;
    } pages[] = {
        { "ok", "protocol" },    { "crash", "crash" },    { "cut", "crash" },
        { "flood", "protocol" }, { "empty", "protocol" }, { "hang", "time" },
        { "leave", "protocol" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
        const char *word = pages[i].word;
        g_auto(MkPagePicture) out = { .png = NULL };

        g_test_message("%s", word);
        mk_extractor_draw(extractor, 1, (const uint8_t *) word, strlen(word), &out);
        g_assert_cmpint(out.result, ==, MK_TEXT_FAILED);
        g_assert_cmpstr(out.why, ==, pages[i].why);
        g_assert_cmpuint(out.page_count, ==, 0);
        g_assert_null(out.png);
    }
}

static unsigned open_descriptors(void)
{
    g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
    unsigned count = 0;

    while (g_dir_read_name(dir))
        count++;
    return count;
}

static void test_nothing_leaks(void)
{
    MkExtractor *extractor = extractor_new(FAKE, 1000, 1);
    unsigned before = open_descriptors();

    for (int i = 0; i < 20; i++) {
        g_auto(MkExtracted) out = { .text = NULL };

        read_text(extractor, i % 3 == 0 ? "crash" : i % 3 == 1 ? "descriptor" : "garbage", &out);
    }
    mk_extractor_free(extractor);
    g_assert_cmpuint(open_descriptors(), ==, before);
}

static void test_too_much_text(void)
{
    g_autoptr(MkExtractor) extractor = extractor_new(FAKE, 100000, 30);
    g_auto(MkExtracted) out = { .text = NULL };

    read_text(extractor, "flood", &out);
    g_assert_cmpint(out.result, ==, MK_TEXT_FAILED);
    g_assert_cmpstr(out.why, ==, "protocol");
    g_assert_cmpuint(out.text->len, <=, 100000);
}

/* All that the helper started ends with it, before mk_extractor_read() returns or just after. */
static void test_children_end(void)
{
    g_autoptr(MkExtractor) extractor = extractor_new(FAKE, 1000, 0);
    g_auto(MkExtracted) out = { .text = NULL };
    int helper, child;

    read_text(extractor, "children", &out);
    g_assert_cmpstr(out.why, ==, "time");
    g_assert_cmpint(sscanf(out.text->str, "some %d %d", &helper, &child), ==, 2);
    g_assert_cmpint(kill(helper, 0), ==, -1);
    for (int i = 0; i < 1000; i++) {
        g_autofree char *path = g_strdup_printf("/proc/%d/stat", child);
        g_autofree char *stat = NULL;

        /* An orphan that nobody waits for is a zombie here; init may be slow. */
        if (!g_file_get_contents(path, &stat, NULL, NULL) || strstr(stat, ") Z "))
            return;
        g_usleep(5000);
    }
    g_assert_not_reached();
}

static void test_no_helper(void)
{
    /* Not there; there, but it does not speak. */
    static const char *const names[] = { "no-such-program", "tests/tools/smtp_load" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(MkExtractor) extractor = extractor_new(names[i], 1000, 1);
        g_auto(MkExtracted) out = { .text = NULL };

        read_text(extractor, "ok", &out);
        g_assert_cmpint(out.result, ==, MK_TEXT_FAILED);
        g_assert_cmpstr(out.why, ==, "helper");
        g_assert_cmpuint(mk_extractor_available(extractor), ==, 0);
    }
}

/* A helper whose owner died, or that was killed from outside, is no failure of the next document. */
static void test_killed_between(void)
{
    g_autoptr(MkExtractor) extractor = extractor_new("mailkeep-extract", 1000, 30);
    g_auto(MkExtracted) first = { .text = NULL }, second = { .text = NULL };
    g_autofree char *children = NULL, *path = NULL;

    read_text(extractor, "one", &first);
    path = g_strdup_printf("/proc/self/task/%d/children", (int) getpid());
    if (!g_file_get_contents(path, &children, NULL, NULL)) {
        g_test_skip("the kernel does not list children");
        return;
    }
    g_assert_cmpint(kill((pid_t) strtol(children, NULL, 10), SIGKILL), ==, 0);
    g_usleep(50000);
    read_text(extractor, "two", &second);
    g_assert_cmpint(second.result, ==, MK_TEXT_COMPLETE);
    g_assert_cmpstr(second.text->str, ==, "two");
}

/* -- the real one ----------------------------------------------------------------------------------- */

static void test_real(void)
{
    g_autoptr(MkExtractor) extractor = extractor_new("mailkeep-extract", 1000, 30);

    /* More than one helper serves. */
    for (unsigned i = 0; i < MK_LIMIT_EXTRACT_DOCUMENTS + 20; i++) {
        g_auto(MkExtracted) out = { .text = NULL };
        g_autofree char *text = g_strdup_printf("document %u", i);

        read_text(extractor, text, &out);
        g_assert_cmpint(out.result, ==, MK_TEXT_COMPLETE);
        g_assert_cmpstr(out.text->str, ==, text);
    }
}

static void test_available(void)
{
    g_autoptr(MkExtractor) extractor = extractor_new("mailkeep-extract", 1000, 30);
    uint64_t kinds = mk_extractor_available(extractor);

    g_assert_true(kinds >> MK_DOCUMENT_OOXML & 1);
    g_assert_false(kinds >> MK_DOCUMENT_UNKNOWN & 1);
    g_assert_true((kinds >> MK_DOCUMENT_PDF & 1) == (access("/usr/bin/pdftotext", X_OK) == 0));
    g_assert_true((kinds >> MK_DOCUMENT_DOC & 1) == (access("/usr/bin/catdoc", X_OK) == 0));
    g_assert_true((kinds >> MK_DOCUMENT_IMAGE & 1) == (access("/usr/bin/tesseract", X_OK) == 0));
}

static void test_limits(void)
{
    g_autoptr(MkExtractor) extractor = extractor_new("mailkeep-extract", 10, 30);
    g_auto(MkExtracted) cut = { .text = NULL }, large = { .text = NULL }, pdf = { .text = NULL };
    size_t length = MK_LIMIT_EXTRACT_BYTES + 1;
    g_autofree uint8_t *data = g_malloc(length);

    read_text(extractor, "1234567\xe2\x82\xac\xe2\x82\xac", &cut);
    g_assert_cmpint(cut.result, ==, MK_TEXT_TRUNCATED);
    g_assert_cmpstr(cut.why, ==, "text");
    g_assert_cmpstr(cut.text->str, ==, "1234567\xe2\x82\xac");
    memset(data, '\n', length);
    mk_extractor_read(extractor, MK_DOCUMENT_PLAIN, "", data, length, &large);
    g_assert_cmpint(large.result, ==, MK_TEXT_TRUNCATED);
    mk_extractor_read(extractor, MK_DOCUMENT_PDF, "", data, length, &pdf);
    g_assert_cmpint(pdf.result, ==, MK_TEXT_FAILED);
    g_assert_cmpstr(pdf.why, ==, "size");
}

static void test_not_wanted(void)
{
    MkExtractorOptions options = MK_EXTRACTOR_OPTIONS_INIT;
    g_autoptr(MkExtractor) extractor = NULL;
    g_auto(MkExtracted) unknown = { .text = NULL }, left_out = { .text = NULL };
    g_auto(MkExtracted) picture = { .text = NULL }, empty = { .text = NULL };
    const uint8_t octets[] = "x";

    /* Nothing is started for these: there is no program. */
    options.kinds = ~((uint64_t) 1 << MK_DOCUMENT_PDF);
    extractor = mk_extractor_new(&options);
    mk_extractor_read(extractor, MK_DOCUMENT_UNKNOWN, NULL, octets, 1, &unknown);
    mk_extractor_read(extractor, MK_DOCUMENT_PDF, NULL, octets, 1, &left_out);
    mk_extractor_read(extractor, MK_DOCUMENT_IMAGE, NULL, octets, 1, &picture);
    mk_extractor_read(extractor, MK_DOCUMENT_PLAIN, NULL, NULL, 0, &empty);
    g_assert_cmpint(unknown.result, ==, MK_TEXT_NOT_INDEXED);
    g_assert_cmpint(left_out.result, ==, MK_TEXT_NOT_INDEXED);
    g_assert_cmpint(picture.result, ==, MK_TEXT_NOT_INDEXED);
    g_assert_cmpint(empty.result, ==, MK_TEXT_EMPTY);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/text/extractor/lies", test_lies);
    g_test_add_func("/text/extractor/lies-of-pages", test_lies_of_pages);
    g_test_add_func("/text/extractor/nothing-leaks", test_nothing_leaks);
    g_test_add_func("/text/extractor/too-much-text", test_too_much_text);
    g_test_add_func("/text/extractor/children-end", test_children_end);
    g_test_add_func("/text/extractor/no-helper", test_no_helper);
    g_test_add_func("/text/extractor/killed-between", test_killed_between);
    g_test_add_func("/text/extractor/real", test_real);
    g_test_add_func("/text/extractor/available", test_available);
    g_test_add_func("/text/extractor/limits", test_limits);
    g_test_add_func("/text/extractor/not-wanted", test_not_wanted);
    return g_test_run();
}
