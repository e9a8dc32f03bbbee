/*
 * types.c - what an extractor exists for, and how names and declared types say it
 */
#include <mailkeep/text.h>

#include <string.h>

#include "internal.h"

static const char *const result_names[] = {
    [MK_TEXT_COMPLETE] = "complete",       [MK_TEXT_TRUNCATED] = "truncated",
    [MK_TEXT_FAILED] = "failed",           [MK_TEXT_ENCRYPTED] = "encrypted",
    [MK_TEXT_NOT_INDEXED] = "not-indexed", [MK_TEXT_EMPTY] = "empty",
};

const char *mk_text_result_name(MkTextResult result)
{
    if (result < MK_TEXT_COMPLETE || result > MK_TEXT_EMPTY)
        return "unknown";
    return result_names[result];
}

#define EXTENSIONS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const MkDocumentType types[MK_DOCUMENT_COUNT] = {
    [MK_DOCUMENT_PLAIN] = { "plain", "text",
                            EXTENSIONS("txt", "csv", "tsv", "log", "md", "asc", "text", "ini",
                                       "conf", "json", "xml", "yaml", "yml", "sql", "diff",
                                       "patch"),
                            NULL },
    [MK_DOCUMENT_HTML] = { "html", "text", EXTENSIONS("html", "htm", "xhtml", "shtml"), NULL },
    [MK_DOCUMENT_PDF] = { "pdf", "pdf", EXTENSIONS("pdf"), "pdftotext" },
    [MK_DOCUMENT_OOXML] = { "ooxml", "office2007",
                            EXTENSIONS("docx", "docm", "dotx", "dotm", "xlsx", "xlsm", "xltx",
                                       "xltm", "xlam", "pptx", "pptm", "potx", "potm", "ppsx",
                                       "ppsm", "ppam"),
                            NULL },
    [MK_DOCUMENT_ODF] = { "odf", "opendocument",
                          EXTENSIONS("odt", "ods", "odp", "odg", "ott", "ots", "otp", "otg", "odf",
                                     "odm"),
                          NULL },
    [MK_DOCUMENT_DOC] = { "doc", "office97", EXTENSIONS("doc", "dot"), "catdoc" },
    [MK_DOCUMENT_XLS] = { "xls", "office97", EXTENSIONS("xls", "xlt", "xla"), "xls2csv" },
    [MK_DOCUMENT_PPT] = { "ppt", "office97", EXTENSIONS("ppt", "pps", "pot"), NULL },
    [MK_DOCUMENT_RTF] = { "rtf", "office97", EXTENSIONS("rtf"), "catdoc" },
    [MK_DOCUMENT_EML] = { "eml", "mail", EXTENSIONS("eml", "mht", "mhtml"), NULL },
    [MK_DOCUMENT_MSG] = { "msg", "mail", EXTENSIONS("msg", "oft"), NULL },
    [MK_DOCUMENT_ARCHIVE] = { "archive", "archive",
                              EXTENSIONS("zip", "tar", "gz", "tgz", "bz2", "tbz2", "tbz", "xz",
                                         "txz", "zst", "tzst", "7z", "rar", "cab", "lzh", "lha",
                                         "cpio", "lz4", "z"),
                              NULL },
    [MK_DOCUMENT_TNEF] = { "tnef", "mail", EXTENSIONS("tnef"), NULL },
    [MK_DOCUMENT_CALENDAR] = { "calendar", "mail", EXTENSIONS("ics", "vcs", "ifb", "vcf", "vcard"),
                               NULL },
    [MK_DOCUMENT_IMAGE] = { "image", "ocr",
                            EXTENSIONS("png", "jpg", "jpeg", "tif", "tiff", "bmp", "gif", "webp"),
                            "tesseract" },
};

const MkDocumentType *mk_document_type(MkDocumentKind kind)
{
    if (kind <= MK_DOCUMENT_UNKNOWN || kind >= MK_DOCUMENT_COUNT)
        return NULL;
    return &types[kind];
}

MkDocumentKind mk_kind_of_extension(const char *file_name)
{
    const char *dot = file_name ? strrchr(file_name, '.') : NULL;

    if (!dot)
        return MK_DOCUMENT_UNKNOWN;
    if (g_ascii_strcasecmp(file_name, "winmail.dat") == 0)
        return MK_DOCUMENT_TNEF;
    for (int kind = MK_DOCUMENT_UNKNOWN + 1; kind < MK_DOCUMENT_COUNT; kind++)
        for (const char *const *e = types[kind].extensions; *e; e++)
            if (g_ascii_strcasecmp(dot + 1, *e) == 0)
                return (MkDocumentKind) kind;
    return MK_DOCUMENT_UNKNOWN;
}

/* As registered with IANA, and as mail programs write them. A prefix ends in "*". */
static const struct {
    const char *mime;
    MkDocumentKind kind;
} mimes[] = {
    { "text/html", MK_DOCUMENT_HTML },
    { "application/xhtml+xml", MK_DOCUMENT_HTML },
    { "text/calendar", MK_DOCUMENT_CALENDAR },
    { "text/vcard", MK_DOCUMENT_CALENDAR },
    { "text/x-vcard", MK_DOCUMENT_CALENDAR },
    { "text/directory", MK_DOCUMENT_CALENDAR },
    { "application/ics", MK_DOCUMENT_CALENDAR },
    { "text/rtf", MK_DOCUMENT_RTF },
    { "application/rtf", MK_DOCUMENT_RTF },
    { "text/*", MK_DOCUMENT_PLAIN },
    { "application/json", MK_DOCUMENT_PLAIN },
    { "application/xml", MK_DOCUMENT_PLAIN },
    { "application/csv", MK_DOCUMENT_PLAIN },
    { "application/pdf", MK_DOCUMENT_PDF },
    { "application/x-pdf", MK_DOCUMENT_PDF },
    { "application/vnd.openxmlformats-officedocument.*", MK_DOCUMENT_OOXML },
    { "application/vnd.ms-word.*", MK_DOCUMENT_OOXML },
    { "application/vnd.ms-excel.*", MK_DOCUMENT_OOXML },
    { "application/vnd.ms-powerpoint.*", MK_DOCUMENT_OOXML },
    { "application/vnd.oasis.opendocument.*", MK_DOCUMENT_ODF },
    { "application/msword", MK_DOCUMENT_DOC },
    { "application/vnd.ms-excel", MK_DOCUMENT_XLS },
    { "application/msexcel", MK_DOCUMENT_XLS },
    { "application/vnd.ms-powerpoint", MK_DOCUMENT_PPT },
    { "application/mspowerpoint", MK_DOCUMENT_PPT },
    { "message/rfc822", MK_DOCUMENT_EML },
    { "message/global", MK_DOCUMENT_EML },
    { "application/vnd.ms-outlook", MK_DOCUMENT_MSG },
    { "application/ms-tnef", MK_DOCUMENT_TNEF },
    { "application/vnd.ms-tnef", MK_DOCUMENT_TNEF },
    { "application/zip", MK_DOCUMENT_ARCHIVE },
    { "application/x-zip-compressed", MK_DOCUMENT_ARCHIVE },
    { "application/x-tar", MK_DOCUMENT_ARCHIVE },
    { "application/gzip", MK_DOCUMENT_ARCHIVE },
    { "application/x-gzip", MK_DOCUMENT_ARCHIVE },
    { "application/x-bzip2", MK_DOCUMENT_ARCHIVE },
    { "application/x-7z-compressed", MK_DOCUMENT_ARCHIVE },
    { "application/x-xz", MK_DOCUMENT_ARCHIVE },
    { "application/zstd", MK_DOCUMENT_ARCHIVE },
    { "application/vnd.rar", MK_DOCUMENT_ARCHIVE },
    { "application/x-rar-compressed", MK_DOCUMENT_ARCHIVE },
    { "application/vnd.ms-cab-compressed", MK_DOCUMENT_ARCHIVE },
    { "image/png", MK_DOCUMENT_IMAGE },
    { "image/jpeg", MK_DOCUMENT_IMAGE },
    { "image/jpg", MK_DOCUMENT_IMAGE },
    { "image/tiff", MK_DOCUMENT_IMAGE },
    { "image/bmp", MK_DOCUMENT_IMAGE },
    { "image/gif", MK_DOCUMENT_IMAGE },
    { "image/webp", MK_DOCUMENT_IMAGE },
};

static bool is_mime(const char *mime, const char *pattern)
{
    size_t length = strlen(pattern);

    if (pattern[length - 1] == '*')
        return g_ascii_strncasecmp(mime, pattern, length - 1) == 0;
    return g_ascii_strncasecmp(mime, pattern, length) == 0 &&
           (mime[length] == '\0' || strchr("; \t", mime[length]));
}

MkDocumentKind mk_kind_of_mime(const char *mime_type)
{
    for (size_t i = 0; mime_type && i < G_N_ELEMENTS(mimes); i++)
        if (is_mime(mime_type, mimes[i].mime))
            return mimes[i].kind;
    return MK_DOCUMENT_UNKNOWN;
}
