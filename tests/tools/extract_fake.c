/*
 * extract_fake.c - a helper that does what the document's first word says, for the client's tests
 *
 *   ok | crash | cut | hang | garbage | long | flood | empty | letters | leave | children | descriptor
 */
#include <mailkeep/text_wire.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static void send_octets(const void *octets, size_t length)
{
    if (send(MK_WIRE_SOCKET, octets, length, MSG_NOSIGNAL) < 0)
        _exit(1);
}

static void send_reply(MkReply reply)
{
    g_autoptr(GByteArray) message = g_byte_array_new();

    mk_reply_format(&reply, message);
    send_octets(message->data, message->len);
}

static void send_text(const char *text, size_t length)
{
    send_reply(
        (MkReply){ .type = MK_REPLY_TEXT, .text = (const uint8_t *) text, .text_length = length });
}

static void send_result(bool leaving)
{
    send_reply(
        (MkReply){ .type = MK_REPLY_RESULT, .result = MK_TEXT_COMPLETE, .leaving = leaving });
}

static void hang(void)
{
    signal(SIGTERM, SIG_IGN);
    for (;;)
        pause();
}

/* Says its own and its child's number, then hangs: the test looks whether both are gone. */
static void hang_with_child(void)
{
    char text[64];
    pid_t child = fork();

    if (child == 0)
        hang();
    snprintf(text, sizeof text, "%d %d", (int) getpid(), (int) child);
    send_text(text, strlen(text));
    hang();
}

static void flood(void)
{
    static char block[MK_WIRE_TEXT_BYTES];

    memset(block, 'x', sizeof block);
    for (;;)
        send_text(block, sizeof block);
}

static void send_descriptor(void)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
    uint8_t octets[] = { 'R', MK_TEXT_COMPLETE, 0, 0 };
    struct iovec iov = { octets, sizeof octets };
    struct msghdr head = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
    };
    struct cmsghdr *c = CMSG_FIRSTHDR(&head);
    int fd = 0;

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    if (sendmsg(MK_WIRE_SOCKET, &head, MSG_NOSIGNAL) < 0)
        _exit(1);
}

static void answer(const char *word)
{
    static char large[MK_WIRE_TEXT_BYTES + 1];

    if (strcmp(word, "crash") == 0)
        raise(SIGSEGV);
    send_text("some ", 5);
    if (strcmp(word, "cut") == 0)
        _exit(0);
    if (strcmp(word, "hang") == 0)
        hang();
    if (strcmp(word, "garbage") == 0)
        send_octets("\xff\xff\xff\xff", 4);
    if (strcmp(word, "long") == 0)
        send_text(large, sizeof large);
    if (strcmp(word, "flood") == 0)
        flood();
    if (strcmp(word, "empty") == 0)
        send_octets("T", 1);
    if (strcmp(word, "result") == 0)
        send_octets("R\x63\0\0", 4);
    if (strcmp(word, "letters") == 0)
        send_text("a\0b\xff\xc3", 5);
    if (strcmp(word, "children") == 0)
        hang_with_child();
    if (strcmp(word, "descriptor") == 0)
        send_descriptor();
    else
        send_result(strcmp(word, "leave") == 0);
}

static int take_document(struct msghdr *head)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(head);
    int fd = -1;

    if (c && c->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

/* A document must come sealed, whatever else. */
static void check_sealed(int fd)
{
    const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

    if (fd < 0 || (fcntl(fd, F_GET_SEALS) & seals) != seals)
        _exit(9);
}

int main(void)
{
    for (;;) {
        uint8_t buffer[MK_WIRE_REQUEST_BYTES];
        _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
        struct iovec iov = { buffer, sizeof buffer };
        struct msghdr head = { .msg_iov = &iov,
                               .msg_iovlen = 1,
                               .msg_control = control,
                               .msg_controllen = sizeof control };
        ssize_t length = recvmsg(MK_WIRE_SOCKET, &head, MSG_CMSG_CLOEXEC);
        g_auto(MkRequest) request = { .file_name = NULL };
        char word[16] = "";
        int fd = length > 0 ? take_document(&head) : -1;

        if (length <= 0 || !mk_request_parse(buffer, (size_t) length, &request))
            return 0;
        if (request.type == MK_REQUEST_AVAILABLE) {
            send_reply((MkReply){ .type = MK_REPLY_AVAILABLE, .kinds = 2 });
            continue;
        }
        check_sealed(fd);
        if (pread(fd, word, sizeof word - 1, 0) < 0)
            return 0;
        close(fd);
        answer(word);
    }
}
