/*
 * conversation.c - which mails belong together (docs/architecture.md, "Conversations")
 *
 * A conversation is a keyed hash of its root's Message-ID and of the subject without the marks that
 * answers and lists put before it; a copy one of what no server on the way changes. 48 bits, under
 * a key of the store: the numbers on the disk tell nobody whether two archives hold the same mail.
 */
#include <string.h>

#include "internal.h"

/* -- the subject ----------------------------------------------------------------------------- */
/* What programs put before the subject of an answer or of a forwarded mail, case folded. */
static const char *const marks[] = {
    "re",  "fwd",    "fw",  "aw",  "wg",   "sv",   "vs",   "antw", "antwort", "vb",
    "vl",  "doorst", "rif", "ref", "r",    "i",    "tr",   "rv",   "res",     "enc",
    "odp", "pd",     "ynt", "ilt", "回复", "转发", "答复", "轉寄", "回覆",    NULL,
};

static const char *skip_blanks(const char *text)
{
    while (*text != '\0' && g_unichar_isspace(g_utf8_get_char(text)))
        text = g_utf8_next_char(text);
    return text;
}

/* "[3]" or "(3)" or "^3" or nothing: some programs count. */
static const char *skip_count(const char *text)
{
    char open = *text, close = open == '[' ? ']' : open == '(' ? ')' : '\0';
    const char *at = text + 1;

    if (open != '[' && open != '(' && open != '^')
        return text;
    while (g_ascii_isdigit(*at))
        at++;
    if (at == text + 1 || (close != '\0' && *at != close))
        return text;
    return close != '\0' ? at + 1 : at;
}

/* Behind "re:", "aw[2]:" and their like, or NULL when there is none. */
static const char *skip_mark(const char *text)
{
    for (size_t i = 0; marks[i] != NULL; i++) {
        const char *at;

        if (!g_str_has_prefix(text, marks[i]))
            continue;
        at = skip_blanks(skip_count(text + strlen(marks[i])));
        if (*at == ':')
            return at + 1;
        if (g_utf8_get_char(at) == 0xff1a) /* the wide colon */
            return g_utf8_next_char(at);
    }
    return NULL;
}

/* Behind "[list]", or NULL; a tag that nothing follows is the subject itself. */
static const char *skip_tag(const char *text)
{
    const char *end = *text == '[' ? strchr(text, ']') : NULL;

    return end != NULL && *skip_blanks(end + 1) != '\0' ? end + 1 : NULL;
}

static void append_folded(GString *out, const char *text)
{
    bool blank = false;

    for (text = skip_blanks(text); *text != '\0'; text = g_utf8_next_char(text)) {
        gunichar c = g_utf8_get_char(text);

        if (g_unichar_isspace(c)) {
            blank = true;
            continue;
        }
        if (blank)
            g_string_append_c(out, ' ');
        blank = false;
        g_string_append_unichar(out, c);
    }
}

char *subject_normalise(const char *subject)
{
    g_autofree char *valid = g_utf8_make_valid(subject, -1);
    g_autofree char *composed = g_utf8_normalize(valid, -1, G_NORMALIZE_NFC);
    g_autofree char *folded = g_utf8_casefold(composed, -1);
    GString *out = g_string_new(NULL);
    const char *at = skip_blanks(folded), *next;

    while ((next = skip_mark(at)) != NULL || (next = skip_tag(at)) != NULL)
        at = skip_blanks(next);
    append_folded(out, at);
    return g_string_free(out, FALSE);
}

/* -- numbers --------------------------------------------------------------------------------- */
/* Each text with its length before it, so that no two rows of texts look alike. Never 0. */
static uint64_t number_of(const MkKey *key, const char *const *texts, size_t count)
{
    g_autoptr(GByteArray) octets = g_byte_array_new();
    uint64_t number = 0;
    MkHash hash;

    for (size_t i = 0; i < count; i++)
        mk_put_string(octets, texts[i]);
    mk_hash(key, octets->data, octets->len, &hash);
    for (int i = 0; i < 6; i++)
        number = number << 8 | hash.bytes[i];
    return MAX(number, 1);
}

static uint64_t conversation_of(const MkKey *key, const char *root, const char *subject)
{
    g_autofree char *normal = subject_normalise(subject);
    const char *const texts[] = { "conversation", root, normal };

    return number_of(key, texts, G_N_ELEMENTS(texts));
}

uint64_t conversation_number(const MkKey *key, const MkMailSummary *summary,
                             ConversationLookup lookup, void *cookie)
{
    g_autofree char *parent_subject = NULL, *normal = NULL;
    uint64_t own, parent;

    if (summary->references->len > 0)
        return conversation_of(key, summary->references->pdata[0], summary->subject);
    if (summary->in_reply_to[0] == '\0')
        return summary->message_id[0] == '\0'
                   ? 0
                   : conversation_of(key, summary->message_id, summary->subject);
    own = conversation_of(key, summary->in_reply_to, summary->subject);
    parent = lookup(summary->in_reply_to, own, &parent_subject, cookie);
    if (parent == 0 || parent == own)
        return own;
    normal = subject_normalise(summary->subject);
    return g_strcmp0(normal, parent_subject) == 0 ? parent : own;
}

uint64_t copy_number(const MkKey *key, const MkMailSummary *summary)
{
    g_autofree char *from = mk_addresses_format(summary->from);
    g_autofree char *date = g_strdup_printf("%" G_GINT64_FORMAT, summary->date_unix_ms);
    const char *const texts[] = { "copy", summary->message_id, date, from, summary->subject };

    return summary->message_id[0] == '\0' ? 0 : number_of(key, texts, G_N_ELEMENTS(texts));
}
