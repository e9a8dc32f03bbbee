/*
 * address.c - address lists
 *
 * GMime reads them. Two things it must not be left alone with: groups nested in groups, which
 * overflow its stack, and lists that break its grammar (`a@b; c@d`, `a b c@d`), of which it
 * drops the rest. An address lost is a mail that its owner never sees, so a scan of our own looks
 * for addr-specs that it missed. One too many does no harm.
 */
#include <string.h>

#include <gmime/gmime.h>

#include <mailkeep/limits.h>

#include "internal.h"

#define GROUP_DEPTH 8 /* RFC 5322 3.4 allows no group in a group */

/* 'a@b.c' is an atom by the grammar, but Outlook's quoting in fact. */
static char *without_apostrophes(char *address)
{
    size_t length = strlen(address);

    if (length > 2 && address[0] == '\'' && address[length - 1] == '\'') {
        memmove(address, address + 1, length - 2);
        address[length - 2] = '\0';
    }
    return address;
}

MkAddress *mk_address_new(const char *name, const char *address)
{
    MkAddress *a = g_new(MkAddress, 1);
    const char *at;

    a->name = mk_text_clean(name, MK_LIMIT_DISPLAY_BYTES);
    a->address = without_apostrophes(mk_text_clean(address, MK_LIMIT_DISPLAY_BYTES));
    at = strrchr(a->address, '@');
    if (!at && a->name[0] == '\0') { /* a local name only: show it, own nothing by it */
        g_free(a->name);
        a->name = g_steal_pointer(&a->address);
    }
    if (!at) {
        g_free(a->address);
        a->address = g_strdup("");
    } else {
        g_autofree char *domain = g_utf8_strdown(at, -1);
        g_autofree char *whole = a->address;

        a->address = g_strdup_printf("%.*s%s", (int) (at - whole), whole, domain);
    }
    return a;
}

void mk_address_free(MkAddress *address)
{
    g_free(address->name);
    g_free(address->address);
    g_free(address);
}

GPtrArray *mk_address_array(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify) mk_address_free);
}

/* -- a scan that does not give up ---------------------------------------------------------------- */

static bool is_separator(char c)
{
    return strchr(" \t,;:<>()\"\\", c) != NULL; /* NUL too */
}

/* Behind a quoted string or comment that begins at @p; both may hold quoted pairs. */
static const char *skip_quoted(const char *p)
{
    char open = *p, close = open == '(' ? ')' : '"';
    unsigned depth = 1;

    for (p++; *p && depth > 0; p++) {
        if (*p == '\\' && p[1])
            p++;
        else if (*p == close)
            depth--;
        else if (*p == open)
            depth++;
    }
    return p;
}

/* Behind an atom, a quoted local part or a domain literal: what an addr-spec may consist of. */
static const char *skip_spec(const char *p)
{
    if (*p == '"')
        p = skip_quoted(p);
    while (!is_separator(*p)) {
        const char *end = *p == '[' ? strchr(p, ']') : NULL;

        p = end ? end + 1 : p + 1;
    }
    return p;
}

static char *spec_of(const char *start, const char *end)
{
    const char *at;

    while (start < end && *start == '\'')
        start++;
    while (end > start && (end[-1] == '\'' || end[-1] == '.'))
        end--;
    at = memrchr(start, '@', (size_t) (end - start));
    return at && at > start && at + 1 < end ? g_strndup(start, (size_t) (end - start)) : NULL;
}

static bool is_followed_by_angle(const char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return *p == '<';
}

void mk_text_addr_specs(const char *text, GPtrArray *out, unsigned max)
{
    const char *p = text;

    while (*p && out->len < max) {
        const char *start = p, *after_quote = *p == '"' ? skip_quoted(p) : NULL;
        char *spec;

        if (*p == '(' || (after_quote && *after_quote != '@')) {
            p = skip_quoted(p);
        } else if (!after_quote && is_separator(*p)) {
            p++;
        } else {
            p = skip_spec(p);
            spec = is_followed_by_angle(p) ? NULL : spec_of(start, p); /* a name, not an address */
            if (spec)
                g_ptr_array_add(out, spec);
        }
    }
}

/* -- GMime ----------------------------------------------------------------------------------------- */

/* Its parser calls itself for each ":" of a group; quoted colons count too, which is harmless. */
static bool is_nested(const char *text)
{
    unsigned depth = 0;

    for (; *text; text++) {
        if (*text == ':' && ++depth > GROUP_DEPTH)
            return true;
        if (*text == ';' && depth > 0)
            depth--;
    }
    return false;
}

/*
 * GMime 3.2.15 frees a pointer it never set when a domain's "xn--" is not good punycode. A private
 * character in between keeps its hands off; it is taken out again from what it returns.
 */
#define MASK "\xee\x80\x80" /* U+E000 */

static GString *with_mask(const char *text)
{
    GString *masked = g_string_new(NULL);
    const char *at;

    while ((at = strcasestr(text, "xn--"))) {
        g_string_append_len(masked, text, at + 2 - text);
        g_string_append(masked, MASK);
        text = at + 2;
    }
    return g_string_append(masked, text);
}

static char *without_mask(const char *text)
{
    GString *clean = g_string_new(NULL);
    const char *at;

    while ((at = strstr(text, MASK))) {
        g_string_append_len(clean, text, at - text);
        text = at + strlen(MASK);
    }
    return g_string_free(g_string_append(clean, text), FALSE);
}

static void add_one(GPtrArray *out, const char *name, const char *address)
{
    g_autofree char *clean_name = name ? without_mask(name) : NULL;
    g_autofree char *clean_address = address ? without_mask(address) : NULL;

    g_ptr_array_add(out, mk_address_new(clean_name, clean_address));
}

static void add_list(InternetAddressList *list, GPtrArray *out, unsigned *left)
{
    int count = internet_address_list_length(list);

    for (int i = 0; i<count && * left> 0; i++) {
        InternetAddress *ia = internet_address_list_get_address(list, i);
        const char *name = internet_address_get_name(ia);

        if (INTERNET_ADDRESS_IS_MAILBOX(ia)) {
            const char *address = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(ia));

            add_one(out, name, address);
            (*left)--;
        } else {
            add_one(out, name, NULL);
            (*left)--;
            add_list(internet_address_group_get_members(INTERNET_ADDRESS_GROUP(ia)), out, left);
        }
    }
}

static void add_missing(const char *text, GPtrArray *out, guint first, unsigned *left)
{
    g_autoptr(GPtrArray) specs = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) known = NULL;
    guint found = 0;

    mk_text_addr_specs(text, specs, MK_LIMIT_ADDRESSES);
    for (guint i = first; i < out->len; i++)
        found += ((MkAddress *) out->pdata[i])->address[0] != '\0';
    if (specs->len <= found)
        return;
    known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = first; i < out->len; i++)
        g_hash_table_add(known, mk_address_fold(((MkAddress *) out->pdata[i])->address));
    for (guint i = 0; i<specs->len && * left> 0; i++)
        if (g_hash_table_add(known, mk_address_fold(specs->pdata[i]))) {
            g_ptr_array_add(out, mk_address_new(NULL, specs->pdata[i]));
            (*left)--;
        }
}

void mk_value_addresses(MkSpan value, GPtrArray *out, unsigned *left)
{
    GString *line = mk_value_unfold(value);
    guint first = out->len;

    if (value.length <= MK_LIMIT_HEADER_FIELD_BYTES && !is_nested(line->str)) {
        GString *masked = with_mask(line->str);
        InternetAddressList *list = internet_address_list_parse(mk_mail_options(), masked->str);

        if (list) {
            add_list(list, out, left);
            g_object_unref(list);
        }
        g_string_free(masked, TRUE);
    }
    add_missing(line->str, out, first, left);
    g_string_free(line, TRUE);
}

/* -- for lists and owners ----------------------------------------------------------------------------- */

char *mk_addresses_format(const GPtrArray *addresses)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < addresses->len && text->len <= MK_LIMIT_DISPLAY_BYTES; i++) {
        const MkAddress *a = addresses->pdata[i];

        if (i > 0)
            g_string_append(text, ", ");
        g_string_append(text, a->name);
        if (a->name[0] && a->address[0])
            g_string_append_printf(text, " <%s>", a->address);
        else
            g_string_append(text, a->address);
    }
    mk_utf8_cut(text, MK_LIMIT_DISPLAY_BYTES);
    return g_string_free(text, FALSE);
}

static bool is_around(char c)
{
    return c == '<' || c == '>' || g_ascii_isspace(c);
}

/* A domain reads the same in both its forms: `xn--mller-kva.example` is `müller.example`. */
static void fold_domain(GString *address)
{
    char *at = strrchr(address->str, '@');
    g_autofree char *domain = at && strstr(at, "xn--") ? g_hostname_to_unicode(at + 1) : NULL;

    if (!domain)
        return;
    g_string_truncate(address, (gsize) (at + 1 - address->str));
    g_string_append(address, domain);
}

char *mk_address_fold(const char *address)
{
    GString *clean = g_string_new(NULL), *folded = g_string_new(NULL);
    size_t end;
    const char *p;

    mk_utf8_append(clean, address, strlen(address));
    for (end = clean->len; end > 0 && is_around(clean->str[end - 1]);)
        end--;
    g_string_truncate(clean, end);
    for (p = clean->str; is_around(*p);)
        p++;
    for (; strchr(clean->str, '@') && *p; p = g_utf8_next_char(p))
        g_string_append_unichar(folded, g_unichar_tolower(g_utf8_get_char(p)));
    g_string_free(clean, TRUE);
    fold_domain(folded);
    return g_string_free(folded, FALSE);
}
