/* smtp_fake_sink.c - see smtp_fake_sink.h */
#include <string.h>

#include "smtp_fake_sink.h"

struct MkSpool {
    GByteArray *octets;
    void (*on_drain)(void *cookie);
    void *cookie;
};

typedef struct {
    MkEnvelope *envelope;
    MkSpool *spool;
    MkIngestDone on_done;
    void *cookie;
} Ingest;

FakeSink fake_sink;
static GQueue ingests = G_QUEUE_INIT;
static MkSpool *last_spool;

static bool fake_fail(int code, GError **error)
{
    return code == FAKE_OK || mk_fail(error, (MkErrorCode) code, "as the test wants it");
}

static MkGatewayState sink_find(MkArchive *archive, const char *address)
{
    static const char *const known[] = { "box@a.example", "box2@a.example",
                                         "j\xc3\xbcrgen@a.example", NULL };

    (void) archive;
    if (strcmp(address, "asleep@a.example") == 0)
        return MK_GATEWAY_SUSPENDED;
    return g_strv_contains(known, address) ? MK_GATEWAY_ACTIVE : MK_GATEWAY_UNKNOWN;
}

static bool sink_can_take(MkArchive *archive, uint64_t size_bytes, GError **error)
{
    (void) archive;
    fake_sink.asked_bytes = size_bytes;
    return fake_fail(fake_sink.cannot_take, error);
}

static MkEnvelope *sink_envelope_new(void)
{
    MkEnvelope *envelope = g_new0(MkEnvelope, 1);

    envelope->forward_paths = g_ptr_array_new_with_free_func(g_free);
    fake_sink.envelopes++;
    return envelope;
}

static void sink_envelope_free(MkEnvelope *envelope)
{
    g_ptr_array_unref(envelope->forward_paths);
    g_free(envelope->reverse_path);
    g_free(envelope->client_address);
    g_free(envelope->helo);
    g_free(envelope->tls);
    g_free(envelope);
    fake_sink.envelopes--;
}

static MkSpool *sink_spool_new(MkArchive *archive)
{
    (void) archive;
    last_spool = g_new0(MkSpool, 1);
    last_spool->octets = g_byte_array_new();
    fake_sink.spools++;
    return last_spool;
}

static bool sink_spool_add(MkSpool *spool, const void *data, size_t length, GError **error)
{
    if (fake_sink.add_fails != FAKE_OK && spool->octets->len + length > fake_sink.add_room)
        return fake_fail(fake_sink.add_fails, error);
    g_byte_array_append(spool->octets, data, (guint) length);
    return true;
}

static uint64_t sink_spool_size(const MkSpool *spool)
{
    return spool->octets->len;
}

static bool sink_spool_is_full(const MkSpool *spool)
{
    (void) spool;
    return fake_sink.spool_full;
}

static void sink_spool_set_on_drain(MkSpool *spool, void (*on_drain)(void *cookie), void *cookie)
{
    spool->on_drain = on_drain;
    spool->cookie = cookie;
}

static void sink_spool_free(MkSpool *spool)
{
    if (spool == last_spool)
        last_spool = NULL;
    g_byte_array_unref(spool->octets);
    g_free(spool);
    fake_sink.spools--;
}

static void ingest_finish(Ingest *ingest)
{
    g_autoptr(GError) error = NULL;

    if (fake_fail(fake_sink.ingest_fails, &error)) {
        FakeMail *mail = g_new0(FakeMail, 1);

        mail->mail = g_byte_array_ref(ingest->spool->octets);
        mail->envelope = g_steal_pointer(&ingest->envelope);
        g_ptr_array_add(fake_sink.mails, mail);
    } else {
        sink_envelope_free(ingest->envelope);
    }
    sink_spool_free(ingest->spool);
    ingest->on_done(error, ingest->cookie);
    g_free(ingest);
}

static void sink_ingest(MkArchive *archive, MkEnvelope *envelope, MkSpool *spool,
                        MkIngestDone on_done, void *cookie)
{
    Ingest *ingest = g_new0(Ingest, 1);

    (void) archive;
    g_assert_null(spool->on_drain); /* its session may end before it */
    *ingest = (Ingest){ envelope, spool, on_done, cookie };
    if (fake_sink.ingest_at_once) {
        ingest_finish(ingest);
        return;
    }
    g_queue_push_tail(&ingests, ingest);
    fake_sink.waiting++;
}

const MkSmtpSink fake_sink_table = {
    .find = sink_find,
    .can_take = sink_can_take,
    .envelope_new = sink_envelope_new,
    .envelope_free = sink_envelope_free,
    .spool_new = sink_spool_new,
    .spool_add = sink_spool_add,
    .spool_size = sink_spool_size,
    .spool_is_full = sink_spool_is_full,
    .spool_set_on_drain = sink_spool_set_on_drain,
    .spool_free = sink_spool_free,
    .ingest = sink_ingest,
};

void fake_sink_finish_one(void)
{
    Ingest *ingest = g_queue_pop_head(&ingests);

    g_assert_nonnull(ingest);
    fake_sink.waiting--;
    ingest_finish(ingest);
}

void fake_sink_drain(void)
{
    fake_sink.spool_full = false;
    if (last_spool != NULL && last_spool->on_drain != NULL)
        last_spool->on_drain(last_spool->cookie);
}

static void mail_free(void *data)
{
    FakeMail *mail = data;

    g_byte_array_unref(mail->mail);
    sink_envelope_free(mail->envelope);
    g_free(mail);
}

void fake_sink_clear(void)
{
    if (fake_sink.mails != NULL)
        g_ptr_array_unref(g_steal_pointer(&fake_sink.mails));
    g_assert_cmpuint(fake_sink.spools, ==, 0);
    g_assert_cmpuint(fake_sink.envelopes, ==, 0);
    g_assert_cmpuint(fake_sink.waiting, ==, 0);
}

void fake_sink_reset(void)
{
    fake_sink_clear();
    fake_sink = (FakeSink){ .cannot_take = FAKE_OK, .add_fails = FAKE_OK, .ingest_fails = FAKE_OK };
    fake_sink.mails = g_ptr_array_new_with_free_func(mail_free);
}

const FakeMail *fake_sink_mail(unsigned number)
{
    g_assert_cmpuint(number, <, fake_sink.mails->len);
    return fake_sink.mails->pdata[number];
}
