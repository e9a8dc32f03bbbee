/* warnings.c - what an administrator is told of a certificate that works */
#include <mailkeep/certs.h>

static const int64_t SOON_MS = INT64_C(21) * 86400 * 1000;

unsigned mk_certs_warnings(const MkCertificate *certificate, const char *hostname,
                           int64_t now_unix_ms)
{
    unsigned warnings = 0;

    if (now_unix_ms > certificate->not_after_unix_ms)
        warnings |= MK_CERTS_EXPIRED;
    else if (now_unix_ms > certificate->not_after_unix_ms - SOON_MS)
        warnings |= MK_CERTS_ENDS_SOON;
    if (now_unix_ms < certificate->not_before_unix_ms)
        warnings |= MK_CERTS_NOT_YET_VALID;
    if (!mk_certificate_covers(certificate, hostname))
        warnings |= MK_CERTS_NAME_MISSING;
    if (certificate->self_signed)
        warnings |= MK_CERTS_SELF_SIGNED;
    return warnings;
}

char **mk_certs_warning_names(unsigned warnings)
{
    static const struct {
        MkCertsWarning warning;
        const char *name;
    } names[] = {
        { MK_CERTS_EXPIRED, "expired" },
        { MK_CERTS_ENDS_SOON, "ends-soon" },
        { MK_CERTS_NOT_YET_VALID, "not-yet-valid" },
        { MK_CERTS_NAME_MISSING, "name-missing" },
        { MK_CERTS_SELF_SIGNED, "self-signed" },
    };
    GStrvBuilder *list = g_strv_builder_new();
    char **result;

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (warnings & names[i].warning)
            g_strv_builder_add(list, names[i].name);
    result = g_strv_builder_end(list);
    g_strv_builder_unref(list);
    return result;
}
