/* owners.c - in whose archives a mail belongs (IF-13, IF-16, IF-17) */
#include "internal.h"

void owners_init(Owners *owners)
{
    owners->paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    owners->envelope_only = g_ptr_array_new_with_free_func(g_free);
}

void owners_clear(Owners *owners)
{
    if (owners->paths == NULL)
        return;
    g_hash_table_unref(owners->paths);
    g_ptr_array_unref(owners->envelope_only);
    owners->paths = NULL;
}

static void add(Owners *owners, UserTable *users, const char *address, const char *folder)
{
    g_autofree char *folded = address == NULL ? g_strdup("") : mk_address_fold(address);

    if (folded[0] != '\0')
        user_table_add_owners(users, folded, folder, owners->paths);
}

static void add_all(Owners *owners, UserTable *users, const GPtrArray *addresses,
                    const char *folder)
{
    for (guint i = 0; i < addresses->len; i++)
        add(owners, users, ((MkAddress *) addresses->pdata[i])->address, folder);
}

/* A list that a user has as an address of his own counts too; a forwarding mailbox does not. */
void owners_add_journal(Owners *owners, UserTable *users, const MkJournal *journal)
{
    add(owners, users, journal->sender, MK_FOLDER_OUTGOING);
    add(owners, users, journal->on_behalf_of, MK_FOLDER_OUTGOING);
    for (guint i = 0; i < journal->recipients->len; i++) {
        const MkRecipient *recipient = journal->recipients->pdata[i];

        add(owners, users, recipient->address, MK_FOLDER_INCOMING);
        add(owners, users, recipient->expanded, MK_FOLDER_INCOMING);
    }
}

void owners_add_header(Owners *owners, UserTable *users, const MkMailSummary *summary, bool from,
                       bool to)
{
    if (from) {
        add_all(owners, users, summary->from, MK_FOLDER_OUTGOING);
        add_all(owners, users, summary->sender, MK_FOLDER_OUTGOING);
    }
    if (to) {
        add_all(owners, users, summary->to, MK_FOLDER_INCOMING);
        add_all(owners, users, summary->cc, MK_FOLDER_INCOMING);
        add_all(owners, users, summary->bcc, MK_FOLDER_INCOMING);
        add_all(owners, users, summary->delivered, MK_FOLDER_INCOMING);
    }
}

/* -- recipients that only the envelope knows ---------------------------------------------------- */
static void note(GHashTable *seen, const GPtrArray *addresses)
{
    for (guint i = 0; i < addresses->len; i++)
        g_hash_table_add(seen, mk_address_fold(((MkAddress *) addresses->pdata[i])->address));
}

static GHashTable *header_addresses(const MkMailSummary *summary)
{
    GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    note(seen, summary->from);
    note(seen, summary->sender);
    note(seen, summary->to);
    note(seen, summary->cc);
    note(seen, summary->bcc);
    return seen;
}

void owners_find_envelope_only(Owners *owners, const GPtrArray *journals,
                               const MkMailSummary *summary)
{
    g_autoptr(GHashTable) seen = NULL;

    if (journals->len == 0)
        return;
    seen = header_addresses(summary);
    for (guint j = 0; j < journals->len; j++) {
        const MkJournal *journal = journals->pdata[j];

        for (guint i = 0; i < journal->recipients->len; i++) {
            const MkRecipient *recipient = journal->recipients->pdata[i];

            if (g_hash_table_add(seen, mk_address_fold(recipient->address)))
                g_ptr_array_add(owners->envelope_only, g_strdup(recipient->address));
        }
    }
}
