/* internal.h - the configuration file as a tree, shared by the settings files */
#ifndef MAILKEEP_BASE_INTERNAL_H
#define MAILKEEP_BASE_INTERNAL_H

#include <mailkeep/error.h>
#include <mailkeep/settings.h>

typedef enum { YAML_NODE_SCALAR, YAML_NODE_LIST, YAML_NODE_SECTION } YamlKind;

typedef struct YamlNode {
    YamlKind kind;
    unsigned line;       /* 1.. */
    char *key;           /* of this node in its section; NULL in a list and at the top */
    char *text;          /* of a scalar; valid UTF-8, no NUL inside */
    bool quoted;         /* a scalar in quotes or a block: always a text, never a number or `no` */
    GPtrArray *children; /* YamlNode, owned; of a list or section */
} YamlNode;

void yaml_node_free(YamlNode *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(YamlNode, yaml_node_free)

/* One document; NULL with MK_ERROR_INVALID. Repeated keys, aliases, anchors and tags are errors. */
YamlNode *yaml_tree_parse(const char *text, size_t length, const char *name, GError **error);
/* `key:` with nothing behind it */
bool yaml_node_is_empty(const YamlNode *node);

/* -- settings_values.c: texts to values; false = @out_why says what is wrong (static text) ---- */
bool value_bool(const YamlNode *node, bool *out, const char **out_why);
/* Plain octets or with KiB, MiB, GiB, TiB; between @min and @max */
bool value_size(const YamlNode *node, uint64_t min, uint64_t max, uint64_t *out,
                const char **out_why);
bool value_number(const YamlNode *node, unsigned min, unsigned max, unsigned *out,
                  const char **out_why);
bool value_text(const YamlNode *node, char **out, const char **out_why);
/* mk_settings_is_host_name() */
bool value_host_name(const YamlNode *node, char **out, const char **out_why);
/* ADDR:PORT, IPv6 in brackets, into listen, host and port; the old strings are freed */
bool value_listen(const YamlNode *node, MkServiceSettings *out, const char **out_why);

/* -- settings.c ------------------------------------------------------------------------------- */
/* At most 1 MiB, whatever the path leads to. */
char *settings_read_file(const char *path, size_t *out_length, GError **error);
/* machine.yaml: the one key it may have; *out_hostname stays as it is without it. */
bool settings_parse_machine(const char *text, size_t length, const char *name, char **out_hostname,
                            GError **error);
/* -- settings_machine.c ------------------------------------------------------------------------- */
/* Applies <data_dir>/machine.yaml, if there is one. */
bool settings_apply_machine(MkSettings *settings, GError **error);

#endif
