/*
 * mail_summary.c - the header of a mail: all text is valid, all bounds hold
 */
#include <mailkeep/mail.h>

#include <string.h>

#include <mailkeep/limits.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_addresses(const GPtrArray *addresses)
{
    g_autofree char *line = mk_addresses_format(addresses);

    g_assert_true(g_utf8_validate(line, -1, NULL));
    for (guint i = 0; i < addresses->len; i++) {
        const MkAddress *a = addresses->pdata[i];
        g_autofree char *folded = mk_address_fold(a->address);

        g_assert_true(g_utf8_validate(a->name, -1, NULL));
        g_assert_true(g_utf8_validate(a->address, -1, NULL));
        g_assert_true(g_utf8_validate(folded, -1, NULL));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mk_mail_init();
    g_autoptr(MkMailSummary) s = mk_mail_summary(data, size);

    g_assert_true(g_utf8_validate(s->subject, -1, NULL));
    g_assert_true(g_utf8_validate(s->message_id, -1, NULL));
    g_assert_cmpuint(strlen(s->subject), <=, MK_LIMIT_DISPLAY_BYTES);
    check_addresses(s->from);
    check_addresses(s->to);
    check_addresses(s->cc);
    check_addresses(s->delivered);
    check_addresses(s->envelope_from);
    return 0;
}
