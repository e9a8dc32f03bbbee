/*
 * postings.c - in which documents a term stands, and where in them
 */
#include <string.h>

#include "internal.h"

void mk_postings_init(MkPostings *postings)
{
    postings->docs = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    postings->positions_end = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    postings->positions = g_byte_array_new();
}

void mk_postings_clear(MkPostings *postings)
{
    g_array_unref(postings->docs);
    g_array_unref(postings->positions_end);
    g_byte_array_unref(postings->positions);
}

void mk_postings_reset(MkPostings *postings)
{
    g_array_set_size(postings->docs, 0);
    g_array_set_size(postings->positions_end, 0);
    g_byte_array_set_size(postings->positions, 0);
}

void mk_postings_add(MkPostings *postings, uint32_t doc, const uint8_t *positions, size_t length)
{
    g_array_append_val(postings->docs, doc);
    g_byte_array_append(postings->positions, positions, (guint) length);
    uint64_t end = postings->positions->len;
    g_array_append_val(postings->positions_end, end);
}

static inline uint32_t doc_at(const MkPostings *postings, guint i)
{
    return g_array_index(postings->docs, uint32_t, i);
}

static inline uint64_t positions_end(const MkPostings *postings, guint i)
{
    return g_array_index(postings->positions_end, uint64_t, i);
}

typedef struct {
    uint32_t doc;
    uint64_t start, end;
} Extent;

static int compare_extents(const void *a, const void *b)
{
    uint32_t x = ((const Extent *) a)->doc, y = ((const Extent *) b)->doc;
    return (x > y) - (x < y);
}

static bool is_sorted(const MkPostings *postings)
{
    for (guint i = 1; i < postings->docs->len; i++)
        if (doc_at(postings, i) <= doc_at(postings, i - 1))
            return false;
    return true;
}

void mk_postings_sort(MkPostings *postings)
{
    if (is_sorted(postings))
        return;
    guint count = postings->docs->len;
    g_autofree Extent *extents = g_new(Extent, count);
    for (guint i = 0; i < count; i++)
        extents[i] = (Extent){ doc_at(postings, i), i > 0 ? positions_end(postings, i - 1) : 0,
                               positions_end(postings, i) };
    qsort(extents, count, sizeof *extents, compare_extents);

    g_autoptr(GByteArray) old = g_steal_pointer(&postings->positions);
    postings->positions = g_byte_array_sized_new(old->len);
    g_array_set_size(postings->docs, 0);
    g_array_set_size(postings->positions_end, 0);
    for (guint i = 0; i < count; i++)
        mk_postings_add(postings, extents[i].doc, old->data + extents[i].start,
                        extents[i].end - extents[i].start);
}

/* A document is stored as its distance to the smallest that could follow the one before. */
static void encode_group(const MkPostings *postings, guint first, uint64_t *next, GByteArray *out)
{
    uint64_t gaps[MK_POSTINGS_GROUP];
    uint64_t all = 0;
    for (guint i = 0; i < MK_POSTINGS_GROUP; i++) {
        uint32_t doc = doc_at(postings, first + i);
        gaps[i] = doc - *next;
        all |= gaps[i];
        *next = (uint64_t) doc + 1;
    }
    unsigned width = mk_bits_width(all);
    mk_put_u8(out, (uint8_t) width);
    mk_bits_pack(out, gaps, MK_POSTINGS_GROUP, width);
    uint64_t start = first > 0 ? positions_end(postings, first - 1) : 0;
    mk_put_varint(out, positions_end(postings, first + MK_POSTINGS_GROUP - 1) - start);
}

void mk_postings_encode(const MkPostings *postings, GByteArray *out_docs)
{
    guint i = 0, count = postings->docs->len;
    uint64_t next = 0;
    for (; count - i >= MK_POSTINGS_GROUP; i += MK_POSTINGS_GROUP)
        encode_group(postings, i, &next, out_docs);
    for (; i < count; i++) {
        mk_put_varint(out_docs, doc_at(postings, i) - next);
        next = (uint64_t) doc_at(postings, i) + 1;
    }
}

void mk_doc_groups_init(MkDocGroups *groups, const GByteArray *docs, uint32_t doc_count,
                        uint32_t limit)
{
    groups->reader = mk_reader(docs->data, docs->len);
    groups->left = doc_count;
    groups->next = 0;
    groups->limit = limit;
    groups->count = 0;
    groups->positions_offset = groups->positions_length = 0;
}

static bool read_gaps(MkDocGroups *groups, uint64_t *gaps)
{
    MkReader *reader = &groups->reader;
    if (groups->left < MK_POSTINGS_GROUP) {
        groups->count = groups->left;
        for (unsigned i = 0; i < groups->count; i++)
            gaps[i] = mk_read_varint(reader);
        groups->positions_length = UINT64_MAX;
        return !reader->failed;
    }
    groups->count = MK_POSTINGS_GROUP;
    unsigned width = mk_read_u8(reader);
    if (!mk_bits_unpack(reader, gaps, MK_POSTINGS_GROUP, width))
        return false;
    groups->positions_length = mk_read_varint(reader);
    return !reader->failed;
}

bool mk_doc_groups_next(MkDocGroups *groups)
{
    uint64_t gaps[MK_POSTINGS_GROUP];
    if (groups->left == 0) {
        groups->reader.failed |= groups->reader.length != 0;
        return false;
    }
    groups->positions_offset += groups->positions_length;
    if (!read_gaps(groups, gaps))
        return false;
    for (unsigned i = 0; i < groups->count; i++) {
        if (gaps[i] >= groups->limit - groups->next) { /* next is never above limit */
            groups->reader.failed = true;
            return false;
        }
        groups->docs[i] = (uint32_t) (groups->next + gaps[i]);
        groups->next = (uint64_t) groups->docs[i] + 1;
    }
    groups->left -= groups->count;
    return true;
}
