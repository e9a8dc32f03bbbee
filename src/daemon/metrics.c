/*
 * metrics.c - the gauges as Prometheus text
 *
 * Numbers only; nothing here names a user, an address or a folder.
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

static void metric(GString *out, const char *name, const char *labels, double value)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    g_ascii_dtostr(number, sizeof number, value);
    g_string_append_printf(out, "mailkeep_%s%s %s\n", name, labels, number);
}

static const char *const lane_names[MK_LANE_COUNT] = {
    [MK_LANE_INTERACTIVE] = "interactive", [MK_LANE_BULK] = "bulk",
    [MK_LANE_BACKGROUND] = "background",   [MK_LANE_CARE] = "care",
    [MK_LANE_OPERATION] = "operation",
};

static void loop_metrics(GString *out, const MkLoop *loop)
{
    MkLoopGauges g;

    mk_loop_gauges(loop, &g);
    g_string_append(out, "# TYPE mailkeep_loop_delay_seconds gauge\n");
    metric(out, "loop_delay_seconds", "{quantile=\"0.5\"}", (double) g.delay_p50_us / 1e6);
    metric(out, "loop_delay_seconds", "{quantile=\"0.99\"}", (double) g.delay_p99_us / 1e6);
    metric(out, "loop_delay_seconds", "{quantile=\"1\"}", (double) g.delay_max_us / 1e6);
    for (int lane = 0; lane < MK_LANE_COUNT; lane++) {
        g_autofree char *label = g_strdup_printf("{lane=\"%s\"}", lane_names[lane]);

        metric(out, "jobs_waiting", label, (double) g.jobs_waiting[lane]);
        metric(out, "jobs_done_total", label, (double) g.jobs_done[lane]);
    }
}

static void archive_metrics(GString *out, MkArchive *archive)
{
    MkArchiveGauges g;

    mk_archive_gauges(archive, &g);
    metric(out, "spool_bytes", "", (double) g.spool_bytes);
    metric(out, "spools_open", "", (double) g.spools_open);
    metric(out, "ingest_held", "", (double) g.ingest_held);
    metric(out, "ingest_waiting", "", (double) g.ingest_waiting);
    metric(out, "ingest_running", "", (double) g.ingest_running);
    metric(out, "mails_total", "{kind=\"new\"}", (double) g.mails_new);
    metric(out, "mails_total", "{kind=\"again\"}", (double) g.mails_again);
    metric(out, "journal_reports_total", "", (double) g.reports);
    metric(out, "journal_reports_broken_total", "", (double) g.reports_broken);
    metric(out, "mails_unowned_total", "", (double) g.unowned);
    metric(out, "index_behind", "", (double) g.index_behind);
    metric(out, "index_attachments_waiting", "", (double) g.texts_waiting);
    metric(out, "index_cpu_seconds_total", "", (double) g.index_cpu_us / 1e6);
    metric(out, "training_cpu_seconds_total", "", (double) g.training_cpu_us / 1e6);
}

static void smtp_metrics(GString *out, const MkSmtpServer *smtp)
{
    MkSmtpGauges g;

    mk_smtp_server_gauges(smtp, &g);
    metric(out, "smtp_sessions", "", (double) g.sessions_open);
    metric(out, "smtp_sessions_total", "", (double) g.sessions_total);
    metric(out, "smtp_mails_total", "{answer=\"accepted\"}", (double) g.mails_accepted);
    metric(out, "smtp_mails_total", "{answer=\"deferred\"}", (double) g.mails_deferred);
    metric(out, "smtp_mails_total", "{answer=\"refused\"}", (double) g.mails_refused);
    metric(out, "smtp_octets_total", "", (double) g.octets_accepted);
}

void metrics_handle(MkHttpRequest *request, void *cookie)
{
    Daemon *daemon = cookie;
    MkHttpResponse *response;
    GString *out;

    if (strcmp(mk_http_path(request), "/metrics") != 0) {
        mk_http_respond(request, mk_http_response_new(404));
        return;
    }
    out = g_string_sized_new(4096);
    g_string_append_printf(out, "mailkeep_info{version=\"" MK_VERSION "\"} 1\n");
    loop_metrics(out, daemon->loop);
    archive_metrics(out, daemon->archive);
    if (daemon->smtp != NULL)
        smtp_metrics(out, daemon->smtp);
    metric(out, "connections", "{kind=\"mail\"}", daemon->mail_connections.open);
    metric(out, "connections", "{kind=\"http\"}", daemon->http_connections.open);
    response = mk_http_response_new(200);
    mk_http_response_header(response, "Cache-Control", "no-store");
    g_autoptr(GBytes) body = g_string_free_to_bytes(out);
    mk_http_response_body(response, "text/plain; version=0.0.4; charset=utf-8", body);
    mk_http_respond(request, response);
}
