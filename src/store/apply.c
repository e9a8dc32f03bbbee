/*
 * apply.c - what a record means for the catalog
 *
 * The committer, the replay after a crash and the rebuild all come through here, so that the
 * catalog is the same whichever way it was made.
 */
#include <string.h>

#include <mailkeep/base.h>

#include "internal.h"

bool apply_blob(Apply *apply, const uint8_t *hash, const Position *position, GError **error)
{
    bool found;

    if (!catalog_find_blob(apply->txn, hash, NULL, &found, error))
        return false;
    if (found) /* written twice, as can happen after damage: the first one counts */
        return true;
    apply->checkpoint->blob_count++;
    return catalog_put_blob(apply->txn, hash, position, error);
}

static bool note_change(Apply *apply, uint32_t number, GError **error)
{
    uint64_t sequence = ++apply->checkpoint->last_change;

    return !apply->keep_changes || catalog_put_change(apply->txn, sequence, number, error);
}

static bool join_folder(Apply *apply, uint32_t folder, uint32_t number, uint64_t size_bytes,
                        GError **error)
{
    folders_count_mail(apply->folders, folder, size_bytes);
    return catalog_put_member(apply->txn, folder, number, error);
}

bool apply_mail(Apply *apply, const MailFacts *facts, const Position *position, uint32_t number,
                GError **error)
{
    MailRow row = {
        .position = *position,
        .size_bytes = facts->size_bytes,
        .date_unix_ms = facts->date_unix_ms,
        .archived_unix_ms = facts->arrived_unix_ms,
        .flags = facts->flags,
        .folders = (GArray *) facts->folders,
    };

    apply->checkpoint->last_number = number;
    apply->checkpoint->mail_count++;
    apply->checkpoint->size_bytes += facts->size_bytes;
    for (guint i = 0; i < facts->folders->len; i++)
        if (!join_folder(apply, g_array_index(facts->folders, uint32_t, i), number,
                         facts->size_bytes, error))
            return false;
    return catalog_put_mail(apply->txn, number, &row, error) &&
           catalog_put_hash(apply->txn, facts->hash, number, error) &&
           note_change(apply, number, error);
}

static bool has_folder(const GArray *folders, uint32_t folder)
{
    for (guint i = 0; i < folders->len; i++)
        if (g_array_index(folders, uint32_t, i) == folder)
            return true;
    return false;
}

static gint by_number(gconstpointer a, gconstpointer b)
{
    uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

    return (x > y) - (x < y);
}

bool apply_receipt(Apply *apply, const MailFacts *facts, const Position *position, uint32_t number,
                   GError **error)
{
    g_auto(MailRow) row = { 0 };
    bool found;

    if (!catalog_find_mail(apply->txn, number, &row, &found, error))
        return false;
    if (!found)
        return mk_fail(error, MK_ERROR_CORRUPT, "the catalog knows a mail's hash but not the mail");
    row.extra_receipts++;
    for (guint i = 0; i < facts->folders->len; i++) {
        uint32_t folder = g_array_index(facts->folders, uint32_t, i);

        if (has_folder(row.folders, folder))
            continue;
        g_array_append_val(row.folders, folder);
        if (!join_folder(apply, folder, number, row.size_bytes, error))
            return false;
    }
    g_array_sort(row.folders, by_number);
    return catalog_put_mail(apply->txn, number, &row, error) &&
           catalog_put_receipt(apply->txn, number, position, error) &&
           note_change(apply, number, error);
}

bool apply_folder(Apply *apply, uint32_t id, const char *path, GError **error)
{
    (void) error; /* the row is written with the counters, when the transaction is committed */
    if (!folders_has(apply->folders, id))
        folders_add(apply->folders, id, path);
    apply->checkpoint->last_folder = MAX(apply->checkpoint->last_folder, id);
    return true;
}

bool apply_dictionary(Apply *apply, uint32_t number, const void *data, size_t length,
                      const Position *position, GError **error)
{
    return codec_add_dictionary(apply->codec, number, data, length, error) &&
           catalog_put_dictionary(apply->txn, number, position, error);
}
