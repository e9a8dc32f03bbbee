/*
 * relay.c - the server that takes our mail: settings and TLS context at one moment
 */
#include <mailkeep/crypto.h>

#include "client_internal.h"

static void notify_sender_if_nobody(MkSmtpSettings *settings)
{
    const char *sender[] = { settings->from_address, NULL };

    if (settings->recipients[0] != NULL)
        return;
    g_strfreev(settings->recipients);
    settings->recipients = g_strdupv((char **) sender);
}

MkSmtpRelay *mk_smtp_relay_new(MkArchive *archive, const char *hostname, GError **error)
{
    g_autoptr(MkSmtpRelay) relay = g_new0(MkSmtpRelay, 1);

    relay->refs = 1;
    relay->hostname = g_strdup(hostname);
    if (!mk_archive_smtp_settings(archive, &relay->settings, error))
        return NULL;
    if (relay->settings.host[0] == '\0') {
        mk_fail(error, MK_ERROR_UNSUPPORTED, "There are no SMTP settings: no mail can be sent.");
        return NULL;
    }
    notify_sender_if_nobody(&relay->settings);
    if (relay->settings.security != MK_SMTP_IN_CLEAR) {
        relay->tls = mk_tls_client_new(NULL, !relay->settings.ignore_certificate, error);
        if (relay->tls == NULL)
            return NULL;
    }
    return g_steal_pointer(&relay);
}

MkSmtpRelay *mk_smtp_relay_ref(MkSmtpRelay *relay)
{
    g_atomic_int_inc(&relay->refs);
    return relay;
}

void mk_smtp_relay_unref(MkSmtpRelay *relay)
{
    if (relay == NULL || !g_atomic_int_dec_and_test(&relay->refs))
        return;
    mk_tls_unref(relay->tls);
    mk_smtp_settings_clear(&relay->settings);
    g_free(relay->hostname);
    g_free(relay);
}

const char *const *mk_smtp_relay_notified(const MkSmtpRelay *relay)
{
    return (const char *const *) relay->settings.recipients;
}
