/*
 * segment_file.c - the file of a segment: sealed blocks behind each other, their directory last
 *
 * Writing: appended through a buffer, synced before anybody can hear of the segment. Reading:
 * pread() only; a map would count as memory of this process. Every octet of the file belongs to
 * a sealed block, and how long it is says the manifest: nothing in it can change unseen.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

#define BUFFER_BYTES (256u << 10)
/* The system is told to begin writing so often, so that the sync at the end has little to do. */
#define WRITE_BACK_BYTES (8u << 20)
/* Place of the directory in the associated data: no stream has this number. */
#define DIRECTORY_STREAM 0xFF
/* A block's place in memory: 38 bits of offset, 26 of length. */
#define LENGTH_BITS 26
#define MAX_BLOCK_BYTES ((UINT64_C(1) << LENGTH_BITS) - 1)
#define MAX_FILE_BYTES (UINT64_C(1) << (64 - LENGTH_BITS))

#define AAD_BYTES 9

static void make_aad(uint8_t aad[AAD_BYTES], uint32_t segment_id, unsigned stream, uint32_t block)
{
    for (unsigned i = 0; i < 4; i++) {
        aad[i] = (uint8_t) (segment_id >> (24 - 8 * i));
        aad[5 + i] = (uint8_t) (block >> (24 - 8 * i));
    }
    aad[4] = (uint8_t) stream;
}

char *mk_segment_path(const MkIndex *index, uint32_t id)
{
    return g_strdup_printf("%s/%u", index->segments_dir, id);
}

void mk_segment_unlink(const MkIndex *index, uint32_t id)
{
    g_autofree char *path = mk_segment_path(index, id);
    /* Should it fail, opening the index sweeps it out. */
    (void) unlink(path);
}

/* -- writing ------------------------------------------------------------------------------ */
struct MkSegmentOut {
    const MkIndex *index;
    uint32_t id;
    int fd;
    bool kept;
    GByteArray *buffer;
    uint64_t written, written_back; /* octets handed to the system, and begun to be written */
    GArray *places[STREAM_COUNT];   /* uint64_t */
    GArray *ranges[STREAM_COUNT];   /* MkColumnRange, of some streams */
};

MkSegmentOut *mk_segment_out_new(const MkIndex *index, uint32_t id, GError **error)
{
    g_autofree char *path = mk_segment_path(index, id);
    int errnum = mk_index_fault(index, "create");
    int fd = errnum != 0 ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        mk_fail_errno(error, errnum != 0 ? errnum : errno, "make the search index's file %s", path);
        return NULL;
    }
    MkSegmentOut *out = g_new0(MkSegmentOut, 1);
    out->index = index;
    out->id = id;
    out->fd = fd;
    out->buffer = g_byte_array_sized_new(BUFFER_BYTES);
    for (unsigned i = 0; i < STREAM_COUNT; i++) {
        out->places[i] = g_array_new(FALSE, FALSE, sizeof(uint64_t));
        if (mk_stream_has_ranges((MkStreamKind) i))
            out->ranges[i] = g_array_new(FALSE, FALSE, sizeof(MkColumnRange));
    }
    return out;
}

void mk_segment_out_free(MkSegmentOut *out)
{
    if (out == NULL)
        return;
    if (out->fd >= 0)
        close(out->fd);
    if (!out->kept)
        mk_segment_unlink(out->index, out->id);
    for (unsigned i = 0; i < STREAM_COUNT; i++) {
        g_array_unref(out->places[i]);
        g_clear_pointer(&out->ranges[i], g_array_unref);
    }
    g_byte_array_unref(out->buffer);
    g_free(out);
}

static bool fail_write(const MkSegmentOut *out, int errnum, GError **error)
{
    return mk_fail_errno(error, errnum, "write the search index's file %u", out->id);
}

static bool flush(MkSegmentOut *out, GError **error)
{
    int errnum = mk_index_fault(out->index, "write");
    if (errnum != 0)
        return fail_write(out, errnum, error);
    if (!mk_write_all(out->fd, out->buffer->data, out->buffer->len))
        return fail_write(out, errno, error);
    out->written += out->buffer->len;
    g_byte_array_set_size(out->buffer, 0);
    if (out->written - out->written_back >= WRITE_BACK_BYTES) {
        (void) sync_file_range(out->fd, (off_t) out->written_back,
                               (off_t) (out->written - out->written_back), SYNC_FILE_RANGE_WRITE);
        out->written_back = out->written;
    }
    return true;
}

static bool append_sealed(MkSegmentOut *out, unsigned stream, uint32_t number, const uint8_t *data,
                          size_t length, GError **error)
{
    uint8_t aad[AAD_BYTES];
    guint start = out->buffer->len;
    make_aad(aad, out->id, stream, number);
    g_byte_array_set_size(out->buffer, start + (guint) length + MK_SEAL_OVERHEAD);
    mk_seal(out->index->key, aad, sizeof aad, data, length, out->buffer->data + start);
    return out->buffer->len < BUFFER_BYTES || flush(out, error);
}

bool mk_segment_out_block(MkSegmentOut *out, MkStreamKind stream, const uint8_t *data,
                          size_t length, GError **error)
{
    uint64_t offset = out->written + out->buffer->len;
    if (length + MK_SEAL_OVERHEAD > MAX_BLOCK_BYTES || offset > MAX_FILE_BYTES - MAX_BLOCK_BYTES)
        return mk_fail(error, MK_ERROR_LIMIT, "The search index's file %u is too large", out->id);
    uint64_t place = offset << LENGTH_BITS | (length + MK_SEAL_OVERHEAD);
    uint32_t number = out->places[stream]->len;
    g_array_append_val(out->places[stream], place);
    return append_sealed(out, stream, number, data, length, error);
}

void mk_segment_out_range(MkSegmentOut *out, MkStreamKind stream, uint64_t least, uint64_t most)
{
    MkColumnRange range = { least, most };
    g_array_append_val(out->ranges[stream], range);
}

static inline uint64_t place_offset(uint64_t place)
{
    return place >> LENGTH_BITS;
}

static inline uint64_t place_length(uint64_t place)
{
    return place & MAX_BLOCK_BYTES;
}

static void put_directory(const MkSegmentOut *out, GByteArray *directory)
{
    for (unsigned stream = 0; stream < STREAM_COUNT; stream++) {
        const GArray *places = out->places[stream];
        uint64_t end = 0;
        for (guint i = 0; i < places->len; i++) {
            uint64_t place = g_array_index(places, uint64_t, i);
            mk_put_varint(directory, place_offset(place) - end);
            mk_put_varint(directory, place_length(place));
            end = place_offset(place) + place_length(place);
            if (out->ranges[stream] == NULL)
                continue;
            const MkColumnRange *range = &g_array_index(out->ranges[stream], MkColumnRange, i);
            mk_put_varint(directory, range->least);
            mk_put_varint(directory, range->most - range->least);
        }
    }
}

static bool sync_all(MkSegmentOut *out, GError **error)
{
    int errnum = mk_index_fault(out->index, "sync");
    if (errnum == 0 && fdatasync(out->fd) != 0)
        errnum = errno;
    if (errnum == 0)
        errnum = mk_index_fault(out->index, "sync-directory");
    if (errnum != 0)
        return fail_write(out, errnum, error);
    int fd = open(out->index->segments_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_write(out, errno, error);
    errnum = fsync(fd) != 0 ? errno : 0;
    close(fd);
    return errnum == 0 || fail_write(out, errnum, error);
}

bool mk_segment_out_end(MkSegmentOut *out, MkSegmentInfo *info, GError **error)
{
    g_autoptr(GByteArray) directory = g_byte_array_new();
    put_directory(out, directory);
    if (!append_sealed(out, DIRECTORY_STREAM, 0, directory->data, directory->len, error) ||
        !flush(out, error) || !sync_all(out, error))
        return false;
    info->directory_bytes = directory->len + MK_SEAL_OVERHEAD;
    info->file_bytes = out->written;
    return true;
}

void mk_segment_out_keep(MkSegmentOut *out)
{
    out->kept = true;
}

/* -- reading ------------------------------------------------------------------------------ */
static bool read_whole(int fd, uint8_t *out, size_t length, uint64_t offset, GError **error)
{
    if (mk_pread_all(fd, out, length, offset))
        return true;
    return errno == 0 ? mk_index_corrupt(error)
                      : mk_fail_errno(error, errno, "read a file of the search index");
}

static MkBlock *read_sealed(const MkSegment *segment, unsigned stream, uint32_t number,
                            uint64_t offset, uint64_t length, GError **error)
{
    uint8_t aad[AAD_BYTES];
    g_autofree uint8_t *sealed = g_try_malloc(length);
    if (length < MK_SEAL_OVERHEAD || sealed == NULL) {
        mk_index_corrupt(error);
        return NULL;
    }
    if (!read_whole(segment->fd, sealed, length, offset, error))
        return NULL;
    g_autoptr(MkBlock) block = mk_block_new((uint32_t) (length - MK_SEAL_OVERHEAD));
    make_aad(aad, segment->info.id, stream, number);
    if (!mk_unseal(segment->key, aad, sizeof aad, sealed, length, block->data, NULL)) {
        mk_index_corrupt(error);
        return NULL;
    }
    return g_steal_pointer(&block);
}

MkBlock *mk_segment_block(const MkSegment *segment, MkStreamKind stream, uint32_t number,
                          GError **error)
{
    if (number >= segment->blocks[stream].count) {
        mk_index_corrupt(error);
        return NULL;
    }
    MkBlock *block = segment->cache == NULL
                         ? NULL
                         : mk_block_cache_find(segment->cache, segment->info.id, stream, number);
    if (block != NULL)
        return block;
    uint64_t place = segment->blocks[stream].places[number];
    block = read_sealed(segment, stream, number, place_offset(place), place_length(place), error);
    if (block != NULL && segment->cache != NULL)
        mk_block_cache_add(segment->cache, segment->info.id, stream, number, block);
    return block;
}

/* What lies so near behind comes with it. */
#define READ_AHEAD_GAP_BYTES (32u << 10)

void mk_segment_read_ahead(const MkSegment *segment, MkStreamKind stream)
{
    const MkBlockPlaces *blocks = &segment->blocks[stream];
    for (uint32_t i = 0; i < blocks->count;) {
        uint64_t begin = place_offset(blocks->places[i]), end = begin;
        for (; i < blocks->count && place_offset(blocks->places[i]) <= end + READ_AHEAD_GAP_BYTES;
             i++)
            end = place_offset(blocks->places[i]) + place_length(blocks->places[i]);
        (void) posix_fadvise(segment->fd, (off_t) begin, (off_t) (end - begin),
                             POSIX_FADV_WILLNEED);
    }
}

uint64_t mk_segment_block_count(const MkSegmentInfo *info, MkStreamKind stream)
{
    uint64_t length = info->lengths[stream];
    if (!mk_stream_is_octets(stream))
        return length;
    return length / MK_INDEX_BLOCK_BYTES + (length % MK_INDEX_BLOCK_BYTES != 0);
}

static bool read_range(MkReader *reader, MkColumnRange *out)
{
    out->least = mk_read_varint(reader);
    uint64_t distance = mk_read_varint(reader);
    out->most = out->least + distance;
    return !reader->failed && out->most >= out->least;
}

static bool read_places(MkReader *reader, MkSegment *segment, MkStreamKind stream, uint64_t *total)
{
    MkBlockPlaces *blocks = &segment->blocks[stream];
    uint64_t end = 0, file_end = segment->info.file_bytes - segment->info.directory_bytes;
    for (uint32_t i = 0; i < blocks->count; i++) {
        uint64_t offset = end + mk_read_varint(reader);
        uint64_t length = mk_read_varint(reader);
        if (reader->failed || offset < end || offset > file_end || length > file_end - offset ||
            length > MAX_BLOCK_BYTES)
            return false;
        blocks->places[i] = offset << LENGTH_BITS | length;
        end = offset + length;
        *total += length;
        if (blocks->ranges != NULL && !read_range(reader, &blocks->ranges[i]))
            return false;
    }
    return true;
}

/* Every octet before the directory is one of a block. */
static bool read_directory(MkSegment *segment, const MkBlock *directory)
{
    MkReader reader = mk_reader(directory->data, directory->length);
    uint64_t total = 0;
    for (unsigned i = 0; i < STREAM_COUNT; i++) {
        MkBlockPlaces *blocks = &segment->blocks[i];
        uint64_t count = mk_segment_block_count(&segment->info, (MkStreamKind) i);
        if (count > reader.length / 2) /* each takes two octets at least */
            return false;
        blocks->count = (uint32_t) count;
        blocks->places = g_new(uint64_t, count);
        if (mk_stream_has_ranges((MkStreamKind) i))
            blocks->ranges = g_new(MkColumnRange, count);
        if (!read_places(&reader, segment, (MkStreamKind) i, &total))
            return false;
    }
    return reader.length == 0 && total == segment->info.file_bytes - segment->info.directory_bytes;
}

bool mk_segment_file_open(MkSegment *segment, const MkIndex *index, GError **error)
{
    const MkSegmentInfo *info = &segment->info;
    g_autofree char *path = mk_segment_path(index, info->id);
    struct stat status;
    segment->key = index->key;
    segment->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (segment->fd < 0 && errno == ENOENT)
        return mk_index_corrupt(error);
    if (segment->fd < 0 || fstat(segment->fd, &status) != 0)
        return mk_fail_errno(error, errno, "open the search index's file %s", path);
    if ((uint64_t) status.st_size != info->file_bytes || info->directory_bytes > info->file_bytes)
        return mk_index_corrupt(error);
    g_autoptr(MkBlock) directory =
        read_sealed(segment, DIRECTORY_STREAM, 0, info->file_bytes - info->directory_bytes,
                    info->directory_bytes, error);
    return directory != NULL && (read_directory(segment, directory) || mk_index_corrupt(error));
}

void mk_segment_file_close(MkSegment *segment)
{
    if (segment->fd >= 0)
        close(segment->fd);
    for (unsigned i = 0; i < STREAM_COUNT; i++) {
        g_free(segment->blocks[i].places);
        g_free(segment->blocks[i].ranges);
    }
}
