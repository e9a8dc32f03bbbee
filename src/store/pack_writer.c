/*
 * pack_writer.c - the end of the newest pack
 *
 * Zeros are written some way ahead, so that a small batch overwrites blocks that the file has
 * already and its fdatasync() need not wait for the file system's journal (about half the time).
 * Readers of packs take zeros where a record's head should stand as the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "internal.h"

#define AHEAD_BYTES (256u << 10)
#define MAX_VECTORS 512

/* A step that a fault test may make fail. */
static bool step(const PackWriter *writer, const char *name, GError **error)
{
    int errnum = store_fault(writer->store, name);

    return errnum == 0 || mk_fail_errno(error, errnum, "write the archive's pack");
}

static bool write_vectors(int fd, struct iovec *vectors, int count, uint64_t offset, GError **error)
{
    while (count > 0) {
        ssize_t n = pwritev(fd, vectors, MIN(count, MAX_VECTORS), (off_t) offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return mk_fail_errno(error, errno, "write the archive's pack");
        offset += (uint64_t) n;
        for (; count > 0 && (size_t) n >= vectors->iov_len; vectors++, count--)
            n -= (ssize_t) vectors->iov_len;
        if (count > 0) {
            vectors->iov_base = (uint8_t *) vectors->iov_base + n;
            vectors->iov_len -= (size_t) n;
        }
    }
    return true;
}

bool pack_writer_open(PackWriter *writer, MkStore *store, uint32_t number, uint64_t end,
                      GError **error)
{
    g_autofree char *path = pack_path(store->content_dir, number);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return mk_fail_errno(error, errno, "open the pack %s", path);
    /* Whatever lies behind the end is a torn write or zeros: off with it. */
    if (fstat(fd, &st) != 0 ||
        (st.st_size > (off_t) end && (ftruncate(fd, (off_t) end) != 0 || fsync(fd) != 0))) {
        int saved = errno;

        close(fd);
        return mk_fail_errno(error, saved, "cut the pack %s", path);
    }
    *writer = (PackWriter){ store, fd, number, end, end };
    /* cppcheck-suppress resourceLeak ; the writer has it */
    return true;
}

static bool write_header(PackWriter *writer, const PackHeader *header, GError **error)
{
    uint8_t octets[PACK_HEADER_BYTES];
    struct iovec vector = { octets, sizeof octets };

    pack_header_make(&writer->store->keys, header, octets);
    if (!step(writer, "pack.header.write", error) ||
        !write_vectors(writer->fd, &vector, 1, 0, error) ||
        !step(writer, "pack.header.sync", error))
        return false;
    if (fsync(writer->fd) != 0)
        return mk_fail_errno(error, errno, "flush a new pack");
    return step(writer, "pack.dir.sync", error) && sync_dir(writer->store->content_dir, error);
}

bool pack_writer_create(PackWriter *writer, MkStore *store, const PackHeader *header,
                        GError **error)
{
    g_autofree char *path = pack_path(store->content_dir, header->pack);
    PackWriter fresh = { store, -1, header->pack, PACK_HEADER_BYTES, PACK_HEADER_BYTES };

    if (!step(&fresh, "pack.create", error))
        return false;
    fresh.fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fresh.fd < 0)
        return mk_fail_errno(error, errno, "make the pack %s", path);
    if (!write_header(&fresh, header, error)) {
        close(fresh.fd);
        unlink(path);
        return false;
    }
    pack_writer_close(writer);
    *writer = fresh;
    return true;
}

/* Zeros behind @data_end, when the batch was small; best effort, they only save time. */
static void write_ahead(PackWriter *writer, uint64_t data_end, uint64_t total)
{
    static const uint8_t zeros[AHEAD_BYTES];
    struct iovec vector = { (void *) zeros, sizeof zeros };

    if (data_end > writer->file_size)
        writer->file_size = data_end;
    if (total > AHEAD_BYTES / 2 || data_end < writer->file_size)
        return;
    if (write_vectors(writer->fd, &vector, 1, data_end, NULL))
        writer->file_size = data_end + sizeof zeros;
}

static bool write_frames(PackWriter *writer, const GPtrArray *frames, GError **error)
{
    g_autofree struct iovec *vectors = g_new(struct iovec, frames->len);

    for (guint i = 0; i < frames->len; i++) {
        const GByteArray *frame = frames->pdata[i];

        vectors[i] = (struct iovec){ frame->data, frame->len };
    }
    return write_vectors(writer->fd, vectors, (int) frames->len, writer->end, error);
}

/* The file as it was before a batch that failed. */
static void cut_back(PackWriter *writer, bool *out_abandon)
{
    if (ftruncate(writer->fd, (off_t) writer->end) != 0)
        *out_abandon = true;
    writer->file_size = writer->end;
}

bool pack_writer_append(PackWriter *writer, const GPtrArray *frames, uint64_t total,
                        bool *out_abandon, GError **error)
{
    *out_abandon = false;
    if (!step(writer, "pack.write", error) || !write_frames(writer, frames, error) ||
        !step(writer, "pack.written", error)) {
        cut_back(writer, out_abandon);
        return false;
    }
    write_ahead(writer, writer->end + total, total);
    if (!step(writer, "pack.sync", error)) {
        *out_abandon = true;
        return false;
    }
    if (fdatasync(writer->fd) != 0) {
        /* What the page cache says of this file is not to be believed any more. */
        *out_abandon = true;
        return mk_fail_errno(error, errno, "flush the archive's pack");
    }
    if (!step(writer, "pack.synced", error)) {
        cut_back(writer, out_abandon);
        return false;
    }
    return true;
}

void pack_writer_keep(PackWriter *writer, uint64_t total)
{
    writer->end += total;
}

void pack_writer_close(PackWriter *writer)
{
    if (writer->fd < 0)
        return;
    if (writer->file_size > writer->end && ftruncate(writer->fd, (off_t) writer->end) == 0)
        fsync(writer->fd);
    close(writer->fd);
    writer->fd = -1;
}
