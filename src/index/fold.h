/*
 * fold.h - how the index sees characters
 *
 * Purpose    NFKC with full case folding, the form without diacritics, and what is a word
 *            character. Mails and queries go through the same functions, so that they meet.
 * Threads    Any; pure.
 */
#ifndef MK_INDEX_FOLD_H
#define MK_INDEX_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

/* Letter, mark or digit. */
bool mk_fold_is_word(int32_t code_point);
/* A mark cannot begin a word: what it belongs to is missing. */
bool mk_fold_is_mark(int32_t code_point);

/* Han, Hiragana, Katakana, Hangul: written without blanks between words. Of folded text. */
bool mk_fold_is_cjk(int32_t code_point);
/* May it become one character with the one before it? Text is not to be cut in front of it. */
bool mk_fold_joins(int32_t code_point);

/*
 * mk_fold_text() - NFKC and full case folding, as often as it changes anything
 * @out  appended to
 * Invisible characters (soft hyphen, joiners) vanish, the zero width space becomes a space.
 * False when @text is no UTF-8; @out is then as it was.
 */
bool mk_fold_text(const char *text, size_t length, GString *out);

/* The folded @token without diacritics in @out (cleared first); false when that is the same. */
bool mk_fold_plain(const char *token, size_t length, GString *out);

/* Length of the longest start of @text with at most @max octets that does not cut a character. */
size_t mk_fold_cut(const char *text, size_t length, size_t max);

/*
 * Characters whose folded forms can be looked up one by one, because nothing composes with them:
 * Latin letters below U+0250. FOLD_HARD ones need mk_fold_text() with their neighbours.
 */
typedef enum { FOLD_HARD, FOLD_SEPARATOR, FOLD_SIMPLE } MkFoldKind;
typedef struct {
    uint8_t kind; /* MkFoldKind */
    uint8_t length;
    uint8_t plain_length;
    char folded[7];
    char plain[6];
} MkFoldEntry;
#define MK_FOLD_TABLE_SIZE 0x250
/* MK_FOLD_TABLE_SIZE entries by code point. */
const MkFoldEntry *mk_fold_table(void);

#endif
