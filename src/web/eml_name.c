/*
 * eml_name.c - a file name for a mail: "2026-01-02 Angebot 4711.eml"
 *
 * Good on every system: no sign that Windows, macOS or a shell takes for something else, none that
 * hides or turns round what stands behind it, no dot or blank at the end, no name of a device
 * (the date stands before it), and none that differs from another only in case.
 */
#include <string.h>

#include <mailkeep/limits.h>

#include "internal.h"

static bool is_bad(gunichar c)
{
    GUnicodeType type = g_unichar_type(c);

    return type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT || type == G_UNICODE_SURROGATE ||
           type == G_UNICODE_PRIVATE_USE || type == G_UNICODE_UNASSIGNED ||
           type == G_UNICODE_LINE_SEPARATOR || type == G_UNICODE_PARAGRAPH_SEPARATOR ||
           c == 0xfffd || (c < 0x80 && strchr("<>:\"/\\|?*", (int) c) != NULL);
}

/* Blanks come together, bad signs become one "_" each. */
static void append_clean(GString *out, const char *text, size_t max)
{
    for (; *text != '\0'; text = g_utf8_next_char(text)) {
        gunichar c = g_utf8_get_char(text);

        if (g_unichar_isspace(c) || (c < 0x80 && g_ascii_iscntrl((char) c)))
            c = ' ';
        else if (is_bad(c))
            c = '_';
        if (c == ' ' && out->str[out->len - 1] == ' ')
            continue;
        if (out->len + 4 > max) /* the longest character in UTF-8 */
            break;
        g_string_append_unichar(out, c);
    }
    while (out->len > 0 && strchr(" .", out->str[out->len - 1]) != NULL)
        g_string_truncate(out, out->len - 1);
}

static char *date_of(const MkFoundMail *mail)
{
    g_autoptr(GDateTime) date =
        mail->date_unix_ms != 0 ? g_date_time_new_from_unix_utc(mail->date_unix_ms / 1000) : NULL;

    return date != NULL ? g_date_time_format(date, "%Y-%m-%d") : g_strdup("undated");
}

static char *base_name(const MkFoundMail *mail)
{
    g_autofree char *date = date_of(mail);
    g_autofree char *valid = g_utf8_make_valid(mail->subject, -1);
    g_autofree char *subject = g_utf8_normalize(valid, -1, G_NORMALIZE_DEFAULT_COMPOSE);
    GString *name = g_string_new(date);

    g_string_append_c(name, ' ');
    append_clean(name, subject, MK_LIMIT_ZIP_NAME_BYTES);
    return g_string_free(name, FALSE);
}

char *web_eml_name(const MkFoundMail *mail, GHashTable *taken)
{
    g_autofree char *base = base_name(mail);
    char *name = g_strconcat(base, ".eml", NULL);
    char *folded = g_utf8_casefold(name, -1);

    for (unsigned n = 2; !g_hash_table_add(taken, folded); n++) { /* takes it in any case */
        g_free(name);
        name = g_strdup_printf("%s (%u).eml", base, n);
        folded = g_utf8_casefold(name, -1);
    }
    return name;
}
