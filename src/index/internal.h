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

#define MK_INDEX_FORMAT 3

/* -- tables of the environment -------------------------------------------------------------- */
enum {
    TABLE_META,    /* version, manifest */
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
    STREAM_TO_RANK,
    STREAM_TO_KEYS,
    STREAM_TO_KEYS_DIRECTORY,
    STREAM_COUNT,
} MkStreamKind;

/* The columns of one number a mail each. */
enum { MK_NUMBER_STREAMS = 10 };
extern const MkStreamKind mk_number_streams[MK_NUMBER_STREAMS];

/* What lists are sorted by as text: a rank each mail, and the keys that the ranks count. */
enum { MK_SORT_TEXTS = 3 };
typedef struct {
    MkSort sort;
    unsigned text; /* which of the texts that lists show */
    MkStreamKind ranks, keys, directory;
} MkSortText;
extern const MkSortText mk_sort_texts[MK_SORT_TEXTS];
/* Its place among them; MK_SORT_TEXTS when it is no text that is sorted by. */
unsigned mk_sort_text_find(MkSort sort);

/* What is read at once: large enough that seals cost little, small enough for a rare word. */
#define MK_INDEX_BLOCK_BYTES (4 * 4096 - MK_SEAL_OVERHEAD)
#define MK_INDEX_STRINGS_BYTES (4096 - MK_SEAL_OVERHEAD)
#define MK_INDEX_COLUMN_DOCS 1024
#define MK_INDEX_DISPLAY_DOCS 64
/* Sorting by sender or subject looks at so much of it. */
#define MK_INDEX_KEY_BYTES 256
/* No string of a list is longer. */
#define MK_INDEX_STRING_BYTES MK_INDEX_KEY_BYTES
/* Positions between two values of a field; more than a term has pieces, so none reaches across. */
#define MK_INDEX_VALUE_GAP (2 * MK_LIMIT_QUERY_TERM_PIECES)

bool mk_stream_is_octets(MkStreamKind stream);
/* Columns whose blocks the directory gives the smallest and the largest value of. */
bool mk_stream_has_ranges(MkStreamKind stream);

/* -- manifest: what segments there are --------------------------------------------------------- */
typedef struct {
    uint32_t id; /* never used twice */
    uint32_t doc_count;
    uint32_t deleted_count;
    uint32_t first_number, last_number;
    uint64_t file_bytes, directory_bytes;
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
/* Of two uint32_t, ascending: for sorting. */
int mk_compare_u32(const void *a, const void *b);
/* The one at @place of those packed in @length octets: it must lie within. */
uint64_t mk_bits_get(const uint8_t *data, size_t length, size_t place, unsigned width);

/* -- sets of documents: one bit each --------------------------------------------------------- */
typedef struct {
    gint refs;     /* where a set is shared; 1 at first */
    uint32_t size; /* documents of the segment */
    uint64_t *words;
} MkDocSet;
MkDocSet *mk_doc_set_new(uint32_t size, bool full);
MkDocSet *mk_doc_set_ref(MkDocSet *set);
void mk_doc_set_unref(MkDocSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkDocSet, mk_doc_set_unref)
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
/* Up to and without @end. */
void mk_doc_set_remove_range(MkDocSet *set, uint32_t from, uint32_t end);
void mk_doc_set_and(MkDocSet *set, const MkDocSet *other);
void mk_doc_set_and_not(MkDocSet *set, const MkDocSet *other);
void mk_doc_set_or(MkDocSet *set, const MkDocSet *other);
uint64_t mk_doc_set_count(const MkDocSet *set);
/* Is one in it from @from up to and without @end? Looks no further than there. */
bool mk_doc_set_any(const MkDocSet *set, uint64_t from, uint64_t end);
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
    uint64_t least, most;
} MkColumnRange;

/* Where the blocks of a stream lie in the file. */
typedef struct {
    uint32_t count;
    uint64_t *places;      /* offset and length in one */
    MkColumnRange *ranges; /* NULL but where mk_stream_has_ranges() */
} MkBlockPlaces;

/* An opened block: immutable, shared by the cache and its readers. */
typedef struct {
    gint refs;
    uint32_t length;
    uint8_t data[];
} MkBlock;
MkBlock *mk_block_new(uint32_t length);
MkBlock *mk_block_ref(MkBlock *block);
void mk_block_unref(MkBlock *block);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkBlock, mk_block_unref)

/* The blocks used last, MK_LIMIT_INDEX_CACHE_BYTES of them; any thread. */
typedef struct MkBlockCache MkBlockCache;
MkBlockCache *mk_block_cache_new(size_t limit);
void mk_block_cache_free(MkBlockCache *cache);
/* A new reference; NULL when it is not in here. */
MkBlock *mk_block_cache_find(MkBlockCache *cache, uint32_t segment_id, MkStreamKind stream,
                             uint32_t number);
void mk_block_cache_add(MkBlockCache *cache, uint32_t segment_id, MkStreamKind stream,
                        uint32_t number, MkBlock *block);
void mk_block_cache_forget(MkBlockCache *cache, uint32_t segment_id);
void mk_block_cache_empty(MkBlockCache *cache);
size_t mk_block_cache_bytes(MkBlockCache *cache);

typedef struct {
    gint refs;
    MkSegmentInfo info; /* deleted_count is not kept up to date here */
    int fd;             /* of its file, which may have lost its name meanwhile */
    const MkKey *key;
    MkBlockCache *cache; /* NULL: what is read is read once (merge, verify) */
    bool damaged;        /* its file or its directories cannot be read: nothing below is set */
    MkBlockPlaces blocks[STREAM_COUNT];
    MkStringDirectory terms, reversed, sort_keys[MK_SORT_TEXTS];
    uint32_t *first_numbers; /* of each column block */
} MkSegment;

/* A view is the index between two commits: immutable, shared by searches. */
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

/*
 * Fault tests: asked before each step of writing; other than 0 is the errno it fails with.
 */
typedef int (*MkIndexFaultFunc)(const char *step, void *cookie);

struct MkIndex {
    MkDb *db;
    MkKey *key; /* of the segments' blocks */
    char *segments_dir;
    MkBlockCache *cache;
    struct MkScopeCache *scopes;
    /* Held while the manifest changes: by commit, merge and clear. Taken before lock. */
    pthread_mutex_t manifest_lock;
    pthread_mutex_t
        lock;         /* guards what follows; not GLib's, which the thread sanitizer cannot see */
    MkView *view;     /* what is committed; never NULL once the index is open */
    uint32_t next_id; /* no id is used twice, not even after a failure */
    MkIndexFaultFunc fault;
    void *fault_cookie;
};
/* For tests; before any writing. */
void mk_index_set_fault(MkIndex *index, MkIndexFaultFunc fault, void *cookie);
int mk_index_fault(const MkIndex *index, const char *step);

/* A segment that is damaged opens too, and says so: verification counts it, searches fail. */
MkSegment *mk_segment_open(const MkIndex *index, const MkSegmentInfo *info, GError **error);
MkSegment *mk_segment_ref(MkSegment *segment);
void mk_segment_unref(MkSegment *segment);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkSegment, mk_segment_unref)
/* The same for one who reads each block once: borrows all of @segment, and has no cache. */
MkSegment mk_segment_uncached(const MkSegment *segment);
/* Fills fd, key and blocks; closing is safe after a failure. */
bool mk_segment_file_open(MkSegment *segment, const MkIndex *index, GError **error);
void mk_segment_file_close(MkSegment *segment);
/* Reads the directories that are kept in memory. */
bool mk_segment_load(MkSegment *segment, GError **error);
/* Reads everything and looks whether it has the form it must have. */
bool mk_segment_check(const MkSegment *segment, GError **error);

MkView *mk_view_ref(MkView *view);
void mk_view_unref(MkView *view);
MkManifest mk_manifest_copy(const MkManifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkView, mk_view_unref)
/* What is committed now; never NULL. */
MkView *mk_view_now(MkIndex *index);
/* The same; NULL with MK_ERROR_CORRUPT when one of its segments is damaged. */
MkView *mk_view_whole(MkIndex *index, GError **error);
/* As the database has it; when the index is opened. */
MkView *mk_view_load(MkIndex *index, GError **error);
/*
 * What the index will be with @manifest. Segments and deletions come from @before where they are
 * the same; @changed has those deletions that are not (segment id -> MkDocSet, may be NULL). A new
 * segment must be readable: MK_ERROR_IO, so that it never takes the place of whole ones.
 */
MkView *mk_view_next(const MkIndex *index, const MkView *before, const MkManifest *manifest,
                     GHashTable *changed, GError **error);
/* Commits @txn and makes @view what searches see; files no longer named vanish. */
bool mk_view_commit(MkIndex *index, MkWriteTxn *txn, MkView *view, GError **error);

/* Loads one block; absent is MK_ERROR_CORRUPT. */
MkBlock *mk_segment_block(const MkSegment *segment, MkStreamKind stream, uint32_t number,
                          GError **error);
/* All of a stream is wanted soon: the system reads it from the disk meanwhile. */
void mk_segment_read_ahead(const MkSegment *segment, MkStreamKind stream);
/* One block for a reader, who holds one at a time and says how long it may take. */
bool mk_block_load(MkBlock **block, const MkSegment *segment, MkWatch *watch, MkStreamKind stream,
                   uint32_t number, GError **error);
uint64_t mk_segment_block_count(const MkSegmentInfo *info, MkStreamKind stream);

char *mk_segment_path(const MkIndex *index, uint32_t id);
void mk_segment_unlink(const MkIndex *index, uint32_t id);
/* The file of a new segment; it is removed again unless it is kept. */
typedef struct MkSegmentOut MkSegmentOut;
MkSegmentOut *mk_segment_out_new(const MkIndex *index, uint32_t id, GError **error);
void mk_segment_out_free(MkSegmentOut *out);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkSegmentOut, mk_segment_out_free)
/* Appends the stream's next block. */
bool mk_segment_out_block(MkSegmentOut *out, MkStreamKind stream, const uint8_t *data,
                          size_t length, GError **error);
/* Of the stream's block put last. */
void mk_segment_out_range(MkSegmentOut *out, MkStreamKind stream, uint64_t least, uint64_t most);
/* Durable, its name included, when true; sets file_bytes and directory_bytes. */
bool mk_segment_out_end(MkSegmentOut *out, MkSegmentInfo *info, GError **error);
void mk_segment_out_keep(MkSegmentOut *out);

/* An octet stream, with the block read last. */
typedef struct {
    MkWatch *watch; /* may be NULL */
    const MkSegment *segment;
    MkStreamKind stream;
    MkBlock *block;
    uint32_t loaded; /* UINT32_MAX = none */
} MkOctets;
void mk_octets_init(MkOctets *octets, MkWatch *watch, const MkSegment *segment,
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
    MkWatch *watch;
    const MkSegment *segment;
    MkStreamKind stream;
    const MkStringDirectory *directory;
    MkBlock *block;
    MkReader reader;
    uint32_t block_number; /* UINT32_MAX = none loaded */
    bool stands;           /* on a string: text and what follows are valid */
    uint64_t ordinal;      /* of text */
    char text[MK_INDEX_STRING_BYTES];
    size_t length;
    size_t shared;   /* octets of text that the string before has too */
    size_t part_end; /* where the first one that mk_strings_next_with() seeks ends in text, or 0 */
    /* of STREAM_TERMS only */
    MkTermRef refs[MK_FIELD_COUNT];
    unsigned ref_count;
    uint64_t docs_end, positions_end;
} MkStrings;
void mk_strings_init(MkStrings *strings, MkWatch *watch, const MkSegment *segment,
                     MkStreamKind stream);
void mk_strings_clear(MkStrings *strings);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkStrings, mk_strings_clear)
/* To the first string that is not below @text. */
bool mk_strings_seek(MkStrings *strings, const char *text, size_t length, bool *out_found,
                     GError **error);
bool mk_strings_next(MkStrings *strings, bool *out_found, GError **error);
/*
 * To the next string with @part in it, of @length octets: the same from the first call to the last,
 * with no other call between. Much quicker than to look at each.
 */
bool mk_strings_next_with(MkStrings *strings, const char *part, size_t length, bool *out_found,
                          GError **error);
/* To the string with this number; beyond the end is MK_ERROR_CORRUPT. */
bool mk_strings_at(MkStrings *strings, uint64_t ordinal, GError **error);
int mk_strings_compare(const char *a, size_t a_length, const char *b, size_t b_length);

/* -- postings --------------------------------------------------------------------------------- */
/*
 * Documents: groups of 128 as width, what the documents' distances add up to, the octets their
 * positions take, packed gaps; the rest as varints. Positions: varints of position << 1 | 1 for the first of a document, of
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

/* Encodes a posting as its documents come, in order; what is ready is taken out in between. */
typedef struct {
    uint32_t docs[MK_POSTINGS_GROUP]; /* the group being filled */
    unsigned count;
    uint64_t next; /* the smallest that the group's first one could be */
    uint32_t doc_count;
    uint64_t group_positions; /* octets of them */
    GByteArray *octets, *positions;
} MkPostingOut;
void mk_posting_out_init(MkPostingOut *out);
void mk_posting_out_clear(MkPostingOut *out);
void mk_posting_out_begin(MkPostingOut *out);
/* @positions: ready-made octets of one document */
void mk_posting_out_add(MkPostingOut *out, uint32_t doc, const uint8_t *positions, size_t length);
void mk_posting_out_end(MkPostingOut *out);

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
/*
 * False at the end, and when the form is wrong: then reader.failed is set. Groups without a
 * document that could be in @within (may be NULL) are passed over.
 */
bool mk_doc_groups_next(MkDocGroups *groups, const MkDocSet *within);
/* Where the positions of the group lie; false when the form is wrong. */
bool mk_doc_groups_positions(const MkDocGroups *groups, const MkTermRef *ref, uint64_t *out_offset,
                             uint64_t *out_length);

/* -- columns ---------------------------------------------------------------------------------- */
typedef struct {
    MkWatch *watch;
    const MkSegment *segment;
    MkStreamKind stream;
    MkBlock *block;
    uint32_t loaded;
    /* of the block loaded, in it */
    uint64_t least;
    unsigned width;
    const uint8_t *packed;
    size_t packed_length;
} MkColumn;
void mk_column_init(MkColumn *column, MkWatch *watch, const MkSegment *segment,
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
    MkColumn column;     /* the numbers of the sets */
    const uint8_t *sets; /* of the block loaded, in it; as the next three */
    size_t sets_length;
    uint32_t set_count;
    uint32_t offsets[MK_INDEX_COLUMN_DOCS]; /* where each set begins */
    GArray *ids;                            /* uint32_t: of the set asked for last */
} MkFolderColumn;
void mk_folder_column_init(MkFolderColumn *column, MkWatch *watch, const MkSegment *segment);
void mk_folder_column_clear(MkFolderColumn *column);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkFolderColumn, mk_folder_column_clear)
/* Loads the block of @doc if need be; *out_set is the set's number within the block. */
bool mk_folder_column_get(MkFolderColumn *column, uint32_t doc, uint32_t *out_set, GError **error);
/* Its ids, ascending; *out_ids is borrowed until the next call. */
bool mk_folder_column_ids(MkFolderColumn *column, uint32_t set, const uint32_t **out_ids,
                          size_t *out_count, GError **error);
/* Takes out of @docs what lies in none of @folders, a set of folder ids. */
bool mk_folder_column_keep(MkFolderColumn *column, const MkDocSet *folders, MkDocSet *docs,
                           GError **error);
/* @sets: GArray of uint32_t each, one a mail */
void mk_folder_column_encode(GByteArray *out, GArray *const *sets, size_t count);

/* What became of the text of attachments; most mails have none and take no room. */
typedef struct {
    MkWatch *watch;
    const MkSegment *segment;
    MkBlock *block;
    uint32_t loaded;
    GArray *items;                       /* MkAttachmentText of the block */
    uint32_t ends[MK_INDEX_COLUMN_DOCS]; /* where each mail's end in items */
} MkAttachmentColumn;
void mk_attachment_column_init(MkAttachmentColumn *column, MkWatch *watch,
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
    MkWatch *watch;
    const MkSegment *segment;
    MkBlock *block;
    uint32_t loaded;
    const char *texts[3 * MK_INDEX_DISPLAY_DOCS]; /* subject, from, to of each mail of the block */
} MkDisplay;
void mk_display_init(MkDisplay *display, MkWatch *watch, const MkSegment *segment);
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
 * Blocks go to the file as they fill. As long as no manifest names the segment nobody sees it,
 * and opening the index sweeps out what was left half done.
 */
typedef struct MkSegmentWriter MkSegmentWriter;
MkSegmentWriter *mk_segment_writer_new(const MkIndex *index, uint32_t id, GError **error);
void mk_segment_writer_free(MkSegmentWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkSegmentWriter, mk_segment_writer_free)

typedef struct {
    uint32_t number;
    uint64_t date, archived; /* mk_column_from_time() */
    uint64_t size_bytes;
    uint32_t flags;
    uint32_t ranks[MK_SORT_TEXTS];
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
/* The same piece by piece: documents ascend. */
bool mk_segment_writer_begin(MkSegmentWriter *writer, const char *term, size_t length,
                             MkField field, GError **error);
bool mk_segment_writer_add(MkSegmentWriter *writer, uint32_t doc, const uint8_t *positions,
                           size_t positions_length, GError **error);
bool mk_segment_writer_finish(MkSegmentWriter *writer, GError **error);
/* In ascending order: reversed terms and sort keys (stream is their strings' one). */
bool mk_segment_writer_string(MkSegmentWriter *writer, MkStreamKind stream, const char *text,
                              size_t length, GError **error);
/* Writes what is left and says what the manifest shall have. */
bool mk_segment_writer_end(MkSegmentWriter *writer, MkSegmentInfo *out_info, GError **error);
/* Once a manifest that names it is committed; else the file goes with the writer. */
void mk_segment_writer_keep(MkSegmentWriter *writer);

/* -- the index as a whole ------------------------------------------------------------------- */
/* An id for a new segment. */
uint32_t mk_index_take_id(MkIndex *index);
bool mk_deleted_erase(MkWriteTxn *txn, uint32_t id, GError **error);
bool mk_deleted_store(MkWriteTxn *txn, uint32_t id, const MkDocSet *deleted, GError **error);
MkDocSet *mk_deleted_load(MkTxn *txn, const MkSegmentInfo *info, GError **error);
/* The Message-ID as a term: of a long one its start and a hash. At most MK_LIMIT_TOKEN_BYTES. */
size_t mk_message_id_term(const char *message_id, char out[MK_LIMIT_TOKEN_BYTES]);
/* The last column block that begins at @number or before it: the one that may have it. */
uint32_t mk_segment_number_block(const MkSegment *segment, uint32_t number);
/* *out_doc is UINT32_MAX when the segment has no such mail. */
bool mk_segment_find(MkColumn *numbers, uint32_t number, uint32_t *out_doc, GError **error);

/* -- evaluating a query on one segment ---------------------------------------------------------- */
typedef struct {
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
