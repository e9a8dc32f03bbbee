/* test_store.c - mails in and out, duplicates, receipts, folders, changes, reopening */
#include <pthread.h>
#include <string.h>

#include <mailkeep/limits.h>

#include "store_help.h"

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

static void test_round_trip(TestStore *t, gconstpointer data)
{
    (void) data;
    for (unsigned i = 1; i <= 50; i++) {
        g_autoptr(GBytes) mail = test_mail_text(i);
        MkCommitted committed = test_add(t, mail, t->folder);

        g_assert_cmpuint(committed.number, ==, i);
        g_assert_true(committed.is_new);
        test_check_mail(t, i, mail);
    }
    test_store_reopen(t);
    for (unsigned i = 1; i <= 50; i++) {
        g_autoptr(GBytes) mail = test_mail_text(i);

        test_check_mail(t, i, mail);
    }
    test_verify_clean(t);
}

static void test_info(TestStore *t, gconstpointer data)
{
    g_autoptr(GBytes) mail = test_mail_text(1);
    g_auto(MkMailInfo) info = MK_MAIL_INFO_INIT;
    g_autoptr(GError) error = NULL;

    (void) data;
    test_add(t, mail, t->folder);
    g_assert_true(mk_store_info(t->store, 1, true, &info, &error));
    g_assert_cmpuint(info.number, ==, 1);
    g_assert_cmpuint(info.size_bytes, ==, g_bytes_get_size(mail));
    g_assert_cmpint(info.date_unix_ms, ==, 1772445600000);
    g_assert_cmpint(info.archived_unix_ms, ==, 1772445600123);
    g_assert_cmpuint(info.flags, ==, MK_MAIL_IMPORTANCE_HIGH);
    g_assert_cmpuint(info.receipt_count, ==, 1);
    g_assert_cmpuint(info.folders->len, ==, 1);
    g_assert_cmpuint(g_array_index(info.folders, uint32_t, 0), ==, t->folder);
    g_assert_cmpmem(g_bytes_get_data(info.meta, NULL), g_bytes_get_size(info.meta), "meta", 4);
    mk_mail_info_clear(&info);
    g_assert_false(mk_store_info(t->store, 2, false, &info, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_NOT_FOUND);
}

static bool want_none(const uint8_t *before, size_t length, void *cookie)
{
    unsigned *asked = cookie;

    /* At the end of the part's header. */
    g_assert_cmpuint(length, >, 4);
    g_assert_cmpmem(before + length - 4, 4, "\r\n\r\n", 4);
    (*asked)++;
    return false;
}

static void test_read_some(TestStore *t, gconstpointer data)
{
    g_autofree uint8_t *noise = test_noise(7, 2 << 20);
    g_autoptr(GBytes) mail = test_mail_with_attachment(1, noise, 2 << 20);
    g_autoptr(GBytes) some = NULL, whole = NULL;
    g_auto(MkMailInfo) info = MK_MAIL_INFO_INIT;
    g_autoptr(GError) error = NULL;
    unsigned asked = 0;

    (void) data;
    test_add(t, mail, t->folder);
    g_assert_true(mk_store_read_some(t->store, 1, want_none, &asked, &info, &some, &error));
    g_assert_cmpuint(asked, ==, 1);
    g_assert_cmpuint(g_bytes_get_size(some), <, 4096);
    g_assert_cmpuint(info.number, ==, 1);
    g_assert_cmpuint(info.size_bytes, ==, g_bytes_get_size(mail));
    g_assert_cmpmem(g_bytes_get_data(info.meta, NULL), g_bytes_get_size(info.meta), "meta", 4);
    mk_mail_info_clear(&info);
    g_assert_true(mk_store_read_some(t->store, 1, NULL, NULL, &info, &whole, &error));
    g_assert_true(g_bytes_equal(whole, mail));
    mk_mail_info_clear(&info);
    g_assert_false(mk_store_read_some(t->store, 2, NULL, NULL, &info, &whole, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_NOT_FOUND);
}

static void test_attachments_once(TestStore *t, gconstpointer data)
{
    g_autofree uint8_t *noise = test_noise(7, 3 << 20);
    MkStoreStatistics one, many;
    g_autoptr(GBytes) first = test_mail_with_attachment(1, noise, 3 << 20);

    (void) data;
    test_add(t, first, t->folder);
    g_assert_true(mk_store_statistics(t->store, &one, NULL));
    g_assert_cmpuint(one.blob_count, ==, 3);
    for (unsigned i = 2; i <= 6; i++) {
        g_autoptr(GBytes) mail = test_mail_with_attachment(i, noise, 3 << 20);

        test_add(t, mail, t->folder);
        test_check_mail(t, i, mail);
    }
    g_assert_true(mk_store_statistics(t->store, &many, NULL));
    g_assert_cmpuint(many.blob_count, ==, 3);
    g_assert_cmpuint(many.content_bytes, <, one.content_bytes + 10000);
    test_store_reopen(t);
    test_check_mail(t, 1, first);
    test_verify_clean(t);
}

static void test_sizes(TestStore *t, gconstpointer data)
{
    static const size_t sizes[] = {
        0, 1, 1023, 1024, 1025, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 9 << 20,
    };

    (void) data;
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree uint8_t *noise = test_noise(i, sizes[i]);
        g_autoptr(GBytes) mail = test_mail_with_attachment(i, noise, sizes[i]);
        g_autoptr(GBytes) raw = g_bytes_new(noise, sizes[i]); /* a mail without any form */
        MkCommitted committed = test_add(t, mail, t->folder);

        test_check_mail(t, committed.number, mail);
        committed = test_add(t, raw, t->folder);
        test_check_mail(t, committed.number, raw);
    }
    test_verify_clean(t);
}

static void test_duplicates(TestStore *t, gconstpointer data)
{
    g_autoptr(GBytes) mail = test_mail_text(1);
    g_autoptr(GPtrArray) receipts = NULL;
    g_auto(MkMailInfo) info = MK_MAIL_INFO_INIT;
    uint32_t other;

    (void) data;
    g_assert_true(mk_store_folder_make(t->store, "bob", &other, NULL));
    g_assert_true(test_add(t, mail, t->folder).is_new);
    for (unsigned i = 0; i < 3; i++) {
        MkCommitted again = test_add(t, mail, i == 1 ? other : t->folder);

        g_assert_cmpuint(again.number, ==, 1);
        g_assert_false(again.is_new);
    }
    for (unsigned round = 0; round < 2; round++) {
        g_assert_true(mk_store_info(t->store, 1, false, &info, NULL));
        g_assert_cmpuint(info.receipt_count, ==, 4);
        g_assert_cmpuint(info.folders->len, ==, 2); /* a set */
        mk_mail_info_clear(&info);
        receipts = mk_store_receipts(t->store, 1, NULL);
        g_assert_cmpuint(receipts->len, ==, 4);
        g_clear_pointer(&receipts, g_ptr_array_unref);
        test_store_reopen(t);
    }
    test_verify_clean(t);
}

/* Four mails that share one Message-ID, and four without any: eight mails. */
static void test_message_id_is_no_identity(TestStore *t, gconstpointer data)
{
    (void) data;
    for (unsigned i = 0; i < 8; i++) {
        g_autofree char *text = g_strdup_printf(
            "%sSubject: %u\r\n\r\nbody\r\n", i < 4 ? "Message-ID: <same@example.com>\r\n" : "", i);
        g_autoptr(GBytes) mail = g_bytes_new(text, strlen(text));
        MkCommitted committed = test_add(t, mail, t->folder);

        g_assert_true(committed.is_new);
        g_assert_cmpuint(committed.number, ==, i + 1);
        test_check_mail(t, i + 1, mail);
    }
}

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    unsigned done, fresh, failed;
} Counter;

static void on_committed(const MkCommitted *committed, const GError *error, void *cookie)
{
    Counter *counter = cookie;

    pthread_mutex_lock(&counter->lock);
    counter->done++;
    counter->fresh += error == NULL && committed->is_new;
    counter->failed += error != NULL;
    pthread_cond_signal(&counter->cond);
    pthread_mutex_unlock(&counter->lock);
}

static void counter_wait(Counter *counter, unsigned count)
{
    pthread_mutex_lock(&counter->lock);
    while (counter->done < count)
        pthread_cond_wait(&counter->cond, &counter->lock);
    pthread_mutex_unlock(&counter->lock);
}

static void submit(TestStore *t, GBytes *mail, Counter *counter)
{
    MkReceipt receipt = { .arrived_unix_ms = 1 };
    gsize length;
    const uint8_t *data = g_bytes_get_data(mail, &length);
    g_autoptr(GArray) pieces = mk_mail_split(data, length);
    MkNewMail new_mail = {
        .data = data,
        .length = length,
        .pieces = pieces,
        .folders = &t->folder,
        .folder_count = 1,
        .receipt = &receipt,
    };
    MkPreparedMail *prepared = mk_store_prepare(t->store, &new_mail, NULL);

    g_assert_nonnull(prepared);
    mk_store_submit(t->store, prepared, on_committed, counter);
}

/* All are prepared before the first is committed, so the committer must find the doubles. */
static void test_duplicates_in_a_batch(TestStore *t, gconstpointer data)
{
    g_autofree uint8_t *noise = test_noise(3, 5000);
    g_autoptr(GBytes) mail = test_mail_with_attachment(1, noise, 5000);
    g_autoptr(GBytes) other = test_mail_with_attachment(2, noise, 5000);
    Counter counter = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0 };
    MkStoreStatistics statistics;

    (void) data;
    for (unsigned i = 0; i < 20; i++)
        submit(t, i % 2 ? mail : other, &counter);
    counter_wait(&counter, 20);
    g_assert_cmpuint(counter.fresh, ==, 2);
    g_assert_cmpuint(counter.failed, ==, 0);
    g_assert_true(mk_store_statistics(t->store, &statistics, NULL));
    g_assert_cmpuint(statistics.mail_count, ==, 2);
    g_assert_cmpuint(statistics.blob_count, ==, 1);
    g_assert_cmpuint(statistics.batches, >, 0);
    test_store_reopen(t);
    test_check_mail(t, 1, other);
    test_check_mail(t, 2, mail);
    test_verify_clean(t);
}

static void *add_many(void *data)
{
    TestStore *t = data;

    for (unsigned i = 0; i < 60; i++) {
        g_autoptr(GBytes) mail = test_mail_text(i);
        MkCommitted committed = test_add(t, mail, t->folder);

        test_check_mail(t, committed.number, mail);
    }
    return NULL;
}

static void test_threads(TestStore *t, gconstpointer data)
{
    pthread_t threads[4];
    MkStoreStatistics statistics;

    (void) data;
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, add_many, t), ==, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_join(threads[i], NULL);
    g_assert_true(mk_store_statistics(t->store, &statistics, NULL));
    g_assert_cmpuint(statistics.mail_count, ==, 60);
    g_assert_cmpuint(statistics.batched_mails, ==, 240);
    test_verify_clean(t);
}

static void test_receipts(TestStore *t, gconstpointer data)
{
    g_autofree uint8_t *noise = test_noise(9, 200000);
    g_autoptr(GBytes) before = g_bytes_new_static("report before", 13);
    g_autoptr(GBytes) after = g_bytes_new_static("", 0);
    g_autoptr(GBytes) whole = g_bytes_new(noise, 200000);
    g_autoptr(GBytes) mail = test_mail_text(1);
    MkReceipt first = { 10, before, before, after, NULL };
    MkReceipt second = { 20, NULL, NULL, NULL, whole };
    const MkReceipt *const given[] = { &first, &second };
    g_autoptr(GPtrArray) receipts = NULL;
    const MkReceipt *got;

    (void) data;
    for (unsigned i = 0; i < 2; i++) {
        MkNewMail new_mail = {
            .data = g_bytes_get_data(mail, NULL),
            .length = g_bytes_get_size(mail),
            .folders = &t->folder,
            .folder_count = 1,
            .receipt = given[i],
        };

        g_assert_true(mk_store_add(t->store, &new_mail, NULL, NULL));
    }
    receipts = mk_store_receipts(t->store, 1, NULL);
    g_assert_cmpuint(receipts->len, ==, 2);
    got = receipts->pdata[0];
    g_assert_cmpint(got->arrived_unix_ms, ==, 10);
    g_assert_true(g_bytes_equal(got->envelope, before));
    g_assert_true(g_bytes_equal(got->report_before, before));
    g_assert_cmpuint(g_bytes_get_size(got->report_after), ==, 0);
    g_assert_null(got->report_whole);
    got = receipts->pdata[1];
    g_assert_cmpint(got->arrived_unix_ms, ==, 20);
    g_assert_null(got->envelope);
    g_assert_true(g_bytes_equal(got->report_whole, whole));
    test_verify_clean(t);
}

static void test_folders(TestStore *t, gconstpointer data)
{
    static const char *const bad[] = { "", "/", "a/", "/a", "a//b", "\xff" };
    g_autofree char *long_path = g_strnfill(MK_LIMIT_FOLDER_PATH_BYTES + 1, 'x');
    g_autofree char *path = NULL;
    uint32_t id = 0, again = 0;

    (void) data;
    g_assert_true(mk_store_folder_make(t->store, "carol/Projekte/Überblick", &id, NULL));
    g_assert_true(mk_store_folder_make(t->store, "carol/Projekte/Überblick", &again, NULL));
    g_assert_cmpuint(id, ==, again);
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(mk_store_folder_make(t->store, bad[i], &again, NULL));
    g_assert_false(mk_store_folder_make(t->store, long_path, &again, NULL));
    for (unsigned round = 0; round < 2; round++) {
        g_autoptr(GPtrArray) all = mk_store_folders(t->store);
        static const char *const paths[] = { "alice", "alice/Inbox", "carol", "carol/Projekte",
                                             "carol/Projekte/Überblick" };

        g_assert_cmpuint(all->len, ==, G_N_ELEMENTS(paths));
        for (unsigned i = 0; i < all->len; i++)
            g_assert_cmpstr(((MkFolder *) all->pdata[i])->path, ==, paths[i]);
        test_store_reopen(t);
    }
    path = mk_store_folder_path(t->store, id);
    g_assert_cmpstr(path, ==, "carol/Projekte/Überblick");
    g_assert_null(mk_store_folder_path(t->store, 99));
    mk_store_folder_find(t->store, "carol/nothing", &id);
    g_assert_cmpuint(id, ==, 0);
}

static void test_unknown_folder(TestStore *t, gconstpointer data)
{
    g_autoptr(GBytes) mail = test_mail_text(1);
    g_autoptr(GError) error = NULL;

    (void) data;
    g_assert_false(test_try_add(t, mail, 77, NULL, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_NOT_FOUND);
    g_assert_cmpuint(test_add(t, mail, t->folder).number, ==, 1);
    test_verify_clean(t);
}

static void test_lists(TestStore *t, gconstpointer data)
{
    g_autoptr(GPtrArray) all = NULL;
    uint32_t even;

    (void) data;
    g_assert_true(mk_store_folder_make(t->store, "even", &even, NULL));
    for (unsigned i = 1; i <= 10; i++) {
        g_autoptr(GBytes) mail = test_mail_text(i);

        test_add(t, mail, i % 2 ? t->folder : even);
    }
    for (unsigned round = 0; round < 2; round++) {
        g_autoptr(GArray) two = mk_store_folder_mails(t->store, even, 4, 2, NULL);
        g_autoptr(GArray) rest = mk_store_mails(t->store, 7, 100, NULL);

        g_assert_cmpuint(two->len, ==, 2);
        g_assert_cmpuint(g_array_index(two, uint32_t, 0), ==, 6);
        g_assert_cmpuint(g_array_index(two, uint32_t, 1), ==, 8);
        g_assert_cmpuint(rest->len, ==, 3);
        test_store_reopen(t);
    }
    all = mk_store_folders(t->store);
    g_assert_cmpuint(((MkFolder *) all->pdata[2])->id, ==, even);
    g_assert_cmpuint(((MkFolder *) all->pdata[2])->mail_count, ==, 5);
}

static void test_changes(TestStore *t, gconstpointer data)
{
    g_autoptr(GArray) changes = NULL;
    g_autoptr(GBytes) first = test_mail_text(1);

    (void) data;
    for (unsigned i = 1; i <= 5; i++) {
        g_autoptr(GBytes) mail = test_mail_text(i);

        test_add(t, mail, t->folder);
    }
    test_add(t, first, t->folder);
    g_assert_cmpuint(mk_store_last_change(t->store), ==, 6);
    changes = mk_store_changes(t->store, 4, 10, NULL);
    g_assert_cmpuint(changes->len, ==, 2);
    g_assert_cmpuint(g_array_index(changes, MkChange, 0).number, ==, 5);
    g_assert_cmpuint(g_array_index(changes, MkChange, 1).number, ==, 1);
    g_assert_cmpuint(g_array_index(changes, MkChange, 1).sequence, ==, 6);
    mk_store_changes_done(t->store, 5);
    test_store_reopen(t);
    g_assert_cmpuint(mk_store_last_change(t->store), ==, 6);
    g_clear_pointer(&changes, g_array_unref);
    changes = mk_store_changes(t->store, 0, 10, NULL);
    g_assert_cmpuint(g_array_index(changes, MkChange, changes->len - 1).sequence, ==, 6);
    test_verify_clean(t);
}

static void test_nothing_readable(TestStore *t, gconstpointer data)
{
    static const char *const words[] = { "Zebrafinch",   "quokkahorn",  "person1@example", "alice",
                                         "pangolin.bin", "wallabytown", "example.com" };

    (void) data;
    for (unsigned i = 0; i < 40; i++) {
        g_autoptr(GBytes) mail = test_mail_text(i);
        g_autofree uint8_t *noise = test_noise(i, 2000);
        g_autoptr(GBytes) attached = test_mail_with_attachment(i, noise, 2000);

        test_add(t, mail, t->folder);
        test_add(t, attached, t->folder);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
        g_assert_false(test_dir_contains(t->dir, words[i]));
    test_store_close(t);
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
        g_assert_false(test_dir_contains(t->dir, words[i]));
}

/* Mails of before and after a dictionary was trained are read with the one they need. */
static void test_training(TestStore *t, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    (void) data;
    g_assert_false(mk_store_wants_training(t->store));
    for (unsigned i = 1; i <= 330; i++) {
        g_autoptr(GBytes) mail = test_mail_text(i);

        if (i == 310) {
            g_assert_true(mk_store_wants_training(t->store));
            g_assert_true(mk_store_train(t->store, &error));
            g_assert_no_error(error);
            g_assert_false(mk_store_wants_training(t->store));
        }
        test_add(t, mail, t->folder);
    }
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 1; i <= 330; i += 3) {
            g_autoptr(GBytes) mail = test_mail_text(i);

            test_check_mail(t, i, mail);
        }
        test_verify_clean(t);
        test_store_reopen(t);
    }
}

static void test_open_twice_and_wrong_key(TestStore *t, gconstpointer data)
{
    MkStoreOptions options = test_store_options(t);
    g_autoptr(MkKey) other = mk_key_new_random();
    g_autoptr(GError) error = NULL;

    (void) data;
    g_assert_null(mk_store_open(&options, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_BUSY);
    g_clear_error(&error);
    test_store_close(t);
    options.master_key = other;
    g_assert_null(mk_store_open(&options, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_KEY);
    g_clear_error(&error);
    options = test_store_options(t);
    options.store_id = 2;
    g_assert_null(mk_store_open(&options, &error));
    g_assert_error(error, MK_ERROR, MK_ERROR_INVALID);
    test_store_open(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(mk_crypto_init(NULL));
    mk_mail_init();
#define ADD(name, func) g_test_add("/store/" name, TestStore, NULL, set_up, func, tear_down)
    ADD("round-trip", test_round_trip);
    ADD("info", test_info);
    ADD("read-some", test_read_some);
    ADD("attachments-once", test_attachments_once);
    ADD("sizes", test_sizes);
    ADD("duplicates", test_duplicates);
    ADD("duplicates-in-a-batch", test_duplicates_in_a_batch);
    ADD("message-id-is-no-identity", test_message_id_is_no_identity);
    ADD("threads", test_threads);
    ADD("receipts", test_receipts);
    ADD("folders", test_folders);
    ADD("unknown-folder", test_unknown_folder);
    ADD("lists", test_lists);
    ADD("changes", test_changes);
    ADD("nothing-readable", test_nothing_readable);
    ADD("training", test_training);
    ADD("open-twice-and-wrong-key", test_open_twice_and_wrong_key);
    return g_test_run();
}
