/*
 * journal.c - is it a journal report or a routed copy, and of what
 *
 *   mail --field of a report--------> EXCHANGE, or BROKEN if original or list cannot be read
 *        --exact structure, no field-> EXCHANGE, never BROKEN: it may be any mail
 *        --field of an envelope------> ROUTED
 *        --else----------------------> NONE
 *
 * X-Original-To and Delivered-To make no routed copy: at the end of a delivery they name the
 * archive's own mailbox (Postfix always_bcc). The summary has them.
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "internal.h"

#define REPORT_TEXT_BYTES (8u << 20) /* MK_LIMIT_ADDRESSES lines of 400 octets */

typedef struct {
    const uint8_t *data;
    size_t length;
    MkStructure structure;
    MkJournal *out;
} Parser;

static const MkEntity *entity(const Parser *p, guint index)
{
    return &g_array_index(p->structure.entities, MkEntity, index);
}

static guint entity_count(const Parser *p)
{
    return p->structure.entities->len;
}

static void inner_clear(MkInnerMail *inner)
{
    if (inner->decoded)
        g_bytes_unref(inner->decoded);
    inner->decoded = NULL;
}

/* -- header ------------------------------------------------------------------------------------------ */

static bool is_report_field(const MkField *f)
{
    return mk_span_is(f->name, "X-MS-Journal-Report") ||
           mk_span_is(f->name, "X-MS-Exchange-Organization-Journal-Report") ||
           /* The second spelling is Exchange's own. */
           ((mk_span_is(f->name, "Content-Identifier") ||
             mk_span_is(f->name, "Content-Identifer")) &&
            mk_span_is(f->value, "ExJournalReport"));
}

static bool is_envelope_to(const MkField *f)
{
    return mk_span_is(f->name, "X-REAL-RCPTTO") || mk_span_is(f->name, "X-REAL-RCPT-TO") ||
           mk_span_is(f->name, "X-Envelope-To") || mk_span_is(f->name, "X-Gm-Original-To") ||
           mk_span_is(f->name, "X-Rcpt-To") || mk_span_is(f->name, "X-RcptTo");
}

static bool is_envelope_from(const MkField *f)
{
    return mk_span_is(f->name, "X-REAL-MAILFROM") || mk_span_is(f->name, "X-REAL-MAIL-FROM") ||
           mk_span_is(f->name, "X-Envelope-From") || mk_span_is(f->name, "X-Envelope-Sender");
}

static char *first_address(MkSpan value)
{
    g_autoptr(GPtrArray) addresses = mk_address_array();
    unsigned left = 1;

    mk_value_addresses(value, addresses, &left);
    return addresses->len > 0 ? g_strdup(((MkAddress *) addresses->pdata[0])->address)
                              : g_strdup("");
}

static void add_routed(MkJournal *j, MkSpan value, GHashTable *known)
{
    g_autoptr(GPtrArray) addresses = mk_address_array();
    unsigned left = MK_LIMIT_ADDRESSES;

    mk_value_addresses(value, addresses, &left);
    for (guint i = 0; i < addresses->len; i++) {
        const char *address = ((MkAddress *) addresses->pdata[i])->address;

        if (address[0] != '\0' && g_hash_table_add(known, mk_address_fold(address)))
            mk_recipient_add(j, address, MK_RECIPIENT_UNKNOWN);
    }
}

/* True when a field says that this is a report. Reads the envelope of a routed copy on the way. */
static bool read_header(Parser *p)
{
    MkFieldReader r = mk_field_reader(p->data, entity(p, 0)->body);
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *return_path = NULL;
    MkField f;

    while (mk_field_next(&r, &f)) {
        if (is_report_field(&f))
            return true;
        if (is_envelope_to(&f))
            add_routed(p->out, f.whole, known);
        else if (is_envelope_from(&f) && !p->out->sender)
            p->out->sender = first_address(f.value);
        else if (mk_span_is(f.name, "Return-Path") && !return_path)
            return_path = first_address(f.value);
    }
    if (!p->out->sender && p->out->recipients->len > 0)
        p->out->sender = g_steal_pointer(&return_path);
    return false;
}

/* -- the original ---------------------------------------------------------------------------------- */

static bool is_in_message(const Parser *p, const MkEntity *e)
{
    while (e->parent >= 0) {
        e = entity(p, (guint) e->parent);
        if (e->kind == MK_ENTITY_MESSAGE)
            return true;
    }
    return false;
}

static bool is_message_type(const MkEntity *e)
{
    return g_str_equal(e->type, "message/rfc822") || g_str_equal(e->type, "message/global");
}

/* A relay may have made message/rfc822 something else; its first fields tell. */
static bool is_mail(const uint8_t *data, size_t length)
{
    static const char *const names[] = { "Received", "Return-Path", "From",        "Date",
                                         "Subject",  "Message-ID",  "To",          "MIME-Version",
                                         "X-Sender", "Sender",      "Delivered-To" };
    MkFieldReader r = mk_field_reader(data, MIN(length, 4096));
    unsigned count = 0;
    MkField f;

    for (unsigned i = 0; i < 40 && mk_field_next(&r, &f); i++)
        for (size_t k = 0; k < G_N_ELEMENTS(names); k++)
            count += mk_span_is(f.name, names[k]);
    return count >= 2;
}

static void add_decoded(Parser *p, const MkEntity *e, bool must_be_mail)
{
    g_autoptr(GByteArray) decoded = g_byte_array_new();
    MkInnerMail inner = { .offset = e->body, .length = e->end - e->body };

    mk_transfer_decode(e->encoding, p->data + e->body, e->end - e->body, decoded, p->length);
    if (decoded->len == 0 || (must_be_mail && !is_mail(decoded->data, decoded->len)))
        return;
    if (e->encoding != MK_ENCODING_IDENTITY)
        inner.decoded = g_byte_array_free_to_bytes(g_steal_pointer(&decoded));
    g_array_append_val(p->out->inner, inner);
    /* cppcheck-suppress memleak ; the array has it */
}

/* Not cut off: its header ends, and so does its multipart. Only asked of the mail's last part. */
static bool is_whole(const uint8_t *data, size_t length)
{
    g_auto(MkStructure) structure = { .entities = NULL };
    const MkEntity *root;

    mk_structure_read(&structure, data, length);
    root = &g_array_index(structure.entities, MkEntity, 0);
    return !structure.is_broken && root->body > 0 &&
           mk_line_kind(data + root->header, length) != MK_LINE_EMPTY &&
           (root->body < length || (length >= 2 && data[length - 1] == '\n' &&
                                    (data[length - 2] == '\n' || data[length - 2] == '\r')));
}

static void add_message(Parser *p, const MkEntity *e)
{
    MkInnerMail inner = { .offset = e->body, .length = e->end - e->body };
    bool at_end = e->end == p->length;

    if (inner.length == 0 || (at_end && !is_whole(p->data + e->body, inner.length)))
        return;
    g_array_append_val(p->out->inner, inner);
}

static void find_originals(Parser *p)
{
    for (guint i = 1; i < entity_count(p); i++) {
        const MkEntity *e = entity(p, i);

        if (is_in_message(p, e) || !is_message_type(e))
            continue;
        if (e->kind == MK_ENTITY_MESSAGE)
            add_message(p, e);
        else
            add_decoded(p, e, false);
    }
    for (guint i = 1; p->out->inner->len == 0 && i < entity_count(p); i++) {
        const MkEntity *e = entity(p, i);

        if (!is_in_message(p, e) && e->kind == MK_ENTITY_LEAF && !mk_entity_is_text(e))
            add_decoded(p, e, true);
    }
}

/* -- the report --------------------------------------------------------------------------------------- */

static const MkEntity *report_part(const Parser *p)
{
    for (guint i = 1; i < entity_count(p); i++) {
        const MkEntity *e = entity(p, i);

        if (!is_in_message(p, e) && e->kind == MK_ENTITY_LEAF && mk_entity_is_text(e))
            return e;
    }
    return NULL;
}

static MkReportText read_report(Parser *p, const MkEntity *part)
{
    GString *text = g_string_new(NULL);
    MkReportText report;

    mk_entity_text(p->data, part, text, REPORT_TEXT_BYTES);
    report = mk_report_read(text->str, p->out);
    g_string_free(text, TRUE);
    return report;
}

static void break_with(MkJournal *j, const char *problem)
{
    j->kind = MK_JOURNAL_BROKEN;
    if (!j->problem)
        j->problem = g_strdup(problem);
}

static void parse_report(Parser *p)
{
    const MkEntity *part = report_part(p);
    MkReportText report = { .is_pure = false };

    p->out->kind = MK_JOURNAL_EXCHANGE;
    if (part)
        report = read_report(p, part);
    find_originals(p);
    if (!report.has_any)
        break_with(p->out, "the report's text is missing");
    else if (p->out->recipients->len == 0)
        break_with(p->out, "the report names no recipient");
    if (p->out->inner->len == 0)
        break_with(p->out, "the original mail is missing or cut off");
}

/* multipart/mixed of just the report's text and the original: a report which lost its field. */
static bool has_report_structure(const Parser *p)
{
    if (entity_count(p) < 4 || !g_str_equal(entity(p, 0)->type, "multipart/mixed") ||
        !g_str_equal(entity(p, 1)->type, "text/plain") || mk_entity_is_attachment(entity(p, 1)) ||
        entity(p, 2)->kind != MK_ENTITY_MESSAGE)
        return false;
    for (guint i = 3; i < entity_count(p); i++)
        if (entity(p, i)->parent == 0 && !is_message_type(entity(p, i)))
            return false;
    return true;
}

static MkJournal *journal_new(void)
{
    MkJournal *j = g_new0(MkJournal, 1);

    mk_recipient_add(j, "", MK_RECIPIENT_UNKNOWN); /* makes the array */
    g_ptr_array_set_size(j->recipients, 0);
    j->inner = g_array_new(FALSE, FALSE, sizeof(MkInnerMail));
    g_array_set_clear_func(j->inner, (GDestroyNotify) inner_clear);
    return j;
}

static bool parse_unmarked(Parser *p)
{
    g_autoptr(MkJournal) routed = p->out;
    MkReportText report;

    p->out = journal_new();
    report = read_report(p, entity(p, 1));
    find_originals(p);
    if (report.is_pure && p->out->sender && p->out->message_id && p->out->recipients->len > 0 &&
        p->out->inner->len > 0) {
        p->out->kind = MK_JOURNAL_EXCHANGE;
        return true;
    }
    mk_journal_free(p->out);
    p->out = g_steal_pointer(&routed);
    return false;
}

MkJournal *mk_journal_parse(const uint8_t *data, size_t length)
{
    Parser p = { .data = mk_octets(data), .length = length, .out = journal_new() };

    mk_structure_read(&p.structure, p.data, length);
    if (read_header(&p)) {
        mk_journal_free(p.out); /* a report's own way is of no interest */
        p.out = journal_new();
        parse_report(&p);
    } else if (!has_report_structure(&p) || !parse_unmarked(&p)) {
        if (p.out->recipients->len > 0)
            p.out->kind = MK_JOURNAL_ROUTED;
        else
            g_clear_pointer(&p.out->sender, g_free);
    }
    mk_structure_clear(&p.structure);
    return p.out;
}

void mk_journal_free(MkJournal *j)
{
    if (!j)
        return;
    g_free(j->sender);
    g_free(j->on_behalf_of);
    g_free(j->subject);
    g_free(j->message_id);
    g_ptr_array_unref(j->recipients);
    g_array_unref(j->inner);
    g_free(j->problem);
    g_free(j);
}
