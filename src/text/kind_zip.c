/*
 * kind_zip.c - what a ZIP holds, by the names in its directory (APPNOTE.TXT 4.3.12, 4.3.16)
 *
 * Only names are read, of a few entries: whatever is wrong with the rest is the helper's to find.
 */
#include <string.h>

#include "internal.h"

#define END_BYTES 22        /* end of central directory record */
#define CENTRAL_BYTES 46    /* before the name of an entry */
#define LOCAL_BYTES 30      /* before the name of the first entry */
#define COMMENT_BYTES 65535 /* may follow the end record */
#define ENTRIES 200         /* looked at */
#define MIMETYPE "application/vnd.oasis.opendocument."

static unsigned u16(const uint8_t *p)
{
    return p[0] | (unsigned) p[1] << 8;
}

static uint32_t u32(const uint8_t *p)
{
    return u16(p) | (uint32_t) u16(p + 2) << 16;
}

static bool name_begins(const uint8_t *name, size_t length, const char *prefix)
{
    return length >= strlen(prefix) && memcmp(name, prefix, strlen(prefix)) == 0;
}

static bool is_ooxml_name(const uint8_t *name, size_t length)
{
    return name_begins(name, length, "word/") || name_begins(name, length, "xl/") ||
           name_begins(name, length, "ppt/");
}

/* OpenDocument 1.2 part 3, 3.3: the first entry is "mimetype", stored. */
static bool is_odf(const uint8_t *data, size_t length)
{
    size_t skip;

    if (length < LOCAL_BYTES + 8 || memcmp(data + LOCAL_BYTES, "mimetype", 8) != 0)
        return false;
    skip = LOCAL_BYTES + 8 + u16(data + 28);
    return length >= skip + strlen(MIMETYPE) &&
           memcmp(data + skip, MIMETYPE, strlen(MIMETYPE)) == 0;
}

static const uint8_t *find_end(const uint8_t *data, size_t length)
{
    size_t back = MIN(length, END_BYTES + COMMENT_BYTES);

    for (const uint8_t *p = data + length - MIN(length, END_BYTES); back >= END_BYTES; p--, back--)
        if (memcmp(p, "PK\5\6", 4) == 0)
            return p;
    return NULL;
}

typedef struct {
    bool types, folder;     /* OOXML: the list of types, a folder of one of the programs */
    bool mimetype, content; /* OpenDocument, when "mimetype" is packed like the rest */
} Found;

static bool is_name(const uint8_t *name, size_t length, const char *wanted)
{
    return length == strlen(wanted) && memcmp(name, wanted, length) == 0;
}

static MkDocumentKind look_at(Found *found, const uint8_t *name, size_t length)
{
    found->types = found->types || is_name(name, length, "[Content_Types].xml");
    found->folder = found->folder || is_ooxml_name(name, length);
    found->mimetype = found->mimetype || is_name(name, length, "mimetype");
    found->content = found->content || is_name(name, length, "content.xml");
    if (found->types && found->folder)
        return MK_DOCUMENT_OOXML;
    return found->mimetype && found->content ? MK_DOCUMENT_ODF : MK_DOCUMENT_UNKNOWN;
}

static MkDocumentKind kind_of_directory(const uint8_t *data, size_t length, const uint8_t *end)
{
    const uint8_t *at, *stop = data + length;
    MkDocumentKind kind = MK_DOCUMENT_UNKNOWN;
    Found found = { false, false, false, false };

    if (u32(end + 16) >= length)
        return MK_DOCUMENT_UNKNOWN;
    at = data + u32(end + 16);
    for (unsigned i = 0; i < ENTRIES && kind == MK_DOCUMENT_UNKNOWN; i++) {
        size_t left = (size_t) (stop - at), name_length, whole;

        if (left < CENTRAL_BYTES || memcmp(at, "PK\1\2", 4) != 0)
            break;
        name_length = u16(at + 28);
        whole = CENTRAL_BYTES + name_length + u16(at + 30) + u16(at + 32);
        if (left < CENTRAL_BYTES + name_length)
            break;
        kind = look_at(&found, at + CENTRAL_BYTES, name_length);
        at += MIN(whole, left);
    }
    return kind;
}

/* Cut off in transport it has no directory; its first name still tells. */
static bool begins_as_ooxml(const uint8_t *data, size_t length)
{
    return length >= LOCAL_BYTES + 19 &&
           (memcmp(data + LOCAL_BYTES, "[Content_Types].xml", 19) == 0 ||
            is_ooxml_name(data + LOCAL_BYTES, length - LOCAL_BYTES));
}

MkDocumentKind mk_kind_of_zip(const uint8_t *data, size_t length)
{
    const uint8_t *end = find_end(data, length);
    MkDocumentKind kind = end ? kind_of_directory(data, length, end) : MK_DOCUMENT_UNKNOWN;

    if (kind != MK_DOCUMENT_UNKNOWN)
        return kind;
    if (is_odf(data, length))
        return MK_DOCUMENT_ODF;
    return !end && begins_as_ooxml(data, length) ? MK_DOCUMENT_OOXML : MK_DOCUMENT_ARCHIVE;
}
