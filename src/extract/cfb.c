/*
 * cfb.c - compound files (MS-CFB): a file system in a file, read with suspicion
 *
 * Every sector number is compared with the file's length before use, and a chain is never longer
 * than there are sectors: a loop ends there. The directory's tree is walked once, each entry at
 * most once, into plain lists.
 */
#include <string.h>

#include "internal.h"

#define HEADER_BYTES 512
#define ENTRY_BYTES 128
#define HEADER_DIFAT 109
#define MINI_CUTOFF 4096
#define MINI_SHIFT 6
#define LAST_SECTOR 0xfffffffau /* higher ones have a meaning: end, free, table */
#define MAX_ENTRIES 100000u

typedef struct {
    char *name;
    uint8_t type; /* 1 storage, 2 stream, 5 root; 0 unused */
    uint32_t left, right, child;
    uint32_t first, next; /* lists made from the tree: in a storage, beside it */
    uint32_t start;
    uint64_t size;
} Entry;

struct Cfb {
    const uint8_t *data;
    size_t length;
    unsigned shift;
    uint32_t sector_count;
    GArray *fat;      /* uint32_t */
    GArray *mini_fat; /* uint32_t */
    GByteArray *mini; /* the root's stream, which small streams share */
    GArray *entries;  /* Entry */
};

static uint32_t u16(const uint8_t *p)
{
    return p[0] | (uint32_t) p[1] << 8;
}

static uint32_t u32(const uint8_t *p)
{
    return u16(p) | u16(p + 2) << 16;
}

/* -- sectors -------------------------------------------------------------------------------------- */

/* The last one of a file that was cut may be short. */
static const uint8_t *sector(const Cfb *cfb, uint32_t number, size_t *out_length)
{
    uint64_t at = ((uint64_t) number + 1) << cfb->shift;

    if (number > LAST_SECTOR || at >= cfb->length)
        return NULL;
    *out_length = MIN((size_t) 1 << cfb->shift, cfb->length - (size_t) at);
    return cfb->data + at;
}

static uint32_t chain_next(const GArray *table, uint32_t number)
{
    return number < table->len ? g_array_index(table, uint32_t, number) : UINT32_MAX;
}

static GByteArray *read_chain(const Cfb *cfb, uint32_t start, size_t max_bytes)
{
    GByteArray *out = g_byte_array_new();
    const uint8_t *octets;
    size_t length;

    for (uint32_t i = 0; i < cfb->sector_count && out->len < max_bytes; i++) {
        octets = sector(cfb, start, &length);
        if (!octets)
            break;
        g_byte_array_append(out, octets, (guint) MIN(length, max_bytes - out->len));
        start = chain_next(cfb->fat, start);
    }
    return out;
}

static GByteArray *read_mini_chain(const Cfb *cfb, uint32_t start, size_t max_bytes)
{
    GByteArray *out = g_byte_array_new();

    max_bytes = MIN(max_bytes, MINI_CUTOFF);
    while (out->len < max_bytes) {
        uint64_t at = (uint64_t) start << MINI_SHIFT;

        if (start > LAST_SECTOR || at >= cfb->mini->len)
            break;
        g_byte_array_append(
            out, cfb->mini->data + at,
            (guint) MIN(MIN(1u << MINI_SHIFT, cfb->mini->len - at), max_bytes - out->len));
        start = chain_next(cfb->mini_fat, start);
    }
    return out;
}

/* -- tables ---------------------------------------------------------------------------------------- */

static void add_fat_sector(Cfb *cfb, uint32_t number)
{
    size_t length;
    const uint8_t *octets = sector(cfb, number, &length);

    for (size_t i = 0; octets && i + 4 <= length && cfb->fat->len < cfb->sector_count; i += 4) {
        uint32_t next = u32(octets + i);

        g_array_append_val(cfb->fat, next);
    }
}

/* The list of the table's own sectors: 109 in the header, more in a chain of their own. */
static void read_fat(Cfb *cfb)
{
    uint32_t next = u32(cfb->data + 68);
    const uint8_t *octets;
    size_t length;

    for (unsigned i = 0; i < HEADER_DIFAT; i++)
        add_fat_sector(cfb, u32(cfb->data + 76 + 4 * i));
    for (uint32_t i = 0; i < cfb->sector_count; i++) {
        octets = sector(cfb, next, &length);
        if (!octets || length < (size_t) 1 << cfb->shift)
            return;
        for (size_t at = 0; at + 8 <= length; at += 4)
            add_fat_sector(cfb, u32(octets + at));
        next = u32(octets + length - 4);
    }
}

static void read_mini_fat(Cfb *cfb)
{
    g_autoptr(GByteArray) table = read_chain(cfb, u32(cfb->data + 60), cfb->length);

    for (guint i = 0; i + 4 <= table->len; i += 4) {
        uint32_t next = u32(table->data + i);

        g_array_append_val(cfb->mini_fat, next);
    }
}

/* -- directory -------------------------------------------------------------------------------------- */

static char *entry_name(const uint8_t *raw)
{
    uint32_t bytes = MIN(u16(raw + 64), 64);
    gunichar2 units[32];
    char *name;

    for (unsigned i = 0; i < 32; i++)
        units[i] = (gunichar2) u16(raw + 2 * i);
    name = g_utf16_to_utf8(units, bytes >= 2 ? (glong) (bytes / 2 - 1) : 0, NULL, NULL, NULL);
    return name ? name : g_strdup("");
}

static void read_directory(Cfb *cfb)
{
    g_autoptr(GByteArray) raw =
        read_chain(cfb, u32(cfb->data + 48), (size_t) MAX_ENTRIES * ENTRY_BYTES);

    for (guint at = 0; at + ENTRY_BYTES <= raw->len; at += ENTRY_BYTES) {
        const uint8_t *p = raw->data + at;
        Entry entry = {
            .name = entry_name(p),
            .type = p[66],
            .left = u32(p + 68),
            .right = u32(p + 72),
            .child = u32(p + 76),
            .first = CFB_NONE,
            .next = CFB_NONE,
            .start = u32(p + 116),
            .size = u32(p + 120),
        };
        g_array_append_val(cfb->entries, entry);
    }
}

static Entry *entry_at(const Cfb *cfb, uint32_t number)
{
    return number < cfb->entries->len ? &g_array_index(cfb->entries, Entry, number) : NULL;
}

typedef struct {
    uint32_t entry;
    uint32_t storage;
} Visit;

static void push(const Cfb *cfb, GArray *stack, bool *seen, uint32_t entry, uint32_t storage)
{
    Visit visit = { entry, storage };

    if (entry >= cfb->entries->len || seen[entry])
        return;
    seen[entry] = true;
    g_array_append_val(stack, visit);
}

/* A tree of siblings for each storage becomes a list; an entry that turns up again is ignored. */
static void link_entries(Cfb *cfb)
{
    g_autofree bool *seen = g_new0(bool, cfb->entries->len);
    g_autoptr(GArray) stack = g_array_new(FALSE, FALSE, sizeof(Visit));

    seen[CFB_ROOT] = true;
    push(cfb, stack, seen, entry_at(cfb, CFB_ROOT)->child, CFB_ROOT);
    while (stack->len > 0) {
        Visit visit = g_array_index(stack, Visit, stack->len - 1);
        Entry *entry = entry_at(cfb, visit.entry), *storage = entry_at(cfb, visit.storage);

        g_array_set_size(stack, stack->len - 1);
        push(cfb, stack, seen, entry->left, visit.storage);
        push(cfb, stack, seen, entry->right, visit.storage);
        if (entry->type == 1)
            push(cfb, stack, seen, entry->child, visit.entry);
        if (entry->type == 1 || entry->type == 2) {
            entry->next = storage->first;
            storage->first = visit.entry;
        }
    }
}

/* -- outside ------------------------------------------------------------------------------------------ */

static void entry_clear(void *data)
{
    g_free(((Entry *) data)->name);
}

Cfb *cfb_open(const uint8_t *data, size_t length)
{
    g_autoptr(Cfb) cfb = NULL;

    if (length < HEADER_BYTES || memcmp(data, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8) != 0 ||
        (u16(data + 30) != 9 && u16(data + 30) != 12))
        return NULL;
    cfb = g_new0(Cfb, 1);
    cfb->data = data;
    cfb->length = length;
    cfb->shift = u16(data + 30);
    /* Without the header; the last one may be short. */
    cfb->sector_count = (uint32_t) MIN((length - 1) >> cfb->shift, LAST_SECTOR);
    cfb->fat = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    cfb->mini_fat = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    cfb->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    g_array_set_clear_func(cfb->entries, entry_clear);
    read_fat(cfb);
    read_mini_fat(cfb);
    read_directory(cfb);
    if (cfb->entries->len == 0)
        return NULL;
    link_entries(cfb);
    cfb->mini = read_chain(cfb, entry_at(cfb, CFB_ROOT)->start,
                           (size_t) MIN(entry_at(cfb, CFB_ROOT)->size, length));
    return g_steal_pointer(&cfb);
}

void cfb_free(Cfb *cfb)
{
    if (!cfb)
        return;
    g_array_unref(cfb->fat);
    g_array_unref(cfb->mini_fat);
    g_array_unref(cfb->entries);
    if (cfb->mini)
        g_byte_array_unref(cfb->mini);
    g_free(cfb);
}

uint32_t cfb_first(const Cfb *cfb, uint32_t storage)
{
    const Entry *entry = entry_at(cfb, storage);

    return entry ? entry->first : CFB_NONE;
}

uint32_t cfb_next(const Cfb *cfb, uint32_t entry)
{
    return entry_at(cfb, entry)->next;
}

const char *cfb_name(const Cfb *cfb, uint32_t entry)
{
    return entry_at(cfb, entry)->name;
}

bool cfb_is_storage(const Cfb *cfb, uint32_t entry)
{
    return entry_at(cfb, entry)->type == 1;
}

uint32_t cfb_find(const Cfb *cfb, uint32_t storage, const char *name)
{
    for (uint32_t e = cfb_first(cfb, storage); e != CFB_NONE; e = cfb_next(cfb, e))
        if (g_ascii_strcasecmp(cfb_name(cfb, e), name) == 0)
            return e;
    return CFB_NONE;
}

GByteArray *cfb_stream(const Cfb *cfb, uint32_t entry, size_t max_bytes)
{
    const Entry *e = entry_at(cfb, entry);

    if (!e || e->type != 2)
        return g_byte_array_new();
    max_bytes = (size_t) MIN(e->size, max_bytes);
    /* By the stream's own size, not by how much of it is asked for. */
    return e->size < MINI_CUTOFF ? read_mini_chain(cfb, e->start, max_bytes)
                                 : read_chain(cfb, e->start, max_bytes);
}
