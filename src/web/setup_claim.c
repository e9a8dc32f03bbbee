/*
 * setup_claim.c - the token, and how often it may be guessed
 *
 * Nobody guesses 256 bits. Tries are counted all the same, so that a scanner costs nothing and is
 * seen in the log.
 */
#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>
#include <mailkeep/log.h>

#include "setup.h"

#define COOKIE_FORMAT "mk_setup=%s; Path=/api/v1/setup; HttpOnly; Secure; SameSite=Strict"

void setup_throttle_init(SetupThrottle *throttle)
{
    throttle->failures = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    throttle->since_ms = 0;
}

void setup_throttle_clear(SetupThrottle *throttle)
{
    g_clear_pointer(&throttle->failures, g_hash_table_unref);
}

bool setup_throttle_try(SetupThrottle *throttle, const char *address, int64_t now_ms)
{
    unsigned count;

    if (now_ms - throttle->since_ms >= MK_LIMIT_SETUP_WINDOW_MS) {
        g_hash_table_remove_all(throttle->failures);
        throttle->since_ms = now_ms;
    }
    count = GPOINTER_TO_UINT(g_hash_table_lookup(throttle->failures, address));
    if (count >= MK_LIMIT_SETUP_CLAIMS ||
        (count == 0 && g_hash_table_size(throttle->failures) >= MK_LIMIT_SETUP_TRACKED))
        return false;
    g_hash_table_replace(throttle->failures, g_strdup(address), GUINT_TO_POINTER(count + 1));
    return true;
}

static bool token_fits(const MkSetup *setup, const char *token)
{
    return token != NULL && strlen(token) == WEB_TOKEN_CHARS &&
           mk_equal_secret(token, setup->token, WEB_TOKEN_CHARS);
}

static void respond_session(MkSetup *setup, MkHttpRequest *request)
{
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = web_json_new(&root);
    char session[WEB_TOKEN_CHARS + 1];

    mk_id_random_hex(session, WEB_TOKEN_CHARS / 2);
    mk_id_random_hex(setup->csrf, WEB_CSRF_CHARS / 2);
    mk_hash(NULL, session, WEB_TOKEN_CHARS, &setup->session);
    web_json_string(doc, root, "csrfToken", setup->csrf);
    g_autofree char *cookie = g_strdup_printf(COOKIE_FORMAT, session);
    web_respond_json(request, doc, cookie);
    mk_wipe(session, sizeof session);
}

bool setup_claim(MkSetup *setup, MkHttpRequest *request, yyjson_val *body, GError **error)
{
    const char *address = mk_http_peer_address(request);

    if (!setup_throttle_try(&setup->claims, address, mk_clock_monotonic_ms())) {
        web_respond_problem(request, 429, mk_error_name(MK_ERROR_BUSY),
                            "Too many wrong links; try again later.", "Retry-After", "60");
        return true;
    }
    if (setup->state != SETUP_UNCLAIMED)
        return mk_fail(error, MK_ERROR_EXISTS, "The link has been used already.");
    if (!token_fits(setup, setup_text(body, "token", WEB_TOKEN_CHARS))) {
        mk_log_warn("setup.wrong_link");
        return mk_fail(error, MK_ERROR_DENIED, "This is not the link of this start.");
    }
    mk_wipe(setup->token, sizeof setup->token);
    setup_enter(setup, SETUP_CHOOSING);
    setup->options.on_claimed(setup->options.cookie);
    respond_session(setup, request);
    return true;
}
