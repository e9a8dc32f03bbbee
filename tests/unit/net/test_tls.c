/* test_tls.c - certificates made and loaded; the second opinion is OpenSSL's */
#include <sys/stat.h>

#include "fixture.h"

/* Standard output of a shell line; skips the test where openssl is missing. */
static char *shell(const char *format, ...) G_GNUC_PRINTF(1, 2);
static char *shell(const char *format, ...)
{
    g_autofree char *line = NULL;
    g_autofree char *program = g_find_program_in_path("openssl");
    const char *argv[] = { "/bin/sh", "-c", NULL, NULL };
    char *out = NULL;
    va_list args;

    if (program == NULL) {
        g_test_skip("openssl is not installed");
        return NULL;
    }
    va_start(args, format);
    line = g_strdup_vprintf(format, args);
    va_end(args);
    argv[2] = line;
    g_assert_true(g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, NULL,
                               NULL, NULL));
    return g_strstrip(out);
}

static void test_fingerprint(Fixture *f, gconstpointer data)
{
    g_autofree char *expected = shell("openssl x509 -in %s -pubkey -noout | openssl pkey -pubin "
                                      "-outform DER | openssl sha1 -r | cut -c1-40 | tr a-f A-F",
                                      f->certificate);

    (void) data;
    if (expected != NULL)
        g_assert_cmpstr(mk_tls_public_key_fingerprint(f->server_tls), ==, expected);
}

static void test_self_signed_content(Fixture *f, gconstpointer data)
{
    static const char *const wanted[] = { "CN=mail.example",
                                          "DNS:mail.example",
                                          "DNS:localhost",
                                          "IP Address:127.0.0.1",
                                          "IP Address:0:0:0:0:0:0:0:1",
                                          "ASN1 OID: prime256v1",
                                          "TLS Web Server Authentication",
                                          "CA:FALSE" };
    g_autofree char *text = shell("openssl x509 -in %s -text -noout -nameopt RFC2253", f->certificate);
    g_autofree char *late = shell("openssl x509 -in %s -checkend %d", f->certificate, 3650 * 86400);
    g_autofree char *good = shell("openssl verify -CAfile %s -verify_hostname mail.example %s",
                                  f->certificate, f->certificate);

    (void) data;
    for (guint i = 0; text != NULL && i < G_N_ELEMENTS(wanted); i++)
        if (strstr(text, wanted[i]) == NULL)
            g_error("the certificate lacks %s", wanted[i]);
    if (late != NULL)
        g_assert_cmpstr(late, ==, "Certificate will not expire");
    if (good != NULL)
        g_assert_true(g_str_has_suffix(good, ": OK"));
}

static void test_key_is_private(Fixture *f, gconstpointer data)
{
    struct stat info;

    (void) data;
    g_assert_cmpint(stat(f->key, &info), ==, 0);
    g_assert_cmpuint(info.st_mode & 0777, ==, 0600);
}

static void test_hostnames(Fixture *f, gconstpointer data)
{
    static const char *const bad[] = { "", "a b", "a,O=evil", "a\nb", "a/b", "a=b" };
    g_autofree char *long_name = g_strnfill(254, 'a');
    g_autofree char *fair_name = g_strnfill(200, 'a');
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;

    (void) data;
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(mk_tls_make_self_signed(bad[i], f->certificate, f->key, NULL));
    g_assert_false(mk_tls_make_self_signed(long_name, f->certificate, f->key, NULL));
    g_assert_true(mk_tls_make_self_signed(fair_name, f->certificate, f->key, &error));
    g_assert_true(mk_tls_make_self_signed("192.0.2.7", f->certificate, f->key, &error));
    text = shell("openssl x509 -in %s -text -noout", f->certificate);
    if (text != NULL)
        g_assert_nonnull(strstr(text, "IP Address:192.0.2.7"));
}

static void expect_no_server(const char *certificate, const char *key, const char *in_message)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(mk_tls_server_new(certificate, key, false, false, &error));
    g_assert_cmpint(mk_error_code(error), ==, MK_ERROR_TLS);
    g_assert_nonnull(strstr(error->message, in_message));
}

static void test_bad_files(Fixture *f, gconstpointer data)
{
    g_autofree char *other = g_build_filename(f->dir, "other.pem", NULL);
    g_autofree char *other_key = g_build_filename(f->dir, "other.key", NULL);
    g_autoptr(GError) error = NULL;

    (void) data;
    expect_no_server("/nonexistent.pem", f->key, "/nonexistent.pem");
    expect_no_server(f->certificate, "/nonexistent.key", "/nonexistent.key");
    g_assert_true(mk_tls_make_self_signed("x", other, other_key, NULL));
    expect_no_server(f->certificate, other_key, "does not belong");
    g_assert_true(g_file_set_contents(other, "not PEM", -1, NULL));
    expect_no_server(other, other_key, other);
    g_assert_null(mk_tls_client_new("/nonexistent.pem", true, &error));
    g_assert_cmpint(mk_error_code(error), ==, MK_ERROR_TLS);
    g_unlink(other);
    g_unlink(other_key);
}

/* "TLSv1.2 ..." or "TLSv1.3 ..." of a connection to a server with these settings; NULL = refused */
static char *negotiate(Fixture *f, bool min_13, const char *openssl_version)
{
    g_autoptr(MkTls) server = mk_tls_server_new(f->certificate, f->key, min_13, false, NULL);
    g_autofree char *line = NULL;
    const char *argv[] = { "/bin/sh", "-c", NULL, NULL };
    g_autoptr(GError) error = NULL;
    char *description = NULL;
    GPid pid;

    listen_on(f, "127.0.0.1", server);
    line = g_strdup_printf("exec timeout 10 openssl s_client -connect 127.0.0.1:%u %s </dev/null "
                           ">/dev/null 2>&1",
                           (unsigned) mk_listener_port(f->listener), openssl_version);
    argv[2] = line;
    g_spawn_async(NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, &error);
    g_assert_no_error(error);
    WAIT(f->server.ended > 0);
    if (f->server.secured > 0)
        description = g_strdup(mk_stream_tls_description(f->server.stream));
    g_spawn_close_pid(pid);
    mk_listener_free(g_steal_pointer(&f->listener));
    peer_close(&f->server);
    g_clear_error(&f->server.error);
    f->server.ended = f->server.secured = 0;
    return description;
}

static void test_versions(Fixture *f, gconstpointer data)
{
    g_autofree char *program = g_find_program_in_path("openssl");
    g_autofree char *v12 = NULL, *v13 = NULL, *v11 = NULL, *v12_refused = NULL, *v13_only = NULL;

    (void) data;
    if (program == NULL) {
        g_test_skip("openssl is not installed");
        return;
    }
    v12 = negotiate(f, false, "-tls1_2");
    g_assert_true(g_str_has_prefix(v12, "TLSv1.2 "));
    v13 = negotiate(f, false, "-tls1_3");
    g_assert_true(g_str_has_prefix(v13, "TLSv1.3 "));
    v11 = negotiate(f, false, "-tls1_1 -cipher ALL:@SECLEVEL=0");
    g_assert_null(v11);
    v12_refused = negotiate(f, true, "-tls1_2");
    g_assert_null(v12_refused);
    v13_only = negotiate(f, true, "");
    g_assert_true(g_str_has_prefix(v13_only, "TLSv1.3 "));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("tls", fingerprint);
    ADD("tls", self_signed_content);
    ADD("tls", key_is_private);
    ADD("tls", hostnames);
    ADD("tls", bad_files);
    ADD("tls", versions);
    return g_test_run();
}
