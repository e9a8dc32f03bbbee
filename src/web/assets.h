/*
 * assets.h - the files of the web application, as tools/web-build.sh puts them into the program
 */
#ifndef MK_WEB_ASSETS_H
#define MK_WEB_ASSETS_H

#include <stddef.h>

typedef struct WebAsset {
    const char *path; /* "/index.html" */
    const char *type;
    const char *etag; /* with its quotes */
    const unsigned char *plain, *plain_end;
    const unsigned char *packed, *packed_end; /* the same by gzip */
} WebAsset;

extern const WebAsset web_asset_table[]; /* by path */
extern const size_t web_asset_count;

#endif
