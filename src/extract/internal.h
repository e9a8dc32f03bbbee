/*
 * internal.h - inside mailkeep-extract: one document's extraction, its readers, the sandbox
 *
 * Trust      Everything that is read here is hostile. Readers check offsets before they use them,
 *            and stop when out_...() or extract_...() returns false.
 * Threads    None: the helper is one thread, and each document has a process of its own.
 */
#ifndef MAILKEEP_EXTRACT_INTERNAL_H
#define MAILKEEP_EXTRACT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include <mailkeep/text.h>
#include <mailkeep/text_wire.h>

/* -- document.c: one document, with what is in it ---------------------------------------------- */
typedef void (*TextSink)(void *cookie, const char *text, size_t length);

typedef struct {
    /* set by the caller */
    uint64_t kinds;
    bool ocr;
    bool programs; /* other programs may be started (not when fuzzing) */
    size_t text_left;
    TextSink on_text;
    void *cookie;
    /* set by extract_document() */
    uint64_t packed_bytes;   /* of the whole document */
    uint64_t unpacked_bytes; /* of all that was in it so far */
    unsigned entries_left;
    unsigned depth; /* containers around what is read now */
    MkTextWhy cut;  /* the first reason why less than all came out */
    bool has_text;  /* something else than blanks came out */
    char rest[4];   /* of a character that the next piece completes */
    unsigned rest_length;
} Extraction;

typedef struct {
    MkDocumentKind kind;
    const char *name; /* "" if none */
    const uint8_t *data;
    size_t length;
} Document;

typedef struct {
    MkTextResult result;
    MkTextWhy why;
} Verdict;

Verdict extract_document(Extraction *x, const Document *document);
/* Something in the document: read when it is of a wanted kind and not nested too deep. Nothing
 * that is wrong with it ends the reading of what it is in; it is noted. */
void extract_nested(Extraction *x, const char *mime, const char *name, const uint8_t *data,
                    size_t length);
/* Of a container that is known: a body in RTF, say. */
void extract_nested_as(Extraction *x, MkDocumentKind kind, const char *name, const uint8_t *data,
                       size_t length);
void extract_note(Extraction *x, MkTextWhy why);
/* Counts unpacked octets; false, noted, when it is too much for what it came from. */
bool extract_unpacked(Extraction *x, uint64_t octets);
/* Counts an entry of an archive or mail; false, noted, when there were enough. */
bool extract_entry(Extraction *x);
/* Nothing more can come out, whatever is read. */
bool extract_is_over(const Extraction *x);

/* A reader returns NONE when it came to the end, else why it did not. */
MkTextWhy read_plain(Extraction *x, const Document *document);
MkTextWhy read_html(Extraction *x, const Document *document);
MkTextWhy read_pdf(Extraction *x, const Document *document);
MkTextWhy read_ooxml(Extraction *x, const Document *document);
MkTextWhy read_odf(Extraction *x, const Document *document);
MkTextWhy read_doc(Extraction *x, const Document *document);
MkTextWhy read_xls(Extraction *x, const Document *document);
MkTextWhy read_ppt(Extraction *x, const Document *document);
MkTextWhy read_rtf(Extraction *x, const Document *document);
MkTextWhy read_eml(Extraction *x, const Document *document);
MkTextWhy read_msg(Extraction *x, const Document *document);
MkTextWhy read_archive(Extraction *x, const Document *document);
MkTextWhy read_tnef(Extraction *x, const Document *document);
MkTextWhy read_calendar(Extraction *x, const Document *document);
MkTextWhy read_image(Extraction *x, const Document *document);

/* -- output.c: text out, as valid UTF-8 without control characters -------------------------------- */
bool out_utf8(Extraction *x, const char *text, size_t length); /* any octets */
bool out_line(Extraction *x, const char *text);                /* and a line end */
bool out_end(Extraction *x);                                   /* what is left of a character */

/* -- charset.c: octets of any charset out ------------------------------------------------------ */
bool out_1252(Extraction *x, const uint8_t *data, size_t length);
bool out_utf16(Extraction *x, const uint8_t *data, size_t length, bool big_endian);
bool out_octets(Extraction *x, const uint8_t *data, size_t length); /* UTF-8, else windows-1252 */
/* By the number of a Windows code page; 0 or an unknown one as out_octets(). */
bool out_codepage(Extraction *x, const uint8_t *data, size_t length, unsigned codepage);
/* The same by name, as a new string; NULL when the name is unknown. */
char *charset_convert(const uint8_t *data, size_t length, const char *charset, size_t *out_length);

/* -- package.c: archives in memory ------------------------------------------------------------- */
struct archive;
typedef struct {
    Extraction *x;
    struct archive *archive; /* NULL when it is none */
} Package;

bool package_open_zip(Package *package, Extraction *x, const uint8_t *data, size_t length);
bool package_open_any(Package *package, Extraction *x, const uint8_t *data, size_t length);
void package_close(Package *package);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Package, package_close)
/* Octets of the entry, 0 at its end, -1 when it is damaged or too much. */
gssize package_read(Package *package, void *buffer, size_t size);
/* The rest of an entry of which @content has the head; at most @max_bytes in all. @out_cut: there
 * may be more, and the next call goes on there. False when it is damaged or too much. */
bool package_read_all(Package *package, GByteArray *content, size_t max_bytes, bool *out_cut);

/* -- xml.c: text of XML, by a table of its elements ---------------------------------------------- */
typedef enum {
    XML_TEXT = 1,   /* its character data is text, that of its descendants too */
    XML_LINE = 2,   /* a line end behind it */
    XML_BLANK = 4,  /* a blank behind it */
    XML_SKIP = 8,   /* nothing in it counts */
    XML_NAME = 16,  /* its attribute "name" is a line of text */
    XML_CELL = 32,  /* a cell of a sheet: its type decides about its values */
    XML_VALUE = 64, /* a value of a cell: text, unless it is a number of a shared string */
} XmlAction;

typedef struct {
    const char *element; /* without prefix */
    unsigned actions;
} XmlRule;

/* Reads the package's entry; rules end with an element of NULL. */
MkTextWhy xml_read(Package *package, const XmlRule *rules);

/* -- cfb.c: compound files (MS-CFB) -------------------------------------------------------------- */
typedef struct Cfb Cfb;
#define CFB_ROOT 0u
#define CFB_NONE UINT32_MAX

Cfb *cfb_open(const uint8_t *data, size_t length); /* NULL when it is none */
void cfb_free(Cfb *cfb);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Cfb, cfb_free)
/* Goes through the entries in a storage; CFB_NONE at the end. */
uint32_t cfb_first(const Cfb *cfb, uint32_t storage);
uint32_t cfb_next(const Cfb *cfb, uint32_t entry);
const char *cfb_name(const Cfb *cfb, uint32_t entry); /* UTF-8 */
bool cfb_is_storage(const Cfb *cfb, uint32_t entry);
uint32_t cfb_find(const Cfb *cfb, uint32_t storage, const char *name); /* ASCII case aside */
/* A stream's octets, cut at @max_bytes and where its chain breaks. Never NULL. */
GByteArray *cfb_stream(const Cfb *cfb, uint32_t entry, size_t max_bytes);

/* -- mapi.c: what MSG and TNEF have in common ------------------------------------------------------ */
enum {
    MAPI_SUBJECT = 0x0037,
    MAPI_SENDER_NAME = 0x0c1a,
    MAPI_SENDER_ADDRESS = 0x0c1f,
    MAPI_BCC = 0x0e02,
    MAPI_CC = 0x0e03,
    MAPI_TO = 0x0e04,
    MAPI_BODY = 0x1000,
    MAPI_RTF = 0x1009,
    MAPI_HTML = 0x1013,
    MAPI_DISPLAY_NAME = 0x3001,
    MAPI_ADDRESS = 0x3003,
    MAPI_ATTACH_DATA = 0x3701,
    MAPI_ATTACH_NAME = 0x3704,
    MAPI_ATTACH_LONG_NAME = 0x3707,
    MAPI_ATTACH_MIME = 0x370e,
    MAPI_SMTP = 0x39fe,
    MAPI_CODEPAGE = 0x3ffd,
    MAPI_HTML_CODEPAGE = 0x3fde,
    MAPI_SENDER_SMTP = 0x5d01,
};
enum {
    MAPI_TYPE_LONG = 0x0003,
    MAPI_TYPE_OBJECT = 0x000d,
    MAPI_TYPE_STRING8 = 0x001e,
    MAPI_TYPE_STRING = 0x001f,
    MAPI_TYPE_BINARY = 0x0102,
};

/* Properties of one object: the tag is its number << 16 | its type. */
typedef struct {
    GHashTable *values; /* number -> MapiValue * */
    unsigned codepage;  /* of its 8-bit strings; 0 = unknown */
    unsigned html_codepage;
} MapiBag;

void mapi_init(MapiBag *bag);
void mapi_clear(MapiBag *bag);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MapiBag, mapi_clear)
bool mapi_is_wanted(unsigned number);
/* Keeps @value. Of two the one with Unicode strings stays. */
void mapi_add(MapiBag *bag, unsigned number, unsigned type, GBytes *value);
GBytes *mapi_find(const MapiBag *bag, unsigned number, unsigned *out_type); /* borrowed */
void mapi_out_message(Extraction *x, const MapiBag *bag);
void mapi_out_recipient(Extraction *x, const MapiBag *bag);
void mapi_out_attachment(Extraction *x, const MapiBag *bag);

/* -- rtf_packed.c: compressed RTF (MS-OXRTFCP) ------------------------------------------------------ */
/* NULL when it is none. */
GByteArray *rtf_unpack(const uint8_t *data, size_t length, size_t max_bytes);

/* -- page.c: a page of a PDF as a picture ------------------------------------------------------------ */
/* COMPLETE: the number of pages (MK_WIRE_COUNT_BYTES, big endian) and a PNG went to @sink. EMPTY: the
 * number alone, since there is no such page. Else what went there is worth nothing. */
Verdict draw_page(const Document *document, unsigned page, TextSink sink, void *cookie);

/* -- program.c: other programs, under the same filter --------------------------------------------- */
/* False ends the reading of the output. */
typedef bool (*ProgramOutput)(void *cookie, const uint8_t *data, size_t length);
/* @arguments[0] is the path. NONE when it ended with status 0 or its output was enough. */
MkTextWhy program_run(const char *const *arguments, const uint8_t *data, size_t length,
                      ProgramOutput on_output, void *cookie);
/* The same with the output as text. */
MkTextWhy program_text(Extraction *x, const char *const *arguments, const uint8_t *data,
                       size_t length);
bool program_is_there(const char *path);

#define PROGRAM_PDF "/usr/bin/pdftotext"
#define PROGRAM_PDF_PAGES "/usr/bin/pdftoppm"
#define PROGRAM_PDF_INFO "/usr/bin/pdfinfo"
#define PROGRAM_DOC "/usr/bin/catdoc"
#define PROGRAM_XLS "/usr/bin/xls2csv"
#define PROGRAM_OCR "/usr/bin/tesseract"

/* -- filter.c: which system calls are left --------------------------------------------------------- */
typedef enum {
    FILTER_HELPER,  /* a list of what is allowed, for all that follows */
    FILTER_WORKER,  /* nothing that reaches another process, no messages */
    FILTER_PROGRAM, /* no new processes */
    FILTER_COUNT,
} FilterLevel;
/* Makes all three ready; false when the kernel or library cannot. */
bool filter_prepare(void);
/* Adds one to those that hold already; for good, and for all children. */
bool filter_enter(FilterLevel level);

/* -- landlock.c, sandbox.c ---------------------------------------------------------------------- */
/* True also where the kernel has none. */
bool landlock_enter(void);
/* Everything above for the helper itself; before any input is read. */
bool sandbox_enter(unsigned memory_mib);
/* In the process of one document. */
bool sandbox_enter_worker(unsigned seconds);

/* -- serve.c, worker.c ---------------------------------------------------------------------------- */
int serve(int socket);
/* Reads the document, writes text to @output, ends the process with a verdict. */
G_NORETURN void worker_run(const MkRequest *request, int document, int output);
Verdict worker_verdict(int wait_status); /* of a worker that ended */

#endif
