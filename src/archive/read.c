/* read.c - one mail, its octets, and how it arrived */
#include <string.h>

#include "internal.h"

/* -- may it be seen? ----------------------------------------------------------------------------- */
/* The lowest of the mail's folders that may be read, as a new path; NULL when there is none. */
static char *readable_folder(ArchiveStore *store, const MkMailInfo *info, const Sight *sight)
{
    for (guint i = 0; i < info->folders->len; i++) {
        g_autofree char *path =
            mk_store_folder_path(store->store, g_array_index(info->folders, uint32_t, i));

        if (path != NULL && sight_may_read(sight, path))
            return g_steal_pointer(&path);
    }
    return NULL;
}

/*
 * The store of a mail that @principal may see. One answer for what is not there and what must not
 * be seen, so that numbers tell nothing.
 */
ArchiveStore *mail_store(MkArchive *archive, const MkPrincipal *principal, MkMailId id,
                         MkMailInfo *out_info, char **out_folder, GError **error)
{
    ArchiveStore *store = store_find(archive, id.store_id);
    g_auto(MkMailInfo) info = MK_MAIL_INFO_INIT;
    g_autoptr(GError) failed = NULL;
    g_auto(Sight) sight = { 0 };
    g_autofree char *folder = NULL;

    sight_init(&sight, archive, principal);
    if (store != NULL && mk_store_info(store->store, id.number, false, &info, &failed))
        folder = readable_folder(store, &info, &sight);
    if (failed != NULL && !g_error_matches(failed, MK_ERROR, MK_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return NULL;
    }
    if (folder == NULL) {
        mk_fail(error, MK_ERROR_NOT_FOUND, "there is no such mail");
        return NULL;
    }
    if (out_info != NULL) {
        *out_info = info;
        info = (MkMailInfo) MK_MAIL_INFO_INIT;
    }
    if (out_folder != NULL)
        *out_folder = g_steal_pointer(&folder);
    return store;
}

/* -- a mail -------------------------------------------------------------------------------------- */
GBytes *mk_archive_mail_read(MkArchive *archive, const MkPrincipal *principal, MkMailId id,
                             GError **error)
{
    ArchiveStore *store = mail_store(archive, principal, id, NULL, NULL, error);

    return store == NULL ? NULL : mk_store_read(store->store, id.number, error);
}

MkFoundMail *mk_archive_mail_get(MkArchive *archive, const MkPrincipal *principal, MkMailId id,
                                 GError **error)
{
    g_auto(MkMailInfo) info = MK_MAIL_INFO_INIT;
    g_autofree char *folder = NULL;
    ArchiveStore *store = mail_store(archive, principal, id, &info, &folder, error);
    g_autoptr(GBytes) octets = NULL;
    g_autoptr(MkMailSummary) summary = NULL;
    MkFoundMail *mail;

    if (store == NULL)
        return NULL;
    octets = mk_store_read(store->store, id.number, error);
    if (octets == NULL)
        return NULL;
    summary = mk_mail_summary(g_bytes_get_data(octets, NULL), g_bytes_get_size(octets));
    mail = g_new0(MkFoundMail, 1);
    mail->id = id;
    mail->subject = g_strdup(summary->subject);
    mail->from = mk_addresses_format(summary->from->len > 0 ? summary->from : summary->sender);
    mail->to = mk_addresses_format(summary->to);
    mail->date_unix_ms = info.date_unix_ms;
    mail->archived_unix_ms = info.archived_unix_ms;
    mail->size_bytes = info.size_bytes;
    mail->folder = g_steal_pointer(&folder);
    mail->flags = info.flags;
    mail->group_count = 1;
    return mail;
}

/* -- arrivals ------------------------------------------------------------------------------------ */
void mk_arrival_free(MkArrival *arrival)
{
    if (arrival == NULL)
        return;
    mk_envelope_free(arrival->envelope);
    g_free(arrival);
}

static size_t size_of(GBytes *octets)
{
    return octets == NULL ? 0 : g_bytes_get_size(octets);
}

static bool has_report(const MkReceipt *receipt)
{
    return receipt->report_whole != NULL || receipt->report_before != NULL ||
           receipt->report_after != NULL;
}

static MkArrival *arrival_new(const MkReceipt *receipt, uint64_t mail_bytes, GError **error)
{
    MkEnvelope *envelope = envelope_parse(receipt->envelope, NULL, error);
    MkArrival *arrival;

    if (envelope == NULL)
        return NULL;
    arrival = g_new0(MkArrival, 1);
    arrival->envelope = envelope;
    arrival->arrived_unix_ms = receipt->arrived_unix_ms;
    arrival->has_report = has_report(receipt);
    if (receipt->report_whole != NULL)
        arrival->report_size_bytes = size_of(receipt->report_whole);
    else if (arrival->has_report)
        arrival->report_size_bytes =
            size_of(receipt->report_before) + mail_bytes + size_of(receipt->report_after);
    return arrival;
}

/* The mail's receipts for one who may see envelopes: they show Bcc. */
static GPtrArray *receipts_get(MkArchive *archive, const MkPrincipal *principal, MkMailId id,
                               MkMailInfo *out_info, ArchiveStore **out_store, GError **error)
{
    ArchiveStore *store = mail_store(archive, principal, id, out_info, NULL, error);

    if (store == NULL)
        return NULL;
    *out_store = store;
    if (mk_principal_is_admin(archive, principal))
        return mk_store_receipts(store->store, id.number, error);
    mk_fail(error, MK_ERROR_DENIED, "only administrators may see how a mail arrived");
    return NULL;
}

GPtrArray *mk_archive_arrivals(MkArchive *archive, const MkPrincipal *principal, MkMailId id,
                               GError **error)
{
    g_auto(MkMailInfo) info = MK_MAIL_INFO_INIT;
    ArchiveStore *store;
    g_autoptr(GPtrArray) receipts = receipts_get(archive, principal, id, &info, &store, error);
    g_autoptr(GPtrArray) arrivals = NULL;

    if (receipts == NULL)
        return NULL;
    arrivals = g_ptr_array_new_with_free_func((GDestroyNotify) mk_arrival_free);
    for (guint i = 0; i < receipts->len; i++) {
        MkArrival *arrival = arrival_new(receipts->pdata[i], info.size_bytes, error);

        if (arrival == NULL)
            return NULL;
        g_ptr_array_add(arrivals, arrival);
    }
    return g_steal_pointer(&arrivals);
}

static void append(GByteArray *out, GBytes *octets)
{
    if (octets != NULL)
        g_byte_array_append(out, g_bytes_get_data(octets, NULL), (guint) size_of(octets));
}

static GBytes *put_together(ArchiveStore *store, uint32_t number, const MkReceipt *receipt,
                            GError **error)
{
    g_autoptr(GBytes) mail = mk_store_read(store->store, number, error);
    GByteArray *whole;

    if (mail == NULL)
        return NULL;
    whole = g_byte_array_sized_new(
        (guint) (size_of(receipt->report_before) + size_of(mail) + size_of(receipt->report_after)));
    append(whole, receipt->report_before);
    append(whole, mail);
    append(whole, receipt->report_after);
    return g_byte_array_free_to_bytes(whole);
}

GBytes *mk_archive_report_read(MkArchive *archive, const MkPrincipal *principal, MkMailId id,
                               unsigned n, GError **error)
{
    g_auto(MkMailInfo) info = MK_MAIL_INFO_INIT;
    ArchiveStore *store;
    g_autoptr(GPtrArray) receipts = receipts_get(archive, principal, id, &info, &store, error);
    const MkReceipt *receipt;

    if (receipts == NULL)
        return NULL;
    receipt = n < receipts->len ? receipts->pdata[n] : NULL;
    if (receipt == NULL || !has_report(receipt)) {
        mk_fail(error, MK_ERROR_NOT_FOUND, "the mail has no such report");
        return NULL;
    }
    if (receipt->report_whole != NULL)
        return g_bytes_ref(receipt->report_whole);
    return put_together(store, id.number, receipt, error);
}

/* -- text of attachments ------------------------------------------------------------------------- */
/* While some of it is still to be read, nothing is known of any. What the index says is no reason
 * not to show a mail: when it cannot be read, nothing is known either. */
GArray *mk_archive_attachment_texts(MkArchive *archive, const MkPrincipal *principal, MkMailId id,
                                    GError **error)
{
    ArchiveStore *store = mail_store(archive, principal, id, NULL, NULL, error);
    g_auto(MkIndexedMail) mail = { 0 };
    g_autoptr(GError) failed = NULL;

    if (store == NULL)
        return NULL;
    if (mk_index_mail(store->index, id.number, &mail, &failed) &&
        (mail.flags & INDEX_TEXT_PENDING) == 0 && mail.attachments != NULL)
        return g_steal_pointer(&mail.attachments);
    if (g_error_matches(failed, MK_ERROR, MK_ERROR_CORRUPT))
        index_status_damaged(archive, store, failed->message);
    return g_array_new(FALSE, FALSE, sizeof(MkAttachmentText));
}
