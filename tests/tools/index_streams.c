/*
 * index_streams.c - how many octets each stream of an index takes
 *
 *   index_streams DIR        DIR is a data directory that no daemon has open
 *
 * Prints NAME=OCTETS: stream.N for the sealed blocks (docs/formats/index.md), directories for those
 * of the segments' files, and file for all that lies in the index's directory.
 */
#include <inttypes.h>
#include <stdio.h>

#include <mailkeep/crypto.h>
#include <mailkeep/log.h>
#define MkPieceKind MkMailPieceKind /* the index has one of its own inside */
#include <mailkeep/mail.h>

#include "archive/internal.h"
#undef MkPieceKind
#include "index/internal.h"

#define MAP_SIZE_BYTES (UINT64_C(1) << 40)
/* A block's place: offset above, length in the lowest bits (index/segment_file.c). */
#define LENGTH_MASK ((UINT64_C(1) << 26) - 1)

static void on_stopped(void *cookie)
{
    *(bool *) cookie = true;
}

static void print_streams(MkIndex *index)
{
    g_autoptr(MkView) view = mk_view_now(index);
    uint64_t octets[STREAM_COUNT] = { 0 }, directories = 0;
    MkIndexStatistics statistics;

    for (guint i = 0; i < view->manifest.segments->len; i++) {
        const MkSegment *segment = view->segments[i].segment;

        directories += segment->info.directory_bytes;
        for (int s = 0; s < STREAM_COUNT; s++)
            for (uint32_t b = 0; b < segment->blocks[s].count; b++)
                octets[s] += segment->blocks[s].places[b] & LENGTH_MASK;
    }
    printf("segments=%u\ndirectories=%" PRIu64 "\n", view->manifest.segments->len, directories);
    if (mk_index_statistics(index, &statistics, NULL))
        printf("file=%" PRIu64 "\n", statistics.size_bytes);
    for (int s = 0; s < STREAM_COUNT; s++)
        printf("stream.%d=%" PRIu64 "\n", s, octets[s]);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    bool stopped = false;

    mk_log_set_level(MK_LOG_ERROR);
    mk_mail_init();
    MkLoop *loop = mk_crypto_init(&error) ? mk_loop_new(1, 1, &error) : NULL;
    MkArchive *archive =
        loop != NULL && argc == 2 ? mk_archive_open(loop, argv[1], MAP_SIZE_BYTES, &error) : NULL;
    if (archive == NULL) {
        fprintf(stderr, "index_streams: %s\n", error != NULL ? error->message : "DIR is missing");
        return 2;
    }
    print_streams(store_current(archive)->index);
    mk_archive_stop(archive, on_stopped, &stopped);
    while (!stopped) {
        mk_loop_turn(loop);
        g_usleep(1000);
    }
    mk_archive_close(archive);
    mk_loop_free(loop);
    return 0;
}
