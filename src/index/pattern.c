#include "query.h"

/* Octets of the character that begins at @text. */
static size_t step(const char *text, const char *end)
{
    size_t length = 1;
    while (text + length < end && ((uint8_t) text[length] & 0xC0) == 0x80)
        length++;
    return length;
}

/*
 * After a mismatch only the newest * is asked to take one character more: an earlier one could
 * not do better. So the time is the product of both lengths at most.
 */
bool mk_pattern_match(const char *pattern, size_t pattern_length, const char *text, size_t length)
{
    const char *pattern_end = pattern + pattern_length, *end = text + length;
    const char *star = NULL, *star_text = NULL;

    while (text < end) {
        if (pattern < pattern_end && *pattern == '*') {
            star = ++pattern;
            star_text = text;
        } else if (pattern < pattern_end && *pattern == '?') {
            pattern++;
            text += step(text, end);
        } else if (pattern < pattern_end && *pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star;
            star_text += step(star_text, end);
            text = star_text;
        } else {
            return false;
        }
    }
    while (pattern < pattern_end && *pattern == '*')
        pattern++;
    return pattern == pattern_end;
}
