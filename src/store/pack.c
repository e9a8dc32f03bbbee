/*
 * pack.c - pack files: names, headers, reading a record at its place
 *
 * header: "MKPACK1\n" | store uuid 16 | number u32 | chain 32 | batch u64 | last number u32 |
 *         last change u64 | keyed tag 16            (96 octets; chain and counts before the pack)
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailkeep/base.h>

#include "internal.h"

static const uint8_t magic[8] = "MKPACK1\n"; /* no NUL */
#define TAG_BYTES 16
#define MAX_OPEN_FILES 256

G_STATIC_ASSERT(PACK_HEADER_BYTES ==
                8 + STORE_UUID_BYTES + 4 + MK_HASH_BYTES + 8 + 4 + 8 + TAG_BYTES);

char *pack_path(const char *content_dir, uint32_t number)
{
    return g_strdup_printf("%s/%08u.pack", content_dir, number);
}

bool pack_find_last(const char *content_dir, uint32_t *out_number, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(content_dir, 0, NULL);
    const char *name;

    *out_number = 0;
    if (dir == NULL)
        return mk_fail(error, MK_ERROR_IO, "the directory %s cannot be read", content_dir);
    while ((name = g_dir_read_name(dir)) != NULL) {
        char *end;
        guint64 number = g_ascii_strtoull(name, &end, 10);

        if (strcmp(end, ".pack") == 0 && number > *out_number && number <= G_MAXUINT32)
            *out_number = (uint32_t) number;
    }
    return true;
}

bool pread_all(int fd, void *out, size_t length, uint64_t offset, GError **error)
{
    if (mk_pread_all(fd, out, length, offset))
        return true;
    return errno == 0 ? mk_fail(error, MK_ERROR_CORRUPT, "a pack is shorter than it must be")
                      : mk_fail_errno(error, errno, "read a pack");
}

bool sync_dir(const char *dir, GError **error)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    int saved = errno;

    if (fd >= 0)
        close(fd);
    return good || mk_fail_errno(error, saved, "flush the directory %s", dir);
}

/* -- headers ------------------------------------------------------------------------------- */

void pack_first_chain(const StoreKeys *keys, MkHash *out)
{
    mk_hash(NULL, keys->uuid, STORE_UUID_BYTES, out);
}

void pack_header_make(const StoreKeys *keys, const PackHeader *header,
                      uint8_t out[PACK_HEADER_BYTES])
{
    uint8_t *at = out;
    MkHash tag;

    memcpy(at, magic, sizeof magic);
    memcpy(at += 8, keys->uuid, STORE_UUID_BYTES);
    set_u32(at += STORE_UUID_BYTES, header->pack);
    memcpy(at += 4, header->chain.bytes, MK_HASH_BYTES);
    set_u64(at += MK_HASH_BYTES, header->batch);
    set_u32(at += 8, header->last_number);
    set_u64(at += 4, header->last_change);
    mk_hash(keys->commit, out, PACK_HEADER_BYTES - TAG_BYTES, &tag);
    memcpy(at + 8, tag.bytes, TAG_BYTES);
}

bool pack_header_read(int fd, const StoreKeys *keys, PackHeader *out, GError **error)
{
    uint8_t octets[PACK_HEADER_BYTES];
    const uint8_t *at = octets + 8;
    MkHash tag;

    if (!pread_all(fd, octets, sizeof octets, 0, error))
        return false;
    mk_hash(keys->commit, octets, PACK_HEADER_BYTES - TAG_BYTES, &tag);
    if (memcmp(octets, magic, sizeof magic) != 0 || memcmp(at, keys->uuid, STORE_UUID_BYTES) != 0 ||
        !mk_equal_secret(tag.bytes, octets + PACK_HEADER_BYTES - TAG_BYTES, TAG_BYTES))
        return mk_fail(error, MK_ERROR_CORRUPT, "a pack's header is damaged or of another store");
    out->pack = get_u32(at += STORE_UUID_BYTES);
    memcpy(out->chain.bytes, at += 4, MK_HASH_BYTES);
    out->batch = get_u64(at += MK_HASH_BYTES);
    out->last_number = get_u32(at += 8);
    out->last_change = get_u64(at + 4);
    return true;
}

/* -- packs open for readers ------------------------------------------------------------------ */

void pack_file_unref(PackFile *file)
{
    if (file != NULL && g_atomic_int_dec_and_test(&file->refs)) {
        close(file->fd);
        g_free(file);
    }
}

static void unref_entry(gpointer file)
{
    pack_file_unref(file);
}

void pack_files_init(PackFiles *files, const char *dir)
{
    pthread_mutex_init(&files->lock, NULL);
    files->dir = g_strdup(dir);
    files->files = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, unref_entry);
}

void pack_files_clear(PackFiles *files)
{
    if (files->files == NULL)
        return;
    g_hash_table_unref(files->files);
    g_free(files->dir);
    pthread_mutex_destroy(&files->lock);
    memset(files, 0, sizeof *files);
}

static PackFile *open_locked(PackFiles *files, uint32_t number, GError **error)
{
    g_autofree char *path = pack_path(files->dir, number);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    PackFile *file;

    if (fd < 0) {
        mk_fail_errno(error, errno, "open the pack %s", path);
        return NULL;
    }
    if (g_hash_table_size(files->files) >= MAX_OPEN_FILES) /* rare: half a million GB */
        g_hash_table_remove_all(files->files);
    file = g_new(PackFile, 1);
    file->refs = 1;
    file->fd = fd;
    g_hash_table_insert(files->files, GUINT_TO_POINTER(number), file);
    return file;
}

PackFile *pack_files_get(PackFiles *files, uint32_t number, GError **error)
{
    G_GNUC_UNUSED g_auto(Locked) locked = lock_scope(&files->lock);
    PackFile *file = g_hash_table_lookup(files->files, GUINT_TO_POINTER(number));

    if (file == NULL)
        file = open_locked(files, number, error);
    if (file != NULL)
        g_atomic_int_inc(&file->refs);
    return file;
}

static bool frame_length_at(const PackFile *file, uint64_t offset, uint32_t *out, GError **error)
{
    uint8_t octets[RECORD_HEAD_BYTES];
    RecordHead head;

    if (!pread_all(file->fd, octets, sizeof octets, offset, error))
        return false;
    if (!record_head_parse(octets, &head))
        return mk_fail(error, MK_ERROR_CORRUPT, "a record's head is damaged");
    *out = (uint32_t) record_frame_length(&head);
    return true;
}

/* Where the length is not known, most records end within this. */
#define READ_AHEAD_BYTES (16u << 10)

void pack_read_ahead(PackFiles *files, const Position *position)
{
    g_autoptr(PackFile) file = pack_files_get(files, position->pack, NULL);

    if (file != NULL)
        (void) posix_fadvise(file->fd, (off_t) position->offset,
                             position->length > 0 ? position->length : READ_AHEAD_BYTES,
                             POSIX_FADV_WILLNEED);
}

GByteArray *pack_read_frame(PackFiles *files, const Position *position, RecordType type,
                            RecordHead *out, GError **error)
{
    g_autoptr(PackFile) file = pack_files_get(files, position->pack, error);
    g_autoptr(GByteArray) frame = g_byte_array_new();
    uint32_t length = position->length;

    if (file == NULL || (length == 0 && !frame_length_at(file, position->offset, &length, error)))
        return NULL;
    if (length > RECORD_FRAME_BYTES + MK_LIMIT_RECORD_BYTES) {
        mk_fail(error, MK_ERROR_CORRUPT, "a record's length is wrong");
        return NULL;
    }
    g_byte_array_set_size(frame, length);
    if (!pread_all(file->fd, frame->data, length, position->offset, error) ||
        !record_check(frame->data, length, out, error))
        return NULL;
    if (out->type != type) {
        mk_fail(error, MK_ERROR_CORRUPT, "a record is not of the type it must have");
        return NULL;
    }
    return g_steal_pointer(&frame);
}
