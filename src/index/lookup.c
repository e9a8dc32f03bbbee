/*
 * lookup.c - single mails: what is known of one, who has a Message-ID, which are there
 */
#include <stdio.h>

#include "internal.h"

/* Of a Message-ID that is too long for a term: so much of its start, the rest is hash. */
#define MESSAGE_ID_START_BYTES (MK_LIMIT_TOKEN_BYTES / 2)

static bool is_live(const MkSegmentState *state, uint32_t doc)
{
    return state->deleted == NULL || !mk_doc_set_has(state->deleted, doc);
}

/* -- one mail ------------------------------------------------------------------------------ */
void mk_indexed_mail_clear(MkIndexedMail *mail)
{
    g_clear_pointer(&mail->attachments, g_array_unref);
}

/* *out_state is NULL when it is in none. */
static bool find_mail(const MkView *view, uint32_t number, const MkSegmentState **out_state,
                      uint32_t *out_doc, GError **error)
{
    *out_state = NULL;
    for (guint i = 0; i < view->manifest.segments->len; i++) {
        const MkSegmentState *state = &view->segments[i];
        g_auto(MkColumn) numbers = { 0 };
        mk_column_init(&numbers, NULL, state->segment, STREAM_NUMBER);
        if (!mk_segment_find(&numbers, number, out_doc, error))
            return false;
        if (*out_doc == UINT32_MAX || !is_live(state, *out_doc))
            continue;
        *out_state = state;
        return true;
    }
    return true;
}

static bool read_column(const MkSegment *segment, MkStreamKind stream, uint32_t doc, uint64_t *out,
                        GError **error)
{
    g_auto(MkColumn) column = { 0 };
    mk_column_init(&column, NULL, segment, stream);
    return mk_column_get(&column, doc, out, error);
}

bool mk_index_mail(MkIndex *index, uint32_t number, MkIndexedMail *out, GError **error)
{
    g_autoptr(MkView) view = mk_view_whole(index, error);
    g_auto(MkAttachmentColumn) column = { 0 };
    const MkSegmentState *state;
    const MkAttachmentText *items;
    size_t count;
    uint32_t doc;
    uint64_t conversation, copy, flags;

    if (view == NULL || !find_mail(view, number, &state, &doc, error))
        return false;
    if (state == NULL)
        return mk_fail(error, MK_ERROR_NOT_FOUND, "Mail %u is not in the index", number);
    mk_attachment_column_init(&column, NULL, state->segment);
    if (!read_column(state->segment, STREAM_CONVERSATION, doc, &conversation, error) ||
        !read_column(state->segment, STREAM_COPY, doc, &copy, error) ||
        !read_column(state->segment, STREAM_FLAGS, doc, &flags, error) ||
        !mk_attachment_column_get(&column, doc, &items, &count, error))
        return false;
    *out = (MkIndexedMail){ conversation, copy, (uint32_t) flags,
                            g_array_new(FALSE, FALSE, sizeof(MkAttachmentText)) };
    if (count > 0)
        g_array_append_vals(out->attachments, items, (guint) count);
    return true;
}

/* -- Message-IDs --------------------------------------------------------------------------- */
size_t mk_message_id_term(const char *message_id, char out[MK_LIMIT_TOKEN_BYTES])
{
    size_t length = strlen(message_id);
    if (length <= MK_LIMIT_TOKEN_BYTES) {
        memcpy(out, message_id, MIN(length, MK_LIMIT_TOKEN_BYTES)); /* octets, not a string */
        return length;
    }
    MkHash hash;
    char digits[MK_LIMIT_TOKEN_BYTES - MESSAGE_ID_START_BYTES + 1];
    mk_hash(NULL, message_id, length, &hash);
    for (size_t i = 0; i < sizeof digits / 2; i++)
        snprintf(digits + 2 * i, 3, "%02x", hash.bytes[i]);
    memcpy(out, message_id, MESSAGE_ID_START_BYTES);
    memcpy(out + MESSAGE_ID_START_BYTES, digits, sizeof digits - 1);
    return MK_LIMIT_TOKEN_BYTES;
}

static bool add_numbers(const MkSegmentState *state, const MkTermRef *ref, GArray *out,
                        GError **error)
{
    g_auto(MkOctets) octets = { 0 };
    g_auto(MkColumn) numbers = { 0 };
    g_autoptr(GByteArray) docs = g_byte_array_new();
    MkDocGroups groups;

    mk_octets_init(&octets, NULL, state->segment, STREAM_DOCS);
    mk_column_init(&numbers, NULL, state->segment, STREAM_NUMBER);
    if (!mk_octets_read(&octets, ref->docs_offset, ref->docs_length, docs, error))
        return false;
    mk_doc_groups_init(&groups, docs, ref->doc_count, state->segment->info.doc_count);
    while (mk_doc_groups_next(&groups, NULL)) {
        for (unsigned i = 0; i < groups.count; i++) {
            uint64_t value;
            if (!is_live(state, groups.docs[i]))
                continue;
            if (!mk_column_get(&numbers, groups.docs[i], &value, error))
                return false;
            uint32_t number = (uint32_t) value;
            g_array_append_val(out, number);
        }
    }
    return !groups.reader.failed || mk_index_corrupt(error);
}

static bool look_up(const MkSegmentState *state, const char *term, size_t length, GArray *out,
                    GError **error)
{
    g_auto(MkStrings) terms = { 0 };
    bool found = false;
    mk_strings_init(&terms, NULL, state->segment, STREAM_TERMS);
    if (!mk_strings_seek(&terms, term, length, &found, error))
        return false;
    if (!found || mk_strings_compare(terms.text, terms.length, term, length) != 0)
        return true;
    for (unsigned i = 0; i < terms.ref_count; i++)
        if (terms.refs[i].field == MK_FIELD_MESSAGE_ID)
            return add_numbers(state, &terms.refs[i], out, error);
    return true;
}

static int descending(const void *a, const void *b)
{
    return mk_compare_u32(b, a);
}

GArray *mk_index_lookup(MkIndex *index, const char *message_id, unsigned max, GError **error)
{
    g_autoptr(MkView) view = mk_view_whole(index, error);
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    char term[MK_LIMIT_TOKEN_BYTES];
    size_t length = mk_message_id_term(message_id, term);

    if (view == NULL)
        return NULL;
    for (guint i = 0; length > 0 && i < view->manifest.segments->len; i++)
        if (!look_up(&view->segments[i], term, length, numbers, error))
            return NULL;
    g_array_sort(numbers, descending);
    g_array_set_size(numbers, MIN(numbers->len, max));
    return g_steal_pointer(&numbers);
}

/* -- all numbers ---------------------------------------------------------------------------- */
/* Up to @max living mails of one segment. */
static bool add_behind(const MkSegmentState *state, uint32_t after, unsigned max, GArray *out,
                       GError **error)
{
    const MkSegment *segment = state->segment;
    g_auto(MkColumn) numbers = { 0 };
    mk_column_init(&numbers, NULL, segment, STREAM_NUMBER);
    for (uint32_t doc = mk_segment_number_block(segment, after) * MK_INDEX_COLUMN_DOCS;
         max > 0 && doc < segment->info.doc_count; doc++) {
        uint64_t value;
        if (!is_live(state, doc))
            continue;
        if (!mk_column_get(&numbers, doc, &value, error))
            return false;
        uint32_t number = (uint32_t) value;
        if (number <= after)
            continue;
        g_array_append_val(out, number);
        max--;
    }
    return true;
}

GArray *mk_index_numbers(MkIndex *index, uint32_t after, unsigned max, GError **error)
{
    g_autoptr(MkView) view = mk_view_whole(index, error);
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    if (view == NULL)
        return NULL;
    for (guint i = 0; i < view->manifest.segments->len; i++) {
        const MkSegmentState *state = &view->segments[i];
        if (state->segment->info.last_number > after &&
            !add_behind(state, after, max, numbers, error))
            return NULL;
    }
    g_array_sort(numbers, mk_compare_u32);
    g_array_set_size(numbers, MIN(numbers->len, max));
    return g_steal_pointer(&numbers);
}
