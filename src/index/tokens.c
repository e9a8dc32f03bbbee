/*
 * tokens.c - text to tokens
 *
 * Most text is ASCII and Latin letters: those are folded one by one from a table while the token
 * is read. Where a character is met whose form depends on its neighbours, the whole stretch up to
 * the next ASCII separator goes through mk_fold_text() and is cut afterwards.
 */
#include <mailkeep/index.h>

#include <string.h>

#include <utf8proc.h>

#include <mailkeep/limits.h>

#include "fold.h"

/* A stretch folded at once. Longer ones (no separator for pages) are cut between characters. */
#define STRETCH_BYTES 4096

typedef struct {
    char text[MK_LIMIT_TOKEN_BYTES];
    size_t length;
    bool full; /* a character did not fit: nothing behind it comes in any more */
} Word;

typedef struct {
    const MkFoldEntry *table;
    MkTokenFunc on_token;
    void *cookie;
    uint32_t position;
    Word token;
    Word plain;
    GString *folded; /* buffers of the slow way */
    GString *bare;
} Cutter;

static inline void word_add(Word *word, const char *text, size_t length)
{
    if (word->length + length > sizeof word->text)
        word->full = true;
    if (word->full)
        return;
    memcpy(word->text + word->length, text, length);
    word->length += length;
}

static inline void word_clear(Word *word)
{
    word->length = 0;
    word->full = false;
}

static void emit(Cutter *cutter)
{
    const Word *token = &cutter->token, *plain = &cutter->plain;
    if (token->length > 0) {
        bool same =
            token->length == plain->length && memcmp(token->text, plain->text, token->length) == 0;
        cutter->on_token(token->text, token->length, same ? NULL : plain->text,
                         same ? 0 : plain->length, cutter->position++, cutter->cookie);
    }
    word_clear(&cutter->token);
    word_clear(&cutter->plain);
}

static void emit_folded(Cutter *cutter, const char *token, size_t length)
{
    length = mk_fold_cut(token, length, MK_LIMIT_TOKEN_BYTES);
    bool differs = mk_fold_plain(token, length, cutter->bare);
    cutter->on_token(
        token, length, differs ? cutter->bare->str : NULL,
        differs ? mk_fold_cut(cutter->bare->str, cutter->bare->len, MK_LIMIT_TOKEN_BYTES) : 0,
        cutter->position++, cutter->cookie);
}

/* Cuts folded text into tokens. */
static void cut_folded(Cutter *cutter, const GString *folded)
{
    const char *start = NULL;
    for (const char *p = folded->str; p < folded->str + folded->len; p = g_utf8_next_char(p)) {
        int32_t code_point = (int32_t) g_utf8_get_char(p);
        bool word = start == NULL ? mk_fold_is_word(code_point) && !mk_fold_is_mark(code_point)
                                  : mk_fold_is_word(code_point);
        if (word && start == NULL)
            start = p;
        if (!word && start != NULL) {
            emit_folded(cutter, start, (size_t) (p - start));
            start = NULL;
        }
    }
    if (start != NULL)
        emit_folded(cutter, start, (size_t) (folded->str + folded->len - start));
}

/* The slow way: from the start of a token to the next ASCII separator or ill-formed octet. */
static size_t cut_stretch(Cutter *cutter, const char *text, size_t length)
{
    size_t end = 0;
    while (end < length && end < STRETCH_BYTES) {
        utf8proc_int32_t code_point;
        utf8proc_ssize_t step = utf8proc_iterate((const utf8proc_uint8_t *) text + end,
                                                 (utf8proc_ssize_t) (length - end), &code_point);
        if (step <= 0 || (step == 1 && !g_ascii_isalnum(text[end])))
            break;
        end += (size_t) step;
    }
    g_string_truncate(cutter->folded, 0);
    if (mk_fold_text(text, end, cutter->folded))
        cut_folded(cutter, cutter->folded);
    return end > 0 ? end : 1; /* an ill-formed octet only separates */
}

/* U+2000..U+200A, U+2010..U+202E without the zero width ones: dashes, quotes, dots, spaces. */
static inline bool is_general_punctuation(const uint8_t *p, size_t left)
{
    return left >= 3 && p[0] == 0xE2 && p[1] == 0x80 &&
           ((p[2] >= 0x80 && p[2] <= 0x8A) || (p[2] >= 0x90 && p[2] <= 0xA9));
}

/* Octets used when @p is a character of the table, with its entry; 0 when it is not. */
static inline size_t table_entry(const Cutter *cutter, const uint8_t *p, size_t left,
                                 const MkFoldEntry **out_entry)
{
    if (*p < 0x80) {
        *out_entry = &cutter->table[*p];
        return 1;
    }
    if (left < 2 || *p < 0xC2 || *p > 0xC9 || (p[1] & 0xC0) != 0x80)
        return 0;
    unsigned code_point = (unsigned) (*p & 0x1F) << 6 | (p[1] & 0x3F);
    if (code_point >= MK_FOLD_TABLE_SIZE)
        return 0;
    *out_entry = &cutter->table[code_point];
    return (*out_entry)->kind == FOLD_HARD ? 0 : 2;
}

static void cut_text(Cutter *cutter, const char *text, size_t length)
{
    const uint8_t *data = (const uint8_t *) text;
    size_t at = 0, start = 0; /* start: of the token being read */

    while (at < length) {
        const MkFoldEntry *entry = NULL;
        size_t step = table_entry(cutter, data + at, length - at, &entry);
        if (step > 0 && entry->kind == FOLD_SIMPLE) {
            word_add(&cutter->token, entry->folded, entry->length);
            if (!cutter->token.full)
                word_add(&cutter->plain, entry->plain, entry->plain_length);
            at += step;
        } else if (step > 0 || is_general_punctuation(data + at, length - at)) {
            emit(cutter);
            at += step > 0 ? step : 3;
            start = at;
        } else {
            word_clear(&cutter->token);
            word_clear(&cutter->plain);
            at = start + cut_stretch(cutter, text + start, length - start);
            start = at;
        }
    }
    emit(cutter);
}

void mk_tokens_each(const char *text, size_t length, MkTokenFunc on_token, void *cookie)
{
    g_autoptr(GString) folded = g_string_new(NULL);
    g_autoptr(GString) bare = g_string_new(NULL);
    Cutter cutter = { .table = mk_fold_table(),
                      .on_token = on_token,
                      .cookie = cookie,
                      .folded = folded,
                      .bare = bare };
    cut_text(&cutter, text, length);
}
