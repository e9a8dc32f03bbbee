/* buffer.c - a first-in first-out run of octets; gives its memory back when empty */
#include <string.h>

#include "internal.h"

enum { KEEP_BYTES = 4096 }; /* a thousand idle streams must not keep a chunk each */

size_t buffer_length(const Buffer *buffer)
{
    return buffer->end - buffer->start;
}

static void make_room(Buffer *buffer, size_t length)
{
    size_t used = buffer_length(buffer);

    if (buffer->capacity - buffer->end >= length)
        return;
    if (used > 0)
        memmove(buffer->data, buffer->data + buffer->start, used);
    buffer->start = 0;
    buffer->end = used;
    if (buffer->capacity - used < length) {
        buffer->capacity = MAX(used + length, MIN(2 * buffer->capacity, (size_t) 1 << 20));
        buffer->data = g_realloc(buffer->data, buffer->capacity);
    }
}

void buffer_put(Buffer *buffer, const void *data, size_t length)
{
    if (length == 0)
        return;
    make_room(buffer, length);
    memcpy(buffer->data + buffer->end, data, length);
    buffer->end += length;
}

size_t buffer_take(Buffer *buffer, void *out, size_t room)
{
    size_t length = MIN(room, buffer_length(buffer));

    if (length == 0)
        return 0;
    memcpy(out, buffer->data + buffer->start, length);
    buffer->start += length;
    if (buffer->start == buffer->end) {
        buffer->start = buffer->end = 0;
        if (buffer->capacity > KEEP_BYTES)
            buffer_clear(buffer);
    }
    return length;
}

GBytes *buffer_steal(Buffer *buffer)
{
    size_t length = buffer_length(buffer);
    GBytes *bytes;

    if (buffer->start > 0)
        memmove(buffer->data, buffer->data + buffer->start, length);
    bytes = g_bytes_new_take(g_steal_pointer(&buffer->data), length);
    *buffer = (Buffer){ 0 };
    return bytes;
}

void buffer_clear(Buffer *buffer)
{
    g_free(buffer->data);
    *buffer = (Buffer){ 0 };
}
