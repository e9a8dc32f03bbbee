/*
 * text_pass.c - the second look at mails whose attachments took too long (lane side of follower.c)
 *
 * The mails are those whose flag in the index says so: nothing else remembers them, so that
 * nothing is lost by a crash. Newest first, a few at a time; documents are read without any lock,
 * only what has been read is written under it.
 */
#include <mailkeep/log.h>

#include "internal.h"

enum {
    PASS_MAILS = 200,
    PASS_MS = 2000,            /* what has been read so long is made findable */
    PASS_BYTES = 16 * 1 << 20, /* in memory until then */
};

typedef struct {
    uint32_t number;
    GBytes *octets; /* without what is not read */
    AttachmentTexts texts;
} ReadMail;

static void read_mail_free(ReadMail *mail)
{
    g_bytes_unref(mail->octets);
    attachment_texts_clear(&mail->texts);
    g_free(mail);
}

/* uint32_t numbers; NULL when the index cannot be asked. */
static GArray *find_pending(MkArchive *archive, ArchiveStore *store, unsigned skip, GError **error)
{
    MkSearch search = {
        .flags_set = INDEX_TEXT_PENDING, .with_envelope = true, .offset = skip, .limit = PASS_MAILS
    };
    g_autoptr(MkSearchResult) result = store_search(archive, store, &search, error);
    GArray *numbers;

    if (result == NULL)
        return NULL;
    store->texts_waiting = result->mail_total - MIN(result->mail_total, skip);
    numbers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (guint i = 0; i < result->hits->len; i++)
        g_array_append_val(numbers, ((MkHit *) result->hits->pdata[i])->number);
    return numbers;
}

/* NULL: it cannot be read (any more); it stays as it is. */
static ReadMail *read_one(ArchiveStore *store, AttachmentReader *reader, uint32_t number)
{
    g_auto(MkMailInfo) info = MK_MAIL_INFO_INIT;
    g_autoptr(GError) error = NULL;
    ReadMail *mail;
    GBytes *octets;

    if (!mk_store_read_some(store->store, number, attachment_reader_wants, reader, &info, &octets,
                            &error)) {
        mk_log_error("archive.attachments-unread", "store", MK_LOG_U64(store->id), "mail",
                     MK_LOG_U64(number), "why", error->message);
        return NULL;
    }
    mail = g_new0(ReadMail, 1);
    mail->number = number;
    mail->octets = octets;
    attachment_reader_read(reader, info.flags, g_bytes_get_data(octets, NULL),
                           g_bytes_get_size(octets), &mail->texts);
    return mail;
}

/* Large ones one at a time, as everywhere. */
static ReadMail *read_with_lock(MkArchive *archive, ArchiveStore *store, AttachmentReader *reader,
                                uint32_t number)
{
    g_auto(MkMailInfo) info = MK_MAIL_INFO_INIT;
    ReadMail *mail;

    if (!mk_store_info(store->store, number, false, &info, NULL))
        return NULL;
    if (info.size_bytes <= MK_LIMIT_LARGE_MAIL_BYTES)
        return read_one(store, reader, number);
    pthread_mutex_lock(&archive->large_lock);
    mail = read_one(store, reader, number);
    pthread_mutex_unlock(&archive->large_lock);
    return mail;
}

/*
 * Only what is in the index is written to it again. When it has been emptied meanwhile, its refill
 * brings the mail in, and after a restart goes on behind the highest number it finds there.
 */
static bool add_if_there(Batch *batch, const ReadMail *mail, GError **error)
{
    g_auto(MkIndexedMail) indexed = { 0 };
    g_autoptr(GError) failed = NULL;

    if (mk_index_mail(batch->store->index, mail->number, &indexed, &failed))
        return batch_add_octets(batch, mail->number, mail->octets, &mail->texts, error);
    if (g_error_matches(failed, MK_ERROR, MK_ERROR_NOT_FOUND))
        return true;
    g_propagate_error(error, g_steal_pointer(&failed));
    return false;
}

static bool write_locked(Batch *batch, const GPtrArray *mails, GError **error)
{
    for (guint i = 0; i < mails->len; i++)
        if (!add_if_there(batch, mails->pdata[i], error)) {
            mk_index_writer_free(batch->writer);
            return false;
        }
    return mk_index_writer_commit(batch->writer, mk_index_watermark(batch->store->index), error);
}

static bool write_all(MkArchive *archive, ArchiveStore *store, const GPtrArray *mails,
                      GError **error)
{
    Batch batch;
    bool ok;

    if (mails->len == 0)
        return true;
    pthread_mutex_lock(&store->index_writer_lock);
    batch_init(&batch, archive, store, NULL);
    ok = write_locked(&batch, mails, error);
    batch_clear(&batch);
    pthread_mutex_unlock(&store->index_writer_lock);
    return ok;
}

/* Never below 0: batches count theirs meanwhile, and the next pass counts anew. */
static void less_waiting(ArchiveStore *store)
{
    uint64_t waiting = store->texts_waiting;

    while (waiting > 0 &&
           !atomic_compare_exchange_weak(&store->texts_waiting, &waiting, waiting - 1))
        ;
}

bool text_pass(MkArchive *archive, ArchiveStore *store, AttachmentReader *reader, const MkJob *job,
               unsigned *skip, bool *out_more, GError **error)
{
    g_autoptr(GArray) numbers = find_pending(archive, store, *skip, error);
    g_autoptr(GPtrArray) mails = g_ptr_array_new_with_free_func((GDestroyNotify) read_mail_free);
    int64_t until_ms = mk_clock_monotonic_ms() + PASS_MS;
    gsize bytes = 0;

    if (numbers == NULL)
        return false;
    *out_more = numbers->len > 0;
    attachment_reader_begin(reader);
    for (guint i = 0; i < numbers->len && mk_clock_monotonic_ms() < until_ms; i++) {
        ReadMail *mail;

        if (mk_job_is_cancelled(job) || bytes >= PASS_BYTES)
            break;
        mail = read_with_lock(archive, store, reader, g_array_index(numbers, uint32_t, i));
        if (mail == NULL) {
            ++*skip;
            continue;
        }
        bytes += g_bytes_get_size(mail->octets);
        g_ptr_array_add(mails, mail);
    }
    if (!write_all(archive, store, mails, error))
        return false;
    for (guint i = 0; i < mails->len; i++)
        if ((((ReadMail *) mails->pdata[i])->texts.flags & INDEX_TEXT_PENDING) == 0)
            less_waiting(store);
    return true;
}
