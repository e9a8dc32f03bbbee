/*
 * found.c - rows of a result: made of the index's hits, with the words looked for marked
 */
#include <string.h>

#include "internal.h"

enum { RANGES_MAX = 64 }; /* of one text of a row */

static void clear_ranges(GArray **ranges)
{
    g_clear_pointer(ranges, g_array_unref);
}

void mk_found_mail_free(MkFoundMail *mail)
{
    if (mail == NULL)
        return;
    clear_ranges(&mail->subject_ranges);
    clear_ranges(&mail->from_ranges);
    clear_ranges(&mail->to_ranges);
    clear_ranges(&mail->group_ids);
    g_clear_pointer(&mail->snippet, mk_snippet_free);
    g_clear_pointer(&mail->in_attachments, g_ptr_array_unref);
    g_free(mail->subject);
    g_free(mail->from);
    g_free(mail->to);
    g_free(mail->folder);
    g_free(mail);
}

MkFound *found_new(void)
{
    MkFound *found = g_new0(MkFound, 1);

    found->hits = g_ptr_array_new_with_free_func((GDestroyNotify) mk_found_mail_free);
    return found;
}

void mk_found_free(MkFound *found)
{
    if (found == NULL)
        return;
    g_ptr_array_unref(found->hits);
    g_free(found);
}

/* -- words that were looked for -------------------------------------------------------------- */
static gint compare_ranges(const void *a, const void *b)
{
    const MkRange *left = a, *right = b;

    return (left->offset > right->offset) - (left->offset < right->offset);
}

/* Ranges of two queries in order, those that meet made one. */
static GArray *join_ranges(GArray *all)
{
    guint kept = 0;

    g_array_sort(all, compare_ranges);
    for (guint i = 1; i < all->len; i++) {
        MkRange *last = &g_array_index(all, MkRange, kept);
        const MkRange *next = &g_array_index(all, MkRange, i);

        if (next->offset > last->offset + last->length)
            g_array_index(all, MkRange, ++kept) = *next;
        else
            last->length =
                MAX(last->offset + last->length, next->offset + next->length) - last->offset;
    }
    g_array_set_size(all, MIN(kept + 1, all->len));
    return all;
}

static void add_ranges(GArray *all, MkFinder *finder, const char *text)
{
    g_autoptr(GArray) some = NULL;

    if (finder == NULL)
        return;
    some = mk_finder_highlight(finder, text, strlen(text), RANGES_MAX);
    g_array_append_vals(all, some->data, some->len);
}

/* Where @finder finds what it looks for, and @also: the words for the sender, for recipients. */
static GArray *ranges_in(MkFinder *finder, MkFinder *also, const char *text)
{
    GArray *all;

    if ((finder == NULL && also == NULL) || text == NULL || !g_utf8_validate(text, -1, NULL))
        return NULL;
    all = g_array_new(FALSE, FALSE, sizeof(MkRange));
    add_ranges(all, finder, text);
    add_ranges(all, also, text);
    if (all->len > 0)
        return join_ranges(all);
    g_array_unref(all);
    return NULL;
}

void found_mail_highlight(MkFoundMail *mail, const FindQueries *queries)
{
    MkFinder *const *finders = queries->finders;

    mail->subject_ranges = ranges_in(finders[MK_FIELD_SUBJECT], NULL, mail->subject);
    mail->from_ranges = ranges_in(finders[MK_FIELD_FROM], queries->from_finder, mail->from);
    mail->to_ranges = ranges_in(finders[MK_FIELD_TO], queries->recipients_finder, mail->to);
}

/* -- a row ----------------------------------------------------------------------------------- */
static GArray *ids_of(const ArchiveStore *store, const GArray *numbers)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(MkMailId));

    for (guint i = 0; i < numbers->len; i++) {
        MkMailId id = { store->id, g_array_index(numbers, uint32_t, i) };

        g_array_append_val(ids, id);
    }
    return ids;
}

MkFoundMail *found_mail_of_hit(ArchiveStore *store, MkHit *hit)
{
    MkFoundMail *mail = g_new0(MkFoundMail, 1);

    mail->id = (MkMailId){ store->id, hit->number };
    mail->subject = g_steal_pointer(&hit->subject);
    mail->from = g_steal_pointer(&hit->from);
    mail->to = g_steal_pointer(&hit->to);
    mail->date_unix_ms = hit->date_unix_ms;
    mail->archived_unix_ms = hit->archived_unix_ms;
    mail->size_bytes = hit->size_bytes;
    mail->flags = hit->flags & ~INDEX_PRIVATE_FLAGS;
    mail->folder = mk_store_folder_path(store->store, hit->folder);
    if (mail->folder == NULL)
        mail->folder = g_strdup("");
    mail->group_count = MAX(hit->group_count, 1);
    if (hit->group_numbers != NULL && hit->group_numbers->len > 0)
        mail->group_ids = ids_of(store, hit->group_numbers);
    return mail;
}
