/*
 * internal.h - what the files of http/ know of each other
 *
 *   parser.c      octets in, a MkHttpRequest or a status out; pure, no stream
 *   request.c     what a handler may ask of a request
 *   form.c        percent-encoding and application/x-www-form-urlencoded
 *   response.c    status, fields and body of an answer; its head as octets
 *   connection.c  the state machine between a stream and the two
 *   sender.c      the body of an answer, piece by piece, as fast as the peer reads
 *   server.c      the connections of a server and their common end
 */
#ifndef MK_HTTP_INTERNAL_H
#define MK_HTTP_INTERNAL_H

#include <mailkeep/http.h>

typedef struct MkHttpConnection MkHttpConnection;

/* -- request.c ----------------------------------------------------------------------------- */
struct MkHttpRequest {
    MkHttpConnection *connection; /* NULL: the client has gone, or there is none (tests) */
    const char *method;           /* static */
    GString *target;              /* as it came */
    char *path;                   /* decoded */
    GHashTable *query;            /* char * -> char * */
    GHashTable *fields;           /* lower case name -> GString *, joined */
    unsigned host_count;
    GByteArray *body;
    GBytes *body_bytes; /* the same octets, made when the request is whole */
    bool is_http_10;
    bool keep_alive;
    bool is_secure;
    char *peer_address;
    GPtrArray *answer_fields; /* name, value, name, value: mk_http_add_header() */
    void (*on_gone)(void *cookie);
    void *on_gone_cookie;
};
MkHttpRequest *mk_http_request_new(void);
void mk_http_request_free(MkHttpRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkHttpRequest, mk_http_request_free)
void mk_http_request_add_field(MkHttpRequest *request, const char *name, const char *value);
/* The target to path and query; 0, or the status that says what is wrong. */
unsigned mk_http_request_read_target(MkHttpRequest *request);
/* The connection is closed: the request lives on, its answer will be thrown away. */
void mk_http_request_lose(MkHttpRequest *request);

/* -- form.c -------------------------------------------------------------------------------- */
/* New string without NUL, valid UTF-8; else NULL. @plus: '+' is a blank. */
char *mk_http_percent_decode(const char *text, size_t length, bool plus);
/* Name and value may be kept; false ends the reading. */
typedef bool (*MkHttpFieldFunc)(char *name, char *value, void *cookie);
bool mk_http_each_field(const char *data, size_t length, MkHttpFieldFunc on_field, void *cookie);

/* -- parser.c ------------------------------------------------------------------------------ */
typedef enum {
    MK_HTTP_PARSE_IDLE,   /* nothing of a request has come */
    MK_HTTP_PARSE_HEAD,   /* in the request line or the header */
    MK_HTTP_PARSE_BODY,   /* the header is whole and accepted */
    MK_HTTP_PARSE_DONE,   /* mk_http_parser_take() */
    MK_HTTP_PARSE_FAILED, /* mk_http_parser_status(); nothing more can be read */
} MkHttpParse;

typedef struct MkHttpParser MkHttpParser;
MkHttpParser *mk_http_parser_new(void);
void mk_http_parser_free(MkHttpParser *parser);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkHttpParser, mk_http_parser_free)
/* Reads to the end of @data or of one request, whichever is first. */
MkHttpParse mk_http_parser_feed(MkHttpParser *parser, const uint8_t *data, size_t length,
                                size_t *out_used);
unsigned mk_http_parser_status(const MkHttpParser *parser);
/* In state BODY: the client waits for "100 Continue". True once a request. */
bool mk_http_parser_wants_continue(MkHttpParser *parser);
/* The request read; the parser is ready for the next. */
MkHttpRequest *mk_http_parser_take(MkHttpParser *parser);

/* -- response.c ---------------------------------------------------------------------------- */
struct MkHttpResponse {
    unsigned status;
    GPtrArray *fields; /* name, value, name, value: char * */
    const char *content_type;
    GBytes *body;       /* or NULL */
    MkHttpBody *pieces; /* or NULL */
    uint64_t length;    /* of either */
};
void mk_http_response_free(MkHttpResponse *response);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkHttpResponse, mk_http_response_free)
/* Status line to empty line. @extra: names and values, or NULL. */
GString *mk_http_response_head(const MkHttpResponse *response, const GPtrArray *extra,
                               bool keep_alive, bool to_http_10, int64_t now_unix_ms);
/* An answer of the protocol's own: a line of text, and fields that tell browsers to trust nothing. */
MkHttpResponse *mk_http_response_plain(unsigned status, bool is_secure);
bool mk_http_status_has_body(unsigned status);
const char *mk_http_status_text(unsigned status);

/* -- sender.c ------------------------------------------------------------------------------ */
/*
 * Gives an answer's body to a stream and holds back while that is full. Ends by calling
 * on_end once, or never after mk_http_sender_close(). Freed when its last job is done.
 */
typedef struct MkHttpSender MkHttpSender;
typedef void (*MkHttpSenderEnd)(bool whole, void *cookie);
/* Takes the body out of @response (leaves it without); on_end may be called inside. */
MkHttpSender *mk_http_sender_new(MkLoop *loop, MkStream *stream, MkHttpResponse *response,
                                 MkHttpSenderEnd on_end, void *cookie);
void mk_http_sender_go(MkHttpSender *sender); /* at first, and when the stream has drained */
void mk_http_sender_close(MkHttpSender *sender);

/* -- connection.c -------------------------------------------------------------------------- */
/* The limits of limits.h, but for tests, which cannot wait so long. */
typedef struct {
    uint64_t header_ms, body_ms, idle_ms, write_ms;
} MkHttpTimes;

struct MkHttpServer {
    MkLoop *loop;
    MkHttpHandler handler;
    void *cookie;
    MkHttpTimes times;
    GHashTable *connections; /* a set; each removes itself when it closes */
    MkTimer *grace;
    bool stopping;
};
void mk_http_connection_new(MkHttpServer *server, MkStream *stream);
/* Now if it is idle, else when its answer is sent. */
void mk_http_connection_stop(MkHttpConnection *connection);
void mk_http_connection_abort(MkHttpConnection *connection);
void mk_http_connection_respond(MkHttpConnection *connection, MkHttpRequest *request,
                                MkHttpResponse *response);

#endif
