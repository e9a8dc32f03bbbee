/*
 * stream_write.c - from the owner's octets to the socket
 *
 * Small writes of a turn come together in `tail`; large GBytes are passed on by reference. Once
 * a turn all of it is sealed (TLS) or taken as it is, tried at once, and what the socket does
 * not take goes into one uv_write() request. Nothing more is handed over until that is done.
 */
#include <string.h>

#include "internal.h"

enum {
    COPY_BYTES = 4096,     /* smaller GBytes are cheaper to copy than to carry */
    TAIL_BYTES = 64 << 10, /* a tail this long becomes a chunk */
    CHUNKS_A_REQUEST = 64,
};

typedef struct {
    uv_write_t request; /* first member */
    MkStream *stream;   /* referenced */
    size_t length;
    unsigned count;
    GBytes *bytes[CHUNKS_A_REQUEST]; /* live until the callback: uv_write() copies nothing */
    uv_buf_t bufs[CHUNKS_A_REQUEST];
} WriteRequest;

/* -- the owner's side ----------------------------------------------------------------------- */

static void seal_tail(MkStream *stream)
{
    if (stream->tail != NULL)
        g_queue_push_tail(&stream->chunks,
                          g_byte_array_free_to_bytes(g_steal_pointer(&stream->tail)));
}

static bool accepts(const MkStream *stream)
{
    return !stream->broken && stream->state <= STREAM_ENDED;
}

static void note_queued(MkStream *stream, size_t length)
{
    stream->queued_bytes += length;
    if (mk_stream_is_full(stream))
        stream->was_full = true;
    stream_want_turn(stream);
}

void mk_stream_write(MkStream *stream, const void *data, size_t length)
{
    if (length == 0 || !accepts(stream))
        return;
    if (length >= TAIL_BYTES) {
        seal_tail(stream);
        g_queue_push_tail(&stream->chunks, g_bytes_new(data, length));
    } else {
        if (stream->tail == NULL)
            stream->tail = g_byte_array_new();
        g_byte_array_append(stream->tail, data, (guint) length);
        if (stream->tail->len >= TAIL_BYTES)
            seal_tail(stream);
    }
    note_queued(stream, length);
}

void mk_stream_write_bytes(MkStream *stream, GBytes *bytes)
{
    size_t length = g_bytes_get_size(bytes);

    if (length < COPY_BYTES) {
        mk_stream_write(stream, g_bytes_get_data(bytes, NULL), length);
        return;
    }
    if (!accepts(stream))
        return;
    seal_tail(stream);
    g_queue_push_tail(&stream->chunks, g_bytes_ref(bytes));
    note_queued(stream, length);
}

bool mk_stream_is_full(const MkStream *stream)
{
    return stream->queued_bytes + stream->sending_bytes > MK_LIMIT_WRITE_QUEUE_BYTES;
}

void stream_tell_drain(MkStream *stream)
{
    if (!stream->was_full || !stream_is_open(stream) ||
        stream->queued_bytes + stream->sending_bytes >= MK_LIMIT_WRITE_QUEUE_BYTES / 2)
        return;
    stream->was_full = false;
    if (stream->events.on_drain != NULL)
        stream->events.on_drain(stream, stream->cookie);
}

void stream_drop_queue(MkStream *stream)
{
    g_clear_pointer(&stream->tail, g_byte_array_unref);
    g_queue_clear_full(&stream->chunks, (GDestroyNotify) g_bytes_unref);
    stream->head_used = 0;
    stream->queued_bytes = 0;
}

bool mk_stream_is_flushed(const MkStream *stream)
{
    bool sealed = stream->busy || buffer_length(&stream->out) == 0; /* the lane owns out */

    return stream->requests == 0 && stream->queued_bytes == 0 && sealed;
}

uint64_t mk_stream_sent_bytes(const MkStream *stream)
{
    return stream->handed_bytes -
           uv_stream_get_write_queue_size((const uv_stream_t *) &stream->tcp);
}

/* -- requests ------------------------------------------------------------------------------- */

static void request_free(WriteRequest *request)
{
    for (unsigned i = 0; i < request->count; i++)
        g_bytes_unref(request->bytes[i]);
    g_free(request);
}

static void request_add(WriteRequest *request, GBytes *bytes)
{
    gsize length;
    const void *data = g_bytes_get_data(bytes, &length);

    request->bytes[request->count] = bytes;
    request->bufs[request->count++] = uv_buf_init((char *) data, (unsigned) length);
    request->length += length;
}

/* What waits in clear, by reference. */
static WriteRequest *request_from_chunks(MkStream *stream)
{
    WriteRequest *request = g_new0(WriteRequest, 1);

    seal_tail(stream);
    while (request->count < CHUNKS_A_REQUEST && stream->chunks.length > 0)
        request_add(request, g_queue_pop_head(&stream->chunks));
    stream->queued_bytes -= request->length;
    return request;
}

static WriteRequest *request_from_sealed(MkStream *stream)
{
    WriteRequest *request = g_new0(WriteRequest, 1);

    request_add(request, buffer_steal(&stream->out));
    return request;
}

static void on_written(uv_write_t *uv_request, int status)
{
    WriteRequest *request = (WriteRequest *) uv_request;
    MkStream *stream = request->stream;

    stream->requests--;
    stream->sending_bytes -= request->length;
    request_free(request);
    if (status < 0 && stream->state != STREAM_CLOSED)
        stream_fail_uv(stream, status, "write to the peer");
    else
        stream_want_turn(stream);
    mk_stream_unref(stream);
}

/* The buffers from octet @done on. */
static unsigned skip_sent(WriteRequest *request, size_t done)
{
    unsigned first = 0;

    while (first < request->count && done >= request->bufs[first].len)
        done -= request->bufs[first++].len;
    if (first < request->count) {
        request->bufs[first].base += done;
        request->bufs[first].len -= done;
    }
    return first;
}

/* True when all of it left at once. Takes the request over. */
static bool send_request(MkStream *stream, WriteRequest *request)
{
    uv_stream_t *tcp = (uv_stream_t *) &stream->tcp;
    int sent = stream->requests > 0 ? 0 : uv_try_write(tcp, request->bufs, request->count);
    unsigned first;
    int rc;

    stream->handed_bytes += request->length;
    if (sent >= 0 && (size_t) sent == request->length) {
        request_free(request);
        return true;
    }
    first = skip_sent(request, sent > 0 ? (size_t) sent : 0); /* an error comes again below */
    request->length -= sent > 0 ? (size_t) sent : 0;
    rc =
        uv_write(&request->request, tcp, request->bufs + first, request->count - first, on_written);
    if (rc != 0) {
        GError *error = NULL;

        request_free(request);
        net_fail_uv(&error, rc, "write to the peer");
        stream_end_later(stream, error);
        return false;
    }
    request->stream = mk_stream_ref(stream);
    stream->requests++;
    stream->sending_bytes += request->length;
    return false;
}

static void flush_sealed(MkStream *stream)
{
    if (stream->busy)
        return;
    stream_tls_seal(stream);
    if (buffer_length(&stream->out) > 0)
        send_request(stream, request_from_sealed(stream));
    if (stream->secured && stream->queued_bytes > 0 && stream->requests == 0)
        stream_want_turn(stream); /* one turn's share is out, the next follows */
}

void stream_flush_clear(MkStream *stream)
{
    while (stream->queued_bytes > 0 && !stream->broken)
        send_request(stream, request_from_chunks(stream));
}

void stream_flush(MkStream *stream)
{
    if (stream->state == STREAM_CLOSED || stream->requests > 0)
        return;
    if (stream->ssl != NULL)
        flush_sealed(stream);
    else
        while (stream->queued_bytes > 0 && send_request(stream, request_from_chunks(stream)))
            ;
}
