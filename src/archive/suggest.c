/*
 * suggest.c - what could be meant by what has been typed so far
 *
 * Words come from the index's dictionary, addresses from the newest mails that fit, folders from
 * the tree: each only from what the one who asks may read.
 */
#include <string.h>

#include "internal.h"

enum {
    ADDRESS_HITS = 200, /* mails whose addresses are looked at */
    FOLDERS_MAX = 5,
};

void mk_found_suggestion_free(MkFoundSuggestion *suggestion)
{
    if (suggestion == NULL)
        return;
    g_free(suggestion->text);
    g_free(suggestion->detail);
    g_free(suggestion);
}

/* -- what has been typed ----------------------------------------------------------------------- */
static const struct {
    const char *prefix;
    unsigned fields;   /* of words */
    MkField addresses; /* of addresses, or MK_FIELD_COUNT */
} prefixes[] = {
    { "subject:", MK_FIELD_BIT(MK_FIELD_SUBJECT), MK_FIELD_COUNT },
    { "bcontent:", MK_FIELD_BIT(MK_FIELD_BODY), MK_FIELD_COUNT },
    { "acontent:", MK_FIELD_BIT(MK_FIELD_ATTACHMENT_TEXT), MK_FIELD_COUNT },
    { "from:", 0, MK_FIELD_FROM },
    { "to:", 0, MK_FIELD_TO },
    { "cc:", 0, MK_FIELD_TO },
    { "bcc:", 0, MK_FIELD_TO },
};

typedef struct {
    MkArchive *archive;
    ArchiveStore *store;
    const MkPrincipal *principal;
    GArray *folders; /* uint32_t, that may be read */
    const int *cancelled;
    unsigned limit;
    char *lead; /* what stays before the word: "-", "from:" */
    char *word; /* what is to be completed; never "" */
    int prefix; /* in prefixes, or -1 */
    GPtrArray *list;
} Asked;

/* The last word: behind a blank or a quotation mark. */
static const char *last_word(const char *typed)
{
    const char *word = typed;

    for (const char *p = typed; *p != '\0'; p = g_utf8_next_char(p))
        if (g_unichar_isspace(g_utf8_get_char(p)) || *p == '"')
            word = g_utf8_next_char(p);
    return word;
}

static void take_apart(Asked *asked, const char *typed)
{
    const char *begin = last_word(typed), *word = begin;

    asked->prefix = -1;
    if (*word == '-')
        word++;
    for (size_t i = 0; i < G_N_ELEMENTS(prefixes) && asked->prefix < 0; i++)
        if (g_ascii_strncasecmp(word, prefixes[i].prefix, strlen(prefixes[i].prefix)) == 0) {
            asked->prefix = (int) i;
            word += strlen(prefixes[i].prefix);
        }
    asked->lead = g_strndup(begin, (gsize) (word - begin));
    asked->word = g_strdup(word);
}

static void add(Asked *asked, MkSuggestKind kind, char *text, char *detail)
{
    MkFoundSuggestion *suggestion;

    for (guint i = 0; i < asked->list->len; i++)
        if (g_str_equal(((MkFoundSuggestion *) asked->list->pdata[i])->text, text)) {
            g_free(text);
            g_free(detail);
            return;
        }
    suggestion = g_new0(MkFoundSuggestion, 1);
    suggestion->kind = kind;
    suggestion->text = text;
    suggestion->detail = detail;
    g_ptr_array_add(asked->list, suggestion);
}

/* -- words ------------------------------------------------------------------------------------- */
static bool is_one_word(const char *word)
{
    for (; *word != '\0'; word = g_utf8_next_char(word))
        if (!g_unichar_isalnum(g_utf8_get_char(word)) && !g_unichar_ismark(g_utf8_get_char(word)))
            return false;
    return true;
}

static bool add_words(Asked *asked, GError **error)
{
    MkSuggest suggest = { .prefix = asked->word,
                          .fields = asked->prefix < 0 ? 0 : prefixes[asked->prefix].fields,
                          .folders = (const uint32_t *) (void *) asked->folders->data,
                          .folder_count = asked->folders->len,
                          .limit = asked->limit,
                          .cancelled = asked->cancelled };
    g_autoptr(GPtrArray) words = NULL;

    if (!is_one_word(asked->word))
        return true;
    words = mk_index_suggest(asked->store->index, &suggest, error);
    for (guint i = 0; words != NULL && i < words->len; i++)
        add(asked, MK_SUGGEST_WORD,
            g_strconcat(asked->lead, ((MkSuggestion *) words->pdata[i])->text, NULL), NULL);
    return words != NULL;
}

/* -- addresses --------------------------------------------------------------------------------- */
/* A query for mails with such an address; NULL when there is nothing to ask for. */
static MkQuery *address_query(const Asked *asked, MkField field)
{
    g_autofree char *word = g_strdup(asked->word);
    g_autofree char *text = NULL;
    size_t length;

    g_strdelimit(word, "\"*?", ' ');
    length = strlen(word);
    while (length > 0 &&
           !g_unichar_isalnum(g_utf8_get_char(g_utf8_find_prev_char(word, word + length))))
        length = (size_t) (g_utf8_find_prev_char(word, word + length) - word);
    word[length] = '\0';
    if (length == 0 || strchr(word, ' ') != NULL)
        return NULL;
    text = g_strdup_printf("%s:%s*", field == MK_FIELD_FROM ? "from" : "to", word);
    return mk_query_parse(text, NULL);
}

/* "anna" begins the address, or a word of the name. */
static bool begins_so(const MkAddress *address, const char *folded)
{
    g_autofree char *name = g_utf8_casefold(address->name, -1);
    g_autofree char *addr = g_utf8_casefold(address->address, -1);

    if (g_str_has_prefix(addr, folded) || g_str_has_prefix(name, folded))
        return true;
    for (const char *p = name; (p = strpbrk(p, " ,.-\"'(")) != NULL;)
        if (g_str_has_prefix(++p, folded))
            return true;
    return false;
}

typedef struct {
    char *address;
    char *name;
    unsigned mails;
    guint first; /* the newest mail it stands in */
} Person;

static void person_free(void *data)
{
    Person *person = data;

    g_free(person->address);
    g_free(person->name);
    g_free(person);
}

static void count_person(GHashTable *people, const MkAddress *address, const char *folded, guint at)
{
    g_autofree char *key = mk_address_fold(address->address);
    Person *person = g_hash_table_lookup(people, key);

    if (key[0] == '\0' || !begins_so(address, folded))
        return;
    if (person == NULL) {
        person = g_new0(Person, 1);
        person->address = g_strdup(key);
        person->name = g_strdup(address->name);
        person->first = at;
        g_hash_table_insert(people, g_strdup(key), person);
    }
    person->mails++;
}

/*
 * The next of "Name <address>, address, ..." as a list shows them, NULL at the end. Names may hold
 * commas; what the end of a long list has cut off is left out.
 */
static const char *next_shown(const char *shown, char **out_name, char **out_address)
{
    const char *comma, *open, *close;

    shown += strspn(shown, ", ");
    comma = strstr(shown, ", ");
    comma = comma == NULL ? shown + strlen(shown) : comma;
    open = strchr(shown, '<');
    close = open == NULL ? NULL : strchr(open, '>');
    if (*shown == '\0')
        return NULL;
    if (memchr(shown, '@', (size_t) (comma - shown)) != NULL &&
        memchr(shown, ' ', (size_t) (comma - shown)) == NULL && *shown != '<') {
        *out_name = g_strdup("");
        *out_address = g_strndup(shown, (gsize) (comma - shown));
        return comma;
    }
    if (close == NULL)
        return NULL;
    *out_name = g_strstrip(g_strndup(shown, (gsize) (open - shown)));
    *out_address = g_strndup(open + 1, (gsize) (close - open - 1));
    return close + 1;
}

static void count_people(GHashTable *people, const char *shown, const char *folded, guint at)
{
    char *name, *address;

    while (shown != NULL && (shown = next_shown(shown, &name, &address)) != NULL) {
        MkAddress person = { name, address };

        count_person(people, &person, folded, at);
        g_free(name);
        g_free(address);
    }
}

static gint compare_people(const void *a, const void *b)
{
    const Person *const *left = a, *const *right = b;

    if ((*left)->mails != (*right)->mails)
        return (*left)->mails > (*right)->mails ? -1 : 1;
    if ((*left)->first != (*right)->first)
        return (*left)->first < (*right)->first ? -1 : 1;
    return strcmp((*left)->address, (*right)->address);
}

static bool count_hits(Asked *asked, MkField field, const MkQuery *query, GHashTable *people,
                       GError **error)
{
    MkSearch search = { .query = query,
                        .folders = (const uint32_t *) (void *) asked->folders->data,
                        .folder_count = asked->folders->len,
                        .limit = ADDRESS_HITS,
                        .cancelled = asked->cancelled };
    g_autofree char *folded = g_utf8_casefold(asked->word, -1);
    g_autoptr(MkSearchResult) result = store_search(asked->archive, asked->store, &search, error);

    for (guint i = 0; result != NULL && i < result->hits->len; i++) {
        const MkHit *hit = result->hits->pdata[i];

        count_people(people, field == MK_FIELD_FROM ? hit->from : hit->to, folded, i);
    }
    return result != NULL;
}

static bool add_addresses(Asked *asked, MkField field, GError **error)
{
    g_autoptr(GHashTable) people =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, person_free);
    g_autoptr(MkQuery) query = address_query(asked, field);
    g_autoptr(GPtrArray) order = g_ptr_array_new();
    GHashTableIter iter;
    void *person;

    if (query == NULL)
        return true;
    if (!count_hits(asked, field, query, people, error))
        return false;
    g_hash_table_iter_init(&iter, people);
    while (g_hash_table_iter_next(&iter, NULL, &person))
        g_ptr_array_add(order, person);
    g_ptr_array_sort(order, compare_people);
    for (guint i = 0; i < order->len && i < asked->limit; i++) {
        const Person *one = order->pdata[i];

        add(asked, MK_SUGGEST_ADDRESS, g_strconcat(asked->lead, one->address, NULL),
            one->name[0] == '\0' ? NULL : g_strdup(one->name));
    }
    return true;
}

/* -- folders ----------------------------------------------------------------------------------- */
static void add_folders(Asked *asked)
{
    g_autoptr(GPtrArray) folders = mk_archive_folders(asked->archive, asked->principal, NULL, 0);
    g_autofree char *folded = g_utf8_casefold(asked->word, -1);
    unsigned count = 0;

    for (guint i = 0; i < folders->len && count < FOLDERS_MAX; i++) {
        const char *path = ((MkFolder *) folders->pdata[i])->path;
        const char *slash = strrchr(path, '/');
        g_autofree char *name = g_utf8_casefold(slash == NULL ? path : slash + 1, -1);

        if (!g_str_has_prefix(name, folded))
            continue;
        add(asked, MK_SUGGEST_FOLDER, g_strdup(path), NULL);
        count++;
    }
}

/* -- all of it --------------------------------------------------------------------------------- */
/* Room is made for each kind: few addresses and folders, then words. */
static bool add_all(Asked *asked, GError **error)
{
    unsigned limit = asked->limit;

    if (asked->prefix >= 0)
        return prefixes[asked->prefix].addresses == MK_FIELD_COUNT
                   ? add_words(asked, error)
                   : add_addresses(asked, prefixes[asked->prefix].addresses, error);
    asked->limit = MAX(limit / 2, 1);
    if (!add_words(asked, error))
        return false;
    asked->limit = MAX(limit / 4, 1);
    if (!add_addresses(asked, MK_FIELD_FROM, error) || !add_addresses(asked, MK_FIELD_TO, error))
        return false;
    if (asked->lead[0] == '\0')
        add_folders(asked);
    asked->limit = limit;
    return asked->list->len >= limit || add_words(asked, error);
}

static void asked_clear(Asked *asked)
{
    g_free(asked->lead);
    g_free(asked->word);
    g_clear_pointer(&asked->folders, g_array_unref);
}

GPtrArray *mk_archive_suggest(MkArchive *archive, const MkPrincipal *principal, const char *typed,
                              unsigned limit, const int *cancelled, GError **error)
{
    Asked asked = { .archive = archive,
                    .store = store_current(archive),
                    .principal = principal,
                    .cancelled = cancelled,
                    .limit = CLAMP(limit, 1, MK_LIMIT_SUGGESTIONS) };
    bool ok = true;

    if (strlen(typed) > MK_LIMIT_QUERY_BYTES || !g_utf8_validate(typed, -1, NULL)) {
        mk_fail(error, MK_ERROR_INVALID, "what is typed must be up to %d octets of UTF-8",
                MK_LIMIT_QUERY_BYTES);
        return NULL;
    }
    asked.list = g_ptr_array_new_with_free_func((GDestroyNotify) mk_found_suggestion_free);
    asked.folders = folders_in_sight(archive, asked.store, principal);
    take_apart(&asked, typed);
    limit = asked.limit;
    if (asked.word[0] != '\0' && asked.folders->len > 0)
        ok = add_all(&asked, error);
    asked_clear(&asked);
    if (!ok)
        g_clear_pointer(&asked.list, g_ptr_array_unref);
    else if (asked.list->len > limit)
        g_ptr_array_set_size(asked.list, (gint) limit);
    return asked.list;
}
