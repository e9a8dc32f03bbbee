/*
 * internal.h - the daemon's inside: what is built, in which order, and how it ends
 */
#ifndef MK_DAEMON_INTERNAL_H
#define MK_DAEMON_INTERNAL_H

#include <stdbool.h>

#include <mailkeep/admin.h>
#include <mailkeep/archive.h>
#include <mailkeep/http.h>
#include <mailkeep/loop.h>
#include <mailkeep/net.h>
#include <mailkeep/settings.h>
#include <mailkeep/smtp.h>
#include <mailkeep/web.h>

/* HTTP servers, one a service, so that each has its own handler. */
typedef enum { HTTP_REDIRECT, HTTP_WEB, HTTP_API, HTTP_METRICS, HTTP_COUNT } HttpRole;

/*
 * FIRST START (@setup, no @archive) --set up in the browser [first_start.c]--> RUNNING
 * RUNNING --TERM, INT [services_stop]--> STOPPING --all idle [on_stop_poll]--> ended (loop stopped)
 * In STOPPING no listener is left; sessions finish what they have begun. After 20 s senders are
 * cut off, after 30 s the process ends as it is.
 */
typedef struct {
    MkSettings *settings;
    MkSettings *first_settings; /* of the first start, which the set-up goes on borrowing */
    const char *config_path;    /* borrowed from argv; NULL = defaults */
    MkLoop *loop;
    MkArchive *archive;
    MkTls *tls_mail;  /* SMTP */
    MkTls *tls_https; /* web and API: with ALPN */
    MkSmtpServer *smtp;
    MkAdmin *admin;
    MkWeb *web;
    MkSetup *setup; /* the first start; done when @web is there */
    MkHttpServer *http[HTTP_COUNT];
    MkWebRedirect redirect;
    MkListener *listeners[MK_SERVICE_COUNT];
    MkConnectionCounter mail_connections; /* SMTP: up to limits.connections */
    MkConnectionCounter http_connections; /* the rest: a flood of mail does not lock anybody out */
    struct MemoryKeeper *memory;
    MkTimer *stop_poll;
    int64_t stop_began_ms; /* monotonic; 0 = running */
    bool archive_stopping;
    bool archive_stopped;
    int lock_fd;
} Daemon;

/* -- services.c --------------------------------------------------------------------------- */
/* Opens the archive and listens on everything that is enabled. Logs each port. */
bool services_start(Daemon *daemon, GError **error);
/* First start: the web port and its redirect only; what is asked of it goes to daemon->setup. */
bool services_start_web(Daemon *daemon, GError **error);
/* The rest, from the loop, when there is an archive. False leaves the web ports as they were. */
bool services_start_rest(Daemon *daemon, GError **error);
/* HUP: certificates and log level anew; what is bad is logged and left as it was. */
void services_reload(Daemon *daemon);
void services_stop(Daemon *daemon);
/* After the loop has ended. */
void services_free(Daemon *daemon);

/* -- first_start.c ------------------------------------------------------------------------ */
/* Listens, and shows the one-time link on standard output and in <data_dir>/first-start-link. */
bool first_start_begin(Daemon *daemon, GError **error);
/* Removes the link's file, which is of no use any more. */
void first_start_forget_link(const Daemon *daemon);

/* -- certificate.c --------------------------------------------------------------------- */
/* The contexts the settings ask for, named in the log; makes the self-signed certificate when
 * there is none. */
bool certificate_load(const MkSettings *settings, MkTls **out_mail, MkTls **out_https,
                      GError **error);

/* -- memory.c ------------------------------------------------------------------------------ */
typedef struct MemoryKeeper MemoryKeeper;
enum {
    MEMORY_LOOK_EVERY_MS = 3000,
    MEMORY_QUIET_LOOKS = 20, /* after a minute without a job the archive lets go of what it keeps */
};
void memory_tune(void); /* before the first thread */
/* Looks every @every_ms whether there is something to give back. */
MemoryKeeper *memory_keeper_new(MkLoop *loop, MkArchive *archive, uint64_t every_ms);
void memory_keeper_look(MemoryKeeper *keeper); /* what the timer does */
/* Whether the job is under way that gives memory back; no look counts until it is done. */
bool memory_keeper_is_trimming(const MemoryKeeper *keeper);
void memory_keeper_free(MemoryKeeper *keeper);

/* -- metrics.c ----------------------------------------------------------------------------- */
/* MkHttpHandler: Prometheus text at /metrics. */
void metrics_handle(MkHttpRequest *request, void *daemon);

#endif
