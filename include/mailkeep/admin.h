/*
 * admin.h - the Administration API: one table of functions and its HTTP face
 *
 * Purpose    `POST /api/invoke/<Function>`, `/api/get-metadata`, `/api/get-status`,
 *            `/api/cancel-async` (spec AD-01..16, admin-api-wire.md). A function is one row of a
 *            table (name, arguments, privilege, long-running) and one handler that runs on a lane.
 * Threads    The loop only; handlers run on the interactive lane, long-running ones on the bulk
 *            lane with a progress object that the loop reads under its lock.
 * Answers    The envelope of AD-05; on the API port with a byte order mark, on the web port without.
 */
#ifndef MAILKEEP_ADMIN_H
#define MAILKEEP_ADMIN_H

#include <stdbool.h>

#include <glib.h>

#include <mailkeep/archive.h>
#include <mailkeep/http.h>
#include <mailkeep/settings.h>

typedef struct MkAdmin MkAdmin;

/* @settings is borrowed for the lifetime. */
MkAdmin *mk_admin_new(MkLoop *loop, MkArchive *archive, const MkSettings *settings);
/*
 * Hears that the files of the certificate have changed (SetCertificate, CreateSelfSignedCertificate):
 * takes them for new connections. On the loop; false with @error fails the call.
 */
typedef bool (*MkAdminCertificateFunc)(void *cookie, GError **error);
void mk_admin_on_certificate(MkAdmin *admin, MkAdminCertificateFunc func, void *cookie);
/* MkHttpHandler of the API port: Basic on every request, administrators only. */
void mk_admin_handle(MkHttpRequest *request, void *admin);
/*
 * mk_admin_invoke() - run a function for a request that web/ has authenticated
 * @principal  its privileges count; a long-running call's token is bound to its user
 * @action     "invoke/<Function>", "get-metadata", "get-status" or "cancel-async"
 * @format_bom false on the web port
 * Responds to @request, now or later.
 */
void mk_admin_invoke(MkAdmin *admin, MkHttpRequest *request, MkPrincipal *principal,
                     const char *action, bool format_bom);
/* Our own name in SMTP (settings.h); borrowed. */
const char *mk_admin_hostname(const MkAdmin *admin);
/* Cancels long-running operations, answers all waiting requests. */
void mk_admin_stop(MkAdmin *admin);
/* No call runs any more. */
bool mk_admin_is_idle(const MkAdmin *admin);
void mk_admin_free(MkAdmin *admin);

/* For tests and docs: the metadata as JSON text, and all 77 + own names with whether they work. */
char *mk_admin_metadata_json(const MkAdmin *admin);

/*
 * mk_admin_criteria_parse() - a saved search's JSON object as names and texts (archive.h, criteria)
 * MK_ERROR_INVALID, _LIMIT: it is none, or could not run; the message is for the user.
 */
GHashTable *mk_admin_criteria_parse(const char *json, GError **error);

#endif
