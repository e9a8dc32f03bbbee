/* test_settings.c - the file of design.md 5, its defaults, and what it refuses */
#include <string.h>

#include <glib/gstdio.h>

#include <mailkeep/error.h>
#include <mailkeep/settings.h>

static MkSettings *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    MkSettings *settings = mk_settings_parse(text, strlen(text), "m.yaml", true, &error);

    g_assert_no_error(error);
    return settings;
}

static const char documented[] =
    "hostname: archive.example.com\n"
    "data_dir: /srv/mail\n"
    "log: {level: debug}                 # error, warn, info, debug\n"
    "tls:\n"
    "  certificate: auto\n"
    "  key: \"\"\n"
    "  min_version: \"1.3\"\n"
    "services:\n"
    "  smtp:   {enabled: true,  listen: \"[::]:2525\"}\n"
    "  smtps:  {enabled: false,  listen: \"127.0.0.1:465\"}\n"
    "  api:    {enabled: true, listen: \"127.0.0.1:0\"}\n"
    "  metrics: {enabled: on, listen: \"[::1]:9463\"}\n"
    "proxies: []\n"
    "workers: {interactive: 3, bulk: 64}\n"
    "limits: {message_size: 150MiB, connections: 1500, map_size: 4 GiB}\n";

static void test_documented_file(void)
{
    g_autoptr(MkSettings) s = parse(documented);

    g_assert_cmpstr(s->hostname, ==, "archive.example.com");
    g_assert_cmpstr(s->data_dir, ==, "/srv/mail");
    g_assert_cmpint(s->log_level, ==, MK_LOG_DEBUG);
    g_assert_cmpstr(s->tls_certificate, ==, "auto");
    g_assert_true(s->tls_min_13);
    g_assert_cmpstr(s->services[MK_SERVICE_SMTP].host, ==, "::");
    g_assert_cmpuint(s->services[MK_SERVICE_SMTP].port, ==, 2525);
    g_assert_false(s->services[MK_SERVICE_SMTPS].enabled);
    g_assert_cmpstr(s->services[MK_SERVICE_SMTPS].host, ==, "127.0.0.1");
    g_assert_true(s->services[MK_SERVICE_API].enabled);
    g_assert_cmpuint(s->services[MK_SERVICE_API].port, ==, 0);
    g_assert_cmpstr(s->services[MK_SERVICE_METRICS].listen, ==, "[::1]:9463");
    g_assert_cmpuint(s->services[MK_SERVICE_IMAP].port, ==, 143); /* not named: the default */
    g_assert_cmpuint(s->workers_interactive, ==, 3);
    g_assert_cmpuint(s->workers_bulk, ==, 64);
    g_assert_cmpuint(s->message_size_bytes, ==, 157286400);
    g_assert_cmpuint(s->connections, ==, 1500);
    g_assert_cmpuint(s->map_size_bytes, ==, 4294967296);
}

static void test_defaults(void)
{
    g_autoptr(MkSettings) root = mk_settings_load(NULL, true, NULL);
    g_autoptr(MkSettings) user = mk_settings_load(NULL, false, NULL);
    g_autoptr(MkSettings) file = parse("# nothing\n");
    static const uint16_t ports[] = { 25, 465, 110, 995, 143, 993, 8461, 8462, 8463, 9463 };

    g_assert_cmpstr(root->data_dir, ==, "./data");
    g_assert_cmpstr(file->data_dir, ==, "/var/lib/mailkeep");
    g_assert_cmpuint(root->message_size_bytes, ==, 157286400);
    g_assert_cmpuint(root->connections, ==, 1000);
    g_assert_false(root->tls_min_13);
    g_assert_cmpstr(user->services[MK_SERVICE_SMTP].listen, ==, "[::]:10025");
    for (int kind = 0; kind < MK_SERVICE_COUNT; kind++) {
        uint16_t shift = ports[kind] < 1024 ? 10000 : 0;

        g_assert_cmpuint(root->services[kind].port, ==, ports[kind]);
        g_assert_cmpuint(user->services[kind].port, ==, ports[kind] + shift);
        g_assert_cmpint(root->services[kind].enabled, ==, kind < MK_SERVICE_API);
    }
}

static void test_user_keeps_named_ports(void)
{
    static const char text[] = "services: {smtp: {listen: \"127.0.0.1:25\"}}";
    g_autoptr(MkSettings) s = mk_settings_parse(text, strlen(text), "m.yaml", false, NULL);

    g_assert_cmpuint(s->services[MK_SERVICE_SMTP].port, ==, 25);
    g_assert_true(s->services[MK_SERVICE_SMTP].enabled);
}

static void test_accepted_forms(void)
{
    static const char *const good[] = {
        "",
        "---\n",
        "--- {}\n...\n",
        "services:\n  smtp:\n",
        "proxies:\n",
        "tls:\n",
        "hostname: \"no\"\n",
        "tls: {min_version: 1.2}\n",
        "data_dir: \"true\"\n",
        "limits: {message_size: 65536}\n",
        "limits: {message_size: \"1gib\"}\n",
        "tls: {certificate: /etc/c.pem, key: /etc/k.pem}\n",
        "services: {smtp: {enabled: no}}\n",
        "\xef\xbb\xbfhostname: a\n",
    };

    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(MkSettings) s = parse(good[i]);

        g_assert_nonnull(s);
    }
}

static void test_refused(void)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "hostnam: x\n", "m.yaml:1: hostnam: unknown key; known here: hostname, data_dir" },
        { "\nservices:\n  smpt: {}\n", "m.yaml:3: services.smpt: unknown key" },
        { "services: {smtp: {port: 25}}", "m.yaml:1: services.smtp.port: unknown key; known here: "
                                          "enabled, listen" },
        { "hostname: a\ndata_dir: b\nhostname: c\n",
          "m.yaml:3: hostname: given twice, first in line 1" },
        { "log: {level: info, level: warn}", "m.yaml:1: level: given twice" },
        { "hostname: no\n", "m.yaml:1: hostname: must be a text" },
        { "hostname: ~\n", "m.yaml:1: hostname: must be a text" },
        { "hostname:\n", "m.yaml:1: hostname: has no value" },
        { "hostname: [a]\n", "m.yaml:1: hostname: must be a single value" },
        { "hostname: a_b\n", "m.yaml:1: hostname: must be a host name" },
        { "hostname: a..b\n", "m.yaml:1: hostname: must be a host name" },
        { "hostname: -a\n", "m.yaml:1: hostname: must be a host name" },
        { "hostname: \"\"\n", "m.yaml:1: hostname: must be a host name" },
        { "data_dir: \"\"\n", "m.yaml:1: data_dir: must name a directory" },
        { "data_dir: \"a\\0b\"\n", "m.yaml:1: the value has characters" },
        { "data_dir: \"a\\nb\"\n", "m.yaml:1: data_dir: is too long or has control" },
        { "log: debug\n", "m.yaml:1: log: must be a section" },
        { "log: {level: loud}\n", "m.yaml:1: log.level: must be error, warn" },
        { "tls: {min_version: 1.1}\n", "m.yaml:1: tls.min_version: must be" },
        { "tls: {key: /k.pem}\n", "m.yaml:1: tls: a key is given" },
        { "tls:\n  certificate: /c.pem\n", "m.yaml:1: tls: a certificate file is given" },
        { "services: {smtp: {enabled: \"no\"}}", "m.yaml:1: services.smtp.enabled: must be true" },
        { "services: {smtp: {enabled: 1}}", "m.yaml:1: services.smtp.enabled: must be true" },
        { "services: {smtp: {listen: \"25\"}}", "m.yaml:1: services.smtp.listen: must be ADDR" },
        { "services: {smtp: {listen: \"::1:25\"}}", "m.yaml:1: services.smtp.listen: must be" },
        { "services: {smtp: {listen: \"[::1]\"}}", "m.yaml:1: services.smtp.listen: must be" },
        { "services: {smtp: {listen: \"[1.2.3.4]:5\"}}", "m.yaml:1: services.smtp.listen: must" },
        { "services: {smtp: {listen: \"localhost:25\"}}", "m.yaml:1: services.smtp.listen: must" },
        { "services: {smtp: {listen: \"1.2.3.4:65536\"}}", "services.smtp.listen: has a port" },
        { "services: {smtp: {listen: \"1.2.3.4:\"}}", "services.smtp.listen: has a port" },
        { "services: {smtp: {listen: \"1.2.3.4:+5\"}}", "services.smtp.listen: has a port" },
        { "proxies:\n  - {protocol: smtp}\n", "m.yaml:1: proxies: this version has no" },
        { "proxies: {}\n", "m.yaml:1: proxies: must be a list" },
        { "workers: {bulk: 0}\n", "m.yaml:1: workers.bulk: is too small" },
        { "workers: {bulk: 65}\n", "m.yaml:1: workers.bulk: is too large" },
        { "workers: {bulk: \"2\"}\n", "m.yaml:1: workers.bulk: must be a whole number" },
        { "workers: {bulk: 2.5}\n", "m.yaml:1: workers.bulk: must be a whole number" },
        { "workers: {bulk: -1}\n", "m.yaml:1: workers.bulk: must be a whole number" },
        { "limits: {message_size: 150MB}\n", "m.yaml:1: limits.message_size: must be a size" },
        { "limits: {message_size: MiB}\n", "m.yaml:1: limits.message_size: must be a size" },
        { "limits: {message_size: 1}\n", "m.yaml:1: limits.message_size: is too small" },
        { "limits: {message_size: 2TiB}\n", "m.yaml:1: limits.message_size: is too large" },
        { "limits: {message_size: 18446744073709551617}\n", "limits.message_size: must be a size" },
        { "limits: {message_size: 9223372036854775807TiB}\n", "limits.message_size: " },
        { "a: &x 1\nb: *x\n", "m.yaml:1: anchors" },
        { "log: *x\n", "m.yaml:1: aliases" },
        { "log: !!map {}\n", "m.yaml:1: tags" },
        { "{hostname: a}\n---\n{hostname: b}\n", "m.yaml:" },
        { "- a\n", "m.yaml:1: must be a section" },
        { "text\n", "m.yaml:1: must be a section" },
        { "[a]: b\n", "m.yaml:1: a key must be" },
        { "log: {level: info\n", "m.yaml:2: " },
        { "a:\n\tb: c\n", "m.yaml:2: " },
        { "proxies: [[[[[[[[[[[[]]]]]]]]]]]]\n", "m.yaml:1: nested too deep" },
        { "hostname: \xff\xfe\n", "m.yaml:" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        MkSettings *s =
            mk_settings_parse(cases[i].text, strlen(cases[i].text), "m.yaml", true, &error);

        g_assert_null(s);
        g_assert_cmpint(mk_error_code(error), ==, MK_ERROR_INVALID);
        if (strstr(error->message, cases[i].message) == NULL)
            g_error("case %u: \"%s\" instead of \"%s\"", i, error->message, cases[i].message);
    }
}

static void test_too_many_values(void)
{
    g_autoptr(GString) text = g_string_new("proxies: [");
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < 20000; i++)
        g_string_append(text, "1,");
    g_string_append(text, "]\n");
    g_assert_null(mk_settings_parse(text->str, text->len, "m.yaml", true, &error));
    g_assert_nonnull(strstr(error->message, "too many values"));
}

static void test_files(void)
{
    g_autofree char *dir = g_dir_make_tmp("mailkeep-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "mailkeep.yaml", NULL);
    g_autofree char *wanted = g_strconcat(path, ":1: hostnam:", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(MkSettings) s = NULL;

    g_assert_true(g_file_set_contents(path, "hostname: there\n", -1, NULL));
    s = mk_settings_load(path, true, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(s->hostname, ==, "there");
    g_assert_true(g_file_set_contents(path, "hostnam: there\n", -1, NULL));
    g_assert_null(mk_settings_load(path, true, &error));
    g_assert_true(g_str_has_prefix(error->message, wanted));
    g_clear_error(&error);
    g_assert_null(mk_settings_load("/dev/zero", true, &error));
    g_assert_cmpint(mk_error_code(error), ==, MK_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_null(mk_settings_load(dir, true, &error));
    g_assert_cmpint(mk_error_code(error), ==, MK_ERROR_IO);
    g_clear_error(&error);
    g_unlink(path);
    g_assert_null(mk_settings_load(path, true, &error));
    g_assert_cmpint(mk_error_code(error), ==, MK_ERROR_NOT_FOUND);
    g_rmdir(dir);
}

static void test_service_names(void)
{
    g_assert_cmpstr(mk_service_name(MK_SERVICE_SMTP), ==, "smtp");
    g_assert_cmpstr(mk_service_name(MK_SERVICE_METRICS), ==, "metrics");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/settings/documented_file", test_documented_file);
    g_test_add_func("/base/settings/defaults", test_defaults);
    g_test_add_func("/base/settings/user_keeps_named_ports", test_user_keeps_named_ports);
    g_test_add_func("/base/settings/accepted_forms", test_accepted_forms);
    g_test_add_func("/base/settings/refused", test_refused);
    g_test_add_func("/base/settings/too_many_values", test_too_many_values);
    g_test_add_func("/base/settings/files", test_files);
    g_test_add_func("/base/settings/service_names", test_service_names);
    return g_test_run();
}
