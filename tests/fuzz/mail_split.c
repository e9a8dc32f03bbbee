/*
 * mail_split.c - pieces ascend, do not overlap and lie within the mail
 */
#include <mailkeep/mail.h>

#include <mailkeep/limits.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GArray) pieces = mk_mail_split(data, size);
    size_t end = 0;

    g_assert_cmpuint(pieces->len, <=, MK_LIMIT_PARTS);
    for (guint i = 0; i < pieces->len; i++) {
        const MkPiece *p = &g_array_index(pieces, MkPiece, i);

        g_assert_cmpuint(p->offset, >=, end);
        g_assert_cmpuint(p->length, >=, MK_LIMIT_BLOB_MIN_BYTES);
        end = p->offset + p->length;
        g_assert_cmpuint(end, <=, size);
    }
    return 0;
}
