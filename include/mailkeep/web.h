/*
 * web.h - the web application's JSON routes
 *
 * Purpose    design.md 5 "Web": sessions (cookie + CSRF token, or HTTP Basic for scripts),
 *            folders, message list, search, messages, raw octets, headers, attachments, arrivals
 *            and `POST /api/v1/invoke/<Function>`.
 * Security   Cookie `mk_session`: HttpOnly, Secure, SameSite=Strict, Path=/; a changing request
 *            with a cookie needs the header `X-CSRF-Token`. Every answer has `Cache-Control:
 *            no-store`, `X-Content-Type-Options: nosniff`, a Content-Security-Policy,
 *            `Referrer-Policy: no-referrer`, `X-Frame-Options: DENY`, HSTS. Attachments and raw mail are
 *            sent as downloads with a fixed safe type.
 * Threads    The loop only; work is done in jobs on the interactive lane.
 * Format     docs/protocols/web-api.md; errors are `{"error": {"code", "message"}}`
 */
#ifndef MAILKEEP_WEB_H
#define MAILKEEP_WEB_H

#include <mailkeep/admin.h>
#include <mailkeep/archive.h>
#include <mailkeep/http.h>
#include <mailkeep/settings.h>

typedef struct MkWeb MkWeb;
MkWeb *mk_web_new(MkLoop *loop, MkArchive *archive, MkAdmin *admin);
/* MkHttpHandler of the HTTPS port. */
void mk_web_handle(MkHttpRequest *request, void *web);
/* MkHttpHandler of the plain port: redirects to https://<host>:<https_port><path>; nothing else. */
typedef struct {
    const char *hostname;
    uint16_t https_port;
} MkWebRedirect;
void mk_web_redirect(MkHttpRequest *request, void *redirect);
/* The daemon stops: mails being sent to other servers are cut off, their requests answered. */
void mk_web_stop(MkWeb *web);
bool mk_web_is_idle(const MkWeb *web);
void mk_web_free(MkWeb *web);

/*
 * -- first start: no archive yet ----------------------------------------------------------------
 * The routes below /api/v1/setup/ and the application's page, nothing else. Whoever brings the
 * token of the one-time link first gets the set-up session; the token is worth nothing from then
 * on. Nothing that is chosen leaves memory before the archive is established.
 */
typedef struct MkSetup MkSetup;
typedef struct {
    const MkSettings *settings; /* borrowed for the lifetime */
    uint16_t https_port;        /* where it really listens */
    /* [loop] The link has been used. */
    void (*on_claimed)(void *cookie);
    /*
     * [loop] The archive, the host name and the certificate are in place: start everything. The
     * answer is the web room that takes over, NULL with @error; it may be called again then.
     */
    MkWeb *(*start)(void *cookie, GError **error);
    void *cookie;
} MkSetupOptions;
MkSetup *mk_setup_new(MkLoop *loop, const MkSetupOptions *options);
/* The link's token, 256 bits in hex: a secret until it is claimed. */
const char *mk_setup_token(const MkSetup *setup);
/* MkHttpHandler of the HTTPS port until start() has succeeded. */
void mk_setup_handle(MkHttpRequest *request, void *setup);
bool mk_setup_is_idle(const MkSetup *setup);
void mk_setup_free(MkSetup *setup);

#endif
