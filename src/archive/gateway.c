/* gateway.c - the addresses that the gateway takes mail for (GW-02, GW-03) */
#include <string.h>

#include "internal.h"

enum { RECORD_VERSION = 1, ID_MAX_BYTES = 64 };

/* Never changed while it is in the table. */
typedef struct {
    MkGatewayMailbox *mailbox;
    uint32_t row; /* in the master database */
    char *folded_address;
} GatewayRecord;

void mk_gateway_mailbox_free(MkGatewayMailbox *mailbox)
{
    if (mailbox == NULL)
        return;
    g_free(mailbox->id);
    g_free(mailbox->address);
    g_free(mailbox->name);
    g_free(mailbox->description);
    g_free(mailbox);
}

static MkGatewayMailbox *mailbox_copy(const MkGatewayMailbox *mailbox)
{
    MkGatewayMailbox *copy = g_new0(MkGatewayMailbox, 1);

    *copy = *mailbox;
    copy->id = g_strdup(mailbox->id);
    copy->address = g_strdup(mailbox->address);
    copy->name = g_strdup(mailbox->name == NULL ? "" : mailbox->name);
    copy->description = g_strdup(mailbox->description == NULL ? "" : mailbox->description);
    return copy;
}

static GatewayRecord *record_new(uint32_t row, MkGatewayMailbox *mailbox)
{
    GatewayRecord *record = g_new0(GatewayRecord, 1);

    record->row = row;
    record->mailbox = mailbox;
    record->folded_address = mk_address_fold(mailbox->address);
    return record;
}

static void record_free(void *data)
{
    GatewayRecord *record = data;

    mk_gateway_mailbox_free(record->mailbox);
    g_free(record->folded_address);
    g_free(record);
}

/* -- the table ----------------------------------------------------------------------------------- */
void gateway_table_init(GatewayTable *table)
{
    pthread_rwlock_init(&table->lock, NULL);
    table->by_id = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, record_free);
    table->by_address = g_hash_table_new(g_str_hash, g_str_equal);
}

void gateway_table_clear(GatewayTable *table)
{
    g_hash_table_unref(table->by_address);
    g_hash_table_unref(table->by_id);
    pthread_rwlock_destroy(&table->lock);
}

static void remove_locked(GatewayTable *table, const char *id)
{
    GatewayRecord *record = g_hash_table_lookup(table->by_id, id);

    if (record == NULL)
        return;
    g_hash_table_remove(table->by_address, record->folded_address);
    g_hash_table_remove(table->by_id, record->mailbox->id);
}

static void table_put(GatewayTable *table, GatewayRecord *record)
{
    pthread_rwlock_wrlock(&table->lock);
    remove_locked(table, record->mailbox->id);
    g_hash_table_insert(table->by_id, record->mailbox->id, record);
    g_hash_table_insert(table->by_address, record->folded_address, record);
    pthread_rwlock_unlock(&table->lock);
}

/* A copy by id, with its row; NULL when there is none. */
static MkGatewayMailbox *table_get(GatewayTable *table, const char *id, uint32_t *out_row)
{
    MkGatewayMailbox *copy = NULL;
    const GatewayRecord *record;

    pthread_rwlock_rdlock(&table->lock);
    record = g_hash_table_lookup(table->by_id, id);
    if (record != NULL) {
        copy = mailbox_copy(record->mailbox);
        *out_row = record->row;
    }
    pthread_rwlock_unlock(&table->lock);
    return copy;
}

static gint compare_by_address(const void *a, const void *b)
{
    const MkGatewayMailbox *const *left = a, *const *right = b;

    return strcmp((*left)->address, (*right)->address);
}

GPtrArray *mk_archive_gateway_mailboxes(MkArchive *archive)
{
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify) mk_gateway_mailbox_free);
    GatewayTable *table = &archive->gateways;
    GHashTableIter iter;
    void *value;

    pthread_rwlock_rdlock(&table->lock);
    g_hash_table_iter_init(&iter, table->by_id);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        g_ptr_array_add(list, mailbox_copy(((GatewayRecord *) value)->mailbox));
    pthread_rwlock_unlock(&table->lock);
    g_ptr_array_sort(list, compare_by_address);
    return list;
}

MkGatewayState mk_archive_gateway_find(MkArchive *archive, const char *address)
{
    GatewayTable *table = &archive->gateways;
    g_autofree char *folded = mk_address_fold(address);
    MkGatewayState state = MK_GATEWAY_UNKNOWN;
    const GatewayRecord *record;

    pthread_rwlock_rdlock(&table->lock);
    record = g_hash_table_lookup(table->by_address, folded);
    if (record != NULL)
        state = record->mailbox->suspended ? MK_GATEWAY_SUSPENDED : MK_GATEWAY_ACTIVE;
    pthread_rwlock_unlock(&table->lock);
    return state;
}

char *gateway_table_id_of(GatewayTable *table, const char *address)
{
    g_autofree char *folded = mk_address_fold(address);
    const GatewayRecord *record;
    char *id;

    pthread_rwlock_rdlock(&table->lock);
    record = g_hash_table_lookup(table->by_address, folded);
    id = record == NULL ? NULL : g_strdup(record->mailbox->id);
    pthread_rwlock_unlock(&table->lock);
    return id;
}

/* -- octets (docs/formats/master.md) ------------------------------------------------------------ */
static void mailbox_format(const MkGatewayMailbox *mailbox, GByteArray *out)
{
    mk_put_u8(out, RECORD_VERSION);
    mk_put_string(out, mailbox->id);
    mk_put_string(out, mailbox->address);
    mk_put_string(out, mailbox->name);
    mk_put_string(out, mailbox->description);
    mk_put_u8(out, (uint8_t) mailbox->mode);
    mk_put_u8(out, mailbox->suspended);
}

static bool load_mailbox(uint32_t row, const GByteArray *value, void *cookie)
{
    MkReader r = mk_reader(value->data, value->len);
    MkGatewayMailbox *mailbox = g_new0(MkGatewayMailbox, 1);
    bool known = mk_read_u8(&r) == RECORD_VERSION;

    mailbox->id = mk_read_string(&r);
    mailbox->address = mk_read_string(&r);
    mailbox->name = mk_read_string(&r);
    mailbox->description = mk_read_string(&r);
    mailbox->mode = (MkGatewayMode) mk_read_u8(&r);
    mailbox->suspended = mk_read_u8(&r) != 0;
    if (!known || r.failed || r.length != 0) {
        mk_gateway_mailbox_free(mailbox);
        return false;
    }
    table_put(cookie, record_new(row, mailbox));
    return true;
}

bool gateway_table_load(MkArchive *archive, GError **error)
{
    return master_each(archive->master, MASTER_GATEWAYS, load_mailbox, &archive->gateways, error);
}

/* Takes @mailbox; master_lock is held. */
static bool mailbox_store(MkArchive *archive, uint32_t row, MkGatewayMailbox *mailbox,
                          GError **error)
{
    g_autoptr(GByteArray) value = g_byte_array_new();

    mailbox_format(mailbox, value);
    if (!master_put(archive, MASTER_GATEWAYS, row, value, error)) {
        mk_gateway_mailbox_free(mailbox);
        return false;
    }
    table_put(&archive->gateways, record_new(row, mailbox));
    return true;
}

/* -- changes ------------------------------------------------------------------------------------- */
static bool id_is_good(const char *id)
{
    size_t length = strlen(id);

    for (const char *p = id; *p != '\0'; p++)
        if (!g_ascii_isalnum(*p) && strchr("-_.", *p) == NULL)
            return false;
    return length > 0 && length <= ID_MAX_BYTES;
}

static bool text_is_good(const char *text)
{
    return text == NULL ||
           (strlen(text) <= MK_LIMIT_PROPERTY_BYTES && g_utf8_validate(text, -1, NULL));
}

static bool address_is_good(const char *address)
{
    const char *at = address == NULL ? NULL : strchr(address, '@');

    return at != NULL && at != address && at[1] != '\0' && strchr(at + 1, '@') == NULL &&
           strlen(address) <= MK_LIMIT_SMTP_PATH_BYTES && g_utf8_validate(address, -1, NULL) &&
           strpbrk(address, " \t\r\n,;<>") == NULL;
}

static bool mailbox_check(const MkGatewayMailbox *mailbox, GError **error)
{
    if (mailbox->mode != MK_GATEWAY_ARCHIVE)
        return mk_fail(error, MK_ERROR_UNSUPPORTED,
                       "this version knows gateway mailboxes of mode archive only");
    if (mailbox->id != NULL && mailbox->id[0] != '\0' && !id_is_good(mailbox->id))
        return mk_fail(error, MK_ERROR_INVALID,
                       "a mailbox id has 1 to %d letters, digits, dots, - and _", ID_MAX_BYTES);
    if (!address_is_good(mailbox->address))
        return mk_fail(error, MK_ERROR_INVALID,
                       "the mailbox's address is not of the form name@domain");
    if (!text_is_good(mailbox->name) || !text_is_good(mailbox->description))
        return mk_fail(error, MK_ERROR_INVALID,
                       "name and description are UTF-8 of at most %d octets",
                       MK_LIMIT_PROPERTY_BYTES);
    return true;
}

static char *random_id(void)
{
    char hex[33];

    mk_id_random_hex(hex, 16);
    return g_strconcat("mbx-", hex, NULL);
}

static guint table_size(GatewayTable *table)
{
    guint size;

    pthread_rwlock_rdlock(&table->lock);
    size = g_hash_table_size(table->by_id);
    pthread_rwlock_unlock(&table->lock);
    return size;
}

static bool create_locked(MkArchive *archive, MkGatewayMailbox *mailbox, GError **error)
{
    g_autofree char *same_address = gateway_table_id_of(&archive->gateways, mailbox->address);
    uint32_t row;
    MkGatewayMailbox *same_id = table_get(&archive->gateways, mailbox->id, &row);
    bool free_to_take = same_address == NULL && same_id == NULL;

    mk_gateway_mailbox_free(same_id);
    if (!free_to_take)
        mk_fail(error, MK_ERROR_EXISTS, "there is a mailbox with this id or address already");
    else if (table_size(&archive->gateways) >= MK_LIMIT_GATEWAY_MAILBOXES)
        mk_fail(error, MK_ERROR_LIMIT, "there are %d gateway mailboxes already",
                MK_LIMIT_GATEWAY_MAILBOXES);
    else if (master_next_id(archive, MASTER_GATEWAYS, &row, error))
        return mailbox_store(archive, row, mailbox, error);
    mk_gateway_mailbox_free(mailbox);
    return false;
}

bool mk_archive_gateway_create(MkArchive *archive, const MkGatewayMailbox *mailbox, char **out_id,
                               GError **error)
{
    g_autofree char *id = NULL;
    MkGatewayMailbox *copy;
    bool ok;

    if (!mailbox_check(mailbox, error))
        return false;
    copy = mailbox_copy(mailbox);
    if (copy->id == NULL || copy->id[0] == '\0') {
        g_free(copy->id);
        copy->id = random_id();
    }
    id = g_strdup(copy->id);
    pthread_mutex_lock(&archive->master_lock);
    ok = create_locked(archive, copy, error);
    pthread_mutex_unlock(&archive->master_lock);
    if (ok && out_id != NULL)
        *out_id = g_steal_pointer(&id);
    return ok;
}

static bool set_suspended_locked(MkArchive *archive, const char *id, bool suspended, GError **error)
{
    uint32_t row;
    MkGatewayMailbox *mailbox = table_get(&archive->gateways, id, &row);

    if (mailbox == NULL)
        return mk_fail(error, MK_ERROR_NOT_FOUND, "there is no such gateway mailbox");
    mailbox->suspended = suspended;
    return mailbox_store(archive, row, mailbox, error);
}

bool mk_archive_gateway_set_suspended(MkArchive *archive, const char *id, bool suspended,
                                      GError **error)
{
    bool ok;

    pthread_mutex_lock(&archive->master_lock);
    ok = set_suspended_locked(archive, id, suspended, error);
    pthread_mutex_unlock(&archive->master_lock);
    return ok;
}

static bool delete_locked(MkArchive *archive, const char *id, GError **error)
{
    GatewayTable *table = &archive->gateways;
    uint32_t row;
    MkGatewayMailbox *mailbox = table_get(table, id, &row);
    bool suspended = mailbox != NULL && mailbox->suspended;

    if (mailbox == NULL)
        return mk_fail(error, MK_ERROR_NOT_FOUND, "there is no such gateway mailbox");
    mk_gateway_mailbox_free(mailbox);
    if (!suspended)
        return mk_fail(error, MK_ERROR_DENIED,
                       "only a suspended gateway mailbox can be deleted: suspend it first");
    if (!master_put(archive, MASTER_GATEWAYS, row, NULL, error))
        return false;
    pthread_rwlock_wrlock(&table->lock);
    remove_locked(table, id);
    pthread_rwlock_unlock(&table->lock);
    return true;
}

bool mk_archive_gateway_delete(MkArchive *archive, const char *id, GError **error)
{
    bool ok;

    pthread_mutex_lock(&archive->master_lock);
    ok = delete_locked(archive, id, error);
    if (ok)
        arrival_table_forget(&archive->arrivals, id);
    pthread_mutex_unlock(&archive->master_lock);
    return ok;
}
