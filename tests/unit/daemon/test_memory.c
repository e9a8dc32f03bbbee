/* test_memory.c - what is kept in memory for the next question is given back when none comes */
#include "daemon/internal.h"

/* Stands in for an archive: how often it was told to let go. */
static unsigned released;

void mk_archive_release_memory(MkArchive *archive)
{
    (void) archive;
    released++;
}

/* -- looks that the test asks for, one at a time ------------------------------------------------- */
typedef struct {
    MkLoop *loop;
    MemoryKeeper *keeper;
} Quiet;

static void quiet_init(Quiet *quiet, uint64_t every_ms)
{
    g_autoptr(GError) error = NULL;

    released = 0;
    quiet->loop = mk_loop_new(1, 1, &error);
    g_assert_no_error(error);
    quiet->keeper = memory_keeper_new(quiet->loop, NULL, every_ms);
}

static void quiet_clear(Quiet *quiet)
{
    memory_keeper_free(quiet->keeper);
    mk_loop_free(quiet->loop);
}

static void turn(const Quiet *quiet)
{
    mk_loop_turn(quiet->loop);
    g_usleep(100);
}

/* The keeper's own job, if it has begun one, is done after this. */
static void look(const Quiet *quiet)
{
    memory_keeper_look(quiet->keeper);
    while (memory_keeper_is_trimming(quiet->keeper))
        turn(quiet);
}

typedef struct {
    MkJob job;
    bool done;
} Work;

static void work_run(MkJob *job)
{
    (void) job;
}

static void work_done(MkJob *job)
{
    ((Work *) job)->done = true;
}

/* Somebody searches, or a mail comes. */
static void work(const Quiet *quiet)
{
    Work work = { .job = { .run = work_run, .done = work_done } };

    g_assert_true(mk_job_submit(quiet->loop, MK_LANE_INTERACTIVE, &work.job, NULL));
    while (!work.done)
        turn(quiet);
}

#define NEVER_MS (UINT64_C(1000) * 3600)

static void test_after_a_minute(void)
{
    Quiet quiet;

    g_assert_cmpuint(MEMORY_LOOK_EVERY_MS * MEMORY_QUIET_LOOKS, ==, 60000);
    quiet_init(&quiet, NEVER_MS);
    for (int i = 1; i < MEMORY_QUIET_LOOKS; i++)
        look(&quiet);
    g_assert_cmpuint(released, ==, 0);
    look(&quiet);
    g_assert_cmpuint(released, ==, 1);
    for (int i = 0; i < 3 * MEMORY_QUIET_LOOKS; i++)
        look(&quiet);
    g_assert_cmpuint(released, ==, 1); /* once is enough, until there is work again */
    quiet_clear(&quiet);
}

/* Work begins the minute anew; the keeper's own jobs do not. */
static void test_work_meanwhile(void)
{
    Quiet quiet;

    quiet_init(&quiet, NEVER_MS);
    for (int round = 0; round < 5; round++) {
        work(&quiet);
        for (int i = 0; i < MEMORY_QUIET_LOOKS / 2; i++)
            look(&quiet);
    }
    g_assert_cmpuint(released, ==, 0);
    for (int i = 0; i < MEMORY_QUIET_LOOKS; i++)
        look(&quiet);
    g_assert_cmpuint(released, ==, 1);
    work(&quiet);
    for (int i = 0; i < 2 * MEMORY_QUIET_LOOKS; i++)
        look(&quiet);
    g_assert_cmpuint(released, ==, 2);
    quiet_clear(&quiet);
}

/* Nobody asks for it: the timer does. */
static void test_by_itself(void)
{
    int64_t until_ms = mk_clock_monotonic_ms() + 60000;
    Quiet quiet;

    quiet_init(&quiet, 1);
    work(&quiet);
    while (released == 0) {
        g_assert_cmpint(mk_clock_monotonic_ms(), <, until_ms);
        turn(&quiet);
    }
    quiet_clear(&quiet);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/memory/after-a-minute", test_after_a_minute);
    g_test_add_func("/memory/work-meanwhile", test_work_meanwhile);
    g_test_add_func("/memory/by-itself", test_by_itself);
    return g_test_run();
}
