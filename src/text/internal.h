/*
 * internal.h - inside the text room: what names say of a document, and the helper's process
 */
#ifndef MAILKEEP_TEXT_INTERNAL_H
#define MAILKEEP_TEXT_INTERNAL_H

#include <mailkeep/text.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <glib.h>

/* -- types.c ------------------------------------------------------------------------------ */
MkDocumentKind mk_kind_of_extension(const char *file_name); /* NULL allowed */
MkDocumentKind mk_kind_of_mime(const char *mime_type);      /* NULL allowed */

/* -- kind_zip.c, kind_cfb.c: containers known by what is in them; UNKNOWN if by nothing ------- */
MkDocumentKind mk_kind_of_zip(const uint8_t *data, size_t length);
MkDocumentKind mk_kind_of_cfb(const uint8_t *data, size_t length);

/* -- picture.c: what is said to be a page's picture --------------------------------------------- */
/* From all octets that came: sets count and picture (a copy, or NULL). False when they are neither. */
bool mk_page_picture_parse(const void *data, size_t length, MkPagePicture *out);

/* -- helper.c: one process -------------------------------------------------------------------- */
typedef struct {
    pid_t pid;  /* 0 = none runs; also its process group */
    int socket; /* -1 = none */
} MkHelper;

#define MK_HELPER_INIT \
    {                  \
        0, -1          \
    }

bool mk_helper_start(MkHelper *helper, const char *program, uint32_t memory_mib, GError **error);
/* Ends the process and all it started, now. */
void mk_helper_stop(MkHelper *helper);
/* Sends a message, with a descriptor if that is not -1. False when the helper is gone. */
bool mk_helper_send(MkHelper *helper, const GByteArray *message, int descriptor);
/* The next message: its length; 0 when the helper is gone; -1 at @deadline_ms (monotonic). */
ssize_t mk_helper_receive(MkHelper *helper, uint8_t *buffer, size_t size, int64_t deadline_ms);
/* A sealed memory file with the octets; -1 with errno. */
int mk_document_descriptor(const uint8_t *data, size_t length);

#endif
