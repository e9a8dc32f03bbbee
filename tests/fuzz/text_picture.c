/*
 * text_picture.c - what a helper says is a page's picture: believed only when its size is bounded
 */
#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>

#include "text/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_auto(MkPagePicture) out = { .png = NULL };

    if (mk_page_picture_parse(data, size, &out)) {
        g_assert_cmpuint(out.page_count, >=, 1);
        g_assert_cmpuint(out.page_count, <=, MK_LIMIT_DOCUMENT_PAGES);
    } else
        g_assert_null(out.png);
    if (out.png) {
        gsize length;
        MkReader r = mk_reader(g_bytes_get_data(out.png, &length), length);

        g_assert_nonnull(mk_read_bytes(&r, 16));
        g_assert_cmpuint(mk_read_u32(&r), <=, MK_LIMIT_PAGE_WIDTH);
        g_assert_cmpuint(mk_read_u32(&r), <=, MK_LIMIT_PAGE_HEIGHT);
    }
    return 0;
}
