/*
 * attachment_preview.c - the text of one attachment, for those who read the mail
 *
 * A document is never shown by a browser: it would be somebody else's program within the origin of
 * this server. What it says is read by the helper of text.h, in a process of its own for each call,
 * so that it has nothing of other mails. Few at a time, since each may take all the processor there is.
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "internal.h"

static int running; /* atomic */

static bool begin(GError **error)
{
    if (g_atomic_int_add(&running, 1) < MK_LIMIT_PREVIEWS)
        return true;
    g_atomic_int_add(&running, -1);
    return mk_fail(error, MK_ERROR_BUSY, "Other attachments are being read; try again.");
}

static void end(void)
{
    g_atomic_int_add(&running, -1);
}

/* Takes @text, which may have one octet too many: the sign that there is more. */
static void take_text(MkExtracted *out, GString *text)
{
    bool is_cut = text->len > MK_LIMIT_PREVIEW_TEXT_BYTES;

    if (is_cut) {
        const char *last =
            g_utf8_find_prev_char(text->str, text->str + MK_LIMIT_PREVIEW_TEXT_BYTES + 1);
        g_string_truncate(text, (gsize) (last - text->str));
    }
    out->text = text;
    out->result = is_cut ? MK_TEXT_TRUNCATED : text->len == 0 ? MK_TEXT_EMPTY : MK_TEXT_COMPLETE;
}

/* Text as its charset says needs no helper. */
static void read_plain(GBytes *mail, unsigned part, bool is_html, MkExtracted *out)
{
    gsize length = 0;
    const uint8_t *data = g_bytes_get_data(mail, &length);
    size_t max = MK_LIMIT_PREVIEW_TEXT_BYTES + 1;
    g_autofree char *text = mk_mail_part_text(data, length, part, max, NULL);
    GString *plain = g_string_new(is_html ? NULL : text);

    if (is_html && text != NULL)
        mk_html_to_text(text, strlen(text), plain, max);
    take_text(out, plain);
    if (text == NULL)
        out->result = MK_TEXT_FAILED;
}

static void read_document(MkArchive *archive, MkDocumentKind kind, const MkPart *part,
                          GBytes *content, const int *cancelled, MkExtracted *out)
{
    MkExtractorOptions options = MK_EXTRACTOR_OPTIONS_INIT;
    gsize length = 0;
    const uint8_t *data = g_bytes_get_data(content, &length);

    options.program = archive->extract_program;
    options.text_bytes = MK_LIMIT_PREVIEW_TEXT_BYTES;
    options.seconds = MK_LIMIT_PREVIEW_SECONDS;
    options.cancelled = cancelled;
    g_autoptr(MkExtractor) extractor = mk_extractor_new(&options);
    mk_extractor_read(extractor, kind, part->file_name, data, length, out);
}

static void read_part(MkArchive *archive, GBytes *mail, const MkPart *part, GBytes *content,
                      const int *cancelled, MkExtracted *out)
{
    gsize length = 0;
    const uint8_t *data = g_bytes_get_data(content, &length);
    MkDocumentKind kind = mk_document_kind(part->type, part->file_name, data, length);

    if (kind == MK_DOCUMENT_PLAIN || kind == MK_DOCUMENT_HTML)
        read_plain(mail, part->number, kind == MK_DOCUMENT_HTML, out);
    else if (kind != MK_DOCUMENT_UNKNOWN && kind != MK_DOCUMENT_IMAGE &&
             archive->extract_program != NULL)
        read_document(archive, kind, part, content, cancelled, out);
    else
        *out = (MkExtracted){ MK_TEXT_NOT_INDEXED, g_string_new(NULL), NULL };
}

static const MkPart *find_part(const GPtrArray *parts, unsigned number)
{
    for (guint i = 0; i < parts->len; i++) {
        const MkPart *part = parts->pdata[i];

        if (part->number == number)
            return part;
    }
    return NULL;
}

bool mk_archive_attachment_preview(MkArchive *archive, const MkPrincipal *principal, MkMailId id,
                                   unsigned number, const int *cancelled, MkExtracted *out,
                                   GError **error)
{
    g_autoptr(GBytes) mail = mk_archive_mail_read(archive, principal, id, error);
    gsize length = 0;

    if (mail == NULL)
        return false;
    const uint8_t *data = g_bytes_get_data(mail, &length);
    g_autoptr(GPtrArray) parts = mk_mail_parts(data, length);
    const MkPart *part = find_part(parts, number);
    g_autoptr(GBytes) content = mk_mail_part_content(data, length, number, error);
    if (content == NULL)
        return false;
    if (part == NULL)
        return mk_fail(error, MK_ERROR_NOT_FOUND, "There is no such attachment.");
    if (!begin(error))
        return false;
    read_part(archive, mail, part, content, cancelled, out);
    end();
    return true;
}
