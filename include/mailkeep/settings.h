/*
 * settings.h - the configuration file
 *
 * Purpose    Reads the YAML file of design.md 5 into plain values; defaults for what is absent.
 * Errors     MK_ERROR_INVALID; the message reads `FILE:LINE: key.sub: what is wrong`: unknown
 *            and repeated keys, wrong types, bad addresses, ports and sizes, aliases and anchors.
 * Ownership  mk_settings_free() frees all strings. Immutable once loaded.
 * Threads    Load on start or on HUP; read from anywhere.
 */
#ifndef MAILKEEP_SETTINGS_H
#define MAILKEEP_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include <mailkeep/log.h>

typedef enum {
    MK_SERVICE_SMTP,
    MK_SERVICE_SMTPS,
    MK_SERVICE_POP3,
    MK_SERVICE_POP3S,
    MK_SERVICE_IMAP,
    MK_SERVICE_IMAPS,
    MK_SERVICE_HTTP,
    MK_SERVICE_HTTPS,
    MK_SERVICE_API,
    MK_SERVICE_METRICS,
    MK_SERVICE_COUNT,
} MkServiceKind;

typedef struct {
    bool enabled;
    char *listen;  /* ADDR:PORT as written, IPv6 in brackets */
    char *host;    /* the address without brackets */
    uint16_t port; /* 0 = any free port; the daemon logs which */
} MkServiceSettings;

typedef struct {
    char *hostname;      /* default: that of machine.yaml, else the machine's name */
    bool hostname_given; /* by the configuration file: machine.yaml counts for nothing */
    char *data_dir;      /* default without a file: ./data; with one: /var/lib/mailkeep */
    MkLogLevel log_level;
    char *tls_certificate; /* "auto" or a PEM file */
    char *tls_key;         /* PEM file; "" with auto */
    bool tls_min_13;       /* min_version "1.3"; default "1.2" */
    MkServiceSettings services[MK_SERVICE_COUNT];
    unsigned workers_interactive; /* 1..64 */
    unsigned workers_bulk;        /* 1..64 */
    uint64_t message_size_bytes;
    unsigned connections;
    uint64_t map_size_bytes; /* limits.map_size: address space of one database; default 1 TiB */
} MkSettings;

/*
 * mk_settings_load() - read a file, or take the defaults
 * @path     file; NULL = defaults with data_dir ./data
 * @is_root  false moves every default port below 1024 up by 10000
 */
MkSettings *mk_settings_load(const char *path, bool is_root, GError **error);
/* The same from memory; @name stands for the file in messages. For tests and the fuzzer. */
MkSettings *mk_settings_parse(const char *text, size_t length, const char *name, bool is_root,
                              GError **error);
void mk_settings_free(MkSettings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkSettings, mk_settings_free)

/*
 * -- machine.yaml: what was chosen in the browser -----------------------------------------------
 * <data_dir>/machine.yaml has the form of the configuration file, but no other key than `hostname`.
 * mk_settings_load() reads it; it applies where the configuration file says nothing.
 */
/* NULL without @error: no such file, or it names none. MK_ERROR_INVALID, _IO. New string. */
char *mk_settings_machine_hostname(const char *data_dir, GError **error);
/* Blocks (fsync). MK_ERROR_INVALID: no host name. */
bool mk_settings_keep_hostname(const char *data_dir, const char *hostname, GError **error);
/* Letters, digits, hyphens and dots in labels of at most 63, 253 in all (RFC 1123 2.1) */
bool mk_settings_is_host_name(const char *text);

const char *mk_service_name(MkServiceKind kind); /* "smtp", ... */

#endif
