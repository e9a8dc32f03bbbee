/*
 * filter.h - what is asked of a mail besides its words
 */
#ifndef MK_INDEX_FILTER_H
#define MK_INDEX_FILTER_H

#include "internal.h"

/*
 * Which documents of a segment are in the folders of a search, kept for the next search in the same
 * folders: a segment never changes, and who types asks again and again. Any thread.
 */
typedef struct MkScopeCache MkScopeCache;
MkScopeCache *mk_scope_cache_new(size_t max_bytes);
void mk_scope_cache_free(MkScopeCache *cache);
void mk_scope_cache_empty(MkScopeCache *cache);
size_t mk_scope_cache_bytes(MkScopeCache *cache);

/* The folders of a search; with @all every mail is in. */
typedef struct {
    bool all;
    MkScopeCache *cache; /* borrowed; may be NULL */
    GBytes *ids;         /* uint32_t, ascending, each once */
    guint hash;          /* of ids */
    MkDocSet *has;       /* the same, as bits by folder id */
} MkFolderScope;
#define MK_FOLDER_SCOPE_INIT      \
    {                             \
        true, NULL, NULL, 0, NULL \
    }
void mk_folder_scope_init(MkFolderScope *scope, const MkSearch *search);
void mk_folder_scope_clear(MkFolderScope *scope);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkFolderScope, mk_folder_scope_clear)
/* The lowest of @ids in scope; *out_folder is 0 for a mail in no folder. False: none is. */
bool mk_folder_scope_find(const MkFolderScope *scope, const uint32_t *ids, size_t count,
                          uint32_t *out_folder);
/* Takes out of @docs those that are not in scope. */
bool mk_scope_keep(const MkFolderScope *scope, MkWatch *watch, const MkSegment *segment,
                   MkDocSet *docs, GError **error);
/* All documents of the segment in scope: a new reference, not to be changed. */
MkDocSet *mk_scope_docs(const MkFolderScope *scope, MkWatch *watch, const MkSegment *segment,
                        GError **error);
/* The same if the cache has it, else NULL. */
MkDocSet *mk_scope_known(const MkFolderScope *scope, const MkSegment *segment);

/* Takes out of @docs what the search's folders, times, sizes and flags do not allow. */
bool mk_filter(MkWatch *watch, const MkSegment *segment, const MkSearch *search,
               const MkFolderScope *scope, MkDocSet *docs, GError **error);

#endif
