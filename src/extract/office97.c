/*
 * office97.c - DOC, XLS and RTF by catdoc's programs
 *
 * They know no passwords and give noise for what is encrypted, so that is looked for first:
 * MS-DOC 2.5.2 (fEncrypted), MS-XLS 2.4.117 (FilePass).
 */
#include <string.h>

#include "internal.h"

#define HEAD_BYTES 4096 /* of the main stream */

static unsigned u16(const uint8_t *p)
{
    return p[0] | (unsigned) p[1] << 8;
}

static bool is_doc_encrypted(const GByteArray *head)
{
    return head->len >= 12 && u16(head->data) == 0xa5ec && (u16(head->data + 10) & 0x0100) != 0;
}

/* FilePass stands before everything that is encrypted, near the beginning. */
static bool is_xls_encrypted(const GByteArray *head)
{
    for (size_t at = 0; at + 4 <= head->len; at += 4 + u16(head->data + at + 2)) {
        if (u16(head->data + at) == 0x002f)
            return true;
        if (u16(head->data + at) == 0x000a) /* EOF of the globals */
            return false;
    }
    return false;
}

static GByteArray *stream_head(const Cfb *cfb, const char *name)
{
    uint32_t entry = cfb_find(cfb, CFB_ROOT, name);

    return entry == CFB_NONE ? g_byte_array_new() : cfb_stream(cfb, entry, HEAD_BYTES);
}

static bool is_encrypted(const Document *document)
{
    g_autoptr(Cfb) cfb = cfb_open(document->data, document->length);

    if (!cfb)
        return false;
    g_autoptr(GByteArray) doc = stream_head(cfb, "WordDocument");
    g_autoptr(GByteArray) xls = stream_head(cfb, "Workbook");
    g_autoptr(GByteArray) old_xls = stream_head(cfb, "Book");
    return is_doc_encrypted(doc) || is_xls_encrypted(xls) || is_xls_encrypted(old_xls) ||
           cfb_find(cfb, CFB_ROOT, "EncryptedPackage") != CFB_NONE;
}

MkTextWhy read_doc(Extraction *x, const Document *document)
{
    static const char *const arguments[] = { PROGRAM_DOC, "-w", "-d", "utf-8", NULL };

    if (is_encrypted(document))
        return MK_WHY_PASSWORD;
    return program_text(x, arguments, document->data, document->length);
}

MkTextWhy read_rtf(Extraction *x, const Document *document)
{
    static const char *const arguments[] = { PROGRAM_DOC, "-w", "-d", "utf-8", NULL };

    return program_text(x, arguments, document->data, document->length);
}

MkTextWhy read_xls(Extraction *x, const Document *document)
{
    /* It wants a name; this one is the memory file again. */
    static const char *const arguments[] = {
        PROGRAM_XLS, "-q0", "-c", " ", "-b", "\n", "-d", "utf-8", "/proc/self/fd/0", NULL
    };

    if (is_encrypted(document))
        return MK_WHY_PASSWORD;
    return program_text(x, arguments, document->data, document->length);
}
