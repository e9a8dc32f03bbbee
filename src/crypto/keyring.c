/*
 * keyring.c - machine.key and master.key
 *
 * machine.key: 32 random octets as hex and a line end. master.key: magic, the recovery key's
 * identifier, then the master key wrapped by the machine key and wrapped by the recovery key.
 * machine.key is written first: without its master.key it is worth nothing and may be replaced.
 */
#include <mailkeep/crypto.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include <mailkeep/base.h>

#include "internal.h"

#define MASTER_MAGIC "MKKEYS1\n"
#define MAGIC_BYTES 8
#define FILE_MAX_BYTES 4096
#define LABEL_MACHINE "master by machine"
#define LABEL_RECOVERY "master by recovery"

struct MkKeyring {
    MkKey *master;
    char recovery_id[RECOVERY_ID_CHARS + 1];
    GBytes *by_recovery; /* kept as it is when the machine's half is written anew */
};

/* -- files ------------------------------------------------------------------------------ */

static bool sync_dir(const char *dir, GError **error)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    int saved = errno;

    if (fd >= 0)
        close(fd);
    return good || mk_fail_errno(error, saved, "flush the directory %s", dir);
}

/* Whole or not at all: written beside, flushed, renamed. */
static bool replace_file(const char *dir, const char *name, const uint8_t *data, size_t length,
                         GError **error)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    g_autofree char *temp = g_strconcat(path, ".new", NULL);
    int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && mk_write_all(fd, data, length) && fsync(fd) == 0;
    int saved = errno;

    if (fd >= 0)
        close(fd);
    if (good && rename(temp, path) != 0) {
        saved = errno;
        good = false;
    }
    if (!good)
        return mk_fail_errno(error, saved, "write the key file %s", path);
    return sync_dir(dir, error);
}

/* An absent or unreadable key file is a matter of keys for the one who asks. */
static GByteArray *read_file(const char *dir, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    g_autoptr(GByteArray) data = g_byte_array_new();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;
    int saved;

    if (fd < 0) {
        saved = errno;
        mk_fail(error, MK_ERROR_KEY, "the key file %s cannot be opened: %s", path,
                g_strerror(saved));
        return NULL;
    }
    g_byte_array_set_size(data, FILE_MAX_BYTES);
    n = read(fd, data->data, FILE_MAX_BYTES);
    saved = errno;
    close(fd);
    if (n < 0) {
        mk_fail_errno(error, saved, "read the key file %s", path);
        return NULL;
    }
    g_byte_array_set_size(data, (guint) n);
    return g_steal_pointer(&data);
}

/* -- machine.key ------------------------------------------------------------------------- */

static MkKey *machine_create(const char *dir, GError **error)
{
    uint8_t octets[MK_KEY_BYTES];
    char text[2 * MK_KEY_BYTES + 1];
    MkKey *key = NULL;

    randombytes_buf(octets, sizeof octets);
    sodium_bin2hex(text, sizeof text, octets, sizeof octets);
    text[2 * MK_KEY_BYTES] = '\n';
    if (replace_file(dir, "machine.key", (const uint8_t *) text, sizeof text, error))
        key = mk_key_new_from(octets);
    sodium_memzero(octets, sizeof octets);
    sodium_memzero(text, sizeof text);
    return key;
}

static MkKey *machine_read(const char *dir, GError **error)
{
    g_autoptr(GByteArray) text = read_file(dir, "machine.key", error);
    uint8_t octets[MK_KEY_BYTES];
    size_t length;
    MkKey *key = NULL;

    if (text == NULL)
        return NULL;
    if (sodium_hex2bin(octets, sizeof octets, (const char *) text->data, text->len, "\r\n ",
                       &length, NULL) == 0 &&
        length == sizeof octets)
        key = mk_key_new_from(octets);
    else
        mk_fail(error, MK_ERROR_KEY, "machine.key in %s does not hold 64 hex digits", dir);
    sodium_memzero(octets, sizeof octets);
    sodium_memzero(text->data, text->len);
    return key;
}

/* -- master.key -------------------------------------------------------------------------- */

static bool master_write(const MkKeyring *keyring, const char *dir, const MkKey *machine,
                         GError **error)
{
    g_autoptr(GBytes) by_machine = mk_key_wrap(machine, keyring->master, LABEL_MACHINE);
    g_autoptr(GByteArray) file = g_byte_array_new();
    gsize length;
    const void *data;

    g_byte_array_append(file, (const guint8 *) MASTER_MAGIC, MAGIC_BYTES);
    g_byte_array_append(file, (const guint8 *) keyring->recovery_id, RECOVERY_ID_CHARS);
    data = g_bytes_get_data(by_machine, &length);
    mk_put_block(file, data, length);
    data = g_bytes_get_data(keyring->by_recovery, &length);
    mk_put_block(file, data, length);
    return replace_file(dir, "master.key", file->data, file->len, error);
}

static MkKeyring *master_read(const char *dir, GBytes **out_by_machine, GError **error)
{
    g_autoptr(GByteArray) file = read_file(dir, "master.key", error);
    g_autoptr(MkKeyring) keyring = g_new0(MkKeyring, 1);
    MkReader r;
    const uint8_t *magic, *id, *machine, *recovery;
    size_t machine_length, recovery_length;

    if (file == NULL)
        return NULL;
    r = mk_reader(file->data, file->len);
    magic = mk_read_bytes(&r, MAGIC_BYTES);
    id = mk_read_bytes(&r, RECOVERY_ID_CHARS);
    machine = mk_read_block(&r, &machine_length);
    recovery = mk_read_block(&r, &recovery_length);
    if (r.failed || r.length > 0 || memcmp(magic, MASTER_MAGIC, MAGIC_BYTES) != 0) {
        mk_fail(error, MK_ERROR_CORRUPT, "master.key in %s is damaged: restore it from a backup",
                dir);
        return NULL;
    }
    memcpy(keyring->recovery_id, id, RECOVERY_ID_CHARS);
    keyring->by_recovery = g_bytes_new(recovery, recovery_length);
    *out_by_machine = g_bytes_new(machine, machine_length);
    return g_steal_pointer(&keyring);
}

/* -- the keyring ------------------------------------------------------------------------- */

static bool keys_dir_make(const char *dir, GError **error)
{
    g_autofree char *master = g_build_filename(dir, "master.key", NULL);

    if (g_mkdir_with_parents(dir, 0700) != 0)
        return mk_fail_errno(error, errno, "make the directory %s", dir);
    if (access(master, F_OK) == 0)
        return mk_fail(error, MK_ERROR_EXISTS, "%s exists: this installation has its keys already",
                       master);
    return true;
}

MkKeyring *mk_keyring_create(const char *keys_dir, char **out_recovery, GError **error)
{
    g_autoptr(MkKeyring) keyring = g_new0(MkKeyring, 1);
    g_autoptr(MkKey) machine = NULL;
    uint8_t secret[RECOVERY_SECRET_BYTES];
    RecoveryKey recovery;
    bool good;

    if (!keys_dir_make(keys_dir, error))
        return NULL;
    machine = machine_create(keys_dir, error);
    if (machine == NULL)
        return NULL;
    keyring->master = mk_key_new_random();
    randombytes_buf(secret, sizeof secret);
    recovery_init(&recovery, secret);
    memcpy(keyring->recovery_id, recovery.id, sizeof recovery.id);
    keyring->by_recovery = mk_key_wrap(recovery.key, keyring->master, LABEL_RECOVERY);
    recovery_clear(&recovery);
    good = master_write(keyring, keys_dir, machine, error);
    if (good)
        *out_recovery = recovery_format(secret);
    sodium_memzero(secret, sizeof secret);
    return good ? g_steal_pointer(&keyring) : NULL;
}

MkKeyring *mk_keyring_open(const char *keys_dir, GError **error)
{
    g_autoptr(GBytes) by_machine = NULL;
    g_autoptr(MkKeyring) keyring = master_read(keys_dir, &by_machine, error);
    g_autoptr(MkKey) machine = NULL;

    if (keyring == NULL)
        return NULL;
    machine = machine_read(keys_dir, error);
    if (machine != NULL)
        keyring->master = mk_key_unwrap(machine, by_machine, LABEL_MACHINE, error);
    if (keyring->master == NULL) {
        g_prefix_error(error,
                       "machine.key is missing or not the right one; `mailkeep recover` makes a "
                       "new one from the recovery key %s: ",
                       keyring->recovery_id);
        return NULL;
    }
    return g_steal_pointer(&keyring);
}

MkKeyring *mk_keyring_open_by_recovery(const char *keys_dir, const char *recovery_text,
                                       GError **error)
{
    g_autoptr(GBytes) by_machine = NULL;
    g_autoptr(MkKeyring) keyring = NULL;
    uint8_t secret[RECOVERY_SECRET_BYTES];
    RecoveryKey recovery;

    if (!recovery_parse(recovery_text, secret, error))
        return NULL;
    recovery_init(&recovery, secret);
    sodium_memzero(secret, sizeof secret);
    keyring = master_read(keys_dir, &by_machine, error);
    if (keyring != NULL && strcmp(recovery.id, keyring->recovery_id) != 0) {
        mk_fail(error, MK_ERROR_KEY, "this is the recovery key %s, but %s is needed", recovery.id,
                keyring->recovery_id);
        g_clear_pointer(&keyring, mk_keyring_free);
    }
    if (keyring != NULL)
        keyring->master = mk_key_unwrap(recovery.key, keyring->by_recovery, LABEL_RECOVERY, error);
    recovery_clear(&recovery);
    return keyring == NULL || keyring->master == NULL ? NULL : g_steal_pointer(&keyring);
}

MkKeyring *mk_keyring_recover(const char *keys_dir, const char *recovery_text, GError **error)
{
    g_autoptr(MkKeyring) keyring = mk_keyring_open_by_recovery(keys_dir, recovery_text, error);
    g_autoptr(MkKey) machine = keyring == NULL ? NULL : machine_create(keys_dir, error);

    if (machine == NULL || !master_write(keyring, keys_dir, machine, error))
        return NULL;
    return g_steal_pointer(&keyring);
}

const MkKey *mk_keyring_master(const MkKeyring *keyring)
{
    return keyring->master;
}

const char *mk_keyring_recovery_id(const MkKeyring *keyring)
{
    return keyring->recovery_id;
}

void mk_keyring_free(MkKeyring *keyring)
{
    if (keyring == NULL)
        return;
    mk_key_free(keyring->master);
    g_clear_pointer(&keyring->by_recovery, g_bytes_unref);
    g_free(keyring);
}
