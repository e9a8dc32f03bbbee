/*
 * base.h - clock, ids, small octet helpers, whole reads and writes
 *
 * Threads    Any. Pure, but for the clock, the random source and files.
 */
#ifndef MAILKEEP_BASE_H
#define MAILKEEP_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#define MK_VERSION "0.1.0"

/* -- clock ------------------------------------------------------------------------------ */
int64_t mk_clock_unix_ms(void);      /* wall clock, milliseconds since 1970 UTC */
int64_t mk_clock_monotonic_ms(void); /* for durations; never goes back */
/* "2026-01-02T03:04:05Z" (UTC); @out has room for 32 octets */
void mk_clock_format_utc(int64_t unix_ms, char out[32]);

/* -- ids -------------------------------------------------------------------------------- */
/* @bytes random octets as lower case hex with NUL; @out has room for 2 * bytes + 1. CSPRNG. */
void mk_id_random_hex(char *out, size_t bytes);

/* A mail's outside id: `<store_id>:<number>` (spec ST-19). */
typedef struct {
    uint32_t store_id;
    uint32_t number; /* 1.. ; 0 = none */
} MkMailId;
bool mk_mail_id_parse(const char *text, MkMailId *out_id);
void mk_mail_id_format(MkMailId id, char out[24]);

/* -- octets: a reader that cannot run over and a writer ---------------------------------- */
typedef struct {
    const uint8_t *data;
    size_t length; /* octets left */
    bool failed;   /* set for good by the first read over the end or ill-formed number */
} MkReader;

MkReader mk_reader(const void *data, size_t length);
uint8_t mk_read_u8(MkReader *r);
uint32_t mk_read_u32(MkReader *r);                        /* big endian */
uint64_t mk_read_u64(MkReader *r);                        /* big endian */
uint64_t mk_read_long_varint(MkReader *r);                /* for mk_read_varint() only */
const uint8_t *mk_read_bytes(MkReader *r, size_t length); /* NULL when too short; borrowed */
/* LEB128, at most 10 octets, minimal. Most are one octet long, and searches read very many. */
static inline uint64_t mk_read_varint(MkReader *r)
{
    if (r->failed || r->length == 0 || *r->data >= 0x80)
        return mk_read_long_varint(r);
    r->length--;
    return *r->data++;
}
/* varint length, then octets; a GBytes-free borrowed view */
const uint8_t *mk_read_block(MkReader *r, size_t *out_length);
/* the same as a new NUL-terminated string; NULL (and failed) on NUL inside or over the end */
char *mk_read_string(MkReader *r);

void mk_put_u8(GByteArray *out, uint8_t value);
void mk_put_u32(GByteArray *out, uint32_t value);
void mk_put_u64(GByteArray *out, uint64_t value);
void mk_put_varint(GByteArray *out, uint64_t value);
void mk_put_block(GByteArray *out, const void *data, size_t length); /* varint length first */
void mk_put_string(GByteArray *out, const char *text);               /* NULL counts as "" */

/* -- files: all of it, however often the system has to be asked; not for the loop's thread ------- */
/* False: errno says why. */
bool mk_write_all(int fd, const void *data, size_t length);
bool mk_pwrite_all(int fd, const void *data, size_t length, uint64_t offset);
/* False: errno says why; 0: the file ends before. */
bool mk_pread_all(int fd, void *out, size_t length, uint64_t offset);

#endif
