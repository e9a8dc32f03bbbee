/*
 * document.c - one document: its reader, its limits, and what became of it
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "internal.h"

#define RATIO_FREE_BYTES (1u << 20) /* so much may come out of nearly nothing */

typedef MkTextWhy (*Reader)(Extraction *x, const Document *document);

static const Reader readers[MK_DOCUMENT_COUNT] = {
    [MK_DOCUMENT_PLAIN] = read_plain, [MK_DOCUMENT_HTML] = read_html,
    [MK_DOCUMENT_PDF] = read_pdf,     [MK_DOCUMENT_OOXML] = read_ooxml,
    [MK_DOCUMENT_ODF] = read_odf,     [MK_DOCUMENT_DOC] = read_doc,
    [MK_DOCUMENT_XLS] = read_xls,     [MK_DOCUMENT_PPT] = read_ppt,
    [MK_DOCUMENT_RTF] = read_rtf,     [MK_DOCUMENT_EML] = read_eml,
    [MK_DOCUMENT_MSG] = read_msg,     [MK_DOCUMENT_ARCHIVE] = read_archive,
    [MK_DOCUMENT_TNEF] = read_tnef,   [MK_DOCUMENT_CALENDAR] = read_calendar,
    [MK_DOCUMENT_IMAGE] = read_image,
};

/* -- limits -------------------------------------------------------------------------------------- */

void extract_note(Extraction *x, MkTextWhy why)
{
    if (x->cut == MK_WHY_NONE)
        x->cut = why;
}

bool extract_is_over(const Extraction *x)
{
    return x->text_left == 0 || x->cut == MK_WHY_RATIO ||
           x->unpacked_bytes > MK_LIMIT_EXTRACT_UNPACKED_BYTES;
}

bool extract_unpacked(Extraction *x, uint64_t octets)
{
    x->unpacked_bytes += octets;
    if (x->unpacked_bytes > MK_LIMIT_EXTRACT_UNPACKED_BYTES)
        extract_note(x, MK_WHY_SIZE);
    else if (x->unpacked_bytes > RATIO_FREE_BYTES + x->packed_bytes * MK_LIMIT_EXTRACT_RATIO)
        x->cut = MK_WHY_RATIO;
    return !extract_is_over(x);
}

bool extract_entry(Extraction *x)
{
    if (extract_is_over(x))
        return false;
    if (x->entries_left == 0) {
        extract_note(x, MK_WHY_ENTRIES);
        return false;
    }
    x->entries_left--;
    return true;
}

/* -- documents in documents ------------------------------------------------------------------------ */

static bool is_container(MkDocumentKind kind)
{
    return kind == MK_DOCUMENT_ARCHIVE || kind == MK_DOCUMENT_EML || kind == MK_DOCUMENT_MSG ||
           kind == MK_DOCUMENT_TNEF;
}

static MkTextWhy read_one(Extraction *x, const Document *document)
{
    MkTextWhy why;

    if (is_container(document->kind)) {
        if (x->depth >= MK_LIMIT_EXTRACT_DEPTH)
            return MK_WHY_NESTING;
        x->depth++;
    }
    why = readers[document->kind](x, document);
    if (is_container(document->kind))
        x->depth--;
    return out_end(x) ? why : MK_WHY_TEXT;
}

static bool is_wanted(const Extraction *x, MkDocumentKind kind)
{
    if (kind == MK_DOCUMENT_UNKNOWN || (kind == MK_DOCUMENT_IMAGE && !x->ocr))
        return false;
    return (x->kinds >> kind & 1) != 0;
}

/* What is wrong with a part, as a reason for the whole. */
static MkTextWhy why_of_part(MkTextWhy why)
{
    switch (why) {
    case MK_WHY_NONE:
    case MK_WHY_PROGRAM: return MK_WHY_NONE;
    case MK_WHY_NESTING:
    case MK_WHY_ENTRIES:
    case MK_WHY_TEXT:
    case MK_WHY_SIZE:
    case MK_WHY_RATIO:
    case MK_WHY_ENTITY:
    case MK_WHY_PASSWORD: return why;
    case MK_WHY_TIME:
    case MK_WHY_MEMORY:
    case MK_WHY_CRASH:
    case MK_WHY_DAMAGED:
    case MK_WHY_PART:
    case MK_WHY_HELPER:
    case MK_WHY_PROTOCOL:
    case MK_WHY_COUNT: return MK_WHY_PART;
    }
    return MK_WHY_PART;
}

void extract_nested_as(Extraction *x, MkDocumentKind kind, const char *name, const uint8_t *data,
                       size_t length)
{
    Document document = { kind, name ? name : "", data, length };

    if (!is_wanted(x, kind) || length == 0 || extract_is_over(x))
        return;
    extract_note(x, why_of_part(read_one(x, &document)));
    out_utf8(x, "\n", 1);
}

void extract_nested(Extraction *x, const char *mime, const char *name, const uint8_t *data,
                    size_t length)
{
    extract_nested_as(x, mk_document_kind(mime, name, data, length), name, data, length);
}

/* -- the whole --------------------------------------------------------------------------------------- */

static MkTextResult result_of(MkTextWhy why)
{
    switch (why) {
    case MK_WHY_NONE: return MK_TEXT_COMPLETE;
    case MK_WHY_NESTING:
    case MK_WHY_ENTRIES:
    case MK_WHY_TEXT:
    case MK_WHY_SIZE:
    case MK_WHY_RATIO:
    case MK_WHY_PART: return MK_TEXT_TRUNCATED;
    case MK_WHY_PASSWORD: return MK_TEXT_ENCRYPTED;
    case MK_WHY_PROGRAM: return MK_TEXT_NOT_INDEXED;
    case MK_WHY_TIME:
    case MK_WHY_MEMORY:
    case MK_WHY_CRASH:
    case MK_WHY_ENTITY:
    case MK_WHY_DAMAGED:
    case MK_WHY_HELPER:
    case MK_WHY_PROTOCOL:
    case MK_WHY_COUNT: return MK_TEXT_FAILED;
    }
    return MK_TEXT_FAILED;
}

Verdict extract_document(Extraction *x, const Document *document)
{
    MkTextWhy why;

    x->packed_bytes = document->length;
    x->unpacked_bytes = 0;
    x->entries_left = MK_LIMIT_EXTRACT_ENTRIES;
    x->depth = 0;
    x->cut = MK_WHY_NONE;
    x->has_text = false;
    x->rest_length = 0;
    if (!is_wanted(x, document->kind))
        return (Verdict){ MK_TEXT_NOT_INDEXED, MK_WHY_NONE };
    why = read_one(x, document);
    /* A reader that stopped because a limit was met is not at fault. */
    if (x->cut != MK_WHY_NONE && (why == MK_WHY_NONE || extract_is_over(x)))
        return (Verdict){ MK_TEXT_TRUNCATED, x->cut };
    if (why == MK_WHY_NONE && !x->has_text)
        return (Verdict){ MK_TEXT_EMPTY, MK_WHY_NONE };
    return (Verdict){ result_of(why), why };
}
