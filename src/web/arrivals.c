/*
 * arrivals.c - GET .../arrivals and .../arrivals/<n>/report: the evidence around a mail
 *
 * For administrators who may read the mail; the archive decides, since it shows Bcc.
 */
#include <mailkeep/base.h>

#include "internal.h"

static void put_arrival(yyjson_mut_doc *doc, yyjson_mut_val *list, guint number,
                        const MkArrival *arrival)
{
    const MkEnvelope *envelope = arrival->envelope;
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, list);

    yyjson_mut_obj_add_uint(doc, object, "n", number);
    web_json_date(doc, object, "arrived", arrival->arrived_unix_ms);
    web_json_string(doc, object, "reversePath", envelope->reverse_path);
    yyjson_mut_val *paths = web_json_array(doc, object, "forwardPaths");
    for (guint i = 0; envelope->forward_paths != NULL && i < envelope->forward_paths->len; i++) {
        g_autofree char *path = g_utf8_make_valid(envelope->forward_paths->pdata[i], -1);
        yyjson_mut_arr_add_strcpy(doc, paths, path);
    }
    web_json_string(doc, object, "clientAddress", envelope->client_address);
    web_json_string(doc, object, "helo", envelope->helo);
    web_json_string(doc, object, "tls", envelope->tls);
    web_json_string(doc, object, "gatewayMailbox", envelope->gateway_id);
    yyjson_mut_obj_add_bool(doc, object, "hasReport", arrival->has_report);
    yyjson_mut_obj_add_uint(doc, object, "reportSize", arrival->report_size_bytes);
}

bool web_arrivals_run(WebCall *call, GError **error)
{
    g_autoptr(GPtrArray) arrivals =
        mk_archive_arrivals(call->archive, call->principal, call->id, error);
    if (arrivals == NULL)
        return false;
    yyjson_mut_val *root;
    call->json = web_json_new(&root);
    yyjson_mut_val *list = web_json_array(call->json, root, "arrivals");
    for (guint i = 0; i < arrivals->len; i++)
        put_arrival(call->json, list, i, arrivals->pdata[i]);
    return true;
}

bool web_report_read(WebCall *call, GError **error)
{
    guint64 number = 0;

    if (!web_mail_read(call, error))
        return false;
    if (!g_ascii_string_to_unsigned(call->segments[1], 10, 0, G_MAXUINT32, &number, NULL))
        return mk_fail(error, MK_ERROR_NOT_FOUND, "There is no such arrival.");
    call->number = (unsigned) number;
    return true;
}

bool web_report_run(WebCall *call, GError **error)
{
    GBytes *report =
        mk_archive_report_read(call->archive, call->principal, call->id, call->number, error);
    return report != NULL &&
           web_give_download(call, report, "message/rfc822",
                             g_strdup_printf("report-%u-%u-%u.eml", call->id.store_id,
                                             call->id.number, call->number),
                             error);
}
