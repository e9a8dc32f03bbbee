/* test_keep.c - certificate and key replaced as one, whatever happens in between */
#include <mailkeep/certs.h>

#include <string.h>
#include <sys/stat.h>

#include <glib/gstdio.h>

#include <mailkeep/limits.h>

typedef struct {
    char *dir;
    char *chain[2], *key[2];
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    (void) data;
    f->dir = g_dir_make_tmp("mailkeep-certs.XXXXXX", NULL);
    for (int i = 0; i < 2; i++)
        g_assert_true(mk_tls_make_self_signed_pem("mail.example", &f->chain[i], &f->key[i], NULL));
}

static void tear_down(Fixture *f, gconstpointer data)
{
    static const char *const names[] = { "tls/certificate.pem", "tls/key.pem", "tls/pair.pem",
                                         "tls" };

    (void) data;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(f->dir, names[i], NULL);
        g_remove(path);
    }
    g_rmdir(f->dir);
    g_free(f->dir);
    for (int i = 0; i < 2; i++) {
        g_free(f->chain[i]);
        g_free(f->key[i]);
    }
}

static char *read_file(const Fixture *f, const char *name)
{
    g_autofree char *path = g_build_filename(f->dir, "tls", name, NULL);
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

static void write_file(const Fixture *f, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(f->dir, "tls", name, NULL);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static unsigned mode_of(const Fixture *f, const char *name)
{
    g_autofree char *path = g_build_filename(f->dir, "tls", name, NULL);
    struct stat info;

    g_assert_cmpint(stat(path, &info), ==, 0);
    return info.st_mode & 0777;
}

static void assert_pair_is(const Fixture *f, int which)
{
    g_autofree char *chain = read_file(f, "certificate.pem");
    g_autofree char *key = read_file(f, "key.pem");
    g_autofree char *pair = read_file(f, "pair.pem");
    g_autoptr(GError) error = NULL;

    g_assert_cmpstr(chain, ==, f->chain[which]);
    g_assert_true(g_str_has_prefix(key, f->key[which]));
    g_assert_null(pair);
    g_assert_true(mk_tls_check_pair(chain, key, &error));
    g_assert_no_error(error);
}

static void test_keep(Fixture *f, gconstpointer data)
{
    (void) data;
    g_assert_false(mk_certs_exist(f->dir));
    g_assert_true(mk_certs_keep(f->dir, f->chain[0], f->key[0], NULL));
    g_assert_true(mk_certs_exist(f->dir));
    assert_pair_is(f, 0);
    g_assert_cmpuint(mode_of(f, "key.pem"), ==, 0600);
    g_assert_cmpuint(mode_of(f, ""), ==, 0700);
    g_assert_true(mk_certs_keep(f->dir, f->chain[1], f->key[1], NULL));
    assert_pair_is(f, 1);
}

static void test_bad_pairs_change_nothing(Fixture *f, gconstpointer data)
{
    g_autofree char *both = g_strconcat(f->key[1], f->chain[1], NULL);
    g_autofree char *long_chain = g_strnfill(MK_LIMIT_CERTIFICATE_BYTES + 1, 'x');
    const char *const bad[][2] = {
        { f->chain[1], f->key[0] }, { f->chain[1], "" },       { "", f->key[1] },
        { f->chain[1], both },      { long_chain, f->key[1] },
    };

    (void) data;
    g_assert_true(mk_certs_keep(f->dir, f->chain[0], f->key[0], NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(mk_certs_keep(f->dir, bad[i][0], bad[i][1], &error));
        g_assert_nonnull(error);
        assert_pair_is(f, 0);
    }
}

/* A crash after pair.pem was written, and after key.pem as well. */
static void test_settle(Fixture *f, gconstpointer data)
{
    g_autofree char *pair = g_strconcat(f->key[1], "\n", f->chain[1], NULL);

    (void) data;
    for (int crash = 0; crash < 2; crash++) {
        g_assert_true(mk_certs_keep(f->dir, f->chain[0], f->key[0], NULL));
        write_file(f, "pair.pem", pair);
        if (crash == 1)
            write_file(f, "key.pem", f->key[1]);
        g_assert_true(mk_certs_settle(f->dir, NULL));
        assert_pair_is(f, 1);
        g_assert_cmpuint(mode_of(f, "key.pem"), ==, 0600);
        g_assert_true(mk_certs_settle(f->dir, NULL));
    }
}

static void test_settle_damaged(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    (void) data;
    g_assert_true(mk_certs_keep(f->dir, f->chain[0], f->key[0], NULL));
    write_file(f, "pair.pem", "nothing of the kind");
    g_assert_false(mk_certs_settle(f->dir, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_CORRUPT);
}

static void test_warnings(Fixture *f, gconstpointer data)
{
    static const int64_t DAY_MS = 86400000;
    g_autoptr(MkCertificate) c = mk_certificate_parse(f->chain[0], NULL);
    int64_t begin = c->not_before_unix_ms;
    int64_t end = c->not_after_unix_ms;
    g_auto(GStrv) names = NULL;

    (void) data;
    g_assert_cmpuint(mk_certs_warnings(c, "mail.example", begin + DAY_MS), ==,
                     MK_CERTS_SELF_SIGNED);
    c->self_signed = false;
    g_assert_cmpuint(mk_certs_warnings(c, "mail.example", begin + DAY_MS), ==, 0);
    g_assert_cmpuint(mk_certs_warnings(c, "other.example", begin), ==, MK_CERTS_NAME_MISSING);
    g_assert_cmpuint(mk_certs_warnings(c, "mail.example", begin - 1), ==, MK_CERTS_NOT_YET_VALID);
    g_assert_cmpuint(mk_certs_warnings(c, "mail.example", end - 20 * DAY_MS), ==,
                     MK_CERTS_ENDS_SOON);
    g_assert_cmpuint(mk_certs_warnings(c, "mail.example", end + 1), ==, MK_CERTS_EXPIRED);
    names = mk_certs_warning_names(MK_CERTS_EXPIRED | MK_CERTS_NAME_MISSING);
    g_assert_cmpstr(names[0], ==, "expired");
    g_assert_cmpstr(names[1], ==, "name-missing");
    g_assert_null(names[2]);
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/certs/keep", test_keep);
    ADD("/certs/bad", test_bad_pairs_change_nothing);
    ADD("/certs/settle", test_settle);
    ADD("/certs/settle-damaged", test_settle_damaged);
    ADD("/certs/warnings", test_warnings);
    return g_test_run();
}
