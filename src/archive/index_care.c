/*
 * index_care.c - what the index needs beside new mails: segments joined, slow attachments read
 *
 * Two tasks, each a chain of jobs on the care lane with one job at a time, so that neither holds
 * back the follower's batches: a mail is findable while a merge runs or a scan is being read.
 *
 *   RESTING --wanted, job submitted--> RUNNING --more--> RUNNING
 *      ^                                  |
 *      +---- nothing more, error, stop ---+   (wanted meanwhile: once more)
 */
#include <mailkeep/log.h>

#include "internal.h"

typedef struct CareTask CareTask;

typedef struct {
    MkJob job;
    /* in */
    CareTask *task; /* loop only but for what run() uses: archive, store, reader, skip */
    /* out */
    bool more;
    GError *error;
} CareJob;

struct CareTask {
    MkArchive *archive;
    ArchiveStore *store;
    void (*run)(MkJob *job);
    const char *failed_event;
    CareJob *running; /* NULL in RESTING */
    CareTask *merge;  /* that joins the segments which this one writes; or NULL */
    bool wanted;      /* while RUNNING */
    bool stopped;
    /* of the job that runs */
    AttachmentReader *reader;
    unsigned skip;
};

struct IndexCare {
    CareTask merge;
    CareTask texts;
};

/* -- on the lane ------------------------------------------------------------------------------- */
static void run_merge(MkJob *job)
{
    CareJob *self = (CareJob *) job;
    ArchiveStore *store = self->task->store;
    uint64_t started_us = thread_cpu_us();

    pthread_mutex_lock(&store->merge_lock);
    if (store->merge_unwanted == 0)
        mk_index_merge(store->index, &job->cancelled, &self->more, &self->error);
    pthread_mutex_unlock(&store->merge_lock);
    if (g_error_matches(self->error, MK_ERROR, MK_ERROR_CANCELLED))
        g_clear_error(&self->error);
    if (g_error_matches(self->error, MK_ERROR, MK_ERROR_CORRUPT))
        index_status_damaged(self->task->archive, store, self->error->message);
    self->task->archive->index_cpu_us += thread_cpu_us() - started_us;
}

static void run_texts(MkJob *job)
{
    CareJob *self = (CareJob *) job;
    CareTask *task = self->task;

    text_pass(task->archive, task->store, task->reader, job, &task->skip, &self->more,
              &self->error);
    if (!self->more)
        attachment_reader_rest(task->reader);
}

/* -- on the loop ------------------------------------------------------------------------------- */
static void task_start(CareTask *task);

static void care_done(MkJob *job)
{
    CareJob *self = (CareJob *) job;
    CareTask *task = self->task;
    MkArchive *archive = task->archive;

    task->running = NULL;
    if (self->error != NULL)
        mk_log_error(task->failed_event, "store", MK_LOG_U64(task->store->id), "error",
                     mk_error_name(mk_error_code(self->error)), "why", self->error->message);
    else if (self->more || task->wanted)
        task_start(task);
    if (task->merge != NULL && mk_index_wants_merge(task->store->index))
        task_start(task->merge);
    if (task->running == NULL)
        task->skip = 0;
    g_clear_error(&self->error);
    g_free(self);
    archive_busy_end(archive);
}

static void task_start(CareTask *task)
{
    CareJob *job;

    task->wanted = task->running != NULL;
    if (task->stopped || task->running != NULL)
        return;
    job = g_new0(CareJob, 1);
    job->job.run = task->run;
    job->job.done = care_done;
    job->task = task;
    if (!mk_job_submit(task->archive->loop, MK_LANE_CARE, &job->job, NULL)) {
        g_free(job); /* the next batch asks again */
        return;
    }
    task->running = job;
    archive_busy_begin(task->archive);
}

static void task_stop(CareTask *task)
{
    task->stopped = true;
    if (task->running != NULL)
        mk_job_cancel(&task->running->job);
}

IndexCare *index_care_new(MkArchive *archive, ArchiveStore *store)
{
    IndexCare *care = g_new0(IndexCare, 1);

    care->merge = (CareTask){
        .archive = archive, .store = store, .run = run_merge, .failed_event = "archive.merge-failed"
    };
    care->texts = (CareTask){ .archive = archive,
                              .store = store,
                              .run = run_texts,
                              .failed_event = "archive.texts-failed",
                              .merge = &care->merge,
                              .reader = attachment_reader_new(archive, true) };
    return care;
}

void index_care_after_batch(IndexCare *care, bool text_pending)
{
    if (mk_index_wants_merge(care->merge.store->index))
        task_start(&care->merge);
    if (text_pending)
        task_start(&care->texts);
}

void index_care_stop(IndexCare *care)
{
    task_stop(&care->merge);
    task_stop(&care->texts);
}

void index_care_free(IndexCare *care)
{
    if (care == NULL)
        return;
    attachment_reader_free(care->texts.reader);
    g_free(care);
}
