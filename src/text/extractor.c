/*
 * extractor.c - the client: one document in, its text or a page's picture and what became of it out
 *
 *   STOPPED --start, "A" and back--> IDLE --request--> WAITING --result--> IDLE (STOPPED when leaving)
 *      ^                                          |
 *      +---- deadline, end, nonsense [give_up] ---+
 *
 * A helper that died while nobody asked it anything is no news: the request goes to a new one.
 */
#include <unistd.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>
#include <mailkeep/text_wire.h>

#include "internal.h"

#define GRACE_MS 2000  /* the helper watches the time itself; this is for a helper that hangs */
#define LOOK_MS 250    /* how long a cancel may go unnoticed */
#define START_MS 10000 /* locking itself in and looking for its programs */

struct MkExtractor {
    MkExtractorOptions options; /* its program is a copy */
    MkHelper helper;
    uint64_t available; /* kinds; 0 = not asked yet */
};

MkExtractor *mk_extractor_new(const MkExtractorOptions *options)
{
    MkExtractor *extractor = g_new0(MkExtractor, 1);

    extractor->options = *options;
    extractor->options.program = g_strdup(options->program);
    extractor->helper = (MkHelper) MK_HELPER_INIT;
    return extractor;
}

void mk_extractor_free(MkExtractor *extractor)
{
    if (!extractor)
        return;
    mk_helper_stop(&extractor->helper);
    g_free((char *) extractor->options.program);
    g_free(extractor);
}

void mk_extracted_clear(MkExtracted *extracted)
{
    if (extracted->text)
        g_string_free(extracted->text, TRUE);
    extracted->text = NULL;
}

static void finish(MkExtracted *out, MkTextResult result, MkTextWhy why)
{
    out->result = result;
    out->why = mk_text_why_name(why);
}

/* -- asking -------------------------------------------------------------------------------------- */

/* A helper that cannot lock itself in ends at once: it must say what it can before it is trusted
 * with a document, or every document would seem to kill it. */
static bool start(MkExtractor *extractor)
{
    g_autoptr(GByteArray) message = g_byte_array_new();
    const MkRequest request = { .type = MK_REQUEST_AVAILABLE };
    uint8_t buffer[64];
    MkReply reply;
    ssize_t length = 0;

    if (!extractor->options.program ||
        !mk_helper_start(&extractor->helper, extractor->options.program,
                         extractor->options.memory_mib, NULL))
        return false;
    mk_request_format(&request, message);
    if (mk_helper_send(&extractor->helper, message, -1))
        length = mk_helper_receive(&extractor->helper, buffer, sizeof buffer,
                                   mk_clock_monotonic_ms() + START_MS);
    if (length <= 0 || !mk_reply_parse(buffer, (size_t) length, &reply) ||
        reply.type != MK_REPLY_AVAILABLE) {
        mk_helper_stop(&extractor->helper);
        return false;
    }
    extractor->available = reply.kinds;
    return true;
}

/* Sends to the helper that runs, or to a new one when that is gone. */
static bool ask(MkExtractor *extractor, const GByteArray *message, int descriptor)
{
    if (extractor->helper.pid != 0) {
        if (mk_helper_send(&extractor->helper, message, descriptor))
            return true;
        mk_helper_stop(&extractor->helper);
    }
    return start(extractor) && mk_helper_send(&extractor->helper, message, descriptor);
}

static uint32_t seconds_for(const MkExtractor *extractor, MkDocumentKind kind)
{
    bool ocr = extractor->options.ocr && (kind == MK_DOCUMENT_IMAGE || kind == MK_DOCUMENT_PDF);

    return extractor->options.seconds * (ocr ? 2 : 1);
}

/* A name of its own: see tests/tsan.supp. */
static void close_document(int fd)
{
    close(fd);
}

static bool send_document(MkExtractor *extractor, const MkRequest *request, const uint8_t *data)
{
    g_autoptr(GByteArray) message = g_byte_array_new();
    int fd = mk_document_descriptor(data, request->length);
    bool sent;

    if (fd < 0)
        return false;
    mk_request_format(request, message);
    sent = ask(extractor, message, fd);
    close_document(fd);
    return sent;
}

/* -- the answer ------------------------------------------------------------------------------------ */

static void give_up(MkExtractor *extractor, MkExtracted *out, MkTextWhy why)
{
    mk_helper_stop(&extractor->helper);
    finish(out, MK_TEXT_FAILED, why);
}

static bool take_text(const MkReply *reply, size_t max_bytes, MkExtracted *out)
{
    if (reply->text_length > max_bytes - out->text->len)
        return false;
    g_string_append_len(out->text, (const char *) reply->text, (gssize) reply->text_length);
    return true;
}

static bool is_cancelled(const MkExtractor *extractor)
{
    const int *cancelled = extractor->options.cancelled;

    return cancelled != NULL && g_atomic_int_get(cancelled) != 0;
}

/* As mk_helper_receive(); who gives up meanwhile waits no longer than a look. */
static ssize_t receive(MkExtractor *extractor, uint8_t *buffer, int64_t deadline_ms)
{
    ssize_t length;
    int64_t now_ms;

    do {
        now_ms = mk_clock_monotonic_ms();
        length = mk_helper_receive(&extractor->helper, buffer, MK_WIRE_TEXT_BYTES + 2,
                                   MIN(deadline_ms, now_ms + LOOK_MS));
    } while (length < 0 && !is_cancelled(extractor) && mk_clock_monotonic_ms() < deadline_ms);
    return length;
}

static void receive_answer(MkExtractor *extractor, size_t max_bytes, int64_t deadline_ms,
                           MkExtracted *out)
{
    g_autofree uint8_t *buffer = g_malloc(MK_WIRE_TEXT_BYTES + 2);
    MkReply reply;

    for (;;) {
        ssize_t length = receive(extractor, buffer, deadline_ms);

        if (length <= 0) {
            give_up(extractor, out, length < 0 ? MK_WHY_TIME : MK_WHY_CRASH);
            return;
        }
        if (!mk_reply_parse(buffer, (size_t) length, &reply) || reply.type == MK_REPLY_AVAILABLE ||
            (reply.type == MK_REPLY_TEXT && !take_text(&reply, max_bytes, out))) {
            give_up(extractor, out, MK_WHY_PROTOCOL);
            return;
        }
        if (reply.type == MK_REPLY_RESULT)
            break;
    }
    finish(out, reply.result, reply.why);
    if (reply.leaving)
        mk_helper_stop(&extractor->helper);
}

static void ask_document(MkExtractor *extractor, const MkRequest *request, const uint8_t *data,
                         MkExtracted *out)
{
    if (send_document(extractor, request, data))
        receive_answer(extractor, request->text_bytes,
                       mk_clock_monotonic_ms() + (int64_t) request->seconds * 1000 + GRACE_MS, out);
    else
        finish(out, MK_TEXT_FAILED, MK_WHY_HELPER);
}

/* -- text -------------------------------------------------------------------------------------------- */

/* The helper says UTF-8 without NUL, but it is the helper that says it. */
static void clean(GString *text)
{
    gsize length = text->len;

    for (gsize i = 0; i < length; i++)
        if (text->str[i] == '\0')
            text->str[i] = ' ';
    if (!g_utf8_validate(text->str, (gssize) length, NULL)) {
        g_autofree char *valid = g_utf8_make_valid(text->str, (gssize) length);

        /* U+FFFD is longer than what it stands for: the limit holds all the same. */
        g_string_assign(text, valid);
        if (text->len > length) {
            const char *end = g_utf8_find_prev_char(text->str, text->str + length + 1);

            g_string_truncate(text, end ? (gsize) (end - text->str) : 0);
        }
    }
}

/* May a document of this kind be read without its end? */
static bool can_be_cut(MkDocumentKind kind)
{
    return kind == MK_DOCUMENT_PLAIN || kind == MK_DOCUMENT_HTML || kind == MK_DOCUMENT_EML ||
           kind == MK_DOCUMENT_CALENDAR || kind == MK_DOCUMENT_RTF;
}

static bool is_wanted(const MkExtractor *extractor, MkDocumentKind kind)
{
    if (kind == MK_DOCUMENT_UNKNOWN || (kind == MK_DOCUMENT_IMAGE && !extractor->options.ocr))
        return false;
    return (extractor->options.kinds >> kind & 1) != 0;
}

void mk_extractor_read(MkExtractor *extractor, MkDocumentKind kind, const char *file_name,
                       const uint8_t *data, size_t length, MkExtracted *out)
{
    bool cut = length > MK_LIMIT_EXTRACT_BYTES;
    const MkRequest request = {
        .type = MK_REQUEST_READ,
        .kind = kind,
        .kinds = extractor->options.kinds,
        .length = MIN(length, MK_LIMIT_EXTRACT_BYTES),
        .text_bytes = extractor->options.text_bytes,
        .seconds = seconds_for(extractor, kind),
        .ocr = extractor->options.ocr,
        .file_name = (char *) file_name,
    };

    out->text = g_string_new(NULL);
    if (!is_wanted(extractor, kind)) {
        finish(out, MK_TEXT_NOT_INDEXED, MK_WHY_NONE);
        return;
    }
    if (length == 0) {
        finish(out, MK_TEXT_EMPTY, MK_WHY_NONE);
        return;
    }
    if (cut && !can_be_cut(kind)) {
        finish(out, MK_TEXT_FAILED, MK_WHY_SIZE);
        return;
    }
    ask_document(extractor, &request, data, out);
    clean(out->text);
    if (cut && out->result == MK_TEXT_COMPLETE)
        finish(out, MK_TEXT_TRUNCATED, MK_WHY_SIZE);
}

/* -- pictures ---------------------------------------------------------------------------------------- */

static void draw(MkExtractor *extractor, unsigned page, const uint8_t *data, size_t length,
                 MkExtracted *answer)
{
    const MkRequest request = {
        .type = MK_REQUEST_PAGE,
        .page = page,
        .length = length,
        .text_bytes = MK_WIRE_COUNT_BYTES + MK_LIMIT_PAGE_BYTES,
        .seconds = extractor->options.seconds,
    };

    answer->text = g_string_new(NULL);
    if (page < 1 || page > MK_LIMIT_DOCUMENT_PAGES)
        finish(answer, MK_TEXT_EMPTY, MK_WHY_NONE);
    else if (length == 0)
        finish(answer, MK_TEXT_FAILED, MK_WHY_DAMAGED);
    else if (length > MK_LIMIT_EXTRACT_BYTES)
        finish(answer, MK_TEXT_FAILED, MK_WHY_SIZE);
    else
        ask_document(extractor, &request, data, answer);
}

void mk_extractor_draw(MkExtractor *extractor, unsigned page, const uint8_t *data, size_t length,
                       MkPagePicture *out)
{
    g_auto(MkExtracted) answer = { .text = NULL };
    bool good;

    draw(extractor, page, data, length, &answer);
    *out = (MkPagePicture){ .result = answer.result, .why = answer.why };
    if (out->result != MK_TEXT_COMPLETE && out->result != MK_TEXT_EMPTY)
        return;
    good = mk_page_picture_parse(answer.text->str, answer.text->len, out);
    if (out->result == MK_TEXT_COMPLETE && (!good || out->png == NULL)) {
        mk_page_picture_clear(out);
        *out =
            (MkPagePicture){ .result = MK_TEXT_FAILED, .why = mk_text_why_name(MK_WHY_PROTOCOL) };
    } else if (out->result == MK_TEXT_EMPTY)
        mk_page_picture_clear(out);
}

uint64_t mk_extractor_available(MkExtractor *extractor)
{
    /* Known from the first start on; no kind is never the answer of one that started. */
    if (extractor->available == 0)
        start(extractor);
    return extractor->available;
}
