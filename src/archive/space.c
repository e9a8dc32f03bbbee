/*
 * space.c - is there room for one more mail?
 *
 * The free octets of the data directory's file system are looked up by a small job now and then,
 * because even statvfs() may wait for a disk; the loop uses the last figure.
 */
#include <errno.h>
#include <sys/statvfs.h>

#include <mailkeep/log.h>

#include "internal.h"

enum { LOOK_EVERY_MS = 2000 };

struct SpaceWatch {
    MkArchive *archive;
    MkTimer *timer;
    char *path;
    uint64_t free_bytes; /* loop only */
    bool looking;        /* a job is under way */
};

typedef struct {
    MkJob job;
    /* in */
    SpaceWatch *watch;
    const char *path;
    /* out */
    uint64_t free_bytes;
    bool known;
} LookJob;

static bool look(const char *path, uint64_t *out_bytes)
{
    struct statvfs info;

    if (statvfs(path, &info) != 0)
        return false;
    *out_bytes = (uint64_t) info.f_bavail * info.f_frsize;
    return true;
}

static void look_run(MkJob *job)
{
    LookJob *look_job = (LookJob *) job;

    look_job->known = look(look_job->path, &look_job->free_bytes);
}

static void look_done(MkJob *job)
{
    LookJob *look_job = (LookJob *) job;
    SpaceWatch *watch = look_job->watch;

    watch->looking = false;
    if (look_job->known)
        watch->free_bytes = look_job->free_bytes;
    archive_busy_end(watch->archive);
    g_free(look_job);
}

static void on_timer(void *cookie)
{
    SpaceWatch *watch = cookie;
    LookJob *look_job;

    if (watch->looking)
        return;
    look_job = g_new0(LookJob, 1);
    look_job->job.run = look_run;
    look_job->job.done = look_done;
    look_job->watch = watch;
    look_job->path = watch->path;
    /* The interactive lane: behind a long merge the figure would grow old. */
    if (!mk_job_submit(watch->archive->loop, MK_LANE_INTERACTIVE, &look_job->job, NULL)) {
        g_free(look_job); /* the next tick tries again */
        return;
    }
    watch->looking = true;
    archive_busy_begin(watch->archive);
}

SpaceWatch *space_watch_new(MkArchive *archive)
{
    SpaceWatch *watch = g_new0(SpaceWatch, 1);

    watch->archive = archive;
    watch->path = g_strdup(archive->data_dir);
    if (!look(watch->path, &watch->free_bytes))
        mk_log_warn("archive.space-unknown");
    watch->timer = mk_timer_new(archive->loop, on_timer, watch);
    mk_timer_start_repeat(watch->timer, LOOK_EVERY_MS);
    return watch;
}

void space_watch_stop(SpaceWatch *watch)
{
    mk_timer_free(watch->timer);
    watch->timer = NULL;
}

void space_watch_free(SpaceWatch *watch)
{
    if (watch == NULL)
        return;
    mk_timer_free(watch->timer);
    g_free(watch->path);
    g_free(watch);
}

/* -- the answer ---------------------------------------------------------------------------------- */
/* A mail may need its size twice: while it is spooled and when it is kept. */
static bool has_room(uint64_t free_bytes, uint64_t size_bytes)
{
    return free_bytes >= MK_LIMIT_FREE_DISK_BYTES &&
           size_bytes <= (free_bytes - MK_LIMIT_FREE_DISK_BYTES) / 2;
}

bool mk_archive_disk(MkArchive *archive, uint64_t *out_free_bytes, uint64_t *out_total_bytes,
                     GError **error)
{
    struct statvfs info;

    if (statvfs(archive->data_dir, &info) != 0)
        return mk_fail_errno(error, errno, "look how full the disk of %s is", archive->data_dir);
    *out_free_bytes = (uint64_t) info.f_bavail * info.f_frsize;
    *out_total_bytes = (uint64_t) info.f_blocks * info.f_frsize;
    return true;
}

bool mk_archive_can_take(MkArchive *archive, uint64_t size_bytes, GError **error)
{
    if (archive->stopping)
        return mk_fail(error, MK_ERROR_CANCELLED, "the archive is being stopped");
    if (!has_room(archive->space->free_bytes, size_bytes))
        return mk_fail(error, MK_ERROR_NO_SPACE,
                       "the disk of the data directory is full: make room or move it");
    if (archive->ingest_open >= MK_LIMIT_INGEST_QUEUE_MAILS)
        return mk_fail(error, MK_ERROR_BUSY, "%d mails wait to be archived",
                       MK_LIMIT_INGEST_QUEUE_MAILS);
    if (archive->spools.total_bytes >= MK_LIMIT_SPOOL_TOTAL_BYTES)
        return mk_fail(error, MK_ERROR_BUSY, "the spool is full");
    return true;
}
