/*
 * filter.h - what is asked of a mail besides its words
 */
#ifndef MK_INDEX_FILTER_H
#define MK_INDEX_FILTER_H

#include "internal.h"

/* The folders of a search, ascending; with @all every mail is in. */
typedef struct {
    bool all;
    GArray *ids; /* uint32_t */
} MkFolderScope;
#define MK_FOLDER_SCOPE_INIT \
    {                        \
        true, NULL           \
    }
void mk_folder_scope_init(MkFolderScope *scope, const MkSearch *search);
void mk_folder_scope_clear(MkFolderScope *scope);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkFolderScope, mk_folder_scope_clear)
/* The lowest of @ids in scope; *out_folder is 0 for a mail in no folder. False: none is. */
bool mk_folder_scope_find(const MkFolderScope *scope, const uint32_t *ids, size_t count,
                          uint32_t *out_folder);

/* Takes out of @docs what the search's folders, times, sizes and flags do not allow. */
bool mk_filter(MkWatch *watch, const MkSegment *segment, const MkSearch *search,
               const MkFolderScope *scope, MkDocSet *docs, GError **error);

#endif
