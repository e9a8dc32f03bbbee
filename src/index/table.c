#include "table.h"

#define SLAB_BYTES (256u << 10)
#define FIRST_SLOTS 4096
#define FIRST_CHUNK_BYTES 16
#define LAST_CHUNK_BYTES 2048

/* -- arena ------------------------------------------------------------------------------ */
void mk_arena_init(MkArena *arena)
{
    *arena = (MkArena){ .slabs = g_ptr_array_new_with_free_func(g_free) };
}

void mk_arena_clear(MkArena *arena)
{
    g_clear_pointer(&arena->slabs, g_ptr_array_unref);
}

static void *take(MkArena *arena, size_t length)
{
    if ((size_t) (arena->end - arena->at) < length) {
        size_t slab = MAX(length, SLAB_BYTES);
        arena->at = g_malloc(slab);
        arena->end = arena->at + slab;
        arena->bytes += slab;
        g_ptr_array_add(arena->slabs, arena->at);
    }
    uint8_t *taken = arena->at;
    arena->at += length;
    return taken;
}

void *mk_arena_take(MkArena *arena, size_t length)
{
    return take(arena, (length + 7) & ~(size_t) 7);
}

char *mk_arena_string(MkArena *arena, const char *text, size_t length)
{
    char *copy = mk_arena_take(arena, length + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

/* -- chains of octets -------------------------------------------------------------------- */
struct MkChunk {
    struct MkChunk *next; /* of the last one: the first */
    uint32_t length;      /* of data; in the last one the term's at says how much is used */
    uint8_t data[];
};

/* The chain is a ring, so that its last chunk leads to both ends. */
static void term_grow(MkArena *arena, MkTerm *term)
{
    struct MkChunk *last = term->last;
    uint32_t length = last == NULL ? FIRST_CHUNK_BYTES : MIN(last->length * 2, LAST_CHUNK_BYTES);
    struct MkChunk *chunk = mk_arena_take(arena, sizeof *chunk + length);
    chunk->length = length;
    chunk->next = last == NULL ? chunk : last->next;
    if (last != NULL)
        last->next = chunk;
    term->last = chunk;
    term->at = chunk->data;
    term->end = chunk->data + length;
}

static void term_put(MkArena *arena, MkTerm *term, uint64_t value)
{
    do {
        if (term->at == term->end)
            term_grow(arena, term);
        *term->at++ = (uint8_t) (value < 0x80 ? value : (value & 0x7F) | 0x80);
        value >>= 7;
    } while (value > 0);
}

void mk_term_octets(const MkTerm *term, GByteArray *out)
{
    g_byte_array_set_size(out, 0);
    if (term->last == NULL) {
        g_byte_array_append(out, term->octets, (guint) (term->at - term->octets));
        return;
    }
    g_byte_array_append(out, term->octets, sizeof term->octets);
    for (const struct MkChunk *chunk = term->last->next; chunk != term->last; chunk = chunk->next)
        g_byte_array_append(out, chunk->data, chunk->length);
    g_byte_array_append(out, term->last->data, (guint) (term->at - term->last->data));
}

/* -- hash table ---------------------------------------------------------------------------- */
struct MkTermSlot {
    MkTerm *term;  /* NULL = free */
    uint64_t hash; /* saves a look at terms that are not it */
};

void mk_term_table_init(MkTermTable *table)
{
    memset(table, 0, sizeof *table);
    mk_arena_init(&table->arena);
    table->slot_mask = FIRST_SLOTS - 1;
    table->slots = g_new0(struct MkTermSlot, FIRST_SLOTS);
    mk_random(table->secret, sizeof table->secret);
}

void mk_term_table_clear(MkTermTable *table)
{
    mk_arena_clear(&table->arena);
    g_clear_pointer(&table->terms, g_free);
    g_clear_pointer(&table->slots, g_free);
}

size_t mk_term_table_bytes(const MkTermTable *table)
{
    return table->arena.bytes + table->capacity * sizeof(void *) +
           ((size_t) table->slot_mask + 1) * sizeof *table->slots;
}

static inline uint64_t fold_product(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128) a * b;
    return (uint64_t) product ^ (uint64_t) (product >> 64);
}

static inline uint64_t load_octets(const char *text, size_t length)
{
    uint64_t value = 0;
    memcpy(&value, text, MIN(length, sizeof value));
    return value;
}

static uint64_t hash_of(const MkTermTable *table, uint8_t field, const char *text, size_t length)
{
    uint64_t hash = table->secret[0] ^ (length << 8 | field);
    for (; length > 8; text += 8, length -= 8)
        hash = fold_product(hash ^ load_octets(text, 8), table->secret[1] | 1);
    return fold_product(hash ^ load_octets(text, length), table->secret[1] | 1);
}

static void insert_slot(MkTermTable *table, MkTerm *term)
{
    uint32_t place = (uint32_t) term->hash & table->slot_mask;
    while (table->slots[place].term != NULL)
        place = (place + 1) & table->slot_mask;
    table->slots[place] = (struct MkTermSlot){ term, term->hash };
}

static void grow_slots(MkTermTable *table)
{
    table->slot_mask = table->slot_mask * 2 + 1;
    g_free(table->slots);
    table->slots = g_new0(struct MkTermSlot, (size_t) table->slot_mask + 1);
    for (uint32_t i = 0; i < table->count; i++)
        insert_slot(table, table->terms[i]);
}

static MkTerm *new_term(MkTermTable *table, uint64_t hash, uint8_t field, const char *text,
                        size_t length)
{
    MkTerm *term = mk_arena_take(&table->arena, sizeof *term + length);
    *term = (MkTerm){ .hash = hash, .length = (uint8_t) length, .field = field };
    memcpy(term->text, text, length);
    term->at = term->octets;
    term->end = term->octets + sizeof term->octets;

    if (table->count == table->capacity) {
        table->capacity = MAX(table->capacity * 2, 1024);
        table->terms = g_renew(MkTerm *, table->terms, table->capacity);
    }
    if (table->count > table->slot_mask / 3 * 2)
        grow_slots(table);
    insert_slot(table, term);
    table->terms[table->count++] = term;
    return term;
}

static MkTerm *find_term(MkTermTable *table, uint8_t field, const char *text, size_t length)
{
    uint64_t hash = hash_of(table, field, text, length);
    uint32_t place = (uint32_t) hash & table->slot_mask;
    for (; table->slots[place].term != NULL; place = (place + 1) & table->slot_mask) {
        if (table->slots[place].hash != hash)
            continue;
        MkTerm *term = table->slots[place].term;
        if (term->field == field && term->length == length && memcmp(term->text, text, length) == 0)
            return term;
    }
    return new_term(table, hash, field, text, length);
}

void mk_term_table_add(MkTermTable *table, uint8_t field, const char *text, size_t length,
                       uint32_t doc, uint32_t position)
{
    MkTerm *term = find_term(table, field, text, length);
    if (doc + 1 != term->next_doc) {
        term_put(&table->arena, term, (uint64_t) (doc - term->next_doc) << 1 | 1);
        term_put(&table->arena, term, (uint64_t) position << 1 | 1);
        term->next_doc = doc + 1;
    } else {
        term_put(&table->arena, term, (uint64_t) (position - term->last_position) << 1);
    }
    term->last_position = position;
}

/* -- sorting ------------------------------------------------------------------------------- */
uint64_t mk_sort_head(const char *text, size_t length)
{
    uint64_t head = load_octets(text, length);
    return GUINT64_FROM_BE(head);
}

static int compare_items(const void *a, const void *b)
{
    const MkSortItem *x = a, *y = b;
    if (x->head != y->head)
        return x->head > y->head ? 1 : -1;
    /* Texts have no NUL inside, so up to eight octets the heads tell all. */
    int order = x->length <= 8 && y->length <= 8
                    ? 0
                    : mk_strings_compare(x->text, x->length, y->text, y->length);
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

void mk_sort_items(MkSortItem *items, size_t count)
{
    if (count > 1) /* an array without items may have no memory */
        qsort(items, count, sizeof *items, compare_items);
}
