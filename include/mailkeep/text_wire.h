/*
 * text_wire.h - what the client of mailkeep-extract and the helper say to each other
 *
 * Purpose    The messages of docs/protocols/extract.md, made and read at one place for both sides.
 * Trust      Both readers check every length; a message they do not understand ends the talk.
 * Threads    Pure.
 */
#ifndef MAILKEEP_TEXT_WIRE_H
#define MAILKEEP_TEXT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include <mailkeep/text.h>

#define MK_WIRE_SOCKET 3               /* the helper's descriptor: a SOCK_SEQPACKET */
#define MK_WIRE_VERSION 1              /* of a request; client and helper are installed together */
#define MK_WIRE_TEXT_BYTES (32u << 10) /* text in one message */
#define MK_WIRE_REQUEST_BYTES 1024     /* above any request */
#define MK_WIRE_COUNT_BYTES 4          /* the number of pages, before a page's picture */
#define MK_WIRE_NAME_BYTES 255 /* of a file name in a request; longer ones lose their head */
#define MK_WIRE_ENVIRONMENT "LC_ALL=C.UTF-8" /* all of the helper's environment */

/* Why a result is not COMPLETE. Four bits: the worker's exit status has no more. */
typedef enum {
    MK_WHY_NONE,
    MK_WHY_TIME,
    MK_WHY_MEMORY,
    MK_WHY_CRASH,    /* the program that read it died */
    MK_WHY_NESTING,  /* MK_LIMIT_EXTRACT_DEPTH */
    MK_WHY_ENTRIES,  /* MK_LIMIT_EXTRACT_ENTRIES */
    MK_WHY_TEXT,     /* the text is longer than asked for */
    MK_WHY_SIZE,     /* too many octets, packed or unpacked */
    MK_WHY_RATIO,    /* unpacks to too much for what it is: a bomb */
    MK_WHY_ENTITY,   /* XML that declares entities */
    MK_WHY_DAMAGED,  /* not of the form it must have */
    MK_WHY_PASSWORD, /* all or a part of it needs a password */
    MK_WHY_PART,     /* something within it could not be read; the rest counts */
    MK_WHY_PROGRAM,  /* the program that reads this type is not installed */
    MK_WHY_HELPER,   /* the helper cannot be started */
    MK_WHY_PROTOCOL, /* the helper's answer makes no sense */
    MK_WHY_COUNT,
} MkTextWhy;
const char *mk_text_why_name(MkTextWhy why); /* "time"; NULL for NONE; static */

typedef enum {
    MK_REQUEST_READ = 'D',      /* with one descriptor: a sealed memfd of the document */
    MK_REQUEST_PAGE = 'P',      /* with one likewise: draw a page of this PDF */
    MK_REQUEST_AVAILABLE = 'A', /* which kinds can be read here */
} MkRequestType;

typedef struct {
    MkRequestType type;
    uint64_t length;     /* READ, PAGE: of the document */
    uint32_t text_bytes; /* at most so much comes back, picture or text */
    uint32_t seconds;
    MkDocumentKind kind; /* READ */
    uint64_t kinds;
    bool ocr;
    char *file_name; /* UTF-8; "" if none */
    uint32_t page;   /* PAGE: from 1 */
} MkRequest;

void mk_request_format(const MkRequest *request, GByteArray *out);
bool mk_request_parse(const uint8_t *data, size_t length, MkRequest *out);
void mk_request_clear(MkRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkRequest, mk_request_clear)

typedef enum {
    MK_REPLY_TEXT = 'T',      /* more of the text, characters may be cut; or of a page's picture */
    MK_REPLY_RESULT = 'R',    /* ends the answer to READ and PAGE */
    MK_REPLY_AVAILABLE = 'A', /* the answer to AVAILABLE */
} MkReplyType;

typedef struct {
    MkReplyType type;
    const uint8_t *text; /* TEXT: borrowed */
    size_t text_length;
    MkTextResult result; /* RESULT */
    MkTextWhy why;
    bool leaving;   /* RESULT: the helper ends now; start another for the next document */
    uint64_t kinds; /* AVAILABLE */
} MkReply;

void mk_reply_format(const MkReply *reply, GByteArray *out);
bool mk_reply_parse(const uint8_t *data, size_t length, MkReply *out);

#endif
