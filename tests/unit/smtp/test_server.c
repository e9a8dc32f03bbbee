/* test_server.c - the server behind real listeners: TLS of both kinds, many senders at once */
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include <mailkeep/base.h>
#include <mailkeep/log.h>

#include "smtp_fake_sink.h"

#define TRANSACTION "EHLO c\r\nMAIL FROM:<s@b>\r\nRCPT TO:<box@a.example>\r\nDATA\r\n"

typedef struct {
    MkLoop *loop;
    char *dir, *certificate, *key;
    MkTls *server_tls, *client_tls;
    MkConnectionCounter counter;
    MkListener *clear, *secure;
    MkSmtpServer *server;
} Fixture;

typedef struct {
    MkStream *stream;
    GString *heard;
    const char *to_say; /* when the greeting has come; NULL = said */
    MkTls *tls;         /* begin when STARTTLS is answered */
    const char *to_say_secured;
    bool ended;
} Client;

static void set_up(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    MkSmtpServerOptions options = { .hostname = "mx.example", .message_size_bytes = 1 << 20 };

    (void) unused;
    f->dir = g_dir_make_tmp("mailkeep-smtp-XXXXXX", &error);
    g_assert_no_error(error);
    f->certificate = g_build_filename(f->dir, "c.pem", NULL);
    f->key = g_build_filename(f->dir, "k.pem", NULL);
    mk_tls_make_self_signed("mx.example", f->certificate, f->key, &error);
    g_assert_no_error(error);
    f->server_tls = mk_tls_server_new(f->certificate, f->key, false, false, &error);
    g_assert_no_error(error);
    f->client_tls = mk_tls_client_new(NULL, false, &error);
    g_assert_no_error(error);
    f->loop = mk_loop_new(2, 1, &error);
    g_assert_no_error(error);
    f->counter.max = 200;
    fake_sink_reset();
    options.tls = f->server_tls;
    f->server = mk_smtp_server_new_with_sink(f->loop, &options, &fake_sink_table);
    f->clear = mk_listener_new(f->loop, "127.0.0.1", 0, NULL, &f->counter, mk_smtp_server_accept,
                               f->server, &error);
    g_assert_no_error(error);
    f->secure = mk_listener_new(f->loop, "127.0.0.1", 0, f->server_tls, &f->counter,
                                mk_smtp_server_accept, f->server, &error);
    g_assert_no_error(error);
}

static void turn_until(Fixture *f, bool (*is_so)(Fixture *f, void *cookie), void *cookie)
{
    int64_t end_ms = mk_clock_monotonic_ms() + 30000;

    while (!is_so(f, cookie)) {
        g_assert_cmpint(mk_clock_monotonic_ms(), <, end_ms);
        mk_loop_turn(f->loop);
        if (fake_sink.waiting > 0)
            fake_sink_finish_one();
        g_usleep(100);
    }
}

static bool all_is_closed(Fixture *f, void *cookie)
{
    (void) cookie;
    return f->counter.open == 0 && mk_smtp_server_is_idle(f->server);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    (void) unused;
    mk_smtp_server_stop(f->server);
    turn_until(f, all_is_closed, NULL);
    mk_smtp_server_free(f->server);
    mk_listener_free(f->clear);
    mk_listener_free(f->secure);
    mk_tls_unref(f->server_tls);
    mk_tls_unref(f->client_tls);
    mk_loop_free(f->loop);
    fake_sink_clear();
    g_unlink(f->certificate);
    g_unlink(f->key);
    g_rmdir(f->dir);
    g_free(f->certificate);
    g_free(f->key);
    g_free(f->dir);
}

/* -- a client --------------------------------------------------------------------------------- */
static void client_say(Client *c, const char **text)
{
    const char *now = g_steal_pointer(text);

    if (now != NULL)
        mk_stream_write(c->stream, now, strlen(now));
}

static void client_on_read(MkStream *stream, const uint8_t *data, size_t length, void *cookie)
{
    Client *c = cookie;

    g_string_append_len(c->heard, (const char *) data, (gssize) length);
    client_say(c, &c->to_say);
    if (c->tls != NULL && strstr(c->heard->str, "220 2.0.0") != NULL)
        mk_stream_start_tls_client(stream, g_steal_pointer(&c->tls), "mx.example");
}

static void client_on_secure(MkStream *stream, void *cookie)
{
    Client *c = cookie;

    (void) stream;
    client_say(c, &c->to_say_secured);
}

static void client_on_end(MkStream *stream, const GError *error, void *cookie)
{
    Client *c = cookie;

    (void) error;
    c->ended = true;
    mk_stream_close(stream);
    mk_stream_unref(g_steal_pointer(&c->stream));
}

static void client_on_connect(MkStream *stream, const GError *error, void *cookie)
{
    static const MkStreamEvents events = { .on_read = client_on_read,
                                           .on_end = client_on_end,
                                           .on_secure = client_on_secure };
    Client *c = cookie;

    g_assert_no_error(error);
    c->stream = stream;
    mk_stream_set_events(stream, &events, c);
    mk_stream_resume(stream);
}

static void client_begin(Fixture *f, Client *c, MkListener *listener, MkTls *tls)
{
    c->heard = g_string_new(NULL);
    mk_connect(f->loop, "127.0.0.1", mk_listener_port(listener), tls, 5000, client_on_connect, c);
}

static bool client_has_ended(Fixture *f, void *cookie)
{
    (void) f;
    return ((Client *) cookie)->ended;
}

static void assert_one_mail(const char *want, bool with_tls)
{
    const FakeMail *mail = fake_sink_mail(0);

    g_assert_cmpuint(fake_sink.mails->len, ==, 1);
    g_assert_cmpmem(mail->mail->data, mail->mail->len, want, strlen(want));
    g_assert_cmpstr(mail->envelope->client_address, ==, "127.0.0.1");
    g_assert_cmpint(mail->envelope->tls != NULL, ==, with_tls);
}

static void talk(Fixture *f, Client *c, MkListener *listener, MkTls *tls)
{
    client_begin(f, c, listener, tls);
    turn_until(f, client_has_ended, c);
    g_assert_true(g_str_has_prefix(c->heard->str, "220 mx.example ESMTP Mailkeep\r\n"));
}

/* -- tests -------------------------------------------------------------------------------------- */
static void test_clear(Fixture *f, gconstpointer unused)
{
    Client c = { .to_say = TRANSACTION "x\r\n.\r\nQUIT\r\n" };

    (void) unused;
    talk(f, &c, f->clear, NULL);
    g_assert_true(g_str_has_suffix(c.heard->str, "250 2.0.0 Archived\r\n221 2.0.0 Goodbye\r\n"));
    assert_one_mail("x\r\n", false);
    g_string_free(c.heard, TRUE);
}

static void test_implicit_tls(Fixture *f, gconstpointer unused)
{
    Client c = { .to_say = TRANSACTION "x\r\n.\r\nQUIT\r\n" };

    (void) unused;
    talk(f, &c, f->secure, f->client_tls);
    g_assert_true(g_str_has_suffix(c.heard->str, "250 2.0.0 Archived\r\n221 2.0.0 Goodbye\r\n"));
    g_assert_null(strstr(c.heard->str, "STARTTLS"));
    assert_one_mail("x\r\n", true);
    g_string_free(c.heard, TRUE);
}

static void test_starttls(Fixture *f, gconstpointer unused)
{
    Client c = { .to_say = "EHLO c\r\nSTARTTLS\r\n",
                 .tls = f->client_tls,
                 .to_say_secured = TRANSACTION "x\r\n.\r\nQUIT\r\n" };

    (void) unused;
    talk(f, &c, f->clear, NULL);
    g_assert_true(g_str_has_suffix(c.heard->str, "250 2.0.0 Archived\r\n221 2.0.0 Goodbye\r\n"));
    assert_one_mail("x\r\n", true);
    g_string_free(c.heard, TRUE);
}

/* Whether they come with the command or a moment later: clear octets never become commands. */
static void test_starttls_injected(Fixture *f, gconstpointer unused)
{
    Client c = { .to_say = "EHLO c\r\nSTARTTLS\r\nEHLO c\r\nMAIL FROM:<>\r\n" };
    Client late = { .to_say = "EHLO c\r\nSTARTTLS\r\n" };

    (void) unused;
    talk(f, &c, f->clear, NULL);
    g_assert_true(g_str_has_suffix(c.heard->str, "501 5.5.2 Nothing may follow STARTTLS\r\n"));
    client_begin(f, &late, f->clear, NULL);
    while (strstr(late.heard->str, "220 2.0.0") == NULL)
        mk_loop_turn(f->loop);
    mk_stream_write(late.stream, TRANSACTION "x\r\n.\r\n", strlen(TRANSACTION "x\r\n.\r\n"));
    turn_until(f, client_has_ended, &late);
    g_assert_null(strstr(late.heard->str, "250 2.1.0"));
    g_assert_cmpuint(fake_sink.mails->len, ==, 0);
    g_string_free(c.heard, TRUE);
    g_string_free(late.heard, TRUE);
}

enum { SENDERS = 50 };

static bool all_have_ended(Fixture *f, void *cookie)
{
    Client *clients = cookie;

    (void) f;
    for (int i = 0; i < SENDERS; i++)
        if (!clients[i].ended)
            return false;
    return true;
}

static void test_many(Fixture *f, gconstpointer unused)
{
    Client clients[SENDERS] = { 0 };
    g_autofree char *line = g_strnfill(998, '.');
    g_autoptr(GString) mail = g_string_new(NULL), wire = g_string_new(TRANSACTION);

    (void) unused;
    for (int i = 0; i < 300; i++) {
        g_string_append_printf(mail, "%s\r\n", line);
        g_string_append_printf(wire, ".%s\r\n", line);
    }
    g_string_append(wire, ".\r\nQUIT\r\n");
    for (int i = 0; i < SENDERS; i++) {
        clients[i].to_say = wire->str;
        client_begin(f, &clients[i], f->clear, NULL);
    }
    turn_until(f, all_have_ended, clients);
    g_assert_cmpuint(fake_sink.mails->len, ==, SENDERS);
    for (guint i = 0; i < SENDERS; i++) {
        g_assert_true(g_str_has_suffix(clients[i].heard->str, "221 2.0.0 Goodbye\r\n"));
        g_assert_cmpmem(fake_sink_mail(i)->mail->data, fake_sink_mail(i)->mail->len, mail->str,
                        mail->len);
        g_string_free(clients[i].heard, TRUE);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    mk_log_set_level(MK_LOG_ERROR);
    g_test_add("/smtp/server/clear", Fixture, NULL, set_up, test_clear, tear_down);
    g_test_add("/smtp/server/implicit-tls", Fixture, NULL, set_up, test_implicit_tls, tear_down);
    g_test_add("/smtp/server/starttls", Fixture, NULL, set_up, test_starttls, tear_down);
    g_test_add("/smtp/server/starttls-injected", Fixture, NULL, set_up, test_starttls_injected,
               tear_down);
    g_test_add("/smtp/server/many", Fixture, NULL, set_up, test_many, tear_down);
    return g_test_run();
}
