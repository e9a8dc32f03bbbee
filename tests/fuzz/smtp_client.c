/*
 * smtp_client.c - any octets as what a mail server says, in reads of any length
 *
 * Input: one octet of switches (security, login), then the server's octets; 0xff n in them ends a
 * read and does the act n: secure, fill or drain the stream, ring the timer, end, cancel. Whatever
 * comes: told once, nothing written behind the end, no password and no mail in clear.
 */
#include <string.h>

#include "smtp/client_internal.h"
#include "smtp_fake_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

MkSmtpRelay *mk_smtp_relay_ref(MkSmtpRelay *relay)
{
    return relay;
}

void mk_smtp_relay_unref(MkSmtpRelay *relay)
{
    (void) relay;
}

typedef struct {
    MkSmtpSend *send;
    MkStream *stream;
    bool told;
} Run;

static void on_sent(const MkSmtpOutcome *outcome, void *cookie)
{
    Run *run = cookie;

    g_assert_false(run->told);
    g_assert_nonnull(outcome->stage);
    g_assert_true(outcome->error == NULL || g_utf8_validate(outcome->error->message, -1, NULL));
    run->told = true;
}

static void act(Run *run, uint8_t what)
{
    switch (what % 6) {
    case 0:
        if (fake_stream_has_started_tls(run->stream) && !mk_stream_is_secure(run->stream))
            fake_stream_secure(run->stream);
        break;
    case 1: fake_stream_set_full(run->stream, true); break;
    case 2: fake_stream_set_full(run->stream, false); break;
    case 3: fake_timer_ring_any(); break;
    case 4: fake_stream_finish(run->stream, what & 8 ? -1 : MK_ERROR_NETWORK); break;
    case 5:
        mk_smtp_send_cancel(run->send);
        run->told = true;
        break;
    }
}

/* To the next act or the end. */
static size_t feed(Run *run, const uint8_t *data, size_t size)
{
    const uint8_t *mark = memchr(data, 0xff, size);
    size_t length = mark != NULL ? (size_t) (mark - data) : size;

    /* The server does not speak during the handshake but in TLS. */
    if (length > 0 &&
        (!fake_stream_has_started_tls(run->stream) || mk_stream_is_secure(run->stream)))
        fake_stream_feed(run->stream, data, length);
    if (mark == NULL || length + 1 == size)
        return size;
    if (!run->told)
        act(run, data[length + 1]);
    return length + 2;
}

static void check_clear(Run *run, const MkSmtpSettings *settings)
{
    g_autofree char *said = fake_stream_take(run->stream);

    if (settings->security != MK_SMTP_IN_CLEAR && !mk_stream_is_secure(run->stream))
        g_assert_null(strstr(said, "MAIL"));
    if (!mk_stream_is_secure(run->stream))
        g_assert_null(strstr(said, "AUTH"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const to[] = { "a@x.example", "b@x.example", NULL };
    MkSmtpRelay relay = { .hostname = (char *) "me.example", .tls = (MkTls *) &relay };
    g_autoptr(GBytes) mail = g_bytes_new_static("a: b\r\n\r\n.c\nd", 12);
    Run run = { .told = false };

    if (size == 0)
        return 0;
    relay.settings = (MkSmtpSettings){ .host = (char *) "target.example",
                                       .port = 25,
                                       .security = (MkSmtpSecurity) (data[0] % 3),
                                       .log_in = data[0] & 8,
                                       .user_name = (char *) "u",
                                       .password = (char *) "p",
                                       .from_address = (char *) "from@x.example" };
    run.send = mk_smtp_send(NULL, &relay, to, mail, on_sent, &run);
    run.stream = fake_connect_succeed();
    for (size_t at = 1; at < size && !run.told;) {
        at += feed(&run, data + at, size - at);
        check_clear(&run, &relay.settings);
    }
    if (!run.told)
        mk_smtp_send_cancel(run.send);
    g_assert_true(fake_stream_is_closed(run.stream));
    g_assert_false(fake_timer_is_running());
    mk_stream_unref(run.stream);
    return 0;
}
