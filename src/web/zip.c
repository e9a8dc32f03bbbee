/*
 * zip.c - GET messages/zip: many mails as EML files in one ZIP, made while it is sent (APPNOTE 6.3)
 *
 *   [local header, octets] of each mail, then the central directory and its end
 *
 * The mails are stored, not deflated. So the length is known before the first octet: a browser
 * shows how far it is, and sees when it was cut off. One mail at a time is in memory; the largest
 * one's size is taken from the budget for as long as it lasts. Names are UTF-8 (flag 11). Nothing
 * comes near the 4 GiB or 65,535 files where ZIP64 would begin.
 */
#include <string.h>

#include <zlib.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>

#include "internal.h"

G_STATIC_ASSERT(MK_LIMIT_ZIP_BYTES < UINT32_MAX - (64u << 20) && MK_LIMIT_ZIP_MAILS < UINT16_MAX);

enum {
    LOCAL_HEADER_BYTES = 30,
    CENTRAL_HEADER_BYTES = 46,
    END_BYTES = 22,
    VERSION = 20, /* 2.0: what every program reads */
    FLAG_UTF8 = 1 << 11,
};

typedef struct {
    MkMailId id;
    char *name;
    uint32_t size;
    uint32_t time; /* date and time as MS-DOS has them */
    uint32_t crc;  /* known when the mail has been read */
    uint32_t offset;
} Entry;

typedef struct {
    MkHttpBody body; /* first member */
    /* loop only */
    MkWeb *web;    /* a reference, and counted as a call */
    GBytes *share; /* of the budget */
    /* lane */
    MkArchive *archive;
    MkPrincipal *principal;
    GArray *entries; /* Entry */
    guint next;      /* to be begun */
    GBytes *mail;    /* the one before it, while it is being given out */
    size_t at;
    uint32_t offset; /* octets given out */
    bool ended;
} Zip;

/* -- octets ------------------------------------------------------------------------------------ */
static void put_u16(GByteArray *out, unsigned value)
{
    g_byte_array_append(out, (const uint8_t[]){ value & 0xff, value >> 8 & 0xff }, 2);
}

static void put_u32(GByteArray *out, uint32_t value)
{
    put_u16(out, value & 0xffff);
    put_u16(out, value >> 16);
}

/* What both headers of a file have in the middle. */
static void put_common(const Entry *entry, GByteArray *out)
{
    put_u16(out, VERSION);
    put_u16(out, FLAG_UTF8);
    put_u16(out, 0); /* stored */
    put_u32(out, entry->time);
    put_u32(out, entry->crc);
    put_u32(out, entry->size);
    put_u32(out, entry->size);
    put_u16(out, (unsigned) strlen(entry->name));
    put_u16(out, 0); /* no extra field */
}

static void put_name(const Entry *entry, GByteArray *out)
{
    g_byte_array_append(out, (const uint8_t *) entry->name, (guint) strlen(entry->name));
}

static void put_local_header(const Entry *entry, GByteArray *out)
{
    put_u32(out, 0x04034b50);
    put_common(entry, out);
    put_name(entry, out);
}

static void put_central_header(const Entry *entry, GByteArray *out)
{
    put_u32(out, 0x02014b50);
    put_u16(out, VERSION); /* made by: MS-DOS attributes, of which there are none */
    put_common(entry, out);
    put_u16(out, 0); /* no comment */
    put_u16(out, 0); /* the first and only disk */
    put_u16(out, 0);
    put_u32(out, 0);
    put_u32(out, entry->offset);
    put_name(entry, out);
}

static void put_directory(const Zip *zip, GByteArray *out)
{
    guint before = out->len;
    uint32_t size;

    for (guint i = 0; i < zip->entries->len; i++)
        put_central_header(&g_array_index(zip->entries, Entry, i), out);
    size = out->len - before;
    put_u32(out, 0x06054b50);
    put_u16(out, 0);
    put_u16(out, 0);
    put_u16(out, zip->entries->len);
    put_u16(out, zip->entries->len);
    put_u32(out, size);
    put_u32(out, zip->offset);
    put_u16(out, 0); /* no comment */
}

static uint64_t zip_length(const Zip *zip)
{
    uint64_t length = END_BYTES;

    for (guint i = 0; i < zip->entries->len; i++) {
        const Entry *entry = &g_array_index(zip->entries, Entry, i);

        length += LOCAL_HEADER_BYTES + CENTRAL_HEADER_BYTES + 2 * strlen(entry->name) + entry->size;
    }
    return length;
}

/* -- pieces ------------------------------------------------------------------------------------ */
static bool begin_mail(Zip *zip, GByteArray *out, GError **error)
{
    Entry *entry = &g_array_index(zip->entries, Entry, zip->next);
    gsize size = 0;
    const uint8_t *data;

    zip->mail = mk_archive_mail_read(zip->archive, zip->principal, entry->id, error);
    if (zip->mail == NULL)
        return false;
    data = g_bytes_get_data(zip->mail, &size);
    if (size != entry->size)
        return mk_fail(error, MK_ERROR_CORRUPT, "a mail has not the size that its record says");
    entry->crc = (uint32_t) crc32_z(0, data, size);
    entry->offset = zip->offset + out->len;
    put_local_header(entry, out);
    zip->next++;
    zip->at = 0;
    return true;
}

static void put_mail(Zip *zip, GByteArray *out, size_t room)
{
    gsize size = 0;
    const uint8_t *data = g_bytes_get_data(zip->mail, &size);
    size_t length = MIN(size - zip->at, room);

    g_byte_array_append(out, data + zip->at, (guint) length);
    zip->at += length;
    if (zip->at == size)
        g_clear_pointer(&zip->mail, g_bytes_unref);
}

/* The directory is a piece of its own, or shares the last one. */
static GBytes *zip_next(MkHttpBody *body, GError **error)
{
    Zip *zip = (Zip *) body;
    const size_t room = MK_LIMIT_HTTP_PIECE_BYTES / 2;
    g_autoptr(GByteArray) out = g_byte_array_sized_new(room + 1024);

    while (out->len < room && (zip->mail != NULL || zip->next < zip->entries->len)) {
        if (zip->mail == NULL && !begin_mail(zip, out, error))
            return NULL;
        put_mail(zip, out, room - MIN(out->len, room - 1));
    }
    zip->offset += out->len;
    if (zip->mail == NULL && zip->next == zip->entries->len && !zip->ended) {
        zip->ended = true;
        put_directory(zip, out);
    }
    return out->len > 0 ? g_byte_array_free_to_bytes(g_steal_pointer(&out)) : NULL;
}

static void entry_clear(void *entry)
{
    g_free(((Entry *) entry)->name);
}

static void zip_free(MkHttpBody *body)
{
    Zip *zip = (Zip *) body;

    g_clear_pointer(&zip->mail, g_bytes_unref);
    g_clear_pointer(&zip->share, g_bytes_unref);
    g_array_unref(zip->entries);
    mk_principal_unref(zip->principal);
    if (zip->web != NULL)
        web_release(zip->web);
    g_free(zip);
}

/* -- what is in it ----------------------------------------------------------------------------- */
static uint32_t dos_time(int64_t unix_ms)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(unix_ms / 1000);

    if (time == NULL || g_date_time_get_year(time) < 1980 || g_date_time_get_year(time) > 2107)
        return 1u << 21 | 1u << 16; /* the first day there is */
    return (uint32_t) (g_date_time_get_year(time) - 1980) << 25 |
           (uint32_t) g_date_time_get_month(time) << 21 |
           (uint32_t) g_date_time_get_day_of_month(time) << 16 |
           (uint32_t) g_date_time_get_hour(time) << 11 |
           (uint32_t) g_date_time_get_minute(time) << 5 |
           (uint32_t) g_date_time_get_second(time) / 2;
}

static bool add_mail(Zip *zip, WebCall *call, MkMailId id, GHashTable *names, uint64_t *sum,
                     uint64_t *largest, GError **error)
{
    g_autoptr(MkFoundMail) mail = mk_archive_mail_get(call->archive, call->principal, id, error);
    Entry entry = { .id = id };

    if (mail == NULL)
        return false;
    *sum += mail->size_bytes;
    *largest = MAX(*largest, mail->size_bytes);
    if (*sum > MK_LIMIT_ZIP_BYTES)
        return mk_fail(error, MK_ERROR_LIMIT, "These mails have more than %u MB together.",
                       MK_LIMIT_ZIP_BYTES >> 20);
    entry.size = (uint32_t) mail->size_bytes;
    entry.time = dos_time(mail->date_unix_ms);
    entry.name = web_eml_name(mail, names);
    g_array_append_val(zip->entries, entry);
    return true;
}

static bool add_mails(Zip *zip, WebCall *call, uint64_t *largest, GError **error)
{
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    uint64_t sum = 0;

    for (guint i = 0; i < call->ids->len; i++) {
        if (mk_job_is_cancelled(&call->job))
            return mk_fail(error, MK_ERROR_CANCELLED, "The request was given up.");
        if (!add_mail(zip, call, g_array_index(call->ids, MkMailId, i), names, &sum, largest,
                      error))
            return false;
    }
    return true;
}

bool web_zip_run(WebCall *call, GError **error)
{
    Zip *zip = g_new0(Zip, 1);
    uint64_t largest = 0;

    zip->body = (MkHttpBody){ zip_next, zip_free };
    zip->archive = call->archive;
    zip->principal = mk_principal_ref(call->principal);
    zip->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    g_array_set_clear_func(zip->entries, entry_clear);
    if (!add_mails(zip, call, &largest, error) || !web_budget_take(call->budget, largest, error)) {
        zip_free(&zip->body);
        return false;
    }
    zip->share = web_budget_wrap(call->budget, g_bytes_new_static("", 0), largest);
    call->pieces = &zip->body;
    call->pieces_length = zip_length(zip);
    return true;
}

/* From here on the daemon waits for it when it stops. */
void web_zip_finish(WebCall *call)
{
    MkHttpResponse *response = mk_http_response_new(200);
    Zip *zip = (Zip *) g_steal_pointer(&call->pieces);

    zip->web = web_hold(call->web);
    mk_http_response_header(response, "Content-Disposition", "attachment; filename=\"mails.zip\"");
    mk_http_response_stream(response, "application/zip", call->pieces_length, &zip->body);
    mk_http_respond(call->request, response);
}

/* -- the request ------------------------------------------------------------------------------- */
static bool has_id(const GArray *ids, MkMailId id)
{
    for (guint i = 0; i < ids->len; i++) {
        const MkMailId *other = &g_array_index(ids, MkMailId, i);

        if (other->store_id == id.store_id && other->number == id.number)
            return true;
    }
    return false;
}

bool web_zip_read(WebCall *call, GError **error)
{
    const char *text = mk_http_query(call->request, "ids");
    g_auto(GStrv) parts = g_strsplit(text != NULL ? text : "", ",", MK_LIMIT_ZIP_MAILS + 1);

    if (g_strv_length(parts) > MK_LIMIT_ZIP_MAILS)
        return mk_fail(error, MK_ERROR_LIMIT, "At most %d mails go into one ZIP.",
                       MK_LIMIT_ZIP_MAILS);
    call->ids = g_array_new(FALSE, FALSE, sizeof(MkMailId));
    for (char **part = parts; *part != NULL; part++) {
        MkMailId id;

        if (!mk_mail_id_parse(*part, &id))
            return mk_fail(error, MK_ERROR_INVALID,
                           "ids must be ids of mails with commas between.");
        if (!has_id(call->ids, id))
            g_array_append_val(call->ids, id);
    }
    return call->ids->len > 0 ||
           mk_fail(error, MK_ERROR_INVALID, "ids must be ids of mails with commas between.");
}
