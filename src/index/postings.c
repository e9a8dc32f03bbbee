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

/* -- writing ------------------------------------------------------------------------------ */
void mk_posting_out_init(MkPostingOut *out)
{
    *out = (MkPostingOut){ .octets = g_byte_array_new(), .positions = g_byte_array_new() };
}

void mk_posting_out_clear(MkPostingOut *out)
{
    g_clear_pointer(&out->octets, g_byte_array_unref);
    g_clear_pointer(&out->positions, g_byte_array_unref);
}

void mk_posting_out_begin(MkPostingOut *out)
{
    out->count = 0;
    out->next = 0;
    out->doc_count = 0;
    out->group_positions = 0;
}

/* A document is stored as its distance to the smallest that could follow the one before. */
static void end_group(MkPostingOut *out)
{
    uint64_t gaps[MK_POSTINGS_GROUP];
    uint64_t all = 0, next = out->next;
    for (unsigned i = 0; i < MK_POSTINGS_GROUP; i++) {
        gaps[i] = out->docs[i] - next;
        all |= gaps[i];
        next = (uint64_t) out->docs[i] + 1;
    }
    unsigned width = mk_bits_width(all);
    mk_put_u8(out->octets, (uint8_t) width);
    mk_put_varint(out->octets, next - out->next - MK_POSTINGS_GROUP);
    mk_put_varint(out->octets, out->group_positions);
    mk_bits_pack(out->octets, gaps, MK_POSTINGS_GROUP, width);
    out->next = next;
    out->count = 0;
    out->group_positions = 0;
}

void mk_posting_out_add(MkPostingOut *out, uint32_t doc, const uint8_t *positions, size_t length)
{
    out->docs[out->count++] = doc;
    out->doc_count++;
    out->group_positions += length;
    g_byte_array_append(out->positions, positions, (guint) length);
    if (out->count == MK_POSTINGS_GROUP)
        end_group(out);
}

void mk_posting_out_end(MkPostingOut *out)
{
    for (unsigned i = 0; i < out->count; i++) {
        mk_put_varint(out->octets, out->docs[i] - out->next);
        out->next = (uint64_t) out->docs[i] + 1;
    }
    out->count = 0;
}

/* -- reading ------------------------------------------------------------------------------ */
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

/* A group's head says where it ends, so that it can be passed over. */
typedef struct {
    unsigned width;
    uint64_t end; /* behind its last document */
    uint64_t positions_length;
} GroupHead;

static bool read_head(MkDocGroups *groups, GroupHead *head)
{
    MkReader *reader = &groups->reader;
    head->width = mk_read_u8(reader);
    uint64_t room = groups->limit - groups->next; /* next is never above limit */
    uint64_t spare = mk_read_varint(reader);
    head->positions_length = mk_read_varint(reader);
    if (room < MK_POSTINGS_GROUP || spare > room - MK_POSTINGS_GROUP || head->width > 32)
        reader->failed = true;
    head->end = groups->next + MK_POSTINGS_GROUP + spare;
    return !reader->failed;
}

/* Eight gaps of up to eight bits lie within eight octets, and begin with one. */
#define NARROW_GAPS 8
#define NARROW_BITS 8

/* @packed: eight octets can be read from wherever one of the gaps begins. */
static uint64_t narrow_docs(const uint8_t *packed, unsigned width, uint64_t next, uint32_t *docs)
{
    const uint64_t mask = (UINT64_C(1) << width) - 1;
    for (unsigned i = 0; i < MK_POSTINGS_GROUP; i += NARROW_GAPS, packed += width) {
        uint64_t gaps;
        memcpy(&gaps, packed, sizeof gaps);
        gaps = GUINT64_FROM_LE(gaps);
        for (unsigned k = 0; k < NARROW_GAPS; k++, gaps >>= width) {
            next += gaps & mask;
            docs[i + k] = (uint32_t) next++;
        }
    }
    return next;
}

static bool read_narrow(MkDocGroups *groups, unsigned width)
{
    uint8_t room[MK_POSTINGS_GROUP / 8 * NARROW_BITS + sizeof(uint64_t)] = { 0 };
    size_t length = MK_POSTINGS_GROUP / 8 * width;
    const uint8_t *packed = mk_read_bytes(&groups->reader, length);
    if (packed == NULL)
        return false;
    if (groups->reader.length < sizeof(uint64_t)) /* nothing behind them to read over */
        packed = memcpy(room, packed, length);
    groups->next = narrow_docs(packed, width, groups->next, groups->docs);
    return true;
}

static bool read_wide(MkDocGroups *groups, unsigned width)
{
    uint64_t gaps[MK_POSTINGS_GROUP];
    if (!mk_bits_unpack(&groups->reader, gaps, MK_POSTINGS_GROUP, width))
        return false;
    for (unsigned i = 0; i < MK_POSTINGS_GROUP; i++) {
        groups->next += gaps[i];
        groups->docs[i] = (uint32_t) groups->next++;
    }
    return true;
}

static bool take_docs(MkDocGroups *groups, const uint64_t *gaps)
{
    for (unsigned i = 0; i < groups->count; i++) {
        if (gaps[i] >= groups->limit - groups->next)
            return false;
        groups->docs[i] = (uint32_t) (groups->next + gaps[i]);
        groups->next = (uint64_t) groups->docs[i] + 1;
    }
    return true;
}

static bool read_rest(MkDocGroups *groups)
{
    uint64_t gaps[MK_POSTINGS_GROUP] = { 0 };
    groups->count = groups->left;
    groups->left = 0;
    groups->positions_length = UINT64_MAX;
    for (unsigned i = 0; i < groups->count; i++)
        gaps[i] = mk_read_varint(&groups->reader);
    return !groups->reader.failed && take_docs(groups, gaps);
}

/* The head's end is within the segment, and gaps only add up: when they end there all are. */
static bool read_group(MkDocGroups *groups, const GroupHead *head)
{
    groups->count = MK_POSTINGS_GROUP;
    groups->left -= MK_POSTINGS_GROUP;
    groups->positions_length = head->positions_length;
    return (head->width <= NARROW_BITS ? read_narrow(groups, head->width)
                                       : read_wide(groups, head->width)) &&
           groups->next == head->end;
}

static void pass_over(MkDocGroups *groups, const GroupHead *head)
{
    mk_read_bytes(&groups->reader, MK_POSTINGS_GROUP / 8 * head->width);
    groups->left -= MK_POSTINGS_GROUP;
    groups->positions_offset += head->positions_length;
    groups->next = head->end;
}

bool mk_doc_groups_next(MkDocGroups *groups, const MkDocSet *within)
{
    GroupHead head;
    if (groups->positions_length != UINT64_MAX)
        groups->positions_offset += groups->positions_length;
    groups->count = 0;
    groups->positions_length = 0;
    while (groups->left >= MK_POSTINGS_GROUP) {
        if (!read_head(groups, &head))
            return false;
        if (within == NULL || mk_doc_set_any(within, groups->next, head.end)) {
            bool ok = read_group(groups, &head);
            groups->reader.failed |= !ok;
            return ok;
        }
        pass_over(groups, &head);
        if (groups->reader.failed)
            return false;
    }
    if (groups->left == 0) {
        groups->reader.failed |= groups->reader.length != 0;
        return false;
    }
    bool ok = read_rest(groups);
    groups->reader.failed |= !ok;
    return ok;
}

bool mk_doc_groups_positions(const MkDocGroups *groups, const MkTermRef *ref, uint64_t *out_offset,
                             uint64_t *out_length)
{
    if (groups->positions_offset > ref->positions_length)
        return false;
    uint64_t room = ref->positions_length - groups->positions_offset;
    *out_offset = ref->positions_offset + groups->positions_offset;
    *out_length = groups->positions_length == UINT64_MAX ? room : groups->positions_length;
    return *out_length <= room;
}
