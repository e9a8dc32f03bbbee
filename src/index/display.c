/*
 * display.c - subject, sender and recipients as lists show them, and what is sorted by
 *
 * Block: for each mail three texts, each a varint: even is a new text of half that length, which
 * follows; odd is the half-th of the block's new texts again (addresses repeat much).
 */
#include "fold.h"
#include "internal.h"

void mk_display_init(MkDisplay *display, MkWatch *watch, const MkSegment *segment)
{
    display->watch = watch;
    display->segment = segment;
    display->block = NULL;
    display->loaded = UINT32_MAX;
}

void mk_display_clear(MkDisplay *display)
{
    g_clear_pointer(&display->block, mk_block_unref);
}

void mk_display_encode(GByteArray *out, const char *const *texts, size_t count)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (size_t i = 0; i < 3 * count; i++) {
        gpointer number;
        if (g_hash_table_lookup_extended(seen, texts[i], NULL, &number)) {
            mk_put_varint(out, (uint64_t) GPOINTER_TO_UINT(number) << 1 | 1);
            continue;
        }
        number = GUINT_TO_POINTER(g_hash_table_size(seen));
        g_hash_table_insert(seen, (gpointer) texts[i], number);
        /* with its NUL, so that a block read can be pointed into */
        size_t length = strlen(texts[i]) + 1;
        mk_put_varint(out, (uint64_t) length << 1);
        g_byte_array_append(out, (const uint8_t *) texts[i], (guint) length);
    }
}

static bool decode(MkReader *reader, const char **out, size_t count)
{
    const char *seen[3 * MK_INDEX_DISPLAY_DOCS];
    size_t seen_count = 0;
    for (size_t i = 0; i < 3 * count; i++) {
        uint64_t head = mk_read_varint(reader);
        if (head & 1) {
            if (head >> 1 >= seen_count)
                return false;
            out[i] = seen[head >> 1];
            continue;
        }
        size_t length = (size_t) (head >> 1);
        const uint8_t *text = length > 0 ? mk_read_bytes(reader, length) : NULL;
        if (text == NULL || text[length - 1] != '\0')
            return false;
        out[i] = seen[seen_count++] = (const char *) text;
    }
    return reader->length == 0;
}

bool mk_display_get(MkDisplay *display, uint32_t doc, const char *out[3], GError **error)
{
    uint32_t block = doc / MK_INDEX_DISPLAY_DOCS, place = doc % MK_INDEX_DISPLAY_DOCS;
    if (display->loaded != block) {
        display->loaded = UINT32_MAX;
        if (!mk_block_load(&display->block, display->segment, display->watch, STREAM_DISPLAY, block,
                           error))
            return false;
        uint32_t left = display->segment->info.doc_count - block * MK_INDEX_DISPLAY_DOCS;
        MkReader reader = mk_reader(display->block->data, display->block->length);
        if (!decode(&reader, display->texts, MIN(left, MK_INDEX_DISPLAY_DOCS)))
            return mk_index_corrupt(error);
        display->loaded = block;
    }
    for (unsigned i = 0; i < 3; i++)
        out[i] = display->texts[3 * place + i];
    return true;
}

char *mk_sort_key(const char *text)
{
    g_autoptr(GString) key = g_string_new(NULL);
    if (!mk_fold_text(text, strlen(text), key))
        g_string_assign(key, text);
    return g_strndup(key->str, mk_fold_cut(key->str, key->len, MK_INDEX_KEY_BYTES));
}
