/*
 * smtp_session.c - any octets to a session, in reads of any length, with a sink that may fail
 *
 * Input: one octet of switches, then the peer's octets; 0xff n in them ends a read and does
 * the act n: finish an ingest, ring the timer, fill or drain spool and stream, secure, stop.
 * Whatever comes: no leak, no write after the close, and no mail without its true end.
 */
#include <string.h>

#include <mailkeep/log.h>

#include "smtp_fake_sink.h"
#include "smtp_fake_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void act(uint8_t what, MkSmtpServer *server, MkStream *stream)
{
    switch (what % 8) {
    case 0: fake_stream_pump(stream); break;
    case 1:
        if (fake_sink.waiting > 0)
            fake_sink_finish_one();
        break;
    case 2:
        if (fake_timer_is_running())
            fake_timer_ring_any();
        break;
    case 3: fake_sink.spool_full = true; break;
    case 4: fake_sink_drain(); break;
    case 5: fake_stream_set_full(stream, what & 8); break;
    case 6:
        if (fake_stream_has_started_tls(stream) && !mk_stream_is_secure(stream))
            fake_stream_secure(stream);
        break;
    case 7:
        if (what == 255)
            mk_smtp_server_stop(server);
        break;
    }
}

static void talk(const uint8_t *data, size_t size, MkSmtpServer *server, MkStream *stream)
{
    while (size > 0) {
        const uint8_t *end = memchr(data, 0xff, size);
        size_t length = end != NULL ? (size_t) (end - data) : size;

        if (length > 0)
            fake_stream_feed(stream, data, length);
        if (length + 2 > size)
            return;
        act(data[length + 1], server, stream);
        data += length + 2;
        size -= length + 2;
    }
}

static void set_switches(uint8_t switches)
{
    fake_sink_reset();
    fake_sink.ingest_at_once = switches & 1;
    if (switches & 2)
        fake_sink.ingest_fails = (switches >> 4) % (MK_ERROR_INTERNAL + 1);
    if (switches & 4)
        fake_sink.add_fails = (switches >> 4) % (MK_ERROR_INTERNAL + 1);
    fake_sink.add_room = 20;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    MkSmtpServerOptions options = { .hostname = "mx", .message_size_bytes = 200 };
    MkSmtpServer *server;
    MkStream *stream;

    if (size == 0)
        return 0;
    mk_log_set_level(MK_LOG_ERROR);
    set_switches(data[0]);
    options.tls = data[0] & 8 ? NULL : (MkTls *) &fake_sink;
    server = mk_smtp_server_new_with_sink(NULL, &options, &fake_sink_table);
    stream = fake_stream_new();
    mk_smtp_server_accept(stream, server);
    talk(data + 1, size - 1, server, stream);
    fake_stream_finish(stream, data[0] & 16 ? -1 : MK_ERROR_NETWORK);
    while (fake_sink.waiting > 0)
        fake_sink_finish_one();
    g_assert_true(fake_stream_is_closed(stream));
    g_assert_true(mk_smtp_server_is_idle(server));
    mk_smtp_server_free(server);
    mk_stream_unref(stream);
    fake_sink_clear();
    return 0;
}
