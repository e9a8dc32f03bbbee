/*
 * smtp_fake_sink.h - a sink that a test holds in its hands: mail waits, fails or is kept as told
 */
#ifndef MAILKEEP_TESTS_SMTP_FAKE_SINK_H
#define MAILKEEP_TESTS_SMTP_FAKE_SINK_H

#include "smtp/internal.h"

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
/* Forgets the mails; nothing else may be left. */
void fake_sink_clear(void);
/* Calls the oldest on_done(). */
void fake_sink_finish_one(void);
void fake_sink_drain(void);
const FakeMail *fake_sink_mail(unsigned number);

#endif
