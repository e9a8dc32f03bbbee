#include <string.h>

#include <glib/gstdio.h>

#include <mailkeep/limits.h>

#include "samples.h"

/* Well below what valgrind and the sanitizers can map. */
#define MAP_BYTES (UINT64_C(1) << 30)

const SampleMail sample_mails[9] = {
    { 1, "ZDNet <news@zdnet.example>", "lisa@mailkeep.example", NULL, NULL,
      "Download-Tipp der Woche", "Neues zum Thema Auto", NULL, NULL, NULL },
    { 2, "ZDNet <news@zdnet.example>", "lisa@mailkeep.example", NULL, NULL, "Nachrichten",
      "Automatisch lesen: Daily Update", NULL, NULL, NULL },
    { 3, "vorname.nachname@example.com", "michael@mailkeep.example", NULL, NULL, "Termin",
      "Herr Meier kommt, Autoreparatur folgt", NULL, NULL, NULL },
    { 4, "versand@example.com", "meineadresse@company.tld", NULL, NULL, "Lieferung 4711",
      "siehe Anhang", "R4711.txt", "Rechnung ueber 10 EUR", NULL },
    { 5, "versand@example.com", "meineadresse@company.tld", NULL, NULL, "Mahnung 2", "siehe Anhang",
      "R4711.txt", "Rechnung offen", NULL },
    { 6, "max@firma.example", "bewerbung@example.com", NULL, NULL, "Bewerbung als Koch",
      "mein Lebenslauf", "cv.pdf", NULL, NULL },
    { 7, "max@firma.example", "bewerbung@example.com", NULL, NULL, "Nachtrag", "Zeugnis folgt",
      NULL, NULL, NULL },
    { 8, "john@mailkeep.example", "all@mailkeep.example", "lisa@mailkeep.example",
      "customers@mailkeep.example", "Info", "Microsoft Windows ist da, Frau Meyer", NULL, NULL,
      NULL },
    { 9, "john@mailkeep.example", "all@mailkeep.example", NULL, NULL, "Rechnung Mai",
      "Microsoft Works und Windows 95, Herr Maier", NULL, NULL, NULL },
};

static void open_index(Sample *sample)
{
    g_autoptr(GError) error = NULL;
    sample->index = mk_index_open(sample->dir, sample->key, MAP_BYTES, &error);
    g_assert_no_error(error);
}

void sample_init(Sample *sample)
{
    static const uint8_t bytes[MK_KEY_BYTES] = { 1, 2, 3 };
    g_autoptr(GError) error = NULL;
    g_assert_true(mk_crypto_init(&error));
    sample->dir = g_dir_make_tmp("mailkeep-index-XXXXXX", &error);
    g_assert_no_error(error);
    sample->key = mk_key_new_from(bytes);
    open_index(sample);
}

static void remove_files(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        if (g_file_test(inner, G_FILE_TEST_IS_DIR))
            remove_files(inner);
        else
            g_unlink(inner);
    }
    g_rmdir(path);
}

void sample_clear(Sample *sample)
{
    mk_index_close(sample->index);
    mk_key_free(sample->key);
    remove_files(sample->dir);
    g_free(sample->dir);
}

void sample_reopen(Sample *sample)
{
    g_clear_pointer(&sample->index, mk_index_close);
    open_index(sample);
}

static gint compare_paths(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

GPtrArray *sample_segments(const Sample *sample)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *segments = g_build_filename(sample->dir, "segments", NULL);
    g_autoptr(GDir) dir = g_dir_open(segments, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;)
        g_ptr_array_add(paths, g_build_filename(segments, name, NULL));
    g_ptr_array_sort(paths, compare_paths);
    return paths;
}

void sample_add(MkIndexWriter *writer, const SampleMail *mail)
{
    const char *const texts[MK_FIELD_COUNT] = {
        [MK_FIELD_SUBJECT] = mail->subject,
        [MK_FIELD_FROM] = mail->from,
        [MK_FIELD_TO] = mail->to,
        [MK_FIELD_CC] = mail->cc,
        [MK_FIELD_BCC] = mail->bcc,
        [MK_FIELD_BODY] = mail->body,
        [MK_FIELD_ATTACHMENT_NAME] = mail->attachment_name,
        [MK_FIELD_ATTACHMENT_TEXT] = mail->attachment_text,
        [MK_FIELD_ENVELOPE] = mail->envelope,
    };
    const char *values[MK_FIELD_COUNT][2] = { 0 };
    const uint32_t folder = 1;
    MkIndexDoc doc = { .number = mail->number,
                       .date_unix_ms = mail->number * 1000,
                       .archived_unix_ms = mail->number * 1000 + 500,
                       .size_bytes = mail->number * 100,
                       .folders = &folder,
                       .folder_count = 1,
                       .subject = mail->subject,
                       .from = mail->from,
                       .to = mail->to };
    for (unsigned i = 0; i < MK_FIELD_COUNT; i++) {
        values[i][0] = texts[i];
        doc.values[i] = values[i];
    }
    mk_index_writer_add(writer, &doc);
}

void sample_fill(Sample *sample, bool one_each)
{
    g_autoptr(GError) error = NULL;
    MkIndexWriter *writer = mk_index_writer_new(sample->index);
    for (size_t i = 0; i < G_N_ELEMENTS(sample_mails); i++) {
        sample_add(writer, &sample_mails[i]);
        if (one_each || i + 1 == G_N_ELEMENTS(sample_mails)) {
            mk_index_writer_commit(writer, i + 1, &error);
            g_assert_no_error(error);
            writer = i + 1 < G_N_ELEMENTS(sample_mails) ? mk_index_writer_new(sample->index) : NULL;
        }
    }
}

static gint compare_numbers(gconstpointer a, gconstpointer b)
{
    const MkHit *x = *(MkHit *const *) a, *y = *(MkHit *const *) b;
    return (x->number > y->number) - (x->number < y->number);
}

char *sample_find(Sample *sample, const char *text, bool with_envelope)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkQuery) query = mk_query_parse(text, &error);
    MkSearch search = { .query = query,
                        .with_envelope = with_envelope,
                        .limit = MK_LIMIT_SEARCH_PAGE };
    g_autoptr(MkSearchResult) result = NULL;
    if (query != NULL)
        result = mk_index_search(sample->index, &search, &error);
    if (result == NULL)
        return g_ascii_strup(mk_error_name(mk_error_code(error)), -1);

    GString *out = g_string_new(NULL);
    g_assert_cmpuint(result->total, ==, result->hits->len);
    g_ptr_array_sort(result->hits, compare_numbers);
    for (guint i = 0; i < result->hits->len; i++)
        g_string_append_printf(out, "%s%u", i > 0 ? " " : "",
                               ((const MkHit *) result->hits->pdata[i])->number);
    return g_string_free(out, FALSE);
}
