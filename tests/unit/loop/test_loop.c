/* test_loop.c - turns, posts from threads, timers, signals, stopping */
#include <mailkeep/loop.h>

#include <signal.h>
#include <unistd.h>

#include <uv.h>

#include <mailkeep/base.h>

enum { GUARD_MS = 20000 };

static void on_guard(void *cookie)
{
    (void) cookie;
    g_error("the test's loop ran too long");
}

typedef struct {
    MkLoop *loop;
    MkTimer *guard;
    unsigned count, wanted;
    bool in_order;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    (void) data;
    f->loop = mk_loop_new(2, 2, &error);
    g_assert_no_error(error);
    f->guard = mk_timer_new(f->loop, on_guard, NULL);
    mk_timer_start(f->guard, GUARD_MS);
    f->in_order = true;
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void) data;
    mk_timer_free(f->guard);
    mk_loop_free(f->loop);
}

static void stop(void *cookie)
{
    mk_loop_stop(((Fixture *) cookie)->loop);
}

static void count(void *cookie)
{
    Fixture *f = cookie;

    if (++f->count == f->wanted)
        mk_loop_stop(f->loop);
}

/* -- posts -- */
enum { POSTERS = 4, POSTS_EACH = 5000 };

typedef struct {
    Fixture *f;
    unsigned next_got;
} Poster;

typedef struct {
    Poster *poster;
    unsigned number;
} Numbered;

static void on_numbered(void *cookie)
{
    g_autofree Numbered *numbered = cookie;
    Poster *poster = numbered->poster;

    /* Posts of one thread keep their order. */
    if (numbered->number != poster->next_got++)
        poster->f->in_order = false;
    count(poster->f);
}

static void poster_thread(void *arg)
{
    Poster *poster = arg;

    for (unsigned i = 0; i < POSTS_EACH; i++) {
        Numbered *numbered = g_new0(Numbered, 1);

        numbered->poster = poster;
        numbered->number = i;
        mk_loop_post(poster->f->loop, on_numbered, numbered);
    }
}

static void test_posts_keep_order(Fixture *f, gconstpointer data)
{
    Poster posters[POSTERS] = { 0 };
    uv_thread_t threads[POSTERS];

    (void) data;
    f->wanted = POSTERS * POSTS_EACH;
    for (int i = 0; i < POSTERS; i++) {
        posters[i].f = f;
        uv_thread_create(&threads[i], poster_thread, &posters[i]);
    }
    mk_loop_run(f->loop);
    for (int i = 0; i < POSTERS; i++)
        uv_thread_join(&threads[i]);
    g_assert_cmpuint(f->count, ==, POSTERS * POSTS_EACH);
    g_assert_true(f->in_order);
}

static void test_post_is_delivered_by_run_and_free(void)
{
    g_autoptr(GError) error = NULL;
    Fixture f = { .loop = mk_loop_new(1, 1, &error), .wanted = 99 };

    mk_loop_post(f.loop, count, &f);
    mk_loop_run(f.loop); /* nothing else to wait for: ends by itself */
    g_assert_cmpuint(f.count, ==, 1);
    mk_loop_post(f.loop, count, &f);
    mk_loop_free(f.loop);
    g_assert_cmpuint(f.count, ==, 2);
}

/* -- timers -- */
static void test_timer_once_and_repeat(Fixture *f, gconstpointer data)
{
    MkTimer *once = mk_timer_new(f->loop, count, f);
    MkTimer *repeat = mk_timer_new(f->loop, count, f);
    int64_t start = mk_clock_monotonic_ms();

    (void) data;
    f->wanted = 4;
    mk_timer_start(once, 5);
    mk_timer_start_repeat(repeat, 20);
    mk_loop_run(f->loop);
    g_assert_cmpint(mk_clock_monotonic_ms() - start, >=, 58);
    mk_timer_free(once);
    mk_timer_free(repeat);
    mk_timer_free(NULL);
}

static void test_timer_counts_from_now(Fixture *f, gconstpointer data)
{
    MkTimer *timer = mk_timer_new(f->loop, stop, f);
    int64_t start;

    (void) data;
    mk_loop_turn(f->loop);
    g_usleep(60000); /* the loop's cached time is old now */
    start = mk_clock_monotonic_ms();
    mk_timer_start(timer, 50);
    mk_loop_run(f->loop);
    g_assert_cmpint(mk_clock_monotonic_ms() - start, >=, 48);
    mk_timer_free(timer);
}

static void test_timer_stopped_is_silent(Fixture *f, gconstpointer data)
{
    MkTimer *silent = mk_timer_new(f->loop, on_guard, NULL);
    MkTimer *end = mk_timer_new(f->loop, stop, f);

    (void) data;
    mk_timer_start(silent, 1);
    mk_timer_stop(silent);
    mk_timer_start(end, 20);
    mk_loop_run(f->loop);
    mk_timer_start(silent, 0);
    mk_timer_free(silent); /* due, yet freed first */
    mk_timer_start(end, 5);
    mk_loop_run(f->loop);
    mk_timer_free(end);
}

/* -- signals -- */
static void on_hup(int signum, void *cookie)
{
    Fixture *f = cookie;

    g_assert_cmpint(signum, ==, SIGHUP);
    f->count++;
    mk_loop_stop(f->loop);
}

static void test_signal(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    (void) data;
    g_assert_true(mk_loop_on_signal(f->loop, SIGHUP, on_hup, NULL, &error));
    g_assert_true(mk_loop_on_signal(f->loop, SIGHUP, on_hup, f, &error)); /* the later one counts */
    kill(getpid(), SIGHUP);
    mk_loop_run(f->loop);
    g_assert_cmpuint(f->count, ==, 1);
    g_assert_false(mk_loop_on_signal(f->loop, SIGKILL, on_hup, f, &error));
    g_assert_nonnull(error);
}

/* -- threads, delay -- */
static void other_thread(void *arg)
{
    g_assert_false(mk_loop_is_loop_thread(arg));
}

static void test_loop_thread(Fixture *f, gconstpointer data)
{
    uv_thread_t thread;

    (void) data;
    g_assert_true(mk_loop_is_loop_thread(f->loop));
    uv_thread_create(&thread, other_thread, f->loop);
    uv_thread_join(&thread);
}

static void block(void *cookie)
{
    (void) cookie;
    g_usleep(300000);
}

static void test_blocked_turn_shows(Fixture *f, gconstpointer data)
{
    MkTimer *blocker = mk_timer_new(f->loop, block, NULL);
    MkTimer *end = mk_timer_new(f->loop, stop, f);
    MkLoopGauges gauges;

    (void) data;
    mk_timer_start(blocker, 10);
    mk_timer_start(end, 400);
    mk_loop_run(f->loop);
    mk_loop_gauges(f->loop, &gauges);
    g_assert_cmpuint(gauges.delay_max_us, >=, 200000);
    g_assert_cmpuint(gauges.delay_max_us, <, 5000000);
    g_assert_cmpuint(gauges.delay_p99_us, >=, 200000);
    g_assert_cmpuint(gauges.delay_p50_us, <=, gauges.delay_p99_us);
    mk_timer_free(blocker);
    mk_timer_free(end);
}

#define ADD(name, func) g_test_add("/loop/loop/" name, Fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("posts_keep_order", test_posts_keep_order);
    g_test_add_func("/loop/loop/post_is_delivered_by_run_and_free",
                    test_post_is_delivered_by_run_and_free);
    ADD("timer_once_and_repeat", test_timer_once_and_repeat);
    ADD("timer_counts_from_now", test_timer_counts_from_now);
    ADD("timer_stopped_is_silent", test_timer_stopped_is_silent);
    ADD("signal", test_signal);
    ADD("loop_thread", test_loop_thread);
    ADD("blocked_turn_shows", test_blocked_turn_shows);
    return g_test_run();
}
