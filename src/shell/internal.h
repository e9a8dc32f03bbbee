/*
 * internal.h - the management shell's inside
 */
#ifndef MK_SHELL_INTERNAL_H
#define MK_SHELL_INTERNAL_H

#include <stdbool.h>
#include <stdio.h>

#include <yyjson.h>

#include <mailkeep/error.h>
#include <mailkeep/http.h>
#include <mailkeep/loop.h>

/* Exit statuses (SH-03): 0 only if login and command succeeded. */
enum { EXIT_COMMAND = 1, EXIT_USAGE = 2, EXIT_LOGIN = 3 };

/* -- options.c ---------------------------------------------------------------------------- */
typedef struct {
    char *host;
    uint16_t port;
    char *user;
    char *password;    /* wiped when freed */
    char *fingerprint; /* --pkv3: 40 hex digits, or NULL */
    char *ca_file;     /* --ca: PEM that the server's certificate is checked against */
    bool no_logo;
    bool quiet;
    char *output;   /* --o: all output goes there */
    char **command; /* behind -c, or NULL = interactive; NULL-terminated */
} Options;
/* False: the message has been printed; *out_status is the program's exit status. */
bool options_parse(int argc, char **argv, Options *out, int *out_status);
void options_clear(Options *options);
extern const char shell_usage[];

/* -- credentials.c ------------------------------------------------------------------------- */
/* The file that --cred reads: one `user@server<TAB>password` a line, for its owner only. */
char *credentials_find(const char *account, GError **error);
bool credentials_save(const char *account, const char *password, GError **error);
/* Asks on the terminal without echo; NULL without a terminal. */
char *password_ask(const char *prompt);

/* -- connection.c: the Administration API, one blocking call at a time -------------------------- */
typedef struct Connection Connection;
Connection *connection_new(const Options *options, GError **error);
void connection_free(Connection *connection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Connection, connection_free)
/*
 * connection_post() - one request
 * @form  url-encoded arguments, or NULL
 * The answer's JSON document, or NULL: MK_ERROR_AUTH, _NETWORK, _TLS, _NOT_FOUND ...
 */
yyjson_doc *connection_post(Connection *connection, const char *action, const char *form,
                            GError **error);

/* -- command.c ------------------------------------------------------------------------------ */
/* False for what the shell does by itself. */
bool command_asks_server(const char *name);
/* Runs one command, prints to @out. Its exit status. */
int command_run(Connection *connection, char **words, FILE *out);

/* -- interactive.c ------------------------------------------------------------------------- */
int interactive_run(Connection *connection, FILE *out);

/* -- init.c ------------------------------------------------------------------------------- */
/* `mailkeep init [--config FILE] [--admin-password-file FILE]` */
int init_run(int argc, char **argv);
/* `mailkeep recover [--config FILE]` */
int recover_run(int argc, char **argv);
/* `mailkeep reset-administrator [--config FILE] [--user NAME] [--admin-password-file FILE]` */
int reset_administrator_run(int argc, char **argv);

#endif
