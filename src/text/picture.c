/*
 * picture.c - is it the picture of a page? Looked at before anybody's browser does
 *
 * The helper is not believed: its worker read hostile octets. A PNG's size is in its head, so that
 * one with too many pixels is found without unpacking it (PNG 1.2, 3 and 4.1).
 */
#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>

#include "internal.h"

static const uint8_t head[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n',
                                0,    0,   0,   13,  'I',  'H',  'D',  'R' };
static const uint8_t tail[] = { 0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82 };

static bool is_picture(MkReader r)
{
    const uint8_t *begin = mk_read_bytes(&r, sizeof head);
    uint32_t width = mk_read_u32(&r), height = mk_read_u32(&r);

    return !r.failed && memcmp(begin, head, sizeof head) == 0 && width >= 1 &&
           width <= MK_LIMIT_PAGE_WIDTH && height >= 1 && height <= MK_LIMIT_PAGE_HEIGHT &&
           r.length >= sizeof tail &&
           memcmp(r.data + r.length - sizeof tail, tail, sizeof tail) == 0;
}

void mk_page_picture_clear(MkPagePicture *picture)
{
    g_clear_pointer(&picture->png, g_bytes_unref);
}

bool mk_page_picture_parse(const void *data, size_t length, MkPagePicture *out)
{
    MkReader r = mk_reader(data, length);
    uint32_t count = mk_read_u32(&r);

    if (r.failed || count == 0 || count > MK_LIMIT_DOCUMENT_PAGES ||
        (r.length > 0 && !is_picture(r)))
        return false;
    out->page_count = count;
    out->png = r.length > 0 ? g_bytes_new(r.data, r.length) : NULL;
    return true;
}
