/* test_damage.c - flipped bits, cut files, rebuilding; what is reported and never served */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include <mailkeep/limits.h>

#include "store_help.h"

#define MAILS 12

static void set_up(TestStore *t, gconstpointer data)
{
    (void) data;
    test_store_set_up(t);
}

static void tear_down(TestStore *t, gconstpointer data)
{
    (void) data;
    test_store_tear_down(t);
}

static GBytes *sample(unsigned i)
{
    g_autofree uint8_t *noise = test_noise(i, 1500);

    return i % 3 ? test_mail_text(i) : test_mail_with_attachment(i, noise, 1500);
}

static void fill(TestStore *t)
{
    for (unsigned i = 1; i <= MAILS; i++) {
        g_autoptr(GBytes) mail = sample(i);

        test_add(t, mail, t->folder);
        if (i % 4 == 0)
            test_add(t, mail, t->folder); /* a receipt */
    }
}

static char *pack_file(const TestStore *t)
{
    return g_build_filename(t->dir, "content", "00000001.pack", NULL);
}

/* Every mail is served as it was or not at all; how many are. */
static unsigned count_good(TestStore *t)
{
    unsigned good = 0;

    for (unsigned i = 1; i <= MAILS; i++) {
        g_autoptr(GBytes) mail = sample(i);
        g_autoptr(GBytes) read = mk_store_read(t->store, i, NULL);

        g_assert_true(read == NULL || g_bytes_equal(mail, read));
        good += read != NULL;
    }
    return good;
}

/* In place: the store keeps its file open. */
static void flip(const char *path, gsize octet, unsigned bit)
{
    FILE *file = fopen(path, "r+b");
    int c;

    g_assert_nonnull(file);
    fseek(file, (long) octet, SEEK_SET);
    c = fgetc(file);
    fseek(file, (long) octet, SEEK_SET);
    fputc(c ^ 1 << bit, file);
    fclose(file);
}

static void test_flip_in_pack(TestStore *t, gconstpointer data)
{
    g_autofree char *path = pack_file(t);
    MkStoreStatistics statistics;
    unsigned bit = 0;

    (void) data;
    fill(t);
    test_verify_clean(t);
    g_assert_true(mk_store_statistics(t->store, &statistics, NULL));
    for (gsize at = 0; at < statistics.content_bytes; at += 1 + at % 37) {
        bit = (bit + 3) % 8;
        flip(path, at, bit);
        g_assert_cmpuint(test_verify(t), >, 0);
        count_good(t);
        flip(path, at, bit);
    }
    g_assert_cmpuint(count_good(t), ==, MAILS);
    test_verify_clean(t);
}

/* By the verification, or by the opening, when it is a folder's row. */
static bool catalog_damage_is_told(TestStore *t)
{
    MkStoreOptions options = test_store_options(t);
    g_autoptr(GError) error = NULL;
    bool told;

    t->store = mk_store_open(&options, &error);
    if (t->store == NULL) {
        g_assert_error(error, MK_ERROR, MK_ERROR_CORRUPT);
        return true;
    }
    told = test_verify(t) > 0;
    count_good(t);
    test_store_close(t);
    return told;
}

/* Values of the catalog: found by their text, since keys and page heads are LMDB's own matter. */
static void test_flip_in_catalog(TestStore *t, gconstpointer data)
{
    g_autofree char *path = g_build_filename(t->dir, "catalog", "data.mdb", NULL);
    g_autofree char *file = NULL;
    gsize length;
    unsigned hits = 0;

    (void) data;
    fill(t);
    test_store_close(t);
    g_assert_true(g_file_get_contents(path, &file, &length, NULL));
    /* a mail's row: node header (4 value octets low, 0, 0 flags, 4 0 key length), key, value */
    for (gsize i = 8; i + 60 < length; i++) {
        if (memcmp(file + i - 4, "\0\0\4\0", 4) != 0 || memcmp(file + i, "\0\0\0", 3) != 0 ||
            file[i + 3] < 1 || file[i + 3] > MAILS || (uint8_t) file[i - 8] < 30)
            continue;
        file[i + 10] ^= 0x10;
        g_assert_true(g_file_set_contents(path, file, (gssize) length, NULL));
        hits += catalog_damage_is_told(t);
        file[i + 10] ^= 0x10;
        g_assert_true(g_file_set_contents(path, file, (gssize) length, NULL));
    }
    g_assert_cmpuint(hits, >=, MAILS / 2);
    test_store_open(t);
    test_verify_clean(t);
}

static void rebuild(TestStore *t, uint64_t expected)
{
    MkStoreOptions options = test_store_options(t);
    g_autoptr(GError) error = NULL;
    uint64_t mails = 0;

    test_store_close(t);
    g_assert_true(mk_store_rebuild(&options, &mails, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(mails, ==, expected);
    test_store_open(t);
}

static char *describe(TestStore *t)
{
    GString *text = g_string_new(NULL);
    g_autoptr(GPtrArray) folders = mk_store_folders(t->store);

    for (guint i = 0; i < folders->len; i++) {
        const MkFolder *folder = folders->pdata[i];

        g_string_append_printf(text, "%u %s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "\n",
                               folder->id, folder->path, folder->mail_count, folder->size_bytes);
    }
    for (unsigned i = 1; i <= MAILS; i++) {
        g_auto(MkMailInfo) info = MK_MAIL_INFO_INIT;

        g_assert_true(mk_store_info(t->store, i, true, &info, NULL));
        g_string_append_printf(text, "%u %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT " %u %u %u\n", i,
                               info.size_bytes, info.archived_unix_ms, info.flags,
                               info.receipt_count, info.folders->len);
    }
    g_string_append_printf(text, "%" G_GUINT64_FORMAT "\n", mk_store_last_change(t->store));
    return g_string_free(text, FALSE);
}

static void test_rebuild(TestStore *t, gconstpointer data)
{
    g_autofree char *before = NULL, *after = NULL;
    g_autofree char *catalog = g_build_filename(t->dir, "catalog", NULL);
    uint32_t id;

    (void) data;
    g_assert_true(mk_store_folder_make(t->store, "bob/Sent", &id, NULL));
    fill(t);
    before = describe(t);
    rebuild(t, MAILS);
    after = describe(t);
    g_assert_cmpstr(before, ==, after);
    test_verify_clean(t);
    /* and from nothing at all */
    test_store_close(t);
    test_dir_remove(catalog);
    test_store_open(t);
    g_clear_pointer(&after, g_free);
    after = describe(t);
    g_assert_cmpstr(before, ==, after);
    g_assert_cmpuint(count_good(t), ==, MAILS);
    test_verify_clean(t);
}

/* Damage in one record costs what hangs on it, not the rest, and numbers stay. */
static void test_rebuild_around_damage(TestStore *t, gconstpointer data)
{
    g_autofree char *path = pack_file(t);
    MkStoreStatistics statistics;

    (void) data;
    fill(t);
    g_assert_true(mk_store_statistics(t->store, &statistics, NULL));
    for (gsize at = 200; at < statistics.content_bytes - 200; at += 997) {
        uint64_t mails = 0;
        MkStoreOptions options = test_store_options(t);
        unsigned good;

        test_store_close(t);
        flip(path, at, 2);
        g_assert_true(mk_store_rebuild(&options, &mails, NULL));
        test_store_open(t);
        good = count_good(t);
        g_assert_cmpuint(good, >=, MAILS - 1);
        g_assert_cmpuint(test_verify(t), >, 0);
        test_store_close(t);
        flip(path, at, 2);
        test_store_open(t);
    }
    rebuild(t, MAILS);
    g_assert_cmpuint(count_good(t), ==, MAILS);
    test_verify_clean(t);
}

/* A torn write behind the last batch is cut off; nothing else is touched. */
static void test_torn_tail(TestStore *t, gconstpointer data)
{
    g_autofree char *path = pack_file(t);
    g_autofree uint8_t *noise = test_noise(5, 70000);
    MkStoreStatistics before, after;

    (void) data;
    fill(t);
    g_assert_true(mk_store_statistics(t->store, &before, NULL));
    for (gsize length = 1; length < 70000; length = length * 3 + 1) {
        FILE *file;

        test_store_close(t);
        file = fopen(path, "ab");
        fwrite(noise, 1, length, file);
        fclose(file);
        test_store_open(t);
        g_assert_true(mk_store_statistics(t->store, &after, NULL));
        g_assert_cmpuint(after.content_bytes, ==, before.content_bytes);
        test_verify_clean(t);
    }
    g_assert_cmpuint(count_good(t), ==, MAILS);
}

/* The last batches torn at any octet, with the catalog of before: as after a power cut. */
static void test_pack_cut_anywhere(TestStore *t, gconstpointer data)
{
    g_autofree char *path = pack_file(t);
    g_autofree char *saved = test_dir_new();
    g_autofree char *pack = NULL;
    MkStoreStatistics start;
    gsize length;

    (void) data;
    fill(t);
    test_store_close(t);
    test_dir_copy(t->dir, saved);
    test_store_open(t);
    g_assert_true(mk_store_statistics(t->store, &start, NULL));
    for (unsigned i = 0; i < 4; i++) {
        g_autoptr(GBytes) mail = sample(100 + i);

        test_add(t, mail, t->folder);
    }
    test_store_close(t);
    g_assert_true(g_file_get_contents(path, &pack, &length, NULL));
    for (gsize cut = length; cut >= start.content_bytes; cut -= MIN(cut, 61)) {
        test_dir_copy(saved, t->dir);
        g_assert_true(g_file_set_contents(path, pack, (gssize) cut, NULL));
        test_store_open(t);
        g_assert_cmpuint(count_good(t), ==, MAILS);
        test_verify_clean(t);
        test_store_close(t);
    }
    test_store_open(t);
    test_dir_remove(saved);
}

/* A pack that the catalog speaks of is gone: opening says so and makes nothing anew. */
static void test_missing_pack(TestStore *t, gconstpointer data)
{
    g_autofree char *path = pack_file(t);
    MkStoreOptions options = test_store_options(t);
    g_autoptr(GError) error = NULL;

    (void) data;
    fill(t);
    test_store_close(t);
    g_unlink(path);
    g_assert_null(mk_store_open(&options, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_CORRUPT);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(mk_crypto_init(NULL));
    mk_mail_init();
#define ADD(name, func) g_test_add("/store/damage/" name, TestStore, NULL, set_up, func, tear_down)
    ADD("flip-in-pack", test_flip_in_pack);
    ADD("flip-in-catalog", test_flip_in_catalog);
    ADD("rebuild", test_rebuild);
    ADD("rebuild-around-damage", test_rebuild_around_damage);
    ADD("torn-tail", test_torn_tail);
    ADD("pack-cut-anywhere", test_pack_cut_anywhere);
    ADD("missing-pack", test_missing_pack);
    return g_test_run();
}
