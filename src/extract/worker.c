/*
 * worker.c - the process of one document: text or a picture to a pipe, the verdict as exit status
 *
 * A status has no length to check and no form to get wrong: VALID, four bits of why, three of
 * result. Whatever else a process may end with (a signal, a sanitizer's status) lacks VALID.
 */
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "internal.h"

#define VALID 0x80

static int status_of(Verdict verdict)
{
    return VALID | (int) verdict.why << 3 | (int) verdict.result;
}

Verdict worker_verdict(int wait_status)
{
    int status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 0;
    Verdict verdict = { (MkTextResult) (status & 7), (MkTextWhy) (status >> 3 & 15) };

    if (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGXCPU)
        return (Verdict){ MK_TEXT_FAILED, MK_WHY_TIME };
    if (!(status & VALID) || verdict.result < MK_TEXT_COMPLETE || verdict.result > MK_TEXT_EMPTY)
        return (Verdict){ MK_TEXT_FAILED, MK_WHY_CRASH };
    return verdict;
}

/* The helper counts, too; when it has enough it takes the pipe away. */
static void on_text(void *cookie, const char *text, size_t length)
{
    int output = *(const int *) cookie;

    while (length > 0) {
        ssize_t n = write(output, text, length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            _exit(status_of((Verdict){ MK_TEXT_TRUNCATED, MK_WHY_TEXT }));
        text += n;
        length -= (size_t) n;
    }
}

/* GLib's last word is that there is no memory; anything else that it finds fatal is a bug. */
static void on_fatal(const char *domain, GLogLevelFlags level, const char *message, void *cookie)
{
    (void) domain;
    (void) message;
    (void) cookie;
    if (level & (G_LOG_FLAG_FATAL | G_LOG_LEVEL_ERROR))
        _exit(status_of((Verdict){ MK_TEXT_FAILED, MK_WHY_MEMORY }));
}

/* As large as a document may be, gathered into few writes. */
typedef struct {
    int output;
    size_t used;
    char octets[16384];
} Gathered;

static void flush_gathered(Gathered *g)
{
    on_text(&g->output, g->octets, g->used);
    g->used = 0;
}

static void on_piece(void *cookie, const char *text, size_t length)
{
    Gathered *g = cookie;

    while (length > 0) {
        size_t room = MIN(length, sizeof g->octets - g->used);

        for (size_t i = 0; i < room; i++)
            g->octets[g->used + i] = text[i];
        g->used += room;
        text += room;
        length -= room;
        if (g->used == sizeof g->octets)
            flush_gathered(g);
    }
}

static Verdict read_whole(const MkRequest *request, const Document *whole, Gathered *gathered)
{
    Extraction x = {
        .kinds = request->kinds,
        .ocr = request->ocr,
        .programs = true,
        .text_left = request->text_bytes,
        .on_text = on_piece,
        .cookie = gathered,
    };

    return extract_document(&x, whole);
}

void worker_run(const MkRequest *request, int document, int output)
{
    static Gathered gathered;
    Document whole = { request->kind, request->file_name, NULL, request->length };
    void *data = mmap(NULL, MAX(request->length, 1), PROT_READ, MAP_PRIVATE, document, 0);
    Verdict verdict;

    g_log_set_default_handler(on_fatal, NULL);
    if (data == MAP_FAILED || !sandbox_enter_worker(request->seconds))
        _exit(status_of((Verdict){ MK_TEXT_FAILED, MK_WHY_MEMORY }));
    whole.data = data;
    gathered.output = output;
    verdict = request->type == MK_REQUEST_PAGE
                  ? draw_page(&whole, request->page, on_piece, &gathered)
                  : read_whole(request, &whole, &gathered);
    flush_gathered(&gathered);
    /* Not exit(): nothing of what the parsers left behind is run any more. */
    _exit(status_of(verdict));
}
