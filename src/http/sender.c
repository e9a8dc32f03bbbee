/*
 * sender.c - the body of an answer, piece by piece, as fast as the peer reads
 *
 * Octets that are here already are cut into slices. Others are made by MkHttpBody.next on the
 * interactive lane, one piece at a time: the next is asked for when the stream is not full.
 */
#include <mailkeep/limits.h>

#include "internal.h"

struct MkHttpSender {
    unsigned refs; /* the connection, a running job, and mk_http_sender_go() */
    MkLoop *loop;
    MkStream *stream;
    GBytes *body; /* one of the two */
    MkHttpBody *pieces;
    uint64_t at;
    uint64_t length;
    struct PieceJob *running;
    bool closed; /* on_end was called or is not wanted any more */
    MkHttpSenderEnd on_end;
    void *cookie;
};

typedef struct PieceJob {
    MkJob job;
    /* in */
    MkHttpBody *pieces;
    /* out */
    GBytes *piece;
    GError *error;
    /* loop only */
    MkHttpSender *sender;
} PieceJob;

static void sender_unref(MkHttpSender *sender)
{
    if (--sender->refs > 0)
        return;
    g_clear_pointer(&sender->body, g_bytes_unref);
    if (sender->pieces != NULL)
        sender->pieces->free(sender->pieces);
    mk_stream_unref(sender->stream);
    g_free(sender);
}

static void sender_end(MkHttpSender *sender, bool whole)
{
    if (sender->closed)
        return;
    sender->closed = true;
    sender->on_end(whole, sender->cookie);
}

static void send_slices(MkHttpSender *sender)
{
    while (sender->at < sender->length && !mk_stream_is_full(sender->stream)) {
        uint64_t size = MIN(sender->length - sender->at, MK_LIMIT_HTTP_PIECE_BYTES);
        g_autoptr(GBytes) slice =
            g_bytes_new_from_bytes(sender->body, (gsize) sender->at, (gsize) size);

        mk_stream_write_bytes(sender->stream, slice);
        sender->at += size;
    }
}

static void piece_run(MkJob *job)
{
    PieceJob *piece = (PieceJob *) job;

    piece->piece = piece->pieces->next(piece->pieces, &piece->error);
}

/* More octets than were promised would be read as the next answer, fewer would hang the client. */
static bool piece_use(MkHttpSender *sender, const PieceJob *piece)
{
    if (piece->piece == NULL)
        return false;
    uint64_t size = g_bytes_get_size(piece->piece);
    if (size > sender->length - sender->at)
        return false;
    mk_stream_write_bytes(sender->stream, piece->piece);
    sender->at += size;
    return true;
}

static void piece_done(MkJob *job)
{
    PieceJob *piece = (PieceJob *) job;
    MkHttpSender *sender = piece->sender;

    sender->running = NULL;
    if (!sender->closed) {
        if (piece_use(sender, piece))
            mk_http_sender_go(sender);
        else
            sender_end(sender, false);
    }
    g_clear_pointer(&piece->piece, g_bytes_unref);
    g_clear_error(&piece->error);
    g_free(piece);
    sender_unref(sender);
}

static void piece_submit(MkHttpSender *sender)
{
    PieceJob *piece = g_new0(PieceJob, 1);

    piece->job.run = piece_run;
    piece->job.done = piece_done;
    piece->pieces = sender->pieces;
    piece->sender = sender;
    if (!mk_job_submit(sender->loop, MK_LANE_INTERACTIVE, &piece->job, NULL)) {
        g_free(piece);
        sender_end(sender, false);
        return;
    }
    sender->refs++;
    sender->running = piece;
}

MkHttpSender *mk_http_sender_new(MkLoop *loop, MkStream *stream, MkHttpResponse *response,
                                 MkHttpSenderEnd on_end, void *cookie)
{
    MkHttpSender *sender = g_new0(MkHttpSender, 1);

    sender->refs = 1;
    sender->loop = loop;
    sender->stream = mk_stream_ref(stream);
    sender->body = g_steal_pointer(&response->body);
    sender->pieces = g_steal_pointer(&response->pieces);
    sender->length = response->length;
    sender->on_end = on_end;
    sender->cookie = cookie;
    return sender;
}

void mk_http_sender_go(MkHttpSender *sender)
{
    sender->refs++;
    if (sender->body != NULL)
        send_slices(sender);
    if (sender->at == sender->length)
        sender_end(sender, true);
    else if (sender->pieces != NULL && sender->running == NULL && !sender->closed &&
             !mk_stream_is_full(sender->stream))
        piece_submit(sender);
    sender_unref(sender);
}

void mk_http_sender_close(MkHttpSender *sender)
{
    sender->closed = true;
    if (sender->running != NULL)
        mk_job_cancel(&sender->running->job);
    sender_unref(sender);
}
