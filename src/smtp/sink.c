/* sink.c - mail goes to the archive */
#include "internal.h"

static const MkSmtpSink archive_sink = {
    .find = mk_archive_gateway_find,
    .can_take = mk_archive_can_take,
    .envelope_new = mk_envelope_new,
    .envelope_free = mk_envelope_free,
    .spool_new = mk_spool_new,
    .spool_add = mk_spool_add,
    .spool_size = mk_spool_size,
    .spool_is_full = mk_spool_is_full,
    .spool_set_on_drain = mk_spool_set_on_drain,
    .spool_free = mk_spool_free,
    .ingest = mk_archive_ingest,
};

MkSmtpServer *mk_smtp_server_new(MkLoop *loop, const MkSmtpServerOptions *options)
{
    return mk_smtp_server_new_with_sink(loop, options, &archive_sink);
}
