/*
 * preview.c - GET .../attachments/<n>/text: what a document says, since it is not shown itself
 */
#include <mailkeep/base.h>
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
