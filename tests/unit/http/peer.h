/*
 * peer.h - a server on loopback, the loop turned by hand, and a plain socket as its client
 */
#ifndef TEST_HTTP_PEER_H
#define TEST_HTTP_PEER_H

#include "http/internal.h"

typedef struct {
    MkLoop *loop;
    MkHttpServer *server;
    MkListener *listener;
    MkConnectionCounter counter;
    MkHttpRequest *kept; /* of path /later: the test answers it */
    int gone;            /* on_gone calls */
    int bodies_open;     /* MkHttpBody made and not freed */
    int handled;
} Fixture;

typedef struct {
    unsigned status;
    char *head; /* with status line and empty line */
    GString *body;
} Answer;

void fixture_set_up(Fixture *fixture, const void *unused);
void fixture_tear_down(Fixture *fixture, const void *unused);

int client_connect(Fixture *fixture);
void client_send(Fixture *fixture, int fd, const char *data, size_t length);
void client_send_text(Fixture *fixture, int fd, const char *text);
/* The next answer: its octets are taken from @buffer, which keeps what came behind. */
Answer client_read(Fixture *fixture, int fd, GString *buffer, bool is_head);
void answer_clear(Answer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answer, answer_clear)
/* The peer closes (within some seconds); what came until then is added to @buffer. */
bool client_sees_end(Fixture *fixture, int fd, GString *buffer);
void turn_for_ms(Fixture *fixture, unsigned ms);

#endif
