/*
 * ooxml.c - DOCX, XLSX, PPTX and their kin (ECMA-376): the parts that hold text, as they lie
 *
 * A sheet's strings come out with the table of shared strings, once each, not cell by cell: all
 * words are there, and a sheet cannot repeat one string into gigabytes.
 */
#include <fnmatch.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include <mailkeep/limits.h>

#include "internal.h"

/* Text of WordprocessingML, DrawingML and shared strings: <t>. What a change deleted and what a
 * field is made of have elements of their own, and stay out; Fallback repeats Choice. */
static const XmlRule text_rules[] = {
    { "t", XML_TEXT },
    { "p", XML_LINE },
    { "si", XML_LINE },
    { "tr", XML_LINE },
    { "br", XML_LINE },
    { "cr", XML_LINE },
    { "tab", XML_BLANK },
    { "tc", XML_BLANK },
    { "v", XML_TEXT | XML_LINE },
    { "text", XML_TEXT | XML_LINE },
    { "rPh", XML_SKIP },
    { "Fallback", XML_SKIP },
    { NULL, 0 },
};
static const XmlRule sheet_rules[] = {
    { "c", XML_CELL | XML_BLANK },
    { "v", XML_VALUE },
    { "t", XML_TEXT },
    { "row", XML_LINE },
    { "oddHeader", XML_TEXT | XML_LINE },
    { "oddFooter", XML_TEXT | XML_LINE },
    { NULL, 0 },
};
static const XmlRule workbook_rules[] = { { "sheet", XML_NAME | XML_LINE }, { NULL, 0 } };
static const XmlRule property_rules[] = {
    { "title", XML_TEXT | XML_LINE },          { "subject", XML_TEXT | XML_LINE },
    { "creator", XML_TEXT | XML_LINE },        { "keywords", XML_TEXT | XML_LINE },
    { "description", XML_TEXT | XML_LINE },    { "category", XML_TEXT | XML_LINE },
    { "lastModifiedBy", XML_TEXT | XML_LINE }, { NULL, 0 },
};

static const struct {
    const char *pattern;
    const XmlRule *rules; /* NULL: a document of its own */
} parts[] = {
    { "docProps/core.xml", property_rules },
    { "word/document*.xml", text_rules },
    { "word/header*.xml", text_rules },
    { "word/footer*.xml", text_rules },
    { "word/footnotes.xml", text_rules },
    { "word/endnotes.xml", text_rules },
    { "word/comments.xml", text_rules },
    { "xl/workbook.xml", workbook_rules },
    { "xl/sharedstrings.xml", text_rules },
    { "xl/worksheets/*.xml", sheet_rules },
    { "xl/comments*.xml", text_rules },
    { "xl/threadedcomments/*.xml", text_rules },
    { "xl/drawings/*.xml", text_rules },
    { "ppt/slides/*.xml", text_rules },
    { "ppt/notesslides/*.xml", text_rules },
    { "ppt/comments/*.xml", text_rules },
    { "*/diagrams/data*.xml", text_rules },
    { "*/charts/chart*.xml", text_rules },
    { "*/embeddings/*", NULL },
    { "word/*.htm*", NULL }, /* what a document takes in whole (altChunk) */
    { "word/*.mht", NULL },
    { "word/*.rtf", NULL },
    { "word/*.txt", NULL },
    { "word/*.docx", NULL },
};

/* The part's place in the table; -1 if it holds no text. Names need not be UTF-8 here. */
static int part_of(const char *name)
{
    if (strstr(name, "/_rels/"))
        return -1;
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        if (fnmatch(parts[i].pattern, name, FNM_CASEFOLD) == 0)
            return (int) i;
    return -1;
}

static MkTextWhy read_embedded(Package *package, const char *name)
{
    g_autoptr(GByteArray) content = g_byte_array_new();
    bool cut;

    if (!package_read_all(package, content, MK_LIMIT_EXTRACT_BYTES, &cut))
        return MK_WHY_DAMAGED;
    if (cut)
        extract_note(package->x, MK_WHY_SIZE);
    else
        extract_nested(package->x, NULL, name, content->data, content->len);
    return MK_WHY_NONE;
}

static MkTextWhy read_part(Package *package, int part, const char *name)
{
    MkTextWhy why;

    if (!parts[part].rules)
        return read_embedded(package, name);
    why = xml_read(package, parts[part].rules);
    out_utf8(package->x, "\n", 1);
    return why;
}

static bool is_encrypted_file(const Document *document)
{
    g_autoptr(Cfb) cfb = cfb_open(document->data, document->length);

    return cfb && cfb_find(cfb, CFB_ROOT, "EncryptedPackage") != CFB_NONE;
}

MkTextWhy read_ooxml(Extraction *x, const Document *document)
{
    g_auto(Package) package = { .x = x };
    struct archive_entry *entry;
    MkTextWhy why = MK_WHY_NONE;
    unsigned count = 0;
    int rc;

    if (is_encrypted_file(document))
        return MK_WHY_PASSWORD;
    if (!package_open_zip(&package, x, document->data, document->length))
        return MK_WHY_DAMAGED;
    while ((rc = archive_read_next_header(package.archive, &entry)) == ARCHIVE_OK ||
           rc == ARCHIVE_WARN) {
        const char *name = archive_entry_pathname(entry);
        int part = name && archive_entry_filetype(entry) == AE_IFREG ? part_of(name) : -1;
        MkTextWhy one;

        if (part < 0)
            continue;
        if (!extract_entry(x))
            return MK_WHY_ENTRIES;
        one = archive_entry_is_data_encrypted(entry) ? MK_WHY_PASSWORD
                                                     : read_part(&package, part, name);
        if (one == MK_WHY_ENTITY || one == MK_WHY_TEXT || extract_is_over(x))
            return one;
        why = why == MK_WHY_NONE ? one : why;
        count++;
    }
    return rc != ARCHIVE_EOF || count == 0 ? MK_WHY_DAMAGED : why;
}
