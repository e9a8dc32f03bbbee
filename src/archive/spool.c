/*
 * spool.c - the octets of a mail while it comes in
 *
 *   MEMORY --more than MK_LIMIT_SPOOL_MEMORY_BYTES--> WRITING --done--> MEMORY (a new, empty one)
 *
 * Octets gather in memory; when there are too many, all of them go as one sealed chunk to an
 * unlinked file, by a job on the bulk lane. What comes meanwhile gathers anew; the owner stops
 * reading when that is too much as well (mk_spool_is_full). At the end the last octets stay in
 * memory. The key is of this process only, so that nothing on the disk outlives it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

typedef struct {
    uint64_t offset; /* in the file */
    uint64_t length; /* of the plain octets */
} Chunk;

struct MkSpool {
    MkArchive *archive;
    uint64_t id;
    uint64_t size;
    uint64_t counted;   /* octets of ours in the yard's total */
    GByteArray *memory; /* behind all chunks */
    GArray *chunks;     /* Chunk */
    uint64_t file_end;
    int fd;        /* -1 = no file */
    bool writing;  /* a job has the file */
    bool was_full; /* the owner waits for on_drain */
    bool freed;    /* the owner has gone; the job's end frees */
    GError *error; /* the first; for good */
    void (*on_drain)(void *cookie);
    void *drain_cookie;
    void (*on_ready)(void *cookie);
    void *ready_cookie;
};

typedef struct {
    MkJob job;
    /* in */
    MkSpool *spool; /* loop only */
    const char *data_dir;
    const MkKey *key;
    uint64_t spool_id;
    uint64_t offset;
    GByteArray *plain;
    /* in and out */
    int fd;
    /* out */
    GError *error;
} WriteJob;

/* -- files (lane) -------------------------------------------------------------------------------- */
static int open_unlinked(const char *data_dir, GError **error)
{
    g_autofree char *dir = g_build_filename(data_dir, "spool", NULL);
    g_autofree char *name = g_build_filename(dir, "XXXXXX", NULL);
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0)
        return fd;
    fd = mkostemp(name, O_CLOEXEC); /* a file system without O_TMPFILE */
    if (fd < 0)
        mk_fail_errno(error, errno, "make a spool file in %s", dir);
    else
        unlink(name);
    return fd;
}

static bool write_all(int fd, const uint8_t *data, size_t length, uint64_t offset, GError **error)
{
    return mk_pwrite_all(fd, data, length, offset) ||
           mk_fail_errno(error, errno, "write a spool file");
}

static bool read_all(int fd, uint8_t *data, size_t length, uint64_t offset, GError **error)
{
    if (mk_pread_all(fd, data, length, offset))
        return true;
    return errno == 0 ? mk_fail(error, MK_ERROR_IO, "a spool file is shorter than it was")
                      : mk_fail_errno(error, errno, "read a spool file");
}

/* A chunk opens only in its own mail and at its own place. */
static void format_place(uint64_t spool_id, uint64_t offset, uint64_t out[2])
{
    out[0] = spool_id;
    out[1] = offset;
}

static void write_run(MkJob *job)
{
    WriteJob *write = (WriteJob *) job;
    size_t length = write->plain->len + MK_SEAL_OVERHEAD;
    g_autofree uint8_t *sealed = g_malloc(length);
    uint64_t place[2];

    if (write->fd < 0)
        write->fd = open_unlinked(write->data_dir, &write->error);
    if (write->fd < 0)
        return;
    format_place(write->spool_id, write->offset, place);
    mk_seal(write->key, place, sizeof place, write->plain->data, write->plain->len, sealed);
    write_all(write->fd, sealed, length, write->offset, &write->error);
}

/* -- counting ------------------------------------------------------------------------------------ */
static void count(MkSpool *spool, uint64_t more, uint64_t less)
{
    SpoolYard *yard = &spool->archive->spools;

    spool->counted = spool->counted + more - less;
    yard->total_bytes = yard->total_bytes + more - less;
    spool->archive->spool_bytes = yard->total_bytes;
}

/* -- a spool's life ------------------------------------------------------------------------------ */
MkSpool *mk_spool_new(MkArchive *archive)
{
    MkSpool *spool = g_new0(MkSpool, 1);

    spool->archive = archive;
    spool->id = ++archive->spools.next_id;
    spool->memory = g_byte_array_new();
    spool->chunks = g_array_new(FALSE, FALSE, sizeof(Chunk));
    spool->fd = -1;
    archive->spools_open++;
    return spool;
}

typedef struct {
    MkJob job;
    MkArchive *archive;
    int fd;
} CloseJob;

static void close_run(MkJob *job)
{
    close(((CloseJob *) job)->fd);
}

static void close_done(MkJob *job)
{
    CloseJob *close_job = (CloseJob *) job;

    if (!job->ran)
        close(close_job->fd);
    archive_busy_end(close_job->archive);
    g_free(close_job);
}

/* Closing the last name of a large file waits until the disk has forgotten it. */
static void close_on_lane(MkArchive *archive, int fd)
{
    CloseJob *job = g_new0(CloseJob, 1);

    job->job.run = close_run;
    job->job.done = close_done;
    job->archive = archive;
    job->fd = fd;
    if (!archive->stopping && mk_job_submit(archive->loop, MK_LANE_BULK, &job->job, NULL)) {
        archive_busy_begin(archive);
        return;
    }
    close(fd);
    g_free(job);
}

static void spool_destroy(MkSpool *spool)
{
    count(spool, 0, spool->counted);
    if (spool->fd >= 0)
        close_on_lane(spool->archive, spool->fd);
    if (spool->memory != NULL)
        g_byte_array_unref(spool->memory);
    g_array_unref(spool->chunks);
    g_clear_error(&spool->error);
    spool->archive->spools_open--;
    g_free(spool);
}

void mk_spool_free(MkSpool *spool)
{
    if (spool == NULL)
        return;
    if (spool->writing)
        spool->freed = true; /* write_done() does it */
    else
        spool_destroy(spool);
}

/* -- filling ------------------------------------------------------------------------------------- */
static void write_done(MkJob *job);

static void start_writing(MkSpool *spool)
{
    WriteJob *write = g_new0(WriteJob, 1);

    write->job.run = write_run;
    write->job.done = write_done;
    write->spool = spool;
    write->data_dir = spool->archive->data_dir;
    write->key = spool->archive->spools.key;
    write->spool_id = spool->id;
    write->offset = spool->file_end;
    write->plain = spool->memory;
    write->fd = spool->fd;
    if (!mk_job_submit(spool->archive->loop, MK_LANE_BULK, &write->job, &spool->error)) {
        g_free(write);
        return;
    }
    spool->memory = g_byte_array_new();
    spool->writing = true;
    archive_busy_begin(spool->archive);
}

static void keep_chunk(MkSpool *spool, const WriteJob *write)
{
    Chunk chunk = { write->offset, write->plain->len };

    g_array_append_val(spool->chunks, chunk);
    spool->file_end += chunk.length + MK_SEAL_OVERHEAD;
}

/* What the owner waits for may be to free the spool: nothing touches it afterwards. */
static void go_on(MkSpool *spool)
{
    bool drained = spool->was_full;

    spool->was_full = false;
    if (spool->freed)
        spool_destroy(spool);
    else if (spool->on_ready != NULL)
        spool->on_ready(spool->ready_cookie);
    else {
        if (spool->error == NULL && spool->memory->len > MK_LIMIT_SPOOL_MEMORY_BYTES)
            start_writing(spool);
        if (drained && spool->on_drain != NULL) /* after an error too, so that it is heard of */
            spool->on_drain(spool->drain_cookie);
    }
}

static void write_done(MkJob *job)
{
    WriteJob *write = (WriteJob *) job;
    MkSpool *spool = write->spool;
    MkArchive *archive = spool->archive;

    spool->writing = false;
    spool->fd = write->fd;
    count(spool, 0, write->plain->len);
    if (!job->ran)
        mk_fail(&write->error, MK_ERROR_CANCELLED, "the archive is being stopped");
    if (write->error == NULL)
        keep_chunk(spool, write);
    else if (spool->error == NULL)
        spool->error = g_steal_pointer(&write->error);
    g_clear_error(&write->error);
    g_byte_array_unref(write->plain);
    g_free(write);
    go_on(spool);
    archive_busy_end(archive);
}

bool mk_spool_add(MkSpool *spool, const void *data, size_t length, GError **error)
{
    if (spool->error == NULL &&
        spool->archive->spools.total_bytes + length > MK_LIMIT_SPOOL_TOTAL_BYTES)
        mk_fail(&spool->error, MK_ERROR_BUSY, "the spool is full");
    if (spool->error == NULL) {
        g_byte_array_append(spool->memory, data, (guint) length);
        count(spool, length, 0);
        spool->size += length;
        if (spool->memory->len > MK_LIMIT_SPOOL_MEMORY_BYTES && !spool->writing)
            start_writing(spool);
    }
    if (spool->error == NULL)
        return true;
    if (error != NULL)
        *error = g_error_copy(spool->error);
    return false;
}

uint64_t mk_spool_size(const MkSpool *spool)
{
    return spool->size;
}

bool mk_spool_is_full(const MkSpool *spool)
{
    bool full = spool->writing && spool->memory->len > MK_LIMIT_SPOOL_MEMORY_BYTES;

    if (full)
        ((MkSpool *) spool)->was_full = true; /* who has heard it is told of the end */
    return full;
}

void mk_spool_set_on_drain(MkSpool *spool, void (*on_drain)(void *cookie), void *cookie)
{
    spool->on_drain = on_drain;
    spool->drain_cookie = cookie;
}

/* -- handing over -------------------------------------------------------------------------------- */
void spool_when_ready(MkSpool *spool, void (*on_ready)(void *cookie), void *cookie)
{
    spool->on_drain = NULL;
    if (!spool->writing) {
        on_ready(cookie);
        return;
    }
    spool->on_ready = on_ready;
    spool->ready_cookie = cookie;
}

const GError *spool_error(const MkSpool *spool)
{
    return spool->error;
}

typedef struct {
    void *start;
    size_t length;
} Mapping;

static void mapping_free(void *data)
{
    Mapping *mapping = data;

    munmap(mapping->start, mapping->length);
    g_free(mapping);
}

static bool read_chunk(const MkSpool *spool, const Chunk *chunk, uint8_t *out, GError **error)
{
    size_t length = chunk->length + MK_SEAL_OVERHEAD;
    g_autofree uint8_t *sealed = g_malloc(length);
    uint64_t place[2];

    format_place(spool->id, chunk->offset, place);
    return read_all(spool->fd, sealed, length, chunk->offset, error) &&
           mk_unseal(spool->archive->spools.key, place, sizeof place, sealed, length, out, error);
}

static bool fill(const MkSpool *spool, uint8_t *out, GError **error)
{
    for (guint i = 0; i < spool->chunks->len; i++) {
        const Chunk *chunk = &g_array_index(spool->chunks, Chunk, i);

        if (!read_chunk(spool, chunk, out, error))
            return false;
        out += chunk->length;
    }
    if (spool->memory->len > 0)
        memcpy(out, spool->memory->data, spool->memory->len);
    return true;
}

/* Mapped, not from the heap, so that a large mail's memory goes back at once. */
static GBytes *read_mapped(const MkSpool *spool, GError **error)
{
    Mapping *mapping = g_new0(Mapping, 1);

    mapping->length = spool->size;
    mapping->start =
        /* cppcheck-suppress invalidFunctionArg ; -1 is what goes with MAP_ANONYMOUS */
        mmap(NULL, mapping->length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping->start == MAP_FAILED) {
        g_free(mapping);
        mk_fail(error, MK_ERROR_BUSY, "there is not enough memory to read a mail");
        return NULL;
    }
    if (!fill(spool, mapping->start, error)) {
        mapping_free(mapping);
        return NULL;
    }
    return g_bytes_new_with_free_func(mapping->start, mapping->length, mapping_free, mapping);
}

GBytes *spool_read(MkSpool *spool, GError **error)
{
    GBytes *octets;

    if (spool->chunks->len == 0)
        return g_byte_array_free_to_bytes(g_steal_pointer(&spool->memory));
    octets = read_mapped(spool, error);
    close(spool->fd); /* here, off the loop */
    spool->fd = -1;
    return octets;
}
