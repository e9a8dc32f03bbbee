/*
 * index.h - the search index of one store: tokens, segments, query language, search
 *
 * Purpose    Answers the queries of spec/search-syntax.md over encrypted, immutable segments.
 * Truth      None: the index may be deleted at any time and is built again from the store.
 * Ownership  The caller closes what it opens; results are freed with their _free().
 * Threads    Search: any lane, many at once. Writing: one thread at a time (the indexing job).
 *            Tokens and query parser are pure. All of the rest blocks: never on the loop.
 * Format     docs/formats/index.md
 */
#ifndef MAILKEEP_INDEX_H
#define MAILKEEP_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include <mailkeep/crypto.h>
#include <mailkeep/error.h>

/* -- fields ----------------------------------------------------------------------------- */
typedef enum {
    MK_FIELD_SUBJECT,
    MK_FIELD_FROM, /* display names and addresses */
    MK_FIELD_TO,
    MK_FIELD_CC,
    MK_FIELD_BCC,
    MK_FIELD_BODY,
    MK_FIELD_ATTACHMENT_NAME,
    MK_FIELD_ATTACHMENT_TEXT,
    /* Recipients known only from a journal's envelope (Bcc). Looked at for bcc: and unprefixed
     * clauses, but only when MkSearch.with_envelope allows it. */
    MK_FIELD_ENVELOPE,
    MK_FIELD_COUNT,
} MkField;

/* -- tokens (pure) ------------------------------------------------------------------------- */
/*
 * mk_tokens_each() - cut text into tokens (search-syntax.md 2.2)
 *
 * A token is a maximal run of letters, marks and digits after NFKC and full case folding, cut at
 * MK_LIMIT_TOKEN_BYTES. @position counts tokens. @plain is the token without diacritics, or NULL
 * when that is the same. Invalid UTF-8 separates.
 */
typedef void (*MkTokenFunc)(const char *token, size_t length, const char *plain,
                            size_t plain_length, uint32_t position, void *cookie);
void mk_tokens_each(const char *text, size_t length, MkTokenFunc on_token, void *cookie);

/* -- queries (pure) ------------------------------------------------------------------------ */
typedef struct MkQuery MkQuery;
/*
 * mk_query_parse() - the whole language
 *
 * MK_ERROR_INVALID with a hint for the user ("? may not stand at the start or end of a word; use *
 * instead"), naming the place by its number of word, not quoting it; MK_ERROR_LIMIT for too many
 * clauses. An empty query matches everything.
 */
MkQuery *mk_query_parse(const char *text, GError **error);
/* The reduced language of retention policies: no prefix, no exclusion. */
MkQuery *mk_query_parse_policy(const char *text, GError **error);
void mk_query_free(MkQuery *query);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkQuery, mk_query_free)
/* A text in normal form for tests and for the fuzzer: parse(format(q)) equals q. */
char *mk_query_format(const MkQuery *query);

/* -- writing ---------------------------------------------------------------------------- */
typedef struct MkIndex MkIndex;
/* Makes it when absent. @dir is <store>/index. A format of another version is emptied. */
MkIndex *mk_index_open(const char *dir, const MkKey *key, uint64_t map_size_bytes, GError **error);
void mk_index_close(MkIndex *index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkIndex, mk_index_close)
/* Removes everything; the watermark is 0 again. */
bool mk_index_clear(MkIndex *index, GError **error);
/* The store's change sequence up to which everything is in here durably. */
uint64_t mk_index_watermark(MkIndex *index);

typedef struct {
    uint32_t number; /* the mail's; a mail indexed before is replaced */
    int64_t date_unix_ms;
    int64_t archived_unix_ms;
    uint64_t size_bytes;
    uint32_t flags;          /* MK_MAIL_... of store.h; opaque here but for filtering */
    const uint32_t *folders; /* ids */
    size_t folder_count;
    /* texts of a field: several values (addresses, file names) never match across their borders */
    const char *const *values[MK_FIELD_COUNT]; /* NULL-terminated lists of UTF-8, or NULL */
    /* shown in lists and sorted by: any UTF-8, cut at MK_LIMIT_DISPLAY_BYTES */
    const char *subject;
    const char *from;
    const char *to;
} MkIndexDoc;

typedef struct MkIndexWriter MkIndexWriter;
MkIndexWriter *mk_index_writer_new(MkIndex *index);
/* Takes what it needs from @doc; in memory only. */
void mk_index_writer_add(MkIndexWriter *writer, const MkIndexDoc *doc);
/* The mail is gone (deleted or in no folder any more). */
void mk_index_writer_remove(MkIndexWriter *writer, uint32_t number);
size_t mk_index_writer_memory_bytes(const MkIndexWriter *writer);
/* Writes one segment and the watermark in one transaction, then frees the writer either way. */
bool mk_index_writer_commit(MkIndexWriter *writer, uint64_t watermark, GError **error);
void mk_index_writer_free(MkIndexWriter *writer);

/*
 * mk_index_merge() - join small segments into larger ones, if there is need
 * @out_merged  false: nothing to do
 * Readers go on; the old segments vanish in the same transaction that adds the new one.
 */
bool mk_index_merge(MkIndex *index, bool *out_merged, GError **error);

/* -- searching -------------------------------------------------------------------------- */
typedef enum { MK_SORT_DATE, MK_SORT_FROM, MK_SORT_SUBJECT, MK_SORT_SIZE, MK_SORT_ARCHIVED } MkSort;

typedef struct {
    const MkQuery *query; /* NULL = everything */
    /* Who may see what: only mails in at least one of these folders. NULL = all folders. */
    const uint32_t *folders;
    size_t folder_count;
    bool with_envelope;                         /* MK_FIELD_ENVELOPE may be searched */
    int64_t date_from_unix_ms, date_to_unix_ms; /* inclusive; 0, 0 = any */
    int64_t archived_from_unix_ms, archived_to_unix_ms;
    uint64_t size_min_bytes, size_max_bytes; /* 0 = any */
    uint32_t flags_set, flags_clear;         /* must be set, must not be set */
    MkSort sort;                             /* ties: by date, then number, both newest first */
    bool ascending;
    uint64_t offset;
    unsigned limit;       /* up to MK_LIMIT_SEARCH_PAGE */
    const int *cancelled; /* atomic, may be NULL: looked at now and then */
} MkSearch;

typedef struct {
    uint32_t number;
    int64_t date_unix_ms;
    int64_t archived_unix_ms;
    uint64_t size_bytes;
    uint32_t flags;
    uint32_t folder; /* the lowest id of the searched folders that it lies in */
    char *subject;
    char *from;
    char *to;
} MkHit;

typedef struct {
    uint64_t total;  /* exact */
    GPtrArray *hits; /* MkHit * of the page */
} MkSearchResult;

/* MK_ERROR_LIMIT: a wildcard stands for too many words; _TIMEOUT, _CANCELLED, _CORRUPT. */
MkSearchResult *mk_index_search(MkIndex *index, const MkSearch *search, GError **error);
void mk_search_result_free(MkSearchResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkSearchResult, mk_search_result_free)

/* -- care -------------------------------------------------------------------------------- */
typedef struct {
    uint64_t mail_count;
    uint64_t segment_count;
    uint64_t size_bytes; /* on disk */
} MkIndexStatistics;
bool mk_index_statistics(MkIndex *index, MkIndexStatistics *out, GError **error);
/* Opens every block of every segment and checks its form; counts, does not stop at the first. */
bool mk_index_verify(MkIndex *index, uint64_t *out_blocks, uint64_t *out_errors, GError **error);

#endif
