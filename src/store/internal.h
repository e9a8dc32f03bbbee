/*
 * internal.h - what the files of store/ share
 *
 *   store.c       open, close, the store's key          committer.c  the thread and its queue
 *   record.c      one frame of a pack                   batch.c      one group commit
 *   pack.c        pack files                            apply.c      records into the catalog
 *   scan.c        packs read from front to back         replay.c     packs' tail into the catalog
 *   codec.c       zstd and the dictionaries             reader.c     reads for the outside
 *   payload.c     what stands in a record               prepare.c    a mail made ready on a lane
 *   catalog.c     tables and rows                       folders.c    the tree in memory
 */
#ifndef MAILKEEP_STORE_INTERNAL_H
#define MAILKEEP_STORE_INTERNAL_H

#include <mailkeep/store.h>

#include <pthread.h>

#include <mailkeep/db.h>
#include <mailkeep/limits.h>

/* -- locks: pthread's, because the thread sanitizer does not see GLib's ------------------------ */
/* `G_GNUC_UNUSED g_auto(Locked) locked = lock_scope(&lock);` holds it to the end of the scope. */
typedef pthread_mutex_t *Locked;
static inline Locked lock_scope(pthread_mutex_t *lock)
{
    pthread_mutex_lock(lock);
    return lock;
}
static inline void lock_scope_end(Locked lock)
{
    pthread_mutex_unlock(lock);
}
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(Locked, lock_scope_end, NULL)

/* -- records (record.c) ------------------------------------------------------------------ */
typedef enum {
    RECORD_BLOB = 1,
    RECORD_MAIL = 2,
    RECORD_RECEIPT = 3,
    RECORD_EVENT = 4,
    RECORD_DICTIONARY = 5,
    RECORD_COMMIT = 6,
} RecordType;

#define RECORD_HEAD_BYTES 8
#define RECORD_CRC_BYTES 4
#define RECORD_FRAME_BYTES (RECORD_HEAD_BYTES + RECORD_CRC_BYTES)
#define RECORD_KEY_ID 1

typedef struct {
    uint32_t payload_length;
    RecordType type;
    uint8_t key_id;
    uint16_t flags; /* codec.c: how the payload was compressed */
} RecordHead;

typedef struct {
    uint32_t pack;
    uint64_t offset;
    uint32_t length; /* of the whole frame */
} Position;

uint32_t crc32c(const void *data, size_t length);
uint32_t crc32c_by_tables(const void *data, size_t length);
/* False when these eight octets cannot begin a record. */
bool record_head_parse(const uint8_t *octets, RecordHead *out);
size_t record_frame_length(const RecordHead *head);
/* A whole frame around @plain, sealed. */
GByteArray *record_seal(const MkKey *key, RecordType type, uint16_t flags, const void *plain,
                        size_t length);
/* The same around octets that stay readable (COMMIT). */
GByteArray *record_clear(RecordType type, const void *payload, size_t length);
/* Head and checksum of the frame that fills @frame exactly. */
bool record_check(const uint8_t *frame, size_t length, RecordHead *out, GError **error);
/* The payload in clear; record_check() has been done. */
bool record_unseal(const MkKey *key, const uint8_t *frame, const RecordHead *head, GByteArray *out,
                   GError **error);

/* -- commit records ------------------------------------------------------------------------ */
typedef struct {
    uint64_t batch;        /* 1.., without gaps */
    uint32_t record_count; /* without the COMMIT itself */
    uint32_t first_number; /* of the batch's first MAIL record; the others follow */
    uint32_t mail_count;
    uint64_t last_change; /* after the batch */
    MkHash chain;         /* after the batch */
} CommitFields;

/* @state has taken the chain before and every frame of the batch; *out gets the new chain. */
GByteArray *commit_record_make(const MkKey *key, MkHashState *state, CommitFields *fields);
/* Authentic, whatever became of the batch before it. */
bool commit_record_parse(const MkKey *key, const uint8_t *frame, const RecordHead *head,
                         CommitFields *out);
/* What the chain takes from a COMMIT frame: all before chain and tag. */
size_t commit_record_chained_length(const RecordHead *head);

/* -- compression (codec.c, dictionary.c) ---------------------------------------------------- */
#define DICTIONARY_NONE 0
#define DICTIONARY_BUILTIN 1
#define DICTIONARY_FIRST_TRAINED 2
#define DICTIONARY_MAX 63

typedef struct Codec Codec;
Codec *codec_new(void); /* knows the built-in dictionary */
void codec_free(Codec *codec);
/* From then on new records use it, when its number is the highest. False: no more room. */
bool codec_add_dictionary(Codec *codec, unsigned number, const void *data, size_t length,
                          GError **error);
unsigned codec_newest(Codec *codec);
/* Appends to @out, compressed or as it is; returns the record's flags. */
uint16_t codec_pack(Codec *codec, const void *data, size_t length, bool small, GByteArray *out);
/* Appends exactly what was packed, at most @max octets. */
bool codec_unpack(Codec *codec, uint16_t flags, const uint8_t *data, size_t length, size_t max,
                  GByteArray *out, GError **error);
extern const char *const builtin_dictionary[];
extern const unsigned builtin_dictionary_count;

/* -- payloads (payload.c) ------------------------------------------------------------------- */
/* A run of octets, in the record itself or as blobs. */
typedef struct {
    bool present;
    bool in_blobs;
    const uint8_t *data; /* inline: borrowed from the payload */
    uint64_t length;
    const uint8_t *hashes; /* in blobs: MK_HASH_BYTES each, one per MK_LIMIT_BLOB_BYTES */
} Octets;

typedef struct {
    int64_t arrived_unix_ms;
    Octets envelope, before, after, whole;
} ReceiptView;

typedef struct {
    const uint8_t *hash; /* of the mail */
    uint64_t size_bytes;
    int64_t date_unix_ms;
    uint32_t flags;
    GArray *folders; /* uint32_t, ascending, no doubles */
    ReceiptView receipt;
    Octets meta;
    MkReader recipe; /* pieces, see recipe_next() */
    uint64_t piece_count;
    Octets skeleton;
} MailView;
void mail_view_clear(MailView *view);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MailView, mail_view_clear)

uint64_t zigzag(int64_t value);
int64_t unzigzag(uint64_t value);
size_t blob_count_for(uint64_t length);
void octets_read(MkReader *r, Octets *out);
void put_folders(GByteArray *out, const GArray *folders);
GArray *read_folders(MkReader *r);
/* MAIL and RECEIPT payloads; views borrow from @payload. */
bool mail_view_parse(const GByteArray *payload, MailView *out, GError **error);
bool receipt_payload_parse(const GByteArray *payload, MailView *out, GError **error);
/* Calls @func for every blob hash that the view names. */
typedef bool (*BlobHashFunc)(const uint8_t *hash, void *cookie);
bool mail_view_each_blob(const MailView *view, BlobHashFunc func, void *cookie);

/* One piece in the recipe: skeleton octets before it, then stretches over one run of blobs. */
typedef struct {
    uint64_t gap;
    uint64_t stretch_count;
    MkReader stretches; /* stretch_next() */
    uint64_t plain_length;
    const uint8_t *hashes;
} RecipePiece;
typedef struct {
    bool is_base64;
    uint64_t plain_length;
    const uint8_t *recipe;
    size_t recipe_length;
} RecipeStretch;
bool recipe_next(MkReader *r, RecipePiece *out);
void stretch_next(MkReader *r, RecipeStretch *out);

/* -- catalog (catalog.c) ---------------------------------------------------------------------- */
enum {
    TABLE_META,         /* "checkpoint" -> Checkpoint */
    TABLE_MAILS,        /* number u32 -> MailRow */
    TABLE_HASHES,       /* SET hash 16 | number u32 */
    TABLE_BLOBS,        /* hash 16 -> Position */
    TABLE_FOLDERS,      /* id u32 -> path, counters */
    TABLE_MEMBERS,      /* SET folder u32 | number u32 */
    TABLE_CHANGES,      /* SET sequence u64 | number u32 */
    TABLE_RECEIPTS,     /* SET number u32 | pack u32 | offset u64: all but the first */
    TABLE_DICTIONARIES, /* number u32 -> Position */
    TABLE_COUNT
};
#define SHORT_HASH_BYTES 16

/* How far the catalog has come, and the sums it keeps. */
typedef struct {
    uint32_t pack; /* 0: nothing yet */
    uint64_t offset;
    MkHash chain;
    uint64_t batch;
    uint32_t last_number;
    uint64_t last_change;
    uint64_t mail_count, size_bytes, blob_count;
    uint32_t last_folder;
} Checkpoint;

typedef struct {
    Position position;
    uint64_t size_bytes;
    int64_t date_unix_ms;
    int64_t archived_unix_ms;
    uint32_t flags;
    uint32_t extra_receipts;
    GArray *folders;
} MailRow;
void mail_row_clear(MailRow *row);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MailRow, mail_row_clear)

MkDb *catalog_open(const char *dir, const MkKey *key, uint64_t map_size_bytes, GError **error);
bool catalog_load_checkpoint(MkTxn *txn, Checkpoint *out, bool *out_found, GError **error);
bool catalog_save_checkpoint(MkWriteTxn *txn, const Checkpoint *checkpoint, GError **error);
bool catalog_find_mail(MkTxn *txn, uint32_t number, MailRow *out, bool *out_found, GError **error);
bool catalog_put_mail(MkWriteTxn *txn, uint32_t number, const MailRow *row, GError **error);
/* 0 = none */
bool catalog_find_hash(MkTxn *txn, const uint8_t *hash, uint32_t *out_number, GError **error);
bool catalog_put_hash(MkWriteTxn *txn, const uint8_t *hash, uint32_t number, GError **error);
bool catalog_find_blob(MkTxn *txn, const uint8_t *hash, Position *out, bool *out_found,
                       GError **error);
bool catalog_put_blob(MkWriteTxn *txn, const uint8_t *hash, const Position *position,
                      GError **error);
bool catalog_put_member(MkWriteTxn *txn, uint32_t folder, uint32_t number, GError **error);
bool catalog_put_change(MkWriteTxn *txn, uint64_t sequence, uint32_t number, GError **error);
bool catalog_put_receipt(MkWriteTxn *txn, uint32_t number, const Position *position,
                         GError **error);
bool catalog_put_folder(MkWriteTxn *txn, const MkFolder *folder, GError **error);
bool catalog_put_dictionary(MkWriteTxn *txn, uint32_t number, const Position *position,
                            GError **error);
uint32_t get_u32(const uint8_t *octets);
uint64_t get_u64(const uint8_t *octets);
void set_u32(uint8_t *octets, uint32_t value);
void set_u64(uint8_t *octets, uint64_t value);

/* -- folders in memory (folders.c) ------------------------------------------------------------- */
typedef struct {
    pthread_mutex_t lock;
    GHashTable *by_path; /* char * of the folder -> MkFolder */
    GHashTable *by_id;   /* owns */
    GPtrArray *in_order; /* MkFolder, by id */
    GHashTable *dirty;   /* ids whose counters the catalog lacks; committer only */
} Folders;
void folders_init(Folders *folders);
void folders_clear(Folders *folders);
bool folders_load(Folders *folders, MkTxn *txn, GError **error);
bool folders_has(Folders *folders, uint32_t id);
void folders_add(Folders *folders, uint32_t id, const char *path);
void folders_count_mail(Folders *folders, uint32_t id, uint64_t size_bytes);
bool folders_save_dirty(Folders *folders, MkWriteTxn *txn, GError **error);

/* -- packs (pack.c) ------------------------------------------------------------------------------ */
#define PACK_HEADER_BYTES 96
#define STORE_UUID_BYTES 16

typedef struct {
    MkKey *record; /* seals records */
    MkKey *commit; /* authenticates COMMIT records and pack headers */
    MkKey *mail;   /* hashes mails */
    MkKey *blob;   /* hashes blobs */
    MkKey *catalog;
    uint8_t uuid[STORE_UUID_BYTES];
} StoreKeys;

typedef struct {
    uint32_t pack;
    MkHash chain; /* before the pack's first batch */
    uint64_t batch;
    uint32_t last_number;
    uint64_t last_change;
} PackHeader;

char *pack_path(const char *content_dir, uint32_t number);
/* The chain before the first batch of the first pack. */
void pack_first_chain(const StoreKeys *keys, MkHash *out);
void pack_header_make(const StoreKeys *keys, const PackHeader *header,
                      uint8_t out[PACK_HEADER_BYTES]);
bool pack_header_read(int fd, const StoreKeys *keys, PackHeader *out, GError **error);
/* The highest pack number there is, 0 if none. */
bool pack_find_last(const char *content_dir, uint32_t *out_number, GError **error);
bool pread_all(int fd, void *out, size_t length, uint64_t offset, GError **error);

/* Open packs for readers. */
typedef struct {
    pthread_mutex_t lock;
    GHashTable *files; /* number -> PackFile */
    char *dir;
} PackFiles;
typedef struct {
    gint refs; /* atomic */
    int fd;
} PackFile;
void pack_files_init(PackFiles *files, const char *dir);
void pack_files_clear(PackFiles *files);
PackFile *pack_files_get(PackFiles *files, uint32_t number, GError **error);
void pack_file_unref(PackFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PackFile, pack_file_unref)
/* A whole frame, its checksum checked, of a known type; @length 0: unknown, read from the head. */
GByteArray *pack_read_frame(PackFiles *files, const Position *position, RecordType type,
                            RecordHead *out, GError **error);

/* A hint to the system that it will be read. */
void pack_read_ahead(PackFiles *files, const Position *position);

/* The pack that grows; committer only. */
typedef struct {
    MkStore *store;
    int fd;
    uint32_t number;
    uint64_t end;       /* behind the last good batch */
    uint64_t file_size; /* with the zeros written ahead */
} PackWriter;
bool pack_writer_open(PackWriter *writer, MkStore *store, uint32_t number, uint64_t end,
                      GError **error);
/* Makes pack @header->pack and goes on there. */
bool pack_writer_create(PackWriter *writer, MkStore *store, const PackHeader *header,
                        GError **error);
/* Frames in order behind end; durable when it returns true. On false nothing counts as written. */
bool pack_writer_append(PackWriter *writer, const GPtrArray *frames, uint64_t total,
                        bool *out_abandon, GError **error);
void pack_writer_keep(PackWriter *writer, uint64_t total);
void pack_writer_close(PackWriter *writer);

/* -- scanning (scan.c) ---------------------------------------------------------------------------- */
typedef struct {
    size_t start; /* in the buffer */
    RecordHead head;
    bool damaged; /* does not match its checksum; the place of a record all the same */
} ScanFrame;

typedef enum {
    SCAN_BATCH,  /* a batch closed by an authentic COMMIT */
    SCAN_END,    /* nothing or only zeros from here on */
    SCAN_BROKEN, /* octets, but no authentic COMMIT among them: a torn write */
} ScanStep;

typedef struct {
    const StoreKeys *keys;
    int fd;
    uint32_t pack;
    uint64_t size;      /* of the file */
    uint64_t offset;    /* of the batch to come, or of this one after SCAN_BATCH */
    uint64_t next;      /* behind this batch */
    MkHash chain;       /* before the batch to come */
    GByteArray *buffer; /* the batch from its start on */
    GArray *frames;     /* ScanFrame, without the COMMIT */
    CommitFields commit;
    bool damaged;      /* octets are missing or wrong, or the chain does not fit */
    bool frames_lost;  /* the count of frames is not what the COMMIT says */
    guint lost_before; /* frames from this one on stand behind the (last) gap */
    bool header_damaged;
} Scanner;
bool scanner_open(Scanner *scanner, const StoreKeys *keys, const char *content_dir, uint32_t pack,
                  uint64_t offset, const MkHash *chain, GError **error);
void scanner_clear(Scanner *scanner);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scanner, scanner_clear)
bool scanner_next(Scanner *scanner, ScanStep *out_step, GError **error);

/* -- applying (apply.c, replay.c) ------------------------------------------------------------------ */
/* Where records go: the store's own catalog, or one made beside it. */
typedef struct {
    MkWriteTxn *txn;
    Folders *folders;
    Codec *codec;
    Checkpoint *checkpoint; /* sums and sequences go on here */
    bool keep_changes;
} Apply;

typedef struct {
    const uint8_t *hash;
    uint64_t size_bytes;
    int64_t date_unix_ms;
    int64_t arrived_unix_ms;
    uint32_t flags;
    const GArray *folders;
} MailFacts;
bool apply_blob(Apply *apply, const uint8_t *hash, const Position *position, GError **error);
bool apply_mail(Apply *apply, const MailFacts *facts, const Position *position, uint32_t number,
                GError **error);
bool apply_receipt(Apply *apply, const MailFacts *facts, const Position *position, uint32_t number,
                   GError **error);
bool apply_folder(Apply *apply, uint32_t id, const char *path, GError **error);
bool apply_dictionary(Apply *apply, uint32_t number, const void *data, size_t length,
                      const Position *position, GError **error);

#define EVENT_FOLDER_MADE 1

typedef void (*DamageFunc)(const Position *position, const char *what, void *cookie);
typedef bool (*BatchFunc)(const Scanner *scanner, void *cookie, GError **error);
typedef struct {
    const StoreKeys *keys;
    const char *content_dir;
    MkDb *catalog;
    Folders *folders;
    Codec *codec;
    Checkpoint checkpoint; /* start; moves on */
    bool keep_changes;
    Position stop;        /* pack 0: at the end of the packs */
    DamageFunc on_damage; /* may be NULL */
    BatchFunc on_batch;   /* after a batch is applied, before its transaction ends; may be NULL */
    void *cookie;
    uint64_t records;
    MkTxn *txn; /* the one at work, for on_batch */
} Replay;
/* All whole batches behind replay->checkpoint into the catalog, committed. */
bool replay_run(Replay *replay, GError **error);

/* -- a second catalog beside the store's own (rebuild.c) --------------------------------------- */
typedef struct {
    char *dir;
    MkDb *catalog;
    Folders folders;
    Codec *codec;
    Replay replay; /* from the first record on */
} Aside;
bool aside_open(Aside *aside, const char *dir, const StoreKeys *keys, const char *content_dir,
                uint64_t map_size_bytes, GError **error);
void aside_clear(Aside *aside);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Aside, aside_clear)
void catalog_remove(const char *dir);

/* -- the store (store.c) ----------------------------------------------------------------------------- */
typedef struct Committer Committer;

struct MkStore {
    uint32_t id;
    char *dir;
    char *content_dir;
    MkKey *key;
    uint64_t map_size_bytes;
    int lock_fd;
    StoreKeys keys;
    MkDb *catalog;
    Codec *codec;
    Folders folders;
    PackFiles files;
    Committer *committer;
    gint verifying;   /* atomic: one at a time */
    gint train_state; /* atomic: 1 while training, 2 after it failed */
    /* fault tests; set before any mail */
    MkStoreFaultFunc fault;
    void *fault_cookie;
};

/* 0, or the errno with which the step is to fail */
int store_fault(const MkStore *store, const char *step);
char *store_content_dir(const char *dir);
char *store_catalog_dir(const char *dir);
bool store_keys_load(const MkStoreOptions *options, MkKey **out_key, StoreKeys *out_keys,
                     int *out_lock_fd, GError **error);
void store_keys_clear(StoreKeys *keys);
/* A directory's own entry in the one above is durable too. */
bool sync_dir(const char *dir, GError **error);

/* -- the committer (committer.c, batch.c) --------------------------------------------------------------- */
typedef struct {
    MkHash hash;
    GByteArray *frame;
} PreparedBlob;

struct MkPreparedMail {
    MkHash hash; /* of the mail */
    uint64_t size_bytes;
    int64_t date_unix_ms;
    int64_t arrived_unix_ms;
    uint32_t flags;
    GArray *folders;     /* uint32_t, ascending, no doubles */
    GPtrArray *blobs;    /* PreparedBlob * that the catalog lacked */
    GArray *needs;       /* MkHash: blobs that must be there when the mail is committed */
    GByteArray *frame;   /* MAIL; NULL when the mail was known already */
    GByteArray *receipt; /* payload of a RECEIPT, in clear, should the mail be known by then */
    size_t weight;       /* octets it holds */
};

typedef enum { ITEM_MAIL, ITEM_BLOBS, ITEM_FOLDER, ITEM_DICTIONARY } ItemKind;

typedef struct {
    ItemKind kind;
    MkPreparedMail *prepared; /* ITEM_MAIL, ITEM_BLOBS */
    char *path;               /* ITEM_FOLDER */
    GBytes *dictionary;       /* ITEM_DICTIONARY */
    MkCommittedFunc func;     /* may be NULL */
    void *cookie;
    /* results */
    MkCommitted committed; /* number: of the mail, folder or dictionary */
    GError *error;
} Item;

Committer *committer_start(MkStore *store, const Checkpoint *checkpoint, PackWriter *writer);
void committer_stop(Committer *committer);
/* Takes @item; blocks while too much waits. */
void committer_put(Committer *committer, Item *item);
/* The same, and waits for the result. */
bool committer_put_and_wait(Committer *committer, Item *item, MkCommitted *out, GError **error);
/* Returns when all that was acknowledged until now is in the catalog. */
void committer_settle(Committer *committer);
/* The same for what one mail's row says. */
void committer_settle_mail(Committer *committer, uint32_t number);
void committer_forget_changes(Committer *committer, uint64_t sequence);
void committer_statistics(Committer *committer, Checkpoint *out, uint64_t *out_batches,
                          uint64_t *out_mails, uint64_t *out_content_bytes);

/* One group commit; the committer's thread. */
typedef struct {
    MkStore *store;
    PackWriter writer;
    Checkpoint tail;     /* behind the last durable batch */
    MkWriteTxn txn;      /* what the catalog lacks of it */
    bool behind;         /* the catalog could not follow; it must before the next mail */
    bool abandon;        /* the pack is not to be trusted; a new one must be begun */
    GHashTable *touched; /* numbers of older mails changed in txn; under the committer's lock */
    pthread_mutex_t touched_lock;
    gint committed_number; /* atomic: mails up to it are in the catalog */
    gint dirty;            /* atomic: something acknowledged is in txn only */
    guint uncommitted_mails;
} BatchState;
/* False: nothing of any item was kept. */
bool batch_run(BatchState *state, GPtrArray *items, GError **error);
/* Then everyone is told; @failure NULL: each item has its own result. */
void batch_finish(const GPtrArray *items, const GError *failure);
void item_free(Item *item);
bool batch_commit_catalog(BatchState *state, uint64_t forget_changes, GError **error);
/* The catalog anew from its last commit and the packs behind it. */
bool batch_reload(BatchState *state, GError **error);

/* -- reading (reader.c) ------------------------------------------------------------------------------------ */
/* Payload of a record, unsealed and unpacked. */
GByteArray *reader_payload(const StoreKeys *keys, PackFiles *files, Codec *codec,
                           const Position *position, RecordType type, GError **error);
typedef struct {
    const StoreKeys *keys;
    PackFiles *files;
    Codec *codec;
    MkDb *catalog; /* where blobs are looked up */
    MkTxn *txn;    /* or in here */
} Reader;
GBytes *reader_octets(const Reader *reader, const Octets *octets, GError **error);
GBytes *reader_assemble(const Reader *reader, const MailView *view, GError **error);
/* Without the pieces that @want does not want. */
GBytes *reader_assemble_some(const Reader *reader, const MailView *view, MkWantPieceFunc want,
                             void *cookie, GError **error);

#endif
