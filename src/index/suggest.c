/*
 * suggest.c - words that begin with what has been typed
 *
 * The dictionaries of all segments are read side by side from the prefix on, so each word is met
 * once with the number of its mails; the most frequent ones are then looked for in the folders
 * given, until there are enough. Counts are of postings: deleted mails are in them, and a mail
 * counts for each field.
 */
#include "filter.h"

/* Words looked at, in all segments together. */
#define MAX_WORDS 20000
/* Words whose mails are looked at: for each one that is wanted, and at least. */
#define TRIES 8
#define LEAST_TRIES 100
/* Mails of a word looked at: one that many others have hidden from this user may be missed. */
#define MAX_DOCS 100000

typedef struct {
    char *text;
    size_t length;
    uint64_t mails;
} Candidate;

typedef struct {
    const MkSuggest *suggest;
    unsigned fields;
    GString *prefix; /* folded */
    MkWatch watch;
    MkView *view;
    MkFolderScope scope;
    GArray *candidates; /* Candidate */
} Run;

static void candidate_clear(gpointer data)
{
    g_free(((Candidate *) data)->text);
}

static void run_clear(Run *run)
{
    g_clear_pointer(&run->candidates, g_array_unref);
    mk_folder_scope_clear(&run->scope);
    mk_view_unref(run->view);
    g_string_free(run->prefix, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

/* -- words --------------------------------------------------------------------------------- */
typedef struct {
    MkStrings *terms; /* of each segment */
    bool *more;
    guint count;
} Dictionaries;

static void dictionaries_clear(Dictionaries *all)
{
    for (guint i = 0; i < all->count; i++)
        mk_strings_clear(&all->terms[i]);
    g_free(all->terms);
    g_free(all->more);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Dictionaries, dictionaries_clear)

static bool has_prefix(const Run *run, const MkStrings *terms)
{
    return terms->length >= run->prefix->len &&
           memcmp(terms->text, run->prefix->str, run->prefix->len) == 0;
}

static bool begin(Run *run, Dictionaries *all, GError **error)
{
    all->count = run->view->manifest.segments->len;
    all->terms = g_new0(MkStrings, all->count + 1);
    all->more = g_new0(bool, all->count + 1);
    for (guint i = 0; i < all->count; i++) {
        MkStrings *terms = &all->terms[i];
        mk_strings_init(terms, &run->watch, run->view->segments[i].segment, STREAM_TERMS);
        if (!mk_strings_seek(terms, run->prefix->str, run->prefix->len, &all->more[i], error))
            return false;
        all->more[i] = all->more[i] && has_prefix(run, terms);
    }
    return true;
}

static const MkStrings *smallest(const Dictionaries *all)
{
    const MkStrings *least = NULL;
    for (guint i = 0; i < all->count; i++)
        if (all->more[i] &&
            (least == NULL || mk_strings_compare(all->terms[i].text, all->terms[i].length,
                                                 least->text, least->length) < 0))
            least = &all->terms[i];
    return least;
}

static uint64_t mails_of(const Run *run, const MkStrings *terms)
{
    uint64_t mails = 0;
    for (unsigned i = 0; i < terms->ref_count; i++)
        if (run->fields >> terms->refs[i].field & 1)
            mails += terms->refs[i].doc_count;
    return mails;
}

/* Adds up @word in the dictionaries that stand on it, and moves them on. */
static bool take_word(Run *run, Dictionaries *all, const char *word, size_t length, GError **error)
{
    Candidate candidate = { .length = length };
    for (guint i = 0; i < all->count; i++) {
        MkStrings *terms = &all->terms[i];
        if (!all->more[i] || mk_strings_compare(terms->text, terms->length, word, length) != 0)
            continue;
        candidate.mails += mails_of(run, terms);
        if (!mk_strings_next(terms, &all->more[i], error))
            return false;
        all->more[i] = all->more[i] && has_prefix(run, terms);
    }
    if (candidate.mails > 0) {
        g_array_append_val(run->candidates, candidate);
        g_array_index(run->candidates, Candidate, run->candidates->len - 1).text =
            g_strndup(word, length);
    }
    return true;
}

static int compare_candidates(const void *a, const void *b)
{
    const Candidate *x = a, *y = b;
    if (x->mails != y->mails)
        return x->mails > y->mails ? -1 : 1;
    return strcmp(x->text, y->text);
}

static bool collect_words(Run *run, GError **error)
{
    g_auto(Dictionaries) all = { 0 };
    if (!begin(run, &all, error))
        return false;
    for (guint words = 0; words < MAX_WORDS; words++) {
        const MkStrings *least = smallest(&all);
        char word[MK_INDEX_STRING_BYTES];
        if (least == NULL)
            break;
        size_t length = least->length;
        memcpy(word, least->text, length);
        if (!take_word(run, &all, word, length, error))
            return false;
    }
    g_array_sort(run->candidates, compare_candidates);
    return true;
}

/* -- is it in a mail that may be seen? ---------------------------------------------------------- */
/* Looks at the mails of one posting, up to *left of them. */
static bool any_in_scope(Run *run, const MkSegmentState *state, const MkTermRef *ref,
                         uint32_t *left, bool *out_found, GError **error)
{
    g_auto(MkOctets) octets = { 0 };
    g_auto(MkFolderColumn) folders = { 0 };
    g_autoptr(GByteArray) docs = g_byte_array_new();
    MkDocGroups groups;

    mk_octets_init(&octets, &run->watch, state->segment, STREAM_DOCS);
    mk_folder_column_init(&folders, &run->watch, state->segment);
    if (!mk_octets_read(&octets, ref->docs_offset, ref->docs_length, docs, error))
        return false;
    mk_doc_groups_init(&groups, docs, ref->doc_count, state->segment->info.doc_count);
    while (!*out_found && *left > 0 && mk_doc_groups_next(&groups, NULL)) {
        for (unsigned i = 0; i < groups.count && !*out_found && *left > 0; i++) {
            uint32_t set, folder;
            const uint32_t *ids;
            size_t count;
            (*left)--;
            if (state->deleted != NULL && mk_doc_set_has(state->deleted, groups.docs[i]))
                continue;
            if (!mk_folder_column_get(&folders, groups.docs[i], &set, error) ||
                !mk_folder_column_ids(&folders, set, &ids, &count, error))
                return false;
            *out_found = mk_folder_scope_find(&run->scope, ids, count, &folder);
        }
    }
    return !groups.reader.failed || mk_index_corrupt(error);
}

static bool is_visible(Run *run, const Candidate *candidate, bool *out_found, GError **error)
{
    uint32_t left = MAX_DOCS;
    *out_found = false;
    for (guint i = run->view->manifest.segments->len; i-- > 0 && !*out_found;) {
        const MkSegmentState *state = &run->view->segments[i];
        g_auto(MkStrings) terms = { 0 };
        bool found = false;
        mk_strings_init(&terms, &run->watch, state->segment, STREAM_TERMS);
        if (!mk_strings_seek(&terms, candidate->text, candidate->length, &found, error))
            return false;
        if (!found ||
            mk_strings_compare(terms.text, terms.length, candidate->text, candidate->length) != 0)
            continue;
        for (unsigned k = 0; k < terms.ref_count && !*out_found; k++)
            if ((run->fields >> terms.refs[k].field & 1) &&
                !any_in_scope(run, state, &terms.refs[k], &left, out_found, error))
                return false;
    }
    return true;
}

static void suggestion_free(gpointer data)
{
    MkSuggestion *suggestion = data;
    g_free(suggestion->text);
    g_free(suggestion);
}

static bool choose(Run *run, GPtrArray *out, GError **error)
{
    unsigned limit = MIN(run->suggest->limit, MK_LIMIT_SUGGESTIONS);
    guint tries = limit * TRIES + LEAST_TRIES;
    for (guint i = 0; i < run->candidates->len && i < tries && out->len < limit; i++) {
        const Candidate *candidate = &g_array_index(run->candidates, Candidate, i);
        bool found;
        if (!is_visible(run, candidate, &found, error))
            return false;
        if (!found)
            continue;
        MkSuggestion *suggestion = g_new0(MkSuggestion, 1);
        suggestion->text = g_strdup(candidate->text);
        suggestion->mails = candidate->mails;
        g_ptr_array_add(out, suggestion);
    }
    return true;
}

/* -- all together ---------------------------------------------------------------------------- */
static unsigned fields_of(unsigned fields)
{
    unsigned usual = MK_FIELD_BIT(MK_FIELD_SUBJECT) | MK_FIELD_BIT(MK_FIELD_FROM) |
                     MK_FIELD_BIT(MK_FIELD_TO) | MK_FIELD_BIT(MK_FIELD_CC) |
                     MK_FIELD_BIT(MK_FIELD_BCC) | MK_FIELD_BIT(MK_FIELD_BODY);
    /* an envelope's recipients and Message-IDs are nobody's words */
    unsigned hidden = MK_FIELD_BIT(MK_FIELD_ENVELOPE) | MK_FIELD_BIT(MK_FIELD_MESSAGE_ID);
    return (fields == 0 ? usual : fields) & ~hidden;
}

static void note_token(const char *token, size_t length, const char *plain, size_t plain_length,
                       uint32_t position, void *cookie)
{
    GString *prefix = cookie;
    (void) plain, (void) plain_length;
    if (position == 0)
        g_string_append_len(prefix, token, (gssize) length);
    else
        g_string_truncate(prefix, 0); /* no word has separators */
}

/* The prefix as tokens are; empty when it is none, or several. */
static GString *folded_prefix(const char *prefix)
{
    GString *folded = g_string_new(NULL);
    size_t length = strlen(prefix);
    if (length <= MK_LIMIT_QUERY_BYTES)
        mk_tokens_each(prefix, length, note_token, folded);
    return folded;
}

GPtrArray *mk_index_suggest(MkIndex *index, const MkSuggest *suggest, GError **error)
{
    g_auto(Run) run = { .suggest = suggest,
                        .fields = fields_of(suggest->fields),
                        .prefix = folded_prefix(suggest->prefix) };
    MkSearch scope = { .folders = suggest->folders, .folder_count = suggest->folder_count };
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(suggestion_free);

    run.watch.deadline_ms = mk_clock_monotonic_ms() + MK_LIMIT_SEARCH_MS;
    run.watch.cancelled = suggest->cancelled;
    run.candidates = g_array_new(FALSE, FALSE, sizeof(Candidate));
    g_array_set_clear_func(run.candidates, candidate_clear);
    mk_folder_scope_init(&run.scope, &scope);
    if (run.prefix->len == 0)
        return g_steal_pointer(&found);
    run.view = mk_view_whole(index, error);
    if (run.view == NULL || !collect_words(&run, error) || !choose(&run, found, error))
        return NULL;
    return g_steal_pointer(&found);
}
