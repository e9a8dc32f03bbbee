/*
 * extract_cfb.c - compound files: every storage and stream, in bounded memory
 */
#include "extract/internal.h"

#define MAX_VISITED 10000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void visit(const Cfb *cfb, uint32_t storage, size_t size, unsigned *visited)
{
    for (uint32_t e = cfb_first(cfb, storage); e != CFB_NONE; e = cfb_next(cfb, e)) {
        g_autoptr(GByteArray) octets = cfb_stream(cfb, e, SIZE_MAX);

        /* An entry is in one storage only, so this ends. */
        g_assert_cmpuint(++*visited, <, MAX_VISITED);
        /* A chain that goes round repeats sectors, but never more than there are. */
        g_assert_cmpuint(octets->len, <=, size + 2 * 4096);
        g_assert_true(g_utf8_validate(cfb_name(cfb, e), -1, NULL));
        if (cfb_is_storage(cfb, e))
            visit(cfb, e, size, visited);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(Cfb) cfb = cfb_open(data, size);
    unsigned visited = 0;

    if (cfb)
        visit(cfb, CFB_ROOT, size, &visited);
    mk_document_kind(NULL, NULL, data, size);
    return 0;
}
