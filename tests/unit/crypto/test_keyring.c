/* test_keyring.c - making, opening and recovering the keys of an installation */
#include <mailkeep/crypto.h>

#include <string.h>
#include <sys/stat.h>

#include <glib/gstdio.h>

typedef struct {
    char *dir;
    char *recovery;
    uint8_t probe[32 + MK_SEAL_OVERHEAD]; /* sealed by the master key made in set_up */
} Fixture;

static bool opens_probe(Fixture *f, const MkKeyring *keyring)
{
    uint8_t plain[32];

    return mk_unseal(mk_keyring_master(keyring), NULL, 0, f->probe, sizeof f->probe, plain, NULL);
}

static void set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkKeyring) keyring = NULL;
    uint8_t plain[32] = { 1 };

    (void) data;
    f->dir = g_dir_make_tmp("keys-XXXXXX", NULL);
    keyring = mk_keyring_create(f->dir, &f->recovery, &error);
    g_assert_no_error(error);
    mk_seal(mk_keyring_master(keyring), NULL, 0, plain, sizeof plain, f->probe);
    g_assert_true(g_str_has_prefix(f->recovery, "") && strlen(f->recovery) == 54);
    /* the sheet begins with the identifier, in two groups */
    g_assert_cmpint(strncmp(f->recovery, mk_keyring_recovery_id(keyring), 4), ==, 0);
    g_assert_cmpint(strncmp(f->recovery + 5, mk_keyring_recovery_id(keyring) + 4, 4), ==, 0);
}

static void remove_file(Fixture *f, const char *name)
{
    g_autofree char *path = g_build_filename(f->dir, name, NULL);

    g_unlink(path);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void) data;
    remove_file(f, "machine.key");
    remove_file(f, "master.key");
    g_assert_cmpint(g_rmdir(f->dir), ==, 0); /* nothing else was left there */
    g_free(f->dir);
    mk_free_secret(f->recovery);
}

static void test_open(Fixture *f, gconstpointer data)
{
    g_autoptr(MkKeyring) keyring = mk_keyring_open(f->dir, NULL);
    g_autofree char *path = g_build_filename(f->dir, "machine.key", NULL);
    struct stat st;

    (void) data;
    g_assert_nonnull(keyring);
    g_assert_true(opens_probe(f, keyring));
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmpuint(st.st_mode & 0777, ==, 0600);
    g_assert_cmpint(st.st_size, ==, 65);
}

static void test_create_twice(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *recovery = NULL;

    (void) data;
    g_assert_null(mk_keyring_create(f->dir, &recovery, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_EXISTS);
}

static void test_recover(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkKeyring) keyring = NULL;
    g_autoptr(MkKeyring) again = NULL;
    g_autofree char *sloppy = g_ascii_strdown(f->recovery, -1);

    (void) data;
    remove_file(f, "machine.key");
    g_assert_null(mk_keyring_open(f->dir, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_KEY);
    g_clear_error(&error);
    g_strdelimit(sloppy, "-", ' ');
    g_strdelimit(sloppy, "0", 'o');
    g_strdelimit(sloppy, "1", 'l');
    keyring = mk_keyring_recover(f->dir, sloppy, &error);
    g_assert_no_error(error);
    g_assert_true(opens_probe(f, keyring));
    again = mk_keyring_open(f->dir, &error);
    g_assert_no_error(error);
    g_assert_true(opens_probe(f, again));
}

/* It proves who asks, and changes nothing: what opens by the machine alone does not open after it. */
static void test_open_by_recovery(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkKeyring) keyring = NULL;

    (void) data;
    remove_file(f, "machine.key");
    keyring = mk_keyring_open_by_recovery(f->dir, f->recovery, &error);
    g_assert_no_error(error);
    g_assert_true(opens_probe(f, keyring));
    g_assert_null(mk_keyring_open(f->dir, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_KEY);
}

static void test_recover_mistyped(Fixture *f, gconstpointer data)
{
    (void) data;
    for (size_t i = 0; i < strlen(f->recovery); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *wrong = g_strdup(f->recovery);

        if (wrong[i] == '-')
            continue;
        wrong[i] = wrong[i] == '7' ? '8' : '7';
        g_assert_null(mk_keyring_recover(f->dir, wrong, &error));
        g_assert_error(error, MK_ERROR, MK_ERROR_INVALID);
    }
    g_assert_null(mk_keyring_recover(f->dir, "", NULL));
}

static void test_recover_other_sheet(Fixture *f, gconstpointer data)
{
    Fixture other = { 0 };
    g_autoptr(GError) error = NULL;

    set_up(&other, data);
    g_assert_null(mk_keyring_recover(f->dir, other.recovery, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_KEY);
    tear_down(&other, data);
}

static void test_wrong_machine_key(Fixture *f, gconstpointer data)
{
    Fixture other = { 0 };
    g_autoptr(GError) error = NULL;
    g_autofree char *from = NULL, *to = g_build_filename(f->dir, "machine.key", NULL);

    set_up(&other, data);
    from = g_build_filename(other.dir, "machine.key", NULL);
    g_assert_cmpint(g_rename(from, to), ==, 0);
    g_assert_null(mk_keyring_open(f->dir, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_KEY);
    tear_down(&other, data);
}

static void test_every_bit_of_master(Fixture *f, gconstpointer data)
{
    g_autofree char *path = g_build_filename(f->dir, "master.key", NULL);
    g_autofree char *file = NULL;
    gsize length;

    (void) data;
    g_assert_true(g_file_get_contents(path, &file, &length, NULL));
    for (gsize i = 16; i < length / 2; i++) { /* behind magic and identifier: the machine's half */
        file[i] = (char) (file[i] ^ 1);
        g_assert_true(g_file_set_contents(path, file, (gssize) length, NULL));
        g_assert_null(mk_keyring_open(f->dir, NULL));
        file[i] = (char) (file[i] ^ 1);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(mk_crypto_init(NULL));
#define ADD(name, func) g_test_add(name, Fixture, NULL, set_up, func, tear_down)
    ADD("/crypto/keyring/open", test_open);
    ADD("/crypto/keyring/create-twice", test_create_twice);
    ADD("/crypto/keyring/recover", test_recover);
    ADD("/crypto/keyring/open-by-recovery", test_open_by_recovery);
    ADD("/crypto/keyring/recover-mistyped", test_recover_mistyped);
    ADD("/crypto/keyring/recover-other-sheet", test_recover_other_sheet);
    ADD("/crypto/keyring/wrong-machine-key", test_wrong_machine_key);
    ADD("/crypto/keyring/every-bit-of-master", test_every_bit_of_master);
    return g_test_run();
}
