/*
 * http.h - an HTTP/1.1 server on llhttp: the protocol only, routes are handed to it
 *
 * Purpose    Reads requests from a MkStream within limits, hands each to a handler, sends its
 *            answer; keep-alive and pipelining (one request at a time); HEAD; Expect: 100-continue.
 * Ownership  A request is owned by the server; the handler may keep it until it responds (exactly
 *            once). A client that goes away leaves the request valid; the answer is thrown away.
 * Threads    The loop only, but for MkHttpBody.next (interactive lane).
 * Errors     Malformed input: 400; too long: 414, 431, 413; too slow: 408; unknown version: 505;
 *            always `Connection: close`. Exactly one Host; no Transfer-Encoding on HTTP/1.0.
 * Source     RFC 9110, 9112; tech-notes 1.2
 */
#ifndef MAILKEEP_HTTP_H
#define MAILKEEP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include <mailkeep/error.h>
#include <mailkeep/loop.h>
#include <mailkeep/net.h>

typedef struct MkHttpServer MkHttpServer;
typedef struct MkHttpRequest MkHttpRequest;

/* Called when the request is whole (body included). */
typedef void (*MkHttpHandler)(MkHttpRequest *request, void *cookie);

MkHttpServer *mk_http_server_new(MkLoop *loop, MkHttpHandler handler, void *cookie);
/* Takes over an accepted stream (a MkAcceptFunc with the server as cookie). */
void mk_http_server_accept(MkStream *stream, void *server);
/* Ends: idle connections close now, others when their answer is sent or after @grace_ms. */
void mk_http_server_stop(MkHttpServer *server, uint64_t grace_ms);
void mk_http_server_free(MkHttpServer *server); /* aborts what is left */

/* -- the request -------------------------------------------------------------------------- */
const char *mk_http_method(const MkHttpRequest *request); /* "GET" */
/* Percent-decoded path without query, valid UTF-8, no NUL; "//" stays as it is. */
const char *mk_http_path(const MkHttpRequest *request);
/* Value of a header field, or NULL; several joined by ", " (Cookie: "; "). Any case. Octets above
 * 127 are as they came: not always UTF-8. */
const char *mk_http_header(const MkHttpRequest *request, const char *name);
GBytes *mk_http_body(const MkHttpRequest *request); /* borrowed */
/* A query argument (decoded), or NULL; the first of several. */
const char *mk_http_query(const MkHttpRequest *request, const char *name);
const char *mk_http_peer_address(const MkHttpRequest *request);
bool mk_http_is_secure(const MkHttpRequest *request);
/* application/x-www-form-urlencoded: name -> value, both UTF-8; repeated names: the last. NULL + error if ill-formed. */
GHashTable *mk_http_parse_form(const char *data, size_t length, GError **error);
/* Authorization: Basic. False when absent or ill-formed. The password is wiped by the caller. */
bool mk_http_basic(const MkHttpRequest *request, char **out_user, char **out_password);
/* The value of a cookie: new string, or NULL. */
char *mk_http_cookie(const MkHttpRequest *request, const char *name);
/* The client has gone: the work may be given up (the response must still be made). */
bool mk_http_is_gone(const MkHttpRequest *request);
/* Hear of it: @on_gone is called at most once, before the response. NULL = no longer. */
void mk_http_set_on_gone(MkHttpRequest *request, void (*on_gone)(void *cookie), void *cookie);

/* -- the answer --------------------------------------------------------------------------- */
typedef struct MkHttpResponse MkHttpResponse;
MkHttpResponse *mk_http_response_new(unsigned status);
/* Name and value must have no control characters (asserted). */
void mk_http_response_header(MkHttpResponse *response, const char *name, const char *value);
void mk_http_response_body(MkHttpResponse *response, const char *content_type, GBytes *body);

/* A field that the answer to @request gets, whoever makes it, unless it brings one of that name. */
void mk_http_add_header(MkHttpRequest *request, const char *name, const char *value);

/* A large body in pieces of at most 256 KiB, made on the interactive lane. */
typedef struct MkHttpBody {
    /* The next piece (new reference); NULL without error = end; with error = cut the connection. */
    GBytes *(*next)(struct MkHttpBody *body, GError **error);
    void (*free)(struct MkHttpBody *body); /* on the loop */
} MkHttpBody;
void mk_http_response_stream(MkHttpResponse *response, const char *content_type, uint64_t length,
                             MkHttpBody *body);
/* Sends and takes @response. Once a request. Content-Length, Date and Connection are added. */
void mk_http_respond(MkHttpRequest *request, MkHttpResponse *response);

/* -- a client: one request on a connection of its own ------------------------------------------- */
typedef struct {
    const char *host; /* connected to, and the Host field */
    uint16_t port;
    MkTls *tls; /* NULL = clear */
    const char
        *fingerprint; /* not NULL: the peer's key must have it, else nothing is sent (SH-05) */
    const char *method;
    const char *target;         /* path and query, encoded */
    const char *const *headers; /* name, value, ..., NULL; may be NULL */
    const void *body;           /* copied; may be NULL */
    size_t body_length;
    uint64_t timeout_ms;     /* for all of it */
    size_t answer_max_bytes; /* a longer answer is MK_ERROR_LIMIT */
} MkHttpCall;
typedef struct {
    unsigned status;
    char *content_type; /* or NULL */
    GBytes *body;
    char *fingerprint; /* of the server's key, or NULL; also set when it did not fit */
} MkHttpAnswer;
/* On the loop, once. @answer is borrowed for the call; its status is 0 when @error is set. */
typedef void (*MkHttpAnswerFunc)(const MkHttpAnswer *answer, const GError *error, void *cookie);
void mk_http_call(MkLoop *loop, const MkHttpCall *call, MkHttpAnswerFunc on_answer, void *cookie);

/* "Sun, 06 Nov 1994 08:49:37 GMT" (IMF-fixdate) */
void mk_http_format_date(int64_t unix_ms, char out[32]);

#endif
