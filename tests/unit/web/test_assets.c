/* test_assets.c - which file of the web application a path means, and in which form it is wanted */
#include <string.h>

#include "web/assets.h"
#include "web/internal.h"

static const struct {
    const char *path;
    const char *asset; /* NULL: none */
} paths[] = {
    { "/", "/index.html" },
    { "/index.html", "/index.html" },
    { "/folder/zoe/Journal Incoming", "/index.html" },
    { "/folder", "/index.html" },
    { "/search", "/index.html" },
    { "/message/1:42", "/index.html" },
    { "/admin/users", "/index.html" },
    { "/folders", NULL },
    { "/searching", NULL },
    { "/favicon.ico", NULL },
    { "/assets/", NULL },
    { "/assets/../index.html", NULL },
    { "//", NULL },
    { "", NULL },
    { "*", NULL },
    { "/api/v1/none", NULL },
};

static void test_paths(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        const WebAsset *asset = web_asset_find(paths[i].path);
        g_test_message("%s", paths[i].path);
        g_assert_cmpstr(asset != NULL ? asset->path : NULL, ==, paths[i].asset);
    }
}

/* Every file is found by its path, has content in both forms, and a type a browser believes. */
static void test_table(void)
{
    g_assert_cmpuint(web_asset_count, >, 0);
    for (size_t i = 0; i < web_asset_count; i++) {
        const WebAsset *asset = &web_asset_table[i];
        g_test_message("%s", asset->path);
        g_assert_true(web_asset_find(asset->path) == asset);
        g_assert_true(asset->plain_end > asset->plain);
        g_assert_cmpint(asset->packed[0], ==, 0x1f); /* RFC 1952 2.3.1 */
        g_assert_cmpint(asset->packed[1], ==, 0x8b);
        g_assert_nonnull(strchr(asset->type, '/'));
        g_assert_cmpint(asset->etag[0], ==, '"');
    }
}

static const struct {
    const char *accept;
    bool gzip;
} codings[] = {
    { NULL, false },
    { "", false },
    { "gzip", true },
    { "GZIP", true },
    { "br, gzip;q=0.5", true },
    { "deflate , gzip", true },
    { "gzip;q=0", false },
    { "gzip; q=0.000", false },
    { "identity", false },
    { "gzipped", false },
};

static void test_codings(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(codings); i++) {
        g_test_message("%s", codings[i].accept != NULL ? codings[i].accept : "none");
        g_assert_cmpint(web_accepts_gzip(codings[i].accept), ==, codings[i].gzip);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/web/assets/paths", test_paths);
    g_test_add_func("/web/assets/table", test_table);
    g_test_add_func("/web/assets/codings", test_codings);
    return g_test_run();
}
