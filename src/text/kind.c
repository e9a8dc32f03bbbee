/*
 * kind.c - what kind of document some octets are
 *
 * A file's own marks win over its name, and its name over the declared type: mail programs send
 * everything as application/octet-stream, and people rename what a filter would stop.
 */
#include <string.h>

#include "internal.h"

#define LOOK_BYTES 1024 /* readers of PDF look so far for their mark (ISO 32000-1, H.3) */

static const struct {
    size_t offset;
    const char *octets;
    size_t length;
    MkDocumentKind kind;
} marks[] = {
    { 0, "{\\rtf", 5, MK_DOCUMENT_RTF },
    { 0, "\x78\x9f\x3e\x22", 4, MK_DOCUMENT_TNEF }, /* MS-OXTNEF 2.1.3.1 */
    { 0, "\x1f\x8b\x08", 3, MK_DOCUMENT_ARCHIVE },
    { 0, "BZh", 3, MK_DOCUMENT_ARCHIVE },
    { 0,
      "\xfd"
      "7zXZ\0",
      6, MK_DOCUMENT_ARCHIVE },
    { 0, "\x28\xb5\x2f\xfd", 4, MK_DOCUMENT_ARCHIVE }, /* zstd */
    { 0, "\x04\x22\x4d\x18", 4, MK_DOCUMENT_ARCHIVE }, /* lz4 */
    { 0, "\x1f\x9d", 2, MK_DOCUMENT_ARCHIVE },         /* compress */
    { 0, "7z\xbc\xaf\x27\x1c", 6, MK_DOCUMENT_ARCHIVE },
    { 0, "Rar!\x1a\x07", 6, MK_DOCUMENT_ARCHIVE },
    { 0, "MSCF\0\0\0\0", 8, MK_DOCUMENT_ARCHIVE },
    { 257, "ustar", 5, MK_DOCUMENT_ARCHIVE },
    { 2, "-lh", 3, MK_DOCUMENT_ARCHIVE },
    { 0, "070701", 6, MK_DOCUMENT_ARCHIVE }, /* cpio */
    { 0, "070707", 6, MK_DOCUMENT_ARCHIVE },
    { 0, "\x89PNG\r\n\x1a\n", 8, MK_DOCUMENT_IMAGE },
    { 0, "\xff\xd8\xff", 3, MK_DOCUMENT_IMAGE },
    { 0, "GIF8", 4, MK_DOCUMENT_IMAGE },
    { 0, "II*\0", 4, MK_DOCUMENT_IMAGE },
    { 0, "MM\0*", 4, MK_DOCUMENT_IMAGE },
    { 8, "WEBP", 4, MK_DOCUMENT_IMAGE },
};

static bool is_at(const uint8_t *data, size_t length, size_t offset, const void *octets,
                  size_t count)
{
    return length >= offset + count && memcmp(data + offset, octets, count) == 0;
}

static MkDocumentKind kind_of_marks(const uint8_t *data, size_t length)
{
    if (is_at(data, length, 0, "PK\3\4", 4) || is_at(data, length, 0, "PK\5\6", 4))
        return mk_kind_of_zip(data, length);
    if (is_at(data, length, 0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8))
        return mk_kind_of_cfb(data, length);
    for (size_t i = 0; i < G_N_ELEMENTS(marks); i++)
        if (is_at(data, length, marks[i].offset, marks[i].octets, marks[i].length))
            return marks[i].kind;
    if (memmem(data, MIN(length, LOOK_BYTES), "%PDF-", 5))
        return MK_DOCUMENT_PDF;
    return MK_DOCUMENT_UNKNOWN;
}

/* -- text ------------------------------------------------------------------------------------ */

static bool begins(const char *text, size_t length, const char *word)
{
    size_t count = strlen(word);

    return length >= count && g_ascii_strncasecmp(text, word, count) == 0;
}

/* The first words, behind a byte order mark and blanks, ASCII case aside. */
static MkDocumentKind kind_of_words(const uint8_t *data, size_t length)
{
    const char *text = (const char *) data;
    size_t at = is_at(data, length, 0, "\xef\xbb\xbf", 3) ? 3 : 0;

    length = MIN(length, LOOK_BYTES);
    while (at < length && g_ascii_isspace(text[at]))
        at++;
    text += at;
    length -= at;
    if (begins(text, length, "<!doctype html") || begins(text, length, "<html"))
        return MK_DOCUMENT_HTML;
    if (begins(text, length, "begin:vcalendar") || begins(text, length, "begin:vcard"))
        return MK_DOCUMENT_CALENDAR;
    return MK_DOCUMENT_UNKNOWN;
}

/* Tab, line feed, form feed, carriage return, escape (ISO 2022). */
static bool is_of_text(uint8_t octet)
{
    return octet >= 0x20 || octet == 0x09 || octet == 0x0a || octet == 0x0c || octet == 0x0d ||
           octet == 0x1b;
}

static bool looks_like_text(const uint8_t *data, size_t length)
{
    length = MIN(length, LOOK_BYTES);
    for (size_t i = 0; i < length; i++)
        if (!is_of_text(data[i]))
            return false;
    return length > 0;
}

static bool has_marks(MkDocumentKind kind)
{
    return kind == MK_DOCUMENT_DOC || kind == MK_DOCUMENT_XLS || kind == MK_DOCUMENT_PPT ||
           kind == MK_DOCUMENT_MSG || kind == MK_DOCUMENT_OOXML || kind == MK_DOCUMENT_ODF;
}

MkDocumentKind mk_document_kind(const char *mime_type, const char *file_name, const uint8_t *data,
                                size_t length)
{
    MkDocumentKind kind = MK_DOCUMENT_UNKNOWN, named = mk_kind_of_extension(file_name);

    if (named == MK_DOCUMENT_UNKNOWN)
        named = mk_kind_of_mime(mime_type);
    if (length > 0)
        kind = kind_of_marks(data, length);
    /* A mail may begin with anything; a page or a calendar saved as mail is one. */
    if (kind == MK_DOCUMENT_UNKNOWN && length > 0 && named != MK_DOCUMENT_EML)
        kind = kind_of_words(data, length);
    if (kind != MK_DOCUMENT_UNKNOWN)
        return kind;
    /* Exported tables are often called .xls, letters .doc, and are text. */
    if (has_marks(named) && length > 0 && looks_like_text(data, length))
        return MK_DOCUMENT_PLAIN;
    return named;
}
