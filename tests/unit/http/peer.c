/* peer.c - see peer.h */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mailkeep/base.h>

#include "peer.h"

#define PATIENCE_MS 20000

/* -- what the server answers ------------------------------------------------------------------ */
typedef struct {
    MkHttpBody body;
    Fixture *fixture;
    uint64_t left;
    uint64_t fail_at; /* octets left when it fails; 0 = never */
    uint64_t piece;
} CountedBody;

static GBytes *counted_next(MkHttpBody *body, GError **error)
{
    CountedBody *counted = (CountedBody *) body;

    if (counted->fail_at > 0 && counted->left <= counted->fail_at) {
        mk_fail(error, MK_ERROR_IO, "The disk is gone.");
        return NULL;
    }
    uint64_t size = MIN(counted->left, counted->piece);
    if (size == 0)
        return NULL;
    counted->left -= size;
    return g_bytes_new_take(g_strnfill(size, 's'), size);
}

static void counted_free(MkHttpBody *body)
{
    ((CountedBody *) body)->fixture->bodies_open--;
    g_free(body);
}

static uint64_t number(MkHttpRequest *request, const char *name, uint64_t otherwise)
{
    const char *text = mk_http_query(request, name);

    return text != NULL ? g_ascii_strtoull(text, NULL, 10) : otherwise;
}

static void respond_stream(Fixture *fixture, MkHttpRequest *request)
{
    CountedBody *body = g_new0(CountedBody, 1);
    MkHttpResponse *response = mk_http_response_new(200);
    uint64_t length = number(request, "n", 0);

    body->body.next = counted_next;
    body->body.free = counted_free;
    body->fixture = fixture;
    body->left = number(request, "gives", length);
    body->fail_at = number(request, "fail_at", 0);
    body->piece = number(request, "piece", 100000);
    fixture->bodies_open++;
    mk_http_response_stream(response, "application/octet-stream", length, &body->body);
    mk_http_respond(request, response);
}

static void respond_text(MkHttpRequest *request, unsigned status, char *text, size_t length)
{
    MkHttpResponse *response = mk_http_response_new(status);
    g_autoptr(GBytes) body = g_bytes_new_take(text, length);

    mk_http_response_body(response, "text/plain", body);
    mk_http_respond(request, response);
}

static void on_gone(void *cookie)
{
    ((Fixture *) cookie)->gone++;
}

static void handle(MkHttpRequest *request, void *cookie)
{
    Fixture *fixture = cookie;
    const char *path = mk_http_path(request);

    fixture->handled++;
    mk_http_add_header(request, "X-Test", "yes");
    if (strcmp(path, "/stream") == 0) {
        respond_stream(fixture, request);
    } else if (strcmp(path, "/big") == 0) {
        size_t length = number(request, "n", 0);
        respond_text(request, 200, g_strnfill(length, 'b'), length);
    } else if (strcmp(path, "/later") == 0) {
        g_assert_null(fixture->kept);
        fixture->kept = request;
        mk_http_set_on_gone(request, on_gone, fixture);
    } else if (strcmp(path, "/none") == 0) {
        mk_http_respond(request, mk_http_response_new(204));
    } else {
        gsize length = 0;
        const char *body = g_bytes_get_data(mk_http_body(request), &length);
        GString *text = g_string_new(NULL);
        g_string_append_printf(text, "%s %s ", mk_http_method(request), path);
        g_string_append_len(text, body, (gssize) length);
        size_t text_length = text->len;
        respond_text(request, 200, g_string_free(text, FALSE), text_length);
    }
}

/* -- the fixture -------------------------------------------------------------------------------- */
void fixture_set_up(Fixture *fixture, const void *unused)
{
    g_autoptr(GError) error = NULL;

    (void) unused;
    fixture->counter.max = 1000;
    fixture->loop = mk_loop_new(1, 1, &error);
    g_assert_no_error(error);
    fixture->server = mk_http_server_new(fixture->loop, handle, fixture);
    fixture->listener = mk_listener_new(fixture->loop, "127.0.0.1", 0, NULL, &fixture->counter,
                                        mk_http_server_accept, fixture->server, &error);
    g_assert_no_error(error);
}

void fixture_tear_down(Fixture *fixture, const void *unused)
{
    (void) unused;
    mk_listener_free(fixture->listener);
    mk_http_server_free(fixture->server);
    if (fixture->kept != NULL)
        mk_http_respond(fixture->kept, mk_http_response_new(204));
    mk_loop_free(fixture->loop);
    g_assert_cmpint(fixture->bodies_open, ==, 0);
}

void turn_for_ms(Fixture *fixture, unsigned ms)
{
    int64_t end = mk_clock_monotonic_ms() + ms;

    while (mk_clock_monotonic_ms() < end) {
        mk_loop_turn(fixture->loop);
        g_usleep(200);
    }
}

/* -- the client ----------------------------------------------------------------------------------- */
int client_connect(Fixture *fixture)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(mk_listener_port(fixture->listener)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(connect(fd, (struct sockaddr *) &address, sizeof address), ==, 0);
    return fd;
}

void client_send(Fixture *fixture, int fd, const char *data, size_t length)
{
    int64_t end = mk_clock_monotonic_ms() + PATIENCE_MS;

    while (length > 0) {
        ssize_t sent = send(fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            data += sent;
            length -= (size_t) sent;
        } else if (errno != EAGAIN) {
            return; /* closed: what came back says why */
        }
        mk_loop_turn(fixture->loop);
        g_assert_cmpint(mk_clock_monotonic_ms(), <, end);
    }
}

void client_send_text(Fixture *fixture, int fd, const char *text)
{
    client_send(fixture, fd, text, strlen(text));
}

/* False when the peer has closed. */
static bool receive_some(Fixture *fixture, int fd, GString *buffer)
{
    char data[65536];
    ssize_t got = recv(fd, data, sizeof data, MSG_DONTWAIT);

    if (got > 0)
        g_string_append_len(buffer, data, got);
    else if (got == 0 || errno != EAGAIN)
        return false;
    mk_loop_turn(fixture->loop);
    if (got < 0)
        g_usleep(200);
    return true;
}

Answer client_read(Fixture *fixture, int fd, GString *buffer, bool is_head)
{
    int64_t end = mk_clock_monotonic_ms() + PATIENCE_MS;
    Answer answer = { 0 };
    const char *empty_line;

    while ((empty_line = strstr(buffer->str, "\r\n\r\n")) == NULL) {
        g_assert_true(receive_some(fixture, fd, buffer));
        g_assert_cmpint(mk_clock_monotonic_ms(), <, end);
    }
    answer.head = g_strndup(buffer->str, (gsize) (empty_line - buffer->str) + 4);
    g_string_erase(buffer, 0, (gssize) strlen(answer.head));
    g_assert_true(g_str_has_prefix(answer.head, "HTTP/1.1 "));
    answer.status = (unsigned) strtoul(answer.head + 9, NULL, 10);
    const char *field = strstr(answer.head, "\r\nContent-Length: ");
    gsize length = field != NULL && !is_head ? strtoull(field + 18, NULL, 10) : 0;
    while (buffer->len < length && receive_some(fixture, fd, buffer))
        g_assert_cmpint(mk_clock_monotonic_ms(), <, end);
    length = MIN(length, buffer->len);
    answer.body = g_string_new_len(buffer->str, (gssize) length);
    g_string_erase(buffer, 0, (gssize) length);
    return answer;
}

void answer_clear(Answer *answer)
{
    g_free(answer->head);
    if (answer->body != NULL)
        g_string_free(answer->body, TRUE);
}

bool client_sees_end(Fixture *fixture, int fd, GString *buffer)
{
    int64_t end = mk_clock_monotonic_ms() + PATIENCE_MS;

    while (receive_some(fixture, fd, buffer))
        if (mk_clock_monotonic_ms() > end)
            return false;
    return true;
}
