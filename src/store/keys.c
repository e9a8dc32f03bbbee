/*
 * keys.c - store.key: the store's own key, wrapped by the master key
 *
 * "MKSTORE1" | store id u32 | uuid 16 | wrapped key. The file is locked while the store is open,
 * so that no second process writes its packs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mailkeep/base.h>

#include "internal.h"

#define MAGIC "MKSTORE1"
#define MAGIC_BYTES 8
#define FILE_MAX_BYTES 1024

static char *wrap_label(uint32_t store_id, const uint8_t uuid[STORE_UUID_BYTES])
{
    GString *label = g_string_new(NULL);

    g_string_append_printf(label, "store %u ", store_id);
    for (unsigned i = 0; i < STORE_UUID_BYTES; i++)
        g_string_append_printf(label, "%02x", uuid[i]);
    return g_string_free(label, FALSE);
}

static bool lock_file(int fd, const char *path, GError **error)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno == EWOULDBLOCK)
        return mk_fail(error, MK_ERROR_BUSY, "the store of %s is open already", path);
    return mk_fail_errno(error, errno, "lock %s", path);
}

/* Mails without their key would be lost: never make a new key over existing packs. */
static bool may_create(const char *dir, GError **error)
{
    g_autofree char *content = store_content_dir(dir);
    uint32_t last;

    if (!pack_find_last(content, &last, error))
        return false;
    return last == 0 || mk_fail(error, MK_ERROR_KEY,
                                "the store in %s has packs but no store.key: restore it from a "
                                "backup",
                                dir);
}

static bool key_create(const MkStoreOptions *options, const char *path, GError **error)
{
    g_autofree char *temp = g_strconcat(path, ".new", NULL);
    g_autofree char *label = NULL;
    g_autoptr(GByteArray) file = g_byte_array_new();
    g_autoptr(MkKey) key = mk_key_new_random();
    g_autoptr(GBytes) wrapped = NULL;
    uint8_t uuid[STORE_UUID_BYTES];
    int fd, saved;
    bool good;

    if (!may_create(options->dir, error))
        return false;
    mk_random(uuid, sizeof uuid);
    label = wrap_label(options->store_id, uuid);
    wrapped = mk_key_wrap(options->master_key, key, label);
    g_byte_array_append(file, (const guint8 *) MAGIC, MAGIC_BYTES);
    mk_put_u32(file, options->store_id);
    g_byte_array_append(file, uuid, sizeof uuid);
    mk_put_block(file, g_bytes_get_data(wrapped, NULL), g_bytes_get_size(wrapped));
    fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    good = fd >= 0 && write(fd, file->data, file->len) == (ssize_t) file->len && fsync(fd) == 0 &&
           rename(temp, path) == 0;
    saved = errno;
    if (fd >= 0)
        close(fd);
    if (!good)
        return mk_fail_errno(error, saved, "write %s", path);
    return sync_dir(options->dir, error);
}

static MkKey *key_parse(const MkStoreOptions *options, const GByteArray *file, uint8_t *out_uuid,
                        GError **error)
{
    MkReader r = mk_reader(file->data, file->len);
    const uint8_t *magic = mk_read_bytes(&r, MAGIC_BYTES);
    uint32_t id = mk_read_u32(&r);
    const uint8_t *uuid = mk_read_bytes(&r, STORE_UUID_BYTES);
    size_t length;
    const uint8_t *data = mk_read_block(&r, &length);
    g_autofree char *label = NULL;
    g_autoptr(GBytes) wrapped = NULL;

    if (r.failed || r.length > 0 || memcmp(magic, MAGIC, MAGIC_BYTES) != 0) {
        mk_fail(error, MK_ERROR_CORRUPT, "store.key in %s is damaged: restore it from a backup",
                options->dir);
        return NULL;
    }
    if (id != options->store_id) {
        mk_fail(error, MK_ERROR_INVALID, "the store in %s has the number %u, not %u", options->dir,
                id, options->store_id);
        return NULL;
    }
    memcpy(out_uuid, uuid, STORE_UUID_BYTES);
    label = wrap_label(id, uuid);
    wrapped = g_bytes_new(data, length);
    return mk_key_unwrap(options->master_key, wrapped, label, error);
}

static MkKey *key_read(const MkStoreOptions *options, int fd, const char *path, uint8_t *out_uuid,
                       GError **error)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    ssize_t n;

    g_byte_array_set_size(file, FILE_MAX_BYTES);
    n = pread(fd, file->data, FILE_MAX_BYTES, 0);
    if (n < 0) {
        mk_fail_errno(error, errno, "read %s", path);
        return NULL;
    }
    g_byte_array_set_size(file, (guint) n);
    return key_parse(options, file, out_uuid, error);
}

static int open_or_create(const MkStoreOptions *options, const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT) {
        if (!key_create(options, path, error))
            return -1;
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0)
        mk_fail_errno(error, errno, "open %s", path);
    return fd;
}

bool store_keys_load(const MkStoreOptions *options, MkKey **out_key, StoreKeys *out_keys,
                     int *out_lock_fd, GError **error)
{
    g_autofree char *path = g_build_filename(options->dir, "store.key", NULL);
    int fd = open_or_create(options, path, error);
    MkKey *key;

    if (fd < 0)
        return false;
    key = lock_file(fd, path, error) ? key_read(options, fd, path, out_keys->uuid, error) : NULL;
    if (key == NULL) {
        close(fd);
        return false;
    }
    out_keys->record = mk_key_derive(key, "record");
    out_keys->commit = mk_key_derive(key, "commit");
    out_keys->mail = mk_key_derive(key, "mail hash");
    out_keys->blob = mk_key_derive(key, "blob hash");
    out_keys->catalog = mk_key_derive(key, "catalog");
    *out_key = key;
    *out_lock_fd = fd;
    return true;
}

void store_keys_clear(StoreKeys *keys)
{
    mk_key_free(keys->record);
    mk_key_free(keys->commit);
    mk_key_free(keys->mail);
    mk_key_free(keys->blob);
    mk_key_free(keys->catalog);
    memset(keys, 0, sizeof *keys);
}
