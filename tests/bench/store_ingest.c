/*
 * store_ingest.c - the store alone: durable mails a second, processor time, octets on disk
 *
 *   store_ingest DIR|MBOX... [--check-all] [--threads N] [--limit N]
 *
 * DIR: every file below it is one mail; a file: an mbox, cut at "From ". Mails lie in memory
 * before the clock starts. Each thread waits for its mail's commit before the next, as an SMTP
 * client does.
 */
#include "../support/store_help.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static GPtrArray *mails;
static guint limit = G_MAXUINT;
static guint check_every = 97; /* --check-all: 1 */
static gint next_mail;
static TestStore t;
static uint64_t raw_bytes;

static void add_mail(const char *data, gsize length)
{
    if (mails->len < limit)
        g_ptr_array_add(mails, g_bytes_new(data, length));
}

static void load_mbox(const char *data, gsize length)
{
    const char *start = data, *end = data + length;

    while (start < end) {
        const char *next = memmem(start + 1, (gsize) (end - start - 1), "\nFrom ", 6);
        const char *stop = next != NULL ? next + 1 : end;
        const char *body =
            g_str_has_prefix(start, "From ") ? memchr(start, '\n', (gsize) (end - start)) : NULL;

        body = body != NULL ? body + 1 : start;
        add_mail(body, (gsize) (stop - body));
        start = stop;
    }
}

static void load(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    g_autofree char *data = NULL;
    gsize length;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *below = g_build_filename(path, name, NULL);

        load(below);
    }
    if (dir != NULL || !g_file_get_contents(path, &data, &length, NULL))
        return;
    if (g_str_has_suffix(path, ".mbox"))
        load_mbox(data, length);
    else
        add_mail(data, length);
}

static double cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void *run(void *unused)
{
    for (;;) {
        guint i = (guint) g_atomic_int_add(&next_mail, 1);

        if (i >= mails->len)
            return unused;
        test_add(&t, mails->pdata[i], t.folder);
        if (mk_store_wants_training(t.store) && !mk_store_train(t.store, NULL))
            fprintf(stderr, "no training\n");
    }
}

static void check_all(void)
{
    for (guint i = 0; i < mails->len; i += check_every) {
        MkCommitted committed = test_add(&t, mails->pdata[i], t.folder);

        test_check_mail(&t, committed.number, mails->pdata[i]);
    }
}

static void report(double seconds, double cpu)
{
    MkStoreStatistics s;
    double raw = (double) raw_bytes;

    test_store_reopen(&t);
    mk_store_statistics(t.store, &s, NULL);
    printf("%u mails, %.1f MB, mean %.0f: %.0f mails/s, %.3f s CPU per 1,000 mails\n", mails->len,
           raw / 1e6, raw / mails->len, mails->len / seconds, cpu * 1000 / mails->len);
    printf("kept %" G_GUINT64_FORMAT " mails, %" G_GUINT64_FORMAT
           " blobs; content %.3f catalog %.3f sum %.3f of raw; %.0f catalog octets a mail\n",
           s.mail_count, s.blob_count, (double) s.content_bytes / raw,
           (double) s.catalog_bytes / raw, (double) (s.content_bytes + s.catalog_bytes) / raw,
           (double) s.catalog_bytes / (double) s.mail_count);
}

int main(int argc, char **argv)
{
    pthread_t threads[256];
    guint count = 1;
    double began_cpu;
    gint64 began;

    mk_crypto_init(NULL);
    mk_mail_init();
    mails = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc)
            count = (guint) atoi(argv[++i]);
        else if (strcmp(argv[i], "--check-all") == 0)
            check_every = 1;
        else if (strcmp(argv[i], "--limit") == 0 && i + 1 < argc)
            limit = (guint) atoi(argv[++i]);
        else
            load(argv[i]);
    }
    count = CLAMP(count, 1, G_N_ELEMENTS(threads));
    if (mails->len == 0) {
        printf("usage: store_ingest DIR|MBOX... [--check-all] [--threads N] [--limit N]\n");
        return argc > 1;
    }
    for (guint i = 0; i < mails->len; i++)
        raw_bytes += g_bytes_get_size(mails->pdata[i]);
    test_store_set_up(&t);
    began = g_get_monotonic_time();
    began_cpu = cpu_seconds();
    for (guint i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, run, NULL);
    for (guint i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    report((double) (g_get_monotonic_time() - began) / 1e6, cpu_seconds() - began_cpu);
    check_all();
    test_store_tear_down(&t);
    g_ptr_array_unref(mails);
    return 0;
}
