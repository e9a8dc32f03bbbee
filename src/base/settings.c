/* settings.c - defaults, the keys there are, and reading the file */
#include <mailkeep/settings.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <mailkeep/limits.h>

#include "internal.h"

enum { FILE_BYTES = 1 << 20, USER_PORT_SHIFT = 10000, WORKERS_MAX = 64, CONNECTIONS_MAX = 100000 };

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define TIB (GIB * 1024)

/* Several maps of a TiB do not fit beside ThreadSanitizer's own. */
#ifdef __SANITIZE_THREAD__
#define MAP_SIZE (64 * GIB)
#else
#define MAP_SIZE TIB
#endif

/* -- services and defaults ------------------------------------------------------------------ */

static const struct {
    const char *name;
    const char *host;
    uint16_t port;
    bool enabled;
} services[MK_SERVICE_COUNT] = {
    [MK_SERVICE_SMTP] = { "smtp", "::", 25, true },
    [MK_SERVICE_SMTPS] = { "smtps", "::", 465, true },
    [MK_SERVICE_POP3] = { "pop3", "::", 110, true },
    [MK_SERVICE_POP3S] = { "pop3s", "::", 995, true },
    [MK_SERVICE_IMAP] = { "imap", "::", 143, true },
    [MK_SERVICE_IMAPS] = { "imaps", "::", 993, true },
    [MK_SERVICE_HTTP] = { "http", "::", 8461, true },
    [MK_SERVICE_HTTPS] = { "https", "::", 8462, true },
    [MK_SERVICE_API] = { "api", "127.0.0.1", 8463, false },
    [MK_SERVICE_METRICS] = { "metrics", "127.0.0.1", 9463, false },
};

const char *mk_service_name(MkServiceKind kind)
{
    return services[kind].name;
}

static void default_service(MkServiceSettings *service, int kind, bool is_root)
{
    const char *host = services[kind].host;
    uint16_t port = services[kind].port;

    if (!is_root && port < 1024)
        port += USER_PORT_SHIFT;
    service->enabled = services[kind].enabled;
    service->host = g_strdup(host);
    service->port = port;
    service->listen =
        g_strdup_printf(strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, (unsigned) port);
}

static MkSettings *settings_new(const char *data_dir, bool is_root)
{
    MkSettings *settings = g_new0(MkSettings, 1);

    settings->hostname =
        g_strdup(mk_settings_is_host_name(g_get_host_name()) ? g_get_host_name() : "localhost");
    settings->data_dir = g_strdup(data_dir);
    settings->log_level = MK_LOG_INFO;
    settings->tls_certificate = g_strdup("auto");
    settings->tls_key = g_strdup("");
    settings->workers_interactive = 2;
    settings->workers_bulk = 2;
    settings->message_size_bytes = MK_LIMIT_MESSAGE_BYTES;
    settings->connections = MK_LIMIT_CONNECTIONS;
    settings->map_size_bytes = MAP_SIZE;
    for (int kind = 0; kind < MK_SERVICE_COUNT; kind++)
        default_service(&settings->services[kind], kind, is_root);
    return settings;
}

void mk_settings_free(MkSettings *settings)
{
    if (settings == NULL)
        return;
    g_free(settings->hostname);
    g_free(settings->data_dir);
    g_free(settings->tls_certificate);
    g_free(settings->tls_key);
    for (int kind = 0; kind < MK_SERVICE_COUNT; kind++) {
        g_free(settings->services[kind].listen);
        g_free(settings->services[kind].host);
    }
    g_free(settings);
}

/* -- the keys ------------------------------------------------------------------------------- */

typedef struct {
    MkSettings *settings;
    const char *name;
    GString *path;              /* "services.smtp.listen" of the value at hand */
    MkServiceSettings *service; /* within one service's section */
    GError **error;
} Walk;

typedef struct {
    const char *key;
    bool (*take)(Walk *walk, const YamlNode *node);
} Field;

static bool fail_here(Walk *walk, const YamlNode *node, const char *what)
{
    return mk_fail(walk->error, MK_ERROR_INVALID, "%s:%u: %s%s%s", walk->name, node->line,
                   walk->path->str, walk->path->len > 0 ? ": " : "", what);
}

/* "unknown key; known here: a, b, c" */
static bool fail_unknown(Walk *walk, const YamlNode *node, const Field *fields, size_t count)
{
    g_autoptr(GString) what = g_string_new("unknown key; known here: ");

    for (size_t i = 0; i < count; i++)
        g_string_append_printf(what, "%s%s", i > 0 ? ", " : "", fields[i].key);
    return fail_here(walk, node, what->str);
}

static bool take_child(Walk *walk, const YamlNode *node, const Field *fields, size_t count)
{
    gsize before = walk->path->len;
    bool ok = false;
    size_t i = 0;

    g_string_append_printf(walk->path, "%s%.100s", before > 0 ? "." : "", node->key);
    while (i < count && strcmp(fields[i].key, node->key) != 0)
        i++;
    ok = i < count ? fields[i].take(walk, node) : fail_unknown(walk, node, fields, count);
    g_string_truncate(walk->path, before);
    return ok;
}

static bool take_fields(Walk *walk, const YamlNode *node, const Field *fields, size_t count)
{
    if (yaml_node_is_empty(node)) /* all lines of the section are comments */
        return true;
    if (node->kind != YAML_NODE_SECTION)
        return fail_here(walk, node, "must be a section with keys of its own");
    for (guint i = 0; i < node->children->len; i++)
        if (!take_child(walk, node->children->pdata[i], fields, count))
            return false;
    return true;
}

static bool take_hostname(Walk *walk, const YamlNode *node)
{
    const char *why;

    walk->settings->hostname_given = true;
    return value_host_name(node, &walk->settings->hostname, &why) || fail_here(walk, node, why);
}

static bool take_data_dir(Walk *walk, const YamlNode *node)
{
    const char *why;

    if (!value_text(node, &walk->settings->data_dir, &why))
        return fail_here(walk, node, why);
    return walk->settings->data_dir[0] != '\0' || fail_here(walk, node, "must name a directory");
}

static bool take_log_level(Walk *walk, const YamlNode *node)
{
    if (node->kind != YAML_NODE_SCALAR ||
        !mk_log_level_parse(node->text, &walk->settings->log_level))
        return fail_here(walk, node, "must be error, warn, info or debug");
    return true;
}

static bool take_log(Walk *walk, const YamlNode *node)
{
    static const Field fields[] = { { "level", take_log_level } };

    return take_fields(walk, node, fields, G_N_ELEMENTS(fields));
}

static bool take_certificate(Walk *walk, const YamlNode *node)
{
    const char *why;

    if (!value_text(node, &walk->settings->tls_certificate, &why))
        return fail_here(walk, node, why);
    return walk->settings->tls_certificate[0] != '\0' ||
           fail_here(walk, node, "must be auto or a PEM file");
}

static bool take_key(Walk *walk, const YamlNode *node)
{
    const char *why;

    return value_text(node, &walk->settings->tls_key, &why) || fail_here(walk, node, why);
}

static bool take_min_version(Walk *walk, const YamlNode *node)
{
    bool is_12 = node->kind == YAML_NODE_SCALAR && strcmp(node->text, "1.2") == 0;
    bool is_13 = node->kind == YAML_NODE_SCALAR && strcmp(node->text, "1.3") == 0;

    if (!is_12 && !is_13)
        return fail_here(walk, node, "must be \"1.2\" or \"1.3\"");
    walk->settings->tls_min_13 = is_13;
    return true;
}

static bool take_tls(Walk *walk, const YamlNode *node)
{
    static const Field fields[] = { { "certificate", take_certificate },
                                    { "key", take_key },
                                    { "min_version", take_min_version } };
    const MkSettings *settings = walk->settings;
    bool is_auto;

    if (!take_fields(walk, node, fields, G_N_ELEMENTS(fields)))
        return false;
    is_auto = strcmp(settings->tls_certificate, "auto") == 0;
    if (is_auto && settings->tls_key[0] != '\0')
        return fail_here(walk, node, "a key is given, but no certificate file");
    if (!is_auto && settings->tls_key[0] == '\0')
        return fail_here(walk, node, "a certificate file is given, but no key file");
    return true;
}

static bool take_enabled(Walk *walk, const YamlNode *node)
{
    const char *why;

    return value_bool(node, &walk->service->enabled, &why) || fail_here(walk, node, why);
}

static bool take_listen(Walk *walk, const YamlNode *node)
{
    const char *why;

    return value_listen(node, walk->service, &why) || fail_here(walk, node, why);
}

static bool take_service(Walk *walk, const YamlNode *node)
{
    static const Field fields[] = { { "enabled", take_enabled }, { "listen", take_listen } };
    int kind = 0;

    while (strcmp(services[kind].name, node->key) != 0)
        kind++; /* ends: take_services() lists these names only */
    walk->service = &walk->settings->services[kind];
    return take_fields(walk, node, fields, G_N_ELEMENTS(fields));
}

static bool take_services(Walk *walk, const YamlNode *node)
{
    Field fields[MK_SERVICE_COUNT];

    for (int kind = 0; kind < MK_SERVICE_COUNT; kind++)
        fields[kind] = (Field){ services[kind].name, take_service };
    return take_fields(walk, node, fields, G_N_ELEMENTS(fields));
}

static bool take_proxies(Walk *walk, const YamlNode *node)
{
    if (yaml_node_is_empty(node))
        return true;
    if (node->kind != YAML_NODE_LIST)
        return fail_here(walk, node, "must be a list");
    return node->children->len == 0 ||
           fail_here(walk, node,
                     "this version has no fixed-target proxies yet: only [] is allowed");
}

static bool take_interactive(Walk *walk, const YamlNode *node)
{
    const char *why;

    return value_number(node, 1, WORKERS_MAX, &walk->settings->workers_interactive, &why) ||
           fail_here(walk, node, why);
}

static bool take_bulk(Walk *walk, const YamlNode *node)
{
    const char *why;

    return value_number(node, 1, WORKERS_MAX, &walk->settings->workers_bulk, &why) ||
           fail_here(walk, node, why);
}

static bool take_workers(Walk *walk, const YamlNode *node)
{
    static const Field fields[] = { { "interactive", take_interactive }, { "bulk", take_bulk } };

    return take_fields(walk, node, fields, G_N_ELEMENTS(fields));
}

static bool take_message_size(Walk *walk, const YamlNode *node)
{
    const char *why;

    return value_size(node, 64 * KIB, GIB, &walk->settings->message_size_bytes, &why) ||
           fail_here(walk, node, why);
}

static bool take_connections(Walk *walk, const YamlNode *node)
{
    const char *why;

    return value_number(node, 1, CONNECTIONS_MAX, &walk->settings->connections, &why) ||
           fail_here(walk, node, why);
}

static bool take_map_size(Walk *walk, const YamlNode *node)
{
    const char *why;

    return value_size(node, 16 * MIB, 16 * TIB, &walk->settings->map_size_bytes, &why) ||
           fail_here(walk, node, why);
}

static bool take_limits(Walk *walk, const YamlNode *node)
{
    static const Field fields[] = { { "message_size", take_message_size },
                                    { "connections", take_connections },
                                    { "map_size", take_map_size } };

    return take_fields(walk, node, fields, G_N_ELEMENTS(fields));
}

static bool take_root(Walk *walk, const YamlNode *node)
{
    static const Field fields[] = {
        { "hostname", take_hostname }, { "data_dir", take_data_dir }, { "log", take_log },
        { "tls", take_tls },           { "services", take_services }, { "proxies", take_proxies },
        { "workers", take_workers },   { "limits", take_limits },
    };

    return take_fields(walk, node, fields, G_N_ELEMENTS(fields));
}

/* -- reading -------------------------------------------------------------------------------- */

MkSettings *mk_settings_parse(const char *text, size_t length, const char *name, bool is_root,
                              GError **error)
{
    g_autoptr(MkSettings) settings = settings_new("/var/lib/mailkeep", is_root);
    g_autoptr(GString) path = g_string_new(NULL);
    g_autoptr(YamlNode) root = yaml_tree_parse(text, length, name, error);
    Walk walk = { .settings = settings, .name = name, .path = path, .error = error };

    if (root == NULL || !take_root(&walk, root))
        return NULL;
    return g_steal_pointer(&settings);
}

bool settings_parse_machine(const char *text, size_t length, const char *name, char **out_hostname,
                            GError **error)
{
    static const Field fields[] = { { "hostname", take_hostname } };
    g_autoptr(MkSettings) settings = g_new0(MkSettings, 1);
    g_autoptr(GString) path = g_string_new(NULL);
    g_autoptr(YamlNode) root = yaml_tree_parse(text, length, name, error);
    Walk walk = { .settings = settings, .name = name, .path = path, .error = error };

    if (root == NULL || !take_fields(&walk, root, fields, G_N_ELEMENTS(fields)))
        return false;
    if (settings->hostname != NULL) {
        g_free(*out_hostname);
        *out_hostname = g_steal_pointer(&settings->hostname);
    }
    return true;
}

char *settings_read_file(const char *path, size_t *out_length, GError **error)
{
    g_autofree char *text = g_malloc(FILE_BYTES + 1);
    FILE *file = fopen(path, "re");
    size_t length;
    int errnum;

    if (file == NULL) {
        mk_fail_errno(error, errno, "open %s", path);
        return NULL;
    }
    errno = 0;
    length = fread(text, 1, FILE_BYTES + 1, file);
    errnum = ferror(file) ? errno : 0;
    fclose(file);
    if (errnum != 0) {
        mk_fail_errno(error, errnum, "read %s", path);
        return NULL;
    }
    if (length > FILE_BYTES) {
        mk_fail(error, MK_ERROR_INVALID, "%s: larger than 1 MiB, no configuration file", path);
        return NULL;
    }
    *out_length = length;
    return g_steal_pointer(&text);
}

MkSettings *mk_settings_load(const char *path, bool is_root, GError **error)
{
    g_autoptr(MkSettings) settings = NULL;
    g_autofree char *text = NULL;
    size_t length;

    if (path == NULL) {
        settings = settings_new("./data", is_root);
    } else {
        text = settings_read_file(path, &length, error);
        if (text != NULL)
            settings = mk_settings_parse(text, length, path, is_root, error);
    }
    if (settings == NULL || !settings_apply_machine(settings, error))
        return NULL;
    return g_steal_pointer(&settings);
}
