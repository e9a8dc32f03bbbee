/* settings_values.c - one scalar of the configuration file to one value */
#include <arpa/inet.h>
#include <string.h>

#include "internal.h"

enum { HOST_NAME_BYTES = 253, LABEL_BYTES = 63, TEXT_BYTES = 4096 };

static bool fail_why(const char **out_why, const char *why)
{
    *out_why = why;
    return false;
}

/* What YAML 1.1 takes for a truth value when it is not quoted. */
static bool is_bool_word(const char *text, bool *out)
{
    static const char *const words[2][3] = { { "false", "no", "off" }, { "true", "yes", "on" } };

    for (int value = 0; value < 2; value++) {
        for (int i = 0; i < 3; i++) {
            if (g_ascii_strcasecmp(text, words[value][i]) == 0) {
                *out = value == 1;
                return true;
            }
        }
    }
    return false;
}

bool value_bool(const YamlNode *node, bool *out, const char **out_why)
{
    if (node->kind != YAML_NODE_SCALAR || node->quoted || !is_bool_word(node->text, out))
        return fail_why(out_why, "must be true or false, without quotes");
    return true;
}

/* The number at the start of @text; false without one or when it is above 2^63. */
static bool leading_number(const char *text, uint64_t *out, const char **out_rest)
{
    uint64_t number = 0;
    const char *p = text;

    for (; g_ascii_isdigit(*p); p++) {
        if (number > (UINT64_C(1) << 63) / 10)
            return false;
        number = number * 10 + (uint64_t) (*p - '0');
    }
    *out = number;
    *out_rest = p;
    return p > text;
}

static bool unit_shift(const char *unit, unsigned *out)
{
    static const char *const units[] = { "", "KiB", "MiB", "GiB", "TiB" };

    while (*unit == ' ')
        unit++;
    for (unsigned i = 0; i < G_N_ELEMENTS(units); i++) {
        if (g_ascii_strcasecmp(unit, units[i]) == 0) {
            *out = 10 * i;
            return true;
        }
    }
    return false;
}

bool value_size(const YamlNode *node, uint64_t min, uint64_t max, uint64_t *out,
                const char **out_why)
{
    uint64_t number;
    const char *unit;
    unsigned shift;

    if (node->kind != YAML_NODE_SCALAR || !leading_number(node->text, &number, &unit) ||
        !unit_shift(unit, &shift))
        return fail_why(out_why, "must be a size: octets, or a whole number with KiB, MiB, GiB or "
                                 "TiB, such as 150MiB");
    if (number > max >> shift)
        return fail_why(out_why, "is too large");
    if (number << shift < min)
        return fail_why(out_why, "is too small");
    *out = number << shift;
    return true;
}

bool value_number(const YamlNode *node, unsigned min, unsigned max, unsigned *out,
                  const char **out_why)
{
    uint64_t number;
    const char *rest;

    if (node->kind != YAML_NODE_SCALAR || node->quoted ||
        !leading_number(node->text, &number, &rest) || *rest != '\0')
        return fail_why(out_why, "must be a whole number, without quotes");
    if (number < min)
        return fail_why(out_why, "is too small");
    if (number > max)
        return fail_why(out_why, "is too large");
    *out = (unsigned) number;
    return true;
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if (g_ascii_iscntrl(*text))
            return true;
    return false;
}

bool value_text(const YamlNode *node, char **out, const char **out_why)
{
    bool unused;

    if (node->kind != YAML_NODE_SCALAR)
        return fail_why(out_why, "must be a single value");
    if (yaml_node_is_empty(node))
        return fail_why(out_why, "has no value: leave the key out for the default");
    if (!node->quoted && (is_bool_word(node->text, &unused) || strcmp(node->text, "~") == 0 ||
                          g_ascii_strcasecmp(node->text, "null") == 0))
        return fail_why(out_why, "must be a text: put it in quotes if it is meant as one");
    if (strlen(node->text) > TEXT_BYTES || has_control(node->text))
        return fail_why(out_why, "is too long or has control characters");
    g_free(*out);
    *out = g_strdup(node->text);
    return true;
}

static bool is_label(const char *label)
{
    size_t length = strlen(label);

    if (length == 0 || length > LABEL_BYTES || label[0] == '-' || label[length - 1] == '-')
        return false;
    for (; *label != '\0'; label++)
        if (!g_ascii_isalnum(*label) && *label != '-')
            return false;
    return true;
}

bool mk_settings_is_host_name(const char *text)
{
    g_auto(GStrv) labels = NULL;

    if (strlen(text) > HOST_NAME_BYTES)
        return false;
    labels = g_strsplit(text, ".", -1);
    if (labels[0] == NULL)
        return false;
    for (char **label = labels; *label != NULL; label++)
        if (!is_label(*label))
            return false;
    return true;
}

bool value_host_name(const YamlNode *node, char **out, const char **out_why)
{
    g_autofree char *text = NULL;

    if (!value_text(node, &text, out_why))
        return false;
    if (!mk_settings_is_host_name(text))
        return fail_why(out_why, "must be a host name, such as archive.example.com");
    g_free(*out);
    *out = g_steal_pointer(&text);
    return true;
}

static bool parse_port(const char *text, uint16_t *out)
{
    uint64_t port;
    const char *rest;

    if (!leading_number(text, &port, &rest) || *rest != '\0' || port > UINT16_MAX)
        return false;
    *out = (uint16_t) port;
    return true;
}

static bool is_address(const char *host, bool in_brackets)
{
    struct in6_addr address;

    return inet_pton(in_brackets ? AF_INET6 : AF_INET, host, &address) == 1;
}

/* "[::1]:25" to "::1" and "25", "127.0.0.1:25" to "127.0.0.1" and "25"; NULL = neither form */
static char *split_listen(const char *listen, const char **out_port)
{
    bool in_brackets = listen[0] == '[';
    const char *start = listen + (in_brackets ? 1 : 0);
    const char *end = in_brackets ? strstr(start, "]:") : strchr(start, ':');
    g_autofree char *host = NULL;

    if (end == NULL)
        return NULL;
    host = g_strndup(start, (gsize) (end - start));
    if (!is_address(host, in_brackets))
        return NULL;
    *out_port = end + (in_brackets ? 2 : 1);
    return g_steal_pointer(&host);
}

bool value_listen(const YamlNode *node, MkServiceSettings *out, const char **out_why)
{
    g_autofree char *listen = NULL;
    g_autofree char *host = NULL;
    const char *port_text;
    uint16_t port;

    if (!value_text(node, &listen, out_why))
        return false;
    host = split_listen(listen, &port_text);
    if (host == NULL)
        return fail_why(out_why, "must be ADDRESS:PORT with a numeric address, an IPv6 address in "
                                 "brackets: 127.0.0.1:25 or \"[::]:25\"");
    if (!parse_port(port_text, &port))
        return fail_why(out_why, "has a port that is not a number from 0 to 65535");
    g_free(out->listen);
    g_free(out->host);
    out->listen = g_steal_pointer(&listen);
    out->host = g_steal_pointer(&host);
    out->port = port;
    return true;
}
