/*
 * extract_document.c - any kind of document, without other programs: valid UTF-8 within the limit
 *
 * The first octet chooses the kind; 0 leaves it to mk_document_kind().
 */
#include <locale.h>

#include <mailkeep/mail.h>

#include "extract/internal.h"

#define MAX_TEXT 100000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void gather(void *cookie, const char *text, size_t length)
{
    g_string_append_len(cookie, text, (gssize) length);
}

static void read_kind(MkDocumentKind kind, const uint8_t *data, size_t size)
{
    GString *text = g_string_new(NULL);
    Extraction x = {
        .kinds = UINT64_MAX, .text_left = MAX_TEXT, .on_text = gather, .cookie = text
    };
    Document document = { kind, "file.gz", data, size };
    Verdict verdict = extract_document(&x, &document);

    g_assert_true(g_utf8_validate_len(text->str, text->len, NULL));
    g_assert_cmpuint(text->len, <=, MAX_TEXT);
    g_assert_cmpint(verdict.result, >=, MK_TEXT_COMPLETE);
    g_assert_cmpint(verdict.result, <=, MK_TEXT_EMPTY);
    g_string_free(text, TRUE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    MkDocumentKind kind;

    if (!ready) {
        setlocale(LC_ALL, "C.UTF-8");
        mk_mail_init();
        ready = true;
    }
    if (size < 1)
        return 0;
    kind = (MkDocumentKind) (data[0] % MK_DOCUMENT_COUNT);
    if (kind == MK_DOCUMENT_UNKNOWN)
        kind = mk_document_kind(NULL, NULL, data + 1, size - 1);
    if (kind != MK_DOCUMENT_UNKNOWN)
        read_kind(kind, data + 1, size - 1);
    return 0;
}
