/*
 * main.c - mailkeep: the management shell, a client of the Administration API
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mailkeep/base.h>
#include <mailkeep/crypto.h>
#include <mailkeep/log.h>

#include "internal.h"

static int credential_save_run(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    char *password;
    bool ok;

    if (argc != 3 || strrchr(argv[2], '@') == NULL) {
        fputs(shell_usage, stderr);
        return EXIT_USAGE;
    }
    password = password_ask("Password: ");
    ok = password != NULL && credentials_save(argv[2], password, &error);
    mk_free_secret(password);
    if (!ok)
        fprintf(stderr, "mailkeep: %s\n", error != NULL ? error->message : "no password was given");
    return ok ? EXIT_SUCCESS : EXIT_COMMAND;
}

static bool credentials_complete(Options *options)
{
    if (options->user == NULL)
        options->user = g_strdup("admin");
    if (options->password == NULL)
        options->password = password_ask("Password: ");
    if (options->password == NULL)
        fputs("mailkeep: no password was given\n", stderr);
    return options->password != NULL;
}

/* The first call shows whether server and login are right, before the prompt appears. */
static bool greet(Connection *connection, bool with_logo)
{
    g_autoptr(GError) error = NULL;
    yyjson_doc *doc = connection_post(connection, "invoke/GetVersion", NULL, &error);

    if (doc == NULL) {
        fprintf(stderr, "mailkeep: %s\n", error->message);
        return false;
    }
    if (with_logo) {
        yyjson_val *result = yyjson_obj_get(yyjson_doc_get_root(doc), "result");
        const char *version = yyjson_get_str(yyjson_obj_get(result, "version"));

        printf("Mailkeep management shell " MK_VERSION ", server %s. `help` lists all commands.\n",
               version != NULL ? version : "of unknown version");
    }
    yyjson_doc_free(doc);
    return true;
}

static int run(const Options *options, FILE *out)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Connection) connection = connection_new(options, &error);

    if (connection == NULL) {
        fprintf(stderr, "mailkeep: %s\n", error->message);
        return EXIT_LOGIN;
    }
    if (options->command == NULL)
        return greet(connection, !options->no_logo) ? interactive_run(connection, out) : EXIT_LOGIN;
    /* Success says that the login is right, whatever the command (SH-03). */
    if (!command_asks_server(options->command[0]) && !greet(connection, false))
        return EXIT_LOGIN;
    return command_run(connection, options->command, out);
}

static void be_quiet(void)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (null < 0)
        return;
    dup2(null, STDERR_FILENO);
    close(null);
}

int main(int argc, char **argv)
{
    Options options;
    FILE *out = stdout;
    int status;

    signal(SIGPIPE, SIG_IGN);
    mk_log_set_level(MK_LOG_ERROR);
    if (argc > 1 && strcmp(argv[1], "init") == 0)
        return init_run(argc, argv);
    if (argc > 1 && strcmp(argv[1], "recover") == 0)
        return recover_run(argc, argv);
    if (argc > 1 && strcmp(argv[1], "reset-administrator") == 0)
        return reset_administrator_run(argc, argv);
    if (argc > 1 && strcmp(argv[1], "credential-save") == 0)
        return credential_save_run(argc, argv);
    if (!options_parse(argc, argv, &options, &status)) {
        options_clear(&options);
        return status;
    }
    if (options.output != NULL && (out = fopen(options.output, "we")) == NULL) {
        fprintf(stderr, "mailkeep: %s: %s\n", options.output, g_strerror(errno));
        status = EXIT_USAGE;
    } else if (!credentials_complete(&options)) {
        status = EXIT_LOGIN;
    } else {
        if (options.quiet)
            be_quiet();
        status = run(&options, out);
    }
    if (out != NULL && out != stdout && fclose(out) != 0)
        status = EXIT_COMMAND;
    options_clear(&options);
    return status;
}
