/* base32.c - secrets as letters and digits that are typed without doubt (RFC 4648 6) */
#include <string.h>

#include "internal.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

char *base32_format(const uint8_t *data, size_t length)
{
    GString *text = g_string_sized_new(length * 8 / 5 + 2);
    unsigned held = 0, bits = 0;

    for (size_t i = 0; i < length; i++) {
        held = (held << 8 | data[i]) & 0xfff;
        for (bits += 8; bits >= 5; bits -= 5)
            g_string_append_c(text, alphabet[held >> (bits - 5) & 31]);
    }
    if (bits > 0)
        g_string_append_c(text, alphabet[held << (5 - bits) & 31]);
    return g_string_free(text, FALSE); /* without "=": our lengths are known */
}

char *base32_random(size_t characters)
{
    size_t length = (characters * 5 + 7) / 8;
    g_autofree uint8_t *octets = g_malloc(length);
    char *text;

    mk_random(octets, length);
    text = base32_format(octets, length);
    mk_wipe(octets, length);
    mk_wipe(text + characters, strlen(text) - characters);
    return text;
}

char *base32_group(const char *text, size_t group)
{
    GString *grouped = g_string_sized_new(strlen(text) * 2);

    for (size_t i = 0; text[i] != '\0'; i++) {
        if (i > 0 && i % group == 0)
            g_string_append_c(grouped, '-');
        g_string_append_c(grouped, g_ascii_tolower(text[i]));
    }
    return g_string_free(grouped, FALSE);
}

/* What people make of it: capitals or not, blanks, dashes; 0, 1 and 8 are in no secret of ours. */
static char as_meant(char c)
{
    switch (c) {
    case '0': return 'O';
    case '1': return 'L';
    case '8': return 'B';
    default: return g_ascii_toupper(c);
    }
}

char *base32_read(const char *typed, size_t characters)
{
    char *text = g_malloc0(characters + 1);
    size_t at = 0;

    for (; *typed != '\0'; typed++) {
        char c = as_meant(*typed);

        if (c == '-' || c == ' ')
            continue;
        if (at == characters || strchr(alphabet, c) == NULL)
            break;
        text[at++] = c;
    }
    if (at == characters && *typed == '\0')
        return text;
    mk_free_secret(text);
    return NULL;
}
