/*
 * xml.c - text of XML as it streams by, by a table of its elements
 *
 * Prefixes are cut off instead of resolved: the few elements that count have names of their own
 * in these formats. A declaration of an entity ends it: office programs write none, and they
 * are how a few octets become gigabytes.
 */
#include <string.h>

#include <expat.h>

#include "internal.h"

#define BLOCK (32u << 10)

typedef struct {
    Extraction *x;
    const XmlRule *rules;
    XML_Parser parser;
    unsigned depth;
    unsigned skip_from; /* depth of the element in which nothing counts; 0 = none */
    unsigned text_from; /* depth of the element whose text counts; 0 = none */
    bool is_reference;  /* the cell's value is the number of a shared string */
    MkTextWhy why;
} Xml;

static const char *local_name(const char *name)
{
    const char *colon = strchr(name, ':');

    return colon ? colon + 1 : name;
}

static unsigned actions_of(const Xml *xml, const char *name)
{
    const char *local = local_name(name);

    for (const XmlRule *rule = xml->rules; rule->element; rule++)
        if (strcmp(rule->element, local) == 0)
            return rule->actions;
    return 0;
}

static const char *attribute(const char **attributes, const char *name)
{
    for (; attributes[0]; attributes += 2)
        if (strcmp(local_name(attributes[0]), name) == 0)
            return attributes[1];
    return NULL;
}

static void stop(Xml *xml, MkTextWhy why)
{
    if (xml->why == MK_WHY_NONE)
        xml->why = why;
    XML_StopParser(xml->parser, XML_FALSE);
}

static void put(Xml *xml, const char *text, size_t length)
{
    if (!out_utf8(xml->x, text, length))
        stop(xml, MK_WHY_TEXT);
}

static void XMLCALL on_start(void *user, const char *name, const char **attributes)
{
    Xml *xml = user;
    unsigned actions = actions_of(xml, name);

    xml->depth++;
    if (xml->skip_from)
        return;
    if (actions & XML_SKIP)
        xml->skip_from = xml->depth;
    if (actions & XML_CELL) {
        const char *type = attribute(attributes, "t");

        xml->is_reference = type && strcmp(type, "s") == 0;
    }
    if (!xml->text_from && (actions & XML_TEXT || (actions & XML_VALUE && !xml->is_reference)))
        xml->text_from = xml->depth;
    if (actions & XML_NAME && attribute(attributes, "name")) {
        const char *text = attribute(attributes, "name");

        put(xml, text, strlen(text));
    }
}

static void XMLCALL on_end(void *user, const char *name)
{
    Xml *xml = user;
    unsigned actions = actions_of(xml, name);

    if (!xml->skip_from) {
        if (actions & XML_LINE)
            put(xml, "\n", 1);
        else if (actions & XML_BLANK)
            put(xml, " ", 1);
    }
    if (xml->skip_from == xml->depth)
        xml->skip_from = 0;
    if (xml->text_from == xml->depth)
        xml->text_from = 0;
    xml->depth--;
}

static void XMLCALL on_characters(void *user, const char *text, int length)
{
    Xml *xml = user;

    if (xml->text_from && !xml->skip_from && length > 0)
        put(xml, text, (size_t) length);
}

static void XMLCALL on_entity(void *user, const char *name, int is_parameter, const char *value,
                              int value_length, const char *base, const char *system_id,
                              const char *public_id, const char *notation)
{
    (void) name;
    (void) is_parameter;
    (void) value;
    (void) value_length;
    (void) base;
    (void) system_id;
    (void) public_id;
    (void) notation;
    stop(user, MK_WHY_ENTITY);
}

static void feed(Xml *xml, Package *package)
{
    gssize n;

    do {
        void *block = XML_GetBuffer(xml->parser, BLOCK);

        n = block ? package_read(package, block, BLOCK) : -1;
        if (n < 0) {
            xml->why = MK_WHY_DAMAGED;
            return;
        }
        if (XML_ParseBuffer(xml->parser, (int) n, n == 0) != XML_STATUS_OK) {
            if (xml->why == MK_WHY_NONE)
                xml->why = MK_WHY_DAMAGED;
            return;
        }
    } while (n > 0);
}

MkTextWhy xml_read(Package *package, const XmlRule *rules)
{
    Xml xml = { .x = package->x, .rules = rules, .parser = XML_ParserCreate(NULL) };

    XML_SetUserData(xml.parser, &xml);
    XML_SetElementHandler(xml.parser, on_start, on_end);
    XML_SetCharacterDataHandler(xml.parser, on_characters);
    XML_SetEntityDeclHandler(xml.parser, on_entity);
    feed(&xml, package);
    XML_ParserFree(xml.parser);
    return xml.why;
}
