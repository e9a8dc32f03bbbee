/*
 * assets.c - the web application's files, from memory
 *
 * Files under /assets/ carry a hash of their content in their name and may be kept for ever. The
 * pages name them and are fetched each time. Paths of the application's own (its views, kept by
 * the History API) are answered with its page. Nothing here is secret and no mail is in it, so
 * that packing it is no oracle (BREACH), and nobody need have logged in.
 */
#include <stdlib.h>
#include <string.h>

#include "assets.h"
#include "internal.h"

#define PAGE "/index.html"
#define FRAME "/frame.html"
#define FOREVER "/assets/"

/*
 * The page runs its own scripts and styles only. Trusted Types: what becomes markup in it passes
 * through the policy of the framework it is built with, whose templates are constants.
 */
static const char page_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; frame-src 'self'; manifest-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types svelte-trusted-html";

/*
 * The page around a mail's HTML. It has inline styles, since mails have, and remote pictures, which
 * the mail's own policy within still withholds until they are asked for. It has no mail itself:
 * that is in a frame within it which runs no script at all.
 */
static const char frame_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src data: https: http:; frame-ancestors 'self'; base-uri 'none'; form-action 'none'";

/* The first segments of the application's own paths; web/src/lib/router.svelte.ts has them too. */
static const char *const views[] = {
    "folder", "search", "message", "account", "admin", "setup",
};

static int compare_path(const void *key, const void *element)
{
    return strcmp(key, ((const WebAsset *) element)->path);
}

static const WebAsset *find_asset(const char *path)
{
    return bsearch(path, web_asset_table, web_asset_count, sizeof *web_asset_table, compare_path);
}

static bool is_view(const char *path)
{
    for (size_t i = 0; i < G_N_ELEMENTS(views); i++) {
        size_t length = strlen(views[i]);
        if (strncmp(path + 1, views[i], length) == 0 &&
            (path[1 + length] == '\0' || path[1 + length] == '/'))
            return true;
    }
    return path[1] == '\0';
}

const WebAsset *web_asset_find(const char *path)
{
    if (path[0] != '/')
        return NULL;
    return find_asset(is_view(path) ? PAGE : path);
}

/* Is gzip named with a weight other than 0? (RFC 9110 12.5.3; x-gzip and * are not looked for.) */
bool web_accepts_gzip(const char *accept_encoding)
{
    g_auto(GStrv) codings = g_strsplit(accept_encoding != NULL ? accept_encoding : "", ",", 32);

    for (char **coding = codings; *coding != NULL; coding++) {
        char *weight = strchr(*coding, ';');
        if (weight != NULL)
            *weight++ = '\0';
        if (g_ascii_strcasecmp(g_strstrip(*coding), "gzip") != 0)
            continue;
        char *value = weight != NULL ? strchr(weight, '=') : NULL;
        return value == NULL || g_ascii_strtod(value + 1, NULL) > 0;
    }
    return false;
}

static bool is_known(const MkHttpRequest *request, const WebAsset *asset)
{
    const char *etags = mk_http_header(request, "If-None-Match");

    return etags != NULL && strstr(etags, asset->etag) != NULL;
}

static void add_policy(MkHttpResponse *response, const WebAsset *asset)
{
    if (strcmp(asset->path, PAGE) == 0) {
        mk_http_response_header(response, "Content-Security-Policy", page_policy);
    } else if (strcmp(asset->path, FRAME) == 0) {
        mk_http_response_header(response, "Content-Security-Policy", frame_policy);
        mk_http_response_header(response, "X-Frame-Options", "SAMEORIGIN");
    }
}

/* Pages stay no-store, as every answer is; small files beside them are asked for anew. */
static void add_caching(MkHttpResponse *response, const WebAsset *asset)
{
    if (g_str_has_suffix(asset->path, ".html"))
        return;
    mk_http_response_header(response, "ETag", asset->etag);
    mk_http_response_header(response, "Cache-Control",
                            g_str_has_prefix(asset->path, FOREVER)
                                ? "public, max-age=31536000, immutable"
                                : "no-cache");
}

static void add_body(MkHttpResponse *response, const WebAsset *asset, bool packed)
{
    const unsigned char *from = packed ? asset->packed : asset->plain;
    const unsigned char *end = packed ? asset->packed_end : asset->plain_end;
    g_autoptr(GBytes) body = g_bytes_new_static(from, (size_t) (end - from));

    if (packed)
        mk_http_response_header(response, "Content-Encoding", "gzip");
    mk_http_response_body(response, asset->type, body);
}

static void respond_asset(MkHttpRequest *request, const WebAsset *asset)
{
    bool is_page = g_str_has_suffix(asset->path, ".html");
    bool is_fresh = !is_page && is_known(request, asset);
    MkHttpResponse *response = mk_http_response_new(is_fresh ? 304 : 200);

    add_policy(response, asset);
    add_caching(response, asset);
    mk_http_response_header(response, "Vary", "Accept-Encoding");
    if (!is_fresh)
        add_body(response, asset, web_accepts_gzip(mk_http_header(request, "Accept-Encoding")));
    mk_http_respond(request, response);
}

bool web_asset_answer(MkHttpRequest *request)
{
    const char *method = mk_http_method(request);
    const WebAsset *asset = web_asset_find(mk_http_path(request));

    if (asset == NULL || (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0))
        return false;
    respond_asset(request, asset);
    return true;
}

void web_page_finish(WebCall *call)
{
    respond_asset(call->request, web_asset_find("/"));
}
