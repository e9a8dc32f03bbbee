/*
 * test_kind.c - what kind of document some octets are
 */
#include <mailkeep/text.h>

#include <string.h>

#define OCTETS(text) text, sizeof(text) - 1

static const struct {
    const char *what;
    const char *mime;
    const char *name;
    const char *data;
    size_t length;
    MkDocumentKind kind;
} cases[] = {
    { "nothing", NULL, NULL, OCTETS(""), MK_DOCUMENT_UNKNOWN },
    { "by name", NULL, "Report.TXT", OCTETS("x"), MK_DOCUMENT_PLAIN },
    { "by type", "text/csv; charset=x", "table", OCTETS("a;b"), MK_DOCUMENT_PLAIN },
    { "name before type", "application/pdf", "a.html", OCTETS("x"), MK_DOCUMENT_HTML },
    { "mark before name", "text/plain", "a.txt", OCTETS("%PDF-1.4\n"), MK_DOCUMENT_PDF },
    { "junk before the mark", NULL, NULL, OCTETS("\n\n\nxx%PDF-1.4\n"), MK_DOCUMENT_PDF },
    { "rtf called doc", NULL, "a.doc", OCTETS("{\\rtf1 x}"), MK_DOCUMENT_RTF },
    { "page called xls", NULL, "a.xls", OCTETS("\xef\xbb\xbf \r\n<HTML><table>"),
      MK_DOCUMENT_HTML },
    { "table called xls", NULL, "a.xls", OCTETS("a\tb\r\n1\t2\r\n"), MK_DOCUMENT_PLAIN },
    { "doc before compound files", NULL, "a.doc", OCTETS("\xdb\xa5-\0\0\0"), MK_DOCUMENT_DOC },
    { "doctype", NULL, NULL, OCTETS("<!DOCTYPE html>"), MK_DOCUMENT_HTML },
    { "a mail that begins as a page", "message/rfc822", NULL, OCTETS("<html>"), MK_DOCUMENT_EML },
    { "gzip", NULL, NULL, OCTETS("\x1f\x8b\x08\0\0"), MK_DOCUMENT_ARCHIVE },
    { "tnef", NULL, "winmail.dat", OCTETS("\x78\x9f\x3e\x22\1\0"), MK_DOCUMENT_TNEF },
    { "tnef by name", NULL, "WINMAIL.DAT", OCTETS("zz"), MK_DOCUMENT_TNEF },
    { "calendar", NULL, NULL, OCTETS("BEGIN:VCALENDAR\r\n"), MK_DOCUMENT_CALENDAR },
    { "card", "text/plain", "a.txt", OCTETS("begin:vcard\n"), MK_DOCUMENT_CALENDAR },
    { "png", NULL, "x.bin", OCTETS("\x89PNG\r\n\x1a\n"), MK_DOCUMENT_IMAGE },
    { "program", "application/octet-stream", "a.exe", OCTETS("MZ\x90\0"), MK_DOCUMENT_UNKNOWN },
    { "no name, only a dot file", NULL, ".profile", OCTETS("x"), MK_DOCUMENT_UNKNOWN },
    { "docx by type", "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
      "x", OCTETS("\1\2\3"), MK_DOCUMENT_OOXML },
    { "open document by its first entry", NULL, NULL,
      OCTETS("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x08\0\0\0"
             "mimetypeapplication/vnd.oasis.opendocument.text"),
      MK_DOCUMENT_ODF },
    { "cut off docx", NULL, NULL,
      OCTETS("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0"
             "[Content_Types].xmlzzzz"),
      MK_DOCUMENT_OOXML },
    { "zip", NULL, "a.docx",
      OCTETS("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5\0\0\0a.txt"),
      MK_DOCUMENT_ARCHIVE },
    { "zip cut within its header", NULL, NULL, OCTETS("PK\3\4\x14\0"), MK_DOCUMENT_ARCHIVE },
    { "empty zip", NULL, NULL, OCTETS("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
      MK_DOCUMENT_ARCHIVE },
};

static void test_cases(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i].what);
        g_assert_cmpint(mk_document_kind(cases[i].mime, cases[i].name,
                                         (const uint8_t *) cases[i].data, cases[i].length),
                        ==, cases[i].kind);
    }
}

/* A header, and a directory of one sector of four entries right behind it (MS-CFB 2.2, 2.6). */
static void make_cfb(uint8_t *file, const char *name)
{
    memset(file, 0, 1024);
    memcpy(file, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8);
    file[30] = 9;
    file[64 + 512] = 22;
    file[66 + 512] = 5;
    for (size_t i = 0; name[i]; i++)
        file[512 + 256 + 2 * i] = (uint8_t) name[i];
    file[512 + 256 + 64] = (uint8_t) (2 * strlen(name) + 2);
}

static void test_compound(void)
{
    static const struct {
        const char *stream;
        MkDocumentKind kind;
    } streams[] = {
        { "WordDocument", MK_DOCUMENT_DOC },        { "Workbook", MK_DOCUMENT_XLS },
        { "PowerPoint Document", MK_DOCUMENT_PPT }, { "__properties_version1.0", MK_DOCUMENT_MSG },
        { "EncryptedPackage", MK_DOCUMENT_OOXML },  { "Something", MK_DOCUMENT_UNKNOWN },
    };
    uint8_t file[1024];

    for (size_t i = 0; i < G_N_ELEMENTS(streams); i++) {
        make_cfb(file, streams[i].stream);
        g_assert_cmpint(mk_document_kind(NULL, NULL, file, sizeof file), ==, streams[i].kind);
        for (size_t length = 0; length < sizeof file; length += 7)
            mk_document_kind(NULL, NULL, file, length);
    }
}

/* Every kind has a name, a group and extensions, and its extensions lead to it. */
static void test_types(void)
{
    g_assert_null(mk_document_type(MK_DOCUMENT_UNKNOWN));
    g_assert_null(mk_document_type(MK_DOCUMENT_COUNT));
    for (int kind = MK_DOCUMENT_UNKNOWN + 1; kind < MK_DOCUMENT_COUNT; kind++) {
        const MkDocumentType *type = mk_document_type((MkDocumentKind) kind);

        g_assert_nonnull(type->name);
        g_assert_nonnull(type->group);
        for (const char *const *e = type->extensions; *e; e++) {
            g_autofree char *name = g_strconcat("a.", *e, NULL);

            g_assert_cmpint(mk_document_kind(NULL, name, NULL, 0), ==, kind);
        }
    }
}

static void test_results(void)
{
    g_assert_cmpstr(mk_text_result_name(MK_TEXT_COMPLETE), ==, "complete");
    g_assert_cmpstr(mk_text_result_name(MK_TEXT_NOT_INDEXED), ==, "not-indexed");
    g_assert_cmpstr(mk_text_result_name(MK_TEXT_EMPTY), ==, "empty");
    g_assert_cmpstr(mk_text_result_name((MkTextResult) 99), ==, "unknown");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/text/kind/cases", test_cases);
    g_test_add_func("/text/kind/compound", test_compound);
    g_test_add_func("/text/kind/types", test_types);
    g_test_add_func("/text/kind/results", test_results);
    return g_test_run();
}
