/*
 * journal_report.c - the text of an Exchange journal report
 *
 *   report     = *(field / folded / empty)
 *   field      = name ":" value
 *   name       = "Sender" / "On-Behalf-Of" / "Subject" / "Message-Id" / "Label" / "Recipient" /
 *                "Recipients" / "To" / "Cc" / "Bcc"             ; in any case
 *   recipient  = address *("," ("Expanded" / "Forwarded") ":" address)
 *   folded     = 1*WSP text         ; after Recipients (Exchange 2003) one recipient a line,
 *                                     else it goes on with the value before
 *   address    = [display-name] "<" addr ">" / addr
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "internal.h"

typedef struct {
    MkJournal *journal;
    const struct ReportField *field; /* of the line before */
    GString *value;
} Report;

static void recipient_free(MkRecipient *r)
{
    g_free(r->address);
    g_free(r->expanded);
    g_free(r->forwarded);
    g_free(r);
}

/* -- addresses ------------------------------------------------------------------------------------ */

/* What is in the last <>, else all of it. Odd ones (IMCEAEX, X.400) stay as they are. */
static char *address_of(const char *text)
{
    g_autofree char *trimmed = g_strstrip(g_strdup(text));
    size_t length = strlen(trimmed);
    char *open = length > 0 && trimmed[length - 1] == '>' ? strrchr(trimmed, '<') : NULL;

    if (open) {
        trimmed[length - 1] = '\0';
        return g_strstrip(g_strdup(open + 1));
    }
    return g_strdup(g_ascii_strncasecmp(trimmed, "smtp:", 5) == 0 ? trimmed + 5 : trimmed);
}

/* Cuts ", Expanded: x" or ", Forwarded: x" off @text; x or NULL. */
static char *cut_attribute(char *text, const char *name)
{
    size_t length = strlen(name);

    for (char *comma = strchr(text, ','); comma; comma = strchr(comma + 1, ',')) {
        char *at = comma + 1 + strspn(comma + 1, " \t"), *end;
        char *value;

        if (g_ascii_strncasecmp(at, name, length) != 0 || at[length] != ':')
            continue;
        at += length + 1;
        for (end = at; *end && *end != ','; end++)
            ;
        g_autofree char *given = g_strndup(at, (size_t) (end - at));
        value = address_of(given);
        memmove(comma, end, strlen(end) + 1);
        return value;
    }
    return NULL;
}

static MkRecipient *recipient_new(MkJournal *journal, char *address, MkRecipientType type)
{
    MkRecipient *r = g_new0(MkRecipient, 1);

    r->address = address;
    r->type = type;
    if (!journal->recipients)
        journal->recipients = g_ptr_array_new_with_free_func((GDestroyNotify) recipient_free);
    g_ptr_array_add(journal->recipients, r);
    return r;
}

static bool has_room(const MkJournal *journal)
{
    return journal->recipients->len < MK_LIMIT_ADDRESSES;
}

void mk_recipient_add(MkJournal *journal, const char *address, MkRecipientType type)
{
    if (!journal->recipients || has_room(journal))
        recipient_new(journal, g_strdup(address), type);
}

/* One recipient a line is the rule; a list of several, as gateways rewrite it, is read too. */
static void add_recipients(MkJournal *journal, const char *value, MkRecipientType type)
{
    g_autofree char *text = g_strdup(value);
    g_autofree char *expanded = cut_attribute(text, "Expanded");
    g_autofree char *forwarded = cut_attribute(text, "Forwarded");
    g_autofree char *address = address_of(text);
    g_autoptr(GPtrArray) several = g_ptr_array_new_with_free_func(g_free);

    if (address[0] == '\0')
        return;
    if (strpbrk(text, ",;"))
        mk_text_addr_specs(text, several, MK_LIMIT_ADDRESSES);
    if (several->len < 2) {
        g_ptr_array_set_size(several, 0);
        g_ptr_array_add(several, g_steal_pointer(&address));
    }
    for (guint i = 0; i < several->len && has_room(journal); i++) {
        MkRecipient *r = recipient_new(journal, g_strdup(several->pdata[i]), type);

        r->expanded = g_strdup(expanded);
        r->forwarded = g_strdup(forwarded);
    }
}

/* -- fields ----------------------------------------------------------------------------------------- */

static void read_sender(MkJournal *journal, const char *value)
{
    if (!journal->sender)
        journal->sender = address_of(value);
}

static void read_on_behalf_of(MkJournal *journal, const char *value)
{
    if (!journal->on_behalf_of)
        journal->on_behalf_of = address_of(value);
}

static void read_subject(MkJournal *journal, const char *value)
{
    if (!journal->subject)
        journal->subject = g_strstrip(g_strdup(value));
}

static void read_message_id(MkJournal *journal, const char *value)
{
    if (!journal->message_id)
        journal->message_id = address_of(value);
}

static void read_label(MkJournal *journal, const char *value)
{
    (void) journal;
    (void) value;
}

static void read_to(MkJournal *journal, const char *value)
{
    add_recipients(journal, value, MK_RECIPIENT_TO);
}

static void read_cc(MkJournal *journal, const char *value)
{
    add_recipients(journal, value, MK_RECIPIENT_CC);
}

static void read_bcc(MkJournal *journal, const char *value)
{
    add_recipients(journal, value, MK_RECIPIENT_BCC);
}

static void read_recipient(MkJournal *journal, const char *value)
{
    add_recipients(journal, value, MK_RECIPIENT_UNKNOWN);
}

static const struct ReportField {
    const char *name;
    void (*read)(MkJournal *journal, const char *value);
    bool is_list; /* folded lines are values of their own */
} fields[] = {
    { "Sender", read_sender, false },
    { "On-Behalf-Of", read_on_behalf_of, false },
    { "Subject", read_subject, false },
    { "Message-Id", read_message_id, false },
    { "Label", read_label, false },
    { "Recipient", read_recipient, true },
    { "Recipients", read_recipient, true },
    { "To", read_to, true },
    { "Cc", read_cc, true },
    { "Bcc", read_bcc, true },
};

static void report_flush(Report *r)
{
    if (r->field)
        r->field->read(r->journal, r->value->str);
    r->field = NULL;
    g_string_truncate(r->value, 0);
}

static const struct ReportField *field_of(const char *line, size_t *out_value)
{
    const char *colon = strchr(line, ':');
    size_t length = colon ? (size_t) (colon - line) : 0;

    while (length > 0 && (line[length - 1] == ' ' || line[length - 1] == '\t'))
        length--;
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        if (length == strlen(fields[i].name) &&
            g_ascii_strncasecmp(line, fields[i].name, length) == 0) {
            *out_value = (size_t) (colon + 1 - line);
            return &fields[i];
        }
    return NULL;
}

/* False when the line is none of a report. */
static bool report_line(Report *r, const char *line)
{
    const struct ReportField *field;
    size_t value;

    if (line[strspn(line, " \t")] == '\0')
        return true;
    if ((line[0] == ' ' || line[0] == '\t') && r->field) {
        const struct ReportField *same = r->field;

        if (same->is_list) {
            report_flush(r);
            r->field = same;
        }
        g_string_append(r->value, line);
        return true;
    }
    report_flush(r);
    field = field_of(line, &value);
    if (!field)
        return false;
    r->field = field;
    g_string_append(r->value, line + value);
    return true;
}

MkReportText mk_report_read(const char *text, MkJournal *journal)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GString *value = g_string_new(NULL);
    Report r = { .journal = journal, .value = value };
    MkReportText out = { .is_pure = true };

    for (guint i = 0; lines[i]; i++) {
        bool known;

        g_strchomp(lines[i]);
        if (i == 0 && g_str_has_prefix(lines[i], "\xef\xbb\xbf"))
            memmove(lines[i], lines[i] + 3, strlen(lines[i]) - 2);
        known = report_line(&r, lines[i]);
        out.is_pure = out.is_pure && known && (out.has_any || !r.field || r.field == fields);
        out.has_any = out.has_any || r.field;
    }
    report_flush(&r);
    g_string_free(value, TRUE);
    return out;
}
