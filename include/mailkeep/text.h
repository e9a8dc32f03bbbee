/*
 * text.h - the text of attachments, got by a sandboxed helper process
 *
 * Purpose    Says what kind of document some octets are, and has `mailkeep-extract` read its text.
 * Trust      The octets are hostile. The helper parses them: without network, without files but the
 *            libraries and programs it needs, with limits of memory, processor time, time and
 *            output. What it sends back is data, length-checked; it can do no more harm than
 *            giving wrong text. It is killed when it takes too long, and started again when needed.
 * Ownership  MkExtractor is its maker's; a GString given out is the caller's.
 * Threads    One extractor belongs to one thread at a time. All of it blocks: lanes only.
 * Protocol   docs/protocols/extract.md
 * Source     spec IX-02..IX-05, IX-11
 */
#ifndef MAILKEEP_TEXT_H
#define MAILKEEP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include <mailkeep/error.h>

/* What became of one attachment's text. Stored in the index: never renumber. */
typedef enum {
    MK_TEXT_COMPLETE = 1,
    MK_TEXT_TRUNCATED = 2,   /* cut at a limit of text, entries or nesting; what there is counts */
    MK_TEXT_FAILED = 3,      /* damaged, or the helper ran out of memory or time, or crashed */
    MK_TEXT_ENCRYPTED = 4,   /* needs a password */
    MK_TEXT_NOT_INDEXED = 5, /* no extractor for this type, or the administrator left it out */
    MK_TEXT_EMPTY = 6,       /* read completely, and there is no text in it (a scanned page) */
} MkTextResult;
const char *mk_text_result_name(MkTextResult result); /* "complete", "truncated", ... */

/* What an extractor exists for. The names ("pdf") are fixed: they stand in settings. */
typedef enum {
    MK_DOCUMENT_UNKNOWN,
    MK_DOCUMENT_PLAIN, /* txt csv log md ... */
    MK_DOCUMENT_HTML,
    MK_DOCUMENT_PDF,
    MK_DOCUMENT_OOXML, /* docx xlsx pptx and their macro and template forms */
    MK_DOCUMENT_ODF,   /* odt ods odp odg */
    MK_DOCUMENT_DOC,   /* doc dot */
    MK_DOCUMENT_XLS,
    MK_DOCUMENT_PPT,
    MK_DOCUMENT_RTF,
    MK_DOCUMENT_EML, /* message/rfc822 */
    MK_DOCUMENT_MSG,
    MK_DOCUMENT_ARCHIVE,  /* zip tar gz ...: the names in it and the text of what is in it */
    MK_DOCUMENT_TNEF,     /* winmail.dat */
    MK_DOCUMENT_CALENDAR, /* ics vcf */
    MK_DOCUMENT_IMAGE,    /* OCR, if tesseract is installed */
    MK_DOCUMENT_COUNT,
} MkDocumentKind;

typedef struct {
    const char *name;  /* "pdf" */
    const char *group; /* of IX-03: "text", "pdf", "office97", "office2007", "opendocument",
                                      "mail", "archive", "ocr" */
    const char *const *extensions; /* lower case, NULL-terminated, without dots */
    const char *program;           /* external program it needs, or NULL */
} MkDocumentType;
/* By kind; NULL for UNKNOWN. Pure. */
const MkDocumentType *mk_document_type(MkDocumentKind kind);
/*
 * mk_document_kind() - what it is: the octets' own marks first, then the file name's extension,
 * then the declared type. Pure; looks at the first few KiB (of a ZIP at its names).
 */
MkDocumentKind mk_document_kind(const char *mime_type, const char *file_name, const uint8_t *data,
                                size_t length);

typedef struct {
    const char *program; /* path of mailkeep-extract */
    uint64_t kinds;      /* bits 1 << MkDocumentKind that may be read, at every depth */
    uint32_t text_bytes; /* at most so much text of one document */
    uint32_t seconds;    /* wall clock for one document; twice that much for one with OCR */
    uint32_t memory_mib; /* address space of the helper and what it starts */
    bool ocr;
    const int *cancelled; /* atomic, may be NULL: the document being read ends as FAILED, "time" */
} MkExtractorOptions;
#define MK_EXTRACTOR_OPTIONS_INIT                                                   \
    {                                                                               \
        NULL, UINT64_MAX, MK_LIMIT_ATTACHMENT_TEXT_BYTES, MK_LIMIT_EXTRACT_SECONDS, \
            MK_LIMIT_EXTRACT_MEMORY_MIB, false, NULL                                \
    }

typedef struct MkExtractor MkExtractor;
/* Starts nothing yet. */
MkExtractor *mk_extractor_new(const MkExtractorOptions *options);
/* Ends the helper. NULL-safe. */
void mk_extractor_free(MkExtractor *extractor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkExtractor, mk_extractor_free)

typedef struct {
    MkTextResult result;
    GString *text;   /* valid UTF-8 without NUL; what was read until it failed; never NULL */
    const char *why; /* static, for the log: "time", "memory", "crash", "nesting" ...; or NULL */
} MkExtracted;
void mk_extracted_clear(MkExtracted *extracted);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkExtracted, mk_extracted_clear)
/*
 * mk_extractor_read() - the text of one document
 *
 * Never fails as such: whatever goes wrong is a result (IX-11). @data is at most
 * MK_LIMIT_EXTRACT_BYTES, longer documents are TRUNCATED where the type allows it, else FAILED.
 * When the helper cannot be started at all the result is FAILED with why "helper".
 */
void mk_extractor_read(MkExtractor *extractor, MkDocumentKind kind, const char *file_name,
                       const uint8_t *data, size_t length, MkExtracted *out);

typedef struct {
    MkTextResult result; /* COMPLETE: drawn. EMPTY: the document has no such page */
    unsigned page_count; /* of the document; 0 = not known */
    GBytes *png;         /* COMPLETE: a whole PNG of at most MK_LIMIT_PAGE_...; else NULL */
    const char *why;     /* as above */
} MkPagePicture;
void mk_page_picture_clear(MkPagePicture *picture);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkPagePicture, mk_page_picture_clear)
/*
 * mk_extractor_draw() - a page of a PDF as people see it
 * @page  from 1
 *
 * Never fails as such, as mk_extractor_read(); of the options `text_bytes`, `kinds` and `ocr` do not
 * count. It is a PNG since most pages are letters on white: sharp, and smaller so than a JPEG.
 */
void mk_extractor_draw(MkExtractor *extractor, unsigned page, const uint8_t *data, size_t length,
                       MkPagePicture *out);
/* Which kinds can be read here: programs are installed, libraries were there. Asks the helper once. */
uint64_t mk_extractor_available(MkExtractor *extractor);

#endif
