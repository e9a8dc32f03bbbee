/*
 * setup.h - the first start: who may choose, what has been chosen, and what follows
 *
 *   setup.c           from request to answer: session, CSRF, jobs
 *   setup_claim.c     the token, and how often it may be guessed
 *   setup_choose.c    password, host name, certificate
 *   setup_create.c    the archive, its recovery key, and the start
 *   setup_recovery.c  the recovery key's groups
 *
 *  UNCLAIMED --claim--> CHOOSING --create--> RECOVERY --confirm--> ESTABLISHED --start--> DONE
 *                          ^--- create failed ---'                   ^--- failed ---'
 *
 *  RECOVERY     the archive lies in <data_dir>/new, its recovery key in memory; a restart begins anew
 *  ESTABLISHED  it is in place; a restart starts the services
 */
#ifndef MK_WEB_SETUP_H
#define MK_WEB_SETUP_H

#include "internal.h"

typedef enum {
    SETUP_UNCLAIMED,
    SETUP_CHOOSING,
    SETUP_RECOVERY,
    SETUP_ESTABLISHED,
    SETUP_DONE,
} SetupState;

/* -- setup_claim.c ----------------------------------------------------------------------------- */
typedef struct {
    GHashTable *failures; /* char * (address) -> count */
    int64_t since_ms;
} SetupThrottle;
void setup_throttle_init(SetupThrottle *throttle);
void setup_throttle_clear(SetupThrottle *throttle);
/* Counts a try of @address. False: too many in this window. */
bool setup_throttle_try(SetupThrottle *throttle, const char *address, int64_t now_ms);

/* -- setup_recovery.c -------------------------------------------------------------------------- */
#define SETUP_ASKED 2
/* SETUP_ASKED different groups of @recovery, counted from 1, ascending. */
void setup_recovery_ask(const char *recovery, unsigned out[SETUP_ASKED]);
/* Case, blanks and letters that look like digits do not matter. */
bool setup_recovery_fits(const char *recovery, unsigned group, const char *answer);

/* -- the whole ----------------------------------------------------------------------------------- */
struct MkSetup {
    unsigned refs; /* the owner, and each job */
    MkLoop *loop;
    MkSetupOptions options;
    SetupState state;
    bool busy; /* a job reads what follows: nobody changes it */
    char token[WEB_TOKEN_CHARS + 1];
    SetupThrottle claims;
    MkHash session; /* of the cookie; the cookie itself is known to the browser alone */
    char csrf[WEB_CSRF_CHARS + 1];
    char *password; /* NULL until chosen, as the next */
    char *hostname;
    bool has_certificate; /* chosen: @chain_pem, or the self-signed one */
    MkCertificate *certificate;
    char *chain_pem;
    char *key_pem;
    char *recovery; /* until it is confirmed */
    unsigned asked[SETUP_ASKED];
};

typedef struct SetupJob SetupJob;
struct SetupJob {
    MkJob job; /* first member */
    MkSetup *setup;
    MkHttpRequest *request;
    bool (*work)(SetupJob *job, GError **error); /* lane */
    void (*finish)(SetupJob *job);               /* loop, when work() has succeeded: answers */
    /* in */
    char *chain_pem;
    char *key_pem;
    /* out */
    MkCertificate *certificate;
    char *recovery;
    GError *error;
};

/* setup.c */
SetupJob *setup_job_new(MkSetup *setup, MkHttpRequest *request,
                        bool (*work)(SetupJob *job, GError **error), void (*finish)(SetupJob *job));
void setup_job_submit(SetupJob *job); /* takes it; answers also when it cannot be */
void setup_respond_state(MkSetup *setup, MkHttpRequest *request);
void setup_enter(MkSetup *setup, SetupState state);
/* Everything secret. */
void setup_wipe(MkSetup *setup);
bool setup_certificate_is_fixed(const MkSetup *setup);
/* What clients will see after the start is not what they see now. */
bool setup_certificate_changes(const MkSetup *setup);

/* The routes: true when the answer is made or a job is on its way. @body may be NULL. */
bool setup_claim(MkSetup *setup, MkHttpRequest *request, yyjson_val *body, GError **error);
bool setup_put_password(MkSetup *setup, MkHttpRequest *request, yyjson_val *body, GError **error);
bool setup_put_hostname(MkSetup *setup, MkHttpRequest *request, yyjson_val *body, GError **error);
bool setup_put_certificate(MkSetup *setup, MkHttpRequest *request, yyjson_val *body,
                           GError **error);
bool setup_create(MkSetup *setup, MkHttpRequest *request, yyjson_val *body, GError **error);
bool setup_confirm(MkSetup *setup, MkHttpRequest *request, yyjson_val *body, GError **error);
bool setup_start(MkSetup *setup, MkHttpRequest *request, yyjson_val *body, GError **error);

/* A member that is a string of at most @max octets without NUL inside, else NULL; borrowed. */
const char *setup_text(yyjson_val *body, const char *key, size_t max);

#endif
