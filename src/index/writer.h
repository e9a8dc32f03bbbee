/*
 * writer.h - mails taken in, not yet written
 */
#ifndef MK_INDEX_WRITER_H
#define MK_INDEX_WRITER_H

#include "table.h"

typedef struct {
    uint32_t number;
    bool dead; /* replaced or removed while in here */
    uint32_t flags;
    int64_t date_unix_ms, archived_unix_ms;
    uint64_t size_bytes;
    uint32_t *folders; /* ascending, each once; in the arena as the texts are */
    uint32_t folder_count;
    uint64_t conversation, copy;
    MkAttachmentText *attachments;
    uint32_t attachment_count;
    const char *texts[3];
} MkWriterDoc;

struct MkIndexWriter {
    MkIndex *index;
    MkTermTable table;
    GArray *docs;        /* MkWriterDoc, as they came */
    GHashTable *places;  /* number -> place in docs of the one that lives */
    GHashTable *removed; /* numbers that are to vanish from older segments only */
};

#endif
