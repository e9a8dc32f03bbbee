/*
 * preview.c - GET .../attachments/<n>/text and /pages/<p>: what a document says and looks like, since
 * it is not shown itself
 */
#include <mailkeep/base.h>
#include <mailkeep/limits.h>
#include <mailkeep/text.h>

#include "internal.h"

bool web_preview_run(WebCall *call, GError **error)
{
    g_auto(MkExtracted) read = { .text = NULL };

    if (!mk_archive_attachment_preview(call->archive, call->principal, call->id, call->number,
                                       &call->job.cancelled, &read, error))
        return false;
    yyjson_mut_val *root;
    call->json = web_json_new(&root);
    web_json_string(call->json, root, "result", mk_text_result_name(read.result));
    web_json_octets(call->json, root, "text", read.text->str, read.text->len);
    return true;
}

/* -- pages --------------------------------------------------------------------------------------- */

static bool no_such_page(GError **error)
{
    return mk_fail(error, MK_ERROR_NOT_FOUND, "There is no such page.");
}

bool web_page_picture_read(WebCall *call, GError **error)
{
    guint64 page = 0;

    if (!web_attachment_read(call, error))
        return false;
    if (!g_ascii_string_to_unsigned(call->segments[2], 10, 1, MK_LIMIT_DOCUMENT_PAGES, &page, NULL))
        return no_such_page(error);
    call->page = (unsigned) page;
    return true;
}

/* 422 with a code of its own: the document is at fault, and another try gives the same. */
static bool refuse(WebCall *call, const char *code, const char *message, GError **error)
{
    call->refusal_status = 422;
    call->refusal_code = code;
    return mk_fail(error, MK_ERROR_LIMIT, "%s", message);
}

static bool refuse_result(WebCall *call, MkTextResult result, GError **error)
{
    switch (result) {
    case MK_TEXT_EMPTY: return no_such_page(error);
    case MK_TEXT_ENCRYPTED:
        return refuse(call, "encrypted", "The document needs a password.", error);
    case MK_TEXT_NOT_INDEXED:
        return refuse(call, "not-indexed", "This is no PDF, or nothing here can draw it.", error);
    case MK_TEXT_COMPLETE:
    case MK_TEXT_TRUNCATED:
    case MK_TEXT_FAILED: break;
    }
    return refuse(call, "failed", "The page is damaged, or too much to be drawn.", error);
}

bool web_page_picture_run(WebCall *call, GError **error)
{
    g_auto(MkPagePicture) picture = { .png = NULL };

    if (!mk_archive_attachment_page(call->archive, call->principal, call->id, call->number,
                                    call->page, &call->job.cancelled, &picture, error))
        return false;
    if (picture.result != MK_TEXT_COMPLETE)
        return refuse_result(call, picture.result, error);
    call->page_count = picture.page_count;
    return web_give_download(call, g_steal_pointer(&picture.png), "image/png", NULL, error);
}

void web_page_picture_finish(WebCall *call)
{
    MkHttpResponse *response = mk_http_response_new(200);
    g_autofree char *count = g_strdup_printf("%u", call->page_count);
    g_autofree char *disposition = g_strdup_printf("inline; filename=\"page-%u.png\"", call->page);

    mk_http_response_header(response, "Content-Disposition", disposition);
    mk_http_response_header(response, "X-Page-Count", count);
    mk_http_response_body(response, call->body_type, call->body);
    mk_http_respond(call->request, response);
}
