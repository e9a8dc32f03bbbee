/* test_lane.c - jobs: run on a lane, done on the loop, once, whatever happens */
#include <mailkeep/loop.h>

#include <sys/resource.h>
#include <unistd.h>

#include <uv.h>

#include <mailkeep/limits.h>

enum { GUARD_MS = 20000 };

typedef struct {
    MkLoop *loop;
    MkTimer *guard;
    unsigned done, ran, cancelled, wanted;
    uv_sem_t go; /* jobs of run_wait() pass it one by one */
} Fixture;

typedef struct {
    MkJob job; /* first member */
    Fixture *f;
    uint64_t in, out;
    bool saw_cancel;
} TestJob;

static void on_guard(void *cookie)
{
    (void) cookie;
    g_error("the test's loop ran too long");
}

static void set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    (void) data;
    f->loop = mk_loop_new(1, 2, &error);
    g_assert_no_error(error);
    f->guard = mk_timer_new(f->loop, on_guard, NULL);
    mk_timer_start(f->guard, GUARD_MS);
    uv_sem_init(&f->go, 0);
}

static void free_loop(Fixture *f)
{
    mk_timer_free(f->guard);
    mk_loop_free(f->loop);
    f->loop = NULL;
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void) data;
    if (f->loop != NULL)
        free_loop(f);
    uv_sem_destroy(&f->go);
}

static void run_square(MkJob *job)
{
    TestJob *self = (TestJob *) job;

    g_assert_false(mk_loop_is_loop_thread(self->f->loop));
    self->out = self->in * self->in;
}

static void run_priority(MkJob *job)
{
    ((TestJob *) job)->out = (uint64_t) getpriority(PRIO_PROCESS, (id_t) gettid());
}

static void run_wait(MkJob *job)
{
    uv_sem_wait(&((TestJob *) job)->f->go);
}

static void run_until_cancelled(MkJob *job)
{
    TestJob *self = (TestJob *) job;

    uv_sem_post(&self->f->go);
    while (!mk_job_is_cancelled(job))
        g_usleep(1000);
    self->saw_cancel = true;
}

static void job_done(MkJob *job)
{
    TestJob *self = (TestJob *) job;
    Fixture *f = self->f;

    g_assert_true(mk_loop_is_loop_thread(f->loop));
    f->done++;
    f->ran += job->ran ? 1 : 0;
    f->cancelled += mk_job_is_cancelled(job) ? 1 : 0;
    if (job->ran && job->run == run_square)
        g_assert_cmpuint(self->out, ==, self->in * self->in);
    if (f->done == f->wanted)
        mk_loop_stop(f->loop);
    g_free(self);
}

static TestJob *new_job(Fixture *f, void (*run)(MkJob *job), uint64_t in)
{
    TestJob *self = g_new0(TestJob, 1);

    self->job.run = run;
    self->job.done = job_done;
    self->f = f;
    self->in = in;
    return self;
}

static TestJob *submit(Fixture *f, MkLane lane, void (*run)(MkJob *job), uint64_t in)
{
    TestJob *self = new_job(f, run, in);
    g_autoptr(GError) error = NULL;

    g_assert_true(mk_job_submit(f->loop, lane, &self->job, &error));
    g_assert_no_error(error);
    return self;
}

static void test_jobs_run(Fixture *f, gconstpointer data)
{
    MkLoopGauges gauges;

    (void) data;
    f->wanted = 2000;
    for (unsigned i = 0; i < f->wanted; i++)
        submit(f, i % 2 ? MK_LANE_BULK : MK_LANE_INTERACTIVE, run_square, i);
    mk_loop_run(f->loop);
    g_assert_cmpuint(f->ran, ==, 2000);
    mk_loop_gauges(f->loop, &gauges);
    g_assert_cmpuint(gauges.jobs_done[MK_LANE_BULK], ==, 1000);
    g_assert_cmpuint(gauges.jobs_done[MK_LANE_INTERACTIVE], ==, 1000);
    g_assert_cmpuint(gauges.jobs_waiting[MK_LANE_BULK], ==, 0);
}

static void priority_done(MkJob *job)
{
    TestJob *self = (TestJob *) job;

    g_assert_cmpuint(self->out, >, self->in); /* a higher number gives way */
    job_done(job);
}

static void test_lanes_give_way_to_the_loop(Fixture *f, gconstpointer data)
{
    int own = getpriority(PRIO_PROCESS, 0);

    (void) data;
    if (own < 0 || own >= 15) {
        g_test_skip("the test itself runs at an unusual priority");
        return;
    }
    f->wanted = MK_LANE_COUNT;
    for (int lane = 0; lane < MK_LANE_COUNT; lane++)
        submit(f, (MkLane) lane, run_priority, (uint64_t) own)->job.done = priority_done;
    mk_loop_run(f->loop);
    g_assert_cmpuint(f->done, ==, MK_LANE_COUNT);
}

static void test_jobs_keep_the_loop_alive(Fixture *f, gconstpointer data)
{
    (void) data;
    mk_timer_stop(f->guard);
    f->wanted = 99; /* no stop: the loop ends because nothing is left */
    uv_sem_post(&f->go);
    submit(f, MK_LANE_BULK, run_wait, 0);
    mk_loop_run(f->loop);
    g_assert_cmpuint(f->done, ==, 1);
}

static void test_waiting_job_is_cancelled(Fixture *f, gconstpointer data)
{
    TestJob *job;

    (void) data;
    submit(f, MK_LANE_INTERACTIVE, run_wait, 0); /* holds the lane's only thread */
    job = submit(f, MK_LANE_INTERACTIVE, run_square, 3);
    mk_job_cancel(&job->job);
    f->wanted = 1;
    mk_loop_run(f->loop); /* comes although the lane is held */
    g_assert_cmpuint(f->ran, ==, 0);
    g_assert_cmpuint(f->cancelled, ==, 1);
    uv_sem_post(&f->go);
    f->wanted = 2;
    mk_loop_run(f->loop);
    g_assert_cmpuint(f->ran, ==, 1);
}

static void test_running_job_sees_cancel(Fixture *f, gconstpointer data)
{
    TestJob *job = submit(f, MK_LANE_BULK, run_until_cancelled, 0);

    (void) data;
    uv_sem_wait(&f->go); /* it runs */
    mk_job_cancel(&job->job);
    f->wanted = 1;
    mk_loop_run(f->loop);
    g_assert_cmpuint(f->ran, ==, 1);
    g_assert_cmpuint(f->cancelled, ==, 1);
}

static void test_queue_has_a_limit(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree TestJob *refused = new_job(f, run_square, 1);
    MkLoopGauges gauges;

    (void) data;
    submit(f, MK_LANE_INTERACTIVE, run_wait, 0);
    do /* until the thread has taken the first, so that exactly the limit waits */
        mk_loop_gauges(f->loop, &gauges);
    while (gauges.jobs_waiting[MK_LANE_INTERACTIVE] > 0);
    for (unsigned i = 0; i < MK_LIMIT_LANE_QUEUE_JOBS; i++)
        submit(f, MK_LANE_INTERACTIVE, run_square, i);
    g_assert_false(mk_job_submit(f->loop, MK_LANE_INTERACTIVE, &refused->job, &error));
    g_assert_cmpint(mk_error_code(error), ==, MK_ERROR_BUSY);
    uv_sem_post(&f->go);
    f->wanted = 1 + MK_LIMIT_LANE_QUEUE_JOBS;
    mk_loop_run(f->loop);
    g_assert_cmpuint(f->ran, ==, f->wanted);
}

static void test_free_ends_all(Fixture *f, gconstpointer data)
{
    (void) data;
    submit(f, MK_LANE_INTERACTIVE, run_wait, 0);
    for (unsigned i = 0; i < 10; i++)
        submit(f, MK_LANE_INTERACTIVE, run_square, i);
    uv_sem_post(&f->go);
    free_loop(f);
    g_assert_cmpuint(f->done, ==, 11);
    g_assert_cmpuint(f->cancelled + f->ran, ==, 11);
}

static void resubmit_done(MkJob *job)
{
    TestJob *self = (TestJob *) job;
    g_autoptr(GError) error = NULL;

    g_assert_false(mk_job_submit(self->f->loop, MK_LANE_BULK, job, &error));
    g_assert_cmpint(mk_error_code(error), ==, MK_ERROR_CANCELLED);
    self->f->done++;
    g_free(self);
}

static void test_submit_fails_while_stopping(Fixture *f, gconstpointer data)
{
    TestJob *self = submit(f, MK_LANE_BULK, run_square, 0);

    (void) data;
    self->job.done = resubmit_done; /* read on the loop only */
    free_loop(f);
    g_assert_cmpuint(f->done, ==, 1);
}

#define ADD(name) g_test_add("/loop/lane/" #name, Fixture, NULL, set_up, test_##name, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(jobs_run);
    ADD(lanes_give_way_to_the_loop);
    ADD(jobs_keep_the_loop_alive);
    ADD(waiting_job_is_cancelled);
    ADD(running_job_sees_cancel);
    ADD(queue_has_a_limit);
    ADD(free_ends_all);
    ADD(submit_fails_while_stopping);
    return g_test_run();
}
