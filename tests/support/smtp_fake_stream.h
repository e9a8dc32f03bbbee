/*
 * smtp_fake_stream.h - a stream and timers that a test holds in its hands
 *
 * Defines mk_stream_..., mk_timer_... and mk_tls_... in place of net/ and loop/: no sockets, no
 * clock, every octet and every callback when the test says so. For one source file of a program
 * only; not in libsupport.a, or every test would get these instead of the real ones.
 */
#ifndef MAILKEEP_TESTS_SMTP_FAKE_STREAM_H
#define MAILKEEP_TESTS_SMTP_FAKE_STREAM_H

#include "smtp/internal.h"

/* -- what a test may call: the peer ---------------------------------------------------------- */
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
bool fake_stream_is_aborted(const MkStream *stream);
/* What the server has written since the last call. */
char *fake_stream_take(MkStream *stream);
/* mk_connect() waits for one of these; @code as in fake_stream_finish(). */
MkStream *fake_connect_succeed(void); /* as fake_stream_new() */
void fake_connect_fail(int code);
bool fake_connect_is_waiting(void);
/* Whether mk_connect() was asked for TLS. */
bool fake_connect_has_tls(void);

/* -- and the clock --------------------------------------------------------------------------- */
/* Lets the only running timer ring; its time must be this. */
void fake_timer_ring(uint64_t expected_ms);
void fake_timer_ring_any(void);
bool fake_timer_is_running(void);

/* -- the peer ------------------------------------------------------------------------------- */
struct MkStream {
    unsigned refs;
    MkStreamEvents events;
    void *cookie;
    GByteArray *kept; /* came while paused */
    GString *written;
    bool paused, closed, aborted, ended, secure, tls_started, full;
};

MkStream *fake_stream_new(void)
{
    MkStream *stream = g_new0(MkStream, 1);

    stream->refs = 2;
    stream->paused = true;
    stream->kept = g_byte_array_new();
    stream->written = g_string_new(NULL);
    return stream;
}

void fake_stream_feed(MkStream *stream, const void *data, size_t length)
{
    g_byte_array_append(stream->kept, data, (guint) length);
    fake_stream_pump(stream);
}

void fake_stream_pump(MkStream *stream)
{
    GByteArray *now;

    if (stream->paused || stream->closed || stream->kept->len == 0)
        return;
    now = g_steal_pointer(&stream->kept);
    stream->kept = g_byte_array_new();
    mk_stream_ref(stream);
    stream->events.on_read(stream, now->data, now->len, stream->cookie);
    mk_stream_unref(stream);
    g_byte_array_unref(now);
}

void fake_stream_finish(MkStream *stream, int code)
{
    g_autoptr(GError) error = NULL;

    if (stream->closed || stream->ended)
        return;
    if (code >= 0)
        mk_fail(&error, (MkErrorCode) code, "the peer is gone");
    stream->ended = true;
    mk_stream_ref(stream);
    stream->events.on_end(stream, error, stream->cookie);
    mk_stream_unref(stream);
}

void fake_stream_secure(MkStream *stream)
{
    stream->secure = true;
    stream->events.on_secure(stream, stream->cookie);
}

void fake_stream_set_full(MkStream *stream, bool full)
{
    stream->full = full;
    if (!full && !stream->closed)
        stream->events.on_drain(stream, stream->cookie);
}

bool fake_stream_is_closed(const MkStream *stream)
{
    return stream->closed;
}

bool fake_stream_is_aborted(const MkStream *stream)
{
    return stream->aborted;
}

bool fake_stream_is_paused(const MkStream *stream)
{
    return stream->paused;
}

bool fake_stream_has_started_tls(const MkStream *stream)
{
    return stream->tls_started;
}

char *fake_stream_take(MkStream *stream)
{
    char *text = g_strdup(stream->written->str);

    g_string_truncate(stream->written, 0);
    return text;
}

void mk_stream_set_events(MkStream *stream, const MkStreamEvents *events, void *cookie)
{
    stream->events = *events;
    stream->cookie = cookie;
}

MkStream *mk_stream_ref(MkStream *stream)
{
    stream->refs++;
    return stream;
}

void mk_stream_unref(MkStream *stream)
{
    if (--stream->refs > 0)
        return;
    g_byte_array_unref(stream->kept);
    g_string_free(stream->written, TRUE);
    g_free(stream);
}

void mk_stream_close(MkStream *stream)
{
    stream->closed = true;
}

void mk_stream_abort(MkStream *stream)
{
    stream->closed = true;
    stream->aborted = true;
}

void mk_stream_write(MkStream *stream, const void *data, size_t length)
{
    g_assert_false(stream->closed);
    g_string_append_len(stream->written, data, (gssize) length);
}

bool mk_stream_is_full(const MkStream *stream)
{
    return stream->full;
}

void mk_stream_pause(MkStream *stream)
{
    stream->paused = true;
}

void mk_stream_resume(MkStream *stream)
{
    stream->paused = false; /* what was kept comes with the next pump() */
}

void mk_stream_start_tls(MkStream *stream, MkTls *tls)
{
    g_assert_nonnull(tls);
    g_byte_array_set_size(stream->kept, 0); /* they would break the handshake */
    stream->tls_started = true;
}

void mk_stream_start_tls_client(MkStream *stream, MkTls *tls, const char *hostname)
{
    g_assert_nonnull(hostname);
    mk_stream_start_tls(stream, tls);
}

bool mk_stream_is_secure(const MkStream *stream)
{
    return stream->secure;
}

const char *mk_stream_tls_description(const MkStream *stream)
{
    return stream->secure ? "TLSv1.3 TEST" : NULL;
}

const char *mk_stream_peer_address(const MkStream *stream)
{
    (void) stream;
    return "192.0.2.1";
}

uint64_t mk_stream_id(const MkStream *stream)
{
    (void) stream;
    return 1;
}

MkTls *mk_tls_ref(MkTls *tls)
{
    return tls;
}

void mk_tls_unref(MkTls *tls)
{
    (void) tls;
}

/* -- a client's way to a stream -------------------------------------------------------------- */
static struct {
    MkConnectFunc on_connect;
    void *cookie;
    bool has_tls;
} fake_connect;

MkConnect *mk_connect(MkLoop *loop, const char *host, uint16_t port, MkTls *tls,
                      uint64_t timeout_ms, MkConnectFunc on_connect, void *cookie)
{
    (void) loop;
    g_assert_true(host[0] != '\0' && port != 0 && timeout_ms != 0);
    g_assert_null(fake_connect.on_connect);
    fake_connect.on_connect = on_connect;
    fake_connect.cookie = cookie;
    fake_connect.has_tls = tls != NULL;
    return (MkConnect *) &fake_connect;
}

void mk_connect_cancel(MkConnect *connect)
{
    g_assert_true(connect == (MkConnect *) &fake_connect);
    fake_connect.on_connect = NULL;
}

bool fake_connect_is_waiting(void)
{
    return fake_connect.on_connect != NULL;
}

bool fake_connect_has_tls(void)
{
    return fake_connect.has_tls;
}

static void finish_connect(MkStream *stream, const GError *error)
{
    MkConnectFunc on_connect = fake_connect.on_connect;

    fake_connect.on_connect = NULL;
    on_connect(stream, error, fake_connect.cookie);
}

MkStream *fake_connect_succeed(void)
{
    MkStream *stream = fake_stream_new();

    stream->secure = fake_connect.has_tls;
    finish_connect(stream, NULL);
    return stream;
}

void fake_connect_fail(int code)
{
    g_autoptr(GError) error = g_error_new_literal(MK_ERROR, code, "it cannot be reached");

    finish_connect(NULL, error);
}

/* -- the clock ------------------------------------------------------------------------------ */
struct MkTimer {
    MkTimerFunc on_timer;
    void *cookie;
    uint64_t ms; /* 0 = stopped */
    bool repeats;
};

static GPtrArray *timers;

MkTimer *mk_timer_new(MkLoop *loop, MkTimerFunc on_timer, void *cookie)
{
    MkTimer *timer = g_new0(MkTimer, 1);

    (void) loop;
    timer->on_timer = on_timer;
    timer->cookie = cookie;
    if (timers == NULL)
        timers = g_ptr_array_new();
    g_ptr_array_add(timers, timer);
    return timer;
}

static void timer_set(MkTimer *timer, uint64_t ms, bool repeats)
{
    timer->ms = ms;
    timer->repeats = repeats;
}

void mk_timer_start(MkTimer *timer, uint64_t after_ms)
{
    timer_set(timer, after_ms, false);
}

void mk_timer_start_repeat(MkTimer *timer, uint64_t every_ms)
{
    timer_set(timer, every_ms, true);
}

void mk_timer_stop(MkTimer *timer)
{
    timer_set(timer, 0, false);
}

void mk_timer_free(MkTimer *timer)
{
    if (timer == NULL)
        return;
    g_ptr_array_remove(timers, timer);
    if (timers->len == 0)
        g_clear_pointer(&timers, g_ptr_array_unref);
    g_free(timer);
}

static MkTimer *running_timer(void)
{
    for (guint i = 0; timers != NULL && i < timers->len; i++) {
        MkTimer *timer = timers->pdata[i];

        if (timer->ms > 0)
            return timer;
    }
    return NULL;
}

bool fake_timer_is_running(void)
{
    return running_timer() != NULL;
}

void fake_timer_ring_any(void)
{
    MkTimer *timer = running_timer();

    if (!timer->repeats)
        timer->ms = 0;
    timer->on_timer(timer->cookie);
}

void fake_timer_ring(uint64_t expected_ms)
{
    g_assert_nonnull(running_timer());
    g_assert_cmpuint(running_timer()->ms, ==, expected_ms);
    fake_timer_ring_any();
}

#endif
