/*
 * mail.c - EML: header, text, and the attachments that are documents
 */
#include <string.h>

#include <mailkeep/limits.h>
#include <mailkeep/mail.h>

#include "internal.h"

#define COMPARE_BYTES 4096u /* of an attached message: enough to find it where it lies */

static void out_addresses(Extraction *x, const GPtrArray *addresses)
{
    g_autofree char *text = mk_addresses_format(addresses);

    if (text[0] != '\0')
        out_line(x, text);
}

static void out_header(Extraction *x, const Document *document)
{
    g_autoptr(MkMailSummary) summary = mk_mail_summary(document->data, document->length);

    out_line(x, summary->subject);
    out_addresses(x, summary->from);
    out_addresses(x, summary->to);
    out_addresses(x, summary->cc);
}

static void out_body(Extraction *x, const Document *document)
{
    g_autoptr(MkMailText) text = mk_mail_text(document->data, document->length);

    out_utf8(x, text->body->str, text->body->len);
    out_utf8(x, "\n", 1);
    for (guint i = 0; i < text->attachment_names->len; i++)
        out_line(x, text->attachment_names->pdata[i]);
    out_utf8(x, text->attachment_text->str, text->attachment_text->len);
    out_utf8(x, "\n", 1);
    if (text->truncated)
        extract_note(x, MK_WHY_TEXT);
}

static void read_parts(Extraction *x, const Document *document);

/* An attached message that lies there unencoded was read with the body: only its attachments. */
static bool is_in_place(const Document *document, const uint8_t *data, size_t length)
{
    return memmem(document->data, document->length, data, MIN(length, COMPARE_BYTES)) != NULL;
}

static void read_message(Extraction *x, const Document *document, const uint8_t *data,
                         size_t length)
{
    Document inner = { MK_DOCUMENT_EML, "", data, length };

    if (!is_in_place(document, data, length)) {
        extract_nested_as(x, MK_DOCUMENT_EML, "", data, length);
        return;
    }
    if (x->depth >= MK_LIMIT_EXTRACT_DEPTH) {
        extract_note(x, MK_WHY_NESTING);
        return;
    }
    x->depth++;
    read_parts(x, &inner);
    x->depth--;
}

/* Text is read with the mail's body. */
static bool is_document(const MkPart *part)
{
    if (g_str_has_prefix(part->type, "multipart/"))
        return false;
    return !g_str_has_prefix(part->type, "text/") || g_str_equal(part->type, "text/rtf") ||
           g_str_has_suffix(part->file_name, ".rtf");
}

static void read_part(Extraction *x, const Document *document, const MkPart *part)
{
    g_autoptr(GBytes) content =
        mk_mail_part_content(document->data, document->length, part->number, NULL);
    size_t length = 0;
    const uint8_t *data = content ? g_bytes_get_data(content, &length) : NULL;

    if (length == 0 || !extract_unpacked(x, length))
        return;
    if (g_str_equal(part->type, "message/rfc822"))
        read_message(x, document, data, length);
    else
        extract_nested(x, part->type, part->file_name, data, length);
}

static void read_parts(Extraction *x, const Document *document)
{
    g_autoptr(GPtrArray) parts = mk_mail_parts(document->data, document->length);

    for (guint i = 0; i < parts->len; i++)
        if (is_document(parts->pdata[i])) {
            if (!extract_entry(x))
                return;
            read_part(x, document, parts->pdata[i]);
        }
}

MkTextWhy read_eml(Extraction *x, const Document *document)
{
    out_header(x, document);
    out_body(x, document);
    read_parts(x, document);
    return MK_WHY_NONE;
}
