/*
 * samples.c - documents made for the tests: archives by libarchive, compound files and PDF by hand
 */
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include <mailkeep/limits.h>

#include "samples.h"

/* -- reading -------------------------------------------------------------------------------------- */

static void gather(void *cookie, const char *text, size_t length)
{
    g_string_append_len(cookie, text, (gssize) length);
}

GString *sample_read(MkDocumentKind kind, const char *name, const uint8_t *data, size_t length,
                     size_t max_text, Verdict *out)
{
    GString *text = g_string_new(NULL);
    Extraction x = {
        .kinds = UINT64_MAX, .text_left = max_text, .on_text = gather, .cookie = text
    };
    Document document = { kind, name, data, length };

    *out = extract_document(&x, &document);
    g_assert_true(g_utf8_validate_len(text->str, text->len, NULL));
    g_assert_cmpuint(text->len, <=, max_text);
    g_assert_cmpint(out->result, >=, MK_TEXT_COMPLETE);
    g_assert_cmpint(out->result, <=, MK_TEXT_EMPTY);
    return text;
}

void sample_extract(const char *name, const uint8_t *data, size_t length, uint32_t seconds,
                    bool ocr, MkExtracted *out)
{
    g_autofree char *program = g_build_filename(g_getenv("BIN_DIR"), "mailkeep-extract", NULL);
    MkExtractorOptions options = MK_EXTRACTOR_OPTIONS_INIT;
    g_autoptr(MkExtractor) extractor = NULL;

    options.program = program;
    options.seconds = seconds;
    options.ocr = ocr;
    extractor = mk_extractor_new(&options);
    mk_extractor_read(extractor, mk_document_kind(NULL, name, data, length), name, data, length,
                      out);
}

static void read_copy(MkDocumentKind kind, const uint8_t *data, size_t length)
{
    /* Of its exact size, so that a sanitizer sees a read behind the end. */
    g_autofree uint8_t *copy = g_memdup2(data, length);
    Verdict verdict;
    GString *text = sample_read(kind, "x", copy, length, 100000, &verdict);

    g_string_free(text, TRUE);
}

void sample_torture(MkDocumentKind kind, const uint8_t *data, size_t length)
{
    g_autofree uint8_t *wrong = g_memdup2(data, length);
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    size_t step = MAX(length / 300, 1);

    for (size_t cut = 0; cut < length; cut += step)
        read_copy(kind, data, cut);
    for (int i = 0; i < 300; i++) {
        size_t at = (size_t) g_rand_int_range(random, 0, (gint32) length);
        uint8_t was = wrong[at];

        wrong[at] = (uint8_t) g_rand_int(random);
        read_copy(kind, wrong, length);
        wrong[at] = was;
    }
}

/* -- archives --------------------------------------------------------------------------------------- */

static la_ssize_t on_write(struct archive *archive, void *cookie, const void *octets, size_t length)
{
    (void) archive;
    g_byte_array_append(cookie, octets, (guint) length);
    return (la_ssize_t) length;
}

static void write_files(struct archive *archive, const SampleFile *files)
{
    for (const SampleFile *file = files; file->name; file++) {
        size_t length = file->length ? file->length : strlen(file->data);
        struct archive_entry *entry = archive_entry_new();

        archive_entry_set_pathname_utf8(entry, file->name);
        archive_entry_set_size(entry, (la_int64_t) length);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        g_assert_cmpint(archive_write_header(archive, entry), ==, ARCHIVE_OK);
        g_assert_cmpint(archive_write_data(archive, file->data, length), ==, (gssize) length);
        archive_entry_free(entry);
    }
}

static GByteArray *write_archive(struct archive *archive, const SampleFile *files)
{
    GByteArray *out = g_byte_array_new();

    archive_write_set_bytes_in_last_block(archive, 1);
    g_assert_cmpint(archive_write_open(archive, out, NULL, on_write, NULL), ==, ARCHIVE_OK);
    write_files(archive, files);
    g_assert_cmpint(archive_write_close(archive), ==, ARCHIVE_OK);
    archive_write_free(archive);
    return out;
}

GByteArray *sample_archive(const char *format, const char *filter, const SampleFile *files)
{
    struct archive *archive = archive_write_new();

    g_assert_cmpint(archive_write_set_format_by_name(archive, format), ==, ARCHIVE_OK);
    if (filter)
        g_assert_cmpint(archive_write_add_filter_by_name(archive, filter), ==, ARCHIVE_OK);
    return write_archive(archive, files);
}

GByteArray *sample_zip(const SampleFile *files)
{
    return sample_archive("zip", NULL, files);
}

GByteArray *sample_zip_encrypted(const SampleFile *files)
{
    struct archive *archive = archive_write_new();

    archive_write_set_format_zip(archive);
    g_assert_cmpint(archive_write_set_options(archive, "zip:encryption=traditional"), ==,
                    ARCHIVE_OK);
    archive_write_set_passphrase(archive, "secret");
    return write_archive(archive, files);
}

/* -- numbers ----------------------------------------------------------------------------------------- */

void sample_u16(GByteArray *out, unsigned value)
{
    const uint8_t octets[] = { (uint8_t) value, (uint8_t) (value >> 8) };

    g_byte_array_append(out, octets, 2);
}

void sample_u32(GByteArray *out, uint32_t value)
{
    sample_u16(out, value & 0xffff);
    sample_u16(out, value >> 16);
}

void sample_utf16(GByteArray *out, const char *ascii)
{
    for (; *ascii; ascii++)
        sample_u16(out, (unsigned char) *ascii);
}

/* -- compound files (MS-CFB 2) -------------------------------------------------------------------------- */

#define SECTOR 512u
#define MINI 64u
#define END 0xfffffffeu
#define NONE 0xffffffffu
#define MAX_FILES 60

typedef struct {
    GByteArray *sectors; /* behind the header */
    GByteArray *fat;
    GByteArray *mini;
    GByteArray *mini_fat;
} Maker;

static void pad(GByteArray *out, size_t unit, uint8_t octet)
{
    while (out->len % unit != 0)
        g_byte_array_append(out, &octet, 1);
}

static void add_chain(GByteArray *table, uint32_t first, uint32_t count)
{
    for (uint32_t i = 1; i <= count; i++)
        sample_u32(table, i == count ? END : first + i);
}

static uint32_t add_sectors(Maker *m, const uint8_t *data, size_t length)
{
    uint32_t first = m->sectors->len / SECTOR, count;

    if (length == 0)
        return END;
    g_byte_array_append(m->sectors, data, (guint) length);
    pad(m->sectors, SECTOR, 0);
    count = m->sectors->len / SECTOR - first;
    add_chain(m->fat, first, count);
    return first;
}

static uint32_t add_mini(Maker *m, const uint8_t *data, size_t length)
{
    uint32_t first = m->mini->len / MINI;

    g_byte_array_append(m->mini, data, (guint) length);
    pad(m->mini, MINI, 0);
    add_chain(m->mini_fat, first, m->mini->len / MINI - first);
    return first;
}

typedef struct {
    const char *name;
    uint8_t type;
    uint32_t right, child, start, size;
} MakerEntry;

static void add_entry(GByteArray *out, const MakerEntry *e)
{
    guint at = out->len;

    sample_utf16(out, e->name);
    g_byte_array_set_size(out, at + 128);
    memset(out->data + at + 2 * strlen(e->name), 0, 128 - 2 * strlen(e->name));
    out->data[at + 64] = (uint8_t) (2 * strlen(e->name) + 2);
    out->data[at + 66] = e->type;
    out->data[at + 67] = 1;
    for (int i = 0; i < 4; i++) {
        out->data[at + 68 + i] = 0xff; /* no left */
        out->data[at + 72 + i] = (uint8_t) (e->right >> 8 * i);
        out->data[at + 76 + i] = (uint8_t) (e->child >> 8 * i);
        out->data[at + 116 + i] = (uint8_t) (e->start >> 8 * i);
        out->data[at + 120 + i] = (uint8_t) (e->size >> 8 * i);
    }
}

/* The entry of the storage that a path lies in; the root's is 0. */
static uint32_t parent_of(const MakerEntry *entries, uint32_t count, const SampleFile *files,
                          const char *path)
{
    const char *slash = strrchr(path, '/');

    for (uint32_t i = 1; slash && i < count; i++)
        if (entries[i].type == 1 && strlen(files[i - 1].name) == (size_t) (slash - path) &&
            strncmp(files[i - 1].name, path, (size_t) (slash - path)) == 0)
            return i;
    return 0;
}

static uint32_t make_entries(Maker *m, const SampleFile *files, MakerEntry *entries)
{
    uint32_t count = 1;

    entries[0] = (MakerEntry){ "Root Entry", 5, NONE, NONE, END, 0 };
    for (const SampleFile *file = files; file->name; file++, count++) {
        const char *slash = strrchr(file->name, '/');
        MakerEntry *parent = &entries[parent_of(entries, count, files, file->name)];
        MakerEntry *e = &entries[count];

        g_assert_cmpuint(count, <, MAX_FILES);
        *e = (MakerEntry){
            slash ? slash + 1 : file->name, file->data ? 2 : 1, parent->child, NONE, 0, 0
        };
        parent->child = count;
        if (!file->data)
            continue;
        e->size = (uint32_t) (file->length ? file->length : strlen(file->data));
        e->start = e->size < 4096 ? add_mini(m, (const uint8_t *) file->data, e->size)
                                  : add_sectors(m, (const uint8_t *) file->data, e->size);
    }
    return count;
}

static GByteArray *make_header(uint32_t directory, uint32_t mini_fat, uint32_t mini_fat_count,
                               uint32_t fat_first, uint32_t fat_count)
{
    GByteArray *out = g_byte_array_new();
    static const uint8_t zeros[16];

    g_byte_array_append(out, OCTETS("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"));
    g_byte_array_append(out, zeros, 16);
    sample_u16(out, 0x3e);
    sample_u16(out, 3);
    sample_u16(out, 0xfffe);
    sample_u16(out, 9);
    sample_u16(out, 6);
    g_byte_array_append(out, zeros, 10);
    sample_u32(out, fat_count);
    sample_u32(out, directory);
    sample_u32(out, 0);
    sample_u32(out, 4096);
    sample_u32(out, mini_fat);
    sample_u32(out, mini_fat_count);
    sample_u32(out, END);
    sample_u32(out, 0);
    for (uint32_t i = 0; i < 109; i++)
        sample_u32(out, i < fat_count ? fat_first + i : NONE);
    return out;
}

GByteArray *sample_cfb(const SampleFile *files)
{
    Maker m = { g_byte_array_new(), g_byte_array_new(), g_byte_array_new(), g_byte_array_new() };
    g_autoptr(GByteArray) directory = g_byte_array_new();
    MakerEntry entries[MAX_FILES];
    uint32_t count = make_entries(&m, files, entries);
    uint32_t directory_at, mini_fat_at, fat_at, fat_count = 1, total;
    GByteArray *out;

    entries[0].size = m.mini->len;
    entries[0].start = add_sectors(&m, m.mini->data, m.mini->len);
    for (uint32_t i = 0; i < count; i++)
        add_entry(directory, &entries[i]);
    pad(directory, SECTOR, 0);
    directory_at = add_sectors(&m, directory->data, directory->len);
    pad(m.mini_fat, SECTOR, 0xff);
    mini_fat_at = add_sectors(&m, m.mini_fat->data, m.mini_fat->len);
    fat_at = m.sectors->len / SECTOR;
    total = fat_at;
    while ((total + fat_count) * 4 > fat_count * SECTOR)
        fat_count++;
    for (uint32_t i = 0; i < fat_count; i++)
        sample_u32(m.fat, 0xfffffffd);
    pad(m.fat, SECTOR, 0xff);
    out = make_header(directory_at, mini_fat_at, m.mini_fat->len / SECTOR, fat_at, fat_count);
    g_byte_array_append(out, m.sectors->data, m.sectors->len);
    g_byte_array_append(out, m.fat->data, m.fat->len);
    g_byte_array_unref(m.sectors);
    g_byte_array_unref(m.fat);
    g_byte_array_unref(m.mini);
    g_byte_array_unref(m.mini_fat);
    return out;
}

/* -- PDF (ISO 32000-1, 7.5) -------------------------------------------------------------------------------- */

static void add_object(GString *pdf, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void add_object(GString *pdf, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_string_append_vprintf(pdf, format, arguments);
    va_end(arguments);
    g_string_append_c(pdf, '\n');
}

static void add_xref(GString *pdf)
{
    size_t start = pdf->len;
    GString *table = g_string_new(NULL);
    unsigned count = 1;

    for (;; count++) {
        g_autofree char *mark = g_strdup_printf("\n%u 0 obj", count);
        const char *at = strstr(pdf->str, mark);

        if (!at)
            break;
        g_string_append_printf(table, "%010u 00000 n \n", (unsigned) (at + 1 - pdf->str));
    }
    g_string_append_printf(pdf, "xref\n0 %u\n0000000000 65535 f \n%s", count, table->str);
    g_string_append_printf(pdf, "trailer <</Size %u /Root 1 0 R>>\nstartxref\n%zu\n%%%%EOF\n",
                           count, start);
    g_string_free(table, TRUE);
}

GByteArray *sample_pdf(const char *content, const char *resources, const char *objects)
{
    GString *pdf = g_string_new("%PDF-1.4\n");
    gsize length;

    add_object(pdf, "1 0 obj <</Type /Catalog /Pages 2 0 R>> endobj");
    add_object(pdf, "2 0 obj <</Type /Pages /Kids [3 0 R] /Count 1>> endobj");
    add_object(pdf,
               "3 0 obj <</Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R "
               "/Resources <</Font <</F1 5 0 R>> %s>>>> endobj",
               resources);
    add_object(pdf, "4 0 obj <</Length %zu>> stream\n%s\nendstream endobj", strlen(content),
               content);
    add_object(pdf, "5 0 obj <</Type /Font /Subtype /Type1 /BaseFont /Helvetica "
                    "/Encoding /WinAnsiEncoding>> endobj");
    add_object(pdf, "%s", objects);
    add_xref(pdf);
    length = pdf->len;
    return g_byte_array_new_take((guint8 *) g_string_free(pdf, FALSE), length);
}
