/*
 * store.h - mails on disk, once, for good
 *
 * Purpose    Keeps prepared mails in packs and catalog and returns them octet for octet.
 * Truth      The packs: append-only files of sealed records, closed by commit records that carry
 *            a hash chain. The catalog (LMDB) is made from them and can be made again.
 * Way in     A bulk lane prepares (hash, look up, compress, seal), the committer thread appends
 *            all that is ready, fsyncs once, commits the catalog once and reports.
 * Ownership  The caller closes what it opens; GBytes returned are new references.
 * Threads    Readers, prepare and submit: any lane. Never on the loop (all of it blocks).
 *            MkStore itself is safe for all threads. Callbacks come on the committer thread.
 * Units      Sizes in octets, times in milliseconds since 1970 UTC.
 * Errors     false or NULL with a GError of MK_ERROR. This room does not log.
 * Format     docs/formats/store.md
 */
#ifndef MAILKEEP_STORE_H
#define MAILKEEP_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include <mailkeep/base.h>
#include <mailkeep/crypto.h>
#include <mailkeep/error.h>
#include <mailkeep/mail.h>

typedef struct MkStore MkStore;

typedef struct {
    const char *dir;         /* <data_dir>/stores/<name>; content/ and catalog/ lie below */
    const MkKey *master_key; /* wraps the store's key in <dir>/store.key */
    uint32_t store_id;       /* 1..; part of every mail id */
    uint64_t map_size_bytes;
} MkStoreOptions;

/* Makes the store when the directory has none. */
MkStore *mk_store_open(const MkStoreOptions *options, GError **error);
/* Commits what is queued, ends the committer. */
void mk_store_close(MkStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkStore, mk_store_close)
uint32_t mk_store_id(const MkStore *store);
/* The store's key for another room's files of this store ("index", "spool"). */
MkKey *mk_store_derive_key(const MkStore *store, const char *purpose);

/*
 * On opening: the packs' tails are read from the catalog's checkpoint on; whole batches that the
 * catalog lacks are added to it, a half batch is cut off.
 * mk_store_rebuild() makes the catalog anew from the packs alone; the store must not be open.
 */
bool mk_store_rebuild(const MkStoreOptions *options, uint64_t *out_mails, GError **error);

/* -- folders: a tree of names, numbered for ever ------------------------------------------- */
/* Path: "user/Folder/Sub", UTF-8, '/' between, no empty part; MK_LIMIT_FOLDER_PATH_BYTES. */
typedef struct {
    uint32_t id;
    char *path;
    uint64_t mail_count;
    uint64_t size_bytes; /* sum of the mails' original sizes */
} MkFolder;
void mk_folder_free(MkFolder *folder);
/* Finds or makes (durably; waits for the committer) a folder and its parents. */
bool mk_store_folder_make(MkStore *store, const char *path, uint32_t *out_id, GError **error);
/* 0 in *out_id when absent. From memory: does not block, also for the loop. */
void mk_store_folder_find(MkStore *store, const char *path, uint32_t *out_id);
/* All folders, MkFolder *, by path, ordered. From memory as well. */
GPtrArray *mk_store_folders(MkStore *store);
/* The same without copies, by id; @func must be quick and not call the store. */
void mk_store_folders_each(MkStore *store, void (*func)(const MkFolder *folder, void *cookie),
                           void *cookie);
/* The path of an id, or NULL: new string. From memory as well. */
char *mk_store_folder_path(MkStore *store, uint32_t id);

/* -- a mail on its way in ------------------------------------------------------------------ */
/* One arrival of a mail. The same mail may arrive many times; it is kept once, each receipt too. */
typedef struct {
    int64_t arrived_unix_ms;
    GBytes *envelope; /* opaque to the store: the archive's own record of MAIL, RCPT, client ... */
    /* The report around the mail: these octets before and behind the mail make what came in. */
    GBytes *report_before; /* NULL = it came without one */
    GBytes *report_after;
    /* Not NULL when the mail lay encoded in its report: the whole report as it came, instead. */
    GBytes *report_whole;
} MkReceipt;
void mk_receipt_free(MkReceipt *receipt);

enum {
    MK_MAIL_HAS_ATTACHMENTS = 1 << 0,
    MK_MAIL_MALFORMED = 1 << 1,      /* could not be fully parsed; kept raw */
    MK_MAIL_JOURNAL_BROKEN = 1 << 2, /* looked like a journal report and could not be unwrapped */
    MK_MAIL_ENCRYPTED = 1 << 3,
    MK_MAIL_IMPORTANCE_LOW = 1 << 4,
    MK_MAIL_IMPORTANCE_HIGH = 1 << 5,
};

typedef struct {
    const uint8_t *data; /* the mail, exactly; borrowed during prepare */
    size_t length;
    const GArray *pieces;    /* MkPiece of mk_mail_split(); borrowed; NULL = none */
    int64_t date_unix_ms;    /* the mail's own date, or its arrival */
    uint32_t flags;          /* MK_MAIL_... */
    const uint32_t *folders; /* ids it goes to; 1.. of them; borrowed */
    size_t folder_count;
    const MkReceipt *receipt; /* borrowed */
    GBytes *
        meta; /* opaque to the store: the archive's row (subject, addresses ...), kept in the record */
} MkNewMail;

typedef struct MkPreparedMail MkPreparedMail;
/*
 * mk_store_prepare() - do all the work that can be done before the commit
 *
 * Hashes, looks up what is there already, compresses, seals. A large mail's blobs are handed to
 * the committer while it goes on, so that memory stays below some MiB a call beyond the mail.
 */
MkPreparedMail *mk_store_prepare(MkStore *store, const MkNewMail *mail, GError **error);
void mk_prepared_mail_free(MkPreparedMail *prepared);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkPreparedMail, mk_prepared_mail_free)

typedef struct {
    uint32_t number; /* of the mail, new or not */
    bool is_new;     /* false: it was there; this was one more receipt (and maybe folders) */
} MkCommitted;
/*
 * Called once on the committer thread when the mail is durable, or with an error when the
 * catalog and packs have nothing of it. Must be short (mk_loop_post()).
 */
typedef void (*MkCommittedFunc)(const MkCommitted *committed, const GError *error, void *cookie);
/* Takes @prepared. Blocks while MK_LIMIT_COMMIT_QUEUE_BYTES wait. */
void mk_store_submit(MkStore *store, MkPreparedMail *prepared, MkCommittedFunc on_committed,
                     void *cookie);
/* Prepare, submit and wait: for tests and imports. */
bool mk_store_add(MkStore *store, const MkNewMail *mail, MkCommitted *out, GError **error);

/* -- reading ------------------------------------------------------------------------------ */
typedef struct {
    uint32_t number;
    uint64_t size_bytes; /* of the original */
    int64_t date_unix_ms;
    int64_t archived_unix_ms; /* first receipt */
    uint32_t flags;
    GArray *folders; /* uint32_t ids, ascending; empty when deleted */
    uint32_t receipt_count;
    MkHash hash;  /* keyed, of the exact octets; only when meta is asked for: it lies with it */
    GBytes *meta; /* only when asked for */
} MkMailInfo;
void mk_mail_info_clear(MkMailInfo *info);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkMailInfo, mk_mail_info_clear)
#define MK_MAIL_INFO_INIT ((MkMailInfo){ 0 })
/* MK_ERROR_NOT_FOUND when there is no such mail. @with_meta reads the pack. */
bool mk_store_info(MkStore *store, uint32_t number, bool with_meta, MkMailInfo *out,
                   GError **error);
/* The exact octets; verified against the mail's hash, MK_ERROR_CORRUPT otherwise. */
GBytes *mk_store_read(MkStore *store, uint32_t number, GError **error);
/* Whether the piece (mail.h) that begins behind @before is wanted; @before: the mail up to there. */
typedef bool (*MkWantPieceFunc)(const uint8_t *before, size_t length, void *cookie);
/*
 * mk_store_read_some() - row, meta and octets in one look, without the pieces not wanted
 * @out_octets  verified as a whole only when nothing was left out; each record always is
 *
 * For the index, which has no use for pictures. False: neither is set.
 */
bool mk_store_read_some(MkStore *store, uint32_t number, MkWantPieceFunc want, void *cookie,
                        MkMailInfo *out_info, GBytes **out_octets, GError **error);
/*
 * mk_store_read_ahead() - mails that will be read soon: the system is told to fetch their records
 *                         from the disk, all at once instead of one after the other
 *
 * Only a hint: what is missing or damaged says the reading itself.
 */
void mk_store_read_ahead(MkStore *store, const uint32_t *numbers, size_t count);
/* MkReceipt *, oldest first. report_before/after/whole as they were given. */
GPtrArray *mk_store_receipts(MkStore *store, uint32_t number, GError **error);
/* Up to @max numbers above @after of a folder, ascending, as uint32_t. */
GArray *mk_store_folder_mails(MkStore *store, uint32_t folder, uint32_t after, size_t max,
                              GError **error);

/* -- what the index has to follow ------------------------------------------------------------ */
typedef struct {
    uint64_t sequence; /* rises by one with every mail added or changed */
    uint32_t number;
} MkChange;
/* Up to @max changes behind @after, ascending. The newest change of a mail counts; others may be left out. */
GArray *mk_store_changes(MkStore *store, uint64_t after, size_t max, GError **error);
uint64_t mk_store_last_change(MkStore *store);
/*
 * mk_store_settle() - waits until lists and mails have all that was added before the call
 * @out_last_change  the last change that they have
 *
 * MK_ERROR_IO while the catalog cannot be written: mails are durable then, but not to be seen.
 */
bool mk_store_settle(MkStore *store, uint64_t *out_last_change, GError **error);
/* The index has everything up to @sequence durably: the queue may forget it. Any thread; lazy. */
void mk_store_changes_done(MkStore *store, uint64_t sequence);
/* Numbers of all mails above @after, ascending (rebuild of an index). */
GArray *mk_store_mails(MkStore *store, uint32_t after, size_t max, GError **error);

/* -- care -------------------------------------------------------------------------------- */
/* True when the compression dictionary should be (re)trained; then a bulk lane calls the other. */
bool mk_store_wants_training(MkStore *store);
bool mk_store_train(MkStore *store, GError **error);

typedef struct {
    uint64_t records; /* pack records read, their checksum, tag and place in the chain */
    uint64_t mails;   /* mails put together from their records, hash compared */
    uint64_t blobs;
    uint64_t values; /* catalog values opened */
    uint64_t errors;
    GPtrArray *messages; /* char *: the first 100 errors, a sentence each */
} MkVerifyReport;
void mk_verify_report_clear(MkVerifyReport *report);
/* @on_progress per cent, on this thread; returning false ends it with MK_ERROR_CANCELLED. */
typedef bool (*MkProgressFunc)(unsigned percent, const char *text, void *cookie);
/* True: it ran to its end; whether all is well says @out_report->errors. */
bool mk_store_verify(MkStore *store, MkProgressFunc on_progress, void *cookie,
                     MkVerifyReport *out_report, GError **error);

typedef struct {
    uint64_t mail_count;
    uint64_t size_bytes;    /* of the originals */
    uint64_t content_bytes; /* packs on disk */
    uint64_t catalog_bytes;
    uint64_t blob_count;
    uint64_t batches, batched_mails; /* since opening: how well commits are grouped */
} MkStoreStatistics;
bool mk_store_statistics(MkStore *store, MkStoreStatistics *out, GError **error);
/*
 * mk_store_count_since() - how many mails came at @unix_ms or later, by their first receipt
 *
 * Numbers are given in the order of commits, so that a binary search over them finds the place: some
 * twenty rows of a million. Of mails that came side by side around that very moment one may be
 * counted on its other side; those deleted since are counted, too.
 */
bool mk_store_count_since(MkStore *store, int64_t unix_ms, uint64_t *out, GError **error);

/* For fault tests: called before each numbered step of the write path; true = fail there (ENOSPC, EIO). */
typedef int (*MkStoreFaultFunc)(const char *step, void *cookie);
void mk_store_set_fault(MkStore *store, MkStoreFaultFunc fault, void *cookie);

#endif
