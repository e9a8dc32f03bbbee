/* envelope.c - the SMTP envelope and its octets in a receipt (docs/formats/master.md) */
#include "internal.h"

enum { RECEIPT_VERSION = 1, META_VERSION = 1 };

MkEnvelope *mk_envelope_new(void)
{
    MkEnvelope *envelope = g_new0(MkEnvelope, 1);

    envelope->forward_paths = g_ptr_array_new_with_free_func(g_free);
    return envelope;
}

void mk_envelope_free(MkEnvelope *envelope)
{
    if (envelope == NULL)
        return;
    g_free(envelope->reverse_path);
    g_ptr_array_unref(envelope->forward_paths);
    g_free(envelope->client_address);
    g_free(envelope->helo);
    g_free(envelope->tls);
    g_free(envelope->gateway_id);
    g_free(envelope);
}

static void put_strings(GByteArray *out, const GPtrArray *strings)
{
    mk_put_varint(out, strings->len);
    for (guint i = 0; i < strings->len; i++)
        mk_put_string(out, strings->pdata[i]);
}

GBytes *envelope_format(const MkEnvelope *envelope, const GPtrArray *envelope_only)
{
    GByteArray *out = g_byte_array_new();

    mk_put_u8(out, RECEIPT_VERSION);
    mk_put_u64(out, (uint64_t) envelope->arrived_unix_ms);
    mk_put_string(out, envelope->reverse_path);
    put_strings(out, envelope->forward_paths);
    mk_put_string(out, envelope->client_address);
    mk_put_string(out, envelope->helo);
    mk_put_string(out, envelope->tls); /* "" = clear */
    mk_put_string(out, envelope->gateway_id);
    put_strings(out, envelope_only);
    return g_byte_array_free_to_bytes(out);
}

static void read_strings(MkReader *r, GPtrArray *out)
{
    uint64_t count = mk_read_varint(r);

    for (uint64_t i = 0; i < count && !r->failed; i++) {
        char *text = mk_read_string(r);

        if (text != NULL)
            g_ptr_array_add(out, text);
    }
}

MkEnvelope *envelope_parse(GBytes *octets, GPtrArray **out_envelope_only, GError **error)
{
    g_autoptr(GPtrArray) envelope_only = g_ptr_array_new_with_free_func(g_free);
    MkEnvelope *envelope = mk_envelope_new();
    MkReader r = mk_reader(g_bytes_get_data(octets, NULL), g_bytes_get_size(octets));
    bool known = mk_read_u8(&r) == RECEIPT_VERSION;

    envelope->arrived_unix_ms = (int64_t) mk_read_u64(&r);
    envelope->reverse_path = mk_read_string(&r);
    read_strings(&r, envelope->forward_paths);
    envelope->client_address = mk_read_string(&r);
    envelope->helo = mk_read_string(&r);
    envelope->tls = mk_read_string(&r);
    envelope->gateway_id = mk_read_string(&r);
    read_strings(&r, envelope_only);
    if (!known || r.failed || r.length != 0) {
        mk_envelope_free(envelope);
        mk_fail(error, MK_ERROR_CORRUPT, "the receipt of a mail is damaged");
        return NULL;
    }
    if (envelope->tls[0] == '\0')
        g_clear_pointer(&envelope->tls, g_free);
    if (out_envelope_only != NULL)
        *out_envelope_only = g_steal_pointer(&envelope_only);
    return envelope;
}

GBytes *meta_format(unsigned flags)
{
    uint8_t octets[2] = { META_VERSION, (uint8_t) flags };

    return g_bytes_new(octets, sizeof octets);
}

/* What cannot be read is taken for "look into the receipts". */
unsigned meta_parse(GBytes *meta)
{
    const uint8_t *octets = meta == NULL ? NULL : g_bytes_get_data(meta, NULL);

    if (octets == NULL || g_bytes_get_size(meta) != 2 || octets[0] != META_VERSION)
        return META_HAS_ENVELOPE_ONLY;
    return octets[1];
}
