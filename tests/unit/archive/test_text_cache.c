/* test_text_cache.c - texts kept for snippets: how many, which go first, and that they are used */
#include <string.h>

#include "archive/internal.h"
#include "archive/text_cache.h"
#include "fixture.h"

enum { LONG = 500, MAX = 64 * 1024 }; /* a text of LONG is under a 64th of MAX */

static ShownText *text_of(size_t length, char letter)
{
    g_autofree char *octets = g_malloc(length + 1);
    GString *body, *attachment = g_string_new("attached");
    ShownText *text;

    memset(octets, letter, length);
    body = g_string_new_len(octets, (gssize) length);
    text = shown_text_new(body, attachment);
    g_string_free(body, TRUE);
    g_string_free(attachment, TRUE);
    return text;
}

static void add(TextCache *cache, uint32_t number, size_t length)
{
    g_autoptr(ShownText) text = text_of(length, (char) ('a' + number % 26));

    text_cache_add(cache, number, text);
}

static bool has(TextCache *cache, uint32_t number)
{
    g_autoptr(ShownText) text = text_cache_find(cache, number);

    return text != NULL;
}

static void test_content(void)
{
    TextCache *cache = text_cache_new(MAX);
    g_autoptr(ShownText) found = NULL;

    add(cache, 2, 5);
    g_assert_false(has(cache, 1));
    found = text_cache_find(cache, 2);
    text_cache_free(cache); /* who has found it may go on reading it */
    g_assert_cmpmem(found->octets, found->body_length, "ccccc", 5);
    g_assert_cmpmem(found->octets + found->body_length, found->attachment_length, "attached", 8);
}

static void test_bound(void)
{
    TextCache *cache = text_cache_new(MAX);

    for (uint32_t number = 1; number <= 1000; number++) {
        add(cache, number, LONG);
        g_assert_cmpuint(text_cache_bytes(cache), <=, MAX);
    }
    g_assert_cmpuint(text_cache_bytes(cache), >, MAX - 2 * LONG);
    g_assert_true(has(cache, 1000));
    g_assert_true(has(cache, 950));
    g_assert_false(has(cache, 1));
    text_cache_empty(cache);
    g_assert_cmpuint(text_cache_bytes(cache), ==, 0);
    g_assert_false(has(cache, 1000));
    text_cache_free(cache);
}

/* What is asked for stays, what nobody asks for goes. */
static void test_order(void)
{
    TextCache *cache = text_cache_new(MAX);

    add(cache, 1, LONG);
    add(cache, 2, LONG);
    for (uint32_t number = 3; number <= 1000; number++) {
        add(cache, number, LONG);
        g_assert_true(has(cache, 1));
    }
    g_assert_false(has(cache, 2));
    text_cache_free(cache);
}

static void test_left_out(void)
{
    TextCache *cache = text_cache_new(MAX), *none = text_cache_new(0);

    add(cache, 1, MAX / 64); /* with what it takes beside its octets it is too long */
    g_assert_false(has(cache, 1));
    add(cache, 2, LONG);
    size_t bytes = text_cache_bytes(cache);
    add(cache, 2, LONG); /* known */
    g_assert_cmpuint(text_cache_bytes(cache), ==, bytes);
    text_cache_forget(cache, 3);
    g_assert_true(has(cache, 2));
    text_cache_forget(cache, 2);
    g_assert_false(has(cache, 2));
    g_assert_cmpuint(text_cache_bytes(cache), ==, 0);
    add(none, 1, 0);
    g_assert_false(has(none, 1));
    text_cache_free(none);
    text_cache_free(cache);
}

/* -- and their use ------------------------------------------------------------------------------- */
static uint64_t index_memory(Fixture *f)
{
    MkIndexStatistics statistics;

    g_assert_true(mk_index_statistics(store_current(f->archive)->index, &statistics, NULL));
    return statistics.memory_bytes;
}

static void assert_snippet(Fixture *f, const char *query, const char *wanted)
{
    MkFind find = { .principal = f->system, .query = query, .limit = 10, .with_snippets = true };
    g_autoptr(GError) error = NULL;
    g_autoptr(MkFound) found = mk_archive_find(f->archive, &find, &error);
    const MkFoundMail *mail;

    g_assert_no_error(error);
    g_assert_cmpuint(found->hits->len, ==, 1);
    mail = found->hits->pdata[0];
    g_assert_nonnull(mail->snippet);
    g_assert_cmpstr(mail->snippet->text, ==, wanted);
}

static void test_snippets(void)
{
    const char *mail = "From: x@example.org\r\nTo: bert@example.com\r\nSubject: Angebot\r\n\r\n"
                       "Das Angebot liegt bei.\r\n";
    const char *text = "Das Angebot liegt bei.";
    TextCache *cache;
    MkMailId id;
    Fixture f;

    fixture_init(&f);
    fixture_add_user(&f, "bert", "login", "bert@example.com");
    fixture_ingest(&f, mail, strlen(mail));
    fixture_wait_indexed(&f);
    cache = store_current(f.archive)->shown_texts;
    id = fixture_only_mail(&f, "bert/Journal Incoming");
    assert_snippet(&f, "liegt", text); /* from the store */
    g_assert_true(has(cache, id.number));
    assert_snippet(&f, "angebot", text); /* from memory */
    g_assert_cmpuint(index_memory(&f), >, 0);
    mk_archive_release_memory(f.archive);
    g_assert_cmpuint(text_cache_bytes(cache), ==, 0);
    g_assert_cmpuint(index_memory(&f), ==, 0);
    assert_snippet(&f, "liegt", text); /* from the store again */
    text_cache_empty(cache);
    g_autoptr(ShownText) other = text_of(4, 'z');
    text_cache_add(cache, id.number, other);
    assert_snippet(&f, "liegt", "zzzz"); /* it is asked before the store */
    fixture_clear(&f);
}

/* Somebody looks at a mail that has been taken out of the batch, but not of the index yet. */
static void test_gone(void)
{
    const uint32_t number = 4711; /* not in the store */
    g_autoptr(ShownText) text = text_of(4, 'z');
    g_autoptr(GError) error = NULL;
    ArchiveStore *store;
    Batch batch;
    Fixture f;

    fixture_init(&f);
    store = store_current(f.archive);
    pthread_mutex_lock(&store->index_writer_lock);
    batch_init(&batch, f.archive, store, NULL);
    g_assert_true(batch_add_mail(&batch, number, &error));
    text_cache_add(store->shown_texts, number, text);
    g_assert_true(mk_index_writer_commit(batch.writer, 1, &error));
    batch_clear(&batch);
    pthread_mutex_unlock(&store->index_writer_lock);
    g_assert_false(has(store->shown_texts, number));
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_setup();
    g_test_add_func("/text-cache/content", test_content);
    g_test_add_func("/text-cache/bound", test_bound);
    g_test_add_func("/text-cache/order", test_order);
    g_test_add_func("/text-cache/left-out", test_left_out);
    g_test_add_func("/text-cache/snippets", test_snippets);
    g_test_add_func("/text-cache/gone", test_gone);
    return g_test_run();
}
