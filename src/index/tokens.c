/*
 * tokens.c - text to tokens
 *
 * Most text is ASCII and Latin letters: those are folded one by one from a table while the token
 * is read. Where a character is met whose form depends on its neighbours, the whole stretch up to
 * the next ASCII separator goes through mk_fold_text() and is cut afterwards.
 */
#include <string.h>

#include <utf8proc.h>

#include <mailkeep/limits.h>

#include "fold.h"
#include "tokens.h"

/* A stretch folded at once; a longer one (no separator for pages) is folded in pieces. */
#define STRETCH_BYTES 4096
/* Marks behind each other that are folded at once: to order them takes the square of their number. */
#define STRETCH_MARKS 64
/* Characters whose folded form is remembered while places are wanted. */
#define CACHE_SLOTS 256

typedef struct {
    char text[MK_LIMIT_TOKEN_BYTES];
    size_t length;
    bool full; /* a character did not fit: nothing behind it comes in any more */
} Word;

/* A character that is written without blanks, with its marks. */
typedef struct {
    char text[MK_LIMIT_TOKEN_BYTES];
    size_t length; /* 0 = none */
    bool marked;   /* it has, or may have, a form without marks */
    uint32_t start, end;
} Character;

/* Where the folded form of some characters begins, and where they themselves do. */
typedef struct {
    uint32_t folded, original;
} Place;

typedef struct {
    int32_t code_point;
    uint8_t length;
    char folded[11];
} Cached;

typedef struct {
    const MkFoldEntry *table;
    MkTokenFunc on_token;
    MkPlacedFunc on_placed; /* instead of on_token */
    void *cookie;
    const MkTokenFilter *filter;
    bool stopped;
    uint32_t position;
    Word token;
    Word plain;
    Character before, current; /* of a run: the last one's pair comes when it is complete */
    GString *folded;           /* buffers of the slow way */
    GString *bare;
    GArray *places; /* Place: of the folded stretch; NULL when nobody wants to know */
    guint place_at; /* how far it has been read */
    Cached *cache;
} Cutter;

static inline void word_add(Word *word, const char *text, size_t length)
{
    if (word->length + length > sizeof word->text)
        word->full = true;
    if (word->full)
        return;
    if (length == 1) { /* mostly: no call for an octet */
        word->text[word->length++] = *text;
        return;
    }
    memcpy(word->text + word->length, text, length);
    word->length += length;
}

static inline void word_clear(Word *word)
{
    word->length = 0;
    word->full = false;
}

/* Takes the next position. */
static void give(Cutter *cutter, MkToken *token)
{
    token->position = cutter->position++;
    if (cutter->on_placed == NULL)
        cutter->on_token(token->text, token->length, token->plain, token->plain_length,
                         token->position, cutter->cookie);
    else if (!cutter->stopped && !cutter->on_placed(token, cutter->cookie))
        cutter->stopped = true;
}

/* -- the slow way ----------------------------------------------------------------------------- */
static void give_folded(Cutter *cutter, const char *text, size_t length, bool marked,
                        MkToken *token)
{
    token->text = text;
    token->length = mk_fold_cut(text, length, MK_LIMIT_TOKEN_BYTES);
    if (marked && mk_fold_plain(text, token->length, cutter->bare)) {
        token->plain = cutter->bare->str;
        token->plain_length =
            mk_fold_cut(cutter->bare->str, cutter->bare->len, MK_LIMIT_TOKEN_BYTES);
    }
    give(cutter, token);
}

static void give_pair(Cutter *cutter)
{
    const Character *before = &cutter->before, *current = &cutter->current;
    char text[2 * MK_LIMIT_TOKEN_BYTES];
    MkToken token = { .start = before->start, .middle = before->end, .end = current->end };
    memcpy(text, before->text, before->length);
    memcpy(text + before->length, current->text, current->length);
    give_folded(cutter, text, before->length + current->length, before->marked || current->marked,
                &token);
}

/* Gives what is left of a run of characters without blanks. */
static void end_run(Cutter *cutter)
{
    Character *current = &cutter->current;
    if (current->length == 0)
        return;
    if (cutter->before.length > 0)
        give_pair(cutter);
    MkToken token = { .start = current->start, .middle = current->end, .end = current->end };
    give_folded(cutter, current->text, current->length, current->marked, &token);
    cutter->before.length = current->length = 0;
}

/* The place in the text of the character at @folded; of one that is not asked for twice. */
static uint32_t start_of(Cutter *cutter, uint32_t folded)
{
    if (cutter->places == NULL)
        return 0;
    const Place *places = &g_array_index(cutter->places, Place, 0);
    while (cutter->place_at + 1 < cutter->places->len &&
           places[cutter->place_at + 1].folded <= folded)
        cutter->place_at++;
    return places[cutter->place_at].original;
}

/* The place behind what was folded to the octets before @folded. */
static uint32_t end_of(Cutter *cutter, uint32_t folded)
{
    if (cutter->places == NULL)
        return 0;
    const Place *places = &g_array_index(cutter->places, Place, 0);
    guint at = cutter->place_at;
    while (at + 1 < cutter->places->len && places[at].folded < folded)
        at++;
    return places[at].original;
}

static void add_character(Cutter *cutter, int32_t code_point, const char *text, size_t length,
                          uint32_t folded)
{
    if (cutter->current.length > 0) {
        if (cutter->before.length > 0)
            give_pair(cutter);
        cutter->before = cutter->current;
    }
    memcpy(cutter->current.text, text, length);
    cutter->current.length = length;
    cutter->current.marked = utf8proc_get_property(code_point)->decomp_seqindex != UINT16_MAX;
    cutter->current.start = start_of(cutter, folded);
    cutter->current.end = end_of(cutter, folded + (uint32_t) length);
}

/* Marks that do not fit are left out, as they are in tokens. */
static void add_mark(Cutter *cutter, const char *text, size_t length, uint32_t folded)
{
    Character *current = &cutter->current;
    current->marked = true;
    current->end = end_of(cutter, folded + (uint32_t) length);
    if (current->length + length > sizeof current->text)
        return;
    memcpy(current->text + current->length, text, length);
    current->length += length;
}

static void end_token(Cutter *cutter, const char *start, const char *end)
{
    if (start == NULL)
        return;
    uint32_t at = (uint32_t) (start - cutter->folded->str);
    size_t length = (size_t) (end - start);
    MkToken token = { .start = start_of(cutter, at) };
    token.end = token.middle = end_of(cutter, at + (uint32_t) length);
    give_folded(cutter, start, length, true, &token);
}

/* Cuts folded text into tokens. A run that reaches its end may go on in the next stretch. */
static void cut_folded(Cutter *cutter)
{
    const GString *folded = cutter->folded;
    const char *start = NULL, *next;
    cutter->place_at = 0;
    for (const char *p = folded->str; p < folded->str + folded->len; p = next) {
        int32_t code_point = (int32_t) g_utf8_get_char(p);
        uint32_t at = (uint32_t) (p - folded->str);
        next = g_utf8_next_char(p);
        if (mk_fold_is_mark(code_point)) {
            if (start == NULL && cutter->current.length > 0)
                add_mark(cutter, p, (size_t) (next - p), at);
            continue; /* goes with its letter; without one it separates nothing but itself */
        }
        bool cjk = mk_fold_is_cjk(code_point), word = !cjk && mk_fold_is_word(code_point);
        if (!word) {
            end_token(cutter, start, p);
            start = NULL;
        }
        if (cjk) {
            add_character(cutter, code_point, p, (size_t) (next - p), at);
        } else {
            end_run(cutter);
            if (word && start == NULL)
                start = p;
        }
    }
    end_token(cutter, start, folded->str + folded->len);
}

/* -- places --------------------------------------------------------------------------------- */
/* What a character alone folds to. */
static const Cached *cached(Cutter *cutter, int32_t code_point, const char *text, size_t length)
{
    Cached *slot = &cutter->cache[(uint32_t) code_point % CACHE_SLOTS];
    if (slot->code_point == code_point)
        return slot;
    g_autoptr(GString) folded = g_string_new(NULL);
    if (!mk_fold_text(text, length, folded) || folded->len > sizeof slot->folded)
        return NULL;
    slot->code_point = code_point;
    slot->length = (uint8_t) folded->len;
    memcpy(slot->folded, folded->str, folded->len);
    return slot;
}

/* Octets of the character at @text and of those that may become one with it. */
static size_t joined_length(const char *text, size_t length, int32_t *out_code_point,
                            bool *out_alone)
{
    size_t end = 0;
    for (*out_alone = true;;) {
        utf8proc_int32_t code_point;
        utf8proc_ssize_t step = utf8proc_iterate((const utf8proc_uint8_t *) text + end,
                                                 (utf8proc_ssize_t) (length - end), &code_point);
        if (end > 0 && (step <= 0 || !mk_fold_joins(code_point)))
            return end;
        *out_alone = end == 0;
        *out_code_point = end == 0 ? code_point : *out_code_point;
        end += (size_t) MAX(step, 1);
    }
}

/* As mk_fold_text(), character by character, noting where each is from. */
static void fold_placed(Cutter *cutter, const char *text, size_t length, uint32_t offset)
{
    g_array_set_size(cutter->places, 0);
    for (size_t at = 0, step; at < length; at += step) {
        Place place = { (uint32_t) cutter->folded->len, offset + (uint32_t) at };
        int32_t code_point = 0;
        bool alone;
        step = joined_length(text + at, length - at, &code_point, &alone);
        const Cached *known = alone ? cached(cutter, code_point, text + at, step) : NULL;
        g_array_append_val(cutter->places, place);
        if (known != NULL)
            g_string_append_len(cutter->folded, known->folded, known->length);
        else
            mk_fold_text(text + at, step, cutter->folded);
    }
    Place end = { (uint32_t) cutter->folded->len, offset + (uint32_t) length };
    g_array_append_val(cutter->places, end);
}

/* -- stretches ------------------------------------------------------------------------------- */
/*
 * Up to the next ASCII separator or ill-formed octet, or to STRETCH_BYTES and a place where
 * text may be cut; *out_more when the stretch goes on behind it.
 */
static size_t stretch_length(const char *text, size_t length, bool *out_more)
{
    size_t end = 0;
    unsigned joined = 0;
    *out_more = false;
    while (end < length) {
        utf8proc_int32_t code_point;
        utf8proc_ssize_t step = utf8proc_iterate((const utf8proc_uint8_t *) text + end,
                                                 (utf8proc_ssize_t) (length - end), &code_point);
        if (step <= 0 || (step == 1 && !g_ascii_isalnum(text[end])))
            return end;
        joined = mk_fold_joins(code_point) ? joined + 1 : 0;
        *out_more = joined > STRETCH_MARKS || (joined == 0 && end >= STRETCH_BYTES);
        if (*out_more)
            return end;
        end += (size_t) step;
    }
    return end;
}

/* Most texts need none of this. */
static void make_buffers(Cutter *cutter)
{
    if (cutter->folded != NULL)
        return;
    cutter->folded = g_string_new(NULL);
    cutter->bare = g_string_new(NULL);
    if (cutter->on_placed == NULL)
        return;
    cutter->places = g_array_new(FALSE, FALSE, sizeof(Place));
    cutter->cache = g_new0(Cached, CACHE_SLOTS);
}

static void free_buffers(Cutter *cutter)
{
    if (cutter->folded == NULL)
        return;
    g_string_free(cutter->folded, TRUE);
    g_string_free(cutter->bare, TRUE);
    g_clear_pointer(&cutter->places, g_array_unref);
    g_free(cutter->cache);
}

/* The slow way: from @at, the start of a token, to the end of the stretch, which it returns. */
static size_t cut_stretch(Cutter *cutter, const char *text, size_t length, size_t at)
{
    size_t start = at;
    make_buffers(cutter);
    for (bool more = true; more && !cutter->stopped;) {
        size_t step = stretch_length(text + at, length - at, &more);
        g_string_truncate(cutter->folded, 0);
        if (cutter->places != NULL)
            fold_placed(cutter, text + at, step, (uint32_t) at);
        else
            mk_fold_text(text + at, step, cutter->folded);
        cut_folded(cutter);
        at += step;
    }
    end_run(cutter);
    return at > start ? at : at + 1; /* an ill-formed octet only separates */
}

/* -- the fast way ------------------------------------------------------------------------------ */
static inline bool is_wanted(const Cutter *cutter, const Word *token, const Word *plain)
{
    return cutter->filter == NULL || cutter->filter->first[(uint8_t) token->text[0]] ||
           cutter->filter->first[(uint8_t) plain->text[0]];
}

static void emit(Cutter *cutter, size_t start, size_t end)
{
    const Word *token = &cutter->token, *plain = &cutter->plain;
    if (token->length > 0 && !is_wanted(cutter, token, plain)) {
        cutter->position++;
    } else if (token->length > 0) {
        MkToken given = { .text = token->text,
                          .length = token->length,
                          .start = (uint32_t) start,
                          .middle = (uint32_t) end,
                          .end = (uint32_t) end };
        if (token->length != plain->length ||
            memcmp(token->text, plain->text, token->length) != 0) {
            given.plain = plain->text;
            given.plain_length = plain->length;
        }
        give(cutter, &given);
    }
    word_clear(&cutter->token);
    word_clear(&cutter->plain);
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

/* May the token be wanted that begins with these letters, the second of which may be none? */
static inline bool may_be_wanted(const Cutter *cutter, const MkFoldEntry *first, uint8_t second)
{
    const MkTokenFilter *filter = cutter->filter;
    if (!filter->first[(uint8_t) first->folded[0]])
        return false;
    if (second >= 0x80) /* a letter or a mark that only folding tells */
        return true;
    return g_ascii_isalnum(second) ? filter->second[(uint8_t) g_ascii_tolower((char) second)]
                                   : filter->single;
}

/* Behind the tokens from @at on that are ASCII and begin with letters nobody wants. */
static size_t skip_unwanted(Cutter *cutter, const uint8_t *data, size_t length, size_t at)
{
    while (at < length && data[at] < 0x80) {
        const MkFoldEntry *entry = &cutter->table[data[at]];
        size_t end = at + 1;
        if (entry->kind == FOLD_SIMPLE) {
            if (may_be_wanted(cutter, entry, end < length ? data[end] : ' '))
                return at;
            while (end < length && g_ascii_isalnum(data[end]))
                end++;
            if (end < length && data[end] >= 0x80) /* may be a mark of its last letter */
                return at;
            cutter->position++;
        }
        at = end;
    }
    return at;
}

static void cut_text(Cutter *cutter, const char *text, size_t length)
{
    const uint8_t *data = (const uint8_t *) text;
    size_t at = 0, start = 0; /* start: of the token being read */

    while (at < length && !cutter->stopped) {
        const MkFoldEntry *entry = NULL;
        if (cutter->filter != NULL && at == start) {
            at = start = skip_unwanted(cutter, data, length, at);
            if (at >= length)
                return;
        }
        size_t step = table_entry(cutter, data + at, length - at, &entry);
        if (step > 0 && entry->kind == FOLD_SIMPLE) {
            word_add(&cutter->token, entry->folded, entry->length);
            if (!cutter->token.full)
                word_add(&cutter->plain, entry->plain, entry->plain_length);
            at += step;
        } else if (step > 0 || is_general_punctuation(data + at, length - at)) {
            emit(cutter, start, at);
            at += step > 0 ? step : 3;
            start = at;
        } else {
            word_clear(&cutter->token);
            word_clear(&cutter->plain);
            at = start = cut_stretch(cutter, text, length, start);
        }
    }
    emit(cutter, start, at);
}

/* -- outside -------------------------------------------------------------------------------- */
static void cutter_run(Cutter *cutter, const char *text, size_t length)
{
    cutter->table = mk_fold_table();
    cut_text(cutter, text, length);
    free_buffers(cutter);
}

void mk_tokens_each(const char *text, size_t length, MkTokenFunc on_token, void *cookie)
{
    Cutter cutter = { .on_token = on_token, .cookie = cookie };
    cutter_run(&cutter, text, length);
}

void mk_tokens_place(const char *text, size_t length, const MkTokenFilter *filter,
                     MkPlacedFunc on_token, void *cookie)
{
    Cutter cutter = { .on_placed = on_token, .cookie = cookie, .filter = filter };
    cutter_run(&cutter, text, MIN(length, UINT32_MAX));
}
