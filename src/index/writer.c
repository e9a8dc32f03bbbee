/*
 * writer.c - taking mails in: tokens into the table, the rest aside
 */
#include "fold.h"
#include "writer.h"

/* Conversations and copies are numbers of 48 bits. */
#define GROUP_MASK ((UINT64_C(1) << 48) - 1)

typedef struct {
    MkTermTable *table;
    uint8_t field;
    uint32_t doc;
    uint32_t base; /* position of the value's first token */
    uint32_t next; /* behind its last one */
} TokenSink;

MkIndexWriter *mk_index_writer_new(MkIndex *index)
{
    MkIndexWriter *writer = g_new0(MkIndexWriter, 1);
    writer->index = index;
    mk_term_table_init(&writer->table);
    writer->docs = g_array_new(FALSE, FALSE, sizeof(MkWriterDoc));
    writer->places = g_hash_table_new(NULL, NULL);
    writer->removed = g_hash_table_new(NULL, NULL);
    return writer;
}

void mk_index_writer_free(MkIndexWriter *writer)
{
    if (writer == NULL)
        return;
    mk_term_table_clear(&writer->table);
    g_array_unref(writer->docs);
    g_hash_table_unref(writer->places);
    g_hash_table_unref(writer->removed);
    g_free(writer);
}

size_t mk_index_writer_memory_bytes(const MkIndexWriter *writer)
{
    /* 48: rows of the two hash tables, roughly */
    return mk_term_table_bytes(&writer->table) + writer->docs->len * (sizeof(MkWriterDoc) + 48) +
           g_hash_table_size(writer->removed) * (size_t) 48;
}

static void on_token(const char *token, size_t length, const char *plain, size_t plain_length,
                     uint32_t position, void *cookie)
{
    TokenSink *sink = cookie;
    uint32_t at = sink->base + position;
    mk_term_table_add(sink->table, sink->field, token, length, sink->doc, at);
    if (plain != NULL)
        mk_term_table_add(sink->table, sink->field, plain, plain_length, sink->doc, at);
    sink->next = at + 1;
}

/* The empty term stands for "has any token in this field". */
static void add_field(TokenSink *sink, const char *const *values)
{
    sink->base = sink->next = 0;
    for (; values != NULL && *values != NULL; values++) {
        mk_tokens_each(*values, strlen(*values), on_token, sink);
        if (sink->next > sink->base)
            sink->base = sink->next + MK_INDEX_VALUE_GAP;
    }
    if (sink->next > 0)
        mk_term_table_add(sink->table, sink->field, "", 0, sink->doc, 0);
}

/* One term as it is, not cut into tokens. */
static void add_message_ids(TokenSink *sink, const char *const *values)
{
    for (; values != NULL && *values != NULL; values++) {
        char term[MK_LIMIT_TOKEN_BYTES];
        size_t length = mk_message_id_term(*values, term);
        if (length > 0)
            mk_term_table_add(sink->table, sink->field, term, length, sink->doc, 0);
    }
}

static const char *keep_text(MkArena *arena, const char *text)
{
    size_t length = strnlen(text != NULL ? text : "", MK_LIMIT_DISPLAY_BYTES + 4);
    g_autofree char *valid = g_utf8_make_valid(text != NULL ? text : "", (gssize) length);
    return mk_arena_string(arena, valid, mk_fold_cut(valid, strlen(valid), MK_LIMIT_DISPLAY_BYTES));
}

static void keep_folders(MkArena *arena, MkWriterDoc *kept, const MkIndexDoc *doc)
{
    if (doc->folder_count == 0)
        return;
    kept->folders = mk_arena_take(arena, doc->folder_count * sizeof *kept->folders);
    memcpy(kept->folders, doc->folders, doc->folder_count * sizeof *kept->folders);
    qsort(kept->folders, doc->folder_count, sizeof *kept->folders, mk_compare_u32);
    for (size_t i = 0; i < doc->folder_count; i++)
        if (i == 0 || kept->folders[i] != kept->folders[kept->folder_count - 1])
            kept->folders[kept->folder_count++] = kept->folders[i];
}

static uint32_t flags_of(const MkAttachmentText *attachment)
{
    switch (attachment->result) {
    case MK_TEXT_TRUNCATED: return MK_INDEX_TEXT_TRUNCATED;
    case MK_TEXT_FAILED: return MK_INDEX_TEXT_FAILED;
    case MK_TEXT_ENCRYPTED: return MK_INDEX_TEXT_ENCRYPTED;
    case MK_TEXT_NOT_INDEXED: return MK_INDEX_TEXT_NOT_INDEXED;
    case MK_TEXT_COMPLETE:
    case MK_TEXT_EMPTY: return 0;
    }
    g_assert_not_reached();
}

static void keep_attachments(MkArena *arena, MkWriterDoc *kept, const MkIndexDoc *doc)
{
    if (doc->attachment_count == 0)
        return;
    kept->attachment_count = (uint32_t) doc->attachment_count;
    kept->attachments = mk_arena_take(arena, doc->attachment_count * sizeof *kept->attachments);
    memcpy(kept->attachments, doc->attachments, doc->attachment_count * sizeof *kept->attachments);
    for (uint32_t i = 0; i < kept->attachment_count; i++)
        kept->flags |= flags_of(&kept->attachments[i]);
}

static void kill_earlier(MkIndexWriter *writer, uint32_t number)
{
    gpointer place;
    if (g_hash_table_lookup_extended(writer->places, GUINT_TO_POINTER(number), NULL, &place))
        g_array_index(writer->docs, MkWriterDoc, GPOINTER_TO_UINT(place)).dead = true;
}

void mk_index_writer_add(MkIndexWriter *writer, const MkIndexDoc *doc)
{
    MkArena *arena = &writer->table.arena;
    uint32_t place = writer->docs->len;
    TokenSink sink = { .table = &writer->table, .doc = place };
    MkWriterDoc kept = { .number = doc->number,
                         .flags = doc->flags,
                         .date_unix_ms = doc->date_unix_ms,
                         .archived_unix_ms = doc->archived_unix_ms,
                         .size_bytes = doc->size_bytes,
                         .conversation = doc->conversation & GROUP_MASK,
                         .copy = doc->copy & GROUP_MASK };

    kill_earlier(writer, doc->number);
    g_hash_table_remove(writer->removed, GUINT_TO_POINTER(doc->number));
    g_hash_table_insert(writer->places, GUINT_TO_POINTER(doc->number), GUINT_TO_POINTER(place));
    for (sink.field = 0; sink.field < MK_FIELD_COUNT; sink.field++) {
        if (sink.field == MK_FIELD_MESSAGE_ID)
            add_message_ids(&sink, doc->values[sink.field]);
        else
            add_field(&sink, doc->values[sink.field]);
    }
    kept.texts[0] = keep_text(arena, doc->subject);
    kept.texts[1] = keep_text(arena, doc->from);
    kept.texts[2] = keep_text(arena, doc->to);
    keep_folders(arena, &kept, doc);
    keep_attachments(arena, &kept, doc);
    g_array_append_val(writer->docs, kept);
}

void mk_index_writer_remove(MkIndexWriter *writer, uint32_t number)
{
    kill_earlier(writer, number);
    g_hash_table_remove(writer->places, GUINT_TO_POINTER(number));
    g_hash_table_add(writer->removed, GUINT_TO_POINTER(number));
}
