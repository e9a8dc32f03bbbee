/*
 * fixture.h - an empty archive, the API on a port of loopback, and calls of it, on one loop
 */
#ifndef MAILKEEP_TEST_ADMIN_FIXTURE_H
#define MAILKEEP_TEST_ADMIN_FIXTURE_H

#include "admin/internal.h"

#define ADMIN_PASSWORD "Correct-horse-17"
#define ADMIN_LOGIN "admin:" ADMIN_PASSWORD

typedef struct {
    char *dir;
    MkLoop *loop;
    MkArchive *archive;
    MkSettings *settings;
    MkAdmin *admin;
    MkPrincipal *system;
    MkHttpServer *server;
    MkListener *listener;
    MkConnectionCounter counter;
} Fixture;

/* One request under way; lives until reply_clear(). */
typedef struct {
    Fixture *fixture;
    bool done;
    bool failed; /* no answer came */
    unsigned status;
    char *text; /* the answer's body without its byte order mark */
    bool has_bom;
    char *content_type;
    yyjson_doc *json; /* of text, or NULL */
} Reply;

/* Once in main(). */
void fixture_setup(void);
/* @handler NULL: mk_admin_handle with the fixture's admin; else this with the fixture as cookie. */
void fixture_init(Fixture *fixture, MkHttpHandler handler);
void fixture_clear(Fixture *fixture);
/* A user with a password (ADMIN_PASSWORD too) and the privilege to log in; a new reference. */
MkPrincipal *fixture_add_user(Fixture *fixture, const char *name);

/* @login "user:password" or NULL; @form NULL = an empty body. */
void reply_begin(Reply *reply, Fixture *fixture, const char *method, const char *path,
                 const char *login, const char *form);
void reply_wait(Reply *reply);
/* Turns the loop for a while; false when the answer has come. */
bool reply_still_waits(Reply *reply, unsigned ms);
void reply_clear(Reply *reply);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reply, reply_clear)
/* POST and wait. */
void reply_get(Reply *reply, Fixture *fixture, const char *path, const char *login,
               const char *form);
/* A member that must be there: its text, "null" for null, NULL for what is neither. */
const char *reply_text(const Reply *reply, const char *key);
int64_t reply_number(const Reply *reply, const char *key);
const char *reply_error(const Reply *reply); /* error.message, or NULL */

/* Turns the loop until the condition holds; fails after 20 s. */
#define WAIT(fixture, condition)                                                  \
    do {                                                                          \
        int64_t wait_end_ms = mk_clock_monotonic_ms() + 20000;                    \
        while (!(condition)) {                                                    \
            mk_loop_turn((fixture)->loop);                                        \
            g_usleep(200);                                                        \
            if (mk_clock_monotonic_ms() > wait_end_ms)                            \
                g_error("%s:%d: never came: %s", __FILE__, __LINE__, #condition); \
        }                                                                         \
    } while (0)

#endif
