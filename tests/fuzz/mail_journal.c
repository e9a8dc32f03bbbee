/*
 * mail_journal.c - journal reports: ranges lie within the mail, kinds keep what mail.h says of them
 */
#include <mailkeep/mail.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mk_mail_init();
    g_autoptr(MkJournal) j = mk_journal_parse(data, size);

    g_assert_true((j->kind == MK_JOURNAL_BROKEN) == (j->problem != NULL));
    g_assert_true(j->kind != MK_JOURNAL_EXCHANGE || j->inner->len > 0);
    g_assert_true(j->kind != MK_JOURNAL_NONE || j->recipients->len == 0);
    for (guint i = 0; i < j->recipients->len; i++) {
        const MkRecipient *r = j->recipients->pdata[i];

        g_assert_true(g_utf8_validate(r->address, -1, NULL));
    }
    for (guint i = 0; i < j->inner->len; i++) {
        const MkInnerMail *inner = &g_array_index(j->inner, MkInnerMail, i);

        g_assert_cmpuint(inner->length, <=, size);
        g_assert_cmpuint(inner->offset, <=, size - inner->length);
    }
    return 0;
}
