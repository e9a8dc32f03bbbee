/*
 * internal.h - inside the mail room: octets, header fields, structure, decoders
 *
 * Everything here is pure and bounded by limits.h; spans point into the mail's own octets.
 */
#ifndef MAILKEEP_MAIL_INTERNAL_H
#define MAILKEEP_MAIL_INTERNAL_H

#include <mailkeep/mail.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

/* -- base64_core.c ------------------------------------------------------------------------ */
int mk_base64_value(uint8_t octet); /* 0..63; -1 when the octet is not of the alphabet */
uint8_t mk_base64_letter(unsigned value);
/* Whole quanta up to the first octet outside the alphabet (padding too): letters taken, a
 * multiple of 4. @out has room for 3 octets a quantum. */
size_t mk_base64_decode_quanta(const uint8_t *in, size_t length, uint8_t *out);
void mk_base64_encode_quanta(const uint8_t *in, size_t length, uint8_t *out); /* length % 3 == 0 */

/* An empty mail may come as NULL, which memchr() and its kin must not get. */
static inline const uint8_t *mk_octets(const uint8_t *data)
{
    return data ? data : (const uint8_t *) "";
}

/* -- field.c: header fields as they lie in the mail ------------------------------------------ */
typedef struct {
    const uint8_t *data; /* NULL = there is none */
    size_t length;
} MkSpan;

bool mk_span_is(MkSpan span, const char *text);       /* ASCII case does not matter */
bool mk_span_starts(MkSpan span, const char *prefix); /* likewise */
MkSpan mk_span_trim(MkSpan span);                     /* without blanks and line ends around it */

typedef struct {
    MkSpan name;
    MkSpan value; /* folded as it is, blanks around it off; at most MK_LIMIT_HEADER_FIELD_BYTES */
    MkSpan whole; /* the same, not cut: only for what is linear and does not go to GMime */
} MkField;

typedef enum {
    MK_LINE_FIELD,
    MK_LINE_FOLDED, /* goes on with the field before */
    MK_LINE_EMPTY,
    MK_LINE_OTHER, /* no line of a header */
} MkLineKind;

MkLineKind mk_line_kind(const uint8_t *line, size_t length); /* up to the end of the data */

/* Goes through the fields of a header whose end is known. */
typedef struct {
    const uint8_t *at;
    const uint8_t *end;
    size_t octets_left;
    unsigned fields_left;
    bool cut; /* a limit of limits.h was met */
} MkFieldReader;

MkFieldReader mk_field_reader(const uint8_t *header, size_t length);
bool mk_field_next(MkFieldReader *r, MkField *out_field);

/* A parameter of a structured field ("multipart/mixed; boundary=x"), unquoted; NULL if none.
 * Only for parameters in ASCII: names of files go through GMime (RFC 2231, 2047). */
char *mk_param_find(MkSpan value, const char *name);
/* The first token of a structured field, lower case: "base64", "text/plain", "attachment". */
void mk_token_first(MkSpan value, char *out, size_t out_bytes);

/* -- structure.c: parts in parts, by offsets ------------------------------------------------- */
typedef enum {
    MK_ENCODING_IDENTITY, /* 7bit, 8bit, binary and unknown ones */
    MK_ENCODING_BASE64,
    MK_ENCODING_QUOTED,
    MK_ENCODING_UU,
} MkEncoding;

typedef enum {
    MK_ENTITY_LEAF,
    MK_ENTITY_MULTIPART,
    MK_ENTITY_MESSAGE, /* message/rfc822 whose message is readable in place: one child */
} MkEntityKind;

typedef struct {
    int parent;     /* index; -1 for the mail itself */
    unsigned depth; /* of the mail itself: 0 */
    MkEntityKind kind;
    MkEncoding encoding;
    size_t header; /* offsets: the header with the empty line ends where the body starts */
    size_t body;
    size_t end;          /* without the line end before the boundary (RFC 2046 5.1.1) */
    char type[80];       /* "text/plain" if none is given */
    MkSpan content_type; /* field values */
    MkSpan disposition;
    MkSpan content_id;
    MkSpan location;
} MkEntity;

typedef struct {
    GArray *entities; /* MkEntity, in walking order; the first is the mail itself */
    bool is_broken;   /* no header, a multipart without boundary or end, junk in a header */
    bool is_cut;      /* limits.h: parts, nesting, header */
} MkStructure;

void mk_structure_read(MkStructure *s, const uint8_t *data, size_t length);
void mk_structure_clear(MkStructure *s);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkStructure, mk_structure_clear)

bool mk_entity_is_text(const MkEntity *e);
bool mk_entity_is_attachment(const MkEntity *e); /* asks for it, has a file name, or is not text */

/* -- transfer.c: bodies decoded ----------------------------------------------------------------- */
/* At most about @max_bytes; false when cut. Nothing is an error: what cannot be read is passed over. */
bool mk_transfer_decode(MkEncoding encoding, const uint8_t *data, size_t length, GByteArray *out,
                        size_t max_bytes);
/* The body of a leaf as UTF-8 text, by its encoding and charset; at most @max_bytes are added. */
bool mk_entity_text(const uint8_t *data, const MkEntity *e, GString *out, size_t max_bytes);
size_t mk_transfer_size(MkEncoding encoding, const uint8_t *data, size_t length); /* decoded */

/* -- journal_report.c: the report's own text ------------------------------------------------------ */
typedef struct {
    bool is_pure; /* every line is a field of a report, the first one Sender */
    bool has_any; /* at least one field was known */
} MkReportText;

/* Fills sender, on_behalf_of, subject, message_id and recipients of @journal. */
MkReportText mk_report_read(const char *text, MkJournal *journal);
void mk_recipient_add(MkJournal *journal, const char *address, MkRecipientType type);

/* -- html_entities.c -------------------------------------------------------------------------------- */
/* The character that "name" of "&name;" stands for; 0 if none. @bare = no ";" follows. */
gunichar mk_html_entity(const char *name, size_t length, bool bare);

/* -- parts.c ------------------------------------------------------------------------------------------ */
/* Decoded (RFC 2231, 2047), without path and control characters; "" if the part has none. */
char *mk_entity_file_name(const MkEntity *e);

/* -- charset.c: octets to valid UTF-8 ---------------------------------------------------------- */
/* Valid UTF-8 as it is, any other octet as windows-1252; NUL dropped, C1 controls (windows-1252
 * under the label iso-8859-1) mapped. */
void mk_utf8_append(GString *out, const void *octets, size_t length);
/* The same from @charset (NULL or "" = none given); at most @max_bytes are added. False when cut. */
bool mk_charset_append(GString *out, const void *octets, size_t length, const char *charset,
                       size_t max_bytes);
void mk_utf8_cut(GString *text, size_t max_bytes); /* between characters */

/* -- words.c: header values to text -------------------------------------------------------------- */
GString *mk_value_unfold(MkSpan value);              /* UTF-8 on one line, nothing decoded */
char *mk_value_text(MkSpan value, size_t max_bytes); /* RFC 2047 words decoded, trimmed, cut */
char *mk_text_clean(const char *text,
                    size_t max_bytes); /* any octets to one line of UTF-8, trimmed */
char *mk_value_msg_id(MkSpan value);   /* first msg-id without <>; "" if none */
void mk_value_msg_ids(MkSpan value, GPtrArray *out, guint max); /* char *, all of them */

/* -- date.c ------------------------------------------------------------------------------------- */
int64_t mk_value_date(MkSpan value); /* unix ms; 0 if it cannot be read */

/* -- address.c ------------------------------------------------------------------------------------ */
MkAddress *mk_address_new(const char *name, const char *address);
void mk_address_free(MkAddress *address);
GPtrArray *mk_address_array(void); /* frees its MkAddress */
/* Appends the addresses of an address list; at most *@left, which is counted down. A list longer
 * than MK_LIMIT_HEADER_FIELD_BYTES gives its addr-specs without the names. */
void mk_value_addresses(MkSpan value, GPtrArray *out, unsigned *left);
/* The addr-specs in @text, names and comments passed over: what is left when GMime gives up. */
void mk_text_addr_specs(const char *text, GPtrArray *out, unsigned max); /* of char * */

/* -- init.c ----------------------------------------------------------------------------------------- */
struct _GMimeParserOptions *mk_mail_options(void); /* shared, never changed */

#endif
