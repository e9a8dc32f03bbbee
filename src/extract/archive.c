/*
 * archive.c - ZIP, TAR, GZ, 7z and so on: the names in it and the text of what is in it
 */
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include <mailkeep/limits.h>

#include "internal.h"

#define HEAD_BYTES (32u << 10) /* tells whether the rest is worth unpacking */

typedef struct {
    Package package;
    const Document *document;
    unsigned entries;
    unsigned files; /* with something in them */
    unsigned encrypted;
    bool damaged;
} Archive;

/* -- names -------------------------------------------------------------------------------------- */

/* "a.txt.gz" holds "a.txt", "x.tgz" "x.tar"; the name within a compressed file need not be right. */
static char *name_without_suffix(const char *name)
{
    const char *slash = strrchr(name, '/'), *dot;

    name = slash ? slash + 1 : name;
    dot = strrchr(name, '.');
    if (!dot || dot == name)
        return g_strdup("");
    if (g_ascii_strcasecmp(dot, ".tgz") == 0 || g_ascii_strcasecmp(dot, ".txz") == 0)
        return g_strdup_printf("%.*s.tar", (int) (dot - name), name);
    return g_strndup(name, (gsize) (dot - name));
}

static bool is_raw(const Archive *a)
{
    return archive_format(a->package.archive) == ARCHIVE_FORMAT_RAW;
}

static char *name_of(const Archive *a, struct archive_entry *entry)
{
    const char *name;

    if (is_raw(a))
        return name_without_suffix(a->document->name);
    name = archive_entry_pathname_utf8(entry);
    if (!name)
        name = archive_entry_pathname(entry);
    return g_utf8_make_valid(name ? name : "", -1);
}

/* -- contents -------------------------------------------------------------------------------------- */

static bool can_be_cut(MkDocumentKind kind)
{
    return kind == MK_DOCUMENT_PLAIN || kind == MK_DOCUMENT_HTML || kind == MK_DOCUMENT_EML ||
           kind == MK_DOCUMENT_RTF;
}

static void read_content(Archive *a, const char *name)
{
    Extraction *x = a->package.x;
    g_autoptr(GByteArray) content = g_byte_array_new();
    MkDocumentKind kind;
    bool cut;

    if (!package_read_all(&a->package, content, HEAD_BYTES, &cut)) {
        a->damaged = a->damaged || !extract_is_over(x);
        return;
    }
    kind = mk_document_kind(NULL, name, content->data, content->len);
    if (kind == MK_DOCUMENT_UNKNOWN || (kind == MK_DOCUMENT_IMAGE && !x->ocr))
        return;
    if (cut && !package_read_all(&a->package, content, MK_LIMIT_EXTRACT_BYTES, &cut))
        a->damaged = a->damaged || !extract_is_over(x);
    if (cut) {
        extract_note(x, MK_WHY_SIZE);
        if (!can_be_cut(kind))
            return;
    }
    extract_nested(x, NULL, name, content->data, content->len);
}

static void read_entry(Archive *a, struct archive_entry *entry)
{
    g_autofree char *name = name_of(a, entry);

    a->entries++;
    out_line(a->package.x, name);
    if (archive_entry_filetype(entry) != AE_IFREG ||
        (archive_entry_size_is_set(entry) && archive_entry_size(entry) == 0))
        return;
    a->files++;
    if (archive_entry_is_data_encrypted(entry))
        a->encrypted++;
    else
        read_content(a, name);
}

static MkTextWhy why_of(const Archive *a, bool ended)
{
    if (a->encrypted > 0 && a->encrypted == a->files)
        return MK_WHY_PASSWORD;
    /* Some formats hide even the names. */
    if (a->entries == 0 && archive_read_has_encrypted_entries(a->package.archive) > 0)
        return MK_WHY_PASSWORD;
    if (!ended || a->damaged)
        return MK_WHY_DAMAGED;
    if (a->encrypted > 0)
        extract_note(a->package.x, MK_WHY_PASSWORD);
    return MK_WHY_NONE;
}

MkTextWhy read_archive(Extraction *x, const Document *document)
{
    g_auto(Package) package = { .x = x };
    Archive a = { .document = document };
    struct archive_entry *entry;
    int rc;

    if (!package_open_any(&package, x, document->data, document->length))
        return MK_WHY_DAMAGED;
    a.package = package;
    while ((rc = archive_read_next_header(package.archive, &entry)) == ARCHIVE_OK ||
           rc == ARCHIVE_WARN) {
        /* Octets that no format claims come as they are: then it is no archive. */
        if (is_raw(&a) && archive_filter_count(package.archive) <= 1)
            return MK_WHY_DAMAGED;
        if (!extract_entry(x))
            return MK_WHY_NONE;
        read_entry(&a, entry);
    }
    return why_of(&a, rc == ARCHIVE_EOF);
}
