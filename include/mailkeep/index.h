/*
 * index.h - the search index of one store: tokens, segments, query language, search
 *
 * Purpose    Answers the queries of spec/search-syntax.md over encrypted, immutable segments.
 * Truth      None: the index may be deleted at any time and is built again from the store.
 * Ownership  The caller closes what it opens; results are freed with their _free().
 * Threads    Search: any lane, many at once. Writing: one thread at a time (the indexing job);
 *            beside it one that merges.
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
#include <mailkeep/text.h>

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
    /* The Message-ID as one term, not cut into tokens. No clause looks at it; mk_index_lookup() does. */
    MK_FIELD_MESSAGE_ID,
    MK_FIELD_COUNT,
} MkField;
#define MK_FIELD_BIT(field) (1u << (field))

/* Flags of a document beside those of store.h (which end below bit 16): attachment text. */
enum {
    MK_INDEX_TEXT_TRUNCATED = 1 << 16, /* of at least one attachment; likewise below */
    MK_INDEX_TEXT_FAILED = 1 << 17,
    MK_INDEX_TEXT_ENCRYPTED = 1 << 18,
    MK_INDEX_TEXT_NOT_INDEXED = 1 << 19,
};

/* -- tokens (pure) ------------------------------------------------------------------------- */
/*
 * mk_tokens_each() - cut text into tokens (search-syntax.md 2.2)
 *
 * A token is a maximal run of letters, marks and digits after NFKC and full case folding, cut at
 * MK_LIMIT_TOKEN_BYTES. @position counts tokens. @plain is the token without diacritics, or NULL
 * when that is the same. Invalid UTF-8 separates.
 *
 * Han, Hiragana, Katakana and Hangul are written without spaces between words (or with few): a run
 * of n of them is given as n - 1 overlapping pairs and its last character alone, each at a position
 * of its own, so that every stretch of it is found as a row of tokens. Between such a run and
 * letters next to it a token ends.
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
 *
 * A run of Han, Hiragana, Katakana or Hangul is found in any longer one: a * at its end asks for
 * nothing. Inside it ? is one character; a * there is refused (MK_ERROR_INVALID).
 */
MkQuery *mk_query_parse(const char *text, GError **error);
/* The reduced language of retention policies: no prefix, no exclusion. */
MkQuery *mk_query_parse_policy(const char *text, GError **error);
void mk_query_free(MkQuery *query);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkQuery, mk_query_free)
/*
 * mk_query_highlight() - where a text of @field matches the words that @query demands
 * @fields  bits: fields that clauses without prefix look at; 0 = all
 * Ascending, not overlapping; at most @max. Exclusions and pure * mark nothing; of a phrase or a
 * row of pieces only whole rows are marked, with what is between them if that is short.
 */
typedef struct {
    uint32_t offset; /* octets */
    uint32_t length;
} MkRange;
GArray *mk_query_highlight(const MkQuery *query, unsigned fields, MkField field, const char *text,
                           size_t length, unsigned max); /* of MkRange */
/*
 * mk_query_snippet() - the stretch of @text with most different words of @query in it
 *
 * At most @max_bytes of valid UTF-8, white space made single blanks, begun and ended between
 * words. The beginning of the text when nothing matches. Linear time; looks at the first
 * MK_LIMIT_TEXT_BYTES.
 */
typedef struct {
    char *text;
    GArray *ranges;  /* MkRange in text */
    bool cut_before; /* text goes on before */
    bool cut_after;
} MkSnippet;
MkSnippet *mk_query_snippet(const MkQuery *query, unsigned fields, MkField field, const char *text,
                            size_t length, size_t max_bytes);
void mk_snippet_free(MkSnippet *snippet);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkSnippet, mk_snippet_free)
/*
 * The same for many texts of one field: what @query looks for in it, made ready once.
 * Borrows @query. One thread at a time. NULL when no clause looks for anything in @field; NULL
 * highlights nothing, and its snippet is the beginning.
 */
typedef struct MkFinder MkFinder;
MkFinder *mk_finder_new(const MkQuery *query, unsigned fields, MkField field);
void mk_finder_free(MkFinder *finder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkFinder, mk_finder_free)
GArray *mk_finder_highlight(MkFinder *finder, const char *text, size_t length, unsigned max);
MkSnippet *mk_finder_snippet(MkFinder *finder, const char *text, size_t length, size_t max_bytes);
/* Has it a clause that could match in @field? (Whether a snippet of it is worth reading.) */
bool mk_query_looks_at(const MkQuery *query, unsigned fields, MkField field);
/* A text in normal form for tests and for the fuzzer: parse(format(q)) equals q. */
char *mk_query_format(const MkQuery *query);

/* -- writing ---------------------------------------------------------------------------- */
typedef struct MkIndex MkIndex;
/*
 * Makes it when absent. @dir is <store>/index. A format of another version is emptied. A segment's
 * file that is damaged is no error here: searches and commits say MK_ERROR_CORRUPT, mk_index_clear()
 * makes the index of use again.
 */
MkIndex *mk_index_open(const char *dir, const MkKey *key, uint64_t map_size_bytes, GError **error);
void mk_index_close(MkIndex *index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkIndex, mk_index_close)
/* Removes everything; the watermark is 0 again. */
bool mk_index_clear(MkIndex *index, GError **error);
/* The store's change sequence up to which everything is in here durably. */
uint64_t mk_index_watermark(MkIndex *index);

/* What became of the text of one attachment (IX-02). */
typedef struct {
    uint32_t part; /* number of the part (mail.h) */
    MkTextResult result;
    uint32_t text_bytes; /* so much of it is in the index */
} MkAttachmentText;

typedef struct {
    uint32_t number; /* the mail's; a mail indexed before is replaced */
    int64_t date_unix_ms;
    int64_t archived_unix_ms;
    uint64_t size_bytes;
    /* MK_MAIL_... of store.h; opaque here but for filtering. Those of MK_INDEX_TEXT_... are added
     * from the attachments. */
    uint32_t flags;
    const uint32_t *folders; /* ids */
    size_t folder_count;
    /* texts of a field: several values (addresses, file names) never match across their borders */
    const char *const *values[MK_FIELD_COUNT]; /* NULL-terminated lists of UTF-8, or NULL */
    /* Mails with the same number other than 0 are one conversation, or copies of one mail that
     * differ in what the way through servers has added. 48 bits of a keyed hash. */
    uint64_t conversation;
    uint64_t copy;
    const MkAttachmentText *attachments;
    size_t attachment_count;
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
 * @cancelled   atomic, may be NULL: looked at now and then; ends with MK_ERROR_CANCELLED, nothing lost
 * @out_merged  false: nothing to do
 *
 * One thread at a time, but beside a writer and any number of readers: what is written meanwhile
 * stays, what is deleted meanwhile is deleted in the new segment too. The old segments vanish in the
 * same transaction that adds the new one. At most MK_LIMIT_MERGE_BYTES of memory.
 */
bool mk_index_merge(MkIndex *index, const int *cancelled, bool *out_merged, GError **error);
/* Is there need? Cheap. */
bool mk_index_wants_merge(MkIndex *index);

/* -- searching -------------------------------------------------------------------------- */
typedef enum {
    MK_SORT_DATE,
    MK_SORT_FROM,
    MK_SORT_SUBJECT,
    MK_SORT_SIZE,
    MK_SORT_ARCHIVED,
    MK_SORT_TO, /* by the first of the recipients, as lists show them */
} MkSort;

/* What makes one row of a result. */
typedef enum {
    MK_GROUP_NONE,         /* every mail */
    MK_GROUP_COPIES,       /* mails with the same MkIndexDoc.copy */
    MK_GROUP_CONVERSATION, /* mails with the same MkIndexDoc.conversation */
} MkGroup;

typedef struct {
    const MkQuery *query;      /* NULL = everything */
    unsigned fields;           /* bits: what clauses without prefix look at; 0 = all. Bcc means
                                * MK_FIELD_ENVELOPE too, here as in bcc: */
    const MkQuery *from;       /* NULL, or: clauses without prefix look at the sender only */
    const MkQuery *recipients; /* NULL, or: each clause without prefix at To, Cc and Bcc */
    /* Who may see what: only mails in at least one of these folders. NULL = all folders. */
    const uint32_t *folders;
    size_t folder_count;
    bool with_envelope;                         /* MK_FIELD_ENVELOPE may be searched */
    int64_t date_from_unix_ms, date_to_unix_ms; /* inclusive; 0, 0 = any */
    int64_t archived_from_unix_ms, archived_to_unix_ms;
    uint64_t size_min_bytes, size_max_bytes; /* 0 = any */
    uint32_t flags_set, flags_clear;         /* must be set, must not be set */
    uint32_t flags_any;                      /* at least one of these, unless 0 */
    uint64_t conversation;                   /* only this one; 0 = any */
    MkGroup group;
    MkSort sort; /* ties: by date, then number, both newest first */
    bool ascending;
    uint64_t offset;      /* rows */
    unsigned limit;       /* up to MK_LIMIT_SEARCH_PAGE */
    const int *cancelled; /* atomic, may be NULL: looked at now and then */
} MkSearch;

typedef struct {
    uint32_t number; /* of a group: the mail that comes first in the order asked for */
    int64_t date_unix_ms;
    int64_t archived_unix_ms;
    uint64_t size_bytes;
    uint32_t flags;
    uint32_t folder; /* the lowest id of the searched folders that it lies in */
    uint64_t conversation;
    char *subject;
    char *from;
    char *to;
    uint32_t group_count; /* matching mails of the group, itself counted; 1 without a group */
    GArray
        *group_numbers; /* uint32_t: the others in order, MK_LIMIT_GROUP_NUMBERS at most; or NULL */
} MkHit;

typedef struct {
    uint64_t total;      /* exact: rows (groups when grouped) */
    uint64_t mail_total; /* exact: mails */
    GPtrArray *hits;     /* MkHit * of the page */
} MkSearchResult;

/* MK_ERROR_LIMIT: a wildcard stands for too many words; _TIMEOUT, _CANCELLED, _CORRUPT. */
MkSearchResult *mk_index_search(MkIndex *index, const MkSearch *search, GError **error);
void mk_search_result_free(MkSearchResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkSearchResult, mk_search_result_free)

/*
 * mk_index_suggest() - words that begin with what has been typed
 *
 * Only words of mails in the folders given (NULL = all), so that the dictionary tells nobody of
 * another's mail; those of most mails first. @prefix is folded here; at least one character. Looks
 * at a bounded number of words of each segment: the most frequent ones may be missed when the
 * prefix is very short, never the other way round.
 */
typedef struct {
    const char *prefix;
    unsigned fields; /* bits; 0 = subject, addresses and body */
    const uint32_t *folders;
    size_t folder_count;
    unsigned limit; /* up to MK_LIMIT_SUGGESTIONS */
    const int *cancelled;
} MkSuggest;
typedef struct {
    char *text;     /* folded, as the index has it */
    uint64_t mails; /* that it stands in, of all folders: for the order only, not to be shown */
} MkSuggestion;
GPtrArray *mk_index_suggest(MkIndex *index, const MkSuggest *suggest, GError **error);

/* What is known of one mail: false with MK_ERROR_NOT_FOUND when it is not in the index (yet). */
typedef struct {
    uint64_t conversation;
    uint64_t copy;
    uint32_t flags;
    GArray *attachments; /* MkAttachmentText */
} MkIndexedMail;
bool mk_index_mail(MkIndex *index, uint32_t number, MkIndexedMail *out, GError **error);
void mk_indexed_mail_clear(MkIndexedMail *mail);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkIndexedMail, mk_indexed_mail_clear)
/* Mails with this Message-ID (without <>), newest number first, @max at most: uint32_t. */
GArray *mk_index_lookup(MkIndex *index, const char *message_id, unsigned max, GError **error);

/* -- care -------------------------------------------------------------------------------- */
typedef struct {
    uint64_t mail_count;
    uint64_t segment_count;
    uint64_t size_bytes;   /* on disk */
    uint64_t memory_bytes; /* what mk_index_release_memory() would give back */
} MkIndexStatistics;
bool mk_index_statistics(MkIndex *index, MkIndexStatistics *out, GError **error);
/* Numbers of the mails in the index, ascending, behind @after, @max at most: uint32_t. */
GArray *mk_index_numbers(MkIndex *index, uint32_t after, unsigned max, GError **error);
/* Opens every block of every segment and checks its form; counts, does not stop at the first. */
bool mk_index_verify(MkIndex *index, uint64_t *out_blocks, uint64_t *out_errors, GError **error);
/* Gives back what is kept in memory only to be faster: for when nobody searches. Any thread. */
void mk_index_release_memory(MkIndex *index);

#endif
