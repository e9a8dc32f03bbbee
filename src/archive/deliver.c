/*
 * deliver.c - what came in is unwrapped, and each original finds its owners (lane side)
 *
 *   report with an original --> its originals, each again perhaps a report, DEPTH_MAX deep
 *   anything else, and a report without a whole original --> kept as it is
 *
 * A mail in a report is owned by the envelope that the reports around it name; its own header
 * speaks only for the side that they leave open.
 */
#include "internal.h"

enum { DEPTH_MAX = 4 };

typedef struct {
    const Delivery *delivery;
    GBytes *whole;       /* all that came in */
    GPtrArray *journals; /* const MkJournal *: the reports around the mail, outermost first */
} Unwrap;

/* One mail that will be kept. */
typedef struct {
    const uint8_t *data;
    size_t length;
    bool in_place;            /* it is a run of Unwrap.whole */
    const MkJournal *journal; /* of itself: NONE, ROUTED, BROKEN; EXCHANGE when nested too deep */
} Original;

/* -- owners -------------------------------------------------------------------------------------- */
static bool is_broken(const Original *original)
{
    return original->journal->kind == MK_JOURNAL_BROKEN ||
           original->journal->kind == MK_JOURNAL_EXCHANGE;
}

static void find_owners(const Unwrap *unwrap, const Original *original,
                        const MkMailSummary *summary, Owners *owners)
{
    UserTable *users = &unwrap->delivery->archive->users;
    bool from = true, to = true;

    for (guint i = 0; i < unwrap->journals->len; i++) {
        const MkJournal *journal = unwrap->journals->pdata[i];

        owners_add_journal(owners, users, journal);
        from &= journal->sender == NULL;
        to &= journal->recipients->len == 0;
    }
    /* Fields such as X-Envelope-To in a journaled mail are of an earlier hop: the report decides. */
    if (unwrap->journals->len == 0 || is_broken(original))
        owners_add_journal(owners, users, original->journal);
    owners_add_header(owners, users, summary, from || is_broken(original),
                      to || is_broken(original));
}

static void find_envelope_only(const Unwrap *unwrap, const Original *original,
                               const MkMailSummary *summary, Owners *owners)
{
    g_autoptr(GPtrArray) journals = g_ptr_array_copy(unwrap->journals, NULL, NULL);

    if (unwrap->journals->len == 0 || is_broken(original))
        g_ptr_array_add(journals, (void *) original->journal);
    owners_find_envelope_only(owners, journals, summary);
}

/* Folders are made when their first mail comes. */
static bool folder_id(const Unwrap *unwrap, const char *path, uint32_t *out_id, GError **error)
{
    MkStore *store = unwrap->delivery->store->store;

    mk_store_folder_find(store, path, out_id);
    return *out_id != 0 || mk_store_folder_make(store, path, out_id, error);
}

static GArray *folder_ids(const Unwrap *unwrap, Owners *owners, GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    GHashTableIter iter;
    void *path;
    uint32_t id;

    if (g_hash_table_size(owners->paths) == 0) {
        g_hash_table_add(owners->paths, g_strdup(MK_FOLDER_CATCHALL));
        unwrap->delivery->archive->unowned++;
    }
    g_hash_table_iter_init(&iter, owners->paths);
    while (g_hash_table_iter_next(&iter, &path, NULL)) {
        if (!folder_id(unwrap, path, &id, error))
            return NULL;
        g_array_append_val(ids, id);
    }
    g_array_sort(ids, folder_id_compare);
    return g_steal_pointer(&ids);
}

/* -- keeping ------------------------------------------------------------------------------------- */
static bool report_is_broken(const Unwrap *unwrap)
{
    for (guint i = 0; i < unwrap->journals->len; i++)
        if (((const MkJournal *) unwrap->journals->pdata[i])->kind == MK_JOURNAL_BROKEN)
            return true;
    return false;
}

static uint32_t flags_of(const Unwrap *unwrap, const Original *original,
                         const MkMailSummary *summary)
{
    uint32_t flags = 0;

    if (summary->has_attachments)
        flags |= MK_MAIL_HAS_ATTACHMENTS;
    if (summary->is_malformed)
        flags |= MK_MAIL_MALFORMED;
    if (summary->is_encrypted)
        flags |= MK_MAIL_ENCRYPTED;
    if (summary->importance != 0)
        flags |= summary->importance < 0 ? MK_MAIL_IMPORTANCE_LOW : MK_MAIL_IMPORTANCE_HIGH;
    if (is_broken(original) || report_is_broken(unwrap))
        flags |= MK_MAIL_JOURNAL_BROKEN;
    return flags;
}

/* The octets of the report around the mail, so that it can be shown as it came in. */
static void wrap_receipt(const Unwrap *unwrap, const Original *original, MkReceipt *receipt)
{
    size_t size = g_bytes_get_size(unwrap->whole), start, end;

    if (unwrap->journals->len == 0)
        return;
    if (!original->in_place) {
        receipt->report_whole = g_bytes_ref(unwrap->whole);
        return;
    }
    start = (size_t) (original->data - (const uint8_t *) g_bytes_get_data(unwrap->whole, NULL));
    end = start + original->length;
    receipt->report_before = g_bytes_new_from_bytes(unwrap->whole, 0, start);
    receipt->report_after = g_bytes_new_from_bytes(unwrap->whole, end, size - end);
}

static MkReceipt *receipt_new(const Unwrap *unwrap, const Original *original, const Owners *owners)
{
    const MkEnvelope *envelope = unwrap->delivery->envelope;
    MkReceipt *receipt = g_new0(MkReceipt, 1);

    receipt->arrived_unix_ms = envelope->arrived_unix_ms;
    receipt->envelope = envelope_format(envelope, owners->envelope_only);
    wrap_receipt(unwrap, original, receipt);
    return receipt;
}

static MkPreparedMail *prepare(const Unwrap *unwrap, const Original *original,
                               const MkMailSummary *summary, Owners *owners, GError **error)
{
    g_autoptr(GArray) pieces = mk_mail_split(original->data, original->length);
    g_autoptr(GArray) folders = folder_ids(unwrap, owners, error);
    g_autoptr(GBytes) meta =
        meta_format(owners->envelope_only->len > 0 ? META_HAS_ENVELOPE_ONLY : 0);
    MkPreparedMail *prepared;
    MkReceipt *receipt;
    MkNewMail mail = { 0 };

    if (folders == NULL)
        return NULL;
    receipt = receipt_new(unwrap, original, owners);
    mail.data = original->data;
    mail.length = original->length;
    mail.pieces = pieces;
    mail.date_unix_ms =
        summary->date_unix_ms != 0 ? summary->date_unix_ms : receipt->arrived_unix_ms;
    mail.flags = flags_of(unwrap, original, summary);
    mail.folders = (const uint32_t *) folders->data;
    mail.folder_count = folders->len;
    mail.receipt = receipt;
    mail.meta = meta;
    prepared = mk_store_prepare(unwrap->delivery->store->store, &mail, error);
    mk_receipt_free(receipt);
    return prepared;
}

static bool keep(const Unwrap *unwrap, const Original *original, GError **error)
{
    g_autoptr(MkMailSummary) summary = mk_mail_summary(original->data, original->length);
    g_auto(Owners) owners = { NULL, NULL };
    MkPreparedMail *prepared;

    owners_init(&owners);
    find_owners(unwrap, original, summary, &owners);
    find_envelope_only(unwrap, original, summary, &owners);
    prepared = prepare(unwrap, original, summary, &owners, error);
    if (prepared == NULL)
        return false;
    if (is_broken(original))
        unwrap->delivery->archive->reports_broken++;
    unwrap->delivery->submit(unwrap->delivery->cookie, prepared);
    return true;
}

/* -- unwrapping ---------------------------------------------------------------------------------- */
static bool unwrap_octets(const Unwrap *unwrap, const uint8_t *data, size_t length, bool in_place,
                          GError **error);

static bool unwrap_inner(const Unwrap *unwrap, const uint8_t *data, const MkInnerMail *inner,
                         bool in_place, GError **error)
{
    gsize length;
    const uint8_t *decoded;

    if (inner->decoded == NULL)
        return unwrap_octets(unwrap, data + inner->offset, inner->length, in_place, error);
    decoded = g_bytes_get_data(inner->decoded, &length);
    return unwrap_octets(unwrap, decoded, length, false, error);
}

static bool unwrap_report(const Unwrap *unwrap, const uint8_t *data, const MkJournal *journal,
                          bool in_place, GError **error)
{
    bool ok = true;

    unwrap->delivery->archive->reports++;
    g_ptr_array_add(unwrap->journals, (void *) journal);
    for (guint i = 0; i < journal->inner->len && ok; i++)
        ok = unwrap_inner(unwrap, data, &g_array_index(journal->inner, MkInnerMail, i), in_place,
                          error);
    g_ptr_array_set_size(unwrap->journals, (gint) unwrap->journals->len - 1);
    return ok;
}

static bool unwrap_octets(const Unwrap *unwrap, const uint8_t *data, size_t length, bool in_place,
                          GError **error)
{
    g_autoptr(MkJournal) journal = mk_journal_parse(data, length);
    Original original = { data, length, in_place, journal };

    /* A report without a readable list, but with its original whole: the header names the owners. */
    if ((journal->kind == MK_JOURNAL_EXCHANGE || journal->kind == MK_JOURNAL_BROKEN) &&
        journal->inner->len > 0 && unwrap->journals->len < DEPTH_MAX)
        return unwrap_report(unwrap, data, journal, in_place, error);
    return keep(unwrap, &original, error);
}

bool deliver(const Delivery *delivery, GBytes *data, GError **error)
{
    g_autoptr(GPtrArray) journals = g_ptr_array_new();
    Unwrap unwrap = { delivery, data, journals };
    gsize length;
    const uint8_t *octets = g_bytes_get_data(data, &length);

    if (octets == NULL) /* an empty mail is a mail too */
        octets = (const uint8_t *) "";
    return unwrap_octets(&unwrap, octets, length, true, error);
}
