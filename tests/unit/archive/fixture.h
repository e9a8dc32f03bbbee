/* fixture.h - a small installation in a directory of its own, with its loop, for one test */
#ifndef MAILKEEP_TEST_ARCHIVE_FIXTURE_H
#define MAILKEEP_TEST_ARCHIVE_FIXTURE_H

#include <mailkeep/archive.h>

#define FIXTURE_PASSWORD "Correct-horse-17"

typedef struct {
    char *dir;
    MkLoop *loop;
    MkArchive *archive;
    MkPrincipal *system;
} Fixture;

/* Once in main(), before any test. */
void fixture_setup(void);
void fixture_init(Fixture *fixture);
void fixture_clear(Fixture *fixture);
/* Stops in order, closes and opens again. */
void fixture_reopen(Fixture *fixture);
/* Turns the loop until @is_done says so; fails after a minute. */
void fixture_turn_until(Fixture *fixture, bool (*is_done)(void *cookie), void *cookie);
void fixture_wait_indexed(Fixture *fixture);

/* Makes a user with privileges, addresses ("a@x,b@x"), the right to read the own archive. */
void fixture_add_user(Fixture *fixture, const char *name, const char *privileges,
                      const char *addresses);
void fixture_set_password(Fixture *fixture, const char *name);
MkPrincipal *fixture_login(Fixture *fixture, const char *name);

/*
 * Brings @mail in as one transaction to journal@archive.example and waits until it is durable.
 * Lines may end in LF: they are sent with CRLF by fixture_crlf().
 */
void fixture_ingest(Fixture *fixture, const void *mail, size_t length);
/* The same without waiting. */
void fixture_ingest_start(Fixture *fixture, const void *mail, size_t length, MkIngestDone on_done,
                          void *cookie);
char *fixture_crlf(const char *text);
/* A report of Exchange 2010 form around @mail; @recipients "To: a@x\r\nBcc: b@x\r\n". */
char *fixture_report(const char *sender, const char *recipients, const char *mail);

/* What @principal finds, newest first; the query must be good. */
MkFound *fixture_find(Fixture *fixture, const MkPrincipal *principal, const char *query,
                      const char *folder);
void fixture_assert_count(Fixture *fixture, const MkPrincipal *principal, const char *query,
                          const char *folder, unsigned count);
/* The one mail in @folder. */
MkMailId fixture_only_mail(Fixture *fixture, const char *folder);
/* Number of mails in a folder; 0 also when there is no such folder. */
unsigned fixture_count_in(Fixture *fixture, const char *folder);

#endif
