/*
 * attachment_reader.c - the text of a mail's attachments, with what became of each (IX-02..IX-05)
 *
 * Plain text and HTML are read here (IX-04), all else by the helper process of text.h. The follower's
 * reader is in a hurry: what takes long it leaves to the patient one of text_pass.c, so that no
 * document holds back the mails behind it. A hurried batch is held up by HURRY_BATCH_MS and one
 * document of HURRY_SECONDS at most.
 */
#include <string.h>
#include <unistd.h>

#include <mailkeep/log.h>

#include "internal.h"

enum {
    HURRY_SECONDS = 2,             /* for one document */
    HURRY_BATCH_MS = 250,          /* for the documents of a batch; those behind wait */
    HURRY_BYTES = 8 << 20,         /* larger documents wait */
    PATIENT_MAIL_MS = 300000,      /* for all documents of one mail */
    MAIL_TEXT_BYTES = 8 * 1 << 20, /* of all attachments of one mail */
};

struct AttachmentReader {
    MkArchive *archive;
    bool patient;
    unsigned version; /* of the settings */
    MkIndexSettings settings;
    MkExtractor *extractor; /* NULL until it is needed */
    int64_t until_ms;       /* of the batch, or of the patient's mail */
};

/* -- the helper's program ---------------------------------------------------------------------- */
char *extract_program_find(void)
{
    static const char *const elsewhere[] = { "/usr/local/libexec/mailkeep/mailkeep-extract",
                                             "/usr/libexec/mailkeep/mailkeep-extract" };
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *dir = self == NULL ? NULL : g_path_get_dirname(self);
    g_autofree char *beside = dir == NULL ? NULL : g_build_filename(dir, "mailkeep-extract", NULL);

    if (beside != NULL && access(beside, X_OK) == 0)
        return g_steal_pointer(&beside);
    for (size_t i = 0; i < G_N_ELEMENTS(elsewhere); i++)
        if (access(elsewhere[i], X_OK) == 0)
            return g_strdup(elsewhere[i]);
    return NULL;
}

uint64_t mk_archive_text_available(MkArchive *archive)
{
    uint64_t own = UINT64_C(1) << MK_DOCUMENT_PLAIN | UINT64_C(1) << MK_DOCUMENT_HTML;
    MkExtractorOptions options = MK_EXTRACTOR_OPTIONS_INIT;
    g_autoptr(MkExtractor) extractor = NULL;

    if (archive->extract_program == NULL)
        return own;
    options.program = archive->extract_program;
    options.ocr = true;
    extractor = mk_extractor_new(&options);
    return own | mk_extractor_available(extractor);
}

/* -- a reader ---------------------------------------------------------------------------------- */
AttachmentReader *attachment_reader_new(MkArchive *archive, bool patient)
{
    AttachmentReader *reader = g_new0(AttachmentReader, 1);

    reader->archive = archive;
    reader->patient = patient;
    return reader;
}

void attachment_reader_rest(AttachmentReader *reader)
{
    g_clear_pointer(&reader->extractor, mk_extractor_free);
}

void attachment_reader_free(AttachmentReader *reader)
{
    if (reader == NULL)
        return;
    attachment_reader_rest(reader);
    mk_index_settings_clear(&reader->settings);
    g_free(reader);
}

void attachment_reader_begin(AttachmentReader *reader)
{
    MkIndexSettings settings;
    unsigned version = index_settings_get(reader->archive, &settings);

    if (version != reader->version)
        attachment_reader_rest(reader); /* its helper has the old ones */
    reader->version = version;
    mk_index_settings_clear(&reader->settings);
    reader->settings = settings;
    reader->until_ms = mk_clock_monotonic_ms() + HURRY_BATCH_MS;
}

static MkExtractor *extractor_of(AttachmentReader *reader)
{
    MkExtractorOptions options = MK_EXTRACTOR_OPTIONS_INIT;

    if (reader->extractor != NULL || reader->archive->extract_program == NULL)
        return reader->extractor;
    options.program = reader->archive->extract_program;
    options.kinds = reader->settings.kinds;
    options.cancelled = &reader->archive->extract_cancelled;
    options.ocr = reader->settings.ocr && reader->patient;
    if (!reader->patient)
        options.seconds = HURRY_SECONDS;
    reader->extractor = mk_extractor_new(&options);
    return reader->extractor;
}

bool attachment_reader_wants(const uint8_t *before, size_t length, void *cookie)
{
    const AttachmentReader *reader = cookie;

    return !mk_mail_piece_has_type(before, length, "audio/") &&
           !mk_mail_piece_has_type(before, length, "video/") &&
           !mk_mail_piece_has_type(before, length, "font/") &&
           (reader->settings.ocr || !mk_mail_piece_has_type(before, length, "image/"));
}

/* -- what became of it ------------------------------------------------------------------------- */
void attachment_texts_clear(AttachmentTexts *texts)
{
    g_clear_pointer(&texts->results, g_array_unref);
    g_clear_pointer(&texts->texts, g_ptr_array_unref);
}

static uint32_t flag_of(MkTextResult result)
{
    switch (result) {
    case MK_TEXT_COMPLETE:
    case MK_TEXT_EMPTY: return 0;
    case MK_TEXT_TRUNCATED: return MK_INDEX_TEXT_TRUNCATED;
    case MK_TEXT_FAILED: return MK_INDEX_TEXT_FAILED;
    case MK_TEXT_ENCRYPTED: return MK_INDEX_TEXT_ENCRYPTED;
    case MK_TEXT_NOT_INDEXED: return MK_INDEX_TEXT_NOT_INDEXED;
    }
    g_assert_not_reached();
}

static size_t room_in(const AttachmentTexts *texts)
{
    size_t used = 0;

    for (guint i = 0; i < texts->texts->len; i++)
        used += strlen(texts->texts->pdata[i]);
    return used >= MAIL_TEXT_BYTES ? 0 : MAIL_TEXT_BYTES - used;
}

/* Takes @text (or NULL), cuts it to what a mail may have. */
static void texts_add(AttachmentTexts *texts, const MkPart *part, MkTextResult result, char *text)
{
    size_t room = MIN(room_in(texts), MK_LIMIT_ATTACHMENT_TEXT_BYTES);
    MkAttachmentText entry = { .part = part->number, .result = result };

    if (text != NULL && strlen(text) > room) {
        text[room] = '\0';
        *(char *) g_utf8_find_prev_char(text, text + room + 1) = '\0';
        entry.result = MK_TEXT_TRUNCATED;
    }
    if (text != NULL && text[0] != '\0') {
        entry.text_bytes = (uint32_t) strlen(text);
        g_ptr_array_add(texts->texts, text);
    } else {
        g_free(text);
    }
    g_array_append_val(texts->results, entry);
    texts->flags |= flag_of(entry.result);
}

/* To be read by the patient one: until then it is not known what becomes of it. */
static void texts_leave(AttachmentTexts *texts)
{
    texts->flags |= INDEX_TEXT_PENDING;
}

/* -- one attachment ---------------------------------------------------------------------------- */
typedef struct {
    AttachmentReader *reader;
    const uint8_t *data; /* the mail */
    size_t length;
    AttachmentTexts *out;
} Reading;

static bool is_blank(const char *text)
{
    while (*text != '\0' && g_unichar_isspace(g_utf8_get_char(text)))
        text = g_utf8_next_char(text);
    return *text == '\0';
}

/* Text as its charset says, here and now. */
static void read_text(Reading *reading, const MkPart *part, bool is_html)
{
    size_t max = MK_LIMIT_ATTACHMENT_TEXT_BYTES;
    char *text = mk_mail_part_text(reading->data, reading->length, part->number, max + 1, NULL);

    if (text != NULL && is_html) {
        GString *plain = g_string_new(NULL);

        mk_html_to_text(text, strlen(text), plain, max);
        g_free(text);
        text = g_string_free(plain, FALSE);
    }
    texts_add(reading->out, part,
              text == NULL     ? MK_TEXT_FAILED
              : is_blank(text) ? MK_TEXT_EMPTY
                               : MK_TEXT_COMPLETE,
              text);
}

static bool is_listed_extension(const AttachmentReader *reader, const char *file_name)
{
    const char *dot = strrchr(file_name, '.');
    g_autofree char *extension = dot == NULL ? NULL : g_utf8_strdown(dot + 1, -1);

    return extension != NULL && reader->settings.extensions != NULL &&
           g_strv_contains((const char *const *) reader->settings.extensions, extension);
}

/* What is to be read of it, or UNKNOWN: nothing. */
static MkDocumentKind kind_of(const AttachmentReader *reader, const MkPart *part, GBytes *content)
{
    gsize length;
    const uint8_t *data = g_bytes_get_data(content, &length);
    MkDocumentKind kind = mk_document_kind(part->type, part->file_name, data, length);

    if (kind == MK_DOCUMENT_UNKNOWN && is_listed_extension(reader, part->file_name))
        return MK_DOCUMENT_PLAIN;
    if (kind == MK_DOCUMENT_UNKNOWN || (reader->settings.kinds >> kind & 1) == 0 ||
        (kind == MK_DOCUMENT_IMAGE && !reader->settings.ocr))
        return MK_DOCUMENT_UNKNOWN;
    return kind;
}

static bool must_wait(const AttachmentReader *reader, MkDocumentKind kind, size_t length)
{
    return !reader->patient && (kind == MK_DOCUMENT_IMAGE || length > HURRY_BYTES);
}

static void read_document(Reading *reading, const MkPart *part, MkDocumentKind kind,
                          GBytes *content)
{
    AttachmentReader *reader = reading->reader;
    MkExtractor *extractor = extractor_of(reader);
    g_auto(MkExtracted) extracted = { .text = NULL };

    if (extractor == NULL) {
        texts_add(reading->out, part, MK_TEXT_FAILED, NULL);
        return;
    }
    mk_extractor_read(extractor, kind, part->file_name, g_bytes_get_data(content, NULL),
                      g_bytes_get_size(content), &extracted);
    if (g_strcmp0(extracted.why, "time") == 0 &&
        (!reader->patient || g_atomic_int_get(&reader->archive->extract_cancelled) != 0)) {
        texts_leave(reading->out);
        return;
    }
    if (extracted.result == MK_TEXT_FAILED)
        mk_log_debug("archive.attachment-failed", "why", extracted.why);
    texts_add(reading->out, part, extracted.result,
              g_string_free(g_steal_pointer(&extracted.text), FALSE));
}

static void read_attachment(Reading *reading, const MkPart *part)
{
    AttachmentReader *reader = reading->reader;
    g_autoptr(GBytes) content =
        mk_mail_part_content(reading->data, reading->length, part->number, NULL);
    MkDocumentKind kind;

    if (content == NULL) {
        texts_add(reading->out, part, MK_TEXT_FAILED, NULL);
        return;
    }
    kind = kind_of(reader, part, content);
    if (kind == MK_DOCUMENT_UNKNOWN)
        texts_add(reading->out, part, MK_TEXT_NOT_INDEXED, NULL);
    else if (kind == MK_DOCUMENT_PLAIN || kind == MK_DOCUMENT_HTML)
        read_text(reading, part, kind == MK_DOCUMENT_HTML);
    else if (must_wait(reader, kind, g_bytes_get_size(content)))
        texts_leave(reading->out);
    else
        read_document(reading, part, kind, content);
}

/* -- a mail ------------------------------------------------------------------------------------ */
static bool is_body(const MkPart *part)
{
    return !part->is_attachment &&
           (strcmp(part->type, "text/plain") == 0 || strcmp(part->type, "text/html") == 0);
}

/* All that a mail shows below it; one too many, or too late, is "not indexed". */
static void read_all(Reading *reading)
{
    g_autoptr(GPtrArray) parts = mk_mail_parts(reading->data, reading->length);
    AttachmentReader *reader = reading->reader;
    unsigned count = 0;
    bool late;

    if (reader->patient)
        reader->until_ms = mk_clock_monotonic_ms() + PATIENT_MAIL_MS;
    for (guint i = 0; i < parts->len; i++) {
        const MkPart *part = parts->pdata[i];

        if (is_body(part))
            continue;
        late = mk_clock_monotonic_ms() >= reader->until_ms;
        if (late && !reader->patient)
            texts_leave(reading->out);
        else if (late || count++ >= MK_LIMIT_EXTRACT_MAIL_ATTACHMENTS)
            texts_add(reading->out, part, MK_TEXT_NOT_INDEXED, NULL);
        else
            read_attachment(reading, part);
    }
}

void attachment_reader_read(AttachmentReader *reader, uint32_t mail_flags, const uint8_t *data,
                            size_t length, AttachmentTexts *out)
{
    Reading reading = { reader, data, length, out };

    out->results = g_array_new(FALSE, FALSE, sizeof(MkAttachmentText));
    out->texts = g_ptr_array_new_with_free_func(g_free);
    if ((mail_flags & MK_MAIL_HAS_ATTACHMENTS) != 0)
        read_all(&reading);
}
