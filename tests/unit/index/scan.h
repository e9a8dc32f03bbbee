/*
 * scan.h - random mails and searches, and the slow way to answer them: a walk over all mails
 *
 * The scan knows nothing of tokens, postings or columns. A mail's text is a row of units: a word,
 * or one character of a run of Chinese, Japanese or Korean. A clause is compared with the units
 * at every place of every value.
 */
#ifndef MK_TEST_INDEX_SCAN_H
#define MK_TEST_INDEX_SCAN_H

#include <mailkeep/index.h>

#define SCAN_VALUES 2
#define SCAN_PIECES 3
#define SCAN_CLAUSES 4

typedef struct {
    const char *text;  /* folded */
    const char *plain; /* without diacritics */
    bool run;          /* a character of a run */
    bool ends;         /* the last one of it */
} ScanUnit;

typedef struct {
    char *text; /* as in the mail */
    unsigned count;
    const ScanUnit **units;
} ScanValue;

typedef struct {
    bool alive;
    int64_t date, archived;
    uint64_t size;
    uint32_t flags;
    uint32_t folders[2];
    size_t folder_count;
    uint64_t conversation, copy;
    char *subject, *from, *to; /* shown */
    char *subject_key, *from_key, *to_key;
    unsigned value_count[MK_FIELD_COUNT];
    ScanValue values[MK_FIELD_COUNT][SCAN_VALUES];
} ScanMail;

typedef enum { SCAN_WORDS, SCAN_FROM, SCAN_RECIPIENTS, SCAN_BOX_COUNT } ScanBox;

typedef struct {
    ScanBox box; /* where it is typed */
    bool exclude;
    unsigned prefix;
    unsigned piece_count;
    const char *pieces[SCAN_PIECES];
} ScanClause;

typedef struct {
    ScanClause clauses[SCAN_CLAUSES];
    unsigned clause_count;
    char *texts[SCAN_BOX_COUNT]; /* NULL: nothing typed there */
    uint32_t folders[4];
    MkSearch search; /* all but the queries */
} ScanSearch;

unsigned scan_pick(unsigned below);
extern uint32_t scan_seed;
void scan_mail_random(ScanMail *mail, unsigned group_count);
void scan_mail_clear(ScanMail *mail);

/* Some of its clauses are taken from @mail. */
void scan_search_random(ScanSearch *search, const ScanMail *mail, unsigned group_count);
void scan_search_clear(ScanSearch *search);
/* One clause as text. */
char *scan_clause_text(const ScanClause *clause);
bool scan_is_star(const ScanClause *clause);
/* Fields that a clause looks at. */
unsigned scan_clause_fields(const ScanSearch *search, const ScanClause *clause);
/* What the clause matches in one value, be it excluded or not. */
bool scan_value_matches(const ScanValue *value, const ScanClause *clause);
bool scan_mail_matches(const ScanMail *mail, const ScanSearch *search);
/* The folder a hit shows; false when it is in none that is searched. */
bool scan_mail_folder(const ScanMail *mail, const MkSearch *search, uint32_t *out_folder);
/* Below zero: @a comes first. @a_number, @b_number: theirs. */
int scan_compare(const MkSearch *search, const ScanMail *a, uint32_t a_number, const ScanMail *b,
                 uint32_t b_number);

#endif
