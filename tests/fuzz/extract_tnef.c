/*
 * extract_tnef.c - winmail.dat, and compressed RTF by itself
 */
#include <mailkeep/mail.h>

#include "extract/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *cookie, const char *text, size_t length)
{
    (void) text;
    *(size_t *) cookie += length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t total = 0;
    Extraction x = { .kinds = UINT64_MAX, .text_left = 10000, .on_text = count, .cookie = &total };
    Document document = { MK_DOCUMENT_TNEF, "winmail.dat", data, size };
    GByteArray *rtf;

    mk_mail_init();
    extract_document(&x, &document);
    g_assert_cmpuint(total, <=, 10000);
    rtf = rtf_unpack(data, size, 10000);
    if (rtf) {
        g_assert_cmpuint(rtf->len, <=, 10000);
        g_byte_array_unref(rtf);
    }
    return 0;
}
