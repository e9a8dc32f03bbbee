/* test_certificate.c - certificates in memory; OpenSSL makes them and has the second opinion */
#include <mailkeep/net.h>

#include <string.h>

#include <glib/gstdio.h>

#include <mailkeep/error.h>

/* Standard output of a shell line in @dir; NULL and a skipped test where openssl is missing. */
static char *shell(const char *dir, const char *line)
{
    g_autofree char *program = g_find_program_in_path("openssl");
    const char *argv[] = { "/bin/sh", "-c", line, NULL };
    char *out = NULL;
    int status = 0;

    if (program == NULL) {
        g_test_skip("openssl is not installed");
        return NULL;
    }
    g_assert_true(g_spawn_sync(dir, (char **) argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
                               &out, NULL, &status, NULL));
    g_assert_cmpint(status, ==, 0);
    return g_strstrip(out);
}

typedef struct {
    char *dir;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    (void) data;
    f->dir = g_dir_make_tmp("mailkeep-certificate.XXXXXX", NULL);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    g_autoptr(GDir) dir = g_dir_open(f->dir, 0, NULL);
    const char *name;

    (void) data;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(f->dir, name, NULL);
        g_unlink(path);
    }
    g_rmdir(f->dir);
    g_free(f->dir);
}

static char *read_file(const Fixture *f, const char *name)
{
    g_autofree char *path = g_build_filename(f->dir, name, NULL);
    char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

/* An authority, a certificate of it for three names, and keys of several kinds. */
static bool make_files(const Fixture *f)
{
    g_autofree char *path = NULL;
    g_autofree char *out = shell(
        f->dir,
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj '/CN=Root' "
        "-days 30 && "
        "openssl ecparam -name secp384r1 -genkey -noout -out ec.key && "
        "openssl req -new -key ec.key -subj '/C=DE/O=Beispiel/CN=mail.example' -out ec.csr && "
        "printf 'subjectAltName=DNS:mail.example,DNS:*.post.example,IP:192.0.2.7' > ext && "
        "openssl x509 -req -in ec.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 9 "
        "-extfile ext -out ec.pem && cat ec.pem ca.pem > chain.pem && cat ca.pem ec.pem > turned.pem && "
        "openssl pkcs8 -topk8 -in ec.key -passout pass:secret -out locked.key && "
        "openssl rsa -in ca.key -traditional -out rsa.key && "
        "openssl x509 -in ec.pem -noout -fingerprint -sha256 | cut -d= -f2 | tr -d :");

    if (out == NULL)
        return false;
    path = g_build_filename(f->dir, "fingerprint", NULL);
    return g_file_set_contents(path, out, -1, NULL);
}

static void test_content(Fixture *f, gconstpointer data)
{
    g_autoptr(MkCertificate) c = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *chain = NULL;
    g_autofree char *fingerprint = NULL;

    (void) data;
    if (!make_files(f))
        return;
    chain = read_file(f, "chain.pem");
    fingerprint = read_file(f, "fingerprint");
    c = mk_certificate_parse(chain, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(c->subject, ==, "C=DE, O=Beispiel, CN=mail.example");
    g_assert_cmpstr(c->issuer, ==, "CN=Root");
    g_assert_cmpstr(c->fingerprint, ==, fingerprint);
    g_assert_cmpuint(g_strv_length(c->names), ==, 3);
    g_assert_true(g_strv_contains((const char *const *) c->names, "mail.example"));
    g_assert_true(g_strv_contains((const char *const *) c->names, "192.0.2.7"));
    g_assert_false(c->self_signed);
    g_assert_cmpuint(c->chain_count, ==, 2);
    g_assert_cmpint(c->not_after_unix_ms - c->not_before_unix_ms, ==, INT64_C(9) * 86400000);
}

static void test_covers(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *hostname;
        bool covered;
    } cases[] = {
        { "mail.example", true },
        { "MAIL.Example", true },
        { "a.post.example", true },
        { "post.example", false },
        { "a.b.post.example", false },
        { "xmail.example", false },
        { ".post.example", false },
        { "192.0.2.7", true },
        { "192.0.2.8", false },
        { "mail.example.x", false },
        { "", false },
    };
    g_autoptr(MkCertificate) c = NULL;
    g_autofree char *chain = NULL;

    (void) data;
    if (!make_files(f))
        return;
    chain = read_file(f, "ec.pem");
    c = mk_certificate_parse(chain, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i].hostname);
        g_assert_cmpint(mk_certificate_covers(c, cases[i].hostname), ==, cases[i].covered);
    }
}

static void test_pairs(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *chain, *key, *why; /* NULL: they fit */
    } cases[] = {
        { "ec.pem", "ec.key", NULL },
        { "chain.pem", "ec.key", NULL },
        { "ca.pem", "ca.key", NULL },
        { "ca.pem", "rsa.key", NULL },
        { "ca.pem", "ec.key", "does not belong" },
        { "turned.pem", "ec.key", "must stand first" },
        { "ec.pem", "locked.key", "protected by a password" },
        { "ec.key", "ec.key", "no certificate" },
        { "ec.pem", "ec.pem", "no private key" },
        { "ext", "ec.key", "no certificate" },
    };

    (void) data;
    if (!make_files(f))
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *chain = read_file(f, cases[i].chain);
        g_autofree char *key = read_file(f, cases[i].key);
        g_autoptr(GError) error = NULL;

        g_test_message("%s %s", cases[i].chain, cases[i].key);
        g_assert_cmpint(mk_tls_check_pair(chain, key, &error), ==, cases[i].why == NULL);
        if (cases[i].why == NULL)
            continue;
        g_assert_error(error, MK_ERROR, MK_ERROR_INVALID);
        g_assert_nonnull(strstr(error->message, cases[i].why));
        g_assert_null(strstr(error->message, "PRIVATE KEY-----\nM"));
    }
}

static void test_not_readable(void)
{
    static const char *const texts[] = {
        "", "x", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(mk_certificate_parse(texts[i], &error));
        g_assert_error(error, MK_ERROR, MK_ERROR_INVALID);
    }
}

static void test_self_signed(void)
{
    g_autoptr(MkCertificate) c = NULL;
    g_autofree char *chain = NULL;
    g_autofree char *key = NULL;

    g_assert_true(mk_tls_make_self_signed_pem("archive.example", &chain, &key, NULL));
    g_assert_true(mk_tls_check_pair(chain, key, NULL));
    c = mk_certificate_parse(chain, NULL);
    g_assert_true(c->self_signed);
    g_assert_true(mk_certificate_covers(c, "archive.example"));
    g_assert_true(mk_certificate_covers(c, "localhost"));
    g_assert_true(mk_certificate_covers(c, "::1"));
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/certificate/content", test_content);
    ADD("/certificate/covers", test_covers);
    ADD("/certificate/pairs", test_pairs);
    g_test_add_func("/certificate/not-readable", test_not_readable);
    g_test_add_func("/certificate/self-signed", test_self_signed);
    return g_test_run();
}
