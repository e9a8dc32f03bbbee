/*
 * interactive.c - a prompt with history
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <editline/readline.h>

#include "internal.h"

#define HISTORY_LINES 500

/* Lines that hold a password are not kept. */
static void remember(const char *line)
{
    if (strcasestr(line, "password") == NULL)
        add_history(line);
}

/* False: the shell ends. */
static bool line_run(Connection *connection, const char *line, FILE *out)
{
    g_auto(GStrv) words = NULL;
    g_autoptr(GError) error = NULL;

    if (!g_shell_parse_argv(line, NULL, &words, &error)) {
        if (!g_error_matches(error, G_SHELL_ERROR, G_SHELL_ERROR_EMPTY_STRING))
            fprintf(stderr, "mailkeep: %s\n", error->message);
        return true;
    }
    if (strcmp(words[0], "exit") == 0 || strcmp(words[0], "quit") == 0)
        return false;
    command_run(connection, words, out);
    return true;
}

int interactive_run(Connection *connection, FILE *out)
{
    bool go_on = true;
    char *line;

    stifle_history(HISTORY_LINES);
    while (go_on && (line = readline(isatty(STDIN_FILENO) ? "mailkeep> " : "")) != NULL) {
        remember(line);
        go_on = line_run(connection, line, out);
        free(line);
    }
    return EXIT_SUCCESS;
}
