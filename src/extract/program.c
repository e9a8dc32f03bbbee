/*
 * program.c - other programs: the document as standard input, their output read as it comes
 *
 * The input is a memory file, so that a program may seek in it and needs no temporary one. A
 * program has the worker's limits and filter, may start no other, and dies with the worker.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "internal.h"

#define BLOCK (32u << 10)

bool program_is_there(const char *path)
{
    return access(path, X_OK) == 0;
}

static int input_file(const uint8_t *data, size_t length)
{
    int fd = memfd_create("document", MFD_CLOEXEC);

    while (fd >= 0 && length > 0) {
        ssize_t n = write(fd, data, length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            close(fd);
            return -1;
        }
        data += n;
        length -= (size_t) n;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

G_NORETURN static void run_child(const char *const *arguments, int input, int output)
{
    /* Tesseract's threads would cost more processor time than they save. */
    const char *environment[] = { MK_WIRE_ENVIRONMENT, "PATH=/usr/bin", "OMP_THREAD_LIMIT=1",
                                  NULL };

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (dup2(input, 0) == 0 && dup2(output, 1) == 1 && filter_enter(FILTER_PROGRAM))
        execve(arguments[0], (char *const *) arguments, (char *const *) environment);
    _exit(127);
}

/* True at the end of the output; false when @on_output had enough. */
static bool read_output(int fd, ProgramOutput on_output, void *cookie)
{
    static uint8_t block[BLOCK];

    for (;;) {
        ssize_t n = read(fd, block, sizeof block);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return true;
        if (!on_output(cookie, block, (size_t) n))
            return false;
    }
}

static MkTextWhy why_of_status(int status)
{
    if (WIFEXITED(status))
        return WEXITSTATUS(status) == 0 ? MK_WHY_NONE : MK_WHY_DAMAGED;
    return WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL ? MK_WHY_TIME : MK_WHY_CRASH;
}

static MkTextWhy run(const char *const *arguments, int input, ProgramOutput on_output, void *cookie)
{
    int pair[2], status = 0;
    bool whole;
    pid_t pid;

    if (pipe2(pair, O_CLOEXEC) < 0)
        return MK_WHY_MEMORY;
    pid = fork();
    if (pid == 0)
        run_child(arguments, input, pair[1]);
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return MK_WHY_MEMORY;
    }
    whole = read_output(pair[0], on_output, cookie);
    close(pair[0]);
    /* With nobody to read it ends by itself; if it does not, it ends with the worker. */
    if (!whole)
        return MK_WHY_NONE;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return why_of_status(status);
}

MkTextWhy program_run(const char *const *arguments, const uint8_t *data, size_t length,
                      ProgramOutput on_output, void *cookie)
{
    int input = input_file(data, length);
    MkTextWhy why;

    if (input < 0)
        return MK_WHY_MEMORY;
    why = run(arguments, input, on_output, cookie);
    close(input);
    return why;
}

static bool on_text(void *cookie, const uint8_t *data, size_t length)
{
    return out_utf8(cookie, (const char *) data, length);
}

MkTextWhy program_text(Extraction *x, const char *const *arguments, const uint8_t *data,
                       size_t length)
{
    if (!x->programs || !program_is_there(arguments[0]))
        return MK_WHY_PROGRAM;
    return program_run(arguments, data, length, on_text, x);
}
