#include <pthread.h>
#include <string.h>

#include <utf8proc.h>

#include "fold.h"

/* One pass is not always enough (U+0345 folds to a letter that composes); more than this is. */
#define FOLD_PASSES 4
#define STACK_CODE_POINTS 512
#define ZERO_WIDTH_SPACE "\xE2\x80\x8B"

bool mk_fold_is_mark(int32_t code_point)
{
    utf8proc_category_t category = utf8proc_category(code_point);
    return category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
}

bool mk_fold_is_word(int32_t code_point)
{
    utf8proc_category_t category = utf8proc_category(code_point);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}

typedef struct {
    int32_t first, last;
} Range;

static bool is_among(const Range *ranges, size_t count, int32_t code_point)
{
    for (size_t i = 0; i < count && ranges[i].first <= code_point; i++)
        if (code_point <= ranges[i].last)
            return true;
    return false;
}

bool mk_fold_is_cjk(int32_t code_point)
{
    static const Range ranges[] = {
        { 0x1100, 0x11FF },   /* Hangul letters */
        { 0x3005, 0x3007 },   /* Han: iteration and closing mark, zero */
        { 0x3021, 0x3029 },   /* Hangzhou numerals */
        { 0x3031, 0x3035 },   /* kana repeat marks */
        { 0x303B, 0x303C },   /* vertical iteration mark, masu */
        { 0x3041, 0x30FF },   /* Hiragana, Katakana */
        { 0x31F0, 0x31FF },   /* Katakana for Ainu */
        { 0x3400, 0x4DBF },   /* Han, extension A */
        { 0x4E00, 0x9FFF },   /* Han */
        { 0xA960, 0xA97F },   /* Hangul letters, extension A */
        { 0xAC00, 0xD7FF },   /* Hangul syllables, letters of extension B */
        { 0xF900, 0xFAFF },   /* Han that have no other form */
        { 0x1AFF0, 0x1B16F }, /* kana of old */
        { 0x20000, 0x323AF }, /* Han, further extensions */
    };
    return code_point >= ranges[0].first && is_among(ranges, G_N_ELEMENTS(ranges), code_point) &&
           mk_fold_is_word(code_point);
}

bool mk_fold_joins(int32_t code_point)
{
    static const Range ranges[] = {
        { 0x1160, 0x11FF }, /* vowels and finals of Hangul */
        { 0x3131, 0x318E }, /* the same for display */
        { 0xD7B0, 0xD7FB },
        { 0xFF9E, 0xFFDC }, /* voiced marks and Hangul of half width */
    };
    return mk_fold_is_mark(code_point) || is_among(ranges, G_N_ELEMENTS(ranges), code_point);
}

size_t mk_fold_cut(const char *text, size_t length, size_t max)
{
    if (length <= max)
        return length;
    while (max > 0 && ((uint8_t) text[max] & 0xC0) == 0x80)
        max--;
    return max;
}

/* Appends the normal form of @text; false when it is no UTF-8. */
static bool normalise(const char *text, size_t length, utf8proc_option_t options, GString *out)
{
    utf8proc_int32_t stack[STACK_CODE_POINTS];
    g_autofree utf8proc_int32_t *heap = NULL;
    utf8proc_int32_t *points = stack;
    const utf8proc_uint8_t *in = (const utf8proc_uint8_t *) text;

    utf8proc_ssize_t count =
        utf8proc_decompose(in, (utf8proc_ssize_t) length, points, STACK_CODE_POINTS, options);
    if (count < 0)
        return false;
    if (count >= STACK_CODE_POINTS) { /* one place is left for what reencode writes behind */
        points = heap = g_new(utf8proc_int32_t, (gsize) count + 1);
        count = utf8proc_decompose(in, (utf8proc_ssize_t) length, points, count, options);
        if (count < 0)
            return false;
    }
    count = utf8proc_reencode(points, count, options);
    if (count < 0)
        return false;
    g_string_append_len(out, (const char *) points, count);
    return true;
}

bool mk_fold_text(const char *text, size_t length, GString *out)
{
    const utf8proc_option_t options =
        UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
    g_autoptr(GString) from = g_string_new_len(text, (gssize) length);
    g_autoptr(GString) to = g_string_new(NULL);

    /* Folding would drop it like a joiner, but it stands between words. */
    if (memchr(text, 0xE2, length) != NULL)
        g_string_replace(from, ZERO_WIDTH_SPACE, " ", 0);
    for (unsigned pass = 0; pass < FOLD_PASSES; pass++) {
        g_string_truncate(to, 0);
        if (!normalise(from->str, from->len, options, to))
            return false;
        if (g_string_equal(from, to))
            break;
        GString *swap = from;
        from = to;
        to = swap;
    }
    g_string_append_len(out, from->str, (gssize) from->len);
    return true;
}

/* Letters with a stroke: a diacritic to the eye, but not one Unicode takes apart. */
static char without_stroke(uint32_t code_point)
{
    switch (code_point) {
    case 0x0111: return 'd';
    case 0x0127: return 'h';
    case 0x0131: return 'i';
    case 0x0142: return 'l';
    case 0x00F8: return 'o';
    case 0x0167: return 't';
    default: return '\0';
    }
}

bool mk_fold_plain(const char *token, size_t length, GString *out)
{
    const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_STRIPMARK;
    g_autoptr(GString) bare = g_string_sized_new(length + 8);

    g_string_truncate(out, 0);
    if (!normalise(token, length, options, bare))
        return false;
    for (const char *p = bare->str; p < bare->str + bare->len; p = g_utf8_next_char(p)) {
        char letter = without_stroke(g_utf8_get_char(p));
        if (letter != '\0')
            g_string_append_c(out, letter);
        else
            g_string_append_len(out, p, g_utf8_next_char(p) - p);
    }
    return out->len > 0 && (out->len != length || memcmp(out->str, token, length) != 0);
}

/* Simple when all it folds to are letters and digits; a separator when nothing of it is. */
static MkFoldKind kind_of(const GString *folded)
{
    unsigned words = 0, others = 0;
    for (const char *p = folded->str; *p != '\0'; p = g_utf8_next_char(p)) {
        int32_t code_point = (int32_t) g_utf8_get_char(p);
        if (mk_fold_is_mark(code_point) && p == folded->str)
            return FOLD_HARD;
        if (mk_fold_is_word(code_point))
            words++;
        else
            others++;
    }
    if (words > 0 && others == 0)
        return FOLD_SIMPLE;
    return words == 0 && others > 0 ? FOLD_SEPARATOR : FOLD_HARD;
}

static void fill_entry(MkFoldEntry *entry, uint32_t code_point)
{
    g_autoptr(GString) folded = g_string_new(NULL);
    g_autoptr(GString) plain = g_string_new(NULL);
    char text[6];
    int length = g_unichar_to_utf8(code_point, text);

    if (!mk_fold_text(text, (size_t) length, folded))
        return;
    entry->kind = (uint8_t) kind_of(folded);
    if (entry->kind != FOLD_SIMPLE)
        return;
    if (!mk_fold_plain(folded->str, folded->len, plain))
        g_string_assign(plain, folded->str);
    if (folded->len > sizeof entry->folded || plain->len > sizeof entry->plain) {
        entry->kind = FOLD_HARD;
        return;
    }
    entry->length = (uint8_t) folded->len;
    entry->plain_length = (uint8_t) plain->len;
    memcpy(entry->folded, folded->str, folded->len);
    memcpy(entry->plain, plain->str, plain->len);
}

static MkFoldEntry table[MK_FOLD_TABLE_SIZE];

static void fill_table(void)
{
    for (uint32_t c = 1; c < MK_FOLD_TABLE_SIZE; c++)
        fill_entry(&table[c], c);
    table[0].kind = FOLD_SEPARATOR;
}

const MkFoldEntry *mk_fold_table(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill_table);
    return table;
}
