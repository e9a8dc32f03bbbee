/*
 * package.c - archives in memory, by libarchive: entries one after the other, counted octets
 *
 * Nothing is ever written, so names with "..", links and devices do no harm. Only formats and
 * filters that the library reads by itself are switched on: none that starts a program.
 */
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "internal.h"

#define BLOCK (64u << 10)

static bool package_open(Package *package, Extraction *x, struct archive *archive,
                         const uint8_t *data, size_t length)
{
    package->x = x;
    package->archive = archive;
    if (archive_read_open_memory(archive, data, length) == ARCHIVE_OK)
        return true;
    package_close(package);
    return false;
}

bool package_open_zip(Package *package, Extraction *x, const uint8_t *data, size_t length)
{
    struct archive *archive = archive_read_new();

    archive_read_support_format_zip(archive);
    return package_open(package, x, archive, data, length);
}

bool package_open_any(Package *package, Extraction *x, const uint8_t *data, size_t length)
{
    struct archive *archive = archive_read_new();

    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_bzip2(archive);
    archive_read_support_filter_xz(archive);
    archive_read_support_filter_lzma(archive);
    archive_read_support_filter_zstd(archive);
    archive_read_support_filter_lz4(archive);
    archive_read_support_filter_compress(archive);
    archive_read_support_format_zip(archive);
    archive_read_support_format_tar(archive);
    archive_read_support_format_7zip(archive);
    archive_read_support_format_rar(archive);
    archive_read_support_format_rar5(archive);
    archive_read_support_format_cab(archive);
    archive_read_support_format_lha(archive);
    archive_read_support_format_cpio(archive);
    archive_read_support_format_raw(archive);
    return package_open(package, x, archive, data, length);
}

void package_close(Package *package)
{
    if (package->archive)
        archive_read_free(package->archive);
    package->archive = NULL;
}

gssize package_read(Package *package, void *buffer, size_t size)
{
    gssize n = archive_read_data(package->archive, buffer, size);

    if (n < 0 || (n > 0 && !extract_unpacked(package->x, (uint64_t) n)))
        return -1;
    return n;
}

bool package_read_all(Package *package, GByteArray *content, size_t max_bytes, bool *out_cut)
{
    g_autofree uint8_t *block = g_malloc(BLOCK);
    gssize n = 1;

    while (content->len < max_bytes) {
        n = package_read(package, block, MIN(BLOCK, max_bytes - content->len));
        if (n <= 0)
            break;
        g_byte_array_append(content, block, (guint) n);
    }
    *out_cut = n > 0;
    return n >= 0;
}
