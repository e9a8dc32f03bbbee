/*
 * archive.h - the domain: users, privileges, folders, gateway mailboxes, ingest, find
 *
 * Purpose    Decides who owns a mail that comes in, who may see one that is kept, and keeps
 *            store and index of the installation together. Speaks no mail protocol.
 * Ownership  MkArchive is made and closed by the daemon. Values returned are the caller's.
 * Threads    Functions marked [loop] do not block and belong to the loop thread; [any] do not
 *            block and may be called anywhere; all others block (disk, Argon2id): lanes only,
 *            never the loop. MkArchive is one of the few handles that any thread may use.
 * Names      Archives and folders: `user/Folder/Sub` (spec "Folder names"); mail that nobody
 *            owns: `@catchall/Unknown E-mail Addresses`. User names compare without case.
 * Errors     MK_ERROR_NOT_FOUND also for what exists and must not be seen.
 * Source     spec US-01..19, IF-13..17, GW-01..11, SM-01, SM-04
 */
#ifndef MAILKEEP_ARCHIVE_H
#define MAILKEEP_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include <mailkeep/base.h>
#include <mailkeep/error.h>
#include <mailkeep/index.h>
#include <mailkeep/loop.h>
#include <mailkeep/store.h>
#include <mailkeep/text.h>

typedef struct MkArchive MkArchive;

#define MK_FOLDER_INCOMING "Journal Incoming"
#define MK_FOLDER_OUTGOING "Journal Outgoing"
#define MK_ARCHIVE_CATCHALL "@catchall"
#define MK_FOLDER_CATCHALL MK_ARCHIVE_CATCHALL "/Unknown E-mail Addresses"
#define MK_USER_ADMIN "admin"

/* -- the installation ---------------------------------------------------------------------- */
/*
 * mk_archive_lock() - be the only one who works on a data directory
 * Returns a file descriptor that holds the lock until it is closed, or -1 with MK_ERROR_BUSY when
 * another process has it. The directory must exist.
 */
int mk_archive_lock(const char *data_dir, GError **error);
/*
 * mk_archive_settle() - after the lock, before anything else: end what a crash has cut off
 * A new archive that was not established yet is thrown away, one that was is moved in place.
 */
bool mk_archive_settle(const char *data_dir, GError **error);
/*
 * mk_archive_prepare() - make a new archive with keys, databases and the user `admin`, in
 *                        <data_dir>/new: it counts for nothing yet
 * @out_recovery  (out) the recovery key, shown once (crypto.h); the caller wipes it
 * MK_ERROR_EXISTS when there is an archive already, or the rest of one; MK_ERROR_INVALID when the
 * password breaks the policy. Throws away what an earlier call has prepared.
 */
bool mk_archive_prepare(const char *data_dir, const char *admin_password, uint64_t map_size_bytes,
                        char **out_recovery, GError **error);
/* Moves the prepared archive in place, durably: a crash leaves none of it, or mk_archive_settle()
 * all of it. */
bool mk_archive_establish(const char *data_dir, GError **error);
/* Both in one. */
bool mk_archive_init(const char *data_dir, const char *admin_password, uint64_t map_size_bytes,
                     char **out_recovery, GError **error);
bool mk_archive_is_initialised(const char *data_dir);
/*
 * mk_archive_reset_administrator() - the way back in for an administrator whose password, or phone
 *                                    and recovery codes, are lost
 * @recovery  the recovery key: who has it may
 * Sets the password, switches two-factor sign-in off and ends the app passwords; the caller holds
 * mk_archive_lock(). Mails are not touched. Source SC-08, SC-09: but for `admin` as the password.
 * MK_ERROR_KEY: another recovery key; _NOT_FOUND: no such user; _DENIED: not an administrator;
 * _INVALID: breaks the policy.
 */
bool mk_archive_reset_administrator(const char *data_dir, const char *recovery,
                                    const char *user_name, const char *password,
                                    uint64_t map_size_bytes, GError **error);
/* Neither an archive nor the rest of one: a new one may be made here. */
bool mk_archive_is_absent(const char *data_dir);
/*
 * mk_archive_rebuild_catalogs() - make the catalog of every store anew from its packs
 * @out_mails  (out) mails found in them
 * For a damaged catalog; the archive must not be open. The index goes too: it is built again.
 */
bool mk_archive_rebuild_catalogs(const char *data_dir, uint64_t map_size_bytes, uint64_t *out_mails,
                                 GError **error);
/* Opens all and takes up indexing where it stopped. A damaged index is emptied and filled again. Blocks: at start, before the loop runs. */
MkArchive *mk_archive_open(MkLoop *loop, const char *data_dir, uint64_t map_size_bytes,
                           GError **error);
/* A stop is near: rebuilds that are cancelled from here on go on after the next start. [any] */
void mk_archive_begin_stop(MkArchive *archive);
/*
 * mk_archive_stop() - [loop] finish what is under way, take nothing new
 * @on_stopped  called on the loop when no job of the archive runs any more
 */
void mk_archive_stop(MkArchive *archive, void (*on_stopped)(void *cookie), void *cookie);
/* After on_stopped and mk_loop_run(); commits and closes. */
void mk_archive_close(MkArchive *archive);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkArchive, mk_archive_close)

/* -- privileges (US-16) -------------------------------------------------------------------- */
enum {
    MK_PRIVILEGE_ADMIN = 1 << 0,
    MK_PRIVILEGE_LOGIN = 1 << 1,
    MK_PRIVILEGE_CHANGE_PASSWORD = 1 << 2,
    MK_PRIVILEGE_ARCHIVE = 1 << 3,
    MK_PRIVILEGE_MODIFY_ARCHIVE_PROFILES = 1 << 4,
    MK_PRIVILEGE_EXPORT = 1 << 5,
    MK_PRIVILEGE_MODIFY_EXPORT_PROFILES = 1 << 6,
    MK_PRIVILEGE_DELETE = 1 << 7,
};
enum { MK_RIGHT_READ = 1 << 0, MK_RIGHT_WRITE = 1 << 1, MK_RIGHT_DELETE = 1 << 2 };
/* "login,changePassword" <-> bits; `none` and `admin` stand alone; unknown names: MK_ERROR_INVALID. */
bool mk_privileges_parse(const char *text, uint32_t *out, GError **error);
char *mk_privileges_format(uint32_t privileges);
bool mk_rights_parse(const char *text, uint32_t *out,
                     GError **error); /* none, read, write, delete */
char *mk_rights_format(uint32_t rights);

/* -- users -------------------------------------------------------------------------------- */
typedef enum {
    MK_AUTHENTICATION_INTEGRATED,
    MK_AUTHENTICATION_DIRECTORY_SERVICES
} MkAuthentication;

typedef struct {
    char *folder; /* an archive or a folder in one; counts for all below it */
    uint32_t rights;
} MkFolderRights;

typedef struct {
    uint32_t id; /* for ever; never used again */
    char *user_name;
    char *archive; /* the archive's name: the user name at creation; a rename keeps it (US-06) */
    char *full_name;
    char *distinguished_name;
    MkAuthentication authentication;
    char **email_addresses; /* NULL-terminated, never NULL */
    char **pop3_user_names;
    uint32_t privileges;
    GPtrArray *folder_rights; /* MkFolderRights * */
    bool has_password;
    bool two_factor; /* signing in takes a code as well */
} MkUser;
void mk_user_free(MkUser *user);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkUser, mk_user_free)

GPtrArray *mk_archive_users(MkArchive *archive); /* [any] MkUser *, copies, by name */
MkUser *mk_archive_user_get(MkArchive *archive, const char *user_name, GError **error); /* [any] */
/*
 * mk_archive_user_create() - a user and the archive of the same name
 *
 * No password and no folder rights (C2: the API grants none; the console grants read and write
 * on the own archive). Names: 1..MK_LIMIT_USER_NAME_BYTES, no control characters, no / \ " : < > | * ?,
 * not beginning with '@', no blank at either end.
 */
bool mk_archive_user_create(MkArchive *archive, const char *user_name, uint32_t privileges,
                            GError **error);
/* Archives and mails stay (US-07). The last administrator who can log in cannot be deleted. */
bool mk_archive_user_delete(MkArchive *archive, const char *user_name, GError **error);
bool mk_archive_user_rename(MkArchive *archive, const char *user_name, const char *new_name,
                            GError **error);
/* One setter for all plain properties: a NULL member is left as it is. */
typedef struct {
    const char *full_name;
    const char *distinguished_name;
    const MkAuthentication *authentication;
    const char *const *email_addresses; /* NULL-terminated; each must hold one @ */
    const char *const *pop3_user_names;
    const uint32_t *privileges;
} MkUserChange;
bool mk_archive_user_change(MkArchive *archive, const char *user_name, const MkUserChange *change,
                            GError **error);
/* Checks the password policy (US-04, US-05), hashes, stores; sessions and app passwords of the user end. */
bool mk_archive_user_set_password(MkArchive *archive, const char *user_name, const char *password,
                                  GError **error);
/* @rights 0 takes the entry away. MK_ERROR_NOT_FOUND when there is no such archive or folder. */
bool mk_archive_user_set_rights(MkArchive *archive, const char *user_name, const char *folder,
                                uint32_t rights, GError **error);
bool mk_archive_user_clear_rights(MkArchive *archive, const char *user_name, GError **error);
/* Pure: MK_ERROR_INVALID with the rule that is broken. */
typedef struct {
    unsigned min_characters;
    unsigned max_in_a_row; /* of the same character */
    unsigned min_classes;  /* of A-Z, a-z, 0-9, other printable ASCII, letters without case */
    const char *const
        *forbidden; /* must not be part of it in any case, nor the user name; NULL ends */
} MkPasswordPolicy;
/* The same rules for those who show them while somebody types. */
const MkPasswordPolicy *mk_password_policy(void);
bool mk_password_policy_check(const char *user_name, const char *password, GError **error);

/* -- principals and sessions --------------------------------------------------------------- */
/* Who asks. Immutable and counted; rights are looked up anew at each use. */
typedef struct MkPrincipal MkPrincipal;
/*
 * mk_archive_login() - check a name and a password, or an app password: for programs
 * @protocol  "web", "api", "shell" ...: for the session list; static
 *
 * MK_ERROR_AUTH: unknown, wrong, no password, no login privilege: all alike and equally slow;
 * MK_ERROR_BUSY: too many failures for this name or client address lately (login throttling);
 * MK_ERROR_DENIED: right, but with two-factor sign-in programs need an app password.
 * A right answer is remembered for some minutes (keyed hash in memory), so that Basic on every
 * request costs no Argon2id each.
 */
MkPrincipal *mk_archive_login(MkArchive *archive, const char *user_name, const char *password,
                              const char *peer_address, const char *protocol, GError **error);
/*
 * mk_archive_login_person() - the same for somebody at a keyboard
 * @code            of two-factor sign-in, or a recovery code; NULL or "" = none
 * @out_wants_code  (out) when NULL is returned: the password is right, but not @code
 *
 * App passwords do not count. Wrong codes are throttled as wrong passwords are. A code that was
 * right has been used: it is worth nothing a second time.
 */
MkPrincipal *mk_archive_login_person(MkArchive *archive, const char *user_name,
                                     const char *password, const char *code,
                                     const char *peer_address, const char *protocol,
                                     bool *out_wants_code, GError **error);
MkPrincipal *mk_principal_ref(MkPrincipal *principal);
void mk_principal_unref(MkPrincipal *principal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkPrincipal, mk_principal_unref)
/* Still exists, may still log in, password unchanged (app password not revoked) since the login. [any] */
bool mk_principal_is_valid(MkArchive *archive, const MkPrincipal *principal);
bool mk_principal_is_admin(MkArchive *archive, const MkPrincipal *principal); /* [any] */
char *mk_principal_user_name(MkArchive *archive,
                             const MkPrincipal *principal); /* [any] new string */
uint32_t mk_principal_user_id(const MkPrincipal *principal);
/* The principal of the machine itself: sees everything; for jobs and tests. */
MkPrincipal *mk_principal_system(MkArchive *archive);

typedef struct {
    char *id; /* not the secret of a session: a number for lists */
    char *user_name;
    char *protocol;
    char *peer_address;
    int64_t since_unix_ms;
    int64_t last_unix_ms;
} MkSessionInfo;
/* Kept up to date by web/ and admin/: one a web session; for Basic one a user, address and protocol. [any] */
void mk_archive_session_touch(MkArchive *archive, const char *id, const MkPrincipal *principal,
                              const char *protocol, const char *peer_address);
void mk_archive_session_end(MkArchive *archive, const char *id);
GPtrArray *mk_archive_sessions(
    MkArchive *archive); /* MkSessionInfo *: seen in the last 15 minutes */
void mk_session_info_free(MkSessionInfo *info);

/* -- the own account (WA-13) --------------------------------------------------------------- */
/*
 * What users do to their own account. MK_ERROR_DENIED for a principal that came with an app
 * password, and where it is not allowed.
 *
 * @password      the present one, asked for again: MK_ERROR_AUTH when it is wrong, _BUSY as a login
 * @peer_address  whose failures are counted
 * @out_principal (out) the only login of the user that goes on: all others have ended
 */
typedef struct {
    bool may_change_password; /* by privilege, and when the password is kept here */
    bool two_factor;
    unsigned recovery_codes; /* that are left */
} MkAccount;
bool mk_archive_account(MkArchive *archive, const MkPrincipal *principal, MkAccount *out,
                        GError **error);
/* MK_ERROR_INVALID: the new password breaks the policy, or is the present one. App passwords stay. */
bool mk_archive_change_own_password(MkArchive *archive, const MkPrincipal *principal,
                                    const char *password, const char *new_password,
                                    const char *peer_address, MkPrincipal **out_principal,
                                    GError **error);

/*
 * Two-factor sign-in: TOTP (RFC 6238) with HMAC-SHA-1, six digits, 30 seconds; one step too early
 * or too late is taken, each step once, and never one before it.
 *
 * mk_archive_two_factor_begin() - a new secret, which counts when a code of it is confirmed
 * @out_secret  (out) base32 (RFC 4648), 160 bits; the caller wipes it. MK_ERROR_EXISTS when it is on.
 */
bool mk_archive_two_factor_begin(MkArchive *archive, const MkPrincipal *principal,
                                 const char *password, const char *peer_address, char **out_secret,
                                 GError **error);
/*
 * mk_archive_two_factor_confirm() - switch it on
 * @out_recovery_codes  (out) MK_RECOVERY_CODES of them, shown once: kept as hashes only
 * MK_ERROR_AUTH: the code is wrong; _NOT_FOUND: nothing has been begun in the last minutes.
 */
bool mk_archive_two_factor_confirm(MkArchive *archive, const MkPrincipal *principal,
                                   const char *code, const char *peer_address,
                                   MkPrincipal **out_principal, char ***out_recovery_codes,
                                   GError **error);
bool mk_archive_two_factor_off(MkArchive *archive, const MkPrincipal *principal,
                               const char *password, const char *peer_address, GError **error);
/* By an administrator, for somebody who has lost all of it. True also when it was off. */
bool mk_archive_two_factor_reset(MkArchive *archive, const char *user_name, GError **error);
/* Each code signs in once in place of a TOTP code. New ones end those before. */
#define MK_RECOVERY_CODES 10
bool mk_archive_recovery_codes_renew(MkArchive *archive, const MkPrincipal *principal,
                                     const char *password, const char *peer_address,
                                     char ***out_recovery_codes, GError **error);

/* App passwords: for programs, which cannot ask for a code; random, kept as keyed hashes. */
typedef struct {
    uint32_t id;
    char *name;
    int64_t created_unix_ms;
    int64_t used_unix_ms; /* the last time; 0 = never; after a restart some minutes older */
} MkAppPassword;
void mk_app_password_free(MkAppPassword *app_password);
/* MkAppPassword *, the oldest first. [any] */
GPtrArray *mk_archive_app_passwords(MkArchive *archive, const MkPrincipal *principal);
/* @out_secret (out) 160 bits as letters and digits, shown once; the caller wipes it */
bool mk_archive_app_password_create(MkArchive *archive, const MkPrincipal *principal,
                                    const char *password, const char *peer_address,
                                    const char *name, char **out_secret, GError **error);
bool mk_archive_app_password_revoke(MkArchive *archive, const MkPrincipal *principal, uint32_t id,
                                    GError **error);

/* -- folders and rights ----------------------------------------------------------------- */
/* MkFolder * readable by @principal, ordered by path; @below NULL or a folder; @max_levels 0 = all. [any] */
GPtrArray *mk_archive_folders(MkArchive *archive, const MkPrincipal *principal, const char *below,
                              unsigned max_levels);
/* All folders, whoever may read them: statistics and administration. [any] */
GPtrArray *mk_archive_all_folders(MkArchive *archive, const char *below, unsigned max_levels);
/* Ids of all mails of a folder, newest number last; rights are checked. */
GArray *mk_archive_folder_mails(MkArchive *archive, const MkPrincipal *principal,
                                const char *folder, GError **error);

/* -- gateway mailboxes (GW-02, -03) ----------------------------------------------------------- */
typedef enum { MK_GATEWAY_ARCHIVE, MK_GATEWAY_SPOOL } MkGatewayMode;
typedef struct {
    char *id; /* "mbx-" and 32 hex digits when not given */
    char *address;
    char *name;
    char *description;
    MkGatewayMode mode; /* _SPOOL: MK_ERROR_UNSUPPORTED in this version */
    bool suspended;
} MkGatewayMailbox;
void mk_gateway_mailbox_free(MkGatewayMailbox *mailbox);
GPtrArray *mk_archive_gateway_mailboxes(MkArchive *archive); /* [any] copies */
/* @out_id (out) may be NULL. Addresses and ids are unique. */
bool mk_archive_gateway_create(MkArchive *archive, const MkGatewayMailbox *mailbox, char **out_id,
                               GError **error);
bool mk_archive_gateway_set_suspended(MkArchive *archive, const char *id, bool suspended,
                                      GError **error);
/* Only a suspended one. */
bool mk_archive_gateway_delete(MkArchive *archive, const char *id, GError **error);
typedef enum { MK_GATEWAY_UNKNOWN, MK_GATEWAY_ACTIVE, MK_GATEWAY_SUSPENDED } MkGatewayState;
/* For RCPT. [any] */
MkGatewayState mk_archive_gateway_find(MkArchive *archive, const char *address);

/* -- what came in, and what did not ------------------------------------------------------------- */
#define MK_ARRIVAL_DAYS 30
typedef struct {
    int64_t begins_unix_ms; /* midnight in the server's time zone */
    uint64_t mail_count;    /* mails kept that day for the first time */
} MkArrivalDay;
/* The last days, oldest first, today at the end. Looks at some twenty rows a day (store.h). */
bool mk_archive_arrival_days(MkArchive *archive, int64_t now_unix_ms,
                             MkArrivalDay out[MK_ARRIVAL_DAYS], GError **error);
/*
 * mk_archive_gateway_activity() - when mail came to a gateway mailbox last, and whether it should have
 *
 * Silent is a mailbox to which mail came on MK_ARRIVAL_USED_DAYS of the last 64 days or more, and
 * then nothing for longer than MK_ARRIVAL_SILENT_DAYS and twice the longest pause of those days.
 * The last time is exact since the start of the daemon, before that to the day. [any]
 */
#define MK_ARRIVAL_USED_DAYS 3
#define MK_ARRIVAL_SILENT_DAYS 3
typedef struct {
    int64_t last_unix_ms; /* 0 = never */
    bool silent;
} MkGatewayActivity;
MkGatewayActivity mk_archive_gateway_activity(MkArchive *archive, const char *id,
                                              int64_t now_unix_ms);

/* -- spool: octets of a mail that is just coming in [loop] -------------------------------------- */
/*
 * Memory up to MK_LIMIT_SPOOL_MEMORY_BYTES, beyond it an unlinked file under <data_dir>/spool,
 * sealed in chunks under a key of this process. Writing to the file is done on the bulk lane.
 */
typedef struct MkSpool MkSpool;
MkSpool *mk_spool_new(MkArchive *archive);
/*
 * mk_spool_add() - append octets (copied)
 * MK_ERROR_BUSY: MK_LIMIT_SPOOL_TOTAL_BYTES is reached; _NO_SPACE, _IO: the file cannot be written.
 * After an error the spool only waits to be freed.
 */
bool mk_spool_add(MkSpool *spool, const void *data, size_t length, GError **error);
uint64_t mk_spool_size(const MkSpool *spool);
/* Chunks wait for the disk: stop reading until @on_drain. */
bool mk_spool_is_full(const MkSpool *spool);
void mk_spool_set_on_drain(MkSpool *spool, void (*on_drain)(void *cookie), void *cookie);
void mk_spool_free(MkSpool *spool); /* NULL-safe; at any time */
/* Whether one more mail can be taken now: disk space, ingest queue, store state. Else why. [loop] */
bool mk_archive_can_take(MkArchive *archive, uint64_t size_bytes, GError **error);

/* -- ingest [loop] ---------------------------------------------------------------------------- */
typedef struct {
    char *reverse_path;       /* "" = <> */
    GPtrArray *forward_paths; /* char * */
    char *client_address;
    char *helo;
    char *tls;        /* description, or NULL = clear */
    char *gateway_id; /* mailbox that took it; NULL: found by forward_paths[0] */
    int64_t arrived_unix_ms;
} MkEnvelope;
MkEnvelope *mk_envelope_new(void);
void mk_envelope_free(MkEnvelope *envelope);

/*
 * mk_archive_ingest() - take a whole mail
 * @envelope, @spool  taken over
 * @on_done           on the loop, once: @error NULL = durable, say 250; else nothing of it is kept
 *
 * A journal report is unwrapped (also in a report, 4 deep); each original goes to
 * `<archive>/Journal Outgoing` of each user who has the sender's address and
 * `<archive>/Journal Incoming` of each who has a recipient's; envelope recipients count where the
 * form gives them, header fields otherwise (IF-16). What cannot be unwrapped is kept whole.
 */
typedef void (*MkIngestDone)(const GError *error, void *cookie);
void mk_archive_ingest(MkArchive *archive, MkEnvelope *envelope, MkSpool *spool,
                       MkIngestDone on_done, void *cookie);

/* -- find and read ---------------------------------------------------------------------------- */
/* "today", "yesterday", "this-week", "last-week", "this-month", "last-month", "this-year", "last-year":
 * days in the server's time zone, weeks from Monday. NULL-safe, pure but for the time zone. */
bool mk_date_preset(const char *name, int64_t now_unix_ms, int64_t *out_from_ms,
                    int64_t *out_to_ms); /* inclusive; false: no such preset */

typedef enum {
    MK_ATTACHMENTS_ANY,
    MK_ATTACHMENTS_WITH,
    MK_ATTACHMENTS_WITHOUT,
    MK_ATTACHMENTS_NEITHER, /* both boxes cleared: finds nothing */
} MkAttachmentFilter;

typedef struct {
    const MkPrincipal *principal;
    const char *query;      /* search language; NULL or "" = everything */
    unsigned fields;        /* MK_FIELD_BITs that unprefixed words look at; 0 = all (SR-06) */
    const char *from;       /* words for the sender alone; NULL = any */
    const char *recipients; /* for To, Cc or Bcc */
    const char *folder;     /* NULL = all that may be read; else that folder and all below it */
    bool only_folder;       /* not what is below it */
    int64_t date_from_unix_ms, date_to_unix_ms; /* inclusive; 0, 0 = any */
    int64_t archived_from_unix_ms, archived_to_unix_ms;
    uint32_t store_id; /* 0 = all; only administrators may choose one (SR-08) */
    MkAttachmentFilter attachments;
    uint64_t size_min_bytes, size_max_bytes;                 /* 0 = any */
    bool importance_low, importance_normal, importance_high; /* all false = any */
    uint32_t text_flags;             /* MK_INDEX_TEXT_...: at least one of these; 0 = any */
    const MkMailId *conversation_of; /* only mails of its conversation; NULL = any */
    MkGroup group;
    bool with_snippets; /* of the first MK_LIMIT_SNIPPET_PAGE hits */
    MkSort sort;
    bool ascending;
    uint64_t offset;
    unsigned limit; /* 1..MK_LIMIT_SEARCH_PAGE */
    const int *cancelled;
} MkFind;
/*
 * mk_criteria_read() - criteria by their names: arguments of the web and of SearchMessages, members
 *                      of a saved search
 * @get  the text of a criterion, borrowed; NULL or "" when it is left out
 * Pure but for the clock, which date presets look at. MK_ERROR_INVALID or _LIMIT names what is
 * wrong, with nothing in @out. Page, principal and cancel are the caller's.
 */
typedef struct {
    MkFind find;
    char *query, *from, *recipients, *folder; /* what find points to */
} MkCriteria;
typedef const char *(*MkCriterionFunc)(const char *name, void *cookie);
bool mk_criteria_read(MkCriteria *out, MkCriterionFunc get, void *cookie, GError **error);
void mk_criteria_clear(MkCriteria *criteria);
const char *const *mk_criteria_names(void); /* all of them, NULL-terminated */

typedef struct {
    uint64_t total;      /* rows */
    uint64_t mail_total; /* mails; more than rows when grouped */
    GPtrArray *hits;     /* MkFoundMail * */
} MkFound;
typedef struct {
    MkMailId id;
    char *subject;
    char *from;
    char *to;
    int64_t date_unix_ms;
    int64_t archived_unix_ms;
    uint64_t size_bytes;
    char *folder;   /* path of the first readable folder it lies in */
    uint32_t flags; /* MK_MAIL_..., MK_INDEX_TEXT_... */
    /* where words of the query stand: MkRange, or NULL when there was none to look for */
    GArray *subject_ranges, *from_ranges, *to_ranges;
    MkSnippet *snippet; /* of the body, or of attachment text when only that matches; or NULL */
    /* Instead of a snippet, when only text of attachments that is not kept can be why it is a hit:
     * the names (char *, "" for none) of those whose text is in the index. Else NULL. */
    GPtrArray *in_attachments;
    uint32_t group_count;
    GArray *group_ids; /* MkMailId of the others, or NULL */
} MkFoundMail;
MkFound *mk_archive_find(MkArchive *archive, const MkFind *find, GError **error);
void mk_found_free(MkFound *found);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkFound, mk_found_free)
/* One row; MK_ERROR_NOT_FOUND also when it must not be seen. */
MkFoundMail *mk_archive_mail_get(MkArchive *archive, const MkPrincipal *principal, MkMailId id,
                                 GError **error);
void mk_found_mail_free(MkFoundMail *mail);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkFoundMail, mk_found_mail_free)
/* The exact octets. */
GBytes *mk_archive_mail_read(MkArchive *archive, const MkPrincipal *principal, MkMailId id,
                             GError **error);
/* One arrival in readable form: administrators who may read the mail only (it shows Bcc). */
typedef struct {
    int64_t arrived_unix_ms;
    MkEnvelope *envelope;
    bool has_report;
    uint64_t report_size_bytes;
} MkArrival;
void mk_arrival_free(MkArrival *arrival);
GPtrArray *mk_archive_arrivals(MkArchive *archive, const MkPrincipal *principal, MkMailId id,
                               GError **error);
/* The whole report of arrival @n (0..) as it came in, the mail inside. */
GBytes *mk_archive_report_read(MkArchive *archive, const MkPrincipal *principal, MkMailId id,
                               unsigned n, GError **error);

/* The results of attachment text of a mail: MkAttachmentText; empty when it is not indexed yet. */
GArray *mk_archive_attachment_texts(MkArchive *archive, const MkPrincipal *principal, MkMailId id,
                                    GError **error);

/*
 * mk_archive_attachment_preview() - what one attachment says, for those who read the mail
 * @number     of the part
 * @cancelled  atomic; may be NULL
 * @out        set on success, whatever became of the text; the caller clears it
 *
 * Read anew at each call, whatever the index has been told to leave out, but without OCR; at most
 * MK_LIMIT_PREVIEW_TEXT_BYTES and MK_LIMIT_PREVIEW_SECONDS. MK_ERROR_NOT_FOUND: no such mail or part,
 * or not theirs to see. MK_ERROR_BUSY: MK_LIMIT_PREVIEWS are being read. Blocks.
 */
bool mk_archive_attachment_preview(MkArchive *archive, const MkPrincipal *principal, MkMailId id,
                                   unsigned number, const int *cancelled, MkExtracted *out,
                                   GError **error);
/*
 * mk_archive_attachment_page() - what a page of an attached PDF looks like
 * @number, @cancelled  as above
 * @page                from 1
 * @out                 set on success, whatever became of the picture; the caller clears it.
 *                      NOT_INDEXED: the attachment is no PDF, or there is nothing that draws one
 *
 * Drawn anew at each call within MK_LIMIT_PREVIEW_SECONDS. Errors as above; MK_LIMIT_PREVIEWS
 * counts both together. Blocks.
 */
bool mk_archive_attachment_page(MkArchive *archive, const MkPrincipal *principal, MkMailId id,
                                unsigned number, unsigned page, const int *cancelled,
                                MkPagePicture *out, GError **error);

/* -- suggestions -------------------------------------------------------------------------- */
typedef enum { MK_SUGGEST_WORD, MK_SUGGEST_ADDRESS, MK_SUGGEST_FOLDER } MkSuggestKind;
typedef struct {
    MkSuggestKind kind;
    char *text;   /* what is put in place of what was typed */
    char *detail; /* the display name of an address; or NULL */
} MkFoundSuggestion;
void mk_found_suggestion_free(MkFoundSuggestion *suggestion);
/* For what stands before the cursor: its last word, or the address after from:, to:, cc:, bcc:. Only
 * from mails and folders that @principal may read. */
GPtrArray *mk_archive_suggest(MkArchive *archive, const MkPrincipal *principal, const char *typed,
                              unsigned limit, const int *cancelled, GError **error);

/* -- saved searches (SR-10) ------------------------------------------------------------------- */
/* The criteria are the web API's JSON object, kept as it is and understood when it is run. */
typedef struct {
    uint32_t id; /* within its user */
    char *name;
    char *criteria;
    int64_t changed_unix_ms;
} MkSavedSearch;
void mk_saved_search_free(MkSavedSearch *search);
GPtrArray *mk_archive_saved_searches(MkArchive *archive, const MkPrincipal *principal,
                                     GError **error); /* by name */
/* @id 0 makes one. Names are unique for a user, without case: MK_ERROR_EXISTS. */
bool mk_archive_saved_search_put(MkArchive *archive, const MkPrincipal *principal, uint32_t id,
                                 const char *name, const char *criteria, uint32_t *out_id,
                                 GError **error);
bool mk_archive_saved_search_delete(MkArchive *archive, const MkPrincipal *principal, uint32_t id,
                                    GError **error);

/* -- indexes (IX-01..IX-11) ------------------------------------------------------------------- */
typedef struct {
    uint64_t kinds;    /* 1 << MkDocumentKind that are read; default: all there are */
    char **extensions; /* further file name extensions, read as plain text (IX-03) */
    bool ocr;          /* default: no */
} MkIndexSettings;
void mk_index_settings_clear(MkIndexSettings *settings);
bool mk_archive_index_settings(MkArchive *archive, MkIndexSettings *out, GError **error);
/* 1 << MkDocumentKind that can be read on this machine (IX-05). Asks the helper: takes a moment. */
uint64_t mk_archive_text_available(MkArchive *archive);
/* For mails archived from now on; @mark marks all indexes for rebuild (IX-06, IX-08). */
bool mk_archive_set_index_settings(MkArchive *archive, const MkIndexSettings *settings, bool mark,
                                   GError **error);
/* One row per store and user archive (IX-01); the archives of a store share its files. */
typedef struct {
    uint32_t store_id;
    char *store_name;
    char *folder; /* the archive */
    uint64_t mail_count;
    uint64_t texts_waiting; /* mails of it found by all but the text of an attachment, as yet */
    bool needs_rebuild;     /* IX-08 */
    bool selected;          /* for the next rebuild; those that need one always are */
    bool rebuilding;
    char *error; /* or NULL */
} MkIndexInfo;
void mk_index_info_free(MkIndexInfo *info);
GPtrArray *mk_archive_indexes(MkArchive *archive, uint32_t store_id, GError **error); /* 0 = all */
bool mk_archive_select_indexes(MkArchive *archive, GError **error);
/*
 * mk_archive_rebuild_archive_index() - index all mails of one user archive again
 *
 * The index stays usable: each mail is replaced. Progress is kept (IX-09): after a restart
 * it goes on by itself in the background. MK_ERROR_CANCELLED when @on_progress says so; then it
 * stays marked. mk_archive_rebuild_index() does it for a whole store from an empty index.
 */
bool mk_archive_rebuild_archive_index(MkArchive *archive, uint32_t store_id, const char *folder,
                                      MkProgressFunc on_progress, void *cookie, GError **error);

/* -- sending mail: settings (SM-01, SM-04) ------------------------------------------------------ */
typedef enum { MK_SMTP_IN_CLEAR, MK_SMTP_STARTTLS_NEEDED, MK_SMTP_IMPLICIT_TLS } MkSmtpSecurity;
/* How mail of ours leaves. No member is NULL. */
typedef struct {
    char *host; /* "": mail is not sent */
    uint16_t port;
    MkSmtpSecurity security;
    bool ignore_certificate; /* neither its name nor who signed it matters */
    bool log_in;             /* never with MK_SMTP_IN_CLEAR */
    char *user_name;
    char *password;
    char *from_name;
    char *from_address; /* also the reverse-path */
    char **recipients;  /* of notifications; NULL-terminated */
} MkSmtpSettings;
void mk_smtp_settings_clear(MkSmtpSettings *settings); /* wipes the password */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkSmtpSettings, mk_smtp_settings_clear)
/* The defaults when there are none. Reads the master database: the password is in no other memory. */
bool mk_archive_smtp_settings(MkArchive *archive, MkSmtpSettings *out, GError **error);
/*
 * mk_archive_set_smtp_settings() - all of them at once
 * @settings  a NULL password keeps the one there is, unless the host is another one
 * MK_ERROR_INVALID names the member that is wrong. An empty host takes all of them away.
 */
bool mk_archive_set_smtp_settings(MkArchive *archive, const MkSmtpSettings *settings,
                                  GError **error);
/* There are some: mail can be sent. [any] */
bool mk_archive_can_send(MkArchive *archive);
/* "name@domain", UTF-8, without blanks, quotes, brackets and control characters: what may stand
 * between < and > of a command. Pure. */
bool mk_smtp_address_is_good(const char *address);

/* -- stores ------------------------------------------------------------------------------ */
typedef struct {
    uint32_t id;
    char *name;
    char *state; /* "current" */
    char *database_path, *content_path, *index_path;
    MkStoreStatistics statistics;
    MkIndexStatistics index;
    bool index_needs_rebuild;
    int64_t verified_unix_ms; /* end of the last whole verification; 0 = none */
    uint64_t verified_errors; /* that it found */
    char *error;              /* or NULL */
} MkStoreInfo;
GPtrArray *mk_archive_stores(MkArchive *archive, bool with_sizes, GError **error);
void mk_store_info_free(MkStoreInfo *info);
/* @on_progress as in store.h; messages of both reports come together. */
bool mk_archive_verify_store(MkArchive *archive, uint32_t store_id, bool include_indexes,
                             MkProgressFunc on_progress, void *cookie, MkVerifyReport *out,
                             GError **error);
/* Waits (bounded by @timeout_ms) until all that is durable now can be found. Tests and demo. */
bool mk_archive_wait_indexed(MkArchive *archive, uint64_t timeout_ms, GError **error);
/* Empties the index and lets it be built again in the background. */
bool mk_archive_rebuild_index(MkArchive *archive, uint32_t store_id, GError **error);

/* Of the file system that the data directory lies in; free for the daemon's user. */
bool mk_archive_disk(MkArchive *archive, uint64_t *out_free_bytes, uint64_t *out_total_bytes,
                     GError **error);

/* Lets go of what is kept in memory only for the next question. [loop] */
void mk_archive_release_memory(MkArchive *archive);

/* -- gauges [any] ------------------------------------------------------------------------- */
typedef struct {
    uint64_t spool_bytes, spools_open;
    uint64_t ingest_held; /* mails that wait before the lane because the index is behind */
    uint64_t ingest_waiting, ingest_running;
    uint64_t mails_new, mails_again, reports, reports_broken, unowned; /* since start */
    uint64_t ingest_failed;                 /* mails that could not be kept, since start */
    int64_t ingest_failed_unix_ms;          /* the last one; 0 = none */
    MkErrorCode ingest_failed_code;         /* and why */
    uint64_t index_behind;                  /* changes not yet findable */
    uint64_t texts_waiting;                 /* mails whose attachments are not findable yet */
    uint64_t index_cpu_us, training_cpu_us; /* spent on a lane, since start */
} MkArchiveGauges;
void mk_archive_gauges(MkArchive *archive, MkArchiveGauges *out);

#endif
