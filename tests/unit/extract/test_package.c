/*
 * test_package.c - archives, OOXML and OpenDocument: what comes out, and what is too much
 */
#include <locale.h>
#include <string.h>

#include <mailkeep/limits.h>
#include <mailkeep/mail.h>

#include "samples.h"

static void gather(void *cookie, const char *text, size_t length)
{
    g_string_append_len(cookie, text, (gssize) length);
}

static GString *read_zip(MkDocumentKind kind, const SampleFile *files, Verdict *out)
{
    g_autoptr(GByteArray) file = sample_zip(files);

    if (kind != MK_DOCUMENT_ARCHIVE)
        g_assert_cmpint(mk_document_kind(NULL, NULL, file->data, file->len), ==, kind);
    return sample_read(kind, "x.zip", file->data, file->len, 1u << 20, out);
}

static void check(MkDocumentKind kind, const SampleFile *files, MkTextResult result, MkTextWhy why,
                  const char *expected)
{
    Verdict verdict;
    GString *text = read_zip(kind, files, &verdict);

    g_assert_cmpint(verdict.result, ==, result);
    g_assert_cmpint(verdict.why, ==, why);
    if (expected)
        g_assert_cmpstr(text->str, ==, expected);
    g_string_free(text, TRUE);
}

/* -- office -------------------------------------------------------------------------------------------- */

#define TYPES                                \
    {                                        \
        "[Content_Types].xml", "<Types/>", 0 \
    }
#define W "<w:document xmlns:w='w' xmlns:mc='m'><w:body>"
#define W_END "</w:body></w:document>"

static const SampleFile docx[] = {
    TYPES,
    { "word/document.xml",
      W "<w:p><w:r><w:t>one </w:t><w:t>t\xc3\xbcwo</w:t><w:tab/><w:t>x&amp;y</w:t></w:r></w:p>"
        "<w:p><w:del><w:delText>deleted</w:delText></w:del><w:instrText>FIELD</w:instrText>"
        "<w:t>three</w:t></w:p>"
        "<mc:AlternateContent><mc:Choice><w:t>box</w:t></mc:Choice>"
        "<mc:Fallback><w:t>box</w:t></mc:Fallback></mc:AlternateContent>" W_END,
      0 },
    { "word/footer1.xml", "<w:ftr xmlns:w='w'><w:p><w:t>foot</w:t></w:p></w:ftr>", 0 },
    { "word/styles.xml", "<w:styles><w:t>no text</w:t></w:styles>", 0 },
    { "docProps/core.xml",
      "<cp:p xmlns:cp='c' xmlns:dc='d'><dc:title>Title</dc:title><cp:revision>5</cp:revision>"
      "</cp:p>",
      0 },
    { NULL, NULL, 0 },
};

static const SampleFile xlsx[] = {
    TYPES,
    { "xl/workbook.xml", "<workbook><sheets><sheet name='Sheet &#252;'/></sheets></workbook>", 0 },
    { "xl/worksheets/sheet1.xml",
      "<worksheet><sheetData><row><c t='s'><v>0</v></c><c><v>42.5</v></c>"
      "<c t='inlineStr'><is><t>inline</t></is></c><c t='str'><f>A1</f><v>formula</v></c></row>"
      "</sheetData></worksheet>",
      0 },
    { "xl/sharedStrings.xml",
      "<sst><si><t>shared</t></si><si><r><t>ri</t></r><r><t>ch</t></r><rPh><t>no</t></rPh></si>"
      "</sst>",
      0 },
    { NULL, NULL, 0 },
};

static const SampleFile pptx[] = {
    TYPES,
    { "ppt/slides/slide1.xml",
      "<p:sld xmlns:a='a' xmlns:p='p'><a:p><a:r><a:t>slide</a:t></a:r></a:p></p:sld>", 0 },
    { "ppt/slides/_rels/slide1.xml.rels", "<R><t>no</t></R>", 0 },
    { "ppt/notesSlides/notesSlide1.xml", "<a:p xmlns:a='a'><a:t>notes</a:t></a:p>", 0 },
    { NULL, NULL, 0 },
};

static const SampleFile odt[] = {
    { "mimetype", "application/vnd.oasis.opendocument.text", 0 },
    { "content.xml",
      "<o:document-content xmlns:o='o' xmlns:t='t'><o:body>\n <t:h>head</t:h>"
      "<t:p>a<t:s/>b<t:tab/>c<t:span>d</t:span></t:p>"
      "<t:tracked-changes><t:p>gone</t:p></t:tracked-changes></o:body></o:document-content>",
      0 },
    { "meta.xml", "<m xmlns:d='d'><d:title>Title</d:title><d:date>no</d:date></m>", 0 },
    { "META-INF/manifest.xml", "<manifest/>", 0 },
    { NULL, NULL, 0 },
};

static void test_office(void)
{
    check(MK_DOCUMENT_OOXML, docx, MK_TEXT_COMPLETE, MK_WHY_NONE,
          "one tüwo x&y\nthree\nbox\nfoot\n\nTitle\n\n");
    check(MK_DOCUMENT_OOXML, xlsx, MK_TEXT_COMPLETE, MK_WHY_NONE,
          "Sheet ü\n\n 42.5 inline formula \n\nshared\nrich\n\n");
    check(MK_DOCUMENT_OOXML, pptx, MK_TEXT_COMPLETE, MK_WHY_NONE, "slide\n\nnotes\n\n");
    check(MK_DOCUMENT_ODF, odt, MK_TEXT_COMPLETE, MK_WHY_NONE, "head\na b cd\n\nTitle\n\n");
}

static void test_office_encrypted(void)
{
    static const SampleFile files[] = {
        { "mimetype", "application/vnd.oasis.opendocument.text", 0 },
        { "content.xml", "\x12\x34\x56 noise", 0 },
        { "META-INF/manifest.xml",
          "<m:manifest xmlns:m='m'><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>",
          0 },
        { NULL, NULL, 0 },
    };

    check(MK_DOCUMENT_ODF, files, MK_TEXT_ENCRYPTED, MK_WHY_PASSWORD, "");
}

static void test_office_broken(void)
{
    static const SampleFile malformed[] = {
        TYPES,
        { "word/document.xml", W "<w:p><w:t>begun</w:t></w:q>", 0 },
        { NULL, NULL, 0 },
    };
    static const SampleFile nothing[] = { TYPES, { "word/x.png", "x", 0 }, { NULL, NULL, 0 } };
    g_autoptr(GByteArray) whole = sample_zip(docx);

    check(MK_DOCUMENT_OOXML, malformed, MK_TEXT_FAILED, MK_WHY_DAMAGED, "begun\n");
    check(MK_DOCUMENT_OOXML, nothing, MK_TEXT_FAILED, MK_WHY_DAMAGED, "");
    sample_torture(MK_DOCUMENT_OOXML, whole->data, whole->len);
    g_autoptr(GByteArray) open = sample_zip(odt);
    sample_torture(MK_DOCUMENT_ODF, open->data, open->len);
}

/* Names in a ZIP are octets: whatever they are, the rest is read. */
static void test_office_names(void)
{
    g_autoptr(GByteArray) file = sample_zip(docx);
    Verdict verdict;
    GString *text;

    for (size_t i = 0; i + 10 < file->len; i++)
        if (memcmp(file->data + i, "word/foote", 10) == 0)
            memcpy(file->data + i, "word/\xff\xfe\xc3x\x80", 10);
    text = sample_read(MK_DOCUMENT_OOXML, "x", file->data, file->len, 1000, &verdict);
    g_assert_nonnull(strstr(text->str, "three"));
    g_assert_null(strstr(text->str, "foot"));
    g_string_free(text, TRUE);
}

/* Billion laughs, and a file of the machine. */
static void test_entities(void)
{
    static const SampleFile laughs[] = {
        TYPES,
        { "word/document.xml",
          "<?xml version='1.0'?><!DOCTYPE d [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;'>"
          "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]><d><t>&c;</t></d>",
          0 },
        { NULL, NULL, 0 },
    };
    static const SampleFile external[] = {
        TYPES,
        { "word/document.xml",
          "<?xml version='1.0'?><!DOCTYPE d [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
          "<d><t>before&x;</t></d>",
          0 },
        { NULL, NULL, 0 },
    };

    check(MK_DOCUMENT_OOXML, laughs, MK_TEXT_FAILED, MK_WHY_ENTITY, "\n");
    check(MK_DOCUMENT_OOXML, external, MK_TEXT_FAILED, MK_WHY_ENTITY, "\n");
}

/* -- archives ----------------------------------------------------------------------------------------------- */

static const SampleFile plain_files[] = {
    { "folder/a.txt", "first words", 0 },
    { "../../etc/b.html", "<p>second", 0 },
    { "/abs\xc3\xbc.bin", "\1\2\3", 0 },
    { "empty.txt", "", 0 },
    { NULL, NULL, 0 },
};
#define PLAIN_TEXT "folder/a.txt\nfirst words\n../../etc/b.html\nsecond\n/absü.bin\nempty.txt\n"

static void test_formats(void)
{
    static const struct {
        const char *format, *filter;
    } formats[] = { { "zip", NULL },      { "pax", NULL },    { "gnutar", "gzip" },
                    { "ustar", "xz" },    { "pax", "bzip2" }, { "pax", "zstd" },
                    { "7zip", NULL },     { "newc", NULL },   { "gnutar", "lz4" },
                    { "pax", "compress" } };

    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_autoptr(GByteArray) file =
            sample_archive(formats[i].format, formats[i].filter, plain_files);
        g_autofree char *plain = g_strdup(PLAIN_TEXT);
        Verdict verdict;
        GString *text;

        g_test_message("%s %s", formats[i].format, formats[i].filter ? formats[i].filter : "");
        g_assert_cmpint(mk_document_kind(NULL, NULL, file->data, file->len), ==,
                        MK_DOCUMENT_ARCHIVE);
        text = sample_read(MK_DOCUMENT_ARCHIVE, "x", file->data, file->len, 10000, &verdict);
        g_assert_cmpint(verdict.result, ==, MK_TEXT_COMPLETE);
        g_assert_nonnull(strstr(text->str, "first words"));
        g_assert_nonnull(strstr(text->str, "second"));
        g_assert_nonnull(strstr(text->str, "absü.bin"));
        if (strcmp(formats[i].format, "zip") == 0)
            g_assert_cmpstr(text->str, ==, plain);
        g_string_free(text, TRUE);
    }
}

/* A compressed file has one entry, which is called as the file is without its suffix. */
static void test_compressed(void)
{
    const SampleFile one[] = { { "x", "compressed words", 0 }, { NULL, NULL, 0 } };
    g_autoptr(GByteArray) file = sample_archive("raw", "gzip", one);
    Verdict verdict;
    GString *text =
        sample_read(MK_DOCUMENT_ARCHIVE, "notes.txt.gz", file->data, file->len, 1000, &verdict);

    g_assert_cmpint(verdict.result, ==, MK_TEXT_COMPLETE);
    g_assert_cmpstr(text->str, ==, "notes.txt\ncompressed words\n");
    g_string_free(text, TRUE);
    text = sample_read(MK_DOCUMENT_ARCHIVE, "x.gz", OCTETS("no archive at all"), 1000, &verdict);
    g_assert_cmpint(verdict.result, ==, MK_TEXT_FAILED);
    g_assert_cmpstr(text->str, ==, "");
    g_string_free(text, TRUE);
}

static void test_encrypted(void)
{
    g_autoptr(GByteArray) file = sample_zip_encrypted(plain_files);
    Verdict verdict;
    GString *text = sample_read(MK_DOCUMENT_ARCHIVE, "x", file->data, file->len, 1000, &verdict);

    g_assert_cmpint(verdict.result, ==, MK_TEXT_ENCRYPTED);
    g_assert_nonnull(strstr(text->str, "folder/a.txt"));
    g_assert_null(strstr(text->str, "words"));
    g_string_free(text, TRUE);
}

/* Kinds that are not wanted stay out at every depth. */
static void test_kinds(void)
{
    g_autoptr(GByteArray) inner = sample_zip(docx);
    const SampleFile files[] = { { "a.docx", (const char *) inner->data, inner->len },
                                 { "b.txt", "plain words", 0 },
                                 { NULL, NULL, 0 } };
    g_autoptr(GByteArray) file = sample_zip(files);
    Document document = { MK_DOCUMENT_ARCHIVE, "x.zip", file->data, file->len };
    GString *all = g_string_new(NULL), *some = g_string_new(NULL);
    Extraction x = { .kinds = UINT64_MAX, .text_left = 10000, .on_text = gather, .cookie = all };

    g_assert_cmpint(extract_document(&x, &document).result, ==, MK_TEXT_COMPLETE);
    g_assert_nonnull(strstr(all->str, "three"));
    x.kinds &= ~((uint64_t) 1 << MK_DOCUMENT_OOXML);
    x.cookie = some;
    g_assert_cmpint(extract_document(&x, &document).result, ==, MK_TEXT_COMPLETE);
    g_assert_cmpstr(some->str, ==, "a.docx\nb.txt\nplain words\n");
    g_string_free(all, TRUE);
    g_string_free(some, TRUE);
}

static void test_damaged(void)
{
    g_autoptr(GByteArray) zip = sample_zip(plain_files);
    g_autoptr(GByteArray) tar = sample_archive("pax", "gzip", plain_files);
    g_autoptr(GByteArray) seven = sample_archive("7zip", NULL, plain_files);

    sample_torture(MK_DOCUMENT_ARCHIVE, zip->data, zip->len);
    sample_torture(MK_DOCUMENT_ARCHIVE, tar->data, tar->len);
    sample_torture(MK_DOCUMENT_ARCHIVE, seven->data, seven->len);
}

/* -- bombs ------------------------------------------------------------------------------------------------ */

static GByteArray *nest(unsigned levels)
{
    GByteArray *file = sample_zip(plain_files);

    for (unsigned i = 1; i < levels; i++) {
        const SampleFile files[] = { { "in.zip", (const char *) file->data, file->len },
                                     { NULL, NULL, 0 } };
        GByteArray *outer = sample_zip(files);

        g_byte_array_unref(file);
        file = outer;
    }
    return file;
}

static void test_nesting(void)
{
    for (unsigned levels = 1; levels <= MK_LIMIT_EXTRACT_DEPTH + 2; levels++) {
        g_autoptr(GByteArray) file = nest(levels);
        bool fits = levels <= MK_LIMIT_EXTRACT_DEPTH;
        Verdict verdict;
        GString *text =
            sample_read(MK_DOCUMENT_ARCHIVE, "x", file->data, file->len, 10000, &verdict);

        g_assert_cmpint(verdict.result, ==, fits ? MK_TEXT_COMPLETE : MK_TEXT_TRUNCATED);
        g_assert_cmpint(verdict.why, ==, fits ? MK_WHY_NONE : MK_WHY_NESTING);
        g_assert_true((strstr(text->str, "first words") != NULL) == fits);
        g_string_free(text, TRUE);
    }
}

static void test_entries(void)
{
    unsigned count = MK_LIMIT_EXTRACT_ENTRIES + 5;
    g_autofree SampleFile *files = g_new0(SampleFile, count + 1);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    for (unsigned i = 0; i < count; i++) {
        g_ptr_array_add(names, g_strdup_printf("entry%u.txt", i));
        files[i] = (SampleFile){ names->pdata[i], "x", 1 };
    }
    check(MK_DOCUMENT_ARCHIVE, files, MK_TEXT_TRUNCATED, MK_WHY_ENTRIES, NULL);
}

/* Small octets that become large ones, here and one zip deeper (as in 42.zip). */
static void test_ratio(void)
{
    size_t length = 80u << 20;
    g_autofree char *zeros = g_malloc0(length);
    const SampleFile files[] = { { "z.txt", zeros, length }, { NULL, NULL, 0 } };
    g_autoptr(GByteArray) bomb = sample_zip(files);
    const SampleFile several[] = { { "1.zip", (const char *) bomb->data, bomb->len },
                                   { "2.zip", (const char *) bomb->data, bomb->len },
                                   { NULL, NULL, 0 } };
    const SampleFile sheet[] = { TYPES,
                                 { "xl/worksheets/sheet1.xml", zeros, length },
                                 { NULL, NULL, 0 } };

    g_assert_cmpuint(bomb->len, <, 1u << 20);
    check(MK_DOCUMENT_ARCHIVE, files, MK_TEXT_TRUNCATED, MK_WHY_RATIO, NULL);
    check(MK_DOCUMENT_ARCHIVE, several, MK_TEXT_TRUNCATED, MK_WHY_RATIO, NULL);
    memset(zeros, ' ', length);
    memcpy(zeros, "<x>", 3);
    check(MK_DOCUMENT_OOXML, sheet, MK_TEXT_TRUNCATED, MK_WHY_RATIO, NULL);
}

static void test_deep_xml(void)
{
    size_t depth = 100000;
    GString *xml = g_string_new(W);
    SampleFile files[] = { TYPES, { "word/document.xml", NULL, 0 }, { NULL, NULL, 0 } };

    for (size_t i = 0; i < depth; i++)
        g_string_append(xml, "<p>");
    g_string_append(xml, "<t>deep</t>");
    for (size_t i = 0; i < depth; i++)
        g_string_append(xml, "</p>");
    g_string_append(xml, W_END);
    files[1].data = xml->str;
    check(MK_DOCUMENT_OOXML, files, MK_TEXT_COMPLETE, MK_WHY_NONE, NULL);
    g_string_free(xml, TRUE);
}

static void test_deep_mail(void)
{
    GString *mail = g_string_new(NULL);
    Verdict verdict;
    GString *text;

    for (int i = 0; i < 20000; i++)
        g_string_append(mail, "Content-Type: message/rfc822\r\n\r\n");
    g_string_append(mail, "Subject: x\r\n\r\nbottom");
    text =
        sample_read(MK_DOCUMENT_EML, "", (const uint8_t *) mail->str, mail->len, 100000, &verdict);
    g_assert_cmpint(verdict.result, ==, MK_TEXT_TRUNCATED);
    g_string_free(text, TRUE);
    g_string_free(mail, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    setlocale(LC_ALL, "C.UTF-8"); /* names in archives, as the helper does */
    mk_mail_init();
    g_test_add_func("/extract/package/office", test_office);
    g_test_add_func("/extract/package/office-encrypted", test_office_encrypted);
    g_test_add_func("/extract/package/office-broken", test_office_broken);
    g_test_add_func("/extract/package/office-names", test_office_names);
    g_test_add_func("/extract/package/entities", test_entities);
    g_test_add_func("/extract/package/formats", test_formats);
    g_test_add_func("/extract/package/compressed", test_compressed);
    g_test_add_func("/extract/package/encrypted", test_encrypted);
    g_test_add_func("/extract/package/kinds", test_kinds);
    g_test_add_func("/extract/package/damaged", test_damaged);
    g_test_add_func("/extract/package/nesting", test_nesting);
    g_test_add_func("/extract/package/entries", test_entries);
    g_test_add_func("/extract/package/ratio", test_ratio);
    g_test_add_func("/extract/package/deep-xml", test_deep_xml);
    g_test_add_func("/extract/package/deep-mail", test_deep_mail);
    return g_test_run();
}
