/*
 * text_cache.h - the texts of the mails shown last
 *
 * Purpose    A list that is asked for again, or shares mails with the one before, need not open,
 *            unpack and take apart the same mails for its snippets once more.
 * Ownership  An entry found is a new reference; it stays whole while the cache makes room.
 * Threads    Any.
 * Limits     Entries and what they take together are at most what the cache was made with; a text
 *            of more than a 64th of that is not kept.
 * Secrets    In memory only, and wiped when the last reference goes.
 */
#ifndef MK_ARCHIVE_TEXT_CACHE_H
#define MK_ARCHIVE_TEXT_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

/* The body behind the other: text, and text of attachments. Immutable. */
typedef struct {
    gint refs;
    uint32_t body_length;
    uint32_t attachment_length;
    char octets[];
} ShownText;
ShownText *shown_text_new(const GString *body, const GString *attachment_text);
ShownText *shown_text_ref(ShownText *text);
void shown_text_unref(ShownText *text); /* NULL-safe */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ShownText, shown_text_unref)

typedef struct TextCache TextCache;
TextCache *text_cache_new(size_t max_bytes);
void text_cache_free(TextCache *cache);
/* A new reference, now the one used last; NULL when it is not in here. */
ShownText *text_cache_find(TextCache *cache, uint32_t number);
/* Without using it. */
bool text_cache_has(TextCache *cache, uint32_t number);
/* Takes a reference of its own, unless the text is too long or known. */
void text_cache_add(TextCache *cache, uint32_t number, ShownText *text);
/* The mail is gone. */
void text_cache_forget(TextCache *cache, uint32_t number);
void text_cache_empty(TextCache *cache);
size_t text_cache_bytes(TextCache *cache);

#endif
