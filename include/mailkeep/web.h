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

#endif
