/*
 * corpus.h - goes through the mails of the corpus that $MAILKEEP_CORPUS names
 */
#ifndef MAILKEEP_TEST_MAIL_CORPUS_H
#define MAILKEEP_TEST_MAIL_CORPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void (*CorpusMail)(const char *name, const uint8_t *data, size_t length, void *user);

/* Skips the running test and returns false when there is no corpus. */
bool corpus_there(void);
/* Every mail below @folder ("torture", "real"); .zst, .tar.zst and mboxes of real/ are unpacked. */
unsigned corpus_each(const char *folder, CorpusMail on_mail, void *user);
/* One file, NUL-terminated; the test fails if it is not there. */
uint8_t *corpus_file(const char *path, size_t *out_length);

#endif
