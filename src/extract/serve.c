/*
 * serve.c - requests in, a process for each document, its text and its end out
 *
 *   recvmsg --READ--> fork worker; relay its pipe until it ends or its time is over --> RESULT
 *
 * This process reads nothing of a document: it passes on what the worker writes, counted. So what
 * takes over a worker has that one document, and is gone with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>

#include "internal.h"

typedef struct {
    int socket;
    unsigned documents;
    bool leaving; /* after the next result */
} Server;

typedef struct {
    pid_t pid;
    int pipe;
    int64_t deadline_ms;
    size_t text_left;
} Worker;

/* -- messages ----------------------------------------------------------------------------------- */

static bool send_reply(const Server *s, const MkReply *reply)
{
    g_autoptr(GByteArray) message = g_byte_array_new();
    struct iovec octets;
    const struct msghdr head = { .msg_iov = &octets, .msg_iovlen = 1 };
    ssize_t sent;

    mk_reply_format(reply, message);
    octets = (struct iovec){ message->data, message->len };
    do
        sent = sendmsg(s->socket, &head, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t) message->len;
}

static int attached_descriptor(struct msghdr *head)
{
    int descriptor = -1;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(head); c; c = CMSG_NXTHDR(head, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
            c->cmsg_len == CMSG_LEN(sizeof(int)))
            memcpy(&descriptor, CMSG_DATA(c), sizeof(int));
    return descriptor;
}

/* False at the end, and for what is no request. */
static bool receive_request(const Server *s, MkRequest *request, int *out_descriptor)
{
    uint8_t buffer[MK_WIRE_REQUEST_BYTES];
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct iovec octets = { buffer, sizeof buffer };
    struct msghdr head = {
        .msg_iov = &octets,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof control,
    };
    ssize_t length;

    do
        length = recvmsg(s->socket, &head, MSG_CMSG_CLOEXEC);
    while (length < 0 && errno == EINTR);
    if (length <= 0)
        return false;
    *out_descriptor = attached_descriptor(&head);
    return mk_request_parse(buffer, (size_t) length, request);
}

/* -- one document -------------------------------------------------------------------------------- */

static bool is_document(const MkRequest *request, int descriptor)
{
    struct stat status;

    return descriptor >= 0 && fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
           status.st_size == (off_t) request->length;
}

static bool start_worker(const Server *s, Worker *worker, const MkRequest *request, int descriptor)
{
    int pair[2];

    if (pipe2(pair, O_CLOEXEC) < 0)
        return false;
    worker->pid = fork();
    if (worker->pid == 0) {
        close(s->socket);
        close(pair[0]);
        worker_run(request, descriptor, pair[1]);
    }
    close(pair[1]);
    worker->pipe = pair[0];
    worker->deadline_ms = mk_clock_monotonic_ms() + (int64_t) request->seconds * 1000;
    worker->text_left = request->text_bytes;
    if (worker->pid > 0)
        return true;
    close(pair[0]);
    return false;
}

typedef enum {
    RELAY_MORE,
    RELAY_END,
    RELAY_TIME,
    RELAY_TEXT, /* more than was asked for */
    RELAY_GONE, /* the client */
} Relay;

static Relay relay_some(const Server *s, Worker *worker)
{
    static uint8_t block[MK_WIRE_TEXT_BYTES];
    struct pollfd ready = { worker->pipe, POLLIN, 0 };
    int64_t left = worker->deadline_ms - mk_clock_monotonic_ms();
    MkReply reply = { .type = MK_REPLY_TEXT, .text = block };
    ssize_t n;

    if (left <= 0)
        return RELAY_TIME;
    if (poll(&ready, 1, (int) MIN(left, 60000)) <= 0)
        return RELAY_MORE;
    n = read(worker->pipe, block, sizeof block);
    if (n < 0)
        return errno == EINTR ? RELAY_MORE : RELAY_END;
    if (n == 0)
        return RELAY_END;
    reply.text_length = MIN((size_t) n, worker->text_left);
    worker->text_left -= reply.text_length;
    if (reply.text_length > 0 && !send_reply(s, &reply))
        return RELAY_GONE;
    return reply.text_length < (size_t) n ? RELAY_TEXT : RELAY_MORE;
}

/* A worker that closed its pipe ends at once; one that does not is up to no good. */
static bool wait_worker(const Worker *worker, int *out_status)
{
    const struct timespec pause = { 0, 1000000 };

    for (;;) {
        pid_t pid = waitpid(worker->pid, out_status, WNOHANG);

        if (pid == worker->pid)
            return true;
        if (mk_clock_monotonic_ms() >= worker->deadline_ms)
            return false;
        nanosleep(&pause, NULL);
    }
}

static void kill_worker(const Worker *worker)
{
    kill(worker->pid, SIGKILL);
    while (waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

static Verdict end_worker(Worker *worker, Relay relay)
{
    int status;

    close(worker->pipe);
    if (relay == RELAY_END && wait_worker(worker, &status))
        return worker_verdict(status);
    kill_worker(worker);
    if (relay == RELAY_TEXT)
        return (Verdict){ MK_TEXT_TRUNCATED, MK_WHY_TEXT };
    return (Verdict){ MK_TEXT_FAILED, MK_WHY_TIME };
}

/* Programs of the worker die with it; whatever still lives after that ends with the helper. */
static bool is_alone(void)
{
    pid_t pid;

    do
        pid = waitpid(-1, NULL, WNOHANG);
    while (pid > 0);
    return pid < 0;
}

static bool read_document(Server *s, const MkRequest *request, int descriptor)
{
    MkReply reply = { .type = MK_REPLY_RESULT, .result = MK_TEXT_FAILED, .why = MK_WHY_MEMORY };
    Relay relay = RELAY_MORE;
    Worker worker;
    Verdict verdict;

    if (!is_document(request, descriptor))
        return false;
    if (start_worker(s, &worker, request, descriptor)) {
        while (relay == RELAY_MORE)
            relay = relay_some(s, &worker);
        verdict = end_worker(&worker, relay);
        reply.result = verdict.result;
        reply.why = verdict.why;
    }
    s->leaving = ++s->documents >= MK_LIMIT_EXTRACT_DOCUMENTS || !is_alone();
    reply.leaving = s->leaving;
    return relay != RELAY_GONE && send_reply(s, &reply);
}

/* -- serving ------------------------------------------------------------------------------------------ */

static uint64_t bit(MkDocumentKind kind)
{
    return (uint64_t) 1 << kind;
}

static bool send_available(const Server *s)
{
    MkReply reply = { .type = MK_REPLY_AVAILABLE };

    for (int kind = MK_DOCUMENT_UNKNOWN + 1; kind < MK_DOCUMENT_COUNT; kind++)
        reply.kinds |= bit((MkDocumentKind) kind);
    if (!program_is_there(PROGRAM_PDF))
        reply.kinds &= ~bit(MK_DOCUMENT_PDF);
    if (!program_is_there(PROGRAM_DOC))
        reply.kinds &= ~(bit(MK_DOCUMENT_DOC) | bit(MK_DOCUMENT_RTF));
    if (!program_is_there(PROGRAM_XLS))
        reply.kinds &= ~bit(MK_DOCUMENT_XLS);
    if (!program_is_there(PROGRAM_OCR))
        reply.kinds &= ~bit(MK_DOCUMENT_IMAGE);
    return send_reply(s, &reply);
}

static bool serve_one(Server *s)
{
    g_auto(MkRequest) request = { .file_name = NULL };
    int descriptor = -1;
    bool served = false;

    if (receive_request(s, &request, &descriptor))
        served = request.type == MK_REQUEST_AVAILABLE ? send_available(s)
                                                      : read_document(s, &request, descriptor);
    if (descriptor >= 0)
        close(descriptor);
    return served;
}

int serve(int socket)
{
    Server s = { .socket = socket };

    while (!s.leaving && serve_one(&s))
        continue;
    return 0;
}
