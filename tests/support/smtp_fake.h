/*
 * smtp_fake.h - a stream, timers and a sink that a test holds in its hands
 *
 * A program that uses these gets mk_stream_..., mk_timer_... and mk_tls_... from here instead of
 * from net/ and loop/: no sockets, no clock, every octet and every callback when the test says so.
 */
#ifndef MAILKEEP_TESTS_SMTP_FAKE_H
#define MAILKEEP_TESTS_SMTP_FAKE_H

#include "../../src/smtp/internal.h"

/* -- the peer ------------------------------------------------------------------------------- */
MkStream *fake_stream_new(void); /* the session takes one reference, the test keeps one */
/* Delivers now when not paused, else keeps it; pump() delivers what was kept. */
void fake_stream_feed(MkStream *stream, const void *data, size_t length);
void fake_stream_pump(MkStream *stream);
/* The peer's end; @code -1 = in order. */
void fake_stream_finish(MkStream *stream, int code);
/* The handshake that start_tls began is done. */
void fake_stream_secure(MkStream *stream);
void fake_stream_set_full(MkStream *stream, bool full); /* false: on_drain */
bool fake_stream_is_closed(const MkStream *stream);
bool fake_stream_is_paused(const MkStream *stream);
bool fake_stream_has_started_tls(const MkStream *stream);
/* What the server has written since the last call. */
char *fake_stream_take(MkStream *stream);

/* -- the clock ------------------------------------------------------------------------------ */
/* Lets the only running timer ring; its time must be this. */
void fake_timer_ring(uint64_t expected_ms);
bool fake_timer_is_running(void);

/* -- the sink ------------------------------------------------------------------------------- */
#define FAKE_OK (-1)

typedef struct {
    GByteArray *mail;
    MkEnvelope *envelope;
} FakeMail;

typedef struct {
    int cannot_take;     /* FAKE_OK or an MkErrorCode */
    int add_fails;       /* the same, from spool_add() on */
    uint64_t add_room;   /* octets until add_fails counts */
    int ingest_fails;    /* FAKE_OK or an MkErrorCode */
    bool ingest_at_once; /* on_done() from inside ingest() */
    bool spool_full;
    GPtrArray *mails;           /* FakeMail *: kept */
    unsigned waiting;           /* ingests whose on_done() has not been called */
    unsigned spools, envelopes; /* alive */
    uint64_t asked_bytes;       /* of the last can_take() */
} FakeSink;

extern FakeSink fake_sink;
extern const MkSmtpSink fake_sink_table;
/* Known mailboxes: box@a.example, box2@a.example, j\u00fcrgen@a.example; asleep@a.example sleeps. */
void fake_sink_reset(void);
/* Calls the oldest on_done(). */
void fake_sink_finish_one(void);
void fake_sink_drain(void);
const FakeMail *fake_sink_mail(unsigned number);

#endif
