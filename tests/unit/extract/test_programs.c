/*
 * test_programs.c - the helper as the daemon runs it: PDF, DOC, RTF, pictures, and what is too much
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mailkeep/limits.h>

#include "samples.h"

#define PAGE "BT /F1 24 Tf 50 700 Td (Hello portable w\\374rld) Tj ET"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SHADOW 1 /* no limit of address space then */
#else
#define HAS_SHADOW 0
#endif

static bool is_there(const char *path)
{
    if (program_is_there(path))
        return true;
    g_test_skip("a program is not installed");
    return false;
}

/* What the program itself gives, started by the shell. */
static char *second_opinion(const char *command, const uint8_t *data, size_t length)
{
    g_autofree char *path = NULL, *line = NULL;
    char *text = NULL;

    fclose(fdopen(g_file_open_tmp("mailkeep-test-XXXXXX", &path, NULL), "w"));
    g_assert_true(g_file_set_contents(path, (const char *) data, (gssize) length, NULL));
    line = g_strdup_printf(command, path);
    g_spawn_command_line_sync(line, &text, NULL, NULL, NULL);
    remove(path);
    return text ? text : g_strdup("");
}

/* Form feeds between pages are line ends here. */
static void check_same(const char *theirs, const char *ours)
{
    g_autofree char *plain = g_strdelimit(g_strdup(theirs), "\f", '\n');

    g_assert_cmpstr(plain, ==, ours);
}

/* -- PDF ------------------------------------------------------------------------------------------------ */

static void test_pdf(void)
{
    g_autoptr(GByteArray) pdf = sample_pdf(PAGE, "", "");
    g_auto(MkExtracted) out = { .text = NULL };
    g_autofree char *theirs = NULL;

    if (!is_there(PROGRAM_PDF))
        return;
    sample_extract("a.pdf", pdf->data, pdf->len, 30, false, &out);
    g_assert_cmpint(out.result, ==, MK_TEXT_COMPLETE);
    g_assert_nonnull(strstr(out.text->str, "Hello portable würld"));
    theirs = second_opinion("pdftotext -q -enc UTF-8 %s -", pdf->data, pdf->len);
    check_same(theirs, out.text->str);
}

static void test_pdf_without_text(void)
{
    g_autoptr(GByteArray) pdf = sample_pdf("0 0 100 100 re f", "", "");
    g_auto(MkExtracted) out = { .text = NULL }, broken = { .text = NULL };

    if (!is_there(PROGRAM_PDF))
        return;
    sample_extract("a.pdf", pdf->data, pdf->len, 30, false, &out);
    g_assert_cmpint(out.result, ==, MK_TEXT_EMPTY);
    sample_extract("a.pdf", OCTETS("%PDF-1.4 and then nothing"), 30, false, &broken);
    g_assert_cmpint(broken.result, ==, MK_TEXT_FAILED);
    g_assert_cmpstr(broken.why, ==, "damaged");
}

/* A dictionary of encryption that no password opens. */
static void test_pdf_encrypted(void)
{
    g_autoptr(GByteArray) pdf = sample_pdf(PAGE, "", "");
    g_autofree char *text = g_strndup((const char *) pdf->data, pdf->len);
    g_auto(GStrv) halves = g_strsplit(text, "/Root 1 0 R", 2);
    g_autofree char *key = g_strnfill(64, '5');
    g_autofree char *locked = NULL;
    g_auto(MkExtracted) out = { .text = NULL };

    if (!is_there(PROGRAM_PDF))
        return;
    locked = g_strdup_printf("%s/Root 1 0 R /Encrypt <</Filter /Standard /V 1 /R 2 /P -4 /O <%s> "
                             "/U <%s>>> /ID [<31> <31>]%s",
                             halves[0], key, key, halves[1]);
    sample_extract("a.pdf", (const uint8_t *) locked, strlen(locked), 30, false, &out);
    g_assert_cmpint(out.result, ==, MK_TEXT_ENCRYPTED);
    g_assert_cmpstr(out.why, ==, "password");
}

/* Forms that draw each other ten times each: 10 ^ 10 of them from two kilobytes. */
static GByteArray *make_bomb(void)
{
    GString *objects = g_string_new(NULL), *all = g_string_new(NULL);
    GByteArray *pdf;

    for (int i = 0; i < 10; i++)
        g_string_append(all, "/X Do ");
    for (int i = 6; i < 15; i++)
        g_string_append_printf(objects,
                               "%d 0 obj <</Type /XObject /Subtype /Form /BBox [0 0 9 9] /Length "
                               "%zu /Resources <</XObject <</X %d 0 R>>>>>> stream\n%s\nendstream "
                               "endobj\n",
                               i, all->len, i + 1, all->str);
    g_string_append(objects, "15 0 obj <</Type /XObject /Subtype /Form /BBox [0 0 9 9] /Length 9>> "
                             "stream\n0 0 m h f\n\nendstream endobj\n");
    pdf = sample_pdf(all->str, "/XObject <</X 6 0 R>>", objects->str);
    g_string_free(objects, TRUE);
    g_string_free(all, TRUE);
    return pdf;
}

static void test_pdf_bomb(void)
{
    g_autoptr(GByteArray) pdf = make_bomb();
    g_auto(MkExtracted) out = { .text = NULL };

    if (!is_there(PROGRAM_PDF))
        return;
    sample_extract("a.pdf", pdf->data, pdf->len, 2, false, &out);
    g_assert_cmpint(out.result, ==, MK_TEXT_FAILED);
    g_assert_cmpstr(out.why, ==, "time");
}

/* -- the daemon's death ------------------------------------------------------------------------------------ */

/* How many processes of the group run; its leader's parent is @parent when @group is 0, and
 * @group is found. */
static unsigned count_group(pid_t parent, pid_t *group)
{
    g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
    unsigned count = 0;
    const char *name;

    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename("/proc", name, "stat", NULL), *stat = NULL;
        const char *rest;
        int above, leader;
        char state;

        if (!g_ascii_isdigit(*name) || !g_file_get_contents(path, &stat, NULL, NULL))
            continue;
        rest = strrchr(stat, ')');
        if (!rest || sscanf(rest, ") %c %d %d", &state, &above, &leader) != 3 || state == 'Z')
            continue;
        if (*group == 0 && above == parent && leader != getpgrp())
            *group = leader;
        count += *group != 0 && leader == *group;
    }
    return count;
}

/* kill -9 of the daemon while a program spins: helper, worker and program are gone with it. */
static void test_owner_dies(void)
{
    g_autoptr(GByteArray) pdf = make_bomb();
    pid_t owner, group = 0;
    unsigned count = 0;

    if (!is_there(PROGRAM_PDF))
        return;
    owner = fork();
    if (owner == 0) {
        g_auto(MkExtracted) out = { .text = NULL };

        sample_extract("a.pdf", pdf->data, pdf->len, 60, false, &out);
        _exit(0);
    }
    for (int i = 0; i < 2000 && count < 3; i++) {
        g_usleep(10000);
        count = count_group(owner, &group);
    }
    g_assert_cmpuint(count, ==, 3);
    g_assert_cmpint(kill(owner, SIGKILL), ==, 0);
    g_assert_cmpint(waitpid(owner, NULL, 0), ==, owner);
    for (int i = 0; i < 2000 && count > 0; i++) {
        g_usleep(10000);
        count = count_group(owner, &group);
    }
    g_assert_cmpuint(count, ==, 0);
}

/* -- DOC, RTF, XLS ---------------------------------------------------------------------------------------- */

static const char rtf[] = "{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Arial;}}{\\*\\generator x;}"
                          "first w\\'f6rds\\par \\u8364? second\\par}";

static void test_rtf(void)
{
    g_auto(MkExtracted) out = { .text = NULL };
    g_autofree char *theirs = NULL;

    if (!is_there(PROGRAM_DOC))
        return;
    sample_extract("a.rtf", OCTETS(rtf), 30, false, &out);
    g_assert_cmpint(out.result, ==, MK_TEXT_COMPLETE);
    g_assert_nonnull(strstr(out.text->str, "first wörds"));
    g_assert_nonnull(strstr(out.text->str, "€ second"));
    theirs = second_opinion("catdoc -w -d utf-8 %s", OCTETS(rtf));
    check_same(theirs, out.text->str);
}

static void put_u16(GByteArray *out, unsigned value)
{
    sample_u16(out, value);
}

/* A workbook of one sheet with a label and a number (MS-XLS: BOF, BOUNDSHEET, LABEL, NUMBER). */
static GByteArray *make_xls(bool locked)
{
    g_autoptr(GByteArray) book = g_byte_array_new();
    static const uint8_t bof[] = { 0x09, 0x08, 8, 0, 0, 5, 5, 0, 0xbb, 0x0d, 0xcc, 7 };
    SampleFile files[] = { { "Book", NULL, 0 }, { NULL, NULL, 0 } };

    g_byte_array_append(book, bof, sizeof bof);
    if (locked) {
        put_u16(book, 0x2f);
        put_u16(book, 4);
        sample_u32(book, 0x12345678);
    }
    put_u16(book, 0x85); /* BOUNDSHEET */
    put_u16(book, 12);
    sample_u32(book, book->len + 12 + 4);
    put_u16(book, 0);
    g_byte_array_append(book, (const uint8_t *) "\5Sheet", 6);
    put_u16(book, 0x0a);
    put_u16(book, 0);
    g_byte_array_append(
        book, (const uint8_t[]){ 0x09, 0x08, 8, 0, 0, 5, 0x10, 0, 0xbb, 0x0d, 0xcc, 7 }, 12);
    put_u16(book, 0x204); /* LABEL: row, column, format, length, text */
    put_u16(book, 8 + 7);
    put_u16(book, 0);
    put_u16(book, 0);
    put_u16(book, 0);
    put_u16(book, 7);
    g_byte_array_append(book, (const uint8_t *) "tabular", 7);
    put_u16(book, 0x0a);
    put_u16(book, 0);
    g_byte_array_set_size(book, 5000); /* a stream of its own sectors */
    files[0].data = (const char *) book->data;
    files[0].length = book->len;
    return sample_cfb(files);
}

static void test_xls(void)
{
    g_autoptr(GByteArray) file = make_xls(false), locked = make_xls(true);
    g_auto(MkExtracted) out = { .text = NULL }, closed = { .text = NULL };

    if (!is_there(PROGRAM_XLS))
        return;
    sample_extract("a.xls", file->data, file->len, 30, false, &out);
    g_assert_cmpint(out.result, ==, MK_TEXT_COMPLETE);
    g_assert_nonnull(strstr(out.text->str, "tabular"));
    sample_extract("a.xls", locked->data, locked->len, 30, false, &closed);
    g_assert_cmpint(closed.result, ==, MK_TEXT_ENCRYPTED);
}

static void test_doc_encrypted(void)
{
    char head[5000] = "\xec\xa5\xc1\0\x4d\x20\x07\x04\0\0\0\x13";
    const SampleFile files[] = { { "WordDocument", head, sizeof head }, { NULL, NULL, 0 } };
    g_autoptr(GByteArray) file = sample_cfb(files);
    g_auto(MkExtracted) out = { .text = NULL };

    if (!is_there(PROGRAM_DOC))
        return;
    sample_extract("a.doc", file->data, file->len, 30, false, &out);
    g_assert_cmpint(out.result, ==, MK_TEXT_ENCRYPTED);
}

/* -- OCR -------------------------------------------------------------------------------------------------- */

/* Letters of bars, five by seven, so that no font is needed: a page as a scanner gives it. */
static const struct {
    char letter;
    const char *rows[7];
} letters[] = {
    { 'F', { "#####", "#....", "#....", "####.", "#....", "#....", "#...." } },
    { 'I', { "..#..", "..#..", "..#..", "..#..", "..#..", "..#..", "..#.." } },
    { 'L', { "#....", "#....", "#....", "#....", "#....", "#....", "#####" } },
    { 'E', { "#####", "#....", "#....", "####.", "#....", "#....", "#####" } },
};

static char *draw(const char *word, double dot)
{
    GString *out = g_string_new(NULL);

    for (size_t at = 0; word[at]; at++)
        for (size_t i = 0; i < G_N_ELEMENTS(letters); i++)
            for (size_t row = 0; letters[i].letter == word[at] && row < 7; row++)
                for (size_t column = 0; column < 5; column++)
                    if (letters[i].rows[row][column] == '#')
                        g_string_append_printf(out, "%.0f %.0f %.0f %.0f re f\n",
                                               60 + dot * (double) (7 * at + column),
                                               700 - dot * (double) row, dot, dot);
    return g_string_free(out, FALSE);
}

static GByteArray *scan(void)
{
    g_autofree char *bars = draw("FILLELIFE", 6);

    return sample_pdf(bars, "", "");
}

static void test_ocr(void)
{
    g_autoptr(GByteArray) pdf = scan();
    g_auto(MkExtracted) out = { .text = NULL }, without = { .text = NULL };

    if (!is_there(PROGRAM_OCR) || !is_there(PROGRAM_PDF_PAGES))
        return;
    sample_extract("a.pdf", pdf->data, pdf->len, 60, true, &out);
    g_assert_cmpint(out.result, ==, MK_TEXT_COMPLETE);
    g_assert_nonnull(strstr(out.text->str, "LIFE"));
    sample_extract("a.pdf", pdf->data, pdf->len, 60, false, &without);
    g_assert_cmpint(without.result, ==, MK_TEXT_EMPTY);
}

static void test_picture(void)
{
    g_autoptr(GByteArray) pdf = scan();
    g_autofree char *path = NULL, *line = NULL, *made = NULL, *picture = NULL;
    g_auto(MkExtracted) out = { .text = NULL };
    gsize length = 0;

    if (!is_there(PROGRAM_OCR) || !is_there(PROGRAM_PDF_PAGES))
        return;
    fclose(fdopen(g_file_open_tmp("mailkeep-test-XXXXXX", &path, NULL), "w"));
    g_assert_true(g_file_set_contents(path, (const char *) pdf->data, pdf->len, NULL));
    line = g_strdup_printf("pdftoppm -png -gray -r 100 -singlefile %s %s", path, path);
    g_assert_true(g_spawn_command_line_sync(line, NULL, NULL, NULL, NULL));
    remove(path);
    made = g_strconcat(path, ".png", NULL);
    g_assert_true(g_file_get_contents(made, &picture, &length, NULL));
    remove(made);
    sample_extract("a.png", (const uint8_t *) picture, length, 60, true, &out);
    g_assert_cmpint(out.result, ==, MK_TEXT_COMPLETE);
    g_assert_nonnull(strstr(out.text->str, "LIFE"));
}

/* -- limits ------------------------------------------------------------------------------------------------ */

static void extract_with(uint32_t memory_mib, uint32_t text_bytes, const char *name,
                         const uint8_t *data, size_t length, MkExtracted *out)
{
    g_autofree char *program = g_build_filename(g_getenv("BIN_DIR"), "mailkeep-extract", NULL);
    MkExtractorOptions options = MK_EXTRACTOR_OPTIONS_INIT;
    g_autoptr(MkExtractor) extractor = NULL;

    options.program = program;
    options.memory_mib = memory_mib;
    options.text_bytes = text_bytes;
    extractor = mk_extractor_new(&options);
    mk_extractor_read(extractor, mk_document_kind(NULL, name, data, length), name, data, length,
                      out);
}

static void test_memory(void)
{
    size_t length = 50u << 20;
    g_autofree char *page = g_strnfill(length, '\xfc');
    g_auto(MkExtracted) out = { .text = NULL };

    if (HAS_SHADOW) {
        g_test_skip("the limit is off under a sanitizer");
        return;
    }
    extract_with(120, 1000, "a.html", (const uint8_t *) page, length, &out);
    g_assert_cmpint(out.result, ==, MK_TEXT_FAILED);
    g_assert_cmpstr(out.why, ==, "memory");
}

/* 200 MB of words in a kilobyte's distance of each other, packed: the text ends at its limit. */
static void test_much_text(void)
{
    GString *words = g_string_new(NULL);
    g_autoptr(GRand) random = g_rand_new_with_seed(3);
    g_autoptr(GByteArray) file = NULL;
    g_auto(MkExtracted) out = { .text = NULL };

    while (words->len < 1u << 20)
        g_string_append_printf(words, "%08x word ", g_rand_int(random));
    while (words->len < 50u << 20)
        g_string_append_len(words, words->str, 1 << 20);
    const SampleFile files[] = { { "1.txt", words->str, words->len },
                                 { "2.txt", words->str, words->len },
                                 { "3.txt", words->str, words->len },
                                 { "4.txt", words->str, words->len },
                                 { NULL, NULL, 0 } };
    file = sample_archive("ustar", "zstd", files);
    extract_with(512, 1u << 20, "words.tar.zst", file->data, file->len, &out);
    g_assert_cmpint(out.result, ==, MK_TEXT_TRUNCATED);
    g_assert_cmpstr(out.why, ==, "text");
    g_assert_cmpuint(out.text->len, ==, 1u << 20);
    g_string_free(words, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/extract/programs/pdf", test_pdf);
    g_test_add_func("/extract/programs/pdf-without-text", test_pdf_without_text);
    g_test_add_func("/extract/programs/pdf-encrypted", test_pdf_encrypted);
    g_test_add_func("/extract/programs/pdf-bomb", test_pdf_bomb);
    g_test_add_func("/extract/programs/owner-dies", test_owner_dies);
    g_test_add_func("/extract/programs/rtf", test_rtf);
    g_test_add_func("/extract/programs/xls", test_xls);
    g_test_add_func("/extract/programs/doc-encrypted", test_doc_encrypted);
    g_test_add_func("/extract/programs/ocr", test_ocr);
    g_test_add_func("/extract/programs/picture", test_picture);
    g_test_add_func("/extract/programs/memory", test_memory);
    g_test_add_func("/extract/programs/much-text", test_much_text);
    return g_test_run();
}
