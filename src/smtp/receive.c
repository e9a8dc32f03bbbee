/*
 * receive.c - the octets of a mail into the spool, the spool to the sink, 250 when it is durable
 *
 * A mail that turns out not to be keepable is read to its end all the same, up to twice the
 * message size: its octets must not be taken for commands, and many senders see no reply before
 * they have sent everything.
 */
#include <mailkeep/limits.h>
#include <mailkeep/log.h>

#include "internal.h"

#define BEATS_PER_TIMEOUT 3
#define BEAT_BYTES \
    (MK_LIMIT_SMTP_MIN_RATE_BYTES * (MK_LIMIT_SMTP_DATA_BLOCK_MS / BEATS_PER_TIMEOUT / 1000))

/* -- beginning and end of a transaction -------------------------------------------------------- */
void mk_smtp_transaction_clear(MkSmtpSession *s)
{
    const MkSmtpSink *sink = s->server->sink;

    if (s->spool != NULL)
        sink->spool_free(g_steal_pointer(&s->spool));
    if (s->envelope != NULL)
        sink->envelope_free(g_steal_pointer(&s->envelope));
    s->smtputf8 = false;
    s->declared_bytes = 0;
    s->refusal = (MkSmtpReply){ 0 };
    s->thrown_bytes = 0;
    if (s->state != MK_SMTP_STATE_CLOSED)
        mk_smtp_session_enter(s, s->helo != NULL ? MK_SMTP_STATE_READY : MK_SMTP_STATE_GREETING);
}

static void on_spool_drain(void *cookie)
{
    mk_smtp_session_continue(cookie);
}

static void spool_begin(MkSmtpSession *s)
{
    const MkSmtpSink *sink = s->server->sink;

    s->spool = sink->spool_new(s->server->archive);
    sink->spool_set_on_drain(s->spool, on_spool_drain, s);
    s->started_ms = mk_clock_monotonic_ms();
}

static void beats_begin(MkSmtpSession *s)
{
    s->beat_bytes = 0;
    s->slow_beats = 0;
    s->paused_for_spool = false;
}

/* From here on the mail's octets are thrown away; those that were kept count as well. */
static void refuse(MkSmtpSession *s, MkSmtpReply why)
{
    const MkSmtpSink *sink = s->server->sink;

    s->refusal = why;
    if (s->spool == NULL)
        return;
    s->thrown_bytes = sink->spool_size(s->spool);
    sink->spool_free(g_steal_pointer(&s->spool));
}

static void count_refused(MkSmtpSession *s, MkSmtpReply why)
{
    if (why.code >= 500)
        s->server->gauges.mails_refused++;
    else
        s->server->gauges.mails_deferred++;
}

static void spool_octets(MkSmtpSession *s, const uint8_t *data, size_t length)
{
    g_autoptr(GError) error = NULL;
    const MkSmtpSink *sink = s->server->sink;

    if (s->refusal.code == 0 && length > s->server->message_size_bytes - sink->spool_size(s->spool))
        refuse(s, mk_smtp_reply_for(MK_ERROR_LIMIT));
    if (s->refusal.code == 0 && !sink->spool_add(s->spool, data, length, &error)) {
        mk_log_warn("smtp.spool_failed", "session", MK_LOG_U64(s->id), "error",
                    mk_error_name(mk_error_code(error)));
        refuse(s, mk_smtp_reply_for(mk_error_code(error)));
    }
    if (s->refusal.code != 0)
        s->thrown_bytes += length;
}

/* The rest of a mail that is refused has been read for long enough. */
static bool is_enough(MkSmtpSession *s)
{
    if (s->thrown_bytes / 2 <= s->server->message_size_bytes)
        return false;
    count_refused(s, s->refusal);
    mk_smtp_session_end(s, s->refusal);
    return true;
}

/* -- the commit ----------------------------------------------------------------------------- */
typedef struct {
    MkSmtpSession *session; /* a reference */
    uint64_t size_bytes;
    int64_t started_ms;
} Commit;

static void session_kept(MkSmtpSession *s, const Commit *commit)
{
    s->server->gauges.mails_accepted++;
    s->server->gauges.octets_accepted += commit->size_bytes;
    s->mail_count++;
    s->errors = 0;
    s->commands = 0;
    mk_log_info("smtp.kept", "session", MK_LOG_U64(s->id), "size_bytes",
                MK_LOG_U64(commit->size_bytes), "took_ms",
                MK_LOG_U64(mk_clock_monotonic_ms() - commit->started_ms));
}

static MkSmtpReply session_committed(MkSmtpSession *s, const Commit *commit, const GError *error)
{
    MkSmtpReply reply = (MkSmtpReply){ 250, "2.0.0", "Archived" };

    if (error == NULL) {
        session_kept(s, commit);
        return reply;
    }
    reply = mk_smtp_reply_for(mk_error_code(error));
    count_refused(s, reply);
    mk_log_warn("smtp.not_kept", "session", MK_LOG_U64(s->id), "error",
                mk_error_name(mk_error_code(error)));
    return reply;
}

/* The mail is durable, or nothing of it is kept; the sender may be gone by now. */
static void on_ingested(const GError *error, void *cookie)
{
    g_autofree Commit *commit = cookie;
    MkSmtpSession *s = commit->session;
    MkSmtpReply reply = session_committed(s, commit, error);

    if (s->state == MK_SMTP_STATE_COMMITTING) {
        mk_smtp_transaction_clear(s);
        if (reply.code == 421)
            mk_smtp_session_end(s, reply);
        else
            mk_smtp_session_reply(s, reply);
        mk_smtp_session_continue(s);
    }
    mk_smtp_session_unref(s);
}

static void commit_mail(MkSmtpSession *s)
{
    const MkSmtpSink *sink = s->server->sink;
    Commit *commit = g_new0(Commit, 1);

    commit->session = mk_smtp_session_ref(s);
    commit->size_bytes = sink->spool_size(s->spool);
    commit->started_ms = s->started_ms;
    sink->spool_set_on_drain(s->spool, NULL, NULL);
    s->envelope->arrived_unix_ms = mk_clock_unix_ms();
    mk_smtp_session_enter(s, MK_SMTP_STATE_COMMITTING);
    sink->ingest(s->server->archive, g_steal_pointer(&s->envelope), g_steal_pointer(&s->spool),
                 on_ingested, commit);
}

static void refused_whole(MkSmtpSession *s)
{
    MkSmtpReply why = s->refusal;

    count_refused(s, why);
    mk_smtp_transaction_clear(s);
    if (why.code == 421)
        mk_smtp_session_end(s, why);
    else
        mk_smtp_session_reply(s, why);
}

/* -- DATA ----------------------------------------------------------------------------------- */
void mk_smtp_data_begin(MkSmtpSession *s)
{
    s->dot = MK_SMTP_DOT_LINE_START;
    spool_begin(s);
    beats_begin(s);
    mk_smtp_session_enter(s, MK_SMTP_STATE_DATA);
}

size_t mk_smtp_data_feed(MkSmtpSession *s, const uint8_t *data, size_t length)
{
    size_t at = 0;

    while (at < length && s->dot != MK_SMTP_DOT_END) {
        const uint8_t *slice;
        size_t slice_length;

        at += mk_smtp_dot_scan(&s->dot, data + at, length - at, &slice, &slice_length);
        if (slice_length > 0)
            spool_octets(s, slice, slice_length);
        if (is_enough(s))
            return at;
    }
    s->beat_bytes += at;
    if (s->dot != MK_SMTP_DOT_END)
        return at;
    if (s->refusal.code != 0)
        refused_whole(s);
    else
        commit_mail(s);
    return at;
}

/* -- BDAT ----------------------------------------------------------------------------------- */
static void chunk_finish(MkSmtpSession *s)
{
    if (s->refusal.code != 0) {
        refused_whole(s);
    } else if (s->chunk_last) {
        commit_mail(s);
    } else {
        mk_smtp_session_enter(s, MK_SMTP_STATE_CHUNKS);
        mk_smtp_session_reply(s, (MkSmtpReply){ 250, "2.0.0", "Chunk taken" });
    }
}

static void chunk_check(MkSmtpSession *s, uint64_t size_bytes)
{
    g_autoptr(GError) error = NULL;
    const MkSmtpSink *sink = s->server->sink;
    bool is_first = s->spool == NULL;
    uint64_t total = (is_first ? 0 : sink->spool_size(s->spool)) + size_bytes;

    if (total > s->server->message_size_bytes || total < size_bytes)
        refuse(s, mk_smtp_reply_for(MK_ERROR_LIMIT));
    else if (is_first && !sink->can_take(s->server->archive, MAX(total, s->declared_bytes), &error))
        refuse(s, mk_smtp_reply_for(mk_error_code(error)));
}

void mk_smtp_chunk_begin(MkSmtpSession *s, uint64_t size_bytes, bool last)
{
    s->chunk_left = size_bytes;
    s->chunk_last = last;
    if (s->refusal.code == 0)
        chunk_check(s, size_bytes);
    if (s->refusal.code == 0 && s->spool == NULL)
        spool_begin(s);
    beats_begin(s);
    mk_smtp_session_enter(s, MK_SMTP_STATE_CHUNK);
    if (size_bytes == 0)
        chunk_finish(s);
}

size_t mk_smtp_chunk_feed(MkSmtpSession *s, const uint8_t *data, size_t length)
{
    size_t used = (size_t) MIN(s->chunk_left, length);

    spool_octets(s, data, used);
    s->beat_bytes += used;
    s->chunk_left -= used;
    if (!is_enough(s) && s->chunk_left == 0)
        chunk_finish(s);
    return used;
}

/* -- slow senders --------------------------------------------------------------------------- */
/*
 * A sender may be silent for as long as RFC 5321 §4.5.3.2.5 lets him; a sender who drips octets to
 * hold the session gets no longer: what counts is the rate of each beat.
 */
void mk_smtp_receive_beat(MkSmtpSession *s)
{
    bool is_slow = s->beat_bytes < BEAT_BYTES && !s->paused_for_spool;

    s->beat_bytes = 0;
    s->paused_for_spool = s->spool != NULL && s->server->sink->spool_is_full(s->spool);
    s->slow_beats = is_slow ? s->slow_beats + 1 : 0;
    if (s->slow_beats >= BEATS_PER_TIMEOUT)
        mk_smtp_session_end(s, (MkSmtpReply){ 421, "4.4.2", "The mail comes too slowly" });
}
