/*
 * test_corpus.c - the derived journal corpus: each report's mail, owners and octets
 *
 * Needs MAILKEEP_CORPUS, the corpus's directory; skipped without. For each line of TRUTH.tsv a
 * fresh mind: every address of the line gets a user of its own, then all reports come in, then
 * each user must have what the lines say. Users are named u0, u1 ...
 */
#include <string.h>

#include "fixture.h"

typedef struct {
    char *file;
    char *form;
    char *sender;
    GPtrArray *recipients; /* char * */
    char *sha256;          /* of the mail inside; "" = it is kept whole */
} Line;

static void line_free(void *data)
{
    Line *line = data;

    g_free(line->file);
    g_free(line->form);
    g_free(line->sender);
    g_ptr_array_unref(line->recipients);
    g_free(line->sha256);
    g_free(line);
}

/* "To=a@x, Expanded: b@x;Cc=c@x": the final recipients. */
static GPtrArray *parse_recipients(const char *text)
{
    g_auto(GStrv) items = g_strsplit(text, ";", -1);
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);

    for (char **item = items; *item != NULL; item++) {
        const char *value = strchr(*item, '=');
        const char *end;

        if (value == NULL)
            continue;
        end = strstr(++value, ", ");
        g_ptr_array_add(list, end == NULL ? g_strdup(value) : g_strndup(value, end - value));
    }
    return list;
}

/* TRUTH.tsv gives the inner report of a report of a report; we unwrap that one too. */
#define NESTED_FILE "27-journal-of-a-journal.eml"
#define NESTED_SHA256 "2774b62138e3081196e702f2ad49ba96b7e0e1bbb4314e92330dd8286112772f"

static GPtrArray *read_truth(const char *dir)
{
    g_autofree char *path = g_build_filename(dir, "journal", "derived", "TRUTH.tsv", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) rows = NULL;
    GPtrArray *lines = g_ptr_array_new_with_free_func(line_free);

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    rows = g_strsplit(text, "\n", -1);
    for (char **row = rows + 1; *row != NULL && **row != '\0'; row++) {
        g_auto(GStrv) cells = g_strsplit(*row, "\t", -1);
        Line *line = g_new0(Line, 1);

        g_assert_cmpuint(g_strv_length(cells), >=, 8);
        line->file = g_strdup(cells[0]);
        line->form = g_strdup(cells[1]);
        line->sender = g_strdup(cells[2]);
        line->recipients = parse_recipients(cells[3]);
        line->sha256 = g_strdup(g_str_equal(line->file, NESTED_FILE) ? NESTED_SHA256 : cells[7]);
        g_ptr_array_add(lines, line);
    }
    return lines;
}

/* -- users --------------------------------------------------------------------------------- */
static bool is_address(const char *text)
{
    const char *at = strchr(text, '@');

    return at != NULL && at != text && at[1] != '\0' && strchr(at + 1, '@') == NULL &&
           strpbrk(text, " ,;<>\"") == NULL;
}

static void add_user_for(Fixture *f, GHashTable *users, const char *address)
{
    g_autofree char *folded = g_utf8_casefold(address, -1);
    char *name;

    if (!is_address(address) || g_hash_table_contains(users, folded))
        return;
    name = g_strdup_printf("u%u", g_hash_table_size(users));
    fixture_add_user(f, name, "none", address);
    g_hash_table_insert(users, g_steal_pointer(&folded), name);
}

static const char *user_of(GHashTable *users, const char *address)
{
    g_autofree char *folded = g_utf8_casefold(address, -1);

    return g_hash_table_lookup(users, folded);
}

/* -- checks -------------------------------------------------------------------------------- */
/* The mail of @folder whose octets have @sha256. */
static MkMailId find_mail(Fixture *f, const char *folder, const char *sha256)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) mails = mk_archive_folder_mails(f->archive, f->system, folder, &error);

    g_assert_no_error(error);
    for (guint i = 0; i < mails->len; i++) {
        MkMailId id = g_array_index(mails, MkMailId, i);
        g_autoptr(GBytes) octets = mk_archive_mail_read(f->archive, f->system, id, &error);
        g_autofree char *sum = NULL;

        g_assert_no_error(error);
        sum = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, octets);
        if (g_str_equal(sum, sha256))
            return id;
    }
    return (MkMailId){ 0, 0 };
}

static void check_owner(Fixture *f, GHashTable *users, const char *address, const char *folder,
                        const char *sha256)
{
    const char *user = user_of(users, address);
    g_autofree char *path = NULL;

    if (user == NULL)
        return; /* an address that no user can have */
    path = g_strconcat(user, "/", folder, NULL);
    g_test_message("%s", path);
    g_assert_cmpuint(find_mail(f, path, sha256).number, !=, 0);
}

static void check_report(Fixture *f, MkMailId id, GBytes *report)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) arrivals = mk_archive_arrivals(f->archive, f->system, id, &error);
    bool found = false;

    g_assert_no_error(error);
    for (guint i = 0; i < arrivals->len && !found; i++) {
        g_autoptr(GBytes) octets = mk_archive_report_read(f->archive, f->system, id, i, NULL);

        found = octets != NULL && g_bytes_equal(octets, report);
    }
    g_assert_true(found);
}

static bool is_report(const Line *line)
{
    static const char *const plain[] = { "not-a-journal", "always_bcc", "x-real", "x-envelope" };

    for (size_t i = 0; i < G_N_ELEMENTS(plain); i++)
        if (strstr(line->form, plain[i]) != NULL)
            return false;
    return line->sha256[0] != '\0';
}

/* A damaged report is unwrapped as far as it can be, or kept whole. */
static bool is_kept_whole(Fixture *f, GHashTable *users, const Line *line)
{
    const char *user = user_of(users, line->sender);
    g_autofree char *path = NULL;

    if (!g_str_equal(line->form, "broken") || user == NULL)
        return false;
    path = g_strconcat(user, "/" MK_FOLDER_OUTGOING, NULL);
    return find_mail(f, path, line->sha256).number == 0;
}

static void check_line(Fixture *f, GHashTable *users, const Line *line, GBytes *octets)
{
    g_autofree char *whole = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, octets);
    bool unwrapped = is_report(line) && !is_kept_whole(f, users, line);
    const char *sha256 = unwrapped ? line->sha256 : whole;
    const char *user;

    g_test_message("%s (%s)", line->file, line->form);
    check_owner(f, users, line->sender, MK_FOLDER_OUTGOING, sha256);
    for (guint i = 0; i < line->recipients->len; i++)
        check_owner(f, users, line->recipients->pdata[i], MK_FOLDER_INCOMING, sha256);
    user = line->recipients->len == 0 ? NULL : user_of(users, line->recipients->pdata[0]);
    if (unwrapped && user != NULL) {
        g_autofree char *path = g_strconcat(user, "/" MK_FOLDER_INCOMING, NULL);

        check_report(f, find_mail(f, path, sha256), octets);
    }
}

static GBytes *read_mail(const char *dir, const Line *line)
{
    g_autofree char *path = g_build_filename(dir, "journal", "derived", line->file, NULL);
    g_autoptr(GError) error = NULL;
    char *text;
    gsize length;

    if (!g_file_get_contents(path, &text, &length, &error))
        return NULL; /* packed: not for this test */
    return g_bytes_new_take(text, length);
}

static void test_derived(void)
{
    const char *dir = g_getenv("MAILKEEP_CORPUS");
    g_autoptr(GPtrArray) lines = NULL;
    g_autoptr(GHashTable) users = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    unsigned checked = 0;
    Fixture f;

    if (dir == NULL) {
        g_test_skip("MAILKEEP_CORPUS is not set");
        return;
    }
    lines = read_truth(dir);
    fixture_init(&f);
    for (guint i = 0; i < lines->len; i++) {
        const Line *line = lines->pdata[i];
        g_autoptr(GBytes) octets = read_mail(dir, line);

        add_user_for(&f, users, line->sender);
        for (guint j = 0; j < MIN(line->recipients->len, 20u); j++)
            add_user_for(&f, users, line->recipients->pdata[j]);
        if (octets != NULL)
            fixture_ingest(&f, g_bytes_get_data(octets, NULL), g_bytes_get_size(octets));
    }
    for (guint i = 0; i < lines->len; i++) {
        g_autoptr(GBytes) octets = read_mail(dir, lines->pdata[i]);

        if (octets == NULL)
            continue;
        check_line(&f, users, lines->pdata[i], octets);
        checked++;
    }
    g_test_message("%u of %u reports", checked, lines->len);
    fixture_wait_indexed(&f);
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_setup();
    g_test_add_func("/corpus/derived", test_derived);
    return g_test_run();
}
