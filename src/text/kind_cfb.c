/*
 * kind_cfb.c - which program wrote a compound file, by the names in its directory (MS-CFB 2.6)
 *
 * Looks at the directory's first sectors where they lie in a row, which is how every program
 * writes them. The helper reads the chain and corrects what this misses.
 */
#include <string.h>

#include "internal.h"

#define ENTRY_BYTES 128
#define ENTRIES 512 /* looked at */

static const struct {
    const char *name; /* of a stream or storage */
    MkDocumentKind kind;
} names[] = {
    { "WordDocument", MK_DOCUMENT_DOC },
    { "Workbook", MK_DOCUMENT_XLS },
    { "Book", MK_DOCUMENT_XLS },
    { "PowerPoint Document", MK_DOCUMENT_PPT },
    { "__properties_version1.0", MK_DOCUMENT_MSG },
    { "__nameid_version1.0", MK_DOCUMENT_MSG },
    { "EncryptedPackage", MK_DOCUMENT_OOXML },
};

/* Is the UTF-16 name of a directory entry this one? */
static bool is_named(const uint8_t *entry, const char *name)
{
    size_t length = strlen(name);

    if (entry[64] + (entry[65] << 8) != (int) (2 * length + 2))
        return false;
    for (size_t i = 0; i < length; i++)
        if (entry[2 * i] != (uint8_t) name[i] || entry[2 * i + 1] != 0)
            return false;
    return true;
}

static MkDocumentKind kind_of_entry(const uint8_t *entry)
{
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (is_named(entry, names[i].name))
            return names[i].kind;
    return MK_DOCUMENT_UNKNOWN;
}

MkDocumentKind mk_kind_of_cfb(const uint8_t *data, size_t length)
{
    MkDocumentKind best = MK_DOCUMENT_UNKNOWN;
    unsigned shift;
    uint64_t at;

    if (length < 512)
        return MK_DOCUMENT_UNKNOWN;
    shift = data[30];
    if (shift != 9 && shift != 12)
        return MK_DOCUMENT_UNKNOWN;
    at =
        data[48] | (uint64_t) data[49] << 8 | (uint64_t) data[50] << 16 | (uint64_t) data[51] << 24;
    at = (at + 1) << shift;
    for (unsigned i = 0; i < ENTRIES && at + ENTRY_BYTES <= length; i++, at += ENTRY_BYTES) {
        MkDocumentKind kind = kind_of_entry(data + at);

        /* A mail may hold a letter: the mail's own entries decide. */
        if (kind == MK_DOCUMENT_MSG || kind == MK_DOCUMENT_OOXML)
            return kind;
        if (best == MK_DOCUMENT_UNKNOWN)
            best = kind;
    }
    return best;
}
