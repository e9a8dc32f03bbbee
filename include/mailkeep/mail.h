/*
 * mail.h - what is in a mail: pieces, summary, journal reports, text, parts
 *
 * Purpose    Octets in, values out. Pure: no I/O, no clock, no loop. All text given out is valid
 *            UTF-8 without NUL; what cannot be decoded is read as windows-1252.
 * Input      Any octets. Nothing here fails on a malformed mail; limits (limits.h) cut what is
 *            read, never what is kept, and flags say so.
 * Ownership  Results are freed by their _free(); offsets point into the caller's octets.
 * Threads    Any; nothing is shared. Deep input is bounded before GMime sees it (tech-notes 5).
 * Source     RFC 5322, 2045-2047, 2231, 6532; MS-OXJRNL-like journal reports; spec GW, IF-13..17
 */
#ifndef MAILKEEP_MAIL_H
#define MAILKEEP_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include <mailkeep/error.h>

/* Once, before any thread is started. */
void mk_mail_init(void);

/* -- pieces: where the large parts lie (for deduplication) --------------------------------- */
typedef enum {
    MK_PIECE_BASE64, /* the encoded body of a base64 part, without the line end before the boundary */
    MK_PIECE_BODY,   /* the body of any other part, as it is */
} MkPieceKind;

typedef struct {
    size_t offset;
    size_t length;
    MkPieceKind kind;
} MkPiece;

/*
 * mk_mail_split() - find part bodies of at least MK_LIMIT_BLOB_MIN_BYTES
 *
 * A scan of its own in linear time, hundreds of MB/s, not GMime: nothing rests on its being right
 * but how well the store deduplicates. Ascending, not overlapping. Only base64 parts, and other
 * parts that are attachments or not text (a text body is better compressed with its mail).
 * Descends into multipart/... and message/rfc822. At most MK_LIMIT_PARTS.
 */
GArray *mk_mail_split(const uint8_t *data, size_t length); /* of MkPiece */
/* Whether mk_mail_text() may find text in the piece that begins behind @before, the mail up to
 * there: true unless the part's header names a type that is none. */
bool mk_mail_piece_has_text(const uint8_t *before, size_t length);
/* Whether the type that the piece's header declares begins with @prefix ("image/"). */
bool mk_mail_piece_has_type(const uint8_t *before, size_t length, const char *prefix);

/* -- summary: what lists show and sort, and what decides the owners -------------------------- */
typedef struct {
    char *name;    /* display name, decoded; "" if none */
    char *address; /* addr-spec as written, domain lower case; "" for a group or garbage */
} MkAddress;

typedef struct {
    char *subject;         /* decoded, unfolded, cut at MK_LIMIT_DISPLAY_BYTES */
    char *message_id;      /* without <>; "" if none */
    char *in_reply_to;     /* first msg-id; "" if none */
    GPtrArray *references; /* char *, without <> */
    GPtrArray *from;       /* MkAddress *; here and below never NULL, maybe empty */
    GPtrArray *sender;     /* Sender, Resent-From, Resent-Sender */
    GPtrArray *to;
    GPtrArray *cc;
    GPtrArray *bcc;
    GPtrArray
        *delivered; /* Delivered-To, X-Original-To, Envelope-To, X-Envelope-To, Resent-To/Cc/Bcc,
                              X-REAL-RCPTTO and their like (IF-16): addresses of a routed copy */
    GPtrArray *envelope_from; /* X-Envelope-From, X-REAL-MAILFROM, Return-Path */
    int64_t date_unix_ms;     /* Date, else the newest Received; 0 if none can be read */
    int importance;           /* -1 low, 0 normal, 1 high (Importance, X-Priority, Priority) */
    bool has_attachments;     /* a part with a file name or disposition attachment, or not text */
    bool is_encrypted;        /* S/MIME enveloped, PGP */
    bool is_malformed;        /* no header, or limits cut what was read, or structure is broken */
} MkMailSummary;

MkMailSummary *mk_mail_summary(const uint8_t *data, size_t length);
void mk_mail_summary_free(MkMailSummary *summary);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkMailSummary, mk_mail_summary_free)

/* "Name <address>, ..." as lists show it, cut at MK_LIMIT_DISPLAY_BYTES */
char *mk_addresses_format(const GPtrArray *addresses);
/* An address reduced to the form in which owners are looked up: whole lower case (ASCII and
 * Unicode simple folding), surrounding <> and blanks off. "" when it holds no @. */
char *mk_address_fold(const char *address);

/* -- journal reports and other copies --------------------------------------------------------- */
typedef enum {
    MK_JOURNAL_NONE,     /* a mail like any other */
    MK_JOURNAL_EXCHANGE, /* envelope journal report of Exchange 2003..2019, Microsoft 365 */
    MK_JOURNAL_ROUTED, /* a copy whose header fields name the envelope (Google, X-Envelope-To, milters) */
    MK_JOURNAL_BROKEN, /* looks like a report, but the original or the list cannot be read */
} MkJournalKind;

typedef enum {
    MK_RECIPIENT_UNKNOWN, /* Recipient: */
    MK_RECIPIENT_TO,
    MK_RECIPIENT_CC,
    MK_RECIPIENT_BCC,
} MkRecipientType;

typedef struct {
    char *address; /* as the report gives it, display name and <> off */
    MkRecipientType type;
    char *expanded;  /* the list it was expanded from, or NULL */
    char *forwarded; /* the address it was forwarded from, or NULL */
} MkRecipient;

typedef struct {
    /* the original in the report: either a run of the report's own octets, or decoded */
    size_t offset;
    size_t length;
    GBytes *decoded; /* not NULL when the attached message was base64 or quoted-printable */
} MkInnerMail;

typedef struct {
    MkJournalKind kind;
    char *sender;          /* "" = null reverse-path; NULL = the report names none */
    char *on_behalf_of;    /* or NULL */
    char *subject;         /* as the report gives it, or NULL */
    char *message_id;      /* as the report gives it, without <>, or NULL */
    GPtrArray *recipients; /* MkRecipient * */
    GArray *inner; /* MkInnerMail; EXCHANGE: one or more; BROKEN: what is whole; else empty */
    char *problem; /* BROKEN: why, in a few words without mail text; else NULL */
} MkJournal;

/*
 * mk_journal_parse() - is it a journal report, and of what
 *
 * An Exchange report is known by X-MS-Journal-Report / X-MS-Exchange-Organization-Journal-Report
 * / Content-Identifier: exjournalreport (both spellings), or by its exact structure with the
 * field lines in its first part; a mail that merely quotes such lines, or forwards a mail as an
 * attachment, is NONE. When the original is itself a report of the same kind, that is left to
 * the caller: it parses the inner mail again (at most 4 deep).
 * BROKEN keeps whatever was read (sender, recipients).
 */
MkJournal *mk_journal_parse(const uint8_t *data, size_t length);
void mk_journal_free(MkJournal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkJournal, mk_journal_free)

/* -- text for the index ----------------------------------------------------------------------- */
typedef struct {
    GString *body;               /* text/plain, else text/html without tags; bodies of attached
                                  messages follow; cut at MK_LIMIT_TEXT_BYTES */
    GPtrArray *attachment_names; /* char *, decoded (RFC 2231, 2047) */
    GString *attachment_text;    /* text/plain and text/html attachments (with a file name) */
    bool truncated;
} MkMailText;
MkMailText *mk_mail_text(const uint8_t *data, size_t length);
void mk_mail_text_free(MkMailText *text);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkMailText, mk_mail_text_free)
/* Tags, scripts, styles and comments off, entities and blocks to characters and line ends; linear time. */
void mk_html_to_text(const char *html, size_t length, GString *out, size_t max_bytes);

/* -- parts for reading --------------------------------------------------------------------- */
typedef struct {
    unsigned number; /* 1.. in walking order; stable for a mail */
    unsigned depth;
    char *type;         /* "text/html", lower case */
    char *charset;      /* as declared, or "" */
    char *file_name;    /* decoded, without path parts and control characters; "" if none */
    char *content_id;   /* without <>; "" if none */
    bool is_attachment; /* to be listed below the mail rather than shown in it */
    size_t size_bytes;  /* decoded */
} MkPart;
GPtrArray *mk_mail_parts(const uint8_t *data,
                         size_t length); /* MkPart *, leaves (message/rfc822 is one) */
/* The decoded octets of one leaf; NULL with MK_ERROR_NOT_FOUND. Base64 without padding is kept whole. */
GBytes *mk_mail_part_content(const uint8_t *data, size_t length, unsigned number, GError **error);
/* The same as UTF-8 text, charset converted, cut at @max_bytes. */
char *mk_mail_part_text(const uint8_t *data, size_t length, unsigned number, size_t max_bytes,
                        GError **error);

/* -- base64 with its layout (for the store's recipes) ------------------------------------------ */
/*
 * mk_base64_decode_exact() - decode a base64 body so that encoding again gives the same octets
 * @out_decoded  appended to
 * @out_recipe   appended to: what mk_base64_encode_exact() needs: line length, line end, last line
 * False (nothing appended) when no recipe of the supported kinds reproduces the body.
 */
bool mk_base64_decode_exact(const uint8_t *encoded, size_t length, GByteArray *out_decoded,
                            GByteArray *out_recipe);
bool mk_base64_encode_exact(const uint8_t *decoded, size_t length, const uint8_t *recipe,
                            size_t recipe_length, GByteArray *out_encoded);

#endif
