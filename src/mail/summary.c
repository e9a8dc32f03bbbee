/*
 * summary.c - what lists show and sort, and what decides the owners
 *
 * Only the fields of the mail's own header are decoded; of the rest just the structure is read.
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "internal.h"

#define REFERENCES 500 /* of long threads the newest are cut; the first name the thread */

typedef struct {
    MkMailSummary *out;
    unsigned addresses_left;
    int64_t received_unix_ms; /* newest Received: the first one */
    bool has_subject, has_date, has_received, has_importance, has_x_priority;
} Reader;

/* -- fields --------------------------------------------------------------------------------------- */

static void read_subject(Reader *r, MkSpan value)
{
    if (r->has_subject)
        return;
    r->has_subject = true;
    g_free(r->out->subject);
    r->out->subject = mk_value_text(value, MK_LIMIT_DISPLAY_BYTES);
}

static void read_message_id(Reader *r, MkSpan value)
{
    if (r->out->message_id[0] != '\0')
        return;
    g_free(r->out->message_id);
    r->out->message_id = mk_value_msg_id(value);
}

static void read_in_reply_to(Reader *r, MkSpan value)
{
    if (r->out->in_reply_to[0] != '\0')
        return;
    g_free(r->out->in_reply_to);
    r->out->in_reply_to = mk_value_msg_id(value);
}

static void read_references(Reader *r, MkSpan value)
{
    mk_value_msg_ids(value, r->out->references, REFERENCES);
}

static void read_date(Reader *r, MkSpan value)
{
    if (r->has_date)
        return;
    r->out->date_unix_ms = mk_value_date(value);
    r->has_date = r->out->date_unix_ms != 0;
}

/* "from x by y; date": RFC 5321 4.4. */
static void read_received(Reader *r, MkSpan value)
{
    const uint8_t *semicolon = value.data ? memrchr(value.data, ';', value.length) : NULL;

    if (r->has_received || !semicolon)
        return;
    value.length -= (size_t) (semicolon + 1 - value.data);
    value.data = semicolon + 1;
    r->received_unix_ms = mk_value_date(value);
    r->has_received = r->received_unix_ms != 0;
}

static void read_importance(Reader *r, MkSpan value)
{
    r->has_importance = true;
    r->out->importance = mk_span_starts(value, "high") ? 1 : mk_span_starts(value, "low") ? -1 : 0;
}

static void read_x_priority(Reader *r, MkSpan value)
{
    char first = value.length > 0 ? (char) value.data[0] : '3';

    if (r->has_importance)
        return;
    r->has_x_priority = true;
    r->out->importance = first == '1' || first == '2' ? 1 : first == '4' || first == '5' ? -1 : 0;
}

static void read_priority(Reader *r, MkSpan value)
{
    if (r->has_importance || r->has_x_priority)
        return;
    if (mk_span_starts(value, "urgent") || mk_span_starts(value, "high"))
        r->out->importance = 1;
    else if (mk_span_starts(value, "non-urgent") || mk_span_starts(value, "low"))
        r->out->importance = -1;
}

#define LIST(member) NULL, offsetof(MkMailSummary, member)

static const struct {
    const char *name;
    void (*read)(Reader *r, MkSpan value); /* NULL: an address list ... */
    size_t list;                           /* ... of this member */
} fields[] = {
    { "Subject", read_subject, 0 },
    { "Message-ID", read_message_id, 0 },
    { "In-Reply-To", read_in_reply_to, 0 },
    { "References", read_references, 0 },
    { "Date", read_date, 0 },
    { "Received", read_received, 0 },
    { "Importance", read_importance, 0 },
    { "X-Priority", read_x_priority, 0 },
    { "X-MSMail-Priority", read_priority, 0 },
    { "Priority", read_priority, 0 },
    { "From", LIST(from) },
    { "Sender", LIST(sender) },
    { "To", LIST(to) },
    { "Cc", LIST(cc) },
    { "Bcc", LIST(bcc) },
    { "Delivered-To", LIST(delivered) },
    { "X-Delivered-To", LIST(delivered) },
    { "X-Original-To", LIST(delivered) },
    { "Envelope-To", LIST(delivered) },
    { "X-Envelope-To", LIST(delivered) },
    { "Resent-From", LIST(sender) },
    { "Resent-Sender", LIST(sender) },
    { "Resent-To", LIST(delivered) },
    { "Resent-Cc", LIST(delivered) },
    { "Resent-Bcc", LIST(delivered) },
    { "Apparently-To", LIST(delivered) },
    { "X-Apparently-To", LIST(delivered) },
    { "X-Forwarded-To", LIST(delivered) },
    { "X-Rcpt-To", LIST(delivered) },
    { "X-RcptTo", LIST(delivered) },
    { "X-REAL-RCPTTO", LIST(delivered) },
    { "X-REAL-RCPT-TO", LIST(delivered) },
    { "X-Gm-Original-To", LIST(delivered) },
    { "X-Envelope-From", LIST(envelope_from) },
    { "X-Envelope-Sender", LIST(envelope_from) },
    { "X-REAL-MAILFROM", LIST(envelope_from) },
    { "X-REAL-MAIL-FROM", LIST(envelope_from) },
    { "Return-Path", LIST(envelope_from) },
};

static void read_field(Reader *r, const MkField *f)
{
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        if (!mk_span_is(f->name, fields[i].name))
            continue;
        if (fields[i].read)
            fields[i].read(r, f->value);
        else
            mk_value_addresses(f->whole, G_STRUCT_MEMBER(GPtrArray *, r->out, fields[i].list),
                               &r->addresses_left);
        return;
    }
}

static bool read_header(Reader *r, const uint8_t *data, size_t length)
{
    MkFieldReader fields_of = mk_field_reader(data, length);
    MkField f;
    bool any = false;

    while (mk_field_next(&fields_of, &f)) {
        read_field(r, &f);
        any = true;
    }
    return any && !fields_of.cut;
}

/* -- structure -------------------------------------------------------------------------------------- */

static bool is_pgp(const uint8_t *data, const MkEntity *e)
{
    static const char armour[] = "-----BEGIN PGP MESSAGE-----";

    return e->kind == MK_ENTITY_LEAF && mk_entity_is_text(e) &&
           memmem(data + e->body, e->end - e->body, armour, strlen(armour));
}

/* S/MIME without smime-type is taken by its name: smime.p7m may be signed, RFC 8551 3.2.1. */
static bool is_encrypted(const uint8_t *data, const MkEntity *e)
{
    g_autofree char *kind = NULL;

    if (g_str_equal(e->type, "multipart/encrypted") ||
        g_str_equal(e->type, "application/pgp-encrypted") ||
        g_str_equal(e->type, "application/x-microsoft-rpmsg-message"))
        return true;
    if (!g_str_equal(e->type, "application/pkcs7-mime") &&
        !g_str_equal(e->type, "application/x-pkcs7-mime"))
        return is_pgp(data, e);
    kind = mk_param_find(e->content_type, "smime-type");
    return !kind || g_ascii_strcasecmp(kind, "enveloped-data") == 0 ||
           g_ascii_strcasecmp(kind, "authEnveloped-data") == 0;
}

static void read_structure(MkMailSummary *s, const uint8_t *data, const MkStructure *structure)
{
    for (guint i = 0; i < structure->entities->len; i++) {
        const MkEntity *e = &g_array_index(structure->entities, MkEntity, i);

        s->has_attachments =
            s->has_attachments || (e->kind != MK_ENTITY_MULTIPART && mk_entity_is_attachment(e));
        s->is_encrypted = s->is_encrypted || is_encrypted(data, e);
    }
    s->is_malformed = structure->is_broken || structure->is_cut;
}

MkMailSummary *mk_mail_summary(const uint8_t *data, size_t length)
{
    MkMailSummary *s = g_new0(MkMailSummary, 1);
    Reader r = { .out = s, .addresses_left = MK_LIMIT_ADDRESSES };
    g_auto(MkStructure) structure = { .entities = NULL };
    bool whole;

    data = mk_octets(data);
    s->subject = g_strdup("");
    s->message_id = g_strdup("");
    s->in_reply_to = g_strdup("");
    s->references = g_ptr_array_new_with_free_func(g_free);
    s->from = mk_address_array();
    s->sender = mk_address_array();
    s->to = mk_address_array();
    s->cc = mk_address_array();
    s->bcc = mk_address_array();
    s->delivered = mk_address_array();
    s->envelope_from = mk_address_array();
    mk_structure_read(&structure, data, length);
    whole = read_header(&r, data, g_array_index(structure.entities, MkEntity, 0).body);
    read_structure(s, data, &structure);
    s->is_malformed = s->is_malformed || !whole;
    if (s->date_unix_ms == 0)
        s->date_unix_ms = r.received_unix_ms;
    return s;
}

void mk_mail_summary_free(MkMailSummary *s)
{
    if (!s)
        return;
    g_free(s->subject);
    g_free(s->message_id);
    g_free(s->in_reply_to);
    g_ptr_array_unref(s->references);
    g_ptr_array_unref(s->from);
    g_ptr_array_unref(s->sender);
    g_ptr_array_unref(s->to);
    g_ptr_array_unref(s->cc);
    g_ptr_array_unref(s->bcc);
    g_ptr_array_unref(s->delivered);
    g_ptr_array_unref(s->envelope_from);
    g_free(s);
}
