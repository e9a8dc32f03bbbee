/*
 * log.h - one line an event, on standard error
 *
 * Purpose    mk_log_info("smtp.kept", "session", MK_LOG_U64(id), "size_bytes", MK_LOG_U64(n))
 *            writes `2026-01-02T03:04:05.678Z info smtp.kept session=12 size_bytes=3456`.
 *            The event is `room.what`; then pairs of static key and value.
 * Privacy    Ids, numbers, codes and error sentences only: no address, subject, folder, search
 *            term, user name, password, token or mail text, at any level.
 * Threads    Any; a line is one write(2). store, index, mail, formats, crypto and db never log.
 * Format     Values with blanks, quotes, `=` or control characters are quoted and escaped.
 */
#ifndef MAILKEEP_LOG_H
#define MAILKEEP_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

typedef enum { MK_LOG_ERROR, MK_LOG_WARN, MK_LOG_INFO, MK_LOG_DEBUG } MkLogLevel;

void mk_log_set_level(MkLogLevel level);
MkLogLevel mk_log_level(void);
/* error, warn, info, debug; false when the text is none of them */
bool mk_log_level_parse(const char *text, MkLogLevel *out_level);

/* One decimal number for use inside one mk_log_ call (buffer lives until the statement ends). */
#define MK_LOG_U64(n) (mk_log_u64((char[24]){ 0 }, (uint64_t) (n)))
const char *mk_log_u64(char buffer[24], uint64_t number);

/* Pairs of const char *, ended by NULL; the macros add it. */
void mk_log(MkLogLevel level, const char *event, ...) G_GNUC_NULL_TERMINATED;
#define mk_log_error(event, ...) mk_log(MK_LOG_ERROR, event, ##__VA_ARGS__, NULL)
#define mk_log_warn(event, ...) mk_log(MK_LOG_WARN, event, ##__VA_ARGS__, NULL)
#define mk_log_info(event, ...) mk_log(MK_LOG_INFO, event, ##__VA_ARGS__, NULL)
#define mk_log_debug(event, ...) mk_log(MK_LOG_DEBUG, event, ##__VA_ARGS__, NULL)

#endif
