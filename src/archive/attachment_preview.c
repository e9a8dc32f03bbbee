/*
 * attachment_preview.c - what one attachment says and looks like, for those who read the mail
 *
 * A document is never shown by a browser: it would be somebody else's program within the origin of
 * this server. It is read and drawn by the helper of text.h, in a process of its own for each call,
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

/* -- the attachment ------------------------------------------------------------------------------- */

typedef struct {
    GBytes *mail;
    GPtrArray *parts;
    const MkPart *part; /* one of them */
    GBytes *content;    /* of it, decoded */
} Opened;

#define OPENED_INIT            \
    {                          \
        NULL, NULL, NULL, NULL \
    }

static void opened_clear(Opened *opened)
{
    g_clear_pointer(&opened->mail, g_bytes_unref);
    g_clear_pointer(&opened->parts, g_ptr_array_unref);
    g_clear_pointer(&opened->content, g_bytes_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Opened, opened_clear)

static const MkPart *find_part(const GPtrArray *parts, unsigned number)
{
    for (guint i = 0; i < parts->len; i++) {
        const MkPart *part = parts->pdata[i];

        if (part->number == number)
            return part;
    }
    return NULL;
}

static bool open_part(MkArchive *archive, const MkPrincipal *principal, MkMailId id,
                      unsigned number, Opened *out, GError **error)
{
    gsize length = 0;

    out->mail = mk_archive_mail_read(archive, principal, id, error);
    if (out->mail == NULL)
        return false;
    const uint8_t *data = g_bytes_get_data(out->mail, &length);
    out->parts = mk_mail_parts(data, length);
    out->part = find_part(out->parts, number);
    out->content = mk_mail_part_content(data, length, number, error);
    if (out->content == NULL)
        return false;
    return out->part != NULL || mk_fail(error, MK_ERROR_NOT_FOUND, "There is no such attachment.");
}

static MkDocumentKind kind_of(const Opened *opened)
{
    gsize length = 0;
    const uint8_t *data = g_bytes_get_data(opened->content, &length);

    return mk_document_kind(opened->part->type, opened->part->file_name, data, length);
}

static MkExtractor *extractor_for(const MkArchive *archive, const int *cancelled)
{
    MkExtractorOptions options = MK_EXTRACTOR_OPTIONS_INIT;

    options.program = archive->extract_program;
    options.text_bytes = MK_LIMIT_PREVIEW_TEXT_BYTES;
    options.seconds = MK_LIMIT_PREVIEW_SECONDS;
    options.cancelled = cancelled;
    return mk_extractor_new(&options);
}

/* -- its text -------------------------------------------------------------------------------------- */

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

static void read_document(MkArchive *archive, MkDocumentKind kind, const Opened *opened,
                          const int *cancelled, MkExtracted *out)
{
    g_autoptr(MkExtractor) extractor = extractor_for(archive, cancelled);
    gsize length = 0;
    const uint8_t *data = g_bytes_get_data(opened->content, &length);

    mk_extractor_read(extractor, kind, opened->part->file_name, data, length, out);
}

static void read_part(MkArchive *archive, const Opened *opened, const int *cancelled,
                      MkExtracted *out)
{
    MkDocumentKind kind = kind_of(opened);

    if (kind == MK_DOCUMENT_PLAIN || kind == MK_DOCUMENT_HTML)
        read_plain(opened->mail, opened->part->number, kind == MK_DOCUMENT_HTML, out);
    else if (kind != MK_DOCUMENT_UNKNOWN && kind != MK_DOCUMENT_IMAGE &&
             archive->extract_program != NULL)
        read_document(archive, kind, opened, cancelled, out);
    else
        *out = (MkExtracted){ MK_TEXT_NOT_INDEXED, g_string_new(NULL), NULL };
}

bool mk_archive_attachment_preview(MkArchive *archive, const MkPrincipal *principal, MkMailId id,
                                   unsigned number, const int *cancelled, MkExtracted *out,
                                   GError **error)
{
    g_auto(Opened) opened = OPENED_INIT;

    if (!open_part(archive, principal, id, number, &opened, error) || !begin(error))
        return false;
    read_part(archive, &opened, cancelled, out);
    end();
    return true;
}

/* -- its pages -------------------------------------------------------------------------------------- */

static void draw_page(const MkArchive *archive, const Opened *opened, unsigned page,
                      const int *cancelled, MkPagePicture *out)
{
    g_autoptr(MkExtractor) extractor = extractor_for(archive, cancelled);
    gsize length = 0;
    const uint8_t *data = g_bytes_get_data(opened->content, &length);

    mk_extractor_draw(extractor, page, data, length, out);
}

bool mk_archive_attachment_page(MkArchive *archive, const MkPrincipal *principal, MkMailId id,
                                unsigned number, unsigned page, const int *cancelled,
                                MkPagePicture *out, GError **error)
{
    g_auto(Opened) opened = OPENED_INIT;

    if (!open_part(archive, principal, id, number, &opened, error))
        return false;
    if (kind_of(&opened) != MK_DOCUMENT_PDF || archive->extract_program == NULL) {
        *out = (MkPagePicture){ .result = MK_TEXT_NOT_INDEXED };
        return true;
    }
    if (!begin(error))
        return false;
    draw_page(archive, &opened, page, cancelled, out);
    end();
    return true;
}
