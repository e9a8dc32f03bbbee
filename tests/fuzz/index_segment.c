/*
 * index_segment.c - the segment reader on blocks that are not as the writer made them
 *
 * A good segment of some mails is made once. An input is a row of changes to its opened blocks:
 * stream, block, offset (two octets), count, octets to be there instead; a count of 255 cuts the
 * block off. Whatever comes of it, searches, lookups, verification and a merge end, with an
 * error or without.
 */
#include <mailkeep/index.h>

#include <stdlib.h>
#include <string.h>

#include "index/internal.h"
#include "index/join.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAILS 150 /* more than a group of a posting */
#define CUT 255

static MkIndex *good;
static MkKey *key;

static char *make_body(uint32_t number)
{
    GString *body = g_string_new("überall ein wort ");
    for (uint32_t i = 0; i < number % 7; i++)
        g_string_append_printf(body, "w%u wort x%u ", number % 5, (number * 7 + i) % 40);
    return g_string_free(body, FALSE);
}

static void add_mail(MkIndexWriter *writer, uint32_t number)
{
    g_autofree char *body = make_body(number);
    const char *const bodies[] = { body, NULL };
    const char *const names[] = { "a.pdf", "b.txt", NULL };
    const char *const ids[] = { body + 3, NULL };
    const uint32_t folders[] = { 1 + number % 3, 9 };
    const MkAttachmentText text = { 2, MK_TEXT_COMPLETE, 100 };
    MkIndexDoc doc = { .number = number,
                       .date_unix_ms = number * 1000,
                       .size_bytes = number,
                       .folders = folders,
                       .folder_count = 1 + number % 2,
                       .conversation = number / 4,
                       .copy = number / 2,
                       .attachments = &text,
                       .attachment_count = number % 2,
                       .subject = body,
                       .from = number % 2 == 0 ? "Anna" : "Bernd",
                       .to = "c@example.com" };
    doc.values[MK_FIELD_BODY] = bodies;
    doc.values[MK_FIELD_ATTACHMENT_NAME] = names;
    doc.values[MK_FIELD_MESSAGE_ID] = ids;
    mk_index_writer_add(writer, &doc);
}

static void clean_up(void)
{
    g_autofree char *dir = g_path_get_dirname(good->segments_dir);
    const char *const argv[] = { "rm", "-rf", dir, NULL };
    g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                 NULL);
    mk_index_close(good);
    mk_key_free(key);
}

static void make_good(void)
{
    static const uint8_t bytes[MK_KEY_BYTES] = { 8 };
    g_autofree char *dir = g_dir_make_tmp("mailkeep-fuzz-XXXXXX", NULL);
    g_assert_true(mk_crypto_init(NULL));
    key = mk_key_new_from(bytes);
    good = mk_index_open(dir, key, UINT64_C(1) << 26, NULL);
    g_assert_nonnull(good);
    atexit(clean_up);
    MkIndexWriter *writer = mk_index_writer_new(good);
    for (uint32_t number = 1; number <= MAILS; number++)
        add_mail(writer, number);
    g_assert_true(mk_index_writer_commit(writer, 1, NULL));
}

/* -- a segment with changed blocks ----------------------------------------------------------- */
/* All of the good one's blocks, in a cache; the file is not asked. */
static MkBlockCache *copy_blocks(const MkSegment *segment)
{
    MkBlockCache *cache = mk_block_cache_new(SIZE_MAX);
    for (unsigned stream = 0; stream < STREAM_COUNT; stream++) {
        for (uint32_t i = 0; i < segment->blocks[stream].count; i++) {
            g_autoptr(MkBlock) block = mk_segment_block(segment, (MkStreamKind) stream, i, NULL);
            g_autoptr(MkBlock) copy = mk_block_new(block->length);
            memcpy(copy->data, block->data, block->length);
            mk_block_cache_add(cache, segment->info.id, (MkStreamKind) stream, i, copy);
        }
    }
    return cache;
}

static void change(MkBlockCache *cache, const MkSegment *segment, MkReader *reader)
{
    unsigned stream = mk_read_u8(reader) % STREAM_COUNT;
    uint32_t number = mk_read_u8(reader), offset = (uint32_t) mk_read_u8(reader) << 8;
    offset |= mk_read_u8(reader);
    unsigned count = mk_read_u8(reader);
    if (reader->failed || segment->blocks[stream].count == 0)
        return;
    g_autoptr(MkBlock) block = mk_block_cache_find(cache, segment->info.id, (MkStreamKind) stream,
                                                   number % segment->blocks[stream].count);
    if (block->length == 0)
        return;
    offset %= block->length;
    if (count == CUT) {
        block->length = offset;
        return;
    }
    for (; count > 0 && offset < block->length && reader->length > 0; count--)
        block->data[offset++] = mk_read_u8(reader);
}

/* In memory of a size that fits, so that the sanitizer sees a read behind its end. */
static void fit_blocks(MkBlockCache **cache, const MkSegment *segment)
{
    MkSegment with = mk_segment_uncached(segment);
    with.cache = *cache;
    MkBlockCache *fitting = copy_blocks(&with);
    mk_block_cache_free(*cache);
    *cache = fitting;
}

/* -- what is done with it -------------------------------------------------------------------- */
static void search_all(MkIndex *index)
{
    static const char *const queries[] = { "",
                                           "wort",
                                           "\"ein wort w1\"",
                                           "w* x3",
                                           "*ort",
                                           "*o*",
                                           "-w1 attachment:*",
                                           "\"wort x1?\"",
                                           "from:anna",
                                           "wort -\"w2 wort\"" };
    const uint32_t folder = 2;
    for (unsigned i = 0; i < 2 * G_N_ELEMENTS(queries); i++) {
        g_autoptr(MkQuery) query = mk_query_parse(queries[i / 2], NULL);
        MkSearch search = { .query = query,
                            .limit = 100,
                            .sort = (MkSort) (i % 5),
                            .ascending = i % 3 == 0,
                            .group = (MkGroup) (i % 3),
                            .date_from_unix_ms = i % 4 == 1 ? 5000 : 0,
                            .date_to_unix_ms = i % 4 == 1 ? 90000 : 0,
                            .folders = i % 5 == 2 ? &folder : NULL,
                            .folder_count = 1 };
        g_autoptr(GError) error = NULL;
        g_autoptr(MkSearchResult) result = mk_index_search(index, &search, &error);
        g_assert_true((result == NULL) == (error != NULL));
    }
}

static void look_up(MkIndex *index)
{
    g_autoptr(GArray) found = mk_index_lookup(index, "erall ein wort", 10, NULL);
    g_autoptr(GArray) numbers = mk_index_numbers(index, 3, 200, NULL);
    g_assert_true(found == NULL || found->len <= 10);
    g_assert_true(numbers == NULL || numbers->len <= 200);
    for (uint32_t number = 0; number < MAILS; number += 11) {
        g_auto(MkIndexedMail) mail = { 0 };
        (void) mk_index_mail(index, number, &mail, NULL);
    }
}

static void merge(MkIndex *index, MkSegmentState *state)
{
    g_auto(MkJoin) join = { 0 };
    g_autoptr(MkSegmentWriter) writer = mk_segment_writer_new(index, 99, NULL);
    mk_join_init(&join, &state, 1, NULL);
    join.sources[0].segment.cache = state->segment->cache;
    (void) mk_join_write(&join, writer, NULL);
}

static void use(MkSegment *segment)
{
    MkSegmentState state = { segment, NULL, 0 };
    MkView view = { .refs = 1, .manifest = good->view->manifest, .segments = &state };
    MkIndex index = { .key = good->key, .segments_dir = good->segments_dir, .view = &view };
    pthread_mutex_init(&index.lock, NULL);
    (void) mk_segment_check(segment, NULL);
    search_all(&index);
    look_up(&index);
    merge(&index, &state);
    pthread_mutex_destroy(&index.lock);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (good == NULL)
        make_good();
    MkReader reader = mk_reader(data, size);
    const MkSegment *base = good->view->segments[0].segment;
    MkBlockCache *cache = copy_blocks(base);
    for (unsigned i = 0; i < 16 && reader.length > 0; i++)
        change(cache, base, &reader);
    fit_blocks(&cache, base);

    g_autoptr(MkSegment) segment = g_new0(MkSegment, 1);
    *segment = (MkSegment){ .refs = 1, .info = base->info, .fd = -1, .cache = cache };
    for (unsigned i = 0; i < STREAM_COUNT; i++) {
        const MkBlockPlaces *blocks = &base->blocks[i];
        segment->blocks[i].count = blocks->count;
        segment->blocks[i].places =
            g_memdup2(blocks->places, blocks->count * sizeof *blocks->places);
        segment->blocks[i].ranges = g_memdup2(
            blocks->ranges, blocks->ranges != NULL ? blocks->count * sizeof *blocks->ranges : 0);
    }
    if (mk_segment_load(segment, NULL))
        use(segment);
    mk_block_cache_free(cache);
    return 0;
}
