/* test_criteria.c - criteria by name, date presets */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fixture.h"

/* -- criteria ------------------------------------------------------------------------------------ */
/* "name=value&name=value" */
static const char *get(const char *name, void *cookie)
{
    return g_hash_table_lookup(cookie, name);
}

static bool read_criteria(const char *text, MkCriteria *out, GError **error)
{
    g_autoptr(GHashTable) table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) pairs = g_strsplit(text, "&", -1);

    for (char **pair = pairs; *pair != NULL; pair++) {
        char *equals = strchr(*pair, '=');

        g_assert_nonnull(equals);
        g_hash_table_replace(table, g_strndup(*pair, (gsize) (equals - *pair)),
                             g_strdup(equals + 1));
    }
    return mk_criteria_read(out, get, table, error);
}

static void test_all(void)
{
    g_autoptr(GError) error = NULL;
    MkCriteria c;

    g_assert_true(read_criteria(
        "q=a b&fields=subject,body&fromWords=anna&recipients=bert&folder=x/y&subfolders=false"
        "&from=2024-02-29&to=2024-02-29&archivedFrom=2024-01-01T12:00:00&attachments=without"
        "&sizeMin=10&sizeMax=20&importance=low,high&text=failed,not-indexed&store=1"
        "&group=conversation&sort=subject",
        &c, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(c.find.query, ==, "a b");
    g_assert_cmpuint(c.find.fields, ==,
                     MK_FIELD_BIT(MK_FIELD_SUBJECT) | MK_FIELD_BIT(MK_FIELD_BODY));
    g_assert_cmpstr(c.find.from, ==, "anna");
    g_assert_cmpstr(c.find.recipients, ==, "bert");
    g_assert_cmpstr(c.find.folder, ==, "x/y");
    g_assert_true(c.find.only_folder);
    g_assert_cmpint(c.find.date_from_unix_ms, ==, 1709164800000); /* date -ud 2024-02-29 +%s */
    g_assert_cmpint(c.find.date_to_unix_ms, ==, 1709164800000 + 86400000 - 1);
    g_assert_cmpint(c.find.archived_from_unix_ms, ==, 1704110400000);
    g_assert_cmpint(c.find.archived_to_unix_ms, ==, INT64_MAX);
    g_assert_cmpint(c.find.attachments, ==, MK_ATTACHMENTS_WITHOUT);
    g_assert_cmpuint(c.find.size_min_bytes, ==, 10);
    g_assert_cmpuint(c.find.size_max_bytes, ==, 20);
    g_assert_true(c.find.importance_low && !c.find.importance_normal && c.find.importance_high);
    g_assert_cmpuint(c.find.text_flags, ==, MK_INDEX_TEXT_FAILED | MK_INDEX_TEXT_NOT_INDEXED);
    g_assert_cmpuint(c.find.store_id, ==, 1);
    g_assert_cmpint(c.find.group, ==, MK_GROUP_CONVERSATION);
    g_assert_cmpint(c.find.sort, ==, MK_SORT_SUBJECT);
    g_assert_true(c.find.ascending); /* texts from A */
    mk_criteria_clear(&c);
}

static void test_nothing(void)
{
    MkCriteria c;

    g_assert_true(read_criteria("q=&folder=&from=&preset=custom&attachments=", &c, NULL));
    g_assert_null(c.find.query);
    g_assert_null(c.find.folder);
    g_assert_false(c.find.only_folder);
    g_assert_false(c.find.ascending);
    g_assert_cmpint(c.find.date_from_unix_ms, ==, 0);
    g_assert_cmpint(c.find.date_to_unix_ms, ==, 0);
    mk_criteria_clear(&c);
}

static void test_refused(void)
{
    static const char *const bad[] = {
        "fields=subject,nothing",
        "fields=subject,",
        "from=2023-02-29",
        "from=2023-13-01",
        "from=2023-00-01",
        "to=2023-01-32",
        "from=2023-1-1",
        "from=20230101",
        "from=2023-01-01T00:00",
        "from=2023-01-0a",
        "from=0000-01-01",
        "from=2023/01/01",
        "from=2023-01-01Z",
        "sizeMin=-1",
        "sizeMin=1k",
        "sizeMin=2&sizeMax=1",
        "importance=urgent",
        "text=bad",
        "attachments=maybe",
        "group=all",
        "sort=colour",
        "order=up",
        "subfolders=perhaps",
        "preset=tomorrow",
        "store=x",
        "from=2023-01-02&to=2023-01-01",
        "preset=today&from=2023-01-01",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        MkCriteria c;

        g_test_message("%s", bad[i]);
        g_assert_false(read_criteria(bad[i], &c, &error));
        g_assert_error(error, MK_ERROR, MK_ERROR_INVALID);
    }
}

/* -- presets ------------------------------------------------------------------------------------- */
/* From `date -d "$(TZ=... )"`, GNU date: TZ=Europe/Berlin date -d '2024-03-25 00:00' +%s and so on. */
static const struct {
    const char *zone;
    const char *preset;
    int64_t now_s, from_s, behind_s;
} presets[] = {
    /* Sunday 31 March 2024, 12:00 CEST: the day has 23 hours, the week began on the 25th */
    { "Europe/Berlin", "today", 1711879200, 1711839600, 1711922400 },
    { "Europe/Berlin", "yesterday", 1711879200, 1711753200, 1711839600 },
    { "Europe/Berlin", "this-week", 1711879200, 1711321200, 1711922400 },
    { "Europe/Berlin", "last-week", 1711879200, 1710716400, 1711321200 },
    { "Europe/Berlin", "this-month", 1711879200, 1709247600, 1711922400 },
    { "Europe/Berlin", "last-month", 1711879200, 1706742000, 1709247600 },
    { "Europe/Berlin", "this-year", 1711879200, 1704063600, 1735686000 },
    { "Europe/Berlin", "last-year", 1711879200, 1672527600, 1704063600 },
    /* Sunday 27 October 2024, 12:00 CET: 25 hours */
    { "Europe/Berlin", "today", 1730026800, 1729980000, 1730070000 },
    /* Monday 1 January 2024, 00:00 UTC */
    { "UTC", "this-week", 1704067200, 1704067200, 1704672000 },
    { "UTC", "yesterday", 1704067200, 1703980800, 1704067200 },
    { "UTC", "last-year", 1704067200, 1672531200, 1704067200 },
    /* midnight is left out (4 November 2018 begins at 01:00), or comes twice (5 November 2023) */
    { "America/Sao_Paulo", "today", 1541347200, 1541300400, 1541383200 },
    { "America/Havana", "today", 1699210800, 1699156800, 1699246800 },
};

static void test_presets(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(presets); i++) {
        int64_t from_ms, to_ms;

        g_test_message("%s %s", presets[i].zone, presets[i].preset);
        g_setenv("TZ", presets[i].zone, TRUE);
        tzset();
        g_assert_true(mk_date_preset(presets[i].preset, presets[i].now_s * 1000, &from_ms, &to_ms));
        g_assert_cmpint(from_ms, ==, presets[i].from_s * 1000);
        g_assert_cmpint(to_ms, ==, presets[i].behind_s * 1000 - 1);
    }
    g_assert_false(mk_date_preset("someday", 0, &(int64_t){ 0 }, &(int64_t){ 0 }));
    g_assert_false(mk_date_preset(NULL, 0, &(int64_t){ 0 }, &(int64_t){ 0 }));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/criteria/all", test_all);
    g_test_add_func("/criteria/nothing", test_nothing);
    g_test_add_func("/criteria/refused", test_refused);
    g_test_add_func("/criteria/presets", test_presets);
    return g_test_run();
}
