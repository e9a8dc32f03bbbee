/* store_help.c - stores in temporary directories, mails made up, for the tests of store/ */
#include "store_help.h"

#include <string.h>

#include <glib/gstdio.h>

/* -- directories ------------------------------------------------------------------------------ */

char *test_dir_new(void)
{
    return g_dir_make_tmp("store-XXXXXX", NULL);
}

typedef void (*EachFile)(const char *path, void *cookie);

static void each_file(const char *dir, EachFile func, void *cookie)
{
    g_autoptr(GDir) d = g_dir_open(dir, 0, NULL);
    const char *name;

    while (d != NULL && (name = g_dir_read_name(d)) != NULL) {
        g_autofree char *path = g_build_filename(dir, name, NULL);

        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            each_file(path, func, cookie);
        func(path, cookie);
    }
}

static void remove_one(const char *path, void *cookie)
{
    (void) cookie;
    g_remove(path);
}

void test_dir_remove(const char *dir)
{
    each_file(dir, remove_one, NULL);
    g_remove(dir);
}

typedef struct {
    const char *from, *to;
} CopyWork;

static void copy_one(const char *path, void *cookie)
{
    CopyWork *work = cookie;
    g_autofree char *target = g_strconcat(work->to, path + strlen(work->from), NULL);
    g_autofree char *parent = g_path_get_dirname(target);
    g_autofree char *data = NULL;
    gsize length;

    if (g_file_test(path, G_FILE_TEST_IS_DIR) || g_str_has_suffix(path, "lock.mdb"))
        return;
    g_mkdir_with_parents(parent, 0700);
    g_assert_true(g_file_get_contents(path, &data, &length, NULL));
    g_assert_true(g_file_set_contents_full(target, data, (gssize) length, G_FILE_SET_CONTENTS_NONE,
                                           0600, NULL));
}

void test_dir_copy(const char *from, const char *to)
{
    CopyWork work = { from, to };

    each_file(from, copy_one, &work);
}

typedef struct {
    const char *needle;
    bool found;
    uint64_t size;
} SearchWork;

static void search_one(const char *path, void *cookie)
{
    SearchWork *work = cookie;
    g_autofree char *data = NULL;
    gsize length = 0;

    if (g_file_test(path, G_FILE_TEST_IS_DIR) || !g_file_get_contents(path, &data, &length, NULL))
        return;
    work->size += length;
    if (work->needle != NULL && memmem(data, length, work->needle, strlen(work->needle)) != NULL)
        work->found = true;
}

bool test_dir_contains(const char *dir, const char *needle)
{
    SearchWork work = { needle, false, 0 };

    each_file(dir, search_one, &work);
    return work.found;
}

uint64_t test_dir_size(const char *dir)
{
    SearchWork work = { NULL, false, 0 };

    each_file(dir, search_one, &work);
    return work.size;
}

/* -- stores --------------------------------------------------------------------------------------- */

MkStoreOptions test_store_options(const TestStore *t)
{
    return (MkStoreOptions){ t->dir, t->master, 1, 1u << 30 };
}

void test_store_open(TestStore *t)
{
    MkStoreOptions options = test_store_options(t);
    g_autoptr(GError) error = NULL;

    t->store = mk_store_open(&options, &error);
    g_assert_no_error(error);
    g_assert_nonnull(t->store);
}

void test_store_close(TestStore *t)
{
    g_clear_pointer(&t->store, mk_store_close);
}

void test_store_reopen(TestStore *t)
{
    test_store_close(t);
    test_store_open(t);
}

void test_store_set_up(TestStore *t)
{
    g_autoptr(GError) error = NULL;

    t->dir = test_dir_new();
    t->master = mk_key_new_random();
    test_store_open(t);
    g_assert_true(mk_store_folder_make(t->store, "alice/Inbox", &t->folder, &error));
    g_assert_no_error(error);
}

void test_store_tear_down(TestStore *t)
{
    test_store_close(t);
    test_dir_remove(t->dir);
    g_clear_pointer(&t->master, mk_key_free);
    g_clear_pointer(&t->dir, g_free);
}

uint64_t test_verify(TestStore *t)
{
    g_autoptr(GError) error = NULL;
    MkVerifyReport report = { 0 };
    uint64_t errors;

    g_assert_true(mk_store_verify(t->store, NULL, NULL, &report, &error));
    g_assert_no_error(error);
    errors = report.errors;
    for (guint i = 0; report.messages != NULL && i < report.messages->len && i < 5; i++)
        g_test_message("verify: %s", (char *) report.messages->pdata[i]);
    mk_verify_report_clear(&report);
    return errors;
}

void test_verify_clean(TestStore *t)
{
    g_assert_cmpuint(test_verify(t), ==, 0);
}

/* -- mails ---------------------------------------------------------------------------------------- */

uint8_t *test_noise(unsigned seed, size_t length)
{
    uint8_t *data = g_malloc(length + 1);
    uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;

    for (size_t i = 0; i < length; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        data[i] = (uint8_t) (state >> 56);
    }
    return data;
}

GBytes *test_mail_text(unsigned number)
{
    GString *mail = g_string_new(NULL);

    g_string_append_printf(mail,
                           "From: Person %u <person%u@example.com>\r\nTo: alice@example.com\r\n"
                           "Subject: Zebrafinch number %u\r\nMessage-ID: <%u@example.com>\r\n"
                           "Date: Mon, 2 Mar 2026 10:00:00 +0000\r\n\r\n",
                           number % 7, number % 7, number, number);
    for (unsigned i = 0; i < 5 + number % 20; i++)
        g_string_append_printf(mail, "Line %u of mail %u says quokkahorn and no more.\r\n", i,
                               number * 31 + i);
    return g_string_free_to_bytes(mail);
}

GBytes *test_mail_with_attachment(unsigned number, const uint8_t *data, size_t length)
{
    GString *mail = g_string_new(NULL);
    g_autofree char *encoded = g_base64_encode(data, length);
    size_t encoded_length = strlen(encoded);

    g_string_append_printf(mail,
                           "From: bob@example.com\r\nSubject: Attached %u\r\n"
                           "MIME-Version: 1.0\r\n"
                           "Content-Type: multipart/mixed; boundary=\"=_b%u\"\r\n\r\n"
                           "--=_b%u\r\nContent-Type: text/plain\r\n\r\nSee file %u.\r\n"
                           "--=_b%u\r\nContent-Type: application/octet-stream\r\n"
                           "Content-Disposition: attachment; filename=\"pangolin.bin\"\r\n"
                           "Content-Transfer-Encoding: base64\r\n\r\n",
                           number, number, number, number, number);
    for (size_t at = 0; at < encoded_length; at += 76)
        g_string_append_printf(mail, "%.76s\r\n", encoded + at);
    g_string_append_printf(mail, "--=_b%u--\r\n", number);
    return g_string_free_to_bytes(mail);
}

bool test_try_add(TestStore *t, GBytes *mail, uint32_t folder, MkCommitted *out, GError **error)
{
    g_autoptr(GBytes) envelope = g_bytes_new_static("envelope of wallabytown", 23);
    g_autoptr(GBytes) meta = g_bytes_new_static("meta", 4);
    MkReceipt receipt = { .arrived_unix_ms = 1772445600123, .envelope = envelope };
    gsize length;
    const uint8_t *data = g_bytes_get_data(mail, &length);
    g_autoptr(GArray) pieces = mk_mail_split(data, length);
    MkNewMail new_mail = {
        .data = data,
        .length = length,
        .pieces = pieces,
        .date_unix_ms = 1772445600000,
        .flags = MK_MAIL_IMPORTANCE_HIGH,
        .folders = &folder,
        .folder_count = 1,
        .receipt = &receipt,
        .meta = meta,
    };

    return mk_store_add(t->store, &new_mail, out, error);
}

MkCommitted test_add(TestStore *t, GBytes *mail, uint32_t folder)
{
    g_autoptr(GError) error = NULL;
    MkCommitted committed = { 0 };
    bool good = test_try_add(t, mail, folder, &committed, &error);

    g_assert_no_error(error);
    g_assert_true(good);
    return committed;
}

void test_check_mail(TestStore *t, uint32_t number, GBytes *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) mail = mk_store_read(t->store, number, &error);

    g_assert_no_error(error);
    g_assert_true(g_bytes_equal(mail, expected));
}
