/*
 * samples.h - an index in a directory of its own, the sample corpus of search-syntax.md 3
 */
#ifndef MK_TEST_INDEX_SAMPLES_H
#define MK_TEST_INDEX_SAMPLES_H

#include <mailkeep/index.h>

typedef struct {
    char *dir;
    MkKey *key;
    MkIndex *index;
} Sample;
void sample_init(Sample *sample);
void sample_clear(Sample *sample); /* closes, removes the directory */
void sample_reopen(Sample *sample);
/* Paths of the segments' files. */
GPtrArray *sample_segments(const Sample *sample);

/* One value a field; NULL = none. */
typedef struct {
    uint32_t number;
    const char *from, *to, *cc, *bcc, *subject, *body, *attachment_name, *attachment_text;
    const char *envelope;
} SampleMail;
extern const SampleMail sample_mails[9];
void sample_add(MkIndexWriter *writer, const SampleMail *mail);
/* Adds M1..M9 in one segment, or in one segment each. */
void sample_fill(Sample *sample, bool one_each);

/* "1 4 9": the numbers found, ascending; the error's name in capitals when it fails. */
char *sample_find(Sample *sample, const char *query, bool with_envelope);

#endif
