/*
 * settings_yaml.c - libyaml's events to a small tree
 *
 * libyaml passes on what a configuration file should not have: repeated keys (the later one
 * would win unseen), aliases (a few lines can stand for gigabytes), tags, several documents.
 */
#include <string.h>

#include <yaml.h>

#include "internal.h"

enum { DEPTH = 8, NODES = 10000 };

typedef struct {
    yaml_parser_t parser;
    const char *name;
    unsigned node_count;
} Reader;

static void reader_clear(Reader *reader)
{
    yaml_parser_delete(&reader->parser);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reader, reader_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(yaml_event_t, yaml_event_delete)

void yaml_node_free(YamlNode *node)
{
    if (node == NULL)
        return;
    g_free(node->key);
    g_free(node->text);
    g_clear_pointer(&node->children, g_ptr_array_unref);
    g_free(node);
}

static void free_child(gpointer node)
{
    yaml_node_free(node);
}

bool yaml_node_is_empty(const YamlNode *node)
{
    return node->kind == YAML_NODE_SCALAR && !node->quoted && node->text[0] == '\0';
}

static unsigned line_of(const yaml_event_t *event)
{
    return (unsigned) event->start_mark.line + 1;
}

static bool fail_at(const Reader *reader, unsigned line, const char *what, GError **error)
{
    return mk_fail(error, MK_ERROR_INVALID, "%s:%u: %s", reader->name, line, what);
}

static bool next_event(Reader *reader, yaml_event_t *event, GError **error)
{
    const yaml_parser_t *parser = &reader->parser;

    if (yaml_parser_parse(&reader->parser, event))
        return true;
    memset(event, 0, sizeof *event);
    return fail_at(reader, (unsigned) parser->problem_mark.line + 1,
                   parser->problem != NULL ? parser->problem : "not readable as YAML", error);
}

static YamlNode *node_new(Reader *reader, YamlKind kind, unsigned line, GError **error)
{
    YamlNode *node;

    if (++reader->node_count > NODES) {
        fail_at(reader, line, "the file has too many values", error);
        return NULL;
    }
    node = g_new0(YamlNode, 1);
    node->kind = kind;
    node->line = line;
    if (kind != YAML_NODE_SCALAR)
        node->children = g_ptr_array_new_with_free_func(free_child);
    return node;
}

static bool refuse_decoration(const Reader *reader, const yaml_event_t *event, const void *anchor,
                              const void *tag, GError **error)
{
    if (anchor != NULL)
        return fail_at(reader, line_of(event), "anchors (&name) are not supported", error);
    if (tag != NULL)
        return fail_at(reader, line_of(event), "tags (!name) are not supported", error);
    return true;
}

static YamlNode *take_scalar(Reader *reader, const yaml_event_t *event, GError **error)
{
    const char *text = (const char *) event->data.scalar.value;
    size_t length = event->data.scalar.length;
    YamlNode *node;

    if (!refuse_decoration(reader, event, event->data.scalar.anchor, event->data.scalar.tag, error))
        return NULL;
    if (strlen(text) != length || !g_utf8_validate(text, (gssize) length, NULL)) {
        fail_at(reader, line_of(event), "the value has characters that are not text", error);
        return NULL;
    }
    node = node_new(reader, YAML_NODE_SCALAR, line_of(event), error);
    if (node != NULL) {
        node->text = g_strdup(text);
        node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    }
    return node;
}

static YamlNode *take_node(Reader *reader, const yaml_event_t *event, unsigned depth,
                           GError **error);

static YamlNode *take_list(Reader *reader, const yaml_event_t *start, unsigned depth,
                           GError **error)
{
    g_autoptr(YamlNode) list = node_new(reader, YAML_NODE_LIST, line_of(start), error);

    if (list == NULL || !refuse_decoration(reader, start, start->data.sequence_start.anchor,
                                           start->data.sequence_start.tag, error))
        return NULL;
    for (;;) {
        g_auto(yaml_event_t) event = { 0 };
        YamlNode *item;

        if (!next_event(reader, &event, error))
            return NULL;
        if (event.type == YAML_SEQUENCE_END_EVENT)
            return g_steal_pointer(&list);
        item = take_node(reader, &event, depth + 1, error);
        if (item == NULL)
            return NULL;
        g_ptr_array_add(list->children, item);
    }
}

/* Few keys a section, so a plain look at each of them will do. */
static bool add_pair(Reader *reader, YamlNode *section, YamlNode *key, YamlNode *value,
                     GError **error)
{
    g_autoptr(YamlNode) owned = value;

    for (guint i = 0; i < section->children->len; i++) {
        const YamlNode *other = section->children->pdata[i];

        if (strcmp(other->key, key->text) == 0)
            return mk_fail(error, MK_ERROR_INVALID, "%s:%u: %s: given twice, first in line %u",
                           reader->name, key->line, key->text, other->line);
    }
    owned->key = g_steal_pointer(&key->text);
    owned->line = key->line;
    g_ptr_array_add(section->children, g_steal_pointer(&owned));
    return true;
}

static bool take_pair(Reader *reader, YamlNode *section, const yaml_event_t *key_event,
                      unsigned depth, GError **error)
{
    g_auto(yaml_event_t) event = { 0 };
    g_autoptr(YamlNode) key = NULL;
    YamlNode *value;

    if (key_event->type != YAML_SCALAR_EVENT)
        return fail_at(reader, line_of(key_event), "a key must be a plain word", error);
    key = take_scalar(reader, key_event, error);
    if (key == NULL || !next_event(reader, &event, error))
        return false;
    value = take_node(reader, &event, depth + 1, error);
    return value != NULL && add_pair(reader, section, key, value, error);
}

static YamlNode *take_section(Reader *reader, const yaml_event_t *start, unsigned depth,
                              GError **error)
{
    g_autoptr(YamlNode) section = node_new(reader, YAML_NODE_SECTION, line_of(start), error);

    if (section == NULL || !refuse_decoration(reader, start, start->data.mapping_start.anchor,
                                              start->data.mapping_start.tag, error))
        return NULL;
    for (;;) {
        g_auto(yaml_event_t) event = { 0 };

        if (!next_event(reader, &event, error))
            return NULL;
        if (event.type == YAML_MAPPING_END_EVENT)
            return g_steal_pointer(&section);
        if (!take_pair(reader, section, &event, depth, error))
            return NULL;
    }
}

static YamlNode *take_node(Reader *reader, const yaml_event_t *event, unsigned depth,
                           GError **error)
{
    if (depth > DEPTH) {
        fail_at(reader, line_of(event), "nested too deep", error);
        return NULL;
    }
    switch ((int) event->type) { /* an int: the other events of libyaml all mean the same here */
    case YAML_SCALAR_EVENT: return take_scalar(reader, event, error);
    case YAML_SEQUENCE_START_EVENT: return take_list(reader, event, depth, error);
    case YAML_MAPPING_START_EVENT: return take_section(reader, event, depth, error);
    case YAML_ALIAS_EVENT:
        fail_at(reader, line_of(event), "aliases (*name) are not supported", error);
        return NULL;
    default: fail_at(reader, line_of(event), "a value was expected", error); return NULL;
    }
}

/* Passes over one event of the frame around the document; its type is the answer. */
static int skip_event(Reader *reader, GError **error)
{
    g_auto(yaml_event_t) event = { 0 };

    return next_event(reader, &event, error) ? (int) event.type : -1;
}

static YamlNode *take_document(Reader *reader, GError **error)
{
    g_auto(yaml_event_t) event = { 0 };
    g_autoptr(YamlNode) root = NULL;
    int type = skip_event(reader, error); /* start of the stream */

    if (type < 0 || (type = skip_event(reader, error)) < 0)
        return NULL;
    if (type == YAML_STREAM_END_EVENT) /* nothing but comments: all defaults */
        return node_new(reader, YAML_NODE_SECTION, 1, error);
    if (!next_event(reader, &event, error))
        return NULL;
    root = take_node(reader, &event, 0, error);
    if (root == NULL || skip_event(reader, error) < 0) /* end of the document */
        return NULL;
    type = skip_event(reader, error);
    if (type < 0)
        return NULL;
    if (type != YAML_STREAM_END_EVENT) {
        fail_at(reader, (unsigned) reader->parser.mark.line + 1,
                "the file has a second document (---)", error);
        return NULL;
    }
    return g_steal_pointer(&root);
}

YamlNode *yaml_tree_parse(const char *text, size_t length, const char *name, GError **error)
{
    g_auto(Reader) reader = { .name = name };

    if (!yaml_parser_initialize(&reader.parser))
        g_error("no memory for the YAML parser");
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *) text, length);
    return take_document(&reader, error);
}
