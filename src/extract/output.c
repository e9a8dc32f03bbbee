/*
 * output.c - text out: whatever a reader gives becomes valid UTF-8 within the limit
 */
#include <string.h>

#include "internal.h"

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* The longest part of @text that fits and does not end within a character. */
static size_t fit(const Extraction *x, const char *text, size_t length)
{
    if (length <= x->text_left)
        return length;
    length = x->text_left;
    while (length > 0 && ((unsigned char) text[length] & 0xc0) == 0x80)
        length--;
    return length;
}

static bool is_control(char c)
{
    return (unsigned char) c < 0x20 && c != '\n' && c != '\t';
}

/* @text is valid UTF-8. */
static bool put(Extraction *x, const char *text, size_t length)
{
    size_t fitting = fit(x, text, length), start = 0;

    for (size_t i = 0; i < fitting; i++) {
        x->has_text = x->has_text || (unsigned char) text[i] > 0x20;
        if (!is_control(text[i]))
            continue;
        x->on_text(x->cookie, text + start, i - start);
        x->on_text(x->cookie, text[i] == '\r' || text[i] == '\f' ? "\n" : " ", 1);
        start = i + 1;
    }
    x->on_text(x->cookie, text + start, fitting - start);
    x->text_left -= fitting;
    if (fitting == length)
        return true;
    extract_note(x, MK_WHY_TEXT);
    x->text_left = 0;
    return false;
}

/* Could these octets be the beginning of a character? */
static bool is_beginning(const char *octets, size_t length)
{
    return g_utf8_get_char_validated(octets, (gssize) length) == (gunichar) -2;
}

/* Puts what is valid, replaces what is not; what may be completed is kept for later. */
static bool put_any(Extraction *x, const char *text, size_t length)
{
    while (length > 0) {
        const char *end;
        bool valid = g_utf8_validate_len(text, length, &end);

        if (end > text && !put(x, text, (size_t) (end - text)))
            return false;
        length -= (size_t) (end - text);
        text = end;
        if (valid)
            break;
        if (length < 4 && is_beginning(text, length)) {
            memcpy(x->rest, text, length);
            x->rest_length = (unsigned) length;
            break;
        }
        if (!(*text == '\0' ? put(x, " ", 1) : put(x, replacement, 3)))
            return false;
        text++;
        length--;
    }
    return true;
}

bool out_utf8(Extraction *x, const char *text, size_t length)
{
    if (extract_is_over(x)) {
        if (length > 0)
            extract_note(x, MK_WHY_TEXT);
        return false;
    }
    while (x->rest_length > 0 && length > 0) {
        char joined[5];
        unsigned count = x->rest_length;

        memcpy(joined, x->rest, count);
        joined[count++] = *text;
        x->rest_length = 0;
        if (((unsigned char) *text & 0xc0) != 0x80) {
            if (!put(x, replacement, 3))
                return false;
            break;
        }
        text++;
        length--;
        if (!put_any(x, joined, count))
            return false;
    }
    return put_any(x, text, length);
}

bool out_line(Extraction *x, const char *text)
{
    return out_utf8(x, text, strlen(text)) && out_utf8(x, "\n", 1);
}

bool out_end(Extraction *x)
{
    if (x->rest_length == 0)
        return true;
    x->rest_length = 0;
    return !extract_is_over(x) && put(x, replacement, 3);
}
