/*
 * index_settings.c - whose text an administrator wants read (IX-02, IX-03, IX-06)
 *
 * Kinds are kept by their names, and "all of them" as such, so that a kind that a later version
 * learns is read unless the administrator has made a choice.
 */
#include <string.h>

#include "internal.h"

enum { RECORD_VERSION = 1, EXTENSIONS_MAX = 200, EXTENSION_BYTES = 32 };

void mk_index_settings_clear(MkIndexSettings *settings)
{
    g_clear_pointer(&settings->extensions, g_strfreev);
}

static MkIndexSettings settings_copy(const MkIndexSettings *settings)
{
    return (MkIndexSettings){ settings->kinds, g_strdupv(settings->extensions), settings->ocr };
}

void index_settings_init(IndexSettings *settings)
{
    static char *none[] = { NULL };
    MkIndexSettings defaults = { UINT64_MAX, none, false };

    pthread_mutex_init(&settings->lock, NULL);
    settings->settings = settings_copy(&defaults);
    settings->version = 1;
}

void index_settings_clear(IndexSettings *settings)
{
    mk_index_settings_clear(&settings->settings);
    pthread_mutex_destroy(&settings->lock);
}

unsigned index_settings_get(MkArchive *archive, MkIndexSettings *out)
{
    unsigned version;

    pthread_mutex_lock(&archive->index_settings.lock);
    *out = settings_copy(&archive->index_settings.settings);
    version = archive->index_settings.version;
    pthread_mutex_unlock(&archive->index_settings.lock);
    return version;
}

static void settings_use(MkArchive *archive, const MkIndexSettings *settings)
{
    pthread_mutex_lock(&archive->index_settings.lock);
    mk_index_settings_clear(&archive->index_settings.settings);
    archive->index_settings.settings = settings_copy(settings);
    archive->index_settings.version++;
    pthread_mutex_unlock(&archive->index_settings.lock);
}

/* -- octets (docs/formats/master.md) ----------------------------------------------------------- */
static void format_kinds(uint64_t kinds, GByteArray *out)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (int kind = MK_DOCUMENT_PLAIN; kind < MK_DOCUMENT_COUNT; kind++)
        if ((kinds >> kind & 1) != 0 && mk_document_type((MkDocumentKind) kind) != NULL)
            g_ptr_array_add(names, (void *) mk_document_type((MkDocumentKind) kind)->name);
    mk_put_varint(out, names->len);
    for (guint i = 0; i < names->len; i++)
        mk_put_string(out, names->pdata[i]);
}

static void settings_format(const MkIndexSettings *settings, GByteArray *out)
{
    guint extensions = g_strv_length(settings->extensions);

    mk_put_u8(out, RECORD_VERSION);
    mk_put_u8(out, settings->kinds == UINT64_MAX);
    format_kinds(settings->kinds, out);
    mk_put_varint(out, extensions);
    for (guint i = 0; i < extensions; i++)
        mk_put_string(out, settings->extensions[i]);
    mk_put_u8(out, settings->ocr);
}

static uint64_t kind_bit(const char *name)
{
    for (int kind = MK_DOCUMENT_PLAIN; kind < MK_DOCUMENT_COUNT; kind++) {
        const MkDocumentType *type = mk_document_type((MkDocumentKind) kind);

        if (type != NULL && strcmp(type->name, name) == 0)
            return UINT64_C(1) << kind;
    }
    return 0; /* one that this version does not know */
}

static uint64_t parse_kinds(MkReader *r)
{
    uint64_t kinds = 0, count = mk_read_varint(r);

    for (uint64_t i = 0; i < count && !r->failed; i++) {
        g_autofree char *name = mk_read_string(r);

        kinds |= name == NULL ? 0 : kind_bit(name);
    }
    return kinds;
}

static char **parse_extensions(MkReader *r)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new();
    uint64_t count = mk_read_varint(r);

    for (uint64_t i = 0; i < count && !r->failed; i++) {
        char *extension = mk_read_string(r);

        if (extension != NULL)
            g_ptr_array_add(list, extension);
    }
    g_ptr_array_add(list, NULL);
    return (char **) g_ptr_array_steal(list, NULL);
}

static bool load_row(uint32_t id, const GByteArray *value, void *cookie)
{
    MkReader r = mk_reader(value->data, value->len);
    MkIndexSettings settings = { .ocr = false };
    bool known, all;

    if (id != SETTING_INDEX) /* a later version's */
        return true;
    known = mk_read_u8(&r) == RECORD_VERSION;
    all = mk_read_u8(&r) != 0;
    settings.kinds = parse_kinds(&r);
    if (all)
        settings.kinds = UINT64_MAX;
    settings.extensions = parse_extensions(&r);
    settings.ocr = mk_read_u8(&r) != 0;
    if (known && !r.failed && r.length == 0)
        settings_use(cookie, &settings);
    else
        known = false;
    mk_index_settings_clear(&settings);
    return known;
}

bool index_settings_load(MkArchive *archive, GError **error)
{
    return master_each(archive->master, MASTER_SETTINGS, load_row, archive, error);
}

static bool settings_keep(MkArchive *archive, const MkIndexSettings *settings, GError **error)
{
    g_autoptr(GByteArray) value = g_byte_array_new();
    bool ok;

    settings_format(settings, value);
    pthread_mutex_lock(&archive->master_lock);
    ok = master_put(archive, MASTER_SETTINGS, SETTING_INDEX, value, error);
    if (ok)
        settings_use(archive, settings);
    pthread_mutex_unlock(&archive->master_lock);
    return ok;
}

/* -- outside ----------------------------------------------------------------------------------- */
/* "log", not ".log": letters and digits of any script, in lower case. */
static bool extension_check(const char *extension, GError **error)
{
    bool good = extension[0] != '\0' && strlen(extension) <= EXTENSION_BYTES &&
                g_utf8_validate(extension, -1, NULL);

    for (const char *p = extension; good && *p != '\0'; p = g_utf8_next_char(p))
        good = g_unichar_isalnum(g_utf8_get_char(p)) || *p == '-' || *p == '_';
    return good ||
           mk_fail(error, MK_ERROR_INVALID, "an extension has 1 to %d octets of letters and digits",
                   EXTENSION_BYTES);
}

static bool settings_check(const MkIndexSettings *settings, GError **error)
{
    if (g_strv_length(settings->extensions) > EXTENSIONS_MAX)
        return mk_fail(error, MK_ERROR_LIMIT, "more than %d extensions", EXTENSIONS_MAX);
    for (char **extension = settings->extensions; *extension != NULL; extension++)
        if (!extension_check(*extension, error))
            return false;
    return true;
}

bool mk_archive_index_settings(MkArchive *archive, MkIndexSettings *out, GError **error)
{
    (void) error; /* they are in memory */
    index_settings_get(archive, out);
    return true;
}

static void mark(ArchiveIndex *index, void *cookie)
{
    (void) cookie;
    index->needs_rebuild = true;
}

bool mk_archive_set_index_settings(MkArchive *archive, const MkIndexSettings *settings,
                                   bool mark_all, GError **error)
{
    if (!settings_check(settings, error) || !settings_keep(archive, settings, error))
        return false;
    for (guint i = 0; mark_all && i < archive->stores->len; i++) {
        ArchiveStore *store = archive->stores->pdata[i];
        g_autoptr(GPtrArray) folders = store_archives(store);

        if (!index_status_change_all(archive, store, folders, mark, NULL, error))
            return false;
    }
    return true;
}
