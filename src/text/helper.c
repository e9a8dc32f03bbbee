/*
 * helper.c - one process of mailkeep-extract: started, spoken to, ended
 *
 * posix_spawn() runs none of our code between fork and exec: other threads may hold any lock.
 * The helper gets one descriptor and an environment of one word; everything else is closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mailkeep/base.h>
#include <mailkeep/text_wire.h>

#include "internal.h"

/* -- starting and ending ---------------------------------------------------------------------- */

/* Its own group, so that all it starts ends with it; no signal as the daemon has it. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t all, none;
    int rc;

    sigfillset(&all);
    sigemptyset(&none);
    rc = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
                                                  POSIX_SPAWN_SETSIGMASK);
    rc = rc ? rc : posix_spawnattr_setpgroup(attributes, 0);
    rc = rc ? rc : posix_spawnattr_setsigdefault(attributes, &all);
    return rc ? rc : posix_spawnattr_setsigmask(attributes, &none);
}

static int set_descriptors(posix_spawn_file_actions_t *actions, int socket)
{
    int rc = posix_spawn_file_actions_adddup2(actions, socket, MK_WIRE_SOCKET);

    for (int fd = 0; fd < MK_WIRE_SOCKET && rc == 0; fd++)
        rc = posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_RDWR, 0);
    return rc ? rc : posix_spawn_file_actions_addclosefrom_np(actions, MK_WIRE_SOCKET + 1);
}

static int spawn(pid_t *pid, const char *program, uint32_t memory_mib, int socket)
{
    char memory[16], variable[] = MK_WIRE_ENVIRONMENT;
    char *arguments[] = { (char *) "mailkeep-extract", memory, NULL };
    char *environment[] = { variable, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int rc;

    snprintf(memory, sizeof memory, "%u", memory_mib);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    rc = set_attributes(&attributes);
    rc = rc ? rc : set_descriptors(&actions, socket);
    rc = rc ? rc : posix_spawn(pid, program, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

/* Above the numbers that the helper's descriptors get: one step of set_descriptors() must not
 * close what another needs. */
static int move_up(int fd)
{
    int up = fcntl(fd, F_DUPFD_CLOEXEC, MK_WIRE_SOCKET + 1);

    close(fd);
    return up;
}

bool mk_helper_start(MkHelper *helper, const char *program, uint32_t memory_mib, GError **error)
{
    int pair[2], rc;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return mk_fail_errno(error, errno, "make a socket for the text extractor");
    pair[1] = move_up(pair[1]);
    rc = pair[1] < 0 ? errno : spawn(&helper->pid, program, memory_mib, pair[1]);
    if (pair[1] >= 0)
        close(pair[1]);
    if (rc != 0) {
        close(pair[0]);
        helper->pid = 0;
        return mk_fail_errno(error, rc, "start the text extractor %s", program);
    }
    helper->socket = pair[0];
    return true;
}

void mk_helper_stop(MkHelper *helper)
{
    if (helper->socket >= 0)
        close(helper->socket);
    helper->socket = -1;
    if (helper->pid <= 0)
        return;
    /* Not reaped yet, so the number is still its own: group first, then the process. */
    kill(-helper->pid, SIGKILL);
    kill(helper->pid, SIGKILL);
    while (waitpid(helper->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    helper->pid = 0;
}

/* -- talking ------------------------------------------------------------------------------------ */

static void attach(struct msghdr *message, char *control, size_t size, int descriptor)
{
    struct cmsghdr *head;

    memset(control, 0, size);
    message->msg_control = control;
    message->msg_controllen = CMSG_SPACE(sizeof(int));
    head = CMSG_FIRSTHDR(message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &descriptor, sizeof(int));
}

bool mk_helper_send(MkHelper *helper, const GByteArray *message, int descriptor)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct iovec octets = { message->data, message->len };
    struct msghdr head = { .msg_iov = &octets, .msg_iovlen = 1 };
    ssize_t sent;

    if (descriptor >= 0)
        attach(&head, control, sizeof control, descriptor);
    /* The helper reads one request at a time: the socket's buffer has room, or it is broken. */
    do
        sent = sendmsg(helper->socket, &head, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t) message->len;
}

ssize_t mk_helper_receive(MkHelper *helper, uint8_t *buffer, size_t size, int64_t deadline_ms)
{
    for (;;) {
        struct pollfd ready = { helper->socket, POLLIN, 0 };
        int64_t left = deadline_ms - mk_clock_monotonic_ms();
        int count = left <= 0 ? 0 : poll(&ready, 1, (int) MIN(left, 60000));
        ssize_t length;

        if (count == 0 && mk_clock_monotonic_ms() >= deadline_ms)
            return -1;
        if (count <= 0)
            continue;
        /* Without room for control data: a descriptor that comes along is closed by the kernel. */
        length = recv(helper->socket, buffer, size, MSG_DONTWAIT);
        if (length >= 0)
            return length;
        if (errno != EINTR && errno != EAGAIN)
            return 0;
    }
}

/* -- documents --------------------------------------------------------------------------------- */

/* Memory, not a file: nothing of a document lies on a disk. Sealed: the helper cannot change what
 * is read, nor take it away while it is read. */
int mk_document_descriptor(const uint8_t *data, size_t length)
{
    int fd = memfd_create("document", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -1;
    if (!mk_write_all(fd, data, length) ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}
