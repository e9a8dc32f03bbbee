/* store_help.h - stores in temporary directories, mails made up, for the tests of store/ */
#ifndef SUPPORT_STORE_HELP_H
#define SUPPORT_STORE_HELP_H

#include <mailkeep/store.h>

typedef struct {
    char *dir; /* of the store */
    MkKey *master;
    MkStore *store;  /* open between set_up and tear_down, unless a test closes it */
    uint32_t folder; /* "alice/Inbox" */
} TestStore;

void test_store_set_up(TestStore *t);
void test_store_tear_down(TestStore *t);
MkStoreOptions test_store_options(const TestStore *t);
void test_store_open(TestStore *t);
void test_store_close(TestStore *t);
void test_store_reopen(TestStore *t);

/* Deterministic, text with repetition; from time to time with attachments. */
GBytes *test_mail_text(unsigned number);
GBytes *test_mail_with_attachment(unsigned number, const uint8_t *data, size_t length);
uint8_t *test_noise(unsigned seed, size_t length);

/* Splits, adds to @folder and waits; asserts that it worked. */
MkCommitted test_add(TestStore *t, GBytes *mail, uint32_t folder);
bool test_try_add(TestStore *t, GBytes *mail, uint32_t folder, MkCommitted *out, GError **error);
void test_check_mail(TestStore *t, uint32_t number, GBytes *expected);
/* Runs a verification; asserts that it ran; the number of errors. */
uint64_t test_verify(TestStore *t);
/* Verifies and asserts that nothing is wrong. */
void test_verify_clean(TestStore *t);

char *test_dir_new(void);
void test_dir_remove(const char *dir);
/* Copies all files below @from. */
void test_dir_copy(const char *from, const char *to);
/* True when a file below @dir contains @needle. */
bool test_dir_contains(const char *dir, const char *needle);
uint64_t test_dir_size(const char *dir);

#endif
