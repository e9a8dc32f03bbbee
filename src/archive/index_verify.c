/*
 * index_verify.c - whether the index can be read, and has the mails that the store has
 *
 * Both go on while it looks: a mail that has just come, or changed, is in the store's change queue
 * or gets there between two looks, so that each difference is looked at once more by itself. Not when
 * the index is emptied meanwhile: then the comparison ends and says nothing.
 */
#include "internal.h"

enum { STEP = 4096 };

typedef struct {
    MkArchive *archive;
    ArchiveStore *store;
    unsigned emptied;   /* store->index_emptied when it began */
    GHashTable *coming; /* numbers that were behind the watermark when it began */
    uint64_t missing, superfluous;
} Comparison;

/* -- one mail ---------------------------------------------------------------------------------- */
static bool is_in_index(ArchiveStore *store, uint32_t number)
{
    g_auto(MkIndexedMail) mail = { 0 };

    return mk_index_mail(store->index, number, &mail, NULL);
}

/* A mail that lies in no folder belongs in no index. */
static bool is_in_store(ArchiveStore *store, uint32_t number)
{
    g_auto(MkMailInfo) info = MK_MAIL_INFO_INIT;

    return mk_store_info(store->store, number, false, &info, NULL) && info.folders->len > 0;
}

/* What is behind the index's watermark will be seen to. */
static GHashTable *changes_to_come(ArchiveStore *store)
{
    GHashTable *numbers = g_hash_table_new(NULL, NULL);
    uint64_t after = mk_index_watermark(store->index);

    for (;;) {
        g_autoptr(GArray) changes = mk_store_changes(store->store, after, STEP, NULL);

        if (changes == NULL || changes->len == 0)
            return numbers;
        for (guint i = 0; i < changes->len; i++)
            g_hash_table_add(numbers, GUINT_TO_POINTER(g_array_index(changes, MkChange, i).number));
        after = g_array_index(changes, MkChange, changes->len - 1).sequence;
    }
}

static bool is_to_come(ArchiveStore *store, uint32_t number)
{
    g_autoptr(GHashTable) numbers = changes_to_come(store);

    return g_hash_table_contains(numbers, GUINT_TO_POINTER(number));
}

/* One that is damaged cannot be indexed; the store's own verification names it. */
static bool is_readable(ArchiveStore *store, uint32_t number)
{
    g_autoptr(GBytes) octets = mk_store_read(store->store, number, NULL);

    return octets != NULL;
}

/* The order matters: what leaves the queue is in the index by then. */
static void look_again(Comparison *c, uint32_t number)
{
    bool in_store;

    if (g_hash_table_contains(c->coming, GUINT_TO_POINTER(number)))
        return;
    in_store = is_in_store(c->store, number);
    if (is_to_come(c->store, number) || is_in_index(c->store, number) == in_store)
        return;
    if (!in_store)
        c->superfluous++;
    else if (is_readable(c->store, number))
        c->missing++;
}

/* No mail comes into an emptied index before it is counted as such. */
static bool was_emptied(const Comparison *c)
{
    return mk_index_watermark(c->store->index) == 0 || c->store->index_emptied != c->emptied;
}

/* -- all of them ------------------------------------------------------------------------------- */
typedef GArray *(*NextNumbers)(ArchiveStore *store, uint32_t after, GError **error);

static GArray *next_in_store(ArchiveStore *store, uint32_t after, GError **error)
{
    return mk_store_mails(store->store, after, STEP, error);
}

static GArray *next_in_index(ArchiveStore *store, uint32_t after, GError **error)
{
    return mk_index_numbers(store->index, after, STEP, error);
}

/* Numbers in ascending order, 0 at the end. */
typedef struct {
    ArchiveStore *store;
    NextNumbers next;
    GArray *numbers;
    guint at;
    uint32_t last;
} Walk;

static bool walk_step(Walk *walk, uint32_t *out, GError **error)
{
    if (walk->numbers == NULL || walk->at == walk->numbers->len) {
        g_clear_pointer(&walk->numbers, g_array_unref);
        walk->numbers = walk->next(walk->store, walk->last, error);
        walk->at = 0;
        if (walk->numbers == NULL)
            return false;
    }
    *out = 0;
    if (walk->at < walk->numbers->len)
        *out = walk->last = g_array_index(walk->numbers, uint32_t, walk->at++);
    return true;
}

static bool compare_walks(Comparison *c, Walk *in_store, Walk *in_index, GError **error)
{
    uint32_t left, right;

    if (!walk_step(in_store, &left, error) || !walk_step(in_index, &right, error))
        return false;
    while (left != 0 || right != 0) {
        bool is_left = right == 0 || (left != 0 && left <= right);
        bool is_right = left == 0 || (right != 0 && right <= left);

        if (is_left != is_right && was_emptied(c))
            return true;
        if (is_left != is_right)
            look_again(c, is_left ? left : right);
        if ((is_left && !walk_step(in_store, &left, error)) ||
            (is_right && !walk_step(in_index, &right, error)))
            return false;
    }
    return true;
}

static bool compare(Comparison *c, GError **error)
{
    Walk in_store = { c->store, next_in_store, NULL, 0, 0 };
    Walk in_index = { c->store, next_in_index, NULL, 0, 0 };
    bool ok;

    c->coming = changes_to_come(c->store);
    ok = compare_walks(c, &in_store, &in_index, error);
    g_clear_pointer(&c->coming, g_hash_table_unref);
    g_clear_pointer(&in_store.numbers, g_array_unref);
    g_clear_pointer(&in_index.numbers, g_array_unref);
    return ok;
}

/* -- the report -------------------------------------------------------------------------------- */
static void report_add(MkArchive *archive, ArchiveStore *store, MkVerifyReport *report,
                       uint64_t errors, const char *what)
{
    g_autofree char *message = NULL;

    if (errors == 0)
        return;
    message = g_strdup_printf("%" G_GUINT64_FORMAT " %s: rebuild the search index", errors, what);
    index_status_damaged(archive, store, message);
    report->errors += errors;
    g_ptr_array_add(report->messages, g_steal_pointer(&message));
}

/* What a refill has not brought in yet is not missing. */
bool index_compare(MkArchive *archive, ArchiveStore *store, unsigned emptied,
                   MkVerifyReport *report, GError **error)
{
    Comparison c = { .archive = archive, .store = store, .emptied = emptied };

    if (was_emptied(&c)) /* it is being filled: nothing to compare */
        return true;
    if (!compare(&c, error))
        return false;
    if (was_emptied(&c))
        return true;
    report_add(archive, store, report, c.missing, "mails are missing in the search index");
    report_add(archive, store, report, c.superfluous,
               "mails in the search index are not in the store");
    return true;
}

bool index_verify(MkArchive *archive, ArchiveStore *store, MkVerifyReport *report, GError **error)
{
    unsigned emptied = store->index_emptied;
    uint64_t blocks, bad;

    if (!mk_index_verify(store->index, &blocks, &bad, error))
        return false;
    report->values += blocks;
    report_add(archive, store, report, bad, "blocks of the search index are damaged");
    return bad > 0 || index_compare(archive, store, emptied, report, error);
}
