/*
 * odf.c - OpenDocument (ISO/IEC 26300): text, sheets, presentations, drawings
 */
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "internal.h"

#define MANIFEST_BYTES (1u << 20) /* looked through for encryption */

static const XmlRule content_rules[] = {
    { "p", XML_TEXT | XML_LINE }, { "h", XML_TEXT | XML_LINE },    { "s", XML_BLANK },
    { "tab", XML_BLANK },         { "line-break", XML_LINE },      { "table-cell", XML_BLANK },
    { "table-row", XML_LINE },    { "tracked-changes", XML_SKIP }, { NULL, 0 },
};
static const XmlRule meta_rules[] = {
    { "title", XML_TEXT | XML_LINE },
    { "subject", XML_TEXT | XML_LINE },
    { "creator", XML_TEXT | XML_LINE },
    { "keyword", XML_TEXT | XML_LINE },
    { "description", XML_TEXT | XML_LINE },
    { "initial-creator", XML_TEXT | XML_LINE },
    { NULL, 0 },
};

static const XmlRule *rules_of(const char *name)
{
    if (g_str_equal(name, "content.xml") || g_str_equal(name, "styles.xml"))
        return content_rules;
    return g_str_equal(name, "meta.xml") ? meta_rules : NULL;
}

/* The next entry with this name, or with any name that holds text; NULL at the end. */
static const char *next_entry(Package *package, const char *wanted, int *out_rc)
{
    struct archive_entry *entry;

    while ((*out_rc = archive_read_next_header(package->archive, &entry)) == ARCHIVE_OK ||
           *out_rc == ARCHIVE_WARN) {
        const char *name = archive_entry_pathname(entry);

        if (!name || archive_entry_filetype(entry) != AE_IFREG)
            continue;
        if (wanted ? g_str_equal(name, wanted) : rules_of(name) != NULL)
            return name;
    }
    return NULL;
}

/* Part 3, 4.8: an entry that is encrypted has encryption-data in the manifest. */
static bool is_encrypted(Extraction *x, const Document *document)
{
    g_auto(Package) package = { .x = x };
    g_autoptr(GByteArray) manifest = g_byte_array_new();
    bool cut;
    int rc;

    if (!package_open_zip(&package, x, document->data, document->length) ||
        !next_entry(&package, "META-INF/manifest.xml", &rc))
        return false;
    package_read_all(&package, manifest, MANIFEST_BYTES, &cut);
    return manifest->len > 0 && memmem(manifest->data, manifest->len, "encryption-data", 15);
}

MkTextWhy read_odf(Extraction *x, const Document *document)
{
    g_auto(Package) package = { .x = x };
    MkTextWhy why = MK_WHY_NONE;
    unsigned count = 0;
    const char *name;
    int rc;

    if (is_encrypted(x, document))
        return MK_WHY_PASSWORD;
    if (!package_open_zip(&package, x, document->data, document->length))
        return MK_WHY_DAMAGED;
    while ((name = next_entry(&package, NULL, &rc))) {
        MkTextWhy one;

        if (!extract_entry(x))
            return MK_WHY_ENTRIES;
        one = xml_read(&package, rules_of(name));
        out_utf8(x, "\n", 1);
        if (one == MK_WHY_ENTITY || one == MK_WHY_TEXT || extract_is_over(x))
            return one;
        why = why == MK_WHY_NONE ? one : why;
        count++;
    }
    return rc != ARCHIVE_EOF || count == 0 ? MK_WHY_DAMAGED : why;
}
