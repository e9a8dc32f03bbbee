/*
 * wire.c - the messages between client and helper
 */
#include <mailkeep/text_wire.h>

#include <string.h>

#include <mailkeep/base.h>
#include <mailkeep/limits.h>

static const char *const why_names[MK_WHY_COUNT] = {
    [MK_WHY_NONE] = NULL,           [MK_WHY_TIME] = "time",       [MK_WHY_MEMORY] = "memory",
    [MK_WHY_CRASH] = "crash",       [MK_WHY_NESTING] = "nesting", [MK_WHY_ENTRIES] = "entries",
    [MK_WHY_TEXT] = "text",         [MK_WHY_SIZE] = "size",       [MK_WHY_RATIO] = "ratio",
    [MK_WHY_ENTITY] = "entity",     [MK_WHY_DAMAGED] = "damaged", [MK_WHY_PASSWORD] = "password",
    [MK_WHY_PART] = "part",         [MK_WHY_PROGRAM] = "program", [MK_WHY_HELPER] = "helper",
    [MK_WHY_PROTOCOL] = "protocol",
};
G_STATIC_ASSERT(MK_WHY_COUNT <= 16);

const char *mk_text_why_name(MkTextWhy why)
{
    return (unsigned) why < MK_WHY_COUNT ? why_names[why] : NULL;
}

/* -- requests ------------------------------------------------------------------------------ */

/* The end of a long name has its extension, so the head is what goes. */
static const char *name_end(const char *name)
{
    size_t length = strlen(name);
    const char *at = name + (length > MK_WIRE_NAME_BYTES ? length - MK_WIRE_NAME_BYTES : 0);

    while (at > name && ((unsigned char) *at & 0xc0) == 0x80)
        at++;
    return at;
}

void mk_request_format(const MkRequest *request, GByteArray *out)
{
    mk_put_u8(out, (uint8_t) request->type);
    mk_put_u8(out, MK_WIRE_VERSION);
    if (request->type == MK_REQUEST_AVAILABLE)
        return;
    if (request->type == MK_REQUEST_PAGE) {
        mk_put_u32(out, request->page);
        mk_put_u64(out, request->length);
        mk_put_u32(out, request->text_bytes);
        mk_put_u32(out, request->seconds);
        return;
    }
    mk_put_u8(out, (uint8_t) request->kind);
    mk_put_u8(out, request->ocr);
    mk_put_u64(out, request->kinds);
    mk_put_u64(out, request->length);
    mk_put_u32(out, request->text_bytes);
    mk_put_u32(out, request->seconds);
    mk_put_string(out, name_end(request->file_name ? request->file_name : ""));
}

static bool parse_read(MkReader *r, MkRequest *out)
{
    out->kind = (MkDocumentKind) mk_read_u8(r);
    out->ocr = mk_read_u8(r) != 0;
    out->kinds = mk_read_u64(r);
    out->length = mk_read_u64(r);
    out->text_bytes = mk_read_u32(r);
    out->seconds = mk_read_u32(r);
    out->file_name = mk_read_string(r);
    return !r->failed && (unsigned) out->kind < MK_DOCUMENT_COUNT &&
           out->length <= MK_LIMIT_EXTRACT_BYTES && strlen(out->file_name) <= MK_WIRE_NAME_BYTES;
}

static bool parse_page(MkReader *r, MkRequest *out)
{
    out->page = mk_read_u32(r);
    out->length = mk_read_u64(r);
    out->text_bytes = mk_read_u32(r);
    out->seconds = mk_read_u32(r);
    return !r->failed && out->page >= 1 && out->page <= MK_LIMIT_DOCUMENT_PAGES &&
           out->length <= MK_LIMIT_EXTRACT_BYTES;
}

bool mk_request_parse(const uint8_t *data, size_t length, MkRequest *out)
{
    MkReader r = mk_reader(data, length);

    memset(out, 0, sizeof *out);
    out->type = (MkRequestType) mk_read_u8(&r);
    if (mk_read_u8(&r) != MK_WIRE_VERSION || r.failed)
        return false;
    if (out->type == MK_REQUEST_READ && !parse_read(&r, out))
        return false;
    if (out->type == MK_REQUEST_PAGE && !parse_page(&r, out))
        return false;
    return r.length == 0 && (out->type == MK_REQUEST_READ || out->type == MK_REQUEST_PAGE ||
                             out->type == MK_REQUEST_AVAILABLE);
}

void mk_request_clear(MkRequest *request)
{
    g_clear_pointer(&request->file_name, g_free);
}

/* -- replies ------------------------------------------------------------------------------- */

void mk_reply_format(const MkReply *reply, GByteArray *out)
{
    mk_put_u8(out, (uint8_t) reply->type);
    switch (reply->type) {
    case MK_REPLY_TEXT: g_byte_array_append(out, reply->text, (guint) reply->text_length); return;
    case MK_REPLY_RESULT:
        mk_put_u8(out, (uint8_t) reply->result);
        mk_put_u8(out, (uint8_t) reply->why);
        mk_put_u8(out, reply->leaving);
        return;
    case MK_REPLY_AVAILABLE: mk_put_u64(out, reply->kinds); return;
    }
    g_assert_not_reached();
}

static bool parse_text(MkReader *r, MkReply *out)
{
    out->text_length = r->length;
    out->text = mk_read_bytes(r, r->length);
    return out->text_length > 0 && out->text_length <= MK_WIRE_TEXT_BYTES;
}

static bool parse_result(MkReader *r, MkReply *out)
{
    out->result = (MkTextResult) mk_read_u8(r);
    out->why = (MkTextWhy) mk_read_u8(r);
    out->leaving = mk_read_u8(r) != 0;
    return out->result >= MK_TEXT_COMPLETE && out->result <= MK_TEXT_EMPTY &&
           (unsigned) out->why < MK_WHY_COUNT;
}

bool mk_reply_parse(const uint8_t *data, size_t length, MkReply *out)
{
    MkReader r = mk_reader(data, length);
    bool good = false;

    memset(out, 0, sizeof *out);
    out->type = (MkReplyType) mk_read_u8(&r);
    if (out->type == MK_REPLY_TEXT)
        good = parse_text(&r, out);
    else if (out->type == MK_REPLY_RESULT)
        good = parse_result(&r, out);
    else if (out->type == MK_REPLY_AVAILABLE) {
        out->kinds = mk_read_u64(&r);
        good = true;
    }
    return good && !r.failed && r.length == 0;
}
