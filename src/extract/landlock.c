/*
 * landlock.c - which files are left: the system's programs and libraries, for reading
 *
 * By system call numbers of our own, as the C library has none and Debian 12's header is older
 * than the kernels it runs on. A kernel without it leaves the work to filter.c, which lets nothing
 * be opened for writing.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

#define SYS_CREATE 444
#define SYS_ADD 445
#define SYS_RESTRICT 446
#define CREATE_VERSION 1u
#define RULE_PATH_BENEATH 1

#define FS_EXECUTE (1ull << 0)
#define FS_WRITE_FILE (1ull << 1)
#define FS_READ_FILE (1ull << 2)
#define FS_READ_DIR (1ull << 3)

/* All that each version of the interface knows, so that what is not allowed is refused. */
static const uint64_t fs_of_version[] = { 0, 0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff };
#define NET_ALL 3ull   /* bind, connect: version 4 */
#define SCOPE_ALL 3ull /* abstract sockets, signals: version 6 */

typedef struct {
    uint64_t fs;
    uint64_t net;
    uint64_t scoped;
} RulesetAttributes;

typedef struct {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed)) PathAttributes;

#define LIBRARIES (FS_EXECUTE | FS_READ_FILE | FS_READ_DIR)

/* What the programs need to start, and their tables of characters, fonts and languages. */
static const struct {
    const char *path;
    uint64_t allowed;
} paths[] = {
    { "/usr", LIBRARIES },
    { "/lib", LIBRARIES },
    { "/lib64", LIBRARIES },
    { "/bin", LIBRARIES },
    { "/etc/ld.so.cache", FS_READ_FILE },
    { "/etc/fonts", FS_READ_FILE | FS_READ_DIR },
    { "/etc/catdocrc", FS_READ_FILE },
    { "/dev/null", FS_READ_FILE | FS_WRITE_FILE },
};

/* A path that is not there needs no rule. */
static bool allow(int ruleset, const char *path, uint64_t allowed)
{
    PathAttributes rule = { allowed, open(path, O_PATH | O_CLOEXEC) };
    bool added;

    if (rule.parent < 0)
        return true;
    added = syscall(SYS_ADD, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0;
    close(rule.parent);
    return added;
}

bool landlock_enter(void)
{
    long version = syscall(SYS_CREATE, NULL, 0, CREATE_VERSION);
    RulesetAttributes attributes = { 0, 0, 0 };
    bool entered = true;
    int ruleset;

    if (version < 1)
        return true;
    attributes.fs = fs_of_version[MIN((size_t) version, G_N_ELEMENTS(fs_of_version) - 1)];
    attributes.net = version >= 4 ? NET_ALL : 0;
    attributes.scoped = version >= 6 ? SCOPE_ALL : 0;
    ruleset = (int) syscall(SYS_CREATE, &attributes, sizeof attributes, 0);
    if (ruleset < 0)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(paths) && entered; i++)
        entered = allow(ruleset, paths[i].path, paths[i].allowed);
    entered = entered && syscall(SYS_RESTRICT, ruleset, 0) == 0;
    close(ruleset);
    return entered;
}
