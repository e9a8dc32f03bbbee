/*
 * samples.h - documents made for the tests, and what the readers get out of them
 */
#ifndef MAILKEEP_TEST_EXTRACT_SAMPLES_H
#define MAILKEEP_TEST_EXTRACT_SAMPLES_H

#include "extract/internal.h"

#define OCTETS(text) (const uint8_t *) (text), sizeof(text) - 1

/* -- reading ---------------------------------------------------------------------------------- */
/* In this process, without programs; at most @max_text. The text is the caller's. */
GString *sample_read(MkDocumentKind kind, const char *name, const uint8_t *data, size_t length,
                     size_t max_text, Verdict *out);
/* By the helper, as the daemon does it. */
void sample_extract(const char *name, const uint8_t *data, size_t length, uint32_t seconds,
                    bool ocr, MkExtracted *out);
/* Reads each beginning of the document, and copies with one octet wrong: none may crash. */
void sample_torture(MkDocumentKind kind, const uint8_t *data, size_t length);

/* -- making ------------------------------------------------------------------------------------- */
typedef struct {
    const char *name; /* NULL ends a list */
    const char *data;
    size_t length; /* 0 = up to the NUL */
} SampleFile;

/* @format as libarchive calls it ("zip", "pax", "7zip"), @filter likewise or NULL ("gzip"). */
GByteArray *sample_archive(const char *format, const char *filter, const SampleFile *files);
GByteArray *sample_zip(const SampleFile *files);
GByteArray *sample_zip_encrypted(const SampleFile *files);

/* A compound file of 512 octet sectors. A name with "/" lies in a storage, named before. */
GByteArray *sample_cfb(const SampleFile *files);

void sample_u16(GByteArray *out, unsigned value); /* little endian */
void sample_u32(GByteArray *out, uint32_t value);
void sample_utf16(GByteArray *out, const char *ascii); /* without NUL */

/* A PDF of one page with this content stream; @resources may be "". Objects from 6 on may be
 * added as they are, each "N 0 obj ... endobj". */
GByteArray *sample_pdf(const char *content, const char *resources, const char *objects);

#endif
