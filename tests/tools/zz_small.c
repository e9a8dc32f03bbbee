/*
 * search_run.c - asks an archive as the web does, and tells how long each answer took
 *
 *   search_run DIR           questions on standard input, one a line; answers in the same order
 *   search_run --index DIR   only waits until the index has everything; tells what that cost
 *
 * DIR is a data directory that no daemon has open. A question is QUERY<TAB>FROM_MS<TAB>TO_MS<TAB>
 * LIMIT<TAB>SNIPPETS(0|1); its answer MICROSECONDS<TAB>TOTAL<TAB>HITS<TAB>SNIPPETS<TAB>SIZE and
 * DATE_MS of the first hit, or `error<TAB>` and why. Everything readable is searched, and what is
 * timed is mk_archive_find(), which is all that /api/v1/search does but for its JSON.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <mailkeep/archive.h>
#include <mailkeep/crypto.h>
#include <mailkeep/log.h>
#include <mailkeep/mail.h>

enum { QUIET_MS = 2000, LOOK_MS = 50, FIELDS = 5 };

#define MAP_SIZE_BYTES (UINT64_C(1) << 32)

static MkLoop *loop;
static MkArchive *archive;
static MkPrincipal *system_principal;

static void fail_on(const GError *error)
{
    if (error == NULL)
        return;
    fprintf(stderr, "search_run: %s\n", error->message);
    exit(1);
}

static double cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/* -- an archive of its own ------------------------------------------------------------------ */
static void open_archive(const char *dir)
{
    g_autoptr(GError) error = NULL;

    mk_log_set_level(MK_LOG_ERROR);
    mk_mail_init();
    mk_crypto_init(&error);
    fail_on(error);
    loop = mk_loop_new(2, 2, &error);
    fail_on(error);
    archive = mk_archive_open(loop, dir, MAP_SIZE_BYTES, &error);
    fail_on(error);
    system_principal = mk_principal_system(archive);
}

static void on_stopped(void *cookie)
{
    *(bool *) cookie = true;
}

static void turn(unsigned ms)
{
    mk_loop_turn(loop);
    g_usleep(ms * 1000);
}

static void close_archive(void)
{
    bool stopped = false;

    mk_archive_stop(archive, on_stopped, &stopped);
    while (!stopped)
        turn(1);
    mk_principal_unref(system_principal);
    mk_archive_close(archive);
    mk_loop_free(loop);
}

/* -- the index ------------------------------------------------------------------------------ */
/* KiB of a line of smaps_rollup; the index's own pages of its file are not "Anonymous". */
static long memory_kib(const char *name)
{
    g_autofree char *text = NULL;
    const char *at;

    if (!g_file_get_contents("/proc/self/smaps_rollup", &text, NULL, NULL))
        return 0;
    at = strstr(text, name);
    return at == NULL ? 0 : strtol(at + strlen(name), NULL, 10);
}

static bool is_behind(void)
{
    MkArchiveGauges gauges;

    mk_archive_gauges(archive, &gauges);
    return gauges.index_behind > 0;
}

/* Merging goes on behind the last mail: until nothing uses the processor any more. */
static void wait_for_index(void)
{
    long pss = 0, anonymous = 0;
    double quiet_since = 0, last = cpu_seconds(), began = last;
    gint64 started_us = g_get_monotonic_time();

    while (quiet_since < QUIET_MS) {
        turn(LOOK_MS);
        pss = MAX(pss, memory_kib("\nPss:"));
        anonymous = MAX(anonymous, memory_kib("\nAnonymous:"));
        /* Looking at the memory costs a little, too. */
        quiet_since = is_behind() || cpu_seconds() - last > 0.01 ? 0 : quiet_since + LOOK_MS;
        last = cpu_seconds();
    }
    printf("cpu_seconds=%.3f\nseconds=%.1f\npss_kib=%ld\nanonymous_kib=%ld\n", last - began,
           (double) (g_get_monotonic_time() - started_us) / 1e6 - QUIET_MS / 1000.0, pss,
           anonymous);
}

/* -- questions ------------------------------------------------------------------------------ */
static unsigned count_snippets(const MkFound *found)
{
    unsigned count = 0;

    for (guint i = 0; i < found->hits->len; i++)
        count += ((const MkFoundMail *) found->hits->pdata[i])->snippet != NULL;
    return count;
}

static void answer(char **fields)
{
    MkFind find = { .principal = system_principal,
                    .query = fields[0],
                    .date_from_unix_ms = g_ascii_strtoll(fields[1], NULL, 10),
                    .date_to_unix_ms = g_ascii_strtoll(fields[2], NULL, 10),
                    .limit = (unsigned) strtoul(fields[3], NULL, 10),
                    .with_snippets = fields[4][0] == '1' };
    g_autoptr(GError) error = NULL;
    gint64 began_us = g_get_monotonic_time();
    g_autoptr(MkFound) found = mk_archive_find(archive, &find, &error);
    gint64 took_us = g_get_monotonic_time() - began_us;

    if (found == NULL) {
        printf("error\t%s\n", error->message);
        return;
    }
    const MkFoundMail *first = found->hits->len > 0 ? found->hits->pdata[0] : NULL;
    printf("%" G_GINT64_FORMAT "\t%" G_GUINT64_FORMAT "\t%u\t%u\t%" G_GUINT64_FORMAT
           "\t%" G_GINT64_FORMAT "\n",
           took_us, found->total, found->hits->len, count_snippets(found),
           first == NULL ? 0 : first->size_bytes, first == NULL ? 0 : first->date_unix_ms);
}

static void answer_all(void)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;

    while ((length = getline(&line, &room, stdin)) > 0) {
        g_strchomp(line);
        g_auto(GStrv) fields = g_strsplit(line, "\t", FIELDS);

        if (g_strv_length(fields) == FIELDS)
            answer(fields);
        else if (g_str_equal(line, "memory"))
            printf("%ld\t%ld\n", memory_kib("\nPss:"), memory_kib("\nAnonymous:"));
        else
            printf("error\tnot a question\n");
        fflush(stdout);
    }
    free(line);
}

int main(int argc, char **argv)
{
    bool only_index = argc == 3 && g_str_equal(argv[1], "--index");

    if (argc != 2 && !only_index) {
        fprintf(stderr, "usage: search_run [--index] DIR\n");
        return 2;
    }
    /* As the daemon has it (daemon/memory.c): lanes share few arenas. */
    mallopt(M_ARENA_MAX, 2);
    open_archive(argv[argc - 1]);
    if (only_index)
        wait_for_index();
    else
        answer_all();
    close_archive();
    return 0;
}
