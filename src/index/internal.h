/*
 * internal.h - the inside of the index: streams of a segment, reading and writing them
 *
 * A segment is immutable. Its documents are numbered 0.. in ascending mail number. It consists of
 * streams of blocks; the manifest says how long each stream is, so a missing block is found out.
 * Ownership  As in GLib: _new/_free, refs where said.
 * Format     docs/formats/index.md
 */
#ifndef MK_INDEX_INTERNAL_H
#define MK_INDEX_INTERNAL_H

#include <mailkeep/index.h>

#include <pthread.h>
#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/db.h>
#include <mailkeep/limits.h>

#include "query.h"

#define MK_INDEX_FORMAT 2

/* -- tables of the environment -------------------------------------------------------------- */
enum {
    TABLE_META,    /* version, manifest */
    TABLE_BLOCKS,  /* segment u32, stream u8, block u32 -> block */
    TABLE_DELETED, /* segment u32 -> documents that are replaced or removed */
};

/* -- streams ------------------------------------------------------------------------------ */
/*
 * Octet streams are cut every MK_INDEX_BLOCK_BYTES and addressed by offset; of the others every
 * block stands for itself: strings in order, or a column of MK_INDEX_COLUMN_DOCS documents.
 */
typedef enum {
    STREAM_TERMS,              /* strings, with what postings they have */
    STREAM_TERMS_DIRECTORY,    /* octets */
    STREAM_REVERSED,           /* strings: the terms written backwards */
    STREAM_REVERSED_DIRECTORY, /* octets */
    STREAM_DOCS,               /* octets: the documents of each term and field */
    STREAM_POSITIONS,          /* octets: and the positions in them */
    STREAM_NUMBER,             /* columns */
    STREAM_NUMBER_DIRECTORY,   /* octets: first number of each column block */
    STREAM_DATE,
    STREAM_ARCHIVED,
    STREAM_SIZE,
    STREAM_FLAGS,
    STREAM_FROM_RANK,
    STREAM_SUBJECT_RANK,
    STREAM_FOLDERS,   /* columns of sets */
    STREAM_DISPLAY,   /* what lists show, MK_INDEX_DISPLAY_DOCS a block */
    STREAM_FROM_KEYS, /* strings: sort keys, by rank */
    STREAM_FROM_KEYS_DIRECTORY,
    STREAM_SUBJECT_KEYS,
    STREAM_SUBJECT_KEYS_DIRECTORY,
    STREAM_CONVERSATION, /* columns: 48 bits, 0 = none */
    STREAM_COPY,
    STREAM_ATTACHMENTS, /* what became of attachments' text, MK_INDEX_COLUMN_DOCS a block */
    STREAM_COUNT,
} MkStreamKind;

/* Whole overflow pages of LMDB: 4 pages less its header (16) and the seal's overhead. */
#define MK_INDEX_BLOCK_BYTES (4 * 4096 - 16 - MK_SEAL_OVERHEAD)
#define MK_INDEX_STRINGS_BYTES (4096 - 16 - MK_SEAL_OVERHEAD)
#define MK_INDEX_COLUMN_DOCS 1024
#define MK_INDEX_DISPLAY_DOCS 64
/* Sorting by sender or subject looks at so much of it. */
#define MK_INDEX_KEY_BYTES 256
/* No string of a list is longer. */
#define MK_INDEX_STRING_BYTES MK_INDEX_KEY_BYTES
/* Positions between two values of a field; more than a term has pieces, so none reaches across. */
#define MK_INDEX_VALUE_GAP (2 * MK_LIMIT_QUERY_TERM_PIECES)
/* Octets of blocks put into one transaction: LMDB keeps the changed pages in memory. */
#define MK_INDEX_TXN_BYTES (8u << 20)

bool mk_stream_is_octets(MkStreamKind stream);

/* -- manifest: what segments there are --------------------------------------------------------- */
typedef struct {
    uint32_t id; /* never used twice */
    uint32_t doc_count;
    uint32_t deleted_count;
    uint32_t first_number, last_number;
    uint64_t lengths[STREAM_COUNT]; /* octets, or blocks */
} MkSegmentInfo;

typedef struct {
    uint64_t generation; /* rises with every commit */
    uint64_t watermark;
    uint32_t next_id;
    GArray *segments; /* MkSegmentInfo, oldest first */
} MkManifest;

#define MK_MANIFEST_INIT \
    {                    \
        0, 0, 0, NULL    \
    }
void mk_manifest_clear(MkManifest *manifest);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkManifest, mk_manifest_clear)
bool mk_manifest_load(MkTxn *txn, MkManifest *out, GError **error);
bool mk_manifest_store(MkWriteTxn *txn, const MkManifest *manifest, GError **error);

/* -- cancelling and time ---------------------------------------------------------------------- */
typedef struct {
    int64_t deadline_ms; /* monotonic; 0 = none */
    const int *cancelled;
    unsigned calls;
} MkWatch;
bool mk_watch_check(MkWatch *watch, GError **error);

/* -- bits and octets ------------------------------------------------------------------------ */
unsigned mk_bits_width(uint64_t value);
void mk_bits_pack(GByteArray *out, const uint64_t *values, size_t count, unsigned width);
/* False when the reader is too short. */
bool mk_bits_unpack(MkReader *reader, uint64_t *values, size_t count, unsigned width);

/* -- sets of documents: one bit each --------------------------------------------------------- */
typedef struct {
    gint refs;     /* where a set is shared; 1 at first */
    uint32_t size; /* documents of the segment */
    uint64_t *words;
} MkDocSet;
MkDocSet *mk_doc_set_new(uint32_t size, bool full);
void mk_doc_set_free(MkDocSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkDocSet, mk_doc_set_free)
static inline void mk_doc_set_add(MkDocSet *set, uint32_t doc)
{
    set->words[doc / 64] |= UINT64_C(1) << (doc % 64);
}
static inline void mk_doc_set_remove(MkDocSet *set, uint32_t doc)
{
    set->words[doc / 64] &= ~(UINT64_C(1) << (doc % 64));
}
static inline bool mk_doc_set_has(const MkDocSet *set, uint32_t doc)
{
    return (set->words[doc / 64] >> (doc % 64) & 1) != 0;
}
void mk_doc_set_and(MkDocSet *set, const MkDocSet *other);
void mk_doc_set_and_not(MkDocSet *set, const MkDocSet *other);
void mk_doc_set_or(MkDocSet *set, const MkDocSet *other);
uint64_t mk_doc_set_count(const MkDocSet *set);
/* The first document >= @from; the size when there is none. */
uint32_t mk_doc_set_next(const MkDocSet *set, uint32_t from);

/* -- a segment opened for reading -------------------------------------------------------------- */
/* First string of each block of a list, in memory. */
typedef struct {
    uint32_t block_count;
    uint64_t *ordinals; /* number of the block's first string */
    uint32_t *offsets;  /* into text; block_count + 1 of them */
    GByteArray *text;
} MkStringDirectory;

typedef struct {
    gint refs;
    MkSegmentInfo info; /* deleted_count is not kept up to date here */
    MkStringDirectory terms, reversed, from_keys, subject_keys;
    uint32_t *first_numbers; /* of each column block */
} MkSegment;

/* A view is what one transaction sees: immutable, shared by searches. */
typedef struct {
    MkSegment *segment;
    MkDocSet *deleted; /* NULL = none */
    uint32_t deleted_count;
} MkSegmentState;

typedef struct {
    gint refs;
    MkManifest manifest;
    MkSegmentState *segments; /* as many as the manifest has */
} MkView;

struct MkIndex {
    MkDb *db;
    pthread_mutex_t lock; /* guards view; not GLib's, which the thread sanitizer cannot see */
    MkView *view;
    uint32_t next_id; /* the writing thread's: no id is used twice, not even after a failure */
};

MkSegment *mk_segment_open(MkTxn *txn, const MkSegmentInfo *info, GError **error);
void mk_segment_unref(MkSegment *segment);
MkView *mk_view_ref(MkView *view);
void mk_view_unref(MkView *view);
MkManifest mk_manifest_copy(const MkManifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkView, mk_view_unref)
/* The view that fits @txn, in which the manifest is as committed: the one known, or a new one. */
MkView *mk_view_for(MkIndex *index, MkTxn *txn, GError **error);

/* Loads one block; absent is MK_ERROR_CORRUPT. */
bool mk_segment_block(MkTxn *txn, uint32_t segment_id, MkStreamKind stream, uint32_t block,
                      GByteArray *out, GError **error);

bool mk_segment_block_put(MkWriteTxn *txn, uint32_t segment_id, MkStreamKind stream, uint32_t block,
                          const GByteArray *value, GError **error);
/* Deletes up to @max blocks of the segments @first_id..@last_id; fewer: none is left. */
bool mk_blocks_erase(MkWriteTxn *txn, uint32_t first_id, uint32_t last_id, uint32_t max,
                     uint32_t *out_erased, GError **error);

/* An octet stream, with the block read last. */
typedef struct {
    MkTxn *txn;
    MkWatch *watch; /* may be NULL */
    const MkSegment *segment;
    MkStreamKind stream;
    GByteArray *block;
    uint32_t loaded; /* UINT32_MAX = none */
} MkOctets;
void mk_octets_init(MkOctets *octets, MkTxn *txn, MkWatch *watch, const MkSegment *segment,
                    MkStreamKind stream);
void mk_octets_clear(MkOctets *octets);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkOctets, mk_octets_clear)
/* @out is cleared first. */
bool mk_octets_read(MkOctets *octets, uint64_t offset, uint64_t length, GByteArray *out,
                    GError **error);

/* -- lists of strings ------------------------------------------------------------------------- */
/* Where the postings of one term in one field lie. */
typedef struct {
    uint8_t field; /* MkField */
    uint32_t doc_count;
    uint64_t docs_offset, docs_length;
    uint64_t positions_offset, positions_length;
} MkTermRef;

typedef struct {
    MkTxn *txn;
    MkWatch *watch;
    const MkSegment *segment;
    MkStreamKind stream;
    const MkStringDirectory *directory;
    GByteArray *block;
    MkReader reader;
    uint32_t block_number; /* UINT32_MAX = none loaded */
    bool stands;           /* on a string: text and what follows are valid */
    uint64_t ordinal;      /* of text */
    char text[MK_INDEX_STRING_BYTES];
    size_t length;
    /* of STREAM_TERMS only */
    MkTermRef refs[MK_FIELD_COUNT];
    unsigned ref_count;
    uint64_t docs_end, positions_end;
} MkStrings;
void mk_strings_init(MkStrings *strings, MkTxn *txn, MkWatch *watch, const MkSegment *segment,
                     MkStreamKind stream);
void mk_strings_clear(MkStrings *strings);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkStrings, mk_strings_clear)
/* To the first string that is not below @text. */
bool mk_strings_seek(MkStrings *strings, const char *text, size_t length, bool *out_found,
                     GError **error);
bool mk_strings_next(MkStrings *strings, bool *out_found, GError **error);
/* To the string with this number; beyond the end is MK_ERROR_CORRUPT. */
bool mk_strings_at(MkStrings *strings, uint64_t ordinal, GError **error);
int mk_strings_compare(const char *a, size_t a_length, const char *b, size_t b_length);

/* -- postings --------------------------------------------------------------------------------- */
/*
 * Documents: groups of 128 as width, packed gaps and the octets their positions take; the rest
 * as varints. Positions: varints of position << 1 | 1 for the first of a document, of
 * distance << 1 for the others.
 */
#define MK_POSTINGS_GROUP 128
/* Collects one posting; used over and over. */
typedef struct {
    GArray *docs;          /* uint32_t */
    GArray *positions_end; /* uint64_t, in positions, behind each document's */
    GByteArray *positions;
} MkPostings;
void mk_postings_init(MkPostings *postings);
void mk_postings_clear(MkPostings *postings);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkPostings, mk_postings_clear)
void mk_postings_reset(MkPostings *postings);
/* @positions: ready-made octets of one document */
void mk_postings_add(MkPostings *postings, uint32_t doc, const uint8_t *positions, size_t length);
/* Brings documents into ascending order, should they not be. */
void mk_postings_sort(MkPostings *postings);
void mk_postings_encode(const MkPostings *postings, GByteArray *out_docs);

/* Walks the documents of a posting, group by group. */
typedef struct {
    MkReader reader;
    uint32_t left;  /* documents not yet in the group */
    uint64_t next;  /* the smallest document that may follow */
    uint32_t limit; /* documents of the segment */
    uint32_t docs[MK_POSTINGS_GROUP];
    unsigned count;
    uint64_t positions_offset; /* of the group, within the posting's */
    uint64_t positions_length; /* UINT64_MAX: up to the end of the posting */
} MkDocGroups;
void mk_doc_groups_init(MkDocGroups *groups, const GByteArray *docs, uint32_t doc_count,
                        uint32_t limit);
/* False at the end, and when the form is wrong: then reader.failed is set. */
bool mk_doc_groups_next(MkDocGroups *groups);

/* -- columns ---------------------------------------------------------------------------------- */
typedef struct {
    MkTxn *txn;
    MkWatch *watch;
    const MkSegment *segment;
    MkStreamKind stream;
    GByteArray *block;
    uint32_t loaded;
    uint64_t values[MK_INDEX_COLUMN_DOCS];
} MkColumn;
void mk_column_init(MkColumn *column, MkTxn *txn, MkWatch *watch, const MkSegment *segment,
                    MkStreamKind stream);
void mk_column_clear(MkColumn *column);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkColumn, mk_column_clear)
bool mk_column_get(MkColumn *column, uint32_t doc, uint64_t *out, GError **error);
void mk_column_encode(GByteArray *out, const uint64_t *values, size_t count);
/* Signed times as unsigned numbers of the same order. */
static inline uint64_t mk_column_from_time(int64_t unix_ms)
{
    return (uint64_t) unix_ms ^ UINT64_C(1) << 63;
}
static inline int64_t mk_column_to_time(uint64_t value)
{
    return (int64_t) (value ^ UINT64_C(1) << 63);
}

/* Which folders a mail lies in: a block has the sets that occur and a number for each mail. */
typedef struct {
    MkColumn column; /* the numbers of the sets */
    GArray *ids;     /* uint32_t: all sets behind each other, ascending each */
    GArray *ends;    /* uint32_t: where each set ends in ids */
} MkFolderColumn;
void mk_folder_column_init(MkFolderColumn *column, MkTxn *txn, MkWatch *watch,
                           const MkSegment *segment);
void mk_folder_column_clear(MkFolderColumn *column);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkFolderColumn, mk_folder_column_clear)
/* Loads the block of @doc if need be; *out_set is the set's number within the block. */
bool mk_folder_column_get(MkFolderColumn *column, uint32_t doc, uint32_t *out_set, bool *out_loaded,
                          GError **error);
const uint32_t *mk_folder_column_ids(const MkFolderColumn *column, uint32_t set, size_t *out_count);
/* @sets: GArray of uint32_t each, one a mail */
void mk_folder_column_encode(GByteArray *out, GArray *const *sets, size_t count);

/* What became of the text of attachments; most mails have none and take no room. */
typedef struct {
    MkTxn *txn;
    MkWatch *watch;
    const MkSegment *segment;
    GByteArray *block;
    uint32_t loaded;
    GArray *items;                       /* MkAttachmentText of the block */
    uint32_t ends[MK_INDEX_COLUMN_DOCS]; /* where each mail's end in items */
} MkAttachmentColumn;
void mk_attachment_column_init(MkAttachmentColumn *column, MkTxn *txn, MkWatch *watch,
                               const MkSegment *segment);
void mk_attachment_column_clear(MkAttachmentColumn *column);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkAttachmentColumn, mk_attachment_column_clear)
/* *out_items is borrowed until the next call. */
bool mk_attachment_column_get(MkAttachmentColumn *column, uint32_t doc,
                              const MkAttachmentText **out_items, size_t *out_count,
                              GError **error);
/* Adds those of the mail in @place of the block to its octets; *next_place is 0 for a new block. */
void mk_attachment_column_put(GByteArray *out, uint32_t *next_place, uint32_t place,
                              const MkAttachmentText *items, size_t count);

/* What lists show. */
typedef struct {
    MkTxn *txn;
    MkWatch *watch;
    const MkSegment *segment;
    GByteArray *block;
    uint32_t loaded;
    GPtrArray *texts; /* char *: subject, from, to of each mail of the block */
} MkDisplay;
void mk_display_init(MkDisplay *display, MkTxn *txn, MkWatch *watch, const MkSegment *segment);
void mk_display_clear(MkDisplay *display);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkDisplay, mk_display_clear)
/* Three texts, borrowed until the next call. */
bool mk_display_get(MkDisplay *display, uint32_t doc, const char *out[3], GError **error);
/* @texts: 3 * count */
void mk_display_encode(GByteArray *out, const char *const *texts, size_t count);
/* What is sorted by: folded and cut. */
char *mk_sort_key(const char *text);

/* -- writing a segment ------------------------------------------------------------------------ */
/*
 * Blocks are put as they fill, in transactions of MK_INDEX_TXN_BYTES; as long as no manifest
 * names the segment nobody sees them, and opening the index sweeps out what was left half done.
 */
typedef struct MkSegmentWriter MkSegmentWriter;
/* @txn: a write transaction begun by the caller, who ends it; it may be another one by then. */
MkSegmentWriter *mk_segment_writer_new(MkDb *db, MkWriteTxn *txn, uint32_t id);
void mk_segment_writer_free(MkSegmentWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkSegmentWriter, mk_segment_writer_free)

typedef struct {
    uint32_t number;
    uint64_t date, archived; /* mk_column_from_time() */
    uint64_t size_bytes;
    uint32_t flags;
    uint32_t from_rank, subject_rank;
    const uint32_t *folders; /* ascending */
    size_t folder_count;
    uint64_t conversation, copy;
    const MkAttachmentText *attachments;
    size_t attachment_count;
    const char *texts[3];
} MkSegmentDoc;
/* In ascending mail number. */
bool mk_segment_writer_doc(MkSegmentWriter *writer, const MkSegmentDoc *doc, GError **error);
/* In ascending order of term, then of field. */
bool mk_segment_writer_posting(MkSegmentWriter *writer, const char *term, size_t length,
                               MkField field, const MkPostings *postings, GError **error);
/* In ascending order: reversed terms and sort keys (stream is their strings' one). */
bool mk_segment_writer_string(MkSegmentWriter *writer, MkStreamKind stream, const char *text,
                              size_t length, GError **error);
/* Writes what is left and says what the manifest shall have. */
bool mk_segment_writer_end(MkSegmentWriter *writer, MkSegmentInfo *out_info, GError **error);

/* -- the index as a whole ------------------------------------------------------------------- */
/* An id for a new segment. */
uint32_t mk_index_take_id(MkIndex *index, const MkManifest *manifest);
/* Deletes a segment's blocks and deletions. */
bool mk_segment_erase(MkWriteTxn *txn, uint32_t id, GError **error);
bool mk_deleted_store(MkWriteTxn *txn, uint32_t id, const MkDocSet *deleted, GError **error);
MkDocSet *mk_deleted_load(MkTxn *txn, const MkSegmentInfo *info, GError **error);
/* The Message-ID as a term: of a long one its start and a hash. At most MK_LIMIT_TOKEN_BYTES. */
size_t mk_message_id_term(const char *message_id, char out[MK_LIMIT_TOKEN_BYTES]);
/* *out_doc is UINT32_MAX when the segment has no such mail. */
bool mk_segment_find(MkColumn *numbers, uint32_t number, uint32_t *out_doc, GError **error);

/* -- evaluating a query on one segment ---------------------------------------------------------- */
typedef struct {
    MkTxn *txn;
    MkWatch *watch;
    const MkSegment *segment;
} MkEvaluation;
/* A clause and what it means in one search. */
typedef struct {
    const MkClause *clause;
    unsigned fields; /* bits */
    bool address;    /* says which address is wanted in the headers it looks at */
    bool open;       /* an exclusion that does not look at addresses demanded elsewhere */
} MkDemand;
/* All clauses of the search's queries, exclusions last. */
GArray *mk_demands_of(const MkSearch *search);
/* Takes out of @docs what does not match. */
bool mk_evaluate(const MkEvaluation *evaluation, const GArray *demands, MkDocSet *docs,
                 GError **error);
/* All postings of the terms that @piece stands for, in @fields; appends MkTermRef. */
bool mk_expand(const MkEvaluation *evaluation, const MkQueryPiece *piece, unsigned fields,
               GArray *out_refs, GError **error);

bool mk_index_corrupt(GError **error); /* sets MK_ERROR_CORRUPT and returns false */

#endif
