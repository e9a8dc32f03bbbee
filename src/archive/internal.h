/*
 * internal.h - the inside of archive/
 *
 * Locks, in the order in which they may be taken:
 *   large_lock    one large mail in memory at a time; held while it is prepared or indexed
 *   merge_lock, index_writer_lock
 *                 of a store: who joins segments of its index, who writes to it; lanes only
 *   master_lock   the one writer of the master database; held over its commit, lanes only
 *   index_status.lock
 *                 of a store; held over the commit of its row, lanes only
 *   users.lock, gateways.lock, arrivals.lock, gate.lock, sessions.lock, app_passwords.lock,
 *   index_settings.lock
 *                 short, no I/O under them, so that the loop may take them too; never two at once
 * pthread's own locks, so that the thread sanitizer sees them.
 */
#ifndef MAILKEEP_ARCHIVE_INTERNAL_H
#define MAILKEEP_ARCHIVE_INTERNAL_H

#include <mailkeep/archive.h>

#include <pthread.h>
#include <stdatomic.h>

#include <mailkeep/crypto.h>
#include <mailkeep/db.h>
#include <mailkeep/limits.h>
#include <mailkeep/mail.h>
#include <mailkeep/text.h>

typedef struct ArchiveStore ArchiveStore;

/* -- users in memory: user_record.c, user_table.c ---------------------------------------------- */
/* Never changed once it is in the table: a change puts a changed copy in its place. */
typedef struct {
    MkUser user; /* the outside view; has_password follows password_hash */
    char *folded_name;
    char *password_hash;       /* NULL = none */
    uint32_t password_version; /* rises with every password set: older principals end */
} UserRecord;

UserRecord *user_record_new(uint32_t id, const char *user_name);
UserRecord *user_record_copy(const UserRecord *record);
void user_record_free(UserRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UserRecord, user_record_free)
void user_record_set_name(UserRecord *record, const char *user_name);
void user_record_set_hash(UserRecord *record, char *password_hash); /* takes it */
/* The octets of docs/formats/master.md. */
void user_record_format(const UserRecord *record, GByteArray *out);
UserRecord *user_record_parse(uint32_t id, const uint8_t *data, size_t length);
MkUser *user_copy(const MkUser *user);
/* The form in which user names are compared: NFC, case folded. */
char *user_name_fold(const char *user_name);
bool user_name_check(const char *user_name, GError **error);
bool user_record_is_admin(const UserRecord *record);
bool user_record_may_login(const UserRecord *record);

typedef struct {
    pthread_rwlock_t lock;
    GHashTable *by_id;      /* id -> UserRecord *, owned */
    GHashTable *by_name;    /* folded name -> UserRecord *, both borrowed */
    GHashTable *by_address; /* folded address -> GPtrArray of UserRecord *, borrowed */
} UserTable;

void user_table_init(UserTable *table);
void user_table_clear(UserTable *table);
void user_table_put(UserTable *table,
                    UserRecord *record); /* takes it, in place of one with its id */
void user_table_remove(UserTable *table, uint32_t id);
/* Copies, or NULL. */
UserRecord *user_table_find(UserTable *table, const char *user_name);
UserRecord *user_table_get(UserTable *table, uint32_t id);
bool user_table_archive_is_taken(UserTable *table, const char *archive);
/* Whether an administrator with a password is left when @without (an id) is gone. */
bool user_table_admin_remains(UserTable *table, uint32_t without);
/* Adds "<archive>/<folder>" (new strings as keys) for each user who has @folded_address. */
void user_table_add_owners(UserTable *table, const char *folded_address, const char *folder,
                           GHashTable *paths);

/* -- gateway mailboxes in memory: gateway.c ------------------------------------------------------ */
typedef struct {
    pthread_rwlock_t lock;
    GHashTable *by_id;      /* id -> GatewayRecord *, owned */
    GHashTable *by_address; /* folded address -> GatewayRecord *, borrowed */
} GatewayTable;

void gateway_table_init(GatewayTable *table);
void gateway_table_clear(GatewayTable *table);
bool gateway_table_load(MkArchive *archive, GError **error);
/* The id of the mailbox with this address, or NULL. */
char *gateway_table_id_of(GatewayTable *table, const char *address);

/* -- when mail came to them: arrivals.c ---------------------------------------------------------- */
/* Days are those of UTC since 1970: they only measure distances. */
typedef struct {
    int64_t last_unix_ms;
    uint64_t days; /* bit n: mail came n days before the day of last_unix_ms; bit 0 always */
} Arrival;
/* True when it is the first mail of a day. Pure, as the next. */
bool arrival_note(Arrival *arrival, int64_t unix_ms);
bool arrival_is_silent(const Arrival *arrival, int64_t now_unix_ms);

typedef struct {
    pthread_mutex_t lock;   /* short, no I/O under it */
    GHashTable *by_gateway; /* id -> Arrival *, owned */
} ArrivalTable;
void arrival_table_init(ArrivalTable *table);
void arrival_table_clear(ArrivalTable *table);
bool arrival_table_load(MkArchive *archive, GError **error);
/* [loop] A mail for this mailbox (NULL: for none) is durable; kept by a job on its first of a day. */
void arrival_table_note(MkArchive *archive, const char *gateway_id, int64_t unix_ms);
void arrival_table_forget(ArrivalTable *table, const char *gateway_id); /* [any] */

/* -- the last verification of each store: verification.c ---------------------------------------- */
bool verifications_load(MkArchive *archive, GError **error);
bool verification_keep(MkArchive *archive, ArchiveStore *store, uint64_t errors, GError **error);

/* -- master database: master.c --------------------------------------------------------------- */
enum {
    MASTER_META,
    MASTER_USERS,
    MASTER_GATEWAYS,
    MASTER_SAVED_SEARCHES,
    MASTER_INDEXES,    /* by store */
    MASTER_SETTINGS,   /* SETTING_... */
    MASTER_TWO_FACTOR, /* by user */
    MASTER_APP_PASSWORDS,
    MASTER_TABLES
};
enum {
    SETTING_INDEX = 1,
    SETTING_SMTP = 2,
    SETTING_ARRIVALS = 20,
    SETTING_VERIFICATIONS = 21,
};

MkDb *master_open(const char *data_dir, const MkKeyring *keyring, uint64_t map_size_bytes,
                  GError **error);
/* False from @on_row: the row is damaged. */
typedef bool (*MasterRowFunc)(uint32_t id, const GByteArray *value, void *cookie);
bool master_each(MkDb *master, unsigned table, MasterRowFunc on_row, void *cookie, GError **error);
bool master_load_users(MkDb *master, UserTable *users, GError **error);
/* @out cleared, then the row's octets; absent is no error. */
bool master_find(MkArchive *archive, unsigned table, uint32_t id, GByteArray *out, bool *out_found,
                 GError **error);
/* One row, one transaction; master_lock is held. @value NULL deletes. */
bool master_put(MkArchive *archive, unsigned table, uint32_t id, const GByteArray *value,
                GError **error);
bool master_put_key(MkArchive *archive, unsigned table, const void *key, size_t key_length,
                    const GByteArray *value, GError **error);
/* Makes a number that was never given before, durably. */
bool master_next_id(MkArchive *archive, unsigned table, uint32_t *out_id, GError **error);

/* All saved searches of a user that is going; master_lock is held. */
bool saved_searches_delete_all(MkArchive *archive, uint32_t user_id, GError **error);

/* -- logins: login.c, throttle.c, login_cache.c ---------------------------------------------- */
typedef struct {
    GHashTable *entries; /* key -> ThrottleEntry *, owned */
    GQueue order;        /* the same, oldest window first */
} Throttle;

void throttle_init(Throttle *throttle);
void throttle_clear(Throttle *throttle);
/* Counts a try that is taken back when it succeeds; false: too many in this window. */
bool throttle_try(Throttle *throttle, const char *key, int64_t now_ms);
void throttle_take_back(Throttle *throttle, const char *key);

typedef struct {
    MkKey *key;          /* of this process only */
    GHashTable *entries; /* MkHash * -> int64_t * (monotonic ms until it counts) */
} LoginCache;

void login_cache_init(LoginCache *cache);
void login_cache_clear(LoginCache *cache);
MkHash login_cache_key(const LoginCache *cache, const UserRecord *record, const char *peer,
                       const char *password);
bool login_cache_has(LoginCache *cache, const MkHash *key, int64_t now_ms);
void login_cache_add(LoginCache *cache, const MkHash *key, int64_t now_ms);

typedef struct {
    pthread_mutex_t lock;
    Throttle names;
    Throttle peers;
    LoginCache cache;
    pthread_mutex_t slots_lock; /* MK_LIMIT_PASSWORD_JOBS: 64 MiB each */
    pthread_cond_t slots_free;
    unsigned slots_used;
} LoginGate;

void login_gate_init(LoginGate *gate);
void login_gate_clear(LoginGate *gate);
/* Argon2id, at most MK_LIMIT_PASSWORD_JOBS at once. */
bool login_gate_verify(LoginGate *gate, const char *hash, const char *password);
char *login_gate_hash(LoginGate *gate, const char *password, GError **error);

/* Whether @password is that of @record: MK_ERROR_AUTH or _BUSY, counted as a login is. */
bool login_confirm(MkArchive *archive, const UserRecord *record, const char *password,
                   const char *peer_address, GError **error);
/* A code is about to be tried: MK_ERROR_BUSY, or it counts as a failure until it has passed. */
bool login_code_enter(MkArchive *archive, uint32_t user_id, const char *peer_address,
                      GError **error);
void login_code_passed(MkArchive *archive, uint32_t user_id, const char *peer_address);

MkPrincipal *principal_new(uint32_t user_id, uint32_t password_version);
MkPrincipal *principal_new_app(uint32_t user_id, uint32_t password_version, uint32_t app_password);
/* Not come with an app password. */
bool principal_is_person(const MkPrincipal *principal);
bool principal_is_system(const MkPrincipal *principal);
/* A copy of the user's record while the principal is valid; NULL otherwise and for the system. */
UserRecord *principal_record(MkArchive *archive, const MkPrincipal *principal);

/* -- users changed: users.c ---------------------------------------------------------------------- */
/* Writes the row, then puts @record (taken) into the table; master_lock is held. */
bool user_store_record(MkArchive *archive, UserRecord *record, GError **error);
/* The policy, the hash, the row. @end_apps: app passwords end as well. */
bool user_set_password(MkArchive *archive, const UserRecord *record, const char *password,
                       bool end_apps, GError **error);
/* A text property that came from outside: length, UTF-8, control characters. */
bool property_check(const char *text, const char *what, GError **error);

/* -- the own account: account.c, two_factor.c, totp.c, base32.c, app_passwords.c ------------------- */
/* The user's record; NULL with MK_ERROR_DENIED for a program or a login that is over. */
UserRecord *account_record(MkArchive *archive, const MkPrincipal *principal, GError **error);

/* New strings, secret. */
char *base32_format(const uint8_t *data, size_t length);
char *base32_random(size_t characters);
/* For the eye: small letters, a dash after each @group. */
char *base32_group(const char *text, size_t group);
/* What was typed, as base32_random() made it; NULL when it cannot be one of @characters. */
char *base32_read(const char *typed, size_t characters);

enum { TOTP_DIGITS = 6, TOTP_SECRET_BYTES = 20, RECOVERY_CHARACTERS = 12 };
uint64_t totp_step(int64_t unix_ms);
/* @out has room for @digits (at most 8) and NUL */
void totp_format(const uint8_t *secret, size_t length, uint64_t step, unsigned digits, char *out);
/* @code fits @now_step or a step beside it, and that is after @last_step. */
bool totp_check(const uint8_t *secret, size_t length, const char code[TOTP_DIGITS + 1],
                uint64_t now_step, uint64_t last_step, uint64_t *out_step);

typedef struct {
    bool is_on;            /* else only begun */
    int64_t since_unix_ms; /* begun, or switched on */
    uint8_t secret[TOTP_SECRET_BYTES];
    uint64_t last_step; /* of the last code that was taken; 0 = none */
    GArray *recovery;   /* MkHash of the recovery codes that are left */
} TwoFactor;
void two_factor_clear(TwoFactor *factor);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TwoFactor, two_factor_clear)
bool two_factor_load(MkArchive *archive, GError **error);
bool two_factor_find(MkArchive *archive, uint32_t user_id, TwoFactor *out, bool *out_found,
                     GError **error);
/* master_lock is held for all that write. */
bool two_factor_put(MkArchive *archive, uint32_t user_id, const TwoFactor *factor, GError **error);
bool two_factor_delete(MkArchive *archive, uint32_t user_id, GError **error);
/* Puts new codes in the place of the old ones; NULL-terminated. */
char **two_factor_renew_recovery(const MkArchive *archive, uint32_t user_id, TwoFactor *factor);
/* A right code is used up in @factor. */
bool two_factor_spend_totp(TwoFactor *factor, const char *typed, int64_t now_unix_ms);
/* Either kind of code, used up durably when *out_right. */
bool two_factor_spend(MkArchive *archive, uint32_t user_id, const char *typed, int64_t now_unix_ms,
                      bool *out_right, GError **error);

typedef struct {
    pthread_mutex_t lock;
    GHashTable *by_id;   /* id -> AppPassword *, owned */
    GHashTable *by_hash; /* the same by hash, borrowed */
} AppTable;
void app_table_init(AppTable *table);
void app_table_clear(AppTable *table);
bool app_table_load(MkArchive *archive, GError **error);
bool app_table_has(AppTable *table, uint32_t user_id, uint32_t id);
/* The id of the user's app password that @password is, or 0. */
uint32_t app_password_find(MkArchive *archive, uint32_t user_id, const char *password);
void app_password_used(MkArchive *archive, uint32_t id);
bool app_passwords_delete_all(MkArchive *archive, uint32_t user_id, GError **error);

/* -- sessions: sessions.c ------------------------------------------------------------------------ */
typedef struct {
    pthread_mutex_t lock;
    GHashTable *by_id; /* id -> Session *, owned */
    uint64_t last_number;
} SessionTable;

void session_table_init(SessionTable *table);
void session_table_clear(SessionTable *table);

/* -- folders and rights: folders.c ------------------------------------------------------------ */
/* A user's readable places at one moment. */
typedef struct {
    bool all;             /* the machine itself */
    GHashTable *readable; /* archives and folders with MK_RIGHT_READ; it counts for all below */
} Sight;
void sight_init(Sight *sight, MkArchive *archive, const MkPrincipal *principal);
void sight_clear(Sight *sight);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sight, sight_clear)
bool sight_may_read(const Sight *sight, const char *path);
/* @path is @below or lies in it */
bool folder_is_within(const char *path, const char *below);

/* -- indexes: index_status.c, index_settings.c, index_rebuild.c ---------------------------------- */
/* Of one user archive in one store's index. */
typedef struct {
    bool needs_rebuild;
    bool selected;
    bool rebuilding;      /* being indexed again, now or after the next start */
    uint32_t after;       /* the last number done so far */
    uint64_t done, total; /* mails, for progress; not kept */
} ArchiveIndex;

typedef struct {
    pthread_mutex_t lock; /* lanes only: held over the write; changes hold master_lock too */
    GHashTable *archives; /* char * -> ArchiveIndex *, owned; those with something to say */
    bool damaged;         /* a search or a verification has said so: all of it is to be made anew */
    char *error;          /* why, or NULL */
    uint64_t sequence;    /* of the refill under way: the store's change before its first mail */
} IndexStatus;

void index_status_init(IndexStatus *status);
void index_status_clear(IndexStatus *status);
/* The rows of all stores, which are open. */
bool index_status_load(MkArchive *archive, GError **error);
/* The index cannot be read; kept, and logged once. */
void index_status_damaged(MkArchive *archive, ArchiveStore *store, const char *why);
/* A refill begins (from @sequence on) or has ended: nothing is left to be done. */
bool index_status_refill(MkArchive *archive, ArchiveStore *store, uint64_t sequence,
                         GError **error);
bool index_status_refilled(MkArchive *archive, ArchiveStore *store, GError **error);
uint64_t index_status_sequence(ArchiveStore *store);
/* Changes one archive's entry by @change, then keeps it. */
typedef void (*ArchiveIndexFunc)(ArchiveIndex *index, void *cookie);
bool index_status_change(MkArchive *archive, ArchiveStore *store, const char *folder,
                         ArchiveIndexFunc change, void *cookie, GError **error);
/* The same for several at once; @folders char *. */
bool index_status_change_all(MkArchive *archive, ArchiveStore *store, const GPtrArray *folders,
                             ArchiveIndexFunc change, void *cookie, GError **error);
/* A copy; all zero when nothing is known of it. */
ArchiveIndex index_status_get(ArchiveStore *store, const char *folder);
bool index_status_is_damaged(ArchiveStore *store, char **out_error);
/* An archive that is being rebuilt (new string), or NULL. */
char *index_status_rebuilding(ArchiveStore *store);
void index_status_progress(ArchiveStore *store, const char *folder, uint64_t done, uint64_t total);

typedef struct {
    pthread_mutex_t lock;
    MkIndexSettings settings;
    unsigned version; /* rises with each change */
} IndexSettings;
void index_settings_init(IndexSettings *settings);
void index_settings_clear(IndexSettings *settings);
bool index_settings_load(MkArchive *archive, GError **error);
/* A copy, and which it is. */
unsigned index_settings_get(MkArchive *archive, MkIndexSettings *out);

/* smtp_settings.c: checks the row and notes whether there is one. */
bool smtp_settings_load(MkArchive *archive, GError **error);

/* The one archive that is indexed again, follower's job only. */
typedef struct {
    char *folder;
    GArray *numbers; /* uint32_t, ascending: what is to be done */
    guint at;
    uint64_t total;
} RebuildWork;
void rebuild_work_clear(RebuildWork *work);
/* User archives of a store: names, char *. */
GPtrArray *store_archives(ArchiveStore *store);

/* -- stores: stores.c, follower.c -------------------------------------------------------------- */
typedef struct Follower Follower;
typedef struct AttachmentReader AttachmentReader;

struct ArchiveStore {
    uint32_t id;
    char *name;
    char *dir;
    MkStore *store;
    MkIndex *index;
    MkKey *conversation_key;
    Follower *follower;                /* NULL without a loop */
    _Atomic uint64_t indexed;          /* the index's watermark, for gauges */
    _Atomic uint64_t texts_waiting;    /* mails that want the text pass; exact after each */
    _Atomic unsigned index_emptied;    /* how often since the start */
    _Atomic uint32_t refill_at;        /* how far a refill is, by numbers of mails, ... */
    _Atomic uint32_t refill_last;      /* ... and where it ends; 0: not known yet */
    pthread_mutex_t merge_lock;        /* held while segments are joined */
    _Atomic int merge_unwanted;        /* the index is about to be emptied */
    pthread_mutex_t index_writer_lock; /* the one writer of the index; guards the next two */
    uint64_t rebuild_sequence; /* not 0: all mails are being indexed; then the index is here */
    uint32_t rebuild_after;    /* the last number done so far */
    uint32_t rebuild_last;     /* and the last one to do: later ones stand in the change queue */
    IndexStatus index_status;
    RebuildWork rebuild; /* the follower's job only, as the next */
    AttachmentReader *attachments;
    _Atomic int64_t verified_unix_ms; /* 0 = never */
    _Atomic uint64_t verified_errors;
    struct TextCache *shown_texts; /* any thread (text_cache.h) */
};

bool stores_open(MkArchive *archive, uint64_t map_size_bytes, GError **error);
void archive_store_free(ArchiveStore *store);
/* The store that new mail goes to. */
ArchiveStore *store_current(MkArchive *archive);
ArchiveStore *store_find(MkArchive *archive, uint32_t store_id);
ArchiveStore *store_get(MkArchive *archive, uint32_t store_id, GError **error);
/* Has the follower look whether there is something to do. [any] */
void store_poke(MkArchive *archive, ArchiveStore *store);
/* Blocks of the index, and its mails against the store's (index_verify.c). */
bool index_verify(MkArchive *archive, ArchiveStore *store, MkVerifyReport *report, GError **error);
/* The second half of it; nothing when the index has been emptied since @emptied was index_emptied. */
bool index_compare(MkArchive *archive, ArchiveStore *store, unsigned emptied,
                   MkVerifyReport *report, GError **error);
gint folder_id_compare(const void *a, const void *b); /* of uint32_t ids, for sorting */
bool folder_exists(MkArchive *archive, const char *path);

/* -- finding: find.c, found.c, snippet.c, in_attachments.c, conversation.c --------------------- */
/* Beside those of store.h and index.h: for this room, not shown outside. */
enum {
    INDEX_NOT_NORMAL = 1 << 24,   /* importance low or high, so that one flag finds either */
    INDEX_TEXT_PENDING = 1 << 25, /* an attachment's text is still to be read */
    INDEX_PRIVATE_FLAGS = INDEX_NOT_NORMAL | INDEX_TEXT_PENDING,
};

/* The words of a question; one thread at a time. */
typedef struct {
    MkQuery *query;
    unsigned fields;
    MkQuery *from;       /* or NULL */
    MkQuery *recipients; /* or NULL */
    /* made ready for the texts of hits; NULL where nothing is looked for */
    MkFinder *finders[MK_FIELD_COUNT]; /* of query */
    MkFinder *from_finder, *recipients_finder;
    bool with_envelope; /* as in MkSearch */
} FindQueries;
void find_queries_ready(FindQueries *queries);
void find_queries_clear(FindQueries *queries);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FindQueries, find_queries_clear)

MkFound *found_new(void);
MkFoundMail *found_mail_of_hit(ArchiveStore *store, MkHit *hit); /* takes its texts */
void found_mail_highlight(MkFoundMail *mail, const FindQueries *queries);
void snippets_add(ArchiveStore *store, const FindQueries *queries, MkFound *found,
                  const int *cancelled);
/*
 * The names of the attachments whose text is in the index, "" for one without a name, 16 at most,
 * when only that text can be why the mail is a hit; NULL when it may be something else, or cannot be
 * told. Reads the mail. (in_attachments.c)
 */
GPtrArray *in_attachments(ArchiveStore *store, const FindQueries *queries, const MkFoundMail *mail);
/* Recipients of all arrivals that no header field names (index_doc.c). */
bool envelope_only_read(MkStore *store, uint32_t number, GPtrArray *out, GError **error);
/* mk_index_search(); that the index is damaged is noted. */
MkSearchResult *store_search(MkArchive *archive, ArchiveStore *store, const MkSearch *search,
                             GError **error);
/* uint32_t ids of all folders that @principal may read, ascending. */
GArray *folders_in_sight(MkArchive *archive, ArchiveStore *store, const MkPrincipal *principal);
/* The store of a mail that may be seen (read.c); @out_info, @out_folder may be NULL. */
ArchiveStore *mail_store(MkArchive *archive, const MkPrincipal *principal, MkMailId id,
                         MkMailInfo *out_info, char **out_folder, GError **error);

/* "Re: [list] AW: Word" -> "word"; pure */
char *subject_normalise(const char *subject);
/* The conversation of the mail with this Message-ID, 0 when it is not known; when it is another than
 * @own, *out_subject is that mail's normalised subject (new). */
typedef uint64_t (*ConversationLookup)(const char *message_id, uint64_t own, char **out_subject,
                                       void *cookie);
uint64_t conversation_number(const MkKey *key, const MkMailSummary *summary,
                             ConversationLookup lookup, void *cookie);
uint64_t copy_number(const MkKey *key, const MkMailSummary *summary);

/* -- text of attachments: attachment_reader.c ---------------------------------------------------- */
/* What became of a mail's attachments. */
typedef struct {
    GArray *results;  /* MkAttachmentText */
    GPtrArray *texts; /* char * */
    uint32_t flags;   /* MK_INDEX_TEXT_..., INDEX_TEXT_PENDING */
} AttachmentTexts;
void attachment_texts_clear(AttachmentTexts *texts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AttachmentTexts, attachment_texts_clear)

/* The path of mailkeep-extract: beside this program, or where it is installed; NULL: nowhere. */
char *extract_program_find(void);
/* One thread at a time. @patient: takes the time that each document may take. */
AttachmentReader *attachment_reader_new(MkArchive *archive, bool patient);
void attachment_reader_free(AttachmentReader *reader);
/* Before a batch: the settings as they are now, and a new budget of time. */
void attachment_reader_begin(AttachmentReader *reader);
/* Ends the helper; it is started again when it is needed. */
void attachment_reader_rest(AttachmentReader *reader);
/* Whether a piece of a mail is worth reading from the store: a MkWantPieceFunc. */
bool attachment_reader_wants(const uint8_t *before, size_t length, void *reader);
void attachment_reader_read(AttachmentReader *reader, uint32_t mail_flags, const uint8_t *data,
                            size_t length, AttachmentTexts *out);

/* -- indexing: index_batch.c, index_doc.c, text_pass.c -------------------------------------------- */
/* A mail that is not in the index yet: who answers it belongs to it. */
typedef struct {
    uint64_t conversation;
    char *subject; /* as it stands there */
} BatchMail;
typedef struct {
    MkArchive *archive;
    ArchiveStore *store;
    const MkJob *job; /* a cancel ends the batch early; may be NULL */
    int64_t until_ms; /* the batch ends early then, but not without a mail */
    uint64_t last;    /* change when it began: what comes in meanwhile is for the next batch */
    MkIndexWriter *writer;
    GHashTable *conversations; /* Message-ID -> BatchMail *: of the mails in this batch */
    unsigned mails;
    bool hold_back;        /* the next mail is large, and another one is in memory */
    unsigned text_pending; /* mails of it that want the text pass */
    GArray *gone;          /* uint32_t numbers: nothing of them may be kept */
} Batch;
void batch_init(Batch *batch, MkArchive *archive, ArchiveStore *store, const MkJob *job);
void batch_clear(Batch *batch); /* its writer has been committed or freed */
bool batch_is_full(const Batch *batch);
/* Adds a mail as it is now, or removes it; what is damaged is logged and left out. */
bool batch_add_mail(Batch *batch, uint32_t number, GError **error);
/* A mail whose attachments have been read by somebody else. */
bool batch_add_octets(Batch *batch, uint32_t number, GBytes *octets, const AttachmentTexts *texts,
                      GError **error);

typedef struct {
    bool more;      /* there is more to do, at once ... */
    bool hold_back; /* ... or a little later: a large mail is coming in and has the memory */
    bool text_pending;
    bool behind;    /* not all that was there when the batch began is in the index now */
    bool refilling; /* what is there is being read from the beginning */
} BatchOutcome;
/* What was there at batch_init(), into the index, durably; its writer is committed or freed. The
 * caller holds index_writer_lock since before batch_init(). */
bool batch_take(Batch *batch, BatchOutcome *out, GError **error);
/* Takes the next batch into the index, durably. Lane; blocks. */
bool index_batch(MkArchive *archive, ArchiveStore *store, const MkJob *job, BatchOutcome *out,
                 GError **error);
/* These numbers once more, the watermark stays: *out_done of them, none in a refill. */
bool index_again(MkArchive *archive, ArchiveStore *store, const MkJob *job, const uint32_t *numbers,
                 guint count, guint *out_done, BatchOutcome *out, GError **error);
/* A batch of the archive that is being indexed again, if there is one; puts .more in @out. */
bool rebuild_step(MkArchive *archive, ArchiveStore *store, const MkJob *job, BatchOutcome *out,
                  GError **error);
/* Reads what INDEX_TEXT_PENDING marks, a few mails; *out_more: there are more. *skip counts those
 * that cannot be read. */
bool text_pass(MkArchive *archive, ArchiveStore *store, AttachmentReader *reader, const MkJob *job,
               unsigned *skip, bool *out_more, GError **error);

/* Merges and slow attachments, beside the follower (index_care.c) [loop]. */
typedef struct IndexCare IndexCare;
IndexCare *index_care_new(MkArchive *archive, ArchiveStore *store);
void index_care_after_batch(IndexCare *care, bool text_pending);
void index_care_stop(
    IndexCare *care); /* no new job; running ones are cancelled and count as busy */
void index_care_free(IndexCare *care);

Follower *follower_new(MkArchive *archive, ArchiveStore *store);
void follower_poke(Follower *follower); /* [loop] perhaps there is something new */
void follower_stop(Follower *follower); /* [loop] no new job; the running one counts as busy */
void follower_free(Follower *follower);
/* [loop] for how long the oldest mail that is not findable yet has been here; 0 while that says
 * nothing of how fast mail comes in: the index is being refilled, or cannot be written. */
int64_t follower_lag_ms(const Follower *follower);
uint64_t thread_cpu_us(void); /* used by the thread that asks */

/* -- pace: pace.c ------------------------------------------------------------------------------- */
/* Something that is about to take a lane for a mail; embedded. */
typedef struct Paced Paced;
struct Paced {
    bool (*start)(Paced *paced); /* false: it could not, and has not taken the lane */
    /* pace.c's own */
    GList link;
    int64_t since_ms;
};
typedef struct {
    int64_t slow_ms, halt_ms, lost_ms; /* how far the index is behind */
    int64_t hold_ms;                   /* the longest that one waits */
} PaceLimits;
typedef struct { /* loop only */
    PaceLimits limits;
    GQueue waiting;   /* Paced * */
    unsigned running; /* started, not yet left */
    MkTimer *timer;   /* NULL until one has to wait */
} Pace;
void pace_init(Pace *pace);
/* How many may be on the lane at once; pure. */
unsigned pace_room(const PaceLimits *limits, int64_t lag_ms);
/* [loop] as all of these: starts it, at once or when the index has caught up. */
void pace_enter(MkArchive *archive, Paced *paced);
/* One that was started has left the lane. */
void pace_leave(MkArchive *archive);
/* The index has moved on. */
void pace_look(MkArchive *archive);
/* The archive stops: nobody waits any more. */
void pace_stop(MkArchive *archive);

/* -- ingest: ingest.c, deliver.c, owners.c, envelope.c -------------------------------------------- */
typedef struct Ingest Ingest;

/* What deliver.c needs of an ingest, on the lane. */
typedef struct {
    MkArchive *archive;
    ArchiveStore *store;
    const MkEnvelope *envelope;
    void (*submit)(void *cookie, MkPreparedMail *prepared); /* takes it */
    void *cookie;
} Delivery;
/* Unwraps @data, finds owners, prepares and submits each original. */
bool deliver(const Delivery *delivery, GBytes *data, GError **error);

typedef struct {
    GHashTable *paths;        /* folder path -> itself: where the mail goes */
    GPtrArray *envelope_only; /* char *: recipients that no header field of the mail names */
} Owners;
void owners_init(Owners *owners);
void owners_clear(Owners *owners);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Owners, owners_clear)
/* What a report says of its envelope. */
void owners_add_journal(Owners *owners, UserTable *users, const MkJournal *journal);
/* What the mail's own header says: @from and @to tell which side still needs it. */
void owners_add_header(Owners *owners, UserTable *users, const MkMailSummary *summary, bool from,
                       bool to);
/* Keeps of the report's recipients those that the header does not name. */
void owners_find_envelope_only(Owners *owners, const GPtrArray *journals,
                               const MkMailSummary *summary);

/* The receipt's octets of docs/formats/master.md. */
GBytes *envelope_format(const MkEnvelope *envelope, const GPtrArray *envelope_only);
/* @out_envelope_only (out) may be NULL; char * */
MkEnvelope *envelope_parse(GBytes *octets, GPtrArray **out_envelope_only, GError **error);

/* The mail's own row in the store: one octet of version, one of META_ flags. */
enum { META_HAS_ENVELOPE_ONLY = 1 << 0 };
GBytes *meta_format(unsigned flags);
unsigned meta_parse(GBytes *meta);

/* -- spool: spool.c ------------------------------------------------------------------------------ */
typedef struct {
    MkKey *key;           /* of this process only */
    uint64_t next_id;     /* loop only, as the next two */
    uint64_t total_bytes; /* octets in memory, all spools */
    uint64_t open_count;
} SpoolYard;

/* [loop] calls @on_ready, now or later, when no job of the spool runs any more */
void spool_when_ready(MkSpool *spool, void (*on_ready)(void *cookie), void *cookie);
const GError *spool_error(const MkSpool *spool);
/* Lane: all octets in one piece; the spool must be ready and left alone meanwhile. */
GBytes *spool_read(MkSpool *spool, GError **error);

/* -- disk space: space.c ------------------------------------------------------------------------ */
typedef struct SpaceWatch SpaceWatch;
SpaceWatch *space_watch_new(MkArchive *archive); /* blocks once: looks at the disk */
void space_watch_stop(SpaceWatch *watch);
void space_watch_free(SpaceWatch *watch);

/* -- the archive -------------------------------------------------------------------------------- */
struct MkArchive {
    MkLoop *loop; /* NULL while a new one is made */
    char *data_dir;
    MkKeyring *keyring;
    MkDb *master;
    pthread_mutex_t master_lock;
    UserTable users;
    GatewayTable gateways;
    ArrivalTable arrivals;
    LoginGate gate;
    SessionTable sessions;
    AppTable app_passwords;
    IndexSettings index_settings;
    _Atomic bool can_send;      /* there are SMTP settings */
    _Atomic bool closing;       /* a stop is near */
    char *extract_program;      /* NULL: there is none */
    int extract_cancelled;      /* atomic: no document is waited for any more */
    GPtrArray *stores;          /* ArchiveStore *; constant once open */
    pthread_mutex_t large_lock; /* held while a large mail lies in memory, on lanes */
    MkPrincipal *system;

    /* loop only */
    SpoolYard spools;
    SpaceWatch *space;
    GQueue large;       /* Ingest *: large mails that wait for their turn */
    bool large_running; /* one large mail is on a lane */
    Pace pace;
    unsigned ingest_open; /* ingests not yet reported */
    unsigned busy_jobs;   /* jobs of the archive on a lane, ingests not yet reported */
    bool stopping;
    MkTimer *stop_timer; /* keeps the loop running until the stop is over */
    void (*on_stopped)(void *cookie);
    void *stopped_cookie;

    /* gauges, any thread */
    _Atomic uint64_t spool_bytes, spools_open, ingest_held, ingest_waiting, ingest_running;
    _Atomic uint64_t mails_new, mails_again, reports, reports_broken, unowned;
    _Atomic uint64_t index_cpu_us, training_cpu_us;
    _Atomic uint64_t ingest_failed;
    _Atomic int64_t ingest_failed_unix_ms;
    _Atomic MkErrorCode ingest_failed_code;
};

/* -- open.c -- */
/* @loop NULL while a new one is made */
MkArchive *archive_new(MkLoop *loop, const char *data_dir);
/* The keyring is there; databases and stores are opened, or made. */
bool archive_open_parts(MkArchive *archive, uint64_t map_size_bytes, GError **error);

/* [loop] something begins, ends on a lane or in the committer; the last end reports the stop */
void archive_busy_begin(MkArchive *archive);
void archive_busy_end(MkArchive *archive);

#endif
