/*
 * corpus.c - goes through the mails of the corpus that $MAILKEEP_CORPUS names
 */
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "corpus.h"

#define TAR_BLOCK 512

bool corpus_there(void)
{
    if (g_getenv("MAILKEEP_CORPUS"))
        return true;
    g_test_skip("MAILKEEP_CORPUS is not set");
    return false;
}

static GByteArray *unpack(const char *path)
{
    const char *argv[] = { "zstd", "-dcq", path, NULL };
    GByteArray *out = g_byte_array_new();
    guint8 chunk[16384];
    ssize_t n;
    int fd;

    g_assert_true(g_spawn_async_with_pipes(NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL,
                                           NULL, NULL, NULL, &fd, NULL, NULL));
    while ((n = read(fd, chunk, sizeof chunk)) > 0)
        g_byte_array_append(out, chunk, (guint) n);
    close(fd);
    return out;
}

static unsigned each_of_tar(const GByteArray *tar, CorpusMail on_mail, void *user)
{
    unsigned count = 0;
    size_t at = 0;

    while (at + TAR_BLOCK <= tar->len && tar->data[at] != 0) {
        const char *head = (const char *) tar->data + at;
        g_autofree char *name = g_strndup(head, 100);
        size_t size = g_ascii_strtoull(head + 124, NULL, 8);

        if (head[156] == '0' || head[156] == '\0') {
            on_mail(name, tar->data + at + TAR_BLOCK, size, user);
            count++;
        }
        at += TAR_BLOCK + (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
    }
    return count;
}

/* mboxrd: one ">" off before any "From " of a body. */
static unsigned each_of_mbox(const char *name, const GByteArray *box, CorpusMail on_mail,
                             void *user)
{
    const char *at = (const char *) box->data, *end = at + box->len;
    unsigned count = 0;

    while (at < end) {
        GString *mail = g_string_new(NULL);
        const char *line = memchr(at, '\n', (size_t) (end - at));

        for (at = line ? line + 1 : end; at < end && !g_str_has_prefix(at, "From ");) {
            const char *lf = memchr(at, '\n', (size_t) (end - at)), *p = at;
            size_t length = lf ? (size_t) (lf - at) + 1 : (size_t) (end - at);

            while (*p == '>')
                p++;
            if (p > at && g_str_has_prefix(p, "From "))
                g_string_append_len(mail, at + 1, (gssize) length - 1);
            else
                g_string_append_len(mail, at, (gssize) length);
            at += length;
        }
        g_autofree char *numbered = g_strdup_printf("%s:%u", name, ++count);
        on_mail(numbered, (uint8_t *) mail->str, mail->len, user);
        g_string_free(mail, TRUE);
    }
    return count;
}

static unsigned each_of_file(const char *path, CorpusMail on_mail, void *user)
{
    g_autofree char *data = NULL, *name = g_path_get_basename(path);
    gsize length;

    if (strstr(path, "INDEX") || strstr(path, "TRUTH"))
        return 0;
    if (!g_str_has_suffix(path, ".zst")) {
        g_assert_true(g_file_get_contents(path, &data, &length, NULL));
        on_mail(name, (uint8_t *) data, length, user);
        return 1;
    }
    g_autoptr(GByteArray) plain = unpack(path);
    if (g_str_has_suffix(path, ".tar.zst"))
        return each_of_tar(plain, on_mail, user);
    if (g_str_has_suffix(path, ".mbox.zst") && strstr(path, "/real/")) {
        g_byte_array_append(plain, (const guint8 *) "", 1);
        plain->len--;
        return each_of_mbox(name, plain, on_mail, user);
    }
    on_mail(name, plain->data, plain->len, user);
    return 1;
}

static unsigned each_below(const char *path, CorpusMail on_mail, void *user)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    unsigned count = 0;
    const char *name;

    if (!dir)
        return each_of_file(path, on_mail, user);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *below = g_build_filename(path, name, NULL);

        count += each_below(below, on_mail, user);
    }
    return count;
}

unsigned corpus_each(const char *folder, CorpusMail on_mail, void *user)
{
    g_autofree char *path = g_build_filename(g_getenv("MAILKEEP_CORPUS"), folder, NULL);

    return each_below(path, on_mail, user);
}

uint8_t *corpus_file(const char *path, size_t *out_length)
{
    g_autofree char *full = g_build_filename(g_getenv("MAILKEEP_CORPUS"), path, NULL);
    char *data = NULL;

    g_assert_true(g_file_get_contents(full, &data, out_length, NULL));
    return (uint8_t *) data;
}
